/* Reads flat buffers of words (espalier.h). Reading beyond the end, or a length that cannot be, is remembered and yields zeros. */
#ifndef ES_WORDS_H
#define ES_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct words {
  const int32_t *next, *end;
  bool bad;
};

int32_t word(struct words *w);
int64_t word_long(struct words *w);
float word_float(struct words *w);
/** A length of a list whose items have at least `item` words each; 0 and bad where the buffer cannot hold them. */
int32_t word_length(struct words *w, int32_t item);
/** A value from 0 to `end` exclusive; 0 and bad otherwise. */
int32_t word_index(struct words *w, int32_t end);
/** Allocated; null where it is bad or there is no memory. */
char *word_string(struct words *w);
/** The next `count` words by themselves, which are skipped here. */
struct words word_part(struct words *w, int32_t count);

#endif
