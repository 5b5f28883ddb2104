// One pass of a filter over the tiles of a search: the pairs that it does not exclude, handed to a sink.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "filters/filters.h"
#include "kernels/dispatch.h"
#include "stats.h"
#include "tiles.h"

namespace lookalike {

// Which rows are not looked for.
struct Exclusion {
  bool include_self;  // of a self-join: a row is a neighbour of itself
  // Of each asking row, one that is none of its neighbours, or -1; may be null.
  const int64_t* exclude = nullptr;
  // Of each row that could be found, whether nobody finds it; may be null.
  const uint8_t* left_out = nullptr;

  bool excludes(int64_t row, int64_t other) const {
    return (exclude && exclude[row] == other) || (left_out && left_out[other]);
  }
};

// The worker's tile of candidates and the limits of the tile's rows: one pass of a filter.
class FilterPass {
 public:
  FilterPass(const Comparison& comparison, Stage stage, const CodedDatabase* database,
             const Exclusion& exclusion, Team& team, Stats& stats);
  int64_t tiles() const { return grid_.count(); }
  const Bounds& bounds() const { return filter_->bounds(); }
  // How many candidates the filter would leave for each of the k neighbours, measured on a sample.
  double candidates_per_neighbor(int64_t k);
  // The share of pairs that it would leave in doubt of being within a threshold, measured likewise.
  double doubtful(float threshold);
  // Calls keep(row, values, indices, n) with those of the tile's pairs that the row's threshold does
  // not exclude, in a self-join for the rows on both of its sides. The two lists may be overwritten.
  template <class Threshold, class Keep>
  void tile(int64_t unit, int worker, Threshold threshold, Keep keep);

 private:
  struct Workspace {
    Buffer<float> transposed, values;
    Buffer<int32_t> columns;
    float slope[kTile], offset[kTile], weight[kTile], slack[kTile];
    int32_t counts[kTile];
  };
  const Comparison& comparison_;
  std::unique_ptr<Filter> filter_;
  TileGrid grid_;
  Exclusion exclusion_;
  Stats& stats_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;
  // Rows [first, first + rows) ask about `cols` rows from `other` on.
  template <class Threshold, class Keep>
  void scan(Workspace&, const float* values, int64_t first, int rows, int64_t other, int cols,
            bool without_self, Threshold threshold, Keep keep);
  Workspace& workspace(int worker);
  // Takes the rows that `row` excludes off the list; returns how many stay.
  int without_excluded(int64_t row, float* values, int32_t* columns, int n) const;
  // Some rows of x with their values at some rows of y, which may be overwritten. Of codes alone.
  void sample(const std::function<void(int64_t row, float* values, int32_t* columns, int n)>& look);
};

template <class Threshold, class Keep>
void FilterPass::tile(int64_t unit, int worker, Threshold threshold, Keep keep) {
  const Tile t = grid_[unit];
  Workspace& w = workspace(worker);
  Lap lap;
  float* const values = filter_->values(t, worker);
  lap.to(stats_.filtering);
  if (comparison_.self()) {
    float* const transposed = w.transposed.get();
    kernels().transpose(values, t.rows, t.cols, transposed, kTile);
    if (!t.diagonal) {
      scan(w, transposed, t.j0, t.cols, t.i0, t.rows, false, threshold, keep);
    } else {  // only its upper half is there
      for (int i = 1; i < t.rows; ++i) std::copy_n(transposed + i * kTile, i, values + i * kTile);
    }
  }
  scan(w, values, t.i0, t.rows, t.j0, t.cols, t.diagonal && !exclusion_.include_self, threshold,
       keep);
  lap.to(stats_.bookkeeping);
  const int64_t n = t.rows;
  stats_.pairs.fetch_add(t.diagonal ? n * (n - 1) / 2 : n * t.cols, std::memory_order_relaxed);
}

template <class Threshold, class Keep>
void FilterPass::scan(Workspace& w, const float* values, int64_t first, int rows, int64_t other,
                      int cols, bool without_self, Threshold threshold, Keep keep) {
  // In a self-join both sides are one, else it is always x that asks.
  const Bounds& b = filter_->bounds();
  const bool weighted = b.weight_y != nullptr;
  for (int i = 0; i < rows; ++i) {
    const float t = threshold(first + i);
    if (weighted) w.slope[i] = b.slope(t, first + i);
    w.offset[i] = b.offset(t, first + i);
  }
  // The kernel reads whole vectors: what lies behind the last row is not ours.
  std::copy_n(b.slack_y + other, cols, w.slack);
  if (weighted) std::copy_n(b.weight_y + other, cols, w.weight);
  ScanArgs args{values,         rows,
                cols,           int32_t(other),
                without_self,   {w.slope, w.offset, weighted ? w.weight : nullptr, w.slack},
                w.values.get(), w.columns.get(),
                w.counts};
  kernels().scan(args);
  float* found = w.values.get();
  int32_t* columns = w.columns.get();
  for (int i = 0; i < rows; ++i) {
    const int n = w.counts[i];
    if (n == 0) continue;
    keep(first + i, found, columns, without_excluded(first + i, found, columns, n));
    found += n;
    columns += n;
  }
  stats_.candidates.fetch_add(found - w.values.get(), std::memory_order_relaxed);
}

}  // namespace lookalike
