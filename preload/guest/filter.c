/* SPDX-License-Identifier: ISC
 *
 * The seccomp filters that the program installs.  They are written for the system calls that the program
 * and its libc make, and libjail's own pass through them, too. */
#include "guest.h"
#include "../path/look.h"
#include "../state.h"
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
	long r;

	if (op == PR_SET_SECCOMP)
		look_filter(state_view());
	else if (op == PR_SET_TSC && a != PR_TSC_ENABLE)
		look_no_clock();
	r = sys_call(SYS_prctl, op, a, b, c, d);
	return op == PR_SET_SECCOMP ? installed(r) : r;
}

long guest_seccomp(unsigned op, unsigned flags, void *args)
{
	const bool installs = op == SECCOMP_SET_MODE_STRICT || op == SECCOMP_SET_MODE_FILTER;
	long r;

	if (installs)
		look_filter(state_view());
	r = sys_call(SYS_seccomp, op, flags, args);
	return installs ? installed(r) : r;
}
