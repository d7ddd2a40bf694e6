#include "device.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace espalier {

/** Whether an evaluation has failed on this thread's stream, of which MLX then promises nothing. */
static thread_local bool stream_failed = false;

/** Whether something was begun on it that nobody has asked after, also by a step that ended early. */
static thread_local bool begun = false;

std::string device_name() {
  std::string name = std::string("MLX ") + mx::version();
  if (!on_gpu()) {
    return name + " on the processor";
  }
  const auto &info = mx::device_info(mx::Device::gpu);
  auto found = info.find("device_name");
  const std::string *text = found == info.end() ? nullptr : std::get_if<std::string>(&found->second);
  return name + " on " + (text ? *text : "the GPU");
}

void require_exceptions() {
  try {
    mx::reshape(mx::zeros({2}), {3});
  } catch (const std::invalid_argument &) {
    return;
  } catch (...) {
    throw Failure(ES_FAILED, "what MLX throws is not caught by its type: the library has another C++ runtime than MLX");
  }
  throw Failure(ES_FAILED, "MLX did not throw where it has to");
}

array exact_vector(const es_program &p, const float *values, mx::Shape shape) {
  array floats(values, shape, mx::float32);
  if (!is_fast(&p) || !on_gpu()) {
    return floats;
  }
  for (size_t i = 0; i < floats.size(); i++) {
    if (static_cast<float>(mx::bfloat16_t(values[i])) != values[i]) {
      return floats;
    }
  }
  return mx::astype(floats, mx::bfloat16);
}

/** What MLX says of the GPU under a name; 0 where it says nothing, or computes on the processor. */
static int64_t gpu_bytes(const char *name) {
  if (!on_gpu()) {
    return 0;
  }
  const auto &info = mx::device_info(mx::default_device());
  auto found = info.find(name);
  const size_t *bytes = found == info.end() ? nullptr : std::get_if<size_t>(&found->second);
  return bytes ? static_cast<int64_t>(*bytes) : 0;
}

/** Metal's name: what the GPU may have of the memory that it shares with the processor. */
static int64_t recommended_memory() { return gpu_bytes("max_recommended_working_set_size"); }

static int64_t gpu_memory() {
  int64_t bytes = recommended_memory();
  for (const char *name : {"total_memory", "memory_size"}) { /* CUDA has the first */
    bytes = bytes > 0 ? bytes : gpu_bytes(name);
  }
  return bytes;
}

int64_t device_memory() {
  static const int64_t gpu = gpu_memory(); /* CUDA's driver is asked anew each time, which a step need not wait for */
  if (gpu > 0) {
    return gpu;
  }
  auto physical = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  rlimit process{};
  bool limited = getrlimit(RLIMIT_AS, &process) == 0 && process.rlim_cur < static_cast<rlim_t>(physical);
  return limited ? static_cast<int64_t>(process.rlim_cur) : physical;
}

int64_t free_memory() { return device_memory() - static_cast<int64_t>(mx::get_active_memory()); }

/** By all programs of the engine, whose thread this is. */
static thread_local int64_t promised = 0;

int64_t unpromised_memory() { return device_memory() - promised; }

void Promise::set(int64_t now) {
  promised += now - bytes;
  bytes = now;
}

/** Bytes; 0 where MLX's own stay. */
struct Limits {
  int64_t wired, cache;
};

/** Metal: else the system takes weights out of the GPU's reach between two steps. The cache is of buffers that are reused by the next step. */
static Limits limits() {
  int64_t recommended = recommended_memory();
  return {recommended, recommended / 16};
}

std::string memory_limits() {
  const Limits set = limits();
  if (set.wired == 0) {
    return "memory: MLX's own limits, for the device recommends none\n";
  }
  char text[100];
  std::snprintf(text, sizeof text, "memory: wired limit %.2f GB, cache limit %.2f GB\n", static_cast<double>(set.wired) * 1e-9, static_cast<double>(set.cache) * 1e-9);
  return text;
}

void prepare_device() {
  if (stream_failed) {
    mx::set_default_stream(mx::new_stream(mx::default_device()));
    stream_failed = false;
    begun = false;
  }
  const Limits set = limits();
  if (set.wired > 0) {
    mx::set_wired_limit(static_cast<size_t>(set.wired));
    mx::set_cache_limit(static_cast<size_t>(set.cache));
  }
}

void lose_device(const std::string &why) {
  stream_failed = true;
  throw Failure(ES_DEVICE_LOST, "MLX failed: " + why);
}

void evaluate(std::vector<array> &&outputs) {
  try {
    mx::eval(std::move(outputs));
    if (begun) {
      mx::synchronize();
      begun = false;
    }
  } catch (const std::exception &e) {
    lose_device(e.what());
  }
}

void begin_to_evaluate(std::vector<array> &&outputs) {
  begun = true;
  try {
    mx::async_eval(std::move(outputs));
  } catch (const std::exception &e) {
    lose_device(e.what());
  }
}

} // namespace espalier
