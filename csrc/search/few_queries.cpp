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

constexpr int64_t kAtOnce = 8 * kTile;    // rows that are looked at together
constexpr int64_t kTogether = 4 * kTile;  // whose codes the second-level cache has room for
// Values of a thread, and of how many queries at least: two megabytes, or up to sixteen.
constexpr int64_t kValues = int64_t(1) << 20, kMostValues = int64_t(1) << 23, kAtLeast = 16;
// From so many queries on, of which so many want a row, its second screen is compared with all.
constexpr int64_t kFewest = 8;
constexpr double kDense = 0.12;
constexpr int64_t kMost = 128;  // queries at a time
// Of many rows a sample takes one in so many, some together.
constexpr int64_t kManyRows = 16384, kOneIn = 32, kSome = 4;

struct Ranked {
  double distance;
  int32_t index;
  bool operator<(const Ranked& b) const {
    return distance < b.distance || (distance == b.distance && index < b.index);
  }
};

// Rows that a screen put near, and their values by codes.
struct Seeds {
  std::vector<float> values;
  std::vector<int32_t> indices;
  void clear() {
    values.clear();
    indices.clear();
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
        wanted_(std::min(5 * k + 64, rows_)),
        team_(team),
        stats_(stats),
        exact_(comparison, team.threads()),
        workers_(size_t(team.threads())) {}

  std::vector<int64_t> find(double* distances, int64_t* indices) {
    const int64_t queries = comparison_.x().rows.matrix.rows;
    room_ = (rows_ + kAtOnce - 1) / kAtOnce * kAtOnce;
    const int64_t values =
        team_.threads() * std::clamp(kAtLeast * room_ / team_.threads(), kValues, kMostValues);
    const int64_t together = std::clamp<int64_t>(values / room_, 1, std::min(queries, kMost));
    values_ = Buffer<uint16_t>(size_t(together * room_));
    searches_ = std::vector<Search>(size_t(together));
    for (Worker& w : workers_) {
      w.seeds.resize(size_t(together));
      w.lists.resize(size_t(together * (kAtOnce + 64)));
      w.counts.resize(size_t(together));
      w.ranked.resize(size_t(together));
    }
    std::vector<int64_t> left;
    for (int64_t first = 0; first < queries; first += together) {
      const int64_t some = std::min(together, queries - first);
      const double begin = double(first) / double(queries), part = double(some) / double(queries);
      batch(first, some, begin, part, distances, indices);
      for (int64_t q = 0; q < some; ++q) {
        if (!searches_[size_t(q)].helped) left.push_back(first + q);
      }
    }
    return left;
  }

  // Which parts of the rows the screens left.
  ScreenedShare share() const {
    ScreenedShare share;
    const double pairs = double(comparison_.x().rows.matrix.rows) * double(rows_);
    for (const Worker& w : workers_) {
      share.first += double(w.after_first) / pairs;
      share.step += double(w.after_step) / pairs;
      share.second += double(w.after_second) / pairs;
    }
    return share;
  }

 private:
  // Kept from batch to batch: memory that the system has to clear costs as much as a query.
  struct Worker {
    std::vector<float> values = std::vector<float>(kAtOnce + 64), sample;
    std::vector<int32_t> rows = std::vector<int32_t>(kAtOnce + 64), candidates;
    std::vector<std::pair<float, int32_t>> order;
    std::vector<double> distances;
    std::vector<uint16_t> masks;
    std::vector<int32_t> least;
    // Of each query.
    std::vector<int32_t> lists;
    std::vector<int> counts, asking;
    int32_t* list(int64_t q) { return &lists[size_t(q * (kAtOnce + 64))]; }
    std::vector<Seeds> seeds;
    std::vector<std::vector<Ranked>> ranked;
    int64_t after_first = 0, after_step = 0, after_second = 0;
  };
  struct Search {
    int64_t query = 0;
    const uint16_t* values = nullptr;
    bool helped = false;  // by the screens
    uint16_t seed_limit = 0;
    float threshold = 0;
    std::atomic<int64_t> seeds{0}, left{0};
    std::vector<Ranked> ranked;
    std::vector<int32_t> known;  // of `ranked`, in order
  };

  // One phase after the other for the queries [first, first + some).
  void batch(int64_t first, int64_t some, double begin, double part, double* distances,
             int64_t* indices) {
    for (int64_t q = 0; q < some; ++q) {
      Search& s = searches_[size_t(q)];
      s.query = first + q;
      s.values = values_.get() + q * room_;
      s.seeds = s.left = 0;
      for (Worker& w : workers_) {
        w.seeds[size_t(q)].clear();
        w.ranked[size_t(q)].clear();
      }
    }
    // A query alone goes the common way in less time; of many it is one more.
    most_ = some >= kFewest ? rows_ : ScreenedDatabase::most_left(rows_);
    panels_ = some >= kFewest ? asked_.second_panels(first, some) : SecondPanels();
    const int64_t blocks = room_ / kAtOnce;
    const auto phase = [&](int64_t units, double until, std::atomic<int64_t>& time, auto body) {
      return Phase{units,
                   [this, body, &time](int64_t unit, int worker) {
                     Lap lap;
                     body(unit, workers_[size_t(worker)], worker);
                     lap.to(time);
                   },
                   begin + until * part};
    };
    const auto of_each = [this](auto body) {
      return [this, body](int64_t q, Worker& w, int worker) {
        body(searches_[size_t(q)], size_t(q), w, worker);
      };
    };
    const auto of_block = [this, some](auto body) {
      return [this, some, body](int64_t unit, Worker& w, int worker) {
        const int64_t from = unit * kAtOnce, to = std::min(rows_, from + kAtOnce);
        for (int64_t q = 0; q < some; ++q) {
          body(searches_[size_t(q)], size_t(q), w, worker, from, to);
        }
      };
    };
    team_.run(
        {phase(blocks, 0.4, stats_.screening,
               [=](int64_t unit, Worker&, int) {
                 const int64_t from = unit * kAtOnce;
                 asked_.values(first, some, from, std::min(kAtOnce, rows_ - from),
                               values_.get() + from, room_);
               }),
         phase(some, 0.42, stats_.bookkeeping,
               of_each([=](Search& s, size_t, Worker& w, int) { limit_seeds(s, w); })),
         phase(blocks, 0.45, stats_.bookkeeping,
               of_block([=](Search& s, size_t q, Worker& w, int, int64_t from, int64_t to) {
                 find_seeds(s, w, w.seeds[q], from, to);
               })),
         phase(some, 0.5, stats_.refining, of_each([=](Search& s, size_t q, Worker& w, int worker) {
                 start(s, q, w, worker);
               })),
         phase(blocks, 0.95, stats_.filtering,
               [=](int64_t unit, Worker& w, int worker) {
                 const int64_t from = unit * kAtOnce;
                 survivors(some, w, worker, from, std::min(rows_, from + kAtOnce));
               }),
         phase(some, 1, stats_.bookkeeping, of_each([=](Search& s, size_t q, Worker&, int) {
                 finish(s, q, distances + s.query * k_, indices + s.query * k_);
               }))},
        double(some) * double(rows_) * 64, begin);
    stats_.pairs.fetch_add(some * rows_, std::memory_order_relaxed);
  }

  // Below which of the first screen's values some `wanted_` rows are, by a sample.
  void limit_seeds(Search& s, Worker& w) const {
    const int64_t step = rows_ < kManyRows ? kSome : kOneIn * kSome;
    w.sample.resize(size_t((rows_ / step + 1) * kSome));
    int64_t taken = 0;
    for (int64_t j = 0; j + kSome <= rows_; j += step) {
      for (int64_t c = 0; c < kSome; ++c) w.sample[size_t(taken + c)] = s.values[j + c];
      taken += kSome;
    }
    const int64_t share = std::clamp<int64_t>((wanted_ * taken + rows_ - 1) / rows_, 6, taken);
    s.seed_limit = uint16_t(kernels().kth_smallest(w.sample.data(), taken, share));
  }

  void find_seeds(Search& s, Worker& w, Seeds& seeds, int64_t from, int64_t to) const {
    // Of rows at one distance there may be any number.
    if (s.seeds.load(std::memory_order_relaxed) > 8 * wanted_) return;
    const int found = kernels().up_to(s.values + from, int(to - from), s.seed_limit, int32_t(from),
                                      w.rows.data());
    int n = 0;
    for (int c = 0; c < found; ++c) {
      const int32_t other = w.rows[size_t(c)];
      w.rows[size_t(n)] = other;
      n += !exclusion_.excludes(s.query, other);
    }
    asked_.code_values(s.query, w.rows.data(), n, w.values.data());
    seeds.values.insert(seeds.values.end(), w.values.begin(), w.values.begin() + n);
    seeds.indices.insert(seeds.indices.end(), w.rows.begin(), w.rows.begin() + n);
    s.seeds.fetch_add(n, std::memory_order_relaxed);
  }

  // The threshold: the k-th distance of seeds, those first that are nearest by their codes.
  void start(Search& s, size_t q, Worker& w, int worker) {
    s.ranked.clear();
    s.known.clear();
    s.helped = s.seeds >= k_;
    if (!s.helped) return;
    w.order.clear();
    for (const Worker& other : workers_) {
      const Seeds& seeds = other.seeds[q];
      for (size_t c = 0; c < seeds.indices.size(); ++c) {
        w.order.push_back({seeds.values[c], seeds.indices[c]});
      }
    }
    std::nth_element(w.order.begin(), w.order.begin() + (k_ - 1), w.order.end());
    for (int64_t c = 0; c < k_; ++c) s.known.push_back(w.order[size_t(c)].second);
    rank(s.query, s.known, w, worker, s.ranked);
    const auto farthest = std::max_element(s.ranked.begin(), s.ranked.end());
    s.threshold = asked_.bounds().threshold(comparison_, farthest->distance);
    s.helped = s.threshold < std::numeric_limits<float>::infinity();
    std::sort(s.known.begin(), s.known.end());
  }

  // The float64 distances of rows that the screens and codes leave among [from, to), but for those known.
  void survivors(int64_t some, Worker& w, int worker, int64_t from, int64_t to) {
    const int64_t first_tile = from / kTile, last_tile = (to - 1) / kTile;
    int64_t left = 0;
    for (int64_t q = 0; q < some; ++q) {
      Search& s = searches_[size_t(q)];
      int& n = w.counts[size_t(q)];
      n = 0;
      if (!s.helped || s.left.load(std::memory_order_relaxed) > most_) continue;
      for (int64_t j = from; j < to; j += kTile) {
        n += kernels().up_to(s.values + j, int(std::min<int64_t>(kTile, to - j)),
                             asked_.limit(s.query, s.threshold, j / kTile), int32_t(j),
                             w.list(q) + n);
      }
      if (some > 1) asked_.prefetch_second(w.list(q), n);
      left += n;
    }
    w.after_first += left;
    if (panels_.count > 0 && double(left) > kDense * double(panels_.count) * double(to - from)) {
      w.asking.assign(w.counts.begin(), w.counts.begin() + some);
      for (int64_t j = from; j < to; j += kTogether) {
        compare_all(some, w, j, std::min(to, j + kTogether));
        for (int64_t q = 0; q < some; ++q) compute(q, w, worker);
      }
      return;
    }
    for (int64_t q = 0; q < some; ++q) {
      const Search& s = searches_[size_t(q)];
      int& n = w.counts[size_t(q)];
      n = asked_.within_second(s.query, s.threshold, first_tile, last_tile, w.values.data(),
                               w.list(q), n, w.after_step);
      asked_.prefetch_codes(w.list(q), n);
    }
    for (int64_t q = 0; q < some; ++q) compute(q, w, worker);
  }

  // The second screens of all rows [from, to): lists what they leave to queries that ask.
  void compare_all(int64_t some, Worker& w, int64_t from, int64_t to) {
    const int64_t across = panels_.count / kScreenRows;
    w.least.assign(size_t(panels_.count), 2);  // of nobody: a value is 1 at the most
    for (int64_t q = 0; q < some; ++q) {
      const Search& s = searches_[size_t(q)];
      w.counts[size_t(q)] = 0;
      if (w.asking[size_t(q)] == 0) continue;
      w.least[size_t(q)] = asked_.least(s.query, s.threshold, from / kTile, (to - 1) / kTile);
    }
    w.masks.resize(size_t(kTogether * across));
    asked_.second_masks(panels_, w.least.data(), from, to - from, w.masks.data());
    for (int64_t r = 0; r < to - from; ++r) {
      const auto row = int32_t(from + r);
      bool any = false;
      for (int64_t p = 0; p < across; ++p) {
        for (unsigned mask = w.masks[size_t(r * across + p)]; mask; mask &= mask - 1) {
          const int64_t q = p * kScreenRows + __builtin_ctz(mask);
          w.list(q)[w.counts[size_t(q)]++] = row;
          any = true;
        }
      }
      if (any) asked_.prefetch_codes(&row, 1);
    }
  }

  // The float64 distances of those of listed rows that codes leave.
  void compute(int64_t q, Worker& w, int worker) {
    Search& s = searches_[size_t(q)];
    int32_t* const rows = w.list(q);
    int n = w.counts[size_t(q)];
    if (n == 0) return;
    w.after_second += n;
    s.left.fetch_add(n, std::memory_order_relaxed);
    asked_.code_values(s.query, rows, n, w.values.data());
    n = kernels().within(asked_.bounds().limit(s.threshold, s.query), w.values.data(), rows, n);
    stats_.candidates.fetch_add(n, std::memory_order_relaxed);
    w.candidates.clear();
    for (int c = 0; c < n; ++c) {
      if (std::binary_search(s.known.begin(), s.known.end(), rows[c])) continue;
      if (!exclusion_.excludes(s.query, rows[c])) w.candidates.push_back(rows[c]);
    }
    rank(s.query, w.candidates, w, worker, w.ranked[size_t(q)]);
  }

  void rank(int64_t query, const std::vector<int32_t>& rows, Worker& w, int worker,
            std::vector<Ranked>& out) {
    const auto n = int64_t(rows.size());
    w.distances.resize(size_t(n));
    exact_.row(worker, int32_t(query), rows.data(), n, w.distances.data());
    for (size_t c = 0; c < rows.size(); ++c) out.push_back({w.distances[c], rows[c]});
    stats_.refined.fetch_add(n, std::memory_order_relaxed);
  }

  void finish(Search& s, size_t q, double* distances, int64_t* indices) {
    s.helped = s.helped && s.left <= most_;
    if (!s.helped) return;
    for (const Worker& w : workers_) {
      s.ranked.insert(s.ranked.end(), w.ranked[q].begin(), w.ranked[q].end());
    }
    std::partial_sort(s.ranked.begin(), s.ranked.begin() + k_, s.ranked.end());
    for (int64_t c = 0; c < k_; ++c) {
      distances[c] = s.ranked[size_t(c)].distance;
      indices[c] = s.ranked[size_t(c)].index;
    }
  }

  const Comparison& comparison_;
  const ScreenedQueries asked_;
  const Exclusion& exclusion_;
  const int64_t k_, rows_, wanted_;
  int64_t most_ = 0;  // left of the rows, or a query is not helped
  int64_t room_ = 0;  // values of a query
  Team& team_;
  Stats& stats_;
  ExactDistances exact_;
  Buffer<uint16_t> values_;
  SecondPanels panels_;  // of the batch's queries
  std::vector<Worker> workers_;
  std::vector<Search> searches_;
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
