// Large memory.
#pragma once

#include <cstddef>
#include <memory>

namespace lookalike {

// Cache-aligned memory that is not cleared: buffers are written before they are read. Large ones are
// visited at random, so they ask for large pages.
void* allocate(size_t bytes);
void deallocate(void* memory);

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) : memory_(static_cast<T*>(allocate(count * sizeof(T)))) {}
  T* get() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { deallocate(p); }
  };
  std::unique_ptr<T, Free> memory_;
};

}  // namespace lookalike
