/* Multi-head latent attention in the absorbed form: all heads share the latents as keys, and the first columns of them as values. */
#include "flash.h"
#include "product.h"

/** One product a head: matrix h with rows t * heads + h of x. */
static void multiply_heads(struct step *s, const struct weight *weight, int32_t heads, const struct operand *x, float *y, int64_t y_row, int64_t y_head) {
  struct product *products = op_memory(s, heads * (int64_t)sizeof *products);
  int32_t *index = op_memory(s, (int64_t)heads * s->rows * (int64_t)sizeof *index);
  for (int32_t h = 0; h < heads; h++, index += s->rows) {
    for (int32_t t = 0; t < s->rows; t++) {
      index[t] = t * heads + h;
    }
    products[h] = (struct product){
        .weight = weight, .matrix = h, .x = x, .index = index, .rows = s->rows, .y = y + h * y_head, .y_stride = y_row};
  }
  products_run(s, products, heads);
}

/** The rows [T * heads, width] of some columns of each head: of a view, if nothing lies between its rows, or a copy. */
static struct operand operand_of_heads(struct step *s, struct view v, int32_t heads, int32_t columns) {
  int64_t head = v.width / heads;
  const float *x = view_row(s, v, 0);
  if (view_stride(s, v) != v.width) {
    float *copy = op_memory(s, (int64_t)s->rows * v.width * (int64_t)sizeof *copy);
    for (int32_t t = 0; t < s->rows; t++) {
      memcpy(copy + (int64_t)t * v.width, view_row(s, v, t), (size_t)v.width * sizeof *copy);
    }
    x = copy;
  }
  return operand_of(s, x, head, s->rows * heads, columns);
}

static void op_latent_attention(struct step *s, const struct op *op) {
  struct view q = op->latent_attention.q, latent = op->latent_attention.latent, rope = op->latent_attention.key_rope;
  struct view out = op->latent_attention.out;
  int32_t heads = op->latent_attention.heads, rank = latent.width, nope = q.width / heads - rope.width, value = out.width / heads;
  cache_views(s, op->latent_attention.cache, latent, rope);

  int64_t row = (int64_t)heads * rank;
  float *absorbed = op_memory(s, s->rows * row * (int64_t)sizeof *absorbed), *mixed = op_memory(s, s->rows * row * (int64_t)sizeof *mixed);
  struct operand query = operand_of_heads(s, q, heads, nope);
  multiply_heads(s, op->latent_attention.key_up, heads, &query, absorbed, row, rank);

  int32_t *start = op_memory(s, 2 * sizeof *start), *order = op_memory(s, heads * (int64_t)sizeof *order);
  start[0] = 0;
  start[1] = heads;
  for (int32_t h = 0; h < heads; h++) {
    order[h] = h;
  }
  struct flash f = {
      .s = s,
      .cache = op->latent_attention.cache,
      .groups = 1,
      .group_start = start,
      .heads = order,
      .key_width = rank + rope.width,
      .value_width = rank,
      .value_at = 0,
      .q = {absorbed, view_row(s, q, 0) + nope},
      .q_row = {row, view_stride(s, q)},
      .q_head = {rank, nope + rope.width},
      .q_width = {rank, rope.width},
      .scale = op->latent_attention.scale,
      .chosen = op->latent_attention.selection ? s->selection : NULL,
      .out = mixed,
      .out_row = row,
      .out_head = rank,
  };
  flash_run(&f);
  struct operand values = operand_of(s, mixed, rank, s->rows * heads, rank);
  multiply_heads(s, op->latent_attention.value_up, heads, &values, view_row(s, out, 0), view_stride(s, out), value);
}
