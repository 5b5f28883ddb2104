#include "rows/specification.h"

#include <stdexcept>

#include "kernels/dispatch.h"

namespace lookalike {
namespace {

// The numbers and the array that a metric takes are just those given.
bool takes(const Traits& traits, const Numbers& numbers, const Arrays& arrays) {
  size_t known = 0;
  for (const char* const name : traits.parameters) {
    if (!name) break;
    if (numbers.find(name) == numbers.end()) return false;
    ++known;
  }
  return known == numbers.size() && arrays.empty();
}

}  // namespace

Specification specify(const std::string& metric, const Numbers& numbers, const Arrays& arrays) {
  bool known = false;
  for (int m = 0; m < int(Metric::count); ++m) {
    if (metric != kMetricNames[m]) continue;
    known = true;
    Specification out{Metric(m), {}, nullptr};
    const Traits& traits = kernels_of(out).traits;
    if (!takes(traits, numbers, arrays)) continue;
    for (int p = 0; p < kMostParameters && traits.parameters[p]; ++p) {
      out.parameters.value[p] = numbers.at(traits.parameters[p]);
    }
    return out;
  }
  if (!known) throw std::invalid_argument("unknown metric '" + metric + "'");
  std::string given;
  for (const auto& [name, number] : numbers) given += " " + name;
  for (const auto& [name, array] : arrays) given += " " + name;
  throw std::invalid_argument(metric + " does not take the parameters" +
                              (given.empty() ? " (none)" : given));
}

const MetricKernels& kernels_of(const Specification& specification) {
  return kernels().metric[int(specification.metric)];
}

}  // namespace lookalike
