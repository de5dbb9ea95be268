/* SPDX-License-Identifier: ISC
 *
 * The random oracle: trees and sequences of calls that nobody chose, each run under chroot(2) and
 * under libjail.  This file knows how a case is made out of two numbers, how it is run (worker),
 * and how answers and what is left on the disk are compared and a difference is made small
 * (drive).  It knows nothing of libjail.
 *
 * A case is SEED:CASE.  Every object of its tree and every step of its sequence has random numbers
 * of its own, so that leaving some out (the masks STEPS and TREE, a bit each) leaves the others as
 * they are: that is how a difference shrinks, and what a replay line carries.
 *
 * Nothing printed may depend on the run: no inode or process numbers, no times but those long ago
 * that the tree or a step has set, each object its own. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#ifdef __GLIBC__
#include <fts.h>
#endif
#include <glob.h>
#include <grp.h>
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
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
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
#include <time.h>
#include <unistd.h>
#include <utime.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_NO_AUTOMOUNT
#define AT_NO_AUTOMOUNT 0x800
#endif
#ifndef AT_EACCESS
#define AT_EACCESS 0x200
#endif

extern char **environ;

#define ROWS(a) (sizeof(a) / sizeof *(a))

enum {
	USER = 65533,        /* who runs the worker */
	STRANGER = 65532,    /* who owns some of the tree */
	PRESET = 0xdead,     /* errno before each call */
	STEPS = 48,
	TREE = 40,
	MARK = 100000000,    /* the tree's first modification time */
	SLOTS = 6,           /* descriptors that steps leave to later ones */
	ROOM = 1 << 20,
};

static void die(const char *what)
{
	fprintf(stderr, "random: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* -- numbers ------------------------------------------------------------------------------- */

struct rng {
	uint64_t s;
};

static uint64_t next(struct rng *g) /* splitmix64 */
{
	uint64_t z = (g->s += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned below(struct rng *g, unsigned n)
{
	return (unsigned)((next(g) >> 33) % n);
}

static bool chance(struct rng *g, unsigned percent)
{
	return below(g, 100) < percent;
}

static struct rng rng_of(uint64_t seed, uint64_t number, unsigned kind, unsigned i)
{
	struct rng g = {seed * 0x2545f4914f6cdd1du ^ number * 0x9e3779b97f4a7c15u};

	g.s = next(&g) + kind * 1000003u + i;
	g.s = next(&g);
	return g;
}

/* -- text ---------------------------------------------------------------------------------- */

static char *buf; /* ROOM bytes; the worker shares it with its children */
static size_t *buf_len;
static bool verbose;
static char mask_host[PATH_MAX]; /* host path of this side's directory: differs between the sides */

static void out_raw(const char *s, size_t n)
{
	if (n > ROOM - 1 - *buf_len)
		n = ROOM - 1 - *buf_len;
	memcpy(buf + *buf_len, s, n);
	*buf_len += n;
}

__attribute__((format(printf, 1, 2))) static void out(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	out_raw(text, strlen(text));
}

/* What only a reader of one case wants to see. */
__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	out_raw(text, strlen(text));
}

/* Quoted: long runs shortened, the pid and the side's host path masked. */
static void out_text(const char *s, size_t n)
{
	const size_t host = strlen(mask_host);
	char pid[24];
	size_t pid_len = (size_t)sprintf(pid, "%d", (int)getpid());

	out_raw("\"", 1);
	/* /proc/self, and socket:[123] */
	if (n >= pid_len && memcmp(s, pid, pid_len) == 0 && (n == pid_len || s[pid_len] == '/')) {
		out_raw("PID", 3);
		s += pid_len;
		n -= pid_len;
	}
	for (size_t i = 0; i < n; i++) {
		size_t run = 1, two = 2;

		if (s[i] == ':' && i + 2 < n && s[i + 1] == '[') {
			out_raw(":[N]", 4);
			i += 2;
			while (i < n && s[i] != ']')
				i++;
			continue;
		}

		if (host && n - i >= host && memcmp(s + i, mask_host, host) == 0) {
			out_raw("@", 1);
			i += host - 1;
			continue;
		}
		if (n - i > 7 && memcmp(s + i, "/proc/", 6) == 0 && isdigit((unsigned char)s[i + 6]) &&
			isdigit((unsigned char)s[i + 7])) {
			out_raw("/proc/PID", 9);
			for (i += 7; i + 1 < n && isdigit((unsigned char)s[i + 1]);)
				i++;
			continue;
		}
		if (n - i > 7 && memcmp(s + i, "/task/", 6) == 0 && isdigit((unsigned char)s[i + 6]) &&
			isdigit((unsigned char)s[i + 7])) {
			out_raw("/task/PID", 9);
			for (i += 7; i + 1 < n && isdigit((unsigned char)s[i + 1]);)
				i++;
			continue;
		}
		if (s[i] == '/' && i + 2 < n && s[i + 1] == '#' && isdigit((unsigned char)s[i + 2])) {
			out_raw("/#N", 3); /* what O_TMPFILE has made */
			for (i += 2; i + 1 < n && isdigit((unsigned char)s[i + 1]);)
				i++;
			continue;
		}
		while (i + run < n && s[i + run] == s[i])
			run++;
		while (i + two + 1 < n && s[i + two] == s[i] && s[i + two + 1] == s[i + 1])
			two += 2;
		if (run > 12) {
			out("{%c*%zu}", s[i], run);
			i += run - 1;
		} else if (two > 24) {
			out("{%c%c*%zu}", s[i], s[i + 1], two / 2);
			i += two - 1;
		} else if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] > '~') {
			out("\\x%02x", (unsigned char)s[i]);
		} else {
			out_raw(s + i, 1);
		}
	}
	out_raw("\"", 1);
}

static void out_string(const char *s)
{
	out_text(s, strlen(s));
}

/* -- trees --------------------------------------------------------------------------------- */

struct object {
	char type;      /* f d l h p s c: file directory symlink hard-link fifo socket chain */
	unsigned n;     /* links of a chain */
	mode_t mode;
	uid_t owner;
	char path[700]; /* from the root, without its slash */
	char *arg;      /* what is in it, or its target */
};

static struct object tree[TREE + 8];
static unsigned objects, fixed;
static uint64_t case_seed, case_number;

static const char *const names[] = {"a", "b", "c", "d", "e", "f", "a", "b", "c", "d", "a b", "x\ny", ".h",
	"...", "..a", "\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac", "etc", "proc", "tmp", "w", "dev", "-", "*", "~",
	"\\", "\xff\xfe", "self", "canary", "hostname", "[a]", "255", "254"};

static const char *name_in(struct rng *g, char *to)
{
	const char *n = names[below(g, ROWS(names))];

	if (strcmp(n, "255") == 0 || strcmp(n, "254") == 0) {
		memset(to, 'n', 255);
		to[n[2] == '5' ? 255 : 254] = '\0';
		return to;
	}
	return strcpy(to, n);
}

static mode_t mode_in(struct rng *g, bool dir)
{
	static const mode_t files[] = {0644, 0644, 0644, 0600, 0666, 0444, 0, 0755, 0755, 0700, 0200, 0400, 04755, 02755};
	static const mode_t dirs[] = {0755, 0755, 0755, 0755, 0755, 0755, 0700, 0777, 01777, 02755, 0555, 0311, 0644, 0,
		0111, 03777};

	return dir ? dirs[below(g, ROWS(dirs))] : files[below(g, ROWS(files))];
}

/* The path from the directory of the object at to the object to. */
static void relative(char *buf_, const char *at, const char *to)
{
	*buf_ = '\0';
	for (const char *p = at; (p = strchr(p, '/')); p++)
		strcat(buf_, "../");
	strcat(buf_, to);
}

static const char *base_of(const char *path)
{
	const char *p = strrchr(path, '/');

	return p ? p + 1 : path;
}

static char *target_in(struct rng *g, const struct object *self)
{
	static char text[8192];
	static const char *const odd[] = {"/", ".", "..", "../..", "/..", "//", "../../../../../../../..", "nothing",
		"/nothing", "no/thing", "nothing/", "/proc/self/cwd", "/proc/self/root", "/proc/self/root/w",
		"/proc/self/fd/0", "/proc/self/exe", "/etc/hostname", "/etc/only", "../../../../etc/hostname", "/../canary",
		"../../canary/f", "/proc", "/dev/null", "./././.", "/tmp", "/w/", "/proc/self", "/dev/fd/0"};
	const struct object *to = &tree[below(g, objects)];
	size_t n;

	switch (below(g, 10)) {
	case 0:
	case 1:
		sprintf(text, "/%s", to->path);
		break;
	case 2:
	case 3:
		relative(text, self->path, to->path);
		break;
	case 4:
		strcpy(text, base_of(to->path));
		break;
	case 5:
		sprintf(text, "../../../../../../../../../../../../../../../%s", to->path);
		break;
	case 6:
		strcpy(text, base_of(self->path)); /* a loop */
		if (chance(g, 50))
			sprintf(text, "/%s", self->path);
		break;
	default:
		strcpy(text, odd[below(g, ROWS(odd))]);
	}
	if (chance(g, 12))
		strcat(text, chance(g, 60) ? "/" : "/.");
	if (chance(g, 5))
		strcat(text, "/..");
	if (chance(g, 2)) {
		/* as long as a target can be */
		char tail[4096];
		size_t total = 4095 - below(g, 2);

		n = strlen(text);
		if (text[0] != '/' && n < 2000) {
			strcpy(tail, text);
			*text = '\0';
			for (size_t k = 0; k + n + 2 <= total; k += 2)
				memcpy(text + k, "./", 3);
			strcat(text, tail);
		}
	}
	return strdup(text);
}

static void object_add(char type, const char *path, mode_t mode, uid_t owner, const char *arg)
{
	struct object *o = &tree[objects++];

	o->type = type;
	strcpy(o->path, path);
	o->mode = mode;
	o->owner = owner;
	o->arg = arg ? strdup(arg) : NULL;
}

/* What execve(2) interprets: the program, its other names, other scripts, what is none. */
static void script_in(struct rng *g, char *text, size_t size, unsigned i)
{
	const char *path = tree[below(g, objects)].path;

	switch (below(g, 8)) {
	case 0:
		snprintf(text, size, "#!/%s\n", path);
		break;
	case 1:
		snprintf(text, size, "#! /%s  see %u \n", path, i);
		break;
	case 2: /* from the directory where it is executed */
		snprintf(text, size, "#!%s see\n", base_of(path));
		break;
	case 3:
		snprintf(text, size, "#!%s%s", chance(g, 50) ? "/bin/../bin//random" : "../bin/random", chance(g, 50) ? " see" : "");
		break;
	case 4:
		snprintf(text, size, "#!/proc/self/%s see %u\n", chance(g, 50) ? "exe" : "root/bin/random", i);
		break;
	default:
		snprintf(text, size, "#!/bin/random see %u\n", i);
	}
}

static void tree_plan(uint64_t seed, uint64_t number)
{
	struct rng g = rng_of(seed, number, 1, 0);
	unsigned want, dirs[TREE + 8], ndirs = 0;
	const unsigned odd_owners = chance(&g, 30) ? 15 : 2, locked = chance(&g, 50) ? 0 : 100;
	const bool steep = chance(&g, 15);

	for (unsigned i = 0; i < objects; i++)
		free(tree[i].arg);
	objects = 0;
	case_seed = seed;
	case_number = number;
	object_add('d', "w", 0755, USER, NULL);
	object_add('d', "tmp", 01777, 0, NULL);
	object_add('d', "etc", 0755, USER, NULL);
	object_add('f', "etc/hostname", 0644, USER, "the guest's\n");
	object_add('f', "etc/only", 0644, USER, "only here\n");
	fixed = objects;
	dirs[ndirs++] = 0;
	dirs[ndirs++] = 0;
	dirs[ndirs++] = 1;
	dirs[ndirs++] = 2;
	want = fixed + 6 + below(&g, TREE - 6);
	for (unsigned i = objects; i < want; i++) {
		struct rng o = rng_of(seed, number, 2, i);
		unsigned in = steep && chance(&o, 85) ? dirs[ndirs - 1]
			: chance(&o, 40) ? 0 : dirs[chance(&o, 30) ? ndirs - 1 : below(&o, ndirs)];
		unsigned kind = below(&o, 100);
		char name[256], path[700];
		bool twice = false;
		char type = kind < 28 ? 'd' : kind < 50 ? 'f' : kind < 82 ? 'l' : kind < 86 ? 'h'
			: kind < 90 ? 'p' : kind < 93 ? 's' : 'c';

		name_in(&o, name);
		if (strlen(tree[in].path) + strlen(name) + 2 > 600)
			in = 0;
		snprintf(path, sizeof path, "%.400s/%s", tree[in].path, name);
		for (unsigned k = 0; k < i; k++)
			twice |= strcmp(tree[k].path, path) == 0;
		if (twice)
			snprintf(path, sizeof path, "%.400s/%c%u", tree[in].path, 'a' + below(&o, 4), i);
		object_add(type, path, mode_in(&o, type == 'd'),
			chance(&o, odd_owners) ? (chance(&o, 50) ? 0 : STRANGER) : USER, NULL);
		if (type == 'd' && !locked)
			tree[i].mode |= 0700;
		if (type == 'd')
			dirs[ndirs++] = i;
	}
	/* targets name what comes later, too */
	for (unsigned i = fixed; i < objects; i++) {
		struct rng o = rng_of(seed, number, 3, i);
		struct object *self = &tree[i];

		if (self->type == 'l' || self->type == 'c') {
			self->arg = target_in(&o, self);
			/* each is followed once and forty are allowed */
			self->n = 1 + (chance(&o, 60) ? 38 + below(&o, 4) : below(&o, 12));
		} else if (self->type == 'h') {
			self->arg = strdup(tree[below(&o, objects)].path);
		} else if (self->type == 'f') {
			char text[1000];

			if (chance(&o, 15))
				script_in(&o, text, sizeof text, i);
			else
				snprintf(text, sizeof text, "I am %u\n", i);
			self->arg = strdup(text);
		}
	}
}

/* Has the case the object i?  Those that are always there have no bit. */
static bool kept(uint64_t mask, unsigned i)
{
	return i < fixed || (mask >> (i - fixed) & 1);
}

static void mark(int root, const char *path, unsigned i)
{
	struct timespec t[2] = {{MARK + i, 0}, {MARK + i, 0}};

	utimensat(root, path, t, AT_SYMLINK_NOFOLLOW);
}

/* Makes it below the directory root; we are root.  What has lost its directory is not made. */
static void tree_make(int root, uint64_t mask)
{
	for (unsigned i = 0; i < objects; i++) {
		const struct object *o = &tree[i];
		char path[720];
		int r = 0, fd;

		if (!kept(mask, i))
			continue;
		switch (o->type) {
		case 'd':
			r = mkdirat(root, o->path, 0700);
			break;
		case 'f':
			r = fd = openat(root, o->path, O_WRONLY | O_CREAT | O_EXCL, 0600);
			if (fd >= 0) {
				if (write(fd, o->arg, strlen(o->arg)) < 0)
					die("write");
				close(fd);
			}
			break;
		case 'l':
			r = symlinkat(o->arg, root, o->path);
			break;
		case 'h':
			r = linkat(root, o->arg, root, o->path, 0);
			continue; /* the owner and the mode are the other's */
		case 'p':
			r = mknodat(root, o->path, S_IFIFO | 0600, 0);
			break;
		case 's':
			r = mknodat(root, o->path, S_IFSOCK | 0600, 0);
			break;
		case 'c': /* NAME -> NAMEk -> ... -> NAME1 -> target */
			for (unsigned k = 1; k <= o->n && r == 0; k++) {
				char to[16];

				snprintf(to, sizeof to, ".k%u_%u", i, k - 1);
				snprintf(path, sizeof path, "%.*s.k%u_%u", (int)(base_of(o->path) - o->path), o->path, i, k);
				r = symlinkat(k == 1 ? o->arg : to, root, k == o->n ? o->path : path);
				if (r == 0)
					r = fchownat(root, k == o->n ? o->path : path, o->owner, o->owner, AT_SYMLINK_NOFOLLOW);
				mark(root, k == o->n ? o->path : path, i);
			}
			continue;
		}
		if (r < 0)
			continue;
		if (fchownat(root, o->path, o->owner, o->owner, AT_SYMLINK_NOFOLLOW) != 0)
			die(o->path);
		if (o->type != 'l' && fchmodat(root, o->path, o->mode, 0) != 0)
			die(o->path);
	}
	for (unsigned i = objects; i-- > 0;)
		if (kept(mask, i))
			mark(root, tree[i].path, i);
}

/* -- what calls say ------------------------------------------------------------------------ */

static dev_t root_dev;

static void out_stat(const struct stat *st)
{
	const char *type = S_ISREG(st->st_mode) ? "f" : S_ISDIR(st->st_mode) ? "d" : S_ISLNK(st->st_mode) ? "l"
		: S_ISFIFO(st->st_mode) ? "p" : S_ISSOCK(st->st_mode) ? "s" : S_ISCHR(st->st_mode) ? "c" : "?";

	out(" %s%04o", type, (unsigned)st->st_mode & 07777);
	if (st->st_dev != root_dev) { /* the host's own, and it lives */
		out(" elsewhere");
		return;
	}
	out(" %s:%s n%lu", st->st_uid == USER ? "u" : st->st_uid == STRANGER ? "s" : "r",
		st->st_gid == USER ? "u" : st->st_gid == STRANGER ? "s" : "r", (unsigned long)st->st_nlink);
	if (!S_ISDIR(st->st_mode))
		out(" s%ld", (long)st->st_size);
	if (st->st_mtim.tv_sec < 1000000000)
		out(" m%ld.%ld", (long)st->st_mtim.tv_sec - MARK, (long)st->st_mtim.tv_nsec);
}

/* A system call's wrapper: on success errno is what it was. */
static long result(long r)
{
	int e = errno;

	if (r == -1)
		out(" -1 e%d", e);
	else
		out(" %ld", r);
	if (r != -1 && e != PRESET)
		out(" errno%d", e);
	return r;
}
#define DO(call) (errno = PRESET, result((long)(call)))

/* A function that may touch errno when it succeeds. */
static bool worked(bool ok)
{
	if (ok)
		out(" ok");
	else
		out(" failed e%d", errno);
	return ok;
}
#define TRY(call) (errno = PRESET, worked(call))

static int slot[SLOTS];
static void *bad = (void *)(uintptr_t)1;
static char *page_end; /* a page, and nothing behind it */

static void out_fd(int fd)
{
	struct stat st;
	char text[32];
	ssize_t n;

	if (fd < 0)
		return;
	out(" fl%x,%x", (unsigned)fcntl(fd, F_GETFL), (unsigned)fcntl(fd, F_GETFD));
	if (fstat(fd, &st) != 0) {
		out(" e%d", errno);
		return;
	}
	out_stat(&st);
	if (!S_ISREG(st.st_mode) || st.st_dev != root_dev)
		return;
	n = pread(fd, text, sizeof text, 0);
	if (n > 0 && text[0] != '\177')
		out(" "), out_text(text, (size_t)n);
}

static void keep(struct rng *g, int fd)
{
	unsigned i = below(g, SLOTS * 2);

	if (fd < 0)
		return;
	out_fd(fd);
	if (i >= SLOTS) {
		close(fd);
		return;
	}
	if (slot[i] >= 0)
		close(slot[i]);
	slot[i] = fd;
}

static void out_cwd(void)
{
	char text[PATH_MAX + 1];
	long n;

	out(" cwd");
	errno = PRESET;
	n = syscall(SYS_getcwd, text, sizeof text);
	if (n <= 0) {
		result(n);
		return;
	}
	out_string(text);
	if ((size_t)n != strlen(text) + 1 || errno != PRESET)
		out(" length%ld errno%d", n, errno);
}

/* -- paths of a step ----------------------------------------------------------------------- */

enum {
	P_BAD = 1,  /* may be no string at all: only the kernel reads it */
	P_LIST = 2, /* what is there will be listed: nothing of the host's */
#ifdef __GLIBC__
	P_LIBC = P_BAD, /* musl reads some paths by itself, and crashes */
#else
	P_LIBC = 0,
#endif
};

static void put(char *to, size_t *n, const char *s)
{
	size_t len = strlen(s);

	if (*n + len >= 2 * PATH_MAX)
		len = 2 * PATH_MAX - 1 - *n;
	memcpy(to + *n, s, len);
	*n += len;
	to[*n] = '\0';
}

static int some_fd(struct rng *g)
{
	int fd = slot[below(g, SLOTS)];

	return fd >= 0 || chance(g, 20) ? fd : slot[below(g, SLOTS)];
}

static void path_special(struct rng *g, char *to)
{
	static const char *const odd[] = {"/", "//", ".", "..", "...", "./", "../", "/.", "/..", "/../..", "///",
		"../../../../../../..", "/proc/self/cwd", "/proc/self/cwd/a", "/proc/self/cwd/../w", "/proc/self/root",
		"/proc/self/root/etc/hostname", "/proc/self/root/..", "/proc/self/root/../canary/f", "/proc/self/exe",
		"/proc/self", "/proc", "/dev/null", "/dev", "/../canary", "/../canary/f", "../../canary/f",
		"../../../canary/f", "/canary/f", "/etc/hostname", "/etc/only", "/etc/shadow", "/etc/../../canary/d",
		"/proc/self/cwd/", "/proc/self/root/", "/proc/thread-self/cwd", "/proc/../w", "/proc/self/../../etc/only",
		"/dev/../tmp", "/proc/self/fd", "/dev/fd", "/dev/null/", "/proc/", "/bin/random", "/proc/nothing", "/proc/1/root",
		"/dev/stdin", "/dev/stdout", "/dev/stderr/", "/sys", "/sys/..", "/sys/../etc/only", "/sys/kernel/../../w",
		"/proc/self/task/../cwd", "/proc/self/fd/..", "/proc/self/fd/../cwd/a", "/proc/self/fdinfo/0", "/proc/self/ns/mnt",
		"/proc/self/cwd/../../etc/only", "/proc/self/root/w/../etc/only", "/proc/self/root/proc/self/root/w",
		"/proc/self/exe/", "/proc/self/exe/x", "/dev/fd/../../w", "/./proc/./self/./cwd", "//proc//self//root//w"};
	/* a door of the process, by the names that a process has, and what lies behind it */
	static const char *const who[] = {"self", "self", "thread-self", "PID", "self/task/PID", "PID/task/PID"};
	static const char *const doors[] = {"cwd", "root", "exe", "fd", "fd/FD", "fd/FD", "fdinfo/FD", "task", "nothing"};
	int fd = some_fd(g);
	size_t n = 0;

	switch (below(g, 15)) {
	case 12:
	case 13:
	case 14: {
		const char *of[] = {who[below(g, ROWS(who))], doors[below(g, ROWS(doors))]};

		put(to, &n, "/proc");
		for (int i = 0; i < 2; i++) {
			put(to, &n, "/");
			for (const char *c = of[i]; *c; c++) {
				char text[16] = {*c};

				if (strncmp(c, "PID", 3) == 0)
					sprintf(text, "%d", (int)getpid()), c += 2;
				else if (strncmp(c, "FD", 2) == 0)
					sprintf(text, "%d", fd), c++;
				put(to, &n, text);
			}
		}
		for (unsigned k = below(g, 4); k > 0; k--) {
			put(to, &n, "/");
			put(to, &n, chance(g, 30) ? ".." : base_of(tree[below(g, objects)].path));
		}
		break;
	}
	case 0:
	case 1:
		snprintf(to, 100, "/proc/self/fd/%d", fd);
		n = strlen(to);
		break;
	case 2:
		snprintf(to, 100, "/proc/self/fd/%d/%s", fd, base_of(tree[below(g, objects)].path));
		break;
	case 3:
		snprintf(to, 100, "/dev/fd/%d", fd);
		break;
	case 4: /* the host's own name of what is beside the root */
		snprintf(to, 2 * PATH_MAX, "%s/canary/f", mask_host);
		break;
	case 5:
		snprintf(to, 2 * PATH_MAX, "%s/root/etc/only", mask_host);
		break;
	default:
		strcpy(to, odd[below(g, ROWS(odd))]);
	}
	if (n && chance(g, 20))
		put(to, &n, chance(g, 50) ? "/" : "/..");
}

static void path_normal(struct rng *g, char *to)
{
	char base[1400], name[256];
	const struct object *o = &tree[chance(g, 15) ? below(g, objects) : fixed + below(g, objects - fixed)];
	size_t n = 0;
	bool odd = chance(g, 20);

	strcpy(base, o->path);
	if (chance(g, 12)) { /* another name in its directory */
		*(char *)base_of(base) = '\0';
		strcat(base, name_in(g, name));
	}
	switch (below(g, 20)) {
	case 0:
		put(to, &n, "../../../../../../../../../../");
		break;
	case 1:
		put(to, &n, chance(g, 50) ? "/../" : "//");
		break;
	case 2:
		put(to, &n, "./");
		goto relative;
	case 3:
	case 4: /* from any directory */
		memmove(base, base_of(base), strlen(base_of(base)) + 1);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
	case 10:
		put(to, &n, "/");
		break;
	default:
	relative:
		if (strncmp(base, "w/", 2) == 0)
			memmove(base, base + 2, strlen(base + 2) + 1);
		else
			put(to, &n, "../");
	}
	for (char *at = base; *at;) {
		char *slash = strchr(at, '/');

		if (slash)
			*slash = '\0';
		if (odd && chance(g, 30)) {
			switch (below(g, 5)) {
			case 0:
				put(to, &n, "./");
				break;
			case 1:
				put(to, &n, n ? "/" : ".//");
				break;
			case 2:
				put(to, &n, at);
				put(to, &n, "/../");
				break;
			case 3:
				put(to, &n, name_in(g, name));
				put(to, &n, "/../");
				break;
			default:
				put(to, &n, "a/../");
			}
		}
		put(to, &n, at);
		if (!slash)
			break;
		put(to, &n, "/");
		at = slash + 1;
	}
	if (chance(g, 30)) {
		static const char *const tails[] = {"/", "/", "/", "//", "/.", "/./", "/..", "/../", "/new", "/new", "/a", "/b",
			"/../a", "/../..", "new", "/canary"};

		put(to, &n, tails[below(g, ROWS(tails))]);
	}
}

static bool chrooted, deep; /* has the sequence done so? */
static bool full;           /* no descriptor is free: system calls alone say the same everywhere */
static unsigned deep_name;  /* how long the names of op_descend are */

/* Some of the way down that op_descend has gone, and a little on. */
static void path_deep(struct rng *g, char *to)
{
	char name[257];
	size_t n = 0;

	memset(name, 'D', deep_name);
	strcpy(name + deep_name, "/");
	put(to, &n, chance(g, 60) ? "/w/" : "");
	for (unsigned k = chance(g, 50) ? 14 + below(g, 6) : below(g, 16); k > 0; k--)
		put(to, &n, name);
	if (chance(g, 60))
		put(to, &n, chance(g, 60) ? base_of(tree[below(g, objects)].path) : "../..");
}

/* The paths of the steps before: the same names again and again are what somebody may remember. */
static char recent[4][512];
static unsigned recent_at;

static void recent_add(const char *text)
{
	if (strlen(text) < sizeof *recent)
		strcpy(recent[recent_at++ % ROWS(recent)], text);
}

/* A path for the step, in one of two buffers. */
static const char *path(struct rng *g, int which, unsigned how)
{
	static char text[2][2 * PATH_MAX + 16];
	char *to = text[which];
	unsigned kind = below(g, 100);

	*to = '\0';
	if (kind < 2) {
		say(" \"\"");
		return to;
	}
	if (kind < 4 && (how & P_BAD)) {
		static char *const none = NULL;

		switch (below(g, 3)) {
		case 0:
			say(" NULL");
			return none;
		case 1:
			say(" BAD");
			return bad;
		default: /* ends with the page, and has no end */
			say(" UNENDED");
			return page_end - 1 - below(g, 5);
		}
	}
	if (deep && chance(g, 30))
		path_deep(g, to);
	else if (kind < 14 && !(how & P_LIST))
		path_special(g, to);
	else if (kind < 26 && recent_at)
		strcpy(to, recent[below(g, recent_at < ROWS(recent) ? recent_at : ROWS(recent))]);
	else
		path_normal(g, to), recent_add(to);
	if (kind >= 98 && strlen(to) < PATH_MAX - 400) { /* to just below and just above what a path can be, and a name */
		static const size_t totals[] = {4094, 4095, 4096, 4097};
		size_t total = totals[below(g, 4)], n = strlen(to);
		char *rest = strdup(to);

		if (chance(g, 70)) {
			size_t k = 0;
			const char *fill = to[0] == '/' ? "/." : "./";

			while (k + n + 2 <= total)
				memcpy(to + k, fill, 2), k += 2;
			strcpy(to + k, rest);
			if (k + n < total)
				strcat(to, "/");
		} else {
			memset(to + n, 'm', 256);
			to[n + 255 + below(g, 2)] = '\0';
		}
		free(rest);
	}
	/* what lies outside the new root has no binds (libjail.7) */
	if (chrooted && *to != '/' && (strstr(to, "proc") || strstr(to, "dev") || strstr(to, "sys")))
		strcpy(to, "none");
	if (verbose)
		out(" "), out_string(to);
	return to;
}

/* A path beside flags that may say that "" is the descriptor itself. */
static const char *path_or_empty(struct rng *g, int flags, unsigned how)
{
	if ((flags & AT_EMPTY_PATH) && chance(g, 40)) {
		say(" \"\"");
		return "";
	}
	return path(g, 0, how);
}

/* Is it a string, and not a pointer to nowhere? */
static bool is_text(const char *p)
{
	return p && p != bad && !(p > page_end - 10 && p <= page_end);
}

static int dirfd_(struct rng *g)
{
	int fd = chance(g, 45) ? AT_FDCWD : chance(g, 4) ? -1 : chance(g, 4) ? 987 : some_fd(g);

	if (fd == AT_FDCWD)
		say(" cwd");
	else
		say(" %d", fd);
	return fd;
}

static int bits(struct rng *g, const int *of, size_t n, unsigned percent)
{
	int flags = 0;

	for (size_t i = 0; i < n; i++)
		if (chance(g, percent))
			flags |= of[i];
	say(" 0x%x", (unsigned)flags);
	return flags;
}
#define BITS(g, percent, ...) bits(g, (const int[]){__VA_ARGS__}, ROWS(((const int[]){__VA_ARGS__})), percent)

/* -- steps --------------------------------------------------------------------------------- */

static void step(struct rng *g, int depth);

/* Never one that waits: a FIFO has nobody at its other end. */
static int open_flags(struct rng *g)
{
	int flags = (int)below(g, 3) | O_NONBLOCK;

	if (chance(g, 2))
		flags |= 3;
	if (chance(g, 35))
		flags |= O_CREAT;
	if (chance(g, 15))
		flags |= O_PATH;
	if (chance(g, 15))
		flags |= O_DIRECTORY;
	if (chance(g, 15))
		flags |= O_EXCL;
	if (chance(g, 20))
		flags |= O_NOFOLLOW;
	if (chance(g, 10))
		flags |= O_TRUNC;
	if (chance(g, 10))
		flags |= O_APPEND;
	if (chance(g, 15))
		flags |= O_CLOEXEC;
	if (chance(g, 5))
		flags |= O_NOATIME;
	if (chance(g, 5))
		flags |= O_TMPFILE;
	if (chance(g, 2))
		flags |= O_SYNC;
	if (chance(g, 1))
		flags |= 1 << 30;
	say(" 0x%x", (unsigned)flags);
	return flags;
}

static void opened(struct rng *g, int fd)
{
	if (fd >= 0 && chance(g, 25) && (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY && !(fcntl(fd, F_GETFL) & O_PATH)) {
		struct stat st;

		if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == root_dev)
			out(" write"), DO(write(fd, "written\n", 8));
	}
	keep(g, fd);
}

/* Would an open without O_NONBLOCK wait for the FIFO's other end? */
static bool waits(const char *p)
{
	struct stat st;

	return stat(p, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static void op_open(struct rng *g)
{
	const char *p = path(g, 0, P_BAD);
	int flags = open_flags(g);
	mode_t mode = mode_in(g, false);

	if (chance(g, 15) && !waits(p))
		opened(g, (int)DO(creat(p, mode)));
	else if (chance(g, 80))
		opened(g, (int)DO(open(p, flags, mode)));
	else
		opened(g, (int)DO(syscall(SYS_openat, AT_FDCWD, p, flags, mode)));
}

static void op_openat(struct rng *g)
{
	int dir = dirfd_(g);
	const char *p = path(g, 0, P_BAD);
	int flags = open_flags(g);

	opened(g, (int)DO(openat(dir, p, flags, mode_in(g, false))));
}

static void op_openat2(struct rng *g)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {0};
	int dir = dirfd_(g), fd, tries = 0;
	const char *p = path(g, 0, P_BAD);

	how.flags = (unsigned)open_flags(g);
	if ((how.flags & O_PATH) && chance(g, 80))
		how.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if (how.flags & O_CREAT || (how.flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode_in(g, false);
	if (chance(g, 60)) /* NO_XDEV NO_MAGICLINKS NO_SYMLINKS BENEATH IN_ROOT */
		how.resolve = 1u << below(g, 5);
	if (chance(g, 10))
		how.resolve |= 1u << below(g, 5);
	say(" resolve 0x%x", (unsigned)how.resolve);
	do { /* somebody renames something, anywhere (openat2(2)) */
		errno = PRESET;
		fd = (int)syscall(SYS_openat2, dir, p, &how, sizeof how);
	} while (fd < 0 && errno == EAGAIN && ++tries < 1000);
	opened(g, (int)result(fd));
}

static void op_stat(struct rng *g)
{
	const char *p = path(g, 0, P_BAD);
	struct stat st;
	bool follow = chance(g, 50);

	say(follow ? " follow" : " nofollow");
	if (DO(follow ? stat(p, &st) : lstat(p, &st)) == 0)
		out_stat(&st);
}

static void op_fstatat(struct rng *g)
{
	int dir = dirfd_(g);
	int flags = BITS(g, 25, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_NO_AUTOMOUNT);
	const char *p = path_or_empty(g, flags, P_LIBC);
	struct stat st;

	if (chance(g, 2))
		flags |= AT_SYMLINK_FOLLOW;
	if (DO(fstatat(dir, p, &st, flags)) == 0)
		out_stat(&st);
}

static void op_statx(struct rng *g)
{
	int dir = dirfd_(g);
	int flags = BITS(g, 25, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_NO_AUTOMOUNT);
	const char *p = path_or_empty(g, flags, P_BAD);
	unsigned char x[256] = {0};
	uint16_t mode;

	if (DO(syscall(SYS_statx, dir, p, flags, 0x7ff, chance(g, 3) ? bad : x)) == 0) {
		memcpy(&mode, x + 28, sizeof mode);
		out(" %o", mode);
	}
}

static void op_access(struct rng *g)
{
	const char *p = path(g, 0, P_BAD);
	int mode = (int)below(g, chance(g, 5) ? 12 : 8);

	say(" %d", mode);
	DO(access(p, mode));
}

static void op_faccessat(struct rng *g)
{
	int dir = dirfd_(g);
	int mode = (int)below(g, 8), flags = BITS(g, 25, AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH);
	const char *p = path_or_empty(g, flags, P_BAD);

	say(" %d", mode);
	if (chance(g, 50))
		DO(syscall(SYS_faccessat2, dir, p, mode, flags));
	else
		DO(faccessat(dir, p, mode, flags));
}

static void op_readlink(struct rng *g)
{
	bool at = chance(g, 50);
	int dir = at ? dirfd_(g) : AT_FDCWD;
	const char *p = at && chance(g, 10) ? "" : path(g, 0, P_BAD);
	static const size_t sizes[] = {4096, 300, 300, 300, 5, 1, 0};
	size_t size = sizes[below(g, ROWS(sizes))];
	char text[4096];
	long n;

	say(" %zu", size);
	n = DO(at ? readlinkat(dir, p, text, size) : chance(g, 3) ? syscall(SYS_readlinkat, AT_FDCWD, p, bad, 10)
			: readlink(p, text, size));
	if (n > 0 && n == (long)size && isdigit((unsigned char)text[0]))
		out(" cut"); /* the beginning of a pid: /proc/self */
	else if (n > 0 && errno == PRESET)
		out_text(text, (size_t)n);
}

static void op_rename(struct rng *g)
{
	const char *p = path(g, 0, P_BAD), *q = path(g, 1, P_BAD);

	DO(rename(p, q));
}

static void op_renameat2(struct rng *g)
{
	int a = dirfd_(g);
	const char *p = path(g, 0, P_BAD);
	int b = dirfd_(g);
	const char *q = path(g, 1, P_BAD);
	int flags = BITS(g, 25, 1, 2, 4);

	if (chance(g, 30))
		DO(renameat(a, p, b, q));
	else
		DO(syscall(SYS_renameat2, a, p, b, q, flags & (chance(g, 90) ? 3 : 15)));
}

static void op_link(struct rng *g)
{
	const char *p = path(g, 0, P_BAD), *q = path(g, 1, P_BAD);

	DO(link(p, q));
}

static void op_linkat(struct rng *g)
{
	int a = dirfd_(g);
	const char *p = chance(g, 20) ? "" : path(g, 0, P_BAD);
	int b = dirfd_(g);
	const char *q = path(g, 1, P_BAD);
	int flags = BITS(g, 40, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH);

	if (chance(g, 2))
		flags |= AT_SYMLINK_NOFOLLOW;
	DO(linkat(a, p, b, q, flags));
}

static void op_symlink(struct rng *g)
{
	char *target = target_in(g, &tree[below(g, objects)]);
	bool at = chance(g, 30);
	int dir = at ? dirfd_(g) : AT_FDCWD;
	const char *p, *t = chance(g, 3) ? (chance(g, 50) ? "" : bad) : target;

	if (verbose)
		out(" "), out_string(t == bad ? "BAD" : t);
	p = path(g, 0, P_BAD);
	DO(at ? symlinkat(t, dir, p) : symlink(t, p));
	free(target);
}

static void op_unlink(struct rng *g)
{
	const char *p = path(g, 0, P_BAD);

	switch (below(g, 6)) {
	case 0:
		say(" remove");
		TRY(remove(p) == 0);
		break;
	case 1:
	case 2:
		say(" rmdir");
		DO(rmdir(p));
		break;
	default:
		DO(unlink(p));
	}
}

static void op_unlinkat(struct rng *g)
{
	int dir = dirfd_(g);
	const char *p = path(g, 0, P_BAD);
	int flags = BITS(g, 40, AT_REMOVEDIR);

	DO(unlinkat(dir, p, chance(g, 2) ? AT_EACCESS | 1 : flags));
}

static void op_mkdir(struct rng *g)
{
	bool at = chance(g, 30);
	int dir = at ? dirfd_(g) : AT_FDCWD;
	const char *p = path(g, 0, P_BAD);
	mode_t mode = mode_in(g, true);

	say(" %o", mode);
	DO(at ? mkdirat(dir, p, mode) : mkdir(p, mode));
}

static void op_mknod(struct rng *g)
{
	static const mode_t types[] = {S_IFIFO, S_IFREG, 0, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFDIR, S_IFLNK};
	bool at = chance(g, 30);
	int dir = at ? dirfd_(g) : AT_FDCWD;
	const char *p = path(g, 0, P_BAD);
	mode_t mode = types[chance(g, 80) ? below(g, 4) : below(g, 8)] | mode_in(g, false);
	dev_t dev = 0; /* a character device 0 is a whiteout: everybody may make it (mknod(2)) */

	say(" %o", mode);
	if (chance(g, 30))
		DO(at ? mkfifoat(dir, p, mode & 07777) : mkfifo(p, mode & 07777));
	else
		DO(at ? mknodat(dir, p, mode, dev) : mknod(p, mode, dev));
}

static void op_chmod(struct rng *g)
{
	bool at = chance(g, 60);
	int dir = at ? dirfd_(g) : AT_FDCWD;
	int flags = at ? BITS(g, 25, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH) : 0;
	const char *p = path_or_empty(g, flags, P_LIBC);
	mode_t mode = mode_in(g, chance(g, 60));

	say(" %o", mode);
	if (!at)
		DO(chmod(p, mode));
	else if (full || chance(g, 50))
		DO(syscall(SYS_fchmodat2, dir, p, mode, flags));
	else if (flags && access("/proc/self/fd", X_OK) != 0)
		out(" no"); /* a libc without fchmodat2(2) wants a procfs for it (libjail.7) */
	else
		DO(fchmodat(dir, p, mode, flags & (chance(g, 80) ? AT_SYMLINK_NOFOLLOW : -1)));
}

static void op_chown(struct rng *g)
{
	static const uid_t ids[] = {USER, (uid_t)-1, USER, (uid_t)-1, USER, 0, STRANGER};
	unsigned kind = below(g, 3);
	int dir = kind == 2 ? dirfd_(g) : AT_FDCWD;
	int flags = kind == 2 ? BITS(g, 30, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH) : 0;
	const char *p = path_or_empty(g, flags, P_BAD);
	uid_t u = ids[below(g, ROWS(ids))], v = ids[below(g, ROWS(ids))];

	say(" %d %d", (int)u, (int)v);
	DO(kind == 0 ? chown(p, u, v) : kind == 1 ? lchown(p, u, v) : fchownat(dir, p, u, v, flags));
}

static void op_truncate(struct rng *g)
{
	const char *p = path(g, 0, P_BAD);
	long size = (long)below(g, 30) - 1;

	say(" %ld", size);
	DO(truncate(p, size));
}

static void op_times(struct rng *g)
{
	struct timespec ts[2] = {{MARK + 500, 1}, {MARK + 1000 + (long)below(g, 900), (long)below(g, 1000)}};
	struct timeval tv[2] = {{MARK + 500, 1}, {MARK + 2000 + (long)below(g, 900), 3}};
	struct utimbuf ub = {MARK, MARK + 3000};
	unsigned kind = below(g, 8);
	int dir = kind < 3 || kind > 5 ? dirfd_(g) : AT_FDCWD;
	int flags = kind < 3 ? BITS(g, 30, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH) : 0;
	const char *p = path_or_empty(g, flags, P_BAD);

	if (chance(g, 10))
		ts[1].tv_nsec = UTIME_OMIT;
	if (chance(g, 4))
		ts[0].tv_nsec = 2000000000;
	say(" kind %u", kind);
	switch (kind) {
	case 3:
		DO(utimes(p, tv));
		break;
	case 4:
		DO(lutimes(p, tv));
		break;
	case 5:
		DO(utime(p, &ub));
		break;
	case 6:
		DO(futimesat(dir, p, chance(g, 5) ? NULL : tv));
		break;
	case 7:
		DO(futimens(dir, ts));
		break;
	default:
		/* a libc may look at NULL by itself */
		DO(syscall(SYS_utimensat, dir, p, chance(g, 5) ? NULL : ts, flags));
	}
}

static void op_xattr(struct rng *g)
{
	static const char *const attrs[] = {"user.a", "user.b", "user.a", "security.x", "user.", "none", "trusted.t"};
	const char *p = path(g, 0, P_BAD), *name = attrs[below(g, ROWS(attrs))];
	bool l = chance(g, 40);
	char value[300];
	long n, size = chance(g, 80) ? (long)sizeof value : (long)below(g, 3);
	unsigned kind = below(g, 5);

	say(" %u %s%s %ld", kind, name, l ? " l" : "", size);
	switch (kind) {
	case 0:
	case 1:
		DO((l ? lsetxattr : setxattr)(p, name, "some value", below(g, 11), (int)below(g, 3)));
		break;
	case 2:
		n = DO((l ? lgetxattr : getxattr)(p, name, value, (size_t)size));
		if (n > 0 && size)
			out_text(value, (size_t)n);
		break;
	case 3:
		n = DO((l ? llistxattr : listxattr)(p, value, (size_t)size));
		if (n > 0 && size)
			out_text(value, (size_t)n);
		break;
	default:
		DO((l ? lremovexattr : removexattr)(p, name));
	}
}

static void op_chdir(struct rng *g)
{
	if (chance(g, 25)) {
		int fd = some_fd(g);

		say(" fd %d", fd);
		DO(fchdir(fd));
	} else {
		DO(chdir(path(g, 0, P_BAD)));
	}
	out_cwd();
}

static void op_getcwd(struct rng *g)
{
	char text[PATH_MAX];
	size_t n = chance(g, 50) ? below(g, 40) : sizeof text;
	char *r;

	say(" %zu", n);
	if (deep || chance(g, 50)) {
		long len = DO(syscall(SYS_getcwd, chance(g, 5) ? bad : (void *)text, n));

		if (len > 0)
			out_string(text);
	} else if (TRY((r = getcwd(text, n)) != NULL)) {
		out_string(r);
	}
}

static void op_realpath(struct rng *g)
{
	const char *p = path(g, 0, 0);
	static char text[PATH_MAX + 1];
	char *r;
	bool own = chance(g, 70);

	say(own ? " own" : " malloc");
	if (deep) { /* glibc looks for the directory's long name with permissions that it may lack */
		out(" no");
		return;
	}
	*text = '\0';
	if (TRY((r = realpath(p, own ? text : NULL)) != NULL)) {
		out_string(r);
		if (!own)
			free(r);
	} else if (own) {
#ifdef __GLIBC__
		if (errno == EACCES || errno == ENOENT) /* realpath(3): as far as it got */
			out_string(text);
#endif
	}
}

/* -- lists: sorted, for a file system keeps no order that another need keep */

static char *list[4096];
static unsigned listed;

static void list_add(const char *s)
{
	if (listed < ROWS(list))
		list[listed++] = strdup(s);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_out(void)
{
	if (listed)
		qsort(list, listed, sizeof *list, by_name);
	for (unsigned i = 0; i < listed; i++) {
		out(" ");
		out_string(list[i]);
		free(list[i]);
	}
	listed = 0;
}

/* Is what fd shows ours, and not something that lives?  Steps do not list the host's. */
static bool ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == root_dev;
}

static bool ours_path(const char *p)
{
	struct stat st;

	return stat(p, &st) != 0 || st.st_dev == root_dev;
}

static void op_readdir(struct rng *g)
{
	bool by_fd = chance(g, 20);
	int fd = by_fd ? some_fd(g) : -1;
	const char *p = by_fd ? "" : path(g, 0, 0);
	DIR *d;
	struct dirent *e;

	if (by_fd) {
		say(" fd %d", fd);
		if (!ours(fd)) {
			out(" no");
			return;
		}
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (fd >= 0)
			lseek(fd, 0, SEEK_SET);
	}
	if (!TRY((d = by_fd ? fdopendir(fd) : opendir(p)) != NULL)) {
		if (by_fd)
			close(fd);
		return;
	}
	if (ours(dirfd(d))) {
		errno = PRESET;
		while ((e = readdir(d))) {
			char text[300];

			snprintf(text, sizeof text, "%d %s", e->d_type, e->d_name);
			list_add(text);
		}
		list_out();
		out(" fd%d", dirfd(d));
	}
	DO(closedir(d));
}

static void op_scandir(struct rng *g)
{
	const char *p = path(g, 0, P_LIST);
	struct dirent **found;
	int n;

	if (!ours_path(p)) {
		out(" no");
		return;
	}
	n = (int)DO(scandir(p, &found, NULL, alphasort));
	for (int i = 0; i < n; i++) {
		out(" "), out_string(found[i]->d_name);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
}

/* Not what the kernel's side has and libjail's has elsewhere: programs and libraries. */
static bool walk_skips(const char *p)
{
	return strncmp(p, "/bin", 4) == 0 || strncmp(p, "/lib", 4) == 0 || strstr(p, "/usr/") || strstr(p, "/bin/") ||
		strstr(p, "/lib");
}

static unsigned walked;
static bool walk_unknown; /* what cannot be looked at is reported as a rule */

static int walk(const char *p, const struct stat *st, int type, struct FTW *at)
{
	char text[PATH_MAX + 100];

	if (type == FTW_NS && !walk_unknown)
		return 0;
	if (++walked > 300 || (type != FTW_NS && st->st_dev != root_dev) || walk_skips(p))
		return 77;
	snprintf(text, sizeof text, "%d %d %d %o %s", type, at ? at->level : 0, at ? at->base : 0,
		type == FTW_NS ? 0 : st->st_mode, p);
	list_add(text);
	return 0;
}

static int walk_old(const char *p, const struct stat *st, int type)
{
	return walk(p, st, type, NULL);
}

static void op_nftw(struct rng *g)
{
	const char *p = path(g, 0, P_LIST);
#ifdef __GLIBC__
	int r, flags = BITS(g, 50, FTW_PHYS, FTW_DEPTH, FTW_CHDIR, FTW_MOUNT);
#else
	/* Where a file cannot be looked at musl 1.2.3 compares what it has not set, the status of the
	 * last one as a rule, with the directories above and, for FTW_MOUNT, with the top's device. */
	int r, flags = BITS(g, 50, FTW_PHYS, FTW_DEPTH, FTW_CHDIR);
#endif

	walked = 0;
	walk_unknown = true;
	if (deep || !ours_path(p)) { /* glibc's aborts below names that are too long */
		out(" no");
		return;
	}
#ifndef __GLIBC__
	walk_unknown = !(flags & FTW_DEPTH); /* reported before */
#endif
	if (chance(g, 20))
		r = (errno = PRESET, ftw(p, walk_old, 5));
	else
		r = (errno = PRESET, nftw(p, walk, 1 + (int)below(g, 8), flags));
	out(" %d", r);
	if (r == -1)
		out(" e%d", errno);
	if (walked > 300) {
		for (unsigned i = 0; i < listed; i++)
			free(list[i]);
		listed = 0;
	}
	list_out();
	out_cwd();
}

static void op_glob(struct rng *g)
{
	static const char *const wild[] = {"*", "?", "[a-e]", "[!a]*", "*a", ".*", "{a,b}", "\\a", "*/a", "*/."};
	const char *p = path(g, 0, P_LIST), *slash = strrchr(p, '/');
	static char pattern[2 * PATH_MAX + 40];
	const unsigned which = below(g, ROWS(wild));
	glob_t got = {0};
	bool lives = false;
	char cwd[PATH_MAX];
	int r, flags;

	/* outside the root binds are not seen (libjail.7), so that "lives" would be another there */
	if (!ours_path(".") || (syscall(SYS_getcwd, cwd, sizeof cwd) > 0 && *cwd != '/')) {
		out(" no");
		return;
	}
	snprintf(pattern, sizeof pattern, "%.*s", slash && chance(g, 70) ? (int)(slash - p + 1) : 0, p);
	if (!ours_path(*pattern ? pattern : ".")) {
		out(" no");
		return;
	}
	strcat(pattern, wild[which]);
	say(" pattern ");
	if (verbose)
		out_string(pattern);
	flags = BITS(g, 30, GLOB_MARK, GLOB_NOCHECK, GLOB_ERR, GLOB_NOESCAPE, GLOB_PERIOD);
#ifdef __GLIBC__
	if (chance(g, 30))
		flags |= BITS(g, 30, GLOB_BRACE, GLOB_ONLYDIR, GLOB_NOMAGIC, GLOB_TILDE);
#endif
	errno = PRESET;
	r = glob(pattern, flags, NULL, &got);
	out(" %d", r);
	for (size_t i = 0; r == 0 && i < got.gl_pathc && !lives; i++) {
		struct stat st;

		lives = lstat(got.gl_pathv[i], &st) == 0 && st.st_dev != root_dev;
	}
	if (r == 0 && !lives)
		for (size_t i = 0; i < got.gl_pathc; i++)
			out(" "), out_string(got.gl_pathv[i]);
	globfree(&got);
}

static void op_temp(struct rng *g)
{
	static char name[2 * PATH_MAX + 20];
	const char *p = path(g, 0, 0);
	bool dir = chance(g, 30), suffix = !dir && chance(g, 20);
	struct stat st, named;
	size_t n;
	int fd = -1;

	snprintf(name, sizeof name, "%s%s", p, chance(g, 5) ? "XXXXX" : chance(g, 50) ? "XXXXXX" : "/tXXXXXX");
	n = strlen(name);
	if (suffix)
		strcat(name, ".c");
	say(dir ? " dir" : " file");
	if (chance(g, 5)) {
		FILE *f;

		say(" tmpfile");
		if (TRY((f = tmpfile()) != NULL))
			out_fd(fileno(f)), fclose(f);
		return;
	}
	if (dir ? !TRY(mkdtemp(name) != NULL)
		: (fd = (int)DO(suffix ? mkostemps(name, 2, O_CLOEXEC) : mkostemp(name, O_CLOEXEC))) < 0)
		return;
	if (lstat(name, &named) != 0) {
		out(" gone e%d", errno);
	} else {
		out(" %o", named.st_mode);
		if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_ino != named.st_ino))
			out(" another");
	}
	if (strcmp(name + n - 6, "XXXXXX") == 0)
		out(" unchanged");
	out(" "), out_text(name, n - 6);
	if (fd >= 0)
		close(fd);
	out(" remove"), DO(dir ? rmdir(name) : unlink(name));
}

static socklen_t sun_of(struct sockaddr_un *a, const char *p, struct rng *g)
{
	size_t n = strlen(p);

	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	if (n > sizeof a->sun_path)
		n = sizeof a->sun_path;
	memcpy(a->sun_path, p, n);
	if (!n) /* an abstract name is shared by all sides */
		return sizeof a->sun_family;
	if (n < sizeof a->sun_path && chance(g, 70))
		return (socklen_t)sizeof *a;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (n < sizeof a->sun_path && chance(g, 50)));
}

static void out_sun(const struct sockaddr_un *a, socklen_t len)
{
	size_t n = len > sizeof a->sun_family ? len - offsetof(struct sockaddr_un, sun_path) : 0;

	if (n > sizeof a->sun_path)
		n = sizeof a->sun_path;
	out(" len%u ", len);
	if (n && a->sun_path[0])
		out_text(a->sun_path, n);
	else if (n) /* bound by "": a name of the kernel's choice */
		out("abstract");
}

static void op_socket(struct rng *g)
{
	int type = chance(g, 70) ? SOCK_STREAM : SOCK_DGRAM;
	const char *p = path(g, 0, 0);
	struct sockaddr_un a;
	socklen_t n;
	int s, c, t;

	say(type == SOCK_STREAM ? " stream" : " datagram");
	s = (int)DO(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	if (s < 0)
		return;
	n = sun_of(&a, p, g);
	say(" %u", n);
	if (n > sizeof a.sun_family && chance(g, 70)) {
		out(" bind");
		if (DO(bind(s, (struct sockaddr *)&a, n)) == 0) {
			n = sizeof a;
			if (DO(getsockname(s, (struct sockaddr *)&a, &n)) == 0)
				out_sun(&a, n);
			if (type == SOCK_STREAM)
				DO(listen(s, 5));
			p = chance(g, 50) ? p : path(g, 1, 0);
			c = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
			n = sun_of(&a, p, g);
			out(" connect");
			if (DO(connect(c, (struct sockaddr *)&a, n)) == 0) {
				n = sizeof a;
				memset(&a, 0, sizeof a);
				if (DO(getpeername(c, (struct sockaddr *)&a, &n)) == 0)
					out_sun(&a, n);
				if (type == SOCK_STREAM) {
					n = sizeof a;
					t = (int)DO(accept(s, (struct sockaddr *)&a, &n));
					if (t >= 0) {
						out_sun(&a, n);
						close(t);
					}
				}
			}
			close(c);
		}
	} else if (type == SOCK_DGRAM && chance(g, 50)) {
		out(" sendto");
		DO(sendto(s, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&a, n));
	} else {
		out(" connect");
		DO(connect(s, (struct sockaddr *)&a, n));
	}
	if (chance(g, 40))
		keep(g, s);
	else
		close(s);
}

static void op_chroot(struct rng *g)
{
	const char *p = chance(g, 15) ? "." : path(g, 0, P_BAD);

	/* a bind is no mount, and has no name from outside; a root's own name is not too long (libjail.7) */
	if (deep || !ours_path(".") || (is_text(p) && !ours_path(p))) {
		out(" no");
		return;
	}
	if (DO(chroot(p)) == 0) {
		chrooted = true;
		for (int i = 0; i < SLOTS; i++) /* such a directory's ".." has no binds either */
			if (slot[i] >= 0 && !ours(slot[i]))
				close(slot[i]), slot[i] = -1;
		if (chance(g, 70))
			out(" then"), DO(chdir(chance(g, 80) ? "/" : path(g, 1, 0)));
	}
	out_cwd();
}

static void out_status(int status)
{
	if (WIFEXITED(status))
		out(" exit%d", WEXITSTATUS(status));
	else
		out(" signal%d", WTERMSIG(status));
}

static void op_fork(struct rng *g, int depth)
{
	unsigned n = 1 + below(g, 5);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (unsigned i = 0; i < n; i++) {
			struct rng own = {next(g)};

			out("\n   ");
			step(&own, depth + 1);
		}
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		out(" wait e%d", errno);
	out_status(status);
	out_cwd();
}

/* A child that shares our memory: its root and directory are its own all the same. */
static void op_vfork(struct rng *g)
{
	static volatile int r[4], e[4];
	const char *p = path(g, 0, P_BAD), *q = path(g, 1, P_BAD);
	bool root = chance(g, 50) && !deep;
	int status;
	pid_t pid;

	for (int i = 0; i < 4; i++)
		r[i] = e[i] = 0;
	pid = vfork();
	if (pid == 0) {
		errno = PRESET;
		r[0] = root ? chroot(p) : chdir(p);
		e[0] = errno;
		r[1] = chdir(root ? "/" : q);
		e[1] = errno;
		r[2] = open(q, O_PATH | O_CLOEXEC);
		e[2] = errno;
		r[3] = access(".", X_OK);
		e[3] = errno;
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		out(" wait e%d", errno);
	for (int i = 0; i < 4; i++)
		out(" %d e%d", r[i], r[i] < 0 ? e[i] : 0);
	out_status(status);
	out_cwd();
}

/* What may not be compared: a program that cannot be read, or is open for writing (libjail.7), or is
 * a script that needs such a one. */
static bool exec_differs(int dir, const char *p, int depth)
{
	struct stat st, open_;
	char text[256], *name, *end;
	ssize_t n;
	int fd;

	if (fstatat(dir, p, &st, 0) != 0 || !S_ISREG(st.st_mode))
		return false;
	if (faccessat(dir, p, X_OK, 0) == 0 && faccessat(dir, p, R_OK, 0) != 0)
		return true;
	for (int i = 0; i < SLOTS; i++)
		if (slot[i] >= 0 && fstat(slot[i], &open_) == 0 && open_.st_ino == st.st_ino)
			return true;
	fd = openat(dir, p, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n < 3 || memcmp(text, "#!", 2) != 0)
		return false;
	text[n] = '\0';
	for (name = text + 2; *name == ' ' || *name == '\t'; name++)
		;
	end = name + strcspn(name, " \t\n");
	*end = '\0';
	return depth < 8 && *name && exec_differs(AT_FDCWD, name, depth + 1);
}

/* A PATH for execvp(3) and posix_spawnp(3), and a name to look for.  False: not to be compared. */
static bool exec_search(struct rng *g, const char **ret)
{
	static char name[256], all[3 * PATH_MAX];
	const char *dirs[] = {path(g, 0, 0), "", "/bin"};
	char file[PATH_MAX * 2 + 300];

	strcpy(name, chance(g, 50) ? "random" : base_of(tree[below(g, objects)].path));
	if (chance(g, 30))
		dirs[2] = dirs[0], dirs[0] = "/bin";
	if (strchr(dirs[0], ':') || strchr(dirs[2], ':'))
		return false;
	snprintf(all, sizeof all, "%s:%s:%s", dirs[0], dirs[1], dirs[2]);
	setenv("PATH", all, 1);
	for (size_t i = 0; i < ROWS(dirs); i++) {
		snprintf(file, sizeof file, "%s%s%s", dirs[i], *dirs[i] ? "/" : "", name);
		if (exec_differs(AT_FDCWD, file, 0))
			return false;
	}
	*ret = name;
	return true;
}

static void exec_answer(int fd, pid_t pid)
{
	char text[4096];
	int status;
	ssize_t n;

	while ((n = read(fd, text, sizeof text)) > 0)
		out_raw(text, (size_t)n);
	close(fd);
	if (waitpid(pid, &status, 0) != pid)
		out(" wait e%d", errno);
	out_status(status);
}

static void op_exec(struct rng *g)
{
	static const char *const hows[] = {"execve", "execve", "fexecve", "execveat", "execvp"};
	const unsigned how = below(g, ROWS(hows));
	const char *p = chance(g, 40) ? "/bin/random" : path(g, 0, P_BAD);
	char *argv[] = {"seen", "see", "x y", NULL};
	int dir = AT_FDCWD, flags = 0, pipe_[2];
	pid_t pid;

	say(" %s", hows[how]);
	if (how == 3) {
		dir = dirfd_(g);
		flags = BITS(g, 30, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH);
	}
	if (how == 4 ? !exec_search(g, &p) : is_text(p) && exec_differs(dir, p, 0)) {
		out(" no");
		return;
	}
	if (pipe2(pipe_, O_CLOEXEC) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		int fd, none;

		dup2(pipe_[1], 1);
		none = open("/dev/null", O_WRONLY);
		if (none >= 0)
			dup2(none, 2), close(none);
		else
			close(2);
		if (how == 2 && p && p != bad) {
			fd = open(p, O_PATH | O_CLOEXEC);
			if (fd >= 0)
				syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
		} else if (how == 3) {
			syscall(SYS_execveat, dir, p, argv, environ, flags);
		} else if (how == 4) {
			execvp(p, argv);
		} else {
			execve(p, argv, environ);
		}
		out(" e%d", errno);
		_exit(66);
	}
	close(pipe_[1]);
	exec_answer(pipe_[0], pid);
}

static void op_spawn(struct rng *g)
{
	/* nothing that is there is opened for writing: see exec_differs() */
	static const int opens[] = {O_RDONLY, O_PATH, O_RDONLY | O_DIRECTORY, O_RDONLY | O_CREAT,
		O_WRONLY | O_CREAT | O_EXCL, O_RDONLY | O_NOFOLLOW};
	static const char *const programs[] = {"/bin/random", "/bin/random", "bin/random", "../bin/random", "./random",
		"random"};
	char *argv[] = {"seen", "see", "x y", NULL};
	posix_spawn_file_actions_t fa;
	bool moved = false, search = chance(g, 20);
	const char *p;
	int pipe_[2], r;
	pid_t pid;

	if (pipe2(pipe_, O_CLOEXEC) != 0)
		return;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, pipe_[1], 1);
	for (unsigned i = below(g, 4); i > 0; i--) {
		int fd = chance(g, 20) ? some_fd(g) : 30 + (int)below(g, 9);

		switch (below(g, 5)) {
		case 0:
			say(" open");
			r = posix_spawn_file_actions_addopen(
				&fa, fd, path(g, 0, 0), opens[below(g, ROWS(opens))] | O_NONBLOCK, 0600);
			break;
		case 1:
			say(" dup2");
			r = posix_spawn_file_actions_adddup2(&fa, some_fd(g), fd);
			break;
		case 2:
			say(" close");
			r = posix_spawn_file_actions_addclose(&fa, some_fd(g));
			break;
		case 3:
			say(" chdir");
			r = posix_spawn_file_actions_addchdir_np(&fa, path(g, 0, 0));
			moved = true;
			break;
		default:
			say(" fchdir");
			r = posix_spawn_file_actions_addfchdir_np(&fa, some_fd(g));
			moved = true;
		}
		out(" %d", r);
	}
	p = programs[below(g, ROWS(programs))];
	if (!moved && chance(g, 50))
		p = path(g, 0, 0);
	out(" ");
	if (moved && search) /* in which directory? */
		search = false;
	if (search ? !exec_search(g, &p) : !moved && exec_differs(AT_FDCWD, p, 0)) {
		out(" no");
		close(pipe_[0]), close(pipe_[1]);
	} else {
		r = search ? posix_spawnp(&pid, p, &fa, NULL, argv, environ) : posix_spawn(&pid, p, &fa, NULL, argv, environ);
		out(" %d", r);
		close(pipe_[1]);
		if (r == 0)
			exec_answer(pipe_[0], pid);
		else
			close(pipe_[0]);
	}
	posix_spawn_file_actions_destroy(&fa);
}

/* -- threads: each does what no other one's work changes */

static long counts[4];

static void *thread_rename(void *none)
{
	for (int i = 0; i < 20; i++) {
		counts[0] += rename("/w/.t/a", "/w/.t/./b") == 0;
		counts[0] += rename("/w/.t/b", "/w/../w/.t/a") == 0;
	}
	return none;
}

static void *thread_chdir(void *none)
{
	for (int i = 0; i < 20; i++) {
		counts[1] += chdir("/w/.t/l") == 0;
		counts[1] += chdir("/etc/..") == 0;
	}
	return none;
}

static void *thread_open(void *none)
{
	for (int i = 0; i < 20; i++) {
		int fd = open("/w/.t/l/../.t/o", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

		counts[2] += fd >= 0;
		if (fd >= 0)
			close(fd);
		counts[2] += unlink("/w/.t/o") == 0;
	}
	return none;
}

static void *thread_stat(void *none)
{
	struct stat st;

	for (int i = 0; i < 20; i++)
		counts[3] += stat("/w/.t/l/", &st) == 0 && S_ISDIR(st.st_mode);
	return none;
}

/* A directory and a symlink to another change places at once (rename(2): it is never not there). */
static void *thread_exchange(void *none)
{
	for (int i = 0; i < 40; i++)
		counts[0] += syscall(SYS_renameat2, AT_FDCWD, "/w/.t/x", AT_FDCWD, "/w/.t/./y", 2) == 0;
	return none;
}

static void *thread_through(void *none)
{
	struct stat st;

	for (int i = 0; i < 30; i++) {
		int fd = open("/w/.t/x/f", O_RDONLY | O_CLOEXEC);

		counts[1] += fd >= 0;
		if (fd >= 0)
			close(fd);
		counts[1] += stat("/w/.t/y/f", &st) == 0;
	}
	return none;
}

static void *thread_up(void *none)
{
	for (int i = 0; i < 30; i++) {
		counts[2] += access("/w/.t/x/../y/../z/f", F_OK) == 0;
		counts[2] += mkdir("/w/.t/x/../.t2", 0755) == 0;
		counts[2] += rmdir("/w/.t/y/../.t2") == 0;
	}
	return none;
}

static void *thread_name(void *none)
{
	char text[100];

	for (int i = 0; i < 30; i++) {
		counts[3] += link("/w/.t/x/f", "/w/.t/l2") == 0;
		counts[3] += unlink("/w/.t/l2") == 0;
		counts[3] += readlink("/w/.t/x/l", text, sizeof text) == 3;
	}
	return none;
}

static void op_threads_exchange(struct rng *g)
{
	static void *(*const bodies[])(void *) = {thread_exchange, thread_through, thread_up, thread_name};
	static const char *const dirs[] = {"/w/.t", "/w/.t/x", "/w/.t/z"};
	pthread_t t[4];

	for (size_t i = 0; i < ROWS(dirs); i++)
		DO(mkdir(dirs[i], 0755));
	DO(symlink(chance(g, 50) ? "/w/.t/z" : "./z/.", "/w/.t/y"));
	for (size_t i = 1; i < ROWS(dirs); i++) {
		char name[30];

		sprintf(name, "%s/f", dirs[i]);
		close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		sprintf(name, "%s/l", dirs[i]);
		DO(symlink("l/l", name));
	}
	memset(counts, 0, sizeof counts);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, bodies[i], NULL) != 0)
			_exit(99);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	out(" %ld %ld %ld %ld", counts[0], counts[1], counts[2], counts[3]);
	for (size_t i = 1; i < ROWS(dirs); i++) {
		char name[30];

		sprintf(name, "%s/l", dirs[i]);
		unlink(name);
	}
}

static volatile sig_atomic_t alarms, alarms_bad;

/* What signal-safety(7) lets a handler call, and that it finds the world as it is. */
static void alarm_calls(int sig)
{
	struct stat st;
	int e = errno, fd;

	(void)sig;
	alarms++;
	alarms_bad += stat("/w", &st) != 0 || !S_ISDIR(st.st_mode);
	alarms_bad += access("/../w/./nothing here", F_OK) == 0;
	fd = open("/", O_PATH | O_CLOEXEC);
	alarms_bad += fd < 0 || close(fd) != 0;
	errno = e;
}

/* A signal in the midst of anything. */
static void op_signal(struct rng *g)
{
	struct itimerval often = {{0, 40}, {0, 40}}, never = {{0, 0}, {0, 0}};
	struct sigaction sa = {.sa_handler = alarm_calls, .sa_flags = SA_RESTART};
	const char *p = path(g, 0, P_BAD), *q = path(g, 1, P_BAD);
	bool here = access("/w", X_OK) == 0; /* not when the root has changed */
	long r[4] = {0};
	struct stat st;

	alarms = alarms_bad = 0;
	sigaction(SIGVTALRM, &sa, NULL);
	setitimer(ITIMER_VIRTUAL, &often, NULL);
	setitimer(ITIMER_REAL, &never, NULL);
	for (int i = 0; i < 20; i++) {
		int fd;

		r[0] += stat(p, &st) == 0;
		fd = open(q, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		r[1] += fd >= 0;
		if (fd >= 0)
			close(fd);
		r[2] += mkdir("/w/.s", 0700) == 0;
		r[3] += rmdir("/w/../w/.s") == 0;
		raise(SIGVTALRM);
	}
	setitimer(ITIMER_VIRTUAL, &never, NULL);
	signal(SIGVTALRM, SIG_IGN);
	out(" %ld %ld %ld %ld", r[0], r[1], r[2], r[3]);
	if (here)
		out(" bad %d", alarms_bad);
	if (alarms < 20)
		out(" signals %d", alarms);
}

static void op_threads(struct rng *g)
{
	static void *(*const bodies[])(void *) = {thread_rename, thread_chdir, thread_open, thread_stat};
	pthread_t t[4];
	int fd;

	if (chance(g, 50)) {
		op_threads_exchange(g);
		return;
	}
	DO(mkdir("/w/.t", 0755));
	DO(symlink("/w/./.t", "/w/.t/l"));
	fd = open("/w/.t/a", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	memset(counts, 0, sizeof counts);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, bodies[i], NULL) != 0)
			_exit(99);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	out(" %ld %ld %ld %ld", counts[0], counts[1], counts[2], counts[3]);
	out_cwd();
}

static void op_dup(struct rng *g)
{
	int i = (int)below(g, SLOTS), k = (int)below(g, SLOTS);

	say(" %d %d", slot[i], slot[k]);
	switch (below(g, 3)) {
	case 0:
		keep(g, (int)DO(dup(slot[i])));
		break;
	case 1:
		if (slot[k] >= 0)
			DO(dup2(slot[i], slot[k]));
		break;
	default:
		DO(close(slot[i]));
		slot[i] = -1;
	}
}

static void op_fd(struct rng *g)
{
	int fd = some_fd(g);
	struct stat st;
	char text[300];

	say(" %d", fd);
	if (fd >= 0 && !ours(fd)) {
		out(" no");
		return;
	}
	switch (below(g, access("/proc/self/fd", X_OK) == 0 ? 6 : 4)) { /* musl wants procfs for O_PATH */
	case 5:
		DO(fchmod(fd, mode_in(g, false)));
		break;
	case 1:
		DO(ftruncate(fd, (long)below(g, 30)));
		break;
	case 2:
		if (DO(fstat(fd, &st)) == 0)
			out_stat(&st);
		break;
	case 3:
		DO(fsetxattr(fd, "user.f", "v", 1, 0));
		break;
	case 4:
		DO(fchown(fd, USER, (gid_t)-1));
		break;
	case 0: {
		char magic[40];
		long n;

		snprintf(magic, sizeof magic, "/proc/self/fd/%d", fd);
		n = DO(readlink(magic, text, sizeof text));
		if (n > 0 && text[0] == '/')
			out_text(text, (size_t)n);
		break;
	}
	default:
		DO(close(fcntl(fd, F_DUPFD_CLOEXEC, 0)));
	}
}

static void op_fopen(struct rng *g)
{
	static const char *const modes[] = {"r", "r+", "w", "w+", "a", "a+", "rx", "wx", "re", "w+x", "z", ""};
	const char *p = path(g, 0, 0), *mode = modes[below(g, ROWS(modes))];
	char text[40];
	FILE *f;

	say(" %s", mode);
	if (waits(p)) {
		out(" no");
		return;
	}
	if (!TRY((f = fopen(p, mode)) != NULL))
		return;
	out_fd(fileno(f));
	if (ours(fileno(f)) && mode[0] == 'r' && fgets(text, sizeof text, f) && text[0] != '\177')
		out_string(text);
	if (mode[0] != 'r' && ours(fileno(f)))
		fputs("by stdio\n", f);
	out(" close%d", fclose(f));
}

static void op_misc(struct rng *g)
{
	const char *p = path(g, 0, P_BAD);
	struct statfs sf;
	int fd;

	switch (below(g, 5)) {
	case 0:
		say(" statfs");
		if (DO(statfs(p, &sf)) == 0)
			out(" %lx", (unsigned long)sf.f_type);
		break;
	case 1:
		say(" inotify");
		fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		DO(inotify_add_watch(fd, p, IN_ATTRIB | (chance(g, 30) ? IN_DONT_FOLLOW : 0) | (chance(g, 30) ? IN_ONLYDIR : 0)));
		close(fd);
		break;
	case 2:
		say(" pathconf");
		DO(syscall(SYS_faccessat, AT_FDCWD, p, (int)below(g, 8)));
		break;
	case 3: {
		mode_t m = mode_in(g, true) & 077;

		say(" umask %o", m);
		out(" %o", (unsigned)umask(m));
		break;
	}
	default:
		say(" mount");
		DO(mount("none", is_text(p) ? p : "/w", "tmpfs", 0, NULL));
	}
}

static void op_freopen(struct rng *g)
{
	static const char *const modes[] = {"r", "r+", "w", "w+", "a", "a+", "wx", "re", "z", ""};
	const char *p = path(g, 0, 0), *q = path(g, 1, 0), *mode = modes[below(g, ROWS(modes))];
	FILE *f, *got;

	say(" %s", mode);
	if (waits(p) || waits(q)) {
		out(" no");
		return;
	}
	if (!TRY((f = fopen(p, "r")) != NULL))
		return;
	if (!TRY((got = freopen(q, mode, f)) != NULL))
		return; /* f is closed */
	out_fd(fileno(got));
	if (mode[0] != 'r' && ours(fileno(got)))
		fputs("by stdio\n", got);
	out(" close%d", fclose(got));
}

#ifdef __GLIBC__
static int fts_by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void op_fts(struct rng *g)
{
	const char *p = path(g, 0, P_LIST), *q = path(g, 1, P_LIST);
	char *argv[] = {(char *)p, chance(g, 30) ? (char *)q : NULL, NULL};
	int flags = BITS(g, 40, FTS_NOCHDIR, FTS_COMFOLLOW, FTS_SEEDOT, FTS_XDEV);
	unsigned n = 0;
	FTSENT *e;
	FTS *f;

	flags |= chance(g, 50) ? FTS_PHYSICAL : FTS_LOGICAL;
	say(flags & FTS_PHYSICAL ? " physical" : " logical");
	if (deep || !ours_path(p) || !ours_path(q) || !ours_path(".")) {
		out(" no");
		return;
	}
	if (!TRY((f = fts_open(argv, flags, fts_by_name)) != NULL))
		return;
	while ((errno = PRESET, e = fts_read(f)) != NULL) {
		const bool known = e->fts_info != FTS_NS && e->fts_info != FTS_NSOK && e->fts_info != FTS_ERR;

		if (++n > 300 || walk_skips(e->fts_path) || (known && e->fts_statp->st_dev != root_dev)) {
			out(" end");
			break;
		}
		out(" %d %d", e->fts_info, e->fts_level);
		if (known)
			out(" %o", e->fts_statp->st_mode);
		else
			out(" e%d", e->fts_errno);
		out(" "), out_string(e->fts_path);
		if (chance(g, 3) && e->fts_info == FTS_SL)
			fts_set(f, e, FTS_FOLLOW);
		else if (chance(g, 3) && e->fts_info == FTS_D)
			fts_set(f, e, FTS_SKIP);
	}
	if (!e && errno)
		out(" e%d", errno);
	DO(fts_close(f));
	out_cwd();
}
#endif

/* What the C library adds to the calls above. */
static void op_libc(struct rng *g)
{
	static const int confs[] = {_PC_NAME_MAX, _PC_LINK_MAX, _PC_PATH_MAX, _PC_CHOWN_RESTRICTED, _PC_PIPE_BUF, _PC_2_SYMLINKS};
	const char *p = path(g, 0, 0);
	struct statvfs sv;
	char *r;
	int fd;

	switch (below(g, 6)) {
	case 0:
		say(" statvfs");
		if (DO(statvfs(p, &sv)) == 0)
			out(" %lu %lu", sv.f_namemax, sv.f_frsize);
		break;
	case 1:
		say(" pathconf");
		DO(pathconf(p, confs[below(g, ROWS(confs))]));
		break;
	case 2: /* trusts $PWD if it is right */
		say(" get_current_dir_name");
		setenv("PWD", p, 1);
		if (!deep && TRY((r = get_current_dir_name()) != NULL))
			out(" "), out_string(r), free(r);
		unsetenv("PWD");
		break;
	case 3:
		say(" euidaccess");
		DO(euidaccess(p, (int)below(g, 8)));
		break;
	case 4:
		say(" opendir");
		fd = open(p, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0) { /* where a new one is put, and that none is left */
			DIR *d = opendir(p);

			out(" %d", d ? dirfd(d) - fd : -1);
			if (d)
				closedir(d);
			close(fd);
		}
		break;
	default:
		say(" scandirat");
#ifdef __GLIBC__
		if (ours_path(p)) {
			int dir = dirfd_(g), n;
			struct dirent **found;
			struct stat st;

			if (fstatat(dir, p, &st, 0) == 0 && st.st_dev != root_dev)
				break;
			n = (int)DO(scandirat(dir, p, &found, NULL, alphasort));
			for (int i = 0; i < n; i++) {
				out(" "), out_string(found[i]->d_name);
				free(found[i]);
			}
			if (n >= 0)
				free(found);
		}
#endif
	}
}

/* A file without a name gets one (open(2), O_TMPFILE). */
static void op_nameless(struct rng *g)
{
	const char *p = path(g, 0, P_BAD), *q;
	int fd = (int)DO(open(p, O_TMPFILE | O_RDWR | O_CLOEXEC | (chance(g, 15) ? O_EXCL : 0), mode_in(g, false))), dir;
	char magic[40];

	if (fd < 0)
		return;
	if (ours(fd))
		DO(write(fd, "nameless\n", 9));
	dir = dirfd_(g);
	q = path(g, 1, P_BAD);
	sprintf(magic, "/proc/self/fd/%d", fd);
	if (chance(g, 60))
		DO(linkat(AT_FDCWD, magic, dir, q, chance(g, 90) ? AT_SYMLINK_FOLLOW : 0));
	else
		DO(linkat(fd, "", dir, q, AT_EMPTY_PATH));
	keep(g, fd);
}

/* A directory that has no name any more, or another. */
static void op_gone(struct rng *g)
{
	int fd;

	DO(mkdir("/w/.g", 0755));
	switch (below(g, 4)) {
	case 0:
		DO(chdir("/w/.g"));
		DO(rmdir("/w/.g"));
		break;
	case 1:
		fd = (int)DO(open("/w/.g", (chance(g, 50) ? O_PATH : O_RDONLY) | O_DIRECTORY | O_CLOEXEC));
		DO(rmdir("/w/.g"));
		keep(g, fd);
		break;
	case 2: /* a working directory that moves, its "..", too */
		DO(mkdir("/w/.g/h", 0755));
		DO(chdir("/w/.g/h"));
		DO(rename("/w/.g", path(g, 0, P_BAD)));
		break;
	default: /* the one above is gone */
		DO(mkdir("/w/.g/h", 0755));
		DO(chdir("/w/.g/h"));
		DO(rmdir("/w/.g/h"));
		DO(rmdir("/w/.g"));
	}
	out_cwd();
}

/* Datagrams with senders that have names, and a descriptor on the way. */
static void op_message(struct rng *g)
{
	const char *p = path(g, 0, 0);
	struct sockaddr_un a, from;
	char data[8], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {data, sizeof data};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int c = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), fd = some_fd(g);
	socklen_t n = sun_of(&a, p, g), k;
	ssize_t got;

	say(" %u %d", n, fd);
	if (s < 0 || c < 0 || n <= sizeof a.sun_family) {
		out(" no");
		goto out;
	}
	if (DO(bind(s, (struct sockaddr *)&a, n)) != 0)
		goto out;
	if (chance(g, 70)) {
		k = sun_of(&from, path(g, 1, 0), g);
		if (k > sizeof from.sun_family)
			DO(bind(c, (struct sockaddr *)&from, k));
	}
	if (chance(g, 50)) {
		DO(connect(c, (struct sockaddr *)&a, n));
	} else {
		m.msg_name = &a;
		m.msg_namelen = n;
	}
	if (fd >= 0) {
		struct cmsghdr *h;

		memset(control, 0, sizeof control);
		m.msg_control = control;
		m.msg_controllen = sizeof control;
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(h), &fd, sizeof fd);
	}
	iov.iov_len = 5;
	memcpy(data, "hello", 5);
	DO(sendmsg(c, &m, MSG_NOSIGNAL));
	memset(&from, 'x', sizeof from);
	k = chance(g, 80) ? sizeof from : (socklen_t)below(g, sizeof from);
	iov.iov_len = sizeof data;
	if (chance(g, 50)) {
		got = DO(recvfrom(s, data, sizeof data, 0, (struct sockaddr *)&from, &k));
		if (got >= 0)
			out(" from%u", k);
	} else {
		struct cmsghdr *h;

		m = (struct msghdr){.msg_name = &from, .msg_namelen = k, .msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof control};
		got = DO(recvmsg(s, &m, MSG_CMSG_CLOEXEC));
		if (got >= 0) {
			k = m.msg_namelen;
			out(" from%u flags%x", k, (unsigned)m.msg_flags);
			h = CMSG_FIRSTHDR(&m);
			if (h && h->cmsg_type == SCM_RIGHTS) {
				memcpy(&fd, CMSG_DATA(h), sizeof fd);
				out(" fd %d", fd);
				keep(g, fd);
			}
		}
	}
	if (got >= 0 && k > sizeof from.sun_family && k <= sizeof from)
		out_sun(&from, k);
out:
	close(s);
	close(c);
}

/* Numbers where something else may have put descriptors of its own. */
static void op_numbers(struct rng *g)
{
	struct rlimit lim;
	int fd = some_fd(g), to = chance(g, 60) ? 232 + (int)below(g, 12) : 30 + (int)below(g, 300), r;

	say(" %d %d", fd, to);
	switch (below(g, 8)) {
	case 0:
	case 1:
	case 2:
		r = (int)DO(dup2(fd, to));
		if (r >= 0 && chance(g, 70))
			DO(close(r));
		break;
	case 3:
		r = (int)DO(fcntl(fd, F_DUPFD_CLOEXEC, to));
		if (r >= 0)
			DO(close(r));
		break;
	case 4:
		DO(close(to));
		break;
	case 5:
		DO(syscall(436 /* close_range */, 3, ~0u, 0));
		goto closed;
	case 6:
		for (int i = 3; i < 300; i++)
			close(i);
	closed:
		for (int i = 0; i < SLOTS; i++)
			slot[i] = -1;
		break;
	default: /* what is open stays so */
		if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
			lim.rlim_cur = 64 + below(g, 250);
			DO(setrlimit(RLIMIT_NOFILE, &lim));
		}
	}
}

/* Steps that are system calls and nothing else. */
static void (*const plain[])(struct rng *) = {op_open, op_openat, op_openat2, op_stat, op_fstatat, op_statx,
	op_access, op_faccessat, op_readlink, op_rename, op_renameat2, op_link, op_linkat, op_symlink, op_unlink,
	op_unlinkat, op_mkdir, op_mknod, op_chmod, op_chown, op_truncate, op_times, op_xattr, op_chdir, op_open,
	op_openat, op_openat2, op_chroot};

/* A child that can open nothing more, though it might raise its limit. */
static void op_full(struct rng *g)
{
	const unsigned n = 1 + below(g, 6);
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit lim;

		getrlimit(RLIMIT_NOFILE, &lim);
		lim.rlim_cur = 10 + below(g, 30);
		setrlimit(RLIMIT_NOFILE, &lim);
		while (dup(0) >= 0)
			;
		full = true;
		for (unsigned i = 0; i < n; i++) {
			struct rng own = {next(g)};
			unsigned which = below(&own, ROWS(plain));

			out("\n    %u", which);
			plain[which](&own);
		}
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		out(" wait e%d", errno);
	out_status(status);
}

/* Down by names so long that a path cannot say where we are. */
static void op_descend(struct rng *g)
{
	unsigned n = 1 + below(g, 20);
	char name[256];

	if (!deep) {
		deep = true;
		deep_name = chance(g, 50) ? 255 : 200;
		if (chance(g, 60))
			out(" /w"), DO(chdir("/w"));
	}
	memset(name, 'D', deep_name);
	name[deep_name] = '\0';
	say(" %u", n);
	while (n-- > 0)
		if ((mkdir(name, 0755) != 0 && errno != EEXIST) || chdir(name) != 0)
			break;
	out(" %u", n);
	out_cwd();
}

#include "second.h"

/* One of them that leaves the root as it is. */
static void step_plain(struct rng *g)
{
	unsigned which = below(g, ROWS(plain));

	out(" %u", which);
	if (plain[which] != op_chroot)
		plain[which](g);
}

static const struct {
	const char *name;
	unsigned weight;
	void (*run)(struct rng *);
} ops[] = {
	{"open",      80, op_open     },
	{"openat",    60, op_openat   },
	{"openat2",   30, op_openat2  },
	{"stat",      60, op_stat     },
	{"fstatat",   40, op_fstatat  },
	{"statx",     20, op_statx    },
	{"access",    30, op_access   },
	{"faccessat", 25, op_faccessat},
	{"readlink",  50, op_readlink },
	{"rename",    60, op_rename   },
	{"renameat2", 40, op_renameat2},
	{"link",      30, op_link     },
	{"linkat",    30, op_linkat   },
	{"symlink",   40, op_symlink  },
	{"unlink",    40, op_unlink   },
	{"unlinkat",  25, op_unlinkat },
	{"mkdir",     50, op_mkdir    },
	{"mknod",     20, op_mknod    },
	{"chmod",     40, op_chmod    },
	{"chown",     25, op_chown    },
	{"truncate",  20, op_truncate },
	{"times",     30, op_times    },
	{"xattr",     40, op_xattr    },
	{"chdir",     60, op_chdir    },
	{"getcwd",    15, op_getcwd   },
	{"realpath",  40, op_realpath },
	{"readdir",   25, op_readdir  },
	{"scandir",   10, op_scandir  },
	{"nftw",      10, op_nftw     },
	{"glob",      20, op_glob     },
	{"temp",      15, op_temp     },
	{"socket",    30, op_socket   },
	{"chroot",    10, op_chroot   },
	{"vfork",      4, op_vfork    },
	{"exec",       3, op_exec     },
	{"spawn",      3, op_spawn    },
	{"threads",    1, op_threads  },
	{"signal",     2, op_signal   },
	{"full",       4, op_full     },
	{"numbers",    4, op_numbers  },
	{"gone",       5, op_gone     },
	{"nameless",   8, op_nameless },
	{"message",   10, op_message  },
	{"freopen",    8, op_freopen  },
	{"libc",      20, op_libc     },
#ifdef __GLIBC__
	{"fts",        8, op_fts      },
#endif
	{"dup",       20, op_dup      },
	{"fd",        25, op_fd       },
	{"fopen",     20, op_fopen    },
	{"misc",      20, op_misc     },
	{"descend",    3, op_descend  },
	{"swap",      60, op_swap     },
	{"second",    60, op_second   },
	{"fork",       8, NULL        },
};

static void step(struct rng *g, int depth)
{
	static unsigned total;
	unsigned at;
	size_t i = 0;

	if (!total)
		for (size_t k = 0; k < ROWS(ops); k++)
			total += ops[k].weight;
	for (at = below(g, total); at >= ops[i].weight; i++)
		at -= ops[i].weight;
	out(" %s", ops[i].name);
#ifndef __GLIBC__
	if (ops[i].run == op_nftw) { /* musl's forgets to close what a walk that ends early has open */
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			op_nftw(g);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		out_status(status);
		return;
	}
#endif
	if (ops[i].run)
		ops[i].run(g);
	else if (depth < 2)
		op_fork(g, depth);
}

/* -- the worker ----------------------------------------------------------------------------- */

/* One case, in a process of its own. */
static void case_run(uint64_t seed, uint64_t number, uint64_t steps)
{
	for (int i = 0; i < SLOTS; i++)
		slot[i] = -1;
	umask(022);
	if (chdir("/w") != 0)
		out(" /w e%d", errno);
	for (unsigned i = 0; i < STEPS; i++) {
		struct rng g = rng_of(seed, number, 4, i);

		if (!(steps >> i & 1))
			continue;
		out("%2u", i);
		step(&g, 0);
		out("\n");
	}
	seconds_end();
}

/* What steps need to know of the place where they run. */
static void place_know(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat st;

	if (pages == MAP_FAILED)
		die("mmap");
	memset(pages, 'z', 4096);
	if (mprotect(pages + 4096, 4096, PROT_NONE) != 0) /* not unmapped: something else would come there */
		die("mprotect");
	page_end = pages + 4096;
	if (getenv("RANDOM_HOST"))
		snprintf(mask_host, sizeof mask_host, "%s", getenv("RANDOM_HOST"));
	if (stat("/", &st) != 0)
		die("/");
	root_dev = st.st_dev;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < SLOTS; i++)
		slot[i] = -1;
}

/* The second process, executed: on stdin it is asked. */
static int second(const char *seed, const char *number)
{
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 24), none = open("/dev/null", O_RDWR);

	if (fd < 0)
		return 2;
	dup2(none, 0);
	close(none);
	place_know();
	tree_plan(strtoull(seed, NULL, 0), strtoull(number, NULL, 0));
	second_serve(fd);
	return 0;
}

static int worker(const char *bound)
{
	char line[200];
	char *map = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int from = fcntl(0, F_DUPFD_CLOEXEC, 20), to = fcntl(1, F_DUPFD_CLOEXEC, 20);
	int none = open("/dev/null", O_RDWR);
	FILE *in;

	bound_ms = atoi(bound);
	stranger = fcntl(3, F_DUPFD_CLOEXEC, 20);
	close(3);
	if (map == MAP_FAILED || from < 0 || to < 0 || none < 0)
		die("worker");
	buf_len = (size_t *)(void *)map;
	buf = map + 4096;
	place_know();
	dup2(none, 0);
	dup2(none, 1);
	dup2(none, 2); /* a step's programs may complain */
	close(none);
	in = fdopen(from, "r");
	while (in && fgets(line, sizeof line, in)) {
		unsigned long long seed, number, steps;
		int status, loud;
		size_t n;
		pid_t pid;

		if (sscanf(line, "%llu %llu %llx %d", &seed, &number, &steps, &loud) != 4)
			return 2;
		verbose = loud;
		*buf_len = 0;
		if (seed != case_seed || number != case_number || !objects)
			tree_plan(seed, number);
		pid = fork();
		if (pid == 0) {
			alarm(40); /* for a machine that does much else */
			case_run(seed, number, steps);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid)
			die("waitpid");
		out("end");
		out_status(status);
		out("\n");
		n = *buf_len;
		dprintf(to, "%zu\n", n);
		for (size_t at = 0; at < n;) {
			ssize_t w = write(to, buf + at, n - at);

			if (w <= 0)
				return 2;
			at += (size_t)w;
		}
	}
	return 0;
}

/* What an executed program sees. */
static int see(int argc, char **argv)
{
	static char text[ROOM];
	static size_t len;
	char exe[PATH_MAX];
	struct stat st;
	ssize_t n;

	buf = text;
	buf_len = &len;
	if (getenv("RANDOM_HOST"))
		snprintf(mask_host, sizeof mask_host, "%s", getenv("RANDOM_HOST"));
	for (int i = 0; i < argc; i++)
		out(" "), out_string(argv[i]);
	n = readlink("/proc/self/exe", exe, sizeof exe);
	if (n > 0)
		out(" exe"), out_text(exe, (size_t)n);
	out_cwd();
	for (int fd = 0; fd < 40; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			out(" %d", fd);
	root_dev = stat("/", &st) == 0 ? st.st_dev : 0;
	n = open("/etc/hostname", O_RDONLY | O_NONBLOCK);
	out_fd((int)n);
	out(" %s", stat("../canary/f", &st) == 0 ? "outside!" : "inside");
	return write(1, text, len) < 0;
}

/* -- what is on the disk ------------------------------------------------------------------- */

struct text {
	char *s;
	size_t len, room;
};

static void text_add(struct text *t, const char *s, size_t n)
{
	if (t->len + n + 1 > t->room) {
		t->room = (t->len + n + 1) * 2;
		t->s = realloc(t->s, t->room);
		if (!t->s)
			die("realloc");
	}
	memcpy(t->s + t->len, s, n);
	t->len += n;
	t->s[t->len] = '\0';
}

/* Made once, and what is mounted there is not ours. */
static bool is_standing(const char *name)
{
	static const char *const standing[] = {"bin", "lib", "lib64", "usr", "proc", "dev", "sys"};

	for (size_t i = 0; i < ROWS(standing); i++)
		if (strcmp(name, standing[i]) == 0)
			return true;
	return false;
}

/* The sorted names in the directory fd, which stays open; NULL at the end. */
static char **names_of(int fd)
{
	DIR *d = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0));
	char **all = calloc(1, sizeof *all);
	size_t n = 0;
	struct dirent *e;

	if (!d)
		die("fdopendir");
	rewinddir(d);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		all = realloc(all, (n + 2) * sizeof *all);
		all[n++] = strdup(e->d_name);
		all[n] = NULL;
	}
	closedir(d);
	if (n)
		qsort(all, n, sizeof *all, by_name);
	return all;
}

struct linked {
	ino_t ino[512];
	unsigned n;
};

static void tree_show(int dir, const char *at, const char *but, struct linked *seen)
{
	char **all = names_of(dir);

	for (char **name = all; *name; free(*name++)) {
		char what[8192];
		struct stat st;
		ssize_t n;
		char *sub;
		int fd;

		if (but && (strcmp(*name, but) == 0 || (!*but && is_standing(*name))))
			continue;
		if (fstatat(dir, *name, &st, AT_SYMLINK_NOFOLLOW) != 0 || asprintf(&sub, "%s/%s", at, *name) < 0)
			die(*name);
		out_string(sub);
		out_stat(&st);
		if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
			unsigned i = 0;

			while (i < seen->n && seen->ino[i] != st.st_ino)
				i++;
			if (i == seen->n && seen->n < ROWS(seen->ino))
				seen->ino[seen->n++] = st.st_ino;
			out(" same%u", i);
		}
		if (S_ISLNK(st.st_mode)) {
			n = readlinkat(dir, *name, what, sizeof what);
			out(" "), out_text(what, n > 0 ? (size_t)n : 0);
		} else if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
			fd = openat(dir, *name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
			if (fd < 0)
				die(sub);
			if (S_ISREG(st.st_mode) && (n = read(fd, what, 200)) > 0)
				out(" "), out_text(what, (size_t)n);
			n = flistxattr(fd, what, sizeof what);
			for (char *x = what; n > 0 && x < what + n; x += strlen(x) + 1) {
				char value[100];
				ssize_t size = fgetxattr(fd, x, value, sizeof value);

				out(" %s=", x), out_text(value, size > 0 ? (size_t)size : 0);
			}
			out("\n");
			if (S_ISDIR(st.st_mode))
				tree_show(fd, strlen(sub) < 3000 ? sub : "...", NULL, seen);
			close(fd);
			free(sub);
			continue;
		}
		out("\n");
		free(sub);
	}
	free(all);
}

/* Removes all below dir but what bears the name but, or what is standing. */
static void tree_remove(int dir, const char *but)
{
	char **all = names_of(dir);

	for (char **name = all; *name; free(*name++)) {
		if (but && (strcmp(*name, but) == 0 || (!*but && is_standing(*name))))
			continue;
		if (unlinkat(dir, *name, 0) == 0)
			continue;
		if (errno == EISDIR || errno == EPERM) {
			int fd = openat(dir, *name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (fd < 0)
				die(*name);
			tree_remove(fd, NULL);
			close(fd);
			if (unlinkat(dir, *name, AT_REMOVEDIR) == 0)
				continue;
		}
		die(*name);
	}
	free(all);
}

/* -- the sides ----------------------------------------------------------------------------- */

static struct side {
	const char *name;
	char dir[PATH_MAX]; /* has root, and what is beside the root */
	int beside, root, to, from;
	struct text answer, around;
	bool seen; /* around is as it was made */
} sides[] = {
	{"kernel", "", -1, -1, -1, -1, {NULL, 0, 0}, {NULL, 0, 0}, false},
	{"openat2", "", -1, -1, -1, -1, {NULL, 0, 0}, {NULL, 0, 0}, false},
	{"walk", "", -1, -1, -1, -1, {NULL, 0, 0}, {NULL, 0, 0}, false},
};

/* The worker, by the same unprivileged user: the kernel's side with the right to chroot(2) and no
 * other, to reach what libjail grants. */
static void side_exec(const struct side *s)
{
	const char *jailrun = getenv("RANDOM_JAILRUN");
	char root[PATH_MAX + 8], host[PATH_MAX + 16];
	const char *bound = getenv("ORACLE_BOUND_MS") ? getenv("ORACLE_BOUND_MS") : "10";

	snprintf(root, sizeof root, "%s/root", s->dir);
	snprintf(host, sizeof host, "RANDOM_HOST=%s", s->dir);
	if (chdir("/") != 0)
		return;
	if (s == sides)
		execlp("setpriv", "setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "--inh-caps=-all,+sys_chroot",
			"--ambient-caps=-all,+sys_chroot", "env", "-i", "PATH=/bin:/usr/sbin:/sbin:/usr/bin", host, "chroot", root,
			"/bin/random", "worker", bound, (char *)NULL);
	else
		execlp("setpriv", "setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "env", "-i",
			"PATH=/bin:/usr/sbin:/sbin:/usr/bin", host, s == sides + 1 ? "LIBJAIL_CLEAN=always" : "LIBJAIL_RESOLVER=walk",
			jailrun, "--cloexec=off", "--root", root, "-w", "/", "--", "/bin/random", "worker", bound, (char *)NULL);
}

/* Outside of the root, by the same user: see second.h. */
static void stranger_start(const struct side *s, int fd, int other)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (size_t i = 0; i < ROWS(sides); i++) /* a worker ends when nobody is left who might ask it */
			close(sides[i].to);
		close(other);
		if (setgroups(0, NULL) != 0 || setresgid(USER, USER, USER) != 0 || setresuid(USER, USER, USER) != 0)
			die("stranger");
		stranger_serve(s->root, fd);
	}
}

static void side_start(struct side *s)
{
	int in[2], back[2], strange[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, strange) != 0)
		die(s->name);
	stranger_start(s, strange[0], strange[1]);
	close(strange[0]);
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0)
		die(s->name);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(back[1], 1);
		if (dup2(strange[1], 3) == 3)
			fcntl(3, F_SETFD, 0);
		side_exec(s);
		_exit(127);
	}
	close(strange[1]);
	close(in[0]);
	close(back[1]);
	s->to = in[1];
	s->from = back[0];
}

static void side_open(struct side *s, const char *base, const char *letter)
{
	struct stat st;

	snprintf(s->dir, sizeof s->dir, "%s/%s", base, letter);
	s->beside = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->root = openat(s->beside, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root < 0 || fstat(s->root, &st) != 0)
		die(s->dir);
	root_dev = st.st_dev;
	side_start(s);
}

/* What no call may reach, though the user could change it; a mark on each. */
static void beside_make(struct side *s)
{
	static const char *const files[] = {"canary/f", "canary/d/f", "f"};

	tree_remove(s->beside, "root");
	if (mkdirat(s->beside, "canary", 0755) != 0 || mkdirat(s->beside, "canary/d", 0755) != 0)
		die("canary");
	for (size_t i = 0; i < ROWS(files); i++) {
		int fd = openat(s->beside, files[i], O_WRONLY | O_CREAT | O_EXCL, 0644);

		if (fd < 0 || write(fd, "outside\n", 8) != 8 || fchown(fd, USER, USER) != 0)
			die("canary");
		close(fd);
		mark(s->beside, files[i], 9000 + (unsigned)i);
	}
	if (fchownat(s->beside, "canary", USER, USER, 0) != 0 || fchownat(s->beside, "canary/d", USER, USER, 0) != 0)
		die("canary");
	mark(s->beside, "canary/d", 9010);
	mark(s->beside, "canary", 9011);
}

static void side_ask(struct side *s, uint64_t seed, uint64_t number, uint64_t steps, uint64_t mask, bool loud)
{
	if (!s->seen)
		beside_make(s);
	tree_make(s->root, mask);
	if (dprintf(s->to, "%llu %llu %llx %d\n", (unsigned long long)seed, (unsigned long long)number,
		    (unsigned long long)steps, loud) < 0)
		die(s->name);
}

/* False: nothing came. */
static bool side_read(struct side *s, char *to, size_t n)
{
	while (n > 0) {
		struct pollfd p = {s->from, POLLIN, 0};
		ssize_t r;

		if (poll(&p, 1, 60000) <= 0)
			return false;
		r = read(s->from, to, n);
		if (r <= 0)
			return false;
		to += r;
		n -= (size_t)r;
	}
	return true;
}

/* The answer, then what is left on the disk, which is removed. */
static bool side_answer(struct side *s)
{
	static char text[ROOM + 1];
	static size_t len;
	char c;
	size_t n = 0;
	struct linked seen = {.n = 0};

	s->answer.len = 0;
	for (;;) {
		if (!side_read(s, &c, 1))
			return false;
		if (c == '\n')
			break;
		n = n * 10 + (size_t)(c - '0');
	}
	if (n > ROOM || !side_read(s, text, n))
		return false;
	text_add(&s->answer, text, n);

	buf = text;
	buf_len = &len;
	len = 0;
	snprintf(mask_host, sizeof mask_host, "%s", s->dir);
	tree_show(s->root, "", "", &seen);
	text_add(&s->answer, text, len);
	tree_remove(s->root, "");
	len = 0;
	tree_show(s->beside, "BESIDE", "root", &seen);
	if (s->seen && (s->around.len != len || memcmp(s->around.s, text, len) != 0)) {
		text_add(&s->answer, text, len);
		s->seen = false;
	} else if (!s->seen) {
		/* new: remembered if it is as it was made, else told of */
		if (!s->around.len) {
			text_add(&s->around, text, len);
			s->seen = true;
		} else if (s->around.len == len && memcmp(s->around.s, text, len) == 0) {
			s->seen = true;
		} else {
			text_add(&s->answer, text, len);
		}
	}
	return true;
}

/* -- driving ------------------------------------------------------------------------------- */

static unsigned asked; /* cases run */

/* Runs the case on the sides of the set; the first one that differs from the kernel's, or NULL. */
static struct side *case_differs(
	unsigned set, uint64_t seed, uint64_t number, uint64_t steps, uint64_t mask, bool loud)
{
	struct side *differs = NULL;

	if (seed != case_seed || number != case_number || !objects)
		tree_plan(seed, number);
	asked++;
	for (unsigned i = 0; i < ROWS(sides); i++)
		if (set >> i & 1)
			side_ask(&sides[i], seed, number, steps, mask, loud);
	for (unsigned i = 0; i < ROWS(sides); i++) {
		if (!(set >> i & 1))
			continue;
		if (!side_answer(&sides[i])) {
			printf("random: %s: no answer to %llu:%llu:%llx:%llx\n", sides[i].name, (unsigned long long)seed,
				(unsigned long long)number, (unsigned long long)steps, (unsigned long long)mask);
			exit(1);
		}
		if (i && !differs && (sides[i].answer.len != sides[0].answer.len ||
					     memcmp(sides[i].answer.s, sides[0].answer.s, sides[0].answer.len) != 0))
			differs = &sides[i];
	}
	return differs;
}

/* Leaves out what the difference does not need: halves first, then one by one, until none goes. */
static void shrink(unsigned set, uint64_t seed, uint64_t number, uint64_t *steps, uint64_t *mask)
{
	bool less = true;

	while (less) {
		less = false;
		for (int which = 0; which < 2; which++) {
			uint64_t *m = which ? mask : steps;

			for (unsigned size = 32; size > 0; size /= 2)
				for (unsigned at = 0; at < 64; at += size) {
					uint64_t part = (size == 64 ? ~0ull : ((1ull << size) - 1)) << at, was = *m;

					if (!(was & part))
						continue;
					*m = was & ~part;
					if (case_differs(set, seed, number, *steps, *mask, false))
						less = true;
					else
						*m = was;
				}
		}
	}
}

static void show_line(const char *who, const char *at, size_t n)
{
	printf("  %-8s %.*s%s\n", who, (int)(n < 1500 ? n : 1500), at, n < 1500 ? "" : "...");
}

static const char *line_after(const char *at)
{
	at += strcspn(at, "\n");
	return at + (*at == '\n');
}

/* Is the line at a, of n bytes, one of b's? */
static bool line_in(const char *a, size_t n, const char *b)
{
	for (; *b; b = line_after(b))
		if (strcspn(b, "\n") == n && memcmp(a, b, n) == 0)
			return true;
	return false;
}

/* The steps as they ran, and where the two part; of what is left on the disk only that. */
static void show(const struct side *k, const struct side *j)
{
	const char *a = k->answer.s, *b = j->answer.s;

	while (*a || *b) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

		if (*a && n == m && memcmp(a, b, n) == 0) {
			if (*a != '"')
				show_line("", a, n);
			a = line_after(a);
			b = line_after(b);
		} else if (*a && (!*b || !line_in(a, n, b) || line_in(b, m, a))) {
			show_line(k->name, a, n);
			a = line_after(a);
			if (*b && !line_in(b, m, a)) {
				show_line(j->name, b, m);
				b = line_after(b);
			}
		} else {
			show_line(j->name, b, m);
			b = line_after(b);
		}
	}
}

static void show_tree(uint64_t mask)
{
	for (unsigned i = fixed; i < objects; i++)
		if (kept(mask, i)) {
			static char text[ROOM];
			static size_t len;

			buf = text;
			buf_len = &len;
			len = 0;
			out("  tree     %c ", tree[i].type), out_string(tree[i].path);
			out(" %o %d", tree[i].mode, (int)tree[i].owner);
			if (tree[i].arg)
				out(" "), out_string(tree[i].arg);
			if (tree[i].type == 'c')
				out(" %u links", tree[i].n);
			printf("%.*s\n", (int)len, text);
		}
}

static bool same_text(const struct text *a, const struct text *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

/* The kernel has second thoughts: where a walk without locks meets a change anywhere and begins again with
 * them, the links that it has followed count twice (fs/namei.c, total_link_count), and twenty in a row may be
 * ELOOP.  So an answer that it gives itself, asked often enough, is no difference. */
static bool kernel_says(const struct text *answer, uint64_t seed, uint64_t number, uint64_t steps, uint64_t mask)
{
	enum { TIMES = 200 };

	for (int i = 0; i < TIMES && !same_text(&sides[0].answer, answer); i++)
		case_differs(1, seed, number, steps, mask, false);
	return same_text(&sides[0].answer, answer);
}

/* False: it was no difference. */
static bool report(struct side *s, const char *libc, uint64_t seed, uint64_t number, uint64_t steps, uint64_t mask)
{
	const unsigned set = 1u | 1u << (s - sides);
	uint64_t full_steps = steps, full_mask = mask;
	struct side was[2] = {sides[0], *s};
	bool again, either;

	for (int i = 0; i < 2; i++)
		was[i].answer.s = strdup(was[i].answer.s);
	again = case_differs(set, seed, number, steps, mask, false);
	either = kernel_says(&was[1].answer, seed, number, steps, mask);
	if (either || !again) {
		printf("random: %s %s: %llu:%llu differed once%s\n", libc, s->name, (unsigned long long)seed,
			(unsigned long long)number, either ? ": the kernel says the one as well as the other" : ", and not again");
		show(&was[0], &was[1]);
		return !either;
	}
	shrink(set, seed, number, &steps, &mask);
	if (!case_differs(set, seed, number, steps, mask, true)) {
		steps = full_steps, mask = full_mask;
		case_differs(set, seed, number, steps, mask, true);
	}
	printf("random: %s %s differs: tests/oracle/random.sh --libc %s --replay %llu:%llu:%llx:%llx\n", libc, s->name, libc,
		(unsigned long long)seed, (unsigned long long)number, (unsigned long long)steps, (unsigned long long)mask);
	show_tree(mask);
	show(&sides[0], s);
	fflush(stdout);
	return true;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A sequence that leaves the root (chroot without chdir) may go where the user may: nothing but
 * this test's own directory is there to be written to. */
static void hold_host(const char *base)
{
	static const char *const live[] = {"/proc", "/dev", "/sys"};
	struct {
		uint64_t set, clear, propagation, userns;
	} ro = {1 /* MOUNT_ATTR_RDONLY */, 0, MS_PRIVATE, 0}, rw = {0, 1, 0, 0};

	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0x8000 /* AT_RECURSIVE */, &ro, sizeof ro) != 0 ||
		syscall(SYS_mount_setattr, AT_FDCWD, base, 0, &rw, sizeof rw) != 0)
		die("mount_setattr");
	for (size_t i = 0; i < ROWS(live); i++) /* as a user sees them */
		if (syscall(SYS_mount_setattr, AT_FDCWD, live[i], 0x8000, &rw, sizeof rw) != 0)
			fprintf(stderr, "random: %s is read-only here\n", live[i]);
}

static int drive(char **argv)
{
	const char *base = argv[0], *libc = argv[1];
	const uint64_t seed = strtoull(argv[2], NULL, 0);
	const double until = strtod(argv[3], NULL);
	const unsigned long most = strtoul(argv[4], NULL, 0); /* differences */
	/* of several drivers of one seed each takes its own cases */
	const unsigned stride = (unsigned)strtoul(argv[6], NULL, 0);
	uint64_t number = strtoull(argv[5], NULL, 0);
	const uint64_t first = number;
	const double start = seconds();
	unsigned long differences = 0;
	unsigned set = 7;

	signal(SIGPIPE, SIG_IGN);
	umask(0);
	side_open(&sides[0], base, "K");
	side_open(&sides[1], base, "A");
	side_open(&sides[2], base, "W");
	if (argv[7]) { /* --replay */
		unsigned long long s, n, steps = ~0ull, mask = ~0ull;

		if (sscanf(argv[7], "%llu:%llu:%llx:%llx", &s, &n, &steps, &mask) < 2) {
			fprintf(stderr, "random: --replay wants SEED:CASE[:STEPS[:TREE]]\n");
			return 2;
		}
		for (unsigned i = 1; i < ROWS(sides); i++) {
			bool differs = case_differs(1u | 1u << i, s, n, steps, mask, true);

			if (i == 1)
				show_tree(mask);
			printf("random: %s %s %s\n", libc, sides[i].name, differs ? "differs" : "is equal");
			show(&sides[0], &sides[i]);
			differences += differs;
		}
		return differences != 0;
	}
	for (; until <= 0 || seconds() - start < until; number += stride) {
		struct side *s = case_differs(set, seed, number, ~0ull, ~0ull, false);

		if (!s && strstr(sides[0].answer.s, "end signal")) /* no more than half a case was compared */
			printf("random: %s: %llu:%llu was cut off\n", libc, (unsigned long long)seed, (unsigned long long)number);
		if (s) {
			differences += report(s, libc, seed, number, ~0ull, ~0ull);
			if (differences >= most)
				break;
		}
		if (until <= 0 && number / stride % 5000 == 4999) {
			printf("random: %s: seed %llu, case %llu, %.0f s\n", libc, (unsigned long long)seed,
				(unsigned long long)number, seconds() - start);
			fflush(stdout);
		}
	}
	printf("random: %s: seed %llu, cases %llu-%llu, %llu calls on each of %zu sides in %.0f s, %lu differences\n", libc,
		(unsigned long long)seed, (unsigned long long)first, (unsigned long long)number,
		(unsigned long long)((number - first) / stride) * STEPS, ROWS(sides), seconds() - start, differences);
	if (getenv("RANDOM_COUNTS")) {
		FILE *f = fopen(getenv("RANDOM_COUNTS"), "a");

		if (!f || fprintf(f, "%llu %lu\n", (unsigned long long)((number - first) / stride), differences) < 0 ||
			fclose(f) != 0)
			die("RANDOM_COUNTS");
	}
	return differences != 0;
}

int main(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "worker") == 0)
		return worker(argc > 2 ? argv[2] : "10");
	if (argc == 4 && strcmp(argv[1], "second") == 0)
		return second(argv[2], argv[3]);
	/* by its beginning: a script's interpreter gets all that follows it as one argument */
	if (argc >= 2 && strncmp(argv[1], "see", 3) == 0)
		return see(argc, argv);
	if (argc == 3 && strcmp(argv[1], "hold") == 0) {
		hold_host(argv[2]);
		return 0;
	}
	if (argc >= 9 && strcmp(argv[1], "drive") == 0)
		return drive(argv + 2);
	fputs("usage: random drive BASE LIBC SEED SECONDS DIFFERENCES FIRST STRIDE [REPLAY]\n"
	      "       random hold BASE   makes all mounts read-only but BASE\n"
	      "       random worker   answers on stdout what is asked on stdin\n"
	      "       random see      what an executed program sees\n"
	      "tests/oracle/random.sh makes the roots and runs it\n",
		stderr);
	return 2;
}
