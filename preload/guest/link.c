/* SPDX-License-Identifier: ISC
 *
 * Names made, moved and removed: the calls that act on a directory entry and never follow it. */
#include "guest.h"
#include "../config.h"
#include "../state.h"
#include <errno.h>

long guest_unlinkat(int dirfd, const char *path, int flags)
{
	const struct view *v = state_view();
	struct place at;
	long r = place_find(&at, v, dirfd, path, PLACE_NAME | PLACE_SHOWN);

	/* a bind point is busy, but unlink(2) of a directory is EISDIR first */
	if (r == -EBUSY && !(flags & AT_REMOVEDIR)) {
		struct stat st;

		r = guest_newfstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW);
		return r < 0 ? r : S_ISDIR(st.st_mode) ? -EISDIR : -EBUSY;
	}
	if (r == 0)
		r = place_done(&at, sys_call(SYS_unlinkat, at.dir, at.name, flags));
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

/* A bind point as the new name: busy, but the kinds of the two come first (fs/namei.c, may_delete). */
static long rename_onto_bind(int olddir, const char *old, int newdir, const char *new)
{
	struct stat from, to;
	long r = guest_newfstatat(olddir, old, &from, AT_SYMLINK_NOFOLLOW);

	if (r == 0)
		r = guest_newfstatat(newdir, new, &to, AT_SYMLINK_NOFOLLOW);
	if (r < 0)
		return r;
	return S_ISDIR(to.st_mode) && !S_ISDIR(from.st_mode)   ? -EISDIR
	       : !S_ISDIR(to.st_mode) && S_ISDIR(from.st_mode) ? -ENOTDIR
								: -EBUSY;
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
	r = place_find(&from, v, olddir, old, PLACE_NAME | PLACE_SHOWN);
	if (r < 0)
		return r;
	/* mv in one directory: resolve it once */
	if (from.owned && (olddir == newdir || *old == '/'))
		name = same_parent(old, from.name, new);
	for (size_t i = 0; name && i < v->nbinds; i++)
		if (mem_equal(v->binds[i].name, name))
			name = NULL;
	if (name)
		to = (struct place){.dir = from.dir, .name = name};
	else
		r = place_find(&to, v, newdir, new, PLACE_NAME | PLACE_SHOWN);
	if (r == -EBUSY && !(flags & EXCHANGE))
		r = rename_onto_bind(olddir, old, newdir, new);
	if (r == 0) {
		/* "/" by its form is the host's: "." of the root is refused in the same way, but on
		 * the mount that it is on */
		r = sys_call(SYS_renameat2, from.dir, from.name && is_slashes(from.name) && *from.name ? "." : from.name,
			to.dir, to.name && is_slashes(to.name) && *to.name ? "." : to.name, flags);
		r = place_done(&to, r);
	}
	return place_done(&from, r);
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
	/* link(2) takes the name as it stands, but looks "name/" up */
	if ((flags & AT_SYMLINK_FOLLOW) || (len && old[len - 1] == '/'))
		r = place_find(&from, v, olddir, old,
			PLACE_OBJECT | (flags & AT_SYMLINK_FOLLOW ? 0u : PLACE_NOFOLLOW));
	else
		r = place_find(&from, v, olddir, old, PLACE_NAME | PLACE_BOUND);
	if (r == -EBUSY) /* what is bound there is on another mount than any new name */
		r = -EXDEV;
	if (r < 0)
		return r;
	/* ln in one directory: resolve it once */
	if (from.owned && !(from.flags & AT_EMPTY_PATH) && (olddir == newdir || *old == '/'))
		name = same_parent(old, from.name, new);
	if (name)
		to = (struct place){.dir = from.dir, .name = name};
	else
		r = place_find(&to, v, newdir, new, PLACE_NAME);
	if (r < 0 && !(from.flags & AT_EMPTY_PATH)) {
		/* the old name is looked up first */
		struct stat st;
		long first = sys_fstatat(from.dir, from.name, &st, AT_SYMLINK_NOFOLLOW);

		if (first < 0)
			r = first;
	}
	if (r == 0) {
		if (from.flags & AT_EMPTY_PATH)
			/* open(2) on O_TMPFILE: the way to link an object that one holds */
			r = sys_call(SYS_linkat, AT_FDCWD, place_path(&from, magic), to.dir, to.name,
				AT_SYMLINK_FOLLOW);
		else
			r = sys_call(SYS_linkat, from.dir, from.name, to.dir, to.name, flags);
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
	if (r == 0)
		r = place_done(&at, sys_call(SYS_symlinkat, target, at.dir, at.name));
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
	struct place at;
	long r = place_find(&at, state_view(), dirfd, path, PLACE_NAME);

	if (r == 0)
		r = place_done(&at, sys_call(SYS_mknodat, at.dir, at.name, mode, (unsigned)dev));
	return r;
}
