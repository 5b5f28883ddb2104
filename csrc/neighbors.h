// The k nearest rows, or all within a radius, exactly as the float64 distances have them.
#pragma once

#include <vector>

#include "reservoirs.h"

namespace lookalike {

struct Query {
  MatrixView x;
  const MatrixView* y;  // null: x among itself
  Metric metric;
  bool include_self;    // of a self-join: a row is a neighbour of itself
};

// distances and indices are (x.rows, k); 1 <= k <= the rows there are to choose from.
void neighbors(const Query& query, int64_t k, Team& team, Stats& stats, double* distances,
               int64_t* indices);

struct Within {
  std::vector<int64_t> indptr, indices;
  std::vector<double> distances;
};
Within radius_neighbors(const Query& query, double radius, Team& team, Stats& stats);

// The k smallest of each row of a matrix. Throws NotFinite for a NaN.
void topk(const MatrixView& matrix, int64_t k, Team& team, double* distances, int64_t* indices);

// The worker's tile of candidates and the limits of the tile's rows: one pass of a filter.
class FilterPass {
 public:
  FilterPass(const Comparison& comparison, bool include_self, int workers, Stats& stats);
  int64_t tiles() const { return grid_.count(); }
  const Bounds& bounds() const { return filter_.bounds(); }
  // Calls keep(row, value, other) for each pair of the tile that the thresholds do not exclude, in a
  // self-join for both of its rows.
  template <class Threshold, class Keep>
  void tile(int64_t unit, int worker, Threshold threshold, Keep keep);

 private:
  struct Workspace {
    Buffer<Candidate> down, across;
    float limits[8][kTile];
  };
  const Comparison& comparison_;
  Float32Filter filter_;
  TileGrid grid_;
  bool include_self_;
  Stats& stats_;
  std::vector<std::unique_ptr<Workspace>> workspaces_;
  void scan(const Tile&, Workspace&, ScanArgs&, const float* thresholds_x,
            const float* thresholds_y, const float* values);
  Workspace& workspace(int worker);
};

template <class Threshold, class Keep>
void FilterPass::tile(int64_t unit, int worker, Threshold threshold, Keep keep) {
  const Tile t = grid_[unit];
  Workspace& w = workspace(worker);
  const float* values = filter_.values(t, worker);
  float of_rows[kTile], of_cols[kTile];
  for (int i = 0; i < t.rows; ++i) of_rows[i] = threshold(t.i0 + i);
  const bool both = comparison_.self();
  if (both) {
    for (int j = 0; j < t.cols; ++j) of_cols[j] = threshold(t.j0 + j);
  }
  ScanArgs found{};
  scan(t, w, found, of_rows, both ? of_cols : nullptr, values);
  for (const Candidate* c = found.down_out; c != found.down_out + found.down_count; ++c) {
    keep(t.i0 + c->i, c->value, int32_t(t.j0 + c->j));
  }
  for (const Candidate* c = found.across_out; c != found.across_out + found.across_count; ++c) {
    keep(t.j0 + c->j, c->value, int32_t(t.i0 + c->i));
  }
}

}  // namespace lookalike
