#include "call.h"

#include <algorithm>
#include <map>
#include <string>

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

template <class T>
py::array_t<T> moved(la::Buffer<T>&& buffer, int64_t count) {
  auto* owner = new la::Buffer<T>(std::move(buffer));
  const py::capsule free(owner, [](void* p) { delete static_cast<la::Buffer<T>*>(p); });
  return py::array_t<T>(py::ssize_t(count), owner->get(), free);
}

}  // namespace

la::MatrixView view_of(const py::array& a) {
  if (a.ndim() != 2) throw py::value_error("a matrix must have 2 dimensions");
  if (a.dtype().byteorder() == '>' || !(a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) {
    throw py::value_error("a matrix must be aligned and in native byte order");
  }
  if (a.shape(0) > INT32_MAX) {
    throw py::value_error("a matrix may have at most 2**31 - 1 rows");
  }
  return {static_cast<const unsigned char*>(a.data()),
          dtype_of(a),
          a.shape(0),
          a.shape(1),
          a.strides(0),
          a.strides(1)};
}

la::Specification specification_of(const py::object& metric) {
  if (py::isinstance<py::str>(metric)) return la::specify(metric.cast<std::string>(), {}, {});
  const auto [name, parameters] = metric.cast<std::pair<std::string, py::dict>>();
  la::Numbers numbers;
  la::Arrays arrays;
  for (const auto& [key, value] : parameters) {
    const auto parameter = key.cast<std::string>();
    if (!py::isinstance<py::array>(value)) {
      numbers[parameter] = value.cast<double>();
      continue;
    }
    using Doubles = py::array_t<double, py::array::c_style>;
    if (!py::isinstance<Doubles>(value)) {
      throw py::value_error(parameter + " must be a contiguous array of float64");
    }
    const auto array = value.cast<Doubles>();
    arrays[parameter] = {{array.shape(), array.shape() + array.ndim()},
                         {array.data(), array.data() + array.size()}};
  }
  return la::specify(name, numbers, arrays);
}

const int64_t* excluded_of(const std::optional<Excluded>& exclude, int64_t rows, int64_t among) {
  if (!exclude) return nullptr;
  if (exclude->ndim() != 1 || exclude->size() != rows)
    throw py::value_error("exclude does not fit");
  const int64_t* const ids = exclude->data();
  if (std::any_of(ids, ids + rows, [=](int64_t id) { return id < -1 || id >= among; })) {
    throw py::value_error("exclude has an id that is no row");
  }
  return ids;
}

void check_k(int64_t k, int64_t available, const int64_t* exclude, int64_t queries) {
  const bool excluded =
      exclude && std::any_of(exclude, exclude + queries, [](int64_t id) { return id >= 0; });
  if (k < 1 || k > available - (excluded ? 1 : 0)) throw py::value_error("k is out of range");
}

const uint8_t* left_out_of(const std::optional<LeftOut>& left_out, int64_t rows) {
  if (!left_out) return nullptr;
  if (left_out->ndim() != 1 || left_out->size() != rows) throw py::value_error("mask does not fit");
  return left_out->data();
}

py::tuple as_tuple(la::Within&& within, const la::Stats& stats) {
  const int64_t count = within.count();
  return py::make_tuple(moved(std::move(within.indptr), within.rows + 1),
                        moved(std::move(within.indices), count),
                        moved(std::move(within.distances), count), as_dict(stats));
}

py::dict as_dict(const la::Stats& s) {
  py::dict d;
  d["stages"] = s.stages;
  d["pairs"] = s.pairs.load();
  d["screened"] = s.screened.load();
  d["candidates"] = s.candidates.load();
  d["refined"] = s.refined.load();
  d["overflows"] = s.overflows.load();
  d["unbounded_rows"] = s.unbounded_rows;
  d["row_major"] = s.row_major;
  d["candidates_per_neighbor"] = s.candidates_per_neighbor;
  py::dict seconds;
  seconds["preparing"] = 1e-9 * double(s.preparing.load());
  seconds["screening"] = 1e-9 * double(s.screening.load());
  seconds["filtering"] = 1e-9 * double(s.filtering.load());
  seconds["bookkeeping"] = 1e-9 * double(s.bookkeeping.load());
  seconds["refining"] = 1e-9 * double(s.refining.load());
  d["seconds"] = seconds;
  return d;
}

void raise_bad_row(const la::BadRow& e) {
  // arguments.py knows what the caller names its arguments.
  constexpr const char* kWhy[] = {"not finite", "negative", "out of range", "no sum"};
  PyErr_SetObject(PyExc_ArithmeticError, py::make_tuple(e.side, e.row, kWhy[int(e.why)]).ptr());
  throw py::error_already_set();
}
