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
 * A job is one pool_run. The caller publishes it by raising `job`, takes part, and waits until all workers have left it. Workers take tasks
 * from `next`. Between jobs they look at `job` for a while before they sleep: between two ops of a step there are a few microseconds, which is
 * less than waking a thread takes.
 */
enum { SPIN_NANOS = 100000 };

struct pool {
  int threads;
  pthread_t *workers;
  task_fn *task;
  void *context;
  int64_t tasks;
  _Alignas(64) _Atomic int64_t next;
  _Alignas(64) _Atomic uint32_t job;
  _Alignas(64) _Atomic int32_t busy; /* workers that have not left the job */
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

/** Returns once `job` is no longer `seen`. */
static uint32_t await_job(struct pool *pool, uint32_t seen) {
  uint32_t job;
  int64_t rounds = 0, start = 0;
  do {
    job = atomic_load_explicit(&pool->job, memory_order_acquire);
    if (job != seen) {
      return job;
    }
  } while (!has_spun(&rounds, &start, SPIN_NANOS) && !atomic_load_explicit(&pool->resting, memory_order_relaxed));
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->sleepers, 1);
  while ((job = atomic_load(&pool->job)) == seen) {
    pthread_cond_wait(&pool->wake, &pool->lock);
  }
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->lock);
  return job;
}

/** `job` changes before it is looked at whether anybody sleeps, and a sleeper says so before it looks at `job`: none is missed. */
static void publish(struct pool *pool) {
  atomic_fetch_add(&pool->job, 1);
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
    take_part(pool, worker.thread);
    atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_release);
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
    bool sibling = first >= 0 && first < cpu && CPU_ISSET(first, &mine);
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
  atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
  atomic_store_explicit(&pool->resting, false, memory_order_relaxed);
  publish(pool);
  take_part(pool, 0);
  int64_t rounds = 0, start = 0;
  while (atomic_load_explicit(&pool->busy, memory_order_acquire) > 0) {
    if (has_spun(&rounds, &start, SPIN_NANOS)) {
      sched_yield(); /* a worker lost its processor to somebody else */
    }
  }
}

void pool_rest(struct pool *pool) { atomic_store_explicit(&pool->resting, true, memory_order_relaxed); }
