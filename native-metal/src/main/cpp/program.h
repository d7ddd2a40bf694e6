/* A loaded program: what the ops take beside rows, and the sessions. */
#pragma once

#include "experts/decode.h"
#include "experts/grouped.h"
#include "load.h"
#include "session.h"

namespace espalier {

/** gate, up and down of a gated MLP, or of N experts. */
struct Unit {
  const Operand *both = nullptr;                 /* gate, then up, where they are one operand */
  const Operand *gate = nullptr, *up = nullptr;  /* else */
  const Operand *down = nullptr;
  std::optional<array> gate_bias, up_bias, down_bias; /* [N, F], [N, F], [N, D] */
};

/** An op with what it takes; which fields it has, its file says. */
struct Node {
  const op *read;
  const Operand *weight = nullptr, *second = nullptr;
  Unit unit;
  std::optional<array> vector, second_vector, indices;
  bool plain_heads = false; /* heads share KV heads evenly, in order */
};

class Step;

struct Program {
  es_program read{};
  std::vector<Node> nodes; /* [ops] */
  std::optional<Loader> loader;
  std::optional<Sessions> sessions;
  std::unique_ptr<Step> step; /* the last, whose results are read until the next call */
  std::vector<int64_t> nanos; /* [ops], while it is profiled */
  bool lost = false;
  decode::Decode decode; /* of experts, where there are few rows */
  decode::Grouped grouped; /* where there are many */

  Program(const int32_t *words, int64_t count);
  Program(const Program &) = delete;
  ~Program();
};

} // namespace espalier
