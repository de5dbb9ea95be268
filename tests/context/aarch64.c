/* SPDX-License-Identifier: ISC
 *
 * A few calls of each kind, for a machine that is emulated: prints what they found under the root
 * whose name is the argument. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char text[4096] = "", path[4096];
	const char *root = argc > 1 ? argv[1] : "";
	struct stat st;
	struct passwd *pw;
	int fd, p[2];
	ssize_t n;
	DIR *d;

#define AT(name) (snprintf(path, sizeof path, "%s%s", root, name), path)
	fd = open(AT("/which"), O_RDONLY);
	n = fd < 0 ? 0 : read(fd, text, sizeof text);
	printf("open %.*s cloexec %d\n", n > 0 ? (int)n - 1 : 0, text, fd < 0 ? -1 : fcntl(fd, F_GETFD));
	printf("pipe %d cloexec %d\n", pipe(p), fcntl(p[0], F_GETFD));
	printf("socket cloexec %d\n", fcntl(socket(AF_UNIX, SOCK_STREAM, 0), F_GETFD));
	errno = 0xdead;
	printf("stat %d errno %d\n", stat(AT("/d/../which"), &st), errno == 0xdead);
	n = readlink(AT("/link"), text, sizeof text);
	printf("readlink %.*s\n", n > 0 ? (int)n : 0, text);
	printf("null %d", access(*(const char *volatile *)&(const char *){NULL}, F_OK));
	printf(" %s\n", errno == EFAULT ? "EFAULT" : "?");
	printf("mkdir %d", mkdir(AT("/tmp/new"), 0700));
	printf(" rename %d", rename(AT("/tmp/new"), "/nonexistent/new"));
	printf(" rmdir %d\n", rmdir(AT("/tmp/new")));
	printf("dir %s\n", (d = opendir(AT("/d"))) ? "yes" : "no");
	pw = getpwuid(4242);
	printf("user %s\n", pw ? pw->pw_name : "-");
	printf("chdir %d", chdir(AT("/d")));
	printf(" getcwd %s\n", getcwd(text, sizeof text) ? text : "-");
	printf("chroot %d chdir %d", chroot(AT("/inner")), chdir("/"));
	fd = open("/which", O_RDONLY);
	n = fd < 0 ? 0 : read(fd, text, sizeof text);
	printf(" %.*s\n", n > 0 ? (int)n - 1 : 0, text);
	return 0;
}
