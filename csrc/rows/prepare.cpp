#include "rows/prepare.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/dispatch.h"

namespace lookalike {
namespace {

constexpr int64_t kRowsAtATime = 64;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

int64_t batches(int64_t rows) { return (rows + kRowsAtATime - 1) / kRowsAtATime; }

using Surveyed = std::vector<RowSurvey>;

// A power of two that brings the typical row near 1: 1 itself unless the median of the largest
// magnitudes is far from it.
double choose_scale(const Surveyed& x, const Surveyed& y) {
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

// One side on its way: surveyed, then marked, then measured.
class Preparation {
 public:
  Preparation(Side& side, const MatrixView& m, const Specification& specification,
              const RowNeeds& needs, Team& team)
      : side_(side),
        matrix_(m),
        specification_(specification),
        metric_(kernels_of(specification)),
        needs_(needs),
        team_(team),
        filtered_(needs.residual || needs.weight || needs.square) {}

  // Throws BadRow for this side's `index`.
  const Surveyed& survey(int index) {
    const int64_t n = matrix_.rows, features = specification_.parameters.features;
    if (features && features != matrix_.cols) {
      throw std::invalid_argument(std::string(traits().array) + " is of " +
                                  std::to_string(features) + " features, the rows have " +
                                  std::to_string(matrix_.cols));
    }
    if (traits().linear) matrix_ = map_rows(side_, matrix_, specification_, index, team_);
    side_.flags.resize(size_t(n));
    if (has_scale(traits().prepare)) side_.scales.resize(size_t(n));
    surveyed_.resize(size_t(n));
    std::atomic<int64_t> bad{n};  // the first in order, whichever thread finds one first
    team_.run(
        batches(n), double(n) * double(matrix_.cols),
        [&](int64_t batch, int) {
          const int64_t begin = batch * kRowsAtATime, end = std::min(n, begin + kRowsAtATime);
          const int64_t row = kernels().survey(matrix_, metric_, specification_.parameters, begin,
                                               end, surveyed_.data(), side_.scales.data());
          if (row < 0) return;
          int64_t known = bad.load();
          while (row < known && !bad.compare_exchange_weak(known, row)) {
          }
        },
        0, 0);
    if (bad.load() < n) {
      // Of mapped rows those given were finite.
      const auto why = traits().linear ? BadRow::Why::out_of_range : BadRow::Why::not_finite;
      throw BadRow(why, index, bad.load());
    }
    for (int64_t row = 0; row < n; ++row) {
      const RowSurvey& r = surveyed_[size_t(row)];
      if (!(r.flags & kOutside)) continue;
      const auto why = r.flags & kNegative      ? BadRow::Why::negative
                       : r.exponent == kZeroRow ? BadRow::Why::no_sum
                                                : BadRow::Why::out_of_range;
      throw BadRow(why, index, row);
    }
    return surveyed_;
  }

  // Is there a scale to choose, and are there rows out of its range?
  bool scaled() const { return filtered_ && !has_scale(traits().prepare); }
  bool any_degenerate() const {
    return std::any_of(surveyed_.begin(), surveyed_.end(),
                       [](const RowSurvey& r) { return r.flags & kDegenerate; });
  }

  // Which rows the filters leave alone, `scale` being what they multiply all rows by; the rest.
  void finish(double scale, int64_t filter_cols) {
    set_rows(side_, matrix_, specification_, scale, filter_cols);
    set_flags(scale);
    if (filtered_) measure();
  }

 private:
  const Traits& traits() const { return metric_.traits; }

  void set_flags(double scale) {
    // Where most rows are near the end of float64's range the distances are not accurate relatively,
    // as the filters' bounds suppose.
    // A power of the norm leaves it sooner.
    const bool too_small = scale >= (traits().power == 1 ? 0x1p1000 : 0x1p370);
    const int limit = too_small ? kZeroRow + 1 : kLargestExponent - std::ilogb(scale);
    for (size_t row = 0; row < surveyed_.size(); ++row) {
      uint8_t& flags = side_.flags[row];
      flags = surveyed_[row].flags;
      const bool beyond = scaled() && surveyed_[row].exponent >= limit;
      const bool undirected = flags & kDegenerate && !has_degenerate_feature(traits());
      if (beyond || undirected) {
        flags |= kUnbounded;
        ++side_.unbounded;
      }
      side_.any |= flags;
    }
  }

  void measure() {
    const int64_t n = matrix_.rows;
    Side::each_vector(side_, traits(), needs_, [&](const char*, auto& vector, bool needed) {
      vector.resize(needed ? size_t(n) : 0);
    });
    team_.run(
        batches(n), double(n) * double(matrix_.cols),
        [&](int64_t batch, int) {
          const int64_t begin = batch * kRowsAtATime, end = std::min(n, begin + kRowsAtATime);
          for (int64_t row = begin; row < end; ++row) measure(size_t(row));
        },
        0, 0);
  }

  void measure(size_t row) {
    const RowSurvey& r = surveyed_[row];
    const double scale = side_.rows.filter_scale;
    const int e = std::max<int>(r.exponent, -1000) + std::ilogb(scale);
    bool weightless = false;
    if (!side_.weight.empty()) {
      side_.weight[row] = float(std::ldexp(r.size, e));
      // A weight too small for float32 would pass for that of a row of zeros.
      weightless = r.exponent != kZeroRow && side_.weight[row] < kLeastWeight;
    }
    if (!side_.square.empty()) {
      side_.square[row] = has_scale(traits().prepare) ? 1.0f : float(std::ldexp(r.size, 2 * e));
    }
    if (side_.residual.empty()) return;
    const bool known = r.residual >= 0 && scale == 1;
    side_.residual[row] = side_.flags[row] & kUnbounded || weightless ? kInfinity
                          : known                                     ? r.residual
                                  : metric_.measure(side_.rows, int64_t(row));
  }

  Side& side_;
  MatrixView matrix_;
  const Specification& specification_;
  const MetricKernels& metric_;
  const RowNeeds& needs_;
  Team& team_;
  const bool filtered_;
  Surveyed surveyed_;
};

}  // namespace

bool has_degenerate_feature(const Traits& t) { return t.inner_product && is_unit(t.prepare); }

void set_rows(Side& side, const MatrixView& matrix, const Specification& specification,
              double scale, int64_t filter_cols) {
  const MetricKernels& metric = kernels_of(specification);
  side.rows = Rows{matrix,     specification.parameters, metric.traits.prepare,
                   metric.map, side.scales.data(),       side.flags.data(),
                   scale,      metric.traits.flush_tiny, filter_cols};
  Parameters& parameters = side.rows.parameters;
  parameters.features = matrix.cols;
  if (!parameters.weights) parameters.total = double(matrix.cols);
}

MatrixView map_rows(Side& side, const MatrixView& m, const Specification& specification, int index,
                    Team& team) {
  const int64_t n = m.rows, groups = (n + kLinearRows - 1) / kLinearRows;
  const int64_t padded = (m.cols + kLinearPanel - 1) / kLinearPanel * kLinearPanel;
  side.mapped = Buffer<double>(size_t(groups * kLinearRows * padded));
  double* const out = side.mapped.get();
  std::vector<Buffer<double>> scratch(size_t(team.threads()));
  std::atomic<int64_t> bad{n};
  team.run(
      groups, double(n) * double(m.cols) * double(m.cols) / 4,
      [&](int64_t group, int worker) {
        Buffer<double>& own = scratch[size_t(worker)];
        if (!own.get()) own = Buffer<double>(size_t(kLinearRows * m.cols + 8));
        const int64_t first = group * kLinearRows;
        const int rows = int(std::min<int64_t>(kLinearRows, n - first));
        const int64_t row = kernels().map_rows(m, specification.parameters.linear, first, rows,
                                               own.get(), out + first * padded);
        if (row < 0) return;
        int64_t known = bad.load();
        while (row < known && !bad.compare_exchange_weak(known, row)) {
        }
      },
      0, 0);
  if (bad.load() < n) throw BadRow(BadRow::Why::not_finite, index, bad.load());
  return {reinterpret_cast<const unsigned char*>(out), DType::f64, n, m.cols, padded * 8, 8};
}

Comparison::Comparison(const MatrixView& x, const MatrixView* y, const Specification& specification,
                       const RowNeeds& needs, Team& team, bool scale)
    : kernels_(kernels_of(specification)) {
  const auto second = y ? std::make_shared<Side>() : nullptr;
  Preparation of_x(first_, x, specification, needs, team);
  std::unique_ptr<Preparation> of_y;
  const Surveyed &surveyed = of_x.survey(0), none;
  if (second) of_y = std::make_unique<Preparation>(*second, *y, specification, needs, team);
  const Surveyed& other = of_y ? of_y->survey(1) : none;
  const bool scaled = scale && of_x.scaled() && traits().norm_degree != kUnstated;
  const double power = scaled ? choose_scale(surveyed, other) : 1.0;
  const bool degenerate = of_x.any_degenerate() || (of_y && of_y->any_degenerate());
  const int64_t filter_cols = x.cols + (degenerate && has_degenerate_feature(traits()) ? 1 : 0);
  of_x.finish(power, filter_cols);
  if (of_y) of_y->finish(power, filter_cols);
  second_ = second;
}

std::shared_ptr<Side> prepare_database(const MatrixView& y, const Specification& specification,
                                       const RowNeeds& needs, Team& team) {
  const Traits& traits = kernels_of(specification).traits;
  auto side = std::make_shared<Side>();
  Preparation preparation(*side, y, specification, needs, team);
  const Surveyed& surveyed = preparation.survey(1);
  const bool scaled = preparation.scaled() && traits.norm_degree != kUnstated;
  // A query may be degenerate.
  preparation.finish(scaled ? choose_scale(surveyed, {}) : 1.0,
                     y.cols + (has_degenerate_feature(traits) ? 1 : 0));
  return side;
}

Comparison::Comparison(const MatrixView& x, std::shared_ptr<const Side> y,
                       const Specification& specification, const RowNeeds& needs, Team& team)
    : kernels_(kernels_of(specification)), second_(std::move(y)) {
  Preparation preparation(first_, x, specification, needs, team);
  preparation.survey(0);
  preparation.finish(second_->rows.filter_scale, second_->rows.filter_cols);
}

}  // namespace lookalike
