#include "dispatch.h"

#include <cstdlib>
#include <stdexcept>

namespace lookalike {
namespace {

struct Level {
  const Kernels* kernels;
  bool (*supported)();
};

#if defined(__x86_64__)
// __builtin_cpu_supports asks CPUID and, through XGETBV, whether the system saves the registers.
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma");
}
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}
#endif
bool always() { return true; }

// Best first: the first that is neither above the cap nor beyond the CPU is used.
constexpr Level kLevels[] = {
#if defined(__x86_64__)
    {&avx512::kKernels, has_avx512},
    {&avx2::kKernels, has_avx2},
#endif
    {&baseline::kKernels, always},
};

// A cap may name any level there is anywhere, so that a script runs on every machine.
constexpr const char* kKnownLevels[] = {"avx512", "avx2", "baseline"};

const Kernels& choose() {
  const char* cap = std::getenv("LOOKALIKE_SIMD");
  const std::string wanted = cap ? cap : "";
  bool known = wanted.empty(), below_cap = wanted.empty();
  for (const char* level : kKnownLevels) known = known || wanted == level;
  if (!known) {
    throw std::invalid_argument("LOOKALIKE_SIMD must be baseline, avx2 or avx512, got '" + wanted +
                                "'");
  }
  for (const char* name : kKnownLevels) {
    below_cap = below_cap || wanted == name;
    for (const Level& level : kLevels) {
      if (below_cap && std::string(level.kernels->name) == name && level.supported()) {
        return *level.kernels;
      }
    }
  }
  return baseline::kKernels;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

std::vector<std::string> available_levels() {
  std::vector<std::string> names;
  for (const Level& level : kLevels) {
    if (level.supported()) names.push_back(level.kernels->name);
  }
  return names;
}

}  // namespace lookalike
