/* Loading: mapping at once, then what takes time piece by piece. */
#ifndef ES_LOAD_H
#define ES_LOAD_H

#include "../program/program.h"

/** Copies, touches and locks weights for some 50 ms. */
int load_more(struct es_program *p, int64_t *done, char *error);
/** Bytes of weights that stay resident, each once. */
int64_t resident_bytes(const struct es_program *p);
/** Bytes a second at which the pool reads what es_read_rate says. */
int read_rate(struct es_program *p, int32_t kind, int64_t bytes, double *rate, char *error);

#endif
