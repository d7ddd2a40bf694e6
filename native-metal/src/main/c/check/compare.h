/* How far answers lie from those that were recorded. */
#ifndef CHECK_COMPARE_H
#define CHECK_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "flat.h"

/** What is compared by itself. */
enum part { PART_ACTIVATIONS, PART_LOGITS, PART_LAST_HIDDEN, PART_EXCHANGES, PART_EXPERT_WEIGHTS, PARTS };
enum choices { CHOICES_TOKENS, CHOICES_EXPERTS, CHOICES };

struct comparison {
  double worst[PARTS]; /* greatest difference, as a share of the greatest number of its row */
  const char *worst_recording[PARTS];
  int64_t worst_call[PARTS], worst_row[PARTS], rows[PARTS];
  int64_t chosen[CHOICES], different[CHOICES];
  const char *recording; /* that is replayed */
  int64_t call;          /* of it */
  int64_t calls, cancelled;
  uint64_t digest;       /* of the bits of all that was found */
};

/** `count` numbers of 4 bytes, float, or of 2, bfloat16, as floats; allocated. */
float *floats_of(const void *numbers, int64_t count, int bytes);

/** Rows of `width` floats. Two numbers that are not finite are equal where they are the same. */
void compare_rows(struct comparison *c, enum part part, const float *expected, const float *found, int64_t rows, int64_t width);

void compare_tokens(struct comparison *c, const int32_t *expected, const int32_t *found, int64_t count);

/** Sets of experts, each [rows][width] with -1 for none, and weights of those that both have. */
void compare_experts(struct comparison *c, const int16_t *expected, const float *expected_weights, int64_t expected_width, const int16_t *found,
    const float *found_weights, int64_t found_width, int64_t rows);

/** Adds bits to the digest: FNV-1a. */
void digest_add(struct comparison *c, const void *found, int64_t bytes);

struct bounds {
  double tolerance; /* of `worst` */
  double choices;   /* share of the choices that may differ */
};

/** Prints all, and returns whether it is within bounds. */
bool comparison_report(const struct comparison *c, struct bounds bounds);

#endif
