#include "rows/screens.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>

#include "kernels/dispatch.h"
#include "rows/rounding.h"

namespace lookalike {
namespace {

// Coordinates are clipped at so many times their root mean square. Nothing is lost by it but what lies
// beyond: clipping brings no two rows farther apart.
constexpr double kClip = 5.6;
constexpr int kLevels = 127;

// What a basis leaves of a row, as a norm, from the squares of the row and of its coordinates.
struct Rest {
  double norm, error;
};
Rest rest_of(double square, double seen, double skew) {
  // ‖x‖² − 2‖Px‖² + ‖PᵀPx‖² is ‖x‖² − ‖z‖² but for ‖z‖² skew; 2^-16 is for float32 sums of squares.
  const double off = (skew * (1 + skew) * (1 + skew) + 0x1p-16) * square;
  const double norm = std::sqrt(std::max(0.0, square - seen)), root = std::sqrt(off);
  return {norm, (norm > 0 ? std::min(root, off / norm) : root) + norm * 0x1p-20};
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
  std::rotate(by_spread.begin(), by_spread.begin() + std::min(alone, cols), by_spread.end());
  screens.features = std::move(by_spread);
}

}  // namespace

bool screens_fit(CodeForm form, int64_t filter_cols) {
  return (form == CodeForm::products || form == CodeForm::largest) &&
         filter_cols <= kMostCodeCols && code_kernels(form).screen != nullptr;
}

Coordinates coordinates_of(const Matrix& rows, const Basis& basis, Team& team) {
  const FixedBasis fixed = in_fixed_point(basis);
  Coordinates out{Matrix(rows.rows, std::max(1, basis.count)),
                  std::vector<double>(size_t(rows.rows))};
  constexpr int64_t some = 32;
  team.run((rows.rows + some - 1) / some, double(rows.rows) * double(rows.cols) * basis.count,
           [&](int64_t unit, int) {
             const int64_t first = unit * some;
             const int n = int(std::min(some, rows.rows - first));
             Projection projection(fixed);
             for (int r = 0; r < n; ++r) {
               std::copy_n(rows.row(first + r), rows.cols, projection.room());
               projection.take(r);
             }
             projection.project(n);
             for (int r = 0; r < n; ++r) {
               const FixedRow& row = projection.row(r);
               float* const to = out.values.row(first + r);
               to[0] = 0;
               for (int k = 0; k < basis.count; ++k) {
                 to[k] = float(projection.products(r)[k]) * (fixed.units[size_t(k)] * row.step);
               }
               out.square[size_t(first + r)] = double(row.step) * double(row.step) * row.square;
             }
           },
           0, 0);
  return out;
}

ScreenCoding product_screens(const Basis& basis, int width, const Coordinates& some) {
  ScreenCoding screens;
  screens.form = CodeForm::products;
  screens.width = width;
  Basis& own = screens.basis;
  own.cols = basis.cols;
  own.count = std::min(basis.count, width - 1);
  own.rows.assign(basis.rows.begin(), basis.rows.begin() + own.count * own.cols);
  own.skew = basis.skew;
  screens.stretch = (1 + own.skew) * (1 + 0x1p-40);
  screens.centre.assign(size_t(width), 0);
  const int64_t n = some.values.rows;
  std::vector<double> squares(static_cast<size_t>(width)), rest_errors;
  const auto count = [&](int k, double value) {
    screens.centre[size_t(k)] += value;
    squares[size_t(k)] += value * value;
  };
  for (int64_t r = 0; r < n; ++r) {
    double seen = 0;
    for (int k = 0; k < own.count; ++k) {
      const double value = double(some.values.at(r, k));
      count(k, value);
      seen += value * value;
    }
    const Rest rest = rest_of(some.square[size_t(r)], seen, own.skew);
    count(width - 1, rest.norm);
    rest_errors.push_back(rest.error);
  }
  double square = 0;
  for (size_t k = 0; k < squares.size(); ++k) {
    double& centre = screens.centre[k];
    centre /= double(n);
    square += std::max(0.0, squares[k] / double(n) - centre * centre);
  }
  screens.step = std::max(kClip / kLevels * std::sqrt(square / width), 0x1p-60);
  // Where rows are far from the origin the norm of the rest is lost in its rounding.
  const auto middle = rest_errors.begin() + std::ptrdiff_t(rest_errors.size() / 2);
  std::nth_element(rest_errors.begin(), middle, rest_errors.end());
  screens.with_rest = *middle < screens.step;
  if (!screens.with_rest) screens.centre.back() = 0;
  return screens;
}

ScreenCoding choose_screens(const Comparison& comparison, const Coding& coding, int width,
                            Team& team) {
  if (coding.form != CodeForm::products) {
    ScreenCoding screens;
    screens.form = coding.form;
    screens.width = width;
    choose_largest(comparison, coding, screens);
    return screens;
  }
  const Rows& rows = comparison.x().rows;
  const int64_t n = rows.matrix.rows;
  const Matrix sample = sampled(rows, std::min(sample_size(n), n), 0, team);
  const Matrix others = sampled(rows, std::min<int64_t>(512, n), 0.5, team);
  const Basis basis = choose_basis(sample, width - 1, team);
  return product_screens(basis, width, coordinates_of(others, basis, team));
}

namespace {

// Rows of products to bytes.
class ProductEncoder {
 public:
  // The basis of the screens is the beginning of `basis`.
  ProductEncoder(const ScreenCoding& screens, const FixedBasis& basis)
      : screens_(screens), units_(basis.units), centre_(basis.units.size()) {
    if (screens.centre.empty()) return;
    rest_centre_ = float(screens.centre.back() / screens.step);
    double square = double(rest_centre_) * double(rest_centre_);
    // Directions beyond those of these screens count for nothing.
    const auto own = size_t(screens.basis.count);
    std::fill(units_.begin() + std::ptrdiff_t(own), units_.end(), 0.0f);
    for (size_t k = 0; k < own; ++k) {
      centre_[k] = float(screens.centre[k] / screens.step);
      square += double(centre_[k]) * double(centre_[k]);
    }
    far_ = std::sqrt(square);
  }
  void encode(const FixedRow& row, const int32_t* products, size_t at, double residual,
              ScreenRows& out) const {
    const int width = screens_.width;
    uint8_t* const bytes = &out.bytes[at * size_t(width)];
    const double own = double(row.step) / screens_.step;
    const auto scale = float(own);
    // In lanes, for the compiler to make vectors of.
    float seen[kLanes] = {}, off[kLanes] = {};
    int32_t square[kLanes] = {}, sum[kLanes] = {};
    std::fill_n(bytes, width, uint8_t(128));
    for (int k = 0; k < screens_.basis.count; k += kLanes) {
      const float *const unit = &units_[size_t(k)], *const centre = &centre_[size_t(k)];
      uint8_t codes[kLanes];
      for (int l = 0; l < kLanes; ++l) {
        const float value = float(products[k + l]) * (scale * unit[l]);
        const float clipped = clip(value - centre[l]);
        const int32_t code = nearest(clipped);
        seen[l] += value * value;
        off[l] += (clipped - float(code)) * (clipped - float(code));
        square[l] += code * code;
        sum[l] += code;
        codes[l] = uint8_t(code + 128);
      }
      std::copy_n(codes, std::min(kLanes, width - k), bytes + k);
    }
    double all_seen = 0, all_off = 0;
    int32_t all_square = 0, all_sum = 0;
    for (int l = 0; l < kLanes; ++l) {
      all_seen += double(seen[l]);
      all_off += double(off[l]);
      all_square += square[l];
      all_sum += sum[l];
    }
    double lost = screens_.stretch * (residual + double(row.residual));
    int32_t last = 0;
    if (screens_.with_rest) {
      const double step = screens_.step;
      const Rest rest = rest_of(own * own * row.square, all_seen, screens_.basis.skew);
      const float clipped = clip(float(rest.norm) - rest_centre_);
      last = nearest(clipped);
      all_off += (double(clipped) - last) * (double(clipped) - last);
      all_square += last * last;
      all_sum += last;
      lost += rest.error * step;
    }
    bytes[width - 1] = uint8_t(last + 128);
    out.square[at] = all_square / 2;
    out.sum[at] = all_sum;
    // The roundings of values, of their centres and of the sum of squares.
    const double far = (1 + screens_.basis.skew) * own * std::sqrt(double(row.square));
    lost += screens_.step * (std::sqrt(all_off) * (1 + 0x1p-16) + (far + far_) * 0x1p-21 +
                             std::sqrt(double(width)) * 0x1p-16);
    const bool known = far < kMostSteps && far_ < kMostSteps && lost == lost;
    out.residual[at] = known ? up(lost) : std::numeric_limits<float>::infinity();
  }

 private:
  static constexpr int kLanes = kPanelDirections;
  static constexpr double kMostSteps = 0x1p40;
  static float clip(float x) {
    const float low = x > -float(kLevels) ? x : -float(kLevels);
    return low < float(kLevels) ? low : float(kLevels);
  }
  static int32_t nearest(float x) { return int32_t(x + (kLevels + 1.5f)) - (kLevels + 1); }

  const ScreenCoding& screens_;
  std::vector<float> units_, centre_;  // of whole panels; centres in steps
  float rest_centre_ = 0;
  double far_ = 0;
};

}  // namespace

std::vector<ScreenRows> encode_screens(const std::vector<const ScreenCoding*>& screens,
                                       const FixedBasis& basis, const Side& side, Team& team) {
  const int64_t n = side.rows.matrix.rows, cols = side.rows.filter_cols;
  std::vector<ScreenRows> out;
  std::vector<ProductEncoder> encoders;
  for (const ScreenCoding* each : screens) {
    ScreenRows rows;
    rows.width = each->width;
    rows.bytes.resize(size_t(n * each->width));
    rows.square.resize(size_t(n));
    rows.sum.resize(size_t(n));
    rows.residual.resize(size_t(n));
    out.push_back(std::move(rows));
    encoders.emplace_back(*each, basis);
  }
  std::vector<std::unique_ptr<Projection>> projections(size_t(team.threads()));
  constexpr int64_t some = Projection::kMost;
  team.run((n + some - 1) / some, double(n) * double(cols) * basis.count,
           [&](int64_t unit, int worker) {
             const int64_t first = unit * some, end = std::min(n, first + some);
             auto& projection = projections[size_t(worker)];
             if (!projection) projection = std::make_unique<Projection>(basis);
             for (int64_t r = first; r < end; ++r) {
               prefetch_row(side.rows, r + 1);
               kernels().filter_row(side.rows, r, 0, cols, projection->room());
               projection->take(int(r - first));
             }
             projection->project(int(end - first));
             for (int64_t r = first; r < end; ++r) {
               const int at = int(r - first);
               for (size_t e = 0; e < encoders.size(); ++e) {
                 encoders[e].encode(projection->row(at), projection->products(at), size_t(r),
                                    double(side.residual[size_t(r)]), out[e]);
               }
             }
           },
           0, 0);
  return out;
}

ScreenRows encode_screens(const ScreenCoding& screens, const Coding& coding, const Side& side,
                          Team& team) {
  if (screens.form == CodeForm::products) {
    return std::move(encode_screens({&screens}, in_fixed_point(screens.basis), side, team)[0]);
  }
  const int64_t n = side.rows.matrix.rows, cols = side.rows.filter_cols;
  ScreenRows out;
  out.width = screens.width;
  out.bytes.resize(size_t(n * screens.width));
  out.residual.resize(size_t(n));
  constexpr int64_t some = 64;
  team.run((n + some - 1) / some, double(n) * double(cols),
           [&](int64_t unit, int) {
             const int64_t padded = (cols + 63) / 64 * 64;
             std::vector<float> values(static_cast<size_t>(padded));
             std::vector<uint8_t> codes(static_cast<size_t>(padded));
             for (int64_t r = unit * some; r < std::min(n, (unit + 1) * some); ++r) {
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
  const uint32_t signs = form == CodeForm::products ? 0x80808080u : 0;
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
          for (int k = 0; k < width; k += kScreenGroup) {
            uint32_t four = signs;
            if (row >= 0) std::memcpy(&four, &rows.bytes[size_t(row * width + k)], kScreenGroup);
            four ^= signs;
            std::memcpy(to + k * kScreenRows + r * kScreenGroup, &four, kScreenGroup);
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
