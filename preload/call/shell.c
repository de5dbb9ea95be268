/* SPDX-License-Identifier: ISC
 *
 * The functions of libc that make a process by themselves: system(3) and popen(3), which must run
 * the guest's /bin/sh and not the host's, and daemon(3), which opens and enters paths.  What is
 * special here are the signals that system ignores, and the streams that popen has open. */
#include "process.h"
#include "../config.h"
#include "../fdpolicy.h"
#include "../record.h"
#include "../sys.h"
#include "../sys/lock.h"
#include <sys/sysmacros.h>
#include <sys/wait.h>

/* argv of sh(1) for a command, as both libcs spell it */
#define SHELL_ARGV(command) \
	((char *const[]){(char[]){"sh"}, (char[]){"-c"}, (char *)(command), NULL})

/* -- system -------------------------------------------------------------------------------- */

/* The dispositions that several threads in system(3) share: the first one in saves them, the
 * last one out puts them back.  A vfork child, whose dispositions are its own, has one in its frame. */
struct ignored {
	int pid, users;
	struct process_sigaction intr, quit;
};

static void signals_ignore(struct ignored *to, unsigned long *sigdefault)
{
	static const struct process_sigaction ignore = {.handler = SIG_IGN};
	const uint64_t signals = lock_take(LOCK_SYSTEM);

	if (to->pid != sys_getpid()) { /* a child of fork: those threads are the parent's */
		to->pid = sys_getpid();
		to->users = 0;
	}
	if (to->users++ == 0) {
		sys_call(SYS_rt_sigaction, SIGINT, &ignore, &to->intr, 8);
		sys_call(SYS_rt_sigaction, SIGQUIT, &ignore, &to->quit, 8);
	}
	*sigdefault = (to->intr.handler != SIG_IGN ? 1UL << (SIGINT - 1) : 0) |
		      (to->quit.handler != SIG_IGN ? 1UL << (SIGQUIT - 1) : 0);
	lock_give(LOCK_SYSTEM, signals);
}

static void signals_restore(struct ignored *from, const unsigned long *mask)
{
	const uint64_t signals = lock_take(LOCK_SYSTEM);

	if (--from->users == 0) {
		sys_call(SYS_rt_sigaction, SIGINT, &from->intr, NULL, 8);
		sys_call(SYS_rt_sigaction, SIGQUIT, &from->quit, NULL, 8);
	}
	lock_give(LOCK_SYSTEM, signals);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, 8);
}

struct wait_cleanup {
	pid_t pid;
	struct ignored *ignored;
	const unsigned long *mask;
};

static void wait_cancelled(void *arg)
{
	const struct wait_cleanup *c = arg;

	sys_call(SYS_kill, c->pid, SIGKILL);
	while (sys_call(SYS_wait4, c->pid, NULL, 0, NULL) == -EINTR)
		;
	signals_restore(c->ignored, c->mask);
}

/* system(3) is a cancellation point: libc's waitpid is one, and in glibc a cancelled system()
 * kills its child. */
static int wait_cancellable(pid_t pid, struct ignored *ignored, const unsigned long *mask)
{
	struct wait_cleanup cleanup = {pid, ignored, mask};
	const bool undoes = !config()->musl; /* musl's has no such handler */
	struct cancel_undo undo;
	int status;
	pid_t got;

	if (undoes)
		cancel_push(&undo, wait_cancelled, &cleanup);
	do
		got = LIBC(waitpid, pid_t, (pid_t, int *, int))(pid, &status, 0);
	while (got < 0 && *__errno_location() == EINTR);
	if (undoes)
		cancel_pop(&undo);
	return got == pid ? status : -1;
}

static int system_run(const char *command)
{
	static struct ignored shared;
	struct ignored own = {0}, *ignored = state_in_vfork() ? &own : &shared;
	unsigned long mask, block = 1UL << (SIGCHLD - 1);
	struct spawn_attr attr = {.flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK};
	int status;
	long pid;

	signals_ignore(ignored, &attr.sigdefault);
	sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &block, &mask, 8);
	attr.sigmask = mask;
	pid = spawn_run(&(const struct spawn){.file = "/bin/sh", .argv = SHELL_ARGV(command),
		.envp = config_environ(), .attr = &attr});
	/* POSIX: a shell that cannot be executed is one that does _exit(127). */
	status = pid > 0 ? wait_cancellable((pid_t)pid, ignored, &mask) :
		config()->musl ? -1 : 127 << 8;
	signals_restore(ignored, &mask);
	if (pid < 0)
		errno_set((int)-pid);
	return status;
}

int jail_system(const char *command)
{
	if (command)
		return system_run(command);
	/* glibc asks whether a shell runs; musl knows. */
	return config()->musl || system_run("exit 0") == 0;
}

/* -- popen --------------------------------------------------------------------------------- */

/* A stream that popen has made; ino tells whether fd is still its pipe, for fclose(3) may have
 * closed it without our seeing it. */
struct stream {
	struct stream *next;
	FILE *f;
	pid_t pid;
	int fd;
	ino_t ino;
};

static struct stream *streams;

/* Unlinks the stream of f, or NULL. */
static struct stream *stream_take(FILE *f)
{
	struct stream *s, **at;
	uint64_t signals;

	signals = lock_take(LOCK_POPEN);
	for (at = &streams; (s = *at) && s->f != f; at = &s->next)
		;
	if (s)
		*at = s->next;
	lock_give(LOCK_POPEN, signals);
	return s;
}

static void stream_put(struct stream *s)
{
	const uint64_t signals = lock_take(LOCK_POPEN);

	s->next = streams;
	streams = s;
	lock_give(LOCK_POPEN, signals);
}

/* popen(3p): "any streams from previous popen() calls that remain open in the parent process are
 * closed in the new child process".  Up to n of their descriptors to fds; how many there are. */
static size_t stream_fds(int *fds, size_t n)
{
	uint64_t signals;
	struct stat st;
	size_t have = 0;

	signals = lock_take(LOCK_POPEN);
	for (struct stream *s = streams; s; s = s->next)
		if (sys_fstat(s->fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_ino == s->ino) {
			if (have < n)
				fds[have] = s->fd;
			have++;
		}
	lock_give(LOCK_POPEN, signals);
	return have;
}

/* sh -c command, with child as its descriptor `to`: the pid or -errno. */
static long popen_spawn(const char *command, int child, int to)
{
	size_t n = stream_fds(NULL, 0);
	struct spawn_list *list =
		__builtin_alloca(sizeof *list + (n + 1) * sizeof(struct spawn_action));
	int fds[n + 1];
	size_t have = stream_fds(fds, n);

	*list = (struct spawn_list){.room = n + 1};
	list->at[list->used++] = (struct spawn_action){.what = SPAWN_DUP2, .fd = child, .to = to};
	for (size_t i = 0; i < have && i < n; i++)
		if (fds[i] != to)
			list->at[list->used++] =
				(struct spawn_action){.what = SPAWN_CLOSE, .fd = fds[i]};
	return spawn_run(&(const struct spawn){.file = "/bin/sh", .argv = SHELL_ARGV(command),
		.envp = config_environ(), .actions = list});
}

/* popen's mode: glibc takes any order of r or w, and e; musl looks at the first letter. */
static bool popen_mode(const char *mode, bool *ret_read, bool *ret_cloexec)
{
	bool r = false, w = false, e = false, other = false;

	for (const char *m = mode; m && *m; m++) {
		r |= *m == 'r';
		w |= *m == 'w';
		e |= *m == 'e';
		other |= *m != 'r' && *m != 'w' && *m != 'e';
	}
	if (config()->musl) {
		r = *mode == 'r';
		w = *mode == 'w';
		other = false;
	}
	*ret_read = r;
	*ret_cloexec = e;
	return r != w && !other;
}

FILE *jail_popen(const char *command, const char *mode)
{
	const int forced = fdpolicy_flag(FD_STREAM);
	bool reading, cloexec;
	struct stream *s, *old;
	struct stat st;
	int fds[2], mine, child, to;
	long pid = -ENOMEM, r;

	if (!popen_mode(mode, &reading, &cloexec)) {
		errno_set(EINVAL);
		return NULL;
	}
	r = sys_call(SYS_pipe2, fds, O_CLOEXEC);
	if (r < 0) {
		if (UNLIKELY(record_on))
			record_made(r, FD_STREAM, cloexec, &FD_NAME(command));
		errno_set((int)-r);
		return NULL;
	}
	mine = fds[!reading];
	child = fds[reading];
	to = reading;
	s = HEAP(malloc, void *, (size_t))(sizeof *s);
	if (!s)
		goto failed;
	s->f = LIBC(fdopen, FILE *, (int, const char *))(mine, reading ? "r" : "w");
	if (!s->f)
		goto failed_s;

	/* Where the child's end has the number already it moves away: the copy onto itself would
	 * have to give up close-on-exec in this process. */
	pid = child == to ? sys_fcntl(child, F_DUPFD_CLOEXEC, 0) : child;
	if (pid >= 0 && child == to) {
		sys_close(child);
		child = (int)pid;
	}
	if (pid >= 0)
		pid = popen_spawn(command, child, to);
	if (pid < 0)
		goto failed_f;
	sys_close(child);

	if (!cloexec && !forced)
		sys_fcntl(mine, F_SETFD, 0);
	fdpolicy_made(mine, FD_STREAM, cloexec, forced, FD_NAME(command));
	if (UNLIKELY(record_on))
		record_owner(mine, RECORD_STREAM);
	s->pid = (pid_t)pid;
	s->fd = mine;
	s->ino = sys_fstat(mine, &st) == 0 ? st.st_ino : 0;
	old = stream_take(s->f); /* of an fclose(3) that we did not see */
	if (old)
		HEAP(free, void, (void *))(old);
	stream_put(s);
	return s->f;

failed_f:
	LIBC(fclose, int, (FILE *))(s->f);
	mine = -1;
failed_s:
	HEAP(free, void, (void *))(s);
failed:
	if (mine >= 0)
		sys_close(mine);
	sys_close(child);
	/* glibc has one answer to everything that goes wrong in the child */
	errno_set(config()->musl ? (int)-pid : ENOMEM);
	return NULL;
}

int jail_pclose(FILE *f)
{
	struct stream *s = stream_take(f);
	long r, pid;
	int status;

	if (!s) {
		if (f)
			guest_closed_inside(LIBC(fileno, int, (FILE *))(f));
		return REAL(pclose)(f);
	}
	pid = s->pid;
	guest_closed_inside(s->fd);
	HEAP(free, void, (void *))(s);
	LIBC(fclose, int, (FILE *))(f);
	do
		r = sys_call(SYS_wait4, pid, &status, 0, NULL);
	while (r == -EINTR);
	return r < 0 ? EDGE(int, r) : status;
}

/* -- daemon -------------------------------------------------------------------------------- */

/* /dev/null as 0, 1 and 2: 0 or -errno.  glibc makes sure of what it opened. */
static long daemon_null(void)
{
	long fd = guest_openat(AT_FDCWD, "/dev/null", O_RDWR, 0), r = 0;
	struct stat st;

	if (fd < 0)
		return fd;
	if (!config()->musl) {
		r = sys_fstat((int)fd, &st);
		if (r == 0 && !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
			r = -ENODEV;
	}
	for (int to = 0; r >= 0 && to <= 2; to++)
		r = guest_dup2((int)fd, to);
	if (fd > 2 || r < 0)
		guest_close((int)fd);
	return r < 0 ? r : 0;
}

/* The child goes on; 0 or -errno there, only -errno in the parent. */
static long daemon_fork(void)
{
	const pid_t pid = jail_fork();

	if (pid > 0)
		jail__exit(0);
	return pid < 0 ? -*__errno_location() : 0;
}

int jail_daemon(int nochdir, int noclose)
{
	const bool musl = config()->musl;
	long r = 0;

	/* glibc forks first and once; musl last and twice, so that a failure meets the caller. */
	if (!musl) {
		r = daemon_fork();
		if (r == 0)
			r = sys_call(SYS_setsid);
	}
	/* glibc does not look whether / can be entered. */
	if (r >= 0 && !nochdir && (r = guest_chdir("/")) < 0 && !musl)
		r = 0;
	if (r >= 0 && !noclose)
		r = daemon_null();
	if (musl) {
		if (r >= 0)
			r = daemon_fork();
		if (r >= 0)
			r = sys_call(SYS_setsid);
		if (r >= 0)
			r = daemon_fork();
	}
	return r < 0 ? EDGE(int, r) : 0;
}
