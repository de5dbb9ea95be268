/* SPDX-License-Identifier: ISC
 *
 * The root of this process, and the descriptors that hold it.
 *
 * A view is published whole and never changed, but for a descriptor of ours that has to make way.
 * A vfork child shares this memory with its parent and may have a root of its own: that one is kept
 * beside the process's, under the child's pid, until the parent's thread runs again.  What the child
 * forks in turn takes it along. */
#include "state.h"
#include "config.h"
#include "event.h"
#include "path/epoch.h"
#include "source.h"
#include "sys.h"
#include "sys/lock.h"
#include "wrap.h"
#include <errno.h>
#include <linux/kcmp.h>
#include <sys/resource.h>

enum { BINDS_MAX = STATE_BINDS };

static const struct config *first_config(void);
static int first_chroot(const struct view *old, const struct view *v);
static struct state own = {.event_fd = &event_fd, .source_fd = &source_fd, .here = &epoch_own_here, .config = first_config,
	.slow = state_slow, .chroot = first_chroot, .yield = state_yield};
BESIDE struct state *state = &own;
/* For the audit module, which lives in another name space (audit.c): the root of dlopen(3). */
extern const struct view *libjail_audit_view __attribute__((alias("own"), visibility("default")));
struct state_told libjail_audit_told __attribute__((visibility("default"))) = {.size = sizeof own};

bool state_apart(void)
{
	struct state *first = libjail_audit_told.first;

	if (UNLIKELY(first && state != first)) {
		epoch_here = first->here;
		source_fd = *first->source_fd; /* for those who are executed from here */
		__atomic_store_n(&state, first, __ATOMIC_RELEASE);
	}
	return first != NULL;
}

static const struct config *first_config(void)
{
	return config();
}

/* The binds are those of the old root; where the new one is only the caller knows. */
static int first_chroot(const struct view *old, const struct view *v)
{
	struct view c = *v;

	c.host = mem_keep(v->host, v->host_len);
	return c.host ? state_chroot(old, &c) : -ENOMEM;
}

/* The roots of vfork children.  The parent's thread stands still meanwhile, and its child has the
 * same thread-local storage: the address of errno tells whose child it is.  One child may make
 * another: the latest has the highest age. */
enum { FILLING = -1 };
static struct forked {
	int pid; /* 0: free; FILLING: the rest is not to be read */
	int parent;
	const int *thread;
	unsigned age;
	const struct view *view;
} forked[16];

int state_fd_min(void)
{
	struct rlimit lim;
	long max = 256;

	if (sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &lim) == 0 && lim.rlim_cur < 256)
		max = (long)lim.rlim_cur;
	return max > 64 ? (int)max - 20 : (int)(max / 2);
}

bool state_in_vfork(void)
{
	int pid = sys_getpid(), (*clock_of)(unsigned long, int *);
	unsigned long (*self)(void);
	int clock;
	long r;

	if (pid == config()->pid)
		return false;
	r = sys_filtered ? -ENOSYS : sys_call(SYS_kcmp, pid, (long)sys_call(SYS_getppid), KCMP_VM, 0, 0);
	if (r >= 0)
		return r == 0;
	/* Containers refuse kcmp(2).  A libc keeps the number of each thread in its memory, which fork
	 * brings up to date and vfork does not, and tells it by way of a clock: clock_getres(2). */
	clock_of = LIBC(pthread_getcpuclockid, int, (unsigned long, int *));
	self = LIBC(pthread_self, unsigned long, (void));
	return clock_of && self && clock_of(self(), &clock) == 0 && ~(clock >> 3) != sys_gettid();
}

/* Only the parent's thread can say that a child is gone, by running: by itself, or in its next child. */
static const struct view *forked_view(void)
{
	const int seen = __atomic_load_n(&own.forked_root, __ATOMIC_ACQUIRE);
	const int *thread = __errno_location();
	const int pid = sys_getpid(), above = (int)sys_call(SYS_getppid);
	struct forked *latest = NULL;
	int left = 0, none = seen;

	for (size_t i = 0; i < ROWS(forked); i++) {
		struct forked *f = &forked[i];
		const int child = __atomic_load_n(&f->pid, __ATOMIC_ACQUIRE);

		if (!child)
			continue;
		if (child != FILLING && f->thread == thread && (f->parent == pid || (f->parent == above && child != pid))) {
			__atomic_store_n(&f->pid, 0, __ATOMIC_RELEASE);
			continue;
		}
		left++;
		if (child != FILLING && f->thread == thread && (!latest || f->age > latest->age))
			latest = f;
	}
	if (!left) /* nor has one come meanwhile */
		__atomic_compare_exchange_n(&own.forked_root, &none, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	if (!latest)
		return __atomic_load_n(&own.now, __ATOMIC_ACQUIRE);
	if (latest->pid != pid && !state_in_vfork()) { /* forked by such a child: this memory is ours alone */
		__atomic_store_n(&own.now, latest->view, __ATOMIC_RELEASE);
		memset(forked, 0, sizeof forked);
		__atomic_store_n(&own.forked_root, 0, __ATOMIC_RELEASE);
		return own.now;
	}
	return latest->view;
}

const struct view *state_slow(void)
{
	if (UNLIKELY(state_apart()))
		return state->slow();
	if (!__atomic_load_n(&own.ready, __ATOMIC_ACQUIRE))
		state_start();
	if (__atomic_load_n(&own.forked_root, __ATOMIC_ACQUIRE))
		return forked_view();
	return __atomic_load_n(&own.now, __ATOMIC_ACQUIRE);
}

static struct view *view_copy(const struct view *v)
{
	/* mem_keep's alignment will do, and its arena leaves the holes in the address space alone */
	struct view *c = (struct view *)(void *)mem_keep((const char *)v, sizeof *v);
	struct bind *b = (struct bind *)(void *)mem_keep((const char *)v->binds, (v->nbinds + v->nold) * sizeof *b);

	if (!c || !b)
		return NULL;
	c->binds = b;
	return c;
}

static int publish_forked(const struct view *c)
{
	static unsigned ages;
	const int pid = sys_getpid();
	struct forked *f = NULL;

	for (size_t i = 0; i < ROWS(forked) && !f; i++)
		if (forked[i].pid == pid && forked[i].thread == __errno_location())
			f = &forked[i];
	for (size_t i = 0; i < ROWS(forked) && !f; i++) {
		int none = 0;

		/* taken, but nobody's until it is filled */
		if (__atomic_compare_exchange_n(
			    &forked[i].pid, &none, FILLING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			f = &forked[i];
	}
	if (!f)
		return -ENOMEM;
	f->view = c;
	f->parent = (int)sys_call(SYS_getppid);
	f->thread = __errno_location();
	f->age = __atomic_add_fetch(&ages, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&f->pid, pid, __ATOMIC_RELEASE);
	while (__atomic_add_fetch(&own.forked_root, 1, __ATOMIC_ACQ_REL) == 0)
		;
	return 0;
}

bool state_alone(void)
{
	/* a filter of the program's own may kill for it */
	const long r = sys_filtered ? -EPERM : sys_call(SYS_unshare, CLONE_THREAD);
	struct stat st;

	if (r != -EPERM && r != -ENOSYS)
		return r == 0;
	/* a seccomp filter: "task" has a directory for each thread, and two links more (proc(5)) */
	return sys_fstatat(AT_FDCWD, "/proc/self/task", &st, 0) == 0 && st.st_nlink == 3;
}

/* What the view holds, and what it says that it holds, change together: under LOCK_VIEW, but in a vfork child, whose
 * table of descriptors and whose view are its own. */
int state_chroot(const struct view *old, const struct view *v)
{
	struct view *c;
	uint64_t mask;
	int to, r = 0;

	if (UNLIKELY(state_apart()))
		return state->chroot(old, v);
	if (UNLIKELY(state_in_vfork())) {
		c = view_copy(v);
		return c ? publish_forked(c) : -ENOMEM;
	}
	mask = lock_take(LOCK_VIEW);
	c = __atomic_load_n(&own.now, __ATOMIC_ACQUIRE) == old ? view_copy(v) : NULL;
	if (c) {
		/* The number stays: another thread in the middle of a call meets the old root or the new
		 * one, as in the kernel, and never a closed descriptor. */
		to = old && old->fd >= 0 ? sys_dup3(v->fd, old->fd, O_CLOEXEC) : -1;
		if (to < 0 && old) { /* the soft limit is below it by now */
			to = view_fd_beyond(v->fd, state_fd_min());
			if (old->fd >= 0 && state_alone())
				sys_close(old->fd);
		}
		if (to >= 0) {
			sys_close(v->fd);
			c->fd = to;
		}
		__atomic_store_n(&own.now, c, __ATOMIC_RELEASE);
	} else {
		r = own.now == old ? -ENOMEM : -EAGAIN;
	}
	lock_give(LOCK_VIEW, mask);
	return r;
}

bool state_owns_view(const struct view *v, int fd)
{
	if (fd == v->fd || fd + 1 == v->epoch)
		return true;
	for (size_t i = 0; i < v->nbinds + v->nold; i++)
		if (fd == v->binds[i].fd)
			return true;
	return false;
}

/* fd, which the view holds, is to from now on: 0 or -ENOMEM. */
static int view_moved(int fd, int to, bool in_vfork)
{
	struct view *c = view_copy(state_view());

	if (!c)
		return -ENOMEM;
	c->note = NULL;
	if (c->fd == fd)
		c->fd = to;
	if (c->epoch == fd + 1)
		c->epoch = to + 1;
	for (size_t i = 0; i < c->nbinds + c->nold; i++)
		if (c->binds[i].fd == fd)
			c->binds[i].fd = to;
	if (in_vfork)
		return publish_forked(c);
	__atomic_store_n(&own.now, c, __ATOMIC_RELEASE);
	return 0;
}

static int yield(int fd, bool in_vfork)
{
	int to, r;

	if (!state_owns(fd)) /* another thread has moved it meanwhile */
		return 0;
	/* not to the next number, which a program that counts up will want next */
	to = state_fd_min();
	to = sys_fcntl(fd, F_DUPFD_CLOEXEC, fd < to ? to : fd + 16);
	if (to < 0)
		to = sys_fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
	if (to < 0)
		to = sys_dup_beyond(fd);
	if (to < 0)
		return to;
	/* a vfork child moves its own, not its parent's */
	if ((fd == event_fd || fd == source_fd) && in_vfork)
		return 0;
	if (event_moved(fd, to) || source_moved(fd, to))
		return 0;
	r = view_moved(fd, to, in_vfork);
	if (r < 0)
		sys_close(to);
	return r;
}

int state_yield(int fd)
{
	uint64_t mask;
	int r;

	if (!state_owns(fd))
		return 0;
	if (UNLIKELY(state_apart())) {
		r = state->yield(fd);
		source_fd = *state->source_fd;
		return r;
	}
	if (state_in_vfork())
		return yield(fd, true);
	mask = lock_take(LOCK_VIEW);
	r = yield(fd, false);
	lock_give(LOCK_VIEW, mask);
	return r;
}

size_t state_owned(unsigned first, unsigned last, int *out, size_t n)
{
	const struct view *v = state_view();
	const size_t own = v ? v->nbinds + v->nold + 1 : 0;
	size_t have = 0;

	for (size_t i = 0; i <= own + 2; i++) {
		int fd = i == own ? *state->event_fd : i == own + 1 ? *state->source_fd : i > own ? (v ? v->epoch - 1 : -1)
			: i ? v->binds[i - 1].fd : v->fd;
		size_t at;

		if (fd < 0 || (unsigned)fd < first || (unsigned)fd > last || (have == n && fd > out[n - 1]))
			continue;
		have += have < n;
		for (at = have - 1; at > 0 && out[at - 1] > fd; at--)
			out[at] = out[at - 1];
		out[at] = fd;
	}
	return have;
}

int state_binds(struct view *v, const char *list, int fd_min, struct state_room *room)
{
	char *const host = room->host, *const guest = room->guest;
	static const char *const standard[] = {"/proc", "/dev", "/sys"};
	const char *what;
	int r;

	for (;;) {
		struct str h = {host, host + sizeof room->host}, g = {guest, guest + sizeof room->guest};

		if (!view_binds_next(&list, &h, &g))
			return 0;
		if (!*guest && mem_equal(host, "none"))
			continue;
		if (!*guest && mem_equal(host, "default")) {
			/* where the root has no such directory chroot(1) would show none either */
			for (size_t i = 0; i < ROWS(standard) && v->nbinds < BINDS_MAX; i++)
				(void)!view_bind(v, standard[i], standard[i], fd_min, &what);
			continue;
		}
		r = h.at && g.at ? 0 : -ENAMETOOLONG;
		what = host;
		if (r == 0)
			r = v->nbinds < BINDS_MAX ? view_bind(v, host, *guest ? guest : host, fd_min, &what)
						  : -ENOSPC;
		if (r < 0) {
			SAY("bind ", host, " on ", *guest ? guest : host, ": ", what,
				r == -ENOENT ? (what == host ? ": no such file on the host"
							     : ": no such file in the root; make it first")
				: r == -ENOTDIR ? ": a directory can only be bound on a directory"
				: r == -EISDIR  ? ": a file can only be bound on a file"
				: r == -EACCES  ? ": permission denied"
						: ": cannot be bound");
			return r;
		}
	}
}

/* After an exec under libjail: the descriptors are here already. */
static int inherit(struct view *v, const struct config *c, size_t max)
{
	enum { MARK = 4 }; /* CLOSE_RANGE_CLOEXEC of linux/close_range.h */
	int r = view_note_take(v, c->note_view, c->root, c->bind ? c->bind : "", max);
	size_t n = 0;

	if (r < 0)
		return r;
	/* the numbers are mostly neighbours, made in a row */
	while (n < v->nbinds && v->binds[n].fd == v->fd + 1 + (int)n)
		n++;
	if (n < v->nbinds || (v->epoch && v->epoch != v->fd) ||
		sys_call_newer(SYS_close_range, v->epoch ? v->epoch - 1 : v->fd, v->fd + (int)n, MARK) < 0) {
		sys_fcntl(v->fd, F_SETFD, FD_CLOEXEC);
		sys_fcntl(v->epoch - 1, F_SETFD, FD_CLOEXEC);
		for (n = 0; n < v->nbinds; n++)
			sys_fcntl(v->binds[n].fd, F_SETFD, FD_CLOEXEC);
	}
	return 0;
}

static int enter(struct view *v, const struct config *c)
{
	const int min = state_fd_min();
	struct bind *binds = v->binds;
	struct view page = {0};
	int r;

	epoch_make(&page, min); /* first, and its descriptor is the root's neighbour */
	r = view_open(v, c->root, min);

	if (r < 0) {
		char self[16];

		memset(v, 0, sizeof *v);
		v->host = "";
		SAY("root ", c->root, ": ",
			r == -ENOENT && sys_readlinkat(AT_FDCWD, "/proc/self", self, sizeof self) < 0
			? "/proc is not mounted on this machine: without it no root can be entered; mount -t proc proc /proc"
			: r == -ENOENT  ? "no such directory; give an existing one with --root"
			: r == -ENOTDIR ? "not a directory; --root wants one"
			: r == -EACCES  ? "permission denied on it or on a directory above it"
			: r == -EMFILE  ? "no descriptor is free"
					: "cannot be opened");
	}
	v->binds = binds;
	if (r == 0) {
		struct state_room room;

		v->epoch = page.epoch;
		v->epoch_ino = page.epoch_ino;
		v->walk |= c->walk;
		r = state_binds(v, c->bind ? c->bind : "default", min, &room);
		if (r < 0)
			sys_close(v->fd);
	}
	return r;
}

/* The long way, and its large frame: by name, or with many binds. */
static NOINLINE struct view *start_large(const struct config *c)
{
	struct bind binds[BINDS_MAX];
	struct view v = {.binds = binds};
	int r;

	if (!c->note_view || inherit(&v, c, BINDS_MAX) < 0) {
		v = (struct view){.binds = binds};
		r = enter(&v, c);
		if (r < 0) { /* every path call fails with the reason */
			v.fd = -1;
			v.error = -r;
			v.nbinds = 0;
		}
	}
	v.exe = c->note_exe;
	v.clean = c->clean;
	return view_copy(&v);
}

void state_start(void)
{
	const struct config *c = config();
	BESIDE static struct {
		struct view view;
		struct bind binds[4];
	} first; /* enough for the binds by default */
	BESIDE static int claimed;
	struct view *v = NULL;

	if (c->root && !__atomic_load_n(&own.now, __ATOMIC_ACQUIRE)) {
		if (c->note_view && !__atomic_exchange_n(&claimed, 1, __ATOMIC_ACQ_REL)) {
			first.view.binds = first.binds;
			if (inherit(&first.view, c, ROWS(first.binds)) == 0) {
				v = &first.view;
				v->exe = c->note_exe;
				v->clean = c->clean;
			}
		}
		if (!v)
			v = start_large(c);
		__atomic_store_n(&own.now, v, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&own.ready, 1, __ATOMIC_RELEASE);
}
