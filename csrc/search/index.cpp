#include "search/index.h"

#include <algorithm>
#include <cstring>

#include "filters/code_filter.h"
#include "kernels/dispatch.h"

namespace lookalike {

// What is kept beside the vectors.
struct Index::Header {
  static constexpr uint32_t kByteOrder = 0x01020304;
  uint32_t byte_order, coded;
  int64_t rows, cols, filter_cols, unbounded;
  double filter_scale;
  uint64_t any;
  Coding coding;
};

Index::Index(const MatrixView& rows, const Specification& specification, Team& team)
    : specification_(specification),
      side_(prepare_database(rows, specification, filter_needs(kernels_of(specification).traits),
                             team)) {
  if (rows.rows > 0 && CodeFilter::fits(traits(), side_->rows.filter_cols, side_->any_negative())) {
    code(team);
  }
}

void Index::code(Team& team) {
  coded_ = std::make_unique<CodedDatabase>();
  coded_->coding = choose_coding(traits().codes, side_->rows);
  coded_->side = encode(coded_->coding, *side_, team);
}

void Index::parts(const std::function<void(const char*, Part)>& take) const {
  Header header{};
  header.byte_order = Header::kByteOrder;
  header.coded = coded_ != nullptr;
  header.rows = rows().rows;
  header.cols = rows().cols;
  header.filter_cols = side_->rows.filter_cols;
  header.unbounded = side_->unbounded;
  header.filter_scale = side_->rows.filter_scale;
  header.any = side_->any;
  if (coded_) header.coding = coded_->coding;
  take("header", {&header, sizeof header});
  const auto take_vector = [&](const char* name, const auto& vector, bool needed) {
    if (needed) take(name, {vector.data(), int64_t(vector.size() * sizeof vector[0])});
  };
  const Side& side = *side_;
  Side::each_vector(side, traits(), filter_needs(traits()), take_vector);
  if (!coded_) return;
  const CodedSide& coded = coded_->side;
  CodedSide::each_vector(coded, coded_->coding.form, traits().weighted, take_vector);
  take("codes", {coded.codes, code_bytes(header.rows, header.filter_cols)});
}

namespace {

void require(bool good, const char* part) {
  if (!good) throw Damaged(part);
}

}  // namespace

Index::Index(const MatrixView& given, const Specification& specification, File file, Team& team)
    : specification_(specification), side_(std::make_shared<Side>()) {
  Header header;
  const Part part = file.part("header");
  require(file.rows && part.bytes == sizeof header, "header");
  MatrixView rows = given;
  if (traits().linear) {
    file.rows->check(0, given.rows * given.row_stride);
    rows = map_rows(*side_, given, specification, 1, team);
  }
  std::memcpy(&header, part.data, sizeof header);
  const bool feature = has_degenerate_feature(traits());
  require(header.byte_order == Header::kByteOrder && header.rows == rows.rows &&
              header.cols == rows.cols && header.filter_cols == rows.cols + (feature ? 1 : 0),
          "header");
  set_rows(*side_, rows, specification, header.filter_scale, header.filter_cols);
  restore(header, file);
  set_rows(*side_, rows, specification, header.filter_scale, header.filter_cols);
  rows_guard_ = std::move(file.rows);
  codes_guard_ = std::move(file.codes);
  side_->guard = traits().linear ? nullptr : rows_guard_.get();
  if (!coded_) return;
  const CodeKernels& here = code_kernels(coded_->coding.form);
  if (here.tile && coded_->coding.levels <= here.levels) {
    coded_->side.codes = static_cast<const uint8_t*>(file.part("codes").data);
    coded_->side.guard = codes_guard_.get();
  } else if (here.tile) {
    // Kept by a CPU whose codes are finer than this one's can be.
    rows_guard_->check(0, given.rows * given.row_stride);
    code(team);
  } else {
    coded_ = nullptr;
  }
}

void Index::restore(const Header& header, const File& file) {
  const int64_t n = header.rows;
  const auto restored = [&](const char* name, auto& vector, bool needed) {
    const Part part = file.part(name);
    require(part.bytes == (needed ? n * int64_t(sizeof vector[0]) : 0), name);
    vector.resize(needed ? size_t(n) : 0);
    if (part.bytes > 0) std::memcpy(vector.data(), part.data, size_t(part.bytes));
  };
  side_->any = uint8_t(header.any);
  side_->unbounded = header.unbounded;
  Side::each_vector(*side_, traits(), filter_needs(traits()), restored);
  if (!header.coded) return;
  require(n > 0 && header.coding.form == traits().codes && header.filter_cols <= kMostCodeCols,
          "header");
  const auto& nearest = header.coding.grid.nearest;
  require(std::all_of(std::begin(nearest), std::end(nearest), [](uint8_t m) { return m < 127; }),
          "header");
  coded_ = std::make_unique<CodedDatabase>();
  coded_->coding = header.coding;
  CodedSide::each_vector(coded_->side, header.coding.form, traits().weighted, restored);
  require(file.codes && file.part("codes").bytes == code_bytes(n, header.filter_cols), "codes");
}

void Index::verify() const {
  if (rows_guard_) rows_guard_->check(0, rows().rows * rows().row_stride);
  if (codes_guard_) codes_guard_->check(0, codes_guard_->bytes());
}

void Index::neighbors(const MatrixView* x, const Exclusion& exclusion, int64_t k, Team& team,
                      Stats& stats, double* distances, int64_t* indices) const {
  if (!x) {
    verify();
    const Query query{rows(), nullptr, specification_, exclusion};
    return lookalike::neighbors(query, k, team, stats, distances, indices);
  }
  Lap lap;
  const Comparison comparison(*x, side_, specification_, filter_needs(traits()), team);
  lap.to(stats.preparing);
  lookalike::neighbors(comparison, coded_.get(), exclusion, k, team, stats, distances, indices);
}

Within Index::radius_neighbors(const MatrixView* x, const Exclusion& exclusion, double radius,
                               Team& team, Stats& stats) const {
  if (!x) {
    verify();
    return lookalike::radius_neighbors(Query{rows(), nullptr, specification_, exclusion}, radius,
                                       team, stats);
  }
  const Comparison comparison(*x, side_, specification_, filter_needs(traits()), team);
  return lookalike::radius_neighbors(comparison, coded_.get(), exclusion, radius, team, stats);
}

const char* Index::stage() const {
  return coded_ ? code_kernels(coded_->coding.form).name
                : (traits().has_float32() ? "float32" : "float64");
}

}  // namespace lookalike
