/* SPDX-License-Identifier: ISC
 *
 * What jailreport --json wrote, read again. */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include "model.h"

/* 1: it is such a document, and the model has it; 0: it is something else, or cannot be read. */
int document_read(struct model *, const char *file);

#endif
