/* SPDX-License-Identifier: ISC
 *
 * The objects that are mapped into the process: which of them holds an address, how to unwind
 * through it, what it is called.  A module keeps its number for ever, also after dlclose(3), so that a
 * number and an offset name a call site for as long as the process lives; an object that is loaded
 * again later gets another number. */
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

/* A stretch of addresses. */
struct span {
	uintptr_t start, end;
};

struct module {
	uintptr_t start, end;         /* all its segments lie in [start, end) */
	uintptr_t base;               /* what is added to its own addresses */
	/* Where it can be read without a look whether it is still there: its tables and its code, where it was loaded
	 * with the program, so that it is never unloaded; else {0, 0}. */
	struct span tables, code;
	uintptr_t eh_hdr;             /* .eh_frame_hdr (PT_GNU_EH_FRAME), or 0 */
	size_t eh_hdr_size;
	const char *path;             /* host path as the loader has it; the program's own file for the
	                                 program; "[vdso]"; kept, never NULL */
	enum module_kind kind;
	unsigned char build_id[20];   /* NT_GNU_BUILD_ID, the first 20 bytes */
	unsigned char build_id_size;  /* 0: it has none */
	bool stays;                   /* loaded with the program */
	bool gone;                    /* closed: no address is found in it any more */
	uintptr_t mark;               /* what tells it from another object at its addresses: its build id, */
	uint64_t header;              /* or a hash of its ELF header; */
	uint64_t name;                /* and a hash of the loader's name of it */
};

enum { MODULE_NONE = 0, MODULES_MAX = 4096 };

/* The number of the module that holds pc, 1 or more, or MODULE_NONE.  It is there now: one that may have been
 * unloaded is looked at.  An address that no known module holds makes it look at the loader's list once more, if
 * that may have changed.  No heap: async-signal-safe. */
unsigned module_find(uintptr_t pc);

/* Module number m; never NULL for a number that module_find has returned. */
const struct module *module_at(unsigned m);

/* Has there been a module of an interpreter's (MODULE_PYTHON and beyond)?  Most programs have none.
 */
extern bool module_scripts;

/* How many numbers are taken: 1 .. module_count(). */
unsigned module_count(void);

/* In the constructor, when nothing has been unloaded yet: what is there stays for ever.  Without this call every object
 * is read as if it could vanish. */
void module_start(void);

/* Objects are about to be loaded or unloaded, or have been: what was learnt about addresses is forgotten
 * (unwind.c looks at module_epoch), and the loader's list is looked at when it is needed next. */
void module_changed(void);
extern unsigned module_epoch;

#endif
