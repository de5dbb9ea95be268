/* SPDX-License-Identifier: ISC
 *
 * Paths whose C function is more than one system call: what libc computes from the kernel's
 * answer, who allocates it, and what it keeps for later. */
#include "../wrap.h"

int jail_remove(const char *path)
{
	long r = guest_unlinkat(AT_FDCWD, path, 0);

	if (r == -EISDIR) /* what Linux answers, in place of POSIX's EPERM: unlink(2) */
		r = guest_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
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
	fd = guest_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	if (fd < 0)
		return EDGE(long, fd);
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

char *jail_realpath(const char *path, char *resolved)
{
	void *(*get)(size_t);
	char name[PATH_MAX];
	long r;

	r = path ? guest_realpath(path, name) : -EINVAL; /* realpath(3) */
	if (r < 0) {
		errno_set((int)-r);
		return NULL;
	}
	if (!resolved) {
		get = LIBC(malloc, void *, (size_t));
		resolved = get ? get((size_t)r + 1) : NULL;
	}
	if (resolved)
		memcpy(resolved, name, (size_t)r + 1);
	return resolved;
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
	long fd = guest_openat(AT_FDCWD, guest, O_PATH | O_CLOEXEC, 0), n = -1;
	char link[PLACE_PATH];
	struct str l = {link, link + sizeof link};
	const struct bound *b;
	struct bound *new;

	if (fd >= 0) {
		str_puts(&l, "/proc/self/fd/");
		str_num(&l, (unsigned long)fd);
		n = sys_readlinkat(AT_FDCWD, link, host, sizeof host - 1);
		sys_close((int)fd);
	}
	if (n > 0) {
		host[n] = '\0';
	} else { /* not there yet: where it would be made */
		str_puts(&s, v->host);
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
	if (v && domain && dir && dir[0] == '/') {
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
