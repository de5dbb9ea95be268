/* SPDX-License-Identifier: ISC
 *
 * count WHAT N: does something N times, for strace(1) to count. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int execute(void)
{
	char *argv[] = {"/bin/true", NULL};
	pid_t p = fork();
	int st;

	if (p == 0) {
		execve(argv[0], argv, environ);
		_exit(127);
	}
	return p > 0 && waitpid(p, &st, 0) == p && st == 0;
}

int main(int argc, char **argv)
{
	const int n = argc > 2 ? atoi(argv[2]) : 0;
	char c = 0;

	for (int i = 0; i < n; i++) {
		if (!strcmp(argv[1], "use")) { /* 3 */
			struct pollfd p = {.fd = 0, .events = POLLIN};

			if (read(0, &c, 1) < 0 || write(1, &c, 0) < 0 || poll(&p, 1, 0) < 0)
				return 1;
		} else if (!strcmp(argv[1], "make")) { /* 8 */
			const int made[] = {open("/dev/null", O_RDONLY), dup(0),
				socket(AF_UNIX, SOCK_STREAM, 0), eventfd(0, 0)};

			for (int k = 0; k < 4; k++)
				if (close(made[k]) < 0)
					return 1;
		} else if (!execute()) {
			return 1;
		}
	}
	return 0;
}
