#include "rows/screen_basis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/dispatch.h"
#include "rows/plain_rows.h"
#include "rows/rounding.h"

namespace lookalike {
namespace {

constexpr int kDepth = 64;  // features summed in float32 by a projection
constexpr int kSpread = 256;
constexpr int kMore = 16;  // directions more than are wanted, while they are looked for
constexpr int kIterations = 2;

// Of a float32 sum of n products, in runs of `depth` that are added in float64.
double gamma(int depth) {
  const double n = (depth + 2) * kUnit;
  return n / (1 - n) + 0x1p-40;
}

// Rows of `b` (count x cols), the longest first or in their order, made nearly orthonormal: b ← L⁻¹ b with LLᵀ = bbᵀ.
// Directions that nothing is left of are dropped.
void orthonormalise(std::vector<float>& b, int& count, int64_t cols, bool by_norm,
                    Products& products) {
  std::vector<double> gram;
  const Plain plain(b.data(), count, cols, cols, 1);
  products(plain, plain, 16, gram);
  const auto g = [&](int i, int j) -> double& { return gram[size_t(i * count + j)]; };
  std::vector<int> order(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) order[size_t(i)] = i;
  if (by_norm) {
    const auto longer = [&](int i, int j) {
      const double one = g(i, i) > 0 ? g(i, i) : 0;  // NaN is none
      const double other = g(j, j) > 0 ? g(j, j) : 0;
      return one > other || (one == other && i < j);
    };
    std::sort(order.begin(), order.end(), longer);
  }
  // Row k of `lower` is that of L, and of `inverse` that of L⁻¹ in the order of b.
  std::vector<std::vector<double>> lower, inverse;
  std::vector<int> kept;
  for (const int i : order) {
    if (!(g(i, i) > 0) || !std::isfinite(g(i, i))) continue;
    std::vector<double> l(kept.size()), r(size_t(count), 0.0);
    double left = g(i, i);
    for (size_t k = 0; k < kept.size(); ++k) {
      double sum = g(i, kept[k]);
      for (size_t m = 0; m < k; ++m) sum -= l[m] * lower[k][m];
      l[k] = sum / lower[k][k];
      left -= l[k] * l[k];
    }
    if (!(left > 1e-5 * g(i, i))) continue;
    const double root = std::sqrt(left);
    r[size_t(i)] = 1;
    for (size_t k = 0; k < kept.size(); ++k) {
      for (size_t c = 0; c < r.size(); ++c) r[c] -= l[k] * inverse[k][c];
    }
    for (double& value : r) value /= root;
    l.push_back(root);
    lower.push_back(std::move(l));
    inverse.push_back(std::move(r));
    kept.push_back(i);
  }
  std::vector<float> combine;
  for (const auto& row : inverse) combine.insert(combine.end(), row.begin(), row.end());
  const Plain x(combine.data(), int64_t(inverse.size()), count, count, 1),
      y(b.data(), cols, count, 1, cols);
  std::vector<float> out;
  products(x, y, kDepth, out);
  count = int(inverse.size());
  b = std::move(out);
}

}  // namespace

int64_t sample_size(int64_t rows) { return std::clamp<int64_t>(rows / 16, 1024, 2048); }

double directions(const Comparison& comparison, Team& team) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, n = std::min<int64_t>(kSpread, rows.matrix.rows);
  std::vector<float> sample = sampled(rows, n, team);
  std::vector<double> mean(static_cast<size_t>(cols));
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t k = 0; k < cols; ++k) mean[size_t(k)] += double(sample[size_t(r * cols + k)]);
  }
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t k = 0; k < cols; ++k) {
      sample[size_t(r * cols + k)] -= float(mean[size_t(k)] / double(n));
    }
  }
  std::vector<double> gram;
  const Plain plain(sample.data(), n, cols, cols, 1);
  Products(comparison.kernels(), team)(plain, plain, kDepth, gram);
  double squares = 0, pairs = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) {
      const double norms = gram[size_t(i * n + i)] * gram[size_t(j * n + j)];
      const double dot = gram[size_t(i * n + j)];
      if (!(norms > 0)) continue;
      squares += dot * dot / norms;
      ++pairs;
    }
  }
  return squares > 0 ? pairs / squares : double(cols);
}

Basis choose_basis(const Rows& rows, const MetricKernels& metric, int count, Team& team) {
  const int64_t cols = rows.filter_cols,
                n = std::min(sample_size(rows.matrix.rows), rows.matrix.rows);
  const std::vector<float> sample = sampled(rows, n, team);
  Products products(metric, team);
  int width = int(std::min<int64_t>({count + kMore, n, cols}));
  std::vector<float> b(static_cast<size_t>(width * cols)), y;
  for (int64_t r = 0; r < width; ++r) {
    std::copy_n(&sample[size_t(r * n / width * cols)], cols, &b[size_t(r * cols)]);
  }
  const Plain s(sample.data(), n, cols, cols, 1), transposed(sample.data(), cols, n, 1, cols);
  for (int i = 0; i < kIterations && width > 0; ++i) {
    orthonormalise(b, width, cols, true, products);
    const Plain directions(b.data(), width, cols, cols, 1);
    products(s, directions, kDepth, y);
    const Plain weights(y.data(), width, n, 1, width);
    std::vector<float> next;
    products(weights, transposed, kDepth, next);
    b = std::move(next);
  }
  // Once more makes them orthonormal to float32's rounding.
  for (int i = 0; i < 2 && width > 0; ++i) orthonormalise(b, width, cols, i == 0, products);
  Basis basis;
  basis.cols = cols;
  basis.count = std::min(width, count);
  b.resize(size_t(basis.count * cols));
  basis.rows = std::move(b);
  if (basis.count == 0) return basis;
  const Plain directions(basis.rows.data(), basis.count, cols, cols, 1);
  std::vector<double> gram;
  products(directions, directions, 16, gram);
  double squares = 0, norms = 0;
  for (int i = 0; i < basis.count; ++i) {
    for (int j = 0; j < basis.count; ++j) {
      const double off = gram[size_t(i * basis.count + j)] - (i == j);
      squares += off * off;
    }
    norms += gram[size_t(i * basis.count + i)];
  }
  // Each product is off by γ |p_i| |p_j|; diagonal products bound the norms.
  const double error = gamma(16) * norms / (1 - gamma(16));
  basis.skew = (std::sqrt(squares) + error) * (1 + kSpare);
  return basis;
}

void project(const MetricKernels& metric, const Rows& x, const Basis& basis, int64_t first, int n,
             SumsWorkspace& workspace, double* coordinates, Projected* out) {
  const int count = basis.count;
  workspace.prepare(false);
  workspace.scratch.a_first = -1;
  double* const sums = workspace.scratch.sums;
  const Plain directions(basis.rows.data(), count, basis.cols, basis.cols, 1);
  metric.dot_sums(x, directions, Tile{first, 0, n, count, false}, kDepth, workspace.scratch, sums);
  std::vector<float> row(static_cast<size_t>(basis.cols));
  const double longest = 1 + basis.skew;  // no direction, nor P, is longer
  for (int i = 0; i < n; ++i) {
    kernels().filter_row(x, first + i, 0, basis.cols, row.data());
    double lanes[8] = {}, square = 0, seen = 0;
    int64_t k = 0;
    for (; k + 8 <= basis.cols; k += 8) {
      for (int l = 0; l < 8; ++l) lanes[l] += double(row[size_t(k + l)]) * row[size_t(k + l)];
    }
    for (; k < basis.cols; ++k) square += double(row[size_t(k)]) * row[size_t(k)];
    for (const double lane : lanes) square += lane;
    for (int c = 0; c < count; ++c) {
      const double z = sums[i * kTile + c];
      coordinates[i * count + c] = z;
      seen += z * z;
    }
    // What underflows is absolute: 2^-149 of each product and sum.
    const double norm = std::sqrt(square) * (1 + 0x1p-30);
    const double lost = 0x1p-148 * double(basis.cols);
    Projected& p = out[i];
    p.error = std::sqrt(double(count)) * (gamma(kDepth) * longest * norm + lost) * (1 + 0x1p-30);
    // ‖x‖² − 2‖Px‖² + ‖PᵀPx‖² is ‖x‖² − ‖z‖² but for ‖z‖² skew.
    const double left = std::max(0.0, square - seen);
    const double off = (p.error * (2 * longest * norm + p.error) +
                        (basis.skew * longest * longest + 0x1p-38) * square) *
                       (1 + 0x1p-30);
    p.rest = std::sqrt(left);
    p.rest_error = p.rest > 0 ? std::min(std::sqrt(off), off / p.rest) : std::sqrt(off);
    p.rest_error += p.rest * 0x1p-50;
    if (!(p.error < std::numeric_limits<double>::infinity()) || !(p.rest_error >= 0)) {
      p.error = p.rest_error = std::numeric_limits<double>::infinity();
    }
  }
}

}  // namespace lookalike
