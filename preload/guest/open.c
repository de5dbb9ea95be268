/* SPDX-License-Identifier: ISC
 *
 * open and its kin: the calls that turn a path into a descriptor. */
#include "guest.h"
#include "../config.h"
#include "../fdpolicy.h"
#include "../state.h"
#include <errno.h>
#include <sys/auxv.h>

NOINLINE long made_open_in(
	const struct view *v, int dirfd, const char *path, int flags, mode_t mode, bool point)
{
	struct open_how how = place_how_open(flags, mode);

	if (UNLIKELY(point))
		how.resolve |= PLACE_POINT;
	return place_open(v, dirfd, path, &how);
}

static inline long open_at(int dirfd, const char *path, int flags, mode_t mode, bool point)
{
	const struct view *v = state_view();

	return v ? made_open_in(v, dirfd, path, flags, mode, point)
		 : cancel_call(point, SYS_openat, dirfd, path, flags, mode);
}

long guest_open_as(
	enum fd_class class, int forced, int dirfd, const char *path, int flags, mode_t mode, bool point)
{
	return fdpolicy_made(open_at(dirfd, path, flags | forced, mode, point), class, flags & O_CLOEXEC,
		forced, FD_PATH(dirfd, path, flags));
}

long guest_open_own(int dirfd, const char *path, int flags, mode_t mode)
{
	return guest_open_stream(dirfd, path, flags, mode, false);
}

long guest_open_stream(int dirfd, const char *path, int flags, mode_t mode, bool point)
{
	long fd = open_at(dirfd, path, flags, mode, point);

	if (UNLIKELY(fd < 0 && record_on))
		record_made(fd, FD_OPEN, true, &FD_NOTHING); /* the table may be full */
	return fd;
}

long guest_openat2(int dirfd, const char *path, const struct open_how *how, size_t size)
{
	const struct view *v = state_view();
	const int forced = fdpolicy_flag(FD_OPEN);
	struct open_how h;

	/* openat2(2): a shorter struct is EINVAL, a longer one is for a kernel to judge; more than a page is
	 * E2BIG, before it is looked at (fs/open.c) */
	if (size < sizeof h)
		return -EINVAL;
	if (size > (size_t)getauxval(AT_PAGESZ))
		return -E2BIG;
	if (!place_readable(how, sizeof h))
		return -EFAULT;
	if (size > sizeof h) {
		if (!place_readable(how, size))
			return -EFAULT;
		for (size_t i = sizeof h; i < size; i++)
			if (((const char *)how)[i])
				return -E2BIG;
	}
	if (v) { /* what is wrong by itself; "" is the one thing wrong with the path */
		long r = sys_openat2(AT_FDCWD, "", how);

		if (r != -ENOENT)
			return r;
	}
	h = *how;
	h.flags |= (unsigned)forced;
	return fdpolicy_made(place_open(v, dirfd, path, &h), FD_OPEN, how->flags & O_CLOEXEC, forced,
		FD_PATH(dirfd, path, (int)how->flags));
}

long guest_name_to_handle_at(int dirfd, const char *path, void *handle, int *mnt, int flags)
{
	struct place at;
	long first, r = place_find(&at, state_view(), dirfd, path,
		PLACE_OBJECT | (flags & AT_SYMLINK_FOLLOW ? 0u : PLACE_NOFOLLOW) | PLACE_EMPTY);

	if (r == 0)
		return place_done(&at, sys_call(SYS_name_to_handle_at, at.dir, at.name, handle, mnt,
					       flags | (at.flags & AT_EMPTY_PATH)));
	first = sys_call(SYS_name_to_handle_at, AT_FDCWD, "/proc/self/fd/x/x", handle, mnt, flags);
	return first == -ENOENT ? r : first;
}

/* The place is done with, and its number is free: the lowest one is what a new descriptor has. */
static long open_lowest(struct place *at, long fd)
{
	const bool below = at->owned && fd > at->dir;
	long r = place_done(at, fd), flag;

	if (fd < 0 || !below)
		return r;
	flag = sys_fcntl((int)fd, F_GETFD, 0);
	r = sys_fcntl((int)fd, flag & FD_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
	if (r < 0)
		return fd;
	sys_close((int)fd);
	return r;
}

/* Under a root as the others here; what may not be asked for at all the kernel says first. */
long guest_fspick(int dirfd, const char *path, unsigned flags)
{
	enum { CLOEXEC = 1, NOFOLLOW = 2, EMPTY = 8 }; /* FSPICK_*, linux/mount.h */
	const int forced = fdpolicy_flag(FD_OPEN);
	const unsigned with = flags | (forced ? CLOEXEC : 0u);
	struct place at;
	long r, first;

	r = place_find(&at, state_view(), dirfd, path,
		PLACE_OBJECT | (flags & NOFOLLOW ? PLACE_NOFOLLOW : 0u) | (flags & EMPTY ? PLACE_EMPTY : 0u));
	if (r == 0) {
		r = open_lowest(&at, sys_call(SYS_fspick, at.dir, at.name,
					     with | (at.flags & AT_EMPTY_PATH ? EMPTY : 0u)));
	} else {
		first = sys_call(SYS_fspick, -1, "/proc/self/fd/x/x", flags);
		r = first == -ENOENT ? r : first;
	}
	return fdpolicy_made(r, FD_OPEN, flags & CLOEXEC, forced, FD_PATH(dirfd, path, O_PATH));
}

static long open_tree(long nr, int dirfd, const char *path, unsigned flags, const void *attr, size_t n)
{
	const int forced = fdpolicy_flag(FD_OPEN); /* OPEN_TREE_CLOEXEC is O_CLOEXEC */
	struct place at;
	long r = place_find(&at, state_view(), dirfd, path, place_how((int)flags));

	if (r == 0) {
		r = open_lowest(&at, sys_call(nr, at.dir, at.name,
					     flags | (unsigned)forced | (unsigned)at.flags, attr, n));
	} else {
		long first = sys_call(nr, -1, "/proc/self/fd/x/x", flags, attr, n);

		r = first == -ENOENT ? r : first;
	}
	return fdpolicy_made(r, FD_OPEN, flags & O_CLOEXEC, forced, FD_PATH(dirfd, path, O_PATH));
}

long guest_open_tree(int dirfd, const char *path, unsigned flags)
{
	return open_tree(SYS_open_tree, dirfd, path, flags, NULL, 0);
}

long guest_open_tree_attr(int dirfd, const char *path, unsigned flags, const void *attr, size_t n)
{
	return open_tree(SYS_open_tree_attr, dirfd, path, flags, attr, n);
}
