/* SPDX-License-Identifier: ISC
 *
 * The records themselves: how 128 bytes a descriptor are found, written by one and read by others
 * without a lock, and what a child of fork(2) or vfork(2) makes of its parent's. */
#include "record.h"
#include "config.h"
#include "report.h"
#include "script.h"
#include "sys.h"
#include "wrap.h"
#include <errno.h>
#include <time.h>

enum {
	CHUNK = 1024,
	CHUNKS = 16384,
	WORDS = 16,
	WORD = sizeof(uint64_t),
	CLOSER = 2 /* frames of who closed: every close pays */
};

struct slot {
	uint32_t seq; /* odd: being written */
	uint8_t state, class, verdict, tell;
	uint32_t flags, generation;
	uint32_t stack, closed_stack;
	uint64_t when, closed_when;
	int32_t tid, closed_tid;
	uint32_t serial;
	int32_t a, b, c;
	uint64_t origin;
	int32_t origin_pid;
	char text[RECORD_TEXT + 2];
};
_Static_assert(sizeof(struct slot) == 128, "what a descriptor may cost");

struct chunk {
	uint8_t open[CHUNK]; /* of each number: its record is open.  A byte, written without a
				locked instruction */
	struct slot slots[CHUNK];
};

BESIDE bool record_on;
static struct chunk *chunks[CHUNKS];
BESIDE static int chunks_used; /* all from here on are NULL */
BESIDE static uint32_t serials, generation;
BESIDE static int pid_now, vforks;

/* -- where a record is ----------------------------------------------------------------------- */

static struct chunk *chunk_of(int fd, bool make)
{
	struct chunk **at, *c, *none = NULL;

	if (fd < 0 || fd / CHUNK >= CHUNKS)
		return NULL;
	at = &chunks[fd / CHUNK];
	c = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	if (LIKELY(c) || !make)
		return c;
	c = sys_pages(sizeof *c);
	if (c && !__atomic_compare_exchange_n(at, &none, c, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		sys_call(SYS_munmap, c, sizeof *c);
		c = none;
	}
	for (int used = __atomic_load_n(&chunks_used, __ATOMIC_RELAXED);
		c && used <= fd / CHUNK && !__atomic_compare_exchange_n(&chunks_used, &used, fd / CHUNK + 1,
						  true, __ATOMIC_RELEASE, __ATOMIC_RELAXED);)
		;
	return c;
}

/* A copy of the record, in one piece: false when somebody is writing and does not get done. */
static bool slot_read(const struct slot *s, struct slot *ret)
{
	const uint64_t *from = (const uint64_t *)s;
	uint64_t *to = (uint64_t *)ret;

	for (unsigned tries = 1; tries < 10000; tries++) {
		if (tries % 64 == 0)
			sys_call(SYS_sched_yield);
		const uint32_t seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);

		if (seq & 1)
			continue;
		for (size_t i = 0; i < WORDS; i++)
			to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&s->seq, __ATOMIC_RELAXED) == seq)
			return true;
	}
	return false;
}

/* Makes the caller the writer.  Who waits for a tenth of a second interrupts the writer: it goes ahead.  A
 * writer that has lost its processor is back by then, on a crowded machine as well. */
static uint32_t slot_lock(struct slot *s)
{
	enum { SPINS = 1000, SLEEPS = 100 };
	const struct timespec pause = {.tv_nsec = 1000000};
	uint32_t seq = __atomic_load_n(&s->seq, __ATOMIC_RELAXED);
	bool mine = false;

	for (unsigned tries = 1; !mine && tries < SPINS + SLEEPS; tries++) {
		if (tries > SPINS)
			sys_call(SYS_nanosleep, &pause, NULL);
		else if (tries % 64 == 0)
			sys_call(SYS_sched_yield);
		mine = !(seq & 1) && __atomic_compare_exchange_n(&s->seq, &seq, seq + 1, false, __ATOMIC_ACQUIRE,
					     __ATOMIC_RELAXED);
		if (seq & 1)
			seq = __atomic_load_n(&s->seq, __ATOMIC_RELAXED);
	}
	/* Nothing that is now stored in the record may be seen while seq is still even (slot_read), which the
	 * exchange alone does not promise on aarch64. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return seq | 1;
}

static void slot_write(struct slot *s, struct slot *value, uint32_t seq)
{
	const uint64_t *from = (const uint64_t *)value;
	uint64_t *to = (uint64_t *)s;
	uint64_t first;

	value->seq = seq;
	memcpy(&first, value, sizeof first);
	for (size_t i = 1; i < WORDS; i++)
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
	__atomic_store_n(&to[0], first, __ATOMIC_RELAXED);
	__atomic_store_n(&s->seq, seq + 1, __ATOMIC_RELEASE);
}

static void slot_copy(const struct slot *s, struct slot *ret)
{
	const uint64_t *from = (const uint64_t *)s;
	uint64_t *to = (uint64_t *)ret;

	for (size_t i = 0; i < WORDS; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* Notes that number fd is open, or is not. */
static void open_set(struct chunk *c, int fd, bool open)
{
	__atomic_store_n(&c->open[fd % CHUNK], open, __ATOMIC_RELAXED);
}

/* Takes a slot whose record is open and changes it by one of these. */
#define CHANGE(fd, s, statements)                                              \
	do {                                                                   \
		struct chunk *chunk_ = chunk_of(fd, false);                    \
		if (chunk_) {                                                  \
			struct slot *slot_ = &chunk_->slots[(fd) % CHUNK], s;  \
			uint32_t seq_ = slot_lock(slot_);                      \
			slot_copy(slot_, &s);                                  \
			statements;                                            \
			slot_write(slot_, &s, seq_);                           \
		}                                                              \
	} while (0)

/* -- what is recorded ------------------------------------------------------------------------ */

static uint64_t now(void)
{
	int (*get)(clockid_t, struct timespec *) =
		LIBC(clock_gettime, int, (clockid_t, struct timespec *));
	struct timespec t = {0};

	if (!get || get(CLOCK_REALTIME_COARSE, &t) != 0)
		sys_call(SYS_clock_gettime, CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The thread, as its libc knows it: the number that it tells by way of a clock (clock_getres(2)) costs no
 * system call, and is right after fork(2), too. */
static int thread(void)
{
	static bool without;
	int (*clock_of)(unsigned long, int *), clock;
	unsigned long (*self)(void);

	if (without)
		return sys_gettid();
	clock_of = LIBC(pthread_getcpuclockid, int, (unsigned long, int *));
	self = LIBC(pthread_self, unsigned long, (void));
	if (!clock_of || !self || clock_of(self(), &clock) != 0) {
		without = true; /* glibc 2.31 without libpthread */
		return sys_gettid();
	}
	return ~(clock >> 3);
}

/* The caller's stack, at most n frames of it. */
static uint32_t caller(size_t n)
{
	enum module_kind kind = MODULE_PROGRAM;
	frame at[UNWIND_FRAMES];
	struct script script;
	unsigned m = 0;

	n = unwind_stack(at, n);
	if (n == CLOSER && (m = frame_module(at[1])) && module_at(m)->kind == MODULE_RUNTIME)
		n = unwind_stack(at, UNWIND_FRAMES); /* who is to blame is further out */
	for (size_t i = 1; module_scripts && i < n && kind < MODULE_PYTHON;
		i++) { /* a library that a script called counts */
		m = frame_module(at[i]);
		kind = m ? module_at(m)->kind : MODULE_PROGRAM;
	}
	if (UNLIKELY(kind >= MODULE_PYTHON) && script_line(kind, m, &script))
		return stack_intern(at, n, stack_text(script.file, strlen(script.file)), script.line);
	return stack_intern(at, n, 0, 0);
}

/* text: of a call that has succeeded, so that the kernel has just read it. */
static void text_copy(char *to, const char *text)
{
	size_t n = 0;

	while (text && n < PATH_MAX && text[n])
		n++;
	if (!n)
		return;
	if (n > RECORD_TEXT) {
		memcpy(to, "...", 3);
		memcpy(to + 3, text + n - (RECORD_TEXT - 3), RECORD_TEXT - 3);
	} else {
		memcpy(to, text, n);
	}
}

static void put(int fd, struct slot *value)
{
	struct chunk *c = chunk_of(fd, true);
	struct slot *s;
	uint32_t seq;
	bool same;

	if (!c)
		return;
	s = &c->slots[fd % CHUNK];
	value->generation = __atomic_load_n(&generation, __ATOMIC_RELAXED);
	value->when = now();
	value->tid = thread();
	seq = slot_lock(s);
	same = __atomic_load_n(&s->state, __ATOMIC_RELAXED) == RECORD_OPEN &&
	       __atomic_load_n(&s->stack, __ATOMIC_RELAXED) == value->stack;
	value->serial = same ? __atomic_load_n(&s->serial,
				       __ATOMIC_RELAXED) /* a stream on what open made */
			     : __atomic_add_fetch(&serials, 1, __ATOMIC_RELAXED);
	slot_write(s, value, seq);
	open_set(c, fd, true);
}

long record_made(long fd, enum fd_class class, bool asked, const struct fd_args *args)
{
	struct slot value = {.state = RECORD_OPEN, .class = (uint8_t)class};

	if (fd < 0) {
		if ((fd == -EMFILE || fd == -ENFILE) && record_mine())
			report_full(-fd, caller(UNWIND_FRAMES));
		return fd;
	}
	if (UNLIKELY(!record_mine())) {
		record_child_changed((int)fd);
		return fd;
	}
	if (UNLIKELY(report_pending))
		report_flush();
	value.flags = asked ? RECORD_ASKED : 0;
	value.verdict = (uint8_t)fdpolicy_verdict(class);
	value.tell = (uint8_t)args->tell;
	value.a = args->a;
	value.b = args->b;
	value.c = args->c;
	value.stack = caller(UNWIND_FRAMES);
	if (args->tell == FD_TELL_PATH || args->tell == FD_TELL_NAME)
		text_copy(value.text, args->text);
	put((int)fd, &value);
	return fd;
}

struct record_closing record_closing(int fd)
{
	struct chunk *c = chunk_of(fd, false);
	struct record_closing ret = {0};
	struct slot *s;
	uint32_t seq;

	if (UNLIKELY(!record_mine())) {
		record_child_changed(fd);
		return ret;
	}
	if (!c || !__atomic_load_n(&c->open[fd % CHUNK], __ATOMIC_RELAXED))
		return ret;
	s = &c->slots[fd % CHUNK];
	ret.stack = caller(CLOSER);
	seq = slot_lock(s);
	ret.known = __atomic_load_n(&s->state, __ATOMIC_RELAXED) == RECORD_OPEN;
	ret.flags = __atomic_load_n(&s->flags, __ATOMIC_RELAXED);
	__atomic_store_n(&s->state, RECORD_CLOSED, __ATOMIC_RELAXED);
	__atomic_store_n(&s->closed_stack, ret.stack, __ATOMIC_RELAXED);
	__atomic_store_n(&s->closed_when, now(), __ATOMIC_RELAXED);
	__atomic_store_n(&s->seq, seq + 1, __ATOMIC_RELEASE);
	open_set(c, fd, false);
	if (UNLIKELY(ret.known && ret.flags & (RECORD_STREAM | RECORD_DIR)))
		report_bad_close(fd, ret, false);
	return ret;
}

void record_close_failed(int fd, struct record_closing before)
{
	if (!record_mine())
		return;
	if (!before.stack)
		before.stack = caller(UNWIND_FRAMES);
	report_bad_close(fd, before, true);
}

void record_onto(int fd, int to, int flags)
{
	struct slot value = {.state = RECORD_OPEN, .class = FD_DUP, .tell = FD_TELL_FROM, .a = fd};

	if (UNLIKELY(!record_mine())) {
		record_child_changed(to);
		return;
	}
	value.flags = flags & O_CLOEXEC ? RECORD_ASKED : RECORD_MEANT;
	value.verdict = (uint8_t)fdpolicy_verdict(FD_DUP);
	value.stack = caller(UNWIND_FRAMES);
	put(to, &value);
}

void record_flag(int fd, bool cloexec)
{
	if (!record_mine())
		record_child_changed(fd);
	else
		CHANGE(fd, s, {
			s.flags &= ~(unsigned)(RECORD_ASKED | RECORD_MEANT);
			s.flags |= cloexec ? RECORD_ASKED : RECORD_MEANT;
		});
}

void record_flag_range(unsigned first, unsigned last)
{
	const bool mine = record_mine();

	for (int fd = record_next(first > INT_MAX ? -1 : (int)first); fd >= 0 && (unsigned)fd <= last;
		fd = record_next(fd + 1))
		if (mine)
			record_flag(fd, true);
}

void record_closed_range(unsigned first, unsigned last)
{
	uint32_t by;

	if (!record_mine()) {
		record_child_changed_range(first, last);
		return;
	}
	if (first > INT_MAX)
		return;
	by = caller(UNWIND_FRAMES);
	for (int fd = record_next((int)first); fd >= 0 && (unsigned)fd <= last; fd = record_next(fd + 1)) {
		CHANGE(fd, s, {
			s.state = RECORD_CLOSED;
			s.closed_stack = by;
			s.closed_when = now();
		});
		open_set(chunk_of(fd, false), fd, false);
	}
}

void record_owner(int fd, unsigned flags)
{
	if (record_mine())
		CHANGE(fd, s, {
			s.flags &= ~(unsigned)(RECORD_STREAM | RECORD_DIR | RECORD_OTHER);
			s.flags |= flags;
		});
}

void record_inherited(int fd, uint64_t origin, int origin_pid, bool cloexec)
{
	struct slot value = {.state = RECORD_OPEN, .class = FD_OPEN,
		.flags = RECORD_INHERITED | (cloexec ? RECORD_ASKED : 0u), .origin = origin,
		.origin_pid = origin_pid};

	put(fd, &value);
	__atomic_sub_fetch(&serials, 1, __ATOMIC_RELAXED); /* not made here */
}

/* -- what is told ---------------------------------------------------------------------------- */

void record_get(int fd, struct record *ret)
{
	struct chunk *c = chunk_of(fd, false);
	struct slot s;

	*ret = (struct record){0};
	if (!c || !slot_read(&c->slots[fd % CHUNK], &s))
		return;
	ret->state = (enum record_state)s.state;
	ret->flags = s.flags;
	if (s.generation != __atomic_load_n(&generation, __ATOMIC_RELAXED))
		ret->flags |= RECORD_FORKED;
	ret->class = (enum fd_class)s.class;
	ret->verdict = (enum fd_verdict)s.verdict;
	ret->stack = s.stack;
	ret->closed_stack = s.closed_stack;
	ret->when = s.when;
	ret->closed_when = s.closed_when;
	ret->tid = s.tid;
	ret->closed_tid = s.closed_tid;
	ret->generation = s.generation;
	ret->serial = s.serial;
	ret->origin = s.origin;
	ret->origin_pid = s.origin_pid;
	memcpy(ret->text, s.text, RECORD_TEXT);
	ret->args = (struct fd_args){(enum fd_tell)s.tell, s.a, s.b, s.c, ret->text};
}

int record_next(int fd)
{
	if (fd < 0)
		return -1;
	for (int at = fd / CHUNK, used = __atomic_load_n(&chunks_used, __ATOMIC_ACQUIRE); at < used; at++) {
		struct chunk *c = __atomic_load_n(&chunks[at], __ATOMIC_ACQUIRE);
		const int from = at == fd / CHUNK ? fd % CHUNK : 0;

		for (int i = from; c && i < CHUNK;)
			if (i % WORD == 0 &&
				!__atomic_load_n((const uint64_t *)(const void *)&c->open[i],
					__ATOMIC_RELAXED))
				i += WORD;
			else if (__atomic_load_n(&c->open[i], __ATOMIC_RELAXED))
				return at * CHUNK + i;
			else
				i++;
	}
	return -1;
}

unsigned long record_open_count(void)
{
	unsigned long n = 0;

	for (int fd = record_next(0); fd >= 0; fd = record_next(fd + 1))
		n++;
	return n;
}

unsigned long record_made_count(void)
{
	return __atomic_load_n(&serials, __ATOMIC_RELAXED);
}

/* -- children -------------------------------------------------------------------------------- */

/* What vfork children did to their own copies of the table, which nobody else sees. */
static struct child {
	int pid; /* 0: free */
	bool beyond;
	uint64_t changed[16];
} children[16];
BESIDE static bool children_used;

void record_forked(void)
{
	__atomic_store_n(&pid_now, sys_getpid(), __ATOMIC_RELAXED);
	__atomic_store_n(&vforks, 0, __ATOMIC_RELAXED);
	__atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&serials, 0, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&children_used, false, __ATOMIC_RELAXED))
		memset(children, 0, sizeof children);
}

bool record_fork_missed(void)
{
	return !__atomic_load_n(&vforks, __ATOMIC_ACQUIRE) &&
	       sys_getpid() != __atomic_load_n(&pid_now, __ATOMIC_RELAXED);
}

void record_vfork_begin(void)
{
	if (record_on)
		__atomic_add_fetch(&vforks, 1, __ATOMIC_ACQ_REL);
}

void record_vfork_end(void)
{
	if (record_on)
		__atomic_sub_fetch(&vforks, 1, __ATOMIC_ACQ_REL);
}

bool record_mine(void)
{
	return LIKELY(!__atomic_load_n(&vforks, __ATOMIC_ACQUIRE)) ||
	       sys_getpid() == __atomic_load_n(&pid_now, __ATOMIC_RELAXED);
}

static struct child *child(bool make)
{
	const int pid = sys_getpid();

	for (size_t i = 0; i < ROWS(children); i++)
		if (__atomic_load_n(&children[i].pid, __ATOMIC_ACQUIRE) == pid)
			return &children[i];
	for (size_t i = 0; make && i < ROWS(children); i++) {
		int none = 0;

		if (__atomic_compare_exchange_n(&children[i].pid, &none, pid, false, __ATOMIC_ACQ_REL,
			    __ATOMIC_RELAXED)) {
			__atomic_store_n(&children_used, true, __ATOMIC_RELAXED);
			memset(children[i].changed, 0, sizeof children[i].changed);
			children[i].beyond = false;
			return &children[i];
		}
	}
	return NULL;
}

void record_child_changed(int fd)
{
	struct child *c = record_mine() ? NULL : child(true);

	if (!c)
		return;
	if (fd >= 0 && fd < (int)ROWS(c->changed) * 64)
		c->changed[fd / 64] |= (uint64_t)1 << fd % 64;
	else
		c->beyond = true;
}

void record_child_changed_range(unsigned first, unsigned last)
{
	for (unsigned fd = first; fd <= last && fd < 1024; fd++)
		record_child_changed((int)fd);
	if (last >= 1024)
		record_child_changed(1024);
}

void record_child_gone(int pid)
{
	for (size_t i = 0; i < ROWS(children); i++)
		if (__atomic_load_n(&children[i].pid, __ATOMIC_ACQUIRE) == pid)
			__atomic_store_n(&children[i].pid, 0, __ATOMIC_RELEASE);
}

bool record_child_has_changed(int fd)
{
	struct child *c = record_mine() ? NULL : child(false);

	if (!c)
		return false;
	return fd >= 0 && fd < (int)ROWS(c->changed) * 64 ? c->changed[fd / 64] >> fd % 64 & 1 : c->beyond;
}

int record_start(int pid)
{
	__atomic_store_n(&pid_now, pid, __ATOMIC_RELAXED);
	__atomic_store_n(&record_on, true, __ATOMIC_RELEASE);
	return 0;
}
