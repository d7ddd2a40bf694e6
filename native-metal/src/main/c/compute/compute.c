/* One set of instructions: everything of this folder in one unit, see compute.h. */
#include "compute.h"

#define PASTE(a, b) a##b
#define TABLE_OF(target) PASTE(compute_, target)

#include "vector.h"
#include "product.c"

const struct compute TABLE_OF(ES_TARGET) = {
    .name = TARGET_NAME,
    .ops = {0},
};
