/* SPDX-License-Identifier: ISC
 *
 * What a name is: the calls that look and change nothing. */
#include "guest.h"
#include "../config.h"
#include "../path/look.h"
#include "../state.h"
#include <errno.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { AT_SYNC_TYPE = 0x6000 /* AT_STATX_SYNC_TYPE */ };

long guest_fstat(int fd, struct stat *st)
{
	return UNLIKELY(state_owns(fd)) ? -EBADF : sys_fstat(fd, st);
}

/* With AT_EMPTY_PATH the kernel may go to the descriptor before it looks at the other flags. */
static bool no_name(const char *path)
{
	return !path || !place_readable(path, 1) || !*path;
}

long guest_newfstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	const struct view *v = state_view();
	unsigned how = place_how(flags) | LOOK_AGAIN;
	char room[LOOK_ROOM];
	struct place at;
	long r;

	if (!v)
		return sys_fstatat(dirfd, path, st, flags);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_SYNC_TYPE))
		return no_name(path) ? sys_fstatat(dirfd, path, st, flags) : -EINVAL;
	for (;;) {
		r = look_place(&at, v, dirfd, path, how, room);
		/* an object that is held: fstat(2) is the shorter way to the same answer */
		if (r == 0)
			r = place_done(&at, at.owned ? sys_fstat(at.dir, st)
						     : sys_fstatat(at.dir, at.name, st, flags | at.flags));
		if (look_again(&at, &v, &how))
			continue;
		/* a bad pointer is no answer yet: there may be a symlink to follow first */
		if ((r < 0 && r != -EFAULT) || !(at.flags & AT_SYMLINK_NOFOLLOW) || (flags & AT_SYMLINK_NOFOLLOW) ||
			(r == 0 && !S_ISLNK(st->st_mode))) {
			if (r == 0 && at.flags & AT_SYMLINK_NOFOLLOW && !S_ISLNK(st->st_mode))
				look_is(&at);
			return r;
		}
		how = (how & ~(unsigned)PLACE_TRY) | PLACE_LINK;
	}
}

long guest_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *stx)
{
	const struct view *v = state_view();
	unsigned how = place_how(flags) | LOOK_AGAIN;
	char room[LOOK_ROOM];
	struct place at;
	long r;

	if (!v)
		return sys_call(SYS_statx, dirfd, path, flags, mask, stx);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_SYNC_TYPE))
		return no_name(path) ? sys_call(SYS_statx, dirfd, path, flags, mask, stx) : -EINVAL;
	for (;;) {
		r = look_place(&at, v, dirfd, path, how, room);
		if (r == 0)
			r = place_done(&at, sys_call(SYS_statx, at.dir, at.name, flags | at.flags, mask, stx));
		if (look_again(&at, &v, &how))
			continue;
		if ((r < 0 && r != -EFAULT) || !(at.flags & AT_SYMLINK_NOFOLLOW) || (flags & AT_SYMLINK_NOFOLLOW) ||
			(r == 0 && !S_ISLNK(stx->stx_mode))) {
			if (r == 0 && at.flags & AT_SYMLINK_NOFOLLOW && !S_ISLNK(stx->stx_mode))
				look_is(&at);
			return r;
		}
		how = (how & ~(unsigned)PLACE_TRY) | PLACE_LINK;
	}
}

long guest_faccessat2(int dirfd, const char *path, int mode, int flags)
{
	const struct view *v = state_view();
	unsigned how = place_how(flags) | PLACE_LOOK;
	char room[LOOK_ROOM];
	struct place at;
	long r;

	if (!v)
		return sys_call(flags ? SYS_faccessat2 : SYS_faccessat, dirfd, path, mode, flags);
	if (mode & ~(R_OK | W_OK | X_OK) ||
		flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
		r = flags ? sys_lacks(SYS_faccessat2) : 0;
		return r < 0 ? r : -EINVAL;
	}
	do {
		r = look_place(&at, v, dirfd, path, how, room);
		if (r < 0) /* a kernel without the call does not look at the path */
			r = flags && sys_lacks(SYS_faccessat2) ? sys_lacks(SYS_faccessat2) : r;
		else if (mode == F_OK && at.owned) /* it is held: it exists */
			r = place_done(&at, flags ? sys_lacks(SYS_faccessat2) : 0);
		else if (flags)
			r = place_done(&at, sys_call(SYS_faccessat2, at.dir, at.name, mode, flags | at.flags));
		else
			r = place_done(&at, sys_faccessat2(at.dir, at.name, mode, at.flags));
	} while (look_again(&at, &v, &how));
	return r;
}

long guest_eaccess(int dirfd, const char *path, int mode)
{
	const struct view *v = state_view();
	unsigned how = PLACE_OBJECT | PLACE_LOOK;
	char room[LOOK_ROOM];
	struct place at;
	long r;

	do {
		r = look_place(&at, v, dirfd, path, how, room);
		if (r == 0)
			r = place_done(&at, place_readable(at.name, 1) ? sys_faccessat2(at.dir, at.name, mode, AT_EACCESS | at.flags)
								       : -EFAULT);
	} while (look_again(&at, &v, &how));
	return r;
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

/* The link of another process under libjail that the kernel knows as the loader, or as the host's
 * root; dir is its directory.  0, or -errno. */
static int proc_other(const struct view *v, const char *dir, bool exe, struct str *out)
{
	int fd = sys_openat_own(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC), r = fd;

	if (fd >= 0) {
		r = exe ? place_proc_exe(v, fd, out) : place_proc_root(v, fd, out);
		sys_close(fd);
	}
	return r;
}

/* The links of procfs name host paths: what the guest is to read instead, in text.  at holds the
 * link, by itself or by its directory and name; path is the guest's.  0: it is an ordinary link. */
static NOINLINE long proc_link(const struct view *v, const struct place *at, const char *path,
	char *buf, size_t n)
{
	char host[PATH_MAX + 1], text[PATH_MAX + 64], magic[PLACE_PATH];
	struct str s = {text, text + sizeof text};
	size_t len;
	bool exe;
	long r;

	if (!*path) { /* a descriptor of the program's: what it calls itself */
		r = sys_readlinkat(AT_FDCWD, place_path(at, magic), host, sizeof host - 1);
		host[r < 0 ? 0 : r] = '\0';
		path = host;
	}
	exe = mem_equal(mem_base(path), "exe");
	if (exe || mem_equal(mem_base(path), "root")) {
		/* the link itself is held, or its directory */
		const char *below = !(at->flags & AT_EMPTY_PATH) ? NULL : exe ? "exe" : "root";

		r = place_proc_pid(at->dir, below, host, sizeof host);
		if (place_proc_own(r) && exe && v->exe)
			str_puts(&s, v->exe);
		else if (!r || place_proc_own(r) || proc_other(v, host, exe, &s) < 0)
			s.at = text;
	}
	if (s.at == text) {
		r = sys_readlinkat(at->dir, at->name, host, sizeof host - 1);
		if (r < 0)
			return r;
		host[r] = '\0';
		if (place_guest(v, host, &s) < 0)
			return 0; /* outside: the whole host path, as d_path() gives it */
	}
	if (!s.at)
		return -ENAMETOOLONG;
	len = (size_t)(s.at - text);
	if (len > n)
		len = n; /* readlink(2): silently cut off */
	if (!place_readable(buf, len))
		return -EFAULT;
	memcpy(buf, text, len);
	return (long)len;
}

/* Apart from proc_link, whose frame is larger than many a signal stack. */
static bool proc_holds(const struct view *v, const struct place *at)
{
	struct stat st;

	return sys_fstatat(at->dir, at->name, &st, AT_SYMLINK_NOFOLLOW | at->flags) == 0 &&
	       place_in_proc(v, st.st_dev);
}

/* Reads the link at the place, of which path is the guest's name; buf is n bytes. */
static long readlink_at(const struct view *v, struct place *at, const char *path, char *buf, size_t n)
{
	struct stat st;
	char own[256];
	long r, p = 0;

	/* read here first: what procfs says of the host must not be left behind a shorter text */
	r = sys_readlinkat(at->dir, at->name, own, sizeof own);
	if (r > 0 && !*at->name) /* the program's own descriptor of a link, or ours */
		at->flags = AT_EMPTY_PATH;
	/* fs/stat.c: "" on something that is no link; but the guest gave a name, and a link of a process that
	 * has ended leads nowhere */
	if ((at->owned || (at->said && !*at->name)) && r == -ENOENT && !(sys_fstat(at->dir, &st) == 0 && S_ISLNK(st.st_mode)))
		return -EINVAL;
	if (r <= 0)
		return r;
	if (own[0] == '/' && proc_holds(v, at)) {
		if (at->said) /* whose link it is the directory tells that holds it */
			return -EAGAIN;
		p = proc_link(v, at, path, buf, n);
	}
	if (p != 0)
		return p;
	if (r == sizeof own)
		return sys_readlinkat(at->dir, at->name, buf, n);
	if (!place_readable(buf, (size_t)r < n ? (size_t)r : n))
		return -EFAULT;
	r = (size_t)r < n ? r : (long)n;
	memcpy(buf, own, (size_t)r);
	return r;
}

long guest_readlinkat(int dirfd, const char *path, char *buf, size_t n)
{
	const struct view *v = state_view();
	unsigned how = PLACE_OBJECT | PLACE_NOFOLLOW | LOOK_AGAIN;
	char room[LOOK_ROOM];
	struct place at;
	long r;

	if (!v)
		return sys_readlinkat(dirfd, path, buf, n);
	if ((ssize_t)(int)n <= 0)
		return -EINVAL;
	for (;;) {
		r = look_place(&at, v, dirfd, path, how, room);
		if (r == 0)
			r = place_done(&at, readlink_at(v, &at, path, buf, n));
		if (look_again(&at, &v, &how))
			continue;
		if (r != -EAGAIN || !(how & PLACE_LOOK))
			return r;
		how &= ~(unsigned)LOOK_AGAIN;
	}
}
