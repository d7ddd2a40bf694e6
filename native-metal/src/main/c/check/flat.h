/* Reads the flat files of a recording, see RECORDING.md. Whatever is cut off is fatal. */
#ifndef CHECK_FLAT_H
#define CHECK_FLAT_H

#include <stdbool.h>
#include <stdint.h>

struct flat {
  const char *name; /* for errors */
  int32_t *next, *end;
};

struct bytes {
  int64_t count;
  const void *first;
};

struct flat flat_file(const char *name);
int32_t flat_word(struct flat *f);
int64_t flat_long(struct flat *f);
struct bytes flat_bytes(struct flat *f);
/** Their number, then words. */
struct flat flat_part(struct flat *f);
static inline bool flat_ended(const struct flat *f) { return f->next == f->end; }

#endif
