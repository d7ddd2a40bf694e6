/* Where the values of a weight lie in memory, and how they are stored; see Weight.java. */
#ifndef ES_WEIGHT_H
#define ES_WEIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "files.h"
#include "words.h"

/** The three words after the kind, see espalier.h. */
struct format {
  int kind;    /* enum es_format */
  int type;    /* enum es_block of BLOCK, enum es_element of PLAIN and SCALED, bits of AFFINE */
  int group;   /* columns that share a scale, or are a block: 1 of PLAIN */
  int scales;  /* enum es_element of AFFINE and SCALED */
};

/** Rows in memory, `row_bytes` apart; the first may lie at any address. */
struct region {
  const uint8_t *first; /* null where the format keeps none apart */
  int64_t row_bytes;
  int32_t shared_by; /* rows of the weight that have one row here in common */
  int32_t skipped;   /* rows of the weight's first block that lie before it */
};

struct piece {
  struct region values, scales, biases;
};

/** `count` matrices [rows, columns]. */
struct weight {
  char *name;
  int32_t rows, columns;
  struct format format;
  bool transposed; /* stored rows are the matrix's columns */
  bool part_of_rows; /* to be copied compactly at load */
  int32_t first_row, row_block, row_step;
  int32_t count;
  struct piece *pieces;
  void *copy; /* of a part of rows, once its load has begun; mapped */
  int64_t copy_bytes;
  struct {
    int64_t regions; /* of the pieces, three each, that are copied */
    int64_t rows;    /* of the region after these */
    int64_t bytes;   /* of the copy, before that region's */
    bool all;
  } copied;
};

static inline const uint8_t *region_row(const struct region *r, int64_t row) {
  return r->first + (r->skipped + row) / r->shared_by * r->row_bytes;
}

/** Where in a piece stored row `row` of a matrix lies, counted in the file's rows. */
static inline int64_t weight_stored_row(const struct weight *w, int64_t row) {
  return w->transposed ? row : w->first_row + row / w->row_block * w->row_step + row % w->row_block;
}

static inline int32_t weight_stored_rows(const struct weight *w) { return w->transposed ? w->columns : w->rows; }

/** Values of a stored row up to the last that the matrix needs. */
static inline int32_t weight_stored_columns(const struct weight *w) {
  return w->transposed ? w->first_row + (w->rows - 1) * w->row_step + 1 : w->columns;
}

/** The values of row `row` (of a transposed weight: of stored row `row`). */
static inline const uint8_t *weight_values(const struct weight *w, int matrix, int64_t row) {
  return region_row(&w->pieces[matrix].values, weight_stored_row(w, row));
}

static inline const uint8_t *weight_scales(const struct weight *w, int matrix, int64_t row) {
  return region_row(&w->pieces[matrix].scales, weight_stored_row(w, row));
}

static inline const uint8_t *weight_biases(const struct weight *w, int matrix, int64_t row) {
  return region_row(&w->pieces[matrix].biases, weight_stored_row(w, row));
}

/** Bytes of `columns` values of one row. */
int64_t format_row_bytes(const struct format *f, int32_t columns);
/** Bytes of a row of scales in a region of their own, and of biases; 0 where there are none. */
int64_t format_scale_bytes(const struct format *f, int32_t columns);
int64_t format_bias_bytes(const struct format *f, int32_t columns);
/** Values and bytes of one block of a BLOCK format. */
int block_values(int block);
int block_bytes(int block);

/**
 * Stored values [0, columns) of a row as floats, exactly as WeightFormat.decode in Java: the same float operations in the same order.
 *
 * @param columns of a BLOCK, AFFINE or SCALED format a multiple of its group, but for the last group of SCALED
 */
void format_decode(
    const struct format *f, const uint8_t *values, const uint8_t *scales, const uint8_t *biases, int32_t columns, float *out);

/** Row `row` of a matrix as floats, out[columns], also where it is stored transposed. */
void weight_row(const struct weight *w, int matrix, int32_t row, float *out);

/** Allocated: all values of a vector (one row or one column) of a small weight; null where there is no memory. */
float *weight_vector(const struct weight *w, int matrix);

/** Reads one weight; `files` are mapped. Checks that each region lies inside its file. */
int weight_read(struct words *words, struct weight *w, const struct file *files, int file_count, char *error);
void weight_free(struct weight *w);
/** Bytes that stay resident of this weight alone. */
int64_t weight_bytes(const struct weight *w);
/**
 * Goes on with copying the rows of a part of rows, without what lies between them: some MB of the file, so that a load can be cancelled in between. A
 * region points to its copy once that is whole; until `copied.all` the weight cannot be used.
 */
int weight_copy_some(struct weight *w, char *error);

#endif
