/* The end of a step: one evaluation, then results and sessions. */
#include "step.h"

namespace espalier {

/** [layers][T][width], as wide as the longest choice. */
void Step::add_routing(es_result &result) {
  int width = 0;
  for (const Choice &choice : choices) {
    const auto *ids = choice.experts.data<int32_t>();
    int most = choice.experts.shape(1);
    for (int t = 0; t < rows; t++) {
      for (int k = width; k < most; k++) {
        width = ids[t * most + k] >= 0 ? k + 1 : width;
      }
    }
  }
  for (const Choice &choice : choices) {
    const auto *ids = choice.experts.data<int32_t>();
    const auto *weights = choice.weights.data<float>();
    int most = choice.experts.shape(1);
    for (int t = 0; t < rows; t++) {
      for (int k = 0; k < width; k++) {
        bool chosen = k < most && ids[t * most + k] >= 0;
        experts.push_back(static_cast<int16_t>(chosen ? ids[t * most + k] : -1));
        expert_weights.push_back(chosen ? weights[t * most + k] : 0);
      }
    }
  }
  result.experts = reinterpret_cast<int64_t>(experts.data());
  result.expert_weights = reinterpret_cast<int64_t>(expert_weights.data());
  result.routing_width = width;
}

/** The first of the greatest. */
static int greatest(const float *x, int count) {
  int best = 0;
  for (int i = 1; i < count; i++) {
    best = x[i] > x[best] ? i : best;
  }
  return best;
}

void Step::finish(es_result &result) {
  const es_program &p = program.read;
  bool ends = p.logits.slot >= 0, hidden = wants & ES_LAST_HIDDEN, routing = wants & ES_ROUTING;
  std::vector<array> outputs;
  if (ends) {
    kept.push_back(mx::contiguous(read(p.logits)));
  }
  if (!ends || hidden) {
    kept.push_back(mx::contiguous(read(p.output)));
  }
  outputs = kept;
  for (Choice &choice : choices) {
    if (routing) {
      choice = {mx::contiguous(choice.experts), mx::contiguous(choice.weights)};
      outputs.insert(outputs.end(), {choice.experts, choice.weights});
    }
  }
  for (const State &state : states) {
    outputs.push_back(state.values);
  }
  evaluate_with_caches(std::move(outputs));
  check_cancel();
  if (!ends || hidden) {
    auto values = reinterpret_cast<int64_t>(kept.back().data<char>());
    result.activations = ends ? 0 : values;
    result.last_hidden = hidden ? values : 0;
    result.activation_bytes = static_cast<int64_t>(kept.back().nbytes());
  }
  const float *logits = ends ? kept[0].data<float>() : nullptr;
  if (ends) {
    result.logits = reinterpret_cast<int64_t>(logits);
    result.logits_rows = static_cast<int64_t>(logits_rows.size());
  }
  result.greedy = reinterpret_cast<int64_t>(greedy.data());
  result.greedy_count = static_cast<int64_t>(greedy.size());
  if (routing) {
    add_routing(result);
  }
  for (const State &state : states) {
    state.session->states[static_cast<size_t>(state.cache)] = state.values;
  }
  int64_t wanted = 0;
  for (const Span &span : spans) {
    int64_t some = !ends || span.logits == ES_NO_LOGITS ? 0 : span.logits == ES_LAST_LOGITS ? 1 : span.count;
    wanted += some;
    if (some > 0) {
      span.session->greedy = greatest(logits + (wanted - 1) * p.logits.width, p.logits.width);
    }
    span.session->length = span.end();
  }
}

} // namespace espalier
