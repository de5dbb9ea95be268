/* SPDX-License-Identifier: ISC
 *
 * The calls of calls.c in every situation that a program may make them in: contexts DIR HOSTDIR
 * [WORD...] prints TAP, a row for each context (those named, or all; but none that is WITHOUT in
 * the environment), and the functions that had a wrong answer there.  DIR is the guest's name of the
 * directory that the calls work in and HOSTDIR the host's; HOSTDIR/../roots/a and .../b hold a root each,
 * with the same directory as /ctx.
 * The same program runs without libjail: what the kernel and libc do. */
#include "calls.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static const char *guest_dir, *host_dir;
static const struct call *calls;
static int ncalls;
static bool jailed;

/* What happened, in memory that children share: the first wrong answer of each call. */
static struct shared {
	volatile int bad[512];
	volatile int seen[512]; /* how often it was called */
	volatile int now;       /* the call that is under way */
	volatile int step, phase;
	int patience; /* ms that the kernel was given beyond the limits */
} *shared;

static bool has(const struct call *c)
{
#ifdef __GLIBC__
	(void)c;
	return true;
#else
	return !(c->flags & GLIBC);
#endif
}

static struct at here(char tag)
{
	return (struct at){guest_dir,
		(int)raw(SYS_openat, AT_FDCWD, (long)host_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0), tag};
}

static void told(int i, int r)
{
	if (r && !shared->bad[i])
		shared->bad[i] = r;
	__atomic_add_fetch(&shared->seen[i], 1, __ATOMIC_RELAXED);
}

static void make(int i, const struct at *at)
{
	told(i, calls[i].run(at));
}

static bool named(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* -- as ever ------------------------------------------------------------------------------------- */

static int plainly(void)
{
	struct at at = here('m');
	int before = calls_fds();

	for (int n = 0; n < 2; n++)
		for (int i = 0; i < ncalls; i++) {
			int fds = calls_fds();

			if (!has(&calls[i]))
				continue;
			shared->now = i;
			make(i, &at);
			/* syslog(3), names and plug-ins may keep one open, but not one a call */
			if (n == 1 && calls_fds() != fds) {
				printf("# %s: %d descriptors more\n", calls[i].name, calls_fds() - fds);
				told(i, -EBADF);
			}
		}
	(void)before;
	return 0;
}

/* -- before any other constructor ------------------------------------------------------------------ */

extern int first_saw(void) __attribute__((weak));
extern int second_saw(void) __attribute__((weak));

static int constructors(void)
{
	int (*preloaded)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "third_saw");

	if (!first_saw || !second_saw)
		return -77;
	return first_saw() | second_saw() | (preloaded ? preloaded() : 0);
}

/* -- after dlopen ----------------------------------------------------------------------------------- */

static int all_of(const struct call *(*all)(int *))
{
	struct at at = here('d');
	int n = 0;
	const struct call *c = all(&n);

	for (int i = 0; i < n; i++) {
		if (!has(&c[i]))
			continue;
		shared->now = i;
		told(i, c[i].run(&at));
	}
	return n == ncalls ? 0 : -1;
}

static int opened(int mode)
{
	char path[256];
	void *h;
	const struct call *(*all)(int *);

	snprintf(path, sizeof path, "%s/libcalls.so", guest_dir);
	h = dlopen(path, mode);
	if (!h)
		return printf("# %s\n", dlerror()), 1;
	all = (const struct call *(*)(int *))dlsym(h, "calls_all");
	if (!all || all == calls_all)
		return printf("# not another object\n"), 1;
	return all_of(all);
}

static int opened_local(void)
{
	return opened(RTLD_NOW | RTLD_LOCAL);
}

static int opened_lazy(void)
{
	return opened(RTLD_LAZY | RTLD_GLOBAL);
}

#ifdef __GLIBC__
static int opened_deep(void)
{
	return opened(RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
}

static int opened_apart(void)
{
	char path[256];
	void *h;
	const struct call *(*all)(int *);

	snprintf(path, sizeof path, "%s/libcalls.so", guest_dir);
	h = dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL);
	if (!h)
		return printf("# %s\n", dlerror()), 1;
	all = (const struct call *(*)(int *))dlsym(h, "calls_all");
	return all ? all_of(all) : 1;
}
#endif

/* -- in a signal handler ----------------------------------------------------------------------------- */

static struct at in_handler;
static unsigned long handler_needs, handler_not;
static volatile int handler_next, handled;

static void make_next(void)
{
	int saved = errno, i = handler_next;

	do
		i = (i + 1) % ncalls;
	while (!has(&calls[i]) || (calls[i].flags & handler_needs) != handler_needs || calls[i].flags & handler_not);
	handler_next = i;
	make(i, &in_handler);
	handled++;
	errno = saved;
}

/* However slow the machine is: a loop that never gets there is killed after a while. */
enum { ENOUGH = 20 };
static const struct itimerval never;

static void on_timer(int sig)
{
	const struct itimerval soon = {{0, 0}, {0, 20 + handled * 7 % 130}};

	(void)sig;
	make_next();
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* The loop makes calls with these flags, the handler with those. */
static int storm(unsigned long needs, unsigned long not, unsigned long h_needs, unsigned long h_not, int ms)
{
	struct at at = here('m');
	struct sigaction sa = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	const struct itimerval soon = {{0, 0}, {0, 50}};

	in_handler = here('h');
	handler_needs = h_needs;
	handler_not = h_not;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	for (long end = now_ms() + ms; now_ms() < end || handled <= ENOUGH;)
		for (int i = 0; i < ncalls; i++)
			if (has(&calls[i]) && (calls[i].flags & needs) == needs && !(calls[i].flags & not)) {
				shared->now = i;
				make(i, &at);
			}
	setitimer(ITIMER_REAL, &never, NULL);
	return 0;
}

static int storm_safe(void)
{
	return storm(0, EXEC | DLOCK, SAFE, EXEC | HEAP, 250);
}

/* Where only what is safe is interrupted everything may be called, as in the kernel. */
static int storm_all(void)
{
	return storm(SAFE, EXEC, 0, 0, 250);
}

#ifdef __x86_64__
enum { TF = 0x100, BURST = 12, EVERY = 4 };
static volatile int traps;

static void on_burst(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)sig, (void)info;
	traps = 0;
	u->uc_mcontext.gregs[REG_EFL] |= TF;
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	const struct itimerval soon = {{0, 0}, {0, 20 + handled * 7 % 130}};
	ucontext_t *u = context;

	(void)sig, (void)info;
	if (++traps % EVERY == 0)
		make_next();
	if (traps < BURST)
		return;
	u->uc_mcontext.gregs[REG_EFL] &= ~(long)TF;
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* Instruction by instruction, for a dozen of them at a time (a trap may cost 40 us), from anywhere. */
static int step(void)
{
	struct at at = here('m');
	struct sigaction trap = {.sa_sigaction = on_step, .sa_flags = SA_RESTART | SA_SIGINFO | SA_NODEFER};
	struct sigaction burst = {.sa_sigaction = on_burst, .sa_flags = SA_RESTART | SA_SIGINFO};
	const struct itimerval soon = {{0, 0}, {0, 50}};

	in_handler = here('h');
	handler_needs = SAFE;
	handler_not = EXEC | HEAP;
	sigaction(SIGTRAP, &trap, NULL);
	sigaction(SIGALRM, &burst, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	for (long end = now_ms() + 250; now_ms() < end || handled <= ENOUGH;)
		for (int i = 0; i < ncalls; i++) {
			/* no trap comes through where libc blocks all signals, and no child shares our names */
			if (!has(&calls[i]) || calls[i].flags & (EXEC | DLOCK) || strcmp(calls[i].name, "initgroups") == 0)
				continue;
			shared->now = i;
			make(i, &at);
		}
	setitimer(ITIMER_REAL, &never, NULL);
	return 0;
}
#endif

/* -- in children --------------------------------------------------------------------------------------- */

static volatile int stop;

struct thread {
	pthread_t id;
	struct at at;
	unsigned long needs, not;
	int from;
	bool tell;
	const char *const *except, *const *too;
};

static void *keeps_calling(void *arg)
{
	const struct thread *t = arg;

	for (int i = t->from; !stop; i = (i + 1) % ncalls)
		if (has(&calls[i]) && (calls[i].flags & t->needs) == t->needs && !(calls[i].flags & t->not) &&
			!named(calls[i].name, t->except) && !(t->too && named(calls[i].name, t->too))) {
			int r = calls[i].run(&t->at);

			told(i, t->tell ? r : 0);
		}
	return NULL;
}

/* What is not reentrant, or not the thread's own: one thread at a time. */
static const char *const alone[] = {"getpwuid", "getpwnam", "getpwent", "setpwent", "endpwent", "getgrgid",
	"getgrnam", "getgrent", "setgrent", "endgrent", "getlogin", "ttyname", "getmntent", "endmntent",
	"chdir", "fchdir", "chroot", "bindtextdomain", "closelog", "openlog", NULL};
/* Locks of libc that no child gets back when another thread had them: native programs stop there. */
static const char *const locked[] = {"syslog", "vsyslog", "__syslog_chk", "__vsyslog_chk", "openlog", "closelog",
	"popen", "pclose", "system", "bindtextdomain", "getpwuid", "getpwnam", "getpwent", "setpwent", "endpwent",
	"getgrgid", "getgrnam", "getgrent", "setgrent", "endgrent", "getpwuid_r", "getpwnam_r", "getgrgid_r",
	"getgrnam_r", "getgrouplist", "initgroups", "getlogin", "getlogin_r", "ttyname", "ttyname_r", "openpty",
	"forkpty", NULL};
/* So do libjail's, where they are libc's: the log is while no root is set (call/syslog.c). */
static const char *const locked_even_so[] = {"bindtextdomain", NULL};
static const char *const locked_outside[] = {"syslog", "vsyslog", "__syslog_chk", "__vsyslog_chk", "openlog",
	"closelog", NULL};

/* The threads of pid, and whether one waits for the kernel's workers: close(2) of an inotify instance does
 * (fs/notify/mark.c, fsnotify_wait_marks_destroyed), past all signals.  Said, with the system call. */
static bool flushes(pid_t pid, bool say)
{
	char path[320], text[128];
	struct dirent *e;
	bool ret = false;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		static const char *const files[] = {"wchan", "syscall"};

		if (*e->d_name == '.')
			continue;
		for (int i = 0; i < 2; i++) {
			ssize_t n = -1;
			int fd;

			snprintf(path, sizeof path, "/proc/%d/task/%s/%s", (int)pid, e->d_name, files[i]);
			fd = open(path, O_RDONLY);
			if (fd >= 0) {
				n = read(fd, text, sizeof text - 1);
				close(fd);
			}
			text[n > 0 ? n : 0] = '\0';
			text[strcspn(text, "\n")] = '\0';
			ret |= strcmp(text, "__flush_work") == 0;
			if (say && i == 0)
				printf("# thread %s: %s,", e->d_name, text);
			else if (say)
				printf(" system call %s\n", text);
		}
	}
	if (d)
		closedir(d);
	return ret;
}

/* Has pid, which is running or waits for a processor, had less than ms of processor time?  On a busy machine
 * that is no sign that it hangs. */
static bool starves(pid_t pid, int ms)
{
	char name[64], text[512], *at, state = 0;
	unsigned long user = 0, system = 0;
	FILE *f;

	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	f = fopen(name, "r");
	at = f && fgets(text, sizeof text, f) ? strrchr(text, ')') : NULL;
	if (f)
		fclose(f);
	return at && sscanf(at, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user, &system) == 3 &&
	       state == 'R' && (user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK) < (unsigned long)ms;
}

/* The time of those workers is not the program's: Linux 6.18 has let a runnable one wait for most of a minute,
 * beside programs that do nothing but compute, without libjail as well. */
static int wait_for(pid_t pid, int ms)
{
	enum { PATIENCE = 120000 };
	int status;

	for (long end = now_ms() + ms; waitpid(pid, &status, WNOHANG) == 0; usleep(500)) {
		if (now_ms() <= end + shared->patience)
			continue;
		if (shared->patience < PATIENCE && (flushes(pid, false) || starves(pid, ms))) {
			__atomic_add_fetch(&shared->patience, 1000, __ATOMIC_RELAXED);
			continue;
		}
		flushes(pid, true);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return 999;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 1;
}

static int forked(void)
{
	struct thread t[3];
	int bad = 0, n = 0;

	for (int i = 0; i < 3; i++) {
		t[i] = (struct thread){.at = here((char)('A' + i)), .from = i * 50, .not = EXEC, .except = alone};
		if (pthread_create(&t[i].id, NULL, keeps_calling, &t[i]))
			return 1;
	}
	for (long end = now_ms() + 500; (now_ms() < end || n < 4) && !bad; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct at at = here('c');

			for (int i = n % 2; i < ncalls; i += 2) {
				if (!has(&calls[i]) || calls[i].flags & DLOCK || named(calls[i].name, locked_even_so) ||
					(strcmp(guest_dir, "/ctx") != 0 && named(calls[i].name, locked_outside)) ||
					(!jailed && named(calls[i].name, locked)) || (calls[i].flags & EXEC && n % 8 > 1))
					continue;
				shared->now = i;
				make(i, &at);
			}
			_exit(0);
		}
		bad = pid < 0 ? 1 : wait_for(pid, 10000);
		if (bad)
			printf("# %s: status %d\n", calls[shared->now].name, bad);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i].id, NULL);
	printf("# %d children\n", n);
	return bad;
}

static __attribute__((noinline)) pid_t vforked(int i, const struct at *at)
{
	pid_t pid = vfork();

	if (pid == 0) {
		make(i, at);
		_exit(0);
	}
	return pid;
}

static int in_vfork(void)
{
	struct at at = here('v');
	char cwd[256], after[256];
	char **env = environ, *first = env ? env[0] : NULL;
	int fds = calls_fds(), bad = 0;

	if (!getcwd(cwd, sizeof cwd))
		return 1;
	for (int i = 0; i < ncalls; i++) {
		int status = 0;
		pid_t pid;

		if (!has(&calls[i]))
			continue;
		shared->now = i;
		pid = vforked(i, &at);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			bad |= printf("# %s: child, status %x\n", calls[i].name, (unsigned)status);
		if (!getcwd(after, sizeof after) || strcmp(cwd, after) != 0)
			bad |= printf("# %s: the parent's directory is %s\n", calls[i].name, after);
		if (access(guest_dir, F_OK) < 0)
			bad |= printf("# %s: the parent's root\n", calls[i].name);
		if (environ != env || (env && env[0] != first))
			bad |= printf("# %s: the parent's environment\n", calls[i].name);
		if (calls_fds() != fds) {
			bad |= printf("# %s: the parent has %d descriptors, not %d\n", calls[i].name, calls_fds(), fds);
			fds = calls_fds();
		}
	}
	return bad;
}

/* -- beside other threads ------------------------------------------------------------------------------- */

/* cwd is outside now and then, and a's directory is not b's */
static const char *const of_one_root[] = {"getcwd", "__getcwd_chk", "get_current_dir_name", "chdir", "fchdir", "chroot",
	"getpwuid", "getpwnam", "getpwent", "setpwent", "endpwent", "getgrgid", "getgrnam", "getgrent", "setgrent",
	"endgrent", "getlogin", "ttyname", "closelog", "openlog", "getmntent", "endmntent", "bindtextdomain", NULL};

/* close(2) of theirs waits for the kernel (flushes), and setgroups(2), for initgroups, waits in both libcs for
 * every thread: twelve in close are too many. */
static const char *const slow[] = {"inotify_init", "inotify_init1", "inotify_add_watch", NULL};

static int threads(void)
{
	struct thread t[16];
	char base[256];
	int outer, n = 0, bad = 0;

	snprintf(base, sizeof base, "%s/../roots", guest_dir);
	outer = open(base, O_RDONLY | O_DIRECTORY);
	if (outer < 0)
		return printf("# %s: errno %d\n", base, errno), 1;
	for (int i = 0; i < 16; i++)
		t[i].at = here((char)('A' + i));
	raw(SYS_dup3, open("/dev/null", O_RDWR), 2, 0, 0, 0); /* shells complain of their directory */
	if (fchdir(outer) < 0 || chroot("a") < 0 || chdir("/") < 0)
		return -77;
	guest_dir = "/ctx";
	for (int i = 0; i < 16; i++) {
		t[i] = (struct thread){.at = {guest_dir, t[i].at.fd, t[i].at.tag}, .from = i * 11 % ncalls,
			.except = of_one_root, .too = i == 4 ? NULL : slow}; /* it begins not far before them */
		if (i < 12) { /* what only looks has an answer, the same in both */
			t[i].needs = LOOKS;
			t[i].not = EXEC | DLOCK;
			t[i].tell = true;
		} else if (i < 14) {
			t[i].not = EXEC | DLOCK;
		}
		if (pthread_create(&t[i].id, NULL, keeps_calling, &t[i]))
			return 1;
	}
	for (long end = now_ms() + 500; now_ms() < end || n < 10; n++) {
		if (fchdir(outer) < 0 || chroot(n & 1 ? "a" : "b") < 0) {
			bad = printf("# chroot %d: errno %d\n", n, errno);
			break;
		}
		if (n % 3 == 0 && chdir(n & 4 ? "/ctx/d" : "/") < 0) {
			bad = printf("# chdir: errno %d\n", errno);
			break;
		}
	}
	stop = 1;
	for (int i = 0; i < 16; i++)
		pthread_join(t[i].id, NULL);
	printf("# %d roots\n", n);
	return bad;
}

/* -- with errors from below ------------------------------------------------------------------------------- */

#define NR(name) {#name, SYS_##name}
static const struct {
	const char *name;
	int nr;
} below[] = {
	NR(openat), NR(openat2), NR(newfstatat), NR(fstat), NR(statx), NR(readlinkat), NR(close_range), NR(fcntl),
	NR(dup), NR(dup3), NR(mmap), NR(munmap), NR(brk), NR(faccessat), NR(faccessat2), NR(execve), NR(execveat), NR(unlinkat),
	NR(renameat2), NR(renameat), NR(linkat), NR(symlinkat), NR(mkdirat), NR(mknodat), NR(fchmodat), NR(fchmodat2), NR(fchmod),
	NR(fchownat), NR(fchown), NR(utimensat), NR(truncate), NR(ftruncate), NR(getxattr), NR(lgetxattr), NR(fgetxattr), NR(setxattr),
	NR(lsetxattr), NR(fsetxattr), NR(listxattr), NR(llistxattr), NR(flistxattr), NR(inotify_add_watch), NR(getcwd), NR(chdir),
	NR(fchdir), NR(pipe2), NR(socket), NR(socketpair), NR(bind), NR(connect), NR(accept), NR(accept4),
	NR(getsockname), NR(getpeername), NR(sendto), NR(sendmsg), NR(recvfrom), NR(recvmsg), NR(epoll_create1),
	NR(eventfd2), NR(inotify_init1), NR(memfd_create), NR(timerfd_create), NR(signalfd4), NR(statfs),
	NR(fstatfs), NR(getdents64), NR(ioctl), NR(prlimit64), NR(read), NR(pread64), NR(lseek), NR(kcmp),
	NR(process_vm_readv), NR(write), NR(clone), NR(clone3), NR(getpid), NR(gettid), NR(getppid), NR(getrandom),
#ifdef SYS_open
	NR(open), NR(stat), NR(lstat), NR(access), NR(readlink), NR(unlink), NR(rmdir), NR(mkdir), NR(rename), NR(link),
	NR(symlink), NR(mknod), NR(chmod), NR(chown), NR(lchown), NR(utime), NR(utimes), NR(futimesat), NR(dup2), NR(pipe), NR(epoll_create),
	NR(eventfd), NR(inotify_init), NR(signalfd), NR(creat), NR(fork), NR(vfork),
#endif
};
static const struct {
	const char *name;
	int value;
} errors[] = {{"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM}, {"EINTR", EINTR}, {"EIO", EIO}, {"ENOSYS", ENOSYS}};
enum { BELOW = sizeof below / sizeof *below, ERRORS = sizeof errors / sizeof *errors };

static const char *error_name(int e)
{
	static char text[12];

	for (int i = 0; i < ERRORS; i++)
		if (errors[i].value == e)
			return errors[i].name;
	snprintf(text, sizeof text, "%d", e);
	return text;
}

/* System call nr fails with e, or traps (e 0): unless it has the cookie. */
static bool filtered(int nr, int e)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, COOKIE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, e ? SECCOMP_RET_ERRNO | (unsigned)e : SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof code / sizeof *code, code};

	/* not by prctl(3): libjail is to learn of it from the errors */
	return raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       raw(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&filter, 0, 0) == 0;
}

static char out[1 << 16];
static size_t out_len;

static void flush_out(void)
{
	raw(SYS_write, 1, (long)out, (long)out_len, 0, 0);
	out_len = 0;
}

/* INJECT call system-call error answer */
static void say(const char *word, const char *call, const char *nr, const char *e, int r)
{
	const char *parts[] = {word, " ", call, " ", nr, " ", e, " "};
	char digits[12];
	int k = 0, v = r < 0 ? -r : r;

	if (out_len > sizeof out - 200)
		flush_out();
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		strcpy(out + out_len, parts[i]);
		out_len += strlen(parts[i]);
	}
	if (r < 0) {
		const char *name = error_name(v);

		strcpy(out + out_len, name);
		out_len += strlen(name);
	} else {
		out[out_len++] = ':';
		while (v || !k) {
			digits[k++] = (char)('0' + v % 10);
			v /= 10;
		}
		while (k)
			out[out_len++] = digits[--k];
	}
	out[out_len++] = '\n';
}

static bool exec_too(int nr, int e)
{
	static const int some[] = {SYS_openat, SYS_openat2, SYS_readlinkat, SYS_execve, SYS_fcntl, SYS_newfstatat, SYS_pread64,
		SYS_read, SYS_mmap, SYS_clone, SYS_clone3, SYS_pipe2, SYS_fstat, SYS_getpid, SYS_close_range};

	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		if (some[i] == nr)
			return e == ENOMEM || e == ENOSYS;
	return false;
}

static void injected(int b, int e)
{
	struct at at = here('i');
	int fds;

	raw(SYS_dup3, 2, 0, 0, 0, 0);
	if (!filtered(below[b].nr, errors[e].value)) {
		printf("# seccomp: errno %d\n", errno);
		_exit(78);
	}
	fds = calls_fds();
	for (int i = shared->step; i < ncalls; i++) {
		int r, now;

		shared->step = i;
		if (!has(&calls[i]) || (calls[i].flags & EXEC && !exec_too(below[b].nr, errors[e].value)))
			continue;
		r = calls[i].run(&at);
		if (r)
			say("INJECT", calls[i].name, below[b].name, errors[e].name, r);
		now = calls_fds();
		if (now != fds && below[b].nr != SYS_close)
			say("LOST", calls[i].name, below[b].name, errors[e].name, now - fds > 0 ? now - fds : 1000 + fds - now);
		fds = now;
	}
	flush_out();
	_exit(0);
}

static int inject(void)
{
	const char *only = getenv("INJECT");
	int lost = 0;

	if (plainly())
		return 1;
	for (int b = 0; b < BELOW; b++)
		for (int e = 0; e < ERRORS; e++) {
			/* each call with two of them, one of which means that there is no such call; or with all */
			if (only ? strcmp(only, below[b].name) != 0 && strcmp(only, "all") != 0
				 : errors[e].value != ENOSYS && e != b % (ERRORS - 1) &&
					    !(below[b].nr == SYS_read && errors[e].value == EINTR))
				continue;
			for (shared->step = 0; shared->step < ncalls; shared->step++) {
				pid_t pid;
				int status;

				fflush(stdout);
				pid = fork();
				if (pid == 0)
					injected(b, e);
				status = wait_for(pid, 8000);
				if (status == 0)
					break;
				printf("%s %s %s %s %d\n", status == 999 ? "HANG" : "CRASH", calls[shared->step].name,
					below[b].name, errors[e].name, status);
				if (status == 78 || ++lost > 200)
					return 1;
			}
		}
	return 0;
}

/* The same for the second and later of several calls: a handler decides. */
static volatile int nth_left, nth_error;

static void on_sys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	long r;

	(void)sig;
#if defined(__x86_64__)
	greg_t *g = u->uc_mcontext.gregs;

	r = --nth_left == 0 ? -nth_error
			    : raw(info->si_syscall, (long)g[REG_RDI], (long)g[REG_RSI], (long)g[REG_RDX],
				      (long)g[REG_R10], (long)g[REG_R8]);
	g[REG_RAX] = r;
#elif defined(__aarch64__)
	unsigned long long *x = (unsigned long long *)u->uc_mcontext.regs;

	r = --nth_left == 0 ? -nth_error
			    : raw(info->si_syscall, (long)x[0], (long)x[1], (long)x[2], (long)x[3], (long)x[4]);
	x[0] = (unsigned long long)r;
#endif
}

static const struct {
	const char *name;
	int nr;
} several[] = {NR(openat), NR(openat2), NR(newfstatat), NR(fstat), NR(readlinkat), NR(fcntl)};

static void injected_nth(int b)
{
	static const int some[] = {EMFILE, ENOMEM, EIO, EINTR};
	struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct at at = here('i');
	char label[64];
	int fds;

	sigaction(SIGSYS, &sa, NULL);
	if (!filtered(several[b].nr, 0))
		_exit(78);
	fds = calls_fds();
	for (int i = shared->step; i < ncalls; i++) {
		shared->step = i;
		if (!has(&calls[i]) || !(calls[i].flags & SAFE) || calls[i].flags & EXEC)
			continue;
		for (size_t e = 0; e < sizeof some / sizeof *some; e++)
			for (int n = 1; n < 12; n++) {
				int r, now, left;

				nth_left = n;
				nth_error = some[e];
				r = calls[i].run(&at);
				left = nth_left;
				nth_left = 0;
				snprintf(label, sizeof label, "%s#%d", several[b].name, n);
				if (r)
					say("INJECT", calls[i].name, label, error_name(some[e]), r);
				now = calls_fds();
				if (now != fds)
					say("LOST", calls[i].name, label, error_name(some[e]), now - fds > 0 ? now - fds : 1000 + fds - now);
				fds = now;
				if (left > 0)
					break; /* not that many */
			}
	}
	flush_out();
	_exit(0);
}

static int inject_nth(void)
{
	for (size_t b = 0; b < sizeof several / sizeof *several; b++)
		for (shared->step = 0; shared->step < ncalls; shared->step++) {
			int status;
			pid_t pid;

			fflush(stdout);
			pid = fork();
			if (pid == 0)
				injected_nth((int)b);
			status = wait_for(pid, 8000);
			if (status == 0)
				break;
			printf("%s %s %s#n any %d\n", status == 999 ? "HANG" : "CRASH", calls[shared->step].name, several[b].name, status);
			if (status == 78)
				return 1;
		}
	return 0;
}

/* -- on small stacks ------------------------------------------------------------------------------------------ */

static volatile int on_stack_call = -1;

static void on_stack(int sig)
{
	(void)sig;
	if (on_stack_call >= 0)
		make(on_stack_call, &in_handler);
}

/* How much of a painted signal stack call i needs, the kernel's frame among it. */
static long depth(unsigned char *low, size_t size, int i)
{
	size_t n = 0;

	on_stack_call = i;
	memset(low, 0xa5, size);
	raise(SIGUSR1);
	while (n < size && low[n] == 0xa5)
		n++;
	return (long)(size - n);
}

/* libjail.7, CAVEATS */
static long room_for(const struct call *c)
{
	return c->flags & EXEC ? 65536 : 8192;
}

static int stacks(void)
{
	enum { SIZE = 512 << 10 };
	unsigned char *low = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t ss = {.ss_sp = low, .ss_size = SIZE};
	struct sigaction sa = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};
	long frame, most = 0;
	int bad = 0, who = 0;

	in_handler = here('h');
	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	frame = depth(low, SIZE, -1);
	for (int i = 0; i < ncalls; i++) {
		long need = 0;

		if (!has(&calls[i]))
			continue;
		shared->now = i;
		/* a rename anywhere on the machine may make openat2(2) give up, and the walker has its turn: again */
		for (int tries = 0; tries < 5; tries++) {
			need = depth(low, SIZE, i);
			if (need - frame + 3072 <= room_for(&calls[i]))
				break;
		}
		if (getenv("DEPTH"))
			printf("# depth %s %ld\n", calls[i].name, need);
		if (!(calls[i].flags & SAFE) || !jailed)
			continue;
		if (need > most) {
			most = need;
			who = i;
		}
		/* the kernel's frame depends on the processor: what is documented is for 3 KiB of it */
		if (need - frame + 3072 > (getenv("WALK") && !(calls[i].flags & EXEC) ? 16384 : room_for(&calls[i])))
			bad |= printf("# %s needs %ld bytes of a signal stack\n", calls[i].name, need);
	}
	printf("# at most %ld, for %s; %ld are the kernel's frame\n", most, calls[who].name, frame);
	return bad;
}

static void *all_once(void *arg)
{
	struct thread *t = arg;

	for (int i = 0; i < ncalls; i++)
		if (has(&calls[i]) && (calls[i].flags & t->needs) == t->needs && !(calls[i].flags & t->not)) {
			shared->now = i;
			make(i, &t->at);
		}
	return NULL;
}

static int thread_of(size_t size, unsigned long needs, unsigned long not)
{
	struct thread t = {.at = here('t'), .needs = needs, .not = not};
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, size) || pthread_create(&t.id, &attr, all_once, &t))
		return 1;
	pthread_join(t.id, NULL);
	return 0;
}

static int thread_small(void)
{
	return thread_of(getenv("WALK") ? 24576 : 16384, SAFE, EXEC) || thread_of(98304, 0, DLOCK);
}

/* -- the rows ------------------------------------------------------------------------------------------------- */

static const struct context {
	const char *word, *why;
	int (*run)(void);
} contexts[] = {
	{"plain", "as ever", plainly},
	{"ctor", "in constructors before and after libjail's", constructors},
	{"dlopen", "from an object opened RTLD_LOCAL", opened_local},
	{"dlopen", "from an object opened RTLD_LAZY", opened_lazy},
#ifdef __GLIBC__
	{"deep", "from an object opened RTLD_DEEPBIND", opened_deep},
	{"apart", "from an object in a name space of its own", opened_apart},
#endif
	{"signal", "what is safe, in a handler that interrupts anything", storm_safe},
	{"signal", "anything, in a handler that interrupts what is safe", storm_all},
#ifdef __x86_64__
	{"step", "what is safe, between any two instructions", step},
#endif
	{"fork", "in a forked child of threads", forked},
	{"vfork", "in a vfork child", in_vfork},
	{"threads", "from 16 threads while another changes the root", threads},
	{"stacks", "on a signal stack of the documented size", stacks},
	{"small", "in a thread with a small stack", thread_small},
	{"inject", "with errors from below", inject},
	{"nth", "with an error from below, late", inject_nth},
};

static bool libjail(void)
{
	static char text[65536];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t n = 0;
	long r;

	while (fd >= 0 && n < sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)r;
	close(fd);
	return strstr(text, "/libjail.so") != NULL;
}

int main(int argc, char **argv)
{
	const char *without;
	int n = 0, failed = 0;

	/* glibc itself forgets the environment where a library is -z initfirst */
	if (!getenv("PATH"))
		for (char **kernels = argv + argc + 1; *kernels; kernels++)
			putenv(*kernels);

	calls = calls_all(&ncalls);
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (int i = 0; i < ncalls; i++)
			puts(calls[i].name);
		return 0;
	}
	if (argc < 3)
		return 2;
	guest_dir = argv[1];
	host_dir = argv[2];
	without = getenv("WITHOUT");
	jailed = libjail();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (chdir(guest_dir) < 0 || ncalls > 512) {
		printf("not ok 1 - %s: errno %d\n", guest_dir, errno);
		return 1;
	}
	for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
		const struct context *c = &contexts[i];
		int status, bad = 0, seen = 0;
		long begin = now_ms();
		pid_t pid;

		if (argc > 3 ? !named(c->word, (const char *const *)argv + 3)
			     : strcmp(c->word, "inject") == 0 || strcmp(c->word, "nth") == 0)
			continue;
		if (without && strcmp(c->word, without) == 0)
			continue;
		memset(shared, 0, sizeof *shared);
		shared->now = -1;
		pid = fork();
		if (pid == 0) {
			setpgid(0, 0);
			status = c->run();
			fflush(stdout);
			_exit(status == -77 ? 77 : status != 0);
		}
		status = wait_for(pid, strcmp(c->word, "inject") == 0 ? 120000 : 30000);
		kill(-pid, SIGKILL);
		if (status == 77) {
			printf("ok %d - %s # SKIP not here\n", ++n, c->why);
			continue;
		}
		if (status)
			printf("# in %s: status %d after %ld ms\n", shared->now >= 0 ? calls[shared->now].name : c->word, status,
				now_ms() - begin);
		for (int k = 0; k < ncalls; k++) {
			if (shared->bad[k]) {
				bad++;
				printf("# %s: %s %d\n", calls[k].name, shared->bad[k] < 0 ? "errno" : "calls.c, line",
					shared->bad[k] < 0 ? -shared->bad[k] : shared->bad[k]);
			}
			seen += shared->seen[k] > 0;
		}
		if (getenv("TIMES"))
			printf("# %ld ms\n", now_ms() - begin);
		bad |= status;
		printf("%sok %d - %s%s%.0d\n", bad ? "not " : "", ++n, c->why, seen ? ": functions, " : "", seen);
		failed |= bad;
	}
	printf("1..%d\n", n);
	return failed != 0;
}
