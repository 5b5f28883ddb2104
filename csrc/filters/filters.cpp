#include "filters/filters.h"

#include "filters/code_filter.h"
#include "filters/float32_filter.h"

namespace lookalike {

std::vector<Stage> stages(const Comparison& c, const CodedDatabase* database) {
  if (few_queries(c) && !(database && CodeFilter::fits(c))) return {Stage::differences};
  const bool squares = c.traits().combine == Combine::root_of_sum;
  if (CodeFilter::fits(c)) {
    if (squares) return {Stage::codes, Stage::products, Stage::differences};
    return {Stage::codes, Stage::differences};
  }
  if (squares) return {Stage::products, Stage::differences};
  return {Stage::differences};
}

std::unique_ptr<Filter> make_filter(Stage stage, const Comparison& c, const CodedDatabase* database,
                                    Team& team) {
  if (stage == Stage::codes) return std::make_unique<CodeFilter>(c, database, team);
  const bool products = stage == Stage::products;
  return std::make_unique<Float32Filter>(c, products, team.threads());
}

}  // namespace lookalike
