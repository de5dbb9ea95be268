/* SPDX-License-Identifier: ISC
 *
 * getcwd(3) in its C forms: what glibc and musl each make of a NULL buffer, of a directory that
 * lies outside the root, and of $PWD. */
#include "../env.h"
#include "../wrap.h"
#include "glibc.h"

/* A copy on the program's heap, for it to free; NULL with ENOMEM. */
static char *cwd_copy(const char *text, size_t n, size_t room)
{
	void *(*get)(size_t) = HEAP(malloc, void *, (size_t));
	char *copy = get ? get(room) : NULL;

	if (copy)
		memcpy(copy, text, n);
	return copy;
}

/* Up and up, as far as it may read: each directory must show the one below it. */
long glibc_unreachable(void)
{
	struct stat st, above;
	int here = AT_FDCWD, up;
	long r = sys_fstatat(AT_FDCWD, ".", &st, 0);

	while (r == 0) {
		up = sys_openat_own(here, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = up < 0 ? up : sys_fstat(up, &above);
		if (here != AT_FDCWD)
			sys_close(here);
		here = up;
		if (r == 0 && (!st.st_nlink || (st.st_ino == above.st_ino && st.st_dev == above.st_dev) ||
				      sys_faccessat2(up, ".", F_OK, 0) == -EACCES))
			r = -ENOENT;
		st = above;
	}
	if (here >= 0)
		sys_close(here);
	return r;
}

/* Where the kernel has no name, too long or outside the root, glibc looks for one by itself
 * (sysdeps/posix/getcwd.c): it has no limit, and finds nothing outside. */
static NOINLINE char *cwd_long(char *buf, size_t n)
{
	enum { MOST = 64 * PATH_MAX };
	char *work = buf ? buf : sys_pages(MOST), *got = NULL;
	long r = work ? guest_getcwd_any(work, buf ? n : MOST) : -ENOMEM;

	if (r >= 0 && work[0] != '/')
		r = glibc_unreachable();
	if (r >= 0 && !buf && n && (size_t)r > n)
		r = -ERANGE;
	if (r < 0)
		errno_set((int)-r);
	else
		got = buf ? buf : cwd_copy(work, (size_t)r, n ? n : (size_t)r);
	if (!buf && work)
		sys_call(SYS_munmap, work, MOST);
	return got;
}

char *jail_getcwd(char *buf, size_t n)
{
	char *(*real)(char *, size_t) = state_view() ? NULL : REAL(getcwd);
	char own[PATH_MAX];
	long r;

	if (real)
		return real(buf, n);
	if (buf && !n) {
		errno_set(EINVAL);
		return NULL;
	}
	r = buf ? guest_getcwd(buf, n) : guest_getcwd(own, sizeof own);
	if (r == -ENAMETOOLONG && !config()->musl)
		return cwd_long(buf, n);
	if (r >= 0 && (buf ? buf : own)[0] != '/')
		r = config()->musl ? -ENOENT : glibc_unreachable(); /* getcwd(3): it is no path */
	if (r < 0) {
		errno_set((int)-r);
		return NULL;
	}
	if (buf)
		return buf;
	/* musl allocates what it takes; so does glibc without a size, and else exactly that size.
	 */
	if (!n || config()->musl)
		n = (size_t)r;
	if ((size_t)r > n) {
		errno_set(ERANGE);
		return NULL;
	}
	return cwd_copy(own, (size_t)r, n);
}

char *jail___getcwd_chk(char *buf, size_t n, size_t room)
{
	char *(*real)(char *, size_t, size_t);

	if (n > room) { /* libc reports the overflow */
		real = REAL(__getcwd_chk);
		if (real)
			return real(buf, n, room);
	}
	return jail_getcwd(buf, n);
}

char *jail_getwd(char *buf)
{
	int (*text)(int, char *, size_t);
	char own[PATH_MAX];
	long r;

	if (!buf) {
		errno_set(EINVAL);
		return NULL;
	}
	r = guest_getcwd(own, sizeof own);
	if (r >= 0 && own[0] == '/') {
		memcpy(buf, own, (size_t)r);
		return buf;
	}
	r = r < 0 ? r : -ENOENT;
	text = LIBC(__xpg_strerror_r, int, (int, char *, size_t));
	if (text)
		text((int)-r, buf, 1024); /* getcwd(3): the buffer then holds a message */
	errno_set((int)-r);
	return NULL;
}

char *jail___getwd_chk(char *buf, size_t room)
{
	char *(*real)(char *, size_t);
	char own[PATH_MAX];

	if (buf && room < PATH_MAX && guest_getcwd(own, sizeof own) > (long)room) {
		real = REAL(__getwd_chk);
		if (real)
			return real(buf, room);
	}
	return jail_getwd(buf);
}

char *jail_get_current_dir_name(void)
{
	const char *pwd = env_get(config_environ(), "PWD");
	struct stat here, there;

	/* get_current_dir_name(3): $PWD as it is, when it names the current directory */
	if (pwd && *pwd && guest_newfstatat(AT_FDCWD, ".", &here, 0) == 0 &&
		guest_newfstatat(AT_FDCWD, pwd, &there, 0) == 0 && here.st_dev == there.st_dev &&
		here.st_ino == there.st_ino)
		return cwd_copy(pwd, strlen(pwd) + 1, strlen(pwd) + 1);
	return jail_getcwd(NULL, 0);
}
