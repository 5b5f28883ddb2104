#include "tiles.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lookalike {

void* allocate(size_t bytes) {
  constexpr size_t kLine = 64, kLargePage = size_t(2) << 20;
  const bool large = bytes >= 2 * kLargePage;
  const size_t alignment = large ? kLargePage : kLine;
  void* const memory =
      std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory && bytes > 0) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void deallocate(void* memory) { std::free(memory); }

TileGrid::TileGrid(int64_t rows, int64_t cols, bool self, int tile_rows, int tile_cols)
    : rows_(rows), cols_(cols), self_(self), tile_rows_(tile_rows), tile_cols_(tile_cols) {
  const int64_t down = (rows + tile_rows - 1) / tile_rows;
  across_ = (cols + tile_cols - 1) / tile_cols;
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
  t.j0 = j * tile_cols_;
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

ExactDistances::ExactDistances(const Comparison& comparison, int workers)
    : comparison_(comparison), workspaces_(size_t(workers)) {
  // Two sides of rows, half a megabyte each where that is at least eight rows.
  const int64_t block = std::clamp<int64_t>(comparison.cols(), 1, kExactBlock);
  side_ = int(std::clamp<int64_t>((int64_t(1) << 19) / (8 * block), 8, 64));
}

ExactWorkspace& ExactDistances::workspace(int worker) {
  ExactWorkspace& w = workspaces_[size_t(worker)];
  if (!w.out.get()) {
    const size_t padded = size_t(std::min<int64_t>(comparison_.cols(), kExactBlock) + 7) / 8 * 8;
    const size_t side = size_t(side_);
    w.scratch = Buffer<double>(2 * side * padded + side * side);
    w.out = Buffer<double>(side * side);
  }
  return w;
}

const double* ExactDistances::block(int worker, const int32_t* is, int ni, const int32_t* js,
                                    int nj) {
  ExactWorkspace& w = workspace(worker);
  comparison_.kernels().exact(ExactArgs{&comparison_.x().rows, &comparison_.y().rows, is, js, ni,
                                        nj, w.scratch.get(), w.out.get()});
  return w.out.get();
}

void ExactDistances::row(int worker, int32_t i, const int32_t* js, int64_t n, double* out) {
  for (int64_t done = 0; done < n; done += side_) {
    const int some = int(std::min<int64_t>(side_, n - done));
    const double* distances = block(worker, &i, 1, js + done, some);
    std::copy(distances, distances + some, out + done);
  }
}

}  // namespace lookalike
