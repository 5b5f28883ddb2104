#include "search/near_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "kernels/kernels.h"

namespace lookalike {
namespace {

constexpr int kCoordinates = 16;   // that rows are halved by
constexpr int kOfCentres = 32;     // that tiles are compared by
constexpr int64_t kSample = 1024;  // rows whose main directions those are
// Of all pairs of tiles: thresholds then are nearly what they will be.
constexpr double kNear = 0.15;
constexpr int32_t kTogether = 8;  // tiles of either side whose codes stay in the cache
// With more pairs of tiles than this a list of them would take too much memory.
constexpr int64_t kMostListed = int64_t(1) << 21;

struct Row {
  uint8_t at[kCoordinates];
  int32_t index;
};

// The coordinate that differs most.
int widest(const Row* rows, int64_t n) {
  int64_t sum[kCoordinates] = {}, square[kCoordinates] = {};
  constexpr int64_t kSome = 4096;  // whose squares fit 32 bits
  for (int64_t first = 0; first < n; first += kSome) {
    uint32_t sums[kCoordinates] = {}, squares[kCoordinates] = {};
    for (const Row* row = rows + first; row < rows + std::min(n, first + kSome); ++row) {
      for (int k = 0; k < kCoordinates; ++k) {
        const uint32_t at = row->at[k];
        sums[k] += at;
        squares[k] += at * at;
      }
    }
    for (int k = 0; k < kCoordinates; ++k) {
      sum[k] += sums[k];
      square[k] += squares[k];
    }
  }
  int best = 0;
  double most = -1;
  for (int k = 0; k < kCoordinates; ++k) {
    const double spread = double(square[k]) - double(sum[k]) * double(sum[k]) / double(n);
    if (spread <= most) continue;
    most = spread;
    best = k;
  }
  return best;
}

// Moves the `low` rows that are least in one coordinate to the front; all keep their order otherwise.
void divide(Row* rows, Row* scratch, int64_t n, int64_t low) {
  const int k = widest(rows, n);
  int64_t counts[256] = {};
  for (int64_t r = 0; r < n; ++r) ++counts[rows[r].at[k]];
  int middle = 0;
  int64_t ties = low;  // rows at the middle that go to the front
  while (ties >= counts[middle]) ties -= counts[middle++];
  int64_t front = 0, back = low;
  for (int64_t r = 0; r < n; ++r) {
    const int at = rows[r].at[k];
    const bool first = at < middle || (at == middle && ties-- > 0);
    scratch[first ? front++ : back++] = rows[r];
  }
  std::copy_n(scratch, n, rows);
}

struct Part {
  int64_t begin, end;
  int64_t tiles() const { return (end - begin + kTile - 1) / kTile; }
  int64_t middle() const { return begin + tiles() / 2 * kTile; }
};

void halve(Row* rows, Row* scratch, Part part) {
  if (part.tiles() < 2) return;
  const int64_t middle = part.middle();
  divide(rows + part.begin, scratch + part.begin, part.end - part.begin, middle - part.begin);
  halve(rows, scratch, {part.begin, middle});
  halve(rows, scratch, {middle, part.end});
}

}  // namespace

ScreenRows near_coordinates(const Comparison& comparison, const Coding& coding, Team& team) {
  const Side& side = comparison.x();
  const Matrix sample = sampled(side.rows, std::min(kSample, side.rows.matrix.rows), 0.5, team);
  const Basis basis = choose_basis(sample, kCoordinates - 1, team);
  const ScreenCoding screens =
      product_screens(basis, kCoordinates, coordinates_of(sample, basis, team));
  return encode_screens(screens, coding, side, team);
}

std::vector<int32_t> near_order(const ScreenRows& screens, Team& team) {
  const auto n = int64_t(screens.bytes.size()) / screens.width;
  const int some = std::min(kCoordinates, screens.width);
  std::vector<Row> rows(static_cast<size_t>(n)), scratch(rows.size());
  for (size_t r = 0; r < rows.size(); ++r) {
    rows[r].index = int32_t(r);
    std::copy_n(&screens.bytes[r * size_t(screens.width)], some, rows[r].at);
  }
  // Level by level, until there are parts enough for all threads to take whole ones.
  std::vector<Part> parts = {{0, n}};
  while (int64_t(parts.size()) < 4 * team.threads() && parts[0].tiles() > 1) {
    team.run(
        int64_t(parts.size()), 8.0 * double(n),
        [&](int64_t unit, int) {
          const Part& p = parts[size_t(unit)];
          if (p.tiles() < 2) return;
          divide(&rows[size_t(p.begin)], &scratch[size_t(p.begin)], p.end - p.begin,
                 p.middle() - p.begin);
        },
        0, 0);
    std::vector<Part> halves;
    for (const Part& p : parts) {
      if (p.tiles() < 2) {
        halves.push_back(p);
        continue;
      }
      halves.push_back({p.begin, p.middle()});
      halves.push_back({p.middle(), p.end});
    }
    if (halves.size() == parts.size()) break;
    parts = std::move(halves);
  }
  team.run(
      int64_t(parts.size()), 64.0 * double(n),
      [&](int64_t unit, int) { halve(rows.data(), scratch.data(), parts[size_t(unit)]); }, 0, 0);
  std::vector<int32_t> order(rows.size());
  for (size_t r = 0; r < rows.size(); ++r) order[r] = rows[r].index;
  return order;
}

void worst_last(const std::vector<float>& residual, std::vector<int32_t>& order) {
  std::vector<float> sorted = residual;
  const auto middle = sorted.begin() + std::ptrdiff_t(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const float most = 2 * *middle;
  std::stable_partition(order.begin(), order.end(),
                        [&](int32_t row) { return residual[size_t(row)] <= most; });
}

std::vector<TilePair> near_pairs(const ScreenRows& rows, const std::vector<int32_t>& order,
                                 Team& team) {
  const auto n = int64_t(order.size()), tiles = (n + kTile - 1) / kTile;
  const int64_t count = tiles * (tiles + 1) / 2;
  if (count > kMostListed) return {};
  std::vector<TilePair> pairs(static_cast<size_t>(count));
  const auto start = [&](int64_t i) {
    return i * tiles - i * (i - 1) / 2;
  };  // of row i of the pairs
  const int some = std::min(kOfCentres, rows.width);
  std::vector<float> centres(size_t(tiles * kOfCentres));
  team.run(
      tiles, double(n) * some,
      [&](int64_t tile, int) {
        uint32_t sums[kOfCentres] = {};
        const int64_t end = std::min(n, (tile + 1) * kTile);
        for (int64_t r = tile * kTile; r < end; ++r) {
          const uint8_t* const bytes = &rows.bytes[size_t(order[size_t(r)]) * size_t(rows.width)];
          for (int k = 0; k < some; ++k) sums[k] += bytes[k];
        }
        for (int k = 0; k < some; ++k) {
          centres[size_t(tile * kOfCentres + k)] = float(sums[k]) / float(end - tile * kTile);
        }
      },
      0, 0);
  std::vector<float> apart(pairs.size());
  team.run(
      tiles, double(pairs.size()) * kOfCentres,
      [&](int64_t i, int) {
        const float* const a = &centres[size_t(i * kOfCentres)];
        for (int64_t j = i; j < tiles; ++j) {
          const float* const b = &centres[size_t(j * kOfCentres)];
          float lanes[4] = {};
          for (int k = 0; k < kOfCentres; k += 4) {
            for (int l = 0; l < 4; ++l) lanes[l] += (a[k + l] - b[k + l]) * (a[k + l] - b[k + l]);
          }
          apart[size_t(start(i) + j - i)] =
              std::sqrt((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
        }
      },
      0, 0);
  // Into so many steps of distance, by counting.
  constexpr size_t kSteps = 4096;
  const float most = *std::max_element(apart.begin(), apart.end());
  const float scale = most > 0 ? float(kSteps - 1) / most : 0;
  const auto step_of = [&](float distance) {
    return std::min(kSteps - 1, size_t(distance * scale));
  };
  std::vector<size_t> at(kSteps + 1);
  for (const float distance : apart) ++at[step_of(distance) + 1];
  for (size_t s = 0; s < kSteps; ++s) at[s + 1] += at[s];
  size_t pair = 0;
  for (int32_t i = 0; i < tiles; ++i) {
    for (int32_t j = i; j < tiles; ++j) pairs[at[step_of(apart[pair++])]++] = {i, j};
  }
  const auto near = pairs.begin() + std::ptrdiff_t(double(pairs.size()) * kNear);
  std::sort(near, pairs.end(), [](const TilePair& a, const TilePair& b) {
    const auto place = [](const TilePair& p) {
      return std::array<int32_t, 4>{p.i / kTogether, p.j / kTogether, p.i, p.j};
    };
    return place(a) < place(b);
  });
  return pairs;
}

}  // namespace lookalike
