#include "reservoirs.h"

#include <algorithm>
#include <numeric>
#include <thread>

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

void Reservoirs::offer(int worker, int64_t row, float value, int32_t index) {
  const RowLock lock(locks_[size_t(row)]);
  int32_t& count = counts_[size_t(row)];
  if (index > last_index_[size_t(row)]) return;
  if (count == capacity_) {
    shrink(worker, row);
    if (index > last_index_[size_t(row)]) return;
  }
  if (bounds_.excluded(value, threshold(row), row, index)) return;
  entries(row)[count++] = {value, index};
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
  std::nth_element(w.uppers.begin(), w.uppers.begin() + (k_ - 1), w.uppers.end());
  const float t = std::min(threshold(row), w.uppers[size_t(k_ - 1)]);
  thresholds_[size_t(row)].store(t, std::memory_order_relaxed);
  count = int32_t(std::remove_if(e, e + count,
                                 [&](const Entry& entry) {
                                   return bounds_.excluded(entry.value, t, row, entry.index);
                                 }) -
                  e);
}

void Reservoirs::rank(int worker, int64_t row, int64_t keep) {
  Workspace& w = workspaces_[size_t(worker)];
  const auto n = size_t(counts_[size_t(row)]);
  const Entry* const e = entries(row);
  w.indices.resize(n);
  w.distances.resize(n);
  w.order.resize(n);
  for (size_t c = 0; c < n; ++c) w.indices[c] = e[c].index;
  exact_.row(worker, int32_t(row), w.indices.data(), int64_t(n), w.distances.data());
  stats_.refined.fetch_add(int64_t(n), std::memory_order_relaxed);
  std::iota(w.order.begin(), w.order.end(), 0);
  std::partial_sort(w.order.begin(), w.order.begin() + keep, w.order.end(),
                    [&](int32_t a, int32_t b) {
                      const double da = w.distances[size_t(a)], db = w.distances[size_t(b)];
                      return da < db ||
                             (da == db && w.indices[size_t(a)] < w.indices[size_t(b)]);
                    });
}

void Reservoirs::refine(int worker, int64_t row) {
  rank(worker, row, k_);
  Workspace& w = workspaces_[size_t(worker)];
  Entry* const e = entries(row);
  int32_t* const kept = w.order.data();
  const double farthest = w.distances[size_t(kept[k_ - 1])];
  if (farthest == 0) last_index_[size_t(row)] = w.indices[size_t(kept[k_ - 1])];
  const float t = Bounds::threshold(comparison_, farthest);
  thresholds_[size_t(row)].store(std::min(threshold(row), t), std::memory_order_relaxed);
  std::sort(kept, kept + k_);  // so that entries move towards the front
  for (int64_t c = 0; c < k_; ++c) e[c] = e[kept[c]];
  counts_[size_t(row)] = int32_t(k_);
}

void Reservoirs::finish(int worker, int64_t row, double* distances, int64_t* indices) {
  Workspace& w = workspaces_[size_t(worker)];
  tighten(w, row);
  rank(worker, row, k_);
  for (int64_t c = 0; c < k_; ++c) {
    const auto p = size_t(w.order[size_t(c)]);
    distances[c] = w.distances[p];
    indices[c] = w.indices[p];
  }
}

}  // namespace lookalike
