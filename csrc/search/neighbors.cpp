#include "search/neighbors.h"

#include <limits>

#include "filters/filter_pass.h"
#include "search/near_search.h"
#include "search/reservoirs.h"

namespace lookalike {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Where codes leave more candidates than this, float32 is faster in all. Dividing it is slow, and a
// prepared database is read for a few queries, whose candidates are few against its rows.
double most_candidates(const Traits& traits, bool prepared) {
  return prepared ? 8 : traits.codes == CodeForm::ratios ? 4 : 2.6;
}

// One attempt with one form of the filter. If it is not the last there is, it gives up early on
// when reservoirs have to be refined: then hardly anything is excluded.
void attempt(const Comparison& comparison, const CodedDatabase* database,
             const Exclusion& exclusion, const Kept* kept, Stage stage, bool last, int64_t k,
             Team& team, Stats& stats, double* distances, int64_t* indices) {
  const int64_t rows = comparison.x().rows.matrix.rows;
  Lap lap;
  ExactDistances exact(comparison, team.threads());
  FilterPass pass(comparison, stage, database, exclusion, team, stats);
  if (!last && stage == Stage::codes) {
    stats.candidates_per_neighbor = pass.candidates_per_neighbor(k);
    if (stats.candidates_per_neighbor > most_candidates(comparison.traits(), database != nullptr))
      throw Unsuitable();
  }
  lap.to(stats.preparing);
  const std::vector<int32_t> as_they_are;
  Reservoirs reservoirs(comparison, pass.bounds(), k, exact, as_they_are, team.threads(), stats,
                        kept, {distances, indices});
  // Codes that are there already are compared in less time than another thread takes to come.
  const double each = database && stage == Stage::codes ? 1.0 / 6 : 1;
  const double cost =
      each * double(rows) * double(comparison.y().rows.matrix.rows) * double(comparison.cols());
  const int64_t before = stats.overflows.load();
  // The 8-bit filter has passed a sample already.
  const int64_t most_overflows = stage == Stage::codes ? rows : rows / 4;
  const int64_t trial = std::max<int64_t>(16, pass.tiles() / 16);
  team.run(
      pass.tiles(), cost,
      [&](int64_t unit, int worker) {
        pass.tile(
            unit, worker, [&](int64_t row) { return reservoirs.threshold(row); },
            [&](int64_t row, float* values, int32_t* indices, int n) {
              reservoirs.offer(worker, row, values, indices, n);
            });
        if (!last && unit < trial &&
            stats.overflows.load(std::memory_order_relaxed) - before > most_overflows) {
          throw Unsuitable();
        }
      },
      0, 0.9);
  reservoirs.finish(team, cost, 0.9, 1);
}

// `kept` is null where every row finds k others.
void search(const Comparison& comparison, const CodedDatabase* database, const Exclusion& exclusion,
            const Kept* kept, int64_t k, Team& team, Stats& stats, double* distances,
            int64_t* indices) {
  const std::vector<Stage> list = stages(comparison, database);
  for (const Stage stage : list) {
    const bool last = stage == list.back();
    const double most =
        last ? kInfinity : most_candidates(comparison.traits(), database != nullptr);
    try {
      if (stage == Stage::codes && !database && !kept &&
          near_order_fits(comparison, exclusion, k)) {
        // In that order fewer candidates come, whatever the sample leaves.
        return near_neighbors(comparison, exclusion, k, 1.5 * most, team, stats, distances,
                              indices);
      }
      return attempt(comparison, database, exclusion, kept, stage, last, k, team, stats, distances,
                     indices);
    } catch (const Unsuitable&) {
      continue;
    }
  }
}

}  // namespace

void neighbors(const Comparison& comparison, const CodedDatabase* database,
               const Exclusion& exclusion, int64_t k, Team& team, Stats& stats, double* distances,
               int64_t* indices) {
  search(comparison, database, exclusion, nullptr, k, team, stats, distances, indices);
}

void neighbors_across(const MatrixView& x, int64_t split, const Specification& specification,
                      const Kept& kept, int64_t k, Team& team, Stats& stats, double* distances,
                      int64_t* indices) {
  Lap lap;
  const RowNeeds needs = filter_needs(kernels_of(specification).traits);
  const Comparison comparison(x, nullptr, specification, needs, team);
  lap.to(stats.preparing);
  search(comparison, nullptr, {false, nullptr, nullptr, split}, &kept, k, team, stats, distances,
         indices);
}

void neighbors(const Query& query, int64_t k, Team& team, Stats& stats, double* distances,
               int64_t* indices) {
  Lap lap;
  const RowNeeds needs = filter_needs(kernels_of(query.specification).traits);
  const Comparison comparison(query.x, query.y, query.specification, needs, team);
  lap.to(stats.preparing);
  neighbors(comparison, nullptr, query.exclusion, k, team, stats, distances, indices);
}

}  // namespace lookalike
