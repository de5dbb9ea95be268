/* SPDX-License-Identifier: ISC
 *
 * Mounts made and moved.  The unprivileged get EPERM, and when they get it in place of another error
 * only the kernel knows: a name that leads nowhere is asked about with one that surely is ENOENT. */
#include "guest.h"
#include "../state.h"
#include "../sys.h"
#include <errno.h>
#include <sys/mount.h>

enum { /* linux/mount.h, which does not go along with sys/mount.h everywhere */
	FROM_SYMLINKS = 0x1,
	FROM_EMPTY = 0x4,
	TO_SYMLINKS = 0x10,
	TO_EMPTY = 0x40,
	CONFIG_STRING = 1,
	CONFIG_PATH = 3,
	CONFIG_PATH_EMPTY = 4,
	OLD_BIND = 0x1000,
	OLD_MOVE = 0x2000,
};
static const char mount_nowhere[] = "/proc/self/fd/x/x";

/* mount(2): with these flags the source is a path as well, looked up after the target. */
long guest_mount(const char *source, const char *target, const char *type, unsigned long flags,
	const void *data)
{
	const struct view *v = flags & (OLD_BIND | OLD_MOVE) ? state_view() : NULL;
	char magic[PLACE_PATH];
	struct place at;
	long missing, r, args[6] = {(long)source, (long)target, (long)type, (long)flags, (long)data};

	if (!v || place_strlen(source, PATH_MAX) <= 0) /* the kernel judges what is no path */
		return guest_by_path(SYS_mount, args, 1, 0);
	missing = place_find(&at, v, AT_FDCWD, source, PLACE_OBJECT);
	if (missing == 0) {
		args[0] = (long)place_path(&at, magic);
		return place_done(&at, guest_by_path(SYS_mount, args, 1, 0));
	}
	args[0] = (long)mount_nowhere;
	r = guest_by_path(SYS_mount, args, 1, 0);
	if (r != -ENOENT)
		return r;
	args[0] = 0; /* EINVAL where the target is there */
	return guest_by_path(SYS_mount, args, 1, 0) == -ENOENT ? -ENOENT : missing;
}

static unsigned mount_how(unsigned flags, unsigned follow, unsigned empty)
{
	return PLACE_OBJECT | (flags & follow ? 0u : PLACE_NOFOLLOW) | (flags & empty ? PLACE_EMPTY : 0u);
}

long guest_move_mount(int olddir, const char *old, int newdir, const char *new, unsigned flags)
{
	const struct view *v = state_view();
	struct place from, to;
	long r, first;

	if (!v)
		return sys_call(SYS_move_mount, olddir, old, newdir, new, flags);
	r = place_find(&from, v, olddir, old, mount_how(flags, FROM_SYMLINKS, FROM_EMPTY));
	if (r == 0) {
		r = place_find_second(&to, v, &from, newdir, new, mount_how(flags, TO_SYMLINKS, TO_EMPTY));
		if (r == 0) {
			flags |= from.flags & AT_EMPTY_PATH ? FROM_EMPTY : 0u;
			flags |= to.flags & AT_EMPTY_PATH ? TO_EMPTY : 0u;
			r = sys_call(SYS_move_mount, from.dir, from.name, to.dir, to.name, flags);
			return place_done(&from, place_done(&to, r));
		}
		r = place_done(&from, r);
	}
	first = sys_call(SYS_move_mount, AT_FDCWD, mount_nowhere, AT_FDCWD, mount_nowhere, flags);
	return first == -ENOENT ? r : first;
}

long guest_mount_setattr(int dirfd, const char *path, unsigned flags, void *attr, size_t n)
{
	const struct view *v = state_view();
	struct place at;
	long r, first;

	if (!v)
		return sys_call(SYS_mount_setattr, dirfd, path, flags, attr, n);
	r = place_find(&at, v, dirfd, path, place_how((int)flags));
	if (r == 0)
		return place_done(&at, sys_call(SYS_mount_setattr, at.dir, at.name,
					       flags | (unsigned)at.flags, attr, n));
	first = sys_call(SYS_mount_setattr, AT_FDCWD, mount_nowhere, flags, attr, n);
	return first == -ENOENT ? r : first;
}

static bool is_source(const char *key)
{
	return place_strlen(key, 8) > 0 && mem_equal(key, "source");
}

/* fsconfig(2): a path as such, and a device by its name, which the kernel looks up when the file
 * system is made. */
long guest_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux)
{
	const struct view *v = state_view();
	char host[PATH_MAX];
	struct place at;
	long r, first;

	if (v && cmd == CONFIG_STRING && is_source(key) && place_strlen(value, PATH_MAX) > 0 &&
		*(const char *)value == '/' && guest_host_name(value, host, sizeof host) > 0)
		return sys_call(SYS_fsconfig, fd, cmd, key, host, aux);
	if (!v || (cmd != CONFIG_PATH && cmd != CONFIG_PATH_EMPTY))
		return sys_call(SYS_fsconfig, fd, cmd, key, value, aux);
	r = place_find(&at, v, aux, value, PLACE_OBJECT | (cmd == CONFIG_PATH_EMPTY ? PLACE_EMPTY : 0u));
	if (r == 0)
		return place_done(&at, sys_call(SYS_fsconfig, fd,
					       at.flags & AT_EMPTY_PATH ? CONFIG_PATH_EMPTY : CONFIG_PATH,
					       key, at.name, at.dir));
	first = sys_call(SYS_fsconfig, fd, CONFIG_PATH, key, value ? mount_nowhere : NULL,
		aux < 0 && aux != AT_FDCWD ? -1 : AT_FDCWD);
	return first == -ENOENT ? r : first;
}
