// The k nearest rows, or all within a radius, exactly as the float64 distances have them.
#pragma once

#include <limits>
#include <stdexcept>

#include "filters/filter_pass.h"
#include "stats.h"

namespace lookalike {

struct Kept;

struct Query {
  MatrixView x;
  const MatrixView* y;  // null: x among itself
  Specification specification;
  Exclusion exclusion;
};

// distances and indices are (x.rows, k); 1 <= k <= the rows there are to choose from.
void neighbors(const Query& query, int64_t k, Team& team, Stats& stats, double* distances,
               int64_t* indices);

// The same for a comparison with a database that may have been coded before; `database` may be null.
void neighbors(const Comparison& comparison, const CodedDatabase* database,
               const Exclusion& exclusion, int64_t k, Team& team, Stats& stats, double* distances,
               int64_t* indices);

// The k nearest rows on the other side of a split for each row of x, on either side: a self-join's work
// for the pairs of two blocks of rows. Rows that are not among the nearest with what the asking row has
// kept may be missing from its list. Lists may be shorter than k, and then end with index -1 at distance infinity.
void neighbors_across(const MatrixView& x, int64_t split, const Specification& specification,
                      const Kept& kept, int64_t k, Team& team, Stats& stats, double* distances,
                      int64_t* indices);

struct Within {
  int64_t rows = 0;
  Buffer<int64_t> indptr, indices;
  Buffer<double> distances;
  int64_t count() const { return indptr.get()[rows]; }
};
// There are more pairs than the caller has a use for.
struct TooManyPairs : std::runtime_error {
  TooManyPairs() : std::runtime_error("too many pairs") {}
};
// Throws TooManyPairs once more than `most` are found.
Within radius_neighbors(const Query& query, double radius, Team& team, Stats& stats,
                        int64_t most = std::numeric_limits<int64_t>::max());
Within radius_neighbors(const Comparison& comparison, const CodedDatabase* database,
                        const Exclusion& exclusion, double radius, Team& team, Stats& stats,
                        int64_t most = std::numeric_limits<int64_t>::max());

// The k smallest of each row of a matrix. Throws BadRow for a NaN.
void topk(const MatrixView& matrix, int64_t k, Team& team, double* distances, int64_t* indices);

}  // namespace lookalike
