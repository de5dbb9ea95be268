/* SPDX-License-Identifier: ISC
 *
 * Terminals by name and pseudo-terminals in pairs, which libc looks up and opens by itself. */
#include "../wrap.h"

/* The guest's name of the terminal fd, NUL-terminated in name; 0 or -errno as ttyname_r(3). */
static long tty_name(const struct view *v, int fd, char *name, size_t n)
{
	unsigned char settings[64]; /* the kernel's struct termios, 36 bytes */
	struct stat by_fd, by_name;
	long r = guest_ioctl(fd, TCGETS, (long)settings);

	if (r < 0)
		return r; /* EBADF, ENOTTY */
	r = place_guest_fd(v, fd, name, n);
	if (r < 0 || name[0] != '/')
		return -ENODEV; /* its file is not in this root */
	r = sys_fstat(fd, &by_fd);
	if (r == 0)
		r = guest_newfstatat(AT_FDCWD, name, &by_name, 0);
	if (r < 0 || !S_ISCHR(by_name.st_mode) || by_name.st_rdev != by_fd.st_rdev)
		return -ENODEV;
	return 0;
}

int jail_ttyname_r(int fd, char *buf, size_t n)
{
	int (*real)(int, char *, size_t);
	const struct view *v = state_view();
	char name[PATH_MAX];
	long r;

	if (!v) {
		real = REAL(ttyname_r);
		return real ? real(fd, buf, n) : ENOSYS;
	}
	if (!buf)
		r = -EINVAL;
	else
		r = tty_name(v, fd, name, sizeof name);
	if (r == 0 && strlen(name) >= n)
		r = -ERANGE;
	if (r < 0) {
		if (r != -ERANGE || !config()->musl)
			errno_set((int)-r); /* both libcs leave it in errno, too */
		return (int)-r;
	}
	memcpy(buf, name, strlen(name) + 1);
	return 0;
}

int jail___ttyname_r_chk(int fd, char *buf, size_t n, size_t room)
{
	int (*real)(int, char *, size_t, size_t);

	if (n > room) { /* libc reports the overflow */
		real = REAL(__ttyname_r_chk);
		if (real)
			return real(fd, buf, n, room);
	}
	return jail_ttyname_r(fd, buf, n);
}

char *jail_ttyname(int fd)
{
	static char name[256]; /* ttyname(3): statically allocated, overwritten by the next call */
	char *(*real)(int);

	if (!state_view()) {
		real = REAL(ttyname);
		return real ? real(fd) : NULL;
	}
	return jail_ttyname_r(fd, name, sizeof name) ? NULL : name;
}

static long pty_open(int flags)
{
	return guest_open_as(FD_PTY, fdpolicy_flag(FD_PTY), AT_FDCWD, "/dev/ptmx", flags, 0, false);
}

int jail_posix_openpt(int flags)
{
	return EDGE(int, pty_open(flags));
}

int jail_getpt(void)
{
	return EDGE(int, pty_open(O_RDWR));
}

/* openpty(3): the slave comes from TIOCGPTPEER, by no name that a root could lack. */
static long pty_pair(
	int *master, int *slave, char *name, const struct termios *term, const struct winsize *size)
{
	int (*settings)(int, int, const struct termios *);
	long m, s = -1, r;
	unsigned number;
	int unlock = 0;

	m = pty_open(O_RDWR | O_NOCTTY);
	if (m < 0)
		return m;
	r = guest_ioctl((int)m, TIOCSPTLCK, (long)&unlock);
	if (r == 0)
		r = guest_ioctl((int)m, TIOCGPTN, (long)&number);
	if (r == 0)
		r = s = guest_ioctl((int)m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (r < 0) {
		guest_close((int)m);
		return r;
	}
	if (term) {
		settings = LIBC(tcsetattr, int, (int, int, const struct termios *));
		if (settings)
			settings((int)s, TCSAFLUSH, term);
	}
	if (size)
		guest_ioctl((int)s, TIOCSWINSZ, (long)size);
	if (name) { /* as long as it takes: openpty(3), BUGS */
		struct str text = {name, name + 32};

		str_puts(&text, "/dev/pts/");
		str_num(&text, number);
	}
	*master = (int)m;
	*slave = (int)s;
	return 0;
}

int jail_openpty(
	int *master, int *slave, char *name, const struct termios *term, const struct winsize *size)
{
	return EDGE(int, pty_pair(master, slave, name, term, size));
}

int jail_login_tty(int fd)
{
	long r;

	sys_call(SYS_setsid);
	r = guest_ioctl(fd, TIOCSCTTY, 0);
	if (r < 0)
		return EDGE(int, r);
	for (int to = 0; to < 3; to++)
		while (guest_dup2(fd, to) == -EBUSY)
			;
	if (fd > 2)
		guest_close(fd);
	return 0;
}

int jail_forkpty(int *master, char *name, const struct termios *term, const struct winsize *size)
{
	pid_t pid;
	int m, s;
	long r = pty_pair(&m, &s, name, term, size);

	if (r < 0)
		return EDGE(int, r);
	pid = jail_fork();
	if (pid == 0) {
		guest_close(m);
		if (jail_login_tty(s))
			sys_call(SYS_exit_group, 1);
		return 0;
	}
	guest_close(s);
	if (pid < 0)
		guest_close(m); /* errno is fork's */
	else
		*master = m;
	return pid;
}
