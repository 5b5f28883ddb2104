// A database's screens, each over all rows in one piece: one query reads the first, of 64 bytes a row,
// the second for the rows that this leaves, and the rows themselves for the few that are left then.
#pragma once

#include <functional>
#include <string>

#include "filters/bounds.h"
#include "rows/screens.h"

namespace lookalike {

// One screen of all rows. Its value V and a threshold T exclude row j from query i's neighbours if
//   of products  step √(2V) > stretch T + residual_i + residual_j
//   of largest   V > T + residual_i + residual_j, with the residuals of the rows' codes,
// which is the form of bounds.h: V > slope_i weight_j + offset_i + slack_j.
struct ScreenLevel {
  ScreenCoding coding;
  const uint8_t* bytes = nullptr;  // in panels, or from the second level on row after row
  Buffer<uint8_t> memory;          // of these, unless they are somebody else's
  const GuardedBytes* guard = nullptr;
  std::vector<int32_t> square;
  std::vector<float> residual, slack;
  bool products() const { return coding.form == CodeForm::products; }
  int64_t size(int64_t rows) const {
    return (rows + kScreenRows - 1) / kScreenRows * kScreenRows * coding.width;
  }
  double half_square() const { return 1 / (2 * coding.step * coding.step); }
};

class ScreenedDatabase {
 public:
  // Are screens worth having for so many rows, features and this form of codes, on this CPU?
  static bool fits(const Side& side, CodeForm form);
  ScreenedDatabase() = default;  // no levels
  // `some` compares some of the side's rows with it.
  ScreenedDatabase(const Comparison& some, const Side& side, const CodedDatabase& coded,
                   Team& team);
  const std::vector<ScreenLevel>& levels() const { return levels_; }

  // What one of many queries costs a row of the database, in nanoseconds, by what the screens left of
  // some rows' neighbours: the 10 nearest, the 30 and the 100.
  static constexpr int kTrials = 3;
  static constexpr int64_t kTried[kTrials] = {10, 30, 100};
  double cost[kTrials] = {};
  bool pay(int64_t k, int64_t queries) const;
  // So many rows may be left by screens and codes, or a pass over all codes takes less time.
  static int64_t most_left(int64_t rows);

  // What a file keeps of it: a name and bytes. The screens' bytes are the only large ones.
  using Take = std::function<void(const std::string& name, const void* data, int64_t bytes)>;
  void parts(const Take& take) const;
  struct Part {
    const void* data;
    int64_t bytes;
  };
  // Of a file: throws Damaged with the name of a part that does not fit. A file may have none.
  using File = std::function<Part(const std::string& name)>;
  ScreenedDatabase(const File& file, CodeForm form, int64_t rows, int64_t filter_cols);
  // The bytes of each level, by the names of the parts.
  void guard(const std::function<const GuardedBytes*(const std::string& name)>& of);

 private:
  struct Header;
  double cost_of(int64_t k) const;
  std::vector<ScreenLevel> levels_;
};

}  // namespace lookalike
