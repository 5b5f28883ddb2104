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

CodeFilter::CodeFilter(const Comparison& comparison, const CodedDatabase* database, Team& team)
    : comparison_(comparison),
      coding_(database ? database->coding
                       : choose_coding(comparison.traits().codes, comparison.y().rows)),
      first_(encode(coding_, comparison.x(), team)),
      workspaces_(size_t(team.threads())) {
  const Traits& traits = comparison.traits();
  if (comparison.self()) {
    y_ = &first_;
  } else if (database) {
    y_ = &database->side;
  } else {
    second_ = encode(coding_, comparison.y(), team);
    y_ = &second_;
  }
  bounds_.relative = 0;
  bounds_.unit = traits.weighted ? 1 : coding_.steps * comparison.norm_unit();
  bounds_.largest = std::min(0x1p60, largest_norm(traits) * bounds_.unit);
  const auto data_or_null = [](const std::vector<float>& v) {
    return v.empty() ? nullptr : v.data();
  };
  bounds_.residual_x = first_.residual.data();
  bounds_.residual_y = y_->residual.data();
  bounds_.error_x = data_or_null(first_.error);
  bounds_.error_y = data_or_null(y_->error);
  bounds_.weight_x = bounds_.product() ? bounds_.residual_x : data_or_null(first_.weight);
  bounds_.weight_y = bounds_.product() ? bounds_.residual_y : data_or_null(y_->weight);
  bounds_.slack_y = y_->slack.data();
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
