/* SPDX-License-Identifier: ISC
 *
 * How memory is looked at that may not be there (peek.h): by system calls that fail with EFAULT. */
#include "peek.h"
#include "../mem.h"
#include "../sys.h"
#include <sys/uio.h>

/* The kernel copies, and says how far it came.  -errno where there is no such call: a container's seccomp
 * filter may refuse process_vm_readv(2). */
static long copy(void *to, uintptr_t from, size_t n)
{
	const struct iovec here = {to, n}, there = {(void *)from, n};

	return sys_call(SYS_process_vm_readv, sys_getpid(), &here, 1, &there, 1, 0);
}

/* rt_sigprocmask(2) copies its set in before it looks at how: a bad pointer is EFAULT, a good one EINVAL, and
 * nothing else happens.  No filter refuses that call, and it is a third as long as process_vm_readv(2).  Only valgrind(1)
 * complains of it. */
bool peek_page(uintptr_t page)
{
	char byte;

	/* NULL is no set at all to rt_sigprocmask, and below vm.mmap_min_addr nothing is mapped */
	if (page < 65536)
		return false;
	if (UNLIKELY(sys_in_valgrind()))
		return copy(&byte, page, 1) == 1;
	return sys_call(SYS_rt_sigprocmask, -1, page, 0, 8) != -EFAULT;
}

size_t peek_some(void *to, uintptr_t from, size_t n)
{
	const uintptr_t last = from + n - 1;
	uintptr_t page = from & -(uintptr_t)PEEK_PAGE;
	long r;

	if (!n || from < 65536 || last < from)
		return 0;
	r = copy(to, from, n);
	if (r == -EFAULT)
		return 0;
	if (r >= 0)
		return (size_t)r;
	for (; page <= last && peek_page(page); page += PEEK_PAGE)
		;
	n = page <= last ? page > from ? page - from : 0 : n;
	memcpy(to, (const void *)from, n);
	return n;
}
