/* One product. */
#include "product.h"

/** Matrix `matrix` of a projection. */
static struct product product_of(const struct projection *projection, int32_t matrix, const struct operand *x, float *y, int64_t y_stride) {
  return (struct product){
      .weight = projection->weight,
      .matrix = matrix,
      .bias = projection->bias_values ? projection->bias_values[matrix] : NULL,
      .x = x,
      .rows = x->rows,
      .y = y,
      .y_stride = y_stride,
  };
}

static struct operand operand_of_view(struct step *s, struct view v) {
  return operand_of(s, view_row(s, v, 0), view_stride(s, v), s->rows, v.width);
}

static void op_linear(struct step *s, const struct op *op) {
  struct operand x = operand_of_view(s, op->linear.in);
  struct product p = product_of(&op->linear.projection, 0, &x, view_row(s, op->linear.out, 0), view_stride(s, op->linear.out));
  products_run(s, &p, 1);
}
