/* SPDX-License-Identifier: ISC
 *
 * What is worth telling of the records, and when: the rules by which a descriptor that stays open
 * is a leak, kept for a reason, or nobody's fault; how descriptors are grouped by the call that made
 * them; and what one program tells the next, so that a descriptor's maker is known across fork and
 * exec.
 *
 * All of it runs where the program's calls run: in signal handlers, in children of fork and vfork,
 * with the table of descriptors full.  Room to work in is taken from a few areas of static memory,
 * or from the kernel when these are taken; nobody waits for anybody. */
#include "report.h"
#include "config.h"
#include "guest/guest.h"
#include "rules.h"
#include "state.h"
#include "sys.h"
#include "sys/lock.h"
#include "what.h"
#include "wrap.h"
#include <errno.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>

enum {
	AREAS = 3,
	GROUPS = 16,      /* call sites that are gathered in one walk over the records */
	FDS = 40,         /* numbers of a group that are kept: a line has room for fewer */
	MENTIONED = 1024, /* numbers below this one have a byte each in the area */
	TOP = 10,         /* groups that an emfile shows */
	CHAIN = 8,
	MAKERS = 64,
	KEPT_BACK = 64,
	SITE_MOST = 16,   /* bad closes that are told of one call site */
	NOTED = 40,       /* descriptors whose makers the next program is told */
	HEIRS = 180,      /* children of fork that are remembered; heirs: a page */
	LEFT = 254,
	OTHERS = 8,       /* of these, the living ones that are asked at the end */
	ASKED = 4096,     /* descriptors that they are asked about */
	ARGS = 8,         /* arguments that are told, */
	ARG_BYTES = 200,  /* and bytes of each */
};

/* Why a descriptor is open, or is not, in the program that is executed. */
enum why {
	WHY_LEAK,
	WHY_STOPPED,
	WHY_SAMEPID,
	WHY_SELFEXE,
	WHY_TABLE,
	WHY_ARGV,
	WHY_ENV,
	WHY_FIFO,
	WHY_THREE,
	WHY_NUMBER,
	WHY_RULE,
	WHY_SHELL,
	WHY_SKIP,
	WHY_OFF,
	WHY_MEANT,
};

static const char why_names[][8] = {
	[WHY_SAMEPID] = "samepid",
	[WHY_SELFEXE] = "selfexe",
	[WHY_TABLE] = "table",
	[WHY_ARGV] = "argv",
	[WHY_ENV] = "env",
	[WHY_FIFO] = "fifo",
	[WHY_THREE] = "three",
	[WHY_NUMBER] = "number",
	[WHY_RULE] = "rule",
	[WHY_SHELL] = "shell",
	[WHY_SKIP] = "skip",
	[WHY_OFF] = "off",
	[WHY_MEANT] = "meant",
};

/* Descriptors of one call site; key: what they are grouped by, the stack's number in its lower half. */
struct site_group {
	uint64_t key;
	uint64_t oldest, newest;
	uint32_t count;
	enum fd_class class;
	bool inherited;
	unsigned n;
	int fds[FDS];
};

/* A child of fork: whose, of which generation that one is, and how many descriptors it had made. */
struct heir {
	int pid, by;
	unsigned generation, serial;
};

/* One that lives on: does it still run the same program? */
struct other {
	struct heir heir;
	bool same;
};

struct area {
	struct record record;
	struct other others[OTHERS];
	unsigned others_n, asked;
	bool looked;
	size_t n;
	enum fd_keep keep;
	const char *program;
	char line[EVENT_SIZE] __attribute__((aligned(16)));
	char what[EVENT_SIZE], room[WHAT_SIZE];
	struct site_group groups[GROUPS];
	uint8_t mentioned[MENTIONED]; /* enum fd_keep */
};

static struct area areas[AREAS] __attribute__((aligned(4096))); /* a short line touches one page */
/* Not in there: a fork would copy their pages.  No lock: nobody waits, whoever finds them all taken maps an area. */
BESIDE static int areas_taken[AREAS];
BESIDE static uint64_t run;
/* The arguments as the program got them, which it may write over, as far as they are told; and its file, where it need
 * not be looked up: see put_exe(). */
BESIDE static char *start_argv[ARGS + 1];
BESIDE static const char *start_exe;
BESIDE static int snapshot_signal;
BESIDE static unsigned execs, tables;

/* The process whose memory this is; a vfork child is another. */
BESIDE static int self_pid;
BESIDE static bool announced, ended;
/* The processes it comes from, nearest first; whose descriptors are of which generation (record.h) */
BESIDE static struct ancestor {
	int pid;
	char prog[28];
} chain[CHAIN];
BESIDE static size_t chain_n;
BESIDE static int makers[MAKERS];
BESIDE static unsigned generation;

/* Of the number of a stack: descriptors counted, bad closes told. */
APART static uint32_t counts[STACKS_MAX];
APART static uint8_t told[STACKS_MAX];
enum { TOLD_SWEEPS = 0xff };
BESIDE static int counts_taken; /* no lock: nobody waits, whoever finds it taken tells nothing, or counts it as missed */

BESIDE bool report_pending, report_noted;
static void kept_forget(void);

uint64_t report_run(void)
{
	return run;
}

/* -- who asks, and where there is room ------------------------------------------------------- */

enum who { WHO_NOBODY, WHO_SELF, WHO_CHILD /* of vfork: its own descriptors, its parent's memory */ };

static enum who who(void)
{
	if (!record_on)
		return WHO_NOBODY;
	if (UNLIKELY(sys_getpid() != __atomic_load_n(&self_pid, __ATOMIC_RELAXED))) {
		if (!record_mine() || state_in_vfork())
			return WHO_CHILD;
		report_forked(); /* by clone(2), past every wrapper */
	}
	return WHO_SELF;
}

static struct area *area_take(void)
{
	for (size_t i = 0; i < AREAS; i++)
		if (!__atomic_exchange_n(&areas_taken[i], 1, __ATOMIC_ACQUIRE))
			return &areas[i];
	return sys_pages(sizeof *areas);
}

static void area_give(struct area *a)
{
	if (a >= areas && a < areas + AREAS)
		__atomic_store_n(&areas_taken[a - areas], 0, __ATOMIC_RELEASE);
	else
		sys_call(SYS_munmap, a, sizeof *a);
}

/* -- what lines have in common --------------------------------------------------------------- */

static size_t arg_length(const char *arg, size_t most)
{
	size_t n = 0;

	while (n < most && arg[n])
		n++;
	return n;
}

static void put_argv(struct event *e, char *const argv[], size_t leave)
{
	char text[ARG_BYTES + 1];

	e->end -= leave;
	event_open(e, "argv", '[');
	for (size_t i = 0; i < ARGS && argv && argv[i]; i++) {
		size_t n = arg_length(argv[i], ARG_BYTES);

		memcpy(text, argv[i], n);
		if (n == ARG_BYTES) /* not through the middle of a character */
			for (size_t back = 0; back < 3 && (argv[i][n] & 0xc0) == 0x80; back++)
				n--;
		text[n] = '\0';
		event_text(e, NULL, text);
	}
	event_close(e, ']');
	e->end += leave;
}

static void put_ancestor(struct event *e, int pid, const char *prog)
{
	event_open(e, NULL, '{');
	event_number(e, "pid", pid);
	event_text(e, "prog", prog);
	event_close(e, '}');
}

static void put_chain(struct event *e, enum who me)
{
	event_open(e, "chain", '[');
	if (me == WHO_CHILD)
		put_ancestor(e, self_pid, config()->program);
	for (size_t i = 0; i < chain_n && i + (me == WHO_CHILD) < CHAIN; i++)
		put_ancestor(e, chain[i].pid, chain[i].prog);
	event_close(e, ']');
}

/* Whose making it is, as far as that is known; 0: unknown. */
static int maker(const struct record *r)
{
	if (r->flags & RECORD_INHERITED)
		return r->origin_pid;
	return makers[r->generation < MAKERS ? r->generation : MAKERS - 1];
}

/* The arguments of the call that made it, in a few words. */
static void put_args(struct event *e, const struct record *r, const char *what)
{
	char text[64];
	struct str s = {text, text + sizeof text};

	*text = '\0';
	switch (r->args.tell) {
	case FD_TELL_PATH:
	case FD_TELL_NAME:
		if (*r->text && !mem_equal(r->text, what))
			event_text(e, "args", r->text);
		return;
	case FD_TELL_FROM:
		str_puts(&s, "from ");
		str_num(&s, (unsigned)r->args.a);
		break;
	case FD_TELL_SOCKET:
		str_puts(&s, "family ");
		str_num(&s, (unsigned)r->args.a);
		str_puts(&s, " type ");
		str_num(&s, (unsigned)r->args.b & 15);
		str_puts(&s, " protocol ");
		str_num(&s, (unsigned)r->args.c);
		break;
	case FD_TELL_NUMBER:
		str_num(&s, (unsigned)r->args.a);
		break;
	default:
		return;
	}
	event_text(e, "args", text);
}

static void put_fds(struct event *e, struct area *a, const struct site_group *g)
{
	enum { ENTRY = 130 };
	unsigned shown = 0;

	event_open(e, "fds", '[');
	for (; shown < g->n && event_room(e) >= ENTRY; shown++) {
		struct record *r = &a->record;
		const int fd = g->fds[shown];

		record_get(fd, r);
		what_is(fd, a->what, sizeof a->what, a->room);
		event_open(e, NULL, '{');
		event_number(e, "fd", fd);
		if (strlen(a->what) + 100 > event_room(e) && strlen(a->what) > 400)
			memmove(a->what, a->what + strlen(a->what) - 400, 401);
		event_text(e, "what", a->what);
		if (r->flags & RECORD_INHERITED) {
			if (r->origin)
				event_hex(e, "site", r->origin);
			if (r->origin_pid)
				event_number(e, "made_by", r->origin_pid);
		} else {
			event_time(e, "t", r->when);
			event_number(e, "tid", r->tid);
			put_args(e, r, a->what);
		}
		event_close(e, '}');
	}
	event_close(e, ']');
	if (shown < g->count)
		e->cut = true;
}

static void put_group(struct event *e, struct area *a, const struct site_group *g)
{
	enum { FOR_FDS = 700 };

	event_number(e, "count", g->count);
	event_text(e, "class", g->inherited ? "inherited" : rules_class_names[g->class]);
	e->end -= FOR_FDS;
	event_stack(e, (uint32_t)g->key, UNWIND_FRAMES - 1);
	e->end += FOR_FDS;
	put_fds(e, a, g);
}

/* -- the process ------------------------------------------------------------------------------ */

/* The first look into /proc costs 12 us; only the interpreter of a script is found there alone. */
static void start_keep(char *const argv[])
{
	const char *fn = (const char *)getauxval(AT_EXECFN);

	if (!argv)
		return;
	if (fn && *fn == '/' && argv[0] &&
		!(argv[1] && (mem_equal(argv[1], fn) || (argv[2] && mem_equal(argv[2], fn)))))
		start_exe = fn;
	for (size_t i = 0; i < ARGS && argv[i]; i++) /* one byte more: it is cut between characters */
		start_argv[i] = mem_keep(argv[i], arg_length(argv[i], ARG_BYTES + 1));
}

static void put_exe(struct event *e, struct area *a)
{
	const char *exe = config()->note_exe;
	long n;

	exe = exe ? exe : start_exe;
	if (exe) {
		event_text(e, "exe", exe);
		return;
	}
	n = sys_readlinkat(AT_FDCWD, "/proc/self/exe", a->room, sizeof a->room - 1);
	a->room[n > 0 ? n : 0] = '\0';
	event_text(e, "exe", n > 0 ? a->room : NULL);
}

static const char *mode_name(void)
{
	switch (config()->cloexec) {
	case CONFIG_CLOEXEC_OFF:
		return "off";
	case CONFIG_CLOEXEC_REPORT:
		return "report";
	case CONFIG_CLOEXEC_REPORT_STRICT:
		return "report-strict";
	case CONFIG_CLOEXEC_STRICT:
		return "strict";
	default:
		return "force";
	}
}

static void announcement(struct event *e, struct area *a)
{
	const struct config *c = config();
	const struct view *v = state_view();

	announced = true;
	event_begin(e, a->line, "start");
	put_exe(e, a);
	event_number(e, "ppid", sys_call(SYS_getppid));
	event_text(e, "mode", mode_name());
	event_text(e, "root", v && v->fd >= 0 ? (v->host_len ? v->host : "/") : NULL);
	if (snapshot_signal)
		event_number(e, "snapshot", snapshot_signal);
	else
		event_text(e, "snapshot", NULL);
	event_text(e, "libjail", *c->lib ? c->lib : NULL);
	put_argv(e, start_argv, 0);
	
}

static void announce(struct area *a)
{
	struct event e;

	announcement(&e, a);
	event_send(&e);
}

/* A program's announcement waits until it makes a descriptor, or there is something else to tell: one that
 * does nothing of the kind is told of in a single write, at its end.  So many bytes of areas[0].line, which is
 * taken meanwhile. */
BESIDE static unsigned held;

static void announce_later(struct area *a)
{
	struct event e;

	if (a != &areas[0] || !event_pairs()) {
		announce(a);
		return;
	}
	announcement(&e, a);
	held = (unsigned)event_end(&e);
	report_pending = held != 0;
}

/* a: the area that the caller has anyway, or NULL. */
static void held_send(const struct area *a)
{
	unsigned n;

	if (who() == WHO_NOBODY || !(n = __atomic_exchange_n(&held, 0, __ATOMIC_ACQ_REL)))
		return;
	event_write(areas[0].line, n);
	if (a != &areas[0])
		area_give(&areas[0]);
}

/* Every line but the first of a process goes this way. */
static void begin(struct event *e, struct area *a, enum who me, const char *type)
{
	if (UNLIKELY(__atomic_load_n(&held, __ATOMIC_RELAXED)))
		held_send(a);
	if (UNLIKELY(!announced) && me == WHO_SELF)
		announce(a);
	event_begin(e, a->line, type);
}

void report_forked(void)
{
	const int parent = self_pid;

	for (size_t i = 0; i < AREAS; i++)
		areas_taken[i] = 0; /* by threads that are not here */
	counts_taken = 0;
	held = 0; /* it is the parent's to tell */
	if (report_pending)
		kept_forget();
	announced = ended = false;
	self_pid = sys_getpid();
	if (record_on) {
		record_forked();
		if (++generation < MAKERS)
			makers[generation] = self_pid;
	}
	memmove(&chain[1], &chain[0], (CHAIN - 1) * sizeof chain[0]);
	chain_n += chain_n < CHAIN;
	chain[0].pid = parent;
	memset(chain[0].prog, 0, sizeof chain[0].prog);
	for (size_t i = 0; i < sizeof chain[0].prog - 1 && config()->program[i]; i++)
		chain[0].prog[i] = config()->program[i];
}

/* -- groups ----------------------------------------------------------------------------------- */

enum { KEY_NONE = -1 };

static bool is_open(int fd)
{
	return sys_fcntl(fd, F_GETFD, 0) >= 0;
}

static void group_add(struct site_group *g, int fd, const struct record *r)
{
	if (!g->count++) {
		g->class = r->class;
		g->inherited = r->flags & RECORD_INHERITED;
		g->oldest = g->newest = r->when;
	}
	if (r->when < g->oldest)
		g->oldest = r->when;
	if (r->when > g->newest)
		g->newest = r->when;
	if (g->n < FDS)
		g->fds[g->n++] = fd;
}

/* Gathers the open records by key, in the order of keys, those above `after`; as many groups as
 * there is room for.  True: there are more. */
typedef int64_t key_of(struct area *a, int fd, const struct record *r);
static bool gather(struct area *a, int64_t after, key_of *key)
{
	bool more = false;

	a->n = 0;
	for (int fd = record_next(3); fd >= 0; fd = record_next(fd + 1)) {
		struct record *r = &a->record;
		int64_t k;
		size_t i;

		record_get(fd, r);
		if (r->state != RECORD_OPEN)
			continue;
		k = key(a, fd, r);
		if (k <= after)
			continue;
		for (i = 0; i < a->n && (int64_t)a->groups[i].key < k; i++)
			;
		if (i == GROUPS) {
			more = true;
			continue;
		}
		if (i == a->n || (int64_t)a->groups[i].key != k) {
			if (a->n == GROUPS) {
				more = true; /* the last one: its turn comes */
				a->n--;
			}
			memmove(&a->groups[i + 1], &a->groups[i], (a->n - i) * sizeof a->groups[0]);
			a->n++;
			memset(&a->groups[i], 0, sizeof a->groups[i]);
			a->groups[i].key = (uint64_t)k;
		}
		group_add(&a->groups[i], fd, r);
	}
	return more;
}

/* -- exec ------------------------------------------------------------------------------------ */

static void mention(void *arg, int fd, enum fd_keep why)
{
	struct area *a = arg;

	if (fd >= 0 && fd < MENTIONED && (!a->mentioned[fd] || a->mentioned[fd] == FD_KEEP_FIFO || a->mentioned[fd] == FD_KEEP_END))
		a->mentioned[fd] = (uint8_t)why;
}

static enum why keep_why(enum fd_keep keep)
{
	switch (keep) {
	case FD_KEEP_SAMEPID:
		return WHY_SAMEPID;
	case FD_KEEP_SELFEXE:
		return WHY_SELFEXE;
	case FD_KEEP_TABLE:
		return WHY_TABLE;
	case FD_KEEP_ARGV:
		return WHY_ARGV;
	case FD_KEEP_ENV:
		return WHY_ENV;
	case FD_KEEP_FIFO:
		return WHY_FIFO;
	case FD_KEEP_THREE:
		return WHY_THREE;
	case FD_KEEP_NUMBER:
		return WHY_NUMBER;
	case FD_KEEP_RULE:
		return WHY_RULE;
	default:
		return WHY_LEAK;
	}
}

/* What is to be said of fd at this exec: an enum why, or -1. */
static int exec_why(const struct area *a, int fd, const struct record *r)
{
	const bool changed = record_child_has_changed(fd);
	enum fd_keep keep;
	int flags;

	if (r->flags & RECORD_INHERITED || (r->flags & RECORD_ASKED && !changed))
		return -1;
	flags = sys_fcntl(fd, F_GETFD, 0);
	if (flags < 0 || !fdpolicy_is(fd, r->class))
		return -1;
	if (changed) /* what a vfork child (Python's pass_fds) leaves open, it has cleared the flag of */
		return flags & FD_CLOEXEC ? -1 : WHY_MEANT;
	if (flags & FD_CLOEXEC) /* else somebody has set it behind our back */
		return r->verdict == FD_FORCE && !(r->flags & RECORD_MEANT) &&
				       !config_reports_only(config())
			       ? WHY_STOPPED
			       : -1;
	if (r->flags & RECORD_MEANT)
		return WHY_MEANT;
	switch (r->verdict) {
	case FD_SHELL:
		return WHY_SHELL;
	case FD_SKIP:
		return WHY_SKIP;
	case FD_RULE:
		return WHY_RULE;
	case FD_OFF:
		return WHY_OFF;
	default:
		break;
	}
	keep = fdpolicy_keep_why(fd, r->class, a->program, a->keep,
		fd < MENTIONED ? (enum fd_keep)a->mentioned[fd] : FD_KEEP_NOT);
	return (int)keep_why(keep);
}

static int64_t exec_key(struct area *a, int fd, const struct record *r)
{
	const int why = exec_why(a, fd, r);

	return why < 0 ? KEY_NONE : (int64_t)why << 32 | r->stack;
}

bool report_exec_wanted(void)
{
	const enum who me = who();
	struct record r;

	if (me == WHO_SELF)
		report_flush();
	if (me != WHO_NOBODY)
		for (int fd = record_next(3); fd >= 0; fd = record_next(fd + 1)) {
			record_get(fd, &r);
			if (r.state == RECORD_OPEN && !(r.flags & RECORD_INHERITED) &&
				(!(r.flags & RECORD_ASKED) || record_child_has_changed(fd)))
				return true;
		}
	return false;
}

unsigned report_exec(
	const char *program, const char *target, char *const argv[], char *const envp[])
{
	const enum who me = who();
	unsigned number = 0;
	int64_t after = KEY_NONE;
	struct event e;
	struct area *a;
	bool more;

	if (me == WHO_NOBODY)
		return 0;
	a = area_take();
	if (!a)
		return 0;
	a->program = program;
	a->keep = fdpolicy_keep(program);
	memset(a->mentioned, 0, sizeof a->mentioned);
	fdpolicy_mentions(argv, envp, mention, a);
	do {
		more = gather(a, after, exec_key);
		for (size_t i = 0; i < a->n; i++) {
			const struct site_group *g = &a->groups[i];
			const enum why why = (enum why)(g->key >> 32);

			if (!number)
				number = __atomic_add_fetch(&execs, 1, __ATOMIC_RELAXED);
			begin(&e, a, me, why == WHY_LEAK ? "exec-leak" : why == WHY_STOPPED ? "stopped" : "exec-kept");
			event_number(&e, "exec", number);
			if (*why_names[why])
				event_text(&e, "why", why_names[why]);
			event_text(&e, "target", target);
			put_argv(&e, argv, 2600);
			put_chain(&e, me);
			put_group(&e, a, g);
			event_send(&e);
			after = (int64_t)g->key;
		}
	} while (more);
	area_give(a);
	return number;
}

unsigned report_unwatched(unsigned exec, const char *why, const char *target, char *const argv[])
{
	const enum who me = who();
	struct event e;
	struct area *a;

	if (me == WHO_NOBODY || !(a = area_take()))
		return exec;
	if (!exec)
		exec = __atomic_add_fetch(&execs, 1, __ATOMIC_RELAXED);
	begin(&e, a, me, "unwatched");
	event_number(&e, "exec", exec);
	event_text(&e, "why", why);
	event_text(&e, "target", target);
	put_argv(&e, argv, EVENT_SIZE / 2);
	put_chain(&e, me);
	event_send(&e);
	area_give(a);
	return exec;
}

static const char *error_name(long error)
{
	switch (error < 0 ? -error : error) {
	case ENOENT:
		return "ENOENT";
	case EACCES:
		return "EACCES";
	case ENOEXEC:
		return "ENOEXEC";
	case E2BIG:
		return "E2BIG";
	case ENOMEM:
		return "ENOMEM";
	case ETXTBSY:
		return "ETXTBSY";
	case ENOTDIR:
		return "ENOTDIR";
	case EPERM:
		return "EPERM";
	case ELOOP:
		return "ELOOP";
	case EINVAL:
		return "EINVAL";
	case EFAULT:
		return "EFAULT";
	case EAGAIN:
		return "EAGAIN";
	case EMFILE:
		return "EMFILE";
	case ENFILE:
		return "ENFILE";
	case EIO:
		return "EIO";
	case EISDIR:
		return "EISDIR";
	case ELIBBAD:
		return "ELIBBAD";
	case ENAMETOOLONG:
		return "ENAMETOOLONG";
	}
	return "other";
}

void report_exec_failed(unsigned exec, long error)
{
	const enum who me = who();
	struct event e;
	struct area *a;

	if (!exec || me == WHO_NOBODY || !(a = area_take()))
		return;
	begin(&e, a, me, "exec-failed");
	event_number(&e, "exec", exec);
	event_text(&e, "error", error_name(error));
	event_send(&e);
	area_give(a);
}

/* -- what the next program is told ------------------------------------------------------------
 *
 *	RUN;PID:PROGRAM,...;FD=SITE@PID,...;DESCRIPTOR
 *
 * with hexadecimal RUN and SITE; in PROGRAM what would be mistaken is %XX. */

static const char hexdigits[] = "0123456789abcdef";

static void note_hex(struct str *s, uint64_t n)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		str_put(s, &hexdigits[n >> shift & 15], 1);
}

static void note_ancestor(struct str *s, int pid, const char *prog)
{
	str_num(s, (unsigned)pid);
	str_puts(s, ":");
	for (size_t i = 0; i < sizeof chain[0].prog - 1 && prog[i]; i++) {
		const unsigned char c = (unsigned char)prog[i];

		if (c > ' ' && c < 0x7f && !mem_find(";,:%", (char)c)) {
			str_put(s, &prog[i], 1);
			continue;
		}
		str_puts(s, "%");
		str_put(s, &hexdigits[c >> 4], 1);
		str_put(s, &hexdigits[c & 15], 1);
	}
}

static void note_chain(struct str *s, enum who me)
{
	size_t n = 0;

	/* a program that executes another in its place is an ancestor, too */
	if (me == WHO_CHILD || self_pid == config()->pid) {
		note_ancestor(s, self_pid, config()->program);
		n++;
	}
	for (size_t i = 0; i < chain_n && n < CHAIN; i++, n++) {
		if (n)
			str_puts(s, ",");
		note_ancestor(s, chain[i].pid, chain[i].prog);
	}
}

static void note_fds(struct str *s, bool inherited, unsigned *count)
{
	struct record r;

	for (int fd = record_next(3); fd >= 0 && *count < NOTED; fd = record_next(fd + 1)) {
		uint64_t site;
		int flags;

		record_get(fd, &r);
		if (r.state != RECORD_OPEN || !(r.flags & RECORD_INHERITED) == inherited ||
			(r.flags & RECORD_ASKED && !record_child_has_changed(fd)))
			continue;
		flags = sys_fcntl(fd, F_GETFD, 0);
		if (flags < 0 || flags & FD_CLOEXEC)
			continue;
		site = r.flags & RECORD_INHERITED ? r.origin : event_site(r.stack);
		if (!site)
			continue;
		if ((*count)++)
			str_puts(s, ",");
		str_num(s, (unsigned)fd);
		str_puts(s, "=");
		note_hex(s, site);
		str_puts(s, "@");
		str_num(s, (unsigned)maker(&r));
	}
}

static void run_start(void)
{
	struct timespec t = {0};

	(void)!sys_call(SYS_getrandom, &run, sizeof run, 1 /* GRND_NONBLOCK */);
	if (!run) {
		sys_call(SYS_clock_gettime, CLOCK_REALTIME, &t);
		run = ((uint64_t)t.tv_sec << 30 ^ (uint64_t)t.tv_nsec) * 0x9e3779b97f4a7c15u ^
		      (uint64_t)sys_getpid();
	}
}

bool report_note(char *buf, size_t n)
{
	const enum who me = who();
	struct str s = {buf, buf + n - EVENT_NOTE};
	char sink[EVENT_NOTE];
	unsigned count = 0;
	bool keep;
	char *at;

	*buf = '\0';
	if (me == WHO_NOBODY) {
		if (!run)
			run_start();
		note_hex(&s, run);
		str_puts(&s, report_launching() ? ";;;n" : ";;;q"); /* n: none has made the file; q: event_note() */
		return false;
	}
	note_hex(&s, run);
	str_puts(&s, ";");
	note_chain(&s, me);
	str_puts(&s, ";");
	at = s.at;
	note_fds(&s, false, &count); /* our own making first */
	note_fds(&s, true, &count);
	if (!s.at) {
		s.at = at;
		*at = '\0';
	}
	s.end = buf + n;
	keep = event_note(sink);
	str_puts(&s, ";");
	str_puts(&s, sink);
	return keep;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint64_t take_hex(const char **s)
{
	uint64_t n = 0;

	for (; digit(**s) >= 0; ++*s)
		n = n << 4 | (unsigned)digit(**s);
	return n;
}

static int take_number(const char **s)
{
	int n = 0;

	for (; **s >= '0' && **s <= '9'; ++*s)
		if (n < 100000000)
			n = n * 10 + **s - '0';
	return n;
}

/* The run and the chain; the rest of the note, "" when there is none. */
static const char *note_take(const char *s)
{
	run = take_hex(&s);
	if (*s++ != ';')
		return "";
	while (*s && *s != ';' && chain_n < CHAIN) {
		struct ancestor *c = &chain[chain_n++];
		size_t n = 0;

		c->pid = take_number(&s);
		if (*s == ':')
			s++;
		for (; *s && *s != ',' && *s != ';'; s++) {
			char byte = *s;

			if (*s == '%' && digit(s[1]) >= 0 && digit(s[2]) >= 0) {
				byte = (char)(digit(s[1]) << 4 | digit(s[2]));
				s += 2;
			}
			if (n < sizeof c->prog - 1)
				c->prog[n++] = byte;
		}
		if (*s == ',')
			s++;
	}
	return *s == ';' ? s + 1 : "";
}

/* Whose fd is, by the third part of the note. */
static uint64_t note_find(const char *s, int fd, int *ret_pid)
{
	while (*s && *s != ';') {
		const int at = take_number(&s);
		uint64_t site = 0;
		int pid = 0;

		if (*s == '=') {
			s++;
			site = take_hex(&s);
		}
		if (*s == '@') {
			s++;
			pid = take_number(&s);
		}
		if (at == fd) {
			*ret_pid = pid;
			return site;
		}
		if (*s != ',')
			break;
		s++;
	}
	*ret_pid = 0;
	return 0;
}

/* -- start ------------------------------------------------------------------------------------ */

enum { OPEN_END = 1024, OPEN_FEW = 256 };

/* Is the kernel's table of descriptors no longer than OPEN_FEW, as nearly always?  select(2) passes
 * over what lies beyond the table (fs/select.c, core_sys_select), and says EBADF of what does not
 * and is not open; all of it may be open, though. */
static bool table_is_short(void)
{
	enum { WORD = 8 * sizeof(unsigned long) };
	unsigned long set[OPEN_END / WORD];
	const struct timespec at_once = {0};

	for (size_t i = 0; i < ROWS(set); i++)
		set[i] = i < OPEN_FEW / WORD ? 0 : ~0UL;
	return sys_call(SYS_pselect6, OPEN_END, set, NULL, NULL, &at_once, NULL) == 0 &&
	       sys_fcntl(OPEN_END - 1, F_GETFD, 0) < 0;
}

/* Is anything open beyond 0-2?  poll(2) says POLLNVAL of a number that is not. */
static bool anything_open(void)
{
	enum { AT_ONCE = 256 };
	struct pollfd p[AT_ONCE];
	const struct timespec at_once = {0};
	const int end = table_is_short() ? OPEN_FEW : OPEN_END;

	for (int from = 3; from < end; from += AT_ONCE) {
		long r;

		for (int i = 0; i < AT_ONCE; i++)
			p[i] = (struct pollfd){.fd = from + i};
		r = sys_call(SYS_ppoll, p, AT_ONCE, &at_once, NULL, 0);
		if (r < 0)
			return true; /* more than RLIMIT_NOFILE */
		for (int i = 0; i < AT_ONCE; i++)
			if (!(p[i].revents & POLLNVAL) && from + i != event_fd && !state_owns(from + i))
				return true;
	}
	return false;
}

struct inherited {
	struct event e;
	struct area *a;
	const char *note;
	unsigned n;
};

static void inherited_one(struct inherited *in, int fd)
{
	uint64_t site;
	int pid, flags;

	if (fd <= 2 || fd == event_fd || state_owns(fd) || event_same(fd))
		return;
	flags = sys_fcntl(fd, F_GETFD, 0);
	if (flags < 0)
		return;
	site = note_find(in->note, fd, &pid);
	record_inherited(fd, site, pid, flags & FD_CLOEXEC);
	if (!in->n++) {
		begin(&in->e, in->a, WHO_SELF, "inherited");
		event_number(&in->e, "from", sys_call(SYS_getppid));
		event_open(&in->e, "fds", '[');
	}
	event_open(&in->e, NULL, '{');
	event_number(&in->e, "fd", fd);
	what_is(fd, in->a->what, sizeof in->a->what, in->a->room);
	event_text(&in->e, "what", in->a->what);
	if (site)
		event_hex(&in->e, "site", site);
	else
		event_text(&in->e, "site", NULL);
	if (pid)
		event_number(&in->e, "made_by", pid);
	else
		event_text(&in->e, "made_by", NULL);
	event_close(&in->e, '}');
}

struct entry { /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static void inherited(struct area *a, const char *note)
{
	struct inherited in = {.a = a, .note = note};
	char list[1024] __attribute__((aligned(8)));
	int dir;
	long n;

	if (!anything_open())
		return;
	dir = sys_openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0) { /* no /proc: those that programs usually have */
		for (int fd = 3; fd < 256; fd++)
			inherited_one(&in, fd);
	}
	while (dir >= 0 && (n = sys_call(SYS_getdents64, dir, list, sizeof list)) > 0)
		for (long at = 0; at < n;) {
			const struct entry *d = (const void *)(list + at);
			const char *name = d->name;
			const int fd = *name >= '0' && *name <= '9' ? take_number(&name) : -1;

			at += d->reclen;
			if (fd != dir)
				inherited_one(&in, fd);
		}
	if (dir >= 0)
		sys_close(dir);
	if (in.n) {
		event_close(&in.e, ']');
		event_send(&in.e);
	}
}

/* -- a snapshot, on a signal ------------------------------------------------------------------ */

static void on_signal(int sig)
{
	(void)sig;
	report_snapshot();
}

/* What rt_sigaction(2) takes. */
struct action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

#if defined(__x86_64__)
/* signal(7), sigreturn(2): the kernel has no way back of its own on this machine */
void report_restorer(void) __attribute__((visibility("hidden")));
__asm__(".text\n"
	".type report_restorer, @function\n"
	"report_restorer:\n"
	"	mov $15, %eax\n"
	"	syscall\n"
	".size report_restorer, .-report_restorer\n");
_Static_assert(SYS_rt_sigreturn == 15, "in the lines above");
#define RESTORER 0x04000000UL, report_restorer
#else
#define RESTORER 0UL, NULL
#endif

int report_signal(const char *s)
{
	static const struct {
		char name[8];
		int number;
	} names[] = {{"HUP", SIGHUP}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"WINCH", SIGWINCH},
		{"URG", SIGURG}, {"IO", SIGIO}, {"PWR", SIGPWR}, {"QUIT", SIGQUIT}, {"ALRM", SIGALRM},
		{"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"XCPU", SIGXCPU}, {"TRAP", SIGTRAP},
		{"SYS", SIGSYS}, {"STKFLT", 16}};
	const char *rest = mem_after(s, "SIG");
	int n;

	if (rest)
		s = rest;
	for (size_t i = 0; i < ROWS(names); i++)
		if (mem_equal(s, names[i].name))
			return names[i].number;
	if ((rest = mem_after(s, "RTMIN+"))) {
		n = take_number(&rest);
		return *rest || n > 30 ? 0 : 34 + n; /* signal(7): what a libc leaves of them */
	}
	if ((rest = mem_after(s, "RTMAX-"))) {
		n = take_number(&rest);
		return *rest || n > 30 ? 0 : 64 - n;
	}
	rest = s;
	n = take_number(&rest);
	return rest == s || *rest || n < 1 || n > 64 || n == SIGKILL || n == SIGSTOP ? 0 : n;
}

static void snapshot_start(void)
{
	enum { USUAL = 63 };
	const char *word = config()->snapshot;
	const struct action action = {on_signal, 0x10000000UL /* SA_RESTART */ | RESTORER, 0};
	struct action old = {0};
	int sig = USUAL;

	if (word && *word) {
		if (mem_equal(word, "none"))
			return;
		sig = report_signal(word);
		if (!sig) {
			SAY("LIBJAIL_SNAPSHOT=", word, ": no signal of that name; use SIGUSR2, or a number");
			return;
		}
	} else if (sys_call(SYS_rt_sigaction, sig, NULL, &old, sizeof old.mask) < 0 || old.handler) {
		return; /* somebody else's */
	}
	if (sys_call(SYS_rt_sigaction, sig, &action, NULL, sizeof action.mask) == 0)
		snapshot_signal = sig;
}

/* -- the table, worst first ------------------------------------------------------------------- */

/* The next GROUPS call sites, or fewer, in the order of their counts, after the last of those that
 * a has; no descriptors yet. */
static void table_pick(struct area *a, uint32_t last_count, uint32_t last, uint32_t stacks, size_t most)
{
	a->n = 0;
	for (uint32_t s = 0; s <= stacks; s++) {
		const uint32_t c = counts[s];
		size_t i;

		if (!c || c > last_count || (c == last_count && s <= last))
			continue;
		for (i = a->n; i && a->groups[i - 1].count < c; i--)
			;
		if (i >= most)
			continue;
		if (a->n == most)
			a->n--;
		memmove(&a->groups[i + 1], &a->groups[i], (a->n - i) * sizeof a->groups[0]);
		a->n++;
		memset(&a->groups[i], 0, sizeof a->groups[i]);
		a->groups[i].key = s;
		a->groups[i].count = c;
	}
}

static void table_fill(struct area *a)
{
	for (size_t i = 0; i < a->n; i++)
		a->groups[i].count = 0;
	for (int fd = record_next(0); fd >= 0; fd = record_next(fd + 1)) {
		record_get(fd, &a->record);
		if (a->record.state != RECORD_OPEN)
			continue;
		for (size_t i = 0; i < a->n; i++)
			if (a->groups[i].key == a->record.stack && is_open(fd))
				group_add(&a->groups[i], fd, &a->record);
	}
}

/* How many groups there are; counts is filled. */
static unsigned table_count(struct area *a, uint32_t stacks)
{
	unsigned groups = 0;

	memset(counts, 0, (stacks + 1) * sizeof *counts);
	for (int fd = record_next(0); fd >= 0; fd = record_next(fd + 1)) {
		record_get(fd, &a->record);
		if (a->record.state == RECORD_OPEN && a->record.stack <= stacks && is_open(fd))
			groups += !counts[a->record.stack]++;
	}
	return groups;
}

static void table_send(struct area *a, enum who me, const char *why, unsigned table, uint32_t stacks,
	unsigned most)
{
	uint32_t last_count = ~0u, last = 0;
	unsigned rank = 0;
	struct event e;

	while (rank < most) {
		table_pick(a, last_count, last, stacks, most - rank < GROUPS ? most - rank : GROUPS);
		if (!a->n)
			return;
		last_count = a->groups[a->n - 1].count;
		last = (uint32_t)a->groups[a->n - 1].key;
		table_fill(a);
		for (size_t i = 0; i < a->n; i++) {
			const struct site_group *g = &a->groups[i];

			if (!g->count)
				continue;
			begin(&e, a, me, "table");
			event_number(&e, "table", table);
			event_text(&e, "why", why);
			event_number(&e, "rank", ++rank);
			event_time(&e, "oldest", g->oldest);
			event_time(&e, "newest", g->newest);
			put_group(&e, a, g);
			event_send(&e);
		}
	}
}

/* Of this process, 0-2 and our own among them: Linux 6.2 tells by the size of the directory. */
static unsigned long open_count(void)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, "/proc/self/fd", &st, 0) == 0 && st.st_size > 0
		       ? (unsigned long)st.st_size
		       : record_open_count() + 3;
}

static bool counts_take(void)
{
	return !__atomic_exchange_n(&counts_taken, 1, __ATOMIC_ACQUIRE);
}

static void counts_give(void)
{
	__atomic_store_n(&counts_taken, 0, __ATOMIC_RELEASE);
}

void report_full(long error, uint32_t stack)
{
	static uint64_t last; /* CLOCK_MONOTONIC */
	static unsigned missed;
	struct timespec t = {0};
	struct rlimit lim = {0};
	unsigned table, groups;
	uint64_t now, before = __atomic_load_n(&last, __ATOMIC_RELAXED);
	enum { SECOND = 1000000000 };
	struct area *a = NULL;
	uint32_t stacks;
	struct event e;

	if (who() != WHO_SELF)
		return;
	sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
	if ((before && now - before < SECOND) || !counts_take()) {
		__atomic_add_fetch(&missed, 1, __ATOMIC_RELAXED);
		return;
	}
	if (!__atomic_compare_exchange_n(&last, &before, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
		!(a = area_take())) {
		__atomic_add_fetch(&missed, 1, __ATOMIC_RELAXED);
		counts_give();
		return;
	}
	table = __atomic_add_fetch(&tables, 1, __ATOMIC_RELAXED);
	stacks = stack_count();
	groups = table_count(a, stacks);
	sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &lim);
	begin(&e, a, WHO_SELF, "emfile");
	event_text(&e, "error", error_name(error));
	event_number(&e, "limit", lim.rlim_cur > LONG_MAX ? -1 : (long)lim.rlim_cur);
	event_number(&e, "open", (long)open_count());
	event_number(&e, "table", table);
	event_number(&e, "groups", groups);
	event_number(&e, "missed", __atomic_exchange_n(&missed, 0, __ATOMIC_RELAXED));
	event_stack(&e, stack, UNWIND_FRAMES - 1);
	event_send(&e);
	table_send(a, WHO_SELF, "emfile", table, stacks, TOP);
	counts_give();
	area_give(a);
}

void report_snapshot(void)
{
	struct area *a;
	uint32_t stacks;
	unsigned table, groups;
	struct event e;

	if (who() != WHO_SELF)
		return;
	report_flush();
	if (!counts_take())
		return;
	a = area_take();
	if (a) {
		table = __atomic_add_fetch(&tables, 1, __ATOMIC_RELAXED);
		stacks = stack_count();
		groups = table_count(a, stacks);
		begin(&e, a, WHO_SELF, "snapshot");
		event_number(&e, "open", (long)open_count());
		event_number(&e, "table", table);
		event_number(&e, "groups", groups);
		event_send(&e);
		table_send(a, WHO_SELF, "snapshot", table, stacks, ~0u);
		area_give(a);
	}
	counts_give();
}

/* -- bad closes ------------------------------------------------------------------------------- */

struct bad_close {
	int fd;
	uint32_t closer, made, closed;
	bool twice; /* known to have been closed before; else nobody ever saw it open */
	const char *kind;
};

/* Those of one call path in one thread, one after the other; under LOCK_KEPT. */
APART static struct kept {
	int tid;
	bool down;
	unsigned n, unseen;
	struct bad_close at[KEPT_BACK];
} kept;

static void put_closer(struct event *e, const char *name, uint32_t stack)
{
	enum { FRAMES = 6 };

	if (!stack)
		return;
	event_open(e, name, '{');
	event_stack(e, stack, FRAMES);
	event_close(e, '}');
}

static void bad_close_send(const struct bad_close *b)
{
	struct event e;
	struct area *a;

	if (b->closer) { /* a fault in a loop fills no disk */
		if (told[b->closer] >= SITE_MOST)
			return;
		told[b->closer]++;
	}
	a = area_take();
	if (!a)
		return;
	begin(&e, a, WHO_SELF, "bad-close");
	event_text(&e, "kind", b->kind);
	event_number(&e, "fd", b->fd);
	put_closer(&e, "closer", b->closer);
	put_closer(&e, "made", b->made);
	put_closer(&e, "closed", b->closed);
	event_send(&e);
	area_give(a);
}

static void kept_forget(void)
{
	kept.n = kept.unseen = 0;
	report_pending = __atomic_load_n(&held, __ATOMIC_RELAXED) != 0;
}

/* Moves what is kept to *out, which the caller sends when it has given the lock back. */
static void kept_take(struct kept *out)
{
	out->n = kept.n;
	memcpy(out->at, kept.at, kept.n * sizeof *kept.at);
	kept_forget();
}

static void kept_send(const struct kept *out)
{
	for (unsigned i = 0; i < out->n; i++)
		bad_close_send(&out->at[i]);
}

/* The large frame, out of the usual way. */
static NOINLINE void kept_flush(void)
{
	const uint64_t signals = lock_take(LOCK_KEPT);
	struct kept out;

	kept_take(&out);
	lock_give(LOCK_KEPT, signals);
	kept_send(&out);
}

void report_flush(void)
{
	if (!report_pending)
		return;
	held_send(NULL);
	if (__atomic_load_n(&kept.n, __ATOMIC_SEQ_CST)) {
		kept_flush();
		return;
	}
	__atomic_store_n(&report_pending, false, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&kept.n, __ATOMIC_SEQ_CST)) /* another thread has kept one meanwhile */
		report_pending = true;
}

/* Keeps b back, and moves to *out what it ends; a path that closes numbers near each other, upwards or downwards, two of which nobody
 * ever opened, is a loop over all of them. */
static void kept_add(const struct bad_close *b, struct kept *out)
{
	enum { NEAR = 64 };
	const int tid = sys_gettid(), step = kept.n ? b->fd - kept.at[kept.n - 1].fd : 0;

	if (kept.n && (kept.at[0].closer != b->closer || kept.tid != tid || kept.n == KEPT_BACK || !step ||
			      step > NEAR || step < -NEAR || (kept.n > 1 && (step < 0) != kept.down)))
		kept_take(out);
	kept.down = step < 0;
	kept.tid = tid;
	kept.at[kept.n++] = *b;
	kept.unseen += !b->twice;
	report_pending = true;
	if (kept.unseen > 1) {
		if (b->closer)
			told[b->closer] = TOLD_SWEEPS;
		kept_forget();
	}
}

void report_bad_close(int fd, struct record_closing what, bool failed)
{
	struct bad_close b = {.fd = fd, .closer = what.stack};
	uint64_t signals;
	struct kept out;
	struct record r;

	/* close(-1) is meant to do nothing, and a shell closes numbers on the off chance that they are open.
	 * One of ours the program can only have from /proc/self/fd: there is nothing to mend in it. */
	if (fd < 0 || config()->shell || state_owns(fd) || who() != WHO_SELF)
		return;
	if (b.closer && told[b.closer] >= SITE_MOST)
		return;
	record_get(fd, &r);
	b.made = r.stack;
	if (!failed) {
		b.kind = what.flags & RECORD_STREAM ? "stream" : "directory";
		bad_close_send(&b);
		return;
	}
	b.twice = r.state == RECORD_CLOSED && !what.known;
	if (b.twice)
		b.closed = r.closed_stack;
	b.kind = b.twice ? "double" : "not-open";
	out.n = 0;
	signals = lock_take(LOCK_KEPT);
	kept_add(&b, &out);
	lock_give(LOCK_KEPT, signals);
	kept_send(&out);
}

/* -- the end ---------------------------------------------------------------------------------- */

/* A daemon's parent forks and ends, and so does that child: what they leave open is the business of
 * the one that lives on.  So all processes that came from one program by fork share a page, in
 * which those who fork say which child, and those who end before their heirs, that they did. */
struct heirs {
	unsigned next, next_left;
	struct heir at[HEIRS];
	int left[LEFT];
};
BESIDE static struct heirs *heirs;
_Static_assert(sizeof(struct heirs) <= 4096, "a page");

void report_fork(void)
{
	struct heirs *none = NULL, *h;
	long r;

	if (__atomic_load_n(&heirs, __ATOMIC_RELAXED))
		return;
	r = sys_call(SYS_mmap, NULL, sizeof *h, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r < 0 && r > -4096)
		return;
	h = (struct heirs *)r;
	if (!__atomic_compare_exchange_n(&heirs, &none, h, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		sys_call(SYS_munmap, h, sizeof *h);
}

void report_fork_done(int pid)
{
	struct heirs *h = __atomic_load_n(&heirs, __ATOMIC_ACQUIRE);
	unsigned i;

	if (!h)
		return;
	i = __atomic_fetch_add(&h->next, 1, __ATOMIC_RELAXED) % HEIRS;
	__atomic_store_n(&h->at[i].pid, 0, __ATOMIC_RELAXED);
	h->at[i].by = self_pid;
	h->at[i].generation = generation;
	h->at[i].serial = (unsigned)record_made_count();
	__atomic_store_n(&h->at[i].pid, pid, __ATOMIC_RELEASE);
}

/* "/proc/PID/NAME" */
static const char *proc_path(char *text, size_t n, int pid, const char *name)
{
	struct str s = {text, text + n};

	str_puts(&s, "/proc/");
	str_num(&s, (unsigned)pid);
	str_puts(&s, name);
	return s.at ? text : "";
}

/* Where a process's stack began, which fork(2) keeps and execve(2) does not; 0 of one that is no
 * more.  proc(5), /proc/pid/stat: (28) startstack, behind a name that may have blanks. */
static uint64_t image(struct area *a, int pid)
{
	enum { STATE = 3, STARTSTACK = 28 };
	const char *p, *name = NULL;
	uint64_t n = 0;
	long got;
	int fd = sys_openat(AT_FDCWD, proc_path(a->room, sizeof a->room, pid, "/stat"), O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	got = sys_read(fd, a->room, sizeof a->room - 1);
	sys_close(fd);
	a->room[got > 0 ? got : 0] = '\0';
	for (p = a->room; *p; p++)
		if (*p == ')')
			name = p;
	if (!name || name[1] != ' ' || name[2] == 'Z' || name[2] == 'X')
		return 0;
	p = name + 2;
	for (int field = STATE; field < STARTSTACK && *p; p++)
		field += *p == ' ';
	for (; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (unsigned)(*p - '0');
	return n;
}

/* Who lives on.  That there is somebody is said at once: they may end, too. */
static void look(struct area *a)
{
	struct heirs *h = __atomic_load_n(&heirs, __ATOMIC_ACQUIRE);
	uint64_t mine = 0;

	a->looked = true;
	for (size_t i = 0; h && i < HEIRS && a->others_n < OTHERS; i++) {
		const int pid = __atomic_load_n(&h->at[i].pid, __ATOMIC_ACQUIRE);
		uint64_t its;

		if (pid <= 0 || pid == self_pid || sys_call(SYS_kill, pid, 0) == -ESRCH)
			continue;
		if (!mine)
			mine = image(a, self_pid);
		its = image(a, pid);
		if (its)
			a->others[a->others_n++] = (struct other){h->at[i], its == mine};
	}
	if (a->others_n)
		h->left[__atomic_fetch_add(&h->next_left, 1, __ATOMIC_RELAXED) % LEFT] = self_pid;
}

/* Has a process that lives on what fd is?  One that still runs this program had it, and what became
 * of it is for that one to say; in another program it is there, or not. */
static bool has_heir(struct area *a, int fd, const struct record *r)
{
	const int made_by = maker(r);
	struct stat mine, its;
	char name[32];
	struct str s = {name, name + sizeof name};

	if (!a->looked)
		look(a);
	str_puts(&s, "/fd/");
	str_num(&s, (unsigned)fd);
	for (unsigned i = 0; i < a->others_n; i++) {
		const struct other *o = &a->others[i];

		if (o->heir.by == made_by ? r->serial > o->heir.serial : o->heir.generation <= r->generation)
			continue; /* made after that fork, or in another branch */
		if (o->same)
			return true;
		if (a->asked++ < ASKED && sys_fstat(fd, &mine) == 0 &&
			sys_fstatat(AT_FDCWD, proc_path(a->room, sizeof a->room, o->heir.pid, name), &its, 0) == 0 &&
			its.st_dev == mine.st_dev && its.st_ino == mine.st_ino)
			return true;
	}
	return false;
}

/* Is this process an heir of that one? */
static bool is_heir(int pid)
{
	const struct heirs *h = __atomic_load_n(&heirs, __ATOMIC_ACQUIRE);

	for (size_t i = 0; h && pid && i < LEFT && h->left[i]; i++)
		if (h->left[i] == pid)
			return true;
	return false;
}

/* Left open by this process, of its own making, or that of one whose heir it is? */
static bool is_left(struct area *a, int fd, const struct record *r)
{
	if (r->flags & (RECORD_INHERITED | RECORD_OTHER) || fd <= 2 ||
		(r->flags & RECORD_FORKED && !is_heir(maker(r))) || sys_fcntl(fd, F_GETFD, 0) < 0 ||
		!fdpolicy_is(fd, r->class))
		return false;
	/* what a shell keeps for itself: its script, its saved copies, its terminal */
	if (config()->shell && fd >= 10 && sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC)
		return false;
	return !has_heir(a, fd, r);
}

static int64_t exit_key(struct area *a, int fd, const struct record *r)
{
	return is_left(a, fd, r) ? (int64_t)r->stack : KEY_NONE;
}

void report_exit(int status)
{
	enum { EXIT_MOST = 1024 };
	unsigned long left = 0;
	int64_t after = KEY_NONE;
	unsigned behind;
	struct event e;
	struct area *a;
	bool more;

	if (who() != WHO_SELF || __atomic_exchange_n(&ended, true, __ATOMIC_RELAXED))
		return;
	behind = kept.n ? 0 : __atomic_exchange_n(&held, 0, __ATOMIC_ACQ_REL);
	report_flush();
	a = behind ? &areas[0] : area_take();
	if (!a)
		return;
	a->looked = false;
	a->others_n = a->asked = 0;
	do {
		more = gather(a, after, exit_key);
		for (size_t i = 0; i < a->n; i++) {
			const struct site_group *g = &a->groups[i];

			if (behind)
				event_write(a->line, behind);
			behind = 0;
			begin(&e, a, WHO_SELF, "never-closed");
			event_time(&e, "oldest", g->oldest);
			event_time(&e, "newest", g->newest);
			put_group(&e, a, g);
			event_send(&e);
			left += g->count;
			after = (int64_t)g->key;
		}
	} while (more);
	if (announced) {
		if (behind > EVENT_SIZE - EXIT_MOST) {
			event_write(a->line, behind);
			behind = 0;
		}
		event_begin_behind(&e, a->line, behind, "exit");
		if (status == REPORT_UNKNOWN)
			event_text(&e, "status", NULL);
		else
			event_number(&e, "status", status & 0xff);
		event_number(&e, "made", (long)record_made_count());
		event_number(&e, "open", (long)left);
		event_write(a->line, behind + event_end(&e));
	}
	area_give(a);
}

/* on_exit(3), glibc's alone, knows the status; what was registered first runs last, behind the
 * destructors of all libraries. */
BESIDE static bool by_on_exit;

static void on_end(int status, void *arg)
{
	(void)arg;
	report_exit(status);
}

__attribute__((destructor)) static void end(void)
{
	if (record_on && !by_on_exit)
		report_exit(REPORT_UNKNOWN);
}

/* -- the beginning ----------------------------------------------------------------------------- */

bool report_launched(void)
{
	if (record_on)
		return true;
	if (!run)
		run_start();
	if (event_start(config()->report, NULL) < 0)
		return false;
	self_pid = makers[0] = sys_getpid();
	announced = true; /* the program is what a report is about */
	return record_start(self_pid) == 0;
}

void report_start(char *const argv[])
{
	const struct config *c = config();
	int (*on_exit)(void (*)(int, void *), void *);
	const char *fds = "", *sink;
	struct area *a;

	if (!c->report || !*c->report || c->note_launch)
		return;
	if (c->note_trace)
		fds = note_take(c->note_trace);
	for (sink = fds; *sink && *sink != ';'; sink++)
		;
	if (*sink)
		sink++;
	if (!run)
		run_start();
	report_noted = true;
	if (event_start(c->report, c->note_trace && *sink != 'n' ? sink : NULL) < 0)
		return;
	self_pid = makers[0] = sys_getpid();
	start_keep(argv);
	if (record_start(self_pid) < 0) {
		SAY("report: out of memory; nothing is reported");
		return;
	}
	snapshot_start();
	if (!c->musl) {
		on_exit = (int (*)(void (*)(int, void *), void *))real_find("on_exit");
		by_on_exit = on_exit && on_exit(on_end, NULL) == 0;
	}
	a = area_take();
	if (a) {
		announce_later(a);
		inherited(a, fds);
		if (!held)
			area_give(a);
	}
}
