// Pairs within a radius: gathered in any order by any number of workers, assembled row by row.
#pragma once

#include <atomic>
#include <vector>

#include "memory.h"
#include "search/neighbors.h"

namespace lookalike {

// While the result is made, what it is made of goes: both together are hardly more than the result.
// So pairs lie in buckets, of some rows each, in pages that go back to the system one bucket after
// another.
class FoundPairs {
 public:
  FoundPairs(int64_t rows, int workers, int64_t most);
  // Called by one thread of each worker.
  void add(int worker, int64_t row, int32_t index, double distance) {
    Chunks& chunks = buckets_[size_t(row / rows_in_bucket_) * size_t(workers_) + size_t(worker)];
    if (chunks.room == 0) chunks.grow();
    *chunks.next++ = {int32_t(row), index, distance};
    --chunks.room;
  }
  // Called after some have been added. Throws TooManyPairs if they are more than `most` by now.
  void count(int64_t more) {
    if (count_.fetch_add(more, std::memory_order_relaxed) > most_ - more) throw TooManyPairs();
  }
  // All pairs, of each row by distance, then by index. Nothing is left.
  Within assemble(Team& team, double from, double to);

 private:
  struct Found {
    int32_t row, index;
    double distance;
  };
  struct Chunks {
    static constexpr int64_t kFound = 1 << 16;
    std::vector<Pages> pages;
    Found* next = nullptr;
    int64_t room = 0;
    void grow();
    template <class Visit>
    void each(Visit visit) const;
  };
  // The bucket's pairs, whichever worker found them.
  template <class Visit>
  void each_in(int64_t bucket, Visit visit) const;
  void place(int64_t bucket, Within& out);

  int64_t rows_, rows_in_bucket_, most_;
  std::atomic<int64_t> count_{0};
  int workers_;
  std::vector<Chunks> buckets_;  // by bucket, then by worker
};

}  // namespace lookalike
