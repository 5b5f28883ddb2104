// What every binding does with Python's side of a call: arguments in, errors and statistics out.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <utility>

#include "search/neighbors.h"
#include "threads/team.h"

namespace py = pybind11;
namespace la = lookalike;

// Throws unless it is a matrix of at most 2**31 - 1 rows that the core can read.
la::MatrixView view_of(const py::array& a);

// A metric's name, or its name and its parameters.
la::Specification specification_of(const py::object& metric);

// For each of `rows` queries a row of `among` that is left out, or -1; null for none.
using Excluded = py::array_t<int64_t, py::array::c_style>;
const int64_t* excluded_of(const std::optional<Excluded>& exclude, int64_t rows, int64_t among);

// Throws unless each of `queries` rows has k neighbours.
void check_k(int64_t k, int64_t available, const int64_t* exclude, int64_t queries);

// Throws unless it has a byte for each of `rows` rows; null for none.
using LeftOut = py::array_t<uint8_t, py::array::c_style>;
const uint8_t* left_out_of(const std::optional<LeftOut>& left_out, int64_t rows);

py::dict as_dict(const la::Stats& stats);

// The arrays of a result, which keep its memory, and the statistics.
py::tuple as_tuple(la::Within&& within, const la::Stats& stats);

// Signals and progress, looked after in the calling thread.
class Attendant {
 public:
  explicit Attendant(py::object progress) : progress_(std::move(progress)) {}
  la::Poll poll() {
    return [this](double fraction) {
      const py::gil_scoped_acquire gil;
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (!progress_.is_none()) progress_(fraction);
      return false;
    };
  }

 private:
  py::object progress_;
};

[[noreturn]] void raise_bad_row(const la::BadRow& e);

template <class F>
void without_gil(int threads, py::object progress, F call) {
  Attendant attendant(std::move(progress));
  try {
    const py::gil_scoped_release release;
    la::Team team(threads, attendant.poll());
    call(team);
  } catch (const la::BadRow& e) {
    raise_bad_row(e);
  }
}

// Adds the class to the module.
void bind_index(py::module_& m);
