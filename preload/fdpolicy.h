/* SPDX-License-Identifier: ISC
 *
 * Which descriptors are close-on-exec, and why: shared FDPOLICY.md as one table.  Pure, but for
 * the bitmap of the descriptors whose flag we forced; async-signal-safe. */
#ifndef JAIL_FDPOLICY_H
#define JAIL_FDPOLICY_H

#include "mem.h"

enum fd_class {
	FD_OPEN,
	FD_PIPE,
	FD_DUP, /* dup(2) and F_DUPFD */
	FD_SOCKET,
	FD_PAIR,
	FD_ACCEPT,
	FD_RECV,   /* SCM_RIGHTS */
	FD_EVENT,  /* epoll, eventfd, timerfd, signalfd, inotify, fanotify */
	FD_MEMORY, /* memfd */
	FD_PTY,
	FD_STREAM, /* fopen, popen, tmpfile, mkstemp */
	FD_CLASSES,
};

/* O_CLOEXEC when a descriptor of this class is to be forced in this process, else 0. */
int fdpolicy_flag(enum fd_class class);

/* A call made fd, or failed (fd < 0: returned as it is).  asked: the program itself asked for
 * close-on-exec; forced: what fdpolicy_flag said.  Descriptors 0-2 get the flag taken back.
 * Returns fd. */
long fdpolicy_made(long fd, bool asked, int forced);

/* The program owns the flag of fd from now on (F_SETFD, FIOCLEX, dup2 target); of all in
 * [first, last] (close_range).  A vfork child's calls leave the parent's records alone. */
void fdpolicy_forget(int fd);
void fdpolicy_forget_range(unsigned first, unsigned last);

/* fd is about to be closed.  Cheaper than fdpolicy_forget: it never asks whose records they are.
 * What a vfork child closes one by one, its parent's later execs no longer give back. */
void fdpolicy_closed(int fd);

/* Did we force the flag of fd, as far as we know? */
bool fdpolicy_forced(int fd);

/* Before exec: the forced descriptors that the rules of FDPOLICY section 2.3 give back lose
 * the flag; those are written to undo (n slots; what is beyond them cannot be restored).
 * Returns how many; fdpolicy_undo() restores them when the exec failed.  program is the path as
 * the program gave it, argv and envp as given to exec; each may be NULL.  Reads our records, never
 * changes them: a vfork child may call it. */
size_t fdpolicy_exec(
	const char *program, char *const argv[], char *const envp[], int *undo, size_t n);
void fdpolicy_undo(const int *undo, size_t n);

/* Why an exec gives a forced descriptor back. */
enum fd_keep {
	FD_KEEP_NOT,
	FD_KEEP_SAMEPID, /* the process that was executed executes something else */
	FD_KEEP_SELFEXE, /* the program executes itself */
	FD_KEEP_TABLE,   /* a program known to pass descriptors on */
	FD_KEEP_ARGV,    /* its number is in argv */
	FD_KEEP_ENV,     /* or in the environment */
	FD_KEEP_FIFO,    /* likewise, and meant only when it is a pipe */
};

/* The reason that holds for all of them when program is executed, or FD_KEEP_NOT. */
enum fd_keep fdpolicy_keep(const char *program);

/* Calls each(arg, number, why) for every number that argv or envp mention as a descriptor. */
typedef void fd_mention(void *arg, int fd, enum fd_keep why);
void fdpolicy_mentions(char *const argv[], char *const envp[], fd_mention *each, void *arg);

#endif
