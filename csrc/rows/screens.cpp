#include "rows/screens.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/dispatch.h"
#include "rows/rounding.h"

namespace lookalike {
namespace {

// Coordinates are clipped at so many times their root mean square. Nothing is lost by it but what lies
// beyond: clipping brings no two rows farther apart.
constexpr double kClip = 5.6;
constexpr int kLevels = 127;

// Coordinates and rest of some rows, as a screen's bytes have them before they are rounded.
class Projection {
 public:
  Projection(const MetricKernels& metric, const Rows& rows, const ScreenCoding& screens)
      : metric_(metric), rows_(rows), screens_(screens) {}
  // Of rows [first, first + n), n <= kTile.
  void of(int64_t first, int n) {
    coordinates_.resize(size_t(n * screens_.basis.count));
    known_.resize(size_t(n));
    project(metric_, rows_, screens_.basis, first, n, workspace_, coordinates_.data(),
            known_.data());
  }
  double value(int row, int byte) const {
    const int count = screens_.basis.count;
    if (byte < count) return coordinates_[size_t(row * count + byte)];
    return byte == screens_.width - 1 ? known_[size_t(row)].rest : 0;
  }
  const Projected& known(int row) const { return known_[size_t(row)]; }

 private:
  const MetricKernels& metric_;
  const Rows& rows_;
  const ScreenCoding& screens_;
  SumsWorkspace workspace_;
  std::vector<double> coordinates_;
  std::vector<Projected> known_;
};

// Centre and step of the coordinates in the basis that the screens have.
void fit_products(const Comparison& comparison, ScreenCoding& screens) {
  const Rows& rows = comparison.x().rows;
  screens.stretch = (1 + screens.basis.skew) * (1 + 0x1p-40);
  screens.centre.assign(size_t(screens.width), 0);
  constexpr int kBatches = 8, kBatch = 64;
  const int batch = int(std::min<int64_t>(kBatch, rows.matrix.rows));
  Projection projection(comparison.kernels(), rows, screens);
  std::vector<double> squares(size_t(screens.width)), rest_errors;
  for (int b = 0; b < kBatches; ++b) {
    projection.of((rows.matrix.rows - batch) * b / kBatches, batch);
    for (int r = 0; r < batch; ++r) {
      rest_errors.push_back(projection.known(r).rest_error);
      for (int k = 0; k < screens.width; ++k) {
        const double value = projection.value(r, k);
        screens.centre[size_t(k)] += value;
        squares[size_t(k)] += value * value;
      }
    }
  }
  const double count = double(rest_errors.size());
  double square = 0;
  for (size_t k = 0; k < squares.size(); ++k) {
    double& centre = screens.centre[k];
    centre /= count;
    square += std::max(0.0, squares[k] / count - centre * centre);
  }
  screens.step = std::max(kClip / kLevels * std::sqrt(square / screens.width), 0x1p-90);
  // Where rows are far from the origin the norm of the rest is lost in its rounding.
  const auto middle = rest_errors.begin() + std::ptrdiff_t(rest_errors.size() / 2);
  std::nth_element(rest_errors.begin(), middle, rest_errors.end());
  screens.with_rest = *middle < screens.step;
}

// The bytes of the features that differ most, one each, then those of blocks of the others.
void choose_largest(const Comparison& comparison, const Coding& coding, ScreenCoding& screens) {
  const Rows& rows = comparison.x().rows;
  const int64_t cols = rows.filter_cols, padded = (cols + 63) / 64 * 64;
  const int64_t n = std::min<int64_t>(256, rows.matrix.rows);
  std::vector<float> values(static_cast<size_t>(padded));
  std::vector<uint8_t> codes(static_cast<size_t>(padded));
  std::vector<double> sum(codes.size()), square(codes.size());
  for (int64_t r = 0; r < n; ++r) {
    CodedRow row;
    kernels().encode_row(rows, coding.form, coding.grid, coding.levels, r * rows.matrix.rows / n,
                         padded, padded, values.data(), codes.data(), &row);
    for (size_t k = 0; k < size_t(cols); ++k) {
      sum[k] += codes[k];
      square[k] += double(codes[k]) * codes[k];
    }
  }
  std::vector<int32_t> by_spread(static_cast<size_t>(cols));
  std::iota(by_spread.begin(), by_spread.end(), 0);
  const auto spread = [&](int32_t k) {
    return square[size_t(k)] - sum[size_t(k)] * sum[size_t(k)] / double(n);
  };
  std::sort(by_spread.begin(), by_spread.end(), [&](int32_t a, int32_t b) {
    return spread(a) > spread(b) || (spread(a) == spread(b) && a < b);
  });
  const int64_t alone = screens.width / 2, blocks = screens.width - alone;
  screens.byte_of.resize(size_t(cols));
  for (int64_t k = 0; k < cols; ++k) {
    screens.byte_of[size_t(by_spread[size_t(k)])] =
        uint16_t(k < alone ? k : alone + (k - alone) % blocks);
  }
}

}  // namespace

bool screens_fit(CodeForm form, int64_t filter_cols) {
  return (form == CodeForm::products || form == CodeForm::largest) &&
         filter_cols <= kMostCodeCols && code_kernels(form).screen != nullptr;
}

ScreenCoding choose_screens(const Comparison& comparison, const Coding& coding, int width,
                            Team& team) {
  ScreenCoding screens;
  screens.form = coding.form;
  screens.width = width;
  if (coding.form == CodeForm::products) {
    screens.basis = choose_basis(comparison.x().rows, comparison.kernels(), width - 1, team);
    fit_products(comparison, screens);
  } else {
    choose_largest(comparison, coding, screens);
  }
  return screens;
}

ScreenCoding narrowed(const Comparison& comparison, const ScreenCoding& screens, int width) {
  ScreenCoding narrow = screens;
  narrow.width = width;
  narrow.basis.count = std::min(screens.basis.count, width - 1);
  narrow.basis.rows.resize(size_t(narrow.basis.count * narrow.basis.cols));
  fit_products(comparison, narrow);
  return narrow;
}

void screen_values(const ScreenCoding& screens, const MetricKernels& metric, const Rows& rows,
                   Team& team, std::vector<float>& out) {
  const double most = kLevels * screens.step;
  const int64_t n = rows.matrix.rows;
  out.resize(size_t(n * screens.width));
  team.run((n + kTile - 1) / kTile, double(n) * double(rows.filter_cols) * screens.width,
           [&](int64_t unit, int) {
             const int64_t first = unit * kTile;
             const int some = int(std::min<int64_t>(kTile, n - first));
             Projection projection(metric, rows, screens);
             projection.of(first, some);
             float* to = &out[size_t(first * screens.width)];
             for (int r = 0; r < some; ++r) {
               for (int k = 0; k < screens.width; ++k) {
                 const bool used = k < screens.width - 1 || screens.with_rest;
                 const double value = used ? projection.value(r, k) - screens.centre[size_t(k)] : 0;
                 *to++ = float(std::clamp(value, -most, most));
               }
             }
           },
           0, 0);
}

namespace {

// The bytes of row r of a projection, and what they are off.
void encode_product(const ScreenCoding& screens, const Projection& projection, int r, size_t row,
                    double residual, ScreenRows& out) {
  const Projected& known = projection.known(r);
  uint8_t* const bytes = &out.bytes[row * size_t(screens.width)];
  double off = 0, size = 0;
  int32_t square = 0, sum = 0;
  for (int k = 0; k < screens.width; ++k) {
    const bool is_rest = k == screens.width - 1;
    const double value = is_rest && !screens.with_rest ? 0 : projection.value(r, k);
    const double centre = is_rest && !screens.with_rest ? 0 : screens.centre[size_t(k)];
    const double steps =
        std::max(-double(kLevels), std::min((value - centre) / screens.step, double(kLevels)));
    const int code = steps == steps ? int(std::floor(steps + 0.5)) : 0;
    off += (steps - code) * (steps - code);
    size += std::fabs(value) + std::fabs(centre);
    square += code * code;
    sum += code;
    bytes[k] = uint8_t(code + 128);
  }
  out.square[row] = square / 2;
  out.sum[row] = sum;
  // Above: the roundings of steps, of a difference and a quotient.
  const double all = std::sqrt(off) * screens.step + size * 0x1p-50 +
                     double(kLevels * kMostScreenWidth) * screens.step * 0x1p-50 + known.error +
                     (screens.with_rest ? known.rest_error : 0) + screens.stretch * residual;
  out.residual[row] = all == all ? up(all) : std::numeric_limits<float>::infinity();
}

}  // namespace

ScreenRows encode_screens(const ScreenCoding& screens, const Coding& coding,
                          const MetricKernels& metric, const Side& side, Team& team) {
  const int64_t n = side.rows.matrix.rows, cols = side.rows.filter_cols;
  const bool products = screens.form == CodeForm::products;
  ScreenRows out;
  out.width = screens.width;
  out.bytes.resize(size_t(n * screens.width));
  out.residual.resize(size_t(n));
  if (products) {
    out.square.resize(size_t(n));
    out.sum.resize(size_t(n));
  }
  constexpr int64_t some = 128;
  const double cost = double(n) * double(cols) * (products ? screens.width : 1);
  team.run((n + some - 1) / some, cost,
           [&](int64_t unit, int) {
             const int64_t first = unit * some, end = std::min(n, first + some);
             if (products) {
               Projection projection(metric, side.rows, screens);
               projection.of(first, int(end - first));
               for (int64_t r = first; r < end; ++r) {
                 encode_product(screens, projection, int(r - first), size_t(r),
                                side.residual[size_t(r)], out);
               }
               return;
             }
             const int64_t padded = (cols + 63) / 64 * 64;
             std::vector<float> values(static_cast<size_t>(padded));
             std::vector<uint8_t> codes(static_cast<size_t>(padded));
             for (int64_t r = first; r < end; ++r) {
               CodedRow row;
               kernels().encode_row(side.rows, coding.form, coding.grid, coding.levels, r, padded,
                                    padded, values.data(), codes.data(), &row);
               out.residual[size_t(r)] = row.residual + side.residual[size_t(r)];
               uint8_t* const bytes = &out.bytes[size_t(r * screens.width)];
               for (int64_t k = 0; k < cols; ++k) {
                 uint8_t& byte = bytes[screens.byte_of[size_t(k)]];
                 byte = std::max(byte, codes[size_t(k)]);
               }
             }
           },
           0, 0);
  return out;
}

ScreenPanels panels_of(const ScreenRows& rows, CodeForm form, const std::vector<int32_t>& order,
                       Team& team) {
  const auto n = int64_t(order.size());
  const int width = rows.width;
  const int64_t panels = (n + kScreenRows - 1) / kScreenRows;
  const uint8_t sign = form == CodeForm::products ? 128 : 0;
  ScreenPanels out;
  out.width = width;
  out.panels = Buffer<uint8_t>(size_t(screen_bytes(n, width)));
  const size_t room = size_t(panels * kScreenRows);
  out.square.resize(room);
  out.sum.resize(room);
  out.residual.resize(rows.square.size());
  team.run(
      panels, double(n) * width,
      [&](int64_t panel, int) {
        uint8_t* const to = out.panels.get() + panel * kScreenRows * width;
        for (int64_t r = 0; r < kScreenRows; ++r) {
          const int64_t at = panel * kScreenRows + r;
          const int64_t row = at < n ? order[size_t(at)] : -1;
          for (int k = 0; k < width; ++k) {
            const uint8_t byte = row < 0 ? sign : rows.bytes[size_t(row * width + k)];
            to[k / kScreenGroup * 64 + r * kScreenGroup + k % kScreenGroup] = uint8_t(byte ^ sign);
          }
          if (row < 0 || rows.square.empty()) continue;
          out.square[size_t(at)] = rows.square[size_t(row)];
          out.sum[size_t(at)] = rows.sum[size_t(row)];
          out.residual[size_t(at)] = rows.residual[size_t(row)];
        }
      },
      0, 0);
  return out;
}

}  // namespace lookalike
