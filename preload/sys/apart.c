/* SPDX-License-Identifier: ISC
 *
 * A thread with a table of descriptors of its own (apart.h). */
#include "apart.h"
#include "../sys.h"
#include <linux/futex.h>
#include <linux/sched.h>

enum { STACK = 1 << 16 };

struct apart {
	long (*work)(void *);
	void *arg;
	long result;
	int running; /* the kernel clears it when the thread has ended (set_tid_address(2)) */
};

static _Noreturn void apart_main(void *arg)
{
	struct apart *a = arg;

	sys_call(SYS_set_tid_address, &a->running);
	a->result = a->work(a->arg);
	for (;;)
		sys_call(SYS_exit, 0);
}

bool sys_apart(long (*work)(void *arg), void *arg, long *ret)
{
	static const uint64_t all = ~0ul;
	const long flags = CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM; /* and not CLONE_FILES */
	struct apart a = {.work = work, .arg = arg, .running = 1};
	uint64_t mask;
	char *stack;
	long tid;
	int now;

	if (sys_filtered)
		return false;
	stack = sys_pages(STACK);
	if (!stack)
		return false;
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof all);
	tid = sys_clone_stack(SYS_clone, flags, (long)(stack + STACK), 0, apart_main, &a);
	while (tid > 0 && (now = __atomic_load_n(&a.running, __ATOMIC_ACQUIRE)) != 0)
		sys_call(SYS_futex, &a.running, FUTEX_WAIT, now, NULL);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof all);
	sys_call(SYS_munmap, stack, STACK);
	*ret = a.result;
	return tid > 0;
}
