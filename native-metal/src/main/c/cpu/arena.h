/* Memory that is taken piece by piece and given back at once. */
#ifndef ES_ARENA_H
#define ES_ARENA_H

#include <stdint.h>

struct arena;

struct arena *arena_open(void);
void arena_close(struct arena *arena);
/** Aligned to 64 bytes, not cleared; null where there is none. */
void *arena_take(struct arena *arena, int64_t bytes);
/** Everything that was taken is free again; the memory stays with the arena, but for what a single large step needed. */
void arena_reset(struct arena *arena);

#endif
