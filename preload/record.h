/* SPDX-License-Identifier: ISC
 *
 * What is known of each descriptor: the call that made it, with what, from where, and who closed it.
 * One record a number, 128 bytes, in pages that exist only where descriptors do.  No heap, no
 * locks: a record is written under a sequence number that is odd meanwhile, and a writer that
 * finds it odd for long (a signal handler in the middle of its own thread's writing) goes
 * ahead.  All of it async-signal-safe; a child of fork has a copy, a vfork child changes nothing. */
#ifndef JAIL_RECORD_H
#define JAIL_RECORD_H

#include "fdpolicy.h" /* enum fd_class, fd_verdict, struct fd_args */
#include "stack.h"

/* Are records kept in this process?  Set once, by record_start(). */
extern bool record_on;

enum record_state {
	RECORD_NONE,   /* nothing is known of this number */
	RECORD_OPEN,
	RECORD_CLOSED, /* closed by the program: closed_stack, closed_when */
};

enum record_flags {
	RECORD_ASKED = 1,     /* it has close-on-exec because the program said so */
	RECORD_MEANT = 2,     /* the program means it to be inherited: dup2, dup3, F_SETFD 0, FIONCLEX */
	RECORD_STREAM = 4,    /* a FILE owns it: fopen, fdopen, popen */
	RECORD_DIR = 8,       /* a DIR owns it: opendir, fdopendir */
	RECORD_INHERITED = 16,/* it was open when this program was executed */
	RECORD_FORKED = 32,   /* made by an ancestor of this process, before fork (record_get sets it) */
	RECORD_OTHER = 64,    /* some other owner inside libc: syslog, mq, fts */
};

enum { RECORD_TEXT = 50 };

struct record {
	enum record_state state;
	unsigned flags;
	enum fd_class class;
	enum fd_verdict verdict; /* what the policy said of it when it was made */
	uint32_t stack, closed_stack;
	uint64_t when, closed_when; /* CLOCK_REALTIME, nanoseconds */
	int tid, closed_tid;
	unsigned generation; /* how many forks had been before it: whose it is, report.c knows */
	unsigned serial;     /* how many descriptors this process had made before it */
	struct fd_args args; /* args.text points to text, below */
	/* of what was inherited: the site's hash (event.h), the pid that made it; 0 unknown */
	uint64_t origin;
	int origin_pid;
	char text[RECORD_TEXT + 1]; /* the path or name, its end where it is too long: "...tail" */
};

/* A call returned fd, or -errno, which is looked at for EMFILE and ENFILE (report_full).
 * Captures the stack.  Returns fd. */
long record_made(long fd, enum fd_class class, bool asked, const struct fd_args *args);

/* The program is about to close fd.  Before the call: afterwards the number may be another
 * thread's.  Tells what record_close_failed() and report_bad_close() need to know. */
struct record_closing {
	bool known;     /* the record was open */
	unsigned flags; /* of the record: RECORD_STREAM, ... */
	uint32_t stack; /* of the caller of close */
};
struct record_closing record_closing(int fd);
/* That close failed with EBADF: the record, if there was one, is stale; reports it. */
void record_close_failed(int fd, struct record_closing before);

/* fd has been put onto number `to` by dup2 or dup3 (flags: its O_CLOEXEC). */
void record_onto(int fd, int to, int flags);
/* The program set (cloexec) or cleared the flag of fd. */
void record_flag(int fd, bool cloexec);
/* Likewise close_range with CLOSE_RANGE_CLOEXEC, and close_range or closefrom. */
void record_flag_range(unsigned first, unsigned last);
void record_closed_range(unsigned first, unsigned last);
/* fd now belongs to a stream (RECORD_STREAM), a directory (RECORD_DIR) or nobody (0). */
void record_owner(int fd, unsigned flags);
/* fd was open when this program was executed; text: what it is, may be NULL. */
void record_inherited(int fd, uint64_t origin, int origin_pid, bool cloexec);

/* A copy of fd's record: state RECORD_NONE when nothing is known, or when it could not be read in
 * one piece. */
void record_get(int fd, struct record *ret);
/* The next number from fd on that has an open record, or -1. */
int record_next(int fd);
/* How many open records there are, about; how many have been made. */
unsigned long record_open_count(void), record_made_count(void);

/* fork(2) has made this process: what was open is its parent's making. */
void record_forked(void);
/* The caller of vfork(2) is about to make a child, which borrows this memory; and it is back.  Nested
 * and concurrent calls count. */
void record_vfork_begin(void);
void record_vfork_end(void);
/* Is the calling process the one whose descriptors these records tell of?  Not a vfork child.  Cheap
 * while nobody is in vfork(2). */
bool record_mine(void);
/* What a vfork child did to number fd, for its exec: it closed or replaced it. */
void record_child_changed(int fd);
void record_child_changed_range(unsigned first, unsigned last);
/* That child, pid, is gone or executes something. */
void record_child_gone(int pid);
/* In a vfork child: has it changed what fd is?  Else the parent's record holds.  Anywhere else: false. */
bool record_child_has_changed(int fd);

/* Is the calling process a fork of the one that these records were kept for, without anybody having
 * said so?  Then record_forked() is overdue. */
bool record_fork_missed(void);

/* Reserves memory and turns records on, in process pid.  0 or -ENOMEM. */
int record_start(int pid) MUST_CHECK;

#endif
