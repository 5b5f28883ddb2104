// Filters: cheap arithmetic that excludes pairs, with the proof that it may.
//
// Let A be the exact norm of a pair (see Combine): what the float64 distance is computed from. A
// filter works on *filter rows*, near the rows themselves, and gives a float32 `value` with
//
//     |value − A W| <= relative * value + residual_i + residual_j                              (*)
//
// where W is 1, or for a weighted metric whose weights add up, weight_i + weight_j.
//
// Proof of (*) for float32. Let B be the norm of the filter rows, in real arithmetic.
//   |A W − B| <= residual_i + residual_j: the norm is a norm of u − v, so by the triangle
//   inequality it changes by no more than the norms of the rows' own changes (for Change::ratio see
//   `measure`, which computes the residuals and adds what underflow may cost). |value − B| <=
//   relative * value: every term is >= 0 and carries at most `roundings` relative errors of u =
//   2^-24 and the error of its quick form; a run of n terms is added in float32 with at most n
//   roundings on each term (Higham, Accuracy and Stability, §4.2: sums of non-negative terms have
//   relative error at most γ_n = n u / (1 − n u)); runs are added in float64, whose roundings
//   (2^-53 a run) and the final one to float32 are covered by `kSpare`. A root halves the relative
//   error. A maximum is not rounded. Terms that underflow are in the residuals.
// The float64 distance itself differs from the norm's real value by less than 2^-40 relatively
// (eight partial sums of at most 1,024 terms, blocks added in order), unless it overflows: `kSpare`
// covers the first, `Bounds::largest` leaves out the second.
//
// For a weighted metric with values of both signs, weights do not add up. The value is then the
// quotient of two float32 sums, each with its own error, the residuals must be zero (or the pair is
// not excluded), and W is 1.
//
// Exclusion. If T is an upper bound on the distance (as a norm) of a row's k-th neighbour, a pair
// with value (1 − relative) − residual_i − residual_j > T W is farther than k others, so it is none
// of the k. As one comparison: value > slope_i weight_j + offset_i + slack_j. All terms are >= 0,
// so the float32 roundings of the right side are at most 3 u relatively, and `kSpare` covers them.
//
// The product form, for norms that are roots of squares. Its value is square_i + square_j − 2
// f_i·f_j, f being the filter rows and square_i nearly |f_i|², and it satisfies
//
//     |value − B²| <= error_i + error_j,
//     error_i = (γ + kSpare) square_i + 2 √square_i residual_i + residual_i²
//
// because the float32 dot product is off by at most γ Σ|f_ik f_jk| <= γ |f_i| |f_j| <=
// γ (|f_i|² + |f_j|²) / 2 (products that underflow: by residual², which is at least 2^-148 d), and
// square_i by what the second and third term say, as |f_i| is within residual_i of the row's norm.
// A pair is excluded if value − error_i − error_j > (T + residual_i + residual_j)², which is again
// affine in what belongs to j: slope_i = 2 (T + residual_i), weight_j = residual_j,
// offset_i = (T + residual_i)² + error_i, slack_j = residual_j² + error_j. The error is absolute:
// where distances are small against the rows themselves too many pairs stay, and the difference
// form takes over.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "tiles.h"

namespace lookalike {

inline constexpr double kUnit = 0x1p-24;   // float32's unit roundoff
inline constexpr double kSpare = 0x1p-20;  // what small relative errors add up to, at the most

inline float up(double x) { return float(x * (1 + kSpare)); }

struct Bounds {
  double relative;  // of the difference form
  double largest;   // norms beyond this say nothing: float32 or the float64 distance may overflow
  const float *residual_x, *residual_y;
  const float *weight_x, *weight_y;  // null unless weights add up; of the product form: residuals
  const float *error_x, *error_y;    // of the product form, else null
  const float* slack_y;              // see below

  bool product() const { return error_x != nullptr; }

  // The limit below which row i of x lets rows of y through, T being its threshold.
  float slope(float threshold, int64_t i) const {
    if (product()) return up(2 * (double(threshold) + residual_x[i]));
    return up(threshold / (1 - relative));
  }
  float offset(float threshold, int64_t i) const {
    if (product()) {
      const double reach = double(threshold) + residual_x[i];
      return up(reach * reach + error_x[i]);
    }
    const double own = weight_x ? double(threshold) * weight_x[i] : threshold;
    return up((own + residual_x[i]) / (1 - relative));
  }
  static float slack(double relative, double residual, const float* error) {
    return error ? up(residual * residual + *error) : up(residual / (1 - relative));
  }
  // The limit of one row, for one candidate after another.
  struct RowLimit {
    float slope, offset;
    const float *weight, *slack;
    bool excludes(float value, int64_t j) const {
      float limit = offset + slack[j];
      if (weight) limit += slope * weight[j];
      return value > limit;
    }
  };
  RowLimit limit(float threshold, int64_t i) const {
    return {slope(threshold, i), offset(threshold, i), weight_y, slack_y};
  }
  // An upper bound on the pair's norm.
  float upper(float value, int64_t i, int64_t j) const {
    double norm;
    if (product()) {
      const double square = double(value) + error_x[i] + error_y[j];
      norm = std::sqrt(std::max(square, 0.0)) + residual_x[i] + residual_y[j];
    } else {
      norm = value * (1 + relative) + residual_x[i] + residual_y[j];
      if (weight_x) {
        const double weight = (double(weight_x[i]) + weight_y[j]) * (1 - kSpare);
        norm = weight > 0 ? norm / weight : 0;
      }
    }
    return norm < largest ? up(norm) : std::numeric_limits<float>::infinity();
  }
  // An upper bound on the norm of a pair of this exact distance.
  float threshold(const Comparison& c, double distance) const {
    const double scale = c.traits().degree == 1 ? c.filter_scale() : 1;
    const double norm = c.kernels().norm_of(distance) * scale;
    return norm < largest ? std::max(up(norm), 0x1p-126f) : std::numeric_limits<float>::infinity();
  }
};

enum class Form { product, difference };

// The forms a comparison can use, the fastest first.
std::vector<Form> forms(const Comparison& comparison);

// The float32 filter, for tiles of pairs.
class Float32Filter {
 public:
  Float32Filter(const Comparison& comparison, Form form, int workers);
  const char* name() const { return bounds_.product() ? "float32 products" : "float32"; }
  const Bounds& bounds() const { return bounds_; }
  bool row_major() const { return row_major_; }
  // value of pair (i, j) of the tile at [i * kTile + j]
  const float* values(const Tile& tile, int worker);

 private:
  const Comparison& comparison_;
  bool quotient_, row_major_;
  std::vector<float> residual_x_, residual_y_;  // of a quotient: 0 or infinity
  std::vector<float> error_x_, error_y_, slack_y_;
  Bounds bounds_;
  std::vector<SumsWorkspace> workspaces_;
  std::vector<Buffer<float>> values_;
};

// The relative error of sums of `run` terms added in float32.
double relative_error(const Traits& traits, int run, bool quick, bool quotient);

}  // namespace lookalike
