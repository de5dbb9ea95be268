/* SPDX-License-Identifier: ISC
 *
 * musl's loader, which has no audit modules and is told where the root's libraries are: the directories
 * that it would search, and those that the program asks for. */
#include "exec.h"

/* The directories that musl's loader searches: as /etc/ld-musl-ARCH.path says, or as it is built. */
void musl_list(const struct view *v, char *list)
{
	static const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	struct str s = {list, list + EXEC_MUSL};
	long n = -1;
	int fd = place_open(v, AT_FDCWD, "/etc/ld-musl-" SYS_ARCH_NAME ".path", &how);

	if (fd >= 0) {
		n = sys_read(fd, list, EXEC_MUSL - 1);
		sys_close(fd);
	}
	list[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		str_puts(&s, "/lib:/usr/local/lib:/usr/lib");
}

/* DT_RUNPATH, else DT_RPATH, $ORIGIN replaced; "" also for one that musl would not take.  The loader
 * would look for it on the host, and after --library-path. */
void musl_rpath(const struct program *p, char *list)
{
	enum { DYNAMIC_MOST = 1 << 16 };
	char text[EXEC_MUSL];
	struct str s = {list, list + EXEC_MUSL};
	Elf64_Dyn d[32];
	unsigned long strings = 0, rpath = 0, runpath = 0, at;
	const char *c = text;
	long n = -1;

	*list = '\0';
	for (const Elf64_Phdr *ph = p->phdrs; ph < p->phdrs + p->nphdrs; ph++) {
		/* the file may say anything of its size */
		for (unsigned long k = 0; ph->p_type == PT_DYNAMIC && k < ph->p_filesz && k < DYNAMIC_MOST; k += sizeof d) {
			n = sys_pread(p->fd, d, sizeof d, (off_t)(ph->p_offset + k)) / (long)sizeof *d;
			for (long j = 0; j < n; j++)
				switch (d[j].d_tag) {
				case DT_NULL:
					n = 0;
					break;
				case DT_STRTAB:
					strings = d[j].d_un.d_ptr;
					break;
				case DT_RPATH:
					rpath = d[j].d_un.d_val;
					break;
				case DT_RUNPATH:
					runpath = d[j].d_un.d_val;
					break;
				}
			if (n <= 0)
				break;
		}
	}
	n = -1;
	at = strings + (runpath ? runpath : rpath);
	for (const Elf64_Phdr *ph = p->phdrs; at != strings && n < 0 && ph < p->phdrs + p->nphdrs; ph++)
		if (ph->p_type == PT_LOAD && at >= ph->p_vaddr && at - ph->p_vaddr < ph->p_filesz)
			n = sys_pread(p->fd, text, sizeof text - 1, (off_t)(ph->p_offset + at - ph->p_vaddr));
	text[n > 0 ? n : 0] = '\0';
	if (n == (long)sizeof text - 1 && strlen(text) == (size_t)n)
		return; /* longer than any */
	while (*c && s.at) { /* musl, ldso/dynlink.c, fixup_rpath() */
		const char *rest = mem_after(c, "$ORIGIN");

		if (!rest)
			rest = mem_after(c, "${ORIGIN}");
		if (*c != '$') {
			str_put(&s, c++, 1);
		} else if (rest) {
			str_put(&s, p->guest, (size_t)(mem_base(p->guest) - 1 - p->guest));
			c = rest;
		} else {
			s.at = NULL;
		}
	}
	if (!s.at)
		*list = '\0';
}
