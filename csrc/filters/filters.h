// The stages a search can begin with, cheapest first. Each looks at all pairs of a tile and gives a
// value with a proven error (bounds.h); what it cannot exclude goes on to the float64 distances.
#pragma once

#include <memory>
#include <vector>

#include "filters/bounds.h"

namespace lookalike {

struct CodedDatabase;

class Filter {
 public:
  virtual ~Filter() = default;
  virtual const char* name() const = 0;
  // value of pair (i, j) of the tile at [i * kTile + j]
  virtual float* values(const Tile& tile, int worker) = 0;
  virtual bool row_major() const { return false; }
  const Bounds& bounds() const { return bounds_; }

 protected:
  Bounds bounds_{};
};

// Thrown where a filter excludes too little.
struct Unsuitable {};

enum class Stage { codes, products, differences, float64 };
// Those that fit the comparison; the last always does. `database` is y as it was coded before, or null.
std::vector<Stage> stages(const Comparison& comparison, const CodedDatabase* database);
// What these need to know of rows.
RowNeeds filter_needs(const Traits& traits);
std::unique_ptr<Filter> make_filter(Stage stage, const Comparison& comparison,
                                    const CodedDatabase* database, Team& team);

}  // namespace lookalike
