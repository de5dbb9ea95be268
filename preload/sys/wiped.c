/* SPDX-License-Identifier: ISC
 *
 * How the page is made that a child of fork(2) finds cleared (wiped.h). */
#include "wiped.h"
#include "../sys.h"
#include <linux/mman.h>

BESIDE struct wiped *wiped_page;

/* Where there is no memory, or the kernel does not know MADV_WIPEONFORK; wiped_forked() clears it. */
static struct wiped plain;
_Static_assert(sizeof plain <= 4096, "a page");

struct wiped *wiped_make(void)
{
	struct wiped *none = NULL, *page = sys_pages(sizeof plain);

	if (!page) {
		page = &plain;
	} else if (sys_call(SYS_madvise, page, sizeof plain, MADV_WIPEONFORK) < 0) {
		sys_call(SYS_munmap, page, sizeof plain);
		page = &plain;
	}
	if (__atomic_compare_exchange_n(&wiped_page, &none, page, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return page;
	if (page != &plain) /* another thread was faster */
		sys_call(SYS_munmap, page, sizeof plain);
	return none;
}

void wiped_forked(void)
{
	if (UNLIKELY(__atomic_load_n(&wiped_page, __ATOMIC_RELAXED) == &plain))
		memset(&plain, 0, sizeof plain);
}
