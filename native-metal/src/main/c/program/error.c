#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int fail(char *error, int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error, ES_ERROR_BYTES, format, arguments);
  va_end(arguments);
  return status;
}
