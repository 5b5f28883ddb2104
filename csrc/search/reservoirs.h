// The candidates of every row: those of its pairs that may be among its k nearest.
#pragma once

#include <atomic>
#include <vector>

#include "exact_distances.h"
#include "filters/filters.h"
#include "stats.h"

namespace lookalike {

// What rows have found among others before: for each the distances of the nearest, ascending, infinity
// where there are fewer.
struct Kept {
  const double* distances;  // (rows, width)
  int64_t width;
};

// Where the k nearest of each row go: (rows, k).
struct Results {
  double* distances;
  int64_t* indices;
};

// A row's threshold is lowered when so many candidates have come since the last time, and when its
// reservoir is full, whose capacity is 5k + 64 unless it is said.
struct Pace {
  int64_t tightened_after = int64_t(1) << 40;
  int64_t capacity = 0;
};

// A reservoir holds up to `capacity` candidates of a row. When it is full, the k-th smallest upper
// bound among them becomes the row's threshold, and whoever's lower bound is beyond it goes. If
// hardly anyone goes (masses of equal rows), the row is settled: the distances of all are computed, the
// k best are its results so far, and the k-th is its threshold. Rows are locked one at a time and for
// no longer than that takes.
class Reservoirs {
 public:
  // In a self-join rows may be numbered in an order of their own, in which case `order` has the row of
  // the comparison that each is; distances, ties and results are those of the comparison's rows. With
  // `kept`, rows are not wanted that are farther than what the asking row has kept, and it may find
  // fewer than k.
  Reservoirs(const Comparison& comparison, const Bounds& bounds, int64_t k, ExactDistances& exact,
             const std::vector<int32_t>& order, int workers, Stats& stats, const Kept* kept,
             Results results, Pace pace = {});

  // The row's threshold, or an older, larger one.
  float threshold(int64_t row) const {
    return thresholds_[size_t(row)].load(std::memory_order_relaxed);
  }
  // n candidates of the row, whose lists may be overwritten.
  void offer(int worker, int64_t row, float* values, int32_t* indices, int n);
  // The k nearest of all rows, once all candidates have been offered. Index -1 at distance infinity is
  // where there are fewer. `cost`, `from` and `to` are those of the team's run.
  void finish(Team& team, double cost, double from, double to);

 private:
  static constexpr int kBlock = 64;  // rows that are ranked together
  struct Ranked {
    double distance;
    int32_t index;  // of the comparison's row
    bool operator<(const Ranked& b) const {
      return distance < b.distance || (distance == b.distance && index < b.index);
    }
  };
  struct Workspace {
    std::vector<float> uppers;
    std::vector<ExactPair> pairs;
    // Of a block's rows: how many candidates come first, and the distances of all, capacity_ a row.
    int near[kBlock];
    std::vector<double> exact;
    // All that one row has found.
    std::vector<double> distances;
    std::vector<int32_t> found, ranks;
    std::vector<Ranked> ranked;
  };
  static constexpr size_t kMostCounted = 512;  // entries to rank by counting
  class RowLock;

  // The comparison's row.
  int32_t row_of(int64_t row) const { return order_.empty() ? int32_t(row) : order_[size_t(row)]; }
  float* values(int64_t row) { return values_.get() + row * capacity_; }
  int32_t* indices(int64_t row) { return indices_.get() + row * capacity_; }
  int wanted(int64_t row, float* values, int32_t* indices, int n) const;
  void shrink(int worker, int64_t row);
  void tighten(Workspace& w, int64_t row);
  void lower(int64_t row, double distance);
  // Upper bounds on what the row has kept.
  void kept_uppers(int64_t row, float* out) const;
  // Moves the k candidates of the least upper bounds, and any that equal the k-th, to the front, and
  // returns how many they are; all if there are no more than k.
  int nearest_first(Workspace& w, int64_t row);
  // The distances of each of the block's rows to its candidates [begin(r), end(r)).
  template <class Begin, class End>
  void measure(int worker, int64_t first, int n, Begin begin, End end);
  void finish(int worker, int64_t first, int n);
  // The k nearest of these rows so far; of one that is full, unless a lower threshold makes room.
  void rank(int worker, int64_t first, int n, bool if_full = false);
  // Writes the k least of what the row has found to its results, in their order.
  void place_nearest(Workspace& w, int64_t row);

  const Comparison& comparison_;
  const Bounds& bounds_;
  ExactDistances& exact_;
  Stats& stats_;
  const Kept* kept_;  // null: each row finds k others
  const std::vector<int32_t>& order_;
  const Results results_;
  int64_t k_, capacity_, tightened_after_;
  Buffer<float> values_;
  Buffer<int32_t> indices_;
  std::vector<int32_t> counts_, fresh_;  // entries; of those, how many since it was tightened
  std::vector<uint8_t> settled_;
  std::vector<std::atomic<float>> thresholds_;
  std::vector<std::atomic<bool>> locks_;
  // With k neighbours at distance 0, none of a higher index than these can enter.
  std::vector<int32_t> last_index_;
  std::vector<Workspace> workspaces_;
};

}  // namespace lookalike
