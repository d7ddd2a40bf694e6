#include "words.h"

#include <stdlib.h>
#include <string.h>

int32_t word(struct words *w) {
  if (w->next == w->end) {
    w->bad = true;
    return 0;
  }
  return *w->next++;
}

int64_t word_long(struct words *w) {
  uint32_t low = (uint32_t)word(w);
  return (int64_t)((uint64_t)(uint32_t)word(w) << 32 | low);
}

float word_float(struct words *w) {
  int32_t bits = word(w);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

int32_t word_length(struct words *w, int32_t item) {
  int32_t length = word(w);
  if (length < 0 || (int64_t)length * item > w->end - w->next) {
    w->bad = true;
    return 0;
  }
  return length;
}

int32_t word_index(struct words *w, int32_t end) {
  int32_t index = word(w);
  if (index < 0 || index >= end) {
    w->bad = true;
    return 0;
  }
  return index;
}

char *word_string(struct words *w) {
  int32_t bytes = word(w);
  if (bytes < 0 || ((int64_t)bytes + 3) / 4 > w->end - w->next) {
    w->bad = true;
    return NULL;
  }
  char *text = malloc((size_t)bytes + 1);
  if (text) {
    memcpy(text, w->next, (size_t)bytes);
    text[bytes] = 0;
  }
  w->next += ((int64_t)bytes + 3) / 4;
  return text;
}

struct words word_part(struct words *w, int32_t count) {
  if (count < 0 || count > w->end - w->next) {
    w->bad = true;
    count = 0;
  }
  struct words part = {w->next, w->next + count, w->bad};
  w->next += count;
  return part;
}
