/*
 * A simdgroup of 32 lanes on one thread. Each lane is a context of its own that runs until it asks for a sum; when all of them have asked for the
 * same one, they get it. A lane that asks for another, or returns while others wait, is an error, as it would hang or be undefined on a GPU.
 */
#pragma once

#if defined(__APPLE__)
#define _XOPEN_SOURCE 600
#endif
#include <exception>
#include <stdexcept>
#include <string>
#include <ucontext.h>
#include <vector>

namespace emulated {

class Simdgroup {
 public:
  static constexpr int LANES = 32;

  Simdgroup() : lanes(LANES) {
    for (Lane &lane : lanes) {
      lane.stack.resize(256 << 10);
    }
  }

  /** One for all kernels: what each of theirs would take in stacks, making it takes longer than the kernels do. */
  static Simdgroup &shared() {
    static Simdgroup group;
    return group;
  }

  /** Calls `kernel(lane)` for each lane. */
  template <typename Kernel>
  void run(const Kernel &kernel) {
    run(&kernel, [](const void *of, int lane) { (*static_cast<const Kernel *>(of))(lane); });
  }

  /** The sum over all lanes, for the lane that runs. */
  static float sum(float value, int line) {
    Simdgroup &group = *current;
    Lane &lane = group.lanes[group.running];
    lane.value = value;
    lane.line = line;
    lane.state = State::WAITS;
    swapcontext(&lane.context, &group.scheduler);
    return lane.value;
  }

 private:
  using Body = void(const void *kernel, int lane);

  void run(const void *of, Body *call) {
    kernel = of;
    body = call;
    current = this;
    for (Lane &lane : lanes) {
      lane.state = State::RUNS;
      lane.failure = nullptr;
      getcontext(&lane.context);
      lane.context.uc_stack.ss_sp = lane.stack.data();
      lane.context.uc_stack.ss_size = lane.stack.size();
      lane.context.uc_link = &scheduler;
      makecontext(&lane.context, enter, 0);
    }
    while (step()) {
    }
  }

  enum class State { RUNS, WAITS, ENDED };

  struct Lane {
    ucontext_t context;
    std::vector<char> stack;
    State state;
    float value;
    int line;
    std::exception_ptr failure;
  };

  static void enter() {
    Simdgroup &group = *current;
    Lane &lane = group.lanes[group.running];
    try {
      group.body(group.kernel, group.running);
    } catch (...) {
      lane.failure = std::current_exception();
    }
    lane.state = State::ENDED;
  }

  /** All lanes up to their next sum, or to their end; whether there is more. */
  bool step() {
    for (running = 0; running < LANES; running++) {
      swapcontext(&scheduler, &lanes[running].context);
      if (lanes[running].failure) {
        std::rethrow_exception(lanes[running].failure);
      }
    }
    float value = 0;
    for (int i = 0; i < LANES; i++) {
      if (lanes[i].state != lanes[0].state || (lanes[0].state == State::WAITS && lanes[i].line != lanes[0].line)) {
        throw std::logic_error("lanes diverge: lane 0 " + where(lanes[0]) + ", lane " + std::to_string(i) + " " + where(lanes[i]));
      }
      value += lanes[i].value;
    }
    if (lanes[0].state == State::ENDED) {
      return false;
    }
    for (Lane &lane : lanes) {
      lane.state = State::RUNS;
      lane.value = value;
    }
    return true;
  }

  static std::string where(const Lane &lane) {
    return lane.state == State::ENDED ? "has returned" : "waits for a sum in line " + std::to_string(lane.line);
  }

  static inline Simdgroup *current = nullptr;
  std::vector<Lane> lanes;
  const void *kernel;
  Body *body;
  ucontext_t scheduler;
  int running = 0;
};

} // namespace emulated
