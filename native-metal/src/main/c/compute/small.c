/* Ops of a few operations a column. */
#include "functions.h"
#include "work.h"

static void add_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  const int32_t width = op->add.out.width;
  for (int64_t t = first; t < end; t++) {
    const float *a = view_row(s, op->add.a, t), *b = view_row(s, op->add.b, t);
    float *out = view_row(s, op->add.out, t);
    for (int32_t i = 0; i < width; i += LANES) {
      vstore_some(out + i, vload_some(a + i, width - i) + vload_some(b + i, width - i), width - i);
    }
  }
}

static void op_add(struct step *s, const struct op *op) { run_rows(s, op, s->rows, op->add.out.width / 2, add_rows); }

static void scale_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  const int32_t width = op->scale.x.width;
  const float factor = op->scale.factor;
  for (int64_t t = first; t < end; t++) {
    float *x = view_row(s, op->scale.x, t);
    for (int32_t i = 0; i < width; i += LANES) {
      vstore_some(x + i, vload_some(x + i, width - i) * factor, width - i);
    }
  }
}

static void op_scale(struct step *s, const struct op *op) { run_rows(s, op, s->rows, op->scale.x.width / 2, scale_rows); }

static void gate_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  int32_t width = op->gate.x.width;
  for (int64_t t = first; t < end; t++) {
    float *x = view_row(s, op->gate.x, t);
    const float *gate = view_row(s, op->gate.gate, t);
    bool one = op->gate.gate.width == 1;
    for (int32_t i = 0; i < width; i += LANES) {
      int32_t count = width - i < LANES ? width - i : LANES;
      vfloat g = one ? vset(gate[0]) : vload_some(gate + i, count);
      vfloat factor = op->gate.silu ? vsilu(g) : vsigmoid(g);
      vstore_some(x + i, vload_some(x + i, count) * factor, count);
    }
  }
}

static void op_gate(struct step *s, const struct op *op) { run_rows(s, op, s->rows, 2 * (int64_t)op->gate.x.width, gate_rows); }
