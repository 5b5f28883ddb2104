// Filters: cheap arithmetic that excludes pairs, with the proof that it may. docs/exactness.md explains
// the proofs at length.
//
// Let A be the exact norm of a pair (see Combine): what the float64 distance is computed from. A
// filter works on *filter rows*, near the rows themselves, and gives a float32 `value` with
//
//     |value − A W| <= relative * value + residual_i + residual_j                              (*)
//
// or, where it sees rows that are clipped, value − A W <= the same, to which clipping adds nothing, as it
// brings no two rows farther apart, and A W − value <= relative * value + with_clipped_i + with_clipped_j, to which it
// adds. W is 1, or for a weighted metric whose weights add up, weight_i + weight_j. Norms and
// residuals are in the filter's own `unit`. Each filter proves (*), or its product form below, where
// it is defined: float32_filter.h, code_filter.h, float64_filter.h. The float64 distance itself differs from the norm's
// real value by less than 2^-40 relatively (eight partial sums of at most 1,024 terms, blocks added
// in order), unless it overflows: `kSpare` covers the first, `Bounds::largest` leaves out the second.
//
// Exclusion. If T is an upper bound on the distance (as a norm) of a row's k-th neighbour, a pair
// with value (1 − relative) − residual_i − residual_j > T W is farther than k others, so it is none
// of the k. As one comparison: value > slope_i weight_j + offset_i + slack_j. All terms are >= 0,
// so the float32 roundings of the right side are at most 3 u relatively, and `kSpare` covers them.
//
// The product form, for norms that are roots of squares. Its value is near the squared norm B² of the
// filter rows' difference, |value − B²| <= error_i + error_j, and |A − B| <= residual_i + residual_j.
// A pair is excluded if value − error_i − error_j > (T + residual_i + residual_j)², which is again
// affine in what belongs to j: slope_i = 2 (T + residual_i), weight_j = residual_j,
// offset_i = (T + residual_i)² + error_i, slack_j = residual_j² + error_j.
//
// Below float32's normal range roundings are absolute, 2^-150 each. Thresholds, slopes, offsets and
// slacks are 0 or normal (`up`), an upper bound is never below 2^-126 (`uppers`), and 2^-126 is added to
// every offset and every upper bound before it is divided by a weight: what a value, a product and two
// sums may have lost.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "rows/prepare.h"
#include "rows/rounding.h"

namespace lookalike {

// With more features the float64 distance, blocks added in order, is no longer within 2^-40.
inline constexpr int64_t kMostFilterCols = int64_t(1) << 24;

// Distances of norms beyond this may overflow.
inline double largest_norm(const Traits& traits) { return traits.power == 1 ? 0x1p1022 : 0x1p510; }

struct Bounds {
  double relative;  // of the difference form
  double unit;      // of norms, residuals and weights: the filter's norm of a distance's norm of 1
  double largest;   // norms beyond this say nothing: float32 or the float64 distance may overflow
  const float *residual_x, *residual_y;
  const float *with_clipped_x, *with_clipped_y;  // >= residuals: with what is clipped
  const float *weight_x, *weight_y;  // null unless weights add up; of the product form: residuals
  const float *error_x, *error_y;    // of the product form, else null
  const float* slack_y;              // the limits' part that belongs to j

  bool product() const { return error_x != nullptr; }

  // The limit below which row i of x lets rows of y through, T being its threshold.
  float slope(float threshold, int64_t i) const {
    if (product()) return up(2 * (double(threshold) + residual_x[i]));
    return up(threshold / (1 - relative));
  }
  float offset(float threshold, int64_t i) const {
    if (product()) {
      const double reach = double(threshold) + residual_x[i];
      return up(reach * reach + error_x[i] + kLeastNormal);
    }
    const double own = weight_x ? double(threshold) * weight_x[i] : threshold;
    return up((own + residual_x[i]) / (1 - relative) + kLeastNormal);
  }
  // slack_y of `rows` rows.
  std::vector<float> slacks(int64_t rows) const {
    std::vector<float> out(static_cast<size_t>(rows));
    for (int64_t j = 0; j < rows; ++j) {
      const double residual = residual_y[j];
      out[size_t(j)] =
          product() ? up(residual * residual + error_y[j]) : up(residual / (1 - relative));
    }
    return out;
  }
  // For the candidates of row i.
  CandidateLimit limit(float threshold, int64_t i) const {
    return {slope(threshold, i), offset(threshold, i), weight_y, slack_y};
  }
  CandidateBounds of(int64_t i) const {
    return {with_clipped_y,
            error_y,
            weight_y,
            with_clipped_x[i],
            product() ? error_x[i] : 0,
            weight_x ? weight_x[i] : 0,
            up(relative),
            float(largest)};
  }
  // An upper bound on the norm of a pair of this exact distance.
  float threshold(const Comparison& c, double distance) const {
    const double norm = c.norm_of(distance) * unit;
    return norm < largest ? std::max(up(norm), kLeastNormal)
                          : std::numeric_limits<float>::infinity();
  }
};

}  // namespace lookalike
