/* SPDX-License-Identifier: ISC
 *
 * The emulated root and our own descriptors: the only memory besides the config that outlives a
 * call.  All of it async-signal-safe. */
#ifndef JAIL_STATE_H
#define JAIL_STATE_H

#include "place.h"

struct config; /* config.h */
struct epoch_here;
struct link_map;

/* What a process has once, and every copy of libjail.so in it uses: dlmopen(3) makes one in each name
 * space that it opens (audit.c).  What changes it is done by the first copy, whose memory stays when
 * a name space goes. */
struct state {
	const struct view *now; /* the view of this process; NULL: no root */
	int ready;
	int forked_root; /* counts the roots that vfork children have entered; 0: there are none */
	const int *event_fd, *source_fd; /* event.h, source.h */
	struct epoch_here *here; /* path/epoch.h */
	const struct config *(*config)(void);
	const struct view *(*slow)(void);
	int (*chroot)(const struct view *old, const struct view *v);
	int (*yield)(int fd);
};
extern struct state *state;

/* What the audit module tells us before anything of ours runs; NULL where there is none. */
struct state_told {
	size_t size; /* of struct state: a copy may come from another build's file */
	/* for another copy than the first: */
	struct state *first;
	const struct link_map *map; /* the copy, in the loader's list of its name space */
	/* an object's file on the host, and, or NULL, its absolute name in the guest: l_name is the guest's */
	const char *(*host_name)(const struct link_map *map);
	const char *(*guest_name)(const struct link_map *map);
};
extern struct state_told libjail_audit_told;

/* Is this another copy than the first?  Then state is the first one's from now on. */
bool state_apart(void);

/* Enters the root that the configuration names, once.  Where that cannot be done every path call
 * fails with the reason, after one line on stderr. */
void state_start(void);
const struct view *state_slow(void);

/* The view that path calls of the calling process use; NULL when no root is set. */
static inline const struct view *state_view(void)
{
	const struct state *s = state;

	if (UNLIKELY(!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE) ||
		     __atomic_load_n(&s->forked_root, __ATOMIC_RELAXED)))
		return state_slow();
	return __atomic_load_n(&s->now, __ATOMIC_ACQUIRE);
}

/* Makes v (contents copied; its descriptors and strings become the state's) the root of the
 * calling process: of it alone, also in a vfork child.  old: the view that v was made from.  0, -ENOMEM, or -EAGAIN
 * where another thread has changed that meanwhile. */
int state_chroot(const struct view *old, const struct view *v) MUST_CHECK;

/* Does the calling process share its memory with its parent, as after vfork(2)? */
bool state_in_vfork(void);

/* Is no other thread in the middle of a call, perhaps with one of our descriptors?  CLONE_THREAD does nothing but fail
 * where there is one (unshare(2)); so it does where a container refuses the call. */
bool state_alone(void);

/* Is fd one of libjail's own descriptors?  Then close is EBADF to the program. */
bool state_owns_view(const struct view *v, int fd);
static inline bool state_owns(int fd)
{
	const struct view *v = state_view();

	return fd >= 0 && (UNLIKELY(fd == *state->event_fd || fd == *state->source_fd) ||
				 (UNLIKELY(v != NULL) && state_owns_view(v, fd)));
}

/* The program is about to take number fd (dup2, dup3): if it is ours, ours moves away first.
 * 0 or -errno. */
int state_yield(int fd) MUST_CHECK;

/* The lowest n of our descriptors in [first, last], ascending, to out; how many; n is not 0. */
size_t state_owned(unsigned first, unsigned last, int *out, size_t n);

/* Adds the binds of a LIBJAIL_BIND list to v, whose binds have room for STATE_BINDS.  room: to work in.  0, or
 * -errno after one line on stderr that names the bind; v keeps those in front of it. */
enum { STATE_BINDS = 64 };
struct state_room {
	char host[PATH_MAX], guest[PATH_MAX];
};
int state_binds(struct view *v, const char *list, int fd_min, struct state_room *room) MUST_CHECK;

/* Lowest number for our own descriptors: out of the way of the low ones that programs choose and
 * count, below RLIMIT_NOFILE, and no higher than that, since fork(2) copies the table up to them. */
int state_fd_min(void);

#endif
