// The sink of a pass that looks for all pairs within a radius: the float64 distances of its candidates.
#pragma once

#include <vector>

#include "exact_distances.h"
#include "filters/filter_pass.h"
#include "search/found_pairs.h"
#include "stats.h"

namespace lookalike {

class RadiusSink {
 public:
  // In a self-join the pass may number rows in an order of its own, in which case `order` has the row of
  // the comparison that each is.
  RadiusSink(const Comparison& comparison, const Exclusion& exclusion,
             const std::vector<int32_t>& order, double radius, int workers, Stats& stats,
             FoundPairs& found)
      : comparison_(comparison),
        exclusion_(exclusion),
        order_(order),
        radius_(radius),
        exact_(comparison, workers),
        pending_(size_t(workers)),
        stats_(stats),
        found_(found) {}

  // n candidates of a row.
  void offer(int worker, int64_t row, const int32_t* candidates, int n);
  // Adds to what was found what is within the radius of all that the worker has been offered.
  void finish(int worker);

 private:
  struct Pending {
    std::vector<int32_t> rows, others;  // by the numbers of the comparison
    std::vector<double> distances;
    std::vector<int32_t> block;  // some of the rows, and the pairs that they are in
    std::vector<ExactPair> pairs;
  };
  int32_t row_of(int64_t row) const { return order_.empty() ? int32_t(row) : order_[size_t(row)]; }

  const Comparison& comparison_;
  const Exclusion& exclusion_;
  const std::vector<int32_t>& order_;
  const double radius_;
  ExactDistances exact_;
  std::vector<Pending> pending_;
  Stats& stats_;
  FoundPairs& found_;
};

}  // namespace lookalike
