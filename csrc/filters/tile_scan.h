// The values of a tile's pairs held against the limits of its rows: whoever is within one is handed on.
#pragma once

#include <algorithm>

#include "filters/filters.h"
#include "kernels/dispatch.h"
#include "memory.h"
#include "stats.h"

namespace lookalike {

// A worker's memory for it.
class TileScan {
 public:
  TileScan() : values_(kSquare + 16), columns_(kSquare + 16) {}
  // Rows [first, first + rows) ask about `cols` rows from `other` on; the values are kTile columns a
  // row. Calls keep(row, values, indices, n); the two lists may be overwritten.
  template <class Threshold, class Keep>
  void operator()(const Bounds& b, const float* values, int64_t first, int rows, int64_t other,
                  int cols, bool without_self, Stats& stats, Threshold threshold, Keep keep);
  // For all rows on both sides of a self-join's tile; of a diagonal tile only its upper half is there.
  template <class Threshold, class Keep>
  void both(const Bounds& b, float* values, const Tile& t, bool without_self, Stats& stats,
            Threshold threshold, Keep keep) {
    if (!transposed_.get()) transposed_ = Buffer<float>(kSquare);
    float* const transposed = transposed_.get();
    kernels().transpose(values, t.rows, t.cols, transposed, kTile);
    if (!t.diagonal) {
      (*this)(b, transposed, t.j0, t.cols, t.i0, t.rows, false, stats, threshold, keep);
    } else {
      for (int i = 1; i < t.rows; ++i) std::copy_n(transposed + i * kTile, i, values + i * kTile);
    }
    (*this)(b, values, t.i0, t.rows, t.j0, t.cols, t.diagonal&& without_self, stats, threshold,
            keep);
  }

 private:
  static constexpr size_t kSquare = size_t(kTile) * kTile;
  Buffer<float> transposed_, values_;
  Buffer<int32_t> columns_;
  float slope_[kTile], offset_[kTile], weight_[kTile], slack_[kTile];
  int32_t counts_[kTile];
};

template <class Threshold, class Keep>
void TileScan::operator()(const Bounds& b, const float* values, int64_t first, int rows,
                          int64_t other, int cols, bool without_self, Stats& stats,
                          Threshold threshold, Keep keep) {
  // In a self-join both sides are one, else it is always x that asks.
  const bool weighted = b.weight_y != nullptr;
  for (int i = 0; i < rows; ++i) {
    const float t = threshold(first + i);
    if (weighted) slope_[i] = b.slope(t, first + i);
    offset_[i] = b.offset(t, first + i);
  }
  // The kernel reads whole vectors: what lies behind the last row is not ours.
  std::copy_n(b.slack_y + other, cols, slack_);
  if (weighted) std::copy_n(b.weight_y + other, cols, weight_);
  ScanArgs args{
      values,         rows,           cols,
      int32_t(other), without_self,   {slope_, offset_, weighted ? weight_ : nullptr, slack_},
      values_.get(),  columns_.get(), counts_};
  kernels().scan(args);
  float* found = values_.get();
  int32_t* columns = columns_.get();
  for (int i = 0; i < rows; ++i) {
    const int n = counts_[i];
    if (n == 0) continue;
    keep(first + i, found, columns, n);
    found += n;
    columns += n;
  }
  stats.candidates.fetch_add(found - values_.get(), std::memory_order_relaxed);
}

}  // namespace lookalike
