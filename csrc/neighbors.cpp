#include "neighbors.h"

#include "dispatch.h"

namespace lookalike {

FilterPass::FilterPass(const Comparison& c, Form form, bool include_self, int workers, Stats& stats)
    : comparison_(c),
      filter_(c, form, workers),
      grid_(c.x().rows.matrix.rows, c.y().rows.matrix.rows, c.self(), tile_side(c.cols()),
            tile_side(c.cols())),
      include_self_(include_self),
      stats_(stats),
      workspaces_(size_t(workers)) {
  stats_.stages = {filter_.name()};
  stats_.unbounded_rows = c.unbounded_rows();
  stats_.row_major = filter_.row_major();
  stats_.fresh_thread = Team::in_forked_child();
}

FilterPass::Workspace& FilterPass::workspace(int worker) {
  auto& w = workspaces_[size_t(worker)];
  if (!w) {
    w = std::make_unique<Workspace>();
    w->down = Buffer<Candidate>(size_t(kTile) * kTile);
    w->across = Buffer<Candidate>(size_t(kTile) * kTile);
    w->entries = Buffer<Entry>(size_t(kTile) * kTile);
  }
  return *w;
}

void FilterPass::scan(const Tile& t, Workspace& w, ScanArgs& args, const float* of_rows,
                      const float* of_cols, const float* values) {
  const Bounds& b = filter_.bounds();
  const bool weighted = b.weight_x != nullptr;
  auto& l = w.limits;
  for (int i = 0; i < t.rows; ++i) {
    if (weighted) l[0][i] = b.slope(of_rows[i], t.i0 + i);
    l[1][i] = b.offset(of_rows[i], t.i0 + i);
  }
  std::copy_n(b.slack_y + t.j0, t.cols, l[2]);
  args.values = values;
  args.rows = t.rows;
  args.cols = t.cols;
  args.diagonal = t.diagonal;
  args.include_self = include_self_;
  args.down = Limits{l[0], l[1], weighted ? b.weight_y + t.j0 : nullptr, l[2]};
  args.down_out = w.down.get();
  args.across_out = w.across.get();
  Limits across{};
  if (of_cols) {
    for (int j = 0; j < t.cols; ++j) {
      if (weighted) l[3][j] = b.slope(of_cols[j], t.j0 + j);
      l[4][j] = b.offset(of_cols[j], t.j0 + j);
    }
    std::copy_n(b.slack_y + t.i0, t.rows, l[5]);  // a self-join: both sides are one
    across = Limits{l[3], l[4], weighted ? b.weight_x + t.i0 : nullptr, l[5]};
    args.across = &across;
  }
  if (weighted) {
    // The kernel reads whole vectors: what lies behind the last row is not ours.
    std::copy_n(b.weight_y + t.j0, t.cols, l[6]);
    args.down.weight = l[6];
    if (of_cols) {
      std::copy_n(b.weight_x + t.i0, t.rows, l[7]);
      across.weight = l[7];
    }
  }
  kernels().scan(args);
  args.across = nullptr;
  const int64_t n = t.rows;
  stats_.pairs.fetch_add(t.diagonal ? n * (n - 1) / 2 : n * t.cols, std::memory_order_relaxed);
  stats_.candidates.fetch_add(args.down_count + args.across_count, std::memory_order_relaxed);
}

namespace {

// Thrown by a worker when a filter excludes too little.
struct Unsuitable {};

// One attempt with one form of the filter. If it is not the last there is, it gives up early on
// when reservoirs have to be refined: then hardly anything is excluded.
void attempt(const Query& query, const Comparison& comparison, Form form, bool last, int64_t k,
             Team& team, Stats& stats, double* distances, int64_t* indices) {
  ExactDistances exact(comparison, team.threads());
  FilterPass pass(comparison, form, query.include_self, team.threads(), stats);
  Reservoirs reservoirs(comparison, pass.bounds(), k, exact, team.threads(), stats);
  const double cost =
      double(query.x.rows) * double(comparison.y().rows.matrix.rows) * double(query.x.cols);
  const int64_t before = stats.overflows.load();
  const int64_t trial = std::max<int64_t>(16, pass.tiles() / 16);
  team.run(
      pass.tiles(), cost,
      [&](int64_t unit, int worker) {
        pass.tile(
            unit, worker, [&](int64_t row) { return reservoirs.threshold(row); },
            [&](int64_t row, const Entry* entries, int64_t n) {
              reservoirs.offer(worker, row, entries, n);
            });
        if (!last && unit < trial &&
            stats.overflows.load(std::memory_order_relaxed) - before > kTile / 4) {
          throw Unsuitable();
        }
      },
      0, 0.9);
  team.run(
      query.x.rows, cost,
      [&](int64_t row, int worker) {
        reservoirs.finish(worker, row, distances + row * k, indices + row * k);
      },
      0.9, 1);
}

}  // namespace

void neighbors(const Query& query, int64_t k, Team& team, Stats& stats, double* distances,
               int64_t* indices) {
  const Comparison comparison(query.x, query.y, query.metric, true, team);
  const std::vector<Form> candidates = forms(comparison);
  for (const Form form : candidates) {
    try {
      return attempt(query, comparison, form, form == candidates.back(), k, team, stats, distances,
                     indices);
    } catch (const Unsuitable&) {
      continue;
    }
  }
}

}  // namespace lookalike
