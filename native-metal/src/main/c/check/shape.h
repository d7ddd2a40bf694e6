/* What of a program's words says how long its answers are, see espalier.h. */
#ifndef CHECK_SHAPE_H
#define CHECK_SHAPE_H

#include "flat.h"

struct shape {
  int64_t hidden;     /* columns of activations */
  int64_t vocabulary; /* columns of logits */
  int64_t routes;     /* layers that choose experts */
};

/** @param words of a program that an engine has loaded */
struct shape shape_of(struct flat words);

#endif
