/* SPDX-License-Identifier: ISC
 *
 * How the processes of a tree tell each other that a name may lead elsewhere (clean.h): a page of memory that all of
 * them share, in a file without a name whose descriptor an exec hands on with the root's.  A process maps it when
 * it first needs it. */
#ifndef JAIL_EPOCH_H
#define JAIL_EPOCH_H

#include "clean.h"

struct view;

/* Makes a page for a new tree, and v's: v->epoch and v->epoch_ino.  fd_min as in view_open().  Where none can be made
 * lookups go the long way. */
void epoch_make(struct view *v, int fd_min);

/* The word of v's page, where this process has mapped it already; or NULL. */
uint64_t *epoch_word(const struct view *v);

/* The same, mapped now where it can be.  NULL: it cannot.  Async-signal-safe. */
uint64_t *epoch_map(const struct view *v);

/* The word, not quiet where somebody is in the middle of a change. */
static inline uint64_t epoch_read(const uint64_t *word)
{
	const uint64_t busy = clean_read(&word[1]), w = clean_read(word);

	return busy ? w | 1 : w;
}

/* Around each system call that makes or moves a symlink, moves a directory, or mounts: all by which a clean name can
 * come to lead elsewhere.  v may be NULL: no root.  epoch_begin() returns what epoch_end() wants; nothing in between may
 * return.  Async-signal-safe. */
struct epoch_change *epoch_begin(const struct view *v);
void epoch_end(struct epoch_change *c);

/* The page of v, mapped, has been said to change for a while: those who were killed in the middle of it are no more.
 * Async-signal-safe. */
void epoch_recover(const struct view *v);

/* The same for what only this process need know: where relative names begin. */
struct epoch_here {
	uint64_t word;      /* changes with the working directory, and with what follows */
	uint64_t dirs[16];  /* a bit each for the descriptors by which names have been learned */
	bool apart;         /* epoch_apart() */
	bool any_dir;       /* one of the bits has been set */
};
enum { EPOCH_DIRS = 16 * 64 };
extern struct epoch_here *epoch_here, epoch_own_here; /* the first copy's (state.h), and this one's */

static inline bool epoch_is_dir(int fd)
{
	return (unsigned)fd < EPOCH_DIRS &&
	       __atomic_load_n(&epoch_here->dirs[fd / 64], __ATOMIC_RELAXED) & (uint64_t)1 << fd % 64;
}

/* Names are learned by fd, below EPOCH_DIRS. */
static inline void epoch_dir_used(int fd)
{
	__atomic_store_n(&epoch_here->any_dir, true, __ATOMIC_SEQ_CST);
	__atomic_or_fetch(&epoch_here->dirs[fd / 64], (uint64_t)1 << fd % 64, __ATOMIC_SEQ_CST);
}

/* fd, which epoch_is_dir(), will stand for something else, or has come to. */
void epoch_dir_gone(int fd);

/* The program's descriptor fd is closed, or another comes to have its number: before that. */
static inline void epoch_closing(int fd)
{
	if (UNLIKELY(epoch_is_dir(fd)))
		epoch_dir_gone(fd);
}

/* The same for many. */
void epoch_closing_range(unsigned first, unsigned last);

/* Around a call that puts another file at fd, as dup2(2) does: other threads may be using fd all the time.
 * epoch_onto_begin() returns what epoch_onto_end() wants; nothing in between may return.  Async-signal-safe. */
static inline bool epoch_onto_begin(void)
{
	const bool said = __atomic_load_n(&epoch_here->any_dir, __ATOMIC_SEQ_CST);

	if (UNLIKELY(said))
		clean_begin(&epoch_here->word);
	return said;
}

static inline void epoch_onto_end(int fd, bool said)
{
	epoch_closing(fd);
	if (UNLIKELY(said))
		clean_end(&epoch_here->word);
}

/* From now on nothing is believed of relative names.  Before a thread gets a working directory or a table of descriptors
 * that is not the other threads', or another process one that is ours too: then not all changes of them are said here.
 * Async-signal-safe. */
void epoch_apart(void);

/* Before each clone(2), with its flags (CLONE_*): epoch_apart(), where the child shares our memory and goes on beside us
 * with a directory or a table of its own, or shares one of these and not our memory.  Async-signal-safe. */
void epoch_clone(uint64_t flags);

/* Around each change of the working directory: as epoch_begin() and epoch_end(). */
void epoch_go_begin(void);
void epoch_go_end(void);

#endif
