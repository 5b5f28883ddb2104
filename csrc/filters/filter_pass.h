// One pass of a filter over the tiles of a search: the pairs that it does not exclude, handed to a sink.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "filters/tile_scan.h"
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
  // Of a self-join: if not 0, rows before this one and rows from it on find only each other.
  int64_t split = 0;

  bool excludes(int64_t row, int64_t other) const {
    return (exclude && exclude[row] == other) || (left_out && left_out[other]) ||
           (split && (row < split) == (other < split));
  }
};

// The worker's tile of candidates and the limits of the tile's rows: one pass of a filter.
class FilterPass {
 public:
  FilterPass(const Comparison& comparison, Stage stage, const CodedDatabase* database,
             const Exclusion& exclusion, Team& team, Stats& stats);
  FilterPass(const Comparison& comparison, std::unique_ptr<Filter> filter,
             const Exclusion& exclusion, Team& team, Stats& stats);
  int64_t tiles() const { return grid_.count(); }
  const Bounds& bounds() const { return filter_->bounds(); }
  // How many candidates the filter would leave for each of the k neighbours, measured on a sample: of the
  // first `among` rows of either side, or of all.
  double candidates_per_neighbor(int64_t k, int64_t among = 0);
  // The share of pairs that it would leave in doubt of being within a threshold, measured likewise.
  double doubtful(float threshold);
  // Calls keep(row, values, indices, n) with those of the tile's pairs that the row's threshold does
  // not exclude, in a self-join for the rows on both of its sides. The two lists may be overwritten.
  template <class Threshold, class Keep>
  void tile(int64_t unit, int worker, Threshold threshold, Keep keep) {
    tile(grid_[unit], worker, threshold, keep);
  }
  template <class Threshold, class Keep>
  void tile(const Tile& t, int worker, Threshold threshold, Keep keep);

 private:
  const Comparison& comparison_;
  std::unique_ptr<Filter> filter_;
  TileGrid grid_;
  Exclusion exclusion_;
  Stats& stats_;
  std::vector<std::unique_ptr<TileScan>> workspaces_;
  // Takes the rows that `row` excludes off the list; returns how many stay.
  int without_excluded(int64_t row, float* values, int32_t* columns, int n) const;
  // Some rows of x with their values at some rows of y, which may be overwritten. Of codes alone.
  void sample(int64_t among,
              const std::function<void(int64_t row, float* values, int32_t* columns, int n)>& look);
};

template <class Threshold, class Keep>
void FilterPass::tile(const Tile& t, int worker, Threshold threshold, Keep keep) {
  auto& scan = workspaces_[size_t(worker)];
  if (!scan) scan = std::make_unique<TileScan>();
  Lap lap;
  float* const values = filter_->values(t, worker);
  lap.to(stats_.filtering);
  const auto keep_others = [&](int64_t row, float* found, int32_t* columns, int n) {
    keep(row, found, columns, without_excluded(row, found, columns, n));
  };
  if (comparison_.self()) {
    scan->both(bounds(), values, t, !exclusion_.include_self, stats_, threshold, keep_others);
  } else {
    (*scan)(bounds(), values, t.i0, t.rows, t.j0, t.cols, false, stats_, threshold, keep_others);
  }
  lap.to(stats_.bookkeeping);
  const int64_t n = t.rows;
  stats_.pairs.fetch_add(t.diagonal ? n * (n - 1) / 2 : n * t.cols, std::memory_order_relaxed);
}

}  // namespace lookalike
