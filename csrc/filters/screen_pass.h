// One pass over the tiles of a self-join whose rows have screens: a screen excludes most pairs, full
// codes what they can of the others, and the rest is handed to a sink.
//
// Of products a screen proves step √s <= stretch A + residual_i + residual_j, s being the squared distance
// of two rows' bytes (rows/screens.h). With T the threshold of row i, a pair is excluded if
// step √s > stretch T + residual_i + R, where R is the largest residual of the other tile's rows. Of
// largest its value is at most that of the rows' codes, so it excludes whom that excludes.
#pragma once

#include <atomic>

#include "filters/code_filter.h"
#include "filters/tile_scan.h"
#include "rows/screens.h"
#include "stats.h"
#include "tiles.h"

namespace lookalike {

class ScreenPass {
 public:
  // Rows are numbered as they lie in `panels` and `codes`, which lie row after row.
  ScreenPass(const Comparison& comparison, const ScreenCoding& screens, const Coding& coding,
             ScreenPanels panels, CodedSide codes, bool include_self, Team& team, Stats& stats);
  const Bounds& bounds() const { return bounds_; }
  // Rows of tile i against those of tile j >= i. Calls keep(row, values, indices, n) for rows on both
  // sides; the two lists may be overwritten.
  template <class Threshold, class Keep>
  void tile(int64_t i, int64_t j, int worker, Threshold threshold, Keep keep);

 private:
  // Of a tile's rows: their thresholds, and what follows from them.
  struct Limited {
    int64_t first = 0;
    int rows = 0;
    float threshold[kTile];
    int32_t least[kTile];
    PairRow row[kTile];
  };
  struct Found {
    int32_t column, row;
    float value;
  };
  struct Workspace {
    Limited x, y;
    uint16_t masks[kTile * (kTile / kScreenRows)];
    float row_values[kTile + 1], column_values[kTile + 1];
    int32_t row_columns[kTile + 1], column_columns[kTile + 1];
    int unscreened = 0;  // tiles that come next
    std::vector<Found> found;
    std::vector<float> sorted_values;
    std::vector<int32_t> sorted_rows;
    // For tiles that are mostly alive.
    Buffer<uint8_t> panels_x, panels_y;
    Buffer<int32_t> sums;
    Buffer<float> values;
    std::unique_ptr<TileScan> scan;
  };
  // After a tile whose pairs nearly all stay the next ones will be alike, near tiles coming first.
  static constexpr int kUnscreened = 3;
  Workspace& workspace(int worker);
  template <class Threshold>
  void read(Limited& side, int64_t tile, Threshold threshold) const;
  // What the side's rows let through of tile `other`.
  void limit(Limited& side, int64_t other) const;
  // Fills the masks; returns how many pairs stay.
  int64_t screen(Workspace& w, bool diagonal) const;
  // Those that stay, one by one.
  template <class Keep>
  void finish_alive(Workspace& w, bool diagonal, Keep keep);
  // See FinishRow: whole lines.
  int64_t first_bytes() const {
    return form_ == CodeForm::largest ? first_codes(stride_) : stride_;
  }
  // The pairs that stay: FinishRow of a row of x.
  FinishRow finish(Workspace& w, int row) const;
  // Values of all pairs.
  float* all_values(Workspace& w, bool diagonal) const;
  // By column: where each column's begin in the sorted lists.
  void sort_found(Workspace& w, int32_t* begin) const;

  const CodeForm form_;
  const ScreenCoding& screens_;
  const ScreenPanels panels_;
  const CodedSide codes_;
  const CodeKernels& kernels_;
  const int64_t rows_, stride_;
  const bool include_self_;
  Bounds bounds_;
  Stats& stats_;
  std::vector<float> most_;  // residual, or slack, of a tile's rows
  std::vector<std::unique_ptr<Workspace>> workspaces_;
};

template <class Threshold>
void ScreenPass::read(Limited& side, int64_t tile, Threshold threshold) const {
  side.first = tile * kTile;
  side.rows = int(std::min<int64_t>(kTile, rows_ - side.first));
  for (int r = 0; r < side.rows; ++r) side.threshold[r] = threshold(side.first + r);
}

template <class Threshold, class Keep>
void ScreenPass::tile(int64_t i, int64_t j, int worker, Threshold threshold, Keep keep) {
  Lap lap;
  Workspace& w = workspace(worker);
  const bool diagonal = i == j;
  read(w.x, i, threshold);
  read(w.y, j, threshold);
  const int64_t n = w.x.rows, pairs = diagonal ? n * (n - 1) / 2 : n * w.y.rows;
  int64_t alive = pairs;
  const bool unseen = w.unscreened > 0;  // masks are those of another tile then
  if (unseen) {
    --w.unscreened;
  } else {
    limit(w.x, j);
    limit(w.y, i);
    alive = screen(w, diagonal);
    lap.to(stats_.screening);
  }
  stats_.pairs.fetch_add(pairs, std::memory_order_relaxed);
  stats_.screened.fetch_add(pairs - alive, std::memory_order_relaxed);
  if (unseen || 20 * alive > 9 * pairs) {
    if (alive < pairs && 5 * alive > 4 * pairs) w.unscreened = kUnscreened;
    float* const values = all_values(w, diagonal);
    lap.to(stats_.filtering);
    const Tile t{w.x.first, w.y.first, w.x.rows, w.y.rows, diagonal};
    w.scan->both(bounds_, values, t, !include_self_, stats_, threshold, keep);
    lap.to(stats_.bookkeeping);
    return;
  }
  if (alive > 0 || (diagonal && include_self_)) finish_alive(w, diagonal, keep);
}

template <class Keep>
void ScreenPass::finish_alive(Workspace& w, bool diagonal, Keep keep) {
  Lap lap;
  w.found.clear();
  int64_t kept = 0;
  for (int r = 0; r < w.x.rows; ++r) {
    FinishRow f = finish(w, r);
    if (diagonal && include_self_) {
      f.row_values[f.row_count] = 0;
      f.row_columns[f.row_count++] = r;
    }
    for (int c = 0; c < f.column_count; ++c) {
      w.found.push_back({f.column_columns[c], int32_t(w.x.first + r), f.column_values[c]});
    }
    if (f.row_count == 0) continue;
    kept += f.row_count;
    for (int c = 0; c < f.row_count; ++c) f.row_columns[c] += int32_t(w.y.first);
    keep(w.x.first + r, f.row_values, f.row_columns, f.row_count);
  }
  lap.to(stats_.filtering);
  int32_t begin[kTile + 1];
  sort_found(w, begin);
  for (int c = 0; c < w.y.rows; ++c) {
    const int count = begin[c + 1] - begin[c];
    if (count == 0) continue;
    keep(w.y.first + c, w.sorted_values.data() + begin[c], w.sorted_rows.data() + begin[c], count);
  }
  stats_.candidates.fetch_add(kept + int64_t(w.found.size()), std::memory_order_relaxed);
  lap.to(stats_.bookkeeping);
}

}  // namespace lookalike
