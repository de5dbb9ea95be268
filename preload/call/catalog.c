/* SPDX-License-Identifier: ISC
 *
 * catopen(3).  Where a message catalog is, is for NLSPATH, the locale and the guest's tree to say; what
 * is in it is for libc, which is given the magic link of the file that was found. */
#include "../wrap.h"

typedef void *catalog; /* nl_catd */
#define CATALOG_NONE ((catalog)-1)

static size_t cat_until(const char *s, const char *ends)
{
	size_t n = 0;

	while (s[n] && !mem_find(ends, s[n]))
		n++;
	return n;
}

/* libc's own catopen of the guest's file path. */
static catalog cat_open(const char *path)
{
	catalog (*real)(const char *, int) = REAL(catopen);
	char link[PLACE_PATH];
	struct str s = {link, link + sizeof link};
	catalog c = CATALOG_NONE;
	long fd = guest_open_own(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);

	if (fd < 0) {
		errno_set((int)-fd);
		return CATALOG_NONE;
	}
	str_puts(&s, "/proc/self/fd/");
	str_num(&s, (unsigned long)fd);
	c = real(link, 0);
	sys_close((int)fd);
	return c;
}

/* One entry of NLSPATH, up to a colon: what it means for name, catopen(3).  Where the entry ends.  To
 * glibc a modifier (@euro) is a part of what is in front of it, and an entry with a letter that it does
 * not know is none (catgets/open_catalog.c). */
static const char *cat_entry(const char *p, const char *name, const char *lang, struct str *to)
{
	const bool musl = config()->musl;

	for (; *p && *p != ':'; p++) {
		const char *part;

		if (*p != '%') {
			str_put(to, p, 1);
			continue;
		}
		if (!*++p)
			break;
		switch (*p) {
		case 'N': str_puts(to, name); break;
		case 'L': str_puts(to, lang); break;
		case 'l': str_put(to, lang, cat_until(lang, musl ? "_.@" : "_.")); break;
		case 't':
			part = mem_find(lang, '_');
			if (part)
				str_put(to, part + 1, cat_until(part + 1, musl ? ".@" : "."));
			break;
		case 'c':
			part = mem_find(lang, '.');
			if (part)
				str_put(to, part + 1, cat_until(part + 1, musl ? "@" : ""));
			break;
		case '%': str_put(to, "%", 1); break;
		default: to->at = NULL; break;
		}
	}
	return p;
}

static const char *cat_variable(const char *name)
{
	char *(*get)(const char *) = LIBC(getenv, char *, (const char *));
	const char *text = get ? get(name) : NULL;

	return text && *text ? text : NULL;
}

catalog jail_catopen(const char *name, int flag)
{
	enum { MESSAGES = 5 /* LC_MESSAGES, in glibc and musl */, BY_LOCALE = 1 /* NL_CAT_LOCALE */ };
	/* glibc's, with the usual prefix; musl has none */
	static const char last[] = "/usr/share/locale/%L/%N:/usr/share/locale/%L/LC_MESSAGES/%N:"
				   "/usr/share/locale/%l/%N:/usr/share/locale/%l/LC_MESSAGES/%N";
	catalog (*real)(const char *, int) = REAL(catopen), c;
	char *(*locale)(int, const char *) = LIBC(setlocale, char *, (int, const char *));
	const char *paths[] = {cat_variable("NLSPATH"), config()->musl ? NULL : last};
	const char *lang;
	char path[PATH_MAX];
	int error = 0;

	if (!real || !name) {
		errno_set(real ? EFAULT : ENOSYS);
		return CATALOG_NONE;
	}
	if (!state_view())
		return real(name, flag);
	if (mem_find(name, '/'))
		return cat_open(name);
	lang = flag == BY_LOCALE && locale ? locale(MESSAGES, NULL) : cat_variable("LANG");
	if (!lang || !*lang)
		lang = config()->musl ? "" : "C";
	for (size_t i = 0; i < ROWS(paths); i++) {
		bool more = paths[i] != NULL;

		for (const char *p = paths[i]; more;) {
			struct str s = {path, path + sizeof path};
			long r;

			p = cat_entry(p, name, lang, &s);
			if (s.at == path)
				str_puts(&s, name);
			/* glibc puts its own path behind the program's, and a colon between */
			more = *p == ':' && (p[1] || (i == 0 && !config()->musl));
			p++;
			if (!s.at)
				continue;
			r = guest_faccessat2(AT_FDCWD, path, R_OK, 0);
			if (r < 0)
				error = (int)-r;
			else if (error) /* a file that is no catalog says nothing of its own */
				errno_set(error);
			c = r < 0 ? CATALOG_NONE : cat_open(path);
			if (c != CATALOG_NONE || (r == 0 && !config()->musl))
				return c;
		}
	}
	errno_set(error ? error : ENOENT);
	return CATALOG_NONE;
}
