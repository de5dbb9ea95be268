/* SPDX-License-Identifier: ISC
 *
 * Temporary names: the six X, what may stand for them, how often to try.  The libcs' own functions
 * reach the kernel inside libc, past every wrapper, so these are whole; where glibc and musl
 * differ in what a program can see (tempnam(3)'s $TMPDIR, the shape of tmpnam(3)'s names, what is
 * left in the template of a failed call) each process gets what its libc does. */
#include "../config.h"
#include "../env.h"
#include "../fdpolicy.h"
#include "../state.h"
#include "../wrap.h"
#include "temp.h"

enum { TEMP_X = 6 };

/* What is done with a name: -EEXIST asks for another one, all else is the answer. */
typedef long temp_try(const char *name, int flags);

static long temp_file(const char *name, int flags)
{
	return guest_open_as(FD_STREAM, fdpolicy_flag(FD_STREAM), AT_FDCWD, name,
		(flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600, false);
}

static long temp_dir(const char *name, int flags)
{
	(void)flags;
	return guest_mkdirat(AT_FDCWD, name, 0700);
}

static long temp_absent(const char *name, int flags)
{
	struct stat st;
	long r = guest_newfstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW);

	(void)flags;
	return r == 0 ? -EEXIST : r == -ENOENT ? 0 : r;
}

/* 64 bits that another process does not guess; without getrandom(2), or before the kernel's pool
 * is ready, at least bits that it does not repeat. */
static uint64_t temp_random(const void *salt)
{
	uint64_t bits;
	struct timespec now;

	/* 1: GRND_NONBLOCK, a name is not worth waiting for at boot */
	if (sys_call(SYS_getrandom, &bits, sizeof bits, 1) == (long)sizeof bits)
		return bits;
	sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	bits = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uintptr_t)salt >> 4 ^
	       (uint64_t)sys_gettid() << 40;
	return bits * 6364136223846793005u + 1442695040888963407u;
}

static long temp_make(char *name, int suffix, temp_try *try, int flags)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = strlen(name);
	/* glibc's ATTEMPTS_MIN is 62^3; musl gives up after a hundred */
	int tries = config()->musl ? 100 : 62 * 62 * 62;
	char *x;
	long r;

	if (suffix < 0 || n < TEMP_X || (size_t)suffix > n - TEMP_X)
		return -EINVAL;
	x = name + n - (size_t)suffix - TEMP_X;
	if (memcmp(x, "XXXXXX", TEMP_X) != 0)
		return -EINVAL;
	do {
		uint64_t bits = temp_random(&bits);

		for (int i = 0; i < TEMP_X; i++, bits /= 62)
			x[i] = letters[bits % 62];
		r = try(name, flags);
	} while (r == -EEXIST && --tries);
	if (r < 0 && config()->musl)
		memcpy(x, "XXXXXX", TEMP_X);
	return r;
}

long temp_open(char *name, int suffix, int flags)
{
	return temp_make(name, suffix, temp_file, flags);
}

int jail_mkostemps(char *name, int suffix, int flags)
{
	return EDGE(int, temp_open(name, suffix, flags));
}

int jail_mkstemps(char *name, int suffix)
{
	return EDGE(int, temp_open(name, suffix, 0));
}

int jail_mkostemp(char *name, int flags)
{
	return EDGE(int, temp_open(name, 0, flags));
}

int jail_mkstemp(char *name)
{
	return EDGE(int, temp_open(name, 0, 0));
}

char *jail_mkdtemp(char *name)
{
	return EDGE(int, temp_make(name, 0, temp_dir, 0)) < 0 ? NULL : name;
}

/* mktemp(3): a name that could not be made is the empty string. */
char *jail_mktemp(char *name)
{
	if (EDGE(int, temp_make(name, 0, temp_absent, 0)) < 0)
		name[0] = '\0';
	return name;
}

static bool temp_is_dir(const char *dir)
{
	struct stat st;

	return guest_newfstatat(AT_FDCWD, dir, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* "dir/prefixXXXXXX" in s, made a name that does not exist: 0 or -errno. */
static long temp_name(struct str *s, const char *dir, size_t n, const char *prefix, size_t max)
{
	char *start = s->at;
	size_t p = strlen(prefix);

	str_put(s, dir, n);
	str_puts(s, "/");
	str_put(s, prefix, p < max ? p : max);
	if (config()->musl)
		str_puts(s, "_");
	str_puts(s, "XXXXXX");
	if (!s->at)
		return config()->musl ? -ENAMETOOLONG : -EINVAL;
	return temp_make(start, 0, temp_absent, 0);
}

/* A name in "/" has two slashes in front, or one since some release of glibc: which one this is its own
 * answer tells, unless $TMPDIR is a directory to it. */
static bool temp_root_once(void)
{
	char *(*real)(const char *, const char *) = REAL(tempnam);
	char *name = real ? real("/", "f") : NULL;
	const bool once = name && name[0] == '/' && name[1] == 'f';

	HEAP(free, void, (void *))(name);
	return once;
}

/* tempnam(3).  The directory is $TMPDIR, dir or /tmp, whichever first is one, and of the prefix
 * five bytes are used; musl takes dir and the whole prefix as they are. */
char *jail_tempnam(const char *dir, const char *prefix)
{
	char buf[PATH_MAX];
	struct str s = {buf, buf + sizeof buf};
	size_t n;
	long r;

	if (config()->musl) {
		dir = dir ? dir : P_tmpdir;
		prefix = prefix ? prefix : "temp";
		r = temp_name(&s, dir, strlen(dir), prefix, SIZE_MAX);
	} else {
		const char *env = env_get(config_environ(), "TMPDIR");

		if (env && temp_is_dir(env))
			dir = env;
		else if (!dir || !temp_is_dir(dir))
			dir = temp_is_dir(P_tmpdir) ? P_tmpdir : NULL;
		if (!dir) {
			errno_set(ENOENT);
			return NULL;
		}
		for (n = strlen(dir); n > 1 && dir[n - 1] == '/';)
			n--;
		if (n == 1 && *dir == '/' && temp_root_once())
			n = 0;
		r = temp_name(&s, dir, n, prefix && *prefix ? prefix : "file", 5);
	}
	/* libc's strdup allocates as the program frees */
	return EDGE(int, r) < 0 ? NULL : LIBC(strdup, char *, (const char *))(buf);
}

static char *temp_tmpnam(char *buf)
{
	char name[L_tmpnam];
	struct str s = {name, name + sizeof name};

	if (!config()->musl && !temp_is_dir(P_tmpdir)) {
		errno_set(ENOENT);
		return NULL;
	}
	if (EDGE(int, temp_name(&s, P_tmpdir, strlen(P_tmpdir), config()->musl ? "tmpnam" : "file",
			      SIZE_MAX)) < 0)
		return NULL;
	return memcpy(buf, name, strlen(name) + 1);
}

char *jail_tmpnam(char *buf)
{
	static char own[L_tmpnam]; /* tmpnam(3): without a buffer the next call overwrites it */

	return temp_tmpnam(buf ? buf : own);
}

char *jail_tmpnam_r(char *buf)
{
	return buf ? temp_tmpnam(buf) : NULL;
}
