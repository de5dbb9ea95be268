/* SPDX-License-Identifier: ISC
 *
 * Who called: the call stack of this thread, by the unwind tables that every object carries
 * (.eh_frame), with what they say about an address remembered, so that a stack that has been
 * seen before costs some nanoseconds a frame. */
#ifndef JAIL_UNWIND_H
#define JAIL_UNWIND_H

#include "module.h"

/* A call site that outlives its module: module number << 48 | address within it (return addresses
 * less one, so that it lies in the call).  0: none; module number 0: the plain address. */
typedef uint64_t frame;

static inline unsigned frame_module(frame f)
{
	return (unsigned)(f >> 48);
}

static inline uint64_t frame_offset(frame f)
{
	return f & (((uint64_t)1 << 48) - 1);
}

enum { UNWIND_FRAMES = 17 };

/* The calling thread's stack, innermost first, at most n frames to out; how many.  out[0] is the
 * outermost frame inside libjail: the wrapper that the program called (its offset lies in that
 * exported function); out[1] its caller, and so on.  Never faults, never blocks, no heap, keeps
 * errno; async-signal-safe; usable between vfork and exec. */
size_t unwind_stack(frame *out, size_t n);

#endif
