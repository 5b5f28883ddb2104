// Screens: a few bytes of each row that say from below how far two rows are apart. Plain data that
// crosses between the drivers and the kernels; rows/screens.h says what the bytes are.
#pragma once

#include <cstdint>

namespace lookalike {

inline constexpr int kScreenRows = 16;        // rows of a panel
inline constexpr int kScreenGroup = 4;        // consecutive bytes of one row
inline constexpr int kMostScreenWidth = 256;  // bytes of a row, a multiple of kScreenGroup

// A panel is sixteen rows: lines of 64 bytes, each with four consecutive bytes of every row.
constexpr int64_t screen_bytes(int64_t rows, int width) {
  return (rows + kScreenRows - 1) / kScreenRows * kScreenRows * width;
}

// A tile's pairs, both sides asking: a pair stays if its value is not less than the lesser of the two
// rows' `least`. The value is minus the largest difference of codes, or of products, whose codes are
// signed, minus half the squared distance, both squares being halved and rounded down.
struct ScreenTile {
  const uint8_t *x, *y;                // the tile's first panels
  const int32_t *square_x, *square_y;  // half of Σ code², rounded down; of products alone
  const int32_t* sum_x;                // Σ code, likewise
  const int32_t *least_x, *least_y;    // <= 0; like the squares, with room for whole panels
  int width, rows, cols;
  uint16_t* masks;  // kTile / kScreenRows a row: which columns of each panel stay
  // What is read next, sent for on the way.
  const uint8_t* next;
  int64_t next_bytes;
};

// What is to be known of a row to finish a pair from its full codes (codes.h) and to hold it against
// the limits of both rows (Limits).
struct PairRow {
  float scale, square;
  int32_t zero, sum;
  float slope, offset, weight, slack;
};

// The pairs of one row that a screen let through, finished. Codes lie row after row, `stride` bytes
// apart, a multiple of 64. Columns are counted from the first of `others`.
struct FinishRow {
  const uint8_t *own, *others;
  int64_t stride;
  const PairRow *row, *columns;
  const uint16_t* masks;
  int panels;
  // Of largest: so many bytes are looked at first, and the others of pairs that stay by them, in the sense of
  // ScreenTile.
  int64_t first;
  int32_t own_least;
  const int32_t* least;
  // Those that the row wants, and those whose own limits want the row; room for 256 each.
  float *row_values, *column_values;
  int32_t *row_columns, *column_columns;
  int row_count, column_count;
};

// A row in 16-bit fixed point: `step` times its integers, the sum of whose squares is below 2^30, is
// `residual` from the row at the most.
struct FixedRow {
  float step, residual;
  int32_t square;  // of the integers
};

// Products of rows with directions, both in fixed point. Directions lie in panels of sixteen, lines of
// two consecutive numbers of each.
inline constexpr int kPanelDirections = 16;
struct FixedTile {
  const int16_t *rows, *panels;
  int64_t stride;  // numbers of a row, even
  int row_count, panel_count;
  int32_t* sums;  // kPanelDirections of each panel
  int64_t sums_row;
};

// Some rows, which lie row after row, against `count` of panels: half the squared distances of products,
// whose bytes are signed, or the largest differences.
struct ScreenQueries {
  const uint8_t* own;
  const int32_t *own_square, *own_sum;  // of products alone, as `squares` of the others
  int own_rows;
  const uint8_t* others;
  const int32_t* squares;
  int width;
  int64_t count;
  // `room` of each row, for whole panels: values, of which what is beyond 65,535 is that; or which of
  // each panel have values up to minus `least`.
  int64_t room;
  uint16_t* out;
  const int32_t* least;
};

// One query against listed rows, by bytes [begin, end) of them, whole lines of 64: of products the sum of
// squared differences, none of them taken for more than 127, else the largest. Added to what bytes
// before them made, if there are any.
struct ListedScreens {
  const uint8_t *own, *others;
  int64_t stride;
  int begin, end;
  const int32_t* rows;
  int64_t count;
  float* values;
};

}  // namespace lookalike
