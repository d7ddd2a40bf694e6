/* Where rows of a weight lie, for kernels that read them in place. */
#ifndef ES_PRODUCT_ROWS_H
#define ES_PRODUCT_ROWS_H

#include "product.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define PREFETCH_BYTES 2048 /* how far away values are that will be needed some hundred cycles later */

struct stored_row {
  const uint8_t *values, *scales, *biases;
};

static inline struct stored_row stored_row(const struct weight *w, int32_t matrix, int32_t row) {
  bool apart = w->format.kind == ES_AFFINE || w->format.kind == ES_SCALED;
  return (struct stored_row){weight_values(w, matrix, row), apart ? weight_scales(w, matrix, row) : NULL,
      w->format.kind == ES_AFFINE ? weight_biases(w, matrix, row) : NULL};
}

/** A product's rows from `from` on. Found without a division where they lie at even distances. */
struct rows_from {
  const struct product *p;
  int32_t from;
  bool even;
  struct stored_row first;
};

static inline struct rows_from rows_from(const struct product *p, int32_t from) {
  const struct weight *w = p->weight;
  const struct piece *piece = w->pieces + p->matrix;
  bool even = w->row_block >= w->rows && piece->values.shared_by == 1 && piece->scales.shared_by <= 1 && piece->biases.shared_by <= 1;
  return (struct rows_from){p, from, even, stored_row(w, p->matrix, from)};
}

static inline struct stored_row row_at(const struct rows_from *rows, int32_t row) {
  if (!rows->even) {
    return stored_row(rows->p->weight, rows->p->matrix, row);
  }
  const struct piece *piece = rows->p->weight->pieces + rows->p->matrix;
  int64_t n = row - rows->from;
  return (struct stored_row){rows->first.values + n * piece->values.row_bytes, rows->first.scales + n * piece->scales.row_bytes,
      rows->first.biases + n * piece->biases.row_bytes};
}

static inline int64_t operand_row(const struct product *p, int32_t row) { return p->index ? p->index[row] : row; }

#endif
