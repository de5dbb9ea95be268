/* SPDX-License-Identifier: ISC
 *
 * How an event is spelt in JSON (RFC 8259) within one write, and which descriptor it goes down.  A
 * field that does not fit is taken back whole, so that a line can always be closed. */
#include "event.h"
#include "config.h"
#include "report.h"
#include "state.h"
#include "sys.h"
#include "sys/lock.h"
#include "wrap.h"
#include <elf.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>

enum { TAIL = 48 /* what closes any line: brackets, "cut", newline */, PATIENCE = 1 /* seconds */ };

int event_fd = -1;
BESIDE static enum { SINK_FILE, SINK_PIPE, SINK_SOCKET } sink;
BESIDE static const char *sink_path; /* absolute, to open again; NULL: only the descriptor leads there */
BESIDE static dev_t sink_dev;
BESIDE static ino_t sink_ino;
BESIDE static uid_t start_uid;
BESIDE static gid_t start_gid;
BESIDE static bool sink_said;
BESIDE static char host_name[65];

/* -- where it goes --------------------------------------------------------------------------- */

static int moved(int fd)
{
	int high = sys_fcntl(fd, F_DUPFD_CLOEXEC, state_fd_min());

	if (high < 0)
		return fd;
	sys_close(fd);
	return high;
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const size_t n = strlen(path);

	if (n >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, n);
	return (int)sys_call(SYS_connect, fd, &a, offsetof(struct sockaddr_un, sun_path) + n + 1);
}

static int connected(const char *path)
{
	const int fd = (int)sys_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const int r = fd < 0 ? fd : connect_to(fd, path);

	if (fd >= 0 && r < 0)
		sys_close(fd);
	return r < 0 ? r : fd;
}

/* A FIFO that nobody reads must not keep the program waiting: O_NONBLOCK, which means nothing to
 * a file.  Only the first program of a run makes a file: one that is gone was removed by somebody who does not want
 * it again, such as jailrun(1) its temporary one. */
static int opened(const char *where, bool make)
{
	const char *path = mem_after(where, "unix:");

	return path ? connected(path)
		    : sys_openat(AT_FDCWD, where,
			      O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (make ? O_CREAT : 0), 0666);
}

/* The decimal number at *s, which moves behind it; -1: none. */
static long number_at(const char **s)
{
	long n = **s >= '0' && **s <= '9' ? 0 : -1;

	for (; **s >= '0' && **s <= '9' && n < LONG_MAX / 10 - 9; ++*s)
		n = n * 10 + **s - '0';
	return n;
}

/* Was a process of the tree kept waiting in vain?  O_APPEND says so, which means nothing to a pipe or a socket: it belongs to
 * the open file, which all of them share (fcntl(2), F_SETFL). */
static bool slow_marked(int fd)
{
	const long flags = sys_fcntl(fd, F_GETFL, 0);

	return flags >= 0 && flags & O_APPEND;
}

static void slow_mark(int fd, bool slow)
{
	const long flags = sys_fcntl(fd, F_GETFL, 0);

	if (flags >= 0)
		sys_fcntl(fd, F_SETFL, slow ? flags | O_APPEND : flags & ~(long)O_APPEND);
}

/* What event_note() wrote, when the descriptor is still that file: it, or -EBADF. */
static int handed_over(const char *note)
{
	struct stat st;
	const long fd = number_at(&note);
	long dev, ino;

	if (fd < 0 || fd > INT_MAX || *note++ != '.' || (dev = number_at(&note)) < 0 || *note++ != '.' ||
		(ino = number_at(&note)) < 0)
		return -EBADF;
	if (sys_fstat((int)fd, &st) < 0 || st.st_dev != (dev_t)dev || st.st_ino != (ino_t)ino)
		return -EBADF;
	sys_fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	return (int)fd;
}

int event_start(const char *where, const char *note)
{
	const char *number = mem_after(where, "fd:"), *path = mem_after(where, "unix:");
	struct utsname u;
	struct stat st;
	bool handed;
	int fd;

	if (note && *note == 'q') { /* the program before has complained already */
		sink_said = true;
		note++;
	}
	fd = note && *note ? handed_over(note) : -EBADF;
	handed = fd >= 0;
	if (fd < 0 && number) {
		const long n = number_at(&number);

		fd = n < 0 || n > INT_MAX || *number
			     ? -EINVAL
			     : sys_fcntl((int)n, F_DUPFD_CLOEXEC, state_fd_min());
	} else if (fd < 0) {
		fd = opened(where, !note);
		if (fd >= 0)
			fd = moved(fd);
	}
	if (fd >= 0 && sys_fstat(fd, &st) < 0)
		fd = -EBADF;
	if (fd < 0) {
		if (!sink_said && !(note && !*note && !path && fd == -ENOENT))
			SAY("report ", where, ": ",
				fd == -ENOENT	      ? "no such directory or socket"
				: fd == -EACCES	      ? "permission denied"
				: fd == -EBADF	      ? "this descriptor is not open"
				: fd == -EINVAL	      ? "fd: wants a number"
				: fd == -ECONNREFUSED ? "nobody listens there"
				: fd == -ENXIO	      ? "nobody reads it"
						      : "cannot be opened",
				"; nothing is reported");
		return fd;
	}
	sink = S_ISSOCK(st.st_mode) ? SINK_SOCKET : S_ISREG(st.st_mode) ? SINK_FILE : SINK_PIPE;
	if (sink != SINK_FILE && !handed)
		slow_mark(fd, false); /* it was opened to append */
	sink_dev = st.st_dev;
	sink_ino = st.st_ino;
	/* a file that was handed over is handed on: a name that did not do before will not do after */
	sink_path = !number && !(handed && sink == SINK_FILE) && (path ? *path : *where) == '/' ? where : NULL;
	start_uid = (uid_t)getauxval(AT_EUID);
	start_gid = (gid_t)getauxval(AT_EGID);
	event_fd = fd;
	if (sys_call(SYS_uname, &u) == 0)
		memcpy(host_name, u.nodename, sizeof host_name - 1);
	return 0;
}

bool event_moved(int from, int to)
{
	return __atomic_compare_exchange_n(&event_fd, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

bool event_same(int fd)
{
	struct stat st;

	return event_fd >= 0 && sys_fstat(fd, &st) == 0 && st.st_dev == sink_dev && st.st_ino == sink_ino;
}

bool event_note(char *ret)
{
	struct str s = {ret, ret + EVENT_NOTE};

	*ret = '\0';
	if (event_fd < 0)
		return false;
	if (sink_said)
		str_puts(&s, "q");
	/* Another identity may not be allowed to open it.  A pipe's reader would see the end of it between two programs, and
	 * that a reader is slow is known by the descriptor. */
	if (sink_path && sink == SINK_FILE && (uid_t)sys_call(SYS_geteuid) == start_uid &&
		(gid_t)sys_call(SYS_getegid) == start_gid)
		return false;
	str_num(&s, (unsigned)event_fd);
	str_puts(&s, ".");
	str_num(&s, sink_dev);
	str_puts(&s, ".");
	str_num(&s, sink_ino);
	return s.at != NULL;
}

void event_keep(bool across_exec)
{
	if (event_fd >= 0 && event_same(event_fd))
		sys_fcntl(event_fd, F_SETFD, across_exec ? 0 : FD_CLOEXEC);
}

/* By its name, in the place of fd, which is not it any more. */
static int sink_again(int fd)
{
	struct stat st;
	int again = opened(sink_path, false);

	if (again < 0)
		return -1;
	again = moved(again);
	if (sys_fstat(again, &st) < 0) {
		sys_close(again);
		return -1;
	}
	sink_dev = st.st_dev;
	sink_ino = st.st_ino;
	if (!event_moved(fd, again)) { /* it makes way in another thread */
		sys_close(again);
		again = __atomic_load_n(&event_fd, __ATOMIC_ACQUIRE);
	}
	return again;
}

/* The program can close any number behind our back, and a file of its own may be there by now:
 * not into that one.  One thread opens it again, and the others have it then. */
static int sink_now(void)
{
	int fd = __atomic_load_n(&event_fd, __ATOMIC_ACQUIRE);
	uint64_t mask;

	if (fd < 0 || event_same(fd))
		return fd;
	if (!sink_path || !record_mine())
		return -1;
	mask = lock_take(LOCK_SINK);
	fd = __atomic_load_n(&event_fd, __ATOMIC_ACQUIRE);
	if (!event_same(fd))
		fd = sink_again(fd);
	lock_give(LOCK_SINK, mask);
	return fd;
}

/* write(2) may raise SIGPIPE, or SIGXFSZ, in a program that never wrote a thing: blocked, and taken
 * away again. */
static long write_quiet(int fd, const char *line, size_t n)
{
	const unsigned long set = 1UL << (SIGPIPE - 1) | 1UL << (SIGXFSZ - 1);
	const struct timespec at_once = {0};
	unsigned long old, pending = 0;
	long r;

	if (sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, sizeof set) < 0)
		return -EINTR;
	sys_call(SYS_rt_sigpending, &pending, sizeof pending);
	r = sys_write(fd, line, n);
	if ((r == -EPIPE || r == -EFBIG) && !(pending & set))
		sys_call(SYS_rt_sigtimedwait, &set, NULL, &at_once, sizeof set);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof old);
	return r;
}

static long writable(int fd, time_t seconds, short *ret)
{
	const struct timespec limit = {.tv_sec = seconds};
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	const long r = sys_call(SYS_ppoll, &p, 1, &limit, NULL, 0);

	*ret = p.revents;
	return r;
}

/* Waits until fd takes a line.  A reader that does not keep up costs events, not the program's time:
 * it is waited for once in the whole tree of processes, until it has caught up. */
static long wait_for(int fd)
{
	static bool slow;
	short got;
	long r = writable(fd, 0, &got);

	if (r == 0 && slow_marked(fd)) {
		__atomic_store_n(&sink_said, true, __ATOMIC_RELAXED); /* by the one that waited */
	} else if (r == 0) {
		r = writable(fd, PATIENCE, &got);
		if (r == 0)
			slow_mark(fd, true);
	} else if (r > 0 && UNLIKELY(__atomic_load_n(&slow, __ATOMIC_RELAXED))) {
		slow_mark(fd, false);
	}
	if (r < 0)
		return r;
	if (UNLIKELY(r == 0 || slow))
		__atomic_store_n(&slow, r == 0, __ATOMIC_RELAXED);
	return r == 0 ? -EAGAIN : got & POLLERR ? -EPIPE : 0;
}

static long send_quiet(int fd, const char *line, size_t n)
{
	return sys_call(SYS_sendto, fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

/* A socket's queue is short (unix(7): ten datagrams), and others fill it as well. */
static long write_socket(int fd, const char *line, size_t n)
{
	enum { TRIES = 50 };
	long r = send_quiet(fd, line, n);
	const char *path = sink_path ? mem_after(sink_path, "unix:") : NULL;

	/* the collector was started again: the same socket is connected anew, which other threads and children use */
	if ((r == -ECONNREFUSED || r == -ENOTCONN) && path && record_mine() && connect_to(fd, path) == 0)
		r = send_quiet(fd, line, n);
	for (int i = 0; r == -EAGAIN && i < TRIES; i++) {
		if (wait_for(fd) < 0)
			break;
		r = send_quiet(fd, line, n);
	}
	return r;
}

static long sink_put(int fd, const char *line, size_t n)
{
	long r;

	switch (sink) {
	case SINK_SOCKET:
		return write_socket(fd, line, n);
	case SINK_PIPE:
		r = wait_for(fd);
		return r < 0 ? r : write_quiet(fd, line, n);
	default:
		return write_quiet(fd, line, n);
	}
}

static void sink_write(const char *line, size_t n)
{
	int fd, next = sink_now();
	long r;

	do { /* again where another thread has moved it meanwhile */
		fd = next;
		r = fd < 0 ? -EBADF : sink_put(fd, line, n);
		next = r == -EBADF ? sink_now() : fd;
	} while (next != fd);
	if (r == (long)n || r == -EINTR || __atomic_exchange_n(&sink_said, true, __ATOMIC_RELAXED))
		return;
	SAY("report ", config()->report, ": an event could not be written: ",
		r == -ENOSPC || r == -EDQUOT || r >= 0	       ? "no space is left"
		: r == -EFBIG				       ? "the file would be too large"
		: r == -EAGAIN				       ? "its reader does not keep up"
		: r == -EPIPE || r == -ECONNREFUSED	       ? "nobody reads it any more"
		: r == -EBADF				       ? "its descriptor is gone"
							       : "the descriptor is unusable",
		"; this is said once");
}

/* -- spelling -------------------------------------------------------------------------------- */

static void raw(struct event *e, const char *text, size_t n)
{
	if (!e->at)
		return;
	if (e->at > e->end || n > (size_t)(e->end - e->at)) {
		e->at = NULL;
		return;
	}
	memcpy(e->at, text, n);
	e->at += n;
}

static void raws(struct event *e, const char *text)
{
	raw(e, text, strlen(text));
}

static void number(struct event *e, unsigned long n)
{
	char digits[24];
	struct str s = {digits, digits + sizeof digits};

	str_num(&s, n);
	raws(e, digits);
}

static void hex(struct event *e, uint64_t n, unsigned digits)
{
	for (; digits; digits--)
		raw(e, &"0123456789abcdef"[n >> (digits - 1) * 4 & 15], 1);
}

/* The length of the UTF-8 sequence at s, or 0 when it is none (RFC 3629). */
static size_t utf8(const unsigned char *s)
{
	const size_t n = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
			 : s[0] >= 0xf0 && s[0] < 0xf5			    ? 4
										    : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Is c spelt as it is? */
static inline bool is_itself(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* A byte that is no UTF-8 becomes the character of its number. */
static void quoted(struct event *e, const char *text)
{
	raws(e, "\"");
	for (; *text && e->at; text++) {
		const unsigned char c = (unsigned char)*text;
		size_t n = 0;

		while (is_itself(text[n]))
			n++;
		if (n) {
			raw(e, text, n);
			text += n - 1;
		} else if (c == '"' || c == '\\') {
			raws(e, "\\");
			raw(e, text, 1);
		} else if (c < 0x80) {
			raws(e, "\\u00");
			hex(e, c, 2);
		} else if ((n = utf8((const unsigned char *)text))) {
			raw(e, text, n);
			text += n - 1;
		} else {
			raws(e, "\\u00");
			hex(e, c, 2);
		}
	}
	raws(e, "\"");
}

/* A field begins; done() takes it back when it does not fit. */
static char *field(struct event *e, const char *name, bool *ret_first)
{
	char *at = e->at;

	*ret_first = e->first;
	if (!e->first)
		raws(e, ",");
	e->first = false;
	if (name) {
		quoted(e, name);
		raws(e, ":");
	}
	return at;
}

static bool done(struct event *e, char *at, bool first)
{
	if (e->at)
		return true;
	e->at = at;
	e->first = first;
	e->cut = true;
	return false;
}

#define FIELD(e, name, spelt)                                \
	do {                                                 \
		bool first_;                                 \
		char *at_;                                   \
		if ((e)->skipped)                            \
			break;                               \
		at_ = field(e, name, &first_);               \
		spelt;                                       \
		done(e, at_, first_);                        \
	} while (0)

void event_text(struct event *e, const char *name, const char *text)
{
	FIELD(e, name, text ? quoted(e, text) : raws(e, "null"));
}

void event_number(struct event *e, const char *name, long long n)
{
	FIELD(e, name, {
		if (n < 0)
			raws(e, "-");
		number(e, n < 0 ? -(unsigned long)n : (unsigned long)n);
	});
}

void event_hex(struct event *e, const char *name, uint64_t n)
{
	FIELD(e, name, {
		raws(e, "\"");
		hex(e, n, 16);
		raws(e, "\"");
	});
}

void event_time(struct event *e, const char *name, uint64_t ns)
{
	FIELD(e, name, {
		char micro[8] = ".000000";
		unsigned long us = ns / 1000 % 1000000;

		for (size_t i = 6; i; i--, us /= 10)
			micro[i] = (char)('0' + us % 10);
		number(e, ns / 1000000000u);
		raw(e, micro, 7);
	});
}

void event_bool(struct event *e, const char *name, bool b)
{
	FIELD(e, name, raws(e, b ? "true" : "false"));
}

void event_open(struct event *e, const char *name, char bracket)
{
	bool first;
	char *at;

	if (e->skipped) {
		e->skipped++;
		return;
	}
	at = field(e, name, &first);
	raw(e, &bracket, 1);
	if (done(e, at, first))
		e->first = true;
	else
		e->skipped = 1;
}

void event_close(struct event *e, char bracket)
{
	if (e->skipped) {
		e->skipped--;
		return;
	}
	*e->at++ = bracket; /* there is always room for it: TAIL */
	e->first = false;
}

size_t event_room(const struct event *e)
{
	return e->skipped || e->at > e->end ? 0 : (size_t)(e->end - e->at);
}

static void begin(struct event *e, char *line, size_t room, const char *type)
{
	struct timespec t = {0};

	*e = (struct event){.at = line, .end = line + room - TAIL, .first = true, .line = line, .room = room};
	sys_call(SYS_clock_gettime, CLOCK_REALTIME, &t);
	raws(e, "{");
	event_number(e, "v", EVENT_VERSION);
	event_text(e, "ev", type);
	event_time(e, "t", (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec);
	event_text(e, "host", host_name);
	event_hex(e, "run", report_run());
	event_number(e, "pid", sys_getpid());
	event_text(e, "prog", config()->program);
}

void event_begin(struct event *e, char *buf, const char *type)
{
	begin(e, buf, EVENT_SIZE, type);
}

void event_begin_behind(struct event *e, char *line, size_t used, const char *type)
{
	begin(e, line + used, EVENT_SIZE - used, type);
}

bool event_pairs(void)
{
	return sink != SINK_SOCKET;
}

size_t event_end(struct event *e)
{
	e->end = e->line + e->room - 2;
	if (e->cut)
		event_bool(e, "cut", true);
	e->end += 2;
	raws(e, "}\n");
	return e->at ? (size_t)(e->at - e->line) : 0;
}

void event_write(const char *line, size_t n)
{
	sink_write(line, n);
}

void event_send(struct event *e)
{
	const size_t n = event_end(e);

	if (n)
		sink_write(e->line, n);
}

/* -- call sites ------------------------------------------------------------------------------ */

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* The exported function of ours that holds offset: what the program called. */
static const char *call_name(const struct module *self, uint64_t offset)
{
	const ElfW(Sym) *sym = NULL;
	const char *str = NULL;
	const uint32_t *hash = NULL;
	const char *best = NULL;

	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		const void *at = real_address(self->base, d->d_un.d_ptr);

		if (d->d_tag == DT_SYMTAB)
			sym = at;
		else if (d->d_tag == DT_STRTAB)
			str = at;
		else if (d->d_tag == DT_HASH)
			hash = at;
	}
	for (uint32_t i = 1; sym && str && hash && i < hash[1]; i++) {
		const char *name = str + sym[i].st_name;

		if (sym[i].st_shndx == SHN_UNDEF || offset < sym[i].st_value ||
			offset >= sym[i].st_value + sym[i].st_size)
			continue;
		/* of several names for one function the plainest */
		if (!best || (*best == '_' && *name != '_') ||
			((*best == '_') == (*name == '_') && strlen(name) < strlen(best)))
			best = name;
	}
	return best;
}

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3u; /* FNV-1a */
	return h;
}

uint64_t event_site(uint32_t stack)
{
	const struct stack *s = stack_at(stack);
	uint64_t h = 0xcbf29ce484222325u, offset;
	size_t i;

	if (!s || !(i = stack_blame(s)))
		return 0;
	if (s->script_line) {
		h = hash_bytes(h, stack_text_at(s->script_file), strlen(stack_text_at(s->script_file)));
		h = hash_bytes(h, &s->script_line, sizeof s->script_line);
	} else {
		const unsigned number = frame_module(s->at[i]);
		const struct module *m = number ? module_at(number) : NULL;

		if (m && m->build_id_size)
			h = hash_bytes(h, m->build_id, m->build_id_size);
		else if (m)
			h = hash_bytes(h, mem_base(m->path), strlen(mem_base(m->path)));
		offset = frame_offset(s->at[i]);
		h = hash_bytes(h, &offset, sizeof offset);
	}
	return h ? h : 1;
}

/* A module's entry; false: there is no room for it. */
static bool put_module(struct event *e, unsigned m)
{
	const struct module *o = m ? module_at(m) : NULL;
	const bool cut = e->cut;
	char *const at = e->at, id[2 * sizeof o->build_id + 1];
	const bool first = e->first;
	unsigned n = 0;

	for (; o && n < o->build_id_size; n++) {
		id[2 * n] = "0123456789abcdef"[o->build_id[n] >> 4];
		id[2 * n + 1] = "0123456789abcdef"[o->build_id[n] & 15];
	}
	id[2 * n] = '\0';
	e->cut = false;
	event_open(e, NULL, '{');
	event_text(e, "path", o ? o->path : NULL);
	event_text(e, "id", n ? id : NULL);
	event_close(e, '}');
	if (e->cut) {
		e->at = at;
		e->first = first;
		return false;
	}
	e->cut = cut;
	return true;
}

static void put_frame(struct event *e, unsigned module, uint64_t offset)
{
	char text[24] = "0x";
	struct event o = {.at = text + 2, .end = text + sizeof text - 1};
	unsigned digits = 1;

	while (digits < 16 && offset >> 4 * digits)
		digits++;
	hex(&o, offset, digits);
	*o.at = '\0';
	event_open(e, NULL, '[');
	event_number(e, NULL, module);
	event_text(e, NULL, text);
	event_close(e, ']');
}

void event_stack(struct event *e, uint32_t stack, size_t frames)
{
	enum { FRAME = 24 /* [1,"0x0123456789ab"], and a little */, REST = 64 /* "stack", "blame" */ };
	const struct stack *s = stack_at(stack);
	unsigned modules[UNWIND_FRAMES], m;
	size_t n, used = 0, i, k, blame;
	char *end = e->end;

	if (!s) {
		event_text(e, "site", NULL);
		return;
	}
	event_hex(e, "site", event_site(stack));
	m = frame_module(s->at[0]);
	event_text(e, "call", m ? call_name(module_at(m), frame_offset(s->at[0])) : NULL);
	if (s->script_line) {
		event_open(e, "script", '{');
		event_text(e, "file", stack_text_at(s->script_file));
		event_number(e, "line", s->script_line);
		event_close(e, '}');
	}
	n = s->n < frames + 1 ? s->n : frames + 1;
	/* a module for each frame, as long as there is room for both */
	event_open(e, "modules", '[');
	for (i = 1; i < n; i++) {
		m = frame_module(s->at[i]);
		for (k = 0; k < used && modules[k] != m; k++)
			;
		e->end = end - i * FRAME - REST;
		if (event_room(e) == 0 || (k == used && !put_module(e, m))) {
			e->cut = true;
			break;
		}
		if (k == used)
			modules[used++] = m;
	}
	e->end = end;
	event_close(e, ']');
	n = i;
	event_open(e, "stack", '[');
	for (i = 1; i < n; i++) {
		m = frame_module(s->at[i]);
		for (k = 0; k < used && modules[k] != m; k++)
			;
		put_frame(e, (unsigned)k, frame_offset(s->at[i]));
	}
	event_close(e, ']');
	blame = stack_blame(s);
	if (blame && blame < n)
		event_number(e, "blame", (long long)blame - 1);
}
