/* SPDX-License-Identifier: ISC
 *
 * Runs a command inside a contender and prints how long it took, so that the contender's own start-up
 * is not part of the figure.
 *
 *   timeit LABEL TIMES OUTPUT -- PROGRAM [ARG ...]
 *
 * Runs the program TIMES times, one after the other, until one fails.  Prints LABEL, wall, user and
 * system seconds (of the program and the children it waited for), and the exit status (or -N for
 * signal N), between tabs.  What the program prints goes to OUTPUT.out and OUTPUT.err. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int output(const char *base, const char *ext)
{
	char p[4096];
	snprintf(p, sizeof p, "%s.%s", base, ext);
	int f = open(p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (f < 0) {
		fprintf(stderr, "timeit: %s: %s\n", p, strerror(errno));
		exit(125);
	}
	return f;
}

static int run(char **argv, int out, int err)
{
	int st;
	pid_t p = fork();

	if (p < 0) {
		perror("timeit: fork");
		exit(125);
	}
	if (!p) {
		if (dup2(out, 1) < 0 || dup2(err, 2) < 0)
			_exit(125);
		execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(p, &st, 0) < 0)
		if (errno != EINTR) {
			perror("timeit: waitpid");
			exit(125);
		}
	return WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);
}

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage was, ru;
	int st = 0;

	if (argc < 6 || strcmp(argv[4], "--")) {
		fprintf(stderr, "usage: timeit LABEL TIMES OUTPUT -- PROGRAM [ARG ...]\n");
		return 2;
	}
	int out = output(argv[3], "out"), err = output(argv[3], "err");
	getrusage(RUSAGE_CHILDREN, &was); /* this process may have been a launcher, with children of its own */
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = atoi(argv[2]); i > 0 && !st; i--)
		st = run(argv + 5, out, err);
	clock_gettime(CLOCK_MONOTONIC, &b);
	getrusage(RUSAGE_CHILDREN, &ru);
	printf("%s\t%.4f\t%.4f\t%.4f\t%d\n", argv[1],
		   (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
		   seconds(&ru.ru_utime) - seconds(&was.ru_utime), seconds(&ru.ru_stime) - seconds(&was.ru_stime), st);
	return 0;
}
