/*
 * Weight files, mapped. A file that is cut short while it is mapped raises SIGBUS: the guard puts zeros there, marks the file, and the step
 * that meets them fails. Within the file's last page there are zeros without a signal: so its size is looked at as well, when a step ends.
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

struct file {
  char *path;
  const uint8_t *bytes;
  int64_t size;
  uint64_t device, inode; /* of what was mapped, whatever has the path now */
  file_flag cut; /* set by the guard, and by files_look */
};

/** Maps file->path. */
int file_map(struct file *file, char *error);
void file_unmap(struct file *file);
/** Marks those that are shorter than they were mapped. */
void files_look(struct file *files, int32_t count);
/** One of them that was cut short, or null. */
const struct file *files_cut(const struct file *files, int32_t count);

#endif
