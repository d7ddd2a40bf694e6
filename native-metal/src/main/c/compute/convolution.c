/* A short causal convolution of each column, then SiLU. */
#include "functions.h"
#include "work.h"

#define CONVOLUTION_CHANNELS 512 /* of one task */

struct convolution {
  struct step *s;
  const struct op *op;
};

/** Row t of a span, of which the last kernel - 1 before it are in the state. */
static const float *convolved_row(const struct convolution *c, const struct span *span, int32_t t) {
  int32_t kept = c->op->convolution.kernel - 1;
  return t < 0 ? span->session->caches[c->op->convolution.cache].before + (int64_t)(t + kept) * c->op->convolution.x.width
               : view_row(c->s, c->op->convolution.x, span->first + t);
}

/** @param taps [channels, kernel] */
static inline __attribute__((always_inline)) void convolve(
    const float *const *rows, const float *taps, int32_t channels, const int32_t kernel, float *restrict out) {
  for (int32_t c = 0; c < channels; c++) {
    float sum = 0;
    for (int32_t k = 0; k < kernel; k++) {
      sum += taps[c * kernel + k] * rows[k][c];
    }
    out[c] = sum;
  }
}

static void convolution_span(const struct convolution *c, const struct span *span, int32_t from, int32_t channels) {
  const struct op *op = c->op;
  int32_t kernel = op->convolution.kernel, kept = kernel - 1;
  const float *taps = op->convolution.taps + (int64_t)from * kernel;
  const float *rows[kernel];
  for (int32_t t = 0; t < span->count; t++) {
    for (int32_t k = 0; k < kernel; k++) {
      rows[k] = convolved_row(c, span, t - kept + k) + from;
    }
    float *out = view_row(c->s, op->convolution.out, span->first + t) + from;
    if (kernel == 4) { /* as all published models have it: a kernel of its own */
      convolve(rows, taps, channels, 4, out);
    } else {
      convolve(rows, taps, channels, kernel, out);
    }
    EACH_LANE(channels, out, out, vsilu)
  }
  float *after = span->session->caches[op->convolution.cache].after;
  for (int32_t k = 0; k < kept; k++) {
    memcpy(after + (int64_t)k * op->convolution.x.width + from, convolved_row(c, span, span->count - kept + k) + from,
        (size_t)channels * sizeof *after);
  }
}

static void convolution_task(void *context, int64_t task, int thread) {
  const struct convolution *c = context;
  (void)thread;
  if (is_cancelled(c->s)) {
    return;
  }
  int32_t width = c->op->convolution.x.width;
  int64_t pieces = (width + CONVOLUTION_CHANNELS - 1) / CONVOLUTION_CHANNELS;
  int32_t from = (int32_t)(task % pieces) * CONVOLUTION_CHANNELS;
  int32_t channels = width - from < CONVOLUTION_CHANNELS ? width - from : CONVOLUTION_CHANNELS;
  convolution_span(c, &c->s->spans[task / pieces], from, channels);
}

static void op_convolution(struct step *s, const struct op *op) {
  struct convolution c = {s, op};
  int64_t width = op->convolution.x.width, pieces = (width + CONVOLUTION_CHANNELS - 1) / CONVOLUTION_CHANNELS;
  run(s, s->rows * width * op->convolution.kernel, s->span_count * pieces, convolution_task, &c);
}
