/*
 * Attention over the rows of a cache, tile by tile with the greatest score and the sum so far (FlashAttention,
 * https://arxiv.org/abs/2205.14135). Queries that share a KV head are computed together, so that keys and values are read once for them:
 * the heads of a group in each of a few rows. Where there are few such blocks, each is split into ranges of keys, whose results are
 * joined at the end. What is split how depends on shapes alone.
 */
#ifndef ES_FLASH_H
#define ES_FLASH_H

#include <float.h>

#include "cached.h"
#include "functions.h"
#include "matmul.h"
#include "shuffle.h"

#define KEYS 64          /* cached rows of a tile: a whole number of vectors */
#define QUERIES 64       /* of a block at most */
#define RANGE 256        /* cached rows of a task where there are few blocks */
#define FEW_BLOCKS 32
#define NARROW (LANES / 2) /* fewer queries are not worth a vector of them: their scores are sums over lanes */

/** What attention of both kinds says to its tasks. */
struct flash {
  struct step *s;
  int32_t cache, groups;
  const int32_t *group_start;      /* [groups + 1], into heads */
  const int32_t *heads;            /* by group */
  int32_t key_width, value_width;
  int32_t value_at;                /* column of the first group's values */
  const float *q[2];               /* the first and the other columns of a query, at q + t * q_row + head * q_head */
  int64_t q_row[2], q_head[2];
  int32_t q_width[2];              /* key_width together */
  float scale;
  const float *sinks;              /* [heads], or null */
  const struct chosen_rows *chosen;/* [T], or null: a row sees those up to itself, as far as the cache's window */
  float *out;
  int64_t out_row, out_head;

  struct block *blocks;
  int64_t block_count;
  float *parts;                    /* of blocks that are ranges of keys: results without their division */
  char *scratch;                   /* [threads] */
  int64_t scratch_bytes;
};

/** Rows [row, row + rows) and heads [head, head + heads) of a group, with keys [from, to): of the session, or of those chosen. */
struct block {
  int32_t row, rows, group, head, heads;
  int32_t from, to;
  int32_t parts;  /* how many blocks the same queries have; this one is the first of them, or 0 */
  int64_t part;   /* where its result goes in `parts`; -1: it is the only one */
};

/** A thread's memory. M is the number of queries, padded to whole vectors. */
struct flash_tile {
  float *q;         /* [M, key width] */
  float *q_columns; /* [key width, M] */
  float *copies;    /* [KEYS, columns] */
  float *scores;    /* [KEYS, M], or of few queries [M, KEYS] */
  float *sums;      /* [M, value width] */
  float *greatest, *kept; /* [M] */
  double *total;    /* [M] */
  int32_t *first, *last; /* [M], of the keys that a query sees */
};

static int64_t flash_tile_bytes(const struct flash *f) {
  int64_t floats = QUERIES * (2 * (int64_t)f->key_width + f->value_width + KEYS + 6) + KEYS * (int64_t)(f->key_width + f->value_width);
  return padded(floats * (int64_t)sizeof(float)) + 10 * 64;
}

static void *taken(char **memory, int64_t bytes) {
  void *start = *memory;
  *memory += padded(bytes);
  return start;
}

static struct flash_tile flash_tile_of(const struct flash *f, int thread) {
  char *memory = f->scratch + thread * f->scratch_bytes;
  const int64_t size = sizeof(float);
  return (struct flash_tile){
      .q = taken(&memory, QUERIES * size * f->key_width),
      .q_columns = taken(&memory, QUERIES * size * f->key_width),
      .copies = taken(&memory, KEYS * size * (f->key_width + f->value_width)),
      .scores = taken(&memory, KEYS * size * QUERIES),
      .sums = taken(&memory, QUERIES * size * f->value_width),
      .greatest = taken(&memory, QUERIES * size),
      .kept = taken(&memory, QUERIES * size),
      .total = taken(&memory, QUERIES * (int64_t)sizeof(double)),
      .first = taken(&memory, QUERIES * size),
      .last = taken(&memory, QUERIES * size),
  };
}

/** The queries of a block, times the scale, and the keys that each sees. */
static void flash_queries(const struct flash *f, const struct block *b, struct flash_tile *tile, int32_t padded_queries) {
  const int32_t *heads = f->heads + f->group_start[b->group] + b->head;
  int32_t m = 0;
  for (int32_t t = b->row; t < b->row + b->rows; t++) {
    int32_t position = f->s->position[t];
    for (int32_t h = 0; h < b->heads; h++, m++) {
      float *q = tile->q + (int64_t)m * f->key_width;
      for (int half = 0; half < 2; half++) {
        const float *from = f->q[half] + t * f->q_row[half] + heads[h] * f->q_head[half];
        for (int32_t i = 0; i < f->q_width[half]; i++) {
          *q++ = f->scale * from[i];
        }
      }
      tile->first[m] = f->chosen ? 0 : first_seen(f->s, f->cache, position);
      tile->last[m] = f->chosen ? f->chosen[t].count - 1 : position;
      tile->greatest[m] = -FLT_MAX;
      tile->total[m] = 0;
    }
  }
  memset(tile->sums, 0, (size_t)m * (size_t)f->value_width * sizeof(float));
  for (; m < padded_queries; m++) { /* they see the same as the last, of zeros */
    memset(tile->q + (int64_t)m * f->key_width, 0, (size_t)f->key_width * sizeof(float));
    tile->first[m] = tile->first[m - 1];
    tile->last[m] = tile->last[m - 1];
    tile->greatest[m] = -FLT_MAX;
    tile->total[m] = 0;
  }
}

/** Queries as columns, LANES of both at a time. */
static void flash_columns(const struct flash *f, struct flash_tile *tile, int32_t queries) {
  for (int32_t m = 0; m < queries; m += LANES) {
    const float *q = tile->q + (int64_t)m * f->key_width;
    for (int32_t i = 0; i < f->key_width; i += LANES) {
      int32_t left = f->key_width - i;
      vfloat lanes[LANES];
      for (int j = 0; j < LANES; j++) {
        lanes[j] = vload_some(q + (int64_t)j * f->key_width + i, left);
      }
      transpose(lanes);
      for (int j = 0; j < LANES && j < left; j++) {
        vstore(tile->q_columns + (int64_t)(i + j) * queries + m, lanes[j]);
      }
    }
  }
}

/** sums[m][j] = lanes of q[m] . keys[j], of four keys. */
static inline __attribute__((always_inline)) void narrow_dots(
    const float *q, int32_t width, const float *const *keys, const int queries, vfloat (*sums)[LANES]) {
  vfloat dots[4][4];
  for (int m = 0; m < queries; m++) {
    for (int j = 0; j < 4; j++) {
      dots[m][j] = vset(0);
    }
  }
  int32_t i = 0;
  for (; i + LANES <= width; i += LANES) {
    vfloat key[4];
    for (int j = 0; j < 4; j++) {
      key[j] = vload(keys[j] + i);
    }
    for (int m = 0; m < queries; m++) {
      vfloat x = vload(q + (int64_t)m * width + i);
      for (int j = 0; j < 4; j++) {
        dots[m][j] = vfma(x, key[j], dots[m][j]);
      }
    }
  }
  for (int m = 0; i < width && m < queries; m++) {
    for (int j = 0; j < 4; j++) {
      dots[m][j] = vfma(vload_some(q + (int64_t)m * width + i, width - i), vload_some(keys[j] + i, width - i), dots[m][j]);
    }
  }
  for (int m = 0; m < queries; m++) {
    for (int j = 0; j < 4; j++) {
      sums[m][j] = dots[m][j];
    }
  }
}

/** Keys [from, to) of a block that do not follow each other in memory: what is read next is asked for while others are multiplied. */
static void prefetch_keys(const struct flash *f, const struct block *b, int32_t from, int32_t to, int32_t column, int32_t width) {
  const struct cached c = cached_of(f->s, f->s->session[b->row], f->cache);
  const int32_t *chosen = f->chosen ? f->chosen[b->row].rows : NULL;
  for (int32_t i = from; i < to && i < b->to; i++) {
    cached_prefetch(&c, chosen ? chosen[i] : i, column, width);
  }
}

/** scores[m][j] = q[m] . key[j], LANES keys and up to four queries at a time. */
static void narrow_scores(
    const struct flash *f, const struct block *b, struct flash_tile *tile, int32_t from, const float *keys, int64_t stride, int32_t count) {
  const int32_t queries = b->rows * b->heads;
  for (int32_t first = 0; first < count; first += LANES) {
    prefetch_keys(f, b, from + first, from + first + LANES, f->value_at + b->group * f->value_width, f->value_width);
    prefetch_keys(f, b, from + KEYS + first, from + KEYS + first + LANES, b->group * f->key_width, f->key_width);
    for (int32_t m = 0; m < queries; m += 4) {
      const float *q = tile->q + (int64_t)m * f->key_width;
      int32_t some = queries - m < 4 ? queries - m : 4;
      vfloat sums[4][LANES];
      for (int lane = 0; lane < LANES; lane += 4) {
        const float *four[4];
        for (int j = 0; j < 4; j++) { /* after the last key any other: it is hidden */
          int32_t key = first + lane + j;
          four[j] = keys + (key < count ? key : count - 1) * stride;
        }
        vfloat(*at)[LANES] = (vfloat(*)[LANES])(&sums[0][lane]);
        if (some == 1) {
          narrow_dots(q, f->key_width, four, 1, at);
        } else if (some == 2) {
          narrow_dots(q, f->key_width, four, 2, at);
        } else if (some == 3) {
          narrow_dots(q, f->key_width, four, 3, at);
        } else {
          narrow_dots(q, f->key_width, four, 4, at);
        }
      }
      for (int32_t i = 0; i < some; i++) {
        vstore(tile->scores + (m + i) * KEYS + first, vsums(sums[i]));
      }
    }
  }
}

/** Scores of keys that a query does not see become minus infinity; so do those after the last of a tile that is not full. */
static void narrow_hide(struct flash_tile *tile, int32_t from, int32_t count, int32_t queries) {
  for (int32_t m = 0; m < queries; m++) {
    for (int32_t j = 0; j < KEYS; j++) {
      if (j >= count || from + j < tile->first[m] || from + j > tile->last[m]) {
        tile->scores[m * KEYS + j] = -INFINITY;
      }
    }
  }
}

static float greatest_lane(vfloat v) {
  float lanes[LANES], greatest = -INFINITY;
  vstore(lanes, v);
  for (int i = 0; i < LANES; i++) {
    greatest = lanes[i] > greatest ? lanes[i] : greatest;
  }
  return greatest;
}

/** Scores become exponentials of their distance from the greatest so far; `kept` is what sums of earlier tiles are multiplied with. */
static void narrow_softmax(struct flash_tile *tile, int32_t queries) {
  for (int32_t m = 0; m < queries; m++) {
    float *scores = tile->scores + m * KEYS;
    vfloat greatest = vset(tile->greatest[m]), sum = vset(0);
    for (int j = 0; j < KEYS; j += LANES) {
      greatest = vmax(vload(scores + j), greatest);
    }
    float now = greatest_lane(greatest);
    for (int j = 0; j < KEYS; j += LANES) {
      vfloat power = vexp(vload(scores + j) - now);
      vstore(scores + j, power);
      sum += power;
    }
    tile->kept[m] = expf(tile->greatest[m] - now);
    tile->greatest[m] = now;
    tile->total[m] = tile->total[m] * tile->kept[m] + vsum(sum);
  }
}

static void wide_hide(struct flash_tile *tile, int32_t from, int32_t count, int32_t queries) {
  for (int32_t m = 0; m < queries; m += LANES) {
    vint first, last;
    memcpy(&first, tile->first + m, sizeof first);
    memcpy(&last, tile->last + m, sizeof last);
    for (int32_t j = 0; j < count; j++) {
      vint key = from + j - (vint){0};
      float *at = tile->scores + (int64_t)j * queries + m;
      vstore(at, vselect((key < first) | (key > last), vset(-INFINITY), vload(at)));
    }
  }
}

static void wide_softmax(struct flash_tile *tile, int32_t count, int32_t queries) {
  for (int32_t m = 0; m < queries; m += LANES) {
    float *scores = tile->scores + m, sums[LANES];
    vfloat before = vload(tile->greatest + m), now = before, sum = vset(0);
    for (int32_t j = 0; j < count; j++) {
      now = vmax(vload(scores + (int64_t)j * queries), now);
    }
    for (int32_t j = 0; j < count; j++) {
      vfloat power = vexp(vload(scores + (int64_t)j * queries) - now);
      vstore(scores + (int64_t)j * queries, power);
      sum += power;
    }
    vstore(tile->greatest + m, now);
    vstore(tile->kept + m, vexp(before - now));
    vstore(sums, sum);
    for (int i = 0; i < LANES; i++) {
      tile->total[m + i] = tile->total[m + i] * tile->kept[m + i] + sums[i];
    }
  }
}

/** Keys [from, from + count) of the block. */
static void flash_keys(const struct flash *f, const struct block *b, struct flash_tile *tile, int32_t from, int32_t count, bool hide) {
  const struct cached c = cached_of(f->s, f->s->session[b->row], f->cache);
  const int32_t *chosen = f->chosen && f->chosen[b->row].rows ? f->chosen[b->row].rows + from : NULL;
  int32_t queries = b->rows * b->heads, value_at = f->value_at + b->group * f->value_width;
  bool narrow = queries < NARROW, shared = f->value_at == 0; /* values are the first columns of keys */
  int32_t all = narrow ? queries : (queries + LANES - 1) / LANES * LANES;
  int64_t stride;
  const float *keys = cached_rows(&c, chosen, from, count, b->group * f->key_width, f->key_width, tile->copies, &stride);
  if (narrow) {
    narrow_scores(f, b, tile, from, keys, stride, count);
    if (hide || count < KEYS) {
      narrow_hide(tile, from, count, queries);
    }
    narrow_softmax(tile, queries);
  } else {
    matmul(&(struct matmul){.m = count, .n = all, .k = f->key_width, .a = keys, .a_row = stride, .a_column = 1, .b = tile->q_columns,
        .b_row = all, .c = tile->scores, .c_row = all});
    if (hide) {
      wide_hide(tile, from, count, all);
    }
    wide_softmax(tile, count, all);
  }
  const float *values = keys;
  if (!shared) {
    values = cached_rows(&c, chosen, from, count, value_at, f->value_width, tile->copies, &stride);
  }
  matmul(&(struct matmul){.m = queries, .n = f->value_width, .k = count, .a = tile->scores, .a_row = narrow ? KEYS : 1,
      .a_column = narrow ? 1 : all, .b = values, .b_row = stride, .c = tile->sums, .c_row = f->value_width, .add = true, .keep = tile->kept, .keep_row = 1});
}

/** out = sums / total, after the head's sink has taken its share. */
static void flash_out(const struct flash *f, int32_t t, int32_t head, const float *sums, float greatest, double total) {
  float *out = f->out + t * f->out_row + head * f->out_head;
  float factor = 1;
  if (f->sinks) {
    float most = f->sinks[head] > greatest ? f->sinks[head] : greatest;
    factor = expf(greatest - most);
    total = total * factor + exp(f->sinks[head] - most);
  }
  float divisor = (float)total;
  for (int32_t i = 0; i < f->value_width; i++) {
    out[i] = sums[i] * factor / divisor;
  }
}

/** A range's result for one query: sums, greatest, total. */
static int64_t part_floats(const struct flash *f) { return f->value_width + 2; }

static void flash_task(void *context, int64_t task, int thread) {
  const struct flash *f = context;
  const struct block *b = f->blocks + f->block_count - 1 - task; /* the last rows see most: first */
  struct flash_tile tile = flash_tile_of(f, thread);
  int32_t queries = b->rows * b->heads, all = queries < NARROW ? queries : (queries + LANES - 1) / LANES * LANES;
  prefetch_keys(f, b, b->from, b->from + KEYS, b->group * f->key_width, f->key_width);
  flash_queries(f, b, &tile, all);
  if (queries >= NARROW) {
    flash_columns(f, &tile, all);
  }
  int32_t last = tile.last[0], first = tile.first[queries - 1]; /* what all see is between them */
  for (int32_t from = b->from; from < b->to; from += KEYS) {
    if (is_cancelled(f->s)) {
      return;
    }
    int32_t count = b->to - from < KEYS ? b->to - from : KEYS;
    flash_keys(f, b, &tile, from, count, from < first || from + count - 1 > last);
  }
  const int32_t *heads = f->heads + f->group_start[b->group] + b->head;
  for (int32_t m = 0; m < queries; m++) {
    const float *sums = tile.sums + (int64_t)m * f->value_width;
    if (b->part < 0) {
      flash_out(f, b->row + m / b->heads, heads[m % b->heads], sums, tile.greatest[m], tile.total[m]);
    } else {
      float *part = f->parts + (b->part + m) * part_floats(f);
      memcpy(part, sums, (size_t)f->value_width * sizeof *part);
      part[f->value_width] = tile.greatest[m];
      part[f->value_width + 1] = (float)tile.total[m];
    }
  }
}

/** Joins the ranges of a block's queries in the first one's place. */
static void flash_join_task(void *context, int64_t task, int thread) {
  const struct flash *f = context;
  const struct block *b = f->blocks + task;
  (void)thread;
  if (b->part < 0 || b->parts == 0) {
    return;
  }
  const int32_t queries = b->rows * b->heads, *heads = f->heads + f->group_start[b->group] + b->head, width = f->value_width;
  for (int32_t m = 0; m < queries; m++) {
    float *first = f->parts + (b->part + m) * part_floats(f), greatest = -FLT_MAX;
    for (int32_t i = 0; i < b->parts; i++) {
      float one = first[i * queries * part_floats(f) + width];
      greatest = one > greatest ? one : greatest;
    }
    double total = 0;
    for (int32_t i = 0; i < b->parts; i++) {
      const float *part = first + i * queries * part_floats(f);
      float kept = expf(part[width] - greatest);
      total += (double)kept * part[width + 1];
      for (int32_t c = 0; c < width; c++) {
        first[c] = i == 0 ? kept * part[c] : first[c] + kept * part[c];
      }
    }
    flash_out(f, b->row + m / b->heads, heads[m % b->heads], first, greatest, total);
  }
}

/** Rows of a block: those of one session, as many as have few enough queries. */
static int32_t block_rows(const struct flash *f, int32_t heads) { return f->chosen || heads >= QUERIES ? 1 : QUERIES / heads; }

/** Appends the blocks of rows [row, row + rows) and heads [head, head + heads) of a group; without `blocks` only counts them. */
static int64_t add_blocks(const struct flash *f, struct block *blocks, struct block one, bool split, int64_t *part) {
  int32_t last = one.row + one.rows - 1, position = f->s->position[last];
  int32_t from = f->chosen ? 0 : first_seen(f->s, f->cache, f->s->position[one.row]), to = f->chosen ? f->chosen[last].count : position + 1;
  int32_t parts = split ? (to - from - 1) / RANGE + 1 : 1;
  for (int32_t i = 0; blocks && i < parts; i++) {
    one.from = from + i * RANGE;
    one.to = i == parts - 1 ? to : one.from + RANGE;
    one.parts = i == 0 ? parts : 0;
    one.part = parts == 1 ? -1 : *part;
    *part += parts == 1 ? 0 : one.rows * one.heads;
    blocks[i] = one;
  }
  return parts;
}

static int64_t list_blocks(const struct flash *f, struct block *blocks, bool split, int64_t *part) {
  int64_t count = 0;
  for (int32_t i = 0; i < f->s->span_count; i++) {
    const struct span *span = &f->s->spans[i];
    for (int32_t group = 0; group < f->groups; group++) {
      int32_t heads = f->group_start[group + 1] - f->group_start[group];
      for (int32_t head = 0; head < heads; head += QUERIES) {
        int32_t some = heads - head < QUERIES ? heads - head : QUERIES, step = block_rows(f, some);
        for (int32_t row = 0; row < span->count; row += step) {
          int32_t rows = span->count - row < step ? span->count - row : step;
          struct block one = {.row = span->first + row, .rows = rows, .group = group, .head = head, .heads = some};
          count += add_blocks(f, blocks ? blocks + count : NULL, one, split, part);
        }
      }
    }
  }
  return count;
}

/** All blocks; the fields up to `out_head` are set. */
static void flash_run(struct flash *f) {
  struct step *s = f->s;
  int64_t part = 0;
  bool split = list_blocks(f, NULL, false, &part) < FEW_BLOCKS;
  f->block_count = list_blocks(f, NULL, split, &part);
  f->blocks = op_memory(s, f->block_count * (int64_t)sizeof *f->blocks);
  list_blocks(f, f->blocks, split, &part);
  f->parts = op_memory(s, part * part_floats(f) * (int64_t)sizeof(float));
  f->scratch_bytes = flash_tile_bytes(f);
  f->scratch = op_memory(s, thread_count(s) * f->scratch_bytes);
  int64_t work = 0;
  for (int64_t i = 0; i < f->block_count; i++) {
    const struct block *b = f->blocks + i;
    work += (int64_t)b->rows * b->heads * (b->to - b->from) * (f->key_width + f->value_width);
  }
  run(s, work, f->block_count, flash_task, f);
  if (part > 0) {
    run(s, part * f->value_width, f->block_count, flash_join_task, f);
  }
}

#endif
