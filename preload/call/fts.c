/* SPDX-License-Identifier: ISC
 *
 * fts(3).  libc's walk opens, looks at and enters what it finds with internal system calls, so in
 * a root it is whole here, behind the public structures of <fts.h>: what a program reads in them is
 * what glibc's leaves there, down to the order of calls that a walk with changes of directory makes.
 * The 64 names have the same structures on 64-bit machines.  musl has no fts; a library that brings
 * one (musl-fts) has other structures, and comes to us by open(2) and stat(2). */
#include "../config.h"
#include "../fdpolicy.h"
#include "../record.h"
#include "../state.h"
#include "../wrap.h"

typedef int fts_order(const FTSENT **, const FTSENT **);

enum {
	FTS_OURS = 0x4000,      /* in fts_options: this walk is not libc's */
	FTS_ROOM = 256,         /* what a path buffer gets beyond what is needed */
	FTS_LONGEST = 0xffff,   /* fts_pathlen is 16 bits wide */
	FTS_DIR = O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC,
};

enum fts_want { FTS_TO_READ, FTS_CHILDREN, FTS_NAMES };

static bool fts_has(const FTS *w, int option)
{
	return w->fts_options & option;
}

static void *fts_alloc(void *old, size_t n)
{
	return HEAP(realloc, void *, (void *, size_t))(old, n);
}

static void fts_free(void *p)
{
	HEAP(free, void, (void *))(p);
}

static bool fts_is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* -- entries --------------------------------------------------------------------------------- */

/* An entry, its name and, where the walk wants one, its struct stat are one block of memory. */
static FTSENT *fts_entry(FTS *w, const char *name, size_t n)
{
	const size_t stat_at = (offsetof(FTSENT, fts_name) + n + 1 + 15) & ~(size_t)15;
	const bool want = !fts_has(w, FTS_NOSTAT);
	FTSENT *e = fts_alloc(NULL, stat_at + (want ? sizeof(struct stat) : 0));

	if (!e)
		return NULL;
	memset(e, 0, stat_at + (want ? sizeof(struct stat) : 0));
	memcpy(e->fts_name, name, n);
	e->fts_namelen = (unsigned short)n;
	e->fts_path = w->fts_path;
	e->fts_instr = FTS_NOINSTR;
	if (want)
		e->fts_statp = (struct stat *)((char *)e + stat_at);
	return e;
}

static void fts_free_list(FTSENT *e)
{
	while (e) {
		FTSENT *next = e->fts_link;

		fts_free(e);
		e = next;
	}
}

/* Where the name of an entry below e goes in the path: a root of "/" has its slash already. */
static size_t fts_end(const FTSENT *e)
{
	size_t n = e->fts_pathlen;

	return n && e->fts_path[n - 1] == '/' ? n - 1 : n;
}

/* Makes the path buffer longer by more and a little: 0 or -errno. */
static long fts_grow(FTS *w, size_t more)
{
	char *path;

	more += FTS_ROOM;
	if (more > (size_t)(INT_MAX - w->fts_pathlen))
		return -ENAMETOOLONG;
	path = fts_alloc(w->fts_path, (size_t)w->fts_pathlen + more);
	if (!path)
		return -ENOMEM;
	w->fts_path = path;
	w->fts_pathlen += (int)more;
	return 0;
}

static void fts_moved_one(FTSENT *e, char *path)
{
	if (e->fts_accpath != e->fts_name)
		e->fts_accpath = path + (e->fts_accpath - e->fts_path);
	e->fts_path = path;
}

/* The path buffer has moved: so do the pointers of everything that is in memory. */
static void fts_moved(FTS *w, FTSENT *head)
{
	for (FTSENT *e = w->fts_child; e; e = e->fts_link)
		fts_moved_one(e, w->fts_path);
	for (FTSENT *e = head; e && e->fts_level >= FTS_ROOTLEVEL;
		e = e->fts_link ? e->fts_link : e->fts_parent)
		fts_moved_one(e, w->fts_path);
}

static FTSENT *fts_sort(FTS *w, FTSENT *head, size_t n)
{
	void (*sort)(void *, size_t, size_t, int (*)(const void *, const void *)) =
		LIBC(qsort, void, (void *, size_t, size_t, int (*)(const void *, const void *)));
	FTSENT **list, *e = head;
	size_t i = 0;

	if (n > (size_t)w->fts_nitems) {
		list = fts_alloc(w->fts_array, (n + 40) * sizeof(FTSENT *));
		if (!list)
			return head; /* unsorted is better than nothing: glibc */
		w->fts_array = list;
		w->fts_nitems = (int)n + 40;
	}
	list = w->fts_array;
	for (; e; e = e->fts_link)
		list[i++] = e;
	sort(list, n, sizeof *list, w->fts_compar);
	for (i = 0; i + 1 < n; i++)
		list[i]->fts_link = list[i + 1];
	list[n - 1]->fts_link = NULL;
	return list[0];
}

/* -- the guest's kernel ---------------------------------------------------------------------- */

/* Descriptors that stay open between two calls: the program's, as far as policy and records go. */
static long fts_open_here(void)
{
	long fd = guest_openat(AT_FDCWD, ".", O_RDONLY, 0);

	if (fd >= 0 && UNLIKELY(record_on))
		record_owner((int)fd, RECORD_DIR);
	return fd;
}

static void fts_close_fd(int fd)
{
	if (fd >= 0 && UNLIKELY(record_on))
		record_owner(fd, 0);
	guest_close(fd);
}

/* Back to where fd is, unless the walk changes no directory. */
static long fts_back(const FTS *w, int fd)
{
	return fts_has(w, FTS_NOCHDIR) ? 0 : guest_fchdir(fd);
}

/* Into the directory e, by a descriptor on it or by path: somebody may have put another directory
 * there since it was looked at. */
static long fts_enter(const FTS *w, const FTSENT *e, int fd, const char *path)
{
	struct stat st;
	long r, dir = fd;

	if (fts_has(w, FTS_NOCHDIR))
		return 0;
	if (fd < 0)
		dir = guest_open_own(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (dir < 0)
		return dir;
	r = sys_fstat((int)dir, &st);
	if (r == 0 && (st.st_dev != e->fts_dev || st.st_ino != e->fts_ino))
		r = -ENOENT;
	if (r == 0)
		r = guest_fchdir((int)dir);
	if (fd < 0)
		sys_close((int)dir);
	return r;
}

/* What e is: its fts_info, with fts_statp or fts_errno, and for a directory what finds cycles. */
static unsigned short fts_look(FTS *w, FTSENT *e, bool follow)
{
	struct stat own, *st = fts_has(w, FTS_NOSTAT) ? &own : e->fts_statp;
	long r;

	follow |= fts_has(w, FTS_LOGICAL);
	r = guest_newfstatat(AT_FDCWD, e->fts_accpath, st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
	if (r < 0 && follow &&
		guest_newfstatat(AT_FDCWD, e->fts_accpath, st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno_set(0);
		return FTS_SLNONE;
	}
	if (r < 0) {
		e->fts_errno = (int)-r;
		errno_set((int)-r);
		memset(st, 0, sizeof *st);
		return FTS_NS;
	}
	if (S_ISLNK(st->st_mode))
		return FTS_SL;
	if (!S_ISDIR(st->st_mode))
		return S_ISREG(st->st_mode) ? FTS_F : FTS_DEFAULT;
	e->fts_dev = st->st_dev;
	e->fts_ino = st->st_ino;
	e->fts_nlink = st->st_nlink;
	if (fts_is_dot(e->fts_name))
		return FTS_DOT;
	for (FTSENT *up = e->fts_parent; up->fts_level >= FTS_ROOTLEVEL; up = up->fts_parent)
		if (up->fts_ino == e->fts_ino && up->fts_dev == e->fts_dev) {
			e->fts_cycle = up;
			return FTS_DC;
		}
	return FTS_D;
}

/* e is followed, if it is a link: a walk that changes directories notes where it came from. */
static void fts_follow(FTS *w, FTSENT *e)
{
	long fd;

	e->fts_info = fts_look(w, e, true);
	if (e->fts_info != FTS_D || fts_has(w, FTS_NOCHDIR))
		return;
	fd = fts_open_here();
	if (fd < 0) {
		e->fts_errno = (int)-fd;
		e->fts_info = FTS_ERR;
		return;
	}
	e->fts_symfd = (int)fd;
	e->fts_flags |= FTS_SYMFOLLOW;
}

/* -- the entries of a directory -------------------------------------------------------------- */

struct fts_dirent { /* what getdents64(2) writes */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct fts_list {
	FTSENT *head, **tail;
	size_t n;
	size_t base;    /* where their names go in the path */
	long links;     /* how many directories may still come, -1: nobody counts, 0: look at nothing */
	bool by_type;   /* the kind that the directory tells is enough for what is no directory */
	bool moved;     /* the path buffer */
};

/* One name of the directory w->fts_cur; -errno ends the walk. */
static long fts_add(FTS *w, struct fts_list *l, const struct fts_dirent *d)
{
	const size_t n = strlen(d->name);
	const char *was = w->fts_path;
	FTSENT *e;
	long r = 0;

	if (!fts_has(w, FTS_SEEDOT) && fts_is_dot(d->name))
		return 0;
	e = fts_entry(w, d->name, n);
	if (!e)
		return -ENOMEM;
	if (n + l->base >= (size_t)w->fts_pathlen) {
		r = fts_grow(w, n + l->base + 1);
		l->moved |= was != w->fts_path;
		e->fts_path = w->fts_path;
	}
	if (r == 0 && l->base + n >= FTS_LONGEST)
		r = -ENAMETOOLONG;
	if (r < 0) {
		fts_free(e);
		return r;
	}
	e->fts_level = (short)(w->fts_cur->fts_level + 1);
	e->fts_parent = w->fts_cur;
	e->fts_pathlen = (unsigned short)(l->base + n);
	e->fts_accpath = e->fts_name;
	if (fts_has(w, FTS_NOCHDIR))
		e->fts_accpath = e->fts_path;
	if (!l->links || (l->by_type && d->type != DT_DIR && d->type != DT_UNKNOWN)) {
		e->fts_info = FTS_NSOK;
	} else {
		if (fts_has(w, FTS_NOCHDIR))
			memcpy(w->fts_path + l->base, d->name, n + 1);
		e->fts_info = fts_look(w, e, false);
		if (l->links > 0 && (e->fts_info == FTS_D || e->fts_info == FTS_DC ||
					    e->fts_info == FTS_DOT))
			l->links--;
	}
	*l->tail = e;
	l->tail = &e->fts_link;
	l->n++;
	return 0;
}

/* The directory's names; one that cannot be read further ends there, as readdir(3) would. */
static long fts_add_all(FTS *w, struct fts_list *l, int fd)
{
	_Alignas(struct fts_dirent) char buf[8192];
	long got, r;

	while ((got = sys_call(SYS_getdents64, fd, buf, sizeof buf)) > 0) {
		for (long i = 0; i < got;) {
			const struct fts_dirent *d = (const struct fts_dirent *)(buf + i);

			r = fts_add(w, l, d);
			if (r < 0)
				return r;
			i += d->reclen;
		}
	}
	return 0;
}

static void fts_stop(FTS *w, long error)
{
	w->fts_cur->fts_info = FTS_ERR;
	w->fts_options |= FTS_STOP;
	errno_set((int)-error);
}

/* The entries of the directory w->fts_cur, in the program's order; NULL when there are none, or with
 * an error, which fts_info tells.  The working directory is then in it, for a walk that goes on. */
static FTSENT *fts_build(FTS *w, enum fts_want want)
{
	FTSENT *cur = w->fts_cur;
	struct fts_list l = {.tail = &l.head, .links = -1};
	bool inside = false;
	long r = 0, fd = guest_open_own(AT_FDCWD, cur->fts_accpath, FTS_DIR, 0);

	if (fd < 0) {
		errno_set((int)-fd);
		if (want == FTS_TO_READ) {
			cur->fts_info = FTS_DNR;
			cur->fts_errno = (int)-fd;
		}
		return NULL;
	}
	if (want == FTS_NAMES) {
		l.links = 0;
	} else if (fts_has(w, FTS_NOSTAT) && fts_has(w, FTS_PHYSICAL)) {
		l.links = (long)cur->fts_nlink - (fts_has(w, FTS_SEEDOT) ? 0 : 2);
		l.by_type = true;
	}
	if (l.links || want == FTS_TO_READ) {
		r = fts_enter(w, cur, (int)fd, NULL);
		inside = r == 0;
		if (r < 0) { /* nothing in it can be looked at */
			errno_set((int)-r);
			if (l.links && want == FTS_TO_READ)
				cur->fts_errno = (int)-r;
			cur->fts_flags |= FTS_DONTCHDIR;
		}
	}
	l.base = fts_end(cur) + 1;
	if (fts_has(w, FTS_NOCHDIR))
		w->fts_path[l.base - 1] = '/';
	if (r == 0)
		r = fts_add_all(w, &l, (int)fd);
	else
		r = 0;
	sys_close((int)fd);
	if (r < 0) {
		fts_free_list(l.head);
		if (l.moved)
			fts_moved(w, cur);
		fts_stop(w, r);
		return NULL;
	}
	if (l.moved)
		fts_moved(w, l.head);
	if (fts_has(w, FTS_NOCHDIR))
		w->fts_path[l.n ? l.base : l.base - 1] = '\0';

	/* Nothing here to come back from: a walk's first directory is left by its own descriptor. */
	if (inside && (want == FTS_CHILDREN || !l.n)) {
		r = cur->fts_level == FTS_ROOTLEVEL ? fts_back(w, w->fts_rfd)
						    : fts_enter(w, cur->fts_parent, -1, "..");
		if (r < 0) {
			fts_free_list(l.head);
			fts_stop(w, r);
			return NULL;
		}
	}
	if (!l.n) {
		if (want == FTS_TO_READ)
			cur->fts_info = FTS_DP;
		return NULL;
	}
	return w->fts_compar && l.n > 1 ? fts_sort(w, l.head, l.n) : l.head;
}

/* -- open, close ----------------------------------------------------------------------------- */

/* e is a root, and the next one: the whole of what the program gave is its path. */
static void fts_load(FTS *w, FTSENT *e)
{
	const char *base;
	size_t n = e->fts_namelen;

	e->fts_pathlen = (unsigned short)n;
	memcpy(w->fts_path, e->fts_name, n + 1);
	base = mem_base(e->fts_name);
	if (base != e->fts_name && (*base || base != e->fts_name + 1)) {
		n = strlen(base);
		memmove(e->fts_name, base, n + 1);
		e->fts_namelen = (unsigned short)n;
	}
	e->fts_accpath = e->fts_path = w->fts_path;
	w->fts_dev = e->fts_dev;
}

/* The roots, in the program's order; 0 or -errno, with what there is in *ret all the same. */
static long fts_roots(FTS *w, char *const *paths, FTSENT **ret)
{
	FTSENT *above = NULL, *e, **tail = ret;
	size_t n = 0;

	for (; *paths; paths++, n++) {
		const size_t len = strlen(*paths);

		if (!above) {
			above = fts_entry(w, "", 0);
			if (!above)
				return -ENOMEM;
			above->fts_level = FTS_ROOTPARENTLEVEL;
			w->fts_cur = above; /* whoever gives up here finds it */
		}
		if (!len)
			return -ENOENT;
		e = fts_entry(w, *paths, len);
		if (!e)
			return -ENOMEM;
		e->fts_level = FTS_ROOTLEVEL;
		e->fts_parent = above;
		e->fts_accpath = e->fts_name;
		e->fts_info = fts_look(w, e, fts_has(w, FTS_COMFOLLOW));
		if (e->fts_info == FTS_DOT)
			e->fts_info = FTS_D; /* given, not found */
		if (w->fts_compar) { /* the last one first, which a stable sort shows */
			e->fts_link = *ret;
			*ret = e;
		} else {
			*tail = e;
			tail = &e->fts_link;
		}
	}
	if (w->fts_compar && n > 1)
		*ret = fts_sort(w, *ret, n);
	return 0;
}

static FTS *fts_start(char *const *paths, int options, fts_order *order)
{
	size_t longest = PATH_MAX;
	FTSENT *roots = NULL, *above;
	FTS *w;
	long r;

	if (options & ~FTS_OPTIONMASK) {
		errno_set(EINVAL);
		return NULL;
	}
	w = fts_alloc(NULL, sizeof *w);
	if (!w)
		return NULL;
	memset(w, 0, sizeof *w);
	w->fts_compar = (int (*)(const void *, const void *))order;
	w->fts_options = options | FTS_OURS | (options & FTS_LOGICAL ? FTS_NOCHDIR : 0);
	w->fts_rfd = -1;
	for (size_t i = 0; paths[i]; i++)
		if (strlen(paths[i]) + 1 > longest)
			longest = strlen(paths[i]) + 1;
	r = fts_grow(w, longest);
	if (r == 0)
		r = fts_roots(w, paths, &roots);
	above = w->fts_cur;
	if (r == 0) {
		/* an entry that has been visited, in front of the first root */
		w->fts_cur = fts_entry(w, "", 0);
		r = w->fts_cur ? 0 : -ENOMEM;
	}
	if (r < 0) {
		fts_free_list(roots);
		fts_free(above);
		fts_free(w->fts_array);
		fts_free(w->fts_path);
		fts_free(w);
		errno_set((int)-r);
		return NULL;
	}
	w->fts_cur->fts_link = roots;
	w->fts_cur->fts_parent = above;
	w->fts_cur->fts_info = FTS_INIT;
	if (!fts_has(w, FTS_NOCHDIR)) {
		r = fts_open_here();
		if (r < 0)
			w->fts_options |= FTS_NOCHDIR; /* slower, but it walks */
		else
			w->fts_rfd = (int)r;
	}
	return w;
}

static int fts_end_walk(FTS *w)
{
	long r = 0;

	for (FTSENT *e = w->fts_cur; e;) {
		FTSENT *next = e->fts_link ? e->fts_link : e->fts_parent;

		if (e->fts_level < FTS_ROOTLEVEL)
			next = NULL;
		fts_free(e);
		e = next;
	}
	fts_free_list(w->fts_child);
	fts_free(w->fts_array);
	fts_free(w->fts_path);
	if (!fts_has(w, FTS_NOCHDIR)) {
		r = guest_fchdir(w->fts_rfd);
		fts_close_fd(w->fts_rfd);
	}
	fts_free(w);
	return EDGE(int, r);
}

/* -- read ------------------------------------------------------------------------------------ */

static FTSENT *fts_fatal(FTS *w, long r)
{
	errno_set((int)-r);
	w->fts_options |= FTS_STOP;
	return NULL;
}

/* The path of an entry, now that it is its turn. */
static FTSENT *fts_show(FTS *w, FTSENT *e)
{
	char *at = w->fts_path + fts_end(e->fts_parent);

	*at = '/';
	memcpy(at + 1, e->fts_name, (size_t)e->fts_namelen + 1);
	return w->fts_cur = e;
}

static void fts_drop_children(FTS *w)
{
	fts_free_list(w->fts_child);
	w->fts_child = NULL;
}

/* Down from the directory e: its first entry, or e again when there is none, or NULL. */
static FTSENT *fts_down(FTS *w, FTSENT *e)
{
	FTSENT *first;

	if (w->fts_child && fts_has(w, FTS_NAMEONLY)) { /* nobody has looked at them yet */
		w->fts_options &= ~FTS_NAMEONLY;
		fts_drop_children(w);
	}
	if (w->fts_child) {
		long r = fts_enter(w, e, -1, e->fts_accpath);

		if (r < 0) {
			errno_set((int)-r);
			e->fts_errno = (int)-r;
			e->fts_flags |= FTS_DONTCHDIR;
			for (FTSENT *c = w->fts_child; c; c = c->fts_link)
				c->fts_accpath = c->fts_parent->fts_accpath;
		}
	} else {
		w->fts_child = fts_build(w, FTS_TO_READ);
		if (!w->fts_child)
			return fts_has(w, FTS_STOP) ? NULL : e;
	}
	first = w->fts_child;
	w->fts_child = NULL;
	return fts_show(w, first);
}

/* Up from the last entry of a directory to the directory itself. */
static FTSENT *fts_up(FTS *w, FTSENT *last)
{
	FTSENT *e = last->fts_parent;
	long r = 0;

	w->fts_cur = e;
	fts_free(last);
	if (e->fts_level == FTS_ROOTPARENTLEVEL) {
		fts_free(e);
		errno_set(0); /* fts(3): the end is no error */
		return w->fts_cur = NULL;
	}
	w->fts_path[e->fts_pathlen] = '\0';
	if (e->fts_level == FTS_ROOTLEVEL) {
		r = fts_back(w, w->fts_rfd);
	} else if (e->fts_flags & FTS_SYMFOLLOW) {
		r = fts_back(w, e->fts_symfd);
		fts_close_fd(e->fts_symfd);
	} else if (!(e->fts_flags & FTS_DONTCHDIR)) {
		r = fts_enter(w, e->fts_parent, -1, "..");
	}
	if (r < 0)
		return fts_fatal(w, r);
	e->fts_info = e->fts_errno ? FTS_ERR : FTS_DP;
	return e;
}

static FTSENT *fts_next(FTS *w)
{
	FTSENT *e = w->fts_cur, *was;
	int instr;
	long r;

	if (!e || fts_has(w, FTS_STOP))
		return NULL;
	instr = e->fts_instr;
	e->fts_instr = FTS_NOINSTR;
	if (instr == FTS_AGAIN) {
		e->fts_info = fts_look(w, e, false);
		return e;
	}
	if (instr == FTS_FOLLOW && (e->fts_info == FTS_SL || e->fts_info == FTS_SLNONE)) {
		fts_follow(w, e);
		return e;
	}
	if (e->fts_info == FTS_D) {
		if (instr != FTS_SKIP && !(fts_has(w, FTS_XDEV) && e->fts_dev != w->fts_dev))
			return fts_down(w, e);
		if (e->fts_flags & FTS_SYMFOLLOW)
			fts_close_fd(e->fts_symfd);
		fts_drop_children(w);
		e->fts_info = FTS_DP;
		return e;
	}
	for (;;) {
		was = e;
		e = e->fts_link;
		if (!e)
			return was->fts_parent ? fts_up(w, was) : NULL;
		w->fts_cur = e;
		fts_free(was);
		if (e->fts_level == FTS_ROOTLEVEL) {
			r = fts_back(w, w->fts_rfd);
			if (r < 0)
				return fts_fatal(w, r);
			fts_load(w, e);
			return e;
		}
		if (e->fts_instr == FTS_SKIP) /* set on a child: fts(3) */
			continue;
		if (e->fts_instr == FTS_FOLLOW) {
			fts_follow(w, e);
			e->fts_instr = FTS_NOINSTR;
		}
		return fts_show(w, e);
	}
}

static FTSENT *fts_list_children(FTS *w, int instr)
{
	FTSENT *e = w->fts_cur;
	enum fts_want want = instr == FTS_NAMEONLY ? FTS_NAMES : FTS_CHILDREN;
	long here, r;

	if (instr && instr != FTS_NAMEONLY) {
		errno_set(EINVAL);
		return NULL;
	}
	errno_set(0); /* an empty directory is no error */
	if (!e || fts_has(w, FTS_STOP))
		return NULL;
	if (e->fts_info == FTS_INIT)
		return e->fts_link;
	if (e->fts_info != FTS_D)
		return NULL;
	fts_drop_children(w);
	if (want == FTS_NAMES)
		w->fts_options |= FTS_NAMEONLY;
	if (e->fts_level != FTS_ROOTLEVEL || e->fts_accpath[0] == '/' || fts_has(w, FTS_NOCHDIR))
		return w->fts_child = fts_build(w, want);

	/* A relative root is entered by fts_read(3) from where we are now. */
	here = guest_open_own(AT_FDCWD, ".", O_RDONLY | O_CLOEXEC, 0);
	if (here < 0) {
		errno_set((int)-here);
		return NULL;
	}
	w->fts_child = fts_build(w, want);
	r = guest_fchdir((int)here);
	sys_close((int)here);
	if (r < 0) {
		errno_set((int)-r);
		return NULL;
	}
	return w->fts_child;
}

/* -- the edge -------------------------------------------------------------------------------- */

/* glibc keeps the directory where a walk began open, and the one that it left by a symbolic link,
 * both inheritable (io/fts.c); musl's have the flag. */
static void fts_made(int fd)
{
	const int forced = fdpolicy_flag(FD_OPEN);
	const bool asked = config()->musl;

	if (fd < 0)
		return;
	if (!asked && forced && fd > 2)
		sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
	fdpolicy_made(fd, FD_OPEN, asked, forced, FD_PATH(AT_FDCWD, ".", O_RDONLY));
	if (UNLIKELY(record_on))
		record_owner(fd, RECORD_DIR);
}

FTS *jail_fts_open(char *const *paths, int options, fts_order *order)
{
	FTS *(*real)(char *const *, int, fts_order *) = REAL(fts_open);
	FTS *walk;

	if (!real) {
		errno_set(ENOSYS);
		return NULL;
	}
	if (state_view() && !config()->musl)
		return fts_start(paths, options, order);
	walk = real(paths, options, order);
	if (walk && !(walk->fts_options & FTS_NOCHDIR))
		fts_made(walk->fts_rfd);
	return walk;
}

/* A walk ends where it began: also when chroot(2) comes in between. */
static bool fts_is_ours(const FTS *walk)
{
	return walk && !config()->musl && fts_has(walk, FTS_OURS);
}

FTSENT *jail_fts_read(FTS *walk)
{
	FTSENT *(*real)(FTS *), *e;

	if (fts_is_ours(walk))
		return fts_next(walk);
	real = REAL(fts_read);
	if (!real) {
		errno_set(ENOSYS);
		return NULL;
	}
	e = real(walk);
	/* entered or left by a link just now; musl's structure has other offsets, and needs nothing */
	if (e && !config()->musl && e->fts_flags & FTS_SYMFOLLOW) {
		if (e->fts_info == FTS_D)
			fts_made(e->fts_symfd);
		else if (e->fts_info == FTS_DP || e->fts_info == FTS_ERR)
			guest_closed_inside(e->fts_symfd);
	}
	return e;
}

FTSENT *jail_fts_children(FTS *walk, int instr)
{
	FTSENT *(*real)(FTS *, int);

	if (fts_is_ours(walk))
		return fts_list_children(walk, instr);
	real = REAL(fts_children);
	if (!real) {
		errno_set(ENOSYS);
		return NULL;
	}
	return real(walk, instr);
}

int jail_fts_close(FTS *walk)
{
	int (*real)(FTS *);

	if (fts_is_ours(walk))
		return fts_end_walk(walk);
	real = REAL(fts_close);
	if (!real)
		return EDGE(int, -ENOSYS);
	if (walk && !(walk->fts_options & FTS_NOCHDIR))
		guest_closed_inside(walk->fts_rfd);
	return real(walk);
}
