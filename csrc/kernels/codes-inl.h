// Tiles of pairs of coded rows. A vector holds one line of y, or half of one: eight features of each
// of its rows. The same eight features of a row of x are broadcast to all of them.

#if defined(__AVX512F__)
typedef __m512i Codes;
constexpr int kMicroCodeRows = 8, kMicroCodePanels = 2;
LK_INLINE Codes load_codes(const uint8_t* p) { return _mm512_loadu_si512(p); }
LK_INLINE void store_codes(void* p, Codes v) { _mm512_storeu_si512(p, v); }
LK_INLINE Codes eight_codes(const uint8_t* p) {
  int64_t x;
  __builtin_memcpy(&x, p, 8);
  return _mm512_set1_epi64(x);
}
LK_INLINE Codes all_bytes(int x) { return _mm512_set1_epi8(char(x)); }
LK_INLINE Codes byte_distance(Codes u, Codes v) {
  return _mm512_sub_epi8(_mm512_max_epu8(u, v), _mm512_min_epu8(u, v));
}
// Of signed bytes, as an unsigned one.
LK_INLINE Codes signed_distance(Codes u, Codes v) {
  return _mm512_sub_epi8(_mm512_max_epi8(u, v), _mm512_min_epi8(u, v));
}
LK_INLINE Codes byte_max(Codes a, Codes b) { return _mm512_max_epu8(a, b); }
LK_INLINE Codes byte_min(Codes a, Codes b) { return _mm512_min_epu8(a, b); }
LK_INLINE Codes sum_of_distances(Codes u, Codes v) { return _mm512_sad_epu8(u, v); }
LK_INLINE Codes add64(Codes a, Codes b) { return _mm512_add_epi64(a, b); }
LK_INLINE Codes add_products(Codes sum, Codes u, Codes v) {  // of codes below 128
  return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(u, v), _mm512_set1_epi16(1)));
}
#elif defined(__AVX2__)
typedef __m256i Codes;
constexpr int kMicroCodeRows = 4, kMicroCodePanels = 1;
LK_INLINE Codes load_codes(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
LK_INLINE void store_codes(void* p, Codes v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
LK_INLINE Codes eight_codes(const uint8_t* p) {
  int64_t x;
  __builtin_memcpy(&x, p, 8);
  return _mm256_set1_epi64x(x);
}
LK_INLINE Codes all_bytes(int x) { return _mm256_set1_epi8(char(x)); }
LK_INLINE Codes byte_distance(Codes u, Codes v) {
  return _mm256_sub_epi8(_mm256_max_epu8(u, v), _mm256_min_epu8(u, v));
}
// Of signed bytes, as an unsigned one.
LK_INLINE Codes signed_distance(Codes u, Codes v) {
  return _mm256_sub_epi8(_mm256_max_epi8(u, v), _mm256_min_epi8(u, v));
}
LK_INLINE Codes byte_max(Codes a, Codes b) { return _mm256_max_epu8(a, b); }
LK_INLINE Codes byte_min(Codes a, Codes b) { return _mm256_min_epu8(a, b); }
LK_INLINE Codes sum_of_distances(Codes u, Codes v) { return _mm256_sad_epu8(u, v); }
LK_INLINE Codes add64(Codes a, Codes b) { return _mm256_add_epi64(a, b); }
LK_INLINE Codes add_products(Codes sum, Codes u, Codes v) {  // of codes below 128
  return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(u, v), _mm256_set1_epi16(1)));
}
#endif

#if defined(__AVX2__)

LK_INLINE Codes pinned(Codes sum) {  // see simd-inl.h
#if defined(__AVX512F__)
  asm("" : "+v"(sum));
#else
  asm("" : "+x"(sum));
#endif
  return sum;
}

constexpr int kLineVectors = kCodeLine / int(sizeof(Codes));

// What becomes of a row's accumulator in the end: eight bytes to one number.
LK_INLINE int32_t low_half(const uint8_t* lane) {
  int32_t x;
  __builtin_memcpy(&x, lane, 4);
  return x;
}
LK_INLINE int32_t sum_of_halves(const uint8_t* lane) {
  return int32_t(uint32_t(low_half(lane)) + uint32_t(low_half(lane + 4)));
}
LK_INLINE int32_t largest_byte(const uint8_t* lane) {
  uint8_t m = lane[0];
  for (int l = 1; l < 8; ++l) m = lane[l] > m ? lane[l] : m;
  return m;
}

struct SumOfDifferences {
  explicit SumOfDifferences(const CodeTile&) {}
  LK_INLINE Codes add(Codes sum, Codes u, Codes v) const {
    return add64(sum, sum_of_distances(u, v));
  }
  static LK_INLINE int32_t finish(const uint8_t* lane) { return low_half(lane); }
};

struct LargestDifference {
  explicit LargestDifference(const CodeTile&) {}
  LK_INLINE Codes add(Codes largest, Codes u, Codes v) const {
    return byte_max(largest, byte_distance(u, v));
  }
  static LK_INLINE int32_t finish(const uint8_t* lane) { return largest_byte(lane); }
};

struct SumOfProducts {
  explicit SumOfProducts(const CodeTile&) {}
  static constexpr int32_t bias = 0;
  LK_INLINE Codes add(Codes sum, Codes u, Codes v) const { return add_products(sum, u, v); }
  static LK_INLINE int32_t finish(const uint8_t* lane) { return sum_of_halves(lane); }
};

#if defined(__AVX512VNNI__)
// The instruction takes an unsigned and a signed byte: v enters less 128.
struct SumOfFullProducts {
  explicit SumOfFullProducts(const CodeTile&) {}
  static constexpr int32_t bias = 128;
  LK_INLINE Codes add(Codes sum, Codes u, Codes v) const {
    return _mm512_dpbusd_epi32(sum, u, _mm512_xor_si512(v, all_bytes(128)));
  }
  static LK_INLINE int32_t finish(const uint8_t* lane) { return sum_of_halves(lane); }
};
#endif

#if defined(__AVX512VBMI__)
struct SumOfRatios {
  Codes low, high;
  explicit SumOfRatios(const CodeTile& t)
      : low(load_codes(t.table)), high(load_codes(t.table + kCodeLine)) {}
  LK_INLINE Codes add(Codes sum, Codes u, Codes v) const {
    const Codes apart = byte_min(byte_distance(u, v), all_bytes(127));
    const Codes terms = _mm512_permutex2var_epi8(low, apart, high);
    return add64(sum, sum_of_distances(terms, _mm512_setzero_si512()));
  }
  static LK_INLINE int32_t finish(const uint8_t* lane) { return low_half(lane); }
};
#endif

// R rows of x, all of one panel, by C panels of y.
template <class Op, int R, int C>
LK_INLINE void code_micro(const Op& op, const uint8_t* a, const uint8_t* b, int64_t lines,
                          int32_t* out) {
  constexpr int n = C * kLineVectors;
  Codes acc[R][n];
  for (auto& row : acc) {
    for (Codes& lane : row) lane = Codes{};
  }
  for (int64_t k = 0; k < lines; ++k) {
    Codes v[n];
    for (int c = 0; c < C; ++c) {
      for (int p = 0; p < kLineVectors; ++p) {
        v[c * kLineVectors + p] = load_codes(b + (c * lines + k) * kCodeLine + p * sizeof(Codes));
      }
    }
    for (int r = 0; r < R; ++r) {
      const Codes u = eight_codes(a + k * kCodeLine + r * kCodeGroup);
      for (int p = 0; p < n; ++p) {
        Codes sum = op.add(acc[r][p], u, v[p]);
        asm("" : "+v"(sum));  // GCC would copy all sums from one half of the registers to the other
        acc[r][p] = sum;
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    uint8_t lanes[n * sizeof(Codes)];
    for (int p = 0; p < n; ++p) store_codes(lanes + p * sizeof(Codes), acc[r][p]);
    for (int j = 0; j < C * kCodeRows; ++j) out[r * kTile + j] = Op::finish(lanes + 8 * j);
  }
}

template <class Op, int R, int C>
void code_strip(const Op& op, const CodeTile& t, int r, int32_t* out) {
  const int64_t panel = t.x.lines * kCodeLine;
  const uint8_t* a =
      t.x.codes + (t.i0 + r) / kCodeRows * panel + (t.i0 + r) % kCodeRows * kCodeGroup;
  const uint8_t* b = t.y.codes + t.j0 / kCodeRows * panel;
  const int panels = (t.cols + kCodeRows - 1) / kCodeRows;
  int c = t.diagonal ? r / kCodeRows / C * C : 0;
  for (; c + C <= panels; c += C) {
    code_micro<Op, R, C>(op, a, b + c * panel, t.x.lines, out + c * kCodeRows);
  }
  for (; c < panels; ++c) {
    code_micro<Op, R, 1>(op, a, b + c * panel, t.x.lines, out + c * kCodeRows);
  }
}

// The integers of a tile's pairs, kTile columns a row.
template <class Op>
void code_sums(const CodeTile& t, int32_t* out) {
  const Op op(t);
  int r = 0;
  for (; r + kMicroCodeRows <= t.rows; r += kMicroCodeRows) {
    code_strip<Op, kMicroCodeRows, kMicroCodePanels>(op, t, r, out + r * kTile);
  }
  for (; r < t.rows; ++r) code_strip<Op, 1, 4>(op, t, r, out + r * kTile);
}

template <class Op>
void plain_tile(const CodeTile& t) {
  const int32_t* const sums = t.sums;
  code_sums<Op>(t, t.sums);
  for (int i = 0; i < t.rows; ++i) {
    for (int j = 0; j < t.cols; ++j) t.values[i * kTile + j] = float(sums[i * kTile + j]);
  }
}

template <class Op>
void product_tile(const CodeTile& t) {
  const int32_t* const sums = t.sums;
  code_sums<Op>(t, t.sums);
  const uint32_t features = uint32_t(t.x.lines * kCodeGroup);
  const float* const scale = t.y.scale + t.j0;
  const float* const square = t.y.square + t.j0;
  const int32_t* const zero = t.y.zero + t.j0;
  const int32_t* const sum = t.y.sum + t.j0;
  for (int i = 0; i < t.rows; ++i) {
    // Σ (q_i − z_i)(q_j − z_j) in arithmetic modulo 2^32, which the result fits.
    const auto own_zero = uint32_t(t.x.zero[t.i0 + i]), own_sum = uint32_t(t.x.sum[t.i0 + i]);
    const uint32_t biased = uint32_t(Op::bias) * own_sum;
    const float own = t.x.square[t.i0 + i], twice = 2 * t.x.scale[t.i0 + i];
    for (int j = 0; j < t.cols; ++j) {
      const uint32_t z = uint32_t(zero[j]);
      const uint32_t dot = uint32_t(sums[i * kTile + j]) + biased - z * own_sum -
                           own_zero * uint32_t(sum[j]) + features * own_zero * z;
      t.values[i * kTile + j] = (own + square[j]) - (twice * scale[j]) * float(int32_t(dot));
    }
  }
}

#endif
