// Products of plain float32 matrices, as screens are chosen by them: nothing is proven of their sums.

constexpr int kProductVectors = 2;
constexpr int kProductColumns = kProductVectors * F32::lanes;
#if defined(__AVX512F__)
constexpr int kProductRows = 12;
#elif defined(__AVX2__)
constexpr int kProductRows = 6;
#else
constexpr int kProductRows = 4;
#endif

// kProductRows rows of a by one packed panel of b; those beyond `rows` repeat the last.
LK_INLINE void product_micro(const ProductArgs& p, const float* a, int rows, const float* panel,
                             int depth, float* sums) {
  const float* from[kProductRows];
  for (int r = 0; r < kProductRows; ++r) from[r] = a + (r < rows ? r : rows - 1) * p.a_row;
  F32 acc[kProductRows][kProductVectors];
  for (auto& row : acc) {
    for (F32& sum : row) sum = F32::all(0);
  }
  for (int64_t k = 0; k < depth; ++k) {
    F32 v[kProductVectors];
    for (int c = 0; c < kProductVectors; ++c) {
      v[c] = F32::load(panel + k * kProductColumns + c * F32::lanes);
    }
    for (int r = 0; r < kProductRows; ++r) {
      const F32 u = F32::all(from[r][k * p.a_depth]);
      for (int c = 0; c < kProductVectors; ++c) acc[r][c] = pinned(fused(u, v[c], acc[r][c]));
    }
  }
  for (int r = 0; r < kProductRows; ++r) {
    for (int c = 0; c < kProductVectors; ++c) {
      acc[r][c].store(sums + r * kProductColumns + c * F32::lanes);
    }
  }
}

void product(const ProductArgs& p) {
  float panel[kTile * kProductColumns], sums[kProductRows * kProductColumns];
  for (int j = 0; j < p.cols; j += kProductColumns) {
    const int some = p.cols - j < kProductColumns ? p.cols - j : kProductColumns;
    for (int k0 = 0; k0 < p.depth; k0 += kTile) {
      const int depth = p.depth - k0 < kTile ? p.depth - k0 : kTile;
      for (int64_t k = 0; k < depth; ++k) {
        const float* const from = p.b + (k0 + k) * p.b_row + j;
        float* const to = panel + k * kProductColumns;
        if (some == kProductColumns) {
          __builtin_memcpy(to, from, sizeof(float) * kProductColumns);
          continue;
        }
        for (int c = 0; c < kProductColumns; ++c) to[c] = c < some ? from[c] : 0;
      }
      for (int r = 0; r < p.rows; r += kProductRows) {
        const int rows = p.rows - r < kProductRows ? p.rows - r : kProductRows;
        product_micro(p, p.a + r * p.a_row + k0 * p.a_depth, rows, panel, depth, sums);
        for (int i = 0; i < rows; ++i) {
          float* const to = p.c + (r + i) * p.c_row + j;
          const float* const from = sums + i * kProductColumns;
          if (p.add || k0 > 0) {
            for (int c = 0; c < some; ++c) to[c] += from[c];
          } else {
            for (int c = 0; c < some; ++c) to[c] = from[c];
          }
        }
      }
    }
  }
}
