/* One step on its way through the ops. */
#ifndef ES_STEP_H
#define ES_STEP_H

#include <setjmp.h>

#include "../program/program.h"
#include "pool.h"
#include "session.h"

/** Consecutive rows of one session. */
struct span {
  struct session *session;
  int32_t first, count; /* rows of the step */
  int32_t position;     /* of the first of them */
  int32_t logits;       /* enum es_logits_rows */
  bool greedy;
};

/** The experts of one row; at most `ES_CHOICE_MAX` per row are kept in place. */
struct choice {
  int32_t count;
  int16_t *experts;
  float *weights;
};

/** Rows that a row sees where they were chosen. */
struct chosen_rows {
  int32_t count;
  int32_t *rows; /* ascending; null: 0 to count exclusive */
};

/** An exchange in progress. */
struct begun {
  int32_t op;    /* that began it */
  float *values; /* [rows][width] */
  int64_t bytes;
  struct begun *next;
};

struct step {
  struct es_program *program;
  int32_t rows;           /* T */
  struct session **session; /* [T] */
  int32_t *position;      /* [T] */
  int32_t *token;         /* [T], -1 for a row of activations */
  int32_t span_count;
  struct span *spans;
  int32_t logits_rows;    /* R */
  int32_t *logits_row;    /* [R], rows of the step */
  int32_t wants;
  float **slots;          /* [slot] -> [T][width]; the slot of the logits has [R][width] */

  struct choice *choices; /* [routes so far][T]; those of the last route are at [(routes - 1) * T] */
  int32_t routes;
  struct chosen_rows *selection; /* [T], of the last op that selects rows */
  int32_t *selected;      /* [T][selected_most], the memory of `selection` */
  int32_t selected_most;
  struct rotation *rotations; /* cosines and sines of these rows, see rotate.c */

  const _Atomic int32_t *cancel;
  bool cancels;           /* whether `cancel` ends the step between ops: not in a group of nodes */
  int32_t next;           /* op to run */
  struct begun *begun;
  const struct begun *paused; /* the exchange that the step pauses at, or null */
  int pause;              /* ES_EXCHANGE_BEGIN or ES_EXCHANGE_AWAIT */
  jmp_buf failed;
  char *error;
  struct es_result *result;
  struct arena *step_memory; /* until the next step */
  struct arena *op_memory;   /* until the next op */
};

/** Row t of a view. Of a view of the logits, t counts wanted rows. */
static inline float *view_row(const struct step *s, struct view v, int64_t t) {
  return s->slots[v.slot] + t * s->program->slots[v.slot] + v.offset;
}

/** Floats from one row of a view to the next. */
static inline int64_t view_stride(const struct step *s, struct view v) { return s->program->slots[v.slot]; }

/** Memory, aligned to 64 bytes, until the op, or the step, ends. Only on the thread that runs the step; fails the step where there is none. */
void *op_memory(struct step *s, int64_t bytes);
void *step_memory(struct step *s, int64_t bytes);

/** Ends the step. Only on the thread that runs the step, outside pool_run. */
_Noreturn void step_fail(struct step *s, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Whether the step is to end: tasks look at it and return early. After pool_run, step_check ends the step. */
static inline bool is_cancelled(const struct step *s) {
  return s->cancels && s->cancel && atomic_load_explicit(s->cancel, memory_order_relaxed) != 0;
}
void step_check(struct step *s);

/** pool_run, then step_check. */
void step_run_tasks(struct step *s, int64_t tasks, task_fn *task, void *context);

#endif
