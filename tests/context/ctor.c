/* SPDX-License-Identifier: ISC
 *
 * Linked with calls.c into a library whose constructor makes all the calls, before libjail's own
 * constructor or after it as the loader has it.  LIB##_saw() prints what they answered. */
#include "calls.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME2(lib) lib##_saw
#define NAME1(lib) NAME2(lib)
#define TEXT2(lib) #lib
#define TEXT(lib) TEXT2(lib)

static int result[512], ran, fds;

__attribute__((constructor)) static void early(void)
{
	int n, before;

#ifdef ONCE /* preloaded in front: but not in what the calls execute */
	char *list = getenv("LD_PRELOAD"), *us = list ? strstr(list, "/libthird.so") : NULL;

	if (!us || getenv("CTX_ONCE"))
		return;
	setenv("CTX_ONCE", "yes", 1);
	if (us[strlen("/libthird.so")])
		setenv("LD_PRELOAD", us + strlen("/libthird.so:"), 1);
	else
		unsetenv("LD_PRELOAD");
#endif
	const struct call *c = calls_all(&n);
	struct at at = {access("/ctx/f", F_OK) == 0 ? "/ctx" : HOSTDIR,
		(int)raw(SYS_openat, AT_FDCWD, (long)HOSTDIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0), TEXT(LIB)[0]};

	raw(SYS_fchdir, at.fd, 0, 0, 0, 0);
	before = calls_fds();
	for (int i = 0; i < n; i++) {
#ifndef __GLIBC__
		if (c[i].flags & GLIBC)
			continue;
#endif
		result[i] = c[i].run(&at);
		ran++;
	}
	fds = calls_fds() - before;
	raw(SYS_close, at.fd, 0, 0, 0, 0);
}

int NAME1(LIB)(void);
int NAME1(LIB)(void)
{
	int n, bad = 0;
	const struct call *c = calls_all(&n);

	for (int i = 0; i < n; i++) {
		/* there is no PATH yet for the first of all */
		if (!result[i] || (result[i] == -ENOENT && c[i].flags & EXEC))
			continue;
		printf("# %s: %s: %s %d\n", TEXT(LIB), c[i].name, result[i] < 0 ? "errno" : "calls.c, line",
			result[i] < 0 ? -result[i] : result[i]);
		bad++;
	}
	if (fds)
		printf("# %s: %d descriptors more\n", TEXT(LIB), fds);
	return bad || fds || ran < 100;
}
