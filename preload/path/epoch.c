/* SPDX-License-Identifier: ISC
 *
 * The page that a tree of processes shares (epoch.h). */
#include "epoch.h"
#include "../place.h"
#include "../sys.h"
#include <linux/memfd.h>
#include <sched.h>
#include <sys/mman.h>

struct page {
	uint64_t word;
	uint64_t ino; /* of its file: which tree's it is */
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

void epoch_make(struct view *v, int fd_min)
{
	struct page page = {0};
	struct stat st;
	int fd = (int)sys_call(SYS_memfd_create, "libjail", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	v->epoch = 0;
	if (fd < 0)
		return;
	if (sys_fstat(fd, &st) == 0) {
		page.ino = v->epoch_ino = st.st_ino;
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

static bool shares_directory;

void epoch_clone(uint64_t flags)
{
	if ((flags & (CLONE_FS | CLONE_VM)) == CLONE_FS)
		shares_directory = true;
}

uint64_t *epoch_go_begin(const struct view *v)
{
	clean_begin(&epoch_here->word);
	return UNLIKELY(shares_directory) ? epoch_begin(v) : NULL;
}

void epoch_go_end(uint64_t *word)
{
	epoch_end(word);
	clean_end(&epoch_here->word);
}

uint64_t *epoch_begin(const struct view *v)
{
	uint64_t *word = v ? epoch_map(v) : NULL;

	if (word)
		clean_begin(word);
	return word;
}
