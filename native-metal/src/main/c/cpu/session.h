/* What sessions keep between steps. */
#ifndef ES_SESSION_H
#define ES_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct es_program;
struct words;

/** One layer's interventions in routing, see RouterEdits.java. */
struct layer_edit {
  int32_t layer;
  int32_t ban_count, force_count, top_k; /* top_k -1: the model's */
  int32_t *ban, *force;
  float scale;
};

/**
 * Rows of one cache, or a state. Rows lie at their position in address space that is reserved at once and gets memory when it is written;
 * what a window no longer sees is given back.
 */
struct cache {
  void *rows;       /* [max length][width] in the program's KV type */
  int64_t released; /* bytes from the first row on that were given back */
  float *before;    /* a state after the session's rows */
  float *after;     /* a state after the rows of the running step; a step writes here */
};

/** States as they were at a length. */
struct snapshot {
  int32_t length;
  float **states; /* [caches], null for rows */
  struct snapshot *next;
};

struct session {
  int64_t id;
  int32_t max_length, length;
  int32_t cache_count;
  struct cache *caches;
  struct snapshot *snapshots;
  struct layer_edit *edits;
  int32_t edit_count;
  int32_t greedy; /* token with the greatest logit of its last row that had logits */
};

const struct layer_edit *session_edit(const struct session *s, int32_t layer); /* or null */

/** Bytes of one value of a KV cache. */
int32_t kv_value_bytes(const struct es_program *p);
int64_t kv_bytes_per_row(const struct es_program *p);
int64_t kv_state_bytes(const struct es_program *p);
int64_t kv_rows_free(const struct es_program *p);

struct session *session_find(const struct es_program *p, int64_t id); /* or null */
int session_open(struct es_program *p, int64_t id, int32_t max_length, struct words *edits, char *error);
int session_copy(struct es_program *p, int64_t from, int64_t to, int32_t length, char *error);
int session_snapshot(struct es_program *p, int64_t id, char *error);
void session_drop_snapshot(struct es_program *p, int64_t id, int32_t length);
void session_drop_rows(struct es_program *p, int64_t id, int32_t length);
void session_close(struct es_program *p, int64_t id);
void sessions_free(struct es_program *p);

/** Copies the states for a step that begins. */
void session_begin(const struct es_program *p, struct session *s);
/** The rows of a step that has ended belong to the session now. */
void session_commit(const struct es_program *p, struct session *s, int32_t length);

#endif
