#define LOOKALIKE_ISA baseline
#include "kernels/kernels-inl.h"
