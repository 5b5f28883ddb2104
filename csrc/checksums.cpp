#include "checksums.h"

#include <algorithm>
#include <cstring>

namespace lookalike {
namespace {

constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;

// A bijection of 64 bits.
uint64_t mixed(uint64_t h) {
  h = (h ^ (h >> 32)) * kOdd;
  return h ^ (h >> 29);
}

}  // namespace

uint64_t checksum(const void* data, int64_t bytes) {
  const auto* p = static_cast<const uint8_t*>(data);
  uint64_t lanes[8];
  for (int l = 0; l < 8; ++l) lanes[l] = mixed(uint64_t(bytes) + uint64_t(l) * kOdd);
  for (; bytes > 0; bytes -= 64, p += 64) {
    uint64_t words[8] = {};
    std::memcpy(words, p, size_t(std::min<int64_t>(64, bytes)));
    for (int l = 0; l < 8; ++l) {
      const uint64_t h = (lanes[l] ^ words[l]) * kOdd;
      lanes[l] = h << 27 | h >> 37;
    }
  }
  uint64_t sum = 0;
  for (const uint64_t lane : lanes) sum = mixed(sum ^ lane);
  return sum;
}

GuardedBytes::GuardedBytes(std::string part, const void* data, int64_t bytes, int64_t chunk,
                           std::vector<uint64_t> checksums)
    : part_(std::move(part)),
      data_(static_cast<const uint8_t*>(data)),
      bytes_(bytes),
      chunk_(chunk),
      checksums_(std::move(checksums)),
      good_(checksums_.size()) {
  if (chunk < 1 || int64_t(checksums_.size()) != (bytes + chunk - 1) / chunk) throw Damaged(part_);
}

void GuardedBytes::verify(int64_t c) const {
  const int64_t begin = c * chunk_, end = std::min(bytes_, begin + chunk_);
  if (begin >= bytes_ || checksum(data_ + begin, end - begin) != checksums_[size_t(c)]) {
    throw Damaged(part_);
  }
  good_[size_t(c)].store(true, std::memory_order_relaxed);
}

}  // namespace lookalike
