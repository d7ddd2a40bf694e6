/* The ops of a program: each record of Java, with the shapes that its kernels trust. */
#ifndef ES_OPS_H
#define ES_OPS_H

#include "reader.h"

/** Reads the list of ops. What is wrong is said with the op's number. */
void ops_read(struct reader *r);
void op_free(struct op *op);

#endif
