/* SPDX-License-Identifier: ISC
 *
 * The oracle of tests/context/audit.sh: audit_chroot ROOT DIR PROGRAM [ARG...] runs PROGRAM under
 * the kernel's chroot(2), in a user namespace where it is not root; status 77 when that is not
 * allowed either. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
		return 77;
	if (chroot(argv[1]) != 0)
		return 77;
	if (chdir(argv[2]) == 0)
		execv(argv[3], argv + 3);
	perror(argv[3]);
	return 2;
}
