/* SPDX-License-Identifier: ISC
 *
 * Libraries of the host that a program goes on to preload inside a root: fakeroot(1) in front of
 * jailrun, whose library the root need not have.  No heap, no locks, no stores: usable between vfork
 * and exec. */
#ifndef JAIL_CARRY_H
#define JAIL_CARRY_H

#include "mem.h"

enum { CARRY_NOTE = 1024 };

/* Which of the entries of list (LD_PRELOAD's form, may be NULL) the calling process has loaded from
 * the host, for a process that started there: "PATH@MINOR:..." to ret (CARRY_NOTE bytes), where 2.MINOR is
 * the glibc that it needs at least; "" for none.  One that needs more libraries than libc's own stays
 * behind, after a line on stderr. */
void carry_find(const char *list, char *ret);

/* Does the note have the entry of a list, by its last name? */
bool carry_named(const char *note, const char *entry);

/* Appends list for a program in a root: an entry that the note has by its last name becomes that host
 * path, where the libc beside interp, the program's loader (a host path), is new enough; the others stay as
 * they are.  say: tell on stderr what does not fit. */
void carry_put(struct str *s, const char *list, const char *note, const char *interp, bool say);

/* Is path one of those that the note has?  For the audit module. */
static inline bool carry_has(const char *note, const char *path)
{
	for (const char *rest; note && *note; note = mem_find(note, ':') ? mem_find(note, ':') + 1 : NULL)
		if ((rest = mem_after(note, path)) && *rest == '@')
			return true;
	return false;
}

#endif
