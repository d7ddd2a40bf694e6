/* Which set of instructions this processor gets, of those that were built: ES_HAS_ and their names. */
#include "../compute/compute.h"

#if defined(ES_HAS_dotprod) && defined(__linux__)
#include <sys/auxv.h>
#endif

extern const struct compute compute_baseline, compute_avx2, compute_avx512, compute_dotprod;

const struct compute *compute_choose(void) {
#if defined(ES_HAS_avx512)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("fma")) {
    return &compute_avx512;
  }
#endif
#if defined(ES_HAS_avx2)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return &compute_avx2;
  }
#endif
#if defined(ES_HAS_dotprod) && defined(__APPLE__)
  return &compute_dotprod; /* every Apple processor of this architecture has it */
#elif defined(ES_HAS_dotprod) && defined(__linux__)
  enum { ASIMDHP = 1 << 10, ASIMDDP = 1 << 20 }; /* of the kernel's HWCAP */
  unsigned long has = getauxval(AT_HWCAP);
  if ((has & ASIMDDP) && (has & ASIMDHP)) {
    return &compute_dotprod;
  }
#endif
  return &compute_baseline;
}
