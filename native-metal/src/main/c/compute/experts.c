/*
 * The chosen experts that this node holds. Rows are gathered by expert, so that each weight is read once for all rows that chose it; a step of
 * one row is the same with one row for each expert. A row's sum is in the order in which the experts are held, however rows are batched.
 */
#include "gated.c"

struct expert_rows {
  int32_t count;        /* experts that have rows */
  int32_t pairs;        /* rows of all of them */
  struct unit_rows *of; /* [count] */
  int32_t *row;         /* [pairs] */
  int32_t *pair;        /* [pairs], 0, 1, 2 ... */
  float *weight;        /* [pairs] */
};

/** Experts' places among those that are held, -1 for others; `ids` is set to how many there are. */
static int32_t *held_places(struct step *s, const struct op *op, int32_t *ids) {
  *ids = 0;
  for (int32_t i = 0; i < op->experts.held_count; i++) {
    *ids = op->experts.held[i].expert >= *ids ? op->experts.held[i].expert + 1 : *ids;
  }
  int32_t *places = op_memory(s, *ids * (int64_t)sizeof *places);
  memset(places, -1, (size_t)*ids * sizeof *places);
  for (int32_t i = 0; i < op->experts.held_count; i++) {
    places[op->experts.held[i].expert] = i;
  }
  return places;
}

/** Where the k-th expert of a row is held, or -1 where this node does not compute it. */
static int32_t place_of(const struct step *s, const struct op *op, const int32_t *places, int32_t ids, int32_t t, const struct choice *choice, int32_t k) {
  int32_t place = choice->experts[k] < ids ? places[choice->experts[k]] : -1;
  if (place < 0) {
    return -1;
  }
  const struct held *held = op->experts.held + place;
  return ((int64_t)s->position[t] + op->experts.layer) % held->replicas == held->replica ? place : -1;
}

static struct expert_rows gather(struct step *s, const struct op *op) {
  const struct choice *choices = s->choices + (int64_t)(s->routes - 1) * s->rows;
  int32_t held = op->experts.held_count, ids;
  const int32_t *places = held_places(s, op, &ids);
  int32_t *end = op_memory(s, (held + 1) * (int64_t)sizeof *end);
  memset(end, 0, ((size_t)held + 1) * sizeof *end);
  struct expert_rows all = {.of = op_memory(s, held * (int64_t)sizeof *all.of)};
  for (int32_t t = 0; t < s->rows; t++) {
    for (int32_t k = 0; k < choices[t].count; k++) {
      int32_t place = place_of(s, op, places, ids, t, choices + t, k);
      if (place >= 0) {
        end[place + 1]++;
        all.pairs++;
      }
    }
  }
  all.row = op_memory(s, all.pairs * (int64_t)sizeof *all.row);
  all.pair = op_memory(s, all.pairs * (int64_t)sizeof *all.pair);
  all.weight = op_memory(s, all.pairs * (int64_t)sizeof *all.weight);
  for (int32_t place = 0; place < held; place++) {
    int32_t rows = end[place + 1];
    if (rows > 0) {
      all.of[all.count++] = (struct unit_rows){.matrix = place, .index = all.row + end[place], .rows = rows, .first = end[place]};
    }
    end[place + 1] += end[place];
  }
  for (int32_t t = 0; t < s->rows; t++) {
    for (int32_t k = 0; k < choices[t].count; k++) {
      int32_t place = place_of(s, op, places, ids, t, choices + t, k);
      if (place >= 0) {
        int32_t at = end[place]++;
        all.row[at] = t;
        all.pair[at] = at;
        all.weight[at] = choices[t].weights[k];
      }
    }
  }
  return all;
}

/** Columns [from, to) of out, from all experts one after the other. */
struct expert_down {
  struct step *s;
  const struct op *op;
  const struct expert_rows *rows;
  const struct operand *h;
  int32_t part;
  char *scratch; /* [threads], of a product and then of its results */
  int64_t scratch_bytes, product_bytes;
};

static struct product down_product(const struct expert_down *d, int32_t i, float *y) {
  const struct unit_rows *r = d->rows->of + i;
  struct product p = product_of(&d->op->experts.unit.down, r->matrix, d->h, y, d->part);
  p.index = d->rows->pair + r->first;
  p.rows = r->rows;
  return p;
}

static void add_scaled(float factor, const float *x, int32_t count, float *into) {
  for (int32_t i = 0; i < count; i++) {
    into[i] += factor * x[i];
  }
}

static void down_task(void *context, int64_t task, int thread) {
  const struct expert_down *d = context;
  struct view out = d->op->experts.out;
  int32_t from = (int32_t)task * d->part, to = from + d->part < out.width ? from + d->part : out.width;
  char *scratch = d->scratch + thread * d->scratch_bytes;
  float *y = (float *)(scratch + d->product_bytes);
  for (int32_t t = 0; t < d->s->rows; t++) {
    memset(view_row(d->s, out, t) + from, 0, (size_t)(to - from) * sizeof(float));
  }
  for (int32_t i = 0; i < d->rows->count; i++) {
    const struct unit_rows *r = d->rows->of + i;
    if (is_cancelled(d->s)) {
      return;
    }
    struct product p = down_product(d, i, y - from);
    bool last = i + 1 == d->rows->count;
    p.then = weight_values(p.weight, d->rows->of[last ? 0 : i + 1].matrix, !last ? from : to < out.width ? to : 0);
    product_rows(&p, from, to, scratch);
    for (int32_t n = 0; n < r->rows; n++) {
      float *sum = view_row(d->s, out, d->rows->row[r->first + n]) + from;
      add_scaled(d->rows->weight[r->first + n], y + (int64_t)n * d->part, to - from, sum);
    }
  }
}

static void run_down(struct step *s, const struct op *op, const struct expert_rows *rows, const struct operand *h) {
  const struct weight *weight = op->experts.unit.down.weight;
  struct expert_down d = {.s = s, .op = op, .rows = rows, .h = h};
  int32_t most = 0;
  for (int32_t i = 0; i < rows->count; i++) {
    struct product p = down_product(&d, i, NULL);
    d.product_bytes = greater(d.product_bytes, product_scratch(&p));
    most = rows->of[i].rows > most ? rows->of[i].rows : most;
  }
  d.part = task_rows_of_many(s, weight, weight->rows * format_row_bytes(&weight->format, weight->columns), most); /* of each expert */
  d.product_bytes = padded(d.product_bytes);
  d.scratch_bytes = d.product_bytes + padded((int64_t)most * d.part * (int64_t)sizeof(float));
  d.scratch = op_memory(s, thread_count(s) * d.scratch_bytes);
  run_ranges(s, (op->experts.out.width + d.part - 1) / d.part, down_task, &d);
}

static void op_experts(struct step *s, const struct op *op) {
  struct expert_rows rows = gather(s, op);
  if (rows.pairs == 0) {
    for (int32_t t = 0; t < s->rows; t++) {
      memset(view_row(s, op->experts.out, t), 0, (size_t)op->experts.out.width * sizeof(float));
    }
    return;
  }
  const struct unit *unit = &op->experts.unit;
  int64_t width = unit->gate.weight->rows;
  struct operand x = operand_of_view(s, op->experts.in);
  float *h = op_memory(s, rows.pairs * width * (int64_t)sizeof *h);
  run_hidden(s, unit, rows.of, rows.count, &x, h);
  struct operand hidden = operand_of(s, h, width, rows.pairs, (int32_t)width);
  run_down(s, op, &rows, &hidden);
}
