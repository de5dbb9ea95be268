/* SPDX-License-Identifier: ISC
 *
 * syscall(2): the numbers that the guest's kernel knows go there, all others straight down. */
#include "../path/epoch.h"
#include "../report.h"
#include "../wrap.h"
#include <linux/sched.h>

/* The long of argument i, as the type that the function below wants. */
#define FD(i) ((int)a[i])
#define INT(i) ((int)a[i])
#define UINT(i) ((unsigned)a[i])
#define PTR(i) ((void *)a[i])
#define SIZE(i) ((size_t)a[i])

/* The commands of bpf(2) that make a descriptor, one bit each: 0 BPF_MAP_CREATE, 5 PROG_LOAD, 7 OBJ_GET,
 * 13 and 14 *_GET_FD_BY_ID, 17 RAW_TRACEPOINT_OPEN, 18 BTF_LOAD, 19 BTF_GET_FD_BY_ID, 28 LINK_CREATE,
 * 30 LINK_GET_FD_BY_ID, 32 ENABLE_STATS, 33 ITER_CREATE, 36 TOKEN_CREATE (linux/bpf.h). */
#define BPF_MAKES 0x13500e60a1UL

/* A call that makes a descriptor only with some arguments; the kernel sets its flag. */
static long made_if(bool makes, long nr, const long a[6])
{
	return makes ? fd_by_kernel(nr, a, FD_EVENT, FD_NOTHING)
		     : sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* flags: the first word of a clone's arguments; NULL: fork(2).  A child with a copy of our memory
 * learns that it is a process of its own; one that shares it runs on a stack that its caller prepared,
 * and must not touch a record. */
static long fork_by_number(long nr, const long a[6], const void *flags)
{
	uint64_t how = 0;
	long r;

	if (flags && place_readable(flags, sizeof how))
		memcpy(&how, flags, sizeof how);
	(void)state_view();
	if (nr != SYS_clone3 || (size_t)a[1] >= CLONE_ARGS_SIZE_VER0) {
		r = guest_clone_allowed(nr == SYS_clone ? (unsigned)how & ~CSIGNAL : how);
		if (r < 0)
			return nr == SYS_clone3 && sys_lacks(nr) ? sys_lacks(nr) : r;
	}
	if (!(how & CLONE_VM))
		fdpolicy_forking();
	epoch_clone(how);
	if (how & (CLONE_VM | CLONE_FILES) || LIKELY(!record_on && !(how & CLONE_NEWNS)))
		return sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (record_on)
		report_fork();
	r = sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (r == 0 && how & CLONE_NEWNS)
		guest_mounts_copied();
	if (r == 0 && record_on)
		report_forked();
	else if (r > 0 && record_on)
		report_fork_done((int)r);
	return r;
}

/* clang-format off: a table, one number a line */
static long call_by_number(long nr, long a[6])
{
	long r;

	switch (nr) {
	/* opening */
	case SYS_openat: return guest_openat(FD(0), PTR(1), INT(2), (mode_t)a[3]);
	case SYS_openat2:
		r = sys_lacks(nr);
		return r < 0 ? r : guest_openat2(FD(0), PTR(1), PTR(2), SIZE(3));
	case SYS_fspick: return guest_fspick(FD(0), PTR(1), UINT(2));
	case SYS_open_tree: return guest_open_tree(FD(0), PTR(1), UINT(2));
	case SYS_name_to_handle_at:
		return guest_name_to_handle_at(FD(0), PTR(1), PTR(2), PTR(3), INT(4));
	case SYS_open_tree_attr:
		return guest_open_tree_attr(FD(0), PTR(1), UINT(2), PTR(3), SIZE(4));
	case SYS_open_by_handle_at: return fd_by_flag(nr, a, 2, O_CLOEXEC, FD_OPEN);
#ifdef SYS_open
	case SYS_open: return guest_openat(AT_FDCWD, PTR(0), INT(1), (mode_t)a[2]);
	case SYS_creat:
		return guest_openat(AT_FDCWD, PTR(0), O_CREAT | O_WRONLY | O_TRUNC, (mode_t)a[1]);
#endif

	/* what a path leads to */
	case SYS_fstat: return guest_fstat(FD(0), PTR(1));
	case SYS_newfstatat: return guest_newfstatat(FD(0), PTR(1), PTR(2), INT(3));
	case SYS_statx: return guest_statx(FD(0), PTR(1), INT(2), UINT(3), PTR(4));
	case SYS_faccessat: return guest_faccessat2(FD(0), PTR(1), INT(2), 0);
	case SYS_faccessat2:
		r = sys_lacks(nr);
		return r < 0 ? r : guest_faccessat2(FD(0), PTR(1), INT(2), INT(3));
	case SYS_statfs: return guest_statfs(PTR(0), PTR(1));
	case SYS_readlinkat: /* an int to the kernel: fs/stat.c */
		return INT(3) <= 0 ? sys_call6(nr, a[0], a[1], a[2], a[3], 0, 0)
				   : guest_readlinkat(FD(0), PTR(1), PTR(2), (size_t)INT(3));
#ifdef SYS_stat
	case SYS_stat: return guest_newfstatat(AT_FDCWD, PTR(0), PTR(1), 0);
	case SYS_lstat: return guest_newfstatat(AT_FDCWD, PTR(0), PTR(1), AT_SYMLINK_NOFOLLOW);
	case SYS_access: return guest_faccessat2(AT_FDCWD, PTR(0), INT(1), 0);
	case SYS_readlink:
		return INT(2) <= 0 ? sys_call6(nr, a[0], a[1], a[2], 0, 0, 0)
				   : guest_readlinkat(AT_FDCWD, PTR(0), PTR(1), (size_t)INT(2));
#endif

	/* names made and removed */
	case SYS_unlinkat: return guest_unlinkat(FD(0), PTR(1), INT(2));
	case SYS_renameat2: return guest_renameat2(FD(0), PTR(1), FD(2), PTR(3), UINT(4));
	case SYS_linkat: return guest_linkat(FD(0), PTR(1), FD(2), PTR(3), INT(4));
	case SYS_symlinkat: return guest_symlinkat(PTR(0), FD(1), PTR(2));
	case SYS_mkdirat: return guest_mkdirat(FD(0), PTR(1), (mode_t)a[2]);
	case SYS_mknodat: return guest_mknodat(FD(0), PTR(1), (mode_t)a[2], UINT(3));
#ifdef SYS_renameat
	case SYS_renameat: return guest_renameat2(FD(0), PTR(1), FD(2), PTR(3), 0);
#endif
#ifdef SYS_unlink
	case SYS_unlink: return guest_unlinkat(AT_FDCWD, PTR(0), 0);
	case SYS_rmdir: return guest_unlinkat(AT_FDCWD, PTR(0), AT_REMOVEDIR);
	case SYS_rename: return guest_renameat2(AT_FDCWD, PTR(0), AT_FDCWD, PTR(1), 0);
	case SYS_link: return guest_linkat(AT_FDCWD, PTR(0), AT_FDCWD, PTR(1), 0);
	case SYS_symlink: return guest_symlinkat(PTR(0), AT_FDCWD, PTR(1));
	case SYS_mkdir: return guest_mkdirat(AT_FDCWD, PTR(0), (mode_t)a[1]);
	case SYS_mknod: return guest_mknodat(AT_FDCWD, PTR(0), (mode_t)a[1], UINT(2));
#endif

	/* mode, owner, times, size, attributes, watches */
	case SYS_fchmodat: return guest_fchmodat2(FD(0), PTR(1), (mode_t)a[2], 0);
	case SYS_fchmodat2:
		r = sys_lacks(nr);
		return r < 0 ? r : guest_fchmodat2(FD(0), PTR(1), (mode_t)a[2], INT(3));
	case SYS_fchownat:
		return guest_fchownat(FD(0), PTR(1), (uid_t)a[2], (gid_t)a[3], INT(4));
	case SYS_utimensat: return guest_utimensat(FD(0), PTR(1), PTR(2), INT(3));
	case SYS_truncate: return guest_truncate(PTR(0), a[1]);
#ifdef SYS_chmod
	case SYS_chmod: return guest_fchmodat2(AT_FDCWD, PTR(0), (mode_t)a[1], 0);
	case SYS_chown: return guest_fchownat(AT_FDCWD, PTR(0), (uid_t)a[1], (gid_t)a[2], 0);
	case SYS_lchown:
		return guest_fchownat(
			AT_FDCWD, PTR(0), (uid_t)a[1], (gid_t)a[2], AT_SYMLINK_NOFOLLOW);
	case SYS_utime: return guest_utime(PTR(0), PTR(1));
	case SYS_utimes: return guest_futimesat(AT_FDCWD, PTR(0), PTR(1), 0);
	case SYS_futimesat: return guest_futimesat(FD(0), PTR(1), PTR(2), 0);
#endif
	case SYS_getxattr: return guest_getxattr(PTR(0), PTR(1), PTR(2), SIZE(3), 0);
	case SYS_lgetxattr:
		return guest_getxattr(PTR(0), PTR(1), PTR(2), SIZE(3), AT_SYMLINK_NOFOLLOW);
	case SYS_setxattr: return guest_setxattr(PTR(0), PTR(1), PTR(2), SIZE(3), INT(4), 0);
	case SYS_lsetxattr:
		return guest_setxattr(
			PTR(0), PTR(1), PTR(2), SIZE(3), INT(4), AT_SYMLINK_NOFOLLOW);
	case SYS_listxattr: return guest_listxattr(PTR(0), PTR(1), SIZE(2), 0);
	case SYS_llistxattr: return guest_listxattr(PTR(0), PTR(1), SIZE(2), AT_SYMLINK_NOFOLLOW);
	case SYS_removexattr: return guest_removexattr(PTR(0), PTR(1), 0);
	case SYS_lremovexattr: return guest_removexattr(PTR(0), PTR(1), AT_SYMLINK_NOFOLLOW);
	case SYS_setxattrat:
	case SYS_getxattrat:
	case SYS_listxattrat:
	case SYS_removexattrat: return guest_attr_at(nr, a, 2);
	case SYS_file_getattr:
	case SYS_file_setattr: return guest_attr_at(nr, a, 4);
	case SYS_inotify_add_watch: return guest_inotify_add_watch(FD(0), PTR(1), UINT(2));
	case SYS_fanotify_mark:
		return guest_fanotify_mark(FD(0), UINT(1), (unsigned long)a[2], FD(3), PTR(4));

	/* for the privileged */
	case SYS_acct: return a[0] ? guest_by_path(nr, a, 0, 0) : sys_call(nr, 0);
	case SYS_mount: return guest_mount(PTR(0), PTR(1), PTR(2), (unsigned long)a[3], PTR(4));
	case SYS_umount2: return guest_umount(PTR(0), INT(1));
	case SYS_swapon:
	case SYS_swapoff: return guest_by_path(nr, a, 0, 0);
	case SYS_quotactl: return guest_quotactl(UINT(0), PTR(1), INT(2), PTR(3));
	case SYS_move_mount: return guest_move_mount(FD(0), PTR(1), FD(2), PTR(3), UINT(4));
	case SYS_mount_setattr: return guest_mount_setattr(FD(0), PTR(1), UINT(2), PTR(3), SIZE(4));
	case SYS_fsconfig: return guest_fsconfig(FD(0), UINT(1), PTR(2), PTR(3), INT(4));
	case SYS_unshare: return guest_unshare((unsigned long)a[0]);
	case SYS_pivot_root:
		return state_view() ? -EPERM : sys_call(nr, a[0], a[1]);

	/* where we are, what we become */
	case SYS_chdir: return guest_chdir(PTR(0));
	case SYS_fchdir: return guest_fchdir(FD(0));
	case SYS_getcwd: return guest_getcwd(PTR(0), SIZE(1));
	case SYS_chroot: return guest_chroot(PTR(0));
	case SYS_execve: return guest_execveat(AT_FDCWD, PTR(0), PTR(1), PTR(2), 0);
	case SYS_execveat: return guest_execveat(FD(0), PTR(1), PTR(2), PTR(3), INT(4));

	/* sockets */
	case SYS_socket: return guest_socket(INT(0), INT(1), INT(2));
	case SYS_socketpair: return guest_socketpair(INT(0), INT(1), INT(2), PTR(3));
	case SYS_accept: return guest_accept4(FD(0), PTR(1), PTR(2), 0, false);
	case SYS_accept4: return guest_accept4(FD(0), PTR(1), PTR(2), INT(3), false);
	case SYS_bind: return guest_bind(FD(0), PTR(1), (socklen_t)a[2]);
	case SYS_connect: return guest_connect(FD(0), PTR(1), (socklen_t)a[2], false);
	case SYS_getsockname: return guest_getsockname(FD(0), PTR(1), PTR(2));
	case SYS_getsockopt: return guest_getsockopt(FD(0), INT(1), INT(2), PTR(3), PTR(4));
	case SYS_getpeername: return guest_getpeername(FD(0), PTR(1), PTR(2));
	case SYS_sendto:
		return guest_sendto(FD(0), PTR(1), SIZE(2), INT(3), PTR(4), (socklen_t)a[5], false);
	case SYS_recvfrom: return guest_recvfrom(FD(0), PTR(1), SIZE(2), INT(3), PTR(4), PTR(5), false);
	case SYS_sendmsg: return guest_sendmsg(FD(0), PTR(1), INT(2), false);
	case SYS_recvmsg: return guest_recvmsg(FD(0), PTR(1), INT(2), false);
	case SYS_sendmmsg: return guest_sendmmsg(FD(0), PTR(1), UINT(2), INT(3), false);
	case SYS_recvmmsg: return guest_recvmmsg(FD(0), PTR(1), UINT(2), INT(3), PTR(4), false);

	/* descriptors */
	case SYS_close: return guest_close(FD(0));
	case SYS_close_range: return guest_close_range(UINT(0), UINT(1), UINT(2));
	case SYS_dup: return guest_dup(FD(0));
	case SYS_dup3: return guest_dup3(FD(0), FD(1), INT(2));
	case SYS_fcntl: return guest_fcntl(FD(0), INT(1), a[2], false);
	case SYS_ioctl: return guest_ioctl(FD(0), (unsigned long)a[1], a[2]);
	case SYS_pipe2: return guest_pipe2(PTR(0), INT(1));
	case SYS_epoll_create1: return guest_epoll_create1(INT(0));
	case SYS_eventfd2: return guest_eventfd2(UINT(0), INT(1));
	case SYS_timerfd_create: return guest_timerfd_create(INT(0), INT(1));
	case SYS_signalfd4: return guest_signalfd4(FD(0), PTR(1), SIZE(2), INT(3));
	case SYS_inotify_init1: return guest_inotify_init1(INT(0));
	case SYS_fanotify_init: return guest_fanotify_init(UINT(0), UINT(1));
	case SYS_memfd_create: return guest_memfd_create(PTR(0), UINT(1));
	case SYS_memfd_secret: return fd_by_flag(nr, a, 0, O_CLOEXEC, FD_MEMORY);
#ifdef SYS_userfaultfd
	case SYS_userfaultfd: return fd_by_flag(nr, a, 0, O_CLOEXEC, FD_EVENT);
#endif
	case SYS_perf_event_open: return fd_by_flag(nr, a, 4, 1L << 3, FD_EVENT);
	case SYS_pidfd_open: return fd_by_kernel(nr, a, FD_EVENT, FD_NUMBER(INT(0)));
	case SYS_pidfd_getfd: return fd_by_kernel(nr, a, FD_RECV, FD_FROM(FD(0)));
	case SYS_mq_open: return fd_by_kernel(nr, a, FD_OPEN, FD_NAME(PTR(0)));
	case SYS_bpf: return made_if(BPF_MAKES >> (a[0] & 63) & 1, nr, a);
	case SYS_prctl:
		return guest_prctl(INT(0), (unsigned long)a[1], (unsigned long)a[2], (unsigned long)a[3],
			(unsigned long)a[4]);
	case SYS_seccomp: /* SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER */
		r = guest_seccomp(UINT(0), UINT(1), PTR(2));
		return UINT(0) == 1 && UINT(1) & 1 << 3 ? fdpolicy_made(r, FD_EVENT, true, 0, FD_NOTHING) : r;
	case SYS_landlock_create_ruleset: /* with flags it tells a version */
		return made_if(!a[2], nr, a);
	case SYS_fsopen: /* FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC */
	case SYS_fsmount: return fd_by_flag(nr, a, 1, 1, FD_OPEN);
#ifdef SYS_dup2
	case SYS_dup2: return guest_dup2(FD(0), FD(1));
	case SYS_pipe: return guest_pipe2(PTR(0), 0);
	case SYS_epoll_create: return INT(0) > 0 ? guest_epoll_create1(0) : -EINVAL;
	case SYS_eventfd: return guest_eventfd2(UINT(0), 0);
	case SYS_signalfd: return guest_signalfd4(FD(0), PTR(1), SIZE(2), 0);
	case SYS_inotify_init: return guest_inotify_init1(0);
#endif

	/* processes made and ended */
	case SYS_clone3: return fork_by_number(nr, a, PTR(0));
	case SYS_clone: return fork_by_number(nr, a, a);
#ifdef SYS_fork
	case SYS_fork: return fork_by_number(nr, a, NULL);
	/* Its child would return over the frames that its parent still needs: fork(2), as vfork(2) may be. */
	case SYS_vfork: return fork_by_number(SYS_fork, a, NULL);
#endif
	case SYS_exit_group: jail__exit(INT(0)); break;

	/* Under a root these would act on the host's files, or tell its mounts: absent, so that programs do
	 * what they do on older kernels. */
	case SYS_io_uring_setup:
		return state_view() ? -ENOSYS : fd_by_kernel(nr, a, FD_EVENT, FD_NOTHING);
	case SYS_statmount:
	case SYS_listmount:
		if (state_view())
			return -ENOSYS;
	}
	return sys_call6(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* clang-format on */

/* The five longs after nr have registers of their own and the sixth a slot on the caller's
 * stack, which is there to be read whether or not the caller filled it: libc reads all, too. */
long jail_syscall(long nr, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (size_t i = 0; i < ROWS(a); i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return EDGE(long, call_by_number(nr, a));
}
