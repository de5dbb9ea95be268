/* SPDX-License-Identifier: ISC
 *
 * What every entrance shares: the exported declarations, made from the manifest, and the way down
 * to the next library's function of the same name. */
#ifndef JAIL_WRAP_H
#define JAIL_WRAP_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <mntent.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <shadow.h>
#include <link.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/types.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include <wordexp.h>
#include "config.h"
#include "fdpolicy.h"
#include "guest/guest.h"
#include "mem.h"
#include "self/cancel.h"
#include "state.h"
#include "sys.h"

struct names_sgrp; /* struct sgrp of a header that musl has not */
struct rpc_client; /* CLIENT and SVCXPRT of Sun RPC, which libc no longer has headers for */
struct rpc_server;
struct utmp; /* and utmpx, the same */

#define EXPORT __attribute__((visibility("default"))) /* all else: -fvisibility=hidden */

/* Our C name over libc's assembler name: under our own name no header of libc speaks for us, so
 * that a test for NULL stays and no __REDIRECT renames a definition. */
#define CALL(ret, name, params, down) HAND(ret, name, params)
#define BLOCK(ret, name, params, down) HAND(ret, name, params)
#define HAND(ret, name, params) EXPORT ret jail_##name params __asm__(#name);
#define SAME(name, as)
#define PASS(name, why)
#define LATER(name, subject)
#include "symbols.def"
#undef CALL
#undef BLOCK
#undef HAND
#undef SAME
#undef PASS
#undef LATER

/* The next definition of name after libjail in load order, or NULL.  Takes no lock: it reads the
 * loaded objects' own symbol tables, so that a signal handler and a forked child may call it. */
typedef void real_fn(void);
real_fn *real_find(const char *name);

/* Our own definition of an exported name, or NULL.  As real_find(). */
real_fn *real_own(const char *name);

/* The loader's list of objects, the program first; NULL where it cannot be found. */
const struct link_map *real_objects(void);

/* What the address p of a dynamic section stands for, in an object loaded at base.  glibc relocates
 * them in place, musl does not, and nobody does for the vdso: below the base it is an offset. */
static inline const void *real_address(uintptr_t base, ElfW(Addr) p)
{
	return (const void *)(p < base ? base + p : p);
}

/* The next function called name in object order, bound on first use; NULL where no libc has it.
 * Racing threads store the same value. */
static inline real_fn *real_get(real_fn **slot, const char *name)
{
	real_fn *f = __atomic_load_n(slot, __ATOMIC_RELAXED);

	if (UNLIKELY(!f)) {
		f = real_find(name);
		__atomic_store_n(slot, f, __ATOMIC_RELAXED);
	}
	return f;
}

/* REAL(fopen)(path, mode): only for names in the manifest.  Where a libc may lack the function
 * the caller keeps it in a variable and looks first: never a call through NULL. */
#define REAL(name)                                                             \
	((__typeof__(&jail_##name))__extension__({                             \
		static real_fn *slot_;                                         \
		real_get(&slot_, #name);                                       \
	}))
/* A libc function that is not wrapped: LIBC(malloc, void *, (size_t)) */
#define LIBC(name, ret, params)                                                \
	((ret(*) params)__extension__({                                        \
		static real_fn *slot_;                                         \
		real_get(&slot_, #name);                                       \
	}))

/* The first definition of name in the whole process, ours aside, or NULL: what the program's own
 * reference to name is bound to. */
real_fn *real_global(const char *name);

/* malloc, calloc, realloc, free, for memory that changes hands between us and the program.  A program
 * that brings its own allocator keeps it in front of us, where LIBC() does not look. */
#define HEAP(name, ret, params)                                                \
	((ret(*) params)__extension__({                                        \
		static real_fn *slot_;                                         \
		real_fn *heap_ = __atomic_load_n(&slot_, __ATOMIC_RELAXED);    \
		if (UNLIKELY(!heap_))                                          \
			__atomic_store_n(&slot_, heap_ = real_global(#name), __ATOMIC_RELAXED); \
		heap_;                                                         \
	}))

int *__errno_location(void);

static inline void errno_set(int e)
{
	*__errno_location() = e;
}

/* The edge: the kernel's -errno becomes -1 and errno; success leaves errno alone. */
static inline long edge(long r)
{
	if (UNLIKELY((unsigned long)r > -4096UL)) {
		errno_set((int)-r);
		return -1;
	}
	return r;
}
#define EDGE(ret, down) ((ret)edge(down))

/* Makes a descriptor by system call nr with args, whose argument number `which` takes `bit` for
 * close-on-exec: FDPOLICY's rules for the calls that have no guest_ function of their own. */
long fd_by_flag(long nr, const long args[6], int which, long bit, enum fd_class class);
/* The same for a call whose descriptors the kernel itself makes close-on-exec. */
long fd_by_kernel(long nr, const long args[6], enum fd_class class, struct fd_args tell);

#endif
