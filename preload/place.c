/* SPDX-License-Identifier: ISC
 *
 * How a guest path becomes a place on the host, and a host path the guest's name for it.
 *
 * Two resolvers give the same answers.  openat2(2) with RESOLVE_IN_ROOT or RESOLVE_BENEATH lets the
 * kernel walk in one call; it cannot know the bind points, so it is trusted only where the walk
 * provably meets none: no symlink on the way (RESOLVE_NO_SYMLINKS) and no component that bears a
 * bind point's name.  Everything else is for the walker, which goes component by component as
 * path_resolution(7) says. */
#include "place.h"
#include "path/page.h"
#include "path/scan.h"
#include "self/cancel.h"
#include "sys/peek.h"
#include <errno.h>
#include <linux/magic.h>
#include <unistd.h>
#include <sys/statfs.h>

/* -- reading the guest's string ------------------------------------------------------------- */

enum { PAGE = PEEK_PAGE };

bool place_readable(const void *p, size_t n)
{
	uintptr_t a = (uintptr_t)p & -(uintptr_t)PAGE, end = (uintptr_t)p + (n ? n - 1 : 0);

	if (end < (uintptr_t)p)
		return false;
	for (; a <= end; a += PAGE)
		if (!page_good(a))
			return false;
	return true;
}

long place_strlen(const char *p, size_t n)
{
	if (!page_good((uintptr_t)p & -(uintptr_t)PAGE))
		return -EFAULT;
	for (size_t i = 0; i < n; i++) {
		if (((uintptr_t)(p + i) & (PAGE - 1)) == 0 && !page_good((uintptr_t)(p + i)))
			return -EFAULT;
		if (!p[i])
			return (long)i;
	}
	return -ENAMETOOLONG;
}

static NOINLINE bool named(const struct view *v, const char *c, size_t n)
{
	for (size_t i = 0; i < v->nbinds; i++)
		if (strlen(v->binds[i].name) == n && memcmp(v->binds[i].name, c, n) == 0)
			return true;
	return false;
}

static unsigned long letter(char c)
{
	return 1ul << (c & 63);
}

/* Every path call comes by here. */
int place_scan(struct scan *s, const struct view *v, const char *p)
{
	const char *at = p, *c;
	const char *page = (const char *)(((uintptr_t)p | (PAGE - 1)) + 1);
	unsigned hash = 0;
	size_t n;

/* before *at is read: it may be the first byte of a page */
#define TURN()                                                         \
	if (UNLIKELY(at == page)) {                                    \
		if (at - p >= PATH_MAX)                                \
			return -ENAMETOOLONG;                          \
		if (!page_good((uintptr_t)at))                         \
			return -EFAULT;                                \
		page += PAGE;                                          \
	}
	*s = (struct scan){0};
	if (!page_good((uintptr_t)p & -(uintptr_t)PAGE))
		return -EFAULT;
	s->abs = *p == '/';
	for (;;) {
		while (*at == '/') {
			at++;
			TURN();
		}
		if (!*at)
			break;
		c = at;
		do {
			at++;
			TURN();
		} while (*at && *at != '/');
		n = (size_t)(at - c);
		s->parent = (size_t)(c - p);
		s->hash = hash;
		hash = (hash ^ (unsigned)(n << 16 | (unsigned char)c[0] | (unsigned)(unsigned char)at[-1] << 8)) *
		       0x9e3779b1u;
		s->last_dots = false;
		if (UNLIKELY(c[0] == '.') && (n == 1 || (n == 2 && c[1] == '.'))) {
			s->last_dots = true;
			if (n == 2) {
				s->dotdot = true;
				s->dotdot_first |= s->count == 0;
			}
		}
		s->last_named = (v->names & letter(c[0])) && named(v, c, n);
		s->named |= s->last_named;
		s->count++;
	}
#undef TURN
	if (UNLIKELY(at - p >= PATH_MAX))
		return -ENAMETOOLONG;
	s->hash_all = hash >> 8;
	s->hash >>= 8;
	s->len = (size_t)(at - p);
	s->slash = at != p && at[-1] == '/';
	return 0;
}

/* -- binds ---------------------------------------------------------------------------------- */

/* What follows the bind point b in the absolute path p, or NULL.  "//" and "/./" are one slash. */
static const char *bind_rest(const struct bind *b, const char *p)
{
	const char *g = b->guest;

	for (;;) {
		while (*p == '/' || (p[0] == '.' && (p[1] == '/' || !p[1]) && p[-1] == '/'))
			p++;
		while (*g == '/')
			g++;
		if (!*g)
			return p[-1] == '/' || !*p ? p : NULL;
		while (*g && *g != '/')
			if (*p++ != *g++)
				return NULL;
		if (*p && *p != '/')
			return NULL;
	}
}

struct bind *place_bind_of(const struct view *v, const char *p, const char **ret_rest)
{
	struct bind *best = NULL;
	const char *rest;

	for (size_t i = 0; i < v->nbinds; i++) {
		rest = bind_rest(&v->binds[i], p);
		if (rest && (!best || v->binds[i].guest_len > best->guest_len)) {
			best = &v->binds[i];
			*ret_rest = rest;
		}
	}
	return best;
}

static struct bind *bind_at(const struct view *v, const char *name, const struct stat *st)
{
	for (size_t i = 0; i < v->nbinds; i++)
		if (v->binds[i].ino == st->st_ino && v->binds[i].dev == st->st_dev &&
			mem_equal(v->binds[i].name, name))
			return &v->binds[i];
	return NULL;
}

/* Does st name a bind point's own directory, or what the bind hides? */
static bool hidden(const struct view *v, const struct stat *st)
{
	for (size_t i = 0; i < v->nbinds; i++) {
		const struct bind *b = &v->binds[i];

		if (b->dev != st->st_dev)
			continue;
		if (b->ino == st->st_ino)
			return true;
		for (unsigned k = 0; k < b->nhidden; k++)
			if (b->hidden[k] == st->st_ino)
				return true;
	}
	return false;
}

/* -- opening what is held or named ---------------------------------------------------------- */

struct open_how place_how_open(int flags, mode_t mode)
{
	/* include/linux/fcntl.h, VALID_OPEN_FLAGS: openat(2) drops what it does not know */
	const int valid = O_RDONLY | O_WRONLY | O_RDWR | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |
			  O_APPEND | O_NDELAY | O_NONBLOCK | O_SYNC | O_DSYNC | 020000 /* FASYNC */ |
			  O_DIRECT | 0100000 /* the kernel's O_LARGEFILE on x86_64 */ | O_LARGEFILE |
			  O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE;
	struct open_how how = {.flags = (unsigned)(flags & valid)};

	if (flags & O_PATH)
		how.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	else if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
		how.mode = mode & 07777;
	return how;
}

const char *place_path(const struct place *at, char *buf)
{
	struct str s = {buf, buf + PLACE_PATH};

	if (!(at->flags & AT_EMPTY_PATH))
		return at->name;
	str_puts(&s, "/proc/self/fd/");
	str_num(&s, (unsigned)at->dir);
	return buf;
}

/* The error r of an open, which no system call has told of: that the table is full comes before all
 * that is wrong with a path (fs/open.c, do_sys_openat2).  fd: any that is open. */
static NOINLINE int told(int fd, int r)
{
	fd = sys_fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -EMFILE;
	sys_close(fd);
	return r;
}

/* The open that the program asked for, in a directory or by a magic link that is held: the one that may
 * wait.  more: flags beside its own, less: those that are not for this call. */
static int open_last(int dir, const char *path, const struct open_how *how, int more, int less)
{
	const bool point = how->resolve & PLACE_POINT;

	return (int)cancel_call(point, SYS_openat, dir, path, ((int)how->flags | more) & ~less, how->mode);
}

/* Opens again the directory that fd holds, by its magic link: "." would ask for search permission in it.
 * The slash lets O_NOFOLLOW, which F_GETFL shows, follow the link. */
static int reopen_dir(int fd, const struct open_how *how)
{
	char magic[PLACE_PATH + 8];
	struct str s = {magic, magic + sizeof magic};

	if ((how->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) /* else O_CREAT is EISDIR */
		return told(fd, -EEXIST);
	str_puts(&s, "/proc/thread-self/fd/"); /* whose table of descriptors may be its own (sys/apart.h) */
	str_num(&s, (unsigned)fd);
	str_puts(&s, "/");
	return open_last(AT_FDCWD, magic, how, 0, 0);
}

/* Opens again what fd holds, as the program asked. */
static int reopen(int fd, bool is_dir, const struct open_how *how)
{
	struct place at = {.dir = fd, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH];
	int flags = (int)how->flags;

	if (is_dir) {
		int r = open_last(fd, ".", how, 0, 0);

		return r == -EACCES ? reopen_dir(fd, how) : r;
	} else if ((flags & O_PATH) && !(flags & O_DIRECTORY)) {
		return sys_fcntl(fd, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
	}
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return told(fd, -EEXIST);
	return open_last(AT_FDCWD, place_path(&at, magic), how, 0, O_NOFOLLOW | O_CREAT);
}

/* openat2 with the program's own RESOLVE_ bits and ours; the rename races that the kernel reports
 * as EAGAIN (openat2(2)) are tried again, unless the program asked for RESOLVE_CACHED.  -ENOSYS: it is
 * missing, perhaps since a moment ago, and the walker must do. */
static int open2(int dir, const char *path, const struct open_how *how, unsigned resolve)
{
	const bool point = how->resolve & PLACE_POINT;
	struct open_how h = *how;
	int r, tries = 0;

	h.resolve = (h.resolve & ~PLACE_POINT) | resolve;
	do
		r = sys_missing(SYS_openat2)
			    ? -ENOSYS
			    : (int)sys_checked(SYS_openat2, cancel_call(point, SYS_openat2, dir, path, &h, sizeof h));
	while (r == -EAGAIN && !(h.resolve & RESOLVE_CACHED) && ++tries < 64);
	return r;
}

bool place_in_proc(const struct view *v, dev_t dev)
{
	if (v->is_proc && v->dev == dev)
		return true;
	for (size_t i = 0; i < v->nbinds; i++)
		if (v->binds[i].is_proc && v->binds[i].src_dev == dev)
			return true;
	return false;
}

/* -- the walker ----------------------------------------------------------------------------- */

struct walk {
	const struct view *v;
	const struct bind *in; /* the bind that the walk is known to be in, or NULL */
	int cur;               /* where it is: a descriptor or AT_FDCWD */
	bool owned;            /* cur is ours to close */
	unsigned links;
	int last;              /* what the last name was seen to be, or -1 */
	char *more;            /* pages for long targets of symlinks, or NULL */
	dev_t dev;             /* RESOLVE_NO_XDEV: where it began; a mount is told by its device */
	int top;               /* RESOLVE_BENEATH and RESOLVE_IN_ROOT: what it may not leave, else -1 */
};

static void walk_to(struct walk *w, int fd, bool owned)
{
	if (w->owned)
		sys_close(w->cur);
	w->cur = fd;
	w->owned = owned;
}

enum { LINKS = 40, MORE = (LINKS + 2) * PATH_MAX };

/* Gives back what the walk holds: at its end, or where its thread is cancelled in the last open. */
static void walk_end(void *arg)
{
	struct walk *w = arg;

	walk_to(w, -1, false);
	if (w->last >= 0)
		sys_close(w->last);
	if (w->more)
		sys_call(SYS_munmap, w->more, MORE);
}

static bool walk_is_root(const struct walk *w, const struct stat *st)
{
	return st->st_ino == w->v->ino && st->st_dev == w->v->dev;
}

/* The bind whose root the walk stands on, when that can be told.  A bind of a directory that the
 * root shows too is the root's own directory unless the walk came through the bind point. */
static const struct bind *walk_bind_root(const struct walk *w, const struct stat *st)
{
	for (size_t i = 0; i < w->v->nbinds; i++) {
		const struct bind *b = &w->v->binds[i];

		if (b->src_ino == st->st_ino && b->src_dev == st->st_dev && (!b->in_root || w->in == b))
			return b;
	}
	return NULL;
}

static int walk_open(const struct view *v, int dirfd, const char *guest, const struct open_how *how);

static int walk_leaves(const struct walk *w, int fd)
{
	struct stat st;

	return sys_fstatat(fd, "", &st, AT_EMPTY_PATH) < 0 || st.st_dev != w->dev ? -EXDEV : 0;
}

static bool walk_is_top(const struct walk *w)
{
	struct stat st, top;

	return sys_fstatat(w->cur, "", &st, AT_EMPTY_PATH) == 0 && sys_fstatat(w->top, "", &top, AT_EMPTY_PATH) == 0 &&
	       st.st_ino == top.st_ino && st.st_dev == top.st_dev;
}

/* The directory of a bind point.  Out of line, as walk_own_dir: 4 KiB that no other walk needs. */
static NOINLINE int walk_up_bind(struct walk *w, const struct bind *b)
{
	static const struct open_how dir = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
	char up[PATH_MAX];
	struct str s = {up, up + sizeof up};

	str_put(&s, b->guest, (size_t)(b->name - b->guest));
	if (!s.at)
		return -ENAMETOOLONG;
	w->in = NULL;
	return place_open(w->v, AT_FDCWD, up, &dir);
}

/* "..": the root's is the root, a bind's is its bind point's. */
static int walk_up(struct walk *w)
{
	const struct bind *b;
	struct stat st;
	int r;

	if (sys_fstatat(w->cur, "", &st, AT_EMPTY_PATH) < 0 || !S_ISDIR(st.st_mode))
		memset(&st, 0, sizeof st); /* no root: the call below says what is wrong, a full table first */
	b = walk_bind_root(w, &st);
	if (b && !(walk_is_root(w, &st) && w->in != b)) {
		r = sys_fstatat(w->cur, ".", &st, 0); /* may it be searched? */
		if (r == 0)
			r = walk_up_bind(w, b);
	} else /* opening "." asks for the search permission that "..", too, would need */
		r = sys_openat(w->cur, walk_is_root(w, &st) ? "." : "..", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (r >= 0)
		walk_to(w, r, true);
	return r < 0 ? r : 0;
}

/* A symlink of procfs in a process's directory is no text but a door (proc(5)); those in its root,
 * whose inode is number 1 (include/linux/proc_ns.h), are ordinary.  Is name, with status st, in
 * the directory cur such a door? */
static bool walk_is_magic(const struct walk *w, const struct stat *st)
{
	struct stat dir;

	return place_in_proc(w->v, st->st_dev) && sys_fstatat(w->cur, "", &dir, AT_EMPTY_PATH) == 0 &&
	       dir.st_ino != 1;
}

/* Cuts the last name off the path, when it is this one. */
static bool cut_name(char *path, const char *name)
{
	char *base = (char *)(uintptr_t)mem_base(path);

	if (base <= path || !mem_equal(base, name))
		return false;
	base[-1] = '\0';
	return true;
}

/* The number that is the path's last name, or 0. */
static long last_number(const char *path)
{
	const char *c = mem_base(path);
	long n = 0;

	for (; *c >= '0' && *c <= '9' && n < 1000000000; c++)
		n = n * 10 + *c - '0';
	return *c ? 0 : n;
}

long place_proc_pid(int dir, const char *below, char *text, size_t size)
{
	const struct place at = {.dir = dir, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH], *thread;
	long pid, n;

	n = sys_readlinkat(AT_FDCWD, dir == AT_FDCWD ? "/proc/self/cwd" : place_path(&at, magic), text, size - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (below && !cut_name(text, below))
		return 0;
	pid = last_number(text);
	thread = (char *)(uintptr_t)mem_base(text);
	if (!pid || thread == text)
		return pid;
	thread[-1] = '\0'; /* PID/task/TID? */
	if (cut_name(text, "task") && last_number(text))
		return last_number(text);
	text[strlen(text)] = '/'; /* back to where it was cut */
	thread[-1] = '/';
	return pid;
}

bool place_proc_own(long pid)
{
	return pid && (pid == sys_getpid() || pid == sys_gettid());
}

/* Is the directory cur, in a procfs, that of the calling process?  Or, with a name, its directory
 * of that name. */
static NOINLINE bool walk_own_dir(const struct walk *w, const char *name)
{
	char text[PATH_MAX];

	return place_proc_own(place_proc_pid(w->cur, name, text, sizeof text));
}

static bool walk_own_proc(const struct walk *w)
{
	return walk_own_dir(w, NULL);
}

static bool walk_own_proc_fd(const struct walk *w)
{
	return walk_own_dir(w, "fd") || walk_own_dir(w, "fdinfo");
}

/* Is name, in /proc/self/fd, a descriptor that we hold for this call?  The program has none. */
static bool walk_is_held(const struct walk *w, const char *name, const struct stat *st)
{
	long n = 0;

	for (; *name >= '0' && *name <= '9' && n < 1000000; name++)
		n = n * 10 + *name - '0';
	return !*name && ((w->owned && n == w->cur) || n + 1 == w->v->also_held) && walk_is_magic(w, st) &&
	       walk_own_proc_fd(w);
}

/* The guest's path of the program whose directory in procfs the walk stands in, put right in front of
 * end, with room bytes to do so.  Its length; 0: the kernel's link is all there is. */
static NOINLINE long walk_exe(const struct walk *w, char *end, size_t room)
{
	char *const start = end - room;
	struct str s = {start, end};
	size_t n;
	int r = 0;

	if (w->v->exe && walk_own_proc(w))
		str_puts(&s, w->v->exe);
	else
		r = place_proc_exe(w->v, w->cur, &s);
	if (r < 0 || !s.at)
		return r < 0 && r != -ENAMETOOLONG ? 0 : -ENAMETOOLONG;
	n = (size_t)(s.at - start);
	memmove(end - n, start, n);
	return (long)n;
}

/* The root of another process: a descriptor, v->fd where it is ours.  What that process says may be anything, its
 * own /proc/PID/root as well. */
static NOINLINE int walk_root_of(const struct walk *w)
{
	static const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
	char text[PATH_MAX];
	struct str s = {text, text + sizeof text};
	int fd;

	if (place_proc_root(w->v, w->cur, &s) < 0 || mem_equal(text, "/"))
		return w->v->fd;
	fd = place_open(w->v, AT_FDCWD, text, &how);
	return fd < 0 ? w->v->fd : fd;
}

/* What there is against the magic link name: what the kernel says, then what the caller says, then,
 * for RESOLVE_NO_XDEV, that it leads to another mount. */
static int walk_through(const struct walk *w, const char *name, int refused, bool one_mount)
{
	int fd, r = refused;

	if (!refused && !one_mount && !mem_equal(name, "root"))
		return 0;
	fd = sys_openat(w->cur, name, O_PATH | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	if (!r && one_mount)
		r = walk_leaves(w, fd);
	sys_close(fd);
	return r;
}

/* One of the fs.protected_* switches; 1 where it cannot be read. */
static NOINLINE int walk_sysctl(const char *path)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	char c = '1';

	if (fd >= 0) {
		if (sys_read(fd, &c, 1) != 1)
			c = '1';
		sys_close(fd);
	}
	return c - '0';
}

static int follow_protected(const struct walk *w, const struct stat *link)
{
	/* fs/namei.c, may_follow_link; so seldom that the sysctl is asked each time */
	struct stat dir;

	if (sys_fstatat(w->cur, "", &dir, AT_EMPTY_PATH) < 0)
		return 0;
	if ((dir.st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH) || dir.st_uid == link->st_uid ||
		link->st_uid == (uid_t)sys_call(SYS_geteuid))
		return 0;
	return walk_sysctl("/proc/sys/fs/protected_symlinks") ? -EACCES : 0;
}

/* fs/namei.c, may_create_in_sticky: O_CREAT of another's file that is there already */
static int create_protected(const struct walk *w, const struct stat *st)
{
	struct stat dir;
	int level;

	if (sys_fstatat(w->cur, "", &dir, AT_EMPTY_PATH) < 0)
		return 0;
	if (!(dir.st_mode & S_ISVTX) || st->st_uid == dir.st_uid || st->st_uid == (uid_t)sys_call(SYS_geteuid))
		return 0;
	if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode)) /* no switch lets these be */
		return dir.st_mode & S_IWOTH ? -EACCES : 0;
	level = walk_sysctl(S_ISREG(st->st_mode) ? "/proc/sys/fs/protected_regular" : "/proc/sys/fs/protected_fifos");
	return level && ((dir.st_mode & S_IWOTH) || (level > 1 && (dir.st_mode & S_IWGRP))) ? -EACCES : 0;
}

/* Opens the last name, which was seen to be w->last with status st and no symlink; w->last is closed.  If
 * it has become one meanwhile: -ELOOP.  O_NOFOLLOW of our own would show in F_GETFL, so kernels
 * without openat2 open what w->last holds by its magic link. */
static int walk_last(struct walk *w, const char *name, const struct open_how *how, const struct stat *st)
{
	struct place at = {.dir = w->last, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH];
	int r;

	if (!view_walks(w->v) || (how->flags & O_NOFOLLOW) || S_ISLNK(st->st_mode)) {
		sys_close(w->last);
		w->last = -1;
		return view_walks(w->v) ? open_last(w->cur, name, how, 0, 0)
				  : open2(w->cur, name, how, RESOLVE_NO_SYMLINKS);
	}
	if ((how->flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		r = -EEXIST;
	else if ((how->flags & O_CREAT) && S_ISDIR(st->st_mode))
		r = -EISDIR;
	else if ((how->flags & O_CREAT) && create_protected(w, st) < 0)
		r = -EACCES;
	else
		r = open_last(AT_FDCWD, place_path(&at, magic), how, 0, O_CREAT);
	sys_close(w->last);
	w->last = -1;
	return r;
}

/* Opens the directory that the walk stands in. */
static int walk_stands(const struct walk *w, const struct open_how *how)
{
	int r = open_last(w->cur, ".", how, 0, 0);

	return r == -EACCES && w->cur != AT_FDCWD ? reopen_dir(w->cur, how) : r;
}

/* Creates the last name, which was seen not to be there; -EEXIST when it has come meanwhile.  O_EXCL
 * does not follow a symlink, and F_GETFL does not show it. */
static int walk_create(const struct walk *w, const char *name, const struct open_how *how)
{
	return open_last(w->cur, name, how, O_EXCL, 0);
}

/* open(2) promises the lowest free number, and the walk has held some while it was opened. */
static int walk_lowest(int fd, const struct open_how *how)
{
	int low = sys_fcntl(fd, how->flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD, 0);

	if (low < 0)
		return fd;
	sys_close(low < fd ? fd : low);
	return low < fd ? low : fd;
}

static bool writes(int flags)
{
	return !(flags & O_PATH) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC));
}

/* openat2 by hand.  text is big: the walker is for the calls that the fast paths refuse. */
static NOINLINE int walk_open(const struct view *v, int dirfd, const char *guest,
	const struct open_how *how)
{
	char own[2 * PATH_MAX], name[NAME_MAX + 2];
	char *text = own, *end = own + sizeof own - 1;
	const bool scoped = how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
	struct walk w = {.v = v, .cur = dirfd, .last = -1, .top = scoped ? dirfd : -1};
	const bool point = how->resolve & PLACE_POINT;
	struct cancel_undo undo;
	const bool one_mount = how->resolve & RESOLVE_NO_XDEV;
	bool rooted = *guest == '/'; /* fs/namei.c, nd->root is set */
	bool own_exe = false; /* it leads to the program of this process */
	struct open_how kept;
	const int flags = (int)how->flags;
	const bool nofollow = (flags & O_NOFOLLOW) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	char *rest;
	size_t n = strlen(guest);
	unsigned races = 0;
	struct stat st;
	int r, fd;

	if (flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) {
		/* combinations that are wrong by themselves come before the path (build_open_flags) */
		r = sys_openat(AT_FDCWD, "", flags, (mode_t)how->mode);
		if (r != -ENOENT)
			return r;
	}
	*end = '\0';
	rest = end - n;
	memcpy(rest, guest, n);
	if (*rest == '/') {
		if (how->resolve & RESOLVE_BENEATH)
			return told(v->fd, -EXDEV);
		if (!scoped)
			w.cur = v->fd;
	}
	if (one_mount && sys_fstatat(w.cur, "", &st, AT_EMPTY_PATH) == 0)
		w.dev = st.st_dev;
	if (UNLIKELY(point))
		cancel_push(&undo, walk_end, &w);
	for (;;) {
		struct bind *b;
		bool last, slash;
		char *c;

		while (*rest == '/')
			rest++;
		if (!*rest) { /* the walk ends on a directory it stands in */
			r = walk_stands(&w, how);
			break;
		}
		for (c = rest; *c && *c != '/'; c++)
			;
		n = (size_t)(c - rest);
		memcpy(name, rest, n <= NAME_MAX ? n : NAME_MAX + 1);
		name[n <= NAME_MAX ? n : NAME_MAX + 1] = '\0';
		slash = *c == '/';
		while (*c == '/')
			c++;
		last = !*c;

		/* the next name asks for all that "." would: a directory, and search permission */
		if (!last && mem_equal(name, ".")) {
			rest = c;
			continue;
		}
		if (last && slash && (flags & O_CREAT) && !mem_equal(name, ".") && !mem_equal(name, "..")) {
			/* fs/namei.c, open_last_lookups: by its form alone, when the walk has come there */
			r = sys_openat(w.cur, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
			if (r >= 0) {
				sys_close(r);
				r = -EISDIR;
			}
			break;
		}
		if (n > NAME_MAX) { /* what is wrong with the directory comes first, and sysfs has no such limit */
			r = last ? sys_openat(w.cur, rest, flags, (mode_t)how->mode)
				 : sys_openat(w.cur, name, O_PATH | O_CLOEXEC, 0);
			break;
		}
		if (mem_equal(name, "..")) {
			rooted = true;
			if (scoped && walk_is_top(&w)) {
				r = how->resolve & RESOLVE_BENEATH ? told(v->fd, -EXDEV) : 0;
				if (r < 0)
					break;
				rest = c;
				continue;
			}
			r = walk_up(&w);
			if (r == 0 && one_mount)
				r = walk_leaves(&w, w.cur);
			if (r < 0)
				break;
			rest = c;
			continue;
		}
		fd = sys_openat(w.cur, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
		if (fd == -ENOENT && last && (flags & O_CREAT)) {
			r = walk_create(&w, name, how);
			if (r == -EEXIST && !(flags & O_EXCL) && ++races < 64)
				continue; /* it came in between: look again */
			break;
		}
		if (fd < 0) {
			r = fd;
			break;
		}
		r = sys_fstatat(fd, "", &st, AT_EMPTY_PATH);
		if (r < 0) {
			sys_close(fd);
			break;
		}

		if (S_ISLNK(st.st_mode) && walk_is_held(&w, name, &st)) {
			sys_close(fd);
			r = -ENOENT;
			break;
		}
		if (S_ISLNK(st.st_mode) && !(last && nofollow && !slash)) {
			if ((how->resolve & RESOLVE_NO_SYMLINKS) || ++w.links > LINKS) {
				sys_close(fd);
				r = -ELOOP;
				break;
			}
			if (last && (r = follow_protected(&w, &st)) < 0) {
				sys_close(fd);
				break;
			}
			if (walk_is_magic(&w, &st)) {
				char *const before = c - (slash ? 1 : 0); /* "/" and the rest follow there */
				long exe = mem_equal(name, "exe") ? walk_exe(&w, before, (size_t)(before - text)) : 0;

				sys_close(fd);
				if (exe < 0) {
					r = (int)exe;
					break;
				}
				/* that of another process is the kernel's to refuse (proc(5)) */
				r = walk_through(&w, name, how->resolve & RESOLVE_NO_MAGICLINKS ? -ELOOP
					: scoped ? -EXDEV : 0, one_mount && !exe);
				if (r < 0)
					break;
				if (mem_equal(name, "root")) {
					r = walk_own_proc(&w) ? v->fd : walk_root_of(&w);
					walk_to(&w, r, r != v->fd);
					w.in = NULL;
					rest = c;
					continue;
				}
				if (!exe) {
					if (last && !slash) {
						r = open_last(w.cur, name, how, 0, 0);
						break;
					}
					r = sys_openat(w.cur, name, O_PATH | O_CLOEXEC, 0);
					if (r < 0)
						break;
					walk_to(&w, r, true);
					w.in = NULL;
					rest = c;
					continue;
				}
				rest = before - exe;
				/* refused below when it is open, and must not be emptied before; without
				 * O_TRUNC whose file it is must not be asked before who may write it */
				own_exe = true;
				kept = *how;
				if (writes(flags))
					kept.flags &= ~(uint64_t)(O_TRUNC | O_NOATIME);
				how = &kept;
				walk_to(&w, v->fd, false);
				w.in = NULL;
				continue;
			}
			/* the target goes in front of what is left: read it where there is room */
			n = (size_t)(c - text) - (slash ? 1 : 0);
			if (n < PATH_MAX && !w.more) { /* the kernel, too, remembers up to forty targets */
				w.more = sys_pages(MORE);
				if (w.more) {
					size_t left = (size_t)(end - c) + 1;

					memcpy(w.more + MORE - left, c, left);
					text = w.more;
					end = w.more + MORE - 1;
					c = w.more + MORE - left;
					n = (size_t)(c - text) - (slash ? 1 : 0);
				}
			}
			r = (int)sys_readlinkat(fd, "", text, n < PATH_MAX ? n : PATH_MAX);
			sys_close(fd);
			if (r < 0)
				break;
			if (r == 0 || (size_t)r == n) {
				r = r ? -ENAMETOOLONG : -ENOENT;
				break;
			}
			rest = c - (slash ? 1 : 0) - r;
			memmove(rest, text, (size_t)r);
			if (slash)
				rest[r] = '/';
			if (*rest == '/') {
				/* fs/namei.c, nd_jump_root: from a relative path the root is "another mount" */
				if (((how->resolve & RESOLVE_NO_XDEV) && (!rooted || w.in)) ||
					(how->resolve & RESOLVE_BENEATH)) {
					r = -EXDEV;
					break;
				}
				rooted = true;
				walk_to(&w, scoped ? w.top : v->fd, false);
				w.in = NULL;
			}
			continue;
		}

		b = bind_at(v, name, &st);
		if (b) {
			sys_close(fd);
			fd = b->fd;
			if (how->resolve & RESOLVE_NO_XDEV) {
				r = -EXDEV;
				break;
			}
			if ((!last || slash) && !b->is_dir) {
				r = -ENOTDIR;
				break;
			}
			if (last) {
				r = reopen(b->fd, b->is_dir, how);
				break;
			}
			walk_to(&w, b->fd, false);
			w.in = b;
			rest = c;
			continue;
		}
		if (one_mount && st.st_dev != w.dev) {
			sys_close(fd);
			r = -EXDEV;
			break;
		}
		if (!last) {
			if (!S_ISDIR(st.st_mode)) {
				sys_close(fd);
				r = -ENOTDIR;
				break;
			}
			walk_to(&w, fd, true);
			rest = c;
			continue;
		}
		if (slash && !S_ISDIR(st.st_mode) && !(flags & O_CREAT)) {
			sys_close(fd);
			r = -ENOTDIR;
			break;
		}
		if (slash)
			name[n] = '/', name[n + 1] = '\0';
		w.last = fd;
		r = walk_last(&w, name, how, &st);
		if (r == -ELOOP && !nofollow && !S_ISLNK(st.st_mode) && ++races < 64)
			continue;
		break;
	}
	if (UNLIKELY(point))
		cancel_pop(&undo);
	walk_end(&w);
	if (r >= 0 && own_exe && writes(flags)) {
		/* open(2): its text is in use, for who may write it (fs/namei.c, may_open, comes first) */
		int denied = sys_faccessat2(r, "", W_OK, AT_EACCESS | AT_EMPTY_PATH);

		if (denied != -EACCES)
			denied = flags & O_NOATIME ? sys_fcntl(r, F_SETFL, O_NOATIME) : 0;
		sys_close(r);
		return denied == -EACCES || denied == -EPERM ? denied : -ETXTBSY;
	}
	return r >= 0 ? walk_lowest(r, how) : r;
}

/* -- open ----------------------------------------------------------------------------------- */

/* Which paths have met a symlink, and in which directories that goes for several: a guess at the
 * attempt to make first, and never more than that.  Races lose a guess. */
BESIDE static struct {
	unsigned char path[256], dir[256];
} linked;

enum { LINKED_DIR = 3 };

static bool linked_guess(const struct scan *s)
{
	return linked.path[s->hash_all % 256] || linked.dir[s->hash % 256] >= LINKED_DIR;
}

static void linked_learn(const struct scan *s, bool met)
{
	unsigned char *path = &linked.path[s->hash_all % 256], *dir = &linked.dir[s->hash % 256];

	if (!met) {
		*path = 0;
		*dir = 0;
	} else if (!*path && *dir < LINKED_DIR) {
		*path = 1;
		++*dir;
	}
}

/* A symlink is on the way, and a bind point may lie behind it.  The kernel follows it below dir,
 * blind to the binds: right unless the walk went through what a bind hides.  What is hidden is
 * known, so that the outcome tells; a failure tells nothing, and an open that changes something
 * is not to be tried.  The walker decides the rest. */
static int open_linked(const struct view *v, int dirfd, const char *guest, const struct open_how *how,
	unsigned resolve, const struct scan *s)
{
	struct stat st;
	int fd;

	if (!v->opaque && (s->abs || !v->strayed) && !(how->resolve & RESOLVE_NO_XDEV) && ((how->flags & O_PATH) ||
			  !(how->flags & (O_ACCMODE | O_CREAT | O_TRUNC)))) {
		fd = open2(resolve & RESOLVE_IN_ROOT ? v->fd : dirfd, guest, how,
			resolve | RESOLVE_NO_MAGICLINKS);
		if (fd >= 0) {
			if (sys_fstat(fd, &st) == 0 && !hidden(v, &st)) {
				linked_learn(s, true);
				return fd;
			}
			sys_close(fd);
		} else if (linked_guess(s)) {
			/* a wrong guess, perhaps: without symlinks the failure would be the answer */
			fd = open2(resolve & RESOLVE_IN_ROOT ? v->fd : dirfd, guest, how,
				resolve | RESOLVE_NO_SYMLINKS);
			if (fd != -ELOOP && fd != -EXDEV) {
				linked_learn(s, false);
				return fd;
			}
		}
	}
	return walk_open(v, dirfd, guest, how);
}

/* A path that begins with ".." from a working directory inside the root: the guest's name of the
 * directory goes in front, and one call from the root does the rest.  -EXDEV: not that simple. */
static NOINLINE int open_up(const struct view *v, const char *guest, const struct open_how *how,
	const struct scan *s)
{
	char text[2 * PATH_MAX];
	long n;
	int r;

	if (v->in_root || (how->resolve & RESOLVE_NO_XDEV))
		return -EXDEV;
	n = sys_getcwd(text, PATH_MAX);
	if (n <= 0 || (size_t)n <= v->host_len || memcmp(text, v->host, v->host_len) != 0 ||
		(text[v->host_len] && text[v->host_len] != '/'))
		return -EXDEV;
	text[n - 1] = '/';
	memcpy(text + n, guest, s->len + 1);
	if (strlen(text + v->host_len) >= PATH_MAX)
		return -EXDEV;
	r = open2(v->fd, text + v->host_len, how, RESOLVE_IN_ROOT | (v->nbinds ? RESOLVE_NO_SYMLINKS : 0));
	/* the way down to the directory need not be open to us, which was in it already */
	return r == -EACCES || r == -ELOOP || r == -EAGAIN ? -EXDEV : r;
}

/* Is dirfd the root, or perhaps another directory with a bind point below? */
static bool above_bind(const struct view *v, int dirfd)
{
	struct stat st;

	if (!v->nbinds)
		return false;
	for (size_t i = 0; i < v->nbinds; i++)
		if (v->binds[i].name - v->binds[i].guest > 1)
			return true;
	return sys_fstatat(dirfd, "", &st, AT_EMPTY_PATH) == 0 && st.st_ino == v->ino && st.st_dev == v->dev;
}

static int open_quick(const struct view *v, int dirfd, const char *guest,
	const struct open_how *how, const struct scan *s)
{
	/* from a directory outside the root, a symlink may lead through the root's own ".." */
	const unsigned no_links = v->nbinds || (v->strayed && !s->abs) ? RESOLVE_NO_SYMLINKS : 0;
	const unsigned scope = s->abs ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
	const char *rest = NULL;
	struct bind *b;
	int r;

	if (!s->len)
		return -ENOENT;
	/* The program's own openat2(2) below a directory leaves it by no way, but may meet a bind. */
	if (how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
		return above_bind(v, dirfd) ? walk_open(v, dirfd, guest, how) : open2(dirfd, guest, how, 0);
	if (view_walks(v))
		return walk_open(v, dirfd, guest, how);
	if (s->abs) {
		if (s->named) {
			b = s->dotdot ? NULL : place_bind_of(v, guest, &rest);
			if (!b && s->dotdot)
				return walk_open(v, dirfd, guest, how);
			if (b) {
				if ((how->resolve & RESOLVE_NO_XDEV) &&
					!(!*rest && s->slash && (how->flags & O_CREAT) && !s->last_dots))
					return told(v->fd, -EXDEV);
				if (!*rest) {
					if (s->slash && (how->flags & O_CREAT) && !s->last_dots) {
						/* by its form alone (open_last_lookups), if the flags are good */
						r = sys_openat(AT_FDCWD, "", (int)how->flags, (mode_t)how->mode);
						return r == -ENOENT ? told(v->fd, -EISDIR) : r;
					}
					if (!b->is_dir && s->slash)
						return told(v->fd, -ENOTDIR);
					return reopen(b->fd, b->is_dir, how);
				}
				if (!b->is_dir)
					return told(v->fd, -ENOTDIR);
				/* /dev/null: as below; a procfs begins with the symlink "self" */
				r = -ELOOP;
				if (!b->is_proc || b->has_binds || (how->resolve & RESOLVE_NO_SYMLINKS))
					r = open2(b->fd, rest, how, RESOLVE_NO_SYMLINKS);
				if (r == -ELOOP && !b->has_binds && !(how->resolve & RESOLVE_NO_SYMLINKS))
					r = open2(b->fd, rest, how, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
				if ((r == -ELOOP || r == -EXDEV) && !(how->resolve & RESOLVE_NO_SYMLINKS))
					return walk_open(v, dirfd, guest, how);
				return r;
			}
		}
	} else if (s->dotdot_first || s->named || (s->dotdot && v->strayed)) {
		if (s->dotdot_first && dirfd == AT_FDCWD && !s->named && !v->strayed) {
			r = open_up(v, guest, how, s);
			if (r != -EXDEV)
				return r;
		}
		return walk_open(v, dirfd, guest, how);
	}
	if (no_links && linked_guess(s) && !(how->resolve & RESOLVE_NO_SYMLINKS))
		return open_linked(v, dirfd, guest, how, scope, s);
	if (no_links && !s->dotdot) {
		/* neither symlink nor "..": nothing leads out, and the kernel need not watch (it would
		 * climb from the end to the directory again) */
		rest = guest;
		while (*rest == '/')
			rest++;
		r = open2(s->abs ? v->fd : dirfd, *rest ? rest : ".", how, RESOLVE_NO_SYMLINKS);
	} else {
		r = open2(s->abs ? v->fd : dirfd, guest, how, scope | no_links);
	}
	if (r == -ELOOP && no_links && !(how->resolve & RESOLVE_NO_SYMLINKS))
		return open_linked(v, dirfd, guest, how, scope, s);
	if (r == -EXDEV || (r == -ELOOP && !s->abs && !(how->resolve & RESOLVE_NO_SYMLINKS)))
		return walk_open(v, dirfd, guest, how);
	return r;
}

static int open_scanned(const struct view *v, int dirfd, const char *guest,
	const struct open_how *how, const struct scan *s)
{
	int r = open_quick(v, dirfd, guest, how, s);

	return UNLIKELY(r == -ENOSYS) && sys_missing(SYS_openat2) ? walk_open(v, dirfd, guest, how) : r;
}

static void nofile_undo(void *was)
{
	sys_nofile_restore(was);
}

/* The table of descriptors is full, and what is wanted may be none of the program's: lstat(2) makes
 * no descriptor.  For ours the soft limit gives way for a moment, where the hard one lets it.  For
 * one of the program's own there must be a free number first: nothing may be made or emptied by an
 * open that fails for want of one. */
static NOINLINE int open_full(const struct view *v, int dirfd, const char *guest,
	const struct open_how *how, const struct scan *s, bool own)
{
	const bool point = how->resolve & PLACE_POINT;
	struct cancel_undo undo;
	struct rlimit was;
	int r;

	r = own ? 0 : told(v->fd, 0);
	if (r == 0)
		r = sys_nofile_lift(&was);
	if (r < 0)
		return r;
	if (UNLIKELY(point))
		cancel_push(&undo, nofile_undo, &was);
	r = open_scanned(v, dirfd, guest, how, s);
	if (UNLIKELY(point))
		cancel_pop(&undo);
	sys_nofile_restore(&was);
	/* one of the program's own must not lie beyond its limit */
	if (r >= 0 && (rlim_t)r >= was.rlim_cur && !own) {
		sys_close(r);
		return -EMFILE;
	}
	return r;
}

static int open_own(const struct view *v, int dirfd, const char *guest, const struct open_how *how,
	const struct scan *s)
{
	int r = open_scanned(v, dirfd, guest, how, s);

	return UNLIKELY(r == -EMFILE) ? open_full(v, dirfd, guest, how, s, true) : r;
}

static int open_checked(const struct view *v, int dirfd, const char *guest, const struct open_how *how,
	bool own)
{
	struct scan s;
	int r;

	if (UNLIKELY(v->fd < 0))
		return -v->error;
	r = place_scan(&s, v, guest);
	if (r < 0 || !s.len) /* the kernel knows which error comes first */
		return sys_openat(dirfd, guest, (int)how->flags, (mode_t)how->mode);
	r = open_scanned(v, dirfd, guest, how, &s);
	return r == -EMFILE ? open_full(v, dirfd, guest, how, &s, own) : r;
}

int place_open(const struct view *v, int dirfd, const char *guest, const struct open_how *how)
{
	return v ? open_checked(v, dirfd, guest, how, false) : sys_openat2(dirfd, guest, how);
}

int place_hold(const struct view *v, int dirfd, const char *guest, unsigned flags, unsigned resolve)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags, .resolve = resolve};

	return v ? open_checked(v, dirfd, guest, &how, true)
		 : sys_openat(dirfd, guest, (int)how.flags, 0);
}

/* -- places --------------------------------------------------------------------------------- */

static int parent_open(const struct view *v, int dirfd, const char *guest, const struct scan *s,
	char *buf)
{
	static const struct open_how dir = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
	struct scan up = *s;

	memcpy(buf, guest, s->parent);
	buf[s->parent] = '\0';
	up.len = s->parent;
	up.slash = true;
	/* s says of the whole path what up needs for a part of it; more caution is never wrong */
	return open_own(v, dirfd, buf, &dir, &up);
}

static NOINLINE int parent_open_long(const struct view *v, int dirfd, const char *guest,
	const struct scan *s)
{
	char buf[PATH_MAX];

	return parent_open(v, dirfd, guest, s, buf);
}

static int parent_open_short(const struct view *v, int dirfd, const char *guest,
	const struct scan *s)
{
	char buf[512];

	return parent_open(v, dirfd, guest, s, buf);
}

/* Is the last name a bind point's? */
static bool name_shown(const struct view *v, const struct place *at)
{
	char name[NAME_MAX + 1];
	const char *e = at->name;
	struct stat st;

	while (*e && *e != '/')
		e++;
	if ((size_t)(e - at->name) > NAME_MAX || !(v->names & letter(*at->name)) ||
		!named(v, at->name, (size_t)(e - at->name)))
		return false;
	memcpy(name, at->name, (size_t)(e - at->name));
	name[e - at->name] = '\0';
	return sys_fstatat(at->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && bind_at(v, name, &st);
}

bool place_bound(const struct view *v, const struct place *at)
{
	return v && at->name && !(at->flags & AT_EMPTY_PATH) && name_shown(v, at);
}

int place_find(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how)
{
	struct scan s;
	int r;

	*ret = (struct place){.dir = dirfd, .name = guest};
	if (!v)
		return 0;
	if (UNLIKELY(v->fd < 0))
		return -v->error;
	if (!guest)
		return 0; /* EFAULT, or the descriptor itself: the kernel knows which */
	r = place_scan(&s, v, guest);
	return r < 0 ? r : place_find_scanned(ret, v, dirfd, guest, how, &s);
}

int place_find_scanned(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how,
	const struct scan *s)
{
	struct open_how path = {.flags = O_PATH | O_CLOEXEC};
	int r;

	*ret = (struct place){.dir = dirfd, .name = guest};
	if (!s->len)
		return 0;
	if (s->count == 1 && !s->abs && !s->dotdot && !s->last_named &&
		(how & PLACE_OBJECT ? (how & (PLACE_NOFOLLOW | PLACE_TRY)) && !s->slash : 1)) {
		if (how & PLACE_TRY)
			ret->flags = AT_SYMLINK_NOFOLLOW;
		return 0;
	}
	if (how & PLACE_OBJECT) {
		if (how & PLACE_NOFOLLOW)
			path.flags |= O_NOFOLLOW;
		r = open_own(v, dirfd, guest, &path, s);
		if (r < 0)
			return r;
		*ret = (struct place){.dir = r, .name = "", .flags = AT_EMPTY_PATH, .owned = true};
		return 0;
	}
	ret->name = guest + s->parent;
	if (!s->count) {
		/* "/": the kernel refuses it by its form alone, whatever the directory */
		ret->dir = v->fd;
		return 0;
	}
	if (s->parent) {
		r = s->parent < 512 ? parent_open_short(v, dirfd, guest, s)
				   : parent_open_long(v, dirfd, guest, s);
		if (r < 0)
			return r;
		ret->dir = r;
		ret->owned = true;
	}
	if (s->last_named && (how & PLACE_BOUND) && name_shown(v, ret))
		return (int)place_done(ret, -EBUSY);
	return 0;
}

int place_find_second(struct place *ret, const struct view *v, const struct place *first, int dirfd,
	const char *guest, unsigned how)
{
	struct view second;

	if (!v || !first->owned)
		return place_find(ret, v, dirfd, guest, how);
	second = *v;
	second.also_held = first->dir + 1;
	return place_find(ret, &second, dirfd, guest, how);
}

long place_done(struct place *at, long r)
{
	if (at->owned)
		sys_close(at->dir);
	at->owned = false;
	return r; /* value or -errno; edge() alone turns it into -1 and errno */
}

/* -- host -> guest -------------------------------------------------------------------------- */

/* What follows the directory prefix (n bytes) in host, or NULL: "" or "/..." */
static const char *below(const char *host, const char *prefix, size_t n)
{
	if (memcmp(host, prefix, n) != 0 || (host[n] && host[n] != '/'))
		return NULL;
	return host + n;
}

static int guest_below(const struct view *v, const char *host, struct str *out)
{
	const size_t len = strlen(host);
	const char *rest = NULL;
	size_t best = 0;
	const struct bind *in = NULL;

	if (!v) {
		str_puts(out, host);
		return out->at ? 0 : -ENAMETOOLONG;
	}
	if (len >= v->host_len)
		rest = below(host, v->host, v->host_len);
	if (rest)
		best = v->host_len + 1;
	for (size_t i = 0; i < v->nbinds; i++) {
		const struct bind *b = &v->binds[i];
		const char *r;
		size_t n = mem_equal(b->host, "/") ? 0 : b->host_len;

		if (len < n || n + 1 <= best || !(r = below(host, b->host, n)))
			continue;
		rest = r;
		best = n + 1;
		in = b;
	}
	if (!rest)
		return -ENOENT;
	if (in)
		str_puts(out, in->guest);
	else if (!*rest)
		str_puts(out, "/");
	if (!(in && mem_equal(rest, "/")))
		str_puts(out, rest);
	return out->at ? 0 : -ENAMETOOLONG;
}

/* The root may have been renamed since: its descriptor knows where it is. */
static NOINLINE int guest_moved(const struct view *v, const char *host, struct str *out)
{
	struct place at = {.dir = v->fd, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH], now[PATH_MAX];
	struct view moved = *v;
	long n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), now, sizeof now - 1);

	if (n <= 1)
		return -ENOENT;
	now[n] = '\0';
	if (mem_equal(now, v->host))
		return -ENOENT;
	moved.host = now;
	moved.host_len = (size_t)n;
	return guest_below(&moved, host, out);
}

int place_guest(const struct view *v, const char *host, struct str *out)
{
	int r = guest_below(v, host, out);

	return r == -ENOENT && v->fd >= 0 ? guest_moved(v, host, out) : r;
}

long place_guest_fd(const struct view *v, int fd, char *buf, size_t n)
{
	struct place at = {.dir = fd, .flags = AT_EMPTY_PATH};
	struct str s = {buf, buf + n};
	char magic[PLACE_PATH], host[PATH_MAX + 64];
	long r;
	int e;

	r = sys_readlinkat(AT_FDCWD, fd == AT_FDCWD ? "/proc/self/cwd" : place_path(&at, magic), host,
		sizeof host - 1);
	if (r < 0)
		return r;
	host[r] = '\0';
	if (host[0] != '/') {
		str_puts(&s, host);
		return s.at ? s.at - buf : -ENAMETOOLONG;
	}
	e = place_guest(v, host, &s);
	if (e == -ENOENT) { /* d_path() of what the root does not reach is the whole host path */
		s = (struct str){buf, buf + n};
		str_puts(&s, host);
		e = s.at ? 0 : -ENAMETOOLONG;
	}
	return e < 0 ? e : s.at - buf;
}

/* -- other processes --------------------------------------------------------------------------- */

/* The value of the variable key ("NAME=") in the environment that the process was executed with. */
static int proc_variable(int dir, const char *key, struct str *out)
{
	const char *match = key; /* as far as it goes; NULL: not in this variable */
	char buf[1024];
	bool found = false, done = false;
	long have;
	int fd = sys_openat_own(dir, "environ", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return fd;
	str_puts(out, "");
	while (!done && (have = sys_read(fd, buf, sizeof buf)) > 0)
		for (long i = 0; i < have && !done; i++) {
			if (found && buf[i])
				str_put(out, &buf[i], 1);
			else if (found)
				done = true;
			else if (!buf[i])
				match = key;
			else if (match && buf[i] == *match)
				found = !*++match;
			else
				match = NULL;
		}
	sys_close(fd);
	return !found ? -ENOENT : out->at ? 0 : -ENAMETOOLONG;
}

/* The host's path from start on in out becomes the guest's, or, where the root does not reach it, stays
 * as it is, which is how the kernel tells it. */
static NOINLINE int proc_shown(const struct view *v, char *start, struct str *out)
{
	char host[PATH_MAX];
	const size_t n = (size_t)(out->at - start) + 1;
	int r;

	if (n > sizeof host)
		return -ENAMETOOLONG;
	memcpy(host, start, n);
	out->at = start;
	r = place_guest(v, host, out);
	if (r == -ENOENT) {
		out->at = start;
		str_puts(out, host);
		r = out->at ? 0 : -ENAMETOOLONG;
	}
	return r;
}

int place_proc_root(const struct view *v, int dir, struct str *out)
{
	char *const start = out->at;
	int r = proc_variable(dir, "LIBJAIL_ROOT=", out);

	return r < 0 ? r : proc_shown(v, start, out);
}

int place_proc_exe(const struct view *v, int dir, struct str *out)
{
	char *const start = out->at;
	int r = proc_variable(dir, "LIBJAIL_ROOT=", out);
	bool ours;

	if (r < 0)
		return r;
	ours = mem_equal(start, v->host_len ? v->host : "/");
	if (ours || mem_equal(start, "/"))
		out->at = start;
	r = proc_variable(dir, "LIBJAIL_0_EXE=", out);
	return r < 0 || ours ? r : proc_shown(v, start, out);
}

/* -- views ---------------------------------------------------------------------------------- */

int view_fd_beyond(int fd, int fd_min)
{
	int high = -EMFILE;

	if (fd_min < 236) /* a small RLIMIT_NOFILE: the program may need every number */
		high = sys_dup_beyond(fd);
	if (high < 0 && fd >= fd_min)
		return high;
	if (high < 0)
		high = sys_fcntl(fd, F_DUPFD_CLOEXEC, fd_min);
	if (high < 0) /* as high as it goes */
		high = sys_fcntl(fd, F_DUPFD_CLOEXEC, 10);
	return high;
}

int view_fd_high(int fd, int fd_min)
{
	int high;

	if (fd < 0 || (fd >= fd_min && fd_min >= 236))
		return fd;
	high = view_fd_beyond(fd, fd_min);
	if (high < 0 && fd >= fd_min)
		return fd;
	sys_close(fd);
	return high;
}

/* The canonical host path of fd, kept for ever; NULL when the kernel will not say. */
static int host_of(int fd, const char **ret)
{
	struct place at = {.dir = fd, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH], host[PATH_MAX];
	long n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), host, sizeof host - 1);

	if (n < 0)
		return (int)n;
	if (n == 0 || host[0] != '/')
		return -ENAMETOOLONG;
	if (n == 1)
		n = 0; /* "/": every path continues it */
	*ret = mem_keep(host, (size_t)n);
	return *ret ? 0 : -ENOMEM;
}

void view_sum(struct view *v)
{
	BESIDE static unsigned long ids;

	v->id = __atomic_add_fetch(&ids, 1, __ATOMIC_RELAXED);
	v->names = 0;
	v->opaque = v->in_root = false;
	for (size_t i = 0; i < v->nbinds; i++) {
		v->names |= letter(v->binds[i].name[0]);
		v->opaque |= v->binds[i].opaque;
		v->in_root |= v->binds[i].in_root;
	}
}

int view_open_fd(struct view *ret, int fd, int fd_min)
{
	struct stat st;
	struct statfs fs;
	struct view v = {0};
	int r;

	v.fd = fd_min < 0 ? fd : view_fd_high(fd, fd_min);
	if (v.fd < 0)
		return v.fd;
	r = sys_fstat(v.fd, &st);
	if (r == 0) /* chroot(2) wants search permission on the directory */
		r = sys_faccessat2(v.fd, ".", X_OK, AT_EACCESS);
	if (r == 0)
		r = host_of(v.fd, &v.host);
	if (r < 0) {
		sys_close(v.fd);
		return r;
	}
	v.host_len = strlen(v.host);
	v.dev = st.st_dev;
	v.ino = st.st_ino;
	v.walk = view_walks(&v) || sys_lacks(SYS_openat2) < 0;
	v.is_proc = sys_call(SYS_fstatfs, v.fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	view_sum(&v);
	*ret = v;
	return 0;
}

int view_open(struct view *ret, const char *host, int fd_min)
{
	int fd = sys_openat(AT_FDCWD, host, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	return fd < 0 ? fd : view_open_fd(ret, fd, fd_min);
}

struct dirent64_head { /* getdents(2) */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

enum { HIDDEN_MAX = 256 };

/* Lists what lies below the open directory dir: false when that is too much. */
static bool hidden_list(int dir, ino_t *list, unsigned *n, int depth)
{
	char buf[2048];
	long have;

	while ((have = sys_call(SYS_getdents64, dir, buf, sizeof buf)) > 0)
		for (long at = 0; at < have;) {
			const struct dirent64_head *d = (const void *)(buf + at);

			at += d->reclen;
			if (mem_equal(d->name, ".") || mem_equal(d->name, ".."))
				continue;
			if (*n == HIDDEN_MAX)
				return false;
			list[(*n)++] = d->ino;
			if (d->type == 4 /* DT_DIR */ || !d->type) {
				int sub = sys_openat(dir, d->name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
				bool ok = sub == -ENOTDIR || sub == -ELOOP ||
					  (sub >= 0 && depth < 8 && hidden_list(sub, list, n, depth + 1));

				if (sub >= 0)
					sys_close(sub);
				if (!ok)
					return false;
			}
		}
	return have == 0;
}

/* Notes what the bind will hide: fd is O_PATH on the bind point as the root has it. */
static NOINLINE void hidden_note(struct bind *b, int fd, bool is_dir)
{
	ino_t list[HIDDEN_MAX];
	int dir;

	if (!is_dir)
		return;
	dir = sys_openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	b->opaque = dir < 0 || !hidden_list(dir, list, &b->nhidden, 0);
	if (dir >= 0)
		sys_close(dir);
	if (!b->opaque && b->nhidden) {
		b->hidden = (ino_t *)(void *)mem_keep((const char *)list, b->nhidden * sizeof *list);
		b->opaque = !b->hidden;
	}
	if (b->opaque)
		b->nhidden = 0;
}

int view_bind(struct view *v, const char *host, const char *guest, int fd_min,
	const char **ret_what)
{
	static const struct open_how path = {.flags = O_PATH | O_CLOEXEC};
	struct bind b = {0};
	struct statfs fs;
	struct stat at, st;
	char canon[PATH_MAX];
	long n = 0;
	int r, fd;

	*ret_what = guest;
	fd = place_open(v, AT_FDCWD, guest, &path);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &at);
	if (r == 0) {
		n = place_guest_fd(v, fd, canon, sizeof canon);
		r = n < 0 ? (int)n : 0;
	}
	if (r == 0)
		hidden_note(&b, fd, S_ISDIR(at.st_mode));
	sys_close(fd);
	if (r < 0)
		return r;
	if (n <= 1)
		return -EBUSY; /* the root itself */

	*ret_what = host;
	fd = sys_openat(AT_FDCWD, host, O_PATH | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	fd = view_fd_high(fd, fd_min);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	if (r == 0 && S_ISDIR(st.st_mode) != S_ISDIR(at.st_mode)) {
		*ret_what = guest;
		r = S_ISDIR(st.st_mode) ? -ENOTDIR : -EISDIR;
	}
	if (r == 0)
		r = host_of(fd, &b.host);
	b.guest = mem_keep(canon, (size_t)n);
	if (r == 0 && !b.guest)
		r = -ENOMEM;
	if (r < 0) {
		sys_close(fd);
		return r;
	}
	if (!*b.host)
		b.host = "/";
	b.name = mem_base(b.guest);
	b.guest_len = strlen(b.guest);
	b.host_len = strlen(b.host);
	b.fd = fd;
	b.is_dir = S_ISDIR(st.st_mode);
	b.is_proc = sys_call(SYS_fstatfs, fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	b.in_root = v->host_len < b.host_len && below(b.host, v->host, v->host_len);
	b.dev = at.st_dev;
	b.ino = at.st_ino;
	b.src_dev = st.st_dev;
	b.src_ino = st.st_ino;
	for (size_t i = 0; i < v->nbinds; i++)
		if (v->binds[i].guest_len < b.guest_len && below(b.guest, v->binds[i].guest,
							v->binds[i].guest_len))
			v->binds[i].has_binds = true;
	v->binds[v->nbinds++] = b;
	view_sum(v);
	return 0;
}

static void note_num(struct str *out, unsigned long n)
{
	str_num(out, n);
	str_puts(out, " ");
}

enum { NOTE_WALK = 1, NOTE_ROOT_PROC = 2, NOTE_FILTERED = 4 };
enum { NOTE_DIR = 1, NOTE_PROC = 2, NOTE_BINDS = 4, NOTE_IN_ROOT = 8, NOTE_OPAQUE = 16 };

void view_note_put(const struct view *v, struct str *out)
{
	if (v->note && v->walk == view_walks(v) && v->filtered == sys_filtered) {
		str_puts(out, v->note);
		return;
	}
	note_num(out, (unsigned long)v->fd);
	note_num(out, v->dev);
	note_num(out, v->ino);
	note_num(out, (view_walks(v) ? NOTE_WALK : 0u) | (v->is_proc ? NOTE_ROOT_PROC : 0u) |
			      (sys_filtered ? NOTE_FILTERED : 0u));
	note_num(out, (unsigned long)v->epoch);
	note_num(out, v->epoch_ino);
	note_num(out, v->nbinds);
	for (size_t i = 0; i < v->nbinds; i++) {
		const struct bind *b = &v->binds[i];

		note_num(out, (unsigned long)b->fd);
		note_num(out, b->dev);
		note_num(out, b->ino);
		note_num(out, b->src_dev);
		note_num(out, b->src_ino);
		note_num(out, (b->is_dir ? NOTE_DIR : 0u) | (b->is_proc ? NOTE_PROC : 0u) |
				      (b->has_binds ? NOTE_BINDS : 0u) | (b->in_root ? NOTE_IN_ROOT : 0u) |
				      (b->opaque ? NOTE_OPAQUE : 0u));
		note_num(out, b->nhidden);
		for (unsigned k = 0; k < b->nhidden; k++)
			note_num(out, b->hidden[k]);
	}
}

static bool note_next(const char **note, unsigned long *n)
{
	const char *p = *note;

	for (*n = 0; *p >= '0' && *p <= '9'; p++)
		*n = *n * 10 + (unsigned long)(*p - '0');
	if (p == *note || *p != ' ')
		return false;
	*note = p + 1;
	return true;
}

static bool note_holds(int fd, dev_t dev, ino_t ino)
{
	struct stat st;

	return sys_fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static NOINLINE bool note_hidden(struct bind *b, const char **note)
{
	ino_t list[HIDDEN_MAX];
	unsigned long n;

	for (unsigned k = 0; k < b->nhidden; k++) {
		if (!note_next(note, &n))
			return false;
		list[k] = n;
	}
	b->hidden = (ino_t *)(void *)mem_keep((const char *)list, b->nhidden * sizeof *list);
	return b->hidden != NULL;
}

int view_note_take(struct view *ret, const char *note, const char *host, const char *binds, size_t max)
{
	struct view v = {.host = host, .host_len = strlen(host), .binds = ret->binds};
	/* small: every start of a program comes by here, and pages of the stack are not free; longer
	 * names take the long way */
	char shown[512], guest[512];
	const char *const whole = note;
	unsigned long n[7];

	for (int i = 0; i < 7; i++)
		if (!note_next(&note, &n[i]))
			return -EINVAL;
	v.fd = (int)n[0];
	v.dev = n[1];
	v.ino = n[2];
	v.walk = n[3] & NOTE_WALK;
	v.is_proc = n[3] & NOTE_ROOT_PROC;
	v.filtered = n[3] & NOTE_FILTERED;
	if (UNLIKELY(v.filtered))
		sys_filter();
	v.epoch = (int)n[4];
	v.epoch_ino = n[5];
	if (n[6] > max || !note_holds(v.fd, v.dev, v.ino))
		return -EINVAL;
	if (v.host_len == 1)
		v.host_len = 0, v.host = "";
	v.nbinds = n[6];
	for (size_t i = 0; i < v.nbinds; i++) {
		struct bind *b = &v.binds[i];

		for (;;) { /* words such as "none" are no binds */
			struct str h = {shown, shown + sizeof shown}, g = {guest, guest + sizeof guest};

			if (!view_binds_next(&binds, &h, &g) || !h.at || !g.at)
				return -EINVAL;
			if (*guest)
				break;
		}
		for (int k = 0; k < 7; k++)
			if (!note_next(&note, &n[k]))
				return -EINVAL;
		*b = (struct bind){.fd = (int)n[0], .dev = n[1], .ino = n[2], .src_dev = n[3], .src_ino = n[4],
			.is_dir = n[5] & NOTE_DIR, .is_proc = n[5] & NOTE_PROC,
			.has_binds = n[5] & NOTE_BINDS, .in_root = n[5] & NOTE_IN_ROOT,
			.opaque = n[5] & NOTE_OPAQUE, .nhidden = (unsigned)n[6]};
		if (n[6] > HIDDEN_MAX)
			return -EINVAL;
		if (b->nhidden && !note_hidden(b, &note))
			return -EINVAL;
		b->host_len = strlen(shown);
		b->guest_len = strlen(guest);
		b->host = mem_keep(shown, b->host_len);
		b->guest = mem_keep(guest, b->guest_len);
		if (!b->host || !b->guest)
			return -EINVAL;
		b->name = mem_base(b->guest);
	}
	view_sum(&v);
	v.note = whole;
	*ret = v;
	return 0;
}

bool view_binds_next(const char **list, struct str *host, struct str *guest)
{
	struct str *to = host;
	const char *p = *list;

	*host->at = *guest->at = '\0';
	if (!*p)
		return false;
	for (; *p && *p != ','; p++) {
		char c = *p;

		if (c == ':' && to == host) {
			to = guest;
			continue;
		}
		if (c == '\\' && p[1]) {
			c = *++p;
			if (c == 'n')
				c = '\n';
		}
		str_put(to, &c, 1);
	}
	*list = *p ? p + 1 : p;
	return true;
}
