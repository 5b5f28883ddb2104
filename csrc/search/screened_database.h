// A database's screens, each over all rows in one piece: queries read the first, of 64 bytes a row, the
// second in steps for the rows that are left, and the rows themselves for the few that it leaves.
#pragma once

#include <functional>
#include <string>

#include "filters/bounds.h"
#include "rows/screens.h"

namespace lookalike {

// One screen of all rows. Its value V and a threshold T exclude row j from query i's neighbours if
//   of products  step √S > stretch T + residual_i + residual_j, S being V, or 2 V of the first screen,
//   of largest   V > T + residual_i + residual_j, with the residuals of the rows' codes.
// Some bytes of a screen are a screen too. In place of residual_j stands the largest of some rows'.
struct ScreenLevel {
  ScreenCoding coding;
  const uint8_t* bytes = nullptr;  // in panels; of the second row after row; signed if of products
  Buffer<uint8_t> memory;          // of these, unless they are somebody else's
  const GuardedBytes* guard = nullptr;
  std::vector<int32_t> square, sum;  // of products, for whole panels; of the second both
  std::vector<float> most;           // residual of any of kTile rows
  bool products() const { return coding.form == CodeForm::products; }
  int64_t size(int64_t rows) const {
    return (rows + kScreenRows - 1) / kScreenRows * kScreenRows * coding.width;
  }
};

// Which parts of the rows the first screen leaves, a step of the second, and all of it.
struct ScreenedShare {
  double first = 0, step = 0, second = 0;
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
  // Of products: a side's rows at all levels.
  std::vector<ScreenRows> encode(const Side& side, Team& team) const;
  static constexpr int kStep = 128;  // bytes of the second screen that are read at a time

  // What they leave of some rows' neighbours is known of the 10 nearest, the 30 and the 100.
  static constexpr int kTrials = 3;
  static constexpr int64_t kTried[kTrials] = {10, 30, 100};
  void tried(int trial, const ScreenedShare& left);
  // Do they pay, for so many of so many queries at a time?
  bool pay(int64_t k, int64_t queries) const;
  // So many rows may be left by screens, or a pass over all codes takes less time.
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
  // Nanoseconds of a thread for a row and a query: of a query alone, and of many.
  struct Cost {
    double alone = 0, together = 0;
  };
  Cost cost_of(int64_t k) const;
  void fix_basis();
  Cost cost_[kTrials];
  int64_t rows_ = 0;
  std::vector<ScreenLevel> levels_;
  FixedBasis basis_;
};

}  // namespace lookalike
