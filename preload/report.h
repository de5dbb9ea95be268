/* SPDX-License-Identifier: ISC
 *
 * What is reported, and when: at start, exec and exit, when the table is full, at a bad close, on
 * demand.  All but report_start and report_exit are async-signal-safe. */
#ifndef JAIL_REPORT_H
#define JAIL_REPORT_H

#include "event.h"

/* From the constructor: where LIBJAIL_REPORT asks for it records are turned on, what is inherited
 * is looked at, and the process is announced.  argv: its arguments, or NULL. */
void report_start(char *const argv[]);
/* The process ends, by exit(3), _exit(2) or quick_exit(3); once. */
void report_exit(int status);
/* In a child of fork: it is a process of its own from now on. */
void report_forked(void);

/* Before an exec that looks as if it will succeed: what stays open, what does not, and why. program:
 * the guest path as the program gave it; argv, envp may be NULL.  Returns a number for
 * report_exec_failed(); 0: nothing was reported. */
unsigned report_exec(const char *program, char *const argv[], char *const envp[]);
void report_exec_failed(unsigned exec, long error);
/* After an exec that failed: our descriptor is close-on-exec again. */
void report_note_undo(void);
/* What the next program is to know (the run, the chain of processes, whose the descriptors are
 * that it inherits): the value of LIBJAIL_0_TRACE, at most n bytes with the NUL; "" when there is no
 * report. */
enum { REPORT_NOTE = 2048 };
void report_note(char *buf, size_t n);

/* The run's number: of the first process and all that came from it. */
uint64_t report_run(void);

/* A call failed with error EMFILE or ENFILE. */
void report_full(long error, uint32_t stack);
/* close(fd) of a number that is not open (twice: the record tells who closed it), or that
 * belongs to a stream or directory. */
void report_bad_close(int fd, struct record_closing what, bool failed);
/* The whole table, on demand. */
void report_snapshot(void);

#endif
