// Python sees five functions: each checks what memory safety needs, allocates, and calls the core
// with the GIL released. Everything else is checked in python/lookalike/distance.py.
#include <omp.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>

#include "kernels/dispatch.h"
#include "matrix.h"
#include "search/index.h"
#include "search/neighbors.h"

namespace py = pybind11;
namespace la = lookalike;

namespace {

la::DType dtype_of(const py::array& a) {
  const char kind = a.dtype().kind();
  const auto size = a.dtype().itemsize();
  if (kind == 'f' && size == 2) return la::DType::f16;
  if (kind == 'f' && size == 4) return la::DType::f32;
  if (kind == 'f' && size == 8) return la::DType::f64;
  if (kind == 'b') return la::DType::boolean;
  const bool is_signed = kind == 'i';
  if (is_signed || kind == 'u') {
    if (size == 1) return is_signed ? la::DType::i8 : la::DType::u8;
    if (size == 2) return is_signed ? la::DType::i16 : la::DType::u16;
    if (size == 4) return is_signed ? la::DType::i32 : la::DType::u32;
    if (size == 8) return is_signed ? la::DType::i64 : la::DType::u64;
  }
  throw py::type_error("unsupported dtype " + std::string(py::str(a.dtype())));
}

la::MatrixView view_of(const py::array& a) {
  if (a.ndim() != 2) throw py::value_error("a matrix must have 2 dimensions");
  if (a.dtype().byteorder() == '>' || !(a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) {
    throw py::value_error("a matrix must be aligned and in native byte order");
  }
  return {static_cast<const unsigned char*>(a.data()),
          dtype_of(a),
          a.shape(0),
          a.shape(1),
          a.strides(0),
          a.strides(1)};
}

la::Metric metric_of(const std::string& name) {
  for (int m = 0; m < int(la::Metric::count); ++m) {
    if (name == la::kMetricNames[m]) return la::Metric(m);
  }
  throw py::value_error("unknown metric '" + name + "'");
}

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

[[noreturn]] void raise_not_finite(const la::NotFinite& e) {
  // distance.py knows what the caller names its arguments.
  PyErr_SetObject(PyExc_ArithmeticError, py::make_tuple(e.side, e.row).ptr());
  throw py::error_already_set();
}

template <class F>
void without_gil(int threads, py::object progress, F call) {
  Attendant attendant(std::move(progress));
  try {
    const py::gil_scoped_release release;
    la::Team team(threads, attendant.poll());
    call(team);
  } catch (const la::NotFinite& e) {
    raise_not_finite(e);
  }
}

struct Pair {
  la::MatrixView x, y;
  bool self;
  Pair(const py::array& xa, const py::object& ya) : x(view_of(xa)), y(x), self(ya.is_none()) {
    if (!self) y = view_of(py::reinterpret_borrow<py::array>(ya));
    if (x.cols != y.cols) throw py::value_error("the matrices differ in their columns");
    if (x.rows > INT32_MAX || y.rows > INT32_MAX) {
      throw py::value_error("a matrix may have at most 2**31 - 1 rows");
    }
  }
  const la::MatrixView* second() const { return self ? nullptr : &y; }
};

void distances(const py::array& x, const py::object& y, const std::string& metric, py::array out,
               bool condensed, int threads) {
  const Pair pair(x, y);
  const bool float64 = out.dtype().itemsize() == 8;
  const int64_t wanted =
      condensed ? pair.x.rows * (pair.x.rows - 1) / 2 : pair.x.rows * pair.y.rows;
  if (out.dtype().kind() != 'f' || out.dtype().itemsize() < 4 || out.size() != wanted ||
      !(out.flags() & py::array::c_style) || (condensed && !pair.self)) {
    throw py::value_error("out does not fit");
  }
  const la::DistanceOutput to{out.mutable_data(), float64, condensed};
  without_gil(threads, py::none(), [&](la::Team& team) {
    la::distances(pair.x, pair.second(), metric_of(metric), to, team);
  });
}

py::dict as_dict(const la::Stats& s) {
  py::dict d;
  d["stages"] = std::vector<std::string>(s.stages.begin(), s.stages.end());
  d["pairs"] = s.pairs.load();
  d["candidates"] = s.candidates.load();
  d["refined"] = s.refined.load();
  d["overflows"] = s.overflows.load();
  d["unbounded_rows"] = s.unbounded_rows;
  d["row_major"] = s.row_major;
  d["fresh_thread"] = s.fresh_thread;
  d["candidates_per_neighbor"] = s.candidates_per_neighbor;
  py::dict seconds;
  seconds["preparing"] = 1e-9 * double(s.preparing.load());
  seconds["filtering"] = 1e-9 * double(s.filtering.load());
  seconds["bookkeeping"] = 1e-9 * double(s.bookkeeping.load());
  seconds["refining"] = 1e-9 * double(s.refining.load());
  d["seconds"] = seconds;
  return d;
}

py::tuple knn(const py::array& x, const py::object& y, const std::string& metric, int64_t k,
              bool include_self, int threads, py::object progress) {
  const Pair pair(x, y);
  const int64_t available = pair.y.rows - (pair.self && !include_self ? 1 : 0);
  if (k < 1 || k > available) throw py::value_error("k is out of range");
  py::array_t<double> distances({pair.x.rows, k});
  py::array_t<int64_t> indices({pair.x.rows, k});
  la::Stats stats;
  const la::Query query{pair.x, pair.second(), metric_of(metric), include_self};
  double* const d = distances.mutable_data();
  int64_t* const i = indices.mutable_data();
  without_gil(threads, std::move(progress),
              [&](la::Team& team) { la::neighbors(query, k, team, stats, d, i); });
  return py::make_tuple(distances, indices, as_dict(stats));
}

template <class T>
py::array_t<T> moved(std::vector<T>&& v) {
  auto* owner = new std::vector<T>(std::move(v));
  const py::capsule free(owner, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return py::array_t<T>(py::ssize_t(owner->size()), owner->data(), free);
}

py::tuple radius_neighbors(const py::array& x, const py::object& y, const std::string& metric,
                           double radius, bool include_self, int threads, py::object progress) {
  const Pair pair(x, y);
  if (!(radius >= 0)) throw py::value_error("radius must be >= 0");
  la::Stats stats;
  la::Within within;
  const la::Query query{pair.x, pair.second(), metric_of(metric), include_self};
  without_gil(threads, std::move(progress),
              [&](la::Team& team) { within = la::radius_neighbors(query, radius, team, stats); });
  return py::make_tuple(moved(std::move(within.indptr)), moved(std::move(within.indices)),
                        moved(std::move(within.distances)), as_dict(stats));
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

// A prepared database, and the arrays that it looks at.
class Index {
 public:
  Index(const py::array& rows, const std::string& metric, int threads) : rows_(rows) {
    const la::MatrixView view = checked(rows);
    without_gil(threads, py::none(), [&](la::Team& team) {
      index_ = std::make_unique<la::Index>(view, metric_of(metric), team);
    });
  }
  Index(const py::array& rows, const std::string& metric, const py::dict& parts)
      : rows_(rows), parts_(parts) {
    const la::MatrixView view = checked(rows);
    const auto part = [&](const char* name) -> la::Index::Part {
      if (!parts.contains(name)) return {nullptr, 0};
      const auto bytes = parts[name].cast<py::array_t<uint8_t, py::array::c_style>>();
      return {bytes.data(), bytes.size()};
    };
    la::Team team(1, {});
    index_ = std::make_unique<la::Index>(view, metric_of(metric), part, team);
  }

  py::dict parts() const {
    py::dict out;
    index_->parts([&](const char* name, la::Index::Part part) {
      out[name] = py::array_t<uint8_t>(part.bytes, static_cast<const uint8_t*>(part.data));
    });
    return out;
  }
  py::tuple knn(const py::array& x, int64_t k, int threads, py::object progress) const {
    const la::MatrixView view = checked(x);
    if (view.cols != index_->rows().cols) throw py::value_error("the matrices differ in columns");
    if (k < 1 || k > index_->rows().rows) throw py::value_error("k is out of range");
    py::array_t<double> distances({view.rows, k});
    py::array_t<int64_t> indices({view.rows, k});
    la::Stats stats;
    double* const d = distances.mutable_data();
    int64_t* const i = indices.mutable_data();
    without_gil(threads, std::move(progress),
                [&](la::Team& team) { index_->neighbors(view, k, team, stats, d, i); });
    return py::make_tuple(distances, indices, as_dict(stats));
  }
  const char* stage() const { return index_->stage(); }

 private:
  static la::MatrixView checked(const py::array& a) {
    const la::MatrixView view = view_of(a);
    if (view.rows > INT32_MAX) throw py::value_error("a matrix may have at most 2**31 - 1 rows");
    return view;
  }
  py::array rows_;
  py::dict parts_;
  std::unique_ptr<la::Index> index_;
};

py::dict cpu_info() {
  py::dict d;
  d["simd"] = la::kernels().name;
  d["extensions"] = la::extensions();
  d["levels"] = la::available_levels();
  d["threads"] = omp_get_max_threads();
  return d;
}

}  // namespace

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
  la::kernels();  // a wrong LOOKALIKE_SIMD or LOOKALIKE_EXTENSIONS is an error of the import
  la::extensions();
  m.attr("__version__") = LOOKALIKE_VERSION;
  m.attr("METRICS") = [] {
    py::tuple names(int(la::Metric::count));
    for (int i = 0; i < int(la::Metric::count); ++i) names[size_t(i)] = la::kMetricNames[i];
    return names;
  }();
  m.def("cpu_info", &cpu_info);
  m.def("no_stats", [] { return as_dict(la::Stats()); });
  m.def("distances", &distances);
  m.def("knn", &knn);
  m.def("radius_neighbors", &radius_neighbors);
  m.def("topk", &topk);
  py::class_<Index>(m, "Index")
      .def(py::init<const py::array&, const std::string&, int>())
      .def(py::init<const py::array&, const std::string&, const py::dict&>())
      .def("parts", &Index::parts)
      .def("knn", &Index::knn)
      .def("stage", &Index::stage);
}
