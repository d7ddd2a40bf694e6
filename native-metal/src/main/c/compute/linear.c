/* Products with the same rows. */
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

static bool same_view(struct view a, struct view b) { return a.slot == b.slot && a.offset == b.offset && a.width == b.width; }

/** The most that are run as one. */
enum { LINEARS = 8 };

/** With the linear ops that follow and read the same rows: as queries, keys and values do. */
static void op_linear(struct step *s, const struct op *op) {
  const struct op *end = s->program->ops + s->program->op_count;
  struct operand x = operand_of_view(s, op->linear.in), exact = x;
  exact.q = NULL;
  struct product products[LINEARS];
  int32_t count = 0;
  for (const struct op *i = op; i < end && count < LINEARS && i->kind == ES_LINEAR && same_view(i->linear.in, op->linear.in); i++) {
    products[count++] = product_of(&i->linear.projection, 0, i->linear.exact ? &exact : &x, view_row(s, i->linear.out, 0), view_stride(s, i->linear.out));
  }
  s->next += count - 1;
  products_run(s, products, count);
}
