#include "search/screened.h"

#include <cstdlib>
#include <string>

#include "filters/screen_pass.h"
#include "search/near_order.h"
#include "search/reservoirs.h"

namespace lookalike {
namespace {

enum class Wanted { never, if_they_pay, always };

// LOOKALIKE_SCREENS=never or always, for tests, is read once.
Wanted wanted() {
  static const Wanted is = [] {
    const char* said = std::getenv("LOOKALIKE_SCREENS");
    const std::string word = said ? said : "";
    return word == "never"    ? Wanted::never
           : word == "always" ? Wanted::always
                              : Wanted::if_they_pay;
  }();
  return is;
}

}  // namespace

bool screened_neighbors(const Comparison& comparison, const Exclusion& exclusion, int64_t k,
                        Team& team, Stats& stats, double* distances, int64_t* indices) {
  const CodeForm form = comparison.traits().codes;
  const int64_t rows = comparison.x().rows.matrix.rows;
  if (wanted() == Wanted::never || !comparison.self() || exclusion.exclude) return false;
  if (exclusion.left_out || exclusion.split) return false;
  if (!CodeFilter::fits(comparison.traits(), comparison.filter_cols(), comparison.any_negative()) ||
      !screens_fit(form, comparison.filter_cols())) {
    return false;
  }
  const bool always = wanted() == Wanted::always;
  if (!always) return false;
  Lap lap;
  const int width = 128;
  if (comparison.filter_cols() < 2 * width) return false;
  const Coding coding = choose_coding(form, comparison.x().rows);
  const ScreenCoding screens = choose_screens(comparison, coding, width, team);
  lap.to(stats.preparing);
  const ScreenRows bytes =
      encode_screens(screens, coding, comparison.kernels(), comparison.x(), team);
  lap.to(stats.preparing);
  const std::vector<int32_t> order = near_order(bytes);
  const std::vector<TilePair> pairs = near_pairs(bytes, order);
  lap.to(stats.preparing);
  ScreenPass pass(comparison, screens, coding, panels_of(bytes, form, order, team),
                  encode_rows(coding, comparison.x(), order, team), exclusion.include_self, team,
                  stats);
  ExactDistances exact(comparison, team.threads());
  Inbox inbox(rows, k, distances, indices);
  Reservoirs reservoirs(comparison, pass.bounds(), k, exact, order, team.threads(), stats, nullptr);
  stats.stages = {form == CodeForm::products ? "screen of coordinates" : "screen of features",
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
