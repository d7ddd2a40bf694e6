/* A thread that cancels a step some time after it began. */
#ifndef CHECK_CANCELLER_H
#define CHECK_CANCELLER_H

#include <pthread.h>
#include <stdint.h>

struct canceller {
  int32_t cancel; /* what es_run reads */
  int32_t ready;
  int64_t moment; /* of the clock */
  pthread_t thread;
};

/** Returns once its thread runs: `nanos` are counted from then on. */
void canceller_start(struct canceller *c, int64_t nanos);
void canceller_end(struct canceller *c);

/** Nanoseconds of a clock that only goes forward. */
int64_t nanos_now(void);

#endif
