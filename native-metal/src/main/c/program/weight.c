/* Reads weights, and checks them as Weight, WeightFormat and WeightCheck do in Java: kernels trust what passes here. */
#include "weight.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "elements.h"
#include "error.h"

/** Beyond any file, and far enough from the greatest int64_t that sums of a few such offsets do not overflow. */
#define FARTHEST (INT64_C(1) << 60)

/** Whether there is such a format. */
static bool format_read(struct words *words, struct format *f) {
  *f = (struct format){.kind = word(words), .group = 1};
  int32_t a = word(words), b = word(words), c = word(words);
  f->type = a;
  bool is_element = a >= ES_E2M1 && a <= ES_F32, has_scales = c >= ES_E2M1 && c <= ES_F32;
  switch (f->kind) {
    case ES_PLAIN:
      return is_element && element_bits(a) >= 16;
    case ES_BLOCK:
      if (a < 0 || a >= ES_BLOCKS) {
        return false;
      }
      f->group = block_values(a);
      return true;
    case ES_AFFINE:
      f->group = b;
      f->scales = c;
      return a >= 1 && a <= 8 && b >= 1 && has_scales && element_bits(c) >= 16;
    case ES_SCALED:
      f->group = b;
      f->scales = c;
      return is_element && a != ES_E8M0 && b >= 1 && has_scales && element_bits(c) >= 8;
    default:
      return false;
  }
}

/** Whether rows of so many values are whole groups and whole bytes. */
static bool format_fits(const struct format *f, int32_t columns) {
  switch (f->kind) {
    case ES_SCALED: return (int64_t)columns * element_bits(f->type) % 8 == 0;
    case ES_AFFINE: return columns % f->group == 0 && (int64_t)columns * f->type % 8 == 0;
    default: return columns % f->group == 0;
  }
}

static bool shape_fits(const struct weight *w) {
  bool blocks = w->row_block == 1
      || (!w->transposed && w->row_block > 1 && w->rows % w->row_block == 0 && w->row_step >= w->row_block);
  bool beyond = w->transposed && w->first_row + (w->rows - INT64_C(1)) * w->row_step >= INT_MAX; /* of stored columns */
  return w->rows > 0 && w->columns > 0 && w->first_row >= 0 && w->row_step >= 1 && blocks && !beyond;
}

/** @param row_bytes that are read of each row; 0 where the format has no such region */
static int region_read(struct words *words, const struct weight *w, const char *what, int64_t row_bytes, const struct file *files,
    int file_count, struct region *region, char *error) {
  int32_t index = word(words);
  int64_t offset = word_long(words);
  region->row_bytes = word_long(words);
  region->shared_by = word(words);
  region->skipped = word(words);
  if (words->bad || row_bytes == 0) {
    *region = (struct region){.shared_by = 1}; /* what is bad fails the weight at its end */
    return ES_OK;
  }
  if (index < 0 || index >= file_count) {
    return fail(error, ES_FAILED, "weight %s has %s in file %d of %d", w->name, what, index, file_count);
  }
  if (region->shared_by < 1 || region->skipped < 0 || region->skipped >= region->shared_by) {
    return fail(error, ES_FAILED, "weight %s has %s of which a row is shared by %d, the first %d of them skipped", w->name, what,
        region->shared_by, region->skipped);
  }
  const struct file *file = files + index;
  int64_t last = (region->skipped + weight_stored_row(w, weight_stored_rows(w) - 1)) / region->shared_by;
  if (last > 0 && region->row_bytes < row_bytes) {
    return fail(error, ES_FAILED, "weight %s has rows of %lld bytes, %lld apart in %s", w->name, (long long)row_bytes,
        (long long)region->row_bytes, file->path);
  }
  if (offset > FARTHEST || (last > 0 && region->row_bytes > FARTHEST / last)) {
    return fail(error, ES_FAILED, "weight %s reaches beyond any file: %lld rows, %lld bytes apart, from byte %lld of %s", w->name,
        (long long)last + 1, (long long)region->row_bytes, (long long)offset, file->path);
  }
  int64_t end = offset + (last > 0 ? last * region->row_bytes : 0) + row_bytes;
  if (offset < 0 || end > file->size) {
    return fail(error, ES_FAILED, "weight %s lies at bytes %lld to %lld of %s, which has %lld: the file is cut off", w->name,
        (long long)offset, (long long)end, file->path, (long long)file->size);
  }
  region->first = file->bytes + offset;
  return ES_OK;
}

static int pieces_read(struct words *words, struct weight *w, const struct file *files, int file_count, char *error) {
  enum { REGION_WORDS = 7 };
  w->count = word_length(words, 3 * REGION_WORDS);
  if (w->count == 0) {
    return fail(error, ES_FAILED, "weight %s has no matrices", w->name);
  }
  w->pieces = calloc((size_t)w->count, sizeof *w->pieces);
  if (!w->pieces) {
    return fail(error, ES_NO_MEMORY, "no memory for the table of the %d matrices of weight %s", w->count, w->name);
  }
  int32_t columns = weight_stored_columns(w);
  int64_t values = format_row_bytes(&w->format, columns), scales = format_scale_bytes(&w->format, columns);
  int64_t biases = format_bias_bytes(&w->format, columns);
  if ((double)w->count * weight_stored_rows(w) * (double)(values + scales + biases) > (double)FARTHEST) {
    return fail(error, ES_FAILED, "weight %s has more bytes than any memory", w->name);
  }
  int status = ES_OK;
  for (int32_t i = 0; i < w->count && status == ES_OK; i++) {
    struct piece *piece = w->pieces + i;
    status = region_read(words, w, "values", values, files, file_count, &piece->values, error);
    status = status ? status : region_read(words, w, "scales", scales, files, file_count, &piece->scales, error);
    status = status ? status : region_read(words, w, "biases", biases, files, file_count, &piece->biases, error);
  }
  return status;
}

static int fields_read(struct words *words, struct weight *w, const struct file *files, int file_count, char *error) {
  w->name = word_string(words);
  if (!w->name) {
    return words->bad ? fail(error, ES_FAILED, "the program ends within the name of a weight")
                      : fail(error, ES_NO_MEMORY, "no memory for the name of a weight");
  }
  w->rows = word(words);
  w->columns = word(words);
  bool known = format_read(words, &w->format);
  w->transposed = word_index(words, 2);
  w->first_row = word(words);
  w->row_block = word(words);
  w->row_step = word(words);
  w->part_of_rows = word_index(words, 2);
  if (words->bad) {
    return fail(error, ES_FAILED, "the program ends within weight %s, or its flags are neither 0 nor 1", w->name);
  }
  if (!known) {
    return fail(error, ES_FAILED, "weight %s is of format %d (%d, group %d, scales %d), which does not exist", w->name, w->format.kind,
        w->format.type, w->format.group, w->format.scales);
  }
  if (!shape_fits(w)) {
    return fail(error, ES_FAILED, "weight %s is not a weight: %d x %d, first row %d, blocks of %d, row step %d%s", w->name, w->rows,
        w->columns, w->first_row, w->row_block, w->row_step, w->transposed ? ", transposed" : "");
  }
  if (!w->transposed && w->row_block == 1 && w->row_step == 1) { /* one block: rows at even distances, for which kernels ask */
    w->row_block = w->row_step = w->rows;
  }
  if (!format_fits(&w->format, weight_stored_columns(w))) {
    return fail(error, ES_FAILED, "weight %s has rows of %d values, not whole groups of %d in whole bytes", w->name,
        weight_stored_columns(w), w->format.group);
  }
  int status = pieces_read(words, w, files, file_count, error);
  if (status == ES_OK && words->bad) {
    status = fail(error, ES_FAILED, "the program ends within weight %s", w->name);
  }
  return status;
}

int weight_read(struct words *words, struct weight *w, const struct file *files, int file_count, char *error) {
  *w = (struct weight){0};
  int status = fields_read(words, w, files, file_count, error);
  if (status != ES_OK) {
    weight_free(w);
  }
  return status;
}

void weight_free(struct weight *w) {
  if (w->copy) {
    munmap(w->copy, (size_t)w->copy_bytes);
  }
  free(w->pieces);
  free(w->name);
  *w = (struct weight){0};
}
