// The k nearest rows of a long self-join, its rows taken in an order in which near ones share a tile.
//
// The nearest pairs of tiles come first, so that thresholds are low before most pairs are looked at, and
// rows are finished in that order, whose candidates so are in the cache. Where screens pay, they exclude
// most pairs before their codes are looked at (filters/screen_pass.h).
#pragma once

#include "filters/filter_pass.h"
#include "stats.h"

namespace lookalike {

// Does it fit, and may it pay?
bool near_order_fits(const Comparison& comparison, const Exclusion& exclusion, int64_t k);

// Throws Unsuitable where the codes would leave more than `most` candidates for each neighbour.
void near_neighbors(const Comparison& comparison, const Exclusion& exclusion, int64_t k,
                    double most, Team& team, Stats& stats, double* distances, int64_t* indices);

}  // namespace lookalike
