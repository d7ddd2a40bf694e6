/* Rows of the table of tokens. */
#include "work.h"

static void embed_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  for (int64_t t = first; t < end; t++) {
    weight_row(op->embed.weight, 0, s->token[t], view_row(s, op->embed.out, t));
  }
}

static void op_embed(struct step *s, const struct op *op) { run_rows(s, op, s->rows, 4 * (int64_t)op->embed.out.width, embed_rows); }
