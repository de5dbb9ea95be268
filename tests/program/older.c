/* SPDX-License-Identifier: ISC
 *
 * older: runs a command as an older kernel would, or a container whose seccomp profile is older than the
 * kernel.  A filter gives another answer to the system calls, and to the flags of older calls, that
 * came after a release of Linux.
 *
 * usage: older 4.18|5.0|5.4|5.10|NUMBER enosys|eperm|kill COMMAND...
 *
 * NUMBER: the first system call that is not known.  A flag that is not known is EINVAL, as the kernel says. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers above 423 are one for all architectures; x86_64 has newer ones in the gap below them. */
#ifdef __x86_64__
enum { GAP = 335 };
#else
enum { GAP = 424 };
#endif

static const struct release {
	const char *name;
	unsigned first;
} releases[] = {
	{"4.18", GAP},
	{"5.0", 424},
	{"5.4", 436},
	{"5.10", 441},
};

/* Flags of older calls: the first release number whose kernels know the flag, as the first unknown system
 * call of the release before tells it. */
static const struct flag {
	unsigned nr, argument, bits, until;
} flags[] = {
	{SYS_utimensat, 3, 0x1000 /* AT_EMPTY_PATH, 5.8 */, 439},
	{SYS_close_range, 2, 4 /* CLOSE_RANGE_CLOEXEC, 5.11 */, 441},
};

#define ARGUMENT(i) (unsigned)(offsetof(struct seccomp_data, args) + (i) * 8)
#define ROWS(a) (sizeof(a) / sizeof *(a))

int main(int argc, char **argv)
{
	struct sock_filter code[64];
	unsigned short n = 0;
	unsigned first, other;

	if (argc < 4)
		return fputs("usage: older 4.18|5.0|5.4|5.10|NUMBER enosys|eperm|kill COMMAND...\n", stderr), 2;
	first = (unsigned)strtoul(argv[1], NULL, 10);
	for (size_t i = 0; i < ROWS(releases); i++)
		if (strcmp(argv[1], releases[i].name) == 0)
			first = releases[i].first;
	other = SECCOMP_RET_ERRNO | ENOSYS;
	if (strcmp(argv[2], "eperm") == 0)
		other = SECCOMP_RET_ERRNO | EPERM;
	else if (strcmp(argv[2], "kill") == 0)
		other = SECCOMP_RET_KILL_PROCESS;

#define ADD(...) code[n++] = (struct sock_filter)__VA_ARGS__
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 1));
	ADD(BPF_STMT(BPF_RET | BPF_K, other));
	for (size_t i = 0; i < ROWS(flags); i++) {
		if (first > flags[i].until)
			continue;
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, flags[i].nr, 0, 4));
		ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(flags[i].argument)));
		ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags[i].bits, 0, 1));
		ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL));
		ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	}
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){n, code}) < 0) {
		perror("older: no filter");
		return 77;
	}
	execvp(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
