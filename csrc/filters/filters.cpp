#include "filters/filters.h"

#include "filters/code_filter.h"
#include "filters/float32_filter.h"
#include "filters/float64_filter.h"

namespace lookalike {

std::vector<Stage> stages(const Comparison& c, const CodedDatabase* database) {
  const Traits& traits = c.traits();
  if (c.cols() > kMostFilterCols) return {Stage::float64};
  const bool few = few_queries(c);
  std::vector<Stage> list;
  if (CodeFilter::fits(traits, c.filter_cols(), c.any_negative()) && (database || !few)) {
    list.push_back(Stage::codes);
  }
  if (traits.inner_product && (!few || !list.empty())) list.push_back(Stage::products);
  list.push_back(traits.has_float32() ? Stage::differences : Stage::float64);
  return list;
}

RowNeeds filter_needs(const Traits& traits) {
  const RowNeeds codes = CodeFilter::needs(traits), float32 = Float32Filter::needs(traits);
  return {codes.residual || float32.residual, codes.weight || float32.weight,
          codes.square || float32.square};
}

std::unique_ptr<Filter> make_filter(Stage stage, const Comparison& c, const CodedDatabase* database,
                                    Team& team) {
  switch (stage) {
    case Stage::codes:
      return std::make_unique<CodeFilter>(c, database, team);
    case Stage::products:
    case Stage::differences:
      return std::make_unique<Float32Filter>(c, stage == Stage::products, team.threads());
    default:
      return std::make_unique<Float64Filter>(c, team.threads());
  }
}

}  // namespace lookalike
