/** The kernels of experts in the language of this machine's GPU. */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mlx/fast.h"
#include "mlx/ops.h"
#include "mlx/stream.h"
#include "mlx/transforms.h"

namespace espalier::decode {

namespace mx = mlx::core;

enum class Dialect { METAL, CUDA };

/** Of the default device; none on processors, where `metal_kernel` can be built and not run. */
std::optional<Dialect> dialect_here();

/** A kernel, compiled when it is first evaluated, which throws if it does not compile. Threads of a group are (32, y, 1): a simdgroup for each y. */
mx::fast::CustomKernelFunction gate_up_kernel(Dialect dialect);
mx::fast::CustomKernelFunction down_sum_kernel(Dialect dialect);

/** Their inputs and outputs, in order. */
extern const std::vector<std::string> GATE_UP_INPUTS, DOWN_SUM_INPUTS;

/** Functions before a kernel, and the body of a kernel with its indices of lane, block and pair. */
std::string header(Dialect dialect);
std::string gate_up_body(Dialect dialect);
std::string down_sum_body(Dialect dialect);

} // namespace espalier::decode
