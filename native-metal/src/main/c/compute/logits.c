/* Logits of the rows that want them. */
#include "functions.h"
#include "product.h"
#include "work.h"

static void cap_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  const vfloat cap = vset(op->logits.cap);
  const int32_t width = op->logits.out.width;
  for (int64_t row = first; row < end; row++) {
    float *x = view_row(s, op->logits.out, row);
    for (int32_t i = 0; i < width; i += LANES) {
      int32_t count = width - i < LANES ? width - i : LANES;
      vstore_some(x + i, cap * vtanh(vload_some(x + i, count) / cap), count);
    }
  }
}

static void op_logits(struct step *s, const struct op *op) {
  int64_t rows = s->logits_rows, width = op->logits.in.width;
  if (rows == 0) {
    return;
  }
  float *in = op_memory(s, rows * width * (int64_t)sizeof *in);
  for (int64_t i = 0; i < rows; i++) {
    memcpy(in + i * width, view_row(s, op->logits.in, s->logits_row[i]), (size_t)width * sizeof *in);
  }
  struct operand x = operand_of(s, in, width, (int32_t)rows, (int32_t)width);
  struct product p = {
      .weight = op->logits.weight,
      .x = &x,
      .rows = (int32_t)rows,
      .y = view_row(s, op->logits.out, 0),
      .y_stride = view_stride(s, op->logits.out),
  };
  products_run(s, &p, 1);
  if (op->logits.cap > 0) {
    run_rows(s, op, rows, 2 * (int64_t)op->logits.out.width, cap_rows);
  }
}
