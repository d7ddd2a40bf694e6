/* A status and a sentence on their way out to the caller. */
#ifndef ES_ERROR_H
#define ES_ERROR_H

#include "../espalier.h"

/** Writes the sentence into `error`, of ES_ERROR_BYTES, and returns the status. */
int fail(char *error, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
