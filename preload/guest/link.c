/* SPDX-License-Identifier: ISC
 *
 * Names made, moved and removed: the calls that act on a directory entry and never follow it. */
#include "guest.h"
#include "../config.h"
#include "../path/epoch.h"
#include "../state.h"
#include <errno.h>

/* The last name without its slashes. */
static size_t name_len(const char *name)
{
	size_t n = strlen(name);

	while (n && name[n - 1] == '/')
		n--;
	return n;
}

/* fs/namei.c, may_delete without the kind, and may_create, where st is NULL */
static long may_change(int dir, const struct stat *st)
{
	const uid_t me = (uid_t)sys_call(SYS_geteuid);
	struct stat up;

	if (sys_faccessat2(dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return -EACCES;
	if (st && me && sys_fstatat(dir, ".", &up, 0) == 0 && (up.st_mode & S_ISVTX) && st->st_uid != me &&
		up.st_uid != me)
		return -EPERM;
	return 0;
}

/* A bind point is busy as a mount point is, but that comes last (fs/namei.c, do_unlinkat, vfs_rmdir). */
static NOINLINE long unlink_bound(const struct place *at, bool rmdir)
{
	const size_t n = name_len(at->name);
	char name[NAME_MAX + 1];
	struct stat st;
	long r;

	memcpy(name, at->name, n);
	name[n] = '\0';
	r = sys_fstatat(at->dir, name, &st, AT_SYMLINK_NOFOLLOW);
	if (r == 0 && !rmdir && at->name[n])
		r = S_ISDIR(st.st_mode) ? -EISDIR : -ENOTDIR;
	if (r == 0)
		r = may_change(at->dir, &st);
	if (r == 0)
		r = S_ISDIR(st.st_mode) == rmdir ? -EBUSY : rmdir ? -ENOTDIR : -EISDIR;
	return r;
}

long guest_unlinkat(int dirfd, const char *path, int flags)
{
	const struct view *v = state_view();
	struct place at;
	long r;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	r = place_find(&at, v, dirfd, path, PLACE_NAME);
	if (r == 0)
		r = place_done(&at, UNLIKELY(place_bound(v, &at)) ? unlink_bound(&at, flags)
					: sys_call(SYS_unlinkat, at.dir, at.name, flags));
	return r;
}

/* The last name of new when its directory is textually that of old, which is resolved already. */
static const char *same_parent(const char *old, const char *last, const char *new)
{
	const size_t n = (size_t)(last - old);
	const char *e;

	if (n == 0 || place_strlen(new, PATH_MAX) <= (long)n || memcmp(old, new, n) != 0)
		return NULL;
	for (e = new + n; *e && *e != '/'; e++)
		;
	return *e || mem_equal(new + n, ".") || mem_equal(new + n, "..") ? NULL : new + n;
}

static bool is_slashes(const char *name)
{
	while (*name == '/')
		name++;
	return !*name;
}

/* What is wrong with a place before its name is looked at, as when the kernel comes to it first of
 * two: no such descriptor, no directory, one that may not be searched. */
static long first_wrong(const struct place *at)
{
	struct stat st;

	return sys_fstatat(at->dir, ".", &st, 0);
}

static bool is_dots(const char *name)
{
	const size_t n = name_len(name);

	return !n || (n <= 2 && name[0] == '.' && name[n - 1] == '.');
}

/* One of the names, or both, is a bind point's.  It is busy as a mount point is, but that comes last
 * (fs/namei.c, do_renameat2 and vfs_rename); what the bind hides has its kind. */
static NOINLINE long rename_bound(const struct place *from, const struct place *to, bool noreplace, bool exchange)
{
	struct stat old, new, a, b;
	char name[2][NAME_MAX + 1];
	bool there = true;
	long r;

	r = sys_fstatat(from->dir, ".", &a, 0);
	if (r == 0)
		r = sys_fstatat(to->dir, ".", &b, 0);
	if (r < 0)
		return r;
	if (a.st_dev != b.st_dev)
		return -EXDEV;
	if (is_dots(from->name))
		return -EBUSY;
	if (is_dots(to->name))
		return noreplace ? -EEXIST : -EBUSY;
	for (int i = 0; i < 2; i++) {
		const char *n = i ? to->name : from->name;

		if (name_len(n) > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name[i], n, name_len(n));
		name[i][name_len(n)] = '\0';
	}
	r = sys_fstatat(from->dir, name[0], &old, AT_SYMLINK_NOFOLLOW);
	if (r < 0)
		return r;
	r = sys_fstatat(to->dir, name[1], &new, AT_SYMLINK_NOFOLLOW);
	if (r < 0 && (r != -ENOENT || exchange || !b.st_nlink)) /* a directory that is gone gets no names */
		return r;
	there = r == 0;
	if (there && noreplace)
		return -EEXIST;
	if (exchange && !S_ISDIR(new.st_mode) && to->name[strlen(to->name) - 1] == '/')
		return -ENOTDIR;
	if (!S_ISDIR(old.st_mode) && (from->name[strlen(from->name) - 1] == '/' ||
					     (!exchange && to->name[strlen(to->name) - 1] == '/')))
		return -ENOTDIR;
	if (there && old.st_ino == new.st_ino && old.st_dev == new.st_dev)
		return 0;
	r = may_change(from->dir, &old);
	if (r == 0)
		r = may_change(to->dir, there ? &new : NULL);
	if (r == 0 && there && !exchange && S_ISDIR(old.st_mode) != S_ISDIR(new.st_mode))
		r = S_ISDIR(old.st_mode) ? -ENOTDIR : -EISDIR;
	if (r == 0 && (a.st_ino != b.st_ino)) { /* its ".." would change */
		if (S_ISDIR(old.st_mode) && sys_faccessat2(from->dir, name[0], W_OK, AT_EACCESS) < 0)
			r = -EACCES;
		if (r == 0 && exchange && S_ISDIR(new.st_mode) && sys_faccessat2(to->dir, name[1], W_OK, AT_EACCESS) < 0)
			r = -EACCES;
	}
	return r < 0 ? r : -EBUSY;
}

long guest_renameat2(int olddir, const char *old, int newdir, const char *new, unsigned flags)
{
	enum { NOREPLACE = 1, EXCHANGE = 2, WHITEOUT = 4 }; /* linux/fs.h */
	const struct view *v = state_view();
	struct place from, to;
	const char *name = NULL;
	long r;

	if (!v)
		return sys_call(SYS_renameat2, olddir, old, newdir, new, flags);
	if ((flags & ~(unsigned)(NOREPLACE | EXCHANGE | WHITEOUT)) ||
		((flags & EXCHANGE) && (flags & (NOREPLACE | WHITEOUT))))
		return -EINVAL;
	/* before the new name is looked at */
	if (!old || !place_readable(old, 1))
		return -EFAULT;
	if (!*old)
		return -ENOENT;
	r = place_find(&from, v, olddir, old, PLACE_NAME);
	if (r < 0)
		return r;
	/* mv in one directory: resolve it once */
	if (from.owned && (olddir == newdir || *old == '/'))
		name = same_parent(old, from.name, new);
	if (name)
		to = (struct place){.dir = from.dir, .name = name};
	else
		r = place_find_second(&to, v, &from, newdir, new, PLACE_NAME);
	if (r < 0 || !new || !*new) {
		long first = first_wrong(&from);

		r = first < 0 ? first : r;
	} else if (UNLIKELY(place_bound(v, &from) || place_bound(v, &to))) {
		r = rename_bound(&from, &to, flags & NOREPLACE, flags & EXCHANGE);
		return place_done(&from, place_done(&to, r));
	}
	if (r == 0) {
		struct epoch_change *said = epoch_begin(v);

		/* "/" by its form is the host's: "." of the root is refused in the same way, but on
		 * the mount that it is on */
		r = sys_call(SYS_renameat2, from.dir, from.name && is_slashes(from.name) && *from.name ? "." : from.name,
			to.dir, to.name && is_slashes(to.name) && *to.name ? "." : to.name, flags);
		epoch_end(said);
		r = place_done(&to, r);
	}
	return place_done(&from, r);
}

/* Does the place lie on the mount that the bind of st would be? */
static bool in_bind(const struct view *v, const struct place *at, const struct stat *st)
{
	char guest[PATH_MAX + 64];

	if (place_guest_fd(v, at->dir, guest, sizeof guest) < 0)
		return false;
	for (size_t i = 0; i < v->nbinds; i++) {
		const struct bind *b = &v->binds[i];

		if (mem_below(guest, b->guest) && b->src_ino == st->st_ino && b->src_dev == st->st_dev)
			return true;
	}
	return false;
}

/* A link to what a bind shows.  On the file system that the new name is on the kernel would make it. */
static NOINLINE long link_bound(const struct view *v, const struct place *from, int newdir, const char *new)
{
	struct stat bound, dir;
	struct place to;
	char magic[PLACE_PATH];
	const char *old = place_path(from, magic);
	struct epoch_change *said;
	long r = place_find_second(&to, v, from, newdir, new, PLACE_NAME);

	if (r < 0)
		return r;
	if (sys_fstat(from->dir, &bound) == 0 && sys_fstatat(to.dir, ".", &dir, 0) == 0 && bound.st_dev == dir.st_dev &&
		!place_in_proc(v, dir.st_dev) && !in_bind(v, &to, &bound))
		old = "/proc";
	said = epoch_begin(v);
	r = sys_call(SYS_linkat, AT_FDCWD, old, to.dir, to.name, AT_SYMLINK_FOLLOW);
	epoch_end(said);
	return place_done(&to, r);
}

long guest_linkat(int olddir, const char *old, int newdir, const char *new, int flags)
{
	const struct view *v = state_view();
	struct place from, to;
	char magic[PLACE_PATH];
	const char *name = NULL;
	long len, r;

	if (!v)
		return sys_call(SYS_linkat, olddir, old, newdir, new, flags);
	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	len = place_strlen(old, PATH_MAX);
	if (len < 0)
		return len;
	/* fs/namei.c, path_init: another's descriptor is refused with that flag, whatever the name */
	if ((flags & AT_EMPTY_PATH) && olddir >= 0 && *old != '/' &&
		sys_call(SYS_linkat, olddir, "", -1, "x", AT_EMPTY_PATH) == -ENOENT)
		return -ENOENT;
	/* link(2) takes the name as it stands, but looks "name/" up; ".." of a bind is the guest's */
	if ((flags & AT_SYMLINK_FOLLOW) || (len && old[len - 1] == '/') ||
		(len >= 2 && old[len - 1] == '.' && old[len - 2] == '.' && (len == 2 || old[len - 3] == '/')))
		r = place_find(&from, v, olddir, old,
			PLACE_OBJECT | (flags & AT_SYMLINK_FOLLOW ? 0u : PLACE_NOFOLLOW));
	else
		r = place_find(&from, v, olddir, old, PLACE_NAME | PLACE_BOUND);
	if (r == -EBUSY) {
		/* what is bound there is on another mount than any new name, or procfs is to itself:
		 * but what is wrong with the new name comes first */
		r = place_find(&from, v, olddir, old, PLACE_OBJECT | PLACE_NOFOLLOW);
		if (r == 0)
			r = link_bound(v, &from, newdir, new);
		return place_done(&from, r);
	}
	if (r < 0)
		return r;
	/* ln in one directory: resolve it once */
	if (from.owned && !(from.flags & AT_EMPTY_PATH) && (olddir == newdir || *old == '/'))
		name = same_parent(old, from.name, new);
	if (name)
		to = (struct place){.dir = from.dir, .name = name};
	else
		r = place_find_second(&to, v, &from, newdir, new, PLACE_NAME);
	if (r < 0 && !(from.flags & AT_EMPTY_PATH)) {
		/* the old name is looked up first: what is wrong with it, where the new one cannot be */
		long first = sys_call(SYS_linkat, from.dir, from.name, -1, "x", flags);

		if (first == -EBADF && sys_call(SYS_linkat, from.dir, from.name, AT_FDCWD, "", flags) == -ENOENT)
			first = 0; /* it was the other's */
		if (first < 0)
			r = first;
	}
	if (r == 0) {
		struct epoch_change *said = epoch_begin(v); /* it may be a symlink */

		if (from.flags & AT_EMPTY_PATH)
			/* open(2) on O_TMPFILE: the way to link an object that one holds */
			r = sys_call(SYS_linkat, AT_FDCWD, place_path(&from, magic), to.dir, to.name,
				AT_SYMLINK_FOLLOW);
		else
			r = sys_call(SYS_linkat, from.dir, from.name, to.dir, to.name, flags);
		epoch_end(said);
		r = place_done(&to, r);
	}
	return place_done(&from, r);
}

/* The target is text: it is stored as it was given and means what it means when it is walked. */
long guest_symlinkat(const char *target, int dirfd, const char *path)
{
	const struct view *v = state_view();
	struct place at;
	long r;

	if (v) { /* the target is read first, and may not be empty */
		r = place_strlen(target, PATH_MAX);
		if (r <= 0)
			return r < 0 ? r : -ENOENT;
	}
	r = place_find(&at, v, dirfd, path, PLACE_NAME);
	if (r == 0) {
		struct epoch_change *said = epoch_begin(v);

		r = sys_call(SYS_symlinkat, target, at.dir, at.name);
		epoch_end(said);
		place_done(&at, r);
	}
	return r;
}

long guest_mkdirat(int dirfd, const char *path, mode_t mode)
{
	struct place at;
	long r = place_find(&at, state_view(), dirfd, path, PLACE_NAME);

	if (r == 0)
		r = place_done(&at, sys_call(SYS_mkdirat, at.dir, at.name, mode));
	return r;
}

long guest_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev)
{
	const struct view *v = state_view();
	struct place at;
	long r;

	/* fs/namei.c, may_mknod: before the path is looked at */
	if (v && (mode & S_IFMT) && !S_ISREG(mode) && !S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISFIFO(mode) &&
		!S_ISSOCK(mode))
		return S_ISDIR(mode) ? -EPERM : -EINVAL;
	r = place_find(&at, v, dirfd, path, PLACE_NAME);

	if (r == 0)
		r = place_done(&at, sys_call(SYS_mknodat, at.dir, at.name, mode, (unsigned)dev));
	return r;
}
