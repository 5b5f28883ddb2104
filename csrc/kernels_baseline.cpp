#define LOOKALIKE_ISA baseline
#include "kernels-inl.h"
