R"espalier(
/*
 * The gated MLPs of the chosen experts, for steps of one to four rows: out[t] = sum over k of weight[t][k] down(activation(gate x[t], up x[t])).
 * gate_up computes rows of gate and up and what becomes of them, down_sum rows of down and their sum over the experts. A simdgroup takes ROWS
 * rows, a lane WORDS words of a row at a time, and each word is read once for all rows of the step that chose its expert. D and F are whole groups,
 * hence multiples of ROWS and of a lane's columns.
 *
 * The same text is Metal, CUDA and, in the tests, C++. metal.text.h and cuda.text.h name what these languages have in different words. Pointers are
 * of template parameters only, since Metal asks for their address spaces, which differ: arrays of less than 8 values lie in `constant`. An index
 * into a weight has 64 bits: expert 255 of DeepSeek V3 begins 3.7 billion values behind the first. Nothing is a double, and numbers of 16 bits
 * are converted by name. Whether a lane goes on never depends on the lane before a simd_sum: all lanes of a simdgroup meet there.
 */
namespace espalier {

enum { AFFINE, MXFP4 };
enum { SILU, GELU, CLAMPED_SWIGLU };

/** How numbers of BITS bits become values: scale * value + bias. */
template <int FORMAT, int BITS>
struct Format;

template <int BITS>
struct Format<AFFINE, BITS> {
  static ES_FUNCTION float value(uint32_t bits) {
    return float(bits & ((1u << BITS) - 1u));
  }
  template <typename Scales>
  static ES_FUNCTION float scale(Scales scales, int64_t group) {
    return float(scales[group]);
  }
  template <typename Biases>
  static ES_FUNCTION float bias(Biases biases, int64_t group) {
    return float(biases[group]);
  }
};

/** Values are e2m1, scales powers of two (e8m0); there are no biases. */
template <int BITS>
struct Format<MXFP4, BITS> {
  /** Twice the value: 0, 1, 2, 3, 4, 6, 8, 12 and their negatives. */
  static ES_FUNCTION float value(uint32_t bits) {
    float twice = float((0xC8643210u >> (4u * (bits & 7u))) & 15u);
    return (bits & 8u) != 0u ? -twice : twice;
  }
  /** Half of 2^(scale - 127). */
  template <typename Scales>
  static ES_FUNCTION float scale(Scales scales, int64_t group) {
    uint32_t exponent = uint32_t(scales[group]);
    return 0.5f * float_of_bits(exponent == 0u ? 0x00400000u : exponent << 23);
  }
  template <typename Biases>
  static ES_FUNCTION float bias(Biases, int64_t) {
    return 0.0f;
  }
};

/** Neighbouring values of a row, and their sum. */
template <int VALUES>
struct Chunk {
  float x[VALUES];
  float sum;
};

template <int VALUES, typename Xs>
ES_FUNCTION Chunk<VALUES> chunk_of(Xs xs, int64_t at) {
  Chunk<VALUES> chunk;
  chunk.sum = 0.0f;
  ES_UNROLL for (int i = 0; i < VALUES; i++) {
    chunk.x[i] = float(xs[at + i]);
    chunk.sum += chunk.x[i];
  }
  return chunk;
}

/** Neighbouring words of each of ROWS rows of a weight, of one group. */
template <int ROWS, int WORDS>
struct Tile {
  uint32_t words[ROWS][WORDS];
  float scales[ROWS];
  float biases[ROWS];
};

/** From `row` and `column` on, of rows with `columns` values. */
template <int FORMAT, int BITS, int GROUP, int ROWS, int WORDS, typename Words, typename Scales, typename Biases>
ES_FUNCTION Tile<ROWS, WORDS> tile_of(Words words, Scales scales, Biases biases, int64_t row, int columns, int column) {
  const int in_word = 32 / BITS;
  Tile<ROWS, WORDS> tile;
  ES_UNROLL for (int r = 0; r < ROWS; r++) {
    int64_t word = (row + r) * (columns / in_word) + column / in_word;
    int64_t group = (row + r) * (columns / GROUP) + column / GROUP;
    ES_UNROLL for (int w = 0; w < WORDS; w++) {
      tile.words[r][w] = words[word + w];
    }
    tile.scales[r] = Format<FORMAT, BITS>::scale(scales, group);
    tile.biases[r] = Format<FORMAT, BITS>::bias(biases, group);
  }
  return tile;
}

/** What `chunk`, which lies at the tile's columns, adds to the product with row r of the tile. */
template <int FORMAT, int BITS, int ROWS, int WORDS>
ES_FUNCTION float product(Tile<ROWS, WORDS> tile, int r, Chunk<WORDS * 32 / BITS> chunk) {
  const int in_word = 32 / BITS;
  float dot = 0.0f;
  ES_UNROLL for (int w = 0; w < WORDS; w++) {
    uint32_t bits = tile.words[r][w];
    ES_UNROLL for (int i = 0; i < in_word; i++) {
      dot += Format<FORMAT, BITS>::value(bits >> (BITS * i)) * chunk.x[w * in_word + i];
    }
  }
  return tile.scales[r] * dot + tile.biases[r] * chunk.sum;
}

/** The place among its K at which each row has an expert, or -1. */
template <int T>
struct Places {
  int of[T];
};

template <int T, int K, typename Ids>
ES_FUNCTION Places<T> places_of(Ids ids, int expert) {
  Places<T> places;
  ES_UNROLL for (int t = 0; t < T; t++) {
    places.of[t] = -1;
    for (int k = K - 1; k >= 0; k--) {
      places.of[t] = ids[t * K + k] == expert ? k : places.of[t];
    }
  }
  return places;
}

/** The weight of an expert in the sum of each row, 0 where it was not chosen. */
template <int T>
struct Shares {
  float of[T];
};

template <int T, int K, typename Ids, typename Weights>
ES_FUNCTION Shares<T> shares_of(Ids ids, Weights weights, int expert) {
  Shares<T> shares;
  ES_UNROLL for (int t = 0; t < T; t++) {
    shares.of[t] = 0.0f;
    for (int k = 0; k < K; k++) {
      shares.of[t] += ids[t * K + k] == expert ? weights[t * K + k] : 0.0f;
    }
  }
  return shares;
}

/** Whether this is the first of the pairs (row, expert) with its expert, which is -1 where the node does not hold it. */
template <typename Ids>
ES_FUNCTION bool is_first(Ids ids, int pair) {
  for (int p = 0; p < pair; p++) {
    if (ids[p] == ids[pair]) {
      return false;
    }
  }
  return ids[pair] >= 0;
}

template <int T, int ROWS>
struct Sums {
  float of[T][ROWS];
};

template <int T, int ROWS>
ES_FUNCTION Sums<T, ROWS> zeros() {
  Sums<T, ROWS> sums;
  ES_UNROLL for (int t = 0; t < T; t++) {
    ES_UNROLL for (int r = 0; r < ROWS; r++) {
      sums.of[t][r] = 0.0f;
    }
  }
  return sums;
}

ES_FUNCTION float sigmoid(float x) {
  return 1.0f / (1.0f + exponential(-x));
}

/** `limits` are alpha and limit of the clamped form. */
template <int ACTIVATION, typename Limits>
ES_FUNCTION float activation(float gate, float up, Limits limits) {
  if (ACTIVATION == GELU) {
    return gate * sigmoid(2.0f * 0.797884560802865f * (gate + 0.044715f * gate * gate * gate)) * up;
  }
  if (ACTIVATION == CLAMPED_SWIGLU) {
    float alpha = limits[0];
    float limit = limits[1];
    float g = gate > limit ? limit : gate;
    float u = up > limit ? limit : up < -limit ? -limit : up;
    return g * sigmoid(alpha * g) * (u + 1.0f);
  }
  return gate * sigmoid(gate) * up;
}

/**
 * hidden[t][k][f] = activation(gate x[t], up x[t]) for rows `block` * ROWS and on. An expert's matrices of gate and of up begin STRIDE rows behind
 * those of the expert before, up's UP rows behind gate's: F and 0 where they lie apart, 2 F and F where they are one matrix. gate_bias and up_bias are
 * [N, F] either way.
 */
template <typename X, int T, int K, int D, int F, int STRIDE, int UP, int FORMAT, int BITS, int GROUP, bool BIASED, int ACTIVATION, int ROWS, int WORDS,
    typename Xs, typename Ids, typename Gate, typename GateScales, typename GateBiases, typename Up, typename UpScales, typename UpBiases,
    typename GateBias, typename UpBias, typename Limits, typename Hidden>
ES_FUNCTION void gate_up(Xs x, Ids ids, Gate gate, GateScales gate_scales, GateBiases gate_biases, Up up, UpScales up_scales, UpBiases up_biases,
    GateBias gate_bias, UpBias up_bias, Limits limits, Hidden hidden, int lane, int block, int pair) {
  const int values = WORDS * 32 / BITS;
  const int first = block * ROWS;
  if (first >= F || !is_first(ids, pair)) {
    return;
  }
  const int expert = ids[pair];
  const int64_t matrix = int64_t(expert) * STRIDE;
  const Places<T> places = places_of<T, K>(ids, expert);
  Sums<T, ROWS> gates = zeros<T, ROWS>();
  Sums<T, ROWS> ups = zeros<T, ROWS>();
  for (int column = lane * values; column < D; column += 32 * values) {
    const Tile<ROWS, WORDS> of_gate = tile_of<FORMAT, BITS, GROUP, ROWS, WORDS>(gate, gate_scales, gate_biases, matrix + first, D, column);
    const Tile<ROWS, WORDS> of_up = tile_of<FORMAT, BITS, GROUP, ROWS, WORDS>(up, up_scales, up_biases, matrix + first + UP, D, column);
    ES_UNROLL for (int t = 0; t < T; t++) {
      if (places.of[t] >= 0) {
        Chunk<values> chunk = chunk_of<values>(x, int64_t(t) * D + column);
        ES_UNROLL for (int r = 0; r < ROWS; r++) {
          gates.of[t][r] += product<FORMAT, BITS>(of_gate, r, chunk);
          ups.of[t][r] += product<FORMAT, BITS>(of_up, r, chunk);
        }
      }
    }
  }
  ES_UNROLL for (int t = 0; t < T; t++) {
    if (places.of[t] >= 0) {
      ES_UNROLL for (int r = 0; r < ROWS; r++) {
        float g = simd_sum(gates.of[t][r]);
        float u = simd_sum(ups.of[t][r]);
        const int f = first + r;
        if (lane == 0) {
          if (BIASED) {
            g += float(gate_bias[int64_t(expert) * F + f]);
            u += float(up_bias[int64_t(expert) * F + f]);
          }
          float h = activation<ACTIVATION>(g, u, limits);
          for (int k = 0; k < K; k++) {
            if (ids[t * K + k] == expert) {
              hidden[int64_t(t * K + k) * F + f] = X(h);
            }
          }
        }
      }
    }
  }
}

/** out[t][d] = sum over k of weights[t][k] (down hidden[t][k])[d] for rows `block` * ROWS and on; what is not held adds nothing. */
template <typename X, int T, int K, int D, int F, int FORMAT, int BITS, int GROUP, bool BIASED, int ROWS, int WORDS,
    typename Xs, typename Ids, typename Weights, typename Down, typename DownScales, typename DownBiases, typename DownBias, typename Out>
ES_FUNCTION void down_sum(Xs hidden, Ids ids, Weights weights, Down down, DownScales down_scales, DownBiases down_biases, DownBias down_bias, Out out,
    int lane, int block) {
  const int values = WORDS * 32 / BITS;
  const int first = block * ROWS;
  if (first >= D) {
    return;
  }
  Sums<T, ROWS> sums = zeros<T, ROWS>();
  for (int pair = 0; pair < T * K; pair++) {
    if (is_first(ids, pair)) {
      const int expert = ids[pair];
      const int64_t matrix = int64_t(expert) * D;
      const Places<T> places = places_of<T, K>(ids, expert);
      const Shares<T> shares = shares_of<T, K>(ids, weights, expert);
      for (int column = lane * values; column < F; column += 32 * values) {
        const Tile<ROWS, WORDS> tile = tile_of<FORMAT, BITS, GROUP, ROWS, WORDS>(down, down_scales, down_biases, matrix + first, F, column);
        ES_UNROLL for (int t = 0; t < T; t++) {
          if (places.of[t] >= 0) {
            Chunk<values> chunk = chunk_of<values>(hidden, int64_t(t * K + places.of[t]) * F + column);
            ES_UNROLL for (int r = 0; r < ROWS; r++) {
              sums.of[t][r] += shares.of[t] * product<FORMAT, BITS>(tile, r, chunk);
            }
          }
        }
      }
      if (BIASED && lane == 0) {
        ES_UNROLL for (int t = 0; t < T; t++) {
          ES_UNROLL for (int r = 0; r < ROWS; r++) {
            sums.of[t][r] += shares.of[t] * float(down_bias[matrix + first + r]);
          }
        }
      }
    }
  }
  ES_UNROLL for (int t = 0; t < T; t++) {
    ES_UNROLL for (int r = 0; r < ROWS; r++) {
      float sum = simd_sum(sums.of[t][r]);
      if (lane == 0) {
        out[int64_t(t) * D + first + r] = X(sum);
      }
    }
  }
}

} // namespace espalier
)espalier"
