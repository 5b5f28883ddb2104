// Float64 distances of many pairs between a block of rows of x and rows of y from anywhere in memory: each
// row of x is prepared once for the block, each row of y once for all that want it. The sums are those
// of exact-inl.h, to the bit.

constexpr int kPairRows = 4;  // rows of x at a time
// Between prepared rows. Rows a multiple of 4 KB apart get in each other's way in a cache.
constexpr int kRowGap = 8;

// Adds a block's sums of one row of y, prepared or (`floats`) prepared on the way, and C rows of x.
// `next` is the row of y after it, `step` the bytes of 16 of its features.
template <class M, int C, bool floats>
LK_INLINE void pair_sums(const Parameters& parameters, const void* y, const RowScale* scale,
                         const double* const* x, const unsigned char* next, int64_t step,
                         int64_t k0, int64_t padded, double* sums, double* weights) {
  using T = ExactTerm<M>;
  constexpr int parts = 8 / F64::lanes;
  constexpr bool weighted = kWeighted<M>;
  using Value = std::conditional_t<floats, float, double>;
  const Value* const v = static_cast<const Value*>(y);
  const T of = with<T>(parameters);
  const double* u[C];
  for (int c = 0; c < C; ++c) u[c] = x[c];
  F64 acc[C][parts], weight[weighted ? C : 1][parts];
  for (auto& pair : acc) {
    for (F64& part : pair) part = F64::all(0);
  }
  for (auto& pair : weight) {
    for (F64& part : pair) part = F64::all(0);
  }
  for (int64_t k = 0; k < padded; k += 8) {
    if (k % 16 == 0) {
      __builtin_prefetch(next, 0, 2);
      if (!floats) __builtin_prefetch(next + step / 2, 0, 2);
      next += step;
    }
    for (int p = 0; p < parts; ++p) {
      const int64_t here = k + p * F64::lanes;
      F64 b = F64::load(v + here);
      if constexpr (floats) b = scaled<M>(b, scale);
      for (int c = 0; c < C; ++c) {
        const F64 a = F64::load(u[c] + here);
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

// One block of a row, prepared in `scratch` or in place.
template <class M>
const double* prepared_row(const Rows& rows, bool floats, int32_t row, int64_t k0, int64_t count,
                           double* scratch) {
  if (!floats) return exact_row_at(rows, row, k0, count, scratch);
  const float* const from = float_row(rows, row) + k0;
  const RowScale* const scale = has_scale(M::prepare) ? rows.scales + row : nullptr;
  for (int64_t k = 0; k < count; k += F64::lanes) {
    scaled<M>(F64::load(from + k), scale).store(scratch + k);
  }
  return scratch;
}

template <class M>
class PairBlock {
 public:
  explicit PairBlock(const PairsArgs& args)
      : args_(args),
        x_(*args.x),
        y_(*args.y),
        floats_x_(rows_are_floats<M>(x_)),
        floats_y_(rows_are_floats<M>(y_)),
        step_(16 * y_.matrix.col_stride) {}

  // Adds the sums of features [k0, k0 + count) to all pairs'.
  void add(int64_t k0, int64_t count) {
    k0_ = k0;
    count_ = count;
    padded_ = (count + 7) & ~int64_t(7);
    for (int i = 0; i < args_.ni; ++i) u_[i] = nullptr;
    for (int64_t begin = 0, end; begin < args_.n; begin = end) {
      const int32_t j = args_.pairs[begin].j;
      for (end = begin + 1; end < args_.n && args_.pairs[end].j == j;) ++end;
      next_ = y_.matrix.data + args_.pairs[end < args_.n ? end : begin].j * y_.matrix.row_stride +
              k0 * y_.matrix.col_stride;
      add_row(j, begin, end);
    }
  }

 private:
  using T = ExactTerm<M>;
  static constexpr int kMost = T::heavy ? T::many : kPairRows;

  double* scratch(int row) const { return args_.scratch + row * (padded_ + kRowGap); }

  // The pairs [begin, end) of row j.
  void add_row(int32_t j, int64_t begin, int64_t end) {
    const bool on_the_way = floats_y_ && !T::heavy && end - begin <= kMost;
    const void* v = on_the_way ? static_cast<const void*>(float_row(y_, j) + k0_)
                               : prepared_row<M>(y_, floats_y_, j, k0_, count_, scratch(args_.ni));
    const RowScale* const scale = has_scale(M::prepare) ? y_.scales + j : nullptr;
    while (begin < end) {
      // A single row leaves most of the adders idle: five are three and two.
      const int64_t left = end - begin;
      const int some = int(left >= kMost + 2 || left == kMost ? kMost
                           : T::heavy                         ? 1
                           : left > kMost                     ? (left + 1) / 2
                                                              : left);
      for (int c = 0; c < some; ++c) {
        const int32_t i = args_.pairs[begin + c].x;
        if (!u_[i]) u_[i] = prepared_row<M>(x_, floats_x_, args_.is[i], k0_, count_, scratch(i));
      }
      if (on_the_way) {
        add_some<true>(some, v, scale, begin);
      } else {
        add_some<false>(some, v, scale, begin);
      }
      begin += some;
    }
  }

  template <bool floats>
  void add_some(int some, const void* v, const RowScale* scale, int64_t begin) {
    switch (some) {
      case 1:
        return add_rows<1, floats>(v, scale, begin);
      case 2:
        return add_rows<2, floats>(v, scale, begin);
      case 3:
        return add_rows<3, floats>(v, scale, begin);
      default:
        return add_rows<4, floats>(v, scale, begin);
    }
  }

  template <int C, bool floats>
  void add_rows(const void* v, const RowScale* scale, int64_t begin) {
    const ExactPair* const pairs = args_.pairs + begin;
    const double* u[C];
    double sums[C], weights[C] = {};
    for (int c = 0; c < C; ++c) {
      u[c] = u_[pairs[c].x];
      sums[c] = args_.out[pairs[c].out];
      if (kWeighted<M>) weights[c] = args_.weights[begin + c];
    }
    if constexpr (!T::heavy) {
      pair_sums<M, C, floats>(x_.parameters, v, scale, u, next_, step_, k0_, padded_, sums,
                              weights);
    } else if constexpr (!floats && (C == 1 || C == T::many)) {
      const double* const row = static_cast<const double*>(v);
      exact_block<T, 1, C>(with<T>(x_.parameters), k0_, &row, u, padded_, sums, C);
      if constexpr (kWeighted<M>) {
        using Weight = ExactWeight<M>;
        exact_block<Weight, 1, C>(with<Weight>(x_.parameters), k0_, &row, u, padded_, weights, C);
      }
    }
    for (int c = 0; c < C; ++c) {
      args_.out[pairs[c].out] = sums[c];
      if (kWeighted<M>) args_.weights[begin + c] = weights[c];
    }
  }

  const PairsArgs& args_;
  const Rows &x_, &y_;
  const bool floats_x_, floats_y_;
  const int64_t step_;
  int64_t k0_ = 0, count_ = 0, padded_ = 0;
  const unsigned char* next_ = nullptr;
  const double* u_[kTile];  // null: not prepared yet
};

template <class M>
void pairs(const PairsArgs& args) {
  static_assert(ExactTerm<M>::many <= kPairRows, "as many rows as add_some knows");
  const Rows &x = *args.x, &y = *args.y;
  const M metric = with<M>(x.parameters);
  for (int64_t p = 0; p < args.n; ++p) {
    args.out[args.pairs[p].out] = 0;
    if (kWeighted<M>) args.weights[p] = 0;
  }
  PairBlock<M> block(args);
  for (int64_t k0 = 0; k0 < x.matrix.cols; k0 += kExactBlock) {
    block.add(k0, x.matrix.cols - k0 < kExactBlock ? x.matrix.cols - k0 : kExactBlock);
  }
  for (int64_t p = 0; p < args.n; ++p) {
    const ExactPair& pair = args.pairs[p];
    double& out = args.out[pair.out];
    out =
        finished<M>(metric, x, args.is[pair.x], y, pair.j, out, kWeighted<M> ? args.weights[p] : 0);
  }
}
