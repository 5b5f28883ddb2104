#include "filters/radius_screens.h"

#include <algorithm>
#include <cmath>

#include "filters/pair_costs.h"
#include "filters/screen_choice.h"
#include "kernels/dispatch.h"

namespace lookalike {
namespace {

// Fewer rows are compared before a screen is chosen.
constexpr int64_t kFewestRows = 5000, kFewestLargest = 8000, kFewestFeatures = 128;
constexpr int64_t kQueries = 32, kOthers = 1024, kFew = 256;
constexpr double kMargin = 0.85;  // by how much a screen has to be better

// The share of pairs that `apart` puts no farther than `limit`: rows of `width` numbers, kQueries of them
// with all, none with itself.
template <class T, class Apart>
double share_within(const T* rows, int64_t others, int64_t stride, int width, double limit,
                    Apart apart) {
  int64_t within = 0;
  for (int64_t q = 0; q < kQueries; ++q) {
    const int64_t own = q * others / kQueries;
    for (int64_t j = 0; j < others; ++j) {
      within += j != own && apart(rows + own * stride, rows + j * stride, width) <= limit;
    }
  }
  return double(within) / double(kQueries * (others - 1));
}

double square_apart(const float* u, const float* v, int width) {
  float lanes[4] = {};
  int k = 0;
  for (; k + 4 <= width; k += 4) {
    for (int l = 0; l < 4; ++l) lanes[l] += (u[k + l] - v[k + l]) * (u[k + l] - v[k + l]);
  }
  for (; k < width; ++k) lanes[0] += (u[k] - v[k]) * (u[k] - v[k]);
  return double((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]));
}

double most_apart(const uint8_t* u, const uint8_t* v, int width) {
  uint8_t most = 0;
  for (int k = 0; k < width; ++k) {
    most = std::max(most, uint8_t(u[k] > v[k] ? u[k] - v[k] : v[k] - u[k]));
  }
  return most;
}

// Of a pair: all are screened, those that stay are finished. The largest difference takes twice as many
// instructions a byte as products do.
double cost(double width, double alive, double cols, double each = 1) {
  return kScreenByte * each * width + alive * (kFinish + kFinishByte * each * cols);
}

ScreenCoding without() { return {}; }

ScreenCoding choose_largest_within(const Comparison& comparison, const Coding& coding, double norm,
                                   Team& team) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, padded = row_stride(cols);
  const int64_t others = std::min(kOthers / 2, rows.matrix.rows);
  std::vector<float> values(static_cast<size_t>(padded));
  std::vector<uint8_t> codes(size_t(others * padded));
  std::vector<float> residuals;
  for (int64_t r = 0; r < others; ++r) {
    CodedRow row;
    kernels().encode_row(rows, coding.form, coding.grid, coding.levels,
                         r * rows.matrix.rows / others, padded, padded, values.data(),
                         &codes[size_t(r * padded)], &row);
    residuals.push_back(row.residual);
  }
  const auto middle = residuals.begin() + others / 2;
  std::nth_element(residuals.begin(), middle, residuals.end());
  const double limit = (norm + 2 * double(*middle)) * coding.steps;
  double least = 2 * kCodeByte * double(cols) * kMargin;
  ScreenCoding best = without();
  for (const int width : {32, 64, 128}) {
    if (width > cols / 2) break;
    const ScreenCoding screens = choose_screens(comparison, coding, width, team);
    std::vector<uint8_t> bytes(size_t(others * width));
    for (int64_t r = 0; r < others; ++r) {
      for (int64_t k = 0; k < cols; ++k) {
        uint8_t& byte = bytes[size_t(r * width + screens.byte_of[size_t(k)])];
        byte = std::max(byte, codes[size_t(r * padded + k)]);
      }
    }
    const double alive = share_within(bytes.data(), others, width, width, limit, most_apart);
    const double price = cost(width, alive, double(cols), 2);
    if (price >= least) continue;
    least = price;
    best = screens;
  }
  return best;
}

// How far apart two rows are, as a mean of squares, and in how many directions: one over the mean squared
// cosine between two rows less the mean.
struct Spread {
  double square, directions;
};

Spread spread_of(const Matrix& rows, Team& team) {
  const int64_t n = rows.rows, cols = rows.cols;
  std::vector<double> mean(static_cast<size_t>(cols));
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t k = 0; k < cols; ++k) mean[size_t(k)] += double(rows.at(r, k)) / double(n);
  }
  Matrix centred(n, cols);
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t k = 0; k < cols; ++k) {
      centred.at(r, k) = rows.at(r, k) - float(mean[size_t(k)]);
    }
  }
  const Matrix gram = product(centred, transposed(centred), team);
  double square = 0, cosines = 0, pairs = 0;
  for (int64_t i = 0; i < n; ++i) {
    square += double(gram.at(i, i));
    for (int64_t j = 0; j < i; ++j) {
      const double norms = double(gram.at(i, i)) * double(gram.at(j, j)), dot = gram.at(i, j);
      if (!(norms > 0)) continue;
      cosines += dot * dot / norms;
      ++pairs;
    }
  }
  return {2 * square / double(n - 1), cosines > 0 ? pairs / cosines : double(cols)};
}

ScreenCoding choose_products_within(const Comparison& comparison, double norm, Team& team) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, n = rows.matrix.rows;
  const Spread spread = spread_of(sampled(rows, std::min(kFew, n), 0.5, team), team);
  const double near = norm * norm / spread.square;
  if (!(near < 1)) return without();
  const int first = near < 1.0 / 16 ? 32 : near < 1.0 / 4 ? 64 : 128;
  // Of rows without few directions any says its share.
  if (2 * near * double(cols) > first && spread.directions > double(cols) / 4) return without();
  const double pairs = 0.5 * double(n) * double(n);
  const auto preparing = [&](int width) {
    return double(cols) *
           (kFixedProduct * double(n) * width +
            3 * kProduct * double(sample_size(n)) * (width + 32)) /
           pairs;
  };
  double least = kCodeByte * double(cols) * kMargin;
  int best = 0;
  ScreenCoding screens;
  const Matrix others = sampled(rows, std::min(kOthers, n), 0.5, team);
  for (int widest = first; widest <= 128; widest *= 2) {
    // More coordinates, if those that there are leave more to do than these cost.
    const double more = kScreenByte * (widest - best) / 2 + preparing(widest) - preparing(best);
    if (widest > cols / 2 || preparing(widest) > (widest == first ? 0.25 : 0.1) * least ||
        (best > 0 && least - cost(best, 0, 0) - preparing(best) < more)) {
      break;
    }
    const Basis basis =
        choose_basis(sampled(rows, std::min(sample_size(n), n), 0, team), widest - 1, team);
    const Coordinates seen = coordinates_of(others, basis, team);
    for (int width = widest; width >= widest / 2; width -= widest / 4) {
      ScreenCoding some = product_screens(basis, width, seen);
      const double limit = some.stretch * norm + 2 * some.step * std::sqrt(width / 12.0);
      const double alive = share_within(seen.values.values.get(), others.rows, seen.values.cols,
                                        some.basis.count, limit * limit, square_apart);
      const double price = cost(width, alive, double(cols)) + preparing(width);
      if (price >= least) continue;
      least = price;
      best = width;
      screens = std::move(some);
    }
  }
  return screens;
}

}  // namespace

ScreenCoding choose_radius_screens(const Comparison& comparison, const Coding& coding,
                                   double radius, Team& team) {
  const int64_t rows = comparison.x().rows.matrix.rows, cols = comparison.filter_cols();
  if (use_screens() == UseScreens::always) {
    const int width = int(std::clamp<int64_t>(cols / 8 / kScreenGroup * kScreenGroup, 8, 64));
    return choose_screens(comparison, coding, width, team);
  }
  const bool products = coding.form == CodeForm::products;
  if (rows < (products ? kFewestRows : kFewestLargest) || cols < kFewestFeatures) return without();
  const double norm = comparison.norm_of(radius) * comparison.norm_unit();
  return products ? choose_products_within(comparison, norm, team)
                  : choose_largest_within(comparison, coding, norm, team);
}

}  // namespace lookalike
