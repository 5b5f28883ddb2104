#include "matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "exact_distances.h"
#include "filters/float32_filter.h"
#include "kernels/dispatch.h"

namespace lookalike {
namespace {

// What a float32 entry is promised to be within, relatively, of the float64 distance.
constexpr double kPromise = 1e-5;
constexpr int kMatrixRun = 64;  // features summed in float32: short enough for the promise

// Where the pairs of a tile go.
template <class T>
class Destination {
 public:
  Destination(const DistanceOutput& out, int64_t cols, bool self)
      : data_(static_cast<T*>(out.data)), cols_(cols), self_(self), condensed_(out.condensed) {}

  // values[i * stride + j] is the distance of pair (i, j) of the tile; of a diagonal tile only
  // j > i is read.
  void store(const Tile& t, const T* values, int64_t stride, const T* transposed) const {
    for (int i = 0; i < t.rows; ++i) {
      const int64_t row = t.i0 + i;
      const int first = t.diagonal ? i + 1 : 0;
      const T* from = values + i * stride;
      if (condensed_) {
        // Row i starts at i n − i(i+1)/2 with column i + 1.
        T* to = data_ + row * cols_ - row * (row + 1) / 2 - row - 1 + t.j0;
        std::copy(from + first, from + t.cols, to + first);
        continue;
      }
      T* to = data_ + row * cols_ + t.j0;
      std::copy(from + first, from + t.cols, to + first);
      if (t.diagonal) to[i] = 0;
    }
    if (!self_ || condensed_) return;
    for (int j = 0; j < t.cols; ++j) {
      const int some = t.diagonal ? j : t.rows;
      const T* from = transposed + int64_t(j) * kTile;
      std::copy(from, from + some, data_ + (t.j0 + j) * cols_ + t.i0);
    }
  }
  bool mirrored() const { return self_ && !condensed_; }

 private:
  T* data_;
  int64_t cols_;
  bool self_, condensed_;
};

// The float64 distances, as T.
template <class T>
void exact_matrix(const Comparison& c, const DistanceOutput& out, Team& team) {
  ExactDistances exact(c, team.threads());
  const int side = exact.side();
  const int64_t nx = c.x().rows.matrix.rows, ny = c.y().rows.matrix.rows;
  const TileGrid grid(nx, ny, c.self(), side, side);
  const Destination<T> destination(out, ny, c.self());
  std::vector<Buffer<T>> rounded(size_t(team.threads())), transposed(size_t(team.threads()));
  const double cost = double(nx) * double(ny) * double(c.cols());
  team.run(grid.count(), cost, [&](int64_t unit, int worker) {
    const Tile t = grid[unit];
    int32_t is[kTile], js[kTile];
    std::iota(is, is + t.rows, int32_t(t.i0));
    std::iota(js, js + t.cols, int32_t(t.j0));
    const double* block = exact.block(worker, is, t.rows, js, t.cols);
    const T* values;
    if constexpr (std::is_same_v<T, double>) {
      values = block;
    } else {
      Buffer<T>& own = rounded[size_t(worker)];
      if (!own.get()) own = Buffer<T>(size_t(side) * size_t(side));
      std::copy_n(block, t.rows * t.cols, own.get());
      values = own.get();
    }
    Buffer<T>& turned = transposed[size_t(worker)];
    if (destination.mirrored()) {
      if (!turned.get()) turned = Buffer<T>(size_t(kTile) * kTile);
      for (int i = 0; i < t.rows; ++i) {
        for (int j = 0; j < t.cols; ++j) turned.get()[j * kTile + i] = values[i * t.cols + j];
      }
    }
    destination.store(t, values, t.cols, turned.get());
  });
}

// Float32 sums; entries that are not certainly within kPromise are recomputed in float64. An entry
// depends on its two rows alone: on no scale of all of them, nor on whether another is negative.
class Float32Matrix {
 public:
  Float32Matrix(const Comparison& c, int workers)
      : c_(c), exact_(c, workers), workspaces_(size_t(workers)), buffers_(size_t(workers)) {
    // |value − A W| <= relative value + residuals (bounds.h).
    const double own = relative_error(c.traits(), kMatrixRun, false, false);
    const double allowed = kPromise / c.traits().power - own - 4 * kUnit;
    allowed_ = allowed > 0 ? float(allowed * (1 - kSpare)) : 0;
    const double quotient = relative_error(c.traits(), kMatrixRun, false, c.traits().weighted);
    doubtful_everywhere_ = allowed <= 0 || quotient + 4 * kUnit > kPromise;
  }

  // The tile's distances, kTile a row.
  const float* distances(const Tile& t, int worker) {
    SumsWorkspace& w = workspaces_[size_t(worker)];
    const bool weighted = c_.traits().weighted;
    w.prepare(weighted);
    const MetricKernels& k = c_.kernels();
    const Rows &x = c_.x().rows, &y = c_.y().rows;
    k.strict_sums(x, y, t, kMatrixRun, w.scratch, w.scratch.sums);
    if (weighted) weigh(t, w.scratch);
    Buffers& b = buffers_[size_t(worker)];
    if (!b.values.get()) {
      b.values = Buffer<float>(size_t(kTile) * kTile);
      b.transposed = Buffer<float>(size_t(kTile) * kTile);
    }
    recompute_doubtful(t, worker, w.scratch.sums);
    return b.values.get();
  }
  const float* transposed(const Tile& t, int worker) {
    Buffers& b = buffers_[size_t(worker)];
    kernels().transpose(b.values.get(), t.rows, t.cols, b.transposed.get(), kTile);
    return b.transposed.get();
  }

 private:
  struct Buffers {
    Buffer<float> values, transposed;
    std::vector<int32_t> doubtful;
    std::vector<double> distances;
  };

  bool adds_up(const Side& side, int64_t row) const {
    return c_.traits().weights_add && !(side.flags[size_t(row)] & kNegative);
  }

  // The weight of each pair: its rows' added where both add up, else of the pair.
  void weigh(const Tile& t, TileScratch& scratch) {
    const Side &x = c_.x(), &y = c_.y();
    bool all = true;
    for (int i = 0; i < t.rows; ++i) all = all && adds_up(x, t.i0 + i);
    for (int j = 0; j < t.cols; ++j) all = all && adds_up(y, t.j0 + j);
    if (!all) {
      c_.kernels().weight_sums(x.rows, y.rows, t, kMatrixRun, scratch, scratch.weights);
      if (!c_.traits().weights_add) return;
    }
    for (int i = 0; i < t.rows; ++i) {
      if (!adds_up(x, t.i0 + i)) continue;
      for (int j = 0; j < t.cols; ++j) {
        if (!all && !adds_up(y, t.j0 + j)) continue;
        scratch.weights[i * kTile + j] =
            double(x.weight[size_t(t.i0 + i)]) + double(y.weight[size_t(t.j0 + j)]);
      }
    }
  }

  // Rows without a direction are at 0 or 1 by rule, not by rounding.
  void settle_degenerate(const Tile& t, int i, float* out) {
    const bool own = c_.x().flags[size_t(t.i0 + i)] & kDegenerate;
    for (int j = 0; j < t.cols; ++j) {
      const bool other = c_.y().flags[size_t(t.j0 + j)] & kDegenerate;
      if (own || other) out[j] = own && other ? 0 : 1;
    }
  }

  void recompute_doubtful(const Tile& t, int worker, const double* sums) {
    Buffers& b = buffers_[size_t(worker)];
    const MetricKernels& k = c_.kernels();
    const double* weights =
        c_.traits().weighted ? workspaces_[size_t(worker)].scratch.weights : nullptr;
    const bool root = c_.traits().combine == Combine::root_of_sum;
    const double unscale = std::pow(c_.norm_unit(), -c_.traits().power);
    float slack[kTile];
    float largest = 0;
    for (int j = 0; j < t.cols; ++j) {
      slack[j] = c_.y().residual[size_t(t.j0 + j)];
      largest = std::max(largest, slack[j]);
    }
    for (int i = 0; i < t.rows; ++i) {
      float* const out = b.values.get() + i * kTile;
      const double* const row = sums + i * kTile;
      k.distances(c_.parameters(), row, weights ? weights + i * kTile : nullptr, t.cols, out);
      if (unscale != 1) {
        for (int j = 0; j < t.cols; ++j) out[j] = float(double(out[j]) * unscale);
      }
      if (c_.any_degenerate()) settle_degenerate(t, i, out);
      const float own = c_.x().residual[size_t(t.i0 + i)];
      if (own + largest == 0 && !doubtful_everywhere_) continue;
      const bool own_adds = adds_up(c_.x(), t.i0 + i), weighted = c_.traits().weighted;
      b.doubtful.clear();
      for (int j = t.diagonal ? i + 1 : 0; j < t.cols; ++j) {
        // For a quotient any residual is too much: its denominator is not bounded from below.
        const bool quotient = weighted && !(own_adds && adds_up(c_.y(), t.j0 + j));
        const float allowed = quotient ? 0 : allowed_;
        const float sum = float(row[j]), norm = root ? std::sqrt(sum) : sum;
        if (!(own + slack[j] <= allowed * norm) || doubtful_everywhere_) {
          b.doubtful.push_back(int32_t(t.j0 + j));
        }
      }
      if (b.doubtful.empty()) continue;
      b.distances.resize(b.doubtful.size());
      exact_.row(worker, int32_t(t.i0 + i), b.doubtful.data(), int64_t(b.doubtful.size()),
                 b.distances.data());
      for (size_t d = 0; d < b.doubtful.size(); ++d) {
        out[b.doubtful[d] - t.j0] = float(b.distances[d]);
      }
    }
  }

  const Comparison& c_;
  ExactDistances exact_;
  bool doubtful_everywhere_;
  float allowed_;
  std::vector<SumsWorkspace> workspaces_;
  std::vector<Buffers> buffers_;
};

}  // namespace

void distances(const MatrixView& x, const MatrixView* y, const Specification& specification,
               const DistanceOutput& out, Team& team) {
  const Traits& traits = kernels_of(specification).traits;
  const bool float32 = !out.float64 && traits.has_float32();
  RowNeeds needs;
  if (float32) needs = {true, traits.weights_add, false};
  const Comparison c(x, y, specification, needs, team, false);
  if (out.float64) return exact_matrix<double>(c, out, team);
  if (!float32) return exact_matrix<float>(c, out, team);
  const int64_t nx = x.rows, ny = c.y().rows.matrix.rows;
  Float32Matrix matrix(c, team.threads());
  // Small matrices in small tiles, so that every thread has some.
  const int side = std::max(nx, ny) < 8 * kTile ? kTile / 2 : tile_side(x.cols);
  const TileGrid grid(nx, ny, c.self(), side, side);
  const Destination<float> destination(out, ny, c.self());
  team.run(grid.count(), double(nx) * double(ny) * double(x.cols), [&](int64_t unit, int worker) {
    const Tile t = grid[unit];
    const float* values = matrix.distances(t, worker);
    destination.store(t, values, kTile,
                      destination.mirrored() ? matrix.transposed(t, worker) : nullptr);
  });
}

}  // namespace lookalike
