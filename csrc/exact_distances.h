// The float64 distances: what every filter refines to.
#pragma once

#include <vector>

#include "kernels/kernels.h"
#include "memory.h"
#include "rows/prepare.h"

namespace lookalike {

// A worker's memory for float64 distances.
struct ExactWorkspace {
  Buffer<double> scratch, out;
  std::vector<ExactPair> sorted;
  std::vector<double> weights;
};

// The float64 distances of lists of rows, a few at a time.
class ExactDistances {
 public:
  ExactDistances(const Comparison& comparison, int workers);
  // Rows of x (ni) by rows of y (nj), both at most side(); the result stays until the next call.
  int side() const { return side_; }
  const double* block(int worker, const int32_t* is, int ni, const int32_t* js, int nj);
  // Row i of x against any number of rows of y.
  void row(int worker, int32_t i, const int32_t* js, int64_t n, double* out);
  // Pairs of a block of rows of x, at most side(), with any rows of y: much faster than row by row where
  // several of the block want the same ones. Sorts the pairs by j.
  void pairs(int worker, const int32_t* is, int ni, ExactPair* pairs, int64_t n, double* out);

 private:
  ExactWorkspace& workspace(int worker);
  const Comparison& comparison_;
  int side_;
  std::vector<ExactWorkspace> workspaces_;
};

}  // namespace lookalike
