/* SPDX-License-Identifier: ISC
 *
 * Cancellation (pthreads(7), "Cancellation points").  A thread of the program's is cancelled in one of two places of
 * libjail and nowhere else: where an exported function that is a cancellation point begins, before it holds anything,
 * and in the one system call that may wait, which goes through libc's own function of that name.  So
 * it is libc that decides, by its version's own rules, whether a call was completed.
 *
 * What a guest function holds meanwhile (a directory's descriptor, the lifted limit) it says to libc
 * by cancel_push().  `point` is how an entrance tells the layers below what cancel_point() said: false in calls of
 * our own, which never are cancellation points. */
#ifndef JAIL_CANCEL_H
#define JAIL_CANCEL_H

#include "../mem.h"
#include "../sys.h"

/* glibc 2.32 and later, sys/single_threaded.h: nobody is there to cancel us, and glibc's own calls
 * look no further, either.  An import, not LIBC(): a program may hold the only true copy of it. */
extern char __libc_single_threaded __attribute__((weak));

/* Acts on a cancellation that is pending, and does not return then. */
bool cancel_here(void);

/* The beginning of a cancellation point.  True: the call that may wait is one as well; false in a
 * process with a single thread. */
static inline bool cancel_point(void)
{
	return LIKELY(&__libc_single_threaded && __libc_single_threaded) ? false : cancel_here();
}

#define CANCEL_WEAK __attribute__((weak, visibility("hidden")))

/* The system call nr as a cancellation point: openat, openat2, close, fcntl, and those of sockets.  A result or
 * -errno; errno is untouched.  Weak: libjail-audit.so has the resolvers, but no libc and no
 * entrance that asks for it. */
CANCEL_WEAK long cancel_call6(long nr, long a, long b, long c, long d, long e, long f);

/* The call of a guest function that may wait: sys_call(), or cancel_call6() at a cancellation point. */
#define cancel_call(point, ...) (UNLIKELY(point) ? cancel_c(__VA_ARGS__, 0, 0, 0, 0, 0, 0) : sys_call(__VA_ARGS__))
#define cancel_c(nr, a, b, c, d, e, f, ...) \
	cancel_call6(nr, SYS_1(a), SYS_1(b), SYS_1(c), SYS_1(d), SYS_1(e), SYS_1(f))

/* By the oldest form of pthread_cleanup_push(3), a function with a buffer of its caller's, which both libcs have; where
 * there is none there is no thread to cancel.  undo(arg) is called if the thread is cancelled before cancel_pop(), in the same function and in reverse order.  For
 * callers that know that they are at a cancellation point. */
struct cancel_undo {
	void *libc[8]; /* struct _pthread_cleanup_buffer, or musl's struct __ptcb */
};
CANCEL_WEAK void cancel_push(struct cancel_undo *u, void (*undo)(void *), void *arg);
CANCEL_WEAK void cancel_pop(struct cancel_undo *u);

/* No cancellation until cancel_on(): while something is held across a function of libc's that is a
 * cancellation point by itself. */
int cancel_off(void);
void cancel_on(int old);

#endif
