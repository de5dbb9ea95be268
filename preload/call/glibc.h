/* SPDX-License-Identifier: ISC
 *
 * Which glibc this process has, for the few things that it has done in two ways. */
#ifndef JAIL_GLIBC_H
#define JAIL_GLIBC_H

#include "../wrap.h"

/* Is the libc a glibc before 2.minor? */
static inline bool glibc_before(int minor)
{
	const char *(*get)(void) = LIBC(gnu_get_libc_version, const char *, (void));
	const char *p = get ? mem_after(get(), "2.") : NULL;
	int n = 0;

	for (; p && *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (*p - '0');
	return p && n < minor;
}

/* The kernel has no path for the working directory: glibc looks for one by itself, from "." on
 * (sysdeps/posix/getcwd.c), and finds none.  -ENOENT, or the -errno that it meets on its way. */
long glibc_unreachable(void);

#endif
