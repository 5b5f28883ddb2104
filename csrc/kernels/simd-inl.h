// Two vector types, F32 and F64, as wide as the ISA this file is compiled for.
// Included inside an ISA's own namespace; nothing here may leave its translation unit.

#define LK_INLINE inline __attribute__((always_inline))

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
typedef float FloatVector __attribute__((vector_size(kVectorBytes)));
typedef int32_t IntVector __attribute__((vector_size(kVectorBytes)));
typedef double DoubleVector __attribute__((vector_size(kVectorBytes)));
typedef int64_t LongVector __attribute__((vector_size(kVectorBytes)));

// One primitive a line, for each ISA; the generic ones serve every other CPU.
#if defined(__AVX512F__)
LK_INLINE FloatVector vmax(FloatVector a, FloatVector b) { return _mm512_max_ps(a, b); }
LK_INLINE DoubleVector vmax(DoubleVector a, DoubleVector b) { return _mm512_max_pd(a, b); }
LK_INLINE FloatVector vabs(FloatVector a) { return _mm512_abs_ps(a); }
LK_INLINE DoubleVector vabs(DoubleVector a) { return _mm512_abs_pd(a); }
LK_INLINE FloatVector vfma(FloatVector a, FloatVector b, FloatVector c) {
  return _mm512_fmadd_ps(a, b, c);
}
LK_INLINE FloatVector vreciprocal(FloatVector a) { return _mm512_rcp14_ps(a); }
constexpr double kReciprocalError = 0x1p-14;
LK_INLINE unsigned vnot_greater(FloatVector a, FloatVector b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_NGT_UQ);
}
LK_INLINE unsigned vless(FloatVector a, FloatVector b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
LK_INLINE unsigned vless(DoubleVector a, DoubleVector b) {
  return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}
LK_INLINE FloatVector vall(float x) { return _mm512_set1_ps(x); }
LK_INLINE FloatVector vgather(const float* p, const int32_t* indices) {
  return _mm512_i32gather_ps(_mm512_loadu_si512(indices), p, 4);
}
LK_INLINE DoubleVector vall(double x) { return _mm512_set1_pd(x); }
LK_INLINE DoubleVector vdoubles(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
#elif defined(__AVX2__)
LK_INLINE FloatVector vmax(FloatVector a, FloatVector b) { return _mm256_max_ps(a, b); }
LK_INLINE DoubleVector vmax(DoubleVector a, DoubleVector b) { return _mm256_max_pd(a, b); }
LK_INLINE FloatVector vabs(FloatVector a) {
  return _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
}
LK_INLINE DoubleVector vabs(DoubleVector a) {
  return _mm256_and_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(INT64_MAX)));
}
LK_INLINE FloatVector vfma(FloatVector a, FloatVector b, FloatVector c) {
  return _mm256_fmadd_ps(a, b, c);
}
LK_INLINE FloatVector vreciprocal(FloatVector a) { return _mm256_rcp_ps(a); }
constexpr double kReciprocalError = 1.5 * 0x1p-12;
LK_INLINE unsigned vnot_greater(FloatVector a, FloatVector b) {
  return unsigned(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NGT_UQ)));
}
LK_INLINE unsigned vless(FloatVector a, FloatVector b) {
  return unsigned(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)));
}
LK_INLINE unsigned vless(DoubleVector a, DoubleVector b) {
  return unsigned(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ)));
}
LK_INLINE FloatVector vall(float x) { return _mm256_set1_ps(x); }
LK_INLINE FloatVector vgather(const float* p, const int32_t* indices) {
  return _mm256_i32gather_ps(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(indices)), 4);
}
LK_INLINE DoubleVector vall(double x) { return _mm256_set1_pd(x); }
LK_INLINE DoubleVector vdoubles(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
#else
LK_INLINE FloatVector vmax(FloatVector a, FloatVector b) { return a > b ? a : b; }
LK_INLINE DoubleVector vmax(DoubleVector a, DoubleVector b) { return a > b ? a : b; }
LK_INLINE FloatVector vabs(FloatVector a) { return FloatVector(IntVector(a) & 0x7fffffff); }
LK_INLINE DoubleVector vabs(DoubleVector a) { return DoubleVector(LongVector(a) & INT64_MAX); }
#if defined(__aarch64__)
LK_INLINE FloatVector vfma(FloatVector a, FloatVector b, FloatVector c) {
  return vfmaq_f32(c, a, b);
}
#else
LK_INLINE FloatVector vfma(FloatVector a, FloatVector b, FloatVector c) { return a * b + c; }
#endif
LK_INLINE FloatVector vall(float x) { return FloatVector{x, x, x, x}; }
LK_INLINE FloatVector vgather(const float* p, const int32_t* indices) {
  return FloatVector{p[indices[0]], p[indices[1]], p[indices[2]], p[indices[3]]};
}
LK_INLINE DoubleVector vall(double x) { return DoubleVector{x, x}; }
LK_INLINE DoubleVector vdoubles(const float* p) { return DoubleVector{p[0], p[1]}; }
#if defined(__SSE2__)
LK_INLINE FloatVector vreciprocal(FloatVector a) { return _mm_rcp_ps(a); }
constexpr double kReciprocalError = 1.5 * 0x1p-12;
LK_INLINE unsigned vnot_greater(FloatVector a, FloatVector b) {
  return unsigned(_mm_movemask_ps(_mm_cmpngt_ps(a, b)));
}
LK_INLINE unsigned vless(FloatVector a, FloatVector b) {
  return unsigned(_mm_movemask_ps(_mm_cmplt_ps(a, b)));
}
LK_INLINE unsigned vless(DoubleVector a, DoubleVector b) {
  return unsigned(_mm_movemask_pd(_mm_cmplt_pd(a, b)));
}
#else
LK_INLINE FloatVector vreciprocal(FloatVector a) { return 1.0f / a; }
constexpr double kReciprocalError = 0x1p-24;
LK_INLINE unsigned vnot_greater(FloatVector a, FloatVector b) {
  unsigned mask = 0;
  for (int l = 0; l < 4; ++l) mask |= unsigned(!(a[l] > b[l])) << l;
  return mask;
}
LK_INLINE unsigned vless(FloatVector a, FloatVector b) {
  unsigned mask = 0;
  for (int l = 0; l < 4; ++l) mask |= unsigned(a[l] < b[l]) << l;
  return mask;
}
LK_INLINE unsigned vless(DoubleVector a, DoubleVector b) {
  return unsigned(a[0] < b[0]) | unsigned(a[1] < b[1]) << 1;
}
#endif
#endif

struct F32 {
  static constexpr int lanes = kVectorBytes / 4;
  FloatVector v;
  static LK_INLINE F32 load(const float* p) {
    F32 r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  static LK_INLINE F32 all(float x) { return {vall(x)}; }
  static LK_INLINE F32 gather(const float* p, const int32_t* indices) {
    return {vgather(p, indices)};
  }
  LK_INLINE void store(float* p) const { __builtin_memcpy(p, &v, sizeof v); }
};

LK_INLINE F32 operator+(F32 a, F32 b) { return {a.v + b.v}; }
LK_INLINE F32 operator-(F32 a, F32 b) { return {a.v - b.v}; }
LK_INLINE F32 minus_by_fma(F32 a, F32 b) { return {a.v - b.v}; }  // float32 has adders to spare
LK_INLINE F32 plus_by_fma(F32 a, F32 b) { return {a.v + b.v}; }
LK_INLINE F32 operator*(F32 a, F32 b) { return {a.v * b.v}; }
LK_INLINE F32 operator/(F32 a, F32 b) { return {a.v / b.v}; }
LK_INLINE F32 abs(F32 a) { return {vabs(a.v)}; }
LK_INLINE F32 negated(F32 a) { return {-a.v}; }
LK_INLINE F32 max(F32 a, F32 b) { return {vmax(a.v, b.v)}; }
LK_INLINE F32 one_if_zero(F32 a) { return {a.v == FloatVector{} ? FloatVector{} + 1 : a.v}; }
LK_INLINE F32 negated_magnitude_or_minus_inf(F32 a) {  // −|a|, −∞ for 0
  const FloatVector magnitude = vabs(a.v);
  const IntVector zero = magnitude == FloatVector{};
  return {
      -FloatVector((IntVector(magnitude) & ~zero) | (IntVector(vall(__builtin_inff())) & zero))};
}
LK_INLINE F32 fused(F32 a, F32 b, F32 c) { return {vfma(a.v, b.v, c.v)}; }  // a b + c
LK_INLINE F32 square_root(F32 a) {
#if defined(__AVX512F__)
  return {_mm512_sqrt_ps(a.v)};
#elif defined(__AVX2__)
  return {_mm256_sqrt_ps(a.v)};
#else
  return {FloatVector{__builtin_sqrtf(a.v[0]), __builtin_sqrtf(a.v[1]), __builtin_sqrtf(a.v[2]),
                      __builtin_sqrtf(a.v[3])}};
#endif
}
LK_INLINE F32 select_less(F32 a, F32 b, F32 then, F32 otherwise) {
  return {a.v < b.v ? then.v : otherwise.v};
}
LK_INLINE F32 unequal(F32 a, F32 b) {  // 1 or 0
  return {a.v != b.v ? vall(1.0f) : FloatVector{}};
}
LK_INLINE F32 reciprocal(F32 a) { return {vreciprocal(a.v)}; }

struct F64 {
  static constexpr int lanes = kVectorBytes / 8;
  DoubleVector v;
  static LK_INLINE F64 load(const double* p) {
    F64 r;
    __builtin_memcpy(&r.v, p, sizeof r.v);
    return r;
  }
  static LK_INLINE F64 load(const float* p) { return {vdoubles(p)}; }
  static LK_INLINE F64 all(double x) { return {vall(x)}; }
  LK_INLINE void store(double* p) const { __builtin_memcpy(p, &v, sizeof v); }
};

LK_INLINE F64 operator+(F64 a, F64 b) { return {a.v + b.v}; }
LK_INLINE F64 operator-(F64 a, F64 b) { return {a.v - b.v}; }
// a − b and a + b as a·1 ∓ b: rounded once, like those, on the multipliers, where the adders that the
// sums need are the bottleneck. No contraction: nothing is fused that was two roundings.
LK_INLINE F64 minus_by_fma(F64 a, F64 b) {
#if defined(__AVX512F__)
  return {_mm512_fmsub_pd(a.v, vall(1.0), b.v)};
#elif defined(__AVX2__)
  return {_mm256_fmsub_pd(a.v, vall(1.0), b.v)};
#else
  return {a.v - b.v};
#endif
}
LK_INLINE F64 plus_by_fma(F64 a, F64 b) {
#if defined(__AVX512F__)
  return {_mm512_fmadd_pd(a.v, vall(1.0), b.v)};
#elif defined(__AVX2__)
  return {_mm256_fmadd_pd(a.v, vall(1.0), b.v)};
#else
  return {a.v + b.v};
#endif
}
LK_INLINE F64 operator*(F64 a, F64 b) { return {a.v * b.v}; }
LK_INLINE F64 operator/(F64 a, F64 b) { return {a.v / b.v}; }
LK_INLINE F64 abs(F64 a) { return {vabs(a.v)}; }
LK_INLINE F64 negated(F64 a) { return {-a.v}; }
LK_INLINE F64 max(F64 a, F64 b) { return {vmax(a.v, b.v)}; }
LK_INLINE F64 min(F64 a, F64 b) { return {a.v < b.v ? a.v : b.v}; }
LK_INLINE F64 square_root(F64 a) {
#if defined(__AVX512F__)
  return {_mm512_sqrt_pd(a.v)};
#elif defined(__AVX2__)
  return {_mm256_sqrt_pd(a.v)};
#else
  return {DoubleVector{__builtin_sqrt(a.v[0]), __builtin_sqrt(a.v[1])}};
#endif
}
LK_INLINE F64 select_less(F64 a, F64 b, F64 then, F64 otherwise) {
  return {a.v < b.v ? then.v : otherwise.v};
}
LK_INLINE F64 one_if_zero(F64 a) { return {a.v == DoubleVector{} ? DoubleVector{} + 1 : a.v}; }
LK_INLINE F64 unequal(F64 a, F64 b) { return {a.v != b.v ? vall(1.0) : DoubleVector{}}; }
LK_INLINE F64 negated_magnitude_or_minus_inf(F64 a) {  // −|a|, −∞ for 0
  const DoubleVector magnitude = vabs(a.v);
  const LongVector zero = magnitude == DoubleVector{};
  return {
      -DoubleVector((LongVector(magnitude) & ~zero) | (LongVector(vall(__builtin_inf())) & zero))};
}

// Keeps a sum in its register: GCC would copy all of a loop's sums from one half of them to the other.
template <class V>
LK_INLINE V pinned(V sum) {
#if defined(__AVX512F__)
  asm("" : "+v"(sum.v));
#elif defined(__x86_64__)
  asm("" : "+x"(sum.v));
#endif
  return sum;
}

// The same operations on one double, for the pairs that need care.
struct Scalar {
  double v;
  static LK_INLINE Scalar all(double x) { return {x}; }
  static LK_INLINE Scalar load(const double* p) { return {*p}; }
};
LK_INLINE Scalar operator+(Scalar a, Scalar b) { return {a.v + b.v}; }
LK_INLINE Scalar operator-(Scalar a, Scalar b) { return {a.v - b.v}; }
LK_INLINE Scalar minus_by_fma(Scalar a, Scalar b) { return {a.v - b.v}; }
LK_INLINE Scalar plus_by_fma(Scalar a, Scalar b) { return {a.v + b.v}; }
LK_INLINE Scalar operator*(Scalar a, Scalar b) { return {a.v * b.v}; }
LK_INLINE Scalar operator/(Scalar a, Scalar b) { return {a.v / b.v}; }
LK_INLINE Scalar negated(Scalar a) { return {-a.v}; }
LK_INLINE Scalar abs(Scalar a) { return {__builtin_fabs(a.v)}; }
LK_INLINE Scalar square_root(Scalar a) { return {__builtin_sqrt(a.v)}; }
LK_INLINE Scalar select_less(Scalar a, Scalar b, Scalar then, Scalar otherwise) {
  return a.v < b.v ? then : otherwise;
}
LK_INLINE Scalar one_if_zero(Scalar a) { return {a.v == 0 ? 1 : a.v}; }
LK_INLINE Scalar unequal(Scalar a, Scalar b) { return {a.v != b.v ? 1.0 : 0.0}; }
LK_INLINE Scalar max(Scalar a, Scalar b) { return {a.v > b.v ? a.v : b.v}; }

// A product kept as its factors, so that float32 filters may fuse it into the sum. Float64 never
// does: its rounding is part of the result.
template <class V>
struct Product {
  V a, b;
};
template <class V>
LK_INLINE V add(V sum, V term) {
  return sum + term;
}
template <class V>
LK_INLINE V add(V sum, Product<V> term) {
  return sum + term.a * term.b;
}
LK_INLINE F32 add(F32 sum, Product<F32> term) { return {vfma(term.a.v, term.b.v, sum.v)}; }

template <class V>
LK_INLINE V value_of(V term) {
  return term;
}
template <class V>
LK_INLINE V value_of(Product<V> term) {
  return term.a * term.b;
}

LK_INLINE unsigned not_greater(F32 a, F32 b) { return vnot_greater(a.v, b.v); }
LK_INLINE unsigned less(F32 a, F32 b) { return vless(a.v, b.v); }
LK_INLINE unsigned less(F64 a, F64 b) { return vless(a.v, b.v); }
