/* espalier-check [options] DIR...: replays recordings (RECORDING.md) and compares. Ends with 0 if all is within bounds, 1 if not, 2 if it cannot. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fatal.h"
#include "replay.h"

static const char usage[] =
    "espalier-check [options] DIR...\n"
    "  replays the recordings in these folders on an engine and compares its answers with those recorded\n"
    "  --library FILE       the engine; one that is linked in needs none\n"
    "  --precision P        float32 or fast; otherwise as recorded\n"
    "  --threads N          otherwise as recorded\n"
    "  --tolerance X        greatest difference, as a share of the greatest number of its row; otherwise 1e-4\n"
    "  --choices X          share of greedy tokens and of experts that may differ; otherwise 0\n"
    "  --passes N           does the calls N times on the program that is loaded once; otherwise 1\n"
    "  --times              says how long steps took, by their number of rows, and what the engine chose\n"
    "  --cancel             also cancels each step on its way, and runs it again\n"
    "ends with 0 if all is within bounds, 1 if not, 2 if a recording cannot be replayed\n";

void fatal(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("espalier-check: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(2);
}

static double number(const char *option, const char *text, double greatest) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end || !(value >= 0) || value > greatest) {
    fatal("%s %s is not a number from 0 to %g", option, text, greatest);
  }
  return value;
}

static int64_t whole_number(const char *option, const char *text, int64_t least, int64_t greatest) {
  double value = number(option, text, (double)greatest);
  if (value < (double)least || value != (double)(int64_t)value) {
    fatal("%s %s is not a whole number from %lld to %lld", option, text, (long long)least, (long long)greatest);
  }
  return (int64_t)value;
}

static int32_t precision(const char *text) {
  if (strcmp(text, "float32") != 0 && strcmp(text, "fast") != 0) {
    fatal("--precision %s is neither float32 nor fast", text);
  }
  return strcmp(text, "fast") == 0 ? ES_FAST : ES_FLOAT32;
}

/** Reads the options; what remains in `arguments` are the recordings, whose number it returns. */
static int options_read(int count, char **arguments, struct replay *settings, struct bounds *bounds, const char **library) {
  int recordings = 0;
  for (int i = 1; i < count; i++) {
    const char *option = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
    if (strncmp(option, "--", 2) != 0) {
      arguments[recordings++] = arguments[i];
      continue;
    }
    if (strcmp(option, "--cancel") == 0) {
      settings->cancels = true;
      continue;
    }
    if (strcmp(option, "--times") == 0) {
      settings->times = true;
      continue;
    }
    if (strcmp(option, "--help") == 0) {
      fputs(usage, stdout);
      exit(0);
    }
    if (strcmp(option, "--library") == 0) {
      *library = value;
    } else if (strcmp(option, "--precision") == 0) {
      settings->precision = precision(value);
    } else if (strcmp(option, "--threads") == 0) {
      settings->threads = (int32_t)whole_number(option, value, 0, 1024);
    } else if (strcmp(option, "--passes") == 0) {
      settings->passes = whole_number(option, value, 1, 1000000);
    } else if (strcmp(option, "--tolerance") == 0) {
      bounds->tolerance = number(option, value, 1e9);
    } else if (strcmp(option, "--choices") == 0) {
      bounds->choices = number(option, value, 1);
    } else {
      fatal("%s is no option\n%s", option, usage);
    }
    i++;
  }
  return recordings;
}

int main(int count, char **arguments) {
  struct replay settings = {.precision = -1, .threads = -1, .passes = 1};
  struct bounds bounds = {.tolerance = 1e-4};
  const char *library = NULL;
  int recordings = options_read(count, arguments, &settings, &bounds, &library);
  if (recordings == 0) {
    fatal("which recordings?\n%s", usage);
  }
  engine_open(&settings.engine, library);
  if (settings.engine.version() != ES_VERSION) {
    fatal("the engine is of version %d of espalier.h, this is %d", settings.engine.version(), ES_VERSION);
  }
  char described[256];
  if (settings.engine.describe(described, sizeof described) != ES_OK) {
    fatal("the engine does not run here: %s", described);
  }
  struct comparison comparison = {.digest = 0xcbf29ce484222325};
  int start = open(".", O_RDONLY);
  for (int i = 0; i < recordings; i++) {
    comparison.recording = arguments[i];
    if (fchdir(start) != 0 || chdir(arguments[i]) != 0) {
      fatal("cannot enter %s: %s", arguments[i], strerror(errno));
    }
    replay(&settings, &comparison);
  }
  printf("%s: %d recordings, %lld calls", described, recordings, (long long)comparison.calls);
  printf(settings.cancels ? ", %lld steps cancelled\n" : "\n", (long long)comparison.cancelled);
  return comparison_report(&comparison, bounds) ? 0 : 1;
}
