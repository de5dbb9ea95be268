/* SPDX-License-Identifier: ISC
 *
 * What an open descriptor is, in a line of text that a person knows it by. */
#ifndef JAIL_WHAT_H
#define JAIL_WHAT_H

#include "mem.h"

enum { WHAT_SIZE = 4096 + 64 };

/* A path in the guest's terms, "socket:[tcp 127.0.0.1:80 listening]", "pipe:[123]",
 * "anon_inode:[eventpoll]"; "" when fd is not open.  room: WHAT_SIZE bytes for its own use.  Makes
 * no descriptor, needs little stack; async-signal-safe. */
void what_is(int fd, char *buf, size_t n, char *room);

#endif
