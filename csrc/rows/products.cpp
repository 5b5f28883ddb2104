#include "rows/products.h"

#include <algorithm>

#include "kernels/dispatch.h"

namespace lookalike {
namespace {

void multiply(ProductArgs all, Team& team) {
  constexpr int kRows = 240, kCols = 32;
  const int64_t across = (all.cols + kCols - 1) / kCols, down = (all.rows + kRows - 1) / kRows;
  team.run(
      across * down, double(all.rows) * double(all.cols) * double(all.depth),
      [&](int64_t unit, int) {
        ProductArgs part = all;
        const int64_t r = unit / across * kRows, c = unit % across * kCols;
        part.rows = int(std::min<int64_t>(kRows, all.rows - r));
        part.cols = int(std::min<int64_t>(kCols, all.cols - c));
        part.a += r * all.a_row;
        part.b += c;
        part.c += r * all.c_row + c;
        kernels().product(part);
      },
      0, 0);
}

}  // namespace

Matrix transposed(const Matrix& a) {
  Matrix out(a.cols, a.rows);
  constexpr int64_t kSome = 16;  // rows, so that both sides stay in the cache
  for (int64_t first = 0; first < a.rows; first += kSome) {
    const int64_t end = std::min(a.rows, first + kSome);
    for (int64_t c = 0; c < a.cols; ++c) {
      for (int64_t r = first; r < end; ++r) out.at(c, r) = a.at(r, c);
    }
  }
  return out;
}

Matrix product(const Matrix& a, const Matrix& b, Team& team, int every) {
  Matrix c((a.rows + every - 1) / every, b.cols);
  if (b.rows == 0) std::fill_n(c.values.get(), c.rows * c.cols, 0.0f);
  multiply({a.values.get(), every * a.cols, 1, b.values.get(), b.cols, c.values.get(), c.cols,
            int(c.rows), int(c.cols), int(b.rows), false},
           team);
  return c;
}

Matrix product_of_transposed(const Matrix& a, const Matrix& b, Team& team) {
  Matrix c(a.cols, b.cols);
  multiply({a.values.get(), 1, a.cols, b.values.get(), b.cols, c.values.get(), c.cols, int(c.rows),
            int(c.cols), int(b.rows), false},
           team);
  return c;
}

Matrix sampled(const Rows& rows, int64_t count, double at, Team& team) {
  Matrix out(count, rows.filter_cols);
  const double step = double(rows.matrix.rows) / double(count);
  const auto row_of = [&](int64_t r) {
    return std::min(int64_t((double(r) + at) * step), rows.matrix.rows - 1);
  };
  constexpr int64_t some = 32;
  team.run((count + some - 1) / some, double(count) * double(out.cols),
           [&](int64_t unit, int) {
             for (int64_t r = unit * some; r < std::min(count, (unit + 1) * some); ++r) {
               prefetch_row(rows, row_of(r + 1));
               kernels().filter_row(rows, row_of(r), 0, out.cols, out.row(r));
             }
           },
           0, 0);
  return out;
}

}  // namespace lookalike
