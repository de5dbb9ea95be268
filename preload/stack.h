/* SPDX-License-Identifier: ISC
 *
 * Call stacks, each kept once: a number stands for a stack.  One table for the whole process, of
 * bounded size, never changed once published, without locks. */
#ifndef JAIL_STACK_H
#define JAIL_STACK_H

#include "unwind.h"

/* An interpreter's line (script.h): file is a name kept by stack_text, 0: none. */
struct stack {
	uint64_t hash;        /* of the frames and the line, as they are in this process */
	uint32_t n;
	uint32_t script_file; /* stack_text() number, or 0 */
	uint32_t script_line;
	frame at[UNWIND_FRAMES];
};

enum { STACK_NONE = 0, STACKS_MAX = 65536 };

/* The number of this stack, 1 or more; STACK_NONE when the table is full or n is 0. */
uint32_t stack_intern(const frame *at, size_t n, uint32_t script_file, uint32_t script_line);

/* Stack number id; NULL for STACK_NONE. */
const struct stack *stack_at(uint32_t id);
uint32_t stack_count(void); /* numbers 1 .. stack_count() may be asked for */

/* A text kept once (a script's name; at most 255 bytes count): its number, 0 when there is no room. */
uint32_t stack_text(const char *text, size_t n);
const char *stack_text_at(uint32_t id); /* "" for 0 */

/* The frame that is to blame: the first behind the wrapper that lies in no runtime library (module.h);
 * its index, or 1 when all do, or 0 when there is only the wrapper. */
size_t stack_blame(const struct stack *s);

/* Reserves the table's address space, which the first stack does by itself.  0 or -ENOMEM. */
int stack_start(void) MUST_CHECK;

#endif
