/* A loaded program: everything that a step reads and does not change, and the sessions. */
#ifndef ES_PROGRAM_H
#define ES_PROGRAM_H

#include "error.h"
#include "weight.h"

/* What an engine keeps with a program. */
struct compute;
struct pool;
struct session;
struct step;

struct view {
  int32_t slot, offset, width; /* slot -1: none */
};

struct cache_shape {
  int32_t kind; /* enum es_cache_kind */
  int32_t width, window;
};

/** W x + b; weight null where there is none. */
struct projection {
  const struct weight *weight, *bias;
  float **bias_values; /* [matrix], decoded at load; null without a bias */
};

struct unit {
  struct projection gate, up, down;
  int32_t activation; /* 0 silu, 1 gelu, 2 clamped swiglu */
  float alpha, limit;
};

struct held {
  int32_t expert, replica, replicas;
};

/** One op; the names are those of the records in Java. Vectors (gains, biases, sinks) are decoded at load. */
struct op {
  int32_t kind; /* enum es_op_kind */
  union {
    struct { const struct weight *weight; struct view out; } embed;
    struct { struct view in; float *gain; /* [width / groups], 1 + w already added; null for one */ float eps; int32_t groups; struct view out; } rms_norm;
    struct { struct view in; float *weight, *bias; float eps; struct view out; } layer_norm;
    struct { struct view in; struct projection projection; struct view out; bool exact; /* float products in `fast` too */ } linear;
    struct { struct view x; int32_t heads, from, interleaved; float factor; int32_t pairs; float *frequencies; } rotate;
    struct { struct view q, k, v; int32_t heads; int32_t *kv_head; float scale; float *sinks; int32_t cache; struct view out; } attention;
    struct { int32_t layer; struct view q, k, w; int32_t top_k, cache; } select_rows;
    struct { struct view q, latent, key_rope; const struct weight *key_up, *value_up; int32_t heads; float scale; int32_t cache; bool selection; struct view out; } latent_attention;
    struct { struct view in; struct unit unit; struct view out; } gated_mlp;
    struct { int32_t layer; struct view in; struct projection gate; float *correction, *expert_scale; int32_t experts, top_k, softmax, groups, kept, group_max, normalize; float scale; int32_t index; /* among the routes */ } route;
    struct { int32_t layer; struct view in; int32_t held_count; struct held *held; struct unit unit; struct view out; } experts;
    struct { struct view x; float factor; } scale;
    struct { struct view gate; int32_t silu; struct view x; } gate;
    struct { struct view x; float *taps; /* [C, kernel] */ int32_t kernel, cache; struct view out; } convolution;
    struct { struct view q, k, v, decay, beta; float *rate; /* above 0: log g = -rate softplus */ float *dt_bias; int32_t heads, key_width; int32_t *key_head; int32_t cache; struct view out; } delta;
    struct { struct view a, b, out; } add;
    struct { int32_t id; struct view view; int32_t kind; /* 0 sum, 1 zeros, 2 gather */ } exchange;
    struct { struct view in; const struct weight *weight; float cap; struct view out; } logits;
  };
};

struct es_program {
  int32_t precision, rank, nodes, kv_type, threads, preparations, profile;
  int64_t kv_bytes;
  int32_t hidden;
  int32_t slot_count;
  int32_t *slots; /* widths */
  struct view input, output, logits;
  int32_t cache_count;
  struct cache_shape *caches;
  int32_t file_count;
  struct file *files;
  int32_t weight_count;
  struct weight *weights;
  int32_t op_count;
  struct op *ops;
  int32_t route_count;
  int64_t *nanos; /* [ops], while it is profiled */

  const struct compute *compute;
  struct pool *pool;
  int32_t loaded, loaded_pieces; /* weights that are ready, and pieces of the next */
  int64_t loaded_part;           /* bytes that are prepared of the piece after these */
  int64_t loaded_bytes;
  int32_t session_count;
  struct session **sessions;
  struct step *step; /* reused */
};

static inline bool is_fast(const struct es_program *p) { return p->precision == ES_FAST; }

int program_read(struct es_program *p, const int32_t *words, int64_t count, char *error);
void program_free(struct es_program *p);

#endif
