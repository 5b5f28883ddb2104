// The float64 distance of two rows: eight partial sums (feature index mod 8), each in index order,
// combined as combine_sum does, in blocks of kExactBlock features added in order. No other rounding
// happens, so the result depends on the two rows alone: not on the ISA, nor on what else is
// computed.

#if defined(__AVX512F__)
constexpr int kExactRows = 4, kExactCols = 4;
#elif defined(__AVX2__)
constexpr int kExactRows = 2, kExactCols = 2;
#else
constexpr int kExactRows = 1, kExactCols = 1;
#endif
#if defined(__AVX512F__)
constexpr int kExactList = 8;  // columns at a time for a single row
#else
constexpr int kExactList = 2;
#endif

template <class T, class V, class Sum>
LK_INLINE Sum accumulate(const T& of, Sum acc, V u, V v) {
  if constexpr (T::combine == Combine::maximum) {
    return max(acc, of.term(u, v));
  } else {
    return add(acc, of.term(u, v));
  }
}

// Adds a block's eight partial sums to the pair's.
template <class T>
LK_INLINE void merge_block(const F64* acc, double& sum) {
  double lanes[8];
  for (int p = 0; p < 8 / F64::lanes; ++p) acc[p].store(lanes + p * F64::lanes);
  if constexpr (T::combine == Combine::maximum) {
    const double m = combine_max(lanes);
    sum = m > sum ? m : sum;
  } else {
    sum += combine_sum(lanes);
  }
}

template <class T, int R, int C>
LK_INLINE void exact_block(const T& of, int64_t k0, const double* const* u, const double* const* v,
                           int64_t padded, double* out, int64_t stride) {
  constexpr int parts = 8 / F64::lanes;  // registers for the eight partial sums of one pair
  F64 acc[R][C][parts];
  for (auto& row : acc) {
    for (auto& pair : row) {
      for (F64& part : pair) part = F64::all(0);
    }
  }
  for (int64_t k = 0; k < padded; k += 8) {
    for (int p = 0; p < parts; ++p) {
      F64 a[R];
      for (int r = 0; r < R; ++r) a[r] = F64::load(u[r] + k + p * F64::lanes);
      const auto& here = at<F64>(of, k0 + k + p * F64::lanes);
      if constexpr (T::many > 1 && C > 1) {
        F64 b[C], terms[C];
        for (int c = 0; c < C; ++c) b[c] = F64::load(v[c] + k + p * F64::lanes);
        here.terms(a[0], b, terms);
        for (int c = 0; c < C; ++c) acc[0][c][p] = add(acc[0][c][p], terms[c]);
        continue;
      }
      for (int c = 0; c < C; ++c) {
        const F64 b = F64::load(v[c] + k + p * F64::lanes);
        for (int r = 0; r < R; ++r) acc[r][c][p] = accumulate(here, acc[r][c][p], a[r], b);
      }
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      merge_block<T>(acc[r][c], out[r * stride + c]);
    }
  }
}

// Of a float32 row prepared on the way, exactly as exact_row does: power is 1 for float32, and mean 0
// unless rows are centred.
template <class M>
LK_INLINE F64 scaled(F64 x, [[maybe_unused]] const RowScale* scale) {
  if constexpr (M::prepare == Prepare::centred_unit) {
    // Shared among adders and multipliers.
    x = minus_by_fma(x - F64::all(scale->mean), F64::all(scale->mean_low));
  }
  if constexpr (has_scale(M::prepare)) x = x * F64::all(scale->inverse_norm);
  return x;
}

// Can the rows be prepared so?
template <class M>
bool rows_are_floats(const Rows& rows) {
  return rows.matrix.dtype == DType::f32 && rows.matrix.col_stride == 4 &&
         rows.matrix.cols % 8 == 0 && !kMapped<M> && !(kPerFeature<M> && is_unit(M::prepare));
}
LK_INLINE const float* float_row(const Rows& rows, int32_t row) {
  return reinterpret_cast<const float*>(rows.matrix.data + row * rows.matrix.row_stride);
}

// One exact row u against C float32 rows as they lie in memory, prepared on the way instead of through
// scratch memory. `next` are the rows that come after them, from anywhere in memory.
template <class M, int C>
LK_INLINE void exact_floats(const Parameters& parameters, const double* u, const float* const* v,
                            const float* const* next, const RowScale* const* scales, int64_t k0,
                            int64_t count, double* sums, double* weights) {
  using T = ExactTerm<M>;
  constexpr int parts = 8 / F64::lanes;
  constexpr bool weighted = kWeighted<M>;
  const T of = with<T>(parameters);
  F64 acc[C][parts], weight[weighted ? C : 1][parts];
  for (auto& pair : acc) {
    for (F64& part : pair) part = F64::all(0);
  }
  for (auto& pair : weight) {
    for (F64& part : pair) part = F64::all(0);
  }
  for (int64_t k = 0; k < count; k += 8) {
    if (k % 16 == 0) {  // a cache line of each
      for (int c = 0; c < C; ++c) __builtin_prefetch(next[c] + k, 0, 2);
    }
    for (int p = 0; p < parts; ++p) {
      const int64_t here = k + p * F64::lanes;
      const F64 a = F64::load(u + here);
      for (int c = 0; c < C; ++c) {
        F64 b = F64::load(v[c] + here);
        b = scaled<M>(b, scales[c]);
        acc[c][p] = pinned(accumulate(at<F64>(of, k0 + here), acc[c][p], a, b));
        if constexpr (weighted) {
          const auto weights_of = with<ExactWeight<M>>(parameters);
          weight[c][p] = pinned(accumulate(at<F64>(weights_of, k0 + here), weight[c][p], a, b));
        }
      }
    }
  }
  for (int c = 0; c < C; ++c) {
    merge_block<T>(acc[c], sums[c]);
    if constexpr (weighted) merge_block<ExactWeight<M>>(weight[c], weights[c]);
  }
}

template <class M>
void exact_float_list(const Parameters& parameters, const double* u, const Rows& y,
                      const int32_t* js, int nj, int64_t k0, int64_t count, double* sums,
                      double* weights) {
  // What centring takes of each row has to fit the registers too.
  constexpr int most = M::Term::heavy                        ? 1
                       : M::prepare == Prepare::centred_unit ? (kExactList + 1) / 2
                                                             : kExactList;
  const float *v[2 * most], **next = v + most;
  const RowScale* scales[most];
  const auto row = [&](int j) { return float_row(y, js[j]) + k0; };
  int j = 0;
  for (; j + most <= nj; j += most) {
    for (int c = 0; c < most; ++c) {
      v[c] = row(j + c);
      next[c] = row(j + most + c < nj ? j + most + c : j);
      scales[c] = y.scales + js[j + c];
    }
    exact_floats<M, most>(parameters, u, v, next, scales, k0, count, sums + j, weights + j);
  }
  for (; j < nj; ++j) {
    v[0] = next[0] = row(j);
    scales[0] = y.scales + js[j];
    exact_floats<M, 1>(parameters, u, v, next, scales, k0, count, sums + j, weights + j);
  }
}

// Adds the block's sums of all ni x nj pairs to `sums`.
template <class T>
void exact_pairs(const T& of, int64_t k0, const double* const* u, int ni, const double* const* v,
                 int nj, int64_t padded, double* sums) {
  constexpr int rows = T::heavy ? 1 : kExactRows, cols = T::heavy ? 1 : kExactCols;
  constexpr int list = T::heavy ? T::many : kExactList;
  int i = 0;
  for (; i + rows <= ni && rows > 1; i += rows) {
    int j = 0;
    for (; j + cols <= nj; j += cols) {
      exact_block<T, rows, cols>(of, k0, u + i, v + j, padded, sums + i * nj + j, nj);
    }
    for (; j < nj; ++j) {
      exact_block<T, rows, 1>(of, k0, u + i, v + j, padded, sums + i * nj + j, nj);
    }
  }
  for (; i < ni; ++i) {
    int j = 0;
    for (; j + list <= nj; j += list) {
      exact_block<T, 1, list>(of, k0, u + i, v + j, padded, sums + i * nj + j, nj);
    }
    for (; j < nj; ++j) exact_block<T, 1, 1>(of, k0, u + i, v + j, padded, sums + i * nj + j, nj);
  }
}

// Σ term(u s, v s) in the fixed order, s being the pair's power of two or, by feature, a power that
// keeps |u|+|v| finite. Features with u = v are left out: their term is 0, or in a weight harmless.
template <class T>
double rescaled_sum(const Rows& x, int64_t i, const Rows& y, int64_t j, double s, bool by_feature,
                    bool is_weight, double more = 1) {
  alignas(64) double u[kChunk], v[kChunk];
  const T of = with<T>(x.parameters);
  double total = 0, lanes[8] = {};
  for (int64_t k0 = 0; k0 < x.matrix.cols; k0 += kChunk) {
    const int64_t left = x.matrix.cols - k0, count = left < kChunk ? left : kChunk;
    exact_row(x, i, k0, count, u);
    exact_row(y, j, k0, count, v);
    for (int64_t k = 0; k < count; ++k) {
      if ((u[k] == v[k] && !is_weight) || !counts(of, k0 + k)) continue;
      double f = s;
      if (by_feature && __builtin_fabs(u[k]) + __builtin_fabs(v[k]) > 0x1p1000) f = 0x1p-100;
      Scalar acc{lanes[k & 7]};
      const auto& here = at<Scalar>(of, k0 + k);
      lanes[k & 7] = accumulate(here, acc, Scalar{u[k] * f * more}, Scalar{v[k] * f * more}).v;
    }
    if ((k0 + count) % kExactBlock == 0 || count == left) {
      if constexpr (T::combine == Combine::maximum) {
        const double largest = combine_max(lanes);
        total = largest > total ? largest : total;
      } else {
        total += combine_sum(lanes);
      }
      for (double& lane : lanes) lane = 0;
    }
  }
  return total;
}

// The exponent of the largest |u−v| (with both quartered: the difference may overflow), or of the largest
// value of those that differ.
template <class T>
LK_INLINE int largest_exponent(const T& of, const Rows& x, int64_t i, const Rows& y, int64_t j,
                               bool of_difference) {
  alignas(64) double u[kChunk], v[kChunk];
  double largest = 0;
  for (int64_t k0 = 0; k0 < x.matrix.cols; k0 += kChunk) {
    const int64_t left = x.matrix.cols - k0, count = left < kChunk ? left : kChunk;
    exact_row(x, i, k0, count, u);
    exact_row(y, j, k0, count, v);
    for (int64_t k = 0; k < count; ++k) {
      if (u[k] == v[k] || !counts(of, k0 + k)) continue;
      const double difference = __builtin_fabs(u[k] - v[k]);
      const double halved = __builtin_fabs(0.25 * u[k] - 0.25 * v[k]);
      const double a = __builtin_fabs(u[k]), b = __builtin_fabs(v[k]), value = a > b ? a : b;
      // A difference that overflows is some 2^1024; one that underflows when quartered is not used.
      const double m = !of_difference ? value : difference <= 0x1p1000 ? difference : halved;
      largest = m > largest ? m : largest;
    }
  }
  return largest > 0 ? exponent_of(largest) : 0;
}

// The distance of a pair whose plain sums may have left the range of a double.
template <class M>
double rescaled(const Rows& x, int64_t i, const Rows& y, int64_t j, double sum, double weight,
                [[maybe_unused]] bool extreme) {
  using T = ExactTerm<M>;
  const M metric = with<M>(x.parameters);
  constexpr Rescale rescale = M::rescale;
  constexpr bool by_difference = rescale == Rescale::by_difference;
  if constexpr (rescale == Rescale::by_feature) {
    return metric.finish(rescaled_sum<T>(x, i, y, j, 1, true, false), 0);
  } else if constexpr (rescale == Rescale::by_value && kWeighted<M>) {
    if (sum < __builtin_inf() && weight < __builtin_inf()) return metric.finish(sum, weight);
    const double s = 0x1p-200;  // both sums are huge, what underflows here is lost in them
    return metric.finish(rescaled_sum<T>(x, i, y, j, s, false, false),
                         rescaled_sum<ExactWeight<M>>(x, i, y, j, s, false, true));
  } else if constexpr (rescale != Rescale::never) {
    // Powers of numbers below the normal range are not computed.
    if (by_difference && sum >= 0x1p-900 && sum <= 0x1p1000 && !(T::heavy && extreme)) {
      const double plain = metric.finish(sum, 0);
      if (plain >= 0x1p-1000 && plain <= 0x1p1000) return plain;
    }
    // The largest is from ½ to 1, so that no power of it overflows.
    const int e = 1 + largest_exponent(with<T>(x.parameters), x, i, y, j, by_difference);
    // In two steps: 2^-e alone may not be a double.
    const int s = -e > 1000 ? 1000 : -e < -1000 ? -1000 : -e, more = -e - s;
    const double scaled = metric.finish(
        rescaled_sum<T>(x, i, y, j, power_of_two(s), false, false, power_of_two(more)), 0);
    // Squares of differences go with their square, a sum of values with these.
    return __builtin_ldexp(scaled, e * (by_difference ? M::power : 1));
  } else {
    return metric.finish(sum, weight);
  }
}

// One block of an exact row: in the input where it is that already, else in scratch.
LK_INLINE const double* exact_row_at(const Rows& rows, int32_t row, int64_t k0, int64_t count,
                                     double* scratch) {
  const MatrixView& m = rows.matrix;
  if (m.dtype == DType::f64 && rows.prepare == Prepare::as_is && m.col_stride == 8 &&
      count % 8 == 0) {
    return reinterpret_cast<const double*>(m.data + row * m.row_stride) + k0;
  }
  exact_row(rows, row, k0, count, scratch);
  return scratch;
}

// Pointers to one block of n rows; what is left of scratch.
LK_INLINE double* exact_rows(const Rows& rows, const int32_t* ids, int n, int64_t k0, int64_t count,
                             double* scratch, const double** out) {
  for (int r = 0; r < n; ++r) {
    out[r] = exact_row_at(rows, ids[r], k0, count, scratch);
    scratch += (count + 7) & ~int64_t(7);
  }
  return scratch;
}

// The distance of a pair whose sums are these.
template <class M>
LK_INLINE double finished(const M& metric, const Rows& x, int32_t i, const Rows& y, int32_t j,
                          double sum, double weight) {
  const uint8_t both = x.flags[i] & y.flags[j], either = x.flags[i] | y.flags[j];
  if (is_unit(M::prepare) && either & kDegenerate) return both & kDegenerate ? 0 : M::degenerate;
  if (M::rescale != Rescale::never && (M::any_range || either & kExtreme)) {
    return rescaled<M>(x, i, y, j, sum, weight, either & kExtreme);
  }
  return metric.finish(sum, weight);
}

template <class M>
void exact(const ExactArgs& args) {
  const Rows &x = *args.x, &y = *args.y;
  const int ni = args.ni, nj = args.nj;
  const int64_t cols = x.matrix.cols;
  const M metric = with<M>(x.parameters);
  const double* u[kTile];
  const double* v[kTile];
  double* weights = args.scratch;
  double* scratch = args.scratch + (kWeighted<M> ? int64_t(ni) * nj : 0);
  for (int64_t p = 0; p < int64_t(ni) * nj; ++p) args.out[p] = 0;
  if constexpr (kWeighted<M>) {
    for (int64_t p = 0; p < int64_t(ni) * nj; ++p) weights[p] = 0;
  }
  const bool list_of_floats = ni == 1 && rows_are_floats<M>(y);
  for (int64_t k0 = 0; k0 < cols; k0 += kExactBlock) {
    const int64_t count = cols - k0 < kExactBlock ? cols - k0 : kExactBlock;
    double* rest = exact_rows(x, args.is, ni, k0, count, scratch, u);
    if (list_of_floats) {
      exact_float_list<M>(x.parameters, u[0], y, args.js, nj, k0, count, args.out, weights);
      continue;
    }
    exact_rows(y, args.js, nj, k0, count, rest, v);
    const int64_t padded = (count + 7) & ~int64_t(7);
    exact_pairs(with<ExactTerm<M>>(x.parameters), k0, u, ni, v, nj, padded, args.out);
    if constexpr (kWeighted<M>) {
      exact_pairs(with<ExactWeight<M>>(x.parameters), k0, u, ni, v, nj, padded, weights);
    }
  }
  for (int i = 0; i < ni; ++i) {
    for (int j = 0; j < nj; ++j) {
      double& out = args.out[i * nj + j];
      out = finished<M>(metric, x, args.is[i], y, args.js[j], out,
                        kWeighted<M> ? weights[i * nj + j] : 0);
    }
  }
}

// The residual of a row: the norm between it and what a filter sees of it. A norm that does not
// satisfy the triangle inequality says nothing then, unless the two are the same.
template <class M>
float measure(const Rows& rows, int64_t row) {
  using T = typename M::Term;
  alignas(64) double exact[kChunk], seen[kChunk];
  alignas(64) float filter[kChunk];
  const T of = with<T>(rows.parameters);
  const MatrixView& m = rows.matrix;
  // Where values of any size count alike, the smallest must not vanish on its way to filter_scale.
  const bool unscaled = M::norm_degree == 0 && rows.filter_scale < 1;
  const F64 scale = F64::all(unscaled ? 1 : rows.filter_scale);
  const double back = unscaled ? 1 / rows.filter_scale : 1;
  Lanes sums(0), sizes(0);
  const bool multiplied = kPerFeature<M> && !is_unit(M::prepare);
  for (int64_t k0 = 0; k0 < m.cols; k0 += kChunk) {
    const int64_t count = m.cols - k0 < kChunk ? m.cols - k0 : kChunk;
    exact_row(rows, row, k0, count, exact);
    filter_row(rows, row, k0, count, filter);
    for (int64_t l = 0; multiplied && l < count; ++l) exact[l] *= rows.parameters.factors[k0 + l];
    int64_t k = 0;
    for (; k < count; ++k) seen[k] = double(filter[k]) * back;
    for (; k % 8; ++k) seen[k] = 0;
    for (k = 0; k < count; k += 8) {
      for (int p = 0; p < Lanes::parts; ++p) {
        const int64_t at = k + p * F64::lanes;
        sums.part[p] =
            accumulate(of, sums.part[p], F64::load(exact + at) * scale, F64::load(seen + at));
        if (multiplied) {
          sizes.part[p] = accumulate(of, sizes.part[p], F64::load(seen + at), F64::all(0));
        }
      }
    }
  }
  const auto norm = [](const Lanes& lanes) {
    const double total = T::combine == Combine::maximum ? lanes.largest() : lanes.sum();
    return T::combine == Combine::root_of_sum ? __builtin_sqrt(total) : total;
  };
  double total = norm(sums);
  // Factors, and what they make of a feature, are rounded: of the row as it should be by 2^-51.
  if (multiplied && rows.parameters.rounded) total += 0x1p-50 * norm(sizes);
  if (!M::triangle && total > 0) return __builtin_inff();
  return round_up(total + underflow_of(traits_of<M>(), m.cols));
}
