// From a tile's sums to the values that filters compare, which pairs survive their rows' limits, and
// how far apart a survivor can be at the most.

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
  const F32 least = F32::all(0x1p-126f);
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
    // See bounds.h: roundings below the normal range, here and in the value.
    upper = upper + (residual + F32::gather(b.residual, j) + least);
    if (b.weight && !b.error) {
      const F32 weight =
          (F32::all(b.own_weight) + F32::gather(b.weight, j)) * F32::all(1 - 0x1p-20f);
      // Two rows of zeros are at 0; their sum of differences is 0, whatever divides it.
      upper = upper / one_if_zero(weight);
    }
    select_less(upper, largest, max(upper * spare, least), inf).store(out + c);
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
