// Threads that work together on one job, and are kept for the next.
#pragma once

#include <functional>

namespace lookalike {

// Calls job(0) in the calling thread and, in up to threads - 1 others, job(1), job(2), …, and
// returns when all that were called have returned. Who comes when job(0) is over is not waited for:
// each call must take from what is left to do until nothing is. It must not throw.
//
// A forked child has none of its parent's threads and makes its own. If job(0) forks, what the others
// had taken is lost to the child, and locks that they held are held for ever: the child's job(0) must
// return at once, and it gets a std::runtime_error.
void work_together(int threads, const std::function<void(int worker)>& job);

// How many forks lie between this process and the one that loaded the library.
int forks();

// How many threads to use if nobody says: OMP_NUM_THREADS as it was when the library was loaded,
// else the CPUs that this process may use.
int default_threads();

}  // namespace lookalike
