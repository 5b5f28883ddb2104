#include "search/index.h"

#include <algorithm>
#include <cstring>

#include "filters/code_filter.h"
#include "kernels/dispatch.h"

namespace lookalike {

// What is saved beside the vectors.
struct Index::Facts {
  int64_t rows, cols, filter_cols, unbounded;
  double filter_scale;
  uint8_t any, coded, spare[6];
  Coding coding;
};

Index::Index(const MatrixView& rows, Metric metric, Team& team)
    : metric_(metric), side_(prepare_database(rows, metric, team)) {
  if (!CodeFilter::fits(Comparison(
          MatrixView{rows.data, rows.dtype, 0, rows.cols, rows.row_stride, rows.col_stride}, side_,
          metric, team))) {
    return;
  }
  coded_ = std::make_unique<CodedDatabase>();
  coded_->coding = choose_coding(kernels().metric[int(metric)].traits, side_->rows);
  coded_->side = encode(coded_->coding, *side_, team);
}

template <class F>
void Index::each_vector(F visit) {
  visit("scales", side_->scales);
  visit("flags", side_->flags);
  visit("residual", side_->residual);
  visit("weight", side_->weight);
  visit("square", side_->square);
  if (!coded_) return;
  CodedSide& c = coded_->side;
  visit("code scale", c.scale);
  visit("code square", c.square);
  visit("code residual", c.residual);
  visit("code error", c.error);
  visit("code weight", c.weight);
  visit("code slack", c.slack);
  visit("code zero", c.zero);
  visit("code sum", c.sum);
}

void Index::parts(const std::function<void(const char*, Part)>& take) const {
  Facts facts{};
  facts.rows = rows().rows;
  facts.cols = rows().cols;
  facts.filter_cols = side_->rows.filter_cols;
  facts.unbounded = side_->unbounded;
  facts.filter_scale = side_->rows.filter_scale;
  facts.any = side_->any;
  facts.coded = coded_ != nullptr;
  if (coded_) facts.coding = coded_->coding;
  take("facts", {&facts, sizeof facts});
  const_cast<Index*>(this)->each_vector(
      [&](const char* name, auto& v) { take(name, {v.data(), int64_t(v.size() * sizeof v[0])}); });
  if (coded_) {
    take("codes", {coded_->side.codes, code_bytes(facts.rows, facts.filter_cols)});
  }
}

Index::Index(const MatrixView& rows, Metric metric, const Parts& parts, Team& team)
    : metric_(metric), side_(std::make_shared<Side>()) {
  const auto check = [](bool right, const char* what) {
    if (!right) throw std::invalid_argument(what);
  };
  Facts facts;
  const Part saved = parts("facts");
  check(saved.bytes == sizeof facts, "facts");
  std::memcpy(&facts, saved.data, sizeof facts);
  const Traits& traits = kernels().metric[int(metric)].traits;
  check(facts.rows == rows.rows && facts.cols == rows.cols &&
            facts.filter_cols == rows.cols + (traits.prepare == Prepare::as_is ? 0 : 1),
        "facts");
  side_->any = facts.any;
  side_->unbounded = facts.unbounded;
  if (facts.coded) {
    coded_ = std::make_unique<CodedDatabase>();
    coded_->coding = facts.coding;
    check(coded_->coding.form == form_of(traits), "facts");
    const auto& nearest = coded_->coding.grid.nearest;
    check(std::all_of(std::begin(nearest), std::end(nearest), [](uint8_t m) { return m < 127; }),
          "facts");
  }
  each_vector([&](const char* name, auto& v) {
    const Part part = parts(name);
    using Item = std::decay_t<decltype(v[0])>;
    check(part.bytes % int64_t(sizeof(Item)) == 0, name);
    const auto n = part.bytes / int64_t(sizeof(Item));
    check(n == rows.rows || n == 0, name);
    v.resize(size_t(n));
    if (n > 0) std::memcpy(v.data(), part.data, size_t(part.bytes));
  });
  Rows& r = side_->rows;
  r = Rows{rows,
           traits.prepare,
           side_->scales.data(),
           side_->flags.data(),
           facts.filter_scale,
           traits.change == Change::ratio,
           facts.filter_cols};
  const auto n = size_t(rows.rows);
  const bool weighted = traits.weighted && !(facts.any & kNegative);
  const bool squares = traits.combine == Combine::root_of_sum;
  check(side_->flags.size() == n && side_->residual.size() == n, "flags");
  check(side_->scales.size() == (traits.prepare == Prepare::as_is ? 0 : n), "scales");
  check(side_->weight.size() == (weighted ? n : 0), "weight");
  check(side_->square.size() == (squares ? n : 0), "square");
  if (!coded_) return;
  CodedSide& c = coded_->side;
  check(c.residual.size() == n && c.slack.size() == n, "code residual");
  check(c.weight.size() == (weighted ? n : 0), "code weight");
  const size_t of_products = squares ? n : 0;
  check(c.scale.size() == of_products && c.square.size() == of_products &&
            c.error.size() == of_products && c.zero.size() == of_products &&
            c.sum.size() == of_products,
        "code scale");
  const Part codes = parts("codes");
  check(codes.bytes == code_bytes(rows.rows, facts.filter_cols), "codes");
  const CodeKernels& here = code_kernels(coded_->coding.form);
  if (here.tile && coded_->coding.levels <= here.levels) {
    c.codes = static_cast<const uint8_t*>(codes.data);
  } else if (here.tile) {
    // Saved on a CPU whose codes are finer than this one's can be.
    coded_->coding = choose_coding(traits, side_->rows);
    c = encode(coded_->coding, *side_, team);
  } else {
    coded_ = nullptr;
  }
}

void Index::neighbors(const MatrixView& x, int64_t k, Team& team, Stats& stats, double* distances,
                      int64_t* indices) const {
  Lap lap;
  const Comparison comparison(x, side_, metric_, team);
  lap.to(stats.preparing);
  lookalike::neighbors(comparison, coded_.get(), false, k, team, stats, distances, indices);
}

const char* Index::stage() const {
  return coded_ ? code_kernels(coded_->coding.form).name : "float32";
}

}  // namespace lookalike
