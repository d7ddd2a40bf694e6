#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../program/program.h"

enum {
  SPARE = 64, /* rows that a windowed cache keeps beyond its window, as Cache.Rows in Java */
  RELEASE = 1 << 20 /* bytes that are worth a call of the system */
};

int32_t kv_value_bytes(const struct es_program *p) { return p->kv_type == ES_KV_F16 ? 2 : 4; }

static int64_t row_bytes(const struct es_program *p, const struct cache_shape *shape) { return (int64_t)shape->width * kv_value_bytes(p); }

static int32_t kept_rows(const struct cache_shape *shape, int32_t max_length) {
  int64_t kept = (int64_t)shape->window + SPARE;
  return shape->window == 0 || kept > max_length ? max_length : (int32_t)kept;
}

int64_t kv_bytes_per_row(const struct es_program *p) {
  int64_t bytes = 0;
  for (int i = 0; i < p->cache_count; i++) {
    bytes += p->caches[i].kind == ES_ROWS ? row_bytes(p, &p->caches[i]) : 0;
  }
  return bytes;
}

int64_t kv_state_bytes(const struct es_program *p) {
  int64_t bytes = 0;
  for (int i = 0; i < p->cache_count; i++) {
    bytes += p->caches[i].kind == ES_STATE ? (int64_t)p->caches[i].width * (int64_t)sizeof(float) : 0;
  }
  return bytes;
}

static int64_t session_bytes(const struct es_program *p, int32_t max_length) {
  int64_t bytes = kv_state_bytes(p);
  for (int i = 0; i < p->cache_count; i++) {
    bytes += p->caches[i].kind == ES_ROWS ? row_bytes(p, &p->caches[i]) * kept_rows(&p->caches[i], max_length) : 0;
  }
  return bytes;
}

static int64_t reserved_bytes(const struct es_program *p) {
  int64_t bytes = 0;
  for (int i = 0; i < p->session_count; i++) {
    bytes += session_bytes(p, p->sessions[i]->max_length);
    for (struct snapshot *s = p->sessions[i]->snapshots; s; s = s->next) {
      bytes += kv_state_bytes(p);
    }
  }
  return bytes;
}

/** The limit that was set, or the machine's memory without the weights. */
static int64_t limit(const struct es_program *p) {
  if (p->kv_bytes > 0) {
    return p->kv_bytes;
  }
  return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) - p->loaded_bytes;
}

int64_t kv_rows_free(const struct es_program *p) {
  int64_t free_bytes = limit(p) - reserved_bytes(p) - kv_state_bytes(p);
  int64_t row = kv_bytes_per_row(p);
  return free_bytes <= 0 ? 0 : free_bytes / (row > 0 ? row : 1);
}

static int require(const struct es_program *p, int64_t bytes, char *error, const char *what) {
  int64_t left = p->kv_bytes - reserved_bytes(p);
  if (p->kv_bytes > 0 && bytes > left) {
    return fail(error, ES_FAILED,
        "%s needs %lld bytes of KV cache, %lld of %lld are free: close other sessions, open a shorter one, or raise the limit", what, (long long)bytes,
        (long long)left, (long long)p->kv_bytes);
  }
  return ES_OK;
}

static int require_session(const struct es_program *p, int64_t id, int32_t max_length, char *error) {
  char what[64];
  snprintf(what, sizeof what, "session %lld of %d rows", (long long)id, max_length);
  return require(p, session_bytes(p, max_length), error, what);
}

static int require_snapshot(const struct es_program *p, int64_t id, char *error) {
  char what[64];
  snprintf(what, sizeof what, "a snapshot of session %lld", (long long)id);
  return require(p, kv_state_bytes(p), error, what);
}

const struct layer_edit *session_edit(const struct session *s, int32_t layer) {
  for (int i = 0; i < s->edit_count; i++) {
    if (s->edits[i].layer == layer) {
      return &s->edits[i];
    }
  }
  return NULL;
}

struct session *session_find(const struct es_program *p, int64_t id) {
  for (int i = 0; i < p->session_count; i++) {
    if (p->sessions[i]->id == id) {
      return p->sessions[i];
    }
  }
  return NULL;
}

static void free_snapshot(const struct session *s, struct snapshot *snapshot) {
  for (int i = 0; snapshot->states && i < s->cache_count; i++) {
    free(snapshot->states[i]);
  }
  free(snapshot->states);
  free(snapshot);
}

static void free_session(const struct es_program *p, struct session *s) {
  for (int i = 0; s->caches && i < s->cache_count; i++) {
    if (s->caches[i].rows) {
      munmap(s->caches[i].rows, (size_t)(row_bytes(p, &p->caches[i]) * s->max_length));
    }
    free(s->caches[i].before);
    free(s->caches[i].after);
  }
  while (s->snapshots) {
    struct snapshot *next = s->snapshots->next;
    free_snapshot(s, s->snapshots);
    s->snapshots = next;
  }
  for (int i = 0; i < s->edit_count; i++) {
    free(s->edits[i].ban);
    free(s->edits[i].force);
  }
  free(s->edits);
  free(s->caches);
  free(s);
}

void sessions_free(struct es_program *p) {
  for (int i = 0; i < p->session_count; i++) {
    free_session(p, p->sessions[i]);
  }
  free(p->sessions);
  p->sessions = NULL;
  p->session_count = 0;
}

static bool allocate_cache(const struct es_program *p, const struct cache_shape *shape, struct session *s, struct cache *cache) {
  if (shape->kind == ES_STATE) {
    cache->before = calloc((size_t)shape->width, sizeof(float));
    cache->after = calloc((size_t)shape->width, sizeof(float));
    return cache->before && cache->after;
  }
  void *rows = mmap(NULL, (size_t)(row_bytes(p, shape) * s->max_length), PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  cache->rows = rows == MAP_FAILED ? NULL : rows;
  return cache->rows != NULL;
}

/** An empty session that is in no list yet; null where there is no memory. */
static struct session *new_session(const struct es_program *p, int64_t id, int32_t max_length) {
  struct session *s = calloc(1, sizeof *s);
  if (!s) {
    return NULL;
  }
  s->id = id;
  s->max_length = max_length;
  s->cache_count = p->cache_count;
  s->caches = calloc((size_t)p->cache_count + 1, sizeof *s->caches);
  for (int i = 0; i < p->cache_count; i++) {
    if (!s->caches || !allocate_cache(p, &p->caches[i], s, &s->caches[i])) {
      free_session(p, s);
      return NULL;
    }
  }
  return s;
}

static int no_memory(char *error, int64_t id, int32_t max_length) {
  return fail(error, ES_NO_MEMORY, "no memory for session %lld of %d rows: close other sessions, or open a shorter one", (long long)id,
      max_length);
}

static bool add_session(struct es_program *p, struct session *s) {
  struct session **more = realloc(p->sessions, ((size_t)p->session_count + 1) * sizeof *more);
  if (!more) {
    return false;
  }
  p->sessions = more;
  p->sessions[p->session_count++] = s;
  return true;
}

static int32_t *copy_ints(const int32_t *from, int32_t count) {
  int32_t *copy = malloc(((size_t)count + 1) * sizeof *copy);
  if (copy) {
    memcpy(copy, from, (size_t)count * sizeof *copy);
  }
  return copy;
}

static int32_t *read_ints(struct words *w, int32_t *count) {
  *count = word_length(w, 1);
  struct words items = word_part(w, *count);
  return copy_ints(items.next, *count);
}

static bool read_edits(struct session *s, struct words *w) {
  int32_t count = word_length(w, 5);
  s->edits = calloc((size_t)count + 1, sizeof *s->edits);
  for (int i = 0; s->edits && i < count && !w->bad; i++) {
    struct layer_edit *e = &s->edits[i];
    s->edit_count = i + 1;
    e->layer = word(w);
    e->ban = read_ints(w, &e->ban_count);
    e->force = read_ints(w, &e->force_count);
    e->top_k = word(w);
    e->scale = word_float(w);
    if (!e->ban || !e->force) {
      return false;
    }
  }
  return s->edits && !w->bad && w->next == w->end;
}

int session_open(struct es_program *p, int64_t id, int32_t max_length, struct words *edits, char *error) {
  if (max_length < 1 || session_find(p, id)) {
    return fail(error, ES_FAILED, "session %lld cannot be opened for %d rows", (long long)id, max_length);
  }
  int status = require_session(p, id, max_length, error);
  if (status != ES_OK) {
    return status;
  }
  struct session *s = new_session(p, id, max_length);
  if (!s) {
    return no_memory(error, id, max_length);
  }
  bool read = read_edits(s, edits);
  if (!read || !add_session(p, s)) {
    free_session(p, s);
    bool whole = !edits->bad && edits->next == edits->end;
    return whole ? no_memory(error, id, max_length) : fail(error, ES_FAILED, "the router edits of session %lld end too early or too late", (long long)id);
  }
  return ES_OK;
}

static int64_t page_start(int64_t byte) { return byte / sysconf(_SC_PAGESIZE) * sysconf(_SC_PAGESIZE); }

static struct snapshot *find_snapshot(const struct session *s, int32_t length) {
  for (struct snapshot *i = s->snapshots; i; i = i->next) {
    if (i->length == length) {
      return i;
    }
  }
  return NULL;
}

/** The state of a cache at a length: the present one, a snapshot's, or null for zeros. */
static const float *state_at(const struct session *s, int cache, int32_t length) {
  if (length == s->length) {
    return s->caches[cache].before;
  }
  struct snapshot *kept = find_snapshot(s, length);
  return kept ? kept->states[cache] : NULL;
}

static void set_state(float *state, const float *from, int32_t width) {
  if (!from) {
    memset(state, 0, (size_t)width * sizeof *state);
  } else if (state != from) {
    memcpy(state, from, (size_t)width * sizeof *state);
  }
}

static bool copy_edits(struct session *to, const struct session *from) {
  to->edits = calloc((size_t)from->edit_count + 1, sizeof *to->edits);
  for (int i = 0; to->edits && i < from->edit_count; i++) {
    const struct layer_edit *e = &from->edits[i];
    struct layer_edit *copy = &to->edits[i];
    *copy = *e;
    copy->ban = copy_ints(e->ban, e->ban_count);
    copy->force = copy_ints(e->force, e->force_count);
    to->edit_count = i + 1;
    if (!copy->ban || !copy->force) {
      return false;
    }
  }
  return to->edits;
}

int session_copy(struct es_program *p, int64_t from, int64_t to, int32_t length, char *error) {
  const struct session *source = session_find(p, from);
  if (!source || session_find(p, to) || length < 0 || length > source->length) {
    return fail(error, ES_FAILED, "session %lld cannot be copied to %lld", (long long)from, (long long)to);
  }
  int status = require_session(p, to, source->max_length, error);
  if (status != ES_OK) {
    return status;
  }
  struct session *copy = new_session(p, to, source->max_length);
  if (!copy || !copy_edits(copy, source) || !add_session(p, copy)) {
    if (copy) {
      free_session(p, copy);
    }
    return no_memory(error, to, source->max_length);
  }
  for (int i = 0; i < p->cache_count; i++) {
    const struct cache_shape *shape = &p->caches[i];
    if (shape->kind == ES_STATE) {
      set_state(copy->caches[i].before, state_at(source, i, length), shape->width);
      continue;
    }
    int64_t row = row_bytes(p, shape);
    int32_t first = source->length - kept_rows(shape, source->max_length);
    int64_t start = row * (first > 0 ? first : 0);
    if (row * length > start) {
      memcpy((char *)copy->caches[i].rows + start, (const char *)source->caches[i].rows + start, (size_t)(row * length - start));
    }
  }
  copy->length = length;
  copy->greedy = source->greedy;
  return ES_OK;
}

int session_snapshot(struct es_program *p, int64_t id, char *error) {
  struct session *s = session_find(p, id);
  if (!s) {
    return fail(error, ES_FAILED, "session %lld is not open", (long long)id);
  }
  int status = require_snapshot(p, id, error);
  if (status != ES_OK) {
    return status;
  }
  struct snapshot *kept = calloc(1, sizeof *kept);
  if (kept) {
    kept->length = s->length;
    kept->states = calloc((size_t)p->cache_count + 1, sizeof *kept->states);
  }
  bool complete = kept && kept->states;
  for (int i = 0; complete && i < p->cache_count; i++) {
    if (p->caches[i].kind == ES_STATE) {
      kept->states[i] = malloc((size_t)p->caches[i].width * sizeof(float));
      complete = kept->states[i] != NULL;
      if (complete) {
        set_state(kept->states[i], s->caches[i].before, p->caches[i].width);
      }
    }
  }
  if (!complete) {
    if (kept) {
      free_snapshot(s, kept);
    }
    return fail(error, ES_NO_MEMORY, "no memory for a snapshot of session %lld", (long long)id);
  }
  kept->next = s->snapshots;
  s->snapshots = kept;
  return ES_OK;
}

/** Drops the snapshots from length `from` to `to`. */
static void drop_snapshots(struct session *s, int32_t from, int32_t to) {
  for (struct snapshot **at = &s->snapshots; *at;) {
    struct snapshot *one = *at;
    if (one->length >= from && one->length <= to) {
      *at = one->next;
      free_snapshot(s, one);
    } else {
      at = &one->next;
    }
  }
}

void session_drop_snapshot(struct es_program *p, int64_t id, int32_t length) {
  struct session *s = session_find(p, id);
  if (s) {
    drop_snapshots(s, length, length);
  }
}

void session_drop_rows(struct es_program *p, int64_t id, int32_t length) {
  struct session *s = session_find(p, id);
  if (!s || length < 0 || length > s->length) {
    return;
  }
  for (int i = 0; i < p->cache_count; i++) {
    if (p->caches[i].kind == ES_STATE) {
      set_state(s->caches[i].before, state_at(s, i, length), p->caches[i].width);
    } else {
      int64_t end = page_start(row_bytes(p, &p->caches[i]) * length); /* what comes after is written again */
      s->caches[i].released = s->caches[i].released < end ? s->caches[i].released : end;
    }
  }
  s->length = length;
  drop_snapshots(s, length + 1, INT32_MAX);
}

void session_close(struct es_program *p, int64_t id) {
  for (int i = 0; i < p->session_count; i++) {
    if (p->sessions[i]->id == id) {
      free_session(p, p->sessions[i]);
      p->sessions[i] = p->sessions[--p->session_count];
      return;
    }
  }
}

void session_begin(const struct es_program *p, struct session *s) {
  for (int i = 0; i < p->cache_count; i++) {
    if (p->caches[i].kind == ES_STATE) {
      set_state(s->caches[i].after, s->caches[i].before, p->caches[i].width);
    }
  }
}

/** Gives back whole pages of rows that no row will see again. */
static void release(const struct es_program *p, const struct cache_shape *shape, struct session *s, struct cache *cache) {
  int32_t first = s->length - kept_rows(shape, s->max_length);
  int64_t end = first <= 0 ? 0 : page_start(row_bytes(p, shape) * first);
  if (end - cache->released >= RELEASE) {
    void *at = (char *)cache->rows + cache->released;
    void *fresh = mmap(at, (size_t)(end - cache->released), PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (fresh != MAP_FAILED) {
      cache->released = end;
    }
  }
}

void session_commit(const struct es_program *p, struct session *s, int32_t length) {
  s->length = length;
  for (int i = 0; i < p->cache_count; i++) {
    struct cache *cache = &s->caches[i];
    if (p->caches[i].kind == ES_STATE) {
      float *old = cache->before;
      cache->before = cache->after;
      cache->after = old;
    } else if (p->caches[i].window > 0) {
      release(p, &p->caches[i], s, cache);
    }
  }
}
