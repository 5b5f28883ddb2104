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
};

// What the rows have found so far, under one lock for kRows of them.
class FoundRows {
 public:
  explicit FoundRows(int64_t rows) : found_(size_t(rows)), locks_(size_t(rows) / kRows + 1) {}
  void add(int64_t row, Found f) {
    const std::lock_guard<std::mutex> lock(locks_[size_t(row) / kRows]);
    found_[size_t(row)].push_back(f);
  }
  std::vector<Found>& operator[](int64_t row) { return found_[size_t(row)]; }

 private:
  static constexpr size_t kRows = 64;
  std::vector<std::vector<Found>> found_;
  std::vector<std::mutex> locks_;
};

}  // namespace

Within radius_neighbors(const Query& query, double radius, Team& team, Stats& stats) {
  const Comparison comparison(query.x, query.y, query.metric, true, team);
  ExactDistances exact(comparison, team.threads());
  std::unique_ptr<FilterPass> pass;
  float threshold = 0;
  const auto use = [&](Stage stage) {
    pass =
        std::make_unique<FilterPass>(comparison, stage, nullptr, query.include_self, team, stats);
    threshold = pass->bounds().threshold(comparison, radius);
  };
  // A float64 distance costs some ten times what codes save.
  constexpr double kMostDoubtful = 0.05;
  if (stages(comparison, nullptr).front() == Stage::codes) {
    use(Stage::codes);
    if (pass->doubtful(threshold) > kMostDoubtful) pass = nullptr;
  }
  if (!pass) use(Stage::differences);
  const int64_t n = query.x.rows;
  const double cost = double(n) * double(comparison.y().rows.matrix.rows) * double(query.x.cols);
  FoundRows rows(n);
  struct Pending {
    std::vector<int32_t> others;
    std::vector<double> distances;
  };
  std::vector<Pending> pending(size_t(team.threads()));
  team.run(
      pass->tiles(), cost,
      [&](int64_t unit, int worker) {
        Pending& p = pending[size_t(worker)];
        // Of a self-join both rows of a pair have the same threshold: the pair comes once for each,
        // and the first does for both.
        pass->tile(
            unit, worker, [&](int64_t) { return threshold; },
            [&](int64_t row, const float*, const int32_t* indices, int n) {
              p.others.clear();
              std::copy_if(indices, indices + n, std::back_inserter(p.others),
                           [&](int32_t j) { return !comparison.self() || j >= row; });
              p.distances.resize(p.others.size());
              exact.row(worker, int32_t(row), p.others.data(), int64_t(p.others.size()),
                        p.distances.data());
              stats.refined.fetch_add(int64_t(p.others.size()), std::memory_order_relaxed);
              for (size_t c = 0; c < p.others.size(); ++c) {
                if (p.distances[c] > radius) continue;
                rows.add(row, {p.others[c], p.distances[c]});
                if (comparison.self() && p.others[c] != row) {
                  rows.add(p.others[c], {int32_t(row), p.distances[c]});
                }
              }
            });
      },
      0, 0.95);

  Within out;
  out.indptr.assign(size_t(n) + 1, 0);
  for (int64_t row = 0; row < n; ++row) {
    out.indptr[size_t(row) + 1] = out.indptr[size_t(row)] + int64_t(rows[row].size());
  }
  out.indices.resize(size_t(out.indptr.back()));
  out.distances.resize(out.indices.size());
  team.run(
      n, double(out.indices.size()) * 20,
      [&](int64_t row, int) {
        std::vector<Found> found;
        found.swap(rows[row]);  // freed at the end of the row
        std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
          return a.distance < b.distance || (a.distance == b.distance && a.index < b.index);
        });
        auto at = size_t(out.indptr[size_t(row)]);
        for (const Found& f : found) {
          out.indices[at] = f.index;
          out.distances[at++] = f.distance;
        }
      },
      0.95, 1);
  return out;
}

}  // namespace lookalike
