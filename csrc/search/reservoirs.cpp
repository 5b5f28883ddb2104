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

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Entries of eight bytes a row: of the memory that a search may take, 16 (k + 32) bytes a row, of which
// 64 are for what is kept of a row elsewhere; one byte a feature, as a filter's copy of the rows may
// take two and takes one at the most; and half of what each thread may have.
int64_t capacity(const Comparison& comparison, int64_t k, int workers, int64_t enough) {
  const int64_t rows = std::max<int64_t>(1, comparison.x().rows.matrix.rows);
  const int64_t shared = (int64_t(16) << 20) * workers / (8 * rows);
  const int64_t most = 2 * k + 56 + comparison.cols() / 8 + shared;
  return std::min({most, enough > 0 ? enough : 5 * k + 64, comparison.y().rows.matrix.rows});
}

}  // namespace

Reservoirs::Reservoirs(const Comparison& comparison, const Bounds& bounds, int64_t k,
                       ExactDistances& exact, const std::vector<int32_t>& order, int workers,
                       Stats& stats, const Kept* kept, Results results, Pace pace)
    : comparison_(comparison),
      bounds_(bounds),
      exact_(exact),
      stats_(stats),
      kept_(kept),
      order_(order),
      results_(results),
      k_(k),
      capacity_(capacity(comparison, k, workers, pace.capacity)),
      tightened_after_(pace.tightened_after),
      values_(size_t(comparison.x().rows.matrix.rows) * size_t(capacity_)),
      indices_(size_t(comparison.x().rows.matrix.rows) * size_t(capacity_)),
      counts_(size_t(comparison.x().rows.matrix.rows)),
      fresh_(counts_.size()),
      settled_(counts_.size()),
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
    kept += row_of(indices[c]) <= last;
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
    fresh_[size_t(row)] += some;
    values += some;
    indices += some;
    n -= some;
  }
  if (settled_[size_t(row)]) return;
  // The first threshold as early as it says something: until then a row lets every pair through. Where
  // a lower one is of use at once, as soon as so many may be new.
  const bool first = threshold(row) == std::numeric_limits<float>::infinity();
  if (first ? count >= k_ + k_ / 2 : fresh_[size_t(row)] >= tightened_after_ && count >= k_) {
    tighten(workspaces_[size_t(worker)], row);
  }
}

void Reservoirs::shrink(int worker, int64_t row) {
  tighten(workspaces_[size_t(worker)], row);
  if (counts_[size_t(row)] > capacity_ - std::max<int64_t>(8, capacity_ / 16)) {
    stats_.overflows.fetch_add(1, std::memory_order_relaxed);
    rank(worker, row, 1, true);
  }
}

void Reservoirs::tighten(Workspace& w, int64_t row) {
  int32_t& count = counts_[size_t(row)];
  const int64_t kept = kept_ ? kept_->width : 0;
  if (count + kept < k_ || settled_[size_t(row)]) return;
  fresh_[size_t(row)] = 0;
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

template <class Begin, class End>
void Reservoirs::measure(int worker, int64_t first, int n, Begin begin, End end) {
  Workspace& w = workspaces_[size_t(worker)];
  int32_t rows[kBlock];
  w.pairs.clear();
  for (int r = 0; r < n; ++r) {
    rows[r] = row_of(first + r);
    const int32_t* const others = indices(first + r);
    for (int c = begin(r); c < end(r); ++c) {
      w.pairs.push_back({row_of(others[c]), r, int32_t(r * capacity_ + c)});
    }
  }
  exact_.pairs(worker, rows, n, w.pairs.data(), int64_t(w.pairs.size()), w.exact.data());
  stats_.refined.fetch_add(int64_t(w.pairs.size()), std::memory_order_relaxed);
}

// The threshold that the k-th distance of a row gives.
void Reservoirs::lower(int64_t row, double distance) {
  const float t = std::min(threshold(row), bounds_.threshold(comparison_, distance));
  thresholds_[size_t(row)].store(t, std::memory_order_relaxed);
}

void Reservoirs::rank(int worker, int64_t first, int n, bool if_full) {
  Workspace& w = workspaces_[size_t(worker)];
  w.exact.resize(size_t(std::max<int64_t>(n * capacity_, int64_t(w.exact.size()))));
  for (int r = 0; r < n; ++r) w.near[r] = nearest_first(w, first + r);
  const auto near = [&](int r) { return w.near[r]; };
  const auto count = [&](int r) -> int32_t& { return counts_[size_t(first + r)]; };
  measure(worker, first, n, [](int) { return 0; }, near);
  // Their largest is a far better threshold than any bound, and most of the others go.
  for (int r = 0; r < n; ++r) {
    if (near(r) == count(r)) continue;
    const double* const exact = &w.exact[size_t(r * capacity_)];
    w.distances.assign(exact, exact + near(r));
    std::nth_element(w.distances.begin(), w.distances.begin() + (k_ - 1), w.distances.end());
    const int64_t row = first + r;
    lower(row, w.distances[size_t(k_ - 1)]);
    count(r) =
        near(r) + wanted(row, values(row) + near(r), indices(row) + near(r), count(r) - near(r));
  }
  // That may be room enough.
  if (if_full && count(0) <= capacity_ - capacity_ / 4) return;
  measure(worker, first, n, near, count);
  for (int r = 0; r < n; ++r) {
    const int64_t row = first + r;
    if (count(r) == 0 && settled_[size_t(row)]) continue;
    const double* const exact = &w.exact[size_t(r * capacity_)];
    w.distances.assign(exact, exact + count(r));
    w.found.resize(size_t(count(r)));
    for (int c = 0; c < count(r); ++c) w.found[size_t(c)] = row_of(indices(row)[c]);
    place_nearest(w, row);
    count(r) = 0;
  }
}

void Reservoirs::finish(Team& team, double cost, double from, double to) {
  const auto rows = int64_t(counts_.size());
  // So many that all threads have some, and that a block's candidates take some megabytes at most.
  const int64_t most = std::min<int64_t>(
      {kBlock, exact_.side(), (int64_t(1) << 18) / std::max<int64_t>(1, capacity_)});
  const int64_t block =
      std::clamp<int64_t>(rows / (8 * team.threads()), 1, std::max<int64_t>(1, most));
  team.run((rows + block - 1) / block, cost,
           [&](int64_t unit, int worker) {
             Lap lap;
             finish(worker, unit * block, int(std::min(block, rows - unit * block)));
             lap.to(stats_.refining);
           },
           from, to);
}

void Reservoirs::finish(int worker, int64_t first, int n) {
  for (int64_t row = first; row < first + n; ++row) {
    // Never true of a proven bound; if it were, results would be missing.
    const auto enough = [&] {
      return kept_ || settled_[size_t(row)] || counts_[size_t(row)] >= k_;
    };
    const bool before = enough();
    tighten(workspaces_[size_t(worker)], row);
    if (!before || !enough()) throw std::logic_error("a filter excluded a neighbour");
  }
  rank(worker, first, n);
}

void Reservoirs::place_nearest(Workspace& w, int64_t row) {
  double* const distances = results_.distances + row_of(row) * k_;
  int64_t* const indices = results_.indices + row_of(row) * k_;
  if (settled_[size_t(row)]) {
    w.distances.insert(w.distances.end(), distances, distances + k_);
    w.found.insert(w.found.end(), indices, indices + k_);
  }
  const size_t n = w.distances.size();
  bool placed = false;
  if (int64_t(n) >= k_ && n <= kMostCounted) {
    w.ranks.resize(n);
    kernels().ranks(w.distances.data(), int(n), w.ranks.data());
    std::fill(indices, indices + k_, -1);
    int64_t in_place = 0;
    for (size_t c = 0; c < n; ++c) {
      const int32_t rank = w.ranks[c];
      if (rank >= k_ || indices[rank] >= 0) continue;
      distances[rank] = w.distances[c];
      indices[rank] = w.found[c];
      ++in_place;
    }
    // Equal distances have one rank and leave another empty, unless the tie is at the k-th.
    placed = in_place == k_ &&
             std::count(w.distances.begin(), w.distances.end(), distances[k_ - 1]) == 1;
  }
  if (!placed) {  // too few, too many, or equal distances, which go by their index
    w.ranked.resize(n);
    for (size_t c = 0; c < n; ++c) w.ranked[c] = {w.distances[c], w.found[c]};
    const size_t some = std::min(n, size_t(k_));
    if (n > some) std::nth_element(w.ranked.begin(), w.ranked.begin() + k_ - 1, w.ranked.end());
    std::sort(w.ranked.begin(), w.ranked.begin() + std::ptrdiff_t(some));
    w.ranked.resize(size_t(k_), {kInfinity, -1});
    for (int64_t c = 0; c < k_; ++c) {
      distances[c] = w.ranked[size_t(c)].distance;
      indices[c] = w.ranked[size_t(c)].index;
    }
  }
  if (int64_t(n) < k_) return;
  settled_[size_t(row)] = 1;
  lower(row, distances[k_ - 1]);
  if (distances[k_ - 1] == 0) last_index_[size_t(row)] = int32_t(indices[k_ - 1]);
}

}  // namespace lookalike
