/* SPDX-License-Identifier: ISC
 *
 * The page that a tree of processes shares (epoch.h). */
#include "epoch.h"
#include "../place.h"
#include "../sys.h"
#include <linux/memfd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { CHANGES = 64 };

struct page {
	/* epoch_read() reads these two */
	uint64_t word; /* how many changes there have been, from bit 16 on; below, how many there are that found no place */
	uint64_t busy; /* a bit for each place where somebody is in the middle of one */
	uint64_t ino;    /* of its file: which tree's it is */
	uint64_t pid_ns; /* where the numbers below are good: inode of the name space */
	struct epoch_change {
		int pid; /* whose place it is, or 0 */
	} change[CHANGES];
};

static struct page *mapped;

struct epoch_here epoch_own_here;
struct epoch_here *epoch_here = &epoch_own_here;

void epoch_dir_gone(int fd)
{
	__atomic_and_fetch(&epoch_here->dirs[fd / 64], ~((uint64_t)1 << fd % 64), __ATOMIC_RELAXED);
	clean_begin(&epoch_here->word);
	clean_end(&epoch_here->word);
}

void epoch_closing_range(unsigned first, unsigned last)
{
	for (unsigned fd = first; fd <= last && fd < EPOCH_DIRS; fd++)
		epoch_closing((int)fd);
}

static uint64_t pid_ns(void)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, "/proc/self/ns/pid", &st, 0) == 0 ? st.st_ino : 0;
}

void epoch_make(struct view *v, int fd_min)
{
	struct page page = {0};
	struct rlimit lim;
	struct stat st;
	int fd;

	v->epoch = 0;
	/* who writes more than this is killed (setrlimit(2), RLIMIT_FSIZE) */
	if (sys_call(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &lim) < 0 || lim.rlim_cur < sizeof page)
		return;
	fd = (int)sys_call(SYS_memfd_create, "libjail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return;
	if (sys_fstat(fd, &st) == 0) {
		page.ino = v->epoch_ino = st.st_ino;
		page.pid_ns = pid_ns();
		if (sys_write(fd, &page, sizeof page) == sizeof page) {
			sys_fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK); /* who cuts it off would have us die */
			v->epoch = 1 + view_fd_high(fd, fd_min);
			if (v->epoch < 0)
				v->epoch = 0;
			return;
		}
	}
	sys_close(fd);
}

uint64_t *epoch_word(const struct view *v)
{
	struct page *page = __atomic_load_n(&mapped, __ATOMIC_ACQUIRE);

	return page && page->ino == v->epoch_ino ? &page->word : NULL;
}

uint64_t *epoch_map(const struct view *v)
{
	struct page *was = __atomic_load_n(&mapped, __ATOMIC_ACQUIRE);
	struct page *page;
	struct stat st;
	long at;

	if (was && was->ino == v->epoch_ino)
		return &was->word;
	/* the number may be another file's, where the program closes what it does not know */
	if (!v->epoch || sys_fstat(v->epoch - 1, &st) < 0 || st.st_ino != v->epoch_ino ||
		st.st_size != sizeof *page)
		return NULL;
	at = sys_call(SYS_mmap, NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, v->epoch - 1, 0);
	if (at < 0 && at > -4096)
		return NULL;
	page = (void *)at;
	if (page->ino != v->epoch_ino) {
		sys_call(SYS_munmap, page, sizeof *page);
		return NULL;
	}
	/* another tree's, from a child of vfork(2) with a root of its own, stays where it is: somebody may be using it */
	if (!__atomic_compare_exchange_n(&mapped, &was, page, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		sys_call(SYS_munmap, page, sizeof *page);
		return was && was->ino == v->epoch_ino ? &was->word : NULL;
	}
	return &page->word;
}

void epoch_apart(void)
{
	__atomic_store_n(&epoch_here->apart, true, __ATOMIC_SEQ_CST);
	clean_begin(&epoch_here->word); /* what has been learned is forgotten */
	clean_end(&epoch_here->word);
}

void epoch_clone(uint64_t flags)
{
	const uint64_t both = flags & (CLONE_FS | CLONE_FILES);

	if (!(flags & CLONE_VM) ? both != 0 : !(flags & CLONE_VFORK) && both != (CLONE_FS | CLONE_FILES))
		epoch_apart();
}

void epoch_go_begin(void)
{
	clean_begin(&epoch_here->word);
}

void epoch_go_end(void)
{
	clean_end(&epoch_here->word);
}

/* Has the calling process, pid, the number that others know it by? */
static bool pid_good(const struct page *page, int pid)
{
	static long known; /* of the process asked for last: twice its number, and the answer */
	const long was = __atomic_load_n(&known, __ATOMIC_RELAXED);
	bool good;

	if (was >> 1 == pid)
		return was & 1;
	good = page->pid_ns && pid_ns() == page->pid_ns;
	__atomic_store_n(&known, (long)pid << 1 | good, __ATOMIC_RELAXED);
	return good;
}

static uint64_t bit_of(const struct page *page, const struct epoch_change *c)
{
	return (uint64_t)1 << (c - page->change);
}

static void change_end(struct page *page, struct epoch_change *c)
{
	__atomic_add_fetch(&page->word, CLEAN_BUSY + 1, __ATOMIC_SEQ_CST);
	__atomic_and_fetch(&page->busy, ~bit_of(page, c), __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->pid, 0, __ATOMIC_SEQ_CST);
}

/* Gives back the places of those who are no more. */
static void recover(struct page *page)
{
	for (int i = 0; i < CHANGES; i++) {
		struct epoch_change *c = &page->change[i];
		int pid = __atomic_load_n(&c->pid, __ATOMIC_SEQ_CST);

		/* a place of -1 is taken by who gives it back */
		if (pid > 0 && sys_call(SYS_kill, pid, 0) == -ESRCH &&
			__atomic_compare_exchange_n(&c->pid, &pid, -1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			change_end(page, c);
	}
}

static struct epoch_change *change_begin(struct page *page, int pid)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		struct epoch_change *c = &page->change[((unsigned)pid + i) % CHANGES];
		int none = 0;

		if (__atomic_compare_exchange_n(&c->pid, &none, pid, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
			__atomic_or_fetch(&page->busy, bit_of(page, c), __ATOMIC_SEQ_CST);
			return c;
		}
	}
	return NULL;
}

/* Whoever is killed between any two instructions can be told by the place, and what he said be taken back. */
struct epoch_change *epoch_begin(const struct view *v)
{
	struct page *page = v && epoch_map(v) ? __atomic_load_n(&mapped, __ATOMIC_ACQUIRE) : NULL;
	struct epoch_change *c = NULL;
	int pid;

	if (!page)
		return NULL;
	pid = sys_getpid();
	if (pid_good(page, pid)) {
		c = change_begin(page, pid);
		if (UNLIKELY(!c) && !sys_filtered) {
			recover(page);
			c = change_begin(page, pid);
		}
	}
	if (!c) {
		clean_begin(&page->word);
		c = (struct epoch_change *)&page->word;
	}
	return c;
}

void epoch_end(struct epoch_change *c)
{
	struct page *page = (struct page *)((uintptr_t)c & ~(uintptr_t)4095);

	if (!page)
		return;
	if ((void *)c == &page->word)
		clean_end(&page->word);
	else
		change_end(page, c);
}

void epoch_recover(const struct view *v)
{
	struct page *page = epoch_word(v) ? __atomic_load_n(&mapped, __ATOMIC_ACQUIRE) : NULL;

	if (page && !sys_filtered && pid_good(page, sys_getpid()))
		recover(page);
}
