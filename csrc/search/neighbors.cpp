#include "search/neighbors.h"

#include <numeric>

#include "kernels/dispatch.h"

namespace lookalike {

FilterPass::FilterPass(const Comparison& c, Stage stage, const CodedDatabase* database,
                       bool include_self, Team& team, Stats& stats)
    : comparison_(c),
      filter_(make_filter(stage, c, database, team)),
      grid_(c.x().rows.matrix.rows, c.y().rows.matrix.rows, c.self(), tile_side(c.cols()),
            tile_side(c.cols())),
      include_self_(include_self),
      stats_(stats),
      workspaces_(size_t(team.threads())) {
  stats_.stages = {filter_->name()};
  stats_.unbounded_rows = c.unbounded_rows();
  stats_.row_major = filter_->row_major();
  stats_.fresh_thread = Team::in_forked_child();
}

FilterPass::Workspace& FilterPass::workspace(int worker) {
  auto& w = workspaces_[size_t(worker)];
  if (!w) {
    w = std::make_unique<Workspace>();
    constexpr size_t kSquare = size_t(kTile) * kTile;
    if (comparison_.self()) w->transposed = Buffer<float>(kSquare);
    w->values = Buffer<float>(kSquare + 16);
    w->columns = Buffer<int32_t>(kSquare + 16);
  }
  return *w;
}

void FilterPass::sample(
    const std::function<void(int64_t row, float* values, int32_t* columns, int n)>& look) {
  constexpr int kRows = 8, kGroups = 4, kTiles = 8;
  const int64_t nx = comparison_.x().rows.matrix.rows, ny = comparison_.y().rows.matrix.rows;
  const int64_t tiles = (ny + kTile - 1) / kTile;
  std::vector<float> values(kRows * kTiles * kTile);
  std::vector<int32_t> columns(kTiles * kTile);
  int64_t last = -1;
  for (int g = 0; g < kGroups; ++g) {
    const int64_t i0 = nx * g / kGroups / kRows * kRows;
    if (i0 == last) continue;
    last = i0;
    const int rows = int(std::min<int64_t>(kRows, nx - i0));
    int n = 0;
    for (int64_t t = 0; t < std::min<int64_t>(tiles, kTiles); ++t) {
      const int64_t j0 = (tiles <= kTiles ? t : tiles * t / kTiles) * kTile;
      const int cols = int(std::min<int64_t>(kTile, ny - j0));
      const float* found = filter_->values(Tile{i0, j0, rows, cols, false}, 0);
      for (int i = 0; i < rows; ++i) {
        std::copy_n(found + i * kTile, cols, values.data() + i * kTiles * kTile + n);
      }
      n += cols;
    }
    for (int i = 0; i < rows; ++i) {
      int c = 0;
      for (int64_t t = 0; c < n; ++t) {
        const int64_t j0 = (tiles <= kTiles ? t : tiles * t / kTiles) * kTile;
        for (int64_t j = j0; j < std::min(ny, j0 + kTile); ++j) columns[size_t(c++)] = int32_t(j);
      }
      look(i0 + i, values.data() + i * kTiles * kTile, columns.data(), n);
    }
  }
}

double FilterPass::candidates_per_neighbor(int64_t k) {
  const int64_t ny = comparison_.y().rows.matrix.rows;
  const Bounds& b = filter_->bounds();
  std::vector<float> uppers;
  int64_t kept = 0, wanted = 0;
  sample([&](int64_t row, float* values, int32_t* columns, int n) {
    const int64_t share = std::clamp<int64_t>(k * n / ny, 1, n);
    uppers.resize(size_t(n) + 16);
    kernels().uppers(b.of(row), values, columns, n, uppers.data());
    const float threshold = kernels().kth_smallest(uppers.data(), n, share);
    kept += kernels().within(b.limit(threshold, row), values, columns, n);
    wanted += share;
  });
  return double(kept) / double(wanted);
}

double FilterPass::doubtful(float threshold) {
  const Bounds& b = filter_->bounds();
  std::vector<float> uppers;
  int64_t kept = 0, sure = 0, pairs = 0;
  sample([&](int64_t row, float* values, int32_t* columns, int n) {
    uppers.resize(size_t(n) + 16);
    kernels().uppers(b.of(row), values, columns, n, uppers.data());
    sure += std::count_if(uppers.begin(), uppers.begin() + n,
                          [&](float upper) { return upper <= threshold; });
    kept += kernels().within(b.limit(threshold, row), values, columns, n);
    pairs += n;
  });
  return double(kept - sure) / double(pairs);
}

namespace {

// Thrown by a worker when a filter excludes too little.
struct Unsuitable {};

// Where codes leave more candidates than this, float32 is faster in all. Dividing it is slow, and a
// prepared database is read for a few queries, whose candidates are few against its rows.
double most_candidates(const Traits& traits, bool prepared) {
  return prepared ? 8 : traits.change == Change::ratio ? 4 : 2.6;
}

// One attempt with one form of the filter. If it is not the last there is, it gives up early on
// when reservoirs have to be refined: then hardly anything is excluded.
void attempt(const Comparison& comparison, const CodedDatabase* database, bool include_self,
             Stage stage, bool last, int64_t k, Team& team, Stats& stats, double* distances,
             int64_t* indices) {
  const int64_t rows = comparison.x().rows.matrix.rows;
  Lap lap;
  ExactDistances exact(comparison, team.threads());
  FilterPass pass(comparison, stage, database, include_self, team, stats);
  if (!last && stage == Stage::codes) {
    stats.candidates_per_neighbor = pass.candidates_per_neighbor(k);
    if (stats.candidates_per_neighbor > most_candidates(comparison.traits(), database != nullptr))
      throw Unsuitable();
  }
  lap.to(stats.preparing);
  std::unique_ptr<Inbox> inbox;
  if (comparison.self()) inbox = std::make_unique<Inbox>(rows, k, distances, indices);
  Reservoirs reservoirs(comparison, pass.bounds(), k, exact, team.threads(), stats);
  const double cost =
      double(rows) * double(comparison.y().rows.matrix.rows) * double(comparison.cols());
  const int64_t before = stats.overflows.load();
  // The 8-bit filter has passed a sample already.
  const int64_t most_overflows = stage == Stage::codes ? rows : rows / 4;
  const int64_t trial = std::max<int64_t>(16, pass.tiles() / 16);
  team.run(
      pass.tiles(), cost,
      [&](int64_t unit, int worker) {
        pass.tile(
            unit, worker, [&](int64_t row) { return reservoirs.threshold(row); },
            [&](int64_t row, float* values, int32_t* indices, int n) {
              reservoirs.offer(worker, row, values, indices, n);
            });
        if (!last && unit < trial &&
            stats.overflows.load(std::memory_order_relaxed) - before > most_overflows) {
          throw Unsuitable();
        }
      },
      0, 0.9);
  team.run(
      rows, cost,
      [&](int64_t row, int worker) {
        Lap lap;
        reservoirs.finish(worker, row, inbox.get(), distances + row * k, indices + row * k);
        lap.to(stats.refining);
      },
      0.9, 1);
}

}  // namespace

void neighbors(const Comparison& comparison, const CodedDatabase* database, bool include_self,
               int64_t k, Team& team, Stats& stats, double* distances, int64_t* indices) {
  const std::vector<Stage> list = stages(comparison, database);
  for (const Stage stage : list) {
    try {
      return attempt(comparison, database, include_self, stage, stage == list.back(), k, team,
                     stats, distances, indices);
    } catch (const Unsuitable&) {
      continue;
    }
  }
}

void neighbors(const Query& query, int64_t k, Team& team, Stats& stats, double* distances,
               int64_t* indices) {
  Lap lap;
  const Comparison comparison(query.x, query.y, query.metric, true, team);
  lap.to(stats.preparing);
  neighbors(comparison, nullptr, query.include_self, k, team, stats, distances, indices);
}

}  // namespace lookalike
