// Screens of one row against many: of panels one after the other, and of single rows.

#if defined(__AVX2__)

template <class Op, int C>
LK_INLINE void query_panels(const ScreenQuery& q, int64_t c) {
  const ScreenTile t{q.own,   nullptr, &q.square, q.squares, &q.sum, nullptr,
                     nullptr, q.width, 1,         0,         nullptr};
  const int64_t panel = int64_t(kScreenRows) * q.width;
  const uint8_t* const b = q.others + c * panel;
  ScreenVector acc[C];
  for (int p = 0; p < C; ++p) {
    acc[p] = ScreenVector::add(ScreenVector::all(Op::of_row(t, 0)),
                               Op::of_columns(t, int(c + p) * kScreenRows));
  }
  for (int k = 0; k < q.width; k += kScreenGroup) {
    const int32_t u = four_bytes(q.own + k);
    for (int p = 0; p < C; ++p) {
      acc[p] = Op::add(acc[p], u, Op::line(ScreenVector::load(b + p * panel + k * kScreenRows)));
      acc[p].pin();
    }
  }
  for (int p = 0; p < C; ++p) {
    const ScreenVector negative = Op::finish(acc[p]);
    int32_t lanes[kScreenRows];
    __builtin_memcpy(lanes, &negative, sizeof lanes);
    float* const out = q.values + (c + p) * kScreenRows;
    for (int l = 0; l < kScreenRows; ++l) out[l] = float(-lanes[l]);
  }
}

template <class Op>
void query_values(const ScreenQuery& q) {
  const int64_t panels = (q.count + kScreenRows - 1) / kScreenRows;
  int64_t c = 0;
  for (; c + 4 <= panels; c += 4) query_panels<Op, 4>(q, c);
  for (; c < panels; ++c) query_panels<Op, 1>(q, c);
}

// Of products alone; bytes of the others are 128 more than what they stand for.
inline void listed_screens(const ScreenQuery& q, const int32_t* rows) {
  for (int64_t r = 0; r < q.count; ++r) {
    if (r + 8 < q.count) {
      const uint8_t* const next = q.others + int64_t(rows[r + 8]) * q.width;
      for (int k = 0; k < q.width; k += 64) __builtin_prefetch(next + k);
    }
    const uint8_t* const other = q.others + int64_t(rows[r]) * q.width;
#if defined(__AVX512VNNI__)
    __m512i sums = _mm512_setzero_si512();
    for (int k = 0; k < q.width; k += 64) {
      sums = _mm512_dpbusd_epi32(sums, load_codes(other + k), load_codes(q.own + k));
    }
    const int32_t dot = _mm512_reduce_add_epi32(sums);
#else
    int32_t dot = 0;
    for (int k = 0; k < q.width; ++k) dot += int32_t(other[k]) * int8_t(q.own[k]);
#endif
    q.values[r] = float(q.square + q.squares[rows[r]] - (dot - 128 * q.sum));
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
      const uint8_t* const next = q.others + int64_t(q.rows[c + 4 + p]) * q.stride;
      for (int64_t k = 0; k < q.stride; k += 64) __builtin_prefetch(next + k);
    }
    Codes acc[4] = {};
    for (int64_t k = 0; k < q.stride; k += int64_t(sizeof(Codes))) {
      const Codes u = Op::own(load_codes(q.own + k));
      for (int p = 0; p < 4; ++p) acc[p] = Op::add(acc[p], u, load_codes(v[p] + k));
    }
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
