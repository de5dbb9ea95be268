/* SPDX-License-Identifier: ISC
 *
 * open(2) and its relatives as C functions: when there is a mode to read. */
#include "../wrap.h"

/* open(2): mode exists iff the call can create an inode.  O_TMPFILE contains O_DIRECTORY, so
 * testing any one bit of it is not enough. */
static bool needs_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static inline ALWAYS_INLINE int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	return EDGE(int, made_openat(dirfd, path, flags, mode, cancel_point()));
}

int jail_open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (needs_mode(flags)) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return open_at(AT_FDCWD, path, flags, mode);
}

int jail_openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (needs_mode(flags)) {
		va_list ap;

		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return open_at(dirfd, path, flags, mode);
}

int jail_creat(const char *path, mode_t mode)
{
	return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* What _FORTIFY_SOURCE makes of an open without a mode.  Where one is missing glibc ends the
 * process; libjail never does that to a guest, and no mode can be made up. */
int jail___open_2(const char *path, int flags)
{
	return needs_mode(flags) ? EDGE(int, -EINVAL) : open_at(AT_FDCWD, path, flags, 0);
}

int jail___openat_2(int dirfd, const char *path, int flags)
{
	return needs_mode(flags) ? EDGE(int, -EINVAL) : open_at(dirfd, path, flags, 0);
}
