/* SPDX-License-Identifier: ISC
 *
 * chroot(2), granted to everybody: a new view for the calling process; and what the kernel refuses
 * to whoever has one. */
#include "guest.h"
#include "../config.h"
#include "../path/look.h"
#include "../state.h"
#include <errno.h>
#include <linux/sched.h>

/* Pages, and not a stack: who enters a root may be a child of clone(2) that has little of it (Chromium's sandbox: 16
 * KiB). */
struct room {
	struct bind binds[STATE_BINDS];
	struct state_room state;
	char at[PATH_MAX + 64], text[2 * PATH_MAX], was[PATH_MAX];
};

/* The first root of a process that had none: what jailrun --root would give, binds included. */
static long enter_first(const char *path, struct room *room)
{
	const struct config *c = config();
	const int min = state_fd_min();
	struct stat st, root;
	struct view v;
	int r;

	/* chroot("/") where / is /: without a descriptor, whose number another thread may take */
	if (sys_fstatat(AT_FDCWD, path, &st, 0) == 0 && sys_fstatat(AT_FDCWD, "/", &root, 0) == 0 &&
		st.st_dev == root.st_dev && st.st_ino == root.st_ino)
		return sys_faccessat2(AT_FDCWD, "/", X_OK, AT_EACCESS);
	r = view_open(&v, path, -1);
	if (r < 0)
		return r;
	v.fd = view_fd_high(v.fd, min);
	if (v.fd < 0)
		return v.fd;
	v.binds = room->binds;
	v.walk |= c->walk;
	v.strayed = true;
	v.exe = NULL;
	r = state_binds(&v, c->bind ? c->bind : "default", min, &room->state);
	v.clean = c->clean;
	epoch_make(&v, min);
	if (r == 0)
		r = state_chroot(NULL, &v);
	if (r < 0) {
		sys_close(v.fd);
		if (v.epoch)
			sys_close(v.epoch - 1);
		for (size_t i = 0; i < v.nbinds; i++)
			sys_close(v.binds[i].fd);
	}
	return r;
}

/* user_namespaces(7): nobody who is chrooted creates one (create_user_ns(), current_chrooted()).  What
 * is wrong with the other flags is found before (kernel/fork.c, copy_process()). */
long guest_clone_allowed(uint64_t flags)
{
	if (LIKELY(!(flags & CLONE_NEWUSER)) || !state_view())
		return 0;
	if (flags & (CLONE_FS | CLONE_THREAD) || (flags & CLONE_SIGHAND && !(flags & CLONE_VM)))
		return -EINVAL;
	return -EPERM;
}

static void fd_own(int held, const char *host)
{
	struct stat was, is;
	int fd = sys_openat(AT_FDCWD, host, O_PATH | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (held >= 0 && sys_fstat(held, &was) == 0 && sys_fstat(fd, &is) == 0 && was.st_dev == is.st_dev &&
		was.st_ino == is.st_ino)
		sys_dup3(fd, held, O_CLOEXEC);
	sys_close(fd);
}

/* The kernel has the process stand in the copies; where we hold the old ones, nothing is mounted, nor is
 * what was mounted seen. */
void guest_mounts_copied(void)
{
	const struct view *v = state_view();

	if (!v || v->fd < 0)
		return;
	fd_own(v->fd, v->host_len ? v->host : "/");
	for (size_t i = 0; i < v->nbinds + v->nold; i++)
		fd_own(v->binds[i].fd, v->binds[i].host);
}

long guest_unshare(unsigned long flags)
{
	enum {
		/* what the kernel checks and then does, or refuses to the unprivileged */
		DONE = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		       CLONE_NEWPID | CLONE_NEWNET
	};
	long r;

	if (flags & (CLONE_FS | CLONE_FILES | CLONE_NEWNS))
		epoch_apart();
	if (!(flags & CLONE_NEWUSER) || !state_view()) {
		r = sys_call(SYS_unshare, flags);
		if (r == 0 && flags & CLONE_NEWNS)
			guest_mounts_copied();
		return r;
	}
	/* CLONE_THREAD is nothing but the check that there is one thread, which CLONE_NEWUSER has as well;
	 * and a flag that is unknown stays one */
	r = sys_call(SYS_unshare, (flags & ~(unsigned long)(DONE | CLONE_NEWUSER)) | CLONE_THREAD);
	return r < 0 ? r : -EPERM;
}

/* What of the absolute path p lies below dir ("" is /): "/...", or NULL. */
static const char *path_inside(const char *p, const char *dir)
{
	const char *rest = mem_below(p, dir);

	return rest && *rest && rest[1] ? rest : NULL;
}

/* Where the root is now: it may have been renamed since. */
static const char *root_host(const struct view *v, char buf[PATH_MAX])
{
	char magic[PLACE_PATH];
	const struct place root = {.dir = v->fd, .flags = AT_EMPTY_PATH};
	const long n = sys_readlinkat(AT_FDCWD, place_path(&root, magic), buf, PATH_MAX - 1);

	if (n <= 0 || buf[0] != '/')
		return v->host;
	buf[n > 1 ? n : 0] = '\0';
	return buf;
}

/* A bind of a view in the next one.  guest: its name there; NULL: it lies outside, and is named by its
 * bind point's host path, for the day that a root above it is entered. */
struct carried {
	const char *guest, *point;
};

/* i: which one of v's; inside: the guest name of the new root in v, or NULL.  0 or -ENOMEM. */
static int bind_carry(struct carried *ret, const struct view *v, size_t i, const char *inside, const struct view *new,
	struct room *room)
{
	const struct bind *b = &v->binds[i];
	struct str s = {room->text, room->text + sizeof room->text};

	*ret = (struct carried){.point = b->guest};
	if (i < v->nbinds) {
		ret->guest = inside ? path_inside(b->guest, inside) : NULL;
		if (ret->guest)
			return 0;
		str_puts(&s, root_host(v, room->was));
		str_puts(&s, b->guest);
		ret->point = s.at ? mem_keep(room->text, (size_t)(s.at - room->text)) : NULL;
		if (!ret->point)
			return -ENOMEM;
	}
	ret->guest = path_inside(ret->point, new->host);
	return 0;
}

/* Does path lead to the root that there is?  Then nothing changes, and no descriptor is needed, whose number
 * another thread may take; what needs one is for the long way.  room: LOOK_ROOM bytes. */
static bool is_root(const struct view *v, const char *path, char *room)
{
	struct place at;
	struct stat st;

	if (look_place(&at, v, AT_FDCWD, path, PLACE_OBJECT | PLACE_LOOK, room) < 0)
		return false;
	if (at.owned)
		return place_done(&at, false);
	return sys_fstatat(at.dir, at.name, &st, at.flags) == 0 && !look_moved(&at) && st.st_dev == v->dev &&
	       st.st_ino == v->ino;
}

/* A new root shows the binds that lie below it: those of the old one, and those that a chroot(2)
 * before left outside, to who goes back (fchdir(2), then chroot(".")). */
static long enter_next(const struct view *v, const char *path, struct room *room)
{
	struct bind *const binds = room->binds;
	char *const at = room->at;
	struct str s = {at, at + sizeof room->at};
	struct view new;
	size_t end = ROWS(room->binds);
	bool inside;
	int r, fd;

	if (look_threads() && is_root(v, path, room->at))
		return sys_faccessat2(v->fd, ".", X_OK, AT_EACCESS);
	fd = place_hold(v, AT_FDCWD, path, O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	/* not to a high number, which the program may take meanwhile: it gets that of the old root */
	r = view_open_fd(&new, fd, state_in_vfork() ? state_fd_min() : -1);
	if (r < 0)
		return r;
	inside = place_guest(v, new.host_len ? new.host : "/", &s) == 0;
	if (inside && s.at == at + 1)
		at[0] = '\0';
	new.walk = v->walk;
	new.clean = v->clean;
	new.epoch = v->epoch;
	new.epoch_ino = v->epoch_ino;
	new.strayed = true;
	new.exe = v->exe;
	new.binds = binds;
	for (size_t i = 0; r == 0 && i < v->nbinds + v->nold && new.nbinds < end; i++) {
		struct carried c;
		struct bind *b;

		r = bind_carry(&c, v, i, inside ? at : NULL, &new, room);
		if (r < 0)
			break;
		/* outside: another thread may be in a call with its descriptor */
		b = c.guest ? &binds[new.nbinds++] : &binds[--end];
		*b = v->binds[i];
		b->guest = c.guest ? c.guest : c.point;
		b->guest_len = strlen(b->guest);
		b->name = mem_base(b->guest);
		b->in_root = path_inside(b->host, new.host) != NULL;
	}
	new.nold = ROWS(room->binds) - end;
	memmove(&binds[new.nbinds], &binds[end], new.nold * sizeof *binds);
	view_sum(&new);
	if (r == 0)
		r = state_chroot(v, &new);
	if (r < 0)
		sys_close(new.fd);
	return r;
}

long guest_chroot(const char *path)
{
	const long n = place_strlen(path, PATH_MAX);
	struct room *room = n < 0 ? NULL : sys_pages(sizeof *room);
	const struct view *v;
	long r;

	if (!room)
		return n < 0 ? n : -ENOMEM;
	do { /* again where another thread has entered one, or moved our descriptors, meanwhile */
		v = state_view();
		r = v ? enter_next(v, path, room) : enter_first(path, room);
	} while (r == -EAGAIN || (UNLIKELY(r < 0) && state_view() != v));
	sys_call(SYS_munmap, room, sizeof *room);
	return r;
}
