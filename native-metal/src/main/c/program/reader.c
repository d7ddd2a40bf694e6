#include "reader.h"

#include <stdlib.h>

static void no_memory(struct reader *r) {
  r->words.bad = true;
  r->no_memory = true;
}

void *read_array(struct reader *r, int64_t count, size_t size) {
  void *items = calloc(count > 0 ? (size_t)count : 1, size);
  if (!items) {
    no_memory(r);
  }
  return items;
}

int32_t *read_ints(struct reader *r, int32_t *count) {
  *count = word_length(&r->words, 1);
  int32_t *items = read_array(r, *count, sizeof *items);
  if (!items) {
    *count = 0;
  }
  for (int i = 0; i < *count; i++) {
    items[i] = word(&r->words);
  }
  return items;
}

struct view read_edge(struct reader *r) {
  const struct es_program *p = r->program;
  struct view v;
  v.slot = word(&r->words);
  v.offset = word(&r->words);
  v.width = word(&r->words);
  bool inside = v.slot >= 0 && v.slot < p->slot_count && v.offset >= 0 && v.width > 0 && v.width <= p->slots[v.slot] - v.offset;
  require(r, v.slot == -1 || inside);
  return v;
}

struct view read_any_view(struct reader *r) {
  struct view v = read_edge(r);
  require(r, v.slot != -1);
  return v;
}

struct view read_view(struct reader *r) {
  struct view v = read_any_view(r);
  require(r, v.slot != r->program->logits.slot);
  return v;
}

static const struct weight *optional_weight(struct reader *r) {
  int32_t index = word(&r->words);
  bool there = index >= 0 && index < r->program->weight_count;
  require(r, there || index == -1);
  return there ? &r->program->weights[index] : NULL;
}

const struct weight *read_weight(struct reader *r) {
  const struct weight *w = optional_weight(r);
  require(r, w != NULL);
  return w;
}

void require_matrices(struct reader *r, const struct weight *w, int64_t rows, int64_t columns, int32_t count) {
  require(r, w && w->rows == rows && w->columns == columns && w->count == count);
}

static float *values(struct reader *r, const struct weight *w, int matrix) {
  if (!w || r->words.bad) {
    return NULL;
  }
  float *all = weight_vector(w, matrix);
  if (!all) {
    no_memory(r);
  }
  return all;
}

float *read_optional_vector(struct reader *r, int64_t length) {
  const struct weight *w = optional_weight(r);
  require(r, !w || (int64_t)w->rows * w->columns == length);
  return values(r, w, 0);
}

float *read_vector(struct reader *r, int64_t length) {
  float *all = read_optional_vector(r, length);
  require(r, all != NULL);
  return all;
}

struct projection read_projection(struct reader *r) {
  struct projection p = {.weight = read_weight(r), .bias = optional_weight(r)};
  if (!p.bias || r->words.bad) {
    p.bias = NULL;
    return p;
  }
  p.bias_values = read_array(r, p.bias->count, sizeof *p.bias_values);
  for (int i = 0; p.bias_values && i < p.bias->count; i++) {
    p.bias_values[i] = values(r, p.bias, i);
  }
  return p;
}

void require_projection(struct reader *r, const struct projection *p, int64_t rows, int64_t columns, int32_t count) {
  require_matrices(r, p->weight, rows, columns, count);
  require(r, !p->bias || ((int64_t)p->bias->rows * p->bias->columns == rows && p->bias->count == count));
}

struct unit read_unit(struct reader *r) {
  struct unit u;
  u.gate = read_projection(r);
  u.up = read_projection(r);
  u.down = read_projection(r);
  u.activation = word_index(&r->words, 3);
  u.alpha = word_float(&r->words);
  u.limit = word_float(&r->words);
  return u;
}

void require_unit(struct reader *r, const struct unit *u, int64_t in, int64_t out, int32_t count) {
  int64_t width = u->gate.weight ? u->gate.weight->rows : 0;
  require_projection(r, &u->gate, width, in, count);
  require_projection(r, &u->up, width, in, count);
  require_projection(r, &u->down, out, width, count);
}

int32_t read_cache(struct reader *r, int32_t kind) {
  int32_t cache = word_index(&r->words, r->program->cache_count);
  require(r, !r->words.bad && r->program->caches[cache].kind == kind);
  return cache;
}

void require_cache(struct reader *r, int32_t cache, int64_t width) {
  require(r, !r->words.bad && r->program->caches[cache].width == width);
}

void free_projection(struct projection *p) {
  for (int i = 0; p->bias_values && i < p->bias->count; i++) {
    free(p->bias_values[i]);
  }
  free(p->bias_values);
}

void free_unit(struct unit *u) {
  free_projection(&u->gate);
  free_projection(&u->up);
  free_projection(&u->down);
}
