#include "memory.h"

#include <cstdlib>
#include <new>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#elif defined(_WIN32)
#include <malloc.h>
#endif

namespace lookalike {
namespace {

void* aligned(size_t alignment, size_t bytes) {
#if defined(_WIN32)
  return _aligned_malloc(bytes, alignment);
#else
  return std::aligned_alloc(alignment, bytes);
#endif
}

}  // namespace

void* allocate(size_t bytes) {
  constexpr size_t kLine = 64, kLargePage = size_t(2) << 20;
  const bool large = bytes >= 2 * kLargePage;
  const size_t alignment = large ? kLargePage : kLine;
  void* const memory = aligned(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (!memory && bytes > 0) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (large) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void deallocate(void* memory) {
#if defined(_WIN32)
  _aligned_free(memory);
#else
  std::free(memory);
#endif
}

#if defined(__unix__) || defined(__APPLE__)

Pages::Pages(size_t bytes)
    : memory_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)),
      bytes_(bytes) {
  if (memory_ == MAP_FAILED) throw std::bad_alloc();
#if defined(MADV_NOHUGEPAGE)
  madvise(memory_, bytes_, MADV_NOHUGEPAGE);  // those not written yet are to cost nothing
#endif
}

Pages::~Pages() {
  if (memory_) munmap(memory_, bytes_);
}

#else

Pages::Pages(size_t bytes) : memory_(allocate(bytes)), bytes_(bytes) {}

Pages::~Pages() { deallocate(memory_); }

#endif

}  // namespace lookalike
