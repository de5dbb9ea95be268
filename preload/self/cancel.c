/* SPDX-License-Identifier: ISC
 *
 * How each libc cancels a thread: by what is exported in glibc 2.31 and later and in musl alike. */
#include "cancel.h"
#include "../wrap.h"

typedef int set_type(int, int *); /* pthread_setcanceltype(3), pthread_setcancelstate(3) */

/* Where the libc has no threads at hand nothing happens. */
static int asynchronous(void)
{
	set_type *set = LIBC(pthread_setcanceltype, int, (int, int *));
	int old = PTHREAD_CANCEL_DEFERRED;

	if (LIKELY(set))
		set(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	return old;
}

static void as_before(int old)
{
	set_type *set = LIBC(pthread_setcanceltype, int, (int, int *));
	int ignored;

	if (LIKELY(set))
		set(old, &ignored);
}

int cancel_off(void)
{
	set_type *set = LIBC(pthread_setcancelstate, int, (int, int *));
	int old = PTHREAD_CANCEL_ENABLE;

	if (LIKELY(set))
		set(PTHREAD_CANCEL_DISABLE, &old);
	return old;
}

void cancel_on(int old)
{
	set_type *set = LIBC(pthread_setcancelstate, int, (int, int *));
	int ignored;

	if (LIKELY(set))
		set(old, &ignored);
}

/* For glibc 2.31 without a libpthread, whose libc has this function alone. */
static void test_by_type(void)
{
	as_before(asynchronous());
}

bool cancel_here(void)
{
	static void (*bound)(void);
	void (*test)(void) = __atomic_load_n(&bound, __ATOMIC_RELAXED);

	if (UNLIKELY(!test)) {
		test = real_find("pthread_testcancel");
		if (!test)
			test = test_by_type;
		__atomic_store_n(&bound, test, __ATOMIC_RELAXED);
	}
	test();
	return true;
}

/* openat2(2), which no libc has a function for: a cancellation may come when the descriptor has been made, as in
 * glibc before 2.41. */
static long cancel_openat2(long dir, long path, long how, long size)
{
	const int old = asynchronous();
	const long r = sys_call(SYS_openat2, dir, path, how, size);

	as_before(old);
	return r;
}

/* -1 and errno become -errno, and errno what it was. */
#define CALL_OF(name, ret, params, ...)                                        \
	__extension__({                                                        \
		ret(*f_) params = LIBC(name, ret, params);                     \
		const int was_ = *__errno_location();                          \
		long r_ = f_ ? (long)f_(__VA_ARGS__) : sys_call6(nr, a, b, c, d, e, f); \
                                                                               \
		if (f_ && r_ < 0) {                                            \
			r_ = -*__errno_location();                             \
			errno_set(was_);                                       \
		}                                                              \
		r_;                                                            \
	})

long cancel_call6(long nr, long a, long b, long c, long d, long e, long f)
{
	const int fd = (int)a;
	void *const p = (void *)b;

	switch (nr) {
	case SYS_openat:
		return CALL_OF(openat, int, (int, const char *, int, ...), fd, p, (int)c, (mode_t)d);
	case SYS_openat2:
		return cancel_openat2(a, b, c, d);
	case SYS_close:
		return CALL_OF(close, int, (int), fd);
	case SYS_fcntl:
		return CALL_OF(fcntl, int, (int, int, ...), fd, (int)b, c);
	case SYS_connect:
		return CALL_OF(connect, int, (int, const void *, socklen_t), fd, p, (socklen_t)c);
	case SYS_accept:
		return CALL_OF(accept, int, (int, void *, void *), fd, p, (void *)c);
	case SYS_accept4:
		return CALL_OF(accept4, int, (int, void *, void *, int), fd, p, (void *)c, (int)d);
	case SYS_sendto:
		return CALL_OF(sendto, ssize_t, (int, const void *, size_t, int, const void *, socklen_t), fd,
			p, (size_t)c, (int)d, (void *)e, (socklen_t)f);
	case SYS_recvfrom:
		return CALL_OF(recvfrom, ssize_t, (int, void *, size_t, int, void *, void *), fd, p, (size_t)c,
			(int)d, (void *)e, (void *)f);
	case SYS_sendmsg:
		return CALL_OF(sendmsg, ssize_t, (int, const void *, int), fd, p, (int)c);
	case SYS_recvmsg:
		return CALL_OF(recvmsg, ssize_t, (int, void *, int), fd, p, (int)c);
	case SYS_sendmmsg:
		return CALL_OF(sendmmsg, int, (int, void *, unsigned, int), fd, p, (unsigned)c, (int)d);
	case SYS_recvmmsg:
		return CALL_OF(recvmmsg, int, (int, void *, unsigned, int, void *), fd, p, (unsigned)c, (int)d,
			(void *)e);
	default:
		return sys_call6(nr, a, b, c, d, e, f);
	}
}

void cancel_push(struct cancel_undo *u, void (*undo)(void *), void *arg)
{
	void (*push)(void *, void (*)(void *), void *) =
		LIBC(_pthread_cleanup_push, void, (void *, void (*)(void *), void *));

	if (push)
		push(u, undo, arg);
}

void cancel_pop(struct cancel_undo *u)
{
	void (*pop)(void *, int) = LIBC(_pthread_cleanup_pop, void, (void *, int));

	if (pop)
		pop(u, 0);
}
