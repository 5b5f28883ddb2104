// The table of kernels that each ISA's translation unit exports. Only plain data crosses here.
#pragma once

#include <cstdint>

#include "kernels/codes.h"

namespace lookalike {

inline constexpr int kTile = 256;  // pairs are compared in tiles of at most kTile x kTile
inline constexpr int kPaddedTile = kTile + 16;  // its rows, in whole register blocks
inline constexpr int kExactBlock = 8192;  // features in one block of the float64 summation order
inline constexpr int kRowMajorDepth = 4096;
inline constexpr int kRowMajorQueries = 7;  // up to this many queries skip packing

struct Tile {
  int64_t i0, j0;
  int rows, cols;
  bool diagonal;  // of a self-join: only pairs with j >= i are wanted
};

// Scratch memory of one worker, reused from tile to tile.
struct TileScratch {
  float* a;            // rows of x, row-major, a block of kTile features after another
  int64_t a_features;  // how many features there is room for: at least kTile
  int64_t a_first;     // the first row that is there with all its features, or -1
  float* b;            // kTile x kTile: rows of y, feature-major panels
  float* row;          // kTile x kTile: rows on their way into panels
  double* sums;        // kTile x kTile
  double* weights;     // kTile x kTile
};

// A pair is excluded when value > slope_i * weight_j + offset_i + slack_j. See bounds.h.
struct Limits {
  const float *slope, *offset;  // of the rows that are asking
  const float *weight, *slack;  // of those they ask about; weight is null if unweighted
};

// The pairs of a tile that survive, row after row.
struct ScanArgs {
  const float* values;  // kTile columns a row
  int rows, cols;
  int32_t first_column;
  bool without_self;  // of a diagonal tile: leave out pairs with i = j
  Limits limits;
  float* out_values;              // with room for a vector more than there are pairs
  int32_t *out_columns, *counts;  // counts: of each row
};

// What a row's candidates have to be held against; see bounds.h. By index of the candidate: residual,
// error (null but for the product form), weight (null if unweighted).
struct CandidateBounds {
  const float *residual, *error, *weight;
  float own_residual, own_error, own_weight, relative, largest;
};
struct CandidateLimit {
  float slope, offset;
  const float *weight, *slack;
};

// Float64 distances of ni rows of x by nj rows of y.
struct ExactArgs {
  const Rows *x, *y;
  const int32_t *is, *js;
  int ni, nj;       // at most kTile each
  double* scratch;  // (ni + nj) * min(cols, kExactBlock) rounded up to 8, and ni * nj for weights
  double* out;      // ni x nj
};

// A pair of one of a block's rows of x and any row of y, and where its distance goes.
struct ExactPair {
  int32_t j, x, out;
};

// Float64 distances of n such pairs, sorted by j.
struct PairsArgs {
  const Rows *x, *y;
  const int32_t* is;  // the block's rows
  int ni;             // at most kTile
  const ExactPair* pairs;
  int64_t n;
  double* scratch;  // (ni + 1) * (min(cols, kExactBlock) rounded up to 8, + 8)
  double* weights;  // n if the metric is weighted
  double* out;
};

// c = a b, or c + a b, of float32 matrices whose numbers lie so many apart; in a row of b and of c they
// are neighbours.
struct ProductArgs {
  const float* a;
  int64_t a_row, a_depth;
  const float* b;
  int64_t b_row;
  float* c;
  int64_t c_row;
  int rows, cols, depth;
  bool add;
};

struct MetricKernels {
  Traits traits;
  // Float32 sums of the terms of a tile's pairs, in double: quick (filters), strict, and the weights;
  // of products. Null where the metric does not state what they need.
  void (*quick_sums)(const Rows& x, const Rows& y, const Tile&, int depth, TileScratch&, double*);
  void (*strict_sums)(const Rows& x, const Rows& y, const Tile&, int depth, TileScratch&, double*);
  void (*weight_sums)(const Rows& x, const Rows& y, const Tile&, int depth, TileScratch&, double*);
  void (*row_major_sums)(const Rows& x, const Rows& y, const Tile&, TileScratch&, double*);
  void (*row_major_weights)(const Rows& x, const Rows& y, const Tile&, TileScratch&, double*);
  void (*dot_sums)(const Rows& x, const Rows& y, const Tile&, int depth, TileScratch&, double*);
  // The float64 distances, finished.
  void (*exact)(const ExactArgs&);
  void (*pairs)(const PairsArgs&);
  // Sums (and weights, null if unweighted) to distances.
  void (*distances)(const Parameters&, const double* sums, const double* weights, int count,
                    float* out);
  double (*norm_of)(const Parameters&, double distance);
  // The residual of a row: the norm between it and its filter row, at filter_scale; rounded up.
  float (*measure)(const Rows&, int64_t row);
  // Are the numbers in the metric's range?
  bool (*takes)(const Parameters&);
  // Of numbers of features, as given: their weights and factors, where there are any.
  void (*weigh)(const double* given, int64_t count, double* weights, double* factors);
  // What an elementwise preparation does to values, else null.
  void (*map)(double* values, int64_t count);
};

struct Kernels {
  const char* name;
  int lanes;  // float32 lanes of a vector
  MetricKernels metric[int(Metric::count)];

  // First look at rows [begin, end): the first that is not finite, or -1.
  int64_t (*survey)(const MatrixView&, const MetricKernels&, const Parameters&, int64_t begin,
                    int64_t end, RowSurvey*, RowScale*);
  void (*scan)(ScanArgs&);
  // Sums (and weights, or null) of a tile to the norms that filters compare.
  void (*norms)(Combine, const double* sums, const double* weights, int rows, float* out);
  // Dot products of a tile to squared distances: square_x[i] + square_y[j] − 2 sums.
  void (*squares)(const double* sums, const float* square_x, const float* square_y, const Tile&,
                  float* out);
  // dst[j * stride + i] = src[i * kTile + j]
  void (*transpose)(const float* src, int rows, int cols, float* dst, int64_t stride);
  // Upper bounds on the norms of n candidates; writes whole vectors.
  void (*uppers)(const CandidateBounds&, const float* values, const int32_t* indices, int n,
                 float* out);
  // Moves the candidates that the limit does not exclude to the front, in their order.
  int (*within)(const CandidateLimit&, float* values, int32_t* indices, int n);
  // How many of n values are below each.
  void (*ranks)(const double* values, int n, int32_t* out);
  // A float that at least k of the n values, all >= 0, do not exceed; nearly the least.
  float (*kth_smallest)(const float* values, int64_t n, int64_t k);
  // Positions of the values below `limit`; the count, or -1 if there is a NaN.
  int64_t (*below_f32)(const float*, int64_t n, float limit, int32_t* positions);
  int64_t (*below_f64)(const double*, int64_t n, double limit, int32_t* positions);
  // first + the positions of the values up to `limit`, for whole vectors of which there is room; their
  // count.
  int (*up_to)(const uint16_t*, int n, uint16_t limit, int32_t first, int32_t* positions);
  // Rows [first, first + rows), at most kLinearRows, mapped by Parameters::linear: `out` has whole panels
  // for kLinearRows, `scratch` these as they are. The first row that is not finite, or -1.
  int64_t (*map_rows)(const MatrixView&, const double* linear, int64_t first, int rows,
                      double* scratch, double* out);
  // Features [k0, k0 + count) of a filter row.
  void (*filter_row)(const Rows&, int64_t row, int64_t k0, int64_t count, float* out);
  // The codes of one row, `padded` of them (whole lines), of which `kept` are kept, and what is to be known
  // of it.
  void (*encode_row)(const Rows&, CodeForm, const CodeGrid&, int levels, int64_t row,
                     int64_t padded, int64_t kept, float* values, uint8_t* codes, CodedRow* out);
  CodeKernels codes[int(CodeForm::count)];  // without `tile` where there is none
  void (*read_f64)(const MatrixView&, int64_t row, int64_t k0, int64_t count, double* out);
  void (*product)(const ProductArgs&);
  // A row in fixed point; `padded` values, whole lines of 64 bytes.
  void (*fix_row)(const float* values, int64_t padded, int16_t* fixed, FixedRow* out);
};

namespace baseline {
extern const Kernels kKernels;
}
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}
// Of extensions that not every CPU of a level has.
namespace avx512vnni {
extern const CodeKernels kProducts;
}
namespace avx512vbmi {
extern const CodeKernels kRatios;
}

}  // namespace lookalike
