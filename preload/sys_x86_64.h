/* SPDX-License-Identifier: ISC
 *
 * The system call instruction of x86_64, and what the ABI calls this machine. */
#ifndef JAIL_SYS_ARCH_H
#define JAIL_SYS_ARCH_H

#include <elf.h>

#define SYS_ARCH_MACHINE EM_X86_64
#define SYS_ARCH_NAME "x86_64"
#define SYS_ARCH_PAGE 4096 /* the largest page of its kernels */

/* The bare instruction: the result, or -errno; errno is untouched.  Async-signal-safe. */
static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
		: "=a"(ret)
		: "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return ret;
}

/* The system call nr(a, b, c) that makes a thread or process with a stack of its own (clone(2),
 * clone3(2)); there main(arg) runs, which does not return.  The stack is new, so both travel in
 * registers. */
static __attribute__((noinline, unused)) long sys_clone_stack(
	long nr, long a, long b, long c, void (*main)(void *), void *arg)
{
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t" /* the outermost frame, to an unwinder */
			 "mov %[arg], %%rdi\n\t"
			 "call *%[main]\n\t"
			 "hlt\n"
			 "1:"
		: "=a"(ret)
		: "a"(nr), "D"(a), "S"(b), "d"(c), [main] "r"(main), [arg] "r"(arg)
		: "rcx", "r11", "memory");
	return ret;
}

/* Does valgrind(1) run this program?  It knows these instructions, which mean nothing to a processor (valgrind's
 * manual, "The client request mechanism"; request 0x1001). */
static inline bool sys_in_valgrind(void)
{
	const unsigned long request[6] = {0x1001};
	unsigned long ret = 0;

	__asm__ volatile("rol $3, %%rdi\n\trol $13, %%rdi\n\trol $61, %%rdi\n\trol $51, %%rdi\n\t"
			 "xchg %%rbx, %%rbx"
		: "+d"(ret)
		: "a"(request)
		: "cc", "memory");
	return ret != 0;
}

/* What tells threads apart (the ABI's thread pointer). */
static inline uintptr_t sys_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("mov %%fs:0, %0" : "=r"(tp));
	return tp;
}

#endif
