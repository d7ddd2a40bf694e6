/* Reads the parts that ops of a flat program are made of (espalier.h), and remembers what went wrong. */
#ifndef ES_READER_H
#define ES_READER_H

#include <stddef.h>

#include "program.h"

struct reader {
  struct words words;
  struct es_program *program;
  char *error;
  bool no_memory;
  int32_t routed; /* experts that the last route chooses from; 0 before the first */
};

/** What the kernels trust. Where it does not hold the program is refused. */
static inline void require(struct reader *r, bool holds) { r->words.bad |= !holds; }

/** Zeros, one at least; null where there is no memory. */
void *read_array(struct reader *r, int64_t count, size_t size);
/** A list of them; `*count` is 0 where it is null. */
int32_t *read_ints(struct reader *r, int32_t *count);
/** A view inside its slot, or slot -1. */
struct view read_edge(struct reader *r);
/** A view that an op uses: there, and [T, width]. */
struct view read_view(struct reader *r);
/** A view that may be of the logits, which have fewer rows. */
struct view read_any_view(struct reader *r);
const struct weight *read_weight(struct reader *r);
/** `count` matrices [rows, columns]. */
void require_matrices(struct reader *r, const struct weight *w, int64_t rows, int64_t columns, int32_t count);
/** The `length` values of a vector; null where there is none. */
float *read_optional_vector(struct reader *r, int64_t length);
float *read_vector(struct reader *r, int64_t length);
struct projection read_projection(struct reader *r);
void require_projection(struct reader *r, const struct projection *p, int64_t rows, int64_t columns, int32_t count);
/** `count` of them, from rows of `in` to rows of `out` values: `out` is read after it. */
struct unit read_unit(struct reader *r);
void require_unit(struct reader *r, const struct unit *u, int64_t in, int64_t out, int32_t count);
/** A cache of rows, or a state. */
int32_t read_cache(struct reader *r, int32_t kind);
void require_cache(struct reader *r, int32_t cache, int64_t width);

void free_projection(struct projection *p);
void free_unit(struct unit *u);

#endif
