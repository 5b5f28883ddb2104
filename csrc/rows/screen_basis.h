// A basis in which a few coordinates say most of how far rows are apart: nearly the principal directions
// of a sample. Whatever it is, what is excluded by it is excluded rightly (docs/exactness.md, "Screens"):
// how far it is from orthonormal is known and counted. Rows and directions are taken in 16-bit fixed
// point, so that their products are exact.
#pragma once

#include <vector>

#include "rows/products.h"

namespace lookalike {

struct Basis {
  int64_t cols = 0;         // of filter rows
  int count = 0;            // of directions
  std::vector<float> rows;  // count x cols, each row integers over a power of two
  // ‖PPᵀ − 1‖, at the most, P being the directions as they are.
  double skew = 0;
};

// From how many of so many rows a basis is chosen.
int64_t sample_size(int64_t rows);

// At most `count` directions, the most important first, of the rows of a sample; the same whatever the
// team.
Basis choose_basis(const Matrix& sample, int count, Team& team);

// The directions as integers, in panels (FixedTile), and what one of each is.
struct FixedBasis {
  int count = 0, panel_count = 0;
  int64_t stride = 0;
  std::vector<int16_t> panels;
  std::vector<float> units;  // a power of two each; zeros up to whole panels and a line more
};
FixedBasis in_fixed_point(const Basis& basis);

// Rows in a fixed basis: their products with the directions, integers, and what is to be known of each.
class Projection {
 public:
  explicit Projection(const FixedBasis& basis);
  static constexpr int kMost = 64;  // rows at a time
  // Room for the r-th row's values, whose number is that of the basis' features; the rest are zeros.
  float* room() { return values_.get(); }
  void take(int r);  // what is in the room
  void project(int rows);
  const int32_t* products(int r) const { return sums_.get() + r * sums_row_; }
  const FixedRow& row(int r) const { return rows_[r]; }

 private:
  const FixedBasis& basis_;
  const int64_t sums_row_;
  Buffer<float> values_;
  Buffer<int16_t> fixed_;
  Buffer<int32_t> sums_;
  FixedRow rows_[kMost];
};

}  // namespace lookalike
