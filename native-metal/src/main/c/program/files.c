#include "files.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

#define RANGES_ENDING ".ranges.json"

/*
 * The guard. A signal handler may read no locks, so the files are in a list that only grows and whose entries are taken by compare-and-swap. What is
 * no fault within them goes to the handler that was there before, which in a Java process is the virtual machine's.
 */
struct guarded {
  struct file *_Atomic file;
  struct guarded *next;
};

static struct guarded *_Atomic all_guarded;
static _Atomic int looking;  /* handlers that look at files of the list, which are not freed meanwhile */
static _Atomic int any_harm; /* since the process began: then each file is looked at */
static struct sigaction before;
static pthread_once_t installed = PTHREAD_ONCE_INIT;

static struct file *file_at(const uint8_t *address) {
  for (struct guarded *g = atomic_load(&all_guarded); g; g = g->next) {
    struct file *file = atomic_load(&g->file);
    if (file && address >= file->bytes && address < file->bytes + file->size) {
      return file;
    }
  }
  return NULL;
}

/** The first harm stays. */
static void mark(struct file *file, enum file_harm harm) {
  int whole = FILE_WHOLE;
  atomic_compare_exchange_strong(&file->harm, &whole, harm);
  atomic_store(&any_harm, 1);
}

/** What a page has not, none after it has; one mapping for all of them, for their number in a process is limited. */
static bool put_zeros(struct file *file, uintptr_t address) {
  uintptr_t start = address - address % (uintptr_t)sysconf(_SC_PAGESIZE), end = (uintptr_t)file->bytes + (uintptr_t)file->size;
  if (mmap((void *)start, end - start, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return false;
  }
  mark(file, FILE_CUT);
  return true;
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  int number = errno;
  atomic_fetch_add(&looking, 1);
  struct file *file = file_at(info->si_addr);
  bool ours = file && put_zeros(file, (uintptr_t)info->si_addr);
  atomic_fetch_sub(&looking, 1);
  errno = number;
  if (ours) {
    return;
  }
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  } else {
    sigaction(signal, &before, NULL); /* the instruction faults again, and ends the process as it would have */
  }
}

/**
 * Keeps this library in the process, whoever closes it: a signal would be sent to where it was, and its handler cannot be taken back once another one has
 * been installed upon it. Within a program, which is no library, there is nothing to keep.
 */
static void stay_loaded(void) {
  Dl_info library;
  if (dladdr(&installed, &library) && library.dli_fname) {
    dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
}

static void install(void) {
  stay_loaded();
  struct sigaction guard = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
  guard.sa_sigaction = on_fault;
  sigemptyset(&guard.sa_mask);
  sigaction(SIGBUS, NULL, &before); /* before it is needed */
  sigaction(SIGBUS, &guard, NULL);
}

static int guard(struct file *file) {
  pthread_once(&installed, install);
  for (struct guarded *g = atomic_load(&all_guarded); g; g = g->next) {
    struct file *none = NULL;
    if (atomic_compare_exchange_strong(&g->file, &none, file)) {
      return 1;
    }
  }
  struct guarded *g = malloc(sizeof *g);
  if (!g) {
    return 0;
  }
  atomic_init(&g->file, file);
  g->next = atomic_load(&all_guarded);
  while (!atomic_compare_exchange_weak(&all_guarded, &g->next, g)) {
  }
  return 1;
}

static void unguard(struct file *file) {
  for (struct guarded *g = atomic_load(&all_guarded); g; g = g->next) {
    struct file *mine = file;
    if (atomic_compare_exchange_strong(&g->file, &mine, NULL)) {
      while (atomic_load(&looking) > 0) {
        sched_yield();
      }
      return;
    }
  }
}

/** When a file was last written, in nanoseconds; it may wrap around, a file system may have any year. */
static int64_t written(const struct stat *status) {
#ifdef __APPLE__
  struct timespec time = status->st_mtimespec;
#else
  struct timespec time = status->st_mtim;
#endif
  return (int64_t)((uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec);
}

/** Whether only some layers of the file were fetched, of which PresentRanges keeps a record beside it: others may be written while these are in use. */
static bool is_partial(const char *path) {
  size_t length = strlen(path);
  char record[length + sizeof RANGES_ENDING];
  memcpy(record, path, length);
  memcpy(record + length, RANGES_ENDING, sizeof RANGES_ENDING);
  return access(record, F_OK) == 0;
}

int file_map(struct file *file, char *error) {
  int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* or a pipe would be waited for */
  if (descriptor < 0) {
    return fail(error, ES_FAILED, "the weights' file %s cannot be opened: %s", file->path, strerror(errno));
  }
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    return fail(error, ES_FAILED, "the weights' file %s is no file", file->path);
  }
  file->size = status.st_size;
  if (file->size > 0) {
    void *bytes = mmap(NULL, (size_t)file->size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED) {
      int reason = errno;
      close(descriptor);
      file->size = 0;
      return fail(error, ES_NO_MEMORY, "the weights' file %s cannot be mapped: %s", file->path, strerror(reason));
    }
    file->bytes = bytes;
    file->device = (uint64_t)status.st_dev;
    file->inode = (uint64_t)status.st_ino;
    file->written = is_partial(file->path) ? ANY_TIME : written(&status);
  }
  close(descriptor);
#if defined(MADV_HUGEPAGE)
  if (file->bytes) {
    madvise((void *)file->bytes, (size_t)file->size, MADV_HUGEPAGE); /* before the first touch; where the kernel has none for files, nothing changes */
  }
#endif
  if (!guard(file)) {
    file_unmap(file);
    return fail(error, ES_NO_MEMORY, "no memory to map %s", file->path);
  }
  return ES_OK;
}

void file_unmap(struct file *file) {
  unguard(file);
  if (file->bytes) {
    munmap((void *)file->bytes, (size_t)file->size);
    file->bytes = NULL;
  }
}

void files_look(struct file *files, int32_t count) {
  for (int i = 0; i < count; i++) {
    struct file *file = &files[i];
    struct stat now;
    bool same = stat(file->path, &now) == 0 && (uint64_t)now.st_dev == file->device && (uint64_t)now.st_ino == file->inode;
    if (same && now.st_size < file->size) {
      mark(file, FILE_CUT);
    } else if (same && file->written != ANY_TIME && written(&now) != file->written) {
      mark(file, FILE_CHANGED);
    }
  }
}

int files_check(const struct file *files, int32_t count, char *error) {
  for (int i = 0; atomic_load_explicit(&any_harm, memory_order_relaxed) && i < count; i++) {
    switch (atomic_load(&files[i].harm)) {
      case FILE_CUT:
        return fail(error, ES_FAILED, "the weights' file %s was cut short while it was in use: fetch it again and load the model anew", files[i].path);
      case FILE_CHANGED:
        return fail(error, ES_FAILED, "the weights' file %s was changed while it was in use: load the model again", files[i].path);
      default:
        break;
    }
  }
  return ES_OK;
}
