// A symmetric positive semi-definite matrix as L Lᵀ, in a fixed order of + − × ÷ √.
#pragma once

#include <cstdint>
#include <vector>

namespace lookalike {

// `matrix` is (n, n), row-major; what is returned is L, in the panels of linear-inl.h. Throws
// std::invalid_argument, in whose words it is `name`, for a matrix that is not symmetric or not positive
// semi-definite. Of A, the mean of the matrix and its transpose, L Lᵀ is off by at most
// (n + 8) 2^-50 √(A_ii A_jj), and by what the negative eigenvalues of A are that rounding has made.
std::vector<double> cholesky(const std::vector<double>& matrix, int64_t n, const char* name);

}  // namespace lookalike
