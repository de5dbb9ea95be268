/* SPDX-License-Identifier: ISC
 *
 * The memory that an exec plan lies in.
 *
 * A mapping is gone when the exec succeeds, and is unmapped when it fails.  Not so in a child of vfork(2): it
 * maps into its parent, where the pages stay once the child has executed, and nobody is told.  So
 * each mapping is noted under the thread that made it.  While a vfork child runs, the parent's thread stands
 * still, and both have the same thread-local storage: when a thread comes here again, the child that
 * left the mapping is gone, and the mapping can be used once more.  So at most one of them stays for a thread.
 *
 * A slot is whose pid it has, and changes hands by one exchange of that: other threads, and their children, are here
 * at the same time. */
#include "exec.h"
#include <errno.h>
#include <sys/mman.h>

enum {
	SLOTS = 4,
	KEEP = 1 << 18, /* one that is larger than this is not used again for a smaller plan */
};

struct slot {
	int pid;           /* the process that has planned in it last; 0: free */
	const int *thread; /* whose errno */
	char *area;
	size_t size;
};

BESIDE static struct slots {
	struct slot slot[SLOTS];
	struct slots *more; /* for still more threads; stays */
} slots;

static bool slot_claim(struct slot *s, int was, int pid)
{
	if (!__atomic_compare_exchange_n(&s->pid, &was, pid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	__atomic_store_n(&s->thread, __errno_location(), __ATOMIC_RELAXED);
	return true;
}

/* May pid have the slot?  A thread's own, where its last child has left it: a parent may be in the middle of a plan of
 * its own, when a signal handler interrupted that and made a child. */
static bool slot_left(const struct slot *s, int was, int pid)
{
	return __atomic_load_n(&s->thread, __ATOMIC_RELAXED) == __errno_location() && was && was != pid &&
	       was != (int)sys_call(SYS_getppid);
}

static bool slot_free(const struct slot *s, int was, int pid)
{
	(void)s;
	(void)pid;
	return !was;
}

/* Perhaps of a thread that has ended: what a process has left that is gone, too. */
static bool slot_lost(const struct slot *s, int was, int pid)
{
	(void)s;
	return was != pid && sys_call(SYS_kill, was, 0) == -ESRCH;
}

static struct slot *slot_find(bool (*may)(const struct slot *, int, int), int pid)
{
	for (struct slots *l = &slots; l; l = __atomic_load_n(&l->more, __ATOMIC_ACQUIRE))
		for (struct slot *s = l->slot; s < l->slot + SLOTS; s++) {
			const int was = __atomic_load_n(&s->pid, __ATOMIC_ACQUIRE);

			if (may(s, was, pid) && slot_claim(s, was, pid))
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

/* Room for as many slots again, or NULL. */
static struct slot *slot_more(int pid)
{
	struct slots *more = area_map(sizeof *more), *l = &slots, *none = NULL;

	if (!more)
		return NULL;
	slot_claim(more->slot, 0, pid);
	while (!__atomic_compare_exchange_n(&l->more, &none, more, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		l = none;
		none = NULL;
	}
	return more->slot;
}

/* A slot for the calling thread, or NULL. */
static struct slot *slot_take(int pid)
{
	struct slot *s = slot_find(slot_left, pid);

	if (!s)
		s = slot_find(slot_free, pid);
	if (!s)
		s = slot_find(slot_lost, pid);
	return s ? s : slot_more(pid);
}

static void slot_give(struct slot *s)
{
	__atomic_store_n(&s->pid, 0, __ATOMIC_RELEASE);
}

void *area_take(size_t n)
{
	struct slot *s = slot_take(sys_getpid());

	if (!s)
		return area_map(n);
	if (s->area && (s->size < n || (s->size > KEEP && s->size / 2 > n))) {
		sys_call(SYS_munmap, s->area, s->size);
		s->area = NULL;
	}
	if (!s->area) {
		s->area = area_map(n);
		s->size = n;
	}
	if (s->area)
		return s->area;
	slot_give(s);
	return NULL;
}

void area_give(void *area, size_t n)
{
	for (struct slots *l = &slots; l; l = __atomic_load_n(&l->more, __ATOMIC_ACQUIRE))
		for (struct slot *s = l->slot; s < l->slot + SLOTS; s++)
			if (s->area == area) {
				s->area = NULL; /* before another thread may get a mapping there */
				sys_call(SYS_munmap, area, s->size);
				slot_give(s);
				return;
			}
	sys_call(SYS_munmap, area, n);
}
