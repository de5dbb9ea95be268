/* SPDX-License-Identifier: ISC
 *
 * What is new since the last release. */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include "model.h"

/* Says of each finding of now whether it is new, grown or the same, and adds those of before that
 * are gone.  Both have names and are merged. */
void diff_apply(struct model *now, struct model *before);

#endif
