#include "team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>

#include "workers.h"

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(50);
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
    : threads_(threads > 0 ? threads : default_threads()), poll_(std::move(poll)) {}

void Team::run(int64_t units, double cost, const std::function<void(int64_t, int)>& body,
               double from, double to) {
  if (units <= 0) return;
  Region region;
  const int threads = cost < kSmallJob ? 1 : int(std::min<int64_t>(threads_, units));
  auto last_poll = Clock::now();
  const auto poll = [&] {
    last_poll = Clock::now();
    const int forks_before = forks();
    const double share = double(region.done.load(std::memory_order_relaxed)) / double(units);
    try {
      if (poll_ && poll_(from + (to - from) * share)) throw Stopped();
    } catch (...) {
      region.fail();
    }
    if (threads > 1 && forks() != forks_before) region.stop.store(true);  // work_together throws
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

  if (threads == 1) {
    work(0);
  } else {
    work_together(threads, work);
  }
  if (region.failure) std::rethrow_exception(region.failure);
}

}  // namespace lookalike
