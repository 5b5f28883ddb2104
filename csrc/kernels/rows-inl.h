// Rows of any type and stride, as float64 and float32, and what a row becomes before it is compared.

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

LK_INLINE double prepared(double x, const RowScale& s) {
  return ((x * s.power - s.mean) - s.mean_low) * s.inverse_norm;
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
  } else if (narrow && rows.filter_scale == 1) {
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
