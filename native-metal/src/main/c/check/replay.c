#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canceller.h"
#include "fatal.h"
#include "shape.h"

enum call { CALL_OPEN, CALL_COPY_ROWS, CALL_SNAPSHOT, CALL_DROP_SNAPSHOT, CALL_DROP_ROWS, CALL_CLOSE, CALL_RUN };

/** Words of `program` that are looked at or changed, see espalier.h. */
enum { PRECISION_WORD = 2, NODES_WORD = 4, THREADS_WORD = 6, HEADER_WORDS = 12 };

struct running {
  const struct replay *replay;
  struct comparison *comparison;
  int64_t program;
  struct shape shape;
  int activation_bytes;
  bool cancels;
  bool again; /* not the first pass */
  int64_t last_nanos; /* that the step before took */
  char error[ES_ERROR_BYTES];
};

/** One begin or await of an exchange. */
struct exchange {
  int32_t op, moment, outcome;
  struct bytes values;
};

static void require(struct running *r, int32_t status, const char *call) {
  if (status != ES_OK) {
    fatal("%s, call %lld, %s: status %d: %s", r->comparison->recording, (long long)r->comparison->call, call, status, r->error);
  }
}

static void load(struct running *r) {
  struct flat words = flat_file("program");
  int64_t count = words.end - words.next, done = -1, resident;
  if (count < HEADER_WORDS || words.next[0] != ES_MAGIC || words.next[1] != ES_VERSION) {
    fatal("%s has no program of version %d", r->comparison->recording, ES_VERSION);
  }
  if (r->replay->precision >= 0) {
    words.next[PRECISION_WORD] = r->replay->precision;
  }
  if (r->replay->threads >= 0) {
    words.next[THREADS_WORD] = r->replay->threads;
  }
  r->cancels = r->replay->cancels && words.next[NODES_WORD] == 1; /* in a group only an exchange cancels */
  require(r, r->replay->engine.load(words.next, count, &r->program, r->error), "es_load");
  do {
    require(r, r->replay->engine.load_more(r->program, &done, r->error), "es_load_more");
    resident = r->replay->engine.resident_bytes(r->program);
  } while (done < resident);
  r->activation_bytes = (int)r->replay->engine.activation_bytes(r->program);
  r->shape = shape_of(words);
  free(words.next);
}

/** What is recorded has to be as long as what the engine answers or takes. */
static void require_bytes(const struct running *r, const char *what, struct bytes recorded, int64_t count) {
  if (recorded.count != count) {
    fatal("%s, call %lld: %lld bytes of %s are recorded, expected %lld", r->comparison->recording, (long long)r->comparison->call,
        (long long)recorded.count, what, (long long)count);
  }
}

/** Bytes of each of `count` recorded values. */
static int value_bytes(const struct running *r, struct bytes recorded, int64_t count) {
  int bytes = count > 0 && recorded.count == 2 * count ? 2 : 4;
  require_bytes(r, "values", recorded, count * bytes);
  return bytes;
}

/** Rows of a STEP. */
static int64_t step_rows(struct flat step) {
  flat_word(&step); /* wants */
  int64_t rows = 0;
  for (int32_t entries = flat_word(&step); entries > 0; entries--) {
    flat_long(&step);
    flat_word(&step);
    int32_t count = flat_word(&step), input = flat_word(&step);
    flat_word(&step);
    rows += count;
    for (int32_t i = 0; input == ES_TOKENS && i < count; i++) {
      flat_word(&step);
    }
  }
  return rows;
}

/** Recorded rows in the precision of this run; allocated. */
static void *activations_of(struct running *r, struct bytes recorded, int64_t count) {
  if (recorded.count == 0) {
    return NULL;
  }
  float *floats = floats_of(recorded.first, count, value_bytes(r, recorded, count));
  if (r->activation_bytes == 2) {
    for (int64_t i = 0; i < count; i++) { /* bfloat16, towards zero: recorded in it, or compared loosely anyway */
      memcpy((uint8_t *)floats + 2 * i, (uint8_t *)(floats + i) + 2, 2);
    }
  }
  return floats;
}

/** Compares rows of activations. Where either side has none, both have. */
static void compare_activations(struct running *r, enum part part, struct bytes recorded, int64_t found, int64_t rows, int64_t width) {
  int64_t count = rows * width;
  if ((recorded.count == 0) != (found == 0)) {
    fatal("%s, call %lld: rows are recorded or answered where the other has none", r->comparison->recording, (long long)r->comparison->call);
  }
  if (count == 0 || found == 0) {
    return;
  }
  const void *answer = (const void *)(intptr_t)found;
  float *expected = floats_of(recorded.first, count, value_bytes(r, recorded, count));
  float *floats = floats_of(answer, count, r->activation_bytes);
  compare_rows(r->comparison, part, expected, floats, rows, width);
  if (part != PART_EXCHANGES) { /* which a step that was cancelled may have passed before */
    digest_add(r->comparison, answer, count * r->activation_bytes);
  }
  free(expected);
  free(floats);
}

/** What was recorded of an exchange that the step pauses at. */
static struct exchange find_exchange(struct running *r, struct flat exchanges, const struct es_result *result, int32_t moment) {
  for (int32_t count = flat_word(&exchanges); count > 0; count--) {
    struct exchange e;
    e.op = flat_word(&exchanges);
    e.moment = flat_word(&exchanges);
    e.outcome = flat_word(&exchanges);
    e.values = flat_bytes(&exchanges);
    if (e.op == result->exchange_op && e.moment == moment) {
      return e;
    }
  }
  fatal("%s, call %lld pauses at the exchange of op %lld, of which nothing was recorded", r->comparison->recording, (long long)r->comparison->call,
      (long long)result->exchange_op);
}

/** Runs a step to its end, with the exchanges as they were recorded. */
static int32_t run(struct running *r, struct flat step, const void *activations, struct flat exchanges, int32_t *cancel, bool compares,
    struct es_result *result) {
  const struct engine *engine = &r->replay->engine;
  int32_t status = engine->run(r->program, step.next, step.end - step.next, activations, cancel, result, r->error);
  while (status == ES_EXCHANGE_BEGIN || status == ES_EXCHANGE_AWAIT) {
    struct exchange e = find_exchange(r, exchanges, result, status == ES_EXCHANGE_AWAIT);
    int64_t count = result->exchange_bytes / r->activation_bytes;
    if (status == ES_EXCHANGE_AWAIT) {
      void *values = activations_of(r, e.values, count);
      if (values) {
        memcpy((void *)(intptr_t)result->exchange_values, values, (size_t)result->exchange_bytes);
      }
      free(values);
    } else if (compares) {
      compare_activations(r, PART_EXCHANGES, e.values, result->exchange_values, 1, count);
    }
    status = engine->resume(r->program, e.outcome, result, r->error);
  }
  return status;
}

/** The step, cancelled at some moment of its way: then its sessions are as before, and it is run again. */
static int32_t run_cancelled(struct running *r, struct flat step, const void *activations, struct flat exchanges, struct es_result *result) {
  struct canceller canceller;
  canceller_start(&canceller, r->last_nanos > 0 ? rand() % r->last_nanos : 0);
  int32_t status = run(r, step, activations, exchanges, &canceller.cancel, false, result);
  canceller_end(&canceller);
  r->comparison->cancelled += status == ES_CANCELLED;
  return status;
}

static void compare_result(struct running *r, struct flat *words, const struct es_result *result, int64_t rows) {
  struct comparison *c = r->comparison;
  struct bytes activations = flat_bytes(words);
  int64_t logits_rows = flat_word(words);
  struct bytes logits = flat_bytes(words), greedy = flat_bytes(words);
  int64_t width = flat_word(words);
  struct bytes experts = flat_bytes(words), weights = flat_bytes(words), hidden = flat_bytes(words);
  compare_activations(r, PART_ACTIVATIONS, activations, result->activations, rows, r->shape.hidden);
  compare_activations(r, PART_LAST_HIDDEN, hidden, result->last_hidden, rows, r->shape.hidden);
  if (logits_rows != result->logits_rows || greedy.count / 4 != result->greedy_count || (experts.count == 0) != (result->experts == 0)) {
    fatal("%s, call %lld answers %lld rows of logits, %lld tokens and %s experts; recorded were %lld, %lld and %s", c->recording, (long long)c->call,
        (long long)result->logits_rows, (long long)result->greedy_count, result->experts ? "the" : "no", (long long)logits_rows,
        (long long)greedy.count / 4, experts.count ? "the" : "no");
  }
  if (logits_rows > 0) {
    const float *found = (const float *)(intptr_t)result->logits;
    require_bytes(r, "logits", logits, logits_rows * r->shape.vocabulary * (int64_t)sizeof *found);
    compare_rows(c, PART_LOGITS, logits.first, found, logits_rows, r->shape.vocabulary);
    digest_add(c, found, logits.count);
  }
  if (greedy.count > 0) {
    compare_tokens(c, greedy.first, (const int32_t *)(intptr_t)result->greedy, greedy.count / 4);
    digest_add(c, (const void *)(intptr_t)result->greedy, greedy.count);
  }
  if (experts.count > 0 && width > 0) {
    int64_t all = r->shape.routes * rows; /* [MoE layer][T] */
    require_bytes(r, "experts", experts, all * width * (int64_t)sizeof(int16_t));
    require_bytes(r, "weights of experts", weights, all * width * (int64_t)sizeof(float));
    compare_experts(c, experts.first, weights.first, width, (const int16_t *)(intptr_t)result->experts,
        (const float *)(intptr_t)result->expert_weights, result->routing_width, all);
    digest_add(c, (const void *)(intptr_t)result->experts, all * result->routing_width * 2);
    digest_add(c, (const void *)(intptr_t)result->expert_weights, all * result->routing_width * 4);
  }
}

static void replay_run(struct running *r, struct flat *words) {
  struct flat step = flat_part(words);
  int64_t rows = step_rows(step);
  struct bytes recorded = flat_bytes(words);
  void *activations = activations_of(r, recorded, rows * r->shape.hidden);
  struct flat exchanges = *words;
  for (int32_t count = flat_word(words); count > 0; count--) {
    flat_word(words);
    flat_word(words);
    flat_word(words);
    flat_bytes(words);
  }
  struct es_result result = {0};
  int32_t none = 0, status = ES_CANCELLED;
  if (r->cancels) {
    status = run_cancelled(r, step, activations, exchanges, &result);
  }
  if (status == ES_CANCELLED) {
    int64_t start = nanos_now();
    status = run(r, step, activations, exchanges, &none, true, &result);
    r->last_nanos = nanos_now() - start;
    if (r->replay->times) {
      printf("call %lld: %lld rows, %.3f ms\n", (long long)r->comparison->call, (long long)rows, (double)r->last_nanos * 1e-6);
    }
  }
  require(r, status, "es_run");
  compare_result(r, words, &result, rows);
  free(activations);
}

/** What the pass before may have left open. */
static void close_again(struct running *r, int64_t session) {
  if (r->again) {
    r->replay->engine.close_session(r->program, session);
  }
}

static void replay_call(struct running *r, int32_t kind, struct flat words) {
  const struct engine *engine = &r->replay->engine;
  if (kind == CALL_RUN) {
    replay_run(r, &words);
    return;
  }
  int64_t session = flat_long(&words);
  if (kind == CALL_OPEN) {
    int32_t max_length = flat_word(&words);
    struct flat edits = flat_part(&words);
    close_again(r, session);
    require(r, engine->open(r->program, session, max_length, edits.next, edits.end - edits.next, r->error), "es_open");
  } else if (kind == CALL_COPY_ROWS) {
    int64_t to = flat_long(&words);
    close_again(r, to);
    require(r, engine->copy_rows(r->program, session, to, flat_word(&words), r->error), "es_copy_rows");
  } else if (kind == CALL_SNAPSHOT) {
    require(r, engine->snapshot(r->program, session, r->error), "es_snapshot");
  } else if (kind == CALL_DROP_SNAPSHOT) {
    engine->drop_snapshot(r->program, session, flat_word(&words));
  } else if (kind == CALL_DROP_ROWS) {
    engine->drop_rows(r->program, session, flat_word(&words));
  } else if (kind == CALL_CLOSE) {
    engine->close_session(r->program, session);
  } else {
    fatal("%s, call %lld is of kind %d, which this version does not know", r->comparison->recording, (long long)r->comparison->call, kind);
  }
}

void replay(const struct replay *settings, struct comparison *c) {
  struct running r = {.replay = settings, .comparison = c};
  c->call = 0; /* of what fails in load */
  load(&r);
  struct flat all = flat_file("calls");
  for (int64_t pass = 0; pass < settings->passes; pass++) {
    c->call = 0;
    r.again = pass > 0;
    for (struct flat calls = all; !flat_ended(&calls); c->call++, c->calls++) {
      int32_t kind = flat_word(&calls);
      replay_call(&r, kind, flat_part(&calls));
    }
  }
  if (settings->times) {
    char report[4096] = "";
    settings->engine.report(r.program, report, sizeof report);
    fputs(report, stdout);
  }
  settings->engine.unload(r.program);
  free(all.next);
}
