// Rows as 8-bit codes: plain data that crosses between the drivers and the kernels. What codes stand
// for and why they may exclude pairs: code_filter.h.
#pragma once

#include <cstdint>

#include "kernels/rows.h"
#include "kernels/screens.h"

namespace lookalike {

inline constexpr int kCodeLine = 64;  // bytes
inline constexpr int kCodeRows = 8;   // rows of a panel
inline constexpr int kCodeGroup = 8;  // consecutive features of one row

// Sums of products of codes stay below 2^31, sums of differences below 2^24, exact in float32.
inline constexpr int64_t kMostCodeCols = 32768;

// A panel is eight rows: lines of 64 bytes, each with eight consecutive features of every row. A line
// is at once what a vector of rows of y needs, and eight bytes for each row of x to broadcast: one
// layout serves both sides of a tile and nothing is packed per tile.
constexpr int64_t code_lines(int64_t cols) { return (cols + kCodeGroup - 1) / kCodeGroup; }
constexpr int64_t code_bytes(int64_t rows, int64_t cols) {
  return (rows + kCodeRows - 1) / kCodeRows * code_lines(cols) * kCodeLine;
}

struct CodeRows {
  const uint8_t* codes;
  int64_t lines;  // of a panel
  // Of products alone: a feature is scale * (code - zero); Σ code; Σ feature².
  const float* scale;
  const int32_t *zero, *sum;
  const float* square;
};

// What codes stand for where that is the same for all rows.
struct CodeGrid {
  float low, step;  // of differences and largest: low + step * code
  // Of ratios: 0 is zero and 128 + m is centre[m]; the upper 16 bits of a float find its m, and
  // table[|code_u - code_v|], in 255ths, is the term.
  float centre[127];
  uint8_t nearest[1 << 15];
  uint8_t table[128];
};

// What `encode` says of a row, in the units of filter rows: how far the filter row is from what the codes
// stand for, and `residual`, how far it would be if it had been clipped to what codes can stand for.
// `sum` is Σ code of products, and of ratios how many values are not zero.
struct CodedRow {
  float scale, square, residual, with_clipped;
  int32_t zero, sum;
};

struct CodeTile {
  CodeRows x, y;
  int64_t i0, j0;
  int rows, cols;
  bool diagonal;
  const uint8_t* table;  // of ratios
  int32_t* sums;         // scratch, kTile columns a row
  float* values;         // results, kTile columns a row
};

// One row's codes against those of listed rows, which lie one after the other, `stride` bytes apart.
struct CodeQuery {
  const uint8_t *own, *others;
  int64_t stride;
  PairRow row;  // its limits are not looked at
  CodeRows columns;
  const int32_t* rows;
  int64_t count;
  float* values;
};

struct CodeKernels {
  const char* name;  // as statistics show it
  int levels;        // codes are 0 .. levels
  // Values of a tile's pairs: squared distances for products, else sums (or the largest) in steps.
  void (*tile)(const CodeTile&);
  // The tile's screens, and pairs of one row from codes that lie row after row; null without screens.
  void (*screen)(const ScreenTile&);
  void (*finish)(FinishRow&);
  // Rows' screens against panels, as values and as masks; one's screen and its codes against listed rows'.
  void (*query)(const ScreenQueries&);
  void (*query_masks)(const ScreenQueries&);
  void (*listed_screens)(const ListedScreens&);
  void (*listed_codes)(const CodeQuery&);
  // Of products: their screens' coordinates.
  void (*project)(const FixedTile&);
};

}  // namespace lookalike
