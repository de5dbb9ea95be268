/* SPDX-License-Identifier: ISC
 *
 * Files under names that nobody else has, for the entrances that make them. */
#ifndef JAIL_TEMP_H
#define JAIL_TEMP_H

#include <stddef.h>

/* Replaces the six X that stand suffix bytes before the end of name and opens the new file of
 * that name, as mkostemps(3) does: a descriptor or -errno. */
long temp_open(char *name, int suffix, int flags);

#endif
