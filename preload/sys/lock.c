/* SPDX-License-Identifier: ISC
 *
 * One lock, and what forks, signals and cancellation mean for it (lock.h).  A word is the thread that
 * holds the lock, or 0. */
#include "lock.h"
#include "wiped.h"
#include "../sys.h"
#include <errno.h>
#include <signal.h>
#include <time.h>

static int *word_of(enum lock which)
{
	return &wiped()->locks[which];
}

void lock_forking(void)
{
	(void)wiped();
}

void lock_forked(void)
{
	wiped_forked();
}

static bool is_gone(int tid)
{
	return sys_call(SYS_kill, tid, 0) == -ESRCH;
}

uint64_t lock_take(enum lock which)
{
	enum { SPINS = 1000 };
	const struct timespec pause = {.tv_nsec = 1000000};
	const uint64_t all = ~(uint64_t)0;
	uint64_t mask = 0;
	int *word, me;

	sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &mask, sizeof mask);
	word = word_of(which);
	me = sys_gettid();
	for (unsigned tries = 1;; tries++) {
		int by = 0;

		if (__atomic_compare_exchange_n(word, &by, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			break;
		if (tries < SPINS)
			sys_call(SYS_sched_yield);
		/* Only after a while: in a PID name space of its own (clone(2)) a child does not see the owner's number. */
		else if (is_gone(by) &&
			 __atomic_compare_exchange_n(word, &by, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			break;
		else
			sys_call(SYS_nanosleep, &pause, NULL);
	}
	return mask;
}

void lock_give(enum lock which, uint64_t mask)
{
	__atomic_store_n(word_of(which), 0, __ATOMIC_RELEASE);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}
