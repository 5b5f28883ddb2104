// Canberra's 8-bit terms where the CPU has AVX-512 VBMI.
#include <immintrin.h>

#include "kernels/kernels.h"

namespace lookalike {
namespace avx512vbmi {
namespace {

#include "kernels/simd-inl.h"
//
#include "kernels/codes-inl.h"

}  // namespace

extern const CodeKernels kRatios = {
    "8-bit ratios", 255,    plain_tile<SumOfRatios>, nullptr, nullptr, nullptr, nullptr, nullptr,
    nullptr,        nullptr};

}  // namespace avx512vbmi
}  // namespace lookalike
