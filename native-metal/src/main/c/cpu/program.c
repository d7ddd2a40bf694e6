/* Reads the flat program of espalier.h. Its meaning was proved by whoever wrote it; here lengths, offsets and indices are. */
#include "program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reader {
  struct words words;
  struct es_program *program;
  char *error;
};

static bool no_memory(struct reader *r) {
  r->words.bad = true;
  fail(r->error, ES_NO_MEMORY, "no memory to load the program");
  return false;
}

static void *array(struct reader *r, int64_t count, size_t size) {
  void *items = calloc(count > 0 ? (size_t)count : 1, size);
  if (!items) {
    no_memory(r);
  }
  return items;
}

static int32_t *ints(struct reader *r, int32_t *count) {
  *count = word_length(&r->words, 1);
  int32_t *items = array(r, *count, sizeof *items);
  for (int i = 0; items && i < *count; i++) {
    items[i] = word(&r->words);
  }
  return items;
}

static struct view view(struct reader *r) {
  const struct es_program *p = r->program;
  struct view v;
  v.slot = word(&r->words);
  v.offset = word(&r->words);
  v.width = word(&r->words);
  bool none = v.slot == -1;
  bool inside = v.slot >= 0 && v.slot < p->slot_count && v.offset >= 0 && v.width > 0 && v.width <= p->slots[v.slot] - v.offset;
  if (!none && !inside) {
    r->words.bad = true;
  }
  return v;
}

/** An op's view; one that is not there would be used. */
static struct view view_of_op(struct reader *r) {
  struct view v = view(r);
  if (v.slot == -1) {
    r->words.bad = true;
  }
  return v;
}

static const struct weight *weight(struct reader *r) {
  int32_t index = word(&r->words);
  if (index == -1) {
    return NULL;
  }
  if (index < 0 || index >= r->program->weight_count) {
    r->words.bad = true;
    return NULL;
  }
  return &r->program->weights[index];
}

static const struct weight *some_weight(struct reader *r) {
  const struct weight *w = weight(r);
  if (!w) {
    r->words.bad = true;
  }
  return w;
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

/** The `length` values of a vector, or null where there is none. */
static float *optional_vector(struct reader *r, int64_t length) {
  const struct weight *w = weight(r);
  if (w && (int64_t)w->rows * w->columns != length) {
    r->words.bad = true;
  }
  return values(r, w, 0);
}

/** Of one that must be there. */
static float *vector(struct reader *r, int64_t length) {
  float *all = optional_vector(r, length);
  r->words.bad |= !all;
  return all;
}

/** W [rows, columns], `count` matrices of it. */
static struct projection projection(struct reader *r, int32_t count) {
  struct projection p = {0};
  p.weight = some_weight(r);
  p.bias = weight(r);
  if (r->words.bad || p.weight->count < count || (p.bias && p.bias->count < count)) {
    r->words.bad = true;
    p.bias = NULL;
  }
  if (p.bias) {
    p.bias_values = array(r, p.bias->count, sizeof *p.bias_values);
    for (int i = 0; p.bias_values && i < p.bias->count; i++) {
      p.bias_values[i] = values(r, p.bias, i);
    }
  }
  return p;
}

static struct unit unit(struct reader *r, int32_t count) {
  struct unit u = {0};
  u.gate = projection(r, count);
  u.up = projection(r, count);
  u.down = projection(r, count);
  u.activation = word_index(&r->words, 3);
  u.alpha = word_float(&r->words);
  u.limit = word_float(&r->words);
  return u;
}

static int32_t cache(struct reader *r) { return word_index(&r->words, r->program->cache_count); }

/** `length` values, or null for ones; 1 is already added where they are centred at zero. */
static float *gain(struct reader *r, int32_t kind, int32_t length) {
  float *all = optional_vector(r, length);
  r->words.bad |= (kind == 0) != !all;
  for (int i = 0; all && kind == 2 && i < length; i++) {
    all[i] += 1;
  }
  return all;
}

/** [C, kernel], of channels that several weights have one after the other. */
static float *taps(struct reader *r, int32_t channels, int32_t *kernel) {
  int32_t count = word_length(&r->words, 1);
  float *all = NULL;
  const struct weight **weights = array(r, count, sizeof *weights);
  for (int i = 0; weights && i < count; i++) {
    weights[i] = some_weight(r);
  }
  *kernel = word(&r->words);
  if (weights && !r->words.bad && *kernel > 0) {
    all = array(r, (int64_t)channels * *kernel, sizeof *all);
    int64_t at = 0;
    for (int i = 0; all && i < count; i++) {
      int64_t length = (int64_t)weights[i]->rows * weights[i]->columns;
      float *some = at + length <= (int64_t)channels * *kernel ? values(r, weights[i], 0) : NULL;
      if (!some) {
        r->words.bad = true;
        break;
      }
      memcpy(all + at, some, (size_t)length * sizeof *some);
      free(some);
      at += length;
    }
  }
  free(weights);
  return all;
}

/** What log g is a product of, in the form that Java's reference computes it: exp of a logarithm, or the negative. */
static float *rates(struct reader *r, int32_t heads) {
  int32_t negative = word_index(&r->words, 2);
  float *rate = vector(r, heads);
  for (int i = 0; rate && i < heads; i++) {
    rate[i] = negative ? -rate[i] : expf(rate[i]);
  }
  return rate;
}

static void route(struct reader *r, struct op *op) {
  op->route.layer = word(&r->words);
  op->route.in = view_of_op(r);
  op->route.gate = projection(r, 1);
  int32_t all = op->route.gate.weight ? op->route.gate.weight->rows : 0;
  op->route.correction = optional_vector(r, all);
  op->route.expert_scale = optional_vector(r, all);
  op->route.experts = word(&r->words);
  r->words.bad |= op->route.experts != all;
  op->route.top_k = word(&r->words);
  op->route.softmax = word_index(&r->words, 2);
  op->route.groups = word(&r->words);
  op->route.kept = word(&r->words);
  op->route.group_max = word_index(&r->words, 2);
  op->route.normalize = word_index(&r->words, 2);
  op->route.scale = word_float(&r->words);
  op->route.index = r->program->route_count++;
  bool whole = op->route.groups > 0 && op->route.experts > 0 && op->route.experts <= INT16_MAX && op->route.experts % op->route.groups == 0;
  if (!whole || op->route.top_k < 1 || op->route.top_k > op->route.experts || op->route.kept < 1 || op->route.kept > op->route.groups) {
    r->words.bad = true;
  }
}

static void experts(struct reader *r, struct op *op) {
  op->experts.layer = word(&r->words);
  op->experts.in = view_of_op(r);
  op->experts.held_count = word_length(&r->words, 3);
  op->experts.held = array(r, op->experts.held_count, sizeof *op->experts.held);
  for (int i = 0; op->experts.held && i < op->experts.held_count; i++) {
    struct held held;
    held.expert = word(&r->words);
    held.replica = word(&r->words);
    held.replicas = word(&r->words);
    if (held.expert < 0 || held.replica < 0 || held.replicas <= held.replica) {
      r->words.bad = true;
    }
    op->experts.held[i] = held;
  }
  op->experts.unit = unit(r, op->experts.held_count);
  op->experts.out = view_of_op(r);
}

static int32_t max(int32_t a, int32_t b) { return a > b ? a : b; }

/** Whether `heads` lie in a view of heads that wide. */
static void heads_of(struct reader *r, const int32_t *head, int32_t heads, int32_t width, struct view v) {
  if (heads < 1 || width < 1 || v.width % width != 0) {
    r->words.bad = true;
    return;
  }
  for (int i = 0; head && i < heads; i++) {
    r->words.bad |= head[i] < 0 || head[i] >= v.width / width;
  }
}

static void attention(struct reader *r, struct op *op) {
  op->attention.q = view_of_op(r);
  op->attention.k = view_of_op(r);
  op->attention.v = view_of_op(r);
  op->attention.kv_head = ints(r, &op->attention.heads);
  op->attention.scale = word_float(&r->words);
  op->attention.sinks = optional_vector(r, op->attention.heads);
  op->attention.cache = cache(r);
  op->attention.out = view_of_op(r);
  heads_of(r, op->attention.kv_head, op->attention.heads, op->attention.q.width / max(1, op->attention.heads), op->attention.k);
}

static void latent_attention(struct reader *r, struct op *op) {
  op->latent_attention.q = view_of_op(r);
  op->latent_attention.latent = view_of_op(r);
  op->latent_attention.key_rope = view_of_op(r);
  op->latent_attention.key_up = some_weight(r);
  op->latent_attention.value_up = some_weight(r);
  op->latent_attention.heads = word(&r->words);
  op->latent_attention.scale = word_float(&r->words);
  op->latent_attention.cache = cache(r);
  op->latent_attention.selection = word_index(&r->words, 2);
  op->latent_attention.out = view_of_op(r);
  if (op->latent_attention.heads < 1) {
    r->words.bad = true;
  }
}

static void delta(struct reader *r, struct op *op) {
  op->delta.q = view_of_op(r);
  op->delta.k = view_of_op(r);
  op->delta.v = view_of_op(r);
  op->delta.decay = view_of_op(r);
  op->delta.beta = view_of_op(r);
  op->delta.rate = rates(r, op->delta.beta.width);
  op->delta.dt_bias = vector(r, op->delta.beta.width);
  op->delta.key_width = word(&r->words);
  op->delta.key_head = ints(r, &op->delta.heads);
  op->delta.cache = cache(r);
  op->delta.out = view_of_op(r);
  r->words.bad |= op->delta.heads != op->delta.beta.width;
  heads_of(r, op->delta.key_head, op->delta.heads, op->delta.key_width, op->delta.k);
}

static void rotate(struct reader *r, struct op *op) {
  op->rotate.x = view_of_op(r);
  op->rotate.heads = word(&r->words);
  op->rotate.from = word(&r->words);
  op->rotate.interleaved = word_index(&r->words, 2);
  op->rotate.factor = word_float(&r->words);
  op->rotate.pairs = word_length(&r->words, 1);
  op->rotate.frequencies = array(r, op->rotate.pairs, sizeof *op->rotate.frequencies);
  for (int i = 0; op->rotate.frequencies && i < op->rotate.pairs; i++) {
    op->rotate.frequencies[i] = word_float(&r->words);
  }
  if (op->rotate.heads < 1) {
    r->words.bad = true;
  }
}

static void rms_norm(struct reader *r, struct op *op) {
  op->rms_norm.in = view_of_op(r);
  int32_t kind = word_index(&r->words, 3);
  struct words weight = word_part(&r->words, 1); /* its length is known only with the groups */
  op->rms_norm.eps = word_float(&r->words);
  op->rms_norm.groups = word(&r->words);
  op->rms_norm.out = view_of_op(r);
  if (op->rms_norm.groups < 1 || op->rms_norm.in.width % op->rms_norm.groups != 0) {
    r->words.bad = true;
    return;
  }
  struct reader part = {weight, r->program, r->error};
  part.words.bad = r->words.bad;
  op->rms_norm.gain = gain(&part, kind, op->rms_norm.in.width / op->rms_norm.groups);
  r->words.bad |= part.words.bad;
}

static void read_op(struct reader *r, struct op *op) {
  struct words *w = &r->words;
  switch (op->kind) {
  case ES_EMBED:
    op->embed.weight = some_weight(r);
    op->embed.out = view_of_op(r);
    break;
  case ES_RMS_NORM:
    rms_norm(r, op);
    break;
  case ES_LAYER_NORM:
    op->layer_norm.in = view_of_op(r);
    op->layer_norm.weight = vector(r, op->layer_norm.in.width);
    op->layer_norm.bias = vector(r, op->layer_norm.in.width);
    op->layer_norm.eps = word_float(w);
    op->layer_norm.out = view_of_op(r);
    break;
  case ES_LINEAR:
    op->linear.in = view_of_op(r);
    op->linear.projection = projection(r, 1);
    op->linear.out = view_of_op(r);
    break;
  case ES_ROTATE:
    rotate(r, op);
    break;
  case ES_ATTENTION:
    attention(r, op);
    break;
  case ES_SELECT_ROWS:
    op->select_rows.layer = word(w);
    op->select_rows.q = view_of_op(r);
    op->select_rows.k = view_of_op(r);
    op->select_rows.w = view_of_op(r);
    op->select_rows.top_k = word(w);
    op->select_rows.cache = cache(r);
    break;
  case ES_LATENT_ATTENTION:
    latent_attention(r, op);
    break;
  case ES_GATED_MLP:
    op->gated_mlp.in = view_of_op(r);
    op->gated_mlp.unit = unit(r, 1);
    op->gated_mlp.out = view_of_op(r);
    break;
  case ES_ROUTE:
    route(r, op);
    break;
  case ES_EXPERTS:
    experts(r, op);
    break;
  case ES_SCALE: {
    op->scale.x = view_of_op(r);
    float *stored = optional_vector(r, 1);
    op->scale.factor = word_float(w);
    if (stored) {
      op->scale.factor = stored[0];
      free(stored);
    }
    break;
  }
  case ES_GATE:
    op->gate.gate = view_of_op(r);
    op->gate.silu = word_index(w, 2);
    op->gate.x = view_of_op(r);
    break;
  case ES_SHORT_CONVOLUTION:
    op->convolution.x = view_of_op(r);
    op->convolution.taps = taps(r, op->convolution.x.width, &op->convolution.kernel);
    op->convolution.cache = cache(r);
    op->convolution.out = view_of_op(r);
    break;
  case ES_GATED_DELTA_RULE:
    delta(r, op);
    break;
  case ES_ADD:
    op->add.a = view_of_op(r);
    op->add.b = view_of_op(r);
    op->add.out = view_of_op(r);
    break;
  case ES_EXCHANGE_BEGIN_OP:
    op->exchange.id = word(w);
    op->exchange.view = view_of_op(r);
    op->exchange.kind = word_index(w, 3);
    break;
  case ES_EXCHANGE_AWAIT_OP:
    op->exchange.id = word(w);
    break;
  case ES_LOGITS:
    op->logits.in = view_of_op(r);
    op->logits.weight = some_weight(r);
    op->logits.cap = word_float(w);
    op->logits.out = view_of_op(r);
    break;
  }
}

/** Each op has its length before it, so that one that is too short or too long is found where it is. */
static void read_ops(struct reader *r) {
  struct es_program *p = r->program;
  int32_t count = word_length(&r->words, 2);
  p->ops = array(r, count, sizeof *p->ops);
  for (int i = 0; p->ops && i < count && !r->words.bad; i++) {
    p->ops[i].kind = word_index(&r->words, ES_OPS);
    struct words rest = r->words;
    int32_t length = word(&rest);
    r->words = word_part(&rest, length);
    p->op_count = i + 1;
    read_op(r, &p->ops[i]);
    if (r->words.next != r->words.end) {
      r->words.bad = true;
    }
    rest.bad |= r->words.bad;
    r->words = rest;
    if (rest.bad && !r->error[0]) {
      fail(r->error, ES_FAILED, "op %d of the program, of kind %d, is not what this library expects", i, p->ops[i].kind);
    }
  }
}

static bool overlap(struct view a, struct view b) {
  return a.slot == b.slot && a.offset < b.offset + b.width && b.offset < a.offset + a.width;
}

/**
 * What rows are chosen by is multiplied in float: a rounded score is another row, and the matrices of an indexer are small. Its norms and
 * rotations work in place, so that the product is the last linear op before that writes the view.
 */
static void mark_exact(struct es_program *p, int32_t index, struct view v) {
  for (int32_t i = index - 1; i >= 0; i--) {
    if (p->ops[i].kind == ES_LINEAR && overlap(p->ops[i].linear.out, v)) {
      p->ops[i].linear.exact = true;
      return;
    }
  }
}

static void mark_selections(struct es_program *p) {
  for (int32_t i = 0; i < p->op_count; i++) {
    if (p->ops[i].kind == ES_SELECT_ROWS) {
      mark_exact(p, i, p->ops[i].select_rows.q);
      mark_exact(p, i, p->ops[i].select_rows.k);
      mark_exact(p, i, p->ops[i].select_rows.w);
    }
  }
}

static void read_options(struct reader *r) {
  struct es_program *p = r->program;
  struct words *w = &r->words;
  p->precision = word_index(w, 2);
  p->rank = word(w);
  p->nodes = word(w);
  p->kv_type = word_index(w, 3);
  p->threads = word(w);
  p->preparations = word(w);
  p->profile = word_index(w, 2);
  p->kv_bytes = word_long(w);
}

static int read_files(struct reader *r) {
  struct es_program *p = r->program;
  int32_t count = word_length(&r->words, 1);
  p->files = array(r, count, sizeof *p->files);
  for (int i = 0; p->files && i < count && !r->words.bad; i++) {
    p->files[i].path = word_string(&r->words);
    if (!p->files[i].path) {
      return r->words.bad ? ES_FAILED : fail(r->error, ES_NO_MEMORY, "no memory to load the program");
    }
    p->file_count = i + 1;
    int status = file_map(&p->files[i], r->error);
    if (status != ES_OK) {
      return status;
    }
  }
  return ES_OK;
}

static int read_weights(struct reader *r) {
  struct es_program *p = r->program;
  int32_t count = word_length(&r->words, 1);
  p->weights = array(r, count, sizeof *p->weights);
  for (int i = 0; p->weights && i < count && !r->words.bad; i++) {
    p->weight_count = i + 1;
    int status = weight_read(&r->words, &p->weights[i], p->files, p->file_count, r->error);
    if (status != ES_OK) {
      return status;
    }
  }
  return ES_OK;
}

static void read_caches(struct reader *r) {
  struct es_program *p = r->program;
  p->cache_count = word_length(&r->words, 3);
  p->caches = array(r, p->cache_count, sizeof *p->caches);
  for (int i = 0; p->caches && i < p->cache_count; i++) {
    p->caches[i].kind = word_index(&r->words, 2);
    p->caches[i].width = word(&r->words);
    p->caches[i].window = word(&r->words);
    r->words.bad |= p->caches[i].width <= 0 || p->caches[i].window < 0;
  }
}

int program_read(struct es_program *p, const int32_t *words, int64_t count, char *error) {
  error[0] = 0;
  struct reader r = {{words, words + count, false}, p, error};
  int32_t magic = word(&r.words);
  int32_t version = word(&r.words);
  if (magic != ES_MAGIC || version != ES_VERSION) {
    return fail(error, ES_FAILED, "the program is for version %d of the interface, this library has %d", version, ES_VERSION);
  }
  read_options(&r);
  p->hidden = word(&r.words);
  p->slots = ints(&r, &p->slot_count);
  p->input = view(&r);
  p->output = view(&r);
  p->logits = view(&r);
  read_caches(&r);
  int status = r.words.bad ? ES_FAILED : read_files(&r);
  status = status == ES_OK && !r.words.bad ? read_weights(&r) : status;
  if (status == ES_OK && !r.words.bad) {
    read_ops(&r);
    mark_selections(p);
  }
  if (status == ES_OK && (r.words.bad || r.words.next != r.words.end)) {
    status = ES_FAILED;
  }
  if (status != ES_OK && !error[0]) {
    fail(error, status, "the program ends, or goes on, where this library expects something else");
  }
  if (status == ES_OK && p->profile) {
    p->nanos = calloc((size_t)p->op_count + 1, sizeof *p->nanos);
    status = p->nanos ? ES_OK : fail(error, ES_NO_MEMORY, "no memory to load the program");
  }
  return status;
}

static void free_projection(struct projection *p) {
  for (int i = 0; p->bias_values && i < p->bias->count; i++) {
    free(p->bias_values[i]);
  }
  free(p->bias_values);
}

static void free_unit(struct unit *u) {
  free_projection(&u->gate);
  free_projection(&u->up);
  free_projection(&u->down);
}

static void free_op(struct op *op) {
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

void program_free(struct es_program *p) {
  for (int i = 0; i < p->op_count; i++) {
    free_op(&p->ops[i]);
  }
  for (int i = 0; i < p->weight_count; i++) {
    weight_free(&p->weights[i]);
  }
  for (int i = 0; i < p->file_count; i++) {
    file_unmap(&p->files[i]);
    free(p->files[i].path);
  }
  free(p->ops);
  free(p->weights);
  free(p->files);
  free(p->caches);
  free(p->slots);
  free(p->nanos);
}
