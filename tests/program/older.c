/* SPDX-License-Identifier: ISC
 *
 * older: runs a command as an older kernel would, or a container whose seccomp profile is older than the
 * kernel.  A filter gives another answer to the system calls, and to the flags of older calls, that
 * came after a release of Linux.
 *
 * usage: older 4.18|5.0|5.4|5.10|NUMBER enosys|eperm|kill COMMAND...
 *
 * NUMBER: the first system call that is not known.  What is not known of an older call is EINVAL. */
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

/* Arguments of older calls, and which release's first unknown system call says that they are unknown,
 * too: a flag, or, with exact, a value. */
static const struct newer {
	unsigned nr, argument, bits, since;
	int exact;
} newer[] = {
	{SYS_waitid, 0, 3 /* P_PIDFD, 5.4 */, 435, 1},
	{SYS_utimensat, 3, 0x1000 /* AT_EMPTY_PATH, 5.8 */, 439, 0},
	{SYS_close_range, 2, 4 /* CLOSE_RANGE_CLOEXEC, 5.11 */, 441, 0},
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
	for (const struct newer *p = newer; p < newer + ROWS(newer); p++) {
		if (first > p->since)
			continue;
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, p->nr, 0, 4));
		ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(p->argument)));
		ADD(BPF_JUMP(BPF_JMP | BPF_K | (p->exact ? BPF_JEQ : BPF_JSET), p->bits, 0, 1));
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
