/* SPDX-License-Identifier: ISC
 *
 * Descriptors and Unix sockets as a program meets them.  Descriptors: what libjail.7 says (forced,
 * or the program's); they fail without libjail.  Socket names: what the kernel does; with
 * LIBJAIL_ROOT set or not, and without libjail, every row is the same.  Prints TAP. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int rows, failed;
static void *volatile bad = (void *)8; /* nothing is there */

/* One row; on failure what was found. */
static void ok(bool good, const char *why, long got)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++rows, why);
	if (!good) {
		printf("# got %ld, errno %s\n", got, strerror(errno));
		failed++;
	}
	fflush(stdout);
}

/* Is libjail loaded?  A program in a root does not see LD_PRELOAD. */
static bool libjail(void)
{
	static int known = -1;
	char line[4200];
	FILE *f;

	if (known >= 0)
		return known;
	known = 0;
	f = fopen("/proc/self/maps", "re");
	while (f && fgets(line, sizeof line, f))
		known |= strstr(line, "/libjail.so") != NULL;
	if (f)
		fclose(f);
	return known;
}

/* -- forced at creation ---------------------------------------------------------------------- */

/* fd was made by a call that leaves errno alone; want: has it the flag? */
static void made(const char *why, int fd, bool want)
{
	int flags = fcntl(fd, F_GETFD);

	if (!libjail() && want)
		printf("ok %d - %s # SKIP libjail is not loaded\n", ++rows, why);
	else
		ok(fd >= 0 && flags == (want ? FD_CLOEXEC : 0) && errno == 0xdead, why, flags);
	errno = 0xdead;
	if (fd > 2)
		close(fd);
}

/* A descriptor that came over a socket, with recvmsg's flags.  ret_flags: msg_flags */
static int passed(int fd, int flags, int *ret_flags)
{
	char control[CMSG_SPACE(sizeof(int))], byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int sv[2], got = -1;

	memset(control, 0, sizeof control);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0 || sendmsg(sv[0], &m, 0) != 1)
		return -1;
	memset(control, 0, sizeof control);
	m.msg_controllen = sizeof control;
	if (recvmsg(sv[1], &m, flags) == 1 && (c = CMSG_FIRSTHDR(&m)))
		memcpy(&got, CMSG_DATA(c), sizeof got);
	*ret_flags = m.msg_flags;
	close(sv[0]);
	close(sv[1]);
	return got;
}

static int accepted(int flags)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t n = sizeof un;
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), r;

	if (bind(l, (struct sockaddr *)&un, sizeof(sa_family_t)) < 0 || listen(l, 1) < 0 ||
		getsockname(l, (struct sockaddr *)&un, &n) < 0 ||
		connect(c, (struct sockaddr *)&un, n) < 0)
		return -1;
	r = flags < 0 ? accept(l, NULL, NULL) : accept4(l, NULL, NULL, flags);
	close(l);
	close(c);
	return r;
}

static void creation(void)
{
	sigset_t set;
	int fds[2], null, master, flags, again;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	errno = 0xdead;
	made("open", open("/dev/null", O_RDONLY), true);
	made("open, asked for", open("/dev/null", O_RDONLY | O_CLOEXEC), true);
	made("openat", openat(AT_FDCWD, "/dev/null", O_RDONLY), true);
	made("syscall(SYS_openat)", (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0),
		true);
	made("dup", dup(0), true);
	made("F_DUPFD", fcntl(0, F_DUPFD, 10), true);
	made("F_DUPFD_CLOEXEC", fcntl(0, F_DUPFD_CLOEXEC, 10), true);
	made("socket", socket(AF_UNIX, SOCK_STREAM, 0), true);
	made("epoll_create", epoll_create(1), true);
	made("epoll_create1", epoll_create1(0), true);
	made("eventfd", eventfd(0, 0), true);
	made("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0), true);
	made("inotify_init", inotify_init(), true);
	made("inotify_init1", inotify_init1(0), true);
	made("memfd_create", memfd_create("x", 0), true);
	made("accept", accepted(-1), true);
	made("accept4", accepted(0), true);
	made("SCM_RIGHTS", passed(0, 0, &flags), true);
	ok(flags == 0, "SCM_RIGHTS: msg_flags as without us", flags);
	errno = 0xdead;
	made("SCM_RIGHTS, asked for", passed(0, MSG_CMSG_CLOEXEC, &flags), true);
	ok(flags == MSG_CMSG_CLOEXEC, "SCM_RIGHTS, asked for: msg_flags say so", flags);

	errno = 0xdead;
	if (pipe(fds) == 0) {
		made("pipe, read end", fds[0], true);
		made("pipe, write end", fds[1], true);
	}
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0) {
		made("socketpair, one end", fds[0], true);
		made("socketpair, other end", fds[1], true);
	}
	null = signalfd(-1, &set, 0);
	again = signalfd(null, &set, 0);
	ok(again == null, "signalfd of a descriptor makes none", again);
	errno = 0xdead;
	made("signalfd", null, true);
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0) {
		errno = 0xdead;
		made("TIOCGPTPEER", ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY), true);
	}
	close(master);

	errno = 0xdead;
	made("dup2 never", dup2(0, 20), false);
	made("dup3 never", dup3(0, 20, 0), false);
	made("dup3, asked for", dup3(0, 20, O_CLOEXEC), true);
	null = open("/dev/null", O_RDONLY);
	ok(fcntl(null, F_SETFD, 0) == 0 && fcntl(null, F_GETFD) == 0, "F_SETFD is the program's",
		0);
	ok(ioctl(null, FIOCLEX) == 0 && fcntl(null, F_GETFD) == FD_CLOEXEC, "FIOCLEX", 0);
	ok(ioctl(null, FIONCLEX) == 0 && fcntl(null, F_GETFD) == 0, "FIONCLEX", 0);
	ok(dup2(null, null) == null && fcntl(null, F_GETFD) == 0, "dup2(fd, fd) keeps no flag", 0);
	fcntl(null, F_SETFD, FD_CLOEXEC);
	ok(dup2(null, null) == null && fcntl(null, F_GETFD) == FD_CLOEXEC,
		"dup2(fd, fd) keeps the flag", 0);
	close(null);
	ok(dup2(null, null) == -1 && errno == EBADF, "dup2(fd, fd) of a closed one: EBADF", 0);
	ok(dup2(0, -1) == -1 && errno == EBADF, "dup2 to -1: EBADF", 0);
	ok(dup3(0, 0, 0) == -1 && errno == EINVAL, "dup3(fd, fd): EINVAL", 0);
	ok(dup3(777, 777, 0) == -1 && errno == EINVAL, "dup3(fd, fd) closed: EINVAL", 0);
	ok((dup3(0, 20, O_APPEND) == -1 && errno == EINVAL) || !libjail(),
		"dup3 with a wrong flag: EINVAL", 0);
	ok(dup(777) == -1 && errno == EBADF, "dup of a closed one: EBADF", 0);
	ok(fcntl(0, F_DUPFD, -1) == -1 && errno == EINVAL, "F_DUPFD below 0: EINVAL", 0);
	null = fcntl(0, F_DUPFD, 33);
	ok(null == 33, "F_DUPFD honours its minimum", null);
	close(null);

	null = dup(0);
	close(0);
	errno = 0xdead;
	made("a descriptor 0 is never forced", open("/dev/null", O_RDONLY), false);
	dup2(null, 0);
	close(null);
	ok(pipe((int *)bad) == -1 && errno == EFAULT, "pipe to a bad pointer: EFAULT", 0);
	ok(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)bad) == -1 && errno == EFAULT,
		"socketpair to a bad pointer: EFAULT", 0);
	ok(socket(AF_UNIX, 0x7f00, 0) == -1 && errno == EINVAL, "socket of no type: EINVAL", 0);
	null = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (null >= 0) {
		struct msghdr m = {0};

		ok(recvmsg(null, &m, MSG_DONTWAIT) == -1 && errno == EAGAIN,
			"a packet socket refuses MSG_CMSG_CLOEXEC: not for us", 0);
		close(null);
	}
}

/* -- control buffers ------------------------------------------------------------------------- */

static int open_count(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n;
}

static void truncation(void)
{
	int sv[2], three[3] = {0, 1, 2}, before = open_count();
	char control[CMSG_SPACE(sizeof three)], byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct cmsghdr *c;

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	for (int i = 0; i < 2; i++) {
		m.msg_controllen = sizeof control;
		memset(control, 0, sizeof control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof three);
		memcpy(CMSG_DATA(c), three, sizeof three);
		ok(sendmsg(sv[0], &m, 0) == 1, "three descriptors sent", 0);
	}
	m.msg_controllen = CMSG_LEN(2 * sizeof(int));
	ok(recvmsg(sv[1], &m, 0) == 1 && m.msg_flags == MSG_CTRUNC, "room for two: MSG_CTRUNC",
		m.msg_flags);
	c = CMSG_FIRSTHDR(&m);
	ok(c && c->cmsg_len == CMSG_LEN(2 * sizeof(int)), "and two came",
		c ? (long)c->cmsg_len : -1);
	for (int i = 0; c && i < 2; i++) {
		memcpy(three, CMSG_DATA(c), sizeof three);
		ok(!libjail() || fcntl(three[i], F_GETFD) == FD_CLOEXEC, "with the flag", three[i]);
		close(three[i]);
	}
	m.msg_control = NULL;
	m.msg_controllen = 0;
	ok(recvmsg(sv[1], &m, 0) == 1 && m.msg_flags == MSG_CTRUNC, "no room: MSG_CTRUNC",
		m.msg_flags);
	close(sv[0]);
	close(sv[1]);
	ok(open_count() == before, "and nothing is left open", open_count() - before);
#ifndef __GLIBC__
	if (!libjail())
		return; /* musl's own looks into the structure */
#endif
	ok(recvmsg(sv[0], (struct msghdr *)bad, 0) == -1 && errno == EBADF,
		"recvmsg: EBADF before EFAULT", 0);
	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	ok(recvmsg(sv[0], (struct msghdr *)bad, 0) == -1 && errno == EFAULT,
		"recvmsg of a bad pointer: EFAULT", 0);
	ok(sendmsg(sv[0], (struct msghdr *)bad, 0) == -1 && errno == EFAULT,
		"sendmsg of a bad pointer: EFAULT", 0);
	close(sv[0]);
	close(sv[1]);
}

/* -- given back at exec ---------------------------------------------------------------------- */

enum { N = 57 }; /* the number under test */

/* A child that executes argv, writing to out; its pid. */
static pid_t child(char *const argv[], int out, bool shared)
{
	pid_t pid = shared ? vfork() : fork();

	if (pid == 0) {
		dup2(out, 1);
		execv("/bin/ls", argv);
		_exit(127);
	}
	return pid;
}

/* Does a child executing argv with the added variable have N open?  It is ls: its listing of its
 * own descriptors answers. */
static bool inherited(char *const argv[], const char *env, bool shared)
{
	char out[4096], name[64] = "", *line;
	int p[2], status;
	ssize_t n, have = 0;
	pid_t pid;

	if (pipe(p) < 0)
		return false;
	if (env) {
		snprintf(name, sizeof name, "%.*s", (int)strcspn(env, "="), env);
		setenv(name, env + strlen(name) + 1, 1);
	}
	pid = child(argv, p[1], shared);
	close(p[1]);
	while ((n = read(p[0], out + have, sizeof out - 1 - (size_t)have)) > 0)
		have += n;
	out[have] = '\0';
	close(p[0]);
	waitpid(pid, &status, 0);
	if (env)
		unsetenv(name);
	for (line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
		if (atoi(line) == N)
			return true;
	return false;
}

static void given_back(void)
{
	char *plain[] = {"ls", "/proc/self/fd", NULL};
	char *argv[] = {"ls", "/proc/self/fd", "-I&57", NULL};
	char *busy[] = {"x", "--fd=57", NULL};
	int fd = open("/dev/null", O_RDONLY), n = fcntl(fd, F_DUPFD, N);

	ok(n == N, "the number is free", n);
	close(fd);
	if (libjail()) {
		ok(!inherited(plain, NULL, false), "a forced descriptor is not inherited", 0);
		ok(!inherited(plain, NULL, true), "nor by a vfork child", 0);
		ok(inherited(argv, NULL, false), "but it is when argv mentions it", 0);
		ok(inherited(argv, NULL, true), "by a vfork child too", 0);
		ok(fcntl(N, F_GETFD) == FD_CLOEXEC, "whose parent keeps the flag", 0);
		ok(inherited(plain, "SOME_FD=57", false), "and when the environment does", 0);
		ok(!inherited(plain, "MAKEFLAGS=--jobserver-auth=57,58", false),
			"not by a jobserver that is none", 0);
		ok(execv("/nonexistent", busy) == -1 && fcntl(N, F_GETFD) == FD_CLOEXEC,
			"an exec that fails restores the flag", fcntl(N, F_GETFD));
	}
	close(N);
	open("/dev/null", O_RDONLY);
	dup2(3, N);
	ok(inherited(plain, NULL, false), "dup2's result is inherited", 0);
	close(N);
	close(3);
}

/* -- our own are not the program's ----------------------------------------------------------- */

/* In a child: closes every number but out in four ways; after each a digit says whether paths
 * still work. */
static void close_everything(int out)
{
	struct stat st;
	int bad_dup = 0;

	for (int i = 4; i < 5000; i++)
		close(i);
	dprintf(out, "%d", stat("/proc/self", &st));
	if (syscall(SYS_close_range, 4, ~0u, 0) == 0)
		dprintf(out, "%d", stat("/proc/self", &st));
	for (int i = 4; i < 1024; i++)
		bad_dup |= dup2(1, i) != i;
	dprintf(out, "%d", bad_dup | stat("/proc/self", &st));
	for (int i = 4; i < 1024; i++)
		close(i);
	if (syscall(SYS_close_range, 4, ~0u, 2 /* CLOSE_RANGE_UNSHARE */) == 0)
		dprintf(out, "%d", stat("/proc/self", &st));
	bad_dup = 0; /* test_subprocess of CPython looks for what is open with fstat */
	for (int i = 4; i < 1024; i++)
		bad_dup |= fstat(i, &st) == 0 || errno != EBADF || syscall(SYS_fstat, i, &st) == 0;
	dprintf(out, "%d", bad_dup);
}

static void all_closed(void)
{
	char text[16] = "";
	int p[2], null;

	if (pipe(p) < 0)
		return;
	if (fork() == 0) {
		dup2(p[1], 3);
		close_everything(3);
		_exit(0);
	}
	close(p[1]);
	wait(NULL);
	ok(read(p[0], text, sizeof text - 1) == 5 && strcmp(text, "00000") == 0,
		"the root outlives close, close_range and dup2 of every number, and is not open", atoi(text));
	close(p[0]);
	null = open("/dev/null", O_RDONLY);
	ok(null == 3, "and counts among no low number", null);
	ok(syscall(SYS_close_range, null, null, 0x80) == -1 && errno == EINVAL,
		"close_range with a wrong flag: EINVAL", 0);
	ok(syscall(SYS_close_range, 9, 8, 0) == -1 && errno == EINVAL,
		"close_range backwards: EINVAL", 0);
	ok(fcntl(null, F_GETFD) >= 0, "and closes nothing", 0);
	ok(close(null) == 0 && close(null) == -1 && errno == EBADF, "close twice: EBADF", 0);
}

/* -- names of Unix sockets ------------------------------------------------------------------- */

static socklen_t un_set(struct sockaddr_un *un, const char *path)
{
	size_t n = strlen(path);

	memset(un, 0x55, sizeof *un);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n < sizeof un->sun_path ? n : sizeof un->sun_path);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int un_bind(int fd, const char *path)
{
	struct sockaddr_un un;
	socklen_t n = un_set(&un, path);

	return bind(fd, (struct sockaddr *)&un, n);
}

static int un_connect(int fd, const char *path)
{
	struct sockaddr_un un;
	socklen_t n = un_set(&un, path);

	return connect(fd, (struct sockaddr *)&un, n);
}

static bool un_is(const struct sockaddr_un *un, socklen_t n, const char *path)
{
	bool good = n == offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1 &&
		    un->sun_family == AF_UNIX &&
		    memcmp(un->sun_path, path, strlen(path) < 108 ? strlen(path) : 108) == 0;

	if (!good)
		printf("# len %u: %.*s\n# want %zu: %s\n", n, n > 2 ? (int)n - 2 : 0, un->sun_path,
			strlen(path) + 3, path);
	return good;
}

/* Binds, listens, connects, accepts and asks all sides for their names. */
static void names(const char *why, int type, const char *path, const char *again)
{
	struct sockaddr_un un;
	socklen_t n = sizeof un;
	int l = socket(AF_UNIX, type, 0), c = socket(AF_UNIX, type, 0), s;
	struct stat st;
	char row[200], client[] = "client.sock";

#define ROW(text) (snprintf(row, sizeof row, "%s: %s", why, text), row)
	errno = 0xdead;
	s = un_bind(l, path);
	ok(s == 0 && errno == 0xdead, ROW("bind"), s);
	ok(lstat(path, &st) == 0 && S_ISSOCK(st.st_mode), ROW("the socket is there"), 0);
	ok(getsockname(l, (struct sockaddr *)&un, &n) == 0 && un_is(&un, n, path),
		ROW("getsockname"), n);
	s = un_bind(c, path);
	ok(s == -1 && errno == EADDRINUSE, ROW("bind again: EADDRINUSE"), s);
	un_bind(c, client);
	if (type != SOCK_DGRAM)
		ok(listen(l, 3) == 0, ROW("listen"), 0);
	errno = 0xdead;
	s = un_connect(c, again);
	ok(s == 0 && errno == 0xdead, ROW("connect"), s);
	n = sizeof un;
	ok(getpeername(c, (struct sockaddr *)&un, &n) == 0 && un_is(&un, n, path),
		ROW("getpeername"), n);
	if (type == SOCK_DGRAM) {
		char byte[4];
		struct iovec iov = {byte, sizeof byte};
		struct msghdr m = {.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_name = &un,
			.msg_namelen = sizeof un};
		struct mmsghdr mm[2];

		ok(send(c, "a", 1, 0) == 1, ROW("send"), 0);
		n = sizeof un;
		ok(recvfrom(l, byte, sizeof byte, 0, (struct sockaddr *)&un, &n) == 1 &&
				un_is(&un, n, client),
			ROW("recvfrom"), n);
		close(c);
		unlink(client);
		c = socket(AF_UNIX, type, 0);
		snprintf(client, sizeof client, "./c.sock");
		un_bind(c, client);
		n = un_set(&un, again);
		ok(sendto(c, "ab", 2, 0, (struct sockaddr *)&un, n) == 2, ROW("sendto"), 0);
		ok(recvmsg(l, &m, 0) == 2 && un_is(&un, m.msg_namelen, client), ROW("recvmsg"),
			m.msg_namelen);
		m.msg_namelen = un_set(&un, again);
		ok(sendmsg(c, &m, 0) == 4, ROW("sendmsg"), 0);
		ok(sendmsg(c, &m, 0) == 4, ROW("sendmsg again"), 0);
		m.msg_namelen = 5;
		ok(recvmsg(l, &m, 0) == 4 && m.msg_namelen == 2 + strlen(client) + 1 &&
				!memcmp(un.sun_path, client, 3),
			ROW("recvmsg, cut off"), m.msg_namelen);
		n = 4;
		ok(recvfrom(l, byte, sizeof byte, 0, (struct sockaddr *)&un, &n) == 4 &&
				n == 2 + strlen(client) + 1 && !memcmp(un.sun_path, client, 2),
			ROW("recvfrom, cut off"), n);
		m.msg_namelen = un_set(&un, again);
		mm[0].msg_hdr = mm[1].msg_hdr = m;
		ok(sendmmsg(c, mm, 2, 0) == 2 && mm[1].msg_len == 4, ROW("sendmmsg"), 0);
		mm[0].msg_hdr.msg_namelen = mm[1].msg_hdr.msg_namelen = sizeof un;
		ok(recvmmsg(l, mm, 2, 0, NULL) == 2 &&
				un_is(&un, mm[1].msg_hdr.msg_namelen, client),
			ROW("recvmmsg"), 0);
		unlink(client);
	} else {
		n = sizeof un;
		s = accept(l, (struct sockaddr *)&un, &n);
		ok(s >= 0 && un_is(&un, n, client), ROW("accept"), n);
		n = sizeof un;
		ok(getsockname(s, (struct sockaddr *)&un, &n) == 0 && un_is(&un, n, path),
			ROW("getsockname of the accepted"), n);
		n = 3;
		memset(&un, 0x55, sizeof un);
		ok(getpeername(c, (struct sockaddr *)&un, &n) == 0 && n == 2 + strlen(path) + 1 &&
				un.sun_path[0] == path[0] && un.sun_path[1] == 0x55,
			ROW("getpeername, cut off"), n);
		ok(un_connect(c, again) == -1 && errno == EISCONN, ROW("connect twice: EISCONN"),
			0);
		close(s);
	}
	close(l);
	close(c);
	unlink("client.sock");
	ok(un_connect(c = socket(AF_UNIX, type, 0), again) == -1 && errno == ECONNREFUSED,
		ROW("nobody: ECONNREFUSED"), 0);
	close(c);
	unlink(path);
	ok(un_connect(c = socket(AF_UNIX, type, 0), again) == -1 && errno == ENOENT,
		ROW("gone: ENOENT"), 0);
	close(c);
#undef ROW
}

/* Two sockets of one last name; other processes ask for the name; a child that forked later binds.
 */
static void same_names(const char *dir)
{
	struct sockaddr_un un;
	char one[256], two[256];
	int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0), status = -1;
	socklen_t n = sizeof un;

	snprintf(one, sizeof one, "%s/sub/same", dir);
	snprintf(two, sizeof two, "%s/sub2/same", dir);
	mkdir("sub2", 0700);
	ok(un_bind(a, one) == 0 && un_bind(b, two) == 0, "same last name: bind", 0);
	ok(getsockname(a, (struct sockaddr *)&un, &n) == 0 && un_is(&un, n, one),
		"same last name: getsockname of one", n);
	n = sizeof un;
	ok(getsockname(b, (struct sockaddr *)&un, &n) == 0 && un_is(&un, n, two),
		"same last name: getsockname of the other", n);
	listen(b, 1);
	if (fork() == 0) {
		close(a);
		close(b);
		a = socket(AF_UNIX, SOCK_STREAM, 0);
		n = sizeof un;
		_exit(un_connect(a, two) < 0 || getpeername(a, (struct sockaddr *)&un, &n) < 0 ||
			!un_is(&un, n, two));
	}
	wait(&status);
	ok(status == 0, "same last name: getpeername in a child", status);
	close(a);
	close(b);
	unlink(one);
	unlink(two);
}

static void refusals(const char *dir)
{
	struct sockaddr_un un;
	struct sockaddr_storage big;
	socklen_t n;
	char path[256];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), inet = socket(AF_INET, SOCK_DGRAM, 0), c;

	snprintf(path, sizeof path, "%s/none/x", dir);
	ok(un_bind(fd, path) == -1 && errno == ENOENT, "bind in no directory: ENOENT", 0);
	snprintf(path, sizeof path, "%s/file/x", dir);
	ok(un_bind(fd, path) == -1 && errno == ENOTDIR, "bind below a file: ENOTDIR", 0);
	snprintf(path, sizeof path, "%s/loop/x", dir);
	ok(un_bind(fd, path) == -1 && errno == ELOOP, "bind behind a loop: ELOOP", 0);
	ok(un_bind(fd, dir) == -1 && errno == EADDRINUSE, "bind to a directory: EADDRINUSE", 0);
	ok(un_bind(fd, "/") == -1 && errno == EADDRINUSE, "bind to /: EADDRINUSE", 0);
	ok(un_bind(fd, "..") == -1 && errno == EADDRINUSE, "bind to ..: EADDRINUSE", 0);
	snprintf(path, sizeof path, "%s/dangling", dir);
	ok(un_bind(fd, path) == -1 && errno == EADDRINUSE, "bind to a dangling link: EADDRINUSE",
		0);
	snprintf(path, sizeof path, "%s/new/", dir);
	ok(un_bind(fd, path) == -1 && errno == ENOENT, "bind to a name with a slash: ENOENT", 0);
	snprintf(path, sizeof path, "%s/file", dir);
	ok(un_connect(fd, path) == -1 && errno == ECONNREFUSED, "connect to a file: ECONNREFUSED",
		0);
	snprintf(path, sizeof path, "%s/none", dir);
	ok(un_connect(777, path) == -1 && errno == EBADF, "a closed socket: EBADF before ENOENT",
		0);
	ok(un_connect(0, path) == -1 && (errno == ENOTSOCK || errno == EBADF),
		"no socket: ENOTSOCK before ENOENT", 0);
	ok(un_connect(inet, path) == -1 && errno == EAFNOSUPPORT, "another family: EAFNOSUPPORT",
		0);
	n = un_set(&un, path);
	ok(sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&un, n) == -1 && errno == EOPNOTSUPP,
		"sendto on a stream: EOPNOTSUPP before ENOENT", 0);
	ok(bind(fd, NULL, n) == -1 && errno == EFAULT, "bind of NULL: EFAULT", 0);
	ok(bind(fd, (struct sockaddr *)bad, n) == -1 && errno == EFAULT,
		"bind of a bad pointer: EFAULT", 0);
	ok(connect(fd, (struct sockaddr *)bad, n) == -1 && errno == EFAULT,
		"connect to a bad pointer: EFAULT", 0);
	ok(bind(fd, (struct sockaddr *)&un, 1) == -1 && errno == EINVAL, "bind of one byte: EINVAL",
		0);
	memset(&big, 0x55, sizeof big);
	big.ss_family = AF_UNIX;
	ok(bind(fd, (struct sockaddr *)&big, sizeof big) == -1 && errno == EINVAL,
		"bind of 128 bytes: EINVAL", 0);
	ok(getsockname(fd, (struct sockaddr *)&un, (socklen_t *)bad) == -1 && errno == EFAULT,
		"getsockname to a bad length: EFAULT", 0);
	n = sizeof un;
	ok(getsockname(fd, (struct sockaddr *)&un, &n) == 0 && n == 2, "getsockname of no name", n);
	n = (socklen_t)-1;
	ok(getsockname(fd, (struct sockaddr *)&un, &n) == -1 && errno == EINVAL,
		"getsockname with a length below 0: EINVAL", 0);
	/* abstract names and autobind are no paths */
	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	snprintf(un.sun_path + 1, 40, "libjail-test-%d", (int)getpid());
	n = (socklen_t)(3 + strlen(un.sun_path + 1));
	ok(bind(fd, (struct sockaddr *)&un, n) == 0 && listen(fd, 1) == 0, "an abstract name", 0);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	ok(connect(c, (struct sockaddr *)&un, n) == 0, "connect to it", 0);
	n = sizeof un;
	ok(getpeername(c, (struct sockaddr *)&un, &n) == 0 && un.sun_path[0] == 0 &&
			n == 3 + strlen(un.sun_path + 1),
		"and ask for it", n);
	close(c);
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memset(&un, 0x55, sizeof un);
	un.sun_family = AF_UNIX;
	ok(bind(fd, (struct sockaddr *)&un, 2) == 0, "autobind", 0);
	n = sizeof un;
	ok(getsockname(fd, (struct sockaddr *)&un, &n) == 0 && n == 8 && un.sun_path[0] == 0,
		"gives five hexadecimal digits", n);
	close(fd);
	close(inet);
}

static void sockets(void)
{
	char dir[] = "/tmp/fd-test-XXXXXX", path[256], again[256], up[256];
	size_t n;

	if (!mkdtemp(dir) || chdir(dir) < 0) {
		ok(false, "a directory in /tmp", 0);
		return;
	}
	mkdir("sub", 0700);
	snprintf(path, sizeof path, "%s/sub", dir);
	(void)!symlink(path, "abs");
	(void)!symlink("sub", "rel");
	(void)!symlink("nowhere", "dangling");
	(void)!symlink("loop", "loop");
	close(open("file", O_CREAT | O_WRONLY, 0600));
	snprintf(path, sizeof path, "%s/s", dir);
	snprintf(up, sizeof up, "/../..%s/sub/../s", dir);
	names("stream", SOCK_STREAM, path, path);
	names("seqpacket", SOCK_SEQPACKET, path, up);
	names("datagram", SOCK_DGRAM, path, "s");
	names("one name", SOCK_STREAM, "s", path);
	names("relative", SOCK_DGRAM, "sub/s", "sub/../abs/s");
	names("relative, by a relative link", SOCK_STREAM, "rel/s", "sub/s");
	names("relative, by an absolute link", SOCK_STREAM, "abs/s", "./abs/s");
	snprintf(path, sizeof path, "%s/abs/s", dir);
	names("by an absolute link", SOCK_STREAM, path, "abs/s");
	snprintf(path, sizeof path, "%s//rel/./s", dir);
	names("with slashes and dots", SOCK_STREAM, path, "rel/s");
	(void)!symlink("sub/s", "link");
	names("connect by a link", SOCK_STREAM, "sub/s", "link");
	unlink("link");
	/* as long as there is room, in a directory; the last name stays short */
	for (n = 0, path[0] = '\0'; strlen(dir) + n + 25 < 108; n += 20)
		strcat(path, "/aaaaaaaaaaaaaaaaaaa");
	strcpy(again, dir);
	for (char *s = path; *s; s += 20) {
		strncat(again, s, 20);
		mkdir(again, 0700);
	}
	strcat(again, "/");
	while (strlen(again) < 107)
		strcat(again, "s");
	names("107 bytes", SOCK_STREAM, again, again);
	names("107 bytes", SOCK_DGRAM, again, again);
	strcat(again, "s");
	names("108 bytes", SOCK_STREAM, again, again);
	same_names(dir);
	refusals(dir);
	if (chdir("/") == 0) {
		char command[300];

		snprintf(command, sizeof command, "rm -rf %s", dir);
		(void)!system(command);
	}
}

int main(void)
{
	/* A predictable table: 0, 1, 2 and nothing else. */
	int null = open("/dev/null", O_RDONLY);

	while (null >= 0 && null < 3)
		null = open("/dev/null", O_RDONLY);
	for (int i = 3; i < 200; i++)
		close(i);
	printf("# libjail is %sloaded\n", libjail() ? "" : "not ");
	creation();
	truncation();
	given_back();
	all_closed();
	sockets();
	printf("1..%d\n", rows);
	return failed != 0;
}
