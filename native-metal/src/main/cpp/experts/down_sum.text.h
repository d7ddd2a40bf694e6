R"espalier(
  espalier::down_sum<X, T, K, D, F, FORMAT, BITS, GROUP, BIASED, ROWS, WORDS>(
      hidden, ids, weights, down, down_scales, down_biases, down_bias, out, lane, block);
)espalier"
