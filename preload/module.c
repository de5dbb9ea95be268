/* SPDX-License-Identifier: ISC
 *
 * Which objects are mapped, by the loader's own list (link.h): their bounds, unwind tables, build ids
 * and names.  An object that was loaded with the program is never unloaded, and is read where it is.
 * Another thread may unload any other, and free the loader's words about it, at any moment, also by a way that
 * does not pass us (inside libc): these are copied by the kernel (sys/peek.h), and that an object is still the one that
 * is known is made sure of each time something is learnt from it.  The table only grows; one thread at a time adds to it (LOCK_MODULES), and the others wait
 * for what it finds. */
#include "module.h"
#include "place.h"
#include "sys/peek.h"
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
BESIDE static unsigned taken;            /* the highest number in use */
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

static enum module_kind kind_of(const char *path)
{
	static const char runtime[][20] = {"libc.so", "libc-2", "ld-", "ld.so", "libpthread", "libdl.",
		"libdl-2", "librt.", "librt-2", "libm.", "libm-2", "libstdc++", "libgcc_s", "libffi.", "libc++",
		"libasan", "libubsan", "libtsan", "liblsan", "libjail-audit.so", "linux-vdso", "[vdso]"};
	const char *name = mem_base(path);

	for (size_t i = 0; i < ROWS(runtime); i++)
		if (mem_after(name, runtime[i]))
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

/* Copies n bytes of an object, or of what the loader says about it; here: they are certainly there. */
static bool get(bool here, void *to, uintptr_t from, size_t n)
{
	if (!here)
		return peek(to, from, n);
	memcpy(to, (const void *)from, n);
	return true;
}

/* The build id, if it is among these notes, n bytes at `at`; here: they can be read where they are. */
static void read_notes(struct module *m, uintptr_t at, size_t n, bool here)
{
	while (n >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t name, desc;
		char owner[4];

		if (!get(here, &note, at, sizeof note))
			return;
		name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)note.n_descsz + 3) & ~(size_t)3;
		if (name > n || desc > n || sizeof note + name + desc > n)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz &&
			get(here, owner, at + sizeof note, 4) && memcmp(owner, "GNU", 4) == 0) {
			m->build_id_size = (unsigned char)(note.n_descsz < 20 ? note.n_descsz : 20);
			m->mark = at + sizeof note + name;
			if (!get(here, m->build_id, m->mark, m->build_id_size))
				m->build_id_size = 0;
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

static uint64_t hash(const void *data, size_t n)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325u;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3u; /* FNV-1a */
	return h;
}

/* Is what is mapped there now the object that m tells of? */
static bool is_there(const struct module *m)
{
	unsigned char id[sizeof m->build_id];
	ElfW(Ehdr) e;

	if (m->stays)
		return true;
	if (m->build_id_size)
		return peek(id, m->mark, m->build_id_size) && memcmp(id, m->build_id, m->build_id_size) == 0;
	return peek(&e, m->base, sizeof e) && hash(&e, sizeof e) == m->header;
}

static void read_segment(struct module *m, const ElfW(Phdr) *ph)
{
	const uintptr_t at = m->base + ph->p_vaddr;

	if (ph->p_type == PT_GNU_EH_FRAME) {
		m->eh_hdr = at;
		m->eh_hdr_size = ph->p_memsz;
	} else if (ph->p_type == PT_LOAD) {
		m->start = at < m->start ? at : m->start;
		m->end = at + ph->p_memsz > m->end ? at + ph->p_memsz : m->end;
	}
}

/* The segments that are read where they are: with the code, and with the tables, which lie together. */
static void read_direct(struct module *m, const ElfW(Phdr) *ph)
{
	const uintptr_t at = m->base + ph->p_vaddr;
	const struct span s = {at, at + ph->p_filesz};

	if (ph->p_type != PT_LOAD || !m->stays || !(ph->p_flags & PF_R))
		return;
	if (ph->p_flags & PF_X)
		m->code = s;
	if (m->eh_hdr >= s.start && m->eh_hdr < s.end)
		m->tables = s;
}

static bool in_span(const struct span *s, uintptr_t at, size_t n)
{
	return at >= s->start && at <= s->end && n <= s->end - at;
}

static void read_note(struct module *m, const ElfW(Phdr) *ph)
{
	const uintptr_t at = m->base + ph->p_vaddr;

	const struct span first = {m->base, m->base + (m->stays && m->header ? PEEK_PAGE : 0)};

	if (ph->p_type == PT_NOTE && !m->build_id_size)
		read_notes(m, at, ph->p_filesz,
			in_span(&first, at, ph->p_filesz) || in_span(&m->tables, at, ph->p_filesz) ||
				in_span(&m->code, at, ph->p_filesz));
}

/* Calls each for the program headers, n at `at`; here: they can be read where they are. */
static void each_header(struct module *m, uintptr_t at, size_t n, bool here,
	void (*each)(struct module *m, const ElfW(Phdr) *ph))
{
	ElfW(Phdr) some[16];

	for (size_t i = 0; i < n; i += ROWS(some)) {
		const size_t k = n - i < ROWS(some) ? n - i : ROWS(some);

		if (!get(here, some, at + i * sizeof *some, k * sizeof *some))
			return;
		for (size_t j = 0; j < k; j++)
			each(m, &some[j]);
	}
}

/* Bounds, tables and build id, each of which is looked for where the one before it says. */
static void read_headers(struct module *m, uintptr_t at, size_t n, bool here)
{
	each_header(m, at, n, here, read_segment);
	each_header(m, at, n, here, read_direct);
	each_header(m, at, n, here, read_note);
}

/* What the loader calls an object; its name may vanish, and is copied to text (NAME_SIZE bytes) then. */
enum { NAME_SIZE = 1024 };

static const char *name_of(const struct link_map *l, const struct link_map *words, bool stays, char *text)
{
	const char *(*host)(const struct link_map *) = libjail_audit_told.host_name;
	const char *path = host ? host(l) : words->l_name;
	size_t n;

	if (host || stays || !path)
		return path;
	n = peek_some(text, (uintptr_t)path, NAME_SIZE - 1);
	text[n] = '\0';
	return text;
}

/* l: where the loader has it; words: what it says. */
static bool fill(struct module *m, const struct link_map *l, const struct link_map *words, bool program, bool stays)
{
	ElfW(Ehdr) e;
	uintptr_t headers = 0;
	char text[NAME_SIZE];
	const char *path;
	bool here = false;
	size_t n = 0;

	*m = (struct module){.base = words->l_addr, .start = UINTPTR_MAX, .stays = stays};
	/* that its first page is there is not certain: an object may have been linked for another place */
	if (words->l_addr && peek(&e, words->l_addr, sizeof e) && memcmp(e.e_ident, ELFMAG, SELFMAG) == 0) {
		m->header = hash(&e, sizeof e);
		headers = words->l_addr + e.e_phoff;
		n = e.e_phnum;
		here = stays && e.e_phoff + n * sizeof(ElfW(Phdr)) <= PEEK_PAGE;
	} else if (program) { /* linked at a fixed address */
		headers = getauxval(AT_PHDR);
		n = getauxval(AT_PHNUM);
	}
	if (!headers || n > 1024)
		return false;
	read_headers(m, headers, n, here);
	if (m->start >= m->end)
		return false;
	path = program ? NULL : name_of(l, words, stays, text);
	m->name = path ? hash(path, strlen(path)) : 0;
	if (program) /* the loader may have no name for it, or the one that was typed */
		m->path = program_path();
	else if (!path || !*path)
		m->path = "[vdso]";
	else
		m->path = object_path(path);
	if (!m->path)
		m->path = "?";
	m->kind = words->l_ld == _DYNAMIC ? MODULE_SELF : kind_of(m->path);
	if (m->kind >= MODULE_PYTHON)
		__atomic_store_n(&module_scripts, true, __ATOMIC_RELAXED);
	return true;
}

/* -- the loader's list ------------------------------------------------------------------------- */

/* The last object that stays; what follows it may be unloaded.  Objects are added at the end, with glibc and
 * with musl, which unloads none. */
BESIDE static const struct link_map *last_staying;

/* What was seen at the last look: the end of the list, and at which epoch. */
BESIDE static const struct link_map *tail;
static struct link_map tail_words;
BESIDE static unsigned scanned;

void module_start(void)
{
	const struct link_map *l = real_objects();

	while (l && l->l_next)
		l = l->l_next;
	__atomic_store_n(&last_staying, l, __ATOMIC_RELEASE);
}

void module_changed(void)
{
	__atomic_add_fetch(&module_epoch, 1, __ATOMIC_RELEASE);
}

/* The number of the known module that the loader's words tell of, or 0.  One that was gone may be back, where it
 * was: so it has its old number. */
static unsigned known_as(const struct link_map *l, const struct link_map *words, unsigned known)
{
	char text[NAME_SIZE];
	const char *path;

	for (unsigned m = 1; m <= known; m++) {
		if (modules[m].base != words->l_addr || dynamic[m] != words->l_ld || !is_there(&modules[m]))
			continue;
		path = modules[m].stays ? NULL : name_of(l, words, false, text);
		if (path && hash(path, strlen(path)) != modules[m].name)
			continue; /* a copy of the same file */
		__atomic_store_n(&modules[m].gone, false, __ATOMIC_RELEASE);
		return m;
	}
	return 0;
}

/* Looks at the list: what is new is added, what is not there any more is gone. */
static void module_scan(void)
{
	static bool seen[MODULES_MAX];
	const struct link_map *first, *l;
	struct link_map words;
	unsigned limit = MODULES_MAX, known, m;
	const uint64_t signals = lock_take(LOCK_MODULES);
	const unsigned epoch = __atomic_load_n(&module_epoch, __ATOMIC_ACQUIRE);
	bool stays = last_staying != NULL, changed = false;

	known = taken;
	memset(seen, 0, known + 1);
	first = real_objects();
	for (l = first; l && limit && get(stays, &words, (uintptr_t)l, sizeof words); l = words.l_next, limit--) {
		tail = l;
		tail_words = words;
		m = known_as(l, &words, known);
		if (m)
			seen[m] = true;
		else if (taken + 1 < MODULES_MAX &&
			 fill(&modules[taken + 1], l, &words, l == first, stays)) {
			dynamic[taken + 1] = words.l_ld;
			__atomic_store_n(&taken, taken + 1, __ATOMIC_RELEASE);
		}
		if (l == last_staying)
			stays = config()->musl;
	}
	for (m = 1; m <= known && limit && !l; m++)
		if (!seen[m] && !modules[m].gone) {
			__atomic_store_n(&modules[m].gone, true, __ATOMIC_RELEASE);
			changed = true;
		}
	if (changed)
		module_changed();
	scanned = epoch + changed;
	lock_give(LOCK_MODULES, signals);
}

/* Has the list changed since it was looked at? */
static bool list_is_new(void)
{
	return scanned != __atomic_load_n(&module_epoch, __ATOMIC_ACQUIRE);
}

/* Has it grown without a word to us, as far as its end can tell? */
static bool list_has_grown(void)
{
	struct link_map words;

	return !tail || !peek(&words, (uintptr_t)tail, sizeof words) || memcmp(&words, &tail_words, sizeof words) != 0;
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

	if (m != MODULE_NONE && modules[m].stays)
		return m;
	if (list_is_new() || (m != MODULE_NONE ? !is_there(&modules[m]) : list_has_grown())) {
		module_scan();
		m = find_known(pc);
	}
	return m;
}
