/* SPDX-License-Identifier: ISC
 *
 * Libraries of the host that a program goes on to preload inside a root: fakeroot(1) in front of
 * jailrun, whose library the root need not have.  No heap, no locks, no stores: usable between vfork
 * and exec. */
#ifndef JAIL_CARRY_H
#define JAIL_CARRY_H

#include "mem.h"

enum { CARRY_NOTE = 1024 };

struct view;

/* Which of the entries of list (LD_PRELOAD's form, may be NULL) the calling process has loaded from
 * the host, for a process that started there: "PATH@MINOR:..." to ret (CARRY_NOTE bytes), where 2.MINOR is
 * the glibc that it needs at least; "" for none.  One that needs more libraries than libc's own stays
 * behind, after a line on stderr; libfakeroot and its like are noted all the same, for carry_put(). */
void carry_find(const char *list, char *ret);

/* Does the note have the entry of a list, by its last name? */
bool carry_named(const char *note, const char *entry);

/* Appends list for a program in the root v: an entry that the note has by its last name becomes that host
 * path, where the libc beside interp, the program's loader (a host path), is new enough, and else the guest path of
 * the root's own library of that name, which is loaded there; the others stay as they are.  musl: the
 * program's libc is musl, whose loader gets host paths, and nothing of the host's.
 * say: the program enters the root with this exec.  Then what does not fit is told on stderr, and for a library without
 * which the program would silently do something else (libfakeroot, libpseudo) -ELIBACC is returned; else 0. */
long carry_put(struct str *s, const struct view *v, const char *list, const char *note, const char *interp, bool musl, bool say);

/* Is path one of those that the note has?  For the audit module. */
static inline bool carry_has(const char *note, const char *path)
{
	for (const char *rest; note && *note; note = mem_find(note, ':') ? mem_find(note, ':') + 1 : NULL)
		if ((rest = mem_after(note, path)) && *rest == '@')
			return true;
	return false;
}

#endif
