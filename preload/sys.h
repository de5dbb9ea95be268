/* SPDX-License-Identifier: ISC
 *
 * The bare system calls that libjail makes for itself.  Each returns the kernel's answer, a
 * value or -errno, and leaves errno alone; each is async-signal-safe and safe between vfork and
 * exec.  Nothing here knows of roots or policies: this is the only way down to the kernel for
 * our own needs, so that no object in preload/ imports a name that libjail exports. */
#ifndef JAIL_SYS_H
#define JAIL_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/limits.h> /* PATH_MAX, which a freestanding <limits.h> leaves out */
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <linux/openat2.h>

#if defined(__x86_64__)
#include "sys_x86_64.h"
#elif defined(__aarch64__)
#include "sys_aarch64.h"
#else
#error "libjail has no sys_ARCH.h for this machine yet: x86_64 and aarch64 are there to copy from"
#endif

/* Numbers that a libc's headers may be too old to know; the same on every 64-bit machine. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif
#ifndef SYS_file_getattr
#define SYS_file_getattr 468
#define SYS_file_setattr 469
#endif

#define SYS_1(x) ((long)(x))
#define SYS_N(_0, _1, _2, _3, _4, _5, _6, n, ...) n
/* sys_call(nr, up to six arguments), each converted to long */
#define sys_call(...) SYS_N(__VA_ARGS__, sys_c6, sys_c5, sys_c4, sys_c3, sys_c2, sys_c1, sys_c0, 0)(__VA_ARGS__)
#define sys_c0(n) sys_call6(n, 0, 0, 0, 0, 0, 0)
#define sys_c1(n, a) sys_call6(n, SYS_1(a), 0, 0, 0, 0, 0)
#define sys_c2(n, a, b) sys_call6(n, SYS_1(a), SYS_1(b), 0, 0, 0, 0)
#define sys_c3(n, a, b, c) sys_call6(n, SYS_1(a), SYS_1(b), SYS_1(c), 0, 0, 0)
#define sys_c4(n, a, b, c, d) sys_call6(n, SYS_1(a), SYS_1(b), SYS_1(c), SYS_1(d), 0, 0)
#define sys_c5(n, a, b, c, d, e) sys_call6(n, SYS_1(a), SYS_1(b), SYS_1(c), SYS_1(d), SYS_1(e), 0)
#define sys_c6(n, a, b, c, d, e, f) \
	sys_call6(n, SYS_1(a), SYS_1(b), SYS_1(c), SYS_1(d), SYS_1(e), SYS_1(f))

static inline int sys_openat(int dir, const char *path, int flags, mode_t mode)
{
	return (int)sys_call(SYS_openat, dir, path, flags, mode);
}

static inline int sys_openat2(int dir, const char *path, const struct open_how *how)
{
	return (int)sys_call(SYS_openat2, dir, path, how, sizeof *how);
}

/* Once: close(2), Linux has freed the descriptor even on EINTR. */
static inline int sys_close(int fd)
{
	return (int)sys_call(SYS_close, fd);
}

static inline ssize_t sys_read(int fd, void *buf, size_t n)
{
	return sys_call(SYS_read, fd, buf, n);
}

/* The same, again where a signal came in between: but not for ever, for a seccomp filter or a file system
 * that says so each time. */
static inline ssize_t sys_read_again(int fd, void *buf, size_t n)
{
	enum { TRIES = 100 };
	ssize_t r;
	int tries = 0;

	do
		r = sys_read(fd, buf, n);
	while (r == -EINTR && ++tries < TRIES);
	return r;
}

static inline ssize_t sys_pread(int fd, void *buf, size_t n, off_t at)
{
	return sys_call(SYS_pread64, fd, buf, n, at);
}

static inline ssize_t sys_write(int fd, const void *buf, size_t n)
{
	return sys_call(SYS_write, fd, buf, n);
}

static inline int sys_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	return (int)sys_call(SYS_newfstatat, dir, path, st, flags);
}

static inline int sys_fstat(int fd, struct stat *st)
{
	return (int)sys_call(SYS_fstat, fd, st);
}

static inline ssize_t sys_readlinkat(int dir, const char *path, char *buf, size_t n)
{
	return sys_call(SYS_readlinkat, dir, path, buf, n);
}

/* faccessat2(2) (Linux 5.8), by other calls where it is missing: AT_EACCESS goes by the mode bits alone
 * there when the real and the effective identity differ.  path is readable, if flags are given. */
int sys_faccessat2(int dir, const char *path, int mode, int flags);

/* Are the real and the effective identity one?  Then faccessat(2), which asks for the real one, says what
 * AT_EACCESS would. */
bool sys_one_identity(void);

/* Do the mode bits in st grant mode (R_OK ...) to the process, by its effective or its real identity?
 * 0 or -EACCES. */
int sys_granted(const struct stat *st, int mode, bool effective);

/* -- newer.c: what the oldest kernel served, Linux 4.18, or a seccomp filter does not have ------ */

/* What is known of each number from 434 on: < 0, what is answered in its place. */
enum { SYS_NEWER = SYS_pidfd_open, SYS_NEWER_COUNT = 48 };
extern signed char sys_newer[SYS_NEWER_COUNT];

/* Is the system call nr, 434 or more, known to be missing? */
static inline bool sys_missing(int nr)
{
	return __builtin_expect(__atomic_load_n(&sys_newer[nr - SYS_NEWER], __ATOMIC_RELAXED) < 0, false);
}

/* Would the system call nr, which is one of those numbered above and which the program has made, be
 * answered by the kernel?  0, or what is answered instead: -ENOSYS, or the -EPERM by which old profiles of
 * containers refuse what they do not know.  The kernel is asked once. */
long sys_lacks(int nr);

/* r, the answer of the system call nr; but -ENOSYS where it was a filter's -EPERM, and then the call is known to be
 * missing. */
long sys_checked(int nr, long r);

/* A system call of our own, 434 or more, for which there is a way without: -ENOSYS where it is missing. */
#define sys_call_newer(nr, ...) (sys_missing(nr) ? -ENOSYS : sys_checked(nr, sys_call(nr, __VA_ARGS__)))

/* The program has installed a seccomp filter, which may kill for what it does not know: from here on all of these
 * are missing to us, and so they are after an exec. */
void sys_filter(void);
extern bool sys_filtered;

/* Closes the descriptors first to last that are open, by close(2). */
void sys_close_each(unsigned first, unsigned last);

/* fcntl(2); arg is what the command says it is. */
static inline int sys_fcntl(int fd, int cmd, long arg)
{
	return (int)sys_call(SYS_fcntl, fd, cmd, arg);
}

static inline int sys_fchdir(int fd)
{
	return (int)sys_call(SYS_fchdir, fd);
}

/* The bytes stored, the final NUL among them, or -errno (-ERANGE: too small). */
static inline long sys_getcwd(char *buf, size_t n)
{
	return sys_call(SYS_getcwd, buf, n);
}

static inline int sys_dup3(int old, int new, int flags)
{
	return (int)sys_call(SYS_dup3, old, new, flags);
}

static inline int sys_getpid(void)
{
	return (int)sys_call(SYS_getpid);
}

static inline int sys_gettid(void)
{
	return (int)sys_call(SYS_gettid);
}

/* An anonymous private mapping of n bytes, or NULL. */
void *sys_pages(size_t n);

/* Lifts the soft limit of descriptors a little, for one of our own; *ret_was is what it was, for
 * sys_nofile_restore(), which leaves it lifted as long as other threads want it so.  -EMFILE where the hard limit
 * leaves no room.  Async-signal-safe. */
int sys_nofile_lift(struct rlimit *ret_was);
void sys_nofile_restore(const struct rlimit *was);

/* In a child of fork(2), and before an exec: the limit as it was before another thread, which is not there to put it
 * back, has lifted it. */
extern bool sys_nofile_used;
void sys_nofile_settle(void);
static inline void sys_nofile_alone(void)
{
	if (__builtin_expect(__atomic_load_n(&sys_nofile_used, __ATOMIC_RELAXED), false))
		sys_nofile_settle();
}

/* openat(2) for ourselves, where the program's table may be full: a descriptor, perhaps beyond the soft
 * limit and soon to be closed, or -errno.  Async-signal-safe. */
int sys_openat_own(int dir, const char *path, int flags);

/* A duplicate of fd, close-on-exec, where the program has taken every number up to its soft limit.  Ours
 * may lie beyond it, where the hard one lets it: the limit says what can be made, not what can be used
 * (getrlimit(2)).  Or -errno.  Async-signal-safe. */
int sys_dup_beyond(int fd);

#endif
