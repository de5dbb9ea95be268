/* SPDX-License-Identifier: ISC
 *
 * When which event is written, and about which descriptors: the one file that joins who opened a
 * descriptor with which exec it leaks into. */
#include "report.h"
#include "config.h"
#include "env.h"
#include "guest/guest.h"
#include "state.h"
#include "wrap.h"
#include <netinet/in.h>
#include <sys/un.h>

enum { CHAIN_MAX = 8, LIST_MAX = 40, SNAPSHOT_DEFAULT = 63 };

static uint64_t run;
static int announced;        /* the process that has a start event */
static int exit_reported;
static char chain[600];      /* "pid:prog,pid:prog": ancestors, nearest first */
static uint32_t *counts;     /* of each stack; for tally() alone */
static int counts_owner, line_owner;
static uint32_t tables, execs;
static int snapshot_signal;
static int start_euid = -1;

uint64_t report_run(void)
{
	return run;
}

/* -- one at a time ----------------------------------------------------------------------------- */

/* Taken by a process's id: a child of fork that finds its parent's takes it over.  False when it
 * stays busy: then the event is lost rather than the program held up. */
static bool claim(int *owner)
{
	const int me = sys_getpid();

	for (unsigned tries = 0; tries < 2000; tries++) {
		int was = 0;

		if (__atomic_compare_exchange_n(owner, &was, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
		if (was != me && record_fork_missed() &&
			__atomic_compare_exchange_n(owner, &was, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
		sys_call(SYS_sched_yield);
	}
	return false;
}

static void release(int *owner)
{
	__atomic_store_n(owner, 0, __ATOMIC_RELEASE);
}

static char line[EVENT_SIZE];

/* -- what a descriptor is -------------------------------------------------------------------- */

static void put_port(struct str *s, unsigned port)
{
	str_puts(s, ":");
	str_num(s, (port & 0xff) << 8 | port >> 8);
}

static void put_address(struct str *s, const struct sockaddr_storage *a, socklen_t n)
{
	const struct sockaddr_in *v4 = (const void *)a;
	const struct sockaddr_in6 *v6 = (const void *)a;
	const struct sockaddr_un *un = (const void *)a;
	const unsigned char *b;

	if (n < sizeof a->ss_family)
		return;
	switch (a->ss_family) {
	case AF_INET:
		b = (const unsigned char *)&v4->sin_addr;
		for (size_t i = 0; i < 4; i++) {
			str_num(s, b[i]);
			if (i < 3)
				str_puts(s, ".");
		}
		put_port(s, v4->sin_port);
		break;
	case AF_INET6:
		b = (const unsigned char *)&v6->sin6_addr;
		str_puts(s, "[");
		for (size_t i = 0; i < 16; i++) {
			if (i && i % 2 == 0)
				str_puts(s, ":");
			str_put(s, &"0123456789abcdef"[b[i] >> 4], 1);
			str_put(s, &"0123456789abcdef"[b[i] & 15], 1);
		}
		str_puts(s, "]");
		put_port(s, v6->sin6_port);
		break;
	case AF_UNIX:
		if (n > offsetof(struct sockaddr_un, sun_path)) {
			const size_t len = n - offsetof(struct sockaddr_un, sun_path);

			if (un->sun_path[0])
				str_put(s, un->sun_path, len && !un->sun_path[len - 1] ? len - 1 : len);
			else {
				str_puts(s, "@");
				str_put(s, un->sun_path + 1, len - 1);
			}
		}
		break;
	}
}

/* What the kernel calls descriptor fd, in guest terms; false when it is not open. */
static bool what(int fd, char *text, size_t size)
{
	struct str s = {text, text + size}, g;
	const struct view *v = state_view();
	char link[40], name[512], guest[PATH_MAX];
	struct str l = {link, link + sizeof link};
	struct sockaddr_storage a;
	socklen_t n;
	int type = 0, listening = 0, domain = 0;
	long len;

	text[0] = '\0';
	str_puts(&l, "/proc/self/fd/");
	str_num(&l, (unsigned long)fd);
	len = sys_readlinkat(AT_FDCWD, link, name, sizeof name - 1);
	if (len < 0) {
		str_puts(&s, "?");
		return sys_fcntl(fd, F_GETFD, 0) >= 0;
	}
	name[len] = '\0';
	if (!mem_after(name, "socket:")) {
		g = (struct str){guest, guest + sizeof guest};
		if (v && name[0] == '/' && place_guest(v, name, &g) == 0 && g.at)
			str_puts(&s, strlen(guest) < size ? guest : "...");
		else
			str_put(&s, name, strlen(name) < size ? strlen(name) : size - 1);
		return true;
	}
	n = sizeof type;
	sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &n);
	n = sizeof domain;
	sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
	n = sizeof listening;
	sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n);
	str_puts(&s, "socket:[");
	str_puts(&s, domain == AF_UNIX ? "unix" : domain == AF_NETLINK ? "netlink"
			     : domain == AF_INET || domain == AF_INET6
			? (type == SOCK_STREAM ? "tcp" : type == SOCK_DGRAM ? "udp" : "ip")
			: "other");
	if (domain == AF_UNIX || domain == AF_INET || domain == AF_INET6) {
		n = sizeof a;
		str_puts(&s, " ");
		if (guest_getsockname(fd, (struct sockaddr *)&a, &n) == 0 && n <= sizeof a)
			put_address(&s, &a, n);
		n = sizeof a;
		if (listening) {
			str_puts(&s, " listening");
		} else if (guest_getpeername(fd, (struct sockaddr *)&a, &n) == 0 && n <= sizeof a) {
			str_puts(&s, " to ");
			put_address(&s, &a, n);
		}
	}
	str_puts(&s, "]");
	if (!s.at)
		memcpy(text, "socket", 7);
	return true;
}

/* Does the kernel's kind of file fit the call that the record tells of?  Else it is stale. */
static bool fits(int fd, const struct record *r)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return false;
	switch (r->class) {
	case FD_SOCKET:
	case FD_PAIR:
	case FD_ACCEPT:
		return S_ISSOCK(st.st_mode);
	case FD_PIPE:
		return S_ISFIFO(st.st_mode);
	default:
		return true;
	}
}

static const char *const class_names[FD_CLASSES] = {[FD_OPEN] = "open", [FD_PIPE] = "pipe",
	[FD_DUP] = "dup", [FD_SOCKET] = "socket", [FD_PAIR] = "pair", [FD_ACCEPT] = "accept",
	[FD_RECV] = "recv", [FD_EVENT] = "event", [FD_MEMORY] = "memory", [FD_PTY] = "pty",
	[FD_STREAM] = "stream"};

static void one_fd(struct event *e, int fd, const struct record *r)
{
	char text[PATH_MAX / 4];

	what(fd, text, sizeof text);
	event_open(e, NULL, '{');
	event_number(e, "fd", fd);
	event_text(e, "what", text);
	if (r->text[0] && !mem_equal(r->text, text))
		event_text(e, "args", r->text);
	if (r->when)
		event_time(e, "t", r->when);
	if (r->tid)
		event_number(e, "tid", r->tid);
	event_close(e, '}');
}

/* -- the process ----------------------------------------------------------------------------- */

static void put_argv(struct event *e, char *const argv[])
{
	event_open(e, "argv", '[');
	for (size_t i = 0; argv && argv[i] && i < 8; i++) {
		char text[201];
		long n = place_strlen(argv[i], 200);

		if (n < 0 && n != -ENAMETOOLONG)
			break;
		n = n < 0 ? 200 : n;
		memcpy(text, argv[i], (size_t)n);
		text[n] = '\0';
		event_text(e, NULL, text);
	}
	event_close(e, ']');
}

static const char *mode_name(void)
{
	const enum config_cloexec c = config()->cloexec;

	return c == CONFIG_CLOEXEC_REPORT ? "report" : c == CONFIG_CLOEXEC_OFF ? "off" : "force";
}

/* argv as the kernel has it: the program may have written over its own. */
static void put_cmdline(struct event *e)
{
	char text[1600], *at = text, *argv[9];
	long n = 0;
	size_t k = 0;
	int fd = sys_openat(AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);

	if (fd >= 0) {
		n = sys_read(fd, text, sizeof text - 1);
		sys_close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	for (; k < 8 && n > 0 && at < text + n; at += strlen(at) + 1)
		argv[k++] = at;
	argv[k] = NULL;
	put_argv(e, argv);
}

static void announce(char *const argv[])
{
	const struct config *c = config();
	const struct view *v = state_view();
	const int pid = sys_getpid();
	char exe[PATH_MAX];
	struct event e;
	long n;

	if (!record_mine() || announced == pid)
		return;
	announced = pid;
	n = c->note_exe ? 0 : sys_readlinkat(AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);
	exe[n > 0 ? n : 0] = '\0';
	event_begin(&e, line, "start");
	event_text(&e, "exe", c->note_exe ? c->note_exe : exe);
	event_number(&e, "ppid", sys_call(SYS_getppid));
	event_text(&e, "root", v && v->host_len ? v->host : NULL);
	event_text(&e, "mode", mode_name());
	if (snapshot_signal)
		event_number(&e, "snapshot", snapshot_signal);
	event_text(&e, "libjail", c->lib);
	if (argv)
		put_argv(&e, argv);
	else
		put_cmdline(&e);
	event_send(&e);
}

/* A line of the process begins: it has a start event, and the buffer. */
static bool begin(struct event *e, const char *type)
{
	if (record_fork_missed())
		report_forked();
	if (!claim(&line_owner))
		return false;
	announce(NULL);
	event_begin(e, line, type);
	return true;
}

static void finish(struct event *e)
{
	event_send(e);
	release(&line_owner);
}

/* -- groups by call site --------------------------------------------------------------------- */

/* Which descriptors count: given the number, its record; false: not this one. */
typedef bool choose(int fd, const struct record *r, void *arg);

static size_t tally(choose *wanted, void *arg)
{
	const uint32_t n = stack_count();
	struct record r;
	size_t groups = 0;

	memset(counts, 0, (n + 1) * sizeof *counts);
	for (int fd = record_next(3); fd >= 0; fd = record_next(fd + 1)) {
		record_get(fd, &r);
		if (r.state == RECORD_OPEN && r.stack <= n && wanted(fd, &r, arg) && counts[r.stack]++ == 0)
			groups++;
	}
	return groups;
}

/* The largest group that is left, taken out; its size to *ret_count. */
static uint32_t largest(uint32_t *ret_count)
{
	const uint32_t n = stack_count();
	uint32_t best = 0;

	for (uint32_t i = 1; i <= n; i++)
		if (counts[i] > counts[best])
			best = i;
	*ret_count = counts[best];
	counts[best] = 0;
	return best;
}

/* "count", "class", the site, "fds" of a group. */
static void group(struct event *e, uint32_t stack, uint32_t count, size_t frames, choose *wanted, void *arg)
{
	struct record r;
	uint32_t left = count;
	uint64_t oldest = 0, newest = 0;
	bool first = true, stop = false;

	event_number(e, "count", count);
	event_stack(e, stack, frames);
	for (int fd = record_next(3); fd >= 0 && left && !stop; fd = record_next(fd + 1)) {
		record_get(fd, &r);
		if (r.state != RECORD_OPEN || r.stack != stack || !wanted(fd, &r, arg))
			continue;
		left--;
		if (first) {
			event_text(e, "class", r.flags & RECORD_INHERITED ? "inherited" : class_names[r.class]);
			if (event_room(e) < 400) {
				e->cut = true;
				return;
			}
			event_open(e, "fds", '[');
			first = false;
		}
		oldest = oldest && oldest < r.when ? oldest : r.when;
		newest = newest > r.when ? newest : r.when;
		if (event_room(e) < 500)
			stop = true; /* "count" tells how many there are */
		else
			one_fd(e, fd, &r);
	}
	if (!first) {
		event_close(e, ']');
		event_time(e, "oldest", oldest);
		event_time(e, "newest", newest);
	}
}

static bool really_open(int fd, const struct record *r, void *arg)
{
	(void)arg;
	return fd > 2 && sys_fcntl(fd, F_GETFD, 0) >= 0 && fits(fd, r);
}

static bool as_recorded(int fd, const struct record *r, void *arg)
{
	(void)r;
	(void)arg;
	return fd > 2;
}

/* Ours alone and never closed. */
static bool left_open(int fd, const struct record *r, void *arg)
{
	return !(r->flags & (RECORD_FORKED | RECORD_INHERITED | RECORD_OTHER)) && really_open(fd, r, arg);
}

static void table(const char *why, uint32_t number, size_t groups, size_t most, choose *wanted)
{
	struct event e;

	for (size_t rank = 1; rank <= groups && rank <= most; rank++) {
		uint32_t count, stack = largest(&count);

		if (!count || !begin(&e, "table"))
			return;
		event_number(&e, "table", number);
		event_text(&e, "why", why);
		event_number(&e, "rank", (long long)rank);
		group(&e, stack, count, UNWIND_FRAMES, wanted, NULL);
		finish(&e);
	}
}

static long limit_now(void)
{
	struct rlimit l;

	return sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &l) == 0 ? (long)l.rlim_cur : -1;
}

void report_full(long error, uint32_t stack)
{
	static uint64_t last;
	static uint32_t missed;
	struct timespec t = {0};
	struct event e;
	uint32_t number;
	size_t groups;

	sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	if (last && (uint64_t)t.tv_sec < last + 1) {
		__atomic_add_fetch(&missed, 1, __ATOMIC_RELAXED);
		return;
	}
	if (!claim(&counts_owner))
		return;
	last = (uint64_t)t.tv_sec + !t.tv_sec;
	groups = tally(as_recorded, NULL);
	number = __atomic_add_fetch(&tables, 1, __ATOMIC_RELAXED);
	if (begin(&e, "emfile")) {
		event_text(&e, "error", error == ENFILE ? "ENFILE" : "EMFILE");
		event_number(&e, "limit", limit_now());
		event_number(&e, "open", (long long)record_open_count());
		event_number(&e, "table", number);
		event_number(&e, "groups", (long long)groups);
		event_number(&e, "missed", __atomic_exchange_n(&missed, 0, __ATOMIC_RELAXED));
		event_stack(&e, stack, UNWIND_FRAMES);
		finish(&e);
	}
	table("emfile", number, groups, 10, as_recorded);
	release(&counts_owner);
}

void report_snapshot(void)
{
	struct event e;
	uint32_t number;
	size_t groups;

	if (!record_on || !record_mine() || !claim(&counts_owner))
		return;
	groups = tally(really_open, NULL);
	number = __atomic_add_fetch(&tables, 1, __ATOMIC_RELAXED);
	if (begin(&e, "snapshot")) {
		event_number(&e, "open", (long long)record_open_count());
		event_number(&e, "table", number);
		event_number(&e, "groups", (long long)groups);
		event_number(&e, "limit", limit_now());
		finish(&e);
	}
	table("snapshot", number, groups, groups, really_open);
	release(&counts_owner);
}

/* -- bad closes ------------------------------------------------------------------------------ */

static void site(struct event *e, const char *name, uint32_t stack)
{
	if (!stack_at(stack) || event_room(e) < 800)
		return;
	event_open(e, name, '{');
	event_stack(e, stack, 6);
	event_close(e, '}');
}

static void bad_close(const char *kind, int fd, uint32_t closer, const struct record *r)
{
	struct event e;

	if (!begin(&e, "bad-close"))
		return;
	event_text(&e, "kind", kind);
	event_number(&e, "fd", fd);
	if (r->text[0])
		event_text(&e, "args", r->text);
	site(&e, "closer", closer);
	if (r->state != RECORD_NONE)
		site(&e, "made", r->stack);
	if (r->state == RECORD_CLOSED)
		site(&e, "closed", r->closed_stack);
	finish(&e);
}

/* Programs close whatever may be open, number by number.  So a close that failed waits for the next
 * one: the same caller with a higher number nearby is such a loop, and no mistake. */
static struct pending {
	int owner, fd; /* fd < 0: none */
	uint32_t closer, loop;
} pending = {.fd = -1};

static void pending_flush(void)
{
	struct pending p = pending;
	struct record r;

	pending.fd = -1;
	if (p.fd < 0 || p.closer == p.loop)
		return;
	record_get(p.fd, &r);
	if (state_owns(p.fd))
		bad_close("internal", p.fd, p.closer, &(struct record){0});
	else if (r.state != RECORD_OPEN) /* else it has been made anew */
		bad_close(r.state == RECORD_CLOSED ? "double" : "not-open", p.fd, p.closer, &r);
}

void report_bad_close(int fd, struct record_closing closing, bool failed)
{
	struct record r;

	if (fd < 0)
		return;
	if (!failed) {
		record_get(fd, &r);
		r.state = RECORD_OPEN; /* it was */
		bad_close(closing.flags & RECORD_DIR ? "directory" : "stream", fd, closing.stack, &r);
		return;
	}
	if (!claim(&pending.owner))
		return;
	if (pending.fd >= 0 && pending.closer == closing.stack && fd > pending.fd && fd - pending.fd <= 64)
		pending.loop = closing.stack;
	else
		pending_flush();
	pending.fd = fd;
	pending.closer = closing.stack;
	release(&pending.owner);
}

/* -- exec ------------------------------------------------------------------------------------ */

enum why { WHY_NONE, WHY_LEAK, WHY_MEANT, WHY_SHELL, WHY_SKIP, WHY_RULE, WHY_KEEP /* + enum fd_keep */ };

static const char *const why_names[] = {[WHY_MEANT] = "meant", [WHY_SHELL] = "shell", [WHY_SKIP] = "skip",
	[WHY_RULE] = "rule", [WHY_KEEP + FD_KEEP_SAMEPID] = "samepid", [WHY_KEEP + FD_KEEP_SELFEXE] = "selfexe",
	[WHY_KEEP + FD_KEEP_TABLE] = "table", [WHY_KEEP + FD_KEEP_ARGV] = "argv",
	[WHY_KEEP + FD_KEEP_ENV] = "env", [WHY_KEEP + FD_KEEP_FIFO] = "fifo",
	[WHY_KEEP + FD_KEEP_NUMBER] = "number", [WHY_KEEP + FD_KEEP_RULE] = "rule"};

struct exec {
	const char *program;
	enum fd_keep all;
	unsigned char mentioned[1024]; /* enum fd_keep of each low number */
	enum why now;                  /* what is being listed */
};

static void mention(void *arg, int fd, enum fd_keep keep)
{
	struct exec *x = arg;

	if (fd >= 0 && fd < (int)sizeof x->mentioned && !x->mentioned[fd])
		x->mentioned[fd] = (unsigned char)keep;
}

static enum why why_of(const struct exec *x, int fd, const struct record *r)
{
	const bool force = config()->cloexec == CONFIG_CLOEXEC_FORCE;
	enum fd_keep keep;
	struct stat st;
	int flags;

	if (fd <= 2 || r->flags & (RECORD_INHERITED | RECORD_ASKED) || record_child_has_changed(fd) ||
		(flags = sys_fcntl(fd, F_GETFD, 0)) < 0 || !fits(fd, r))
		return WHY_NONE;
	if (r->flags & RECORD_MEANT)
		return flags & FD_CLOEXEC ? WHY_NONE : WHY_MEANT;
	switch (r->verdict) {
	case FD_FORCE:
		break;
	case FD_SHELL:
		return flags & FD_CLOEXEC ? WHY_NONE : WHY_SHELL;
	case FD_SKIP:
		return flags & FD_CLOEXEC ? WHY_NONE : WHY_SKIP;
	case FD_RULE:
		return flags & FD_CLOEXEC ? WHY_NONE : WHY_RULE;
	default:
		return WHY_NONE;
	}
	if (flags & FD_CLOEXEC)
		return force ? WHY_LEAK : WHY_NONE;
	keep = fdpolicy_keep_number(fd) ? FD_KEEP_NUMBER : x->all;
	if (keep == FD_KEEP_NOT)
		keep = fdpolicy_keep_rule(r->class, x->program);
	if (keep == FD_KEEP_NOT && fd < (int)sizeof x->mentioned)
		keep = (enum fd_keep)x->mentioned[fd];
	if (keep == FD_KEEP_FIFO && (sys_fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)))
		keep = FD_KEEP_NOT;
	return keep == FD_KEEP_NOT ? WHY_LEAK : (enum why)(WHY_KEEP + keep);
}

static bool of_this_why(int fd, const struct record *r, void *arg)
{
	const struct exec *x = arg;

	return why_of(x, fd, r) == x->now;
}

static void put_chain(struct event *e)
{
	const struct config *c = config();
	const char *at = chain;

	event_open(e, "chain", '[');
	if (c->pid != sys_getpid()) { /* a fork of the process that was executed */
		event_open(e, NULL, '{');
		event_number(e, "pid", c->pid);
		event_text(e, "prog", c->program);
		event_close(e, '}');
	}
	while (*at && event_room(e) > 1500) {
		char name[64];
		struct str s = {name, name + sizeof name};
		long pid = 0;

		for (; *at >= '0' && *at <= '9'; at++)
			pid = pid * 10 + *at - '0';
		if (*at++ != ':')
			break;
		for (name[0] = '\0'; *at && *at != ','; at++)
			str_put(&s, at, 1);
		at += *at == ',';
		event_open(e, NULL, '{');
		event_number(e, "pid", pid);
		event_text(e, "prog", name);
		event_close(e, '}');
	}
	event_close(e, ']');
}

/* One line a call site, for all that stay open, or do not, for this reason. */
static void exec_list(struct exec *x, unsigned number, char *const argv[])
{
	const bool force = config()->cloexec == CONFIG_CLOEXEC_FORCE;
	size_t groups = tally(of_this_why, x);
	struct event e;

	for (; groups; groups--) {
		uint32_t count, stack = largest(&count);

		if (!count || !begin(&e, x->now != WHY_LEAK ? "exec-kept" : force ? "stopped" : "exec-leak"))
			return;
		event_number(&e, "exec", number);
		event_text(&e, "target", x->program);
		if (x->now != WHY_LEAK)
			event_text(&e, "why", why_names[x->now]);
		put_argv(&e, argv);
		put_chain(&e);
		group(&e, stack, count, UNWIND_FRAMES, of_this_why, x);
		finish(&e);
	}
}

unsigned report_exec(const char *program, char *const argv[], char *const envp[])
{
	struct exec x = {.program = program && place_strlen(program, PATH_MAX) >= 0 ? program : "?"};
	unsigned present = 0, number;
	bool some = false;
	enum why why;
	struct record r;

	if (config()->note_launch)
		return 0;
	if (record_fork_missed())
		report_forked();
	if (record_mine() && pending.fd >= 0 && claim(&pending.owner)) {
		pending_flush();
		release(&pending.owner);
	}
	if (record_next(3) < 0 || !claim(&counts_owner))
		return 0;
	for (int fd = record_next(3); fd >= 0 && !some; fd = record_next(fd + 1)) {
		record_get(fd, &r);
		some = r.state == RECORD_OPEN && !(r.flags & (RECORD_INHERITED | RECORD_ASKED));
	}
	if (!some) { /* the usual case: nothing that an exec could leak */
		release(&counts_owner);
		return 0;
	}
	x.all = fdpolicy_keep(program);
	fdpolicy_mentions(argv, envp, mention, &x);
	for (int fd = record_next(3); fd >= 0; fd = record_next(fd + 1)) {
		record_get(fd, &r);
		if (r.state == RECORD_OPEN && (why = why_of(&x, fd, &r)) != WHY_NONE)
			present |= 1u << why;
	}
	number = present ? __atomic_add_fetch(&execs, 1, __ATOMIC_RELAXED) : 0;
	for (why = WHY_LEAK; present; why++)
		if (present & 1u << why) {
			x.now = why;
			exec_list(&x, number, argv);
			present &= ~(1u << why);
		}
	release(&counts_owner);
	return number;
}

static const char *error_name(long error)
{
	switch (error) {
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
	case EPERM:
		return "EPERM";
	case ETXTBSY:
		return "ETXTBSY";
	default:
		return "other";
	}
}

void report_exec_failed(unsigned exec, long error)
{
	struct event e;

	if (!exec || !begin(&e, "exec-failed"))
		return;
	event_number(&e, "exec", exec);
	event_text(&e, "error", error_name(error));
	finish(&e);
}

/* run ; our descriptor or - ; pid:prog,... ; fd=site@pid,... */
void report_note(char *buf, size_t n)
{
	struct str s = {buf, buf + n};
	const struct config *c = config();
	bool first = true;
	struct record r;
	size_t listed = 0;
	char *mark;

	buf[0] = '\0';
	if (!record_on)
		return;
	for (unsigned i = 16; i; i--)
		str_put(&s, &"0123456789abcdef"[run >> (i - 1) * 4 & 15], 1);
	str_puts(&s, ";");
	/* who has changed its identity may not be able to open the file again */
	if (event_fd >= 0 && c->report && (mem_after(c->report, "fd:") ||
						   (int)sys_call(SYS_geteuid) != start_euid)) {
		str_num(&s, (unsigned long)event_fd);
		sys_fcntl(event_fd, F_SETFD, 0);
	} else {
		str_puts(&s, "-");
	}
	str_puts(&s, ";");
	if (!c->note_launch) {
		str_num(&s, (unsigned long)c->pid);
		str_puts(&s, ":");
		for (const char *p = c->program; *p; p++)
			str_put(&s, *p == ',' || *p == ';' || *p == ':' ? "_" : p, 1);
		if (chain[0] && strlen(chain) + 1000 < (size_t)(s.end - s.at)) {
			str_puts(&s, ",");
			str_puts(&s, chain);
		}
	}
	str_puts(&s, ";");
	for (int fd = record_next(3); fd >= 0 && listed < LIST_MAX; fd = record_next(fd + 1)) {
		int flags = sys_fcntl(fd, F_GETFD, 0);

		record_get(fd, &r);
		if (flags < 0 || (flags & FD_CLOEXEC && !fdpolicy_forced(fd)) || r.state != RECORD_OPEN ||
			record_child_has_changed(fd))
			continue;
		mark = s.at;
		if (!first)
			str_puts(&s, ",");
		str_num(&s, (unsigned long)fd);
		str_puts(&s, "=");
		{
			const uint64_t origin = r.flags & RECORD_INHERITED ? r.origin : event_site(r.stack);

			for (unsigned i = 16; i; i--)
				str_put(&s, &"0123456789abcdef"[origin >> (i - 1) * 4 & 15], 1);
		}
		str_puts(&s, "@");
		str_num(&s, (unsigned long)(r.flags & RECORD_INHERITED ? r.origin_pid : c->pid));
		if (!s.at) { /* full: the rest goes without */
			*mark = '\0';
			return;
		}
		first = false;
		listed++;
	}
	if (!s.at)
		buf[0] = '\0';
}

void report_note_undo(void)
{
	if (event_fd >= 0)
		sys_fcntl(event_fd, F_SETFD, FD_CLOEXEC);
}

/* -- start and end --------------------------------------------------------------------------- */

static uint64_t take_hex(const char **at)
{
	uint64_t n = 0;

	for (; (**at >= '0' && **at <= '9') || (**at >= 'a' && **at <= 'f'); ++*at)
		n = n * 16 + (uint64_t)(**at <= '9' ? **at - '0' : **at - 'a' + 10);
	return n;
}

static long take_number(const char **at)
{
	long n = 0;

	for (; **at >= '0' && **at <= '9' && n < 1L << 40; ++*at)
		n = n * 10 + **at - '0';
	return n;
}

/* What the process had when it started; notes: "fd=site@pid,..." of the one that executed it. */
static void inherited(const char *notes)
{
	enum { PIECE = 1024 - 3, LAST = 1024 };
	struct pollfd p[PIECE];
	struct event e;
	bool any = false, room = true;
	char text[PATH_MAX / 4];

	for (int from = 3; from < LAST; from += PIECE) {
		long n;

		for (int i = 0; i < PIECE; i++)
			p[i] = (struct pollfd){.fd = from + i};
		n = sys_call(SYS_ppoll, p, PIECE, &(struct timespec){0}, NULL, 8);
		if (n < 0)
			break; /* RLIMIT_NOFILE is lower: there is nothing */
		for (int i = 0; i < PIECE; i++) {
			const int fd = from + i;
			uint64_t origin = 0;
			long pid = 0;

			if (p[i].revents & POLLNVAL || state_owns(fd))
				continue;
			for (const char *at = notes; at && *at; at += *at == ',') {
				const long number = take_number(&at);
				uint64_t o = 0;
				long by = 0;

				if (*at == '=') {
					at++;
					o = take_hex(&at);
				}
				if (*at == '@') {
					at++;
					by = take_number(&at);
				}
				if (number == fd) {
					origin = o;
					pid = by;
				}
				if (*at && *at != ',')
					break;
			}
			record_inherited(fd, origin, (int)pid, sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC);
			if (config()->note_launch)
				continue;
			if (!any) {
				if (!begin(&e, "inherited"))
					return;
				any = true;
				event_number(&e, "from", sys_call(SYS_getppid));
				event_open(&e, "fds", '[');
			}
			if (!room || event_room(&e) < 600) {
				room = false;
				e.cut = true;
				continue;
			}
			what(fd, text, sizeof text);
			event_open(&e, NULL, '{');
			event_number(&e, "fd", fd);
			event_text(&e, "what", text);
			if (origin)
				event_hex(&e, "site", origin);
			if (pid)
				event_number(&e, "made_by", pid);
			event_close(&e, '}');
		}
	}
	if (any) {
		event_close(&e, ']');
		finish(&e);
	}
}

/* -- on demand ------------------------------------------------------------------------------- */

struct kernel_action { /* rt_sigaction(2), as the kernel has it */
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static void snapshot_wanted(int sig)
{
	(void)sig;
	report_snapshot();
}

#if defined(__x86_64__)
void report_sigreturn(void);
__asm__(".pushsection .text\n\t.local report_sigreturn\n\t.type report_sigreturn, %function\n"
	"report_sigreturn:\n\tmov $15, %rax\n\tsyscall\n\t.size report_sigreturn, . - report_sigreturn\n\t"
	".popsection");
enum { RESTORER = 0x04000000 }; /* SA_RESTORER of asm/signal.h */
#else
#define report_sigreturn NULL
enum { RESTORER = 0 };
#endif

static void snapshot_arm(const char *word)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"HUP", SIGHUP}, {"QUIT", SIGQUIT},
		{"WINCH", SIGWINCH}, {"URG", SIGURG}, {"IO", SIGIO}, {"PWR", SIGPWR}, {"ALRM", SIGALRM}};
	const struct kernel_action set = {snapshot_wanted, SA_RESTART | RESTORER, report_sigreturn, 0};
	struct kernel_action was;
	const char *rest;
	int sig = SNAPSHOT_DEFAULT;

	if (word) {
		rest = mem_after(word, "SIG");
		rest = rest ? rest : word;
		sig = (int)take_number(&rest);
		for (size_t i = 0; !sig && i < ROWS(names); i++)
			if (mem_equal(rest, names[i].name))
				sig = names[i].number;
		if (sig < 1 || sig > 64 || sig == SIGKILL || sig == SIGSTOP) {
			SAY("LIBJAIL_SNAPSHOT=", word, ": no signal that can be caught; use SIGUSR2 or a number");
			return;
		}
	} else if (sys_call(SYS_rt_sigaction, sig, NULL, &was, 8) < 0 || was.handler != SIG_DFL) {
		return;
	}
	if (sys_call(SYS_rt_sigaction, sig, &set, NULL, 8) == 0)
		snapshot_signal = sig;
}

void report_start(char *const argv[])
{
	const struct config *c = config();
	const char *note = c->note_trace, *fds = NULL;
	int fd = -1;

	if (!c->report || !*c->report)
		return;
	counts = sys_pages((STACKS_MAX + 1) * sizeof *counts);
	if (!counts)
		return;
	if (note) {
		run = take_hex(&note);
		if (*note == ';')
			note++;
		if (*note >= '0' && *note <= '9')
			fd = (int)take_number(&note);
		while (*note && *note != ';')
			note++;
		if (*note == ';') {
			struct str s = {chain, chain + sizeof chain};
			const char *end = ++note;

			while (*end && *end != ';')
				end++;
			if ((size_t)(end - note) < sizeof chain)
				str_put(&s, note, (size_t)(end - note));
			fds = *end ? end + 1 : NULL;
		}
	}
	if (!run && sys_call(SYS_getrandom, &run, sizeof run, 1) != (long)sizeof run)
		run = (uint64_t)sys_getpid() << 32 | 1;
	if (fd >= 0 && sys_fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		event_adopt(fd, c->report);
	else if (event_start(c->report) < 0)
		return;
	start_euid = (int)sys_call(SYS_geteuid);
	if (record_start() < 0) {
		SAY("report: out of memory; nothing is reported");
		return;
	}
	if (!c->note_launch)
		snapshot_arm(c->snapshot);
	if (!c->note_launch && claim(&line_owner)) {
		announce(argv);
		release(&line_owner);
	}
	inherited(fds);
}

void report_forked(void)
{
	record_forked();
	release(&line_owner);
	release(&counts_owner);
	release(&pending.owner);
	pending.fd = -1;
	tables = execs = 0;
}

void report_exit(int status)
{
	const int pid = sys_getpid();
	struct event e;
	size_t groups, n = 0;

	if (!record_on || !record_mine() || config()->note_launch || exit_reported == pid)
		return;
	exit_reported = pid;
	if (record_fork_missed())
		report_forked();
	if (pending.fd >= 0 && claim(&pending.owner)) {
		pending_flush();
		release(&pending.owner);
	}
	if (!config()->shell && claim(&counts_owner)) {
		groups = tally(left_open, NULL);
		for (size_t i = 0; i < groups; i++) {
			uint32_t count, stack = largest(&count);

			if (!count || !begin(&e, "never-closed"))
				break;
			n += count;
			group(&e, stack, count, UNWIND_FRAMES, left_open, NULL);
			finish(&e);
		}
		release(&counts_owner);
	}
	if (announced != pid || !begin(&e, "exit"))
		return;
	if (status >= 0)
		event_number(&e, "status", status);
	event_number(&e, "made", (long long)record_made_count());
	event_number(&e, "open", (long long)n);
	finish(&e);
}

__attribute__((destructor)) static void end(void)
{
	report_exit(-1);
}
