/* SPDX-License-Identifier: ISC
 *
 * What can be changed of a file without opening it: mode, owner, times, size, extended
 * attributes; and the watches that are set on it. */
#include "guest.h"
#include "../config.h"
#include "../path/look.h"
#include "../state.h"
#include <errno.h>
#include <sys/time.h>
#include <utime.h>

long guest_fchmodat2(int dirfd, const char *path, mode_t mode, int flags)
{
	struct place at;
	char magic[PLACE_PATH];
	long r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = place_find(&at, state_view(), dirfd, path, place_how(flags));
	if (r < 0)
		return r;
	if (!(at.flags | flags))
		return place_done(&at, sys_call(SYS_fchmodat, at.dir, at.name, mode));
	r = sys_call_newer(SYS_fchmodat2, at.dir, at.name, mode, flags | at.flags);
	if (r == -ENOSYS && (at.flags & AT_EMPTY_PATH) && !(flags & AT_SYMLINK_NOFOLLOW)) {
		r = sys_call(SYS_fchmodat, AT_FDCWD, place_path(&at, magic), mode);
	} else if (r == -ENOSYS) {
		/* Linux before 6.6, as both libcs do it: a held object, and a symlink has no mode */
		struct stat st;
		struct place held = {.dir = at.dir, .flags = AT_EMPTY_PATH};
		int fd = -1;

		if (!(at.flags & AT_EMPTY_PATH)) {
			fd = sys_openat(at.dir, at.name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
			held.dir = fd;
			if (fd < 0)
				return place_done(&at, fd);
		}
		r = sys_fstatat(held.dir, "", &st, AT_EMPTY_PATH);
		if (r == 0)
			r = S_ISLNK(st.st_mode) ? -EOPNOTSUPP
						: sys_call(SYS_fchmodat, AT_FDCWD,
							  place_path(&held, magic), mode);
		if (fd >= 0)
			sys_close(fd);
	}
	return place_done(&at, r);
}

long guest_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags)
{
	struct place at;
	long r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = place_find(&at, state_view(), dirfd, path, place_how(flags));
	if (r == 0)
		r = place_done(&at,
			sys_call(SYS_fchownat, at.dir, at.name, uid, gid, flags | at.flags));
	return r;
}

long guest_utimensat(int dirfd, const char *path, const struct timespec ts[2], int flags)
{
	struct place at;
	char magic[PLACE_PATH];
	long r;

	if (!path) /* utimensat(2): the descriptor itself */
		return sys_call(SYS_utimensat, dirfd, 0, ts, flags);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* Linux before 5.8 did not know the flag, and says so before it looks at the path */
	if (flags & AT_EMPTY_PATH && state_view() && sys_call(SYS_utimensat, -1, "", NULL, AT_EMPTY_PATH) == -EINVAL)
		return -EINVAL;
	r = place_find(&at, state_view(), dirfd, path, place_how(flags));
	if (r < 0)
		return r;
	r = sys_call(SYS_utimensat, at.dir, at.name, ts, flags | at.flags);
	if (r == -EINVAL && (at.flags & AT_EMPTY_PATH)) /* Linux before 5.8, or truly invalid */
		r = sys_call(SYS_utimensat, AT_FDCWD, place_path(&at, magic), ts, 0);
	return place_done(&at, r);
}

long guest_futimesat(int dirfd, const char *path, const struct timeval tv[2], int flags)
{
	struct timespec ts[2];

	if (!tv)
		return guest_utimensat(dirfd, path, NULL, flags);
	if (!place_readable(tv, 2 * sizeof *tv))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		/* fs/utimes.c: UTIME_NOW and UTIME_OMIT are no microseconds */
		if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
			return -EINVAL;
		ts[i].tv_sec = tv[i].tv_sec;
		ts[i].tv_nsec = tv[i].tv_usec * 1000;
	}
	return guest_utimensat(dirfd, path, ts, flags);
}

long guest_utime(const char *path, const struct utimbuf *times)
{
	struct timespec ts[2] = {{0, 0}, {0, 0}};

	if (!path)
		return -EFAULT;
	if (!times)
		return guest_utimensat(AT_FDCWD, path, NULL, 0);
	if (!place_readable(times, sizeof *times))
		return -EFAULT;
	ts[0].tv_sec = times->actime;
	ts[1].tv_sec = times->modtime;
	return guest_utimensat(AT_FDCWD, path, ts, 0);
}

/* For the calls that know neither a descriptor of O_PATH nor AT_EMPTY_PATH: by the held object's
 * magic link, which leads to the object itself, a symlink too. */
long guest_by_path(long nr, long args[6], int which, int at_flags)
{
	struct place at;
	char magic[PLACE_PATH];
	long a[6], r, first;

	if (state_view() && !args[which]) /* NULL: the kernel knows whether that is an error */
		return sys_call6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	r = place_find(&at, state_view(), AT_FDCWD, (const char *)args[which], place_how(at_flags));
	memcpy(a, args, sizeof a);
	if (r < 0) { /* EPERM and bad flags come first: a name that surely is ENOENT asks for these alone */
		a[which] = (long)"/proc/self/fd/x/x";
		first = sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		return first == -ENOENT ? r : first;
	}
	a[which] = (long)place_path(&at, magic);
	return place_done(&at, sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

long guest_truncate(const char *path, off_t size)
{
	if (size < 0)
		return -EINVAL; /* before the path is looked at */
	return guest_by_path(SYS_truncate, (long[6]){(long)path, size}, 0, 0);
}

/* getxattrat(2) and its kin, Linux 6.13: the arguments of the older call behind a directory, a name
 * and flags, the value in a struct.  They do not take a descriptor of O_PATH by itself. */
struct xattr_args {
	uint64_t value;
	uint32_t size, flags;
} __attribute__((aligned(8)));

static long xattr_at(long nr, const struct place *at, const long a[6], int flags)
{
	struct xattr_args x = {.value = (uint64_t)a[2], .size = (uint32_t)a[3]};

	switch (nr) {
	case SYS_setxattr:
		x.flags = (uint32_t)a[4];
		return sys_call_newer(SYS_setxattrat, at->dir, at->name, flags, a[1], &x, sizeof x);
	case SYS_getxattr:
		return sys_call_newer(SYS_getxattrat, at->dir, at->name, flags, a[1], &x, sizeof x);
	case SYS_listxattr:
		return sys_call_newer(SYS_listxattrat, at->dir, at->name, flags, a[1], a[2]);
	default:
		return sys_call_newer(SYS_removexattrat, at->dir, at->name, flags, a[1]);
	}
}

/* The path leads nowhere: but what is wrong with the name of the attribute, or its value, comes first. */
static long xattr_missing(long nr, const long args[6], long error)
{
	long first = sys_call6(nr, (long)"/proc/self/fd/x/x", args[1], args[2], args[3], args[4], 0);

	return first == -ENOENT ? error : first;
}

/* By the parent and the name, where Linux has the call for it and the name is no symlink to follow:
 * ls -l makes two such calls for each file, and a magic link costs more than all the rest.
 * -ENOSYS: the long way.  *ret_missing: the name has no parent. */
static long xattr_named(const struct view *v, long nr, const long args[6], bool follow, bool *ret_missing)
{
	const char *path = (const char *)args[0];
	long len = place_strlen(path, PATH_MAX), r;
	struct place at;
	struct stat st;

	if (sys_missing(SYS_getxattrat) || len <= 0 || path[len - 1] == '/')
		return -ENOSYS;
	/* the names that are no names of a directory's own */
	if (path[len - 1] == '.' && (len == 1 || path[len - 2] == '/' || path[len - 2] == '.'))
		return -ENOSYS;
	r = place_find(&at, v, AT_FDCWD, path, PLACE_NAME | PLACE_BOUND);
	if (r == -EBUSY)
		return -ENOSYS; /* what a bind shows is held, not named */
	*ret_missing = r < 0;
	if (r < 0)
		return r;
	if (follow && (sys_fstatat(at.dir, at.name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(st.st_mode)))
		return place_done(&at, -ENOSYS);
	r = xattr_at(nr, &at, args, AT_SYMLINK_NOFOLLOW);
	if (r == -ENOSYS)
		sys_lacks(SYS_getxattrat); /* all four are of one release */
	return place_done(&at, r);
}

/* Those that change nothing, below a clean directory.  -ENOSYS: otherwise.  *ret_missing: the path leads nowhere. */
static long xattr_looked(const struct view *v, long nr, const long args[6], bool follow, bool *ret_missing)
{
	unsigned how = PLACE_OBJECT | PLACE_LOOK | (follow ? 0u : PLACE_NOFOLLOW | PLACE_TRY);
	const char *path = (const char *)args[0];
	char room[LOOK_ROOM];
	struct place at;
	long r;

	if (sys_missing(SYS_getxattrat) || (nr != SYS_getxattr && nr != SYS_listxattr) || v->fd < 0 || !path)
		return -ENOSYS;
	do {
		r = look_try(&at, v, AT_FDCWD, path, how, room);
		*ret_missing = r < 0;
		if (r > 0 && *at.name) {
			r = xattr_at(nr, &at, args, at.flags);
			if (r == -ENOSYS)
				sys_lacks(SYS_getxattrat); /* all four are of one release */
		} else if (r >= 0) {
			r = -ENOSYS;
		}
	} while (look_again(&at, &v, &how));
	return r;
}

/* Each has an l twin that does not follow.  A held object, a symlink too, is reached through its
 * magic link, which the kernel follows once: so the plain call serves both, but for a
 * passed-through name. */
static long xattr(long nr, long lnr, long args[6], int at_flags)
{
	const struct view *v = state_view();
	struct place at;
	char magic[PLACE_PATH];
	bool missing = false;
	long a[6], r;

	if (v) {
		r = xattr_looked(v, nr, args, !(at_flags & AT_SYMLINK_NOFOLLOW), &missing);
		if (r == -ENOSYS && !missing)
			r = xattr_named(v, nr, args, !(at_flags & AT_SYMLINK_NOFOLLOW), &missing);
		if (missing)
			return xattr_missing(nr, args, r);
		if (r != -ENOSYS)
			return r;
	}
	r = place_find(&at, v, AT_FDCWD, (const char *)args[0], place_how(at_flags));
	if (r < 0)
		return xattr_missing(nr, args, r);
	if (!(at.flags & AT_EMPTY_PATH) && (at_flags & AT_SYMLINK_NOFOLLOW))
		nr = lnr;
	memcpy(a, args, sizeof a);
	a[0] = (long)place_path(&at, magic);
	return place_done(&at, sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

long guest_getxattr(const char *path, const char *name, void *value, size_t n, int at_flags)
{
	return xattr(SYS_getxattr, SYS_lgetxattr,
		(long[6]){(long)path, (long)name, (long)value, (long)n}, at_flags);
}

long guest_setxattr(const char *path, const char *name, const void *value, size_t n, int flags,
	int at_flags)
{
	return xattr(SYS_setxattr, SYS_lsetxattr,
		(long[6]){(long)path, (long)name, (long)value, (long)n, flags}, at_flags);
}

long guest_listxattr(const char *path, char *list, size_t n, int at_flags)
{
	return xattr(SYS_listxattr, SYS_llistxattr, (long[6]){(long)path, (long)list, (long)n},
		at_flags);
}

long guest_removexattr(const char *path, const char *name, int at_flags)
{
	return xattr(SYS_removexattr, SYS_lremovexattr, (long[6]){(long)path, (long)name}, at_flags);
}

/* The kernel takes no descriptor of O_PATH by itself here, so an object that is held is reached through
 * its magic link. */
long guest_attr_at(long nr, const long args[6], int which)
{
	const struct view *v = state_view();
	const char *path = (const char *)args[1];
	long a[6], r, first;
	char magic[PLACE_PATH];
	struct place at;

	memcpy(a, args, sizeof a);
	if (!v || !path || !place_readable(path, 1) || !*path) { /* the descriptor itself, or an error */
		if (state_owns((int)a[0]))
			a[0] = -1;
		return sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
	r = place_find(&at, v, (int)args[0], path, place_how((int)args[which]));
	if (r < 0) { /* what is wrong by itself comes before the path */
		a[0] = AT_FDCWD;
		a[1] = (long)"/proc/self/fd/x/x";
		first = sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		return first == -ENOENT ? r : first;
	}
	a[0] = at.flags & AT_EMPTY_PATH ? AT_FDCWD : at.dir;
	a[1] = (long)place_path(&at, magic);
	if (at.flags & AT_EMPTY_PATH) /* to where the link leads, a symlink too */
		a[which] &= ~AT_SYMLINK_NOFOLLOW;
	return place_done(&at, sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

long guest_inotify_add_watch(int fd, const char *path, unsigned mask)
{
	enum { DONT_FOLLOW = 0x02000000 /* IN_DONT_FOLLOW */ };
	struct place at;
	char magic[PLACE_PATH];
	long r = place_find(&at, state_view(), AT_FDCWD, path,
		PLACE_OBJECT | (mask & DONT_FOLLOW ? PLACE_NOFOLLOW : 0u));

	if (r < 0) { /* a bad mask and a bad descriptor come first: "" asks for these alone */
		long first = sys_call(SYS_inotify_add_watch, fd, "", mask);

		return first == -ENOENT ? r : first;
	}
	if (at.flags & AT_EMPTY_PATH)
		mask &= ~(unsigned)DONT_FOLLOW;
	return place_done(&at,
		sys_call(SYS_inotify_add_watch, fd, place_path(&at, magic), mask));
}

long guest_fanotify_mark(int fd, unsigned flags, unsigned long mask, int dirfd, const char *path)
{
	enum { DONT_FOLLOW = 0x4 /* FAN_MARK_DONT_FOLLOW */ };
	struct place at;
	char magic[PLACE_PATH];
	long r;

	if (!path)
		return sys_call(SYS_fanotify_mark, fd, flags, mask, dirfd, 0);
	r = place_find(&at, state_view(), dirfd, path,
		PLACE_OBJECT | (flags & DONT_FOLLOW ? PLACE_NOFOLLOW : 0u));
	if (r < 0)
		return r;
	if (at.flags & AT_EMPTY_PATH)
		r = sys_call(SYS_fanotify_mark, fd, flags & ~(unsigned)DONT_FOLLOW, mask, AT_FDCWD,
			place_path(&at, magic));
	else
		r = sys_call(SYS_fanotify_mark, fd, flags, mask, at.dir, at.name);
	return place_done(&at, r);
}
