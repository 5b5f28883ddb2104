// An order of the rows of a self-join in which near ones share a tile, and its tiles' pairs, near ones
// first: thresholds so are low before most pairs are looked at. Results do not depend on it.
#pragma once

#include <vector>

#include "rows/screens.h"

namespace lookalike {

// A few bytes of each row by which near ones may be told, whatever the metric that `coding` is for.
ScreenRows near_coordinates(const Comparison& comparison, const Coding& coding, Team& team);

// By halving at the median of whichever of the first bytes of their screens differs most.
std::vector<int32_t> near_order(const ScreenRows& rows, Team& team);

// The row of a tile that is off most from its bytes speaks for all of it: those that are off much get
// tiles of their own, the last ones.
void worst_last(const std::vector<float>& residual, std::vector<int32_t>& order);

struct TilePair {
  int32_t i, j;  // i <= j
};
// The near pairs first; of the others neighbours in turn, so that they find each other in the cache.
// Those that are as far apart as makes no difference stay in order. Empty where they are too many to list: all of
// them are to be taken row by row.
std::vector<TilePair> near_pairs(const ScreenRows& rows, const std::vector<int32_t>& order,
                                 Team& team);

}  // namespace lookalike
