/* SPDX-License-Identifier: ISC
 *
 * Which libraries a program of the host takes along into a root, and whether they can be loaded there:
 * a library that was linked against a newer glibc than the root's would end every program at its start. */
#include "carry.h"
#include "config.h"
#include "sys.h"
#include "wrap.h"
#include "place.h"
#include <elf.h>

/* -- lists ------------------------------------------------------------------------------------ */

/* The next entry of a list with colons or blanks between; *n 0: no more. */
static const char *entry_next(const char **list, size_t *n)
{
	const char *at = *list, *e;

	while (*at == ':' || *at == ' ')
		at++;
	for (e = at; *e && *e != ':' && *e != ' '; e++)
		;
	*list = e;
	*n = (size_t)(e - at);
	return at;
}

static const char *last_name(const char *path, size_t *n)
{
	size_t from = *n;

	while (from && path[from - 1] != '/')
		from--;
	*n -= from;
	return path + from;
}

/* The entry of the note with this last name: its path (of *n bytes) and glibc's minor version, or NULL. */
static const char *note_find(const char *note, const char *name, size_t len, size_t *n, unsigned *minor)
{
	const char *at;

	while (note && (at = entry_next(&note, n), *n)) {
		size_t digits = *n, last;
		const char *base;

		while (digits && at[digits - 1] != '@')
			digits--;
		*minor = 0;
		for (size_t i = digits; i < *n; i++)
			*minor = 10 * *minor + (unsigned)(at[i] - '0');
		*n = last = digits ? digits - 1 : *n;
		base = last_name(at, &last);
		if (last == len && memcmp(base, name, len) == 0)
			return at;
	}
	return NULL;
}

bool carry_named(const char *note, const char *entry)
{
	size_t n, len = strlen(entry);
	const char *base = last_name(entry, &len);
	unsigned minor;

	return note_find(note, base, len, &n, &minor) != NULL;
}

/* -- versions --------------------------------------------------------------------------------- */

/* N of "GLIBC_2.N", 0 for any other name; reads 12 bytes at most. */
static unsigned minor_of(const char *version)
{
	const char *p = mem_after(version, "GLIBC_2.");
	unsigned n = 0;

	for (int i = 0; p && i < 4 && p[i] >= '0' && p[i] <= '9'; i++)
		n = 10 * n + (unsigned)(p[i] - '0');
	return n;
}

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* The newest glibc that a loaded object asks for. */
static unsigned needed_minor(const struct link_map *m)
{
	const char *text = NULL, *need = NULL;
	unsigned most = 0;

	for (const ElfW(Dyn) *d = m->l_ld; d->d_tag != DT_NULL; d++) {
		const void *at = real_address(m->l_addr, d->d_un.d_ptr);

		if (d->d_tag == DT_STRTAB)
			text = at;
		if (d->d_tag == DT_VERNEED)
			need = at;
	}
	while (text && need) {
		const ElfW(Verneed) *v = (const void *)need;
		const char *aux = (const char *)v + v->vn_aux;

		for (unsigned i = 0; i < v->vn_cnt; i++) {
			const ElfW(Vernaux) *a = (const void *)aux;

			most = larger(most, minor_of(text + a->vna_name));
			aux += a->vna_next;
		}
		need = v->vn_next ? need + v->vn_next : NULL;
	}
	return most;
}

/* A piece of a file, read and not mapped: whoever truncates the file meanwhile must not kill us (SIGBUS). */
struct piece {
	int fd;
	uint64_t at;
	size_t have;
	char text[1024];
};

/* n bytes at `at` of the file to ret; false when they are not there. */
static bool piece_get(struct piece *p, uint64_t at, void *ret, size_t n)
{
	ssize_t r;

	if (at < p->at || at - p->at > p->have || n > p->have - (at - p->at)) {
		r = at <= INT64_MAX ? sys_pread(p->fd, p->text, sizeof p->text, (off_t)at) : -1;
		p->at = at;
		p->have = r > 0 ? (size_t)r : 0;
		if (n > p->have)
			return false;
	}
	memcpy(ret, p->text + (at - p->at), n);
	return true;
}

/* The program header number i; false: there is none. */
static bool header_get(struct piece *p, const Elf64_Ehdr *e, unsigned i, Elf64_Phdr *ret)
{
	return i < e->e_phnum && piece_get(p, e->e_phoff + (uint64_t)i * sizeof *ret, ret, sizeof *ret);
}

/* An offset in the file for an address of its memory image, 0: none. */
static uint64_t file_offset(struct piece *p, const Elf64_Ehdr *e, uint64_t address)
{
	Elf64_Phdr ph;

	for (unsigned i = 0; header_get(p, e, i, &ph); i++)
		if (ph.p_type == PT_LOAD && address >= ph.p_vaddr && address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	return 0;
}

/* The newest version that a libc's file defines, 0: cannot be told.  Everything is checked: it is a
 * root's file. */
static unsigned defined_minor(int fd)
{
	enum { MOST = 1000 };
	struct piece p = {.fd = fd}, names = {.fd = fd};
	uint64_t dynamic = 0, def = 0, text = 0;
	char name[12] = "";
	unsigned most = 0;
	Elf64_Verdaux aux;
	Elf64_Verdef v;
	Elf64_Ehdr e;
	Elf64_Phdr ph;
	Elf64_Dyn d;

	if (!piece_get(&p, 0, &e, sizeof e) || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	for (unsigned i = 0; header_get(&p, &e, i, &ph); i++)
		if (ph.p_type == PT_DYNAMIC)
			dynamic = ph.p_offset;
	for (unsigned i = 0; dynamic && i < MOST && piece_get(&names, dynamic + i * sizeof d, &d, sizeof d) && d.d_tag != DT_NULL; i++) {
		if (d.d_tag == DT_VERDEF)
			def = file_offset(&p, &e, d.d_un.d_ptr);
		if (d.d_tag == DT_STRTAB)
			text = file_offset(&p, &e, d.d_un.d_ptr);
	}
	for (unsigned i = 0; text && def && i < MOST && piece_get(&p, def, &v, sizeof v); i++) {
		if (!piece_get(&p, def + v.vd_aux, &aux, sizeof aux) || !piece_get(&names, text + aux.vda_name, name, sizeof name - 1))
			break;
		most = larger(most, minor_of(name));
		if (!v.vd_next)
			break;
		def += v.vd_next;
	}
	return most;
}

/* Of the libc in the directory of a loader. */
static unsigned libc_minor(const char *interp)
{
	char path[PATH_MAX];
	struct str s = {path, path + sizeof path};
	unsigned minor = 0;
	struct stat st;
	int fd;

	str_put(&s, interp, (size_t)(mem_base(interp) - interp));
	str_puts(&s, "libc.so.6");
	fd = s.at ? sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0) : -1;
	if (fd < 0 && s.at) /* glibc before 2.34: a symlink to libc-2.31.so beside it */
		fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		minor = defined_minor(fd);
	sys_close(fd);
	return minor;
}

/* A library that an object needs and that is none of glibc's own, or NULL. */
static const char *needed_foreign(const struct link_map *m)
{
	static const char *const own[] = {"libc.so.", "libdl.so.", "libpthread.so.", "librt.so.", "libm.so.", "ld-linux"};
	const char *text = NULL;

	for (const ElfW(Dyn) *d = m->l_ld; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_STRTAB)
			text = real_address(m->l_addr, d->d_un.d_ptr);
	for (const ElfW(Dyn) *d = m->l_ld; text && d->d_tag != DT_NULL; d++) {
		bool known = d->d_tag != DT_NEEDED;

		for (size_t i = 0; !known && i < ROWS(own); i++)
			known = mem_after(text + d->d_un.d_val, own[i]) != NULL;
		if (!known)
			return text + d->d_un.d_val;
	}
	return NULL;
}

/* -- what is carried -------------------------------------------------------------------------- */

static const struct link_map *loaded_as(const char *name, size_t n)
{
	for (const struct link_map *m = real_objects(); m; m = m->l_next) {
		size_t len = m->l_name ? strlen(m->l_name) : 0;
		const char *base = len ? last_name(m->l_name, &len) : "";

		if (len == n && memcmp(base, name, n) == 0 && *m->l_name == '/')
			return m;
	}
	return NULL;
}

/* Does the program's result depend on this library without a word, so that running without it is worse than not
 * running?  fakeroot(1) and pseudo(1), who say that a user is root. */
static bool pretends(const char *name, size_t n)
{
	static const char *const names[] = {"libfakeroot", "libpseudo"};

	for (size_t i = 0; i < ROWS(names); i++)
		if (n > strlen(names[i]) && memcmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

enum { NEVER = 9999 }; /* the glibc that a library needs that can be taken into no root */

void carry_find(const char *list, char *ret)
{
	struct str s = {ret, ret + CARRY_NOTE};
	const char *at;
	size_t n;

	*ret = '\0';
	while (list && (at = entry_next(&list, &n), n)) {
		const char *base = last_name(at, &n);
		const struct link_map *m = loaded_as(base, n);
		const char *foreign = m ? needed_foreign(m) : NULL;

		if (!m || mem_find(m->l_name, ':') || mem_find(m->l_name, ' ') || mem_find(m->l_name, '$'))
			continue;
		if (foreign && !pretends(base, n)) {
			SAY(m->l_name, ": needs ", foreign, ", which may be another in the root: not preloaded there");
			continue;
		}
		if (s.at != ret)
			str_puts(&s, ":");
		str_puts(&s, m->l_name);
		str_puts(&s, "@");
		str_num(&s, foreign ? NEVER : needed_minor(m));
	}
	if (!s.at)
		*ret = '\0';
}

/* What is wrong with a library that stays outside: wrong has room for it. */
static const char *why_not(unsigned needs, unsigned has, bool musl, char wrong[96])
{
	struct str s = {wrong, wrong + 96};

	if (musl)
		return "is the host's, and the program's C library is musl";
	if (needs == NEVER)
		return "needs a library that may be another in the root";
	str_puts(&s, "needs GLIBC_2.");
	str_num(&s, needs);
	str_puts(&s, ", and the root's libc ends at GLIBC_2.");
	str_num(&s, has);
	return wrong;
}

/* Appends the root's own library of the same name as path (n bytes) has, behind prefix; false: it has none.  The
 * name says by which protocol fakeroot's library speaks to its daemon, of whatever version that is. */
static bool roots_own(struct str *s, const struct view *v, const char *path, size_t n, const char *prefix)
{
	static const char *const dirs[] = {"/usr/lib/" SYS_ARCH_NAME "-linux-gnu/libfakeroot/", "/usr/lib64/libfakeroot/",
		"/usr/lib/libfakeroot/"};
	static const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	size_t len = n;
	const char *base = last_name(path, &len), *guest;

	for (size_t i = 0; i <= (pretends(base, len) ? ROWS(dirs) : 0); i++) {
		struct str try = *s;
		int fd;

		str_puts(&try, prefix);
		guest = try.at;
		str_puts(&try, "/"); /* another text than the note's, by which the audit module knows the host's file */
		if (i)
			str_puts(&try, dirs[i - 1]);
		else
			str_put(&try, path, n - len);
		str_put(&try, base, len);
		fd = try.at ? place_open(v, AT_FDCWD, guest, &how) : -1;
		if (fd < 0)
			continue;
		sys_close(fd);
		*s = try;
		return true;
	}
	return false;
}

/* One line about a library that cannot go along: 0, or -ELIBACC where the program must not run without it. */
static long stays(const char *path, size_t n, const char *why)
{
	char name[256];
	struct str s = {name, name + sizeof name};

	path = last_name(path, &n);
	str_put(&s, path, n);
	if (!pretends(path, n)) {
		SAY(name, ": ", why, ": not preloaded there");
		return 0;
	}
	SAY(name, ": ", why, ", so that nobody would seem to be root there: install the root's own, as "
		"/usr/lib/" SYS_ARCH_NAME "-linux-gnu/libfakeroot/", name, " (Debian: libfakeroot)");
	return -ELIBACC;
}

long carry_put(struct str *s, const struct view *v, const char *list, const char *note, const char *interp, bool musl, bool say)
{
	/* musl's loader has no audit module, which would look in the root */
	const char *at, *path, *base, *const prefix = musl ? v->host : "", *const start = s->at;
	char wrong[96];
	unsigned needs, has = 0;
	bool asked = musl;
	size_t n, len, path_len;
	struct str was;
	long r = 0;

	while (list && (at = entry_next(&list, &n), n)) {
		len = n;
		base = last_name(at, &len);
		path = note_find(note, base, len, &path_len, &needs);
		if (path && !asked) {
			has = libc_minor(interp);
			asked = true;
		}
		was = *s;
		if (s->at != start)
			str_puts(s, ":");
		if (!path) {
			str_puts(s, *at == '/' ? prefix : "");
			str_put(s, at, n);
		} else if (!musl && needs != NEVER && (!has || needs <= has)) {
			str_put(s, path, path_len);
		} else if (!roots_own(s, v, path, path_len, prefix)) {
			*s = was;
			if (say && r == 0)
				r = stays(path, path_len, why_not(needs, has, musl, wrong));
		}
	}
	return r;
}
