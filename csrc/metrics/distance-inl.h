// What a distance may state of itself, and what it gets if it states nothing. The float64 distance
// is all that every metric has; each filter is opted into by name. A metric that states nothing of
// filters is compared in float64 alone, exactly and more slowly: no filter guesses.
//
// A struct also has `using Term`, itself or another whose terms it shares, with
//     template <class V> V term(V u, V v)
// for float32 and float64 of any ISA alike. The term is >= 0, the same with u and v exchanged, and
// 0 if u = v: rows are padded with zeros. Terms and `finish` may have state: a struct with a
// constructor from Parameters is made from the caller's.
struct Distance {
  // The rows. An elementwise preparation is `static double prepared(double)`; of shares it may follow.
  static constexpr Prepare prepare = Prepare::as_is;
  static constexpr Domain domain = Domain::any;
  // The distance of a row without a direction to one that has one; 0 to another without. Of unit
  // rows it must be stated.
  static constexpr double degenerate = kUnstated;

  // The float64 distance: finish(sum, weight), or of the largest term.
  static constexpr Combine combine = Combine::sum;
  static constexpr Rescale rescale = Rescale::never;
  using Weight = void;  // terms whose sum divides the sum of the terms
  static constexpr const char* parameters[kMostParameters] = {};
  static LK_INLINE bool takes(const Parameters&) { return true; }  // numbers that are in its range
  // Are sums looked at of every pair, not only of extreme rows?
  static constexpr bool any_range = false;
  // Are few pairs compared at a time, as a term takes many registers?
  static constexpr bool heavy = false;
  // How many pairs `terms` computes terms of, if there is one; no more than that are compared at a time.
  static constexpr int many = 1;
  // An array among the parameters. `linear` metrics are of rows mapped by a matrix first. Of a number
  // for each feature: the weight of its term, and the factor that makes a filter row of a row, so that
  // plain terms of these are the weighted ones. Where a common multiple of the weights changes nothing
  // (relative_weights), the largest is from 1 to 2.
  static constexpr const char* array = nullptr;
  static constexpr bool linear = false;
  static constexpr bool relative_weights = false;
  static LK_INLINE double weight_of(double given) { return given; }
  static LK_INLINE double factor_of(double weight) { return weight; }
  static LK_INLINE double finish(double sum, double) { return sum; }

  // The norm: of what distance it is the norm (see Combine), and how it behaves. The distance goes
  // with its power-th power. norm(c u, c v) = c^degree norm(u, v), before it is divided by a weight.
  static LK_INLINE double norm_of(double distance) { return distance; }
  static constexpr int power = 1;
  static constexpr int norm_degree = kUnstated;
  // |norm(u, v) − norm(u′, v)| <= norm(u, u′): then filters may look at rows near the true ones.
  static constexpr bool triangle = false;

  // Filters in float32: for float32 values of at most 2^55 the float32 term is within so many
  // *relative* roundings (2^-24) of the true one, and overflows only where the norm passes 2^120.
  // A difference of roots or logarithms never is: √1 − √(1 + 2^-23) is 0 in float32, and the true
  // one is not. Such a metric prepares its rows instead.
  static constexpr int roundings = kUnstated;
  // Also of terms below 2^-126, as differences of float32 values are; else each rounding of each
  // term may lose 2^-149 more.
  static constexpr bool exact_when_tiny = false;
  // The relative error of `quick_term`, which filters take instead; matrices take `strict_term`.
  static constexpr double quick_error = 0;
  // These take values below kTiny for zeros.
  static constexpr bool flush_tiny = false;

  // The norm is that of products: √(Σu² + Σv² − 2Σuv).
  static constexpr bool inner_product = false;
  // Of rows without negative values the pair's weight is the sum of the rows', Σ|u|.
  static constexpr bool weights_add = false;
  // Filters in 8 bits.
  static constexpr CodeForm codes = CodeForm::none;
};

// A term or a metric with the caller's parameters, if it has any.
template <class T>
LK_INLINE T with(const Parameters& parameters) {
  if constexpr (std::is_constructible_v<T, const Parameters&>) {
    return T(parameters);
  } else {
    return T{};
  }
}

// Terms, each multiplied by the weight of its feature, after all else.
template <class T>
struct PerFeature {
  static constexpr Combine combine = T::combine;
  static constexpr bool heavy = T::heavy;
  static constexpr int many = T::many;
  explicit LK_INLINE PerFeature(const Parameters& parameters)
      : of(with<T>(parameters)), weights(parameters.weights) {}
  template <class V>
  struct At {
    static constexpr Combine combine = T::combine;
    const T& of;
    V weight;
    LK_INLINE V term(V u, V v) const { return weight * value_of(of.term(u, v)); }
    template <int N>
    LK_INLINE void terms(F64 u, const F64 (&v)[N], F64 (&out)[N]) const {
      of.terms(u, v, out);
      for (F64& each : out) each = weight * each;
    }
  };
  template <class V>
  LK_INLINE At<V> at(int64_t feature) const {
    return {of, V::load(weights + feature)};
  }
  T of;
  const double* weights;
};

// The terms of consecutive features, as many as V has lanes.
template <class V, class T>
LK_INLINE const T& at(const T& of, int64_t) {
  return of;
}
template <class V, class T>
LK_INLINE auto at(const PerFeature<T>& of, int64_t feature) {
  return of.template at<V>(feature);
}
template <class T>
LK_INLINE bool counts(const T&, int64_t) {
  return true;
}
template <class T>
LK_INLINE bool counts(const PerFeature<T>& of, int64_t feature) {
  return of.weights[feature] > 0;
}

// A number for each feature: not of unit rows, which are multiplied before they are compared.
template <class M>
inline constexpr bool kPerFeature = M::array != nullptr && !M::linear;
template <class M, class T>
using Exactly = std::conditional_t<kPerFeature<M> && !is_unit(M::prepare), PerFeature<T>, T>;
// The terms of the float64 distance.
template <class M>
using ExactTerm = Exactly<M, typename M::Term>;
template <class M>
using ExactWeight = Exactly<M, typename M::Weight>;

// Has the metric an elementwise preparation?
template <class M, class = void>
inline constexpr bool kMapped = false;
template <class M>
inline constexpr bool kMapped<M, std::void_t<decltype(M::prepared(0.0))>> = true;

template <class M>
inline constexpr bool kWeighted = !std::is_void_v<typename M::Weight>;

// Unit rows with the norm of products: the zero row with a 1 in an additional feature stands for a row
// without a direction, at the distance finish(1² + 1²) of all unit rows, which must be the one stated.
template <class M>
inline constexpr bool kDegenerateFeature =
    M::inner_product && (M::prepare == Prepare::unit || M::prepare == Prepare::centred_unit);
