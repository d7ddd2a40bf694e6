/*
 * Weight files, mapped. A file that is cut short while it is mapped raises SIGBUS: the guard puts zeros there, marks the file, and the step
 * that meets them fails. Within the file's last page there are zeros without a signal, and what is written over the file is read as it is: so its size
 * and the time of its last change are looked at as well, when a step ends.
 */
#ifndef ES_FILES_H
#define ES_FILES_H

#include <stdint.h>

#ifdef __cplusplus
typedef int file_flag; /* C++ does not look at it */
#else
#include <stdatomic.h>
typedef _Atomic int file_flag;
#endif

#define ANY_TIME INT64_MIN

enum file_harm { FILE_WHOLE, FILE_CUT, FILE_CHANGED };

struct file {
  char *path;
  const uint8_t *bytes;
  int64_t size;
  uint64_t device, inode; /* of what was mapped, whatever has the path now */
  int64_t written; /* when it was, as it was mapped, or ANY_TIME */
  file_flag harm; /* enum file_harm, set by the guard, and by files_look */
};

/** Maps file->path. */
int file_map(struct file *file, char *error);
void file_unmap(struct file *file);
/** Marks those that are shorter than they were mapped, or were written since. */
void files_look(struct file *files, int32_t count);
/** Fails where one of them is marked. */
int files_check(const struct file *files, int32_t count, char *error);

#endif
