/* Rows of a session's cache, which are floats or halves. */
#ifndef ES_CACHED_H
#define ES_CACHED_H

#include "half.h"
#include "work.h"

/** Where the rows of one session's cache lie. */
struct cached {
  char *rows;
  int64_t row_bytes;
  bool half;
};

static inline struct cached cached_of(const struct step *s, const struct session *session, int32_t cache) {
  bool half = s->program->kv_type == ES_KV_F16;
  return (struct cached){session->caches[cache].rows, (int64_t)s->program->caches[cache].width * (half ? 2 : 4), half};
}

/** The first row that the row at a position sees. */
static inline int32_t first_seen(const struct step *s, int32_t cache, int32_t position) {
  int32_t window = s->program->caches[cache].window;
  return window == 0 || position < window ? 0 : position - window + 1;
}

/** Columns from `column` on of the row at a position become x. */
static void cached_store(const struct cached *c, int64_t position, int32_t column, const float *x, int32_t width) {
  char *row = c->rows + position * c->row_bytes;
  if (c->half) {
    floats_to_halves(x, width, (uint16_t *)row + column);
  } else {
    memcpy((float *)row + column, x, (size_t)width * sizeof *x);
  }
}

/**
 * Some rows' columns as floats: those in the cache, or copies.
 *
 * @param chosen the rows, or null for `first` and those after it
 * @param copies [count, width]
 * @param stride set to the floats from row to row
 */
static const float *cached_rows(
    const struct cached *c, const int32_t *chosen, int64_t first, int32_t count, int32_t column, int32_t width, float *copies, int64_t *stride) {
  if (!c->half && !chosen) {
    *stride = c->row_bytes / (int64_t)sizeof(float);
    return (const float *)(c->rows + first * c->row_bytes) + column;
  }
  for (int32_t i = 0; i < count; i++) {
    const char *row = c->rows + (chosen ? chosen[i] : first + i) * c->row_bytes;
    if (c->half) {
      halves_to_floats((const uint16_t *)row + column, width, copies + (int64_t)i * width);
    } else {
      memcpy(copies + (int64_t)i * width, (const float *)row + column, (size_t)width * sizeof *copies);
    }
  }
  *stride = width;
  return copies;
}

/** Asks for some columns of a row, which are needed soon. */
static inline void cached_prefetch(const struct cached *c, int64_t position, int32_t column, int32_t width) {
  int32_t size = c->half ? 2 : 4;
  const char *from = c->rows + position * c->row_bytes + (int64_t)column * size;
  for (int32_t i = 0; i < width * size; i += 64) {
    __builtin_prefetch(from + i);
  }
}

/** Two views of each row, one after the other, that its session's cache gets. */
struct cached_views {
  struct step *s;
  int32_t cache;
  struct view first, second; /* the second may have no width */
  int64_t rows_a_task;
};

static void cached_views_task(void *context, int64_t task, int thread) {
  const struct cached_views *v = context;
  (void)thread;
  int64_t end = (task + 1) * v->rows_a_task < v->s->rows ? (task + 1) * v->rows_a_task : v->s->rows;
  for (int64_t t = task * v->rows_a_task; t < end; t++) {
    struct cached c = cached_of(v->s, v->s->session[t], v->cache);
    cached_store(&c, v->s->position[t], 0, view_row(v->s, v->first, t), v->first.width);
    if (v->second.width > 0) {
      cached_store(&c, v->s->position[t], v->first.width, view_row(v->s, v->second, t), v->second.width);
    }
  }
}

/** Appends the rows of the step to their caches. */
static void cache_views(struct step *s, int32_t cache, struct view first, struct view second) {
  int64_t width = first.width + second.width, a_task = SMALL_WORK / (width + 1) + 1;
  struct cached_views v = {s, cache, first, second, a_task};
  run(s, s->rows * width / 2, (s->rows + a_task - 1) / a_task, cached_views_task, &v);
}

#endif
