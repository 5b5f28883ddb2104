#include "search/screened_database.h"

#include <algorithm>
#include <numeric>

#include "rows/rounding.h"

namespace lookalike {
namespace {

constexpr int64_t kLeastRows = 4096, kLeastCols = 256;
constexpr int kFirst = 64, kSecond = 128;  // bytes

}  // namespace

bool ScreenedDatabase::fits(const Side& side, CodeForm form) {
  return screens_fit(form, side.rows.filter_cols) && side.rows.matrix.rows >= kLeastRows &&
         side.rows.filter_cols >= kLeastCols;
}

ScreenedDatabase::ScreenedDatabase(const MetricKernels& metric, const Side& side,
                                   const CodedDatabase& coded, Team& team) {
  const Coding& coding = coded.coding;
  const int64_t n = side.rows.matrix.rows;
  const bool products = coding.form == CodeForm::products;
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (const int width : {kFirst, kSecond}) {
    ScreenLevel level;
    level.coding = choose_screens(metric, side.rows, coding, width, team);
    ScreenRows rows = encode_screens(level.coding, coding, metric, side, team);
    level.memory = Buffer<uint8_t>(size_t(level.size(n)));
    level.bytes = level.memory.get();
    if (levels_.empty()) {
      ScreenPanels panels = panels_of(rows, coding.form, order, team);
      level.memory = std::move(panels.panels);
      level.bytes = level.memory.get();
      level.square = std::move(panels.square);
      level.residual = std::move(panels.residual);
    } else {
      std::copy(rows.bytes.begin(), rows.bytes.end(), level.memory.get());
      level.square = std::move(rows.square);
      level.residual = std::move(rows.residual);
    }
    level.slack.resize(size_t(n));
    for (size_t j = 0; j < size_t(n); ++j) {
      const double residual = products ? level.residual[j] : coded.side.residual[j];
      level.slack[j] = up(products ? residual * residual * level.half_square() : residual);
    }
    levels_.push_back(std::move(level));
    if (!products) break;
  }
}

}  // namespace lookalike
