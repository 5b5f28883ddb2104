#include "filters/filter_pass.h"
#include "search/radius_sink.h"
#include "search/screened_radius.h"

namespace lookalike {
namespace {

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

void filtered(const Comparison& comparison, const CodedDatabase* database,
              const Exclusion& exclusion, double radius, Team& team, Stats& stats,
              FoundPairs& found) {
  Lap lap;
  const auto pass = choose_pass(comparison, database, radius, exclusion.include_self, team, stats);
  const float threshold = pass->bounds().threshold(comparison, radius);
  const std::vector<int32_t> as_they_are;
  RadiusSink sink(comparison, exclusion, as_they_are, radius, team.threads(), stats, found);
  lap.to(stats.preparing);
  const double cost = double(comparison.x().rows.matrix.rows) *
                      double(comparison.y().rows.matrix.rows) * double(comparison.cols());
  team.run(
      pass->tiles(), cost,
      [&](int64_t unit, int worker) {
        pass->tile(
            unit, worker, [&](int64_t) { return threshold; },
            [&](int64_t row, const float*, const int32_t* candidates, int n) {
              sink.offer(worker, row, candidates, n);
            });
        sink.finish(worker);
      },
      0, 0.95);
}

}  // namespace

Within radius_neighbors(const Query& query, double radius, Team& team, Stats& stats, int64_t most) {
  Lap lap;
  const RowNeeds needs = filter_needs(kernels_of(query.specification).traits);
  const Comparison comparison(query.x, query.y, query.specification, needs, team);
  lap.to(stats.preparing);
  return radius_neighbors(comparison, nullptr, query.exclusion, radius, team, stats, most);
}

Within radius_neighbors(const Comparison& comparison, const CodedDatabase* database,
                        const Exclusion& exclusion, double radius, Team& team, Stats& stats,
                        int64_t most) {
  FoundPairs found(comparison.x().rows.matrix.rows, team.threads(), most);
  if (!screened_radius(comparison, exclusion, radius, team, stats, found)) {
    filtered(comparison, database, exclusion, radius, team, stats, found);
  }
  return found.assemble(team, 0.95, 1);
}

}  // namespace lookalike
