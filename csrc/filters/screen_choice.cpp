#include "filters/screen_choice.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "kernels/dispatch.h"
#include "rows/plain_rows.h"

namespace lookalike {
namespace {

// Fewer rows are compared before a basis is found.
constexpr int64_t kFewestRows = 8000, kFewestFeatures = 256;
constexpr int kQueries = 32;
constexpr int64_t kOthers = 2048;

// Nanoseconds, as they were measured on one CPU; only their ratios matter.
constexpr double kCodeByte = 0.0055, kScreenByte = 0.0052;  // of a pair, in a tile
constexpr double kFinish = 2.5, kFinishByte = 0.009;        // of a pair by itself
constexpr double kProduct = 0.03;                           // of two float32 in a projection
constexpr double kLate = 1.3;  // thresholds are not at once what they will be

// How far some rows are from others, as the sample has them: by their features and by a screen.
struct Sampled {
  int64_t others = 0;
  std::vector<double> distances, screened;  // kQueries x others; infinite of a row with itself
};

int64_t query_of(int q, int64_t others) { return q * others / kQueries; }

// By products: rows as coordinates.
std::vector<double> by_products(const MetricKernels& metric, const std::vector<float>& rows,
                                int64_t others, int64_t cols, Team& team) {
  std::vector<float> asking;
  for (int q = 0; q < kQueries; ++q) {
    const auto at = rows.begin() + query_of(q, others) * cols;
    asking.insert(asking.end(), at, at + cols);
  }
  std::vector<double> dots, squares(static_cast<size_t>(others));
  const Plain x(asking.data(), kQueries, cols, cols, 1), y(rows.data(), others, cols, cols, 1);
  Products(metric, team)(x, y, 64, dots);
  for (int64_t j = 0; j < others; ++j) {
    for (int64_t k = 0; k < cols; ++k) {
      squares[size_t(j)] += double(rows[size_t(j * cols + k)]) * rows[size_t(j * cols + k)];
    }
  }
  for (int q = 0; q < kQueries; ++q) {
    for (int64_t j = 0; j < others; ++j) {
      double& d = dots[size_t(q * others + j)];
      const double square = squares[size_t(query_of(q, others))] + squares[size_t(j)] - 2 * d;
      d = std::sqrt(std::max(0.0, square));
    }
  }
  return dots;
}

// By the largest difference of bytes.
std::vector<double> by_largest(const std::vector<uint8_t>& rows, int64_t others, int64_t cols) {
  std::vector<double> out;
  out.reserve(size_t(kQueries * others));
  for (int q = 0; q < kQueries; ++q) {
    const uint8_t* const u = &rows[size_t(query_of(q, others) * cols)];
    for (int64_t j = 0; j < others; ++j) {
      const uint8_t* const v = &rows[size_t(j * cols)];
      uint8_t most = 0;
      for (int64_t k = 0; k < cols; ++k) {
        const auto apart = uint8_t(u[k] > v[k] ? u[k] - v[k] : v[k] - u[k]);
        most = apart > most ? apart : most;
      }
      out.push_back(most);
    }
  }
  return out;
}

// The share of pairs that a screen lets through where `share` of the rows are wanted. Either row may
// want a pair: a query's pairs are held against the thresholds of all queries.
double alive(const Sampled& s, double share, double off) {
  const auto wanted = std::clamp<int64_t>(int64_t(share * double(s.others) + 0.5), 1, s.others - 1);
  std::vector<double> limits;
  for (int q = 0; q < kQueries; ++q) {
    const auto row = s.distances.begin() + q * s.others;
    std::vector<double> sorted(row, row + s.others);
    // The row itself is among them, at 0.
    std::nth_element(sorted.begin(), sorted.begin() + wanted, sorted.end());
    limits.push_back(sorted[size_t(wanted)] * 1.02 + off);
  }
  int64_t stay = 0;
  for (int q = 0; q < kQueries; ++q) {
    const auto row = s.screened.begin() + q * s.others;
    std::vector<double> sorted(row, row + s.others);
    std::sort(sorted.begin(), sorted.end());
    for (const double other : limits) {
      const double limit = std::max(limits[size_t(q)], other);
      stay += std::upper_bound(sorted.begin(), sorted.end(), limit) - sorted.begin();
    }
  }
  return std::min(1.0, kLate * double(stay) / (double(kQueries) * kQueries * double(s.others)));
}

// What codes are off by, in the units of filter rows: thresholds are that much too high, for both rows.
double code_residual(const Rows& rows, const Coding& coding) {
  constexpr int64_t kRows = 64;
  const int64_t padded = row_stride(rows.filter_cols), n = std::min(kRows, rows.matrix.rows);
  std::vector<float> values(static_cast<size_t>(padded));
  std::vector<uint8_t> codes(static_cast<size_t>(padded));
  double sum = 0;
  for (int64_t r = 0; r < n; ++r) {
    CodedRow row;
    kernels().encode_row(rows, coding.form, coding.grid, coding.levels, r * rows.matrix.rows / n,
                         padded, padded, values.data(), codes.data(), &row);
    sum += double(row.residual);
  }
  return sum / double(n);
}

double cost(double width, double alive, double cols) {
  return kScreenByte * width + alive * (kFinish + kFinishByte * cols);
}

ScreenCoding without() { return {}; }

ScreenCoding choose_largest_for(const Comparison& comparison, const Coding& coding, double share,
                                Team& team) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, padded = row_stride(cols);
  Sampled s;
  s.others = std::min(kOthers, rows.matrix.rows);
  std::vector<float> values(static_cast<size_t>(padded));
  std::vector<uint8_t> codes(size_t(s.others * padded));
  for (int64_t r = 0; r < s.others; ++r) {
    CodedRow row;
    kernels().encode_row(rows, coding.form, coding.grid, coding.levels,
                         r * rows.matrix.rows / s.others, padded, padded, values.data(),
                         &codes[size_t(r * padded)], &row);
  }
  s.distances = by_largest(codes, s.others, padded);
  const double off = 2 * code_residual(rows, coding) * coding.steps;
  ScreenCoding best = without();
  // Bytes are compared by four instructions, products by one.
  double least = 2 * kCodeByte * double(cols) * 0.85;
  for (const int width : {128, 256}) {
    if (width > cols / 2) break;
    const ScreenCoding screens = choose_screens(comparison, coding, width, team);
    std::vector<uint8_t> bytes(size_t(s.others * width));
    for (int64_t r = 0; r < s.others; ++r) {
      for (int64_t k = 0; k < cols; ++k) {
        uint8_t& byte = bytes[size_t(r * width + screens.byte_of[size_t(k)])];
        byte = std::max(byte, codes[size_t(r * padded + k)]);
      }
    }
    s.screened = by_largest(bytes, s.others, width);
    const double price = cost(2 * width, alive(s, share, off), double(cols));
    if (price >= least) continue;
    least = price;
    best = screens;
  }
  return best;
}

ScreenCoding choose_products_for(const Comparison& comparison, const Coding& coding, double share,
                                 Team& team) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, n = rows.matrix.rows;
  // Rows that are spread in all directions have none that says much.
  if (directions(comparison, team) > double(cols) / 4) return without();
  Sampled s;
  s.others = std::min(kOthers, n);
  const std::vector<float> sample = sampled(rows, s.others, team);
  s.distances = by_products(comparison.kernels(), sample, s.others, cols, team);
  const double pairs = 0.5 * double(n) * double(n);
  const auto preparing = [&](int width) {
    return kProduct * double(cols) *
           (double(n) * width + 4.0 * double(sample_size(n)) * (width + 16)) / pairs;
  };
  const double residual = code_residual(rows, coding);
  double least = kCodeByte * double(cols) * 0.85;
  int best = 0;
  ScreenCoding screens;
  const Plain plain(sample.data(), s.others, cols, cols, 1);
  for (const int widest : {128, 256}) {
    // Twice as many coordinates, if all of half of them are none too many.
    if (widest > cols / 2 || (widest == 256 && (best != 128 || preparing(256) > 0.1 * least)))
      break;
    ScreenCoding wider = choose_screens(comparison, coding, widest, team);
    std::vector<float> values, some;
    screen_values(wider, comparison.kernels(), plain, team, values);
    for (int width = widest; width >= widest / 2; width -= widest / 4) {
      some.clear();
      for (auto row = values.begin(); row != values.end(); row += widest) {
        some.insert(some.end(), row, row + width);
      }
      s.screened = by_products(comparison.kernels(), some, s.others, width, team);
      const double off = 2 * (wider.step * std::sqrt(width / 12.0) + residual);
      const double price = cost(width, alive(s, share, off), double(cols)) + preparing(width);
      if (price >= least || width == best) continue;
      least = price;
      best = width;
      screens = wider;
    }
  }
  if (best == 0) return without();
  return best == screens.width ? screens : narrowed(comparison, screens, best);
}

}  // namespace

UseScreens use_screens() {
  static const UseScreens use = [] {
    const char* said = std::getenv("LOOKALIKE_SCREENS");
    const std::string word = said ? said : "";
    if (word == "never") return UseScreens::never;
    return word == "always" ? UseScreens::always : UseScreens::if_they_pay;
  }();
  return use;
}

ScreenCoding choose_screens_for(const Comparison& comparison, const Coding& coding, int64_t k,
                                Team& team) {
  const int64_t rows = comparison.x().rows.matrix.rows, cols = comparison.filter_cols();
  if (use_screens() == UseScreens::never || !screens_fit(coding.form, cols)) return without();
  if (use_screens() == UseScreens::always) {
    const int width = int(std::clamp<int64_t>(cols / 8 / kScreenGroup * kScreenGroup, 8, 128));
    return choose_screens(comparison, coding, width, team);
  }
  if (rows < kFewestRows || cols < kFewestFeatures) return without();
  const double share = double(k) / double(rows);
  return coding.form == CodeForm::products ? choose_products_for(comparison, coding, share, team)
                                           : choose_largest_for(comparison, coding, share, team);
}

}  // namespace lookalike
