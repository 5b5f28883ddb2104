#include "search/radius_sink.h"

#include <algorithm>

namespace lookalike {

// Of a self-join both rows of a pair have the same threshold: the pair comes once for each, and the
// first does for both.
void RadiusSink::offer(int worker, int64_t row, const int32_t* candidates, int n) {
  Pending& p = pending_[size_t(worker)];
  const int32_t own = row_of(row);
  for (int c = 0; c < n; ++c) {
    const int32_t other = row_of(candidates[c]);
    const bool wanted =
        comparison_.self() ? candidates[c] >= row : !exclusion_.excludes(own, other);
    if (!wanted) continue;
    p.rows.push_back(own);
    p.others.push_back(other);
  }
}

void RadiusSink::finish(int worker) {
  Pending& p = pending_[size_t(worker)];
  if (p.rows.empty()) return;
  Lap lap;
  const size_t n = p.rows.size();
  p.distances.resize(n);
  const auto compute = [&] {
    exact_.pairs(worker, p.block.data(), int(p.block.size()), p.pairs.data(),
                 int64_t(p.pairs.size()), p.distances.data());
    p.block.clear();
    p.pairs.clear();
  };
  for (size_t c = 0; c < n; ++c) {  // a row's come one after another
    if (p.block.empty() || p.block.back() != p.rows[c]) {
      if (int(p.block.size()) == exact_.side()) compute();
      p.block.push_back(p.rows[c]);
    }
    p.pairs.push_back({p.others[c], int32_t(p.block.size() - 1), int32_t(c)});
  }
  compute();
  stats_.refined.fetch_add(int64_t(n), std::memory_order_relaxed);
  int64_t added = 0;
  for (size_t c = 0; c < n; ++c) {
    if (p.distances[c] > radius_) continue;
    const int32_t row = p.rows[c], other = p.others[c];
    if (!comparison_.self() || !exclusion_.excludes(row, other)) {
      found_.add(worker, row, other, p.distances[c]);
      ++added;
    }
    if (comparison_.self() && other != row && !exclusion_.excludes(other, row)) {
      found_.add(worker, other, row, p.distances[c]);
      ++added;
    }
  }
  p.rows.clear();
  p.others.clear();
  lap.to(stats_.refining);
  found_.count(added);
}

}  // namespace lookalike
