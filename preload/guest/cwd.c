/* SPDX-License-Identifier: ISC
 *
 * The working directory is the kernel's own; here it gets the guest's name: the kernel's text of it
 * with the root taken off, or, where that text is longer than the kernel gives out, name by name. */
#include "guest.h"
#include "../config.h"
#include "../path/look.h"
#include "../sys/apart.h"
#include "../state.h"
#include <errno.h>

/* Others may be in the middle of a lookup that begins in the old directory. */
static long moved(long nr, long to)
{
	long r;

	epoch_go_begin();
	r = sys_call(nr, to);
	epoch_go_end();
	return r;
}

struct change {
	const struct view *v;
	const char *path;
};

/* Without the walker by descriptors, which opens what it holds by /proc/self/fd: of another thread, perhaps. */
static long chdir_held(void *arg)
{
	const struct change *c = arg;
	long r, fd = place_hold(c->v, AT_FDCWD, c->path, O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	r = moved(SYS_fchdir, fd); /* asks for search permission, as chdir(2) does */
	sys_close((int)fd);
	return r;
}

long guest_chdir(const char *path)
{
	struct change c = {.path = path};
	long r;

	do { /* again where another thread has taken the number of the root's descriptor meanwhile, which then has another */
		c.v = state_view();
		if (!c.v)
			r = moved(SYS_chdir, (long)path);
		else if (c.v->fd >= 0 && place_strlen(path, 2) == 1 && *path == '/')
			r = moved(SYS_fchdir, c.v->fd);
		else if (LIKELY(!look_threads()) || view_walks(c.v) || !sys_apart(chdir_held, &c, &r))
			r = chdir_held(&c);
	} while (UNLIKELY(state_view() != c.v));
	return r;
}

long guest_fchdir(int fd)
{
	if (state_owns(fd))
		return -EBADF;
	return moved(SYS_fchdir, fd);
}

/* place_guest, also when the root's directory has got another name since: to the kernel it is the
 * root by any name. */
static int cwd_guest(const struct view *v, const char *host, struct str *out)
{
	struct place root = {.dir = v->fd, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH], now[PATH_MAX];
	const char *rest;
	long n;
	int r = place_guest(v, host, out);

	if (r != -ENOENT)
		return r;
	n = sys_readlinkat(AT_FDCWD, place_path(&root, magic), now, sizeof now - 1);
	if (n <= 0)
		return r;
	now[n] = '\0';
	rest = mem_after(host, now);
	if (!rest || (*rest && *rest != '/'))
		return r;
	str_puts(out, *rest ? rest : "/");
	return out->at ? 0 : -ENAMETOOLONG;
}

struct cwd_entry { /* getdents(2) */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* The name that the directory st has in the directory up, to the front of what stands at *at; at
 * least one byte more is free there.  A mount point has another number in its entry than in its
 * status: then all are asked. */
static int cwd_entry(int up, const struct stat *st, char *front, char **at)
{
	char buf[4096];
	struct stat got;
	long have;

	for (int all = 0; all < 2; all++) {
		sys_call(SYS_lseek, up, 0, SEEK_SET);
		while ((have = sys_call(SYS_getdents64, up, buf, sizeof buf)) > 0)
			for (long i = 0; i < have;) {
				const struct cwd_entry *d = (const void *)(buf + i);
				size_t n = strlen(d->name);

				i += d->reclen;
				if ((!all && d->ino != st->st_ino) || mem_equal(d->name, ".") ||
					mem_equal(d->name, "..") ||
					sys_fstatat(up, d->name, &got, AT_SYMLINK_NOFOLLOW) < 0 ||
					got.st_ino != st->st_ino || got.st_dev != st->st_dev)
					continue;
				if (n >= (size_t)(*at - front))
					return -ERANGE;
				*at -= n;
				memcpy(*at, d->name, n);
				*--*at = '/';
				return 0;
			}
		if (have < 0)
			return (int)have;
	}
	return -ENOENT;
}

/* The host's name is longer than PATH_MAX, the guest's need not be: up, until the kernel has a name
 * for where we are.  Bytes with the NUL, or -errno. */
static NOINLINE long cwd_climb(const struct view *v, char *buf, size_t n)
{
	char host[PATH_MAX], text[2 * PATH_MAX], magic[PLACE_PATH];
	char *at = buf + n - 1;
	int here = AT_FDCWD, up;
	struct stat st;
	size_t len;
	long r;

	*at = '\0';
	for (;;) {
		r = sys_fstatat(here, "", &st, AT_EMPTY_PATH);
		up = r < 0 ? (int)r : sys_openat_own(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (here != AT_FDCWD)
			sys_close(here);
		if (up < 0)
			return up;
		here = up;
		r = cwd_entry(up, &st, buf, &at);
		if (r < 0)
			break;
		r = sys_readlinkat(AT_FDCWD,
			place_path(&(struct place){.dir = up, .flags = AT_EMPTY_PATH}, magic), host,
			sizeof host - 1);
		if (r >= 0 || r != -ENAMETOOLONG)
			break;
	}
	sys_close(here);
	if (r < 0)
		return r;
	host[r] = '\0';
	{
		struct str s = {text, text + sizeof text};

		r = cwd_guest(v, host, &s);
	}
	if (r < 0)
		return r;
	len = mem_equal(text, "/") ? 0 : strlen(text);
	if (len > (size_t)(at - buf))
		return -ERANGE;
	r = buf + n - at; /* the names below, NUL and all */
	memmove(buf + len, at, (size_t)r);
	memcpy(buf, text, len);
	return (long)len + r;
}

long guest_getcwd_any(char *buf, size_t n)
{
	const struct view *v = state_view();
	long r = guest_getcwd(buf, n);

	return v && r == -ENAMETOOLONG ? cwd_climb(v, buf, n) : r;
}

static NOINLINE long getcwd_outside(const struct view *v, char *buf, size_t n)
{
	char host[PATH_MAX + 16], text[PATH_MAX + 32];
	struct str s = {text, text + sizeof text};
	long len, r = sys_getcwd(host, sizeof host);

	if (r == -ENAMETOOLONG) {
		len = cwd_climb(v, text, PATH_MAX);
		if (len == -ERANGE || len == -ENOENT) /* outside: "(unreachable)" and the whole of it */
			return -ENAMETOOLONG;
		/* the kernel needs no permission to tell a name, nor to find it too long */
		if (len < 0)
			return len == -EACCES ? -ENAMETOOLONG : len;
	} else {
		if (r < 0)
			return r;
		if (host[0] != '/') {
			str_puts(&s, host);
		} else if (cwd_guest(v, host, &s) < 0) {
			/* chroot without chdir: fs/d_path.c says so in front of the whole path */
			s.at = text;
			str_puts(&s, "(unreachable)");
			str_puts(&s, host);
		}
		if (!s.at)
			return -ENAMETOOLONG;
		len = s.at - text + 1;
	}
	if (len > PATH_MAX)
		return -ENAMETOOLONG;
	if ((size_t)len > n)
		return -ERANGE;
	if (!place_readable(buf, (size_t)len))
		return -EFAULT;
	memcpy(buf, text, (size_t)len);
	return len;
}

long guest_getcwd(char *buf, size_t n)
{
	const struct view *v = state_view();
	size_t cut;
	long r;

	if (!v)
		return sys_getcwd(buf, n);
	if (v->in_root)
		return getcwd_outside(v, buf, n);
	r = sys_getcwd(buf, n);
	cut = v->host_len;
	/* the usual case: the root's own path in front, and nothing to do but take it away.  The guest's
	 * name may be shorter than this, or longer by "(unreachable)" */
	if (r == -ERANGE || r == -ENAMETOOLONG || r == -EFAULT ||
		(r > 0 && ((size_t)r <= cut || memcmp(buf, v->host, cut) != 0 ||
				  (buf[cut] && buf[cut] != '/'))))
		return getcwd_outside(v, buf, n);
	if (r < 0)
		return r;
	if (!buf[cut]) {
		if (n < 2)
			return -ERANGE;
		buf[0] = '/';
		buf[1] = '\0';
		return 2;
	}
	memmove(buf, buf + cut, (size_t)r - cut);
	return r - (long)cut;
}

/* -- realpath(3), the quick way ------------------------------------------------------------- */

static bool same_or_below(const char *a, const char *b)
{
	return mem_below(a, mem_equal(b, "/") ? "" : b) != NULL;
}

/* Has everything one name only?  Not when one bind shows what another one or the root shows. */
static bool names_are_single(const struct view *v)
{
	for (size_t i = 0; i < v->nbinds; i++)
		for (size_t k = 0; k <= i; k++) {
			const char *a = v->binds[i].host, *b = k == i ? v->host : v->binds[k].host;

			if (same_or_below(a, b) || same_or_below(b, a))
				return false;
		}
	return true;
}

/* An absolute path without symlinks, edited as text.  Shorter than PATH_MAX, like path. */
static long realpath_text(const char *path, char *out)
{
	size_t n = 0, len;

	for (; *path; path += len) {
		while (*path == '/')
			path++;
		for (len = 0; path[len] && path[len] != '/'; len++)
			;
		if (!len || (len == 1 && path[0] == '.'))
			continue;
		if (len == 2 && path[0] == '.' && path[1] == '.') {
			while (n && out[--n] != '/')
				;
			continue;
		}
		out[n++] = '/';
		memcpy(out + n, path, len);
		n += len;
	}
	if (!n)
		out[n++] = '/';
	out[n] = '\0';
	return (long)n;
}

/* The guest's name of what fd holds, when it surely is the only one. */
static long realpath_held(const struct view *v, int fd, char *out)
{
	static const char gone[] = " (deleted)";
	struct place at = {.dir = fd, .flags = AT_EMPTY_PATH};
	struct str s = {out, out + PATH_MAX};
	char magic[PLACE_PATH], host[PATH_MAX];
	long n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), host, sizeof host - 1);

	if (n <= 0 || host[0] != '/')
		return -EAGAIN;
	host[n] = '\0';
	if ((size_t)n >= sizeof gone && mem_equal(host + n - (sizeof gone - 1), gone))
		return -EAGAIN;
	return place_guest(v, host, &s) < 0 ? -EAGAIN : s.at - out;
}

long guest_realpath(const char *path, char *resolved)
{
	const struct view *v = state_view();
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
	const bool musl = config()->musl;
	char text[PATH_MAX];
	long fd, cwd = 0, n = place_strlen(path, PATH_MAX);
	bool single;

	if (!v || n <= 0 || (musl && path[0] == '/' && path[1] == '/'))
		return -EAGAIN;
	if (path[0] != '/') {
		/* the name of the working directory counts, not the directory: as in the libc */
		cwd = guest_getcwd(text, sizeof text);
		if (cwd < 0 || text[0] != '/' || cwd + n >= PATH_MAX - 2)
			return -EAGAIN;
		text[cwd - 1] = '/';
	}
	memcpy(text + cwd, path, (size_t)n + 1);
	/* musl has a use for "//" in a symlink; the walker would do all twice */
	single = !musl && !view_walks(v) && names_are_single(v);
	if (!single)
		how.resolve |= RESOLVE_NO_SYMLINKS;
	fd = place_open(v, AT_FDCWD, text, &how);
	if (fd < 0)
		return -EAGAIN;
	n = single ? realpath_held(v, (int)fd, resolved) : realpath_text(text, resolved);
	sys_close((int)fd);
	return n;
}

static long host_name_of(int fd, char *buf, size_t n)
{
	char magic[PLACE_PATH];
	struct place at = {.dir = fd, .name = "", .flags = AT_EMPTY_PATH};
	long r = sys_readlinkat(AT_FDCWD, fd == AT_FDCWD ? "/proc/self/cwd" : place_path(&at, magic), buf, n);

	if (r < 0)
		return r;
	if (r >= (long)n)
		return -ENAMETOOLONG;
	buf[r] = '\0';
	return r;
}

long guest_host_name(const char *path, char *buf, size_t n)
{
	struct str s = {buf, buf + n};
	struct place at;
	long r, fd = guest_open_own(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);

	if (fd >= 0) {
		r = host_name_of((int)fd, buf, n);
		sys_close((int)fd);
		return r;
	}
	if (fd != -ENOENT)
		return fd;
	r = place_find(&at, state_view(), AT_FDCWD, path, PLACE_NAME);
	if (r < 0)
		return r;
	r = at.name[0] == '/' ? 0 : host_name_of(at.dir, buf, n);
	if (r >= 0) {
		s.at += r;
		if (at.name[0] != '/' && r > 1)
			str_puts(&s, "/");
		str_puts(&s, at.name);
		r = s.at ? s.at - buf : -ENAMETOOLONG;
	}
	return place_done(&at, r);
}
