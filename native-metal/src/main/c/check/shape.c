#include "shape.h"

#include "../espalier.h"

/** Words before the width of the rows, and of fixed length in lists. */
enum { OPTIONS = 11, VIEW = 3, CACHE = 3, WEIGHT = 11, PIECE = 21 };

static void skip(struct flat *words, int64_t count) {
  while (count-- > 0) {
    flat_word(words);
  }
}

struct shape shape_of(struct flat words) {
  struct shape shape = {0};
  skip(&words, OPTIONS);
  shape.hidden = flat_word(&words);
  skip(&words, flat_word(&words)); /* slots */
  skip(&words, 3 * VIEW - 1);
  shape.vocabulary = flat_word(&words);
  skip(&words, CACHE * (int64_t)flat_word(&words));
  for (int32_t files = flat_word(&words); files > 0; files--) {
    flat_bytes(&words);
  }
  for (int32_t weights = flat_word(&words); weights > 0; weights--) {
    flat_bytes(&words); /* its name */
    skip(&words, WEIGHT);
    skip(&words, PIECE * (int64_t)flat_word(&words));
  }
  for (int32_t ops = flat_word(&words); ops > 0; ops--) {
    shape.routes += flat_word(&words) == ES_ROUTE;
    flat_part(&words);
  }
  return shape;
}
