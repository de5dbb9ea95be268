/* SPDX-License-Identifier: ISC
 *
 * For syslog.sh: one process that is both the log and who writes to it, so that nothing depends on
 * timing.  It prints what arrives, with the time as LOCAL or GMT and its process id as PID.
 *
 *   syslog dgram|stream CASE [DIR] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static int server = -1, peer = -1, type;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void down(void)
{
	close(server);
	if (peer >= 0)
		close(peer);
	server = peer = -1;
	unlink("/dev/log");
}

static void up(int t)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	down();
	type = t;
	server = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (server < 0 || bind(server, (struct sockaddr *)&un, sizeof un))
		die("/dev/log");
	if (type == SOCK_STREAM && listen(server, 5))
		die("listen");
	/* out of the way of the numbers that are looked at */
	peer = fcntl(server, F_DUPFD_CLOEXEC, 50);
	close(server);
	server = peer;
	peer = -1;
}

static const char *when(const char *stamp)
{
	for (int ago = 0; ago < 3; ago++) {
		time_t t = time(NULL) - ago;
		char text[32];

		strftime(text, sizeof text, "%b %e %T ", localtime(&t));
		if (strncmp(stamp, text, 16) == 0)
			return "LOCAL";
		strftime(text, sizeof text, "%b %e %T ", gmtime(&t));
		if (strncmp(stamp, text, 16) == 0)
			return "GMT";
	}
	return "NEVER";
}

static void print(const char *s, size_t n)
{
	char pid[32];
	size_t len = (size_t)sprintf(pid, "[%d]", getpid());

	for (size_t i = 0; i < n;) {
		const char *end = memchr(s + i, '>', n - i);

		if (s[i] == '<' && end && end - s - i < 5 && n - (size_t)(end - s) > 17) {
			printf("%.*s%s ", (int)(end - s - i + 1), s + i, when(end + 1));
			i = (size_t)(end - s) + 17;
		} else if (n - i >= len && memcmp(s + i, pid, len) == 0) {
			printf("[PID]");
			i += len;
		} else {
			printf(s[i] < ' ' ? "\\x%02x" : "%c", s[i]);
			i++;
		}
	}
	printf("|\n");
}

/* what has arrived by now */
static void take(void)
{
	static char buf[100000];
	ssize_t n;

	if (type == SOCK_STREAM && peer < 0) {
		int fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		peer = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 60);
		if (fd >= 0)
			close(fd);
	}
	while ((n = recv(type == SOCK_STREAM ? peer : server, buf, sizeof buf, 0)) > 0)
		print(buf, (size_t)n);
}

/* the lowest number that is free tells whether there is a connection */
static void lowest(const char *what)
{
	int fd = dup(0);

	printf("%s: free is %d, before it flags %d\n", what, fd, fcntl(fd - 1, F_GETFD));
	close(fd);
}

static void console(void)
{
	static char buf[10000];
	int fd = open("/dev/console", O_RDWR);
	ssize_t n = read(fd, buf, sizeof buf);

	printf("console: ");
	print(buf, n > 0 ? (size_t)n : 0);
	if (ftruncate(fd, 0))
		die("/dev/console");
	close(fd);
}

__attribute__((format(printf, 2, 3))) static void by_list(int pri, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsyslog(pri, fmt, ap);
	va_end(ap);
}

static void say(int pri, const char *text)
{
	errno = 0xdead;
	syslog(pri, "%s", text);
	printf("errno %#x\n", errno);
	take();
}

static void run(const char *name, const char *dir)
{
	char ident[] = "before";
	char *big;

	if (!strcmp(name, "defaults")) {
		say(LOG_INFO, "no openlog");
		say(LOG_ERR | LOG_MAIL, "a facility");
		by_list(LOG_NOTICE, "%s %d", "by a list", 7);
	} else if (!strcmp(name, "openlog")) {
		openlog("someone", LOG_PID, LOG_LOCAL3);
		lowest("openlog");
		say(LOG_WARNING, "with pid");
		openlog(NULL, 0, 0);
		say(LOG_WARNING, "no name");
		openlog("", 0, 0xfffff & ~LOG_FACMASK);
		say(LOG_WARNING, "an empty name");
		openlog("a name that is longer than any program would choose, of more than 32 bytes", 0, 0);
		say(LOG_DEBUG, "a newline\n");
		say(LOG_DEBUG, "");
		closelog();
		say(LOG_DEBUG, "after closelog");
	} else if (!strcmp(name, "ident")) {
		openlog(ident, 0, LOG_USER);
		memcpy(ident, "after.", 6);
		say(LOG_INFO, "the caller's string");
		closelog();
	} else if (!strcmp(name, "mask")) {
		printf("mask %#x\n", setlogmask(LOG_UPTO(LOG_WARNING)));
		say(LOG_INFO, "not to be seen");
		say(LOG_ERR, "to be seen");
	} else if (!strcmp(name, "errno")) {
		errno = ENOTDIR;
		syslog(LOG_INFO, "%m, %s", "and more");
		errno = 0;
		syslog(LOG_INFO, "%%m %c %5d|%-5s|%.2f %m", 'x', 42, "ab", 1.5);
	} else if (!strcmp(name, "perror")) {
		openlog("someone", LOG_PERROR, LOG_USER);
		say(LOG_INFO, "on stderr");
		say(LOG_INFO, "on stderr, newline\n");
	} else if (!strcmp(name, "invalid")) {
		say(0x12345, "unknown bits");
	} else if (!strcmp(name, "long")) {
		openlog("someone", 0, LOG_USER);
		for (size_t n = 980; n < 1030; n++) {
			big = calloc(1, n + 1);
			memset(big, 'a' + (int)(n % 26), n);
			say(LOG_INFO, big);
			free(big);
		}
		big = calloc(1, 70001);
		memset(big, 'b', 70000);
		say(LOG_INFO, big);
		free(big);
	} else if (!strcmp(name, "again")) {
		openlog("someone", LOG_NDELAY, LOG_USER);
		lowest("opened");
		say(LOG_INFO, "one");
		up(type);
		say(LOG_INFO, "to a new log");
		lowest("opened again");
		for (int fd = 3; fd < 20; fd++)
			close(fd);
		say(LOG_INFO, "closed behind libc");
		lowest("closed");
		closelog();
		lowest("closelog");
		closelog();
		say(LOG_INFO, "after two");
	} else if (!strcmp(name, "other")) {
		say(LOG_INFO, "one");
		up(type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM);
		say(LOG_INFO, "to a log of another kind");
		say(LOG_INFO, "once more");
		up(type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM);
		say(LOG_INFO, "and back");
		say(LOG_INFO, "once more");
	} else if (!strcmp(name, "none")) {
		down();
		lowest("none");
		openlog("someone", LOG_CONS | LOG_NDELAY, LOG_USER);
		say(LOG_INFO, "nobody listens");
		console();
		lowest("still none");
		openlog("someone", LOG_CONS | LOG_PID, LOG_DAEMON);
		say(LOG_INFO, "nobody listens, newline\n");
		console();
		openlog("someone", 0, 0);
		say(LOG_INFO, "unseen");
		console();
		up(SOCK_DGRAM);
		say(LOG_INFO, "there it is");
		close(server);
		say(LOG_INFO, "gone");
		rename("/dev/console", "/dev/console.off");
		openlog("someone", LOG_CONS, 0);
		say(LOG_INFO, "no console");
		rename("/dev/console.off", "/dev/console");
	} else if (!strcmp(name, "fork")) {
		openlog("someone", 0, LOG_AUTH);
		say(LOG_INFO, "parent");
		fflush(stdout);
		if (fork() == 0) {
			syslog(LOG_INFO, "child, on the parent's connection");
			closelog();
			syslog(LOG_INFO, "child, on its own");
			_exit(0);
		}
		wait(NULL);
		take();
		say(LOG_INFO, "parent again");
	} else if (!strcmp(name, "chroot")) {
		openlog("someone", LOG_NDELAY, LOG_USER);
		if (chroot(dir) || chdir("/"))
			die(dir);
		say(LOG_INFO, "from the root, over what was open before");
		openlog("another", LOG_PID, LOG_MAIL);
		say(LOG_INFO, "and again");
		lowest("opened");
		closelog();
		lowest("closelog");
		say(LOG_INFO, "nobody listens here");
	} else {
		die(name);
	}
	take();
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	type = strcmp(argv[1], "stream") ? SOCK_DGRAM : SOCK_STREAM;
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	up(type);
	run(argv[2], argv[3]);
	fflush(stdout);
	return 0;
}
