#include "filters/screen_choice.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "filters/pair_costs.h"
#include "kernels/dispatch.h"

namespace lookalike {
namespace {

// Fewer rows are compared before a basis is found.
constexpr int64_t kFewestRows = 8000, kFewestFeatures = 256;
constexpr int kQueries = 128;
constexpr int64_t kOthers = 1024;   // whose distances say how far the nearest are
constexpr int64_t kScreened = 256;  // of them, that screens are tried on: each query's among them
constexpr int kWidths = 32;         // widths of products are multiples of it

// The share of the pairs of tiles, the nearest, whose pairs are all finished in a tile, before thresholds
// are what they will be.
constexpr double kNear = 0.12;
// So many times as many of their pairs as of all would be let through.
constexpr double kNearer = 2.5;
constexpr double kLate = 1.5;   // of what is left then, for thresholds that are not quite there
constexpr double kGain = 0.75;  // a screen has to bring the price of full codes down to that

double full_price(double cols) { return kCodeByte * cols; }

// Of a pair, `alive` being the share of those that a screen lets through, of which so many bytes are looked at.
double price(double width, double alive, double cols, double bytes) {
  const double full = full_price(cols);
  const double left = alive * std::max(0.0, 1 - kNear * kNearer) / (1 - kNear);
  const double finished = std::min(full, left * (kFinish + kFinishByte * bytes));
  return kNear * full + (1 - kNear) * (kScreenByte * width + finished);
}

int64_t query_of(int q, int64_t others) { return q * others / kQueries; }

// How far some rows are from others: kQueries x others; and by a screen, as what it says from below.
using Distances = std::vector<float>;

// Each query's distance from the nearest `wanted` of the others, which may be less than one: distances grow
// as a power of the number of rows.
std::vector<double> thresholds(const Distances& distances, int64_t others, double wanted,
                               Team& team) {
  constexpr int64_t kFew = 2, kMore = 32;
  std::vector<double> out(kQueries), powers(kQueries);
  team.run(
      kQueries, 16.0 * kQueries * double(others),
      [&](int64_t q, int) {
        const auto row = distances.begin() + q * others;
        std::vector<float> sorted(row, row + others);
        // The row itself is among them, at 0.
        const auto nth = [&](int64_t rank) {
          const auto at = sorted.begin() + std::min(rank, others - 1);
          std::nth_element(sorted.begin(), at, sorted.end());
          return double(*at);
        };
        const double near = out[size_t(q)] = nth(std::max(kFew, int64_t(wanted + 0.5)));
        if (wanted >= double(kFew) || !(near > 0)) return;
        powers[size_t(q)] =
            std::log(std::max(1.0, nth(kMore) / near)) / std::log(double(kMore) / kFew);
      },
      0, 0);
  if (wanted >= double(kFew)) return out;
  double power = 0;
  for (const double p : powers) power += p / kQueries;
  for (double& t : out) t *= std::pow(wanted / double(kFew), power);
  return out;
}

// The share of pairs that a screen lets through. Either row may want a pair: a query's pairs are held against
// the thresholds of some other queries too. `off` is what screens lose of both rows.
double alive(const Distances& screened, int64_t others, const std::vector<double>& thresholds,
             double off) {
  std::vector<float> limits, some;
  for (const double t : thresholds) limits.push_back(float(t * 1.003 + off));
  std::vector<float> sorted = limits;
  std::sort(sorted.begin(), sorted.end());
  constexpr size_t kEvery = 8;
  for (size_t q = kEvery / 2; q < sorted.size(); q += kEvery) some.push_back(sorted[q]);
  int64_t stay = 0;
  for (int q = 0; q < kQueries; ++q) {
    for (int64_t j = 0; j < others; ++j) {
      const float distance = screened[size_t(q * others + j)];
      if (distance <= limits[size_t(q)]) {
        stay += int64_t(some.size());
        continue;
      }
      for (auto other = some.rbegin(); other != some.rend() && distance <= *other; ++other) ++stay;
    }
  }
  return std::min(1.0, kLate * double(stay) / (double(kQueries * some.size()) * double(others)));
}

// Rows of a side that are asked and asked about, as coordinates.
class Asked {
 public:
  Asked(const Rows& rows, int64_t count, Team& team)
      : others_(sampled(rows, count, 0.5, team)), square_(static_cast<size_t>(count)) {
    const int64_t cols = others_.cols;
    // The queries, and the mean of all.
    Matrix asking(kQueries + 1, cols);
    for (int q = 0; q < kQueries; ++q) {
      std::copy_n(others_.row(query_of(q, count)), cols, asking.row(q));
    }
    float* const mean = asking.row(kQueries);
    std::fill_n(mean, cols, 0.0f);
    for (int64_t r = 0; r < count; ++r) {
      const float* const row = others_.row(r);
      for (int64_t k = 0; k < cols; ++k) mean[k] += row[k];
      float lanes[16] = {};
      int64_t k = 0;
      for (; k + 16 <= cols; k += 16) {
        for (int l = 0; l < 16; ++l) lanes[l] += row[k + l] * row[k + l];
      }
      for (; k < cols; ++k) lanes[0] += row[k] * row[k];
      for (const float lane : lanes) square_[size_t(r)] += lane;
    }
    for (int64_t k = 0; k < cols; ++k) mean[k] /= float(count);
    look(transposed(product(others_, transposed(asking), team)), mean, team);
  }
  // kScreened of them, each query's row among them.
  Matrix some() const {
    Matrix out(kScreened, others_.cols);
    for (int64_t r = 0; r < kScreened; ++r) {
      std::copy_n(others_.row(r * others_.rows / kScreened), out.cols, out.row(r));
    }
    return out;
  }
  const Distances& distances() const { return distances_; }
  // In how many directions the rows are spread: one over the mean squared cosine between two, less the mean.
  double directions() const { return directions_; }
  double spread() const { return spread_; }  // the mean squared distance from the mean

 private:
  // `dots` are those of the queries, and of the mean of all, with all.
  void look(const Matrix& dots, const float* mean, Team& team) {
    const auto count = size_t(others_.rows);
    const float* const with_mean = dots.row(kQueries);
    double mean_square = 0;
    for (int64_t k = 0; k < others_.cols; ++k) mean_square += double(mean[k]) * double(mean[k]);
    std::vector<float> inverse(count);  // of the distance from the mean
    for (size_t r = 0; r < count; ++r) {
      const double square = double(square_[r]) - 2 * double(with_mean[r]) + mean_square;
      inverse[r] = square > 0 ? float(1 / std::sqrt(square)) : 0;
      spread_ += std::max(0.0, square) / double(count);
    }
    distances_.resize(kQueries * count);
    std::vector<double> cosines(kQueries);
    team.run(
        kQueries, 16.0 * kQueries * double(count),
        [&](int64_t q, int) {
          const auto own = size_t(query_of(int(q), int64_t(count)));
          const float* const dot = dots.row(q);
          float* const distance = &distances_[size_t(q) * count];
          const float shift = float(mean_square) - with_mean[own];
          float sum = 0;
          for (size_t j = 0; j < count; ++j) {
            const float apart = square_[own] + square_[j] - 2 * dot[j];
            distance[j] = apart > 0 ? std::sqrt(apart) : 0.0f;
            const float cosine = (dot[j] + shift - with_mean[j]) * inverse[own] * inverse[j];
            sum += j == own ? 0.0f : cosine * cosine;
          }
          cosines[size_t(q)] = double(sum);
        },
        0, 0);
    double all = 0;
    for (const double sum : cosines) all += sum;
    const double pairs = double(kQueries) * double(count - 1);
    directions_ = all > 0 ? pairs / all : double(others_.cols);
  }

  Matrix others_;
  std::vector<float> square_;
  Distances distances_;
  double directions_ = 0, spread_ = 0;
};

// By the largest difference of the first `cols` bytes.
Distances by_largest(const std::vector<uint8_t>& rows, int64_t others, int64_t cols, int64_t stride,
                     Team& team) {
  Distances out(size_t(kQueries * others));
  team.run(
      kQueries, double(kQueries) * double(others) * double(cols) / 16,
      [&](int64_t q, int) {
        const uint8_t* const u = &rows[size_t(query_of(int(q), others) * stride)];
        for (int64_t j = 0; j < others; ++j) {
          const uint8_t* const v = &rows[size_t(j * stride)];
          uint8_t most = 0;
          for (int64_t k = 0; k < cols; ++k) {
            const auto apart = uint8_t(u[k] > v[k] ? u[k] - v[k] : v[k] - u[k]);
            most = apart > most ? apart : most;
          }
          out[size_t(q * others + j)] = float(most);
        }
      },
      0, 0);
  return out;
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

ScreenCoding without() { return {}; }

ScreenCoding choose_largest_for(const Comparison& comparison, const Coding& coding, int64_t k,
                                Team& team) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, padded = row_stride(cols);
  const int64_t others = std::min(kOthers, rows.matrix.rows);
  std::vector<uint8_t> codes(size_t(others * padded));
  constexpr int64_t some = 32;
  team.run((others + some - 1) / some, double(others) * double(cols),
           [&](int64_t unit, int) {
             std::vector<float> values(static_cast<size_t>(padded));
             for (int64_t r = unit * some; r < std::min(others, (unit + 1) * some); ++r) {
               CodedRow row;
               kernels().encode_row(rows, coding.form, coding.grid, coding.levels,
                                    r * rows.matrix.rows / others, padded, padded, values.data(),
                                    &codes[size_t(r * padded)], &row);
             }
           },
           0, 0);
  const std::vector<double> near =
      thresholds(by_largest(codes, others, padded, padded, team), others,
                 double(k * others) / double(rows.matrix.rows), team);
  const double off = 2 * code_residual(rows, coding) * coding.steps;
  ScreenCoding best = without();
  // Bytes are compared by four instructions, products by one.
  double least = kGain * full_price(2 * double(cols));
  const int64_t first = first_codes(padded);
  for (const int width : {64, 128, 192, 256}) {
    if (width > cols / 2) break;
    const ScreenCoding screens = choose_screens(comparison, coding, width, team);
    // A screen, and what is looked at first of the pairs that it leaves.
    const int64_t stride = width + first;
    std::vector<uint8_t> bytes(size_t(others * stride));
    for (int64_t r = 0; r < others; ++r) {
      const uint8_t* const from = &codes[size_t(r * padded)];
      uint8_t* const to = &bytes[size_t(r * stride)];
      for (int64_t c = 0; c < cols; ++c) {
        uint8_t& byte = to[screens.byte_of[size_t(c)]];
        byte = std::max(byte, from[c]);
      }
      for (int64_t c = 0; c < std::min(first, cols); ++c) {
        to[width + c] = from[screens.features[size_t(c)]];
      }
    }
    const double stay = alive(by_largest(bytes, others, width, stride, team), others, near, off);
    const double left = alive(by_largest(bytes, others, stride, stride, team), others, near, off);
    const double looked_at = double(first) + left / std::max(stay, 1e-9) * double(padded - first);
    const double costs = price(2 * width, stay, 2 * double(cols), 2 * looked_at);
    if (costs >= least) continue;
    least = costs;
    best = screens;
  }
  return best;
}

// What screens by the first directions of a basis say of the pairs of a sample, width after width.
class Screened {
 public:
  explicit Screened(const Coordinates& seen)
      : seen_(seen),
        of_first_(kScreened),
        dots_(kQueries * kScreened),
        screened_(kQueries * kScreened) {}
  // Of screens by so many directions, no fewer than those of the last.
  const Distances& by(int64_t directions, Team& team) {
    const int64_t end = std::min(seen_.values.cols, directions), n = end - first_;
    if (n > 0) {
      Matrix own(kScreened, n), asking(kQueries, n);
      for (int64_t r = 0; r < kScreened; ++r) {
        std::copy_n(seen_.values.row(r) + first_, n, own.row(r));
        for (int64_t c = 0; c < n; ++c) of_first_[size_t(r)] += own.at(r, c) * own.at(r, c);
      }
      for (int q = 0; q < kQueries; ++q) {
        std::copy_n(own.row(query_of(q, kScreened)), n, asking.row(q));
      }
      const Matrix dots = product(asking, transposed(own), team);
      for (size_t i = 0; i < dots_.size(); ++i) dots_[i] += dots.values.get()[i];
      first_ = end;
    }
    std::vector<float> rest(kScreened);
    for (size_t r = 0; r < rest.size(); ++r) {
      const double left = seen_.square[r] - double(of_first_[r]);
      rest[r] = left > 0 ? float(std::sqrt(left)) : 0;
    }
    for (int q = 0; q < kQueries; ++q) {
      const auto own = size_t(query_of(q, kScreened)), row = size_t(q) * kScreened;
      for (size_t j = 0; j < kScreened; ++j) {
        const float rests = rest[own] - rest[j];
        const float square = of_first_[own] + of_first_[j] - 2 * dots_[row + j] + rests * rests;
        screened_[row + j] = square > 0 ? std::sqrt(square) : 0.0f;
      }
    }
    return screened_;
  }

 private:
  const Coordinates& seen_;
  int64_t first_ = 0;
  std::vector<float> of_first_, dots_;
  Distances screened_;
};

ScreenCoding choose_products_for(const Comparison& comparison, int64_t k, Team& team) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, n = rows.matrix.rows, others = std::min(kOthers, n);
  const Asked asked(rows, others, team);
  // Rows that are spread in all directions have none that says much.
  if (asked.directions() > double(cols) / 4) return without();
  const std::vector<double> near =
      thresholds(asked.distances(), others, double(k * others) / double(n), team);
  const auto preparing = [&](int width) {  // of a pair
    const double sample = double(std::min(n, sample_size(n)));
    return double(cols) *
           (kFixedProduct * double(n + others) * width + 3 * kProduct * sample * (width + 32)) /
           (0.5 * double(n) * double(n));
  };
  // Before there is a basis: if so much of a squared distance is in its coordinates.
  const auto guessed = [&](double part) {
    Distances parts = asked.distances();
    for (float& d : parts) d *= float(std::sqrt(part));
    return alive(parts, others, near, 0.02 * std::sqrt(asked.spread()));
  };
  double least = kGain * full_price(double(cols));
  const auto price_of = [&](int width, double stay) {
    return price(width, stay, double(cols), double(cols)) + preparing(width);
  };
  if (price_of(64, guessed(0.9)) >= least) return without();
  const double more = price_of(128, guessed(0.6)) - price_of(256, 0);
  const int widest = more > kScreenByte * 128 && cols >= 512 ? 256 : 128;
  if (widest > cols / 2) return without();

  const Matrix sample = sampled(rows, std::min(sample_size(n), n), 0, team);
  const Basis basis = choose_basis(sample, widest - 1, team);
  const Coordinates seen = coordinates_of(asked.some(), basis, team);
  Screened screened(seen);
  ScreenCoding best = without();
  for (int width = 64; width <= widest; width += kWidths) {
    const Distances& distances = screened.by(width - 1, team);
    ScreenCoding screens = product_screens(basis, width, seen);
    const double off = 2 * screens.step * std::sqrt(width / 12.0);
    const double costs = price_of(width, alive(distances, kScreened, near, off));
    if (costs >= least) continue;
    least = costs;
    best = std::move(screens);
  }
  return best;
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
  return coding.form == CodeForm::products ? choose_products_for(comparison, k, team)
                                           : choose_largest_for(comparison, coding, k, team);
}

}  // namespace lookalike
