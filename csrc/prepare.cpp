#include "prepare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "dispatch.h"

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

}  // namespace

void Comparison::survey(Side& side, int index, Team& team, std::vector<RowSurvey>& out) {
  const MatrixView& m = side.rows.matrix;
  out.resize(size_t(m.rows));
  side.flags.resize(size_t(m.rows));
  if (side.rows.prepare != Prepare::as_is) side.scales.resize(size_t(m.rows));
  std::atomic<int64_t> bad{m.rows};  // the first in order, whichever thread finds one first
  team.run(
      batches(m.rows), double(m.rows) * double(m.cols),
      [&](int64_t batch, int) {
        const int64_t begin = batch * kRowsAtATime, end = std::min(m.rows, begin + kRowsAtATime);
        const int64_t row =
            lookalike::kernels().survey(m, traits(), begin, end, out.data(), side.scales.data());
        if (row < 0) return;
        int64_t known = bad.load();
        while (row < known && !bad.compare_exchange_weak(known, row)) {
        }
      },
      0, 0);
  if (bad.load() < m.rows) throw NotFinite(index, bad.load());
}

Comparison::Comparison(const MatrixView& x, const MatrixView* y, Metric metric, bool with_filters,
                       Team& team)
    : kernels_(lookalike::kernels().metric[int(metric)]) {
  if (y) second_ = std::make_unique<Side>();
  std::vector<RowSurvey> surveys[2];
  Side* const sides[2] = {&first_, second_.get()};
  for (int s = 0; s < 2; ++s) {
    if (!sides[s]) continue;
    sides[s]->rows = Rows{s == 0 ? x : *y, traits().prepare, nullptr, nullptr, 1.0, false, x.cols};
    survey(*sides[s], s, team, surveys[s]);
  }
  const bool scaled = with_filters && traits().prepare == Prepare::as_is;
  const double scale = scaled ? choose_scale(surveys[0], surveys[1]) : 1.0;
  // Where most rows are near the end of float64's range the distances are not accurate relatively,
  // as the filters' bounds suppose.
  const int scale_exponent = std::ilogb(scale);
  const int limit = scale >= 0x1p1000 ? kZeroRow + 1 : kLargestExponent - scale_exponent;
  uint8_t any = 0;
  for (int s = 0; s < 2; ++s) {
    if (!sides[s]) continue;
    Side& side = *sides[s];
    for (size_t row = 0; row < surveys[s].size(); ++row) {
      side.flags[row] = surveys[s][row].flags;
      if (scaled && surveys[s][row].exponent >= limit) {
        side.flags[row] |= kUnbounded;
        ++unbounded_rows_;
      }
      any |= side.flags[row];
    }
  }
  any_negative_ = any & kNegative;
  weights_add_up_ = traits().weighted && !any_negative_;
  for (Side* side : sides) {
    if (!side) continue;
    Rows& rows = side->rows;
    rows.scales = side->scales.data();
    rows.flags = side->flags.data();
    rows.filter_scale = scale;
    rows.flush_tiny = traits().change == Change::ratio;
    rows.filter_cols = rows.matrix.cols + (any & kDegenerate ? 1 : 0);
    if (!with_filters) continue;
    const std::vector<RowSurvey>& surveyed = surveys[side == &first_ ? 0 : 1];
    const int64_t n = rows.matrix.rows;
    side->residual.resize(size_t(n));
    if (weights_add_up_) side->weight.resize(size_t(n));
    const bool squares = traits().combine == Combine::root_of_sum;
    if (squares) side->square.resize(size_t(n));
    team.run(
        batches(n), double(n) * double(rows.matrix.cols),
        [&](int64_t batch, int) {
          const int64_t begin = batch * kRowsAtATime, end = std::min(n, begin + kRowsAtATime);
          for (auto row = size_t(begin); row < size_t(end); ++row) {
            const RowSurvey& r = surveyed[row];
            const int e = std::max<int>(r.exponent, -1000) + scale_exponent;
            if (weights_add_up_) side->weight[row] = float(std::ldexp(r.size, e));
            if (squares) {
              side->square[row] =
                  rows.prepare != Prepare::as_is ? 1.0f : float(std::ldexp(r.size, 2 * e));
            }
            const bool known = r.residual >= 0 && scale == 1;
            side->residual[row] =
                side->flags[row] & kUnbounded ? std::numeric_limits<float>::infinity()
                : known                       ? r.residual
                        : lookalike::kernels().measure(rows, traits(), int64_t(row));
          }
        },
        0, 0);
  }
}

}  // namespace lookalike
