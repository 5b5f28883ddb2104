#include "filters/code_filter.h"

#include "kernels/dispatch.h"

namespace lookalike {

bool CodeFilter::fits(const Traits& traits, int64_t filter_cols, bool any_negative) {
  if (traits.codes == CodeForm::none || filter_cols > kMostCodeCols) return false;
  if (traits.weighted && !(traits.weights_add && !any_negative)) return false;
  if (traits.codes == CodeForm::ratios && any_negative) return false;
  return code_kernels(traits.codes).tile != nullptr;
}

RowNeeds CodeFilter::needs(const Traits& traits) {
  const bool coded = traits.codes != CodeForm::none;
  return {coded, coded && traits.weights_add, false};
}

const char* CodeFilter::name() const { return code_kernels(coding_.form).name; }

Bounds code_bounds(const Comparison& comparison, const Coding& coding, const CodedSide& x,
                   const CodedSide& y) {
  const auto data_or_null = [](const std::vector<float>& v) {
    return v.empty() ? nullptr : v.data();
  };
  Bounds b{};
  b.relative = 0;
  b.unit = comparison.traits().weighted ? 1 : coding.steps * comparison.norm_unit();
  b.largest = std::min(0x1p60, 0x1p1022 * b.unit);
  b.residual_x = x.residual.data();
  b.residual_y = y.residual.data();
  b.error_x = data_or_null(x.error);
  b.error_y = data_or_null(y.error);
  b.weight_x = b.product() ? b.residual_x : data_or_null(x.weight);
  b.weight_y = b.product() ? b.residual_y : data_or_null(y.weight);
  b.slack_y = y.slack.data();
  return b;
}

CodeFilter::CodeFilter(const Comparison& comparison, const CodedDatabase* database, Team& team)
    : comparison_(comparison),
      coding_(database ? database->coding
                       : choose_coding(comparison.traits().codes, comparison.y().rows)),
      first_(encode(coding_, comparison.x(), team)),
      workspaces_(size_t(team.threads())) {
  if (comparison.self()) {
    y_ = &first_;
  } else if (database) {
    y_ = &database->side;
  } else {
    second_ = encode(coding_, comparison.y(), team);
    y_ = &second_;
  }
  bounds_ = code_bounds(comparison, coding_, first_, *y_);
}

float* CodeFilter::values(const Tile& t, int worker) {
  Workspace& w = workspaces_[size_t(worker)];
  if (!w.values.get()) {
    w.sums = Buffer<int32_t>(size_t(kTile) * kTile);
    w.values = Buffer<float>(size_t(kTile) * kTile);
  }
  const int64_t cols = comparison_.filter_cols();
  if (y_->guard) {
    y_->guard->check(code_bytes(t.j0, cols), code_bytes(t.j0 + t.cols, cols));
  }
  code_kernels(coding_.form)
      .tile(CodeTile{first_.view(cols), y_->view(cols), t.i0, t.j0, t.rows, t.cols, t.diagonal,
                     coding_.grid.table, w.sums.get(), w.values.get()});
  return w.values.get();
}

}  // namespace lookalike
