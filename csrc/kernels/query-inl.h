// Screens of one row against many: of panels one after the other, and of single rows.

#if defined(__AVX2__)

// R rows from r on by C panels from c on.
template <class Op, bool masks, int R, int C>
LK_INLINE void query_micro(const ScreenQueries& q, int64_t r, int64_t c) {
  const ScreenTile t{
      nullptr, nullptr, q.own_square, q.squares, q.own_sum, nullptr, nullptr, q.width,
      1,       0,       nullptr,      nullptr,   0};
  const int64_t panel = int64_t(kScreenRows) * q.width;
  const uint8_t* const a = q.own + r * q.width;
  const uint8_t* const b = q.others + c * panel;
  ScreenVector acc[R][C];
  for (int p = 0; p < C; ++p) {
    const ScreenVector columns = Op::of_columns(t, int(c + p) * kScreenRows);
    for (int i = 0; i < R; ++i) {
      acc[i][p] = ScreenVector::add(ScreenVector::all(Op::of_row(t, int(r) + i)), columns);
    }
  }
  for (int k = 0; k < q.width; k += kScreenGroup) {
    ScreenVector v[C];
    for (int p = 0; p < C; ++p) {
      v[p] = Op::line(ScreenVector::load(b + p * panel + k * kScreenRows));
    }
    for (int i = 0; i < R; ++i) {
      const int32_t u = four_bytes(a + int64_t(i) * q.width + k);
      for (int p = 0; p < C; ++p) {
        acc[i][p] = Op::add(acc[i][p], u, v[p]);
        acc[i][p].pin();
      }
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int p = 0; p < C; ++p) {
      const ScreenVector value = Op::finish(acc[i][p]);
      uint16_t* const out = q.out + (r + i) * q.room;
      if (masks) {
        const ScreenVector least = ScreenVector::load(q.least + (c + p) * kScreenRows);
        out[c + p] = uint16_t(ScreenVector::not_less(value, least));
      } else {
        value.negative(out + (c + p) * kScreenRows);
      }
    }
  }
}

template <class Op>
void query_values(const ScreenQueries& q) {
  constexpr int R = ScreenVector::query_rows, C = ScreenVector::query_panels;
  constexpr int64_t kAhead = 2;  // groups of panels
  const int64_t panels = (q.count + kScreenRows - 1) / kScreenRows;
  int64_t c = 0;
  const int64_t group = int64_t(C) * kScreenRows * q.width;
  for (; c + C <= panels; c += C) {
    // One query waits for memory alone.
    const uint8_t* const ahead = q.others + c / C * group + kAhead * group;
    for (int64_t k = 0; k < (q.own_rows < R ? group : 0); k += 64) __builtin_prefetch(ahead + k);
    int r = 0;
    for (; r + R <= q.own_rows; r += R) query_micro<Op, false, R, C>(q, r, c);
    for (; r < q.own_rows; ++r) query_micro<Op, false, 1, C>(q, r, c);
  }
  for (; c < panels; ++c) {
    for (int r = 0; r < q.own_rows; ++r) query_micro<Op, false, 1, 1>(q, r, c);
  }
}

// Of many rows, whole panels of them, with few.
template <class Op>
void query_masks(const ScreenQueries& q) {
  constexpr int R = ScreenVector::micro_rows, C = ScreenVector::micro_panels;
  const int64_t panels = (q.count + kScreenRows - 1) / kScreenRows;
  for (int r = 0; r < q.own_rows; r += R) {
    int64_t c = 0;
    for (; c + C <= panels; c += C) query_micro<Op, true, R, C>(q, r, c);
    for (; c < panels; ++c) query_micro<Op, true, R, 1>(q, r, c);
  }
}

struct ListedSquares {
  static LK_INLINE Codes own(Codes u) { return u; }
  static LK_INLINE Codes add(Codes sum, Codes u, Codes v) {
    const Codes apart = byte_min(signed_distance(u, v), all_bytes(127));
#if defined(__AVX512VNNI__)
    return _mm512_dpbusd_epi32(sum, apart, apart);
#else
    return add_products(sum, apart, apart);
#endif
  }
  static LK_INLINE void finish(const Codes* acc, int32_t* out) { FinishProducts::finish(acc, out); }
  static LK_INLINE float both(float before, int32_t now) { return before + float(now); }
};

#if !defined(__AVX512VNNI__)
struct ListedLargest {
  static LK_INLINE Codes own(Codes u) { return u; }
  static LK_INLINE Codes add(Codes most, Codes u, Codes v) {
    return byte_max(most, byte_distance(u, v));
  }
  static LK_INLINE void finish(const Codes* acc, int32_t* out) { FinishLargest::finish(acc, out); }
  static LK_INLINE float both(float before, int32_t now) {
    return before > float(now) ? before : float(now);
  }
};
#endif

template <class Op>
void listed_screens(const ListedScreens& q) {
  constexpr int kAhead = 12;  // rows
  for (int64_t c = 0; c < q.count; c += 4) {
    const uint8_t* v[4];
    for (int p = 0; p < 4; ++p) {
      v[p] = q.others + int64_t(q.rows[c + p < q.count ? c + p : c]) * q.stride;
      if (c + p + kAhead >= q.count) continue;
      const uint8_t* const next = q.others + int64_t(q.rows[c + p + kAhead]) * q.stride;
      for (int k = q.begin; k < q.end; k += 64) __builtin_prefetch(next + k);
    }
    Codes acc[4];
    add_lines<Op>(q.own, v, q.begin, q.end, acc);
    int32_t now[4];
    Op::finish(acc, now);
    for (int p = 0; p < 4 && c + p < q.count; ++p) {
      float& value = q.values[c + p];
      value = q.begin > 0 ? Op::both(value, now[p]) : float(now[p]);
    }
  }
}

template <class Op>
void listed_codes(const CodeQuery& q) {
  const CodeRows& y = q.columns;
  for (int64_t c = 0; c < q.count; c += 4) {
    const uint8_t* v[4];
    for (int p = 0; p < 4; ++p) {
      v[p] = q.others + int64_t(q.rows[c + p < q.count ? c + p : c]) * q.stride;
      if (c + 4 + p >= q.count) continue;
      const int32_t ahead = q.rows[c + 4 + p];
      const uint8_t* const next = q.others + int64_t(ahead) * q.stride;
      for (int64_t k = 0; k < q.stride; k += 64) __builtin_prefetch(next + k);
      if (!y.scale) continue;
      __builtin_prefetch(y.scale + ahead);
      __builtin_prefetch(y.square + ahead);
      __builtin_prefetch(y.zero + ahead);
      __builtin_prefetch(y.sum + ahead);
    }
    Codes acc[4];
    add_lines<Op>(q.own, v, 0, q.stride, acc);
    int32_t sums[4];
    Op::finish(acc, sums);
    for (int p = 0; p < 4 && c + p < q.count; ++p) {
      const int32_t j = q.rows[c + p];
      PairRow other{};
      if (y.scale) {
        other.scale = y.scale[j];
        other.square = y.square[j];
        other.zero = y.zero[j];
        other.sum = y.sum[j];
      }
      q.values[c + p] = Op::value(sums[p], q.row, other, q.stride);
    }
  }
}

#endif
