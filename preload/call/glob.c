/* SPDX-License-Identifier: ISC
 *
 * glob(3).  glibc's own does the work with our directory functions as its GLOB_ALTDIRFUNC; musl's
 * has no such door, so for musl there is a whole one here whose results musl's globfree(3) takes
 * back.  For both, ~user is replaced before: libc would ask NSS, or the host's passwd file. */
#include <fnmatch.h>
#include "../config.h"
#include "../env.h"
#include "../source.h"
#include "../state.h"
#include "../wrap.h"

typedef int glob_err(const char *path, int err);

enum { GLOB_TILDES = GLOB_TILDE | GLOB_TILDE_CHECK };

/* -- ~ and ~user --------------------------------------------------------------------------- */

/* One account's home directory to home: its length, or -1 when there is no such account. */
static long glob_home_of(const char *user, char home[PATH_MAX])
{
	const long n = source_home(user, (uid_t)sys_call(SYS_getuid), home, PATH_MAX);

	return n > 0 && n <= PATH_MAX ? n - 1 : -1;
}

/* ~ alone is $HOME.  Without one, glibc takes the home of who has logged in, musl that of the
 * user id; to glibc an empty $HOME is none. */
static long glob_home(char home[PATH_MAX])
{
	const char *env = env_get(config_environ(), "HOME");
	char user[256];

	if (env && (*env || config()->musl)) {
		size_t n = strlen(env);

		if (n >= PATH_MAX)
			return -1;
		memcpy(home, env, n + 1);
		return (long)n;
	}
	if (config()->musl)
		return glob_home_of(NULL, home);
	return jail_getlogin_r(user, sizeof user) == 0 ? glob_home_of(user, home) : -1;
}

/* The home directory that the start of pattern means, to home: its length, *ret_rest what
 * follows in the pattern (nothing, or from the slash on; behind a lone ~ a backslash too).  -1: nobody's. */
static long glob_tilde(const char *pattern, int flags, char home[PATH_MAX], const char **ret_rest)
{
	bool escapes = !(flags & GLOB_NOESCAPE) && !config()->musl;
	const char *p = pattern + 1;
	char user[256];
	size_t n = 0;

	for (; *p && *p != '/'; p++) {
		if (escapes && *p == '\\' && (p[1] || !n) && (!*++p || *p == '/'))
			break;
		if (n < sizeof user - 1) /* a longer name is nobody's */
			user[n++] = *p;
	}
	user[n] = '\0';
	*ret_rest = n ? p : pattern + 1;
	return n ? glob_home_of(user, home) : glob_home(home);
}

/* -- glibc --------------------------------------------------------------------------------- */

/* How many directories glibc's glob has open: in one at least it asks about names there.  Of all threads,
 * since a hook is told nothing but a name; what depends on it is as rare as the threads that disagree. */
static int glob_open;

static void *glob_opendir(const char *path)
{
	void *dir = jail_opendir(path);

	__atomic_fetch_add(&glob_open, dir != NULL, __ATOMIC_RELAXED);
	return dir;
}

static struct dirent *glob_readdir(void *dir)
{
	return LIBC(readdir, struct dirent *, (void *))(dir);
}

static void glob_closedir(void *dir)
{
	__atomic_fetch_add(&glob_open, -1, __ATOMIC_RELAXED);
	jail_closedir(dir);
}

/* Of a name in a directory, with nothing to do with the way to the directory. */
static NOINLINE long glob_stat_in(const char *path, struct stat *st)
{
	const char *base = mem_base(path);
	size_t n = (size_t)(base - path);
	char dir[PATH_MAX];
	long r, fd;

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= sizeof dir)
		return -ENAMETOOLONG;
	memcpy(dir, path, n);
	dir[n] = '\0';
	fd = guest_open_own(AT_FDCWD, n ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = guest_newfstatat((int)fd, base, st, 0);
	sys_close((int)fd);
	return r;
}

/* What glibc's glob asks about the names in a directory it asks at the open directory, so that neither
 * symlinks on the way there count nor its length; to add GLOB_MARK's slash it asks by the whole name. */
static int glob_stat(const char *path, struct stat *st)
{
	long r = guest_newfstatat(AT_FDCWD, path, st, 0);

	if ((r == -ELOOP || r == -ENAMETOOLONG) && __atomic_load_n(&glob_open, __ATOMIC_RELAXED) > 0)
		r = glob_stat_in(path, st);
	return EDGE(int, r);
}

static int glob_lstat(const char *path, struct stat *st)
{
	return EDGE(int, guest_newfstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW));
}

/* libc's glob with our directories; the caller's flags and functions are put back.  with: the
 * flags to work by, where they are not what the program gave. */
static int glob_down(const char *pattern, int flags, int with, glob_err *err, glob_t *g)
{
	glob_t own = *g;
	bool ours = state_view() && !(flags & GLOB_ALTDIRFUNC);
	int r;

	if (ours) {
		with |= GLOB_ALTDIRFUNC;
		g->gl_opendir = glob_opendir;
		g->gl_readdir = glob_readdir;
		g->gl_closedir = glob_closedir;
		g->gl_stat = glob_stat;
		g->gl_lstat = glob_lstat;
	}
	r = REAL(glob)(pattern, with, err, g);
	if (ours) {
		g->gl_opendir = own.gl_opendir;
		g->gl_readdir = own.gl_readdir;
		g->gl_closedir = own.gl_closedir;
		g->gl_stat = own.gl_stat;
		g->gl_lstat = own.gl_lstat;
	}
	if (r == 0) /* libc adds GLOB_MAGCHAR and more to what it was given */
		g->gl_flags = (g->gl_flags & ~(with & ~flags)) |
			      (flags & ~with & (GLOB_TILDES | GLOB_BRACE));
	return r;
}

/* What every call leaves before it looks at anything. */
static int glob_empty(glob_t *g, int flags)
{
	if (!(flags & GLOB_DOOFFS))
		g->gl_offs = 0;
	if (flags & GLOB_APPEND)
		return 0;
	g->gl_pathc = 0;
	g->gl_pathv = NULL;
	if (flags & GLOB_DOOFFS) {
		g->gl_pathv =
			HEAP(calloc, void *, (size_t, size_t))(g->gl_offs + 1, sizeof(char *));
		return g->gl_pathv ? 0 : GLOB_NOSPACE;
	}
	return 0;
}

/* Adds text, whatever it may be a pattern of: a slash goes behind what is a directory.  For "~user" without
 * a slash and for a pattern that GLOB_NOCHECK gives back. */
static int glob_itself(const char *text, int flags, glob_t *g)
{
	const size_t n = strlen(text), at = (flags & GLOB_DOOFFS ? g->gl_offs : 0) + g->gl_pathc;
	char *copy = HEAP(malloc, void *, (size_t))(n + 2);
	char **v = copy ? HEAP(realloc, void *, (void *, size_t))(g->gl_pathv, (at + 2) * sizeof *v) : NULL;
	struct stat st;

	if (!v) {
		HEAP(free, void, (void *))(copy);
		return GLOB_NOSPACE;
	}
	memcpy(copy, text, n + 1);
	if (flags & GLOB_MARK && (flags & GLOB_ALTDIRFUNC ? g->gl_stat(text, &st) : glob_stat(text, &st)) == 0 &&
		S_ISDIR(st.st_mode))
		memcpy(copy + n, "/", 2);
	v[at] = copy;
	v[at + 1] = NULL;
	g->gl_pathv = v;
	g->gl_pathc++;
	g->gl_flags = flags;
	return 0;
}

/* "~/" alone is the empty name in the home directory, asked for as glibc asks for any name (glob_in_dir).
 * home: the directory and a slash. */
static int glob_home_slash(const char *home, int flags, glob_t *g)
{
	struct stat st;

	home += mem_equal(home, "//");
	if ((flags & GLOB_ALTDIRFUNC ? g->gl_lstat(home, &st) : glob_lstat(home, &st)) != 0)
		return GLOB_NOMATCH;
	return glob_itself(home, (flags & ~GLOB_NOMAGIC) | GLOB_NOCHECK, g);
}

static int glob_braces(const char *pattern, int flags, glob_err *err, glob_t *g);

/* A name and a slash, n bytes, is to glibc the name with a slash put behind what is a directory (posix/glob.c):
 * nobody's "~nonesuch/" comes back without one.  A backslash in front of the slash goes with it, unless it
 * is itself quoted.  Of many slashes all but one go at once: no deep recursion. */
static int glob_slash(const char *pattern, size_t n, int flags, glob_err *err, glob_t *g)
{
	const int asked = flags;
	char *text = HEAP(malloc, void *, (size_t))(n);
	size_t quotes = 0;
	int r;

	if (!text)
		return GLOB_NOSPACE;
	memcpy(text, pattern, --n);
	while (!(flags & GLOB_NOESCAPE) && quotes < n && text[n - 1 - quotes] == '\\')
		quotes++;
	if (quotes % 2) {
		n--;
		flags &= ~(GLOB_NOCHECK | GLOB_NOMAGIC);
	}
	while (n > 1 && text[n - 1] == '/' && text[n - 2] == '/')
		n--;
	text[n] = '\0';
	r = glob_braces(text, flags | GLOB_MARK, err, g);
	HEAP(free, void, (void *))(text);
	if (r == 0)
		g->gl_flags = (g->gl_flags & ~GLOB_MARK) | (asked & GLOB_MARK);
	if (r == GLOB_NOMATCH && quotes % 2 && asked & GLOB_NOCHECK)
		r = glob_itself(pattern, asked, g);
	return r;
}

/* A pattern whose braces are replaced already. */
static int glob_plain(const char *pattern, int flags, glob_err *err, glob_t *g)
{
	int r, with = flags & ~(GLOB_TILDES | GLOB_BRACE);
	const size_t m = strlen(pattern);
	char home[PATH_MAX], *text;
	const char *rest;
	long n;

	if (m > 1 && pattern[m - 1] == '/') {
		flags |= GLOB_ONLYDIR;
		if (m > 2)
			return glob_slash(pattern, m, flags, err, g);
	}
	if (*pattern != '~')
		return glob_down(pattern, flags, with, err, g);
	n = glob_tilde(pattern, flags, home, &rest);
	if (n < 0 && flags & GLOB_TILDE_CHECK) {
		glob_empty(g, flags);
		return GLOB_NOMATCH;
	}
	if (n < 0 && rest == pattern + 1) { /* no home: "~" is replaced by "~" */
		*home = '~';
		n = 1;
	}
	/* In a directory that it has replaced glibc looks for each name, whatever these two say (dirname_modified).
	 * When nothing is there GLOB_NOCHECK counts again, for the text of the pattern. */
	if (n >= 0)
		with &= ~(GLOB_NOCHECK | GLOB_NOMAGIC);
	else
		n = 0, rest = pattern;
	text = HEAP(malloc, void *, (size_t))((size_t)n + strlen(rest) + 1);
	if (!text)
		return GLOB_NOSPACE;
	memcpy(text, home, (size_t)n);
	memcpy(text + n, rest, strlen(rest) + 1);
	if (m > 2 && mem_find(pattern, '/'))
		r = glob_down(text, flags, with, err, g);
	else if ((r = glob_empty(g, flags)) == 0)
		r = mem_find(pattern, '/') ? glob_home_slash(text, flags, g) : glob_itself(text, flags, g);
	HEAP(free, void, (void *))(text);
	if (r == GLOB_NOMATCH && flags & GLOB_NOCHECK)
		r = glob_itself(pattern, flags, g);
	return r;
}

/* The end of one alternative between braces: its ',' or '}'; NULL: there is none. */
static const char *glob_alternative(const char *p, int flags)
{
	for (int depth = 0; *p; p++) {
		if (*p == '\\' && !(flags & GLOB_NOESCAPE)) {
			if (!*++p)
				break;
		} else if (*p == '{') {
			depth++;
		} else if (*p == '}' && depth-- == 0) {
			return p;
		} else if (*p == ',' && depth == 0) {
			return p;
		}
	}
	return NULL;
}

/* A pattern with a '~' in it, and GLOB_BRACE perhaps: braces come first, and each alternative may begin
 * with a tilde of its own ("{~a,~b}/x", "~{a,b}").  The order of results and errors is glibc's. */
static int glob_braces(const char *pattern, int flags, glob_err *err, glob_t *g)
{
	const char *open = pattern, *rest, *p, *end;
	size_t before;
	int with = (flags & ~(GLOB_NOCHECK | GLOB_NOMAGIC)) | GLOB_APPEND, r;

	for (; *open && *open != '{'; open++)
		if (*open == '\\' && !(flags & GLOB_NOESCAPE) && open[1])
			open++;
	if (!*open || !(flags & GLOB_BRACE))
		return glob_plain(pattern, flags, err, g);
	for (rest = open; rest && (rest == open || *rest != '}');)
		rest = glob_alternative(rest + 1, flags);
	if (!rest) /* an unclosed brace is itself */
		return glob_plain(pattern, flags & ~GLOB_BRACE, err, g);
	r = glob_empty(g, flags);
	if (r != 0)
		return r;
	before = g->gl_pathc;
	for (p = open; *p != '}'; p = end) {
		size_t head = (size_t)(open - pattern), body, tail = strlen(rest + 1) + 1;
		char *text;

		end = glob_alternative(++p, flags);
		body = (size_t)(end - p);
		text = HEAP(malloc, void *, (size_t))(head + body + tail);
		if (!text)
			return GLOB_NOSPACE;
		memcpy(text, pattern, head);
		memcpy(text + head, p, body);
		memcpy(text + head + body, rest + 1, tail);
		r = glob_braces(text, with, err, g);
		HEAP(free, void, (void *))(text);
		if (r != 0 && r != GLOB_NOMATCH) {
			if (!(flags & GLOB_APPEND))
				LIBC(globfree, void, (glob_t *))(g);
			return r;
		}
	}
	if (g->gl_pathc != before)
		return 0;
	if (!(flags & (GLOB_NOCHECK | GLOB_NOMAGIC)))
		return GLOB_NOMATCH;
	if (!(flags & GLOB_APPEND) && g->gl_pathv)
		LIBC(globfree, void, (glob_t *))(g);
	return glob_plain(pattern, flags, err, g);
}

/* -- musl ---------------------------------------------------------------------------------- */

/* The blocks that musl's globfree(3) frees: it goes back from gl_pathv[i] by offsetof(name). */
struct match {
	struct match *next;
	char name[];
};

struct search {
	int flags;
	glob_err *err;
	size_t count;
	struct match *first, **last;
	char path[PATH_MAX]; /* what the pattern has become so far */
};

static int search_found(struct search *s, const char *name, size_t n, bool mark)
{
	struct match *m = HEAP(malloc, void *, (size_t))(sizeof *m + n + 2);

	if (!m)
		return GLOB_NOSPACE;
	memcpy(m->name, name, n + 1);
	if (mark && n && name[n - 1] != '/')
		memcpy(m->name + n, "/", 2);
	m->next = NULL;
	*s->last = m;
	s->last = &m->next;
	s->count++;
	return 0;
}

static int search_error(struct search *s, int e)
{
	return (s->err && s->err(s->path, e)) || s->flags & GLOB_ERR ? GLOB_ABORTED : 0;
}

/* The pattern is used up: does what it became exist?  type: as readdir(3) said, 0 unknown. */
static int search_end(struct search *s, size_t at, unsigned char type)
{
	bool mark = s->flags & GLOB_MARK;
	struct stat st;
	long r;

	s->path[at] = '\0';
	if (mark && (type == DT_UNKNOWN || type == DT_LNK) &&
		guest_newfstatat(AT_FDCWD, s->path, &st, 0) == 0)
		type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	if (type == DT_UNKNOWN) {
		r = guest_newfstatat(AT_FDCWD, s->path, &st, AT_SYMLINK_NOFOLLOW);
		if (r < 0)
			return r == -ENOENT ? 0 : search_error(s, (int)-r);
	}
	return search_found(s, s->path, at, mark && type == DT_DIR);
}

/* Where the component p ends: at a slash, or at the backslash of an escaped one. */
static char *search_component(char *p, int flags, bool *ret_magic)
{
	bool bracket = false;

	*ret_magic = false;
	for (; *p && *p != '/'; p++) {
		if (*p == '\\' && !(flags & GLOB_NOESCAPE)) {
			if (bracket && p[1] == ']')
				*ret_magic = true;
			if (p[1] == '/')
				break;
			if (p[1])
				p++;
		} else if (*p == '*' || *p == '?' || (bracket && *p == ']')) {
			*ret_magic = true;
		} else if (*p == '[') {
			bracket = true;
		}
	}
	return p;
}

static int search(struct search *s, size_t at, char *p, unsigned char type);

/* musl puts what stands in front of the first wildcard of the component p behind what it has made so far, and finds
 * nothing where there is no room for it; only a bracket is kept in mind instead (src/regex/glob.c). */
static bool search_fits(size_t at, const char *p, int flags)
{
	bool bracket = false;

	for (; *p != '*' && *p != '?' && (!bracket || *p != ']'); p++) {
		if (*p == '[') {
			bracket = true;
		} else if (*p == '\\' && !(flags & GLOB_NOESCAPE)) {
			if (bracket && p[1] == ']')
				break;
			p++;
		}
		if (!bracket && ++at >= PATH_MAX)
			return false;
	}
	return true;
}

/* Every name of the directory that matches the component p; rest follows it. */
static int search_directory(struct search *s, size_t at, const char *p, char *rest)
{
	int flags = s->flags & GLOB_NOESCAPE ? FNM_NOESCAPE : 0, r = 0, saved = *__errno_location();
	int (*match)(const char *, const char *, int) =
		LIBC(fnmatch, int, (const char *, const char *, int));
	struct dirent *d = NULL;
	DIR *dir;

	s->path[at] = '\0';
	dir = jail_opendir(at ? s->path : ".");
	if (!dir)
		return search_error(s, *__errno_location());
	while (r == 0) {
		size_t n;
		const char *name;

		errno_set(0);
		d = LIBC(readdir, struct dirent *, (DIR *))(dir);
		if (!d)
			break;
		name = d->d_name;
		n = strlen(name);
		if (*rest && d->d_type != DT_UNKNOWN && d->d_type != DT_DIR && d->d_type != DT_LNK)
			continue;
		if (n >= PATH_MAX - at ||
			match(p, name, s->flags & GLOB_PERIOD ? flags : flags | FNM_PERIOD))
			continue;
		/* GLOB_PERIOD lets "*" match a dot, but not go through "." and ".." */
		if (*rest && (mem_equal(name, ".") || mem_equal(name, "..")) &&
			match(p, name, flags | FNM_PERIOD))
			continue;
		memcpy(s->path + at, name, n + 1);
		r = search(s, at + n, rest, d->d_type);
	}
	if (r == 0 && *__errno_location() != 0) {
		s->path[at] = '\0';
		r = search_error(s, *__errno_location());
	}
	jail_closedir(dir);
	errno_set(saved);
	return r;
}

/* Goes on from s->path, of which at bytes are made, with the pattern p (changed and restored). */
static int search(struct search *s, size_t at, char *p, unsigned char type)
{
	for (;;) {
		bool magic;
		char *end;
		int r;

		/* After a name that readdir gave, slashes alone leave a directory one. */
		if (*p && type != DT_DIR)
			type = DT_UNKNOWN;
		for (; *p == '/' || (*p == '\\' && p[1] == '/' && !(s->flags & GLOB_NOESCAPE));
			p++) {
			if (*p == '\\')
				continue;
			if (at + 1 >= PATH_MAX)
				return 0;
			s->path[at++] = '/';
		}
		if (!*p)
			return search_end(s, at, type);
		type = DT_UNKNOWN;
		end = search_component(p, s->flags, &magic);
		if (magic) {
			char sep = *end, *copy;

			if (!search_fits(at, p, s->flags))
				return 0;
			*end = '\0';
			copy = LIBC(strdup, char *, (const char *))(p);
			*end = sep;
			if (!copy)
				return GLOB_NOSPACE;
			r = search_directory(s, at, copy, end);
			HEAP(free, void, (void *))(copy);
			return r;
		}
		for (; p < end; p++) {
			if (*p == '\\' && !(s->flags & GLOB_NOESCAPE) && !*++p)
				return 0; /* an unpaired backslash matches nothing */
			if (at + 1 >= PATH_MAX)
				return 0;
			s->path[at++] = *p;
		}
	}
}

static int search_order(const void *a, const void *b)
{
	const unsigned char *x = *(unsigned char *const *)a, *y = *(unsigned char *const *)b;

	while (*x && *x == *y)
		x++, y++;
	return *x - *y;
}

typedef int compare(const void *, const void *);

static int glob_musl(const char *pattern, int flags, glob_err *err, glob_t *g)
{
	void (*sort)(void *, size_t, size_t, compare *) =
		LIBC(qsort, void, (void *, size_t, size_t, compare *));
	struct search s = {.flags = flags, .err = err, .last = &s.first};
	size_t offs = flags & GLOB_DOOFFS ? g->gl_offs : 0, n = 0, old = 0;
	const char *rest = pattern;
	char *text, **v;
	int r = 0;

	if (!(flags & GLOB_APPEND)) {
		g->gl_offs = offs;
		g->gl_pathc = 0;
		g->gl_pathv = NULL;
	}
	if (flags & GLOB_TILDES && *pattern == '~') {
		long home = glob_tilde(pattern, flags, s.path, &rest);

		r = home < 0 ? GLOB_NOMATCH : 0;
		n = home < 0 ? 0 : (size_t)home;
		if (r == 0 && *rest && n + 1 < PATH_MAX) { /* its slash is a part of it (src/regex/glob.c) */
			s.path[n++] = '/';
			rest++;
		}
	}
	if (r == 0 && *pattern) {
		text = LIBC(strdup, char *, (const char *))(rest);
		if (!text)
			return GLOB_NOSPACE;
		/* a home directory with nothing behind it is taken on trust, unless to be marked */
		r = search(&s, n, text, flags & GLOB_MARK ? DT_UNKNOWN : DT_REG);
		HEAP(free, void, (void *))(text);
	}
	if (r != GLOB_NOSPACE && !s.count) {
		if (!(flags & GLOB_NOCHECK))
			return GLOB_NOMATCH; /* also after GLOB_ABORTED, as musl */
		if (search_found(&s, pattern, strlen(pattern), false))
			r = GLOB_NOSPACE;
	}
	if (r != GLOB_NOSPACE) {
		old = flags & GLOB_APPEND ? g->gl_pathc : 0;
		v = HEAP(realloc, void *, (void *, size_t))(
			old ? g->gl_pathv : NULL, (offs + old + s.count + 1) * sizeof *v);
		r = v ? r : GLOB_NOSPACE;
	}
	if (r == GLOB_NOSPACE) {
		for (struct match *m = s.first, *next; m; m = next) {
			next = m->next;
			HEAP(free, void, (void *))(m);
		}
		return r;
	}
	if (!old)
		memset(v, 0, offs * sizeof *v);
	g->gl_pathv = v;
	v += offs + old;
	n = 0;
	for (struct match *m = s.first; m; m = m->next)
		v[n++] = m->name;
	v[n] = NULL;
	g->gl_pathc += n;
	if (!(flags & GLOB_NOSORT))
		sort(v, n, sizeof *v, search_order);
	return r;
}

int jail_glob(const char *pattern, int flags, glob_err *err, glob_t *g)
{
	bool tilde;

	if (!pattern || !g)
		return REAL(glob)(pattern, flags, err, g);
	tilde = flags & GLOB_TILDES && mem_find(pattern, '~');
	if (!tilde && !state_view())
		return REAL(glob)(pattern, flags, err, g);
	if (config()->musl)
		return glob_musl(pattern, flags, err, g);
	return tilde ? glob_braces(pattern, flags, err, g) : glob_down(pattern, flags, flags, err, g);
}
