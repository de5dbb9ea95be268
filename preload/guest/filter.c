/* SPDX-License-Identifier: ISC
 *
 * The seccomp filters that the program installs.  They are written for the system calls that the program
 * and its libc make, and libjail's own pass through them, too. */
#include "guest.h"
#include <linux/seccomp.h>
#include <sys/prctl.h>

/* A child of vfork(2) says it for its parent as well: that costs time, and changes no answer. */
static long installed(long r)
{
	if (r >= 0)
		sys_filter();
	return r;
}

long guest_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	const long r = sys_call(SYS_prctl, op, a, b, c, d);

	return op == PR_SET_SECCOMP ? installed(r) : r;
}

long guest_seccomp(unsigned op, unsigned flags, void *args)
{
	const long r = sys_call(SYS_seccomp, op, flags, args);

	return op == SECCOMP_SET_MODE_STRICT || op == SECCOMP_SET_MODE_FILTER ? installed(r) : r;
}
