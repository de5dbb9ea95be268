/* SPDX-License-Identifier: ISC
 *
 * Which objects are mapped, by the loader's own list (link.h): their bounds, unwind tables, build ids
 * and names.  The table only grows; one thread at a time adds to it (LOCK_MODULES), and the others wait
 * for what it finds. */
#include "module.h"
#include "place.h"
#include "state.h"
#include "sys/lock.h"
#include "wrap.h"
#include <elf.h>
#include <sys/auxv.h>

#ifndef _DYNAMIC /* the unit test's */
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));
#endif

static struct module modules[MODULES_MAX];
static const void *dynamic[MODULES_MAX]; /* l_ld of each: with the base it tells one from another */
static unsigned taken;                   /* the highest number in use */
unsigned module_epoch;
bool module_scripts;

const struct module *module_at(unsigned m)
{
	return &modules[m];
}

unsigned module_count(void)
{
	return __atomic_load_n(&taken, __ATOMIC_ACQUIRE);
}

static bool starts(const char *name, const char *const *with, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (mem_after(name, with[i]))
			return true;
	return false;
}

static enum module_kind kind_of(const char *path)
{
	static const char *const runtime[] = {"libc.so", "libc-2", "ld-", "ld.so", "libpthread", "libdl.",
		"libdl-2", "librt.", "librt-2", "libm.", "libm-2", "libstdc++", "libgcc_s", "libffi.", "libc++",
		"libasan", "libubsan", "libtsan", "liblsan", "libjail-audit.so", "linux-vdso", "[vdso]"};
	const char *name = mem_base(path);

	if (starts(name, runtime, ROWS(runtime)))
		return MODULE_RUNTIME;
	if (mem_after(name, "python3") || mem_after(name, "libpython3"))
		return MODULE_PYTHON;
	if (mem_after(name, "perl") || mem_after(name, "libperl"))
		return MODULE_PERL;
	for (const char *at = name; *at; at++) /* extension modules */
		if (mem_after(at, ".cpython-3"))
			return MODULE_PYTHON;
	for (const char *at = path; *at; at++)
		if (mem_after(at, "/perl5/") || mem_after(at, "/perl/") || mem_after(at, "/perl-base/"))
			return MODULE_PERL; /* likewise */
	return mem_equal(name, "bash") ? MODULE_BASH : MODULE_PROGRAM;
}

/* The program's own file: in a root the kernel knows only the loader that was executed. */
static const char *program_path(void)
{
	const struct config *c = config();
	const struct view *v = state_view();
	char text[PATH_MAX];
	struct str s = {text, text + sizeof text};
	long n;

	if (c->note_exe && v) {
		const char *exe = c->note_exe, *host = v->host;
		size_t shown = 0; /* as much of the name is a bind point's */

		for (size_t i = 0; i < v->nbinds; i++) {
			const struct bind *b = &v->binds[i];

			if (b->guest_len > shown && mem_after(exe, b->guest) &&
				(exe[b->guest_len] == '/' || !exe[b->guest_len])) {
				shown = b->guest_len;
				host = b->host;
			}
		}
		str_puts(&s, host);
		str_puts(&s, exe + shown);
		n = s.at ? s.at - text : 0;
	} else {
		n = sys_readlinkat(AT_FDCWD, "/proc/self/exe", text, sizeof text);
	}
	return n > 0 ? mem_keep(text, (size_t)n) : NULL;
}

static void read_notes(struct module *m, const char *at, size_t n)
{
	while (n >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t name, desc;

		memcpy(&note, at, sizeof note);
		name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)note.n_descsz + 3) & ~(size_t)3;
		if (name > n || desc > n || sizeof note + name + desc > n)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
			memcmp(at + sizeof note, "GNU", 4) == 0) {
			m->build_id_size = (unsigned char)(note.n_descsz < 20 ? note.n_descsz : 20);
			memcpy(m->build_id, at + sizeof note + name, m->build_id_size);
			return;
		}
		at += sizeof note + name + desc;
		n -= sizeof note + name + desc;
	}
}

/* The loader's name of an object; a relative one (dlopen of "./x.so") is meant from the directory that
 * we are in, as it has just been opened.  With musl most are the guest's (call/dl.c). */
static const char *object_path(const char *path)
{
	const struct view *v = config()->musl ? state_view() : NULL;
	char text[PATH_MAX], magic[PLACE_PATH];
	struct str s = {text, text + sizeof text};
	struct place at = {.flags = AT_EMPTY_PATH};
	long n;

	if (v && *path == '/' && (at.dir = place_hold(v, AT_FDCWD, path, 0, 0)) >= 0) {
		n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), text, sizeof text);
		sys_close(at.dir);
		if (n > 0)
			return mem_keep(text, (size_t)n);
	}
	n = *path != '/' && mem_find(path, '/') ? sys_getcwd(text, sizeof text) : 0;
	if (n > 1 && text[0] == '/') {
		s.at = text + n - 1;
		str_puts(&s, "/");
		str_puts(&s, path[0] == '.' && path[1] == '/' ? path + 2 : path);
		if (s.at)
			return mem_keep(text, (size_t)(s.at - text));
	}
	return mem_keep(path, strlen(path));
}

static bool fill(struct module *m, const struct link_map *l, bool program)
{
	const ElfW(Ehdr) *eh = (const void *)l->l_addr;
	const ElfW(Phdr) *ph = NULL;
	const char *(*host)(const struct link_map *) = libjail_audit_told.host_name;
	const char *path = host ? host(l) : l->l_name;
	size_t n = 0;

	*m = (struct module){.base = l->l_addr, .start = UINTPTR_MAX};
	if (l->l_addr && place_readable(eh, sizeof *eh) && memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0) {
		ph = (const void *)((const char *)eh + eh->e_phoff);
		n = eh->e_phnum;
	} else if (program) { /* linked at a fixed address */
		ph = (const void *)getauxval(AT_PHDR);
		n = getauxval(AT_PHNUM);
	}
	if (!ph || n > 1024 || !place_readable(ph, n * sizeof *ph))
		return false;
	for (size_t i = 0; i < n; i++) {
		const uintptr_t at = m->base + ph[i].p_vaddr, end = at + ph[i].p_memsz;

		if (ph[i].p_type == PT_LOAD) {
			m->start = at < m->start ? at : m->start;
			m->end = end > m->end ? end : m->end;
		} else if (ph[i].p_type == PT_GNU_EH_FRAME && place_readable((const void *)at, ph[i].p_memsz)) {
			m->eh_hdr = (const void *)at;
			m->eh_hdr_size = ph[i].p_memsz;
		} else if (ph[i].p_type == PT_NOTE && !m->build_id_size &&
			   place_readable((const void *)at, ph[i].p_memsz)) {
			read_notes(m, (const char *)at, ph[i].p_memsz);
		}
	}
	if (m->start >= m->end)
		return false;
	if (program) /* the loader may have no name for it, or the one that was typed */
		m->path = program_path();
	else if (!path || !*path)
		m->path = "[vdso]";
	else if (place_strlen(path, PATH_MAX) >= 0)
		m->path = object_path(path);
	if (!m->path)
		m->path = "?";
	m->kind = l->l_ld == _DYNAMIC ? MODULE_SELF : kind_of(m->path);
	if (m->kind >= MODULE_PYTHON)
		__atomic_store_n(&module_scripts, true, __ATOMIC_RELAXED);
	return true;
}

void module_scan(void)
{
	static bool seen[MODULES_MAX];
	const struct link_map *first, *l;
	unsigned limit = MODULES_MAX, known, m;
	const uint64_t signals = lock_take(LOCK_MODULES);
	bool changed = false;

	known = taken;
	memset(seen, 0, known + 1);
	first = real_objects();
	for (l = first; l && limit && place_readable(l, sizeof *l); l = l->l_next, limit--) {
		for (m = 1; m <= known; m++)
			if (!modules[m].gone && modules[m].base == l->l_addr && dynamic[m] == l->l_ld)
				break;
		if (m <= known) {
			seen[m] = true;
			continue;
		}
		if (taken + 1 >= MODULES_MAX || !fill(&modules[taken + 1], l, l == first))
			continue;
		dynamic[taken + 1] = l->l_ld;
		__atomic_store_n(&taken, taken + 1, __ATOMIC_RELEASE);
	}
	for (m = 1; m <= known && limit && !l; m++)
		if (!seen[m] && !modules[m].gone) {
			__atomic_store_n(&modules[m].gone, true, __ATOMIC_RELEASE);
			changed = true;
		}
	if (changed)
		__atomic_add_fetch(&module_epoch, 1, __ATOMIC_RELEASE);
	lock_give(LOCK_MODULES, signals);
}

static unsigned find_known(uintptr_t pc)
{
	for (unsigned m = module_count(); m; m--)
		if (pc >= modules[m].start && pc < modules[m].end &&
			!__atomic_load_n(&modules[m].gone, __ATOMIC_ACQUIRE))
			return m;
	return MODULE_NONE;
}

unsigned module_find(uintptr_t pc)
{
	unsigned m = find_known(pc);

	if (m == MODULE_NONE) {
		module_scan();
		m = find_known(pc);
	}
	return m;
}
