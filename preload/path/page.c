/* SPDX-License-Identifier: ISC
 *
 * Which pages of the program have been seen to be readable (page.h).
 *
 * They are remembered, in this process and not in its children (whose memory may be another: madvise(2),
 * MADV_DONTFORK), so that ordinary programs pay for a page once; a program that unmaps a page and
 * then passes a pointer into it faults.  That is a bargain for the paths of a root alone. */
#include "page.h"
#include "../sys/peek.h"
#include "../sys/wiped.h"

bool page_good(uintptr_t page)
{
	struct wiped *w = wiped();
	uintptr_t *slot = &w->pages[(page / PEEK_PAGE) % ROWS(w->pages)];

	if (LIKELY(__atomic_load_n(slot, __ATOMIC_RELAXED) == page && page))
		return true;
	if (!peek_page(page))
		return false;
	__atomic_store_n(slot, page, __ATOMIC_RELAXED);
	return true;
}
