/* SPDX-License-Identifier: ISC
 *
 * Runs a command inside a contender and prints how long it took, so that the contender's own start-up
 * is not part of the figure.
 *
 *   timeit LABEL OUTPUT -- PROGRAM [ARG ...]
 *
 * Prints LABEL, wall, user and system seconds, and the exit status (or -N for signal N), between tabs.
 * The program's output goes to OUTPUT.out and OUTPUT.err. */
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

int main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage ru;
	int st;

	if (argc < 5 || strcmp(argv[3], "--")) {
		fprintf(stderr, "usage: timeit LABEL OUTPUT -- PROGRAM [ARG ...]\n");
		return 2;
	}
	int out = output(argv[2], "out"), err = output(argv[2], "err");
	clock_gettime(CLOCK_MONOTONIC, &a);
	pid_t p = fork();
	if (p < 0) {
		perror("timeit: fork");
		return 125;
	}
	if (!p) {
		if (dup2(out, 1) < 0 || dup2(err, 2) < 0)
			_exit(125);
		execvp(argv[4], argv + 4);
		_exit(127);
	}
	while (wait4(p, &st, 0, &ru) < 0)
		if (errno != EINTR) {
			perror("timeit: wait4");
			return 125;
		}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%s\t%.4f\t%.4f\t%.4f\t%d\n", argv[1],
		   (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
		   (double)ru.ru_utime.tv_sec + (double)ru.ru_utime.tv_usec / 1e6,
		   (double)ru.ru_stime.tv_sec + (double)ru.ru_stime.tv_usec / 1e6,
		   WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st));
	return 0;
}
