/* SPDX-License-Identifier: ISC
 *
 * What jailreport --json wrote, read again. */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include "model.h"

/* Adds such a document to the model, from text that begins in a line of a file; one that cannot be
 * parsed is counted as a malformed line.  The text is not of use afterwards. */
void document_read(struct model *, const char *file, unsigned long line, struct text *);

#endif
