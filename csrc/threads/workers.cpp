#include "threads/workers.h"

#include <omp.h>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace lookalike {
namespace {

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

// The only parallel region of this library.
__attribute__((noinline, no_sanitize_thread)) void parallel(int threads,
                                                            const std::function<void(int)>& call) {
  TSAN(__tsan_release((void*)&call));
#pragma omp parallel num_threads(threads)
  {
    TSAN(__tsan_acquire((void*)&call));
    call(1 + omp_get_thread_num());
    TSAN(__tsan_release((void*)&call));
  }
  TSAN(__tsan_acquire((void*)&call));
}

constexpr int kTurns = 20000;  // some ten microseconds
// For so long a thread looks out for the next job: to be woken takes as long as a small job does.
constexpr auto kAwake = std::chrono::microseconds(150);

// As OpenMP's own threads would wait.
const bool may_stay_awake = [] {
  const char* const policy = std::getenv("OMP_WAIT_POLICY");
  return !policy || (policy[0] != 'p' && policy[0] != 'P');
}();

struct Job {
  Job(const std::function<void(int)>& job, int threads) : call(job), others(threads) {}
  const std::function<void(int)>& call;
  const int others;
  bool begun = false;
  std::atomic<bool> over{false};
  std::condition_variable done;
};

// Threads that begin regions, one for each job at a time. Never destroyed: they wait in it until
// the process ends.
class Workers {
 public:
  void open(Job& job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(&job);
      ++open_;
      if (idle_ < int(jobs_.size())) one_more();
    }
    work_.notify_one();
  }

  void close(Job& job) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (job.begun && !job.over) {
      // Others are nearly over: to sleep takes longer.
      lock.unlock();
      for (int turns = 0; turns < kTurns && !job.over.load(std::memory_order_relaxed); ++turns) {
      }
      lock.lock();
    }
    if (!job.begun) {
      jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
      --open_;
    } else {
      job.done.wait(lock, [&] { return job.over.load(); });
    }
  }

 private:
  void one_more() {
    try {
      std::thread([this] { serve(); }).detach();
      ++idle_;
    } catch (const std::exception&) {
      // The system gives no more: those there are, or the calling thread, do the work.
    }
  }

  void look_out() const {
    const auto until = std::chrono::steady_clock::now() + kAwake;
    do {
      for (int turns = 0; turns < 100; ++turns) {
        if (open_.load(std::memory_order_relaxed) > 0) return;
      }
    } while (std::chrono::steady_clock::now() < until);
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      if (may_stay_awake && jobs_.empty()) {
        lock.unlock();
        look_out();
        lock.lock();
      }
      work_.wait(lock, [&] { return !jobs_.empty(); });
      Job& job = *jobs_.front();
      jobs_.pop_front();
      --open_;
      job.begun = true;
      --idle_;
      lock.unlock();
      parallel(job.others, job.call);
      lock.lock();
      ++idle_;
      job.over = true;
      job.done.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job*> jobs_;     // that no thread has begun
  std::atomic<int> open_{0};  // how many they are
  int idle_ = 0;
};

std::atomic<Workers*> current{nullptr};
std::atomic<int> fork_count{0};

// A child leaves its parent's as they are: their lock may be held for ever.
#if defined(__unix__) || defined(__APPLE__)
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] {
  current.store(nullptr);
  ++fork_count;
});
#endif

Workers& workers() {
  Workers* found = current.load();
  if (found) return *found;
  auto* made = new Workers;
  if (current.compare_exchange_strong(found, made)) return *made;
  delete made;
  return *found;
}

}  // namespace

void work_together(int threads, const std::function<void(int)>& job) {
  const int before = forks();
  Workers& others = workers();
  Job shared(job, threads - 1);
  others.open(shared);
  job(0);
  if (forks() != before)
    throw std::runtime_error(
        "this process was forked in the midst of a call, which cannot go on here");
  others.close(shared);
}

int forks() { return fork_count.load(); }

int default_threads() { return std::max(1, omp_get_max_threads()); }

}  // namespace lookalike
