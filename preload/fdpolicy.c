/* SPDX-License-Identifier: ISC
 *
 * The descriptor policy: which classes of call are forced close-on-exec in this process, and which
 * of the forced descriptors an exec gives back.  The rules were found by running real programs
 * (libjail.7, DESCRIPTORS): intent to inherit shows in what a program does (dup2, F_SETFD, the
 * same process executing something else) or says (the number in argv or the environment). */
#include "fdpolicy.h"
#include "config.h"
#include "record.h"
#include "rules.h"
#include "state.h"
#include "sys.h"

uint8_t fdpolicy_list[FD_FORCED_MAX] __attribute__((aligned(64)));
BESIDE int fdpolicy_end;
BESIDE int fdpolicy_known[FD_CLASSES];
enum { ROW = 64 /* numbers by which the list grows */, WORD = sizeof(uint64_t) };

/* Shells say exec 3<file by an open() that happens to return the wanted number: no dup2 shows what
 * they mean, so these classes stay as the shell made them. */
static const bool shell_keeps[FD_CLASSES] = {
	[FD_OPEN] = true,
	[FD_PIPE] = true,
	[FD_DUP] = true,
};

/* Programs that exist to pass descriptors on; java's helper gets numbers inside a structure. */
static const char *const keep_callers[] = {"flock", "fghack"};
static const char *const keep_targets[] = {"jspawnhelper"};

static void unmark(int fd)
{
	if (UNLIKELY(fdpolicy_forced(fd)))
		__atomic_store_n(&fdpolicy_list[fd], 0, __ATOMIC_RELAXED);
}

/* Is the list that of the calling process?  A vfork(2) child has descriptors of its own and
 * its parent's memory. */
static bool mine(void)
{
	return record_on ? record_mine() : !state_in_vfork();
}

/* -- what is forced -------------------------------------------------------------------------- */

static enum fd_verdict verdict(const struct config *c, enum fd_class class)
{
	if (c->cloexec == CONFIG_CLOEXEC_OFF)
		return FD_OFF;
	if (c->skip >> class & 1)
		return FD_SKIP;
	if (c->rules) {
		const enum fd_verdict v = rules_verdict(c->rules, class, c->program, c->file, NULL);

		if (v != FD_RULES_NONE)
			return v;
	}
	return c->shell && shell_keeps[class] ? FD_SHELL : FD_FORCE;
}

/* It is the same in the whole process, unless the rules ask which module calls. */
NOINLINE int fdpolicy_find(enum fd_class class)
{
	const struct config *c = config();
	const enum fd_verdict v = verdict(c, class);
	const int known = FD_KNOWN | (int)v << FD_KNOWN_VERDICT |
			  (v == FD_FORCE && c->cloexec != CONFIG_CLOEXEC_REPORT ? O_CLOEXEC : 0);

	_Static_assert(FD_RULES_NONE << FD_KNOWN_VERDICT < O_CLOEXEC, "two numbers in one");
	if (c == config_ready && !(c->rules && rules_ask_module(c->rules, class)))
		__atomic_store_n(&fdpolicy_known[class], known, __ATOMIC_RELAXED);
	return known;
}

enum fd_verdict fdpolicy_verdict(enum fd_class class)
{
	const int known = __atomic_load_n(&fdpolicy_known[class], __ATOMIC_RELAXED);

	return (enum fd_verdict)(
		((LIKELY(known) ? known : fdpolicy_find(class)) & ~O_CLOEXEC) >> FD_KNOWN_VERDICT);
}

/* A number that is not in the list yet, or never. */
NOINLINE void fdpolicy_mark_rare(long fd, enum fd_class class, bool asked)
{
	int end = __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED);

	if (fd < 0 || asked || fd >= FD_FORCED_MAX)
		return;
	if (fd <= 2) {
		sys_fcntl((int)fd, F_SETFD, 0); /* standard input, output, error: never */
		return;
	}
	__atomic_store_n(&fdpolicy_list[fd], (uint8_t)(class + 1), __ATOMIC_RELAXED);
	while (end <= fd &&
		!__atomic_compare_exchange_n(&fdpolicy_end, &end, ((int)fd | (ROW - 1)) + 1, true,
			__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

void fdpolicy_forget(int fd)
{
	if (UNLIKELY(fdpolicy_forced(fd)) && mine())
		unmark(fd);
}

void fdpolicy_forget_range(unsigned first, unsigned last)
{
	const unsigned end = (unsigned)__atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED);

	if (first < end && mine())
		for (; first <= last && first < end; first++)
			unmark((int)first);
}

/* -- the numbers that argv and the environment mention ------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number at *s, which moves behind it; -1 when it is none of a descriptor in the list. */
static int number(const char **s)
{
	int n = -1;

	for (; is_digit(**s); ++*s)
		if (n < FD_FORCED_MAX)
			n = (n < 0 ? 0 : n) * 10 + **s - '0';
	return n < FD_FORCED_MAX ? n : -1;
}

/* Does text end, at end, with tail? */
static bool ends(const char *text, const char *end, const char *tail)
{
	size_t n = strlen(tail);

	return (size_t)(end - text) >= n && memcmp(end - n, tail, n) == 0;
}

/* The forms in which a number inside any text means a descriptor. */
static void text_mentions(const char *text, enum fd_keep why, fd_mention *each, void *arg)
{
	static const char *const before[] = {
		"/dev/fd/", "/proc/self/fd/", "fd=", "fd:", "pipe:", "&"};

	for (const char *s = text; *s;) {
		const char *start = s;
		int n;

		if (!is_digit(*s)) {
			s++;
			continue;
		}
		n = number(&s);
		for (size_t i = 0; n >= 0 && i < ROWS(before); i++)
			if (ends(text, start, before[i])) {
				each(arg, n, why);
				break;
			}
	}
}

static void argv_mentions(char *const argv[], fd_mention *each, void *arg)
{
	const char *last = ""; /* the argument before */

	for (; *argv; last = *argv++) {
		const char *s = *argv;
		int a, b, c;

		text_mentions(s, FD_KEEP_ARGV, each, arg);
		a = number(&s);
		if (a < 0)
			continue;
		if (!*s && *last == '-' && ends(last, last + strlen(last), "fd")) {
			each(arg, a, FD_KEEP_ARGV); /* --status-fd 5 */
		} else if (*s == ':' && (s++, b = number(&s)) >= 0 && *s == ':' &&
			   (s++, c = number(&s)) >= 0 && !*s) {
			each(arg, a, FD_KEEP_ARGV); /* 5:6:7, java */
			each(arg, b, FD_KEEP_ARGV);
			each(arg, c, FD_KEEP_ARGV);
		}
	}
}

/* Every number that stands by itself in a list: "4;5", "3,4", "-j --jobserver-auth=3,4". */
static void list_mentions(const char *text, enum fd_keep why, fd_mention *each, void *arg)
{
	for (const char *s = text; *s;) {
		bool alone = s == text || mem_find(" \t,;:=", s[-1]);
		int n;

		if (!is_digit(*s)) {
			s++;
			continue;
		}
		n = number(&s);
		if (n >= 0 && alone && (!*s || mem_find(" \t,;:", *s)))
			each(arg, n, why);
	}
}

/* Does the name, up to the = of an entry, hold word? */
static bool name_holds(const char *entry, const char *word)
{
	for (; *entry && *entry != '='; entry++)
		if (mem_after(entry, word))
			return true;
	return false;
}

static void env_mentions(char *const envp[], fd_mention *each, void *arg)
{
	static const char *const words[] = {"FD", "SOCK", "LISTEN", "NGINX", "PIPE", "TRACE"};

	for (; *envp; envp++) {
		const char *value = mem_find(*envp, '='), *s;

		/* LISTEN_PID names a process (sd_listen_fds(3)); our own variables name ours. */
		if (!value++ || mem_after(*envp, "LISTEN_PID=") || mem_after(*envp, "LIBJAIL_"))
			continue;
		if ((s = mem_after(*envp, "LISTEN_FDS="))) {
			for (int n = number(&s); n > 0; n--)
				each(arg, 2 + n, FD_KEEP_ENV);
			continue;
		}
		if (name_holds(*envp, "MAKEFLAGS=")) {
			/* The jobserver is a pipe; the text goes to those without it too. */
			list_mentions(value, FD_KEEP_FIFO, each, arg);
			continue;
		}
		for (size_t i = 0; i < ROWS(words); i++)
			if (name_holds(*envp, words[i])) {
				text_mentions(value, FD_KEEP_ENV, each, arg);
				list_mentions(value, FD_KEEP_ENV, each, arg);
				break;
			}
	}
}

void fdpolicy_mentions(char *const argv[], char *const envp[], fd_mention *each, void *arg)
{
	const bool strict = config()->cloexec == CONFIG_CLOEXEC_STRICT;

	if (argv && !strict)
		argv_mentions(argv, each, arg);
	if (envp && !strict)
		env_mentions(envp, each, arg);
}

/* -- exec ------------------------------------------------------------------------------------ */

/* Is program what this process runs?  In a root /proc/self/exe is the guest's loader, and the
 * program's name came with the exec. */
static bool is_self(const char *program)
{
	const char *exe = config()->note_exe;
	struct stat a, b;

	if (mem_equal(program, "/proc/self/exe"))
		return true;
	if (exe)
		return mem_equal(program, exe);
	return sys_fstatat(AT_FDCWD, program, &a, 0) == 0 &&
	       sys_fstatat(AT_FDCWD, "/proc/self/exe", &b, 0) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

enum fd_keep fdpolicy_keep(const char *program)
{
	const struct config *c = config();

	if (c->cloexec == CONFIG_CLOEXEC_STRICT)
		return FD_KEEP_NOT;
	/* A wrapper (setlock, chpst, systemd-socket-activate) or a re-exec of itself (uwsgi,
	 * haproxy); a forked child is a leak like any other (libapt's /dev/null). */
	if (sys_getpid() == c->pid)
		return FD_KEEP_SAMEPID;
	for (size_t i = 0; i < ROWS(keep_callers); i++)
		if (mem_equal(c->program, keep_callers[i]))
			return FD_KEEP_TABLE;
	if (!program)
		return FD_KEEP_NOT;
	for (size_t i = 0; i < ROWS(keep_targets); i++)
		if (mem_equal(mem_base(program), keep_targets[i]))
			return FD_KEEP_TABLE;
	return is_self(program) ? FD_KEEP_SELFEXE : FD_KEEP_NOT;
}

/* Is fd one of those that --keep names? */
static bool keep_number(int fd)
{
	const char *s = config()->keep_word;

	while (s && *s) {
		const int n = number(&s);

		if (n == fd && n >= 0)
			return true;
		if (*s)
			s++;
	}
	return false;
}

/* What the user says comes first: numbers, then rules for this target, which may also say that
 * nothing else counts. */
enum fd_keep fdpolicy_keep_why(
	int fd, enum fd_class class, const char *program, enum fd_keep all, enum fd_keep mentioned)
{
	const struct config *c = config();
	struct stat st;

	if (UNLIKELY(c->keep_word) && keep_number(fd))
		return FD_KEEP_NUMBER;
	if (UNLIKELY(c->rules) && program)
		switch (rules_verdict(c->rules, class, c->program, c->file, program)) {
		case FD_RULE:
			return FD_KEEP_RULE;
		case FD_FORCE:
			return FD_KEEP_NOT;
		default:
			break;
		}
	if (all != FD_KEEP_NOT)
		return all;
	if (mentioned == FD_KEEP_FIFO && (sys_fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)))
		return FD_KEEP_NOT;
	return mentioned;
}

struct given {
	const char *program;
	enum fd_keep all;
	int *undo;
	size_t n, room;
};

/* Gives fd back, when it is forced and still has its flag, and there is a reason to. */
static void give(void *arg, int fd, enum fd_keep mentioned)
{
	const int as =
		fdpolicy_forced(fd) ? __atomic_load_n(&fdpolicy_list[fd], __ATOMIC_RELAXED) : 0;
	struct given *g = arg;
	int flags;

	if (!as || (flags = sys_fcntl(fd, F_GETFD, 0)) < 0 || !(flags & FD_CLOEXEC))
		return;
	if (fdpolicy_keep_why(fd, (enum fd_class)(as - 1), g->program, g->all, mentioned) ==
		FD_KEEP_NOT)
		return;
	if (sys_fcntl(fd, F_SETFD, 0) == 0 && g->n < g->room)
		g->undo[g->n++] = fd;
}

/* The forced number at or after fd, or -1. */
static int forced_next(int fd)
{
	const int end = __atomic_load_n(&fdpolicy_end, __ATOMIC_ACQUIRE);

	while (fd < end)
		if (fd % WORD == 0 &&
			!__atomic_load_n((const uint64_t *)(const void *)&fdpolicy_list[fd],
				__ATOMIC_RELAXED))
			fd += WORD;
		else if (__atomic_load_n(&fdpolicy_list[fd], __ATOMIC_RELAXED))
			return fd;
		else
			fd++;
	return -1;
}

bool fdpolicy_any(void)
{
	return forced_next(3) >= 0;
}

size_t fdpolicy_exec(
	const char *program, char *const argv[], char *const envp[], int *undo, size_t n)
{
	struct given g = {program, FD_KEEP_NOT, undo, 0, n};

	if (!fdpolicy_any())
		return 0;
	g.all = fdpolicy_keep(program);
	/* numbers that are mentioned tell themselves; for other reasons each has to be looked at */
	if (g.all != FD_KEEP_NOT || config()->keep_word || config()->rules)
		for (int fd = forced_next(3); fd >= 0; fd = forced_next(fd + 1))
			give(&g, fd, FD_KEEP_NOT);
	if (g.all == FD_KEEP_NOT)
		fdpolicy_mentions(argv, envp, give, &g);
	return g.n;
}

void fdpolicy_undo(const int *undo, size_t n)
{
	while (n)
		sys_fcntl(undo[--n], F_SETFD, FD_CLOEXEC);
}
