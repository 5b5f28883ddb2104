// Products of rows in 16-bit fixed point with a screen's directions: they are exact.

#if defined(__AVX2__)

// R rows by C panels of sixteen directions.
template <int R, int C>
LK_INLINE void project_micro(const FixedTile& t, int r, int p) {
  const int64_t lines = t.stride / 2;
  const int16_t* const a = t.rows + r * t.stride;
  const int16_t* const b = t.panels + p * lines * 32;
#if defined(__AVX512F__)
  __m512i acc[R][C];
  for (auto& row : acc) {
    for (__m512i& sum : row) sum = _mm512_setzero_si512();
  }
  for (int64_t k = 0; k < lines; ++k) {
    __m512i v[C];
    for (int c = 0; c < C; ++c) v[c] = _mm512_loadu_si512(b + (c * lines + k) * 32);
    for (int i = 0; i < R; ++i) {
      int32_t two;
      __builtin_memcpy(&two, a + i * t.stride + 2 * k, 4);
      const __m512i u = _mm512_set1_epi32(two);
      for (int c = 0; c < C; ++c) {
#if defined(__AVX512VNNI__)
        acc[i][c] = _mm512_dpwssd_epi32(acc[i][c], u, v[c]);
#else
        acc[i][c] = _mm512_add_epi32(acc[i][c], _mm512_madd_epi16(u, v[c]));
#endif
        asm("" : "+v"(acc[i][c]));
      }
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int c = 0; c < C; ++c) {
      _mm512_storeu_si512(t.sums + (r + i) * t.sums_row + (p + c) * 16, acc[i][c]);
    }
  }
#else
  __m256i acc[R][2 * C];
  for (auto& row : acc) {
    for (__m256i& sum : row) sum = _mm256_setzero_si256();
  }
  for (int64_t k = 0; k < lines; ++k) {
    __m256i v[2 * C];
    for (int c = 0; c < 2 * C; ++c) {
      v[c] = _mm256_loadu_si256(
          reinterpret_cast<const __m256i*>(b + (c / 2 * lines + k) * 32 + c % 2 * 16));
    }
    for (int i = 0; i < R; ++i) {
      int32_t two;
      __builtin_memcpy(&two, a + i * t.stride + 2 * k, 4);
      const __m256i u = _mm256_set1_epi32(two);
      for (int c = 0; c < 2 * C; ++c) {
        acc[i][c] = _mm256_add_epi32(acc[i][c], _mm256_madd_epi16(u, v[c]));
        asm("" : "+x"(acc[i][c]));
      }
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int c = 0; c < 2 * C; ++c) {
      _mm256_storeu_si256(
          reinterpret_cast<__m256i*>(t.sums + (r + i) * t.sums_row + p * 16 + c * 8), acc[i][c]);
    }
  }
#endif
}

template <int R>
LK_INLINE void project_rows(const FixedTile& t, int r) {
#if defined(__AVX512F__)
  constexpr int C = 2;
#else
  constexpr int C = 1;
#endif
  int p = 0;
  for (; p + C <= t.panel_count; p += C) project_micro<R, C>(t, r, p);
  for (; p < t.panel_count; ++p) project_micro<R, 1>(t, r, p);
}

void project(const FixedTile& t) {
  constexpr int R = kVectorBytes == 64 ? 8 : 4;
  int r = 0;
  for (; r + R <= t.row_count; r += R) project_rows<R>(t, r);
  for (; r < t.row_count; ++r) project_rows<1>(t, r);
}

#endif
