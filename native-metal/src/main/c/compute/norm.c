/* Norms of rows and of groups of columns. Sums are in double. */
#include "functions.h"
#include "work.h"

/** Partial sums of one order, so that the compiler may use vectors. */
#define NORM_SUMS 16

/** The sum of (x - mean)^2. */
static double squares_about(const float *x, int32_t width, double mean) {
  double sums[NORM_SUMS] = {0}, sum = 0;
  int32_t i = 0;
  for (; i + NORM_SUMS <= width; i += NORM_SUMS) {
    for (int j = 0; j < NORM_SUMS; j++) {
      double difference = x[i + j] - mean;
      sums[j] += difference * difference;
    }
  }
  for (; i < width; i++) {
    sum += (x[i] - mean) * (x[i] - mean);
  }
  for (int j = 0; j < NORM_SUMS; j++) {
    sum += sums[j];
  }
  return sum;
}

static double sum_of(const float *x, int32_t width) {
  double sums[NORM_SUMS] = {0}, sum = 0;
  int32_t i = 0;
  for (; i + NORM_SUMS <= width; i += NORM_SUMS) {
    for (int j = 0; j < NORM_SUMS; j++) {
      sums[j] += x[i + j];
    }
  }
  for (; i < width; i++) {
    sum += x[i];
  }
  for (int j = 0; j < NORM_SUMS; j++) {
    sum += sums[j];
  }
  return sum;
}

static void rms_norm_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  int32_t groups = op->rms_norm.groups, width = op->rms_norm.in.width / groups;
  const float *gain = op->rms_norm.gain;
  for (int64_t t = first; t < end; t++) {
    for (int32_t group = 0; group < groups; group++) {
      const float *in = view_row(s, op->rms_norm.in, t) + group * width;
      float *out = view_row(s, op->rms_norm.out, t) + group * width;
      float factor = (float)(1 / sqrt(squares_about(in, width, 0) / width + op->rms_norm.eps));
      if (gain) {
        for (int32_t i = 0; i < width; i++) {
          out[i] = in[i] * factor * gain[i];
        }
      } else {
        for (int32_t i = 0; i < width; i++) {
          out[i] = in[i] * factor;
        }
      }
    }
  }
}

static void op_rms_norm(struct step *s, const struct op *op) { run_rows(s, op, s->rows, op->rms_norm.in.width, rms_norm_rows); }

static void layer_norm_rows(struct step *s, const struct op *op, int64_t first, int64_t end) {
  int32_t width = op->layer_norm.in.width;
  const float *weight = op->layer_norm.weight, *bias = op->layer_norm.bias;
  for (int64_t t = first; t < end; t++) {
    const float *in = view_row(s, op->layer_norm.in, t);
    float *out = view_row(s, op->layer_norm.out, t);
    double mean = sum_of(in, width) / width;
    double factor = 1 / sqrt(squares_about(in, width, mean) / width + op->layer_norm.eps);
    for (int32_t i = 0; i < width; i++) {
      out[i] = (float)((in[i] - mean) * factor) * weight[i] + bias[i];
    }
  }
}

static void op_layer_norm(struct step *s, const struct op *op) { run_rows(s, op, s->rows, 3 * (int64_t)op->layer_norm.in.width, layer_norm_rows); }
