// The metrics there are, and what the drivers need to know of one.
#pragma once

#include <cstdint>

// Adding a distance: its struct in distances-inl.h, its line here, its line in tests/reference.py.
#define LOOKALIKE_METRICS(METRIC)  \
  METRIC(Manhattan, "manhattan")   \
  METRIC(Euclidean, "euclidean")   \
  METRIC(Cosine, "cosine")         \
  METRIC(BrayCurtis, "braycurtis") \
  METRIC(Canberra, "canberra")     \
  METRIC(Chebyshev, "chebyshev")   \
  METRIC(Correlation, "correlation")

namespace lookalike {

// What a row becomes before rows are compared.
enum class Prepare : int { as_is, unit, centred_unit };

// How the terms of the features combine. The *norm* of a pair, in which filters and thresholds
// work, is the sum of its terms, the root of their sum (then they are the squares of differences)
// or the largest term; for a weighted metric, that divided by the pair's weight.
enum class Combine : int { sum, root_of_sum, maximum };

// What changing u by r in one feature can do to that feature's term:
//   magnitude: move it (for root_of_sum: its root) by |r| at the most;
//   ratio: the term lies in [0, 1] and depends on u/v only, as Canberra's.
enum class Change : int { magnitude, ratio };

// Rows whose float64 sums could leave the range of a double are summed again, scaled by a power of
// two: one for the pair, from its largest difference or its largest value, or one for each feature.
enum class Rescale : int { never, by_difference, by_value, by_feature };

struct Traits {
  Prepare prepare;
  Combine combine;
  Change change;
  Rescale rescale;
  bool weighted;      // the sum is divided by a second one
  int degree;         // distance(c u, c v) = c^degree distance(u, v) for c > 0, before `prepare`
  int power;          // the distance goes with this power of the norm
  int roundings;      // relative float32 roundings in one term
  double term_error;  // relative error of a term's quick form beyond those, 0 if it has none
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
