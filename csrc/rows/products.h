// Float32 matrices that are no side of a comparison, and their products, as screens are chosen by them.
#pragma once

#include "memory.h"
#include "rows/prepare.h"

namespace lookalike {

struct Matrix {
  int64_t rows = 0, cols = 0;
  Buffer<float> values;  // row after row; not cleared
  Matrix() = default;
  Matrix(int64_t rows_, int64_t cols_)
      : rows(rows_), cols(cols_), values(size_t(rows_ * cols_) + 64) {}
  float* row(int64_t r) const { return values.get() + r * cols; }
  float& at(int64_t r, int64_t c) const { return values.get()[r * cols + c]; }
};

Matrix transposed(const Matrix& a);
// a b, of every so many rows of a, and aᵀ b; the same whatever the team.
Matrix product(const Matrix& a, const Matrix& b, Team& team, int every = 1);
Matrix product_of_transposed(const Matrix& a, const Matrix& b, Team& team);

// `count` filter rows from all over a side: those at (r + at) / count of all.
Matrix sampled(const Rows& rows, int64_t count, double at, Team& team);

}  // namespace lookalike
