/* SPDX-License-Identifier: ISC
 *
 * cost vfork|fork N: executes /bin/true so many times, and prints how many page faults a child had,
 * from its making to its end: the median. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int order(const void *a, const void *b)
{
	const long x = *(const long *)a, y = *(const long *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	const int n = argc > 2 ? atoi(argv[2]) : 0;
	long *faults = calloc((size_t)n + 1, sizeof *faults);

	if (!faults || n < 1)
		return 2;
	for (int i = 0; i < n; i++) {
		const pid_t p = strcmp(argv[1], "vfork") ? fork() : vfork();
		struct rusage used;
		int status;

		if (p == 0) {
			execl("/bin/true", "true", (char *)0);
			_exit(127);
		}
		if (p < 0 || wait4(p, &status, 0, &used) != p || status)
			return 1;
		faults[i] = used.ru_minflt + used.ru_majflt;
	}
	qsort(faults, (size_t)n, sizeof *faults, order);
	printf("%ld\n", faults[n / 2]);
	return 0;
}
