// A database prepared once for any number of searches: checked, surveyed and coded in 8 bits. A search
// then reads one byte a feature instead of four, and nothing twice.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "checksums.h"
#include "rows/coding.h"
#include "search/neighbors.h"
#include "search/screened_database.h"

namespace lookalike {

class Index {
 public:
  // `rows` must stay as they are. Throws BadRow for side 1.
  Index(const MatrixView& rows, const Specification& specification, Team& team);

  // What a file keeps: a name and bytes. Rows, codes and screens are the only large ones.
  struct Part {
    const void* data;
    int64_t bytes;
  };
  void parts(const std::function<void(const std::string& name, Part)>& take) const;

  // An index out of a file. The large parts are used where they lie, and held against their
  // checksums when they are first read; all other parts must be good. Throws Damaged with the name of
  // a part that does not fit.
  struct File {
    std::function<Part(const std::string& name)> part;
    std::map<std::string, std::unique_ptr<GuardedBytes>>
        guards;  // by the names of parts, and "rows"
  };
  Index(const MatrixView& rows, const Specification& specification, File file, Team& team);

  // As the functions of these names; without x, the rows among themselves.
  void neighbors(const MatrixView* x, const Exclusion& exclusion, int64_t k, Team& team,
                 Stats& stats, double* distances, int64_t* indices) const;
  Within radius_neighbors(const MatrixView* x, const Exclusion& exclusion, double radius,
                          Team& team, Stats& stats) const;
  // Holds all that lies in a file against its checksums. Throws Damaged.
  void verify() const;
  const MatrixView& rows() const { return given_; }
  const char* stage() const;

 private:
  struct Header;
  const Traits& traits() const { return kernels_of(specification_).traits; }
  void code(Team& team);
  void restore(const Header& header, const File& file);

  Specification specification_;
  MatrixView given_;  // the side's own may be mapped
  const GuardedBytes* guard(const std::string& part) const;
  MatrixView every(int64_t step) const;
  void try_screens(Team& team);

  std::map<std::string, std::unique_ptr<GuardedBytes>> guards_;
  std::shared_ptr<Side> side_;
  std::unique_ptr<CodedDatabase> coded_;  // null where the rows cannot be
  ScreenedDatabase screens_;
};

}  // namespace lookalike
