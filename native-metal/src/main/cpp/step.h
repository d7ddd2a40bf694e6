/* One step on its way through the ops: they build a graph, whose parts are begun as they are built, and which is evaluated where the step ends or comes to an exchange. */
#pragma once

#include <atomic>
#include <map>

#include "program.h"
#include "slots.h"

namespace espalier {

/** Consecutive rows of one session. */
struct Span {
  Session *session;
  int first, count; /* rows of the step */
  int position;     /* of the first of them */
  int logits;       /* enum es_logits_rows */
  bool greedy;
  int end() const { return position + count; }
};

/** Of a route, by descending choice score: ids [T, K], -1 where a row has fewer, and weights [T, K], there 0. */
struct Choice {
  array experts, weights;
};

class Step {
 public:
  Step(Program &program, words step, const void *activations, const int32_t *cancel);
  Step(const Step &) = delete;
  ~Step() { restore(); }

  /** Goes on to the end, or to an exchange: the status that es_run returns. */
  int run(es_result &result);
  int resume(int outcome, es_result &result);
  void abandon() { paused = nullptr; }

  /* What ops see. */
  Program &program;
  int rows = 0; /* T */
  std::vector<Span> spans;
  std::vector<int32_t> tokens, positions; /* [T]; a token is -1 for a row of activations */
  std::vector<int32_t> logits_rows;       /* [R], rows of the step */
  std::vector<Choice> choices;            /* of the routes so far */
  std::vector<std::optional<array>> selection; /* [spans], what rows see, [T', L]; none for all before them */
  array read(view v) { return slots[static_cast<size_t>(v.slot)].read(v.offset, v.width); }
  void write(view v, const array &values) { slots[static_cast<size_t>(v.slot)].write(v.offset, values); }
  /** Rows of a span of a view. */
  array read(view v, const Span &span);
  /** One after the other, [T, width]. */
  void write(view v, std::vector<array> spans);
  /** Appends rows of a span to a cache, see RowCache. */
  std::vector<array> append(const Span &span, int cache, const std::vector<array> &rows);
  int first_kept(const Span &span, int cache) const { return span.session->rows[static_cast<size_t>(cache)].first; }
  std::optional<array> state(const Span &span, int cache) const { return span.session->states[static_cast<size_t>(cache)]; }
  /** What comes later depends on these values themselves. */
  void evaluate_now(std::vector<array> values) { evaluate_with_caches(std::move(values)); }
  void set_state(const Span &span, int cache, const array &values) { states.push_back({span.session, cache, values}); }

 private:
  /** An exchange in progress; values are the caller's to change. */
  struct Begun {
    int op;
    mx::Shape shape;
    std::vector<char> values;
  };
  struct State {
    Session *session;
    int cache;
    array values;
  };
  struct Changed {
    RowCache *cache;
    RowCache before;
  };
  void read_span(words &w, std::vector<const int32_t *> &given);
  void fill_rows(const std::vector<const int32_t *> &given);
  int64_t own_bytes() const;
  void require_memory() const;
  void build(size_t index);
  bool begin_exchange(int op);
  int pause(Begun &begun, int status, es_result &result);
  void check_cancel() const;
  void evaluate_with_caches(std::vector<array> outputs);
  void begin_evaluation();
  void finish(es_result &result);
  void add_routing(es_result &result);
  void restore();
  [[noreturn]] void not_a_step() const { throw Failure(ES_FAILED, "the step is not what this library expects"); }

  std::vector<Slot> slots;
  std::map<int, Begun> begun; /* by id */
  std::vector<State> states;
  std::vector<Changed> changed; /* since it was evaluated last: arrays of which nobody else may hold the memory when it is */
  const int32_t *cancel;
  size_t next = 0;
  Begun *paused = nullptr;
  int pause_status = 0;
  int wants = 0;
  /* results, until the next call */
  std::vector<array> kept;
  std::vector<int32_t> greedy;
  std::vector<int16_t> experts;
  std::vector<float> expert_weights;
};

/** Builds what an op computes. Each family of ops has a file. */
using Build = void(Step &, const Node &);
Build embed, linear, logits, rms_norm, layer_norm, rotate, attention, select_rows, latent_attention, gated_mlp, route, experts, scale, gate,
    short_convolution, gated_delta_rule, add;

} // namespace espalier
