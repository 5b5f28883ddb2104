#include "search/near_search.h"

#include <string>

#include "filters/screen_choice.h"
#include "filters/screen_pass.h"
#include "search/near_order.h"
#include "search/reservoirs.h"

namespace lookalike {
namespace {

// Fewer rows are as fast in the order in which they lie.
constexpr int64_t kFewestRows = 8000, kFewestFeatures = 64;
// For screens each lower threshold is worth more than what it takes. Few candidates come at a time
// where codes tell them well.
Pace pace(int64_t k, bool screened, double candidates_per_neighbor) {
  const int64_t few = 3 * k + 96;
  if (screened) return {std::max<int64_t>(4, k / 2), few};
  return {2 * k, candidates_per_neighbor < 2.4 ? few : 0};
}

Tile tile_of(const TilePair& p, int64_t rows) {
  const int64_t i = p.i * int64_t(kTile), j = p.j * int64_t(kTile);
  return {i, j, int(std::min<int64_t>(kTile, rows - i)), int(std::min<int64_t>(kTile, rows - j)),
          p.i == p.j};
}

// Throws Unsuitable if codes leave too many, as rows from all over the matrix have it.
void require_few_candidates(const Comparison& comparison, const Coding& coding,
                            const Exclusion& exclusion, int64_t k, double most, Team& team,
                            Stats& stats) {
  constexpr int64_t kSampled = 2048;
  const int64_t rows = comparison.x().rows.matrix.rows, some = std::min(kSampled, rows);
  std::vector<int32_t> sample(static_cast<size_t>(some));
  for (int64_t r = 0; r < some; ++r) sample[size_t(r)] = int32_t(r * rows / some);
  FilterPass pass(comparison, std::make_unique<CodeFilter>(comparison, coding, sample, team),
                  exclusion, team, stats);
  stats.candidates_per_neighbor = pass.candidates_per_neighbor(k, some);
  if (stats.candidates_per_neighbor > most) throw Unsuitable();
}

}  // namespace

bool near_order_fits(const Comparison& comparison, const Exclusion& exclusion, int64_t k) {
  const int64_t rows = comparison.x().rows.matrix.rows, cols = comparison.filter_cols();
  if (!comparison.self() || exclusion.exclude || exclusion.left_out || exclusion.split)
    return false;
  return use_screens() == UseScreens::always ||
         (rows >= kFewestRows && cols >= kFewestFeatures && k <= rows / 16);
}

void near_neighbors(const Comparison& comparison, const Exclusion& exclusion, int64_t k,
                    double most, Team& team, Stats& stats, double* distances, int64_t* indices) {
  const CodeForm form = comparison.traits().codes;
  const int64_t rows = comparison.x().rows.matrix.rows;
  Lap lap;
  const Coding coding = choose_coding(form, comparison.x().rows);
  ScreenCoding screens;
  if (screens_fit(form, comparison.filter_cols())) {
    screens = choose_screens_for(comparison, coding, k, team);
  }
  const bool screened = screens.width > 0;
  if (!screened) require_few_candidates(comparison, coding, exclusion, k, most, team, stats);
  std::vector<int32_t> order;
  std::vector<TilePair> pairs;
  ScreenPanels panels;
  {
    const ScreenRows bytes =
        screened ? encode_screens(screens, coding, comparison.x(), team) : ScreenRows();
    // Screens of products are coordinates by which near rows may be told; others are none.
    const bool told = form == CodeForm::products && screened;
    const ScreenRows near = told ? ScreenRows() : near_coordinates(comparison, coding, team);
    order = near_order(told ? bytes : near, team);
    if (screened) worst_last(bytes.residual, order);
    pairs = near_pairs(told ? bytes : near, order, team);
    if (screened) panels = panels_of(bytes, form, order, team);
  }
  ExactDistances exact(comparison, team.threads());
  const double cost = double(rows) * double(rows) * double(comparison.cols());
  const auto search = [&](const Bounds& bounds, auto tile) {
    Reservoirs reservoirs(comparison, bounds, k, exact, order, team.threads(), stats, nullptr,
                          {distances, indices}, pace(k, screened, stats.candidates_per_neighbor));
    lap.to(stats.preparing);
    const TileGrid all(rows, rows, true, kTile, kTile);
    const auto pair_of = [&](int64_t unit) {
      if (!pairs.empty()) return pairs[size_t(unit)];
      const Tile t = all[unit];
      return TilePair{int32_t(t.i0 / kTile), int32_t(t.j0 / kTile)};
    };
    team.run(
        all.count(), cost,
        [&](int64_t unit, int worker) {
          tile(
              pair_of(unit), worker, [&](int64_t row) { return reservoirs.threshold(row); },
              [&](int64_t row, float* values, int32_t* found, int n) {
                reservoirs.offer(worker, row, values, found, n);
              });
        },
        0, 0.9);
    reservoirs.finish(team, cost, 0.9, 1);
  };
  if (screened) {
    ScreenPass pass(comparison, screens, coding, std::move(panels),
                    encode_rows(coding, comparison.x(), order, team, screens.features),
                    exclusion.include_self, team, stats);
    stats.stages = {"screen of " + std::to_string(screens.width) +
                        (form == CodeForm::products ? " coordinates" : " features"),
                    code_kernels(form).name};
    stats.unbounded_rows = comparison.unbounded_rows();
    search(pass.bounds(), [&](const TilePair& p, int worker, auto threshold, auto keep) {
      pass.tile(p.i, p.j, worker, threshold, keep);
    });
  } else {
    FilterPass pass(comparison, std::make_unique<CodeFilter>(comparison, coding, order, team),
                    exclusion, team, stats);
    search(pass.bounds(), [&](const TilePair& p, int worker, auto threshold, auto keep) {
      pass.tile(tile_of(p, rows), worker, threshold, keep);
    });
  }
}

}  // namespace lookalike
