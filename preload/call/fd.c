/* SPDX-License-Identifier: ISC
 *
 * Descriptor calls whose C form is not the kernel's: the optional argument of fcntl and ioctl,
 * and system calls that make a descriptor but are too rare for a guest function of their own. */
#include "../wrap.h"

long fd_by_flag(long nr, const long args[6], int which, long bit, enum fd_class class)
{
	long a[6] = {args[0], args[1], args[2], args[3], args[4], args[5]};
	bool asked = a[which] & bit;
	int forced = fdpolicy_flag(class);

	if (forced)
		a[which] |= bit;
	return fdpolicy_made(sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]), class, asked,
		asked ? 0 : forced, FD_NOTHING);
}

long fd_by_kernel(long nr, const long args[6], enum fd_class class, struct fd_args tell)
{
	return fdpolicy_made(sys_call6(nr, args[0], args[1], args[2], args[3], args[4], args[5]), class,
		true, 0, tell);
}

int jail_fcntl(int fd, int cmd, ...)
{
	struct f_owner_ex owner;
	va_list ap;
	long arg, r;

	switch (cmd) { /* fcntl(2): those without an argument */
	case F_GETOWN: /* the kernel's own answer for a process group, -pgid, looks like an errno */
		r = guest_fcntl(fd, F_GETOWN_EX, (long)&owner, false);
		if (r < 0)
			return EDGE(int, r);
		return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
	case F_GETFD:
	case F_GETFL:
	case F_GETSIG:
	case F_GETLEASE:
	case F_GETPIPE_SZ:
	case F_GET_SEALS:
		return EDGE(int, guest_fcntl(fd, cmd, 0, false));
	}
	va_start(ap, cmd);
	arg = va_arg(ap, long); /* an int or a pointer; the kernel takes what the command needs */
	va_end(ap);
	if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC)
		return EDGE(int, guest_dupfd(fd, cmd == F_DUPFD_CLOEXEC, arg));
	/* pthreads(7): these two wait */
	return EDGE(int, guest_fcntl(fd, cmd, arg, (cmd == F_SETLKW || cmd == F_OFD_SETLKW) && cancel_point()));
}

/* ioctl(2): whether there is an argument only the driver knows.  Reading the one that may be
 * missing is what every libc does: the ABI gives variadic arguments a register each. */
int jail_ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	long arg;

	va_start(ap, request);
	arg = va_arg(ap, long);
	va_end(ap);
	return EDGE(int, guest_ioctl(fd, request, arg));
}

void jail_closefrom(int low)
{
	guest_closefrom(low < 0 ? 0 : (unsigned)low);
}

ssize_t jail___recvfrom_chk(
	int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *addr, socklen_t *len)
{
	ssize_t (*real)(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);

	if (n > room) { /* libc reports the overflow */
		real = REAL(__recvfrom_chk);
		if (real)
			return real(fd, buf, n, room, flags, addr, len);
	}
	return jail_recvfrom(fd, buf, n, flags, addr, len);
}

/* -- made inside libc, close-on-exec already ------------------------------------------------- */

/* fd, or -1 and errno, as libc returned it */
static int fd_made_inside(int fd, enum fd_class class, struct fd_args tell)
{
	if (fd >= 0)
		return (int)fdpolicy_made(fd, class, true, 0, tell);
	if (UNLIKELY(record_on) && *__errno_location() > 0)
		record_made(-*__errno_location(), class, true, &tell);
	return fd;
}

/* mq_open(3): mode and attributes are there when the queue may be made; glibc reads no others. */
int jail_mq_open(const char *name, int flags, ...)
{
	int (*real)(const char *, int, ...) = REAL(mq_open);
	mode_t mode = 0;
	void *attr = NULL;
	va_list ap;

	if (!real)
		return EDGE(int, -ENOSYS);
	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		attr = va_arg(ap, void *);
		va_end(ap);
	}
	return fd_made_inside(real(name, flags, mode, attr), FD_OPEN, FD_NAME(name));
}

int jail___mq_open_2(const char *name, int flags)
{
	int (*real)(const char *, int) = REAL(__mq_open_2);

	return real ? fd_made_inside(real(name, flags), FD_OPEN, FD_NAME(name)) : EDGE(int, -ENOSYS);
}

/* A queue is a descriptor, and mq_close(3) is close(2). */
int jail_mq_close(int queue)
{
	return EDGE(int, guest_close(queue));
}

/* -- kqueue ---------------------------------------------------------------------------------- */

/* libkqueue makes its descriptors with the calls above, so they have the flag from the start; the one
 * that comes out is what the program knows of, so it is recorded as kqueue's own.  One that was made in
 * another way gets the flag here.  Without a libkqueue the call fails as one that a kernel lacks. */
static int fd_kqueue(int fd, bool asked)
{
	const int forced = fdpolicy_flag(FD_EVENT);

	if (fd < 0 || asked)
		return fd_made_inside(fd, FD_EVENT, FD_NOTHING);
	if (forced && fd > 2 && !(sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC))
		sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
	return (int)fdpolicy_made(fd, FD_EVENT, false, forced, FD_NOTHING);
}

int jail_kqueue(void)
{
	int (*real)(void) = REAL(kqueue);

	return real ? fd_kqueue(real(), false) : EDGE(int, -ENOSYS);
}

int jail_kqueue1(int flags)
{
	int (*real)(int) = REAL(kqueue1);

	return real ? fd_kqueue(real(flags), flags & O_CLOEXEC) : EDGE(int, -ENOSYS);
}
