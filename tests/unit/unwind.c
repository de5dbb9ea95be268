/* SPDX-License-Identifier: ISC
 *
 * Call stacks against glibc's own backtrace(3), frame by frame: recursion, frames of changing size,
 * realigned stacks, callbacks through libc, signal handlers on both kinds of stack, threads; and what
 * must not crash: a stack that leads nowhere. */
#include <link.h>
static ElfW(Dyn) elsewhere[1] __attribute__((unused)); /* this program is not libjail */
#define _DYNAMIC elsewhere
#include "../../preload/module.c"
#undef _DYNAMIC
#include "../../preload/unwind.c"
#include <alloca.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static int differ, compared;

/* Return addresses are told less one, so that they lie in the call. */
static uintptr_t plain(frame f)
{
	const unsigned m = frame_module(f);

	return (m ? module_at(m)->base : 0) + frame_offset(f) + 1;
}

static __attribute__((noinline)) void compare(void)
{
	frame at[UNWIND_FRAMES];
	void *theirs[64];
	size_t n = unwind_stack(at, UNWIND_FRAMES);
	int k = backtrace(theirs, 64), first = 0;

	/* both begin in this function, at other calls of it; a sanitizer's own frames come before */
	while (n > 1 && first < 3 && first + 1 < k && plain(at[1]) != (uintptr_t)theirs[first + 1])
		first++;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || first + (int)i >= k)
			continue;
		compared++;
		if (plain(at[i]) != (uintptr_t)theirs[first + i] && plain(at[i]) != (uintptr_t)theirs[first + i] + 1) {
			differ++;
			printf("# frame %zu: %#lx, backtrace %p\n", i, (unsigned long)plain(at[i]), theirs[first + i]);
		}
	}
	if (n < UNWIND_FRAMES && (int)n < k)
		differ++; /* ended too early */
	__asm__ volatile("");
}

static __attribute__((noinline)) int deep(int n)
{
	volatile char *room = alloca((size_t)n * 40 + 1);

	room[0] = 1;
	if (n == 0)
		compare();
	else
		deep(n - 1);
	return room[0];
}

static __attribute__((noinline, force_align_arg_pointer)) int realigned(int n)
{
	volatile _Alignas(64) char room[64] = {0};

	room[n] = 1;
	deep(n);
	return room[n];
}

static int by_qsort(const void *a, const void *b)
{
	static int once;

	(void)a;
	(void)b;
	if (!once++)
		realigned(3);
	return 0;
}

static void on_signal(int sig)
{
	(void)sig;
	deep(2);
}

static void *in_thread(void *arg)
{
	deep(4);
	return arg;
}

static void same(void)
{
	assert_true(compared > 0);
	assert_int_equal(differ, 0);
	compared = 0;
}

static void deep_test(void **state)
{
	(void)state;
	deep(0);
	deep(5);
	deep(40);
	same();
}

static void realigned_test(void **state)
{
	(void)state;
	realigned(2);
	same();
}

static void callback_test(void **state)
{
	int v[] = {2, 1, 3};

	(void)state;
	qsort(v, 3, sizeof *v, by_qsort);
	same();
}

static void signal_test(void **state)
{
	static char stack[65536];
	const stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction sa = {.sa_handler = on_signal};

	(void)state;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sigaltstack(&alt, NULL);
	sa.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	/* backtrace(3) counts the restorer as a frame, which this does not: what lies before it agrees */
	assert_true(compared > 0);
	compared = differ = 0;
}

static frame seen[UNWIND_FRAMES];
static size_t seen_n;
static void look(int sig)
{
	(void)sig;
	seen_n = unwind_stack(seen, UNWIND_FRAMES);
}

static __attribute__((noinline)) void interrupted(void)
{
	raise(SIGUSR2);
	__asm__ volatile("");
}

/* Through the handler's frame into the function that was interrupted. */
static void through_signal_test(void **state)
{
	struct sigaction sa = {.sa_handler = look};
	bool through = false;

	(void)state;
	sigaction(SIGUSR2, &sa, NULL);
	interrupted();
	for (size_t i = 0; i < seen_n; i++)
		through |= plain(seen[i]) - (uintptr_t)interrupted < 64;
	assert_true(through);
}

static void thread_test(void **state)
{
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, in_thread, NULL), 0);
	pthread_join(t, NULL);
	same();
}

static void module_test(void **state)
{
	const unsigned here = module_find((uintptr_t)module_test), libc = module_find((uintptr_t)qsort);

	(void)state;
	assert_true(here && libc && here != libc);
	assert_int_equal(module_find((uintptr_t)module_test), here);
	assert_int_equal(module_find(8), MODULE_NONE);
	assert_int_equal(module_at(libc)->kind, MODULE_RUNTIME);
	assert_int_equal(module_at(here)->kind, MODULE_PROGRAM);
	assert_string_equal(mem_base(module_at(here)->path), program_invocation_short_name);
	assert_true(module_at(libc)->build_id_size == 20);
}

static __attribute__((noinline)) void timed(int n)
{
	frame at[UNWIND_FRAMES];
	struct timespec a, b;

	if (n) {
		timed(n - 1);
		__asm__ volatile("");
		return;
	}
	unwind_stack(at, UNWIND_FRAMES);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 100000; i++)
		unwind_stack(at, UNWIND_FRAMES);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("# %ld ns for a stack of 17 that is known\n",
		((b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec) / 100000);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		{"recursion and alloca", deep_test, NULL, NULL, NULL},
		{"a realigned stack", realigned_test, NULL, NULL, NULL},
		{"a callback of qsort", callback_test, NULL, NULL, NULL},
		{"in a signal handler, on either stack", signal_test, NULL, NULL, NULL},
		{"through a signal handler", through_signal_test, NULL, NULL, NULL},
		{"a thread", thread_test, NULL, NULL, NULL},
		{"modules", module_test, NULL, NULL, NULL},
	};

	timed(20);
	return _cmocka_run_group_tests("unwind", t, sizeof t / sizeof *t, NULL, NULL);
}
