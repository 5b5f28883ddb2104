// Distances of a self-join's pairs that one row computes and the other needs too. What a row is sent is
// kept where its results will be, so it costs no memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace lookalike {

class Inbox {
 public:
  // `distances` and `indices` are (rows, k).
  Inbox(int64_t rows, int64_t k, double* distances, int64_t* indices)
      : k_(int32_t(std::min<int64_t>(k, kClosed - 1))),
        stride_(k),
        distances_(distances),
        indices_(indices),
        boxes_(size_t(rows)) {}

  // Leaves the distance of `index` for `row`, unless that is closed or full.
  void send(int64_t row, int64_t index, double distance) {
    Box& box = boxes_[size_t(row)];
    if (box.claimed.load(std::memory_order_relaxed) >= k_) return;
    const int32_t slot = box.claimed.fetch_add(1, std::memory_order_relaxed);
    if (slot >= k_) return;
    distances_[row * stride_ + slot] = distance;
    indices_[row * stride_ + slot] = index;
    box.written.fetch_add(1, std::memory_order_release);
  }

  // Calls take(index, distance) for all that the row was sent. From now on nothing is written there.
  template <class Take>
  void close(int64_t row, Take take) {
    Box& box = boxes_[size_t(row)];
    const int32_t sent = std::min(box.claimed.exchange(kClosed, std::memory_order_relaxed), k_);
    while (box.written.load(std::memory_order_acquire) < sent) std::this_thread::yield();
    for (int32_t s = 0; s < sent; ++s) {
      take(indices_[row * stride_ + s], distances_[row * stride_ + s]);
    }
  }

 private:
  static constexpr int32_t kClosed = 1 << 30;
  struct Box {
    std::atomic<int32_t> claimed{0}, written{0};
  };
  int32_t k_;
  int64_t stride_;
  double* distances_;
  int64_t* indices_;
  std::vector<Box> boxes_;
};

}  // namespace lookalike
