/* SPDX-License-Identifier: ISC
 *
 * Three descriptors that leak into sh: by a static function, by one that is inlined, by one that ends
 * in the call.  MORE: lines and code in front, so that all else moves. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef MORE
__attribute__((noinline, used)) static int more(int n)
{
	return n * 37 + getpid();
}
#endif

static inline int inlined(const char *path)
{
	int fd = open(path, O_RDONLY); /* INLINED */

	return fd < 0 ? exit(1), 0 : fd;
}

__attribute__((noinline)) static int named(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0); /* NAMED */

	return fd < 0 ? exit(1), 0 : fd;
}

__attribute__((noinline)) static int last(const char *path)
{
	return open(path, O_RDONLY); /* LAST */
}

int main(void)
{
#ifdef MORE
	more(1);
#endif
	if (inlined("/etc/hosts") < 0 || named() < 0)
		return 1;
	if (last("/etc/passwd") < 0) /* CALLER */
		return 1;
	return system("exit 0");
}
