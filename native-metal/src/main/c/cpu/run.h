/* Steps as the exported functions run them. */
#ifndef ES_RUN_H
#define ES_RUN_H

#include "step.h"

struct step *step_open(struct es_program *p); /* null where there is no memory */
void step_close(struct step *s);
int step_run(struct step *s, struct words words, const void *activations, const int32_t *cancel, struct es_result *result, char *error);
/** A step that pauses cannot go on: one of its sessions is gone. */
void step_abandon(struct step *s);
int step_resume(struct step *s, int32_t outcome, struct es_result *result, char *error);

#endif
