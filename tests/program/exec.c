/* SPDX-License-Identifier: ISC
 *
 * What an exec says and leaves behind, for exec.sh, which compares it with the kernel's answer:
 *   exec many HOW PROGRAM STACK_KIB COUNT LENGTH   executes PROGRAM from a thread with such a stack, with COUNT
 *                           arguments of LENGTH bytes; HOW: execv vfork execvp execvpe execl execle execlp spawn fexecve
 *   exec again ROUNDS       failing and working execs by vfork, from several threads: does this process grow?
 *   exec together ROUNDS    more threads than libjail has room for at first, each with a child of vfork that runs on
 *   exec inherits ROUNDS fails|works PROGRAM COPY   one thread executes PROGRAM with a descriptor, another makes
 *                           children that look whether they have it: by a copy of this program, which is given nothing
 *   exec keeps              a lock of fcntl(2) across the exec of a process that has threads
 *   exec pends              a blocked signal that waits for the thread which executes, in a process that has others
 *   exec filtered           the same process, when its filter kills whoever makes a thread or changes its table
 *   exec batch              a policy that a new thread does not get
 *   exec differ             as another real user than the effective one
 *   exec list               says which descriptors but 0 to 2 it has
 *   exec elf SEED COUNT     this program with a changed ELF header, interpreter and more: errno of each exec
 *   exec script SEED COUNT  #! lines: errno, or what the interpreter gets
 *   exec print ARG...       says its arguments */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char *self, *copy; /* absolute */

static void die(const char *what)
{
	perror(what);
	exit(3);
}

static const char *name_of(int error)
{
	static char text[20];

	switch (error) {
	case 0: return "0";
	case E2BIG: return "E2BIG";
	case EACCES: return "EACCES";
	case EINVAL: return "EINVAL";
	case EIO: return "EIO";
	case ELIBBAD: return "ELIBBAD";
	case ELOOP: return "ELOOP";
	case ENAMETOOLONG: return "ENAMETOOLONG";
	case ENOENT: return "ENOENT";
	case ENOEXEC: return "ENOEXEC";
	case ENOTDIR: return "ENOTDIR";
	}
	sprintf(text, "%d", error);
	return text;
}

static void show(int status)
{
	if (WIFSIGNALED(status))
		printf("signal %d\n", WTERMSIG(status));
	else
		printf("%s\n", WEXITSTATUS(status) ? name_of(WEXITSTATUS(status)) : "executed");
}

/* -- many arguments -------------------------------------------------------------------------- */

static char *how, *program, **args;

static void many_child(void)
{
	char *const file = strrchr(program, '/') + 1;

	if (strcmp(how, "execvp") == 0)
		execvp(program, args);
	else if (strcmp(how, "execvpe") == 0)
		execvpe(file, args, environ);
	else if (strcmp(how, "execl") == 0)
#define TEN(a) a, a, a, a, a, a, a, a, a, a
#define HUNDRED(a) TEN(a), TEN(a), TEN(a), TEN(a), TEN(a), TEN(a), TEN(a), TEN(a), TEN(a), TEN(a)
		execl(program, HUNDRED(args[1]), (char *)NULL);
	else if (strcmp(how, "execle") == 0)
		execle(program, HUNDRED(args[1]), (char *)NULL, environ);
	else if (strcmp(how, "execlp") == 0)
		execlp(program, HUNDRED(args[1]), (char *)NULL);
	else if (strcmp(how, "fexecve") == 0)
		fexecve(open(program, O_RDONLY), args, environ);
	else
		execv(program, args);
	_exit(errno);
}

static void *many_thread(void *arg)
{
	int status = 0, r;
	pid_t pid;

	(void)arg;
	if (strcmp(how, "spawn") == 0) {
		r = posix_spawn(&pid, program, NULL, NULL, args, environ);
		if (r) {
			printf("%s\n", name_of(r));
			return NULL;
		}
	} else {
		pid = strcmp(how, "vfork") == 0 ? vfork() : fork();
		if (pid == 0)
			many_child();
	}
	waitpid(pid, &status, 0);
	show(status);
	return NULL;
}

static void in_thread(size_t stack, void *(*main)(void *))
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, stack) != 0 || pthread_create(&t, &attr, main, NULL) != 0)
		die("thread");
	pthread_join(t, NULL);
}

static void many(char **argv)
{
	const size_t n = (size_t)atol(argv[5]), len = (size_t)atol(argv[6]);
	char *text = calloc(1, len + 1);

	how = argv[2];
	program = argv[3];
	args = calloc(n + 1, sizeof *args);
	memset(text, 'x', len);
	for (size_t i = 0; i < n; i++)
		args[i] = i ? text : "many";
	in_thread((size_t)atol(argv[4]) * 1024, many_thread);
}

/* -- memory ---------------------------------------------------------------------------------- */

static int rounds;

static size_t pages(void)
{
	unsigned long size = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%lu", &size) != 1)
		die("statm");
	fclose(f);
	return size;
}

static void *again_thread(void *arg)
{
	static char text[2000];

	memset(text, 'x', sizeof text - 1);
	for (volatile int i = 0; i < rounds; i++) {
		char *argv[] = {self, "print", i % 3 ? NULL : text, NULL};
		const pid_t pid = vfork();

		if (pid == 0) {
			if (i % 5 == 4)
				execv("/nonexistent", argv);
			execv(self, argv);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
	}
	return arg;
}

static void again(void)
{
	size_t before;

	rounds /= 4;
	for (int i = 0; i < 20; i++)
		in_thread(1 << 16, again_thread);
	before = pages();
	rounds *= 4;
	in_thread(1 << 16, again_thread);
	printf("grows by %s\n", pages() - before > 256 ? "more than 1 MiB" : "little");
}

static int ends[2];
static pthread_barrier_t all;

static void *together_thread(void *arg)
{
	char *argv[] = {self, "hold", NULL};
	pid_t pid;

	pthread_barrier_wait(&all);
	pid = vfork();

	if (pid == 0) {
		dup2(ends[0], 0);
		execv(self, argv);
		_exit(1);
	}
	*(pid_t *)arg = pid;
	return NULL;
}

/* Threads that come and go, as those of a server: the children of one round live at the same time. */
static void together(void)
{
	enum { THREADS = 40 };
	pthread_t threads[THREADS];
	pid_t pids[THREADS];
	pthread_attr_t attr;
	size_t before = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 16);
	pthread_barrier_init(&all, NULL, THREADS);
	for (int i = -2; i < rounds; i++) {
		if (i == 0)
			before = pages();
		if (pipe2(ends, O_CLOEXEC) < 0)
			die("pipe2");
		for (int t = 0; t < THREADS; t++)
			if (pthread_create(&threads[t], &attr, together_thread, &pids[t]) != 0)
				die("thread");
		for (int t = 0; t < THREADS; t++)
			pthread_join(threads[t], NULL);
		close(ends[0]);
		close(ends[1]);
		for (int t = 0; t < THREADS; t++)
			waitpid(pids[t], NULL, 0);
	}
	printf("grows by %s\n", pages() - before > 256 ? "more than 1 MiB" : "little");
}

/* -- what other children inherit ------------------------------------------------------------- */

static volatile bool stop;
static int heir_seen;

/* Is there any descriptor that nobody means to be here? */
static int extra(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return fd;
	return 0;
}

static void *inherits_thread(void *arg)
{
	(void)arg;
	while (!stop) {
		char *argv[] = {"copy", "list", NULL};
		const pid_t pid = fork();
		int status = 0;

		if (pid == 0) {
			execv(copy, argv);
			_exit(200);
		}
		waitpid(pid, &status, 0);
		if (status)
			heir_seen = status;
	}
	return NULL;
}

/* One process that fails, or many that succeed: the exec has so many arguments that it takes a while. */
static void inherits(bool fails)
{
	enum { MANY = 20000 };
	char named[40], **argv = calloc(MANY + 1, sizeof *argv);
	pthread_t t;
	int fd;

	for (fd = 3; fd < 1024; fd++)
		close(fd);
	fd = open("/", O_RDONLY); /* made close-on-exec by libjail, and named in the arguments */
	sprintf(named, "/dev/fd/%d", fd);
	for (int i = 0; i < MANY; i++)
		argv[i] = "x";
	argv[1] = "print";
	argv[2] = named;
	if (fails) {
		pthread_create(&t, NULL, inherits_thread, NULL);
		for (int i = 0; i < rounds; i++)
			if (execv(program, argv) == 0 || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
				heir_seen = 201;
		stop = true;
		pthread_join(t, NULL);
		if (heir_seen)
			printf("a child has status %x\n", (unsigned)heir_seen);
		return;
	}
	for (int i = 0; i < rounds; i++) {
		int ends[2], last;
		const pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;

		if (pid == 0) {
			const pid_t me = getpid();

			dup2(ends[1], 0);
			pthread_create(&t, NULL, inherits_thread, NULL);
			usleep(3000);
			execv(program, argv);
			kill(me, SIGKILL);
		}
		close(ends[1]);
		/* the children of that process end before the pipe does; theirs it is to tell */
		while (read(ends[0], &last, 1) > 0)
			heir_seen++;
		close(ends[0]);
		waitpid(pid, &last, 0);
	}
	if (heir_seen)
		printf("%d children have more than they should\n", heir_seen);
}

static void *nothing(void *arg)
{
	pause();
	return arg;
}

/* Takes a lock of fcntl(2), and executes a shell that asks a child whether it is still there. */
static void keeps(void)
{
	struct flock lock = {.l_type = F_WRLCK};
	char command[300];
	const int fd = open("locked", O_RDWR | O_CREAT, 0600);
	pthread_t t;

	if (dup2(fd, 5) != 5 || fcntl(5, F_SETLK, &lock) != 0)
		die("lock");
	pthread_create(&t, NULL, nothing, NULL);
	sprintf(command, "%s locked; exit $?", self);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	die("sh");
}

static int locked(void)
{
	struct flock lock = {.l_type = F_WRLCK};

	puts(fcntl(open("locked", O_RDWR), F_SETLK, &lock) == 0 ? "lost" : "kept");
	return 0;
}

/* -- changed files --------------------------------------------------------------------------- */

static uint64_t state;

static unsigned random_below(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

static char *file_read(const char *path, size_t *ret_size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st) != 0 || !(text = malloc((size_t)st.st_size)) ||
		read(fd, text, (size_t)st.st_size) != st.st_size)
		die(path);
	close(fd);
	*ret_size = (size_t)st.st_size;
	return text;
}

static void file_write(const char *path, const void *text, size_t n)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		die(path);
	close(fd);
}

/* The errno of an exec; 0 when there is a new program, which is killed. */
static int exec_error(const char *path)
{
	int ends[2], error = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		die("fork");
	if (pid == 0) {
		char *const argv[] = {"zero", "print", NULL};
		const int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execv(path, argv);
		error = errno;
		_exit(write(ends[1], &error, sizeof error) < 0);
	}
	close(ends[1]);
	if (read(ends[0], &error, sizeof error) < 0)
		die("read");
	close(ends[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return error;
}

static Elf64_Phdr *header_of(char *file, unsigned type)
{
	Elf64_Ehdr *e = (void *)file;
	Elf64_Phdr *ph = (void *)(file + e->e_phoff);

	for (unsigned i = 0; i < e->e_phnum; i++)
		if (ph[i].p_type == type)
			return &ph[i];
	die("header");
	return NULL;
}

static uint64_t odd_offset(uint64_t now, size_t size)
{
	const uint64_t odd[] = {0, 1, 64, now, now + 1, size - 1, size, size + 1, size - 60, 1 << 20, 0x7fffffffffffffff,
		0x7ffffffffffffff0, 0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffff000};

	return odd[random_below(sizeof odd / sizeof *odd)];
}

/* Changes one field that an exec reads before it lets go of the old program; says which.  Nothing else is changed: the
 * new program might do anything. */
static const char *change(char *file, size_t *size, bool loader)
{
	static const uint16_t sizes[] = {0, 1, 32, 55, 57, 64, 0xffff}, counts[] = {0, 1, 2, 100, 1169, 1170, 1171, 0xffff};
	static const uint16_t machines[] = {0, 2, 8, 21, 40, 183, 243, 0xffff};
	Elf64_Ehdr *e = (void *)file;
	Elf64_Phdr *interp = loader ? NULL : header_of(file, PT_INTERP);

	switch (random_below(loader ? 8 : 14)) {
	case 0:
		file[EI_CLASS] = (char)random_below(4);
		return "class";
	case 1:
		file[EI_DATA] = (char)random_below(4);
		return "data";
	case 2:
		file[random_below(4)] ^= (char)(1 + random_below(255));
		return "magic";
	case 3:
		e->e_machine = machines[random_below(sizeof machines / sizeof *machines)];
		return "machine";
	case 4:
		e->e_phentsize = sizes[random_below(sizeof sizes / sizeof *sizes)];
		return "phentsize";
	case 5:
		e->e_phnum = counts[random_below(loader ? 3 : sizeof counts / sizeof *counts)]; /* never what is no header of a loader */
		return "phnum";
	case 6:
		e->e_phoff = odd_offset(e->e_phoff, *size);
		return "phoff";
	case 7:
		*size = random_below(3) ? random_below(1200) : random_below((unsigned)*size);
		return "size";
	case 8:
		e->e_type = (uint16_t)random_below(5);
		return "type";
	case 9:
		interp->p_offset = odd_offset(interp->p_offset, *size);
		return "interp offset";
	case 10:
		interp->p_filesz = odd_offset(interp->p_filesz, random_below(2) ? 4096 : interp->p_filesz);
		return "interp size";
	case 11:
		file[interp->p_offset + random_below(2) * (interp->p_filesz - 1)] = (char)random_below(3);
		return "interp text";
	default: {
		static const char *const names[] = {"", "/", "nope", "/nope/x", "text", "script", "dir", "text/x", "plain", ".", "..",
			"short", "/dev/null", "fifo", "tiny", "loader", "loader"};
		char *text = file + interp->p_offset;

		interp->p_filesz = (size_t)snprintf(text, interp->p_filesz, "%s",
					   names[random_below(sizeof names / sizeof *names)]) + 1;
		return text[0] ? text : "interp empty";
	}
	}
}

static void elf(int count)
{
	size_t size, loader_size, n, ln;
	char *file = file_read(self, &size), *other = malloc(size + 64), *loader, *loader_copy;

	loader = file_read(file + header_of(file, PT_INTERP)->p_offset, &loader_size);
	loader_copy = malloc(loader_size + 64);
	file_write("text", "text\n", 5);
	file_write("plain", file, size);
	chmod("plain", 0644);
	file_write("short", file, 30);
	file_write("tiny", "#!/bin/sh\n", 10);
	file_write("script", "#!/bin/sh\n# the kernel reads as many bytes as an ELF header has\necho escaped\n", 77);
	mkdir("dir", 0755);
	mkfifo("fifo", 0755);
	for (int i = 0; i < count; i++) {
		const char *what, *also = "";

		memcpy(other, file, n = size);
		memcpy(loader_copy, loader, ln = loader_size);
		what = change(other, &n, false);
		if (strcmp(what, "loader") == 0)
			also = change(loader_copy, &ln, true);
		else if (random_below(4) == 0)
			also = change(other, &n, true);
		if (*what == 'l')
			file_write("loader", loader_copy, ln);
		file_write("changed", other, n);
		printf("%d %s %s: %s\n", i, what, also, name_of(exec_error("./changed")));
	}
	unlink("loader");
	unlink("changed");
	free(file);
	free(other);
	free(loader);
	free(loader_copy);
}

static void script(int count)
{
	static const char *const parts[] = {" ", "\t", " ", "\n", "\n", "a", "bc", "-x", "\r", "/", "#!", "nope"};

	for (int i = 0; i < count; i++) {
		char text[600] = "#!";
		size_t n = 2;
		int status;
		pid_t pid;

		if (random_below(8) == 0)
			n += random_below(300); /* NULs, or: */
		if (random_below(2))
			memset(text + 2, ' ', n - 2);
		if (random_below(4) == 0)
			text[n++] = random_below(2) ? ' ' : '\t';
		if (random_below(8))
			n += (size_t)sprintf(text + n, "%s", random_below(2) ? "./print" : self);
		for (unsigned k = random_below(6); k; k--)
			n += (size_t)sprintf(text + n, "%s", parts[random_below(sizeof parts / sizeof *parts)]);
		if (random_below(6) == 0)
			text[n++] = '\0';
		if (random_below(8) == 0) {
			memset(text + n, random_below(2) ? 'y' : ' ', 252);
			n = 250 + random_below(8);
		}
		if (random_below(2))
			text[n++] = '\n';
		file_write("changed", text, n);
		symlink(self, "print");
		printf("%d %zu:", i, n);
		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			char *const argv[] = {"zero", "print", NULL};

			execv("./changed", argv);
			printf(" %s\n", name_of(errno));
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, &status, 0);
	}
	unlink("changed");
	unlink("print");
}

/* -- what the new program keeps --------------------------------------------------------------- */

static void pends(void)
{
	sigset_t some;
	pthread_t t;

	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	sigprocmask(SIG_BLOCK, &some, NULL);
	pthread_create(&t, NULL, nothing, NULL);
	pthread_kill(pthread_self(), SIGUSR2);
	execl(self, self, "pending", (char *)NULL);
	die("exec");
}

static int pending(void)
{
	sigset_t some;

	sigpending(&some);
	printf("%s\n", sigismember(&some, SIGUSR2) ? "pending" : "lost");
	return 0;
}

static void filtered(void)
{
	static const unsigned killed[] = {SYS_clone, SYS_close_range, SYS_unshare};
	enum { KILLED = sizeof killed / sizeof *killed };
	struct sock_filter text[KILLED + 3] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	const struct sock_fprog filter = {KILLED + 3, text};
	pthread_t t;

	for (unsigned i = 0; i < KILLED; i++)
		text[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, killed[i], KILLED - i, 0);
	text[KILLED + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	text[KILLED + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	pthread_create(&t, NULL, nothing, NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
		die("seccomp");
	execl(self, self, "print", "executed", (char *)NULL);
	die("exec");
}

static void batch(void)
{
	static const struct sched_param none;
	pthread_t t;

	if (sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none) != 0)
		die("batch");
	pthread_create(&t, NULL, nothing, NULL);
	execl(self, self, "policy", (char *)NULL);
	die("exec");
}

static void differ(void)
{
	if (setresuid(1001, 0, 0) != 0)
		die("setresuid");
	execl(self, self, "print", "executed", (char *)NULL);
	printf("%d\n", errno);
}

/* As a script's interpreter it is called with any words. */
static int print(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf(" [%s]", argv[i]);
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	static char path[4096];
	const char *what = argc > 1 ? argv[1] : "";

	if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
		die("/proc/self/exe");
	self = path;
	state = argc > 2 ? (uint64_t)atol(argv[2]) * 2654435761u + 88172645463325252u : 1;
	rounds = argc > 2 ? atoi(argv[2]) : 0;
	if (strcmp(what, "many") == 0 && argc > 6) {
		many(argv);
	} else if (strcmp(what, "again") == 0) {
		again();
	} else if (strcmp(what, "inherits") == 0 && argc > 5) {
		program = argv[4];
		copy = argv[5];
		inherits(*argv[3] == 'f');
	} else if (strcmp(what, "list") == 0) {
		const int fd = extra();

		if (fd) {
			char link[40], target[200] = "";

			sprintf(link, "/proc/self/fd/%d", fd);
			(void)!readlink(link, target, sizeof target - 1);
			dprintf(2, "%d %s\n", fd, target);
			(void)!write(0, "!", 1); /* for inherits() */
		}
		return fd;
	} else if (strcmp(what, "keeps") == 0) {
		keeps();
	} else if (strcmp(what, "together") == 0) {
		together();
	} else if (strcmp(what, "hold") == 0) {
		return (int)read(0, path, 1);
	} else if (strcmp(what, "pends") == 0) {
		pends();
	} else if (strcmp(what, "pending") == 0) {
		return pending();
	} else if (strcmp(what, "filtered") == 0) {
		filtered();
	} else if (strcmp(what, "batch") == 0) {
		batch();
	} else if (strcmp(what, "policy") == 0) {
		printf("policy %#x\n", (unsigned)sched_getscheduler(0));
	} else if (strcmp(what, "differ") == 0) {
		differ();
	} else if (strcmp(what, "locked") == 0) {
		return locked();
	} else if (strcmp(what, "elf") == 0 && argc > 3) {
		elf(atoi(argv[3]));
	} else if (strcmp(what, "script") == 0 && argc > 3) {
		script(atoi(argv[3]));
	} else {
		return print(argc, argv);
	}
	return 0;
}
