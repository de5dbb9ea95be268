/* SPDX-License-Identifier: ISC
 *
 * The calls that the contexts make: one a symbol of the surface, priority A (calls.c). */
#ifndef CALLS_H
#define CALLS_H

enum {
	SAFE = 1,   /* a signal handler may call it (signal-safety(7)), or it is a bare system call */
	HEAP = 2,   /* malloc, stdio, a lock or static memory of libc */
	EXEC = 4,   /* executes, or makes a process */
	LOOKS = 8,  /* changes nothing, and wants what is the same in every root */
	GLIBC = 16, /* other libcs do not have it */
	QUIET = 32, /* more system calls than its own in libc, too: any errno will do */
	DLOCK = 64, /* the loader's lock, which a child of a threaded process may never get */
};

/* Where a call finds its files, and in what its own names end. */
struct at {
	const char *dir; /* the guest's name of the directory */
	int fd;          /* the directory, for what is prepared past libjail */
	char tag;        /* who calls */
};

struct call {
	const char *name;
	unsigned long flags;
	int (*run)(const struct at *at); /* 0, -errno, or the line that had another answer */
};

/* All of them, in calls_end - calls_begin rows. */
const struct call *calls_all(int *n);

/* A system call that neither libjail nor a filter sees: its sixth argument is the cookie. */
enum { COOKIE = 0x6a61696c };
long raw(long nr, long a, long b, long c, long d, long e);
/* The numbers that are open. */
int calls_fds(void);

#endif
