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
  b.largest = std::min(0x1p60, largest_norm(comparison.traits()) * b.unit);
  b.residual_x = x.residual.data();
  b.residual_y = y.residual.data();
  b.with_clipped_x = x.with_clipped.empty() ? b.residual_x : x.with_clipped.data();
  b.with_clipped_y = y.with_clipped.empty() ? b.residual_y : y.with_clipped.data();
  b.error_x = data_or_null(x.error);
  b.error_y = data_or_null(y.error);
  b.weight_x = b.product() ? b.residual_x : data_or_null(x.weight);
  b.weight_y = b.product() ? b.residual_y : data_or_null(y.weight);
  b.slack_y = y.slack.data();
  return b;
}

CodeFilter::CodeFilter(const Comparison& comparison, const Coding& coding,
                       const std::vector<int32_t>& order, Team& team)
    : comparison_(comparison),
      coding_(coding),
      first_(encode_panels(coding, comparison.x(), order, team)),
      y_(&first_),
      workspaces_(size_t(team.threads())) {
  bounds_ = code_bounds(comparison, coding_, first_, first_);
}

CodeFilter::CodeFilter(const Comparison& comparison, const CodedDatabase* database, Team& team)
    : comparison_(comparison),
      coding_(database ? database->coding
                       : choose_coding(comparison.traits().codes, comparison.y().rows)),
      first_(
          encode_panels(coding_, comparison.x(), in_order(comparison.x().rows.matrix.rows), team)),
      workspaces_(size_t(team.threads())) {
  if (comparison.self()) {
    y_ = &first_;
  } else if (database) {
    y_ = &database->side;
    if (y_->stride > 0) {
      panels_ = database->panels(comparison.y().rows.matrix.rows, comparison.filter_cols(), team);
    }
  } else {
    second_ =
        encode_panels(coding_, comparison.y(), in_order(comparison.y().rows.matrix.rows), team);
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
  CodeTile tile{first_.view(cols), y_->view(cols),     t.i0,         t.j0,          t.rows, t.cols,
                t.diagonal,        coding_.grid.table, w.sums.get(), w.values.get()};
  if (y_->stride > 0) {
    tile.y = panels_of(t, w);
    tile.j0 = 0;
  } else if (y_->guard) {
    y_->guard->check(code_bytes(t.j0, cols), code_bytes(t.j0 + t.cols, cols));
  }
  code_kernels(coding_.form).tile(tile);
  return w.values.get();
}

// The tile's rows of y as the first panels, and what is to be known of them.
CodeRows CodeFilter::panels_of(const Tile& t, Workspace& w) const {
  const int64_t cols = comparison_.filter_cols(), kept = code_lines(cols) * kCodeGroup;
  if (!panels_) {
    if (!w.panels.get()) w.panels = Buffer<uint8_t>(size_t(code_bytes(kTile, cols)));
    as_panels(*y_, cols, t.j0, t.cols, w.panels.get());
  }
  CodeRows rows = y_->view(cols);
  rows.codes = panels_ ? panels_ + code_bytes(t.j0, cols) : w.panels.get();
  if (coding_.form != CodeForm::products) return rows;
  for (int j = 0; j < t.cols; ++j) {  // without what pads a row to whole lines: codes of zero
    const auto row = size_t(t.j0 + j);
    w.code_sums[j] = y_->sum[row] - y_->zero[row] * int32_t(y_->stride - kept);
  }
  rows.sum = w.code_sums;
  rows.scale += t.j0;
  rows.zero += t.j0;
  rows.square += t.j0;
  return rows;
}

}  // namespace lookalike
