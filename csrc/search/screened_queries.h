// Queries as a database with screens is: their screens, their codes, and what a threshold excludes.
#pragma once

#include "filters/code_filter.h"
#include "kernels/dispatch.h"
#include "search/screened_database.h"

namespace lookalike {

// Some queries' second screens as panels.
struct SecondPanels {
  int64_t count = 0;  // whole panels of them
  std::vector<uint8_t> bytes;
  std::vector<int32_t> square;
};

class ScreenedQueries {
 public:
  ScreenedQueries(const Comparison& comparison, const CodedDatabase& coded,
                  const ScreenedDatabase& screens, Team& team);

  // Of full codes.
  const Bounds& bounds() const { return bounds_; }

  // The first screen's values of queries [i, i + queries) for rows [first, first + n), `first` being the
  // first of a panel, and what is beyond 65,535 that; `room` of them lie between a query's and the next
  // one's.
  void values(int64_t i, int64_t queries, int64_t first, int64_t n, uint16_t* out,
              int64_t room) const;
  // Above which of them rows of a tile are excluded, T being query i's threshold in units of bounds().
  uint16_t limit(int64_t i, float threshold, int64_t tile) const;
  // Moves those of n listed rows that the second screen, if there is one, leaves to the front; how many
  // they are. The rows are of two tiles, or of those between them; `values` is overwritten. Adds to
  // `step` how many its first bytes leave.
  int within_second(int64_t i, float threshold, int64_t first_tile, int64_t last_tile,
                    float* values, int32_t* rows, int n, int64_t& step) const;
  // Asks memory for what will be read of listed rows: by within_second first, and by code_values.
  void prefetch_second(const int32_t* rows, int n) const;
  void prefetch_codes(const int32_t* rows, int n) const;
  // The values of the full codes of listed rows.
  void code_values(int64_t i, const int32_t* rows, int64_t n, float* out) const;

  // The second screens, if there are any, of all rows [first, first + n) against those of queries: of each
  // row and panel the queries that it leaves, up to minus `least`. `first` is the first of a tile; the masks
  // have room for whole panels of rows.
  SecondPanels second_panels(int64_t first, int64_t queries) const;
  int32_t least(int64_t i, float threshold, int64_t first_tile, int64_t last_tile) const;
  void second_masks(const SecondPanels& panels, const int32_t* least, int64_t first, int64_t n,
                    uint16_t* masks) const;

 private:
  // `half`: values are halves of squares.
  float limit_of(size_t level, int64_t i, float threshold, float most, bool half) const;

  float most_of_second(int64_t first_tile, int64_t last_tile) const;

  const std::vector<ScreenLevel>& levels_;
  const CodedDatabase& database_;
  const int64_t rows_, cols_;
  const CodedSide coded_;
  const Bounds bounds_;
  const CodeKernels& kernels_;
  std::vector<ScreenRows> asked_;  // at each level; of products signed
};

}  // namespace lookalike
