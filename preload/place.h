/* SPDX-License-Identifier: ISC
 *
 * A guest path -> a place (a directory descriptor and a last name), and a host path -> the guest's
 * name for it.  Values in, a value or -errno out: the view is an argument, no state is read, so
 * that the audit module and the unit tests use the same code.
 *
 * Everything here is async-signal-safe and usable between vfork and exec.  Paths come straight
 * from the program: NULL and bad pointers are answered as the kernel answers them. */
#ifndef JAIL_PLACE_H
#define JAIL_PLACE_H

#include "mem.h"
#include "sys.h"

/* A bind: what of the host shows at one name of the guest. */
struct bind {
	const char *guest;  /* canonical guest path, "/proc": no trailing slash, no symlink */
	const char *host;   /* canonical host path of what is shown */
	const char *name;   /* last component of guest */
	size_t guest_len, host_len;
	int fd;             /* O_PATH on host, high and close-on-exec */
	bool is_dir;
	bool is_proc;       /* a procfs: its magic links are not in-root text */
	bool has_binds;     /* other binds lie below this one */
	bool in_root;       /* what is shown lies in the root too, under its own name */
	dev_t dev, src_dev; /* what lies under the bind point in the root / what is shown */
	ino_t ino, src_ino;
	bool opaque;        /* too much lies under the bind point to list it */
	unsigned nhidden;   /* how many files that is, bind point itself not among them */
	ino_t *hidden;      /* their inode numbers, on dev */
};

enum view_clean { VIEW_CLEAN_OFF, VIEW_CLEAN_ON, VIEW_CLEAN_ALWAYS /* also where it does not pay */ };

/* The guest's /: one view a process, changed by chroot(2) alone. */
struct view {
	int fd;             /* O_PATH on the root, high and close-on-exec; < 0: broken, see error */
	int error;          /* errno that every path call gets when fd < 0 */
	const char *host;   /* canonical host path of the root, no trailing slash ("" for /) */
	size_t host_len;
	dev_t dev;
	ino_t ino;
	unsigned long id;   /* no two views of a process that differ have the same: view_sum() */
	int epoch;          /* 1 + the descriptor of its tree's page (path/epoch.h), high and close-on-exec; 0: there is none */
	ino_t epoch_ino;
	enum view_clean clean; /* lookups may use path/look.h: LIBJAIL_CLEAN */
	bool walk;          /* never use openat2: view_walks() */
	bool filtered;      /* note says that there is a seccomp filter: sys_filter() */
	bool is_proc;       /* the root is a procfs */
	bool opaque, in_root; /* one of the binds is: view_sum() */
	bool strayed;       /* a directory outside the root may be at hand (chroot without chdir) */
	int also_held;      /* for the second path of a call: 1 + the number that we hold the first by */
	unsigned long names; /* first letters of the bind points' names, a bit each: view_sum() */
	size_t nbinds;
	size_t nold;        /* binds behind these that chroot(2) left outside: their descriptors are still ours */
	struct bind *binds;
	const char *exe;    /* guest path of the program for /proc/self/exe, or NULL */
	const char *note;   /* the text of view_note_put(), while nothing has changed; or NULL */
};

/* Does the walker resolve all paths? */
static inline bool view_walks(const struct view *v)
{
	return v->walk || sys_missing(SYS_openat2);
}

enum {
	PLACE_NAME = 0,     /* create, remove, rename: the parent and the last name, never followed */
	PLACE_OBJECT = 1,   /* what the path leads to */
	PLACE_NOFOLLOW = 2, /* with PLACE_OBJECT: a symlink as last name is the object itself */
	PLACE_EMPTY = 4,    /* AT_EMPTY_PATH: "" is dirfd itself */
	PLACE_TRY = 16,     /* with PLACE_OBJECT: where one relative name needs no walk, take it as it
			     * stands with AT_SYMLINK_NOFOLLOW in flags: the caller comes back without
			     * PLACE_TRY when it turns out to be a symlink */
	PLACE_LOOK = 32,    /* for look_place() */
	PLACE_LINK = 64,    /* for look_place(): the last name was seen to be a symlink */
	PLACE_BOUND = 8,    /* with PLACE_NAME: a bind point is -EBUSY */
};

/* For the *at calls: f(at.dir, at.name, ..., flags | at.flags). */
struct place {
	int dir;            /* a descriptor or AT_FDCWD */
	const char *name;   /* last name; "" for an object held by dir */
	int flags;          /* AT_EMPTY_PATH for an object, else 0 */
	bool owned;         /* dir is ours to close: place_done() */
	bool relative;      /* name is relative to a directory of the program's; for look_moved(), as are these: */
	const uint64_t *said; /* NULL: the place does not depend on what others change */
	uint64_t word, here;
	uint64_t key, when; /* for look_is() */
};

/* Resolves guest relative to dirfd (AT_FDCWD, or any number: a bad one is -EBADF when it is
 * used) in the view v; v NULL: no root, the place is the arguments themselves.
 * Returns 0 and fills *ret, or -errno (path_resolution(7)). */
int place_find(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how)
	MUST_CHECK;

/* The second place of a call that has two, while first is held: to the program the number of that
 * descriptor is free, so nothing is found by it in /proc/self/fd.  As place_find. */
int place_find_second(struct place *ret, const struct view *v, const struct place *first, int dirfd,
	const char *guest, unsigned how) MUST_CHECK;

/* Is the last name of a place, found by PLACE_NAME, that of a bind point? */
bool place_bound(const struct view *v, const struct place *at);

/* Closes what the place owns and returns r unchanged. */
long place_done(struct place *at, long r);

/* place_find's `how` for a call's AT_* flags: follows unless AT_SYMLINK_NOFOLLOW. */
static inline unsigned place_how(int flags)
{
	return PLACE_OBJECT | (flags & AT_SYMLINK_NOFOLLOW ? PLACE_NOFOLLOW : 0u) |
	       (flags & AT_EMPTY_PATH ? PLACE_EMPTY : 0u);
}

/* In front of a name that the loader is not to find anything by (call/dl.c, audit.c). */
#define DL_NOWHERE "/proc/self/fd/-1/"

/* A host path for system calls that take no descriptor: the object's magic link, written to buf
 * (PLACE_PATH bytes), or the guest's own string when there is no root.  Only for places found
 * with dirfd AT_FDCWD. */
enum { PLACE_PATH = 40 };
const char *place_path(const struct place *at, char *buf);

/* In how->resolve, and none of the kernel's: the open is a cancellation point (self/cancel.h). */
#define PLACE_POINT ((uint64_t)1 << 63)

/* openat2(2) in the view: how->flags, how->mode and how->resolve are the program's.  Flags that
 * openat(2) ignores must have been masked already (place_how_open).  A descriptor or -errno. */
int place_open(const struct view *v, int dirfd, const char *guest, const struct open_how *how)
	MUST_CHECK;

/* An O_PATH descriptor for our own use, close-on-exec; flags: O_DIRECTORY, O_NOFOLLOW.  Works also
 * where the program's table is full, for as long as the hard limit leaves room. */
int place_hold(const struct view *v, int dirfd, const char *guest, unsigned flags, unsigned resolve)
	MUST_CHECK;

/* Is dev a procfs that the guest sees? */
bool place_in_proc(const struct view *v, dev_t dev);

/* Whose directory in a procfs does dir (or AT_FDCWD) hold, or, with below, what has that name in it?  The number of the
 * process, or of a thread where a procfs shows that beside the processes; 0: nobody's.  text (size bytes) gets
 * the directory's host path. */
long place_proc_pid(int dir, const char *below, char *text, size_t size) MUST_CHECK;
/* Is that the calling process, or thread? */
bool place_proc_own(long pid);

/* Of the process whose directory in procfs is dir, as the guest's path of what /proc/PID/exe and
 * /proc/PID/root lead to, NUL-terminated: the kernel knows the loader and the host's root, but its
 * libjail was told when it was executed, and that text stays in its memory.  0; -errno: it is not under
 * libjail, or not to be read. */
int place_proc_exe(const struct view *v, int dir, struct str *out) MUST_CHECK;
int place_proc_root(const struct view *v, int dir, struct str *out) MUST_CHECK;

/* openat(2)'s flags and mode as openat2(2) accepts them (fs/open.c, build_open_how). */
struct open_how place_how_open(int flags, mode_t mode);

/* The guest's name of a canonical host path, to out.  0, -ENOENT when it lies outside the root
 * and all binds ("(unreachable)"), -ENAMETOOLONG. */
int place_guest(const struct view *v, const char *host, struct str *out) MUST_CHECK;

/* The guest's name of what fd (or AT_FDCWD) refers to, NUL-terminated in buf; bytes without the
 * NUL, or -errno.  Text that is no path ("socket:[1]") comes back as it is. */
long place_guest_fd(const struct view *v, int fd, char *buf, size_t n) MUST_CHECK;

/* The guest's string at p is readable up to its NUL or n bytes: its length, or -EFAULT, or
 * -ENAMETOOLONG when no NUL is among n bytes.  What a preload needs so that a bad pointer is
 * EFAULT and not a crash. */
long place_strlen(const char *p, size_t n) MUST_CHECK;

/* May n bytes at p be read?  Cheap when the page was seen before. */
bool place_readable(const void *p, size_t n);

/* Builds a view of the host directory `host` (may be relative; resolved by the kernel now) in
 * *ret.  fd_min: lowest number for its descriptors; a low
 * one (of a small RLIMIT_NOFILE) is only for where there is no room beyond the soft limit; -1: it stays where it is
 * for now.  -errno and nothing kept on failure. */
int view_open(struct view *ret, const char *host, int fd_min) MUST_CHECK;
/* The same of an open directory; fd is consumed, also on failure. */
int view_open_fd(struct view *ret, int fd, int fd_min) MUST_CHECK;
/* fd, which may be -errno, moved to such a number, close-on-exec; fd is closed.  -errno. */
int view_fd_high(int fd, int fd_min) MUST_CHECK;
/* Its duplicate there, or -errno, also where fd could as well stay. */
int view_fd_beyond(int fd, int fd_min) MUST_CHECK;

/* The view in one line of numbers, for the next libjail after an exec, which inherits the
 * descriptors; names travel in LIBJAIL_ROOT and LIBJAIL_BIND.  Sticky overflow as struct str. */
void view_note_put(const struct view *v, struct str *out);
/* And back: v->host, v->binds (room for max) are set; binds lists the same binds in order.  The
 * root's descriptor is checked against the note; who has it has the others.  -EINVAL when anything does not fit: use view_open. */
int view_note_take(struct view *v, const char *note, const char *host, const char *binds, size_t max)
	MUST_CHECK;

/* The next entry of a LIBJAIL_BIND list, unescaped: "HOST:GUEST" entries, separated by commas; a
 * backslash escapes one of ,:\\ and \\n is a newline.  An entry without a colon (a word such as
 * "default") leaves guest empty.  False at the end; *list advances.  Overflow: at becomes NULL. */
bool view_binds_next(const char **list, struct str *host, struct str *guest);

/* Sums up in v what the resolvers ask of all its binds at once: for who fills v->binds by hand. */
void view_sum(struct view *v);

/* Adds a bind to v (v->binds has room).  host is a host path, guest a guest path in v.
 * -errno, with *ret_what pointing at the argument to blame. */
int view_bind(struct view *v, const char *host, const char *guest, int fd_min,
	const char **ret_what) MUST_CHECK;

#endif
