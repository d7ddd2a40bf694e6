#include "step.h"

#include <chrono>
#include <cstring>

namespace espalier {

enum { EARLY_OPS = 64 }; /* of a program, some five layers, after which what was built is begun: the device works while the rest is built */

static bool embeds(const es_program &p) { return p.op_count > 0 && p.ops[0].kind == ES_EMBED; }

void Step::read_span(words &w, std::vector<const int32_t *> &given) {
  Span span{};
  int64_t id = word_long(&w);
  span.session = program.sessions->find(id);
  span.position = word(&w);
  span.count = word(&w);
  int input = word_index(&w, 3);
  span.logits = word_index(&w, 3);
  span.first = rows;
  span.greedy = input == ES_GREEDY;
  given.push_back(input == ES_TOKENS ? word_part(&w, span.count).next : nullptr);
  if (!span.session) {
    throw Failure(ES_FAILED, "session " + std::to_string(id) + " is not open");
  }
  bool follows = span.position == span.session->length && span.count > 0 && span.count <= span.session->max_length - span.position;
  if (w.bad || !follows || (span.greedy && span.count != 1) || span.count > INT32_MAX - rows) {
    not_a_step();
  }
  rows += span.count;
  spans.push_back(span);
}

void Step::fill_rows(const std::vector<const int32_t *> &given) {
  bool ends = program.read.logits.slot >= 0, embedded = embeds(program.read);
  int vocabulary = embedded ? program.read.ops[0].embed.weight->rows : 0;
  for (size_t i = 0; i < spans.size(); i++) {
    const Span &span = spans[i];
    for (int t = 0; t < span.count; t++) {
      int32_t token = given[i] ? given[i][t] : span.greedy ? span.session->greedy : -1;
      if (embedded && (token < 0 || token >= vocabulary)) {
        throw Failure(ES_FAILED, "token " + std::to_string(token) + " is not in the vocabulary of " + std::to_string(vocabulary));
      }
      tokens.push_back(token);
      positions.push_back(span.position + t);
      bool wanted = span.logits == ES_ALL_LOGITS || (span.logits == ES_LAST_LOGITS && t == span.count - 1);
      if (ends && wanted) {
        logits_rows.push_back(span.first + t);
      }
    }
    if (span.greedy) {
      greedy.push_back(tokens.back());
    }
  }
}

/**
 * What the widest op takes at least while it is computed, beside slots: gate and up of its units, and what becomes of them, or an output for each expert of
 * a row. How many rows experts have is not known yet where other nodes hold part of them, or sessions edit routing.
 */
int64_t Step::own_bytes() const {
  const es_program &p = program.read;
  auto narrow = static_cast<int64_t>(mx::size_of(activation_type(p)));
  bool edited = std::any_of(spans.begin(), spans.end(), [](const Span &span) { return !span.session->edits.empty(); });
  int64_t most = 0, top_k = 0, experts = 0;
  auto take = [&](int64_t pairs, const unit &u) {
    most = std::max({most, pairs * u.gate.weight->rows * (2 * narrow + 4), pairs * u.down.weight->rows * narrow});
  };
  for (int i = 0; i < p.op_count; i++) {
    const op &o = p.ops[i];
    if (o.kind == ES_ROUTE) {
      top_k = o.route.top_k;
      experts = o.route.experts;
    } else if (o.kind == ES_GATED_MLP) {
      take(rows, o.gated_mlp.unit);
    } else if (o.kind == ES_EXPERTS && !edited && 2 * static_cast<int64_t>(o.experts.held_count) > experts) {
      take(rows * top_k, o.experts.unit);
    }
  }
  return most;
}

/**
 * What the step takes at least, beside what there is already, also of other programs. It is asked before anything is computed: what runs out of memory
 * amidst an evaluation has changed caches by then, so that the device is lost with them, and on the processor MLX ends the process.
 */
void Step::require_memory() const {
  const es_program &p = program.read;
  auto bytes = static_cast<int64_t>(logits_rows.size()) * p.logits.width * INT64_C(4);
  for (int i = 0; i < p.slot_count; i++) {
    bytes += i == p.logits.slot ? 0 : static_cast<int64_t>(rows) * p.slots[i] * static_cast<int64_t>(mx::size_of(activation_type(p)));
  }
  if (bytes + own_bytes() > free_memory()) {
    throw Failure(ES_NO_MEMORY, "no memory for a step of " + std::to_string(rows) + " rows: send fewer rows a step");
  }
}

/** Rows as they travel between nodes. */
static array from_bytes(const void *bytes, const mx::Shape &shape, mx::Dtype type) {
  return type == mx::bfloat16 ? array(static_cast<const mx::bfloat16_t *>(bytes), shape, type)
                              : array(static_cast<const float *>(bytes), shape, type);
}

Step::Step(Program &program, words w, const void *activations, const int32_t *cancel) : program(program), cancel(cancel) {
  const es_program &p = program.read;
  wants = word(&w);
  int count = word_length(&w, 6);
  std::vector<const int32_t *> given;
  for (int i = 0; i < count; i++) {
    read_span(w, given);
  }
  if (w.bad || w.next != w.end || rows == 0) {
    not_a_step();
  }
  fill_rows(given);
  require_memory();
  for (int i = 0; i < p.slot_count; i++) {
    bool logits = i == p.logits.slot;
    slots.emplace_back(logits ? static_cast<int>(logits_rows.size()) : rows, logits ? mx::float32 : activation_type(p));
  }
  if (!embeds(p)) {
    if (!activations || p.input.width != p.hidden) {
      not_a_step();
    }
    write(p.input, from_bytes(activations, {rows, p.hidden}, activation_type(p)));
  }
}

array Step::read(view v, const Span &span) {
  array all = read(v);
  return span.count == rows ? all : mx::slice(all, {span.first, 0}, {span.first + span.count, v.width});
}

void Step::write(view v, std::vector<array> values) { write(v, values.size() == 1 ? values[0] : mx::concatenate(std::move(values), 0)); }

std::vector<array> Step::append(const Span &span, int cache, const std::vector<array> &values) {
  RowCache &to = span.session->rows[static_cast<size_t>(cache)];
  changed.push_back({&to, to});
  int most = span.session->max_length;
  return to.append(span.position, kept_rows(program.read.caches[cache], most), most, values);
}

/** Caches as they were before what was not evaluated. */
void Step::restore() {
  for (auto one = changed.rbegin(); one != changed.rend(); one++) {
    *one->cache = std::move(one->before);
  }
  changed.clear();
}

/** In a group of nodes only an exchange cancels. */
void Step::check_cancel() const {
  if (program.read.nodes <= 1 && cancel && std::atomic_ref(*const_cast<int32_t *>(cancel)).load(std::memory_order_relaxed) != 0) {
    throw Failure(ES_CANCELLED, "the step was cancelled");
  }
}

/** Caches that ops have appended to are evaluated too, once nobody holds what they were: so MLX writes rows in place. */
void Step::evaluate_with_caches(std::vector<array> outputs) {
  check_cancel();
  for (const Changed &one : changed) {
    outputs.insert(outputs.end(), one.cache->parts.begin(), one.cache->parts.end());
  }
  changed.clear();
  evaluate(std::move(outputs));
}

/** What was built since is computed while more is built, or while an exchange is awaited. */
void Step::begin_evaluation() {
  std::vector<array> pending;
  for (const Slot &slot : slots) {
    slot.add_to(pending);
  }
  std::erase_if(pending, [](const array &a) { return a.status() != array::Status::unscheduled; });
  if (pending.empty()) {
    return;
  }
  for (const Changed &one : changed) {
    pending.insert(pending.end(), one.cache->parts.begin(), one.cache->parts.end());
  }
  changed.clear();
  begin_to_evaluate(std::move(pending));
}

/** Values are kept under the exchange's id. */
bool Step::begin_exchange(int index) {
  const auto &exchange = program.read.ops[index].exchange;
  bool logits = exchange.view.slot == program.read.logits.slot;
  int count = logits ? static_cast<int>(logits_rows.size()) : rows;
  if (count == 0) {
    return false; /* no row wants logits, on no node */
  }
  mx::Dtype type = activation_type(program.read);
  mx::Shape shape{count, exchange.view.width};
  std::vector<char> values(static_cast<size_t>(count) * static_cast<size_t>(exchange.view.width) * mx::size_of(type));
  if (exchange.kind != 1) {
    array sent = mx::contiguous(mx::astype(read(exchange.view), type));
    evaluate_with_caches({sent});
    std::memcpy(values.data(), sent.data<char>(), values.size());
  }
  begun.insert_or_assign(exchange.id, Begun{index, shape, std::move(values)});
  return true;
}

int Step::pause(Begun &at, int status, es_result &result) {
  result.exchange_op = at.op;
  result.exchange_values = reinterpret_cast<int64_t>(at.values.data());
  result.exchange_bytes = static_cast<int64_t>(at.values.size());
  paused = &at;
  pause_status = status;
  return status;
}

static Build *const builders[ES_OPS] = {embed, rms_norm, layer_norm, linear, rotate, attention, select_rows, latent_attention, gated_mlp, route, experts,
    scale, gate, short_convolution, gated_delta_rule, add, nullptr, nullptr, logits};

/** While it is profiled each op is evaluated by itself. */
void Step::build(size_t index) {
  const Node &node = program.nodes[index];
  auto start = std::chrono::steady_clock::now();
  builders[node.read->kind](*this, node);
  if (!program.nanos.empty()) {
    std::vector<array> all;
    for (const Slot &slot : slots) {
      slot.add_to(all);
    }
    for (const Choice &choice : choices) {
      all.insert(all.end(), {choice.experts, choice.weights});
    }
    evaluate_with_caches(std::move(all));
    program.nanos[index] += std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
  }
}

int Step::run(es_result &result) {
  try {
    while (next < program.nodes.size()) {
      int index = static_cast<int>(next++);
      const op &o = *program.nodes[static_cast<size_t>(index)].read;
      check_cancel();
      if (o.kind == ES_EXCHANGE_BEGIN_OP) {
        if (begin_exchange(index)) {
          return pause(begun.at(o.exchange.id), ES_EXCHANGE_BEGIN, result);
        }
      } else if (o.kind == ES_EXCHANGE_AWAIT_OP) {
        auto found = begun.find(o.exchange.id);
        if (found != begun.end()) {
          begin_evaluation();
          return pause(found->second, ES_EXCHANGE_AWAIT, result);
        }
      } else {
        build(static_cast<size_t>(index));
        if (program.read.nodes <= 1 && next % EARLY_OPS == 0) {
          begin_evaluation();
        }
      }
    }
    finish(result);
    return ES_OK;
  } catch (...) {
    restore();
    throw;
  }
}

int Step::resume(int outcome, es_result &result) {
  if (!paused) {
    throw Failure(ES_FAILED, "no step pauses");
  }
  Begun &at = *paused;
  paused = nullptr;
  const auto &exchange = program.read.ops[at.op].exchange;
  if (outcome != 0) {
    restore();
    throw outcome == 1 ? Failure(ES_CANCELLED, "the step was cancelled")
                       : Failure(ES_FAILED, "exchange " + std::to_string(exchange.id) + " failed: another node of the group failed or is gone");
  }
  if (pause_status == ES_EXCHANGE_AWAIT) {
    write(exchange.view, from_bytes(at.values.data(), at.shape, activation_type(program.read)));
    begun.erase(exchange.id);
  }
  return run(result);
}

} // namespace espalier
