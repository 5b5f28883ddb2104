#include "search/found_pairs.h"

#include <algorithm>

namespace lookalike {
namespace {

constexpr int64_t kBuckets = 128;

}  // namespace

FoundPairs::FoundPairs(int64_t rows, int workers, int64_t most)
    : rows_(rows),
      rows_in_bucket_(std::max<int64_t>(1, (rows + kBuckets - 1) / kBuckets)),
      most_(most),
      workers_(workers),
      buckets_(size_t(kBuckets) * size_t(workers)) {}

void FoundPairs::Chunks::grow() {
  pages.emplace_back(size_t(kFound) * sizeof(Found));
  next = static_cast<Found*>(pages.back().get());
  room = kFound;
}

template <class Visit>
void FoundPairs::Chunks::each(Visit visit) const {
  for (size_t p = 0; p < pages.size(); ++p) {
    const auto* const found = static_cast<const Found*>(pages[p].get());
    const int64_t n = p + 1 < pages.size() ? kFound : kFound - room;
    for (int64_t i = 0; i < n; ++i) visit(found[i]);
  }
}

template <class Visit>
void FoundPairs::each_in(int64_t bucket, Visit visit) const {
  for (int w = 0; w < workers_; ++w) buckets_[size_t(bucket * workers_ + w)].each(visit);
}

Within FoundPairs::assemble(Team& team, double from, double to) {
  Within out;
  out.rows = rows_;
  out.indptr = Buffer<int64_t>(size_t(rows_) + 1);
  int64_t* const indptr = out.indptr.get();
  std::fill(indptr, indptr + rows_ + 1, 0);
  for (int64_t bucket = 0; bucket < kBuckets; ++bucket) {
    each_in(bucket, [&](const Found& f) { ++indptr[f.row + 1]; });
  }
  for (int64_t row = 0; row < rows_; ++row) indptr[row + 1] += indptr[row];
  out.indices = Buffer<int64_t>(size_t(out.count()));
  out.distances = Buffer<double>(size_t(out.count()));
  team.run(
      kBuckets, double(out.count()) * 20, [&](int64_t bucket, int) { place(bucket, out); }, from,
      to);
  return out;
}

void FoundPairs::place(int64_t bucket, Within& out) {
  const int64_t first = std::min(rows_, bucket * rows_in_bucket_);
  const int64_t end = std::min(rows_, first + rows_in_bucket_);
  const int64_t* const indptr = out.indptr.get();
  const int64_t begin = indptr[first];
  std::vector<Found> found(size_t(indptr[end] - begin));
  std::vector<int64_t> next(indptr + first, indptr + end);
  each_in(bucket,
          [&](const Found& f) { found[size_t(next[size_t(f.row - first)]++ - begin)] = f; });
  for (int w = 0; w < workers_; ++w) buckets_[size_t(bucket * workers_ + w)] = {};
  for (int64_t row = first; row < end; ++row) {
    std::sort(found.begin() + (indptr[row] - begin), found.begin() + (indptr[row + 1] - begin),
              [](const Found& a, const Found& b) {
                return a.distance < b.distance || (a.distance == b.distance && a.index < b.index);
              });
  }
  for (size_t p = 0; p < found.size(); ++p) {
    out.indices.get()[begin + int64_t(p)] = found[p].index;
    out.distances.get()[begin + int64_t(p)] = found[p].distance;
  }
}

}  // namespace lookalike
