/* SPDX-License-Identifier: ISC
 *
 * Shared memory and semaphores by name, which libc keeps in the directory /dev/shm: of the host, since
 * it opens them with internal system calls.  shm_open(3) and what removes names are one call each;
 * a named semaphore is libc's own as long as the root shows the host's /dev/shm, and else made here, in
 * the way and form of the libc at hand: what glibc and musl put in the file differs. */
#include "../record.h"
#include "../sys/lock.h"
#include "../wrap.h"
#include "glibc.h"
#include <semaphore.h>
#include <sys/mman.h>

enum shm_kind { SHM_MEMORY, SHM_SEM };
static const char shm_dir[] = "/dev/shm/";

/* The path of name: 0 or -errno.  shm_overview(7): slashes in front mean nothing, others are wrong. */
static long shm_path(struct str *to, const char *name, enum shm_kind kind)
{
	const bool musl = config()->musl;
	const char *front = kind == SHM_SEM && !musl ? "sem." : "";
	size_t n;

	while (*name == '/')
		name++;
	n = strlen(name);
	if (!n || mem_find(name, '/') || (musl && name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]))))
		return -EINVAL;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	str_puts(to, shm_dir);
	str_puts(to, front);
	str_puts(to, name);
	return to->at ? 0 : -ENAMETOOLONG;
}

/* No file can have this name.  What glibc says then it has changed twice, and not alike everywhere: it may
 * say it, for nothing comes of it. */
static bool shm_overlong(const char *name, enum shm_kind kind)
{
	size_t n;

	if (config()->musl)
		return false;
	while (*name == '/')
		name++;
	n = strlen(name);
	return !mem_find(name, '/') &&
	       (n > (kind == SHM_SEM ? NAME_MAX - 4 : NAME_MAX) || (n >= NAME_MAX - 1 && glibc_before(34)));
}

enum { SHM_ROOM = sizeof shm_dir + 4 + NAME_MAX };

int jail_shm_open(const char *name, int flags, mode_t mode)
{
	int (*real)(const char *, int, mode_t) = REAL(shm_open);
	char path[SHM_ROOM];
	struct str s = {path, path + sizeof path};
	long r;

	if (!real)
		return EDGE(int, -ENOSYS);
	if (!state_view() || shm_overlong(name, SHM_MEMORY)) {
		r = real(name, flags, mode);
		if (r >= 0)
			return (int)fdpolicy_made(r, FD_MEMORY, true, 0, FD_NAME(name));
		if (UNLIKELY(record_on) && *__errno_location() > 0)
			record_made(-*__errno_location(), FD_MEMORY, true, &FD_NAME(name));
		return (int)r;
	}
	r = shm_path(&s, name, SHM_MEMORY);
	if (r == 0)
		r = guest_open_as(FD_MEMORY, 0, AT_FDCWD, path,
			flags | O_NOFOLLOW | O_CLOEXEC | (config()->musl ? O_NONBLOCK : 0), mode, false);
	if (r == -EISDIR && !config()->musl)
		r = -EINVAL;
	return EDGE(int, r);
}

static int shm_remove(const char *name, enum shm_kind kind)
{
	char path[SHM_ROOM];
	struct str s = {path, path + sizeof path};
	long r = shm_path(&s, name, kind);

	if (r < 0 && !config()->musl && (kind == SHM_SEM || r == -EINVAL))
		r = -ENOENT;
	else if (r == 0)
		r = guest_unlinkat(AT_FDCWD, path, 0);
	if (r == -EPERM && !config()->musl)
		r = -EACCES;
	return EDGE(int, r);
}

int jail_shm_unlink(const char *name)
{
	int (*real)(const char *) = state_view() && !shm_overlong(name, SHM_MEMORY) ? NULL : REAL(shm_unlink);

	return real ? real(name) : shm_remove(name, SHM_MEMORY);
}

int jail_sem_unlink(const char *name)
{
	int (*real)(const char *) = state_view() && !shm_overlong(name, SHM_SEM) ? NULL : REAL(sem_unlink);

	return real ? real(name) : shm_remove(name, SHM_SEM);
}

/* -- semaphores in a /dev/shm of the root's own ------------------------------------------------ */

/* One that is open here.  sem_open(3): the same semaphore opened again is the same address.  Nodes
 * are reused and never freed, so that nobody needs a lock to look. */
struct sem_open {
	struct sem_open *next;
	long refs; /* 0: free; -1: being filled in */
	sem_t *sem;
	dev_t dev;
	ino_t ino;
};
static struct sem_open *sem_all;

static bool sem_ref(struct sem_open *o, long from, long to)
{
	return __atomic_compare_exchange_n(
		&o->refs, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void sem_release(struct sem_open *o)
{
	sem_t *sem = o->sem;
	long refs;

	do
		refs = __atomic_load_n(&o->refs, __ATOMIC_ACQUIRE);
	while (!sem_ref(o, refs, refs == 1 ? -1 : refs - 1));
	if (refs == 1) {
		o->sem = NULL;
		__atomic_store_n(&o->refs, 0, __ATOMIC_RELEASE);
		sys_call(SYS_munmap, sem, sizeof *sem);
	}
}

static sem_t *sem_find(const struct stat *st)
{
	for (struct sem_open *o = __atomic_load_n(&sem_all, __ATOMIC_ACQUIRE); o; o = o->next) {
		long refs = __atomic_load_n(&o->refs, __ATOMIC_ACQUIRE);

		while (refs > 0 && !sem_ref(o, refs, refs + 1))
			refs = __atomic_load_n(&o->refs, __ATOMIC_ACQUIRE);
		if (refs <= 0)
			continue;
		if (o->dev == st->st_dev && o->ino == st->st_ino)
			return o->sem;
		sem_release(o);
	}
	return NULL;
}

static struct sem_open *sem_node(void)
{
	void *(*get)(size_t) = LIBC(malloc, void *, (size_t));
	struct sem_open *o;

	for (o = __atomic_load_n(&sem_all, __ATOMIC_ACQUIRE); o; o = o->next)
		if (sem_ref(o, 0, -1))
			return o;
	o = get ? get(sizeof *o) : NULL;
	if (!o)
		return NULL;
	*o = (struct sem_open){.next = __atomic_load_n(&sem_all, __ATOMIC_RELAXED), .refs = -1};
	while (!__atomic_compare_exchange_n(
		&sem_all, &o->next, o, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return o;
}

/* The semaphore in the file fd, mapped, into a node that is taken: 0 or -errno. */
static long sem_fill(struct sem_open *o, int fd, const struct stat *st)
{
	long r = sys_call(SYS_mmap, 0, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if ((unsigned long)r > -4096UL)
		return r;
	o->sem = (sem_t *)r;
	o->dev = st->st_dev;
	o->ino = st->st_ino;
	return 0;
}

/* The semaphore in the file fd, which is closed: 0 and *ret, or -errno.  Threads that come with the same one at once
 * look one after the other. */
static long sem_map(int fd, sem_t **ret)
{
	struct sem_open *o = NULL;
	struct stat st;
	uint64_t mask;
	long r = sys_fstat(fd, &st);

	if (r == 0 && st.st_size < (off_t)sizeof(sem_t))
		r = -EINVAL;
	if (r == 0) {
		o = sem_node();
		r = o ? 0 : -ENOMEM;
	}
	if (r == 0) {
		mask = lock_take(LOCK_SEM);
		*ret = sem_find(&st);
		r = *ret ? 0 : sem_fill(o, fd, &st);
		if (r == 0 && !*ret)
			*ret = o->sem;
		else
			o->sem = NULL;
		__atomic_store_n(&o->refs, o->sem != NULL, __ATOMIC_RELEASE);
		lock_give(LOCK_SEM, mask);
	}
	sys_close(fd);
	return r;
}

/* Nobody ever sees half a semaphore: it is made under another name. */
static long sem_make(const char *path, mode_t mode, unsigned value)
{
	int (*start)(sem_t *, int, unsigned) = LIBC(sem_init, int, (sem_t *, int, unsigned));
	char name[SHM_ROOM];
	sem_t sem;
	long fd, r;

	memset(&sem, 0, sizeof sem);
	if (value > 0x7fffffff || !start)
		return value > 0x7fffffff ? -EINVAL : -ENOSYS;
	start(&sem, 1, value);
	for (unsigned long n = (unsigned long)sys_gettid();; n += 0x10001) {
		struct str s = {name, name + sizeof name};

		str_puts(&s, shm_dir);
		str_puts(&s, "sem.");
		str_num(&s, n);
		fd = guest_open_own(AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd != -EEXIST)
			break;
	}
	if (fd < 0)
		return fd;
	r = sys_write((int)fd, &sem, sizeof sem);
	if (r == (long)sizeof sem)
		r = guest_linkat(AT_FDCWD, name, AT_FDCWD, path, 0);
	else if (r >= 0)
		r = -ENOSPC;
	guest_unlinkat(AT_FDCWD, name, 0);
	if (r < 0)
		sys_close((int)fd);
	return r < 0 ? r : fd;
}

static long sem_get(const char *name, int flags, mode_t mode, unsigned value, sem_t **ret)
{
	const int how = O_RDWR | O_NOFOLLOW | O_CLOEXEC | (config()->musl ? O_NONBLOCK : 0);
	char path[SHM_ROOM];
	struct str s = {path, path + sizeof path};
	long r = shm_path(&s, name, SHM_SEM);

	if (r < 0)
		return config()->musl ? r : -EINVAL;
	for (;;) {
		if (!(flags & O_CREAT) || !(flags & O_EXCL)) {
			r = guest_open_own(AT_FDCWD, path, how, 0);
			if (r >= 0 || r != -ENOENT || !(flags & O_CREAT))
				break;
		}
		r = sem_make(path, mode, value);
		if (r != -EEXIST || flags & O_EXCL)
			break;
	}
	return r < 0 ? r : sem_map((int)r, ret);
}

/* Does the root show the host's /dev/shm? */
static bool sem_is_hosts(void)
{
	struct stat host, guest;

	return !state_view() || (sys_fstatat(AT_FDCWD, shm_dir, &host, 0) == 0 &&
					guest_newfstatat(AT_FDCWD, shm_dir, &guest, 0) == 0 &&
					host.st_dev == guest.st_dev && host.st_ino == guest.st_ino);
}

/* sem_open(3): mode and value are there when the semaphore may be made. */
sem_t *jail_sem_open(const char *name, int flags, ...)
{
	sem_t *(*real)(const char *, int, ...) = REAL(sem_open), *sem = NULL;
	int saved = *__errno_location();
	unsigned value = 0;
	mode_t mode = 0;
	va_list ap;
	long r;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		value = va_arg(ap, unsigned);
		va_end(ap);
	}
	if (real && shm_overlong(name, SHM_SEM))
		return real(name, 0);
	if (real && sem_is_hosts())
		return real(name, flags, mode, value);
	r = real ? sem_get(name, flags, mode, value, &sem) : -ENOSYS;
	errno_set(r < 0 ? (int)-r : saved);
	return r < 0 ? SEM_FAILED : sem;
}

int jail_sem_close(sem_t *sem)
{
	int (*real)(sem_t *) = REAL(sem_close);

	for (struct sem_open *o = __atomic_load_n(&sem_all, __ATOMIC_ACQUIRE); o && sem; o = o->next)
		if (__atomic_load_n(&o->refs, __ATOMIC_ACQUIRE) > 0 && o->sem == sem) {
			sem_release(o);
			return 0;
		}
	return real ? real(sem) : EDGE(int, -ENOSYS);
}
