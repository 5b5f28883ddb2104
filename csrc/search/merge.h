// Lists of nearest rows that were found apart, as one.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "threads/team.h"

namespace lookalike {

// For each row the nearest among some of the rows that could be found: (rows, width), by distance,
// then by index. A negative index ends a list early.
struct NearestPart {
  const double* distances;
  const int64_t* indices;
  int64_t width;
};

struct BadPart : std::runtime_error {
  enum class Why { unordered, repeated, too_few };
  BadPart(Why why_, int64_t part_, int64_t row_)
      : std::runtime_error("bad part"), why(why_), part(part_), row(row_) {}
  Why why;
  int64_t part, row;
};

// The k nearest of all parts' rows. Where there are fewer, the list ends with index -1 at distance
// infinity if `short_lists` may be, and BadPart is thrown else, as for lists that are not in order or
// have a row in common.
void merge(const std::vector<NearestPart>& parts, int64_t rows, int64_t k, bool short_lists,
           Team& team, double* distances, int64_t* indices);

}  // namespace lookalike
