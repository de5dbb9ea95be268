/* SPDX-License-Identifier: ISC
 *
 * The entrances that turn a uid or gid into a name and back: each function's own protocol.  Who is
 * asked is source.c's, what a line means names.c's. */
#include <utmp.h>
#include "../config.h"
#include "../env.h"
#include "../record.h"
#include "../source.h"
#include "../sys.h"
#include "../wrap.h"
#include "glibc.h"

/* What getpwnam_r(3) can fill. */
union entry {
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	struct names_sgrp sg;
};

/* What source_find said, as errno shows it: an error sets it; glibc, not musl, makes it 0 otherwise, for
 * a hit too, and getpwnam(3)'s "NULL and errno 0 is not found" has come to rely on that. */
static int found(int r)
{
	if (r < 0)
		errno_set(-r);
	else if (!config()->musl)
		errno_set(0);
	return r;
}

/* musl's getspnam(3) takes a shadow file that is not there for one without entries, though errno tells,
 * and a directory. */
static bool unread_is_empty(enum names_kind kind, int r)
{
	return kind == NAMES_SHADOW && config()->musl && (r == -ENOENT || r == -ENOTDIR || r == -EISDIR);
}

/* getpwnam_r(3): "not found" is success with *ret NULL; the error is returned, and only ERANGE
 * asks the caller to come back with more room. */
static int find_r(enum names_kind kind, const char *name, uint32_t id, void *entry, char *buf,
	size_t n, void **ret)
{
	int r;

	if (!entry || !ret || (!buf && n))
		return -found(-EFAULT);
	r = source_find(kind, name, id, entry, buf, n);
	r = found(r == -EISDIR && unread_is_empty(kind, r) ? 0 : r);
	*ret = r > 0 ? entry : NULL;
	return r < 0 && !unread_is_empty(kind, r) ? -r : 0;
}

/* The result of a function that returns a static one.  Each function has its own, as in glibc.
 * A larger one takes its place when needed; the smaller ones, which together are smaller than
 * the last, stay: a program may still hold what it got. */
struct still {
	size_t room;
	union entry entry;
	char buf[];
};

/* musl's functions of a kind share one. */
static struct still **still_slot(struct still **own, enum names_kind kind)
{
	static struct still *shared[NAMES_KINDS];

	return config()->musl ? &shared[kind] : own;
}

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

static void *find_still(struct still **own, enum names_kind kind, const char *name, uint32_t id)
{
	struct still **slot = still_slot(own, kind), *s = still_get(slot);
	int r = -ERANGE;

	while (s && (r = source_find(kind, name, id, &s->entry, s->buf, s->room)) == -ERANGE)
		s = still_grow(slot, s);
	if (s && unread_is_empty(kind, r))
		return NULL;
	return found(s ? r : -ENOMEM) > 0 ? &s->entry : NULL;
}

/* errno for a name that is not looked up: a program may pass NULL; musl asks /etc/tcb/NAME first. */
static int name_wrong(enum names_kind kind, const char *name)
{
	if (!name)
		return EFAULT;
	if (kind != NAMES_SHADOW || !config()->musl)
		return 0;
	return !*name || *name == '.' || mem_find(name, '/') ? EINVAL : 0;
}

static void *find_still_name(struct still **slot, enum names_kind kind, const char *name)
{
	const int wrong = name_wrong(kind, name);

	if (wrong) {
		errno_set(wrong);
		return NULL;
	}
	return find_still(slot, kind, name, 0);
}

static int find_name_r(enum names_kind kind, const char *name, void *entry, char *buf, size_t n,
	void **ret)
{
	const int wrong = name_wrong(kind, name);

	if (wrong) {
		if (ret)
			*ret = NULL;
		errno_set(wrong);
		return wrong;
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

struct names_sgrp *jail_getsgnam(const char *name)
{
	static struct still *still;

	return find_still_name(&still, NAMES_GSHADOW, name);
}

int jail_getsgnam_r(const char *name, struct names_sgrp *sg, char *buf, size_t n, struct names_sgrp **ret)
{
	return find_name_r(NAMES_GSHADOW, name, sg, buf, n, (void **)ret);
}

/* getpw(3): a passwd line in a buffer of unknown size.  glibc reads with _SC_GETPW_R_SIZE_MAX bytes, and
 * gives up where that is too small. */
int jail_getpw(uid_t uid, char *buf)
{
	char text[1024];
	struct passwd entry, *pw = &entry;
	struct str s = {buf, (char *)UINTPTR_MAX};

	if (!buf) {
		errno_set(EINVAL);
		return -1;
	}
	if (found(source_find(NAMES_PASSWD, NULL, uid, pw, text, sizeof text)) <= 0)
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

/* Opens the file anew, as glibc's setpwent(3) does. */
static void cursor_set(enum names_kind kind)
{
	const int r = source_rewind(kind);

	/* A directory opens, and getpwent(3) will tell; musl looks at the file only there. */
	if (r < 0 && r != -EISDIR && !config()->musl)
		errno_set(-r);
}

static void *cursor_still(struct still **own, enum names_kind kind)
{
	struct still **slot = still_slot(own, kind), *s = still_get(slot);
	int r = -ERANGE;

	while (s && (r = source_next(kind, &s->entry, s->buf, s->room)) == -ERANGE)
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
	int r = entry && ret && (buf || !n) ? source_next(kind, entry, buf, n) : -EFAULT;

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
	source_end(NAMES_PASSWD);
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
	source_end(NAMES_GROUP);
}

struct spwd *jail_getspent(void)
{
	static struct still *still;

	return config()->musl ? NULL : cursor_still(&still, NAMES_SHADOW); /* a stub there */
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
	source_end(NAMES_SHADOW);
}

struct names_sgrp *jail_getsgent(void)
{
	static struct still *still;

	return cursor_still(&still, NAMES_GSHADOW);
}

int jail_getsgent_r(struct names_sgrp *sg, char *buf, size_t n, struct names_sgrp **ret)
{
	return cursor_r(NAMES_GSHADOW, sg, buf, n, (void **)ret);
}

void jail_setsgent(void)
{
	cursor_set(NAMES_GSHADOW);
}

void jail_endsgent(void)
{
	source_end(NAMES_GSHADOW);
}

/* -- a user's groups ---------------------------------------------------------------------- */

int jail_getgrouplist(const char *user, gid_t gid, gid_t *groups, int *ngroups)
{
	long r = -EFAULT;
	int room = 0, unread = 0;

	if (user && ngroups && (groups || *ngroups <= 0)) {
		room = *ngroups > 0 ? *ngroups : 0;
		r = source_groups(user, gid, groups, (size_t)room, &unread);
	}
	if (r < 0)
		return EDGE(int, r);
	if (unread)
		errno_set(unread);
	*ngroups = (int)r;
	return r > room ? -1 : (int)r; /* getgrouplist(3): too small is -1 and the number, no errno */
}

int jail_initgroups(const char *user, gid_t gid)
{
	enum { MUSL_GROUPS = 32 }; /* its NGROUPS_MAX, more than which it does not try */
	int (*set)(size_t, const gid_t *) = LIBC(setgroups, int, (size_t, const gid_t *));
	int r, was = *__errno_location(), unread, refused = 0;
	size_t n, room = 4096;
	gid_t *groups = NULL;
	long have;

	if (!user || !set)
		return EDGE(int, user ? -ENOSYS : -EFAULT);
	for (;; room = ((size_t)have + 64) * sizeof *groups) { /* the file may have grown meanwhile */
		groups = sys_pages(room);
		if (!groups)
			return EDGE(int, -ENOMEM);
		have = source_groups(user, gid, groups, room / sizeof *groups, &unread);
		if (have <= (long)(room / sizeof *groups))
			break;
		sys_call(SYS_munmap, groups, room);
	}
	if (have < 0) {
		sys_call(SYS_munmap, groups, room);
		return EDGE(int, have);
	}
	if (config()->musl && have > MUSL_GROUPS) {
		sys_call(SYS_munmap, groups, room);
		return -1; /* and errno stays */
	}
	n = (size_t)have;
	/* More than the kernel takes: as many as it does.  The libc's own function, because it
	 * makes every thread follow (nptl(7)). */
	while ((r = set(n, groups)) < 0 && *__errno_location() == EINVAL && --n > 0)
		refused = EINVAL; /* and errno keeps it */
	if (r == 0)
		errno_set(refused ? refused : unread ? unread : was);
	sys_call(SYS_munmap, groups, room);
	return r;
}

/* -- who is logged in --------------------------------------------------------------------- */

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
	if (n < 0)
		return n;
	if (n == 0 || n == (long)sizeof text)
		return -EINVAL;
	for (long i = 0; i < n && text[i] != '\n'; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		uid = uid * 10 + (unsigned long)(text[i] - '0');
	}
	return (long)(uid_t)uid;
}

/* What utmp(5) of the guest says of the terminal on standard input: 0 or -errno, as
 * sysdeps/unix/getlogin_r.c, whose ESRCH stays in errno. */
static int login_terminal(char *buf, size_t n)
{
	char tty[PATH_MAX];
	struct utmp want, entry, *found = NULL;
	const char *line;
	int r = jail_ttyname_r(0, tty, sizeof tty);
	size_t len;

	if (r)
		return -r;
	line = mem_after(tty, "/dev/");
	if (!line)
		line = tty;
	len = strlen(line) + 1;
	memset(&want, 0, sizeof want);
	memcpy(want.ut_line, line, len < sizeof want.ut_line ? len : sizeof want.ut_line);
	jail_setutent();
	if (jail_getutline_r(&want, &entry, &found) < 0) {
		r = -*__errno_location();
		r = r == -ESRCH ? -ENOENT : r;
	} else {
		for (len = 0; len < sizeof found->ut_user && found->ut_user[len]; len++)
			;
		if (len + 1 > n) {
			r = -ERANGE;
			errno_set(ERANGE);
		} else {
			memcpy(buf, found->ut_user, len);
			buf[len] = '\0';
		}
	}
	jail_endutent();
	return r;
}

/* glibc's getlogin_r(3), errno and all: the audit system's idea first, then the terminal's.  Where that
 * system knows of no login, glibc of some releases asks no further (bug 30235, and the correction has
 * been taken back to others): libc itself, which looks up no name then, knows what it does.  Since
 * 2.41 what fails otherwise fails, and no terminal is asked (2.40 does not yet). */
static int login_glibc(char *buf, size_t n)
{
	const bool strict = !glibc_before(41);
	int (*real)(char *, size_t) = REAL(getlogin_r);
	char own[64];
	long uid = login_uid(), r;

	if (uid == (long)(uid_t)-1)
		return real && real(own, sizeof own) == ENXIO ? -ENXIO : login_terminal(buf, n);
	if (uid < 0) {
		if (uid != -EINVAL) /* a text that is no number */
			errno_set((int)-uid);
		return strict && uid != -ENOENT ? (int)uid : login_terminal(buf, n);
	}
	r = source_name((uid_t)uid, buf, 0);
	if (r > 0 && (size_t)r <= n)
		r = source_name((uid_t)uid, buf, n);
	if (r <= 0) {
		errno_set((int)-r); /* not found: getpwuid_r(3) leaves 0 */
		return !strict ? login_terminal(buf, n) : r ? (int)r : -ENOENT;
	}
	r = (size_t)r <= n ? 0 : -ERANGE;
	errno_set((int)-r);
	return (int)r;
}

/* musl's getlogin(3) is $LOGNAME. */
static int login_name(char *buf, size_t n)
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
	r = login_name(name, sizeof name);
	if (r == 0)
		return name;
	if (*__errno_location() == ESRCH) /* here glibc corrects itself (sysdeps/unix/getlogin.c) */
		errno_set(ENOENT);
	return NULL;
}

int jail_getlogin_r(char *buf, size_t n)
{
	int r = buf || !n ? login_name(buf, n) : -EFAULT;

	if (r == -EFAULT && !config()->musl)
		errno_set(EFAULT);
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
	char text[2048]; /* musl's room for the entry; glibc's is half of it */
	struct passwd pw;
	int r = found(source_find(NAMES_PASSWD, NULL, (uid_t)sys_call(SYS_geteuid), &pw, text,
		sizeof text / (musl ? 1 : 2)));
	size_t len = r > 0 ? strlen(pw.pw_name) : 0;

	if (r < 0 && !buf)
		return NULL;
	if (r <= 0 || (musl && len >= room)) {
		if (buf)
			*buf = '\0';
		return buf;
	}
	if (!buf)
		buf = name;
	memset(buf, 0, musl ? len + 1 : room); /* strncpy(3), which glibc uses, fills up */
	memcpy(buf, pw.pw_name, len < room ? len : room - 1);
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
