#ifndef CHECK_FATAL_H
#define CHECK_FATAL_H

/** Prints the sentence and ends the process with status 2: what cannot be replayed is no difference. */
_Noreturn void fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
