// The candidates of every row: those of its pairs that may be among its k nearest.
#pragma once

#include <atomic>
#include <vector>

#include "filters.h"

namespace lookalike {

// Counts of what happened, for tests and benchmarks.
struct Stats {
  std::vector<const char*> stages;     // the filters used
  std::atomic<int64_t> pairs{0};       // pairs a filter looked at
  std::atomic<int64_t> candidates{0};  // of those, let through
  std::atomic<int64_t> refined{0};     // float64 distances computed
  std::atomic<int64_t> overflows{0};   // reservoirs refined before the end
  int64_t unbounded_rows = 0;
  bool row_major = false, fresh_thread = false;
};

// A candidate of some row.
struct Entry {
  float value;
  int32_t index;
};

// A reservoir holds up to `capacity` candidates of a row. When it is full, the k-th smallest upper
// bound among them becomes the row's threshold, and whoever's lower bound is beyond it goes. If
// hardly anyone goes (masses of equal rows), all are refined, the k best kept, and the exact k-th
// distance becomes the threshold. Rows are locked one at a time and for no longer than that takes.
class Reservoirs {
 public:
  Reservoirs(const Comparison& comparison, const Bounds& bounds, int64_t k, ExactDistances& exact,
             int workers, Stats& stats);

  // The row's threshold, or an older, larger one.
  float threshold(int64_t row) const {
    return thresholds_[size_t(row)].load(std::memory_order_relaxed);
  }
  void offer(int worker, int64_t row, const Entry* offered, int64_t n);
  // The k nearest, once all candidates have been offered; called once a row.
  void finish(int worker, int64_t row, double* distances, int64_t* indices);

 private:
  struct Ranked {
    double distance;
    int32_t index;
    float value;
    bool operator<(const Ranked& b) const {
      return distance < b.distance || (distance == b.distance && index < b.index);
    }
  };
  struct Workspace {
    std::vector<float> uppers;
    std::vector<int32_t> indices;
    std::vector<double> distances;
    std::vector<Ranked> ranked;
  };
  class RowLock;

  Entry* entries(int64_t row) { return entries_.get() + row * capacity_; }
  void shrink(int worker, int64_t row);
  void tighten(Workspace& w, int64_t row);
  void refine(int worker, int64_t row);
  // Computes the row's float64 distances; the `keep` nearest, the farthest of them last, are left
  // in the workspace.
  void rank(int worker, int64_t row, int64_t keep);

  const Comparison& comparison_;
  const Bounds& bounds_;
  ExactDistances& exact_;
  Stats& stats_;
  int64_t k_, capacity_;
  Buffer<Entry> entries_;
  std::vector<int32_t> counts_;
  std::vector<std::atomic<float>> thresholds_;
  std::vector<std::atomic<bool>> locks_;
  // With k neighbours at distance 0, none of a higher index than these can enter.
  std::vector<int32_t> last_index_;
  std::vector<Workspace> workspaces_;
};

}  // namespace lookalike
