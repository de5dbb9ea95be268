/* SPDX-License-Identifier: ISC
 *
 * The guest's kernel: one function per system call, named after it, with the kernel's arguments
 * and the kernel's return value (a result or -errno).  Each is the whole truth about that call
 * under libjail: resolution in the root, descriptor policy, what is un-translated on the way out.
 * Pointers are the program's: NULL and bad ones answer as in the kernel.  All are async-signal-safe
 * and usable between vfork and exec unless they say otherwise.  Without a root they add no system
 * call to a path call.  point, behind the kernel's arguments of a call that may wait: self/cancel.h. */
#ifndef JAIL_GUEST_H
#define JAIL_GUEST_H

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include "../fdpolicy.h"
#include "../mem.h"
#include "made.h" /* guest_openat, guest_socket, guest_dup, guest_close and more: inline */

struct statx;
struct statfs;
struct open_how;
struct timeval;
struct utimbuf;
struct mmsghdr;

/* -- open.c ------------------------------------------------------------------------------- */
/* guest_openat() for an entrance whose descriptors are of another class; forced: what fdpolicy_flag
 * says. */
long guest_open_as(enum fd_class class, int forced, int dirfd, const char *path, int flags, mode_t mode,
	bool point);
/* The same for a file that libjail itself looks into, and closes by sys_close: flags has O_CLOEXEC,
 * and nobody keeps a record. */
long guest_open_own(int dirfd, const char *path, int flags, mode_t mode);
/* And for one of a stream that libc makes, as a cancellation point where point says so. */
long guest_open_stream(int dirfd, const char *path, int flags, mode_t mode, bool point);
long guest_openat2(int dirfd, const char *path, const struct open_how *how, size_t size);
long guest_name_to_handle_at(int dirfd, const char *path, void *handle, int *mnt, int flags);
/* open_tree(2), or open_tree_attr(2) with the n bytes at attr behind it */
long guest_open_tree(int dirfd, const char *path, unsigned flags);
long guest_open_tree_attr(int dirfd, const char *path, unsigned flags, const void *attr, size_t n);
long guest_fspick(int dirfd, const char *path, unsigned flags);

/* -- stat.c ------------------------------------------------------------------------------- */
long guest_fstat(int fd, struct stat *st);
long guest_newfstatat(int dirfd, const char *path, struct stat *st, int flags);
long guest_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *stx);
/* With flags -ENOSYS, or a filter's -EPERM, where the kernel lacks the call; without, faccessat(2). */
long guest_faccessat2(int dirfd, const char *path, int mode, int flags);
/* For the effective identity, also where the kernel lacks faccessat2(2): sys_faccessat2() says how. */
long guest_eaccess(int dirfd, const char *path, int mode);
long guest_statfs(const char *path, struct statfs *sf);
long guest_readlinkat(int dirfd, const char *path, char *buf, size_t n);

/* -- link.c: names made and removed ------------------------------------------------------- */
long guest_unlinkat(int dirfd, const char *path, int flags);
long guest_renameat2(int olddir, const char *old, int newdir, const char *new, unsigned flags);
long guest_linkat(int olddir, const char *old, int newdir, const char *new, int flags);
long guest_symlinkat(const char *target, int dirfd, const char *path);
long guest_mkdirat(int dirfd, const char *path, mode_t mode);
long guest_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev);

/* -- attr.c: mode, owner, times, size, extended attributes, watches ------------------------ */
long guest_fchmodat2(int dirfd, const char *path, mode_t mode, int flags);
long guest_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid, int flags);
long guest_utimensat(int dirfd, const char *path, const struct timespec ts[2], int flags);
/* utimes(2), lutimes(3), futimesat(2): microseconds; NULL path with a dirfd: the descriptor. */
long guest_futimesat(int dirfd, const char *path, const struct timeval tv[2], int flags);
long guest_utime(const char *path, const struct utimbuf *times);
long guest_truncate(const char *path, off_t size);
/* flags: AT_SYMLINK_NOFOLLOW for the l* calls, else 0 */
long guest_getxattr(const char *path, const char *name, void *value, size_t n, int at_flags);
long guest_setxattr(const char *path, const char *name, const void *value, size_t n, int flags,
	int at_flags);
long guest_listxattr(const char *path, char *list, size_t n, int at_flags);
long guest_removexattr(const char *path, const char *name, int at_flags);
/* setxattrat(2), file_getattr(2) and their kin: a directory, a name, and the AT_* flags as argument
 * number `which` (2..5).  What is wrong with the other arguments the kernel says. */
long guest_attr_at(long nr, const long args[6], int which);
long guest_inotify_add_watch(int fd, const char *path, unsigned mask);
long guest_fanotify_mark(int fd, unsigned flags, unsigned long mask, int dirfd, const char *path);
/* Any system call whose argument number `which` (0..5) is a path that is followed (at_flags 0) or
 * not (AT_SYMLINK_NOFOLLOW): acct, swapon, truncate ... */
long guest_by_path(long nr, long args[6], int which, int at_flags);

/* -- mount.c: what only the privileged may do ---------------------------------------------- */
long guest_mount(const char *source, const char *target, const char *type, unsigned long flags,
	const void *data);
long guest_umount(const char *target, int flags);
long guest_quotactl(unsigned cmd, const char *special, int id, void *addr);
long guest_move_mount(int olddir, const char *old, int newdir, const char *new, unsigned flags);
long guest_mount_setattr(int dirfd, const char *path, unsigned flags, void *attr, size_t n);
long guest_fsconfig(int fd, unsigned cmd, const char *key, const void *value, int aux);

/* -- cwd.c -------------------------------------------------------------------------------- */
long guest_chdir(const char *path);
long guest_fchdir(int fd);
/* The kernel's form: bytes with the NUL; "(unreachable)..." when outside. */
long guest_getcwd(char *buf, size_t n);
/* The same of any length, as far as n goes: -ERANGE. */
long guest_getcwd_any(char *buf, size_t n);
/* realpath(3) where one open can tell: resolved (PATH_MAX bytes) gets the guest's canonical name;
 * its length, or -EAGAIN: the libc's own walk must decide (call/path.c). */
long guest_realpath(const char *path, char *resolved);

/* The host's name of a guest path, for whom a name is all there is (what libc keeps and opens later):
 * of what it leads to, or, where that is not there, of what it would be.  Its length or -errno. */
long guest_host_name(const char *path, char *buf, size_t n);

/* -- filter.c ----------------------------------------------------------------------------- */
long guest_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
/* The descriptor of SECCOMP_FILTER_FLAG_NEW_LISTENER is the caller's to record. */
long guest_seccomp(unsigned op, unsigned flags, void *args);

/* -- chroot.c ----------------------------------------------------------------------------- */
long guest_chroot(const char *path);
/* What clone(2) says of these flags, without the signal, to whoever has a root: 0, -EPERM, -EINVAL. */
long guest_clone_allowed(uint64_t flags);
long guest_unshare(unsigned long flags);
/* For a process that has just got a copy of the mount name space (CLONE_NEWNS). */
void guest_mounts_copied(void);

/* -- exec/ -------------------------------------------------------------------------------- */
/* execveat(2), of the program that the root has there.  Bad programs are -errno, after a line on stderr where the
 * errno alone would not tell why.  Large lists need no stack: what it makes up lies in a mapping of its own. */
long guest_execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);
/* /bin/sh with script, and what follows argv[0] there, as its arguments. */
long guest_exec_shell(const char *script, char *const argv[], char *const envp[]);

/* -- socket.c ----------------------------------------------------------------------------- */
long guest_bind(int fd, const struct sockaddr *addr, socklen_t len);
long guest_connect(int fd, const struct sockaddr *addr, socklen_t len, bool point);
long guest_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
long guest_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
long guest_getsockopt(int fd, int level, int name, void *value, socklen_t *n);
long guest_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr,
	socklen_t len, bool point);
long guest_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len, bool point);
long guest_sendmsg(int fd, const struct msghdr *msg, int flags, bool point);
long guest_recvmsg(int fd, struct msghdr *msg, int flags, bool point);
long guest_sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, bool point);
long guest_recvmmsg(
	int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout, bool point);

/* -- fd.c: descriptors made, moved and closed --------------------------------------------- */
long guest_close_range(unsigned first, unsigned last, unsigned flags);
/* closefrom(3): also where the kernel lacks close_range(2). */
void guest_closefrom(unsigned first);
long guest_dup2(int fd, int to);
long guest_dup3(int fd, int to, int flags);
long guest_fcntl(int fd, int cmd, long arg, bool point);
long guest_ioctl(int fd, unsigned long request, long arg);
long guest_fanotify_init(unsigned flags, unsigned event_flags);

#endif
