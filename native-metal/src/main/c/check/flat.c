#include "flat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fatal.h"

struct flat flat_file(const char *name) {
  FILE *file = fopen(name, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) {
    fatal("cannot read %s: %s", name, strerror(errno));
  }
  long size = ftell(file);
  if (size % 4 != 0) {
    fatal("%s is not a file of words: it has %ld bytes", name, size);
  }
  int32_t *words = malloc((size_t)size + 4);
  rewind(file);
  if (!words || fread(words, 1, (size_t)size, file) != (size_t)size) {
    fatal("cannot read the %ld bytes of %s", size, name);
  }
  fclose(file);
  return (struct flat){name, words, words + size / 4};
}

static int32_t *take(struct flat *f, int64_t words) {
  if (words < 0 || words > f->end - f->next) {
    fatal("%s is cut off: %lld more words are expected, %lld are there", f->name, (long long)words, (long long)(f->end - f->next));
  }
  int32_t *first = f->next;
  f->next += words;
  return first;
}

int32_t flat_word(struct flat *f) { return *take(f, 1); }

int64_t flat_long(struct flat *f) {
  uint32_t low = (uint32_t)flat_word(f);
  return (int64_t)((uint64_t)(uint32_t)flat_word(f) << 32 | low);
}

struct bytes flat_bytes(struct flat *f) {
  int32_t count = flat_word(f);
  return (struct bytes){count, take(f, count < 0 ? -1 : ((int64_t)count + 3) / 4)};
}

struct flat flat_part(struct flat *f) {
  int32_t count = flat_word(f);
  int32_t *first = take(f, count);
  return (struct flat){f->name, first, first + count};
}
