// Pairs of rows in tiles: all of them, or the upper triangle; and a worker's memory for a tile.
#pragma once

#include "kernels/kernels.h"
#include "memory.h"

namespace lookalike {

// Rows in a tile's side, so that a tile takes well under the half second in which a caller can stop.
inline int tile_side(int64_t cols) { return cols > (1 << 16) ? kTile / 4 : kTile; }

// A rectangle of rows cut into tiles; of a self-join only those on and above the diagonal. Counted
// row by row, so that a team that takes them in order visits the columns of a row in order too.
class TileGrid {
 public:
  // Of a rectangle the columns begin at `first_col`.
  TileGrid(int64_t rows, int64_t cols, bool self, int tile_rows, int tile_cols,
           int64_t first_col = 0);
  int64_t count() const { return count_; }
  Tile operator[](int64_t unit) const;

 private:
  int64_t rows_, cols_, first_col_, across_, count_;
  bool self_;
  int tile_rows_, tile_cols_;
};

// A worker's memory for float32 sums of a tile, allocated when it first has one.
struct SumsWorkspace {
  Buffer<float> a, b, row;
  Buffer<double> sums, weights;
  TileScratch scratch{};
  void prepare(bool with_weights);
};

}  // namespace lookalike
