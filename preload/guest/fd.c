/* SPDX-License-Identifier: ISC
 *
 * Descriptors made, moved and closed: every call that makes one asks fdpolicy for the flag and sets
 * it in the same system call; every call that could close or reuse one of libjail's own is turned
 * away from it as from a number that is not open. */
#include "guest.h"
#include "../fdpolicy.h"
#include "../record.h"
#include "../state.h"
#include "../sys.h"
#include <errno.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>

/* -- closed ---------------------------------------------------------------------------------- */

/* Out of the way of those who keep no records. */
NOINLINE long made_close_recorded(int fd, bool point)
{
	struct record_closing c = {0};
	long r = -EBADF;

	if (LIKELY(!state_owns(fd))) {
		fdpolicy_closed(fd); /* before: afterwards the number may be another thread's */
		epoch_closing(fd);
		c = record_closing(fd);
		r = cancel_call(point, SYS_close, fd);
		epoch_closing(fd); /* another thread may have learned by it meanwhile */
	}
	if (r == -EBADF)
		record_close_failed(fd, c);
	return r;
}

void made_closed_inside(int fd)
{
	record_owner(fd, 0); /* it is the owner that closes it */
	(void)record_closing(fd);
}

enum { CLOSE_EACH = 1 << 30 }; /* with close_run's flags: by close(2) */

static long close_run(unsigned first, unsigned last, unsigned flags)
{
	if (first > last)
		return 0;
	if (LIKELY(!(flags & CLOSE_EACH)))
		return sys_call(SYS_close_range, first, last, flags);
	sys_close_each(first, last);
	return 0;
}

/* All of [first, last] but ours. */
static long close_around(unsigned first, unsigned last, unsigned flags)
{
	int own[32];
	size_t n;
	long r = 0;

	do {
		n = state_owned(first, last, own, ROWS(own));
		for (size_t i = 0; i < n && r == 0; i++) {
			unsigned at = (unsigned)own[i];

			r = at > first ? close_run(first, at - 1, flags) : 0;
			first = at + 1;
		}
	} while (n == ROWS(own) && r == 0);
	return r == 0 ? close_run(first, last, flags) : r;
}

long guest_close_range(unsigned first, unsigned last, unsigned flags)
{
	int own;
	long r;

	epoch_closing_range(first, last);
	if (flags & CLOSE_RANGE_UNSHARE)
		epoch_apart();
	/* What the kernel refuses it refuses before anything is closed.  Ours have the flag that
	 * CLOSE_RANGE_CLOEXEC sets. */
	if (first > last || flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) ||
		flags & CLOSE_RANGE_CLOEXEC || state_owned(first, last, &own, 1) == 0) {
		r = sys_call(SYS_close_range, first, last, flags);
	} else {
		/* Once and first: the parts could be empty. */
		r = flags & CLOSE_RANGE_UNSHARE ? sys_call(SYS_unshare, CLONE_FILES) : 0;
		if (r == 0)
			r = close_around(first, last, flags & ~CLOSE_RANGE_UNSHARE);
	}
	/* With a table of its own this thread says nothing about the others' descriptors. */
	if (r == 0 && !(flags & CLOSE_RANGE_UNSHARE)) {
		fdpolicy_forget_range(first, last);
		if (UNLIKELY(record_on)) {
			if (flags & CLOSE_RANGE_CLOEXEC)
				record_flag_range(first, last);
			else
				record_closed_range(first, last);
		}
	}
	return r;
}

void guest_closefrom(unsigned first)
{
	if (LIKELY(guest_close_range(first, ~0U, 0) == 0))
		return;
	close_around(first, ~0U, CLOSE_EACH);
	fdpolicy_forget_range(first, ~0U);
	if (UNLIKELY(record_on))
		record_closed_range(first, ~0U);
}

#ifdef SYS_epoll_create
NOINLINE long made_elder(long r, int force)
{
	if (r >= 0 && force)
		sys_fcntl((int)r, F_SETFD, FD_CLOEXEC);
	return r;
}
#endif

NOINLINE void made_pair_recorded(
	long r, const int fds[2], enum fd_class class, bool asked, const struct fd_args *args)
{
	record_made(r < 0 ? r : fds[0], class, asked, args);
	if (r == 0)
		record_made(fds[1], class, asked, args);
}

/* -- doubled --------------------------------------------------------------------------------- */

/* The minimum may be meant as a number to have (fcntl(2)).  All below r are taken, and the lowest
 * that is ours goes to the program.  Not where there are other threads: no number is certain there. */
NOINLINE long made_dupfd_lower(long r, int cmd, long from)
{
	int own;

	if (state_owned((unsigned)from, (unsigned)r - 1, &own, 1) == 0 || !state_alone() ||
		state_yield(own) < 0 || sys_dup3((int)r, own, cmd == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0) < 0)
		return r;
	sys_close((int)r);
	return own;
}

/* dup2(2) and dup3(2) say which number is to be inherited: never forced. */
static long dup_onto(int fd, int to, int flags)
{
	long r = state_owns(fd) ? -EBADF : 0;

	if (r == 0 && UNLIKELY(state_owns(to))) { /* it makes way, but for nothing that fails */
		r = sys_fcntl(fd, F_GETFD, 0);
		if (r >= 0)
			r = state_yield(to);
	}
	if (r >= 0)
		r = made_onto(fd, to, flags);
#ifdef SYS_dup2
	if (UNLIKELY(r == -ENOSYS && !flags))
		r = sys_call(SYS_dup2, fd, to);
#endif
	if (r >= 0) {
		fdpolicy_forget(to);
		if (UNLIKELY(record_on))
			record_onto(fd, to, flags);
	}
	return r;
}

long guest_dup2(int fd, int to)
{
	long r;

	if (fd != to)
		return dup_onto(fd, to, 0);
	/* dup(2): nothing happens to a valid descriptor, and its flag stays, but for one that is ours: this is
	 * how a program says that a number is for its child where it is the right one already. */
	r = state_owns(fd) ? -EBADF : sys_fcntl(fd, F_GETFD, 0);
	if (r < 0)
		return r;
	if (!(r & FD_CLOEXEC) || fdpolicy_take_back(fd))
		if (UNLIKELY(record_on))
			record_flag(fd, false);
	return to;
}

long guest_dup3(int fd, int to, int flags)
{
	if (fd == to || flags & ~O_CLOEXEC)
		return sys_dup3(fd, to, flags); /* EINVAL, before it looks at the descriptors */
	return dup_onto(fd, to, flags);
}

/* -- controlled ------------------------------------------------------------------------------ */

long guest_fcntl(int fd, int cmd, long arg, bool point)
{
	long r;

	if (UNLIKELY(state_owns(fd)))
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return guest_dupfd(fd, cmd == F_DUPFD_CLOEXEC, arg);
	case F_SETFD:
		r = sys_fcntl(fd, cmd, arg);
		if (r == 0) {
			fdpolicy_forget(fd);
			if (UNLIKELY(record_on))
				record_flag(fd, arg & FD_CLOEXEC);
		}
		return r;
	default:
		return cancel_call(point, SYS_fcntl, fd, cmd, arg);
	}
}

/* The ioctls that make a descriptor, as far as they are known here: which takes a flag, and where.
 * All but these set close-on-exec without being asked, or are a driver's own secret. */
static const struct ioctl_made {
	unsigned request;
	enum fd_class class;
	signed char size;   /* of the structure; 0: arg is not one */
	signed char flags;  /* where in it the flags are; in a plain arg: 0; -1: no flag is needed */
	signed char fd;     /* where in it the descriptor is; -1: it is the result */
	unsigned bit;       /* close-on-exec */
} ioctl_made[] = {
	{TIOCGPTPEER, FD_PTY, 0, 0, -1, O_CLOEXEC}, /* ioctl_tty(2): arg holds open flags */
	{0x0000aa00, FD_EVENT, 0, 0, -1, O_CLOEXEC},  /* USERFAULTFD_IOC_NEW: those of userfaultfd(2) */
	{0xc00c642d, FD_MEMORY, 12, 4, 8, O_CLOEXEC}, /* DRM_IOCTL_PRIME_HANDLE_TO_FD, drm.h */
	{0xc0405610, FD_MEMORY, 64, 12, 16, O_CLOEXEC}, /* VIDIOC_EXPBUF, videodev2.h */
	{0xc0184800, FD_MEMORY, 24, 12, 8, O_CLOEXEC},  /* DMA_HEAP_IOCTL_ALLOC, dma-heap.h */
	{0x40187542, FD_MEMORY, 24, 4, -1, 1},      /* UDMABUF_CREATE, udmabuf.h */
	{0xb701, FD_OPEN, 0, -1, -1, 0},            /* NS_GET_USERNS, ioctl_ns(2) */
	{0xb702, FD_OPEN, 0, -1, -1, 0},            /* NS_GET_PARENT */
	{0x894c, FD_OPEN, 0, -1, -1, 0},            /* SIOCGSKNS, netdevice(7) */
	{0xae01, FD_EVENT, 0, -1, -1, 0},           /* KVM_CREATE_VM, kvm.h */
	{0xae41, FD_EVENT, 0, -1, -1, 0},           /* KVM_CREATE_VCPU */
};

/* The program's own structure gets the flag for as long as the call takes. */
static NOINLINE long ioctl_make(const struct ioctl_made *m, int fd, unsigned long request, long arg)
{
	const int force = m->flags < 0 ? 0 : fdpolicy_flag(m->class);
	const unsigned bit = force ? m->bit : 0;
	char *at = (char *)arg;
	unsigned flags = (unsigned)arg;
	int got;
	long r;

	if (!m->size) {
		r = sys_call(SYS_ioctl, fd, request, arg | (long)bit);
		if (r <= 2 && request != TIOCGPTPEER)
			return r; /* another driver's number, and its 0 no descriptor */
		return fdpolicy_made(r, m->class, m->flags < 0 || flags & m->bit, force, FD_FROM(fd));
	}
	if (!place_readable(at, (size_t)m->size))
		return sys_call(SYS_ioctl, fd, request, arg);
	memcpy(&flags, at + m->flags, sizeof flags);
	if (bit & ~flags)
		memcpy(at + m->flags, &(unsigned){flags | bit}, sizeof flags);
	r = sys_call(SYS_ioctl, fd, request, arg);
	if (bit & ~flags)
		memcpy(at + m->flags, &flags, sizeof flags);
	if (m->fd < 0)
		return fdpolicy_made(r, m->class, flags & m->bit, force, FD_FROM(fd));
	if (r >= 0) {
		memcpy(&got, at + m->fd, sizeof got);
		fdpolicy_made(got, m->class, flags & m->bit, force, FD_FROM(fd));
	}
	return r;
}

long guest_ioctl(int fd, unsigned long request, long arg)
{
	long r;

	if (UNLIKELY(state_owns(fd)))
		return -EBADF;
	switch ((unsigned)request) { /* the kernel looks at 32 bits, and musl's type has no more */
	case FIOCLEX:
	case FIONCLEX:
		r = sys_call(SYS_ioctl, fd, request, arg);
		if (r == 0) {
			fdpolicy_forget(fd);
			if (UNLIKELY(record_on))
				record_flag(fd, (unsigned)request == FIOCLEX);
		}
		return r;
	}
	for (size_t i = 0; i < ROWS(ioctl_made); i++)
		if (UNLIKELY((unsigned)request == ioctl_made[i].request))
			return ioctl_make(&ioctl_made[i], fd, request, arg);
	return sys_call(SYS_ioctl, fd, request, arg);
}

/* The events carry descriptors too, which nobody sees pass: they have the flag, unrecorded. */
long guest_fanotify_init(unsigned flags, unsigned event_flags)
{
	int force = fdpolicy_flag(FD_EVENT);

	return fdpolicy_made(sys_call(SYS_fanotify_init, flags | (force ? FAN_CLOEXEC : 0u),
				     event_flags | (unsigned)force),
		FD_EVENT, (flags & FAN_CLOEXEC) != 0, force, FD_NOTHING);
}
