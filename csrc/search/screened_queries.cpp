#include "search/screened_queries.h"

#include <algorithm>
#include <cstring>

namespace lookalike {
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
  const bool products = coded.coding.form == CodeForm::products;
  if (products) asked_ = screens.encode(comparison.x(), team);
  for (const ScreenLevel& level : levels_) {
    if (products) break;
    asked_.push_back(encode_screens(level.coding, coded.coding, comparison.x(), team));
    asked_.back().residual = coded_.residual;
  }
  for (ScreenRows& rows : asked_) {
    if (!products) break;
    for (uint8_t& byte : rows.bytes) byte ^= 128;  // signed
  }
}

void ScreenedQueries::values(int64_t i, int64_t queries, int64_t first, int64_t n, uint16_t* out,
                             int64_t room) const {
  const ScreenLevel& level = levels_.front();
  const ScreenRows& own = asked_.front();
  const int64_t width = level.coding.width;
  if (level.guard) {
    const int64_t last = (first + n + kScreenRows - 1) / kScreenRows * kScreenRows;
    level.guard->check(first * width, std::min(level.size(rows_), last * width));
  }
  ScreenQueries q{own.bytes.data() + i * width,
                  nullptr,
                  nullptr,
                  int(queries),
                  level.bytes + first * width,
                  nullptr,
                  int(width),
                  n,
                  room,
                  out,
                  nullptr};
  if (level.products()) {
    q.own_square = own.square.data() + i;
    q.own_sum = own.sum.data() + i;
    q.squares = level.square.data() + first;
  }
  kernels_.query(q);
}

float ScreenedQueries::limit_of(size_t l, int64_t i, float threshold, float most, bool half) const {
  const ScreenLevel& level = levels_[l];
  const double own = asked_[l].residual[size_t(i)];
  if (!level.products()) return up(double(threshold) + own + double(most) + kLeastNormal);
  const double reach = level.coding.stretch * double(threshold) * (1 + kSpare) + own + double(most);
  const double steps = reach / level.coding.step;
  return up(steps * steps / (half ? 2 : 1));
}

uint16_t ScreenedQueries::limit(int64_t i, float threshold, int64_t tile) const {
  const float limit = limit_of(0, i, threshold, levels_.front().most[size_t(tile)], true);
  return uint16_t(std::min(limit, 65535.0f));
}

float ScreenedQueries::most_of_second(int64_t first_tile, int64_t last_tile) const {
  float most = 0;
  for (int64_t tile = first_tile; tile <= last_tile; ++tile) {
    most = std::max(most, levels_[1].most[size_t(tile)]);
  }
  return most;
}

SecondPanels ScreenedQueries::second_panels(int64_t first, int64_t queries) const {
  SecondPanels out;
  if (levels_.size() < 2) return out;
  const ScreenRows& own = asked_[1];
  const int64_t width = own.width, panels = (queries + kScreenRows - 1) / kScreenRows;
  out.count = panels * kScreenRows;
  out.bytes.resize(size_t(out.count * width));
  out.square.resize(size_t(out.count));
  for (int64_t q = 0; q < queries; ++q) {
    uint8_t* const to = &out.bytes[size_t(q / kScreenRows * kScreenRows * width)];
    for (int64_t k = 0; k < width; k += kScreenGroup) {
      std::memcpy(to + k * kScreenRows + q % kScreenRows * kScreenGroup,
                  &own.bytes[size_t((first + q) * width + k)], kScreenGroup);
    }
    if (levels_[1].products()) out.square[size_t(q)] = own.square[size_t(first + q)];
  }
  return out;
}

int32_t ScreenedQueries::least(int64_t i, float threshold, int64_t first_tile,
                               int64_t last_tile) const {
  constexpr float kMost = 1 << 24;  // more than any value
  const float most = most_of_second(first_tile, last_tile);
  return -int32_t(std::min(limit_of(1, i, threshold, most, true), kMost));
}

void ScreenedQueries::second_masks(const SecondPanels& panels, const int32_t* least, int64_t first,
                                   int64_t n, uint16_t* masks) const {
  const ScreenLevel& level = levels_[1];
  const int64_t width = level.coding.width;
  const int64_t whole = (n + kScreenRows - 1) / kScreenRows * kScreenRows;
  if (level.guard) level.guard->check(first * width, (first + whole) * width);
  ScreenQueries q{level.bytes + first * width,
                  nullptr,
                  nullptr,
                  int(whole),
                  panels.bytes.data(),
                  panels.square.data(),
                  int(width),
                  panels.count,
                  panels.count / kScreenRows,
                  masks,
                  least};
  if (level.products()) {
    q.own_square = level.square.data() + first;
    q.own_sum = level.sum.data() + first;
  }
  kernels_.query_masks(q);
}

int ScreenedQueries::within_second(int64_t i, float threshold, int64_t first_tile,
                                   int64_t last_tile, float* values, int32_t* rows, int n,
                                   int64_t& step) const {
  if (levels_.size() < 2) {
    step += n;
    return n;
  }
  const ScreenLevel& level = levels_[1];
  const int width = level.coding.width;
  if (level.guard) {
    for (int c = 0; c < n; ++c) {
      level.guard->check(rows[c] * int64_t(width), (rows[c] + 1) * int64_t(width));
    }
  }
  const float most = most_of_second(first_tile, last_tile);
  const float limit = limit_of(1, i, threshold, most, false);
  for (int begin = 0; begin < width; begin += ScreenedDatabase::kStep) {
    const int end = std::min(width, begin + ScreenedDatabase::kStep);
    kernels_.listed_screens(
        {asked_[1].bytes.data() + i * width, level.bytes, width, begin, end, rows, n, values});
    int kept = 0;
    for (int c = 0; c < n; ++c) {
      values[kept] = values[c];
      rows[kept] = rows[c];
      kept += !(values[c] > limit);
    }
    n = kept;
    if (begin == 0) step += n;
  }
  return n;
}

namespace {

constexpr int64_t kLine = 64;

void prefetch(const uint8_t* bytes, int64_t stride, int64_t count, const int32_t* rows, int n) {
  for (int c = 0; c < n; ++c) {
    for (int64_t k = 0; k < count; k += kLine)
      __builtin_prefetch(bytes + rows[c] * stride + k, 0, 2);
  }
}

}  // namespace

void ScreenedQueries::prefetch_second(const int32_t* rows, int n) const {
  if (levels_.size() < 2) return;
  const int64_t width = levels_[1].coding.width;
  prefetch(levels_[1].bytes, width, std::min<int64_t>(width, ScreenedDatabase::kStep), rows, n);
}

void ScreenedQueries::prefetch_codes(const int32_t* rows, int n) const {
  prefetch(database_.side.codes, database_.side.stride, database_.side.stride, rows, n);
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
