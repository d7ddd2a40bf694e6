R"espalier(
  espalier::gate_up<X, T, K, D, F, STRIDE, UP, FORMAT, BITS, GROUP, BIASED, ACTIVATION, ROWS, WORDS>(x, ids, gate, gate_scales, gate_biases, up,
      up_scales, up_biases, gate_bias, up_bias, limits, hidden, lane, block, pair);
)espalier"
