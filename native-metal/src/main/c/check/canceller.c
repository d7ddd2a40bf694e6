#include "canceller.h"

#include <time.h>

#include "fatal.h"

static void *cancel_later(void *context) {
  struct canceller *c = context;
  struct timespec wait = {c->nanos / 1000000000, c->nanos % 1000000000};
  nanosleep(&wait, NULL);
  __atomic_store_n(&c->cancel, 1, __ATOMIC_RELAXED);
  return NULL;
}

void canceller_start(struct canceller *c, int64_t nanos) {
  c->cancel = 0;
  c->nanos = nanos;
  if (pthread_create(&c->thread, NULL, cancel_later, c) != 0) {
    fatal("no thread to cancel a step");
  }
}

void canceller_end(struct canceller *c) { pthread_join(c->thread, NULL); }
