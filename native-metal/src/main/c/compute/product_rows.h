/* Where rows of a weight lie, for kernels that read them in place. */
#ifndef ES_PRODUCT_ROWS_H
#define ES_PRODUCT_ROWS_H

#include "product.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define PREFETCH_BYTES 2048

struct stored_row {
  const uint8_t *values, *scales, *biases;
};

static inline struct stored_row stored_row(const struct weight *w, int32_t matrix, int32_t row) {
  bool apart = w->format.kind == ES_AFFINE || w->format.kind == ES_SCALED;
  return (struct stored_row){weight_values(w, matrix, row), apart ? weight_scales(w, matrix, row) : NULL,
      w->format.kind == ES_AFFINE ? weight_biases(w, matrix, row) : NULL};
}

/** Rows [first, first + count); divisions only where rows are cut or shared. */
static inline void stored_rows(const struct weight *w, int32_t matrix, int32_t first, int count, struct stored_row *out) {
  out[0] = stored_row(w, matrix, first);
  const struct piece *piece = w->pieces + matrix;
  bool even = w->row_block >= w->rows && piece->values.shared_by == 1 && piece->scales.shared_by <= 1 && piece->biases.shared_by <= 1;
  for (int i = 1; i < count; i++) {
    out[i] = even ? (struct stored_row){out[0].values + i * piece->values.row_bytes, out[0].scales + i * piece->scales.row_bytes,
                        out[0].biases + i * piece->biases.row_bytes}
                  : stored_row(w, matrix, first + i);
  }
}

/** Bytes from a value to one that will be needed some hundred cycles later, where `step` rows are read side by side. */
static inline int64_t prefetch_distance(const struct product *p, int step) {
  int64_t rows = p->weight->pieces[p->matrix].values.row_bytes * step;
  return (PREFETCH_BYTES + rows - 1) / rows * rows;
}

static inline int64_t operand_row(const struct product *p, int32_t row) { return p->index ? p->index[row] : row; }

#endif
