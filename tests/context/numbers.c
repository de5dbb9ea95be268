/* SPDX-License-Identifier: ISC
 *
 * What one thread sees of the numbers of descriptors while another makes calls that have none.
 *
 *   numbers lowest   close(0); open() gives 0
 *   numbers unopened close(n) of what was never opened is EBADF
 *   numbers taken    what dup2() has put at a number is there until it is closed
 *   numbers enter    the same, while others call chroot("/") alone: beside real numbers up to 512
 *
 * The other thread must have been in the middle of its calls at least THOUSAND times, and none of its
 * calls may fail.  Prints "good", or what went wrong; the status says the same. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THOUSAND = 1000, FIRST = 40, LAST = 512 };

static int stop, rounds;
static const char *wrong;
static int wrong_errno;

static void bad(const char *what)
{
	__atomic_store_n(&wrong_errno, errno, __ATOMIC_RELAXED);
	__atomic_store_n(&wrong, what, __ATOMIC_RELEASE);
}

#define MUST(x) ((x) ? (void)0 : bad(#x))

static void *look(void *arg)
{
	struct stat st;
	char buf[300];

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		MUST(stat("/numbers/absolute", &st) == 0); /* -> /numbers/relative -> up/../file */
		MUST(stat("/numbers/up/up/up/file", &st) == 0);
		MUST(stat("/numbers/none", &st) == -1 && errno == ENOENT);
		MUST(lstat("/numbers/absolute", &st) == 0);
#ifdef __GLIBC__
		struct statx stx;
		MUST(statx(AT_FDCWD, "/numbers/absolute", 0, STATX_BASIC_STATS, &stx) == 0);
#endif
		MUST(access("/numbers/absolute", R_OK) == 0);
		MUST(readlink("/numbers/absolute", buf, sizeof buf) > 0);
		MUST(stat("/proc/self/status", &st) == 0);
		MUST(stat("/dev/null", &st) == 0 && access("/dev/null", R_OK) == 0);
		MUST(chdir("/numbers/up") == 0);
		MUST(chdir("/") == 0);
		__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
	}
	return arg;
}

static void *enter(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		MUST(chroot("/") == 0);
		__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
	}
	return arg;
}

static void lowest(void)
{
	struct stat st;

	close(0);
	MUST(open("/dev/null", O_RDONLY) == 0);
	MUST(fstat(0, &st) == 0 && S_ISCHR(st.st_mode));
}

static void unopened(void)
{
	for (int i = FIRST; i < FIRST + 32; i++)
		MUST(close(i) == -1 && errno == EBADF);
	MUST(close(3) == -1 && errno == EBADF);
}

static void taken(void)
{
	struct stat want, st;

	fstat(1, &want);
	for (int i = 3; i < LAST; i++)
		if (i < 8 || i >= FIRST)
			MUST(dup2(1, i) == i);
	for (int i = 3; i < LAST; i++)
		if (i < 8 || i >= FIRST) {
			MUST(fstat(i, &st) == 0 && st.st_ino == want.st_ino && st.st_dev == want.st_dev);
			MUST(close(i) == 0);
		}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	void (*work)(void) = strcmp(what, "lowest") == 0 ? lowest : strcmp(what, "unopened") == 0 ? unopened : taken;
	pthread_t threads[2];

	for (int i = 3; i < LAST; i++)
		close(i); /* what the shell has left */
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, strcmp(what, "enter") == 0 ? enter : look, NULL) != 0)
			return 1;
	while (!__atomic_load_n(&wrong, __ATOMIC_ACQUIRE) && __atomic_load_n(&rounds, __ATOMIC_RELAXED) < THOUSAND)
		work();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	if (wrong)
		printf("%s: not so, errno %s\n", wrong, strerror(wrong_errno));
	else
		puts("good");
	return wrong != NULL;
}
