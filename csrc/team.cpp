#include "team.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr double kSmallJob = 1e6;  // operations; some 100 µs, what a region and its threads cost

std::atomic<bool> forked{false};
#if defined(__unix__) || defined(__APPLE__)
const bool registered = [] {
  pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
  return true;
}();
#endif

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

// libgomp is not built for ThreadSanitizer, which therefore does not see that a region begins after
// what came before it and ends before what follows: it is told, and looks away from the region's own
// hand-over of its arguments.
#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
#define TSAN(call) call
#else
#define TSAN(call)
#endif

__attribute__((noinline, no_sanitize_thread)) void parallel(int threads,
                                                            const std::function<void(int)>& job) {
  TSAN(__tsan_release((void*)&job));
#pragma omp parallel num_threads(threads)
  {
    TSAN(__tsan_acquire((void*)&job));
    job(omp_get_thread_num());
    TSAN(__tsan_release((void*)&job));
  }
  TSAN(__tsan_acquire((void*)&job));
}

}  // namespace

DefaultFloats::DefaultFloats() {
  std::fegetenv(&saved_);
  std::fesetenv(FE_DFL_ENV);
}

DefaultFloats::~DefaultFloats() { std::fesetenv(&saved_); }

bool Team::in_forked_child() { return forked.load(std::memory_order_relaxed); }

Team::Team(int threads, Poll poll)
    : threads_(threads > 0 ? threads : omp_get_max_threads()), poll_(std::move(poll)) {}

void Team::run(int64_t units, double cost, const std::function<void(int64_t, int)>& body,
               double from, double to) {
  if (units <= 0) return;
  Region region;
  auto last_poll = Clock::now();
  const auto poll = [&] {
    last_poll = Clock::now();
    const double share = double(region.done.load(std::memory_order_relaxed)) / double(units);
    try {
      if (poll_ && poll_(from + (to - from) * share)) throw Stopped();
    } catch (...) {
      region.fail();
    }
  };
  const auto work = [&](int worker, bool polls) {
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
      if (polls && Clock::now() - last_poll > kPollInterval) poll();
    }
  };
  const int threads = int(std::min<int64_t>(threads_, units));
  const auto run_region = [&](bool master_polls) {
    parallel(threads, [&](int worker) { work(worker, master_polls && worker == 0); });
  };

  if (threads == 1 || cost < kSmallJob) {
    work(0, true);
  } else if (!in_forked_child()) {
    run_region(true);
  } else {
    std::mutex mutex;
    std::condition_variable finished;
    bool over = false;
    std::thread fresh([&] {
      run_region(false);
      const std::lock_guard<std::mutex> lock(mutex);
      over = true;
      finished.notify_one();
    });
    std::unique_lock<std::mutex> lock(mutex);
    while (!finished.wait_for(lock, kPollInterval, [&] { return over; })) poll();
    lock.unlock();
    fresh.join();
  }
  if (region.failure) std::rethrow_exception(region.failure);
}

}  // namespace lookalike
