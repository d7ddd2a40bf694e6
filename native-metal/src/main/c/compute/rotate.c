/* Rotary positions. All layers turn by the same few tables of frequencies: a step computes cosines and sines once for each. */
#include "shuffle.h"
#include "work.h"

/** Cosine and sine of each row and pair, times the op's factor; of interleaved pairs twice each, the first sine negative. */
struct rotation {
  struct rotation *next;
  const struct op *op;   /* with these frequencies */
  int32_t columns;       /* of a row: pairs, or twice as many */
  float *cos, *sin;      /* [T, columns] */
};

static bool same_rotation(const struct op *a, const struct op *b) {
  return a->rotate.pairs == b->rotate.pairs && a->rotate.interleaved == b->rotate.interleaved && a->rotate.factor == b->rotate.factor
         && memcmp(a->rotate.frequencies, b->rotate.frequencies, (size_t)a->rotate.pairs * sizeof(float)) == 0;
}

static void rotation_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  const struct rotation *r = s->rotations; /* the newest */
  for (int64_t t = first; t < end; t++) {
    float *cosines = r->cos + t * r->columns, *sines = r->sin + t * r->columns;
    for (int32_t i = 0; i < op->rotate.pairs; i++) {
      double angle = (double)s->position[t] * op->rotate.frequencies[i];
      float c = (float)cos(angle) * op->rotate.factor, d = (float)sin(angle) * op->rotate.factor;
      if (op->rotate.interleaved) {
        cosines[2 * i] = cosines[2 * i + 1] = c;
        sines[2 * i] = -d;
        sines[2 * i + 1] = d;
      } else {
        cosines[i] = c;
        sines[i] = d;
      }
    }
  }
}

static const struct rotation *rotation_of(struct step *s, const struct op *op) {
  for (struct rotation *r = s->rotations; r; r = r->next) {
    if (same_rotation(r->op, op)) {
      return r;
    }
  }
  struct rotation *r = step_memory(s, sizeof *r);
  r->op = op;
  r->columns = op->rotate.interleaved ? 2 * op->rotate.pairs : op->rotate.pairs;
  int64_t bytes = (int64_t)s->rows * r->columns * (int64_t)sizeof(float);
  r->cos = step_memory(s, bytes);
  r->sin = step_memory(s, bytes);
  r->next = s->rotations;
  s->rotations = r;
  run_rows(s, op, s->rows, 50 * (int64_t)op->rotate.pairs, rotation_rows); /* what a cosine costs */
  return r;
}

static void turn_halves(float *x, const float *cosines, const float *sines, int32_t pairs) {
  int32_t i = 0;
  for (; i + LANES <= pairs; i += LANES) {
    vfloat a = vload(x + i), b = vload(x + pairs + i), c = vload(cosines + i), d = vload(sines + i);
    vstore(x + i, a * c - b * d);
    vstore(x + pairs + i, b * c + a * d);
  }
  for (; i < pairs; i++) {
    float a = x[i], b = x[pairs + i];
    x[i] = a * cosines[i] - b * sines[i];
    x[pairs + i] = b * cosines[i] + a * sines[i];
  }
}

static void turn_interleaved(float *x, const float *cosines, const float *sines, int32_t pairs) {
  int32_t i = 0;
  for (; i + LANES <= 2 * pairs; i += LANES) {
    vfloat a = vload(x + i);
    vstore(x + i, a * vload(cosines + i) + SWAP_PAIRS(a) * vload(sines + i));
  }
  for (; i < 2 * pairs; i += 2) {
    float a = x[i], b = x[i + 1];
    x[i] = a * cosines[i] + b * sines[i];
    x[i + 1] = b * cosines[i + 1] + a * sines[i + 1];
  }
}

static void rotate_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  const struct rotation *r = rotation_of(s, op); /* is there */
  int32_t width = op->rotate.x.width / op->rotate.heads;
  for (int64_t t = first; t < end; t++) {
    const float *cosines = r->cos + t * r->columns, *sines = r->sin + t * r->columns;
    for (int32_t head = 0; head < op->rotate.heads; head++) {
      float *x = view_row(s, op->rotate.x, t) + head * width + op->rotate.from;
      if (op->rotate.interleaved) {
        turn_interleaved(x, cosines, sines, op->rotate.pairs);
      } else {
        turn_halves(x, cosines, sines, op->rotate.pairs);
      }
    }
  }
}

static void op_rotate(struct step *s, const struct op *op) {
  rotation_of(s, op);
  run_rows(s, op, s->rows, (int64_t)op->rotate.heads * op->rotate.pairs, rotate_rows);
}
