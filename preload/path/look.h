/* SPDX-License-Identifier: ISC
 *
 * Lookups: how the calls that change nothing find their place (look.c).  Below directories that are known to be clean
 * (clean.h) that takes neither a system call nor a descriptor. */
#ifndef JAIL_LOOK_H
#define JAIL_LOOK_H

#include "clean.h"
#include "epoch.h"
#include "../place.h"

/* LOOK_ROOM: bytes for a name, which the place may point to. */
enum { LOOK_AGAIN = PLACE_LOOK | PLACE_TRY, LOOK_ROOM = 512 };

/* place_find(), for a caller that throws its answer away where look_moved() says so, and comes back with LOOK_AGAIN
 * taken out of how.  how: PLACE_OBJECT and what goes with it, and PLACE_LOOK.  Async-signal-safe. */
int look_place(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how, char room[LOOK_ROOM])
	MUST_CHECK;

/* Has this process other threads, which a descriptor taken for a moment disturbs?  Async-signal-safe. */
bool look_threads(void);

/* Has somebody changed, since look_place(), what it found the place by? */
static inline bool look_moved(const struct place *at)
{
	return at->said &&
	       UNLIKELY(clean_read(at->said) != at->word || (at->relative && clean_read(epoch_here) != at->here));
}

#endif
