/* Rows of weights as floats, and how many bytes they take. */
#include <stdlib.h>

#include "decode.h"

void weight_row(const struct weight *w, int matrix, int32_t row, float *out) {
  if (!w->transposed) {
    format_decode(&w->format, weight_values(w, matrix, row), weight_scales(w, matrix, row), weight_biases(w, matrix, row), w->columns, out);
    return;
  }
  int32_t at = w->first_row + row * w->row_step;
  for (int32_t c = 0; c < w->columns; c++) {
    out[c] = decode_value(&w->format, weight_values(w, matrix, c), weight_scales(w, matrix, c), weight_biases(w, matrix, c), at);
  }
}

float *weight_vector(const struct weight *w, int matrix) {
  int64_t count = (int64_t)w->rows * w->columns;
  float *all = count > INT32_MAX ? NULL : malloc((size_t)count * sizeof *all);
  for (int32_t row = 0; all && row < w->rows; row++) {
    weight_row(w, matrix, row, all + (int64_t)row * w->columns);
  }
  return all;
}

static int64_t rows_of_scales(const struct weight *w) {
  int64_t rows = 0;
  for (int32_t i = 0; i < w->count; i++) {
    const struct region *r = &w->pieces[i].scales;
    int64_t first = (r->skipped + weight_stored_row(w, 0)) / r->shared_by;
    int64_t last = (r->skipped + weight_stored_row(w, weight_stored_rows(w) - 1)) / r->shared_by;
    rows += r->shared_by == 1 ? weight_stored_rows(w) : last - first + 1;
  }
  return rows;
}

int64_t weight_bytes(const struct weight *w) {
  int32_t columns = w->transposed ? w->rows : w->columns;
  int64_t rows = (int64_t)weight_stored_rows(w) * w->count;
  int64_t scales = format_scale_bytes(&w->format, columns);
  return rows * (format_row_bytes(&w->format, columns) + format_bias_bytes(&w->format, columns))
      + (scales == 0 ? 0 : scales * rows_of_scales(w));
}
