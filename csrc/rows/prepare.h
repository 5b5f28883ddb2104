// One comparison's rows: checked, surveyed, and ready for the kernels.
#pragma once

#include <memory>
#include <stdexcept>
#include <vector>

#include "checksums.h"
#include "memory.h"
#include "rows/specification.h"
#include "threads/team.h"

namespace lookalike {

// A row that cannot be compared; `side` is 0 for the first matrix, 1 for the second.
struct BadRow : std::runtime_error {
  enum class Why { not_finite, negative, out_of_range, no_sum };
  BadRow(Why why_, int side_, int64_t row_)
      : std::runtime_error("bad row"), why(why_), side(side_), row(row_) {}
  Why why;
  int side;
  int64_t row;
};

// What is to be known of every row beyond its survey. Filters say what they need (filters.h); just
// that is prepared, kept in an index file, and looked for when one is opened.
struct RowNeeds {
  bool residual = false;  // see `measure` in exact-inl.h
  bool weight = false;    // Σ|x|
  bool square = false;    // Σx² of the filter row, nearly
};

struct Side {
  Rows rows{};
  Buffer<double> mapped;         // the rows of a linear metric
  std::vector<RowScale> scales;  // of unit rows
  std::vector<uint8_t> flags;
  std::vector<float> residual, weight, square;  // as needed, else empty
  uint8_t any = 0;                              // flags of any row
  int64_t unbounded = 0;

  Side() = default;
  Side(const Side&) = delete;  // `rows` points into the vectors
  Side& operator=(const Side&) = delete;

  const GuardedBytes* guard = nullptr;  // of the matrix, where it lies in a file

  bool any_negative() const { return any & kNegative; }
  // Called before rows [begin, end) of the matrix are read. Throws Damaged.
  void check_rows(int64_t begin, int64_t end) const {
    if (guard) guard->check(begin * rows.matrix.row_stride, end * rows.matrix.row_stride);
  }

  // Calls visit(name, vector, whether it is needed) for each, those not needed being empty.
  template <class S, class Visit>
  static void each_vector(S& side, const Traits& traits, const RowNeeds& needs, Visit visit) {
    visit("scales", side.scales, has_scale(traits.prepare));
    visit("flags", side.flags, true);
    visit("residual", side.residual, needs.residual);
    visit("weight", side.weight, needs.weight);
    visit("square", side.square, needs.square);
  }
};

// What rows need no survey to say: `scale` is what filters multiply them by.
void set_rows(Side& side, const MatrixView& matrix, const Specification& specification,
              double scale, int64_t filter_cols);
// The rows as a linear metric compares them, in memory of the side. Throws BadRow for side `index`.
MatrixView map_rows(Side& side, const MatrixView& matrix, const Specification& specification,
                    int index, Team& team);
// Has a filter row an additional feature for rows without a direction?
bool has_degenerate_feature(const Traits& traits);

// Surveys the rows of a database and prepares them for queries that are not known yet. Throws
// BadRow for side 1.
std::shared_ptr<Side> prepare_database(const MatrixView& y, const Specification& specification,
                                       const RowNeeds& needs, Team& team);

// Fetches a row that is read next but one: rows are as long as a page, and no CPU looks beyond its end.
inline void prefetch_row(const Rows& rows, int64_t row) {
  const MatrixView& m = rows.matrix;
  if (row >= m.rows || m.col_stride <= 0 || m.col_stride > 8) return;
  const unsigned char* const from = m.data + row * m.row_stride;
  for (int64_t byte = 0; byte < m.cols * m.col_stride; byte += 64) __builtin_prefetch(from + byte);
}

class Comparison {
 public:
  // Without needs it does for float64 alone. In a self-join, y being null, x and y are the same side.
  // Without `scale` filter rows are at the scale of the rows, whatever the others are.
  Comparison(const MatrixView& x, const MatrixView* y, const Specification& specification,
             const RowNeeds& needs, Team& team, bool scale = true);
  // With a database that has been prepared.
  Comparison(const MatrixView& x, std::shared_ptr<const Side> y, const Specification& specification,
             const RowNeeds& needs, Team& team);

  const MetricKernels& kernels() const { return kernels_; }
  const Traits& traits() const { return kernels_.traits; }
  const Parameters& parameters() const { return first_.rows.parameters; }
  bool self() const { return !second_; }
  const Side& x() const { return first_; }
  const Side& y() const { return second_ ? *second_ : first_; }
  int64_t cols() const { return first_.rows.matrix.cols; }
  int64_t filter_cols() const { return first_.rows.filter_cols; }
  bool any_degenerate() const { return (first_.any | y().any) & kDegenerate; }
  bool any_negative() const { return first_.any_negative() || y().any_negative(); }
  int64_t unbounded_rows() const { return first_.unbounded + (second_ ? second_->unbounded : 0); }

  // The pair's weight is the sum of the two rows'.
  bool weights_add_up() const { return traits().weights_add && !any_negative(); }
  // The norm of a pair, as `distance` is of.
  double norm_of(double distance) const { return kernels_.norm_of(parameters(), distance); }
  // What becomes of a norm of 1 where rows are at filter_scale. A quotient has no unit.
  double norm_unit() const {
    return traits().norm_degree == 1 && !traits().weighted ? first_.rows.filter_scale : 1;
  }

 private:
  const MetricKernels& kernels_;
  Side first_;
  std::shared_ptr<const Side> second_;
};

}  // namespace lookalike
