// Which ISA's kernels to use: the best this build and CPU have, capped by LOOKALIKE_SIMD.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace lookalike {

// Chosen at the first call, once. Throws std::invalid_argument for an unknown LOOKALIKE_SIMD.
const Kernels& kernels();

// The 8-bit kernels of a form, with the extensions of this CPU; without `tile` if there are none.
const CodeKernels& code_kernels(CodeForm form);

// The extensions in use beyond the level. LOOKALIKE_EXTENSIONS, a list of names with commas between
// them, caps them; empty, it switches all off.
std::vector<std::string> extensions();

// What this build and CPU can run, best first.
std::vector<std::string> available_levels();

}  // namespace lookalike
