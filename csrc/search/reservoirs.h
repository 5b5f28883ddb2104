// The candidates of every row: those of its pairs that may be among its k nearest.
#pragma once

#include <atomic>
#include <vector>

#include "exact_distances.h"
#include "filters/filters.h"
#include "search/inbox.h"
#include "stats.h"

namespace lookalike {

// What rows have found among others before: for each the distances of the nearest, ascending, infinity
// where there are fewer.
struct Kept {
  const double* distances;  // (rows, width)
  int64_t width;
};

// A reservoir holds up to `capacity` candidates of a row. When it is full, the k-th smallest upper
// bound among them becomes the row's threshold, and whoever's lower bound is beyond it goes. If
// hardly anyone goes (masses of equal rows), all are refined, the k best kept, and the exact k-th
// distance becomes the threshold. Rows are locked one at a time and for no longer than that takes.
class Reservoirs {
 public:
  // With `kept`, rows are not wanted that are farther than what the asking row has kept, and it may
  // find fewer than k.
  Reservoirs(const Comparison& comparison, const Bounds& bounds, int64_t k, ExactDistances& exact,
             int workers, Stats& stats, const Kept* kept);

  // The row's threshold, or an older, larger one.
  float threshold(int64_t row) const {
    return thresholds_[size_t(row)].load(std::memory_order_relaxed);
  }
  // n candidates of the row, whose lists may be overwritten.
  void offer(int worker, int64_t row, float* values, int32_t* indices, int n);
  // The k nearest, once all candidates have been offered; called once a row. Index -1 at distance
  // infinity is where there are fewer. In a self-join what is computed for another row is left in
  // `inbox`, which is null otherwise.
  void finish(int worker, int64_t row, Inbox* inbox, double* distances, int64_t* indices);

 private:
  struct Ranked {
    double distance;
    int32_t index;
    float value;  // of candidates
    bool operator<(const Ranked& b) const {
      return distance < b.distance || (distance == b.distance && index < b.index);
    }
  };
  struct Workspace {
    std::vector<float> uppers, sorted_values;
    std::vector<int32_t> sorted_indices, unknown;
    std::vector<double> distances;
    std::vector<Ranked> ranked;
    // By index, 1 + its place in `sent`; 0 for all others.
    std::vector<int32_t> place;
    std::vector<Ranked> sent;
  };
  // Upper bounds on what the row has kept.
  void kept_uppers(int64_t row, float* out) const;
  static constexpr size_t kMostCounted = 512;  // entries to rank by counting
  class RowLock;

  float* values(int64_t row) { return values_.get() + row * capacity_; }
  int32_t* indices(int64_t row) { return indices_.get() + row * capacity_; }
  int wanted(int64_t row, float* values, int32_t* indices, int n) const;
  void shrink(int worker, int64_t row);
  void tighten(Workspace& w, int64_t row);
  void refine(int worker, int64_t row);
  // Moves the k candidates of the least upper bounds, and any that equal the k-th, to the front, and
  // returns how many they are; all if there are no more than k.
  int nearest_first(Workspace& w, int64_t row);
  // Appends the float64 distances of the row's candidates [begin, end) to w.ranked, computing those
  // that it has not been sent.
  void rank(int worker, int64_t row, int begin, int end, Inbox* inbox);
  // Ranks the k nearest by their bounds, takes the threshold that they give, drops whom it excludes;
  // returns how many of the row's first candidates are ranked.
  int rank_nearest(int worker, int64_t row, Inbox* inbox);
  // Writes the k least of w.ranked in their order.
  void place_nearest(Workspace& w, double* distances, int64_t* indices) const;
  // Brings the k least of w.ranked to its front, and the row's threshold down to the k-th.
  void adopt_kth(Workspace& w, int64_t row);

  const Comparison& comparison_;
  const Bounds& bounds_;
  ExactDistances& exact_;
  Stats& stats_;
  const Kept* kept_;  // null: each row finds k others
  int64_t k_, capacity_;
  Buffer<float> values_;
  Buffer<int32_t> indices_;
  std::vector<int32_t> counts_;
  std::vector<std::atomic<float>> thresholds_;
  std::vector<std::atomic<bool>> locks_;
  // With k neighbours at distance 0, none of a higher index than these can enter.
  std::vector<int32_t> last_index_;
  std::vector<Workspace> workspaces_;
};

}  // namespace lookalike
