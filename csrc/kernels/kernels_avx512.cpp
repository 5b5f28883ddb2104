#define LOOKALIKE_ISA avx512
#include "kernels/kernels-inl.h"
