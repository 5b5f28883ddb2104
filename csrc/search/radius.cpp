#include <algorithm>

#include "exact_distances.h"
#include "filters/filter_pass.h"
#include "search/found_pairs.h"

namespace lookalike {
namespace {

// The sink of a pass: what of a tile's candidates is within the radius.
class RadiusSink {
 public:
  RadiusSink(const Comparison& comparison, double radius, int workers, Stats& stats,
             FoundPairs& found)
      : comparison_(comparison),
        radius_(radius),
        exact_(comparison, workers),
        pending_(size_t(workers)),
        stats_(stats),
        found_(found) {}

  // Of a self-join both rows of a pair have the same threshold: the pair comes once for each, and
  // the first does for both.
  void offer(int worker, int64_t row, const int32_t* candidates, int n) {
    Pending& p = pending_[size_t(worker)];
    const bool self = comparison_.self();
    p.others.clear();
    std::copy_if(candidates, candidates + n, std::back_inserter(p.others),
                 [&](int32_t j) { return !self || j >= row; });
    p.distances.resize(p.others.size());
    exact_.row(worker, int32_t(row), p.others.data(), int64_t(p.others.size()), p.distances.data());
    stats_.refined.fetch_add(int64_t(p.others.size()), std::memory_order_relaxed);
    for (size_t c = 0; c < p.others.size(); ++c) {
      if (p.distances[c] > radius_) continue;
      found_.add(worker, row, p.others[c], p.distances[c]);
      if (self && p.others[c] != row) found_.add(worker, p.others[c], int32_t(row), p.distances[c]);
    }
  }

 private:
  struct Pending {
    std::vector<int32_t> others;
    std::vector<double> distances;
  };
  const Comparison& comparison_;
  const double radius_;
  ExactDistances exact_;
  std::vector<Pending> pending_;
  Stats& stats_;
  FoundPairs& found_;
};

// The pass of the cheapest filter that leaves few pairs in doubt: a float64 distance costs some ten
// times what codes save.
std::unique_ptr<FilterPass> choose_pass(const Comparison& comparison, double radius,
                                        const Exclusion& exclusion, Team& team, Stats& stats) {
  constexpr double kMostDoubtful = 0.05;
  const std::vector<Stage> list = stages(comparison, nullptr);
  if (list.front() == Stage::codes) {
    auto pass =
        std::make_unique<FilterPass>(comparison, Stage::codes, nullptr, exclusion, team, stats);
    const float threshold = pass->bounds().threshold(comparison, radius);
    if (pass->doubtful(threshold) <= kMostDoubtful) return pass;
  }
  return std::make_unique<FilterPass>(comparison, list.back(), nullptr, exclusion, team, stats);
}

}  // namespace

Within radius_neighbors(const Query& query, double radius, Team& team, Stats& stats) {
  const RowNeeds needs = filter_needs(kernels_of(query.specification).traits);
  const Comparison comparison(query.x, query.y, query.specification, needs, team);
  const auto pass = choose_pass(comparison, radius, query.exclusion, team, stats);
  const float threshold = pass->bounds().threshold(comparison, radius);
  FoundPairs found(query.x.rows, team.threads());
  RadiusSink sink(comparison, radius, team.threads(), stats, found);
  const double cost =
      double(query.x.rows) * double(comparison.y().rows.matrix.rows) * double(query.x.cols);
  team.run(
      pass->tiles(), cost,
      [&](int64_t unit, int worker) {
        pass->tile(
            unit, worker, [&](int64_t) { return threshold; },
            [&](int64_t row, const float*, const int32_t* candidates, int n) {
              sink.offer(worker, row, candidates, n);
            });
      },
      0, 0.95);
  return found.assemble(team, 0.95, 1);
}

}  // namespace lookalike
