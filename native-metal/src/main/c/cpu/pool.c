#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

/*
 * A job is one pool_run. The caller opens it, takes part, closes it when no task is left, and waits for those who are still at one: not for a
 * worker that has not come, because it sleeps or because the system gave its processor to somebody else. So a busy machine costs a share of the
 * speed, not all of it.
 *
 * `gate` has the job's number, whether it is open, and how many workers are in it. A worker enters by compare-and-swap only while it is open:
 * once it is closed and empty nobody reads the job's fields. Between jobs workers look at the gate for a while before they sleep, for between two
 * ops of a step there are a few microseconds, which is less than waking a thread takes.
 */
enum { SPIN_NANOS = 100000 };

#define OPEN ((uint64_t)1 << 31)
#define NUMBER(gate) ((uint32_t)((gate) >> 32))

struct pool {
  int threads;
  pthread_t *workers;
  task_fn *task;
  void *context;
  int64_t tasks;
  _Alignas(64) _Atomic int64_t next;
  _Alignas(64) _Atomic uint64_t gate;
  _Alignas(64) _Atomic int32_t sleepers;
  _Atomic bool resting, closing;
  pthread_mutex_t lock;
  pthread_cond_t wake;
};

struct worker {
  struct pool *pool;
  int thread;
};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory"); /* a yield is over at once on most of these processors */
#endif
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/** For loops that wait: whether `nanos` have passed since the first of `*rounds`. The clock is not looked at in each of them. */
static bool has_spun(int64_t *rounds, int64_t *start, int64_t nanos) {
  relax();
  if (*rounds == 0) {
    *start = now();
  }
  return ++*rounds % 64 == 0 && now() - *start > nanos;
}

static void take_part(struct pool *pool, int thread) {
  for (;;) {
    int64_t task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (task >= pool->tasks) {
      return;
    }
    pool->task(pool->context, task, thread);
  }
}

/** Returns the number of a job later than `seen`. */
static uint32_t await_job(struct pool *pool, uint32_t seen) {
  uint32_t number;
  int64_t rounds = 0, start = 0;
  do {
    number = NUMBER(atomic_load_explicit(&pool->gate, memory_order_acquire));
    if (number != seen) {
      return number;
    }
  } while (!has_spun(&rounds, &start, SPIN_NANOS) && !atomic_load_explicit(&pool->resting, memory_order_relaxed));
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->sleepers, 1);
  while ((number = NUMBER(atomic_load(&pool->gate))) == seen) {
    pthread_cond_wait(&pool->wake, &pool->lock);
  }
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->lock);
  return number;
}

/** Whether the job was still open. */
static bool enter(struct pool *pool, uint32_t number) {
  uint64_t gate = atomic_load(&pool->gate);
  while (NUMBER(gate) == number && (gate & OPEN)) {
    if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1)) {
      return true;
    }
  }
  return false;
}

/** The gate changes before it is looked at whether anybody sleeps, and a sleeper says so before it looks at the gate: none is missed. */
static void publish(struct pool *pool) {
  uint64_t number = NUMBER(atomic_load(&pool->gate)) + (uint64_t)1;
  atomic_store(&pool->gate, number << 32 | OPEN);
  if (atomic_load(&pool->sleepers) > 0) {
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
  }
}

static void *work(void *argument) {
  struct worker worker = *(struct worker *)argument;
  free(argument);
  struct pool *pool = worker.pool;
  for (uint32_t seen = 0;;) {
    seen = await_job(pool, seen);
    if (atomic_load(&pool->closing)) {
      return NULL;
    }
    if (enter(pool, seen)) {
      take_part(pool, worker.thread);
      atomic_fetch_sub(&pool->gate, 1);
    }
  }
}

#if defined(__linux__)
/** The first number in a small file of the system; -1 where there is none. */
static long first_number(const char *path) {
  FILE *file = fopen(path, "r");
  long number = -1;
  if (file) {
    if (fscanf(file, "%ld", &number) != 1) {
      number = -1;
    }
    fclose(file);
  }
  return number;
}

/** Processors whose time a container may use; 0 for no limit. */
static int quota(void) {
  FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
  long most = 0, period = 0;
  bool limited = file && fscanf(file, "%ld %ld", &most, &period) == 2 && most > 0 && period > 0;
  if (file) {
    fclose(file);
  }
  return limited ? (int)((most + period - 1) / period) : 0;
}

/** Of the processors that this process may use, those that are the first of their core. */
static int cores(void) {
  cpu_set_t mine;
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) {
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
  }
  int usable = 0, most = quota();
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    long first = CPU_ISSET(cpu, &mine) ? first_number(path) : 0;
    bool sibling = first >= 0 && first < cpu && CPU_ISSET((size_t)first, &mine);
    usable += CPU_ISSET(cpu, &mine) && !sibling;
  }
  return most > 0 && most < usable ? most : usable;
}
#elif defined(__APPLE__)
/** Performance cores: the others would hold them up. */
static int cores(void) {
  int count = 0;
  size_t size = sizeof count;
  if (sysctlbyname("hw.perflevel0.physicalcpu", &count, &size, NULL, 0) == 0 && count > 0) {
    return count;
  }
  return sysctlbyname("hw.physicalcpu", &count, &size, NULL, 0) == 0 ? count : 1;
}
#else
static int cores(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }
#endif

struct pool *pool_open(int threads) {
  struct pool *pool = NULL;
  if (posix_memalign((void **)&pool, 64, sizeof *pool) != 0) {
    return NULL;
  }
  int found = threads > 0 ? threads : cores();
  *pool = (struct pool){.threads = found > 0 ? found : 1};
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->workers = calloc((size_t)pool->threads, sizeof *pool->workers);
  int started = 1;
  while (pool->workers && started < pool->threads) {
    struct worker *worker = malloc(sizeof *worker);
    if (!worker) {
      break;
    }
    *worker = (struct worker){pool, started};
    if (pthread_create(&pool->workers[started], NULL, work, worker) != 0) {
      free(worker);
      break;
    }
    started++;
  }
  bool complete = pool->workers && started == pool->threads;
  pool->threads = started;
  if (!complete) {
    pool_close(pool);
    return NULL;
  }
  return pool;
}

void pool_close(struct pool *pool) {
  if (!pool) {
    return;
  }
  atomic_store(&pool->closing, true);
  publish(pool);
  for (int i = 1; pool->workers && i < pool->threads; i++) {
    pthread_join(pool->workers[i], NULL);
  }
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  free(pool->workers);
  free(pool);
}

int pool_threads(const struct pool *pool) { return pool->threads; }

void pool_run(struct pool *pool, int64_t tasks, task_fn *task, void *context) {
  if (pool->threads == 1 || tasks == 1) {
    for (int64_t i = 0; i < tasks; i++) {
      task(context, i, 0);
    }
    return;
  }
  pool->task = task;
  pool->context = context;
  pool->tasks = tasks;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->resting, false, memory_order_relaxed);
  publish(pool);
  take_part(pool, 0);
  atomic_fetch_and(&pool->gate, ~OPEN);
  int64_t rounds = 0, start = 0;
  while ((uint32_t)atomic_load_explicit(&pool->gate, memory_order_acquire) > 0) {
    if (has_spun(&rounds, &start, SPIN_NANOS)) {
      sched_yield(); /* a worker lost its processor while it was at a task */
    }
  }
}

void pool_rest(struct pool *pool) { atomic_store_explicit(&pool->resting, true, memory_order_relaxed); }
