/* SPDX-License-Identifier: ISC
 *
 * A name is looked up below one directory until libjail has remembered it, and then the same name below another
 * directory that has the first one's number, or whose path looks the same to a poor hash.  In the first, /a, the
 * name "s/file" has 3 bytes.  In the second, /b, "s" is a symlink to a directory that only the host has.
 * It runs in the root that reused.sh makes, and says rows in TAP. */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OFTEN = 8, TIMES = 60, SWAPS = 100000 };

#define FACTOR "\x93\xfd\x59\x66\xb8\xfe\xe8\xd6" /* of preload/path/clean.c, mix(); it can be a file's name */

static int rows, bad;

static void row(bool good, const char *name)
{
	bad += !good;
	printf("%sok %d - %s\n", good ? "" : "not ", ++rows, name);
}

static int size(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) == 0 ? (int)st.st_size : -errno;
}

static int often(int dir, const char *name)
{
	int r = 0;

	for (int i = 0; i < OFTEN; i++)
		r = size(dir, name);
	return r;
}

static int dir(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY);
}

/* Each opens /b at the number fd, which is of /a, and returns fd. */
static int by_close(int fd)
{
	close(fd);
	return dir("/b");
}

static int by_raw_close(int fd)
{
	syscall(SYS_close, fd);
	return dir("/b");
}

static int by_dup2(int fd)
{
	const int b = dir("/b");

	dup2(b, fd);
	close(b);
	return fd;
}

static int by_raw_dup3(int fd)
{
	const int b = dir("/b");

	syscall(SYS_dup3, b, fd, O_CLOEXEC);
	close(b);
	return fd;
}

static int by_closedir(int fd)
{
	closedir(fdopendir(fd));
	return dir("/b");
}

static int by_fclose(int fd)
{
	fclose(fdopen(fd, "r"));
	return dir("/b");
}

static int by_freopen(int fd)
{
	FILE *f = freopen("/b", "r", fdopen(fd, "r"));

	return f ? fileno(f) : -1;
}

static int by_close_range(int fd)
{
	syscall(SYS_close_range, fd, fd + 10, 0);
	if (fcntl(fd, F_GETFD) >= 0) /* before Linux 5.9 */
		close(fd);
	return dir("/b");
}

/* In a process that shares the table of descriptors, and not the memory. */
static char stack[1 << 16] __attribute__((aligned(16)));
static int by_another(int fd, int (*work)(void *))
{
	const pid_t child = clone(work, stack + sizeof stack, CLONE_FILES | SIGCHLD, &fd);

	waitpid(child, NULL, 0);
	return fd;
}

static int closes(void *fd)
{
	return close(*(int *)fd);
}

static int replaces(void *fd)
{
	return by_dup2(*(int *)fd) < 0;
}

static int by_anothers_close(int fd)
{
	by_another(fd, closes);
	return dir("/b");
}

static int by_anothers_dup2(int fd)
{
	return by_another(fd, replaces);
}

static const struct way { const char *name; int (*reopen)(int fd); } ways[] = {
	{"close",                                          by_close         },
	{"close by syscall(2)",                            by_raw_close     },
	{"dup2",                                           by_dup2          },
	{"dup3 by syscall(2)",                             by_raw_dup3      },
	{"closedir",                                       by_closedir      },
	{"fclose",                                         by_fclose        },
	{"freopen",                                        by_freopen       },
	{"close_range",                                    by_close_range   },
	{"close by a process that shares the descriptors", by_anothers_close},
	{"dup2 by a process that shares the descriptors",  by_anothers_dup2 },
};

static bool another_directory(const struct way *way)
{
	for (int i = 0; i < TIMES; i++) {
		const int a = dir("/a"), first = often(a, "s/file");
		const int b = way->reopen(a), second = size(b, "s/file");

		if (a != b || first != 3 || second != -ENOENT) {
			printf("# number %d, then %d: \"s/file\" is %d, then %d\n", a, b, first, second);
			fflush(stdout);
			return false;
		}
		close(b);
	}
	return true;
}

/* In a process of its own: one that shares its descriptors is no longer believed to know them. */
static void in_a_process(const struct way *way)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(!another_directory(way));
	row(child > 0 && waitpid(child, &status, 0) == child && status == 0, way->name);
}

/* One thread looks, the other one puts /a and /b by turns at the same number. */
static int shared;
static void *swaps(void *arg)
{
	const int part[] = {dir("/a"), dir("/b")};

	for (int i = 0; i < SWAPS; i++)
		dup2(part[i % 2], shared);
	__atomic_store_n(&shared, -1, __ATOMIC_SEQ_CST);
	return arg;
}

static void while_a_thread_swaps(void)
{
	const int fd = shared = dir("/a");
	pthread_t other;
	int wrong = 0, r;

	pthread_create(&other, NULL, swaps, NULL);
	while (__atomic_load_n(&shared, __ATOMIC_SEQ_CST) >= 0) {
		r = size(fd, "s/file");
		if (r != 3 && r != -ENOENT && !wrong++)
			printf("# \"s/file\" is %d\n", r);
	}
	pthread_join(other, NULL);
	row(!wrong, "dup2 by another thread, all the time");
}

static void another_path(const char *name, const char *a, const char *b)
{
	const int first = often(AT_FDCWD, a), second = size(AT_FDCWD, b);

	if (first != 3 || second != -ENOENT)
		printf("# %d, then %d\n", first, second);
	row(first == 3 && second == -ENOENT, name);
}

int main(void)
{
	for (int i = 0; i < TIMES; i++)
		often(AT_FDCWD, "/a/s/file"); /* so that libjail's memory is in use */
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		in_a_process(&ways[i]);
	another_path("a path that ends as the other one does", "/a/s/file", "/b/s/file");
	another_path("a name that has a constant's bytes", "/a/" FACTOR "/file", "/b/" FACTOR "/file");
	another_path("a name that ends with them", "/a/12345678" FACTOR "/file", "/b/12345678" FACTOR "/file");
	while_a_thread_swaps();
	printf("1..%d\n", rows);
	return bad != 0;
}
