/* SPDX-License-Identifier: ISC
 *
 * Names that have been looked at a moment ago, and lead elsewhere now: clean.sh.  Each case prints sizes of files: 1 in
 * /d1/a/b, 2 in /away/b, to which the symlink /d2/a leads, 3 in /d3/a/b; 7 is the one in /away/b of the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "a/b/f"

static long size(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, 0) < 0 ? -errno : (long)st.st_size;
}

/* The same, asked so often that it is remembered. */
static long learned(int dir, const char *path)
{
	long r = 0;

	for (int i = 0; i < 64; i++)
		r = size(dir, path);
	return r;
}

static int directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY);
}

static _Alignas(16) char stack[1 << 16];

/* -- names that are changed ------------------------------------------------------------------ */

#define W "/w/a"

/* There is no w/a any more; w/link is a symlink that leads away. */
static int by_symlink(void) { return symlink("/away", W); }
static int by_link(void) { return linkat(AT_FDCWD, "/w/link", AT_FDCWD, W, 0); }
static int by_rename(void) { return rename("/w/link", W); }
static int by_number(void) { return (int)syscall(SYS_linkat, AT_FDCWD, "/w/link", AT_FDCWD, W, 0); }
static int by_held(void)
{
	const int fd = open("/w/link", O_PATH | O_NOFOLLOW);
	char held[32];
	int r;

	snprintf(held, sizeof held, "/proc/self/fd/%d", fd);
	r = linkat(AT_FDCWD, held, AT_FDCWD, W, AT_SYMLINK_FOLLOW);
	close(fd);
	return r;
}
static int by_ancestor(void)
{
	return rename("/w", "/w1") < 0 ? -1 : rename("/w1/other", "/w");
}

/* What w/a/b/f is after the change that puts a symlink there in place of the directory. */
static void change(const char *name, int (*put)(void))
{
	long before, after;

	if (mkdir("/w", 0755) || mkdir("/w/other", 0755) || symlink("/away", "/w/link") || symlink("/away", "/w/other/a") ||
		mkdir(W, 0755) || mkdir(W "/b", 0755) || link("/d1/a/b/f", "/w/a/b/f"))
		perror("mkdir");
	before = learned(AT_FDCWD, "/w/a/b/f");
	if (put != by_ancestor) { /* without a rename after what is learned, which would say it for who comes then */
		unlink("/w/a/b/f");
		rmdir("/w/a/b");
		rmdir(W);
	}
	if (put())
		perror(name);
	after = size(AT_FDCWD, "/w/a/b/f");
	printf("%s %ld %ld\n", name, before, after);
	if (system("rm -rf /w /w1"))
		perror("rm");
}

static void changes(void)
{
	change("symlink", by_symlink);
	change("link", by_link);
	change("rename", by_rename);
	change("linkat by its number", by_number);
	change("linkat of what is held", by_held);
	change("an ancestor", by_ancestor);
}

/* -- descriptors that stand for something else ----------------------------------------------- */

static void reopened(void)
{
	const int fd = directory("/d1");
	FILE *f = fdopen(fd, "r");
	const long was = learned(fd, NAME);

	f = freopen("/d2", "r", f);
	printf("%ld %ld\n", was, f && fileno(f) == fd ? size(fd, NAME) : -1);
}

static int shared_fd;
static volatile long outside = 0, looks = 0;
static volatile bool enough;

static void *look_on(void *unused)
{
	while (!enough) {
		const long r = size(shared_fd, NAME);

		__atomic_add_fetch(r == 1 || r == 2 ? &looks : &outside, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

/* One number stands for two directories by turns while threads look by it: none of them comes anywhere else. */
static void replaced(void)
{
	const int fds[2] = {directory("/d1"), directory("/d2")};
	pthread_t t[3];

	shared_fd = dup(fds[0]);
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, look_on, NULL);
	for (int i = 0; i < 100000 || looks < 1000; i++) {
		dup2(fds[i % 2], shared_fd);
		for (volatile int k = 0; k < i % 1000; k++)
			;
	}
	enough = true;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	printf("%d %ld\n", looks > 0, outside);
}

static int replace(void *fd)
{
	dup3(directory("/d2"), *(int *)fd, O_CLOEXEC);
	_exit(0);
}

/* A process that shares the table and not the memory. */
static void table_shared(void)
{
	int fd = directory("/d1"), go[2];
	char byte;
	long was;
	pid_t child;

	if (pipe(go))
		return;
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		_exit(read(go[0], &byte, 1) == 1 ? replace(&fd) : 1);
	was = learned(fd, NAME);
	if (write(go[1], "", 1) != 1)
		return;
	waitpid(child, NULL, 0);
	printf("%ld %ld\n", was, size(fd, NAME));
}

/* -- working directories --------------------------------------------------------------------- */

static int to_child[2], to_parent[2];
static long of_child;

static int elsewhere(void *unused)
{
	char byte;

	(void)unused;
	if (chdir("/d2") || write(to_parent[1], "", 1) != 1 || read(to_child[0], &byte, 1) != 1)
		_exit(1);
	of_child = size(AT_FDCWD, NAME);
	_exit(0);
}

/* A process that shares the memory and has a directory of its own. */
static void memory_shared(void)
{
	char byte;
	pid_t child;
	long r;

	if (pipe(to_child) || pipe(to_parent) || chdir("/d1"))
		return;
	child = clone(elsewhere, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
	if (read(to_parent[0], &byte, 1) != 1)
		return;
	r = learned(AT_FDCWD, NAME);
	if (write(to_child[1], "", 1) != 1)
		return;
	waitpid(child, NULL, 0);
	printf("%ld %ld\n", r, of_child);
}

static int moves(void *unused)
{
	(void)unused;
	_exit(chdir("/d2") != 0);
}

/* A process that shares the directory and not the memory. */
static void directory_shared(void)
{
	pid_t child;
	long was;

	if (chdir("/d1"))
		return;
	was = learned(AT_FDCWD, NAME);
	child = clone(moves, stack + sizeof stack, CLONE_FS | SIGCHLD, NULL);
	waitpid(child, NULL, 0);
	printf("%ld %ld\n", was, size(AT_FDCWD, NAME));
}

static void *own_directory(void *ret)
{
	if (unshare(CLONE_FS) == 0 && chdir("/d3") == 0)
		*(long *)ret = learned(AT_FDCWD, NAME);
	return NULL;
}

static void *common_directory(void *ret)
{
	*(long *)ret = size(AT_FDCWD, NAME);
	return NULL;
}

/* A thread with a directory of its own, and another one that gets its memory after it. */
static void thread_apart(void)
{
	long r[2] = {0};
	pthread_t t;

	if (chdir("/d2"))
		return;
	pthread_create(&t, NULL, own_directory, &r[0]);
	pthread_join(t, NULL);
	pthread_create(&t, NULL, common_directory, &r[1]);
	pthread_join(t, NULL);
	printf("%ld %ld\n", r[0], r[1]);
}

static void vforked(void)
{
	static long r[3];
	pid_t child;

	if (chdir("/d1"))
		return;
	r[0] = learned(AT_FDCWD, NAME);
	child = vfork();
	if (child == 0) {
		if (chdir("/d2") == 0)
			r[1] = learned(AT_FDCWD, NAME);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	r[2] = size(AT_FDCWD, NAME);
	printf("%ld %ld %ld\n", r[0], r[1], r[2]);
}

/* -- who would die of it --------------------------------------------------------------------- */

static char long_name[512];
static volatile long handled[2];

static void handler(int number)
{
	(void)number;
	handled[0] = size(AT_FDCWD, long_name);
	handled[1] = size(AT_FDCWD, "/l3/a/b/f");
}

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* Lookups of a long name, and by symlinks to symlinks, on a signal stack of 8 KiB, alone and with threads. */
static void small_stack(void)
{
	enum { PAGE = 4096 };
	char *room = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const stack_t small = {.ss_sp = room + PAGE, .ss_size = 2 * PAGE};
	const struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
	pthread_t t;

	while (strlen(long_name) < 470)
		strcat(long_name, "/d1/..");
	strcat(long_name, "/d1/a/b/f");
	mprotect(room, PAGE, PROT_NONE);
	sigaltstack(&small, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	printf("%ld %ld", handled[0], handled[1]);
	pthread_create(&t, NULL, wait_for_ever, NULL);
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	printf(" %ld %ld\n", handled[0], handled[1]);
}

#define KILLED(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

/* A filter that kills for what a lookup does not need, before any lookup. */
static void filtered(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		KILLED(SYS_prctl),
		KILLED(SYS_mmap),
		KILLED(SYS_memfd_create),
		KILLED(SYS_sched_yield),
		KILLED(SYS_unshare),
		KILLED(SYS_clone),
		KILLED(SYS_kcmp),
		KILLED(SYS_openat2),
		KILLED(SYS_faccessat2),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
	long a, b;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(1);
	a = learned(AT_FDCWD, "/d1/a/b/f");
	b = learned(AT_FDCWD, "/d2/a/b/f");
	printf("%ld %ld %d\n", a, b, rename("/none", "/none too"));
}

static void filtered_threads(void)
{
	pthread_t t;

	pthread_create(&t, NULL, wait_for_ever, NULL);
	filtered();
}

/* The clock is taken away between lookups.  (Some virtual machines let everybody read it.) */
static void no_clock(void)
{
	long a, b;

	a = learned(AT_FDCWD, "/d1/a/b/f");
	prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	b = learned(AT_FDCWD, "/d1/a/b/f");
	printf("%ld %ld\n", a, b);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} all[] = {
		{"changes", changes},
		{"freopen", reopened},
		{"dup2", replaced},
		{"CLONE_FILES", table_shared},
		{"CLONE_VM", memory_shared},
		{"CLONE_FS", directory_shared},
		{"unshare", thread_apart},
		{"vfork", vforked},
		{"stack", small_stack},
		{"filter", filtered},
		{"filter-threads", filtered_threads},
		{"clock", no_clock},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (argc == 2 && strcmp(argv[1], all[i].name) == 0) {
			all[i].run();
			fflush(stdout);
			_exit(0);
		}
	return 2;
}
