/*
 * How fast products run: for each format, shape and number of rows the bytes of weights read per second, beside plainly reading the same bytes
 * in the same run, arithmetic per second, and the greatest error as a share of the size (sum of |w x|) of what is added up.
 *
 * make -C native-metal/src/main/c bench && build/kernels-avx512 [-t threads] [-f format] [-s shape] [-n rows] [-r runs] [-m megabytes]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "../src/main/c/compute/vector.h"
#include "../src/main/c/compute/product.c"
#include "../src/main/c/compute/read.c"

/* What a step gives the products, without the rest of the engine. */

static uint8_t *memory, *memory_next;

void *op_memory(struct step *s, int64_t bytes) {
  (void)s;
  void *at = memory_next;
  memory_next += (bytes + 63) / 64 * 64;
  return at;
}

void step_check(struct step *s) { (void)s; }

void step_run_tasks(struct step *s, int64_t tasks, task_fn *task, void *context) { pool_run(s->program->pool, tasks, task, context); }

static bool cpu_time; /* of one thread: what others take is not counted */

static double seconds(void) {
  struct timespec t;
  clock_gettime(cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t state = 88172645463325252u;

static uint32_t random_bits(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32);
}

/** About normal, of variance 1. */
static float random_normal(void) {
  float sum = 0;
  for (int i = 0; i < 6; i++) {
    sum += (float)(random_bits() >> 8) * 0x1p-24f - 0.5f;
  }
  return sum * 1.41f;
}

struct named_format {
  const char *name;
  struct format format;
};

static const struct named_format formats[] = {
    {"q4_0", {ES_BLOCK, ES_Q4_0, 32, 0}}, {"q4_1", {ES_BLOCK, ES_Q4_1, 32, 0}}, {"q8_0", {ES_BLOCK, ES_Q8_0, 32, 0}},
    {"q4_k", {ES_BLOCK, ES_Q4_K, 256, 0}}, {"q6_k", {ES_BLOCK, ES_Q6_K, 256, 0}}, {"mxfp4", {ES_BLOCK, ES_MXFP4, 32, 0}},
    {"mxfp4-apart", {ES_SCALED, ES_E2M1, 32, ES_E8M0}}, {"affine4-32-f16", {ES_AFFINE, 4, 32, ES_F16}},
    {"affine4-64", {ES_AFFINE, 4, 64, ES_BF16}}, {"affine4-64-f16", {ES_AFFINE, 4, 64, ES_F16}}, {"affine4-64-f32", {ES_AFFINE, 4, 64, ES_F32}},
    {"affine4-128", {ES_AFFINE, 4, 128, ES_BF16}}, {"affine8-64", {ES_AFFINE, 8, 64, ES_BF16}}, {"affine8-64-f16", {ES_AFFINE, 8, 64, ES_F16}},
    {"bf16", {ES_PLAIN, ES_BF16, 1, 0}}, {"f16", {ES_PLAIN, ES_F16, 1, 0}}, {"f32", {ES_PLAIN, ES_F32, 1, 0}},
    {"iq4_nl", {ES_BLOCK, ES_IQ4_NL, 32, 0}}, {"iq4_xs", {ES_BLOCK, ES_IQ4_XS, 256, 0}}, {"q5_0", {ES_BLOCK, ES_Q5_0, 32, 0}},
    {"q5_1", {ES_BLOCK, ES_Q5_1, 32, 0}}, {"q2_k", {ES_BLOCK, ES_Q2_K, 256, 0}}, {"q3_k", {ES_BLOCK, ES_Q3_K, 256, 0}},
    {"q5_k", {ES_BLOCK, ES_Q5_K, 256, 0}}, {"int4-32", {ES_SCALED, ES_INT4, 32, ES_BF16}}, {"nvfp4", {ES_SCALED, ES_E2M1, 16, ES_E4M3}},
    {"fp8-128", {ES_SCALED, ES_E4M3, 128, ES_F32}}};

struct shape {
  const char *name;
  int32_t rows, columns;
};

static const struct shape shapes[] = {{"smol-qo", 576, 576}, {"smol-up", 1536, 576}, {"smol-down", 576, 1536}, {"olmoe-up", 1024, 2048},
    {"olmoe-down", 2048, 1024}, {"v3-up", 2048, 7168}, {"v3-down", 7168, 2048}, {"v3-dense", 18432, 7168}, {"v3-o", 7168, 16384}, {"odd", 77, 1792}};

static void put_f16(uint8_t *p, float value) {
  _Float16 half = (_Float16)value;
  memcpy(p, &half, 2);
}

static void put_element(int element, uint8_t *p, float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  switch (element) {
    case ES_F16: put_f16(p, value); return;
    case ES_BF16: p[0] = (uint8_t)(bits >> 16), p[1] = (uint8_t)(bits >> 24); return;
    case ES_F32: memcpy(p, &value, 4); return;
    case ES_E8M0: p[0] = (uint8_t)(bits >> 23); return;
    case ES_E4M3: p[0] = (uint8_t)(0x20 + random_bits() % 16); return;
    default: return;
  }
}

/** Where a block has numbers that are not to be NaN. */
static void put_block_scales(int block, uint8_t *p) {
  float d = 0.01f + 0.01f * random_normal() * 0.2f;
  switch (block) {
    case ES_Q4_0: case ES_Q5_0: case ES_Q8_0: case ES_IQ4_NL: case ES_IQ4_XS: put_f16(p, d); return;
    case ES_Q4_1: case ES_Q5_1: case ES_Q4_K: case ES_Q5_K: put_f16(p, d), put_f16(p + 2, d * -7.5f); return;
    case ES_Q2_K: put_f16(p + 80, d), put_f16(p + 82, d * 2); return;
    case ES_Q3_K: put_f16(p + 108, d); return;
    case ES_Q6_K: put_f16(p + 208, d); return;
    case ES_MXFP4: p[0] = (uint8_t)(118 + random_bits() % 4); return;
    default: return;
  }
}

#define HUGE_PAGE (2 << 20)

/** A random stack of matrices in huge pages. Nothing may be read after its end, where a forbidden page lies. */
static struct weight weight_of(const struct format *f, int32_t rows, int32_t columns, int32_t count, int64_t *bytes) {
  int64_t row = format_row_bytes(f, columns), scales = format_scale_bytes(f, columns), biases = format_bias_bytes(f, columns);
  int64_t matrix = rows * (row + scales + biases);
  *bytes = matrix * count;
  int64_t whole = (*bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  uint8_t *at = mmap(NULL, (size_t)(whole + 2 * HUGE_PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  at += HUGE_PAGE - (uintptr_t)at % HUGE_PAGE;
  madvise(at, (size_t)whole, MADV_HUGEPAGE);
  mprotect(at + whole, 4096, PROT_NONE);
  at += whole - *bytes;
  struct weight w = {.rows = rows, .columns = columns, .format = *f, .row_block = rows, .count = count, .pieces = calloc((size_t)count, sizeof(struct piece))};
  for (int32_t m = 0; m < count; m++, at += matrix) {
    w.pieces[m].values = (struct region){at, row, 1, 0};
    w.pieces[m].scales = (struct region){scales ? at + rows * row : NULL, scales, 1, 0};
    w.pieces[m].biases = (struct region){biases ? at + rows * (row + scales) : NULL, biases, 1, 0};
    if (f->kind == ES_PLAIN) {
      int size = element_bits(f->type) / 8;
      for (int64_t i = 0; i < (int64_t)rows * columns; i++) {
        put_element(f->type, at + i * size, (float)(int32_t)random_bits() * 0x1p-36f);
      }
      continue;
    }
    for (int64_t i = 0; i < matrix; i += 4) {
      uint32_t bits = random_bits();
      memcpy(at + i, &bits, 4);
    }
    if (f->kind == ES_BLOCK) {
      for (int64_t b = 0; b < (int64_t)rows * columns / f->group; b++) {
        put_block_scales(f->type, at + b * block_bytes(f->type));
      }
    } else {
      int size = element_bits(f->scales) / 8;
      for (int64_t i = 0; i < rows * (scales + biases) / size; i++) {
        put_element(f->scales, at + rows * row + i * size, i < rows * scales / size ? 0.01f + 0.002f * random_normal() : -0.08f + 0.01f * random_normal());
      }
    }
  }
  return w;
}

static void weight_release(struct weight *w, int64_t bytes) {
  uintptr_t first = (uintptr_t)w->pieces[0].values.first;
  munmap((void *)(first / HUGE_PAGE * HUGE_PAGE), (size_t)bytes + HUGE_PAGE);
  free(w->pieces);
}

/** The greatest error of some rows, as a share of the size; against x as it is and as it was quantized. */
static void errors(const struct product *p, double *real, double *quantized) {
  const struct weight *w = p->weight;
  float *row = malloc((size_t)w->columns * sizeof *row);
  *real = *quantized = 0;
  for (int32_t r = 0; r < w->rows; r += r + 40 < w->rows ? 1 + w->rows / 50 : 1) {
    struct stored_row stored = stored_row(w, p->matrix, r);
    format_decode(&w->format, stored.values, stored.scales, stored.biases, w->columns, row);
    for (int32_t i = 0; i < p->rows; i += 1 + p->rows / 9) {
      const float *x = p->x->x + operand_row(p, i) * p->x->stride;
      double sum = 0, sum_q = 0, size = 0;
      for (int32_t c = 0; c < w->columns; c++) {
        sum += (double)row[c] * x[c];
        size += fabs((double)row[c] * x[c]);
        if (p->x->q) {
          sum_q += (double)row[c] * p->x->q[operand_row(p, i) * p->x->q_stride + c] * p->x->scales[operand_row(p, i) * p->x->group_stride + c / 32];
        }
      }
      double y = p->y[i * p->y_stride + r];
      *real = fmax(*real, fabs(y - sum) / size);
      *quantized = fmax(*quantized, fabs(y - sum_q) / size);
      if (y != y) {
        *real = *quantized = NAN;
      }
    }
  }
  free(row);
}

struct reading {
  const uint8_t *first;
  int64_t bytes, part;
  uint64_t sums[64][8];
};

static void read_part(void *context, int64_t task, int thread) {
  struct reading *all = context;
  int64_t end = all->bytes - task * all->part;
  all->sums[thread][0] += read_plainly(all->first + task * all->part, (end < all->part ? end : all->part) / 256 * 256);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare);
  return values[count / 2];
}

int main(int argc, char **argv) {
  int threads = 2, runs = 5;
  const char *format = NULL, *shape = NULL;
  int32_t only_rows = 0, megabytes = 400;
  for (int i = 1; i + 1 < argc; i += 2) {
    switch (argv[i][1]) {
      case 't': threads = atoi(argv[i + 1]); break;
      case 'r': runs = atoi(argv[i + 1]); break;
      case 'f': format = argv[i + 1]; break;
      case 's': shape = argv[i + 1]; break;
      case 'm': megabytes = atoi(argv[i + 1]); break;
      case 'n': only_rows = atoi(argv[i + 1]); break;
    }
  }
  cpu_time = threads == 1;
  struct es_program program = {.precision = ES_FAST, .pool = pool_open(threads)};
  struct step step = {.program = &program};
  int64_t memory_bytes = (int64_t)1 << 30;
  memory = mmap(NULL, (size_t)memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, (size_t)memory_bytes, MADV_HUGEPAGE);
  static const int32_t all_rows[] = {1, 2, 3, 4, 5, 6, 8, 12, 64, 512};
  printf("%d threads, " TARGET_NAME "\n%-15s %-10s %5s %8s %8s %6s %8s %9s %9s\n", threads, "format", "shape", "rows", "GB/s", "reading", "share",
      "GFLOP/s", "error", "of q");
  for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
    if (format && strcmp(format, formats[f].name) != 0) {
      continue;
    }
    for (size_t h = 0; h < sizeof shapes / sizeof *shapes; h++) {
      if (shape && strcmp(shape, shapes[h].name) != 0) {
        continue;
      }
      int32_t rows = shapes[h].rows, columns = shapes[h].columns;
      if (columns % formats[f].format.group != 0) {
        continue;
      }
      int64_t one = format_row_bytes(&formats[f].format, columns) * rows, bytes;
      int32_t count = (int32_t)(((int64_t)megabytes << 20) / one + 1); /* more than the caches hold */
      struct weight w = weight_of(&formats[f].format, rows, columns, count, &bytes);
      for (size_t n = 0; n < sizeof all_rows / sizeof *all_rows; n++) {
        int32_t t = all_rows[n];
        if (only_rows && only_rows != t) {
          continue;
        }
        memory_next = memory;
        float *x = op_memory(&step, (int64_t)t * columns * 4), *y = op_memory(&step, (int64_t)t * rows * 4);
        for (int64_t i = 0; i < (int64_t)t * columns; i++) {
          x[i] = random_normal();
        }
        struct operand o = operand_of(&step, x, columns, t, columns);
        uint8_t *after = memory_next;
        double took[64], reading[64];
        /* about the same work for every number of rows */
        int32_t matrices = t <= 4 ? count : (int32_t)(2e9 / ((double)rows * columns * t) + 1);
        matrices = matrices > count ? count : matrices;
        int32_t times = matrices == count && t <= 4 ? (400 / megabytes + 1) : 1;
        for (int run = 0; run < runs && run < 64; run++) {
          double start = seconds();
          for (int32_t i = 0; i < matrices * times; i++) {
            int32_t m = i % matrices;
            memory_next = after;
            struct product p = {.weight = &w, .matrix = m, .x = &o, .rows = t, .y = y, .y_stride = rows};
            products_run(&step, &p, 1);
          }
          took[run] = (seconds() - start) / times;
          static struct reading all;
          all = (struct reading){.first = w.pieces[0].values.first, .bytes = bytes / count * matrices, .part = 256 << 10};
          start = seconds();
          pool_run(program.pool, (all.bytes - 1) / all.part + 1, read_part, &all);
          reading[run] = seconds() - start;
        }
        double real, quantized;
        struct product p = {.weight = &w, .matrix = matrices - 1, .x = &o, .rows = t, .y = y, .y_stride = rows};
        errors(&p, &real, &quantized);
        double time = median(took, runs), plain = median(reading, runs), gigabytes = 1e-9 * (double)bytes / count * matrices;
        printf("%-15s %-10s %5d %8.2f %8.2f %6.2f %8.1f %9.2e %9.2e\n", formats[f].name, shapes[h].name, t, gigabytes / time, gigabytes / plain,
            plain / time, 2e-9 * rows * columns * t * matrices / time, real, quantized);
        fflush(stdout);
      }
      weight_release(&w, bytes);
    }
  }
  pool_close(program.pool);
  return 0;
}
