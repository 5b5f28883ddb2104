// Holds every filter's bounds against the float64 distances, pair by pair. Rows come from standard
// input, one job after another: four int64 (rows of x, rows of y or 0 for a self-join, cols, bytes of a
// float: 4 or 8), then x and y. For each metric and filter a line: their names, how many pairs it
// bounded wrongly, and the largest share of the allowed error that a pair took. Likewise for screens of
// a self-join, with the largest share of a pair's distance that one saw.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "exact_distances.h"
#include "filters/code_filter.h"
#include "filters/filters.h"
#include "kernels/dispatch.h"
#include "parameters.h"
#include "rows/screens.h"
#include "tiles.h"

using namespace lookalike;

namespace {

bool read(void* to, size_t bytes) { return std::fread(to, 1, bytes, stdin) == bytes; }

std::vector<unsigned char> read_rows(int64_t count, int64_t size) {
  std::vector<unsigned char> bytes(size_t(count * size));
  if (!read(bytes.data(), bytes.size())) std::exit(2);
  return bytes;
}

// How far the value is from what it stands for, over what (*) allows; of the product form, whose B is
// not known, how far the norm is from the nearest that B may be, over the residuals.
double share(const Bounds& b, double value, double norm, int64_t i, int64_t j) {
  const double residuals = double(b.residual_x[i]) + b.residual_y[j];
  if (!b.product()) {
    const double weight = b.weight_x ? double(b.weight_x[i]) + b.weight_y[j] : 1;
    const double above = value - norm * weight,
                 reach = double(b.with_clipped_x[i]) + b.with_clipped_y[j];
    return std::fabs(above) / (b.relative * value + (above > 0 ? residuals : reach));
  }
  const double error = double(b.error_x[i]) + b.error_y[j];
  const double low = std::sqrt(std::max(value - error, 0.0)), high = std::sqrt(value + error);
  return std::max({low - norm, norm - high, 0.0}) / (residuals + 0x1p-50);
}

void check(const Comparison& c, const char* metric, Stage stage, Team& team) {
  const std::unique_ptr<Filter> filter = make_filter(stage, c, nullptr, team);
  const Bounds& b = filter->bounds();
  ExactDistances exact(c, 1);
  const int64_t nx = c.x().rows.matrix.rows, ny = c.y().rows.matrix.rows;
  const TileGrid grid(nx, ny, c.self(), tile_side(c.cols()), tile_side(c.cols()));
  int64_t wrong = 0;
  double most = 0;
  for (int64_t unit = 0; unit < grid.count(); ++unit) {
    const Tile t = grid[unit];
    const float* const values = filter->values(t, 0);
    for (int r = 0; r < t.rows; ++r) {
      const int64_t i = t.i0 + r;
      for (int s = t.diagonal ? r : 0; s < t.cols; ++s) {
        int32_t j = int32_t(t.j0 + s);
        double distance;
        exact.row(0, int32_t(i), &j, 1, &distance);
        float value = values[r * kTile + s], upper[64];
        kernels().uppers(b.of(i), &value, &j, 1, upper);
        const double norm = c.norm_of(distance) * b.unit;
        wrong += !(norm <= double(upper[0]));
        // With the pair itself as the k-th neighbour, it must stay; in a self-join for both.
        for (const float threshold : {b.threshold(c, distance), upper[0]}) {
          for (const auto& [from, to] : {std::pair(i, int64_t(j)), std::pair(int64_t(j), i)}) {
            if (from != i && !c.self()) continue;
            int32_t index = int32_t(to);
            float copy = value;
            wrong += kernels().within(b.limit(threshold, from), &copy, &index, 1) == 0;
          }
        }
        const double taken = share(b, value, norm, i, j);
        if (norm < b.largest && taken > most) most = taken;
      }
    }
  }
  std::printf("%-13s %s,%lld,%.4f\n", metric, filter->name(), static_cast<long long>(wrong), most);
}

// A screen says from below how far apart two rows are: of products as norms, of largest as the filter's
// own value.
void check_screen(const Comparison& c, const char* metric, int width, Team& team) {
  const Coding coding = choose_coding(c.traits().codes, c.x().rows);
  const ScreenCoding screens = choose_screens(c, coding, width, team);
  const ScreenRows rows = encode_screens(screens, coding, c.x(), team);
  const bool products = coding.form == CodeForm::products;
  const std::unique_ptr<Filter> codes = make_filter(Stage::codes, c, nullptr, team);
  ExactDistances exact(c, 1);
  int64_t wrong = 0;
  double most = 0;
  const auto n = int32_t(c.x().rows.matrix.rows);
  for (int32_t i = 0; i < n; ++i) {
    for (int32_t j = 0; j < n; ++j) {
      double square = 0, largest = 0;
      for (int k = 0; k < width; ++k) {
        const double apart = std::fabs(double(rows.bytes[size_t(i * width + k)]) -
                                       rows.bytes[size_t(j * width + k)]);
        square += apart * apart;
        largest = std::max(largest, apart);
      }
      double allowed, said = largest;
      if (products) {
        double distance;
        exact.row(0, i, &j, 1, &distance);
        said = screens.step * std::sqrt(square);
        allowed = screens.stretch * c.norm_of(distance) * c.norm_unit() * (1 + 0x1p-30) +
                  rows.residual[size_t(i)] + rows.residual[size_t(j)];
      } else {
        const Tile one{i / kCodeRows * kCodeRows, j / kCodeRows * kCodeRows, i % kCodeRows + 1,
                       j % kCodeRows + 1, false};
        allowed = codes->values(one, 0)[i % kCodeRows * kTile + j % kCodeRows];
      }
      wrong += !(said <= allowed);
      if (allowed > 0 && allowed < 0x1p60) most = std::max(most, said / allowed);
    }
  }
  std::printf("%-13s screen of %d bytes,%lld,%.4f\n", metric, width, static_cast<long long>(wrong),
              most);
}

}  // namespace

int main() {
  int64_t job[4];
  while (read(job, sizeof job)) {
    const auto [nx, ny, cols, size] = job;
    const DType type = size == 4 ? DType::f32 : DType::f64;
    const std::vector<unsigned char> xs = read_rows(nx * cols, size),
                                     ys = read_rows(ny * cols, size);
    const MatrixView x{xs.data(), type, nx, cols, cols * size, size};
    const MatrixView y{ys.data(), type, ny, cols, cols * size, size};
    Team team(1, [](double) { return false; });
    for (int m = 0; m < int(Metric::count); ++m) {
      const Specification specification = with_some_parameters(Metric(m), cols);
      const RowNeeds needs = filter_needs(kernels_of(specification).traits);
      try {
        const Comparison comparison(x, ny ? &y : nullptr, specification, needs, team);
        for (const Stage stage : stages(comparison, nullptr)) {
          check(comparison, kMetricNames[m], stage, team);
        }
        const bool coded = CodeFilter::fits(comparison.traits(), comparison.filter_cols(),
                                            comparison.any_negative());
        if (comparison.self() && coded && screens_fit(comparison.traits().codes, cols)) {
          for (const int width : {8, 4, 32}) {
            check_screen(comparison, kMetricNames[m], width, team);
            if (cols > 4096) break;  // a basis of that many features takes its time
          }
        }
      } catch (const BadRow&) {  // the metric is not defined for these rows
      }
    }
    std::puts("");
    std::fflush(stdout);
  }
}
