/* SPDX-License-Identifier: ISC
 *
 * Which libraries a program of the host takes along into a root, and whether they can be loaded there:
 * a library that was linked against a newer glibc than the root's would end every program at its start. */
#include "carry.h"
#include "config.h"
#include "sys.h"
#include "wrap.h"
#include <elf.h>
#include <sys/mman.h>

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

/* An offset in the file for an address of its memory image, 0: none. */
static size_t file_offset(const char *file, size_t size, uint64_t address)
{
	const Elf64_Ehdr *e = (const void *)file;

	for (unsigned i = 0; i < e->e_phnum; i++) {
		const Elf64_Phdr *ph = (const void *)(file + e->e_phoff + i * sizeof *ph);

		if (ph->p_type == PT_LOAD && address >= ph->p_vaddr && address - ph->p_vaddr < ph->p_filesz &&
			address - ph->p_vaddr + ph->p_offset < size)
			return address - ph->p_vaddr + ph->p_offset;
	}
	return 0;
}

/* The newest version that a libc's file defines, 0: cannot be told.  Everything is checked: it is a
 * root's file. */
static unsigned defined_minor(const char *file, size_t size)
{
	const Elf64_Ehdr *e = (const void *)file;
	size_t dynamic = 0, def = 0, text = 0;
	unsigned most = 0;

	if (size < sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 || e->e_phoff % 8 || e->e_phoff > size ||
		e->e_phnum > (size - e->e_phoff) / sizeof(Elf64_Phdr))
		return 0;
	for (unsigned i = 0; i < e->e_phnum; i++) {
		const Elf64_Phdr *ph = (const void *)(file + e->e_phoff + i * sizeof *ph);

		if (ph->p_type == PT_DYNAMIC)
			dynamic = ph->p_offset;
	}
	for (; dynamic && dynamic % 8 == 0 && dynamic + sizeof(Elf64_Dyn) <= size; dynamic += sizeof(Elf64_Dyn)) {
		const Elf64_Dyn *d = (const void *)(file + dynamic);

		if (d->d_tag == DT_NULL)
			break;
		if (d->d_tag == DT_VERDEF)
			def = file_offset(file, size, d->d_un.d_ptr);
		if (d->d_tag == DT_STRTAB)
			text = file_offset(file, size, d->d_un.d_ptr);
	}
	for (unsigned i = 0; text && def && def % 4 == 0 && i < 1000; i++) {
		const Elf64_Verdef *v = (const void *)(file + def);
		const Elf64_Verdaux *a;

		if (def + sizeof *v > size || v->vd_aux % 4 || def + v->vd_aux + sizeof *a > size)
			break;
		a = (const void *)(file + def + v->vd_aux);
		if (a->vda_name < size - text && size - text - a->vda_name > 16)
			most = larger(most, minor_of(file + text + a->vda_name));
		if (!v->vd_next)
			break;
		def += v->vd_next;
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
	long file;
	int fd;

	str_put(&s, interp, (size_t)(mem_base(interp) - interp));
	str_puts(&s, "libc.so.6");
	fd = s.at ? sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0) : -1;
	if (fd < 0 && s.at) /* glibc before 2.34: a symlink to libc-2.31.so beside it */
		fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		file = sys_call(SYS_mmap, NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file > 0 || file < -4095) {
			minor = defined_minor((const char *)(uintptr_t)file, (size_t)st.st_size);
			sys_call(SYS_munmap, file, st.st_size);
		}
	}
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

		if (foreign) {
			SAY(m->l_name, ": needs ", foreign, ", which may be another in the root: not preloaded there");
			continue;
		}
		if (!m || mem_find(m->l_name, ':') || mem_find(m->l_name, ' ') || mem_find(m->l_name, '$'))
			continue;
		if (s.at != ret)
			str_puts(&s, ":");
		str_puts(&s, m->l_name);
		str_puts(&s, "@");
		str_num(&s, needed_minor(m));
	}
	if (!s.at)
		*ret = '\0';
}

static void say_old(const char *path, size_t n, unsigned needs, unsigned has)
{
	char name[256], number[2][24];
	struct str s = {name, name + sizeof name};

	path = last_name(path, &n);
	str_put(&s, path, n);
	for (int i = 0; i < 2; i++) {
		struct str d = {number[i], number[i] + sizeof number[i]};

		str_num(&d, i ? has : needs);
	}
	SAY(name, ": needs GLIBC_2.", number[0], ", and the root's libc ends at GLIBC_2.", number[1], ": not preloaded there");
}

void carry_put(struct str *s, const char *list, const char *note, const char *interp, bool say)
{
	const char *at, *path, *base, *start = s->at;
	unsigned needs, has = 0;
	bool asked = false;
	size_t n, len, path_len;

	while (list && (at = entry_next(&list, &n), n)) {
		len = n;
		base = last_name(at, &len);
		path = note_find(note, base, len, &path_len, &needs);
		if (path && !asked) {
			has = libc_minor(interp);
			asked = true;
		}
		if (path && has && needs > has) {
			if (say)
				say_old(path, path_len, needs, has);
			continue;
		}
		if (s->at != start)
			str_puts(s, ":");
		str_put(s, path ? path : at, path ? path_len : n);
	}
}
