// All distances of two sets of rows, as a matrix or, of one set, in scipy's condensed form.
#pragma once

#include "rows/prepare.h"

namespace lookalike {

struct DistanceOutput {
  void* data;  // row-major, float32 or float64
  bool float64;
  bool condensed;  // only pairs i < j, row by row; self-joins only
};

void distances(const MatrixView& x, const MatrixView* y, const Specification& specification,
               const DistanceOutput& out, Team& team);

}  // namespace lookalike
