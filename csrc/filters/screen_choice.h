// Do screens pay, and how wide should they be? Answered on a sample; whatever it says, results are the same.
#pragma once

#include "rows/screens.h"

namespace lookalike {

enum class UseScreens { never, if_they_pay, always };
// LOOKALIKE_SCREENS, which tests set to `never` or `always`; read once.
UseScreens use_screens();

// Screens for a self-join that looks for k neighbours, of width 0 where it is better off without.
ScreenCoding choose_screens_for(const Comparison& comparison, const Coding& coding, int64_t k,
                                Team& team);

}  // namespace lookalike
