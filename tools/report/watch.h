/* SPDX-License-Identifier: ISC
 *
 * Runs a program for jailrun --report and waits until its events are complete. */
#ifndef REPORT_WATCH_H
#define REPORT_WATCH_H

#include "text.h"
#include <signal.h>
#include <stdbool.h>

struct watch {
	char file[4096]; /* where the events are; "" before watch_start() */
	int status;      /* of the program, as waitpid(2) tells it */
	unsigned left;   /* processes of the program that still run; they go on adding events */
	struct text who; /* the same in words: "2 processes (sleep 4711, appd 4712)" */
	sigset_t mask;   /* the signals that were held back before, and whether SIGCHLD was ignored */
	bool unknown;
	int keeper;      /* the process that removes the file when we are killed */
	int alive;       /* closed when we end: the keeper reads the other end */
};

/* Makes the file of events, with a name below $TMPDIR or /tmp.  From here on the signals that end a
 * process are held back until watch_end().  0, or -errno. */
int watch_start(struct watch *);

/* Runs argv with LD_PRELOAD=preload and LIBJAIL_REPORT naming the file.  Returns when the program and
 * all processes that came from it have ended, or when the program has ended and the others still run
 * after `grace` seconds, or a signal asks to end.  Signals sent to us go on to the program.
 * 0, or -errno: the program was not started. */
int watch_run(struct watch *, const char *preload, char **argv, long grace);

/* Removes the file, unless keep. */
void watch_end(struct watch *, bool keep);

/* Ends this process as the program ended: with its exit status, or killed by the same signal. */
void watch_exit(const struct watch *) __attribute__((noreturn));

#endif
