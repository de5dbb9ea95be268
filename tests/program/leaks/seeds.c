/* SPDX-License-Identifier: ISC
 *
 * Leaks to be found, one by each way that C has to make a descriptor: "seeds NAME..." makes one by the
 * line that says "LEAK NAME", for each, and executes another program.  With -DFIXED it is the same program without
 * the leak. */
#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int sink; /* what a call returned is used, so that no call is the last thing done */

/* fd is close-on-exec where this is the program without leaks */
static int kept(int fd)
{
	if (fd < 0)
		err(2, "nothing was made");
#ifdef FIXED
	fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
	return sink = fd;
}

#define SEED(name) static __attribute__((noinline)) int leak_##name(void)

SEED(open)
{
	return kept(open("/etc/passwd", O_RDONLY)); /* LEAK open */
}
SEED(openat)
{
	return kept(openat(AT_FDCWD, "/etc/passwd", O_RDONLY)); /* LEAK openat */
}
SEED(fopen)
{
	return kept(fileno(fopen("/etc/passwd", "r"))); /* LEAK fopen */
}
SEED(mkstemp)
{
	char name[] = "./seed.XXXXXX";
	int fd = kept(mkstemp(name)); /* LEAK mkstemp */

	unlink(name);
	return fd;
}
SEED(tmpfile)
{
	return kept(fileno(tmpfile())); /* LEAK tmpfile */
}
SEED(pipe)
{
	int p[2];

	sink = pipe(p); /* LEAK pipe */
	close(p[0]);
	return kept(p[1]);
}
SEED(dup)
{
	return kept(dup(0)); /* LEAK dup */
}
SEED(dupfd)
{
	return kept(fcntl(0, F_DUPFD, 20)); /* LEAK dupfd */
}
SEED(socket)
{
	return kept(socket(AF_UNIX, SOCK_STREAM, 0)); /* LEAK socket */
}
SEED(socketpair)
{
	int p[2];

	sink = socketpair(AF_UNIX, SOCK_STREAM, 0, p); /* LEAK socketpair */
	close(p[0]);
	return kept(p[1]);
}
SEED(accept)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t n = sizeof a;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* a name that the kernel chooses */
	if (bind(listener, (void *)&a, sizeof a.sun_family) || listen(listener, 1) ||
		getsockname(listener, (void *)&a, &n) || connect(client, (void *)&a, n))
		err(2, "a listener");
	sink = accept(listener, NULL, NULL); /* LEAK accept */
	close(listener);
	return kept(sink);
}
SEED(epoll)
{
	return kept(epoll_create(1)); /* LEAK epoll */
}
SEED(eventfd)
{
	return kept(eventfd(0, 0)); /* LEAK eventfd */
}
SEED(timerfd)
{
	return kept(timerfd_create(CLOCK_MONOTONIC, 0)); /* LEAK timerfd */
}
SEED(signalfd)
{
	sigset_t s;

	sigemptyset(&s);
	return kept(signalfd(-1, &s, 0)); /* LEAK signalfd */
}
SEED(inotify)
{
	return kept(inotify_init()); /* LEAK inotify */
}
SEED(memfd)
{
	return kept(memfd_create("seed", 0)); /* LEAK memfd */
}
SEED(posix_openpt)
{
	return kept(posix_openpt(O_RDWR | O_NOCTTY)); /* LEAK posix_openpt */
}
SEED(openpty)
{
	int a, b;

	sink = openpty(&a, &b, NULL, NULL, NULL); /* LEAK openpty */
	close(b);
	return kept(a);
}
SEED(popen)
{
	return kept(fileno(popen("sleep 0.2", "r"))); /* LEAK popen */
}
SEED(syscall)
{
	return kept((int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0)); /* LEAK syscall */
}
/* the plugin says "LEAK plugin", in plugin.c */
static int by_plugin(int gone)
{
	void *plugin = dlopen("./plugin.so", RTLD_NOW | RTLD_LOCAL);
	int (*leak)(void), fd;

	if (!plugin || !(*(void **)&leak = dlsym(plugin, "plugin_leak")))
		errx(2, "%s", dlerror());
	fd = leak();
	if (gone)
		dlclose(plugin);
	return fd;
}
SEED(plugin)
{
	return by_plugin(0);
}
SEED(unloaded)
{
	return by_plugin(1);
}
/* the library that is linked to the program has done it already */
SEED(constructor)
{
	return 0;
}

static const struct seed {
	const char *name;
	int (*leak)(void);
} seeds[] = {
#define S(name) {#name, leak_##name}
	S(open), S(openat), S(fopen), S(mkstemp), S(tmpfile), S(pipe), S(dup), S(dupfd), S(socket),
	S(socketpair), S(accept), S(epoll), S(eventfd), S(timerfd), S(signalfd), S(inotify), S(memfd),
	S(posix_openpt), S(openpty), S(popen), S(syscall), S(plugin), S(unloaded), S(constructor),
};

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	for (int a = 1; a < argc; a++)
		for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
			if (strcmp(argv[a], seeds[i].name) == 0)
				seeds[i].leak();
	if (argc < 2) {
		for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
			puts(seeds[i].name);
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		execl("./has", "has", (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(2, "a child");
	return WEXITSTATUS(status);
}
