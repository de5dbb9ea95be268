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

int jail_fcntl(int fd, int cmd, ...)
{
	struct f_owner_ex owner;
	va_list ap;
	long arg, r;
	int old;

	switch (cmd) { /* fcntl(2): those without an argument */
	case F_GETOWN: /* the kernel's own answer for a process group, -pgid, looks like an errno */
		r = guest_fcntl(fd, F_GETOWN_EX, (long)&owner);
		if (r < 0)
			return EDGE(int, r);
		return owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
	case F_GETFD:
	case F_GETFL:
	case F_GETSIG:
	case F_GETLEASE:
	case F_GETPIPE_SZ:
	case F_GET_SEALS:
		return EDGE(int, guest_fcntl(fd, cmd, 0));
	}
	va_start(ap, cmd);
	arg = va_arg(ap, long); /* an int or a pointer; the kernel takes what the command needs */
	va_end(ap);
	if (cmd != F_SETLKW && cmd != F_OFD_SETLKW)
		return EDGE(int, guest_fcntl(fd, cmd, arg));
	old = cancel_enter(); /* pthreads(7): these two wait */
	r = guest_fcntl(fd, cmd, arg);
	cancel_leave(old);
	return EDGE(int, r);
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
	guest_close_range(low < 0 ? 0 : (unsigned)low, ~0U, 0);
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
