/* SPDX-License-Identifier: ISC
 *
 * How an event is spelt in JSON (RFC 8259) within one write, and which descriptor it goes down.  A
 * field that does not fit is taken back whole, so that a line can always be closed. */
#include "event.h"
#include "config.h"
#include "place.h"
#include "report.h"
#include "state.h"
#include "sys.h"
#include "wrap.h"
#include <elf.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>

enum { TAIL = 40 /* what closes any line: ]}]} "cut" } newline */ };

int event_fd = -1;
static bool to_socket;
static char host_name[65];

/* -- where it goes --------------------------------------------------------------------------- */

static int moved(int fd)
{
	int high = sys_fcntl(fd, F_DUPFD_CLOEXEC, state_fd_min());

	if (high < 0)
		return fd;
	sys_close(fd);
	return high;
}

static int connected(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const size_t n = strlen(path);
	int fd, r;

	if (n >= sizeof a.sun_path)
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, n);
	fd = (int)sys_call(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = (int)sys_call(SYS_connect, fd, &a, sizeof a);
	if (r < 0) {
		sys_close(fd);
		return r;
	}
	return fd;
}

static void name_host(void)
{
	struct utsname u;

	if (sys_call(SYS_uname, &u) == 0)
		memcpy(host_name, u.nodename, sizeof host_name - 1);
}

int event_start(const char *where)
{
	const char *rest;
	int fd;

	if ((rest = mem_after(where, "unix:"))) {
		fd = connected(rest);
		to_socket = true;
	} else if ((rest = mem_after(where, "fd:"))) {
		for (fd = *rest ? 0 : -1; *rest >= '0' && *rest <= '9' && fd < 1 << 24; rest++)
			fd = fd * 10 + *rest - '0';
		if (fd < 0 || *rest)
			fd = -EINVAL;
		else
			fd = sys_fcntl(fd, F_DUPFD_CLOEXEC, state_fd_min());
	} else {
		fd = sys_openat(AT_FDCWD, where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	}
	if (fd < 0) {
		SAY("report ", where, ": ",
			fd == -ENOENT       ? "no such directory or socket"
			: fd == -EACCES     ? "permission denied"
			: fd == -EBADF      ? "this descriptor is not open"
			: fd == -ECONNREFUSED ? "nobody listens there"
					    : "cannot be opened",
			"; nothing is reported");
		return fd;
	}
	event_fd = mem_after(where, "fd:") ? fd : moved(fd);
	name_host();
	return 0;
}

void event_adopt(int fd, const char *where)
{
	to_socket = mem_after(where, "unix:") != NULL;
	event_fd = fd;
	name_host();
}

/* -- spelling -------------------------------------------------------------------------------- */

static void raw(struct event *e, const char *text, size_t n)
{
	if (!e->at)
		return;
	if (n > (size_t)(e->end - e->at)) {
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

/* A byte that is no UTF-8 becomes the character of its number. */
static void quoted(struct event *e, const char *text)
{
	raws(e, "\"");
	for (; *text && e->at; text++) {
		const unsigned char c = (unsigned char)*text;
		size_t n;

		if (c == '"' || c == '\\') {
			raws(e, "\\");
			raw(e, text, 1);
		} else if (c < 0x20 || c == 0x7f) {
			raws(e, "\\u00");
			hex(e, c, 2);
		} else if (c < 0x80) {
			raw(e, text, 1);
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

/* A field begins; what undoes it when it does not fit. */
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

#define FIELD(e, name, spelt)                           \
	do {                                            \
		bool first_;                            \
		char *at_ = field(e, name, &first_);    \
		spelt;                                  \
		done(e, at_, first_);                   \
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

	field(e, name, &first);
	raw(e, &bracket, 1);
	e->first = true;
}

void event_close(struct event *e, char bracket)
{
	/* there is always room for it: TAIL */
	*e->at++ = bracket;
	e->first = false;
}

size_t event_room(const struct event *e)
{
	return (size_t)(e->end - e->at);
}

void event_begin(struct event *e, char *buf, const char *type)
{
	int (*get)(clockid_t, struct timespec *) =
		LIBC(clock_gettime, int, (clockid_t, struct timespec *));
	struct timespec t = {0};

	*e = (struct event){.at = buf, .end = buf + EVENT_SIZE - TAIL, .first = true, .line = buf};
	if (!get || get(CLOCK_REALTIME, &t) != 0)
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

void event_send(struct event *e)
{
	static bool said;
	long r;

	if (e->cut) {
		e->end += TAIL - 4;
		event_bool(e, "cut", true);
		e->end += 4;
	} else {
		e->end += TAIL;
	}
	raws(e, "}\n");
	if (!e->at || event_fd < 0)
		return;
	if (to_socket)
		r = sys_call(SYS_sendto, event_fd, e->line, e->at - e->line - 1,
			MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
	else
		r = sys_write(event_fd, e->line, (size_t)(e->at - e->line));
	if (r < 0 && r != -EINTR && !said) {
		said = true;
		SAY("report: an event could not be written: ",
			r == -ENOSPC     ? "no space is left"
			: r == -EAGAIN   ? "its reader does not keep up"
			: r == -EPIPE || r == -ECONNREFUSED ? "nobody reads it any more"
					 : "the descriptor is unusable");
	}
}

/* -- call sites ------------------------------------------------------------------------------ */

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* The exported function of ours that holds offset: what the program called. */
static const char *call_name(const struct module *self, uint64_t offset)
{
	const ElfW(Sym) *sym = NULL;
	const char *str = NULL;
	const uint32_t *hash = NULL;

	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		const uintptr_t p = d->d_un.d_ptr;
		/* glibc relocates these in place, musl does not */
		const void *at = (const void *)(p < self->base ? self->base + p : p);

		if (d->d_tag == DT_SYMTAB)
			sym = at;
		else if (d->d_tag == DT_STRTAB)
			str = at;
		else if (d->d_tag == DT_HASH)
			hash = at;
	}
	for (uint32_t i = 1; sym && str && hash && i < hash[1]; i++)
		if (sym[i].st_shndx != SHN_UNDEF && offset >= sym[i].st_value &&
			offset < sym[i].st_value + sym[i].st_size)
			return str + sym[i].st_name;
	return NULL;
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
		const struct module *m = module_at(frame_module(s->at[i]));

		if (frame_module(s->at[i]) && m->build_id_size)
			h = hash_bytes(h, m->build_id, m->build_id_size);
		else if (frame_module(s->at[i]))
			h = hash_bytes(h, mem_base(m->path), strlen(mem_base(m->path)));
		offset = frame_offset(s->at[i]);
		h = hash_bytes(h, &offset, sizeof offset);
	}
	return h ? h : 1;
}

void event_stack(struct event *e, uint32_t stack, size_t frames)
{
	const struct stack *s = stack_at(stack);
	unsigned modules[UNWIND_FRAMES];
	size_t n, used = 0, need, i, k;
	unsigned m;

	if (!s) {
		event_text(e, "site", NULL);
		return;
	}
	if (event_room(e) < 400) {
		e->cut = true;
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
	/* as many frames as there is room for, with the modules they lie in */
	for (need = 120, i = 1; i < n; i++) {
		m = frame_module(s->at[i]);
		for (k = 0; k < used && modules[k] != m; k++)
			;
		need += 24 + (k == used ? 70 + 2 * strlen(m ? module_at(m)->path : "") : 0);
		if (need > event_room(e)) {
			e->cut = true;
			break;
		}
		if (k == used)
			modules[used++] = m;
	}
	n = i;
	event_open(e, "modules", '[');
	for (k = 0; k < used; k++) {
		const struct module *o = module_at(modules[k]);
		char id[41];

		for (i = 0; i < o->build_id_size; i++) {
			id[2 * i] = "0123456789abcdef"[o->build_id[i] >> 4];
			id[2 * i + 1] = "0123456789abcdef"[o->build_id[i] & 15];
		}
		id[2 * (size_t)o->build_id_size] = '\0';
		event_open(e, NULL, '{');
		event_text(e, "path", modules[k] ? o->path : NULL);
		event_text(e, "id", modules[k] && o->build_id_size ? id : NULL);
		event_close(e, '}');
	}
	event_close(e, ']');
	event_open(e, "stack", '[');
	for (i = 1; i < n; i++) {
		char text[24] = "0x";
		struct event o = {.at = text + 2, .end = text + sizeof text - 1};
		unsigned digits = 1;

		while (digits < 16 && frame_offset(s->at[i]) >> 4 * digits)
			digits++;
		hex(&o, frame_offset(s->at[i]), digits);
		*o.at = '\0';
		m = frame_module(s->at[i]);
		for (k = 0; k < used && modules[k] != m; k++)
			;
		event_open(e, NULL, '[');
		event_number(e, NULL, (long long)k);
		event_text(e, NULL, text);
		event_close(e, ']');
	}
	event_close(e, ']');
	if (stack_blame(s))
		event_number(e, "blame", (long long)stack_blame(s) - 1);
}
