// One ISA's kernels. A kernels_<isa>.cpp names the namespace and includes this file; everything but
// the table stays inside its translation unit, so that no function compiled for a new CPU can be
// the one the linker keeps for all.

#include <cstddef>
#include <cstdint>
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
#include "metrics/distances-inl.h"
//
#include "kernels/rows-inl.h"
//
#include "kernels/exact-inl.h"
//
#include "kernels/sums-inl.h"
//
#include "kernels/codes-inl.h"
//
#include "kernels/encode-inl.h"
//
#include "kernels/scan-inl.h"
//
#include "kernels/select-inl.h"

template <class M>
void distances(const double* sums, const double* weights, int count, float* out) {
  for (int p = 0; p < count; ++p) {
    out[p] = float(M::finish(sums[p], M::traits.weighted ? weights[p] : 0));
  }
}

template <class M>
constexpr MetricKernels metric_kernels() {
  using T = typename M::Term;
  MetricKernels k{};
  k.traits = M::traits;
  k.quick_sums = tile_sums<T, true>;
  k.strict_sums = tile_sums<T, false>;
  k.row_major_sums = row_major_sums<T>;
  if constexpr (M::traits.combine == Combine::root_of_sum) k.dot_sums = tile_sums<DotProduct, true>;
  if constexpr (M::traits.weighted) {
    k.weight_sums = tile_sums<typename M::Weight, false>;
    k.row_major_weights = row_major_sums<typename M::Weight>;
  }
  k.exact = exact<M>;
  k.distances = distances<M>;
  k.norm_of = M::norm_of;
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
    measure,
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
    filter_row,
    encode,
    LK_CODE_KERNELS,
    read_f64,
};

}  // namespace LOOKALIKE_ISA
}  // namespace lookalike
