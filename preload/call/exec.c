/* SPDX-License-Identifier: ISC
 *
 * exec(3): how a libc turns its nine names into execve(2): where PATH is searched, which errors
 * end the search, what becomes of a file that is no program.  glibc and musl differ, and a guest
 * must see its own libc's answer.  Everything here is legal between vfork and exec: it owns its
 * stack and nothing else. */
#include "process.h"
#include "../config.h"
#include "../env.h"
#include "../sys.h"

static long exec_one(const char *path, char *const argv[], char *const envp[], bool script)
{
	long r = guest_execveat(AT_FDCWD, path, argv, envp, 0);

	/* A file that the kernel does not know how to execute is a script of /bin/sh, as POSIX wants from
	 * execlp and execvp; the shell gets the path that was found. */
	return r == -ENOEXEC && script ? guest_exec_shell(path, argv, envp) : r;
}

/* Does the search go on after this error?  glibc's posix/execvpe.c knows of odd network file
 * systems; musl's src/process/execvp.c does not. */
static bool exec_goes_on(long r, bool musl)
{
	switch (-r) {
	case EACCES:
	case ENOENT:
	case ENOTDIR:
		return true;
	case ESTALE:
	case ENODEV:
	case ETIMEDOUT:
		return !musl;
	default:
		return false;
	}
}

/* The length of PATH's first element. */
static size_t element(const char *path)
{
	const char *end = mem_find(path, ':');

	return end ? (size_t)(end - path) : strlen(path);
}

long exec_search(const char *file, char *const argv[], char *const envp[], bool script)
{
	const bool musl = config()->musl;
	const char *path, *next;
	bool denied = false;
	size_t name, dir, longest = 0;
	long r;

	if (!file)
		return -EFAULT;
	if (!*file)
		return -ENOENT;
	script = script && !musl;
	if (mem_find(file, '/'))
		return exec_one(file, argv, envp, script);
	name = strlen(file);
	if (name > NAME_MAX) {
		if (musl)
			return -ENAMETOOLONG;
		name = NAME_MAX + 1; /* glibc leaves it to the kernel: it may be ENOTDIR */
	}
	path = env_get(config_environ(), "PATH");
	if (!path)
		path = musl ? "/usr/local/bin:/bin:/usr/bin" : "/bin:/usr/bin";

	for (const char *p = path; *p; p += dir + (p[dir] == ':')) {
		dir = element(p);
		if (dir < PATH_MAX && dir > longest)
			longest = dir;
	}

	char try[longest + name + 2]; /* the stack may be a small one */

	r = -ENOENT;
	for (;; path = next + 1) {
		dir = element(path);
		next = path[dir] ? path + dir : NULL;
		if (dir < PATH_MAX) { /* both libcs pass over an element that cannot be a path */
			memcpy(try, path, dir);
			try[dir] = '/';
			/* An empty element is the current directory. */
			memcpy(try + dir + (dir != 0), file, name);
			try[dir + (dir != 0) + name] = '\0';
			r = exec_one(try, argv, envp, script);
			if (!exec_goes_on(r, musl))
				return r;
			denied |= r == -EACCES;
		}
		if (!next)
			break;
	}
	/* The interesting failure is the program that was there. */
	return denied ? -EACCES : r;
}

int jail_execve(const char *path, char *const argv[], char *const envp[])
{
	return EDGE(int, guest_execveat(AT_FDCWD, path, argv, envp, 0));
}

int jail_execv(const char *path, char *const argv[])
{
	return EDGE(int, guest_execveat(AT_FDCWD, path, argv, config_environ(), 0));
}

int jail_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return EDGE(int, guest_execveat(dirfd, path, argv, envp, flags));
}

int jail_fexecve(int fd, char *const argv[], char *const envp[])
{
	/* glibc's check comes first (sysdeps/unix/sysv/linux/fexecve.c); musl asks the kernel. */
	if (!config()->musl && (fd < 0 || !argv || !envp))
		return EDGE(int, -EINVAL);
	return EDGE(int, guest_execveat(fd, "", argv, envp, AT_EMPTY_PATH));
}

int jail_execvpe(const char *file, char *const argv[], char *const envp[])
{
	return EDGE(int, exec_search(file, argv, envp, true));
}

int jail_execvp(const char *file, char *const argv[])
{
	return EDGE(int, exec_search(file, argv, config_environ(), true));
}

/* The l forms: the arguments from arg up to a NULL become an array on the caller's own stack
 * frame, ap stands after that NULL. */
static size_t arg_count(const char *arg, va_list *ap)
{
	size_t n = 0;

	for (; arg; arg = va_arg(*ap, const char *))
		n++;
	return n;
}

static void arg_copy(char **argv, const char *arg, va_list *ap)
{
	for (; arg; arg = va_arg(*ap, const char *))
		*argv++ = (char *)arg;
	*argv = NULL;
}

int jail_execl(const char *path, const char *arg, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, arg);
	n = arg_count(arg, &ap);
	va_end(ap);

	char *argv[n + 1];

	va_start(ap, arg);
	arg_copy(argv, arg, &ap);
	va_end(ap);
	return EDGE(int, guest_execveat(AT_FDCWD, path, argv, config_environ(), 0));
}

int jail_execle(const char *path, const char *arg, ...)
{
	char *const *envp;
	va_list ap;
	size_t n;

	va_start(ap, arg);
	n = arg_count(arg, &ap);
	va_end(ap);

	char *argv[n + 1];

	va_start(ap, arg);
	arg_copy(argv, arg, &ap);
	envp = va_arg(ap, char *const *);
	va_end(ap);
	return EDGE(int, guest_execveat(AT_FDCWD, path, argv, envp, 0));
}

int jail_execlp(const char *file, const char *arg, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, arg);
	n = arg_count(arg, &ap);
	va_end(ap);

	char *argv[n + 1];

	va_start(ap, arg);
	arg_copy(argv, arg, &ap);
	va_end(ap);
	return EDGE(int, exec_search(file, argv, config_environ(), true));
}
