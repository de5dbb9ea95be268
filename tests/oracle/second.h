/* SPDX-License-Identifier: ISC
 *
 * The second process of the random oracle: how it is started and asked, and the two steps that need it.
 * Part of random.c, which includes it.
 *
 * The process that runs a case looks at the same names again and again; somebody else puts a symlink in the
 * place of a directory on the way, moves it, or takes its permissions, between two looks.  Everything is in
 * lockstep: a request over a socket, then its answer.  Who changes something is one of enum who:
 *
 *   the process itself, a child of fork or of vfork, a thread;
 *   the second process, forked from the first with all its memory, or executed anew: both of them are in
 *     the same root, under libjail where the first one is;
 *   the stranger: a process that is not under libjail, and outside of the root.  What it changes may be seen
 *     late, but not later than bound_ms.
 *
 * The first three and the second process may be asked to look as well. */

enum who { SELF, BY_SYSCALL, BY_FORK, BY_VFORK, BY_THREAD, FORKED, PROGRAM, BY_STRANGER, WHO };

/* How a name is given to the call that changes it. */
enum form { PLAIN, BY_DIR, BY_MAGIC, BY_CWD, FORMS };

enum change_call { RENAME, EXCHANGE, SYMLINK, LINK, UNLINK, RMDIR, MKDIR, CHMOD, CREATE, CHANGES };

struct change {
	uint8_t call, form, by_number;
	mode_t mode;
	char from[1100], to[1100]; /* from: the old name, or a symlink's target; to: what is made or changed */
};

enum { LOOK_PATH = 1100, LOOKS = 14 };

struct look {
	uint8_t call;
	int dir; /* a descriptor that path is relative to, or AT_FDCWD; only for the process itself */
	char path[LOOK_PATH];
};

/* What the second process is asked to do; the answer is the text to print. */
struct request {
	enum { DO_CHANGE, DO_LOOK, DO_STEP } what;
	bool verbose;
	uint64_t seed; /* of a step */
	union {
		struct change change;
		struct look look;
	};
};

struct answer {
	long r;
	int e;
};

static int bound_ms = 10;    /* libjail.7: so old an answer may be after a change by a stranger */
static int stranger = -1;    /* a socket to it; this process's own */

static struct second {
	int fd;
	ino_t ino;
	pid_t pid, owner; /* owner: who has started it */
} seconds_of[2] = {{-1, 0, 0, 0}, {-1, 0, 0, 0}}; /* forked; executed */

/* -- changes ------------------------------------------------------------------------------- */

struct name_at {
	int dir, opened;
	char name[LOOK_PATH + 40];
};

static void name_at(struct name_at *ret, const char *path, enum form form)
{
	const char *last = base_of(path);
	char parent[LOOK_PATH];

	*ret = (struct name_at){.dir = AT_FDCWD, .opened = -1};
	snprintf(ret->name, sizeof ret->name, "%s", path);
	if (form == PLAIN || last == path)
		return;
	snprintf(parent, sizeof parent, "%.*s", (int)(last - path), path);
	if (form == BY_CWD) {
		if (chdir(parent) == 0)
			snprintf(ret->name, sizeof ret->name, "%s", last);
		return;
	}
	ret->opened = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (form == BY_DIR) {
		ret->dir = ret->opened;
		snprintf(ret->name, sizeof ret->name, "%s", last);
	} else {
		snprintf(ret->name, sizeof ret->name, "/proc/self/fd/%d/%s", ret->opened, last);
	}
}

/* The plainest of libc's functions for the change. */
static long change_plain(const struct change *c)
{
	switch (c->call) {
	case RENAME:
		return rename(c->from, c->to);
	case SYMLINK:
		return symlink(c->from, c->to);
	case LINK:
		return link(c->from, c->to);
	case UNLINK:
		return unlink(c->to);
	case RMDIR:
		return rmdir(c->to);
	case MKDIR:
		return mkdir(c->to, 0755);
	case CHMOD:
		return chmod(c->to, c->mode);
	default:
		return syscall(SYS_renameat2, AT_FDCWD, c->from, AT_FDCWD, c->to, 2 /* RENAME_EXCHANGE */);
	}
}

static long change_at(const struct change *c, int a, const char *from, int b, const char *to)
{
	switch (c->call) {
	case RENAME:
		return c->by_number ? syscall(SYS_renameat2, a, from, b, to, 0) : renameat(a, from, b, to);
	case EXCHANGE:
		return syscall(SYS_renameat2, a, from, b, to, 2 /* RENAME_EXCHANGE */);
	case SYMLINK:
		return c->by_number ? syscall(SYS_symlinkat, c->from, b, to) : symlinkat(c->from, b, to);
	case LINK:
		return c->by_number ? syscall(SYS_linkat, a, from, b, to, 0) : linkat(a, from, b, to, 0);
	case UNLINK:
	case RMDIR: {
		int flags = c->call == RMDIR ? AT_REMOVEDIR : 0;

		return c->by_number ? syscall(SYS_unlinkat, b, to, flags) : unlinkat(b, to, flags);
	}
	case MKDIR:
		return c->by_number ? syscall(SYS_mkdirat, b, to, 0755) : mkdirat(b, to, 0755);
	default:
		return c->by_number ? syscall(SYS_fchmodat, b, to, c->mode) : fchmodat(b, to, c->mode, 0);
	}
}

static long create_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return -1;
	if (write(fd, "created\n", 8) != 8)
		errno = EIO;
	close(fd);
	return 0;
}

/* -1 and errno; on success errno is what it was. */
static long change_make(const struct change *c)
{
	const bool two = c->call == RENAME || c->call == EXCHANGE || c->call == LINK;
	struct name_at from = {.dir = AT_FDCWD, .opened = -1}, to;
	long r;
	int e;

	if (c->form == PLAIN && !c->by_number && c->call != CREATE) {
		errno = PRESET;
		return change_plain(c);
	}
	if (two) /* the working directory can serve one of the two */
		name_at(&from, c->from, c->form == BY_CWD ? PLAIN : c->form);
	name_at(&to, c->to, c->form);
	errno = PRESET;
	r = c->call == CREATE ? create_at(to.dir, to.name) : change_at(c, from.dir, from.name, to.dir, to.name);
	e = errno;
	if (from.opened >= 0)
		close(from.opened);
	if (to.opened >= 0)
		close(to.opened);
	errno = e;
	return r;
}

/* -- looks --------------------------------------------------------------------------------- */

static void look_list(const char *p)
{
	DIR *d;
	struct dirent *e;

	if (!TRY((d = opendir(p)) != NULL))
		return;
	if (ours(dirfd(d))) {
		while ((e = readdir(d)))
			list_add(e->d_name);
		list_out();
	}
	closedir(d);
}

static void look_chdir(const char *p)
{
	pid_t pid = fork();
	struct stat st;
	int status;

	if (pid == 0) {
		if (DO(chdir(p)) == 0) {
			out_cwd();
			if (DO(stat("f", &st)) == 0)
				out_stat(&st);
			DO(access("../f", F_OK));
		}
		_exit(0);
	}
	if (waitpid(pid, &status, 0) == pid)
		out_status(status);
}

static void look_fd(int fd)
{
	out_fd(fd);
	if (fd >= 0)
		close(fd);
}

static void look_at(const struct look *l)
{
	const char *p = l->path;
	char text[4096];
	struct stat st;
	long n;

	switch (l->call) {
	case 0:
	case 1:
		if (DO(fstatat(l->dir, p, &st, l->call ? AT_SYMLINK_NOFOLLOW : 0)) == 0)
			out_stat(&st);
		break;
	case 2:
	case 3:
		if (DO(l->call == 2 ? stat(p, &st) : lstat(p, &st)) == 0)
			out_stat(&st);
		break;
	case 4:
	case 5:
		DO(l->call == 4 ? faccessat(l->dir, p, R_OK, 0) : access(p, F_OK));
		break;
	case 6:
	case 7:
		n = DO(l->call == 6 ? readlinkat(l->dir, p, text, sizeof text) : readlink(p, text, sizeof text));
		if (n > 0)
			out_text(text, (size_t)n);
		break;
	case 8:
	case 9:
		look_fd((int)DO(openat(l->dir, p, O_NONBLOCK | O_CLOEXEC | (l->call == 8 ? O_RDONLY : O_PATH | O_NOFOLLOW))));
		break;
	case 10: {
		unsigned char x[256] = {0};
		uint16_t mode;

		if (DO(syscall(SYS_statx, l->dir, p, 0, 0x7ff, x)) == 0) {
			memcpy(&mode, x + 28, sizeof mode);
			out(" %o", mode);
		}
		break;
	}
	case 11:
		look_list(p);
		break;
	case 12:
		look_chdir(p);
		break;
	default:
		if (!deep && TRY(realpath(p, text) != NULL))
			out_string(text);
	}
}

/* -- the second process -------------------------------------------------------------------- */

static void step_plain(struct rng *g);

static void second_serve(int fd)
{
	static char text[1 << 16];
	static size_t len;
	static struct request req;

	alarm(60);
	buf = text;
	buf_len = &len;
	while (recv(fd, &req, sizeof req, 0) == (ssize_t)sizeof req) {
		struct rng g = {req.seed};

		len = 0;
		verbose = req.verbose;
		switch (req.what) {
		case DO_CHANGE:
			DO(change_make(&req.change));
			break;
		case DO_LOOK:
			look_at(&req.look);
			break;
		default:
			step_plain(&g);
		}
		if (len > sizeof text / 2)
			len = sizeof text / 2;
		if (send(fd, text, len + !len, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

static bool second_alive(const struct second *s)
{
	struct stat st;

	return s->fd >= 0 && s->owner == getpid() && fstat(s->fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == s->ino;
}

/* A child of this very process: one that its parent has started belongs to the parent. */
static struct second *second_start(enum who who)
{
	/* an exec for each case would take most of the time */
	struct second *s = &seconds_of[who == PROGRAM && case_number % 4 == 1];
	struct stat st;
	int pair[2];

	if (second_alive(s))
		return s;
	*s = (struct second){-1, 0, 0, getpid()};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return s;
	s->pid = fork();
	if (s->pid == 0) {
		close(pair[0]);
		if (s == &seconds_of[1]) {
			char seed[24], number[24];

			sprintf(seed, "%llu", (unsigned long long)case_seed);
			sprintf(number, "%llu", (unsigned long long)case_number);
			dup2(pair[1], 0);
			execl("/bin/random", "random", "second", seed, number, (char *)NULL);
			_exit(66);
		}
		second_serve(pair[1]);
	}
	close(pair[1]);
	/* out of the way of the numbers that steps get; close-on-exec stays */
	s->fd = fcntl(pair[0], F_DUPFD_CLOEXEC, 24);
	close(pair[0]);
	if (s->fd >= 0 && fstat(s->fd, &st) == 0)
		s->ino = st.st_ino;
	return s;
}

/* The socket is closed first: that ends them. */
static void seconds_end(void)
{
	for (int i = 0; i < 2; i++)
		if (seconds_of[i].pid > 0 && seconds_of[i].owner == getpid()) {
			if (second_alive(&seconds_of[i]))
				close(seconds_of[i].fd);
			else
				kill(seconds_of[i].pid, SIGKILL);
			waitpid(seconds_of[i].pid, NULL, 0);
		}
}

static void second_ask(enum who who, struct request *req)
{
	static char text[1 << 16];
	struct second *s = second_start(who);
	ssize_t n;

	req->verbose = verbose;
	if (s->fd < 0 || send(s->fd, req, sizeof *req, MSG_NOSIGNAL) < 0 || (n = recv(s->fd, text, sizeof text, 0)) <= 0) {
		out(" gone");
		return;
	}
	if (*text)
		out_raw(text, (size_t)n);
}

/* -- the stranger -------------------------------------------------------------------------- */

/* A change by somebody who is not under libjail: no symlink may be on the way to its directories. */
static long stranger_make(int root, struct change *c)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = {O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 4 | 8 /* RESOLVE_NO_SYMLINKS RESOLVE_BENEATH */};
	char *names[2] = {c->from, c->to};
	int dirs[2] = {-1, -1};
	long r = -1;

	for (int i = c->call == SYMLINK; i < 2; i++) {
		char *last = (char *)base_of(names[i]);

		if (!*names[i])
			continue;
		if (last - names[i] < 2 || names[i][0] != '/') {
			errno = EXDEV;
			goto out;
		}
		last[-1] = '\0';
		dirs[i] = (int)syscall(SYS_openat2, root, names[i] + 1, &how, sizeof how);
		names[i] = last;
		if (dirs[i] < 0)
			goto out;
	}
	r = c->call == CREATE ? create_at(dirs[1], names[1]) : change_at(c, dirs[0], names[0], dirs[1], names[1]);
out:
	for (int i = 0; i < 2; i++)
		if (dirs[i] >= 0) {
			int e = errno;

			close(dirs[i]);
			errno = e;
		}
	return r;
}

static void stranger_serve(int root, int fd)
{
	static struct change c;

	umask(022);
	while (recv(fd, &c, sizeof c, 0) == (ssize_t)sizeof c) {
		struct answer a = {0, 0};

		errno = 0;
		a.r = stranger_make(root, &c);
		a.e = errno;
		if (send(fd, &a, sizeof a, MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* -- who changes --------------------------------------------------------------------------- */

static volatile long other_r;
static volatile int other_e;

static void *change_thread(void *c)
{
	other_r = change_make(c);
	other_e = errno;
	return NULL;
}

static void change_elsewhere(enum who who, struct change *c)
{
	pthread_t t;
	pid_t pid = -1;

	other_r = -1, other_e = 0;
	if (who == BY_THREAD) {
		if (pthread_create(&t, NULL, change_thread, c) != 0)
			_exit(99);
		pthread_join(t, NULL);
	} else {
		pid = vfork();
		if (pid == 0) {
			other_r = change_make(c);
			other_e = errno;
			_exit(0);
		}
		if (waitpid(pid, NULL, 0) != pid)
			out(" wait e%d", errno);
	}
	errno = other_e;
	result(other_r);
}

static void change_forked(const struct change *c)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		DO(change_make(c));
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		out_status(status);
}

/* False: nobody is there. */
static bool change_strange(const struct change *c)
{
	struct answer a;

	if (stranger < 0 || send(stranger, c, sizeof *c, MSG_NOSIGNAL) < 0 || recv(stranger, &a, sizeof a, 0) != (ssize_t)sizeof a)
		return false;
	out(" %ld", a.r);
	if (a.r < 0)
		out(" e%d", a.e);
	return true;
}

/* -- a swap -------------------------------------------------------------------------------- */

/* What a swap step works with: looks at a path, or relative to a directory above it, and who makes them. */
struct swap {
	char path[LOOK_PATH];
	int dir;
	struct look looks[4];
	enum who who[4];
	unsigned n;
	bool inside_child; /* in a root of its own: others know other names */
	bool go;           /* some look from the working directory, which is dir */
};

static void swap_look_once(struct swap *w, unsigned i)
{
	static struct request req;

	if (w->who[i] == SELF || w->looks[i].path[0] != '/' || w->inside_child) {
		look_at(&w->looks[i]);
		return;
	}
	req.what = DO_LOOK;
	req.look = w->looks[i];
	second_ask(w->who[i], &req);
}

static void swap_look(struct swap *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		out(" |");
		swap_look_once(w, i);
	}
}

/* Looks without an answer: what was remembered is used, but must not be believed the longer for it. */
static void swap_wait(struct swap *w, bool looking)
{
	const int64_t until = now_us() + bound_ms * 1000 + 500;
	const size_t len = *buf_len;

	while (now_us() < until) {
		if (looking)
			swap_look(w);
		else
			usleep(1000);
		*buf_len = len;
	}
}

static void swap_change(struct rng *g, struct swap *w, enum who who, struct change *c)
{
	static struct request req;

	if (w->inside_child && who != BY_STRANGER && who != PROGRAM)
		who = FORKED;
	c->by_number = who == BY_SYSCALL || chance(g, 20);
	c->form = chance(g, 60) ? PLAIN : below(g, FORMS);
	if (c->form == BY_CWD && who < BY_FORK)
		c->form = BY_DIR;
	if (c->form == BY_CWD && who == BY_THREAD)
		c->form = PLAIN;
	if (verbose) {
		out("\n     change %d by %d form %d ", c->call, who, c->form), out_string(c->from);
		out(" "), out_string(c->to);
	}
	out(" !");
	switch (who) {
	case SELF:
	case BY_SYSCALL:
		DO(change_make(c));
		break;
	case BY_FORK:
		change_forked(c);
		break;
	case BY_VFORK:
	case BY_THREAD:
		change_elsewhere(who, c);
		break;
	case BY_STRANGER:
		if (change_strange(c))
			swap_wait(w, chance(g, 50));
		break;
	default:
		req.what = DO_CHANGE;
		req.change = *c;
		second_ask(who, &req);
	}
}

/* One of the names above the path's last one, or the path itself, not one of the first level. */
static bool swap_ancestor(struct rng *g, const char *path, char *ret)
{
	const char *ends[64];
	unsigned n = 0;

	for (const char *p = path + 1; *p && n < 64; p++)
		if ((p[1] == '/' || !p[1]) && p[0] != '/' && strchr(path + 1, '/') && p > strchr(path + 1, '/'))
			ends[n++] = p + 1;
	if (!n)
		return false;
	sprintf(ret, "%.*s", (int)(ends[below(g, n)] - path), path);
	return strcmp(base_of(ret), ".") != 0 && strcmp(base_of(ret), "..") != 0;
}

/* In the scene; ancestor: what the symlink replaces. */
static void swap_target(struct rng *g, const char *ancestor, char *ret)
{
	static const char *const ends[] = {"canary", "w/.x/q", "w/.x", "canary/d"};
	struct object self = {.path = ""};
	char *t;

	switch (below(g, 12)) {
	case 0:
	case 1: /* beside it */
		strcpy(ret, chance(g, 50) ? "q" : "./q/../q");
		break;
	case 2:
		strcpy(ret, chance(g, 50) ? "/w/.x/q" : "/w/.x/q/");
		break;
	case 3:
	case 4: /* where the root ends for us, it does not for the kernel that knows no root: more .. than there are directories */
		*ret = '\0';
		for (const char *p = ancestor + 1; (p = strchr(p, '/')); p++)
			strcat(ret, "../");
		strcat(ret, chance(g, 70) ? "../" : "../../../../../../../");
		strcat(ret, ends[below(g, ROWS(ends))]);
		break;
	case 5:
	case 6: /* by the host's own name */
		snprintf(ret, LOOK_PATH, "%.1000s/%s", mask_host, chance(g, 50) ? "canary" : "root/w/.x/q");
		break;
	case 7:
		sprintf(ret, "/%s", ends[below(g, ROWS(ends))]);
		break;
	case 8:
		strcpy(ret, chance(g, 50) ? "/proc/self/root/w/.x/q" : "../../proc/self/root/w/.x/q");
		break;
	case 9:
		strcpy(ret, chance(g, 50) ? base_of(ancestor) : chance(g, 50) ? "." : "..");
		break;
	default:
		strcpy(self.path, strlen(ancestor) < 600 ? ancestor + 1 : "w");
		t = target_in(g, &self);
		snprintf(ret, LOOK_PATH, "%.1000s", t);
		free(t);
	}
}

static void scene_file(const char *dir, const char *name, const char *text)
{
	char path[LOOK_PATH];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			out(" e%d", errno);
		close(fd);
	}
}

static void scene_dir(const char *dir, const char *text)
{
	char path[LOOK_PATH];

	for (const char *p = dir; (p = strchr(p + 1, '/'));) {
		snprintf(path, sizeof path, "%.*s", (int)(p - dir), dir);
		mkdir(path, 0755);
	}
	mkdir(dir, 0755);
	scene_file(dir, "f", text);
	snprintf(path, sizeof path, "%s/d", dir);
	mkdir(path, 0755);
	scene_file(path, "f", text);
	snprintf(path, sizeof path, "%s/l", dir);
	if (symlink("d/f", path) != 0 && errno != EEXIST)
		out(" e%d", errno);
}

/* Directories with the same names in them, so that a look finds something whichever it is led to: in the root
 * also where the canaries lie on the host. */
static void scene_make(struct rng *g)
{
	char host[PATH_MAX + 20];

	scene_dir("/w/.x/p", "p\n");
	scene_dir("/w/.x/q", "of q\n");
	scene_dir("/w/.x/q/p", "qp, in it\n");
	mkdir("/w/.x/e", 0755);
	scene_dir("/canary", "canary in the root\n");
	if (symlink("q", "/w/.x/l") == 0 && symlink("/w/.x/q", "/w/.x/a") == 0 && symlink("../../canary", "/w/.x/o") == 0)
		out(" scene");
	if (chance(g, 40) && strlen(mask_host) < 500) {
		snprintf(host, sizeof host, "%s/canary", mask_host);
		scene_dir(host, "canary by the host's name, in the root\n");
	}
}

static void swap_path(struct rng *g, struct swap *w)
{
	static const char *const tops[] = {"/w/.x/p", "/w/.x/p", "/w/.x/q/p", "/w/.x/l", "/w/.x/e", "/w/.x/e", "/w/.x/a", "/w/.x/o", "/w/.x/p/d",
		"/w/.x/l/p"};
	static const char *const ends[] = {"/f", "/d/f", "/d", "/l", "/nothing", "/d/../f", "/../q/f", "/d/.", "", "/d/"};

	sprintf(w->path, "%s%s", tops[below(g, ROWS(tops))], ends[below(g, ROWS(ends))]);
}

/* not_from_dir: by absolute names alone */
static void swap_looks(struct rng *g, struct swap *w, bool not_from_dir)
{
	char dir[LOOK_PATH];
	size_t n = 0;

	w->dir = -1;
	if (!not_from_dir && swap_ancestor(g, w->path, dir)) {
		n = strlen(dir);
		w->dir = open(dir, (chance(g, 50) ? O_PATH : O_RDONLY) | O_DIRECTORY | O_CLOEXEC);
	}
	w->n = 1 + below(g, 4);
	for (unsigned i = 0; i < w->n; i++) {
		struct look *l = &w->looks[i];

		l->call = chance(g, 95) ? below(g, 12) : 12 + below(g, 2);
		l->dir = AT_FDCWD;
		strcpy(l->path, w->path);
		if (chance(g, 20) && strlen(l->path) < LOOK_PATH - 20)
			strcat(l->path, chance(g, 50) ? "/nothing" : "/../f");
		if (w->dir >= 0 && l->call < 11 && l->path[n] == '/' && l->path[n + 1] && chance(g, 40)) {
			l->dir = chance(g, 50) ? w->dir : AT_FDCWD;
			w->go |= l->dir == AT_FDCWD;
			memmove(l->path, l->path + n + 1, strlen(l->path + n + 1) + 1);
		}
		w->who[i] = chance(g, 75) ? SELF : chance(g, 50) ? FORKED : PROGRAM;
	}
}

static void change_set(struct change *c, enum change_call call, const char *from, const char *to, mode_t mode)
{
	*c = (struct change){.call = call, .mode = mode};
	snprintf(c->from, sizeof c->from, "%s", from);
	snprintf(c->to, sizeof c->to, "%s", to);
}

/* The changes that turn the ancestor into something else, up to three of them. */
static unsigned swap_plan(struct rng *g, const char *a, struct change c[3])
{
	static const char *const aside = "/w/.aside", *const link_ = "/w/.link";
	static const mode_t modes[] = {0, 0755, 0311, 0666, 0755, 0400};
	char target[LOOK_PATH];

	swap_target(g, a, target);
	switch (below(g, 17)) {
	case 0:
	case 1:
		change_set(&c[0], RENAME, a, aside, 0);
		change_set(&c[1], SYMLINK, target, a, 0);
		return 2;
	case 2:
		change_set(&c[0], SYMLINK, target, link_, 0);
		change_set(&c[1], RENAME, a, aside, 0);
		change_set(&c[2], RENAME, link_, a, 0);
		return 3;
	case 3:
		change_set(&c[0], SYMLINK, target, link_, 0);
		change_set(&c[1], EXCHANGE, a, link_, 0);
		return 2;
	case 4:
		change_set(&c[0], SYMLINK, target, link_, 0);
		change_set(&c[1], RENAME, a, aside, 0);
		change_set(&c[2], LINK, link_, a, 0);
		return 3;
	case 5:
		change_set(&c[0], MKDIR, "", "/w/.empty", 0);
		change_set(&c[1], RENAME, a, "/w/.empty", 0);
		change_set(&c[2], SYMLINK, target, a, 0);
		return 3;
	case 6:
		change_set(&c[0], EXCHANGE, a, chance(g, 50) ? "/w/.x/q" : aside, 0);
		return 1;
	case 7:
	case 8:
		change_set(&c[0], CHMOD, "", a, modes[below(g, ROWS(modes))]);
		return 1;
	case 9:
		change_set(&c[0], UNLINK, "", a, 0);
		change_set(&c[1], SYMLINK, target, a, 0);
		return 2;
	case 10:
		change_set(&c[0], UNLINK, "", a, 0);
		change_set(&c[1], chance(g, 50) ? MKDIR : CREATE, "", a, 0);
		return 2;
	case 13: /* what is gone was remembered, and another name of an old symlink comes in its place */
	case 14:
	case 15:
	case 16:
		change_set(&c[0], SYMLINK, target, link_, 0);
		change_set(&c[1], chance(g, 50) ? UNLINK : RMDIR, "", a, 0);
		change_set(&c[2], LINK, link_, a, 0);
		return 3;
	case 11: /* as it was */
		change_set(&c[0], UNLINK, "", a, 0);
		change_set(&c[1], RENAME, aside, a, 0);
		return 2;
	default:
		change_set(&c[0], RMDIR, "", a, 0);
		change_set(&c[1], SYMLINK, target, a, 0);
		return 2;
	}
}

static enum who swap_who(struct rng *g)
{
	unsigned kind = below(g, 100);

	if (kind < 4)
		return BY_STRANGER;
	return kind < 60 ? (kind % 2 ? FORKED : PROGRAM) : below(g, FORKED);
}

static int go_child(void *path)
{
	return chdir(path) == 0 ? 0 : errno & 0x7f;
}

/* Changes the working directory, by itself or by a child that shares it (clone(2), CLONE_FS). */
static void swap_go(struct rng *g, const char *path)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	int status;
	pid_t pid;

	out(" cd");
	if (chance(g, 60)) {
		DO(chdir(path));
		return;
	}
	pid = clone(go_child, stack + sizeof stack, CLONE_FS | SIGCHLD, (void *)(uintptr_t)path);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		out(" clone e%d", errno);
	else
		out_status(status);
}

static void swap_rounds(struct rng *g, struct swap *w, const char *below_)
{
	char a[LOOK_PATH];
	struct change c[3];

	for (unsigned rounds = 1 + below(g, 3); rounds > 0; rounds--) {
		unsigned n;

		if (w->go)
			out(" cd"), DO(fchdir(w->dir));
		/* what is looked at often enough is remembered */
		for (unsigned i = 1 + below(g, 3); i > 0; i--)
			swap_look(w);
		if (!swap_ancestor(g, below_, a))
			break;
		n = swap_plan(g, a, c);
		for (unsigned i = 0; i < n; i++) {
			swap_change(g, w, swap_who(g), &c[i]);
			swap_look(w);
			if (w->go && chance(g, 30)) { /* where the same names are others, and back */
				swap_go(g, chance(g, 50) ? "/w/.x/q" : "/w/.x");
				swap_look(w);
				out(" cd"), DO(fchdir(w->dir));
				swap_look(w);
			}
		}
		swap_look(w);
	}
}

/* The looks in a child that has a root of its own, which is one of the directories; the changes outside of it. */
static void swap_chrooted(struct rng *g, struct swap *w)
{
	char root[LOOK_PATH], full[LOOK_PATH];
	const size_t n = strlen("/w/.x");
	int status;
	pid_t pid;

	strcpy(root, "/w/.x");
	strcpy(full, w->path);
	second_start(FORKED); /* before the child has another root; it asks its parent's */
	second_start(PROGRAM);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 2; i++)
			seconds_of[i].owner = getpid();
		if (DO(chroot(root)) == 0 && DO(chdir("/")) == 0) {
			w->inside_child = true;
			for (unsigned i = 0; i < w->n; i++)
				memmove(w->looks[i].path, w->looks[i].path + n, strlen(w->looks[i].path + n) + 1);
			swap_rounds(g, w, full);
		}
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		out_status(status);
}

static void op_swap(struct rng *g)
{
	struct swap *w;
	static struct swap one;
	bool own_root;
	int cwd;

	if (chrooted || deep) { /* libjail.7: what lies outside of the root, and long names */
		out(" no");
		return;
	}
	w = &one;
	memset(w, 0, sizeof *w);
	if (chance(g, 75)) {
		scene_make(g);
		swap_path(g, w);
	} else {
		static char text[2 * PATH_MAX + 16];

		*text = '\0';
		path_normal(g, text);
		if (strlen(text) >= sizeof *recent || *text != '/') {
			out(" no");
			return;
		}
		recent_add(text); /* other steps look at it, too */
		strcpy(w->path, text);
	}
	say(" "), verbose ? out_string(w->path) : (void)0;
	own_root = strncmp(w->path, "/w/.x/", 6) == 0 && chance(g, 15);
	swap_looks(g, w, own_root);
	cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (own_root)
		swap_chrooted(g, w);
	else
		swap_rounds(g, w, w->path);
	if (cwd >= 0) {
		if (fchdir(cwd) != 0)
			out(" cwd e%d", errno);
		close(cwd);
	}
	if (w->dir >= 0)
		close(w->dir);
}

/* Any step, by the second process: in the tree that the first one looks at. */
static void op_second(struct rng *g)
{
	static struct request req;

	req.what = DO_STEP;
	req.seed = next(g);
	second_ask(chance(g, 70) ? FORKED : PROGRAM, &req);
}
