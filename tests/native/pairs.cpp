// Holds `ExactDistances::pairs` against `block`, and that against `row`, bit by bit: every metric, with
// and without parameters, all types of numbers, strides, lengths, and rows that need care. Prints how many
// pairs it compared; the first that differs ends it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "exact_distances.h"
#include "kernels/dispatch.h"
#include "parameters.h"

using namespace lookalike;

namespace {

std::mt19937_64 random_bits(20);
int64_t below(int64_t n) { return int64_t(random_bits() % uint64_t(n)); }

int size_of(DType type) {
  switch (type) {
    case DType::i8:
    case DType::u8:
    case DType::boolean:
      return 1;
    case DType::f16:
    case DType::i16:
    case DType::u16:
      return 2;
    case DType::f32:
    case DType::i32:
    case DType::u32:
      return 4;
    default:
      return 8;
  }
}

// Half of the rows are small changes of one; some are constant, empty, or of another magnitude.
enum class Kind { plain, both_signs, hostile, count };

double value(Kind kind, int64_t row, int64_t k) {
  const double base = double((k * 7919) % 97) / 13, own = double(below(1000)) / 250;
  double x = k % 3 == 0 ? 0 : row % 2 ? base + (below(8) ? 0 : own) : own;
  if (kind != Kind::plain && below(2)) x = -x;
  if (kind != Kind::hostile) return x;
  switch (row % 11) {
    case 3:
      return 0;
    case 4:
      return 2.5;
    case 5:
      return x * 0x1p120;
    case 6:
      return x * 0x1p-140;
    case 7:
      return x + 1e6;
    case 8:
      return k % 5 ? 0 : x;
    default:
      return x;
  }
}

template <class T>
void put(unsigned char* at, T x) {
  std::memcpy(at, &x, sizeof x);
}

void write(unsigned char* at, DType type, double x) {
  const double whole = std::fabs(x) < 0x1p62 ? x * 9 : 0;
  switch (type) {
    case DType::f16:  // any finite half with the number's sign
      return put(at, uint16_t((x < 0 ? 0x8000 : 0) | (x == 0 ? 0 : below(0x7c00))));
    case DType::f32:
      return put(at, float(x));
    case DType::f64:  // beyond the range of squares where float32 rows are at the end of theirs
      return put(at, std::fabs(x) > 0x1p100    ? x * 0x1p880
                     : std::fabs(x) < 0x1p-130 ? x * 0x1p-900
                                               : x);
    case DType::i8:
      return put(at, int8_t(whole));
    case DType::u8:
      return put(at, uint8_t(std::fabs(whole)));
    case DType::boolean:
      return put(at, uint8_t(x != 0));
    case DType::i16:
      return put(at, int16_t(whole));
    case DType::u16:
      return put(at, uint16_t(std::fabs(whole)));
    case DType::i32:
      return put(at, int32_t(whole));
    case DType::u32:
      return put(at, uint32_t(std::fabs(whole)));
    case DType::i64:
      return put(at, int64_t(whole));
    case DType::u64:
      return put(at, uint64_t(std::fabs(whole)));
  }
}

struct Matrix {
  std::vector<unsigned char> bytes;
  MatrixView view;
};

// With gaps, rows and features lie apart, and features from the last to the first.
Matrix matrix(Kind kind, DType type, int64_t rows, int64_t cols, bool gaps) {
  const int64_t size = size_of(type), step = gaps ? 3 * size : size,
                stride = cols * step + gaps * size;
  Matrix out{std::vector<unsigned char>(size_t(rows * stride)), {}};
  unsigned char* const first = out.bytes.data() + (gaps ? (cols - 1) * step : 0);
  out.view = {first, type, rows, cols, stride, gaps ? -step : step};
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < cols; ++k) {
      write(first + r * stride + k * out.view.col_stride, type, value(kind, r, k));
    }
  }
  return out;
}

[[noreturn]] void differ(const char* what, const char* metric, const MatrixView& m) {
  std::printf("%s differ: %s, type %d, %lld features, stride %lld\n", what, metric, int(m.dtype),
              static_cast<long long>(m.cols), static_cast<long long>(m.col_stride));
  std::exit(1);
}

bool same(const double* a, const double* b, size_t n) {
  return std::memcmp(a, b, n * sizeof *a) == 0;
}

int64_t check(const Comparison& c, const char* metric) {
  ExactDistances exact(c, 1);
  const MatrixView& m = c.y().rows.matrix;
  const auto nx = int(std::min<int64_t>(exact.side(), c.x().rows.matrix.rows));
  std::vector<int32_t> is, js(static_cast<size_t>(m.rows));
  for (int i = 0; i < nx; ++i) is.push_back(int32_t((i * 5 + 3) % c.x().rows.matrix.rows));
  for (int32_t j = 0; j < m.rows; ++j) js[size_t(j)] = j;
  const size_t n = js.size();
  std::vector<double> all(size_t(nx) * n), row(n);
  for (size_t j = 0; j < n; j += size_t(exact.side())) {
    const int some = int(std::min(n - j, size_t(exact.side())));
    const double* const block = exact.block(0, is.data(), nx, &js[j], some);
    for (int i = 0; i < nx; ++i) std::copy_n(block + i * some, some, &all[size_t(i) * n + j]);
  }
  for (int i = 0; i < nx; ++i) {
    exact.row(0, is[size_t(i)], js.data(), int64_t(n), row.data());
    if (!same(row.data(), &all[size_t(i) * n], n)) differ("rows", metric, m);
  }
  // Rows of y that are wanted by none, one, some or all of the block, in any order.
  for (const int64_t wanted : {8, 40, 100}) {
    std::vector<ExactPair> pairs;
    std::vector<double> expected, found;
    for (int i = 0; i < nx; ++i) {
      for (size_t j = n; j-- > 0;) {
        if (below(100) >= wanted) continue;
        pairs.push_back({js[j], int32_t(i), int32_t(expected.size())});
        expected.push_back(all[size_t(i) * n + j]);
      }
    }
    found.assign(expected.size(), -1);
    exact.pairs(0, is.data(), nx, pairs.data(), int64_t(pairs.size()), found.data());
    if (!same(found.data(), expected.data(), found.size())) differ("pairs", metric, m);
  }
  return int64_t(n) * nx;
}

}  // namespace

int main() {
  Team team(1, [](double) { return false; });
  constexpr int kTypes = int(DType::boolean) + 1;
  int64_t compared = 0;
  int refused = 0;
  for (const int64_t cols : {1, 8, 45, 64, 1000, 8192, 8200, 16390}) {
    for (int t = 0; t < kTypes; ++t) {
      for (int kind = 0; kind < int(Kind::count); ++kind) {
        if (cols > 1000 && (DType(t) != DType::f32 && DType(t) != DType::f64)) continue;
        const bool gaps = below(3) == 0;
        const Matrix x = matrix(Kind(kind), DType(t), cols > 1000 ? 12 : 30, cols, gaps);
        const Matrix y = matrix(Kind(kind), DType(t), cols > 1000 ? 13 : 37, cols, gaps && t % 2);
        for (int m = 0; m < int(Metric::count); ++m) {
          const Specification specification = with_some_parameters(Metric(m), cols);
          try {
            const bool self = below(2) == 0;
            const Comparison c(x.view, self ? nullptr : &y.view, specification, {}, team);
            compared += check(c, kMetricNames[m]);
          } catch (const BadRow&) {  // the metric is not defined for these rows
            ++refused;
          }
        }
      }
    }
  }
  std::printf("%lld distances are the same pair by pair at %s; %d comparisons refused\n",
              static_cast<long long>(compared), kernels().name, refused);
}
