#include "rows/specification.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "kernels/dispatch.h"
#include "rows/cholesky.h"

namespace lookalike {
namespace {

constexpr double kLargest = 0x1p200;  // of weights and variances; the least is its reciprocal

// Are the parameters given, by their names, those of the metric?
bool has(const Traits& traits, const Numbers& numbers, const Arrays& arrays) {
  size_t known = 0;
  for (const char* const name : traits.parameters) {
    if (!name) break;
    if (numbers.find(name) == numbers.end()) return false;
    ++known;
  }
  if (known != numbers.size() || arrays.size() != (traits.array ? 1 : 0)) return false;
  return !traits.array || arrays.find(traits.array) != arrays.end();
}

// In the order of distances.
double total(const std::vector<double>& values) {
  double sum = 0;
  for (size_t k0 = 0; k0 < values.size(); k0 += size_t(kExactBlock)) {
    double s[8] = {};
    const size_t end = std::min(values.size(), k0 + size_t(kExactBlock));
    for (size_t k = k0; k < end; ++k) s[k % 8] += values[k];
    sum += ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
  }
  return sum;
}

bool power_of_two_or_zero(double x) {
  int exponent;
  return x == 0 || std::frexp(x, &exponent) == 0.5;
}

void set_weights(Specification& out, const MetricKernels& metric, std::vector<double> given) {
  const std::string name = metric.traits.array;
  const bool may_be_zero = name == "w";
  for (size_t k = 0; k < given.size(); ++k) {
    if (given[k] >= 1 / kLargest && given[k] <= kLargest) continue;
    if (may_be_zero && given[k] == 0) continue;
    std::ostringstream message;
    message << name << " must hold numbers from 2**-200 to 2**200" << (may_be_zero ? " or 0" : "")
            << ", got " << given[k] << " at " << k;
    throw std::invalid_argument(message.str());
  }
  const double largest = given.empty() ? 1 : *std::max_element(given.begin(), given.end());
  if (largest == 0) throw std::invalid_argument(name + " must have a number that is not 0");
  if (metric.traits.relative_weights) {
    for (double& weight : given) weight = std::ldexp(weight, -std::ilogb(largest));
  }
  const size_t padded = (given.size() + 7) / 8 * 8;
  auto arrays = std::make_shared<std::vector<double>>(2 * padded);
  metric.weigh(given.data(), int64_t(given.size()), arrays->data(), arrays->data() + padded);
  Parameters& parameters = out.parameters;
  parameters.features = int64_t(given.size());
  parameters.weights = arrays->data();
  parameters.factors = metric.traits.has_float32() ? arrays->data() + padded : nullptr;
  parameters.rounded =
      !std::all_of(arrays->begin() + std::ptrdiff_t(padded), arrays->end(), power_of_two_or_zero);
  parameters.total = total({arrays->begin(), arrays->begin() + std::ptrdiff_t(given.size())});
  out.arrays = std::move(arrays);
}

void set_linear(Specification& out, const char* name, const Array& given) {
  if (given.shape.size() != 2 || given.shape[0] != given.shape[1]) {
    throw std::invalid_argument(std::string(name) + " must be a square matrix");
  }
  const int64_t n = given.shape[0];
  auto arrays = std::make_shared<std::vector<double>>(cholesky(given.values, n, name));
  out.parameters.features = n;
  out.parameters.linear = arrays->data();
  out.arrays = std::move(arrays);
}

}  // namespace

Specification specify(const std::string& metric, const Numbers& numbers, const Arrays& arrays) {
  bool known = false;
  for (int m = 0; m < int(Metric::count); ++m) {
    if (metric != kMetricNames[m]) continue;
    known = true;
    Specification out{Metric(m), {}, nullptr};
    const MetricKernels& kernels = kernels_of(out);
    const Traits& traits = kernels.traits;
    if (!has(traits, numbers, arrays)) continue;
    for (int p = 0; p < kMostParameters && traits.parameters[p]; ++p) {
      out.parameters.value[p] = numbers.at(traits.parameters[p]);
    }
    if (!kernels.takes(out.parameters)) continue;
    if (!traits.array) return out;
    const Array& array = arrays.at(traits.array);
    if (traits.linear) {
      set_linear(out, traits.array, array);
    } else {
      if (array.shape.size() != 1) {
        throw std::invalid_argument(std::string(traits.array) + " must be 1-D");
      }
      set_weights(out, kernels, array.values);
    }
    return out;
  }
  if (!known) throw std::invalid_argument("unknown metric '" + metric + "'");
  std::ostringstream message;
  message << metric << " does not take";
  if (numbers.empty() && arrays.empty()) message << " no parameters";
  for (const auto& [name, number] : numbers) message << " " << name << " = " << number;
  for (const auto& [name, array] : arrays) message << " " << name;
  throw std::invalid_argument(message.str());
}

const MetricKernels& kernels_of(const Specification& specification) {
  return kernels().metric[int(specification.metric)];
}

}  // namespace lookalike
