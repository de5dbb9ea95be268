/* SPDX-License-Identifier: ISC
 *
 * execve: what the kernel must be told so that the guest's own loader starts the guest's
 * program, and the program sees what execve(2) would have shown it.
 *
 * The kernel resolves a #! line and PT_INTERP on the host, so in a root both are done here, as fs/exec.c,
 * fs/binfmt_script.c and fs/binfmt_elf.c do.  The kernel then executes the loader, with the program
 * as its argument; the constructor of the next libjail (start.c) puts argv[0], the process's name
 * and the environment back into the form that the caller gave. */
#include "exec.h"
#include "../../env.h"
#include "../../report.h"
#include "../../source.h"
#include "../../state.h"
#include <errno.h>

enum { ROOM_LEAST = 131072 }; /* include/uapi/linux/limits.h, ARG_MAX */

/* -- the lists ------------------------------------------------------------------------------- */

static long list_count(char *const list[], size_t *ret)
{
	size_t n = 0;

	*ret = 0;
	if (!list)
		return 0;
	do
		if (!place_readable(&list[n], sizeof *list))
			return -EFAULT;
	while (list[n++]);
	*ret = n - 1;
	return 0;
}

/* Takes n of the bytes that both lists may have together, pointers and strings (fs/exec.c, bprm_stack_limits).  They are
 * never fewer than 128 KiB: the limit is asked for when more are wanted. */
static bool fits(struct exec_call *c, size_t n)
{
	enum { MOST = 6 << 20 };
	struct rlimit stack;

	c->used += n;
	if (c->used <= c->room)
		return true;
	if (sys_call(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &stack) < 0)
		return false;
	stack.rlim_cur /= 4;
	c->room = stack.rlim_cur > MOST ? MOST : stack.rlim_cur < ROOM_LEAST ? ROOM_LEAST : stack.rlim_cur;
	return c->used <= c->room;
}

/* The strings of a list, from the last one, as the kernel copies them. */
static long list_strings(struct exec_call *c, char *const list[], size_t n, bool env)
{
	enum { MAX_STRING = 131072 }; /* include/uapi/linux/binfmts.h, MAX_ARG_STRLEN */

	while (n) {
		const char *s = list[--n];
		const long len = place_strlen(s, MAX_STRING);

		if (len < 0)
			return len == -ENAMETOOLONG ? -E2BIG : len;
		if (!fits(c, (size_t)len + 1))
			return -E2BIG;
		if (env && (mem_after(s, "LD_") || mem_after(s, "LIBJAIL_")))
			c->ours += (size_t)len + 1;
		if (!env && (size_t)len >= c->longest)
			c->longest = (size_t)len + 1;
	}
	return 0;
}

long exec_measure(struct exec_call *c, const char *filename)
{
	long r = list_count(c->argv, &c->argc);

	if (r == 0)
		r = list_count(c->envp, &c->envc);
	if (r < 0)
		return r;
	c->room = ROOM_LEAST;
	c->used = c->longest = c->ours = 0;
	/* the pointers have to leave a byte, which the strings may take */
	if (!fits(c, ((c->argc ? c->argc : 1) + c->envc) * sizeof(char *) + 1))
		return -E2BIG;
	c->used--;
	if (!fits(c, strlen(filename) + 1))
		return -E2BIG;
	r = list_strings(c, c->envp, c->envc, true);
	return r < 0 ? r : list_strings(c, c->argv, c->argc, false);
}

/* -- the file -------------------------------------------------------------------------------- */

long exec_refuse(const char *guest, const char *why, long error)
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
	struct stat *const st = &p->st;
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
		r = sys_fstatat(p->fd, "", st, AT_EMPTY_PATH);
		if (r == 0 && S_ISREG(st->st_mode) &&
			sys_faccessat2(p->fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) == 0)
			exec_refuse(path, "may be executed but not read; libjail must read it, chmod +r", 0);
		sys_close(p->fd);
		return -EACCES;
	}
	if (p->fd == -ENXIO) /* a socket, or a FIFO that would have to wait: no regular file */
		return -EACCES;
	if (p->fd < 0)
		return p->fd;
	r = sys_fstat(p->fd, st);
	if (r == 0 && !S_ISREG(st->st_mode))
		r = -EACCES;
	if (r == 0)
		r = sys_faccessat2(p->fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS);
	if (r == 0) {
		memset(p->head, 0, EXEC_HEAD);
		r = sys_pread(p->fd, p->head, EXEC_HEAD, 0);
		r = r < 0 ? r : 0;
	}
	/* a script's bits mean nothing to the kernel (execve(2)), nor do those of what is no program */
	if (r == 0 && memcmp(p->head, ELFMAG, SELFMAG) == 0 && config()->statics != CONFIG_STATIC_RUN &&
		(((st->st_mode & S_ISUID) && st->st_uid != (uid_t)sys_call(SYS_geteuid)) ||
			((st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
				st->st_gid != (gid_t)sys_call(SYS_getegid))))
		r = exec_refuse(path, "set-user-ID or set-group-ID, and libjail cannot give it that identity; "
				 "--static=run runs it without",
			-EPERM);
	if (r < 0)
		sys_close(p->fd);
	return r;
}

/* The canonical names of the open program; st: what it is. */
static long program_name(struct program *p, const struct view *v, const struct stat *st)
{
	struct place at = {.dir = p->fd, .flags = AT_EMPTY_PATH};
	char magic[PLACE_PATH];
	struct stat named;
	struct str s;
	long n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), p->at, PATH_MAX - 1);

	if (n < 0)
		return n;
	p->at[n] = '\0';
	p->host = exec_keep(p);
	s = (struct str){p->at, p->at + PATH_MAX};
	if (place_guest(v, p->host, &s) < 0) {
		s.at = p->at;
		str_puts(&s, p->host);
	}
	p->guest = exec_keep(p);
	/* memfd, O_TMPFILE, a file already unlinked: its descriptor is the only name it has */
	p->nameless = p->host[0] != '/' || sys_fstatat(AT_FDCWD, p->host, &named, 0) < 0 ||
		      named.st_ino != st->st_ino || named.st_dev != st->st_dev;
	return 0;
}

/* -- the plan -------------------------------------------------------------------------------- */

/* Maps a plan for the call, which has been measured, or returns NULL. */
static struct exec_plan *plan_make(const struct exec_call *c)
{
	const struct view *v = c->view;
	const size_t args = (c->argc + EXEC_WORDS) * sizeof(char *), env = (c->envc + ENV_OWN) * sizeof(char *);
	const size_t text = EXEC_ROOM + env_room(c), trace = sizeof EXEC_TRACE + REPORT_NOTE;
	size_t size = (sizeof(struct exec_plan) + 15) & ~(size_t)15, musl = 0;
	struct exec_plan *p;
	char *at;

	if (v) /* as host paths or by a descriptor, whichever is longer */
		musl = (EXEC_MUSL + c->ours) * (v->host_len + PLACE_PATH);
	p = area_take(size + 2 * args + env + text + trace + musl);
	if (!p)
		return NULL;
	at = (char *)p + size;
	size += 2 * args + env + text + trace + musl;
	p->call = c;
	p->size = size;
	p->fn = c->path;
	p->by_fd = false;
	p->argv = c->argv;
	p->argc = c->argc;
	p->script_argv = (char **)(void *)at + EXEC_WORDS / 2;
	p->loader_argv = (char **)(void *)(at + args);
	at += 2 * args;
	p->env = (struct made){.envp = (char **)(void *)at};
	at += env;
	p->program.at = at;
	p->env.s = (struct str){at, at + text};
	at += text;
	p->trace = UNLIKELY(report_noted || report_launching()) ? at : NULL;
	p->library_path = at + trace;
	p->run = (struct exec_run){.dirfd = AT_FDCWD, .guest_argv = c->argv, .guest_envp = c->envp, .view = v,
		.held = {-1, -1, -1}, .given = c->give ? c->dirfd : -1, .lift = c->lift};
	return p;
}

static void plan_drop(struct exec_plan *p)
{
	for (size_t i = 0; i < ROWS(p->run.held); i++)
		if (p->run.held[i] >= 0)
			sys_close(p->run.held[i]);
	area_give(p, p->size);
}

/* The argument list of a script's interpreter: interp, arg unless it is NULL, shown, and what followed argv[0]. */
static void plan_script(struct exec_plan *p, const char *interp, const char *arg, const char *shown)
{
	char **at = (char **)(uintptr_t)p->argv;

	if (p->argv == p->call->argv) { /* the first one */
		if (!p->argc)
			p->argc = 1; /* the kernel has put "" there */
		else
			memcpy(p->script_argv + 1, p->argv + 1, (p->argc - 1) * sizeof *at);
		at = p->script_argv;
		at[p->argc] = NULL;
	}
	*at = (char *)(uintptr_t)shown;
	if (arg) {
		*--at = (char *)(uintptr_t)arg;
		p->argc++;
	}
	*--at = (char *)(uintptr_t)interp;
	p->argc++;
	p->argv = at;
}

/* A file of ours, or one of which a duplicate is, whose number the next program's loader is told: its path there, or
 * NULL with *ret_error.  fd < 0: *ret_error. */
static const char *plan_hold(struct exec_plan *p, size_t which, int fd)
{
	struct place held = {.dir = fd, .flags = AT_EMPTY_PATH};
	struct str s = {p->fds + strlen(p->fds), p->fds + sizeof p->fds};

	p->run.held[which] = fd;
	if (s.at != p->fds)
		str_puts(&s, ",");
	str_num(&s, (unsigned)fd);
	return place_path(&held, p->entries[which]);
}

/* Names our two libraries by descriptors where their paths would not stand in a list: 0 or -errno. */
static long plan_libraries(struct exec_plan *p, struct extra *x)
{
	const struct config *c = config();
	int fd;

	*p->fds = '\0';
	if (!x->lib || !env_unlistable(x->lib))
		return 0;
	fd = sys_openat(AT_FDCWD, x->lib, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	x->lib = plan_hold(p, 0, fd);
	x->fds = p->fds;
	if (!x->audit)
		return 0;
	fd = sys_openat(AT_FDCWD, c->audit, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	x->audit = plan_hold(p, 1, fd);
	return 0;
}

/* --library-path for musl's loader.  It splits a list at colons and newlines: a root whose name has one
 * is named by its descriptor, which the next libjail keeps. */
static char *plan_library_path(struct exec_plan *p)
{
	const struct view *v = p->call->view;
	const char *pre = v->host, *own = env_get(p->call->envp, "LD_LIBRARY_PATH");
	struct place root = {.dir = v->fd, .flags = AT_EMPTY_PATH};
	struct str s = {p->library_path, (char *)p + p->size};
	char *const list = p->program.at, *const rpath = list + EXEC_MUSL;

	if (mem_find(pre, ':') || mem_find(pre, '\n'))
		pre = place_path(&root, p->entries[2]);
	musl_list(v, list);
	*rpath = '\0';
	if (p->program.kind != KIND_LOADER)
		musl_rpath(&p->program, rpath);
	*p->library_path = '\0';
	env_put_prefixed(&s, p->library_path, pre, own);
	env_put_prefixed(&s, p->library_path, pre, rpath);
	env_put_prefixed(&s, p->library_path, pre, list);
	return s.at ? p->library_path : NULL;
}

/* The loader's command line: its own words, the program's path, and the program's arguments.  x gets argv0. */
static long plan_words(struct exec_plan *p, struct extra *x, const char *program)
{
	struct program *const o = &p->program;
	char *const *argv = p->argv;
	char **args = p->loader_argv;
	size_t at = 0, prog = 0;

	x->argv0 = p->argc ? argv[0] : "";
	if (o->kind == KIND_LOADER) {
		prog = p->argc ? elf_loader_program(argv) : 0;
		x->argv0 = prog ? argv[prog] : NULL;
		if (prog) {
			elf_loader_target(p->call->view, argv[prog], o->at);
			program = exec_keep(o);
		}
	}
	args[at++] = o->interp;
	if (o->interp_musl) {
		args[at++] = (char *)(uintptr_t) "--library-path";
		args[at] = plan_library_path(p);
		if (!args[at++])
			return -E2BIG;
	} else {
		args[at++] = (char *)(uintptr_t) "--inhibit-cache";
	}
	if (o->kind != KIND_LOADER)
		args[at++] = (char *)(uintptr_t)program;
	for (size_t i = 1; i < p->argc; i++)
		args[at++] = prog && i == prog ? (char *)(uintptr_t)program : argv[i];
	args[at] = NULL;
	p->run.argv = args;
	return 0;
}

/* A dynamic program, or a loader, in the root. */
static long plan_rooted(struct exec_plan *p)
{
	const struct config *c = config();
	struct program *const o = &p->program;
	const struct view *v = p->call->view;
	struct extra x = {.fn = p->fn, .exe = o->guest, .by_fd = p->by_fd, .musl = o->interp_musl, .lib = c->lib,
		.audit = c->audit, .interp = o->interp, .trace = p->trace};
	const char *program = o->host;
	long r;
	int dup;

	if (!sys_one_identity()) /* AT_SECURE: glibc's loader ends with a failed assertion, too */
		return exec_refuse(p->call->path, "the process's real and effective user or group differ, and loaders "
				   "then ignore libjail; make them one first (setresuid(2))", -EPERM);
	r = plan_libraries(p, &x);

	/* Before 2.35 glibc sends every lazily bound call through _dl_runtime_profile once any audit
	 * module is there: 433 ns a call where 11 would do (measured on 2.31).  Until 2.33 the
	 * loader's file bears its version. */
	x.eager = mem_after(mem_base(o->interp), "ld-2.");
	if (r == 0 && o->nameless) {
		dup = sys_fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
		if (dup < 0)
			return dup;
		program = plan_hold(p, 2, dup);
		x.fds = p->fds;
	}
	if (r == 0)
		r = plan_words(p, &x, program);
	if (r < 0)
		return r;
	p->env.s.at = o->at;
	env_make(&p->env, v, p->call->envp, &x);
	if (p->env.error)
		return p->env.error;
	if (!p->env.s.at)
		return -E2BIG;
	p->run.path = o->interp;
	p->run.envp = p->env.envp;
	p->run.program = o->guest;
	p->run.target = mem_after(p->fn, "/dev/fd/") ? o->guest : p->fn;
	p->run.guest_argv = p->argv;
	p->run.trace = p->trace;
	return exec_run(&p->run);
}

static long plan_elf(struct exec_plan *p, const struct opened *o, const char *head, const char *shown)
{
	long r;

	p->program.fd = o->fd;
	r = program_name(&p->program, p->call->view, &o->st);
	if (r == 0)
		r = elf_program(&p->program, p->call->view, head, shown);
	if (r < 0)
		return r;
	return p->program.kind == KIND_STATIC ? static_run(p, shown) : plan_rooted(p);
}

/* Goes from script to interpreter until there is a program (fs/exec.c, exec_binprm).  o has been opened; shown: its name
 * as a script's interpreter gets to see it. */
static long plan_program(struct exec_plan *p, struct opened *o, const char *shown)
{
	const struct exec_call *c = p->call;
	char *interp, *arg;
	long r;

	for (size_t depth = 0; depth <= EXEC_SCRIPTS; depth++) {
		char *const head = memcpy(exec_room(&p->program), o->head, EXEC_HEAD);
		bool lost;

		p->program.at += EXEC_HEAD;
		if (memcmp(head, ELFMAG, SELFMAG) == 0) {
			r = plan_elf(p, o, head, shown);
			sys_close(o->fd);
			return r;
		}
		sys_close(o->fd);
		if (head[0] != '#' || head[1] != '!')
			return -ENOEXEC;
		/* BINPRM_FLAGS_PATH_INACCESSIBLE: /dev/fd/N is closed by then */
		lost = depth == 0 && c->dirfd != AT_FDCWD && *c->path != '/' && !c->give &&
		       (sys_fcntl(c->dirfd, F_GETFD, 0) & FD_CLOEXEC);
		r = script_split(head, &interp, &arg);
		if (lost && r != -ENOEXEC) /* nothing is looked up before */
			return -ENOENT;
		if (r < 0)
			return r;
		plan_script(p, interp, arg, shown);
		shown = interp;
		r = program_open(o, c->view, AT_FDCWD, interp, 0);
		if (r < 0)
			return r;
	}
	sys_close(o->fd);
	return -ELOOP;
}

/* fs/exec.c, alloc_bprm: what a program executed by descriptor is called. */
static void plan_fd_name(struct exec_plan *p)
{
	const struct exec_call *c = p->call;
	struct str s = {p->program.at, p->program.at + PATH_MAX + 32};

	str_puts(&s, "/dev/fd/");
	str_num(&s, (unsigned)c->dirfd);
	if (*c->path) {
		str_puts(&s, "/");
		str_puts(&s, c->path);
	}
	p->fn = exec_keep(&p->program);
	p->by_fd = !*c->path;
}

/* -- the call -------------------------------------------------------------------------------- */

/* In a root.  The file comes first, as since Linux 6.8. */
static NOINLINE long exec_rooted(struct exec_call *c)
{
	struct exec_plan *p = NULL;
	struct opened o;
	long r = program_open(&o, c->view, c->dirfd, c->path, c->flags);

	if (r < 0)
		return r;
	r = exec_measure(c, c->path);
	if (r == 0 && !(p = plan_make(c)))
		r = -ENOMEM;
	if (r < 0) {
		sys_close(o.fd);
		return r;
	}
	if (c->dirfd != AT_FDCWD && *c->path != '/')
		plan_fd_name(p);
	if (c->script)
		plan_script(p, c->path, NULL, c->script);
	r = plan_program(p, &o, p->fn);
	plan_drop(p);
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
static NOINLINE long exec_plain(struct exec_call *c)
{
	struct exec_run run = {.dirfd = c->dirfd, .path = c->path, .argv = c->argv, .envp = c->envp, .flags = c->flags,
		.program = c->path, .target = c->path, .guest_argv = c->argv, .guest_envp = c->envp, .held = {-1, -1, -1},
		.given = c->give ? c->dirfd : -1, .lift = c->lift};
	struct extra x = {.lib = config()->note_lib};
	struct exec_plan *p = NULL;
	char entry[PLACE_PATH];
	bool complete;
	long r = exec_measure(c, c->path);

	if (r < 0) { /* whatever else is wrong: the kernel says which comes first */
		exec_lift_end(c->lift);
		return sys_call(SYS_execveat, c->dirfd, c->path, c->argv, c->envp, c->flags);
	}
	if (!*c->path && c->dirfd >= 0)
		run.target = held_name(c->dirfd, entry);
	complete = env_complete(c->envp) || !*config()->lib;
	if (complete && !c->script)
		return exec_run(&run);
	p = plan_make(c);
	if (!p)
		return -ENOMEM;
	if (c->script) {
		plan_script(p, c->path, NULL, c->script);
		run.argv = run.guest_argv = p->argv;
	}
	if (!complete) {
		/* the library's own directory may be one that cannot be read */
		if (plan_libraries(p, &x) == -EMFILE) {
			plan_drop(p);
			return -EMFILE;
		}
		x.trace = run.trace = p->trace;
		env_make(&p->env, NULL, c->envp, &x);
		run.envp = p->env.envp;
		memcpy(run.held, p->run.held, sizeof run.held);
	}
	r = p->env.s.at ? exec_run(&run) : -E2BIG;
	plan_drop(p);
	return r;
}

static long exec_try(struct exec_call *c)
{
	return c->view ? exec_rooted(c) : exec_plain(c);
}

static long exec_any(struct exec_call *c)
{
	struct lift lift = {.on = false};
	long r;

	c->view = state_view();
	c->lift = &lift;
	if (c->flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	r = place_strlen(c->path, PATH_MAX);
	if (r < 0)
		return r;
	if (r == 0 && c->view && !(c->flags & AT_EMPTY_PATH))
		return -ENOENT;
	r = exec_try(c);
	/* execveat(2): a script in a close-on-exec descriptor is ENOENT, its interpreter could not open
	 * it.  Where that flag is our doing, it goes. */
	if (r == -ENOENT && c->dirfd >= 0 && fdpolicy_forced(c->dirfd)) {
		c->give = true;
		r = exec_try(c);
	}
	/* the kernel needs no number (fs/exec.c, do_open_execat) */
	if (UNLIKELY(r == -EMFILE) && sys_nofile_lift(&lift.was) == 0) {
		lift.on = true;
		r = exec_try(c);
		exec_lift_end(&lift);
	}
	return r;
}

long guest_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	struct exec_call c = {.dirfd = dirfd, .path = path, .argv = argv, .envp = envp, .flags = flags};

	return exec_any(&c);
}

long guest_exec_shell(const char *script, char *const argv[], char *const envp[])
{
	struct exec_call c = {.dirfd = AT_FDCWD, .path = "/bin/sh", .argv = argv, .envp = envp, .script = script};

	return exec_any(&c);
}
