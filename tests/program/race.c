/* SPDX-License-Identifier: ISC
 *
 * Lookups and changes below directories that others put symlinks in the place of, all the time.
 *
 *   race make BASE              makes the world below BASE (natively)
 *   race swap BASE SECONDS      swaps, outside of the root (natively)
 *   race shot BASE              lists what lies beside the root: nobody may change it
 *   race look BASE SECONDS      eight threads, a process that swaps and one that goes about; in the root BASE/root.  Prints
 *                               "0 text" for what is right and "1 text" for what is not
 *   race is STATUS              what the scripts run
 *
 * /w/p is swapped by a process inside, /w/o by the one outside, /w/b by both.  Each is at any moment one of five
 * kinds: a directory (0), a symlink to one by a relative name (1), by an absolute name (2), by more ".." than there
 * are directories (3) and by the host's absolute name (4).  All kinds have the same names in them, so that no call
 * may fail.  What the last two lead to exists twice: in the root, and as a canary beside the root.  A swap is
 * one rename(2) or renameat2(2), so that the name is never missing.
 *
 * A swapper counts before and after each swap what it has begun and done, in memory that all share, and notes
 * the kind: an answer must be one of the kinds that the name had between the beginning and the end of the call. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { KINDS = 5, NAMES = 3, THREADS = 8, CHANGERS = 3, RING = 4096, OUT = -2, LOST = -1, CANARIES = 2 };
enum what { TOP, D, F, DF, SCRIPT, WHATS };

enum fault { OUTSIDE, WRONG, FAILED, MISPLACED, KINDS_OF_FAULT };

static const char *const what_names[WHATS] = {"", "/d", "/f", "/d/f", "/script"};
static const char name_letters[] = "pob";

struct ring {
	uint64_t begun, done;
	struct {
		int64_t since; /* when the swap was done */
		int kind;
	} at[RING];
};

static struct shared {
	ino_t kinds[NAMES][KINDS][WHATS], canaries[CANARIES][WHATS]; /* kinds 1 to 4 are the same for all names */
	struct ring rings[NAMES];
	uint64_t looks, looked[KINDS], met, changes, outside, escaped, wrong, failed, misplaced, gone_about, strayed;
	int64_t oldest;  /* us: how much older than the call an answer about /w/o was */
	int64_t escaped_us; /* and how long ago the process outside had made a way out when an answer came from there */
	int64_t strange_at; /* when the process outside last swapped /w/b; INT64_MAX: just now */
	char said[KINDS_OF_FAULT][3][200];
	unsigned nsaid[KINDS_OF_FAULT];
	int stop;
} *sh;

static char base[200];

static void die(const char *what)
{
	fprintf(stderr, "race: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static unsigned rnd(uint64_t *s, unsigned n)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((*s >> 33) % n);
}

#define ADD(n) __atomic_fetch_add(&(n), 1, __ATOMIC_SEQ_CST)
#define GET(n) __atomic_load_n(&(n), __ATOMIC_SEQ_CST)

/* The first faults of each sort, in words. */
__attribute__((format(printf, 2, 3))) static void say(enum fault fault, const char *fmt, ...)
{
	unsigned i = ADD(sh->nsaid[fault]);
	va_list ap;

	if (i >= sizeof sh->said[0] / sizeof *sh->said[0])
		return;
	va_start(ap, fmt);
	vsnprintf(sh->said[fault][i], sizeof sh->said[fault][i], fmt, ap);
	va_end(ap);
}

/* -- the world ----------------------------------------------------------------------------- */

static void put_file(const char *dir, const char *name, mode_t mode, const char *text)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%.2000s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) != 0)
		die(path);
}

static void put_dirs(const char *path)
{
	char part[PATH_MAX];

	for (const char *p = path + 1; (p = strchr(p, '/')); p++) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		mkdir(part, 0755);
	}
	mkdir(path, 0755);
}

/* What each kind has in it.  status: of its script. */
static void put_kind(const char *dir, const char *word, int status)
{
	char path[PATH_MAX], text[400];

	put_dirs(dir);
	put_file(dir, "f", 0644, word);
	snprintf(path, sizeof path, "%.2000s/d", dir);
	mkdir(path, 0755);
	put_file(path, "f", 0644, word);
	for (int i = 0; i < CHANGERS; i++) {
		snprintf(text, sizeof text, "mine%d", i);
		put_file(path, text, 0644, word);
	}
	snprintf(text, sizeof text, "#!%s/race is %d\n", base, status);
	put_file(dir, "script", 0755, text);
	snprintf(text, sizeof text, "only%s", word);
	put_file(dir, text, 0644, "");
	snprintf(path, sizeof path, "%.2000s/l", dir);
	if (symlink("d/../f", path) != 0)
		die(path);
	snprintf(path, sizeof path, "%.2000s/me", dir);
	if (symlink(word, path) != 0)
		die(path);
}

static const char *kind_target(int kind, char *text)
{
	static const char *const plain[] = {"", "k1", "/w/k2", "../../canary3"};

	if (kind < 4)
		return strcpy(text, plain[kind]);
	sprintf(text, "%s/canary4", base);
	return text;
}

/* Where the directory of a kind is for those in the root. */
static void kind_dir(int n, int kind, char *text)
{
	static const char *const plain[] = {"", "/w/k1", "/w/k2", "/canary3"};

	if (kind == 0)
		sprintf(text, "/w/%c", name_letters[n]);
	else if (kind < 4)
		strcpy(text, plain[kind]);
	else
		sprintf(text, "%s/canary4", base);
}

static void inodes(const char *dir, ino_t *to)
{
	char path[PATH_MAX];
	struct stat st;

	for (int i = 0; i < WHATS; i++) {
		snprintf(path, sizeof path, "%.2000s%s", dir, what_names[i]);
		if (lstat(path, &st) != 0)
			die(path);
		to[i] = st.st_ino;
	}
}

static void share(const char *dir, bool make)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%.2000s/shared", dir);
	fd = open(path, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0600);
	if (fd < 0 || (make && ftruncate(fd, sizeof *sh) != 0))
		die(path);
	sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (sh == MAP_FAILED)
		die("mmap");
	close(fd);
}

static int make(void)
{
	char dir[PATH_MAX], text[300], in[250], word[20];

	snprintf(dir, sizeof dir, "%s/root/w", base);
	put_dirs(dir);
	share(dir, true);
	memset(sh, 0, sizeof *sh);
	for (int n = 0; n < NAMES; n++)
		for (int k = 0; k < KINDS; k++) {
			kind_dir(n, k, in);
			snprintf(dir, sizeof dir, "%s/root%s", base, in);
			snprintf(word, sizeof word, "%d", k);
			if (k == 0 || n == 0)
				put_kind(dir, word, 10 + k);
			inodes(dir, sh->kinds[n][k]);
		}
	for (int k = 3; k < KINDS; k++) { /* the canaries */
		snprintf(dir, sizeof dir, "%s/canary%d", base, k);
		put_kind(dir, "OUTSIDE", 99);
		inodes(dir, sh->canaries[k - 3]);
	}
	for (int n = 0; n < NAMES; n++) { /* the symlink that waits for its turn */
		snprintf(dir, sizeof dir, "%s/root/w/.%c0", base, name_letters[n]);
		if (symlink("k1", dir) != 0)
			die(dir);
	}
	for (int k = 1; k < KINDS; k++) { /* to make hard links of */
		snprintf(dir, sizeof dir, "%s/root/w/.keep%d", base, k);
		if (symlink(kind_target(k, text), dir) != 0)
			die(dir);
	}
	snprintf(dir, sizeof dir, "%s/root/w/near/x", base); /* go_along() */
	put_kind(dir, "near", 10);
	snprintf(dir, sizeof dir, "%s/root/w/far", base);
	mkdir(dir, 0755);
	strcat(dir, "/x");
	if (symlink("../../../canary3", dir) != 0)
		die(dir);
	snprintf(dir, sizeof dir, "%s/root/rel", base); /* other ways to /w */
	if (symlink("w", dir) != 0)
		die(dir);
	snprintf(dir, sizeof dir, "%s/root/abs", base);
	return symlink("/w", dir) != 0;
}

static void shot(const char *dir)
{
	DIR *d = opendir(dir);
	char path[PATH_MAX], text[300];
	struct dirent *e;
	struct stat st;
	ssize_t n;
	int fd;

	if (!d)
		die(dir);
	while ((e = readdir(d))) {
		snprintf(path, sizeof path, "%.2000s/%s", dir, e->d_name);
		if (strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, "root") == 0 || lstat(path, &st) != 0)
			continue;
		n = S_ISLNK(st.st_mode) ? readlink(path, text, sizeof text) : 0;
		if (S_ISREG(st.st_mode) && st.st_size < 300 && (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
			n = read(fd, text, sizeof text);
			close(fd);
		}
		printf("%s %lu %o %d:%d n%lu s%ld m%ld.%09ld c%ld.%09ld %.*s\n", path, (unsigned long)st.st_ino, st.st_mode, (int)st.st_uid,
			(int)st.st_gid, (unsigned long)st.st_nlink, (long)st.st_size, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			(long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, n > 0 ? (int)n : 0, text);
		if (S_ISDIR(st.st_mode) && e->d_name[0] != '.')
			shot(path);
	}
	closedir(d);
}

/* -- who swaps ----------------------------------------------------------------------------- */

struct swapper {
	const char *root; /* in front of the root's names: "" inside */
	uint64_t rng;
	int kind[NAMES];  /* only where nobody else swaps */
};

static int exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */);
}

/* A symlink of the kind, new or another name of an old one. */
static int put_link(struct swapper *s, int kind, const char *path)
{
	char text[300], keep[PATH_MAX];

	if (rnd(&s->rng, 2))
		return symlink(kind_target(kind, text), path);
	snprintf(keep, sizeof keep, "%s/w/.keep%d", s->root, kind);
	return link(keep, path);
}

static void swap_one(struct swapper *s, int n, bool alone)
{
	char name[PATH_MAX], waits[PATH_MAX], tmp[PATH_MAX];
	struct ring *ring = &sh->rings[n];
	const int was = s->kind[n], kind = (was + 1 + (int)rnd(&s->rng, KINDS - 1)) % KINDS;
	bool ok = true;

	snprintf(name, sizeof name, "%s/w/%c", s->root, name_letters[n]);
	snprintf(waits, sizeof waits, "%s/w/.%c0", s->root, name_letters[n]);
	snprintf(tmp, sizeof tmp, "%s/w/.tmp%c%s", s->root, name_letters[n], *s->root ? "o" : "i");
	if (kind)
		ok = put_link(s, kind, tmp) == 0;
	if (!alone) { /* two at once: whatever it is now, it becomes another */
		if (*s->root)
			__atomic_store_n(&sh->strange_at, INT64_MAX, __ATOMIC_SEQ_CST);
		if (!kind)
			exchange(name, waits);
		else if (rename(tmp, name) != 0)
			rename(tmp, waits);
		unlink(tmp);
		if (*s->root)
			__atomic_store_n(&sh->strange_at, now_us(), __ATOMIC_SEQ_CST);
		ADD(ring->done);
		return;
	}
	if (kind && !was) {
		ok = ok && rename(tmp, waits) == 0;
		unlink(tmp); /* rename(2): two names of one file both stay */
	}
	ring->at[(ring->begun + 1) % RING].kind = kind;
	ADD(ring->begun);
	if (kind && was)
		ok = ok && rename(tmp, name) == 0;
	else
		ok = ok && exchange(name, waits) == 0;
	ring->at[ring->begun % RING].since = now_us();
	ADD(ring->done);
	s->kind[n] = kind;
	if (!ok) {
		say(FAILED, "a swap of /w/%c failed: %s", name_letters[n], strerror(errno));
		ADD(sh->failed);
		sh->stop = 1;
	}
}

/* Now and then without a rest, so that a call meets more than one; as a rule with one, so that there is something to remember. */
static void swaps(const char *root, int mine, unsigned rest_us)
{
	struct swapper s = {.root = root, .rng = (uint64_t)getpid()};

	while (!GET(sh->stop)) {
		swap_one(&s, mine, true);
		swap_one(&s, 2, false);
		if (rnd(&s.rng, 4))
			usleep(rnd(&s.rng, rest_us));
	}
}

/* -- what a call saw ----------------------------------------------------------------------- */

struct window {
	int name;
	uint64_t from, to;
	int64_t start;
};

static void window_open(struct window *w, int name)
{
	w->name = name;
	w->start = now_us();
	w->from = GET(sh->rings[name].done);
}

static void window_close(struct window *w)
{
	w->to = GET(sh->rings[w->name].begun);
	if (w->to > w->from)
		ADD(sh->met);
}

/* The kinds that the name may have been between, a bit each. */
static unsigned window_kinds(const struct window *w)
{
	const struct ring *r = &sh->rings[w->name];
	unsigned set = 0;

	if (w->name == 2 || w->to - w->from > RING / 2)
		return (1 << KINDS) - 1;
	for (uint64_t g = w->from; g <= w->to; g++)
		set |= 1u << r->at[g % RING].kind;
	return set;
}

/* How long ago was the kind the last one?  Only for what the process outside swaps. */
static int64_t window_age(const struct window *w, int kind)
{
	const struct ring *r = &sh->rings[w->name];

	for (uint64_t g = w->from; g > 0 && w->from - g < RING / 2; g--)
		if (r->at[(g - 1) % RING].kind == kind)
			return w->start - r->at[g % RING].since;
	return INT64_MAX / 2;
}

/* How long before the call had the process outside made the name one that leads out, for a kernel that knows no
 * root?  For /w/o and /w/b. */
static int64_t window_escape(const struct window *w)
{
	const struct ring *r = &sh->rings[w->name];
	const int64_t last = GET(sh->strange_at);

	if (w->name == 2)
		return last > w->start ? 0 : w->start - last;
	for (uint64_t g = w->to; g > w->from; g--)
		if (r->at[g % RING].kind >= 2) /* meanwhile */
			return 0;
	return w->start - r->at[w->from % RING].since;
}

static void older(int64_t *oldest, int64_t age)
{
	int64_t was = GET(*oldest);

	while (age > was && !__atomic_compare_exchange_n(oldest, &was, age, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void saw(const struct window *w, int kind, const char *call, const char *path)
{
	ADD(sh->looks);
	/* what an absolute symlink of the root leads to on the host is not there */
	if (w->name != 0 && (kind == OUT || (kind == LOST && errno == ENOENT))) {
		ADD(sh->escaped);
		older(&sh->escaped_us, window_escape(w));
	} else if (kind == OUT) {
		ADD(sh->outside);
		say(OUTSIDE, "%s %s: an answer from outside of the root", call, path);
	} else if (kind == LOST) {
		say(FAILED, "%s %s: something else, or error %d", call, path, errno);
		ADD(sh->failed);
	} else if (!(window_kinds(w) >> kind & 1)) {
		if (w->name == 1) {
			older(&sh->oldest, window_age(w, kind));
			return;
		}
		say(WRONG, "%s %s: kind %d, which it was %lld us before the call", call, path, kind, (long long)window_age(w, kind));
		ADD(sh->wrong);
	} else {
		ADD(sh->looked[kind]);
	}
}

static int kind_of(int name, ino_t ino, enum what what)
{
	for (int k = 0; k < KINDS; k++)
		if (sh->kinds[name][k][what] == ino)
			return k;
	for (int k = 0; k < CANARIES; k++)
		for (int i = 0; i < WHATS; i++)
			if (sh->canaries[k][i] == ino)
				return OUT;
	return LOST;
}

static int kind_of_text(const char *text, ssize_t n)
{
	if (n == 1 && text[0] >= '0' && text[0] < '0' + KINDS)
		return text[0] - '0';
	return n > 0 && text[0] == 'O' ? OUT : LOST;
}

/* -- who looks ----------------------------------------------------------------------------- */

static int w_fd; /* /w, which nobody swaps */

/* A path to a name below a swapped one; *ret_dir is what it is relative to. */
static void some_path(uint64_t *g, int name, const char *rest, int *ret_dir, char *path)
{
	static const char *const ways[] = {"/w/", "/w/", "/w/", "/rel/", "/abs/", "/w/../w/", "./", "", ""};
	unsigned way = rnd(g, sizeof ways / sizeof *ways);

	*ret_dir = way == 8 ? w_fd : AT_FDCWD;
	sprintf(path, "%s%c%s", ways[way], name_letters[name], rest);
}

static int look_stat(uint64_t *g, int dir, const char *path, int name, enum what what)
{
	unsigned char x[256];
	struct stat st;
	uint64_t ino;
	bool ok;

	switch (rnd(g, 4)) {
	case 0:
		if (syscall(SYS_statx, dir, path, 0, 0x7ff, x) != 0)
			return LOST;
		memcpy(&ino, x + 32, sizeof ino);
		return kind_of(name, (ino_t)ino, what);
	case 1:
		ok = dir == AT_FDCWD ? lstat(path, &st) == 0 : fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
		break;
	case 2:
		ok = dir == AT_FDCWD ? stat(path, &st) == 0 : fstatat(dir, path, &st, 0) == 0;
		break;
	default:
		ok = fstatat(dir, path, &st, 0) == 0;
	}
	return ok ? kind_of(name, st.st_ino, what) : LOST;
}

static int look_open(int dir, const char *path, int name, enum what what)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC), kind, text_kind;
	struct stat st;
	char text[20];

	if (fd < 0)
		return LOST;
	kind = fstat(fd, &st) == 0 ? kind_of(name, st.st_ino, what) : LOST;
	text_kind = kind_of_text(text, read(fd, text, sizeof text));
	close(fd);
	return text_kind == kind ? kind : text_kind == OUT ? OUT : LOST;
}

static int look_dir(const char *path, int name)
{
	DIR *d = opendir(path);
	struct stat st;
	int kind = LOST;

	if (d && fstat(dirfd(d), &st) == 0)
		kind = kind_of(name, st.st_ino, D);
	if (d)
		closedir(d);
	return kind;
}

static int look_exec(const char *path)
{
	char *argv[] = {(char *)path, NULL};
	int status;
	pid_t pid;

	errno = posix_spawn(&pid, path, NULL, NULL, argv, environ);
	if (errno || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return LOST;
	return WEXITSTATUS(status) == 99 ? OUT : WEXITSTATUS(status) >= 10 ? WEXITSTATUS(status) - 10 : LOST;
}

/* A name that one kind alone has: is it there when it must be, and not when it must not? */
static void look_only(const struct window *was, uint64_t *g)
{
	struct window w = *was;
	const int kind = (int)rnd(g, KINDS + 1);
	char rest[20], path[100];
	int dir, r;

	sprintf(rest, kind == KINDS ? "/onlyOUTSIDE" : "/only%d", kind);
	some_path(g, w.name, rest, &dir, path);
	window_open(&w, w.name);
	r = faccessat(dir, path, F_OK, 0);
	window_close(&w);
	if (kind == KINDS)
		saw(&w, r == 0 ? OUT : __builtin_ctz(window_kinds(&w)), "access", path);
	else if (r == 0)
		saw(&w, kind, "access", path);
	else if (errno != ENOENT)
		saw(&w, LOST, "access", path);
	else if (w.name == 0 && window_kinds(&w) == 1u << kind) {
		say(WRONG, "access %s: it is there, and was not found", path);
		ADD(sh->wrong);
	}
}

static void *looker(void *arg)
{
	static const enum what whats[] = {F, DF, F, D, DF};
	static const char *const rests[] = {"/f", "/d/f", "/l", "/d", "/d/../d/f"};
	uint64_t g = (uint64_t)(uintptr_t)arg;

	while (!GET(sh->stop)) {
		unsigned call = rnd(&g, 100), i = rnd(&g, 5);
		struct window w;
		char path[100], text[20];
		int dir, kind, name = call % 10 < 6 ? 0 : call % 10 < 9 ? 1 : 2;

		call = rnd(&g, 100);
		if (call >= 88 && call < 97) {
			w.name = name;
			look_only(&w, &g);
			continue;
		}
		if (call >= 60 && call < 70 && whats[i] == D)
			i = 0;
		if (call < 60 && i == 2) /* the last name is a symlink */
			call = 65;
		some_path(&g, name,
			call < 70 ? rests[i] : call < 80 ? "/me" : call < 88 ? "/d" : "/script", &dir, path);
		window_open(&w, name);
		if (call < 60)
			kind = look_stat(&g, dir, path, name, whats[i]);
		else if (call < 70)
			kind = look_open(dir, path, name, whats[i]);
		else if (call < 80)
			kind = kind_of_text(text, readlinkat(dir, path, text, sizeof text));
		else if (call < 88 && dir == AT_FDCWD)
			kind = look_dir(path, name);
		else if (call >= 99 && dir == AT_FDCWD)
			kind = look_exec(path);
		else
			continue;
		window_close(&w);
		saw(&w, kind, call < 60 ? "stat" : call < 70 ? "open" : call < 80 ? "readlink" : call < 88 ? "opendir" : "exec", path);
	}
	return NULL;
}

/* A process that goes into the directory: what it finds there is of one kind, whatever happens outside. */
static void go_about(void)
{
	uint64_t g = 77;

	while (!GET(sh->stop)) {
		int name = (int)rnd(&g, NAMES), kind;
		struct window w;
		char path[20];
		struct stat st;

		sprintf(path, "/w/%c/d", name_letters[name]);
		window_open(&w, name);
		kind = chdir(path) == 0 && stat(".", &st) == 0 ? kind_of(name, st.st_ino, D) : LOST;
		window_close(&w);
		saw(&w, kind, "chdir", path);
		if (kind >= 0) {
			bool same = stat("f", &st) == 0 && kind_of(name, st.st_ino, DF) == kind;

			if (!same || stat("../f", &st) != 0 || kind_of(name, st.st_ino, F) != kind) {
				say(WRONG, "in %s: f or ../f is of another directory", path);
				ADD(sh->wrong);
			}
		}
		ADD(sh->gone_about);
		usleep(500);
	}
}

static int ends[2];

static int go_far(void *none)
{
	char c;

	(void)none;
	return read(ends[0], &c, 1) != 1 || chdir("/w/far") != 0;
}

/* A child that shares the working directory and no memory (clone(2), CLONE_FS) changes it: the same relative name is
 * another one at once. */
static void go_along(void)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	struct stat st;
	int status;

	for (int i = 0; i < 100; i++) {
		pid_t pid;

		if (pipe2(ends, O_CLOEXEC) != 0 || chdir("/w/near") != 0)
			die("/w/near");
		pid = clone(go_far, stack + sizeof stack, CLONE_FS | SIGCHLD, NULL);
		for (int k = 0; k < 30; k++)
			if (stat("x/d/f", &st) != 0 || st.st_ino == sh->kinds[0][3][DF])
				ADD(sh->strayed);
		if (pid < 0 || write(ends[1], "x", 1) != 1 || waitpid(pid, &status, 0) != pid || status)
			die("clone");
		if (stat("x/d/f", &st) != 0 || st.st_ino != sh->kinds[0][3][DF])
			ADD(sh->strayed);
		close(ends[0]);
		close(ends[1]);
	}
}

/* -- who changes --------------------------------------------------------------------------- */

/* d of each kind, opened when nobody swapped yet */
static int kind_fds[NAMES][KINDS];

struct changer {
	int id, name;
	uint64_t rng;
	unsigned i;
	struct window w;
	char mine[20], one[30], two[30]; /* a file that is always there; names that come and go */
	struct stat before[KINDS];
};

/* The kinds for which the test holds, a bit each. */
static unsigned having(const struct changer *c, const char *name)
{
	unsigned set = 0;
	struct stat st;

	for (int k = 0; k < KINDS; k++)
		if (fstatat(kind_fds[c->name][k], name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			set |= 1u << k;
	return set;
}

static void judge(struct changer *c, const char *call, int r, unsigned set, bool exactly)
{
	ADD(sh->changes);
	if (r != 0) {
		say(FAILED, "%s below /w/%c: error %d", call, name_letters[c->name], errno);
		ADD(sh->failed);
	} else if ((exactly && (!set || (set & (set - 1)))) || (set & ~window_kinds(&c->w))) {
		say(MISPLACED, "%s below /w/%c: changed the kinds 0x%x, might have been 0x%x", call, name_letters[c->name], set, window_kinds(&c->w));
		ADD(sh->misplaced);
	}
}

/* The file's mode, times and size get values that no kind's file has. */
static void change_file(struct changer *c, unsigned call, const char *path)
{
	static const char *const calls[] = {"chmod", "utimensat", "truncate", "chown", "open O_TRUNC"};
	struct timespec t[2] = {{1000 + (time_t)c->i, 0}, {1000 + (time_t)c->i, 0}};
	struct stat after[KINDS];
	unsigned set = 0;
	int r = -1, fd;

	for (int k = 0; k < KINDS; k++)
		fstatat(kind_fds[c->name][k], c->mine, &c->before[k], 0);
	window_open(&c->w, c->name);
	switch (call) {
	case 0:
		r = chmod(path, 0600 | (c->i & 077));
		break;
	case 1:
		r = utimensat(AT_FDCWD, path, t, 0);
		break;
	case 2:
		r = truncate(path, 1 + c->i % 5000);
		break;
	case 3:
		r = chown(path, getuid(), getgid());
		break;
	default:
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		r = fd < 0 ? -1 : close(fd);
	}
	window_close(&c->w);
	for (int k = 0; k < KINDS; k++) {
		const struct stat *b = &c->before[k], *a = &after[k];

		if (fstatat(kind_fds[c->name][k], c->mine, &after[k], 0) != 0 || b->st_mode != a->st_mode || b->st_size != a->st_size ||
			(call == 1 && b->st_mtim.tv_sec != a->st_mtim.tv_sec))
			set |= 1u << k;
	}
	judge(c, calls[call], r, set, call == 1);
}

/* Something new: where is it then? */
static void change_new(struct changer *c, unsigned call, const char *path)
{
	static const char *const calls[] = {"open O_EXCL", "mkdir", "symlink", "link", "mknod"};
	char old[100];
	int r = -1, fd;

	sprintf(old, "/w/%c/d/%s", name_letters[c->name], c->mine);
	window_open(&c->w, c->name);
	switch (call) {
	case 0:
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		r = fd < 0 ? -1 : close(fd);
		break;
	case 1:
		r = mkdir(path, 0755);
		break;
	case 2:
		r = symlink("../../../../../canary3/f", path);
		break;
	case 3:
		r = link(old, path);
		break;
	default:
		r = mknod(path, S_IFIFO | 0600, 0);
	}
	window_close(&c->w);
	judge(c, calls[call], r, having(c, c->one), true);
	for (int k = 0; k < KINDS; k++)
		unlinkat(kind_fds[c->name][k], c->one, call == 1 ? AT_REMOVEDIR : 0);
}

/* All kinds have it: which one has it no more? */
static void change_gone(struct changer *c, unsigned call, const char *path)
{
	static const char *const calls[] = {"unlink", "rmdir", "rename"};
	char other[100];
	int r = -1;

	for (int k = 0; k < KINDS; k++)
		if (call == 1 ? mkdirat(kind_fds[c->name][k], c->one, 0755) : mknodat(kind_fds[c->name][k], c->one, S_IFREG | 0644, 0))
			die("mkdirat");
	sprintf(other, "/w/%c/d/%s", name_letters[c->name], c->two);
	window_open(&c->w, c->name);
	r = call == 0 ? unlink(path) : call == 1 ? rmdir(path) : rename(path, other);
	window_close(&c->w);
	judge(c, calls[call], r, ((1 << KINDS) - 1) & ~having(c, c->one), true);
	if (call == 2 && r == 0)
		judge(c, "rename to", 0, having(c, c->two), true);
	for (int k = 0; k < KINDS; k++) {
		unlinkat(kind_fds[c->name][k], c->one, call == 1 ? AT_REMOVEDIR : 0);
		unlinkat(kind_fds[c->name][k], c->two, 0);
	}
}

static void *changer(void *arg)
{
	struct changer c = {.id = (int)(intptr_t)arg, .rng = 1000 + (uint64_t)(uintptr_t)arg};

	for (; !GET(sh->stop); c.i++) {
		unsigned call = rnd(&c.rng, 13);
		char path[100];

		c.name = (int)rnd(&c.rng, NAMES);
		sprintf(c.mine, "mine%d", c.id);
		sprintf(c.one, "one%d.%u", c.id, c.i);
		sprintf(c.two, "two%d.%u", c.id, c.i);
		sprintf(path, "%s/%c/d/%s", rnd(&c.rng, 4) ? "/w" : "/abs", name_letters[c.name], call < 5 ? c.mine : c.one);
		if (call < 5)
			change_file(&c, call, path);
		else if (call < 10)
			change_new(&c, call - 5, path);
		else
			change_gone(&c, call - 10, path);
	}
	return NULL;
}

/* -- together ------------------------------------------------------------------------------ */

static void tell(bool bad, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void tell(bool bad, const char *fmt, ...)
{
	va_list ap;

	printf("%d ", bad);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* How often was the kind seen that was seen least? */
static uint64_t looked_least(void)
{
	uint64_t least = UINT64_MAX;

	for (int k = 0; k < KINDS; k++)
		if (sh->looked[k] < least)
			least = sh->looked[k];
	return least;
}

/* Has there been what the test is about? */
static bool raced(void)
{
	return looked_least() >= 50 && sh->changes >= 100 && sh->met >= 50 && sh->rings[0].done >= 50 && sh->rings[1].done >= 20 &&
		sh->gone_about >= 20;
}

static int verdict(int64_t bound_us)
{
	for (int fault = 0; fault < KINDS_OF_FAULT; fault++)
		for (unsigned i = 0; i < sizeof sh->said[0] / sizeof *sh->said[0] && sh->said[fault][i][0]; i++)
			printf("# %s\n", sh->said[fault][i]);
	printf("# %lu looks (%lu and more of each kind), %lu changes, %lu calls that met a swap; %lu, %lu and %lu swaps; "
	       "%lu times in and out\n", (unsigned long)sh->looks, (unsigned long)looked_least(), (unsigned long)sh->changes, (unsigned long)sh->met,
		(unsigned long)sh->rings[0].done, (unsigned long)sh->rings[1].done, (unsigned long)sh->rings[2].done,
		(unsigned long)sh->gone_about);
	tell(!raced(), "looks, changes and swaps raced");
	tell(sh->outside != 0, "no answer from outside of the root, where a process inside swaps (%lu)", (unsigned long)sh->outside);
	tell(sh->escaped_us > bound_us || (sh->escaped && getenv("RACE_STRICT")),
		"none where a process outside swaps, later than the bound after it: at most %lld us of %lld (%lu earlier)",
		(long long)sh->escaped_us, (long long)bound_us, (unsigned long)sh->escaped);
	tell(sh->wrong != 0, "no answer is older than a swap inside (%lu)", (unsigned long)sh->wrong);
	tell(sh->oldest > bound_us, "no answer is older than the bound after a swap outside: at most %lld us of %lld",
		(long long)sh->oldest, (long long)bound_us);
	tell(sh->misplaced != 0, "each change is in a directory where the kernel makes it (%lu)", (unsigned long)sh->misplaced);
	tell(sh->strayed != 0, "a relative name begins where a child has gone that shares the directory (%lu)", (unsigned long)sh->strayed);
	tell(sh->failed != 0, "no call fails (%lu)", (unsigned long)sh->failed);
	return 0;
}

static int look(double seconds)
{
	pthread_t t[THREADS];
	char dir[PATH_MAX];
	pid_t pids[2];

	share("/w", false);
	w_fd = open("/w", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int n = 0; n < NAMES; n++)
		for (int k = 0; k < KINDS; k++) {
			kind_dir(n, k, dir);
			strcat(dir, "/d");
			kind_fds[n][k] = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
			if (kind_fds[n][k] < 0)
				die(dir);
		}
	go_along();
	if (w_fd < 0 || chdir("/w") != 0)
		die("/w");
	puts("ready"); /* the process outside may begin */
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			alarm(5 * (unsigned)seconds + 30);
			i ? go_about() : swaps("", 0, 3000);
			_exit(0);
		}
	}
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, i < CHANGERS ? changer : looker, (void *)(intptr_t)i) != 0)
			die("pthread_create");
	/* longer on a machine that does much else */
	for (int64_t start = now_us(), us = (int64_t)(seconds * 1e6); !GET(sh->stop); usleep(10000))
		if (now_us() - start > (raced() ? us : 5 * us))
			break;
	__atomic_store_n(&sh->stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 2; i++)
		waitpid(pids[i], NULL, 0);
	return verdict((int64_t)1000 * atoi(getenv("ORACLE_BOUND_MS") ? getenv("ORACLE_BOUND_MS") : "10"));
}

int main(int argc, char **argv)
{
	char path[PATH_MAX];

	if (argc >= 2 && strncmp(argv[1], "is ", 3) == 0) /* a script's interpreter gets what follows it as one argument */
		return atoi(argv[1] + 3);
	if (argc < 3 || strlen(argv[2]) >= sizeof base)
		return 2;
	strcpy(base, argv[2]);
	umask(022);
	if (strcmp(argv[1], "make") == 0)
		return make();
	if (strcmp(argv[1], "shot") == 0) {
		shot(base);
		return 0;
	}
	if (argc < 4)
		return 2;
	alarm(5 * (unsigned)atoi(argv[3]) + 60);
	if (strcmp(argv[1], "look") == 0)
		return look(atof(argv[3]));
	snprintf(path, sizeof path, "%s/root/w", base);
	share(path, false);
	path[strlen(path) - 2] = '\0';
	swaps(path, 1, 30000);
	return 0;
}
