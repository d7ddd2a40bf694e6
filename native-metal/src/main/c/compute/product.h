/* Products of weights with rows: what nearly all time goes into. */
#ifndef ES_PRODUCT_H
#define ES_PRODUCT_H

#include "../cpu/step.h"

/** Columns of an operand that share a scale in `fast`. */
#define OPERAND_GROUP 32

/**
 * Rows that weights are multiplied with. In `float32`, and for weights of plain numbers, `x` is read. In `fast` they are also there in 8 bits,
 * symmetric: x ~ scale q, one scale for each OPERAND_GROUP columns; made once for all weights that read them.
 */
struct operand {
  int32_t rows, columns;
  const float *x;
  int64_t stride;       /* floats from row to row */
  const int8_t *q;      /* [rows][columns padded to 256, zeros], -127 to 127; null in float32 */
  const float *scales;  /* [rows][groups], those of the padding 0 */
  const float *sums;    /* [rows][groups], scale times the sum of q: what an offset of the weights is multiplied with */
  const int32_t *negated; /* [rows][groups][2], minus the sum of q, and of its first half: what a center of the weights is multiplied with */
  int64_t q_stride, group_stride;
};

/**
 * y[i][r] = W[matrix][r] . x[row of i] (+ bias[r]) for i < rows. Bits do not depend on threads, nor on `rows` being split, in float32.
 */
struct product {
  const struct weight *weight;
  int32_t matrix;
  const float *bias;       /* [rows of W], or null */
  const struct operand *x;
  const int32_t *index;    /* [rows] rows of x, or null: 0, 1, 2 ... */
  int32_t rows;
  float *y;
  int64_t y_stride;
  const uint8_t *then; /* the values that will be read after these rows, to be asked for in time; null: those that follow */
};

/** The operand of a view's rows [first, first + count), in op memory; quantized where the precision and any of its weights ask for it. */
static struct operand operand_of(struct step *s, const float *x, int64_t stride, int32_t rows, int32_t columns);

/** All products in one go: one parallel region. */
static void products_run(struct step *s, const struct product *products, int32_t count);

/** Rows [from, to) of one product, on the calling thread. `scratch` has product_scratch(p) bytes, aligned to 64. */
static void product_rows(const struct product *p, int32_t from, int32_t to, void *scratch);
static int64_t product_scratch(const struct product *p);

#endif
