#define LOOKALIKE_ISA avx512
#include "kernels-inl.h"
