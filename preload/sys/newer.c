/* SPDX-License-Identifier: ISC
 *
 * System calls that the oldest kernel served, Linux 4.18, does not have, or that a seccomp filter may not
 * know: whether they are there, and what stands in for them. */
#include "../sys.h"
#include "../mem.h"

/* What is known of each number from FIRST on: what is answered in its place, HAVE, or 0: nothing yet. */
enum { FIRST = SYS_pidfd_open, NUMBERS = 48, HAVE = 1 };
static BESIDE signed char known[NUMBERS] = {0};

static long ask(int nr)
{
	const size_t at = (size_t)nr - FIRST;
	/* Every one of these calls finds something wrong with such arguments before it does anything:
	 * EINVAL, EBADF, E2BIG. */
	const long r = sys_call(nr, -1, -1, -1, -1, -1, -1);
	const bool have = r != -ENOSYS && r != -EPERM;

	if (at < NUMBERS)
		__atomic_store_n(&known[at], have ? HAVE : (signed char)r, __ATOMIC_RELAXED);
	return have ? 0 : r;
}

long sys_lacks(int nr)
{
	const size_t at = (size_t)nr - FIRST;
	const long r = at < NUMBERS ? __atomic_load_n(&known[at], __ATOMIC_RELAXED) : 0;

	return r == HAVE ? 0 : r ? r : ask(nr);
}

bool sys_answered(int nr, long r)
{
	return LIKELY(r != -ENOSYS && r != -EPERM) || ask(nr) == 0;
}

/* Are the real and the effective identity one?  Then faccessat(2), which asks for the real one, says
 * what AT_EACCESS would. */
static bool one_identity(void)
{
	return sys_call(SYS_getuid) == sys_call(SYS_geteuid) && sys_call(SYS_getgid) == sys_call(SYS_getegid);
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
	if (flags & AT_EACCESS && !one_identity()) {
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
	if (LIKELY(__atomic_load_n(&known[SYS_faccessat2 - FIRST], __ATOMIC_RELAXED) >= 0)) {
		r = sys_call(SYS_faccessat2, dir, path, mode, flags);
		if (sys_answered(SYS_faccessat2, r))
			return (int)r;
	}
	return access_older(dir, path, mode, flags);
}
