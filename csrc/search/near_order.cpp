#include "search/near_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "kernels/dispatch.h"
#include "rows/plain_rows.h"

namespace lookalike {
namespace {

constexpr int kCoordinates = 16;
constexpr double kNear =
    0.15;  // of all pairs of tiles: thresholds then are nearly what they will be
constexpr int32_t kTogether = 8;  // tiles of either side whose codes stay in the cache
// With more pairs of tiles than this a list of them would take too much memory: they are left in order.
constexpr int64_t kMostListed = int64_t(1) << 21;

using Coordinates = std::array<uint8_t, kCoordinates>;

std::vector<Coordinates> first_bytes(const ScreenRows& rows, int64_t n) {
  std::vector<Coordinates> out(static_cast<size_t>(n));
  const int some = std::min(kCoordinates, rows.width);
  for (size_t r = 0; r < out.size(); ++r) {
    out[r] = {};
    std::copy_n(&rows.bytes[r * size_t(rows.width)], some, out[r].data());
  }
  return out;
}

void halve(const std::vector<Coordinates>& at, int32_t* begin, int32_t* end) {
  const int64_t n = end - begin, tiles = (n + kTile - 1) / kTile;
  if (tiles < 2) return;
  std::array<int64_t, kCoordinates> sum{}, square{};
  for (const int32_t* row = begin; row < end; ++row) {
    const Coordinates& c = at[size_t(*row)];
    for (size_t k = 0; k < kCoordinates; ++k) {
      sum[k] += c[k];
      square[k] += int64_t(c[k]) * c[k];
    }
  }
  size_t widest = 0;
  double most = -1;
  for (size_t k = 0; k < kCoordinates; ++k) {
    const double spread = double(square[k]) - double(sum[k]) * double(sum[k]) / double(n);
    if (spread <= most) continue;
    most = spread;
    widest = k;
  }
  int32_t* const middle = begin + tiles / 2 * kTile;
  std::nth_element(begin, middle, end, [&](int32_t a, int32_t b) {
    const int left = at[size_t(a)][widest], right = at[size_t(b)][widest];
    return left < right || (left == right && a < b);
  });
  halve(at, begin, middle);
  halve(at, middle, end);
}

}  // namespace

ScreenRows near_coordinates(const Side& side, Team& team) {
  const MetricKernels& products = kernels().metric[int(Metric::Euclidean)];
  const Basis basis = choose_basis(side.rows, products, kCoordinates, team);
  const Plain directions(basis.rows.data(), basis.count, basis.cols, basis.cols, 1);
  std::vector<float> values;
  Products(products, team)(side.rows, directions, 64, values);
  double sum = 0, square = 0;
  for (const float value : values) {
    sum += double(value);
    square += double(value) * value;
  }
  const double count = double(std::max<size_t>(1, values.size())), mean = sum / count;
  const double step = std::sqrt(std::max(0.0, square / count - mean * mean)) / 24;
  ScreenRows out;
  out.width = kCoordinates;
  out.bytes.resize(size_t(side.rows.matrix.rows) * kCoordinates, 128);
  const auto found = size_t(basis.count);
  for (size_t v = 0; v < values.size(); ++v) {
    const double steps = (double(values[v]) - mean) / step;
    out.bytes[v / found * kCoordinates + v % found] = steps > -128 && steps < 127
                                                          ? uint8_t(steps + 128)
                                                      : steps > 0 ? 255
                                                                  : 0;
  }
  return out;
}

std::vector<int32_t> near_order(const ScreenRows& rows) {
  const auto n = int64_t(rows.bytes.size()) / rows.width;
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  halve(first_bytes(rows, n), order.data(), order.data() + n);
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

std::vector<TilePair> near_pairs(const ScreenRows& rows, const std::vector<int32_t>& order) {
  const auto n = int64_t(order.size()), tiles = (n + kTile - 1) / kTile;
  const auto width = size_t(rows.width);
  std::vector<float> centres(size_t(tiles) * width);
  for (int64_t r = 0; r < n; ++r) {
    float* const centre = &centres[size_t(r / kTile) * width];
    const uint8_t* const bytes = &rows.bytes[size_t(order[size_t(r)]) * width];
    for (size_t k = 0; k < width; ++k) centre[k] += bytes[k];
  }
  for (int64_t t = 0; t < tiles; ++t) {
    const auto count = float(std::min<int64_t>(kTile, n - t * kTile));
    for (size_t k = 0; k < width; ++k) centres[size_t(t) * width + k] /= count;
  }
  std::vector<TilePair> pairs;
  pairs.reserve(size_t(tiles * (tiles + 1) / 2));
  for (int32_t i = 0; i < tiles; ++i) {
    for (int32_t j = i; j < tiles; ++j) pairs.push_back({i, j});
  }
  if (int64_t(pairs.size()) > kMostListed) return pairs;
  std::vector<std::pair<float, TilePair>> apart;
  apart.reserve(pairs.size());
  for (const TilePair& p : pairs) {
    const float *a = &centres[size_t(p.i) * width], *b = &centres[size_t(p.j) * width];
    float lanes[4] = {};
    for (size_t k = 0; k < width; k += 4) {
      for (size_t l = 0; l < 4; ++l) lanes[l] += (a[k + l] - b[k + l]) * (a[k + l] - b[k + l]);
    }
    apart.push_back({(lanes[0] + lanes[1]) + (lanes[2] + lanes[3]), p});
  }
  std::sort(apart.begin(), apart.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.second.i != b.second.i ? a.second.i < b.second.i : a.second.j < b.second.j;
  });
  for (size_t p = 0; p < pairs.size(); ++p) pairs[p] = apart[p].second;
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
