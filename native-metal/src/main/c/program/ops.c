#include "ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { KERNEL_MAX = 1024 }; /* rows of a short convolution, whose addresses lie on the stack */

static bool divides(int32_t parts, int32_t whole) { return parts > 0 && whole % parts == 0; }

/** `length` values, or null for ones; 1 is already added where they are centred at zero. */
static float *read_gain(struct reader *r, int32_t kind, int32_t length) {
  float *all = read_optional_vector(r, length);
  require(r, (kind == 0) == !all);
  for (int i = 0; all && kind == 2 && i < length; i++) {
    all[i] += 1;
  }
  return all;
}

static void rms_norm(struct reader *r, struct op *op) {
  op->rms_norm.in = read_view(r);
  int32_t kind = word_index(&r->words, 3);
  struct words weight = word_part(&r->words, 1); /* its length is known only with the groups */
  op->rms_norm.eps = word_float(&r->words);
  op->rms_norm.groups = word(&r->words);
  op->rms_norm.out = read_view(r);
  int32_t width = op->rms_norm.in.width;
  require(r, divides(op->rms_norm.groups, width) && op->rms_norm.out.width == width);
  if (!r->words.bad) {
    struct words rest = r->words;
    r->words = weight;
    op->rms_norm.gain = read_gain(r, kind, width / op->rms_norm.groups);
    rest.bad = r->words.bad;
    r->words = rest;
  }
}

static void layer_norm(struct reader *r, struct op *op) {
  op->layer_norm.in = read_view(r);
  op->layer_norm.weight = read_vector(r, op->layer_norm.in.width);
  op->layer_norm.bias = read_vector(r, op->layer_norm.in.width);
  op->layer_norm.eps = word_float(&r->words);
  op->layer_norm.out = read_view(r);
  require(r, op->layer_norm.out.width == op->layer_norm.in.width);
}

static void embed(struct reader *r, struct op *op) {
  op->embed.weight = read_weight(r);
  op->embed.out = read_view(r);
  require(r, op->embed.weight && op->embed.weight->columns == op->embed.out.width);
}

static void linear(struct reader *r, struct op *op) {
  op->linear.in = read_view(r);
  op->linear.projection = read_projection(r);
  op->linear.out = read_view(r);
  require_projection(r, &op->linear.projection, op->linear.out.width, op->linear.in.width, 1);
}

static void rotate(struct reader *r, struct op *op) {
  op->rotate.x = read_view(r);
  op->rotate.heads = word(&r->words);
  op->rotate.from = word(&r->words);
  op->rotate.interleaved = word_index(&r->words, 2);
  op->rotate.factor = word_float(&r->words);
  op->rotate.pairs = word_length(&r->words, 1);
  op->rotate.frequencies = read_array(r, op->rotate.pairs, sizeof *op->rotate.frequencies);
  for (int i = 0; op->rotate.frequencies && i < op->rotate.pairs; i++) {
    op->rotate.frequencies[i] = word_float(&r->words);
  }
  require(r, divides(op->rotate.heads, op->rotate.x.width) && op->rotate.from >= 0);
  require(r, !r->words.bad && op->rotate.from + 2 * (int64_t)op->rotate.pairs <= op->rotate.x.width / op->rotate.heads);
}

/** Each of `heads` is one of the heads that lie in a view. */
static void require_heads(struct reader *r, const int32_t *head, int32_t heads, int32_t width, struct view v) {
  require(r, heads > 0 && divides(width, v.width));
  for (int i = 0; !r->words.bad && i < heads; i++) {
    require(r, head[i] >= 0 && head[i] < v.width / width);
  }
}

static void attention(struct reader *r, struct op *op) {
  op->attention.q = read_view(r);
  op->attention.k = read_view(r);
  op->attention.v = read_view(r);
  op->attention.kv_head = read_ints(r, &op->attention.heads);
  op->attention.scale = word_float(&r->words);
  op->attention.sinks = read_optional_vector(r, op->attention.heads);
  op->attention.cache = read_cache(r, ES_ROWS);
  op->attention.out = read_view(r);
  int32_t heads = op->attention.heads, keys = op->attention.k.width, values = op->attention.v.width;
  require(r, divides(heads, op->attention.q.width));
  if (!r->words.bad) {
    int32_t width = op->attention.q.width / heads;
    require_heads(r, op->attention.kv_head, heads, width, op->attention.k);
    require(r, !r->words.bad && divides(keys / width, values));
    require(r, !r->words.bad && op->attention.out.width == (int64_t)heads * (values / (keys / width)));
  }
  require_cache(r, op->attention.cache, (int64_t)keys + values);
}

static void select_rows(struct reader *r, struct op *op) {
  op->select_rows.layer = word(&r->words);
  op->select_rows.q = read_view(r);
  op->select_rows.k = read_view(r);
  op->select_rows.w = read_view(r);
  op->select_rows.top_k = word(&r->words);
  op->select_rows.cache = read_cache(r, ES_ROWS);
  require(r, op->select_rows.top_k > 0 && op->select_rows.q.width == (int64_t)op->select_rows.w.width * op->select_rows.k.width);
  require_cache(r, op->select_rows.cache, op->select_rows.k.width);
}

static void latent_attention(struct reader *r, struct op *op) {
  op->latent_attention.q = read_view(r);
  op->latent_attention.latent = read_view(r);
  op->latent_attention.key_rope = read_view(r);
  op->latent_attention.key_up = read_weight(r);
  op->latent_attention.value_up = read_weight(r);
  op->latent_attention.heads = word(&r->words);
  op->latent_attention.scale = word_float(&r->words);
  op->latent_attention.cache = read_cache(r, ES_ROWS);
  op->latent_attention.selection = word_index(&r->words, 2);
  op->latent_attention.out = read_view(r);
  int32_t heads = op->latent_attention.heads, latent = op->latent_attention.latent.width, rope = op->latent_attention.key_rope.width;
  require(r, divides(heads, op->latent_attention.q.width) && divides(heads, op->latent_attention.out.width));
  if (!r->words.bad) {
    require_matrices(r, op->latent_attention.key_up, latent, op->latent_attention.q.width / heads - rope, heads);
    require_matrices(r, op->latent_attention.value_up, op->latent_attention.out.width / heads, latent, heads);
  }
  require_cache(r, op->latent_attention.cache, (int64_t)latent + rope);
}

static void gated_mlp(struct reader *r, struct op *op) {
  op->gated_mlp.in = read_view(r);
  op->gated_mlp.unit = read_unit(r);
  op->gated_mlp.out = read_view(r);
  require_unit(r, &op->gated_mlp.unit, op->gated_mlp.in.width, op->gated_mlp.out.width, 1);
}

static void route(struct reader *r, struct op *op) {
  op->route.layer = word(&r->words);
  op->route.in = read_view(r);
  op->route.gate = read_projection(r);
  int32_t all = op->route.gate.weight ? op->route.gate.weight->rows : 0;
  op->route.correction = read_optional_vector(r, all);
  op->route.expert_scale = read_optional_vector(r, all);
  op->route.experts = word(&r->words);
  op->route.top_k = word(&r->words);
  op->route.softmax = word_index(&r->words, 2);
  op->route.groups = word(&r->words);
  op->route.kept = word(&r->words);
  op->route.group_max = word_index(&r->words, 2);
  op->route.normalize = word_index(&r->words, 2);
  op->route.scale = word_float(&r->words);
  op->route.index = r->program->route_count++;
  require_projection(r, &op->route.gate, op->route.experts, op->route.in.width, 1);
  require(r, op->route.experts > 0 && op->route.experts <= INT16_MAX && divides(op->route.groups, op->route.experts));
  require(r, op->route.top_k > 0 && op->route.top_k <= op->route.experts && op->route.kept > 0 && op->route.kept <= op->route.groups);
  r->routed = op->route.experts;
}

static void experts(struct reader *r, struct op *op) {
  op->experts.layer = word(&r->words);
  op->experts.in = read_view(r);
  op->experts.held_count = word_length(&r->words, 3);
  op->experts.held = read_array(r, op->experts.held_count, sizeof *op->experts.held);
  for (int i = 0; op->experts.held && i < op->experts.held_count; i++) {
    struct held held;
    held.expert = word(&r->words);
    held.replica = word(&r->words);
    held.replicas = word(&r->words);
    require(r, held.expert >= 0 && held.expert < r->routed && held.replica >= 0 && held.replica < held.replicas);
    op->experts.held[i] = held;
  }
  op->experts.unit = read_unit(r);
  op->experts.out = read_view(r);
  require(r, r->routed > 0); /* their choice */
  require_unit(r, &op->experts.unit, op->experts.in.width, op->experts.out.width, op->experts.held_count);
}

static void scale(struct reader *r, struct op *op) {
  op->scale.x = read_view(r);
  float *stored = read_optional_vector(r, 1);
  op->scale.factor = word_float(&r->words);
  if (stored) {
    op->scale.factor = stored[0];
    free(stored);
  }
}

static void gate(struct reader *r, struct op *op) {
  op->gate.gate = read_view(r);
  op->gate.silu = word_index(&r->words, 2);
  op->gate.x = read_view(r);
  require(r, op->gate.gate.width == 1 || op->gate.gate.width == op->gate.x.width);
}

/** [C, kernel], of channels that several weights [some, kernel] have one after the other. */
static float *read_taps(struct reader *r, const struct weight **weights, int32_t count, int32_t channels, int32_t kernel) {
  float *all = read_array(r, (int64_t)channels * kernel, sizeof *all);
  int64_t at = 0;
  for (int i = 0; all && !r->words.bad && i < count; i++) {
    int64_t length = (int64_t)weights[i]->rows * kernel;
    require(r, weights[i]->columns == kernel && at + length <= (int64_t)channels * kernel);
    float *some = r->words.bad ? NULL : weight_vector(weights[i], 0);
    r->no_memory |= !r->words.bad && !some;
    require(r, some != NULL);
    if (some) {
      memcpy(all + at, some, (size_t)length * sizeof *some);
      free(some);
      at += length;
    }
  }
  require(r, at == (int64_t)channels * kernel);
  return all;
}

static void convolution(struct reader *r, struct op *op) {
  op->convolution.x = read_view(r);
  int32_t count = word_length(&r->words, 1), channels = op->convolution.x.width;
  const struct weight **weights = read_array(r, count, sizeof *weights);
  for (int i = 0; weights && i < count; i++) {
    weights[i] = read_weight(r);
  }
  op->convolution.kernel = word(&r->words);
  require(r, op->convolution.kernel > 1 && op->convolution.kernel <= KERNEL_MAX);
  if (!r->words.bad) {
    op->convolution.taps = read_taps(r, weights, count, channels, op->convolution.kernel);
  }
  free(weights);
  op->convolution.cache = read_cache(r, ES_STATE);
  op->convolution.out = read_view(r);
  require(r, op->convolution.out.width == channels);
  require_cache(r, op->convolution.cache, (op->convolution.kernel - INT64_C(1)) * channels);
}

/** What log g is a product of, in the form that Java's reference computes it: exp of a logarithm, or the negative. */
static float *read_rates(struct reader *r, int32_t heads) {
  int32_t negative = word_index(&r->words, 2);
  float *rate = read_vector(r, heads);
  for (int i = 0; rate && i < heads; i++) {
    rate[i] = negative ? -rate[i] : expf(rate[i]);
  }
  return rate;
}

static void delta(struct reader *r, struct op *op) {
  op->delta.q = read_view(r);
  op->delta.k = read_view(r);
  op->delta.v = read_view(r);
  op->delta.decay = read_view(r);
  op->delta.beta = read_view(r);
  op->delta.rate = read_rates(r, op->delta.beta.width);
  op->delta.dt_bias = read_vector(r, op->delta.beta.width);
  op->delta.key_width = word(&r->words);
  op->delta.key_head = read_ints(r, &op->delta.heads);
  op->delta.cache = read_cache(r, ES_STATE);
  op->delta.out = read_view(r);
  int32_t heads = op->delta.heads;
  require_heads(r, op->delta.key_head, heads, op->delta.key_width, op->delta.k);
  require(r, divides(heads, op->delta.v.width) && op->delta.beta.width == heads && op->delta.decay.width == heads);
  require(r, op->delta.q.width == op->delta.k.width && op->delta.out.width == op->delta.v.width);
  require_cache(r, op->delta.cache, (int64_t)op->delta.key_width * op->delta.v.width);
}

static void add(struct reader *r, struct op *op) {
  op->add.a = read_view(r);
  op->add.b = read_view(r);
  op->add.out = read_view(r);
  require(r, op->add.a.width == op->add.out.width && op->add.b.width == op->add.out.width);
}

static void exchange_begin(struct reader *r, struct op *op) {
  op->exchange.id = word(&r->words);
  op->exchange.view = read_any_view(r);
  op->exchange.kind = word_index(&r->words, 3);
}

static void exchange_await(struct reader *r, struct op *op) { op->exchange.id = word(&r->words); }

static void logits(struct reader *r, struct op *op) {
  op->logits.in = read_view(r);
  op->logits.weight = read_weight(r);
  op->logits.cap = word_float(&r->words);
  op->logits.out = read_any_view(r);
  require(r, op->logits.out.slot == r->program->logits.slot);
  require_matrices(r, op->logits.weight, op->logits.out.width, op->logits.in.width, 1);
}

static void (*const readers[ES_OPS])(struct reader *, struct op *) = {
    [ES_EMBED] = embed,
    [ES_RMS_NORM] = rms_norm,
    [ES_LAYER_NORM] = layer_norm,
    [ES_LINEAR] = linear,
    [ES_ROTATE] = rotate,
    [ES_ATTENTION] = attention,
    [ES_SELECT_ROWS] = select_rows,
    [ES_LATENT_ATTENTION] = latent_attention,
    [ES_GATED_MLP] = gated_mlp,
    [ES_ROUTE] = route,
    [ES_EXPERTS] = experts,
    [ES_SCALE] = scale,
    [ES_GATE] = gate,
    [ES_SHORT_CONVOLUTION] = convolution,
    [ES_GATED_DELTA_RULE] = delta,
    [ES_ADD] = add,
    [ES_EXCHANGE_BEGIN_OP] = exchange_begin,
    [ES_EXCHANGE_AWAIT_OP] = exchange_await,
    [ES_LOGITS] = logits,
};

/** Each op has its length before it, so that one that is too short or too long is found where it is. */
void ops_read(struct reader *r) {
  struct es_program *p = r->program;
  int32_t count = word_length(&r->words, 2);
  p->ops = read_array(r, count, sizeof *p->ops);
  for (int i = 0; p->ops && i < count && !r->words.bad; i++) {
    struct op *op = &p->ops[i];
    p->op_count = i + 1;
    op->kind = word_index(&r->words, ES_OPS);
    struct words rest = r->words;
    int32_t length = word(&rest);
    r->words = word_part(&rest, length);
    require(r, op->kind != ES_EMBED || i == 0); /* a step has tokens where the first op takes them */
    readers[op->kind](r, op);
    require(r, r->words.next == r->words.end);
    rest.bad |= r->words.bad;
    r->words = rest;
    if (rest.bad && !r->no_memory) {
      fail(r->error, ES_FAILED, "op %d of the program, of kind %d, is not what this library expects", i, op->kind);
    }
  }
}

void op_free(struct op *op) {
  switch (op->kind) {
  case ES_RMS_NORM:
    free(op->rms_norm.gain);
    break;
  case ES_LAYER_NORM:
    free(op->layer_norm.weight);
    free(op->layer_norm.bias);
    break;
  case ES_LINEAR:
    free_projection(&op->linear.projection);
    break;
  case ES_ROTATE:
    free(op->rotate.frequencies);
    break;
  case ES_ATTENTION:
    free(op->attention.kv_head);
    free(op->attention.sinks);
    break;
  case ES_GATED_MLP:
    free_unit(&op->gated_mlp.unit);
    break;
  case ES_ROUTE:
    free_projection(&op->route.gate);
    free(op->route.correction);
    free(op->route.expert_scale);
    break;
  case ES_EXPERTS:
    free(op->experts.held);
    free_unit(&op->experts.unit);
    break;
  case ES_SHORT_CONVOLUTION:
    free(op->convolution.taps);
    break;
  case ES_GATED_DELTA_RULE:
    free(op->delta.rate);
    free(op->delta.dt_bias);
    free(op->delta.key_head);
    break;
  }
}
