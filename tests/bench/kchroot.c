/* SPDX-License-Identifier: ISC
 *
 * The baseline: the kernel's chroot, run as an unprivileged user.
 *
 *   kchroot ROOT UID -- PROGRAM [ARG ...]         (as root)
 *
 * In a mount name space of its own it binds /proc and /dev into ROOT, enters ROOT by chroot(2),
 * becomes UID, and runs PROGRAM. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "kchroot: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void bind(const char *dir, const char *root)
{
	char to[4096];

	snprintf(to, sizeof to, "%s%s", root, dir);
	if (mount(dir, to, NULL, MS_BIND | MS_REC, NULL) != 0)
		die(to);
}

int main(int argc, char **argv)
{
	if (argc < 5 || strcmp(argv[3], "--") != 0) {
		fprintf(stderr, "usage: kchroot ROOT UID -- PROGRAM [ARG ...]\n");
		return 2;
	}
	unsigned id = (unsigned)strtoul(argv[2], NULL, 10);

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		die("unshare");
	bind("/proc", argv[1]);
	bind("/dev", argv[1]);
	if (chroot(argv[1]) != 0 || chdir("/") != 0)
		die(argv[1]);
	if (setgroups(0, NULL) != 0 || setgid(id) != 0 || setuid(id) != 0)
		die("setuid");
	execvp(argv[4], argv + 4);
	die(argv[4]);
}
