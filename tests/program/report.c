/* SPDX-License-Identifier: ISC
 *
 * Programs whose descriptors are to be reported on: what each word does is in its function. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int open_hosts(void)
{
	return open("/etc/hosts", O_RDONLY);
}

static int listening(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 3) != 0)
		exit(90);
	return fd;
}

static int run(char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 91;
}

/* closed FD CMD...: with nothing open but 0-2 and FD */
static int do_closed(char **argv)
{
	for (int i = 3; i < 1024; i++)
		if (i != atoi(argv[0]))
			close(i);
	execvp(argv[1], argv + 1);
	return 127;
}

/* leak CMD...: in a child, with /etc/hosts, a listening socket, three pipes and a stream open */
static int do_leak(char **argv)
{
	int p[2];

	open_hosts();
	listening();
	for (int i = 0; i < 3; i++)
		if (pipe(p) != 0)
			return 92;
	if (!fopen("/etc/passwd", "r"))
		return 93;
	return run(argv);
}

/* clean CMD...: the same, asked to be closed, and closed */
static int do_clean(char **argv)
{
	int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC), p[2], r;
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *f = fopen("/etc/passwd", "re");
	DIR *d = opendir("/");

	if (pipe2(p, O_CLOEXEC) != 0)
		return 92;
	r = run(argv);
	close(fd);
	close(s);
	close(p[0]);
	close(p[1]);
	fclose(f);
	closedir(d);
	return r;
}

/* inplace CMD...: opens /etc/hosts and executes the command in its place */
static int do_inplace(char **argv)
{
	fcntl(open_hosts(), F_SETFD, 0);
	execvp(argv[0], argv);
	return 127;
}

/* spawn CMD...: posix_spawn, one of two descriptors closed by an action */
static int do_spawn(char **argv)
{
	posix_spawn_file_actions_t a;
	int fd = open_hosts(), status;
	pid_t pid;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addclose(&a, fd);
	listening();
	if (posix_spawnp(&pid, argv[0], &a, NULL, argv, environ) != 0)
		return 94;
	waitpid(pid, &status, 0);
	close(fd);
	return WEXITSTATUS(status);
}

/* vfork CMD...: likewise */
static int do_vfork(char **argv)
{
	int fd = open_hosts(), status;
	pid_t pid;

	listening();
	pid = vfork();
	if (pid == 0) {
		close(fd);
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	close(fd);
	return WEXITSTATUS(status);
}

/* fork: a child with a descriptor of its own, and one of its parent's */
static int do_fork(char **argv)
{
	pid_t pid;

	(void)argv;
	open_hosts();
	pid = fork();
	if (pid == 0) {
		open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		exit(3);
	}
	waitpid(pid, NULL, 0);
	pid = fork();
	if (pid == 0)
		_exit(4); /* with nothing to say */
	waitpid(pid, NULL, 0);
	return 0;
}

static void close_it(int fd)
{
	close(fd);
}

static void close_again(int fd)
{
	close(fd);
}

/* bad: every kind of bad close */
static int do_bad(char **argv)
{
	int fd = open_hosts(), other;
	FILE *f = fopen("/etc/passwd", "r");
	DIR *d = opendir("/");

	(void)argv;
	close_it(fd);
	close_again(fd);
	other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(other);
	close(777);
	other = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(other);
	close(fileno(f));
	close(dirfd(d));
	close(-1); /* is meant */
	return 0;
}

/* sweep: closes every number there is, as daemons do */
static int do_sweep(char **argv)
{
	(void)argv;
	for (int i = 0; i < 6; i++)
		close(open("/dev/null", O_RDONLY | O_CLOEXEC));
	for (int i = 3; i < 1024; i++)
		close(i);
	for (int i = 1023; i > 2; i--)
		close(i);
	return 0;
}

/* full: EMFILE, 2000 times */
static int do_full(char **argv)
{
	struct rlimit lim = {60, 60};

	(void)argv;
	open_hosts();
	listening();
	setrlimit(RLIMIT_NOFILE, &lim);
	for (int i = 0; i < 2000; i++)
		if (dup(1) < 0 && errno != EMFILE)
			return 95;
	sleep(1);
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EMFILE)
		return 96;
	return 0;
}

/* snapshot SIGNAL: sends itself the signal while it reads from a pipe: EINTR must not show */
static int do_snapshot(char **argv)
{
	int p[2];
	char c;

	open_hosts();
	if (pipe2(p, O_CLOEXEC) != 0)
		return 92;
	if (fork() == 0) {
		usleep(200000);
		kill(getppid(), atoi(argv[0]));
		usleep(200000);
		if (write(p[1], "x", 1) != 1)
			_exit(1);
		_exit(0);
	}
	errno = 77;
	if (read(p[0], &c, 1) != 1 || errno != 77)
		return 97;
	wait(NULL);
	return 0;
}

/* handler: the whole table from within a handler on a small stack, while it opens and closes */
static void handler(int sig)
{
	(void)sig;
	close(open("/dev/null", O_RDONLY));
	close(open("/dev/null", O_RDONLY));
}

static int do_handler(char **argv)
{
	static char room[32768];
	stack_t st = {.ss_sp = room, .ss_size = sizeof room};
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
	pid_t me = getpid();

	(void)argv;
	sigaltstack(&st, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	if (fork() == 0) {
		for (int i = 0; i < 300; i++) {
			kill(me, i % 3 ? SIGUSR1 : SIGUSR2);
			usleep(500);
		}
		_exit(0);
	}
	while (waitpid(-1, NULL, WNOHANG) == 0)
		close(open("/etc/hosts", O_RDONLY));
	return 0;
}

/* demote FILE CMD...: FILE is made unreadable and the identity given up, then CMD */
static int do_demote(char **argv)
{
	if (chmod(argv[0], 0600) != 0 || setgid(12345) != 0 || setuid(12345) != 0)
		return 98;
	execvp(argv[1], argv + 1);
	return 127;
}

/* many N: N leaks in N children, as fast as it goes */
static int do_many(char **argv)
{
	for (int i = atoi(argv[0]); i; i--) {
		open_hosts();
		run((char *[]){"true", NULL});
	}
	return 0;
}

/* steal N: closes every high number past every wrapper, and opens its own file there */
static int do_steal(char **argv)
{
	int fd = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	for (int i = 20; i < 1024; i++)
		if (fcntl(i, F_GETFD) < 0) {
			long r;
#if defined(__x86_64__)
			__asm__ volatile("syscall" : "=a"(r) : "a"(33L), "D"((long)fd), "S"((long)i) : "rcx", "r11", "memory");
#else
			r = -1;
#endif
			(void)r;
		}
	close_it(fd);
	close_again(fd);
	return 0;
}

/* -- where events go, gone while eight threads have something to say -- */

enum { SAYERS = 8, TIMES = 60 };
static pthread_barrier_t together;
static const char *place;
static int collector = -1, most; /* descriptors on the place at a time */

/* Of each call site only some bad closes are told. */
#define SITE(n) static __attribute__((noinline)) void site##n(int fd) { close(fd); __asm__ volatile("" : : : "memory"); }
#define SITES(n) SITE(n##0) SITE(n##1) SITE(n##2) SITE(n##3) SITE(n##4) SITE(n##5) SITE(n##6) SITE(n##7)
SITES(1) SITES(2) SITES(3) SITES(4)
#define NAMES(n) site##n##0, site##n##1, site##n##2, site##n##3, site##n##4, site##n##5, site##n##6, site##n##7
static void (*const sites[])(int) = {NAMES(1), NAMES(2), NAMES(3), NAMES(4)};

/* The collector ends, and another one begins. */
static void collect_again(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	snprintf(un.sun_path, sizeof un.sun_path, "%s", place);
	unlink(place);
	close(collector);
	collector = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(collector, (struct sockaddr *)&un, sizeof un) != 0)
		exit(96);
}

/* How many descriptors are open, and how many of them on the place; past every wrapper: closes them. */
static int opened(int *ret_there, bool closes)
{
	char name[40], path[4096];
	int n = 0;

	*ret_there = 0;
	for (int fd = 0; fd < 1024; fd++) {
		ssize_t len;

		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		len = readlink(name, path, sizeof path - 1);
		n += len > 0;
		path[len > 0 ? len : 0] = '\0';
		if (strcmp(path, place) != 0)
			continue;
		++*ret_there;
#if defined(__x86_64__)
		long r = 3;

		if (closes)
			__asm__ volatile("syscall" : "+a"(r) : "D"((long)fd) : "rcx", "r11", "memory");
#endif
	}
	return n;
}

static void *says(void *arg)
{
	const int mine = (int)(long)arg, fd = 100 + mine;
	int there;

	for (int i = 0; i < TIMES; i++) {
		if (mine == 0 && collector >= 0)
			collect_again();
		else if (mine == 0)
			opened(&there, true), most = there > most ? there : most;
		pthread_barrier_wait(&together);
		dup2(0, fd);
		close(fd);
		sites[(i * SAYERS + mine) % (int)(sizeof sites / sizeof *sites)](fd);
		pthread_barrier_wait(&together);
	}
	return NULL;
}

/* lost WHERE: a file, and then none has more than one descriptor on it; or unix:PATH, to be executed twice, with the
 * library for the second time */
static int do_lost(char **argv)
{
	const char *path = strncmp(argv[0], "unix:", 5) == 0 ? argv[0] + 5 : NULL;
	pthread_t t[SAYERS];
	int before, after, there;

	enum { FIRST = 50 }; /* the collector that is there when the report begins */

	place = path ? path : argv[0];
	collector = path ? FIRST : -1;
	if (argv[1]) {
		collect_again();
		dup2(collector, FIRST);
		setenv("LD_PRELOAD", argv[1], 1);
		setenv("LIBJAIL_REPORT", argv[0], 1);
		execl("/proc/self/exe", "r", "lost", argv[0], (char *)NULL);
		return 97;
	}
	before = opened(&there, false);
	pthread_barrier_init(&together, NULL, SAYERS);
	for (long i = 0; i < SAYERS; i++)
		if (pthread_create(&t[i], NULL, says, (void *)i) != 0)
			return 98;
	for (int i = 0; i < SAYERS; i++)
		pthread_join(t[i], NULL);
	after = opened(&there, false);
	if (after != before || most > 1)
		printf("%d descriptors before, %d after, %d for events\n", before, after, most);
	return after != before || most > 1;
}

/* keep CMD...: /etc/hosts open in a child whose arguments may mention it; its number is 3 */
static int do_keep(char **argv)
{
	open_hosts();
	return run(argv);
}

/* meant CMD...: onto 5, which is for the command */
static int do_meant(char **argv)
{
	int fd = open("/etc/hosts", O_RDONLY | O_CLOEXEC);

	dup2(fd, 5);
	return run(argv);
}

/* strange CMD...: many arguments of many bytes that are spelt long */
static int do_strange(char **argv)
{
	static char text[9][400];
	char *args[10] = {argv[0]};

	for (int i = 1; i < 9; i++) {
		memset(text[i], i % 2 ? '\001' : '\377', sizeof text[i] - 1);
		args[i] = text[i];
	}
	open_hosts();
	return run(args);
}

/* reap CMD...: ends when the command and all that it left behind have ended */
static int do_reap(char **argv)
{
	int status;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	status = run(argv);
	while (wait(NULL) > 0)
		;
	return status;
}

/* A moment in which a parent ends. */
static void moment(void)
{
	usleep(300 * 1000);
}

/* daemon HOW...: two files, and what daemons do: "once", "twice" (fork), "tidy" (closes both),
 * "half" (closes one), "quick" (closes all before its parent ends), "helper" (is another
 * program, that has one of them), "late" (a worker that had neither) */
static int do_daemon(char **argv)
{
	const char *how = argv[0], *then = argv[1];
	int fd = open_hosts(), other = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (strcmp(how, "once") == 0) {
		if (daemon(1, 1) != 0)
			return 91;
	} else if (strcmp(how, "twice") == 0) {
		pid = fork();
		if (pid > 0) {
			waitpid(pid, NULL, 0);
			_exit(0);
		}
		setsid();
		if (fork() > 0)
			_exit(0);
	} else if (strcmp(how, "quick") == 0) {
		if (fork() > 0) {
			moment();
			_exit(0);
		}
	} else if (strcmp(how, "helper") == 0) {
		if (fork() > 0) {
			moment();
			return 0;
		}
		execlp("sleep", "sleep", "1", NULL);
		_exit(127);
	} else if (strcmp(how, "late") == 0) {
		close(fd);
		close(other);
		if (fork() > 0) {
			open_hosts();
			return 0;
		}
		moment();
		return 0;
	}
	if (strcmp(then, "quick") == 0)
		close(fd), close(other);
	moment();
	if (strcmp(then, "tidy") == 0)
		close(fd), close(other);
	else if (strcmp(then, "half") == 0)
		close(fd);
	moment();
	return 0;
}

/* Executes it; what the kernel refuses is no failure. */
static int do_execs(char **argv)
{
	execv(argv[0], argv);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *word;
		int (*f)(char **);
	} all[] = {{"closed", do_closed}, {"leak", do_leak}, {"clean", do_clean}, {"inplace", do_inplace}, {"spawn", do_spawn},
		{"vfork", do_vfork}, {"fork", do_fork}, {"bad", do_bad}, {"sweep", do_sweep},
		{"full", do_full}, {"snapshot", do_snapshot}, {"handler", do_handler},
		{"demote", do_demote}, {"many", do_many}, {"steal", do_steal}, {"keep", do_keep},
		{"meant", do_meant}, {"strange", do_strange}, {"reap", do_reap}, {"daemon", do_daemon}, {"lost", do_lost},
		{"execs", do_execs}};

	for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
		if (strcmp(argv[1], all[i].word) == 0)
			return all[i].f(argv + 2);
	return 99;
}
