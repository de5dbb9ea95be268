/* SPDX-License-Identifier: ISC
 *
 * The entrances that turn a uid or gid into a name and back.  They know which file of the guest is
 * asked, when what was read of it is out of date, and each function's own protocol; what a line
 * means is names.c's.  Nobody here asks NSS: a root that carries a libnss_files.so of its own
 * does not get it run (CVE-2019-14271).
 *
 * glibc opens the file at every lookup, so a user who has just run useradd(8), and a process that
 * has just called chroot(2), expect the new answer.  We ask for the file's status instead, and
 * read it only when that has changed.
 *
 * A table never changes once it is published, and goes when its last reader has left: the slot
 * that publishes it counts those who come in the same word as its address, the table those who
 * leave after it was replaced.  So there is no lock that a forked child could find taken, and a
 * program that adds a million users holds one table, not a million.  What can leak is one table
 * for each reader that never leaves: one that was in here, in another thread, when the process
 * forked, or that a signal handler took away with siglongjmp(3). */
#include <sys/ioctl.h>
#include "../config.h"
#include "../env.h"
#include "../names.h"
#include "../record.h"
#include "../sys.h"
#include "../wrap.h"

/* What getpwnam_r(3) can fill. */
union entry {
	struct passwd pw;
	struct group gr;
	struct spwd sp;
};

struct table {
	struct names names;
	struct stat st;    /* of the file, before it was read */
	bool fresh;        /* its status may not tell a later change */
	int left;          /* readers that left after it was replaced, negative */
	uint32_t next;     /* getpwent(3): the line that comes next */
	char *text;
	size_t text_room, room;
};

/* -- reading a file ----------------------------------------------------------------------- */

static const char *file_of(enum names_kind kind)
{
	const struct config *c = config();
	const char *own = kind == NAMES_PASSWD ? c->passwd : kind == NAMES_GROUP ? c->group : NULL;

	if (own && *own)
		return own;
	return kind == NAMES_PASSWD ? "/etc/passwd" :
	       kind == NAMES_GROUP  ? "/etc/group" :
				      "/etc/shadow";
}

static void unmap(void *p, size_t n)
{
	sys_call(SYS_munmap, p, n);
}

static void table_free(struct table *t)
{
	unmap(t->text, t->text_room);
	unmap(t, t->room);
}

/* All of fd, in *ret of *ret_room bytes: their number or -errno. */
static ssize_t read_all(int fd, size_t guess, char **ret, size_t *ret_room)
{
	size_t room = guess < 4096 ? 4096 : guess, used = 0;
	char *text = sys_pages(room), *more;
	ssize_t r = -ENOMEM;

	while (text) {
		r = sys_read(fd, text + used, room - used);
		if (r == -EINTR)
			continue;
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
 * we read it can change once more without showing it (two seconds: FAT's step; others have a
 * tick).  One that not everybody may read is opened each time, because a process that gives up
 * its privileges loses the file too. */
static bool status_tells(const struct stat *st)
{
	struct timespec now;

	if (!S_ISREG(st->st_mode))
		return true;
	if (!(st->st_mode & S_IROTH))
		return false;
	sys_call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &now);
	return now.tv_sec - st->st_ctim.tv_sec > 2;
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

static int table_read(int fd, enum names_kind kind, struct table **ret)
{
	struct table *t, head = {.fresh = true};
	ssize_t n;
	int r = sys_fstat(fd, &head.st);

	if (r < 0)
		return r;
	head.fresh = !status_tells(&head.st);
	if (S_ISREG(head.st.st_mode) && head.st.st_size > NAMES_TEXT_MAX)
		return -EFBIG;
	/* one byte more than there should be: its read is the one that finds the end */
	n = read_all(fd, S_ISREG(head.st.st_mode) ? (size_t)head.st.st_size + 1 : 0, &head.text,
		&head.text_room);
	if (n < 0)
		return (int)n;
	head.room = sizeof *t + names_size(head.text, (size_t)n);
	t = sys_pages(head.room);
	if (!t) {
		unmap(head.text, head.text_room);
		return -ENOMEM;
	}
	*t = head;
	names_build(&t->names, kind, t->text, (size_t)n, t + 1);
	*ret = t;
	return 0;
}

static int table_load(enum names_kind kind, struct table **ret)
{
	int r, fd = (int)guest_open_own(AT_FDCWD, file_of(kind), O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	r = table_read(fd, kind, ret);
	sys_close(fd);
	return r;
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

static uint64_t slots[2];   /* NAMES_PASSWD, NAMES_GROUP: what lookups share */
static uint64_t cursors[3]; /* getpwent, getgrent, getspent: their own, as it was when they began */

/* Where tables of this kind are published.  shadow(5) is not: a process that gave up its
 * privileges must not find the passwords of before. */
static uint64_t *slot_of(enum names_kind kind)
{
	return kind == NAMES_SHADOW ? NULL : &slots[kind];
}

/* The table of the file as it is now; slot_leave(slot_of(kind), *ret) gives it back. */
static int table_get(enum names_kind kind, struct table **ret)
{
	uint64_t *slot = slot_of(kind);
	struct table *t = slot ? slot_enter(slot) : NULL;
	struct stat st;
	int r = 0;

	if (t) {
		r = t->fresh ? 1 : (int)guest_newfstatat(AT_FDCWD, file_of(kind), &st, 0);
		if (r == 0 && same_file(&st, &t->st)) {
			*ret = t;
			return 0;
		}
		slot_leave(slot, t);
		if (r < 0)
			return r;
	}
	r = table_load(kind, ret);
	if (r == 0 && slot)
		slot_put(slot, *ret, true);
	return r;
}

/* -- lookups ------------------------------------------------------------------------------ */

/* 1 and *ret, 0 (no such entry) or -errno.  name NULL: by id. */
static int find(enum names_kind kind, const char *name, uint32_t id, void *ret, char *buf, size_t n)
{
	struct table *t;
	int r = table_get(kind, &t);

	if (r < 0)
		return r;
	r = names_find(&t->names, name, id, ret, buf, n);
	slot_leave(slot_of(kind), t);
	return r;
}

/* What find said, as errno shows it: an error sets it; glibc, not musl, makes it 0 otherwise, for
 * a hit too, and getpwnam(3)'s "NULL and errno 0 is not found" has come to rely on that. */
static int found(int r)
{
	if (r < 0)
		errno_set(-r);
	else if (!config()->musl)
		errno_set(0);
	return r;
}

/* getpwnam_r(3): "not found" is success with *ret NULL; the error is returned, and only ERANGE
 * asks the caller to come back with more room. */
static int find_r(enum names_kind kind, const char *name, uint32_t id, void *entry, char *buf,
	size_t n, void **ret)
{
	int r;

	if (!entry || !ret || (!buf && n))
		return -found(-EFAULT);
	r = found(find(kind, name, id, entry, buf, n));
	*ret = r > 0 ? entry : NULL;
	return r < 0 ? -r : 0;
}

/* The result of a function that returns a static one.  Each function has its own, as in glibc.
 * A larger one takes its place when needed; the smaller ones, which together are smaller than
 * the last, stay: a program may still hold what it got. */
struct still {
	size_t room;
	union entry entry;
	char buf[];
};

/* Makes the still one larger; NULL: no memory. */
static struct still *still_grow(struct still **slot, struct still *was)
{
	size_t room = was ? 2 * (was->room + sizeof *was) : 4096;
	struct still *s = sys_pages(room);

	if (s) {
		s->room = room - sizeof *s;
		__atomic_store_n(slot, s, __ATOMIC_RELEASE);
	}
	return s;
}

static struct still *still_get(struct still **slot)
{
	struct still *s = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

	return s ? s : still_grow(slot, NULL);
}

static void *find_still(struct still **slot, enum names_kind kind, const char *name, uint32_t id)
{
	struct still *s = still_get(slot);
	int r = -ERANGE;

	while (s && (r = find(kind, name, id, &s->entry, s->buf, s->room)) == -ERANGE)
		s = still_grow(slot, s);
	return found(s ? r : -ENOMEM) > 0 ? &s->entry : NULL;
}

/* By name, for a program that may pass NULL. */
static void *find_still_name(struct still **slot, enum names_kind kind, const char *name)
{
	if (!name) {
		errno_set(EFAULT);
		return NULL;
	}
	return find_still(slot, kind, name, 0);
}

static int find_name_r(enum names_kind kind, const char *name, void *entry, char *buf, size_t n,
	void **ret)
{
	if (!name) {
		errno_set(EFAULT);
		return EFAULT;
	}
	return find_r(kind, name, 0, entry, buf, n, ret);
}

struct passwd *jail_getpwnam(const char *name)
{
	static struct still *still;

	return find_still_name(&still, NAMES_PASSWD, name);
}

struct passwd *jail_getpwuid(uid_t uid)
{
	static struct still *still;

	return find_still(&still, NAMES_PASSWD, NULL, uid);
}

int jail_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t n, struct passwd **ret)
{
	return find_name_r(NAMES_PASSWD, name, pw, buf, n, (void **)ret);
}

int jail_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t n, struct passwd **ret)
{
	return find_r(NAMES_PASSWD, NULL, uid, pw, buf, n, (void **)ret);
}

struct group *jail_getgrnam(const char *name)
{
	static struct still *still;

	return find_still_name(&still, NAMES_GROUP, name);
}

struct group *jail_getgrgid(gid_t gid)
{
	static struct still *still;

	return find_still(&still, NAMES_GROUP, NULL, gid);
}

int jail_getgrnam_r(const char *name, struct group *gr, char *buf, size_t n, struct group **ret)
{
	return find_name_r(NAMES_GROUP, name, gr, buf, n, (void **)ret);
}

int jail_getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t n, struct group **ret)
{
	return find_r(NAMES_GROUP, NULL, gid, gr, buf, n, (void **)ret);
}

struct spwd *jail_getspnam(const char *name)
{
	static struct still *still;

	return find_still_name(&still, NAMES_SHADOW, name);
}

int jail_getspnam_r(const char *name, struct spwd *sp, char *buf, size_t n, struct spwd **ret)
{
	return find_name_r(NAMES_SHADOW, name, sp, buf, n, (void **)ret);
}

/* getpw(3): a passwd line in a buffer of unknown size. */
int jail_getpw(uid_t uid, char *buf)
{
	static struct still *still;
	struct passwd *pw;
	struct str s = {buf, (char *)UINTPTR_MAX};

	if (!buf) {
		errno_set(EINVAL);
		return -1;
	}
	pw = find_still(&still, NAMES_PASSWD, NULL, uid);
	if (!pw)
		return -1;
	str_puts(&s, pw->pw_name);
	str_puts(&s, ":");
	str_puts(&s, pw->pw_passwd);
	str_puts(&s, ":");
	str_num(&s, pw->pw_uid);
	str_puts(&s, ":");
	str_num(&s, pw->pw_gid);
	str_puts(&s, ":");
	str_puts(&s, pw->pw_gecos);
	str_puts(&s, ":");
	str_puts(&s, pw->pw_dir);
	str_puts(&s, ":");
	str_puts(&s, pw->pw_shell);
	return 0;
}

/* -- one after the other ------------------------------------------------------------------ */

/* Opens the file anew, as glibc's setpwent(3) does: a program may call it, then chroot(2). */
static int cursor_start(enum names_kind kind, struct table **ret)
{
	struct table *t;
	int r = table_load(kind, &t);

	slot_put(&cursors[kind], r < 0 ? NULL : t, ret != NULL);
	if (r == 0 && ret)
		*ret = t;
	return r;
}

static void cursor_set(enum names_kind kind)
{
	int r = cursor_start(kind, NULL);

	/* A directory opens, and getpwent(3) will tell; musl looks at the file only there. */
	if (r < 0 && r != -EISDIR && !config()->musl)
		errno_set(-r);
}

static void cursor_end(enum names_kind kind)
{
	slot_put(&cursors[kind], NULL, false);
}

/* 1 and *ret, 0 at the end, or -errno.  -ERANGE does not move on. */
static int cursor_next(enum names_kind kind, void *ret, char *buf, size_t n)
{
	struct table *t = slot_enter(&cursors[kind]);
	const struct names_line *line;
	uint32_t at;
	int r;

	if (!t) {
		r = cursor_start(kind, &t);
		/* glibc keeps silent about a file that it could not open */
		if (r < 0)
			return r == -EISDIR || config()->musl ? r : 0;
	}
	at = __atomic_load_n(&t->next, __ATOMIC_RELAXED);
	line = names_next(&t->names, &at);
	r = n < 3 ? -ERANGE : 0; /* glibc's reader wants that much even to see the end */
	if (r == 0 && line) {
		r = names_fill(&t->names, line, ret, buf, n);
		if (r == 0) {
			__atomic_store_n(&t->next, at + 1, __ATOMIC_RELAXED);
			r = 1;
		}
	}
	slot_leave(&cursors[kind], t);
	return r;
}

static void *cursor_still(struct still **slot, enum names_kind kind)
{
	struct still *s = still_get(slot);
	int r = -ERANGE;

	while (s && (r = cursor_next(kind, &s->entry, s->buf, s->room)) == -ERANGE)
		s = still_grow(slot, s);
	if (!s)
		r = -ENOMEM;
	if (r < 0)
		errno_set(-r);
	return r > 0 ? &s->entry : NULL;
}

/* getpwent_r(3): the end, and a file that is not there, is ENOENT, returned; errno keeps still. */
static int cursor_r(enum names_kind kind, void *entry, char *buf, size_t n, void **ret)
{
	int r = entry && ret && (buf || !n) ? cursor_next(kind, entry, buf, n) : -EFAULT;

	if (ret)
		*ret = r > 0 ? entry : NULL;
	if (r < 0)
		errno_set(-r);
	return r > 0 ? 0 : r == -ERANGE || r == -EFAULT ? -r : ENOENT;
}

struct passwd *jail_getpwent(void)
{
	static struct still *still;

	return cursor_still(&still, NAMES_PASSWD);
}

int jail_getpwent_r(struct passwd *pw, char *buf, size_t n, struct passwd **ret)
{
	return cursor_r(NAMES_PASSWD, pw, buf, n, (void **)ret);
}

void jail_setpwent(void)
{
	cursor_set(NAMES_PASSWD);
}

void jail_endpwent(void)
{
	cursor_end(NAMES_PASSWD);
}

struct group *jail_getgrent(void)
{
	static struct still *still;

	return cursor_still(&still, NAMES_GROUP);
}

int jail_getgrent_r(struct group *gr, char *buf, size_t n, struct group **ret)
{
	return cursor_r(NAMES_GROUP, gr, buf, n, (void **)ret);
}

void jail_setgrent(void)
{
	cursor_set(NAMES_GROUP);
}

void jail_endgrent(void)
{
	cursor_end(NAMES_GROUP);
}

struct spwd *jail_getspent(void)
{
	static struct still *still;

	return cursor_still(&still, NAMES_SHADOW);
}

int jail_getspent_r(struct spwd *sp, char *buf, size_t n, struct spwd **ret)
{
	return cursor_r(NAMES_SHADOW, sp, buf, n, (void **)ret);
}

void jail_setspent(void)
{
	cursor_set(NAMES_SHADOW);
}

void jail_endspent(void)
{
	cursor_end(NAMES_SHADOW);
}

/* -- a user's groups ---------------------------------------------------------------------- */

/* gid, then the groups that list user: at most n of them to out, their number, or -errno.  A
 * group twice in the file is there twice, as with glibc and musl. */
static long groups_of(struct table *t, const char *user, gid_t gid, gid_t *out, size_t n)
{
	if (n)
		*out = gid;
	return 1 + (t ? (long)names_groups(&t->names, user, gid, n ? out + 1 : out, n ? n - 1 : 0) : 0);
}

/* The table that a user's groups come from; *ret NULL: none, and gid is the only one.  glibc takes
 * any file that it cannot read for that, musl only one that is not there. */
static int groups_table(struct table **ret)
{
	int r = table_get(NAMES_GROUP, ret);

	if (r == 0)
		return 0;
	*ret = NULL;
	return config()->musl && r != -ENOENT && r != -ENOTDIR ? r : 0;
}

int jail_getgrouplist(const char *user, gid_t gid, gid_t *groups, int *ngroups)
{
	struct table *t = NULL;
	long r = user && ngroups && (groups || *ngroups <= 0) ? groups_table(&t) : -EFAULT;
	int room;

	if (r < 0)
		return EDGE(int, r);
	room = *ngroups > 0 ? *ngroups : 0;
	r = groups_of(t, user, gid, groups, (size_t)room);
	if (t)
		slot_leave(slot_of(NAMES_GROUP), t);
	*ngroups = (int)r;
	return r > room ? -1 : (int)r; /* getgrouplist(3): too small is -1 and the number, no errno */
}

int jail_initgroups(const char *user, gid_t gid)
{
	int (*set)(size_t, const gid_t *) = LIBC(setgroups, int, (size_t, const gid_t *));
	int r, was = *__errno_location();
	struct table *t = NULL;
	gid_t *groups;
	size_t n, room;

	r = user ? groups_table(&t) : -EFAULT;
	if (r < 0 || !set)
		return EDGE(int, r < 0 ? r : -ENOSYS);
	n = (size_t)groups_of(t, user, gid, NULL, 0);
	room = n * sizeof *groups;
	groups = sys_pages(room);
	if (groups)
		groups_of(t, user, gid, groups, n);
	if (t)
		slot_leave(slot_of(NAMES_GROUP), t);
	if (!groups)
		return EDGE(int, -ENOMEM);
	/* More than the kernel takes: as many as it does.  The libc's own function, because it
	 * makes every thread follow (nptl(7)). */
	while ((r = set(n, groups)) < 0 && *__errno_location() == EINVAL && --n > 0)
		;
	if (r == 0)
		errno_set(was);
	unmap(groups, room);
	return r;
}

/* -- who is logged in --------------------------------------------------------------------- */

/* The name of uid to buf, cut off at n: its bytes with the NUL, 0 where there is none, -errno. */
static long name_of(uid_t uid, char *buf, size_t n)
{
	const struct names_line *line;
	struct table *t;
	long r = table_get(NAMES_PASSWD, &t);
	size_t len;

	if (r < 0)
		return r;
	line = names_by_id(&t->names, uid);
	if (line) {
		r = (long)line->name_len + 1;
		len = line->name_len < n ? line->name_len : n ? n - 1 : 0;
		memcpy(buf, t->names.text + line->at, len);
		if (n)
			buf[len] = '\0';
	}
	slot_leave(slot_of(NAMES_PASSWD), t);
	return r;
}

/* The login uid of proc(5), or -errno; (uid_t)-1: nobody logged in. */
static long login_uid(void)
{
	long fd = guest_open_own(AT_FDCWD, "/proc/self/loginuid", O_RDONLY | O_CLOEXEC, 0), n;
	unsigned long uid = 0;
	char text[12];

	if (fd < 0)
		return fd;
	n = sys_read((int)fd, text, sizeof text);
	sys_close((int)fd);
	if (n <= 0 || n == (long)sizeof text)
		return -EINVAL;
	for (long i = 0; i < n && text[i] != '\n'; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		uid = uid * 10 + (unsigned long)(text[i] - '0');
	}
	return (long)(uid_t)uid;
}

/* glibc's getlogin_r(3): the audit system's idea first, then what utmp(5) says of the terminal on
 * standard input; we keep no utmp, so no terminal ever has an entry.  0 or -errno. */
static int login_glibc(char *buf, size_t n)
{
	char termios[256]; /* more than the kernel's struct termios, which no header of libc has */
	long uid = login_uid(), r;

	if (uid == (long)(uid_t)-1)
		return -ENXIO;
	r = uid < 0 ? uid : name_of((uid_t)uid, buf, n);
	if (r > 0)
		return (size_t)r <= n ? 0 : -ERANGE;
	r = sys_call(SYS_ioctl, 0, TCGETS, termios);
	return r < 0 ? (int)r : -ENOENT;
}

/* musl's getlogin(3) is $LOGNAME. */
static int login(char *buf, size_t n)
{
	const char *name;

	if (!config()->musl)
		return login_glibc(buf, n);
	name = env_get(config_environ(), "LOGNAME");
	if (!name)
		return -ENXIO;
	if (strlen(name) >= n)
		return -ERANGE;
	memcpy(buf, name, strlen(name) + 1);
	return 0;
}

char *jail_getlogin(void)
{
	static char name[33]; /* UT_NAMESIZE + 1 */
	int r;

	if (config()->musl) /* no errno, no limit: the variable itself */
		return (char *)(uintptr_t)env_get(config_environ(), "LOGNAME");
	r = login(name, sizeof name);
	if (r == 0) {
		errno_set(0); /* its getpwuid_r(3) did */
		return name;
	}
	errno_set(-r);
	return NULL;
}

int jail_getlogin_r(char *buf, size_t n)
{
	int r = buf || !n ? login(buf, n) : -EFAULT;

	if (!config()->musl)
		errno_set(-r);
	return -r;
}

int jail___getlogin_r_chk(char *buf, size_t n, size_t room)
{
	void (*fail)(void);

	if (n > room) {
		fail = LIBC(__chk_fail, void, (void));
		if (fail)
			fail(); /* does not return */
		n = room;
	}
	return jail_getlogin_r(buf, n);
}

/* cuserid(3): glibc cuts a name off at its L_cuserid, musl (whose L_cuserid is 20) gives up. */
char *jail_cuserid(char *buf)
{
	static char name[20];
	bool musl = config()->musl;
	size_t room = musl ? 20 : 9;
	char text[20];
	long r = name_of((uid_t)sys_call(SYS_geteuid), text, room);

	found((int)r);
	if (r <= 0 || (musl && (size_t)r > room)) {
		if (buf)
			*buf = '\0';
		return buf;
	}
	if (!buf)
		buf = name;
	memset(buf, 0, musl ? 0 : room); /* strncpy(3), which glibc uses, fills up */
	memcpy(buf, text, strlen(text) + 1);
	return buf;
}

/* -- the lock that useradd(8) and its like hold (lckpwdf(3)) ----------------------------------- */

/* glibc opens the file inside itself, so on the host; musl's functions do nothing. */
static int lock_fd = -1;

int jail_lckpwdf(void)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int (*real)(void), none = -1;
	long fd, r;

	if (!state_view() || config()->musl) {
		real = REAL(lckpwdf);
		return real ? real() : -1;
	}
	if (__atomic_load_n(&lock_fd, __ATOMIC_ACQUIRE) >= 0)
		return -1; /* held, by ourselves: errno stays */
	fd = guest_openat(AT_FDCWD, "/etc/.pwd.lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return EDGE(int, fd);
	if (UNLIKELY(record_on))
		record_owner((int)fd, RECORD_OTHER);
	/* lckpwdf(3): 15 seconds, by an alarm there; waiting without one disturbs no handler */
	for (int i = 0; (r = sys_fcntl((int)fd, F_SETLK, (long)&all)) == -EAGAIN || r == -EACCES; i++) {
		if (i == 15 * 20) {
			r = -EINTR;
			break;
		}
		sys_call(SYS_nanosleep, &pause, NULL);
	}
	if (r == 0 && __atomic_compare_exchange_n(&lock_fd, &none, (int)fd, false, __ATOMIC_ACQ_REL,
			      __ATOMIC_ACQUIRE))
		return 0;
	guest_close((int)fd);
	return r < 0 ? EDGE(int, r) : -1;
}

int jail_ulckpwdf(void)
{
	int (*real)(void), fd = __atomic_exchange_n(&lock_fd, -1, __ATOMIC_ACQ_REL);

	if (fd >= 0)
		return EDGE(int, guest_close(fd));
	real = REAL(ulckpwdf); /* taken before there was a root, or not at all: -1 */
	return real ? real() : -1;
}
