/* Reads the flat program of espalier.h. Its meaning was proved by whoever wrote it; here lengths, offsets, indices and shapes are. */
#include "program.h"

#include <stdlib.h>

#include "ops.h"

/** Bytes of a row of any slot or cache fit 31 bits, so that those of all rows of a step or session fit 63. */
enum { WIDTH_MAX = INT32_MAX / (int)sizeof(float) };

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

static void read_slots(struct reader *r) {
  struct es_program *p = r->program;
  p->slots = read_ints(r, &p->slot_count);
  for (int i = 0; i < p->slot_count; i++) {
    require(r, p->slots[i] > 0 && p->slots[i] <= WIDTH_MAX);
  }
}

/** Where rows come in and go out. The slot of the logits has other rows than all others. */
static void read_edges(struct reader *r) {
  struct es_program *p = r->program;
  p->input = read_edge(r);
  p->output = read_edge(r);
  p->logits = read_edge(r);
  require(r, p->input.slot >= 0 && p->output.slot >= 0);
  require(r, p->input.slot != p->logits.slot && p->output.slot != p->logits.slot);
}

static int read_files(struct reader *r) {
  struct es_program *p = r->program;
  int32_t count = word_length(&r->words, 1);
  p->files = read_array(r, count, sizeof *p->files);
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
  p->weights = read_array(r, count, sizeof *p->weights);
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
  p->caches = read_array(r, p->cache_count, sizeof *p->caches);
  for (int i = 0; p->caches && i < p->cache_count; i++) {
    p->caches[i].kind = word_index(&r->words, 2);
    p->caches[i].width = word(&r->words);
    p->caches[i].window = word(&r->words);
    require(r, p->caches[i].width > 0 && p->caches[i].width <= WIDTH_MAX && p->caches[i].window >= 0);
  }
}

static int read_all(struct reader *r) {
  struct es_program *p = r->program;
  int32_t magic = word(&r->words);
  int32_t version = word(&r->words);
  if (magic != ES_MAGIC || version != ES_VERSION) {
    return fail(r->error, ES_FAILED, "the program is for version %d of the interface, this library has %d", version, ES_VERSION);
  }
  read_options(r);
  if (p->kv_type == ES_KV_Q8) { /* nothing computes with it */
    return fail(r->error, ES_FAILED, "KV caches are kept as f32 or f16, not as q8: load the program with one of these");
  }
  p->hidden = word(&r->words);
  read_slots(r);
  read_edges(r);
  read_caches(r);
  int status = r->words.bad ? ES_FAILED : read_files(r);
  status = status == ES_OK && !r->words.bad ? read_weights(r) : status;
  if (status == ES_OK && !r->words.bad) {
    ops_read(r);
    mark_selections(p);
  }
  if (status == ES_OK && p->profile) {
    p->nanos = read_array(r, (int64_t)p->op_count + 1, sizeof *p->nanos);
  }
  return status == ES_OK && (r->words.bad || r->words.next != r->words.end) ? ES_FAILED : status;
}

int program_read(struct es_program *p, const int32_t *words, int64_t count, char *error) {
  error[0] = 0;
  struct reader r = {.words = {words, words + count, false}, .program = p, .error = error};
  int status = read_all(&r);
  if (r.no_memory) {
    return fail(error, ES_NO_MEMORY, "no memory to load the program");
  }
  if (status != ES_OK && !error[0]) {
    fail(error, status, "the program ends, or goes on, where this library expects something else");
  }
  return status;
}

void program_free(struct es_program *p) {
  for (int i = 0; i < p->op_count; i++) {
    op_free(&p->ops[i]);
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
