/* Lanes of two vectors in a new order. */
#ifndef ES_SHUFFLE_H
#define ES_SHUFFLE_H

#include "vector.h"

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vint){__VA_ARGS__})
#endif

#if LANES == 16
/** Lanes 2i and 2i + 1 change places. */
#define SWAP_PAIRS(a) SHUFFLE(a, a, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
/** a's runs of so many lanes whose number is even, each followed by b's of that number; and those whose number is odd. */
#define EVEN_8(a, b) SHUFFLE(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#define ODD_8(a, b) SHUFFLE(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)
#define EVEN_4(a, b) SHUFFLE(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27)
#define ODD_4(a, b) SHUFFLE(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31)
#define EVEN_2(a, b) SHUFFLE(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define ODD_2(a, b) SHUFFLE(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define EVEN_1(a, b) SHUFFLE(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30)
#define ODD_1(a, b) SHUFFLE(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31)
#elif LANES == 8
#define SWAP_PAIRS(a) SHUFFLE(a, a, 1, 0, 3, 2, 5, 4, 7, 6)
#define EVEN_4(a, b) SHUFFLE(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define ODD_4(a, b) SHUFFLE(a, b, 4, 5, 6, 7, 12, 13, 14, 15)
#define EVEN_2(a, b) SHUFFLE(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define ODD_2(a, b) SHUFFLE(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define EVEN_1(a, b) SHUFFLE(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define ODD_1(a, b) SHUFFLE(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#else
#define SWAP_PAIRS(a) SHUFFLE(a, a, 1, 0, 3, 2)
#define EVEN_2(a, b) SHUFFLE(a, b, 0, 1, 4, 5)
#define ODD_2(a, b) SHUFFLE(a, b, 2, 3, 6, 7)
#define EVEN_1(a, b) SHUFFLE(a, b, 0, 4, 2, 6)
#define ODD_1(a, b) SHUFFLE(a, b, 1, 5, 3, 7)
#endif

/** Lane i is the sum of all lanes of v[i], of LANES vectors, which are lost: half as many vectors of sums of half as many lanes each time. */
static inline vfloat vsums(vfloat *v) {
#if LANES == 16
  for (int i = 0; i < 8; i++) {
    v[i] = EVEN_8(v[i], v[i + 8]) + ODD_8(v[i], v[i + 8]);
  }
#endif
#if LANES >= 8
  for (int i = 0; i < 4; i++) {
    v[i] = EVEN_4(v[i], v[i + 4]) + ODD_4(v[i], v[i + 4]);
  }
#endif
  for (int i = 0; i < 2; i++) {
    v[i] = EVEN_2(v[i], v[i + 2]) + ODD_2(v[i], v[i + 2]);
  }
  return EVEN_1(v[0], v[1]) + ODD_1(v[0], v[1]);
}

/** Vector i gets lane i of each of LANES vectors. */
static inline void transpose(vfloat *v) {
#define EXCHANGE(run, even, odd)                                        \
  for (int i = 0; i < LANES; i++) {                                     \
    if ((i & (run)) == 0) {                                             \
      vfloat first = even(v[i], v[i + (run)]), other = odd(v[i], v[i + (run)]); \
      v[i] = first;                                                     \
      v[i + (run)] = other;                                             \
    }                                                                   \
  }
#if LANES == 16
  EXCHANGE(8, EVEN_8, ODD_8)
#endif
#if LANES >= 8
  EXCHANGE(4, EVEN_4, ODD_4)
#endif
  EXCHANGE(2, EVEN_2, ODD_2)
  EXCHANGE(1, EVEN_1, ODD_1)
#undef EXCHANGE
}

#endif
