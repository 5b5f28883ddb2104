#include "rows/screen_basis.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/dispatch.h"
#include "rows/rounding.h"

namespace lookalike {
namespace {

constexpr int kMore = 33;  // directions more than are wanted, while they are looked for
constexpr int kFewestBits = 8;

// Of magnitudes below 2^22.
float nearest(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }

// Rows of b, the longest first or in their order, made nearly orthonormal: b ← L⁻¹ b with LLᵀ = bbᵀ.
// Directions that nothing is left of are dropped; at most `most` are kept.
void orthonormalise(Matrix& b, bool by_norm, int64_t most, Team& team) {
  const Matrix gram = product(b, transposed(b), team);
  const auto n = size_t(b.rows);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t(0));
  const auto square = [&](size_t i) {
    const float s = gram.at(int64_t(i), int64_t(i));
    return s > 0 && std::isfinite(s) ? s : 0;  // NaN is none
  };
  if (by_norm) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t i, size_t j) { return square(i) > square(j); });
  }
  // Upper triangle of what is left of the Gram matrix; rows of L⁻¹, in that order.
  std::vector<double> left(n * n), inverse(n * n);
  for (size_t i = 0; i < n; ++i) {
    inverse[i * n + i] = 1;
    for (size_t j = i; j < n; ++j) {
      left[i * n + j] = double(gram.at(int64_t(order[i]), int64_t(order[j])));
    }
  }
  const auto subtract = [&](size_t k, size_t i) {  // row k, which is done, from row i
    const double *const own = &left[k * n], *const own_inverse = &inverse[k * n], l = own[i];
    double *const other = &left[i * n], *const other_inverse = &inverse[i * n];
    for (size_t j = i; j < n; ++j) other[j] -= l * own[j];
    for (size_t j = 0; j <= k; ++j) other_inverse[j] -= l * own_inverse[j];
  };
  std::vector<size_t> kept;
  constexpr size_t kBlock = 32, kRows = 16;
  for (size_t first = 0; first < n && int64_t(kept.size()) < most; first += kBlock) {
    const size_t end = std::min(n, first + kBlock), before = kept.size();
    for (size_t k = first; k < end; ++k) {
      double* const own = &left[k * n];
      if (!(own[k] > 1e-6 * double(square(order[k]))) || !(square(order[k]) > 0)) continue;
      const double root = std::sqrt(own[k]);
      for (size_t j = k; j < n; ++j) own[j] /= root;
      for (size_t j = 0; j <= k; ++j) inverse[k * n + j] /= root;
      kept.push_back(k);
      for (size_t i = k + 1; i < end; ++i) subtract(k, i);
    }
    team.run(
        int64_t((n - end + kRows - 1) / kRows), double(n - end) * kBlock * double(n) * 4,
        [&](int64_t unit, int) {
          const size_t from = end + size_t(unit) * kRows;
          for (size_t i = from; i < std::min(n, from + kRows); ++i) {
            for (size_t k = before; k < kept.size(); ++k) subtract(kept[k], i);
          }
        },
        0, 0);
  }
  if (int64_t(kept.size()) > most) kept.resize(size_t(most));
  Matrix combine(int64_t(kept.size()), b.rows);
  for (size_t r = 0; r < kept.size(); ++r) {
    for (size_t j = 0; j < n; ++j) {
      combine.at(int64_t(r), int64_t(order[j])) = float(inverse[kept[r] * n + j]);
    }
  }
  b = product(combine, b, team);
}

// The power of two that makes a direction integers of 16 bits, the sum of whose squares is 2^32 or little
// more.
float unit_of(const float* direction, int64_t cols) {
  double most = 0, square = 0;
  for (int64_t k = 0; k < cols; ++k) {
    most = std::max(most, std::fabs(double(direction[k])));
    square += double(direction[k]) * double(direction[k]);
  }
  for (int bits = 16; bits >= kFewestBits; --bits) {
    const double scale = std::ldexp(1.0, bits);
    if (most * scale <= 32767 && square * scale * scale <= 0x1p32 * 1.02) return float(1 / scale);
  }
  return 0;  // no direction
}

// ‖PPᵀ − 1‖, at the most. Products are exact but for multiples of 2^32, which float32 tells.
double skew_of(const Basis& basis, const Matrix& directions, Team& team) {
  const Matrix near = product(directions, transposed(directions), team);
  const FixedBasis fixed = in_fixed_point(basis);
  const int64_t n = basis.count, row = fixed.panel_count * kPanelDirections;
  std::vector<int16_t> numbers(size_t(n * fixed.stride));
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t k = 0; k < basis.cols; ++k) {
      numbers[size_t(r * fixed.stride + k)] = int16_t(directions.at(r, k) / fixed.units[size_t(r)]);
    }
  }
  std::vector<int32_t> sums(size_t(n * row));
  constexpr int64_t kSome = 16;
  team.run((n + kSome - 1) / kSome, double(n) * double(n) * double(basis.cols),
           [&](int64_t unit, int) {
             const int64_t first = unit * kSome;
             code_kernels(CodeForm::products)
                 .project({&numbers[size_t(first * fixed.stride)], fixed.panels.data(),
                           fixed.stride, int(std::min(kSome, n - first)), fixed.panel_count,
                           &sums[size_t(first * row)], row});
           },
           0, 0);
  Matrix off(n, n);
  double squares = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const double one = double(fixed.units[size_t(i)]) * double(fixed.units[size_t(j)]);
      const double sum = sums[size_t(i * row + j)];
      const double whole = std::nearbyint((double(near.at(i, j)) / one - sum) * 0x1p-32);
      const double apart = (sum + whole * 0x1p32) * one - double(i == j);
      off.at(i, j) = float(apart);
      squares += apart * apart;
    }
  }
  // ‖E‖² = ‖E²‖, at most as a Frobenius norm. In float32 each of its numbers is off by (n + 2) u |E| |E|.
  const Matrix square = product(off, off, team);
  double of_square = 0;
  for (int64_t i = 0; i < n * n; ++i) {
    of_square += double(square.values.get()[i]) * double(square.values.get()[i]);
  }
  const double most = std::sqrt(of_square) + double(n + 4) * kUnit * squares * 1.01 + 0x1p-100;
  return std::min(std::sqrt(most), std::sqrt(squares)) * (1 + kSpare) + 0x1p-60;
}

}  // namespace

int64_t sample_size(int64_t rows) { return std::clamp<int64_t>(rows / 16, 1024, 2048); }

Basis choose_basis(const Matrix& sample, int count, Team& team) {
  const int64_t n = sample.rows, cols = sample.cols;
  Matrix b(std::min<int64_t>({count + kMore, n, cols}), cols);
  for (int64_t r = 0; r < b.rows; ++r) {
    // Differences, as what all rows have in common would drown what they have not.
    const float *const one = sample.row(r * n / b.rows), *const other = sample.row(
                                                             (r * n / b.rows + n / 2 + 1) % n);
    for (int64_t k = 0; k < cols; ++k) b.at(r, k) = one[k] - other[k];
  }
  // One iteration, and what it found brought into the order of its weight.
  if (b.rows > 0) {
    b = product_of_transposed(product(sample, transposed(b), team), sample, team);
    orthonormalise(b, true, b.rows, team);
  }
  if (b.rows > 0) {
    const Matrix weights = product(sample, transposed(b), team, 2);  // by half of the sample
    const Matrix gram = product_of_transposed(weights, weights, team);
    Matrix turned = transposed(gram);        // which is itself
    const int rotations = n > 1500 ? 2 : 1;  // what a second brings is little for few rows
    for (int i = 0; i < rotations && turned.rows > 0; ++i) {
      if (i > 0) turned = product(turned, gram, team);
      orthonormalise(turned, true, i + 1 < rotations ? turned.rows : count, team);
    }
    b = product(turned, b, team);
    if (b.rows > 0) orthonormalise(b, false, b.rows, team);
  }
  Basis basis;
  basis.cols = cols;
  for (int64_t r = 0; r < b.rows; ++r) {
    // Rounding may make a direction longer than its unit allows: then by a larger one.
    const float* from = b.row(r);
    float* const own = b.row(basis.count);
    float unit = unit_of(from, cols), before = 0;
    while (unit > before) {
      for (int64_t k = 0; k < cols; ++k) own[k] = nearest(from[k] / unit) * unit;
      from = own;
      before = unit;
      unit = unit_of(own, cols);
    }
    if (!(unit > 0)) continue;
    basis.rows.insert(basis.rows.end(), own, own + cols);
    ++basis.count;
  }
  b.rows = basis.count;
  if (basis.count > 0) basis.skew = skew_of(basis, b, team);
  return basis;
}

FixedBasis in_fixed_point(const Basis& basis) {
  FixedBasis out;
  out.count = basis.count;
  out.panel_count = (basis.count + kPanelDirections - 1) / kPanelDirections;
  out.stride = (basis.cols + 31) / 32 * 32;
  out.panels.resize(size_t(out.panel_count * kPanelDirections * out.stride));
  out.units.resize(size_t(out.panel_count * kPanelDirections + 16));
  for (int r = 0; r < basis.count; ++r) {
    const float* const direction = &basis.rows[size_t(r * basis.cols)];
    const float unit = unit_of(direction, basis.cols), scale = unit > 0 ? 1 / unit : 0;
    out.units[size_t(r)] = unit;
    int16_t* const to = &out.panels[size_t(r / kPanelDirections * kPanelDirections * out.stride +
                                           r % kPanelDirections * 2)];
    for (int64_t k = 0; k < basis.cols; ++k) {
      to[k / 2 * (2 * kPanelDirections) + k % 2] = int16_t(nearest(direction[k] * scale));
    }
  }
  return out;
}

Projection::Projection(const FixedBasis& basis)
    : basis_(basis),
      sums_row_(basis.panel_count * kPanelDirections),
      values_(size_t(basis.stride)),
      fixed_(size_t(kMost * basis.stride)),
      sums_(size_t(kMost * sums_row_ + 64)) {
  std::fill_n(values_.get(), basis.stride, 0.0f);
}

void Projection::take(int r) {
  kernels().fix_row(values_.get(), basis_.stride, fixed_.get() + r * basis_.stride, &rows_[r]);
}

void Projection::project(int rows) {
  code_kernels(CodeForm::products)
      .project({fixed_.get(), basis_.panels.data(), basis_.stride, rows, basis_.panel_count,
                sums_.get(), sums_row_});
}

}  // namespace lookalike
