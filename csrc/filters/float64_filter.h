// No filter at all: the float64 distances themselves, for metrics that state nothing of float32.
//
// Proof of (*), with A as `norm_of` the float64 distance, residuals of 0 and W = 1. The value is A
// rounded to float32: by at most u relatively, or, where A is below the normal range, by 2^-150, for
// which the residual of every row is 2^-126. A beyond float32 becomes infinite, and `largest` is less.
// The metric states no norm: `norm_of` may be any function that keeps the order, as identity does.
#pragma once

#include "exact_distances.h"
#include "filters/filters.h"

namespace lookalike {

class Float64Filter final : public Filter {
 public:
  Float64Filter(const Comparison& comparison, int workers);
  const char* name() const override { return "float64"; }
  float* values(const Tile& tile, int worker) override;

 private:
  const Comparison& comparison_;
  ExactDistances exact_;
  std::vector<float> residual_, slack_y_;
  std::vector<Buffer<float>> values_;
};

}  // namespace lookalike
