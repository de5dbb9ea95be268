/* SPDX-License-Identifier: ISC
 *
 * The program that is executed: says how many descriptors it has beyond 0-2, below 100 (what libjail
 * itself keeps open, and what a test driver may, is higher), by its exit status. */
#include <fcntl.h>

int main(void)
{
	int n = 0;

	for (int fd = 3; fd < 100; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}
