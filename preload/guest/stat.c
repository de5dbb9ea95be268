/* SPDX-License-Identifier: ISC
 *
 * What a name is: the calls that look and change nothing. */
#include "guest.h"
#include "../config.h"
#include "../state.h"
#include <errno.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { AT_SYNC_TYPE = 0x6000 /* AT_STATX_SYNC_TYPE */ };

long guest_newfstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	const struct view *v = state_view();
	unsigned how = place_how(flags) | PLACE_TRY;
	struct place at;
	long r;

	if (!v)
		return sys_fstatat(dirfd, path, st, flags);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_SYNC_TYPE))
		return -EINVAL;
	for (;;) {
		r = place_find(&at, v, dirfd, path, how);
		if (r < 0)
			return r;
		r = place_done(&at, sys_fstatat(at.dir, at.name, st, flags | at.flags));
		if (r < 0 || !(at.flags & AT_SYMLINK_NOFOLLOW) || (flags & AT_SYMLINK_NOFOLLOW) ||
			!S_ISLNK(st->st_mode))
			return r;
		how &= ~(unsigned)PLACE_TRY;
	}
}

long guest_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *stx)
{
	const struct view *v = state_view();
	unsigned how = place_how(flags) | PLACE_TRY;
	struct place at;
	long r;

	if (!v)
		return sys_call(SYS_statx, dirfd, path, flags, mask, stx);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_SYNC_TYPE))
		return -EINVAL;
	for (;;) {
		r = place_find(&at, v, dirfd, path, how);
		if (r < 0)
			return r;
		r = place_done(&at,
			sys_call(SYS_statx, at.dir, at.name, flags | at.flags, mask, stx));
		if (r < 0 || !(at.flags & AT_SYMLINK_NOFOLLOW) || (flags & AT_SYMLINK_NOFOLLOW) ||
			!S_ISLNK(stx->stx_mode))
			return r;
		how &= ~(unsigned)PLACE_TRY;
	}
}

long guest_faccessat2(int dirfd, const char *path, int mode, int flags)
{
	const struct view *v = state_view();
	struct place at;
	char magic[PLACE_PATH];
	long r;

	if (!v)
		return flags ? sys_faccessat2(dirfd, path, mode, flags)
			     : sys_call(SYS_faccessat, dirfd, path, mode);
	if (mode & ~(R_OK | W_OK | X_OK) ||
		flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = place_find(&at, v, dirfd, path, place_how(flags));
	if (r < 0)
		return r;
	r = sys_faccessat2(at.dir, at.name, mode, flags | at.flags);
	if (r == -ENOSYS) /* Linux before 5.8 */
		r = sys_call(SYS_faccessat, at.flags ? AT_FDCWD : at.dir,
			at.flags ? place_path(&at, magic) : at.name, mode);
	return place_done(&at, r);
}

long guest_statfs(const char *path, struct statfs *sf)
{
	struct place at;
	long r = place_find(&at, state_view(), AT_FDCWD, path, PLACE_OBJECT);

	if (r == 0)
		r = place_done(&at, at.flags & AT_EMPTY_PATH ? sys_call(SYS_fstatfs, at.dir, sf)
							      : sys_call(SYS_statfs, at.name, sf));
	return r;
}

/* -- readlink -------------------------------------------------------------------------------- */

/* The links of procfs name host paths: what the guest is to read instead, in text.  at holds the
 * link; base is its last name in the guest's path.  0: it is an ordinary link. */
static NOINLINE long proc_link(const struct view *v, const struct place *at, const char *base,
	char *buf, size_t n)
{
	char host[PATH_MAX + 1], text[PATH_MAX + 64];
	struct str s = {text, text + sizeof text};
	struct stat st, own;
	size_t len;
	long r;

	r = sys_fstatat(at->dir, at->name, &st, AT_SYMLINK_NOFOLLOW | at->flags);
	if (r < 0)
		return r;
	for (size_t i = 0;; i++) {
		if (i == v->nbinds)
			return 0;
		if (v->binds[i].is_proc && v->binds[i].src_dev == st.st_dev)
			break;
	}
	r = sys_readlinkat(at->dir, at->name, host, sizeof host - 1);
	if (r < 0)
		return r;
	host[r] = '\0';
	if (v->exe && mem_equal(base, "exe") &&
		sys_fstatat(AT_FDCWD, "/proc/self/exe", &own, AT_SYMLINK_NOFOLLOW) == 0 &&
		own.st_ino == st.st_ino)
		str_puts(&s, v->exe);
	else if (place_guest(v, host, &s) < 0)
		return 0; /* outside: the whole host path, as d_path() in the kernel gives it */
	if (!s.at)
		return -ENAMETOOLONG;
	len = (size_t)(s.at - text);
	if (len > n)
		len = n; /* readlink(2): silently cut off */
	memcpy(buf, text, len);
	return (long)len;
}

long guest_readlinkat(int dirfd, const char *path, char *buf, size_t n)
{
	const struct view *v = state_view();
	struct place at;
	long r, p;

	if (!v)
		return sys_readlinkat(dirfd, path, buf, n);
	if ((ssize_t)(int)n <= 0)
		return -EINVAL;
	r = place_find(&at, v, dirfd, path, PLACE_OBJECT | PLACE_NOFOLLOW);
	if (r < 0)
		return r;
	r = sys_readlinkat(at.dir, at.name, buf, n);
	if (at.owned && r == -ENOENT)
		r = -EINVAL; /* fs/stat.c: "" on something that is no link; the guest gave a name */
	if (r > 0 && buf[0] == '/') {
		p = proc_link(v, &at, at.owned ? mem_base(path) : path, buf, n);
		if (p != 0)
			r = p;
	}
	return place_done(&at, r);
}
