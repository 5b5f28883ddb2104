// Which pairs of a tile survive their rows' limits, what becomes of a row's candidates, and which
// values of a row are below a limit.

// Appends the lanes in `mask` to `values`, and their columns to `columns`.
LK_INLINE int keep_lanes(F32 value, IntVector column, unsigned mask, float* values,
                         int32_t* columns) {
#if defined(__AVX512F__)
  // Compressed in registers: to memory it is slow on some CPUs.
  const auto m = __mmask16(mask);
  _mm512_storeu_ps(values, _mm512_maskz_compress_ps(m, value.v));
  _mm512_storeu_si512(columns, _mm512_maskz_compress_epi32(m, __m512i(column)));
  return __builtin_popcount(mask);
#else
  float lanes[F32::lanes];
  value.store(lanes);
  int n = 0;
  for (; mask; mask &= mask - 1) {
    const int l = __builtin_ctz(mask);
    values[n] = lanes[l];
    columns[n++] = column[l];
  }
  return n;
#endif
}

LK_INLINE IntVector load_ints(const int32_t* p) {
  IntVector v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <bool weighted>
void scan_tile(ScanArgs& s) {
  constexpr int lanes = F32::lanes;
  const Limits& l = s.limits;
  float* values = s.out_values;
  int32_t* columns = s.out_columns;
  IntVector lane;
  for (int l = 0; l < lanes; ++l) lane[l] = s.first_column + l;
  for (int i = 0; i < s.rows; ++i) {
    const F32 slope = F32::all(weighted ? l.slope[i] : 0), offset = F32::all(l.offset[i]);
    int n = 0;
    for (int j = 0; j < s.cols; j += lanes) {
      const F32 value = F32::load(s.values + i * kTile + j);
      F32 limit = offset + F32::load(l.slack + j);
      if constexpr (weighted) limit = slope * F32::load(l.weight + j) + limit;
      unsigned keep = not_greater(value, limit);
      if (!keep) continue;
      if (s.without_self && unsigned(i - j) < unsigned(lanes)) keep &= ~(1u << (i - j));
      if (s.cols - j < lanes) keep &= ~(~0u << (s.cols - j));
      n += keep_lanes(value, lane + j, keep, values + n, columns + n);
    }
    s.counts[i] = n;
    values += n;
    columns += n;
  }
}

void scan(ScanArgs& s) { s.limits.weight ? scan_tile<true>(s) : scan_tile<false>(s); }

// The roundings, some ten of 2^-24, are covered by the last factor; those of a product form's sum by
// its errors, which have that to spare.
void uppers(const CandidateBounds& b, const float* values, const int32_t* indices, int n,
            float* out) {
  constexpr int lanes = F32::lanes;
  const F32 residual = F32::all(b.own_residual), spare = F32::all(1 + 0x1p-20f);
  const F32 inf = F32::all(__builtin_inff()), largest = F32::all(b.largest);
  float padded_values[lanes];
  int32_t padded_indices[lanes];
  for (int c = 0; c < n; c += lanes) {
    const float* v = values + c;
    const int32_t* j = indices + c;
    if (n - c < lanes) {
      for (int l = 0; l < lanes; ++l) {
        padded_values[l] = c + l < n ? v[l] : 0;
        padded_indices[l] = c + l < n ? j[l] : indices[0];
      }
      v = padded_values;
      j = padded_indices;
    }
    F32 upper = F32::load(v);
    if (b.error) {
      upper = upper + F32::all(b.own_error) + F32::gather(b.error, j);
      upper = square_root(max(F32::all(0), upper));  // in this order a NaN stays one
    } else {
      upper = upper * F32::all(1 + b.relative);
    }
    upper = upper + residual + F32::gather(b.residual, j);
    if (b.weight && !b.error) {
      const F32 weight =
          (F32::all(b.own_weight) + F32::gather(b.weight, j)) * F32::all(1 - 0x1p-20f);
      // Two rows of zeros are at 0; their sum of differences is 0, whatever divides it.
      upper = upper / one_if_zero(weight);
    }
    select_less(upper, largest, upper * spare, inf).store(out + c);
  }
}

int within(const CandidateLimit& l, float* values, int32_t* indices, int n) {
  constexpr int lanes = F32::lanes;
  const F32 offset = F32::all(l.offset), slope = F32::all(l.slope);
  int kept = 0, c = 0;
  for (; c + lanes <= n; c += lanes) {
    const F32 value = F32::load(values + c);
    F32 limit = offset + F32::gather(l.slack, indices + c);
    if (l.weight) limit = slope * F32::gather(l.weight, indices + c) + limit;
    kept += keep_lanes(value, load_ints(indices + c), not_greater(value, limit), values + kept,
                       indices + kept);
  }
  for (; c < n; ++c) {
    const float value = values[c];
    const int32_t j = indices[c];
    const float base = l.offset + l.slack[j];
    const float limit = l.weight ? l.slope * l.weight[j] + base : base;
    values[kept] = value;
    indices[kept] = j;
    kept += !(value > limit);
  }
  return kept;
}

// A float of which at least k of the n values, all >= 0, are no larger, and at most 2^-13 relatively
// above the least such: halves the range of bit patterns, which for floats >= 0 are ordered as the
// floats are. Some twenty counts, each much faster than the branches of a partition.
float kth_smallest(const float* values, int64_t n, int64_t k) {
  constexpr int lanes = F32::lanes;
  int32_t low = 0, high = 0x7f800000;  // +inf
  while (high - low > 1 << 10) {
    const int32_t middle = low + (high - low) / 2;
    const IntVector bound = middle - IntVector{};
    IntVector counts{};
    int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      IntVector bits;
      __builtin_memcpy(&bits, values + i, sizeof bits);
      counts += bits <= bound;  // -1 where true
    }
    int64_t count = 0;
    for (int l = 0; l < lanes; ++l) count -= counts[l];
    for (; i < n; ++i) {
      int32_t bits;
      __builtin_memcpy(&bits, values + i, 4);
      count += bits <= middle;
    }
    if (count >= k) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  float t;
  __builtin_memcpy(&t, &high, 4);
  return t;
}

// How many of the n values are below each, by counting: for a few hundred it is much faster than the
// branches of a sort.
void ranks(const double* values, int n, int32_t* out) {
  constexpr int lanes = F64::lanes;
  for (int i = 0; i < n; ++i) {
    const F64 value = F64::all(values[i]);
    int rank = 0, c = 0;
    for (; c + lanes <= n; c += lanes) {
      rank += __builtin_popcount(less(F64::load(values + c), value));
    }
    for (; c < n; ++c) rank += values[c] < values[i];
    out[i] = rank;
  }
}

template <class V, class T>
int64_t below(const T* values, int64_t n, T limit, int32_t* positions) {
  int64_t count = 0;
  const V bound = V::all(limit);
  bool nan = false;
  int64_t k = 0;
  V sum = V::all(0);  // of x·0: NaN if there is one (an infinity makes one too, looked at below)
  for (; k + V::lanes <= n; k += V::lanes) {
    const V v = V::load(values + k);
    sum = sum + (v - v);
    for (unsigned m = less(v, bound); m; m &= m - 1) {
      positions[count++] = int32_t(k + __builtin_ctz(m));
    }
  }
  for (; k < n; ++k) {
    nan |= values[k] != values[k];
    if (values[k] < limit) positions[count++] = int32_t(k);
  }
  T lanes[V::lanes];
  sum.store(lanes);
  bool suspicious = false;
  for (const T lane : lanes) suspicious |= lane != lane;
  if (suspicious) {
    for (k = 0; k < n; ++k) nan |= values[k] != values[k];
  }
  return nan ? -1 : count;
}

int64_t below_f32(const float* values, int64_t n, float limit, int32_t* positions) {
  return below<F32>(values, n, limit, positions);
}
int64_t below_f64(const double* values, int64_t n, double limit, int32_t* positions) {
  return below<F64>(values, n, limit, positions);
}

// Sums to norms, as filters compare them: kTile columns a row.
void norms(Combine combine, const double* sums, const double* weights, int rows, float* out) {
  const int count = rows * kTile;
  if (combine == Combine::root_of_sum) {
    for (int p = 0; p < count; ++p) out[p] = __builtin_sqrtf(float(sums[p]));
  } else if (!weights) {
    for (int p = 0; p < count; ++p) out[p] = float(sums[p]);
  } else {
    for (int p = 0; p < count; ++p) out[p] = sums[p] > 0 ? float(sums[p] / weights[p]) : 0;
  }
}

void squares(const double* sums, const float* square_x, const float* square_y, const Tile& t,
             float* out) {
  for (int i = 0; i < t.rows; ++i) {
    const double own = square_x[i];
    for (int j = 0; j < t.cols; ++j) {
      out[i * kTile + j] = float(own + double(square_y[j]) - 2 * sums[i * kTile + j]);
    }
  }
}
