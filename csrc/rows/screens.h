// Rows to screens: a few bytes of each that say from below how far it is from others.
//
//   products (Euclidean, cosine, correlation). The bytes are coordinates of the filter row in a basis
//   and the norm of what they leave of it, in steps from a centre, clipped at 127 of them. With F the map
//   from a filter row to those numbers, ‖F(u) − F(v)‖ <= stretch ‖u − v‖, whatever the basis; what a
//   row's bytes are off from F is measured and, with the row's own residual, its screen's residual:
//       step ‖q_i − q_j‖ <= stretch A + residual_i + residual_j.
//
//   largest (Chebyshev). The bytes are codes of some features, and the largest code in each of some
//   blocks of the others: no two of them differ by more than some two codes of the rows do, so the
//   largest difference is at most that of the rows' codes, which is the value of the filter.
//
// docs/exactness.md proves both.
#pragma once

#include <vector>

#include "rows/coding.h"
#include "rows/screen_basis.h"

namespace lookalike {

// How the rows of a comparison are screened; like their coding it is chosen before queries are known.
struct ScreenCoding {
  CodeForm form = CodeForm::none;
  int width = 0;  // bytes of a row
  // Of products.
  Basis basis;
  std::vector<double> centre;  // of each byte; the last is the norm of the rest
  double step = 1;
  bool with_rest = false;
  double stretch = 1;
  // Of largest: which byte takes a feature in, and all features, those first that say most of pairs which
  // the screen leaves.
  std::vector<uint16_t> byte_of;
  std::vector<int32_t> features;
};

// How many of a row's codes are looked at first, of `stride` that lie in the order of `features`: a quarter,
// in whole lines, or all.
constexpr int64_t first_codes(int64_t stride) {
  return stride < 2 * kCodeLine ? stride : (stride / 4 + kCodeLine - 1) / kCodeLine * kCodeLine;
}

// Has the form screens here, for rows of so many features?
bool screens_fit(CodeForm form, int64_t filter_cols);

// Chooses a screen of `width` bytes for one side's rows, which `coding` is for.
ScreenCoding choose_screens(const Comparison& comparison, const Coding& coding, int width,
                            Team& team);

// Of some filter rows: their coordinates in a basis, and their squares.
struct Coordinates {
  Matrix values;
  std::vector<double> square;
};
Coordinates coordinates_of(const Matrix& rows, const Basis& basis, Team& team);

// Screens of products by the first directions of a basis, whose steps suit rows with such coordinates.
ScreenCoding product_screens(const Basis& basis, int width, const Coordinates& some);

// Screens of one side's rows, row after row, in the order of the side.
struct ScreenRows {
  int width = 0;
  std::vector<uint8_t> bytes;        // unsigned; of products less 128
  std::vector<int32_t> square, sum;  // of products: half of Σ code², rounded down; Σ code
  std::vector<float> residual;       // in the units of filter rows; of largest that of the codes
};
ScreenRows encode_screens(const ScreenCoding& screens, const Coding& coding, const Side& side,
                          Team& team);
// Several screens of products at once, whose bases are the beginning of one: `basis` in fixed point.
std::vector<ScreenRows> encode_screens(const std::vector<const ScreenCoding*>& screens,
                                       const FixedBasis& basis, const Side& side, Team& team);

// The same as panels, row order[r] being the r-th.
struct ScreenPanels {
  int width = 0;
  Buffer<uint8_t> panels;
  std::vector<int32_t> square, sum;  // with room for whole panels
  std::vector<float> residual;
  const uint8_t* panel(int64_t row) const { return panels.get() + row * width; }
};
ScreenPanels panels_of(const ScreenRows& rows, CodeForm form, const std::vector<int32_t>& order,
                       Team& team);

}  // namespace lookalike
