#include "search/merge.h"

#include <algorithm>
#include <limits>

namespace lookalike {
namespace {

// Where one row's list of a part is read.
struct Cursor {
  const double* distance;
  const int64_t* index;
  const int64_t* end;

  bool done() const { return index == end || *index < 0; }
  bool before(const Cursor& b) const {
    return *distance < *b.distance || (*distance == *b.distance && *index < *b.index);
  }
  bool in_order() const {
    for (Cursor c = *this; !c.done();) {
      Cursor next = c;
      next.step();
      if (*c.distance != *c.distance || (!next.done() && !c.before(next))) return false;
      c = next;
    }
    return true;
  }
  void step() {
    ++distance;
    ++index;
  }
};

}  // namespace

void merge(const std::vector<NearestPart>& parts, int64_t rows, int64_t k, bool short_lists,
           Team& team, double* distances, int64_t* indices) {
  std::vector<std::vector<Cursor>> cursors(size_t(team.threads()));
  std::vector<std::vector<int64_t>> found(cursors.size());
  const double cost = double(rows) * double(k) * double(parts.size()) * 8;
  team.run(rows, cost, [&](int64_t row, int worker) {
    std::vector<Cursor>& list = cursors[size_t(worker)];
    list.clear();
    for (size_t p = 0; p < parts.size(); ++p) {
      const int64_t begin = row * parts[p].width, end = begin + parts[p].width;
      list.push_back(
          {parts[p].distances + begin, parts[p].indices + begin, parts[p].indices + end});
      if (!list.back().in_order()) throw BadPart(BadPart::Why::unordered, int64_t(p), row);
    }
    double* const to = distances + row * k;
    int64_t* const to_index = indices + row * k;
    for (int64_t c = 0; c < k; ++c) {
      Cursor* least = nullptr;
      for (Cursor& each : list) {
        if (!each.done() && (!least || each.before(*least))) least = &each;
      }
      if (!least && !short_lists) throw BadPart(BadPart::Why::too_few, 0, row);
      to[c] = least ? *least->distance : std::numeric_limits<double>::infinity();
      to_index[c] = least ? *least->index : -1;
      if (!least) continue;
      least->step();
    }
    // At one distance or at two.
    std::vector<int64_t>& sorted = found[size_t(worker)];
    sorted.assign(to_index, std::find(to_index, to_index + k, -1));
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      throw BadPart(BadPart::Why::repeated, 0, row);
    }
  });
}

}  // namespace lookalike
