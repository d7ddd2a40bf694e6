/*
 * Products in float32 with weights of any format: stored rows become floats, then lanes of products are added up. Each sum has one accumulator,
 * whatever else is computed along with it: bits depend on no split.
 */
#include "../program/decode.h"
#include "matmul.h"
#include "product_rows.h"
#include "vector.h"

#define TILE 4 /* rows of a weight, and rows of x, that are multiplied at a time */

/* A panel of a transposed weight, as floats: PANEL_COLUMNS stored rows with the values of PANEL_ROWS rows, which lie together. */
#define PANEL_ROWS 256
#define PANEL_COLUMNS 32
#define PANEL_X 64 /* rows of x that are gathered at a time */

/** LANES plain values, or floats, from any address. */
ALWAYS_INLINE vfloat load_values(int element, const uint8_t *p) {
  vfloat values;
  if (element == ES_F32) {
    memcpy(&values, p, sizeof values);
    return values;
  }
#if defined(__AVX512F__)
  __m256i halves = _mm256_loadu_si256((const __m256i *)p);
  return element == ES_F16 ? (vfloat)_mm512_cvtph_ps(halves)
                           : (vfloat)_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
#elif defined(__AVX2__)
  __m128i halves = _mm_loadu_si128((const __m128i *)p);
  return element == ES_F16 ? (vfloat)_mm256_cvtph_ps(halves)
                           : (vfloat)_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16);
#else
  float lanes[LANES];
  for (int i = 0; i < LANES; i++) {
    lanes[i] = element == ES_F16 ? f16_at(p + 2 * i) : bf16_at(p + 2 * i);
  }
  return vload(lanes);
#endif
}

/** out[i][j] = w[i] . x[j] of `wn` stored rows of plain values and `xn` rows of x. */
ALWAYS_INLINE void dot_tile(
    int element, const uint8_t *const *w, int wn, const float *const *x, int xn, int32_t columns, float out[TILE][TILE]) {
  int size = element == ES_F32 ? 4 : 2;
  vfloat sums[TILE][TILE];
  for (int i = 0; i < wn; i++) {
    for (int j = 0; j < xn; j++) {
      sums[i][j] = vset(0);
    }
  }
  int32_t c = 0;
  for (; c <= columns - LANES; c += LANES) {
    vfloat values[TILE];
    for (int i = 0; i < wn; i++) {
      values[i] = load_values(element, w[i] + (int64_t)c * size);
    }
    for (int j = 0; j < xn; j++) {
      vfloat at = vload(x[j] + c);
      for (int i = 0; i < wn; i++) {
        sums[i][j] = vfma(values[i], at, sums[i][j]);
      }
    }
  }
  if (c < columns) {
    for (int i = 0; i < wn; i++) {
      uint8_t rest[LANES * 4] = {0};
      memcpy(rest, w[i] + (int64_t)c * size, (size_t)(columns - c) * size);
      vfloat values = load_values(element, rest);
      for (int j = 0; j < xn; j++) {
        float at[LANES] = {0};
        memcpy(at, x[j] + c, (size_t)(columns - c) * sizeof *at);
        sums[i][j] = vfma(values, vload(at), sums[i][j]);
      }
    }
  }
  for (int i = 0; i < wn; i++) {
    for (int j = 0; j < xn; j++) {
      out[i][j] = vsum(sums[i][j]);
    }
  }
}

static const float *product_x(const struct product *p, int32_t row) {
  return p->x->x + (p->index ? p->index[row] : row) * p->x->stride;
}

/** y[all][first, first + wn) from plain stored rows. */
ALWAYS_INLINE void tile_rows_of(int element, const struct product *p, const uint8_t *const *w, int wn, int32_t first) {
  for (int32_t row = 0; row < p->rows;) {
    int xn = p->rows - row >= TILE ? TILE : 1;
    const float *x[TILE];
    for (int j = 0; j < xn; j++) {
      x[j] = product_x(p, row + j);
    }
    float out[TILE][TILE];
    if (xn == TILE && wn == TILE) {
      dot_tile(element, w, TILE, x, TILE, p->x->columns, out);
    } else if (wn == TILE) {
      dot_tile(element, w, TILE, x, 1, p->x->columns, out);
    } else {
      for (int i = 0; i < wn; i++) {
        xn == TILE ? dot_tile(element, w + i, 1, x, TILE, p->x->columns, out + i)
                   : dot_tile(element, w + i, 1, x, 1, p->x->columns, out + i);
      }
    }
    for (int j = 0; j < xn; j++) {
      for (int i = 0; i < wn; i++) {
        p->y[(row + j) * p->y_stride + first + i] = out[i][j] + (p->bias ? p->bias[first + i] : 0);
      }
    }
    row += xn;
  }
}

static void tile_rows(int element, const struct product *p, const uint8_t *const *w, int wn, int32_t first) {
  if (element == ES_F32) {
    tile_rows_of(ES_F32, p, w, wn, first);
  } else if (element == ES_F16) {
    tile_rows_of(ES_F16, p, w, wn, first);
  } else {
    tile_rows_of(ES_BF16, p, w, wn, first);
  }
}

static void rows_stored_by_row(const struct product *p, int32_t from, int32_t to, float *decoded) {
  const struct weight *w = p->weight;
  bool plain = w->format.kind == ES_PLAIN;
  for (int32_t first = from; first < to; first += TILE) {
    int count = to - first < TILE ? to - first : TILE;
    const uint8_t *rows[TILE];
    for (int i = 0; i < count; i++) {
      rows[i] = weight_values(w, p->matrix, first + i);
      if (!plain) {
        float *row = decoded + (int64_t)i * w->columns;
        decode_columns(&w->format, rows[i], weight_scales(w, p->matrix, first + i), weight_biases(w, p->matrix, first + i), 0, w->columns, row);
        rows[i] = (const uint8_t *)row;
      }
    }
    tile_rows(plain ? w->format.type : ES_F32, p, rows, count, first);
  }
}

/** Stored columns that hold rows [first, first + count), in whole groups. */
static void stored_span(const struct weight *w, int32_t first, int32_t count, int32_t *from, int32_t *to) {
  int32_t group = w->format.group, end = weight_stored_columns(w);
  *from = w->first_row + first * w->row_step;
  *from -= *from % group;
  int32_t last = w->first_row + (first + count - 1) * w->row_step, whole = last - last % group;
  *to = end - whole < group ? end : whole + group;
}

/** panel[count of columns][PANEL_ROWS] = rows [first, first + rows) of columns [column, column + count), then zeros. */
static void fill_panel(const struct product *p, int32_t first, int32_t rows, int32_t column, int32_t count, float *panel, float *decoded) {
  const struct weight *w = p->weight;
  int32_t from, to;
  stored_span(w, first, rows, &from, &to);
  int32_t at = w->first_row + first * w->row_step - from;
  for (int32_t c = 0; c < count; c++, panel += PANEL_ROWS) {
    bool whole = w->row_step == 1 && to - from == rows;
    decode_columns(&w->format, weight_values(w, p->matrix, column + c), weight_scales(w, p->matrix, column + c),
        weight_biases(w, p->matrix, column + c), from, to, whole ? panel : decoded);
    for (int32_t i = 0; !whole && i < rows; i++) {
      panel[i] = decoded[at + i * w->row_step];
    }
    memset(panel + rows, 0, (size_t)(PANEL_ROWS - rows) * sizeof *panel);
  }
}

/** y[all][first, first + rows) += panel^T x, column by column; y is set where these are the first columns. */
static void add_panel(const struct product *p, const float *panel, int32_t column, int32_t count, int32_t first, int32_t rows, float *gathered) {
  for (int32_t row = 0; row < p->rows; row += PANEL_X) {
    int32_t some = p->rows - row < PANEL_X ? p->rows - row : PANEL_X;
    for (int32_t j = 0; j < some; j++) {
      memcpy(gathered + j * PANEL_COLUMNS, product_x(p, row + j) + column, (size_t)count * sizeof *gathered);
    }
    struct matmul m = {.m = some, .n = rows, .k = count, .a = gathered, .a_row = PANEL_COLUMNS, .a_column = 1, .b = panel, .b_row = PANEL_ROWS,
        .c = p->y + row * p->y_stride + first, .c_row = p->y_stride, .add = column > 0};
    matmul(&m);
  }
}

static void rows_stored_by_column(const struct product *p, int32_t from, int32_t to, float *scratch) {
  float *panel = scratch, *gathered = panel + PANEL_COLUMNS * PANEL_ROWS, *decoded = gathered + PANEL_X * PANEL_COLUMNS;
  for (int32_t first = from; first < to; first += PANEL_ROWS) {
    int32_t rows = to - first < PANEL_ROWS ? to - first : PANEL_ROWS;
    for (int32_t column = 0; column < p->weight->columns; column += PANEL_COLUMNS) {
      int32_t rest = p->weight->columns - column, count = rest < PANEL_COLUMNS ? rest : PANEL_COLUMNS;
      fill_panel(p, first, rows, column, count, panel, decoded);
      add_panel(p, panel, column, count, first, rows, gathered);
    }
    for (int32_t row = 0; p->bias && row < p->rows; row++) {
      for (int32_t r = first; r < first + rows; r++) {
        p->y[row * p->y_stride + r] += p->bias[r];
      }
    }
  }
}

static void product_rows_float(const struct product *p, int32_t from, int32_t to, void *scratch) {
  if (p->weight->transposed) {
    rows_stored_by_column(p, from, to, scratch);
  } else {
    rows_stored_by_row(p, from, to, scratch);
  }
}

static int64_t product_scratch_float(const struct product *p) {
  const struct weight *w = p->weight;
  if (!w->transposed) {
    return w->format.kind == ES_PLAIN ? 0 : (int64_t)TILE * w->columns * (int64_t)sizeof(float);
  }
  int64_t span = (int64_t)(PANEL_ROWS - 1) * w->row_step + 1 + 2 * (int64_t)w->format.group, all = weight_stored_columns(w);
  return (PANEL_COLUMNS * (PANEL_ROWS + PANEL_X) + (span < all ? span : all)) * (int64_t)sizeof(float);
}
