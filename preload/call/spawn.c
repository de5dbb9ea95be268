/* SPDX-License-Identifier: ISC
 *
 * posix_spawn(3), the whole of it: libc's own makes its child and runs its actions with internal
 * calls that no preload sees, so that the guest's paths would be looked up on the host, and before
 * the child has changed its root or directory.  This file knows how to make a child that shares
 * our memory until it executes, and how the list of its file actions is kept.  The list hangs in
 * posix_spawn_file_actions_t where both libcs keep theirs; all that touches it is here. */
#include "process.h"
#include "../config.h"
#include "../record.h"
#include "../state.h"
#include "../sys.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>

#define SPAWN_STACK 0x100000
#define SPAWN_SETCGROUP 0x100 /* POSIX_SPAWN_SETCGROUP of glibc 2.39 */
#define SPAWN_CLEAR_SIGHAND 0x100000000UL /* CLONE_CLEAR_SIGHAND, Linux 5.5 */
#define SPAWN_INTO_CGROUP 0x200000000UL   /* CLONE_INTO_CGROUP, Linux 5.7 */
#define SPAWN_P_PIDFD 3                   /* P_PIDFD of waitid(2), Linux 5.4 */

_Static_assert(offsetof(struct spawn_attr, pgrp) == offsetof(posix_spawnattr_t, __pgrp) &&
		       offsetof(struct spawn_attr, sigdefault) == 8 &&
		       offsetof(struct spawn_attr, sigmask) == 136 &&
		       offsetof(struct spawn_attr, priority) == 264 &&
		       offsetof(struct spawn_attr, policy) == 268 &&
		       sizeof(struct spawn_attr) <= sizeof(posix_spawnattr_t),
	"glibc's and musl's posix_spawnattr_t on a 64-bit machine");

/* struct clone_args of linux/sched.h, which libc's headers of 2019 lack */
struct spawn_clone {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

/* What parent and child share, on the parent's stack. */
struct spawn_order {
	const struct spawn *s;
	const struct spawn_attr *attr;
	unsigned long mask; /* the parent's */
	bool handlers;      /* the kernel did not clear the signal handlers */
	bool ignores;       /* this libc's children ignore its internal signals */
	bool executes;      /* all that comes before the program is done */
	long error;         /* 0, or the child's -errno */
};

static const unsigned long all_signals = ~0UL;

static long spawn_sigmask(int how, const unsigned long *set, unsigned long *old)
{
	return sys_call(SYS_rt_sigprocmask, how, set, old, sizeof *set);
}

/* -- the child ----------------------------------------------------------------------------- */

/* No handler of the parent may run here, in its memory.  Nor may the two or three signals that
 * a libc keeps for itself kill the child. */
static void child_signals(const struct spawn_order *o)
{
	const unsigned long sigdefault = o->attr->flags & POSIX_SPAWN_SETSIGDEF ?
		o->attr->sigdefault : 0;
	struct process_sigaction sa = {0}, now;

	for (int sig = 1; sig <= 64; sig++) {
		const bool internal = sig >= 32 && sig <= (config()->musl ? 34 : 33);

		sa.handler = internal ? SIG_IGN : SIG_DFL;
		if (sigdefault >> (sig - 1) & 1) {
			sa.handler = SIG_DFL;
		} else if (!internal || !o->ignores) {
			if (!o->handlers ||
				sys_call(SYS_rt_sigaction, sig, NULL, &now, 8) < 0 ||
				now.handler == SIG_DFL || now.handler == SIG_IGN)
				continue;
		}
		sys_call(SYS_rt_sigaction, sig, &sa, NULL, 8);
	}
}

/* POSIX: the new file is a->fd, and what was there is closed before; musl, though, opens first.  Not by
 * guest_openat: the policy is not for a descriptor that is meant to be inherited, and its records, in
 * memory that is the parent's, are of the parent's descriptors. */
static long child_open(const struct spawn_action *a)
{
	const struct open_how how = place_how_open(a->flags, a->mode);
	const struct view *v = state_view();
	int fd;
	long r;

	if (UNLIKELY(record_on))
		record_child_changed(a->fd);
	if (!config()->musl)
		sys_close(a->fd);
	fd = v ? place_open(v, AT_FDCWD, a->path, &how) :
		sys_openat(AT_FDCWD, a->path, a->flags, a->mode);
	if (fd < 0 || fd == a->fd)
		return fd;
	r = sys_dup3(fd, a->fd, 0);
	sys_close(fd);
	return r;
}

static long child_dup2(int fd, int to)
{
	long r;

	if (state_owns(fd))
		return -EBADF;
	if (UNLIKELY(record_on))
		record_child_changed(to);
	if (fd != to)
		return sys_dup3(fd, to, 0);
	/* posix_spawn_file_actions_adddup2(3p): onto itself it becomes inheritable. */
	r = sys_fcntl(fd, F_GETFD, 0);
	return r < 0 ? r : sys_fcntl(fd, F_SETFD, r & ~FD_CLOEXEC);
}

static unsigned fd_limit(void)
{
	struct rlimit l;

	if (sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &l) < 0 || l.rlim_cur > INT_MAX)
		return INT_MAX;
	return (unsigned)l.rlim_cur;
}

static long child_close(int fd)
{
	if (UNLIKELY(record_on))
		record_child_changed(fd);
	if (state_owns(fd) || sys_close(fd) < 0) /* glibc minds only a number out of range */
		return !config()->musl && (unsigned)fd >= fd_limit() ? -EBADF : 0;
	return 0;
}

/* All from `from` on but ours: the program is still to be found in our root. */
static long child_closefrom(unsigned from)
{
	int ours[72]; /* a root and its binds */
	size_t n = state_owned(from, UINT_MAX, ours, ROWS(ours));

	if (UNLIKELY(record_on))
		record_child_changed_range(from, UINT_MAX);
	for (size_t i = 0; i <= n; i++) {
		unsigned last = i < n ? (unsigned)ours[i] - 1 : UINT_MAX;

		if (i < n && (unsigned)ours[i] == from) {
			from++;
			continue;
		}
		if (sys_call_newer(SYS_close_range, from, last, 0) < 0)
			sys_close_each(from, last);
		if (i < n)
			from = (unsigned)ours[i] + 1;
	}
	return 0;
}

static long child_tcsetpgrp(const struct spawn_order *o, int fd)
{
	pid_t group = o->attr->flags & POSIX_SPAWN_SETPGROUP ? o->attr->pgrp : 0;

	if (!group)
		group = (pid_t)sys_call(SYS_getpgid, 0);
	return sys_call(SYS_ioctl, fd, TIOCSPGRP, &group);
}

static long child_action(const struct spawn_order *o, const struct spawn_action *a)
{
	switch (a->what) {
	case SPAWN_OPEN:
		return child_open(a);
	case SPAWN_DUP2:
		return child_dup2(a->fd, a->to);
	case SPAWN_CLOSE:
		return child_close(a->fd);
	case SPAWN_CLOSEFROM:
		return child_closefrom((unsigned)a->fd);
	case SPAWN_CHDIR:
		return guest_chdir(a->path);
	case SPAWN_FCHDIR:
		return guest_fchdir(a->fd);
	case SPAWN_TCSETPGRP:
		return child_tcsetpgrp(o, a->fd);
	}
	return -EINVAL;
}

static long child_attr(const struct spawn_attr *a)
{
	long r = 0;

	/* musl's setters say ENOSYS and its child does not look. */
	if (!config()->musl && a->flags & POSIX_SPAWN_SETSCHEDULER)
		r = sys_call(SYS_sched_setscheduler, 0, a->policy, &a->priority);
	else if (!config()->musl && a->flags & POSIX_SPAWN_SETSCHEDPARAM)
		r = sys_call(SYS_sched_setparam, 0, &a->priority);
	if (r >= 0 && a->flags & POSIX_SPAWN_SETSID)
		r = sys_call(SYS_setsid);
	if (r >= 0 && a->flags & POSIX_SPAWN_SETPGROUP)
		r = sys_call(SYS_setpgid, 0, a->pgrp);
	if (r >= 0 && a->flags & POSIX_SPAWN_RESETIDS) {
		/* By system call: a libc's function would change the parent's threads, too. */
		r = sys_call(SYS_setresuid, -1, sys_call(SYS_getuid), -1);
		if (r >= 0)
			r = sys_call(SYS_setresgid, -1, sys_call(SYS_getgid), -1);
	}
	return r;
}

static long child_exec(struct spawn_order *o)
{
	const struct spawn *s = o->s;
	long r = child_attr(o->attr);

	for (size_t i = 0; r >= 0 && s->actions && i < s->actions->used; i++)
		r = child_action(o, &s->actions->at[i]);
	if (r < 0)
		return r;
	o->executes = true;
	spawn_sigmask(SIG_SETMASK, o->attr->flags & POSIX_SPAWN_SETSIGMASK ?
		&o->attr->sigmask : &o->mask, NULL);
	/* No script of /bin/sh here: since 2.15 glibc's posix_spawnp gives ENOEXEC as well. */
	return s->search ? exec_search(s->file, s->argv, s->envp, false) :
		guest_execveat(AT_FDCWD, s->file, s->argv, s->envp, 0);
}

static _Noreturn void child_main(void *arg)
{
	struct spawn_order *o = arg;

	child_signals(o);
	o->error = child_exec(o);
	for (;;)
		sys_call(SYS_exit_group, 127);
}

/* -- the parent ---------------------------------------------------------------------------- */

/* Our own descriptors make way for the numbers that the child will take, while it is still the
 * parent, whose record of them is right, that moves them. */
static long parent_yield(const struct spawn_list *l)
{
	long r = 0;

	for (size_t i = 0; r == 0 && l && i < l->used; i++) {
		const struct spawn_action *a = &l->at[i];
		const int to = a->what == SPAWN_DUP2 ? a->to : a->what == SPAWN_OPEN ? a->fd : -1;

		if (to >= 0 && state_owns(to)) {
			r = state_yield(to);
			if (r == 0 && !state_owns(to) && state_alone())
				sys_close(to);
		}
	}
	return r;
}

/* glibc before 2.38 (sysdeps/unix/sysv/linux/spawni.c) leaves its internal signals ignored, as
 * SigIgn in /proc/PID/status of every child of system(3) shows. */
static bool parent_ignores(void)
{
	const char *(*version)(void) = LIBC(gnu_get_libc_version, const char *, (void));
	const char *v = version ? mem_after(version(), "2.") : NULL;

	return v && v[0] >= '0' && v[0] <= '3' && v[1] && (v[0] < '3' || v[1] < '8');
}

static long parent_fork(struct spawn_order *o, char *stack, size_t size)
{
	const bool cgroup = !config()->musl && o->attr->flags & SPAWN_SETCGROUP;
	int pidfd = -1;
	struct spawn_clone c = {
		.flags = CLONE_VM | CLONE_VFORK | SPAWN_CLEAR_SIGHAND |
			 (o->s->pidfd ? CLONE_PIDFD : 0) | (cgroup ? SPAWN_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = size,
		.cgroup = cgroup ? (uint64_t)o->attr->cgroup : 0,
	};
	long pid;

	/* pidfd_spawn(3) is for kernels that can also wait for one, since Linux 5.4 */
	if (o->s->pidfd && sys_call(SYS_waitid, SPAWN_P_PIDFD, INT_MAX, NULL, WEXITED | WNOHANG, NULL) == -EINVAL)
		return -ENOSYS;
	pid = sys_clone_stack(SYS_clone3, (long)&c, sizeof c, 0, child_main, o);
	/* Linux before 5.3, 5.5; a seccomp profile that does not know the call */
	if ((pid == -ENOSYS || pid == -EINVAL || pid == -EPERM) && !cgroup) {
		o->handlers = true;
		pid = sys_clone_stack(SYS_clone, (long)((c.flags & 0xffffffff) | SIGCHLD),
			(long)(stack + size), (long)&pidfd, child_main, o);
	}
	if (pid > 0 && o->error == 0 && o->s->pidfd)
		*o->s->pidfd = (int)fdpolicy_made(pidfd, FD_EVENT, true, 0, FD_NUMBER((int)pid));
	else if (pidfd >= 0)
		sys_close(pidfd);
	return pid;
}

/* The child borrows our memory and our thread's identity until it has executed; we wait in the
 * kernel until then.  All signals are blocked meanwhile, those of cancellation among them, so that
 * nothing of ours runs in the child.  No call here is a cancellation point. */
long spawn_run(const struct spawn *s)
{
	static const struct spawn_attr no_attr;
	struct spawn_order o = {.s = s, .attr = s->attr ? s->attr : &no_attr};
	char *stack;
	long pid;

	stack = sys_pages(SPAWN_STACK);
	if (!stack)
		return -ENOMEM;

	pid = parent_yield(s->actions);
	if (pid < 0)
		goto out;
	o.ignores = parent_ignores();
	spawn_sigmask(SIG_BLOCK, &all_signals, &o.mask);
	record_vfork_begin();
	pid = parent_fork(&o, stack, SPAWN_STACK);
	record_vfork_end();
	if (UNLIKELY(record_on) && pid > 0)
		record_child_gone((int)pid);
	if (pid > 0 && o.error < 0) {
		while (sys_call(SYS_wait4, pid, NULL, 0, NULL) == -EINTR)
			;
		pid = o.error;
		/* the child has its parent's errno, which glibc's functions set, and musl's that executes */
		if (!config()->musl || o.executes)
			errno_set((int)-pid);
	}
	spawn_sigmask(SIG_SETMASK, &o.mask, NULL);
out:
	sys_call(SYS_munmap, stack, SPAWN_STACK);
	return pid;
}

/* -- the list of actions ------------------------------------------------------------------- */

/* Both libcs' structure: two ints, a pointer that is NULL after init, and space. */
struct spawn_box {
	int allocated, used; /* glibc's; zero, so that it would find nothing here */
	struct spawn_list *list;
};

_Static_assert(offsetof(struct spawn_box, list) == offsetof(posix_spawn_file_actions_t, __actions),
	"glibc's and musl's posix_spawn_file_actions_t");

static struct spawn_list *spawn_list(const posix_spawn_file_actions_t *fa)
{
	return fa ? ((const struct spawn_box *)fa)->list : NULL;
}

static void list_free(void *p)
{
	HEAP(free, void, (void *))(p);
}

/* Appends a copy of *a, with a copy of path unless that is NULL.  0 or ENOMEM, as the functions
 * of this family return it. */
static int list_add(posix_spawn_file_actions_t *fa, struct spawn_action a, const char *path)
{
	struct spawn_box *box = (struct spawn_box *)fa;
	struct spawn_list *l = box->list;

	if (!l || l->used == l->room) {
		const size_t used = l ? l->used : 0, room = used ? 2 * used : 8;

		l = HEAP(realloc, void *, (void *, size_t))(
			l, sizeof *l + room * sizeof l->at[0]);
		if (!l)
			return ENOMEM;
		l->used = used;
		l->room = room;
		box->list = l;
	}
	if (path) {
		const size_t n = strlen(path) + 1;

		a.path = HEAP(malloc, void *, (size_t))(n);
		if (!a.path)
			return ENOMEM;
		memcpy(a.path, path, n);
	}
	l->at[l->used++] = a;
	return 0;
}

/* Could this ever be a descriptor?  glibc compares with the limit, musl with 0. */
static bool fd_valid(int fd)
{
	return fd >= 0 && (config()->musl || (unsigned)fd < fd_limit());
}

int jail_posix_spawn_file_actions_init(posix_spawn_file_actions_t *fa)
{
	*(struct spawn_box *)fa = (struct spawn_box){0};
	return 0;
}

int jail_posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *fa)
{
	struct spawn_list *l = spawn_list(fa);

	for (size_t i = 0; l && i < l->used; i++)
		if (l->at[i].path)
			list_free(l->at[i].path);
	if (l)
		list_free(l);
	return jail_posix_spawn_file_actions_init(fa);
}

int jail_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *fa, int fd, const char *path,
	int flags, mode_t mode)
{
	if (!fd_valid(fd))
		return EBADF;
	return list_add(fa,
		(struct spawn_action){.what = SPAWN_OPEN, .fd = fd, .flags = flags, .mode = mode},
		path);
}

int jail_posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *fa, int fd, int to)
{
	if (!fd_valid(fd) || !fd_valid(to))
		return EBADF;
	return list_add(fa, (struct spawn_action){.what = SPAWN_DUP2, .fd = fd, .to = to}, NULL);
}

static int list_add_fd(posix_spawn_file_actions_t *fa, enum spawn_do what, int fd)
{
	if (!fd_valid(fd))
		return EBADF;
	return list_add(fa, (struct spawn_action){.what = what, .fd = fd}, NULL);
}

int jail_posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *fa, int fd)
{
	return list_add_fd(fa, SPAWN_CLOSE, fd);
}

int jail_posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *fa, int from)
{
	return list_add_fd(fa, SPAWN_CLOSEFROM, from);
}

int jail_posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *fa, int fd)
{
	/* glibc leaves this number to the child. */
	if (!config()->musl)
		return list_add(fa, (struct spawn_action){.what = SPAWN_FCHDIR, .fd = fd}, NULL);
	return list_add_fd(fa, SPAWN_FCHDIR, fd);
}

int jail_posix_spawn_file_actions_addtcsetpgrp_np(posix_spawn_file_actions_t *fa, int fd)
{
	return list_add_fd(fa, SPAWN_TCSETPGRP, fd);
}

int jail_posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *fa, const char *path)
{
	return list_add(fa, (struct spawn_action){.what = SPAWN_CHDIR}, path);
}

/* -- the entrances: the error is returned, errno is not touched ------------------------------- */

static int spawn_pid(pid_t *pid, const struct spawn *s)
{
	const long r = spawn_run(s);

	if (r < 0)
		return (int)-r;
	if (pid)
		*pid = (pid_t)r;
	return 0;
}

#define SPAWN(f, find, fd)                                                                \
	(&(const struct spawn){.file = (f), .argv = argv, .envp = envp, .search = (find), \
		.actions = spawn_list(fa), .attr = (const struct spawn_attr *)attr, .pidfd = (fd)})

int jail_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa,
	const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return spawn_pid(pid, SPAWN(path, false, NULL));
}

int jail_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *fa,
	const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return spawn_pid(pid, SPAWN(file, true, NULL));
}

int jail_pidfd_spawn(int *pidfd, const char *path, const posix_spawn_file_actions_t *fa,
	const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return spawn_pid(NULL, SPAWN(path, false, pidfd));
}

int jail_pidfd_spawnp(int *pidfd, const char *file, const posix_spawn_file_actions_t *fa,
	const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	return spawn_pid(NULL, SPAWN(file, true, pidfd));
}
