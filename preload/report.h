/* SPDX-License-Identifier: ISC
 *
 * What is reported, and when: at start, exec and exit, when the table is full, at a bad close, on
 * demand.  All but report_start and report_exit are async-signal-safe. */
#ifndef JAIL_REPORT_H
#define JAIL_REPORT_H

#include "config.h"
#include "event.h"

/* From the constructor: where LIBJAIL_REPORT asks for it records are turned on, what is inherited
 * is looked at, and the process is announced.  argv may be NULL. */
void report_start(char *const argv[]);
/* The signal that LIBJAIL_SNAPSHOT asks for: "SIGUSR2", "USR2", "RTMIN+3" or a number; 0: there is none of that name,
 * or it cannot be caught.  Async-signal-safe. */
int report_signal(const char *word);
/* Is this jailrun's carrier, which is to start a program that is reported on, and is not reported on itself? */
static inline bool report_launching(void)
{
	const struct config *c = config();

	return UNLIKELY(c->note_launch != NULL) && c->report && *c->report;
}
/* There the place of events is opened, to tell that the program is not watched.  False: nothing can be told. */
bool report_launched(void);
/* The process ends, by exit(3), _exit(2) or quick_exit(3); once. */
enum { REPORT_UNKNOWN = -0x7fffffff }; /* a status that nobody knows */
void report_exit(int status);
/* In a child of fork: it is a process of its own from now on (calls record_forked()).  It
 * announces itself when it has something to say: a fork that adds nothing adds no lines. */
void report_forked(void);
/* Around a fork, in the parent: pid is the child's. */
void report_fork(void);
void report_fork_done(int pid);

/* Is there anything open that an exec could leak?  Usually not. */
bool report_exec_wanted(void);
/* Before an exec that looks as if it will succeed: what stays open, what does not, and why. program:
 * what the policy goes by, target: the guest path as the program gave it; argv, envp may be NULL.
 * Returns a number for report_exec_failed(); 0: nothing was reported. */
unsigned report_exec(
	const char *program, const char *target, char *const argv[], char *const envp[]);
/* Likewise: libjail will not be in the program that is executed; why: a word of the event.  exec: what report_exec() has
 * returned, or 0.  Returns the number. */
unsigned report_unwatched(unsigned exec, const char *why, const char *target, char *const argv[]);
void report_exec_failed(unsigned exec, long error);
/* What the next program is to know (the run, the chain of processes, whose the descriptors are
 * that it inherits): the value of LIBJAIL_0_TRACE, at most n bytes with the NUL; "" when there is no
 * report.  As the descriptors' flags are now.  True: event_keep() around the exec. */
enum { REPORT_NOTE = 2048 };
bool report_note(char *buf, size_t n);
/* Is there anything to be told?  Where nothing can be reported: that this has been said already. */
extern bool report_noted;

/* The run's number: of the first process and all that came from it. */
uint64_t report_run(void);

/* A call failed with error EMFILE or ENFILE. */
void report_full(long error, uint32_t stack);
/* close(fd) of a number that is not open (twice: the record tells who closed it), or that
 * belongs to a stream or directory. */
void report_bad_close(int fd, struct record_closing what, bool failed);
/* The whole table, on demand. */
void report_snapshot(void);

/* Failed closes are kept back for a moment: a loop that closes every number there is, is none of a
 * program's faults (daemon(7)).  True while there are any; report_flush() lets them go. */
extern bool report_pending;
void report_flush(void);

#endif
