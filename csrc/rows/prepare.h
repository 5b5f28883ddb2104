// One comparison's rows: checked, surveyed, and ready for the kernels.
#pragma once

#include <memory>
#include <vector>

#include "kernels/kernels.h"
#include "team.h"

namespace lookalike {

// A value that is not finite; `side` is 0 for the first matrix, 1 for the second.
struct NotFinite : std::runtime_error {
  NotFinite(int side_, int64_t row_) : std::runtime_error("not finite"), side(side_), row(row_) {}
  int side;
  int64_t row;
};

struct Side {
  Rows rows{};
  std::vector<RowScale> scales;
  std::vector<uint8_t> flags;
  // Only with filters: see `measure`; Σ|x| if no value is negative; Σx² of the filter rows, nearly, if
  // the norm is a root of squares.
  std::vector<float> residual, weight, square;
  uint8_t any = 0;  // flags of any row
  int64_t unbounded = 0;

  Side() = default;
  Side(const Side&) = delete;  // `rows` points into the vectors
  Side& operator=(const Side&) = delete;
};

// Surveys the rows of a database and prepares them for queries that are not known yet. Throws
// NotFinite for side 1.
std::shared_ptr<Side> prepare_database(const MatrixView& y, Metric metric, Team& team);

class Comparison {
 public:
  // For float64 alone, `with_filters` may be false. In a self-join x and y are the same side.
  Comparison(const MatrixView& x, const MatrixView* y, Metric metric, bool with_filters,
             Team& team);
  // With a database that has been prepared.
  Comparison(const MatrixView& x, std::shared_ptr<const Side> y, Metric metric, Team& team);

  const MetricKernels& kernels() const { return kernels_; }
  const Traits& traits() const { return kernels_.traits; }
  bool self() const { return !second_; }
  const Side& x() const { return first_; }
  const Side& y() const { return second_ ? *second_ : first_; }
  int64_t cols() const { return first_.rows.matrix.cols; }
  double filter_scale() const { return first_.rows.filter_scale; }
  bool any_degenerate() const { return first_.rows.filter_cols > cols(); }
  bool any_negative() const { return (first_.any | y().any) & kNegative; }
  int64_t unbounded_rows() const { return first_.unbounded + (second_ ? second_->unbounded : 0); }

  // The pair's weight is the sum of the two rows' (Σ|u+v| of rows without negative values).
  bool weights_add_up() const { return traits().weighted && !any_negative(); }

 private:
  const MetricKernels& kernels_;
  Side first_;
  std::shared_ptr<const Side> second_;
};

}  // namespace lookalike
