#include "search/screened_queries.h"

#include <algorithm>
#include <numeric>

namespace lookalike {
namespace {

std::vector<int32_t> in_order(int64_t rows) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

}  // namespace

ScreenedQueries::ScreenedQueries(const Comparison& comparison, const CodedDatabase& coded,
                                 const ScreenedDatabase& screens, Team& team)
    : levels_(screens.levels()),
      database_(coded),
      rows_(comparison.y().rows.matrix.rows),
      cols_(comparison.filter_cols()),
      coded_(encode_rows(coded.coding, comparison.x(), in_order(comparison.x().rows.matrix.rows),
                         team)),
      bounds_(code_bounds(comparison, coded.coding, coded_, coded.side)),
      kernels_(code_kernels(coded.coding.form)) {
  for (const ScreenLevel& level : levels_) {
    Asked asked;
    asked.rows =
        encode_screens(level.coding, coded.coding, comparison.kernels(), comparison.x(), team);
    asked.residual = level.products() ? asked.rows.residual : coded_.residual;
    if (level.products()) {  // signed, as in panels
      for (uint8_t& byte : asked.rows.bytes) byte ^= 128;
    }
    asked_.push_back(std::move(asked));
  }
}

ScreenQuery ScreenedQueries::query(size_t l, int64_t i, const uint8_t* others, int64_t first,
                                   int64_t n, float* out) const {
  const ScreenLevel& level = levels_[l];
  const ScreenRows& own = asked_[l].rows;
  const int width = level.coding.width;
  ScreenQuery q{own.bytes.data() + i * width, others, nullptr, 0, 0, width, n, out};
  if (level.products()) {
    q.squares = level.square.data() + first;
    q.square = own.square[size_t(i)];
    q.sum = own.sum[size_t(i)];
  }
  return q;
}

CandidateLimit ScreenedQueries::limit(size_t l, int64_t i, float threshold) const {
  const ScreenLevel& level = levels_[l];
  const double own = asked_[l].residual[size_t(i)];
  if (!level.products()) {
    return {0, up(double(threshold) + own + kLeastNormal), nullptr, level.slack.data()};
  }
  const double reach = level.coding.stretch * double(threshold) * (1 + kSpare) + own;
  const double half = level.half_square();
  return {up(2 * reach * half), up(reach * reach * half + kLeastNormal), level.residual.data(),
          level.slack.data()};
}

void ScreenedQueries::check(int64_t first, int64_t n) const {
  const ScreenLevel& level = levels_.front();
  if (!level.guard) return;
  const int64_t width = level.coding.width, last = (first + n + kScreenRows - 1) / kScreenRows;
  level.guard->check(first * width, std::min(level.size(rows_), last * kScreenRows * width));
}

void ScreenedQueries::values(int64_t i, int64_t first, int64_t n, float* out) const {
  const ScreenLevel& level = levels_.front();
  kernels_.query(query(0, i, level.bytes + first * level.coding.width, first, n, out));
}

int ScreenedQueries::within_second(int64_t i, float threshold, float* values, int32_t* rows,
                                   int n) const {
  if (levels_.size() < 2) return n;
  const ScreenLevel& level = levels_[1];
  const int64_t width = level.coding.width;
  if (level.guard) {
    for (int c = 0; c < n; ++c) level.guard->check(rows[c] * width, (rows[c] + 1) * width);
  }
  kernels_.listed_screens(query(1, i, level.bytes, 0, n, values), rows);
  return kernels().within(limit(1, i, threshold), values, rows, n);
}

void ScreenedQueries::code_values(int64_t i, const int32_t* rows, int64_t n, float* out) const {
  const CodedSide& y = database_.side;
  CodeQuery q{coded_.codes + i * coded_.stride, y.codes, y.stride, {}, {}, rows, n, out};
  if (database_.coding.form == CodeForm::products) {
    const auto own = size_t(i);
    q.row.scale = coded_.scale[own];
    q.row.square = coded_.square[own];
    q.row.zero = coded_.zero[own];
    q.row.sum = coded_.sum[own];
    q.columns = y.view(cols_);
  }
  if (y.guard) {
    for (int64_t c = 0; c < n; ++c) y.guard->check(rows[c] * y.stride, (rows[c] + 1) * y.stride);
  }
  kernels_.listed_codes(q);
}

}  // namespace lookalike
