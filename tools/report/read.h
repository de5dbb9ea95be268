/* SPDX-License-Identifier: ISC
 *
 * Event files: lines of any quality from any number of processes, in one pass. */
#ifndef REPORT_READ_H
#define REPORT_READ_H

#include "model.h"

/* Reads the events and documents of --json in a file, or in stdin for "-": false, and errno, when it cannot be read.  What is not yet
 * certain waits until read_end(). */
bool read_file(struct model *, const char *file);
/* One line (n bytes, and room for a NUL behind them), of a file for messages. */
void read_line(
	struct model *, const char *file, unsigned long number, char *line, size_t n, bool whole);
void read_end(struct model *);

#endif
