// What distances state of themselves, checked where a compiler can, as plain data for the drivers.
// tests/native/bounds.cpp holds what only numbers tell against the float64 distances.

template <class M>
constexpr bool codes_fit() {
  using T = typename M::Term;
  constexpr bool as_it_is = M::prepare == Prepare::as_is;
  switch (M::codes) {
    case CodeForm::products:
      return M::inner_product;
    case CodeForm::differences:
      return std::is_same_v<T, Manhattan> && M::combine == Combine::sum;
    case CodeForm::largest:
      return std::is_same_v<T, Chebyshev> && M::combine == Combine::maximum && !kWeighted<M>;
    case CodeForm::ratios:
      return std::is_same_v<T, Canberra> && M::combine == Combine::sum && as_it_is && !kWeighted<M>;
    default:
      return true;
  }
}

template <class M, class Weight>
constexpr void check_weight() {
  static_assert(
      !M::weights_add || (std::is_same_v<Weight, SumOfMagnitudes> && M::prepare == Prepare::as_is),
      "weights_add: the weight must be Σ|u+v| of rows as they are");
  if constexpr (kWeighted<M>) {
    static_assert(M::combine == Combine::sum, "a weight divides a sum");
    static_assert(M::roundings == kUnstated || (Weight::roundings >= 0 && Weight::exact_when_tiny),
                  "roundings: the weight's terms have to state theirs, and to be exact when tiny");
  }
}

template <class M>
constexpr Traits traits_of() {
  using T = typename M::Term;
  static_assert(T::combine == M::combine, "a metric combines terms as their own struct does");
  static_assert(!is_unit(M::prepare) || M::degenerate >= 0,
                "unit rows: state the distance of a row without a direction (degenerate)");
  static_assert(
      !M::inner_product || (std::is_same_v<T, Euclidean> && M::combine == Combine::root_of_sum),
      "inner_product: the norm must be that of (u−v)²");
  static_assert(codes_fit<M>(), "codes: the terms are not those that the codes compare");
  static_assert(M::codes == CodeForm::none || (M::triangle && M::norm_degree != kUnstated),
                "codes: the norm has to satisfy the triangle inequality, and its degree be stated");
  static_assert(!M::inner_product || (M::triangle && M::roundings >= 0),
                "inner_product: state the triangle inequality and the roundings too");
  static_assert(M::norm_degree >= kUnstated && M::norm_degree <= 1, "norm_degree is 0 or 1");
  static_assert(M::quick_error == 0 || M::roundings >= 0, "quick_error goes with roundings");
  if constexpr (kDegenerateFeature<M>) {
    static_assert(M::finish(2, 0) == M::degenerate, "degenerate: not what its feature gives");
  }
  static_assert(M::prepare != Prepare::elementwise || kMapped<M>, "elementwise: state `prepared`");
  static_assert(M::prepare != Prepare::shares || M::domain == Domain::not_negative,
                "shares are of rows without negative values (domain)");
  check_weight<M, typename M::Weight>();
  Traits t{};
  t.prepare = M::prepare;
  t.domain = M::domain;
  t.degenerate = M::degenerate;
  t.combine = M::combine;
  t.rescale = M::rescale;
  t.weighted = kWeighted<M>;
  for (int p = 0; p < kMostParameters; ++p) t.parameters[p] = M::parameters[p];
  t.array = M::array;
  t.linear = M::linear;
  t.relative_weights = M::relative_weights;
  t.triangle = M::triangle;
  t.norm_degree = M::norm_degree;
  t.power = M::power;
  t.roundings = M::roundings;
  t.weight_roundings = 0;
  if constexpr (kWeighted<M>) t.weight_roundings = M::Weight::roundings;
  t.quick_error = T::quick_error;
  t.exact_when_tiny = T::exact_when_tiny;
  t.flush_tiny = M::flush_tiny;
  t.inner_product = M::inner_product;
  t.weights_add = M::weights_add;
  t.codes = M::codes;
  return t;
}
