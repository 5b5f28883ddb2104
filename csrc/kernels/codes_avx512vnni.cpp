// 8-bit products where the CPU has AVX-512 VNNI.
#include <immintrin.h>

#include "kernels/kernels.h"

namespace lookalike {
namespace avx512vnni {
namespace {

#include "kernels/simd-inl.h"
//
#include "kernels/codes-inl.h"
//
#include "kernels/screen-inl.h"
//
#include "kernels/project-inl.h"

}  // namespace

extern const CodeKernels kProducts = {"8-bit products",
                                      255,
                                      product_tile<SumOfFullProducts>,
                                      screen_tile<ScreenProducts>,
                                      finish_row<FinishProducts>,
                                      query_values<ScreenProducts>,
                                      query_masks<ScreenProducts>,
                                      listed_screens<ListedSquares>,
                                      listed_codes<FinishProducts>,
                                      project};

}  // namespace avx512vnni
}  // namespace lookalike
