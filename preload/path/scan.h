/* SPDX-License-Identifier: ISC
 *
 * What one look at a guest path tells (place.c). */
#ifndef JAIL_SCAN_H
#define JAIL_SCAN_H

#include "../place.h"

struct scan {
	size_t len;
	size_t parent;     /* bytes before the last component, its slash included */
	unsigned hash;     /* of those bytes */
	unsigned hash_all; /* of the whole path */
	unsigned count;    /* components */
	bool abs, slash;   /* begins / ends with a slash */
	bool dotdot;       /* has a ".." component */
	bool dotdot_first; /* and begins with it */
	bool named;        /* has a component that bears a bind point's name */
	bool last_named;   /* and it is the last one */
	bool last_dots;    /* the last component is "." or ".." */
};

/* Looks at p in the view v.  0, or -EFAULT, -ENAMETOOLONG as getname() in fs/namei.c.  Async-signal-safe. */
int place_scan(struct scan *s, const struct view *v, const char *p) MUST_CHECK;

/* The deepest bind of v that the absolute path p crosses by its text, and in *ret_rest what follows it; or NULL. */
struct bind *place_bind_of(const struct view *v, const char *p, const char **ret_rest);

/* place_find(), of a path that has been looked at. */
int place_find_scanned(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how,
	const struct scan *s) MUST_CHECK;

#endif
