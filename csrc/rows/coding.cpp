#include "rows/coding.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/dispatch.h"
#include "rows/rounding.h"

namespace lookalike {
namespace {

// Values of some rows, from which a grid for all of them is chosen: whatever it is, it is right,
// since the residuals are measured; it only has to be good.
struct Sample {
  static constexpr int64_t kRows = 64, kFeatures = 1024;
  int64_t rows, cols;
  std::vector<float> values;
  explicit Sample(const Rows& from)
      : rows(std::min(kRows, from.matrix.rows)),
        cols(std::min(kFeatures, from.filter_cols)),
        values(size_t(rows * cols)) {
    std::vector<float> row(size_t(from.filter_cols));
    for (int64_t r = 0; r < rows; ++r) {
      kernels().filter_row(from, r * from.matrix.rows / rows, 0, from.filter_cols, row.data());
      for (int64_t k = 0; k < cols; ++k) {
        values[size_t(r * cols + k)] = row[size_t(k * from.filter_cols / cols)];
      }
    }
  }
  // What all but a share of the values are at least; the values are left in another order.
  static float quantile(std::vector<float>& v, double share) {
    const auto at = v.begin() + std::ptrdiff_t(share * double(v.size() - 1));
    std::nth_element(v.begin(), at, v.end());
    return *at;
  }
};

// Shares of the values to clip, at the top and, if there are negative ones, at the bottom.
constexpr double kClips[] = {0, 1e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01};

void choose_steps(const Sample& sample, bool largest, int levels, CodeGrid& grid) {
  std::vector<float> sorted = sample.values;
  const float least = *std::min_element(sorted.begin(), sorted.end());
  double best = std::numeric_limits<double>::infinity();
  for (const double clip : kClips) {
    const float low = least >= 0 ? 0 : Sample::quantile(sorted, clip);
    const float high = Sample::quantile(sorted, 1 - clip);
    const float step = std::max((high - low) / float(levels), 0x1p-100f);
    double lost = 0;
    for (int64_t r = 0; r < sample.rows; ++r) {
      float sum = 0, most = 0;
      for (int64_t k = 0; k < sample.cols; ++k) {
        const float x = sample.values[size_t(r * sample.cols + k)];
        const float outside = std::max({x - high, low - x, 0.0f});
        const float error = std::max(outside, x == low ? 0.0f : step / 4);
        sum += error;
        most = std::max(most, outside > 0 ? outside : step / 2);
      }
      lost += double(largest ? most : sum);
    }
    if (lost < best) {
      best = lost;
      grid.low = low;
      grid.step = step;
    }
  }
}

// Returns how much a looked-up term may be off.
double choose_ratios(const Sample& sample, CodeGrid& grid) {
  std::vector<float> nonzero;
  std::copy_if(sample.values.begin(), sample.values.end(), std::back_inserter(nonzero),
               [](float x) { return x > 0; });
  if (nonzero.empty()) nonzero.push_back(1);
  double best = std::numeric_limits<double>::infinity(), first = 0, spacing = 1;
  for (const double clip : kClips) {
    for (const double below : {clip, 4 * clip, 16 * clip}) {
      const double low = std::log(double(Sample::quantile(nonzero, below)));
      const double high = std::log(double(Sample::quantile(nonzero, 1 - clip)));
      const double apart = std::max((high - low) / 126, 1e-6);
      double lost = 0;
      for (const float x : nonzero) {
        const double at = std::log(double(x));
        const double outside = std::max({at - high, low - at, 0.0});
        lost += std::min(1.0, outside / 2 + (outside > 0 ? 0 : apart / 8));
      }
      if (lost < best) {
        best = lost;
        first = low;
        spacing = apart;
      }
    }
  }
  for (int m = 0; m < 127; ++m) grid.centre[m] = float(std::exp(first + m * spacing));
  for (uint32_t upper = 0; upper < 1 << 15; ++upper) {
    const uint32_t bits = upper << 16 | 1 << 15;
    float x;
    std::memcpy(&x, &bits, 4);
    const double at = std::isfinite(x) ? (std::log(double(x)) - first) / spacing : 126;
    grid.nearest[upper] = uint8_t(std::clamp(at + 0.5, 0.0, 126.0));
  }
  double rounding = 0;
  for (int m = 0; m < 127; ++m) {
    const double term = 255 * std::tanh(m * spacing / 2);
    grid.table[m] = uint8_t(std::lround(term));
    rounding = std::max(rounding, std::fabs(term - double(grid.table[m])));
  }
  grid.table[127] = 255;
  return rounding / 255;
}

}  // namespace

Coding choose_coding(CodeForm form, const Rows& rows) {
  Coding coding{};
  coding.form = form;
  coding.levels = code_kernels(coding.form).levels;
  coding.grid.step = 1;
  coding.steps = 1;
  if (coding.form == CodeForm::ratios) {
    coding.rounding = choose_ratios(Sample(rows), coding.grid);
    coding.steps = 255;
  } else if (coding.form != CodeForm::products) {
    choose_steps(Sample(rows), coding.form == CodeForm::largest, coding.levels, coding.grid);
    coding.steps = 1 / double(coding.grid.step);
  }
  return coding;
}

namespace {

struct Scratch {  // a worker's
  Buffer<float> values;
  Buffer<uint8_t> codes;
};

// What is to be known of the side's row `row`, as that of the row `at` of its codes.
void note(const Coding& coding, const Side& side, size_t row, const CodedRow& coded, CodedSide& out,
          size_t at) {
  const auto in_units = [&](float of_codes) {
    const double residual = (double(of_codes) + side.residual[row]) * coding.steps;
    const bool looked_up = coding.form == CodeForm::ratios;
    return looked_up ? residual + coding.rounding * coding.steps / 2 * coded.sum : residual;
  };
  const double residual = in_units(coded.residual);
  out.residual[at] = up(residual);
  if (!out.with_clipped.empty()) out.with_clipped[at] = up(in_units(coded.with_clipped));
  if (!out.weight.empty()) {
    out.weight[at] = float(side.weight[row] * coding.steps);
    if (side.weight[row] > 0 && out.weight[at] < kLeastWeight) {
      out.residual[at] = out.with_clipped[at] = std::numeric_limits<float>::infinity();
    }
  }
  out.slack[at] = up(out.residual[at]);
  if (coding.form != CodeForm::products) return;
  out.scale[at] = coded.scale;
  out.zero[at] = coded.zero;
  out.sum[at] = coded.sum;
  out.square[at] = coded.square;
  out.error[at] = coded.square * 0x1p-20f + 0x1p-100f;
  out.slack[at] = up(residual * residual + double(out.error[at]));
}

CodedSide vectors_for(const Coding& coding, const Side& side) {
  CodedSide out;
  const auto n = size_t(side.rows.matrix.rows);
  CodedSide::each_vector(
      out, coding.form, !side.weight.empty(),
      [&](const char*, auto& vector, bool needed) { vector.resize(needed ? n : 0); });
  return out;
}

}  // namespace

std::vector<int32_t> in_order(int64_t rows) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

CodedSide encode_rows(const Coding& coding, const Side& side, const std::vector<int32_t>& order,
                      Team& team, const std::vector<int32_t>& features) {
  CodedSide out = vectors_for(coding, side);
  const int64_t n = side.rows.matrix.rows, stride = row_stride(side.rows.filter_cols);
  out.stride = stride;
  out.memory = Buffer<uint8_t>(size_t(n * stride));
  out.codes = out.memory.get();
  std::vector<Scratch> scratch(size_t(team.threads()));
  constexpr int64_t some = 32;
  team.run((n + some - 1) / some, double(n) * double(stride),
           [&](int64_t unit, int worker) {
             Scratch& s = scratch[size_t(worker)];
             if (!s.values.get()) {
               s.values = Buffer<float>(size_t(stride));
               s.codes = Buffer<uint8_t>(size_t(stride));
             }
             for (int64_t at = unit * some; at < std::min(n, (unit + 1) * some); ++at) {
               const int64_t row = order[size_t(at)];
               if (at + 1 < n) prefetch_row(side.rows, order[size_t(at + 1)]);
               uint8_t* const to = out.memory.get() + at * stride;
               uint8_t* const codes = features.empty() ? to : s.codes.get();
               CodedRow coded;
               kernels().encode_row(side.rows, coding.form, coding.grid, coding.levels, row, stride,
                                    stride, s.values.get(), codes, &coded);
               if (codes != to) {
                 std::copy_n(codes, stride, to);
                 for (size_t k = 0; k < features.size(); ++k) to[k] = codes[features[k]];
               }
               note(coding, side, size_t(row), coded, out, size_t(at));
             }
           },
           0, 0);
  return out;
}

CodedSide encode_panels(const Coding& coding, const Side& side, const std::vector<int32_t>& order,
                        Team& team) {
  CodedSide out = vectors_for(coding, side);
  const auto n = int64_t(order.size());
  const int64_t cols = side.rows.filter_cols;
  const int64_t kept = code_lines(cols) * kCodeGroup, padded = row_stride(cols);
  out.memory = Buffer<uint8_t>(size_t(code_bytes(n, cols)));
  out.codes = out.memory.get();
  std::vector<Scratch> scratch(size_t(team.threads()));
  team.run((n + kCodeRows - 1) / kCodeRows, double(n) * double(cols),
           [&](int64_t unit, int worker) {
             Scratch& s = scratch[size_t(worker)];
             if (!s.codes.get()) {
               s.values = Buffer<float>(size_t(padded));
               s.codes = Buffer<uint8_t>(size_t(padded));
             }
             uint8_t* const panel = out.memory.get() + unit * code_lines(cols) * kCodeLine;
             for (int r = 0; r < kCodeRows; ++r) {
               const auto at = size_t(unit * kCodeRows + r);
               if (at < order.size()) {
                 CodedRow coded;
                 kernels().encode_row(side.rows, coding.form, coding.grid, coding.levels, order[at],
                                      padded, kept, s.values.get(), s.codes.get(), &coded);
                 note(coding, side, size_t(order[at]), coded, out, at);
               } else {
                 std::memset(s.codes.get(), 0, size_t(kept));
               }
               for (int64_t k = 0; k < code_lines(cols); ++k) {
                 std::memcpy(panel + k * kCodeLine + r * kCodeGroup, s.codes.get() + k * kCodeGroup,
                             kCodeGroup);
               }
             }
           },
           0, 0);
  return out;
}

void as_panels(const CodedSide& side, int64_t cols, int64_t first, int64_t n, uint8_t* out) {
  const int64_t kept = code_lines(cols) * kCodeGroup;
  if (side.guard) side.guard->check(first * side.stride, (first + n) * side.stride);
  for (int64_t j = 0; j < n; j += kCodeRows) {
    const uint8_t* from[kCodeRows];
    for (int r = 0; r < kCodeRows; ++r) {  // rows behind the last are looked at by nobody
      from[r] = side.codes + (first + std::min(j + r, n - 1)) * side.stride;
    }
    for (int64_t k = 0; k < kept; k += kCodeGroup, out += kCodeLine) {
      for (int r = 0; r < kCodeRows; ++r) {
        std::memcpy(out + r * kCodeGroup, from[r] + k, kCodeGroup);
      }
    }
  }
}

const uint8_t* CodedDatabase::panels(int64_t rows, int64_t cols, Team& team) const {
  State state = kNone;
  if (state_.compare_exchange_strong(state, kBeingMade, std::memory_order_acquire)) {
    try {
      constexpr int64_t some = 4 * kCodeRows;
      panels_ = Buffer<uint8_t>(size_t(code_bytes(rows, cols)));
      team.run((rows + some - 1) / some, double(rows) * double(cols),
               [&](int64_t unit, int) {
                 const int64_t first = unit * some;
                 as_panels(side, cols, first, std::min(some, rows - first),
                           panels_.get() + code_bytes(first, cols));
               },
               0, 0);
    } catch (...) {
      panels_ = Buffer<uint8_t>();
      state_.store(kNone, std::memory_order_release);
      throw;
    }
    state_.store(kThere, std::memory_order_release);
    return panels_.get();
  }
  return state == kThere ? panels_.get() : nullptr;
}

}  // namespace lookalike
