// Every distance, defined once. A struct says what becomes of a row, the term of one feature (for
// float32 and float64 of any ISA alike), how terms combine, and how the result is finished.
// The term of two zeros must be 0: rows are padded with zeros.
//
// u and v are rows as `prepare` leaves them: û is a unit row, for Correlation centred before.

// Σ|u−v| (1)
struct Manhattan {
  using Term = Manhattan;
  static constexpr Traits traits = {Prepare::as_is, Combine::sum,       Change::magnitude,
                                    Rescale::never, /*weighted*/ false, /*degree*/ 1,
                                    /*power*/ 1,    /*roundings*/ 1,    /*term_error*/ 0};
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(u - v);
  }
  static LK_INLINE double finish(double sum, double) { return sum; }
  static LK_INLINE double norm_of(double distance) { return distance; }
};

// ‖u−v‖₂ = √Σ(u−v)² (2)
struct Euclidean {
  using Term = Euclidean;
  static constexpr Traits traits = {Prepare::as_is,
                                    Combine::root_of_sum,
                                    Change::magnitude,
                                    Rescale::by_difference,
                                    false,
                                    1,
                                    1,
                                    3,
                                    0};
  template <class V>
  static LK_INLINE Product<V> term(V u, V v) {
    const V difference = u - v;
    return {difference, difference};
  }
  static LK_INLINE double finish(double sum, double) { return __builtin_sqrt(sum); }
  static LK_INLINE double norm_of(double distance) { return distance; }
};

// 1 − u·v/(‖u‖‖v‖) = ½Σ(û−v̂)² (3)
struct Cosine {
  using Term = Euclidean;
  static constexpr Traits traits = {
      Prepare::unit, Combine::root_of_sum, Change::magnitude, Rescale::never, false, 0, 2, 3, 0};
  static LK_INLINE double finish(double sum, double) { return sum < 4 ? 0.5 * sum : 2; }
  static LK_INLINE double norm_of(double distance) { return __builtin_sqrt(2 * distance); }
};

// Σ|u−v| / Σ|u+v|, 0/0 = 0 (4)
struct BrayCurtis {
  using Term = Manhattan;
  static constexpr Traits traits = {
      Prepare::as_is, Combine::sum, Change::magnitude, Rescale::by_value, true, 0, 1, 1, 0};
  struct Weight {
    using Term = Weight;
    static constexpr Traits traits = Manhattan::traits;
    template <class V>
    static LK_INLINE V term(V u, V v) {
      return abs(joined(u, v));
    }
  };
  static LK_INLINE double finish(double sum, double weight) { return sum > 0 ? sum / weight : 0; }
  static LK_INLINE double norm_of(double distance) { return distance; }
};

// Σ |u−v|/(|u|+|v|), 0/0 = 0 (5)
struct Canberra {
  using Term = Canberra;
  static constexpr Traits traits = {
      Prepare::as_is,  Combine::sum, Change::ratio, Rescale::by_feature, false, 0, 1, 8,
      kReciprocalError};
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(u - v) / one_if_zero(abs(u) + abs(v));  // 0/0 is 0
  }
  // In float32, on values that are 0 or at least kTiny = 2^-100, a table reciprocal does for the
  // division; 2^-126, lost in the sum unless both values are 0, keeps it finite. Filters take it as it
  // is, matrices after one Newton step, which squares its error: 2.25 units at the most, and less
  // than six for the rest.
  static LK_INLINE F32 denominator(F32 u, F32 v) {
    return abs(u) + max(abs(v), F32::all(0x1p-126f));
  }
  static LK_INLINE Product<F32> quick_term(F32 u, F32 v) {
    return {abs(u - v), reciprocal(denominator(u, v))};
  }
  static LK_INLINE Product<F32> strict_term(F32 u, F32 v) {
    const F32 s = denominator(u, v), r = reciprocal(s);
    return {abs(u - v), r * fused({-s.v}, r, F32::all(2))};
  }
  static LK_INLINE double finish(double sum, double) { return sum; }
  static LK_INLINE double norm_of(double distance) { return distance; }
};

// max|u−v| (6)
struct Chebyshev {
  using Term = Chebyshev;
  static constexpr Traits traits = {
      Prepare::as_is, Combine::maximum, Change::magnitude, Rescale::never, false, 1, 1, 1, 0};
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(u - v);
  }
  static LK_INLINE double finish(double sum, double) { return sum; }
  static LK_INLINE double norm_of(double distance) { return distance; }
};

// The cosine distance of the rows less their means (7)
struct Correlation : Cosine {
  static constexpr Traits traits = {Prepare::centred_unit,
                                    Combine::root_of_sum,
                                    Change::magnitude,
                                    Rescale::never,
                                    false,
                                    0,
                                    2,
                                    3,
                                    0};
};
