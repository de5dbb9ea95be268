/* SPDX-License-Identifier: ISC
 *
 * The oracle's questions: a table of calls whose answers, one line a case, say what a program sees
 * of its root.  This file knows the fixture and the calls and nothing of libjail: it is run once
 * under chroot(2) and once under libjail, and oracle.sh compares.  So nothing printed may depend on
 * the run: no inode numbers, no times, no process ids.  What a call touched is told by a mark
 * instead: every object of the fixture has a modification time of its own, long ago, and its name
 * as content. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif

/* linux/openat2.h; musl-gcc does not see the kernel's headers */
struct open_how {
	uint64_t flags, mode, resolve;
};
enum {
	RESOLVE_NO_XDEV = 1,
	RESOLVE_NO_MAGICLINKS = 2,
	RESOLVE_NO_SYMLINKS = 4,
	RESOLVE_BENEATH = 8,
	RESOLVE_IN_ROOT = 16,
};

extern char **environ;

#define ROWS(a) (sizeof(a) / sizeof *(a))

enum {
	PRESET = 0xdead,     /* errno before each call: success must leave it */
	OUTSIDE = 7,         /* inherited: a directory outside the root */
	MARK = 100000000,    /* the fixture's first modification time */
	MARKS = 1000,        /* objects a subtree */
	FILE_FD = 9,         /* every case has its file f open here */
	/* musl reads some paths and fills in some structs itself: it crashes natively */
#ifdef __GLIBC__
	CHECKS_POINTERS = true,
#else
	CHECKS_POINTERS = false,
#endif
};

/* -- the line that a case prints --------------------------------------------------------- */

static char line[1 << 16];
static size_t line_len;
static const char *mask_root; /* host path of the root: differs between the passes */

static void out_raw(const char *s, size_t n)
{
	if (n > sizeof line - 2 - line_len)
		n = sizeof line - 2 - line_len;
	memcpy(line + line_len, s, n);
	line_len += n;
}

__attribute__((format(printf, 1, 2))) static void out(const char *fmt, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	out_raw(text, strlen(text));
}

/* n bytes of text in quotes: long runs shortened, the pid and the root's host path masked. */
static void out_text(const char *s, size_t n)
{
	char pid[24];
	size_t pid_len = (size_t)sprintf(pid, "/%d", (int)getpid());
	size_t root_len = mask_root ? strlen(mask_root) : 0;

	out_raw("\"", 1);
	for (size_t i = 0; i < n; i++) {
		size_t run = 1;

		if (root_len > 1 && n - i >= root_len && memcmp(s + i, mask_root, root_len) == 0) {
			out("@");
			i += root_len - 1;
			continue;
		}
		if (n - i >= pid_len && memcmp(s + i, pid, pid_len) == 0 &&
			(n - i == pid_len || s[i + pid_len] == '/')) {
			out("/PID");
			i += pid_len - 1;
			continue;
		}
		while (i + run < n && s[i + run] == s[i])
			run++;
		if (run > 20) {
			out("{%c*%zu}", s[i], run);
			i += run - 1;
		} else if (i + 44 < n && s[i] == '.' && s[i + 1] == '/' &&
			memcmp(s + i, s + i + 2, 40) == 0) {
			run = 2;
			while (i + run + 1 < n && s[i + run] == '.' && s[i + run + 1] == '/')
				run += 2;
			out("{./*%zu}", run / 2);
			i += run - 1;
		} else if (s[i] == '\n') {
			out("\\n");
		} else if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] > '~') {
			out("\\x%02x", (unsigned char)s[i]);
		} else {
			out_raw(s + i, 1);
		}
	}
	out_raw("\"", 1);
}

static const char *errno_name(int e)
{
	static const struct {
		int e;
		const char *name;
	} names[] = {
#define N(e) {e, #e}
		N(EPERM), N(ENOENT), N(EINTR), N(EIO), N(ENXIO), N(E2BIG), N(ENOEXEC), N(EBADF),
		N(ECHILD),
		N(EAGAIN), N(ENOMEM), N(EACCES), N(EFAULT), N(ENOTBLK), N(EBUSY), N(EEXIST),
		N(EXDEV),
		N(ENODEV), N(ENOTDIR), N(EISDIR), N(EINVAL), N(ENFILE), N(EMFILE), N(ENOTTY),
		N(ETXTBSY),
		N(EFBIG), N(ENOSPC), N(ESPIPE), N(EROFS), N(EMLINK), N(EPIPE), N(EDOM), N(ERANGE),
		N(EDEADLK), N(ENAMETOOLONG), N(ENOLCK), N(ENOSYS), N(ENOTEMPTY), N(ELOOP),
		N(ENODATA),
		N(EOVERFLOW), N(ENOTSOCK), N(EDESTADDRREQ), N(EMSGSIZE), N(EPROTOTYPE),
		N(EOPNOTSUPP),
		N(EAFNOSUPPORT), N(EADDRINUSE), N(EADDRNOTAVAIL), N(ECONNRESET), N(EISCONN),
		N(ENOTCONN),
		N(ETIMEDOUT), N(ECONNREFUSED), N(EALREADY), N(EINPROGRESS), N(ESTALE), N(EDQUOT),
#undef N
	};

	for (size_t i = 0; i < ROWS(names); i++)
		if (names[i].e == e)
			return names[i].name;
	return "E?";
}

/* The result of a system call's wrapper: on success errno is what it was. */
static long result(long r)
{
	int e = errno;

	if (r == -1)
		out(" -1 %s", errno_name(e));
	else
		out(" %ld", r);
	if (r != -1 && e != PRESET)
		out(" errno=%s", errno_name(e));
	return r;
}
#define DO(call) (errno = PRESET, result((long)(call)))

/* The same for functions that may touch errno when they succeed (stdio, malloc). */
static bool worked(bool ok)
{
	int e = errno;

	if (ok)
		out(" ok");
	else
		out(" failed %s", errno_name(e));
	return ok;
}
#define TRY(call) (errno = PRESET, worked(call))

/* A function that returns its errno. */
static int returned(int e)
{
	out(" %s", e ? errno_name(e) : "0");
	return e;
}

/* -- the fixture ------------------------------------------------------------------------- */

/* % is the subtree itself, an absolute guest path. */
static const struct object {
	char type; /* f d l p s; capitals: only in the shared subtree that nobody changes */
	const char *path, *arg;
	mode_t mode;
} objects[] = {
	{'f', "f", NULL, 0644},
	{'f', "f2", NULL, 0664},
	{'f', "nox", NULL, 0},
	{'f', "x", "#!/bin/sh\necho \"script $0 $*\"\n", 0755},
	{'d', "d", NULL, 0755},
	{'f', "d/f", NULL, 0644},
	{'l', "d/up", "..", 0},
	{'l', "d/abs", "%/f", 0},
	{'l', "d/only", "/etc/only", 0},
	{'l', "d/out", "../../../../../../../../../etc/hostname", 0},
	{'d', "d/e", NULL, 0755},
	{'f', "d/e/g", NULL, 0644},
	{'d', "empty", NULL, 0755},
	{'d', "locked", NULL, 0},
	{'f', "locked/in", NULL, 0644},
	{'d', "noread", NULL, 0311},
	{'f', "noread/in", NULL, 0644},
	{'d', "noexec", NULL, 0644},
	{'f', "noexec/in", NULL, 0644},
	{'d', "ro", NULL, 0555},
	{'f', "ro/in", NULL, 0644},
	{'l', "rel", "f", 0},
	{'l', "abs", "%/f", 0},
	{'l', "relc", "rel", 0},
	{'l', "absc", "%/d/../relc", 0},
	{'l', "dl", "d", 0},
	{'l', "dla", "%/d", 0},
	{'l', "dls", "d/", 0},
	{'l', "dle", "%/d/e", 0},
	{'l', "fls", "f/", 0},
	{'l', "dang", "nothing", 0},
	{'l', "danga", "%/nothing", 0},
	{'l', "dangd", "nodir/nothing", 0},
	{'l', "dangt", "nothing/", 0},
	{'l', "loop", "loop", 0},
	{'l', "la", "lb", 0},
	{'l', "lb", "%/la", 0},
	{'l', "up", "../../../../../../../../..", 0},
	{'l', "upf", "../../../../../../../etc/only", 0},
	{'l', "uph", "../../../../../../../etc/hostname", 0},
	{'l', "root", "/", 0},
	{'l', "only", "/etc/only", 0},
	{'l', "host", "/etc/hostname", 0},
	{'l', "dots", "./d/../d/./e//", 0},
	{'p', "fifo", NULL, 0644},
	{'s', "sock", NULL, 0755},
	{'L', "pcwd", "/proc/self/cwd", 0},
	{'L', "proot", "/proc/self/root", 0},
	{'L', "pexe", "/proc/self/exe", 0},
	{'L', "pfd", "/proc/self/fd/9", 0},
	{'L', "hosts", "/srv/nowhere/../../etc/hostname", 0},
	{'L', "rootup", "/../../..%/f", 0},
	{'L', "dd", "..", 0},
	{'L', "dot", ".", 0},
	{'L', "slashes", "//w///shared//f", 0},
	{'L', "via", "dla/up/dle/../only", 0},
	{'L', "x.link", "%/x", 0},
	{'F', "x.arg", "#!/bin/sh -e \necho \"arg $0 $*\"\n", 0755},
	{'F', "x.args", "#! /bin/oracle who two words\n", 0755},
	{'F', "x.chain", "#!%/x.args\n", 0755},
	{'F', "x.rel", "#!bin/sh\necho relative\n", 0755},
	{'F', "x.link2", "#!%/shl\necho \"linked $0 $*\"\n", 0755},
	{'L', "shl", "/bin/sh", 0},
	{'F', "x.none", "#!/nowhere/sh\necho no\n", 0755},
	{'F', "x.dir", "#!%/d\necho no\n", 0755},
	{'F', "x.file", "#!%/f\necho no\n", 0755},
	{'F', "x.self", "#!%/x.self\n", 0755},
	{'F', "x.empty", "", 0755},
	{'F', "x.bare", "echo \"bare $0 $*\"\n", 0755},
	{'F', "x.blank", "#!   \necho no\n", 0755},
	{'F', "x.bang", "#!", 0755},
	{'F', "x.elf", "\177ELF\n", 0755},
	{'F', "x.noeol", "#!/bin/oracle who", 0755},
	{'F', "x.space", "#!/bin/oracle ", 0755},
	{'F', "x.spaces", "#!/bin/oracle who \t", 0755},
	{'F', "x.tab", "#!\t/bin/oracle\twho\tx \t\n", 0755},
	{'F', "x.n1", "#!%/x.n2\n", 0755},
	{'F', "x.n2", "#!%/x.n3\n", 0755},
	{'F', "x.n3", "#!%/x.n4\n", 0755},
	{'F', "x.n4", "#!%/x.n5\n", 0755},
	{'F', "x.n5", "#!/bin/oracle who\n", 0755},
	{'F', "x.n0", "#!%/x.n1\n", 0755},
	{'F', "xonly", "#!/bin/sh\necho unreadable\n", 0111},
};

/* Directly in the root; what hosts have too has other content here. */
static const struct object root_objects[] = {
	{'d', "etc", NULL, 0755},
	{'f', "etc/only", NULL, 0644},
	{'f', "etc/hostname", NULL, 0644},
	{'f', "etc/passwd", "root:x:0:0:root:/root:/bin/sh\norc:x:65533:65533::/w:/bin/sh\n", 0644},
	{'f', "etc/group", "root:x:0:\norc:x:65533:\n", 0644},
	{'l', "etc/mtab", "/etc/only", 0},
	{'d', "tmp", NULL, 01777},
	{'d', "var", NULL, 0755},
	{'l', "var/tmp", "/tmp", 0},
	{'d', "var/here", NULL, 0755},
	{'l', "var/back", "/var/here/../../etc", 0},
	{'d', "r", NULL, 0755},
	{'d', "w", NULL, 0755},
	{'d', "proc", NULL, 0755},
	{'d', "dev", NULL, 0755},
	{'d', "sys", NULL, 0755},
};

static const struct object outside_objects[] = {
	{'f', "f", NULL, 0644},
	{'d', "d", NULL, 0755},
	{'f', "d/f", NULL, 0644},
	{'d', "d/e", NULL, 0755},
	{'f', "d/e/g", NULL, 0644},
	{'l', "abs", "/etc/only", 0},
	{'l', "host", "/etc/hostname", 0},
	{'l', "rel", "d/f", 0},
	{'l', "up", "../../../../../../../../../../../etc/hostname", 0},
	{'l', "out", "../k.out/nothing", 0},
};

/* Subtree numbers of the marks: the root, the outside, then the cases. */
enum { TREE_ROOT, TREE_OUTSIDE, TREE_SHARED, TREE_CASES };

static void die(const char *what)
{
	fprintf(stderr, "oracle: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* A pattern with % for the subtree's guest path. */
static void expand(char *to, size_t n, const char *pattern, const char *self)
{
	size_t used = 0;

	for (; *pattern && used + 1 < n; pattern++) {
		if (*pattern == '%') {
			size_t len = strlen(self);

			if (used + len + 1 >= n)
				break;
			memcpy(to + used, self, len);
			used += len;
		} else {
			to[used++] = *pattern;
		}
	}
	to[used] = '\0';
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
	size_t n = strlen(text);

	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		die(path);
	close(fd);
}

/* Makes a table of objects below the working directory, which is `self` to the guest. */
static void make_objects(const struct object *o, size_t n, const char *self, long tree, bool shared)
{
	char text[4096];

	for (size_t i = 0; i < n; i++) {
		bool extra = o[i].type < 'a';
		int r = 0;

		if (extra && !shared)
			continue;
		switch (o[i].type | 0x20) {
		case 'd':
			r = mkdir(o[i].path, 0700);
			if (r != 0 && errno == EEXIST)
				r = 0;
			break;
		case 'l':
			expand(text, sizeof text, o[i].arg, self);
			r = symlink(text, o[i].path);
			break;
		case 'p':
			r = mkfifo(o[i].path, 0600);
			break;
		case 's':
			r = mknod(o[i].path, S_IFSOCK | 0600, 0);
			break;
		default:
			if (o[i].arg)
				expand(text, sizeof text, o[i].arg, self);
			else
				snprintf(text, sizeof text, "I am %s/%s\n", self, o[i].path);
			write_file(o[i].path, text);
		}
		if (r != 0)
			die(o[i].path);
	}
	for (size_t i = n; i-- > 0;) {
		struct timespec t[2] = {{MARK, 0}, {MARK + tree * MARKS + (long)i, 0}};

		if (o[i].type < 'a' && !shared)
			continue;
		if (utimensat(AT_FDCWD, o[i].path, t, AT_SYMLINK_NOFOLLOW) != 0)
			die(o[i].path);
		if ((o[i].type | 0x20) != 'l' && chmod(o[i].path, o[i].mode) != 0)
			die(o[i].path);
	}
}

static void mark_self(long tree)
{
	struct timespec t[2] = {{MARK, 0}, {MARK + tree * MARKS + MARKS - 1, 0}};

	if (utimensat(AT_FDCWD, ".", t, 0) != 0)
		die("utimensat");
}

/* Directories so deep that the path of the file in the last is exactly 4095 bytes. */
enum { DEEP_NAME = 250 };

static char *name_of(char *to, char c, size_t n)
{
	memset(to, c, n);
	to[n] = '\0';
	return to;
}

static void deep_path(char *to, const char *self, size_t total)
{
	size_t len = (size_t)sprintf(to, "%s/deep", self);

	while (total - len > DEEP_NAME + 1) {
		to[len++] = '/';
		memset(to + len, 'D', DEEP_NAME);
		len += DEEP_NAME;
	}
	to[len++] = '/';
	memset(to + len, 'z', total - len);
	to[total] = '\0';
}

static void make_deep(const char *self)
{
	char name[300];
	size_t len = strlen(self) + 5;
	int here = open(".", O_RDONLY | O_DIRECTORY);

	if (here < 0 || mkdir("deep", 0755) != 0 || chdir("deep") != 0)
		die("deep");
	while (4095 - len > DEEP_NAME + 1) {
		name_of(name, 'D', DEEP_NAME);
		if (mkdir(name, 0755) != 0 || chdir(name) != 0)
			die(name);
		len += DEEP_NAME + 1;
	}
	write_file(name_of(name, 'z', 4095 - len - 1), "I am deep\n");
	if (fchdir(here) != 0)
		die("fchdir");
	close(here);
	write_file(name_of(name, 'n', 255), "I am 255\n");
}

/* -- cases ------------------------------------------------------------------------------- */

struct shape {
	const char *label, *path;
	const char *in; /* m: for calls that change; c: for those of attributes too; v: answers
			 * vary; p: may block; l: the link is a process id */
};

/* Paths: % the subtree, ! a bad pointer, # a length. */
static const struct shape shapes[] = {
	{"file", "f", "mc"},
	{"dot-file", "./f", ""},
	{"dir-file", "d/f", ""},
	{"dir-up-file", "d/../f", ""},
	{"dir-dir-up-up", "d/e/../../f", ""},
	{"slashes", "d//e///g", "m"},
	{"file-slash", "f/", "mc"},
	{"file-slash-dot", "f/.", ""},
	{"file-dotdot", "f/..", ""},
	{"dir", "d", "mc"},
	{"dir-slash", "d/", "mc"},
	{"dir-slashes", "d///", ""},
	{"dir-dot", "d/.", "m"},
	{"dir-dotdot", "d/..", ""},
	{"dir-dot-slash", "d/./", ""},
	{"dir-dotdot-slash", "d/../", ""},
	{"empty-dir", "empty", ""},
	{"empty-dir-slash", "empty/", "m"},
	{"empty-dir-dot", "empty/.", ""},
	{"dot", ".", "m"},
	{"dotdot", "..", ""},
	{"dot-slash", "./", ""},
	{"dotdot-slash", "../", ""},
	{"empty", "", "mc"},
	{"root", "/", "m"},
	{"root2", "//", ""},
	{"root-dot", "/.", ""},
	{"root-up", "/..", ""},
	{"root-up-up", "/../..", ""},
	{"self", "%", ""},
	{"self-slash", "%/", ""},
	{"abs-file", "%/f", "mc"},
	{"abs2-file", "/%/f", ""},
	{"abs-dir-up", "%/d/../f", ""},
	{"up-over-root", "%/../../../../../..%/f", ""},
	{"root-up-abs", "/../..%/f", ""},
	{"abs-file-slash", "%/f/", ""},
	{"rel-link", "rel", "mc"},
	{"abs-link", "abs", "mc"},
	{"rel-chain", "relc", ""},
	{"abs-chain", "absc", "mc"},
	{"rel-link-slash", "rel/", ""},
	{"abs-link-slash", "abs/", "m"},
	{"abs-abs-link", "%/abs", ""},
	{"dirlink", "dl", ""},
	{"dirlink-slash", "dl/", "m"},
	{"abs-dirlink", "dla", "mc"},
	{"abs-dirlink-slash", "dla/", "mc"},
	{"abs-dirlink-dot", "dla/.", ""},
	{"dirlink-file", "dl/f", ""},
	{"abs-dirlink-file", "dla/f", "m"},
	{"dirlink-up", "dl/..", ""},
	{"abs-dirlink-up", "dla/..", ""},
	{"dirlink-deep-up", "dle/..", ""},
	{"dirlink-deep-up-file", "dle/../f", ""},
	{"dirlink-deep-up-up-file", "dle/../../f", "m"},
	{"dirlink-deep-file", "dle/g", ""},
	{"dirlink-slash-target", "dls", ""},
	{"dirlink-slash-target-file", "dls/f", ""},
	{"file-link-slash-target", "fls", "m"},
	{"dangling", "dang", "mc"},
	{"dangling-slash", "dang/", ""},
	{"dangling-dot", "dang/.", ""},
	{"dangling-up", "dang/..", ""},
	{"dangling-abs", "danga", "m"},
	{"dangling-abs-slash", "danga/", ""},
	{"dangling-dir", "dangd", "m"},
	{"dangling-target-slash", "dangt", ""},
	{"loop", "loop", "mc"},
	{"loop-slash", "loop/", ""},
	{"loop-inside", "loop/x", ""},
	{"loop2", "la", ""},
	{"loop2-inside", "la/x", ""},
	{"up", "up", "m"},
	{"up-slash", "up/", ""},
	{"up-only", "up/etc/only", ""},
	{"up-host", "up/etc/hostname", ""},
	{"up-up", "up/../..", ""},
	{"up-up-host", "up/../../etc/hostname", ""},
	{"up-file", "upf", ""},
	{"up-host-file", "uph", ""},
	{"rootlink", "root", "m"},
	{"rootlink-slash", "root/", ""},
	{"rootlink-only", "root/etc/only", ""},
	{"rootlink-host", "root/etc/hostname", ""},
	{"rootlink-abs", "root%/f", ""},
	{"rootlink-new", "root%/new", "m"},
	{"rootlink-up", "root/..", ""},
	{"only-link", "only", ""},
	{"host-link", "host", ""},
	{"dots-link", "dots", ""},
	{"dots-link-file", "dots/g", ""},
	{"dots-link-up", "dots/../f", ""},
	{"dir-uplink-file", "d/up/f", ""},
	{"dir-uplinks", "d/up/d/up/f", ""},
	{"dir-abs-link", "d/abs", ""},
	{"dir-only-link", "d/only", ""},
	{"dir-out-link", "d/out", ""},
	{"missing", "nope", "mc"},
	{"missing-slash", "nope/", "m"},
	{"missing-dot", "nope/.", ""},
	{"missing-up", "nope/..", ""},
	{"missing-inside", "nope/f", "m"},
	{"missing-up-file", "nope/../f", ""},
	{"dir-missing", "d/nope", "m"},
	{"abs-missing", "%/nope", ""},
	{"abs-dirlink-missing", "dla/nope", "m"},
	{"dirlink-deep-up-missing", "dle/../nope", ""},
	{"file-inside", "f/nope", "mc"},
	{"file-link-inside", "abs/nope", ""},
	{"file-up-file", "f/../f", ""},
	{"noperm-file", "nox", "mc"},
	{"locked", "locked", "m"},
	{"locked-slash", "locked/", ""},
	{"locked-dot", "locked/.", ""},
	{"locked-in", "locked/in", "mc"},
	{"locked-up", "locked/..", ""},
	{"locked-up-file", "locked/../f", ""},
	{"locked-new", "locked/new", "m"},
	{"noread", "noread", ""},
	{"noread-in", "noread/in", ""},
	{"noread-new", "noread/new", ""},
	{"noexec", "noexec", ""},
	{"noexec-in", "noexec/in", ""},
	{"readonly-in", "ro/in", ""},
	{"readonly-new", "ro/new", "m"},
	{"fifo", "fifo", "mp"},
	{"fifo-inside", "fifo/x", ""},
	{"sock", "sock", ""},
	{"sock-inside", "sock/x", ""},
	{"script", "x", ""},
	{"etc-only", "/etc/only", ""},
	{"etc-hostname", "/etc/hostname", ""},
	{"etc-passwd", "/etc/passwd", ""},
	{"etc-shadow", "/etc/shadow", ""},
	{"etc-mtab", "/etc/mtab", ""},
	{"home", "/home", ""},
	{"work", "/work", ""},
	{"var-back", "/var/back/hostname", ""},
	{"var-tmp-up", "/var/tmp/../etc/only", ""},
	{"rooted-link", "rootup", ""},
	{"dotdot-link", "dd", ""},
	{"dotdot-link-up", "dd/../etc/only", ""},
	{"dot-link", "dot/f", ""},
	{"slashes-link", "slashes", ""},
	{"many-links", "via", ""},
	{"hosts-link", "hosts", ""},
	{"script-link", "x.link", ""},
	{"dev-null", "/dev/null", "mv"},
	{"dev-null-slash", "/dev/null/", ""},
	{"dev-null-inside", "/dev/null/x", ""},
	{"dev", "/dev", "v"},
	{"dev-up", "/dev/../etc/hostname", ""},
	{"dev-missing", "/dev/oracle-nope", ""},
	{"dev-fd", "/dev/fd/9", ""},
	{"dev-stdin", "/dev/stdin", "v"},
	{"proc", "/proc", "mv"},
	{"proc-slash", "/proc/", "v"},
	{"proc-dot", "/proc/.", "v"},
	{"proc-up", "/proc/..", ""},
	{"proc-up-file", "/proc/../etc/only", ""},
	{"proc-self-up", "/proc/self/../../etc/hostname", ""},
	{"proc-self", "/proc/self", "vl"},
	{"proc-self-slash", "/proc/self/", "v"},
	{"proc-cwd", "/proc/self/cwd", ""},
	{"proc-cwd-slash", "/proc/self/cwd/", ""},
	{"proc-cwd-file", "/proc/self/cwd/f", ""},
	{"proc-cwd-up", "/proc/self/cwd/..", ""},
	{"proc-cwd-link", "/proc/self/cwd/abs", ""},
	{"proc-cwd-new", "/proc/self/cwd/nope", "m"},
	{"proc-root", "/proc/self/root", ""},
	{"proc-root-only", "/proc/self/root/etc/only", ""},
	{"proc-root-host", "/proc/self/root/etc/hostname", ""},
	{"proc-root-up", "/proc/self/root/../etc/hostname", ""},
	{"proc-root-file", "/proc/self/root%/f", ""},
	{"proc-exe", "/proc/self/exe", ""},
	{"proc-fd", "/proc/self/fd/9", ""},
	{"proc-fd-slash", "/proc/self/fd/9/", ""},
	{"proc-fd-closed", "/proc/self/fd/99", ""},
	{"proc-fd-out", "/proc/self/fd/7", ""},
	{"proc-fd-out-file", "/proc/self/fd/7/f", ""},
	{"proc-fd-out-up", "/proc/self/fd/7/d/../f", ""},
	{"proc-fd-out-abs", "/proc/self/fd/7/abs", ""},
	{"proc-fd-out-host", "/proc/self/fd/7/host", ""},
	{"proc-thread", "/proc/thread-self/cwd/f", ""},
	{"proc-missing", "/proc/self/nope", ""},
	{"proc-link-cwd", "pcwd/f", ""},
	{"proc-link-root", "proot/etc/hostname", ""},
	{"proc-link-exe", "pexe", ""},
	{"proc-link-fd", "pfd", ""},
	{"sys", "/sys", "v"},
	{"sys-up", "/sys/../etc/only", ""},
	{"name-255", "#255", "m"},
	{"name-256", "#256", ""},
	{"name-255-inside", "#255/x", ""},
	{"name-256-inside", "#256/x", ""},
	{"path-4095", "#4095", "m"},
	{"path-4096", "#4096", ""},
	{"path-4095-abs", "#4095a", ""},
	{"path-4096-abs", "#4096a", ""},
	{"path-4095-deep", "#4095d", ""},
	{"path-4094-deep", "#4094d", ""},
	{"path-5000", "#5000", ""},
	{"null", "!0", "mc"},
	{"pointer-1", "!1", ""},
	{"pointer-minus-1", "!2", ""},
	{"pointer-unmapped", "!3", ""},
	{"pointer-no-nul", "!4", "m"},
	{"pointer-last-byte", "!5", ""},
	{"pointer-kernel", "!6", ""},
};

/* A shape becomes an argument. */
static void *volatile bad = (void *)(uintptr_t)1; /* volatile: no compiler warns of the deed */
static volatile size_t too_much = SIZE_MAX;
static char *page_end; /* the first byte of a page that nobody may read */

static void make_page_end(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);

	/* forbidden rather than unmapped: nothing else may come to lie there */
	if (p == MAP_FAILED || mprotect(p + page, (size_t)page, PROT_NONE) != 0)
		die("mmap");
	page_end = p + page;
}

static const char *argument(char *buf, size_t n, const char *path, const char *self)
{
	size_t want, len;

	if (path[0] == '!') {
		memcpy(page_end - 8, "aaaaaaaa", 8);
		switch (path[1]) {
		case '0':
			return NULL;
		case '1':
			return (const char *)(uintptr_t)1;
		case '2':
			return (const char *)UINTPTR_MAX;
		case '3':
			return page_end;
		case '4':
			return page_end - 5;
		case '5':
			memcpy(page_end - 2, "f", 2);
			return page_end - 2;
		default:
			return (const char *)(uintptr_t)0xffff800000000000UL;
		}
	}
	if (path[0] != '#') {
		expand(buf, n, path, self);
		return buf;
	}
	want = (size_t)strtoul(path + 1, NULL, 10);
	if (want < 300) {
		name_of(buf, 'n', want);
		strcat(buf, strchr(path, '/') ? "/x" : "");
		return buf;
	}
	if (path[5] == 'd') {
		deep_path(buf, self, 4095);
		if (want == 4094)
			buf[4094] = '\0';
		return buf;
	}
	/* ./././f or /w/case/././f: the dots fill it up */
	len = path[5] == 'a' ? (size_t)sprintf(buf, "%s/", self) : 0;
	if ((want - len) % 2 == 0)
		buf[len++] = '.', buf[len++] = '/', buf[len++] = '/';
	while (len + 2 < want)
		buf[len++] = '.', buf[len++] = '/';
	strcpy(buf + len, want - len == 1 ? "f" : "ff");
	return buf;
}

enum {
	OP_CHANGES = 1, /* in a subtree of its own, with the shapes "m" */
	OP_ATTR = 2,    /* likewise, shapes "c" */
	OP_LIBC = 4,    /* not a system call: no bad pointers */
	OP_BLOCKS = 8,  /* opens without O_NONBLOCK */
	OP_LISTS = 16,  /* shows what varies */
};

struct op {
	const char *name;
	void (*fn)(const char *p, long arg);
	long arg;
	unsigned how;
};

struct item {
	char name[80];
	const struct op *op;       /* with a shape */
	const struct shape *shape;
	void (*fn)(void);          /* or a scenario of its own */
	int dirfd_kind, dirfd_op;  /* or a descriptor and a path */
	const char *dirfd_path;
	bool own;
	long tree;
};

static struct item *items, *now;
static size_t nitems;
static char self[128]; /* the case's subtree as the guest names it */

/* -- what was touched -------------------------------------------------------------------- */

static void out_mark(mode_t mode, int64_t mtime, dev_t rdev, int64_t size)
{
	const char *type = S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "dir" : S_ISLNK(mode) ? "link"
		: S_ISFIFO(mode) ? "fifo" : S_ISSOCK(mode) ? "socket" : S_ISCHR(mode) ? "char"
			: "other";
	long tree = (long)((mtime - MARK) / MARKS);
	size_t i = (size_t)((mtime - MARK) % MARKS);

	out(" %s %03o ", type, (unsigned)(mode & 07777));
	if (S_ISCHR(mode))
		out("%lx", (unsigned long)rdev);
	if (mtime < MARK || tree < 0 || tree >= TREE_CASES + (long)nitems) {
		out(S_ISREG(mode) ? "unmarked" : "new");
		if (S_ISREG(mode) && size < 4096)
			out(" size %ld", (long)size);
		return;
	}
	if (tree == TREE_ROOT)
		out("<root>/%s", i < ROWS(root_objects) ? root_objects[i].path : "");
	else if (tree == TREE_OUTSIDE)
		out("<outside>/%s", i < ROWS(outside_objects) ? outside_objects[i].path : "");
	else
		out("<%s>/%s", tree == now->tree ? "" : tree == TREE_SHARED ? "shared" : "OTHER",
			i < ROWS(objects) ? objects[i].path : "");
}

static void out_stat(const struct stat *st)
{
	out_mark(st->st_mode, st->st_mtime, st->st_rdev, st->st_size);
}

/* What fd is, and how its text begins. */
static void out_fd(int fd)
{
	struct stat st;
	char text[64];
	ssize_t n;

	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0) {
		out(" fstat %s", errno_name(errno));
		return;
	}
	out_stat(&st);
	if (!S_ISREG(st.st_mode))
		return;
	n = pread(fd, text, sizeof text, 0);
	if (n > 0 && (text[0] == 'I' || text[0] == '#')) {
		out(" ");
		out_text(text, (size_t)n);
	} else if (n > 0) {
		char *end = memchr(text, '\n', (size_t)n);

		if (text[0] != '\177' && end) {
			out(" ");
			out_text(text, (size_t)(end - text));
		}
	}
}

static void out_path(const char *label, const char *path)
{
	struct stat st;

	out("; %s", label);
	if (DO(lstat(path, &st)) == 0)
		out_stat(&st);
}

static void out_open(const char *path)
{
	int fd;

	out("; open ");
	out_text(path, strlen(path));
	fd = (int)DO(open(path, O_RDONLY | O_NONBLOCK));
	out_fd(fd);
	if (fd >= 0)
		close(fd);
}

static void out_cwd(void)
{
	char buf[PATH_MAX];
	long n;

	out("; cwd");
	errno = PRESET;
	n = syscall(SYS_getcwd, buf, sizeof buf);
	if (n <= 0) {
		result(n);
		return;
	}
	/* not the length itself: an "(unreachable)" path is the host's */
	out(" ");
	out_text(buf, strlen(buf));
	if ((size_t)n != strlen(buf) + 1 || errno != PRESET)
		out(" length %ld errno %d", n, errno);
}

/* -- calls with one path ----------------------------------------------------------------- */

static void op_open(const char *p, long flags)
{
	int fd = (int)DO(open(p, (int)flags | O_NONBLOCK, 0640));

	out_fd(fd);
	if (fd >= 0) /* O_NOFOLLOW: scenario open_flags */
		out(" flags %o",
			fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH | O_APPEND | O_DIRECTORY));
}

static void op_creat(const char *p, long mode)
{
	out_fd((int)DO(creat(p, (mode_t)mode)));
}

static void op_sys_openat(const char *p, long flags)
{
	out_fd((int)DO(syscall(SYS_openat, AT_FDCWD, p, (int)flags | O_NONBLOCK, 0640)));
}

static void op_openat2(const char *p, long resolve)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK, .resolve = (uint64_t)resolve};

	out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, p, &how, sizeof how)));
}

static void op_stat(const char *p, long nofollow)
{
	struct stat st;

	if (DO(nofollow ? lstat(p, &st) : stat(p, &st)) == 0)
		out_stat(&st);
}

static void op_sys_stat(const char *p, long flags)
{
	struct stat st;

	if (DO(syscall(SYS_newfstatat, AT_FDCWD, p, &st, (int)flags)) == 0)
		out_stat(&st);
}

#ifndef STATX_BASIC_STATS
struct statx_stamp {
	int64_t sec;
	uint32_t nsec, pad;
};
struct statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t stx_mode, pad;
	uint64_t ino, stx_size, blocks, attributes_mask;
	struct statx_stamp atime, btime, ctime, stx_mtime;
	uint32_t rdev[4];
	uint64_t spare[16];
};
#define STATX_BASIC_STATS 0x7ff
#define statx(dir, path, flags, mask, buf) (int)syscall(SYS_statx, dir, path, flags, mask, buf)
#define tv_sec sec
#endif

static void op_statx(const char *p, long flags)
{
	struct statx st;

	if (DO(statx(AT_FDCWD, p, (int)flags, STATX_BASIC_STATS, &st)) == 0)
		out_mark(st.stx_mode, st.stx_mtime.tv_sec, 0, (int64_t)st.stx_size);
}
#undef tv_sec

static void op_access(const char *p, long mode)
{
	DO(access(p, (int)mode));
}

static void op_faccessat(const char *p, long flags)
{
	DO(faccessat(AT_FDCWD, p, R_OK, (int)flags));
}

static void op_readlink(const char *p, long size)
{
	char buf[8192];
	long n = DO(readlink(p, buf, (size_t)size));

	if (n > 0) {
		out(" ");
		/* the target itself, cut where asked: only text that is whole can be masked */
		out_text(buf, (size_t)n);
	}
}

static void op_readlinkat(const char *p, long size)
{
	char buf[64];
	long n = DO(readlinkat(AT_FDCWD, p, buf, (size_t)size));

	if (n > 0) {
		out(" ");
		out_text(buf, (size_t)n);
	}
}

static void op_statfs(const char *p, long arg)
{
	struct statfs sf;

	(void)arg;
	if (DO(statfs(p, &sf)) == 0)
		out(" type %lx name %ld", (unsigned long)sf.f_type, (long)sf.f_namelen);
}

static void op_statvfs(const char *p, long arg)
{
	struct statvfs sf;

	(void)arg;
	if (DO(statvfs(p, &sf)) == 0)
		out(" name %lu", sf.f_namemax);
}

static void op_chdir(const char *p, long arg)
{
	(void)arg;
	if (DO(chdir(p)) != 0)
		return;
	out_path("now", ".");
	out_path("up", "..");
	out_cwd();
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *names[20000];
static size_t nnames;

static void names_add(const char *name)
{
	if (nnames < ROWS(names))
		names[nnames++] = strdup(name);
}

/* The names in order, the first few and a hash of all. */
static void names_out(void)
{
	unsigned long hash = 14695981039346656037UL;

	qsort(names, nnames, sizeof *names, by_name);
	for (size_t i = 0; i < nnames; i++) {
		for (const char *s = names[i]; *s; s++)
			hash = (hash ^ (unsigned char)*s) * 1099511628211UL;
		if (i < 12) {
			out(" ");
			out_text(names[i], strlen(names[i]));
		}
	}
	if (nnames > 12)
		out(" ... %zu %lx", nnames, hash);
	nnames = 0;
}

static void op_opendir(const char *p, long arg)
{
	DIR *dir;
	struct dirent *e;
	struct stat st;

	(void)arg;
	errno = PRESET;
	dir = opendir(p);
	if (!worked(dir))
		return;
	if (fstat(dirfd(dir), &st) == 0)
		out_stat(&st);
	if (now->shape && strchr(now->shape->in, 'v'))
		return;
	while ((e = readdir(dir)))
		names_add(e->d_name);
	closedir(dir);
	names_out();
}

static void op_scandir(const char *p, long arg)
{
	struct dirent **list;
	int n;

	(void)arg;
	errno = PRESET;
	n = scandir(p, &list, NULL, alphasort);
	if (!worked(n >= 0))
		return;
	if (now->shape && strchr(now->shape->in, 'v'))
		return;
	for (int i = 0; i < n; i++)
		names_add(list[i]->d_name);
	names_out();
}

static void op_realpath(const char *p, long arg)
{
	char buf[PATH_MAX] = "";
	char *r;

	errno = PRESET;
	r = realpath(p, arg ? buf : NULL);
	if (worked(r))
		out(" "), out_text(r, strlen(r));
}

static void op_canonicalize(const char *p, long arg)
{
	(void)arg;
#ifdef __GLIBC__
	char *r = (errno = PRESET, canonicalize_file_name(p));

	if (worked(r))
		out(" "), out_text(r, strlen(r));
#else
	(void)p;
#endif
}

static void op_getxattr(const char *p, long nofollow)
{
	char buf[64];
	long n = DO(nofollow ? lgetxattr(p, "user.mark", buf, sizeof buf)
		: getxattr(p, "user.mark", buf, sizeof buf));

	if (n > 0)
		out(" "), out_text(buf, (size_t)n);
}

static void op_listxattr(const char *p, long nofollow)
{
	char buf[512];
	long n = DO(nofollow ? llistxattr(p, buf, sizeof buf) : listxattr(p, buf, sizeof buf));

	if (n > 0)
		out(" "), out_text(buf, (size_t)n);
}

static void op_inotify(const char *p, long mask)
{
	int fd = inotify_init1(IN_NONBLOCK);

	DO(inotify_add_watch(fd, p, IN_MODIFY | (uint32_t)mask));
}

static const char *const modes[] = {"r", "r+", "w", "a", "wx", "re", "w+"};

static void op_fopen(const char *p, long mode)
{
	FILE *f;

	errno = PRESET;
	f = fopen(p, modes[mode]);
	if (!worked(f))
		return;
	out_fd(fileno(f));
	if (mode != 0 && mode != 5) {
		fputs("stdio\n", f);
		fclose(f);
	}
}

static void op_freopen(const char *p, long mode)
{
	FILE *f = fopen("/dev/null", "r");

	errno = PRESET;
	f = freopen(p, modes[mode], f);
	if (worked(f))
		out_fd(fileno(f));
}

static void op_handle(const char *p, long flags)
{
	struct file_handle h = {.handle_bytes = 0};
	int mount;

	DO(name_to_handle_at(AT_FDCWD, p, &h, &mount, (int)flags));
}

static socklen_t sun_set(struct sockaddr_un *sun, const char *p)
{
	size_t n = strlen(p);

	memset(sun, 0, sizeof *sun);
	sun->sun_family = AF_UNIX;
	if (n > sizeof sun->sun_path)
		n = sizeof sun->sun_path;
	memcpy(sun->sun_path, p, n);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (n < sizeof sun->sun_path));
}

static void op_connect(const char *p, long type)
{
	struct sockaddr_un sun;
	socklen_t len = sun_set(&sun, p);
	int fd = socket(AF_UNIX, (int)type, 0);

	DO(connect(fd, (struct sockaddr *)&sun, len));
}

/* Runs `child` in a process of its own and shows what it wrote and how it ended. */
static void capture(void (*child)(const char *p, long arg), const char *p, long arg)
{
	char buf[4096];
	size_t len = 0;
	ssize_t n;
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) != 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		alarm(5);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		line_len = 0;
		child(p, arg);
		_exit(write(1, line, line_len) < 0 ? 3 : 0);
	}
	close(ends[1]);
	while (len < sizeof buf && (n = read(ends[0], buf + len, sizeof buf - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	waitpid(pid, &status, 0);
	out(" ");
	out_text(buf, len);
	if (status != 0)
		out(" status %x", (unsigned)status);
}

static void child_execve(const char *p, long arg)
{
	char *argv[] = {"argv-zero", "who", "a b", NULL};
	char *envp[] = {"PATH=/bin", "A=1", NULL};

	(void)arg;
	DO(execve(p, argv, envp));
}

static void op_execve(const char *p, long arg)
{
	capture(child_execve, p, arg);
}

static void op_spawn(const char *p, long search)
{
	char *argv[] = {"spawn-zero", "who", NULL};
	pid_t pid = -1;
	int ends[2], status = 0, e;
	posix_spawn_file_actions_t fa;
	char buf[4096];
	size_t len = 0;
	ssize_t n;

	if (pipe(ends) != 0)
		die("pipe");
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, ends[1], 1);
	posix_spawn_file_actions_addclose(&fa, ends[0]);
	posix_spawn_file_actions_addclose(&fa, ends[1]);
	errno = 0;
	e = search ? posix_spawnp(&pid, p, &fa, NULL, argv, environ)
		: posix_spawn(&pid, p, &fa, NULL, argv, environ);
	returned(e);
	if (e != 0)
		out(errno == e ? " told" : " untold");
	close(ends[1]);
	while (len < sizeof buf && (n = read(ends[0], buf + len, sizeof buf - len)) > 0)
		len += (size_t)n;
	if (e == 0) {
		waitpid(pid, &status, 0);
		out(" ");
		out_text(buf, len);
		out(" status %x", (unsigned)status);
	}
}

static void op_glob(const char *p, long flags)
{
	glob_t g;
	int r = glob(p, (int)flags, NULL, &g);

	out(" %d", r);
	if (r == 0)
		for (size_t i = 0; i < g.gl_pathc; i++)
			names_add(g.gl_pathv[i]);
	names_out();
}

/* -- calls that change ------------------------------------------------------------------- */

static void op_tmpfile(const char *p, long flags)
{
	int fd = (int)DO(open(p, O_TMPFILE | (int)flags, 0640));
	char proc[64];

	if (fd < 0)
		return;
	out(" write %ld", (long)write(fd, "tmpfile\n", 8));
	sprintf(proc, "/proc/self/fd/%d", fd);
	DO(linkat(AT_FDCWD, proc, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
	DO(linkat(fd, "", AT_FDCWD, "linked2", AT_EMPTY_PATH));
	DO(link(proc, "linked3"));
}

static void op_mkdir(const char *p, long mode)
{
	DO(mkdir(p, (mode_t)mode));
}

static void op_rmdir(const char *p, long arg)
{
	(void)arg;
	DO(rmdir(p));
}

static void op_unlink(const char *p, long arg)
{
	(void)arg;
	DO(unlink(p));
}

static void op_remove(const char *p, long arg)
{
	(void)arg;
	DO(remove(p));
}

static void op_unlinkat(const char *p, long flags)
{
	DO(unlinkat(AT_FDCWD, p, (int)flags));
}

static const char *const sources[] = {"f2", "empty", "dl", "d"};

static void op_rename_from(const char *p, long arg)
{
	(void)arg;
	DO(rename(p, "new"));
}

static void op_rename_from_slash(const char *p, long arg)
{
	(void)arg;
	DO(rename(p, "new/"));
}

static void op_rename_to(const char *p, long source)
{
	DO(rename(sources[source], p));
}

static int renameat2_(const char *from, const char *to, unsigned flags)
{
#ifdef __GLIBC__
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
#else
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
#endif
}

static void op_renameat2(const char *p, long flags)
{
	DO(renameat2_("f2", p, (unsigned)flags));
}

static void op_link_from(const char *p, long flags)
{
	DO(flags < 0 ? link(p, "new") : linkat(AT_FDCWD, p, AT_FDCWD, "new", (int)flags));
	out_path("new", "new");
}

static void op_link_to(const char *p, long flags)
{
	DO(flags < 0 ? link("f2", p) : linkat(AT_FDCWD, "abs", AT_FDCWD, p, (int)flags));
}

static const char *const targets[] = {"tgt/../x", "/etc/hostname", "", "//a/./b/", "../../.."};

static void op_symlink(const char *p, long target)
{
	DO(symlink(targets[target], p));
	if (now->shape->path[0] != '!') {
		char buf[64];
		long n;

		out("; then");
		n = DO(readlink(p, buf, sizeof buf));
		if (n > 0)
			out(" "), out_text(buf, (size_t)n);
	}
}

static void op_mknod(const char *p, long mode)
{
	DO(mknod(p, (mode_t)mode, 0));
}

static void op_mkfifo(const char *p, long mode)
{
	DO(mkfifo(p, (mode_t)mode));
}

static void op_chmod(const char *p, long mode)
{
	DO(chmod(p, (mode_t)mode));
}

static void op_fchmodat(const char *p, long flags)
{
	DO(fchmodat(AT_FDCWD, p, 0700, (int)flags));
}

static void op_chown(const char *p, long how)
{
	switch (how) {
	case 0:
		DO(chown(p, getuid(), getgid()));
		break;
	case 1:
		DO(lchown(p, (uid_t)-1, getgid()));
		break;
	case 2:
		DO(chown(p, 0, (gid_t)-1));
		break;
	default:
		DO(fchownat(AT_FDCWD, p, getuid(), (gid_t)-1, (int)how));
	}
}

static void op_utimensat(const char *p, long flags)
{
	struct timespec t[2] = {{50000000, 1}, {50000001, 2}};

	DO(utimensat(AT_FDCWD, p, t, (int)flags));
}

static void op_utimes(const char *p, long how)
{
	struct timeval t[2] = {{50000002, 0}, {50000003, 0}};
	struct utimbuf u = {50000004, 50000005};

	switch (how) {
	case 0:
		DO(utimes(p, t));
		break;
	case 1:
		DO(lutimes(p, t));
		break;
	case 2:
		DO(futimesat(AT_FDCWD, p, t));
		break;
	default:
		DO(utime(p, &u));
	}
}

static void op_truncate(const char *p, long size)
{
	DO(truncate(p, size));
}

static void op_setxattr(const char *p, long nofollow)
{
	DO(nofollow ? lsetxattr(p, "user.new", "v", 1, 0)
		: setxattr(p, "user.new", "v", 1, XATTR_CREATE));
}

static void op_removexattr(const char *p, long nofollow)
{
	DO(nofollow ? lremovexattr(p, "user.mark") : removexattr(p, "user.mark"));
}

static void out_sun(const struct sockaddr_un *sun, socklen_t len)
{
	out(" length %u ", (unsigned)len);
	if (len > offsetof(struct sockaddr_un, sun_path))
		out_text(sun->sun_path, len - offsetof(struct sockaddr_un, sun_path));
}

static void op_bind(const char *p, long type)
{
	struct sockaddr_un sun, got;
	socklen_t len = sun_set(&sun, p), got_len = sizeof got;
	int fd = socket(AF_UNIX, (int)type, 0);

	if (DO(bind(fd, (struct sockaddr *)&sun, len)) != 0)
		return;
	memset(&got, 0, sizeof got);
	if (DO(getsockname(fd, (struct sockaddr *)&got, &got_len)) == 0)
		out_sun(&got, got_len);
}

#define W OP_CHANGES
#define A OP_ATTR
#define L OP_LIBC
static const struct op ops[] = {
	{"open", op_open, O_RDONLY, 0},
	{"open-rdwr", op_open, O_RDWR, 0},
	{"open-nofollow", op_open, O_RDONLY | O_NOFOLLOW, 0},
	{"open-path", op_open, O_PATH, 0},
	{"open-path-nofollow", op_open, O_PATH | O_NOFOLLOW, 0},
	{"open-directory", op_open, O_RDONLY | O_DIRECTORY, 0},
	{"open-directory-nofollow", op_open, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0},
	{"open-odd-flags", op_open, 0x40000000 | O_PATH | O_TRUNC | O_EXCL, 0},
	{"stat", op_stat, 0, 0},
	{"lstat", op_stat, 1, 0},
	{"statx", op_statx, 0, 0},
	{"statx-nofollow", op_statx, AT_SYMLINK_NOFOLLOW, 0},
	{"access-r", op_access, R_OK, 0},
	{"access-wx", op_access, W_OK | X_OK, 0},
	{"faccessat-eaccess", op_faccessat, AT_EACCESS, 0},
	{"faccessat-nofollow", op_faccessat, AT_SYMLINK_NOFOLLOW, 0},
	{"readlink", op_readlink, 8192, 0},
	{"readlinkat-3", op_readlinkat, 3, 0},
	{"statfs", op_statfs, 0, 0},
	{"statvfs", op_statvfs, 0, L},
	{"chdir", op_chdir, 0, 0},
	{"opendir", op_opendir, 0, L},
	{"scandir", op_scandir, 0, L},
	{"realpath", op_realpath, 1, L},
	{"realpath-malloc", op_realpath, 0, L},
	{"canonicalize", op_canonicalize, 0, L},
	{"getxattr", op_getxattr, 0, 0},
	{"lgetxattr", op_getxattr, 1, 0},
	{"llistxattr", op_listxattr, 1, 0},
	{"inotify", op_inotify, 0, 0},
	{"inotify-nofollow", op_inotify, IN_DONT_FOLLOW, 0},
	{"fopen", op_fopen, 0, L | OP_BLOCKS},
	{"freopen", op_freopen, 0, L | OP_BLOCKS},
	{"handle", op_handle, 0, 0},
	{"handle-follow", op_handle, AT_SYMLINK_FOLLOW, 0},
	{"connect", op_connect, SOCK_STREAM, L},
	{"execve", op_execve, 0, 0},
	{"spawn", op_spawn, 0, L},
	{"glob", op_glob, 0, L},
	{"sys-openat", op_sys_openat, O_RDONLY, 0},
	{"sys-fstatat", op_sys_stat, 0, 0},
	{"sys-fstatat-nofollow", op_sys_stat, AT_SYMLINK_NOFOLLOW, 0},
	{"openat2", op_openat2, 0, 0},
	{"openat2-nolinks", op_openat2, RESOLVE_NO_SYMLINKS, 0},
	{"openat2-nomagic", op_openat2, RESOLVE_NO_MAGICLINKS, 0},
	{"openat2-beneath", op_openat2, RESOLVE_BENEATH, 0},
	{"openat2-inroot", op_openat2, RESOLVE_IN_ROOT, 0},
	{"openat2-noxdev", op_openat2, RESOLVE_NO_XDEV, 0},

	{"open-creat", op_open, O_RDWR | O_CREAT, W},
	{"open-excl", op_open, O_RDWR | O_CREAT | O_EXCL, W},
	{"open-creat-nofollow", op_open, O_WRONLY | O_CREAT | O_NOFOLLOW, A},
	{"open-creat-directory", op_open, O_RDONLY | O_CREAT | O_DIRECTORY, A},
	{"open-trunc", op_open, O_WRONLY | O_TRUNC, A},
	{"open-tmpfile", op_tmpfile, O_RDWR, W},
	{"open-tmpfile-excl", op_tmpfile, O_WRONLY | O_EXCL, A},
	{"creat", op_creat, 0600, A},
	{"mkdir", op_mkdir, 0750, W},
	{"rmdir", op_rmdir, 0, W},
	{"unlink", op_unlink, 0, W},
	{"remove", op_remove, 0, A},
	{"unlinkat-dir", op_unlinkat, AT_REMOVEDIR, A},
	{"rename-from", op_rename_from, 0, W},
	{"rename-from-slash", op_rename_from_slash, 0, A},
	{"rename-file-to", op_rename_to, 0, W},
	{"rename-dir-to", op_rename_to, 1, A},
	{"rename-link-to", op_rename_to, 2, A},
	{"rename-full-to", op_rename_to, 3, A},
	{"rename-noreplace", op_renameat2, RENAME_NOREPLACE, A},
	{"rename-exchange", op_renameat2, RENAME_EXCHANGE, W},
	{"rename-badflags", op_renameat2, 64, A},
	{"link-from", op_link_from, -1, W},
	{"link-from-follow", op_link_from, AT_SYMLINK_FOLLOW, A},
	{"link-to", op_link_to, -1, W},
	{"link-to-follow", op_link_to, AT_SYMLINK_FOLLOW, A},
	{"symlink", op_symlink, 0, W},
	{"symlink-abs", op_symlink, 1, A},
	{"symlink-empty", op_symlink, 2, A},
	{"symlink-slashes", op_symlink, 3, A},
	{"symlink-up", op_symlink, 4, A},
	{"mknod", op_mknod, S_IFREG | 0600, W},
	{"mknod-dev", op_mknod, S_IFCHR | 0600, A},
	{"mkfifo", op_mkfifo, 0622, A},
	{"chmod", op_chmod, 0710, A},
	{"fchmodat-nofollow", op_fchmodat, AT_SYMLINK_NOFOLLOW, A},
	{"chown", op_chown, 0, A},
	{"lchown", op_chown, 1, A},
	{"chown-root", op_chown, 2, A},
	{"fchownat-nofollow", op_chown, AT_SYMLINK_NOFOLLOW, A},
	{"utimensat", op_utimensat, 0, W},
	{"utimensat-nofollow", op_utimensat, AT_SYMLINK_NOFOLLOW, A},
	{"utimes", op_utimes, 0, A},
	{"lutimes", op_utimes, 1, A},
	{"futimesat", op_utimes, 2, A},
	{"utime", op_utimes, 3, A},
	{"truncate", op_truncate, 3, W},
	{"truncate-minus", op_truncate, -1, A},
	{"setxattr", op_setxattr, 0, A},
	{"lsetxattr", op_setxattr, 1, A},
	{"removexattr", op_removexattr, 0, A},
	{"lremovexattr", op_removexattr, 1, A},
	{"bind", op_bind, SOCK_STREAM, W | L},
	{"fopen-w", op_fopen, 2, W | L | OP_BLOCKS},
	{"fopen-a", op_fopen, 3, A | L | OP_BLOCKS},
	{"fopen-wx", op_fopen, 4, A | L | OP_BLOCKS},
};
#undef W
#undef A
#undef L


/* -- calls relative to a descriptor ------------------------------------------------------ */

static const char *const dirfd_kinds[] = {
	"in", "in-path", "out", "out-path", "out-sub", "file", "link", "fifo", "closed", "minus1",
	"cwd",
	"root", "removed", "renamed", "noread", "locked", "proc", "null",
};

static int dirfd_make(int kind)
{
	int fd;

	switch (kind) {
	case 0:
		return open("d", O_RDONLY | O_DIRECTORY);
	case 1:
		return open("d", O_PATH | O_DIRECTORY);
	case 2:
		return OUTSIDE;
	case 3:
		return openat(OUTSIDE, ".", O_PATH);
	case 4:
		return openat(OUTSIDE, "d", O_RDONLY);
	case 5:
		return open("f", O_RDONLY);
	case 6:
		return open("dl", O_PATH | O_NOFOLLOW);
	case 7:
		return open("fifo", O_PATH);
	case 8:
		return 99;
	case 9:
		return -1;
	case 10:
		return AT_FDCWD;
	case 11:
		return open("/", O_RDONLY);
	case 12:
		if (!now->own || mkdir("gone", 0700) != 0)
			return 98;
		fd = open("gone", O_RDONLY);
		rmdir("gone");
		return fd;
	case 13:
		if (!now->own)
			return 98;
		fd = open("d", O_RDONLY);
		rename("d", "empty/moved");
		return fd;
	case 14:
		return open("noread", O_PATH);
	case 15:
		return open("locked", O_PATH);
	case 16:
		return open("/proc/self", O_RDONLY);
	default:
		return open("/dev/null", O_RDONLY);
	}
}

static const struct {
	const char *name;
	bool changes;
} dirfd_ops[] = {
	{"openat", false}, {"openat-nofollow", false}, {"fstatat", false}, {"fstatat-empty", false},
	{"fstatat-nofollow-empty", false}, {"faccessat", false}, {"readlinkat", false},
	{"statx-empty", false},
	{"execveat", false}, {"handle-empty", false}, {"openat2-beneath", false},
	{"openat2-inroot", false},
	{"mkdirat", true}, {"unlinkat", true}, {"symlinkat", true}, {"renameat-from", true},
	{"renameat-to", true}, {"linkat-from", true}, {"linkat-to", true}, {"linkat-empty", true},
	{"mknodat", true}, {"fchmodat", true}, {"fchownat-empty", true}, {"utimensat", true},
	{"utimensat-empty", true}, {"openat-creat", true}, {"openat-tmpfile", true},
};

static const char *const dirfd_paths[] = {
	"f", "e/g", ".", "..", "../f", "../d/f", "up", "up/f", "abs", "only", "out", "host", "rel",
	"../../../../../../../../../../etc/only", "../../../../../../../../../../etc/hostname",
	"../../../../../../../../../..%/f", "%/f", "/etc/hostname", "", "nope", "f/", "e/../../f",
	"cwd/f",
	"root/etc/hostname", "!0", "!4",
};

static const char *const dirfd_changing[] = {"f", "new", "", "../new-%s", "e/..", "abs", "!0"};

static void dirfd_child(const char *p, long fd)
{
	char *argv[] = {"argv-zero", "who", NULL};

	DO(syscall(SYS_execveat, (int)fd, p, argv, environ, *p ? 0 : AT_EMPTY_PATH));
}

static void dirfd_run(int fd, int op, const char *p)
{
	struct timespec t[2] = {{50000000, 1}, {50000001, 2}};
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK};
	struct stat st;
	struct statx stx;
	char buf[300];
	long n;
	struct file_handle h = {.handle_bytes = 0};

	if (fd == 98) {
		out(" (only in a subtree of its own)");
		return;
	}
	switch (op) {
	case 0:
		out_fd((int)DO(openat(fd, p, O_RDONLY | O_NONBLOCK)));
		break;
	case 1:
		out_fd((int)DO(openat(fd, p, O_PATH | O_NOFOLLOW)));
		break;
	case 2:
		if (DO(fstatat(fd, p, &st, 0)) == 0)
			out_stat(&st);
		break;
	case 3:
		if (DO(fstatat(fd, p, &st, AT_EMPTY_PATH)) == 0)
			out_stat(&st);
		break;
	case 4:
		if (DO(fstatat(fd, p, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) == 0)
			out_stat(&st);
		break;
	case 5:
		DO(faccessat(fd, p, R_OK | W_OK, 0));
		break;
	case 6:
		n = DO(readlinkat(fd, p, buf, sizeof buf));
		if (n > 0)
			out(" "), out_text(buf, (size_t)n);
		break;
	case 7:
		if (DO(statx(fd, p, AT_EMPTY_PATH, STATX_BASIC_STATS, &stx)) == 0)
			out(" %o", stx.stx_mode);
		break;
	case 8:
		if (p)
			capture(dirfd_child, p, fd);
		break;
	case 9:
		DO(name_to_handle_at(fd, p, &h, &(int){0}, AT_EMPTY_PATH));
		break;
	case 10:
		how.resolve = RESOLVE_BENEATH;
		out_fd((int)DO(syscall(SYS_openat2, fd, p, &how, sizeof how)));
		break;
	case 11:
		how.resolve = RESOLVE_IN_ROOT;
		out_fd((int)DO(syscall(SYS_openat2, fd, p, &how, sizeof how)));
		break;
	case 12:
		DO(mkdirat(fd, p, 0711));
		break;
	case 13:
		DO(unlinkat(fd, p, 0));
		break;
	case 14:
		DO(symlinkat("../any/../thing", fd, p));
		break;
	case 15:
		DO(renameat(fd, p, AT_FDCWD, "renamed"));
		break;
	case 16:
		DO(renameat(AT_FDCWD, "f2", fd, p));
		break;
	case 17:
		DO(linkat(fd, p, AT_FDCWD, "linked", 0));
		break;
	case 18:
		DO(linkat(AT_FDCWD, "f2", fd, p, 0));
		break;
	case 19:
		DO(linkat(fd, p, AT_FDCWD, "linked", AT_EMPTY_PATH));
		break;
	case 20:
		DO(mknodat(fd, p, S_IFIFO | 0600, 0));
		break;
	case 21:
		DO(fchmodat(fd, p, 0711, 0));
		break;
	case 22:
		DO(fchownat(fd, p, getuid(), (gid_t)-1, AT_EMPTY_PATH));
		break;
	case 23:
		DO(utimensat(fd, p, t, 0));
		break;
	case 24:
		DO(utimensat(fd, p, t, AT_EMPTY_PATH));
		break;
	case 25:
		out_fd((int)DO(openat(fd, p, O_CREAT | O_RDWR, 0640)));
		break;
	default:
		out_fd((int)DO(openat(fd, p, O_TMPFILE | O_RDWR, 0640)));
	}
}

/* -- scenarios --------------------------------------------------------------------------- */

static const char *at_self(const char *pattern)
{
	static char buf[4][512];
	static unsigned turn;
	char *b = buf[turn++ % 4];

	expand(b, sizeof buf[0], pattern, self);
	return b;
}

static void step(const char *label)
{
	out("; %s", label);
}

static void out_readlink(const char *path)
{
	char buf[PATH_MAX];
	long n;

	out("; readlink ");
	out_text(path, strlen(path));
	errno = PRESET;
	n = readlink(path, buf, sizeof buf);
	if (n < 0) {
		result(n);
		return;
	}
	out(" ");
	/* pipe:[123] */
	for (long i = 0; i < n; i++)
		if (buf[i] == '[' && memchr(buf, ':', (size_t)n))
			n = i;
	out_text(buf, (size_t)n);
}

static void getcwd_sizes(void)
{
	char buf[PATH_MAX];
	size_t want = strlen(self) + 1;
	const size_t sizes[] = {0, 1, 2, want - 1, want, want + 1};
	char *p;

	for (size_t i = 0; i < ROWS(sizes); i++) {
		memset(buf, 'x', sizeof buf);
		step(i < 3 ? "small" : "near");
		p = (errno = PRESET, getcwd(buf, sizes[i]));
		if (worked(p))
			out_text(buf, strlen(buf));
		DO(syscall(SYS_getcwd, buf, sizes[i]));
	}
	step("null");
	p = (errno = PRESET, getcwd(NULL, 0));
	worked(p);
	step("null small");
	p = (errno = PRESET, getcwd(NULL, 2));
	worked(p);
	step("null large");
	p = (errno = PRESET, getcwd(NULL, 1000));
	worked(p);
	step("bad");
	DO(syscall(SYS_getcwd, (char *)1, 1000L));
	DO(syscall(SYS_getcwd, page_end - 2, 1000L));
	DO(syscall(SYS_getcwd, NULL, 0L));
	if (DO(chdir("/")) == 0) {
		DO(syscall(SYS_getcwd, buf, 1L));
		DO(syscall(SYS_getcwd, buf, 2L));
		out_text(buf, strlen(buf));
	}
	p = (errno = PRESET, get_current_dir_name());
	if (worked(p))
		out_text(p, strlen(p));
}

static void cwd_removed(void)
{
	char buf[PATH_MAX];

	DO(mkdir("t", 0755));
	DO(chdir("t"));
	DO(rmdir("../t"));
	out_cwd();
	step("libc");
	TRY(getcwd(buf, sizeof buf));
	out_path("dot", ".");
	out_path("dotdot", "..");
	step("create");
	DO(open("x", O_CREAT | O_WRONLY, 0600));
	DO(mkdir("x", 0700));
	DO(symlink("x", "y"));
	out_open("/etc/hostname");
	out_open("../f");
	out_open(".");
	out_open("x/../../f");
	op_opendir(".", 0);
	step("realpath");
	op_realpath(".", 1);
	op_realpath("..", 1);
	op_realpath("/etc/only", 1);
	out_readlink("/proc/self/cwd");
	out_path("proc", "/proc/self/cwd/.");
	step("chdir");
	DO(chdir("."));
	DO(chdir(".."));
	out_cwd();
}

static int gone_walked(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	out(" %d %o %d", type, st->st_mode & S_IFMT, ftw->level);
	out_text(path, strlen(path));
	return 0;
}

/* glibc cannot open the directory it is to come back to, and goes by its name, as long as it has one. */
static void cwd_unreadable_walk(void)
{
	DO(mkdir("u", 0311));
	DO(chdir("u"));
	for (int gone = 0; gone < 2; gone++) {
		for (int fds = 1; fds < 4; fds++)
			DO(nftw(at_self("%/d/e"), gone_walked, fds, FTW_CHDIR | (fds == 2 ? FTW_DEPTH : FTW_PHYS)));
		DO(nftw("nope/..", gone_walked, 2, FTW_CHDIR | FTW_PHYS));
		out_path("dot", ".");
		if (!gone)
			DO(rmdir("../u"));
	}
}

/* A directory that is gone has no entries, and gets none. */
static void cwd_removed_walk(void)
{
	glob_t g;

	DO(mkdir("t", 0755));
	DO(symlink("/proc/self/cwd", "l"));
	DO(chdir("t"));
	DO(rmdir("../t"));
	step("walk");
	DO(nftw(".", gone_walked, 5, FTW_PHYS));
	DO(nftw(at_self("%/l"), gone_walked, 5, 0));
	DO(nftw(at_self("%/l"), gone_walked, 5, FTW_DEPTH | FTW_CHDIR));
	op_opendir(at_self("%/l"), 0);
	memset(&g, 0, sizeof g);
	out(" %d", glob("*", 0, NULL, &g));
	step("bind point");
	DO(rename("/proc", "x"));
	DO(renameat2_("/proc", "x", RENAME_NOREPLACE));
	DO(renameat2_("/proc", "x", RENAME_EXCHANGE));
	DO(rename("x", "/proc"));
	DO(link("/proc", "x"));
	DO(linkat(AT_FDCWD, "/dev/null", AT_FDCWD, "x", 0));
}

static void cwd_removed_root(void)
{
	DO(mkdir("t", 0755));
	DO(chdir("t"));
	DO(rmdir(at_self("%/t")));
	DO(chdir("/"));
	out_cwd();
	out_path("dot", ".");
}

static void cwd_parent_removed(void)
{
	DO(chdir("d/e"));
	DO(unlink("g"));
	DO(rmdir("../e"));
	DO(rename(at_self("%/d"), at_self("%/d2")));
	out_cwd();
	out_open("../f");
	out_open("..");
	DO(mkdir("../e", 0700));
	out_path("dot", ".");
	out_path("new", "../e");
}

static void cwd_renamed(void)
{
	DO(chdir("dla"));
	DO(rename("../d", "../elsewhere"));
	out_cwd();
	out_open("f");
	out_open("../f");
	out_open("abs");
	out_open("e/../f");
	out_readlink("/proc/self/cwd");
	out_open("/proc/self/cwd/f");
	step("realpath");
	op_realpath("f", 1);
	DO(chdir(".."));
	out_cwd();
}

static void cwd_moved_deep(void)
{
	DO(chdir("d/e"));
	DO(rename(at_self("%/d"), at_self("%/empty/moved")));
	out_cwd();
	out_open("g");
	out_open("../../../f");
	out_open("../../../../../../../../../etc/only");
	DO(rename(at_self("%/empty/moved/e"), at_self("%/e2")));
	out_cwd();
	out_open("../f");
	out_open("../empty/moved/f");
}

static void cwd_replaced(void)
{
	DO(chdir("d"));
	DO(rename("../d", "../d2"));
	DO(symlink("/etc", "../d"));
	out_cwd();
	out_open("f");
	out_open("../d/only");
	DO(chdir("../d"));
	out_cwd();
	out_open("hostname");
}

static void cwd_unreadable(void)
{
	int sub;

	DO(chdir("noread"));
	out_cwd();
	op_opendir(".", 0);
	out_open("in");
	out_open("../f");
	out_open("..");
	DO(mkdir("t", 0755));
	sub = open("t", O_PATH);
	DO(chmod(".", 0444));
	step("closed");
	DO(openat(sub, "..", O_CREAT | O_RDONLY, 0600));
	DO(openat(sub, "..", O_CREAT | O_EXCL | O_RDONLY, 0600));
	DO(openat(sub, "../", O_CREAT | O_EXCL | O_RDONLY, 0600));
	DO(openat(sub, "..", O_TMPFILE | O_WRONLY, 0600));
	DO(openat(sub, "..", O_RDONLY));
	for (int nofollow = 0; nofollow < 2; nofollow++) {
		static const char *const ways[] = {"/proc/self/cwd/", "/proc/self/cwd/.", "."};

		for (size_t i = 0; i < ROWS(ways); i++) {
			int fd = (int)DO(open(ways[i], O_RDONLY | O_NONBLOCK | (nofollow ? O_NOFOLLOW : 0)));

			if (fd >= 0)
				out(" %x", fcntl(fd, F_GETFL)), close(fd);
			fd = (int)DO(open(ways[i], O_PATH | O_DIRECTORY | (nofollow ? O_NOFOLLOW : 0)));
			if (fd >= 0)
				out(" %x", fcntl(fd, F_GETFL)), close(fd);
		}
	}
	DO(chmod("/proc/self/cwd", 0));
	out_open("in");
	out_open("../f");
	out_open("/etc/only");
	out_cwd();
	out_path("dot", ".");
	DO(chdir("."));
	DO(chdir(".."));
	DO(chdir("/"));
	out_cwd();
}

static void cwd_deep(void)
{
	char name[256], buf[PATH_MAX];
	struct rlimit lim;
	long made = 0;
	int fd;

	name_of(name, 'c', 200);
	for (int i = 0; i < 25; i++)
		made += mkdir(name, 0755) == 0 && chdir(name) == 0;
	out("made %ld", made);
	DO(syscall(SYS_getcwd, buf, sizeof buf));
	step("open");
	DO(open("file", O_CREAT | O_WRONLY, 0600));
	out_open("file");
	out_open("../..");
	out_path("dot", ".");
	out_open("/etc/only");
	step("full");
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = 30;
	DO(setrlimit(RLIMIT_NOFILE, &lim));
	while ((fd = dup(FILE_FD)) >= 0)
		;
	DO(syscall(SYS_getcwd, buf, sizeof buf));
	out_path("dot", ".");
	for (fd = 10; fd < 30; fd++)
		close(fd);
	for (int i = 0; i < 25; i++)
		made -= chdir("..") == 0;
	out(" left %ld", made);
	out_cwd();
}

static void cwd_longest(void)
{
	char name[256], buf[PATH_MAX + 10];
	size_t len = strlen(self);

	while (len + 201 < 4090) {
		name_of(name, 'c', 200);
		if (mkdir(name, 0755) != 0 || chdir(name) != 0)
			break;
		len += 201;
	}
	name_of(name, 'e', 4094 - len);
	DO(mkdir(name, 0755));
	DO(chdir(name));
	DO(syscall(SYS_getcwd, buf, sizeof buf));
	DO(syscall(SYS_getcwd, buf, 4095L));
	op_realpath(".", 1);
	DO(chdir(".."));
	strcat(name, "e");
	DO(mkdir(name, 0755));
	DO(chdir(name));
	DO(syscall(SYS_getcwd, buf, sizeof buf));
	op_realpath(".", 1);
	out_open("../../..");
}

static void chdir_many(void)
{
	static const char *const paths[] = {"dl", "..", "dla/e", "../..", "dle", "..", "..", "up",
		".", "..",
		"w", "root/etc", "../var/back", "/proc/self", "fd", "../../..", "/proc/self/cwd",
		"//", "///"};

	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		DO(chdir(paths[i]));
		out_cwd();
	}
}

static void fchdirs(void)
{
	int fd = open("d", O_RDONLY);

	DO(fchdir(FILE_FD));
	DO(fchdir(99));
	DO(fchdir(-1));
	DO(fchdir(AT_FDCWD));
	DO(fchdir(open("noexec", O_RDONLY)));
	DO(fchdir(open("fifo", O_PATH)));
	DO(fchdir(open("abs", O_PATH | O_NOFOLLOW)));
	DO(fchdir(fd));
	out_cwd();
	out_open("f");
	DO(fchdir(open("../locked", O_PATH)));
	DO(fchdir(open("../noread", O_PATH)));
	out_cwd();
	DO(fchdir(open("/", O_PATH)));
	out_cwd();
	DO(fchdir(open("/proc/self/fd", O_RDONLY)));
	out_path("up", "../cwd/..");
}

static void fchdir_outside(void)
{
	char buf[PATH_MAX];

	DO(fchdir(OUTSIDE));
	out_cwd();
	step("libc");
	TRY(getcwd(buf, sizeof buf));
	out_path("dot", ".");
	out_open("f");
	out_open("d/../f");
	out_open("abs");
	out_open("host");
	out_open("up");
	out_open("..");
	out_open("../../../../../../../../../../etc/hostname");
	out_open("/etc/hostname");
	op_realpath("f", 1);
	op_realpath(".", 1);
	out_readlink("/proc/self/cwd");
	out_open("/proc/self/cwd/f");
	DO(mkdir("made", 0755));
	DO(chdir("made"));
	out_cwd();
	DO(chdir("../d/e"));
	out_cwd();
	out_open("g");
	DO(chdir("../../../../../../../../../.."));
	out_cwd();
	out_open("etc/hostname");
	DO(chdir("/"));
	out_cwd();
}

static void exec_outside(void)
{
	DO(fchdir(OUTSIDE));
	op_execve("/bin/oracle", 0);
	op_execve("../../../../../../../../bin/oracle", 0);
	op_execve("d/e", 0);
	op_execve("f", 0);
	op_execve(at_self("%/x"), 0);
}

/* chroot(2) */
static void chroot_enter(void)
{
	DO(chroot("d"));
	DO(chdir("/"));
	out_cwd();
	out_open("/f");
	out_open("f");
	out_open("/../f");
	out_open("../../e/g");
	out_open("/abs");
	out_open("/only");
	out_open("/out");
	out_open("up/f");
	out_open("/etc/hostname");
	out_open("/proc/self/cwd");
	out_open(at_self("%/f"));
	out_path("root", "/");
	out_path("root-up", "/..");
	op_realpath("up", 1);
	op_realpath("e/g", 1);
	DO(mkdir("/made", 0755));
	DO(symlink("/e", "link"));
	DO(chdir("link"));
	out_cwd();
	out_open("g");
	DO(chdir("../.."));
	out_cwd();
}

static void chroot_no_chdir(void)
{
	char buf[PATH_MAX];

	DO(chroot("d"));
	out_cwd();
	step("sizes"); /* of a name that begins with "(unreachable)", and is one of the host's */
	for (long n = 0; n < 60; n++) {
		long r = syscall(SYS_getcwd, bad, n);

		out(r == -1 && errno == ERANGE ? "" : r == -1 && errno == EFAULT ? "f" : "?");
	}
	step("libc");
	TRY(getcwd(buf, sizeof buf));
	out_open("f");
	out_open("d/f");
	out_open("/f");
	out_open("rel");
	out_open("abs");
	out_open("dla");
	out_open("d/up");
	out_open("..");
	out_open("d/..");
	out_open("d/../f");
	op_realpath("f", 1);
	op_realpath("/f", 1);
	DO(chdir("d"));
	out_cwd();
	out_open("..");
	DO(chdir(".."));
	out_cwd();
}

static int walked(const char *path, const struct stat *st, int type, struct FTW *at)
{
	char buf[600];

	(void)st;
	snprintf(buf, sizeof buf, "%s:%d:%d:%d", path, type, at->level, at->base);
	names_add(buf);
	return 0;
}

/* glibc looks for a name of its own, upwards (sysdeps/posix/getcwd.c). */
static void chroot_unreadable(void)
{
	static const char *const dirs[] = {"noread/t/u", "d/e", "empty/t", "noexec"};
	char buf[PATH_MAX];

	DO(mkdir("noread/t", 0755));
	DO(mkdir("noread/t/u", 0755));
	DO(mkdir("empty/t", 0755));
	DO(chroot("d"));
	for (size_t i = 0; i < ROWS(dirs); i++) {
		int back = open(".", O_RDONLY);

		step(dirs[i]);
		DO(chdir(dirs[i]));
		if (i == 2) {
			DO(rmdir("../t"));
			DO(rmdir("../../empty"));
		}
		out_cwd();
		TRY(getcwd(buf, sizeof buf));
		op_realpath(".", 1);
		op_realpath("x/y", 1);
		if (i == 1) {
			DO(fchdir(back));
			DO(fchmod(back, 0444));
			DO(nftw("/", walked, 3, FTW_CHDIR | FTW_PHYS));
			names_out();
			DO(fchmod(back, 0755));
		}
		DO(fchdir(back));
	}
}

static void chroot_leave(void)
{
	DO(chroot("d"));
	for (int i = 0; i < 24; i++)
		if (chdir("..") != 0)
			out(" chdir %s", errno_name(errno));
	out_cwd();
	out_open("etc/hostname");
	DO(chroot("."));
	out_cwd();
	out_open("/etc/hostname");
	out_path("root", "/.");
}

static void chroot_fchdir(void)
{
	int fd = open(".", O_RDONLY);

	DO(chroot("d"));
	DO(chdir("/"));
	out_cwd();
	DO(fchdir(fd));
	out_cwd();
	out_open("f");
	out_open("../shared/f");
	out_open("/f");
	step("at");
	out_fd((int)DO(openat(fd, "f2", O_RDONLY)));
	out_fd((int)DO(openat(fd, "../../etc/only", O_RDONLY)));
	out_fd((int)DO(openat(fd, "abs", O_RDONLY)));
	DO(mkdirat(fd, "made", 0755));
	DO(chroot("."));
	out_cwd();
	out_open("/f");
}

/* As rpm(8) leaves the root that it installs into: the mounts are there again. */
static void chroot_back(void)
{
	static const char *const paths[] = {"/proc/self/cwd/f", "/dev/null", "/etc/only", "/proc/..", "root/proc/self/root/w"};
	static const char *const roots[] = {"d", "/w", "d/e", "/proc/self", "/dev"};
	int fd = open("/", O_RDONLY), here = open(".", O_RDONLY);

	for (size_t i = 0; i < ROWS(roots); i++) {
		step(roots[i]);
		DO(fchdir(here));
		DO(chroot(roots[i]));
		DO(chdir("/"));
		out_open("/proc/self/cwd");
		DO(chroot("e"));
		DO(fchdir(fd));
		DO(chroot("."));
		out_cwd();
		DO(fchdir(here));
		for (size_t k = 0; k < ROWS(paths); k++)
			out_path(paths[k], paths[k]);
		out_open("/proc/self/cwd/f");
		DO(rename("/proc", "/new"));
	}
	DO(chdir("/proc/self"));
	DO(chdir("../.."));
	out_cwd();
}

static void chroot_double(void)
{
	DO(chroot("d"));
	DO(chdir("/"));
	DO(chroot("e"));
	out_cwd();
	out_open("/g");
	out_open("f");
	out_open("..");
	DO(chdir("/"));
	out_cwd();
	out_open("/../g");
	out_open("/../f");
	DO(chroot("/"));
	DO(chroot(".."));
	DO(chroot("/g"));
	DO(chroot("/f"));
	out_open("g");
}

static void chroot_errors(void)
{
	char buf[5000];
	static const char *const paths[] = {"f", "nope", "", "loop", "locked", "locked/in",
		"noread", "noexec",
		"abs", "dang", "f/", "dla", "!0", "!1", "!4", "#256", "#4096"};

	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		DO(chroot(argument(buf, sizeof buf, paths[i], self)));
	}
	out_open("f");
	out_open("/f");
}

static void chroot_links(void)
{
	DO(chroot("up"));
	out_cwd();
	out_open("/etc/only");
	DO(chroot("/"));
	DO(chroot("root"));
	out_cwd();
	DO(chroot("/var/back"));
	out_open("/only");
	out_cwd();
	DO(chdir("/"));
	out_cwd();
	op_opendir("/", 0);
}

static void chroot_proc(void)
{
	DO(chroot("/proc"));
	DO(chdir("/"));
	out_cwd();
	out_readlink("/self/cwd");
	out_readlink("/self/root");
	out_path("up", "/..");
	out_open("/self/cwd/version/x");
}

static void chroot_proc_links(void)
{
	DO(chdir("d"));
	DO(chroot("/proc/self/cwd"));
	out_cwd();
	out_open("/f");
	out_open("f");
}

static void chroot_proc_root(void)
{
	DO(chroot("/proc/self/root"));
	out_cwd();
	out_open("/etc/only");
	DO(chroot("/proc/self/root/var"));
	out_cwd();
	out_open("/back");
}

static void chroot_outside(void)
{
	DO(fchdir(OUTSIDE));
	DO(chroot("."));
	out_cwd();
	out_open("/f");
	out_open("/abs");
	out_open("up");
	DO(chroot("d"));
	DO(chdir("/"));
	out_open("/../e/g");
}

static void chroot_fork(void)
{
	int status;

	if (fork() == 0) {
		int r = chroot("d");

		_exit(r ? errno : access("/f", F_OK) ? errno : 100);
	}
	wait(&status);
	out(" child %d", WEXITSTATUS(status));
	out_cwd();
	out_open("/etc/only");
	out_open("/f");
}

static void chroot_vfork(void)
{
	volatile int r = 0, seen = 0;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		r = chroot("d");
		seen = access("/f", F_OK) == 0;
		_exit(r == 0 && chdir("/") == 0 ? 100 : errno);
	}
	waitpid(pid, &status, 0);
	out(" child %d %d %d", r, seen, WEXITSTATUS(status));
	out_cwd();
	out_open("/etc/only");
	out_open("/f");
	out_open("f");
}

static void *chroot_body(void *arg)
{
	DO(chroot(arg));
	DO(chdir("/"));
	return NULL;
}

static void chroot_thread(void)
{
	pthread_t t;
	const int r = pthread_create(&t, NULL, chroot_body, "d");

	pthread_join(t, NULL);
	returned(r); /* what the thread says comes first, always */
	out_cwd();
	out_open("/f");
	out_open("/etc/only");
}

static void chroot_removed(void)
{
	DO(mkdir("t", 0755));
	DO(chroot("t"));
	DO(rmdir("t"));
	out_cwd();
	out_path("root", "/");
	out_open("/..");
	DO(mkdir("/x", 0700));
	out_open("/f");
	DO(chdir("/"));
	out_cwd();
	out_open("..");
}

static void chroot_renamed(void)
{
	int fd = open(".", O_RDONLY);

	DO(chroot("d"));
	DO(chdir("/e"));
	DO(renameat(fd, "d", fd, "d2"));
	out_cwd();
	out_open("/f");
	out_open("../f");
	out_open("../../f");
	DO(renameat(fd, "d2/e", fd, "e3"));
	step("moved out");
	out_cwd();
	out_open("g");
	out_open("..");
	out_open("../f");
	DO(chdir(".."));
	out_cwd();
}

static void child_nested(const char *p, long arg)
{
	char *argv[] = {"nested-zero", "who", NULL};

	DO(chroot("/sub"));
	if (arg == 0)
		DO(chdir("/"));
	DO(execve(p, argv, environ));
}

static void chroot_exec(void)
{
	capture(child_nested, "/bin/oracle", 0);
	step("stayed");
	capture(child_nested, "/bin/oracle", 1);
	step("missing");
	capture(child_nested, at_self("%/x"), 0);
	step("relative");
	capture(child_nested, "sub/bin/oracle", 1);
	capture(child_nested, "bin/oracle", 0);
}

static void chroot_syscall(void)
{
	DO(syscall(SYS_chroot, "d"));
	DO(syscall(SYS_chdir, "/"));
	out_cwd();
	out_open("/f");
	DO(syscall(SYS_chroot, NULL));
	DO(syscall(SYS_fchdir, OUTSIDE));
	out_cwd();
}

/* exec */
static void execs(void)
{
	static const char *const paths[] = {"x.arg", "x.args", "x.chain", "x.rel", "x.link2",
		"x.none", "x.dir",
		"x.file", "x.self", "x.empty", "x.bare", "x.blank", "x.bang", "x.elf", "x.noeol",
		"x.space", "x.spaces", "x.tab", "x.n1",
		"x.n2", "x.n0", "xonly", "./x", "d/../x.args", "%/x.args", "d", "f", "fifo",
		"/bin/oracle",
		"/bin/../bin/oracle", "//bin//oracle", "/proc/self/root/bin/oracle", "/dev/null",
		"/bin", "/bin/sh"};

	out("%s", "");
	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		op_execve(at_self(paths[i]), 0);
	}
}

/* The program of another process, by the link that procfs has to it (proc(5)). */
static void child_exec_parent(const char *p, long arg)
{
	char *argv[] = {"parent-zero", "who", NULL};
	struct stat st, own;
	char name[60];
	int fd;

	sprintf(name, p, (int)getppid(), (int)getppid());
	DO(stat(name, &st));
	DO(stat("/bin/oracle", &own));
	out(" %d", st.st_ino == own.st_ino && st.st_dev == own.st_dev);
	fd = (int)DO(open(name, O_PATH | O_CLOEXEC));
	DO(fstat(fd, &st));
	out(" %d", st.st_ino == own.st_ino);
	close(fd);
	DO(open(name, O_WRONLY));
	DO(open(name, O_RDONLY | O_NOFOLLOW));
	DO(access(name, W_OK));
	sprintf(name, "/proc/self/fd/%d", fd = open(name, O_RDONLY | O_CLOEXEC));
	out_readlink(name);
	if (arg) {
		line_len = 0;
		sprintf(name, p, (int)getppid(), 0);
		DO(execve(name, argv, environ));
	}
}

static void exec_parent(void)
{
	capture(child_exec_parent, "/proc/%d/exe", 0);
	capture(child_exec_parent, "/proc/%d/exe", 1);
	capture(child_exec_parent, "/proc/%d/task/%d/exe", 0);
}

static void child_execvp(const char *p, long arg)
{
	char *argv[] = {"vp-zero", "who", "b", NULL};

	if (arg == 1)
		setenv("PATH", at_self("/nope:%/d:%/locked:%:/bin"), 1);
	else if (arg == 2)
		setenv("PATH", ":/bin", 1);
	else
		unsetenv("PATH");
	DO(execvp(p, argv));
}

static void execvps(void)
{
	static const char *const files[] = {"oracle", "x", "x.bare", "x.empty", "f", "nope", "d",
		"", "d/f",
		"x.none", "./x.args", "x.link"};

	for (size_t i = 0; i < ROWS(files); i++) {
		step(files[i]);
		for (long path = 0; path < 3; path++)
			capture(child_execvp, files[i], path);
	}
}

static void child_fexecve(const char *p, long arg)
{
	char *argv[] = {"f-zero", "who", NULL};
	int fd = open(p, (int)arg);

	DO(fexecve(fd, argv, environ));
}

/* A descriptor by its name, and with flags that do not matter. */
static void child_by_fd(const char *p, long arg)
{
	char *argv[] = {"by-fd", "who", NULL}, path[40];
	int fd = open(p, arg == 3 ? O_PATH | O_NOFOLLOW : O_RDONLY);

	snprintf(path, sizeof path, arg == 0 ? "/dev/fd/%d" : "/proc/self/fd/%d", fd);
	if (arg < 2)
		DO(execve(path, argv, environ));
	else
		DO(syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

static void fexecves(void)
{
	static const char *const files[] = {"/bin/oracle", "x", "x.args", "f", "d", "nope", "x.blank", "x.bang", "x.noeol",
		"x.none", "x.dir", "x.self", "x.n0", "x.n1"};

	for (size_t i = 0; i < ROWS(files); i++) {
		step(files[i]);
		capture(child_by_fd, files[i], 0);
		capture(child_by_fd, files[i], 1);
		capture(child_by_fd, files[i], 2);
		capture(child_by_fd, files[i], 3);
		capture(child_fexecve, files[i], O_RDONLY);
		capture(child_fexecve, files[i], O_RDONLY | O_CLOEXEC);
		capture(child_fexecve, files[i], O_PATH);
	}
}

/* Where the table is full of what an exec closes: it needs no number, and leaves the limit as it is. */
static void child_exec_full(const char *p, long arg)
{
	char *const shell[] = {"sh", "-c", "ulimit -n; cd / && ls", NULL}, *const who[] = {"full", "who", NULL};
	char *const *argv = strcmp(p, "/bin/sh") == 0 ? shell : who;
	const int held = open(p, O_RDONLY);
	struct rlimit lim;
	pid_t pid;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = 40;
	DO(setrlimit(RLIMIT_NOFILE, &lim));
	while (fcntl(FILE_FD, F_DUPFD_CLOEXEC, 0) >= 0)
		;
	switch (arg) {
	case 0: DO(execve(p, argv, environ)); break;
	case 1: DO(execvp(p, argv)); break;
	case 2: DO(fexecve(held, argv, environ)); break;
	case 3:
		pid = vfork();
		if (pid == 0) {
			execve(p, argv, environ);
			_exit(9);
		}
		waitpid(pid, NULL, 0);
		DO(getrlimit(RLIMIT_NOFILE, &lim));
		out(" %ld", (long)lim.rlim_cur);
		break;
#ifdef __GLIBC__ /* musl makes a pipe */
	default:
		pid = 0;
		returned(posix_spawn(&pid, p, NULL, NULL, argv, environ));
		if (pid)
			waitpid(pid, NULL, 0);
#endif
	}
}

static void exec_full(void)
{
	static const char *const files[] = {"/bin/oracle", "/bin/sh", "x", "x.args", "x.none", "f", "nope"};

	for (size_t i = 0; i < ROWS(files); i++) {
		step(files[i]);
		for (long how = 0; how < 5; how++)
			capture(child_exec_full, files[i], how);
	}
}

static void child_execl(const char *p, long arg)
{
	char *const env[] = {"B=2", NULL};

	switch (arg) {
	case 0:
		DO(execl(p, "l-zero", "who", "l", (char *)NULL));
		break;
	case 1:
		DO(execle(p, "le-zero", "who", (char *)NULL, env));
		break;
	case 2:
		DO(execlp(p, "lp-zero", "who", (char *)NULL));
		break;
	case 3:
		environ = NULL;
		DO(execl(p, "none-zero", "who", (char *)NULL));
		break;
	case 4:
		clearenv();
		DO(execv(p, (char *[]){"clear-zero", "who", NULL}));
		break;
	case 5:
		DO(execve(p, (char *[]){"null-env", "who", NULL}, NULL));
		break;
	case 6:
		DO(execve(p, bad, environ));
		break;
	case 7:
		DO(execve(p, (char *[]){"bad", bad, NULL}, environ));
		break;
	case 8:
		DO(execve(p, (char *[]){"bad-env", "who", NULL}, (char *[]){bad, NULL}));
		break;
	case 9:
		DO(execve(p, (char *[]){"", "who", NULL}, environ));
		break;
	case 10: /* vfork and exec */
		if (vfork() == 0) {
			execl(p, "vfork-zero", "who", (char *)NULL);
			_exit(77);
		}
		break;
	case 11:
		execve(p, (char *[]){"twice", "again", NULL}, environ);
		break;
	default:
		environ = (char *[]){"LD_LIBRARY_PATH=/nowhere", "Z=1", "A=", "=odd", "noequals",
			NULL};
		DO(execv(p, (char *[]){"--help", "who", "--", "-x", NULL}));
	}
}

static void execls(void)
{
	for (long i = 0; i <= 12; i++) {
		out("; %ld", i);
		capture(child_execl, "/bin/oracle", i);
	}
}

static void exec_no_args(void)
{
	/* Linux 5.18: argv is then {""}, and the oracle says how to use it */
	int status;

	if (fork() == 0) {
		dup2(open("/dev/null", O_WRONLY), 2);
		execve("/bin/oracle", (char *[]){NULL}, environ);
		_exit(99);
	}
	wait(&status);
	out(" %x", (unsigned)status);
}

static void exec_busy(void)
{
	int fd = open("copy", O_CREAT | O_WRONLY, 0755);

	op_execve("copy", 0);
	close(fd);
	op_execve("copy", 0);
	DO(open("/bin/oracle", O_WRONLY));
}

static void exec_link(void)
{
	char *argv[] = {"at-zero", "who", NULL};

	DO(syscall(SYS_execveat, AT_FDCWD, "root/bin/oracle", argv, NULL, 0x4000000));
	DO(symlink("/bin/oracle", "o"));
	DO(syscall(SYS_execveat, AT_FDCWD, "o", argv, environ, AT_SYMLINK_NOFOLLOW));
	DO(syscall(SYS_execveat, AT_FDCWD, "", argv, environ, 0));
	DO(syscall(SYS_execveat, 99, "x", argv, environ, 0));
	DO(syscall(SYS_execveat, FILE_FD, "", argv, environ, AT_EMPTY_PATH));
	op_execve("o", 0);
	op_execve("./o", 0);
}

static void exec_long(void)
{
	char buf[600], link[300];
	int fd = open("long", O_CREAT | O_WRONLY, 0755);

	/* binfmt_script.c: 256 bytes are read */
	memset(buf, ' ', sizeof buf);
	memcpy(buf, "#!/bin/oracle who", 17);
	memcpy(buf + 250, "0123456789\n", 11);
	worked(write(fd, buf, 300) == 300);
	close(fd);
	op_execve("long", 0);
	sprintf(link, "#!%s/%s", at_self("%"), name_of((char[256]){0}, 'i', 240));
	fd = open("longer", O_CREAT | O_WRONLY, 0755);
	worked(write(fd, link, strlen(link)) > 0);
	close(fd);
	op_execve("longer", 0);
}

static void systems(void)
{
	char buf[512];
	FILE *f;
	size_t n;

	out(" %d", system("exit 3"));
	out(" %d", system("test -f /etc/only && ! test -e /etc/debian_version"));
	out(" %d", system("cd d && test -f ../f"));
	f = popen("cat /etc/hostname 2>/dev/null || read x </etc/hostname; echo \"$x $0 $PWD\"",
		"r");
	if (!worked(f))
		return;
	n = fread(buf, 1, sizeof buf, f);
	out(" ");
	out_text(buf, n);
	out(" %d", pclose(f));
}

static void spawns(void)
{
	static const char *const files[] = {"x", "./x", "oracle", "/bin/oracle", "nope", "x.bare",
		"d", "f",
		"x.link", "abs", ""};

	for (size_t i = 0; i < ROWS(files); i++) {
		step(files[i]);
		op_spawn(files[i], 0);
		op_spawn(files[i], 1);
	}
}

static void spawn_actions(void)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int status, r;
	char *argv[] = {"sh", "-c", "read x <f; echo \"$x\"; pwd; cd ..; pwd", NULL};

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 1, at_self("dla/written"), O_CREAT | O_WRONLY, 0600);
#ifdef __GLIBC__
	posix_spawn_file_actions_addchdir_np(&fa, at_self("%/dla"));
#endif
	posix_spawn_file_actions_addopen(&fa, 5, "only", O_RDONLY, 0);
	r = posix_spawn(&pid, "/bin/sh", &fa, NULL, argv, environ);
	returned(r);
	if (r == 0) {
		waitpid(pid, &status, 0);
		out(" %x", (unsigned)status);
	}
	out_open("d/written");
	posix_spawn_file_actions_addopen(&fa, 6, "/etc/debian_version", O_RDONLY, 0);
	returned(posix_spawn(&pid, "/bin/sh", &fa, NULL, argv, environ));
	out_open("/proc/self/fd/9");
}

/* What is opened has the number of what it is opened by, or one of libjail's. */
static void spawn_numbers(void)
{
	static const char *const paths[] = {"/proc/self/fd/20", "/proc/self/fd/20/f", "/proc/self/fd/21", "nope", "/etc/only"};
	char *argv[] = {"spawned", "who", NULL};

	dup2(FILE_FD, 20);
	for (size_t i = 0; i < ROWS(paths); i++)
		for (int fd = 20; fd < 250; fd += fd == 21 ? 215 : 1) {
			posix_spawn_file_actions_t fa;
			int status, r;
			pid_t pid;

			out("; %s %d", paths[i], fd);
			posix_spawn_file_actions_init(&fa);
			posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
			posix_spawn_file_actions_addopen(&fa, fd, paths[i], O_RDONLY | O_NONBLOCK, 0);
			posix_spawn_file_actions_adddup2(&fa, fd, fd + 1);
			errno = 0;
			r = posix_spawn(&pid, "/bin/oracle", &fa, NULL, argv, environ);
			returned(r);
			if (r != 0)
				out(errno == r ? " told" : " untold");
			if (r == 0) {
				waitpid(pid, &status, 0);
				out(" %x", (unsigned)status);
			}
			posix_spawn_file_actions_destroy(&fa);
			DO(fcntl(fd, F_GETFD));
			DO(fcntl(fd + 1, F_GETFD));
			out_open("abs");
		}
}

/* sockets */
static void sockets(void)
{
	static const char *const paths[] = {"s", "%/s2", "abs", "dang", "danga", "d/s", "dla/s3",
		"up/s4/x",
		"nope/s", "locked/s", "root%/s5", "/proc/s", "f/s", "d", "s6/", "/../..%/s7"};
	struct sockaddr_un sun, got;
	socklen_t len, got_len;

	for (size_t i = 0; i < ROWS(paths); i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0), to = socket(AF_UNIX, SOCK_STREAM, 0), in;

		step(paths[i]);
		len = sun_set(&sun, at_self(paths[i]));
		if (DO(bind(fd, (struct sockaddr *)&sun, len)) != 0) {
			close(fd);
			close(to);
			continue;
		}
		listen(fd, 5);
		got_len = sizeof got;
		memset(&got, 0, sizeof got);
		DO(getsockname(fd, (struct sockaddr *)&got, &got_len));
		out_sun(&got, got_len);
		DO(connect(to, (struct sockaddr *)&sun, len));
		got_len = sizeof got;
		DO(getpeername(to, (struct sockaddr *)&got, &got_len));
		out_sun(&got, got_len);
		got_len = sizeof got;
		in = (int)DO(accept(fd, (struct sockaddr *)&got, &got_len));
		out(" length %u", (unsigned)got_len);
		close(fd);
		close(to);
		close(in);
	}
}

static void socket_lengths(void)
{
	struct sockaddr_un sun, got;
	char longer[140];
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	if (chdir("/tmp") != 0)
		return;
	for (size_t n = 106; n <= 109; n++) {
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		socklen_t got_len = sizeof got;

		out("; %zu", n);
		memset(longer, 0, sizeof longer);
		sun.sun_family = AF_UNIX;
		memcpy(longer, &sun, head);
		memcpy(longer + head, "/tmp/", 5);
		memset(longer + head + 5, 'q', n - 5);
		if (DO(bind(fd, (struct sockaddr *)longer, (socklen_t)(head + n))) == 0) {
			memset(&got, 0, sizeof got);
			DO(getsockname(fd, (struct sockaddr *)&got, &got_len));
			out(" %u", (unsigned)got_len);
			out_text(got.sun_path, strnlen(got.sun_path, sizeof got.sun_path));
			longer[head + n] = '\0';
			out_path("there", longer + head);
			unlink(longer + head);
		}
		close(fd);
	}
	step("odd");
	for (socklen_t n = 0; n <= head + 1; n++) {
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

		memset(&sun, 0, sizeof sun);
		sun.sun_family = n == 1 ? AF_INET : AF_UNIX;
		DO(bind(fd, (struct sockaddr *)&sun, n));
		DO(connect(fd, (struct sockaddr *)&sun, n));
		close(fd);
	}
	step("bad");
	DO(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)page_end, 20));
	DO(bind(FILE_FD, (struct sockaddr *)&sun, sizeof sun));
	DO(bind(99, (struct sockaddr *)&sun, sizeof sun));
	step("not terminated");
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path, "untermXXX", 9);
	DO(bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&sun, (socklen_t)(head + 6)));
	out_path("there", "unterm");
	unlink("unterm");
	step("abstract");
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	memcpy(sun.sun_path + 1, "oracle/etc/x", 12);
	{
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		socklen_t got_len = sizeof got;

		memset(&got, 0, sizeof got);
		DO(bind(fd, (struct sockaddr *)&sun, (socklen_t)(head + 13)));
		DO(getsockname(fd, (struct sockaddr *)&got, &got_len));
		out_sun(&got, got_len);
	}
}

static void socket_datagrams(void)
{
	struct sockaddr_un a, b, got;
	socklen_t a_len = sun_set(&a, at_self("%/da")), b_len = sun_set(&b, "dla/db"), got_len;
	int fa = socket(AF_UNIX, SOCK_DGRAM, 0), fb = socket(AF_UNIX, SOCK_DGRAM, 0);
	char buf[16];
	struct iovec iov = {buf, sizeof buf};
	struct msghdr msg = {.msg_name = &got, .msg_namelen = sizeof got, .msg_iov = &iov,
		.msg_iovlen = 1};

	DO(bind(fa, (struct sockaddr *)&a, a_len));
	DO(bind(fb, (struct sockaddr *)&b, b_len));
	DO(sendto(fa, "hello", 5, 0, (struct sockaddr *)&b, b_len));
	memset(&got, 0, sizeof got);
	got_len = sizeof got;
	DO(recvfrom(fb, buf, sizeof buf, 0, (struct sockaddr *)&got, &got_len));
	out_sun(&got, got_len);
	DO(sendto(fb, "hi", 2, 0, (struct sockaddr *)&a, a_len));
	memset(&got, 0, sizeof got);
	DO(recvmsg(fa, &msg, 0));
	out_sun(&got, msg.msg_namelen);
	DO(sendto(fb, "short", 5, 0, (struct sockaddr *)&a, a_len));
	got_len = 8;
	memset(&got, 0, sizeof got);
	DO(recvfrom(fa, buf, sizeof buf, 0, (struct sockaddr *)&got, &got_len));
	out(" %u", (unsigned)got_len);
	out_text(got.sun_path, 6);
	step("sendmsg");
	msg = (struct msghdr){.msg_name = &a, .msg_namelen = a_len, .msg_iov = &iov,
		.msg_iovlen = 1};
	DO(sendmsg(fb, &msg, 0));
	DO(recvfrom(fa, buf, sizeof buf, 0, NULL, NULL));
	step("missing");
	got_len = sun_set(&got, "nope");
	DO(sendto(fa, "x", 1, 0, (struct sockaddr *)&got, got_len));
	got_len = sun_set(&got, at_self("%/abs"));
	DO(sendto(fa, "x", 1, 0, (struct sockaddr *)&got, got_len));
	DO(connect(fa, (struct sockaddr *)&b, b_len));
	DO(send(fa, "conn", 4, 0));
	step("moved");
	DO(rename("da", "d/da2"));
	got_len = sizeof got;
	DO(getsockname(fa, (struct sockaddr *)&got, &got_len));
	out_sun(&got, got_len);
}

/* names made by libc */
static void out_temp(const char *name)
{
	size_t n = strlen(name), x = n;
	char buf[512];
	struct stat st;

	snprintf(buf, sizeof buf, "%s", name);
	/* the six letters that mkstemp chose come before the suffix */
	for (size_t i = 0; i + 6 <= n; i++)
		if (memcmp(buf + i, "tmp-", 4) == 0)
			x = i + 4;
	for (size_t i = x; i < x + 6 && i < n; i++)
		buf[i] = 'X';
	out(" ");
	out_text(buf, n);
	if (DO(lstat(name, &st)) == 0)
		out(" %o", st.st_mode);
	remove(name);
}

static void temps(void)
{
	static const char *const templates[] = {"tmp-XXXXXX", "%/tmp-XXXXXX", "dla/tmp-XXXXXX",
		"/tmp/tmp-XXXXXX",
		"/var/tmp/tmp-XXXXXX", "nope/tmp-XXXXXX", "locked/tmp-XXXXXX", "ro/tmp-XXXXXX",
		"tmp-XXXXX", "tmp",
		"", "f/tmp-XXXXXX", "up%/tmp-XXXXXX"};

	for (size_t i = 0; i < ROWS(templates); i++) {
		char name[512];
		int fd;

		step(templates[i]);
		strcpy(name, at_self(templates[i]));
		errno = PRESET;
		fd = mkstemp(name);
		if (worked(fd >= 0))
			out_temp(name), close(fd);
		strcpy(name, at_self(templates[i]));
		errno = PRESET;
		fd = mkostemp(name, O_APPEND);
		if (worked(fd >= 0))
			out_temp(name), close(fd);
		strcpy(name, at_self(templates[i]));
		errno = PRESET;
		if (worked(mkdtemp(name)))
			out_temp(name);
		strcpy(name, at_self(templates[i]));
		strcat(name, ".sfx");
		errno = PRESET;
		fd = mkstemps(name, 4);
		if (worked(fd >= 0))
			out_temp(name), close(fd);
	}
}

static void tmpfiles(void)
{
	FILE *f;
	struct stat st;

	errno = PRESET;
	f = tmpfile();
	if (worked(f) && fstat(fileno(f), &st) == 0)
		out(" %o %d", st.st_mode, (int)st.st_nlink);
	if (f)
		out(" %x %d", fcntl(fileno(f), F_GETFL), fcntl(fileno(f), F_GETFD));
	DO(utimensat(AT_FDCWD, "/tmp", (struct timespec[2]){{5, 0}, {5, 0}}, 0));
	TRY(tmpfile());
	stat("/tmp", &st);
	out(" %s", st.st_mtime == 5 ? "unchanged" : "changed");
	DO(chmod("/tmp", 0));
	errno = PRESET;
	worked(tmpfile());
	DO(chmod("/tmp", 01777));
	close(open("d/tmp", O_CREAT | O_WRONLY, 0644)); /* no directory */
	if (DO(chroot("d")) == 0) {
		TRY(tmpfile());
		DO(unlink("/tmp"));
		TRY(tmpfile());
	}
}

static void globs(void)
{
	static const struct {
		const char *pattern;
		int flags;
	} rows[] = {
		{"d/*", 0}, {"%/d/*", 0}, {"*/f", 0}, {"%/*/f", 0}, {"d*/", 0}, {"d*", GLOB_MARK},
		{"dl*/f", 0},
		{"root/etc/on*", 0}, {"/../etc/on*", 0}, {"/etc/o*y", 0}, {"/*", 0},
		{"up/etc/*", 0},
		{"nope*", 0}, {"nope*", GLOB_NOCHECK}, {"lock*/*", 0}, {"lock*/*", GLOB_ERR},
		{"dang*", 0},
		{"loo[p]", 0}, {"dla/../f*", 0}, {"./d/./*", 0}, {"/etc/host*", 0},
		{"[de]*/e/g", GLOB_MARK},
		{"/etc/debian_*", 0},
#ifdef __GLIBC__
		{"{f,d/f,nope}", GLOB_BRACE}, {"*", GLOB_ONLYDIR}, {"~orc/shared/f", GLOB_TILDE},
		{"~root", GLOB_TILDE}, {"~nobody-here/x", GLOB_TILDE},
#endif
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		step(rows[i].pattern);
		op_glob(at_self(rows[i].pattern), rows[i].flags);
	}
}

static void walks(void)
{
	static const char *const tops[] = {"d", "%/d", "dla", "abs", "nope", "dang", "locked",
		"dla/"};
	/* followed only where no link leads up */
	static const char *const followed[] = {"d/e", "dle", "%/dla/e", "abs", "nope", "dang",
		"only", "loop",
		"root/etc"};

	for (size_t i = 0; i < ROWS(tops); i++) {
		step(tops[i]);
		out(" %d", nftw(at_self(tops[i]), walked, 5, FTW_PHYS));
		names_out();
		out(" %d", nftw(at_self(tops[i]), walked, 5, FTW_PHYS | FTW_DEPTH | FTW_CHDIR));
		names_out();
	}
	for (size_t i = 0; i < ROWS(followed); i++) {
		step(followed[i]);
		out(" %d", nftw(at_self(followed[i]), walked, 5, 0));
		names_out();
	}
	out_cwd();
}

/* Few descriptors: names get longer, and lead through more links than are allowed. */
static void walks_few(void)
{
	char name[16] = "w/d", next[16];

	DO(mkdir("w", 0755));
	DO(mkdir("t", 0755));
	DO(mkdir("t/a", 0755));
	DO(mkdir("t/a/b", 0755));
	DO(mkdir("t/a/b/c", 0755));
	DO(symlink(at_self("%/t"), "w/d"));
	DO(symlink("../..", "t/a/b/up"));
	DO(symlink("../../../empty", "t/a/b/down"));
	DO(symlink("../b/c/nothing", "t/a/dang"));
	for (int i = 0; i < 38; i++) {
		sprintf(next, "w/.%d", i);
		DO(symlink(name + 2, next));
		strcpy(name, next);
	}
	DO(mkdir("top", 0755));
	DO(symlink(at_self(strcat(strcpy((char[40]){0}, "%/"), name)), "top/link"));
	for (int fds = 1; fds < 7; fds++) {
		out(" %d", nftw("top", walked, fds, 0));
		names_out();
		out(" %d", nftw(at_self("%/top"), walked, fds, FTW_DEPTH));
		names_out();
		out(" %d", nftw("t", walked, fds, FTW_PHYS | FTW_CHDIR));
		names_out();
		out(" %d", nftw("t", walked, fds, FTW_PHYS | FTW_CHDIR | FTW_DEPTH));
		names_out();
	}
	out_cwd();
}

/* More links on the way to a directory's names, and behind one of them, than are allowed at once. */
static void globs_linked(void)
{
	char name[16] = "../t", next[16];

	DO(mkdir("w", 0755));
	DO(mkdir("t", 0755));
	DO(mkdir("t/u", 0755));
	close(open("t/f", O_CREAT | O_WRONLY, 0600));
	for (int i = 0; i < 39; i++) {
		sprintf(next, "w/.%d", i);
		DO(symlink(name, next));
		strcpy(name, next + 2);
	}
	DO(symlink("../w", "w/dir"));
	DO(symlink("dir", "w/way"));
	DO(symlink("w/way", "again"));
	op_glob("again/*8", 0);
	op_glob("again/.*8", 0);
	op_glob("again/.*8/[uf]", 0);
	op_glob("again/.[123]*[78]/", 0);
	op_glob("*n/.*8/f", GLOB_NOCHECK);
#ifdef __GLIBC__
	op_glob("again/.*8", GLOB_ONLYDIR);
	op_glob("again/.*8", GLOB_ONLYDIR | GLOB_MARK);
	op_glob(at_self("%/again/.*8"), GLOB_ONLYDIR);
	op_glob(at_self("%/w/.*8"), GLOB_ONLYDIR | GLOB_MARK);
#endif
}

static void listings(void)
{
	static const char *const dirs[] = {"/", "/etc", "/..", "d", "dla", "/w/../etc",
		"/proc/self/root/etc"};

	for (size_t i = 0; i < ROWS(dirs); i++) {
		step(dirs[i]);
		op_opendir(dirs[i], 0);
	}
}

static void freopens(void)
{
	FILE *f = fopen("abs", "r");
	char buf[64] = "";

	TRY(f);
	errno = PRESET;
	f = freopen("/etc/hostname", "r", f);
	if (worked(f) && fgets(buf, sizeof buf, f))
		out_text(buf, strlen(buf));
	errno = PRESET;
	f = freopen(NULL, "r", f);
	if (worked(f) && fgets(buf, sizeof buf, f))
		out_text(buf, strlen(buf));
	errno = PRESET;
	f = freopen("nope/x", "r", f);
	worked(f);
}

static void inotify_events(void)
{
	int fd = inotify_init1(IN_NONBLOCK);
	char buf[1024] __attribute__((aligned(8)));
	ssize_t n;

	DO(inotify_add_watch(fd, "dla", IN_CREATE | IN_DELETE));
	DO(inotify_add_watch(fd, at_self("%/d/."), IN_CREATE | IN_DELETE));
	DO(inotify_add_watch(fd, "abs", IN_ATTRIB));
	DO(inotify_add_watch(fd, "abs", IN_ATTRIB | IN_DONT_FOLLOW));
	DO(inotify_add_watch(fd, "nope", IN_ATTRIB));
	DO(inotify_add_watch(fd, "f", IN_ATTRIB | IN_ONLYDIR));
	DO(inotify_add_watch(fd, "f", 0));
	DO(inotify_add_watch(FILE_FD, "f", IN_ATTRIB));
	DO(inotify_add_watch(99, "nope", IN_ATTRIB));
	DO(mkdir("d/watched", 0700));
	DO(chmod("f", 0600));
	n = read(fd, buf, sizeof buf);
	for (char *p = buf; p < buf + n;) {
		struct inotify_event *e = (struct inotify_event *)(void *)p;

		out(" wd %d %x %s", e->wd, e->mask, e->len ? e->name : "");
		p += sizeof *e + e->len;
	}
}

/* /proc */
static void proc_links(void)
{
	char buf[64];
	int fd, ends[2];

	out_readlink("/proc/self/exe");
	out_readlink("/proc/self/cwd");
	out_readlink("/proc/self/root");
	out_readlink("/proc/self/fd/9");
	out_readlink("/proc/thread-self/exe");
	sprintf(buf, "/proc/%d/exe", (int)getpid());
	out_readlink(buf);
	sprintf(buf, "/proc/%d/cwd", (int)getpid());
	out_readlink(buf);
	sprintf(buf, "/proc/self/task/%d/root", (int)getpid());
	out_readlink(buf);
	fd = open("dla/abs", O_RDONLY);
	sprintf(buf, "/proc/self/fd/%d", fd);
	out_readlink(buf);
	fd = open("abs", O_PATH | O_NOFOLLOW);
	sprintf(buf, "/proc/self/fd/%d", fd);
	out_readlink(buf);
	fd = open("/", O_RDONLY);
	sprintf(buf, "/proc/self/fd/%d", fd);
	out_readlink(buf);
	fd = open("/dev/null", O_RDONLY);
	sprintf(buf, "/proc/self/fd/%d", fd);
	out_readlink(buf);
	fd = open("/proc", O_RDONLY);
	sprintf(buf, "/proc/self/fd/%d", fd);
	out_readlink(buf);
	if (pipe(ends) == 0) {
		sprintf(buf, "/proc/self/fd/%d", ends[0]);
		out_readlink(buf);
	}
	out_readlink("/proc/self/fd/7");
	out_readlink("/dev/fd");
	out_readlink("/dev/stdin");
	out_readlink("/proc/self/ns/mnt");
	step("small");
	op_readlink("/proc/self/exe", 4);
	op_readlink("/proc/self/cwd", 3);
	op_readlink("/proc/self/fd/9", 1);
	op_readlink("/proc/self/cwd", 0);
	op_readlink("abs", 0);
	step("bad");
	DO(readlink("abs", bad, 10));
	DO(readlink("/proc/self/cwd", bad, 10));
	DO(readlink("f", bad, 10));
}

static void proc_parent(void)
{
	char buf[64];

	sprintf(buf, "/proc/%d/cwd", (int)getppid());
	op_readlink(buf, 400);
	sprintf(buf, "/proc/%d/root", (int)getppid());
	op_readlink(buf, 400);
	sprintf(buf, "/proc/%d/exe", (int)getppid());
	op_readlink(buf, 400);
}

static void proc_removed(void)
{
	char buf[64];
	int fd = open("f", O_RDONLY);

	DO(unlink("f"));
	sprintf(buf, "/proc/self/fd/%d", fd);
	out_readlink(buf);
	step("open");
	out_fd((int)DO(open(buf, O_RDONLY)));
	DO(chmod(buf, 0600));
	DO(truncate(buf, 2));
	DO(link(buf, "back"));
	DO(linkat(AT_FDCWD, buf, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
	DO(rename("rel", "f"));
	out_readlink(buf);
}

static void proc_at(void)
{
	int self_fd = open("/proc/self", O_RDONLY), fd_fd = open("/proc/self/fd", O_PATH);
	char buf[300];
	long n;

	out_fd((int)DO(openat(self_fd, "cwd/f", O_RDONLY)));
	out_fd((int)DO(openat(self_fd, "root/etc/hostname", O_RDONLY)));
	out_fd((int)DO(openat(fd_fd, "9", O_RDONLY)));
	out_fd((int)DO(openat(fd_fd, "../cwd/abs", O_RDONLY)));
	n = DO(readlinkat(self_fd, "cwd", buf, sizeof buf));
	out_text(buf, n > 0 ? (size_t)n : 0);
	n = DO(readlinkat(self_fd, "exe", buf, sizeof buf));
	out_text(buf, n > 0 ? (size_t)n : 0);
	n = DO(readlinkat(fd_fd, "9", buf, sizeof buf));
	out_text(buf, n > 0 ? (size_t)n : 0);
	DO(chdir("/proc/self"));
	out_open("root/etc/only");
	out_open("cwd");
	out_readlink("root");
	out_readlink("exe");
	DO(chdir("/proc/self/fd"));
	out_readlink("9");
	out_open("9");
	out_open("../../../etc/only");
	out_open("../root/etc/only");
}

/* The links themselves, held: readlinkat(2) with "". */
static void proc_links_held(void)
{
	static const char *const paths[] = {"/proc/self/cwd", "/proc/self/root", "/proc/self/exe", "/proc/self/fd/9",
		"/proc/thread-self/exe", "/proc/thread-self/cwd", "abs", "dang", "/proc/self/fd/7"};

	for (size_t i = 0; i < ROWS(paths); i++) {
		int fd = open(paths[i], O_PATH | O_NOFOLLOW);
		char buf[400], small[3];
		ssize_t n;

		step(paths[i]);
		memset(buf, 0, sizeof buf);
		n = DO(readlinkat(fd, "", buf, sizeof buf));
		out_text(buf, n > 0 ? (size_t)n : 0);
		DO(readlinkat(fd, "", small, sizeof small));
		out_text(small, sizeof small);
		DO(readlinkat(fd, "", bad, 10));
		close(fd);
	}
	DO(readlinkat(FILE_FD, "", (char[9]){0}, 9));
	DO(readlinkat(99, "", (char[9]){0}, 9));
	DO(readlinkat(AT_FDCWD, "", (char[9]){0}, 9));
}

static void proc_realpath(void)
{
	static const char *const paths[] = {"/proc/self/cwd", "/proc/self/cwd/f", "/proc/self/root",
		"/proc/self/exe",
		"/proc/self/root/etc/../etc/only", "/proc/self/fd/9", "/proc/self/fd/7",
		"/proc/self/fd/7/f", "/proc",
		"/proc/..", "/dev/fd/9", "/dev/null", "/dev/..", "/sys/.", "/proc/self/cwd/.."};

	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		op_realpath(paths[i], 1);
	}
}

static void proc_dirs(void)
{
	char buf[64];
	int fd = open("d", O_RDONLY);

	sprintf(buf, "/proc/self/fd/%d", fd);
	DO(chdir(buf));
	out_cwd();
	strcat(buf, "/../f");
	out_open(buf);
	step("list");
	op_opendir("/proc/self/cwd/", 0);
	op_opendir("/proc/self/root/etc", 0);
	DO(mkdir("/proc/self/cwd/made", 0700));
	DO(rename("/proc/self/cwd/made", "/proc/self/cwd/../made2"));
	DO(unlink("/proc/self/root"));
	DO(symlink("x", "/proc/self/cwd/sym"));
	out_readlink("sym");
}

/* A process that has ended and is not waited for: its links lead nowhere. */
static void proc_ended(void)
{
	static const char *const names_all[] = {"exe", "cwd", "root", "root/etc", "fd/0", "fd", "ns/mnt", "status", ""};
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	for (size_t i = 0; i < ROWS(names_all); i++) {
		char path[100], buf[100];
		struct stat st;

		step(names_all[i]);
		sprintf(path, "/proc/%d/%s", (int)pid, names_all[i]);
		DO(readlink(path, buf, sizeof buf));
		DO(lstat(path, &st));
		DO(stat(path, &st));
		DO(open(path, O_RDONLY));
		TRY(realpath(path, NULL));
		DO(chdir(path));
		DO(chdir(self));
	}
	waitpid(pid, NULL, 0);
}

static void child_exe_of(const char *p, long arg)
{
	(void)arg;
	DO(execve(p, (char *[]){"of-another", "who", NULL}, environ));
}

/* Programs executed here, in a root below, and by other names, as procfs shows them. */
static void proc_executed(void)
{
	static const struct {
		const char *root, *dir, *path;
	} rows[] = {{NULL, "d", "/bin/oracle"}, {"/sub", NULL, "/bin/oracle"}, {"/sub", "/", "/bin/oracle"},
		{NULL, "/", "/proc/self/exe"}, {NULL, "/bin", "oracle"}};
	static const char *const names_all[] = {"exe", "root", "cwd", "root/etc/hostname", "root/..", "root/bin/oracle", "root/"};
	struct stat program, st;

	stat("/bin/oracle", &program);
	for (size_t i = 0; i < ROWS(rows); i++) {
		int ready[2], end[2], fd, dir;
		char path[100], buf[PATH_MAX];
		pid_t pid;

		out("; %s %s", rows[i].root ? rows[i].root : "-", rows[i].path);
		if (pipe(ready) != 0 || pipe(end) != 0)
			return;
		pid = fork();
		if (pid == 0) {
			alarm(20);
			dup2(end[0], 0);
			dup2(ready[1], 1);
			close(end[1]);
			if ((rows[i].root && chroot(rows[i].root) != 0) || (rows[i].dir && chdir(rows[i].dir) != 0))
				_exit(1);
			execl(rows[i].path, "w", "wait", (char *)NULL);
			_exit(1);
		}
		close(end[0]);
		close(ready[1]);
		out(" %zd", read(ready[0], buf, 1));
		for (size_t k = 0; k < ROWS(names_all); k++) {
			long n;

			out(" (%s", names_all[k]);
			sprintf(path, "/proc/%d/%s", (int)pid, names_all[k]);
			n = DO(readlink(path, buf, sizeof buf));
			out_text(buf, n > 0 ? (size_t)n : 0);
			if (DO(stat(path, &st)) == 0)
				out(" %d", st.st_dev == program.st_dev && st.st_ino == program.st_ino);
			fd = (int)DO(open(path, O_RDONLY));
			if (fd >= 0 && fstat(fd, &st) == 0)
				out(" %d", st.st_dev == program.st_dev && st.st_ino == program.st_ino);
			out_fd(k > 3 ? -1 : fd);
			close(fd);
			DO(open(path, O_WRONLY));
			if (k && DO(chdir(path)) == 0) {
				out_cwd();
				out_open("etc/hostname");
				DO(chdir(self));
			}
			out(")");
		}
		sprintf(path, "/proc/%d", (int)pid);
		dir = open(path, O_PATH);
		fd = openat(dir, "exe", O_RDONLY);
		out(" %d", fstat(fd, &st) == 0 && st.st_dev == program.st_dev && st.st_ino == program.st_ino);
		fd = openat(dir, "exe", O_PATH | O_NOFOLLOW);
		DO(readlinkat(fd, "", buf, sizeof buf));
		strcat(path, "/exe");
		if (symlink(path, "of-pid") == 0)
			capture(child_exe_of, "of-pid", 0);
		unlink("of-pid");
		close(end[1]);
		close(ready[0]);
		waitpid(pid, NULL, 0);
	}
}

static void proc_self_text(void)
{
	char buf[256] = "";
	int fd = open("/proc/self/comm", O_RDONLY);
	ssize_t n = read(fd, buf, sizeof buf);

	out_text(buf, n > 0 ? (size_t)n : 0);
	prctl(PR_GET_NAME, buf);
	out(" %s ", buf);
	out_readlink("/proc/self/exe");
}

static void proc_cmdline(void)
{
	char buf[256] = "";
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = read(fd, buf, sizeof buf);

	out_text(buf, n > 0 ? (size_t)n : 0);
}

static void mounts_stay(void)
{
	DO(rmdir("/proc"));
	DO(rmdir("/dev"));
	DO(rmdir("/dev/"));
	DO(unlink("/sys"));
	DO(rename("/proc", "/proc2"));
	DO(rename("/dev", "d/dev"));
	DO(rename("empty", "/sys"));
	DO(mkdir("/proc", 0700));
	DO(symlink("x", "/dev"));
	DO(rename("f", "/dev/f"));
	DO(rename("f", "/proc/f"));
	DO(link("f", "/proc/f"));
	DO(link("/dev/null", "null"));
	DO(rename("/dev/null", "null"));
	DO(renameat2_("/proc", "/dev", RENAME_EXCHANGE));
	DO(chmod("/proc", 0700));
	DO(mknod("/sys", S_IFREG | 0600, 0));
	out_path("proc", "/proc/self/cwd/f");
}

/* Who is chrooted gets no user namespace. */
static void *waits(void *at)
{
	char c;

	return read(*(int *)at, &c, 1) ? NULL : at;
}

static int ends(void *arg)
{
	(void)arg;
	return 0;
}

static void namespaces(void)
{
	static _Alignas(16) char stack[65536];
	static const unsigned long with[] = {0, CLONE_NEWNS, CLONE_FS, CLONE_NEWNS | CLONE_FS, CLONE_VM, CLONE_SIGHAND,
		CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, CLONE_NEWPID, CLONE_PARENT};
	uint64_t args[8] = {CLONE_NEWUSER, [4] = SIGCHLD};
	pthread_t t;
	int p[2];

	DO(unshare(0));
	DO(unshare(CLONE_FS));
	DO(unshare(CLONE_FILES));
	DO(unshare(CLONE_NEWNS));
	DO(unshare(CLONE_NEWUSER));
	DO(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	DO(unshare(CLONE_NEWUSER | CLONE_FS | CLONE_FILES | CLONE_NEWNET | CLONE_NEWPID));
	DO(unshare(CLONE_NEWUSER | CLONE_THREAD));
	DO(unshare(CLONE_NEWUSER | CLONE_PARENT));
	DO(syscall(SYS_unshare, CLONE_NEWUSER | CLONE_FS));
	/* whoever is left from these would run the rest as well */
	for (size_t i = 0; i < sizeof with / sizeof *with; i++)
		if (DO(syscall(SYS_clone, CLONE_NEWUSER | with[i] | SIGCHLD, NULL, NULL, NULL, NULL)) == 0)
			_exit(0);
	if (DO(syscall(SYS_clone3, args, sizeof args)) == 0)
		_exit(0);
	DO(clone(ends, stack + sizeof stack, CLONE_NEWUSER | SIGCHLD, NULL));
	DO(clone(ends, stack + sizeof stack, CLONE_NEWUSER | CLONE_FS | SIGCHLD, NULL));
	DO(syscall(SYS_clone3, args, 8));
	DO(syscall(SYS_clone3, NULL, sizeof args));
	DO(syscall(SYS_clone3, (char *)1, sizeof args));
	if (pipe(p) == 0 && pthread_create(&t, NULL, waits, &p[0]) == 0) {
		DO(unshare(CLONE_NEWUSER));
		DO(unshare(CLONE_NEWUSER | CLONE_FS));
		close(p[1]);
		pthread_join(t, NULL);
	}
	out_path("proc", "/proc/self/uid_map");
	out_cwd();
}

/* lengths */
static void long_names(void)
{
	char a[300], b[300];

	name_of(a, 'a', 255);
	name_of(b, 'b', 256);
	DO(mkdir(a, 0755));
	DO(mkdir(b, 0755));
	DO(rename(a, b));
	DO(rename("f", b));
	name_of(b, 'b', 255);
	DO(rename(a, b));
	DO(symlink(b, "to255"));
	out_path("link", "to255/");
	DO(chdir(b));
	out_cwd();
	DO(chdir(".."));
	DO(link("f2", name_of(a, 'l', 255)));
	DO(mknod(name_of(a, 'm', 255), S_IFREG | 0600, 0));
	DO(unlink(name_of(a, 'm', 256)));
	DO(unlink(name_of(a, 'm', 255)));
	DO(rmdir(b));
}

static void long_targets(void)
{
	char t[5000];

	memset(t, 0, sizeof t);
	for (size_t i = 0; i < 4095; i++)
		t[i] = i % 2 ? '/' : '.';
	t[4094] = 'f';
	DO(symlink(t, "l4095"));
	out_open("l4095");
	op_readlink("l4095", 8192);
	op_readlink("l4095", 4095);
	op_readlink("l4095", 4094);
	t[4095] = 'f';
	DO(symlink(t, "l4096"));
	t[4094] = '\0';
	memcpy(t + 4093, "d", 1);
	DO(symlink(t, "l4094"));
	out_open("l4094/f");
	out_open("l4094/../f");
	out_open("d/../l4094/up/l4095");
	DO(chdir("l4094"));
	out_cwd();
}

static void long_paths(void)
{
	char p[5000];

	argument(p, sizeof p, "#4095", self);
	p[4094] = 'n';
	DO(mkdir(p, 0755));
	DO(rename(p, "n2"));
	DO(rename("n2", p));
	DO(chdir(p));
	out_cwd();
	DO(chdir(".."));
	DO(rmdir(p));
	DO(symlink("f", p));
	op_readlink(p, 100);
	DO(truncate(p, 2));
	DO(chmod(p, 0600));
	DO(link(p, "n3"));
	DO(unlink(p));
	memset(p, 'z', 4999);
	p[4999] = '\0';
	DO(mkdir(p, 0755));
	DO(chdir(p));
	memset(p, '/', 4094);
	strcpy(p + 4090, "etc/only");
	out_open(p);
	strcpy(p + 4085, "/etc/only/");
	out_open(p);
	strcpy(p + 4086, "/etc/only");
	out_open(p);
}

static void link_chains(void)
{
	char from[16], to[32];

	/* path_resolution(7): 40 links are followed */
	for (int i = 1; i <= 42; i++) {
		sprintf(from, "c%d", i);
		snprintf(to, sizeof to, i == 1 ? "f%.0d" : i % 3 ? "c%d" : "d/../c%d", i - 1);
		if (symlink(to, from) != 0)
			out(" symlink %s", errno_name(errno));
	}
	out_open("c39");
	out_open("c40");
	out_open("c41");
	out_path("c42", "c42");
	DO(rename("c41", "d/c41"));
	out_open("c40");
	DO(symlink(at_self("%/c40"), "c00"));
	out_open("c00");
	DO(symlink(at_self("%/c39"), "c01"));
	out_open("c01");
	op_realpath("c39", 1);
	op_realpath("c40", 1);
	op_realpath("c42", 1);
	DO(symlink("d/up/d/up", "many"));
	out_open("many/many/many/f");
	out_open("many/many/many/many/many/many/many/many/many/many/many/many/many/f");
	out_open("many/many/many/many/many/many/many/many/many/many/many/many/many/many/f");
}

static void bad_structs(void)
{
	if (CHECKS_POINTERS) {
		DO(stat("f", bad));
		DO(lstat("abs", bad));
		DO(fstatat(AT_FDCWD, "f", bad, 0));
		DO(statfs("f", bad));
		DO(utimensat(AT_FDCWD, "f", bad, 0));
	}
	DO(stat("nope", bad));
	DO(fstatat(AT_FDCWD, "f", bad, 0x8000));
	DO(readlink("rel", bad, 10));
	DO(readlink("rel", bad, too_much));
	DO(getxattr("f", bad, bad, 10));
	DO(setxattr("f", "user.x", bad, 10, 0));
	DO(setxattr("nope", "user.x", bad, 10, 0));
	DO(setxattr("nope/x", "", "a", 1, 0));
	DO(lgetxattr("locked/in", bad, bad, 10));
	DO(removexattr("loop", ""));
	DO(getxattr("dang", bad, bad, 10));
	DO(listxattr("f", bad, 100));
	DO(symlink(bad, "new"));
	DO(symlink("t", bad));
	DO(rename("f", bad));
	DO(rename(bad, "f"));
	DO(link("f", bad));
	DO(link(bad, "new"));
	DO(syscall(SYS_openat2, AT_FDCWD, "f", bad, sizeof(struct open_how)));
	DO(openat(99, bad, O_RDONLY));
	DO(openat(99, "", O_RDONLY));
	DO(openat(99, "/etc/only", O_RDONLY));
	DO(fstatat(99, "/etc/only", &(struct stat){0}, 0));
	DO(mkdirat(-1, "/w", 0700));
}

static void flags_bad(void)
{
	DO(fstatat(AT_FDCWD, "f", &(struct stat){0}, 1 << 20));
	DO(faccessat(AT_FDCWD, "f", 0xff, 0));
	DO(access("f", 8));
	DO(unlinkat(AT_FDCWD, "f", 0x40));
	DO(linkat(AT_FDCWD, "f", AT_FDCWD, "new", 0x40));
	DO(fchownat(AT_FDCWD, "f", (uid_t)-1, (gid_t)-1, 0x40));
	DO(utimensat(AT_FDCWD, "f", NULL, 0x40));
	{
		static const char *const paths[] = {"nope", "nope/x", "dang", "loop", "locked/in", "f", "abs", "f/"};
		const struct timeval odd[][2] = {{{1, 1000000}, {2, 0}}, {{1, 0}, {2, -1}}};

		for (size_t i = 0; i < ROWS(paths); i++)
			for (size_t k = 0; k < ROWS(odd); k++) {
				DO(utimes(paths[i], odd[k]));
				DO(lutimes(paths[i], odd[k]));
				DO(futimesat(AT_FDCWD, paths[i], odd[k]));
			}
	}
	DO(statx(AT_FDCWD, "f", 0x40000000, STATX_BASIC_STATS, &(struct statx){.stx_mode = 0}));
	DO(statx(AT_FDCWD, "f", 0, 0x80000000U, &(struct statx){.stx_mode = 0}));
	DO(open("f", O_RDONLY | O_PATH | O_CREAT, 0600));
	DO(open("f", O_TMPFILE & ~O_DIRECTORY));
	DO(open("d", O_TMPFILE | O_RDONLY, 0600));
	DO(open("d", O_TMPFILE | O_RDWR | O_CREAT, 0600));
	DO(open("f", O_ACCMODE));
	DO(open("f", -1));
	DO(open("f", O_RDONLY | O_DIRECT));
	DO(open("new", O_CREAT | O_WRONLY, (mode_t)-1));
	out_path("new", "new");
	DO(mkdir("new2", (mode_t)-1));
	out_path("new2", "new2");
	DO(mknod("new3", S_IFDIR | 0700, 0));
	DO(mknod("new3", 0600, 0));
	DO(mknod("new4", 0170000 | 0600, 0));
	DO(renameat2_("f", "f2", RENAME_EXCHANGE | RENAME_NOREPLACE));
	DO(renameat2_("f", "new5", RENAME_WHITEOUT));
	DO(setxattr("f", "user.a", "x", 1, 99));
	DO(setxattr("f", "trusted.a", "x", 1, 0));
	DO(setxattr("f", "nonsense", "x", 1, 0));
	DO(setxattr("f", "", "x", 1, 0));
	DO(setxattr("abs", "user.via", "xyz", 3, 0));
	DO(getxattr("f", "user.via", NULL, 0));
	DO(getxattr("f", "user.via", (char[2]){0}, 2));
	DO(lsetxattr("abs", "user.via", "xyz", 3, 0));
	DO(chmod("f", (mode_t)-1));
	DO(fchmodat(AT_FDCWD, "f", 0600, 0x40));
}

static void open_flags(void)
{
	static const char *const paths[] = {"f", "%/f", "abs", "dla/../f", "/proc/self/cwd/f",
		"/etc/only", "d/", "dle/.."};
	static const int flags[] = {O_RDONLY, O_RDWR | O_APPEND, O_PATH, O_NOFOLLOW, O_PATH |
		O_NOFOLLOW, O_CREAT | O_NOCTTY};

	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		for (size_t k = 0; k < ROWS(flags); k++) {
			int fd = open(at_self(paths[i]), flags[k], 0600);

			out(" %o", fd < 0 ? 0 : fcntl(fd, F_GETFL) & ~0100000 /* O_LARGEFILE */);
		}
	}
}

static void openat2_args(void)
{
	struct {
		struct open_how how;
		uint64_t more;
	} h = {.how = {.flags = O_RDONLY}};
	static const struct {
		const char *path;
		uint64_t flags, mode, resolve;
	} rows[] = {
		{"f", O_RDONLY, 0600, 0}, {"f", O_RDONLY, 0, 0x40}, {"f", 1ULL << 40, 0, 0},
		{"new", O_CREAT | O_WRONLY, 0640, 0}, {"new2", O_CREAT | O_WRONLY, 010640, 0},
		{"f", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT},
		{"d/../f", O_RDONLY, 0, RESOLVE_BENEATH},
		{"../shared/f", O_RDONLY, 0, RESOLVE_BENEATH},
		{"/etc/only", O_RDONLY, 0, RESOLVE_BENEATH},
		{"/f", O_RDONLY, 0, RESOLVE_IN_ROOT}, {"abs", O_RDONLY, 0, RESOLVE_IN_ROOT},
		{"../../f", O_RDONLY, 0, RESOLVE_IN_ROOT},
		{"rel", O_RDONLY, 0, RESOLVE_NO_SYMLINKS},
		{"rel", O_RDONLY | O_NOFOLLOW | O_PATH, 0, RESOLVE_NO_SYMLINKS},
		{"dla/f", O_RDONLY, 0, RESOLVE_NO_SYMLINKS},
		{"/proc/self/cwd/f", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS},
		{"/proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV},
		{"/proc/self/fd/9", O_RDONLY, 0, RESOLVE_NO_XDEV}, {"f", O_RDONLY, 0, 0x20},
		{"", O_PATH, 0, 0},
		{"up/etc/only", O_RDONLY, 0, RESOLVE_IN_ROOT},
		{"dle/../../f", O_RDONLY, 0, RESOLVE_IN_ROOT},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		out("; %s", rows[i].path);
		h.how = (struct open_how){.flags = rows[i].flags, .mode = rows[i].mode,
			.resolve = rows[i].resolve};
		out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, rows[i].path, &h, sizeof h.how)));
	}
	step("size");
	h.how = (struct open_how){.flags = O_RDONLY};
	DO(syscall(SYS_openat2, AT_FDCWD, "f", &h, 8L));
	DO(syscall(SYS_openat2, AT_FDCWD, "f", &h, sizeof h));
	h.more = 1;
	DO(syscall(SYS_openat2, AT_FDCWD, "f", &h, sizeof h));
	DO(syscall(SYS_openat2, AT_FDCWD, "f", &h, 5000L));
}

/* syscall(2) by number */
static void by_number(void)
{
	struct stat st;
	char buf[300];
	long n;

	out_fd((int)DO(syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY)));
	out_fd((int)DO(syscall(SYS_openat, AT_FDCWD, at_self("%/dla/../abs"), O_RDONLY)));
	n = DO(syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/cwd", buf, sizeof buf));
	out_text(buf, n > 0 ? (size_t)n : 0);
	DO(syscall(SYS_mkdirat, AT_FDCWD, at_self("%/s1"), 0700));
	DO(syscall(SYS_symlinkat, "/etc/only", AT_FDCWD, "s2"));
	out_open("s2");
	DO(syscall(SYS_renameat2, AT_FDCWD, "s1", AT_FDCWD, at_self("%/dla/s3"), 0));
	DO(syscall(SYS_linkat, AT_FDCWD, at_self("%/f"), AT_FDCWD, "s4", 0));
	DO(syscall(SYS_unlinkat, AT_FDCWD, "/etc/../w/nope", 0));
	DO(syscall(SYS_fchmodat, AT_FDCWD, at_self("%/abs"), 0600));
	DO(syscall(SYS_faccessat, AT_FDCWD, "/etc/only", R_OK));
	DO(syscall(SYS_truncate, at_self("%/abs"), 3L));
	DO(syscall(SYS_chdir, "root/etc"));
	out_cwd();
	DO(syscall(SYS_statfs, "/etc/only", &(struct statfs){0}));
	DO(syscall(SYS_newfstatat, AT_FDCWD, "", &st, AT_EMPTY_PATH));
	out_stat(&st);
	DO(syscall(SYS_getxattr, at_self("%/abs"), "user.mark", buf, sizeof buf));
	DO(syscall(SYS_inotify_add_watch, inotify_init1(0), "/etc/only", IN_MODIFY));
#ifdef SYS_open
	out_fd((int)DO(syscall(SYS_open, "/etc/hostname", O_RDONLY)));
	DO(syscall(SYS_stat, "/etc/only", &st));
	out_stat(&st);
	DO(syscall(SYS_lstat, "/etc/mtab", &st));
	out_stat(&st);
	DO(syscall(SYS_access, "/etc/debian_version", F_OK));
	DO(syscall(SYS_readlink, "/etc/mtab", buf, sizeof buf));
	DO(syscall(SYS_mkdir, at_self("%/s5"), 0700));
	DO(syscall(SYS_rmdir, at_self("%/s5")));
	DO(syscall(SYS_creat, at_self("%/s6"), 0600));
	DO(syscall(SYS_rename, at_self("%/s6"), at_self("%/root/s7/x")));
	DO(syscall(SYS_unlink, at_self("%/s6")));
	DO(syscall(SYS_chmod, at_self("%/abs"), 0640));
	DO(syscall(SYS_symlink, "/x", at_self("%/s8")));
	DO(syscall(SYS_link, at_self("%/f"), at_self("%/s9")));
	DO(syscall(SYS_utimes, at_self("%/f2"), NULL));
#endif
	DO(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY));
	DO(syscall(100000L));
}

/* What Linux has had since 6.13, and no libc by name. */
struct xattr_value {
	uint64_t value;
	uint32_t size, flags;
};
struct file_attr { /* linux/fs.h */
	uint64_t xflags;
	uint32_t extsize, nextents, projid, cowextsize;
};
enum { SETXATTRAT = 463, GETXATTRAT, LISTXATTRAT, REMOVEXATTRAT, OPEN_TREE_ATTR, FILE_GETATTR, FILE_SETATTR };

static void calls_new(void)
{
	static const char *const paths[] = {"f", "%/f", "abs", "dla/f", "d/abs", "dl", "%/dla", "dang", "nope", "", "d/",
		"abs/", "locked/in", "nox", "up/etc/only", "host", "/etc/only", "f/x", "loop", ".", "..", "/", "/dev/null",
		"/proc/self/cwd/f", "/proc/self/fd/9", "fifo", "sock", "ro/in", "!0", "!3"};
	static const unsigned flags[] = {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, 0x2000000};
	int dirs[] = {AT_FDCWD, open("d", O_RDONLY), open("d", O_PATH), FILE_FD, 99};
	char buf[4200], path[4200];

	for (size_t i = 0; i < ROWS(paths); i++) {
		const char *p = argument(path, sizeof path, paths[i], self);

		step(paths[i]);
		for (size_t k = 0; k < ROWS(flags); k++)
			for (size_t d = 0; d < ROWS(dirs); d++) {
				struct xattr_value v = {(uintptr_t)buf, sizeof buf, 0};
				struct file_attr attr = {0};

				memset(buf, 0, sizeof buf);
				out(" (%zu %zu", k, d);
				if (DO(syscall(GETXATTRAT, dirs[d], p, flags[k], "user.mark", &v, sizeof v)) > 0)
					out_text(buf, strlen(buf));
				strcpy(buf, "given");
				v.size = 5;
				DO(syscall(SETXATTRAT, dirs[d], p, flags[k], "user.new", &v, sizeof v));
				v.flags = XATTR_CREATE;
				DO(syscall(SETXATTRAT, dirs[d], p, flags[k], "user.new", &v, sizeof v));
				v.size = 70000;
				DO(syscall(SETXATTRAT, dirs[d], p, flags[k], "user.new", &v, sizeof v));
				DO(syscall(LISTXATTRAT, dirs[d], p, flags[k], buf, sizeof buf));
				DO(syscall(REMOVEXATTRAT, dirs[d], p, flags[k], "user.new"));
				DO(syscall(REMOVEXATTRAT, dirs[d], p, flags[k], ""));
				DO(syscall(GETXATTRAT, dirs[d], p, flags[k], bad, &v, sizeof v));
				DO(syscall(GETXATTRAT, dirs[d], p, flags[k], "user.mark", bad, sizeof v));
				DO(syscall(GETXATTRAT, dirs[d], p, flags[k], "user.mark", &v, 7L));
				DO(syscall(FILE_GETATTR, dirs[d], p, &attr, sizeof attr, flags[k]));
				DO(syscall(FILE_SETATTR, dirs[d], p, &attr, sizeof attr, flags[k]));
				DO(syscall(FILE_GETATTR, dirs[d], p, &attr, 3L, flags[k]));
				DO(syscall(FILE_GETATTR, dirs[d], p, bad, sizeof attr, flags[k]));
				out(")");
			}
	}
}

static void trees_opened(void)
{
	static const char *const paths[] = {"f", "%/d", "abs", "dla/f", "dang", "", "host", "/etc", "/proc", "locked/in", "!0"};
	static const unsigned flags[] = {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 1 /* OPEN_TREE_CLONE */, O_CLOEXEC, 0x2000000};
	int dir = open("d", O_PATH);
	uint64_t attr[4] = {0};
	char path[300];

	for (size_t i = 0; i < ROWS(paths); i++) {
		const char *p = argument(path, sizeof path, paths[i], self);

		step(paths[i]);
		for (size_t k = 0; k < ROWS(flags); k++)
			for (int with = 0; with < 3; with++) {
				int fd = (int)DO(syscall(OPEN_TREE_ATTR, dir, p, flags[k], with ? attr : NULL,
					with == 1 ? sizeof attr : with == 2 ? 3UL : 0UL));

				out_fd(fd);
				if (fd >= 0)
					out(" %d", fcntl(fd, F_GETFD)), close(fd);
			}
	}
}

static void renames_inside(void)
{
	DO(rename("d", "d/e/in"));
	DO(rename("d", "dla/in"));
	DO(rename("d", "d"));
	DO(rename("f", "f"));
	DO(rename("f", "abs"));
	DO(rename("dl", "dla"));
	DO(rename("d/..", "new"));
	DO(rename(".", "new"));
	DO(rename("d", "."));
	DO(rename("d", "empty/.."));
	DO(rename("/", "new"));
	DO(rename("d", "/"));
	DO(rename("d/e/../../f2", "dle/../h"));
	out_path("h", "d/h");
	DO(rename("d/", "d2/"));
	DO(rename("d2/e", "empty/"));
	DO(rename("nope", ""));
	DO(rename("", "nope"));
	DO(link("sock", "sock2"));
	DO(link("fifo", "fifo2"));
	DO(link("d2", "hard"));
	DO(link("dang", "dang2"));
	out_readlink("dang2");
}

static void links_exact(void)
{
	static const char *const texts[] = {"/", "//", ".", "..", "/w", "///w//x/", "./", "a/../b",
		"%/f", "/proc",
		"/proc/self/exe", "no such\nfile", "\xff\xfe", "../../../../../../../..", "@", "~",
		"$HOME"};

	for (size_t i = 0; i < ROWS(texts); i++) {
		char name[32];
		struct stat st;

		sprintf(name, "l%zu", i);
		out(";");
		DO(symlink(at_self(texts[i]), name));
		op_readlink(name, 300);
		if (lstat(name, &st) == 0)
			out(" size %ld", (long)st.st_size);
	}
}

static void mkdirs(void)
{
	static const char *const paths[] = {"n1", "n2/", "n3/.", "n4/..", "n5//", "n1/../n6",
		"n7/n8", "dang", "dang/",
		"danga/", "abs", "/", "/..", "", ".", "d", "dla/n9", "dla/../n10", "locked/n",
		"ro/n", "loop/n", "loop",
		"/../../../..%/n11", "%/up%/n12", "f/n", "/proc/n", "root", "/w", "d/./n13/"};

	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		DO(mkdir(at_self(paths[i]), 0755));
	}
}

static void rmdirs(void)
{
	static const char *const paths[] = {"empty/.", "empty/..", "empty/", ".", "..", "/", "dl",
		"dl/", "dla/.", "d",
		"f", "f/", "nope", "nope/", "abs/", "loop/", "/..", "d/e/..", "../.", "locked",
		"ro", "%/../.."};

	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		DO(rmdir(at_self(paths[i])));
		DO(unlink(at_self(paths[i])));
		if (access("f", F_OK) != 0)
			write_file("f", "again\n");
	}
}

static void umasks(void)
{
	umask(077);
	DO(mkdir("m1", 0777));
	DO(creat("m2", 0666));
	DO(mkfifo("m3", 0666));
	umask(0);
	DO(mkdir("m4", 02777));
	DO(creat("m5", 06777));
	DO(open("dang", O_CREAT | O_WRONLY, 0777));
	umask(022);
}

static void descriptors(void)
{
	int a = (int)DO(open("f", O_RDONLY)), b = (int)DO(dup(a));
	long n = 0;

	out(" first %d", b - a);
	DO(fcntl(a, F_DUPFD, 20));
	DO(dup2(a, 30));
	DO(dup2(a, a));
	DO(dup3(a, a, 0));
	DO(dup2(99, 31));
	DO(close(99));
	DO(fcntl(99, F_GETFD));
	/* nothing of ours to see or to hit among the numbers */
	for (int fd = 0; fd < 20000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	out(" open %ld", n);
	for (int fd = 3; fd < 20000; fd++)
		n -= close(fd) == 0;
	out(" left %ld", n);
	out_open("f");
	out_open("/etc/hostname");
	step("from");
	a = open("f", O_RDONLY);
	DO(dup2(a, 200));
	n = 0;
	for (int fd = 200; fd < 300; fd++) /* the lowest from there on */
		n += fcntl(a, F_DUPFD, fd) - fd - 1;
	out(" %ld", n);
	DO(fcntl(a, F_DUPFD_CLOEXEC, 230));
	DO(close(251));
	DO(fcntl(a, F_DUPFD, 201));
	for (int fd = 301; fd < 340; fd++) { /* nothing is left where nothing came */
		out(dup2(99, fd) == -1 ? "" : "?");
		out(fcntl(a, F_DUPFD, fd) == fd ? "" : "?");
	}
	out_open("/etc/hostname");
	DO(syscall(436 /* close_range */, 3L, ~0UL & 0xffffffff, 0L));
	out_open("abs");
	out_open("/etc/only");
}

/* What chroot(2) leaves out of sight leaves nothing behind. */
static void descriptors_chroot(void)
{
	long n = 0;

	DO(chroot("d"));
	for (int fd = 0; fd < 20000; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	out(" open %ld", n);
	DO(chroot("d/e"));
	for (int fd = 3; fd < 20000; fd++)
		n -= close(fd) == 0;
	out(" left %ld", n);
	for (int fd = 230; fd < 250; fd++)
		n += dup2(0, fd) != fd;
	out(" %ld", n);
	out_open("/g");
	out_open("/../f");
	DO(syscall(436 /* close_range */, 3L, ~0UL & 0xffffffff, 0L));
	out_open("/g");
}

/* Nor where the numbers that there were lie beyond the limit by then. */
static void descriptors_lowered(void)
{
	static const char *const to[] = {"d", ".", "e", "/.."};
	struct rlimit lim;

	getrlimit(RLIMIT_NOFILE, &lim);
	for (size_t i = 0; i < ROWS(to); i++) {
		long n = 0;

		lim.rlim_cur = 120 - 20 * i;
		DO(setrlimit(RLIMIT_NOFILE, &lim));
		DO(chroot(to[i]));
		for (int fd = 3; fd < 20000; fd++)
			n -= close(fd) == 0;
		out(" left %ld", n);
		out_open("/g");
	}
}

static void proc_fd_list(void)
{
	op_opendir("/proc/self/fd", 0);
}

static void descriptors_taken(void)
{
	for (int fd = 20; fd < 1100; fd++)
		if (dup2(FILE_FD, fd) != fd)
			out(" dup2 %s", errno_name(errno)), fd = 2000;
	out_open("/etc/hostname");
	out_open("abs");
	DO(chdir("/var/back"));
	out_cwd();
}

static void descriptors_none(void)
{
	long n = 0;

	while (open("/etc/only", O_RDONLY) >= 0 && n < 100000)
		n++;
	out(" %s", n > 0 ? "filled" : "none");
	DO(open("/etc/only", O_RDONLY));
	DO(access("/etc/only", R_OK));
	DO(stat("/etc/only", &(struct stat){0}));
	DO(stat("abs", &(struct stat){0}));
	DO(open("nope", O_RDONLY));
	DO(mkdir("made", 0700));
	DO(mkdir(at_self("%/dla/made"), 0700));
	DO(rename("made", at_self("%/dla/moved")));
	DO(chdir("dla"));
	out_cwd();
	DO(chmod("abs", 0600));
	DO(readlink("only", (char[64]){0}, 64));
}

/* Full at the soft limit, with room behind it: open(2) fails before it looks at its path. */
static void descriptors_soft(void)
{
	struct open_how how = {.flags = O_CREAT | O_WRONLY, .mode = 0600};
	struct rlimit lim;
	struct stat st;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = 40;
	DO(setrlimit(RLIMIT_NOFILE, &lim));
	while (dup(FILE_FD) >= 0)
		;
	DO(open("/etc/only", O_RDONLY));
	DO(open("nope", O_RDONLY));
	DO(open("abs/x", O_PATH));
	DO(open("", O_RDONLY));
	DO(open(bad, O_RDONLY));
	DO(open("d", O_TMPFILE | O_RDONLY));
	DO(open("new", O_CREAT | O_EXCL | O_WRONLY, 0600));
	DO(open("dang", O_CREAT | O_WRONLY, 0600));
	DO(open("abs", O_TRUNC | O_WRONLY));
	DO(openat(-1, "x", O_RDONLY));
	DO(openat(-1, "../x", O_RDONLY));
	DO(openat(FILE_FD, "../x", O_RDONLY));
	DO(open("/proc", O_CREAT | O_EXCL | O_RDONLY, 0600));
	DO(open("/proc/", O_CREAT | O_WRONLY, 0600));
	DO(open("/dev/null/x", O_RDONLY));
	DO(syscall(SYS_openat2, AT_FDCWD, at_self("%/dla/new"), &how, sizeof how));
	how.resolve = RESOLVE_BENEATH;
	DO(syscall(SYS_openat2, AT_FDCWD, "/etc/only", &how, sizeof how));
	DO(syscall(SYS_openat2, AT_FDCWD, "../only", &how, sizeof how));
	how.resolve = RESOLVE_NO_XDEV;
	DO(syscall(SYS_openat2, AT_FDCWD, "/proc/self", &how, sizeof how));
	out_path("new", "new");
	DO(stat("abs", &st));
	DO(stat("dla/only", &st));
	DO(mkdir(at_self("%/dla/made"), 0700));
	DO(rename("dla/made", at_self("%/dla/e/moved")));
	DO(chmod("dla/abs", 0600));
	DO(truncate("absc", 2));
	DO(rename(bad, "noexec/x"));
	DO(chdir("dla/e"));
	out_cwd();
	step("one");
	close(39);
	DO(chroot("."));
	DO(chroot(".."));
	DO(open("../only", O_RDONLY));
	DO(open("/proc/self/cwd/../new", O_CREAT | O_EXCL | O_WRONLY, 0600));
	close(39);
	DO(open("/proc/self/cwd/../new", O_CREAT | O_EXCL | O_WRONLY, 0600));
	DO(open("../dang/x", O_CREAT | O_EXCL | O_WRONLY, 0600));
}

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled = open("/etc/only", O_RDONLY) >= 0 && access("/etc/debian_version", F_OK) != 0;
}

static void in_signal(void)
{
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	out(" %d", (int)handled);
}

static void root_is(void)
{
	struct stat a, b;

	stat("/", &a);
	stat("/..", &b);
	out(" %d", a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	stat("up", &b);
	out("%d", a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	stat("/proc/self/root/.", &b);
	out("%d", a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	stat("/proc/..", &b);
	out("%d", a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	stat("/proc/.", &b);
	out("%d", a.st_dev == b.st_dev);
}

/* -- what random.c has found ------------------------------------------------------------- */

/* Two things are wrong: the kernel meets one of them first. */
static void two_faults(void)
{
	struct open_how strange = {.flags = 1ULL << 40};
	struct stat st;
	char name[300];
	int status;

	DO(linkat(AT_FDCWD, "", AT_FDCWD, bad, AT_EMPTY_PATH));
	DO(linkat(-1, "/proc", -1, "nodir/x", 0));
	DO(linkat(-1, "", AT_FDCWD, "nodir/x", AT_SYMLINK_FOLLOW | AT_EMPTY_PATH));
	if (fork() == 0) /* another's descriptor, since Linux 6.10: not for AT_EMPTY_PATH */
		_exit(linkat(FILE_FD, "", -1, "x", AT_EMPTY_PATH) == 0 ? 0 : errno);
	wait(&status);
	out(" %s", errno_name(WEXITSTATUS(status)));
	if (fork() == 0)
		_exit(linkat(FILE_FD, "no/thing", -1, "x", AT_EMPTY_PATH) == 0 ? 0 : errno);
	wait(&status);
	out(" %s", errno_name(WEXITSTATUS(status)));
	DO(link("/proc/..", "x"));
	DO(rename(bad, "nodir/x"));
	DO(renameat(FILE_FD, "x", AT_FDCWD, "nodir/x"));
	DO(renameat(-1, "", -1, "x"));
	DO(rename("locked/x", "nodir/x"));
	DO(rename("noexec/x", bad));
	step("by themselves");
	DO(syscall(SYS_openat2, -1, "../x", &strange, sizeof strange));
	DO(mknod("nodir/x", S_IFLNK | 0600, 0));
	DO(unlinkat(-1, "nodir/x", AT_REMOVEDIR | 1));
	DO(fchmodat(-1, "nodir/x", 0600, AT_EMPTY_PATH));
	DO(fstatat(FILE_FD, "", &st, AT_EMPTY_PATH | AT_SYMLINK_FOLLOW));
	step("form");
	memset(name, 'n', 256);
	name[256] = '\0';
	DO(openat(-1, name, O_RDONLY));
	DO(openat(-1, "x/", O_CREAT | O_WRONLY, 0600));
	strcat(name, "/");
	DO(open(name, O_CREAT | O_WRONLY, 0600));
	DO(openat(-1, name, O_CREAT | O_WRONLY, 0600));
	name[256] = '\0';
	DO(chdir("/sys"));
	DO(open(name, O_CREAT | O_WRONLY, 0600));
	DO(open(name, O_RDONLY));
	name[255] = '/';
	DO(open(name, O_RDONLY));
	name[255] = 'n';
	DO(chdir(self));
	memmove(name + 7, name, 257);
	memcpy(name, "noexec/", 7);
	DO(open(name, O_CREAT | O_WRONLY, 0600));
	DO(open("d", O_CREAT | O_RDONLY, 0600));
	DO(open("/proc/", O_CREAT | O_EXCL | O_WRONLY, 0600));
	strange = (struct open_how){.flags = O_CREAT | O_WRONLY, .mode = 0600, .resolve = RESOLVE_NO_XDEV};
	DO(syscall(SYS_openat2, -1, "/proc/", &strange, sizeof strange));
	DO(open("/proc/self/exe", O_TRUNC | O_RDONLY));
	DO(open("/proc/self/exe", O_NOATIME | O_TRUNC | O_RDONLY));
	DO(open("/proc/self/exe", O_NOATIME | O_WRONLY));
	DO(open("/proc/self/exe", O_NOATIME | O_RDONLY));
	step("pointers");
	DO(syscall(SYS_statx, AT_FDCWD, "loop", 0, 0x7ff, bad));
	DO(syscall(SYS_statx, AT_FDCWD, "rel", 0, 0x7ff, bad));
}

/* A mount point is busy, but that is the last thing wrong with it. */
static void busy_last(void)
{
	static const char *const names_[] = {"/proc", "/dev/", "/dev", "../../proc", "/proc/."};

	for (size_t i = 0; i < ROWS(names_); i++) {
		step(names_[i]);
		DO(unlink(names_[i]));
		DO(rmdir(names_[i]));
		DO(rename(names_[i], "nodir/x"));
		DO(rename(names_[i], "/proc/x"));
		DO(rename(names_[i], names_[i]));
		DO(rename("f", names_[i]));
		DO(rename("d", names_[i]));
		DO(rename("ro/in", names_[i]));
		DO(renameat2_(names_[i], "f", RENAME_NOREPLACE));
		DO(renameat2_(names_[i], "f", RENAME_EXCHANGE));
		DO(renameat2_(names_[i], "f/", RENAME_EXCHANGE));
		DO(renameat2_("f", names_[i], RENAME_NOREPLACE));
		DO(renameat(AT_FDCWD, names_[i], -1, "x"));
		DO(renameat(-1, "x", AT_FDCWD, names_[i]));
		DO(link(names_[i], "f"));
		DO(link(names_[i], "x"));
		DO(linkat(AT_FDCWD, names_[i], -1, "x", 0));
		DO(link(names_[i], "/dev/x"));
		DO(link(names_[i], "/dev/shm/"));
		DO(link(names_[i], "/proc/self/x"));
	}
	step("socket");
	op_bind("/dev", SOCK_STREAM);
}

/* A symlink leads into a mount and out again. */
static void openat2_through(void)
{
	static const char *const paths[] = {"l", "%/l", "l/etc/only", "%/l/etc/only", "m", "%/m", "d/only"};
	static const uint64_t limits[] = {0, RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT, RESOLVE_BENEATH};
	struct open_how how = {.flags = O_PATH};

	DO(symlink("/proc/..", "l"));
	DO(symlink("../../dev/.././etc/only", "m"));
	for (size_t i = 0; i < ROWS(limits); i++) {
		how.resolve = limits[i];
		out("; %lx", (long)how.resolve);
		for (size_t k = 0; k < ROWS(paths); k++)
			for (int twice = 0; twice < 2; twice++) { /* the second time it is known to be one */
				long fd = DO(syscall(SYS_openat2, AT_FDCWD, at_self(paths[k]), &how, sizeof how));

				if (fd >= 0)
					close((int)fd);
			}
	}
}

/* openat2(2)'s own limits, from the root, where binds are below it */
static void openat2_root(void)
{
	static const char *const paths[] = {"proc/self/cwd", "/proc/self/stat", "proc/../etc/only", "../etc/only",
		"etc/mtab", "/etc/mtab", "var/tmp/../etc/only", "proc/version", "proc/self/root/etc/only", "dev/null"};
	static const uint64_t limits[] = {RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_XDEV, RESOLVE_NO_SYMLINKS};
	struct open_how how = {.flags = O_PATH};
	char path[300];

	DO(chdir("/"));
	for (size_t k = 0; k < ROWS(limits); k++)
		for (size_t i = 0; i < ROWS(paths); i++) {
			how.resolve = limits[k];
			out("; %s", paths[i]);
			out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, paths[i], &how, sizeof how)));
		}
	step("dots");
	DO(chdir(self));
	how.resolve = RESOLVE_NO_XDEV;
	out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, "d/../f", &how, sizeof how)));
	out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, "./../../etc/only", &how, sizeof how)));
	out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, "abs", &how, sizeof how)));
	out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, "../../etc/mtab", &how, sizeof how)));
	DO(chdir("/proc/self"));
	out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, "../../etc/only", &how, sizeof how)));
	snprintf(path, sizeof path, "/../../../..%s/f", self);
	how.resolve = RESOLVE_NO_MAGICLINKS;
	out_fd((int)DO(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how)));
	DO(syscall(SYS_openat2, AT_FDCWD, "/proc/1/root", &how, sizeof how));
}

/* What the walk itself has open is not the program's. */
static void proc_free(void)
{
	char path[64];
	struct stat st;
	int free_ = dup(0);

	close(free_);
	DO(access("/proc/1/root", F_OK));
	for (int i = 0; i < 4; i++) {
		step("fd");
		snprintf(path, sizeof path, "/proc/self/fd/%d", free_ + i);
		DO(access(path, F_OK));
		DO(lstat(path, &st));
		DO(open(path, O_RDONLY));
		snprintf(path, sizeof path, "/dev/fd/%d", free_ + i);
		DO(access(path, F_OK));
		DO(lstat(path, &st));
		DO(open(path, O_PATH | O_NOFOLLOW));
	}
}

/* A directory that one stands in, or holds, and may not search any more */
/* While the second name is resolved nobody else holds the numbers that are free. */
static void proc_free_second(void)
{
	int first = dup(FILE_FD), fd_dir = open("/proc/self/fd", O_PATH | O_DIRECTORY);
	char path[64];

	close(first);
	DO(chdir("/proc/self/fd"));
	for (int n = first; n < first + 4; n++) {
		if (n == fd_dir)
			continue;
		out(";");
		snprintf(path, sizeof path, "/proc/self/fd/%d/x", n);
		DO(rename(at_self("%/d/f"), path));
		DO(link(at_self("%/d/f"), path));
		DO(linkat(AT_FDCWD, at_self("%/d/abs"), AT_FDCWD, path, AT_SYMLINK_FOLLOW));
		DO(rename(at_self("%/d/f"), path + 14));
		DO(syscall(SYS_renameat2, AT_FDCWD, at_self("%/d/f"), fd_dir, path + 14, RENAME_EXCHANGE));
		snprintf(path, sizeof path, "/proc/thread-self/fd/%d/e/g", n);
		DO(rename(at_self("%/d/f"), path));
		DO(link(at_self("%/dla/f"), path));
		snprintf(path, sizeof path, "/proc/%d/fd/%d/../f", (int)getpid(), n);
		DO(rename(at_self("%/d/f"), path));
	}
}

static void held_unsearchable(void)
{
	struct stat st;
	char path[64];
	int dir = open("d", O_RDONLY | O_DIRECTORY);

	DO(chdir("d"));
	DO(chmod(".", 0600));
	DO(lstat("/proc/self/cwd/", &st));
	DO(stat("/proc/self/cwd/", &st));
	DO(lstat("/proc/self/cwd/.", &st));
	snprintf(path, sizeof path, "/proc/self/fd/%d/", dir);
	DO(lstat(path, &st));
	DO(link(path, "../x"));
	DO(fchmod(dir, 0755));
}

/* Forty targets, each almost as long as a name can be */
static void links_grow(void)
{
	char target[400];

	snprintf(target, sizeof target, "%s/grow/", self);
	memset(target + strlen(target), 'g', 255);
	target[strlen(self) + 6 + 255] = '\0';
	DO(symlink(target, "grow"));
	DO(open("grow", O_RDONLY));
	DO(open("grow/x", O_PATH));
	op_readlink("grow", 300);
}

#include "libc.h"

static const struct {
	const char *name;
	void (*fn)(void);
	bool own;
} scenarios[] = {
#define S(fn) {#fn, fn, true}
#define R(fn) {#fn, fn, false}
	R(getcwd_sizes), S(cwd_removed), S(cwd_removed_walk), S(cwd_unreadable_walk), S(cwd_removed_root), S(cwd_parent_removed), S(cwd_renamed),
	S(cwd_moved_deep), S(cwd_replaced), S(cwd_unreadable), S(cwd_deep), S(cwd_longest),
		R(chdir_many),
	R(fchdirs), R(fchdir_outside), R(exec_outside), S(chroot_enter), R(chroot_no_chdir),
		R(chroot_leave),
	S(chroot_fchdir), R(chroot_double), R(chroot_errors), R(chroot_links), R(chroot_proc),
	R(chroot_proc_links), R(chroot_proc_root), R(chroot_outside), R(chroot_fork),
		R(chroot_vfork),
	R(chroot_thread), S(chroot_unreadable), R(chroot_back), S(chroot_removed), S(chroot_renamed), R(chroot_exec), R(chroot_syscall),
		R(execs), R(exec_parent),
	R(execvps), R(fexecves), R(exec_full), R(execls), R(exec_no_args), S(exec_busy), S(exec_link),
		S(exec_long), R(systems),
	R(spawns), S(spawn_actions), R(spawn_numbers), S(sockets), R(socket_lengths), S(socket_datagrams), S(temps),
		R(tmpfiles),
	R(globs), S(globs_linked), R(walks), S(walks_few), R(listings), R(freopens), S(inotify_events), R(proc_links),
		R(proc_parent), S(proc_removed),
	R(proc_at), R(proc_links_held), R(proc_realpath), S(proc_dirs), R(proc_ended), S(proc_executed), R(proc_self_text), R(proc_cmdline),
		S(mounts_stay), S(namespaces), S(long_names),
	S(long_targets), S(long_paths), S(link_chains), S(bad_structs), S(flags_bad), S(open_flags),
		S(openat2_args),
	S(by_number), S(calls_new), R(trees_opened), S(renames_inside), S(links_exact), S(mkdirs), S(rmdirs), S(umasks),
		R(descriptors),
	R(proc_fd_list), R(descriptors_chroot), R(descriptors_lowered), R(descriptors_taken), S(descriptors_none), S(descriptors_soft), R(in_signal), R(root_is),
	LIBC_SCENARIOS
	S(two_faults), S(busy_last), S(openat2_through), S(openat2_root), R(proc_free), S(proc_free_second), S(held_unsearchable), S(links_grow),
#undef S
#undef R
};

/* -- the table and its runner ------------------------------------------------------------ */

static struct item *item_add(const char *call, const char *what, bool own)
{
	struct item *it = &items[nitems++];

	snprintf(it->name, sizeof it->name, "%s%s%s", call, *what ? "." : "", what);
	it->own = own;
	it->tree = own ? TREE_CASES + (long)nitems : TREE_SHARED;
	return it;
}

static void items_make(void)
{
	char name[80];

	items = calloc(20000, sizeof *items);
	if (!items)
		die("calloc");
	for (size_t o = 0; o < ROWS(ops); o++)
		for (size_t s = 0; s < ROWS(shapes); s++) {
			const char *in = shapes[s].in;
			bool own = ops[o].how & (OP_CHANGES | OP_ATTR);
			struct item *it;

			if ((ops[o].how & OP_CHANGES && !strchr(in,
				'm')) || (ops[o].how & OP_ATTR && !strchr(in, 'c')) ||
				(ops[o].how & OP_LIBC && shapes[s].path[0] == '!') ||
				(ops[o].how & OP_BLOCKS && strchr(in, 'p')) ||
				(strchr(in, 'l') && strncmp(ops[o].name, "readlink", 8) == 0))
				continue;
			it = item_add(ops[o].name, shapes[s].label, own);
			it->op = &ops[o];
			it->shape = &shapes[s];
		}
	for (size_t o = 0; o < ROWS(dirfd_ops); o++)
		for (size_t k = 0; k < ROWS(dirfd_kinds); k++) {
			size_t n = dirfd_ops[o].changes ? ROWS(dirfd_changing) : ROWS(dirfd_paths);

			for (size_t p = 0; p < n; p++) {
				struct item *it;

				if (!CHECKS_POINTERS && !dirfd_ops[o].changes &&
					dirfd_paths[p][0] == '!' &&
					strncmp(dirfd_ops[o].name, "fstatat", 7) == 0)
					continue;
				/* changes need a subtree: the plain name with every kind, the
				 * rest with few; and what is no directory has less to tell */
				if (dirfd_ops[o].changes && p > 0 && k != 0 && (k != 3 || p != 3))
					continue;
				/* one outside for all: only a name that is the case's own */
				if (dirfd_ops[o].changes && k >= 2 && k <= 4 && p != 3)
					continue;
				if (!dirfd_ops[o].changes && k > 4 && k != 11 && p % 5 != 0 &&
					p < n - 2 && p != 18)
					continue;
				snprintf(name, sizeof name, "%s.%zu", dirfd_kinds[k], p);
				it = item_add(dirfd_ops[o].name, name, dirfd_ops[o].changes);
				it->dirfd_path = dirfd_ops[o].changes ? dirfd_changing[p]
					: dirfd_paths[p];
				it->dirfd_kind = (int)k;
				it->dirfd_op = (int)o;
			}
		}
	for (size_t i = 0; i < ROWS(scenarios); i++)
		item_add(scenarios[i].name, "", scenarios[i].own)->fn = scenarios[i].fn;
}

static void item_self(const struct item *it)
{
	snprintf(self, sizeof self, "/w/%s", it->own ? it->name : "shared");
}

static void item_run(const struct item *it)
{
	char buf[8192], path[600];

	now = (struct item *)it;
	item_self(it);
	line_len = 0;
	if (chdir(self) != 0) {
		out(" no subtree: %s", errno_name(errno));
		return;
	}
	dup2(open("f", O_RDONLY), FILE_FD);
	close(3);
	if (it->fn) {
		it->fn();
	} else if (it->op) {
		it->op->fn(argument(buf, sizeof buf, it->shape->path, self), it->op->arg);
	} else {
		int fd = dirfd_make(it->dirfd_kind);

		snprintf(path, sizeof path, "%s", it->dirfd_path);
		if (strstr(path, "%s"))
			snprintf(path, sizeof path, "%snew-%s", it->dirfd_kind == 3 ? "d/" : "../",
				it->name);
		dirfd_run(fd, it->dirfd_op, argument(buf, sizeof buf, path, self));
	}
}

static int out_to = 1; /* a number that cases do not come across */

static void child_start(void)
{
	out_to = fcntl(1, F_DUPFD_CLOEXEC, 2000);
	if (out_to < 0)
		out_to = fcntl(1, F_DUPFD_CLOEXEC, 200);
	make_page_end();
}

static void emit(const char *title)
{
	char head[200];
	size_t n = (size_t)snprintf(head, sizeof head, "%s =", title);

	line[line_len++] = '\n';
	if (n > sizeof line - line_len)
		n = sizeof line - line_len;
	memmove(line + n, line, line_len);
	memcpy(line, head, n);
	/* a scenario may have closed every number it saw */
	if (write(out_to, line, line_len + n) < 0 && write(1, line, line_len + n) < 0)
		_exit(3);
}

/* How a child ended, when it had not the time to say it itself. */
static bool child_ended(pid_t pid, const char *title)
{
	int status = 0;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	if (status == 0)
		return true;
	if (WIFSIGNALED(status))
		printf("%s = died of signal %d\n", title, WTERMSIG(status));
	else
		printf("%s = exit status %d\n", title, WEXITSTATUS(status));
	fflush(stdout);
	return false;
}

static void item_title(char *to, size_t n, size_t i)
{
	snprintf(to, n, "%04zu %s", i + 1, items[i].name);
}

/* May it share a process with its neighbours?  Those that change, or that are scenarios, and may
 * leave root, limits or descriptors behind, have one each. */
static bool item_shares(size_t i)
{
	return !items[i].own && !items[i].fn;
}

/* In children: a case may move its root, its working directory, or crash. */
static bool is_wanted(const struct item *item, char **only)
{
	for (char **o = only; *o; o++)
		if (strcmp(*o, item->name) == 0)
			return true;
	return !*only;
}

static int run(char **only)
{
	size_t *at = mmap(NULL, sizeof *at, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	size_t *wanted = calloc(nitems + 1, sizeof *wanted), n = 0, end;
	char title[120];

	if (at == MAP_FAILED || !wanted)
		die("mmap");
	for (size_t i = 0; i < nitems; i++)
		if (is_wanted(&items[i], only))
			wanted[n++] = i;
	for (size_t i = 0; i < n; i = end) {
		pid_t pid;

		end = i + 1;
		while (end < n && end - i < 400 && item_shares(wanted[end]) &&
			item_shares(wanted[i]))
			end++;
		*at = i;
		pid = fork();
		if (pid == 0) {
			child_start();
			for (size_t k = i; k < end; k++) {
				*at = k;
				alarm(8);
				item_run(&items[wanted[k]]);
				item_title(title, sizeof title, wanted[k]);
				emit(title);
				for (int fd = 3; end - i > 1 && fd < 20; fd++)
					if (fd != OUTSIDE)
						close(fd);
			}
			_exit(0);
		}
		waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
		item_title(title, sizeof title, wanted[*at]);
		if (!child_ended(pid, title))
			end = *at + 1;
	}
	free(wanted);
	return 0;
}

static void setup_tree(const char *dir, const char *guest, long tree, bool shared)
{
	if (mkdir(dir, 0755) != 0 || chdir(dir) != 0)
		die(dir);
	make_objects(objects, ROWS(objects), guest, tree, shared);
	if (setxattr("f", "user.mark", "mark", 4, 0) != 0 && errno != EOPNOTSUPP)
		die("setxattr");
	if (shared)
		make_deep(guest);
	mark_self(tree);
	if (chdir("..") != 0)
		die("..");
}

static int setup(const char *dir, const char *outside, char **only)
{
	int here = open(".", O_RDONLY | O_DIRECTORY);

	if (chdir(dir) != 0)
		die(dir);
	make_objects(root_objects, ROWS(root_objects), "", TREE_ROOT, true);
	if (chdir("w") != 0)
		die("w");
	setup_tree("shared", "/w/shared", TREE_SHARED, true);
	for (size_t i = 0; i < nitems; i++) {
		if (!items[i].own || !is_wanted(&items[i], only))
			continue;
		item_self(&items[i]);
		setup_tree(items[i].name, self, items[i].tree, false);
	}
	if (chdir("..") != 0)
		die("..");
	/* the names that were made here have moved the directories' times */
	for (size_t i = ROWS(root_objects); i-- > 0;) {
		struct timespec t[2] = {{MARK, 0}, {MARK + TREE_ROOT * MARKS + (long)i, 0}};

		utimensat(AT_FDCWD, root_objects[i].path, t, AT_SYMLINK_NOFOLLOW);
	}
	mark_self(TREE_ROOT);
	if (outside) {
		if (fchdir(here) != 0 || mkdir(outside, 0755) != 0 || chdir(outside) != 0)
			die(outside);
		make_objects(outside_objects, ROWS(outside_objects), "", TREE_OUTSIDE, true);
		mark_self(TREE_OUTSIDE);
	}
	return 0;
}

/* -- random sequences -------------------------------------------------------------------- */

static uint64_t random_state;

static unsigned random_below(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 11) % n);
}

static const char *random_name(void)
{
	static const char *const names_[] = {"a", "b", "c", "d", "a", "b", "c", ".", ".."};

	return names_[random_below(ROWS(names_))];
}

/* A path over a small name space, now and then absolute, with slashes where they are odd. */
static const char *random_path(char *buf, bool target)
{
	unsigned n = 1 + random_below(3);

	buf[0] = '\0';
	switch (random_below(target ? 6 : 8)) {
	case 0:
		strcpy(buf, self);
		strcat(buf, "/");
		break;
	case 1:
		strcpy(buf, random_below(2) ? "../../.." : "/..");
		strcat(buf, self);
		strcat(buf, "/");
		break;
	case 2:
		if (target)
			strcpy(buf, random_below(2) ? "/" : "../");
		break;
	default:
		break;
	}
	while (n-- > 0) {
		strcat(buf, random_name());
		if (n > 0 || random_below(8) == 0)
			strcat(buf, random_below(10) ? "/" : "//");
	}
	return buf;
}

static void random_body(void)
{
	char p[400], q[400];
	bool roots = random_below(4) == 0;

	line_len = 0;
	if (mkdir(self, 0755) != 0 || chdir(self) != 0) {
		out(" %s", errno_name(errno));
		return;
	}
	for (int i = 0; i < 60; i++) {
		unsigned call = random_below(roots ? 23 : 22);
		int fd;

		random_path(p, false);
		out("\n  %d %u ", i, call);
		out_text(p, strlen(p));
		switch (call) {
		case 0:
		case 1:
		case 2:
			DO(mkdir(p, 0755));
			break;
		case 3:
		case 4:
		case 5:
		case 6:
			random_path(q, true);
			out_text(q, strlen(q));
			DO(symlink(q, p));
			break;
		case 7:
		case 8:
			random_path(q, false);
			out_text(q, strlen(q));
			DO(rename(p, q));
			break;
		case 9:
		case 10:
			fd = (int)DO(open(p, O_RDWR | O_CREAT | (random_below(4) ? 0 : O_EXCL),
				0644));
			if (fd >= 0) {
				sprintf(q, "made in step %d\n", i);
				out(" size %ld", (long)lseek(fd, 0, SEEK_END));
				if (write(fd, q, strlen(q)) < 0)
					out(" write %s", errno_name(errno));
				close(fd);
			}
			break;
		case 11:
		case 12: {
			struct stat st;

			if (DO(random_below(2) ? stat(p, &st) : lstat(p, &st)) == 0)
				out(" %o %ld", st.st_mode, S_ISDIR(st.st_mode) ? 0L
					: (long)st.st_size);
			break;
		}
		case 13:
			DO(unlink(p));
			break;
		case 14:
			DO(rmdir(p));
			break;
		case 15:
			if (DO(chdir(p)) == 0)
				out_cwd();
			break;
		case 16:
			op_readlink(p, 300);
			break;
		case 17:
			op_realpath(p, 1);
			break;
		case 18:
			random_path(q, false);
			out_text(q, strlen(q));
			DO(link(p, q));
			break;
		case 19: {
			int dir = open(p, O_PATH | O_DIRECTORY);

			random_path(q, false);
			out_text(q, strlen(q));
			fd = (int)DO(openat(dir, q, O_RDONLY));
			close(fd);
			close(dir);
			break;
		}
		case 20:
			out_cwd();
			break;
		case 21:
			fd = (int)DO(open(p, O_PATH | (random_below(2) ? O_NOFOLLOW : 0)));
			if (fd >= 0) {
				struct stat st;

				sprintf(q, "/proc/self/fd/%d", fd);
				op_readlink(q, 300);
				if (fstat(fd, &st) == 0)
					out(" %o", st.st_mode);
				close(fd);
			}
			break;
		default:
			DO(chroot(p));
			out_cwd();
		}
	}
}

static int random_run(uint64_t seed, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		char title[80];
		pid_t pid;

		random_state = (seed * 1000003 + i + 1) * 0x9e3779b97f4a7c15ULL | 1;
		for (int warm = 0; warm < 8; warm++)
			random_below(2);
		snprintf(self, sizeof self, "/r/%lu-%lu", (unsigned long)seed, i);
		snprintf(title, sizeof title, "random.%lu-%lu", (unsigned long)seed, i);
		pid = fork();
		if (pid == 0) {
			child_start();
			alarm(8);
			random_body();
			emit(title);
			_exit(0);
		}
		child_ended(pid, title);
	}
	return 0;
}

/* -- what is on the disk ----------------------------------------------------------------- */

static void tree_show(int dir, const char *path, bool top)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;
	char **list = NULL;
	size_t n = 0;

	if (!d)
		die(path);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		list = realloc(list, (n + 1) * sizeof *list);
		if (!list)
			die("realloc");
		list[n++] = strdup(e->d_name);
	}
	if (n)
		qsort(list, n, sizeof *list, by_name);
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		char buf[8192];
		ssize_t len;
		int fd;
		size_t sub_len = strlen(path) + strlen(list[i]) + 2;
		char *sub = malloc(sub_len);

		if (!sub || fstatat(dir, list[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			die(list[i]);
		snprintf(sub, sub_len, "%s/%s", path, list[i]);
		line_len = 0;
		out_text(sub, strlen(sub));
		out(" %o", st.st_mode);
		if (!S_ISDIR(st.st_mode))
			out(" links %lu size %ld", (unsigned long)st.st_nlink, (long)st.st_size);
		if (st.st_mtime < 1000000000)
			out(" time %ld.%ld", (long)st.st_mtime, st.st_mtim.tv_nsec);
		else
			out(" time now");
		if (S_ISLNK(st.st_mode)) {
			len = readlinkat(dir, list[i], buf, sizeof buf);
			out(" ");
			out_text(buf, len > 0 ? (size_t)len : 0);
		} else if (S_ISREG(st.st_mode)) {
			unsigned long hash = 14695981039346656037UL;

			fd = openat(dir, list[i], O_RDONLY);
			while (fd >= 0 && (len = read(fd, buf, sizeof buf)) > 0)
				for (ssize_t k = 0; k < len; k++)
					hash = (hash ^ (unsigned char)buf[k]) * 1099511628211UL;
			if (fd >= 0 && (len = flistxattr(fd, buf, sizeof buf)) > 0)
				out(" "), out_text(buf, (size_t)len);
			if (fd >= 0)
				close(fd);
			out(fd >= 0 ? " %lx" : " unreadable", hash);
		}
		out("\n");
		fwrite(line, 1, line_len, stdout);
		/* what is mounted there is not ours */
		if (S_ISDIR(st.st_mode) && !(top && (strcmp(list[i], "proc") == 0 || strcmp(list[i],
			"dev") == 0 ||
							strcmp(list[i], "sys") == 0))) {
			fd = openat(dir, list[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
			if (fd >= 0)
				tree_show(fd, sub, false);
		}
		free(sub);
		free(list[i]);
	}
	free(list);
	closedir(d);
}

/* -- what an executed program sees of itself ---------------------------------------------- */

static bool of_the_shim(const char *entry)
{
	return strncmp(entry, "LIBJAIL_", 8) == 0 || strncmp(entry, "LD_PRELOAD=", 11) == 0 ||
		strncmp(entry, "LD_AUDIT=", 9) == 0 || strncmp(entry, "ORACLE_", 7) == 0;
}

static int who(int argc, char **argv)
{
	const char *execfn = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	char comm[17] = "";

	line_len = 0;
	for (int i = 0; i < argc; i++)
		out(i ? "|" : ""), out_raw(argv[i], strlen(argv[i]));
	prctl(PR_GET_NAME, comm);
	out(" comm %s invoked %s execfn %s", comm, program_invocation_name, execfn ? execfn
		: "none");
	out_readlink("/proc/self/exe");
	out_cwd();
	out("; env");
	for (char **e = environ; e && *e; e++)
		if (!of_the_shim(*e))
			names_add(*e);
	names_out();
	out_open("/etc/hostname");
	out("\n");
	return write(1, line, line_len) < 0;
}

int main(int argc, char **argv)
{
	mask_root = getenv("ORACLE_ROOT");
	umask(022);
	/* by its beginning: a script's interpreter gets all that follows it as one argument */
	if (argc > 1 && strncmp(argv[1], "who", 3) == 0)
		return who(argc, argv);
	if (argc == 2 && strcmp(argv[1], "again") == 0)
		return execve("/proc/self/exe", (char *[]){"once more", "who", NULL}, environ);
	if (argc == 2 && strcmp(argv[1], "wait") == 0) /* for who looks at it */
		return write(1, "", 1) != 1 || read(0, &(char){0}, 1) < 0;
	signal(SIGPIPE, SIG_IGN);
	items_make();
	if (argc >= 4 && strcmp(argv[1], "setup") == 0)
		return setup(argv[2], argv[3], argv + 4);
	if (argc >= 2 && strcmp(argv[1], "run") == 0) {
		if (argc < 3 || strcmp(argv[2], "-t") != 0)
			return run(argv + 2);
		for (size_t i = 0; i < nitems; i++)
			printf("%04zu %s\n", i + 1, items[i].name);
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "random") == 0)
		return random_run(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "tree") == 0) {
		int fd = open(argv[2], O_RDONLY | O_DIRECTORY);

		if (fd < 0)
			die(argv[2]);
		tree_show(fd, "", true);
		return 0;
	}
	fputs("usage: oracle setup DIR OUTSIDE [CASE...]  make the fixture in DIR, and one outside of it\n"
	      "       oracle run [-t] [CASE...]   all cases or those named; -t: only their names\n"
	      "       oracle random SEED N        N random sequences\n"
	      "       oracle tree DIR             what is on the disk\n"
	      "       oracle who                  what an executed program sees of itself\n",
		stderr);
	return 2;
}
