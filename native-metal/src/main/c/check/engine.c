#include "engine.h"

#include "fatal.h"

#ifdef CHECK_LINKED

static const struct engine linked = {
    es_version, es_describe, es_load, es_load_more, es_unload, es_activation_bytes, es_resident_bytes, es_open, es_copy_rows, es_snapshot,
    es_drop_snapshot, es_drop_rows, es_close_session, es_run, es_resume, es_report,
};

void engine_open(struct engine *engine, const char *path) {
  if (path) {
    fatal("this espalier-check has an engine of its own and opens no other: leave --library out");
  }
  *engine = linked;
}

#else

#include <dlfcn.h>
#include <string.h>

/** Stores the address of a function; a union of the two kinds of pointers is what POSIX asks of dlsym. */
static void find(void *library, const char *name, void *function) {
  void *address = dlsym(library, name);
  if (!address) {
    fatal("the library has no function %s", name);
  }
  memcpy(function, &address, sizeof address);
}

void engine_open(struct engine *engine, const char *path) {
  if (!path || !*path) { /* an empty one would be this program */
    fatal("which engine? --library FILE");
  }
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fatal("cannot open the library: %s", dlerror());
  }
  find(library, "es_version", &engine->version);
  find(library, "es_describe", &engine->describe);
  find(library, "es_load", &engine->load);
  find(library, "es_load_more", &engine->load_more);
  find(library, "es_unload", &engine->unload);
  find(library, "es_activation_bytes", &engine->activation_bytes);
  find(library, "es_resident_bytes", &engine->resident_bytes);
  find(library, "es_open", &engine->open);
  find(library, "es_copy_rows", &engine->copy_rows);
  find(library, "es_snapshot", &engine->snapshot);
  find(library, "es_drop_snapshot", &engine->drop_snapshot);
  find(library, "es_drop_rows", &engine->drop_rows);
  find(library, "es_close_session", &engine->close_session);
  find(library, "es_run", &engine->run);
  find(library, "es_resume", &engine->resume);
  find(library, "es_report", &engine->report);
}

#endif
