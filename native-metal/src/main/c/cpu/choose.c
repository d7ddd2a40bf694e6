/* Which set of instructions this processor gets. */
#include "../compute/compute.h"

extern const struct compute compute_baseline;
#if defined(__x86_64__)
extern const struct compute compute_avx2, compute_avx512;
#elif defined(__aarch64__)
extern const struct compute compute_dotprod;
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

const struct compute *compute_choose(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("fma")) {
    return &compute_avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return &compute_avx2;
  }
#elif defined(__aarch64__) && defined(__APPLE__)
  return &compute_dotprod; /* every Apple processor of this architecture has it */
#elif defined(__aarch64__) && defined(__linux__)
  enum { ASIMDHP = 1 << 10, ASIMDDP = 1 << 20 }; /* of the kernel's HWCAP */
  unsigned long has = getauxval(AT_HWCAP);
  if ((has & ASIMDDP) && (has & ASIMDHP)) {
    return &compute_dotprod;
  }
#endif
  return &compute_baseline;
}
