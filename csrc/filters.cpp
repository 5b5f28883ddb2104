#include "filters.h"

#include "dispatch.h"

namespace lookalike {
namespace {

constexpr int kFilterRun = kTile;  // features summed in float32

const float* data_or_null(const std::vector<float>& v) { return v.empty() ? nullptr : v.data(); }

}  // namespace

double relative_error(const Traits& traits, int run, bool quick, bool quotient) {
  const bool sums = traits.combine != Combine::maximum;
  const double n = (traits.roundings + (sums ? run : 0)) * kUnit;
  double relative = n / (1 - n) + (quick ? traits.term_error * (1 + n) : 0);
  if (quotient) relative *= 2 / (1 - relative);
  if (traits.combine == Combine::root_of_sum) relative /= 2;
  return relative + kSpare;
}

Float32Filter::Float32Filter(const Comparison& comparison, int workers)
    : comparison_(comparison),
      quotient_(comparison.traits().weighted && !comparison.weights_add_up()),
      row_major_(!comparison.self() && comparison.x().rows.matrix.rows <= kRowMajorQueries),
      workspaces_(size_t(workers)),
      values_(size_t(workers)) {
  // A lane of a row-major kernel adds every lanes-th feature of a run.
  const int run = row_major_ ? kRowMajorDepth / kernels().lanes + 1 : kFilterRun;
  const Side &x = comparison.x(), &y = comparison.y();
  const double unscaled = comparison.traits().degree == 1 ? comparison.filter_scale() : 1;
  bounds_ = Bounds{relative_error(comparison.traits(), run, true, quotient_),
                   std::min(0x1p120, 0x1p1022 * unscaled),
                   x.residual.data(),
                   y.residual.data(),
                   data_or_null(x.weight),
                   data_or_null(y.weight)};
  if (quotient_) {
    const auto all_or_nothing = [](const std::vector<float>& residual) {
      std::vector<float> out(residual.size());
      std::transform(residual.begin(), residual.end(), out.begin(), [](float r) {
        return r == 0 ? 0 : std::numeric_limits<float>::infinity();
      });
      return out;
    };
    residual_x_ = all_or_nothing(x.residual);
    bounds_.residual_x = residual_x_.data();
    if (comparison.self()) {
      bounds_.residual_y = residual_x_.data();
    } else {
      residual_y_ = all_or_nothing(y.residual);
      bounds_.residual_y = residual_y_.data();
    }
  }
}

const float* Float32Filter::values(const Tile& tile, int worker) {
  SumsWorkspace& w = workspaces_[size_t(worker)];
  w.prepare(quotient_);
  Buffer<float>& values = values_[size_t(worker)];
  if (!values.get()) values = Buffer<float>(size_t(kTile) * kTile);
  const MetricKernels& k = comparison_.kernels();
  const Rows &x = comparison_.x().rows, &y = comparison_.y().rows;
  double* sums = w.scratch.sums;
  double* weights = quotient_ ? w.scratch.weights : nullptr;
  if (row_major_) {
    k.row_major_sums(x, y, tile, w.scratch, sums);
    if (weights) k.row_major_weights(x, y, tile, w.scratch, weights);
  } else {
    k.quick_sums(x, y, tile, kFilterRun, w.scratch, sums);
    if (weights) k.weight_sums(x, y, tile, kFilterRun, w.scratch, weights);
  }
  kernels().norms(k.traits.combine, sums, weights, tile.rows, values.get());
  return values.get();
}

}  // namespace lookalike
