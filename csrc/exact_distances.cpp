#include "exact_distances.h"

#include <algorithm>

namespace lookalike {

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

}  // namespace lookalike
