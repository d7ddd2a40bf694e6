#include "device.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace espalier {

/** Whether an evaluation has failed on this thread's stream, of which MLX then promises nothing. */
static thread_local bool stream_failed = false;

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

static int64_t recommended_memory() {
  const auto &info = mx::device_info(mx::default_device());
  auto found = info.find("max_recommended_working_set_size");
  const size_t *bytes = found == info.end() ? nullptr : std::get_if<size_t>(&found->second);
  return bytes ? static_cast<int64_t>(*bytes) : 0;
}

int64_t device_memory() {
  int64_t recommended = on_gpu() ? recommended_memory() : 0;
  if (recommended > 0) {
    return recommended;
  }
  auto physical = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  rlimit process{};
  bool limited = getrlimit(RLIMIT_AS, &process) == 0 && process.rlim_cur < static_cast<rlim_t>(physical);
  return limited ? static_cast<int64_t>(process.rlim_cur) : physical;
}

/** Bytes; 0 where MLX's own stay. */
struct Limits {
  int64_t wired, cache;
};

/** Metal: else the system takes weights out of the GPU's reach between two steps. The cache is of buffers that are reused by the next step. */
static Limits limits() {
  int64_t recommended = on_gpu() ? recommended_memory() : 0;
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
  }
  const Limits set = limits();
  if (set.wired > 0) {
    mx::set_wired_limit(static_cast<size_t>(set.wired));
    mx::set_cache_limit(static_cast<size_t>(set.cache));
  }
}

void evaluate(std::vector<array> &&outputs, void (*how)(std::vector<array>)) {
  try {
    how(std::move(outputs));
  } catch (const std::exception &e) {
    stream_failed = true;
    throw Failure(ES_DEVICE_LOST, std::string("MLX failed: ") + e.what());
  }
}

} // namespace espalier
