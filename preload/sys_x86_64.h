/* SPDX-License-Identifier: ISC
 *
 * The system call instruction of x86_64, and what the ABI calls this machine. */
#ifndef JAIL_SYS_ARCH_H
#define JAIL_SYS_ARCH_H

#include <elf.h>

#define SYS_ARCH_MACHINE EM_X86_64
#define SYS_ARCH_NAME "x86_64"

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

#endif
