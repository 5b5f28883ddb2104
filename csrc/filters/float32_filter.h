// The float32 filter: rows rounded to float32 (their residuals are nearly nothing), sums of terms in
// float32. See bounds.h for what it has to satisfy.
//
// Proof of (*) for float32. Let B be the norm of the filter rows, in real arithmetic.
//   |A W − B| <= residual_i + residual_j: the norm is a norm of u − v, so by the triangle
//   inequality, which a metric states, it changes by no more than the norms of the rows' own changes
//   (`measure` computes them and adds what underflow may cost; where the inequality is not stated, a
//   row that changed is never excluded). |value − B| <=
//   relative * value: every term is >= 0 and carries at most `roundings` relative errors of u =
//   2^-24 and the error of its quick form; a run of n terms is added in float32 with at most n
//   roundings on each term (Higham, Accuracy and Stability, §4.2: sums of non-negative terms have
//   relative error at most γ_n = n u / (1 − n u)); runs are added in float64, whose roundings
//   (2^-53 a run) and the final one to float32 are covered by `kSpare`. A root halves the relative
//   error. A maximum is not rounded. Terms that underflow are in the residuals.
//
// For a weighted metric with values of both signs, weights do not add up. The value is then the
// quotient of two float32 sums, each with its own error, the residuals must be zero (or the pair is
// not excluded), and W is 1.
//
// The product form. Its value is square_i + square_j − 2 f_i·f_j, f being the filter rows and square_i
// nearly |f_i|², with
//
//     error_i = (γ + kSpare) square_i + 2 √square_i residual_i + residual_i²
//
// because the float32 dot product is off by at most γ Σ|f_ik f_jk| <= γ |f_i| |f_j| <=
// γ (|f_i|² + |f_j|²) / 2 (products that underflow: by residual², which is at least 2^-148 d), and
// square_i by what the second and third term say, as |f_i| is within residual_i of the row's norm.
// The error is absolute: where distances are small against the rows themselves too many pairs stay,
// and the difference form takes over.
#pragma once

#include "filters/filters.h"
#include "tiles.h"

namespace lookalike {

class Float32Filter final : public Filter {
 public:
  Float32Filter(const Comparison& comparison, bool products, int workers);
  static RowNeeds needs(const Traits& traits);
  const char* name() const override { return bounds_.product() ? "float32 products" : "float32"; }
  float* values(const Tile& tile, int worker) override;
  bool row_major() const override { return row_major_; }

 private:
  const Comparison& comparison_;
  bool quotient_, row_major_;
  std::vector<float> residual_x_, residual_y_;  // of a quotient: 0 or infinity
  std::vector<float> error_x_, error_y_, slack_y_;
  std::vector<SumsWorkspace> workspaces_;
  std::vector<Buffer<float>> values_;
};

// So few rows of x that packing the rows of y would cost more than the comparison.
bool few_queries(const Comparison& comparison);

// The relative error of sums of `run` terms added in float32.
double relative_error(const Traits& traits, int run, bool quick, bool quotient);

}  // namespace lookalike
