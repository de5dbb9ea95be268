/* SPDX-License-Identifier: ISC
 *
 * Descriptors made, closed and handed on in every way that a wrapper knows, for records.sh, which
 * looks at what is reported.  Prints a line "NUMBER CLASS CALL" for each that is open when it asks for a
 * snapshot (signal 63). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <mntent.h>
#include <mqueue.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
int kqueue(void) __attribute__((weak)); /* of the library that one build is linked with */
int kqueue1(int) __attribute__((weak));

static int made(int fd, const char *class, const char *call)
{
	if (fd >= 0)
		printf("%d %s %s\n", fd, class, call);
	else
		printf("# %s: %s\n", call, strerror(errno));
	return fd;
}

static int passed(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int sv[2], got = -1;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0 || sendmsg(sv[0], &m, 0) != 1)
		return -1;
	if (recvmsg(sv[1], &m, 0) == 1 && (c = CMSG_FIRSTHDR(&m)))
		memcpy(&got, CMSG_DATA(c), sizeof got);
	close(sv[0]);
	close(sv[1]);
	return got;
}

/* Everything, open at once; then each closed as it should be: nothing may be left in the records. */
static void all(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t n = sizeof un;
	char name[] = "/tmp/records-XXXXXX", queue[40];
	char *paths[] = {(char[]){"/tmp"}, NULL};
	FILE *f, *again, *adopted, *temp, *pipe_to, *mounts;
	DIR *d, *d2;
	FTS *walk;
	sigset_t set;
	int p[2], first, l, c;

	sigemptyset(&set);
	first = made(open("/dev/null", O_RDONLY), "open", "open");
	made(openat(AT_FDCWD, "/", O_RDONLY), "open", "openat");
	made(creat("/dev/null", 0600), "open", "creat");
	made((int)syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY), "open", "syscall");
	made(dup(first), "dup", "dup");
	made(fcntl(first, F_DUPFD, 40), "dup", "fcntl");
	made(fcntl(first, F_DUPFD_CLOEXEC, 40), "dup", "fcntl");
	made(dup2(first, 60), "dup", "dup2");
	made(dup3(first, 61, O_CLOEXEC), "dup", "dup3");
	if (pipe(p) == 0) {
		made(p[0], "pipe", "pipe");
		made(p[1], "pipe", "pipe");
	}
	if (pipe2(p, O_CLOEXEC) == 0)
		made(p[1], "pipe", "pipe2");
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, p) == 0)
		made(p[1], "pair", "socketpair");
	l = made(socket(AF_UNIX, SOCK_STREAM, 0), "socket", "socket");
	c = made(socket(AF_UNIX, SOCK_STREAM, 0), "socket", "socket");
	bind(l, (struct sockaddr *)&un, sizeof(sa_family_t));
	listen(l, 2);
	getsockname(l, (struct sockaddr *)&un, &n);
	connect(c, (struct sockaddr *)&un, n);
	made(accept(l, NULL, NULL), "accept", "accept");
	c = made(socket(AF_UNIX, SOCK_STREAM, 0), "socket", "socket");
	connect(c, (struct sockaddr *)&un, n);
	made(accept4(l, NULL, NULL, SOCK_NONBLOCK), "accept", "accept4");
	made(passed(0), "recv", "recvmsg");
	made(epoll_create(1), "event", "epoll_create");
	made(epoll_create1(EPOLL_CLOEXEC), "event", "epoll_create1");
	made(eventfd(0, 0), "event", "eventfd");
	made(timerfd_create(CLOCK_MONOTONIC, 0), "event", "timerfd_create");
	made(signalfd(-1, &set, 0), "event", "signalfd");
	made(inotify_init(), "event", "inotify_init");
	made(inotify_init1(0), "event", "inotify_init1");
	made(memfd_create("x", 0), "memory", "memfd_create");
	made((int)syscall(434, getpid(), 0), "event", "syscall");
	made(posix_openpt(O_RDWR | O_NOCTTY), "pty", "posix_openpt");
	if (openpty(&p[0], &p[1], NULL, NULL, NULL) == 0) {
		made(p[0], "pty", "openpty");
		made(p[1], "pty", "openpty");
	}
	made(mkstemp(name), "stream", "mkstemp");
	unlink(name);
	snprintf(queue, sizeof queue, "/records-%d", (int)getpid());
	made(mq_open(queue, O_CREAT | O_RDONLY, 0600, NULL), "open", "mq_open");
	mq_unlink(queue);
	made(shm_open(queue, O_CREAT | O_RDWR, 0600), "memory", "shm_open");
	shm_unlink(queue);

	/* what has an owner; adopted: made by open, and a stream's from then on */
	f = fopen("/dev/null", "r");
	made(fileno(f), "stream", "fopen");
	again = freopen("/dev/null", "r", fopen("/", "r"));
	made(fileno(again), "stream", "freopen");
	adopted = fdopen(made(open("/dev/null", O_RDONLY), "open", "open"), "r");
	temp = tmpfile();
	made(fileno(temp), "stream", "tmpfile");
	pipe_to = popen("cat", "w");
	made(fileno(pipe_to), "stream", "popen");
	mounts = setmntent("/proc/mounts", "r");
	made(fileno(mounts), "stream", "setmntent");
	d = opendir("/");
	made(dirfd(d), "open", "opendir");
	d2 = fdopendir(made(open("/", O_RDONLY), "open", "open"));
	walk = fts_open(paths, FTS_PHYSICAL, NULL);
	made(walk->fts_rfd, "open", "fts_open");

	fflush(stdout);
	raise(63);

	fclose(f);
	fclose(again);
	fclose(adopted);
	fclose(temp);
	pclose(pipe_to);
	endmntent(mounts);
	closedir(d);
	closedir(d2);
	fts_close(walk);
	close(first);
	syscall(436, first + 1, ~0u, 0); /* close_range */
	exit(0);
}

/* What a child that borrows our memory does with its descriptors is no news of ours. */
static int child(void *arg)
{
	int *fds = arg;

	close(fds[0]);
	dup2(0, fds[1]);
	fcntl(fds[2], F_SETFD, FD_CLOEXEC);
	close(open("/dev/null", O_RDONLY));
	dup(0);
	socket(AF_UNIX, SOCK_STREAM, 0);
	syscall(436, fds[3], ~0u, 0); /* close_range */
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

static void children(void)
{
	static char stack[1 << 17];
	posix_spawn_file_actions_t fa;
	char *argv[] = {(char[]){"true"}, NULL};
	int fds[5];
	pid_t pid;

	for (int i = 0; i < 5; i++)
		fds[i] = made(open("/dev/null", O_RDONLY), "open", "open");
	if (vfork() == 0)
		child(fds);
	clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, fds);
	clone(child, stack + sizeof stack, SIGCHLD, fds);
	if (fork() == 0)
		child(fds);
	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
		child(fds);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addclose(&fa, fds[0]);
	posix_spawn_file_actions_adddup2(&fa, 0, fds[1]);
	posix_spawn_file_actions_addopen(&fa, fds[2], "/", O_RDONLY, 0);
	posix_spawn(&pid, "/bin/true", &fa, NULL, argv, environ);
#ifdef __GLIBC__
	posix_spawn_file_actions_addclosefrom_np(&fa, fds[3]);
#endif
	posix_spawn(&pid, "/bin/true", &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	(void)!system("exec 3<&-");
	pclose(popen("true", "r"));
	while (wait(NULL) > 0)
		;
	fflush(stdout);
	raise(63);
	for (int i = 0; i < 5; i++)
		close(fds[i]);
	exit(0);
}

/* Each a mistake but the last, which are none. */
static void mistakes(void)
{
	FILE *f = fopen("/dev/null", "r");
	DIR *d = opendir("/");
	int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 70);

	close(fd);
	close(fd);	  /* double */
	close(77);	  /* not-open */
	close(fileno(f)); /* stream */
	close(dirfd(d));  /* directory */
	close(high);
	f = fopen("/dev/null", "r");
	fclose(f);
	d = opendir("/");
	closedir(d);
	close(-1);
	exit(0);
}

/* One of libjail's own: the highest number that is open. */
static void internal(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	int fd = -1;

	while (d && (e = readdir(d)))
		if (atoi(e->d_name) > fd && atoi(e->d_name) < 250)
			fd = atoi(e->d_name);
	closedir(d);
	if (close(fd) != -1 || errno != EBADF)
		exit(1);
	exit(access("/", F_OK) != 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int status = argc > 2 ? atoi(argv[2]) : 0;

	setvbuf(stdout, NULL, _IOFBF, 65536);
	if (strcmp(what, "all") == 0)
		all();
	else if (strcmp(what, "children") == 0)
		children();
	else if (strcmp(what, "mistakes") == 0)
		mistakes();
	else if (strcmp(what, "internal") == 0)
		internal();
	else if (strcmp(what, "_exit") == 0)
		_exit(status);
	else if (strcmp(what, "_Exit") == 0)
		_Exit(status);
	else if (strcmp(what, "quick_exit") == 0)
		quick_exit(status);
	else if (strcmp(what, "exit_group") == 0)
		syscall(SYS_exit_group, status);
	else if (strcmp(what, "kqueue") == 0) {
		int q = kqueue ? kqueue() : -1, q1 = kqueue1 ? kqueue1(0) : -1;

		made(q, "event", "kqueue");
		made(q1, "event", "kqueue1");
		printf("flags %d %d\n", fcntl(q, F_GETFD), fcntl(q1, F_GETFD));
		fflush(stdout);
		raise(63);
	}
	return status;
}
