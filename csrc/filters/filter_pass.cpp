#include "filters/filter_pass.h"

#include <algorithm>

#include "kernels/codes.h"

namespace lookalike {

namespace {

// All pairs of a comparison, or, of a self-join that is split, those of a row of either side. The
// first tiles may begin before the split, as codes lie in groups of rows.
TileGrid grid_of(const Comparison& c, int64_t split) {
  const int side = tile_side(c.cols());
  const int64_t rows = c.x().rows.matrix.rows, others = c.y().rows.matrix.rows;
  if (split == 0) return {rows, others, c.self(), side, side};
  return {split, others, false, side, side, split / kCodeRows * kCodeRows};
}

}  // namespace

FilterPass::FilterPass(const Comparison& c, Stage stage, const CodedDatabase* database,
                       const Exclusion& exclusion, Team& team, Stats& stats)
    : FilterPass(c, make_filter(stage, c, database, team), exclusion, team, stats) {}

FilterPass::FilterPass(const Comparison& c, std::unique_ptr<Filter> filter,
                       const Exclusion& exclusion, Team& team, Stats& stats)
    : comparison_(c),
      filter_(std::move(filter)),
      grid_(grid_of(c, exclusion.split)),
      exclusion_(exclusion),
      stats_(stats),
      workspaces_(size_t(team.threads())) {
  stats_.stages = {filter_->name()};
  stats_.unbounded_rows = c.unbounded_rows();
  stats_.row_major = filter_->row_major();
}

int FilterPass::without_excluded(int64_t row, float* values, int32_t* columns, int n) const {
  if (exclusion_.left_out || exclusion_.split) {
    int kept = 0;
    for (int c = 0; c < n; ++c) {
      values[kept] = values[c];
      columns[kept] = columns[c];
      kept += !exclusion_.excludes(row, columns[c]);
    }
    return kept;
  }
  if (!exclusion_.exclude || exclusion_.exclude[row] < 0) return n;
  const auto excluded = int32_t(exclusion_.exclude[row]);
  const auto at = std::find(columns, columns + n, excluded) - columns;
  if (at == n) return n;
  std::copy(values + at + 1, values + n, values + at);
  std::copy(columns + at + 1, columns + n, columns + at);
  return n - 1;
}

void FilterPass::sample(
    int64_t among,
    const std::function<void(int64_t row, float* values, int32_t* columns, int n)>& look) {
  constexpr int kRows = 8, kGroups = 4, kTiles = 8;
  const int64_t nx = among > 0 ? among : comparison_.x().rows.matrix.rows;
  const int64_t ny = among > 0 ? among : comparison_.y().rows.matrix.rows;
  const int64_t tiles = (ny + kTile - 1) / kTile;
  const int64_t most = nx == 1 ? kTiles / 2 : kTiles;  // one row's sample is part of its time
  std::vector<float> values(kRows * kTiles * kTile);
  std::vector<int32_t> columns(kTiles * kTile);
  int64_t last = -1;
  for (int g = 0; g < kGroups; ++g) {
    const int64_t i0 = nx * g / kGroups / kRows * kRows;
    if (i0 == last) continue;
    last = i0;
    const int rows = int(std::min<int64_t>(kRows, nx - i0));
    int n = 0;
    for (int64_t t = 0; t < std::min(tiles, most); ++t) {
      const int64_t j0 = (tiles <= most ? t : tiles * t / most) * kTile;
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
        const int64_t j0 = (tiles <= most ? t : tiles * t / most) * kTile;
        for (int64_t j = j0; j < std::min(ny, j0 + kTile); ++j) columns[size_t(c++)] = int32_t(j);
      }
      look(i0 + i, values.data() + i * kTiles * kTile, columns.data(), n);
    }
  }
}

double FilterPass::candidates_per_neighbor(int64_t k, int64_t among) {
  const int64_t ny = comparison_.y().rows.matrix.rows;
  const Bounds& b = filter_->bounds();
  std::vector<float> uppers;
  int64_t kept = 0, wanted = 0;
  sample(among, [&](int64_t row, float* values, int32_t* columns, int n) {
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
  sample(0, [&](int64_t row, float* values, int32_t* columns, int n) {
    uppers.resize(size_t(n) + 16);
    kernels().uppers(b.of(row), values, columns, n, uppers.data());
    sure += std::count_if(uppers.begin(), uppers.begin() + n,
                          [&](float upper) { return upper <= threshold; });
    kept += kernels().within(b.limit(threshold, row), values, columns, n);
    pairs += n;
  });
  return double(kept - sure) / double(pairs);
}

}  // namespace lookalike
