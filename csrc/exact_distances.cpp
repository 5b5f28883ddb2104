#include "exact_distances.h"

#include <algorithm>
#include <utility>

namespace lookalike {
namespace {

// By j, keeping the order of equal ones: a few bits at a time, the lowest first.
void sort_by_row(ExactPair* pairs, int64_t n, std::vector<ExactPair>& room) {
  constexpr int kMostBits = 11;
  int32_t largest = 0;
  for (int64_t p = 0; p < n; ++p) largest = std::max(largest, pairs[p].j);
  int bits = 1;
  while (bits < 31 && largest >> bits) ++bits;
  const int passes = (bits + kMostBits - 1) / kMostBits, some = (bits + passes - 1) / passes;
  const auto mask = int32_t((1 << some) - 1);
  if (room.size() < size_t(n)) room.resize(size_t(n));
  ExactPair *from = pairs, *to = room.data();
  for (int pass = 0; pass < passes; ++pass) {
    const int shift = pass * some;
    int64_t begin[1 << kMostBits] = {}, total = 0;
    for (int64_t p = 0; p < n; ++p) ++begin[from[p].j >> shift & mask];
    for (int32_t digit = 0; digit <= mask; ++digit) {
      total += std::exchange(begin[digit], total);
    }
    for (int64_t p = 0; p < n; ++p) to[begin[from[p].j >> shift & mask]++] = from[p];
    std::swap(from, to);
  }
  if (from != pairs) std::copy_n(from, n, pairs);
}

}  // namespace

ExactDistances::ExactDistances(const Comparison& comparison, int workers)
    : comparison_(comparison), workspaces_(size_t(workers)) {
  // Two sides of rows, half a megabyte each where that is at least eight rows.
  const int64_t block = std::clamp<int64_t>(comparison.cols(), 1, kExactBlock);
  side_ = int(std::clamp<int64_t>((int64_t(1) << 19) / (8 * block), 8, 64));
}

ExactWorkspace& ExactDistances::workspace(int worker) {
  ExactWorkspace& w = workspaces_[size_t(worker)];
  if (!w.out.get()) {
    const size_t padded = size_t(std::min<int64_t>(comparison_.cols(), kExactBlock) + 7) / 8 * 8;
    const size_t side = size_t(side_);
    w.scratch = Buffer<double>(2 * side * padded + side * side);
    w.out = Buffer<double>(side * side);
  }
  return w;
}

const double* ExactDistances::block(int worker, const int32_t* is, int ni, const int32_t* js,
                                    int nj) {
  ExactWorkspace& w = workspace(worker);
  for (int j = 0; j < nj; ++j) comparison_.y().check_rows(js[j], js[j] + 1);
  comparison_.kernels().exact(ExactArgs{&comparison_.x().rows, &comparison_.y().rows, is, js, ni,
                                        nj, w.scratch.get(), w.out.get()});
  return w.out.get();
}

void ExactDistances::row(int worker, int32_t i, const int32_t* js, int64_t n, double* out) {
  for (int64_t done = 0; done < n; done += side_) {
    const int some = int(std::min<int64_t>(side_, n - done));
    const double* distances = block(worker, &i, 1, js + done, some);
    std::copy(distances, distances + some, out + done);
  }
}

void ExactDistances::pairs(int worker, const int32_t* is, int ni, ExactPair* pairs, int64_t n,
                           double* out) {
  ExactWorkspace& w = workspace(worker);
  sort_by_row(pairs, n, w.sorted);
  for (int64_t p = 0; p < n; ++p) {
    if (p == 0 || pairs[p].j != pairs[p - 1].j) {
      comparison_.y().check_rows(pairs[p].j, pairs[p].j + 1);
    }
  }
  if (comparison_.traits().weighted && w.weights.size() < size_t(n)) w.weights.resize(size_t(n));
  comparison_.kernels().pairs(PairsArgs{&comparison_.x().rows, &comparison_.y().rows, is, ni, pairs,
                                        n, w.scratch.get(), w.weights.data(), out});
}

}  // namespace lookalike
