// The k nearest rows, or all within a radius, exactly as the float64 distances have them.
#pragma once

#include <vector>

#include "reservoirs.h"

namespace lookalike {

struct Query {
  MatrixView x;
  const MatrixView* y;  // null: x among itself
  Metric metric;
  bool include_self;  // of a self-join: a row is a neighbour of itself
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
  FilterPass(const Comparison& comparison, Form form, bool include_self, int workers, Stats& stats);
  int64_t tiles() const { return grid_.count(); }
  const Bounds& bounds() const { return filter_.bounds(); }
  // Calls keep(row, entries, n) with those of the tile's pairs that the row's threshold does not
  // exclude, in a self-join for the rows on both of its sides.
  template <class Threshold, class Keep>
  void tile(int64_t unit, int worker, Threshold threshold, Keep keep);

 private:
  struct Workspace {
    Buffer<Candidate> down, across;
    Buffer<Entry> entries;
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
  // Those of the rows come row by row.
  const Candidate* c = found.down_out;
  const Candidate* const end = c + found.down_count;
  Entry* const entries = w.entries.get();
  while (c != end) {
    const int i = c->i;
    int64_t n = 0;
    for (; c != end && c->i == i; ++c) entries[n++] = {c->value, int32_t(t.j0 + c->j)};
    keep(t.i0 + i, entries, n);
  }
  // Those of the columns are counted into place.
  if (found.across_count == 0) return;
  int32_t ends[kTile] = {};
  for (int64_t a = 0; a < found.across_count; ++a) ++ends[found.across_out[a].j];
  for (int j = 1; j < t.cols; ++j) ends[j] += ends[j - 1];
  for (int64_t a = found.across_count - 1; a >= 0; --a) {
    const Candidate& found_one = found.across_out[a];
    entries[--ends[found_one.j]] = {found_one.value, int32_t(t.i0 + found_one.i)};
  }
  for (int j = 0; j < t.cols; ++j) {  // ends[j] is now where j begins
    const int64_t next = j + 1 < t.cols ? ends[j + 1] : found.across_count;
    if (next > ends[j]) keep(t.j0 + j, entries + ends[j], next - ends[j]);
  }
}

}  // namespace lookalike
