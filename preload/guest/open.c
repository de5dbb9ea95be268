/* SPDX-License-Identifier: ISC
 *
 * open and its kin: the calls that turn a path into a descriptor. */
#include "guest.h"
#include "../config.h"
#include "../fdpolicy.h"
#include "../state.h"
#include <errno.h>

NOINLINE long made_open_in(
	const struct view *v, int dirfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = place_how_open(flags, mode);

	return place_open(v, dirfd, path, &how);
}

static inline long open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	const struct view *v = state_view();

	return v ? made_open_in(v, dirfd, path, flags, mode) : sys_openat(dirfd, path, flags, mode);
}

long guest_open_as(
	enum fd_class class, int forced, int dirfd, const char *path, int flags, mode_t mode)
{
	return fdpolicy_made(open_at(dirfd, path, flags | forced, mode), class, flags & O_CLOEXEC,
		forced, FD_PATH(dirfd, path, flags));
}

long guest_open_own(int dirfd, const char *path, int flags, mode_t mode)
{
	long fd = open_at(dirfd, path, flags, mode);

	if (UNLIKELY(fd < 0 && record_on))
		record_made(fd, FD_OPEN, true, &FD_NOTHING); /* the table may be full */
	return fd;
}

long guest_openat2(int dirfd, const char *path, const struct open_how *how, size_t size)
{
	const struct view *v = state_view();
	const int forced = fdpolicy_flag(FD_OPEN);
	struct open_how h;

	/* openat2(2): a shorter struct is EINVAL, a longer one is for a kernel to judge */
	if (size < sizeof h)
		return -EINVAL;
	if (!place_readable(how, sizeof h))
		return -EFAULT;
	if (size > sizeof h) {
		if (!place_readable(how, size))
			return -EFAULT;
		for (size_t i = sizeof h; i < size; i++)
			if (((const char *)how)[i])
				return -E2BIG;
	}
	if (v && v->walk) { /* what is wrong by itself; "" is the one thing wrong with the path */
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
	long r = place_find(&at, state_view(), dirfd, path,
		PLACE_OBJECT | (flags & AT_SYMLINK_FOLLOW ? 0u : PLACE_NOFOLLOW) | PLACE_EMPTY);

	if (r == 0)
		r = place_done(&at, sys_call(SYS_name_to_handle_at, at.dir, at.name, handle, mnt,
					    flags | (at.flags & AT_EMPTY_PATH)));
	return r;
}

long guest_open_tree(int dirfd, const char *path, unsigned flags)
{
	const int forced = fdpolicy_flag(FD_OPEN); /* OPEN_TREE_CLOEXEC is O_CLOEXEC */
	struct place at;
	long r = place_find(&at, state_view(), dirfd, path, place_how((int)flags));

	if (r == 0)
		r = place_done(&at, sys_call(SYS_open_tree, at.dir, at.name,
					    flags | (unsigned)forced | (unsigned)at.flags));
	return fdpolicy_made(r, FD_OPEN, flags & O_CLOEXEC, forced, FD_PATH(dirfd, path, O_PATH));
}
