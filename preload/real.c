/* SPDX-License-Identifier: ISC
 *
 * The way down: where the next library keeps the function of the same name.  dlsym(3) is not
 * always there (glibc 2.31 keeps it in libdl) and takes the loader's lock, as dl_iterate_phdr(3)
 * does; so this file reads what debuggers read, the list of struct link_map that the program's
 * DT_DEBUG leads to (link.h, elf(5)), and looks in the objects' own hash tables.  No lock, no
 * store outside the stack: a signal handler and a forked child of a threaded program may come here.
 */
#include <sys/auxv.h>
#include "wrap.h"

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* One object's dynamic symbols; what it lacks is NULL. */
struct table {
	uintptr_t base;
	const ElfW(Sym) * sym;
	const char *str;
	const ElfW(Half) * versym;
	const uint32_t *gnu, *sysv;
};

static struct table table_of(const struct link_map *m)
{
	struct table t = {.base = m->l_addr};

	for (const ElfW(Dyn) *d = m->l_ld; d && d->d_tag != DT_NULL; d++) {
		const void *at = real_address(m->l_addr, d->d_un.d_ptr);

		switch (d->d_tag) {
		case DT_SYMTAB:
			t.sym = at;
			break;
		case DT_STRTAB:
			t.str = at;
			break;
		case DT_VERSYM:
			t.versym = at;
			break;
		case DT_GNU_HASH:
			t.gnu = at;
			break;
		case DT_HASH:
			t.sysv = at;
			break;
		}
	}
	return t;
}

/* Is symbol i a definition of name?  1: the default version or an unversioned one; -1: a version
 * for old programs only, the hidden bit of its Elf_Versym set. */
static int table_defines(const struct table *t, uint32_t i, const char *name)
{
	const ElfW(Sym) *s = &t->sym[i];
	unsigned type = ELF64_ST_TYPE(s->st_info), bind = ELF64_ST_BIND(s->st_info);

	if (s->st_shndx == SHN_UNDEF || !s->st_value || bind == STB_LOCAL || type == STT_TLS ||
		type == STT_SECTION || type == STT_FILE || !mem_equal(t->str + s->st_name, name))
		return 0;
	return t->versym && t->versym[i] & 0x8000 ? -1 : 1;
}

static uint32_t hash_gnu(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	return h;
}

static uint32_t hash_sysv(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		h = (h << 4) + (unsigned char)*name;
		h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
	}
	return h;
}

/* The definition of name in t, a default version before a hidden one: *hidden gets the latter. */
static const ElfW(Sym) *
	table_find(const struct table *t, const char *name, uint32_t h, const ElfW(Sym) * *hidden)
{
	int d;

	if (!t->sym || !t->str)
		return NULL;
	if (t->gnu) {
		/* buckets, first symbol, words of the Bloom filter, its second shift */
		uint32_t n = t->gnu[0], first = t->gnu[1], words = t->gnu[2], shift = t->gnu[3];
		const ElfW(Addr) *bloom = (const void *)(t->gnu + 4);
		const uint32_t *bucket = (const void *)(bloom + words), *chain = bucket + n;
		enum { BITS = sizeof *bloom * 8 };
		ElfW(Addr) word;
		uint32_t i;

		if (!n || !words)
			return NULL;
		word = bloom[h / BITS & (words - 1)];
		if (!(word >> h % BITS & word >> (h >> shift) % BITS & 1))
			return NULL;
		i = bucket[h % n];
		if (i < first)
			return NULL;
		do {
			if ((chain[i - first] | 1) != (h | 1))
				continue;
			d = table_defines(t, i, name);
			if (d > 0)
				return &t->sym[i];
			if (d < 0)
				*hidden = &t->sym[i];
		} while (!(chain[i++ - first] & 1));
	} else if (t->sysv && t->sysv[0]) {
		const uint32_t *bucket = t->sysv + 2, *chain = bucket + t->sysv[0];

		for (uint32_t i = bucket[hash_sysv(name) % t->sysv[0]]; i; i = chain[i]) {
			d = table_defines(t, i, name);
			if (d > 0)
				return &t->sym[i];
			if (d < 0)
				*hidden = &t->sym[i];
		}
	}
	return NULL;
}

/* An indirect function's address is that of its resolver: ask it, as the loader would. */
static real_fn *table_call(const struct table *t, const ElfW(Sym) * s)
{
	uintptr_t at = (s->st_shndx == SHN_ABS ? 0 : t->base) + s->st_value;

	if (ELF64_ST_TYPE(s->st_info) == STT_GNU_IFUNC) {
#if defined(__aarch64__)
		/* sys/ifunc.h: the first argument says that there is a second */
		unsigned long hwcap = getauxval(AT_HWCAP);
		unsigned long arg[3] = {sizeof arg, hwcap, getauxval(AT_HWCAP2)};

		at = ((uintptr_t(*)(unsigned long, const void *))at)(hwcap | 1UL << 62, arg);
#else
		at = ((uintptr_t(*)(void))at)();
#endif
	}
	return (real_fn *)at;
}

/* The loader's list of objects, in load order: the program, the preloads, their dependencies.
 * The program's headers lead to it.  When the loader was executed as a command glibc puts them
 * into AT_PHDR, but musl leaves its own there, which know no DT_DEBUG: its symbol _dl_debug_addr
 * then says where its struct r_debug is, as it says to debuggers. */
const struct link_map *real_objects(void)
{
	const ElfW(Phdr) *ph = (const void *)getauxval(AT_PHDR);
	size_t n = getauxval(AT_PHNUM);
	const ElfW(Sym) * s, *hidden = NULL;
	const struct link_map *m = libjail_audit_told.map;
	struct link_map self = {0};
	struct table t;

	if (UNLIKELY(m)) { /* a name space has a list of its own */
		while (m->l_prev)
			m = m->l_prev;
		return m;
	}
	if (!ph)
		return NULL;
	/* Without PT_PHDR: the ELF header stands before them, at address 0 of a shared object. */
	self.l_addr = (uintptr_t)ph & ~(uintptr_t)4095;
	for (size_t i = 0; i < n; i++)
		if (ph[i].p_type == PT_PHDR)
			self.l_addr = (uintptr_t)ph - ph[i].p_vaddr;
	for (size_t i = 0; i < n; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			self.l_ld = (void *)(self.l_addr + ph[i].p_vaddr);
	for (const ElfW(Dyn) *d = self.l_ld; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_DEBUG && d->d_un.d_ptr)
			return ((const struct r_debug *)d->d_un.d_ptr)->r_map;
	t = table_of(&self);
	s = table_find(&t, "_dl_debug_addr", hash_gnu("_dl_debug_addr"), &hidden);
	return s ? (*(const struct r_debug *const *)(t.base + s->st_value))->r_map : NULL;
}

/* In the objects after us and in those before us, the one or the other first. */
static real_fn *real_search(const char *name, bool before_first)
{
	const struct link_map *all = real_objects(), *us = all, *next, *m;
	struct table t, t_hidden = {0};
	const ElfW(Sym) * s, *hidden = NULL, *found;
	uint32_t h = hash_gnu(name);

	while (us && us->l_ld != _DYNAMIC)
		us = us->l_next;
	next = us ? us->l_next : all;

	for (int round = 0; round < 2; round++) {
		bool after = (round == 0) != before_first;

		for (m = after ? next : all; m && (after || m != us); m = m->l_next) {
			t = table_of(m);
			s = NULL;
			found = table_find(&t, name, h, &s);
			if (found)
				return table_call(&t, found);
			if (s && !hidden) {
				hidden = s;
				t_hidden = t;
			}
		}
	}
	return hidden ? table_call(&t_hidden, hidden) : NULL;
}

/* What comes after us, then, for a libc that a preload before us brought, the rest. */
real_fn *real_find(const char *name)
{
	return real_search(name, false);
}

real_fn *real_global(const char *name)
{
	return real_search(name, true);
}

real_fn *real_own(const char *name)
{
	const struct link_map *us = real_objects();
	const ElfW(Sym) * s, *hidden = NULL;
	struct table t;

	while (us && us->l_ld != _DYNAMIC)
		us = us->l_next;
	if (!us)
		return NULL;
	t = table_of(us);
	s = table_find(&t, name, hash_gnu(name), &hidden);
	return s && ELF64_ST_TYPE(s->st_info) == STT_FUNC ? table_call(&t, s) : NULL;
}
