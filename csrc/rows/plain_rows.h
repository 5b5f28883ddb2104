// Float32 matrices that are no side of a comparison, and their products by the filters' kernels.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/dispatch.h"
#include "rows/prepare.h"
#include "tiles.h"

namespace lookalike {

// A float32 matrix as the kernels take it, with strides of elements.
class Plain {
 public:
  Plain(const float* data, int64_t rows, int64_t cols, int64_t row_stride, int64_t col_stride)
      : flags_(size_t(rows)),
        rows_{MatrixView{reinterpret_cast<const unsigned char*>(data), DType::f32, rows, cols,
                         row_stride * 4, col_stride * 4},
              {},
              Prepare::as_is,
              nullptr,
              nullptr,
              flags_.data(),
              1,
              false,
              cols} {}
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  operator const Rows&() const { return rows_; }

 private:
  std::vector<uint8_t> flags_;
  Rows rows_;
};

// Products of rows, each sum in runs of `depth`.
class Products {
 public:
  Products(const MetricKernels& metric, Team& team)
      : metric_(metric), team_(team), workspaces_(size_t(team.threads())) {}
  // out[i * y.rows + j] = x_i · y_j
  template <class Out>
  void operator()(const Rows& x, const Rows& y, int depth, std::vector<Out>& out) {
    const int64_t nx = x.matrix.rows, ny = y.matrix.rows;
    out.resize(size_t(nx * ny));
    // Narrow tiles where there are few, so that all threads have some.
    const int side = nx * ny <= int64_t(4) * kTile * kTile ? kTile / 4 : kTile;
    const TileGrid grid(nx, ny, false, kTile, side);
    team_.run(
        grid.count(), double(nx) * double(ny) * double(x.filter_cols),
        [&](int64_t unit, int worker) {
          SumsWorkspace& w = workspaces_[size_t(worker)];
          w.prepare(false);
          w.scratch.a_first = -1;
          const Tile t = grid[unit];
          metric_.dot_sums(x, y, t, depth, w.scratch, w.scratch.sums);
          for (int i = 0; i < t.rows; ++i) {
            for (int j = 0; j < t.cols; ++j) {
              out[size_t((t.i0 + i) * ny + t.j0 + j)] = Out(w.scratch.sums[i * kTile + j]);
            }
          }
        },
        0, 0);
  }

 private:
  const MetricKernels& metric_;
  Team& team_;
  std::vector<SumsWorkspace> workspaces_;
};

// `count` filter rows from all over a side.
inline std::vector<float> sampled(const Rows& rows, int64_t count, Team& team) {
  const int64_t cols = rows.filter_cols;
  std::vector<float> out(size_t(count * cols));
  constexpr int64_t some = 64;
  team.run((count + some - 1) / some, double(count) * double(cols),
           [&](int64_t unit, int) {
             for (int64_t r = unit * some; r < std::min(count, (unit + 1) * some); ++r) {
               kernels().filter_row(rows, r * rows.matrix.rows / count, 0, cols,
                                    &out[size_t(r * cols)]);
             }
           },
           0, 0);
  return out;
}

}  // namespace lookalike
