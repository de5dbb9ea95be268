/* SPDX-License-Identifier: ISC
 *
 * Every function of the surface at priority A that libjail wraps, called once each, with an answer
 * that is known: ROW(its name, what it is) { ... }.  A row needs a directory as calls.sh makes it;
 * what it has to prepare and to clean up goes past libjail, so that a context may fail any system
 * call and it is the function under test that meets it.  errno must survive success wherever a
 * function is one system call (TRY; LAX for what libc makes of several).
 * Linked into a library of its own: contexts.c loads it in several ways. */
#include "calls.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libintl.h>
#include <link.h>
#include <mntent.h>
#include <pty.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

extern char **environ;

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#if defined(__x86_64__)
long raw(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = COOKIE;

	__asm__ volatile("syscall"
			 : "+a"(nr)
			 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return nr;
}
#elif defined(__aarch64__)
long raw(long nr, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
			 x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e,
			 x5 __asm__("x5") = COOKIE;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#endif

int calls_fds(void)
{
	char buf[2048];
	int dir = (int)raw(SYS_openat, AT_FDCWD, (long)"/proc/self/fd", O_RDONLY | O_CLOEXEC, 0, 0), count = 0;
	long n;

	if (dir < 0)
		return -1;
	while ((n = raw(SYS_getdents64, dir, (long)buf, sizeof buf, 0, 0)) > 0)
		for (long at = 0; at < n; at += *(unsigned short *)(void *)(buf + at + 16))
			count++;
	raw(SYS_close, dir, 0, 0, 0, 0);
	return count - 3; /* ., .., dir */
}

/* musl's headers make other names of these */
#undef stat64
#undef lstat64
#undef fstatat64
#undef statfs64
#undef statvfs64
#undef open64
#undef openat64
#undef glob64
#undef fopen64
#undef freopen64
#undef tmpfile64
#undef truncate64
#undef mkstemp64
#undef mkostemp64
#undef scandir64
#undef fcntl64

/* -- what rows are made of --------------------------------------------------------------------- */

enum { MARK = 0xdead, NAME_ROOM = 128 };

#define ROW(call_name, what)                                                                         \
	static int row_##call_name(const struct at *at, char *pa, char *pb);                       \
	static int run_##call_name(const struct at *at)                                            \
	{                                                                                          \
		char a[NAME_ROOM], b[NAME_ROOM];                                                   \
                                                                                                   \
		return row_##call_name(at, a, b);                                                  \
	}                                                                                          \
	static const struct call call_##call_name                                                  \
		__attribute__((section("calls"), used, aligned(8))) = {#call_name, what, run_##call_name}; \
	static int row_##call_name(const struct at *at __attribute__((unused)),                    \
		char *pa __attribute__((unused)), char *pb __attribute__((unused)))

extern const struct call __start_calls[] __attribute__((visibility("hidden")));
extern const struct call __stop_calls[] __attribute__((visibility("hidden")));

const struct call *calls_all(int *n)
{
	*n = (int)(__stop_calls - __start_calls);
	return __start_calls;
}

/* libc's symbol, whatever its header makes of the name; NULL where there is none. */
#define FN(ret, name, params) extern ret c_##name params __asm__(#name) __attribute__((weak));

#define FAILED (errno == MARK || errno == 0 ? __LINE__ : -errno)
#define TRY(good) (errno = MARK, (good) ? (errno == MARK ? 0 : __LINE__) : FAILED)
#define LAX(good) (errno = MARK, (good) ? 0 : FAILED)
/* the error comes back */
#define TOLD(call) (-(call))

/* dir/name, where % in name is the caller's tag */
static char *path(char *to, const struct at *at, bool absolute, const char *name)
{
	char *p = to;

	if (absolute) {
		for (const char *s = at->dir; *s && p < to + NAME_ROOM - 24;)
			*p++ = *s++;
		*p++ = '/';
	}
	for (; *name; name++)
		*p++ = *name == '%' ? at->tag : *name;
	*p = '\0';
	return to;
}
#define A(name) path(pa, at, true, name)
#define B(name) path(pb, at, true, name)

static void raw_rm(const struct at *at, const char *name)
{
	char n[NAME_ROOM];

	if (raw(SYS_unlinkat, at->fd, (long)path(n, at, false, name), 0, 0, 0) == -EISDIR)
		raw(SYS_unlinkat, at->fd, (long)n, AT_REMOVEDIR, 0, 0);
}

static void raw_close(int fd)
{
	if (fd > 2)
		raw(SYS_close, fd, 0, 0, 0, 0);
}

static int raw_open(const struct at *at, const char *name, int flags)
{
	char n[NAME_ROOM];

	return (int)raw(SYS_openat, at->fd, (long)path(n, at, false, name), flags | O_CLOEXEC, 0644, 0);
}

static void raw_new(const struct at *at, const char *name)
{
	raw_close(raw_open(at, name, O_CREAT | O_RDWR));
}

static void raw_mkdir(const struct at *at, const char *name)
{
	char n[NAME_ROOM];

	raw(SYS_mkdirat, at->fd, (long)path(n, at, false, name), 0755, 0, 0);
}

static int raw_socket(int type)
{
	return (int)raw(SYS_socket, AF_UNIX, type | SOCK_CLOEXEC, 0, 0, 0);
}

static socklen_t un_name(struct sockaddr_un *un, const char *name)
{
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
}

/* A socket bound to name in the directory: its host path is short by way of /proc. */
static int raw_bound(const struct at *at, int type, const char *name)
{
	struct sockaddr_un un;
	char n[NAME_ROOM], *p = n, digits[12];
	int fd = raw_socket(type), k = 0;

	for (const char *s = "/proc/self/fd/"; *s;)
		*p++ = *s++;
	for (int d = at->fd; d || !k; d /= 10)
		digits[k++] = (char)('0' + d % 10);
	while (k)
		*p++ = digits[--k];
	*p++ = '/';
	path(p, at, false, name);
	socklen_t len = un_name(&un, n);

	raw(SYS_bind, fd, (long)&un, (long)len, 0, 0);
	if (type == SOCK_STREAM)
		raw(SYS_listen, fd, 5, 0, 0, 0);
	return fd;
}

static bool same(const struct at *at, const struct stat *st, const char *name, int flags)
{
	struct stat want;
	char n[NAME_ROOM];

	return raw(SYS_newfstatat, at->fd, (long)path(n, at, false, name), (long)&want, flags, 0) == 0 &&
	       st->st_ino == want.st_ino && st->st_mode == want.st_mode;
}

static bool holds(int fd)
{
	char c = 0;

	return fd >= 0 && raw(SYS_read, fd, (long)&c, 1, 0, 0) == 1 && c == 'c';
}

/* What a child ends with; -1: by a signal. */
static int ended(pid_t pid)
{
	int status;

	while (raw(SYS_wait4, pid, (long)&status, 0, 0, 0) == -EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* -- what a path leads to ---------------------------------------------------------------------- */

#define STAT(name) FN(int, name, (const char *, struct stat *)) \
	ROW(name, SAFE | LOOKS) { struct stat st; return TRY(c_##name(A("f"), &st) == 0 && same(at, &st, "f", 0)); }
STAT(stat)
STAT(stat64)
#define LSTAT(name) FN(int, name, (const char *, struct stat *)) \
	ROW(name, SAFE | LOOKS) { struct stat st; return TRY(c_##name(A("l"), &st) == 0 && S_ISLNK(st.st_mode)); }
LSTAT(lstat)
LSTAT(lstat64)
#define FSTATAT(name) FN(int, name, (int, const char *, struct stat *, int)) \
	ROW(name, SAFE | LOOKS) { struct stat st; return TRY(c_##name(at->fd, "l", &st, 0) == 0 && same(at, &st, "f", 0)); }
FSTATAT(fstatat)
FSTATAT(fstatat64)
#define XSTAT(name) FN(int, name, (int, const char *, struct stat *)) \
	ROW(name, SAFE | LOOKS) { struct stat st; return TRY(c_##name(1, A("d"), &st) == 0 && S_ISDIR(st.st_mode)); }
XSTAT(__xstat)
XSTAT(__xstat64)
XSTAT(__lxstat)
XSTAT(__lxstat64)
#define FXSTATAT(name) FN(int, name, (int, int, const char *, struct stat *, int)) \
	ROW(name, SAFE | LOOKS) { struct stat st; return TRY(c_##name(1, AT_FDCWD, A("f"), &st, 0) == 0 && same(at, &st, "f", 0)); }
FXSTATAT(__fxstatat)
FXSTATAT(__fxstatat64)
FN(int, fstat, (int, struct stat *))
ROW(fstat, SAFE | LOOKS) { struct stat st; return TRY(c_fstat(at->fd, &st) == 0 && same(at, &st, ".", 0)); }
#ifdef __GLIBC__
FN(int, statx, (int, const char *, int, unsigned, struct statx *))
ROW(statx, SAFE | LOOKS | GLIBC)
{
	struct statx sx;

	return TRY(c_statx(AT_FDCWD, A("f"), 0, 0x7ff, &sx) == 0 && sx.stx_size == 4);
}
#else
ROW(statx, SAFE | GLIBC) { return 0; }
#endif
FN(int, access, (const char *, int))
ROW(access, SAFE | LOOKS) { return TRY(c_access(A("d/../l"), R_OK) == 0); }
FN(int, faccessat, (int, const char *, int, int))
ROW(faccessat, SAFE | LOOKS) { return TRY(c_faccessat(at->fd, "d/e1", R_OK, 0) == 0); }
#define STATFS(name) FN(int, name, (const char *, struct statfs *)) \
	ROW(name, SAFE | LOOKS) { struct statfs sf; return TRY(c_##name(A("f"), &sf) == 0 && sf.f_bsize > 0); }
STATFS(statfs)
STATFS(statfs64)
#define STATVFS(name) FN(int, name, (const char *, struct statvfs *)) \
	ROW(name, SAFE | LOOKS) { struct statvfs sf; return LAX(c_##name(A("f"), &sf) == 0 && sf.f_bsize > 0); }
STATVFS(statvfs)
STATVFS(statvfs64)
FN(ssize_t, readlink, (const char *, char *, size_t))
ROW(readlink, SAFE | LOOKS) { return TRY(c_readlink(A("l"), pb, 8) == 1 && *pb == 'f'); }
FN(ssize_t, readlinkat, (int, const char *, char *, size_t))
ROW(readlinkat, SAFE | LOOKS) { return TRY(c_readlinkat(at->fd, "l", pb, 8) == 1 && *pb == 'f'); }
FN(ssize_t, __readlink_chk, (const char *, char *, size_t, size_t))
ROW(__readlink_chk, SAFE | LOOKS | GLIBC) { return TRY(c___readlink_chk(A("l"), pb, 8, 8) == 1 && *pb == 'f'); }
FN(ssize_t, __readlinkat_chk, (int, const char *, char *, size_t, size_t))
ROW(__readlinkat_chk, SAFE | LOOKS | GLIBC) { return TRY(c___readlinkat_chk(at->fd, "l", pb, 8, 8) == 1 && *pb == 'f'); }
FN(char *, realpath, (const char *, char *))
ROW(realpath, HEAP | LOOKS | QUIET)
{
	char *r = NULL;
	int n = LAX((r = c_realpath(A("d/../l"), NULL)) && strcmp(r, B("f")) == 0);

	free(r);
	return n;
}
FN(char *, __realpath_chk, (const char *, char *, size_t))
ROW(__realpath_chk, HEAP | LOOKS | GLIBC | QUIET)
{
	char *to = malloc(4096);
	int n = !to ? -ENOMEM : LAX(c___realpath_chk(A("d/../l"), to, 4096) && strcmp(to, B("f")) == 0);

	free(to);
	return n;
}
FN(char *, canonicalize_file_name, (const char *))
ROW(canonicalize_file_name, HEAP | LOOKS | GLIBC | QUIET)
{
	char *r = NULL;
	int n = LAX((r = c_canonicalize_file_name(A("d/.././l"))) && strcmp(r, B("f")) == 0);

	free(r);
	return n;
}

/* -- opened ------------------------------------------------------------------------------------- */

#define FD_ROW(name, what, expr)                                      \
	ROW(name, what)                                               \
	{                                                             \
		int fd = -1, r = TRY((fd = (expr)) >= 0 && holds(fd)); \
                                                                      \
		raw_close(fd);                                        \
		return r;                                             \
	}
#define FD_EMPTY(name, what, expr)                       \
	ROW(name, what)                                  \
	{                                                \
		int fd = -1, r = TRY((fd = (expr)) >= 0); \
                                                         \
		raw_close(fd);                           \
		return r;                                \
	}
FN(int, open, (const char *, int, ...))
FD_ROW(open, SAFE | LOOKS, c_open(A("f"), O_RDONLY))
FN(int, open64, (const char *, int, ...))
FD_ROW(open64, SAFE | LOOKS, c_open64(A("d/../l"), O_RDONLY))
FN(int, __open_2, (const char *, int))
FD_ROW(__open_2, SAFE | LOOKS | GLIBC, c___open_2(A("f"), O_RDONLY))
FN(int, __open64_2, (const char *, int))
FD_ROW(__open64_2, SAFE | LOOKS | GLIBC, c___open64_2(A("f"), O_RDONLY))
FN(int, openat, (int, const char *, int, ...))
FD_ROW(openat, SAFE | LOOKS, c_openat(at->fd, "l", O_RDONLY))
FN(int, openat64, (int, const char *, int, ...))
FD_ROW(openat64, SAFE | LOOKS, c_openat64(at->fd, "d/../f", O_RDONLY))
FN(int, __openat_2, (int, const char *, int))
FD_ROW(__openat_2, SAFE | LOOKS | GLIBC, c___openat_2(at->fd, "f", O_RDONLY))
FN(int, __openat64_2, (int, const char *, int))
FD_ROW(__openat64_2, SAFE | LOOKS | GLIBC, c___openat64_2(at->fd, "f", O_RDONLY))
/* no path: syscall(2) as such */
FN(long, syscall, (long, ...))
FD_ROW(syscall, SAFE | LOOKS, (int)c_syscall(SYS_openat, AT_FDCWD, A("f"), O_RDONLY))

FN(DIR *, opendir, (const char *))
FN(int, closedir, (DIR *))
static int entries(DIR *d)
{
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += e->d_name[0] == 'e';
	return n;
}
static void closed(DIR *d)
{
	if (d)
		c_closedir(d);
}
ROW(opendir, HEAP | LOOKS)
{
	DIR *d = NULL;
	int r = LAX((d = c_opendir(A("d"))) && entries(d) == 2);

	closed(d);
	return r;
}
FN(DIR *, fdopendir, (int))
ROW(fdopendir, HEAP | LOOKS)
{
	int fd = raw_open(at, "d", O_RDONLY | O_DIRECTORY);
	DIR *d = NULL;
	int r = LAX((d = c_fdopendir(fd)) && entries(d) == 2);

	if (d)
		closed(d);
	else
		raw_close(fd);
	return r;
}
ROW(closedir, HEAP | LOOKS)
{
	int fd = raw_open(at, "d", O_RDONLY | O_DIRECTORY), r;
	DIR *d = c_fdopendir(fd);

	if (!d) {
		r = -errno;
		raw_close(fd);
		return r;
	}
	r = LAX(c_closedir(d) == 0);
	if (r == 0 && at->tag == 'm' && raw(SYS_fcntl, fd, F_GETFD, 0, 0, 0) >= 0)
		r = __LINE__; /* elsewhere the number may be another thread's */
	return r;
}
static int entry_named(const struct dirent *e)
{
	return e->d_name[0] == 'e';
}
#define SCANDIR(name)                                                                                   \
	FN(int, name, (const char *, struct dirent ***, int (*)(const struct dirent *),                 \
		int (*)(const struct dirent **, const struct dirent **)))                               \
	ROW(name, HEAP | LOOKS)                                                                         \
	{                                                                                               \
		struct dirent **list = NULL;                                                            \
		int n = -1, r = LAX((n = c_##name(A("d"), &list, entry_named, alphasort)) == 2 &&       \
				    strcmp(list[1]->d_name, "e2") == 0);                                \
                                                                                                        \
		while (n > 0)                                                                           \
			free(list[--n]);                                                                \
		free(list);                                                                             \
		return r;                                                                               \
	}
SCANDIR(scandir)
SCANDIR(scandir64)
#define GLOB(name)                                                                             \
	FN(int, name, (const char *, int, int (*)(const char *, int), glob_t *))               \
	ROW(name, HEAP | LOOKS | QUIET)                                                        \
	{                                                                                      \
		glob_t g = {0};                                                                \
		int n = c_##name(A("d/e*"), 0, NULL, &g);                                      \
		int r = n == GLOB_NOSPACE ? -ENOMEM : n ? -EIO                                 \
			: g.gl_pathc == 2 && strcmp(g.gl_pathv[0], B("d/e1")) == 0 ? 0 : __LINE__; \
                                                                                               \
		globfree(&g);                                                                  \
		return r;                                                                      \
	}
GLOB(glob)
GLOB(glob64)

/* -- streams ------------------------------------------------------------------------------------- */

FN(int, fclose, (FILE *))
#define FOPEN(name)                                                          \
	FN(FILE *, name, (const char *, const char *))                       \
	ROW(name, HEAP | LOOKS)                                              \
	{                                                                    \
		FILE *f = NULL;                                              \
		int r = LAX((f = c_##name(A("f"), "r")) && fgetc(f) == 'c'); \
                                                                             \
		if (f)                                                       \
			c_fclose(f);                                         \
		return r;                                                    \
	}
FOPEN(fopen)
FOPEN(fopen64)
/* freopen closes the descriptor of the old stream also when it fails */
#define FREOPEN(name)                                                                      \
	FN(FILE *, name, (const char *, const char *, FILE *))                             \
	ROW(name, HEAP | LOOKS)                                                            \
	{                                                                                  \
		FILE *f = fopen(A("fstab"), "r"), *g = NULL;                               \
		int r;                                                                     \
                                                                                           \
		if (!f)                                                                    \
			return -errno;                                                     \
		r = LAX((g = c_##name(A("f"), "r", f)) && fgetc(g) == 'c');                \
		if (g)                                                                     \
			c_fclose(g);                                                       \
		return r;                                                                  \
	}
FREOPEN(freopen)
FREOPEN(freopen64)
FN(FILE *, fdopen, (int, const char *))
ROW(fdopen, HEAP | LOOKS)
{
	int fd = raw_open(at, "f", O_RDONLY);
	FILE *f = NULL;
	int r = LAX((f = c_fdopen(fd, "r")) && fgetc(f) == 'c');

	if (f)
		c_fclose(f);
	else
		raw_close(fd);
	return r;
}
ROW(fclose, HEAP | LOOKS)
{
	int fd = raw_open(at, "f", O_RDONLY), r;
	FILE *f = fdopen(fd, "r");

	if (!f) {
		r = -errno;
		raw_close(fd);
		return r;
	}
	return LAX(c_fclose(f) == 0);
}
#define TMPFILE(name)                                                                                \
	FN(FILE *, name, (void))                                                                     \
	ROW(name, HEAP | QUIET)                                                                      \
	{                                                                                            \
		FILE *f = NULL;                                                                      \
		int r = LAX((f = c_##name()) && fputc('x', f) == 'x' && fflush(f) == 0);             \
                                                                                                     \
		if (f)                                                                               \
			c_fclose(f);                                                                 \
		return r;                                                                            \
	}
TMPFILE(tmpfile)
TMPFILE(tmpfile64)
FN(FILE *, setmntent, (const char *, const char *))
FN(int, endmntent, (FILE *))
FN(struct mntent *, getmntent, (FILE *))
ROW(setmntent, HEAP | LOOKS)
{
	FILE *f = NULL;
	int r = LAX((f = c_setmntent(A("fstab"), "r")) != NULL);

	if (f)
		c_endmntent(f);
	return r;
}
#define MNTENT(name, good)                                  \
	ROW(name, HEAP | LOOKS)                             \
	{                                                   \
		FILE *f = c_setmntent(A("fstab"), "r");     \
		struct mntent *m = NULL;                    \
		int r;                                      \
                                                            \
		if (!f)                                     \
			return -errno;                      \
		r = LAX(good);                              \
		(void)m;                                    \
		if (f)                                      \
			c_endmntent(f);                     \
		return r;                                   \
	}
MNTENT(getmntent, (m = c_getmntent(f)) && strncmp(m->mnt_dir, "/ab", 3) == 0)
MNTENT(endmntent, (m = c_getmntent(f), c_endmntent(f)) == 1 && !(f = NULL))
FN(FILE *, popen, (const char *, const char *))
FN(int, pclose, (FILE *))
ROW(popen, HEAP | EXEC)
{
	FILE *f = NULL;
	int r = LAX((f = c_popen("echo c", "r")) && fgetc(f) == 'c');

	if (f)
		c_pclose(f);
	return r;
}
ROW(pclose, HEAP | EXEC)
{
	FILE *f = popen("exit 3", "r");
	int status = -1, r;

	if (!f)
		return -errno;
	r = LAX((status = c_pclose(f)) >= 0);
	return r ? r : WEXITSTATUS(status) == 3 ? 0 : -EIO;
}

/* -- names made and removed ----------------------------------------------------------------------- */

FN(int, unlink, (const char *))
ROW(unlink, SAFE)
{
	raw_new(at, "u%");
	int r = TRY(c_unlink(A("u%")) == 0);

	raw_rm(at, "u%");
	return r;
}
FN(int, unlinkat, (int, const char *, int))
ROW(unlinkat, SAFE)
{
	raw_new(at, "d/ua%");
	int r = TRY(c_unlinkat(at->fd, path(pa, at, false, "d/ua%"), 0) == 0);

	raw_rm(at, "d/ua%");
	return r;
}
FN(int, rmdir, (const char *))
ROW(rmdir, SAFE)
{
	raw_mkdir(at, "rd%");
	int r = TRY(c_rmdir(A("rd%")) == 0);

	raw_rm(at, "rd%");
	return r;
}
FN(int, remove, (const char *))
ROW(remove, SAFE)
{
	raw_mkdir(at, "rm%");
	int r = LAX(c_remove(A("rm%")) == 0);

	raw_rm(at, "rm%");
	return r;
}
FN(int, mkdir, (const char *, mode_t))
ROW(mkdir, SAFE)
{
	raw_rm(at, "md%");
	int r = TRY(c_mkdir(A("md%"), 0755) == 0);

	raw_rm(at, "md%");
	return r;
}
FN(int, mkdirat, (int, const char *, mode_t))
ROW(mkdirat, SAFE)
{
	raw_rm(at, "d/mda%");
	int r = TRY(c_mkdirat(at->fd, path(pa, at, false, "d/mda%"), 0755) == 0);

	raw_rm(at, "d/mda%");
	return r;
}
FN(int, mkfifo, (const char *, mode_t))
ROW(mkfifo, SAFE)
{
	raw_rm(at, "ff%");
	int r = TRY(c_mkfifo(A("ff%"), 0644) == 0);

	raw_rm(at, "ff%");
	return r;
}
FN(int, symlink, (const char *, const char *))
ROW(symlink, SAFE)
{
	raw_rm(at, "sl%");
	int r = TRY(c_symlink("/nowhere", A("sl%")) == 0);

	raw_rm(at, "sl%");
	return r;
}
FN(int, symlinkat, (const char *, int, const char *))
ROW(symlinkat, SAFE)
{
	raw_rm(at, "sa%");
	int r = TRY(c_symlinkat("f", at->fd, path(pa, at, false, "sa%")) == 0);

	raw_rm(at, "sa%");
	return r;
}
FN(int, link, (const char *, const char *))
ROW(link, SAFE)
{
	raw_rm(at, "ln%");
	int r = TRY(c_link(A("f"), B("ln%")) == 0);

	raw_rm(at, "ln%");
	return r;
}
FN(int, linkat, (int, const char *, int, const char *, int))
ROW(linkat, SAFE)
{
	raw_rm(at, "la%");
	int r = TRY(c_linkat(at->fd, "l", AT_FDCWD, A("la%"), AT_SYMLINK_FOLLOW) == 0);

	raw_rm(at, "la%");
	return r;
}
#define RENAME(name, proto, ...)                                             \
	FN(int, name, proto)                                                 \
	ROW(name, SAFE)                                                      \
	{                                                                    \
		raw_new(at, "ra%");                                          \
		raw_rm(at, "d/rb%");                                         \
		int r = TRY(c_##name(__VA_ARGS__) == 0);                     \
                                                                             \
		raw_rm(at, "ra%");                                           \
		raw_rm(at, "d/rb%");                                         \
		return r;                                                    \
	}
RENAME(rename, (const char *, const char *), A("ra%"), B("d/rb%"))
RENAME(renameat, (int, const char *, int, const char *), at->fd, path(pa, at, false, "ra%"), AT_FDCWD, B("d/rb%"))
#ifdef __GLIBC__
RENAME(renameat2, (int, const char *, int, const char *, unsigned), AT_FDCWD, A("ra%"), AT_FDCWD, B("d/rb%"), 1)
#else
ROW(renameat2, SAFE | GLIBC) { return 0; }
#endif

/* -- mode, owner, times, size, extended attributes ------------------------------------------------- */

#define OWN_FILE(name, what, proto, ...)                         \
	FN(int, name, proto)                                     \
	ROW(name, what)                                          \
	{                                                        \
		raw_new(at, "at%");                              \
		int r = TRY(c_##name(__VA_ARGS__) == 0);         \
                                                                 \
		raw_rm(at, "at%");                               \
		return r;                                        \
	}
static const struct timespec some_ts[2] = {{1, 0}, {2, 0}};
static const struct timeval some_tv[2] = {{1, 0}, {2, 0}};
static const struct utimbuf some_times = {1, 2};
OWN_FILE(chmod, SAFE, (const char *, mode_t), A("at%"), 0600)
OWN_FILE(fchmodat, SAFE, (int, const char *, mode_t, int), at->fd, path(pa, at, false, "at%"), 0640, 0)
OWN_FILE(chown, SAFE, (const char *, uid_t, gid_t), A("at%"), (uid_t)-1, (gid_t)-1)
OWN_FILE(lchown, SAFE, (const char *, uid_t, gid_t), A("at%"), (uid_t)-1, (gid_t)-1)
OWN_FILE(fchownat, SAFE, (int, const char *, uid_t, gid_t, int), at->fd, path(pa, at, false, "at%"), (uid_t)-1, (gid_t)-1, 0)
OWN_FILE(truncate, SAFE, (const char *, off_t), A("at%"), 9)
OWN_FILE(truncate64, SAFE, (const char *, off_t), A("at%"), 9)
OWN_FILE(utime, SAFE, (const char *, const struct utimbuf *), A("at%"), &some_times)
OWN_FILE(utimes, SAFE, (const char *, const struct timeval[2]), A("at%"), some_tv)
OWN_FILE(utimensat, SAFE, (int, const char *, const struct timespec[2], int), at->fd, path(pa, at, false, "at%"), some_ts, 0)
#define NO_XATTR(r) ((r) == -ENOTSUP ? 0 : (r))
#define SETXATTR(name, want)                                                                            \
	FN(int, name, (const char *, const char *, const void *, size_t, int))                          \
	ROW(name, SAFE)                                                                                 \
	{                                                                                               \
		raw_new(at, "x%");                                                                      \
		int r = TRY(c_##name(A("x%"), "user.a", "v", 1, 0) == 0);                               \
                                                                                                        \
		raw_rm(at, "x%");                                                                       \
		return NO_XATTR(r);                                                                     \
	}
SETXATTR(setxattr, 0)
SETXATTR(lsetxattr, 0)
#define GETXATTR(name)                                                           \
	FN(ssize_t, name, (const char *, const char *, void *, size_t))          \
	ROW(name, SAFE | LOOKS)                                                  \
	{                                                                        \
		int r = TRY(c_##name(A("f"), "user.none", pb, 8) >= 0);          \
                                                                                 \
		return r == -ENODATA ? 0 : NO_XATTR(r);                          \
	}
GETXATTR(getxattr)
GETXATTR(lgetxattr)
#define LISTXATTR(name)                                     \
	FN(ssize_t, name, (const char *, char *, size_t))   \
	ROW(name, SAFE | LOOKS)                             \
	{                                                   \
		int r = TRY(c_##name(A("f"), NULL, 0) >= 0); \
                                                            \
		return NO_XATTR(r);                         \
	}
LISTXATTR(listxattr)
LISTXATTR(llistxattr)
FN(int, inotify_add_watch, (int, const char *, unsigned))
ROW(inotify_add_watch, SAFE | LOOKS)
{
	int fd = (int)raw(SYS_inotify_init1, O_CLOEXEC, 0, 0, 0, 0);
	int r = TRY(c_inotify_add_watch(fd, A("d"), 2) >= 0);

	raw_close(fd);
	return r;
}

/* -- temporary names -------------------------------------------------------------------------------- */

#define MKSTEMP(name, proto, ...)                                                       \
	FN(int, name, proto)                                                            \
	ROW(name, SAFE)                                                                 \
	{                                                                               \
		int fd = -1, r = LAX((fd = c_##name(__VA_ARGS__)) >= 0), n = 0;          \
                                                                                        \
		raw_close(fd);                                                          \
		while (pa[n])                                                           \
			n++;                                                            \
		if (fd >= 0 && raw(SYS_unlinkat, at->fd, (long)(pa + n - 9), 0, 0, 0))  \
			r = __LINE__;                                                   \
		return r;                                                               \
	}
MKSTEMP(mkstemp, (char *), A("t%-XXXXXX"))
MKSTEMP(mkstemp64, (char *), A("t%-XXXXXX"))
MKSTEMP(mkostemp, (char *, int), A("t%-XXXXXX"), O_APPEND)
MKSTEMP(mkostemp64, (char *, int), A("t%-XXXXXX"), O_APPEND)
FN(char *, mkdtemp, (char *))
ROW(mkdtemp, SAFE)
{
	char *made = NULL;
	int r = LAX((made = c_mkdtemp(A("t%-XXXXXX"))) == pa), n = 0;

	while (pa[n])
		n++;
	if (made && raw(SYS_unlinkat, at->fd, (long)(pa + n - 9), AT_REMOVEDIR, 0, 0))
		r = __LINE__;
	return r;
}

/* -- where we are ------------------------------------------------------------------------------------ */

/* The working directory is dir, but for the moment that chdir(2) is tried. */
static bool is_here(const char *p, const struct at *at, char *pa)
{
	return strcmp(p, at->dir) == 0 || strcmp(p, A("d")) == 0;
}
FN(int, chdir, (const char *))
ROW(chdir, SAFE | LOOKS)
{
	int r = TRY(c_chdir(A("d")) == 0);

	raw(SYS_fchdir, at->fd, 0, 0, 0, 0);
	return r;
}
FN(int, fchdir, (int))
ROW(fchdir, SAFE | LOOKS) { return TRY(c_fchdir(at->fd) == 0); }
FN(int, chroot, (const char *))
FN(pid_t, fork, (void))
ROW(chroot, SAFE | EXEC)
{
	pid_t pid = c_fork();
	int r;

	if (pid == 0) {
		r = LAX(c_chroot(A("d")) == 0 && c_access("/e1", F_OK) == 0 && c_access("/../f", F_OK) < 0);
		_exit(r < 0 ? -r : r ? 201 : 200);
	}
	if (pid < 0)
		return -errno;
	r = ended(pid);
	return r == 200 || r == EPERM ? 0 : r == 201 || r < 0 ? __LINE__ : -r;
}
FN(char *, getcwd, (char *, size_t))
ROW(getcwd, SAFE | LOOKS | QUIET) { return LAX(c_getcwd(pb, NAME_ROOM) == pb && is_here(pb, at, pa)); }
FN(char *, __getcwd_chk, (char *, size_t, size_t))
ROW(__getcwd_chk, SAFE | LOOKS | GLIBC | QUIET) { return LAX(c___getcwd_chk(pb, NAME_ROOM, NAME_ROOM) == pb && is_here(pb, at, pa)); }
FN(char *, get_current_dir_name, (void))
ROW(get_current_dir_name, HEAP | LOOKS | QUIET)
{
	char *cwd = NULL;
	int r = LAX((cwd = c_get_current_dir_name()) && is_here(cwd, at, pa));

	free(cwd);
	return r;
}

/* -- executed ------------------------------------------------------------------------------------------ */

/* An exec in a child: `prog` ends with 42, or the child with errno. */
#define EXECS(name, proto, ...)                                             \
	FN(int, name, proto)                                                \
	ROW(name, SAFE | EXEC)                                              \
	{                                                                   \
		char *argv[] = {(char *)"prog", NULL};                      \
		pid_t pid = fork();                                         \
		int r;                                                      \
                                                                            \
		(void)argv;                                                 \
		if (pid == 0) {                                             \
			errno = 0;                                          \
			c_##name(__VA_ARGS__);                              \
			_exit(errno < 128 && errno != 42 ? errno : 127);    \
		}                                                           \
		if (pid < 0)                                                \
			return -errno;                                      \
		r = ended(pid);                                             \
		return r == 42 ? 0 : r <= 0 || r == 127 ? __LINE__ : -r;    \
	}
EXECS(execv, (const char *, char *const[]), A("prog"), argv)
EXECS(execve, (const char *, char *const[], char *const[]), A("prog"), argv, environ)
EXECS(execl, (const char *, const char *, ...), A("prog"), "prog", (char *)NULL)
EXECS(execle, (const char *, const char *, ...), A("prog"), "prog", (char *)NULL, environ)
EXECS(execlp, (const char *, const char *, ...), "ctx-prog", "prog", (char *)NULL)
EXECS(execvp, (const char *, char *const[]), "ctx-prog", argv)
EXECS(execvpe, (const char *, char *const[], char *const[]), "ctx-prog", argv, environ)
#define SPAWNS(name, file)                                                                     \
	FN(int, name, (pid_t *, const char *, const posix_spawn_file_actions_t *,              \
		const posix_spawnattr_t *, char *const[], char *const[]))                      \
	ROW(name, HEAP | EXEC)                                                                 \
	{                                                                                      \
		char *argv[] = {(char *)"prog", NULL};                                         \
		pid_t pid;                                                                     \
		int r = TOLD(c_##name(&pid, file, NULL, NULL, argv, environ));                 \
                                                                                               \
		if (r == 0)                                                                    \
			r = (r = ended(pid)) == 42 ? 0 : r == 127 ? -EIO : __LINE__;           \
		return r;                                                                      \
	}
SPAWNS(posix_spawn, A("prog"))
SPAWNS(posix_spawnp, "ctx-prog")
#define ACTIONS(name, proto, ...)                                                               \
	FN(int, name, proto)                                                                    \
	ROW(name, HEAP | EXEC)                                                                  \
	{                                                                                       \
		char *argv[] = {(char *)"prog", (char *)"c", NULL};                             \
		posix_spawn_file_actions_t fa;                                                  \
		pid_t pid;                                                                      \
		int fd = raw_open(at, "f", O_RDONLY), r = TOLD(posix_spawn_file_actions_init(&fa)); \
                                                                                                \
		if (r) {                                                                        \
			raw_close(fd);                                                          \
			return r;                                                               \
		}                                                                               \
		r = TOLD(c_##name(__VA_ARGS__));                                                \
		if (r == 0)                                                                     \
			r = TOLD(posix_spawn(&pid, B("prog"), &fa, NULL, argv, environ));       \
		if (r == 0)                                                                     \
			r = (r = ended(pid)) == 42 ? 0 : r == 127 ? -EIO : __LINE__;            \
		posix_spawn_file_actions_destroy(&fa);                                          \
		raw_close(fd);                                                                  \
		return r;                                                                       \
	}
ACTIONS(posix_spawn_file_actions_addopen, (posix_spawn_file_actions_t *, int, const char *, int, mode_t), &fa, 0, A("f"), O_RDONLY, 0)
ACTIONS(posix_spawn_file_actions_adddup2, (posix_spawn_file_actions_t *, int, int), &fa, fd, 0)
FN(int, posix_spawn_file_actions_addclose, (posix_spawn_file_actions_t *, int))
ROW(posix_spawn_file_actions_addclose, HEAP | EXEC)
{
	char *argv[] = {(char *)"prog", (char *)"closed", NULL};
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int r = TOLD(posix_spawn_file_actions_init(&fa));

	if (r)
		return r;
	r = TOLD(c_posix_spawn_file_actions_addclose(&fa, 0));
	if (r == 0)
		r = TOLD(posix_spawn(&pid, A("prog"), &fa, NULL, argv, environ));
	if (r == 0)
		r = (r = ended(pid)) == 42 ? 0 : r == 127 ? -EIO : __LINE__;
	posix_spawn_file_actions_destroy(&fa);
	return r;
}
FN(int, system, (const char *))
ROW(system, HEAP | EXEC)
{
	int status = -1, r = LAX((status = c_system("exit 42")) >= 0);

	return r ? r : WEXITSTATUS(status) == 42 ? 0 : WEXITSTATUS(status) == 127 ? -EIO : __LINE__;
}
ROW(fork, EXEC)
{
	int r;
	pid_t pid = -1;

	errno = MARK;
	pid = c_fork();
	if (pid == 0)
		_exit(c_access(A("f"), F_OK) == 0 ? 42 : errno);
	if (pid < 0)
		return FAILED;
	r = ended(pid);
	return r == 42 ? 0 : r > 0 ? -r : __LINE__;
}
FN(pid_t, vfork, (void))
ROW(vfork, EXEC)
{
	int r;
	pid_t pid = c_vfork();

	if (pid == 0)
		_exit(c_access(A("f"), F_OK) == 0 ? 42 : errno);
	if (pid < 0)
		return FAILED;
	r = ended(pid);
	return r == 42 ? 0 : r > 0 ? -r : __LINE__;
}
FN(int, daemon, (int, int))
ROW(daemon, EXEC | QUIET)
{
	int r;
	pid_t pid = fork();

	if (pid == 0) {
		r = LAX(c_daemon(1, 0) == 0);
		_exit(r < 0 ? -r : r ? 201 : 0);
	}
	if (pid < 0)
		return -errno;
	r = ended(pid);
	return r == 0 ? 0 : r > 0 && r < 200 ? -r : __LINE__;
}

/* -- the loader ------------------------------------------------------------------------------------------ */

FN(void *, dlopen, (const char *, int))
ROW(dlopen, HEAP | LOOKS | DLOCK)
{
	void *h = c_dlopen(A("plug.so"), RTLD_NOW | RTLD_LOCAL);
	int *told = h ? (int *)dlsym(h, "plug_told") : NULL;
	int r = !h ? -EIO : told && *told == 42 ? 0 : __LINE__;

	if (h)
		dlclose(h);
	return r;
}
FN(void *, dlsym, (void *, const char *))
ROW(dlsym, HEAP | LOOKS | DLOCK)
{
#ifdef __GLIBC__
	/* a constructor before all others (ctor.c, "first") would have libc initialised, without an environment */
	void *h = at->tag == 'f' ? dlopen(NULL, RTLD_LAZY) : dlopen("libc.so.6", RTLD_LAZY);
#else
	void *h = dlopen("libc.so", RTLD_LAZY);
#endif
	int (*by_handle)(const char *, int) = h ? (int (*)(const char *, int))c_dlsym(h, "access") : NULL;
	int r = !h ? -EIO : !by_handle ? __LINE__ : by_handle(A("f"), R_OK) < 0 ? -errno : 0;

	if (r == 0 && (!c_dlsym(h, "strtol") || c_dlsym(h, "strtol") != c_dlsym(RTLD_DEFAULT, "strtol")))
		r = __LINE__;
	if (h)
		dlclose(h);
	return r;
}
FN(int, dladdr, (const void *, Dl_info *))
ROW(dladdr, HEAP | LOOKS | DLOCK)
{
	Dl_info info;

	return LAX(c_dladdr(&some_times, &info) != 0 && info.dli_fname && info.dli_fname[0]);
}
static int first_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	*(int *)arg = info->dlpi_name != NULL;
	return 7;
}
FN(int, dl_iterate_phdr, (int (*)(struct dl_phdr_info *, size_t, void *), void *))
ROW(dl_iterate_phdr, HEAP | LOOKS | DLOCK)
{
	int seen = 0;

	return TRY(c_dl_iterate_phdr(first_object, &seen) == 7 && seen);
}

/* -- descriptors ------------------------------------------------------------------------------------------ */

FN(int, close, (int))
ROW(close, SAFE | LOOKS)
{
	int fd = raw_open(at, "f", O_RDONLY), r = TRY(c_close(fd) == 0);

	if (r == 0 && raw(SYS_fcntl, fd, F_GETFD, 0, 0, 0) >= 0 && at->tag == 'm')
		return __LINE__;
	if (r)
		raw_close(fd);
	return r;
}
FN(int, close_range, (unsigned, unsigned, int))
ROW(close_range, SAFE | LOOKS | GLIBC)
{
	int fd = raw_open(at, "f", O_RDONLY), r = TRY(c_close_range((unsigned)fd, (unsigned)fd, 0) == 0);

	if (r)
		raw_close(fd);
	return r;
}
FN(int, dup, (int))
FD_EMPTY(dup, SAFE | LOOKS, c_dup(at->fd))
FN(int, dup2, (int, int))
ROW(dup2, SAFE | LOOKS)
{
	int fd = raw_open(at, "f", O_RDONLY), r = TRY(c_dup2(at->fd, fd) == fd);

	raw_close(fd);
	return r;
}
FN(int, dup3, (int, int, int))
ROW(dup3, SAFE | LOOKS)
{
	int fd = raw_open(at, "f", O_RDONLY), r = TRY(c_dup3(at->fd, fd, O_CLOEXEC) == fd);

	raw_close(fd);
	return r;
}
FN(int, fcntl, (int, int, ...))
FD_EMPTY(fcntl, SAFE | LOOKS, c_fcntl(at->fd, F_DUPFD, 3))
FN(int, fcntl64, (int, int, ...))
FD_EMPTY(fcntl64, SAFE | LOOKS | GLIBC, c_fcntl64(at->fd, F_DUPFD_CLOEXEC, 3))
FN(int, ioctl, (int, unsigned long, ...))
ROW(ioctl, SAFE | LOOKS) { return TRY(c_ioctl(at->fd, FIOCLEX) == 0); }
FN(int, epoll_create, (int))
FD_EMPTY(epoll_create, SAFE | LOOKS, c_epoll_create(1))
FN(int, epoll_create1, (int))
FD_EMPTY(epoll_create1, SAFE | LOOKS, c_epoll_create1(0))
FN(int, eventfd, (unsigned, int))
FD_EMPTY(eventfd, SAFE | LOOKS, c_eventfd(0, 0))
FN(int, inotify_init, (void))
FD_EMPTY(inotify_init, SAFE | LOOKS, c_inotify_init())
FN(int, inotify_init1, (int))
FD_EMPTY(inotify_init1, SAFE | LOOKS, c_inotify_init1(0))
FN(int, memfd_create, (const char *, unsigned))
FD_EMPTY(memfd_create, SAFE | LOOKS, c_memfd_create("m", 0))
FN(int, timerfd_create, (int, int))
FD_EMPTY(timerfd_create, SAFE | LOOKS, c_timerfd_create(CLOCK_MONOTONIC, 0))
FN(int, signalfd, (int, const sigset_t *, int))
static const sigset_t no_signals;
FD_EMPTY(signalfd, SAFE | LOOKS, c_signalfd(-1, &no_signals, 0))
#define PAIR_ROW(name, proto, ...)                               \
	FN(int, name, proto)                                     \
	ROW(name, SAFE | LOOKS)                                  \
	{                                                        \
		int fds[2], r = TRY(c_##name(__VA_ARGS__) == 0); \
                                                                 \
		if (r == 0 || r > 0) {                           \
			raw_close(fds[0]);                       \
			raw_close(fds[1]);                       \
		}                                                \
		return r;                                        \
	}
PAIR_ROW(pipe, (int[2]), fds)
PAIR_ROW(pipe2, (int[2], int), fds, 0)
PAIR_ROW(socketpair, (int, int, int, int[2]), AF_UNIX, SOCK_STREAM, 0, fds)

/* -- sockets ------------------------------------------------------------------------------------------------ */

FN(int, socket, (int, int, int))
FD_EMPTY(socket, SAFE | LOOKS, c_socket(AF_UNIX, SOCK_STREAM, 0))
FN(int, bind, (int, const struct sockaddr *, socklen_t))
ROW(bind, SAFE)
{
	struct sockaddr_un un;
	int fd = raw_socket(SOCK_STREAM), r;

	raw_rm(at, "sb%");
	r = TRY(c_bind(fd, (struct sockaddr *)&un, un_name(&un, A("sb%"))) == 0);
	raw_close(fd);
	raw_rm(at, "sb%");
	return r;
}
FN(int, connect, (int, const struct sockaddr *, socklen_t))
ROW(connect, SAFE)
{
	struct sockaddr_un un;
	int l, fd = raw_socket(SOCK_STREAM), r;

	raw_rm(at, "sc%");
	l = raw_bound(at, SOCK_STREAM, "sc%");
	r = TRY(c_connect(fd, (struct sockaddr *)&un, un_name(&un, A("sc%"))) == 0);
	raw_close(fd);
	raw_close(l);
	raw_rm(at, "sc%");
	return r;
}
/* A listener with a guest name that libjail gave it, and a connection to it. */
#define CONNECTED(body)                                                                         \
	struct sockaddr_un un = {0};                                                            \
	socklen_t len = sizeof un;                                                              \
	int l = raw_socket(SOCK_STREAM), fd = raw_socket(SOCK_STREAM), got = -1, r;             \
                                                                                                \
	(void)got, (void)len;                                                                   \
	raw_rm(at, "sx%");                                                                      \
	r = c_bind(l, (struct sockaddr *)&un, un_name(&un, A("sx%"))) == 0 ? 0 : -errno;        \
	raw(SYS_listen, l, 5, 0, 0, 0);                                                         \
	if (r == 0)                                                                             \
		r = c_connect(fd, (struct sockaddr *)&un, un_name(&un, pa)) == 0 ? 0 : -errno;  \
	if (r == 0)                                                                             \
		r = (body);                                                                     \
	raw_close(got);                                                                         \
	raw_close(fd);                                                                          \
	raw_close(l);                                                                           \
	raw_rm(at, "sx%");                                                                      \
	return r;
FN(int, accept, (int, struct sockaddr *, socklen_t *))
ROW(accept, SAFE) { CONNECTED(TRY((got = c_accept(l, (struct sockaddr *)&un, &len)) >= 0 && len >= 2 && un.sun_family == AF_UNIX)) }
FN(int, accept4, (int, struct sockaddr *, socklen_t *, int))
ROW(accept4, SAFE) { CONNECTED(TRY((got = c_accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0)) }
FN(int, getsockname, (int, struct sockaddr *, socklen_t *))
ROW(getsockname, SAFE) { CONNECTED(TRY(c_getsockname(l, (struct sockaddr *)&un, &len) == 0 && strcmp(un.sun_path, pa) == 0)) }
FN(int, getpeername, (int, struct sockaddr *, socklen_t *))
ROW(getpeername, SAFE) { CONNECTED(TRY(c_getpeername(fd, (struct sockaddr *)&un, &len) == 0 && strcmp(un.sun_path, pa) == 0)) }
FN(ssize_t, sendto, (int, const void *, size_t, int, const struct sockaddr *, socklen_t))
FN(ssize_t, sendmsg, (int, const struct msghdr *, int))
FN(ssize_t, recvfrom, (int, void *, size_t, int, struct sockaddr *, socklen_t *))
FN(ssize_t, recvmsg, (int, struct msghdr *, int))
#define DATAGRAM(body)                                               \
	struct sockaddr_un un = {0};                                 \
	int l, fd = raw_socket(SOCK_DGRAM), r;                       \
                                                                     \
	raw_rm(at, "sd%");                                           \
	l = raw_bound(at, SOCK_DGRAM, "sd%");                        \
	r = (body);                                                  \
	raw_close(fd);                                               \
	raw_close(l);                                                \
	raw_rm(at, "sd%");                                           \
	return r;
ROW(sendto, SAFE) { DATAGRAM(TRY(c_sendto(fd, "c", 1, 0, (struct sockaddr *)&un, un_name(&un, A("sd%"))) == 1)) }
ROW(sendmsg, SAFE)
{
	struct iovec iov = {(char *)"c", 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	DATAGRAM((m.msg_name = &un, m.msg_namelen = un_name(&un, A("sd%")), TRY(c_sendmsg(fd, &m, 0) == 1)))
}
ROW(recvfrom, SAFE)
{
	struct sockaddr_un un = {0};
	socklen_t len = sizeof un;
	char c = 0;
	int to, fd = raw_socket(SOCK_DGRAM), r;

	raw_rm(at, "sg%");
	to = raw_bound(at, SOCK_DGRAM, "sg%");
	(void)un_name(&un, A("sg%"));
	raw(SYS_getsockname, to, (long)&un, (long)&len, 0, 0);
	raw(SYS_connect, fd, (long)&un, (long)len, 0, 0); /* the host's own name */
	raw(SYS_write, fd, (long)"c", 1, 0, 0);
	len = sizeof un;
	r = TRY(c_recvfrom(to, &c, 1, MSG_DONTWAIT, (struct sockaddr *)&un, &len) == 1 && c == 'c');
	raw_close(fd);
	raw_close(to);
	raw_rm(at, "sg%");
	return r;
}
ROW(recvmsg, SAFE)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} u = {0};
	char c = 'c';
	struct iovec iov = {&c, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u};
	struct cmsghdr *h = &u.h;
	int sv[2], r, got = -1;

	raw(SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, (long)sv, 0);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &at->fd, sizeof(int));
	raw(SYS_sendmsg, sv[0], (long)&m, 0, 0, 0);
	memset(&u, 0, sizeof u);
	r = TRY(c_recvmsg(sv[1], &m, MSG_DONTWAIT) == 1);
	if (h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&got, CMSG_DATA(h), sizeof got);
	if (r == 0 && got < 0)
		r = -EMFILE;
	raw_close(got);
	raw_close(sv[0]);
	raw_close(sv[1]);
	return r;
}

/* -- terminals ---------------------------------------------------------------------------------------------- */

FN(int, posix_openpt, (int))
FD_EMPTY(posix_openpt, HEAP | QUIET, c_posix_openpt(O_RDWR | O_NOCTTY))
FN(int, openpty, (int *, int *, char *, const struct termios *, const struct winsize *))
ROW(openpty, HEAP | QUIET)
{
	int m = -1, s = -1, r = LAX(c_openpty(&m, &s, NULL, NULL, NULL) == 0);

	if (r == 0) {
		raw_close(m);
		raw_close(s);
	}
	return r;
}
FN(char *, ttyname, (int))
FN(int, ttyname_r, (int, char *, size_t))
#define TTYNAME(name, good)                                                                      \
	ROW(name, HEAP | QUIET)                                                                  \
	{                                                                                        \
		int m = -1, s = -1, r;                                                           \
		char *text = NULL;                                                               \
                                                                                                 \
		(void)text;                                                                      \
		if (c_openpty(&m, &s, NULL, NULL, NULL) < 0)                                     \
			return errno ? -errno : __LINE__;                                        \
		r = good;                                                                        \
		raw_close(m);                                                                    \
		raw_close(s);                                                                    \
		return r;                                                                        \
	}
TTYNAME(ttyname, LAX((text = c_ttyname(s)) && strncmp(text, "/dev/pts/", 9) == 0))
TTYNAME(ttyname_r, TOLD(c_ttyname_r(s, pa, NAME_ROOM)))
FN(int, forkpty, (int *, char *, const struct termios *, const struct winsize *))
ROW(forkpty, HEAP | EXEC | QUIET)
{
	int m = -1, r;
	pid_t pid = -1;

	r = LAX((pid = c_forkpty(&m, NULL, NULL, NULL)) >= 0);
	if (pid == 0)
		_exit(42);
	if (r)
		return r;
	r = ended(pid);
	raw_close(m);
	return r == 42 ? 0 : -EIO;
}

/* -- the system log, message catalogues ----------------------------------------------------------------------- */

FN(void, openlog, (const char *, int, int))
FN(void, closelog, (void))
FN(void, syslog, (int, const char *, ...))
FN(void, vsyslog, (int, const char *, va_list))
FN(void, __syslog_chk, (int, int, const char *, ...))
FN(void, __vsyslog_chk, (int, int, const char *, va_list))
static void to_vsyslog(int chk, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (chk)
		c___vsyslog_chk(LOG_DEBUG, 1, fmt, ap);
	else
		c_vsyslog(LOG_DEBUG, fmt, ap);
	va_end(ap);
}
ROW(openlog, HEAP) { return (c_openlog("ctx", LOG_NDELAY, LOG_USER), c_closelog(), 0); }
ROW(closelog, HEAP) { return (c_closelog(), 0); }
ROW(syslog, HEAP) { return (c_syslog(LOG_DEBUG, "%s", "ctx"), c_closelog(), 0); }
ROW(vsyslog, HEAP) { return (to_vsyslog(0, "%d", 1), c_closelog(), 0); }
ROW(__syslog_chk, HEAP | GLIBC) { return (c___syslog_chk(LOG_DEBUG, 1, "%s", "ctx"), c_closelog(), 0); }
ROW(__vsyslog_chk, HEAP | GLIBC) { return (to_vsyslog(1, "%d", 1), c_closelog(), 0); }
FN(char *, bindtextdomain, (const char *, const char *))
ROW(bindtextdomain, HEAP)
{
	char *r = NULL;

	return LAX((r = c_bindtextdomain("ctx", A("d"))) && strcmp(r, pa) == 0);
}

/* -- names ------------------------------------------------------------------------------------------------------ */

/* Somebody with id 0 is in every table; where a table is cut off, nobody. */
#define NAMED(name, what, good) ROW(name, what) { return LAX(good); }
FN(struct passwd *, getpwuid, (uid_t))
FN(struct passwd *, getpwnam, (const char *))
FN(struct group *, getgrgid, (gid_t))
FN(struct group *, getgrnam, (const char *))
FN(struct passwd *, getpwent, (void))
FN(struct group *, getgrent, (void))
FN(void, setpwent, (void))
FN(void, endpwent, (void))
FN(void, setgrent, (void))
FN(void, endgrent, (void))
#define FOUND(expr) __extension__({ __typeof__(expr) e_ = (expr); e_ ? 1 : errno != MARK && errno ? 0 : -1; }) == 1
NAMED(getpwuid, HEAP | QUIET, FOUND(c_getpwuid(0)))
NAMED(getpwnam, HEAP | QUIET, FOUND(c_getpwnam("root")))
NAMED(getgrgid, HEAP | QUIET, FOUND(c_getgrgid(0)))
NAMED(getgrnam, HEAP | QUIET, FOUND(c_getgrnam("root")))
NAMED(setpwent, HEAP | QUIET, (c_setpwent(), c_endpwent(), 1))
NAMED(setgrent, HEAP | QUIET, (c_setgrent(), c_endgrent(), 1))
NAMED(getpwent, HEAP | QUIET, (c_setpwent(), c_getpwent()) ? (c_endpwent(), 1) : (c_endpwent(), 0))
NAMED(getgrent, HEAP | QUIET, (c_setgrent(), c_getgrent()) ? (c_endgrent(), 1) : (c_endgrent(), 0))
NAMED(endpwent, HEAP | QUIET, (c_endpwent(), 1))
NAMED(endgrent, HEAP | QUIET, (c_endgrent(), 1))
FN(int, getpwuid_r, (uid_t, struct passwd *, char *, size_t, struct passwd **))
FN(int, getpwnam_r, (const char *, struct passwd *, char *, size_t, struct passwd **))
FN(int, getgrgid_r, (gid_t, struct group *, char *, size_t, struct group **))
FN(int, getgrnam_r, (const char *, struct group *, char *, size_t, struct group **))
#define NAMED_R(name, type, key)                                                            \
	ROW(name, HEAP | QUIET)                                                             \
	{                                                                                   \
		struct type one, *ret = NULL;                                               \
		char buf[1024];                                                             \
		int r = TOLD(c_##name(key, &one, buf, sizeof buf, &ret));                   \
                                                                                            \
		return r ? r : ret ? 0 : -ENOENT;                                           \
	}
NAMED_R(getpwuid_r, passwd, 0)
NAMED_R(getpwnam_r, passwd, "root")
NAMED_R(getgrgid_r, group, 0)
NAMED_R(getgrnam_r, group, "root")
FN(int, getgrouplist, (const char *, gid_t, gid_t *, int *))
ROW(getgrouplist, HEAP | QUIET)
{
	gid_t g[64];
	int n = 64;

	return LAX(c_getgrouplist("root", 0, g, &n) > 0 && g[0] == 0);
}
FN(int, initgroups, (const char *, gid_t))
ROW(initgroups, HEAP | QUIET)
{
	int r = LAX(c_initgroups("nobody-here", 12345) == 0);

	return r == -EPERM ? 0 : r;
}
FN(char *, getlogin, (void))
FN(int, getlogin_r, (char *, size_t))
ROW(getlogin, HEAP | QUIET) { return (c_getlogin(), 0); }
ROW(getlogin_r, HEAP | QUIET) { return (c_getlogin_r(pa, NAME_ROOM), 0); }
