/* SPDX-License-Identifier: ISC
 *
 * What the process entrances share: the PATH search of exec.c, and the one way to make a child
 * that spawn.c offers to posix_spawn, system and popen alike. */
#ifndef JAIL_PROCESS_H
#define JAIL_PROCESS_H

#include "../wrap.h"

/* execvp(3)'s search, in the guest, by trying: it returns -errno, or not at all.  The PATH is
 * that of the process, not of envp.  script: a file that is no program goes to the guest's
 * /bin/sh.  Async-signal-safe, and usable between vfork and exec. */
long exec_search(const char *file, char *const argv[], char *const envp[], bool script);

/* posix_spawnattr_t, which glibc and musl lay out alike; cgroup is glibc's since 2.39.  The
 * kernel's signal sets are one word, the first of the 128 bytes that a libc sets aside. */
struct spawn_attr {
	short flags;
	pid_t pgrp;
	unsigned long sigdefault, sigdefault_rest[15];
	unsigned long sigmask, sigmask_rest[15];
	int priority, policy;
	int cgroup;
};

enum spawn_do {
	SPAWN_OPEN,
	SPAWN_DUP2,
	SPAWN_CLOSE,
	SPAWN_CLOSEFROM,
	SPAWN_CHDIR,
	SPAWN_FCHDIR,
	SPAWN_TCSETPGRP,
};

struct spawn_action {
	enum spawn_do what;
	int fd;       /* what it is done to; the number to be for SPAWN_OPEN */
	int to;       /* SPAWN_DUP2 */
	int flags;    /* SPAWN_OPEN: open(2)'s, and mode */
	mode_t mode;
	char *path;   /* SPAWN_OPEN, SPAWN_CHDIR: a guest path, ours to free */
};

struct spawn_list {
	size_t used, room;
	struct spawn_action at[];
};

/* What to make a child of; all but file, argv and envp may be zero. */
struct spawn {
	const char *file;                /* a guest path; a name for PATH when search is set */
	char *const *argv, *const *envp;
	const struct spawn_list *actions;
	const struct spawn_attr *attr;
	bool search;
	int *pidfd;                      /* gets a descriptor of the child (CLONE_PIDFD) */
};

/* The child's pid, or -errno when it could not be made, prepared or executed: then nothing is
 * left of it.  Not async-signal-safe, but without heap and locks. */
long spawn_run(const struct spawn *s);

/* struct sigaction as the kernel knows it on x86_64 and aarch64 */
struct process_sigaction {
	void (*handler)(int);
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

#endif
