// The metrics there are, and what the drivers need to know of one.
#pragma once

#include <cstdint>

// Adding a distance: its struct in distances-inl.h, its line here, its line in tests/reference.py. Of
// several structs of a name the first that takes the parameters given is meant.
#define LOOKALIKE_METRICS(METRIC)            \
  METRIC(Manhattan, "manhattan")             \
  METRIC(Euclidean, "euclidean")             \
  METRIC(Cosine, "cosine")                   \
  METRIC(BrayCurtis, "braycurtis")           \
  METRIC(Canberra, "canberra")               \
  METRIC(Chebyshev, "chebyshev")             \
  METRIC(Correlation, "correlation")         \
  METRIC(SquaredEuclidean, "sqeuclidean")    \
  METRIC(StandardEuclidean, "seuclidean")    \
  METRIC(MinkowskiCubes, "minkowski")        \
  METRIC(Minkowski, "minkowski")             \
  METRIC(Mahalanobis, "mahalanobis")         \
  METRIC(Hellinger, "hellinger")             \
  METRIC(JensenShannon, "jensenshannon")     \
  METRIC(ChiSquare, "chisquare")             \
  METRIC(Hamming, "hamming")                 \
  METRIC(WeightedManhattan, "manhattan")     \
  METRIC(WeightedEuclidean, "euclidean")     \
  METRIC(WeightedCosine, "cosine")           \
  METRIC(WeightedBrayCurtis, "braycurtis")   \
  METRIC(WeightedCanberra, "canberra")       \
  METRIC(WeightedChebyshev, "chebyshev")     \
  METRIC(WeightedCorrelation, "correlation") \
  METRIC(WeightedSquares, "sqeuclidean")     \
  METRIC(WeightedMinkowski, "minkowski")     \
  METRIC(WeightedHamming, "hamming")

namespace lookalike {

// What a row becomes before rows are compared: itself, a multiple of it (of length 1, or shares of its
// sum), or each value of its own.
enum class Prepare : int { as_is, unit, centred_unit, shares, elementwise };

// How the terms of the features combine. The *norm* of a pair, in which filters and thresholds
// work, is the sum of its terms, the root of their sum or the largest term; for a weighted metric,
// that divided by the pair's weight.
enum class Combine : int { sum, root_of_sum, maximum };

// Rows whose float64 sums could leave the range of a double are summed again, scaled by a power of
// two: one for the pair, from its largest difference or its largest values that differ, or one for each
// feature. A quotient of sums, whose scale does not matter, is scaled if it has overflown.
enum class Rescale : int { never, by_difference, by_value, by_feature };

// Which values a row may have; others are refused.
enum class Domain : int { any, not_negative };

// How 8-bit codes of two rows are compared (code_filter.h).
enum class CodeForm : int { products, differences, largest, ratios, count, none = count };

inline constexpr int kUnstated = -1;
inline constexpr int kMostParameters = 2;

// What a metric's terms depend on, for the kernels. Whoever made it owns the arrays (specification.h).
struct Parameters {
  double value[kMostParameters];  // numbers, in the order in which its struct names them
  int64_t features;               // of a row; 0 where any number does
  // A weight for each feature, and what filters multiply it by (of unit rows: what the row is multiplied
  // by), with zeros up to a multiple of 8; or null. Factors that are no powers of two are rounded.
  const double *weights, *factors;
  bool rounded;
  double total;          // Σ weights; without any the number of features
  const double* linear;  // what rows are mapped by, in panels (linear-inl.h), or null
};

// What a struct of distances-inl.h states of itself, as `Distance` there explains it.
struct Traits {
  Prepare prepare;
  Domain domain;
  double degenerate;
  Combine combine;
  Rescale rescale;
  bool weighted;
  const char* parameters[kMostParameters];
  const char* array;
  bool linear, relative_weights;

  bool triangle;
  int norm_degree, power;
  int roundings, weight_roundings;
  double quick_error;
  bool exact_when_tiny, flush_tiny;
  bool inner_product, weights_add;
  CodeForm codes;

  bool has_float32() const { return roundings != kUnstated; }
};

enum class Metric : int {
#define METRIC(type, name) type,
  LOOKALIKE_METRICS(METRIC)
#undef METRIC
      count
};

inline constexpr const char* kMetricNames[] = {
#define METRIC(type, name) name,
    LOOKALIKE_METRICS(METRIC)
#undef METRIC
};

}  // namespace lookalike
