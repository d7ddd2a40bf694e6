/* A thread that cancels a step some time after it began. */
#ifndef CHECK_CANCELLER_H
#define CHECK_CANCELLER_H

#include <pthread.h>
#include <stdint.h>

struct canceller {
  int32_t cancel; /* what es_run reads */
  int64_t nanos;
  pthread_t thread;
};

void canceller_start(struct canceller *c, int64_t nanos);
void canceller_end(struct canceller *c);

#endif
