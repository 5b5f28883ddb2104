// Rounding up, for all that a proof needs to be no less than it should be.
#pragma once

namespace lookalike {

inline constexpr double kUnit = 0x1p-24;   // float32's unit roundoff
inline constexpr double kSpare = 0x1p-20;  // what small relative errors add up to, at the most

inline float up(double x) { return float(x * (1 + kSpare)); }

}  // namespace lookalike
