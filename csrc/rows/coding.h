// Rows to codes: which values the codes stand for, and what is to be known of each row.
#pragma once

#include <atomic>
#include <vector>

#include "kernels/codes.h"
#include "memory.h"
#include "rows/prepare.h"

namespace lookalike {

// How the rows of a comparison are coded. A database is coded before its queries are known, and they
// after it.
struct Coding {
  CodeForm form;
  int levels;       // codes are 0 .. levels
  double steps;     // the filter's units in one of the filter rows'
  double rounding;  // by how much a looked-up term may be off
  CodeGrid grid;
};

// How rows under this metric are coded; `form` must not be none.
Coding choose_coding(CodeForm form, const Rows& rows);

// One side of a comparison as codes; residuals, weights and slacks in the filter's unit (bounds.h).
struct CodedSide {
  const uint8_t* codes = nullptr;
  Buffer<uint8_t> memory;  // of the codes, unless they are somebody else's
  std::vector<float> scale, square, residual, with_clipped, error, weight, slack;
  std::vector<int32_t> zero, sum;
  int64_t stride = 0;                   // of codes that lie row after row, 0 of panels
  const GuardedBytes* guard = nullptr;  // of codes that lie in a file
  // Calls visit(name, vector, whether it is needed) for each, those not needed being empty.
  template <class S, class Visit>
  static void each_vector(S& side, CodeForm form, bool weighted, Visit visit) {
    const bool products = form == CodeForm::products;
    visit("code residual", side.residual, true);
    visit("code residual with clipped", side.with_clipped, !products);
    visit("code slack", side.slack, true);
    visit("code weight", side.weight, weighted);
    visit("code scale", side.scale, products);
    visit("code square", side.square, products);
    visit("code error", side.error, products);
    visit("code zero", side.zero, products);
    visit("code sum", side.sum, products);
  }
  CodeRows view(int64_t cols) const {
    return {codes, code_lines(cols), scale.data(), zero.data(), sum.data(), square.data()};
  }
};

// Rows as they lie.
std::vector<int32_t> in_order(int64_t rows);

// Codes that lie row after row, whole lines each, instead of in panels: row order[r] is the r-th. So may
// features: features[k] is the k-th, or k.
constexpr int64_t row_stride(int64_t cols) {
  return (cols + kCodeLine - 1) / kCodeLine * kCodeLine;
}
CodedSide encode_rows(const Coding& coding, const Side& side, const std::vector<int32_t>& order,
                      Team& team, const std::vector<int32_t>& features = {});
// Codes in panels.
CodedSide encode_panels(const Coding& coding, const Side& side, const std::vector<int32_t>& order,
                        Team& team);

// Writes rows [first, first + n) of codes that lie row after row as panels, holding them against their
// checksums.
void as_panels(const CodedSide& side, int64_t cols, int64_t first, int64_t n, uint8_t* out);

struct CodedDatabase {
  Coding coding;
  CodedSide side;
  // Codes that lie row after row, as panels, which are made when they are first asked for and kept.
  // Null while another thread makes them: nobody waits, since it may be lost in a fork.
  const uint8_t* panels(int64_t rows, int64_t cols, Team& team) const;

 private:
  enum State { kNone, kBeingMade, kThere };
  mutable std::atomic<State> state_{kNone};
  mutable Buffer<uint8_t> panels_;
};

}  // namespace lookalike
