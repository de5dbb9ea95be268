/* SPDX-License-Identifier: ISC
 *
 * Descriptors and Unix sockets as a program meets them.  Descriptors: what libjail.7 says (forced,
 * or the program's); they fail without libjail.  Socket names: what the kernel does; with
 * LIBJAIL_ROOT set or not, and without libjail, every row is the same.  Prints TAP. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mntent.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

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

/* As made(), for a call that may not be there, or not for us, and may use errno. */
static void made_if(const char *why, int fd)
{
	if (fd < 0)
		printf("ok %d - %s # SKIP %s\n", ++rows, why, strerror(errno));
	errno = 0xdead;
	if (fd >= 0)
		made(why, fd, true);
}

/* The same for a descriptor that belongs to something else, which is closed by its own call. */
static void owned(const char *why, int fd)
{
	int copy = fd < 0 ? -1 : fcntl(fd, F_GETFD);

	if (!libjail())
		printf("ok %d - %s # SKIP libjail is not loaded\n", ++rows, why);
	else
		ok(copy == FD_CLOEXEC, why, fd);
}

#ifdef __GLIBC__
/* pututline(3) keeps a descriptor, and an inner dup2 takes its flag away. */
static void logins(void)
{
	char name[] = "/tmp/utmp-XXXXXX";
	struct stat file, st;
	struct utmp u;
	int fd = mkstemp(name), flag = -1;

	fstat(fd, &file);
	close(fd);
	utmpname(name);
	setutent();
	memset(&u, 0, sizeof u);
	u.ut_type = USER_PROCESS;
	errno = 0xdead;
	ok(pututline(&u) != NULL, "pututline", 0);
	for (fd = 3; fd < 64; fd++)
		if (fstat(fd, &st) == 0 && st.st_ino == file.st_ino && st.st_dev == file.st_dev)
			flag = fcntl(fd, F_GETFD);
	if (!libjail())
		printf("ok %d - pututline: its descriptor # SKIP libjail is not loaded\n", ++rows);
	else
		ok(flag == FD_CLOEXEC, "pututline: its descriptor", flag);
	endutent();
	unlink(name);
	errno = 0xdead;
}
#else
static void logins(void)
{
}
#endif

static void streams(void)
{
	char name[] = "/tmp/fd-stream-XXXXXX", other[] = "/tmp/fd-stream-XXXXXX.x";
	FILE *f;
	DIR *d;
	FTS *walk;
	FTSENT *e;
	char *paths[] = {name, NULL};
	int fd, slave;

	errno = 0xdead;
	made("mkstemp", mkstemp(name), true);
	unlink(name);
	errno = 0xdead;
	made("mkstemps", mkstemps(other, 2), true);
	unlink(other);
	strcpy(name, "/tmp/fd-stream-XXXXXX");
	errno = 0xdead;
	made("mkostemp", mkostemp(name, O_APPEND), true);
	f = fopen(name, "r");
	owned("fopen", fileno(f));
	fd = fileno(f);
	f = freopen("/dev/null", "r", f);
	owned("freopen", fileno(f));
	ok(fileno(f) == fd, "freopen keeps the number", fileno(f));
	ok(fclose(f) == 0 && fcntl(fd, F_GETFD) == -1, "fclose closes it", 0);
	ok(!fopen("/nonexistent", "r") && errno == ENOENT, "fopen of nothing: ENOENT", 0);
#ifdef __GLIBC__ /* musl makes a stream of any number */
	ok(!fdopen(777, "r") && errno == EBADF, "fdopen of nothing: EBADF", 0);
#endif
	f = fdopen(open("/dev/null", O_RDONLY), "r");
	owned("fdopen of a forced one", fileno(f));
	fclose(f);
	fd = open("/dev/null", O_RDONLY);
	fcntl(fd, F_SETFD, 0);
	f = fdopen(fd, "r");
	ok(fcntl(fileno(f), F_GETFD) == 0, "fdopen leaves a flag that is the program's", 0);
	fclose(f);
	f = tmpfile();
	owned("tmpfile", fileno(f));
	fclose(f);
	f = popen("exit 3", "r");
	owned("popen", fileno(f));
	ok(pclose(f) == 3 << 8, "pclose", 0);
	f = setmntent("/proc/mounts", "r");
	owned("setmntent", fileno(f));
	ok(endmntent(f) == 1, "endmntent: always 1", 0);
	d = opendir("/");
	owned("opendir", dirfd(d));
	fd = dirfd(d);
	ok(closedir(d) == 0 && fcntl(fd, F_GETFD) == -1, "closedir closes it", 0);
	d = fdopendir(open("/", O_RDONLY));
	owned("fdopendir", dirfd(d));
	closedir(d);
	ok(!fdopendir(777) && errno == EBADF, "fdopendir of nothing: EBADF", 0);
	ok(!opendir("/nonexistent") && errno == ENOENT, "opendir of nothing: ENOENT", 0);

	unlink(name);
	mkdir(name, 0700);
	snprintf(other, sizeof other, "%s", name);
	fd = open(name, O_RDONLY | O_DIRECTORY);
	(void)!symlinkat("/", fd, "link");
	close(fd);
	walk = fts_open(paths, FTS_PHYSICAL, NULL);
	owned("fts_open: where it began", walk->fts_rfd);
	fd = walk->fts_rfd;
	for (int n = 0; n < 20 && (e = fts_read(walk)); n++) {
		if (e->fts_info == FTS_SL)
			fts_set(walk, e, FTS_FOLLOW);
		if (e->fts_info == FTS_D && e->fts_level == 1) {
			owned("fts_read: where a link was followed", e->fts_symfd);
			fts_set(walk, e, FTS_SKIP);
		}
	}
	ok(fts_close(walk) == 0 && fcntl(fd, F_GETFD) == -1, "fts_close closes it", 0);
	snprintf(other, sizeof other, "%s", name);
	fd = open(name, O_RDONLY | O_DIRECTORY);
	unlinkat(fd, "link", 0);
	close(fd);
	rmdir(name);

	if (openpty(&fd, &slave, NULL, NULL, NULL) == 0) {
		errno = 0xdead;
		made("openpty, master", fd, true);
		made("openpty, slave", slave, true);
	}
	made_if("getpt", posix_openpt(O_RDWR));
	switch (forkpty(&fd, NULL, NULL, NULL)) {
	case 0: /* 0-2 are the terminal, and to be inherited */
		_exit(fcntl(0, F_GETFD) | fcntl(1, F_GETFD) | fcntl(2, F_GETFD));
	case -1:
		break;
	default:
		ok(wait(&slave) > 0 && slave == 0, "forkpty: 0-2 of the child have no flag", slave);
		errno = 0xdead;
		made("forkpty", fd, true);
	}
}

/* openat2(2): what a structure may be in size, which a longer one has to be full of zeros for. */
static void openat2_sizes(void)
{
	static uint64_t how[2048]; /* O_RDONLY */
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), sizes[] = {sizeof how[0], 24, 32, page, page + 1, sizeof how};
	long fd = syscall(437, AT_FDCWD, "/", how, 24);

	if (fd < 0) {
		printf("ok %d - openat2: sizes # SKIP %s\n", ++rows, strerror(errno));
		return;
	}
	close((int)fd);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		const int want = sizes[i] < 24 ? EINVAL : sizes[i] > page ? E2BIG : 0;
		char why[80];

		errno = 0;
		fd = syscall(437, AT_FDCWD, "/", how, sizes[i]);
		snprintf(why, sizeof why, "openat2 with %zu bytes: %s", sizes[i], want ? strerror(want) : "opens");
		ok(want ? fd == -1 && errno == want : fd > 2, why, fd);
		if (fd > 2)
			close((int)fd);
	}
}

/* A program asks by dlsym(3) whether there is such a function, and falls back: what this libc lacks is not there,
 * though libjail has something of that name. */
static void absent(void)
{
	static const char *const names[] = {"kqueue", "kqueue1", "no_such_function"};
	char why[80];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		void *found[] = {dlsym(RTLD_DEFAULT, names[i]), dlsym(RTLD_NEXT, names[i]),
			dlsym(dlopen(NULL, RTLD_NOW), names[i])};
		const char *text = dlerror();

		snprintf(why, sizeof why, "dlsym: no %s, and dlerror says so", names[i]);
		ok(!found[0] && !found[1] && !found[2] && text && strstr(text, names[i]), why, found[0] != NULL);
	}
	ok(dlsym(RTLD_DEFAULT, "epoll_create1") && dlsym(RTLD_DEFAULT, "fopen"), "dlsym: what libc has is there", 0);
}

/* What the kernel makes, or a library on its behalf; each where it is there and allowed. */
static void rarities(void)
{
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
	unsigned char perf[128] = {[0] = 1 /* PERF_TYPE_SOFTWARE */, [4] = sizeof perf};
	unsigned char ring[120] = {0};
	struct { /* bpf_attr: BPF_MAP_CREATE of an array */
		unsigned type, key, value, entries;
	} map = {2, 4, 4, 1};
	char name[40];
	int fd, sv[2];
	socklen_t n = sizeof fd;

	snprintf(name, sizeof name, "/fd-test-%d", (int)getpid());
	made_if("mq_open", mq_open(name, O_CREAT | O_RDONLY, 0600, &attr));
	fd = mq_open(name, O_RDONLY);
	ok(fd < 0 || (mq_close(fd) == 0 && mq_close(fd) == -1 && errno == EBADF), "mq_close, and twice",
		fd);
	mq_unlink(name);
	made_if("shm_open", shm_open(name, O_CREAT | O_RDWR, 0600));
	shm_unlink(name);
	made_if("pidfd_open", (int)syscall(434, getpid(), 0));
	fd = (int)syscall(434, getpid(), 0);
	made_if("pidfd_getfd", (int)syscall(438, fd, 1, 0));
	close(fd);
	made_if("memfd_secret", (int)syscall(447, 0));
	made_if("userfaultfd", (int)syscall(SYS_userfaultfd, 0));
	made_if("perf_event_open", (int)syscall(SYS_perf_event_open, perf, 0, -1, -1, 0));
	made_if("io_uring_setup", (int)syscall(425, 1, ring));
	made_if("bpf, a map", (int)syscall(SYS_bpf, 0, &map, sizeof map));
	made_if("landlock_create_ruleset", (int)syscall(444, &(uint64_t){1}, sizeof(uint64_t), 0));
	made_if("fsopen", (int)syscall(430, "tmpfs", 0));
	made_if("open_tree", (int)syscall(428, AT_FDCWD, "/tmp", 0));
	made_if("fspick", (int)syscall(433, AT_FDCWD, "/proc", 0)); /* a mount, in a root too */
	made_if("openat2", (int)syscall(437, AT_FDCWD, "/", &(uint64_t[3]){O_RDONLY}, 24));
	openat2_sizes();
	made_if("fanotify_init", fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
	fd = open("/proc/self/ns/uts", O_RDONLY);
	made_if("NS_GET_USERNS", ioctl(fd, 0xb701));
	close(fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0) {
		fd = -1;
		if (getsockopt(sv[0], SOL_SOCKET, 77 /* SO_PEERPIDFD */, &fd, &n) < 0)
			fd = -1;
		made_if("SO_PEERPIDFD", fd);
		n = sizeof fd;
		ok(getsockopt(sv[0], SOL_SOCKET, SO_TYPE, &fd, &n) == 0 && fd == SOCK_STREAM,
			"getsockopt of another name", fd);
		close(sv[0]);
		close(sv[1]);
	}
#if defined(__GLIBC__) && defined(__x86_64__)
	extern int clone(int (*)(void *), void *, int, void *, ...);
	extern int nothing(void *);
	static char stack[65536];
	int pidfd = -1, pid;

	pid = clone(nothing, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, NULL,
		&pidfd);
	ok(pid > 0 && waitpid(pid, NULL, 0) == pid, "clone", pid);
	made_if("clone, CLONE_PIDFD", pidfd);
	pid = clone(nothing, stack + sizeof stack, SIGCHLD, NULL);
	ok(pid > 0 && waitpid(pid, &fd, 0) == pid && fd == 0, "clone without shared memory", fd);
#endif
}

int nothing(void *arg);
int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* In a child: a filter that answers ENOSYS to the calls that take flags.  Their elders make the
 * same descriptors, with the flag; each good one adds a bit. */
#ifdef SYS_epoll_create
static int elders(void)
{
	static const unsigned newer[] = {SYS_epoll_create1, SYS_pipe2, SYS_eventfd2, SYS_signalfd4,
		SYS_inotify_init1, SYS_accept4, SYS_dup3};
	enum { N_NEWER = sizeof newer / sizeof *newer };
	struct sock_filter f[2 * N_NEWER + 2];
	struct sock_fprog prog = {.filter = f};
	unsigned n = 0;
	sigset_t set;
	int fds[2], good = 0;

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	for (int i = 0; i < N_NEWER; i++) {
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, newer[i], 0, 1);
		f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	}
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		return 64;
	if (syscall(SYS_epoll_create1, EPOLL_CLOEXEC) != -1)
		return 65; /* not asked of an elder: it is not there */
	sigemptyset(&set);
	good |= (fcntl(epoll_create(1), F_GETFD) == FD_CLOEXEC) << 0;
	good |= (fcntl((int)syscall(SYS_epoll_create, 1), F_GETFD) == FD_CLOEXEC) << 1;
	if (pipe(fds) == 0)
		good |= (fcntl(fds[0], F_GETFD) == FD_CLOEXEC && fcntl(fds[1], F_GETFD) == FD_CLOEXEC)
			<< 2;
	good |= (fcntl(eventfd(0, 0), F_GETFD) == FD_CLOEXEC) << 3;
	good |= (fcntl(signalfd(-1, &set, 0), F_GETFD) == FD_CLOEXEC) << 4;
	good |= (fcntl(inotify_init(), F_GETFD) == FD_CLOEXEC) << 5;
	good |= (fcntl(accepted(-1), F_GETFD) == FD_CLOEXEC && dup2(0, 50) == 50) << 6;
	return good;
}

static void old_kernel(void)
{
	int status = 0;

	if (fork() == 0)
		_exit(elders());
	wait(&status);
	if (!libjail() || WEXITSTATUS(status) == 64)
		printf("ok %d - without epoll_create1 ... # SKIP\n", ++rows);
	else
		ok(WEXITSTATUS(status) == 127,
			"without epoll_create1, pipe2, accept4 ...: the elders' descriptors have the flag",
			WEXITSTATUS(status));
}
#else
static void old_kernel(void)
{
}
#endif

/* -- made inside libc for old services ------------------------------------------------------- */

#if defined(__GLIBC__) && defined(__x86_64__)
/* As a program linked before glibc 2.32 has them. */
__asm__(".symver old_clnttcp, clnttcp_create@GLIBC_2.2.5\n\t.symver old_svctcp, svctcp_create@GLIBC_2.2.5\n\t"
	".symver old_svcudp, svcudp_create@GLIBC_2.2.5\n\t.symver old_getreqset, svc_getreqset@GLIBC_2.2.5\n\t"
	".symver old_clntudp, clntudp_create@GLIBC_2.2.5\n\t.symver old_svc_run, svc_run@GLIBC_2.2.5\n\t"
	".symver old_svc_fdset, svc_fdset@GLIBC_2.2.5\n\t.symver old_svc_exit, svc_exit@GLIBC_2.2.5");
struct old_server {
	int sock;
	unsigned short port;
};
void *old_clnttcp(void *, unsigned long, unsigned long, int *, unsigned, unsigned);
void *old_clntudp(void *, unsigned long, unsigned long, struct timeval, int *);
struct old_server *old_svctcp(int, unsigned, unsigned), *old_svcudp(int);
int rresvport(int *), rresvport_af(int *, sa_family_t);
void old_getreqset(fd_set *), old_svc_run(void), old_svc_exit(void);
extern fd_set old_svc_fdset;

static void services(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct old_server *tcp = old_svctcp(-1, 0, 0), *udp = old_svcudp(-1);
	int sock = -1, before, port = 0, mine;
	fd_set set;

	if (!tcp || !udp) {
		printf("ok %d - Sun RPC # SKIP %s\n", ++rows, strerror(errno));
		return;
	}
	owned("svctcp_create", tcp->sock);
	owned("svcudp_create", udp->sock);
	to.sin_port = htons(tcp->port);
	ok(old_clnttcp(&to, 1, 1, &sock, 0, 0) != NULL, "clnttcp_create", sock);
	owned("clnttcp_create: its socket", sock);
	before = open("/dev/null", O_RDONLY); /* the accepted one is the next number */
	FD_ZERO(&set);
	FD_SET(tcp->sock, &set);
	old_getreqset(&set);
	ok(FD_ISSET(before + 1, &old_svc_fdset), "svc_getreqset accepts", before);
	owned("svc_getreqset: what it accepted", before + 1);
	close(before);
	sock = -1;
	ok(old_clntudp(&to, 1, 1, (struct timeval){1, 0}, &sock) != NULL, "clntudp_create", sock);
	owned("clntudp_create: its socket", sock);
	mine = socket(AF_INET, SOCK_DGRAM, 0);
	fcntl(mine, F_SETFD, 0);
	sock = mine;
	old_clntudp(&to, 1, 1, (struct timeval){1, 0}, &sock);
	ok(sock == mine && fcntl(mine, F_GETFD) == 0, "a socket that is the program's is left alone", sock);
	close(mine);
	old_svc_exit();
	old_svc_run(); /* nothing is left to wait for */
	ok(true, "svc_run comes back after svc_exit", 0);
	sock = rresvport(&port);
	made_if("rresvport", sock);
	ok(sock < 0 || (port >= 512 && port < 1024), "rresvport: a privileged port", port);
	port = 600;
	ok(rresvport_af(&port, AF_UNIX) == -1 && errno == EAFNOSUPPORT && port == 600,
		"rresvport_af of another family: EAFNOSUPPORT", port);
}
#else
static void services(void)
{
}
#endif

/* -- handed over ------------------------------------------------------------------------------ */

static bool hand(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(sock, &m, 0) == 1;
}

static int taken(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	int fd = -1;

	if (recvmsg(sock, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

/* Between parent and child, both ways: what arrives works, and has the flag. */
static void handed_over(void)
{
	char text[8] = "";
	int sv[2], p[2], fd, status = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0 || pipe(p) < 0)
		return;
	if (fork() == 0) {
		int got = taken(sv[1]), mine[2];
		bool flag = fcntl(got, F_GETFD) == FD_CLOEXEC || !libjail();

		if (write(got, "down", 4) != 4 || pipe(mine) < 0 || !hand(sv[1], mine[0]) ||
			write(mine[1], "up", 2) != 2)
			_exit(2);
		_exit(!flag);
	}
	ok(hand(sv[0], p[1]), "a descriptor for the child", 0);
	ok(read(p[0], text, 4) == 4 && memcmp(text, "down", 4) == 0, "which writes to it", 0);
	fd = taken(sv[0]);
	ok(read(fd, text, 2) == 2 && memcmp(text, "up", 2) == 0, "one from the child works", fd);
	owned("and arrived close-on-exec", fd);
	wait(&status);
	ok(status == 0, "as did the child's", status);
	close(fd);
	close(p[0]);
	close(p[1]);
	close(sv[0]);
	close(sv[1]);
}

/* -- no window ---------------------------------------------------------------------------------- */

enum { FORKS = 2000 };
static volatile bool enough;

/* Makes descriptors of every kind that has an atomic flag, as fast as it can. */
static void *make(void *unused)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t n = sizeof un;
	int l = socket(AF_UNIX, SOCK_STREAM, 0), p[2], fd, c;

	(void)unused;
	bind(l, (struct sockaddr *)&un, sizeof(sa_family_t));
	listen(l, 4);
	getsockname(l, (struct sockaddr *)&un, &n);
	while (!enough) {
		FILE *f = fopen("/dev/null", "r");
		char name[] = "/tmp/fd-window-XXXXXX";

		fclose(f);
		close(open("/dev/null", O_RDONLY));
		close(dup(0));
		close(fcntl(0, F_DUPFD, 10));
		close(epoll_create(1));
		close(eventfd(0, 0));
		close(inotify_init());
		close(memfd_create("x", 0));
		close(timerfd_create(CLOCK_MONOTONIC, 0));
		if (pipe(p) == 0) {
			close(p[0]);
			close(p[1]);
		}
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0) {
			hand(p[0], 0);
			close(taken(p[1]));
			close(p[0]);
			close(p[1]);
		}
		c = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(c, (struct sockaddr *)&un, n) == 0)
			close(accept(l, NULL, NULL));
		close(c);
		fd = mkstemp(name);
		unlink(name);
		close(fd);
	}
	close(l);
	return NULL;
}

/* What the children execute: is anything open but 0-2? */
static int window_child(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	return 0;
}

/* Another program than this one, which would be given what it has: a copy of it. */
static bool copied(const char *to)
{
	int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	ssize_t n;

	while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	close(in);
	return close(out) == 0 && n == 0;
}

static void window(void)
{
	char program[64];
	pthread_t thread;
	volatile int bad_ones = 0, forks = 0;
	int status;

	if (!libjail()) {
		printf("ok %d - a fork beside # SKIP libjail is not loaded\n", ++rows);
		return;
	}
	snprintf(program, sizeof program, "/tmp/fd-window-%d", (int)getpid());
	ok(copied(program), "a program to be executed", 0);
	pthread_create(&thread, NULL, make, NULL);
	for (; forks < FORKS; forks++) {
		pid_t pid = forks % 2 ? fork() : vfork();

		if (pid == 0) {
			execl(program, "fd", "--window", NULL);
			_exit(9);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			break;
		if (status)
			bad_ones++;
	}
	enough = true;
	pthread_join(thread, NULL);
	unlink(program);
	ok(forks == FORKS && bad_ones == 0, "of 2000 children beside a thread that opens none inherits",
		forks == FORKS ? bad_ones : -1);
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

/* -- and give way, whoever else is at work ----------------------------------------------------- */

enum { TAKERS = 8, FIRST = 200, LAST = 400, TAKES = 100 };
static unsigned char given_before[4096]; /* a number that F_DUPFD gave */
static int given_twice, not_given;
static pthread_barrier_t together;

static void *take(void *arg)
{
	pthread_barrier_wait(&together);
	for (int i = FIRST; i < LAST; i++) {
		int fd = fcntl(1, F_DUPFD, FIRST);

		if (fd >= (int)sizeof given_before || fd < FIRST)
			__atomic_store_n(&not_given, 1, __ATOMIC_RELAXED);
		else if (__atomic_exchange_n(&given_before[fd], 1, __ATOMIC_RELAXED))
			__atomic_store_n(&given_twice, 1, __ATOMIC_RELAXED);
	}
	pthread_barrier_wait(&together); /* all are taken: dup2 replaces */
	for (int i = FIRST; i < LAST; i++)
		if (dup2(1, i) != i)
			__atomic_store_n(&not_given, 1, __ATOMIC_RELAXED);
	return arg;
}

/* Onto every number from FIRST on at the same time, and whether paths work still. */
static int taken_together(void)
{
	pthread_t thread[TAKERS];
	struct stat st;

	pthread_barrier_init(&together, NULL, TAKERS);
	for (int i = 0; i < TAKERS; i++)
		if (pthread_create(&thread[i], NULL, take, NULL))
			return 8;
	for (int i = 0; i < TAKERS; i++)
		pthread_join(thread[i], NULL);
	for (int i = FIRST; i < (int)sizeof given_before; i++)
		close(i);
	return given_twice | not_given << 1 | (stat("/proc/self", &st) ? 4 : 0);
}

static void given_to_threads(void)
{
	int status = 0, n = 0;

	for (; n < TAKES && status == 0; n++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(taken_together());
		if (waitpid(pid, &status, 0) != pid)
			break;
	}
	ok(n == TAKES && status == 0, "eight threads take the numbers that ours have, each once", status);
}

/* -- and while the root changes ---------------------------------------------------------------- */

static int root_stop;

static void *enter(void *arg)
{
	pthread_barrier_wait(&together);
	while (!__atomic_load_n(&root_stop, __ATOMIC_RELAXED))
		if (chroot("/") != 0)
			__atomic_store_n(&not_given, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *take_each(void *arg)
{
	pthread_barrier_wait(&together);
	for (int i = FIRST + (int)(long)arg; i < 4 * LAST; i += 2)
		if (dup2(1, i) != i)
			__atomic_store_n(&not_given, 1, __ATOMIC_RELAXED);
	return NULL;
}

static int taken_in_roots(void)
{
	pthread_t thread[4];
	struct stat want, st;

	pthread_barrier_init(&together, NULL, 4);
	for (long i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, i < 2 ? take_each : enter, (void *)i))
			return 8;
	for (int i = 0; i < 4; i++) {
		if (i == 2)
			__atomic_store_n(&root_stop, 1, __ATOMIC_RELAXED);
		pthread_join(thread[i], NULL);
	}
	fstat(1, &want);
	for (int i = FIRST; i < 4 * LAST; i++)
		if (fstat(i, &st) || st.st_ino != want.st_ino || st.st_dev != want.st_dev)
			given_twice = 1;
	return given_twice | not_given << 1 | (stat("/proc/self", &st) ? 4 : 0);
}

static void given_in_roots(void)
{
	struct rlimit lim;
	int status = 0, n = 0;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max < 8192 ? lim.rlim_max : 8192;
	for (; n < 20 && status == 0; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			setrlimit(RLIMIT_NOFILE, &lim);
			_exit(lim.rlim_cur < 8192 ? 0 : taken_in_roots());
		}
		if (waitpid(pid, &status, 0) != pid)
			break;
	}
	ok(n == 20 && status == 0, "two threads take the numbers that ours have while two others change the root", status);
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

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--window") == 0)
		return window_child();
	/* A predictable table: 0, 1, 2 and nothing else. */
	int null = open("/dev/null", O_RDONLY);

	while (null >= 0 && null < 3)
		null = open("/dev/null", O_RDONLY);
	for (int i = 3; i < 1024; i++)
		close(i);
	printf("# libjail is %sloaded\n", libjail() ? "" : "not ");
	creation();
	streams();
	rarities();
	absent();
	old_kernel();
	services();
	handed_over();
	truncation();
	given_back();
	given_to_threads();
	given_in_roots();
	logins();
	all_closed();
	sockets();
	window();
	printf("1..%d\n", rows);
	return failed != 0;
}
