/* SPDX-License-Identifier: ISC
 *
 * Directories by name and walks over trees: opendir(3), scandir(3), nftw(3); fts(3) is in fts.c.
 * libc opens what it walks with internal system calls, so in a root these are whole; the DIR itself
 * is libc's, put on our descriptor.  The walks differ between glibc and musl in the numbers of FTW_*, in the flags
 * they know and in what they report twice: one function each. */
#include "../config.h"
#include "../fdpolicy.h"
#include "../guest/made.h"
#include "../record.h"
#include "../state.h"
#include "../wrap.h"

enum { TREE_OPEN = O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC };

static DIR *tree_opendir(int dirfd, const char *path)
{
	int fd = EDGE(int, guest_open_own(dirfd, path, TREE_OPEN, 0));
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = LIBC(fdopendir, DIR *, (int))(fd);
	if (!dir)
		sys_close(fd);
	return dir;
}

/* Every libc sets the flag itself.  fd: what a DIR has, or -errno */
static void tree_made(int fd, const char *path)
{
	fdpolicy_made(fd, FD_OPEN, true, 0, FD_PATH(AT_FDCWD, path, O_DIRECTORY));
	if (fd >= 0 && UNLIKELY(record_on))
		record_owner(fd, RECORD_DIR);
}

static int tree_number(DIR *dir)
{
	return LIBC(dirfd, int, (DIR *))(dir);
}

DIR *jail_opendir(const char *path)
{
	const bool in_root = state_view() != NULL;
	DIR *dir = in_root ? tree_opendir(AT_FDCWD, path) : REAL(opendir)(path);

	if (dir)
		tree_made(tree_number(dir), path);
	else if (!in_root && UNLIKELY(record_on)) /* guest_open_own has told of the other */
		tree_made(-*__errno_location(), path);
	return dir;
}

DIR *jail_fdopendir(int fd)
{
	DIR *dir = REAL(fdopendir)(fd);

	if (!dir)
		return NULL;
	fdpolicy_closed(fd); /* the flag is libc's from now on, and stays */
	if (UNLIKELY(record_on)) {
		record_flag(fd, true);
		record_owner(fd, RECORD_DIR);
	}
	return dir;
}

int jail_closedir(DIR *dir)
{
	if (dir)
		guest_closed_inside(tree_number(dir));
	return REAL(closedir)(dir);
}

static void tree_free(struct dirent **list, size_t n)
{
	while (n)
		HEAP(free, void, (void *))(list[--n]);
	HEAP(free, void, (void *))(list);
}

typedef int tree_want(const struct dirent *);
typedef int tree_order(const struct dirent **, const struct dirent **);

static int tree_scan(
	int dirfd, const char *path, struct dirent ***ret, tree_want *want, tree_order *order)
{
	void (*sort)(void *, size_t, size_t, tree_order *) =
		LIBC(qsort, void, (void *, size_t, size_t, tree_order *));
	int saved = *__errno_location(), e;
	struct dirent **list = NULL, **more, *d, *copy;
	size_t n = 0, room = 0;
	DIR *dir = tree_opendir(dirfd, path);

	if (!dir)
		return -1;
	for (;;) {
		/* scandir(3): a readdir that fails fails the call; what want() leaves in errno
		 * says nothing. */
		errno_set(0);
		d = LIBC(readdir, struct dirent *, (DIR *))(dir);
		if (!d)
			break;
		if (want && !want(d))
			continue;
		if (n == room) {
			room = room ? room * 2 : 16;
			more = HEAP(realloc, void *, (void *, size_t))(list, room * sizeof *list);
			if (!more)
				break;
			list = more;
		}
		copy = HEAP(malloc, void *, (size_t))(d->d_reclen);
		if (!copy)
			break;
		list[n++] = memcpy(copy, d, d->d_reclen);
	}
	e = *__errno_location();
	LIBC(closedir, int, (DIR *))(dir);
	if (e) {
		tree_free(list, n);
		errno_set(e);
		return -1;
	}
	if (order && n)
		sort(list, n, sizeof *list, order);
	*ret = list;
	errno_set(saved);
	return (int)n;
}

int jail_scandir(const char *path, struct dirent ***ret, tree_want *want, tree_order *order)
{
	return state_view() ? tree_scan(AT_FDCWD, path, ret, want, order)
			    : REAL(scandir)(path, ret, want, order);
}

int jail_scandirat(
	int dirfd, const char *path, struct dirent ***ret, tree_want *want, tree_order *order)
{
	int (*real)(int, const char *, struct dirent ***, tree_want *, tree_order *) =
		state_view() ? NULL : REAL(scandirat);

	return real ? real(dirfd, path, ret, want, order)
		    : tree_scan(dirfd, path, ret, want, order);
}

/* -- ftw(3), nftw(3) ----------------------------------------------------------------------- */

typedef int walk_ftw(const char *, const struct stat *, int);
typedef int walk_nftw(const char *, const struct stat *, int, struct FTW *);

/* A directory whose entries are being walked. */
struct level {
	struct level *up;
	int fd;      /* on it, or -1: given up for a deeper one */
	char *names; /* each with its NUL, an empty one ends them */
};

struct walk {
	walk_ftw *ftw; /* one of the two is set */
	walk_nftw *nftw;
	int flags, open, max; /* descriptors in use, and how many may be */
	dev_t dev;            /* where the walk began */
	struct FTW at;
	char *path;
	size_t room;
	struct seen {
		dev_t dev;
		ino_t ino;
	} *seen; /* the directories visited, by hash; ino 0: free */
	size_t nseen, slots;
};

static void *walk_alloc(void *old, size_t n)
{
	return HEAP(realloc, void *, (void *, size_t))(old, n);
}

static void walk_free(void *p)
{
	HEAP(free, void, (void *))(p);
}

static int walk_fail(long r)
{
	errno_set((int)-r);
	return -1;
}

static int walk_visit(struct walk *w, const struct stat *st, int type)
{
	/* ftw(3) knows four types: links that it follows are files, dangling ones unknown */
	static const char old[] = {FTW_F, FTW_D, FTW_DNR, FTW_NS, FTW_F, FTW_D, FTW_NS};

	return w->nftw ? w->nftw(w->path, st, type, &w->at) : w->ftw(w->path, st, old[type]);
}

static struct seen *walk_slot(struct seen *seen, size_t slots, dev_t dev, ino_t ino)
{
	size_t i = (ino ^ dev * 31) * 0x9e3779b97f4a7c15u % slots;

	while (seen[i].ino && (seen[i].ino != ino || seen[i].dev != dev))
		i = (i + 1) % slots;
	return &seen[i];
}

/* 1: st was not seen before, and is now; 0: it was; -ENOMEM. */
static int walk_first(struct walk *w, const struct stat *st)
{
	struct seen *s;

	if (w->nseen * 2 >= w->slots) {
		size_t slots = w->slots ? w->slots * 2 : 64;
		struct seen *more = walk_alloc(NULL, slots * sizeof *more);

		if (!more)
			return -ENOMEM;
		memset(more, 0, slots * sizeof *more);
		for (size_t i = 0; i < w->slots; i++)
			if (w->seen[i].ino)
				*walk_slot(more, slots, w->seen[i].dev, w->seen[i].ino) =
					w->seen[i];
		walk_free(w->seen);
		w->seen = more;
		w->slots = slots;
	}
	s = walk_slot(w->seen, w->slots, st->st_dev, st->st_ino);
	if (s->ino)
		return 0;
	*s = (struct seen){st->st_dev, st->st_ino};
	w->nseen++;
	return 1;
}

struct entry { /* what getdents64(2) writes */
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* All names of the directory fd in one block of memory, or -errno. */
static int walk_read(int fd, char **ret)
{
	_Alignas(struct entry) char buf[8192];
	char *names = NULL, *more;
	size_t n = 0, room = 0;
	long got;

	while ((got = sys_call(SYS_getdents64, fd, buf, sizeof buf)) > 0) {
		if (room - n < (size_t)got + 1) {
			room = room * 2 + sizeof buf + 1;
			more = walk_alloc(names, room);
			if (!more) {
				got = -ENOMEM;
				break;
			}
			names = more;
		}
		for (long i = 0; i < got;) {
			struct entry *d = (struct entry *)(buf + i);
			size_t len = strlen(d->name) + 1;

			i += d->reclen;
			if (mem_equal(d->name, ".") || mem_equal(d->name, ".."))
				continue;
			memcpy(names + n, d->name, len);
			n += len;
		}
	}
	if (got == -ENOENT) /* the directory is gone, and readdir(3) is at its end */
		got = 0;
	if (got == 0 && !names) {
		names = walk_alloc(NULL, 1);
		got = names ? 0 : -ENOMEM;
	}
	if (got < 0) {
		walk_free(names);
		return (int)got;
	}
	names[n] = '\0';
	*ret = names;
	return 0;
}

/* Opens the directory w->path as l: 0 or -errno.  An outer level gives its descriptor when the
 * caller's limit is reached. */
static int walk_enter(struct walk *w, struct level *l)
{
	const char *name = w->path;
	int dir = AT_FDCWD, r;

	if (w->open == w->max) {
		struct level *outer = NULL;

		for (struct level *u = l->up; u; u = u->up)
			if (u->fd >= 0)
				outer = u;
		if (outer) { /* as in glibc (io/ftw.c), even if it is the parent's, and the name gets long */
			sys_close(outer->fd);
			outer->fd = -1;
			w->open--;
		}
	}
	if (l->up && l->up->fd >= 0) {
		dir = l->up->fd;
		name = w->path + w->at.base;
	} else if (w->flags & FTW_CHDIR) {
		name = w->path + w->at.base;
	}
	l->fd = (int)guest_open_own(dir, *name ? name : ".", TREE_OPEN, 0);
	if (l->fd < 0)
		return l->fd;
	r = walk_read(l->fd, &l->names);
	if (r < 0) {
		sys_close(l->fd);
		return r;
	}
	w->open++;
	return 0;
}

static void walk_leave(struct walk *w, struct level *l)
{
	if (l->fd >= 0) {
		sys_close(l->fd);
		w->open--;
	}
	walk_free(l->names);
}

static int walk_directory(struct walk *w, const struct stat *st, struct level *up);

/* One name of the directory l. */
static int walk_entry(struct walk *w, struct level *l, const char *name)
{
	int flag = w->flags & FTW_PHYS ? AT_SYMLINK_NOFOLLOW : 0, dir = l->fd, type, result = 0;
	size_t n = strlen(name) + 1, base = (size_t)w->at.base;
	struct stat st;
	long r;

	if (base + n + 1 > w->room) { /* 1: the slash behind a directory's name */
		char *more = walk_alloc(w->path, 2 * (base + n + 1));

		if (!more)
			return walk_fail(-ENOMEM);
		w->path = more;
		w->room = 2 * (base + n + 1);
	}
	memcpy(w->path + base, name, n);
	if (dir < 0) {
		dir = AT_FDCWD;
		if (!(w->flags & FTW_CHDIR))
			name = w->path;
	}
	memset(&st, 0, sizeof st);
	r = guest_newfstatat(dir, name, &st, flag);
	if (r == 0) {
		type = S_ISDIR(st.st_mode) ? FTW_D : S_ISLNK(st.st_mode) ? FTW_SL : FTW_F;
	} else if (r != -EACCES && r != -ENOENT) {
		return walk_fail(r);
	} else {
		type = FTW_NS;
		/* POSIX wants the link's own data for a link to nowhere */
		if (!flag && guest_newfstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISLNK(st.st_mode))
			type = FTW_SLN;
	}
	if (type != FTW_NS && w->flags & FTW_MOUNT && st.st_dev != w->dev)
		return 0;
	if (type != FTW_D) {
		result = walk_visit(w, &st, type);
	} else {
		int first = flag ? 1 : walk_first(w, &st);

		if (first < 0)
			return walk_fail(first);
		if (first)
			result = walk_directory(w, &st, l);
	}
	return w->flags & FTW_ACTIONRETVAL && result == FTW_SKIP_SUBTREE ? 0 : result;
}

/* Back to the directory of the entry that was a directory.  Where its descriptor was given up
 * glibc takes "..", and so is lost behind a symlink that it followed; so are we. */
static int walk_back(struct walk *w, const struct level *up)
{
	long r;

	if (up->fd >= 0 && guest_fchdir(up->fd) == 0)
		return 0;
	r = guest_chdir(w->at.base == 1 ? "/" : "..");
	return r < 0 ? walk_fail(r) : 0;
}

static int walk_directory(struct walk *w, const struct stat *st, struct level *up)
{
	struct level l = {.up = up, .fd = -1};
	int result, base = w->at.base;
	size_t n;
	long r = walk_enter(w, &l);

	if (r < 0)
		return r == -EACCES ? walk_visit(w, st, FTW_DNR) : walk_fail(r);
	if (!(w->flags & FTW_DEPTH)) {
		result = walk_visit(w, st, FTW_D);
		if (result != 0) {
			walk_leave(w, &l);
			return result;
		}
	}
	if (w->flags & FTW_CHDIR) {
		r = guest_fchdir(l.fd);
		if (r < 0) {
			walk_leave(w, &l);
			return walk_fail(r);
		}
	}
	w->at.level++;
	n = strlen(w->path);
	if (w->path[n - 1] != '/')
		w->path[n++] = '/';
	w->at.base = (int)n;

	result = 0;
	for (const char *name = l.names; *name && result == 0; name += strlen(name) + 1)
		result = walk_entry(w, &l, name);
	walk_leave(w, &l);
	if (w->flags & FTW_ACTIONRETVAL && result == FTW_SKIP_SIBLINGS)
		result = 0;

	w->path[w->at.base - 1] = '\0';
	w->at.level--;
	w->at.base = base;
	if (result == 0 && w->flags & FTW_DEPTH)
		result = walk_visit(w, st, FTW_DP);
	if (up && w->flags & FTW_CHDIR &&
		(result == 0 ||
			(w->flags & FTW_ACTIONRETVAL && result != -1 && result != FTW_STOP)))
		if (walk_back(w, up) < 0)
			result = -1;
	return result;
}

/* The first object: the directory it lies in is entered before (FTW_CHDIR), and an object of which
 * nothing is known is an error, not a report. */
static int walk_start(struct walk *w)
{
	const char *name = w->path;
	int base = w->at.base, result;
	struct stat st;
	long r = 0;

	if (w->flags & FTW_CHDIR) {
		name += base;
		if (base == 1)
			r = guest_chdir("/");
		else if (base > 1) {
			w->path[base - 1] = '\0';
			r = guest_chdir(w->path);
			w->path[base - 1] = '/';
		}
		if (r < 0)
			return walk_fail(r);
		if (!*name)
			name = ".";
	}
	r = guest_newfstatat(AT_FDCWD, name, &st, w->flags & FTW_PHYS ? AT_SYMLINK_NOFOLLOW : 0);
	if (r < 0) {
		if (r == -ENOENT && !(w->flags & FTW_PHYS) &&
			guest_newfstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISLNK(st.st_mode))
			return walk_visit(w, &st, FTW_SLN);
		return walk_fail(r);
	}
	if (!S_ISDIR(st.st_mode)) {
		result = walk_visit(w, &st, S_ISLNK(st.st_mode) ? FTW_SL : FTW_F);
	} else {
		w->dev = st.st_dev;
		r = w->flags & FTW_PHYS ? 0 : walk_first(w, &st);
		if (r < 0)
			return walk_fail(r);
		result = walk_directory(w, &st, NULL);
	}
	if (w->flags & FTW_ACTIONRETVAL &&
		(result == FTW_SKIP_SUBTREE || result == FTW_SKIP_SIBLINGS))
		result = 0;
	return result;
}

static int walk_glibc(const char *path, walk_ftw *ftw, walk_nftw *nftw, int fds, int flags)
{
	struct walk w = {.ftw = ftw, .nftw = nftw, .flags = flags, .max = fds < 1 ? 1 : fds};
	size_t n = strlen(path);
	int result, cwd = -1, saved;

	if (!n)
		return walk_fail(-ENOENT);
	w.room = n < PATH_MAX / 2 ? PATH_MAX : 2 * n;
	w.path = walk_alloc(NULL, w.room);
	if (!w.path)
		return walk_fail(-ENOMEM);
	memcpy(w.path, path, n + 1);
	while (n > 1 && w.path[n - 1] == '/')
		w.path[--n] = '\0';
	while (n && w.path[n - 1] != '/')
		n--;
	w.at.base = (int)n;
	if (flags & FTW_CHDIR) {
		long here = guest_open_own(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

		if (here != -EACCES) {
			w.max -= w.max > 1;
		} else { /* glibc then goes by its name, and back only if it may */
			char *name = jail_getcwd(NULL, 0);

			walk_free(name);
			if (!name) { /* it says so in errno alone */
				walk_free(w.path);
				return 0;
			}
			errno_set(EACCES);
			here = sys_openat(AT_FDCWD, "/proc/self/cwd", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		}
		cwd = EDGE(int, here);
		if (cwd < 0) {
			walk_free(w.path);
			return -1;
		}
	}
	result = walk_start(&w);
	saved = *__errno_location();
	if (cwd >= 0) {
		guest_fchdir(cwd);
		sys_close(cwd);
	}
	walk_free(w.seen);
	walk_free(w.path);
	errno_set(saved);
	return result;
}

/* -- musl's: FTW_* one higher, no FTW_CHDIR, no FTW_ACTIONRETVAL, no memory of other branches -- */

struct branch {
	const struct branch *up;
	dev_t dev;
	ino_t ino;
	struct FTW at;
};

enum { MUSL_F = 1, MUSL_D, MUSL_DNR, MUSL_NS, MUSL_SL, MUSL_DP, MUSL_SLN };

static int walk_musl(
	char path[PATH_MAX + 1], walk_nftw *visit, int fds, int flags, const struct branch *up)
{
	size_t n = strlen(path), end = n && path[n - 1] == '/' ? n - 1 : n, k;
	struct branch b = {.up = up};
	struct level l = {.fd = -1};
	struct FTW at;
	struct stat st;
	int type, result = 0;
	long opened = 0, r;

	memset(&st, 0, sizeof st);
	r = guest_newfstatat(AT_FDCWD, path, &st, flags & FTW_PHYS ? AT_SYMLINK_NOFOLLOW : 0);
	if (r == 0)
		type = S_ISDIR(st.st_mode)   ? flags & FTW_DEPTH ? MUSL_DP : MUSL_D
		       : S_ISLNK(st.st_mode) ? flags & FTW_PHYS ? MUSL_SL : MUSL_SLN
					     : MUSL_F;
	else if (r == -ENOENT && !(flags & FTW_PHYS) &&
		 guest_newfstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = MUSL_SLN;
	else if (r == -EACCES)
		type = MUSL_NS;
	else
		return walk_fail(r);
	if (flags & FTW_MOUNT && up && type != MUSL_NS && st.st_dev != up->dev)
		return 0;

	b.dev = st.st_dev;
	b.ino = st.st_ino;
	b.at.level = up ? up->at.level + 1 : 0;
	b.at.base = (int)end + 1; /* of what lies below */
	at.level = b.at.level;
	if (up) {
		at.base = up->at.base;
	} else {
		for (k = end; k && path[k] == '/'; k--)
			;
		for (; k && path[k - 1] != '/'; k--)
			;
		at.base = (int)k;
	}
	if (type == MUSL_D || type == MUSL_DP) {
		opened = guest_open_own(AT_FDCWD, path, TREE_OPEN, 0);
		if (opened == -EACCES)
			type = MUSL_DNR;
		if (opened >= 0) {
			if (fds)
				opened = walk_read(l.fd = (int)opened, &l.names);
			else
				sys_close((int)opened);
		}
	}
	if (!(flags & FTW_DEPTH))
		result = visit(path, &st, type, &at);
	for (const struct branch *u = up; u && result == 0; u = u->up)
		if (u->dev == st.st_dev && u->ino == st.st_ino)
			goto out; /* a link to above */
	if (result == 0 && (type == MUSL_D || type == MUSL_DP) && fds) {
		if (opened < 0)
			result = walk_fail(opened);
		for (const char *name = l.names; name && *name && result == 0;) {
			size_t len = strlen(name);

			if (len >= PATH_MAX - n) {
				result = walk_fail(-ENAMETOOLONG);
				break;
			}
			path[end] = '/';
			memcpy(path + end + 1, name, len + 1);
			result = walk_musl(path, visit, fds - 1, flags, &b);
			name += len + 1;
		}
	}
	path[n] = '\0';
	if (flags & FTW_DEPTH && result == 0)
		result = visit(path, &st, type, &at);
out:
	if (l.fd >= 0)
		sys_close(l.fd);
	walk_free(l.names);
	return result;
}

static int walk_musl_start(const char *path, walk_nftw *visit, int fds, int flags)
{
	char own[PATH_MAX + 1];
	size_t n = strlen(path);

	if (fds <= 0)
		return 0;
	if (n > PATH_MAX)
		return walk_fail(-ENAMETOOLONG);
	memcpy(own, path, n + 1);
	return walk_musl(own, visit, fds, flags, NULL);
}

int jail_nftw(const char *path, walk_nftw *visit, int fds, int flags)
{
	const int known = FTW_PHYS | FTW_MOUNT | FTW_CHDIR | FTW_DEPTH | FTW_ACTIONRETVAL;

	if (!state_view())
		return REAL(nftw)(path, visit, fds, flags);
	if (config()->musl)
		return walk_musl_start(path, visit, fds, flags);
	if (flags & ~known)
		return walk_fail(-EINVAL);
	return walk_glibc(path, NULL, visit, fds, flags);
}

int jail_ftw(const char *path, walk_ftw *visit, int fds)
{
	if (!state_view())
		return REAL(ftw)(path, visit, fds);
	if (config()->musl) /* as musl does: the fourth argument is not looked at */
		return walk_musl_start(path, (walk_nftw *)(void (*)(void))visit, fds, FTW_PHYS);
	return walk_glibc(path, visit, NULL, fds, 0);
}
