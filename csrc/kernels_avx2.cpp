#define LOOKALIKE_ISA avx2
#include "kernels-inl.h"
