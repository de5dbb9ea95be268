/* SPDX-License-Identifier: ISC
 *
 * The situations that a path call may be made in: a vfork child, beside other threads, in a signal
 * handler, in a forked child of a threaded program, where descriptors, the environment or the
 * working directory are gone.  context BASE runs every row in a process of its own and prints TAP;
 * a row says what the kernel does, so the same program runs without libjail, as root.  BASE is a
 * directory with the roots a and b, each with its name in the file /which; in a lies this program as
 * /bin/context, which the rows execute with one of the words of main(). */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#ifdef __GLIBC__
#include <execinfo.h>
#endif
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { SKIP = -1 };
static const char *why_skip;
static char base[PATH_MAX], in_a[PATH_MAX + 8], in_b[PATH_MAX + 8], self[PATH_MAX + 16];
static bool jailed; /* libjail is loaded */

/* A row's function returns 0, SKIP, or the line that failed. */
#define CHECK(good)                                                                      \
	do {                                                                             \
		if (!(good)) {                                                           \
			dprintf(1, "# line %d: %s (errno %d)\n", __LINE__, #good, errno); \
			return __LINE__;                                                 \
		}                                                                        \
	} while (0)

/* The first letter of /which: which root is this?  '?': there is none, '!': another error. */
static char which(void)
{
	char c = '?';
	int fd = open("/which", O_RDONLY);

	if (fd < 0)
		return errno == ENOENT ? '?' : '!';
	if (read(fd, &c, 1) != 1)
		c = '!';
	close(fd);
	return c;
}

static bool outside(void)
{
	struct stat st;

	return stat(in_a, &st) == 0 && stat(in_b, &st) == 0;
}

static char enter(const char *root)
{
	return chroot(root) == 0 && chdir("/") == 0 ? which() : '!';
}

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool can_chroot(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(chroot(in_a) < 0);
	why_skip = "chroot(2) is not allowed";
	return status_of(pid) == 0;
}

/* -- vfork ----------------------------------------------------------------------------------- */

/* In a function of its own: the caller of vfork must not return in the child. */
static pid_t in_vfork(int (*f)(void))
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(f());
	return pid;
}

static int enters_a(void)
{
	return enter(in_a) == 'a' ? 0 : 1;
}

static int enters_a_executes(void)
{
	if (enter(in_a) != 'a')
		return 1;
	execl("/bin/context", "context", "which", (char *)NULL);
	return 2;
}

static int says_a(void)
{
	return which() == 'a' ? 0 : 3;
}

static int enters_a_forks(void)
{
	pid_t pid;

	if (enter(in_a) != 'a')
		return 1;
	pid = fork();
	if (pid == 0)
		_exit(says_a());
	return status_of(pid) != 0 ? 2 : which() != 'a' ? 4 : 0;
}

static int enters_a_vforks(void)
{
	pid_t pid;

	if (enter(in_a) != 'a')
		return 1;
	pid = in_vfork(says_a);
	return status_of(pid) != 0 ? 2 : which() != 'a' ? 4 : 0;
}

static int enters_sub(void)
{
	return enter("/sub") == 's' ? 0 : 5;
}

static int enters_a_vforks_deeper(void)
{
	pid_t pid;

	if (enter(in_a) != 'a')
		return 1;
	pid = in_vfork(enters_sub);
	return status_of(pid) != 0 ? 2 : which() != 'a' ? 4 : 0;
}

static int orphan_pipe[2];

/* Leaves a child behind that has no parent when it looks. */
static int enters_a_daemon(void)
{
	pid_t me = getpid(), pid;
	char c;

	if (enter(in_a) != 'a')
		return 1;
	pid = fork();
	if (pid != 0)
		return 0;
	for (int i = 0; getppid() == me && i < 1000; i++)
		usleep(1000);
	c = which();
	return write(orphan_pipe[1], &c, 1) != 1;
}

static int vfork_with(int (*f)(void))
{
	char before[PATH_MAX], after[PATH_MAX];
	struct stat st;

	if (!can_chroot())
		return SKIP;
	CHECK(getcwd(before, sizeof before));
	for (int i = 0; i < 3; i++) {
		CHECK(status_of(in_vfork(f)) == 0);
		CHECK(outside());
		CHECK(getcwd(after, sizeof after) && strcmp(before, after) == 0);
		CHECK(stat("which", &st) == 0);
	}
	/* and what the parent does then is as ever */
	CHECK(enter(in_b) == 'b');
	CHECK(status_of(in_vfork(enters_sub)) == 0);
	CHECK(which() == 'b');
	return 0;
}

static int vfork_chroot(void)
{
	return vfork_with(enters_a);
}

static int vfork_exec(void)
{
	return vfork_with(enters_a_executes);
}

static int vfork_fork(void)
{
	return vfork_with(enters_a_forks);
}

static int vfork_vfork(void)
{
	return vfork_with(enters_a_vforks);
}

static int vfork_vfork_chroot(void)
{
	return vfork_with(enters_a_vforks_deeper);
}

static int vfork_orphan(void)
{
	char c = 0;

	if (!can_chroot())
		return SKIP;
	CHECK(pipe(orphan_pipe) == 0);
	CHECK(status_of(in_vfork(enters_a_daemon)) == 0);
	CHECK(outside());
	CHECK(read(orphan_pipe[0], &c, 1) == 1);
	CHECK(c == 'a');
	CHECK(outside());
	return 0;
}

static int vfork_then_fork(void)
{
	pid_t pid;

	if (!can_chroot())
		return SKIP;
	CHECK(status_of(in_vfork(enters_a)) == 0);
	pid = fork(); /* no path call in between */
	if (pid == 0)
		_exit(!outside());
	CHECK(status_of(pid) == 0);
	return 0;
}

static int looks(void)
{
	return outside() ? 0 : 6;
}

static int enters_a_vforks_twice(void)
{
	if (enter(in_a) != 'a')
		return 1;
	if (status_of(in_vfork(enters_sub)) != 0)
		return 2;
	return status_of(in_vfork(says_a)) != 0 ? 4 : 0;
}

/* One child after the other, and no path call in between. */
static int vfork_twice(void)
{
	if (!can_chroot())
		return SKIP;
	CHECK(status_of(in_vfork(enters_a)) == 0);
	CHECK(status_of(in_vfork(looks)) == 0);
	CHECK(status_of(in_vfork(enters_a)) == 0);
	CHECK(status_of(in_vfork(enters_a)) == 0);
	CHECK(status_of(in_vfork(enters_a_vforks_twice)) == 0);
	CHECK(outside());
	return 0;
}

static int enters_by_clone(void *root)
{
	return enter(root) == ((char *)root)[strlen(root) - 1] ? 0 : 1;
}

/* As Chromium's sandbox does; what lies below cannot be written. */
static int clone_chroot(void)
{
	const size_t size = 16384;
	char *room = mmap(NULL, size + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (!can_chroot())
		return SKIP;
	CHECK(room != MAP_FAILED && mprotect(room + 65536, size, PROT_READ | PROT_WRITE) == 0);
	pid = clone(enters_by_clone, room + 65536 + size, CLONE_VM | CLONE_VFORK | SIGCHLD, in_a);
	CHECK(status_of(pid) == 0);
	CHECK(outside());
	CHECK(chroot(base) == 0 && chdir("/") == 0);
	pid = clone(enters_by_clone, room + 65536 + size, CLONE_VM | CLONE_VFORK | SIGCHLD, in_a + strlen(base));
	CHECK(status_of(pid) == 0);
	CHECK(which() == 'b');
	return 0;
}

static int leaves_cwd(void)
{
	return chdir("/") < 0;
}

static int vfork_chdir(void)
{
	char before[PATH_MAX], after[PATH_MAX];
	struct stat st;

	CHECK(getcwd(before, sizeof before));
	CHECK(status_of(in_vfork(leaves_cwd)) == 0);
	CHECK(getcwd(after, sizeof after) && strcmp(before, after) == 0);
	CHECK(stat("which", &st) == 0);
	return 0;
}

/* What a container's seccomp profile refuses is refused: kcmp(2). */
static int vfork_without_kcmp(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kcmp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof code / sizeof *code, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
		why_skip = "seccomp(2) is not allowed";
		return SKIP;
	}
	return vfork_with(enters_a_forks);
}

static int watch_pipe[2];

/* Stays in a for a while, and looks. */
static int lingers_in_a(void)
{
	long end;

	if (enter(in_a) != 'a')
		return 1;
	if (write(watch_pipe[1], "x", 1) != 1)
		return 2;
	for (end = now_ms() + 100; now_ms() < end;)
		if (which() != 'a')
			return 3;
	return 0;
}

static void *vforks(void *arg)
{
	(void)arg;
	return (void *)(long)status_of(in_vfork(lingers_in_a));
}

static int vfork_beside_threads(void)
{
	pthread_t t;
	void *r = NULL;
	char c;

	if (!can_chroot())
		return SKIP;
	CHECK(pipe(watch_pipe) == 0);
	CHECK(pthread_create(&t, NULL, vforks, NULL) == 0);
	CHECK(read(watch_pipe[0], &c, 1) == 1);
	for (long end = now_ms() + 50; now_ms() < end;)
		CHECK(outside());
	pthread_join(t, &r);
	CHECK(r == NULL);
	CHECK(outside());
	return 0;
}

static volatile int stop;
static volatile long answers;

/* Waits for threads that return NULL, or what went wrong. */
static bool all_well(const pthread_t *t, int n)
{
	bool well = true;
	void *wrong;

	for (int i = 0; i < n; i++) {
		pthread_join(t[i], &wrong);
		if (wrong)
			dprintf(1, "# %s\n", (char *)wrong);
		well = well && !wrong;
	}
	return well;
}

static int enters_b(void)
{
	return enter(in_b) == 'b' ? 0 : 1;
}

static void *vforks_on(void *enters)
{
	while (!stop) {
		if (status_of(in_vfork((int (*)(void))(uintptr_t)enters)) != 0)
			return "in the child";
		if (!outside())
			return "behind the child";
		answers++;
	}
	return NULL;
}

/* Children of several threads, whose roots come and go at once. */
static int vfork_many(void)
{
	pthread_t t[4];

	if (!can_chroot())
		return SKIP;
	for (size_t i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, vforks_on, (void *)(uintptr_t)(i % 2 ? enters_a : enters_b)) == 0);
	usleep(800000);
	stop = 1;
	CHECK(all_well(t, 4));
	CHECK(answers > 20);
	return 0;
}

/* -- threads --------------------------------------------------------------------------------- */

static void *thread_enters(void *arg)
{
	return (void *)(long)enter(arg);
}

static int thread_chroot(void)
{
	pthread_t t;
	void *r = NULL;
	char cwd[PATH_MAX];

	if (!can_chroot())
		return SKIP;
	CHECK(pthread_create(&t, NULL, thread_enters, in_a) == 0);
	pthread_join(t, &r);
	CHECK((char)(long)r == 'a');
	CHECK(which() == 'a');
	CHECK(getcwd(cwd, sizeof cwd) && strcmp(cwd, "/") == 0);
	CHECK(status_of(in_vfork(enters_sub)) == 0);
	CHECK(which() == 'a');
	return 0;
}

static void *hammers(void *arg)
{
	char link[PATH_MAX];
	struct stat st;
	long n;

	(void)arg;
	while (!stop) {
		char c = which();

		if (c != 'a' && c != 'b')
			return dprintf(1, "# open: %c, errno %d\n", c, errno), "open";
		if (stat("/which", &st) < 0)
			return dprintf(1, "# stat: errno %d\n", errno), "stat";
		n = readlink("/link", link, sizeof link);
		if (n != 7 || (memcmp(link, "/only-a", 7) != 0 && memcmp(link, "/only-b", 7) != 0))
			return dprintf(1, "# readlink: %ld, errno %d\n", n, errno), "readlink";
		if (access("/deep/../deep/x", F_OK) < 0)
			return dprintf(1, "# access: errno %d\n", errno), "access";
		if (stat(in_a, &st) == 0 || errno != ENOENT)
			return dprintf(1, "# outside: errno %d\n", errno), "outside";
		__atomic_add_fetch(&answers, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static int count_fds(int dir)
{
	char buf[4096];
	long n;
	int count = 0;

	lseek(dir, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, dir, buf, sizeof buf)) > 0)
		for (long at = 0; at < n; at += *(unsigned short *)(void *)(buf + at + 16))
			count++;
	return count;
}

static int hammer(void)
{
	pthread_t t[3];
	int outer = open(base, O_RDONLY | O_DIRECTORY), fds = open("/proc/self/fd", O_RDONLY);
	int before = 0, after, n = 0;

	if (!can_chroot())
		return SKIP;
	CHECK(outer >= 0);
	CHECK(enter(in_a) == 'a');
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, hammers, NULL) == 0);
	for (long end = now_ms() + 700; now_ms() < end; n++) {
		CHECK(fchdir(outer) == 0 && chroot(n & 1 ? "a" : "b") == 0);
		if (n == 10)
			before = fds < 0 ? 0 : count_fds(fds);
	}
	after = fds < 0 ? 0 : count_fds(fds);
	stop = 1;
	CHECK(all_well(t, 3));
	CHECK(n > 20 && answers > 20);
	CHECK(after - before < 8 && before - after < 8); /* the threads' own, at that moment */
	return 0;
}

static void *busy(void *arg)
{
	struct passwd pw, *found;
	char text[1024];
	struct stat st;

	(void)arg;
	while (!stop) {
		stat("/", &st);
		stat(in_a, &st);
		close(open(in_b, O_RDONLY));
		/* not getpwuid(3), which two threads must not call at once: musl crashed on it */
		getpwuid_r(0, &pw, text, sizeof text, &found);
	}
	return NULL;
}

static int path_calls(void)
{
	char text[PATH_MAX + 16], target[16];
	struct stat st;
	struct passwd pw, *found;
	DIR *d;
	FILE *f;

	CHECK(stat(in_a, &st) == 0);
	CHECK(access(in_b, X_OK) == 0);
	CHECK(getcwd(text, sizeof text));
	CHECK(snprintf(text, sizeof text, "%s/link", in_a) > 0 && lstat(text, &st) == 0);
	CHECK(readlink(text, target, sizeof target) == 7);
	CHECK((d = opendir(in_a)) && readdir(d) && closedir(d) == 0);
	CHECK(snprintf(text, sizeof text, "%s/which", in_b) > 0 && (f = fopen(text, "r")));
	CHECK(fgetc(f) == 'b' && fclose(f) == 0);
	/* glibc's own holds locks that a child of fork(2) may find taken */
	CHECK(!jailed || getpwuid_r(0, &pw, text, sizeof text, &found) == 0);
	return 0;
}

static int fork_threads(void)
{
	pthread_t t[2];
	pid_t pid;

	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, busy, NULL) == 0);
	for (int i = 0; i < 60; i++) {
		pid = fork();
		if (pid == 0) {
			alarm(10);
			_exit(path_calls() != 0);
		}
		CHECK(status_of(pid) == 0);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	return 0;
}

/* -- signals --------------------------------------------------------------------------------- */

static volatile int handled, handler_failed;
static char link_path[PATH_MAX + 16], file_path[PATH_MAX + 16];

static void on_signal(int sig)
{
	char text[16];
	struct stat st;
	int saved = errno, fd;

	(void)sig;
	fd = open(file_path, O_RDONLY);
	if (fd < 0 || read(fd, text, 1) != 1 || text[0] != 'a')
		handler_failed = __LINE__;
	close(fd);
	if (stat(file_path, &st) < 0 || lstat(link_path, &st) < 0 || !S_ISLNK(st.st_mode))
		handler_failed = __LINE__;
	if (readlink(link_path, text, sizeof text) != 7 || memcmp(text, "/only-a", 7) != 0)
		handler_failed = __LINE__;
	if (access("/nonexistent/x", F_OK) == 0 || errno != ENOENT)
		handler_failed = __LINE__;
	handled++;
	errno = saved;
}

static int storm(size_t stack)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct itimerval every = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
	struct stat st;
	char text[PATH_MAX], *room = NULL;

	CHECK(snprintf(file_path, sizeof file_path, "%s/which", in_a) > 0);
	CHECK(snprintf(link_path, sizeof link_path, "%s/link", in_a) > 0);
	if (stack) {
		stack_t ss = {.ss_size = stack};

		/* what lies below it cannot be written: a handler that needs more dies */
		room = mmap(NULL, stack + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(room != MAP_FAILED);
		ss.ss_sp = room + 65536;
		CHECK(mprotect(ss.ss_sp, stack, PROT_READ | PROT_WRITE) == 0);
		if (sigaltstack(&ss, NULL) < 0) {
			why_skip = "the kernel wants a larger signal stack on this machine";
			return SKIP;
		}
		sa.sa_flags |= SA_ONSTACK;
	}
	CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
	/* once before any other call bound what it needs, once while each is under way */
	raise(SIGALRM);
	CHECK(handled == 1 && !handler_failed);
	setitimer(ITIMER_REAL, &every, NULL);
	for (long end = now_ms() + 250; now_ms() < end;) {
		errno = 0;
		CHECK(stat(file_path, &st) == 0 && errno == 0);
		CHECK(readlink(link_path, text, sizeof text) == 7 && errno == 0);
		CHECK(access("/nonexistent/y", F_OK) < 0 && errno == ENOENT);
		int fd = open(file_path, O_RDONLY);

		CHECK(fd >= 0 && read(fd, text, 1) == 1 && text[0] == 'a' && close(fd) == 0);
		CHECK(getcwd(text, sizeof text));
	}
	setitimer(ITIMER_REAL, &never, NULL);
	if (handler_failed)
		printf("# on_signal, line %d\n", handler_failed);
	CHECK(handled > 5 && !handler_failed);
	return 0;
}

static int storm_plain(void)
{
	return storm(0);
}

/* libjail.7, CAVEATS; WALK says that the walker is used, as where a symlink leads elsewhere */
static int storm_least(void)
{
	return storm(getenv("WALK") ? 16384 : 8192);
}

static int storm_32k(void)
{
	return storm(32768);
}

#ifdef __GLIBC__
static void *frames[8];
static int frames_n, frames_to;

static void on_signal_trace(int sig)
{
	(void)sig;
	backtrace_symbols_fd(frames, frames_n, frames_to);
	handled++;
}

/* As a program says where it crashed: before it has a root of its own, and in one. */
static int signal_trace(void)
{
	struct sigaction sa = {.sa_handler = on_signal_trace, .sa_flags = SA_ONSTACK};
	stack_t ss = {.ss_size = 8192};
	char *room = mmap(NULL, ss.ss_size + 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char line[2][2 * PATH_MAX] = {""};
	int ends[2];

	CHECK(room != MAP_FAILED && pipe(ends) == 0);
	ss.ss_sp = room + 65536;
	CHECK(mprotect(ss.ss_sp, ss.ss_size, PROT_READ | PROT_WRITE) == 0);
	if (sigaltstack(&ss, NULL) < 0) {
		why_skip = "the kernel wants a larger signal stack on this machine";
		return SKIP;
	}
	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	frames_n = backtrace(frames, 1);
	frames_to = ends[1];
	for (int i = 0; i < 2; i++) {
		raise(SIGUSR1);
		CHECK(handled == i + 1 && read(ends[0], line[i], sizeof line[i] - 1) > 10);
		if (i == 0 && !can_chroot())
			return SKIP;
		CHECK(i == 1 || enter(in_a) == 'a');
	}
	CHECK(strcmp(line[0], line[1]) == 0);
	return 0;
}
#endif

static void on_signal_exec(int sig)
{
	(void)sig;
	execl(self, "context", "status", "42", (char *)NULL);
	_exit(1);
}

static int signal_exec(size_t stack)
{
	struct sigaction sa = {.sa_handler = on_signal_exec};
	struct itimerval once = {{0, 0}, {0, 0}};
	struct stat st;
	pid_t pid;

	for (int i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0) {
			if (stack) {
				stack_t ss = {.ss_size = stack, .ss_sp = malloc(stack)};

				sigaltstack(&ss, NULL);
				sa.sa_flags = SA_ONSTACK;
			}
			sigaction(SIGALRM, &sa, NULL);
			once.it_value.tv_usec = 500 + 130 * i;
			setitimer(ITIMER_REAL, &once, NULL);
			for (long end = now_ms() + 2000; now_ms() < end;)
				stat(in_a, &st);
			_exit(2);
		}
		CHECK(status_of(pid) == 42);
	}
	return 0;
}

static int signal_exec_plain(void)
{
	return signal_exec(0);
}

static int signal_exec_64k(void)
{
	return signal_exec(65536);
}

/* -- cancellation ---------------------------------------------------------------------------- */

static char fifo[PATH_MAX + 16];
static struct sockaddr_un full = {.sun_family = AF_UNIX};
static volatile int cancel_fd;

static void *blocks_open(void *arg)
{
	(void)arg;
	open(fifo, O_RDONLY);
	return "open came back";
}

static void *blocks_accept(void *arg)
{
	(void)arg;
	accept(cancel_fd, NULL, NULL);
	return "accept came back";
}

static void *blocks_accept4(void *arg)
{
	(void)arg;
	accept4(cancel_fd, NULL, NULL, SOCK_CLOEXEC);
	return "accept4 came back";
}

static void *blocks_recvmsg(void *arg)
{
	char c;
	struct iovec iov = {&c, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	(void)arg;
	recvmsg(cancel_fd, &m, 0);
	return "recvmsg came back";
}

static void *blocks_recvfrom(void *arg)
{
	char c;
	struct sockaddr_un un;
	socklen_t n = sizeof un;

	(void)arg;
	recvfrom(cancel_fd, &c, 1, 0, (struct sockaddr *)&un, &n);
	return "recvfrom came back";
}

static void *blocks_connect(void *arg)
{
	int s = *(int *)arg;

	connect(s, (struct sockaddr *)&full, sizeof full);
	return "connect came back";
}

/* Where a path has a directory in a root, that one is open while the call blocks, and nobody closes it
 * for a thread that is no more: only for the plain cases no descriptor is lost. */
static int cancels(void *(*f)(void *), void *arg, bool plain)
{
	pthread_t t;
	void *r = NULL;
	int before = dup(0), after;

	close(before);
	CHECK(pthread_create(&t, NULL, f, arg) == 0);
	usleep(30000);
	CHECK(pthread_cancel(t) == 0);
	CHECK(pthread_join(t, &r) == 0);
	if (r != PTHREAD_CANCELED)
		printf("# %s\n", (char *)r);
	CHECK(r == PTHREAD_CANCELED);
	after = dup(0);
	close(after);
	CHECK(before == after || !plain);
	return 0;
}

static int scratch(char *path, size_t size, const char *name)
{
	return snprintf(path, size, "%s/tmp/%s-%d", base, name, (int)getpid());
}

static int cancel_open(void)
{
	int r;

	scratch(fifo, sizeof fifo, "fifo");
	CHECK(mkfifo(fifo, 0600) == 0);
	r = cancels(blocks_open, NULL, !getenv("WALK"));
	unlink(fifo);
	return r;
}

static int listener(int backlog)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	/* named relative to the directory, which may be deep */
	snprintf(full.sun_path, sizeof full.sun_path, "tmp/s-%d", (int)getpid());
	return bind(s, (struct sockaddr *)&full, sizeof full) == 0 && listen(s, backlog) == 0 ? s : -1;
}

static int cancel_accept(void)
{
	int r;

	CHECK((cancel_fd = listener(3)) >= 0);
	r = cancels(blocks_accept, NULL, true);
	if (r == 0)
		r = cancels(blocks_accept4, NULL, true);
	unlink(full.sun_path);
	return r;
}

static int cancel_receive(void)
{
	int sv[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0);
	cancel_fd = sv[0];
	int r = cancels(blocks_recvmsg, NULL, true);

	return r ? r : cancels(blocks_recvfrom, NULL, true);
}

static int cancel_connect(void)
{
	int l, s, r;

	CHECK((l = listener(0)) >= 0);
	do
		s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (connect(s, (struct sockaddr *)&full, sizeof full) == 0);
	CHECK(errno == EAGAIN);
	fcntl(s, F_SETFL, 0);
	r = cancels(blocks_connect, &s, !jailed);
	unlink(full.sun_path);
	return r;
}

/* -- descriptors ----------------------------------------------------------------------------- */

/* Everything is still there, and a new descriptor has the lowest number. */
static int still_works(int lowest)
{
	struct stat st;
	char text[8];
	int fd;

	CHECK(stat(in_a, &st) == 0);
	CHECK(access(in_b, F_OK) == 0);
	CHECK(stat("which", &st) == 0);
	CHECK(lstat("/proc", &st) == 0);
	CHECK((fd = open(file_path, O_RDONLY)) == lowest);
	CHECK(read(fd, text, 1) == 1 && text[0] == 'a' && close(fd) == 0);
	CHECK(close(fd) == -1 && errno == EBADF);
	return 0;
}

static int many_closed(void)
{
	struct stat st, mine;
	int r, fd, last = -1;

	CHECK(snprintf(file_path, sizeof file_path, "%s/which", in_a) > 0);
	for (int i = 3; i < 1100; i++)
		close(i);
	CHECK((r = still_works(3)) == 0);
	for (int i = 3; i < 1100; i++) {
		CHECK(fcntl(i, F_GETFD) == -1 && errno == EBADF);
		CHECK(dup(i) == -1 && errno == EBADF);
		CHECK(close(i) == -1 && errno == EBADF);
	}
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
	closefrom(3);
	CHECK((r = still_works(3)) == 0);
#endif
#endif
	syscall(SYS_close_range, 3, ~0u, 0);
	CHECK((r = still_works(3)) == 0);
	/* the program's file on top of each number, and it stays the program's */
	CHECK((fd = open(file_path, O_RDONLY)) == 3 && fstat(fd, &mine) == 0);
	for (int i = 4; i < 1024; i++) {
		if (dup2(fd, i) != i)
			break; /* the limit */
		last = i;
		if (i % 16 == 0)
			CHECK(stat(in_a, &st) == 0 || errno == EMFILE);
	}
	CHECK(last > 100);
	for (int i = 4; i <= last; i++)
		CHECK(fstat(i, &st) == 0 && st.st_ino == mine.st_ino && st.st_dev == mine.st_dev);
	for (int i = 3; i <= last; i++)
		CHECK(close(i) == 0);
	return still_works(3);
}

static int run_self(char *const argv[], char *const envp[])
{
	pid_t pid = fork();

	if (pid == 0) {
		execve(self, argv, envp);
		dprintf(1, "# execve: errno %d\n", errno);
		_exit(126);
	}
	return status_of(pid);
}

#define ARGS(...) ((char *[]){"context", __VA_ARGS__, NULL})

static int limited(rlim_t n)
{
	struct rlimit lim = {n, n};
	char word[16];

	snprintf(word, sizeof word, "%d", (int)n);
	CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
	CHECK(run_self(ARGS("few", base, word), environ) == 0);
	return 0;
}

static int limit_8(void)
{
	return limited(8);
}

static int limit_20(void)
{
	return limited(20);
}

/* main's word: with n descriptors */
static int few(int n)
{
	int want = n <= 8 ? 1 : 8, fd;
	struct stat st;

	for (int i = 0; i < 50; i++) {
		CHECK(stat(in_a, &st) == 0);
		CHECK((fd = open(in_b, O_RDONLY)) >= 0 && close(fd) == 0);
	}
	for (int i = 1; i < want; i++)
		CHECK(open(in_b, O_RDONLY) >= 0);
	CHECK(stat(in_a, &st) == 0);
	CHECK(run_self(ARGS("status", "7"), environ) == 7);
	return 0;
}

static void *looks_on(void *arg)
{
	struct stat st;

	(void)arg;
	while (!stop) {
		if (stat(in_a, &st) < 0)
			return "stat";
		if (access(link_path, F_OK) == 0 || errno != ENOENT) /* it leads nowhere here */
			return "access";
		answers++;
	}
	return NULL;
}

/* What makes no descriptor needs no number that is free, and leaves the limit as it is, in children that are made
 * meanwhile, too. */
static int full_threads(void)
{
	struct rlimit lim, after;
	pthread_t t[8];
	int fd;

	CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0);
	lim.rlim_cur = 300;
	if (lim.rlim_max < 2 * lim.rlim_cur) {
		why_skip = "the hard limit of descriptors is low";
		return SKIP;
	}
	CHECK(setrlimit(RLIMIT_NOFILE, &lim) == 0);
	CHECK(snprintf(link_path, sizeof link_path, "%s/link", in_a) > 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&t[i], NULL, looks_on, NULL) == 0);
	while ((fd = dup(0)) >= 0)
		;
	CHECK(errno == EMFILE);
	for (long end = now_ms() + 300; now_ms() < end;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(getrlimit(RLIMIT_NOFILE, &after) < 0 || after.rlim_cur != lim.rlim_cur);
		CHECK(status_of(pid) == 0);
	}
	stop = 1;
	CHECK(all_well(t, 8));
	CHECK(answers > 20);
	CHECK(getrlimit(RLIMIT_NOFILE, &after) == 0 && after.rlim_cur == lim.rlim_cur && after.rlim_max == lim.rlim_max);
	return 0;
}

/* Every creator, with no word about close-on-exec, while children are made: none inherits. */
static void *creates(void *arg)
{
	int fd[2];

	(void)arg;
	while (!stop) {
		close(open("/", O_RDONLY));
		close(socket(AF_UNIX, SOCK_STREAM, 0));
		if (pipe(fd) == 0) {
			close(fd[0]);
			close(fd[1]);
		}
		close(dup(0));
		close(epoll_create(1));
		close(eventfd(0, 0));
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0) {
			close(fd[0]);
			close(fd[1]);
		}
		FILE *f = fopen("/dev/null", "r");

		if (f)
			fclose(f);
		answers++;
	}
	return NULL;
}

static int atomic_cloexec(void)
{
	pthread_t t[2];
	pid_t pid;
	char other[PATH_MAX + 32]; /* a program that executes itself passes them on */

	if (!jailed) {
		why_skip = "without libjail they are inherited";
		return SKIP;
	}
	snprintf(other, sizeof other, "%s2", self);
	for (int i = 3; i < 256; i++)
		close(i); /* what the harness left open */
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&t[i], NULL, creates, NULL) == 0);
	for (int i = 0; i < 60; i++) {
		if (i & 1)
			CHECK(posix_spawn(&pid, other, NULL, NULL, ARGS("inherited"), environ) == 0);
		else if ((pid = fork()) == 0) {
			execv(other, ARGS("inherited"));
			_exit(126);
		}
		CHECK(status_of(pid) == 0);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK(answers > 10);
	return 0;
}

/* main's word: how many descriptors are open here */
static int inherited(void)
{
	char name[32], text[256];
	int n = 0;

	for (int i = 3; i < 1024; i++)
		if (fcntl(i, F_GETFD) >= 0) {
			long len = 0;

			snprintf(name, sizeof name, "/proc/self/fd/%d", i);
			len = readlink(name, text, sizeof text - 1);
			dprintf(1, "# %d: %.*s\n", i, len < 0 ? 0 : (int)len, text);
			n++;
		}
	return n;
}

/* -- the environment ------------------------------------------------------------------------- */

static int child_inside(char *const envp[])
{
	return run_self(ARGS("inside", base), envp);
}

static int environment_gone(void)
{
	static char *odd[] = {"LD_PRELOAD=/nonexistent.so", "LIBJAIL_ROOT=/tmp", "LIBJAIL_BIND=none",
		"LIBJAIL_RESOLVER=what", "LIBJAIL_0_VIEW=1.2.3", "LIBJAIL_0_FD=1,2", NULL};

	CHECK(outside());
	setenv("LIBJAIL_ROOT", "/nonexistent", 1);
	setenv("LD_PRELOAD", "", 1);
	CHECK(outside() && child_inside(environ) == 0);
	unsetenv("LIBJAIL_ROOT");
	unsetenv("LD_PRELOAD");
	CHECK(outside() && child_inside(environ) == 0);
	clearenv();
	CHECK(outside() && child_inside(environ) == 0);
	environ = NULL;
	CHECK(outside() && child_inside(environ) == 0);
	environ = odd + 1;
	CHECK(outside() && child_inside(environ) == 0);
	if (jailed)
		CHECK(child_inside(odd) == 0);
	return 0;
}

static int environment_large(void)
{
	static char one[100001], *many[2002], word[2000][60];

	memset(one, 'x', sizeof one - 1);
	memcpy(one, "ONE=", 4);
	many[0] = one;
	CHECK(run_self(ARGS("counts", base, "3", "1"), many) == 0);
	for (int i = 0; i < 2000; i++) {
		snprintf(word[i], sizeof word[i], "V%d=%040d", i, i);
		many[i + 1] = word[i];
	}
	CHECK(run_self(ARGS("counts", base, "3", "2001"), many) == 0);
	return 0;
}

static int arguments_many(void)
{
	static char *argv[100001];
	char *few_env[] = {"A=b", NULL};

	argv[0] = "context";
	argv[1] = "counts";
	argv[2] = base;
	argv[3] = "99999";
	argv[4] = "1";
	for (int i = 5; i < 100000; i++)
		argv[i] = "x";
	CHECK(run_self(argv, few_env) == 0);
	return 0;
}

static int vectors_null(void)
{
	CHECK(child_inside(NULL) == 0);
	return 0;
}

/* main's word: argc - 1 and the size of the environment as the caller says */
static int counts(int argc, char **argv)
{
	int n = 0;

	while (environ && environ[n])
		n++;
	if (!(argc - 1 == atoi(argv[3]) || argc - 2 == atoi(argv[3])))
		return dprintf(1, "# argc %d\n", argc), 1;
	if (!getenv("LIBJAIL_ROOT") && !getenv("LD_PRELOAD") && n != atoi(argv[4]))
		return dprintf(1, "# %d variables\n", n), 1;
	return !outside();
}

/* -- the working directory ------------------------------------------------------------------- */

static int cwd_deleted(void)
{
	char dir[PATH_MAX], text[PATH_MAX];
	struct stat st;

	scratch(dir, sizeof dir, "gone");
	CHECK(mkdir(dir, 0700) == 0 && chdir(dir) == 0 && rmdir(dir) == 0);
	CHECK(!getcwd(text, sizeof text) && errno == ENOENT);
	CHECK(outside());
	CHECK(stat(".", &st) == 0 && st.st_nlink == 0);
	CHECK(stat("x", &st) == -1 && errno == ENOENT);
	CHECK(stat("../x", &st) == -1 && errno == ENOENT);
	CHECK(open("x", O_CREAT | O_RDWR, 0600) == -1 && errno == ENOENT);
	CHECK(child_inside(environ) == 0);
	CHECK(chdir(in_a) == 0 && getcwd(text, sizeof text) && strcmp(text, in_a) == 0);
	CHECK(chdir("/") == 0 && getcwd(text, sizeof text) && strcmp(text, "/") == 0);
	return 0;
}

/* Nothing is unreadable to root: goes on as somebody else, whose dir is, and sub. */
static bool unprivileged(const char *dir, const char *sub)
{
	enum { SOMEBODY = 12345 };

	why_skip = "there is nobody but root here";
	return geteuid() != 0 ||
	       (chown(dir, SOMEBODY, SOMEBODY) == 0 && (!sub || chown(sub, SOMEBODY, SOMEBODY) == 0) &&
		       setgroups(0, NULL) == 0 && setresgid(SOMEBODY, SOMEBODY, SOMEBODY) == 0 &&
		       setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
}

static int cwd_unreadable(void)
{
	char dir[PATH_MAX], text[PATH_MAX];
	struct stat st;
	int r = 0;

	scratch(dir, sizeof dir, "locked");
	CHECK(mkdir(dir, 0700) == 0 && chdir(dir) == 0 && chmod(dir, 0) == 0);
	if (!unprivileged(dir, NULL))
		return rmdir(dir) == 0 ? SKIP : __LINE__;
	if (!outside() || child_inside(environ) != 0)
		r = __LINE__;
	if (!r && (stat("x", &st) != -1 || errno != EACCES))
		r = __LINE__;
	if (!r && (open(".", O_RDONLY) != -1 || errno != EACCES))
		r = __LINE__;
	if (!r && (!getcwd(text, sizeof text) || strcmp(text, dir) != 0))
		r = __LINE__;
	if (!r && (chdir("/") < 0 || chdir(in_a) < 0))
		r = __LINE__;
	rmdir(dir);
	CHECK(r == 0);
	return 0;
}

static int cwd_above_unreadable(void)
{
	char dir[PATH_MAX], sub[PATH_MAX + 8], text[PATH_MAX];
	struct stat st;
	bool good;

	scratch(dir, sizeof dir, "above");
	snprintf(sub, sizeof sub, "%s/sub", dir);
	CHECK(mkdir(dir, 0700) == 0 && mkdir(sub, 0700) == 0 && chdir(sub) == 0 && chmod(dir, 0) == 0);
	if (!unprivileged(dir, sub))
		return rmdir(sub) == 0 && rmdir(dir) == 0 ? SKIP : __LINE__;
	good = outside() && getcwd(text, sizeof text) && strcmp(text, sub) == 0 &&
	       stat(".", &st) == 0 && mkdir("x", 0700) == 0 && rmdir("x") == 0 && chdir(".") == 0 &&
	       stat("../sub", &st) == -1 && errno == EACCES && child_inside(environ) == 0 &&
	       chdir("/") == 0;
	chmod(dir, 0700);
	rmdir(sub);
	rmdir(dir);
	CHECK(good);
	return 0;
}

/* -- errno ----------------------------------------------------------------------------------- */

#define SILENT(good)                                                                              \
	do {                                                                                      \
		errno = 0xdead;                                                                   \
		if (!(good))                                                                      \
			n += dprintf(1, "# line %d: %s (errno %d)\n", __LINE__, #good, errno) > 0; \
		else if (errno != 0xdead)                                                         \
			n += dprintf(1, "# errno %d after %s\n", errno, #good) > 0;               \
	} while (0)

static int errno_untouched(void)
{
	char dir[PATH_MAX], text[PATH_MAX], big[PATH_MAX + 16];
	struct timespec ts[2] = {{1, 0}, {2, 0}};
	struct timeval tv[2] = {{1, 0}, {2, 0}};
	struct stat st;
	struct statvfs vfs;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof un;
	int n = 0, fd = -1, fd2 = -1, p[2], at;

	scratch(dir, sizeof dir, "errno");
	SILENT(mkdir(dir, 0700) == 0);
	SILENT(chdir(dir) == 0);
	SILENT((at = open(dir, O_RDONLY | O_DIRECTORY)) >= 0);
	SILENT((fd = open("f", O_RDWR | O_CREAT, 0600)) >= 0);
	SILENT(close(fd) == 0);
	SILENT((fd = creat("f", 0600)) >= 0);
	SILENT(dup2(fd, 50) == 50);
	SILENT(dup3(fd, 51, 0) == 51);
	SILENT(close(50) == 0 && close(51) == 0);
	SILENT((fd2 = dup(fd)) >= 0);
	SILENT(close(fd2) == 0);
	SILENT((fd2 = fcntl(fd, F_DUPFD, 10)) >= 10);
	SILENT(fcntl(fd2, F_SETFD, 0) == 0);
	SILENT(close(fd2) == 0);
	SILENT((fd2 = openat(at, "f", O_RDONLY)) >= 0);
	SILENT(close(fd2) == 0);
	SILENT(stat("f", &st) == 0);
	SILENT(lstat("f", &st) == 0);
	SILENT(fstatat(at, "f", &st, 0) == 0);
	SILENT(fstatat(at, "f", &st, AT_SYMLINK_NOFOLLOW) == 0);
	SILENT(access("f", R_OK) == 0);
	SILENT(faccessat(at, "f", R_OK, 0) == 0);
	SILENT(chmod("f", 0640) == 0);
	SILENT(fchmodat(at, "f", 0600, 0) == 0);
	SILENT(chown("f", (uid_t)-1, (gid_t)-1) == 0);
	SILENT(lchown("f", (uid_t)-1, (gid_t)-1) == 0);
	SILENT(fchownat(at, "f", (uid_t)-1, (gid_t)-1, 0) == 0);
	SILENT(truncate("f", 3) == 0);
	SILENT(utimensat(at, "f", ts, 0) == 0);
	SILENT(utimes("f", tv) == 0);
	SILENT(link("f", "g") == 0);
	SILENT(linkat(at, "g", at, "h", 0) == 0);
	SILENT(symlink("f", "s") == 0);
	SILENT(symlinkat("/nowhere", at, "t") == 0);
	SILENT(stat("s", &st) == 0);
	SILENT(readlink("s", text, sizeof text) == 1);
	SILENT(readlinkat(at, "t", text, sizeof text) == 8);
	SILENT(rename("g", "i") == 0);
	SILENT(renameat(at, "i", at, "j") == 0);
	SILENT(unlink("j") == 0);
	SILENT(unlinkat(at, "h", 0) == 0);
	SILENT(mkdir("d", 0700) == 0);
	SILENT(mkdirat(at, "e", 0700) == 0);
	SILENT(rmdir("e") == 0);
	SILENT(unlinkat(at, "d", AT_REMOVEDIR) == 0);
	SILENT(mkfifo("p", 0600) == 0);
	SILENT(mkfifoat(at, "q", 0600) == 0);
	SILENT(mknod("r", S_IFREG | 0600, 0) == 0);
	SILENT(remove("r") == 0);
	SILENT(statvfs("/", &vfs) == 0);
	SILENT(getcwd(text, sizeof text) == text);
	SILENT(fchdir(at) == 0);
	SILENT(listxattr("f", text, sizeof text) >= 0);
	SILENT(pipe(p) == 0);
	SILENT(close(p[0]) == 0 && close(p[1]) == 0);
	SILENT(pipe2(p, 0) == 0);
	SILENT(close(p[0]) == 0 && close(p[1]) == 0);
	SILENT((fd2 = epoll_create(1)) >= 0);
	SILENT(close(fd2) == 0);
	SILENT((fd2 = eventfd(0, 0)) >= 0);
	SILENT(close(fd2) == 0);
	SILENT((fd2 = memfd_create("m", 0)) >= 0);
	SILENT(close(fd2) == 0);
	SILENT((fd2 = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
	strcpy(un.sun_path, "sock");
	SILENT(bind(fd2, (struct sockaddr *)&un, sizeof un) == 0);
	SILENT(getsockname(fd2, (struct sockaddr *)&un, &len) == 0);
	SILENT(listen(fd2, 1) == 0);
	SILENT((p[0] = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
	SILENT(connect(p[0], (struct sockaddr *)&un, sizeof un) == 0);
	SILENT((p[1] = accept(fd2, NULL, NULL)) >= 0);
	SILENT(close(p[0]) == 0 && close(p[1]) == 0 && close(fd2) == 0);
	SILENT(socketpair(AF_UNIX, SOCK_DGRAM, 0, p) == 0);
	SILENT(send(p[0], "x", 1, 0) == 1);
	SILENT(recvfrom(p[1], text, 1, 0, NULL, NULL) == 1);
	SILENT(close(p[0]) == 0 && close(p[1]) == 0);
	strcpy(text, "tXXXXXX");
	SILENT((fd2 = mkstemp(text)) >= 0);
	SILENT(close(fd2) == 0 && unlink(text) == 0);
	SILENT((fd2 = syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY)) >= 0);
	SILENT(close(fd2) == 0);
	CHECK(unlink("f") == 0 && unlink("s") == 0 && unlink("t") == 0 && unlink("p") == 0 &&
		unlink("q") == 0 && unlink("sock") == 0);
	close(at);
	snprintf(big, sizeof big, "%s", dir);
	SILENT(chdir("..") == 0 && rmdir(big) == 0);
	CHECK(n == 0);
	return 0;
}

/* -- the rows -------------------------------------------------------------------------------- */

static const struct row {
	const char *why;
	int (*run)(void);
} rows[] = {
	{"vfork: the child's chroot and chdir are its own", vfork_chroot},
	{"vfork: chdir alone", vfork_chdir},
	{"vfork: chroot, then exec", vfork_exec},
	{"vfork: chroot, then fork", vfork_fork},
	{"vfork: chroot, then fork, and gone", vfork_orphan},
	{"vfork: chroot, then vfork", vfork_vfork},
	{"vfork: chroot, then vfork and chroot", vfork_vfork_chroot},
	{"vfork with chroot, then fork without", vfork_then_fork},
	{"vfork with chroot, then vfork", vfork_twice},
	{"chroot in a child of clone with a stack of 16 KiB", clone_chroot},
	{"vfork with chroot beside other threads", vfork_beside_threads},
	{"vfork with chroot in four threads", vfork_many},
	{"vfork with chroot where kcmp(2) is refused", vfork_without_kcmp},
	{"chroot in a thread is everybody's", thread_chroot},
	{"threads look while another changes the root", hammer},
	{"fork beside busy threads", fork_threads},
	{"signals in the middle of path calls", storm_plain},
	{"the same on a signal stack of 32 KiB", storm_32k},
	{"the same on a signal stack of 8 KiB, 16 KiB with the walker", storm_least},
#ifdef __GLIBC__
	{"a backtrace on a signal stack of 8 KiB", signal_trace},
#endif
	{"exec in a signal handler", signal_exec_plain},
	{"exec in a signal handler, signal stack of 64 KiB", signal_exec_64k},
	{"cancelled in open of a FIFO", cancel_open},
	{"cancelled in accept", cancel_accept},
	{"cancelled in recvmsg and recvfrom", cancel_receive},
	{"cancelled in connect", cancel_connect},
	{"every descriptor closed and overwritten", many_closed},
	{"RLIMIT_NOFILE 8, then exec", limit_8},
	{"RLIMIT_NOFILE 20, then exec", limit_20},
	{"paths of eight threads where the table is full", full_threads},
	{"no child inherits what a thread is creating", atomic_cloexec},
	{"the environment cleared and rewritten", environment_gone},
	{"an environment of 100 kB and of 2000 variables", environment_large},
	{"100000 arguments", arguments_many},
	{"exec with NULL as environment", vectors_null},
	{"working directory deleted", cwd_deleted},
	{"working directory unreadable", cwd_unreadable},
	{"directory above it unreadable", cwd_above_unreadable},
	{"errno untouched on success", errno_untouched},
};

/* Is libjail.so mapped?  In a root its name is the host's. */
static bool libjail(void)
{
	static char text[65536];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t n = 0;
	long r;

	while (fd >= 0 && n < sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)r;
	close(fd);
	return strstr(text, "/libjail.so") != NULL;
}

int main(int argc, char **argv)
{
	int n = 0, failed = 0;
	char *skip;

	if (argc > 2 && strcmp(argv[1], "status") == 0)
		return atoi(argv[2]);
	if (argc > 1 && strcmp(argv[1], "which") == 0)
		return which() == 'a' ? 0 : 9;
	if (argc > 1 && strcmp(argv[1], "inherited") == 0)
		return inherited();
	if (argc < 2)
		return 2;
	snprintf(base, sizeof base, "%s", argv[argc > 2 ? 2 : 1]);
	snprintf(in_a, sizeof in_a, "%s/a", base);
	snprintf(in_b, sizeof in_b, "%s/b", base);
	snprintf(self, sizeof self, "%s/../bin/context", base);
	if (argc > 2 && strcmp(argv[1], "inside") == 0)
		return !outside();
	if (argc > 4 && strcmp(argv[1], "counts") == 0)
		return counts(argc, argv);
	if (argc > 3 && strcmp(argv[1], "few") == 0)
		return few(atoi(argv[3])) != 0;

	jailed = libjail();
	skip = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IONBF, 0);
	if (chdir(base) < 0) {
		printf("not ok 1 - %s: errno %d\n", base, errno);
		return 1;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		int status, result;
		pid_t pid;

		if (argc > 2 && !strstr(r->why, argv[1]))
			continue;
		pid = fork();
		if (pid == 0) {
			alarm(20);
			result = r->run();
			if (result == SKIP)
				snprintf(skip, 128, "%s", why_skip);
			_exit(result == 0 ? 0 : result == SKIP ? 77 : 1);
		}
		status = status_of(pid);
		if (status == 77) {
			printf("ok %d - %s # SKIP %s\n", ++n, r->why, skip);
			continue;
		}
		if (status != 0)
			printf("# status %d\n", status);
		printf("%sok %d - %s\n", status == 0 ? "" : "not ", ++n, r->why);
		failed |= status != 0;
	}
	printf("1..%d\n", n);
	return failed;
}
