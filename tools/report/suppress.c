/* SPDX-License-Identifier: ISC
 *
 * to come */
#include "suppress.h"
bool suppress_whats(const struct suppressions *s) { (void)s; return false; }
bool suppress_stacks(const struct suppressions *s) { (void)s; return false; }
unsigned suppress_set(struct suppressions *s, const struct fact *f) { (void)s; (void)f; return 0; }
void suppress_apply(struct model *m) { (void)m; }
