#include "threads/team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>

#include "threads/workers.h"

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr int kMostThreads =
    64;  // or as many as there are cores: libgomp ends the process if the system has no more
constexpr double kSmallJob = 1e6;  // operations; some 100 µs, what waking others costs

struct Region {
  std::atomic<int64_t> next{0}, done{0};
  std::atomic<bool> stop{false};
  std::exception_ptr failure;
  std::mutex failure_mutex;

  void fail() {
    const std::lock_guard<std::mutex> lock(failure_mutex);
    if (!failure) failure = std::current_exception();
    stop.store(true, std::memory_order_relaxed);
  }
};

}  // namespace

DefaultFloats::DefaultFloats() {
  std::fegetenv(&saved_);
  std::fesetenv(FE_DFL_ENV);
}

DefaultFloats::~DefaultFloats() { std::fesetenv(&saved_); }

Team::Team(int threads, Poll poll)
    : threads_(threads > 0 ? std::min(threads, std::max(kMostThreads, default_threads()))
                           : default_threads()),
      poll_(std::move(poll)) {}

void Team::run(int64_t units, double cost, const std::function<void(int64_t, int)>& body,
               double from, double to) {
  if (units <= 0) return;
  Region region;
  auto last_poll = Clock::now();
  const int threads = int(std::min<int64_t>(threads_, units));
  const bool together = threads > 1 && cost >= kSmallJob;
  const int forks_before = forks();
  const auto poll = [&] {
    last_poll = Clock::now();
    const double share = double(region.done.load(std::memory_order_relaxed)) / double(units);
    try {
      if (poll_ && poll_(from + (to - from) * share)) throw Stopped();
      if (together && forks() != forks_before) throw Stopped();  // work_together says why
    } catch (...) {
      region.fail();
    }
  };
  const auto work = [&](int worker) {
    const DefaultFloats floats;
    while (!region.stop.load(std::memory_order_relaxed)) {
      const int64_t unit = region.next.fetch_add(1, std::memory_order_relaxed);
      if (unit >= units) break;
      try {
        body(unit, worker);
      } catch (...) {
        region.fail();
      }
      region.done.fetch_add(1, std::memory_order_relaxed);
      if (worker == 0 && Clock::now() - last_poll > kPollInterval) poll();
    }
  };
  if (together)
    work_together(threads, work);
  else
    work(0);
  if (region.failure) std::rethrow_exception(region.failure);
}

}  // namespace lookalike
