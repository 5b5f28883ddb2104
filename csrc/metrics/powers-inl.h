// Logarithms, exponentials and powers in fixed operations: + − × ÷ √ and shifts, so that every ISA and
// compiler makes the same bits. docs/accuracy.md has their errors.

typedef uint64_t BitVector __attribute__((vector_size(kVectorBytes)));
LK_INLINE BitVector bits_of(F64 x) { return BitVector(x.v); }
LK_INLINE F64 of_bits(BitVector x) { return {DoubleVector(x)}; }

// x as 2^k (1 + f), with 1 + f from √½ to √2; of 0 and numbers below the normal range some small number.
template <class V>
struct Parts {
  V k, f;
};
LK_INLINE Parts<F64> parts_of(F64 x) {
  constexpr uint64_t kHalfRoot = 0x3fe6a09e667f3bcd, kOne = 0x3ff0000000000000;
  constexpr double kShift = 0x1p52 + 1023;
  const BitVector shifted = bits_of(x) + (kOne - kHalfRoot);
  const F64 k = of_bits((shifted >> 52) | 0x4330000000000000) - F64::all(kShift);
  return {k, of_bits((shifted & 0x000fffffffffffff) + kHalfRoot) - F64::all(1)};
}
LK_INLINE Parts<F32> parts_of(F32 x) {
  constexpr int32_t kHalfRoot = 0x3f3504f3, kOne = 0x3f800000;
  const IntVector shifted = IntVector(x.v) + (kOne - kHalfRoot);
  const F32 k = {__builtin_convertvector((shifted >> 23) - 127, FloatVector)};
  return {k, F32{FloatVector((shifted & 0x007fffff) + kHalfRoot)} - F32::all(1)};
}

constexpr double kLog2High = 0x1.62e42feep-1, kLog2Low = 0x1.a39ef35793c76p-33;

// k ln 2 + ln(1 + f), of s = f / (2 + f): 2 (s + s³/3 + s⁵/5 + …). The upper part of ln 2 has zeros at its
// end, so that its product with k is exact.
LK_INLINE F64 logarithm_of(F64 k, F64 s) {
  const F64 z = s * s;
  F64 p = F64::all(2.0 / 23);
  for (int n = 21; n >= 3; n -= 2) p = p * z + F64::all(2.0 / n);
  const F64 high = k * F64::all(kLog2High), low = k * F64::all(kLog2Low);
  return high + ((s + s) + (s * z * p + low));
}
LK_INLINE F32 logarithm_of(F32 k, F32 s) {
  const F32 z = s * s;
  F32 p = F32::all(2.0f / 9);
  for (int n = 7; n >= 3; n -= 2) p = p * z + F32::all(2.0f / float(n));
  const F32 high = k * F32::all(0x1.63p-1f), low = k * F32::all(-0x1.bd0106p-13f);
  return high + ((s + s) + (s * z * p + low));
}

// The logarithms of two numbers > 0 by one division, within 7 u; of 0 it is finite.
template <class V>
struct Pair {
  V first, second;
};
template <class V>
LK_INLINE Pair<V> logarithms(V x, V y) {
  const Parts<V> p = parts_of(x), q = parts_of(y);
  const V a = p.f + V::all(2), b = q.f + V::all(2), inverse = V::all(1) / (a * b);
  return {logarithm_of(p.k, p.f * b * inverse), logarithm_of(q.k, q.f * a * inverse)};
}

// x^p = 2^(p lg x) of normal x and of 0, step by step for all at once: no CPU looks far enough ahead to find
// what it could compute beside one of them. lg x = k + (s + s³/3 + … + s¹⁵/15) 2/ln 2, of which what is
// left out is below 2^-45.9; p lg x = n/8 + r, and of 2^r the series to r⁷ leaves 2^-51. Powers beyond
// 2^-1020 and 2^1020 are some number beyond 2^-1000 and 2^1000.
constexpr double kLog2[] = {0x1.71547652b82fep+1, 0x1.ec709dc3a03fdp-1, 0x1.2776c50ef9bfep-1,
                            0x1.a61762a7aded9p-2, 0x1.484b13d7c02a9p-2, 0x1.0c9a84994022dp-2,
                            0x1.c68f568d31760p-3, 0x1.89f3b1694cffep-3};
constexpr double kExp2[] = {0x1.0000000000000p+0,  0x1.62e42fefa39efp-1, 0x1.ebfbdff82c58fp-3,
                            0x1.c6b08d704a0c0p-5,  0x1.3b2ab6fba4e77p-7, 0x1.5d87fe78a6731p-10,
                            0x1.430912f86c787p-13, 0x1.ffcbfc588b0c7p-17};
alignas(64) constexpr double kEighths[] = {
    0x1.0000000000000p+0, 0x1.172b83c7d517bp+0, 0x1.306fe0a31b715p+0, 0x1.4bfdad5362a27p+0,
    0x1.6a09e667f3bcdp+0, 0x1.8ace5422aa0dbp+0, 0x1.ae89f995ad3adp+0, 0x1.d5818dcfba487p+0};

// The entry of kEighths that the last three bits say.
LK_INLINE F64 eighth_power(BitVector index) {
#if defined(__AVX512F__)
  return {_mm512_permutexvar_pd(__m512i(index), _mm512_load_pd(kEighths))};
#else
  DoubleVector out{};
  for (int l = 0; l < F64::lanes; ++l) out[l] = kEighths[index[l] & 7];
  return {out};
#endif
}

template <int N>
LK_INLINE void raise(double exponent, F64 (&x)[N]) {
  const F64 magic = F64::all(0x1.8p49), most = F64::all(1020), p = F64::all(exponent);
  Parts<F64> of[N];
  F64 s[N], z[N], q[N], t[N];
  for (int i = 0; i < N; ++i) {
    of[i] = parts_of(x[i]);
    s[i] = of[i].f / (of[i].f + F64::all(2));
    z[i] = s[i] * s[i];
    q[i] = F64::all(kLog2[7]);
  }
  for (int n = 6; n >= 0; --n) {
    for (int i = 0; i < N; ++i) q[i] = q[i] * z[i] + F64::all(kLog2[n]);
  }
  for (int i = 0; i < N; ++i) {
    const F64 y = min(max(p * (of[i].k + s[i] * q[i]), negated(most)), most);
    t[i] = y + magic;
    z[i] = y - (t[i] - magic);
    q[i] = F64::all(kExp2[7]);
  }
  for (int n = 6; n >= 0; --n) {
    for (int i = 0; i < N; ++i) q[i] = q[i] * z[i] + F64::all(kExp2[n]);
  }
  for (int i = 0; i < N; ++i) {
    const BitVector bits = bits_of(t[i]);
    const F64 whole = of_bits(((bits << 49) & 0xfff0000000000000) + 0x3ff0000000000000);
    const F64 power = q[i] * eighth_power(bits) * whole;
    x[i].v = x[i].v == DoubleVector{} ? DoubleVector{} : power.v;
  }
}

// x^p of x >= 0 and p > 0: by multiplications where p, or twice p, is a small whole number.
class Power {
 public:
  static constexpr int kMostMultiplied = 64;
  explicit LK_INLINE Power(double p) : exponent_(p) {
    const double twice = p + p;
    if (twice > kMostMultiplied || twice != double(int(twice))) return;
    rooted_ = int(twice) % 2 == 1;
    times_ = rooted_ ? int(twice) : int(twice) / 2;
  }
  template <int N>
  LK_INLINE void of_all(F64 (&x)[N]) const {
    if (!times_) return raise(exponent_, x);
    for (F64& each : x) each = multiplied(each);
  }
  LK_INLINE F64 of(F64 x) const {
    F64 all[] = {x};
    of_all(all);
    return all[0];
  }
  LK_INLINE Scalar of(Scalar x) const {
    if (times_) return multiplied(x);
    double lanes[F64::lanes];
    of(F64::all(x.v)).store(lanes);
    return {lanes[0]};
  }

 private:
  template <class V>
  LK_INLINE V multiplied(V x) const {
    V square = rooted_ ? square_root(x) : x, power = V::all(1);
    for (int n = times_;; square = square * square) {
      if (n & 1) power = power * square;
      if (!(n >>= 1)) return power;
    }
  }

  double exponent_;
  int times_ = 0;
  bool rooted_ = false;
};
