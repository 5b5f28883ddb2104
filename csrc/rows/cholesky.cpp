#include "rows/cholesky.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/rows.h"

namespace lookalike {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Of a matrix scaled to a diagonal of ones, for each row: what rounding leaves of an eigenvalue of 0.
constexpr double kMostLeft = 1e-9;

// L in the rows of `a`, column by column. False where rounding has made a pivot of nothing, which happens to
// semi-definite matrices: nothing bounds what the columns before it have made of its own.
bool in_order(std::vector<double>& a, const std::vector<double>& size, double least) {
  const auto n = int64_t(size.size());
  std::vector<double> column(size.size());
  for (int64_t k = 0; k < n; ++k) {
    const double pivot = a[size_t(k * n + k)], own = size[size_t(k)];
    // Nothing but rounding is left of a feature that the earlier ones determine.
    bool nothing = pivot <= least * own * own;
    for (int64_t i = k + 1; i < n && nothing; ++i) {
      nothing = std::fabs(a[size_t(i * n + k)]) <= 4 * least * own * size[size_t(i)];
    }
    if (!(pivot > 0 || nothing) || pivot < -least * own * own) return false;
    const double root = nothing ? 0 : std::sqrt(pivot);
    a[size_t(k * n + k)] = root;
    for (int64_t i = k + 1; i < n; ++i) {
      double& entry = a[size_t(i * n + k)];
      entry = nothing ? 0 : entry / root;
      column[size_t(i)] = entry;
    }
    if (nothing) continue;
    for (int64_t i = k + 1; i < n; ++i) {
      const double factor = column[size_t(i)];
      double* const row = a.data() + i * n;
      for (int64_t j = k + 1; j <= i; ++j) row[j] -= factor * column[size_t(j)];
    }
  }
  return true;
}

// Reflects rows of m, n x rank, so that row i has nothing beyond column i: m mᵀ stays what it is.
void make_triangular(std::vector<double>& m, int64_t n, int64_t rank) {
  std::vector<double> v(static_cast<size_t>(rank));
  for (int64_t i = 0, c = 0; i < n && c < rank; ++i) {
    double* const row = m.data() + i * rank;
    double square = 0;
    for (int64_t k = c; k < rank; ++k) square += row[k] * row[k];
    if (square == 0) continue;
    const double norm = row[c] > 0 ? -std::sqrt(square) : std::sqrt(square);
    std::copy(row + c, row + rank, v.begin() + c);
    v[size_t(c)] -= norm;
    const double half = norm * (norm - row[c]);  // of |v|²
    row[c] = norm;
    std::fill(row + c + 1, row + rank, 0.0);
    for (int64_t j = i + 1; j < n; ++j) {
      double* const other = m.data() + j * rank;
      double dot = 0;
      for (int64_t k = c; k < rank; ++k) dot += v[size_t(k)] * other[k];
      dot /= half;
      for (int64_t k = c; k < rank; ++k) other[k] -= dot * v[size_t(k)];
    }
    ++c;
  }
}

// The same by the largest pivot first, of the matrix scaled to a diagonal of ones: what is left when all
// pivots are rounding is rounding as well. Returns the largest of it.
double by_size(std::vector<double>& a, const std::vector<double>& size, double least) {
  const auto n = int64_t(size.size());
  std::vector<double> b(a.size()), columns, column(size.size());
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const double sizes = size[size_t(i)] * size[size_t(j)], entry = a[size_t(i * n + j)];
      if (sizes > 0) b[size_t(i * n + j)] = entry / sizes;
      // Else it must be 0 itself.
      if (!(sizes > 0) && entry != 0) return kInfinity;
    }
  }
  const auto at = [&](int64_t i, int64_t j) -> double& {
    return b[size_t(i < j ? j * n + i : i * n + j)];
  };
  int64_t rank = 0;
  for (; rank < n; ++rank) {
    int64_t p = 0;
    for (int64_t i = 1; i < n; ++i) p = at(i, i) > at(p, p) ? i : p;
    const double pivot = at(p, p);
    bool good = pivot > least;
    // Of no semi-definite matrix is an entry larger than all of the diagonal.
    for (int64_t i = 0; i < n && good; ++i) good = std::fabs(at(i, p)) <= 2 * pivot;
    if (!good) break;
    const double root = std::sqrt(pivot);
    for (int64_t i = 0; i < n; ++i) column[size_t(i)] = at(i, p) / root;
    for (int64_t i = 0; i < n; ++i) {
      const double factor = column[size_t(i)];
      if (factor == 0) continue;
      double* const row = b.data() + i * n;
      for (int64_t j = 0; j <= i; ++j) row[j] -= factor * column[size_t(j)];
    }
    for (int64_t i = 0; i < n; ++i) at(i, p) = 0;
    columns.insert(columns.end(), column.begin(), column.end());
  }
  double most = 0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) most = std::max(most, std::fabs(b[size_t(i * n + j)]));
  }
  std::vector<double> m(size_t(n * rank));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < rank; ++c) {
      m[size_t(i * rank + c)] = columns[size_t(c * n + i)];
    }
  }
  make_triangular(m, n, rank);
  std::fill(a.begin(), a.end(), 0.0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < std::min(rank, i + 1); ++c) {
      a[size_t(i * n + c)] = m[size_t(i * rank + c)] * size[size_t(i)];
    }
  }
  return most;
}

}  // namespace

std::vector<double> cholesky(const std::vector<double>& matrix, int64_t n, const char* name) {
  const std::string what = name;
  const auto given = [&](int64_t i, int64_t j) { return matrix[size_t(i * n + j)]; };
  std::vector<double> a(size_t(n * n)), size(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    const double square = given(i, i);
    if (!(square >= 0 && square <= 0x1p400)) {
      throw std::invalid_argument(what +
                                  " must have numbers from 0 to 2**400 on its diagonal, got " +
                                  std::to_string(square) + " at " + std::to_string(i));
    }
    size[size_t(i)] = std::sqrt(square);
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const double one = given(i, j), other = given(j, i),
                   sizes = size[size_t(i)] * size[size_t(j)];
      if (!(std::fabs(one - other) <= 0x1p-26 * sizes)) {
        throw std::invalid_argument(what + " must be symmetric, got " + std::to_string(one) +
                                    " and " + std::to_string(other) + " at " + std::to_string(i) +
                                    ", " + std::to_string(j));
      }
      a[size_t(i * n + j)] = i == j ? one : 0.5 * one + 0.5 * other;
    }
  }
  const double least = double(n + 8) * 0x1p-52;
  const std::vector<double> symmetric = a;
  if (!in_order(a, size, least)) {
    a = symmetric;
    const double left = by_size(a, size, least);
    if (!(left <= kMostLeft * double(n))) {
      throw std::invalid_argument(what + " must be positive semi-definite");
    }
  }
  const int64_t panels = (n + kLinearPanel - 1) / kLinearPanel;
  std::vector<double> out(size_t(panels * n * kLinearPanel));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      const int64_t panel = j / kLinearPanel, at = j % kLinearPanel;
      out[size_t((panel * n + i) * kLinearPanel + at)] = a[size_t(i * n + j)];
    }
  }
  return out;
}

}  // namespace lookalike
