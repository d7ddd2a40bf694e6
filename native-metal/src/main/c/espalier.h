/*
 * The C interface of native engines: the only header that Java sees. Every engine library (libespalier-cpu, libespalier-mlx) exports exactly
 * these functions. Nothing here exits, prints, or throws.
 *
 * Calls for one program come from one thread at a time. Functions that can fail return a status and put a sentence into `error`, which the
 * caller owns.
 *
 * Flat buffers are little-endian 32-bit words. A long is two words, the lower first. A float is its bits. A string is its length in bytes, then
 * UTF-8, zero-padded to a whole word. A list is its length, then its items. A view is slot, offset, width; slot -1 is no view. A weight is its
 * index, -1 is none.
 *
 * PROGRAM
 *   magic, ES_VERSION, options, hidden, slots: list of widths, views input, output, logits,
 *   caches: list of (kind, width, window), files: list of paths, weights: list of weight, ops: list of op
 *   options   precision, rank, nodes, KV type, threads (0: one a core), preparations (bits), profile (0 or 1), KV bytes (long, 0: no limit)
 *   weight    name, rows, columns, format (4 words), transposed, first row, row block, row step, part of rows (0 or 1), pieces: list of
 *             piece. Matrix i of an evenly spaced stack is listed like any other. See Weight.java for what they mean
 *   format    kind, then PLAIN: element, 0, 0. BLOCK: block, 0, 0. AFFINE: bits, group, element of scales. SCALED: element, group, element of scales
 *   piece     regions of values, scales, biases; scales and biases have file -1 where the format keeps none apart
 *   region    file, offset (long), bytes from row to row (long), rows that share one, rows skipped of the first block
 *   op        kind, number of words that follow, these words; in the order of the record in Java:
 *     EMBED            weight, out
 *     RMS_NORM         in, gain kind (0 one, 1 stored, 2 one plus), weight, eps, groups, out
 *     LAYER_NORM       in, weight, bias, eps, out
 *     LINEAR           in, weight, bias, out
 *     ROTATE           x, heads, from, pairing (0 half, 1 interleaved), attention factor, list of frequencies
 *     ATTENTION        q, k, v, list of KV heads, scale, sinks, cache, out
 *     SELECT_ROWS      layer, q, k, w, top k, cache
 *     LATENT_ATTENTION q, latent, key rope, key up, value up, heads, scale, cache, selection (0 or 1), out
 *     GATED_MLP        in, unit, out
 *     ROUTE            layer, in, gate weight, gate bias, correction bias, expert scale, experts, top k, scoring (0 sigmoid, 1 softmax), groups,
 *                      groups kept, group score (0 top-2 sum, 1 max), normalize, scale
 *     EXPERTS          layer, in, list of held (expert, replica, replicas), unit, out
 *     SCALE            x, weight, constant (where there is no weight)
 *     GATE             gate, function (0 sigmoid, 1 silu), x
 *     SHORT_CONVOLUTION x, list of weights, kernel, cache, out
 *     GATED_DELTA_RULE q, k, v, decay, beta, rate kind (0 log, 1 negative), rate, dt bias, key width, list of key heads, cache, out
 *     ADD              a, b, out
 *     EXCHANGE_BEGIN   id, view, kind (0 sum, 1 zeros, 2 gather)
 *     EXCHANGE_AWAIT   id
 *     LOGITS           in, weight, cap, out
 *   unit      gate weight, gate bias, up weight, up bias, down weight, down bias, activation (0 silu, 1 gelu, 2 clamped swiglu), alpha, limit
 *
 * EDITS   list of (layer, list of banned experts, list of forced experts, top k or -1, scale)
 *
 * STEP    wants (bits), list of (session (long), position, rows, input (0 tokens, 1 activations, 2 greedy), logits (0 none, 1 last, 2 all),
 *         tokens: `rows` words where the input is tokens)
 */
#ifndef ESPALIER_H
#define ESPALIER_H

#include <stdint.h>

#define ES_MAGIC 0x4c505345 /* "ESPL" */
#define ES_VERSION 1
#define ES_ERROR_BYTES 1024

enum es_status {
  ES_OK = 0,
  ES_CANCELLED = 1,   /* sessions are unchanged */
  ES_FAILED = 2,      /* sessions are unchanged */
  ES_DEVICE_LOST = 3, /* the device is gone, and all sessions with it */
  ES_NO_MEMORY = 4,   /* sessions are unchanged */
  ES_EXCHANGE_BEGIN = 5, /* a step pauses: begin the exchange, then es_resume */
  ES_EXCHANGE_AWAIT = 6  /* a step pauses: await the exchange, then es_resume */
};

enum es_element { ES_E2M1, ES_INT4, ES_E4M3, ES_E8M0, ES_BF16, ES_F16, ES_F32 };
enum es_format { ES_PLAIN, ES_BLOCK, ES_AFFINE, ES_SCALED };
enum es_block {
  ES_Q4_0, ES_Q4_1, ES_Q5_0, ES_Q5_1, ES_Q8_0, ES_Q2_K, ES_Q3_K, ES_Q4_K, ES_Q5_K, ES_Q6_K, ES_IQ4_NL, ES_IQ4_XS, ES_MXFP4, ES_BLOCKS
};
enum es_precision { ES_FLOAT32, ES_FAST };
enum es_kv_type { ES_KV_F32, ES_KV_F16, ES_KV_Q8 };
enum es_preparation { ES_LOCK_MEMORY = 1, ES_WARM_UP = 2 };
enum es_cache_kind { ES_ROWS, ES_STATE };
enum es_want { ES_ROUTING = 1, ES_LAST_HIDDEN = 2 };
enum es_input { ES_TOKENS, ES_ACTIVATIONS, ES_GREEDY };
enum es_logits_rows { ES_NO_LOGITS, ES_LAST_LOGITS, ES_ALL_LOGITS };
enum es_op_kind {
  ES_EMBED, ES_RMS_NORM, ES_LAYER_NORM, ES_LINEAR, ES_ROTATE, ES_ATTENTION, ES_SELECT_ROWS, ES_LATENT_ATTENTION, ES_GATED_MLP, ES_ROUTE,
  ES_EXPERTS, ES_SCALE, ES_GATE, ES_SHORT_CONVOLUTION, ES_GATED_DELTA_RULE, ES_ADD, ES_EXCHANGE_BEGIN_OP, ES_EXCHANGE_AWAIT_OP, ES_LOGITS,
  ES_OPS
};

/** Addresses are valid until the next call for the program. */
struct es_result {
  int64_t activations;   /* [T, D] in the precision of the run; 0 if the program ends in logits */
  int64_t activation_bytes;
  int64_t logits;        /* [R, V] float */
  int64_t logits_rows;   /* R */
  int64_t greedy;        /* int32, the token that each greedy entry took */
  int64_t greedy_count;
  int64_t experts;       /* int16 [MoE layer][T][width], -1 for none; 0 unless wanted */
  int64_t expert_weights;/* float, likewise */
  int64_t routing_width;
  int64_t last_hidden;   /* [T, D] as activations; 0 unless wanted */
  int64_t exchange_op;   /* of a step that pauses: the index in the program of the op that begins the exchange */
  int64_t exchange_values; /* [T, width], or of the logits [R, width], in the precision of the run */
  int64_t exchange_bytes;
};

#ifdef _WIN32
#define ES_EXPORT __declspec(dllexport)
#else
#define ES_EXPORT __attribute__((visibility("default")))
#endif

/** ES_VERSION of the library. */
ES_EXPORT int32_t es_version(void);

/** What it runs on, for people: device and chosen instructions, or why it cannot run here (then the status is ES_FAILED). */
ES_EXPORT int32_t es_describe(char *text, int32_t capacity);

/** Reads the program and maps its files. `*program` is 0 where it fails. */
ES_EXPORT int32_t es_load(const int32_t *words, int64_t count, int64_t *program, char *error);

/** Goes on with loading for some 50 ms; `*done` of es_resident_bytes are ready, all of them when it has ended. */
ES_EXPORT int32_t es_load_more(int64_t program, int64_t *done, char *error);

/** Frees everything; also a program that is half loaded or whose step pauses. */
ES_EXPORT void es_unload(int64_t program);

ES_EXPORT int64_t es_activation_bytes(int64_t program); /* of one value between shards */
ES_EXPORT int64_t es_resident_bytes(int64_t program);   /* of weights */
ES_EXPORT int64_t es_kv_bytes_per_row(int64_t program);
ES_EXPORT int64_t es_state_bytes(int64_t program);      /* of the states of one session */
ES_EXPORT int64_t es_kv_rows_free(int64_t program);     /* rows of new sessions for which there is memory */

ES_EXPORT int32_t es_open(int64_t program, int64_t session, int32_t max_length, const int32_t *edits, int64_t count, char *error);
ES_EXPORT int32_t es_copy_rows(int64_t program, int64_t from, int64_t to, int32_t length, char *error);
ES_EXPORT int32_t es_snapshot(int64_t program, int64_t session, char *error);
ES_EXPORT void es_drop_snapshot(int64_t program, int64_t session, int32_t length);
ES_EXPORT void es_drop_rows(int64_t program, int64_t session, int32_t length);
ES_EXPORT void es_close_session(int64_t program, int64_t session);

/**
 * Runs all ops over the rows of a step and appends their KV rows. At an exchange it returns ES_EXCHANGE_BEGIN or ES_EXCHANGE_AWAIT with the
 * exchange in `result`; es_resume goes on. In a group of nodes only an exchange cancels.
 *
 * @param activations [T, D], or null where the program embeds tokens
 * @param cancel non-zero once the step is to end; read between ops and within long ones
 */
ES_EXPORT int32_t es_run(
    int64_t program, const int32_t *step, int64_t count, const void *activations, const int32_t *cancel, struct es_result *result, char *error);

/** Goes on with a step that pauses. `outcome` is 0 where the exchange is done, 1 where the group was cancelled, 2 where it failed. */
ES_EXPORT int32_t es_resume(int64_t program, int32_t outcome, struct es_result *result, char *error);

/** Of a program that is profiled: nanoseconds spent in each op so far, [ops], and sets them to zero. */
ES_EXPORT int32_t es_profile(int64_t program, int64_t *nanos, int32_t capacity);

/** What the engine chose for this program while it ran, and why, for people: a line each, ended by a zero byte, cut off at `capacity`. */
ES_EXPORT void es_report(int64_t program, char *text, int32_t capacity);

/**
 * Bytes a second at which the program's threads read `bytes` of memory: of its mapped weights, or (kind 1) anonymous memory in huge pages; 0 where there is
 * too little to read for a rate.
 */
ES_EXPORT int32_t es_read_rate(int64_t program, int32_t kind, int64_t bytes, double *rate, char *error);

#endif
