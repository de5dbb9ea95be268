/* SPDX-License-Identifier: ISC
 *
 * Asks every function that knows users and groups, and prints each answer whole: what it returned, errno
 * (0xdead before each call), the struct, and for which sizes of the buffer it said ERANGE.  names.sh runs
 * it under the kernel's chroot and under jailrun, where the output must be equal.
 *
 *   names all           every case of /case in turn, each in a process of its own
 *   names root          the same for what root alone may do: shadow, initgroups, the lock
 *   names login         who is logged in, by the audit system's idea and by utmp(5)
 *   names chroot DIR    enumerates, and calls chroot(2) meanwhile
 *
 * /etc/passwd, group and shadow are links into /case/now, which is a link to the case. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <shadow.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>
#include <wordexp.h>

#define DEAD 0xdead
#define LOUD(x) (errno = DEAD, (x))

extern int getpw(uid_t, char *);
extern char *cuserid(char *);

static const char *only, *now = ""; /* the case */

static void text(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	unsigned long sum = 5381;

	if (!s) {
		printf(" NULL");
		return;
	}
	putchar(' ');
	putchar('"');
	for (size_t i = 0; i < n && i < 100; i++)
		if (s[i] < ' ' || s[i] > '~' || s[i] == '"')
			printf("\\%02x", (unsigned char)s[i]);
		else
			putchar(s[i]);
	putchar('"');
	for (size_t i = 0; i < n; i++)
		sum = sum * 33 + (unsigned char)s[i];
	if (n > 100)
		printf("...%zu,%lx", n, sum);
}

static void show_pw(const struct passwd *p)
{
	text(p->pw_name);
	text(p->pw_passwd);
	printf(" %u %u", p->pw_uid, p->pw_gid);
	text(p->pw_gecos);
	text(p->pw_dir);
	text(p->pw_shell);
}

static void show_gr(const struct group *g)
{
	int n = 0;

	text(g->gr_name);
	text(g->gr_passwd);
	printf(" %u", g->gr_gid);
	for (char **m = g->gr_mem; *m; m++)
		if (++n <= 5)
			text(*m);
	printf(" (%d)", n);
	if (n)
		text(g->gr_mem[n - 1]);
}

static void show_sp(const struct spwd *s)
{
	text(s->sp_namp);
	text(s->sp_pwdp);
	printf(" %ld %ld %ld %ld %ld %ld %lu", s->sp_lstchg, s->sp_min, s->sp_max, s->sp_warn, s->sp_inact,
		s->sp_expire, s->sp_flag);
}

enum kind { PW, GR, SP };
static const char *const files[] = {"/etc/passwd", "/etc/group", "/etc/shadow"};

static void show(enum kind kind, const void *entry, int e)
{
	if (e == DEAD)
		printf(" errno -");
	else
		printf(" errno %d", e);
	if (!entry) {
		puts(" none");
		return;
	}
	if (kind == PW)
		show_pw(entry);
	else if (kind == GR)
		show_gr(entry);
	else
		show_sp(entry);
	putchar('\n');
}

#define SHOW(kind, call)                       \
	do {                                   \
		const void *answer_ = LOUD(call); \
		show(kind, answer_, errno);    \
	} while (0)

/* -- keys: what the file itself says, readable or not ------------------------------------------ */

enum { KEYS = 400 };
static char *names[KEYS];
static uint32_t ids[KEYS];
static int nnames, nids;

static void key_name(const char *s, size_t n)
{
	char *key = strndup(s, n);

	for (int i = 0; i < nnames; i++)
		if (strcmp(names[i], key) == 0)
			n = (size_t)-1;
	if (n != (size_t)-1 && nnames < KEYS)
		names[nnames++] = key;
}

static void key_id(uint32_t id)
{
	for (int i = 0; i < nids; i++)
		if (ids[i] == id)
			return;
	if (nids < KEYS)
		ids[nids++] = id;
}

static void keys(enum kind kind)
{
	FILE *f = fopen(files[kind], "r");
	char *line = NULL, *p;
	size_t room = 0;
	int lines = 0;

	nnames = nids = 0;
	key_name("nonesuch", 8);
	key_name("", 0);
	key_name("+", 1);
	key_name("root", 4);
	key_id(0);
	key_id(77777);
	key_id(-1u);
	while (f && getline(&line, &room, f) >= 0 && lines++ < 60) {
		line[strcspn(line, "\n")] = '\0';
		key_name(line, strcspn(line, ":"));
		key_name(line + strspn(line, " \t"), strcspn(line + strspn(line, " \t"), ":"));
		p = strchr(line, ':');
		p = p ? strchr(p + 1, ':') : NULL;
		if (p)
			key_id((uint32_t)strtoul(p + 1, NULL, 10));
	}
	if (f)
		fclose(f);
	free(line);
}

/* -- the reentrant functions, at every size ---------------------------------------------------- */

static char room[1 << 20] __attribute__((aligned(64)));

static int by_r(enum kind kind, const char *name, uint32_t id, void *entry, char *buf, size_t n, void **ret)
{
	*ret = (void *)1;
	errno = DEAD;
	switch (kind) {
	case PW:
		return name ? getpwnam_r(name, entry, buf, n, (struct passwd **)ret)
			    : getpwuid_r(id, entry, buf, n, (struct passwd **)ret);
	case GR:
		return name ? getgrnam_r(name, entry, buf, n, (struct group **)ret)
			    : getgrgid_r(id, entry, buf, n, (struct group **)ret);
	default:
		return getspnam_r(name, entry, buf, n, (struct spwd **)ret);
	}
}

union entry {
	struct passwd pw;
	struct group gr;
	struct spwd sp;
};

/* r, errno and found or not, as one number */
static unsigned long outcome(enum kind kind, const char *name, uint32_t id, char *buf, size_t n)
{
	union entry e;
	void *ret;
	int r = by_r(kind, name, id, &e, buf, n, &ret);

	return (unsigned long)r << 32 | (unsigned long)(errno & 0xffff) << 8 | (ret == &e) << 1 | (ret == NULL);
}

static void told(size_t from, unsigned long o)
{
	printf(" %zu:%lu,%lx,%lu", from, o >> 32, o >> 8 & 0xffff, o & 3);
}

static void sizes(enum kind kind, const char *name, uint32_t id, int nth)
{
	enum { EACH = 500 };
	static const int aligns[] = {0, 1, 4, 7};
	const int most = strcmp(now, "odd") ? 20 : KEYS;

	for (unsigned a = 0; a < (nth < 5 && kind == GR ? 4 : nth < most ? 1 : 0); a++) {
		char *buf = room + aligns[a];
		unsigned long last = outcome(kind, name, id, buf, 0), now;
		const unsigned long end = outcome(kind, name, id, buf, sizeof room - 64);
		size_t n = 1, low, high;

		printf("  sizes +%d", aligns[a]);
		told(0, last);
		for (; n < EACH && last != end; n++) {
			now = outcome(kind, name, id, buf, n);
			if (now != last)
				told(n, last = now);
		}
		if (last != end) {
			/* one change is left: where */
			for (low = n - 1, high = sizeof room - 64; high - low > 1;) {
				n = low + (high - low) / 2;
				*(outcome(kind, name, id, buf, n) == last ? &low : &high) = n;
			}
			told(high, outcome(kind, name, id, buf, high));
		}
		putchar('\n');
	}
}

static void one_r(enum kind kind, const char *name, uint32_t id, int nth)
{
	union entry e;
	void *ret;
	int r = by_r(kind, name, id, &e, room, sizeof room, &ret), was = errno;

	printf("  _r %d", r);
	show(kind, ret, was);
	sizes(kind, name, id, nth);
}

static void lookups(enum kind kind)
{
	const void *p;

	keys(kind);
	for (int i = 0; i < nnames; i++) {
		printf("name");
		text(names[i]);
		p = kind == PW   ? (void *)LOUD(getpwnam(names[i]))
		    : kind == GR ? (void *)LOUD(getgrnam(names[i]))
				 : (void *)LOUD(getspnam(names[i]));
		show(kind, p, errno);
		one_r(kind, names[i], 0, i);
	}
	for (int i = 0; i < nids && kind != SP; i++) {
		printf("id %u", ids[i]);
		p = kind == PW ? (void *)LOUD(getpwuid(ids[i])) : (void *)LOUD(getgrgid(ids[i]));
		show(kind, p, errno);
		one_r(kind, NULL, ids[i], i);
	}
}

/* -- one after the other ------------------------------------------------------------------------ */

static void set(enum kind kind)
{
	errno = DEAD;
	kind == PW ? setpwent() : kind == GR ? setgrent() : setspent();
	printf("set: errno %x\n", errno);
}

static void end(enum kind kind)
{
	errno = DEAD;
	kind == PW ? endpwent() : kind == GR ? endgrent() : endspent();
	printf("end: errno %x\n", errno);
}

static const void *next(enum kind kind)
{
	errno = DEAD;
	return kind == PW ? (void *)getpwent() : kind == GR ? (void *)getgrent() : (void *)getspent();
}

static int next_some(enum kind kind, int most)
{
	const void *p;
	int n = 0;

	do {
		p = next(kind);
		if (n < 80 || !p) {
			printf("next");
			show(kind, p, errno);
		}
	} while (p && ++n < most);
	printf("%d of them\n", n);
	return n;
}

#ifdef __GLIBC__
static int next_r(enum kind kind, void *e, char *buf, size_t n, void **ret)
{
	*ret = (void *)1;
	errno = DEAD;
	return kind == PW   ? getpwent_r(e, buf, n, (struct passwd **)ret)
	       : kind == GR ? getgrent_r(e, buf, n, (struct group **)ret)
			    : getspent_r(e, buf, n, (struct spwd **)ret);
}

/* each entry at the first size that is enough: what was too small must not be skipped */
static void next_sizes(enum kind kind, int align)
{
	union entry e;
	void *ret = &e;
	size_t n;
	int r, was, most = 40;

	set(kind);
	while (ret && most--) {
		for (n = 0; (r = next_r(kind, &e, room + align, n, &ret)) == ERANGE && n < sizeof room - 64;)
			n += n < 400 ? 1 : n;
		was = errno;
		printf("next_r at %zu: %d", n, r);
		show(kind, ret, was);
	}
	end(kind);
}
#else
static void next_sizes(enum kind kind, int align)
{
	(void)kind, (void)align;
}
#endif

static void enumerate(enum kind kind)
{
	set(kind);
	next_some(kind, INT_MAX);
	next_some(kind, 1); /* past the end */
	next_some(kind, 1);
	set(kind);
	next_some(kind, 2);
	end(kind);
	next_some(kind, 3); /* without set */
	/* a lookup in between does not disturb it */
	if (kind == PW)
		(void)!getpwnam("root"), (void)!getpwuid(1);
	else if (kind == GR)
		(void)!getgrnam("root"), (void)!getgrgid(1);
	next_some(kind, 2);
	end(kind);
	end(kind);
	next_sizes(kind, 0);
	next_sizes(kind, 5);
}

/* -- streams of the caller's ----------------------------------------------------------------------- */

static void streams(enum kind kind)
{
	FILE *f = fopen(files[kind], "r"), *out;
	const void *p;
	int n = 0, most = 60, r;
	char line[400];

	if (!f) {
		printf("fget: %d\n", errno);
		return;
	}
	do {
		p = kind == PW ? (void *)LOUD(fgetpwent(f)) : kind == GR ? (void *)LOUD(fgetgrent(f)) : (void *)LOUD(fgetspent(f));
		printf("fget");
		show(kind, p, errno);
		if (p && n++ < 5 && (out = fopen("/case/out", "w+"))) {
			r = kind == PW   ? LOUD(putpwent(p, out))
			    : kind == GR ? LOUD(putgrent(p, out))
					 : LOUD(putspent(p, out));
			printf("put: %d errno %x\n", r, errno);
			rewind(out);
			while (fgets(line, sizeof line, out))
				text(line);
			putchar('\n');
			fclose(out);
		}
	} while (p && most--);
#ifdef __GLIBC__
	union entry e;
	void *ret;

	rewind(f);
	for (size_t size = 0; size < 120; size++) {
		errno = DEAD;
		ret = (void *)1;
		r = kind == PW   ? fgetpwent_r(f, &e.pw, room, size, (struct passwd **)&ret)
		    : kind == GR ? fgetgrent_r(f, &e.gr, room, size, (struct group **)&ret)
				 : fgetspent_r(f, &e.sp, room, size, (struct spwd **)&ret);
		printf("fget_r %zu: %d", size, r);
		show(kind, r ? NULL : ret, errno);
		if (r == ENOENT)
			break;
	}
#endif
	fclose(f);
}

/* -- a user's groups ------------------------------------------------------------------------------- */

static void show_groups(const gid_t *g, int n)
{
	for (int i = 0; i < n; i++)
		printf(" %u", g[i]);
	putchar('\n');
}

static void grouplists(void)
{
	static const char *const users[] = {"root", "alice", "bob", "nonesuch", "", "m7", " sp", "c:d"};
	static gid_t g[8192];

	for (unsigned u = 0; u < sizeof users / sizeof *users; u++)
		for (int gid = 0; gid < 2; gid++)
			for (int most = 0; most < 8; most++) {
				int n = most == 7 ? 8192 : most, r;

				memset(g, 0xee, sizeof g);
				r = LOUD(getgrouplist(users[u], gid ? 501 : 7, g, &n));
				printf("getgrouplist %s %d: %d %d errno %x", users[u], most, r, n, errno);
				show_groups(g, n > most && most < 7 ? most : n);
			}
}

/* -- the rest ----------------------------------------------------------------------------------------- */

static void still(void)
{
	struct passwd *a = getpwnam("root"), *b = getpwnam("alice"), *c = getpwuid(0), *d;
	struct group *g = getgrnam("root"), *h = getgrnam("alice"), *k = getgrgid(0);

	d = getpwent();
	printf("static: %d %d %d", a == b, b == c, c == d);
	printf(" %d %d %d\n", g == h, h == k, (void *)k == (void *)getgrent());
	endpwent();
	endgrent();
	if (a && b)
		text(a->pw_name);
	if (c)
		text(c->pw_name);
	putchar('\n');
}

static void words(void)
{
	static const char *const tilde[] = {"~root", "~alice", "~nonesuch", "~", "~alice/x", "~bob/*", "~+", "~root:x", "~long", "~bob b"};

	for (unsigned i = 0; i < sizeof tilde / sizeof *tilde; i++)
		for (int how = 0; how < 3; how++) {
			glob_t g = {0};
			int flags = how == 1 ? GLOB_TILDE_CHECK : how ? GLOB_TILDE : 0;
			int r = LOUD(glob(tilde[i], flags | GLOB_NOCHECK, NULL, &g));

			printf("glob %s %d: %d", tilde[i], how, r);
			for (size_t k = 0; r == 0 && k < g.gl_pathc; k++)
				text(g.gl_pathv[k]);
			putchar('\n');
			if (r == 0)
				globfree(&g);
		}
#ifdef __GLIBC__
	for (unsigned i = 0; i < sizeof tilde / sizeof *tilde; i++)
		for (int home = 0; home < 2 && *now; home++) {
			wordexp_t w = {0};
			int r;

			home ? setenv("HOME", "/from/home", 1) : unsetenv("HOME");
			r = wordexp(tilde[i], &w, WRDE_NOCMD);
			printf("wordexp %s: %d", tilde[i], r);
			for (size_t k = 0; r == 0 && k < w.we_wordc; k++)
				text(w.we_wordv[k]);
			putchar('\n');
			if (r == 0)
				wordfree(&w);
		}
#endif
}

static void logins(void)
{
	char buf[80], *p;
	int r;

	p = LOUD(getlogin());
	printf("getlogin errno %x", errno);
	text(p);
	putchar('\n');
	for (size_t n = 0; n < 40; n += n < 14 ? 1 : 9) {
		memset(buf, 'z', sizeof buf);
		buf[79] = '\0';
		r = LOUD(getlogin_r(buf, n));
		printf("getlogin_r %zu: %d errno %x", n, r, errno);
		text(r ? "" : buf);
		putchar('\n');
	}
	memset(buf, 'z', sizeof buf);
	buf[79] = '\0';
	p = LOUD(cuserid(buf));
	printf("cuserid errno %x %d", errno, p == buf);
	text(buf);
	text(LOUD(cuserid(NULL)));
	printf(" errno %x\n", errno);
#ifdef __GLIBC__
	static char line[1 << 17];
	static const uid_t uids[] = {0, 1, 500, 12345, 77777};

	for (unsigned i = 0; i < 5; i++) {
		memset(line, 0, 10);
		r = LOUD(getpw(uids[i], line));
		printf("getpw %u: %d errno %x", uids[i], r, errno);
		text(line);
		putchar('\n');
	}
#endif
}

/* errno counts where a call failed: what a success leaves there is whatever libc met on its way. */
static void who(const char *what)
{
	static const size_t sizes[] = {0, 1, 5, 13, 14, 33, 64};
	char buf[65], *p;
	int r;

	p = LOUD(getlogin());
	printf("getlogin %s:", what);
	text(p);
	printf(" errno %x\n", p ? 0 : errno);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		memset(buf, 'z', sizeof buf);
		buf[64] = '\0';
		r = LOUD(getlogin_r(buf, sizes[i]));
		printf("getlogin_r %s, %zu: %d errno %x", what, sizes[i], r, r ? errno : 0);
		text(r ? "" : buf);
		putchar('\n');
	}
}

/* Standard input is a terminal, which has an entry, or none, or one of somebody who is gone. */
static void terminals(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	struct utmp u;
	char *tty;

	printf("case login\n");
	who("no terminal");
	if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || !(tty = ptsname(fd)) || utmpname("/case/utmp") != 0) {
		printf("no terminal: errno %d\n", errno);
		return;
	}
	dup2(open(tty, O_RDWR | O_NOCTTY), 0);
	unlink("/case/utmp");
	who("no file");
	close(open("/case/utmp", O_CREAT | O_WRONLY, 0600));
	who("empty file");
	memset(&u, 0, sizeof u);
	u.ut_type = USER_PROCESS;
	strcpy(u.ut_id, "x");
	strncpy(u.ut_line, tty + strlen("/dev/"), sizeof u.ut_line);
	strcpy(u.ut_user, "fromterminal");
	for (int i = 0; i < 3; i++) {
		setutent();
		printf("pututline %d\n", pututline(&u) != NULL);
		endutent();
		who(i == 0 ? "logged in" : i == 1 ? "logged out" : "a login");
		u.ut_type = i == 0 ? DEAD_PROCESS : LOGIN_PROCESS;
		memset(u.ut_user, 'n', sizeof u.ut_user);
	}
	setutent();
	who("in between");
	printf("getutent after it %d\n", getutent() != NULL);
	unlink("/case/utmp");
	close(0);
	who("closed");
}

static void write_file(const char *name, const char *content, int flags)
{
	int fd = open(name, O_WRONLY | O_CREAT | flags, 0644);

	if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content))
		printf("%s: %d\n", name, errno);
	close(fd);
}

/* The file changes under us; lookups see it at once, an enumeration does not. */
static void changes(void)
{
	unlink("/case/now");
	mkdir("/case/live", 0777);
	if (symlink("live", "/case/now") < 0)
		printf("/case/now: %d\n", errno);
	write_file("/case/live/passwd", "a:x:1:1:one:/:/\nb:x:2:2::/:/\nc:x:3:3::/:/\n", O_TRUNC);
	write_file("/case/live/group", "a:x:1:b\nb:x:2:b\n", O_TRUNC);
	printf("changes\n");
	set(PW);
	next_some(PW, 1);
	write_file("/case/live/new", "d:x:4:4:two:/:/\ne:x:5:5::/:/\n", O_TRUNC);
	rename("/case/live/new", "/case/live/passwd");
	next_some(PW, 9);
	next_some(PW, 1);
	printf("name d");
	SHOW(PW, getpwnam("d"));
	printf("name a");
	SHOW(PW, getpwnam("a"));
	set(PW);
	next_some(PW, 9);
	end(PW);
	/* in place, of the same size, at once: the clock may not have moved on */
	for (int i = 0; i < 300; i++) {
		char line[40];
		const struct passwd *p;

		snprintf(line, sizeof line, "a:x:%d:1:one:/:/\n", 100 + i);
		write_file("/case/live/passwd", line, O_TRUNC);
		p = getpwnam("a");
		if (!p || p->pw_uid != 100u + (unsigned)i || getpwuid(99 + (unsigned)i) || !getpwuid(100 + (unsigned)i))
			printf("change %d was missed\n", i);
	}
	/* the same with the times put back */
	for (int i = 0; i < 50; i++) {
		const struct timespec then[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
		char line[40];
		const struct group *g;

		snprintf(line, sizeof line, "a:x:%d:b\n", 100 + i);
		write_file("/case/live/group", line, O_TRUNC);
		utimensat(AT_FDCWD, "/case/live/group", then, 0);
		g = getgrnam("a");
		if (!g || g->gr_gid != 100u + (unsigned)i)
			printf("change %d of group was missed\n", i);
	}
	/* what does not stay */
	unlink("/case/live/passwd");
	printf("gone");
	SHOW(PW, getpwnam("a"));
	mkdir("/case/live/passwd", 0755);
	printf("a directory");
	SHOW(PW, getpwnam("a"));
	set(PW);
	next_some(PW, 2);
	rmdir("/case/live/passwd");
	write_file("/case/live/passwd", "back:x:1:1:::\n", O_TRUNC);
	printf("back");
	SHOW(PW, getpwuid(1));
	chmod("/case/live/passwd", 0);
	printf("unreadable");
	SHOW(PW, getpwuid(1));
	unlink("/case/live/passwd");
	unlink("/case/live/group");
}

static void locks(void)
{
	int r[4];

	r[0] = LOUD(ulckpwdf());
	printf("ulckpwdf %d errno %x\n", r[0], errno);
	r[0] = LOUD(lckpwdf());
	r[1] = errno;
	r[2] = LOUD(lckpwdf());
	printf("lckpwdf %d errno %x, again %d errno %x", r[0], r[1], r[2], errno);
	r[0] = LOUD(ulckpwdf());
	r[1] = errno;
	r[2] = LOUD(ulckpwdf());
	printf(", ulckpwdf %d errno %x, again %d errno %x\n", r[0], r[1], r[2], errno);
}

static void memberships(void)
{
	static const char *const users[] = {"alice", "nonesuch", "m7", "root"};
	static gid_t g[70000];

	for (unsigned u = 0; u < 4; u++) {
		int r = LOUD(initgroups(users[u], 7));

		printf("initgroups %s: %d errno %x:", users[u], r, errno);
		show_groups(g, getgroups(70000, g));
	}
	setgroups(0, NULL);
}

static void everything(int root)
{
	if (root) {
		memberships();
		locks();
		lookups(SP);
		enumerate(SP);
		streams(SP);
		return;
	}
	lookups(PW);
	enumerate(PW);
	lookups(GR);
	enumerate(GR);
	streams(PW);
	streams(GR);
	grouplists();
	still();
	words();
	logins();
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void cases(int root)
{
	char *list[200];
	int n = 0, status;
	DIR *d = opendir("/case");

	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.' && e->d_type == DT_DIR && strcmp(e->d_name, "live") && n < 200)
			list[n++] = strdup(e->d_name);
	closedir(d);
	qsort(list, (size_t)n, sizeof *list, by_name);
	list[n++] = (char *)"~changes";
	for (int i = 0; i < n; i++) {
		now = list[i];
		if (only && strcmp(only, now))
			continue;
		fflush(stdout);
		if (fork() == 0) {
			printf("case %s\n", now);
			if (*now == '~') {
				if (!root)
					changes();
			} else {
				unlink("/case/now");
				if (symlink(now, "/case/now") < 0)
					printf("/case/now: %d\n", errno);
				everything(root);
			}
			fflush(stdout);
			_exit(0);
		}
		wait(&status);
		printf("status %d\n", status);
	}
}

static void chroots(const char *dir)
{
	printf("case chroot\n");
	set(PW);
	next_some(PW, 2);
	set(GR);
	printf("root");
	SHOW(PW, getpwuid(0));
	if (chroot(dir) < 0)
		printf("chroot: %d\n", errno);
	next_some(PW, 100);
	next_some(GR, 3);
	printf("root");
	SHOW(PW, getpwuid(0));
	SHOW(GR, getgrnam("inner"));
	set(PW);
	next_some(PW, 100);
	set(GR);
	next_some(GR, 100);
	words();
}

int main(int argc, char **argv)
{
	umask(0);
	setenv("LOGNAME", "from-logname", 1);
	only = argc > 2 ? argv[2] : NULL;
	if (argc > 2 && strcmp(argv[1], "chroot") == 0)
		chroots(argv[2]);
	else if (argc > 1 && strcmp(argv[1], "login") == 0)
		terminals();
	else
		cases(argc > 1 && strcmp(argv[1], "root") == 0);
	return 0;
}
