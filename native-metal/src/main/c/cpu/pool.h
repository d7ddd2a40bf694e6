/* Threads that run one function at a time together. They spin for a while between two, then sleep. */
#ifndef ES_POOL_H
#define ES_POOL_H

#include <stdint.h>

struct pool;

/** @param threads the caller's among them; 0 for one a physical core */
struct pool *pool_open(int threads);
void pool_close(struct pool *pool);
int pool_threads(const struct pool *pool);

/** One task; `thread` is from 0 to pool_threads exclusive. */
typedef void task_fn(void *context, int64_t task, int thread);

/** Runs tasks 0 to `tasks` exclusive, in any order, on all threads; returns when all have ended. */
void pool_run(struct pool *pool, int64_t tasks, task_fn *task, void *context);

/** Lets the threads sleep at once: nothing is coming soon. */
void pool_rest(struct pool *pool);

#endif
