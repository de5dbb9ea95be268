/* SPDX-License-Identifier: ISC
 *
 * chroot(2), granted to everybody: a new view for the calling process; and what the kernel refuses
 * to whoever has one. */
#include "guest.h"
#include "../config.h"
#include "../state.h"
#include <errno.h>
#include <linux/sched.h>

/* The first root of a process that had none: what jailrun --root would give, binds included. */
static long enter_first(const char *path)
{
	const struct config *c = config();
	struct bind binds[64];
	struct view v;
	const int min = state_fd_min();
	int r = view_open(&v, path, min);

	if (r < 0)
		return r;
	if (!v.host_len) { /* chroot("/") where / is / */
		sys_close(v.fd);
		return 0;
	}
	v.binds = binds;
	v.walk |= c->walk;
	v.strayed = true;
	v.exe = NULL;
	r = state_binds(&v, c->bind ? c->bind : "default", min);
	if (r == 0)
		r = state_chroot(&v);
	if (r < 0)
		sys_close(v.fd);
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

long guest_unshare(unsigned long flags)
{
	enum {
		/* what the kernel checks and then does, or refuses to the unprivileged */
		DONE = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
		       CLONE_NEWPID | CLONE_NEWNET
	};
	long r;

	if (!(flags & CLONE_NEWUSER) || !state_view())
		return sys_call(SYS_unshare, flags);
	/* CLONE_THREAD is nothing but the check that there is one thread, which CLONE_NEWUSER has as well;
	 * and a flag that is unknown stays one */
	r = sys_call(SYS_unshare, (flags & ~(unsigned long)(DONE | CLONE_NEWUSER)) | CLONE_THREAD);
	return r < 0 ? r : -EPERM;
}

long guest_chroot(const char *path)
{
	const struct view *v = state_view();
	struct bind binds[64];
	struct view new;
	char at[PATH_MAX + 64];
	size_t end = ROWS(binds);
	long fd, n;
	int r;

	if (!v) {
		n = place_strlen(path, PATH_MAX);
		return n < 0 ? n : enter_first(path);
	}
	fd = place_hold(v, AT_FDCWD, path, O_DIRECTORY, 0);
	if (fd < 0)
		return fd;
	n = place_guest_fd(v, (int)fd, at, sizeof at);
	if (n < 0) {
		sys_close((int)fd);
		return n;
	}
	r = view_open_fd(&new, (int)fd, state_fd_min());
	if (r < 0)
		return r;
	if (n == 1)
		n = 0;
	new.walk = v->walk;
	new.strayed = true;
	new.exe = v->exe;
	new.binds = binds;
	for (size_t i = 0; i < v->nbinds + v->nold && new.nbinds < end; i++) {
		const struct bind *b = &v->binds[i];

		if (i >= v->nbinds || b->guest_len <= (size_t)n || memcmp(b->guest, at, (size_t)n) != 0 ||
			b->guest[n] != '/') { /* another thread may be in a call with its descriptor */
			binds[--end] = *b;
			continue;
		}
		binds[new.nbinds] = *b;
		binds[new.nbinds].guest += n;
		binds[new.nbinds++].guest_len -= (size_t)n;
	}
	new.nold = ROWS(binds) - end;
	memmove(&binds[new.nbinds], &binds[end], new.nold * sizeof *binds);
	view_sum(&new);
	r = state_chroot(&new);
	if (r < 0)
		sys_close(new.fd);
	return r;
}
