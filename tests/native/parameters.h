// Metrics with parameters, for programs that go through all of them.
#pragma once

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "rows/specification.h"

namespace lookalike {

// The metric with some parameters, or another of its name where these are too many to make.
inline Specification with_some_parameters(Metric metric, int64_t cols) {
  const Traits& traits = kernels().metric[int(metric)].traits;
  Arrays arrays;
  if (traits.linear && cols <= 400) {
    Array& array = arrays[traits.array] = {{cols, cols}, std::vector<double>(size_t(cols * cols))};
    for (int64_t i = 0; i < cols; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        const double entry = i == j ? 1.5 + double(i % 3) : std::abs(i - j) == 1 ? 0.6 : 0;
        array.values[size_t(i * cols + j)] = entry;
      }
    }
  } else if (traits.array && !traits.linear) {
    Array& array = arrays[traits.array] = {{cols}, std::vector<double>(size_t(cols))};
    constexpr double kSome[] = {0.5, 1, 3.7, 1e-3, 2, 0};
    const int kinds = std::string(traits.array) == "w" ? 6 : 5;
    for (int64_t k = 0; k < cols; ++k) array.values[size_t(k)] = kSome[k % kinds];
  }
  for (const double number : {3.0, 2.5}) {
    Numbers numbers;
    for (const char* const name : traits.parameters) {
      if (name) numbers[name] = number;
    }
    if (traits.linear && arrays.empty()) break;
    Specification out = specify(kMetricNames[int(metric)], numbers, arrays);
    if (out.metric == metric) return out;
  }
  return specify(kMetricNames[0], {}, {});
}

}  // namespace lookalike
