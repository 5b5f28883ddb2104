#include "workers.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>

// Not OpenMP's threads: a runtime of it hangs in the child of a process that has used it, whoever
// did, waits for threads that had no part in the work, and each package brings another copy.

namespace lookalike {
namespace {

struct Job {
  const std::function<void(int)>& call;
  int next, end;    // the workers that may still join, by number
  int running = 0;  // of those who joined
  std::condition_variable done;
};

// Never destroyed: its threads wait in it until the process ends.
class Workers {
 public:
  void open(Job& job) {
    const int wanted = job.end - job.next;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(&job);
      places_ += wanted;
      while (threads_ - busy_ < places_ && one_more()) {
      }
    }
    for (int i = 0; i < wanted; ++i) work_.notify_one();
  }

  void close(Job& job) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (job.next < job.end) {
      places_ -= job.end - job.next;
      jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
    }
    job.done.wait(lock, [&] { return job.running == 0; });
  }

 private:
  bool one_more() {
    try {
      std::thread([this] { serve(); }).detach();
    } catch (const std::exception&) {
      return false;  // the system gives no more: those there are do the work
    }
    ++threads_;
    return true;
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      work_.wait(lock, [&] { return !jobs_.empty(); });
      Job& job = *jobs_.front();
      const int worker = job.next++;
      if (job.next == job.end) jobs_.pop_front();
      --places_;
      ++busy_;
      ++job.running;
      lock.unlock();
      job.call(worker);
      lock.lock();
      --busy_;
      if (--job.running == 0) job.done.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job*> jobs_;  // those with places left
  int threads_ = 0, busy_ = 0, places_ = 0;
};

std::atomic<Workers*> current{nullptr};
std::atomic<int> forked{0};

// A child leaves its parent's as they are: their lock may be held for ever.
#if defined(__unix__) || defined(__APPLE__)
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] {
  current.store(nullptr);
  forked.fetch_add(1);
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

// 0 if the variable is not set to a number of threads, of which a list has one for each level.
const int asked_for = [] {
  const char* text = std::getenv("OMP_NUM_THREADS");
  if (!text) return 0;
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  while (std::isspace(static_cast<unsigned char>(*end))) ++end;
  return (*end == 0 || *end == ',') && number > 0 ? int(std::min(number, 65536L)) : 0;
}();

}  // namespace

void work_together(int threads, const std::function<void(int)>& job) {
  Workers& others = workers();
  Job shared{job, 1, threads, 0, {}};
  others.open(shared);
  job(0);
  if (current.load() != &others)
    throw std::runtime_error(
        "this process was forked in the midst of a call, which cannot go on here");
  others.close(shared);
}

int forks() { return forked.load(); }

int default_threads() {
  if (asked_for > 0) return asked_for;
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
#endif
  return std::max(1, int(std::thread::hardware_concurrency()));
}

}  // namespace lookalike
