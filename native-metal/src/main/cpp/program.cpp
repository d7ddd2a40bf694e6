#include "program.h"

#include "step.h"

namespace espalier {

/** Wants the weights of an op and makes arrays of its vectors. */
class Preparation {
 public:
  explicit Preparation(Program &p) : program(p), p(p.read), loader(*p.loader) {}
  void prepare(Node &node);

 private:
  Unit unit(const ::unit &u);
  std::optional<array> bias(const projection &from);
  array vector(const float *values, int length) { return exact_vector(p, values, {length}); }
  const Operand *exact(const weight *w) { return loader.want({w}, Exactness::FLOAT); }
  void attention(Node &node, const int32_t *kv_head, int heads, int kv_heads);
  void held(Node &node);

  Program &program;
  const es_program &p;
  Loader &loader;
};

std::optional<array> Preparation::bias(const projection &from) {
  if (!from.bias_values) {
    return std::nullopt;
  }
  int rows = from.weight->rows, count = from.weight->count;
  std::vector<float> all;
  for (int i = 0; i < count; i++) {
    all.insert(all.end(), from.bias_values[i], from.bias_values[i] + rows);
  }
  return exact_vector(p, all.data(), count == 1 ? mx::Shape{rows} : mx::Shape{count, rows});
}

Unit Preparation::unit(const ::unit &u) {
  Unit made;
  if (loader.go_together(*u.gate.weight, *u.up.weight)) {
    made.both = loader.want({u.gate.weight, u.up.weight});
  } else {
    made.gate = loader.want({u.gate.weight});
    made.up = loader.want({u.up.weight});
  }
  made.down = loader.want({u.down.weight});
  made.gate_bias = bias(u.gate);
  made.up_bias = bias(u.up);
  made.down_bias = bias(u.down);
  return made;
}

/** Heads that share KV heads in another way take them by index. */
void Preparation::attention(Node &node, const int32_t *kv_head, int heads, int kv_heads) {
  node.plain_heads = heads % kv_heads == 0;
  for (int i = 0; i < heads && node.plain_heads; i++) {
    node.plain_heads = kv_head[i] == i / (heads / kv_heads);
  }
  node.indices = array(kv_head, {heads}, mx::int32);
}

/** For each expert and replica class of the router, the place of its matrices here: [3, E] of place or -1, replica, replicas. */
void Preparation::held(Node &node) {
  const auto &e = node.read->experts;
  int experts = 0;
  for (const Node &before : program.nodes) {
    experts = before.read->kind == ES_ROUTE ? before.read->route.experts : experts;
    if (&before == &node) {
      break;
    }
  }
  std::vector<int32_t> table(static_cast<size_t>(3 * experts));
  for (int i = 0; i < experts; i++) {
    table[static_cast<size_t>(i)] = -1;
    table[static_cast<size_t>(2 * experts + i)] = 1;
  }
  for (int i = 0; i < e.held_count; i++) {
    auto at = static_cast<size_t>(e.held[i].expert);
    table[at] = i;
    table[static_cast<size_t>(experts) + at] = e.held[i].replica;
    table[static_cast<size_t>(2 * experts) + at] = e.held[i].replicas;
  }
  node.indices = array(table.begin(), {3, experts}, mx::int32);
}

void Preparation::prepare(Node &node) {
  const op &o = *node.read;
  switch (o.kind) {
    case ES_EMBED: node.weight = loader.want({o.embed.weight}); break;
    case ES_RMS_NORM:
      if (o.rms_norm.gain) {
        node.vector = vector(o.rms_norm.gain, o.rms_norm.in.width / o.rms_norm.groups);
      }
      break;
    case ES_LAYER_NORM:
      node.vector = vector(o.layer_norm.weight, o.layer_norm.in.width);
      node.second_vector = vector(o.layer_norm.bias, o.layer_norm.in.width);
      break;
    case ES_LINEAR:
      node.weight = o.linear.exact ? exact(o.linear.projection.weight) : loader.want({o.linear.projection.weight});
      node.vector = bias(o.linear.projection);
      break;
    case ES_ROTATE: {
      std::vector<float> periods;
      for (int i = 0; i < o.rotate.pairs; i++) {
        periods.push_back(1 / o.rotate.frequencies[i]);
      }
      node.vector = array(periods.begin(), {o.rotate.pairs}, mx::float32);
      break;
    }
    case ES_ATTENTION:
      attention(node, o.attention.kv_head, o.attention.heads, o.attention.k.width / (o.attention.q.width / o.attention.heads));
      if (o.attention.sinks) {
        node.vector = vector(o.attention.sinks, o.attention.heads);
      }
      break;
    case ES_LATENT_ATTENTION:
      node.weight = loader.want({o.latent_attention.key_up});
      node.second = loader.want({o.latent_attention.value_up});
      break;
    case ES_GATED_MLP: node.unit = unit(o.gated_mlp.unit); break;
    case ES_ROUTE:
      node.weight = exact(o.route.gate.weight);
      node.indices = bias(o.route.gate);
      if (o.route.correction) {
        node.vector = array(o.route.correction, {o.route.experts}, mx::float32);
      }
      if (o.route.expert_scale) {
        node.second_vector = array(o.route.expert_scale, {o.route.experts}, mx::float32);
      }
      break;
    case ES_EXPERTS:
      node.unit = unit(o.experts.unit);
      held(node);
      break;
    case ES_SHORT_CONVOLUTION:
      node.vector = array(o.convolution.taps, {o.convolution.x.width, o.convolution.kernel}, mx::float32);
      break;
    case ES_GATED_DELTA_RULE:
      node.vector = array(o.delta.rate, {o.delta.heads}, mx::float32);
      node.second_vector = array(o.delta.dt_bias, {o.delta.heads}, mx::float32);
      attention(node, o.delta.key_head, o.delta.heads, o.delta.k.width / o.delta.key_width);
      break;
    case ES_LOGITS: node.weight = loader.want({o.logits.weight}); break;
    default: break;
  }
}

Program::Program(const int32_t *words, int64_t count) {
  prepare_device();
  char error[ES_ERROR_BYTES];
  int status = program_read(&read, words, count, error);
  if (status != ES_OK) {
    program_free(&read);
    throw Failure(status, error);
  }
  try {
    loader.emplace(read);
    sessions.emplace(read, *loader);
    nodes.reserve(static_cast<size_t>(read.op_count));
    for (int i = 0; i < read.op_count; i++) {
      nodes.push_back(Node{&read.ops[i]});
    }
    Preparation preparation(*this);
    for (Node &node : nodes) {
      preparation.prepare(node);
    }
    loader->count_vectors();
    int64_t available = std::min(free_memory(), unpromised_memory()); /* the first knows what is taken beside weights, the second what sessions will take */
    if (loader->resident_bytes() > available) {
      throw Failure(ES_NO_MEMORY, "the weights take " + std::to_string(loader->resident_bytes()) + " bytes, of the device's "
          + std::to_string(device_memory()) + " are free " + std::to_string(available) + ": place the model on more nodes, or close other models");
    }
    sessions->promise();
    nanos.resize(read.profile ? static_cast<size_t>(read.op_count) : 0);
  } catch (...) {
    program_free(&read);
    throw;
  }
}

Program::~Program() {
  step.reset();
  sessions.reset();
  nodes.clear();
  loader.reset();
  program_free(&read);
}

} // namespace espalier
