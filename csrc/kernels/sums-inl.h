// Float32 sums of terms for a tile of pairs: the arithmetic of the filters and of float32 matrices.
// A register holds the sums of one row of x with as many rows of y as it has lanes. Runs of at most
// `depth` features are summed in float32, the runs in float64, so that the rounding error does not
// grow with the number of features (float32_filter.h).

constexpr int kPanelVectors = 2;
constexpr int kPanel = kPanelVectors * F32::lanes;  // rows of y in a panel
#if defined(__AVX512F__)
constexpr int kMicroRows = 8;
#else
constexpr int kMicroRows = 6;
#endif

template <class T, bool quick>
LK_INLINE F32 accumulate_f32(const T& of, F32 acc, F32 u, F32 v) {
  if constexpr (quick && T::quick_error > 0) {
    return add(acc, of.quick_term(u, v));
  } else if constexpr (T::quick_error > 0) {
    return add(acc, of.strict_term(u, v));
  } else {
    return accumulate(of, acc, u, v);
  }
}

// Σ u v, of which Σ(u−v)² = Σu² + Σv² − 2Σuv is made in half the operations.
struct DotProduct : Distance {
  template <class V>
  static LK_INLINE Product<V> term(V u, V v) {
    return {u, v};
  }
};

// Merges a run's float32 sums into the tile's.
template <class T>
LK_INLINE void merge(const float* run, int n, double* sums, bool first) {
  if (first) {
    for (int l = 0; l < n; ++l) sums[l] = double(run[l]);
  } else if constexpr (T::combine == Combine::maximum) {
    for (int l = 0; l < n; ++l) sums[l] = run[l] > sums[l] ? double(run[l]) : sums[l];
  } else {
    for (int l = 0; l < n; ++l) sums[l] += double(run[l]);
  }
}

// kMicroRows rows of x (row-major, kTile apart) by one panel of y (feature-major).
template <class T, bool quick>
void micro_tile(const T& of, const float* a, const float* b, int count, double* sums, bool first) {
  F32 acc[kMicroRows][kPanelVectors];
  for (auto& row : acc) {
    for (F32& sum : row) sum = F32::all(0);
  }
  for (int k = 0; k < count; ++k) {
    F32 v[kPanelVectors];
    for (int c = 0; c < kPanelVectors; ++c) v[c] = F32::load(b + k * kPanel + c * F32::lanes);
    for (int r = 0; r < kMicroRows; ++r) {
      const F32 u = F32::all(a[r * kTile + k]);
      for (int c = 0; c < kPanelVectors; ++c) {
        acc[r][c] = pinned(accumulate_f32<T, quick>(of, acc[r][c], u, v[c]));
      }
    }
  }
  for (int r = 0; r < kMicroRows; ++r) {
    float run[kPanel];
    for (int c = 0; c < kPanelVectors; ++c) acc[r][c].store(run + c * F32::lanes);
    merge<T>(run, kPanel, sums + r * kTile, first);
  }
}

// Transposes a square of lanes x lanes by log2(lanes) rounds of perfect shuffles.
template <int... index>
LK_INLINE FloatVector shuffled(FloatVector a, FloatVector b) {
#if __has_builtin(__builtin_shufflevector)
  return __builtin_shufflevector(a, b, index...);
#else  // GCC 11
  return __builtin_shuffle(a, b, IntVector{index...});
#endif
}
LK_INLINE void interleave(F32 a, F32 b, F32& low, F32& high) {
#if defined(__AVX512F__)
  low.v = shuffled<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(a.v, b.v);
  high.v = shuffled<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(a.v, b.v);
#elif defined(__AVX2__)
  low.v = shuffled<0, 8, 1, 9, 2, 10, 3, 11>(a.v, b.v);
  high.v = shuffled<4, 12, 5, 13, 6, 14, 7, 15>(a.v, b.v);
#else
  low.v = shuffled<0, 4, 1, 5>(a.v, b.v);
  high.v = shuffled<2, 6, 3, 7>(a.v, b.v);
#endif
}
LK_INLINE void transpose_square(const float* src, int64_t stride, float* dst, int64_t dst_stride) {
  constexpr int n = F32::lanes;
  F32 x[n], y[n];
  for (int r = 0; r < n; ++r) x[r] = F32::load(src + r * stride);
  for (int width = 1; width < n; width *= 2) {
    for (int r = 0; r < n / 2; ++r) interleave(x[r], x[r + n / 2], y[2 * r], y[2 * r + 1]);
    for (int r = 0; r < n; ++r) x[r] = y[r];
  }
  for (int r = 0; r < n; ++r) x[r].store(dst + r * dst_stride);
}

void transpose(const float* src, int rows, int cols, float* dst, int64_t stride) {
  constexpr int n = F32::lanes;
  for (int i = 0; i < rows; i += n) {
    for (int j = 0; j < cols; j += n) {
      if (i + n <= rows && j + n <= cols) {
        transpose_square(src + i * kTile + j, kTile, dst + j * stride + i, stride);
        continue;
      }
      for (int r = i; r < rows && r < i + n; ++r) {
        for (int c = j; c < cols && c < j + n; ++c) dst[c * stride + r] = src[r * kTile + c];
      }
    }
  }
}

// Rows [first, first + n) as row-major filter rows, kTile apart, zeros up to `padded` rows.
LK_INLINE void pack_rows(const Rows& rows, int64_t first, int n, int padded, int64_t k0,
                         int64_t count, float* out) {
  const MatrixView& m = rows.matrix;
  for (int r = 0; r < n; ++r) {
    if (m.col_stride <= 8 && m.col_stride > 0 && r + 3 < n) {
      // Pieces of rows are too short for the CPU to see them coming.
      const unsigned char* next = m.data + (first + r + 3) * m.row_stride + k0 * m.col_stride;
      for (int64_t line = 0; line < count * m.col_stride; line += 64) {
        __builtin_prefetch(next + line);
      }
    }
    filter_row(rows, first + r, k0, count, out + r * kTile);
  }
  for (int r = n; r < padded; ++r) {
    for (int64_t k = 0; k < count; ++k) out[r * kTile + k] = 0;
  }
}

// The same rows as panels: feature-major, kPanel rows each.
LK_INLINE void pack_panels(const Rows& rows, int64_t first, int n, int64_t k0, int64_t count,
                           float* row_scratch, float* out) {
  constexpr int lanes = F32::lanes;
  for (int p = 0; p < n; p += kPanel, out += kTile * kPanel) {
    const int some = n - p < kPanel ? n - p : kPanel;
    pack_rows(rows, first + p, some, kPanel, k0, count, row_scratch);
    int64_t k = 0;
    for (; k + lanes <= count; k += lanes) {
      for (int c = 0; c < kPanelVectors; ++c) {
        transpose_square(row_scratch + c * lanes * kTile + k, kTile, out + k * kPanel + c * lanes,
                         kPanel);
      }
    }
    for (; k < count; ++k) {
      for (int r = 0; r < kPanel; ++r) out[k * kPanel + r] = row_scratch[r * kTile + k];
    }
  }
}

template <class T, bool quick>
void tile_sums(const Rows& x, const Rows& y, const Tile& t, int depth, TileScratch& s,
               double* sums) {
  const T of = with<T>(x.parameters);
  const int rows = (t.rows + kMicroRows - 1) / kMicroRows * kMicroRows;
  // Consecutive tiles mostly share their rows of x.
  const bool keep = depth == kTile && x.filter_cols <= s.a_features;
  const bool packed = keep && s.a_first == t.i0;
  s.a_first = keep ? t.i0 : -1;
  for (int64_t k0 = 0; k0 < x.filter_cols; k0 += depth) {
    const int count = int(x.filter_cols - k0 < depth ? x.filter_cols - k0 : depth);
    float* const a = keep ? s.a + k0 * kPaddedTile : s.a;
    if (!packed) pack_rows(x, t.i0, t.rows, rows, k0, count, a);
    pack_panels(y, t.j0, t.cols, k0, count, s.row, s.b);
    for (int c = 0; c < t.cols; c += kPanel) {
      for (int r = 0; r < rows; r += kMicroRows) {
        if (t.diagonal && c + kPanel <= r) break;  // below the diagonal
        micro_tile<T, quick>(of, a + r * kTile, s.b + c * kTile, count, sums + r * kTile + c,
                             k0 == 0);
      }
    }
  }
}

// A few queries: row by row as the rows lie in memory, nothing packed. `unroll` independent sums a
// query hide the latency of an addition.
template <class T, int queries, int unroll>
LK_INLINE void row_major_row(const T& of, const float* q, const float* row, int count, double* sums,
                             bool first) {
  constexpr int lanes = F32::lanes;
  F32 acc[queries][unroll];
  for (auto& sum : acc) {
    for (F32& part : sum) part = F32::all(0);
  }
  int k = 0;
  for (; k + lanes * unroll <= count; k += lanes * unroll) {
    for (int c = 0; c < unroll; ++c) {
      const F32 v = F32::load(row + k + c * lanes);
      for (int i = 0; i < queries; ++i) {
        acc[i][c] = accumulate_f32<T, true>(of, acc[i][c],
                                            F32::load(q + i * kRowMajorDepth + k + c * lanes), v);
      }
    }
  }
  if (k < count) {  // the rest, padded with zeros, whose terms are 0
    float u[lanes * unroll], v[lanes * unroll];
    for (int l = 0; l < lanes * unroll; ++l) v[l] = k + l < count ? row[k + l] : 0;
    for (int i = 0; i < queries; ++i) {
      for (int l = 0; l < lanes * unroll; ++l) {
        u[l] = k + l < count ? q[i * kRowMajorDepth + k + l] : 0;
      }
      for (int c = 0; c < unroll; ++c) {
        acc[i][c] = accumulate_f32<T, true>(of, acc[i][c], F32::load(u + c * lanes),
                                            F32::load(v + c * lanes));
      }
    }
  }
  for (int i = 0; i < queries; ++i) {
    float parts[lanes * unroll];
    for (int c = 0; c < unroll; ++c) acc[i][c].store(parts + c * lanes);
    double& sum = sums[i * kTile];
    double total = first ? 0 : sum;
    for (const float part : parts) {
      if constexpr (T::combine == Combine::maximum) {
        total = double(part) > total ? double(part) : total;
      } else {
        total += double(part);
      }
    }
    sum = total;
  }
}

template <class T>
void row_major_sums(const Rows& x, const Rows& y, const Tile& t, TileScratch& s, double* sums) {
  const T of = with<T>(x.parameters);
  const bool in_place = filter_row_is_input(y) && y.matrix.col_stride == 4;
  for (int64_t k0 = 0; k0 < x.filter_cols; k0 += kRowMajorDepth) {
    const int64_t left = x.filter_cols - k0;
    const int count = int(left < kRowMajorDepth ? left : kRowMajorDepth);
    const bool first = k0 == 0;
    for (int i = 0; i < t.rows; ++i) {
      filter_row(x, t.i0 + i, k0, count, s.a + i * kRowMajorDepth);
    }
    for (int j = 0; j < t.cols; ++j) {
      const float* row = s.row;
      if (in_place && !(y.flags[t.j0 + j] & kUnbounded)) {
        row = reinterpret_cast<const float*>(y.matrix.data + (t.j0 + j) * y.matrix.row_stride) + k0;
      } else {
        filter_row(y, t.j0 + j, k0, count, s.row);
      }
      double* out = sums + j;
      switch (t.rows) {
        case 1:
          row_major_row<T, 1, 4>(of, s.a, row, count, out, first);
          break;
        case 2:
          row_major_row<T, 2, 2>(of, s.a, row, count, out, first);
          break;
        case 3:
          row_major_row<T, 3, 2>(of, s.a, row, count, out, first);
          break;
        case 4:
          row_major_row<T, 4, 1>(of, s.a, row, count, out, first);
          break;
        case 5:
          row_major_row<T, 5, 1>(of, s.a, row, count, out, first);
          break;
        case 6:
          row_major_row<T, 6, 1>(of, s.a, row, count, out, first);
          break;
        default:
          row_major_row<T, 7, 1>(of, s.a, row, count, out, first);
          break;
      }
    }
  }
}
