/* SPDX-License-Identifier: ISC
 *
 * A running process's table, asked for now. */
#ifndef REPORT_LIVE_H
#define REPORT_LIVE_H

#include "model.h"

/* Asks process pid for a snapshot and reads it.  file: where its events go, or NULL: its own
 * environment tells.  False and one line in *ret_error when it cannot be had. */
bool live_snapshot(struct model *, long pid, const char *file, struct text *ret_error);

#endif
