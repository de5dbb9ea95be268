/* SPDX-License-Identifier: ISC
 *
 * The rules file: which classes of descriptors are left alone for which program, which calling
 * module and which program that is executed. */
#ifndef JAIL_RULES_H
#define JAIL_RULES_H

#include "fdpolicy.h"

struct rule {
	bool leave;          /* leave alone, or force */
	unsigned classes;    /* one bit an fd_class; ~0: all */
	const char *program; /* a pattern for the program's base name, or its interpreter's; NULL: any */
	const char *module;  /* likewise for the calling module */
	const char *target;  /* likewise for the program that is executed: its path where it has a slash */
};

enum { RULES_MAX = 256 };

struct rules {
	size_t n;
	struct rule at[RULES_MAX];
};

#define RULES_CLASSES "open, pipe, dup, socket, pair, accept, recv, event, memory, pty, stream or all"

/* The word for each class. */
extern const char rules_class_names[FD_CLASSES][8];

/* "open,pipe" (n bytes) -> bits.  False: a word is none of RULES_CLASSES. */
bool rules_classes(const char *text, size_t n, unsigned *ret);

/* Parses text into rules, whose strings are kept (mem_keep).  0, or -EINVAL with the line and what is
 * wrong there (static). */
int rules_parse(const char *text, size_t n, struct rules *ret, unsigned *ret_line, const char **ret_what);

/* Reads the host's file.  0, or -errno after one line on stderr. */
int rules_load(const char *path, const struct rules **ret);

/* What the first rule that matches says of a descriptor of this class: FD_RULE (leave it), FD_FORCE,
 * or FD_RULES_NONE.  The caller is program, a base name, and what is executed for it has the base name
 * file.  target: at exec, when the rules with a target count; NULL: when the descriptor is made, when
 * the others do. */
enum fd_verdict rules_verdict(const struct rules *rules, enum fd_class class, const char *program,
	const char *file, const char *target);

/* Does that depend, when a descriptor of this class is made, on the calling module? */
bool rules_ask_module(const struct rules *rules, enum fd_class class);

/* Does name match a pattern of *, ? and literal characters? */
bool rules_match(const char *pattern, const char *name);

#endif
