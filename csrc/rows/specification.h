// What a caller asks for: a metric and its parameters. It goes from Python to the kernels.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace lookalike {

struct Specification {
  Metric metric;
  Parameters parameters;  // may point into `arrays`
  std::shared_ptr<const std::vector<double>> arrays;
};

// Parameters by name: numbers, and arrays with their shapes.
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> values;
};
using Numbers = std::map<std::string, double>;
using Arrays = std::map<std::string, Array>;

// Throws std::invalid_argument for a metric that is not known, and for parameters that it does not have,
// that it lacks or that it cannot take.
Specification specify(const std::string& metric, const Numbers& numbers, const Arrays& arrays);

// The kernels of a specification's metric.
const MetricKernels& kernels_of(const Specification& specification);

}  // namespace lookalike
