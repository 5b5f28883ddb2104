// An order of the rows of a self-join in which near ones share a tile, and its tiles' pairs, near ones
// first: thresholds so are low before most pairs are looked at. Results do not depend on it.
#pragma once

#include <vector>

#include "rows/screens.h"

namespace lookalike {

// By halving at the median of whichever of the first bytes of their screens differs most.
std::vector<int32_t> near_order(const ScreenRows& rows, Team& team);

struct TilePair {
  int32_t i, j;  // i <= j
};
// Those that are as far apart as makes no difference stay in order.
std::vector<TilePair> near_pairs(const ScreenRows& rows, const std::vector<int32_t>& order,
                                 Team& team);

}  // namespace lookalike
