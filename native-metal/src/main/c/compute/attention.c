/* Attention with keys and values of groups of heads. */
#include "flash.h"

/** Query heads by the KV head that they use; some KV heads may have none. */
static void group_heads(struct step *s, struct flash *f, const int32_t *kv_head, int32_t heads, int32_t kv_heads) {
  int32_t *start = op_memory(s, (kv_heads + 1) * (int64_t)sizeof *start), *order = op_memory(s, heads * (int64_t)sizeof *order), count = 0;
  for (int32_t group = 0; group < kv_heads; group++) {
    start[group] = count;
    for (int32_t h = 0; h < heads; h++) {
      if (kv_head[h] == group) {
        order[count++] = h;
      }
    }
  }
  start[kv_heads] = count;
  f->groups = kv_heads;
  f->group_start = start;
  f->heads = order;
}

static void op_attention(struct step *s, const struct op *op) {
  struct view q = op->attention.q, k = op->attention.k, v = op->attention.v, out = op->attention.out;
  int32_t heads = op->attention.heads, key_width = q.width / heads, kv_heads = k.width / key_width, value_width = v.width / kv_heads;
  cache_views(s, op->attention.cache, k, v);
  struct flash f = {
      .s = s,
      .cache = op->attention.cache,
      .key_width = key_width,
      .value_width = value_width,
      .value_at = k.width,
      .q = {view_row(s, q, 0)},
      .q_row = {view_stride(s, q)},
      .q_head = {key_width},
      .q_width = {key_width},
      .scale = op->attention.scale,
      .sinks = op->attention.sinks,
      .out = view_row(s, out, 0),
      .out_row = view_stride(s, out),
      .out_head = value_width,
  };
  group_heads(s, &f, op->attention.kv_head, heads, kv_heads);
  flash_run(&f);
}
