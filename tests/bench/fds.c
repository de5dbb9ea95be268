/* SPDX-License-Identifier: ISC
 *
 * What descriptors cost: nanoseconds of each call that makes one, of close alone, of calls on a call path
 * that has not been seen before, of calls that nobody should touch, and of fork+exec+wait.  fds.sh
 * runs it natively and under libjail, and takes the difference.
 *
 *   fds [-b ROUNDS]      prints NAME NANOSECONDS, the fastest round of each */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

enum { MANY = 400, FRAMES = 12 };

static int made[MANY], null_fd;

static int make_open(void) { return open("/dev/null", O_RDONLY); }
static int make_dup(void) { return dup(null_fd); }
static int make_dupfd(void) { return fcntl(null_fd, F_DUPFD, 3); }
static int make_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int make_epoll(void) { return epoll_create1(0); }
static int make_eventfd(void) { return eventfd(0, 0); }

/* A call path for each value of the bits: FRAMES frames, each one of two functions. */
static unsigned bits;
static int path_b(unsigned depth);
static __attribute__((noinline)) int path_a(unsigned depth)
{
	int r = depth == FRAMES ? dup(null_fd) : bits >> depth & 1 ? path_b(depth + 1) : path_a(depth + 1);

	__asm__ volatile("" : "+r"(r)); /* no tail call */
	return r;
}
static __attribute__((noinline)) int path_b(unsigned depth)
{
	int r = depth == FRAMES ? dup(null_fd) : bits >> depth & 1 ? path_b(depth + 1) : path_a(depth + 1);

	__asm__ volatile("" : "+r"(r));
	return r;
}
static int make_known(void) { return path_a(0); }
static int make_new(void)
{
	bits = (bits + 1) % (1u << FRAMES);
	return path_a(0);
}

static const struct { const char *name; int (*make)(void); int rounds; } makers[] = {
	{"open", make_open, 0},
	{"dup", make_dup, 0},
	{"fcntl F_DUPFD", make_dupfd, 0},
	{"socket", make_socket, 0},
	{"epoll_create1", make_epoll, 0},
	{"eventfd", make_eventfd, 0},
	{"dup, 13 frames, known", make_known, 0},
	{"dup, 13 frames, new", make_new, 5}, /* fewer calls than there are paths */
};

static void keep_least(double *least, double ns)
{
	if (*least == 0 || ns < *least)
		*least = ns;
}

static int forkexec(char **argv, char **envp)
{
	pid_t p = fork();
	int st;

	if (p == 0) {
		execve(argv[0], argv, envp);
		_exit(127);
	}
	return p > 0 && waitpid(p, &st, 0) == p && st == 0 ? 0 : 1;
}

extern char **environ;

int main(int argc, char **argv)
{
	int rounds = argc > 2 && !strcmp(argv[1], "-b") ? atoi(argv[2]) : 30;
	char *true_argv[] = {"/bin/true", NULL};
	double least, close_least = 0, t, sum[300];
	struct pollfd pfd;
	int zero;
	char c;

	for (int fd = 3; fd < 1024; fd++) /* what we were started with is no business of the measurement */
		close(fd);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	/* the median: an exec has no fastest case worth knowing */
	for (int k = 0; k < 300; k++) {
		t = bench_now();
		if (forkexec(true_argv, environ))
			return 1;
		sum[k] = bench_now() - t;
	}
	printf("fork+exec+wait\t%.1f\n", bench_median(sum, 300));

	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		least = 0;
		for (int r = 0; r < (makers[i].rounds ? makers[i].rounds : rounds); r++) {
			t = bench_now();
			for (int k = 0; k < MANY; k++)
				made[k] = makers[i].make();
			keep_least(&least, (bench_now() - t) / MANY);
			if (made[MANY - 1] < 0) {
				perror(makers[i].name);
				return 1;
			}
			t = bench_now();
			for (int k = 0; k < MANY; k++)
				close(made[k]);
			if (makers[i].make == make_dup)
				keep_least(&close_least, (bench_now() - t) / MANY);
		}
		printf("%s\t%.1f\n", makers[i].name, least);
	}
	printf("close\t%.1f\n", close_least);

	least = 0;
	for (int r = 0; r < rounds; r++) {
		t = bench_now();
		for (int k = 0; k < 1000; k++)
			if (read(zero, &c, 1) != 1 || write(null_fd, &c, 1) != 1)
				return 1;
		keep_least(&least, (bench_now() - t) / 1000);
	}
	printf("read+write\t%.1f\n", least);
	least = 0;
	pfd = (struct pollfd){.fd = null_fd, .events = POLLIN};
	for (int r = 0; r < rounds; r++) {
		t = bench_now();
		for (int k = 0; k < 1000; k++)
			if (poll(&pfd, 1, 0) < 0)
				return 1;
		keep_least(&least, (bench_now() - t) / 1000);
	}
	printf("poll\t%.1f\n", least);
	return 0;
}
