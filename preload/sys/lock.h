/* SPDX-License-Identifier: ISC
 *
 * The locks of libjail: all of them, with one rule.  A lock is for a few loads, stores and system calls
 * by which threads change something together; whoever holds one calls nothing of libc's or the
 * program's, does not wait for anybody, and makes no child.
 *
 * - Signals are blocked while a thread holds a lock or waits for it, those by which libc cancels
 *   threads among them: a handler never finds a lock that its own thread holds, and no thread is
 *   cancelled with one.  So both functions are async-signal-safe.
 * - A child of fork(2), however it was made, finds every lock free at once: the words lie in a page that the kernel
 *   clears in the copy (madvise(2), MADV_WIPEONFORK).  What another thread of the parent was changing may be
 *   half changed there, so that data under a lock must make sense after each store, or know its
 *   process by pid.
 * - A child of vfork(2) shares its parent's memory, and the locks with it: it waits as a thread of the parent would.
 *   The thread that made it holds none, and the others run on.  What is under the lock is the
 *   parent's: the child changes nothing of it (state_in_vfork(), record_mine()).
 * - Nobody goes ahead without the lock.  One whose owner no longer exists (a vfork child that was killed) is
 *   taken over by the next that waits.
 * - A thread that needs two takes them in the order of this list; none is taken twice. */
#ifndef JAIL_LOCK_H
#define JAIL_LOCK_H

#include <stdint.h>

enum lock {
	LOCK_VIEW,    /* state.c: the root and what it says that it holds */
	LOCK_SYSTEM,  /* shell.c: the signals that threads in system(3) ignore */
	LOCK_POPEN,   /* shell.c: the streams that popen(3) has made */
	LOCK_SYSLOG,  /* syslog.c: the connection to the log */
	LOCK_SEM,     /* shm.c: the semaphores that are open */
	LOCK_MODULES, /* module.c: the table of objects, while it grows */
	LOCK_KEPT,    /* report.c: bad closes that are not told yet */
	LOCK_SINK,    /* event.c: where events go, while it is opened again */
	LOCK_NOFILE,  /* mem.c: the lifted RLIMIT_NOFILE */
	LOCKS
};

/* Takes the lock, waiting for it as long as somebody holds it.  Returns the signal mask, for
 * lock_give(). */
uint64_t lock_take(enum lock which);

/* Gives the lock back and restores the signals.  The caller holds it. */
void lock_give(enum lock which, uint64_t mask);

/* Before a fork(2): the children inherit the page of the locks, and none has to make it. */
void lock_forking(void);

/* In a child of fork(2), for kernels that cannot clear the page. */
void lock_forked(void);

#endif
