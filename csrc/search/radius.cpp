#include <algorithm>
#include <atomic>
#include <mutex>

#include "exact_distances.h"
#include "filters/filter_pass.h"
#include "kernels/dispatch.h"
#include "search/neighbors.h"

namespace lookalike {
namespace {

struct Found {
  int32_t index;
  double distance;
  bool operator<(const Found& b) const {
    return distance < b.distance || (distance == b.distance && index < b.index);
  }
};

// What the rows have found so far, under one lock for kRows of them.
class FoundRows {
 public:
  explicit FoundRows(int64_t rows) : found_(size_t(rows)), locks_(size_t(rows) / kRows + 1) {}
  void add(int64_t row, Found f) {
    const std::lock_guard<std::mutex> lock(locks_[size_t(row) / kRows]);
    found_[size_t(row)].push_back(f);
  }
  // All that was found, in order; the rows are empty afterwards.
  Within assemble(Team& team, double from, double to);

 private:
  static constexpr size_t kRows = 64;
  std::vector<std::vector<Found>> found_;
  std::vector<std::mutex> locks_;
};

Within FoundRows::assemble(Team& team, double from, double to) {
  Within out;
  const size_t n = found_.size();
  out.indptr.assign(n + 1, 0);
  for (size_t row = 0; row < n; ++row) {
    out.indptr[row + 1] = out.indptr[row] + int64_t(found_[row].size());
  }
  out.indices.resize(size_t(out.indptr.back()));
  out.distances.resize(out.indices.size());
  team.run(
      int64_t(n), double(out.indices.size()) * 20,
      [&](int64_t row, int) {
        std::vector<Found> found;
        found.swap(found_[size_t(row)]);  // freed at the end of the row
        std::sort(found.begin(), found.end());
        auto at = size_t(out.indptr[size_t(row)]);
        for (const Found& f : found) {
          out.indices[at] = f.index;
          out.distances[at++] = f.distance;
        }
      },
      from, to);
  return out;
}

// The sink of a pass: what of a tile's candidates is within the radius.
class RadiusSink {
 public:
  RadiusSink(const Comparison& comparison, double radius, int workers, Stats& stats,
             FoundRows& found)
      : comparison_(comparison),
        radius_(radius),
        exact_(comparison, workers),
        pending_(size_t(workers)),
        stats_(stats),
        found_(found) {}

  // Of a self-join both rows of a pair have the same threshold: the pair comes once for each, and
  // the first does for both.
  void offer(int worker, int64_t row, const int32_t* candidates, int n) {
    Pending& p = pending_[size_t(worker)];
    const bool self = comparison_.self();
    p.others.clear();
    std::copy_if(candidates, candidates + n, std::back_inserter(p.others),
                 [&](int32_t j) { return !self || j >= row; });
    p.distances.resize(p.others.size());
    exact_.row(worker, int32_t(row), p.others.data(), int64_t(p.others.size()), p.distances.data());
    stats_.refined.fetch_add(int64_t(p.others.size()), std::memory_order_relaxed);
    for (size_t c = 0; c < p.others.size(); ++c) {
      if (p.distances[c] > radius_) continue;
      found_.add(row, {p.others[c], p.distances[c]});
      if (self && p.others[c] != row) found_.add(p.others[c], {int32_t(row), p.distances[c]});
    }
  }

 private:
  struct Pending {
    std::vector<int32_t> others;
    std::vector<double> distances;
  };
  const Comparison& comparison_;
  const double radius_;
  ExactDistances exact_;
  std::vector<Pending> pending_;
  Stats& stats_;
  FoundRows& found_;
};

// The pass of the cheapest filter that leaves few pairs in doubt: a float64 distance costs some ten
// times what codes save.
std::unique_ptr<FilterPass> choose_pass(const Comparison& comparison, double radius,
                                        const Exclusion& exclusion, Team& team, Stats& stats) {
  constexpr double kMostDoubtful = 0.05;
  const std::vector<Stage> list = stages(comparison, nullptr);
  if (list.front() == Stage::codes) {
    auto pass =
        std::make_unique<FilterPass>(comparison, Stage::codes, nullptr, exclusion, team, stats);
    const float threshold = pass->bounds().threshold(comparison, radius);
    if (pass->doubtful(threshold) <= kMostDoubtful) return pass;
  }
  return std::make_unique<FilterPass>(comparison, list.back(), nullptr, exclusion, team, stats);
}

}  // namespace

Within radius_neighbors(const Query& query, double radius, Team& team, Stats& stats) {
  const RowNeeds needs = filter_needs(kernels_of(query.specification).traits);
  const Comparison comparison(query.x, query.y, query.specification, needs, team);
  const auto pass = choose_pass(comparison, radius, query.exclusion, team, stats);
  const float threshold = pass->bounds().threshold(comparison, radius);
  FoundRows found(query.x.rows);
  RadiusSink sink(comparison, radius, team.threads(), stats, found);
  const double cost =
      double(query.x.rows) * double(comparison.y().rows.matrix.rows) * double(query.x.cols);
  team.run(
      pass->tiles(), cost,
      [&](int64_t unit, int worker) {
        pass->tile(
            unit, worker, [&](int64_t) { return threshold; },
            [&](int64_t row, const float*, const int32_t* candidates, int n) {
              sink.offer(worker, row, candidates, n);
            });
      },
      0, 0.95);
  return found.assemble(team, 0.95, 1);
}

}  // namespace lookalike
