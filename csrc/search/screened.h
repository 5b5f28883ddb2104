// The k nearest rows of a self-join by screens, which exclude most pairs before their features are
// looked at: see filters/screen_pass.h.
#pragma once

#include "filters/filter_pass.h"
#include "stats.h"

namespace lookalike {

// False, and nothing done, where screens do not fit or would not pay.
bool screened_neighbors(const Comparison& comparison, const Exclusion& exclusion, int64_t k,
                        Team& team, Stats& stats, double* distances, int64_t* indices);

}  // namespace lookalike
