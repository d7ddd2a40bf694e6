/** A few cases, for kernels that were spoiled: each shows that the emulation notices one way to be wrong. */
#include "check.h"
#include "sparse.h"

using namespace emulated;

int main() {
  try {
    Report report;
    check<Shape<BFloat, BFloat, 2, 2, 64, 96, espalier::AFFINE, 4, 32, true, espalier::SILU, true, 4, 2>>(report, 4, {3, 1, -1, 3}, 1);
    far<Shape<float, float, 1, 1, 7168, 2048, espalier::AFFINE, 8, 64, false, espalier::SILU, true, 4, 1>>(report, 384);
    printf("%d different\n", report.failures);
    return report.failures > 0;
  } catch (const std::exception &error) {
    printf("%s\n", error.what());
    return 1;
  }
}
