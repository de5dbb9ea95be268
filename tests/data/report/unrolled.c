/* SPDX-License-Identifier: ISC
 *
 * One line whose code is at several addresses: gcc unrolls the loop and inlines the function.
 * usage: unrolled leak | full | hold */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int open_one(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0); /* the line */
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "leak";
	struct rlimit limit = {33, 33};
	int last = 0;

	if (strcmp(how, "full") == 0)
		setrlimit(RLIMIT_NOFILE, &limit);
	do {
#pragma GCC unroll 3
		for (int i = 0; i < 3; i++)
			last = open_one();
	} while (last >= 0 && strcmp(how, "full") == 0);
	if (strcmp(how, "hold") == 0) {
		close(1); /* ready */
		pause();
	}
	return strcmp(how, "leak") == 0 && system("true");
}
