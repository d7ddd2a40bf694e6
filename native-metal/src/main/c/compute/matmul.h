/* Products of float matrices that lie in a processor's caches: what attention and the delta rule are made of. */
#ifndef ES_MATMUL_H
#define ES_MATMUL_H

#include <stdbool.h>

#include "vector.h"

/* sums that are kept in registers: 24 of 32, or 12 of 16 */
#define TILE_ROWS 6
#if defined(__AVX512F__) || defined(__ARM_NEON)
#define TILE_VECTORS 4
#else
#define TILE_VECTORS 2
#endif
#define TILE_DEPTH 128 /* of B that stays in the nearest cache, 32 KB in the widest vectors */

/**
 * C[m][n] = sum over k of A[m][k] B[k][n], added to what is there, times the row's factor, where `add`. Each sum is in the order of k, whatever the
 * shapes.
 */
struct matmul {
  int32_t m, n, k;
  const float *a;
  int64_t a_row, a_column; /* floats from one to the next */
  const float *b;
  int64_t b_row;
  float *c;
  int64_t c_row;
  bool add;
  const float *keep;       /* factor of row m at keep[m * keep_row], or null for 1 */
  int64_t keep_row;
};

static inline float kept_of(const struct matmul *p, int32_t m, int32_t from) { return p->keep && from == 0 ? p->keep[m * p->keep_row] : 1; }

static inline __attribute__((always_inline)) void matmul_tile(
    const struct matmul *p, int32_t m, int32_t n, int32_t from, int32_t to, const int rows, const int vectors) {
  const float *a = p->a + m * p->a_row + from * p->a_column, *b = p->b + from * p->b_row + n;
  float *c = p->c + m * p->c_row + n;
  vfloat sum[TILE_ROWS][TILE_VECTORS];
  bool add = p->add || from > 0;
  for (int i = 0; i < rows; i++) {
    vfloat kept = vset(kept_of(p, m + i, from));
    for (int v = 0; v < vectors; v++) {
      sum[i][v] = add ? kept * vload(c + i * p->c_row + v * LANES) : vset(0);
    }
  }
  for (int32_t k = from; k < to; k++) {
    vfloat x[TILE_VECTORS];
    for (int v = 0; v < vectors; v++) {
      x[v] = vload(b + v * LANES);
    }
    for (int i = 0; i < rows; i++) {
      vfloat y = vset(a[i * p->a_row]);
      for (int v = 0; v < vectors; v++) {
        sum[i][v] = vfma(y, x[v], sum[i][v]);
      }
    }
    a += p->a_column;
    b += p->b_row;
  }
  for (int i = 0; i < rows; i++) {
    for (int v = 0; v < vectors; v++) {
      vstore(c + i * p->c_row + v * LANES, sum[i][v]);
    }
  }
}

static inline __attribute__((always_inline)) void matmul_columns(
    const struct matmul *p, int32_t n, int32_t from, int32_t to, const int vectors) {
  int32_t m = 0;
  for (; m + TILE_ROWS <= p->m; m += TILE_ROWS) {
    matmul_tile(p, m, n, from, to, TILE_ROWS, vectors);
  }
  switch (p->m - m) {
    case 5:
      matmul_tile(p, m, n, from, to, 3, vectors);
      m += 3; /* fall through */
    case 2:
      matmul_tile(p, m, n, from, to, 2, vectors);
      return;
    case 4:
      matmul_tile(p, m, n, from, to, 4, vectors);
      return;
    case 3:
      matmul_tile(p, m, n, from, to, 3, vectors);
      return;
    case 1:
      matmul_tile(p, m, n, from, to, 1, vectors);
  }
}

/** Columns that do not fill a vector. */
static void matmul_rest(const struct matmul *p, int32_t n, int32_t from, int32_t to) {
  for (int32_t m = 0; m < p->m; m++) {
    for (int32_t column = n; column < p->n; column++) {
      float sum = p->add || from > 0 ? kept_of(p, m, from) * p->c[m * p->c_row + column] : 0;
      for (int32_t k = from; k < to; k++) {
        sum += p->a[m * p->a_row + k * p->a_column] * p->b[k * p->b_row + column];
      }
      p->c[m * p->c_row + column] = sum;
    }
  }
}

static void matmul(const struct matmul *p) {
  int32_t from = 0;
  do {
    int32_t to = p->k - from > TILE_DEPTH ? from + TILE_DEPTH : p->k, n = 0;
    for (; n + TILE_VECTORS * LANES <= p->n; n += TILE_VECTORS * LANES) {
      matmul_columns(p, n, from, to, TILE_VECTORS);
    }
#if TILE_VECTORS == 4
    if (p->n - n >= 2 * LANES) {
      matmul_columns(p, n, from, to, 2);
      n += 2 * LANES;
    }
#endif
    if (p->n - n >= LANES) {
      matmul_columns(p, n, from, to, 1);
      n += LANES;
    }
    if (n < p->n) {
      matmul_rest(p, n, from, to);
    }
    from = to;
  } while (from < p->k);
}

#endif
