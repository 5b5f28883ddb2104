#include "filters/float32_filter.h"

#include "kernels/dispatch.h"

namespace lookalike {

double relative_error(const Traits& traits, int run, bool quick, bool quotient) {
  const bool sums = traits.combine != Combine::maximum;
  const int in_a_term = std::max(traits.roundings, quotient ? traits.weight_roundings : 0);
  const double n = (in_a_term + (sums ? run : 0)) * kUnit;
  double relative = n / (1 - n) + (quick ? traits.quick_error * (1 + n) : 0);
  if (quotient) relative *= 2 / (1 - relative);
  if (traits.combine == Combine::root_of_sum) relative /= 2;
  return relative + kSpare;
}

bool few_queries(const Comparison& c) {
  return !c.self() && c.x().rows.matrix.rows <= kRowMajorQueries;
}

namespace {

constexpr int kFilterRun = kTile;  // features summed in float32

const float* data_or_null(const std::vector<float>& v) { return v.empty() ? nullptr : v.data(); }

// The residuals of rows whose quotient of sums is compared: none is allowed.
std::vector<float> all_or_nothing(const std::vector<float>& residual) {
  std::vector<float> out(residual.size());
  std::transform(residual.begin(), residual.end(), out.begin(),
                 [](float r) { return r == 0 ? 0 : std::numeric_limits<float>::infinity(); });
  return out;
}

std::vector<float> product_errors(const Side& side, double relative) {
  std::vector<float> out(side.square.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const double square = side.square[i], residual = side.residual[i];
    out[i] =
        up((relative + kSpare) * square + 2 * std::sqrt(square) * residual + residual * residual);
  }
  return out;
}

}  // namespace

RowNeeds Float32Filter::needs(const Traits& traits) {
  return {traits.has_float32() || traits.inner_product, traits.has_float32() && traits.weights_add,
          traits.inner_product};
}

Float32Filter::Float32Filter(const Comparison& comparison, bool products, int workers)
    : comparison_(comparison),
      quotient_(comparison.traits().weighted && !comparison.weights_add_up()),
      row_major_(few_queries(comparison)),
      workspaces_(size_t(workers)),
      values_(size_t(workers)) {
  const Side &x = comparison.x(), &y = comparison.y();
  // A lane of a row-major kernel adds every lanes-th feature of a run.
  const int run = row_major_ ? kRowMajorDepth / kernels().lanes + 1 : kFilterRun;
  bounds_.unit = comparison.norm_unit();
  bounds_.relative = relative_error(comparison.traits(), run, true, quotient_);
  // Squares that float32 cannot add up belong to norms of 2^64 or more.
  const bool squares = comparison.traits().combine == Combine::root_of_sum;
  bounds_.largest =
      std::min(squares ? 0x1p60 : 0x1p120, largest_norm(comparison.traits()) * bounds_.unit);
  if (products) {
    const double relative = (run + 2) * kUnit / (1 - (run + 2) * kUnit);
    error_x_ = product_errors(x, relative);
    if (!comparison.self()) error_y_ = product_errors(y, relative);
  }
  if (quotient_) {
    residual_x_ = all_or_nothing(x.residual);
    if (!comparison.self()) residual_y_ = all_or_nothing(y.residual);
  }
  // Both sides of a self-join are the same.
  const auto pick = [&](const std::vector<float>& mine, const std::vector<float>& theirs) {
    return comparison.self() ? data_or_null(mine) : data_or_null(theirs);
  };
  bounds_.residual_x = quotient_ ? residual_x_.data() : x.residual.data();
  bounds_.residual_y = quotient_ ? pick(residual_x_, residual_y_) : y.residual.data();
  bounds_.with_clipped_x = bounds_.residual_x;
  bounds_.with_clipped_y = bounds_.residual_y;
  bounds_.error_x = data_or_null(error_x_);
  bounds_.error_y = pick(error_x_, error_y_);
  slack_y_ = bounds_.slacks(y.rows.matrix.rows);
  bounds_.slack_y = slack_y_.data();
  const bool weighted = comparison.weights_add_up();
  bounds_.weight_x = bounds_.product() ? bounds_.residual_x : weighted ? x.weight.data() : nullptr;
  bounds_.weight_y = bounds_.product() ? bounds_.residual_y : weighted ? y.weight.data() : nullptr;
}

float* Float32Filter::values(const Tile& tile, int worker) {
  SumsWorkspace& w = workspaces_[size_t(worker)];
  w.prepare(quotient_);
  Buffer<float>& values = values_[size_t(worker)];
  if (!values.get()) values = Buffer<float>(size_t(kTile) * kTile);
  const MetricKernels& k = comparison_.kernels();
  const Rows &x = comparison_.x().rows, &y = comparison_.y().rows;
  comparison_.y().check_rows(tile.j0, tile.j0 + tile.cols);
  double* sums = w.scratch.sums;
  double* weights = quotient_ ? w.scratch.weights : nullptr;
  if (bounds_.product()) {
    k.dot_sums(x, y, tile, kFilterRun, w.scratch, sums);
    kernels().squares(sums, comparison_.x().square.data() + tile.i0,
                      comparison_.y().square.data() + tile.j0, tile, values.get());
    return values.get();
  }
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
