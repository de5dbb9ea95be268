/* SPDX-License-Identifier: ISC
 *
 * Memory that may not be there: whether it can be read, and what it holds, without ever raising a
 * signal.  Nothing is remembered.  Addresses are numbers here, because they are no pointers yet.  All
 * of it is async-signal-safe, and safe in a child of vfork(2). */
#ifndef JAIL_PEEK_H
#define JAIL_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEEK_PAGE = 4096 };

/* Can the page at this address, a multiple of PEEK_PAGE, be read now?  One system call.  Another
 * thread may unmap it right afterwards. */
bool peek_page(uintptr_t page);

/* Copies n bytes from an address, or as many as can be read from its beginning: how many.  Another thread
 * may unmap it meanwhile.  Two system calls. */
size_t peek_some(void *to, uintptr_t from, size_t n);

/* The same, true when all n bytes could be read. */
static inline bool peek(void *to, uintptr_t from, size_t n)
{
	return peek_some(to, from, n) == n;
}

#endif
