// One ISA's kernels. A kernels_<isa>.cpp names the namespace and includes this file; everything but
// the table stays inside its translation unit, so that no function compiled for a new CPU can be
// the one the linker keeps for all.

#include <cstddef>
#include <cstdint>
#include <type_traits>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "kernels/kernels.h"

namespace lookalike {
namespace LOOKALIKE_ISA {
namespace {

#include "kernels/simd-inl.h"
//
#include "metrics/powers-inl.h"
//
#include "metrics/distance-inl.h"
//
#include "metrics/distances-inl.h"
//
#include "metrics/statements-inl.h"
//
#include "kernels/rows-inl.h"
//
#include "kernels/survey-inl.h"
//
#include "kernels/linear-inl.h"
//
#include "kernels/exact-inl.h"
//
#include "kernels/pairs-inl.h"
//
#include "kernels/sums-inl.h"
//
#include "kernels/codes-inl.h"
//
#include "kernels/screen-inl.h"
//
#include "kernels/project-inl.h"
//
#include "kernels/encode-inl.h"
//
#include "kernels/products-inl.h"
//
#include "kernels/scan-inl.h"
//
#include "kernels/select-inl.h"

template <class M>
void distances(const Parameters& parameters, const double* sums, const double* weights, int count,
               float* out) {
  const M metric = with<M>(parameters);
  for (int p = 0; p < count; ++p) {
    out[p] = float(metric.finish(sums[p], kWeighted<M> ? weights[p] : 0));
  }
}

template <class M>
double norm_of(const Parameters& parameters, double distance) {
  return with<M>(parameters).norm_of(distance);
}

template <class M>
void map_values(double* values, int64_t count) {
  for (int64_t k = 0; k < count; ++k) values[k] = M::prepared(values[k]);
}

template <class M>
bool takes(const Parameters& parameters) {
  return M::takes(parameters);
}

template <class M>
void weigh(const double* given, int64_t count, double* weights, double* factors) {
  for (int64_t k = 0; k < count; ++k) {
    weights[k] = M::weight_of(given[k]);
    factors[k] = M::factor_of(weights[k]);
  }
}

template <class M>
constexpr MetricKernels metric_kernels() {
  using T = typename M::Term;
  MetricKernels k{};
  k.traits = traits_of<M>();
  k.exact = exact<M>;
  k.pairs = pairs<M>;
  k.norm_of = norm_of<M>;
  k.takes = takes<M>;
  if constexpr (kPerFeature<M>) k.weigh = weigh<M>;
  k.measure = measure<M>;
  if constexpr (kMapped<M>) k.map = map_values<M>;
  if constexpr (M::inner_product) k.dot_sums = tile_sums<DotProduct, true>;
  if constexpr (M::roundings != kUnstated) {
    k.quick_sums = tile_sums<T, true>;
    k.strict_sums = tile_sums<T, false>;
    k.row_major_sums = row_major_sums<T>;
    k.distances = distances<M>;
    if constexpr (kWeighted<M>) {
      k.weight_sums = tile_sums<typename M::Weight, false>;
      k.row_major_weights = row_major_sums<typename M::Weight>;
    }
  }
  return k;
}

}  // namespace

extern const Kernels kKernels = {
#define LK_TEXT(x) #x
#define LK_NAME(x) LK_TEXT(x)
    LK_NAME(LOOKALIKE_ISA),
    F32::lanes,
    {
#define METRIC(type, name) metric_kernels<type>(),
        LOOKALIKE_METRICS(METRIC)
#undef METRIC
    },
    survey,
    scan,
    norms,
    squares,
    transpose,
    uppers,
    within,
    ranks,
    kth_smallest,
    below_f32,
    below_f64,
    up_to,
    map_rows,
    filter_row,
    encode_row,
    LK_CODE_KERNELS,
    read_f64,
    product,
    fix_row,
};

}  // namespace LOOKALIKE_ISA
}  // namespace lookalike
