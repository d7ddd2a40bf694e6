/* The functions of espalier.h, of the library that is linked in or of one that is opened. */
#ifndef CHECK_ENGINE_H
#define CHECK_ENGINE_H

#include "../espalier.h"

struct engine {
  int32_t (*version)(void);
  int32_t (*describe)(char *text, int32_t capacity);
  int32_t (*load)(const int32_t *words, int64_t count, int64_t *program, char *error);
  int32_t (*load_more)(int64_t program, int64_t *done, char *error);
  void (*unload)(int64_t program);
  int64_t (*activation_bytes)(int64_t program);
  int64_t (*resident_bytes)(int64_t program);
  int32_t (*open)(int64_t program, int64_t session, int32_t max_length, const int32_t *edits, int64_t count, char *error);
  int32_t (*copy_rows)(int64_t program, int64_t from, int64_t to, int32_t length, char *error);
  int32_t (*snapshot)(int64_t program, int64_t session, char *error);
  void (*drop_snapshot)(int64_t program, int64_t session, int32_t length);
  void (*drop_rows)(int64_t program, int64_t session, int32_t length);
  void (*close_session)(int64_t program, int64_t session);
  int32_t (*run)(
      int64_t program, const int32_t *step, int64_t count, const void *activations, const int32_t *cancel, struct es_result *result, char *error);
  int32_t (*resume)(int64_t program, int32_t outcome, struct es_result *result, char *error);
  void (*report)(int64_t program, char *text, int32_t capacity);
};

/** @param path null for the one that is linked in */
void engine_open(struct engine *engine, const char *path);

#endif
