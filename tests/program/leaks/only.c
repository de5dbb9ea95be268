/* SPDX-License-Identifier: ISC
 *
 * "only COMMAND...": executes it with descriptors 0-2 alone, whatever the test was given. */
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int fd = 3; fd < 4096; fd++)
		close(fd);
	if (argc > 1)
		execvp(argv[1], argv + 1);
	return 127;
}
