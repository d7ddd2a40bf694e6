/*
 * Weights that are a part of longer stored rows, copied without the rest: mapped in place they would keep all pages of their tensor resident. Rows
 * between blocks of rows are copied too, for rows of scales may be shared across them.
 */
#include <string.h>
#include <sys/mman.h>

#include "elements.h"
#include "error.h"
#include "weight.h"

/** Of one region: what is kept of each row, and where in its file's rows the first and the last lie. */
struct kept {
  int64_t row_bytes, first, rows;
};

static bool is_interleaved(const struct weight *w) { return w->transposed && w->row_step > 1 && w->format.kind == ES_PLAIN; }

static struct kept kept_of(const struct weight *w, const struct region *r, int64_t row_bytes) {
  if (row_bytes == 0) {
    return (struct kept){0};
  }
  int64_t first = (r->skipped + weight_stored_row(w, 0)) / r->shared_by;
  int64_t last = (r->skipped + weight_stored_row(w, weight_stored_rows(w) - 1)) / r->shared_by;
  return (struct kept){row_bytes, first, last - first + 1};
}

/** Every row_step-th of a stored row of plain values. */
static void copy_every(const struct weight *w, const uint8_t *row, uint8_t *into) {
  size_t size = (size_t)element_bits(w->format.type) / 8;
  for (int32_t i = 0; i < w->rows; i++) {
    memcpy(into + i * size, row + (w->first_row + (int64_t)i * w->row_step) * (int64_t)size, size);
  }
}

/** Copies a region to `into`, points it there, and returns where the next may begin. */
static uint8_t *region_copy(const struct weight *w, struct region *r, struct kept kept, bool interleaved, uint8_t *into) {
  if (kept.row_bytes == 0) {
    return into;
  }
  for (int64_t row = 0; row < kept.rows; row++) {
    const uint8_t *from = r->first + (kept.first + row) * r->row_bytes;
    if (interleaved) {
      copy_every(w, from, into + row * kept.row_bytes);
    } else {
      memcpy(into + row * kept.row_bytes, from, (size_t)kept.row_bytes);
    }
  }
  /* the first row of the copy is the matrix's first, or the one that it shares: stored rows are counted from there on */
  int64_t before = r->skipped + weight_stored_row(w, 0);
  *r = (struct region){.first = into, .row_bytes = kept.row_bytes, .shared_by = r->shared_by, .skipped = (int32_t)(before % r->shared_by)};
  return into + kept.rows * kept.row_bytes;
}

int weight_copy(struct weight *w, char *error) {
  if (!w->part_of_rows || w->copy) {
    return ES_OK;
  }
  bool interleaved = is_interleaved(w);
  int32_t columns = interleaved ? w->rows : weight_stored_columns(w);
  int64_t values = format_row_bytes(&w->format, columns), scales = format_scale_bytes(&w->format, columns);
  int64_t biases = format_bias_bytes(&w->format, columns), bytes = 64; /* kernels may load whole vectors at the end of a row */
  for (int32_t i = 0; i < w->count; i++) {
    const struct piece *piece = w->pieces + i;
    struct kept all[3] = {kept_of(w, &piece->values, values), kept_of(w, &piece->scales, scales), kept_of(w, &piece->biases, biases)};
    for (int j = 0; j < 3; j++) {
      int64_t more = all[j].rows * all[j].row_bytes; /* within a file */
      bytes = more > INT64_MAX - bytes ? INT64_MAX : bytes + more;
    }
  }
  void *copy = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) {
    return fail(error, ES_NO_MEMORY, "no memory for %lld bytes of weight %s, which is a slice by columns and is copied: place it in more slices",
        (long long)bytes, w->name);
  }
#ifdef MADV_HUGEPAGE
  madvise(copy, (size_t)bytes, MADV_HUGEPAGE); /* merely advice */
#endif
  uint8_t *into = copy;
  for (int32_t i = 0; i < w->count; i++) {
    struct piece *piece = w->pieces + i;
    into = region_copy(w, &piece->values, kept_of(w, &piece->values, values), interleaved, into);
    into = region_copy(w, &piece->scales, kept_of(w, &piece->scales, scales), interleaved, into);
    into = region_copy(w, &piece->biases, kept_of(w, &piece->biases, biases), interleaved, into);
  }
  if (interleaved) {
    w->row_step = 1;
  }
  if (interleaved || !w->transposed) {
    w->first_row = 0;
  }
  w->copy = copy;
  w->copy_bytes = bytes;
  return ES_OK;
}
