/* SPDX-License-Identifier: ISC
 *
 * The system call instruction of aarch64, and what the ABI calls this machine. */
#ifndef JAIL_SYS_ARCH_H
#define JAIL_SYS_ARCH_H

#include <elf.h>

#define SYS_ARCH_MACHINE EM_AARCH64
#define SYS_ARCH_NAME "aarch64"
#define SYS_ARCH_PAGE 65536 /* the largest page of its kernels */

/* The bare instruction: the result, or -errno; errno is untouched.  Async-signal-safe. */
static inline long sys_call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
		: "+r"(x0)
		: "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
		: "memory");
	return x0;
}

/* The system call nr(a, b, c) that makes a thread or process with a stack of its own (clone(2),
 * clone3(2)); there main(arg) runs, which does not return.  The stack is new, so both travel in
 * registers. */
static __attribute__((noinline, unused)) long sys_clone_stack(
	long nr, long a, long b, long c, void (*main)(void *), void *arg)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t" /* the outermost frame, to an unwinder */
			 "mov x0, %[arg]\n\t"
			 "blr %[main]\n\t"
			 "brk 1\n"
			 "1:"
		: "+r"(x0)
		: "r"(x8), "r"(x1), "r"(x2), [main] "r"(main), [arg] "r"(arg)
		: "memory");
	return x0;
}

/* Does valgrind(1) run this program?  It knows these instructions, which mean nothing to a processor (valgrind's
 * manual, "The client request mechanism"; request 0x1001). */
static inline bool sys_in_valgrind(void)
{
	const unsigned long request[6] = {0x1001};
	register unsigned long x3 __asm__("x3") = 0;
	register const unsigned long *x4 __asm__("x4") = request;

	__asm__ volatile("ror x12, x12, #3\n\tror x12, x12, #13\n\tror x12, x12, #51\n\tror x12, x12, #61\n\t"
			 "orr x10, x10, x10"
		: "+r"(x3)
		: "r"(x4)
		: "cc", "memory");
	return x3 != 0;
}

/* What tells threads apart (the ABI's thread pointer). */
static inline uintptr_t sys_thread_pointer(void)
{
	uintptr_t tp;

	__asm__("mrs %0, tpidr_el0" : "=r"(tp));
	return tp;
}

#endif
