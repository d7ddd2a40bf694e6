/* What sessions keep between steps. */
#ifndef ES_SESSION_H
#define ES_SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct es_program;

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
  void *rows;      /* [max length][width] in the program's KV type */
  float *before;   /* a state after the session's rows */
  float *after;    /* a state after the rows of the running step; a step writes here */
};

struct session {
  int64_t id;
  int32_t max_length, length;
  struct cache *caches;       /* as many as the program has */
  struct snapshot *snapshots; /* linked list */
  struct layer_edit *edits;
  int32_t edit_count;
  int32_t greedy; /* token with the greatest logit of its last row that had logits */
};

const struct layer_edit *session_edit(const struct session *s, int32_t layer); /* or null */

#endif
