#include "threads/team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "threads/workers.h"

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr int kMostThreads =
    64;  // or as many as there are cores: libgomp ends the process if the system has no more
constexpr double kSmallJob = 1e6;  // operations; some 100 µs, what waking others costs

// How far the threads are with a phase, each in a cache line of its own.
struct alignas(64) Progress {
  std::atomic<int64_t> next{0}, done{0};
};

struct Region {
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
  run({{units, body, to}}, cost, from);
}

void Team::run(const std::vector<Phase>& phases, double cost, double from) {
  int64_t most = 0;
  for (const Phase& phase : phases) most = std::max(most, phase.units);
  if (most == 0) return;
  Region region;
  std::vector<Progress> progress(phases.size());
  auto last_poll = Clock::now();
  const int threads = int(std::min<int64_t>(threads_, most));
  const bool together = threads > 1 && cost >= kSmallJob;
  const int forks_before = forks();
  const auto poll = [&](size_t p) {
    last_poll = Clock::now();
    const double begin = p > 0 ? phases[p - 1].until : from;
    const double share = double(progress[p].done.load(std::memory_order_relaxed)) /
                         double(std::max<int64_t>(1, phases[p].units));
    try {
      if (poll_ && poll_(begin + (phases[p].until - begin) * share)) throw Stopped();
      if (together && forks() != forks_before) throw Stopped();  // work_together says why
    } catch (...) {
      region.fail();
    }
  };
  const auto stopped = [&](size_t p, int worker) {
    if (worker == 0 && Clock::now() - last_poll > kPollInterval) poll(p);
    return region.stop.load(std::memory_order_relaxed);
  };
  const auto work = [&](int worker) {
    const DefaultFloats floats;
    for (size_t p = 0; p < phases.size(); ++p) {
      while (!region.stop.load(std::memory_order_relaxed)) {
        const int64_t unit = progress[p].next.fetch_add(1, std::memory_order_relaxed);
        if (unit >= phases[p].units) break;
        try {
          phases[p].body(unit, worker);
        } catch (...) {
          region.fail();
        }
        progress[p].done.fetch_add(1, std::memory_order_release);
        if (stopped(p, worker)) return;
      }
      if (p + 1 == phases.size()) return;
      // Whoever has taken a unit is at it.
      for (int turns = 0; progress[p].done.load(std::memory_order_acquire) < phases[p].units;) {
        if (stopped(p, worker)) return;
        if (++turns > 1000) std::this_thread::yield();
      }
    }
  };
  if (together)
    work_together(threads, work);
  else
    work(0);
  if (region.failure) std::rethrow_exception(region.failure);
}

}  // namespace lookalike
