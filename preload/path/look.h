/* SPDX-License-Identifier: ISC
 *
 * Lookups: how the calls that change nothing find their place (look.c).  Below directories that are known to be clean
 * (clean.h) that takes neither a system call nor a descriptor. */
#ifndef JAIL_LOOK_H
#define JAIL_LOOK_H

#include "clean.h"
#include "epoch.h"
#include "../state.h"

enum {
	LOOK_AGAIN = PLACE_LOOK | PLACE_TRY, /* taken out of how: the long way */
	LOOK_ROOM = 512,                     /* bytes for a name, which the place may point to */
	LOOK_TRY = 1 << 16,                  /* in how: counts answers that were thrown away */
	LOOK_TRIES = 8,
};

/* place_find(), for a caller that throws its answer away where look_moved() says so, and comes back with LOOK_AGAIN
 * taken out of how.  how: PLACE_OBJECT and what goes with it, and PLACE_LOOK.  Async-signal-safe. */
int look_place(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how, char room[LOOK_ROOM])
	MUST_CHECK;

/* The same without the long way: 1; 0: the long way is left; -errno.  v is a view with a root, guest not NULL. */
int look_try(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how, char room[LOOK_ROOM])
	MUST_CHECK;

/* The clock of this process may not be read any more (prctl(2), PR_SET_TSC).  Async-signal-safe. */
void look_no_clock(void);

/* Before a seccomp filter is installed: what lookups need of the kernel to begin with, which the filter may kill for.
 * v may be NULL: no root.  Async-signal-safe. */
void look_filter(const struct view *v);

/* Has this process other threads, which a descriptor taken for a moment disturbs?  Async-signal-safe. */
bool look_threads(void);

/* Has somebody changed, since look_place(), what it found the place by? */
static inline bool look_moved(const struct place *at)
{
	return at->said &&
	       UNLIKELY(epoch_read(at->said) != at->word || (at->relative && clean_read(&epoch_here->word) != at->here));
}

/* The last name of the place, found with PLACE_TRY, is no symlink: the next that follows it need not look. */
void look_is(const struct place *at);

/* After the call that the place was for: must the caller throw its answer away and come back, with *v and *how as they
 * are now?  Also where another thread has taken the number of the root's descriptor meanwhile, which then has another. */
static inline bool look_again(const struct place *at, const struct view **v, unsigned *how)
{
	const struct view *now = state_view();

	if (UNLIKELY(now != *v)) {
		*v = now;
		return true;
	}
	if (LIKELY(!look_moved(at)))
		return false;
	*how += LOOK_TRY;
	if (*how / LOOK_TRY == LOOK_TRIES)
		*how &= ~(unsigned)LOOK_AGAIN;
	return true;
}

#endif
