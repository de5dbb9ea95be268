/* SPDX-License-Identifier: ISC
 *
 * Memory of this process alone: a page that the kernel clears in a child of fork(2), however that was
 * made (madvise(2), MADV_WIPEONFORK).  What one process knows of its memory or its threads is not
 * true in the other. */
#ifndef JAIL_WIPED_H
#define JAIL_WIPED_H

#include "../mem.h"
#include "lock.h"
#include <stdint.h>

struct wiped {
	int locks[LOCKS];     /* lock.c: the thread that holds each, or 0 */
	int owner;            /* path/look.c: the process whose memory this is, or 0 */
	uintptr_t pages[256]; /* path/page.c: addresses of pages that could be read */
};

/* The page, or NULL before its first use; for wiped() alone. */
extern struct wiped *wiped_page;
struct wiped *wiped_make(void);

/* The page, made at the first call.  Never NULL.  Async-signal-safe. */
static inline struct wiped *wiped(void)
{
	struct wiped *w = __atomic_load_n(&wiped_page, __ATOMIC_ACQUIRE);

	return LIKELY(w) ? w : wiped_make();
}

/* In a child of fork(2), for kernels that cannot clear it. */
void wiped_forked(void);

#endif
