#include "kernels/dispatch.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace lookalike {
namespace {

struct Level {
  const Kernels* kernels;
  bool (*supported)();
};

#if defined(__x86_64__)
// __builtin_cpu_supports asks CPUID and, through XGETBV, whether the system saves the registers.
// Clang before 17 does not know F16C there: CPUID is asked; its registers are those of AVX2.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma");
}
bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
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

struct Extension {
  const char* name;
  const CodeKernels* kernels;
  CodeForm form;
  bool (*supported)();
};
#if defined(__x86_64__)
constexpr Extension kExtensions[] = {
    {"vnni", &avx512vnni::kProducts, CodeForm::products,
     [] { return bool(__builtin_cpu_supports("avx512vnni")); }},
    {"vbmi", &avx512vbmi::kRatios, CodeForm::ratios,
     [] { return bool(__builtin_cpu_supports("avx512vbmi")); }},
};
#else
constexpr Extension kExtensions[] = {{"", nullptr, CodeForm::products, [] { return false; }}};
#endif

// Those that the level, the CPU and LOOKALIKE_EXTENSIONS allow.
std::vector<const Extension*> choose_extensions() {
  std::vector<const Extension*> chosen;
  const char* cap = std::getenv("LOOKALIKE_EXTENSIONS");
  std::vector<std::string> wanted;
  if (cap) {
    std::stringstream list(cap);
    for (std::string name; std::getline(list, name, ',');) wanted.push_back(name);
  }
  for (const std::string& name : wanted) {
    if (name != "vnni" && name != "vbmi") {
      throw std::invalid_argument("LOOKALIKE_EXTENSIONS may list vnni and vbmi, got '" + name +
                                  "'");
    }
  }
  for (const Extension& e : kExtensions) {
    const bool allowed = !cap || std::find(wanted.begin(), wanted.end(), e.name) != wanted.end();
    if (allowed && std::string(kernels().name) == "avx512" && e.supported()) chosen.push_back(&e);
  }
  return chosen;
}

const std::vector<const Extension*>& chosen_extensions() {
  static const std::vector<const Extension*> chosen = choose_extensions();
  return chosen;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

const CodeKernels& code_kernels(CodeForm form) {
  for (const Extension* e : chosen_extensions()) {
    if (e->form == form) return *e->kernels;
  }
  return kernels().codes[int(form)];
}

std::vector<std::string> extensions() {
  std::vector<std::string> names;
  for (const Extension* e : chosen_extensions()) names.emplace_back(e->name);
  return names;
}

std::vector<std::string> available_levels() {
  std::vector<std::string> names;
  for (const Level& level : kLevels) {
    if (level.supported()) names.push_back(level.kernels->name);
  }
  return names;
}

}  // namespace lookalike
