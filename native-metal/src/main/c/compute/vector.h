/* Vectors of floats as wide as the instructions allow, by the compilers' own vector types (GCC and Clang). */
#ifndef ES_VECTOR_H
#define ES_VECTOR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define LANES 16
#define TARGET_NAME "AVX-512 VNNI"
#elif defined(__AVX2__)
#include <immintrin.h>
#define LANES 8
#define TARGET_NAME "AVX2"
#elif defined(__ARM_FEATURE_DOTPROD)
#define LANES 4
#define TARGET_NAME "NEON dotprod"
#else
#define LANES 4
#define TARGET_NAME "baseline"
#endif
#if defined(__ARM_NEON)
#include <arm_neon.h> /* which every 64-bit ARM has */
#endif

typedef float vfloat __attribute__((vector_size(LANES * 4)));
typedef int32_t vint __attribute__((vector_size(LANES * 4)));

static inline vfloat vload(const float *p) {
  vfloat v;
  memcpy(&v, p, sizeof v);
  return v;
}

static inline void vstore(float *p, vfloat v) { memcpy(p, &v, sizeof v); }

static inline vfloat vset(float x) { return x - (vfloat){0}; }

/** a * b + c, rounded once where the processor can. */
static inline vfloat vfma(vfloat a, vfloat b, vfloat c) {
#if defined(__AVX512F__)
  return (vfloat)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
  return (vfloat)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__ARM_NEON)
  return (vfloat)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
  return a * b + c;
#endif
}

/** The sum of all lanes, halves first, whatever the width. */
static inline float vsum(vfloat v) {
  float lanes[LANES];
  vstore(lanes, v);
  for (int half = LANES / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) {
      lanes[i] += lanes[i + half];
    }
  }
  return lanes[0];
}

#endif
