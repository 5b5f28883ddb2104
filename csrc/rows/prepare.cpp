#include "rows/prepare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "kernels/dispatch.h"

namespace lookalike {
namespace {

constexpr int64_t kRowsAtATime = 64;

int64_t batches(int64_t rows) { return (rows + kRowsAtATime - 1) / kRowsAtATime; }

// A power of two that brings the typical row near 1: 1 itself unless the median of the largest
// magnitudes is far from it.
double choose_scale(const std::vector<RowSurvey>& x, const std::vector<RowSurvey>& y) {
  std::vector<int16_t> exponents;
  for (const auto* side : {&x, &y}) {
    for (const RowSurvey& row : *side) {
      if (row.exponent != kZeroRow) exponents.push_back(row.exponent);
    }
  }
  if (exponents.empty()) return 1;
  const auto middle = exponents.begin() + std::ptrdiff_t(exponents.size() / 2);
  std::nth_element(exponents.begin(), middle, exponents.end());
  const int e = *middle;
  return std::abs(e) <= 20 ? 1.0 : std::ldexp(1.0, std::clamp(-e, -1000, 1000));
}

std::vector<RowSurvey> survey(Side& side, int index, const MatrixView& m, const Traits& traits,
                              Team& team) {
  side.rows = Rows{m, traits.prepare, nullptr, nullptr, 1.0, false, m.cols};
  side.flags.resize(size_t(m.rows));
  if (traits.prepare != Prepare::as_is) side.scales.resize(size_t(m.rows));
  std::vector<RowSurvey> out(size_t(m.rows));
  std::atomic<int64_t> bad{m.rows};  // the first in order, whichever thread finds one first
  team.run(
      batches(m.rows), double(m.rows) * double(m.cols),
      [&](int64_t batch, int) {
        const int64_t begin = batch * kRowsAtATime, end = std::min(m.rows, begin + kRowsAtATime);
        const int64_t row = kernels().survey(m, traits, begin, end, out.data(), side.scales.data());
        if (row < 0) return;
        int64_t known = bad.load();
        while (row < known && !bad.compare_exchange_weak(known, row)) {
        }
      },
      0, 0);
  if (bad.load() < m.rows) throw NotFinite(index, bad.load());
  return out;
}

// Which rows the filters leave alone, `scale` being what they multiply all rows by.
void set_flags(Side& side, const std::vector<RowSurvey>& surveyed, bool bounded, double scale) {
  // Where most rows are near the end of float64's range the distances are not accurate relatively,
  // as the filters' bounds suppose.
  const int limit = scale >= 0x1p1000 ? kZeroRow + 1 : kLargestExponent - std::ilogb(scale);
  for (size_t row = 0; row < surveyed.size(); ++row) {
    side.flags[row] = surveyed[row].flags;
    if (bounded && surveyed[row].exponent >= limit) {
      side.flags[row] |= kUnbounded;
      ++side.unbounded;
    }
    side.any |= side.flags[row];
  }
}

void set_rows(Side& side, const Traits& traits, double scale, int64_t filter_cols) {
  side.rows.scales = side.scales.data();
  side.rows.flags = side.flags.data();
  side.rows.filter_scale = scale;
  side.rows.flush_tiny = traits.change == Change::ratio;
  side.rows.filter_cols = filter_cols;
}

void measure_rows(Side& side, const std::vector<RowSurvey>& surveyed, const MetricKernels& metric,
                  Team& team) {
  const Rows& rows = side.rows;
  const Traits& traits = metric.traits;
  const int scale_exponent = std::ilogb(rows.filter_scale);
  const int64_t n = rows.matrix.rows;
  const bool weighted = traits.weighted && !(side.any & kNegative);
  const bool squares = traits.combine == Combine::root_of_sum;
  side.residual.resize(size_t(n));
  if (weighted) side.weight.resize(size_t(n));
  if (squares) side.square.resize(size_t(n));
  team.run(
      batches(n), double(n) * double(rows.matrix.cols),
      [&](int64_t batch, int) {
        const int64_t begin = batch * kRowsAtATime, end = std::min(n, begin + kRowsAtATime);
        for (auto row = size_t(begin); row < size_t(end); ++row) {
          const RowSurvey& r = surveyed[row];
          const int e = std::max<int>(r.exponent, -1000) + scale_exponent;
          if (weighted) side.weight[row] = float(std::ldexp(r.size, e));
          if (squares) {
            side.square[row] =
                rows.prepare != Prepare::as_is ? 1.0f : float(std::ldexp(r.size, 2 * e));
          }
          const bool known = r.residual >= 0 && rows.filter_scale == 1;
          // A weight too small for float32 would pass for that of a row of zeros.
          const bool weightless =
              weighted && r.exponent != kZeroRow && side.weight[row] < kLeastWeight;
          side.residual[row] = side.flags[row] & kUnbounded || weightless
                                   ? std::numeric_limits<float>::infinity()
                               : known ? r.residual
                                       : kernels().measure(rows, traits, int64_t(row));
        }
      },
      0, 0);
}

}  // namespace

Comparison::Comparison(const MatrixView& x, const MatrixView* y, Metric metric, bool with_filters,
                       Team& team)
    : kernels_(lookalike::kernels().metric[int(metric)]) {
  const auto second = y ? std::make_shared<Side>() : nullptr;
  std::vector<RowSurvey> of_x = survey(first_, 0, x, traits(), team), of_y;
  if (second) of_y = survey(*second, 1, *y, traits(), team);
  const bool bounded = with_filters && traits().prepare == Prepare::as_is;
  const double scale = bounded ? choose_scale(of_x, of_y) : 1.0;
  set_flags(first_, of_x, bounded, scale);
  if (second) set_flags(*second, of_y, bounded, scale);
  const uint8_t any = first_.any | (second ? second->any : 0);
  const int64_t filter_cols = x.cols + (any & kDegenerate ? 1 : 0);
  set_rows(first_, traits(), scale, filter_cols);
  if (second) set_rows(*second, traits(), scale, filter_cols);
  if (with_filters) {
    measure_rows(first_, of_x, kernels_, team);
    if (second) measure_rows(*second, of_y, kernels_, team);
  }
  second_ = second;
}

std::shared_ptr<Side> prepare_database(const MatrixView& y, Metric metric, Team& team) {
  const MetricKernels& of_metric = kernels().metric[int(metric)];
  const Traits& traits = of_metric.traits;
  auto side = std::make_shared<Side>();
  const std::vector<RowSurvey> surveyed = survey(*side, 1, y, traits, team);
  const bool as_is = traits.prepare == Prepare::as_is;
  const double scale = as_is ? choose_scale(surveyed, {}) : 1.0;
  set_flags(*side, surveyed, as_is, scale);
  // A query may be degenerate.
  set_rows(*side, traits, scale, y.cols + (as_is ? 0 : 1));
  measure_rows(*side, surveyed, of_metric, team);
  return side;
}

Comparison::Comparison(const MatrixView& x, std::shared_ptr<const Side> y, Metric metric,
                       Team& team)
    : kernels_(lookalike::kernels().metric[int(metric)]), second_(std::move(y)) {
  const std::vector<RowSurvey> surveyed = survey(first_, 0, x, traits(), team);
  const double scale = second_->rows.filter_scale;
  set_flags(first_, surveyed, traits().prepare == Prepare::as_is, scale);
  set_rows(first_, traits(), scale, second_->rows.filter_cols);
  measure_rows(first_, surveyed, kernels_, team);
}

}  // namespace lookalike
