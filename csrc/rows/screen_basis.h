// A basis in which a few coordinates say most of how far rows are apart: nearly the principal directions
// of a sample. Whatever it is, what is excluded by it is excluded rightly (docs/exactness.md, "Screens"):
// how far it is from orthonormal, and what is lost in projecting a row, is known and counted.
#pragma once

#include <vector>

#include "rows/prepare.h"
#include "tiles.h"

namespace lookalike {

struct Basis {
  int64_t cols = 0;         // of filter rows
  int count = 0;            // of directions
  std::vector<float> rows;  // count x cols
  // ‖PPᵀ − 1‖, at the most, P being the directions as they are.
  double skew = 0;
};

// What (z, r) may be off from the true coordinates and the true norm of what they leave of a filter row.
struct Projected {
  double error;       // of all coordinates together, as a norm
  double rest;        // the norm of the rest
  double rest_error;  // infinite where it is not known
};

// In how many directions the rows are spread: one over the mean squared cosine between two of a few
// rows, less their mean.
double directions(const Comparison& comparison, Team& team);

// From how many of so many rows a basis is chosen.
int64_t sample_size(int64_t rows);

// At most `count` directions, the most important first, the same whatever the team. The metric
// has an inner product.
Basis choose_basis(const Rows& rows, const MetricKernels& metric, int count, Team& team);

// The coordinates of filter rows in the basis: count numbers of each row [first, first + n), n <= kTile,
// and how far they are off. `x` is a side of a comparison whose metric has these kernels.
void project(const MetricKernels& metric, const Rows& x, const Basis& basis, int64_t first, int n,
             SumsWorkspace& workspace, double* coordinates, Projected* out);

}  // namespace lookalike
