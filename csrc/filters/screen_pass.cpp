#include "filters/screen_pass.h"

#include <cmath>
#include <cstring>

namespace lookalike {

namespace {

constexpr int kMaskWords = kTile / kScreenRows;
constexpr double kMostHalf = 1 << 24;  // more than half the squared distance of any two screens

}  // namespace

ScreenPass::ScreenPass(const Comparison& comparison, const ScreenCoding& screens,
                       const Coding& coding, ScreenPanels panels, CodedSide codes,
                       bool include_self, Team& team, Stats& stats)
    : form_(coding.form),
      screens_(screens),
      panels_(std::move(panels)),
      codes_(std::move(codes)),
      kernels_(code_kernels(coding.form)),
      rows_(comparison.x().rows.matrix.rows),
      stride_(row_stride(comparison.filter_cols())),
      include_self_(include_self),
      bounds_(code_bounds(comparison, coding, codes_, codes_)),
      stats_(stats),
      most_(size_t((rows_ + kTile - 1) / kTile)),
      workspaces_(size_t(team.threads())) {
  const std::vector<float>& of = form_ == CodeForm::products ? panels_.residual : codes_.slack;
  for (int64_t r = 0; r < rows_; ++r) {
    float& most = most_[size_t(r / kTile)];
    most = std::max(most, of[size_t(r)]);
  }
}

ScreenPass::Workspace& ScreenPass::workspace(int worker) {
  auto& w = workspaces_[size_t(worker)];
  if (!w) w = std::make_unique<Workspace>();
  return *w;
}

void ScreenPass::limit(Limited& side, int64_t other) const {
  const double most = most_[size_t(other)];
  const double halves = 0.5 / (screens_.step * screens_.step) * (1 + 0x1p-20);
  for (int r = 0; r < side.rows; ++r) {
    const auto row = size_t(side.first + r);
    const float threshold = side.threshold[r];
    PairRow& p = side.row[r];
    p.offset = bounds_.offset(threshold, int64_t(row));
    p.slack = codes_.slack[row];
    if (form_ == CodeForm::products) {
      p.slope = bounds_.slope(threshold, int64_t(row));
      p.scale = codes_.scale[row];
      p.square = codes_.square[row];
      p.zero = codes_.zero[row];
      p.sum = codes_.sum[row];
      p.weight = codes_.residual[row];
      const double reach = screens_.stretch * threshold + panels_.residual[row] + most;
      const double half = reach * reach * halves + 1;  // rounded up
      side.least[r] = half < kMostHalf ? -int32_t(half) : -int32_t(kMostHalf);
    } else {
      p.slope = p.weight = 0;
      const double reach = (double(p.offset) + most) * (1 + 0x1p-20);
      side.least[r] = reach < 255 ? -int32_t(reach) : -255;
    }
  }
  // What lies behind the last row is masked.
  for (int r = side.rows; r < kTile; ++r) side.least[r] = 0;
}

int64_t ScreenPass::screen(Workspace& w, bool diagonal) const {
  const ScreenTile t{panels_.panel(w.x.first),
                     panels_.panel(w.y.first),
                     panels_.square.data() + w.x.first,
                     panels_.square.data() + w.y.first,
                     panels_.sum.data() + w.x.first,
                     w.x.least,
                     w.y.least,
                     panels_.width,
                     w.x.rows,
                     w.y.rows,
                     w.masks,
                     codes_.codes + w.y.first * stride_,
                     w.y.rows * stride_};
  kernels_.screen(t);
  const int panels = (w.y.rows + kScreenRows - 1) / kScreenRows;
  int64_t alive = 0;
  for (int r = 0; r < w.x.rows; ++r) {
    uint16_t* const masks = w.masks + r * kMaskWords;
    if (diagonal) {  // pairs with j > i alone
      for (int p = 0; p < panels; ++p) {
        const int below = r + 1 - p * kScreenRows;
        if (below > 0) masks[p] &= below >= kScreenRows ? 0 : uint16_t(~0u << below);
      }
    }
    // Most are empty, and CPUs without an instruction for it count bits slowly.
    uint64_t words[kMaskWords / 4] = {};
    std::memcpy(words, masks, size_t(panels) * sizeof *masks);
    for (const uint64_t word : words) {
      if (word) alive += __builtin_popcountll(word);
    }
  }
  return alive;
}

FinishRow ScreenPass::finish(Workspace& w, int row) const {
  FinishRow f{codes_.codes + (w.x.first + row) * stride_,
              codes_.codes + w.y.first * stride_,
              stride_,
              w.x.row + row,
              w.y.row,
              w.masks + row * kMaskWords,
              (w.y.rows + kScreenRows - 1) / kScreenRows,
              first_bytes(),
              w.x.least[row],
              w.y.least,
              w.row_values,
              w.column_values,
              w.row_columns,
              w.column_columns,
              0,
              0};
  kernels_.finish(f);
  return f;
}

float* ScreenPass::all_values(Workspace& w, bool diagonal) const {
  const size_t tile_bytes = size_t(kTile) * size_t(stride_);
  if (!w.values.get()) {
    w.panels_x = Buffer<uint8_t>(tile_bytes);
    w.panels_y = Buffer<uint8_t>(tile_bytes);
    w.sums = Buffer<int32_t>(size_t(kTile) * kTile);
    w.values = Buffer<float>(size_t(kTile) * kTile);
    w.scan = std::make_unique<TileScan>();
  }
  const int64_t lines = stride_ / kCodeGroup;
  const auto arrange = [&](const Limited& side, uint8_t* to) {
    const int whole = (side.rows + kCodeRows - 1) / kCodeRows * kCodeRows;
    for (int r = 0; r < whole; ++r) {
      const int64_t row = side.first + std::min(r, side.rows - 1);
      const uint8_t* const from = codes_.codes + row * stride_;
      uint8_t* const out = to + (r / kCodeRows * lines * kCodeRows + r % kCodeRows) * kCodeGroup;
      for (int64_t k = 0; k < lines; ++k) {
        std::memcpy(out + k * kCodeLine, from + k * kCodeGroup, kCodeGroup);
      }
    }
    const auto at = [&](const auto& vector) {
      return vector.empty() ? nullptr : vector.data() + side.first;
    };
    return CodeRows{
        to, lines, at(codes_.scale), at(codes_.zero), at(codes_.sum), at(codes_.square)};
  };
  kernels_.tile(CodeTile{arrange(w.x, w.panels_x.get()), arrange(w.y, w.panels_y.get()), 0, 0,
                         w.x.rows, w.y.rows, diagonal, nullptr, w.sums.get(), w.values.get()});
  return w.values.get();
}

void ScreenPass::sort_found(Workspace& w, int32_t* begin) const {
  int32_t at[kTile] = {};
  for (const Found& f : w.found) ++at[f.column];
  begin[0] = 0;
  for (int c = 0; c < kTile; ++c) {
    begin[c + 1] = begin[c] + at[c];
    at[c] = begin[c];
  }
  w.sorted_values.resize(w.found.size());
  w.sorted_rows.resize(w.found.size());
  for (const Found& f : w.found) {
    const auto to = size_t(at[f.column]++);
    w.sorted_values[to] = f.value;
    w.sorted_rows[to] = f.row;
  }
}

}  // namespace lookalike
