// Logarithms, exponentials and powers in fixed operations: + − × ÷ √ and shifts, so that every ISA and
// compiler makes the same bits. docs/exactness.md has their errors.

typedef uint64_t BitVector __attribute__((vector_size(kVectorBytes)));
LK_INLINE BitVector bits_of(F64 x) { return BitVector(x.v); }
LK_INLINE F64 of_bits(BitVector x) { return {DoubleVector(x)}; }

// ln x of x > 0, within 4 u of itself. x = 2^k m, m from √½ to √2; with s = (m−1)/(m+1)
// ln m is 2 (s + s³/3 + s⁵/5 + …), of which eleven terms leave 2^-60. Of 0 it is finite.
LK_INLINE F64 logarithm(F64 x) {
  constexpr uint64_t kHalfRoot = 0x3fe6a09e667f3bcd, kOne = 0x3ff0000000000000;
  constexpr double kShift = 0x1p52 + 1023;
  const LongVector tiny = x.v < vall(0x1p-1022);
  x.v = tiny ? x.v * vall(0x1p54) : x.v;
  const BitVector shifted = bits_of(x) + (kOne - kHalfRoot);
  F64 k = of_bits((shifted >> 52) | 0x4330000000000000) - F64::all(kShift);
  k.v = tiny ? k.v - vall(54.0) : k.v;
  const F64 m = of_bits((shifted & 0x000fffffffffffff) + kHalfRoot);
  const F64 f = m - F64::all(1), s = f / (f + F64::all(2)), z = s * s;
  F64 p = F64::all(2.0 / 23);
  for (int n = 21; n >= 3; n -= 2) p = p * z + F64::all(2.0 / n);
  // The upper part of ln 2 has 32 zeros at its end, so its product with k is exact.
  const F64 high = k * F64::all(0x1.62e42feep-1), low = k * F64::all(0x1.a39ef35793c76p-33);
  return high + ((s + s) + (s * z * p + low));
}

// What a power of x is where its logarithm is none.
LK_INLINE F64 zero_or_infinity(F64 x, F64 power) {
  const DoubleVector all = x.v > vall(0x1.fffffffffffffp1023) ? x.v : power.v;
  return {x.v == DoubleVector{} ? DoubleVector{} : all};
}
LK_INLINE Scalar zero_or_infinity(Scalar x, Scalar power) {
  return {x.v == 0 || x.v > 0x1.fffffffffffffp1023 ? x.v : power.v};
}

// 2^k of a whole number from −1022 to 1023.
LK_INLINE F64 two_to(F64 k) { return of_bits(bits_of(k + F64::all(0x1p52 + 1023)) << 52); }

// e^y within 3 u of itself for |y| <= 700, and of 0 or infinity what they should be beyond; y = k ln 2 + r,
// and of e^r the Taylor series to r¹³ leaves 2^-57.
LK_INLINE F64 exponential(F64 y) {
  const F64 top = F64::all(1400), magic = F64::all(0x1.8p52);
  y = negated(max(negated(max(y, negated(top))), negated(top)));
  const F64 k = (y * F64::all(0x1.71547652b82fep0) + magic) - magic;
  const F64 r = (y - k * F64::all(0x1.62e42feep-1)) - k * F64::all(0x1.a39ef35793c76p-33);
  constexpr double kInverseFactorials[] = {1.0 / 6227020800,
                                           1.0 / 479001600,
                                           1.0 / 39916800,
                                           1.0 / 3628800,
                                           1.0 / 362880,
                                           1.0 / 40320,
                                           1.0 / 5040,
                                           1.0 / 720,
                                           1.0 / 120,
                                           1.0 / 24,
                                           1.0 / 6,
                                           0.5,
                                           1,
                                           1};
  F64 p = F64::all(kInverseFactorials[0]);
  for (int n = 1; n < 14; ++n) p = p * r + F64::all(kInverseFactorials[n]);
  const F64 first = (k * F64::all(0.25) + magic) - magic, rest = k - first - first - first;
  return p * two_to(first) * two_to(first) * two_to(first) * two_to(rest);
}

// The same of one double.
template <F64 (*f)(F64)>
LK_INLINE Scalar of_one(Scalar x) {
  double lanes[F64::lanes];
  f(F64::all(x.v)).store(lanes);
  return {lanes[0]};
}
LK_INLINE Scalar logarithm(Scalar x) { return of_one<logarithm>(x); }
LK_INLINE Scalar exponential(Scalar x) { return of_one<exponential>(x); }

// x^p of x >= 0 and p > 0: by multiplications where p, or twice p, is a small whole number, else
// e^(p ln x).
class Power {
 public:
  static constexpr int kMostMultiplied = 64;
  explicit LK_INLINE Power(double p) : exponent_(p) {
    const double twice = p + p;
    if (twice > kMostMultiplied || twice != double(int(twice))) return;
    rooted_ = int(twice) % 2 == 1;
    times_ = rooted_ ? int(twice) : int(twice) / 2;
  }
  template <class V>
  LK_INLINE V of(V x) const {
    if (!times_) return zero_or_infinity(x, exponential(V::all(exponent_) * logarithm(x)));
    V square = rooted_ ? square_root(x) : x, power = V::all(1);
    for (int n = times_;; square = square * square) {
      if (n & 1) power = power * square;
      if (!(n >>= 1)) return power;
    }
  }

 private:
  double exponent_;
  int times_ = 0;
  bool rooted_ = false;
};
