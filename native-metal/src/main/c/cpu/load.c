#include "../compute/compute.h"
#include "load.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_NANOS = 50000000, PREPARED_AT_ONCE = 16 << 20 };

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/** Whether an earlier weight has the same bytes, as tied embeddings do. */
static bool is_shared(const struct es_program *p, int32_t index) {
  const struct weight *w = &p->weights[index];
  for (int32_t i = 0; i < index && !w->part_of_rows; i++) {
    const struct weight *other = &p->weights[i];
    if (!other->part_of_rows && other->pieces[0].values.first == w->pieces[0].values.first && other->rows == w->rows && other->columns == w->columns
        && other->first_row == w->first_row && other->count == w->count) {
      return true;
    }
  }
  return false;
}

int64_t resident_bytes(const struct es_program *p) {
  int64_t bytes = 0;
  for (int32_t i = 0; i < p->weight_count; i++) {
    bytes += is_shared(p, i) ? 0 : weight_bytes(&p->weights[i]);
  }
  return bytes;
}

static void touch(const uint8_t *first, int64_t bytes) {
  int64_t page = sysconf(_SC_PAGESIZE);
  volatile uint8_t sink = 0;
  for (int64_t at = 0; at < bytes; at += page) {
    sink ^= first[at];
  }
  sink ^= bytes > 0 ? first[bytes - 1] : 0;
  (void)sink;
}

static int prepare(const struct es_program *p, const uint8_t *first, int64_t bytes, char *error) {
  if (p->preparations & ES_WARM_UP) {
    touch(first, bytes);
  }
  if (p->preparations & ES_LOCK_MEMORY) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)first / page * page;
    if (mlock((void *)start, (size_t)((uintptr_t)first + (uintptr_t)bytes - start)) != 0) {
      return fail(error, ES_FAILED, "the weights cannot be locked in memory: %s; raise the limit (ulimit -l), or load without it", strerror(errno));
    }
  }
  return ES_OK;
}

/** From a region's first row to the end of its last; a region that is not there has no bytes. */
static int64_t region_bytes(const struct weight *w, const struct region *r, int64_t bytes_of_row, const uint8_t **first) {
  if (!r->first || bytes_of_row == 0) {
    return 0;
  }
  *first = region_row(r, weight_stored_row(w, 0));
  return region_row(r, weight_stored_row(w, weight_stored_rows(w) - 1)) + bytes_of_row - *first;
}

/** Some more bytes of the piece; after its last the next piece is next. */
static int prepare_some(struct es_program *p, const struct weight *w, char *error) {
  const struct piece *piece = &w->pieces[p->loaded_pieces];
  int32_t columns = weight_stored_columns(w);
  const struct region *regions[] = {&piece->values, &piece->scales, &piece->biases};
  int64_t rows[] = {format_row_bytes(&w->format, columns), format_scale_bytes(&w->format, columns), format_bias_bytes(&w->format, columns)};
  int64_t from = p->loaded_part;
  for (int i = 0; i < 3; i++) {
    const uint8_t *first = NULL;
    int64_t left = region_bytes(w, regions[i], rows[i], &first) - from;
    if (left > 0) {
      int64_t some = left < PREPARED_AT_ONCE ? left : PREPARED_AT_ONCE;
      p->loaded_part += some;
      return prepare(p, first + from, some, error);
    }
    from = -left;
  }
  p->loaded_part = 0;
  p->loaded_pieces++;
  return ES_OK;
}

int load_more(struct es_program *p, int64_t *done, char *error) {
  int64_t end = now() + SLICE_NANOS;
  int status = ES_OK;
  while (p->loaded < p->weight_count && status == ES_OK && now() < end) {
    struct weight *w = &p->weights[p->loaded];
    if (w->part_of_rows && !w->copied.all) {
      status = weight_copy_some(w, error);
      break; /* whoever loads looks for a cancel: where the file is not in memory this took long */
    }
    if (p->preparations) {
      status = prepare_some(p, w, error);
    } else {
      p->loaded_pieces = w->count;
    }
    if (p->loaded_pieces >= w->count) {
      p->loaded_bytes += is_shared(p, p->loaded) ? 0 : weight_bytes(w);
      p->loaded_pieces = 0;
      p->loaded++;
    }
  }
  files_look(p->files, p->file_count);
  status = status == ES_OK ? files_check(p->files, p->file_count, error) : status;
  *done = p->loaded_bytes;
  return status;
}

enum { RATE_CHUNK = 256 << 10 };

struct reading {
  const uint8_t **chunks; /* RATE_CHUNK bytes each */
  uint64_t (*read)(const uint8_t *from, int64_t bytes);
};

static void read_chunk(void *context, int64_t task, int thread) {
  (void)thread;
  const struct reading *reading = context;
  volatile uint64_t sink = reading->read(reading->chunks[task], RATE_CHUNK);
  (void)sink;
}

static void read_all(struct es_program *p, const uint8_t **chunks, int64_t count, double *rate) {
  if (count == 0) {
    *rate = 0;
    return;
  }
  struct reading reading = {chunks, p->compute->read};
  pool_run(p->pool, count, read_chunk, &reading); /* pages are there, and clocks are up */
  int64_t start = now();
  pool_run(p->pool, count, read_chunk, &reading);
  *rate = (double)count * RATE_CHUNK * 1e9 / (double)(now() - start);
}

/** Whole chunks of the weights' values, from the first on; as many as there are. */
static int64_t weight_chunks(const struct es_program *p, const uint8_t **chunks, int64_t most) {
  int64_t count = 0;
  for (int32_t i = 0; i < p->weight_count && count < most; i++) {
    const struct weight *w = &p->weights[i];
    int64_t row = format_row_bytes(&w->format, weight_stored_columns(w));
    for (int32_t matrix = 0; matrix < w->count && count < most; matrix++) {
      const uint8_t *at = weight_values(w, matrix, 0);
      const uint8_t *end = weight_values(w, matrix, weight_stored_rows(w) - 1) + row;
      for (; end - at >= RATE_CHUNK && count < most; at += RATE_CHUNK) {
        chunks[count++] = at;
      }
    }
  }
  return count;
}

int read_rate(struct es_program *p, int32_t kind, int64_t bytes, double *rate, char *error) {
  int64_t count = bytes / RATE_CHUNK;
  size_t list = (size_t)(count > 0 ? count : 1) * sizeof(uint8_t *);
  const uint8_t **chunks = mmap(NULL, list, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (chunks == MAP_FAILED) {
    return fail(error, ES_NO_MEMORY, "no memory to measure");
  }
  int status = ES_OK;
  if (kind == 0) {
    read_all(p, chunks, weight_chunks(p, chunks, count), rate);
  } else {
    size_t size = (size_t)count * RATE_CHUNK;
    uint8_t *memory = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      status = fail(error, ES_NO_MEMORY, "no memory to measure");
    } else {
#if defined(MADV_HUGEPAGE)
      madvise(memory, size, MADV_HUGEPAGE);
#endif
      memset(memory, 1, size);
      for (int64_t i = 0; i < count; i++) {
        chunks[i] = memory + i * RATE_CHUNK;
      }
      read_all(p, chunks, count, rate);
      munmap(memory, size + 1);
    }
  }
  munmap(chunks, list);
  return status;
}
