/* SPDX-License-Identifier: ISC
 *
 * Whom to ask for a name: the sources that --names chose, in their order, and the table of each.  What
 * a line means is names.c's, which answer a function gives is call/names.c's.  No lock; what
 * allocates takes pages from the kernel, so all of it works in signal handlers and in children of
 * fork, but for the source nss, which is the libc's own. */
#ifndef JAIL_SOURCE_H
#define JAIL_SOURCE_H

#include "names.h"

/* The first entry that has this name, or this id where name is NULL, in *ret (struct passwd, group,
 * spwd or names_sgrp) with its strings in buf: 1; 0: nobody knows it; -ERANGE: buf is too small; or -errno of
 * the source that was asked last.  Shadow and gshadow tables are the guest's or
 * nss's alone. */
int source_find(enum names_kind kind, const char *name, uint32_t id, void *ret, char *buf, size_t n)
	MUST_CHECK;

/* The name of uid to buf, cut off at n: its bytes with the NUL, 0 where there is none, -errno. */
long source_name(uint32_t uid, char *buf, size_t n);
/* The same of the home directory of name, or of uid where name is NULL. */
long source_home(const char *name, uint32_t uid, char *buf, size_t n);

/* getpwent(3): every entry of every source, one after the other, as they were when the source's turn
 * came.  next: 1 and *ret, 0 at the end, or -errno; -ERANGE does not move on.  rewind: opens the first
 * source anew: 0, or -errno. */
int source_next(enum names_kind kind, void *ret, char *buf, size_t n) MUST_CHECK;
int source_rewind(enum names_kind kind);
void source_end(enum names_kind kind);

/* gid, then the groups that list user in any source: at most n of them to out, their number, or
 * -errno.  A group twice in one source is there twice, as with glibc and musl.  *ret_unread: 0, or errno
 * of a file that could not be read and counted as empty. */
long source_groups(const char *user, gid_t gid, gid_t *out, size_t n, int *ret_unread);

/* Is the libc the first whom the user wants to be asked, and allowed to be? */
bool source_is_nss(void);

/* Says on stderr which lines of the files are skipped, and why, and which file cannot be read. */
void source_check(void);

/* From the constructor: takes over the descriptor of the host's names, which jailrun or the program
 * executed before left open (LIBJAIL_0_NAMES). */
void source_start(void);
/* That descriptor, one of our own (state_owns), or -1.  source_moved: it was `from` and is `to` from now on;
 * false where it was not `from`.  Async-signal-safe. */
extern int source_fd;
bool source_moved(int from, int to);
/* Around an exec: it stays open in the next program. */
void source_keep(bool across_exec);

#endif
