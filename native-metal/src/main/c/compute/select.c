/* The rows with the greatest scores of an indexer, in float32 whatever the precision. */
#include "cached.h"
#include "functions.h"
#include "matmul.h"

#define SELECT_ROWS 16   /* of the step at a time */
#define SELECT_RANGE 512 /* cached rows of one task */
#define SELECT_KEYS 64   /* of which so many at a time */

struct select {
  struct step *s;
  const struct op *op;
  int32_t first, rows;   /* of the step */
  int32_t heads, width;  /* heads padded to whole vectors */
  int32_t ranges;
  float *q;              /* [rows][width, heads] */
  float *w;              /* [rows][heads], zeros for those that pad */
  float *scores;         /* [rows][scores_row] */
  int64_t scores_row;
  float *scratch;        /* [threads][SELECT_KEYS, heads + width] */
};

static void select_queries(const struct select *c) {
  const struct step *s = c->s;
  const int32_t heads = c->op->select_rows.w.width;
  for (int32_t i = 0; i < c->rows; i++) {
    const float *q = view_row(s, c->op->select_rows.q, c->first + i);
    float *columns = c->q + (int64_t)i * c->width * c->heads, *w = c->w + (int64_t)i * c->heads;
    memset(columns, 0, (size_t)c->width * (size_t)c->heads * sizeof *columns);
    memset(w, 0, (size_t)c->heads * sizeof *w);
    memcpy(w, view_row(s, c->op->select_rows.w, c->first + i), (size_t)heads * sizeof *w);
    for (int32_t h = 0; h < heads; h++) {
      for (int32_t k = 0; k < c->width; k++) {
        columns[(int64_t)k * c->heads + h] = q[(int64_t)h * c->width + k];
      }
    }
  }
}

/** Scores of one row with a range of its session's rows: sum over heads of w relu(q . k). */
static void select_scores_task(void *context, int64_t task, int thread) {
  const struct select *c = context;
  int32_t i = (int32_t)(task / c->ranges), t = c->first + i, position = c->s->position[t];
  int32_t from = (int32_t)(task % c->ranges) * SELECT_RANGE, to = from + SELECT_RANGE < position + 1 ? from + SELECT_RANGE : position + 1;
  if (position < c->op->select_rows.top_k || is_cancelled(c->s)) {
    return;
  }
  const struct cached rows = cached_of(c->s, c->s->session[t], c->op->select_rows.cache);
  float *dots = c->scratch + (int64_t)thread * SELECT_KEYS * (c->heads + c->width), *copies = dots + (int64_t)SELECT_KEYS * c->heads;
  const float *w = c->w + (int64_t)i * c->heads;
  for (int32_t first = from; first < to; first += SELECT_KEYS) {
    int32_t count = to - first < SELECT_KEYS ? to - first : SELECT_KEYS;
    int64_t stride;
    const float *keys = cached_rows(&rows, NULL, first, count, 0, c->width, copies, &stride);
    matmul(&(struct matmul){.m = count, .n = c->heads, .k = c->width, .a = keys, .a_row = stride, .a_column = 1,
        .b = c->q + (int64_t)i * c->width * c->heads, .b_row = c->heads, .c = dots, .c_row = c->heads});
    for (int32_t j = 0; j < count; j++) {
      vfloat sum = vset(0);
      for (int32_t h = 0; h < c->heads; h += LANES) {
        sum = vfma(vload(w + h), vmax(vset(0), vload(dots + (int64_t)j * c->heads + h)), sum);
      }
      c->scores[i * c->scores_row + first + j] = vsum(sum);
    }
  }
}

/** A number that is smaller the greater the score: the bits of positive floats ascend with them, those of negative ones descend. */
static inline uint32_t descending(float score) {
  uint32_t bits;
  score += 0.0f; /* -0 ties with 0 */
  if (score != score) {
    return 0; /* as the greatest of all */
  }
  memcpy(&bits, &score, sizeof bits);
  return bits & 0x80000000 ? bits : ~bits & 0x7fffffff;
}

/** The top_k greatest, ascending by row, the earlier ones of a tie: the key of the last of them is found byte by byte. */
static void select_greatest(const float *scores, int32_t count, int32_t top_k, int32_t *rows) {
  uint32_t last = 0, known = 0; /* the upper bytes of the key, and their mask */
  int32_t needed = top_k;       /* of those whose upper bytes are these */
  for (int shift = 24; shift >= 0; shift -= 8) {
    int32_t counts[256] = {0}, byte = 0;
    for (int32_t i = 0; i < count; i++) {
      uint32_t key = descending(scores[i]);
      counts[key >> shift & 255] += (key & known) == last;
    }
    while (counts[byte] < needed) {
      needed -= counts[byte++];
    }
    last |= (uint32_t)byte << shift;
    known |= 255u << shift;
  }
  int32_t chosen = 0;
  for (int32_t i = 0; i < count; i++) {
    uint32_t key = descending(scores[i]);
    if (key < last || (key == last && needed-- > 0)) {
      rows[chosen++] = i;
    }
  }
}

static void select_greatest_task(void *context, int64_t task, int thread) {
  const struct select *c = context;
  int32_t t = c->first + (int32_t)task, position = c->s->position[t], top_k = c->op->select_rows.top_k;
  (void)thread;
  if (position < top_k) {
    c->s->selection[t] = (struct chosen_rows){position + 1, NULL};
  } else {
    int32_t *rows = c->s->selected + (int64_t)t * c->s->selected_most;
    select_greatest(c->scores + task * c->scores_row, position + 1, top_k, rows);
    c->s->selection[t] = (struct chosen_rows){top_k, rows};
  }
}

/** Memory of the choice; one lasts until the next, so that all of a step share it. */
static void select_memory(struct step *s, int32_t most) {
  if (!s->selection) {
    s->selection = step_memory(s, s->rows * (int64_t)sizeof *s->selection);
  }
  if (most > s->selected_most) {
    s->selected = step_memory(s, (int64_t)s->rows * most * (int64_t)sizeof *s->selected);
    s->selected_most = most;
  }
}

static void op_select_rows(struct step *s, const struct op *op) {
  cache_views(s, op->select_rows.cache, op->select_rows.k, (struct view){.slot = -1});
  int32_t heads = (op->select_rows.w.width + LANES - 1) / LANES * LANES, width = op->select_rows.k.width, top_k = op->select_rows.top_k;
  int32_t last = 0;
  for (int32_t t = 0; t < s->rows; t++) {
    last = s->position[t] > last ? s->position[t] : last;
  }
  bool all = last < top_k; /* every row sees all before it */
  select_memory(s, all ? 0 : top_k);
  struct select c = {.s = s, .op = op, .heads = heads, .width = width, .ranges = last / SELECT_RANGE + 1, .scores_row = (int64_t)last + 1};
  if (!all) {
    c.q = op_memory(s, SELECT_ROWS * (int64_t)width * heads * (int64_t)sizeof(float));
    c.w = op_memory(s, SELECT_ROWS * (int64_t)heads * (int64_t)sizeof(float));
    c.scores = op_memory(s, SELECT_ROWS * c.scores_row * (int64_t)sizeof(float));
    c.scratch = op_memory(s, thread_count(s) * (int64_t)SELECT_KEYS * (heads + width) * (int64_t)sizeof(float));
  }
  for (; c.first < s->rows; c.first += c.rows) {
    c.rows = s->rows - c.first < SELECT_ROWS ? s->rows - c.first : SELECT_ROWS;
    if (!all) {
      select_queries(&c);
      run(s, c.rows * c.scores_row * heads * width, (int64_t)c.rows * c.ranges, select_scores_task, &c);
    }
    run(s, all ? 0 : 8 * c.rows * c.scores_row, c.rows, select_greatest_task, &c);
  }
}
