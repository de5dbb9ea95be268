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
#include <poll.h>

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

/* What is remembered of fd; 0: nothing. */
static uint8_t mark_of(int fd)
{
	return fd > 2 && fd < __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED)
		       ? __atomic_load_n(&fdpolicy_list[fd], __ATOMIC_RELAXED)
		       : 0;
}

static void unmark(int fd)
{
	if (UNLIKELY(mark_of(fd)))
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
			  (v == FD_FORCE && !config_reports_only(c) ? O_CLOEXEC : 0);

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

/* The list goes up to fd, at least. */
static void list_reach(int fd)
{
	int end = __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED);

	while (end <= fd && !__atomic_compare_exchange_n(&fdpolicy_end, &end, (fd | (ROW - 1)) + 1, true,
				    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

/* A number that is not in the list yet, or never. */
NOINLINE void fdpolicy_mark_rare(long fd, enum fd_class class, bool asked)
{
	if (fd < 0 || asked || fd >= FD_FORCED_MAX)
		return;
	if (fd <= 2) {
		sys_fcntl((int)fd, F_SETFD, 0); /* standard input, output, error: never */
		return;
	}
	__atomic_store_n(&fdpolicy_list[fd], (uint8_t)(class + 1), __ATOMIC_RELAXED);
	list_reach((int)fd);
}

void fdpolicy_forget(int fd)
{
	if (UNLIKELY(mark_of(fd)) && mine())
		unmark(fd);
}

void fdpolicy_forget_range(unsigned first, unsigned last)
{
	const unsigned end = (unsigned)__atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED);

	if (first < end && mine())
		for (; first <= last && first < end; first++)
			unmark((int)first);
}

/* -- the ends of pipes and socketpairs ------------------------------------------------------- */

/* Has an end been noted as FD_END_ALONE since the last fork? */
static bool ends_alone;

/* Ends that are not in the list, because nothing is forced, or too far from each other, or too high. */
NOINLINE void fdpolicy_pair_rare(const int fds[2])
{
	if (fds[0] > 2 && fds[1] > fds[0] && fds[1] - fds[0] <= FD_APART && fds[1] < FD_FORCED_MAX) {
		list_reach(fds[1]);
		fdpolicy_pair(fds);
	}
}

/* Where the other end is of an end that is remembered as mark; -1: nobody knows. */
static int end_other(int fd, uint8_t mark)
{
	const int apart = mark >> FD_END_SHIFT & FD_APART;

	if (!apart)
		return -1;
	return mark >> FD_END_SHIFT & FD_BELOW ? fd - apart : fd + apart;
}

NOINLINE void fdpolicy_end_closed(int fd)
{
	const int other = end_other(fd, mark_of(fd));
	const uint8_t mark = mark_of(other);

	if (end_other(other, mark) != fd) /* closed as well, or one that came later */
		return;
	__atomic_store_n(&fdpolicy_list[other], (uint8_t)((mark & FD_CLASS) | FD_END_ALONE), __ATOMIC_RELAXED);
	__atomic_store_n(&ends_alone, true, __ATOMIC_RELAXED);
}

void fdpolicy_forking(void)
{
	if (LIKELY(!__atomic_load_n(&ends_alone, __ATOMIC_RELAXED)))
		return;
	__atomic_store_n(&ends_alone, false, __ATOMIC_RELAXED);
	for (int fd = __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED) - 1; fd > 2; fd--)
		if ((fdpolicy_list[fd] & FD_END) == FD_END_ALONE)
			__atomic_store_n(&fdpolicy_list[fd], fdpolicy_list[fd] & FD_CLASS, __ATOMIC_RELAXED);
}

/* Has the calling process a second descriptor of what fd is, such as one that dup2(2) made of it?  Copies are
 * looked for among the low numbers. */
static bool has_copy(int fd)
{
	enum { LOW = 1024 };
	const int end = __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED);
	struct stat st, other;

	if (sys_fstat(fd, &st) < 0)
		return true;
	for (int n = 0; n < end && n < LOW; n++)
		if (n != fd && sys_fstat(n, &other) == 0 && other.st_ino == st.st_ino && other.st_dev == st.st_dev)
			return true;
	return false;
}

/* Does a child of fork(2) keep this end for the program that it is about to execute?  It has closed the other end
 * itself, so it knows of the pair, and has put this one nowhere else. */
static bool end_kept(int fd)
{
	return (mark_of(fd) & FD_END) == FD_END_ALONE && sys_getpid() != config()->pid && !state_in_vfork() &&
	       !has_copy(fd);
}

/* Is it 3, to be read from, with something to come?  qmail's programs (checkpassword) and those of daemontools
 * find what they read there, and say nothing where the pipe has the number already.  A pipe that is at its end has
 * done its duty, such as to let the child wait for its parent. */
static bool end_three(int fd, enum fd_class class)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	const struct timespec none = {0};

	return fd == 3 && class == FD_PIPE && end_kept(fd) && (sys_fcntl(fd, F_GETFL, 0) & O_ACCMODE) == O_RDONLY &&
	       !(sys_call(SYS_ppoll, &p, 1, &none, NULL, 0) == 1 && p.revents == POLLHUP);
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

/* Does text end, at end, with tail, in lower case or not? */
static bool ends(const char *text, const char *end, const char *tail)
{
	size_t n = strlen(tail);

	if ((size_t)(end - text) < n)
		return false;
	for (const char *s = end - n; *tail; s++, tail++)
		if (*s != *tail && (*s < 'A' || *s > 'Z' || *s - 'A' + 'a' != *tail))
			return false;
	return true;
}

/* The forms in which a number inside any text means a descriptor. */
static void text_mentions(const char *text, enum fd_keep why, fd_mention *each, void *arg)
{
	static const char before[][24] = {"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/", "fd=", "fd:",
		"fd@", "fd://", "file-descriptor:", "file-descriptor=", "pipe:", "&", "--print-address=",
		"--print-pid="};

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

/* Every number that stands by itself in a list: "4;5", "3,4", "-j --jobserver-auth=3,4". */
static void list_mentions(const char *text, enum fd_keep why, fd_mention *each, void *arg)
{
	for (const char *s = text; *s;) {
		bool alone = s == text || mem_find(" \t,;:=@", s[-1]);
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

/* Is option one whose value is a descriptor: --status-fd, -displayfd, or dbus-daemon's? */
static bool option_takes(const char *option)
{
	static const char tails[][16] = {"fd", "--print-address", "--print-pid"};

	for (size_t i = 0; *option == '-' && i < ROWS(tails); i++)
		if (ends(option, option + strlen(option), tails[i]))
			return true;
	return false;
}

/* One argument; last: that in front of it. */
static void arg_mentions(const char *text, const char *last, fd_mention *each, void *arg)
{
	const char *s = text;
	int a, b, c;

	text_mentions(text, FD_KEEP_ARGV, each, arg);
	/* a number that nothing tells of, or only an option's letter: -d5 */
	list_mentions(*s == '-' && (s[1] | 0x20) >= 'a' && (s[1] | 0x20) <= 'z' && is_digit(s[2]) ? s + 2 : s,
		FD_KEEP_END, each, arg);
	a = number(&s);
	if (a < 0)
		return;
	if (!*s && option_takes(last)) {
		each(arg, a, FD_KEEP_ARGV); /* --status-fd 5 */
	} else if (*s == ':' && (s++, b = number(&s)) >= 0 && *s == ':' && (s++, c = number(&s)) >= 0 && !*s) {
		each(arg, a, FD_KEEP_ARGV); /* 5:6:7, java */
		each(arg, b, FD_KEEP_ARGV);
		each(arg, c, FD_KEEP_ARGV);
	}
}

static void argv_mentions(char *const argv[], fd_mention *each, void *arg)
{
	const char *last = "";

	for (; *argv; last = *argv++)
		arg_mentions(*argv, last, each, arg);
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
	static const char words[][8] = {"FD", "SOCK", "LISTEN", "NGINX", "PIPE", "TRACE"};

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
	const bool strict = config_strict(config());

	if (argv && !strict)
		argv_mentions(argv, each, arg);
	if (envp && !strict)
		env_mentions(envp, each, arg);
}

/* -- exec ------------------------------------------------------------------------------------ */

bool fdpolicy_is(int fd, enum fd_class class)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return false;
	switch (class) {
	case FD_SOCKET:
	case FD_PAIR:
	case FD_ACCEPT:
		return S_ISSOCK(st.st_mode);
	case FD_PIPE:
		return S_ISFIFO(st.st_mode);
	case FD_MEMORY:
		return S_ISREG(st.st_mode);
	case FD_PTY:
		return S_ISCHR(st.st_mode);
	case FD_EVENT: /* an anonymous inode has no kind of its own; others can be made by bpf(2) */
		return !S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISDIR(st.st_mode);
	case FD_OPEN:
	case FD_STREAM:
		return !S_ISSOCK(st.st_mode);
	default:
		return true;
	}
}

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

	if (config_strict(c))
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
	if (mentioned == FD_KEEP_FIFO ? fdpolicy_is(fd, FD_PIPE) :
		mentioned == FD_KEEP_END ? end_kept(fd) : mentioned != FD_KEEP_NOT)
		return mentioned == FD_KEEP_END ? FD_KEEP_ARGV : mentioned;
	return !config_strict(c) && end_three(fd, class) ? FD_KEEP_THREE : FD_KEEP_NOT;
}

static enum fd_class class_of(int fd)
{
	return (enum fd_class)((mark_of(fd) & FD_CLASS) - 1);
}

/* Is fd one that we forced, as far as can be told, and does it have its flag? */
static bool still_forced(int fd)
{
	return fdpolicy_forced(fd) && sys_fcntl(fd, F_GETFD, 0) == FD_CLOEXEC && fdpolicy_is(fd, class_of(fd));
}

bool fdpolicy_take_back(int fd)
{
	if (LIKELY(!fdpolicy_forced(fd)) || !still_forced(fd) || sys_fcntl(fd, F_SETFD, 0) < 0)
		return false;
	fdpolicy_forget(fd);
	return true;
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
	struct given *g = arg;

	if (!fdpolicy_forced(fd) ||
		fdpolicy_keep_why(fd, class_of(fd), g->program, g->all, mentioned) == FD_KEEP_NOT || !still_forced(fd))
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
		else if (__atomic_load_n(&fdpolicy_list[fd], __ATOMIC_RELAXED) & FD_CLASS)
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
	if (g.all == FD_KEEP_NOT) {
		fdpolicy_mentions(argv, envp, give, &g);
		give(&g, 3, FD_KEEP_NOT);
	}
	return g.n;
}

void fdpolicy_undo(const int *undo, size_t n)
{
	while (n)
		sys_fcntl(undo[--n], F_SETFD, FD_CLOEXEC);
}
