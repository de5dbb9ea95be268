/* SPDX-License-Identifier: ISC
 *
 * May the program's memory be read: what the kernel answers with EFAULT instead.  The audit module has its own
 * answer (audit.c): the loader passes it no bad pointers. */
#ifndef JAIL_PAGE_H
#define JAIL_PAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Can the page at this address, a multiple of PEEK_PAGE (peek.h), be read?  Async-signal-safe. */
bool page_good(uintptr_t page);

#endif
