// Queries as a database with screens is: their screens, their codes, and what a threshold excludes.
#pragma once

#include "filters/code_filter.h"
#include "kernels/dispatch.h"
#include "search/screened_database.h"

namespace lookalike {

class ScreenedQueries {
 public:
  ScreenedQueries(const Comparison& comparison, const CodedDatabase& coded,
                  const ScreenedDatabase& screens, Team& team);

  // Of full codes.
  const Bounds& bounds() const { return bounds_; }
  // Above which values of a level rows are excluded, T being query i's threshold in units of bounds().
  CandidateLimit limit(size_t level, int64_t i, float threshold) const;

  // Called before the first screen of rows [first, first + n) is read.
  void check(int64_t first, int64_t n) const;
  // The first screen's values for rows [first, first + n), `first` being the first of a panel.
  void values(int64_t i, int64_t first, int64_t n, float* out) const;
  // Moves those of n listed rows that the second screen, if there is one, leaves to the front; how many
  // they are. `values` is overwritten.
  int within_second(int64_t i, float threshold, float* values, int32_t* rows, int n) const;
  // The values of the full codes of listed rows.
  void code_values(int64_t i, const int32_t* rows, int64_t n, float* out) const;

 private:
  struct Asked {
    ScreenRows rows;
    std::vector<float> residual;  // in the level's units
  };
  ScreenQuery query(size_t level, int64_t i, const uint8_t* others, int64_t first, int64_t n,
                    float* out) const;

  const std::vector<ScreenLevel>& levels_;
  const CodedDatabase& database_;
  const int64_t rows_, cols_;
  const CodedSide coded_;
  const Bounds bounds_;
  const CodeKernels& kernels_;
  std::vector<Asked> asked_;
};

}  // namespace lookalike
