/* SPDX-License-Identifier: ISC
 *
 * The run: the kernel's execve, and around it what is to be inherited, told, and undone when the call
 * comes back.
 *
 * A descriptor is inherited when it has lost its close-on-exec flag, and other threads may make a
 * child at any time, which would inherit it, too.  So a process with other threads hands its descriptors over in a
 * table of its own: a thread made for this gets a copy of the table (CLONE_FILES undone), clears the
 * flags there and executes; to the kernel any thread may (execve(2)).  When that fails, the thread ends, and
 * nobody's descriptors have been touched. */
#include "exec.h"
#include "../../event.h"
#include "../../report.h"
#include "../../source.h"
#include "../../state.h"
#include <errno.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/mman.h>

enum { UNDO_MAX = 256, HELPER_STACK = 1 << 18, CLOSE_UNSHARE = 2 /* CLOSE_RANGE_UNSHARE of linux/close_range.h */ };

void exec_lift_end(struct lift *l)
{
	if (l->on)
		sys_nofile_restore(&l->was);
	l->on = false;
}

/* mask: the signals that are to be blocked in the new program; NULL: as they are. */
static long run_here(const struct exec_run *r, const uint64_t *mask)
{
	uint64_t all;
	long result;

	exec_lift_end(r->lift);
	sys_nofile_alone();
	if (mask)
		sys_call(SYS_rt_sigprocmask, SIG_SETMASK, mask, &all, sizeof all);
	if (r->dirfd != AT_FDCWD || r->flags)
		result = sys_call(SYS_execveat, r->dirfd, r->path, r->argv, r->envp, r->flags);
	else
		result = sys_call(SYS_execve, r->path, r->argv, r->envp);
	if (mask)
		sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
	return result;
}

/* Does it look as if the kernel will execute it?  What is reported before an exec that fails has to
 * be taken back. */
static bool exec_likely(const struct exec_run *r)
{
	struct stat st;

	return sys_fstatat(r->dirfd, r->path, &st, r->flags) == 0 && S_ISREG(st.st_mode) &&
	       sys_faccessat2(r->dirfd, r->path, X_OK, r->flags | AT_EACCESS) == 0;
}

/* The run of a process that is reported on: trace, where there is one, gets its value. */
static NOINLINE long run_reported(const struct exec_run *r, const uint64_t *mask)
{
	/* a program of a root has us with it, and what it executes is its loader */
	const char *unwatched = r->view ? NULL : exec_unwatched(r);
	unsigned exec = 0;
	bool keep = false;
	long result;

	if (UNLIKELY(!report_noted))
		unwatched = unwatched && report_launched() ? unwatched : NULL;
	if ((unwatched || (report_noted && report_exec_wanted())) && exec_likely(r)) {
		exec = report_noted ? report_exec(r->program, r->target, r->guest_argv, r->guest_envp) : 0;
		if (unwatched)
			exec = report_unwatched(exec, unwatched, r->target, r->guest_argv);
	}
	if (r->trace) {
		memcpy(r->trace, EXEC_TRACE, sizeof EXEC_TRACE);
		keep = report_note(r->trace + sizeof EXEC_TRACE - 1, REPORT_NOTE);
	}
	if (keep)
		event_keep(true);
	result = run_here(r, mask);
	if (keep)
		event_keep(false);
	if (exec)
		report_exec_failed(exec, result);
	return result;
}

/* The next libjail finds the root by its descriptors, whatever has become of its name. */
static void hand_over(const struct exec_run *r, int flag)
{
	if (UNLIKELY(source_fd >= 0))
		source_keep(!flag);
	for (size_t i = 0; i < ROWS(r->held); i++)
		if (r->held[i] >= 0)
			sys_fcntl(r->held[i], F_SETFD, flag);
	if (r->given >= 0)
		sys_fcntl(r->given, F_SETFD, flag);
	if (!r->view)
		return;
	sys_fcntl(r->view->fd, F_SETFD, flag);
	if (r->view->epoch)
		sys_fcntl(r->view->epoch - 1, F_SETFD, flag);
	for (size_t i = 0; i < r->view->nbinds; i++)
		sys_fcntl(r->view->binds[i].fd, F_SETFD, flag);
}

/* The run with what is to be inherited, in a table of descriptors that no other thread has. */
static long run_handing(const struct exec_run *r, const uint64_t *mask)
{
	int undo[UNDO_MAX];
	size_t n = fdpolicy_exec(r->program, r->guest_argv, r->guest_envp, undo, UNDO_MAX);
	long result;

	hand_over(r, 0);
	result = UNLIKELY(report_noted || report_launching()) ? run_reported(r, mask) : run_here(r, mask);
	hand_over(r, FD_CLOEXEC);
	fdpolicy_undo(undo, n);
	return result;
}

/* -- beside other threads -------------------------------------------------------------------- */

struct helper {
	const struct exec_run *run;
	uint64_t mask;    /* the caller's signals */
	int pdeath;       /* prctl(2), PR_GET_PDEATHSIG: a new thread has none */
	int running;      /* the kernel clears it when the thread has ended (set_tid_address(2)) */
	long result;
};

/* Until here and from the end of run_here() all signals are blocked: the thread has its maker's thread-local
 * storage, and the maker waits. */
static _Noreturn void helper_main(void *arg)
{
	struct helper *h = arg;
	long r;

	sys_call(SYS_set_tid_address, &h->running);
	r = sys_call(SYS_close_range, ~0u, ~0u, CLOSE_UNSHARE); /* closes nothing */
	if (r < 0) /* before Linux 5.9; where seccomp filters allow one of the two it is mostly that one */
		r = sys_call(SYS_unshare, CLONE_FILES);
	if (r == 0) {
		if (h->pdeath)
			sys_call(SYS_prctl, PR_SET_PDEATHSIG, h->pdeath);
		h->result = run_handing(h->run, &h->mask);
	}
	for (;;)
		sys_call(SYS_exit, 0);
}

/* Has this thread something that the new program is to have, and that a new thread does not get?  It does not get signals
 * that are pending for its maker alone, nor a policy that is reset (sched(7)). */
static bool has_more(void)
{
	const long policy = sys_call(SYS_sched_getscheduler, 0);
	uint64_t pending = 0;

	sys_call(SYS_rt_sigpending, &pending, sizeof pending);
	return pending || (policy > 0 && policy & SCHED_RESET_ON_FORK);
}

/* Runs in a thread with a table of its own.  False: that cannot be had. */
static NOINLINE bool run_apart(const struct exec_run *r, long *ret)
{
	static const uint64_t all = ~0ul;
	const long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	struct helper h = {.run = r, .running = 1, .result = 1};
	char *stack = sys_pages(HELPER_STACK);
	int now;
	long tid = 0;

	if (!stack)
		return false;
	sys_call(SYS_prctl, PR_GET_PDEATHSIG, &h.pdeath);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &h.mask, sizeof all);
	if (!has_more())
		tid = sys_clone_stack(SYS_clone, flags, (long)(stack + HELPER_STACK), 0, helper_main, &h);
	while (tid > 0 && (now = __atomic_load_n(&h.running, __ATOMIC_ACQUIRE)) != 0)
		sys_call(SYS_futex, &h.running, FUTEX_WAIT, now, NULL);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &h.mask, NULL, sizeof all);
	sys_call(SYS_munmap, stack, HELPER_STACK);
	*ret = h.result;
	return h.result < 0;
}

/* Does this process hold a lock of fcntl(2)?  Such a lock belongs to the table of descriptors, so that
 * a program that is executed with another table has lost it.  /proc/locks: "1: POSIX  ADVISORY  WRITE PID ..." */
static NOINLINE bool locks_held(void)
{
	const unsigned pid = (unsigned)sys_getpid();
	const int fd = sys_openat(AT_FDCWD, "/proc/locks", O_RDONLY | O_CLOEXEC, 0);
	bool posix = false, held = false, word = false;
	unsigned field = 0, number = 0;
	char text[512];
	ssize_t n;

	if (fd < 0)
		return false;
	while (!held && (n = sys_read(fd, text, sizeof text)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			const char c = text[i];

			if (c == ' ' || c == '\n') {
				held |= word && field == 5 && posix && number == pid;
				word = false;
				if (c == '\n')
					field = 0;
				continue;
			}
			if (!word) {
				field++;
				number = 0;
				if (field == 2)
					posix = c == 'P';
			}
			word = true;
			number = number * 10 + (unsigned)(c - '0');
		}
	sys_close(fd);
	return held;
}

long exec_run(const struct exec_run *r)
{
	long result;

	if (!r->view && r->given < 0 && source_fd < 0 && !report_noted && !report_launching() && !fdpolicy_any() && r->held[0] < 0 &&
		r->held[1] < 0 && r->held[2] < 0)
		return run_here(r, NULL);
	/* a filter that the program has installed may kill whoever makes a thread */
	if (!sys_filtered && UNLIKELY(!state_alone()) && !locks_held() && run_apart(r, &result))
		return result;
	return run_handing(r, NULL);
}
