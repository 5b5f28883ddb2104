// The one loop over pairs of rows: tiles of them, all or the upper triangle, handed to a sink.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "rows/prepare.h"

namespace lookalike {

// Cache-aligned memory that is not cleared: buffers are written before they are read. Large ones are
// visited at random, so they ask for large pages.
void* allocate(size_t bytes);
void deallocate(void* memory);

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) : memory_(static_cast<T*>(allocate(count * sizeof(T)))) {}
  T* get() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { deallocate(p); }
  };
  std::unique_ptr<T, Free> memory_;
};

// Rows in a tile's side, so that a tile takes well under the half second in which a caller can stop.
inline int tile_side(int64_t cols) { return cols > (1 << 16) ? kTile / 4 : kTile; }

// A rectangle of rows cut into tiles; of a self-join only those on and above the diagonal. Counted
// row by row, so that a team that takes them in order visits the columns of a row in order too.
class TileGrid {
 public:
  TileGrid(int64_t rows, int64_t cols, bool self, int tile_rows, int tile_cols);
  int64_t count() const { return count_; }
  Tile operator[](int64_t unit) const;

 private:
  int64_t rows_, cols_, across_, count_;
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

// A worker's memory for float64 distances.
struct ExactWorkspace {
  Buffer<double> scratch, out;
};

// The float64 distances of lists of rows, a few at a time.
class ExactDistances {
 public:
  ExactDistances(const Comparison& comparison, int workers);
  // Rows of x (ni) by rows of y (nj), both at most side(); the result stays until the next call.
  int side() const { return side_; }
  const double* block(int worker, const int32_t* is, int ni, const int32_t* js, int nj);
  // Row i of x against any number of rows of y.
  void row(int worker, int32_t i, const int32_t* js, int64_t n, double* out);

 private:
  ExactWorkspace& workspace(int worker);
  const Comparison& comparison_;
  int side_;
  std::vector<ExactWorkspace> workspaces_;
};

}  // namespace lookalike
