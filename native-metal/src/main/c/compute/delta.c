/*
 * The gated delta rule, a head of a session at a time, in chunks of rows: GatedDeltaRule.java has the formulas and the names. A chunk of one row is
 * the recurrent form.
 */
#include "functions.h"
#include "matmul.h"
#include "work.h"

#define DELTA_CHUNK 64
#define DELTA_EPS 1e-6f

struct delta {
  struct step *s;
  const struct op *op;
  int32_t key_width, value_width;
  char *scratch; /* [threads] */
  int64_t scratch_bytes;
};

/** A thread's memory; n is the rows of the chunk, N is n padded to whole vectors. */
struct delta_chunk {
  int32_t n, padded;
  float *kq;        /* [2n, key width]: unit keys, then unit queries over the root of the key width */
  float *k_columns; /* [key width, N] */
  float *products;  /* [2n, N]: of keys, and of queries, with the keys; then times G_i / G_j */
  float *read;      /* [2n, value width]: what the state yields for keys and queries */
  float *u;         /* [n, value width] */
  double *logs;     /* [n], of G_i */
};

static int64_t delta_scratch_bytes(int64_t key_width, int64_t value_width) {
  int64_t floats = DELTA_CHUNK * (3 * key_width + 2 * DELTA_CHUNK + 3 * value_width + 2);
  return padded(floats * (int64_t)sizeof(float)) + 6 * 64;
}

static struct delta_chunk delta_chunk_of(const struct delta *d, int thread, int32_t n) {
  char *memory = d->scratch + thread * d->scratch_bytes;
  const int64_t floats = DELTA_CHUNK * (int64_t)sizeof(float);
  struct delta_chunk c = {.n = n, .padded = (n + LANES - 1) / LANES * LANES};
  float **parts[] = {&c.kq, &c.k_columns, &c.products, &c.read, &c.u};
  int64_t sizes[] = {2 * d->key_width, d->key_width, 2 * DELTA_CHUNK, 2 * d->value_width, d->value_width};
  for (int i = 0; i < 5; i++) {
    *parts[i] = (float *)memory;
    memory += padded(floats * sizes[i]);
  }
  c.logs = (double *)memory;
  return c;
}

/** x, made this long. */
static void unit_vector(const float *x, int32_t width, double length, float *unit) {
  float factor = (float)(length / sqrt(squares_about(x, width, 0) + DELTA_EPS));
  for (int32_t i = 0; i < width; i++) {
    unit[i] = x[i] * factor;
  }
}

/** Units of keys and queries, and how much of the state before the chunk is left at each row. */
static void delta_rows(const struct delta *d, struct delta_chunk *c, int32_t first, int32_t head) {
  const struct op *op = d->op;
  int32_t width = d->key_width, at = op->delta.key_head[head] * width;
  for (int32_t i = 0; i < c->n; i++) {
    float x = view_row(d->s, op->delta.decay, first + i)[head] + op->delta.dt_bias[head];
    double softplus = x > 20 ? x : log1p(exp(x)); /* beyond 20 they are the same float */
    c->logs[i] = (i == 0 ? 0 : c->logs[i - 1]) - op->delta.rate[head] * softplus;
    unit_vector(view_row(d->s, op->delta.k, first + i) + at, width, 1, c->kq + (int64_t)i * width);
    unit_vector(view_row(d->s, op->delta.q, first + i) + at, width, 1 / sqrt(width), c->kq + (int64_t)(c->n + i) * width);
  }
}

/** Products of rows with the keys, times how much is left of each key's row: G_i / G_j up to the row itself, of keys before it; then 0. */
static void delta_products(const struct delta *d, struct delta_chunk *c) {
  int32_t width = d->key_width;
  for (int32_t k = 0; k < width; k++) {
    for (int32_t j = 0; j < c->padded; j++) {
      c->k_columns[(int64_t)k * c->padded + j] = j < c->n ? c->kq[(int64_t)j * width + k] : 0;
    }
  }
  matmul(&(struct matmul){.m = 2 * c->n, .n = c->padded, .k = width, .a = c->kq, .a_row = width, .a_column = 1, .b = c->k_columns,
      .b_row = c->padded, .c = c->products, .c_row = c->padded});
  for (int32_t i = 0; i < c->n; i++) {
    float kept[DELTA_CHUNK] = {0};
    for (int32_t j = 0; j <= i; j++) {
      kept[j] = (float)(c->logs[i] - c->logs[j]);
    }
    EACH_LANE(i + 1, kept, kept, vexp)
    float *keys = c->products + (int64_t)i * c->padded, *queries = keys + (int64_t)c->n * c->padded;
    for (int32_t j = 0; j < c->n; j++) {
      keys[j] = j < i ? -keys[j] * kept[j] : 0;
      queries[j] = j <= i ? queries[j] * kept[j] : 0;
    }
  }
}

/** u_i = sigmoid(beta_i) (v_i - G_i S^T k_i - sum over j < i of G_i / G_j (k_i . k_j) u_j) */
static void delta_corrections(const struct delta *d, struct delta_chunk *c, int32_t first, int32_t head) {
  int32_t width = d->value_width;
  for (int32_t i = 0; i < c->n; i++) {
    const float *v = view_row(d->s, d->op->delta.v, first + i) + head * width, *read = c->read + (int64_t)i * width;
    float *u = c->u + (int64_t)i * width, before = (float)exp(c->logs[i]);
    for (int32_t j = 0; j < width; j++) {
      u[j] = -before * read[j];
    }
    if (i > 0) {
      matmul(&(struct matmul){.m = 1, .n = width, .k = i, .a = c->products + (int64_t)i * c->padded, .a_column = 1, .b = c->u,
          .b_row = width, .c = u, .c_row = width, .add = true});
    }
    float beta = (float)(1 / (1 + exp(-(double)view_row(d->s, d->op->delta.beta, first + i)[head])));
    for (int32_t j = 0; j < width; j++) {
      u[j] = beta * (v[j] + u[j]);
    }
  }
}

/** out_i = G_i S^T q_i + sum over j up to i of G_i / G_j (q_i . k_j) u_j */
static void delta_out(const struct delta *d, struct delta_chunk *c, int32_t first, int32_t head) {
  int32_t width = d->value_width;
  for (int32_t i = 0; i < c->n; i++) {
    const float *read = c->read + (int64_t)(c->n + i) * width;
    float *out = view_row(d->s, d->op->delta.out, first + i) + head * width, before = (float)exp(c->logs[i]);
    for (int32_t j = 0; j < width; j++) {
      out[j] = before * read[j];
    }
  }
  matmul(&(struct matmul){.m = c->n, .n = width, .k = c->n, .a = c->products + (int64_t)c->n * c->padded, .a_row = c->padded, .a_column = 1,
      .b = c->u, .b_row = width, .c = view_row(d->s, d->op->delta.out, first) + head * width, .c_row = view_stride(d->s, d->op->delta.out),
      .add = true});
}

/** S = G S + sum over j of G / G_j k_j u_j^T, with G of the last row. */
static void delta_update(const struct delta *d, struct delta_chunk *c, float *state) {
  int32_t width = d->value_width;
  double last = c->logs[c->n - 1];
  float before = (float)exp(last);
  for (int32_t j = 0; j < c->n; j++) {
    float kept = (float)exp(last - c->logs[j]), *u = c->u + (int64_t)j * width;
    for (int32_t i = 0; i < width; i++) {
      u[i] *= kept;
    }
  }
  matmul(&(struct matmul){.m = d->key_width, .n = width, .k = c->n, .a = c->kq, .a_row = 1, .a_column = d->key_width, .b = c->u,
      .b_row = width, .c = state, .c_row = width, .add = true, .keep = &before});
}

static void delta_task(void *context, int64_t task, int thread) {
  const struct delta *d = context;
  const struct op *op = d->op;
  const struct span *span = &d->s->spans[task / op->delta.heads];
  int32_t head = (int32_t)(task % op->delta.heads);
  float *state = span->session->caches[op->delta.cache].after + (int64_t)head * d->key_width * d->value_width;
  for (int32_t row = 0; row < span->count; row += DELTA_CHUNK) {
    if (is_cancelled(d->s)) {
      return;
    }
    int32_t n = span->count - row < DELTA_CHUNK ? span->count - row : DELTA_CHUNK, first = span->first + row;
    struct delta_chunk c = delta_chunk_of(d, thread, n);
    delta_rows(d, &c, first, head);
    delta_products(d, &c);
    matmul(&(struct matmul){.m = 2 * n, .n = d->value_width, .k = d->key_width, .a = c.kq, .a_row = d->key_width, .a_column = 1, .b = state,
        .b_row = d->value_width, .c = c.read, .c_row = d->value_width});
    delta_corrections(d, &c, first, head);
    delta_out(d, &c, first, head);
    delta_update(d, &c, state);
  }
}

static void op_delta(struct step *s, const struct op *op) {
  struct delta d = {.s = s, .op = op, .key_width = op->delta.key_width, .value_width = op->delta.v.width / op->delta.heads};
  d.scratch_bytes = delta_scratch_bytes(d.key_width, d.value_width);
  d.scratch = op_memory(s, thread_count(s) * d.scratch_bytes);
  run(s, (int64_t)s->rows * op->delta.heads * d.key_width * d.value_width * 3, (int64_t)s->span_count * op->delta.heads, delta_task, &d);
}
