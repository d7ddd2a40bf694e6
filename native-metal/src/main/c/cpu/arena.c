#include "arena.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { BLOCK = 1 << 20, ALIGNMENT = 64, KEPT = 256 << 20 };

struct block {
  struct block *next;
  int64_t bytes, used; /* with this header */
};

struct arena {
  struct block *first, *current;
};

struct arena *arena_open(void) { return calloc(1, sizeof(struct arena)); }

static void free_blocks(struct block *block) {
  while (block) {
    struct block *next = block->next;
    munmap(block, (size_t)block->bytes);
    block = next;
  }
}

void arena_close(struct arena *arena) {
  if (arena) {
    free_blocks(arena->first);
    free(arena);
  }
}

static struct block *new_block(int64_t bytes) {
  int64_t all = (bytes + ALIGNMENT + BLOCK - 1) / BLOCK * BLOCK;
  struct block *block = mmap(NULL, (size_t)all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) {
    return NULL;
  }
#if defined(MADV_HUGEPAGE)
  madvise(block, (size_t)all, MADV_HUGEPAGE);
#endif
  block->bytes = all;
  return block;
}

void *arena_take(struct arena *arena, int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX / 2) {
    return NULL;
  }
  bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  struct block *block = arena->current;
  while (block && block->bytes - block->used < bytes) {
    block = block->next;
    if (block) {
      block->used = ALIGNMENT;
    }
  }
  if (!block) {
    block = new_block(bytes);
    if (!block) {
      return NULL;
    }
    block->used = ALIGNMENT;
    struct block **end = &arena->first;
    while (*end) {
      end = &(*end)->next;
    }
    *end = block;
  }
  arena->current = block;
  void *at = (char *)block + block->used;
  block->used += bytes;
  return at;
}

void arena_reset(struct arena *arena) {
  int64_t bytes = 0;
  struct block **at = &arena->first;
  while (*at && bytes + (*at)->bytes <= KEPT) {
    bytes += (*at)->bytes;
    at = &(*at)->next;
  }
  free_blocks(*at);
  *at = NULL;
  arena->current = arena->first;
  if (arena->first) {
    arena->first->used = ALIGNMENT;
  }
}
