#include <algorithm>

#include "exact_distances.h"
#include "filters/filter_pass.h"
#include "search/found_pairs.h"

namespace lookalike {
namespace {

// The sink of a pass: what of a tile's candidates is within the radius.
class RadiusSink {
 public:
  RadiusSink(const Comparison& comparison, const Exclusion& exclusion, double radius, int workers,
             Stats& stats, FoundPairs& found)
      : comparison_(comparison),
        exclusion_(exclusion),
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
                 [&](int32_t j) { return self ? j >= row : !exclusion_.excludes(row, j); });
    p.distances.resize(p.others.size());
    exact_.row(worker, int32_t(row), p.others.data(), int64_t(p.others.size()), p.distances.data());
    stats_.refined.fetch_add(int64_t(p.others.size()), std::memory_order_relaxed);
    for (size_t c = 0; c < p.others.size(); ++c) {
      if (p.distances[c] > radius_) continue;
      const int32_t other = p.others[c];
      if (!self || !exclusion_.excludes(row, other)) {
        found_.add(worker, row, other, p.distances[c]);
      }
      if (self && other != row && !exclusion_.excludes(other, row)) {
        found_.add(worker, other, int32_t(row), p.distances[c]);
      }
    }
  }

 private:
  struct Pending {
    std::vector<int32_t> others;
    std::vector<double> distances;
  };
  const Comparison& comparison_;
  const Exclusion& exclusion_;
  const double radius_;
  ExactDistances exact_;
  std::vector<Pending> pending_;
  Stats& stats_;
  FoundPairs& found_;
};

// The pass of the cheapest filter that leaves few pairs in doubt: a float64 distance costs some ten
// times what codes save.
std::unique_ptr<FilterPass> choose_pass(const Comparison& comparison, const CodedDatabase* database,
                                        double radius, bool include_self, Team& team,
                                        Stats& stats) {
  constexpr double kMostDoubtful = 0.05;
  const std::vector<Stage> list = stages(comparison, database);
  const Exclusion self{include_self};  // what else is excluded, is so in one direction alone
  if (list.front() == Stage::codes) {
    auto pass = std::make_unique<FilterPass>(comparison, Stage::codes, database, self, team, stats);
    const float threshold = pass->bounds().threshold(comparison, radius);
    if (pass->doubtful(threshold) <= kMostDoubtful) return pass;
  }
  return std::make_unique<FilterPass>(comparison, list.back(), database, self, team, stats);
}

}  // namespace

Within radius_neighbors(const Query& query, double radius, Team& team, Stats& stats) {
  const RowNeeds needs = filter_needs(kernels_of(query.specification).traits);
  const Comparison comparison(query.x, query.y, query.specification, needs, team);
  return radius_neighbors(comparison, nullptr, query.exclusion, radius, team, stats);
}

Within radius_neighbors(const Comparison& comparison, const CodedDatabase* database,
                        const Exclusion& exclusion, double radius, Team& team, Stats& stats) {
  const int64_t rows = comparison.x().rows.matrix.rows;
  const auto pass = choose_pass(comparison, database, radius, exclusion.include_self, team, stats);
  const float threshold = pass->bounds().threshold(comparison, radius);
  FoundPairs found(rows, team.threads());
  RadiusSink sink(comparison, exclusion, radius, team.threads(), stats, found);
  const double cost =
      double(rows) * double(comparison.y().rows.matrix.rows) * double(comparison.cols());
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
