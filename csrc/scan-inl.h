// Which pairs of a tile survive their rows' limits, and which values of a row are below one.

template <bool weighted>
LK_INLINE F32 limit_of(F32 slope, F32 weight, F32 offset, F32 slack) {
  if constexpr (weighted) {
    return slope * weight + offset + slack;
  } else {
    return offset + slack;
  }
}

template <bool weighted, bool two_sided>
void scan_tile(ScanArgs& s) {
  constexpr int lanes = F32::lanes;
  Candidate *down = s.down_out, *across = s.across_out;
  const auto load = [](const float* p, int j) { return weighted ? F32::load(p + j) : F32::all(0); };
  const auto one = [](const float* p, int i) { return F32::all(weighted ? p[i] : 0); };
  for (int i = 0; i < s.rows; ++i) {
    const F32 slope = one(s.down.slope, i), offset = F32::all(s.down.offset[i]);
    F32 weight{}, slack{};
    if constexpr (two_sided) {
      weight = one(s.across->weight, i);
      slack = F32::all(s.across->slack[i]);
    }
    const int first = s.diagonal ? (s.include_self ? i : i + 1) : 0;
    for (int j = first / lanes * lanes; j < s.cols; j += lanes) {
      const F32 value = F32::load(s.values + i * kTile + j);
      unsigned keep_down = not_greater(
          value,
          limit_of<weighted>(slope, load(s.down.weight, j), offset, F32::load(s.down.slack + j)));
      unsigned keep_across = 0;
      if constexpr (two_sided) {
        keep_across =
            not_greater(value, limit_of<weighted>(load(s.across->slope, j), weight,
                                                  F32::load(s.across->offset + j), slack));
      }
      if (!(keep_down | keep_across)) continue;
      unsigned valid = ~0u;
      if (j < first) valid &= ~0u << (first - j);
      if (s.cols - j < lanes) valid &= ~(~0u << (s.cols - j));
      for (unsigned m = keep_down & valid; m; m &= m - 1) {
        const int16_t c = int16_t(j + __builtin_ctz(m));
        *down++ = {int16_t(i), c, s.values[i * kTile + c]};
      }
      if (s.diagonal && j <= i && i < j + lanes) valid &= ~(1u << (i - j));  // itself: once
      for (unsigned m = keep_across & valid; m; m &= m - 1) {
        const int16_t c = int16_t(j + __builtin_ctz(m));
        *across++ = {int16_t(i), c, s.values[i * kTile + c]};
      }
    }
  }
  s.down_count = down - s.down_out;
  s.across_count = across - s.across_out;
}

void scan(ScanArgs& s) {
  const bool weighted = s.down.weight != nullptr;
  if (s.across) {
    weighted ? scan_tile<true, true>(s) : scan_tile<false, true>(s);
  } else {
    weighted ? scan_tile<true, false>(s) : scan_tile<false, false>(s);
  }
}

// Halves the range of bit patterns, which for floats >= 0 are ordered as the floats are: some
// thirty counts, each much faster than the branches of a partition.
float kth_smallest(const float* values, int64_t n, int64_t k) {
  constexpr int lanes = F32::lanes;
  int32_t low = 0, high = 0x7f800000;  // +inf
  while (low < high) {
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
