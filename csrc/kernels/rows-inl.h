// Rows of any type and stride, as float64 and float32; what a row becomes before it is compared;
// and how far its float32 form is from it.

constexpr int kChunk = 1024;  // features held at a time; a multiple of 8, so that lanes line up

LK_INLINE float half_to_float(uint16_t h) {
  // Moves the exponent by a multiplication, which gets denormals right too.
  uint32_t bits = uint32_t(h & 0x7fff) << 13;
  float magnitude;
  __builtin_memcpy(&magnitude, &bits, 4);
  magnitude *= 0x1p112f;
  __builtin_memcpy(&bits, &magnitude, 4);
  bits |= (h & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
  bits |= uint32_t(h & 0x8000) << 16;
  __builtin_memcpy(&magnitude, &bits, 4);
  return magnitude;
}

template <class T, class Out>
LK_INLINE Out convert(T x) {
  return Out(x);
}
struct Half {
  uint16_t bits;
};
template <>
LK_INLINE float convert<Half, float>(Half x) {
  return half_to_float(x.bits);
}
template <>
LK_INLINE double convert<Half, double>(Half x) {
  return half_to_float(x.bits);
}

template <class T, class Out>
void read_as(const unsigned char* p, int64_t stride, int64_t count, Out* out) {
  T x;
  if (stride == int64_t(sizeof(T))) {
    for (int64_t k = 0; k < count; ++k) {
      __builtin_memcpy(&x, p + k * int64_t(sizeof(T)), sizeof x);
      out[k] = convert<T, Out>(x);
    }
  } else {
    for (int64_t k = 0; k < count; ++k) {
      __builtin_memcpy(&x, p + k * stride, sizeof x);
      out[k] = convert<T, Out>(x);
    }
  }
}

template <class Out>
void read(const MatrixView& m, int64_t row, int64_t k0, int64_t count, Out* out) {
  const unsigned char* p = m.data + row * m.row_stride + k0 * m.col_stride;
  switch (m.dtype) {
    case DType::f16:
      return read_as<Half>(p, m.col_stride, count, out);
    case DType::f32:
      return read_as<float>(p, m.col_stride, count, out);
    case DType::f64:
      return read_as<double>(p, m.col_stride, count, out);
    case DType::i8:
      return read_as<int8_t>(p, m.col_stride, count, out);
    case DType::boolean:
    case DType::u8:
      return read_as<uint8_t>(p, m.col_stride, count, out);
    case DType::i16:
      return read_as<int16_t>(p, m.col_stride, count, out);
    case DType::u16:
      return read_as<uint16_t>(p, m.col_stride, count, out);
    case DType::i32:
      return read_as<int32_t>(p, m.col_stride, count, out);
    case DType::u32:
      return read_as<uint32_t>(p, m.col_stride, count, out);
    case DType::i64:
      return read_as<int64_t>(p, m.col_stride, count, out);
    case DType::u64:
      return read_as<uint64_t>(p, m.col_stride, count, out);
  }
}

LK_INLINE double combine_sum(const double* s) {
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}
LK_INLINE double combine_max(const double* s) {
  double m = s[0];
  for (int l = 1; l < 8; ++l) m = s[l] > m ? s[l] : m;
  return m;
}

// Eight float64 lanes, one for each feature index mod 8, in as many registers as that takes.
struct Lanes {
  static constexpr int parts = 8 / F64::lanes;
  F64 part[parts];
  explicit LK_INLINE Lanes(double x) {
    for (F64& p : part) p = F64::all(x);
  }
  LK_INLINE void store(double* out) const {
    for (int p = 0; p < parts; ++p) part[p].store(out + p * F64::lanes);
  }
  LK_INLINE double sum() const {
    double lanes[8];
    store(lanes);
    return combine_sum(lanes);
  }
  LK_INLINE double largest() const {
    double lanes[8];
    store(lanes);
    return combine_max(lanes);
  }
};

using Map = void (*)(double* values, int64_t count);  // of an elementwise preparation, or null

// Calls f(x, p, valid) on the row's values from k0 to end: x holds part p of eight consecutive features,
// of which only `valid` exist (fewer than 8 in the last eight alone; the others are zeros).
template <class F>
LK_INLINE void for_each_eight(const MatrixView& m, int64_t row, int64_t k0, int64_t end, Map map,
                              double* chunk, F f) {
  if (m.dtype == DType::f32 && m.col_stride == 4 && !map) {  // as they lie in memory
    const auto* values = reinterpret_cast<const float*>(m.data + row * m.row_stride);
    for (; k0 + 8 <= end; k0 += 8) {
      for (int p = 0; p < Lanes::parts; ++p) f(F64::load(values + k0 + p * F64::lanes), p, 8);
    }
  }
  for (; k0 < end; k0 += kChunk) {
    const int count = int(end - k0 < kChunk ? end - k0 : kChunk);
    read(m, row, k0, count, chunk);
    if (map) map(chunk, count);
    int padded = count;
    while (padded % 8) chunk[padded++] = 0;
    for (int k = 0; k < padded; k += 8) {
      for (int p = 0; p < Lanes::parts; ++p) {
        f(F64::load(chunk + k + p * F64::lanes), p, count - k);
      }
    }
  }
}

// x with zeros in the lanes of features that do not exist.
LK_INLINE F64 only_valid(F64 x, int p, int valid) {
  if (valid >= 8) return x;
  double lanes[F64::lanes];
  x.store(lanes);
  for (int l = 0; l < F64::lanes; ++l) {
    if (p * F64::lanes + l >= valid) lanes[l] = 0;
  }
  return F64::load(lanes);
}

// Σ f(x) over the row, in the fixed order of distances: in blocks, so that it is as accurate.
template <class F>
LK_INLINE double sum_row(const MatrixView& m, int64_t row, Map map, double* chunk, F f) {
  double total = 0;
  for (int64_t k0 = 0; k0 < m.cols; k0 += kExactBlock) {
    const int64_t end = m.cols - k0 < kExactBlock ? m.cols : k0 + kExactBlock;
    Lanes sums(0);
    for_each_eight(m, row, k0, end, map, chunk, [&](F64 x, int p, int valid) {
      sums.part[p] = sums.part[p] + only_valid(f(x), p, valid);
    });
    total += sums.sum();
  }
  return total;
}

LK_INLINE int exponent_of(double x) { return __builtin_ilogb(x); }
LK_INLINE double power_of_two(int e) { return __builtin_ldexp(1.0, e); }

struct Extremes {
  double largest, smallest, magnitude, tiniest;  // tiniest: the least nonzero magnitude
  bool finite;
};

LK_INLINE void look_at(Extremes& e, double v) {
  const double magnitude = __builtin_fabs(v);
  e.largest = v > e.largest ? v : e.largest;
  e.smallest = v < e.smallest ? v : e.smallest;
  if (magnitude > 0 && magnitude < e.tiniest) e.tiniest = magnitude;
  e.finite = e.finite && v - v == 0;
}

// V is F32 or F64, T its element.
template <class V, class T>
LK_INLINE void look_at_all(Extremes& e, const T* values, int64_t count) {
  constexpr T inf = T(__builtin_inf());
  V high = V::all(-inf), low = V::all(-inf), tiny = V::all(-inf), wrong = V::all(0);
  int64_t k = 0;
  for (; k + V::lanes <= count; k += V::lanes) {
    const V x = V::load(values + k);
    high = max(high, x);
    low = max(low, V::all(0) - x);
    tiny = max(tiny, negated_magnitude_or_minus_inf(x));
    wrong = wrong + (x - x);  // 0, or NaN for an infinity or a NaN
  }
  T highs[V::lanes], lows[V::lanes], tinies[V::lanes], wrongs[V::lanes];
  high.store(highs);
  low.store(lows);
  tiny.store(tinies);
  wrong.store(wrongs);
  for (int l = 0; l < V::lanes; ++l) {
    e.largest = highs[l] > e.largest ? highs[l] : e.largest;
    e.smallest = -lows[l] < e.smallest ? -lows[l] : e.smallest;
    e.tiniest = -tinies[l] < e.tiniest ? -tinies[l] : e.tiniest;
    e.finite = e.finite && wrongs[l] == 0;
  }
  for (; k < count; ++k) look_at(e, values[k]);
}

LK_INLINE Extremes extremes_of(const MatrixView& m, int64_t row, Map map, double* chunk) {
  constexpr double inf = __builtin_inf();
  Extremes e{-inf, inf, 0, inf, true};
  if (m.dtype == DType::f32 && m.col_stride == 4 && !map) {
    look_at_all<F32>(e, reinterpret_cast<const float*>(m.data + row * m.row_stride), m.cols);
  } else {
    for (int64_t k0 = 0; k0 < m.cols; k0 += kChunk) {
      const int64_t count = m.cols - k0 < kChunk ? m.cols - k0 : kChunk;
      read(m, row, k0, count, chunk);
      if (map) map(chunk, count);
      look_at_all<F64>(e, chunk, count);
    }
  }
  const double a = __builtin_fabs(e.largest), b = __builtin_fabs(e.smallest);
  e.magnitude = a > b ? a : b;
  return e;
}

// The same of the features that count, multiplied by their factors or not.
LK_INLINE Extremes extremes_of(const MatrixView& m, int64_t row, const double* factors,
                               bool multiplied, double* chunk) {
  constexpr double inf = __builtin_inf();
  Extremes e{-inf, inf, 0, inf, true};
  for (int64_t k0 = 0; k0 < m.cols; k0 += kChunk) {
    const int64_t count = m.cols - k0 < kChunk ? m.cols - k0 : kChunk;
    read(m, row, k0, count, chunk);
    for (int64_t k = 0; k < count; ++k) {
      const double factor = factors[k0 + k];
      if (factor > 0) look_at(e, multiplied ? chunk[k] * factor : chunk[k]);
    }
  }
  const double a = __builtin_fabs(e.largest), b = __builtin_fabs(e.smallest);
  e.magnitude = a > b ? a : b;
  return e;
}

// Σ f(x, k) over the features that count, in the fixed order.
template <class F>
LK_INLINE double sum_features(const MatrixView& m, int64_t row, const double* factors,
                              double* chunk, F f) {
  double total = 0, lanes[8] = {};
  for (int64_t k0 = 0; k0 < m.cols; k0 += kChunk) {
    const int64_t left = m.cols - k0, count = left < kChunk ? left : kChunk;
    read(m, row, k0, count, chunk);
    for (int64_t k = 0; k < count; ++k) {
      if (factors[k0 + k] > 0) lanes[k & 7] += f(chunk[k], k0 + k);
    }
    if ((k0 + count) % kExactBlock == 0 || count == left) {
      total += combine_sum(lanes);
      for (double& lane : lanes) lane = 0;
    }
  }
  return total;
}

LK_INLINE double prepared(double x, const RowScale& s) {
  return ((x * s.power - s.mean) - s.mean_low) * s.inverse_norm;
}

// Of a row multiplied by factors, less its weighted mean.
RowScale weighed_scale(RowScale s, const MatrixView& m, int64_t row, bool centred,
                       const Parameters& of, double* chunk) {
  if (centred) {
    s.mean = sum_features(m, row, of.factors, chunk,
                          [&](double x, int64_t k) { return of.weights[k] * (x * s.power); }) /
             of.total;
    s.mean_low =
        sum_features(m, row, of.factors, chunk,
                     [&](double x, int64_t k) { return of.weights[k] * (x * s.power - s.mean); }) /
        of.total;
  }
  const double square = sum_features(m, row, of.factors, chunk, [&](double x, int64_t k) {
    const double c = ((x * s.power - s.mean) - s.mean_low) * of.factors[k];
    return c * c;
  });
  s.inverse_norm = 1 / __builtin_sqrt(square);
  return s;
}

RowScale scale_of(const MatrixView& m, int64_t row, Prepare prepare, double magnitude,
                  bool degenerate, const Parameters& parameters, double* chunk) {
  RowScale s{1, 0, 0, 0};
  if (degenerate) return s;
  int e = exponent_of(magnitude);
  if (e > 250 || e < -250) {
    e = e > 1000 ? 1000 : e < -1000 ? -1000 : e;
    s.power = power_of_two(-e);
  }
  if (parameters.factors) {
    return weighed_scale(s, m, row, prepare == Prepare::centred_unit, parameters, chunk);
  }
  const F64 power = F64::all(s.power);
  const double d = double(m.cols);
  if (prepare == Prepare::centred_unit) {
    s.mean = sum_row(m, row, nullptr, chunk, [=](F64 x) { return x * power; }) / d;
    const F64 mean = F64::all(s.mean);
    s.mean_low = sum_row(m, row, nullptr, chunk, [=](F64 x) { return x * power - mean; }) / d;
  }
  const F64 mean = F64::all(s.mean), low = F64::all(s.mean_low);
  if (prepare == Prepare::shares) {
    s.inverse_norm = 1 / sum_row(m, row, nullptr, chunk, [=](F64 x) { return x * power; });
    return s;
  }
  const double square = sum_row(m, row, nullptr, chunk, [=](F64 x) {
    const F64 c = (x * power - mean) - low;
    return c * c;
  });
  s.inverse_norm = 1 / __builtin_sqrt(square);
  return s;
}

LK_INLINE float round_up(double x) {
  const float f = float(x * (1 + 0x1p-20));
  return f < 0x1p-126f && x > 0 ? 0x1p-126f : f;
}

// How much of a norm can be lost where terms of `cols` features fall below float32's range.
LK_INLINE double underflow_of(const Traits& traits, int64_t cols) {
  if (traits.exact_when_tiny || !traits.has_float32()) return 0;
  const double lost = traits.roundings * 0x1p-149;
  if (traits.combine == Combine::maximum) return lost;
  return traits.combine == Combine::sum ? lost * double(cols) : __builtin_sqrt(lost * double(cols));
}

int64_t survey(const MatrixView& m, const MetricKernels& metric, const Parameters& parameters,
               int64_t begin, int64_t end, RowSurvey* out, RowScale* scales) {
  alignas(64) double chunk[kChunk];
  const Traits& traits = metric.traits;
  const double underflow = underflow_of(traits, m.cols);
  const bool fits = fits_float32(m.dtype);
  for (int64_t row = begin; row < end; ++row) {
    Extremes e = extremes_of(m, row, nullptr, chunk);
    if (!e.finite) return row;
    RowSurvey& r = out[row];
    r = RowSurvey{};
    if (traits.domain == Domain::not_negative && e.smallest < 0) {
      r.flags = kOutside | kNegative;
      continue;
    }
    if (traits.prepare == Prepare::shares && e.magnitude == 0) {
      r.flags = kOutside;
      r.exponent = kZeroRow;
      continue;
    }
    if (metric.map && !has_scale(traits.prepare)) {
      e = extremes_of(m, row, metric.map, chunk);
      if (!e.finite) {
        r.flags = kOutside;  // nor is it below zero
        continue;
      }
    }
    const bool extreme = e.magnitude > 0x1p500 || e.tiniest < 0x1p-400;
    const double* const factors = parameters.factors;
    if (factors) e = extremes_of(m, row, factors, false, chunk);
    const double before = e.magnitude;
    if (factors && !has_scale(traits.prepare)) e = extremes_of(m, row, factors, true, chunk);
    r.exponent = e.magnitude == 0 ? kZeroRow : int16_t(exponent_of(e.magnitude));
    r.flags = e.smallest < 0 ? kNegative : 0;
    if (extreme) r.flags |= kExtreme;
    if (factors && !has_scale(traits.prepare)) {
      // Multiplied, the row may leave the range of a double: filters leave it alone.
      if (before > 0x1p700 || (before > 0 && before < 0x1p-700)) r.exponent = kBeyond;
      const double power = power_of_two(-r.exponent > 1000    ? 1000
                                        : -r.exponent < -1000 ? -1000
                                                              : -r.exponent);
      r.size = sum_features(m, row, factors, chunk, [=](double x, int64_t k) {
        const double y = x * factors[k] * power;
        return traits.weights_add ? __builtin_fabs(y) : y * y;
      });
    } else if (r.exponent != kZeroRow && !has_scale(traits.prepare)) {
      const F64 power = F64::all(power_of_two(-r.exponent > 1000 ? 1000 : -r.exponent));
      if (traits.weights_add) {
        r.size = sum_row(m, row, metric.map, chunk, [=](F64 x) { return abs(x * power); });
      } else if (traits.inner_product) {
        r.size =
            sum_row(m, row, metric.map, chunk, [=](F64 x) { return (x * power) * (x * power); });
      }
    }
    const bool flushed = traits.flush_tiny && e.tiniest < double(kTiny);
    r.residual = fits && !flushed && !metric.map && !factors ? round_up(underflow) : -1;
    if (!has_scale(traits.prepare)) continue;
    const bool degenerate =
        traits.prepare == Prepare::centred_unit ? e.largest == e.smallest : e.magnitude == 0;
    if (degenerate) r.flags |= kDegenerate;
    const RowScale s = scale_of(m, row, traits.prepare, e.magnitude, degenerate, parameters, chunk);
    scales[row] = s;
    const bool narrow = s.power == 1 && s.inverse_norm < 0x1p60 && s.inverse_norm > 0x1p-60 &&
                        __builtin_fabs(s.mean) < 0x1p60;
    if (!narrow && !degenerate) r.flags |= kWide;
    // filter_row computes (x − m′) r′, m′ and r′ being m and r rounded: of a unit row, three
    // roundings of 2⁻²⁴, and m − m′ and the low part of the mean in every feature. Of a norm that is no
    // root of squares it is measured.
    if (fits && narrow && traits.inner_product && !metric.map && !factors) {
      const double shift = 0x1p-24 * __builtin_fabs(s.mean) + __builtin_fabs(s.mean_low);
      const double all = __builtin_sqrt(double(m.cols)) * shift * s.inverse_norm;
      r.residual = round_up(0x1p-24 * 3 + all + underflow);
    } else if (!degenerate) {
      r.residual = -1;
    }
  }
  return -1;
}

// The exact row: float64, prepared. `out` gets zeros up to a multiple of 8.
void exact_row(const Rows& rows, int64_t row, int64_t k0, int64_t count, double* out) {
  read(rows.matrix, row, k0, count, out);
  if (has_scale(rows.prepare)) {
    const RowScale s = rows.scales[row];
    for (int64_t k = 0; k < count; ++k) out[k] = prepared(out[k], s);
  }
  if (rows.map) rows.map(out, count);
  if (rows.parameters.factors && is_unit(rows.prepare)) {
    const double* const factors = rows.parameters.factors + k0;
    for (int64_t k = 0; k < count; ++k) out[k] = factors[k] > 0 ? out[k] * factors[k] : 0;
  }
  for (int64_t k = count; k % 8; ++k) out[k] = 0;
}

LK_INLINE bool filter_row_is_input(const Rows& rows) {
  return rows.matrix.dtype == DType::f32 && rows.prepare == Prepare::as_is &&
         rows.filter_scale == 1 && !rows.flush_tiny && !rows.parameters.factors;
}

// Features [k0, k0 + count) of the filter row, float32.
void filter_row(const Rows& rows, int64_t row, int64_t k0, int64_t count, float* out) {
  const MatrixView& m = rows.matrix;
  const uint8_t flags = rows.flags[row];
  if (k0 + count > m.cols) {  // the additional feature of degenerate rows
    out[m.cols - k0] = flags & kDegenerate ? 1.0f : 0.0f;
    count = m.cols - k0;
  }
  if (flags & (kDegenerate | kUnbounded)) {
    for (int64_t k = 0; k < count; ++k) out[k] = 0;
    return;
  }
  const double* const factors = rows.parameters.factors;
  const bool narrow = fits_float32(m.dtype) && !(flags & kWide) && !rows.map && !factors;
  if (narrow && has_scale(rows.prepare)) {
    const float mean = float(rows.scales[row].mean);
    const float inverse_norm = float(rows.scales[row].inverse_norm);
    read(m, row, k0, count, out);
    for (int64_t k = 0; k < count; ++k) out[k] = (out[k] - mean) * inverse_norm;
    return;
  }
  if (narrow && rows.filter_scale == 1) {
    read(m, row, k0, count, out);
  } else {
    alignas(64) double chunk[kChunk];
    for (int64_t c = 0; c < count; c += kChunk) {
      const int n = int(count - c < kChunk ? count - c : kChunk);
      exact_row(rows, row, k0 + c, n, chunk);
      if (factors && !is_unit(rows.prepare)) {
        for (int k = 0; k < n; ++k) {
          const double factor = factors[k0 + c + k];
          out[c + k] = factor > 0 ? float(chunk[k] * rows.filter_scale * factor) : 0;
        }
        continue;
      }
      for (int k = 0; k < n; ++k) out[c + k] = float(chunk[k] * rows.filter_scale);
    }
  }
  if (rows.flush_tiny) {
    for (int64_t k = 0; k < count; ++k) out[k] = __builtin_fabsf(out[k]) < kTiny ? 0 : out[k];
  }
}

void read_f64(const MatrixView& m, int64_t row, int64_t k0, int64_t count, double* out) {
  read(m, row, k0, count, out);
}
