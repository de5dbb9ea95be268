/* SPDX-License-Identifier: ISC
 *
 * What became of the processes: which still run, and which programs were executed and never said that
 * they had started: what these do is not in the events. */
#ifndef REPORT_PROCESS_H
#define REPORT_PROCESS_H

#include "suppress.h"

/* Adds an event, which happened: start, exit, and those of an exec. */
void process_event(struct model *, const struct json *e, const char *ev, const struct fact *);
/* When all is read: what model.h's `running' and `unwatched' say. */
void process_end(struct model *);
/* Forgets all of them. */
void process_forget(struct model *);

#endif
