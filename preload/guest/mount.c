/* SPDX-License-Identifier: ISC
 *
 * Mounts made and moved.  The unprivileged get EPERM, and when they get it in place of another error
 * only the kernel knows: a name that leads nowhere is asked about with one that surely is ENOENT. */
#include "guest.h"
#include "../path/epoch.h"
#include "../state.h"
#include "../sys.h"
#include <errno.h>
#include <string.h>
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
	OLD_OTHER = 0x20 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20, /* a mount that is there changes */
	QUOTA_ON = 0x800002,
};
static const char mount_nowhere[] = "/proc/self/fd/x/x";

/* The host's name of what a place leads to: the kernel keeps the text, or must find nothing held by us. */
static long host_name(const struct place *at, char *buf, size_t n)
{
	char magic[PLACE_PATH];
	struct str s = {buf, buf + n};
	long r;

	if (!(at->flags & AT_EMPTY_PATH)) { /* it stands where the program does */
		str_puts(&s, at->name);
		return s.at ? s.at - buf : -ENAMETOOLONG;
	}
	r = sys_readlinkat(AT_FDCWD, place_path(at, magic), buf, n);
	if (r < 0 || r >= (long)n)
		return r < 0 ? r : -ENAMETOOLONG;
	buf[r] = '\0';
	return r;
}

enum source { SOURCE_TEXT, SOURCE_PATH, SOURCE_DEVICE };

/* What the source of a mount of this type is, as the kernel lists its file systems: one that is not
 * there may come with a module, and a path that leads somewhere is taken for one. */
static enum source source_of(const char *type)
{
	char list[4096];
	const char *line = list;
	int fd = place_strlen(type, PATH_MAX) < 0
			 ? -1
			 : sys_openat(AT_FDCWD, "/proc/filesystems", O_RDONLY | O_CLOEXEC, 0);
	ssize_t n, used = 0;
	size_t len = 0;

	if (fd < 0)
		return SOURCE_TEXT;
	while (used < (ssize_t)sizeof list - 1 &&
		(n = sys_read_again(fd, list + used, sizeof list - 1 - (size_t)used)) > 0)
		used += n;
	sys_close(fd);
	list[used] = '\0';
	while (type[len] && type[len] != '.') /* "fuseblk.ntfs-3g" */
		len++;
	for (const char *tab, *end; (tab = mem_find(line, '\t')) && (end = mem_find(tab, '\n')); line = end + 1)
		if ((size_t)(end - tab) == 1 + len && memcmp(tab + 1, type, len) == 0)
			return *line == '\t' ? SOURCE_DEVICE : SOURCE_TEXT;
	return SOURCE_PATH;
}

/* mount(2): the source, looked up after the target, is a path where something is bound or moved, and
 * with the file systems that are on a device: by the host's name, for mountinfo shows it. */
static long do_mount(const char *source, const char *target, const char *type, unsigned long flags,
	const void *data)
{
	const struct view *v = state_view();
	enum source kind = flags & (OLD_BIND | OLD_MOVE) ? SOURCE_DEVICE : SOURCE_TEXT;
	char magic[PLACE_PATH], host[PATH_MAX];
	struct place at;
	long missing, r, args[6] = {(long)source, (long)target, (long)type, (long)flags, (long)data};

	if (!v || place_strlen(source, PATH_MAX) <= 0) /* the kernel judges what is no path */
		return guest_by_path(SYS_mount, args, 1, 0);
	if (!(flags & (OLD_BIND | OLD_MOVE | OLD_OTHER)))
		kind = source_of(type);
	if (kind == SOURCE_TEXT)
		return guest_by_path(SYS_mount, args, 1, 0);
	missing = place_find(&at, v, AT_FDCWD, source, PLACE_OBJECT);
	if (missing == 0) {
		args[0] = (long)place_path(&at, magic);
		if (!(flags & (OLD_BIND | OLD_MOVE)) && host_name(&at, host, sizeof host) > 0)
			args[0] = (long)host;
		return place_done(&at, guest_by_path(SYS_mount, args, 1, 0));
	}
	if (kind == SOURCE_PATH)
		return guest_by_path(SYS_mount, args, 1, 0);
	args[0] = (long)mount_nowhere;
	r = guest_by_path(SYS_mount, args, 1, 0);
	if (r != -ENOENT)
		return r;
	args[0] = 0; /* EINVAL where the target is there */
	return guest_by_path(SYS_mount, args, 1, 0) == -ENOENT ? -ENOENT : missing;
}

long guest_mount(const char *source, const char *target, const char *type, unsigned long flags,
	const void *data)
{
	struct epoch_change *said = epoch_begin(state_view());
	const long r = do_mount(source, target, type, flags, data);

	epoch_end(said);
	return r;
}

/* Is it what a bind shows?  To the host that may well be a mount, but none that the guest made. */
static bool is_bind(const struct view *v, const char *host)
{
	for (size_t i = 0; i < v->nbinds; i++)
		if (!v->binds[i].in_root && mem_equal(v->binds[i].host, host))
			return true;
	return false;
}

/* Does the host's name lead to what the place holds, and not to what is mounted on top of it? */
static bool is_top(const struct place *at, const char *host)
{
	struct stat held, named;

	return !(at->flags & AT_EMPTY_PATH) ||
	       (sys_fstat(at->dir, &held) == 0 && sys_fstatat(AT_FDCWD, host, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
		       held.st_dev == named.st_dev && held.st_ino == named.st_ino);
}

/* umount2(2): what we hold is busy, so it goes by its name, unless the mount may go on for who has it. */
static long do_umount(const char *target, int flags)
{
	const struct view *v = state_view();
	long args[6] = {(long)target, flags};
	int at_flags = flags & UMOUNT_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0;
	char magic[PLACE_PATH], host[PATH_MAX];
	const char *path = host;
	struct place at;

	if (!v || !target || place_find(&at, v, AT_FDCWD, target, place_how(at_flags)) < 0)
		return guest_by_path(SYS_umount2, args, 0, at_flags);
	if (host_name(&at, host, sizeof host) < 0 || !is_top(&at, host)) {
		path = place_path(&at, magic);
		flags &= at.flags & AT_EMPTY_PATH ? ~UMOUNT_NOFOLLOW : ~0;
	} else {
		if (is_bind(v, host)) /* EINVAL, as of all that is no mount; or EPERM */
			path = "/proc/self/fd";
		flags |= UMOUNT_NOFOLLOW;
		place_done(&at, 0);
	}
	return place_done(&at, sys_call(SYS_umount2, path, flags));
}

long guest_umount(const char *target, int flags)
{
	struct epoch_change *said = epoch_begin(state_view());
	const long r = do_umount(target, flags);

	epoch_end(said);
	return r;
}

/* quotactl(2): where quotas are turned on the fourth argument is a path, too: found before the device,
 * but judged after it. */
long guest_quotactl(unsigned cmd, const char *special, int id, void *addr)
{
	const struct view *v = state_view();
	long missing, r, args[6] = {(long)cmd, (long)special, id, (long)addr};
	char magic[PLACE_PATH];
	struct place at;

	if (!special) /* Q_SYNC may name no device */
		return sys_call(SYS_quotactl, cmd, special, id, addr);
	if (!v || cmd >> 8 != QUOTA_ON || !addr)
		return guest_by_path(SYS_quotactl, args, 1, 0);
	missing = place_find(&at, v, AT_FDCWD, addr, PLACE_OBJECT);
	if (missing == 0) {
		args[3] = (long)place_path(&at, magic);
		return place_done(&at, guest_by_path(SYS_quotactl, args, 1, 0));
	}
	args[3] = (long)mount_nowhere;
	r = guest_by_path(SYS_quotactl, args, 1, 0);
	if (r != -ENOENT)
		return r;
	args[0] = cmd & 0xff; /* nothing that there is: EINVAL, where the device is there */
	return guest_by_path(SYS_quotactl, args, 1, 0) == -ENOENT ? -ENOENT : missing;
}

static unsigned mount_how(unsigned flags, unsigned follow, unsigned empty)
{
	return PLACE_OBJECT | (flags & follow ? 0u : PLACE_NOFOLLOW) | (flags & empty ? PLACE_EMPTY : 0u);
}

static long do_move_mount(int olddir, const char *old, int newdir, const char *new, unsigned flags)
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

long guest_move_mount(int olddir, const char *old, int newdir, const char *new, unsigned flags)
{
	struct epoch_change *said = epoch_begin(state_view());
	const long r = do_move_mount(olddir, old, newdir, new, flags);

	epoch_end(said);
	return r;
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
