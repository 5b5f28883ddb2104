#include "memory.h"

#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lookalike {

void* allocate(size_t bytes) {
  constexpr size_t kLine = 64, kLargePage = size_t(2) << 20;
  const bool large = bytes >= 2 * kLargePage;
  const size_t alignment = large ? kLargePage : kLine;
  void* const memory =
      std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory && bytes > 0) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void deallocate(void* memory) { std::free(memory); }

}  // namespace lookalike
