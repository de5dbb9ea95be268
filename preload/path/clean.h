/* SPDX-License-Identifier: ISC
 *
 * Which names of a root are clean.  A name ("usr/lib", from the root's descriptor) is clean when the kernel, walking it by
 * itself, stays inside the root and crosses no bind point: on the way lie directories, and symlinks that are relative
 * and lead to clean names.  A lookup below a clean directory is then one plain system call, and the kernel decides
 * all the rest each time anew: who may search, what is there, what has been renamed.
 *
 * One thing makes a clean name unclean: that a directory or a symlink on the way is replaced.
 * - Whoever does that under libjail, in any process of the tree, says so in a page that all of them share (struct
 *   clean_page), before and after.  A lookup reads the page's word before and after its system call, and throws its
 *   answer away when somebody has been there.
 * - Others do not say it.  Therefore a name is believed for CLEAN_MS milliseconds and then looked at again.
 * Changes (unlink, mkdir, chmod ...) never use this memory: their effect could not be thrown away.
 *
 * The memory itself is a pure table: no lock, no allocation, no system call.  It may be used in signal handlers and
 * in children of vfork(2); whoever meets an entry that another thread is writing finds it unknown. */
#ifndef JAIL_CLEAN_H
#define JAIL_CLEAN_H

#include "../mem.h"
#include <stdint.h>

/* The longest that a name is believed, in milliseconds, on any machine (clean_span()). */
enum { CLEAN_MS = 10, CLEAN_DEPTH = 16, CLEAN_ENTRIES = 256 };

struct clean_memory {
	struct clean_entry {
		uint64_t check; /* of the name, the word of the page and the time: none of them can be another's */
		uint64_t when;  /* clean_now() before the name was looked at */
	} entry[CLEAN_ENTRIES];
};

/* A path by its components: what a name is known by at each depth. */
struct clean_trail {
	unsigned n;                      /* components; 0: none, or more than CLEAN_DEPTH */
	uint64_t key[CLEAN_DEPTH];       /* of the name up to and with component i */
	unsigned short end[CLEAN_DEPTH]; /* where it ends in the path */
};

/* A clock that costs no system call and is the same in all processes: ticks. */
static inline uint64_t clean_now(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

/* How many ticks a name is believed: at most CLEAN_MS.  How long a tick of x86_64 is cannot be asked without a
 * system call: 7 << 20 ticks are 9.2 ms at 0.8 GHz, the slowest that is built, and 1.5 ms at 5 GHz. */
static inline uint64_t clean_span(void)
{
#if defined(__x86_64__)
	return (uint64_t)7 << 20;
#else
	uint64_t hertz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
	return hertz >> 7;
#endif
}

/* Splits path, which is readable up to its NUL and relative, into ret; seed: of the directory that it is relative to
 * (clean_seed()).  Repeated slashes are one. */
void clean_trail(struct clean_trail *ret, uint64_t seed, const char *path);

/* A seed of two numbers.  Different numbers give different seeds. */
uint64_t clean_seed(uint64_t a, uint64_t b);

/* Was key learned while the page said word, and not too long before now? */
bool clean_known(const struct clean_memory *m, uint64_t key, uint64_t word, uint64_t now);

/* From now on key is known, if the page still says word.  when: clean_now() before the name was looked at. */
void clean_learn(struct clean_memory *m, uint64_t key, uint64_t word, uint64_t when);

/* The keys beside key, for other things that are remembered of the same name: in the same entry. */
enum { CLEAN_ASKED = 1, CLEAN_LEAVES = 2 };

/* Has this been asked before, as if learned?  The answer is true from the second time on. */
bool clean_asked(struct clean_memory *m, uint64_t key, uint64_t word, uint64_t now);

/* -- what is said to others -------------------------------------------------------------------- */

/* A word counts in its low bits who is in the middle of a change, above how many there have been. */
enum { CLEAN_BUSY = 0xffff };

static inline bool clean_quiet(uint64_t word)
{
	return !(word & CLEAN_BUSY);
}

static inline uint64_t clean_read(const uint64_t *word)
{
	uint64_t w;

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	w = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	return w;
}

static inline void clean_begin(uint64_t *word)
{
	__atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
}

static inline void clean_end(uint64_t *word)
{
	__atomic_add_fetch(word, CLEAN_BUSY, __ATOMIC_SEQ_CST); /* one change more, one in the middle less */
}

#endif
