/* SPDX-License-Identifier: ISC
 *
 * The line of a script: what Python, Perl or bash is executing in the calling thread, read from
 * the interpreter's own memory without calling into it. */
#ifndef JAIL_SCRIPT_H
#define JAIL_SCRIPT_H

#include "module.h"

struct script {
	char file[256]; /* as the interpreter has it; its end where it is longer */
	unsigned line;
};

/* The line that an interpreter of this kind is at in this thread; false when it is none that
 * is known, or its memory does not look as expected.  Reads memory that is checked first; never faults,
 * calls nothing of the interpreter's that could allocate, lock or run code.  kind: MODULE_PYTHON,
 * MODULE_PERL, MODULE_BASH. */
bool script_line(enum module_kind kind, unsigned module, struct script *ret);

#endif
