/* SPDX-License-Identifier: ISC
 *
 * As much of libkqueue as a test needs: the descriptor is one of epoll's. */
#include <sys/epoll.h>

int kqueue(void), kqueue1(int flags);

int kqueue(void)
{
	return epoll_create(1);
}

int kqueue1(int flags)
{
	return epoll_create1(flags);
}
