#include <algorithm>
#include <map>
#include <string>

#include "call.h"
#include "search/index.h"

namespace {

using Parts = std::map<std::string, py::array_t<uint8_t, py::array::c_style>>;
// Bytes in a chunk, and a checksum for each.
using Guard = std::pair<int64_t, py::array_t<uint64_t, py::array::c_style>>;
using Guards = std::map<std::string, Guard>;

// A prepared database, and the arrays that it looks at.
class Index {
 public:
  Index(const py::array& rows, const py::object& metric, int threads) : rows_(rows) {
    const la::MatrixView view = view_of(rows);
    const la::Specification specification = specification_of(metric);
    without_gil(threads, py::none(), [&](la::Team& team) {
      index_ = std::make_unique<la::Index>(view, specification, team);
    });
  }
  // Out of a file: its parts by name, as bytes; of its rows and other large parts the chunks and their
  // checksums.
  Index(const py::array& rows, const py::object& metric, const Parts& parts, const Guards& guards)
      : rows_(rows), parts_(parts) {
    const la::MatrixView view = view_of(rows);
    if (!(rows.flags() & py::array::c_style)) throw py::value_error("rows must be contiguous");
    const la::Specification specification = specification_of(metric);
    la::Index::File file;
    file.part = [this](const std::string& name) -> la::Index::Part {
      const auto part = parts_.find(name);
      if (part == parts_.end()) return {nullptr, 0};
      return {part->second.data(), part->second.size()};
    };
    for (const auto& [name, guard] : guards) {
      const la::Index::Part part =
          name == "rows" ? la::Index::Part{rows.data(), rows.nbytes()} : file.part(name);
      file.guards[name] = guarded(name, part, guard);
    }
    without_gil(0, py::none(), [&](la::Team& team) {
      index_ = std::make_unique<la::Index>(view, specification, std::move(file), team);
    });
  }

  // Bytes that live as long as `self`.
  static py::dict parts(const py::object& self) {
    py::dict out;
    self.cast<const Index&>().index_->parts([&](const std::string& name, la::Index::Part part) {
      const auto* const bytes = static_cast<const uint8_t*>(part.data);
      const std::string end = "header";
      const bool temporary =
          name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
      out[name.c_str()] = temporary ? py::array_t<uint8_t>(part.bytes, bytes)
                                    : py::array_t<uint8_t>(part.bytes, bytes, self);
    });
    return out;
  }
  py::tuple knn(const py::object& x, int64_t k, bool include_self,
                const std::optional<Excluded>& exclude, const std::optional<LeftOut>& left_out,
                int threads, py::object progress) const {
    const Search search(*this, x, include_self, exclude, left_out);
    const la::Exclusion& exclusion = search.exclusion;
    const int64_t n = index_->rows().rows;
    const int64_t others = n - (search.queries || include_self ? 0 : 1);
    const int64_t out =
        exclusion.left_out ? n - std::count(exclusion.left_out, exclusion.left_out + n, 0) : 0;
    check_k(k, others - out, exclusion.exclude, search.view.rows);
    py::array_t<double> distances({search.view.rows, k});
    py::array_t<int64_t> indices({search.view.rows, k});
    la::Stats stats;
    double* const d = distances.mutable_data();
    int64_t* const i = indices.mutable_data();
    without_gil(threads, std::move(progress), [&](la::Team& team) {
      index_->neighbors(search.queries, exclusion, k, team, stats, d, i);
    });
    return py::make_tuple(distances, indices, as_dict(stats));
  }
  py::tuple radius_neighbors(const py::object& x, double radius, bool include_self,
                             const std::optional<Excluded>& exclude,
                             const std::optional<LeftOut>& left_out, int threads,
                             py::object progress) const {
    if (!(radius >= 0)) throw py::value_error("radius must be >= 0");
    const Search search(*this, x, include_self, exclude, left_out);
    la::Stats stats;
    la::Within within;
    without_gil(threads, std::move(progress), [&](la::Team& team) {
      within = index_->radius_neighbors(search.queries, search.exclusion, radius, team, stats);
    });
    return as_tuple(std::move(within), stats);
  }
  void verify() const {
    const py::gil_scoped_release release;
    index_->verify();
  }
  const char* stage() const { return index_->stage(); }

 private:
  // Who asks, and for what not; without `x` the rows themselves.
  struct Search {
    Search(const Index& index, const py::object& x, bool include_self,
           const std::optional<Excluded>& exclude, const std::optional<LeftOut>& left_out)
        : view(x.is_none() ? index.index_->rows() : view_of(py::reinterpret_borrow<py::array>(x))),
          queries(x.is_none() ? nullptr : &view) {
      const la::MatrixView& rows = index.index_->rows();
      if (view.cols != rows.cols) throw py::value_error("the matrices differ in columns");
      exclusion = {include_self, excluded_of(exclude, view.rows, rows.rows),
                   left_out_of(left_out, rows.rows)};
    }
    Search(const Search&) = delete;
    la::MatrixView view;
    const la::MatrixView* queries;
    la::Exclusion exclusion;
  };
  static std::unique_ptr<la::GuardedBytes> guarded(const std::string& name, la::Index::Part bytes,
                                                   const Guard& guard) {
    const auto& [chunk, checksums] = guard;
    return std::make_unique<la::GuardedBytes>(
        name, bytes.data, bytes.bytes, chunk,
        std::vector<uint64_t>(checksums.data(), checksums.data() + checksums.size()));
  }
  py::array rows_;
  Parts parts_;
  std::unique_ptr<la::Index> index_;
};

// The checksum of each chunk of an array's bytes.
py::array_t<uint64_t> checksums(const py::array_t<uint8_t, py::array::c_style>& bytes,
                                int64_t chunk) {
  if (chunk < 1) throw py::value_error("chunk must be at least 1");
  const int64_t n = bytes.size(), chunks = (n + chunk - 1) / chunk;
  py::array_t<uint64_t> out(chunks);
  const uint8_t* const from = bytes.data();
  uint64_t* const to = out.mutable_data();
  without_gil(0, py::none(), [&](la::Team& team) {
    team.run(chunks, double(n) / 8, [&](int64_t c, int) {
      to[c] = la::checksum(from + c * chunk, std::min(chunk, n - c * chunk));
    });
  });
  return out;
}

}  // namespace

void bind_index(py::module_& m) {
  py::register_exception<la::Damaged>(m, "DamagedError", PyExc_ValueError);
  m.def("checksums", &checksums);
  py::class_<Index>(m, "Index")
      .def(py::init<const py::array&, const py::object&, int>())
      .def(py::init<const py::array&, const py::object&, const Parts&, const Guards&>())
      .def("parts", &Index::parts)
      .def("knn", &Index::knn)
      .def("radius_neighbors", &Index::radius_neighbors)
      .def("verify", &Index::verify)
      .def("stage", &Index::stage);
}
