// The 8-bit filter: rows become codes of one byte a feature, and integer instructions compare 64
// features where float32 compares 16. See bounds.h for what it has to satisfy.
//
// A code stands for a value; the row of those values is the coded row, and a row's `with_clipped` is the
// norm of (row − coded row), measured when it is encoded and rounded up (encode-inl.h says by how much), plus
// the residual of the float32 row that it was encoded from. It counts whatever is lost: rounding to
// the grid, values clipped at its ends, features below kTiny. By the triangle inequality
// |A − B| <= with_clipped_i + with_clipped_j, B being the norm of the difference of the coded rows. Its residual is that
// of the clipped row. Where all rows are clipped alike that brings no two of them farther apart, feature
// by feature: B − A <= residual_i + residual_j. What remains is that the value is B:
//
//   differences (Manhattan, Bray-Curtis), largest (Chebyshev). A code q stands for low + step q, the
//   same for all rows, so B = step Σ|q_i − q_j| or step max|q_i − q_j|. The unit of the filter is the
//   step; the integer is below 2^24 for up to kMostCodeCols features and exact in float32.
//
//   products (Euclidean, cosine, correlation). A code stands for scale_i (q − zero_i). With I = Σ
//   (q_i − zero_i)(q_j − zero_j), an integer below 2^31, and square_i = scale_i² Σ(q_i − zero_i)²,
//   B² = square_i + square_j − 2 scale_i scale_j I. In float32 the last term has four roundings and is
//   at most square_i + square_j; these have one each and the additions two, of magnitudes up to twice
//   that: less than 8 u (square_i + square_j) in all. `error_i` is 2^-20 square_i, and 2^-100 for what
//   may underflow.
//
//   ratios (Canberra, no negative values). A nonzero code stands for one of 127 values whose logarithms
//   are `spacing` apart, 0 for zero. The term of two values is tanh(½|ln u − ln v|), whose derivative
//   by ln u is at most ½, and 1 if one of them is zero: by replacing u by c, it changes by at most
//   ½|ln u − ln c| <= ½|u − c| / min(u, c). The term of two codes depends on their difference alone and
//   is looked up in 255ths, rounded by at most `rounding`; of a zero with another value, and of two
//   equal codes, it is exact. So only features where both rows are nonzero are rounded, at most
//   (nonzero_i + nonzero_j) / 2 of them.
#pragma once

#include "filters/filters.h"
#include "rows/coding.h"

namespace lookalike {

// The bounds of rows that are coded so.
Bounds code_bounds(const Comparison& comparison, const Coding& coding, const CodedSide& x,
                   const CodedSide& y);

class CodeFilter final : public Filter {
 public:
  // Rows of a self-join in an order of their own, by whose numbers tiles ask for them.
  CodeFilter(const Comparison& comparison, const Coding& coding, const std::vector<int32_t>& order,
             Team& team);
  // `database` is y as it was coded before, or null.
  CodeFilter(const Comparison& comparison, const CodedDatabase* database, Team& team);
  static bool fits(const Traits& traits, int64_t filter_cols, bool any_negative);
  static RowNeeds needs(const Traits& traits);
  const char* name() const override;
  float* values(const Tile& tile, int worker) override;

 private:
  struct Workspace {
    Buffer<int32_t> sums;
    Buffer<float> values;
    // Of codes that lie row after row, where no panels of them are kept.
    Buffer<uint8_t> panels;
    int32_t code_sums[kTile];
  };
  CodeRows panels_of(const Tile& tile, Workspace& w) const;
  const Comparison& comparison_;
  Coding coding_;
  CodedSide first_, second_;
  const CodedSide* y_;               // one of those, or the database's
  const uint8_t* panels_ = nullptr;  // of the latter's codes, if these lie row after row
  std::vector<Workspace> workspaces_;
};

}  // namespace lookalike
