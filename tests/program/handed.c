/* SPDX-License-Identifier: ISC
 *
 * Descriptors that change hands (handed.sh).  handed CASE [ARG...] ends with an exec, in its own process or in a
 * child, of ./has, a copy of this program, which says whether the number that WHICH names is open there. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <netdb.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void which(int fd)
{
	char text[16];

	snprintf(text, sizeof text, "%d", fd);
	setenv("WHICH", text, 1);
}

static int file(void)
{
	return open("/etc/passwd", O_RDONLY);
}

/* Fails the test where fd is not n: the case is about a number that comes back. */
static int again(int fd, int n)
{
	if (fd != n) {
		printf("%d is not %d\n", fd, n);
		exit(9);
	}
	return fd;
}

/* -- closed inside libc, and given to something that is close-on-exec ----------------------------- */

static int reopened(int n) /* by opendir */
{
	DIR *d = opendir("/usr");

	return again(d ? dirfd(d) : -1, n);
}

static int is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

#ifdef __x86_64__
static long bare(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}
#else
#define bare syscall
#endif

static int closed(const char *what)
{
	char *paths[] = {(char *)"/etc/default", NULL};
	int n;

	if (is(what, "fclose") || is(what, "fclose-hosts")) {
		FILE *f = fopen("/etc/passwd", "r");

		n = fileno(f);
		fclose(f);
		if (is(what, "fclose"))
			return reopened(n);
		sethostent(1); /* libc keeps its own file open */
		gethostent();
		return n;
	}
	if (is(what, "closedir")) {
		DIR *d = fdopendir(n = open("/etc", O_RDONLY | O_DIRECTORY));

		closedir(d);
		return reopened(n);
	}
	if (is(what, "fdopendir")) {
		n = open("/etc", O_RDONLY | O_DIRECTORY);
		return fdopendir(n) ? n : -1;
	}
	if (is(what, "pclose")) {
		FILE *f = popen("exit 0", "r");

		n = fileno(f);
		pclose(f);
		return again(fileno(fopen("/etc/passwd", "re")), n);
	}
	if (is(what, "freopen")) {
		FILE *f = fopen("/etc/passwd", "r");

		n = fileno(f);
		if (freopen("/nonexistent", "r", f))
			return -1;
		return reopened(n);
	}
	if (is(what, "freopen-asked")) {
		FILE *f = fopen("/etc/passwd", "r");

		return freopen(NULL, "re", f) ? fileno(f) : -1;
	}
	if (is(what, "freopen-kept")) { /* inheritable, as ever */
		FILE *f = fopen("/etc/passwd", "r");

		return freopen("/etc/group", "r", f) ? fileno(f) : -1;
	}
	if (is(what, "fts")) {
		FTS *walk = fts_open(paths, FTS_PHYSICAL, NULL);

		n = walk->fts_rfd;
		fts_read(walk);
		fts_close(walk);
		return reopened(n);
	}
	if (is(what, "bare")) { /* past every library; the number tells a file of another kind */
		n = socket(AF_UNIX, SOCK_STREAM, 0);
		bare(SYS_close, n, 0, 0);
		return again((int)bare(SYS_openat, AT_FDCWD, (long)"/usr", O_RDONLY | O_CLOEXEC), n);
	}
	if (is(what, "bare-opendir")) {
		n = file();
		bare(SYS_close, n, 0, 0);
		return reopened(n);
	}
	if (is(what, "nothing"))
		return file();
	exit(8);
}

/* -- dup2(n, n) ------------------------------------------------------------------------------------ */

static int onto_itself(const char *how)
{
	posix_spawn_file_actions_t fa;
	char *argv[] = {(char *)"has", NULL};
	int n = is(how, "asked") ? open("/etc/passwd", O_RDONLY | O_CLOEXEC) : file(), status;
	pid_t pid;

	which(n);
	if (is(how, "dup2") || is(how, "asked"))
		again(dup2(n, n), n);
#ifdef SYS_dup2
	else if (is(how, "syscall"))
		again((int)syscall(SYS_dup2, n, n), n);
#endif
	else if (is(how, "dup3") && (dup3(n, n, 0) >= 0 || errno != EINVAL))
		exit(7);
	if (is(how, "vfork"))
		pid = vfork();
	else if (!is(how, "spawn"))
		pid = fork();
	else if (posix_spawn_file_actions_init(&fa) || posix_spawn_file_actions_adddup2(&fa, n, n) ||
		 posix_spawn(&pid, "./has", &fa, NULL, argv, environ))
		exit(6);
	if (pid == 0) {
		if (is(how, "vfork"))
			dup2(n, n);
		execv("./has", argv);
		_exit(5);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* -- a number that the child is told ------------------------------------------------------------------ */

/* how: what becomes of a pipe, of which one end is told by the arguments in argv, with its number for %d:
 * end: the child closes the other end; both: it keeps both; copy: it has a copy as well; parent: the
 * parent closes the other end; file: it is no pipe; pair: it is a socketpair; read: the end is the one that is read */
static int told(const char *how, char **argv)
{
	static char text[8][100];
	int p[2], other, n, status;
	pid_t pid;

	if (is(how, "file")) {
		p[0] = file();
		p[1] = file();
	} else if (is(how, "pair") ? socketpair(AF_UNIX, SOCK_STREAM, 0, p) : pipe(p)) {
		return 9;
	}
	n = p[!is(how, "read")];
	other = p[is(how, "read")];
	which(n);
	if (is(how, "parent"))
		close(other);
	pid = fork();
	if (pid == 0) {
		if (!is(how, "both") && !is(how, "parent"))
			close(other);
		if (is(how, "copy"))
			dup2(n, 2);
		for (int i = 0; argv[i]; i++) {
			snprintf(text[i], sizeof text[i], argv[i], n); /* NOLINT: the test's own formats */
			argv[i] = text[i];
		}
		execv("./has", argv);
		_exit(5);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* Number 3, and nothing is said.  how: qmail; both: the child keeps the other end, too; copy: it has a copy; ended:
 * nothing can come any more; parent: the parent has closed the other end; another: the child has a pipe of its own;
 * vfork: the child borrows its parent's memory */
static int three(const char *how)
{
	int p[2], q[2], status;
	pid_t pid;
	char c;

	if (pipe(p) || p[0] != 3)
		return 9;
	which(3);
	if (is(how, "parent") || is(how, "another"))
		close(p[1]);
	if (is(how, "another") && pipe(q))
		return 9;
	pid = is(how, "vfork") ? vfork() : fork();
	if (pid == 0) {
		if (is(how, "another")) {
			close(q[0]);
			dup2(q[1], 2);
			close(q[1]);
		} else if (!is(how, "parent") && !is(how, "both")) {
			close(p[1]);
		}
		if (is(how, "copy"))
			dup2(p[0], 0);
		if (is(how, "ended") && read(p[0], &c, 1) != 0) /* waits for its parent, and forgets the pipe */
			_exit(4);
		execl("./has", "has", (char *)0);
		_exit(5);
	}
	if (is(how, "ended"))
		close(p[1]);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	int n;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (is(name ? name + 1 : argv[0], "has")) {
		n = atoi(getenv("WHICH"));
		puts(fcntl(n, F_GETFD) < 0 ? "lost" : "has");
		return 0;
	}
	if (argc > 2 && is(argv[1], "closed")) {
		n = closed(argv[2]);
		which(n);
		execl("./has", "has", (char *)0);
		return 5;
	}
	if (argc > 1 && is(argv[1], "shown")) { /* closes what it sees open, up to one that it was not given */
		DIR *d = opendir("/proc/self/fd");

		for (struct dirent *e; d && (e = readdir(d));)
			if (atoi(e->d_name) > 2 && atoi(e->d_name) != dirfd(d) && close(atoi(e->d_name)) < 0)
				return errno != EBADF;
		return 9;
	}
	if (argc > 1 && is(argv[1], "glob")) { /* closes what is not open, once */
		glob_t g;

		return glob("/etc/pass*", 0, NULL, &g) || close(3) == 0 || errno != EBADF;
	}
	if (argc > 2 && is(argv[1], "onto"))
		return onto_itself(argv[2]);
	if (argc > 3 && is(argv[1], "told"))
		return told(argv[2], argv + 3);
	if (argc > 2 && is(argv[1], "three"))
		return three(argv[2]);
	return 2;
}
