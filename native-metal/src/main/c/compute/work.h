/* Who does the work of an op: the calling thread alone where there is little of it. */
#ifndef ES_WORK_H
#define ES_WORK_H

#include "../cpu/step.h"

/** Multiply-adds, or what takes as long, for which waking the other threads costs more than it saves. */
#define SMALL_WORK 16384

/** Tasks 0 to `tasks` exclusive, which do `work` multiply-adds together. */
static void run(struct step *s, int64_t work, int64_t tasks, task_fn *task, void *context) {
  if (work >= SMALL_WORK && tasks > 1) {
    step_run_tasks(s, tasks, task, context);
    return;
  }
  for (int64_t i = 0; i < tasks; i++) {
    task(context, i, 0);
  }
}

/** An op that treats rows [first, end) by themselves. */
struct row_work {
  struct step *s;
  const struct op *op;
  int64_t rows, rows_a_task;
  void (*rows_fn)(struct step *s, const struct op *op, int64_t first, int64_t end);
};

static void row_task(void *context, int64_t task, int thread) {
  const struct row_work *w = context;
  (void)thread;
  if (is_cancelled(w->s)) {
    return;
  }
  int64_t first = task * w->rows_a_task, end = first + w->rows_a_task;
  w->rows_fn(w->s, w->op, first, end < w->rows ? end : w->rows);
}

/** All rows, in tasks of about SMALL_WORK, each of which costs `work`. */
static void run_rows(
    struct step *s, const struct op *op, int64_t rows, int64_t work, void (*rows_fn)(struct step *, const struct op *, int64_t, int64_t)) {
  int64_t a_task = SMALL_WORK / (work + 1) + 1;
  struct row_work w = {s, op, rows, a_task, rows_fn};
  run(s, rows * work, (rows + a_task - 1) / a_task, row_task, &w);
}

static inline int thread_count(const struct step *s) { return pool_threads(s->program->pool); }

/** Up to a whole number of cache lines. */
static inline int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

#endif
