/* SPDX-License-Identifier: ISC
 *
 * What a lookup costs in a table of a million users: names.sh runs this under libjail, and writes the
 * table with it.  Times are the thread's own, and minima over many rounds: a busy machine does not
 * count, a cold cache does where a row says "random".
 *
 *   names -w N          N lines of passwd(5) to stdout
 *   names N             rows: name, what it took, unit, promised, verdict, between tabs */
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 40, BATCH = 10000, FIRST = 100000 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static unsigned users, found, rng = 1;
static char (*names)[16]; /* in the order in which a batch asks: their own misses do not count */

static unsigned next(bool random, unsigned i)
{
	rng = rng * 1664525 + 1013904223;
	return random ? (rng >> 4) % users : i % users;
}

static void row(const char *what, double took, const char *unit, double promised)
{
	printf("%s\t%.0f\t%s\t%.0f\t%s\n", what, took, unit, promised, took <= promised ? "" : "MISSED");
	fflush(stdout);
}

enum how { BY_ID, BY_NAME, BY_GID };

static void measure(const char *what, enum how how, bool random, unsigned id, const char *form)
{
	static unsigned ids[BATCH];
	double best = 1e12, t;

	for (unsigned k = 0; k < ROUNDS; k++) {
		for (unsigned i = 0; i < BATCH; i++) {
			ids[i] = id + next(random, k * BATCH + i);
			snprintf(names[i], sizeof names[i], form, ids[i] - id);
		}
		t = now();
		for (unsigned i = 0; i < BATCH; i++)
			found += how == BY_ID     ? getpwuid(ids[i]) != NULL
				 : how == BY_NAME ? getpwnam(names[i]) != NULL
						  : getgrgid(ids[i]) != NULL;
		t = (now() - t) / BATCH;
		if (t < best)
			best = t;
	}
	row(what, best, "ns", 100);
}

int main(int argc, char **argv)
{
	double t;

	users = argc > 1 ? (unsigned)strtoul(argv[argc - 1], NULL, 10) : 0;
	if (!users)
		return 2;
	if (strcmp(argv[1], "-w") == 0) {
		for (unsigned i = 0; i < users; i++)
			printf("user%u:x:%u:100:User number %u,,,:/home/user%u:/bin/bash\n", i, FIRST + i, i, i);
		return 0;
	}
	names = calloc(BATCH, sizeof *names);
	t = now();
	found += getpwuid(4000000000u) != NULL;
	row("load", (now() - t) / 1e6, "ms", 350);
	measure("uid, in order", BY_ID, false, FIRST, "%u");
	measure("uid, random", BY_ID, true, FIRST, "%u");
	measure("uid, missing, in order", BY_ID, false, 1u << 30, "%u");
	measure("uid, missing, random", BY_ID, true, 1u << 30, "%u");
	measure("user, in order", BY_NAME, false, 0, "user%u");
	measure("user, random", BY_NAME, true, 0, "user%u");
	measure("user, missing", BY_NAME, true, 0, "resu%u");
	measure("gid, missing, of a few groups", BY_GID, false, 1u << 30, "%u");
	return found != 4 * ROUNDS * BATCH;
}
