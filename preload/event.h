/* SPDX-License-Identifier: ISC
 *
 * One event, one line of JSON, one write(2): how it is spelt, and where it goes (a file that a whole
 * process tree appends to, a descriptor, a Unix datagram socket).  libjail.7 has the schema. */
#ifndef JAIL_EVENT_H
#define JAIL_EVENT_H

#include "record.h"

enum { EVENT_VERSION = 1, EVENT_SIZE = 4096 /* PIPE_BUF: longer writes could be torn apart */ };

/* A line in the making.  What does not fit is left out, a whole field or list at a time, with
 * "cut":true at the end; a line is always whole JSON.  Names and paths are bytes and JSON is
 * Unicode: a byte that belongs to no UTF-8 sequence is spelt as the character of its number,
 * \u0080 to \u00ff. */
struct event {
	char *at, *end;
	bool first, cut;
	unsigned skipped; /* so many lists are open that were left out */
	char *line;
	size_t room; /* of line */
};

/* Opens the place that LIBJAIL_REPORT names: a path, fd:N, or unix:PATH, host's names; or takes over
 * what the program executed before left open (note: of event_note(), or NULL).  0, or -errno
 * after one line on stderr.  The descriptor is ours (state_owns), numbered high. */
int event_start(const char *where, const char *note) MUST_CHECK;

/* How the next program is to find the place, where its name alone will not do: the descriptor,
 * which then must stay open across the exec.  ret: the text for its event_start(), "" for none;
 * true: event_keep() is needed. */
enum { EVENT_NOTE = 72 };
bool event_note(char *ret);
void event_keep(bool across_exec);

/* Is fd, open or not, the file that the events go to? */
bool event_same(int fd);

/* Starts a line in buf (EVENT_SIZE bytes): the fields that every event has. */
void event_begin(struct event *e, char *buf, const char *type);
void event_text(struct event *e, const char *name, const char *text); /* NULL text: null */
void event_number(struct event *e, const char *name, long long n);
void event_hex(struct event *e, const char *name, uint64_t n); /* "0123456789abcdef" */
void event_time(struct event *e, const char *name, uint64_t ns);
void event_bool(struct event *e, const char *name, bool b);
/* "name":[ and "name":{ ; an element of an array has no name: NULL */
void event_open(struct event *e, const char *name, char bracket);
void event_close(struct event *e, char bracket);
/* How much room is left, so that a list can stop before it is full. */
size_t event_room(const struct event *e);
/* "call", "site", "stack", "modules", "script": all that is known of a stack, at most frames of it. */
void event_stack(struct event *e, uint32_t stack, size_t frames);
/* Ends the line and writes it, whole. */
void event_send(struct event *e);
/* For two lines in one write, where the place takes that (a socket does not): ends the line and returns its
 * length, 0 when it did not fit; starts one in what is left of a line's room; and writes what is in line. */
bool event_pairs(void);
size_t event_end(struct event *e);
void event_begin_behind(struct event *e, char *line, size_t used, const char *type);
void event_write(const char *line, size_t n);

/* A name for the place in the program that a stack blames, the same in every process, run and
 * machine that has the same files: a hash of the module's build id (or base name) and offset, and of
 * the script's line. 0: unknown. */
uint64_t event_site(uint32_t stack);

/* Our descriptor, or -1.  event_moved: it was `from` and is `to` from now on, unless another thread has moved
 * it already: false.  Async-signal-safe. */
extern int event_fd;
bool event_moved(int from, int to);

#endif
