/* Products of a step, split among the threads. */
#include "product.h"

#include <stddef.h>

#include "operand.c"
#include "product_float.c"
#include "product_groups.c"
#include "product_in_place.c"
#include "product_strip.c"
#include "ranges.h"

/**
 * Rows of x from which on a weight is unpacked for all of them first, where it can be multiplied in place: kinds that take two dots cost more there
 * for each of them.
 */
#define STRIP_LEAST (IN_PLACE_X + 1)
#define STRIP_LEAST_SPLIT (IN_PLACE_X_SPLIT + 1)

enum product_path { PRODUCT_FLOAT, PRODUCT_GROUPS, PRODUCT_IN_PLACE, PRODUCT_STRIP };

static enum product_path path_of(const struct product *p) {
  const struct weight *w = p->weight;
  if (!p->x->q || w->transposed || w->columns % 32 != 0) {
    return PRODUCT_FLOAT;
  }
#if defined(__AVX512F__)
  enum in_place kind = in_place_of(&w->format);
  bool whole = w->columns >= IN_PLACE_COLUMNS && w->columns % w->format.group == 0; /* the last step begins where a group does */
  return kind != IN_PLACE_NONE && whole && p->rows < (is_split(kind) ? STRIP_LEAST_SPLIT : STRIP_LEAST) ? PRODUCT_IN_PLACE
      : kind != IN_PLACE_NONE ? PRODUCT_STRIP : PRODUCT_FLOAT;
#else
  return has_groups(&w->format) ? PRODUCT_GROUPS : PRODUCT_FLOAT;
#endif
}

static void product_rows(const struct product *p, int32_t from, int32_t to, void *scratch) {
  switch (path_of(p)) {
#if defined(__AVX512F__)
    case PRODUCT_IN_PLACE: product_rows_in_place(p, from, to, scratch); return;
    case PRODUCT_STRIP: product_rows_strip(p, from, to, scratch); return;
#endif
    case PRODUCT_GROUPS: product_rows_groups(p, from, to, scratch); return;
    default: product_rows_float(p, from, to, scratch);
  }
}

static int64_t product_scratch(const struct product *p) {
  switch (path_of(p)) {
#if defined(__AVX512F__)
    case PRODUCT_IN_PLACE: return product_scratch_in_place(p);
    case PRODUCT_STRIP: return (int64_t)offsetof(struct strip, sums) + (p->rows < STRIP_SUMS ? p->rows : STRIP_SUMS) * (int64_t)sizeof(float) * STRIP_ROWS;
#endif
    case PRODUCT_GROUPS: return product_scratch_groups(p);
    default: return product_scratch_float(p);
  }
}

struct product_tasks {
  const struct product *products;
  int32_t count;
  int32_t *first; /* [products + 1], of their tasks */
  int32_t *rows;  /* [products] of a task */
  uint8_t *scratch;
  int64_t scratch_bytes; /* of a thread */
};

static void product_task(void *context, int64_t task, int thread) {
  const struct product_tasks *all = context;
  int32_t low = 0, high = all->count;
  while (high - low > 1) {
    int32_t middle = low + (high - low) / 2;
    *(all->first[middle] <= task ? &low : &high) = middle;
  }
  const struct product *p = all->products + low;
  int32_t rows = all->rows[low], from = (int32_t)(task - all->first[low]) * rows, rest = p->weight->rows - from;
  product_rows(p, from, from + (rest < rows ? rest : rows), all->scratch + thread * all->scratch_bytes);
}

static void products_run(struct step *s, const struct product *products, int32_t count) {
  struct product_tasks all = {.products = products, .count = count, .first = op_memory(s, (2 * count + 1) * (int64_t)sizeof(int32_t))};
  int32_t tasks = 0;
  int64_t bytes = 0;
  for (int32_t i = 0; i < count; i++) {
    const struct weight *w = products[i].weight;
    bytes += products[i].rows == 0 ? 0 : w->rows * format_row_bytes(&w->format, w->columns);
  }
  all.rows = all.first + count + 1;
  for (int32_t i = 0; i < count; i++) {
    all.first[i] = tasks;
    all.rows[i] = task_rows(s, products[i].weight, bytes);
    tasks += products[i].rows == 0 ? 0 : (products[i].weight->rows - 1) / all.rows[i] + 1;
    int64_t scratch = product_scratch(products + i);
    all.scratch_bytes = scratch > all.scratch_bytes ? scratch : all.scratch_bytes;
  }
  all.first[count] = tasks;
  all.scratch_bytes = (all.scratch_bytes + 63) / 64 * 64;
  all.scratch = op_memory(s, all.scratch_bytes * pool_threads(s->program->pool) + 64);
  run_ranges(s, tasks, product_task, &all);
}
