#include "step.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../compute/compute.h"
#include "arena.h"
#include "run.h"

void *op_memory(struct step *s, int64_t bytes) {
  void *memory = arena_take(s->op_memory, bytes);
  if (!memory) {
    step_fail(s, ES_NO_MEMORY, "no memory for a step of %d rows: send fewer rows a step", s->rows);
  }
  return memory;
}

void *step_memory(struct step *s, int64_t bytes) {
  void *memory = arena_take(s->step_memory, bytes);
  if (!memory) {
    step_fail(s, ES_NO_MEMORY, "no memory for a step of %d rows: send fewer rows a step", s->rows);
  }
  return memory;
}

_Noreturn void step_fail(struct step *s, int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(s->error, ES_ERROR_BYTES, format, arguments);
  va_end(arguments);
  longjmp(s->failed, status);
}

void step_check(struct step *s) {
  int status = files_check(s->program->files, s->program->file_count, s->error);
  if (status != ES_OK) {
    longjmp(s->failed, status);
  }
  if (is_cancelled(s)) {
    step_fail(s, ES_CANCELLED, "the step was cancelled");
  }
}

void step_run_tasks(struct step *s, int64_t tasks, task_fn *task, void *context) {
  pool_run(s->program->pool, tasks, task, context);
  step_check(s);
}

struct step *step_open(struct es_program *p) {
  struct step *s = calloc(1, sizeof *s);
  if (s) {
    s->program = p;
    s->step_memory = arena_open();
    s->op_memory = arena_open();
  }
  if (s && (!s->step_memory || !s->op_memory)) {
    step_close(s);
    return NULL;
  }
  return s;
}

void step_close(struct step *s) {
  if (s) {
    arena_close(s->step_memory);
    arena_close(s->op_memory);
    free(s);
  }
}

static int32_t wanted_rows(const struct span *span) {
  return span->logits == ES_NO_LOGITS ? 0 : span->logits == ES_LAST_LOGITS ? 1 : span->count;
}

static _Noreturn void no_step(struct step *s) { step_fail(s, ES_FAILED, "the step is not what this library expects"); }

/** One entry; `tokens` is set to its tokens in the buffer, or null. */
static void read_span(struct step *s, struct words *w, struct span *span, const int32_t **tokens) {
  int64_t id = word_long(w);
  span->session = session_find(s->program, id);
  span->position = word(w);
  span->count = word(w);
  int32_t input = word_index(w, 3);
  span->logits = word_index(w, 3);
  span->first = s->rows;
  span->greedy = input == ES_GREEDY;
  *tokens = input == ES_TOKENS ? word_part(w, span->count).next : NULL;
  if (!span->session) {
    step_fail(s, ES_FAILED, "session %lld is not open", (long long)id);
  }
  bool follows = span->position == span->session->length && span->count > 0 && span->count <= span->session->max_length - span->position;
  if (w->bad || !follows || (span->greedy && span->count != 1) || span->count > INT32_MAX - s->rows) {
    no_step(s);
  }
  s->rows += span->count;
  s->logits_rows += s->program->logits.slot >= 0 ? wanted_rows(span) : 0;
}

static bool embeds(const struct es_program *p) { return p->op_count > 0 && p->ops[0].kind == ES_EMBED; }

/** A token is a row of the table that the program embeds. */
static int32_t known_token(struct step *s, int32_t token) {
  if (embeds(s->program)) {
    int32_t rows = s->program->ops[0].embed.weight->rows;
    if (token < 0 || token >= rows) {
      step_fail(s, ES_FAILED, "token %d is not in the vocabulary of %d", token, rows);
    }
  }
  return token;
}

static void fill_rows(struct step *s, const int32_t *const *tokens) {
  s->session = step_memory(s, s->rows * (int64_t)sizeof *s->session);
  s->position = step_memory(s, s->rows * (int64_t)sizeof *s->position);
  s->token = step_memory(s, s->rows * (int64_t)sizeof *s->token);
  s->logits_row = step_memory(s, s->logits_rows * (int64_t)sizeof *s->logits_row);
  int32_t wanted = 0;
  for (int i = 0; i < s->span_count; i++) {
    const struct span *span = &s->spans[i];
    for (int t = 0; t < span->count; t++) {
      int32_t row = span->first + t;
      s->session[row] = span->session;
      s->position[row] = span->position + t;
      s->token[row] = known_token(s, tokens[i] ? tokens[i][t] : span->greedy ? span->session->greedy : -1);
      bool logits = span->logits == ES_ALL_LOGITS || (span->logits == ES_LAST_LOGITS && t == span->count - 1);
      if (logits && s->program->logits.slot >= 0) {
        s->logits_row[wanted++] = row;
      }
    }
  }
}

static void read_step(struct step *s, struct words *w, const void *activations) {
  struct es_program *p = s->program;
  s->wants = word(w);
  s->span_count = word_length(w, 6);
  s->spans = step_memory(s, s->span_count * (int64_t)sizeof *s->spans);
  const int32_t **tokens = step_memory(s, s->span_count * (int64_t)sizeof *tokens);
  for (int i = 0; i < s->span_count; i++) {
    read_span(s, w, &s->spans[i], &tokens[i]);
  }
  if (w->bad || w->next != w->end || s->rows == 0) {
    no_step(s);
  }
  fill_rows(s, tokens);
  s->choices = step_memory(s, (int64_t)p->route_count * s->rows * (int64_t)sizeof *s->choices);
  s->slots = step_memory(s, p->slot_count * (int64_t)sizeof *s->slots);
  for (int i = 0; i < p->slot_count; i++) {
    int64_t rows = i == p->logits.slot ? s->logits_rows : s->rows;
    s->slots[i] = step_memory(s, rows * p->slots[i] * (int64_t)sizeof(float));
  }
  bool embedded = embeds(p);
  if (!embedded && (!activations || p->input.width != p->hidden)) {
    no_step(s);
  }
  for (int t = 0; !embedded && t < s->rows; t++) {
    memcpy(view_row(s, p->input, t), (const char *)activations + (int64_t)t * p->hidden * (int64_t)sizeof(float), (size_t)p->hidden * sizeof(float));
  }
  for (int i = 0; i < s->span_count; i++) {
    session_begin(p, s->spans[i].session);
  }
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t exchanged_rows(const struct step *s, struct view v) { return v.slot == s->program->logits.slot ? s->logits_rows : s->rows; }

/** Copies between a view's rows and rows without anything between them. */
static void pack(const struct step *s, struct view v, int64_t rows, float *packed) {
  for (int64_t t = 0; t < rows; t++) {
    memcpy(packed + t * v.width, view_row(s, v, t), (size_t)v.width * sizeof(float));
  }
}

static void unpack(const struct step *s, struct view v, int64_t rows, const float *packed) {
  for (int64_t t = 0; t < rows; t++) {
    memcpy(view_row(s, v, t), packed + t * v.width, (size_t)v.width * sizeof(float));
  }
}

/** Values are kept at the index of the op that began. */
static bool begin_exchange(struct step *s, int32_t index) {
  const struct op *op = &s->program->ops[index];
  int64_t rows = exchanged_rows(s, op->exchange.view);
  if (rows == 0) {
    return false; /* no row wants logits, on no node */
  }
  int64_t bytes = rows * op->exchange.view.width * (int64_t)sizeof(float);
  float *values = step_memory(s, bytes);
  if (op->exchange.kind == 1) {
    memset(values, 0, (size_t)bytes);
  } else {
    pack(s, op->exchange.view, rows, values);
  }
  struct begun *begun = step_memory(s, sizeof *begun);
  *begun = (struct begun){index, values, bytes, s->begun};
  s->begun = begun;
  return true;
}

static struct begun *find_begun(const struct step *s, int32_t id) {
  for (struct begun *b = s->begun; b; b = b->next) {
    if (s->program->ops[b->op].exchange.id == id) {
      return b;
    }
  }
  return NULL;
}

static int pause(struct step *s, const struct begun *begun, int status) {
  s->result->exchange_op = begun->op;
  s->result->exchange_values = (int64_t)(intptr_t)begun->values;
  s->result->exchange_bytes = begun->bytes;
  s->paused = begun;
  s->pause = status;
  return status;
}

/** Runs ops until the end, which yields ES_OK, or an exchange. */
static int run_ops(struct step *s) {
  struct es_program *p = s->program;
  while (s->next < p->op_count) {
    int32_t index = s->next++;
    const struct op *op = &p->ops[index];
    step_check(s);
    arena_reset(s->op_memory);
    if (op->kind == ES_EXCHANGE_BEGIN_OP) {
      if (begin_exchange(s, index)) {
        return pause(s, s->begun, ES_EXCHANGE_BEGIN);
      }
    } else if (op->kind == ES_EXCHANGE_AWAIT_OP) {
      struct begun *begun = find_begun(s, op->exchange.id);
      if (begun) {
        return pause(s, begun, ES_EXCHANGE_AWAIT);
      }
    } else {
      int64_t start = p->nanos ? now() : 0;
      p->compute->ops[op->kind](s, op);
      if (p->nanos) {
        p->nanos[index] += now() - start;
      }
    }
  }
  files_look(p->files, p->file_count);
  step_check(s);
  return ES_OK;
}

static void routing(struct step *s) {
  int64_t width = 0, all = (int64_t)s->routes * s->rows;
  for (int64_t i = 0; i < all; i++) {
    width = s->choices[i].count > width ? s->choices[i].count : width;
  }
  int16_t *experts = step_memory(s, all * width * (int64_t)sizeof *experts);
  float *weights = step_memory(s, all * width * (int64_t)sizeof *weights);
  for (int64_t i = 0; i < all; i++) {
    for (int64_t k = 0; k < width; k++) {
      bool chosen = k < s->choices[i].count;
      experts[i * width + k] = chosen ? s->choices[i].experts[k] : -1;
      weights[i * width + k] = chosen ? s->choices[i].weights[k] : 0;
    }
  }
  s->result->experts = (int64_t)(intptr_t)experts;
  s->result->expert_weights = (int64_t)(intptr_t)weights;
  s->result->routing_width = width;
}

static int64_t packed(struct step *s, struct view v, int64_t rows) {
  if (v.offset == 0 && v.width == s->program->slots[v.slot]) {
    return (int64_t)(intptr_t)s->slots[v.slot];
  }
  float *values = step_memory(s, rows * v.width * (int64_t)sizeof *values);
  pack(s, v, rows, values);
  return (int64_t)(intptr_t)values;
}

static void results(struct step *s) {
  struct es_program *p = s->program;
  struct es_result *result = s->result;
  bool ends = p->logits.slot >= 0;
  if (!ends || (s->wants & ES_LAST_HIDDEN)) {
    int64_t output = packed(s, p->output, s->rows);
    result->activations = ends ? 0 : output;
    result->last_hidden = s->wants & ES_LAST_HIDDEN ? output : 0;
    result->activation_bytes = (int64_t)s->rows * p->output.width * (int64_t)sizeof(float);
  }
  if (ends) {
    result->logits = packed(s, p->logits, s->logits_rows);
    result->logits_rows = s->logits_rows;
  }
  int32_t *greedy = step_memory(s, s->span_count * (int64_t)sizeof *greedy);
  for (int i = 0; i < s->span_count; i++) {
    if (s->spans[i].greedy) {
      greedy[result->greedy_count++] = s->token[s->spans[i].first];
    }
  }
  result->greedy = (int64_t)(intptr_t)greedy;
  if (s->wants & ES_ROUTING) {
    routing(s);
  }
}

/** The first of the greatest. */
static int32_t greatest(const float *x, int32_t count) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; i++) {
    best = x[i] > x[best] ? i : best;
  }
  return best;
}

static void commit(struct step *s) {
  struct es_program *p = s->program;
  int32_t wanted = 0;
  for (int i = 0; i < s->span_count; i++) {
    const struct span *span = &s->spans[i];
    if (p->logits.slot >= 0 && wanted_rows(span) > 0) {
      wanted += wanted_rows(span);
      span->session->greedy = greatest(view_row(s, p->logits, wanted - 1), p->logits.width);
    }
    session_commit(p, span->session, span->position + span->count);
  }
}

static int go_on(struct step *s) {
  int status = run_ops(s);
  if (status == ES_OK) {
    results(s);
    commit(s); /* nothing after this can fail */
  }
  return status;
}

int step_run(struct step *s, struct words words, const void *activations, const int32_t *cancel, struct es_result *result, char *error) {
  struct es_program *p = s->program;
  arena_reset(s->step_memory);
  memset(result, 0, sizeof *result);
  s->result = result;
  s->error = error;
  s->rows = s->span_count = s->logits_rows = s->routes = s->next = 0;
  s->selection = NULL;
  s->selected = NULL;
  s->selected_most = 0;
  s->rotations = NULL;
  s->begun = NULL;
  s->paused = NULL;
  s->cancel = (const _Atomic int32_t *)cancel;
  s->cancels = p->nodes <= 1;
  int failed = setjmp(s->failed);
  if (failed) {
    return failed;
  }
  read_step(s, &words, activations);
  return go_on(s);
}

void step_abandon(struct step *s) { s->paused = NULL; }

int step_resume(struct step *s, int32_t outcome, struct es_result *result, char *error) {
  const struct begun *paused = s->paused;
  if (!paused) {
    return fail(error, ES_FAILED, "no step pauses");
  }
  memset(result, 0, sizeof *result);
  s->result = result;
  s->error = error;
  s->paused = NULL;
  int failed = setjmp(s->failed);
  if (failed) {
    return failed;
  }
  if (outcome == 1) {
    step_fail(s, ES_CANCELLED, "the step was cancelled");
  }
  if (outcome != 0) {
    step_fail(s, ES_FAILED, "exchange %d failed: another node of the group failed or is gone", s->program->ops[paused->op].exchange.id);
  }
  if (s->pause == ES_EXCHANGE_AWAIT) {
    struct view v = s->program->ops[paused->op].exchange.view;
    unpack(s, v, exchanged_rows(s, v), paused->values);
  }
  return go_on(s);
}
