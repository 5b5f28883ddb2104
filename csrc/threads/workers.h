// Threads that work together on one job, and are kept for the next.
#pragma once

#include <functional>

namespace lookalike {

// Calls job(0) in the calling thread and, in up to threads - 1 others, job(1), job(2), …, and
// returns when all that were called have returned. Who has not come when job(0) is over is not
// waited for: each call must take from what is left to do until nothing is. It must not throw.
//
// The others are an OpenMP region, begun by a thread of ours and never by the caller's: a runtime
// keeps a pool of threads for each thread that has begun a region, and the child of a process waits
// for ever for its pool's, which are not there. A forked child has none of our threads, and makes
// its own. If it was forked by a thread amid a job, what the others had taken is lost: that is a
// std::runtime_error, in the child.
void work_together(int threads, const std::function<void(int worker)>& job);

// How many forks this process has behind it since the library was loaded, in an ancestor perhaps. A
// thread that finds itself forked amid a job must not go on with it: others held locks.
int forks();

// How many threads to use if nobody says: as many as OpenMP would.
int default_threads();

}  // namespace lookalike
