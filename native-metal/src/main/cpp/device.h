/* Where MLX computes, in which types, and what it does when it cannot. */
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "mlx/mlx.h"
#include "mlx/version.h"

extern "C" {
#include "../c/program/program.h"
}

namespace espalier {

namespace mx = mlx::core;
using mx::array;

/** Ends a call with a status and a sentence. */
struct Failure : std::runtime_error {
  int status;
  Failure(int status, const std::string &text) : std::runtime_error(text), status(status) {}
};

inline bool on_gpu() { return mx::default_device() == mx::Device::gpu; }

/** Device and version, for people. */
std::string device_name();

/** What prepare_device sets, for people: a line. */
std::string memory_limits();

/** Fails unless what MLX throws is caught here by its type, as it is where both have one C++ runtime. */
void require_exceptions();

/** Of values in slots, and between shards. */
inline mx::Dtype activation_type(const es_program &p) { return is_fast(&p) ? mx::bfloat16 : mx::float32; }

/** Of rows of a KV cache. What fast computes is exact in bfloat16, so that 2 bytes lose nothing there. */
inline mx::Dtype cache_type(const es_program &p) {
  return p.kv_type != ES_KV_F16 ? mx::float32 : is_fast(&p) ? mx::bfloat16 : mx::float16;
}

/**
 * As an operand of something that adds up. Metal and CUDA add up in float whatever the type is; MLX's processor backend does so in the operands'
 * type (and is slower in bfloat16), so that there operands are floats and only results are rounded.
 */
inline array wide(const array &x) { return on_gpu() || x.dtype() == mx::float32 ? x : mx::astype(x, mx::float32); }

inline array to_float(const array &x) { return x.dtype() == mx::float32 ? x : mx::astype(x, mx::float32); }

/** `values` in the narrowest type in which they are exact and sums with activations stay in the activations' type. */
array exact_vector(const es_program &p, const float *values, mx::Shape shape);

/**
 * Before a program is loaded: a stream of this thread on which nothing has failed, and on a Mac the memory that weights are kept wired in. A stream is bound
 * to its thread, which is always the engine's one.
 */
void prepare_device();

/** Bytes that the device's memory may be filled to. Beyond, MLX on the processor does not fail but ends the process, so that it is asked before. */
int64_t device_memory();

/** Of these, what no array of any program takes. */
int64_t free_memory();

/** Of these, what no program of this thread's engine has promised to anybody, whether it is taken yet or not. */
int64_t unpromised_memory();

/** Bytes of the device's memory that a program keeps for its weights and for what its sessions may grow to. */
class Promise {
 public:
  Promise() = default;
  Promise(const Promise &) = delete;
  ~Promise() { set(0); }
  void set(int64_t now);

 private:
  int64_t bytes = 0;
};

/** Ends a call in which MLX failed: it promises nothing of its stream after that, so that the device is lost with everything that it had. */
[[noreturn]] void lose_device(const std::string &why);

/** Evaluates together. What it returns from is right: also what was begun before, of which MLX may keep an error to itself, has not failed. */
void evaluate(std::vector<array> &&outputs);

/** Begins to evaluate together. An error may not be seen before the next `evaluate`. */
void begin_to_evaluate(std::vector<array> &&outputs);

} // namespace espalier
