/* A recording, done again by another engine. */
#ifndef CHECK_REPLAY_H
#define CHECK_REPLAY_H

#include "compare.h"
#include "engine.h"

struct replay {
  struct engine engine;
  int32_t precision; /* -1: as recorded */
  int32_t threads;   /* -1: as recorded */
  int64_t passes;    /* how often the calls are done, on the program that is loaded once */
  bool times;        /* prints how long steps took, and what the engine chose on the way */
  bool cancels;      /* each step is also cancelled on its way, and then run again */
};

/** Of the recording in the working directory: all calls. */
void replay(const struct replay *r, struct comparison *c);

#endif
