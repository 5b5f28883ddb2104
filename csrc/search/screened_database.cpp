#include "search/screened_database.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "rows/rounding.h"

namespace lookalike {
namespace {

constexpr int64_t kLeastRows = 16384, kLeastCols = 256;
constexpr int kFirst = 64, kSecond = kMostScreenWidth;  // bytes
constexpr int64_t kSample = 2048, kOthers = 512;        // rows that a basis and its steps are of

// LOOKALIKE_SCREENS is for tests.
bool said(const char* word) {
  const char* const wanted = std::getenv("LOOKALIKE_SCREENS");
  return wanted && std::string(wanted) == word;
}

// A quarter of the codes, in whole lines; none where that is hardly more than the first.
int second_width(int64_t filter_cols) {
  if (said("always")) return kSecond;
  const int width = int(std::min<int64_t>(filter_cols / 4 / 64 * 64, kSecond));
  return width > kFirst ? width : 0;
}

std::vector<float> largest_of(const std::vector<float>& residual, int64_t n) {
  std::vector<float> most(size_t((n + kTile - 1) / kTile));
  for (int64_t j = 0; j < n; ++j) {
    float& so_far = most[size_t(j / kTile)];
    so_far = std::max(so_far, residual[size_t(j)]);
  }
  return most;
}

}  // namespace

bool ScreenedDatabase::fits(const Side& side, CodeForm form) {
  if (!screens_fit(form, side.rows.filter_cols) || said("never")) return false;
  if (said("always")) return side.rows.matrix.rows >= kSecond;
  return side.rows.matrix.rows >= kLeastRows && side.rows.filter_cols >= kLeastCols;
}

ScreenedDatabase::ScreenedDatabase(const Comparison& some, const Side& side,
                                   const CodedDatabase& coded, Team& team)
    : rows_(side.rows.matrix.rows) {
  const Coding& coding = coded.coding;
  const int64_t n = side.rows.matrix.rows;
  const bool products = coding.form == CodeForm::products;
  const int second = second_width(side.rows.filter_cols);
  std::vector<int> widths = {kFirst};
  if (second > 0) widths.push_back(second);
  std::vector<ScreenRows> rows;
  for (const int width : widths) {
    ScreenLevel level;
    level.coding.form = coding.form;
    level.coding.width = width;
    levels_.push_back(std::move(level));
  }
  if (products) {
    const Rows& known = some.x().rows;
    const Matrix sample = sampled(known, std::min(kSample, known.matrix.rows), 0, team);
    const Matrix others = sampled(known, std::min(kOthers, known.matrix.rows), 0.5, team);
    const Basis basis = choose_basis(sample, widths.back() - 1, team);
    const Coordinates coordinates = coordinates_of(others, basis, team);
    for (ScreenLevel& level : levels_) {
      level.coding = product_screens(basis, level.coding.width, coordinates);
    }
    fix_basis();
    rows = encode(side, team);
  } else {
    for (ScreenLevel& level : levels_) {
      level.coding = choose_screens(some, coding, level.coding.width, team);
      rows.push_back(encode_screens(level.coding, coding, side, team));
    }
  }
  for (size_t l = 0; l < levels_.size(); ++l) {
    ScreenLevel& level = levels_[l];
    level.most = largest_of(products ? rows[l].residual : coded.side.residual, n);
    const auto whole = size_t((n + kScreenRows - 1) / kScreenRows * kScreenRows);
    if (l == 0) {
      ScreenPanels panels = panels_of(rows[l], coding.form, in_order(n), team);
      level.memory = std::move(panels.panels);
      if (products) level.square = std::move(panels.square);
    } else {
      level.memory = Buffer<uint8_t>(size_t(level.size(n)));
      const auto bytes = int64_t(rows[l].bytes.size());
      constexpr int64_t kSome = int64_t(1) << 16;
      team.run((bytes + kSome - 1) / kSome, double(bytes),
               [&](int64_t unit, int) {
                 const int64_t end = std::min(bytes, (unit + 1) * kSome);
                 const uint8_t sign = products ? 128 : 0;
                 for (int64_t k = unit * kSome; k < end; ++k) {
                   level.memory.get()[k] = rows[l].bytes[size_t(k)] ^ sign;
                 }
               },
               0, 0);
      std::fill(level.memory.get() + bytes, level.memory.get() + level.size(n), 0);
      if (products) {
        level.square = std::move(rows[l].square);
        level.sum = std::move(rows[l].sum);
        level.square.resize(whole);
        level.sum.resize(whole);
      }
    }
    level.bytes = level.memory.get();
  }
}

// All levels have the beginning of one basis, which the last has.
void ScreenedDatabase::fix_basis() {
  if (levels_.empty() || !levels_.front().products()) return;
  basis_ = in_fixed_point(levels_.back().coding.basis);
  for (size_t l = 0; l + 1 < levels_.size(); ++l) {
    levels_[l].coding.basis.rows = std::vector<float>();
  }
}

std::vector<ScreenRows> ScreenedDatabase::encode(const Side& side, Team& team) const {
  std::vector<const ScreenCoding*> codings;
  for (const ScreenLevel& level : levels_) codings.push_back(&level.coding);
  return encode_screens(codings, basis_, side, team);
}

void ScreenedDatabase::tried(int trial, const ScreenedShare& left) {
  // A query alone waits for memory, many for arithmetic: as measured.
  cost_[trial].alone = 3.5 + 25 * left.first + 25 * left.step + 200 * left.second;
  cost_[trial].together = 2 + std::min(3.0, 10 * left.first + 10 * left.step) + 80 * left.second;
}

// Straight on between what was tried, and beyond.
ScreenedDatabase::Cost ScreenedDatabase::cost_of(int64_t k) const {
  if (k <= kTried[0]) return cost_[0];
  for (int t = 1; t < kTrials; ++t) {
    const double part = double(k - kTried[t - 1]) / double(kTried[t] - kTried[t - 1]);
    const Cost &before = cost_[t - 1], &after = cost_[t];
    if (part <= 1) {
      return {before.alone + part * (after.alone - before.alone),
              before.together + part * (after.together - before.together)};
    }
  }
  const double times = double(k) / double(kTried[kTrials - 1]);
  return {cost_[kTrials - 1].alone * times, cost_[kTrials - 1].together * times};
}

bool ScreenedDatabase::pay(int64_t k, int64_t queries) const {
  if (levels_.empty() || said("never")) return false;
  if (said("always")) return true;
  // All codes are read once for all queries, and compared for each: as measured, in nanoseconds.
  constexpr double kRead = 60, kCompare = 5;
  const double share = 1 / double(std::max<int64_t>(1, queries));
  const Cost cost = cost_of(k);
  return cost.together + share * (cost.alone - cost.together) < kCompare + share * kRead;
}

int64_t ScreenedDatabase::most_left(int64_t rows) { return said("always") ? rows : rows / 4; }

// A level of a file, as plain data.
struct ScreenedDatabase::Header {
  int32_t form, width, count, with_rest;
  int64_t cols;
  double skew, step, stretch;
  Cost cost[kTrials];
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
  visit(part_name(number, " sum"), level.sum);
  visit(part_name(number, " most"), level.most);
}

}  // namespace

void ScreenedDatabase::parts(const Take& take) const {
  for (size_t l = 0; l < levels_.size(); ++l) {
    const ScreenLevel& level = levels_[l];
    const ScreenCoding& c = level.coding;
    Header header{int32_t(c.form), c.width, c.basis.count, c.with_rest, c.basis.cols,
                  c.basis.skew,    c.step,  c.stretch,     {}};
    std::copy(std::begin(cost_), std::end(cost_), header.cost);
    take(part_name(l, " header"), &header, sizeof header);
    each_vector(level, l, [&](const std::string& name, const auto& vector) {
      take(name, vector.data(), int64_t(vector.size() * sizeof vector[0]));
    });
    take(part_name(l, ""), level.bytes, level.size(rows_));
  }
}

ScreenedDatabase::ScreenedDatabase(const File& file, CodeForm form, int64_t rows,
                                   int64_t filter_cols)
    : rows_(rows) {
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
    require(header.form == int32_t(form) && header.width > 0 && header.width % 64 == 0 &&
                header.width <= kMostScreenWidth && header.count >= 0 &&
                header.count < header.width &&
                (!products || (header.cols == filter_cols && header.step > 0)),
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
    std::copy(std::begin(header.cost), std::end(header.cost), cost_);
    each_vector(level, l, [&](const std::string& of, auto& vector) {
      const Part bytes = file(of);
      require(bytes.bytes % int64_t(sizeof vector[0]) == 0, of);
      vector.resize(size_t(bytes.bytes) / sizeof vector[0]);
      if (bytes.bytes > 0) std::memcpy(vector.data(), bytes.data, size_t(bytes.bytes));
    });
    const auto n = size_t(rows), whole = (n + kScreenRows - 1) / kScreenRows * kScreenRows;
    require(level.most.size() == (n + kTile - 1) / kTile, part_name(l, " most"));
    require(c.centre.size() == (products ? size_t(c.width) : 0), name);
    require(c.byte_of.size() == (products ? 0 : size_t(filter_cols)), name);
    require(std::all_of(c.byte_of.begin(), c.byte_of.end(), [&](int b) { return b < c.width; }),
            name);
    require(level.square.size() == (products ? whole : 0), part_name(l, " square"));
    require(level.sum.size() == (products && l > 0 ? whole : 0), part_name(l, " sum"));
    const Part bytes = file(part_name(l, ""));
    require(bytes.bytes == level.size(rows), part_name(l, ""));
    level.bytes = static_cast<const uint8_t*>(bytes.data);
    levels_.push_back(std::move(level));
  }
  if (levels_.empty() || !products) return;
  for (const ScreenLevel& level : levels_) {
    const Basis& own = level.coding.basis;
    const bool last = &level == &levels_.back();
    const std::string name = part_name(size_t(&level - levels_.data()), " basis");
    require(own.rows.size() == (last ? size_t(own.count * filter_cols) : 0), name);
    require(own.count <= levels_.back().coding.basis.count, name);
  }
  fix_basis();
}

void ScreenedDatabase::guard(
    const std::function<const GuardedBytes*(const std::string& name)>& of) {
  for (size_t l = 0; l < levels_.size(); ++l) levels_[l].guard = of(part_name(l, ""));
}

}  // namespace lookalike
