// Running many small units of work on all cores, so that the caller can be interrupted.
#pragma once

#include <cfenv>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

namespace lookalike {

// Thrown in the calling thread when its poll asked to stop.
struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};

// What is done with each of some units, and how far a call is when all are done.
struct Phase {
  int64_t units;
  std::function<void(int64_t unit, int worker)> body;
  double until;
};

// Called in the calling thread about every 50 ms with the fraction done; true means stop.
using Poll = std::function<bool(double fraction)>;

// The default floating-point environment: a caller's flush-to-zero or rounding mode changes no bit.
class DefaultFloats {
 public:
  DefaultFloats();
  ~DefaultFloats();
  DefaultFloats(const DefaultFloats&) = delete;
  DefaultFloats& operator=(const DefaultFloats&) = delete;

 private:
  std::fenv_t saved_;
};

// Made in the calling thread, it lives as long as the call, all of which so has default floats.
class Team {
 public:
  // threads <= 0: default_threads().
  Team(int threads, Poll poll);

  int threads() const { return threads_; }

  // Calls body(unit, worker) for every unit in [0, units), in about ascending order; worker <
  // threads(). Rethrows the first exception of a body. The call's progress moves from `from` to
  // `to`. Small jobs, by their cost in arithmetic operations, run in the calling thread alone.
  void run(int64_t units, double cost, const std::function<void(int64_t, int)>& body,
           double from = 0, double to = 1);
  // The same for one phase after the other, each beginning when the one before is over. Threads are
  // called once, and wait awake for each other: for phases of microseconds.
  void run(const std::vector<Phase>& phases, double cost, double from);

 private:
  const DefaultFloats floats_;
  int threads_;
  Poll poll_;
};

}  // namespace lookalike
