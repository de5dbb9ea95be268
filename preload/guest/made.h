/* SPDX-License-Identifier: ISC
 *
 * The guest's kernel, the calls that make descriptors and close them: as guest.h says of the
 * others, but to be inlined into their entrances.  A frame between the system call and the program
 * costs a mispredicted return (6 ns; the kernel's own calls have used up the processor's memory of
 * ours), and such a call may cost 30 in all.  What is rare is a call away.  point: self/cancel.h. */
#ifndef JAIL_MADE_H
#define JAIL_MADE_H

#include <errno.h>
#include <linux/memfd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include "../fdpolicy.h"
#include "../path/epoch.h"
#include "../self/cancel.h"
#include "../state.h"
#include "../sys.h"

_Static_assert(EPOLL_CLOEXEC == O_CLOEXEC && EFD_CLOEXEC == O_CLOEXEC && TFD_CLOEXEC == O_CLOEXEC &&
		       SFD_CLOEXEC == O_CLOEXEC && IN_CLOEXEC == O_CLOEXEC &&
		       SOCK_CLOEXEC == O_CLOEXEC,
	"one bit, many names");

/* -- where the kernel has no call that takes flags -------------------------------------------- */

/* pipe2, epoll_create1 and the like are of Linux 2.6.27, but filters (seccomp(2)) and other kernels
 * that run Linux programs may know their elders alone.  A program that asked for no flag gets what
 * the elder makes, and the flag after it: that is not atomic, and all that can be had. */
#ifdef SYS_epoll_create
long made_elder(long r, int force);
#define ELDER(r, flags, force, ...) \
	(UNLIKELY((r) == -ENOSYS && !(flags)) ? made_elder(sys_call(__VA_ARGS__), force) : (r))
#else /* never had them: aarch64 */
#define ELDER(r, flags, force, ...) (r)
#endif

/* -- by a path ------------------------------------------------------------------------------- */

long made_open_in(
	const struct view *v, int dirfd, const char *path, int flags, mode_t mode, bool point);

static inline ALWAYS_INLINE long made_openat(int dirfd, const char *path, int flags, mode_t mode, bool point)
{
	const struct view *v = state_view();
	const int forced = fdpolicy_flag(FD_OPEN);
	long r;

	if (LIKELY(!v))
		r = cancel_call(point, SYS_openat, dirfd, path, flags | forced, mode);
	else
		r = made_open_in(v, dirfd, path, flags | forced, mode, point);
	return fdpolicy_made(r, FD_OPEN, flags & O_CLOEXEC, forced, FD_PATH(dirfd, path, flags));
}

static inline long guest_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return made_openat(dirfd, path, flags, mode, false);
}

/* -- doubled --------------------------------------------------------------------------------- */

static inline long guest_dup(int fd)
{
	int force = fdpolicy_flag(FD_DUP);
	long r = -EINVAL;

	if (UNLIKELY(state_owns(fd)))
		return -EBADF;
	if (force)
		r = sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (r == -EINVAL) { /* F_DUPFD's word for what dup calls EMFILE, RLIMIT_NOFILE being 0 */
		force = 0;
		r = sys_call(SYS_dup, fd);
	}
	return fdpolicy_made(r, FD_DUP, false, force, FD_FROM(fd));
}

/* What F_DUPFD made, r > from: moved to the lowest number that is free to the program, if that is
 * one of ours.  Async-signal-safe. */
long made_dupfd_lower(long r, int cmd, long from);

/* fcntl(2) with one of these two commands. */
static inline long guest_dupfd(int fd, bool asked, long from)
{
	const int force = fdpolicy_flag(FD_DUP), cmd = asked || force ? F_DUPFD_CLOEXEC : F_DUPFD;
	long r;

	if (UNLIKELY(state_owns(fd)))
		return -EBADF;
	r = sys_fcntl(fd, cmd, from);
	if (UNLIKELY(r > from))
		r = made_dupfd_lower(r, cmd, from);
	return fdpolicy_made(r, FD_DUP, asked, force, FD_FROM(fd));
}

/* -- pipes, events, memory ------------------------------------------------------------------- */

/* Two at once, of which r says whether they are there; both made by one call. */
void made_pair_recorded(
	long r, const int fds[2], enum fd_class class, bool asked, const struct fd_args *args);

static inline long made_pair(
	long r, const int fds[2], enum fd_class class, bool asked, int force, struct fd_args args)
{
	if (LIKELY(r == 0)) {
		fdpolicy_mark(fds[0], class, asked, force);
		fdpolicy_mark(fds[1], class, asked, force);
		if (!asked && (LIKELY(force) || record_on))
			fdpolicy_pair(fds);
	}
	if (UNLIKELY(record_on))
		made_pair_recorded(r, fds, class, asked, &args);
	return r;
}

static inline long guest_pipe2(int fds[2], int flags)
{
	const int force = fdpolicy_flag(FD_PIPE);
	long r = sys_call(SYS_pipe2, fds, flags | force);

#ifdef SYS_pipe
	if (UNLIKELY(r == -ENOSYS && !flags)) {
		r = sys_call(SYS_pipe, fds);
		if (r == 0) {
			made_elder(fds[0], force);
			made_elder(fds[1], force);
		}
	}
#endif
	return made_pair(r, fds, FD_PIPE, (flags & O_CLOEXEC) != 0, force, FD_NOTHING);
}

static inline long guest_epoll_create1(int flags)
{
	const int force = fdpolicy_flag(FD_EVENT);
	long r = sys_call(SYS_epoll_create1, flags | force);

	r = ELDER(r, flags, force, SYS_epoll_create, 1);
	return fdpolicy_made(r, FD_EVENT, (flags & O_CLOEXEC) != 0, force, FD_NOTHING);
}

static inline long guest_eventfd2(unsigned initial, int flags)
{
	const int force = fdpolicy_flag(FD_EVENT);
	long r = sys_call(SYS_eventfd2, initial, flags | force);

	r = ELDER(r, flags, force, SYS_eventfd, initial);
	return fdpolicy_made(r, FD_EVENT, (flags & O_CLOEXEC) != 0, force, FD_NUMBER((int)initial));
}

static inline long guest_timerfd_create(int clock, int flags)
{
	const int force = fdpolicy_flag(FD_EVENT);

	return fdpolicy_made(sys_call(SYS_timerfd_create, clock, flags | force), FD_EVENT,
		(flags & O_CLOEXEC) != 0, force, FD_NUMBER(clock));
}

static inline long guest_signalfd4(int fd, const void *mask, size_t size, int flags)
{
	const int force = fdpolicy_flag(FD_EVENT);
	long r;

	if (UNLIKELY(state_owns(fd)))
		return -EBADF;
	if (fd != -1) /* signalfd(2): only the mask of fd changes, and fd is the result */
		return sys_call(SYS_signalfd4, fd, mask, size, flags);
	r = sys_call(SYS_signalfd4, fd, mask, size, flags | force);
	r = ELDER(r, flags, force, SYS_signalfd, fd, mask, size);
	return fdpolicy_made(r, FD_EVENT, (flags & O_CLOEXEC) != 0, force, FD_NOTHING);
}

static inline long guest_inotify_init1(int flags)
{
	const int force = fdpolicy_flag(FD_EVENT);
	long r = sys_call(SYS_inotify_init1, flags | force);

	r = ELDER(r, flags, force, SYS_inotify_init);
	return fdpolicy_made(r, FD_EVENT, (flags & O_CLOEXEC) != 0, force, FD_NOTHING);
}

static inline long guest_memfd_create(const char *name, unsigned flags)
{
	const int force = fdpolicy_flag(FD_MEMORY);

	return fdpolicy_made(sys_call(SYS_memfd_create, name, flags | (force ? MFD_CLOEXEC : 0u)),
		FD_MEMORY, (flags & MFD_CLOEXEC) != 0, force, FD_NAME(name));
}

/* -- sockets --------------------------------------------------------------------------------- */

static inline long guest_socket(int domain, int type, int protocol)
{
	const int force = fdpolicy_flag(FD_SOCKET);

	return fdpolicy_made(sys_call(SYS_socket, domain, type | force, protocol), FD_SOCKET,
		(type & SOCK_CLOEXEC) != 0, force, FD_SOCK(domain, type, protocol));
}

static inline long guest_socketpair(int domain, int type, int protocol, int sv[2])
{
	const int force = fdpolicy_flag(FD_PAIR);

	return made_pair(sys_call(SYS_socketpair, domain, type | force, protocol, sv), sv, FD_PAIR,
		(type & SOCK_CLOEXEC) != 0, force, FD_SOCK(domain, type, protocol));
}

/* In a root: the address that comes back is the host's. */
long made_accept_in(
	const struct view *v, int fd, struct sockaddr *addr, socklen_t *len, int flags, bool point);

static inline long made_accept(int fd, struct sockaddr *addr, socklen_t *len, int flags, bool point)
{
	const int force = fdpolicy_flag(FD_ACCEPT);
	long r = cancel_call(point, SYS_accept4, fd, addr, len, flags | force);

	if (UNLIKELY(r == -ENOSYS && !flags)) { /* a filter's word: see ELDER */
		r = cancel_call(point, SYS_accept, fd, addr, len);
		if (r >= 0 && force)
			sys_fcntl((int)r, F_SETFD, FD_CLOEXEC);
	}
	return fdpolicy_made(r, FD_ACCEPT, (flags & SOCK_CLOEXEC) != 0, force, FD_FROM(fd));
}

static inline long guest_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags, bool point)
{
	const struct view *v = addr ? state_view() : NULL;

	return UNLIKELY(v != NULL) ? made_accept_in(v, fd, addr, len, flags, point)
				   : made_accept(fd, addr, len, flags, point);
}

/* -- closed ---------------------------------------------------------------------------------- */

long made_close_recorded(int fd, bool point);

static inline long made_close(int fd, bool point)
{
	long r;

	if (UNLIKELY(record_on))
		return made_close_recorded(fd, point);
	if (UNLIKELY(state_owns(fd)))
		return -EBADF;
	fdpolicy_closed(fd); /* before: afterwards the number may be another thread's */
	epoch_closing(fd);
	r = cancel_call(point, SYS_close, fd);
	epoch_closing(fd); /* another thread may have learned by it meanwhile */
	return r;
}

static inline long guest_close(int fd)
{
	return made_close(fd, false);
}

/* dup3(2) onto a number of the program's. */
static inline long made_onto(int fd, int to, int flags)
{
	const bool said = epoch_onto_begin();
	const long r = sys_dup3(fd, to, flags);

	epoch_onto_end(to, said);
	return r;
}

/* libc is about to close fd, the program's, by a system call that passes nobody: fclose(3), closedir(3).
 * fd < 0: there is none. */
void made_closed_inside(int fd);
static inline void guest_closed_inside(int fd)
{
	fdpolicy_closed(fd);
	epoch_closing(fd);
	if (UNLIKELY(record_on) && fd >= 0)
		made_closed_inside(fd);
}

#endif
