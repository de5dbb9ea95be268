/* SPDX-License-Identifier: ISC
 *
 * The working directory is the kernel's own; here it gets the guest's name. */
#include "guest.h"
#include "../config.h"
#include "../state.h"
#include <errno.h>

long guest_chdir(const char *path)
{
	const struct view *v = state_view();
	static const struct open_how dir = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
	long fd, r;

	if (!v)
		return sys_call(SYS_chdir, path);
	fd = place_open(v, AT_FDCWD, path, &dir);
	if (fd < 0)
		return fd;
	r = sys_fchdir((int)fd); /* asks for search permission, as chdir(2) does */
	sys_close((int)fd);
	return r;
}

long guest_fchdir(int fd)
{
	if (state_owns(fd))
		return -EBADF;
	return sys_fchdir(fd);
}

static NOINLINE long getcwd_outside(const struct view *v, char *buf, size_t n)
{
	char host[PATH_MAX + 16], text[PATH_MAX + 32];
	struct str s = {text, text + sizeof text};
	size_t len;
	long r = sys_getcwd(host, sizeof host);

	if (r < 0)
		return r;
	if (host[0] != '/') {
		str_puts(&s, host);
	} else if (place_guest(v, host, &s) < 0) {
		/* chroot without chdir: fs/d_path.c says so in front of the whole path */
		s.at = text;
		str_puts(&s, "(unreachable)");
		str_puts(&s, host);
	}
	if (!s.at)
		return -ENAMETOOLONG;
	len = (size_t)(s.at - text) + 1;
	if (len > PATH_MAX)
		return -ENAMETOOLONG;
	if (len > n)
		return -ERANGE;
	if (!place_readable(buf, len))
		return -EFAULT;
	memcpy(buf, text, len);
	return (long)len;
}

long guest_getcwd(char *buf, size_t n)
{
	const struct view *v = state_view();
	size_t cut;
	long r;

	if (!v)
		return sys_getcwd(buf, n);
	for (size_t i = 0; i < v->nbinds; i++)
		if (v->binds[i].in_root)
			return getcwd_outside(v, buf, n);
	r = sys_getcwd(buf, n);
	cut = v->host_len;
	/* the usual case: the root's own path in front, and nothing to do but take it away */
	if (r == -ERANGE || (r > 0 && ((size_t)r <= cut || memcmp(buf, v->host, cut) != 0 ||
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

long guest_realpath(const char *path, char *resolved)
{
	static const struct open_how what = {.flags = O_PATH | O_CLOEXEC};
	const struct view *v = state_view();
	char text[PATH_MAX + 64];
	long fd, r;

	if (v) {
		fd = place_open(v, AT_FDCWD, path, &what);
	} else {
		fd = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	}
	if (fd < 0)
		return fd;
	r = place_guest_fd(v, (int)fd, text, sizeof text);
	sys_close((int)fd);
	if (r < 0)
		return r;
	if (r >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(resolved, text, (size_t)r + 1);
	return r;
}
