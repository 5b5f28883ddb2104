#include "search/index.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "filters/code_filter.h"
#include "kernels/dispatch.h"
#include "search/few_queries.h"

namespace lookalike {

namespace {

constexpr int64_t kSampled = 4096;  // rows that screens are chosen by, or up to twice as many

}  // namespace

// What is kept beside the vectors.
struct Index::Header {
  static constexpr uint32_t kByteOrder = 0x01020304;
  enum : uint32_t { kNone, kInPanels, kInRows };  // how codes lie
  uint32_t byte_order, coded;
  int64_t rows, cols, filter_cols, unbounded;
  double filter_scale;
  uint64_t any;
  Coding coding;
};

Index::Index(const MatrixView& rows, const Specification& specification, Team& team)
    : specification_(specification),
      given_(rows),
      side_(prepare_database(rows, specification, filter_needs(kernels_of(specification).traits),
                             team)) {
  if (rows.rows > 0 && CodeFilter::fits(traits(), side_->rows.filter_cols, side_->any_negative())) {
    code(team);
  }
}

void Index::code(Team& team) {
  coded_ = std::make_unique<CodedDatabase>();
  coded_->coding = choose_coding(traits().codes, side_->rows);
  screens_ = ScreenedDatabase();
  // Codes of a database with screens lie row after row: few rows are read then.
  if (ScreenedDatabase::fits(*side_, coded_->coding.form)) {
    coded_->side = encode_rows(coded_->coding, *side_, in_order(rows().rows), team);
    const Comparison some(every(rows().rows / kSampled), side_, specification_,
                          filter_needs(traits()), team);
    screens_ = ScreenedDatabase(some, *side_, *coded_, team);
    try_screens(team);
    if (screens_.pay(ScreenedDatabase::kTried[0], 1)) return;
    screens_ = ScreenedDatabase();
  }
  coded_->side = encode_panels(coded_->coding, *side_, in_order(rows().rows), team);
}

// One in so many rows.
MatrixView Index::every(int64_t step) const {
  MatrixView some = rows();
  step = std::max<int64_t>(1, step);
  some.row_stride *= step;
  some.rows = (some.rows + step - 1) / step;
  return some;
}

// What screens leave of some of the rows.
void Index::try_screens(Team& team) {
  constexpr int64_t kRows = 8;
  MatrixView some = every(rows().rows / kRows);
  some.rows = kRows;
  const Comparison comparison(some, side_, specification_, filter_needs(traits()), team);
  for (int t = 0; t < ScreenedDatabase::kTrials; ++t) {
    const int64_t k = ScreenedDatabase::kTried[t] + 1;  // and itself
    std::vector<double> distances(size_t(kRows * k));
    std::vector<int64_t> indices(size_t(kRows * k));
    Stats stats;
    ScreenedShare share;
    const auto left = nearest_of_few(comparison, *coded_, screens_, Exclusion{true}, k, team, stats,
                                     distances.data(), indices.data(), &share);
    // Where many queries need all codes, none is helped.
    if (left.size() > 1) share.first = std::numeric_limits<double>::infinity();
    screens_.tried(t, share);
  }
}

const GuardedBytes* Index::guard(const std::string& part) const {
  const auto found = guards_.find(part);
  return found == guards_.end() ? nullptr : found->second.get();
}

void Index::parts(const std::function<void(const std::string&, Part)>& take) const {
  Header header{};
  header.byte_order = Header::kByteOrder;
  header.coded = !coded_                   ? Header::kNone
                 : coded_->side.stride > 0 ? Header::kInRows
                                           : Header::kInPanels;
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
  take("codes", {coded.codes, coded.stride > 0 ? coded.stride * header.rows
                                               : code_bytes(header.rows, header.filter_cols)});
  screens_.parts(
      [&](const std::string& name, const void* data, int64_t bytes) { take(name, {data, bytes}); });
}

namespace {

void require(bool good, const char* part) {
  if (!good) throw Damaged(part);
}

}  // namespace

Index::Index(const MatrixView& given, const Specification& specification, File file, Team& team)
    : specification_(specification), given_(given), side_(std::make_shared<Side>()) {
  Header header;
  const Part part = file.part("header");
  require(file.guards.count("rows") && part.bytes == sizeof header, "header");
  MatrixView rows = given;
  if (traits().linear) {
    file.guards["rows"]->check(0, given.rows * given.row_stride);
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
  guards_ = std::move(file.guards);
  side_->guard = traits().linear ? nullptr : guard("rows");
  if (!coded_) return;
  const CodeKernels& here = code_kernels(coded_->coding.form);
  if (here.tile && coded_->coding.levels <= here.levels) {
    coded_->side.codes = static_cast<const uint8_t*>(file.part("codes").data);
    coded_->side.guard = guard("codes");
    if (coded_->side.stride > 0 && here.query) {
      screens_ = ScreenedDatabase(
          [&](const std::string& name) {
            const Part found = file.part(name);
            return ScreenedDatabase::Part{found.data, found.bytes};
          },
          coded_->coding.form, rows.rows, header.filter_cols);
      screens_.guard([&](const std::string& name) {
        require(guard(name), name.c_str());
        return guard(name);
      });
    }
  } else if (here.tile) {
    // Kept by a CPU whose codes are finer than this one's can be.
    guard("rows")->check(0, given.rows * given.row_stride);
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
  const bool in_rows = header.coded == Header::kInRows;
  coded_->side.stride = in_rows ? row_stride(header.filter_cols) : 0;
  const int64_t bytes = in_rows ? n * coded_->side.stride : code_bytes(n, header.filter_cols);
  require(file.guards.count("codes") && file.part("codes").bytes == bytes, "codes");
}

void Index::verify() const {
  for (const auto& [name, bytes] : guards_) bytes->check(0, bytes->bytes());
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
  const auto all = [&](const Comparison& of, const Exclusion& without, double* d, int64_t* i) {
    lookalike::neighbors(of, coded_.get(), without, k, team, stats, d, i);
  };
  if (!screens_.pay(k, x->rows)) {
    return all(comparison, exclusion, distances, indices);
  }
  const std::vector<int64_t> left =
      nearest_of_few(comparison, *coded_, screens_, exclusion, k, team, stats, distances, indices);
  if (int64_t(left.size()) > x->rows / 2) return all(comparison, exclusion, distances, indices);
  if (left.empty()) return;
  // The others go the common way together.
  const auto n = int64_t(left.size()), cols = x->cols;
  std::vector<double> values(size_t(n * cols)), found(size_t(n * k));
  std::vector<int64_t> exclude(exclusion.exclude ? left.size() : 0), ids(size_t(n * k));
  for (int64_t q = 0; q < n; ++q) {
    kernels().read_f64(*x, left[size_t(q)], 0, cols, &values[size_t(q * cols)]);
    if (exclusion.exclude) exclude[size_t(q)] = exclusion.exclude[left[size_t(q)]];
  }
  const MatrixView others{
      reinterpret_cast<const unsigned char*>(values.data()), DType::f64, n, cols, cols * 8, 8};
  Exclusion theirs = exclusion;
  if (theirs.exclude) theirs.exclude = exclude.data();
  all(Comparison(others, side_, specification_, filter_needs(traits()), team), theirs, found.data(),
      ids.data());
  for (int64_t q = 0; q < n; ++q) {
    std::copy_n(&found[size_t(q * k)], k, distances + left[size_t(q)] * k);
    std::copy_n(&ids[size_t(q * k)], k, indices + left[size_t(q)] * k);
  }
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
