// What pairs cost, in nanoseconds of one thread as they were measured on one CPU; only their ratios matter.
#pragma once

namespace lookalike {

inline constexpr double kCodeByte = 0.0053, kScreenByte = 0.0052;  // of a pair, in a tile
inline constexpr double kFinish = 5, kFinishByte = 0.009;          // of a pair by itself
inline constexpr double kFixedProduct = 0.012;                     // of two numbers of a projection
inline constexpr double kProduct = 0.025;                          // of two float32

}  // namespace lookalike
