/* SPDX-License-Identifier: ISC
 *
 * open(2) and its relatives as C functions: when there is a mode to read, and how a call that may
 * block stays a cancellation point. */
#include <pthread.h>
#include "../wrap.h"

typedef int set_type(int, int *);

/* glibc 2.32 and later, sys/single_threaded.h: nobody is there to cancel us, and glibc's own calls
 * look no further, either.  An import, not LIBC(): a program may hold the only true copy of it. */
extern char __libc_single_threaded __attribute__((weak));

/* What cancel_leave() is to restore.  Where the libc has no threads at hand nothing happens. */
int cancel_enter(void)
{
	set_type *set;
	int old = PTHREAD_CANCEL_DEFERRED;

	if (&__libc_single_threaded && __libc_single_threaded)
		return PTHREAD_CANCEL_ASYNCHRONOUS; /* nothing to restore */
	set = LIBC(pthread_setcanceltype, int, (int, int *));
	if (LIKELY(set))
		set(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	return old;
}

void cancel_leave(int old)
{
	set_type *set;
	int ignored;

	if (old == PTHREAD_CANCEL_ASYNCHRONOUS)
		return;
	set = LIBC(pthread_setcanceltype, int, (int, int *));
	if (LIKELY(set))
		set(old, &ignored);
}

/* open(2): mode exists iff the call can create an inode.  O_TMPFILE contains O_DIRECTORY, so
 * testing any one bit of it is not enough. */
static bool needs_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
	long r;
	int old;

	/* These never wait for the other end of a FIFO: the common case stays cheap. */
	if (flags & (O_PATH | O_DIRECTORY | O_NONBLOCK))
		return EDGE(int, guest_openat(dirfd, path, flags, mode));
	old = cancel_enter();
	r = guest_openat(dirfd, path, flags, mode);
	cancel_leave(old);
	return EDGE(int, r);
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
