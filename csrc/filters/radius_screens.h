// Do screens pay for all pairs within a radius, and how wide should they be? Answered on a sample; whatever
// it says, results are the same.
#pragma once

#include "rows/screens.h"

namespace lookalike {

// Screens for a self-join, of width 0 where it is better off without.
ScreenCoding choose_radius_screens(const Comparison& comparison, const Coding& coding,
                                   double radius, Team& team);

}  // namespace lookalike
