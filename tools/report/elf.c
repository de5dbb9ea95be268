/* SPDX-License-Identifier: ISC
 *
 * elf(5): the section table, notes, symbol tables. */
#include "elf.h"
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART_MAX = 1 << 30, SECTIONS_MAX = 65536, ID_MAX = 64, SIZELESS = 4096 /* assembler's */ };

struct function {
	uint64_t at, size;
	uint32_t name;
};

struct elf {
	int fd;
	uint64_t size;
	Elf64_Shdr *sections;
	size_t n;
	char id[2 * ID_MAX + 1];
	bool read; /* functions and names are */
	struct function *functions;
	size_t count;
	char *names;
	size_t names_size;
};

/* n bytes at offset, with a NUL behind them; NULL when they are not there. */
static void *part(const struct elf *e, uint64_t offset, uint64_t n)
{
	char *p;

	if (n > PART_MAX || offset > e->size || n > e->size - offset)
		return NULL;
	p = memory(n + 1);
	for (uint64_t done = 0; done < n;) {
		ssize_t r = pread(e->fd, p + done, n - done, (off_t)(offset + done));

		if (r <= 0) {
			free(p);
			return NULL;
		}
		done += (uint64_t)r;
	}
	return p;
}

static void note_id(struct elf *e, const char *notes, uint64_t n)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		uint64_t name, all;

		memcpy(&h, notes, sizeof(h));
		name = sizeof(h) + ((uint64_t)h.n_namesz + 3) / 4 * 4;
		all = name + ((uint64_t)h.n_descsz + 3) / 4 * 4;
		if (name + h.n_descsz > n)
			return;
		if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == 4 &&
			memcmp(notes + sizeof(h), "GNU", 4) == 0) {
			struct text hex = {0};

			for (uint32_t i = 0; i < h.n_descsz && i < ID_MAX; i++)
				text_format(&hex, "%02x", (unsigned char)notes[name + i]);
			if (hex.at)
				memcpy(e->id, hex.at, hex.n + 1);
			text_free(&hex);
			return;
		}
		if (all > n)
			return;
		notes += all;
		n -= all;
	}
}

struct elf *elf_open(const char *path)
{
	static const unsigned char same[] = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB};
	struct elf *e = memory(sizeof(*e));
	struct stat st;
	Elf64_Ehdr *h;

	/* O_NONBLOCK: what an event names may be a FIFO or a device */
	e->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (e->fd < 0 || fstat(e->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		elf_close(e);
		return NULL;
	}
	e->size = (uint64_t)st.st_size;
	h = part(e, 0, sizeof(*h));
	if (!h || memcmp(h->e_ident, same, sizeof(same)) != 0) {
		free(h);
		elf_close(e);
		return NULL;
	}
	if (h->e_shentsize == sizeof(Elf64_Shdr) && h->e_shnum > 0) {
		e->sections = part(e, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr));
		e->n = e->sections ? h->e_shnum : 0;
	}
	for (size_t i = 0; i < e->n && !*e->id; i++)
		if (e->sections[i].sh_type == SHT_NOTE && e->sections[i].sh_size < 1 << 20) {
			char *notes = part(e, e->sections[i].sh_offset, e->sections[i].sh_size);

			if (notes)
				note_id(e, notes, e->sections[i].sh_size);
			free(notes);
		}
	if (!e->n && h->e_phentsize == sizeof(Elf64_Phdr)) { /* sections were stripped off */
		Elf64_Phdr *p = part(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(*p));

		for (size_t i = 0; p && i < h->e_phnum && !*e->id; i++)
			if (p[i].p_type == PT_NOTE && p[i].p_filesz < 1 << 20) {
				char *notes = part(e, p[i].p_offset, p[i].p_filesz);

				if (notes)
					note_id(e, notes, p[i].p_filesz);
				free(notes);
			}
		free(p);
	}
	free(h);
	return e;
}

bool elf_static(const struct elf *e)
{
	Elf64_Ehdr *h = part(e, 0, sizeof(*h));
	Elf64_Phdr *p = h && h->e_phentsize == sizeof(*p) ? part(e, h->e_phoff, (uint64_t)h->e_phnum * sizeof(*p))
							  : NULL;
	bool program = p && (h->e_type == ET_EXEC || h->e_type == ET_DYN);

	for (size_t i = 0; program && i < h->e_phnum; i++)
		if (p[i].p_type == PT_INTERP)
			program = false;
	free(p);
	free(h);
	return program;
}

/* The section of code that holds an address, or NULL. */
static const Elf64_Shdr *code_at(const struct elf *e, uint64_t address)
{
	for (size_t i = 0; i < e->n; i++) {
		const Elf64_Shdr *s = &e->sections[i];

		if (s->sh_type == SHT_PROGBITS && s->sh_flags & SHF_EXECINSTR && address >= s->sh_addr &&
			address - s->sh_addr < s->sh_size)
			return s;
	}
	return NULL;
}

/* x86-64: call rel32; aarch64: bl.  In both the address is that of the last byte of the instruction. */
static bool decode_call(unsigned machine, const unsigned char *code, uint64_t address, uint64_t *ret_target)
{
	int32_t relative;
	uint32_t word;

	if (machine == EM_X86_64 && code[0] == 0xe8) {
		memcpy(&relative, code + 1, sizeof(relative));
		*ret_target = address + 1 + (uint64_t)(int64_t)relative;
		return true;
	}
	memcpy(&word, code + 1, sizeof(word));
	if (machine == EM_AARCH64 && word >> 26 == 0x25) {
		relative = (int32_t)(word << 6) >> 4;
		*ret_target = address - 3 + (uint64_t)(int64_t)relative;
		return true;
	}
	return false;
}

bool elf_calls(const struct elf *e, uint64_t address, uint64_t *ret_target)
{
	enum { LONGEST = 5 };
	const Elf64_Shdr *s = code_at(e, address);
	Elf64_Ehdr *h = s && address - s->sh_addr >= LONGEST - 1 ? part(e, 0, sizeof(*h)) : NULL;
	unsigned char *code = h ? part(e, s->sh_offset + (address - s->sh_addr) - (LONGEST - 1), LONGEST) : NULL;
	/* Calls of other modules go by way of the PLT, which is another section. */
	bool yes = code && decode_call(h->e_machine, code, address, ret_target) && code_at(e, *ret_target) == s;

	free(h);
	free(code);
	return yes;
}

const char *elf_id(const struct elf *e)
{
	return e->id;
}

static int by_address(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return x->at != y->at       ? (x->at < y->at ? -1 : 1)
	       : x->size != y->size ? (x->size < y->size ? -1 : 1)
				    : 0;
}

/* .symtab has what .dynsym has and more. */
static void functions_read(struct elf *e)
{
	const Elf64_Shdr *table = NULL;
	Elf64_Sym *symbols;
	uint64_t n;

	e->read = true;
	for (size_t i = 0; i < e->n; i++)
		if (e->sections[i].sh_type == SHT_SYMTAB ||
			(e->sections[i].sh_type == SHT_DYNSYM && !table))
			table = &e->sections[i];
	if (!table || table->sh_entsize != sizeof(Elf64_Sym) || table->sh_link >= e->n)
		return;
	symbols = part(e, table->sh_offset, table->sh_size);
	e->names =
		part(e, e->sections[table->sh_link].sh_offset, e->sections[table->sh_link].sh_size);
	e->names_size = e->sections[table->sh_link].sh_size;
	n = table->sh_size / sizeof(Elf64_Sym);
	if (symbols && e->names) {
		e->functions = memory(n * sizeof(*e->functions));
		for (uint64_t i = 0; i < n; i++) {
			unsigned type = ELF64_ST_TYPE(symbols[i].st_info);

			if ((type == STT_FUNC || type == STT_GNU_IFUNC) &&
				symbols[i].st_shndx != SHN_UNDEF &&
				symbols[i].st_name < e->names_size)
				e->functions[e->count++] = (struct function){symbols[i].st_value,
					symbols[i].st_size, symbols[i].st_name};
		}
		qsort(e->functions, e->count, sizeof(*e->functions), by_address);
	}
	free(symbols);
}

bool elf_function(struct elf *e, uint64_t address, const char **ret_name, uint64_t *ret_plus)
{
	size_t low = 0, high;
	const struct function *f;

	if (!e->read)
		functions_read(e);
	high = e->count;
	while (low < high) { /* the first that begins behind the address */
		size_t middle = low + (high - low) / 2;

		if (e->functions[middle].at <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	f = &e->functions[low - 1];
	/* A static function of a stripped library is not there: its neighbour is no answer. */
	if (address - f->at >= (f->size ? f->size : SIZELESS))
		return false;
	if (!e->names[f->name])
		return false;
	*ret_name = e->names + f->name;
	*ret_plus = address - f->at;
	return true;
}

void elf_close(struct elf *e)
{
	if (!e)
		return;
	if (e->fd >= 0)
		close(e->fd);
	free(e->sections);
	free(e->functions);
	free(e->names);
	free(e);
}
