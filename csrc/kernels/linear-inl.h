// Rows mapped by a triangular matrix, z_j = Σ L_ij x_i over i from j on, in float64 and in a fixed order:
// i by i, in blocks of kLinearBlock added in order. A panel of the map is kLinearPanel of its columns.

int64_t map_rows(const MatrixView& m, const double* linear, int64_t first, int rows,
                 double* scratch, double* out) {
  constexpr int vectors = kLinearPanel / F64::lanes;
  constexpr int at_once = F64::lanes == 2 ? 1 : F64::lanes == 4 ? 2 : 4;
  const int64_t d = m.cols, panels = (d + kLinearPanel - 1) / kLinearPanel;
  for (int r = 0; r < kLinearRows; ++r) {
    double* const x = scratch + r * d;
    if (r >= rows) {
      for (int64_t k = 0; k < d; ++k) x[k] = 0;
      continue;
    }
    read(m, first + r, 0, d, x);
    for (int64_t k = 0; k < d; ++k) {
      if (x[k] - x[k] != 0) return first + r;
    }
  }
  for (int64_t panel = 0; panel < panels; ++panel) {
    const double* const columns = linear + panel * d * kLinearPanel;
    for (int r = 0; r < kLinearRows; r += at_once) {
      F64 total[at_once][vectors];
      for (auto& row : total) {
        for (F64& part : row) part = F64::all(0);
      }
      for (int64_t begin = panel * kLinearPanel / kLinearBlock * kLinearBlock; begin < d;
           begin += kLinearBlock) {
        const int64_t end = d - begin < kLinearBlock ? d : begin + kLinearBlock;
        F64 sum[at_once][vectors];
        for (auto& row : sum) {
          for (F64& part : row) part = F64::all(0);
        }
        for (int64_t i = begin; i < end; ++i) {
          F64 l[vectors];
          for (int c = 0; c < vectors; ++c) {
            l[c] = F64::load(columns + i * kLinearPanel + c * F64::lanes);
          }
          for (int q = 0; q < at_once; ++q) {
            const F64 x = F64::all(scratch[(r + q) * d + i]);
            for (int c = 0; c < vectors; ++c) sum[q][c] = pinned(sum[q][c] + l[c] * x);
          }
        }
        for (int q = 0; q < at_once; ++q) {
          for (int c = 0; c < vectors; ++c) total[q][c] = total[q][c] + sum[q][c];
        }
      }
      for (int q = 0; q < at_once; ++q) {
        for (int c = 0; c < vectors; ++c) {
          total[q][c].store(out + (r + q) * panels * kLinearPanel + panel * kLinearPanel +
                            c * F64::lanes);
        }
      }
    }
  }
  return -1;
}
