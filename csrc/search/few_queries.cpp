#include "search/few_queries.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "exact_distances.h"
#include "search/screened_queries.h"

namespace lookalike {
namespace {

constexpr int64_t kAtOnce = 4 * kTile;         // rows that are screened at a time
constexpr int64_t kValues = int64_t(1) << 20;  // of each thread: 4 MiB

struct Ranked {
  double distance;
  int32_t index;
  bool operator<(const Ranked& b) const {
    return distance < b.distance || (distance == b.distance && index < b.index);
  }
};

// What a screen or a sample left, and its values.
struct Candidates {
  std::vector<float> values;
  std::vector<int32_t> indices;
  size_t size() const { return indices.size(); }
  void resize(size_t n) {
    values.resize(n);
    indices.resize(n);
  }
};

class FewQueries {
 public:
  FewQueries(const Comparison& comparison, const CodedDatabase& coded,
             const ScreenedDatabase& screens, const Exclusion& exclusion, int64_t k, Team& team,
             Stats& stats)
      : comparison_(comparison),
        asked_(comparison, coded, screens, team),
        exclusion_(exclusion),
        k_(k),
        rows_(comparison.y().rows.matrix.rows),
        team_(team),
        stats_(stats),
        exact_(comparison, team.threads()),
        workers_(size_t(team.threads())) {}

  std::vector<int64_t> find(double* distances, int64_t* indices) {
    const int64_t queries = comparison_.x().rows.matrix.rows;
    const int64_t room = rows_ + kAtOnce;
    const int64_t together = std::clamp<int64_t>(kValues * team_.threads() / room, 1, queries);
    values_ = Buffer<float>(size_t(together * room));
    searches_.resize(size_t(together));
    std::vector<int64_t> left;
    for (int64_t first = 0; first < queries; first += together) {
      const int64_t some = std::min(together, queries - first);
      const double begin = double(first) / double(queries), part = double(some) / double(queries);
      const auto each = [&](auto body, double from, double to) {
        team_.run(
            some, double(some) * double(rows_) * 8,
            [&](int64_t q, int worker) {
              Search& search = searches_[size_t(q)];
              search.query = first + q;
              search.values = values_.get() + q * room;
              body(search, workers_[size_t(worker)], worker);
            },
            begin + from * part, begin + to * part);
      };
      screen(first, some, room, begin, begin + 0.4 * part);
      each([&](Search& search, Worker& w, int) { start(search, w); }, 0.4, 0.5);
      go_through(some, begin + 0.5 * part, begin + 0.9 * part);
      each(
          [&](Search& search, Worker& w, int worker) {
            const int64_t at = search.query * k_;
            if (search.helped) finish(search, w, worker, distances + at, indices + at);
          },
          0.9, 1);
      for (int64_t q = 0; q < some; ++q) {
        if (!searches_[size_t(q)].helped) left.push_back(first + q);
      }
    }
    return left;
  }
  const ScreenedShare& share() const { return share_; }

 private:
  // Kept from query to query: memory that the system has to clear costs as much as a query.
  struct Worker {
    std::vector<float> values = std::vector<float>(kAtOnce + 64), sample, uppers;
    std::vector<int32_t> rows = std::vector<int32_t>(kAtOnce + 64);
    std::vector<Candidates> kept;  // of each query
    std::vector<std::pair<float, int32_t>> order;
    std::vector<Ranked> ranked;
    std::vector<double> distances;
    int64_t after_first = 0, after_second = 0;
  };
  struct Search {
    int64_t query;
    const float* values;
    bool helped;  // by the screens
    float threshold;
    std::vector<int32_t> seeds;
    Candidates all;
    std::atomic<int64_t> left;
    Search() = default;
    Search(Search&& other) noexcept : query(other.query) {}  // before there is anything in it
  };

  // The first screen's values of some queries for all rows.
  void screen(int64_t first, int64_t some, int64_t room, double from, double to) {
    Lap lap;
    team_.run((rows_ + kAtOnce - 1) / kAtOnce, double(some) * double(rows_) * 64,
              [&](int64_t unit, int) {
                for (int64_t j = unit * kAtOnce; j < std::min(rows_, (unit + 1) * kAtOnce);
                     j += kTile) {
                  const int64_t n = std::min<int64_t>(kTile, rows_ - j);
                  asked_.check(j, n);
                  for (int64_t q = 0; q < some; ++q) {
                    asked_.values(first + q, j, n, values_.get() + q * room + j);
                  }
                }
              },
              from, to);
    lap.to(stats_.screening);
    stats_.pairs.fetch_add(some * rows_);
  }

  // The rows that screen lowest, in the order of their indices: some 3 k + 64 by a sample.
  void choose_seeds(int64_t i, const float* values, Worker& w, std::vector<int32_t>& seeds) const {
    constexpr int64_t kOf =
        16;  // of a tile's rows, as many are sampled, where there are many tiles
    const int64_t some = rows_ < kOf * 1024 ? kTile : kOf;
    w.sample.clear();
    for (int64_t j = 0; j < rows_; j += kTile) {
      w.sample.insert(w.sample.end(), values + j, values + std::min(rows_, j + some));
    }
    const int64_t wanted = std::min(3 * k_ + 64, rows_), taken = int64_t(w.sample.size());
    const int64_t share = std::clamp<int64_t>((wanted * taken + rows_ - 1) / rows_, 8, taken);
    const float most = kernels().kth_smallest(w.sample.data(), taken, share);
    const float limit = std::nextafter(most, std::numeric_limits<float>::infinity());
    // Of rows at one distance there may be any number.
    const auto enough = size_t(8 * wanted);
    seeds.clear();
    for (int64_t j = 0; j < rows_ && seeds.size() < enough; j += kAtOnce) {
      const int64_t n =
          kernels().below_f32(values + j, std::min(kAtOnce, rows_ - j), limit, w.rows.data());
      for (int64_t c = 0; c < n; ++c) {
        const auto other = int32_t(j + w.rows[size_t(c)]);
        if (!exclusion_.excludes(i, other)) seeds.push_back(other);
      }
    }
  }

  // What the screens and the codes leave of rows [begin, end) but for the seeds.
  void survivors(int64_t i, const float* values, int64_t begin, int64_t end, float threshold,
                 const std::vector<int32_t>& seeds, Worker& w, Candidates& out) const {
    const CandidateLimit first = asked_.limit(0, i, threshold);
    float* const found = w.values.data();
    int32_t* const rows = w.rows.data();
    auto seed = std::lower_bound(seeds.begin(), seeds.end(), int32_t(begin));
    int n = 0;
    for (int64_t j = begin; j < end; j += kTile) {
      const int cols = int(std::min<int64_t>(kTile, end - j));
      int32_t count = 0;
      float weight[kTile + 16], slack[kTile + 16];
      std::copy_n(first.slack + j, cols, slack);
      if (first.weight) std::copy_n(first.weight + j, cols, weight);
      ScanArgs args{
          values + j, 1,
          cols,       int32_t(j),
          false,      {&first.slope, &first.offset, first.weight ? weight : nullptr, slack},
          found + n,  rows + n,
          &count};
      kernels().scan(args);
      n += count;
    }
    w.after_first += n;
    int some = 0;
    for (int c = 0; c < n; ++c) {
      const int32_t other = rows[c];
      while (seed != seeds.end() && *seed < other) ++seed;
      if ((seed != seeds.end() && *seed == other) || exclusion_.excludes(i, other)) continue;
      rows[some++] = other;
    }
    some = asked_.within_second(i, threshold, found, rows, some);
    w.after_second += some;
    asked_.code_values(i, rows, some, found);
    some = kernels().within(asked_.bounds().limit(threshold, i), found, rows, some);
    out.values.insert(out.values.end(), found, found + some);
    out.indices.insert(out.indices.end(), rows, rows + some);
  }

  // A bound on the k-th distance, from the upper bounds of codes.
  float kth_upper(int64_t i, const Candidates& c, std::vector<float>& uppers) const {
    uppers.resize(std::max(uppers.size(), c.size() + 16));
    kernels().uppers(asked_.bounds().of(i), c.values.data(), c.indices.data(), int(c.size()),
                     uppers.data());
    return kernels().kth_smallest(uppers.data(), int64_t(c.size()), k_);
  }

  void keep_within(int64_t i, float threshold, Candidates& c) const {
    c.resize(size_t(kernels().within(asked_.bounds().limit(threshold, i), c.values.data(),
                                     c.indices.data(), int(c.size()))));
  }

  // The query's seeds, and the threshold that they are.
  void start(Search& s, Worker& w) const {
    Lap lap;
    choose_seeds(s.query, s.values, w, s.seeds);
    s.helped = int64_t(s.seeds.size()) >= k_;
    s.left = 0;
    if (s.helped) {
      s.all.indices = s.seeds;
      s.all.values.resize(s.seeds.size());
      asked_.code_values(s.query, s.seeds.data(), int64_t(s.seeds.size()), s.all.values.data());
      s.threshold = kth_upper(s.query, s.all, w.uppers);
      s.helped = s.threshold < std::numeric_limits<float>::infinity();
    }
    lap.to(stats_.bookkeeping);
  }

  // All rows for each query, some at a time: what is read for one is in the cache for the next.
  void go_through(int64_t some, double from, double to) {
    for (Worker& w : workers_) {
      w.kept.resize(std::max(w.kept.size(), size_t(some)));
      for (Candidates& kept : w.kept) kept.resize(0);
    }
    team_.run((rows_ + kAtOnce - 1) / kAtOnce, double(some) * double(rows_) * 8,
              [&](int64_t unit, int worker) {
                Lap lap;
                Worker& w = workers_[size_t(worker)];
                const int64_t begin = unit * kAtOnce, end = std::min(rows_, begin + kAtOnce);
                for (int64_t q = 0; q < some; ++q) {
                  Search& s = searches_[size_t(q)];
                  if (!s.helped || s.left.load(std::memory_order_relaxed) > most_) continue;
                  Candidates& kept = w.kept[size_t(q)];
                  const size_t before = kept.size();
                  survivors(s.query, s.values, begin, end, s.threshold, s.seeds, w, kept);
                  s.left += int64_t(kept.size() - before);
                }
                lap.to(stats_.filtering);
              },
              from, to);
    for (int64_t q = 0; q < some; ++q) {
      Search& s = searches_[size_t(q)];
      s.helped = s.helped && s.left <= most_;
      if (!s.helped) continue;
      for (const Worker& w : workers_) {
        const Candidates& kept = w.kept[size_t(q)];
        s.all.values.insert(s.all.values.end(), kept.values.begin(), kept.values.end());
        s.all.indices.insert(s.all.indices.end(), kept.indices.begin(), kept.indices.end());
      }
      stats_.candidates.fetch_add(int64_t(s.all.size()), std::memory_order_relaxed);
    }
    const double pairs = double(some) * double(rows_);
    for (Worker& w : workers_) {
      share_.first += double(std::exchange(w.after_first, 0)) / pairs;
      share_.second += double(std::exchange(w.after_second, 0)) / pairs;
    }
  }

  void finish(Search& s, Worker& w, int worker, double* distances, int64_t* indices) {
    Lap lap;
    keep_within(s.query, kth_upper(s.query, s.all, w.uppers), s.all);
    nearest_first(s.all, w.order);
    lap.to(stats_.bookkeeping);
    rank(s.query, s.all, w, worker, distances, indices);
    lap.to(stats_.refining);
  }

  static void nearest_first(Candidates& c, std::vector<std::pair<float, int32_t>>& order) {
    order.resize(c.size());
    for (size_t at = 0; at < c.size(); ++at) order[at] = {c.values[at], c.indices[at]};
    std::sort(order.begin(), order.end());
    for (size_t at = 0; at < c.size(); ++at) {
      c.values[at] = order[at].first;
      c.indices[at] = order[at].second;
    }
  }

  // The float64 distances of candidates, the k of the least values first, then of those that are not
  // beyond the k-th of these; the k best.
  void rank(int64_t i, Candidates& all, Worker& w, int worker, double* distances,
            int64_t* indices) {
    std::vector<Ranked>& ranked = w.ranked;
    ranked.clear();
    auto left = int64_t(all.size()), at = int64_t(0);
    while (at < left) {
      const int64_t some = at == 0 ? k_ : left - at;
      w.distances.resize(size_t(some));
      exact_.row(worker, int32_t(i), all.indices.data() + at, some, w.distances.data());
      for (int64_t c = 0; c < some; ++c) {
        ranked.push_back({w.distances[size_t(c)], all.indices[size_t(at + c)]});
      }
      stats_.refined.fetch_add(some, std::memory_order_relaxed);
      at += some;
      std::nth_element(ranked.begin(), ranked.begin() + (k_ - 1), ranked.end());
      const float threshold =
          asked_.bounds().threshold(comparison_, ranked[size_t(k_ - 1)].distance);
      left = at + kernels().within(asked_.bounds().limit(threshold, i), all.values.data() + at,
                                   all.indices.data() + at, int(left - at));
    }
    std::sort(ranked.begin(), ranked.begin() + k_);
    for (int64_t c = 0; c < k_; ++c) {
      distances[c] = ranked[size_t(c)].distance;
      indices[c] = ranked[size_t(c)].index;
    }
  }

  const Comparison& comparison_;
  const ScreenedQueries asked_;
  const Exclusion& exclusion_;
  const int64_t k_, rows_;
  const int64_t most_ = ScreenedDatabase::most_left(rows_);
  Team& team_;
  Stats& stats_;
  ExactDistances exact_;
  Buffer<float> values_;
  std::vector<Worker> workers_;
  std::vector<Search> searches_;
  ScreenedShare share_;
};

}  // namespace

std::vector<int64_t> nearest_of_few(const Comparison& comparison, const CodedDatabase& coded,
                                    const ScreenedDatabase& screens, const Exclusion& exclusion,
                                    int64_t k, Team& team, Stats& stats, double* distances,
                                    int64_t* indices, ScreenedShare* share) {
  Lap lap;
  FewQueries search(comparison, coded, screens, exclusion, k, team, stats);
  lap.to(stats.preparing);
  stats.stages = {"screens", code_kernels(coded.coding.form).name};
  stats.unbounded_rows = comparison.unbounded_rows();
  std::vector<int64_t> left = search.find(distances, indices);
  if (share) *share = search.share();
  return left;
}

}  // namespace lookalike
