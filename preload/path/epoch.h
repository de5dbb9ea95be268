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

/* Around each system call that makes or moves a symlink, moves a directory, or mounts: all by which a clean name can
 * come to lead elsewhere.  v may be NULL: no root.  epoch_begin() returns what epoch_end() wants; nothing in between may
 * return.  Async-signal-safe. */
uint64_t *epoch_begin(const struct view *v);
static inline void epoch_end(uint64_t *word)
{
	if (word)
		clean_end(word);
}

/* The same for what only this process need know: the working directory, and descriptors of directories, which relative
 * names begin at.  Threads that have a working directory of their own make others look again in vain. */
extern uint64_t *epoch_here, epoch_own_here; /* the first copy's (state.h), and this one's */

/* Before each clone(2), with its flags (CLONE_*).  A child may share the working directory and not our memory: from then
 * on its processes say in the tree's page that the directory has changed.  Async-signal-safe. */
void epoch_clone(uint64_t flags);

/* Around each change of the working directory: as epoch_begin() and epoch_end(). */
uint64_t *epoch_go_begin(const struct view *v);
void epoch_go_end(uint64_t *word);

#endif
