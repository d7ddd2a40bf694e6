/* Gated MLPs: down (activation(gate x, up x)). Gate, up and activation of the same rows of a weight are one task. */
#include "functions.h"
#include "product.h"
#include "ranges.h"
#include "work.h"

#define TASK_SUMS (64 << 10) /* of rows of x and of weights at most in one task: they stay in a cache */

static inline vfloat activate(const struct unit *unit, vfloat gate, vfloat up) {
  switch (unit->activation) {
    case 0:
      return vsilu(gate) * up;
    case 1:
      return vgelu(gate) * up;
    default: {
      vfloat limit = vset(unit->limit), g = vmin(limit, gate), u = vmax(-limit, vmin(limit, up));
      return g * vsigmoid(unit->alpha * g) * (u + 1);
    }
  }
}

/** Rows of x, and which matrices of a unit they are multiplied with. */
struct unit_rows {
  int32_t matrix;
  const int32_t *index; /* [rows] of x; null for all of them in order */
  int32_t rows;
  int64_t first;        /* of its rows in the results */
};

/** h[i, width] = activation(gate x, up x) for rows of several matrices. */
struct unit_hidden {
  struct step *s;
  const struct unit *unit;
  const struct unit_rows *all;
  int32_t count;
  const struct operand *x;
  float *h;
  int32_t part, parts;  /* rows of the weights in a task, and tasks for each of `all` */
  char *scratch;        /* [threads], of a product and then of up */
  int64_t scratch_bytes, product_bytes;
};

static struct product hidden_product(const struct unit_hidden *u, const struct projection *projection, const struct unit_rows *r, float *y, int64_t stride) {
  struct product p = product_of(projection, r->matrix, u->x, y, stride);
  p.index = r->index;
  p.rows = r->rows;
  return p;
}

static void hidden_task(void *context, int64_t task, int thread) {
  const struct unit_hidden *u = context;
  const struct unit_rows *r = u->all + task / u->parts;
  int32_t width = u->unit->gate.weight->rows, from = (int32_t)(task % u->parts) * u->part, to = from + u->part < width ? from + u->part : width;
  if (r->rows == 0 || is_cancelled(u->s)) {
    return;
  }
  char *scratch = u->scratch + thread * u->scratch_bytes;
  float *h = u->h + r->first * width, *up = (float *)(scratch + u->product_bytes);
  struct product gates = hidden_product(u, &u->unit->gate, r, h, width), ups = hidden_product(u, &u->unit->up, r, up - from, u->part);
  bool last = to == width, next = last && r + 1 < u->all + u->count;
  gates.then = weight_values(ups.weight, ups.matrix, from);
  ups.then = weight_values(gates.weight, next ? r[1].matrix : gates.matrix, last ? 0 : to);
  product_rows(&gates, from, to, scratch);
  product_rows(&ups, from, to, scratch);
  for (int32_t i = 0; i < r->rows; i++) {
    float *gate = h + (int64_t)i * width + from;
    const float *other = up + (int64_t)i * u->part;
    for (int32_t c = 0; c < to - from; c += LANES) {
      int32_t count = to - from - c;
      vstore_some(gate + c, activate(u->unit, vload_some(gate + c, count), vload_some(other + c, count)), count);
    }
  }
}

static int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }

/** As task_rows, but of fewer where there are many rows of x. */
static int32_t task_rows_of_many(const struct step *s, const struct weight *w, int64_t bytes, int32_t rows) {
  int32_t some = task_rows(s, w, bytes), most = TASK_SUMS / (int32_t)sizeof(float) / (rows + 1) / TASK_ROWS * TASK_ROWS;
  return most < TASK_ROWS ? TASK_ROWS : some < most ? some : most;
}

/** @param h [rows of all, width] */
static void run_hidden(struct step *s, const struct unit *unit, const struct unit_rows *all, int32_t count, const struct operand *x, float *h) {
  struct unit_hidden u = {.s = s, .unit = unit, .all = all, .count = count, .x = x, .h = h};
  int32_t width = unit->gate.weight->rows, most = 0;
  for (int32_t i = 0; i < count; i++) {
    struct product gates = hidden_product(&u, &unit->gate, all + i, NULL, 0), ups = hidden_product(&u, &unit->up, all + i, NULL, 0);
    u.product_bytes = greater(u.product_bytes, greater(product_scratch(&gates), product_scratch(&ups)));
    most = all[i].rows > most ? all[i].rows : most;
  }
  const struct weight *gate = unit->gate.weight;
  u.part = task_rows_of_many(s, gate, count * (int64_t)width * format_row_bytes(&gate->format, gate->columns), most);
  u.parts = (width + u.part - 1) / u.part;
  u.product_bytes = padded(u.product_bytes);
  u.scratch_bytes = u.product_bytes + padded((int64_t)most * u.part * (int64_t)sizeof(float));
  u.scratch = op_memory(s, thread_count(s) * u.scratch_bytes);
  run_ranges(s, (int64_t)count * u.parts, hidden_task, &u);
}

static void op_gated_mlp(struct step *s, const struct op *op) {
  const struct unit *unit = &op->gated_mlp.unit;
  int64_t width = unit->gate.weight->rows;
  struct operand x = operand_of_view(s, op->gated_mlp.in);
  struct unit_rows all = {.rows = s->rows};
  float *h = op_memory(s, s->rows * width * (int64_t)sizeof *h);
  run_hidden(s, unit, &all, 1, &x, h);
  struct operand hidden = operand_of(s, h, width, s->rows, (int32_t)width);
  struct product p = product_of(&unit->down, 0, &hidden, view_row(s, op->gated_mlp.out, 0), view_stride(s, op->gated_mlp.out));
  products_run(s, &p, 1);
}
