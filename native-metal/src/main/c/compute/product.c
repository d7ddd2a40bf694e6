/* Products of a step, split among the threads. */
#include "product.h"

#include "product_float.c"

#define TASK_BYTES (64 << 10) /* of a weight, about */

static struct operand operand_of(struct step *s, const float *x, int64_t stride, int32_t rows, int32_t columns) {
  (void)s;
  return (struct operand){.rows = rows, .columns = columns, .x = x, .stride = stride};
}

static void product_rows(const struct product *p, int32_t from, int32_t to, void *scratch) { product_rows_float(p, from, to, scratch); }

static int64_t product_scratch(const struct product *p) { return product_scratch_float(p); }

/** Rows of one task. */
static int32_t task_rows(const struct weight *w) {
  int64_t row = format_row_bytes(&w->format, w->columns) + 1;
  int64_t rows = TASK_BYTES / row / 64 * 64;
  return rows > w->rows ? w->rows : rows < 64 ? (row > TASK_BYTES / 16 ? 16 : 64) : (int32_t)rows;
}

struct product_tasks {
  const struct product *products;
  int32_t count;
  int64_t *first; /* [products + 1], of their tasks */
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
  int32_t rows = task_rows(p->weight);
  int64_t from = (task - all->first[low]) * rows, to = from + rows;
  product_rows(p, (int32_t)from, (int32_t)(to < p->weight->rows ? to : p->weight->rows), all->scratch + thread * all->scratch_bytes);
}

static void products_run(struct step *s, const struct product *products, int32_t count) {
  struct product_tasks all = {.products = products, .count = count, .first = op_memory(s, (count + 1) * (int64_t)sizeof(int64_t))};
  int64_t tasks = 0;
  for (int32_t i = 0; i < count; i++) {
    all.first[i] = tasks;
    int32_t rows = task_rows(products[i].weight);
    tasks += products[i].rows == 0 ? 0 : (products[i].weight->rows - 1) / rows + 1;
    int64_t bytes = product_scratch(products + i);
    all.scratch_bytes = bytes > all.scratch_bytes ? bytes : all.scratch_bytes;
  }
  all.first[count] = tasks;
  all.scratch_bytes = (all.scratch_bytes + 63) / 64 * 64;
  all.scratch = op_memory(s, all.scratch_bytes * pool_threads(s->program->pool) + 64);
  step_run_tasks(s, tasks, product_task, &all);
}
