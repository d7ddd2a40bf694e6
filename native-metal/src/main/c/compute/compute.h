/*
 * The ops over rows of floats, compiled once for each set of instructions. compute.c includes every other file of this folder, so that all but
 * the table below is static; ES_TARGET names the set.
 */
#ifndef ES_COMPUTE_H
#define ES_COMPUTE_H

#include "../cpu/step.h"

struct compute {
  const char *name; /* for people, such as "AVX-512 VNNI" */
  /** [op kind]; of an exchange null: the step does those itself. */
  void (*ops[ES_OPS])(struct step *step, const struct op *op);
  /** Plainly reads bytes, a multiple of 256. */
  uint64_t (*read)(const uint8_t *from, int64_t bytes);
};

/** The best that this processor can run. */
const struct compute *compute_choose(void);

#endif
