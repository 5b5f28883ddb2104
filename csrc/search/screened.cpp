#include "search/screened.h"

#include "filters/screen_choice.h"
#include "filters/screen_pass.h"
#include "search/near_order.h"
#include "search/reservoirs.h"

namespace lookalike {

bool screened_neighbors(const Comparison& comparison, const Exclusion& exclusion, int64_t k,
                        Team& team, Stats& stats, double* distances, int64_t* indices) {
  const CodeForm form = comparison.traits().codes;
  const int64_t rows = comparison.x().rows.matrix.rows;
  if (!comparison.self() || exclusion.exclude || exclusion.left_out || exclusion.split ||
      use_screens() == UseScreens::never ||
      !CodeFilter::fits(comparison.traits(), comparison.filter_cols(), comparison.any_negative()) ||
      !screens_fit(form, comparison.filter_cols())) {
    return false;
  }
  Lap lap;
  const Coding coding = choose_coding(form, comparison.x().rows);
  const ScreenCoding screens = choose_screens_for(comparison, coding, k, team);
  lap.to(stats.preparing);
  if (screens.width == 0) return false;
  std::vector<int32_t> order;
  std::vector<TilePair> pairs;
  ScreenPanels panels;
  {
    const ScreenRows bytes =
        encode_screens(screens, coding, comparison.kernels(), comparison.x(), team);
    order = near_order(bytes, team);
    pairs = near_pairs(bytes, order, team);
    panels = panels_of(bytes, form, order, team);
  }
  ScreenPass pass(comparison, screens, coding, std::move(panels),
                  encode_rows(coding, comparison.x(), order, team), exclusion.include_self, team,
                  stats);
  ExactDistances exact(comparison, team.threads());
  Inbox inbox(rows, k, distances, indices);
  Reservoirs reservoirs(comparison, pass.bounds(), k, exact, order, team.threads(), stats, nullptr);
  const bool products = form == CodeForm::products;
  stats.stages = {
      "screen of " + std::to_string(screens.width) + (products ? " coordinates" : " features"),
      code_kernels(form).name};
  stats.unbounded_rows = comparison.unbounded_rows();
  lap.to(stats.preparing);
  const double cost = double(rows) * double(rows) * double(comparison.cols());
  team.run(
      int64_t(pairs.size()), cost,
      [&](int64_t unit, int worker) {
        const TilePair p = pairs[size_t(unit)];
        pass.tile(
            p.i, p.j, worker, [&](int64_t row) { return reservoirs.threshold(row); },
            [&](int64_t row, float* values, int32_t* found, int n) {
              reservoirs.offer(worker, row, values, found, n);
            });
      },
      0, 0.9);
  team.run(
      rows, cost,
      [&](int64_t row, int worker) {
        Lap refining;
        reservoirs.finish(worker, row, &inbox, distances, indices);
        refining.to(stats.refining);
      },
      0.9, 1);
  return true;
}

}  // namespace lookalike
