#include "search/screened_database.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "rows/rounding.h"

namespace lookalike {
namespace {

constexpr int64_t kLeastRows = 16384, kLeastCols = 256;
constexpr int kFirst = 64, kSecond = 128;  // bytes

// LOOKALIKE_SCREENS is for tests.
bool said(const char* word) {
  const char* const wanted = std::getenv("LOOKALIKE_SCREENS");
  return wanted && std::string(wanted) == word;
}

}  // namespace

bool ScreenedDatabase::fits(const Side& side, CodeForm form) {
  if (!screens_fit(form, side.rows.filter_cols) || said("never")) return false;
  if (said("always")) return side.rows.matrix.rows >= kSecond;
  return side.rows.matrix.rows >= kLeastRows && side.rows.filter_cols >= kLeastCols;
}

ScreenedDatabase::ScreenedDatabase(const Comparison& some, const Side& side,
                                   const CodedDatabase& coded, Team& team) {
  const Coding& coding = coded.coding;
  const int64_t n = side.rows.matrix.rows;
  const bool products = coding.form == CodeForm::products;
  std::vector<int32_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (const int width : {kFirst, kSecond}) {
    ScreenLevel level;
    level.coding = choose_screens(some, coding, width, team);
    ScreenRows rows = encode_screens(level.coding, coding, some.kernels(), side, team);
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

// Straight on between what was tried, and beyond.
double ScreenedDatabase::cost_of(int64_t k) const {
  if (k <= kTried[0]) return cost[0];
  for (int t = 1; t < kTrials; ++t) {
    const double part = double(k - kTried[t - 1]) / double(kTried[t] - kTried[t - 1]);
    if (part <= 1) return cost[t - 1] + part * (cost[t] - cost[t - 1]);
  }
  return cost[kTrials - 1] * double(k) / double(kTried[kTrials - 1]);
}

bool ScreenedDatabase::pay(int64_t k, int64_t queries) const {
  if (levels_.empty() || said("never")) return false;
  if (said("always")) return true;
  // All codes are read once for all queries, and compared for each: as measured, in nanoseconds.
  constexpr double kRead = 60, kCompare = 6;
  const double other = kCompare + kRead / double(std::max<int64_t>(1, queries));
  return cost_of(k) < other;
}

int64_t ScreenedDatabase::most_left(int64_t rows) { return said("always") ? rows : rows / 5; }

// A level of a file, as plain data.
struct ScreenedDatabase::Header {
  int32_t form, width, count, with_rest;
  int64_t cols;
  double skew, step, stretch, cost[kTrials];
};

namespace {

std::string part_name(size_t level, const char* what) {
  return "screen " + std::to_string(level + 1) + what;
}

// Calls visit(name, vector) for each of a level's.
template <class L, class Visit>
void each_vector(L& level, size_t number, Visit visit) {
  visit(part_name(number, " basis"), level.coding.basis.rows);
  visit(part_name(number, " centre"), level.coding.centre);
  visit(part_name(number, " features"), level.coding.byte_of);
  visit(part_name(number, " square"), level.square);
  visit(part_name(number, " residual"), level.residual);
  visit(part_name(number, " slack"), level.slack);
}

}  // namespace

void ScreenedDatabase::parts(const Take& take) const {
  for (size_t l = 0; l < levels_.size(); ++l) {
    const ScreenLevel& level = levels_[l];
    const ScreenCoding& c = level.coding;
    Header header{int32_t(c.form), c.width, c.basis.count, c.with_rest, c.basis.cols,
                  c.basis.skew,    c.step,  c.stretch,     {}};
    std::copy(std::begin(cost), std::end(cost), header.cost);
    take(part_name(l, " header"), &header, sizeof header);
    each_vector(level, l, [&](const std::string& name, const auto& vector) {
      take(name, vector.data(), int64_t(vector.size() * sizeof vector[0]));
    });
    take(part_name(l, ""), level.bytes, level.size(int64_t(level.slack.size())));
  }
}

ScreenedDatabase::ScreenedDatabase(const File& file, CodeForm form, int64_t rows,
                                   int64_t filter_cols) {
  const auto require = [](bool good, const std::string& name) {
    if (!good) throw Damaged(name);
  };
  const bool products = form == CodeForm::products;
  for (size_t l = 0; l < 2; ++l) {
    const std::string name = part_name(l, " header");
    const Part part = file(name);
    if (part.bytes == 0) break;
    Header header;
    require(part.bytes == sizeof header, name);
    std::memcpy(&header, part.data, sizeof header);
    require(
        header.form == int32_t(form) && header.width > 0 && header.width % 64 == 0 &&
            header.width <= kMostScreenWidth && header.count >= 0 && header.count < header.width &&
            (!products || (header.cols == filter_cols && header.step > 0)) && (l == 0 || products),
        name);
    ScreenLevel level;
    ScreenCoding& c = level.coding;
    c.form = form;
    c.width = header.width;
    c.with_rest = header.with_rest != 0;
    c.basis.cols = header.cols;
    c.basis.count = header.count;
    c.basis.skew = header.skew;
    c.step = header.step;
    c.stretch = header.stretch;
    std::copy(std::begin(header.cost), std::end(header.cost), cost);
    each_vector(level, l, [&](const std::string& of, auto& vector) {
      const Part bytes = file(of);
      require(bytes.bytes % int64_t(sizeof vector[0]) == 0, of);
      vector.resize(size_t(bytes.bytes) / sizeof vector[0]);
      if (bytes.bytes > 0) std::memcpy(vector.data(), bytes.data, size_t(bytes.bytes));
    });
    const auto n = size_t(rows), whole = (n + kScreenRows - 1) / kScreenRows * kScreenRows;
    require(level.slack.size() == n, name);
    require(c.basis.rows.size() == (products ? size_t(header.count * filter_cols) : 0), name);
    require(c.centre.size() == (products ? size_t(c.width) : 0), name);
    require(c.byte_of.size() == (products ? 0 : size_t(filter_cols)), name);
    require(std::all_of(c.byte_of.begin(), c.byte_of.end(), [&](int b) { return b < c.width; }),
            name);
    require(!products || (level.residual.size() >= n && level.square.size() >= (l ? n : whole)),
            name);
    const Part bytes = file(part_name(l, ""));
    require(bytes.bytes == level.size(rows), part_name(l, ""));
    level.bytes = static_cast<const uint8_t*>(bytes.data);
    levels_.push_back(std::move(level));
  }
}

void ScreenedDatabase::guard(
    const std::function<const GuardedBytes*(const std::string& name)>& of) {
  for (size_t l = 0; l < levels_.size(); ++l) levels_[l].guard = of(part_name(l, ""));
}

}  // namespace lookalike
