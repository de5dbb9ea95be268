/* SPDX-License-Identifier: ISC
 *
 * Lookups below clean directories (clean.h).  The plain call starts at the root's descriptor, at a bind's, at the
 * program's own directory or in the working directory, and has the guest's text for its name:
 *
 *   stat("/usr/lib/x")   newfstatat(root, "usr/lib/x", AT_SYMLINK_NOFOLLOW)   where usr/lib is known to be clean
 *
 * What is not known is found out with one plain call for each component that is new.  Where that would be more than
 * one, and the path is asked for the first time, the long way is shorter.  But the long way takes a descriptor for a
 * moment, whose number another thread may want.  So in a process with threads all is found out like this, and where
 * symlinks lead out of the text, or bind points lie on the way, the lookup walks by itself (walk()), and the plain call
 * gets the name that it came to. */
#include "look.h"
#include "scan.h"
#include "../state.h"
#include "../sys.h"
#include "../sys/wiped.h"
#include <errno.h>
#include <sys/prctl.h>

enum {
	TEXT = LOOK_ROOM, /* longer names go the long way; signal stacks are small */
	LEARN_TEXT = 256, /* and these are not learned: LEARN_LINKS of them and one stand on the stack at once */
	WARM = 16,        /* a process that asks less than this needs no page of its own */
	LEARN_LINKS = 3,  /* symlinks on the way to a name that is to be learned */
	RECOVER = 256,    /* after so many lookups in the middle of somebody's change, perhaps of one who was killed */
	WALK_LINKS = 40,  /* fs/namei.c, MAXSYMLINKS */
};

static struct clean_memory memory;

/* Where a lookup starts, and what is known of it. */
struct look {
	const struct view *v;
	const uint64_t *said; /* the page's word */
	uint64_t word, here, now;
	uint64_t seed;
	int base;
	bool relative; /* to a directory of the program's */
	bool in_bind;  /* no other bind lies below */
	unsigned links;
};

extern char __libc_single_threaded __attribute__((weak));

/* glibc knows since 2.32; unshare(CLONE_THREAD) does nothing but fail where there are. */
bool look_threads(void)
{
	static bool seen;

	if (&__libc_single_threaded)
		return !__libc_single_threaded;
	if (!seen && !sys_filtered && sys_call(SYS_unshare, 0x10000 /* CLONE_THREAD */) == -EINVAL)
		seen = true;
	return seen;
}

/* Is it worth it, or is there no other way, to find out at the first time? */
static bool eager(const struct view *v)
{
	return v->clean == VIEW_CLEAN_ALWAYS || look_threads();
}

static signed char clock_known; /* 0: nobody has asked; 1: it may be read; -1: it may not */

/* May the clock be read?  prctl(2), PR_SET_TSC: it may be a SIGSEGV.  And a filter may kill who asks. */
static bool clock_allowed(void)
{
#ifdef __x86_64__
	int mode;

	if (UNLIKELY(!clock_known) && !sys_filtered)
		clock_known = sys_call(SYS_prctl, PR_GET_TSC, &mode) == 0 && mode == PR_TSC_SIGSEGV ? -1 : 1;
	return clock_known > 0;
#else
	return true;
#endif
}

void look_no_clock(void)
{
	clock_known = -1;
}

void look_filter(const struct view *v)
{
	if (v && v->fd >= 0 && v->clean && clock_allowed())
		epoch_map(v);
}

/* Is the working directory this process's?  A child of vfork(2) has one of its own and shares this memory: it uses
 * what its parent has learned, until it changes its directory, and learns nothing. */
static bool own_directory(void)
{
	int *owner = &wiped()->owner;
	const int me = sys_getpid();

	if (__atomic_load_n(owner, __ATOMIC_RELAXED) != me) {
		if (state_in_vfork())
			return false;
		__atomic_store_n(owner, me, __ATOMIC_RELAXED);
	}
	return true;
}

/* Before the first look that is learned from. */
static void watch(const struct look *l)
{
	if (l->relative && l->base >= 0 && !epoch_is_dir(l->base))
		epoch_dir_used(l->base);
}

/* May names that begin where l does be learned? */
static bool may_learn(const struct look *l)
{
	return !l->relative || own_directory();
}

static bool learn_text(struct look *l, char *text, unsigned known, bool last);

/* What text is: its st_mode, or -errno.  Apart from who recurses. */
static NOINLINE int kind(const struct look *l, const char *text)
{
	struct stat st;
	const int r = sys_fstatat(l->base, text, &st, AT_SYMLINK_NOFOLLOW);

	return r < 0 ? r : (int)st.st_mode;
}

/* A symlink of procfs is a door, not a text (proc(5)). */
static bool in_proc(const struct look *l, const char *text)
{
	struct stat st;

	return sys_fstatat(l->base, text, &st, AT_SYMLINK_NOFOLLOW) < 0 || place_in_proc(l->v, st.st_dev);
}

/* text is a symlink on the way, or, with last, the name itself: does it lead to a clean name?  A target that is
 * absolute, or has a "..", or the name of a bind point in it, is for the long way. */
static NOINLINE bool learn_link(struct look *l, const char *text, bool last)
{
	const size_t dir = (size_t)(mem_base(text) - text);
	char target[LEARN_TEXT];
	struct scan s;
	long n;

	/* the root's own paths do not lead into procfs, but by a bind */
	if (++l->links > LEARN_LINKS || dir >= sizeof target || (l->relative && in_proc(l, text)))
		return false;
	memcpy(target, text, dir);
	n = sys_readlinkat(l->base, text, target + dir, sizeof target - dir);
	if (n <= 0 || (size_t)n == sizeof target - dir || target[dir] == '/')
		return false;
	target[dir + (size_t)n] = '\0';
	if (place_scan(&s, l->v, target) < 0 || s.dotdot || s.last_dots || (s.named && !l->in_bind))
		return false;
	return learn_text(l, target, 0, last && !s.slash);
}

/* Looks at the components of text from number known on, and learns them.  last: the last one may be anything, and else
 * is a directory.  False: it is not clean, or not there. */
static bool learn_text(struct look *l, char *text, unsigned known, bool last)
{
	struct clean_trail t;
	bool ok = true;
	int mode;

	clean_trail(&t, l->seed, text);
	for (unsigned i = known; ok && i < t.n; i++) {
		const bool any = last && i + 1 == t.n;
		const char was = text[t.end[i]];

		text[t.end[i]] = '\0';
		mode = kind(l, text);
		ok = mode >= 0;
		if (ok && S_ISLNK((unsigned)mode)) {
			ok = learn_link(l, text, any);
			if (!ok)
				clean_learn(&memory, t.key[i] ^ CLEAN_LEAVES, l->word, l->now);
		} else if (ok) {
			ok = any || S_ISDIR((unsigned)mode);
		}
		if (ok)
			clean_learn(&memory, t.key[i], l->word, l->now);
		text[t.end[i]] = was;
	}
	return ok && t.n;
}

/* How many lookups there are between two changes, mostly: what is learned must be used often enough before it is worth
 * nothing.  Races lose a count. */
static struct {
	uint64_t at; /* the last change */
	unsigned since, usual;
} pace;

static void pace_count(uint64_t at)
{
	const unsigned since = __atomic_load_n(&pace.since, __ATOMIC_RELAXED);

	if (__atomic_load_n(&pace.at, __ATOMIC_RELAXED) != at) {
		__atomic_store_n(&pace.at, at, __ATOMIC_RELAXED);
		__atomic_store_n(&pace.usual, (pace.usual + since) / 2, __ATOMIC_RELAXED);
		__atomic_store_n(&pace.since, 0, __ATOMIC_RELAXED);
	} else if (since < 1 << 16) {
		__atomic_store_n(&pace.since, since + 1, __ATOMIC_RELAXED);
	}
}

/* Do calls made to learn something now come back? */
static bool pace_pays(unsigned calls)
{
	return __atomic_load_n(&pace.since, __ATOMIC_RELAXED) + __atomic_load_n(&pace.usual, __ATOMIC_RELAXED) >= 4 * calls;
}

/* Learns the first want components of path, of which known are known.  last: want is all of them, and the last one may be
 * anything; link: it was seen to be a symlink.  1: they are clean; 0: the long way; -errno: the last one cannot be
 * looked up, in a directory that is clean. */
static NOINLINE int learn(struct look *l, const char *path, const struct clean_trail *t, unsigned known, unsigned want,
	bool last, bool link)
{
	const unsigned dirs = last ? want - 1 : want; /* how many must be directories */
	const uint64_t key = t->key[want - 1];
	char text[LEARN_TEXT];
	int r;

	if (t->end[want - 1] >= sizeof text)
		return 0;
	if ((link || want - known > 1) && !(clean_asked(&memory, key, l->word, l->now) && pace_pays(want - known)) && !eager(l->v))
		return 0;
	watch(l);
	if (dirs > known) {
		memcpy(text, path, t->end[dirs - 1]);
		text[t->end[dirs - 1]] = '\0';
		if (!may_learn(l) || !learn_text(l, text, known, false))
			return 0;
	}
	if (!last)
		return 1;
	if (!link) { /* most are not there at all: a search along PATH */
		r = kind(l, path);
		if (r < 0)
			return r;
		link = S_ISLNK((unsigned)r);
	}
	if (!may_learn(l))
		return 0;
	if (link) {
		memcpy(text, path, t->end[want - 1]);
		text[t->end[want - 1]] = '\0';
		if (!learn_link(l, text, true)) {
			clean_learn(&memory, key ^ CLEAN_LEAVES, l->word, l->now);
			return 0;
		}
	}
	clean_learn(&memory, key, l->word, l->now);
	return 1;
}

/* Where the lookup starts, and the rest of guest from there; NULL: at a place that is for the long way. */
static const char *start(struct look *l, const struct view *v, int dirfd, const char *guest, const struct scan *s)
{
	const char *rest = guest;
	struct bind *b;

	if (s->abs && !s->named) {
		l->base = v->fd;
		while (*rest == '/')
			rest++;
		return rest;
	}
	if (s->abs) {
		b = place_bind_of(v, guest, &rest);
		if (!b || b->is_proc || b->has_binds || !b->is_dir || !*rest)
			return NULL;
		l->in_bind = true;
		l->base = b->fd;
		return rest;
	}
	if (s->named || v->strayed || epoch_here->apart || (dirfd != AT_FDCWD && (unsigned)dirfd >= EPOCH_DIRS))
		return NULL;
	l->base = dirfd;
	l->relative = true;
	return rest;
}

/* Notes in ret what others have said until now.  False: somebody is in the middle of a change. */
static bool look_begin(struct place *ret, const struct view *v, const uint64_t *said, bool relative)
{
	static unsigned busy;

	if (!said)
		return false;
	ret->said = said;
	ret->relative = relative;
	for (int tries = 0; tries < LOOK_TRIES; tries++) {
		ret->word = epoch_read(said);
		ret->here = clean_read(&epoch_here->word);
		if (LIKELY(clean_quiet(ret->word) && (!relative || clean_quiet(ret->here))))
			return true;
		if (!eager(v) || sys_filtered)
			break;
		sys_call(SYS_sched_yield);
	}
	if (!clean_quiet(ret->word) && __atomic_add_fetch(&busy, 1, __ATOMIC_RELAXED) % RECOVER == 0)
		epoch_recover(v);
	return false;
}

/* A child of vfork(2) that has come here has its parent's directory still: else it would know no name there. */
void look_is(const struct place *at)
{
	if (at->said && at->key)
		clean_learn(&memory, at->key, at->word, at->when);
}

/* 1: *ret is filled; 0: the long way; -errno: what the call answers. */
static int look_find(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how, const struct scan *s)
{
	static unsigned asked;
	struct look l = {.v = v};
	struct clean_trail t;
	unsigned want, known;
	const char *rest;
	int r;

	if (s->abs && !s->count && !(how & PLACE_NOFOLLOW)) {
		*ret = (struct place){.dir = v->fd, .name = "", .flags = AT_EMPTY_PATH};
		return 1;
	}
	if (!v->clean || v->is_proc || s->dotdot || s->last_dots || s->slash || !s->count || view_walks(v))
		return 0;
	rest = start(&l, v, dirfd, guest, s);
	if (!rest)
		return 0;
	*ret = (struct place){.dir = l.base, .name = rest, .flags = how & PLACE_TRY ? AT_SYMLINK_NOFOLLOW : 0};
	if (how & PLACE_TRY && rest == guest + s->parent)
		return 1; /* a name of the root itself */
	l.said = epoch_word(v);
	if (UNLIKELY(!l.said)) {
		if (++asked < WARM && !eager(v))
			return 0;
		if (!clock_allowed() || !(l.said = epoch_map(v)))
			return 0;
	}
	if (!clock_allowed()) /* the page is there for a change */
		return 0;
	if (!look_begin(ret, v, l.said, l.relative))
		return 0;
	l.word = ret->word;
	l.here = ret->here;
	pace_count(l.word + l.here);
	l.now = clean_now();
	l.seed = clean_seed(v->id, (unsigned)l.base); /* root_seed(), of the root */
	if (l.relative) /* a thread may have a directory of its own, too (unshare(2)) */
		l.seed = clean_seed(l.seed + l.here, (uintptr_t)__errno_location());
	clean_trail(&t, l.seed, rest);
	if (!t.n)
		return 0;
	ret->key = t.key[t.n - 1];
	ret->when = l.now;
	want = how & PLACE_TRY ? t.n - 1 : t.n;
	/* a symlink that the kernel must not follow by itself */
	if (!(how & PLACE_NOFOLLOW) && clean_known(&memory, ret->key ^ CLEAN_LEAVES, l.word, l.now))
		return 0;
	if (how & PLACE_TRY && !(how & PLACE_NOFOLLOW) && clean_known(&memory, t.key[t.n - 1], l.word, l.now)) {
		ret->flags = 0; /* a symlink as last name can be followed at once */
		return 1;
	}
	for (known = want; known && !clean_known(&memory, t.key[known - 1], l.word, l.now); known--)
		if (clean_known(&memory, t.key[known - 1] ^ CLEAN_LEAVES, l.word, l.now))
			return 0;
	if (known == want)
		return 1;
	r = learn(&l, rest, &t, known, want, !(how & PLACE_TRY), how & PLACE_LINK);
	return r < 0 && look_moved(ret) ? 0 : r;
}

/* -- by itself ------------------------------------------------------------------------------- */

struct walk {
	const struct view *v;
	const struct bind *in; /* the bind that base is of, or NULL */
	int base;              /* the descriptor that text is relative to */
	bool relative;         /* base is the program's */
	char *text;            /* TEXT bytes: where the walk is: directories, one below the other */
	size_t len;
	uint64_t word;         /* the page's */
	bool jumped;           /* text may have symlinks in it: walk_known() */
	bool strict;           /* and must not */
	char todo[2 * TEXT];   /* what is left to walk stands at the end of it */
};

static uint64_t root_seed(const struct view *v)
{
	return clean_seed(v->id, (unsigned)v->fd);
}

/* Where the walk has come, below the root, is a directory, and no symlink is in its name.  when: 0 where there is no
 * clock. */
static void walk_learn(const struct walk *w, uint64_t when)
{
	struct clean_trail t;

	if (w->relative || w->in || !w->len || !when)
		return;
	clean_trail(&t, root_seed(w->v), w->text);
	if (t.n)
		clean_learn(&memory, t.key[t.n - 1], w->word, when);
}

/* At the root, the directories at the beginning of rest that are known need not be looked at; what is left.  They may
 * be symlinks to directories: then the text does not tell what is above, nor what is a bind point. */
static char *walk_known(struct walk *w, char *rest)
{
	struct clean_trail t;
	struct scan s;
	uint64_t now;

	while (*rest == '/')
		rest++;
	if (!clock_allowed() || w->strict || w->relative || w->in || w->len || place_scan(&s, w->v, rest) < 0 || s.dotdot || s.named || s.last_dots)
		return rest;
	now = clean_now();
	clean_trail(&t, root_seed(w->v), rest);
	for (unsigned k = t.n; k-- > 1;)
		if (t.end[k - 1] < TEXT && clean_known(&memory, t.key[k - 1], w->word, now)) {
			memcpy(w->text, rest, t.end[k - 1]);
			w->len = t.end[k - 1];
			w->text[w->len] = '\0';
			w->jumped = true;
			return rest + w->len;
		}
	return rest;
}

/* The walk goes on at the root, or at that of a bind. */
static void walk_from(struct walk *w, const struct bind *b)
{
	w->in = b;
	w->base = b ? b->fd : w->v->fd;
	w->relative = w->jumped = false;
	w->len = 0;
	w->text[0] = '\0';
}

static bool walk_put(struct walk *w, const char *name, size_t n)
{
	if (w->len + n + 2 > TEXT)
		return false;
	if (w->len)
		w->text[w->len++] = '/';
	memcpy(w->text + w->len, name, n);
	w->len += n;
	w->text[w->len] = '\0';
	return true;
}

/* Cuts the last name off. */
static void walk_cut(struct walk *w)
{
	while (w->len && w->text[--w->len] != '/')
		;
	w->text[w->len] = '\0';
}

/* "..".  1; 0: the long way; -errno. */
static int walk_up(struct walk *w)
{
	const struct bind *b = w->in;
	struct stat st;
	int r;

	if (w->relative && !w->len)
		return 0;
	/* who may not search a directory does not come up from it */
	if (!walk_put(w, ".", 1))
		return 0;
	r = sys_fstatat(w->base, w->text, &st, 0);
	walk_cut(w);
	if (r < 0)
		return r;
	if (w->len) {
		walk_cut(w);
	} else if (b) {
		walk_from(w, NULL);
		if (b->name - b->guest > 1)
			return 0; /* a bind point below another directory */
	}
	return 1;
}

/* Is the name that of a bind point? */
static bool walk_named(const struct walk *w, const char *name)
{
	for (size_t i = 0; i < w->v->nbinds; i++)
		if (mem_equal(w->v->binds[i].name, name))
			return true;
	return false;
}

/* Is where the walk has come a bind point?  It goes on there then. */
static void walk_bind(struct walk *w)
{
	for (size_t i = 0; !w->relative && !w->in && i < w->v->nbinds; i++)
		if (mem_equal(w->v->binds[i].guest + 1, w->text)) {
			walk_from(w, &w->v->binds[i]);
			return;
		}
}

/* Does fs.protected_symlinks forbid to follow such a symlink as last name, perhaps (proc_sys_fs(5))? */
static bool walk_protected(struct walk *w, const struct stat *link)
{
	char *last = (char *)(uintptr_t)mem_base(w->text);
	struct stat up;
	int r;

	if (link->st_uid == (uid_t)sys_call(SYS_geteuid))
		return false;
	if (last == w->text) {
		r = sys_fstatat(w->base, w->relative ? "." : "", &up, w->relative ? 0 : AT_EMPTY_PATH);
	} else {
		last[-1] = '\0';
		r = sys_fstatat(w->base, w->text, &up, AT_SYMLINK_NOFOLLOW);
		last[-1] = '/';
	}
	return r < 0 || (up.st_mode & S_ISVTX && up.st_mode & S_IWOTH);
}

/* The target of the symlink that the walk has come to goes in front of rest.  NULL: the long way. */
static char *walk_link(struct walk *w, const struct stat *st, char *rest, bool last)
{
	char *const front = w->todo;
	long n;

	/* a symlink of procfs is a door; but "self" and the like are texts */
	if (place_in_proc(w->v, st->st_dev) && !(w->in && w->in->is_proc && mem_base(w->text) == w->text))
		return NULL;
	if (last && walk_protected(w, st))
		return NULL;
	n = sys_readlinkat(w->base, w->text, front, (size_t)(rest - front));
	if (n <= 0 || n + 1 >= rest - front)
		return NULL;
	walk_cut(w);
	if (*rest)
		*--rest = '/';
	rest -= n;
	memmove(rest, front, (size_t)n);
	if (*rest == '/')
		walk_from(w, NULL);
	return rest;
}

/* Walks guest, and is at the end where its last name is; how as for look_place().  1; 0: the long way; 2: again,
 * strictly; -errno. */
static int walk(struct walk *w, const char *guest, unsigned how, const struct scan *s)
{
	char *rest = w->todo + sizeof w->todo - 1 - s->len, *name;
	bool last, dir = s->slash || s->last_dots, any = false; /* any: st is of where the walk is */
	unsigned links = 0;
	struct stat st;
	uint64_t when;
	size_t n;
	int r;

	memcpy(rest, guest, s->len + 1);
	if (*rest == '/') {
		walk_from(w, NULL);
		rest = walk_known(w, rest);
	}
	for (;;) {
		while (*rest == '/')
			rest++;
		if (!*rest)
			return any && dir && !S_ISDIR(st.st_mode) ? -ENOTDIR : 1;
		for (name = rest; *rest && *rest != '/'; rest++)
			;
		n = (size_t)(rest - name);
		for (last = true; *rest == '/'; rest++)
			dir |= !rest[1];
		last = !*rest;
		if (last && n <= 2 && name[0] == '.' && (n == 1 || name[1] == '.'))
			return 0; /* as the last name: the kernel knows more about it */
		if (n == 1 && name[0] == '.')
			continue;
		if (n == 2 && name[0] == '.' && name[1] == '.') {
			r = w->jumped ? 2 : walk_up(w);
			if (r != 1)
				return r;
			any = false;
			continue;
		}
		if (!walk_put(w, name, n))
			return 0;
		if (w->jumped && walk_named(w, mem_base(w->text)))
			return 2;
		walk_bind(w);
		when = clock_allowed() ? clean_now() : 0;
		r = w->len ? sys_fstatat(w->base, w->text, &st, AT_SYMLINK_NOFOLLOW) : sys_fstat(w->base, &st);
		if (r < 0)
			return r;
		any = true;
		if (S_ISLNK(st.st_mode) && (!last || dir || !(how & PLACE_NOFOLLOW))) {
			if (++links > WALK_LINKS)
				return -ELOOP;
			rest = walk_link(w, &st, rest, last);
			if (!rest)
				return 0;
			rest = walk_known(w, rest);
			any = false;
		} else if (S_ISDIR(st.st_mode)) {
			walk_learn(w, when);
		} else if (!last) {
			return -ENOTDIR;
		}
	}
}

/* The lookup by itself; room: LOOK_ROOM bytes for its name.  As look_find(). */
static NOINLINE int look_walk(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how,
	const struct scan *s, char *room)
{
	struct walk w = {.v = v, .base = dirfd, .relative = true, .text = room};
	int r;

	for (size_t i = 0; i < v->nbinds; i++)
		if (v->binds[i].has_binds || v->binds[i].in_root)
			return 0;
	if (v->is_proc || s->len >= TEXT || (!s->abs && (s->named || v->strayed || epoch_here->apart)))
		return 0;
	room[0] = '\0';
	*ret = (struct place){0};
	if (!look_begin(ret, v, sys_filtered ? epoch_word(v) : epoch_map(v), !s->abs))
		return 0;
	w.word = ret->word;
	r = walk(&w, guest, how, s);
	if (r == 2) {
		w.strict = w.relative = true;
		w.base = dirfd;
		w.in = NULL;
		w.len = 0;
		r = walk(&w, guest, how, s);
	}
	if (r < 0)
		return look_moved(ret) ? 0 : r;
	ret->dir = w.base;
	ret->name = room;
	ret->flags = w.len ? how & PLACE_TRY ? AT_SYMLINK_NOFOLLOW : 0 : AT_EMPTY_PATH;
	return r;
}

/* 1: *ret is filled; 0: the long way; -errno. */
static int look_scanned(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how,
	const struct scan *s, char *room)
{
	int r = look_find(ret, v, dirfd, guest, how, s);

	/* what is one name of a directory needs no walk (place_find) */
	if (r == 0 && v->clean && s->len && (s->count > 1 || s->abs || !(how & PLACE_TRY)) && !view_walks(v) && eager(v))
		r = look_walk(ret, v, dirfd, guest, how, s, room);
	return r;
}

int look_try(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how, char room[LOOK_ROOM])
{
	struct scan s;
	int r = place_scan(&s, v, guest);

	*ret = (struct place){0};
	return r < 0 ? r : look_scanned(ret, v, dirfd, guest, how, &s, room);
}

int look_place(struct place *ret, const struct view *v, int dirfd, const char *guest, unsigned how, char room[LOOK_ROOM])
{
	struct scan s;
	int r;

	*ret = (struct place){0};
	if (!v || v->fd < 0 || !guest || !(how & PLACE_LOOK))
		return place_find(ret, v, dirfd, guest, how);
	r = place_scan(&s, v, guest);
	if (r < 0)
		return r;
	r = look_scanned(ret, v, dirfd, guest, how, &s, room);
	return r == 0 ? place_find_scanned(ret, v, dirfd, guest, how, &s) : r < 0 ? r : 0;
}
