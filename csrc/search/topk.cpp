#include <algorithm>
#include <atomic>

#include "kernels/dispatch.h"
#include "search/neighbors.h"

namespace lookalike {
namespace {

constexpr int64_t kChunk = 512;  // values read at a time, and looked at with one limit

template <class T>
struct Selection {
  struct Entry {
    T value;
    int64_t index;
    bool operator<(const Entry& b) const {
      return value < b.value || (value == b.value && index < b.index);
    }
  };
  std::vector<Entry> kept;
  std::vector<int32_t> positions = std::vector<int32_t>(kChunk);
  std::vector<double> chunk = std::vector<double>(kChunk);

  // Values come by ascending index, so whoever equals the k-th smallest so far comes too late.
  bool add(const T* values, int64_t n, int64_t first, int64_t k) {
    // Until k are there nothing is excluded, infinities included.
    if (!limited_) {
      for (int64_t p = 0; p < n; ++p) {
        if (values[p] != values[p]) return false;
        kept.push_back({values[p], first + p});
      }
    } else {
      int64_t count;
      if constexpr (sizeof(T) == 4) {
        count = kernels().below_f32(values, n, limit_, positions.data());
      } else {
        count = kernels().below_f64(values, n, limit_, positions.data());
      }
      if (count < 0) return false;
      for (int64_t p = 0; p < count; ++p) {
        const int32_t at = positions[size_t(p)];
        kept.push_back({values[at], first + at});
      }
    }
    const auto size = int64_t(kept.size());
    if (size >= 2 * k + kChunk / 4 || (size >= k && !limited_)) shrink(k);
    return true;
  }

  void shrink(int64_t k) {
    std::nth_element(kept.begin(), kept.begin() + (k - 1), kept.end());
    kept.resize(size_t(k));
    limit_ = kept.back().value;
    limited_ = true;
  }

  void finish(int64_t k, double* distances, int64_t* indices) {
    shrink(k);
    std::sort(kept.begin(), kept.end());
    for (int64_t c = 0; c < k; ++c) {
      distances[c] = double(kept[size_t(c)].value);
      indices[c] = kept[size_t(c)].index;
    }
    clear();
  }

  void clear() {
    kept.clear();
    limited_ = false;
  }

 private:
  T limit_ = 0;
  bool limited_ = false;
};

template <class T>
void select(const MatrixView& m, DType native, int64_t k, Team& team, double* distances,
            int64_t* indices) {
  const bool in_place = m.dtype == native && m.col_stride == int64_t(sizeof(T));
  std::vector<Selection<T>> selections(size_t(team.threads()));
  std::atomic<int64_t> bad{m.rows};
  team.run(m.rows, double(m.rows) * double(m.cols) * 4, [&](int64_t row, int worker) {
    Selection<T>& s = selections[size_t(worker)];
    for (int64_t k0 = 0; k0 < m.cols; k0 += kChunk) {
      const int64_t n = std::min(kChunk, m.cols - k0);
      const T* values;
      if (in_place) {
        values = reinterpret_cast<const T*>(m.data + row * m.row_stride) + k0;
      } else {
        kernels().read_f64(m, row, k0, n, s.chunk.data());
        values = reinterpret_cast<const T*>(s.chunk.data());
      }
      if (!s.add(values, n, k0, k)) {
        int64_t known = bad.load();
        while (row < known && !bad.compare_exchange_weak(known, row)) {
        }
        s.clear();
        return;
      }
    }
    s.finish(k, distances + row * k, indices + row * k);
  });
  if (bad.load() < m.rows) throw BadRow(BadRow::Why::not_finite, 0, bad.load());
}

}  // namespace

void topk(const MatrixView& m, int64_t k, Team& team, double* distances, int64_t* indices) {
  if (m.dtype == DType::f32 && m.col_stride == 4) {
    select<float>(m, DType::f32, k, team, distances, indices);
  } else {
    select<double>(m, DType::f64, k, team, distances, indices);
  }
}

}  // namespace lookalike
