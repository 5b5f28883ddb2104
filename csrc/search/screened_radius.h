// All pairs of a self-join within a radius by screens, which exclude most pairs before their features
// are looked at: see filters/screen_pass.h.
#pragma once

#include "filters/filter_pass.h"
#include "search/found_pairs.h"
#include "stats.h"

namespace lookalike {

// False, and nothing done, where screens do not fit or would not pay.
bool screened_radius(const Comparison& comparison, const Exclusion& exclusion, double radius,
                     Team& team, Stats& stats, FoundPairs& found);

}  // namespace lookalike
