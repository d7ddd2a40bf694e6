#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fatal.h"

float *floats_of(const void *numbers, int64_t count, int bytes) {
  float *all = malloc((size_t)count * sizeof *all + 1);
  if (!all) {
    fatal("no memory for %lld numbers", (long long)count);
  }
  if (bytes == 4) {
    memcpy(all, numbers, (size_t)count * sizeof *all);
    return all;
  }
  for (int64_t i = 0; i < count; i++) {
    uint16_t upper;
    memcpy(&upper, (const uint8_t *)numbers + 2 * i, sizeof upper);
    uint32_t bits = (uint32_t)upper << 16;
    memcpy(all + i, &bits, sizeof bits);
  }
  return all;
}

/** Of two numbers; infinite where only one is finite. */
static double difference(float a, float b) {
  if (isfinite(a) && isfinite(b)) {
    return fabs((double)a - b);
  }
  return a == b || (isnan(a) && isnan(b)) ? 0 : INFINITY;
}

static void worse(struct comparison *c, enum part part, int64_t row, double share) {
  c->rows[part]++;
  if (share > c->worst[part]) {
    c->worst[part] = share;
    c->worst_recording[part] = c->recording;
    c->worst_call[part] = c->call;
    c->worst_row[part] = row;
  }
}

void compare_rows(struct comparison *c, enum part part, const float *expected, const float *found, int64_t rows, int64_t width) {
  for (int64_t row = 0; row < rows; row++, expected += width, found += width) {
    double greatest = 0, most = 0;
    for (int64_t i = 0; i < width; i++) {
      greatest = isfinite(expected[i]) ? fmax(greatest, fabs(expected[i])) : greatest;
      most = fmax(most, difference(expected[i], found[i]));
    }
    worse(c, part, row, most == 0 ? 0 : greatest == 0 ? INFINITY : most / greatest);
  }
}

void compare_tokens(struct comparison *c, const int32_t *expected, const int32_t *found, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    c->chosen[CHOICES_TOKENS]++;
    c->different[CHOICES_TOKENS] += expected[i] != found[i];
  }
}

void compare_experts(struct comparison *c, const int16_t *expected, const float *expected_weights, int64_t expected_width, const int16_t *found,
    const float *found_weights, int64_t found_width, int64_t rows) {
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t i = row * expected_width; i < (row + 1) * expected_width; i++) {
      if (expected[i] < 0) {
        continue;
      }
      int64_t j = row * found_width, end = j + found_width;
      while (j < end && found[j] != expected[i]) {
        j++;
      }
      c->chosen[CHOICES_EXPERTS]++;
      if (j == end) {
        c->different[CHOICES_EXPERTS]++;
      } else {
        compare_rows(c, PART_EXPERT_WEIGHTS, expected_weights + i, found_weights + j, 1, 1);
      }
    }
  }
}

void digest_add(struct comparison *c, const void *found, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i++) {
    c->digest = (c->digest ^ ((const uint8_t *)found)[i]) * 0x100000001b3;
  }
}

bool comparison_report(const struct comparison *c, struct bounds bounds) {
  static const char *const parts[PARTS] = {"activations", "logits", "last hidden rows", "exchanged rows", "weights of experts"};
  static const char *const choices[CHOICES] = {"greedy tokens", "experts"};
  bool within = true;
  for (int part = 0; part < PARTS; part++) {
    if (c->rows[part] > 0) {
      bool good = c->worst[part] <= bounds.tolerance;
      within &= good;
      printf("%-20s %9lld compared, differ by at most %.2e", parts[part], (long long)c->rows[part], c->worst[part]);
      if (c->worst[part] > 0) {
        printf(" (%s, call %lld, row %lld)", c->worst_recording[part], (long long)c->worst_call[part], (long long)c->worst_row[part]);
      }
      puts(good ? "" : ": too much");
    }
  }
  for (int kind = 0; kind < CHOICES; kind++) {
    if (c->chosen[kind] > 0) {
      bool good = (double)c->different[kind] <= bounds.choices * (double)c->chosen[kind];
      within &= good;
      printf("%-20s %9lld compared, %lld differ%s\n", choices[kind], (long long)c->chosen[kind], (long long)c->different[kind],
          good ? "" : ": too many");
    }
  }
  printf("bits of all answers  %016llx\n", (unsigned long long)c->digest);
  return within;
}
