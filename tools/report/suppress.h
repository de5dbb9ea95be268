/* SPDX-License-Identifier: ISC
 *
 * Findings that are known and not to be told again, in the style of valgrind's suppressions. */
#ifndef REPORT_SUPPRESS_H
#define REPORT_SUPPRESS_H

#include "model.h"

/* What an event says of itself, that a suppression may ask for. */
struct fact {
	enum kind kind;
	const char *call, *what, *to, *from, *host, *why; /* each may be NULL */
	int64_t t;
	long pid;
	bool here;
};

/* Adds the suppressions of a file; false, and a message in *ret_error, when there is a syntax
 * error or it cannot be read. */
bool suppress_read(struct suppressions **, const char *file, struct text *ret_error);

/* Does one of them look at what a descriptor is; at more than the frame that is blamed? */
bool suppress_whats(const struct suppressions *);
bool suppress_stacks(const struct suppressions *);

/* A number for those suppressions whose questions about the event it answers with yes. */
unsigned suppress_set(struct suppressions *, const struct fact *);

/* Says of each group, once its frames have names, whether and by which it is suppressed. */
void suppress_apply(struct model *);

/* The names of those that were never used. */
void suppress_unused(const struct suppressions *, struct text *);

/* The line that begins the part of a block for stacks whose frames have no lines. */
#define SUPPRESS_BLIND "without symbols:"

/* One function on the stack; of an address there are several where calls were inlined. */
enum { LOGICAL_MAX = 256 };
struct logical {
	const struct spot *spot; /* NULL: a script's line */
	const struct line *line; /* or NULL */
	const char *script;
	unsigned script_line;
};
/* Those of a site, at most LOGICAL_MAX, innermost first; returns how many, and in *ret_blame which is
 * blamed. */
size_t logical_frames(const struct site *, struct logical *ret, size_t *ret_blame);

/* A pattern for what all descriptors of a group are, that also holds of the next run's; nothing where
 * nothing is known. */
void suppress_what(struct text *, const struct group *);

/* A block for each group that is not suppressed. */
void suppress_generate(const struct model *, struct text *);

#endif
