// Rounding up, for all that a proof needs to be no less than it should be.
#pragma once

namespace lookalike {

inline constexpr double kUnit = 0x1p-24;   // float32's unit roundoff
inline constexpr double kSpare = 0x1p-20;  // what small relative errors add up to, at the most

// Added where float32 sums and products of a bound may fall below the normal range: there roundings
// are no longer relative, each may lose 2^-150.
inline constexpr float kLeastNormal = 0x1p-126f;

// No less than x, and 0 or normal.
inline float up(double x) {
  const auto rounded = float(x * (1 + kSpare));
  return x > 0 && rounded < kLeastNormal ? kLeastNormal : rounded;
}

}  // namespace lookalike
