/* SPDX-License-Identifier: ISC
 *
 * The objects that are mapped into the process: which of them holds an address, how to unwind
 * through it, what it is called.  A module keeps its number for ever, also after dlclose(3), so that a
 * number and an offset name a call site for as long as the process lives. */
#ifndef JAIL_MODULE_H
#define JAIL_MODULE_H

#include "mem.h"
#include <stdint.h>

enum module_kind {
	MODULE_PROGRAM, /* code of the program's: what a leak is blamed on */
	MODULE_SELF,    /* libjail.so */
	MODULE_RUNTIME, /* libc, the loader, libstdc++, libgcc_s, libffi, sanitizers: never blamed */
	MODULE_PYTHON,  /* a program's, and the interpreter of one: script.h may know the line */
	MODULE_PERL,
	MODULE_BASH,
};

struct module {
	uintptr_t start, end;         /* all its segments lie in [start, end) */
	uintptr_t base;               /* what is added to its own addresses */
	const unsigned char *eh_hdr;  /* .eh_frame_hdr (PT_GNU_EH_FRAME), or NULL */
	size_t eh_hdr_size;
	const char *path;             /* host path as the loader has it; the program's own file for the
	                                 program; "[vdso]"; kept, never NULL */
	enum module_kind kind;
	unsigned char build_id[20];   /* NT_GNU_BUILD_ID, the first 20 bytes */
	unsigned char build_id_size;  /* 0: it has none */
	bool gone;                    /* closed: no address is found in it any more */
};

enum { MODULE_NONE = 0, MODULES_MAX = 4096 };

/* The number of the module that holds pc, 1 or more, or MODULE_NONE.  An address that no known module
 * holds makes it look at the loader's list once more.  No heap: async-signal-safe. */
unsigned module_find(uintptr_t pc);

/* Module number m; never NULL for a number that module_find has returned. */
const struct module *module_at(unsigned m);

/* Has there been a module of an interpreter's (MODULE_PYTHON and beyond)?  Most programs have none.
 */
extern bool module_scripts;

/* How many numbers are taken: 1 .. module_count(). */
unsigned module_count(void);

/* The loader's list has changed (after dlopen(3), after dlclose(3)): what is no longer there is
 * gone, and what was learnt about its addresses is forgotten (unwind.c looks at module_epoch). */
void module_scan(void);
extern unsigned module_epoch;

#endif
