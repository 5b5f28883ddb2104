// Which ISA's kernels to use: the best this build and CPU have, capped by LOOKALIKE_SIMD.
#pragma once

#include <string>
#include <vector>

#include "kernels.h"

namespace lookalike {

// Chosen at the first call, once. Throws std::invalid_argument for an unknown LOOKALIKE_SIMD.
const Kernels& kernels();

// What this build and CPU can run, best first.
std::vector<std::string> available_levels();

}  // namespace lookalike
