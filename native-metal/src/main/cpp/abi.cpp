/* The exported functions of espalier.h. No exception crosses them. */
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "step.h"

namespace espalier {

static Program &of(int64_t program) { return *reinterpret_cast<Program *>(program); }

static int say(char *error, int status, const char *text) {
  std::snprintf(error, ES_ERROR_BYTES, "%s", text);
  return status;
}

/** Runs a call and makes a status of what it throws. */
template <typename Call> static int guarded(char *error, Call call) {
  try {
    return call();
  } catch (const Failure &e) {
    return say(error, e.status, e.what());
  } catch (const std::bad_alloc &) {
    return say(error, ES_NO_MEMORY, "no memory");
  } catch (const std::exception &e) {
    return say(error, ES_FAILED, e.what());
  } catch (...) {
    return say(error, ES_FAILED, "MLX threw what is no exception of C++");
  }
}

/** The same of a program; one whose device is lost answers nothing else any more. */
template <typename Call> static int guarded(int64_t program, char *error, Call call) {
  Program &p = of(program);
  if (p.lost) {
    return say(error, ES_DEVICE_LOST, "the program failed earlier and has to be loaded anew");
  }
  int status = guarded(error, [&] { return call(p); });
  p.lost = status == ES_DEVICE_LOST;
  return status;
}

/** The same of a step: whatever MLX throws while one is built or computed is a lost device; only where there is no memory the step alone fails. */
template <typename Call> static int stepping(int64_t program, char *error, Call call) {
  return guarded(program, error, [&](Program &p) {
    try {
      return call(p);
    } catch (const Failure &) {
      throw;
    } catch (const std::bad_alloc &) {
      throw;
    } catch (const std::exception &e) {
      lose_device(e.what());
    } catch (...) {
      lose_device("it threw what is no exception of C++");
    }
  });
}

/** A call that cannot report. A program in which one fails is in no state that is known, and the next call that can report says so. */
template <typename Call> static void unreported(int64_t program, Call call) {
  char error[ES_ERROR_BYTES];
  Program &p = of(program);
  p.lost |= ES_OK != guarded(error, [&] {
    call(p);
    return ES_OK;
  });
}

} // namespace espalier

using namespace espalier;

int32_t es_version(void) { return ES_VERSION; }

int32_t es_describe(char *text, int32_t capacity) {
  char error[ES_ERROR_BYTES];
  int status = guarded(error, [&] {
    setenv("MLX_ENABLE_TF32", "0", 0); /* where GPUs have it, MLX takes 10 bits of mantissa for float32; asked before its first product. What the user set stays */
    require_exceptions();
    std::snprintf(text, capacity > 0 ? static_cast<size_t>(capacity) : 0, "%s", device_name().c_str());
    return ES_OK;
  });
  if (status != ES_OK) {
    std::snprintf(text, capacity > 0 ? static_cast<size_t>(capacity) : 0, "%s", error);
  }
  return status;
}

int32_t es_load(const int32_t *words, int64_t count, int64_t *program, char *error) {
  *program = 0;
  return guarded(error, [&] {
    *program = reinterpret_cast<int64_t>(new Program(words, count));
    return ES_OK;
  });
}

int32_t es_load_more(int64_t program, int64_t *done, char *error) {
  return guarded(program, error, [&](Program &p) {
    *done = p.loader->more(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    return ES_OK;
  });
}

void es_unload(int64_t program) {
  char error[ES_ERROR_BYTES];
  if (program) {
    guarded(error, [&] {
      delete &of(program);
      mx::clear_cache();
      return ES_OK;
    });
  }
}

int64_t es_activation_bytes(int64_t program) { return static_cast<int64_t>(mx::size_of(activation_type(of(program).read))); }

int64_t es_resident_bytes(int64_t program) { return of(program).loader->resident_bytes(); }

int64_t es_kv_bytes_per_row(int64_t program) { return of(program).sessions->row_bytes(); }

int64_t es_state_bytes(int64_t program) { return of(program).sessions->state_bytes(); }

/** None where the device does not say what memory it has. */
int64_t es_kv_rows_free(int64_t program) {
  int64_t rows = 0;
  unreported(program, [&](const Program &p) { rows = p.sessions->rows_free(); });
  return rows;
}

int32_t es_open(int64_t program, int64_t session, int32_t max_length, const int32_t *edits, int64_t count, char *error) {
  return guarded(program, error, [&](Program &p) {
    p.sessions->open(session, max_length, {edits, edits + count, false});
    return ES_OK;
  });
}

int32_t es_copy_rows(int64_t program, int64_t from, int64_t to, int32_t length, char *error) {
  return guarded(program, error, [&](Program &p) {
    p.sessions->copy(from, to, length);
    return ES_OK;
  });
}

int32_t es_snapshot(int64_t program, int64_t session, char *error) {
  return guarded(program, error, [&](Program &p) {
    p.sessions->snapshot(session);
    return ES_OK;
  });
}

void es_drop_snapshot(int64_t program, int64_t session, int32_t length) {
  unreported(program, [&](Program &p) { p.sessions->drop_snapshot(session, length); });
}

void es_drop_rows(int64_t program, int64_t session, int32_t length) {
  unreported(program, [&](Program &p) { p.sessions->drop_rows(session, length); });
}

void es_close_session(int64_t program, int64_t session) {
  unreported(program, [&](Program &p) {
    p.step.reset(); /* one that pauses may be of this session */
    p.sessions->close(session);
  });
}

int32_t es_run(int64_t program, const int32_t *step, int64_t count, const void *activations, const int32_t *cancel, es_result *result, char *error) {
  *result = {};
  return stepping(program, error, [&](Program &p) {
    p.step.reset();
    p.step = std::make_unique<Step>(p, words{step, step + count, false}, activations, cancel);
    return p.step->run(*result);
  });
}

int32_t es_resume(int64_t program, int32_t outcome, es_result *result, char *error) {
  *result = {};
  return stepping(program, error, [&](Program &p) {
    if (!p.step) {
      throw Failure(ES_FAILED, "no step pauses");
    }
    return p.step->resume(outcome, *result);
  });
}

int32_t es_profile(int64_t program, int64_t *nanos, int32_t capacity) {
  Program &p = of(program);
  if (p.nanos.empty() || capacity < static_cast<int64_t>(p.nanos.size())) {
    return ES_FAILED;
  }
  std::copy(p.nanos.begin(), p.nanos.end(), nanos);
  std::fill(p.nanos.begin(), p.nanos.end(), 0);
  return ES_OK;
}

void es_report(int64_t program, char *text, int32_t capacity) {
  const Program &p = of(program);
  bool experts = std::any_of(p.nodes.begin(), p.nodes.end(), [](const Node &n) { return n.read->kind == ES_EXPERTS; });
  const std::string all = memory_limits() + (experts ? p.decode.report() + p.grouped.report() : "");
  std::snprintf(text, capacity > 0 ? static_cast<size_t>(capacity) : 0, "%s", all.c_str());
}

/** Of the device's memory, of which there is one kind: the greatest of so many numbers is looked for. */
int32_t es_read_rate(int64_t program, int32_t, int64_t bytes, double *rate, char *error) {
  return guarded(program, error, [&](Program &) {
    int64_t megabytes = bytes >> 20;
    *rate = 0;
    if (megabytes < 1) {
      return ES_OK;
    }
    if (megabytes > INT32_MAX || bytes > free_memory()) {
      throw Failure(ES_NO_MEMORY, "no memory to measure");
    }
    array all = mx::zeros({static_cast<int>(megabytes), 1 << 18}, mx::float32);
    evaluate({all});
    auto start = std::chrono::steady_clock::now();
    evaluate({mx::max(all)});
    *rate = static_cast<double>(megabytes << 20) / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return ES_OK;
  });
}
