/*
 * Weights that are a part of longer stored rows, copied without the rest: mapped in place they would keep all pages of their tensor resident. Rows
 * between blocks of rows are copied too, for rows of scales may be shared across them.
 */
#include <string.h>
#include <sys/mman.h>

#include "elements.h"
#include "error.h"
#include "weight.h"

enum { COPIED_AT_ONCE = 16 << 20 };

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

/** Where a part of rows is copied from. */
struct source {
  bool interleaved;
  int64_t row_bytes[3]; /* of the copy: values, scales, biases; 0 where there are none */
};

static struct source source_of(const struct weight *w) {
  bool interleaved = is_interleaved(w);
  int32_t columns = interleaved ? w->rows : weight_stored_columns(w);
  const struct format *f = &w->format;
  return (struct source){interleaved, {format_row_bytes(f, columns), format_scale_bytes(f, columns), format_bias_bytes(f, columns)}};
}

/** One of the three regions of each piece, all of them counted. */
static struct region *region_of(const struct weight *w, int64_t index) {
  struct piece *piece = w->pieces + index / 3;
  struct region *all[] = {&piece->values, &piece->scales, &piece->biases};
  return all[index % 3];
}

static int allocate(struct weight *w, const struct source *source, char *error) {
  int64_t bytes = 64; /* kernels may load whole vectors at the end of a row */
  for (int64_t i = 0; i < INT64_C(3) * w->count; i++) {
    struct kept kept = kept_of(w, region_of(w, i), source->row_bytes[i % 3]);
    int64_t more = kept.rows * kept.row_bytes; /* within a file */
    bytes = more > INT64_MAX - bytes ? INT64_MAX : bytes + more;
  }
  void *copy = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) {
    return fail(error, ES_NO_MEMORY, "no memory for %lld bytes of weight %s, which is a slice by columns and is copied: place it in more slices",
        (long long)bytes, w->name);
  }
#ifdef MADV_HUGEPAGE
  madvise(copy, (size_t)bytes, MADV_HUGEPAGE); /* merely advice */
#endif
  w->copy = copy;
  w->copy_bytes = bytes;
  return ES_OK;
}

/** Copies rows of a region while there are bytes `left` of what may be read of the file. After its last row the region points to the copy. */
static void copy_rows(struct weight *w, struct region *r, struct kept kept, bool interleaved, int64_t *left) {
  uint8_t *into = (uint8_t *)w->copy + w->copied.bytes;
  for (; w->copied.rows < kept.rows && *left > 0; w->copied.rows++) {
    const uint8_t *from = r->first + (kept.first + w->copied.rows) * r->row_bytes;
    uint8_t *to = into + w->copied.rows * kept.row_bytes;
    if (interleaved) {
      copy_every(w, from, to);
    } else {
      memcpy(to, from, (size_t)kept.row_bytes);
    }
    *left -= r->row_bytes > kept.row_bytes ? r->row_bytes : kept.row_bytes; /* with what lies between, of whose pages some are read too */
  }
  if (w->copied.rows < kept.rows) {
    return;
  }
  if (kept.row_bytes > 0) {
    /* the first row of the copy is the matrix's first, or the one that it shares: stored rows are counted from there on */
    int64_t before = r->skipped + weight_stored_row(w, 0);
    *r = (struct region){.first = into, .row_bytes = kept.row_bytes, .shared_by = r->shared_by, .skipped = (int32_t)(before % r->shared_by)};
  }
  w->copied.regions++;
  w->copied.rows = 0;
  w->copied.bytes += kept.rows * kept.row_bytes;
}

int weight_copy_some(struct weight *w, char *error) {
  struct source source = source_of(w);
  int status = w->copy ? ES_OK : allocate(w, &source, error);
  int64_t left = COPIED_AT_ONCE, regions = INT64_C(3) * w->count;
  while (status == ES_OK && w->copied.regions < regions && left > 0) {
    int64_t index = w->copied.regions;
    struct region *r = region_of(w, index);
    copy_rows(w, r, kept_of(w, r, source.row_bytes[index % 3]), source.interleaved, &left);
  }
  if (status == ES_OK && w->copied.regions == regions) {
    if (source.interleaved) {
      w->row_step = 1;
    }
    if (source.interleaved || !w->transposed) {
      w->first_row = 0;
    }
    w->copied.all = true;
  }
  return status;
}
