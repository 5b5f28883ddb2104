#include "tiles.h"

#include <algorithm>
#include <cmath>

namespace lookalike {

TileGrid::TileGrid(int64_t rows, int64_t cols, bool self, int tile_rows, int tile_cols,
                   int64_t first_col)
    : rows_(rows),
      cols_(cols),
      first_col_(first_col),
      self_(self),
      tile_rows_(tile_rows),
      tile_cols_(tile_cols) {
  const int64_t down = (rows + tile_rows - 1) / tile_rows;
  across_ = (cols - first_col + tile_cols - 1) / tile_cols;
  count_ = self ? across_ * (across_ + 1) / 2 : down * across_;
}

Tile TileGrid::operator[](int64_t unit) const {
  int64_t i, j;
  if (self_) {
    // Row i of the triangle starts at i across − i(i−1)/2.
    const auto start = [&](int64_t r) { return r * across_ - r * (r - 1) / 2; };
    const double a = double(across_) + 0.5;
    i = int64_t(a - std::sqrt(std::max(0.0, a * a - 2.0 * double(unit))));
    i = std::clamp<int64_t>(i, 0, across_ - 1);
    while (start(i) > unit) --i;
    while (start(i + 1) <= unit) ++i;
    j = i + unit - start(i);
  } else {
    i = unit / across_;
    j = unit % across_;
  }
  Tile t;
  t.i0 = i * tile_rows_;
  t.j0 = first_col_ + j * tile_cols_;
  t.rows = int(std::min<int64_t>(tile_rows_, rows_ - t.i0));
  t.cols = int(std::min<int64_t>(tile_cols_, cols_ - t.j0));
  t.diagonal = self_ && i == j;
  return t;
}

void SumsWorkspace::prepare(bool with_weights) {
  constexpr size_t kSquare = size_t(kTile) * kTile;
  constexpr size_t kPadded = size_t(kPaddedTile) * kTile;
  constexpr int64_t kKept = 2048;  // features: 2 MiB
  if (!scratch.a) {
    a = Buffer<float>(size_t(kPaddedTile) * kKept);
    b = Buffer<float>(kSquare);
    row = Buffer<float>(size_t(kTile) * 64);
    sums = Buffer<double>(kPadded);
    scratch = TileScratch{a.get(), kKept, -1, b.get(), row.get(), sums.get(), nullptr};
  }
  if (with_weights && !scratch.weights) {
    weights = Buffer<double>(kPadded);
    scratch.weights = weights.get();
  }
}

}  // namespace lookalike
