/* SPDX-License-Identifier: ISC
 *
 * What the kernel reads of an ELF file before it lets go of the old program, in its order and with
 * its errors (fs/binfmt_elf.c, load_elf_binary). */
#include "exec.h"
#include "../../config.h"

long elf_read_some(int fd, const struct elf_start *start, void *to, size_t n, uint64_t at)
{
	if (!start || at > start->have || n > start->have - at)
		return sys_pread(fd, to, n, (off_t)at);
	memcpy(to, start->text + at, n);
	return (long)n;
}

/* Does this PT_NOTE hold Go's build id (cmd/internal/buildid)?  Such a program, when it is linked
 * dynamically at all, makes its system calls itself, and reads the auxiliary vector from behind the
 * environment that the kernel gave, which is shorter under us. */
bool elf_is_go(int fd, const struct elf_start *start, const Elf64_Phdr *ph)
{
	char text[512];
	const size_t room = ph->p_filesz < sizeof text ? ph->p_filesz : sizeof text;
	const long have = elf_read_some(fd, start, text, room, ph->p_offset);
	Elf64_Nhdr note;

	for (size_t at = 0; have > 0 && at + sizeof note + 4 <= (size_t)have;) {
		memcpy(&note, text + at, sizeof note);
		at += sizeof note;
		if (note.n_type == 4 && note.n_namesz == 4 && memcmp(text + at, "Go\0", 4) == 0)
			return true;
		at += (((size_t)note.n_namesz + 3) & ~(size_t)3) + (((size_t)note.n_descsz + 3) & ~(size_t)3);
	}
	return false;
}

/* fs/binfmt_elf.c, elf_read: what is not all there is EIO; an offset that is none is the file's to refuse. */
static long elf_read(int fd, void *to, size_t n, uint64_t at)
{
	const long r = sys_pread(fd, to, n, (off_t)at);

	return r < 0 ? r : (size_t)r != n ? -EIO : 0;
}

/* fs/binfmt_elf.c, load_elf_phdrs: the program headers to p, in room that stays free, or -ENOEXEC whatever is wrong. */
static long elf_phdrs(struct program *p, int fd, const Elf64_Ehdr *e)
{
	Elf64_Phdr *const to = exec_room(p);
	const size_t n = (size_t)e->e_phnum * sizeof *to;

	p->phdrs = to;
	p->nphdrs = 0;
	if (e->e_phentsize != sizeof *to || !n || n > EXEC_PHDRS || elf_read(fd, to, n, e->e_phoff) < 0)
		return -ENOEXEC;
	p->nphdrs = e->e_phnum;
	return 0;
}

/* Is the loader fit to be one?  The kernel would otherwise refuse it, and execute whatever it is for us.  p has its
 * headers then. */
static long interp_check(struct program *p, int fd, const char *name)
{
	Elf64_Ehdr e;
	long r = elf_read(fd, &e, sizeof e, 0);

	if (r < 0)
		return r;
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0 || e.e_machine != SYS_ARCH_MACHINE || elf_phdrs(p, fd, &e) < 0)
		return -ELIBBAD;
	for (unsigned i = 0; i < p->nphdrs; i++)
		if (p->phdrs[i].p_type == PT_INTERP)
			return exec_refuse(name, "named as a program's loader, but needs one itself", -ELIBBAD);
	return 0;
}

/* Opens the loader called name as fs/exec.c, open_exec does, and keeps its host path in p->interp. */
static long interp_open(struct program *p, const struct view *v, const char *name)
{
	struct open_how how = place_how_open(O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	struct place at = {.flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH];
	bool readable = true;
	struct stat st;
	long r;

	if (!*name)
		return -EACCES; /* the working directory is no program */
	at.dir = place_open(v, AT_FDCWD, name, &how);
	if (at.dir == -EACCES) {
		readable = false; /* executable it may be all the same */
		how.flags = O_PATH | O_CLOEXEC;
		at.dir = place_open(v, AT_FDCWD, name, &how);
	}
	if (at.dir < 0)
		return at.dir == -ENXIO ? -EACCES : at.dir;
	r = sys_fstat(at.dir, &st);
	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EACCES;
	if (r == 0)
		r = sys_faccessat2(at.dir, "", X_OK, AT_EMPTY_PATH | AT_EACCESS);
	if (r == 0 && readable)
		r = interp_check(p, at.dir, name);
	if (r == 0) {
		r = sys_readlinkat(AT_FDCWD, place_path(&at, magic), p->at, PATH_MAX - 1);
		p->at[r > 0 ? r : 0] = '\0';
		p->interp = exec_keep(p);
	}
	sys_close(at.dir);
	return r < 0 ? r : 0;
}

/* The first PT_INTERP, as the kernel reads it, to p->guest_interp: 1, 0 where there is none, or -errno. */
static long interp_name(struct program *p)
{
	for (unsigned i = 0; i < p->nphdrs; i++) {
		const Elf64_Phdr *ph = &p->phdrs[i];
		long r;

		if (ph->p_type != PT_INTERP)
			continue;
		if (ph->p_filesz < 2 || ph->p_filesz > PATH_MAX)
			return -ENOEXEC;
		r = elf_read(p->fd, p->at, ph->p_filesz, ph->p_offset);
		if (r < 0)
			return r;
		if (p->at[ph->p_filesz - 1])
			return -ENOEXEC;
		p->guest_interp = exec_keep(p);
		return 1;
	}
	return 0;
}

/* Is a program without PT_INTERP a loader, as ldd(1) starts it? */
bool elf_is_loader(const Elf64_Ehdr *e, const char *base)
{
	return e->e_type == ET_DYN && (mem_after(base, "ld-") || mem_after(base, "ld.so") ||
					      mem_after(base, "ld64.so") || mem_equal(base, "libc.so"));
}

/* The kernel looks at neither EI_CLASS nor EI_DATA. */
long elf_program(struct program *p, const struct view *v, const char *head, const char *shown)
{
	const Elf64_Ehdr *e = (const void *)head;
	const char *base = mem_base(p->guest);
	const Elf64_Phdr *phdrs;
	unsigned nphdrs;
	long r;

	p->go = p->interp_musl = false;
	p->kind = KIND_STATIC;
	if (e->e_machine == EM_NONE || (e->e_type != ET_EXEC && e->e_type != ET_DYN))
		return -ENOEXEC;
	if (e->e_machine != SYS_ARCH_MACHINE)
		return exec_refuse(shown, "a program for another architecture; this libjail.so serves " SYS_ARCH_NAME,
			-ENOEXEC);
	if (elf_phdrs(p, p->fd, e) < 0)
		return -ENOEXEC;
	phdrs = p->phdrs;
	nphdrs = p->nphdrs;
	p->at += nphdrs * sizeof *phdrs;
	r = interp_name(p);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < p->nphdrs && !p->go; i++)
		p->go = p->phdrs[i].p_type == PT_NOTE && elf_is_go(p->fd, NULL, &p->phdrs[i]);
	if (r > 0) {
		for (const char *c = p->guest_interp; *c; c++)
			if (mem_after(c, "musl"))
				p->interp_musl = true;
		r = interp_open(p, v, p->guest_interp);
		p->phdrs = phdrs;
		p->nphdrs = nphdrs;
		p->kind = p->go ? KIND_STATIC : KIND_DYNAMIC;
		return r;
	}
	if (elf_is_loader(e, base)) {
		p->kind = KIND_LOADER;
		p->interp_musl = mem_after(base, "ld-musl") || mem_equal(base, "libc.so");
		p->interp = p->host;
	}
	return 0;
}

/* musl and glibc: options begin with "--", some take the next word. */
size_t elf_loader_program(char *const argv[])
{
	static const char with_value[][24] = {"--library-path", "--inhibit-rpath", "--audit", "--preload",
		"--argv0", "--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"};
	size_t i;

	for (i = 1; argv[i] && argv[i][0] == '-' && argv[i][1] == '-'; i++) {
		if (!argv[i][2])
			return argv[i + 1] ? i + 1 : 0;
		for (size_t k = 0; k < ROWS(with_value); k++)
			if (mem_equal(argv[i], with_value[k]) && argv[i + 1])
				i++;
	}
	return argv[i] ? i : 0;
}

void elf_loader_target(const struct view *v, const char *path, char *host)
{
	struct place at = {.flags = AT_EMPTY_PATH};
	struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	struct str s = {host, host + PATH_MAX};
	char magic[PLACE_PATH];
	long n = -1;

	at.dir = place_open(v, AT_FDCWD, path, &how);
	if (at.dir >= 0) {
		n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), host, PATH_MAX - 1);
		sys_close(at.dir);
	}
	if (n > 0)
		host[n] = '\0';
	else
		str_puts(&s, path); /* the loader says what is wrong with it */
}
