/* SPDX-License-Identifier: ISC
 *
 * links: mem.o sys/lock.o sys/newer.o sys/wiped.o
 *
 * The lock's rule (preload/sys/lock.h) by the order of what happens: what a child of fork(2), made in any way, of
 * vfork(2) and a signal handler find while a thread holds it, and who has it when its owner is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../preload/sys/lock.h"

enum { PATIENCE = 60, THREADS = 8, TIMES = 3000 };

/* A thread that holds a lock from take() until it is told to give it back. */
static struct {
	pthread_t thread;
	int held[2], done[2];
	volatile int given;
} holder;

static void *hold(void *arg)
{
	uint64_t mask = lock_take(LOCK_POPEN);
	char c = 0;

	(void)arg;
	(void)!write(holder.held[1], &c, 1);
	(void)!read(holder.done[0], &c, 1);
	holder.given = 1;
	lock_give(LOCK_POPEN, mask);
	return NULL;
}

static void holder_start(void)
{
	char c;

	holder.given = 0;
	assert_int_equal(pipe(holder.held), 0);
	assert_int_equal(pipe(holder.done), 0);
	assert_int_equal(pthread_create(&holder.thread, NULL, hold, NULL), 0);
	assert_int_equal(read(holder.held[0], &c, 1), 1);
}

static void holder_end(void)
{
	assert_int_equal(write(holder.done[1], "", 1), 1);
	pthread_join(holder.thread, NULL);
	for (int i = 0; i < 2; i++) {
		close(holder.held[i]);
		close(holder.done[i]);
	}
}

static int take_and_give(void)
{
	lock_give(LOCK_POPEN, lock_take(LOCK_POPEN));
	return holder.given;
}

static int ended(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static long by_fork(void)
{
	return fork();
}

static long by_number(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* The child has it while the parent's thread holds it: that thread is told to give it back only when the
 * child has ended. */
static void forked(void **state)
{
	long (*forks)(void) = *state;
	long pid;

	holder_start();
	pid = forks();
	if (pid == 0) {
		alarm(PATIENCE);
		if (fork() == 0)
			_exit(take_and_give());
		_exit(take_and_give());
	}
	assert_int_equal(ended((pid_t)pid), 0);
	holder_end();
}

/* The child shares the memory: it gets the lock when the holder has given it back, not before. */
static void *tell_later(void *arg)
{
	(void)arg;
	usleep(50000);
	(void)!write(holder.done[1], "", 1);
	return NULL;
}

static void vforked(void **state)
{
	pthread_t later;
	pid_t pid;

	(void)state;
	holder_start();
	pthread_create(&later, NULL, tell_later, NULL);
	pid = vfork();
	if (pid == 0)
		_exit(take_and_give());
	assert_int_equal(ended(pid), 1 << 8);
	pthread_join(later, NULL);
	holder_end();
}

static void killed(void **state)
{
	pid_t pid;

	(void)state;
	pid = vfork();
	if (pid == 0) {
		(void)!lock_take(LOCK_POPEN);
		kill(getpid(), SIGKILL); /* not to be blocked */
		_exit(0);
	}
	assert_int_equal(ended(pid), SIGKILL);
	take_and_give();
}

static volatile int handled;

static void on_signal(int sig)
{
	(void)sig;
	handled = take_and_give() + 1;
}

static void signalled(void **state)
{
	uint64_t mask;

	(void)state;
	signal(SIGUSR1, on_signal);
	mask = lock_take(LOCK_POPEN);
	pthread_kill(pthread_self(), SIGUSR1);
	assert_int_equal(handled, 0);
	lock_give(LOCK_POPEN, mask);
	assert_int_not_equal(handled, 0);
}

static long counted;

static void *counts(void *arg)
{
	(void)arg;
	for (int i = 0; i < TIMES; i++) {
		uint64_t outer = lock_take(LOCK_SYSTEM), inner = lock_take(LOCK_POPEN);
		long was = counted;

		if (i % 64 == 0)
			sched_yield();
		counted = was + 1;
		lock_give(LOCK_POPEN, inner);
		lock_give(LOCK_SYSTEM, outer);
	}
	return NULL;
}

static void contended(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, counts, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(counted, THREADS * TIMES);
}

static void *waits(void *arg)
{
	(void)arg;
	take_and_give();
	pthread_testcancel();
	return NULL;
}

/* A thread that waits is cancelled behind the lock, and leaves it free. */
static void cancelled(void **state)
{
	pthread_t t;
	void *result;

	(void)state;
	holder_start();
	pthread_create(&t, NULL, waits, NULL);
	pthread_cancel(t);
	holder_end();
	pthread_join(t, &result);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	take_and_give();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"a child of fork(2) finds it free", forked, NULL, NULL, (void *)by_fork},
		{"so does one that no wrapper saw", forked, NULL, NULL, (void *)by_number},
		{"a vfork child waits for its parent's other thread", vforked, NULL, NULL, NULL},
		{"a vfork child that was killed leaves it to the next", killed, NULL, NULL, NULL},
		{"a handler runs when it is given back", signalled, NULL, NULL, NULL},
		{"threads have it one after the other", contended, NULL, NULL, NULL},
		{"a thread that waits is cancelled behind it", cancelled, NULL, NULL, NULL},
	};

	alarm(PATIENCE);
	return _cmocka_run_group_tests("lock", tests, sizeof tests / sizeof *tests, NULL, NULL);
}
