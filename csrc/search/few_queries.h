// A few queries of a database that has screens.
#pragma once

#include "search/neighbors.h"
#include "search/screened_database.h"

namespace lookalike {

// Finds the k nearest of each row of x exactly, as `neighbors` does. Returns the rows for which the
// screens exclude too little, in order: of these nothing is found.
std::vector<int64_t> nearest_of_few(const Comparison& comparison, const CodedDatabase& coded,
                                    const ScreenedDatabase& screens, const Exclusion& exclusion,
                                    int64_t k, Team& team, Stats& stats, double* distances,
                                    int64_t* indices, ScreenedShare* share = nullptr);

}  // namespace lookalike
