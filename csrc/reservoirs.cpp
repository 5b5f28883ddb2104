#include "reservoirs.h"

#include <algorithm>
#include <limits>
#include <thread>

#include "dispatch.h"

namespace lookalike {

class Reservoirs::RowLock {
 public:
  explicit RowLock(std::atomic<bool>& flag) : flag_(flag) {
    while (flag_.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  }
  ~RowLock() { flag_.store(false, std::memory_order_release); }
  RowLock(const RowLock&) = delete;
  RowLock& operator=(const RowLock&) = delete;

 private:
  std::atomic<bool>& flag_;
};

Reservoirs::Reservoirs(const Comparison& comparison, const Bounds& bounds, int64_t k,
                       ExactDistances& exact, int workers, Stats& stats)
    : comparison_(comparison),
      bounds_(bounds),
      exact_(exact),
      stats_(stats),
      k_(k),
      // 16 (k + 32) bytes a row in all, of which 64 are for what is kept of a row elsewhere.
      capacity_(std::min<int64_t>(2 * k + 56, comparison.y().rows.matrix.rows)),
      entries_(size_t(comparison.x().rows.matrix.rows) * size_t(capacity_)),
      counts_(size_t(comparison.x().rows.matrix.rows)),
      thresholds_(counts_.size()),
      locks_(counts_.size()),
      last_index_(counts_.size(), std::numeric_limits<int32_t>::max()),
      workspaces_(size_t(workers)) {
  for (auto& t : thresholds_) {
    t.store(std::numeric_limits<float>::infinity(), std::memory_order_relaxed);
  }
}

void Reservoirs::offer(int worker, int64_t row, const Entry* offered, int64_t n) {
  const RowLock lock(locks_[size_t(row)]);
  int32_t& count = counts_[size_t(row)];
  auto limit = bounds_.limit(threshold(row), row);
  for (const Entry* o = offered; o != offered + n; ++o) {
    if (count == capacity_) {
      shrink(worker, row);
      limit = bounds_.limit(threshold(row), row);
    }
    if (o->index <= last_index_[size_t(row)] && !limit.excludes(o->value, o->index)) {
      entries(row)[count++] = *o;
    }
  }
  // The first threshold as early as it says something: until then a row lets every pair through.
  if (count >= k_ + k_ / 2 && threshold(row) == std::numeric_limits<float>::infinity()) {
    tighten(workspaces_[size_t(worker)], row);
  }
}

void Reservoirs::shrink(int worker, int64_t row) {
  tighten(workspaces_[size_t(worker)], row);
  if (counts_[size_t(row)] > capacity_ - std::max<int64_t>(8, capacity_ / 16)) {
    stats_.overflows.fetch_add(1, std::memory_order_relaxed);
    refine(worker, row);
  }
}

void Reservoirs::tighten(Workspace& w, int64_t row) {
  int32_t& count = counts_[size_t(row)];
  Entry* const e = entries(row);
  if (count < k_) return;
  w.uppers.resize(size_t(count));
  for (int32_t c = 0; c < count; ++c) {
    w.uppers[size_t(c)] = bounds_.upper(e[c].value, row, e[c].index);
  }
  const float t = std::min(threshold(row), kernels().kth_smallest(w.uppers.data(), count, k_));
  thresholds_[size_t(row)].store(t, std::memory_order_relaxed);
  const auto limit = bounds_.limit(t, row);
  const auto excluded = [&](const Entry& c) { return limit.excludes(c.value, c.index); };
  count = int32_t(std::remove_if(e, e + count, excluded) - e);
}

void Reservoirs::rank(int worker, int64_t row, int64_t keep) {
  Workspace& w = workspaces_[size_t(worker)];
  const auto n = size_t(counts_[size_t(row)]);
  const Entry* const e = entries(row);
  w.indices.resize(n);
  w.distances.resize(n);
  w.ranked.resize(n);
  for (size_t c = 0; c < n; ++c) w.indices[c] = e[c].index;
  exact_.row(worker, int32_t(row), w.indices.data(), int64_t(n), w.distances.data());
  stats_.refined.fetch_add(int64_t(n), std::memory_order_relaxed);
  for (size_t c = 0; c < n; ++c) w.ranked[c] = {w.distances[c], w.indices[c], e[c].value};
  std::nth_element(w.ranked.begin(), w.ranked.begin() + (keep - 1), w.ranked.end());
  w.ranked.resize(size_t(keep));
}

void Reservoirs::refine(int worker, int64_t row) {
  rank(worker, row, k_);
  const std::vector<Ranked>& ranked = workspaces_[size_t(worker)].ranked;
  const Ranked& farthest = ranked.back();
  if (farthest.distance == 0) last_index_[size_t(row)] = farthest.index;
  const float t = bounds_.threshold(comparison_, farthest.distance);
  thresholds_[size_t(row)].store(std::min(threshold(row), t), std::memory_order_relaxed);
  std::transform(ranked.begin(), ranked.end(), entries(row),
                 [](const Ranked& r) { return Entry{r.value, r.index}; });
  counts_[size_t(row)] = int32_t(k_);
}

void Reservoirs::finish(int worker, int64_t row, double* distances, int64_t* indices) {
  Workspace& w = workspaces_[size_t(worker)];
  tighten(w, row);
  rank(worker, row, k_);
  std::sort(w.ranked.begin(), w.ranked.end());
  for (int64_t c = 0; c < k_; ++c) {
    distances[c] = w.ranked[size_t(c)].distance;
    indices[c] = w.ranked[size_t(c)].index;
  }
}

}  // namespace lookalike
