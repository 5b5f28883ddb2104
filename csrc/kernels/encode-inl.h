// Rows to codes, and how far each row is from what its codes stand for.

// Covers the rounding of sums of up to kMostCodeCols float32 terms in F32::lanes lanes, and more.
constexpr float kMeasured = 1 + 0x1p-10f;

LK_INLINE IntVector truncated(F32 x) { return __builtin_convertvector(x.v, IntVector); }
LK_INLINE F32 floats(IntVector x) { return {__builtin_convertvector(x, FloatVector)}; }
LK_INLINE F32 min(F32 a, F32 b) { return F32::all(0) - max(F32::all(0) - a, F32::all(0) - b); }

LK_INLINE float largest_lane(F32 x) {
  float lanes[F32::lanes], m;
  x.store(lanes);
  m = lanes[0];
  for (const float lane : lanes) m = lane > m ? lane : m;
  return m;
}
LK_INLINE double sum_of_lanes(F32 x) {
  float lanes[F32::lanes];
  x.store(lanes);
  double sum = 0;
  for (const float lane : lanes) sum += double(lane);
  return sum;
}

typedef uint8_t LaneBytes __attribute__((vector_size(kVectorBytes / 4)));
LK_INLINE void store_as_bytes(uint8_t* p, IntVector x) {
  const LaneBytes bytes = __builtin_convertvector(x, LaneBytes);
  __builtin_memcpy(p, &bytes, sizeof bytes);
}

// Codes of `padded` values, a multiple of the lanes. How far a value is from what the code stands for has
// one rounding of its own and, without a fused multiply-add or of value − low, one of at most `levels`
// steps: what is returned covers it. `sum` and `square` are those of the codes.
template <class Residual>
LK_INLINE void encode_values(const float* values, int64_t padded, float low, float step, int zero,
                             int levels, uint8_t* codes, Residual residual) {
  const F32 shift = F32::all(low), back = F32::all(-step), inverse = F32::all(1 / step);
  const F32 half = F32::all(float(zero) + 0.5f), top = F32::all(float(levels)), none = F32::all(0);
  for (int64_t k = 0; k < padded; k += F32::lanes) {
    const F32 value = F32::load(values + k) - shift;
    const IntVector code = truncated(min(max(fused(value, inverse, half), none), top));
    store_as_bytes(codes + k, code);
    const auto from_code = [&](F32 x) { return abs(fused(floats(code - zero), back, x)); };
    residual(value, from_code, code - zero);
  }
}

CodedRow encode_product(const float* values, int64_t padded, int64_t features, int levels,
                        uint8_t* codes) {
  F32 high = F32::all(0), low = F32::all(0);
  for (int64_t k = 0; k < padded; k += F32::lanes) {
    high = max(high, F32::load(values + k));
    low = max(low, F32::all(0) - F32::load(values + k));
  }
  const float above = largest_lane(high), below = largest_lane(low);
  // Zero is among the codes: most features of photos are zero.
  float step = (above + below) / float(levels);
  if (!(step > 0x1p-100f)) step = 0x1p-100f;
  CodedRow out{};
  out.zero = int32_t(below / step);
  out.zero = out.zero < levels ? out.zero : levels;
  // The least value too, which is what centring leaves of the zeros: a step that divides it.
  if (out.zero > 0 && out.zero < levels / 2) step = below / float(out.zero);
  out.scale = step;
  F32 squares = F32::all(0);
  IntVector sum{}, square{};
  encode_values(values, padded, 0, step, out.zero, levels, codes,
                [&](F32 value, auto from_code, IntVector centred) {
                  const F32 r = from_code(value);
                  squares = fused(r, r, squares);
                  sum += centred;
                  square += centred * centred;
                });
  int64_t sums = 0, norm = 0;
  for (int l = 0; l < F32::lanes; ++l) {
    sums += sum[l];
    norm += square[l];
  }
  out.sum = int32_t(sums + out.zero * features);  // `features` of the codes are kept
  out.square = float(double(step) * double(step) * double(norm));
  out.residual = float(__builtin_sqrt(sum_of_lanes(squares))) * kMeasured +
                 float(__builtin_sqrt(double(padded))) * step * float(levels) * 0x1p-22f;
  out.with_clipped = out.residual;
  return out;
}

CodedRow encode_difference(const float* values, int64_t padded, const CodeGrid& grid, int levels,
                           bool largest, uint8_t* codes) {
  const F32 none = F32::all(0), most = F32::all(float(levels) * grid.step);
  F32 inside = none, all = none;
  const auto add = [&](F32& total, F32 r) { total = largest ? max(total, r) : total + r; };
  encode_values(values, padded, grid.low, grid.step, 0, levels, codes,
                [&](F32 value, auto from_code, IntVector) {
                  add(inside, from_code(min(max(value, none), most)));
                  add(all, from_code(value));
                });
  const double roundings = double(grid.step) * levels * 0x1p-22 * (largest ? 1 : double(padded));
  const auto measured = [&](F32 total) {
    const double sum = largest ? double(largest_lane(total)) : sum_of_lanes(total);
    return float(sum * double(kMeasured) + roundings);
  };
  CodedRow out{};
  out.residual = measured(inside);
  out.with_clipped = measured(all);
  return out;
}

CodedRow encode_ratio(const float* values, int64_t padded, const CodeGrid& grid, uint8_t* codes) {
  double inside = 0, all = 0;
  int32_t nonzero = 0;
  for (int64_t k = 0; k < padded; ++k) {
    const float x = values[k];
    if (x == 0) {
      codes[k] = 0;
      continue;
    }
    uint32_t bits;
    __builtin_memcpy(&bits, &x, 4);
    const int m = grid.nearest[bits >> 16];
    const float centre = grid.centre[m], apart = __builtin_fabsf(x - centre);
    const float change = 0.5f * apart / (x < centre ? x : centre);
    codes[k] = uint8_t(128 + m);
    const double change_of_term = double(change < 1 ? change : 1.0f);
    all += change_of_term;
    const bool clipped = (m == 0 && x < centre) || (m == 126 && x > centre);
    inside += clipped ? 0 : change_of_term;
    ++nonzero;
  }
  CodedRow out{};
  // Twice the rounding of a centre to float32.
  const auto measured = [&](double total) { return float(total + nonzero * 0x1p-23) * kMeasured; };
  out.residual = measured(inside);
  out.with_clipped = measured(all);
  out.sum = nonzero;
  return out;
}

// The codes of one row, and zeros' codes behind them up to `padded`, which is whole vectors; `kept` of
// them are kept.
void encode_row(const Rows& rows, CodeForm form, const CodeGrid& grid, int levels, int64_t row,
                int64_t padded, int64_t kept, float* values, uint8_t* codes, CodedRow* out) {
  filter_row(rows, row, 0, rows.filter_cols, values);
  // Additional values are like the least there is: their differences are 0.
  const float none = form == CodeForm::differences || form == CodeForm::largest ? grid.low : 0;
  for (int64_t k = rows.filter_cols; k < padded; ++k) values[k] = none;
  switch (form) {
    case CodeForm::products:
      *out = encode_product(values, padded, kept, levels, codes);
      break;
    case CodeForm::ratios:
      *out = encode_ratio(values, padded, grid, codes);
      break;
    default:
      *out = encode_difference(values, padded, grid, levels, form == CodeForm::largest, codes);
  }
}

LK_INLINE void store_as_shorts(int16_t* p, IntVector x) {
  typedef int16_t LaneShorts __attribute__((vector_size(kVectorBytes / 2)));
  const LaneShorts shorts = __builtin_convertvector(x, LaneShorts);
  __builtin_memcpy(p, &shorts, sizeof shorts);
}

// A row in 16-bit fixed point. `padded` is whole vectors, the last of them zeros where there are fewer features.
void fix_row(const float* values, int64_t padded, int16_t* fixed, FixedRow* out) {
  F32 norm = F32::all(0), lost = norm;
  for (int64_t k = 0; k < padded; k += F32::lanes) {
    const F32 x = F32::load(values + k);
    norm = fused(x, x, norm);
  }
  // A little less than 2^15, so that rounding leaves it below.
  const float step = float(__builtin_sqrt(sum_of_lanes(norm)) * (0x1p-15 / 0.98));
  out->step = step > 0x1p-80f ? step : 0x1p-80f;
  const F32 inverse = F32::all(1 / out->step), back = F32::all(-out->step);
  // To the nearest: 1.5 · 2^23 leaves no bits behind the point.
  const F32 shift = F32::all(0x1.8p23f);
  IntVector square{};
  for (int64_t k = 0; k < padded; k += F32::lanes) {
    const F32 x = F32::load(values + k);
    const F32 nearest = fused(x, inverse, shift) - shift;
    const IntVector q = __builtin_convertvector(nearest.v, IntVector);
    store_as_shorts(fixed + k, q);
    square += q * q;
    const F32 r = fused(nearest, back, x);
    lost = fused(r, r, lost);
  }
  int64_t sum = 0;
  for (int l = 0; l < F32::lanes; ++l) sum += square[l];
  out->square = int32_t(sum);
  // Squares may vanish by 2^-75 each.
  out->residual = float(__builtin_sqrt(sum_of_lanes(lost)) * double(kMeasured) +
                        0x1p-74 * __builtin_sqrt(double(padded)));
}
