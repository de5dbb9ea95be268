/* SPDX-License-Identifier: ISC
 *
 * Nanoseconds per operation of the calls that a chroot emulator has to intercept, and of a few that
 * it should leave alone.  Linked dynamically: a preloaded library has to be able to see it.
 *
 *   micro -s [-m TAG]   make the fixture in /tmp/jb, as the plain kernel sees the root
 *   micro -l            list the operations: GROUP, NAME, between tabs
 *   micro [-t MS]       read the name of an operation from each line of the input, call it for about
 *                       MS milliseconds, and answer with nanoseconds a call, or FAIL and the error
 *   micro -c N          the same for strace: call it N times, and before each time write the
 *                       operation's name to no descriptor (-1) */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <spawn.h>
#include <dlfcn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "bench.h"

#define FIX  "/tmp/jb"
#define FILE5 FIX "/a/b/file"                       /* 5 components */
#define DEEP7 "l1/l2/l3/l4/l5/l6/l7"
#define FILE10 FIX "/" DEEP7 "/file"                /* 10 components */
#define MISSING FIX "/a/b/missing"
#ifdef __aarch64__                                  /* /lib -> usr/lib */
#define LIBLINK "/lib/aarch64-linux-gnu/libc.so.6"
#else
#define LIBLINK "/lib/x86_64-linux-gnu/libc.so.6"
#endif

extern char **environ;
static int dfd = -1, ffd = -1, devzero = -1;

#define CHECK(e) ((e) ? 0 : (errno ? errno : EPROTO))

/* ---- looking things up -------------------------------------------------- */
#define FOUND(e)   CHECK(!(e))
#define ABSENT(e)  CHECK((e) && errno == ENOENT)

/* What a lookup is called with: WHERE, the name in the table, a file, a symlink, what must come of it. */
#define PLACES(X) \
	X(abs3,    "abs (3 comps)",              FIX "/plain",       FIX "/rellink",       FOUND)  \
	X(abs10,   "abs (10 comps)",             FILE10,             FIX "/" DEEP7 "/link", FOUND) \
	X(rel3,    "relative (3 comps)",         "a/b/file",         "a/b/link",           FOUND)  \
	X(rel10,   "relative (10 comps)",        DEEP7 "/l8/l9/file", DEEP7 "/l8/l9/link", FOUND)  \
	X(absmiss, "ENOENT abs",                 MISSING,            MISSING,              ABSENT) \
	X(relmiss, "ENOENT relative (3 comps)",  "a/b/missing",      "a/b/missing",        ABSENT)
#define LOOKUPS(where, name, file, link, want) \
	static int stat_##where(void)     { struct stat s; return want(stat(file, &s)); } \
	static int lstat_##where(void)    { struct stat s; return want(lstat(file, &s)); } \
	static int statx_##where(void)    { struct statx s; return want(statx(AT_FDCWD, file, 0, STATX_BASIC_STATS, &s)); } \
	static int access_##where(void)   { return want(access(file, R_OK)); } \
	static int readlink_##where(void) { char b[PATH_MAX]; return want(readlink(link, b, sizeof b) < 0); }
PLACES(LOOKUPS)
#define ROWS_OF_stat(where, name, file, link, want)     { "lookups", "stat " name, stat_##where },
#define ROWS_OF_lstat(where, name, file, link, want)    { "lookups", "lstat " name, lstat_##where },
#define ROWS_OF_statx(where, name, file, link, want)    { "lookups", "statx " name, statx_##where },
#define ROWS_OF_access(where, name, file, link, want)   { "lookups", "access " name, access_##where },
#define ROWS_OF_readlink(where, name, file, link, want) { "lookups", "readlink " name, readlink_##where },

static int op_stat_abs5(void)    { struct stat s; return FOUND(stat(FILE5, &s)); }
static int op_stat_lib(void)     { struct stat s; return FOUND(stat(LIBLINK, &s)); }
static int op_stat_rellink(void) { struct stat s; return FOUND(stat(FIX "/rellink", &s)); }
static int op_stat_abslink(void) { struct stat s; return FOUND(stat(FIX "/abslink", &s)); }
static int op_stat_rel1(void)    { struct stat s; return FOUND(stat("plain", &s)); }
static int op_stat_relenoent(void){ struct stat s; return ABSENT(stat("missing", &s)); }
/* as ls -l asks for an access control list */
#define NO_ACL(e) CHECK((e) < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
static int op_getxattr(void)     { char b[64]; return NO_ACL(getxattr(FILE5, "system.posix_acl_access", b, sizeof b)); }
static int op_lgetxattr(void)    { char b[64]; return NO_ACL(lgetxattr(FILE5, "system.posix_acl_access", b, sizeof b)); }
static int op_fstatat(void)      { struct stat s; return FOUND(fstatat(dfd, "file", &s, 0)); }
static int op_fstat(void)        { struct stat s; return FOUND(fstat(ffd, &s)); }
static int op_realpath(void)     { char b[PATH_MAX]; return CHECK(realpath(FILE5, b)); }
static int op_realpath_lib(void) { char b[PATH_MAX]; return CHECK(realpath(LIBLINK, b)); }
static int op_getcwd(void)       { char b[PATH_MAX]; return CHECK(getcwd(b, sizeof b)); }
static int op_chdir(void)        { return CHECK(!chdir(FIX)); }
static int op_fchdir(void)       { int r = CHECK(!fchdir(dfd)); return r ? r : CHECK(!chdir("../..")); }

/* ---- opening ------------------------------------------------------------ */
static int op_open_abs(void)  { int f = open(FILE5, O_RDONLY); return f < 0 ? errno : CHECK(!close(f)); }
static int op_open_abs10(void){ int f = open(FILE10, O_RDONLY); return f < 0 ? errno : CHECK(!close(f)); }
static int op_open_rel(void)  { int f = open("plain", O_RDONLY); return f < 0 ? errno : CHECK(!close(f)); }
static int op_openat(void)    { int f = openat(dfd, "file", O_RDONLY); return f < 0 ? errno : CHECK(!close(f)); }
static int op_open_enoent(void){ return CHECK(open(MISSING, O_RDONLY) < 0 && errno == ENOENT); }
static int op_open_dev(void)  { int f = open("/dev/null", O_WRONLY); return f < 0 ? errno : CHECK(!close(f)); }
static int op_open_proc(void) { int f = open("/proc/self/stat", O_RDONLY); return f < 0 ? errno : CHECK(!close(f)); }
static int op_fopen(void)     { FILE *f = fopen(FILE5, "r"); return f ? CHECK(!fclose(f)) : errno; }
static int op_readdir(void)
{
	DIR *d = opendir(FIX "/d100");
	int n = 0;
	if (!d)
		return errno;
	while (readdir(d))
		n++;
	closedir(d);
	errno = 0;
	return CHECK(n == 102);
}

/* ---- changing the tree -------------------------------------------------- */
static int op_mkdir(void)  { int r = CHECK(!mkdir(FIX "/w/dir", 0755)); return r ? r : CHECK(!rmdir(FIX "/w/dir")); }
static int op_create(void)
{
	int f = open(FIX "/w/new", O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (f < 0)
		return errno;
	close(f);
	return CHECK(!unlink(FIX "/w/new"));
}
static int op_rename(void) /* two renames, there and back */
{
	int r = CHECK(!rename(FIX "/w/r1", FIX "/w/r2"));
	return r ? r : CHECK(!rename(FIX "/w/r2", FIX "/w/r1"));
}
static int op_symlink(void){ int r = CHECK(!symlink("../a/b/file", FIX "/w/sl")); return r ? r : CHECK(!unlink(FIX "/w/sl")); }
static int op_link(void)   { int r = CHECK(!link(FIX "/w/r1", FIX "/w/hl")); return r ? r : CHECK(!unlink(FIX "/w/hl")); }
static int op_chmod(void)  { return CHECK(!chmod(FIX "/w/r1", 0644)); }
static int op_utimens(void){ return CHECK(!utimensat(AT_FDCWD, FIX "/w/r1", NULL, 0)); }

/* ---- names -------------------------------------------------------------- */
static int op_getpw0(void)    { return CHECK(getpwuid(0)); }
static int op_getpwmiss(void) { errno = 0; return CHECK(!getpwuid(987654)); }
static int op_getpwnam(void)  { return CHECK(getpwnam("jailer")); }
static int op_getgr0(void)    { return CHECK(getgrgid(0)); }
static int op_getgrmiss(void) { errno = 0; return CHECK(!getgrgid(987654)); }

/* ---- descriptors -------------------------------------------------------- */
static int op_socket(void) { int f = socket(AF_UNIX, SOCK_STREAM, 0); return f < 0 ? errno : CHECK(!close(f)); }
static int op_pipe(void)   { int p[2]; if (pipe(p)) return errno; close(p[0]); return CHECK(!close(p[1])); }
static int op_dup(void)    { int f = dup(ffd); return f < 0 ? errno : CHECK(!close(f)); }
static int op_dup2(void)   { int f = dup2(ffd, 200); return f < 0 ? errno : CHECK(!close(f)); }
static int op_epoll(void)  { int f = epoll_create1(0); return f < 0 ? errno : CHECK(!close(f)); }
static int op_unixbind(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = FIX "/w/sock" };
	int f = socket(AF_UNIX, SOCK_STREAM, 0), r;
	if (f < 0)
		return errno;
	r = CHECK(!bind(f, (struct sockaddr *)&a, sizeof a));
	close(f);
	return r ? r : CHECK(!unlink(FIX "/w/sock"));
}

/* ---- what should stay untouched ----------------------------------------- */
static int op_getppid(void) { return CHECK(syscall(SYS_getppid) >= 0); }
static int op_read1(void)   { char c; return CHECK(read(devzero, &c, 1) == 1); }

/* ---- processes ---------------------------------------------------------- */
static int reap(pid_t p)
{
	int st;
	if (p < 0)
		return errno;
	while (waitpid(p, &st, 0) < 0)
		if (errno != EINTR)
			return errno;
	errno = 0;
	return CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
}
static char *const true_argv[] = { "true", NULL };
static int op_fork(void)     { pid_t p = fork(); if (!p) _exit(0); return reap(p); }
static int op_forkexec(void) { pid_t p = fork(); if (!p) { execve("/bin/true", true_argv, environ); _exit(127); } return reap(p); }
static int op_vforkexec(void){ pid_t p = vfork(); if (!p) { execve("/bin/true", true_argv, environ); _exit(127); } return reap(p); }
static int op_spawn(void)
{
	pid_t p;
	int e = posix_spawn(&p, "/bin/true", NULL, NULL, true_argv, environ);
	return e ? e : reap(p);
}
static int op_spawnp(void)
{
	pid_t p;
	int e = posix_spawnp(&p, "true", NULL, NULL, true_argv, environ);
	return e ? e : reap(p);
}
static int op_execfail(void) { return CHECK(execve(FIX "/nonesuch", true_argv, environ) < 0 && errno == ENOENT); }
static int op_script(void)
{
	static char *const av[] = { FIX "/script", NULL };
	pid_t p;
	int e = posix_spawn(&p, av[0], NULL, NULL, av, environ);
	return e ? e : reap(p);
}
static int op_system(void)  { int st = system("exit 0"); errno = 0; return CHECK(st == 0); }
static int op_dlopen(void)
{
	void *h = dlopen("libresolv.so.2", RTLD_NOW);
	errno = 0;
	return h ? CHECK(!dlclose(h)) : ELIBACC;
}

/* The operations of the group "processes" start processes. */
static const struct { const char *group, *name; bench_fn fn; } ops[] = {
	PLACES(ROWS_OF_stat)
	PLACES(ROWS_OF_lstat)
	PLACES(ROWS_OF_statx)
	PLACES(ROWS_OF_access)
	PLACES(ROWS_OF_readlink)
	{ "lookups", "stat abs (5 comps)", op_stat_abs5 },
	{ "lookups", "stat abs via /lib symlink", op_stat_lib },
	{ "lookups", "stat rel. symlink to file", op_stat_rellink },
	{ "lookups", "stat abs. symlink to file", op_stat_abslink },
	{ "lookups", "stat relative (1 comp)", op_stat_rel1 },
	{ "lookups", "stat ENOENT relative", op_stat_relenoent },
	{ "lookups", "fstatat(dirfd)", op_fstatat },
	{ "lookups", "getxattr abs", op_getxattr },
	{ "lookups", "lgetxattr abs", op_lgetxattr },
	{ "lookups", "fstat(fd)", op_fstat },
	{ "lookups", "realpath (5 comps)", op_realpath },
	{ "lookups", "realpath via /lib symlink", op_realpath_lib },
	{ "lookups", "getcwd", op_getcwd },
	{ "lookups", "chdir abs", op_chdir },
	{ "lookups", "fchdir + chdir ../..", op_fchdir },
	{ "open", "open+close abs (5 comps)", op_open_abs },
	{ "open", "open+close abs (10 comps)", op_open_abs10 },
	{ "open", "open+close relative", op_open_rel },
	{ "open", "openat(dirfd)+close", op_openat },
	{ "open", "open ENOENT abs", op_open_enoent },
	{ "open", "open+close /dev/null", op_open_dev },
	{ "open", "open+close /proc/self/stat", op_open_proc },
	{ "open", "fopen+fclose abs", op_fopen },
	{ "open", "opendir+readdir(100)+closedir", op_readdir },
	{ "change", "mkdir+rmdir", op_mkdir },
	{ "change", "create+close+unlink", op_create },
	{ "change", "rename x2", op_rename },
	{ "change", "symlink+unlink", op_symlink },
	{ "change", "link+unlink", op_link },
	{ "change", "chmod abs", op_chmod },
	{ "change", "utimensat abs", op_utimens },
	{ "change", "unix bind+close+unlink", op_unixbind },
	{ "names", "getpwuid(0)", op_getpw0 },
	{ "names", "getpwuid(missing)", op_getpwmiss },
	{ "names", "getpwnam(jailer)", op_getpwnam },
	{ "names", "getgrgid(0)", op_getgr0 },
	{ "names", "getgrgid(missing)", op_getgrmiss },
	{ "descriptors", "socket+close", op_socket },
	{ "descriptors", "pipe+close x2", op_pipe },
	{ "descriptors", "dup+close", op_dup },
	{ "descriptors", "dup2+close", op_dup2 },
	{ "descriptors", "epoll_create1+close", op_epoll },
	{ "descriptors", "raw getppid", op_getppid },
	{ "descriptors", "read 1 byte /dev/zero", op_read1 },
	{ "loading", "execve ENOENT", op_execfail },
	{ "loading", "dlopen+dlclose", op_dlopen },
	{ "processes", "fork+exit+wait", op_fork },
	{ "processes", "fork+execve true+wait", op_forkexec },
	{ "processes", "vfork+execve true+wait", op_vforkexec },
	{ "processes", "posix_spawn true+wait", op_spawn },
	{ "processes", "posix_spawnp true+wait", op_spawnp },
	{ "processes", "spawn #! script+wait", op_script },
	{ "processes", "system(exit 0)", op_system },
};
#define NOPS (sizeof ops / sizeof *ops)

static void put(const char *path, const char *text, mode_t mode)
{
	int f = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	if (f < 0 || write(f, text, strlen(text)) < 0 || close(f)) {
		perror(path);
		exit(1);
	}
}

static void setup(const char *tag)
{
	static const char *const dirs[] = {
		FIX, FIX "/a", FIX "/a/b", FIX "/w", FIX "/d100", FIX "/l1", FIX "/l1/l2",
		FIX "/l1/l2/l3", FIX "/l1/l2/l3/l4", FIX "/l1/l2/l3/l4/l5",
		FIX "/l1/l2/l3/l4/l5/l6", FIX "/" DEEP7, FIX "/" DEEP7 "/l8", FIX "/" DEEP7 "/l8/l9",
	};
	char p[PATH_MAX];

	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		if (mkdir(dirs[i], 0755) && errno != EEXIST) {
			perror(dirs[i]);
			exit(1);
		}
	put(FILE5, tag, 0644);
	put(FILE10, tag, 0644);
	put(FIX "/" DEEP7 "/l8/l9/file", tag, 0644);
	put(FIX "/plain", tag, 0644);
	put(FIX "/w/r1", tag, 0644);
	put(FIX "/script", "#!/bin/true\n", 0755);
	for (int i = 0; i < 100; i++) {
		snprintf(p, sizeof p, FIX "/d100/f%03d", i);
		put(p, "", 0644);
	}
	if ((symlink("file", FIX "/a/b/link") && errno != EEXIST) ||
		(symlink("file", FIX "/" DEEP7 "/link") && errno != EEXIST) ||
		(symlink("file", FIX "/" DEEP7 "/l8/l9/link") && errno != EEXIST) ||
		(symlink("a/b/file", FIX "/rellink") && errno != EEXIST) ||
		(symlink(FILE5, FIX "/abslink") && errno != EEXIST) ||
		(symlink("a", FIX "/reldir") && errno != EEXIST) ||
		(symlink(FIX "/a", FIX "/absdir") && errno != EEXIST) ||
		(symlink("../../../../../../../../etc/passwd", FIX "/up") && errno != EEXIST)) {
		perror("symlink");
		exit(1);
	}
}

/* One batch of an operation; its first call finds how many calls fill one. */
static void measure(size_t i)
{
	static long fill[NOPS];
	double ns = 0;
	int err = 0;

	if (!fill[i])
		err = bench_fill(ops[i].fn, &fill[i]);
	if (!err)
		err = bench_batch(ops[i].fn, fill[i], &ns);
	if (err) {
		fill[i] = 0;
		printf("FAIL\t%s\n", strerror(err));
	} else {
		printf("%.1f\n", ns);
	}
}

static void count(size_t i, long times)
{
	int err = 0;

	while (times-- > 0 && !err) {
		syscall(SYS_write, -1, ops[i].name, strlen(ops[i].name));
		err = ops[i].fn();
	}
	syscall(SYS_write, -1, "", 0);
	printf("%s\n", err ? strerror(err) : "ok");
}

int main(int argc, char **argv)
{
	char line[200];
	const char *tag = "fixture\n";
	long times = 0;
	int c, do_setup = 0;

	while ((c = getopt(argc, argv, "slm:t:c:")) != -1)
		switch (c) {
		case 's': do_setup = 1; break;
		case 'm': tag = optarg; break;
		case 't': bench_batch_ms = atof(optarg); break;
		case 'c': times = atol(optarg); break;
		case 'l':
			for (size_t i = 0; i < NOPS; i++)
				printf("%s\t%s\n", ops[i].group, ops[i].name);
			return 0;
		default:
			return 2;
		}
	if (do_setup) {
		setup(tag);
		return 0;
	}
	/* tidy what a killed run may have left */
	unlink(FIX "/w/new"); unlink(FIX "/w/sl"); unlink(FIX "/w/hl"); unlink(FIX "/w/sock");
	rmdir(FIX "/w/dir"); rename(FIX "/w/r2", FIX "/w/r1");
	if (chdir(FIX) || (dfd = open(FIX "/a/b", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
		(ffd = open(FILE5, O_RDONLY | O_CLOEXEC)) < 0 ||
		(devzero = open("/dev/zero", O_RDONLY | O_CLOEXEC)) < 0) {
		perror("micro: fixture");
		return 1;
	}
	while (fgets(line, sizeof line, stdin)) {
		size_t i = 0;

		line[strcspn(line, "\n")] = 0;
		while (i < NOPS && strcmp(ops[i].name, line))
			i++;
		if (i == NOPS)
			puts("FAIL\tno such operation");
		else if (times)
			count(i, times);
		else
			measure(i);
		fflush(stdout);
		if (chdir(FIX))
			perror("chdir");
	}
	return 0;
}
