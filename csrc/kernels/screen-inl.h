// Screens of a tile's pairs, and single pairs from codes that lie row after row.

#if defined(__AVX2__)

#if defined(__AVX512VNNI__)
// Sixteen rows of y in one register.
struct ScreenVector {
  __m512i v;
  static constexpr int micro_rows = 8, micro_panels = 2, query_rows = 4, query_panels = 4;
  static LK_INLINE ScreenVector load(const void* p) { return {_mm512_loadu_si512(p)}; }
  static LK_INLINE ScreenVector all(int32_t x) { return {_mm512_set1_epi32(x)}; }
  static LK_INLINE ScreenVector add(ScreenVector a, ScreenVector b) {
    return {_mm512_add_epi32(a.v, b.v)};
  }
  static LK_INLINE ScreenVector min(ScreenVector a, ScreenVector b) {
    return {_mm512_min_epi32(a.v, b.v)};
  }
  static LK_INLINE unsigned not_less(ScreenVector a, ScreenVector b) {
    return _mm512_cmpge_epi32_mask(a.v, b.v);
  }
  LK_INLINE void pin() { asm("" : "+v"(v)); }
  // What is less than 0 becomes 0.
  LK_INLINE void negative(uint16_t* out) const {
    const __m512i zero = _mm512_setzero_si512();
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                        _mm512_cvtusepi32_epi16(_mm512_max_epi32(zero, _mm512_sub_epi32(zero, v))));
  }
};
#else
// In two halves: there are instructions of 32 bytes that 64 lack.
struct ScreenVector {
  __m256i a, b;
  static constexpr int micro_rows = 4, micro_panels = 1, query_rows = 4, query_panels = 1;
  static LK_INLINE ScreenVector load(const void* p) {
    const auto* at = static_cast<const __m256i*>(p);
    return {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
  }
  static LK_INLINE ScreenVector all(int32_t x) {
    return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
  }
  static LK_INLINE ScreenVector add(ScreenVector u, ScreenVector v) {
    return {_mm256_add_epi32(u.a, v.a), _mm256_add_epi32(u.b, v.b)};
  }
  static LK_INLINE ScreenVector min(ScreenVector u, ScreenVector v) {
    return {_mm256_min_epi32(u.a, v.a), _mm256_min_epi32(u.b, v.b)};
  }
  static LK_INLINE unsigned not_less(ScreenVector u, ScreenVector v) {
    const auto lanes = [](__m256i more) {
      return unsigned(_mm256_movemask_ps(_mm256_castsi256_ps(more)));
    };
    return ~(lanes(_mm256_cmpgt_epi32(v.a, u.a)) | lanes(_mm256_cmpgt_epi32(v.b, u.b)) << 8) &
           0xffff;
  }
  LK_INLINE void pin() { asm("" : "+x"(a), "+x"(b)); }
  LK_INLINE void negative(uint16_t* out) const {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i mixed = _mm256_packus_epi32(_mm256_sub_epi32(zero, a), _mm256_sub_epi32(zero, b));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permute4x64_epi64(mixed, 0xd8));
  }
};
#endif

LK_INLINE int32_t four_bytes(const uint8_t* p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return x;
}

// Σ u v of signed codes, each at most 127.
struct ScreenProducts {
#if defined(__AVX512VNNI__)
  static constexpr int32_t bias = 128;  // v enters as v + 128
  static LK_INLINE ScreenVector line(ScreenVector v) {
    return {_mm512_xor_si512(v.v, _mm512_set1_epi8(char(0x80)))};
  }
  static LK_INLINE ScreenVector add(ScreenVector sum, int32_t u, ScreenVector v) {
    return {_mm512_dpbusd_epi32(sum.v, v.v, _mm512_set1_epi32(u))};
  }
#else
  static constexpr int32_t bias = 0;
  static LK_INLINE ScreenVector line(ScreenVector v) { return v; }
  static LK_INLINE __m256i add(__m256i sum, __m256i u, __m256i v) {
    // |u| times v with the sign of u: two products are at most 2 · 127².
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(u), _mm256_sign_epi8(v, u));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static LK_INLINE ScreenVector add(ScreenVector sum, int32_t u, ScreenVector v) {
    const __m256i all = _mm256_set1_epi32(u);
    return {add(sum.a, all, v.a), add(sum.b, all, v.b)};
  }
#endif
  // What stays is not less than minus the limit: the product less half the squares.
  static LK_INLINE int32_t of_row(const ScreenTile& t, int r) {
    return -t.square_x[r] - bias * t.sum_x[r];
  }
  static LK_INLINE ScreenVector of_columns(const ScreenTile& t, int c) {
    const ScreenVector square = ScreenVector::load(t.square_y + c);
#if defined(__AVX512VNNI__)
    return {_mm512_sub_epi32(_mm512_setzero_si512(), square.v)};
#else
    return {_mm256_sub_epi32(_mm256_setzero_si256(), square.a),
            _mm256_sub_epi32(_mm256_setzero_si256(), square.b)};
#endif
  }
  static LK_INLINE ScreenVector finish(ScreenVector sum) { return sum; }
};

#if !defined(__AVX512VNNI__)
// The largest |u − v| of unsigned codes.
struct ScreenLargest {
  static LK_INLINE ScreenVector line(ScreenVector v) { return v; }
  static LK_INLINE __m256i add(__m256i most, __m256i u, __m256i v) {
    const __m256i m = _mm256_max_epu8(most, _mm256_subs_epu8(u, v));
    return _mm256_max_epu8(m, _mm256_subs_epu8(v, u));
  }
  static LK_INLINE ScreenVector add(ScreenVector most, int32_t u, ScreenVector v) {
    const __m256i all = _mm256_set1_epi32(u);
    return {add(most.a, all, v.a), add(most.b, all, v.b)};
  }
  static LK_INLINE __m256i finish(__m256i most) {
    __m256i m = _mm256_max_epu8(most, _mm256_srli_epi32(most, 16));
    m = _mm256_max_epu8(m, _mm256_srli_epi32(m, 8));
    return _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_and_si256(m, _mm256_set1_epi32(255)));
  }
  static LK_INLINE ScreenVector finish(ScreenVector most) {
    return {finish(most.a), finish(most.b)};
  }
  static LK_INLINE int32_t of_row(const ScreenTile&, int) { return 0; }
  static LK_INLINE ScreenVector of_columns(const ScreenTile&, int) { return ScreenVector::all(0); }
};
#endif

// R rows of x from r on by C panels of y from c on.
template <class Op, int R, int C>
LK_INLINE void screen_micro(const ScreenTile& t, int r, int c) {
  const int64_t panel = int64_t(kScreenRows) * t.width;
  const uint8_t* const a = t.x + r / kScreenRows * panel + r % kScreenRows * kScreenGroup;
  const uint8_t* const b = t.y + c * panel;
  ScreenVector acc[R][C];
  for (int p = 0; p < C; ++p) {
    const ScreenVector columns = Op::of_columns(t, (c + p) * kScreenRows);
    for (int i = 0; i < R; ++i) {
      acc[i][p] = ScreenVector::add(ScreenVector::all(Op::of_row(t, r + i)), columns);
    }
  }
  for (int k = 0; k < t.width; k += kScreenGroup) {
    ScreenVector v[C];
    for (int p = 0; p < C; ++p) {
      v[p] = Op::line(ScreenVector::load(b + p * panel + k * kScreenRows));
    }
    for (int i = 0; i < R; ++i) {
      const int32_t u = four_bytes(a + k * kScreenRows + i * kScreenGroup);
      for (int p = 0; p < C; ++p) {
        acc[i][p] = Op::add(acc[i][p], u, v[p]);
        acc[i][p].pin();
      }
    }
  }
  for (int p = 0; p < C; ++p) {
    const ScreenVector limits = ScreenVector::load(t.least_y + (c + p) * kScreenRows);
    for (int i = 0; i < R && r + i < t.rows; ++i) {
      const ScreenVector limit = ScreenVector::min(ScreenVector::all(t.least_x[r + i]), limits);
      t.masks[(r + i) * (kTile / kScreenRows) + c + p] =
          uint16_t(ScreenVector::not_less(Op::finish(acc[i][p]), limit));
    }
  }
}

template <class Op>
void screen_tile(const ScreenTile& t) {
  constexpr int R = ScreenVector::micro_rows, C = ScreenVector::micro_panels;
  const int panels = (t.cols + kScreenRows - 1) / kScreenRows;
  const auto next = [&](int row) { return t.next_bytes * (row < t.rows ? row : t.rows) / t.rows; };
  for (int r = 0; r < t.rows; r += R) {
    for (int64_t k = next(r); k < next(r + R); k += 64) __builtin_prefetch(t.next + k, 0, 2);
    int c = 0;
    for (; c + C <= panels; c += C) screen_micro<Op, R, C>(t, r, c);
    for (; c < panels; ++c) screen_micro<Op, R, 1>(t, r, c);
    if (t.cols % kScreenRows == 0) continue;
    for (int i = 0; i < R && r + i < t.rows; ++i) {
      t.masks[(r + i) * (kTile / kScreenRows) + panels - 1] &=
          uint16_t((1u << t.cols % kScreenRows) - 1);
    }
  }
}

// Single pairs. Of a row of codes with four others, `lines` lines of 64 bytes each.
struct FinishProducts {
  static constexpr bool stepwise = false;
#if defined(__AVX512VNNI__)
  static constexpr int32_t bias = 128;  // the row enters less 128
  static LK_INLINE Codes own(Codes u) { return _mm512_xor_si512(u, all_bytes(128)); }
  static LK_INLINE Codes add(Codes sum, Codes u, Codes v) { return _mm512_dpbusd_epi32(sum, v, u); }
#else
  static constexpr int32_t bias = 0;
  static LK_INLINE Codes own(Codes u) { return u; }
  static LK_INLINE Codes add(Codes sum, Codes u, Codes v) { return add_products(sum, u, v); }
#endif
  static LK_INLINE void finish(const Codes* acc, int32_t* out) {
#if defined(__AVX512F__)
    const auto half = [](Codes x) {
      return _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
    };
#else
    const auto half = [](Codes x) { return x; };
#endif
    const __m256i low = _mm256_hadd_epi32(half(acc[0]), half(acc[1]));
    const __m256i high = _mm256_hadd_epi32(half(acc[2]), half(acc[3]));
    const __m256i all = _mm256_hadd_epi32(low, high);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1)));
  }
  static LK_INLINE float value(int32_t sum, const PairRow& u, const PairRow& v, int64_t stride) {
    const uint32_t zero = uint32_t(u.zero), features = uint32_t(stride);
    const uint32_t dot = uint32_t(sum) + uint32_t(v.sum) * (uint32_t(bias) - zero) +
                         uint32_t(v.zero) * (features * zero - uint32_t(u.sum));
    return (u.square + v.square) - (2 * u.scale * v.scale) * float(int32_t(dot));
  }
};

#if !defined(__AVX512VNNI__)
struct FinishLargest {
  static constexpr bool stepwise = true;
  static LK_INLINE Codes own(Codes u) { return u; }
  static LK_INLINE Codes add(Codes most, Codes u, Codes v) {
    return byte_max(most, byte_distance(u, v));
  }
  static LK_INLINE void finish(const Codes* acc, int32_t* out) {
    for (int c = 0; c < 4; ++c) {
#if defined(__AVX512F__)
      const __m256i half =
          _mm256_max_epu8(_mm512_castsi512_si256(acc[c]), _mm512_extracti64x4_epi64(acc[c], 1));
#else
      const __m256i half = acc[c];
#endif
      __m128i m = _mm_max_epu8(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
      m = _mm_xor_si128(m, _mm_set1_epi8(char(0xff)));
      m = _mm_min_epu8(m, _mm_srli_epi16(m, 8));
      out[c] = 255 - (_mm_cvtsi128_si32(_mm_minpos_epu16(m)) & 0xff);
    }
  }
  static LK_INLINE float value(int32_t most, const PairRow&, const PairRow&, int64_t) {
    return float(most);
  }
};
#endif

// One row with four others: bytes [begin, end), whole lines. Left to itself the compiler copies every sum
// at every line.
template <class Op>
LK_INLINE void add_lines(const uint8_t* own, const uint8_t* const* others, int64_t begin,
                         int64_t end, Codes* sums) {
  constexpr int64_t line = sizeof(Codes), lines = 4;
  const uint8_t* v[4];
  Codes acc[4];
  for (int p = 0; p < 4; ++p) {
    v[p] = others[p];
    acc[p] = Codes{};
  }
  const auto add = [&](int64_t k) {
    const Codes u = Op::own(load_codes(own + k));
    for (int p = 0; p < 4; ++p) acc[p] = pinned(Op::add(acc[p], u, load_codes(v[p] + k)));
  };
  int64_t k = begin;
  for (; k + lines * line <= end; k += lines * line) {
    for (int l = 0; l < lines; ++l) add(k + l * line);
  }
  for (; k < end; k += line) add(k);
  for (int p = 0; p < 4; ++p) sums[p] = acc[p];
}

// Bytes [begin, end) of one row with n others, whose list has room for three more.
template <class Op>
LK_INLINE void add_listed(const FinishRow& f, int32_t* columns, int n, int64_t begin, int64_t end,
                          int32_t* sums) {
  for (int c = n; c % 4 != 0; ++c) columns[c] = columns[n - 1];
  for (int c = 0; c < n; c += 4) {
    const uint8_t* v[4];
    for (int p = 0; p < 4; ++p) v[p] = f.others + columns[c + p] * f.stride;
    Codes acc[4];
    add_lines<Op>(f.own, v, begin, end, acc);
    Op::finish(acc, sums + c);
  }
}

template <class Op>
void finish_row(FinishRow& f) {
  int32_t columns[kTile + 4], sums[kTile + 4];
  int n = 0;
  uint64_t words[kTile / 64] = {};
  __builtin_memcpy(words, f.masks, size_t(f.panels) * sizeof *f.masks);
  for (int w = 0; w < kTile / 64; ++w) {
    for (uint64_t word = words[w]; word; word &= word - 1) {
      columns[n++] = w * 64 + __builtin_ctzll(word);
    }
  }
  f.row_count = f.column_count = 0;
  add_listed<Op>(f, columns, n, 0, f.first, sums);
  if constexpr (Op::stepwise) {
    int32_t before[kTile];
    int stay = 0;
    for (int c = 0; c < n; ++c) {
      const int32_t column = columns[c], least = f.least[column];
      columns[stay] = column;
      before[stay] = sums[c];
      stay += -sums[c] >= (least < f.own_least ? least : f.own_least);
    }
    n = stay;
    if (f.first < f.stride) {
      add_listed<Op>(f, columns, n, f.first, f.stride, sums);
      for (int c = 0; c < n; ++c) before[c] = before[c] > sums[c] ? before[c] : sums[c];
    }
    for (int c = 0; c < n; ++c) sums[c] = before[c];
  }
  // In registers: what is written might be anything else.
  const PairRow u = *f.row;
  const PairRow* const others = f.columns;
  const int64_t stride = f.stride;
  float *const row_values = f.row_values, *const column_values = f.column_values;
  int32_t *const row_columns = f.row_columns, *const column_columns = f.column_columns;
  int rows = 0, cols = 0;
  for (int c = 0; c < n; ++c) {
    const PairRow v = others[columns[c]];
    const float value = Op::value(sums[c], u, v, stride);
    const float of_row = u.slope * v.weight + (u.offset + v.slack);
    const float of_column = v.slope * u.weight + (v.offset + u.slack);
    row_values[rows] = column_values[cols] = value;
    row_columns[rows] = column_columns[cols] = columns[c];
    rows += !(value > of_row);
    cols += !(value > of_column);
  }
  f.row_count = rows;
  f.column_count = cols;
}

#endif

#include "kernels/query-inl.h"

#if defined(__AVX2__)
#define LK_CODE_KERNELS                                                \
  {                                                                    \
    {"7-bit products",                                                 \
     127,                                                              \
     product_tile<SumOfProducts>,                                      \
     screen_tile<ScreenProducts>,                                      \
     finish_row<FinishProducts>,                                       \
     query_values<ScreenProducts>,                                     \
     query_masks<ScreenProducts>,                                      \
     listed_screens<ListedSquares>,                                    \
     listed_codes<FinishProducts>,                                     \
     project},                                                         \
        {"8-bit differences",                                          \
         255,                                                          \
         plain_tile<SumOfDifferences>,                                 \
         nullptr,                                                      \
         nullptr,                                                      \
         nullptr,                                                      \
         nullptr,                                                      \
         nullptr,                                                      \
         nullptr,                                                      \
         nullptr},                                                     \
        {"8-bit largest differences",   255,                           \
         plain_tile<LargestDifference>, screen_tile<ScreenLargest>,    \
         finish_row<FinishLargest>,     query_values<ScreenLargest>,   \
         query_masks<ScreenLargest>,    listed_screens<ListedLargest>, \
         listed_codes<FinishLargest>,   nullptr},                      \
    {}                                                                 \
  }
#else
#define LK_CODE_KERNELS \
  {}
#endif
