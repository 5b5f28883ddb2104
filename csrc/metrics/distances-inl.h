// Every distance, defined once: the term of one feature, how terms combine, how the result is
// finished, and what else `Distance` lets it state.
//
// u and v are rows as `prepare` leaves them: û is a unit row, for Correlation centred before.

// Σ|u−v| (1)
struct Manhattan : Distance {
  using Term = Manhattan;
  static constexpr int norm_degree = 1;
  static constexpr bool triangle = true;
  static constexpr int roundings = 1;
  static constexpr bool exact_when_tiny = true;
  static constexpr CodeForm codes = CodeForm::differences;
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(minus_by_fma(u, v));
  }
};

// ‖u−v‖₂ = √Σ(u−v)² (2)
struct Euclidean : Distance {
  using Term = Euclidean;
  static constexpr Combine combine = Combine::root_of_sum;
  static constexpr Rescale rescale = Rescale::by_difference;
  static constexpr int norm_degree = 1;
  static constexpr bool triangle = true;
  static constexpr int roundings = 3;
  static constexpr bool inner_product = true;
  static constexpr CodeForm codes = CodeForm::products;
  template <class V>
  static LK_INLINE Product<V> term(V u, V v) {
    const V difference = minus_by_fma(u, v);
    return {difference, difference};
  }
  static LK_INLINE double finish(double sum, double) { return __builtin_sqrt(sum); }
};

// 1 − u·v/(‖u‖‖v‖) = ½Σ(û−v̂)² (3)
struct Cosine : Distance {
  using Term = Euclidean;
  static constexpr Prepare prepare = Prepare::unit;
  static constexpr double degenerate = 1;
  static constexpr Combine combine = Combine::root_of_sum;
  static constexpr int power = 2;
  static constexpr int norm_degree = 1;
  static constexpr bool triangle = true;
  static constexpr int roundings = 3;
  static constexpr bool inner_product = true;
  static constexpr CodeForm codes = CodeForm::products;
  static constexpr LK_INLINE double finish(double sum, double) { return sum < 4 ? 0.5 * sum : 2; }
  static LK_INLINE double norm_of(double distance) { return __builtin_sqrt(2 * distance); }
};

// Σ|u+v|
struct SumOfMagnitudes : Distance {
  using Term = SumOfMagnitudes;
  static constexpr int roundings = 1;
  static constexpr bool exact_when_tiny = true;
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(plus_by_fma(u, v));
  }
};

// Σ|u−v| / Σ|u+v|, 0/0 = 0 (4)
struct BrayCurtis : Distance {
  using Term = Manhattan;
  using Weight = SumOfMagnitudes;
  static constexpr Rescale rescale = Rescale::by_value;
  static constexpr int norm_degree = 1;
  static constexpr bool triangle = true;  // of the sum
  static constexpr int roundings = 1;
  static constexpr bool weights_add = true;
  static constexpr CodeForm codes = CodeForm::differences;
  static LK_INLINE double finish(double sum, double weight) { return sum > 0 ? sum / weight : 0; }
};

// Σ |u−v|/(|u|+|v|), 0/0 = 0 (5)
struct Canberra : Distance {
  using Term = Canberra;
  static constexpr Rescale rescale = Rescale::by_feature;
  static constexpr int norm_degree = 0;
  static constexpr bool triangle = true;
  static constexpr int roundings = 8;
  static constexpr bool exact_when_tiny = true;  // no quotient of float32 values is tiny but 0
  static constexpr double quick_error = kReciprocalError;
  static constexpr bool flush_tiny = true;
  static constexpr CodeForm codes = CodeForm::ratios;
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(minus_by_fma(u, v)) / one_if_zero(abs(u) + abs(v));  // 0/0 is 0
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
};

// max|u−v| (6)
struct Chebyshev : Distance {
  using Term = Chebyshev;
  static constexpr Combine combine = Combine::maximum;
  static constexpr int norm_degree = 1;
  static constexpr bool triangle = true;
  static constexpr int roundings = 1;
  static constexpr bool exact_when_tiny = true;
  static constexpr CodeForm codes = CodeForm::largest;
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(minus_by_fma(u, v));
  }
};

// The cosine distance of the rows less their means (7)
struct Correlation : Cosine {
  static constexpr Prepare prepare = Prepare::centred_unit;
};

// Σ(u−v)²
struct SquaredEuclidean : Euclidean {
  static constexpr int power = 2;
  static LK_INLINE double finish(double sum, double) { return sum; }
  static LK_INLINE double norm_of(double distance) { return __builtin_sqrt(distance); }
};

// Σ(u−v)²/(u+v), 0/0 = 0; its root is a norm
struct ChiSquare : Distance {
  using Term = ChiSquare;
  static constexpr Domain domain = Domain::not_negative;
  static constexpr Combine combine = Combine::root_of_sum;
  static constexpr Rescale rescale = Rescale::by_value;
  static constexpr int power = 2;
  static constexpr bool triangle = true;
  static constexpr int roundings = 5;
  template <class V>
  static LK_INLINE Product<V> term(V u, V v) {
    const V difference = u - v;
    return {difference / one_if_zero(u + v), difference};
  }
  static LK_INLINE double norm_of(double distance) { return __builtin_sqrt(distance); }
};

// √Σ(u−v)² of the rows mapped by a matrix L: VI = L Lᵀ
struct Mahalanobis : Euclidean {
  static constexpr const char* array = "VI";
  static constexpr bool linear = true;
};

// (Σ|u−v|ᵖ)^(1/p)
struct Minkowski : Distance {
  using Term = Minkowski;
  static constexpr const char* parameters[kMostParameters] = {"p"};
  static LK_INLINE bool takes(const Parameters& p) {
    return p.value[0] >= 0x1p-4 && p.value[0] <= 256;
  }
  static constexpr Rescale rescale = Rescale::by_difference;
  static constexpr bool any_range = true;
  static constexpr bool heavy = true;
  static constexpr int many = 4;
  explicit LK_INLINE Minkowski(const Parameters& p) : power_(p.value[0]), root_(1 / p.value[0]) {}
  template <class V>
  LK_INLINE V term(V u, V v) const {
    return power_.of(abs(u - v));
  }
  template <int N>
  LK_INLINE void terms(F64 u, const F64 (&v)[N], F64 (&out)[N]) const {
    for (int i = 0; i < N; ++i) out[i] = abs(u - v[i]);
    power_.of_all(out);
  }
  LK_INLINE double finish(double sum, double) const { return root_.of(Scalar{sum}).v; }

 private:
  Power power_, root_;
};

// The same for p = 3
struct MinkowskiCubes : Distance {
  using Term = MinkowskiCubes;
  static constexpr const char* parameters[kMostParameters] = {"p"};
  static LK_INLINE bool takes(const Parameters& p) { return p.value[0] == 3; }
  static constexpr Rescale rescale = Rescale::by_difference;
  static constexpr bool any_range = true;
  template <class V>
  static LK_INLINE Product<V> term(V u, V v) {
    const V difference = abs(minus_by_fma(u, v));
    return {difference * difference, difference};
  }
  static LK_INLINE double finish(double sum, double) { return Power(1.0 / 3).of(Scalar{sum}).v; }
};

// √(½Σ(√p−√q)²), p and q being the rows over their sums
struct Hellinger : Euclidean {
  static constexpr Prepare prepare = Prepare::shares;
  static constexpr Domain domain = Domain::not_negative;
  static constexpr Rescale rescale = Rescale::never;
  static LK_INLINE double prepared(double x) { return __builtin_sqrt(x); }
  static LK_INLINE double finish(double sum, double) {
    return sum < 2 ? __builtin_sqrt(0.5 * sum) : 1;
  }
  static LK_INLINE double norm_of(double distance) { return __builtin_sqrt(2.0) * distance; }
};

// The share of features with u ≠ v
struct Hamming : Distance {
  using Term = Hamming;
  static constexpr int norm_degree = 0;
  static constexpr bool triangle = true;
  static constexpr int roundings = 0;
  static constexpr bool exact_when_tiny = true;
  explicit LK_INLINE Hamming(const Parameters& parameters) : features(parameters.total) {}
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return unequal(u, v);
  }
  LK_INLINE double finish(double sum, double) const { return features > 0 ? sum / features : 0; }
  LK_INLINE double norm_of(double distance) const { return distance * features; }
  double features;
};

// √½Σ(p ln(p/m) + q ln(q/m)), p and q being the rows over their sums and m their mean
struct JensenShannon : Distance {
  using Term = JensenShannon;
  static constexpr Prepare prepare = Prepare::shares;
  static constexpr Domain domain = Domain::not_negative;
  static constexpr Combine combine = Combine::root_of_sum;
  static constexpr bool heavy = true;
  static constexpr bool triangle = true;
  static constexpr int roundings = 96;
  static constexpr bool flush_tiny = true;
  // With s = p + q and a = |p−q|/s a term is ½s ((1+a) ln(1+a) + (1−a) ln(1−a)), of which the logarithms
  // leave few digits where a is small: there it is ½s a² (1 + a²/6 + a⁴/15 + …).
  template <class V>
  static LK_INLINE V term(V p, V q) {
    constexpr bool single = std::is_same_v<V, F32>;
    constexpr int terms = single ? 11 : 7;
    const V low = negated(max(negated(p), negated(q)));
    // Less than the least that is told from 0 counts for nothing.
    const V one = V::all(1), inverse = one / max(p + q, V::all(single ? 0x1p-100 : 0x1p-1000));
    const V a = abs(p - q) * inverse, x = a * a, rest = (low + low) * inverse;
    V series = V::all(0);
    for (int n = terms - 1; n >= 0; --n) {
      series = series * x + V::all(of_power(n));
    }
    const Pair<V> of = logarithms(one + a, rest);
    const V exact = (one + a) * of.first + rest * of.second;
    const V near = V::all(single ? 0.5 : 0x1p-4);
    return V::all(0.5) * (p + q) * select_less(a, near, x * series, exact);
  }
  static LK_INLINE double finish(double sum, double) { return __builtin_sqrt(0.5 * sum); }
  static LK_INLINE double norm_of(double distance) { return __builtin_sqrt(2.0) * distance; }

 private:
  static constexpr double of_power(int n) { return 1.0 / ((n + 1) * (2 * n + 1)); }
};

// Of features with weights. What filters see of a row are its features multiplied by factors.
template <class M>
struct Weighted : M {
  static constexpr const char* array = "w";
  static constexpr bool any_range = M::rescale != Rescale::by_feature;
  static constexpr Rescale rescale = kWeighted<M>                   ? Rescale::by_value
                                     : M::rescale == Rescale::never ? Rescale::by_difference
                                                                    : M::rescale;
  explicit LK_INLINE Weighted(const Parameters& parameters) : M(with<M>(parameters)) {}
};

// The same of metrics whose weights are no factors of features: filters do not know them.
template <class M>
struct WeightedAlone : Weighted<M> {
  using Weighted<M>::Weighted;
  static constexpr int roundings = kUnstated;
  static constexpr CodeForm codes = CodeForm::none;
  static constexpr bool flush_tiny = false;
  static constexpr double quick_error = 0;
};

template <class M>
struct WeightedRoots : Weighted<M> {
  using Weighted<M>::Weighted;
  static LK_INLINE double factor_of(double weight) { return __builtin_sqrt(weight); }
};

using WeightedManhattan = Weighted<Manhattan>;            // Σw|u−v|
using WeightedEuclidean = WeightedRoots<Euclidean>;       // √Σw(u−v)²
using WeightedSquares = WeightedRoots<SquaredEuclidean>;  // Σw(u−v)²
using WeightedCanberra = WeightedAlone<Canberra>;         // Σw|u−v|/(|u|+|v|)
using WeightedMinkowski = WeightedAlone<Minkowski>;       // (Σw|u−v|ᵖ)^(1/p)

// Σw|u−v| / Σw|u+v|
struct WeightedBrayCurtis : Weighted<BrayCurtis> {
  using Weighted::Weighted;
  static constexpr bool relative_weights = true;
};

// The cosine of the rows multiplied by the roots of the weights
struct WeightedCosine : WeightedRoots<Cosine> {
  using WeightedRoots::WeightedRoots;
  static constexpr bool relative_weights = true;
};

// The same of the rows less their weighted means
struct WeightedCorrelation : WeightedRoots<Correlation> {
  using WeightedRoots::WeightedRoots;
  static constexpr bool relative_weights = true;
};

// max|u−v| where w > 0
struct WeightedChebyshev : Weighted<Chebyshev> {
  using Weighted::Weighted;
  static LK_INLINE double weight_of(double given) { return given > 0; }
};

// Σw[u≠v] / Σw
struct WeightedHamming : WeightedAlone<Hamming> {
  using WeightedAlone::WeightedAlone;
  static constexpr Rescale rescale = Rescale::never;
};

// √Σ(u−v)²/V
struct StandardEuclidean : WeightedRoots<Euclidean> {
  using WeightedRoots::WeightedRoots;
  static constexpr const char* array = "V";
  static LK_INLINE double weight_of(double given) { return 1 / given; }
};
