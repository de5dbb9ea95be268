/* SPDX-License-Identifier: ISC
 *
 * How the page is made that a child of fork(2) finds cleared (wiped.h): it is one of our own .bss. */
#include "wiped.h"
#include "../sys.h"
#include <linux/mman.h>

/* The kernel clears whole pages: nothing else lies in them. */
static union {
	struct wiped wiped;
	char page[SYS_ARCH_PAGE];
} room __attribute__((aligned(SYS_ARCH_PAGE)));
_Static_assert(sizeof room == SYS_ARCH_PAGE, "one page");

BESIDE struct wiped *wiped_page;
/* The kernel does not know MADV_WIPEONFORK; wiped_forked() clears the page. */
BESIDE static bool by_hand;

/* Threads that come here at the same time do the same. */
struct wiped *wiped_make(void)
{
	if (sys_call(SYS_madvise, &room, sizeof room, MADV_WIPEONFORK) < 0)
		by_hand = true;
	__atomic_store_n(&wiped_page, &room.wiped, __ATOMIC_RELEASE);
	return &room.wiped;
}

void wiped_forked(void)
{
	if (UNLIKELY(by_hand))
		memset(&room, 0, sizeof room.wiped);
}
