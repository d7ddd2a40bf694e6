#include "canceller.h"

#include <sched.h>
#include <time.h>

#include "fatal.h"

int64_t nanos_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* It looks at the clock instead of sleeping: steps of tiny programs take microseconds. */
static void *cancel_later(void *context) {
  struct canceller *c = context;
  __atomic_store_n(&c->ready, 1, __ATOMIC_RELEASE);
  int64_t moment;
  do {
    moment = __atomic_load_n(&c->moment, __ATOMIC_ACQUIRE);
  } while (moment == 0 || nanos_now() < moment);
  __atomic_store_n(&c->cancel, 1, __ATOMIC_RELAXED);
  return NULL;
}

void canceller_start(struct canceller *c, int64_t nanos) {
  *c = (struct canceller){0};
  if (pthread_create(&c->thread, NULL, cancel_later, c) != 0) {
    fatal("no thread to cancel a step");
  }
  while (!__atomic_load_n(&c->ready, __ATOMIC_ACQUIRE)) {
    sched_yield();
  }
  __atomic_store_n(&c->moment, nanos_now() + nanos, __ATOMIC_RELEASE);
}

void canceller_end(struct canceller *c) { pthread_join(c->thread, NULL); }
