/* SPDX-License-Identifier: ISC
 *
 * execve in a root: what the kernel must be told so that the guest's own loader starts the guest's
 * program, and the program sees what execve(2) would have shown it.
 *
 * The kernel resolves a #! line and PT_INTERP on the host, so both are done here, as fs/exec.c,
 * fs/binfmt_script.c and fs/binfmt_elf.c do.  The kernel then executes the loader, with the program
 * as its argument; the constructor of the next libjail (start.c) puts argv[0], the process's name
 * and the environment back into the form that the caller gave.
 *
 * vfork(2): the parent's memory is live under us.  Nothing here uses the heap, takes a lock or
 * stores outside this stack. */
#include "guest.h"
#include "../carry.h"
#include "../config.h"
#include "../env.h"
#include "../fdpolicy.h"
#include "../report.h"
#include "../source.h"
#include "../state.h"
#include <alloca.h>
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

enum {
	HEAD = 256,         /* include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE */
	SCRIPTS_MAX = 5,    /* fs/exec.c, exec_binprm */
	UNDO_MAX = 256,
};

/* What the kernel is to execute in place of what the program asked for. */
struct exec_plan {
	int dirfd;          /* AT_FDCWD unless execveat's own, without a root */
	const char *path;   /* host path */
	char *const *argv;
	char *const *envp;
	int flags;          /* execveat's, likewise 0 */
};

enum kind { KIND_DYNAMIC, KIND_STATIC, KIND_LOADER };

/* A program found in the root, open, and the first bytes of it. */
struct opened {
	int fd;                       /* read-only, close-on-exec */
	char head[HEAD];
};

/* One that is no script.  Large: not in a frame that scripts nest in. */
struct program {
	int fd;
	enum kind kind;
	char host[PATH_MAX];          /* canonical host path, or /proc/self/fd/N for what has none */
	char guest[PATH_MAX];         /* canonical guest path */
	char interp[PATH_MAX];        /* PT_INTERP: host path of the loader */
	bool interp_musl;
	bool go;                      /* dynamic, but made with Go: as good as static */
	bool nameless;                /* host is /proc/self/fd/N: fd must stay open across the exec */
};

static long count(char *const list[])
{
	long n = 0;

	if (!list)
		return 0;
	do
		if (!place_readable(&list[n], sizeof *list))
			return -EFAULT;
	while (list[n++]);
	return n - 1;
}

/* Every string of list can be read: 0, -EFAULT, or -E2BIG (execve(2), MAX_ARG_STRLEN). */
static long readable(char *const list[])
{
	const long n = count(list);

	for (long i = 0; i < n; i++) {
		long len = place_strlen(list[i], 131072);

		if (len < 0)
			return len == -ENAMETOOLONG ? -E2BIG : len;
	}
	return n < 0 ? n : 0;
}

static long both_readable(char *const argv[], char *const envp[])
{
	const long r = readable(argv);

	return r < 0 ? r : readable(envp);
}

/* -- the file -------------------------------------------------------------------------------- */

static long refuse(const char *guest, const char *why, long error)
{
	SAY(guest, ": ", why);
	return error;
}

/* Opens path for reading and checks that it may be executed. */
static long program_open(struct opened *p, const struct view *v, int dirfd, const char *path,
	int flags)
{
	struct open_how how = place_how_open(O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
						     (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0),
		0);
	struct place at = {.dir = dirfd, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH];
	struct stat st;
	long r;

	if (!*path) { /* AT_EMPTY_PATH: what dirfd holds */
		if (dirfd == AT_FDCWD)
			return -EACCES;
		if (sys_fcntl(dirfd, F_GETFD, 0) < 0)
			return -EBADF;
		/* a symlink that is held is not followed in any case */
		p->fd = sys_openat(AT_FDCWD, place_path(&at, magic), (int)how.flags & ~O_NOFOLLOW, 0);
	} else {
		p->fd = place_open(v, dirfd, path, &how);
	}
	if (p->fd == -EACCES) {
		p->fd = *path ? place_hold(v, dirfd, path, 0, 0) : sys_fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
		if (p->fd < 0)
			return p->fd;
		r = sys_fstatat(p->fd, "", &st, AT_EMPTY_PATH);
		if (r == 0 && S_ISREG(st.st_mode) &&
			sys_faccessat2(p->fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == 0)
			refuse(path, "may be executed but not read; libjail must read it, chmod +r", 0);
		sys_close(p->fd);
		return -EACCES;
	}
	if (p->fd == -ENXIO) /* a socket, or a FIFO that would have to wait: no regular file */
		return -EACCES;
	if (p->fd < 0)
		return p->fd;
	r = sys_fstat(p->fd, &st);
	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EACCES;
	if (r == 0)
		r = sys_faccessat2(p->fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS);
	if (r == 0) {
		memset(p->head, 0, HEAD);
		r = sys_pread(p->fd, p->head, HEAD, 0);
		r = r < 0 ? r : 0;
	}
	/* a script's bits mean nothing to the kernel (execve(2)), nor do those of what is no program */
	if (r == 0 && memcmp(p->head, ELFMAG, SELFMAG) == 0 && config()->statics != CONFIG_STATIC_RUN &&
		(((st.st_mode & S_ISUID) && st.st_uid != (uid_t)sys_call(SYS_geteuid)) ||
			((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
				st.st_gid != (gid_t)sys_call(SYS_getegid))))
		r = refuse(path, "set-user-ID or set-group-ID, and libjail cannot give it that identity; "
				 "--static=run runs it without",
			-EPERM);
	if (r < 0)
		sys_close(p->fd);
	return r;
}

/* The canonical names of the open program. */
static long program_name(struct program *p, const struct view *v)
{
	struct place at = {.dir = p->fd, .flags = AT_EMPTY_PATH};
	struct str s = {p->guest, p->guest + sizeof p->guest};
	char magic[PLACE_PATH];
	struct stat st, named;
	long n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), p->host, sizeof p->host - 1);

	if (n < 0)
		return n;
	p->host[n] = '\0';
	if (place_guest(v, p->host, &s) < 0) {
		s.at = p->guest;
		str_puts(&s, p->host);
	}
	/* memfd, O_TMPFILE, a file already unlinked: its descriptor is the only name it has */
	p->nameless = p->host[0] != '/' || sys_fstatat(AT_FDCWD, p->host, &named, 0) < 0 ||
		      sys_fstat(p->fd, &st) < 0 || named.st_ino != st.st_ino ||
		      named.st_dev != st.st_dev;
	return 0;
}

/* Does this PT_NOTE hold Go's build id (cmd/internal/buildid)?  Such a program, when it is linked
 * dynamically at all, makes its system calls itself, and reads the auxiliary vector from behind the
 * environment that the kernel gave, which is shorter under us. */
static bool is_go(int fd, const Elf64_Phdr *ph)
{
	char text[512];
	const size_t room = ph->p_filesz < sizeof text ? ph->p_filesz : sizeof text;
	const ssize_t have = sys_pread(fd, text, room, (off_t)ph->p_offset);
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

/* Reads the ELF headers: what kind, which loader. */
static long program_elf(struct program *p, const struct view *v, const char *head, const char *shown)
{
	static const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	const Elf64_Ehdr *e = (const void *)head;
	const char *base = mem_base(p->guest);
	char name[PATH_MAX];
	Elf64_Phdr ph;
	struct stat st;
	long n;
	int fd;

	if (e->e_machine == EM_NONE || (e->e_type != ET_EXEC && e->e_type != ET_DYN))
		return -ENOEXEC;
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != SYS_ARCH_MACHINE ||
		e->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(shown, "a program for another architecture; this libjail.so serves " SYS_ARCH_NAME,
			-ENOEXEC);
	if (e->e_phentsize != sizeof ph || !e->e_phnum)
		return -ENOEXEC;
	p->kind = KIND_STATIC;
	for (unsigned i = 0; i < e->e_phnum; i++) {
		if (sys_pread(p->fd, &ph, sizeof ph, (off_t)(e->e_phoff + i * sizeof ph)) != sizeof ph)
			return -ENOEXEC;
		p->go |= ph.p_type == PT_NOTE && is_go(p->fd, &ph);
		if (ph.p_type != PT_INTERP || p->kind == KIND_DYNAMIC)
			continue;
		/* fs/binfmt_elf.c: 2 to PATH_MAX bytes, the last one NUL */
		if (ph.p_filesz < 2 || ph.p_filesz > PATH_MAX ||
			sys_pread(p->fd, name, ph.p_filesz, (off_t)ph.p_offset) != (ssize_t)ph.p_filesz ||
			name[ph.p_filesz - 1])
			return -ENOEXEC;
		fd = place_open(v, AT_FDCWD, name, &how);
		if (fd < 0)
			return fd;
		n = sys_fstat(fd, &st);
		if (n == 0 && !S_ISREG(st.st_mode))
			n = -EACCES;
		if (n == 0)
			n = sys_faccessat2(fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS);
		if (n == 0) {
			struct place at = {.dir = fd, .flags = AT_EMPTY_PATH};
			char magic[PLACE_PATH];

			n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), p->interp,
				sizeof p->interp - 1);
		}
		sys_close(fd);
		if (n < 0)
			return n;
		p->interp[n] = '\0';
		for (const char *c = name; *c; c++)
			if (mem_after(c, "musl"))
				p->interp_musl = true;
		p->kind = KIND_DYNAMIC;
	}
	if (p->kind == KIND_DYNAMIC) {
		if (p->go)
			p->kind = KIND_STATIC;
		return 0;
	}
	/* the loader itself, as ldd(1) starts it */
	if (e->e_type == ET_DYN && (mem_after(base, "ld-") || mem_after(base, "ld.so") ||
					   mem_after(base, "ld64.so") || mem_equal(base, "libc.so"))) {
		struct str s = {p->interp, p->interp + sizeof p->interp};

		p->kind = KIND_LOADER;
		p->interp_musl = mem_after(base, "ld-musl") || mem_equal(base, "libc.so");
		str_puts(&s, p->host);
	}
	return 0;
}

/* -- the environment ------------------------------------------------------------------------- */

/* Text that the new environment or argument list points at. */
struct made {
	struct str s;
	char **envp;
	size_t n;
};

/* The text written since at is an entry of the environment; what does not fit stays not fitting. */
static void env_done(struct made *m, char *at)
{
	if (m->s.at && ++m->s.at == m->s.end)
		m->s.at = NULL;
	if (m->s.at)
		m->envp[m->n++] = at;
}

static void env_put(struct made *m, const char *name, const char *value)
{
	char *at = m->s.at;

	if (!value || !at)
		return;
	str_puts(&m->s, name);
	str_puts(&m->s, "=");
	str_puts(&m->s, value);
	env_done(m, at);
}

/* Does the text bear what ld.so(8) takes for more than a name in LD_PRELOAD and LD_AUDIT? */
static bool unlistable(const char *path)
{
	return mem_find(path, ' ') || mem_find(path, ':') || mem_find(path, '\n') ||
	       mem_find(path, '\t') || mem_find(path, '$');
}

/* list without our own entry; NULL when nothing is left.  out has room for list. */
static const char *without_ours(const char *list, const char *ours, char *out, size_t n)
{
	struct str s = {out, out + n};
	const char *e;

	*out = '\0';
	for (; list && *list; list = *e ? e + 1 : e) {
		for (e = list; *e && *e != ':' && *e != ' '; e++)
			;
		if (e == list || (ours && strlen(ours) == (size_t)(e - list) &&
					 memcmp(ours, list, (size_t)(e - list)) == 0))
			continue;
		if (s.at != out)
			str_puts(&s, ":");
		str_put(&s, list, (size_t)(e - list));
	}
	return s.at && *out ? out : NULL;
}

static void put_escaped(struct str *s, const char *path)
{
	for (; *path; path++) {
		if (*path == '\n') {
			str_puts(s, "\\n");
			continue;
		}
		if (*path == ',' || *path == ':' || *path == '\\')
			str_puts(s, "\\");
		str_put(s, path, 1);
	}
}

/* Appends the guest's list to the one that starts at start, each absolute entry as a host path
 * below prefix: for musl's loader, which has no audit modules. */
static void put_prefixed(struct str *s, const char *start, const char *prefix, const char *list)
{
	const char *e;

	for (; list && *list; list = *e ? e + 1 : e) {
		for (e = list; *e && *e != ':' && *e != ' ' && *e != '\n'; e++)
			;
		if (e == list)
			continue;
		if (s->at != start)
			str_puts(s, ":");
		if (*list == '/')
			str_puts(s, prefix);
		str_put(s, list, (size_t)(e - list));
	}
}

/* Room for a list of put_prefixed. */
static size_t room_prefixed(const char *prefix, const char *list)
{
	size_t n = 2, len = list ? strlen(list) : 0;

	for (size_t i = 0; i < len; i++)
		n += list[i] == ':' || list[i] == ' ' || list[i] == '\n';
	return len + n * (strlen(prefix) + 1) + 1;
}

static size_t list_length(char *const envp[], size_t *ret_count)
{
	size_t bytes = 0, n = 0;

	for (; envp && envp[n]; n++)
		if (mem_after(envp[n], "LD_") || mem_after(envp[n], "LIBJAIL_"))
			bytes += strlen(envp[n]) + 1;
	*ret_count = n;
	return bytes;
}

/* What a rooted program needs beside its own environment. */
struct extra {
	const char *argv0, *fn, *exe; /* notes; NULL: none */
	const char *fds;              /* descriptors that the loader needs */
	const char *lib, *audit;      /* our entries of LD_PRELOAD and LD_AUDIT */
	bool by_fd;                   /* fn ends with a slash, which no program's path does */
	bool musl;
	bool eager;                   /* bind all symbols at start */
	const char *interp;           /* the program's loader, a host path */
	char *trace;                  /* an entry that job_run() completes; NULL: none */
};

/* How many entries env_make adds at most. */
enum {
#define X(name, field, what) +1
	ENV_OWN = CONFIG_VARS(X) CONFIG_NOTES(X) + 4 /* LD_PRELOAD, LD_AUDIT, LD_BIND_NOW, NULL */
#undef X
};

/* Upper bound for the text that env_make writes. */
static size_t env_room(const struct view *v, char *const envp[], const struct extra *x)
{
	const struct config *c = config();
	size_t n, room = list_length(envp, &n) * 3 + 4096;

#define X(name, field, what) room += sizeof(name) + 2 + (c->field ? strlen(c->field) : 0);
	CONFIG_VARS(X)
	CONFIG_NOTES(X)
#undef X
	room += 2 * (strlen(c->lib) + strlen(c->audit)) + (x->argv0 ? strlen(x->argv0) : 0) +
		(x->fn ? strlen(x->fn) + 1 : 0) + (x->exe ? strlen(x->exe) : 0);
	if (v) {
		room += v->host_len;
		for (size_t i = 0; i < v->nbinds; i++)
			room += 2 * (v->binds[i].host_len + v->binds[i].guest_len) + 4 +
				(size_t)(v->binds[i].nhidden + 8) * 21;
	}
	if (v && x->musl)
		room += room_prefixed(v->host, env_get(envp, "LD_PRELOAD"));
	return room + 2 * CARRY_NOTE;
}

static void env_make(struct made *m, const struct view *v, char *const envp[], const struct extra *x)
{
	const struct config *c = config();
	const char *preload = env_get(envp, "LD_PRELOAD"), *audit = env_get(envp, "LD_AUDIT");
	size_t plen = preload ? strlen(preload) + 1 : 1;
	char *own = alloca(plen), found[CARRY_NOTE];
	const char *carry = c->note_carry;
	bool traced;
	char *at;

	preload = without_ours(preload, c->note_lib, own, plen);
	if (v && preload && !carry && (!c->root || c->note_launch)) { /* a program of the host enters a root */
		carry_find(preload, found);
		carry = found;
	}
	/* ldd(1): the program does not run, and is to be listed as it is without us */
	traced = v && !x->musl && env_get(envp, "LD_TRACE_LOADED_OBJECTS");
	for (; envp && *envp; envp++)
		if (!env_ours(*envp) && !mem_after(*envp, "LD_PRELOAD=") &&
			!(v && mem_after(*envp, "LD_AUDIT=")))
			m->envp[m->n++] = *envp;

	at = m->s.at;
	if (!x->lib) { /* came by /etc/ld.so.preload */
		env_put(m, "LD_PRELOAD", preload);
		goto settings;
	}
	str_puts(&m->s, "LD_PRELOAD=");
	if (preload && v && x->musl)
		put_prefixed(&m->s, m->s.at, v->host, preload);
	else if (preload && carry && *carry)
		carry_put(&m->s, preload, carry, x->interp, carry == found);
	else if (preload)
		str_puts(&m->s, preload);
	if (preload && !traced)
		str_puts(&m->s, ":");
	if (!traced)
		str_puts(&m->s, x->lib);
	env_done(m, at);
settings:
#define X(name, field, what)                                                               \
	if (!mem_equal(name, "LIBJAIL_ROOT") && !mem_equal(name, "LIBJAIL_BIND") &&        \
		!mem_equal(name, "LIBJAIL_LIB"))                                           \
		env_put(m, name, c->field);
	CONFIG_VARS(X)
#undef X
	if (x->lib != c->note_lib || c->lib_word)
		env_put(m, "LIBJAIL_LIB", c->lib);
	if (x->trace)
		m->envp[m->n++] = x->trace;
	env_put(m, "LIBJAIL_0_FD", x->fds);
	if (UNLIKELY(source_fd >= 0)) {
		at = m->s.at;
		str_puts(&m->s, "LIBJAIL_0_NAMES=");
		str_num(&m->s, (unsigned)source_fd);
		env_done(m, at);
	}
	if (!v) {
		env_put(m, "LIBJAIL_BIND", c->bind);
		m->envp[m->n] = NULL;
		return;
	}

	if (!x->musl) {
		at = m->s.at;
		str_puts(&m->s, "LD_AUDIT=");
		if (audit) {
			str_puts(&m->s, audit);
			str_puts(&m->s, ":");
		}
		str_puts(&m->s, x->audit);
		env_done(m, at);
	}
	env_put(m, "LIBJAIL_ROOT", v->host_len ? v->host : "/");
	at = m->s.at;
	str_puts(&m->s, "LIBJAIL_BIND=none");
	for (size_t i = 0; i < v->nbinds; i++) {
		str_puts(&m->s, ",");
		put_escaped(&m->s, v->binds[i].host);
		str_puts(&m->s, ":");
		put_escaped(&m->s, v->binds[i].guest);
	}
	env_done(m, at);
	m->envp[m->n] = NULL;
	if (x->eager && !env_get(m->envp, "LD_BIND_NOW")) {
		env_put(m, "LD_BIND_NOW", "1");
		env_put(m, "LIBJAIL_0_LAZY", "1");
	}
	at = m->s.at;
	str_puts(&m->s, "LIBJAIL_0_VIEW=");
	view_note_put(v, &m->s);
	env_done(m, at);
	env_put(m, "LIBJAIL_0_ARGV0", x->argv0);
	if (x->by_fd) {
		at = m->s.at;
		str_puts(&m->s, "LIBJAIL_0_FN=");
		str_puts(&m->s, x->fn);
		str_puts(&m->s, "/");
		env_done(m, at);
	} else {
		env_put(m, "LIBJAIL_0_FN", x->fn);
	}
	env_put(m, "LIBJAIL_0_EXE", x->exe);
	env_put(m, "LIBJAIL_0_LIB", x->lib);
	env_put(m, "LIBJAIL_0_PRELOAD", preload);
	env_put(m, "LIBJAIL_0_CARRY", carry && *carry ? carry : NULL);
	env_put(m, "LIBJAIL_0_AUDIT", audit);
	m->envp[m->n] = NULL;
}

/* Almost always envp is complete already, and nothing is copied: our entry in LD_PRELOAD and the
 * user's settings as they were read. */
static bool env_complete(char *const envp[])
{
	const struct config *c = config();
	const char *list = env_get(envp, "LD_PRELOAD"), *e, *value;
	bool found = false;

	if (report_noted || source_fd >= 0)
		return false; /* the next program is to know whose descriptors it inherits */
	if (!c->note_lib)
		return true; /* came by /etc/ld.so.preload: nobody can take it away */
	for (; list && *list && !found; list = *e ? e + 1 : e) {
		for (e = list; *e && *e != ':' && *e != ' '; e++)
			;
		found = strlen(c->note_lib) == (size_t)(e - list) &&
			memcmp(c->note_lib, list, (size_t)(e - list)) == 0;
	}
	if (!found)
		return false;
#define X(name, field, what)                                                             \
	value = env_get(envp, name);                                                     \
	if ((c->field != NULL) != (value != NULL) || (value && !mem_equal(value, c->field))) \
		return false;
	CONFIG_VARS(X)
#undef X
	return true;
}

/* -- running --------------------------------------------------------------------------------- */

/* The limit of descriptors, lifted for the time of planning. */
struct lift {
	struct rlimit was;
	bool on;
};

struct job {
	struct lift *lift;
	bool by_fd; /* the program is what a descriptor holds */
};

static void lift_end(struct lift *l)
{
	if (l->on)
		sys_nofile_restore(&l->was);
	l->on = false;
}

static long run_here(const struct job *j, const struct exec_plan *plan)
{
	lift_end(j->lift);
	sys_nofile_alone();
	if (plan->dirfd != AT_FDCWD || plan->flags)
		return sys_call(SYS_execveat, plan->dirfd, plan->path, plan->argv, plan->envp, plan->flags);
	return sys_call(SYS_execve, plan->path, plan->argv, plan->envp);
}

#define TRACE "LIBJAIL_0_TRACE="
enum { TRACE_SIZE = sizeof TRACE + REPORT_NOTE };

/* Does it look as if the kernel will execute it?  What is reported before an exec that fails has to
 * be taken back. */
static bool exec_likely(const struct exec_plan *plan)
{
	struct stat st;

	return sys_fstatat(plan->dirfd, plan->path, &st, plan->flags) == 0 && S_ISREG(st.st_mode) &&
	       sys_faccessat2(plan->dirfd, plan->path, X_OK, plan->flags | AT_EACCESS) == 0;
}

/* The run of a process that is reported on: trace, where there is one, gets its value. */
static NOINLINE long job_reported(const struct job *j, const struct exec_plan *plan, const char *program,
	const char *target, char *const argv[], char *const envp[], char *trace)
{
	const unsigned exec = report_exec_wanted() && exec_likely(plan)
				      ? report_exec(program, target, argv, envp)
				      : 0;
	bool keep = false;
	long r;

	if (trace) {
		memcpy(trace, TRACE, sizeof TRACE);
		keep = report_note(trace + sizeof TRACE - 1, REPORT_NOTE);
	}
	if (keep)
		event_keep(true);
	r = run_here(j, plan);
	if (keep)
		event_keep(false);
	if (exec)
		report_exec_failed(exec, r);
	return r;
}

/* The rules that give descriptors back, then the run; all undone when it comes back. */
static long job_run(const struct job *j, const struct exec_plan *plan, const char *program,
	const char *target, char *const argv[], char *const envp[], char *trace)
{
	int undo[UNDO_MAX];
	size_t n = fdpolicy_exec(program, argv, envp, undo, UNDO_MAX);
	long r;

	if (UNLIKELY(source_fd >= 0))
		source_keep(true);
	r = UNLIKELY(report_noted) ? job_reported(j, plan, program, target, argv, envp, trace)
				   : run_here(j, plan);
	if (UNLIKELY(source_fd >= 0))
		source_keep(false);
	fdpolicy_undo(undo, n);
	return r;
}

/* "/proc/self/fd/N" in buf (PLACE_PATH bytes): what a program that is executed by its descriptor
 * is called in a report. */
static const char *held_name(int fd, char *buf)
{
	struct place at = {.dir = fd, .flags = AT_EMPTY_PATH};

	return place_path(&at, buf);
}

/* Without a root: the program as it is, the environment re-armed. */
static long plan_plain(const struct job *j, int dirfd, const char *path, char *const argv[],
	char *const envp[], int flags)
{
	struct exec_plan plan = {.dirfd = dirfd, .path = path, .argv = argv, .envp = envp, .flags = flags};
	struct extra x = {.lib = config()->note_lib};
	struct made m = {0};
	char fds[24], entry[PLACE_PATH];
	struct str f = {fds, fds + sizeof fds};
	struct place held = {.flags = AT_EMPTY_PATH};
	size_t n, room;
	long r;
	int fd = -1;

	r = both_readable(argv, envp);
	if (r < 0)
		return r;
	if (!env_complete(envp) && *config()->lib) {
		(void)list_length(envp, &n);
		if (unlistable(config()->lib)) {
			fd = sys_openat(AT_FDCWD, config()->lib, O_RDONLY, 0);
			if (fd == -EMFILE)
				return fd;
			held.dir = fd;
			x.lib = place_path(&held, entry);
			str_num(&f, (unsigned)fd);
			x.fds = fds;
		}
		if (UNLIKELY(report_noted))
			x.trace = alloca(TRACE_SIZE);
		room = env_room(NULL, envp, &x);
		m.envp = alloca((n + ENV_OWN) * sizeof *m.envp);
		m.s.at = alloca(room);
		m.s.end = m.s.at + room;
		env_make(&m, NULL, envp, &x);
		if (!m.s.at)
			return -E2BIG;
		plan.envp = m.envp;
	}
	r = job_run(j, &plan, path, *path || dirfd < 0 ? path : held_name(dirfd, entry), argv, envp,
		x.trace);
	if (fd >= 0)
		sys_close(fd);
	return r;
}

/* ld.so's own command line: the place of the program in argv, 0 when there is none.  musl and
 * glibc: options begin with "--", some take the next word. */
static size_t loader_program(char *const argv[])
{
	static const char *const with_value[] = {"--library-path", "--inhibit-rpath", "--audit", "--preload",
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

enum { MUSL_LIST = 1024 };

/* The directories that musl's loader searches: as /etc/ld-musl-ARCH.path says, or as it is built. */
static void musl_list(const struct view *v, char *list)
{
	static const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	struct str s = {list, list + MUSL_LIST};
	long n = -1;
	int fd = place_open(v, AT_FDCWD, "/etc/ld-musl-" SYS_ARCH_NAME ".path", &how);

	if (fd >= 0) {
		n = sys_read(fd, list, MUSL_LIST - 1);
		sys_close(fd);
	}
	list[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		str_puts(&s, "/lib:/usr/local/lib:/usr/lib");
}

/* Where a program asks musl's loader to look before that: DT_RUNPATH, else DT_RPATH, as text in list
 * (MUSL_LIST bytes) in the guest's terms, $ORIGIN replaced; "" when it has none, or one that musl would
 * not take.  The loader would look for it on the host, and after --library-path. */
static NOINLINE void musl_rpath(const struct program *p, char *list)
{
	enum { DYNAMIC_MOST = 1 << 16 };
	char text[MUSL_LIST];
	struct str s = {list, list + MUSL_LIST};
	Elf64_Ehdr e;
	Elf64_Phdr ph;
	Elf64_Dyn d[32];
	unsigned long strings = 0, rpath = 0, runpath = 0, at;
	const char *c = text;
	long n = -1;

	*list = '\0';
	if (sys_pread(p->fd, &e, sizeof e, 0) != sizeof e)
		return;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		if (sys_pread(p->fd, &ph, sizeof ph, (off_t)(e.e_phoff + i * sizeof ph)) != sizeof ph)
			return;
		/* the file may say anything of its size */
		for (unsigned long k = 0; ph.p_type == PT_DYNAMIC && k < ph.p_filesz && k < DYNAMIC_MOST; k += sizeof d) {
			n = sys_pread(p->fd, d, sizeof d, (off_t)(ph.p_offset + k)) / (long)sizeof *d;
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
	for (unsigned i = 0; at != strings && n < 0 && i < e.e_phnum; i++)
		if (sys_pread(p->fd, &ph, sizeof ph, (off_t)(e.e_phoff + i * sizeof ph)) == sizeof ph &&
			ph.p_type == PT_LOAD && at >= ph.p_vaddr && at - ph.p_vaddr < ph.p_filesz)
			n = sys_pread(p->fd, text, sizeof text - 1, (off_t)(ph.p_offset + at - ph.p_vaddr));
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

/* What the loader itself is to load: path in the guest -> host, PATH_MAX bytes. */
static NOINLINE void loader_target(const struct view *v, const char *path, char *host)
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

/* The next libjail finds the root by its descriptors, whatever has become of its name. */
static void view_inherit(const struct view *v, int flag)
{
	sys_fcntl(v->fd, F_SETFD, flag);
	for (size_t i = 0; i < v->nbinds; i++)
		sys_fcntl(v->binds[i].fd, F_SETFD, flag);
}

static NOINLINE long plan_rooted(const struct job *j, const struct view *v, struct program *p,
	const char *fn, char *const argv[], char *const envp[])
{
	const struct config *c = config();
	const long argc = count(argv), envc = count(envp);
	struct exec_plan plan = {.dirfd = AT_FDCWD, .path = p->interp};
	struct extra x = {.argv0 = argc > 0 ? argv[0] : "", .fn = fn, .exe = p->guest,
		.by_fd = j->by_fd, .musl = p->interp_musl, .lib = c->lib, .audit = c->audit, .interp = p->interp};
	struct made m = {0};
	char fds[64], entry[PLACE_PATH], audit_entry[PLACE_PATH], name[PLACE_PATH], prefix[PLACE_PATH];
	struct str f = {fds, fds + sizeof fds};
	struct place held = {.flags = AT_EMPTY_PATH};
	int lib = -1, audit = -1, dup = -1, root = -1;
	const char *program = p->host;
	char *library_path = NULL;
	size_t at = 0, room, prog = 0;
	char **args;
	long r;

	if (argc < 0 || envc < 0)
		return -EFAULT;
	/* Before 2.35 glibc sends every lazily bound call through _dl_runtime_profile once any audit
	 * module is there: 433 ns a call where 11 would do (measured on 2.31).  Until 2.33 the
	 * loader's file bears its version. */
	x.eager = mem_after(mem_base(p->interp), "ld-2.");
	fds[0] = '\0';
	if (unlistable(c->lib)) { /* the directory of both: name them by descriptors */
		lib = sys_openat(AT_FDCWD, c->lib, O_RDONLY, 0);
		audit = sys_openat(AT_FDCWD, c->audit, O_RDONLY, 0);
		if (lib < 0 || audit < 0) {
			r = lib < 0 ? lib : audit;
			goto out;
		}
		held.dir = lib;
		x.lib = place_path(&held, entry);
		held.dir = audit;
		x.audit = place_path(&held, audit_entry);
		str_num(&f, (unsigned)lib);
		str_puts(&f, ",");
		str_num(&f, (unsigned)audit);
	}
	if (p->nameless) {
		dup = sys_fcntl(p->fd, F_DUPFD, 3);
		if (dup < 0) {
			r = dup;
			goto out;
		}
		held.dir = dup;
		program = place_path(&held, name);
		if (f.at != fds)
			str_puts(&f, ",");
		str_num(&f, (unsigned)dup);
	}
	if (f.at != fds)
		x.fds = fds;
	if (p->kind == KIND_LOADER) {
		prog = loader_program(argv);
		x.argv0 = NULL;
		if (prog) {
			loader_target(v, argv[prog], p->host);
			x.argv0 = argv[prog];
		}
	}

	args = alloca(((size_t)argc + 8) * sizeof *args);
	args[at++] = p->interp;
	if (p->interp_musl) {
		const char *pre = v->host, *own = env_get(envp, "LD_LIBRARY_PATH");
		char list[MUSL_LIST], rpath[MUSL_LIST] = "";
		struct str l;
		size_t len;

		if (mem_find(pre, ':') || mem_find(pre, '\n')) {
			/* musl splits the list at these: name the root by a descriptor, which must
			 * stay open for dlopen(3) */
			root = sys_fcntl(v->fd, F_DUPFD, 3);
			held.dir = root;
			pre = place_path(&held, prefix);
		}
		musl_list(v, list);
		if (p->kind != KIND_LOADER)
			musl_rpath(p, rpath);
		len = room_prefixed(pre, own) + room_prefixed(pre, rpath) + room_prefixed(pre, list);
		library_path = alloca(len);
		l = (struct str){library_path, library_path + len};
		put_prefixed(&l, library_path, pre, own);
		put_prefixed(&l, library_path, pre, rpath);
		put_prefixed(&l, library_path, pre, list);
		args[at++] = (char *)(uintptr_t) "--library-path";
		args[at++] = library_path;
	} else {
		args[at++] = (char *)(uintptr_t) "--inhibit-cache";
	}
	if (p->kind == KIND_LOADER) {
		for (size_t i = 1; argv[i]; i++)
			args[at++] = i == prog ? (char *)(uintptr_t)program : argv[i];
	} else {
		args[at++] = (char *)(uintptr_t)program;
		for (long i = 1; i < argc; i++)
			args[at++] = argv[i];
	}
	args[at] = NULL;

	if (UNLIKELY(report_noted))
		x.trace = alloca(TRACE_SIZE);
	room = env_room(v, envp, &x);
	m.envp = alloca(((size_t)envc + ENV_OWN) * sizeof *m.envp);
	m.s.at = alloca(room);
	m.s.end = m.s.at + room;
	env_make(&m, v, envp, &x);
	if (m.s.at) {
		plan.argv = args;
		plan.envp = m.envp;
		view_inherit(v, 0);
		r = job_run(j, &plan, p->guest, mem_after(fn, "/dev/fd/") ? p->guest : fn, argv, envp,
			x.trace);
		view_inherit(v, FD_CLOEXEC);
	} else {
		r = -E2BIG;
	}
out:
	if (lib >= 0)
		sys_close(lib);
	if (audit >= 0)
		sys_close(audit);
	if (dup >= 0)
		sys_close(dup);
	if (root >= 0)
		sys_close(root);
	return r;
}

/* -- static programs ------------------------------------------------------------------------- */

static long write_file(const char *path, const char *text)
{
	int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	long r = fd;

	if (fd >= 0) {
		r = sys_write(fd, text, strlen(text));
		sys_close(fd);
	}
	return r < 0 ? r : 0;
}

/* The kernel's own chroot, which a user namespace grants (user_namespaces(7)).  What fails here
 * leaves the process in a namespace of its own, but with the same identity and files. */
static long userns_enter(const struct view *v)
{
	char map[64], cwd[PATH_MAX];
	struct str s = {map, map + sizeof map};
	const unsigned long uid = (unsigned long)sys_call(SYS_geteuid),
			    gid = (unsigned long)sys_call(SYS_getegid);
	struct place to = {.flags = AT_EMPTY_PATH};
	struct view here;
	char onto[PLACE_PATH];
	static const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	long r = guest_getcwd(cwd, sizeof cwd);

	if (r < 0 || cwd[0] != '/')
		return r < 0 ? r : -ENOENT;
	r = sys_call(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS);
	if (r < 0)
		return r;
	str_num(&s, uid);
	str_puts(&s, " ");
	str_num(&s, uid);
	str_puts(&s, " 1");
	r = write_file("/proc/self/uid_map", map);
	if (r == 0)
		r = write_file("/proc/self/setgroups", "deny");
	s = (struct str){map, map + sizeof map};
	str_num(&s, gid);
	str_puts(&s, " ");
	str_num(&s, gid);
	str_puts(&s, " 1");
	if (r == 0)
		r = write_file("/proc/self/gid_map", map);
	/* our descriptors are of the old mount namespace: what is mounted here would not show there */
	if (r == 0)
		r = view_open(&here, v->host_len ? v->host : "/", state_fd_min());
	if (r == 0 && (here.dev != v->dev || here.ino != v->ino))
		r = -ENOENT;
	for (size_t i = 0; r == 0 && i < v->nbinds; i++) {
		int fd = place_open(&here, AT_FDCWD, v->binds[i].guest, &how);

		if (fd < 0)
			continue; /* lies in another bind, which brings it along */
		to.dir = fd;
		r = sys_call(SYS_mount, v->binds[i].host, place_path(&to, onto), 0, MS_BIND | MS_REC, 0);
		sys_close(fd);
	}
	if (r == 0)
		r = sys_fchdir(here.fd);
	if (r == 0)
		r = sys_call(SYS_chroot, ".");
	if (r == 0)
		r = sys_call(SYS_chdir, cwd);
	return r;
}

/* ldconfig(8) is static, and run by every installation of a library, by ctypes.util.find_library(),
 * and the like: but it knows how to stay in a root.  Its -r tries chroot(2), and else puts
 * the root in front of each name.  args: room for two more than argv.  Is it that, and called with
 * no file of the caller's? */
static bool ldconfig_args(const struct view *v, struct program *p, char *const argv[], char **args)
{
	static const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
	size_t n = 0;
	int fd;

	if (!mem_equal(p->guest, "/usr/sbin/ldconfig") && !mem_equal(p->guest, "/sbin/ldconfig"))
		return false;
	args[n++] = argv[0];
	args[n++] = (char *)(uintptr_t) "-r";
	args[n++] = (char *)(uintptr_t)(v->host_len ? v->host : "/");
	for (size_t i = 1; argv[i]; i++) {
		const char *a = argv[i];

		if (mem_equal(a, "-r") && argv[i + 1]) { /* dpkg's way: -r "$DPKG_ROOT/" */
			fd = place_open(v, AT_FDCWD, argv[++i], &how);
			if (fd < 0)
				return false;
			sys_close(fd);
			loader_target(v, argv[i], p->interp); /* a static program has no other use for it */
			args[2] = p->interp;
			continue;
		}
		if (*a == '-' && (mem_find(a, 'r') || mem_find(a, 'C') || mem_find(a, 'f') ||
					 mem_find(a, 'l') || (a[1] == '-' && a[2])) &&
			!mem_equal(a, "--print-cache") && !mem_equal(a, "--verbose"))
			return false;
		args[n++] = argv[i];
	}
	args[n] = NULL;
	return true;
}

static long plan_static(const struct job *j, const struct view *v, struct program *p, const char *fn,
	char *const argv[], char *const envp[])
{
	struct exec_plan plan = {.dirfd = AT_FDCWD, .path = p->host, .argv = argv, .envp = envp};
	const long argc = count(argv);
	char **args;
	long r;

	switch (config()->statics) {
	case CONFIG_STATIC_RUN:
		return job_run(j, &plan, p->guest, fn, argv, envp, NULL);
	case CONFIG_STATIC_USERNS:
		if (p->nameless)
			return -ENOENT;
		r = userns_enter(v);
		if (r < 0)
			return refuse(fn, p->go ? "made with Go, and no user namespace is to be had for it"
						 : "statically linked, and no user namespace is to be had for it",
				-EPERM);
		plan.path = p->guest;
		return job_run(j, &plan, p->guest, fn, argv, envp, NULL);
	default:
		args = alloca(((size_t)argc + 3) * sizeof *args);
		if (argc > 0 && ldconfig_args(v, p, argv, args)) {
			plan.argv = args;
			return job_run(j, &plan, p->guest, fn, args, envp, NULL);
		}
#define REFUSED ", so libjail cannot keep it in the root; " \
		"--static=userns gives it a real chroot, --static=run lets it out"
		return refuse(fn, p->go ? "made with Go, which makes system calls by itself" REFUSED
					: "statically linked" REFUSED,
			-EPERM);
#undef REFUSED
	}
}

/* -- scripts --------------------------------------------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* fs/binfmt_script.c: splits the first line in place.  0, or -ENOEXEC. */
static long script_split(char *head, char **ret_interp, char **ret_arg)
{
	char *const last = head + HEAD - 1;
	char *end = NULL, *name, *sep, *arg = NULL;

	for (char *c = head; c <= last && *c; c++)
		if (*c == '\n') {
			end = c;
			break;
		}
	if (!end) {
		char *c = head + 2;

		while (c <= last && blank(*c))
			c++;
		if (c > last)
			return -ENOEXEC; /* nothing but blanks */
		while (c <= last && *c && !blank(*c))
			c++;
		if (c > last)
			return -ENOEXEC; /* the interpreter's name is cut off */
		end = last;
	}
	while (end > head + 2 && blank(end[-1]))
		end--;
	*end = '\0';
	for (name = head + 2; name < end && blank(*name); name++)
		;
	if (name >= end)
		return -ENOEXEC;
	if (!*name)
		return -EACCES; /* "" is looked up, and is the working directory */
	for (sep = name; sep < end && *sep && !blank(*sep); sep++)
		;
	if (sep < end && *sep) {
		for (arg = sep; arg < end && blank(*arg); arg++)
			;
		*sep = '\0';
		if (arg >= end || !*arg)
			arg = NULL;
	}
	*ret_interp = name;
	*ret_arg = arg;
	return 0;
}

static long plan_program(const struct job *j, const struct view *v, int dirfd, const char *path,
	const char *shown, const char *fn, char *const argv[], char *const envp[], int flags, int depth);

/* Own frame: argv grows by the interpreter's words.  lost: its interpreter could not open it. */
static NOINLINE long plan_script(const struct job *j, const struct view *v, char *head, bool lost,
	const char *shown, const char *fn, char *const argv[], char *const envp[], int depth)
{
	char *interp, *arg;
	const long argc = count(argv);
	char **args;
	size_t n = 0;
	long r;

	if (argc < 0)
		return argc;
	r = script_split(head, &interp, &arg);
	if (lost && r != -ENOEXEC) /* nothing is looked up before */
		return -ENOENT;
	if (r < 0)
		return r;
	if (depth >= SCRIPTS_MAX)
		return -ELOOP;
	args = alloca(((size_t)argc + 4) * sizeof *args);
	args[n++] = interp;
	if (arg)
		args[n++] = arg;
	args[n++] = (char *)(uintptr_t)shown;
	for (long i = 1; i < argc; i++)
		args[n++] = argv[i];
	args[n] = NULL;
	return plan_program(j, v, AT_FDCWD, interp, interp, fn, args, envp, 0, depth + 1);
}

static NOINLINE long plan_elf(const struct job *j, const struct view *v, const struct opened *o,
	const char *shown, const char *fn, char *const argv[], char *const envp[])
{
	struct program p;
	long r;

	p.fd = o->fd;
	p.interp_musl = p.go = false;
	r = program_name(&p, v);
	if (r == 0)
		r = program_elf(&p, v, o->head, shown);
	if (r < 0)
		return r;
	return p.kind == KIND_STATIC ? plan_static(j, v, &p, fn, argv, envp)
				     : plan_rooted(j, v, &p, fn, argv, envp);
}

/* shown: the program's name as a script's interpreter gets to see it; fn: what execve got. */
static long plan_program(const struct job *j, const struct view *v, int dirfd, const char *path,
	const char *shown, const char *fn, char *const argv[], char *const envp[], int flags, int depth)
{
	struct opened o;
	bool lost;
	long r = program_open(&o, v, dirfd, path, flags);

	if (r < 0)
		return r;
	if (memcmp(o.head, ELFMAG, SELFMAG) == 0) {
		r = plan_elf(j, v, &o, shown, fn, argv, envp);
		sys_close(o.fd);
		return r;
	}
	sys_close(o.fd);
	if (o.head[0] != '#' || o.head[1] != '!')
		return -ENOEXEC;
	/* BINPRM_FLAGS_PATH_INACCESSIBLE: /dev/fd/N is closed by then */
	lost = dirfd != AT_FDCWD && *path != '/' && (sys_fcntl(dirfd, F_GETFD, 0) & FD_CLOEXEC);
	return plan_script(j, v, o.head, lost, shown, fn, argv, envp, depth);
}

/* -- the call -------------------------------------------------------------------------------- */

static long plan_any(const struct job *j, const struct view *v, int dirfd, const char *path, char *const argv[],
	char *const envp[], int flags)
{
	const struct job by_fd = {j->lift, !*path};
	char name[PATH_MAX + 32];
	struct str s = {name, name + sizeof name};

	if (!v)
		return plan_plain(j, dirfd, path, argv, envp, flags);
	if (dirfd == AT_FDCWD || path[0] == '/')
		return plan_program(j, v, dirfd, path, path, path, argv, envp, flags, 0);
	/* fs/exec.c, alloc_bprm: what a program executed by descriptor is called */
	str_puts(&s, "/dev/fd/");
	str_num(&s, (unsigned)dirfd);
	if (*path) {
		str_puts(&s, "/");
		str_puts(&s, path);
	}
	return plan_program(&by_fd, v, dirfd, path, name, name, argv, envp, flags, 0);
}

long guest_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	const struct view *v = state_view();
	struct lift lift = {.on = false};
	const struct job j = {&lift, false};
	long r;

	if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	r = place_strlen(path, PATH_MAX);
	if (r < 0)
		return r;
	if (r == 0 && v && !(flags & AT_EMPTY_PATH))
		return -ENOENT;
	r = v ? both_readable(argv, envp) : 0;
	if (r < 0)
		return r;
	r = plan_any(&j, v, dirfd, path, argv, envp, flags);
	/* the kernel needs no number (fs/exec.c, do_open_execat) */
	if (UNLIKELY(r == -EMFILE) && sys_nofile_lift(&lift.was) == 0) {
		lift.on = true;
		r = plan_any(&j, v, dirfd, path, argv, envp, flags);
		lift_end(&lift);
	}
	return r;
}
