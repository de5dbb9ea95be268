/* SPDX-License-Identifier: ISC
 *
 * Paths whose C function is more than one system call: what libc computes from the kernel's
 * answer, who allocates it, and what it keeps for later. */
#include "../wrap.h"
#include "glibc.h"

int jail_remove(const char *path)
{
	long r = guest_unlinkat(AT_FDCWD, path, 0);

	if (r == -EISDIR) /* what Linux answers, in place of POSIX's EPERM: unlink(2) */
		r = guest_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
	return EDGE(int, r);
}

/* fchmodat(3): before fchmodat2(2) was there a libc refused by itself what else than not following
 * was asked for.  The one in use says so of a descriptor that nobody can have. */
int jail_fchmodat(int dirfd, const char *path, mode_t mode, int flags)
{
	int saved = *__errno_location();
	int (*real)(int, const char *, mode_t, int);

	if (UNLIKELY(flags & ~AT_SYMLINK_NOFOLLOW)) {
		real = REAL(fchmodat);
		if (real && real(-1, "", mode, flags) < 0 && *__errno_location() == EINVAL)
			return -1;
		errno_set(saved);
	}
	if (flags && !config()->musl && glibc_before(32)) /* Linux could not do it yet */
		return EDGE(int, -EOPNOTSUPP);
	return EDGE(int, guest_fchmodat2(dirfd, path, mode, flags));
}

/* faccessat(3) of a glibc that has no faccessat2(2), because the kernel has none or because it is older
 * than 2.33: AT_EACCESS is nothing to a program that is not set-user-ID, and a symlink is judged by its
 * mode (sysdeps/unix/sysv/linux/faccessat.c). */
static long access_by_glibc(int dirfd, const char *path, int mode, int flags)
{
	struct stat st;
	long r;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EACCESS))
		return -EINVAL;
	if (!(flags & AT_SYMLINK_NOFOLLOW))
		return guest_faccessat2(dirfd, path, mode, 0);
	r = guest_newfstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? r : sys_granted(&st, mode & (R_OK | W_OK | X_OK), flags & AT_EACCESS);
}

/* musl tries the newer call for the sake of flags alone, and else has a child take on the effective identity and
 * ask (src/unistd/faccessat.c). */
static long access_by_musl(int dirfd, const char *path, int mode, int flags)
{
	const long r = guest_faccessat2(dirfd, path, mode, flags);

	if (LIKELY(r != -ENOSYS) || !flags)
		return r;
	return flags == AT_EACCESS ? guest_eaccess(dirfd, path, mode) : -EINVAL;
}

int jail_faccessat(int dirfd, const char *path, int mode, int flags)
{
	long r;

	if (config()->musl)
		return EDGE(int, access_by_musl(dirfd, path, mode, flags));
	if (glibc_before(33))
		return EDGE(int, access_by_glibc(dirfd, path, mode, flags));
	r = sys_lacks(SYS_faccessat2); /* also without flags: the call that glibc tries first */
	if (LIKELY(r == 0))
		return EDGE(int, guest_faccessat2(dirfd, path, mode, flags));
	if (r == -ENOSYS) {
		errno_set(ENOSYS);
		r = access_by_glibc(dirfd, path, mode, flags);
	}
	return EDGE(int, r);
}

/* glibc judges by the mode, where the real and the effective identity differ (sysdeps/posix/euidaccess.c). */
int jail_euidaccess(const char *path, int mode)
{
	struct stat st;
	long r;

	if (config()->musl)
		return jail_faccessat(AT_FDCWD, path, mode, AT_EACCESS);
	r = guest_newfstatat(AT_FDCWD, path, &st, 0);
	mode &= R_OK | W_OK | X_OK;
	if (r == 0 && mode)
		r = sys_one_identity() ? guest_faccessat2(AT_FDCWD, path, mode, 0) : sys_granted(&st, mode, true);
	return EDGE(int, r);
}

/* utimensat(2): to the kernel a NULL path is dirfd itself.  Old glibc kept that for futimens(3)
 * and said EINVAL here; no name is involved, so each libc may answer as it does. */
int jail_utimensat(int dirfd, const char *path, const struct timespec ts[2], int flags)
{
	int (*real)(int, const char *, const struct timespec *, int);

	if (!path) {
		real = REAL(utimensat);
		if (real)
			return real(dirfd, path, ts, flags);
	}
	return EDGE(int, guest_utimensat(dirfd, path, ts, flags));
}

/* Microseconds as utimensat(2)'s nanoseconds, by whose rules the kernel then judges them: after the path. */
static long times_by_libc(int dirfd, const char *path, const struct timeval tv[2], int flags)
{
	struct timespec ts[2];

	if (tv && !place_readable(tv, 2 * sizeof *tv))
		return -EFAULT;
	for (int i = 0; tv && i < 2; i++) {
		ts[i].tv_sec = tv[i].tv_sec;
		ts[i].tv_nsec = (long)((unsigned long)tv[i].tv_usec * 1000);
	}
	return guest_utimensat(dirfd, path, tv ? ts : NULL, flags);
}

/* A system call, which judges the times first, in glibc before 2.32; musl judges them itself. */
static long times_checked(int dirfd, const char *path, const struct timeval tv[2])
{
	return config()->musl || glibc_before(32) ? guest_futimesat(dirfd, path, tv, 0)
						  : times_by_libc(dirfd, path, tv, 0);
}

int jail_utimes(const char *path, const struct timeval tv[2])
{
	return EDGE(int, path ? times_checked(AT_FDCWD, path, tv) : -EFAULT);
}

int jail_futimesat(int dirfd, const char *path, const struct timeval tv[2])
{
	return EDGE(int, times_checked(dirfd, path, tv));
}

/* Here it is glibc that judged by itself, and musl that does not. */
int jail_lutimes(const char *path, const struct timeval tv[2])
{
	const int flags = AT_SYMLINK_NOFOLLOW;

	if (!path)
		return EDGE(int, -EFAULT);
	return EDGE(int, !config()->musl && glibc_before(32) ? guest_futimesat(AT_FDCWD, path, tv, flags)
							     : times_by_libc(AT_FDCWD, path, tv, flags));
}

/* A stub in glibc before 2.32. */
int jail_lchmod(const char *path, mode_t mode)
{
	return EDGE(int, !config()->musl && glibc_before(32)
				 ? -ENOSYS
				 : guest_fchmodat2(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW));
}

int jail_statvfs(const char *path, struct statvfs *ret)
{
	enum { VALID = 0x20 }; /* the kernel's ST_VALID: f_flags is filled in */
	struct statfs sf;
	long r = guest_statfs(path, &sf);
	unsigned fsid[2];

	if (r < 0)
		return EDGE(int, r);
	memcpy(fsid, &sf.f_fsid, sizeof fsid);
	*ret = (struct statvfs){
		.f_bsize = (unsigned long)sf.f_bsize,
		.f_frsize = (unsigned long)(sf.f_frsize ? sf.f_frsize : sf.f_bsize),
		.f_blocks = sf.f_blocks,
		.f_bfree = sf.f_bfree,
		.f_bavail = sf.f_bavail,
		.f_files = sf.f_files,
		.f_ffree = sf.f_ffree,
		.f_favail = sf.f_ffree,
		.f_fsid = config()->musl ? (unsigned long)(int)fsid[0]
					 : fsid[0] | (unsigned long)fsid[1] << 32,
		.f_flag = (unsigned long)(config()->musl ? sf.f_flags : sf.f_flags & ~VALID),
		.f_namemax = (unsigned long)sf.f_namelen,
	};
	/* statvfs(3): glibc 2.40 and musl 1.2.5 gave the first spare int a meaning, f_type */
	*(int *)((char *)ret + offsetof(struct statvfs, f_namemax) + sizeof ret->f_namemax) =
		(int)sf.f_type;
	return 0;
}

key_t jail_ftok(const char *path, int id)
{
	struct stat st;
	long r = guest_newfstatat(AT_FDCWD, path, &st, 0);

	if (r < 0)
		return EDGE(key_t, r);
	return (key_t)((st.st_ino & 0xffff) | (st.st_dev & 0xff) << 16 | (unsigned)id << 24);
}

static bool path_is_empty(const char *path)
{
	return place_strlen(path, 1) == 0;
}

/* glibc asks about the file system in its own ways: hand it the object's magic link.  musl's
 * answers are constants that look at no file. */
long jail_pathconf(const char *path, int name)
{
	long (*real)(const char *, int) = REAL(pathconf);
	char link[PLACE_PATH];
	struct str s = {link, link + sizeof link};
	long r, fd;

	if (!real)
		return EDGE(long, -ENOSYS);
	if (!state_view() || config()->musl)
		return real(path, name);
	fd = guest_open_own(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	if (fd < 0) { /* what libc tells without a look at the file, it tells of every name */
		int saved = *__errno_location();

		if (path_is_empty(path))
			return real(path, name);
		r = real("/proc/self/fd/-1/nowhere", name);
		if (r == -1 && *__errno_location() == ENOENT)
			errno_set((int)-fd);
		else if (r != -1)
			errno_set(saved);
		return r;
	}
	str_puts(&s, "/proc/self/fd/");
	str_num(&s, (unsigned long)fd);
	r = real(link, name);
	sys_close((int)fd);
	return r;
}

ssize_t jail_readlinkat(int dirfd, const char *path, char *buf, size_t n)
{
	char none[1];

	if (n || !config()->musl)
		return EDGE(ssize_t, guest_readlinkat(dirfd, path, buf, n));
	/* musl: no room is no error, but what is no symlink still is */
	return EDGE(ssize_t, guest_readlinkat(dirfd, path, none, 1)) < 0 ? -1 : 0;
}

ssize_t jail_readlink(const char *path, char *buf, size_t n)
{
	return jail_readlinkat(AT_FDCWD, path, buf, n);
}

ssize_t jail___readlink_chk(const char *path, char *buf, size_t n, size_t room)
{
	ssize_t (*real)(const char *, char *, size_t, size_t);

	if (n > room) { /* libc reports the overflow */
		real = REAL(__readlink_chk);
		if (real)
			return real(path, buf, n, room);
	}
	return jail_readlink(path, buf, n);
}

ssize_t jail___readlinkat_chk(int dirfd, const char *path, char *buf, size_t n, size_t room)
{
	ssize_t (*real)(int, const char *, char *, size_t, size_t);

	if (n > room) {
		real = REAL(__readlinkat_chk);
		if (real)
			return real(dirfd, path, buf, n, room);
	}
	return jail_readlinkat(dirfd, path, buf, n);
}

/* -- realpath(3) ----------------------------------------------------------------------------- */

/* A libc's realpath is no system call but a walk in user space by readlink(2), name by name, and it
 * shows: dots are edited as text, so that "dir/.." needs no permission on dir; the program's text
 * may be longer than any path; what a failed call leaves behind is the first name that could not be
 * read.  Each libc walks in its own way. */
struct canon {
	char *out;   /* the name so far; CANON_OUT bytes */
	size_t n;    /* bytes of it */
	char *rest;  /* what is still to be walked; the text of a symlink goes in front */
	unsigned links;
};
enum { CANON_LINKS = 40, CANON_OUT = 16 * PATH_MAX };

static size_t canon_name(const char *rest)
{
	size_t n = 0;

	while (rest[n] && rest[n] != '/')
		n++;
	return n;
}

static bool canon_is_up(const char *name, size_t n)
{
	return n == 2 && name[0] == '.' && name[1] == '.';
}

static void canon_slashes(struct canon *c)
{
	while (*c->rest == '/')
		c->rest++;
}

/* Puts the text of the symlink c->out, n bytes at most, in front of the rest: its length or
 * -errno. */
static long canon_link(struct canon *c, size_t n)
{
	char text[PATH_MAX];
	long r = guest_readlinkat(AT_FDCWD, c->out, text, n < sizeof text ? n : sizeof text);

	if (r > 0 && (size_t)r < n) {
		if (config()->musl && text[r - 1] == '/')
			canon_slashes(c);
		c->rest -= r;
		memcpy(c->rest, text, (size_t)r);
	}
	return r;
}

/* Is what follows a name only right behind a directory?  So it is when, but for slashes, nothing
 * follows, or a dot or two. */
static bool canon_needs_dir(const char *rest)
{
	size_t n;

	while (*rest == '/') {
		while (*rest == '/')
			rest++;
		n = canon_name(rest);
		if (!n || canon_is_up(rest, n))
			return true;
		if (n != 1 || *rest != '.')
			return false;
		rest++;
		if (!*rest)
			return true;
	}
	return false;
}

static void canon_up_glibc(struct canon *c)
{
	if (c->n > 1)
		for (c->n--; c->n > 1 && c->out[c->n - 1] != '/'; c->n--)
			;
}

/* stdlib/canonicalize.c; old: before 2.33, when a symlink and the rest had to fit in
 * PATH_MAX bytes, and what has a slash behind it was asked at once whether it is a directory */
static long canon_glibc(struct canon *c, bool old)
{
	size_t len;
	long r;

	if (*c->rest == '/') {
		c->out[c->n++] = '/';
	} else {
		r = guest_getcwd_any(c->out, CANON_OUT);
		if (r < 0 || c->out[0] != '/')
			return r < 0 ? r : glibc_unreachable();
		if (old && r > PATH_MAX)
			return -ERANGE;
		c->n = (size_t)r - 1;
	}
	for (;;) {
		canon_slashes(c);
		len = canon_name(c->rest);
		if (!len)
			break;
		if (canon_is_up(c->rest, len)) {
			canon_up_glibc(c);
		} else if (len > 1 || *c->rest != '.') {
			if (c->out[c->n - 1] != '/')
				c->out[c->n++] = '/';
			if (c->n + len >= PATH_MAX)
				return -ENAMETOOLONG; /* the kernel would say so of the name */
			memcpy(c->out + c->n, c->rest, len);
			c->n += len;
			c->out[c->n] = '\0';
			c->rest += len;
			r = canon_link(c, PATH_MAX);
			if (r > 0) {
				if (++c->links > CANON_LINKS)
					return -ELOOP;
				if (old && strlen(c->rest) >= PATH_MAX)
					return -ENAMETOOLONG;
				if (*c->rest == '/')
					c->n = 1;
				else
					canon_up_glibc(c);
				continue;
			}
			if (old ? *c->rest == '/' : canon_needs_dir(c->rest)) {
				/* a symlink can no longer be there: EINVAL is what a directory says */
				c->out[c->n] = '/';
				c->out[c->n + 1] = '\0';
				r = guest_readlinkat(AT_FDCWD, c->out, (char[1]){0}, 1);
			}
			if (r < 0 && r != -EINVAL)
				return r;
			continue;
		}
		c->rest += len;
	}
	if (c->n > 1 && c->out[c->n - 1] == '/')
		c->n--;
	return 0;
}

/* Puts the working directory in front of a relative c->out, which begins with `ups` times "..". */
static long canon_cwd_musl(struct canon *c, size_t ups)
{
	char cwd[PATH_MAX];
	long r = guest_getcwd(cwd, sizeof cwd);
	size_t n, skip = 3 * ups < c->n ? 3 * ups : c->n;

	if (r < 0 || cwd[0] != '/')
		return r < 0 ? r : -ENOENT;
	for (n = (size_t)r - 1; ups && n > 1; ups--) {
		while (cwd[n - 1] != '/')
			n--;
		if (n > 1)
			n--;
	}
	if (c->n > skip && cwd[n - 1] != '/')
		cwd[n++] = '/';
	if (n + c->n - skip + 1 >= PATH_MAX)
		return -ENAMETOOLONG;
	memmove(c->out + n, c->out + skip, c->n - skip);
	memcpy(c->out, cwd, n);
	c->n = n + c->n - skip;
	return 0;
}

/* src/misc/realpath.c since 1.2.2: relative names stay relative to the end; "//" in front, in the
 * path or in a symlink, stays two; a name and all that follows it fit in PATH_MAX bytes. */
static long canon_musl(struct canon *c)
{
	bool fresh = true;  /* at the beginning of a path or of a symlink's text */
	bool slash = false; /* the name before had a slash behind it, and is not known to be a directory */
	size_t ups = 0;
	long r;

	if (strlen(c->rest) >= PATH_MAX)
		return -ENAMETOOLONG;
	for (;;) {
		size_t len, more;
		bool up;

		if (!fresh)
			canon_slashes(c);
		if (fresh && *c->rest == '/') {
			c->n = c->rest[1] == '/' && c->rest[2] != '/' ? 2 : 1;
			memcpy(c->out, "//", 2);
			ups = 0;
			slash = fresh = false;
			continue;
		}
		fresh = false;
		len = canon_name(c->rest);
		up = canon_is_up(c->rest, len);
		if (!len && !slash)
			break;
		if (len == 1 && *c->rest == '.') {
			c->rest++;
			continue;
		}
		more = (c->n && c->out[c->n - 1] != '/') + len;
		if (c->n + more >= PATH_MAX)
			return -ENAMETOOLONG;
		if (more > len)
			c->out[c->n] = '/';
		memcpy(c->out + c->n + more - len, c->rest, len);
		c->out[c->n + more] = '\0';
		c->rest += len;
		if (up && c->n <= 3 * ups) { /* nothing in front that it could take away */
			ups++;
			c->n += more;
			continue;
		}
		if (!up || slash) {
			size_t room = PATH_MAX - strlen(c->rest);

			r = canon_link(c, room);
			if (r == 0 || (r > 0 && (size_t)r >= room))
				return r == 0 ? -ENOENT : -ENAMETOOLONG;
			if (r > 0) {
				if (++c->links >= CANON_LINKS)
					return -ELOOP;
				fresh = true;
				continue;
			}
			if (r != -EINVAL)
				return r;
		}
		slash = false;
		if (up) {
			while (c->n && c->out[c->n - 1] != '/')
				c->n--;
			if (c->n > 1 && (c->n > 2 || c->out[0] != '/'))
				c->n--;
		} else if (len) {
			c->n += more;
			slash = *c->rest == '/';
		}
	}
	return c->n && c->out[0] == '/' ? 0 : canon_cwd_musl(c, ups);
}

static char *canon_copy(const char *text, size_t n)
{
	void *(*get)(size_t) = HEAP(malloc, void *, (size_t));
	char *copy = get ? get(n) : NULL;

	return copy ? memcpy(copy, text, n) : NULL;
}

/* A result of n bytes to where the program wants it. */
static char *canon_give(const char *name, size_t n, char *resolved)
{
	if (!resolved)
		resolved = canon_copy(name, n + 1);
	else
		memcpy(resolved, name, n + 1);
	return resolved;
}

static NOINLINE char *canon_walk(const char *path, char *resolved)
{
	const bool musl = config()->musl, old = !musl && glibc_before(33);
	long r, len = place_strlen(path, SIZE_MAX / 2);
	size_t size = CANON_OUT + (CANON_LINKS + 1) * PATH_MAX + (size_t)len + 1;
	struct canon c = {0};
	char *work, *got = NULL;

	if (len <= 0) {
		errno_set(len ? (int)-len : ENOENT);
		return NULL;
	}
	work = sys_pages(size);
	if (!work) {
		errno_set(ENOMEM);
		return NULL;
	}
	c.out = work;
	c.rest = memcpy(work + size - (size_t)len - 1, path, (size_t)len + 1);
	r = musl ? canon_musl(&c) : canon_glibc(&c, old);
	c.out[c.n] = '\0';
	if (r == 0 && resolved && c.n >= PATH_MAX)
		r = -ENAMETOOLONG;
	if (r == 0)
		got = canon_give(c.out, c.n, resolved);
	else if (resolved && !musl && c.n < PATH_MAX && (old || r == -ENOENT || r == -EACCES))
		memcpy(resolved, c.out, c.n + 1); /* how far it got: realpath(3), GNU extensions */
	sys_call(SYS_munmap, work, size);
	if (r < 0)
		errno_set((int)-r);
	return got;
}

char *jail_realpath(const char *path, char *resolved)
{
	char *(*real)(const char *, char *) = state_view() ? NULL : REAL(realpath);
	char name[PATH_MAX];
	long r;

	if (real)
		return real(path, resolved);
	if (!path) {
		errno_set(EINVAL); /* realpath(3) */
		return NULL;
	}
	r = guest_realpath(path, name);
	return r >= 0 ? canon_give(name, (size_t)r, resolved) : canon_walk(path, resolved);
}

char *jail___realpath_chk(const char *path, char *resolved, size_t room)
{
	char *(*real)(const char *, char *, size_t);

	if (room < PATH_MAX) {
		real = REAL(__realpath_chk);
		if (real)
			return real(path, resolved, room);
	}
	return jail_realpath(path, resolved);
}

char *jail_canonicalize_file_name(const char *path)
{
	return jail_realpath(path, NULL);
}

/* bindtextdomain(3) keeps a directory that libc opens by itself later, so libc must get the
 * host's name of it; and the program is given back what it gave.  Nodes are never changed nor
 * freed: a program binds few directories. */
struct bound {
	const struct bound *next;
	const char *host;
	char guest[]; /* then host */
};
static const struct bound *bound_all;

static const struct bound *bound_make(const struct view *v, const char *guest)
{
	void *(*get)(size_t) = LIBC(malloc, void *, (size_t));
	char host[PATH_MAX];
	struct str s = {host, host + sizeof host};
	const struct bound *b;
	struct bound *new;

	if (guest_host_name(guest, host, sizeof host) < 0) { /* where it would be made, or nowhere */
		str_puts(&s, *guest == '/' ? v->host : "/proc/self/fd/-1/");
		str_puts(&s, guest);
		if (!s.at)
			return NULL;
	}
	for (b = __atomic_load_n(&bound_all, __ATOMIC_ACQUIRE); b; b = b->next)
		if (mem_equal(b->guest, guest) && mem_equal(b->host, host))
			return b;
	new = get ? get(sizeof *new + strlen(guest) + strlen(host) + 2) : NULL;
	if (!new)
		return NULL;
	memcpy(new->guest, guest, strlen(guest) + 1);
	new->host = memcpy(new->guest + strlen(guest) + 1, host, strlen(host) + 1);
	new->next = __atomic_load_n(&bound_all, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(
		&bound_all, &new->next, new, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return new;
}

/* Does a relative name of a directory lead elsewhere by the host's walk than by the guest's?  If not, it
 * is libc's to put the working directory in front of it when it looks. */
static bool bound_elsewhere(const char *dir)
{
	struct stat host, guest;
	const bool there = sys_fstatat(AT_FDCWD, dir, &host, 0) == 0;

	if (guest_newfstatat(AT_FDCWD, dir, &guest, 0) != 0)
		return there;
	return !there || host.st_dev != guest.st_dev || host.st_ino != guest.st_ino;
}

char *jail_bindtextdomain(const char *domain, const char *dir)
{
	char *(*real)(const char *, const char *) = REAL(bindtextdomain);
	const struct view *v = state_view();
	const struct bound *b;
	char *r;

	if (!real) {
		errno_set(ENOSYS);
		return NULL;
	}
	if (v && domain && dir && (dir[0] == '/' || bound_elsewhere(dir))) {
		b = bound_make(v, dir);
		if (!b) {
			errno_set(ENOMEM);
			return NULL;
		}
		dir = b->host;
	}
	r = real(domain, dir);
	/* The newest node that led to this host name: what this program gave last. */
	for (b = __atomic_load_n(&bound_all, __ATOMIC_ACQUIRE); r && b; b = b->next)
		if (mem_equal(b->host, r))
			return (char *)b->guest;
	return r;
}
