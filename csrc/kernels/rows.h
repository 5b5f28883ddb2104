// Plain data that crosses between the drivers and the kernels of one ISA: a caller's matrix, and
// one side of a comparison (the matrix with what is known of each row).
#pragma once

#include <cstdint>

#include "metrics/metrics.h"

namespace lookalike {

enum class DType : int { f16, f32, f64, i8, u8, i16, u16, i32, u32, i64, u64, boolean };

// Are all values of the type exact in float32?
constexpr bool fits_float32(DType t) {
  return t == DType::f16 || t == DType::f32 || t == DType::i8 || t == DType::u8 ||
         t == DType::i16 || t == DType::u16 || t == DType::boolean;
}

struct MatrixView {
  const unsigned char* data;
  DType dtype;
  int64_t rows, cols;
  int64_t row_stride, col_stride;  // bytes, of any sign
};

// A prepared value is ((x * power - mean) - mean_low) * inverse_norm, in float64, in this order.
// `power` is a power of two and 1 for all but extreme rows; mean + mean_low is the mean in twice
// the precision, so that an offset of 1e12 spreads costs no digit.
struct RowScale {
  double power, mean, mean_low, inverse_norm;
};

enum RowFlag : uint8_t {
  kDegenerate = 1,  // no direction: all zeros (cosine) or all equal (correlation)
  kNegative = 2,    // has a value below zero
  kExtreme = 4,     // its float64 sums may leave the range of a double
  kUnbounded = 8,   // out of the filters' range: every pair with it is recomputed
  kWide = 16,       // float32 cannot hold its RowScale: filter values come from float64 arithmetic
  kOutside = 32,    // has a value that the metric is not defined for
};

// One side of a comparison.
struct Rows {
  MatrixView matrix;
  Parameters parameters;  // of the metric
  Prepare prepare;
  void (*map)(double* values, int64_t count);  // what `elementwise` does to values, else null
  const RowScale* scales;                      // where they are multiplied, else null
  const uint8_t* flags;
  double filter_scale;  // power of two that brings most rows near 1 on their way to float32
  bool flush_tiny;      // filter values below kTiny become 0 (counted in the residual)
  int64_t filter_cols;  // features of a filter row: one more than cols when a row is degenerate
};

// Of a linear map: columns side by side, products added before they are added to the rest, rows at a time.
inline constexpr int kLinearPanel = 16, kLinearBlock = 256, kLinearRows = 8;

// Of length 1, unless it has no direction.
constexpr bool is_unit(Prepare p) { return p == Prepare::unit || p == Prepare::centred_unit; }
// Multiplied by a number of its own.
constexpr bool has_scale(Prepare p) { return is_unit(p) || p == Prepare::shares; }

// A degenerate row is, to the filters, the zero row with a 1 in an additional feature that all
// other rows have at 0: the ½‖û−v̂‖² of the pair is then 1, as the rule wants, and 0 between two of
// them. Of metrics with another norm it is unbounded.

inline constexpr float kTiny = 0x1p-100f;
// Filter values stay below 2^55, so that no sum of kMostCodeCols squares, nor of two, overflows.
inline constexpr int kLargestExponent = 55;

inline constexpr float kLeastWeight = 0x1p-126f;  // of a row that is not zero

// What a first look at a row tells.
struct RowSurvey {
  // Of rows that are not unit rows, y being x 2^-exponent: Σ|y| if weights add up, Σy² of products.
  double size;
  float residual;    // see `measure`; below zero: it must be measured
  int16_t exponent;  // of the largest magnitude; kZeroRow for a row of zeros
  uint8_t flags;
};
inline constexpr int16_t kZeroRow = -32768, kBeyond = 32767;

}  // namespace lookalike
