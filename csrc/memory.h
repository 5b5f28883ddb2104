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

// Memory of its own pages, which goes back to the system when it is freed, whatever allocators keep.
class Pages {
 public:
  explicit Pages(size_t bytes);
  ~Pages();
  Pages(Pages&& other) noexcept : memory_(other.memory_), bytes_(other.bytes_) {
    other.memory_ = nullptr;
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  Pages& operator=(Pages&&) = delete;
  void* get() const { return memory_; }

 private:
  void* memory_;
  size_t bytes_;
};

}  // namespace lookalike
