/* SPDX-License-Identifier: ISC
 *
 * The first thing that runs in a process: what an exec through the guest's loader left visible is
 * put back into the form that execve(2) would have given it, and jailrun's carrier becomes the
 * guest's first program. */
#include "call/dl.h"
#include "carry.h"
#include "config.h"
#include "env.h"
#include "guest/guest.h"
#include "module.h"
#include "state.h"
#include "report.h"
#include "source.h"
#include <elf.h>
#include <errno.h>
#include <linux/prctl.h>
#include <sys/auxv.h>

extern char *program_invocation_name __attribute__((weak));
extern char *program_invocation_short_name __attribute__((weak));
extern char *__progname __attribute__((weak));
extern char *__progname_full __attribute__((weak));

/* The vector that the kernel put behind the environment (elf(5)); found before the environment
 * shrinks. */
static Elf64_auxv_t *auxv_of(char **envp)
{
	while (*envp)
		envp++;
	return (Elf64_auxv_t *)(envp + 1);
}

/* The environment as the kernel laid it out, between argv and the vector above (elf(5)).  environ is
 * another one once a constructor before ours has called setenv(3).  glibc hands it to constructors; where
 * that is not so one entry of the vector tells its own place: AT_RANDOM lies a little above it. */
static char **kernel_envp(char **given)
{
	const unsigned long random = getauxval(AT_RANDOM);
	unsigned long *p = (unsigned long *)(random & ~(sizeof(long) - 1));
	int left = 256;

	if (given || !p)
		return given;
	do
		p--;
	while (--left && !(p[0] == AT_RANDOM && p[1] == random));
	if (!left)
		return NULL;
	while (p[-2] && p[-2] < 256) /* types; below them the end of the environment, and a string or another end */
		p -= 2;
	for (p--; p[-1]; p--)
		;
	return (char **)p;
}

/* musl calls constructors without arguments (musl, ldso/dynlink.c); but argv lies in front of the
 * environment, behind its own count. */
static char **argv_of(char **envp)
{
	char **p = envp - 1; /* argv's NULL */
	long n = 0;

	for (; n < 1 << 22; n++, p--)
		if (*(long *)(p - 1) == n)
			return p;
	return NULL;
}

/* NAME=VALUE, kept.  A large frame, out of the usual way. */
static NOINLINE char *joined(const char *name, const char *value)
{
	char text[8192];
	struct str s = {text, text + sizeof text};

	str_puts(&s, name);
	str_puts(&s, value);
	return s.at ? mem_keep(text, (size_t)(s.at - text)) : NULL;
}

/* LD_PRELOAD, LD_AUDIT and our notes go; what the program itself had of them comes back. */
static void environ_restore(const struct config *c, char **envp, const char *preload)
{
	char **to = envp;

	for (; *envp; envp++) {
		const char *value = NULL;
		const char *name = NULL;
		char *kept;

		if (env_ours(*envp) || (c->note_lazy && mem_after(*envp, "LD_BIND_NOW=")))
			continue;
		if (mem_after(*envp, "LD_PRELOAD=")) {
			name = "LD_PRELOAD=";
			value = preload;
		} else if (mem_after(*envp, "LD_AUDIT=")) {
			name = "LD_AUDIT=";
			value = c->note_audit;
		} else if (c->note_tunables && mem_after(*envp, "GLIBC_TUNABLES=")) {
			name = "GLIBC_TUNABLES=";
			value = *c->note_tunables ? c->note_tunables : NULL;
		}
		if (name) {
			if (value && (kept = joined(name, value)))
				*to++ = kept;
			continue;
		}
		*to++ = *envp;
	}
	*to = NULL;
}

/* What the loader needed to stay open across the exec. */
static void notes_close(const char *list)
{
	int fd = 0;

	for (; list && *list; list++) {
		if (*list >= '0' && *list <= '9') {
			fd = fd * 10 + *list - '0';
			if (list[1] >= '0' && list[1] <= '9')
				continue;
			if (fd > 2)
				sys_close(fd);
		}
		fd = 0;
	}
}

/* /proc/PID/cmdline, which ps(1) and pgrep(1) show, is the memory between two addresses: from now on
 * it begins at start.  prctl(2), PR_SET_MM_MAP needs no privilege, and CONFIG_CHECKPOINT_RESTORE;
 * it wants all the addresses at once, so the others are read first (proc(5)). */
static void cmdline_begin(const char *start)
{
	enum { FIRST = 26, LAST = 51 };
	struct prctl_mm_map map = {.exe_fd = (unsigned)-1};
	unsigned long field[LAST + 1];
	char text[1024], *p;
	long n;
	int i, fd = sys_openat(AT_FDCWD, "/proc/self/stat", O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	n = sys_read(fd, text, sizeof text - 1);
	sys_close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (p = text + n; p > text && *p != ')'; p--)
		; /* the name may hold anything, but is the last in parentheses */
	for (i = 3, p += 2; i <= LAST && p < text + n; i++, p++)
		for (field[i] = 0; *p && *p != ' '; p++)
			field[i] = field[i] * 10 + (unsigned long)(*p - '0'); /* a sign does not matter */
	if (i <= LAST || field[FIRST] < 4096)
		return;
	map.start_code = field[26];
	map.end_code = field[27];
	map.start_stack = field[28];
	map.start_data = field[45];
	map.end_data = field[46];
	map.start_brk = field[47];
	map.brk = (unsigned long)sys_call(SYS_brk, 0);
	map.arg_start = (unsigned long)start;
	map.arg_end = field[49];
	map.env_start = field[50];
	map.env_end = field[51];
	if (field[48] < map.arg_start && map.arg_start < map.arg_end)
		sys_call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}

/* argv[0] in its place in front of argv[1], where the loader's own words were. */
static char *argv0_place(char **argv, const char *name)
{
	const size_t n = strlen(name) + 1;
	char *end = argv[0] + strlen(argv[0]) + 1, *start = end - n;

	/* the loader's name and option are longer than most; a longer one keeps its copy */
	if (argv[1] && argv[1] != end)
		return NULL;
	if (n > strlen(argv[0]) + sizeof "--inhibit-cache")
		return NULL;
	memmove(start, name, n);
	return start;
}

static void identity_restore(const struct config *c, char **envp /* the kernel's */)
{
	Elf64_auxv_t *aux = auxv_of(envp);
	char **argv = argv_of(envp);
	char *name = (char *)(uintptr_t)c->note_argv0, *placed;

	if (c->note_fn) {
		/* a program executed by descriptor alone is called as its file is (fs/exec.c) */
		sys_call(SYS_prctl, PR_SET_NAME, mem_base(c->by_fd && c->note_exe ? c->note_exe : c->note_fn));
		for (; aux->a_type != AT_NULL; aux++)
			if (aux->a_type == AT_EXECFN)
				aux->a_un.a_val = (unsigned long)c->note_fn;
	}
	if (!name || !argv || !argv[0])
		return;
	placed = argv0_place(argv, name);
	if (placed) {
		name = placed;
		cmdline_begin(placed);
	}
	argv[0] = name;
	/* set already, or about to be set from argv[0], as the libc's own start has run or not */
	if (&program_invocation_name)
		program_invocation_name = name;
	if (&__progname_full)
		__progname_full = name;
	name = (char *)(uintptr_t)mem_base(name);
	if (&program_invocation_short_name)
		program_invocation_short_name = name;
	if (&__progname)
		__progname = name;
}

/* -- jailrun's carrier ----------------------------------------------------------------------- */

static void stop(int status)
{
	for (;;)
		sys_call(SYS_exit_group, status);
}

static const char *why(long r)
{
	switch (-r) {
	case ENOENT:
		return "not found";
	case EACCES:
		return "permission denied";
	case ENOTDIR:
		return "not a directory";
	case ENOEXEC:
		return "not a program that can be executed here";
	case EPERM:
		return "operation not permitted";
	case ELOOP:
		return "too many levels of symbolic links";
	case ENAMETOOLONG:
		return "file name too long";
	case ELIBBAD:
		return "the loader that it names is none for this machine";
	case ENOMEM:
		return "out of memory";
	default:
		return "cannot be executed";
	}
}

/* execve(2) in the guest.  A file that is no program goes to the root's /bin/sh as a script, as execvp(3) does it, unless
 * it was refused with a reason.  argv[-1] may be overwritten. */
static long launch_exec(const char *path, char **argv, char **envp)
{
	const unsigned said = config_lines;
	long r = guest_execveat(AT_FDCWD, path, argv, envp, 0);

	if (r != -ENOEXEC || said != config_lines)
		return r;
	argv[-1] = (char *)(uintptr_t)"/bin/sh";
	argv[0] = (char *)(uintptr_t)path;
	r = guest_execveat(AT_FDCWD, argv[-1], argv - 1, envp, 0);
	if (said == config_lines)
		SAY(path, ": no program, and it cannot be run as a script: /bin/sh: ", why(r));
	return r;
}

/* execvp(3) in the guest: the errno that tells most. */
static long launch_search(const char *file, char **argv, char **envp)
{
	const char *list = env_get(envp, "PATH"), *e;
	const unsigned said = config_lines;
	char path[PATH_MAX];
	long r, worst = -ENOENT;

	if (mem_find(file, '/') || !*file)
		return launch_exec(file, argv, envp);
	if (!list)
		list = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (;; list = e + 1) {
		struct str s = {path, path + sizeof path};

		for (e = list; *e && *e != ':'; e++)
			;
		str_put(&s, list, (size_t)(e - list));
		if (e != list)
			str_puts(&s, "/");
		str_puts(&s, file);
		if (s.at) {
			r = launch_exec(path, argv, envp);
			if (said != config_lines)
				return r;
			if (r != -ENOENT && r != -ENOTDIR)
				worst = r;
			if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
				return r;
		}
		if (!*e)
			return worst;
	}
}

/* Says why the command was not started: cmd, with error r.  bare: the word --report stood in front of it. */
static void launch_failed(const char *cmd, long r, bool bare)
{
	const bool rooted = state_view() != NULL;
	struct stat st;

	if (bare)
		SAY(cmd, ": ", why(r), "; did you mean --report=", cmd, "?");
	else if ((r == -ENOENT ? !rooted : mem_find(cmd, '/') != NULL) && guest_newfstatat(AT_FDCWD, cmd, &st, 0) == 0 &&
		 S_ISDIR(st.st_mode))
		SAY(cmd, r == -ENOENT ? ": is no program but a directory" : ": is a directory", rooted ? "" : "; did you mean --root ", rooted ? "" : cmd, rooted ? "" : "?");
	else if (r == -ENOENT && mem_find(cmd, '/') && guest_newfstatat(AT_FDCWD, cmd, &st, 0) == 0)
		SAY(cmd, ": the interpreter or loader that it names is not found", rooted ? " in the root" : "");
	else
		SAY(cmd, ": ", why(r), r == -ENOENT && rooted ? " in the root" : "");
}

/* The other preloads of the user, which keep their place in front of ours, the last one: fakeroot(1).
 * In a root, those of them that can be taken along. */
static NOINLINE const char *others(char **envp, bool rooted)
{
	const char *list = env_get(envp, "LD_PRELOAD"), *e;
	char text[4096], note[CARRY_NOTE];
	struct str s = {text, text + sizeof text};

	*text = '\0';
	if (rooted)
		carry_find(list, note);
	for (; list && *list; list = e + 1) {
		char *const was = s.at;

		for (e = list; *e && *e != ':' && *e != ' '; e++)
			;
		if (!*e)
			break;
		if (e == list)
			continue;
		if (was != text)
			str_puts(&s, ":");
		str_put(&s, list, (size_t)(e - list));
		if (!s.at)
			return NULL;
		if (rooted && !carry_named(note, was + (was != text))) {
			s.at = was;
			*was = '\0';
		}
	}
	return *text ? mem_keep(text, strlen(text)) : NULL;
}

/* Is everything that the user asked for known and there?  Else a line on stderr says what is not. */
static bool launch_checked(const struct config *c, const struct view *v)
{
	if ((v && v->fd < 0) || c->rules_error || c->word_error)
		return false;
	if (c->snapshot && *c->snapshot && !mem_equal(c->snapshot, "none") && !report_signal(c->snapshot)) {
		SAY("--snapshot=", c->snapshot, ": no signal that can be caught; use SIGUSR2 or a number");
		return false;
	}
	return true;
}

/* The working directory: dir, in the root where there is one; else (NULL) where we are, or / where that lies
 * outside of the root.  False after a line on stderr. */
static bool launch_chdir(const struct view *v, const char *dir)
{
	char cwd[PATH_MAX];
	long r;

	if (dir) {
		r = guest_chdir(dir);
		if (r < 0)
			SAY("--workdir ", dir, ": ", r == -ENOENT ? "no such directory" : why(r),
				r == -ENOENT && v ? " in the root" : "");
		return r >= 0;
	}
	if (!v)
		return true;
	r = guest_getcwd(cwd, sizeof cwd);
	if (r < 0 || cwd[0] != '/')
		r = guest_chdir("/");
	if (r < 0)
		SAY("/: ", why(r));
	return r >= 0;
}

/* argv: sh -c SCRIPT jailrun CMD ARG...; the note: "v" where jailrun is to say what it does, "r" where CMD
 * follows the word --report, then "d", or "w" and the working directory. */
static void launch(const struct config *c, char **argv, char **envp)
{
	const struct view *v = state_view();
	const char *note = c->note_launch, *name;
	bool bare = false;
	unsigned said;
	long r;

	for (int i = 0; i < 5; i++)
		if (!argv[i]) {
			SAY("no command was handed over");
			stop(125);
		}
	if (!launch_checked(c, v))
		stop(125);
	for (; *note == 'v' || *note == 'r'; note++)
		if (*note == 'v')
			source_check();
		else
			bare = true;
	if (!launch_chdir(v, mem_after(note, "w")))
		stop(125);
	environ_restore(c, envp, others(envp, v != NULL));
	said = config_lines;
	name = argv[4];
	r = launch_search(name, argv + 4, envp);
	if (said == config_lines) /* else the reason is on stderr already */
		launch_failed(name, r, bare);
	stop(r == -ELIBACC ? 125 : r == -ENOENT ? 127 : 126); /* carry_put(): nobody would be root */
}

/* fakechroot(1): "FAKECHROOT_DETECT: the library prints its name and version, and exits with this status",
 * by which mmdebstrap(1) finds out whether it runs under fakechroot; tools/compat/fakechroot says that
 * it does. */
static void detected(const char *status, char **envp)
{
	static const char name[] = "fakechroot 2.20.1";
	const char *on = env_get(envp, "FAKECHROOT");

	if (!on || !mem_equal(on, "true"))
		return;
	sys_write(1, name, sizeof name - 1);
	stop(*status >= '0' && *status <= '9' && !status[1] ? *status - '0' : 1);
}

extern const char *gnu_get_libc_version(void) __attribute__((weak));

/* Takes an entry out of the environment: a note to us, and nothing that the program should see. */
static void note_hide(char **envp, const char *name)
{
	char **to = envp;

	for (; *envp; envp++)
		if (!mem_after(*envp, name))
			*to++ = *envp;
	*to = NULL;
}

/* The arguments are glibc's alone. */
__attribute__((constructor)) static void start(int argc, char **given_argv, char **given_envp)
{
	const struct config *c;
	char **envp, **kernels, **argv;

	(void)argc;
	(void)given_argv;
	if (UNLIKELY(state_apart())) /* all of this has been done */
		return;
	if (gnu_get_libc_version)
		config_envp(given_envp);
	/* before entries are taken out of it: its end is found from behind */
	kernels = kernel_envp(gnu_get_libc_version ? given_envp : NULL);
	argv = kernels ? argv_of(kernels) : NULL;
	c = config();
	envp = config_environ();

	if (c->note_fd)
		notes_close(c->note_fd);
	if (envp && !c->hide && c->note_trace)
		note_hide(envp, "LIBJAIL_0_TRACE=");
	if (UNLIKELY(c->note_names != NULL)) {
		source_start();
		if (envp && !c->hide)
			note_hide(envp, "LIBJAIL_0_NAMES=");
	}
	if (UNLIKELY(c->detect != NULL) && envp && !c->note_launch)
		detected(c->detect, envp);
	if (c->note_launch && envp && argv)
		launch(c, argv, envp);
	if (c->hide && envp) {
		if (kernels)
			identity_restore(c, kernels);
		environ_restore(c, envp, c->note_preload);
	}
	(void)state_view();
	dl_start();
	if (UNLIKELY(c->report || c->rules))
		module_start();
	if (UNLIKELY(c->report != NULL))
		report_start(argv);
	config_envp(NULL); /* from here on environ alone: clearenv(3) means what it says */
}
