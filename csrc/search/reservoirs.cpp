#include "search/reservoirs.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <thread>

#include "kernels/dispatch.h"

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

namespace {

// Entries of eight bytes a row: of the memory that a search may take, 16 (k + 32) bytes a row, of which
// 64 are for what is kept of a row elsewhere; one byte a feature, as a filter's copy of the rows may
// take two and takes one at the most; and half of what each thread may have.
int64_t capacity(const Comparison& comparison, int64_t k, int workers) {
  const int64_t rows = std::max<int64_t>(1, comparison.x().rows.matrix.rows);
  const int64_t shared = (int64_t(16) << 20) * workers / (8 * rows);
  return std::min(
      {2 * k + 56 + comparison.cols() / 8 + shared, 5 * k + 64, comparison.y().rows.matrix.rows});
}

}  // namespace

Reservoirs::Reservoirs(const Comparison& comparison, const Bounds& bounds, int64_t k,
                       ExactDistances& exact, int workers, Stats& stats, const Kept* kept)
    : comparison_(comparison),
      bounds_(bounds),
      exact_(exact),
      stats_(stats),
      kept_(kept),
      k_(k),
      capacity_(capacity(comparison, k, workers)),
      values_(size_t(comparison.x().rows.matrix.rows) * size_t(capacity_)),
      indices_(size_t(comparison.x().rows.matrix.rows) * size_t(capacity_)),
      counts_(size_t(comparison.x().rows.matrix.rows)),
      thresholds_(counts_.size()),
      locks_(counts_.size()),
      last_index_(counts_.size(), std::numeric_limits<int32_t>::max()),
      workspaces_(size_t(workers)) {
  for (size_t row = 0; row < thresholds_.size(); ++row) {
    const float t =
        kept ? bounds_.threshold(comparison, kept->distances[int64_t(row + 1) * kept->width - 1])
             : std::numeric_limits<float>::infinity();
    thresholds_[row].store(t, std::memory_order_relaxed);
  }
}

// Those of the candidates that the row's threshold, and its last index, still let through.
int Reservoirs::wanted(int64_t row, float* values, int32_t* indices, int n) const {
  n = kernels().within(bounds_.limit(threshold(row), row), values, indices, n);
  const int32_t last = last_index_[size_t(row)];
  if (last == std::numeric_limits<int32_t>::max()) return n;
  int kept = 0;
  for (int c = 0; c < n; ++c) {
    values[kept] = values[c];
    indices[kept] = indices[c];
    kept += indices[c] <= last;
  }
  return kept;
}

void Reservoirs::offer(int worker, int64_t row, float* values, int32_t* indices, int n) {
  const RowLock lock(locks_[size_t(row)]);
  int32_t& count = counts_[size_t(row)];
  if (last_index_[size_t(row)] != std::numeric_limits<int32_t>::max()) {
    n = wanted(row, values, indices, n);
  }
  while (n > 0) {
    if (count == capacity_) {
      shrink(worker, row);
      n = wanted(row, values, indices, n);
    }
    const int some = int(std::min<int64_t>(n, capacity_ - count));
    std::copy_n(values, some, this->values(row) + count);
    std::copy_n(indices, some, this->indices(row) + count);
    count += some;
    values += some;
    indices += some;
    n -= some;
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
  const int64_t kept = kept_ ? kept_->width : 0;
  if (count + kept < k_) return;
  w.uppers.resize(size_t(capacity_ + kept) + 16);
  kernels().uppers(bounds_.of(row), values(row), indices(row), count, w.uppers.data());
  if (kept_) kept_uppers(row, w.uppers.data() + count);
  const float kth = kernels().kth_smallest(w.uppers.data(), count + kept, kept_ ? kept : k_);
  const float t = std::min(threshold(row), kth);
  thresholds_[size_t(row)].store(t, std::memory_order_relaxed);
  count = kernels().within(bounds_.limit(t, row), values(row), indices(row), count);
}

void Reservoirs::kept_uppers(int64_t row, float* out) const {
  for (int64_t c = 0; c < kept_->width; ++c) {
    out[c] = bounds_.threshold(comparison_, kept_->distances[row * kept_->width + c]);
  }
}

int Reservoirs::nearest_first(Workspace& w, int64_t row) {
  const int n = counts_[size_t(row)];
  if (n <= k_) return n;
  float* const v = values(row);
  int32_t* const j = indices(row);
  w.uppers.resize(size_t(capacity_) + 16);
  kernels().uppers(bounds_.of(row), v, j, n, w.uppers.data());
  const float kth = kernels().kth_smallest(w.uppers.data(), n, k_);
  int near = 0;
  for (int c = 0; c < n; ++c) {
    const bool is_near = w.uppers[size_t(c)] <= kth;
    if (!is_near) continue;
    std::swap(v[near], v[c]);
    std::swap(j[near], j[c]);
    ++near;
  }
  return near;
}

void Reservoirs::rank(int worker, int64_t row, int begin, int end, Inbox* inbox) {
  Workspace& w = workspaces_[size_t(worker)];
  const int32_t* const j = indices(row);
  w.unknown.clear();
  for (int c = begin; c < end; ++c) {
    const int32_t place = w.sent.empty() ? 0 : w.place[size_t(j[c])];
    if (place > 0) {
      w.ranked.push_back(w.sent[size_t(place - 1)]);
    } else {
      w.unknown.push_back(c);
    }
  }
  const size_t n = w.unknown.size();
  w.sorted_indices.resize(n);
  w.distances.resize(n);
  for (size_t u = 0; u < n; ++u) w.sorted_indices[u] = j[w.unknown[u]];
  exact_.row(worker, int32_t(row), w.sorted_indices.data(), int64_t(n), w.distances.data());
  stats_.refined.fetch_add(int64_t(n), std::memory_order_relaxed);
  for (size_t u = 0; u < n; ++u) {
    const int32_t other = w.sorted_indices[u];
    const float value = values(row)[w.unknown[u]];
    w.ranked.push_back({w.distances[u], other, value});
    if (inbox && other > row &&
        bounds_.threshold(comparison_, w.distances[u]) <= threshold(other)) {
      inbox->send(other, row, w.distances[u]);
    }
  }
}

void Reservoirs::adopt_kth(Workspace& w, int64_t row) {
  const auto kth = w.ranked.begin() + (k_ - 1);
  std::nth_element(w.ranked.begin(), kth, w.ranked.end());
  const float t = std::min(threshold(row), bounds_.threshold(comparison_, kth->distance));
  thresholds_[size_t(row)].store(t, std::memory_order_relaxed);
}

int Reservoirs::rank_nearest(int worker, int64_t row, Inbox* inbox) {
  Workspace& w = workspaces_[size_t(worker)];
  int32_t& count = counts_[size_t(row)];
  const int near = nearest_first(w, row);
  w.ranked.clear();
  rank(worker, row, 0, near, inbox);
  if (near < count) {
    adopt_kth(w, row);
    count = near + wanted(row, values(row) + near, indices(row) + near, count - near);
  }
  return near;
}

void Reservoirs::refine(int worker, int64_t row) {
  Workspace& w = workspaces_[size_t(worker)];
  int32_t& count = counts_[size_t(row)];
  w.sent.clear();
  const int near = rank_nearest(worker, row, nullptr);
  if (count <= capacity_ - capacity_ / 4) return;
  rank(worker, row, near, count, nullptr);
  adopt_kth(w, row);
  const Ranked& farthest = w.ranked[size_t(k_ - 1)];
  if (farthest.distance == 0) last_index_[size_t(row)] = farthest.index;
  for (int64_t c = 0; c < k_; ++c) {
    values(row)[c] = w.ranked[size_t(c)].value;
    indices(row)[c] = w.ranked[size_t(c)].index;
  }
  count = int32_t(k_);
}

void Reservoirs::finish(int worker, int64_t row, Inbox* inbox, double* distances,
                        int64_t* indices) {
  Workspace& w = workspaces_[size_t(worker)];
  int32_t& count = counts_[size_t(row)];
  // Never true of a proven bound; if it were, what follows would write beyond its lists.
  if (count < (kept_ ? 0 : k_)) throw std::logic_error("a filter excluded a neighbour");
  tighten(w, row);
  if (count < (kept_ ? 0 : k_)) throw std::logic_error("a filter excluded a neighbour");
  w.sent.clear();
  if (inbox) {
    w.place.resize(counts_.size());
    inbox->close(row, [&](int64_t index, double distance) {
      w.sent.push_back({distance, int32_t(index), 0});
      w.place[size_t(index)] = int32_t(w.sent.size());
    });
  }
  const int near = rank_nearest(worker, row, inbox);
  rank(worker, row, near, count, inbox);
  for (const Ranked& r : w.sent) w.place[size_t(r.index)] = 0;
  place_nearest(w, distances, indices);
}

void Reservoirs::place_nearest(Workspace& w, double* distances, int64_t* indices) const {
  const size_t n = w.ranked.size();
  if (int64_t(n) < k_) {
    std::sort(w.ranked.begin(), w.ranked.end());
    w.ranked.resize(size_t(k_), {std::numeric_limits<double>::infinity(), -1, 0});
  } else if (n <= kMostCounted) {
    double values[kMostCounted];
    int32_t ranks[kMostCounted];
    for (size_t c = 0; c < n; ++c) values[c] = w.ranked[c].distance;
    kernels().ranks(values, int(n), ranks);
    std::fill(indices, indices + k_, -1);
    int64_t placed = 0;
    for (size_t c = 0; c < n; ++c) {
      if (ranks[c] >= k_ || indices[ranks[c]] >= 0) continue;
      distances[ranks[c]] = values[c];
      indices[ranks[c]] = w.ranked[c].index;
      ++placed;
    }
    // Equal distances have one rank and leave another empty, unless the tie is at the k-th.
    const auto of_kth = [&](const Ranked& r) { return r.distance == distances[k_ - 1]; };
    if (placed == k_ && std::count_if(w.ranked.begin(), w.ranked.end(), of_kth) == 1) return;
  }
  // Too many, or equal distances, which go by their index.
  const auto end = w.ranked.begin() + k_;
  if (int64_t(n) >= k_) {
    std::nth_element(w.ranked.begin(), end - 1, w.ranked.end());
    std::sort(w.ranked.begin(), end);
  }
  for (int64_t c = 0; c < k_; ++c) {
    distances[c] = w.ranked[size_t(c)].distance;
    indices[c] = w.ranked[size_t(c)].index;
  }
}

}  // namespace lookalike
