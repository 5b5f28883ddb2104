// What a search did and where its time went: for tests and benchmarks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lookalike {

struct Stats {
  std::vector<std::string> stages;     // the filters used
  std::atomic<int64_t> pairs{0};       // pairs a filter looked at
  std::atomic<int64_t> screened{0};    // of those, excluded by a screen
  std::atomic<int64_t> candidates{0};  // of those, let through
  std::atomic<int64_t> refined{0};     // float64 distances computed
  std::atomic<int64_t> overflows{0};   // reservoirs refined before the end
  double candidates_per_neighbor = 0;  // on a sample; 0 where none was taken
  int64_t unbounded_rows = 0;
  bool row_major = false;
  // Nanoseconds of all threads together.
  std::atomic<int64_t> preparing{0}, screening{0}, filtering{0}, bookkeeping{0}, refining{0};
};

// Adds the time since it was made, or since the last call, to a counter.
class Lap {
 public:
  void to(std::atomic<int64_t>& nanoseconds) {
    const Clock::time_point now = Clock::now();
    nanoseconds.fetch_add(std::chrono::nanoseconds(now - last_).count(), std::memory_order_relaxed);
    last_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

}  // namespace lookalike
