/* SPDX-License-Identifier: ISC
 *
 * Processes made and ended: what must be known before a process is copied, what a copy must learn
 * about itself, and how vfork(2) passes through us, whose child returns over the frame that its
 * parent still needs. */
#include "process.h"
#include "../config.h"
#include "../path/epoch.h"
#include "../record.h"
#include "../report.h"
#include "../state.h"
#include "../sys.h"
#include "../sys/lock.h"
#include <linux/sched.h>

/* -- fork ---------------------------------------------------------------------------------- */

/* A child is a process of its own, whose descriptors are its parent's making. */
static pid_t forked(pid_t pid)
{
	if (pid == 0) {
		lock_forked();
		sys_nofile_alone();
	}
	if (UNLIKELY(record_on)) {
		if (pid == 0)
			report_forked();
		else if (pid > 0)
			report_fork_done(pid);
	}
	return pid;
}

/* libc's _exit; found before a fork, or each child would have to look for it. */
static void (*exit_real(void))(int)
{
	return REAL(_exit);
}

static void forking(void)
{
	(void)state_view();
	(void)exit_real();
	lock_forking();
	fdpolicy_forking();
	if (UNLIKELY(record_on))
		report_fork();
}

/* The root of a vfork child that is gone must be forgotten before this thread is copied: in the copy
 * nothing tells any more whether that child or its parent forked (state.c). */

pid_t jail_fork(void)
{
	forking();
	return forked(REAL(fork)());
}

pid_t jail__Fork(void)
{
	pid_t (*real)(void) = REAL(_Fork);

	forking();
	if (real)
		return forked(real());
	errno_set(ENOSYS);
	return -1;
}

/* -- vfork --------------------------------------------------------------------------------- */

/* The child of vfork(2) runs on its parent's stack and returns from vfork first, so that the frame
 * of a C function would be overwritten when the parent's turn comes.  Hence assembler, and as in
 * the libcs: the return address is in a register across the system call, of which each of the two has
 * its own, and nothing of ours is on the stack meanwhile.  Only where records are kept: they are the
 * parent's, and the child, which writes to the same memory, has to know.  Else the libc's own
 * function is jumped to, whose caller is then our caller. */

real_fn *vfork_real; /* the libc's; NULL until it is needed */

/* In the parent's frame, before there is a child. */
real_fn *vfork_bind(void);
real_fn *vfork_bind(void)
{
	real_fn *f = real_find("vfork");

	__atomic_store_n(&vfork_real, f, __ATOMIC_RELAXED);
	return f;
}

/* In the parent: the child has executed something or is gone, or there was none (r is -errno). */
long vfork_back(long r);
long vfork_back(long r)
{
	record_vfork_end();
	if (r > 0)
		record_child_gone((int)r);
	return edge(r);
}

#if defined(__x86_64__)
__asm__(".pushsection .text.vfork,\"ax\"\n\t"
	".globl vfork\n\t"
	".type vfork, %function\n"
	"vfork:\n\t"
	".cfi_startproc\n\t"
	"endbr64\n\t"
	"cmpb $0, record_on(%rip)\n\t"
	"jne 1f\n\t"
	"mov vfork_real(%rip), %rax\n\t"
	"test %rax, %rax\n\t"
	"jnz 2f\n\t"
	"sub $8, %rsp\n\t"
	".cfi_adjust_cfa_offset 8\n\t"
	"call vfork_bind\n\t"
	"add $8, %rsp\n\t"
	".cfi_adjust_cfa_offset -8\n\t"
	"test %rax, %rax\n\t"
	"jz 1f\n"
	"2:\tjmp *%rax\n"
	"1:\tsub $8, %rsp\n\t"
	".cfi_adjust_cfa_offset 8\n\t"
	"call record_vfork_begin\n\t"
	"add $8, %rsp\n\t"
	".cfi_adjust_cfa_offset -8\n\t"
	"pop %rdi\n\t"
	".cfi_adjust_cfa_offset -8\n\t"
	".cfi_register %rip, %rdi\n\t"
	"mov $58, %eax\n\t" /* SYS_vfork */
	"syscall\n\t"
	"push %rdi\n\t"
	".cfi_adjust_cfa_offset 8\n\t"
	".cfi_rel_offset %rip, 0\n\t"
	"test %rax, %rax\n\t"
	"jz 3f\n\t"
	"sub $8, %rsp\n\t"
	".cfi_adjust_cfa_offset 8\n\t"
	"mov %rax, %rdi\n\t"
	"call vfork_back\n\t"
	"add $8, %rsp\n\t"
	".cfi_adjust_cfa_offset -8\n\t"
	"ret\n"
	/* The child leaves a shadow stack as it is: it is the parent's, which returns after it. */
	"3:\tpop %rdi\n\t"
	".cfi_adjust_cfa_offset -8\n\t"
	".cfi_register %rip, %rdi\n\t"
	"jmp *%rdi\n\t"
	".cfi_endproc\n\t"
	".size vfork, . - vfork\n\t"
	".popsection");
#elif defined(__aarch64__)
__asm__(".pushsection .text.vfork,\"ax\"\n\t"
	".globl vfork\n\t"
	".type vfork, %function\n"
	"vfork:\n\t"
	".cfi_startproc\n\t"
	"hint 34\n\t" /* bti c */
	"adrp x0, record_on\n\t"
	"ldrb w0, [x0, :lo12:record_on]\n\t"
	"cbnz w0, 1f\n\t"
	"adrp x0, vfork_real\n\t"
	"ldr x16, [x0, :lo12:vfork_real]\n\t"
	"cbnz x16, 2f\n\t"
	"stp x29, x30, [sp, -16]!\n\t"
	".cfi_adjust_cfa_offset 16\n\t"
	".cfi_rel_offset x30, 8\n\t"
	"bl vfork_bind\n\t"
	"ldp x29, x30, [sp], 16\n\t"
	".cfi_adjust_cfa_offset -16\n\t"
	".cfi_restore x30\n\t"
	"mov x16, x0\n\t"
	"cbz x16, 1f\n"
	"2:\tbr x16\n"
	"1:\tstp x29, x30, [sp, -16]!\n\t"
	".cfi_adjust_cfa_offset 16\n\t"
	".cfi_rel_offset x30, 8\n\t"
	"bl record_vfork_begin\n\t"
	"ldp x29, x30, [sp], 16\n\t"
	".cfi_adjust_cfa_offset -16\n\t"
	".cfi_restore x30\n\t"
	"mov x0, #0x4111\n\t" /* CLONE_VM | CLONE_VFORK | SIGCHLD */
	"mov x1, xzr\n\t"
	"mov x2, xzr\n\t"
	"mov x3, xzr\n\t"
	"mov x4, xzr\n\t"
	"mov x8, #220\n\t" /* SYS_clone: this machine has no vfork(2) */
	"svc 0\n\t"
	"cbz x0, 3f\n\t" /* the child: its return address was never anywhere else */
	"stp x29, x30, [sp, -16]!\n\t"
	".cfi_adjust_cfa_offset 16\n\t"
	".cfi_rel_offset x30, 8\n\t"
	"bl vfork_back\n\t"
	"ldp x29, x30, [sp], 16\n\t"
	".cfi_adjust_cfa_offset -16\n\t"
	".cfi_restore x30\n"
	"3:\tret\n\t"
	".cfi_endproc\n\t"
	".size vfork, . - vfork\n\t"
	".popsection");
#endif

/* -- clone --------------------------------------------------------------------------------- */

typedef int clone_main(void *);

struct clone_order {
	clone_main *main;
	void *arg;
};

/* The child's first function, where it has a copy of our memory: of *p, too. */
static int clone_forked(void *p)
{
	const struct clone_order *o = p;

	report_forked();
	return o->main(o->arg);
}

/* The same, where it has a copy of the mounts. */
static int clone_apart(void *p)
{
	const struct clone_order *o = p;

	guest_mounts_copied();
	return o->main(o->arg);
}

/* clone(2): the child runs on a stack of its own and never returns through this frame.  One that
 * shares memory but not the table of descriptors is, to the records, a vfork child: for as long
 * as it may live, which is for ever where nobody waits for it. */
int jail_clone(clone_main *main, void *stack, int flags, void *arg, ...)
{
	int (*real)(clone_main *, void *, int, void *, ...) = REAL(clone);
	struct clone_order apart = {main, arg}, order;
	void *parent_tid, *tls, *child_tid;
	va_list ap;
	int r = main && stack ? (int)guest_clone_allowed((unsigned)flags & ~CSIGNAL) : 0;

	if (!real)
		r = -ENOSYS;
	if (r < 0)
		return EDGE(int, r);
	va_start(ap, arg); /* there to be read, as the libcs do, whether they were given or not */
	parent_tid = va_arg(ap, void *);
	tls = va_arg(ap, void *);
	child_tid = va_arg(ap, void *);
	va_end(ap);
	if (state_view() && main && flags & CLONE_NEWNS && !(flags & CLONE_FILES) &&
		(!(flags & CLONE_VM) || flags & CLONE_VFORK)) {
		arg = &apart;
		main = clone_apart;
	}
	order = (struct clone_order){main, arg};
	if (!(flags & CLONE_VM))
		fdpolicy_forking();
	epoch_clone((unsigned)flags);
	if (LIKELY(!record_on) || !main || flags & CLONE_FILES) {
		r = real(main, stack, flags, arg, parent_tid, tls, child_tid);
	} else if (!(flags & CLONE_VM)) {
		report_fork();
		r = real(clone_forked, stack, flags, &order, parent_tid, tls, child_tid);
		if (r > 0)
			report_fork_done(r);
	} else {
		record_vfork_begin();
		r = real(main, stack, flags, arg, parent_tid, tls, child_tid);
		if (r < 0 || flags & CLONE_VFORK) {
			record_vfork_end();
			if (r > 0)
				record_child_gone(r);
		}
	}
	if (r > 0 && flags & CLONE_PIDFD && parent_tid)
		fdpolicy_made(*(int *)parent_tid, FD_EVENT, true, 0, FD_NUMBER(r));
	return r;
}

/* -- the end ------------------------------------------------------------------------------- */

/* _exit(2) is async-signal-safe and the way out of a vfork child, whose end is no event. */
void jail__exit(int status)
{
	void (*real)(int) = exit_real();

	if (UNLIKELY(record_on) && record_mine())
		report_exit(status & 0xff);
	if (real)
		real(status);
	for (;;)
		sys_call(SYS_exit_group, status);
}

/* quick_exit(3) calls its handlers, and then what _exit calls, inside libc. */
void jail_quick_exit(int status)
{
	void (*real)(int) = REAL(quick_exit);

	if (UNLIKELY(record_on) && record_mine())
		report_exit(status & 0xff);
	if (real)
		real(status);
	for (;;)
		sys_call(SYS_exit_group, status);
}
