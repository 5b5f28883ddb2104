// Python sees a few functions and an index: each checks what memory safety needs, allocates, and
// calls the core with the GIL released. Everything else is checked in distance/arguments.py.
#include <algorithm>
#include <string>

#include "call.h"
#include "kernels/dispatch.h"
#include "matrix.h"
#include "search/merge.h"
#include "search/neighbors.h"
#include "search/reservoirs.h"
#include "threads/openmp_runtime.h"
#include "threads/workers.h"

namespace {

struct Pair {
  la::MatrixView x, y;
  bool self;
  Pair(const py::array& xa, const py::object& ya) : x(view_of(xa)), y(x), self(ya.is_none()) {
    if (!self) y = view_of(py::reinterpret_borrow<py::array>(ya));
    if (x.cols != y.cols) throw py::value_error("the matrices differ in their columns");
  }
  const la::MatrixView* second() const { return self ? nullptr : &y; }
};

void distances(const py::array& x, const py::object& y, const py::object& metric, py::array out,
               bool condensed, int threads) {
  const Pair pair(x, y);
  const bool float64 = out.dtype().itemsize() == 8;
  const int64_t wanted =
      condensed ? pair.x.rows * (pair.x.rows - 1) / 2 : pair.x.rows * pair.y.rows;
  if (out.dtype().kind() != 'f' || out.dtype().itemsize() < 4 || out.size() != wanted ||
      !(out.flags() & py::array::c_style) || (condensed && !pair.self)) {
    throw py::value_error("out does not fit");
  }
  const la::Specification specification = specification_of(metric);
  const la::DistanceOutput to{out.mutable_data(), float64, condensed};
  without_gil(threads, py::none(), [&](la::Team& team) {
    la::distances(pair.x, pair.second(), specification, to, team);
  });
}

py::tuple knn(const py::array& x, const py::object& y, const py::object& metric, int64_t k,
              bool include_self, const std::optional<Excluded>& exclude, int threads,
              py::object progress) {
  const Pair pair(x, y);
  const int64_t* const excluded = excluded_of(exclude, pair.x.rows, pair.y.rows);
  check_k(k, pair.y.rows - (pair.self && !include_self ? 1 : 0), excluded, pair.x.rows);
  py::array_t<double> distances({pair.x.rows, k});
  py::array_t<int64_t> indices({pair.x.rows, k});
  la::Stats stats;
  const la::Query query{pair.x, pair.second(), specification_of(metric), {include_self, excluded}};
  double* const d = distances.mutable_data();
  int64_t* const i = indices.mutable_data();
  without_gil(threads, std::move(progress),
              [&](la::Team& team) { la::neighbors(query, k, team, stats, d, i); });
  return py::make_tuple(distances, indices, as_dict(stats));
}

py::tuple radius_neighbors(const py::array& x, const py::object& y, const py::object& metric,
                           double radius, bool include_self, int threads, py::object progress) {
  const Pair pair(x, y);
  if (!(radius >= 0)) throw py::value_error("radius must be >= 0");
  la::Stats stats;
  la::Within within;
  const la::Query query{pair.x, pair.second(), specification_of(metric), {include_self}};
  without_gil(threads, std::move(progress),
              [&](la::Team& team) { within = la::radius_neighbors(query, radius, team, stats); });
  return as_tuple(std::move(within), stats);
}

// None if there are more than `most` pairs.
py::object few_pairs(const py::array& x, const py::object& metric, double radius, int64_t most,
                     int threads, py::object progress) {
  const la::MatrixView view = view_of(x);
  if (!(radius >= 0)) throw py::value_error("radius must be >= 0");
  la::Stats stats;
  la::Within within;
  const la::Query query{view, nullptr, specification_of(metric), {false}};
  try {
    without_gil(threads, std::move(progress), [&](la::Team& team) {
      within = la::radius_neighbors(query, radius, team, stats, most);
    });
  } catch (const la::TooManyPairs&) {
    return py::none();
  }
  return as_tuple(std::move(within), stats);
}

py::tuple topk(const py::array& matrix, int64_t k, int threads) {
  const la::MatrixView m = view_of(matrix);
  if (k < 1 || k > m.cols || m.cols > INT32_MAX) throw py::value_error("k is out of range");
  py::array_t<double> distances({m.rows, k});
  py::array_t<int64_t> indices({m.rows, k});
  double* const d = distances.mutable_data();
  int64_t* const i = indices.mutable_data();
  without_gil(threads, py::none(), [&](la::Team& team) { la::topk(m, k, team, d, i); });
  return py::make_tuple(distances, indices);
}

py::tuple knn_across(const py::array& x, int64_t split, const py::object& metric, int64_t k,
                     const py::array_t<double, py::array::c_style>& kept, int threads,
                     py::object progress) {
  const la::MatrixView view = view_of(x);
  if (k < 1 || k > view.rows) throw py::value_error("k is out of range");
  if (split < 1 || split >= view.rows) throw py::value_error("split is out of range");
  if (kept.ndim() != 2 || kept.shape(0) != view.rows || kept.shape(1) < k) {
    throw py::value_error("kept does not fit");
  }
  const la::Kept before{kept.data(), kept.shape(1)};
  const la::Specification specification = specification_of(metric);
  py::array_t<double> distances({view.rows, k});
  py::array_t<int64_t> indices({view.rows, k});
  la::Stats stats;
  double* const d = distances.mutable_data();
  int64_t* const i = indices.mutable_data();
  without_gil(threads, std::move(progress), [&](la::Team& team) {
    la::neighbors_across(view, split, specification, before, k, team, stats, d, i);
  });
  return py::make_tuple(distances, indices, as_dict(stats));
}

using Distances = py::array_t<double, py::array::c_style>;
using Indices = py::array_t<int64_t, py::array::c_style>;

py::tuple merge(const std::vector<std::pair<Distances, Indices>>& parts, int64_t k,
                bool short_lists, int threads) {
  std::vector<la::NearestPart> lists;
  for (const auto& [d, i] : parts) {
    if (d.ndim() != 2 || i.ndim() != 2 || d.shape(0) != i.shape(0) || d.shape(1) != i.shape(1) ||
        d.shape(0) != parts[0].first.shape(0)) {
      throw py::value_error("the parts do not fit");
    }
    lists.push_back({d.data(), i.data(), d.shape(1)});
  }
  if (k < 1 || parts.empty()) throw py::value_error("nothing to merge");
  const int64_t rows = parts[0].first.shape(0);
  py::array_t<double> distances({rows, k});
  py::array_t<int64_t> indices({rows, k});
  double* const d = distances.mutable_data();
  int64_t* const i = indices.mutable_data();
  try {
    without_gil(threads, py::none(),
                [&](la::Team& team) { la::merge(lists, rows, k, short_lists, team, d, i); });
  } catch (const la::BadPart& e) {
    // distance/merging.py has the words.
    PyErr_SetObject(PyExc_ArithmeticError, py::make_tuple(int(e.why), e.part, e.row).ptr());
    throw py::error_already_set();
  }
  return py::make_tuple(distances, indices);
}

// The names of what a metric may be given.
py::set parameters_of(const std::string& name) {
  py::set names;
  for (int m = 0; m < int(la::Metric::count); ++m) {
    if (name != la::kMetricNames[m]) continue;
    const la::Traits& t = la::kernels().metric[m].traits;
    for (const char* const parameter : t.parameters) {
      if (parameter) names.add(parameter);
    }
    if (t.array) names.add(t.array);
  }
  return names;
}

// What a metric states that filters may use (metrics/distance-inl.h).
py::dict statements(const std::string& name) {
  constexpr const char* kForms[] = {"products", "differences", "largest", "ratios", nullptr};
  const auto metric = std::find(std::begin(la::kMetricNames), std::end(la::kMetricNames), name);
  if (metric == std::end(la::kMetricNames)) throw py::value_error("unknown metric '" + name + "'");
  const la::Traits& t = la::kernels().metric[metric - la::kMetricNames].traits;
  py::dict d;
  d["codes"] = kForms[int(t.codes)];
  d["inner_product"] = t.inner_product;
  d["float32"] = t.has_float32();
  d["triangle"] = t.triangle;
  d["weighted"] = t.weighted;
  d["negative_values"] = t.domain == la::Domain::any;
  d["parameters"] = parameters_of(name);
  return d;
}

py::dict cpu_info() {
  py::dict d;
  d["simd"] = la::kernels().name;
  d["extensions"] = la::extensions();
  d["levels"] = la::available_levels();
  d["threads"] = la::default_threads();
  d["openmp"] = la::openmp_runtime();
  return d;
}

}  // namespace

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  la::kernels();  // a wrong LOOKALIKE_SIMD or LOOKALIKE_EXTENSIONS is an error of the import
  la::extensions();
  m.attr("__version__") = LOOKALIKE_VERSION;
  m.attr("METRICS") = [] {
    py::list names;  // of several structs with one name the first stands for all
    for (const char* const name : la::kMetricNames) {
      if (!names.contains(name)) names.append(name);
    }
    return py::tuple(names);
  }();
  m.def("cpu_info", &cpu_info);
  m.def("statements", &statements);
  m.def("no_stats", [] { return as_dict(la::Stats()); });
  m.def("distances", &distances);
  m.def("knn", &knn);
  m.def("radius_neighbors", &radius_neighbors);
  m.def("few_pairs", &few_pairs);
  m.def("topk", &topk);
  m.def("knn_across", &knn_across);
  m.def("merge", &merge);
  bind_index(m);
}
