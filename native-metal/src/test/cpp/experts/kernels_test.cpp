/** The expert kernels in emulation. Prints a line for each group of cases; ends with 1 where one fails. */
#include "check.h"
#include "sparse.h"

using namespace emulated;
using espalier::AFFINE;
using espalier::CLAMPED_SWIGLU;
using espalier::GELU;
using espalier::MXFP4;
using espalier::SILU;

static int failed = 0;

static void end(const char *name, const Report &report) {
  printf("%s: %d cases, at most %.2f of what rounding allows%s\n", name, report.cases, report.share, report.failures ? ": DIFFERENT" : "");
  failed += report.failures;
}

/** One and three rows, or two and four, each with other experts, of columns that fill no step of a simdgroup. */
template <typename X, typename Scale, int FORMAT, int BITS, int GROUP, bool EVEN>
static void format(const char *name) {
  Report report;
  constexpr int D = GROUP == 32 ? 160 : 3 * GROUP, F = GROUP < 128 ? 64 : 128;
  if constexpr (EVEN) {
    check<Shape<X, Scale, 2, 2, F, D, FORMAT, BITS, GROUP, true, CLAMPED_SWIGLU, true, 2, 2>>(report, 5, {4, 2, 0, 4}, 1);
    check<Shape<X, Scale, 4, 2, F, F, FORMAT, BITS, GROUP, true, SILU, false, 4, 1>>(report, 8, {7, 1, 1, 2, 6, 7, 0, 5}, 2);
  } else {
    check<Shape<X, Scale, 1, 4, D, F, FORMAT, BITS, GROUP, false, SILU, false, 1, 1>>(report, 6, {5, 0, 3, 1}, 3);
    check<Shape<X, Scale, 3, 2, D, F, FORMAT, BITS, GROUP, false, GELU, true, 4, 4>>(report, 4, {3, 1, 1, 3, 0, 2}, 4);
  }
  end(name, report);
}

/** Experts that no row of the step, or all, or one row twice chose, and those that this node does not hold. */
static void choices() {
  using One = Shape<float, float, 1, 3, 96, 64, AFFINE, 4, 32, true, SILU, true, 2, 2>;
  using Four = Shape<float, float, 4, 3, 96, 64, AFFINE, 4, 32, true, SILU, true, 2, 2>;
  Report report;
  check<One>(report, 3, {2, 0, 1}, 11);
  check<One>(report, 3, {-1, 2, -1}, 12);
  check<One>(report, 3, {-1, -1, -1}, 13);
  check<One>(report, 3, {1, 1, 1}, 14);
  check<Four>(report, 3, {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}, 15);
  check<Four>(report, 9, {-1, 4, 8, 4, -1, 4, -1, -1, -1, 8, 0, 4}, 16);
  check<Four>(report, 3, {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 2}, 17);
  check<Four>(report, 1, {0, 0, 0, -1, 0, 0, 0, -1, 0, 0, 0, -1}, 18);
  end("repeated and missing experts", report);
}

/** Steps of lanes that are full, and columns that only some lanes reach. */
template <int D, int F, int WORDS>
static void width(Report &report) {
  check<Shape<BFloat, BFloat, 1, 1, D, F, AFFINE, 4, 32, false, SILU, true, 1, WORDS>>(report, 2, {1}, 20 + D);
  check<Shape<BFloat, uint8_t, 1, 1, D, F, MXFP4, 4, 32, false, SILU, true, 4, WORDS>>(report, 2, {0}, 21 + D);
}

static void widths() {
  Report report;
  width<32, 32, 1>(report);
  width<256, 288, 1>(report);
  width<512, 480, 2>(report);
  width<1024, 1056, 4>(report);
  width<64, 2080, 4>(report);
  end("ragged widths", report);
}

int main() {
  try {
    format<BFloat, BFloat, AFFINE, 4, 32, false>("affine, 4 bits, group 32, bfloat16");
    format<BFloat, BFloat, AFFINE, 4, 64, true>("affine, 4 bits, group 64, bfloat16");
    format<BFloat, BFloat, AFFINE, 4, 128, false>("affine, 4 bits, group 128, bfloat16");
    format<Half, Half, AFFINE, 4, 64, true>("affine, 4 bits, group 64, float16");
    format<float, float, AFFINE, 4, 32, false>("affine, 4 bits, group 32, float32");
    format<float, BFloat, AFFINE, 4, 128, true>("affine, 4 bits, group 128, float32 of bfloat16");
    format<BFloat, BFloat, AFFINE, 8, 32, false>("affine, 8 bits, group 32, bfloat16");
    format<Half, Half, AFFINE, 8, 64, true>("affine, 8 bits, group 64, float16");
    format<float, float, AFFINE, 8, 128, false>("affine, 8 bits, group 128, float32");
    format<float, Half, AFFINE, 8, 64, true>("affine, 8 bits, group 64, float32 of float16");
    format<BFloat, uint8_t, MXFP4, 4, 32, false>("mxfp4, bfloat16");
    format<float, uint8_t, MXFP4, 4, 32, true>("mxfp4, float32");
    choices();
    widths();
    Report report;
    far<Shape<float, float, 1, 1, 7168, 2048, AFFINE, 4, 64, false, SILU, false, 4, 2>>(report, 256);
    far<Shape<float, float, 1, 1, 7168, 2048, AFFINE, 8, 64, false, SILU, true, 4, 1>>(report, 384);
    end("the last expert of DeepSeek V3's shape, and of Kimi K2's in one matrix with 8 bits", report);
  } catch (const std::exception &error) {
    printf("%s\n", error.what());
    return 1;
  }
  return failed ? 1 : 0;
}
