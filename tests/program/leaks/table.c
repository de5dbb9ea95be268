/* SPDX-License-Identifier: ISC
 *
 * What a report tells besides leaks: "table WHAT [NUMBER]" is a process with many descriptors, a full table,
 * bad closes, threads that open and close while another forks, and calls that an old kernel lacks. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static volatile int sink;
static int number; /* the second argument */

static void limit(unsigned long n)
{
	struct rlimit l = {n, n};

	if (setrlimit(RLIMIT_NOFILE, &l))
		err(77, "at most %lu descriptors", n);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The numbers that are open, from 3 on, below the highest one: those of libjail's own (the report's file,
 * which is our first argument's argument, as readlink shows it) left out. */
static void show_open(void)
{
	struct rlimit l;
	char link[64], text[4096], own[4096] = "";
	const char *report = getenv("LIBJAIL_REPORT");

	if (report && !realpath(report, own))
		err(2, "%s", report);
	getrlimit(RLIMIT_NOFILE, &l);
	printf("open");
	for (int fd = 3; fd < (int)l.rlim_cur; fd++)
		if (fcntl(fd, F_GETFD) >= 0) {
			ssize_t n;

			snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
			n = readlink(link, text, sizeof text - 1);
			text[n > 0 ? n : 0] = 0;
			if (strcmp(text, own))
				printf(" %d", fd);
		}
	printf("\n");
	fflush(stdout);
}

/* -- threads ------------------------------------------------------------------------------------- */

static volatile int stop;

/* The forker shall have its turn beside 32 that never sleep. */
static void last_in_line(void)
{
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 15);
}

static void shut(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int one_of(unsigned way, int *other)
{
	int p[2];

	*other = -1;
	switch (way % 10) {
	case 0: return open("/dev/null", O_RDONLY);
	case 1: return open("/dev/zero", O_RDONLY | O_CLOEXEC);
	case 2: return dup(0);
	case 3: return fcntl(1, F_DUPFD, 3);
	case 4: return socket(AF_UNIX, SOCK_STREAM, 0);
	case 5:
		if (pipe(p))
			return -1;
		*other = p[1];
		return p[0];
	case 6:
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, p))
			return -1;
		*other = p[1];
		return p[0];
	case 7: return eventfd(0, 0);
	case 8: return epoll_create1(0);
	default: return timerfd_create(CLOCK_MONOTONIC, 0);
	}
}

static void *open_and_close(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg;
	int mine[16], n = 0, other;

	last_in_line();
	while (!stop) {
		unsigned r = (unsigned)rand_r(&seed) >> 4;

		if (n < 14 && (n == 0 || r % 2)) {
			int fd = one_of(r / 2, &other);

			if (fd >= 0)
				mine[n++] = fd;
			if (other >= 0)
				mine[n++] = other;
		} else if (r % 7 == 1 && n > 1) {
			/* onto a number that is ours, which closes it */
			dup3(mine[n - 1], mine[0], O_CLOEXEC);
		} else if (r % 11 == 1 && n > 0) {
			FILE *f = fdopen(mine[--n], "r");

			if (f)
				fclose(f);
			else
				shut(mine[n]);
		} else if (r % 13 == 1 && n > 0) {
			n--;
			syscall(SYS_close, mine[n]);
		} else if (n > 0) {
			shut(mine[--n]);
		}
	}
	while (n > 1) /* one stays, or two */
		shut(mine[--n]);
	one_of(seed, &other);
	return NULL;
}

static unsigned long children, with_descriptors;

static void *forks(void *arg)
{
	char *const argv[] = {"has", NULL};
	unsigned way = 0;

	(void)arg;
	while (!stop) {
		int status = 0;
		pid_t pid = -1;

		switch (way++ % 3) {
		case 0:
			pid = fork();
			if (pid == 0) {
				execv("./has", argv);
				_exit(127);
			}
			break;
		case 1:
			pid = vfork();
			if (pid == 0) {
				execv("./has", argv);
				_exit(127);
			}
			break;
		default:
			if (posix_spawn(&pid, "./has", NULL, NULL, argv, environ))
				pid = -1;
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			continue;
		children++;
		with_descriptors += WEXITSTATUS(status) != 0;
		/* what a child of fork knows */
		pid = fork();
		if (pid == 0) {
			int fd = open("/dev/null", O_RDONLY);

			close(fd);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, &status, 0);
	}
	return NULL;
}

static int threads(void)
{
	enum { N = 32 };
	pthread_t t[N], forker;

	limit(4096);
	for (size_t i = 0; i < N; i++)
		if (pthread_create(&t[i], NULL, open_and_close, (void *)(i + 1)))
			err(2, "a thread");
	pthread_create(&forker, NULL, forks, NULL);
	sleep((unsigned)number);
	stop = 1;
	for (size_t i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	pthread_join(forker, NULL);
	show_open();
	printf("children %lu\nwith descriptors %lu\n", children, with_descriptors);
	fflush(stdout);
	raise(SIGUSR2);
	return 0;
}

/* -- many, and too many ---------------------------------------------------------------------------- */

static int many(void)
{
	struct rlimit l;
	double begin;
	int n = 0;

	getrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_max < (unsigned long)number + 100) {
		l.rlim_max = (unsigned long)number + 100; /* root may */
		l.rlim_cur = l.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &l)) {
			getrlimit(RLIMIT_NOFILE, &l);
			number = (int)l.rlim_max - 100;
			printf("as many as are allowed: ");
		}
	}
	limit((unsigned long)number + 100);
	begin = now();
	while (n < number && dup(0) >= 0) /* MANY */
		n++;
	printf("made %d, %.0f ns each\n", n, (now() - begin) / n * 1e9);
	begin = now();
	raise(SIGUSR2);
	printf("a snapshot in %.0f ms\n", (now() - begin) * 1e3);
	begin = now();
	for (int fd = n + 10; fd > 2; fd--)
		if (fd % 1000)
			close(fd);
	printf("closed, %.0f ns each\n", (now() - begin) / n * 1e9);
	fflush(stdout);
	return n != number;
}

/* Twelve call sites: site k makes k descriptors. */
#define SITES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define SITE(k)                                          \
	static __attribute__((noinline)) void site_##k(void) \
	{                                                \
		for (volatile int i = 0; i < (k); i++)   \
			sink = dup(0);                   \
	}
SITES(SITE)

static int emfile(void)
{
	limit(3 + 78 + 1);
#define CALL(k) site_##k();
	SITES(CALL)
	sink = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (open("/dev/null", O_RDONLY) >= 0 || errno != EMFILE) /* FULL */
		errx(1, "it is not full");
	for (int i = 0; i < 1000; i++) /* not one report each */
		if (open("/dev/null", O_RDONLY) >= 0)
			return 1;
	return 0;
}

/* -- closes ------------------------------------------------------------------------------------------ */

static int closes(void)
{
	int fd, sv[2];
	FILE *f;
	DIR *d;

	errno = 0;
	if (close(17) != -1 || errno != EBADF) /* NOT OPEN */
		return 1;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* MADE */
	if (close(fd)) /* FIRST */
		return 2;
	if (close(fd) != -1 || errno != EBADF) /* SECOND */
		return 3;
	f = fopen("/dev/null", "re"); /* FILE */
	if (close(fileno(f))) /* OF A FILE */
		return 4;
	d = opendir("."); /* DIR */
	if (close(dirfd(d))) /* OF A DIR */
		return 5;
	/* these are no mistakes */
	if (!(f = fopen("/dev/null", "re")) || fclose(f) || !(d = opendir(".")) || closedir(d))
		return 6;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) || close(sv[0]) || close(sv[1]))
		return 7;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	f = fdopen(fd, "r");
	if (!f || fclose(f))
		return 8;
	for (fd = 3; fd < 64; fd++) /* before exec, and as daemons do */
		close(fd);
	return 0;
}

static int never(void)
{
	for (int i = 0; i < 3; i++)
		sink = open("/etc/passwd", O_RDONLY | O_CLOEXEC); /* NEVER */
	sink = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	close(sink);
	return 0;
}

/* -- in one step, and where the kernel lacks that step ------------------------------------------------ */

int kqueue(void), kqueue1(int); /* libkqueue's */
#pragma weak kqueue
#pragma weak kqueue1 /* without it there are libjail's, which fail with ENOSYS */

static void shows(const char *name, int fd)
{
	if (fd < 0)
		printf("%s %s\n", name, strerrorname_np(errno));
	else
		printf("%s %s\n", name, fcntl(fd, F_GETFD) & FD_CLOEXEC ? "close-on-exec" : "inheritable");
}

static int calls(void)
{
	int p[2] = {-1, -1};

	shows("epoll_create", epoll_create(7));
	shows("epoll_create1", epoll_create1(0));
	shows("epoll_create1, asked", epoll_create1(EPOLL_CLOEXEC));
	shows("eventfd", eventfd(3, 0));
	shows("inotify_init", inotify_init());
	shows("pipe", pipe(p) ? -1 : p[0]);
	shows("pipe, the other end", p[1]);
	if (number) {
		shows("kqueue", kqueue());
		shows("kqueue1", kqueue1(0));
	}
	return 0;
}

static int old_kernel(void)
{
#if defined __x86_64__
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#define LACKS(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)
		LACKS(epoll_create1), LACKS(eventfd2), LACKS(inotify_init1), LACKS(pipe2),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		err(77, "a seccomp filter");
	return calls();
#else
	errx(77, "this machine has no older calls");
#endif
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*does)(void);
	} all[] = {{"threads", threads}, {"many", many}, {"emfile", emfile}, {"closes", closes},
		{"never", never}, {"calls", calls}, {"old", old_kernel}};

	number = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
		if (strcmp(argv[1], all[i].name) == 0)
			return all[i].does();
	return 126;
}
