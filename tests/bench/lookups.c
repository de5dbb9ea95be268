/* SPDX-License-Identifier: ISC
 *
 * Nanoseconds for a lookup by id and by name, found and missing, in a table of names u0 ... uN-1 and
 * g0 ... gN-1 with ids from 1000 on.
 *
 *   lookups N   prints NAME MEDIAN MIN N */
#define _GNU_SOURCE
#include <grp.h>
#include <pwd.h>
#include "bench.h"

static unsigned entries, at;

static unsigned turn(void) /* all over the table */
{
	return at = (at + 7919) % entries;
}

static int uid_found(void)
{
	unsigned id = turn() + 1000;
	struct passwd *p = getpwuid(id);

	return p && p->pw_uid == id ? 0 : ENOENT;
}

static int uid_missing(void)
{
	return getpwuid(5000000 + turn()) ? EEXIST : 0;
}

static int name_found(void)
{
	char name[16];
	struct passwd *p;

	snprintf(name, sizeof name, "u%u", turn());
	p = getpwnam(name);
	return p && strcmp(p->pw_name, name) == 0 ? 0 : ENOENT;
}

static int name_missing(void)
{
	return getpwnam("nobody-of-this-name") ? EEXIST : 0;
}

static int gid_found(void)
{
	unsigned id = turn() + 1000;
	struct group *g = getgrgid(id);

	return g && g->gr_gid == id ? 0 : ENOENT;
}

static int gid_missing(void)
{
	return getgrgid(5000000 + turn()) ? EEXIST : 0;
}

int main(int argc, char **argv)
{
	entries = argc > 1 ? (unsigned)atoi(argv[1]) : 10000;
	bench_batches = 5;
	bench_print("getpwuid found", bench_op(uid_found));
	bench_print("getpwuid missing", bench_op(uid_missing));
	bench_print("getpwnam found", bench_op(name_found));
	bench_print("getpwnam missing", bench_op(name_missing));
	bench_print("getgrgid found", bench_op(gid_found));
	bench_print("getgrgid missing", bench_op(gid_missing));
	return 0;
}
