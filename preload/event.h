/* SPDX-License-Identifier: ISC
 *
 * One event, one line of JSON, one write(2): how it is spelt, and where it goes (a file that a whole
 * process tree appends to, a descriptor, a Unix datagram socket).  libjail.7 has the schema. */
#ifndef JAIL_EVENT_H
#define JAIL_EVENT_H

#include "record.h"

enum { EVENT_VERSION = 1, EVENT_SIZE = 4096 /* PIPE_BUF: longer writes could be torn apart */ };

/* A line in the making.  Text that does not fit is left out, with "cut":true at the end; a line is
 * always whole JSON. */
struct event {
	char *at, *end;
	bool first, cut;
	char *line;
};

/* Opens the place that LIBJAIL_REPORT names: a path, fd:N, or unix:PATH, host's names.  0, or
 * -errno after one line on stderr.  The descriptor is ours (state_owns), numbered high. */
int event_start(const char *where) MUST_CHECK;
/* Likewise with a descriptor that the program before left open for us. */
void event_adopt(int fd, const char *where);

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

/* A name for the place in the program that a stack blames, the same in every process, run and
 * machine that has the same files: a hash of the module's build id (or base name) and offset, and of
 * the script's line. 0: unknown. */
uint64_t event_site(uint32_t stack);

/* Our descriptor, or -1; and its new number when the program takes the old one. */
extern int event_fd;

#endif
