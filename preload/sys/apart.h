/* SPDX-License-Identifier: ISC
 *
 * A piece of work with a table of descriptors of its own: what it opens has no number in the program's table, which other
 * threads may want or close meanwhile. */
#ifndef JAIL_APART_H
#define JAIL_APART_H

#include <stdbool.h>

/* Runs work(arg) in a thread of this process that has a copy of the table of descriptors and shares all the rest, the
 * working directory too; waits for it, with all signals blocked, and gives its result to *ret.  work must call nothing
 * of libc's: the thread has its maker's thread-local storage.  False: there is no memory, or the thread cannot be made,
 * or the program has installed a seccomp filter that may kill for it; then nothing has been done. */
bool sys_apart(long (*work)(void *arg), void *arg, long *ret);

#endif
