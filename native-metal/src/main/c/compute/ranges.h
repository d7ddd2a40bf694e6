/* Tasks that read memory in their order: each thread takes a range of them, so that it reads on where it stopped. */
#ifndef ES_RANGES_H
#define ES_RANGES_H

#include <stdatomic.h>

#include "../cpu/step.h"

#define TASK_ROWS 32 /* of a weight at least, and in multiples */
#define TASKS_A_THREAD 8
#define TASK_BYTES (256 << 10) /* at most, about */

/** Tasks [next, end) of one thread, in one word, so that owner and thieves agree. */
struct task_range {
  _Alignas(64) _Atomic uint64_t tasks;
};

struct ranges {
  task_fn *task;
  void *context;
  int threads;
  struct task_range *of; /* [threads] */
};

static inline uint64_t task_range_of(uint32_t next, uint32_t end) { return (uint64_t)next << 32 | end; }

/** The next task of a thread's own; once there are none, the last of another thread's. -1 where all are taken. */
static int64_t take_task(struct ranges *r, int thread) {
  for (int i = 0; i < r->threads; i++) {
    _Atomic uint64_t *range = &r->of[(thread + i) % r->threads].tasks;
    uint64_t tasks = atomic_load_explicit(range, memory_order_relaxed);
    for (;;) {
      uint32_t next = (uint32_t)(tasks >> 32), end = (uint32_t)tasks;
      if (next >= end) {
        break;
      }
      uint64_t left = i == 0 ? task_range_of(next + 1, end) : task_range_of(next, end - 1);
      if (atomic_compare_exchange_weak_explicit(range, &tasks, left, memory_order_relaxed, memory_order_relaxed)) {
        return i == 0 ? next : end - 1;
      }
    }
  }
  return -1;
}

/** As many run as there are tasks, so that each finds one. */
static void ranges_task(void *context, int64_t any, int thread) {
  struct ranges *r = context;
  (void)any;
  r->task(r->context, take_task(r, thread), thread);
}

/** step_run_tasks in ranges; at most 2^32 tasks. */
static void run_ranges(struct step *s, int64_t tasks, task_fn *task, void *context) {
  int threads = pool_threads(s->program->pool);
  struct ranges r = {task, context, threads, op_memory(s, threads * (int64_t)sizeof(struct task_range))};
  for (int i = 0; i < threads; i++) {
    atomic_init(&r.of[i].tasks, task_range_of((uint32_t)(tasks * i / threads), (uint32_t)(tasks * (i + 1) / threads)));
  }
  step_run_tasks(s, tasks, ranges_task, &r);
}

/**
 * How many rows of a weight are one task of a job that reads `bytes` of weights: some tasks for each thread, so that none waits long for another at
 * the end; not many, for the first rows of a task are read without having been asked for in time. What a row gives does not depend on it.
 */
static int32_t task_rows(const struct step *s, const struct weight *w, int64_t bytes) {
  int64_t most = bytes / (TASKS_A_THREAD * pool_threads(s->program->pool));
  most = most < TASK_BYTES ? most : TASK_BYTES;
  int64_t rows = most / (format_row_bytes(&w->format, w->columns) + 1) / TASK_ROWS * TASK_ROWS;
  return rows < TASK_ROWS ? TASK_ROWS : rows < w->rows ? (int32_t)rows : w->rows;
}

#endif
