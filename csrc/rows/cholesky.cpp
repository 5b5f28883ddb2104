#include "rows/cholesky.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "kernels/rows.h"

namespace lookalike {

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
  std::vector<double> column(static_cast<size_t>(n));
  for (int64_t k = 0; k < n; ++k) {
    const double pivot = a[size_t(k * n + k)], own = size[size_t(k)];
    // Nothing but rounding is left of a feature that the earlier ones determine.
    bool nothing = pivot <= least * own * own;
    for (int64_t i = k + 1; i < n && nothing; ++i) {
      nothing = std::fabs(a[size_t(i * n + k)]) <= 4 * least * own * size[size_t(i)];
    }
    if (!(pivot > 0 || nothing) || pivot < -least * own * own) {
      throw std::invalid_argument(what + " must be positive semi-definite, got a pivot of " +
                                  std::to_string(pivot) + " at " + std::to_string(k));
    }
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
