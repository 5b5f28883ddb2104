// Checksums of bytes in a file, and bytes that are checked when they are first read.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace lookalike {

// 64 bits that any change of one 8-byte word alters for certain, and any other change but for one in
// 2^64: eight words at a time are mixed into eight lanes, and every step can be undone.
uint64_t checksum(const void* data, int64_t bytes);

// Thrown where bytes are not those that were written.
struct Damaged : std::runtime_error {
  explicit Damaged(const std::string& part) : std::runtime_error(part) {}
};

// Bytes in chunks, each of which is held against its checksum before it is read for the first time.
class GuardedBytes {
 public:
  // Throws Damaged unless there is a checksum for each chunk.
  GuardedBytes(std::string part, const void* data, int64_t bytes, int64_t chunk,
               std::vector<uint64_t> checksums);
  int64_t bytes() const { return bytes_; }
  // Called before bytes [begin, end) are read, by any number of threads. Throws Damaged.
  void check(int64_t begin, int64_t end) const {
    for (int64_t c = begin / chunk_; c * chunk_ < end; ++c) {
      if (!good_[size_t(c)].load(std::memory_order_relaxed)) verify(c);
    }
  }

 private:
  void verify(int64_t chunk) const;
  std::string part_;
  const uint8_t* data_;
  int64_t bytes_, chunk_;
  std::vector<uint64_t> checksums_;
  mutable std::vector<std::atomic<bool>> good_;
};

}  // namespace lookalike
