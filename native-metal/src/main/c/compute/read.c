/* Plain reading, as wide as the instructions allow: what the speed of products is compared with. */

#include <stdint.h>

typedef uint64_t cache_line __attribute__((vector_size(64), aligned(1)));

/** Looks at every one of `bytes`, a multiple of 256; the result says nothing, but the compiler does not know. */
static uint64_t read_plainly(const uint8_t *from, int64_t bytes) {
  cache_line sums[4] = {{0}};
  for (int64_t at = 0; at < bytes; at += 256) {
    for (int i = 0; i < 4; i++) {
      sums[i] += *(const cache_line *)(from + at + 64 * i);
    }
  }
  cache_line all = sums[0] + sums[1] + sums[2] + sums[3];
  return all[0] ^ all[1] ^ all[2] ^ all[3] ^ all[4] ^ all[5] ^ all[6] ^ all[7];
}
