/* The exported functions of espalier.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../compute/compute.h"
#include "load.h"
#include "run.h"

static struct es_program *of(int64_t program) { return (struct es_program *)(intptr_t)program; }

int32_t es_version(void) { return ES_VERSION; }

int32_t es_describe(char *text, int32_t capacity) {
  snprintf(text, capacity > 0 ? (size_t)capacity : 0, "%s on the processor", compute_choose()->name);
  return ES_OK;
}

int32_t es_load(const int32_t *words, int64_t count, int64_t *program, char *error) {
  *program = 0;
  struct es_program *p = calloc(1, sizeof *p);
  if (!p) {
    return fail(error, ES_NO_MEMORY, "no memory to load the program");
  }
  p->compute = compute_choose();
  int status = program_read(p, words, count, error);
  for (int i = 0; status == ES_OK && i < p->op_count; i++) {
    int32_t kind = p->ops[i].kind;
    if (!p->compute->ops[kind] && kind != ES_EXCHANGE_BEGIN_OP && kind != ES_EXCHANGE_AWAIT_OP) {
      status = fail(error, ES_FAILED, "the cpu engine has no op of kind %d yet", kind);
    }
  }
  if (status == ES_OK) {
    p->pool = pool_open(p->threads);
    p->step = step_open(p);
    if (!p->pool || !p->step) {
      status = fail(error, ES_NO_MEMORY, "no memory, or no threads, to load the program");
    }
  }
  if (status != ES_OK) {
    es_unload((int64_t)(intptr_t)p);
    return status;
  }
  *program = (int64_t)(intptr_t)p;
  return ES_OK;
}

int32_t es_load_more(int64_t program, int64_t *done, char *error) { return load_more(of(program), done, error); }

void es_unload(int64_t program) {
  struct es_program *p = of(program);
  if (p) {
    pool_close(p->pool);
    step_close(p->step);
    sessions_free(p);
    program_free(p);
    free(p);
  }
}

int64_t es_activation_bytes(int64_t program) {
  (void)program;
  return sizeof(float);
}

int64_t es_resident_bytes(int64_t program) { return resident_bytes(of(program)); }

int64_t es_kv_bytes_per_row(int64_t program) { return kv_bytes_per_row(of(program)); }

int64_t es_state_bytes(int64_t program) { return kv_state_bytes(of(program)); }

int64_t es_kv_rows_free(int64_t program) { return kv_rows_free(of(program)); }

int32_t es_open(int64_t program, int64_t session, int32_t max_length, const int32_t *edits, int64_t count, char *error) {
  struct words words = {edits, edits + count, false};
  return session_open(of(program), session, max_length, &words, error);
}

int32_t es_copy_rows(int64_t program, int64_t from, int64_t to, int32_t length, char *error) {
  return session_copy(of(program), from, to, length, error);
}

int32_t es_snapshot(int64_t program, int64_t session, char *error) { return session_snapshot(of(program), session, error); }

void es_drop_snapshot(int64_t program, int64_t session, int32_t length) { session_drop_snapshot(of(program), session, length); }

void es_drop_rows(int64_t program, int64_t session, int32_t length) { session_drop_rows(of(program), session, length); }

void es_close_session(int64_t program, int64_t session) {
  step_abandon(of(program)->step);
  session_close(of(program), session);
}

int32_t es_run(int64_t program, const int32_t *step, int64_t count, const void *activations, const int32_t *cancel, struct es_result *result,
    char *error) {
  struct words words = {step, step + count, false};
  return step_run(of(program)->step, words, activations, cancel, result, error);
}

int32_t es_resume(int64_t program, int32_t outcome, struct es_result *result, char *error) {
  return step_resume(of(program)->step, outcome, result, error);
}

int32_t es_profile(int64_t program, int64_t *nanos, int32_t capacity) {
  struct es_program *p = of(program);
  if (!p->nanos || capacity < p->op_count) {
    return ES_FAILED;
  }
  memcpy(nanos, p->nanos, (size_t)p->op_count * sizeof *nanos);
  memset(p->nanos, 0, (size_t)p->op_count * sizeof *nanos);
  return ES_OK;
}

/** What it uses depends on the processor alone, see es_describe. */
void es_report(int64_t program, char *text, int32_t capacity) {
  (void)program;
  if (capacity > 0) {
    *text = 0;
  }
}

int32_t es_read_rate(int64_t program, int32_t kind, int64_t bytes, double *rate, char *error) {
  return read_rate(of(program), kind, bytes, rate, error);
}
