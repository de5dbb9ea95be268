/* SPDX-License-Identifier: ISC
 *
 * What descriptors cost: nanoseconds of each call that makes one, of close alone, of calls on a
 * call path that has not been seen before, of calls that nobody should touch, and of
 * fork+exec+wait: natively and under libjail, in the same seconds.
 *
 *   fds ROUNDS TURNS ROW CONTENDER...   ROW: a name, or all; CONTENDER: NAME[,VARIABLE=VALUE]...
 *
 * In each round every contender is a process of its own, with its variables, at other addresses
 * than in the round before.  They take turns, a batch of calls each, so that what else the machine
 * does hits all of them.  Prints ROW CONTENDER and two figures, the median over the rounds of a
 * round's least and of its median. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

enum { MANY = 200, FRAMES = 12, CONTENDERS = 8, ROUNDS = 64, TURNS = 2000 };

static int made[MANY], null_fd, zero_fd;
static char **environment;

static int make_open(void) { return open("/dev/null", O_RDONLY); }
static int make_dup(void) { return dup(null_fd); }
static int make_dupfd(void) { return fcntl(null_fd, F_DUPFD, 3); }
static int make_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int make_epoll(void) { return epoll_create1(0); }
static int make_eventfd(void) { return eventfd(0, 0); }
static int make_timerfd(void)
{
	return timerfd_create(CLOCK_MONOTONIC, 0);
}
static int make_memfd(void)
{
	return memfd_create("m", 0);
}

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

static double close_took;

static double make_many(int (*make)(void))
{
	double t = bench_now(), took;

	for (int k = 0; k < MANY; k++)
		made[k] = make();
	took = bench_now() - t;
	if (made[MANY - 1] < 0) {
		perror("fds");
		exit(1);
	}
	t = bench_now();
	for (int k = 0; k < MANY; k++)
		close(made[k]);
	close_took = (bench_now() - t) / MANY;
	return took / MANY;
}

static double run_close(int (*make)(void))
{
	make_many(make);
	return close_took;
}

static double run_pipe(int (*make)(void))
{
	double t = bench_now(), took;

	(void)make;
	for (int k = 0; k < MANY / 2; k++)
		if (pipe(&made[2 * k]) < 0)
			exit(1);
	took = bench_now() - t;
	for (int k = 0; k < MANY; k++)
		close(made[k]);
	return took / (MANY / 2);
}

static double run_read(int (*make)(void))
{
	double t = bench_now();
	char c;

	(void)make;
	for (int k = 0; k < 4 * MANY; k++)
		if (read(zero_fd, &c, 1) != 1 || write(null_fd, &c, 1) != 1)
			exit(1);
	return (bench_now() - t) / (4 * MANY);
}

static double run_poll(int (*make)(void))
{
	struct pollfd p = {.fd = null_fd, .events = POLLIN};
	double t = bench_now();

	(void)make;
	for (int k = 0; k < 4 * MANY; k++)
		if (poll(&p, 1, 0) < 0)
			exit(1);
	return (bench_now() - t) / (4 * MANY);
}

/* A few in a row, as a shell does, and of these the median. */
static double run_exec(int (*make)(void))
{
	enum { IN_A_ROW = 9 };
	char *argv[] = {"/bin/true", NULL};
	double took[IN_A_ROW];

	(void)make;
	for (int k = 0; k < IN_A_ROW; k++) {
		double t = bench_now();
		pid_t p = fork();
		int st;

		if (p == 0) {
			execve(argv[0], argv, environment);
			_exit(127);
		}
		if (p < 0 || waitpid(p, &st, 0) != p || st)
			exit(1);
		took[k] = bench_now() - t;
	}
	return bench_median(took, IN_A_ROW);
}

static const struct {
	const char *name;
	double (*run)(int (*)(void));
	int (*make)(void);
	int most; /* turns in a process; 0: as many as there are */
} rows[] = {
	{"open",		  make_many, make_open,    0                   },
	{"dup",		   make_many, make_dup,     0                   },
	{"fcntl F_DUPFD",         make_many, make_dupfd,   0                   },
	{"socket",                make_many, make_socket,  0                   },
	{"epoll_create1",         make_many, make_epoll,   0                   },
	{"eventfd",               make_many, make_eventfd, 0                   },
	{"timerfd_create",        make_many, make_timerfd, 0                   },
	{"memfd_create",          make_many, make_memfd,   0                   },
	{"pipe",		  run_pipe,  NULL,         0                   },
	{"dup, 13 frames, known", make_many, make_known,   0                   },
	{"dup, 13 frames, new",   make_many, make_new,     (1 << FRAMES) / MANY},
	{"close",                 run_close, make_dup,     0                   },
	{"read+write",            run_read,  NULL,         0                   },
	{"poll",		  run_poll,  NULL,         0                   },
	{"fork+exec+wait",        run_exec,  NULL,         0                   },
};
enum { ROWS = sizeof rows / sizeof *rows };

/* A contender: for each number of a row that comes in, a figure goes out. */
static int contend(void)
{
	double figure;
	int row;

	for (int fd = 3; fd < 1024; fd++) /* what we were started with is no business of the measurement */
		close(fd);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	zero_fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	while (read(0, &row, sizeof row) == sizeof row) {
		figure = rows[row].run(rows[row].make);
		if (write(1, &figure, sizeof figure) != sizeof figure)
			return 1;
	}
	return 0;
}

static struct contender {
	char *name, *env[16];
	pid_t pid;
	int in, out;
	double least[ROWS][ROUNDS], middle[ROWS][ROUNDS];
} all[CONTENDERS];
static double figures[CONTENDERS][TURNS];

static void start(struct contender *c)
{
	char *argv[] = {"/proc/self/exe", "-c", NULL};
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		exit(1);
	c->pid = fork();
	if (c->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (char **e = c->env; *e; e++)
			putenv(*e);
		execv(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = out[0];
}

static bool is_row(const char *only, int row)
{
	return !strcmp(only, "all") || !strcmp(only, rows[row].name);
}

static void round_of(const char *only, int round, int turns, int n)
{
	for (int i = 0; i < n; i++)
		start(&all[i]);
	for (int row = 0; row < ROWS; row++) {
		int most = rows[row].most && rows[row].most < turns ? rows[row].most : turns;

		for (int t = 0; t < most && is_row(only, row); t++)
			for (int k = 0; k < n; k++) {
				struct contender *c = &all[(k + t) % n];

				if (write(c->in, &row, sizeof row) != sizeof row ||
					read(c->out, &figures[c - all][t], sizeof(double)) !=
						sizeof(double)) {
					fprintf(stderr, "fds: %s: %s: no answer\n", c->name,
						rows[row].name);
					exit(1);
				}
			}
		for (int i = 0; i < n; i++) {
			all[i].middle[row][round] =
				bench_median(figures[i], most); /* sorted by now */
			all[i].least[row][round] = figures[i][0];
		}
	}
	for (int i = 0; i < n; i++) {
		int st;

		close(all[i].in);
		close(all[i].out);
		waitpid(all[i].pid, &st, 0);
	}
}

int main(int argc, char **argv)
{
	int rounds, turns, n = 0;

	environment = environ;
	if (argc == 2 && !strcmp(argv[1], "-c"))
		return contend();
	if (argc < 5) {
		fprintf(stderr, "usage: fds ROUNDS TURNS ROW NAME[,VARIABLE=VALUE]...\n");
		return 2;
	}
	rounds = atoi(argv[1]) < ROUNDS ? atoi(argv[1]) : ROUNDS;
	turns = atoi(argv[2]) < TURNS ? atoi(argv[2]) : TURNS;
	for (; n < CONTENDERS && argv[4 + n]; n++) {
		int e = 0;

		all[n].name = strtok(argv[4 + n], ",");
		while (e < 15 && (all[n].env[e] = strtok(NULL, ",")))
			e++;
	}
	for (int r = 0; r < rounds; r++)
		round_of(argv[3], r, turns, n);
	for (int row = 0; row < ROWS; row++)
		for (int i = 0; i < n && is_row(argv[3], row); i++)
			printf("%s\t%s\t%.1f\t%.1f\n", rows[row].name, all[i].name,
				bench_median(all[i].least[row], rounds),
				bench_median(all[i].middle[row], rounds));
	return 0;
}
