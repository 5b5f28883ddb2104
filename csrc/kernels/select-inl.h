// The k smallest of a list, without sorting it: by counting, or by a limit.

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

int up_to(const uint16_t* values, int n, uint16_t limit, int32_t first, int32_t* positions) {
  int count = 0, k = 0;
#if defined(__AVX512BW__)
  const __m512i most = _mm512_set1_epi16(int16_t(limit));
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; k + 32 <= n; k += 32) {
    const uint32_t found = _mm512_cmple_epu16_mask(_mm512_loadu_si512(values + k), most);
    if (found == 0) continue;
    for (int half = 0; half < 2; ++half) {
      const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32(first + k + 16 * half));
      const auto mask = __mmask16(found >> 16 * half);
      _mm512_storeu_si512(positions + count, _mm512_maskz_compress_epi32(mask, at));
      count += __builtin_popcount(mask);
    }
  }
#elif defined(__AVX2__)
  const __m256i most = _mm256_set1_epi16(int16_t(limit));
  for (; k + 16 <= n; k += 16) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values + k));
    const __m256i below = _mm256_cmpeq_epi16(_mm256_min_epu16(v, most), v);
    // Two bits of each.
    for (uint32_t m = uint32_t(_mm256_movemask_epi8(below)) & 0x55555555; m; m &= m - 1) {
      positions[count++] = first + k + __builtin_ctz(m) / 2;
    }
  }
#endif
  for (; k < n; ++k) {
    positions[count] = first + k;
    count += values[k] <= limit;
  }
  return count;
}
