#include "search/screened_radius.h"

#include <algorithm>

#include "filters/radius_screens.h"
#include "filters/screen_choice.h"
#include "filters/screen_pass.h"
#include "search/near_order.h"
#include "search/radius_sink.h"

namespace lookalike {
bool screened_radius(const Comparison& comparison, const Exclusion& exclusion, double radius,
                     Team& team, Stats& stats, FoundPairs& found) {
  const CodeForm form = comparison.traits().codes;
  const int64_t rows = comparison.x().rows.matrix.rows;
  if (!comparison.self() || exclusion.split || use_screens() == UseScreens::never ||
      !CodeFilter::fits(comparison.traits(), comparison.filter_cols(), comparison.any_negative()) ||
      !screens_fit(form, comparison.filter_cols())) {
    return false;
  }
  const bool products = form == CodeForm::products;
  Lap lap;
  const Coding coding = choose_coding(form, comparison.x().rows);
  const ScreenCoding screens = choose_radius_screens(comparison, coding, radius, team);
  lap.to(stats.preparing);
  if (screens.width == 0) return false;
  std::vector<int32_t> order;
  ScreenPanels panels;
  {
    const ScreenRows bytes = encode_screens(screens, coding, comparison.x(), team);
    order = near_order(bytes, team);  // what is near lies in few tiles
    worst_last(bytes.residual, order);
    panels = panels_of(bytes, form, order, team);
  }
  ScreenPass pass(comparison, screens, coding, std::move(panels),
                  encode_rows(coding, comparison.x(), order, team, screens.features),
                  exclusion.include_self, team, stats);
  RadiusSink sink(comparison, exclusion, order, radius, team.threads(), stats, found);
  stats.stages = {
      "screen of " + std::to_string(screens.width) + (products ? " coordinates" : " features"),
      code_kernels(form).name};
  stats.unbounded_rows = comparison.unbounded_rows();
  const float threshold = pass.bounds().threshold(comparison, radius);
  const TileGrid tiles(rows, rows, true, kTile, kTile);
  lap.to(stats.preparing);
  team.run(
      tiles.count(), double(rows) * double(rows) * double(comparison.cols()),
      [&](int64_t unit, int worker) {
        const Tile t = tiles[unit];
        pass.tile(
            t.i0 / kTile, t.j0 / kTile, worker, [&](int64_t) { return threshold; },
            [&](int64_t row, const float*, const int32_t* candidates, int n) {
              sink.offer(worker, row, candidates, n);
            });
        sink.finish(worker);
      },
      0, 0.95);
  return true;
}

}  // namespace lookalike
