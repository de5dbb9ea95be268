/* SPDX-License-Identifier: ISC
 *
 * Which programs libjail cannot follow into, as their files show before they are executed: a report of a run has
 * to say that it does not tell of them. */
#include "exec.h"
#include <linux/prctl.h>
#include <sys/statfs.h>

enum { NOSUID = 2 /* ST_NOSUID of statfs(2) */ };

/* Does the loader take no preloads with a path (ld.so(8), "secure-execution mode")?  So it is where the kernel gives the
 * program an identity or capabilities that the caller has not. */
static bool is_secure(int fd)
{
	const uid_t uid = (uid_t)sys_call(SYS_geteuid);
	struct statfs fs = {0};
	struct stat st;
	bool gains;

	if (sys_fstat(fd, &st) < 0)
		return false;
	gains = (st.st_mode & S_ISUID && st.st_uid != uid) ||
		((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != (gid_t)sys_call(SYS_getegid)) ||
		(uid && sys_call(SYS_fgetxattr, fd, "security.capability", NULL, 0) > 0);
	return gains && sys_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 &&
	       !(sys_call(SYS_fstatfs, fd, &fs) == 0 && fs.f_flags & NOSUID);
}

static const char *why_elf(int fd, const struct elf_start *start, const char *name)
{
	const Elf64_Ehdr *e = (const void *)start->text;
	bool dynamic = false, go = false;
	Elf64_Phdr some[8];

	if (e->e_machine != SYS_ARCH_MACHINE || e->e_ident[EI_CLASS] != ELFCLASS64)
		return "arch";
	if (elf_is_loader(e, mem_base(name))) /* takes preloads along to its program */
		return NULL;
	for (unsigned i = 0; i < e->e_phnum && !go; i += ROWS(some)) {
		const long n = elf_read_some(fd, start, some, sizeof some, e->e_phoff + i * sizeof *some);

		for (unsigned k = 0; n > 0 && k < (size_t)n / sizeof *some && i + k < e->e_phnum; k++) {
			dynamic |= some[k].p_type == PT_INTERP;
			go |= some[k].p_type == PT_NOTE && elf_is_go(fd, start, &some[k]);
		}
	}
	return go ? "go" : !dynamic ? "static" : is_secure(fd) ? "setid" : NULL;
}

const char *exec_unwatched(const struct exec_run *r)
{
	struct elf_start starts[2]; /* an interpreter's name lies in the one before its own */
	struct place held = {.dir = r->dirfd, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH], *interp = NULL, *arg;
	const char *path = *r->path ? r->path : place_path(&held, magic), *why = NULL;
	int dirfd = r->dirfd;

	for (int depth = 0; depth <= EXEC_SCRIPTS; depth++, dirfd = AT_FDCWD, path = interp) {
		const int fd = sys_openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
		struct elf_start *s = &starts[depth % 2];
		long have;

		interp = NULL;
		if (fd < 0)
			return NULL;
		memset(s->text, 0, sizeof s->text);
		have = sys_pread(fd, s->text, sizeof s->text, 0);
		s->have = have > 0 ? (size_t)have : 0;
		if (memcmp(s->text, ELFMAG, SELFMAG) == 0)
			why = why_elf(fd, s, path);
		else if (s->text[0] == '#' && s->text[1] == '!' && script_split(s->text, &interp, &arg) < 0)
			interp = NULL;
		sys_close(fd);
		if (!interp)
			return why;
	}
	return NULL;
}
