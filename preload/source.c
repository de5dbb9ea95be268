/* SPDX-License-Identifier: ISC
 *
 * Where each source of names has its text from, and when what was read of it is out of date.  Nobody
 * here asks NSS, unless the user wants just that: a root that carries a libnss_files.so of its own does
 * not get it run (CVE-2019-14271).
 *
 * guest and file are files that others change: glibc opens them at every lookup, so a user who has just
 * run useradd(8), and a process that has just called chroot(2), expect the new answer.  We ask for the
 * file's status instead, and read it only when that has changed.  host and self are as they were at
 * the start.
 *
 * A table never changes once it is published, and goes when its last reader has left: the slot
 * that publishes it counts those who come in the same word as its address, the table those who
 * leave after it was replaced.  So there is no lock that a forked child could find taken, and a
 * program that adds a million users holds one table, not a million.  What can leak is one table
 * for each reader that never leaves: one that was in here, in another thread, when the process
 * forked, or that a signal handler took away with siglongjmp(3). */
#include <sys/mman.h>
#include "source.h"
#include "config.h"
#include "guest/guest.h"
#include "state.h"
#include "sys.h"
#include "wrap.h"

enum {
	SOURCES = CONFIG_NAMES,
	KINDS = NAMES_KINDS,
	LARGE = 4 << 20, /* bytes of an index: in huge pages */
	LEAST = 3, /* bytes that glibc's reader wants for any line, also to see that there is none */
};

struct table {
	struct names names;
	size_t bytes;   /* of text */
	struct stat st; /* of the file, before it was read */
	bool fresh;     /* its status may not tell a later change */
	bool nss;       /* no table: the libc is asked */
	int left;       /* readers that left after it was replaced, negative */
	uint32_t next;  /* getpwent(3): the line that comes next */
	uint32_t turn;  /* and the place of its source in the list, */
	bool first;     /* where none before it lists anything */
	char *text;
	size_t text_room, room;
};

/* -- reading a file ----------------------------------------------------------------------- */

/* The file of a source that has one, or NULL: it knows nothing of this kind. */
static const char *file_of(enum config_names source, enum names_kind kind)
{
	static const char *const own[KINDS] = {"/etc/passwd", "/etc/group", "/etc/shadow",
		"/etc/gshadow"};
	const struct config *c = config();

	if (source == CONFIG_NAMES_GUEST)
		return own[kind];
	if (source == CONFIG_NAMES_FILE)
		return kind == NAMES_PASSWD ? c->passwd : kind == NAMES_GROUP ? c->group : NULL;
	return NULL;
}

static int file_status(enum config_names source, const char *path, struct stat *st)
{
	return source == CONFIG_NAMES_GUEST ? (int)guest_newfstatat(AT_FDCWD, path, st, 0)
					    : sys_fstatat(AT_FDCWD, path, st, 0);
}

static void unmap(void *p, size_t n)
{
	sys_call(SYS_munmap, p, n);
}

static void table_free(struct table *t)
{
	if (t->text)
		unmap(t->text, t->text_room);
	unmap(t, t->room);
}

/* All of fd, in *ret of *ret_room bytes: their number or -errno.  A copy: a file that was mapped and is
 * cut off by somebody would end the program. */
static ssize_t read_all(int fd, size_t guess, char **ret, size_t *ret_room)
{
	size_t room = guess < 4096 ? 4096 : guess, used = 0;
	char *text = sys_pages(room), *more;
	ssize_t r = -ENOMEM;

	while (text) {
		r = sys_read_again(fd, text + used, room - used);
		if (r <= 0)
			break;
		used += (size_t)r;
		r = -EFBIG;
		if (used > NAMES_TEXT_MAX)
			break;
		if (used < room)
			continue;
		r = -ENOMEM;
		more = sys_pages(2 * room);
		if (!more)
			break;
		memcpy(more, text, used);
		unmap(text, room);
		text = more;
		room *= 2;
	}
	if (r < 0) {
		if (text)
			unmap(text, room);
		return r;
	}
	*ret = text;
	*ret_room = room;
	return (ssize_t)used;
}

/* May this status stand for the content?  A file that was changed within the clock's step before
 * we read it can change once more without showing it.  The step is a tick where a time is no
 * multiple of ten milliseconds, and at most FAT's two seconds elsewhere.  One that not everybody
 * may read is opened each time, because a process that gives up its privileges loses the file
 * too. */
static bool status_tells(const struct stat *st)
{
	enum { MILLION = 1000000 };
	const long step = st->st_ctim.tv_nsec % (10 * MILLION) ? 20 : 2000;
	struct timespec now;

	if (!S_ISREG(st->st_mode))
		return true;
	if (!(st->st_mode & S_IROTH))
		return false;
	sys_call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &now);
	return (now.tv_sec - st->st_ctim.tv_sec) * 1000 + (now.tv_nsec - st->st_ctim.tv_nsec) / MILLION > step;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       same_time(&a->st_mtim, &b->st_mtim) && same_time(&a->st_ctim, &b->st_ctim);
}

/* A table of n bytes of text in text_room bytes of pages, which are its own from now on, also when
 * there is no memory: -ENOMEM. */
static int table_make(enum names_kind kind, char *text, size_t n, size_t text_room, struct table **ret)
{
	uint32_t lines;
	const size_t room = sizeof **ret + names_size(text, n, &lines);
	struct table *t = sys_pages(room);

	if (!t) {
		unmap(text, text_room);
		return -ENOMEM;
	}
	/* A lookup in a large index misses the TLB as often as the cache.  Not the text: it is read from
	 * end to end when it is loaded, and clearing a huge page that the machine had not in use
	 * can cost a virtual machine more than all of its lookups. */
	if (room >= LARGE)
		sys_call(SYS_madvise, t, room, MADV_HUGEPAGE);
	t->text = text;
	t->bytes = n;
	t->text_room = text_room;
	t->room = room;
	names_build(&t->names, kind, text, n, lines, t + 1);
	*ret = t;
	return 0;
}

static int table_read(int fd, enum names_kind kind, struct table **ret)
{
	enum { TRIES = 5 };
	struct stat before, after;
	size_t room;
	char *text;
	bool torn;
	ssize_t n;
	int r = sys_fstat(fd, &before);

	for (int i = 0; r == 0; i++) {
		if (S_ISFIFO(before.st_mode))
			return -EINVAL;
		if (S_ISREG(before.st_mode) && before.st_size > NAMES_TEXT_MAX)
			return -EFBIG;
		/* one byte more than there should be: its read is the one that finds the end */
		n = read_all(fd, S_ISREG(before.st_mode) ? (size_t)before.st_size + 1 : 0, &text, &room);
		if (n < 0)
			return (int)n;
		/* somebody may have written it meanwhile: half of the old and half of the new */
		torn = sys_fstat(fd, &after) < 0 || !same_file(&before, &after);
		if (!torn || i == TRIES || !S_ISREG(before.st_mode) ||
			sys_call(SYS_lseek, fd, 0, SEEK_SET) < 0) {
			r = table_make(kind, text, (size_t)n, room, ret);
			if (r == 0) {
				(*ret)->st = before;
				(*ret)->fresh = torn || !status_tells(&before);
			}
			return r;
		}
		unmap(text, room);
		before = after;
	}
	return r;
}

static int table_load(enum config_names source, enum names_kind kind, struct table **ret)
{
	/* a FIFO does not make anybody wait */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	const char *path = file_of(source, kind);
	int r, fd;

	fd = source == CONFIG_NAMES_GUEST ? (int)guest_open_own(AT_FDCWD, path, flags, 0)
					  : sys_openat(AT_FDCWD, path, flags, 0);
	if (fd < 0)
		return fd;
	r = table_read(fd, kind, ret);
	sys_close(fd);
	return r;
}

/* -- texts that nobody wrote ------------------------------------------------------------------ */

static void put_id(struct str *s, const char *before, unsigned long id)
{
	str_puts(s, before);
	str_num(s, id);
}

enum { OWN_GROUPS = 1024 };

/* The caller's own ids, as lines.  LIBJAIL_USER is whole by now: NAME:HOME:SHELL. */
static void self_text(enum names_kind kind, struct str *s)
{
	const char *user = config()->user_word, *rest = mem_find(user, ':');
	const size_t len = rest ? (size_t)(rest - user) : strlen(user);
	const unsigned long uid = (unsigned long)sys_call(SYS_geteuid), gid = (unsigned long)sys_call(SYS_getegid);
	gid_t groups[OWN_GROUPS];
	long n;

	if (kind == NAMES_PASSWD) {
		str_put(s, user, len);
		put_id(s, ":x:", uid);
		put_id(s, ":", gid);
		str_puts(s, ":");
		str_put(s, user, len); /* git(1) takes an author's name from here, and wants one */
		str_puts(s, ":");
		str_puts(s, rest ? rest + 1 : "/:/bin/sh");
		str_puts(s, "\n");
		return;
	}
	if (gid)
		str_put(s, user, len);
	else
		str_puts(s, "root");
	put_id(s, ":x:", gid);
	str_puts(s, ":\n");
	n = sys_call(SYS_getgroups, OWN_GROUPS, groups);
	for (long i = 0; i < n; i++) {
		if (groups[i] == gid)
			continue;
		if (groups[i])
			put_id(s, "g", groups[i]);
		else
			str_puts(s, "root");
		put_id(s, ":x:", groups[i]);
		str_puts(s, ":");
		str_put(s, user, len);
		str_puts(s, "\n");
	}
}

static int self_table(enum names_kind kind, struct table **ret)
{
	const size_t room = 4096 + OWN_GROUPS * (24 + strlen(config()->user_word));
	char *text = sys_pages(room);
	struct str s = {text, text + room};

	if (!text)
		return -ENOMEM;
	self_text(kind, &s);
	return table_make(kind, text, s.at ? (size_t)(s.at - text) : 0, room, ret);
}

/* -- the host's names ------------------------------------------------------------------------- */

/* jailrun's snapshot: a line "libjail-names 1 BYTES", so many bytes of passwd(5), then group(5). */
#define SNAPSHOT "libjail-names 1 "

BESIDE int source_fd = -1;

/* Where its parts begin.  head: its first n bytes and a NUL, of size in all. */
static bool snapshot_at(const char *head, size_t n, size_t size, size_t *ret_passwd, size_t *ret_group)
{
	const char *p = n > sizeof SNAPSHOT ? mem_after(head, SNAPSHOT) : NULL;
	size_t bytes = 0;

	for (; p && *p >= '0' && *p <= '9' && bytes <= NAMES_TEXT_MAX; p++)
		bytes = 10 * bytes + (size_t)(*p - '0');
	if (!p || *p != '\n' || bytes > size - (size_t)(p + 1 - head))
		return false;
	*ret_passwd = (size_t)(p + 1 - head);
	*ret_group = *ret_passwd + bytes;
	return true;
}

static bool snapshot_is(int fd)
{
	char head[sizeof SNAPSHOT];

	return sys_pread(fd, head, sizeof head - 1, 0) == (ssize_t)sizeof head - 1 &&
	       memcmp(head, SNAPSHOT, sizeof head - 1) == 0;
}

static int noted_fd(void)
{
	int fd = 0;

	for (const char *s = config()->note_names; s && *s >= '0' && *s <= '9' && fd < 1 << 20; s++)
		fd = 10 * fd + *s - '0';
	return fd > 2 && snapshot_is(fd) ? fd : -1;
}

void source_start(void)
{
	int fd = config()->note_names ? noted_fd() : -1, to;

	if (fd < 0)
		return;
	to = fd >= state_fd_min() ? fd : sys_fcntl(fd, F_DUPFD_CLOEXEC, state_fd_min());
	if (to >= 0 && to != fd)
		sys_close(fd);
	source_fd = to >= 0 ? to : fd;
	sys_fcntl(source_fd, F_SETFD, FD_CLOEXEC);
}

bool source_moved(int from, int to)
{
	return __atomic_compare_exchange_n(&source_fd, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void source_keep(bool across_exec)
{
	if (source_fd >= 0 && snapshot_is(source_fd))
		sys_fcntl(source_fd, F_SETFD, across_exec ? 0 : FD_CLOEXEC);
}

static int snapshot_table(int fd, enum names_kind kind, struct table **ret)
{
	char head[sizeof SNAPSHOT + 24], *text;
	size_t passwd, group, from, room, n = 0;
	struct stat st;
	ssize_t r = fd < 0 ? -ENOENT : sys_fstat(fd, &st);

	/* the offset is shared with every other process of the tree */
	if (r == 0)
		r = sys_pread(fd, head, sizeof head - 1, 0);
	if (r < 0)
		return (int)r;
	head[r] = '\0';
	if (!snapshot_at(head, (size_t)r, (size_t)st.st_size, &passwd, &group))
		return -EINVAL;
	from = kind == NAMES_PASSWD ? passwd : group;
	room = (kind == NAMES_PASSWD ? group : (size_t)st.st_size) - from;
	if (room > NAMES_TEXT_MAX)
		return -EFBIG;
	text = sys_pages(room + 1);
	if (!text)
		return -ENOMEM;
	while (n < room && (r = sys_pread(fd, text + n, room - n, (off_t)(from + n))) > 0)
		n += (size_t)r;
	return table_make(kind, text, n, room + 1, ret);
}

static int host_table(enum names_kind kind, struct table **ret)
{
	for (;;) {
		const int fd = __atomic_load_n(state->source_fd, __ATOMIC_ACQUIRE);
		const int r = snapshot_table(fd >= 0 ? fd : noted_fd(), kind, ret);

		/* it is moved before the program puts a file of its own there */
		if (LIKELY(__atomic_load_n(state->source_fd, __ATOMIC_ACQUIRE) == fd))
			return r;
		if (r == 0)
			table_free(*ret);
	}
}

/* -- publishing a table ------------------------------------------------------------------- */

/* A slot: the address of a table, which ends in twelve zero bits, twelve bits to the left, and
 * below it how many readers came and have not left. */
enum { SLOT_BITS = 24 };

static struct table *slot_table(uint64_t word)
{
	return (struct table *)(uintptr_t)(word >> SLOT_BITS << 12);
}

static uint64_t slot_word(const struct table *t)
{
	return (uint64_t)(uintptr_t)t >> 12 << SLOT_BITS;
}

/* The slot's table, which stays until slot_leave(); NULL: none. */
static struct table *slot_enter(uint64_t *slot)
{
	uint64_t word = __atomic_load_n(slot, __ATOMIC_RELAXED);

	do
		if (!slot_table(word))
			return NULL;
	while (!__atomic_compare_exchange_n(slot, &word, word + 1, true, __ATOMIC_ACQ_REL,
		__ATOMIC_RELAXED));
	return slot_table(word);
}

static void table_leave(struct table *t, int came)
{
	if (__atomic_add_fetch(&t->left, came, __ATOMIC_ACQ_REL) == 0)
		table_free(t);
}

/* The opposite of slot_enter; no slot: nobody else knows of t. */
static void slot_leave(uint64_t *slot, struct table *t)
{
	uint64_t word = slot ? __atomic_load_n(slot, __ATOMIC_RELAXED) : 0;

	while (slot && slot_table(word) == t)
		if (__atomic_compare_exchange_n(slot, &word, word - 1, true, __ATOMIC_ACQ_REL,
			    __ATOMIC_RELAXED))
			return;
	if (slot)
		table_leave(t, -1);
	else
		table_free(t);
}

/* Puts t (NULL: nothing) in the place of what is there; with enter the caller is t's reader. */
static void slot_put(uint64_t *slot, struct table *t, bool enter)
{
	uint64_t word = t ? slot_word(t) + enter : 0;
	uint64_t old = __atomic_exchange_n(slot, word, __ATOMIC_ACQ_REL);

	if (slot_table(old))
		table_leave(slot_table(old), (int)(old & ((1u << SLOT_BITS) - 1)));
}

static uint64_t slots[2][2];      /* [guest, file][passwd, group]: what lookups share */
static struct table *fixed[2][2]; /* [host, self][passwd, group]: never replaced */
static uint64_t cursors[KINDS];   /* getpwent ...: their own, as it was when they began */

/* Where tables of this kind are published.  shadow(5) and gshadow(5) are not: a process that gave up its
 * privileges must not find the passwords of before. */
static uint64_t *slot_of(enum config_names source, enum names_kind kind)
{
	return kind > NAMES_GROUP ? NULL : &slots[source == CONFIG_NAMES_FILE][kind];
}

/* The table of the file as it is now; slot_leave(slot_of(source, kind), *ret) gives it back. */
static int file_table(enum config_names source, enum names_kind kind, struct table **ret)
{
	uint64_t *slot = slot_of(source, kind);
	struct table *t = slot ? slot_enter(slot) : NULL;
	struct stat st;
	int r = 0;

	if (t) {
		r = t->fresh ? 1 : file_status(source, file_of(source, kind), &st);
		if (r == 0 && same_file(&st, &t->st)) {
			*ret = t;
			return 0;
		}
		slot_leave(slot, t);
		if (r < 0)
			return r;
	}
	r = table_load(source, kind, ret);
	if (r == 0 && slot)
		slot_put(slot, *ret, true);
	return r;
}

/* Once: why a source that the user chose cannot answer. */
static void say_useless(enum config_names source, const char *what, const char *colon, const char *reason)
{
	static const char words[][8] = {CONFIG_NAMES_WORDS};
	static uint8_t said[SOURCES];

	if (!__atomic_exchange_n(&said[source], 1, __ATOMIC_RELAXED))
		SAY("names: ", words[source], ": ", what, colon, reason);
}

static int fixed_make(enum config_names source, enum names_kind kind, struct table **ret)
{
	const int r = source == CONFIG_NAMES_HOST ? host_table(kind, ret) : self_table(kind, ret);

	if (r == -ENOENT && source == CONFIG_NAMES_HOST)
		say_useless(source, "there is no snapshot of the host's names; jailrun --names=host takes one", "", "");
	else if (r == -EINVAL)
		say_useless(source, "the snapshot of the host's names is damaged", "", "");
	return r;
}

/* The table of host or self, for good. */
static int fixed_table(enum config_names source, enum names_kind kind, struct table **ret)
{
	struct table **at = &fixed[source == CONFIG_NAMES_SELF][kind], *t, *none = NULL;
	int r;

	*ret = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	if (LIKELY(*ret != NULL))
		return 0;
	r = fixed_make(source, kind, &t);
	if (r < 0)
		return r;
	if (__atomic_compare_exchange_n(at, &none, t, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		*ret = t;
	} else {
		table_free(t);
		*ret = none;
	}
	return 0;
}

/* The libc's own lookups are not for a root: it would load libnss_* from there, or answer from the
 * host. */
static bool nss_allowed(void)
{
	if (!state_view())
		return true;
	say_useless(CONFIG_NAMES_NSS, "not in a root, where it would load libraries of the root; use guest, or host", "", "");
	return false;
}

bool source_is_nss(void)
{
	return config()->nnames && config()->names[0] == CONFIG_NAMES_NSS && nss_allowed();
}

/* What a source is, for whoever asks: */
enum answers {
	BY_NOBODY,  /* it has no entries of this kind */
	BY_FILE,    /* file_table() and slot_leave() */
	BY_FIXED,   /* fixed_table() */
	BY_PATTERN, /* pattern() */
	BY_NSS,     /* the libc */
	BY_END,     /* nobody behind it is asked */
};

static enum answers answers(enum config_names source, enum names_kind kind)
{
	switch (source) {
	case CONFIG_NAMES_GUEST:
		return BY_FILE;
	case CONFIG_NAMES_FILE:
		return file_of(source, kind) ? BY_FILE : BY_NOBODY;
	case CONFIG_NAMES_HOST:
	case CONFIG_NAMES_SELF:
		return kind > NAMES_GROUP ? BY_NOBODY : BY_FIXED;
	case CONFIG_NAMES_PATTERN:
		return kind > NAMES_GROUP ? BY_NOBODY : BY_PATTERN;
	case CONFIG_NAMES_NSS:
		return nss_allowed() ? BY_NSS : BY_NOBODY;
	default:
		return BY_END;
	}
}

/* -- lookups ------------------------------------------------------------------------------ */

/* The number in "u1000", as the pattern would write it, or -1. */
static long pattern_id(enum names_kind kind, const char *name)
{
	unsigned long id = 0;

	if (*name++ != (kind == NAMES_PASSWD ? 'u' : 'g') || (*name == '0' && name[1]))
		return -1;
	if (!*name)
		return -1;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return -1;
		id = 10 * id + (unsigned long)(*name - '0');
		if (id >= UINT32_MAX)
			return -1;
	}
	return (long)id;
}

/* u1000:x:1000:1000:u1000:/:/bin/sh, and g1000:x:1000: */
static int pattern(enum names_kind kind, const char *name, uint32_t id, void *ret, char *buf, size_t n)
{
	uint64_t memory[64] = {0};
	char text[96];
	struct str s = {text, text + sizeof text};
	const long number = name ? pattern_id(kind, name) : id == UINT32_MAX ? -1 : (long)id;
	struct names t;
	uint32_t lines;

	if (number < 0)
		return 0;
	put_id(&s, kind == NAMES_PASSWD ? "u" : "g", (unsigned long)number);
	put_id(&s, ":x:", (unsigned long)number);
	if (kind == NAMES_PASSWD) {
		const bool own = number == sys_call(SYS_geteuid);

		put_id(&s, ":", own ? (unsigned long)sys_call(SYS_getegid) : (unsigned long)number);
		put_id(&s, ":u", (unsigned long)number);
		str_puts(&s, ":/:/bin/sh\n");
	} else {
		str_puts(&s, ":\n");
	}
	if (names_size(text, strlen(text), &lines) > sizeof memory)
		return -ENOMEM;
	names_build(&t, kind, text, strlen(text), lines, memory);
	return names_find(&t, name, (uint32_t)number, ret, buf, n);
}

/* The libc's own reentrant functions: the error is returned, and *found is NULL or ret. */
static int nss_find(enum names_kind kind, const char *name, uint32_t id, void *ret, char *buf, size_t n)
{
	typedef int by_name(const char *, void *, char *, size_t, void **);
	typedef int by_id(uint32_t, void *, char *, size_t, void **);
	by_name *f = NULL;
	by_id *g = NULL;
	void *found = NULL;
	int r;

	switch (kind) {
	case NAMES_PASSWD:
		f = (by_name *)REAL(getpwnam_r);
		g = (by_id *)REAL(getpwuid_r);
		break;
	case NAMES_GROUP:
		f = (by_name *)REAL(getgrnam_r);
		g = (by_id *)REAL(getgrgid_r);
		break;
	case NAMES_SHADOW:
		f = (by_name *)REAL(getspnam_r);
		break;
	default:
		f = (by_name *)REAL(getsgnam_r);
	}
	if (name ? !f : !g)
		return -ENOSYS;
	r = name ? f(name, ret, buf, n, &found) : g(id, ret, buf, n, &found);
	return found ? 1 : r == ENOENT ? 0 : -r;
}

static const char *why(int r)
{
	switch (r) {
	case -ENOENT:
		return "no such file";
	case -EACCES:
		return "permission denied";
	case -EISDIR:
		return "a directory";
	case -EINVAL:
		return "a FIFO";
	case -EFBIG:
		return "larger than 256 MiB";
	default:
		return "cannot be read";
	}
}

/* An error as glibc's reader finds it: a directory opens, and it is read into a buffer of at least
 * LEAST bytes. */
static int reader_says(int r, size_t n)
{
	return r == -EISDIR && n < LEAST && !config()->musl ? -ERANGE : r;
}

/* What one source says: 1, 0, -ERANGE or -errno. */
static int ask(enum config_names source, enum answers by, enum names_kind kind, const char *name,
	uint32_t id, void *ret, char *buf, size_t n)
{
	struct table *t;
	int r;

	switch (by) {
	case BY_FILE:
		r = file_table(source, kind, &t);
		if (r < 0 && source == CONFIG_NAMES_FILE)
			say_useless(source, file_of(source, kind), ": ", why(r));
		if (r < 0)
			return reader_says(r, n);
		r = names_find(&t->names, name, id, ret, buf, n);
		slot_leave(slot_of(source, kind), t);
		return r;
	case BY_FIXED:
		r = fixed_table(source, kind, &t);
		return r < 0 ? r : names_find(&t->names, name, id, ret, buf, n);
	case BY_PATTERN:
		return pattern(kind, name, id, ret, buf, n);
	case BY_NSS:
		return nss_find(kind, name, id, ret, buf, n);
	default:
		return 0;
	}
}

int source_find(enum names_kind kind, const char *name, uint32_t id, void *ret, char *buf, size_t n)
{
	const struct config *c = config();
	int r = 0;

	for (size_t i = 0; i < c->nnames; i++) {
		const enum config_names source = (enum config_names)c->names[i];
		const enum answers by = answers(source, kind);

		if (by == BY_END)
			return 0;
		if (by == BY_NOBODY)
			continue;
		r = ask(source, by, kind, name, id, ret, buf, n);
		if (r > 0 || r == -ERANGE)
			break;
	}
	return r;
}

/* One string of the passwd entry of name, or of uid where that is NULL, to buf, cut off at n. */
static long passwd_string(const char *name, uint32_t uid, size_t offset, char *buf, size_t n)
{
	struct passwd pw;
	char text[1024], *room = text, *string;
	size_t size = sizeof text, len;
	long r;

	while ((r = source_find(NAMES_PASSWD, name, uid, &pw, room, size)) == -ERANGE) {
		if (room != text)
			unmap(room, size);
		size *= 4;
		room = sys_pages(size);
		if (!room)
			return -ENOMEM;
	}
	if (r > 0) {
		string = *(char **)((char *)&pw + offset);
		len = strlen(string);
		r = (long)len + 1;
		if (len >= n)
			len = n ? n - 1 : 0;
		memcpy(buf, string, len);
		if (n)
			buf[len] = '\0';
	}
	if (room != text)
		unmap(room, size);
	return r;
}

long source_name(uint32_t uid, char *buf, size_t n)
{
	return passwd_string(NULL, uid, offsetof(struct passwd, pw_name), buf, n);
}

long source_home(const char *name, uint32_t uid, char *buf, size_t n)
{
	return passwd_string(name, uid, offsetof(struct passwd, pw_dir), buf, n);
}

/* -- one after the other ------------------------------------------------------------------ */

/* A table of its own for the cursor: a program may call setpwent(3), then chroot(2). */
static int turn_table(enum config_names source, enum names_kind kind, struct table **ret)
{
	switch (answers(source, kind)) {
	case BY_FILE:
		return table_load(source, kind, ret);
	case BY_FIXED:
		return fixed_make(source, kind, ret);
	case BY_NSS:
		*ret = sys_pages(sizeof **ret);
		if (!*ret)
			return -ENOMEM;
		(*ret)->room = sizeof **ret;
		(*ret)->nss = true;
		return 0;
	default:
		return -ENODATA; /* it lists nothing */
	}
}

/* Puts the cursor on the next source from `turn` on that has something to list; with ret the caller is
 * its reader.  0; -ENODATA: there is none; or -errno of the last that could not be read. */
static int cursor_start(enum names_kind kind, uint32_t turn, struct table **ret)
{
	const struct config *c = config();
	struct table *t;
	int r = -ENODATA, last = -ENODATA;
	const bool first = turn == 0;

	for (; turn < c->nnames && c->names[turn] != CONFIG_NAMES_NUMERIC; turn++) {
		r = turn_table((enum config_names)c->names[turn], kind, &t);
		if (r == 0) {
			t->turn = turn;
			t->first = first;
			slot_put(&cursors[kind], t, ret != NULL);
			if (ret)
				*ret = t;
			return 0;
		}
		if (r != -ENODATA)
			last = r;
	}
	return last;
}

static void nss_rewind(enum names_kind kind, bool end)
{
	void (*f)(void) = NULL;

	switch (kind) {
	case NAMES_PASSWD:
		f = end ? REAL(endpwent) : REAL(setpwent);
		break;
	case NAMES_GROUP:
		f = end ? REAL(endgrent) : REAL(setgrent);
		break;
	case NAMES_SHADOW:
		f = end ? REAL(endspent) : REAL(setspent);
		break;
	default:
		f = end ? REAL(endsgent) : REAL(setsgent);
	}
	if (f)
		f();
}

/* musl has no reentrant form, and no NSS either. */
static int nss_next(enum names_kind kind, void *ret, char *buf, size_t n)
{
	typedef int next(void *, char *, size_t, void **);
	next *f = NULL;
	void *found = NULL;
	int r;

	switch (kind) {
	case NAMES_PASSWD:
		f = (next *)REAL(getpwent_r);
		break;
	case NAMES_GROUP:
		f = (next *)REAL(getgrent_r);
		break;
	case NAMES_SHADOW:
		f = (next *)REAL(getspent_r);
		break;
	default:
		f = (next *)REAL(getsgent_r);
	}
	r = f ? f(ret, buf, n, &found) : 0;
	return found ? 1 : r == ENOENT ? 0 : -r;
}

/* glibc's setpwent(3) rewinds the file that it has open, also when the name means another one by now
 * (rename(2), chroot(2)); what was written to it meanwhile is seen. */
static bool table_rewind(enum names_kind kind, struct table *t)
{
	const enum config_names source = (enum config_names)config()->names[t->turn];
	struct stat st;

	if (!t->first || t->nss)
		return false;
	if (answers(source, kind) == BY_FILE && file_status(source, file_of(source, kind), &st) == 0 &&
		st.st_dev == t->st.st_dev && st.st_ino == t->st.st_ino && (t->fresh || !same_file(&st, &t->st)))
		return false;
	__atomic_store_n(&t->next, 0, __ATOMIC_RELAXED);
	return true;
}

int source_rewind(enum names_kind kind)
{
	struct table *t = config()->musl ? NULL : slot_enter(&cursors[kind]);
	int r = 0;

	if (t) {
		const bool same = table_rewind(kind, t);

		slot_leave(&cursors[kind], t);
		if (same)
			return 0;
	}
	slot_put(&cursors[kind], NULL, false);
	if (!config()->musl) /* its setpwent(3) closes the file, no more */
		r = cursor_start(kind, 0, NULL);
	for (size_t i = 0; i < config()->nnames; i++)
		if (answers((enum config_names)config()->names[i], kind) == BY_NSS)
			nss_rewind(kind, false);
	return r == -ENODATA ? 0 : r;
}

void source_end(enum names_kind kind)
{
	slot_put(&cursors[kind], NULL, false);
	for (size_t i = 0; i < config()->nnames; i++)
		if (answers((enum config_names)config()->names[i], kind) == BY_NSS)
			nss_rewind(kind, true);
}

/* The next entry of the table that the cursor is on. */
static int table_next(enum names_kind kind, struct table *t, void *ret, char *buf, size_t n)
{
	uint32_t at = __atomic_load_n(&t->next, __ATOMIC_RELAXED);
	const struct names_line *line;
	int r;

	if (t->nss)
		return nss_next(kind, ret, buf, n);
	line = names_next(&t->names, &at);
	if (n < LEAST || n < names_skipped(&t->names, at))
		return -ERANGE;
	if (!line)
		return 0;
	r = names_fill(&t->names, line, ret, buf, n);
	if (r == 0)
		__atomic_store_n(&t->next, at + 1, __ATOMIC_RELAXED);
	return r == 0 ? 1 : r;
}

int source_next(enum names_kind kind, void *ret, char *buf, size_t n)
{
	struct table *t = slot_enter(&cursors[kind]);
	uint32_t turn;
	int r = t ? 0 : cursor_start(kind, 0, &t);

	/* glibc keeps silent about a file that it could not open; a directory opens */
	if (r < 0)
		return r != -ENODATA && (r == -EISDIR || config()->musl) ? reader_says(r, n) : 0;
	for (;;) {
		turn = t->turn;
		r = table_next(kind, t, ret, buf, n);
		slot_leave(&cursors[kind], t);
		/* the last one stays, at its end */
		if (r != 0 || cursor_start(kind, turn + 1, &t) < 0)
			return r;
	}
}

/* -- a user's groups ---------------------------------------------------------------------- */

static long nss_groups(const char *user, gid_t gid, gid_t *out, size_t n)
{
	int (*f)(const char *, gid_t, gid_t *, int *) = REAL(getgrouplist);
	int have = n > INT_MAX ? INT_MAX : (int)n;

	if (!f)
		return 0;
	f(user, gid, out, &have); /* too small is -1, and their number all the same */
	return have;
}

/* What one source adds to the group that the user has anyway. */
static long ask_groups(enum config_names source, enum answers by, const char *user, gid_t gid, gid_t *out, size_t n)
{
	struct table *t;
	long r;

	if (config()->musl)
		gid = (gid_t)-1; /* the group that the user has anyway is listed twice there */
	switch (by) {
	case BY_FILE:
		r = file_table(source, NAMES_GROUP, &t);
		if (r < 0)
			return r;
		r = (long)names_groups(&t->names, user, gid, out, n);
		slot_leave(slot_of(source, NAMES_GROUP), t);
		return r;
	case BY_FIXED:
		r = fixed_table(source, NAMES_GROUP, &t);
		return r < 0 ? r : (long)names_groups(&t->names, user, gid, out, n);
	case BY_NSS:
		return nss_groups(user, gid, out, n);
	default:
		return 0;
	}
}

/* Those of out's [had, have) that are not among its first had; how many there are then. */
static size_t without_known(gid_t *out, size_t had, size_t have)
{
	size_t to = had;

	for (size_t i = had; i < have; i++) {
		size_t k = 0;

		while (k < had && out[k] != out[i])
			k++;
		if (k == had)
			out[to++] = out[i];
	}
	return to;
}

/* All of them, to out, which has room for n: how many there are, more than n when that was too small
 * (then nobody knows how many are twice), or -errno. */
static long gather_groups(const char *user, gid_t gid, gid_t *out, size_t n, int *ret_unread)
{
	const struct config *c = config();
	size_t have = 1;
	long r = 0;

	if (n)
		out[0] = gid;
	for (size_t i = 0; i < c->nnames; i++) {
		const enum config_names source = (enum config_names)c->names[i];
		const enum answers by = answers(source, NAMES_GROUP);
		const bool fits = have < n;

		if (by == BY_END)
			break;
		r = ask_groups(source, by, user, gid, fits ? out + have : NULL, fits ? n - have : 0);
		if (r < 0)
			continue;
		if (i > 0 && fits && (size_t)r <= n - have)
			have = without_known(out, have, have + (size_t)r);
		else
			have += (size_t)r;
	}
	/* glibc takes any file that it cannot read for an empty one, though errno tells; musl one that
	 * is not there */
	*ret_unread = r < 0 ? (int)-r : 0;
	return r < 0 && c->musl && r != -ENOENT && r != -ENOTDIR ? r : (long)have;
}

long source_groups(const char *user, gid_t gid, gid_t *out, size_t n, int *ret_unread)
{
	size_t room = n;
	gid_t *all = out;
	long r;

	while ((r = gather_groups(user, gid, all, room, ret_unread)) > (long)room) {
		if (all != out)
			unmap(all, room * sizeof *all);
		if (config()->nnames == 1)
			return r; /* exact already */
		room = (size_t)r;
		all = sys_pages(room * sizeof *all);
		if (!all)
			return -ENOMEM;
	}
	if (all != out) {
		if (r > 0)
			memcpy(out, all, (r < (long)n ? (size_t)r : n) * sizeof *out);
		unmap(all, room * sizeof *all);
	}
	return r;
}

/* -- what is wrong with a file ----------------------------------------------------------------- */

static void check(enum names_kind kind, const char *file, const struct table *t)
{
	enum { MOST = 20 };
	const char *reason;
	uint32_t line = 0;
	size_t at = 0;

	for (unsigned said = 0; (reason = names_wrong(kind, t->text, t->bytes, &at, &line)); said++) {
		char number[24];
		struct str s = {number, number + sizeof number};

		str_num(&s, line);
		if (said == MOST) {
			SAY(file, ":", number, ": this and further lines are skipped, too");
			return;
		}
		SAY(file, ":", number, ": skipped: ", reason);
	}
}

void source_check(void)
{
	const struct config *c = config();

	for (size_t i = 0; i < c->nnames; i++)
		for (enum names_kind kind = NAMES_PASSWD; kind <= NAMES_GROUP; kind++) {
			const enum config_names source = (enum config_names)c->names[i];
			struct table *t;
			int r;

			if (answers(source, kind) != BY_FILE)
				continue;
			r = table_load(source, kind, &t);
			if (r < 0) {
				SAY(file_of(source, kind), ": ", why(r));
				continue;
			}
			check(kind, file_of(source, kind), t);
			table_free(t);
		}
}
