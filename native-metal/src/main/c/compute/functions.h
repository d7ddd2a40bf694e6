/* Exponentials and what is made of them, lane by lane, to about one unit in the last place. NaN stays NaN. */
#ifndef ES_FUNCTIONS_H
#define ES_FUNCTIONS_H

#include "vector.h"

/** `a` where the mask is set, else `b`. */
static inline vfloat vselect(vint mask, vfloat a, vfloat b) { return (vfloat)(((vint)a & mask) | ((vint)b & ~mask)); }

/** The greater; b where one is NaN. */
static inline vfloat vmax(vfloat a, vfloat b) {
#if defined(__AVX512F__)
  return (vfloat)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (vfloat)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return vselect(a > b, a, b);
#endif
}

/** The smaller; b where one is NaN. */
static inline vfloat vmin(vfloat a, vfloat b) {
#if defined(__AVX512F__)
  return (vfloat)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (vfloat)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return vselect(a < b, a, b);
#endif
}

/** 2 to the power of whole numbers from -252 to 254, by which x is multiplied in two halves: neither leaves the range. */
static inline vfloat vscale2(vfloat x, vfloat power) {
#if defined(__AVX512F__)
  return (vfloat)_mm512_scalef_ps((__m512)x, (__m512)power);
#else
  vint n = __builtin_convertvector(power, vint), half = n >> 1;
  return x * (vfloat)((half + 127) << 23) * (vfloat)((n - half + 127) << 23);
#endif
}

/** e to the power of x: x = n ln 2 + r, and a polynomial of r (Cephes, expf). 0 of -inf, inf of more than 88.73. */
static inline vfloat vexp(vfloat x) {
  x = vmin(vset(89), vmax(vset(-104), x)); /* beyond these it is 0 and inf */
  vfloat magic = vset(12582912); /* 1.5 * 2^23: a sum with it is a whole number */
  vfloat n = vfma(x, vset(1.44269504088896341f), magic) - magic;
  vfloat r = vfma(n, vset(-0.693359375f), x);
  r = vfma(n, vset(2.12194440e-4f), r);
  vfloat p = vset(1.9875691500e-4f);
  p = vfma(p, r, vset(1.3981999507e-3f));
  p = vfma(p, r, vset(8.3334519073e-3f));
  p = vfma(p, r, vset(4.1665795894e-2f));
  p = vfma(p, r, vset(1.6666665459e-1f));
  p = vfma(p, r, vset(5.0000001201e-1f));
  p = vfma(p * r, r, r) + 1;
  return vscale2(p, n);
}

static inline vfloat vsigmoid(vfloat x) { return 1 / (1 + vexp(-x)); }

/** x sigmoid(x); 0 of -inf would be NaN, as it is in double. */
static inline vfloat vsilu(vfloat x) { return x / (1 + vexp(-x)); }

/** The approximation by a hyperbolic tangent: (1 + tanh y) / 2 is sigmoid(2y). */
static inline vfloat vgelu(vfloat x) {
  vfloat inner = vset(0.797884560802865f) * vfma(vset(0.044715f) * x * x, x, x); /* sqrt(2 / pi) */
  return x * vsigmoid(2 * inner);
}

/** Near 0 a polynomial (Cephes, tanhf), for there the other form cancels. */
static inline vfloat vtanh(vfloat x) {
  vfloat z = x * x;
  vfloat p = vset(-5.70498872745e-3f);
  p = vfma(p, z, vset(2.06390887954e-2f));
  p = vfma(p, z, vset(-5.37397155531e-2f));
  p = vfma(p, z, vset(1.33314422036e-1f));
  p = vfma(p, z, vset(-3.33332819422e-1f));
  vfloat near = vfma(p * z, x, x);
  vfloat far = 1 - 2 / (vexp(2 * x) + 1);
  return vselect(z < vset(0.625f * 0.625f), near, far);
}

/** The first `count` lanes, all of LANES and more, then zeros. */
static inline vfloat vload_some(const float *p, int64_t count) {
  if (count >= LANES) {
    return vload(p);
  }
  float lanes[LANES] = {0};
  memcpy(lanes, p, (size_t)count * sizeof *p);
  return vload(lanes);
}

static inline void vstore_some(float *p, vfloat v, int64_t count) {
  if (count >= LANES) {
    vstore(p, v);
    return;
  }
  float lanes[LANES];
  vstore(lanes, v);
  memcpy(p, lanes, (size_t)count * sizeof *p);
}

/** y[i] = f(x[i]) for i < count. */
#define EACH_LANE(count, x, y, f)                                                          \
  for (int64_t lane_ = 0; lane_ < (count); lane_ += LANES) {                               \
    vstore_some((y) + lane_, f(vload_some((x) + lane_, (count) - lane_)), (count) - lane_); \
  }

#endif
