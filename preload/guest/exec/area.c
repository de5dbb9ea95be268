/* SPDX-License-Identifier: ISC
 *
 * The memory that an exec plan lies in.
 *
 * A mapping is gone when the exec succeeds, and is unmapped when it fails.  Not so in a child of vfork(2): it
 * maps into its parent, where the pages stay once the child has executed, and nobody is told.  So
 * each mapping is noted under the thread that made it.  While a vfork child runs, the parent's thread stands
 * still, and both have the same thread-local storage: when a thread comes here again, the child that
 * left the mapping is gone, and the mapping can be used once more.  So at most one of them stays for a thread. */
#include "exec.h"
#include <errno.h>
#include <sys/mman.h>

enum {
	SLOTS = 16,
	KEEP = 1 << 18, /* one that is larger than this is not used again for a smaller plan */
};

APART static struct slot {
	const int *thread; /* whose errno: NULL where the slot is free */
	int pid;           /* the process that has planned in it last */
	char *area;
	size_t size;
} slots[SLOTS];

/* A slot for the calling thread, or NULL.  A parent may be in the middle of a plan of its own, when a signal
 * handler interrupted that and made a child: then the slot is not free. */
static struct slot *slot_take(int pid)
{
	const int *thread = __errno_location(), *was;

	for (struct slot *s = slots; s < slots + SLOTS; s++)
		if (__atomic_load_n(&s->thread, __ATOMIC_ACQUIRE) == thread && s->pid != pid &&
			s->pid != (int)sys_call(SYS_getppid))
			return s;
	for (struct slot *s = slots; s < slots + SLOTS; s++) {
		was = NULL;
		if (__atomic_compare_exchange_n(&s->thread, &was, thread, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return s;
	}
	/* All taken, perhaps by threads that have ended: what a process has left that is gone, too. */
	for (struct slot *s = slots; s < slots + SLOTS; s++) {
		was = __atomic_load_n(&s->thread, __ATOMIC_ACQUIRE);
		if (was && s->pid != pid && sys_call(SYS_kill, s->pid, 0) == -ESRCH &&
			__atomic_compare_exchange_n(&s->thread, &was, thread, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return s;
	}
	return NULL;
}

static void *area_map(size_t n)
{
	const long r = sys_call(SYS_mmap, NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return (unsigned long)r > -4096UL ? NULL : (void *)(uintptr_t)r;
}

void *area_take(size_t n)
{
	const int pid = sys_getpid();
	struct slot *s = slot_take(pid);

	if (!s)
		return area_map(n);
	s->pid = pid;
	if (s->area && (s->size < n || (s->size > KEEP && s->size / 2 > n))) {
		sys_call(SYS_munmap, s->area, s->size);
		s->area = NULL;
	}
	if (!s->area) {
		s->area = area_map(n);
		s->size = n;
	}
	if (!s->area)
		__atomic_store_n(&s->thread, NULL, __ATOMIC_RELEASE);
	return s->area;
}

void area_give(void *area, size_t n)
{
	for (struct slot *s = slots; s < slots + SLOTS; s++)
		if (s->area == area && s->thread == __errno_location()) {
			n = s->size;
			s->area = NULL;
			s->pid = 0;
			__atomic_store_n(&s->thread, NULL, __ATOMIC_RELEASE);
			break;
		}
	sys_call(SYS_munmap, area, n);
}
