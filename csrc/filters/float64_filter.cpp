#include "filters/float64_filter.h"

#include <numeric>

namespace lookalike {

Float64Filter::Float64Filter(const Comparison& comparison, int workers)
    : comparison_(comparison),
      exact_(comparison, workers),
      residual_(size_t(std::max(comparison.x().rows.matrix.rows, comparison.y().rows.matrix.rows)),
                0x1p-126f),
      values_(size_t(workers)) {
  bounds_.unit = 1;
  bounds_.relative = kUnit + kSpare;
  bounds_.largest = 0x1p120;
  bounds_.residual_x = bounds_.residual_y = residual_.data();
  bounds_.with_clipped_x = bounds_.with_clipped_y = residual_.data();
  slack_y_ = bounds_.slacks(comparison.y().rows.matrix.rows);
  bounds_.slack_y = slack_y_.data();
}

float* Float64Filter::values(const Tile& t, int worker) {
  Buffer<float>& values = values_[size_t(worker)];
  if (!values.get()) values = Buffer<float>(size_t(kTile) * kTile);
  const int side = exact_.side();
  int32_t is[kTile], js[kTile];
  for (int r = 0; r < t.rows; r += side) {
    const int rows = std::min(side, t.rows - r);
    std::iota(is, is + rows, int32_t(t.i0 + r));
    for (int c = t.diagonal ? r : 0; c < t.cols; c += side) {
      const int cols = std::min(side, t.cols - c);
      std::iota(js, js + cols, int32_t(t.j0 + c));
      const double* const block = exact_.block(worker, is, rows, js, cols);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < cols; ++j) {
          values.get()[(r + i) * kTile + c + j] = float(comparison_.norm_of(block[i * cols + j]));
        }
      }
    }
  }
  return values.get();
}

}  // namespace lookalike
