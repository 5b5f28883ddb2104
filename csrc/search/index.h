// A database prepared once for any number of searches: checked, surveyed and coded in 8 bits. A search
// then reads one byte a feature instead of four, and nothing twice.
#pragma once

#include <functional>
#include <memory>

#include "rows/coding.h"
#include "search/neighbors.h"

namespace lookalike {

class Index {
 public:
  // `rows` must stay as they are. Throws NotFinite for side 1.
  Index(const MatrixView& rows, Metric metric, Team& team);

  // What save and restore pass on: a name and bytes. The codes are the only large one.
  struct Part {
    const void* data;
    int64_t bytes;
  };
  using Parts = std::function<Part(const char* name)>;
  // The index whose `parts` these are, of the same rows. Its codes are used where they lie. Throws
  // std::invalid_argument where a part does not fit.
  Index(const MatrixView& rows, Metric metric, const Parts& parts, Team& team);
  void parts(const std::function<void(const char* name, Part)>& take) const;

  // As the function of this name.
  void neighbors(const MatrixView& x, int64_t k, Team& team, Stats& stats, double* distances,
                 int64_t* indices) const;
  const MatrixView& rows() const { return side_->rows.matrix; }
  const char* stage() const;

 private:
  struct Facts;
  template <class F>
  void each_vector(F visit);

  Metric metric_;
  std::shared_ptr<Side> side_;
  std::unique_ptr<CodedDatabase> coded_;  // null where the rows cannot be
};

}  // namespace lookalike
