/* SPDX-License-Identifier: ISC
 *
 * System calls that the oldest kernel served, Linux 4.18, does not have, or that a seccomp filter may not
 * know: whether they are there, and what stands in for them. */
#include "../sys.h"
#include "../mem.h"

signed char BESIDE sys_newer[SYS_NEWER_COUNT] = {0};
bool BESIDE sys_filtered = false;

enum { HAVE = 1 };

static long ask(int nr)
{
	const size_t at = (size_t)nr - SYS_NEWER;
	/* Every one of these calls finds something wrong with such arguments before it does anything:
	 * EINVAL, EBADF, E2BIG. */
	const long r = sys_call(nr, -1, -1, -1, -1, -1, -1);
	const bool have = r != -ENOSYS && r != -EPERM;

	if (at < SYS_NEWER_COUNT && !sys_filtered)
		__atomic_store_n(&sys_newer[at], have ? HAVE : (signed char)r, __ATOMIC_RELAXED);
	return have ? 0 : r;
}

long sys_lacks(int nr)
{
	const size_t at = (size_t)nr - SYS_NEWER;
	const long r = at < SYS_NEWER_COUNT && !sys_filtered ? __atomic_load_n(&sys_newer[at], __ATOMIC_RELAXED) : 0;

	return r == HAVE ? 0 : r ? r : ask(nr);
}

long sys_checked(int nr, long r)
{
	if (LIKELY(r != -ENOSYS && r != -EPERM))
		return r;
	return !sys_filtered && ask(nr) == 0 ? r : -ENOSYS;
}

void sys_filter(void)
{
	sys_filtered = true;
	for (size_t i = 0; i < SYS_NEWER_COUNT; i++)
		__atomic_store_n(&sys_newer[i], -ENOSYS, __ATOMIC_RELAXED);
}

bool sys_one_identity(void)
{
	unsigned real, effective, saved;

	sys_call(SYS_getresuid, &real, &effective, &saved);
	if (real != effective)
		return false;
	sys_call(SYS_getresgid, &real, &effective, &saved);
	return real == effective;
}

static bool in_group(gid_t gid)
{
	enum { ROOM = 65536 * sizeof(gid_t) }; /* NGROUPS_MAX */
	gid_t *groups = sys_pages(ROOM);
	bool found = false;
	long n;

	if (!groups)
		return false;
	n = sys_call(SYS_getgroups, ROOM / sizeof *groups, groups);
	for (long i = 0; i < n && !found; i++)
		found = groups[i] == gid;
	sys_call(SYS_munmap, groups, ROOM);
	return found;
}

int sys_granted(const struct stat *st, int mode, bool effective)
{
	const uid_t uid = (uid_t)sys_call(effective ? SYS_geteuid : SYS_getuid);
	const gid_t gid = (gid_t)sys_call(effective ? SYS_getegid : SYS_getgid);
	unsigned granted = st->st_mode & 7;

	if (uid == 0)
		return mode & 1 /* X_OK */ && !S_ISDIR(st->st_mode) && !(st->st_mode & 0111) ? -EACCES : 0;
	if (st->st_uid == uid)
		granted = st->st_mode >> 6 & 7;
	else if (st->st_gid == gid || in_group(st->st_gid))
		granted = st->st_mode >> 3 & 7;
	return (unsigned)mode & ~granted ? -EACCES : 0;
}

/* faccessat(2) has no flags, and takes no descriptor by itself: the magic link leads to what it holds, a
 * symlink too. */
static int access_older(int dir, const char *path, int mode, int flags)
{
	char magic[32];
	struct str s = {magic, magic + sizeof magic};
	struct stat st;
	int r, fd = -1;

	if (mode & ~7 || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EACCESS && !sys_one_identity()) {
		r = sys_fstatat(dir, path, &st, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
		return r < 0 ? r : sys_granted(&st, mode, true);
	}
	if (flags & AT_SYMLINK_NOFOLLOW && *path) {
		fd = sys_openat_own(dir, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return fd;
	} else if (*path || !(flags & AT_EMPTY_PATH)) {
		return (int)sys_call(SYS_faccessat, dir, path, mode);
	} else if (dir == AT_FDCWD) {
		return (int)sys_call(SYS_faccessat, dir, ".", mode);
	}
	str_puts(&s, "/proc/self/fd/");
	str_num(&s, (unsigned)(fd < 0 ? dir : fd));
	r = (int)sys_call(SYS_faccessat, AT_FDCWD, magic, mode);
	if (fd >= 0)
		sys_close(fd);
	return r;
}

int sys_faccessat2(int dir, const char *path, int mode, int flags)
{
	long r;

	if (!flags)
		return (int)sys_call(SYS_faccessat, dir, path, mode);
	r = sys_call_newer(SYS_faccessat2, dir, path, mode, flags);
	return r == -ENOSYS ? access_older(dir, path, mode, flags) : (int)r;
}

/* The descriptor that the directory entry d is named after, or -1. */
static long entry_fd(const char *name)
{
	long n = 0;

	if (!*name)
		return -1;
	for (; *name >= '0' && *name <= '9'; name++)
		n = n * 10 + *name - '0';
	return *name ? -1 : n;
}

/* One look at all that are open, in the directory dir of procfs.  Was one closed, so that others may have been
 * passed over? */
static bool close_listed(int dir, unsigned first, unsigned last)
{
	char buf[1024];
	bool closed = false;
	long have;

	while ((have = sys_call(SYS_getdents64, dir, buf, sizeof buf)) > 0)
		for (long at = 0; at < have;) {
			uint16_t size;
			long fd;

			memcpy(&size, buf + at + 16, sizeof size); /* getdents64(2): d_reclen */
			fd = entry_fd(buf + at + 19);
			at += size;
			if (fd >= (long)first && fd <= (long)last && fd != dir && sys_close((int)fd) != -EBADF)
				closed = true;
		}
	return closed;
}

void sys_close_each(unsigned first, unsigned last)
{
	int dir = sys_openat_own(AT_FDCWD, "/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct rlimit limit = {.rlim_cur = 1024};

	if (dir >= 0) {
		while (close_listed(dir, first, last))
			sys_call(SYS_lseek, dir, 0, SEEK_SET);
		sys_close(dir);
		return;
	}
	sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
	for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; fd++)
		sys_close((int)fd);
}
