// Threads that work together on one job, and are kept for the next.
#pragma once

#include <functional>

namespace lookalike {

// Calls job(0) in the calling thread and, in up to threads - 1 others, job(1), job(2), …, and
// returns when all that were called have returned. Who comes when job(0) is over is not waited for:
// each call must take from what is left to do until nothing is. It must not throw.
//
// A forked child has none of its parent's threads and makes its own. If it was forked by a thread
// amid a job, what the others had taken is lost: that is a std::runtime_error, in the child.
void work_together(int threads, const std::function<void(int worker)>& job);

// How many threads to use if nobody says: OMP_NUM_THREADS as it was when the library was loaded,
// else the CPUs that this process may use.
int default_threads();

}  // namespace lookalike
