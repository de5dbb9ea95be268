/* SPDX-License-Identifier: ISC
 *
 * The record table by itself: what a record says after each call, what a fork and a vfork child make of
 * it, and 32 threads at once, whose records must agree at the end with what each did last.  The
 * stack, the clock and the reports are the test's own; tests/context/threads.sh runs it under
 * ThreadSanitizer.
 *
 * links: mem.o sys/newer.o sys/lock.o sys/wiped.o
 */
#include "../../preload/record.c"
#include "../../preload/stack.c"
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct config now_config;
const struct config *config_ready = &now_config;
const struct config *config_start(void)
{
	return &now_config;
}

static _Thread_local frame base = 0x1000;
size_t unwind_stack(frame *out, size_t n)
{
	size_t i;

	for (i = 0; i < 6 && i < n; i++)
		out[i] = base + i;
	return i;
}

const struct module *module_at(unsigned m)
{
	static const struct module program = {.path = "x"};

	(void)m;
	return &program;
}

bool module_scripts = true;

real_fn *real_find(const char *name)
{
	(void)name;
	return NULL;
}

bool script_line(enum module_kind kind, unsigned m, struct script *ret)
{
	(void)kind;
	(void)m;
	(void)ret;
	return false;
}

long place_strlen(const char *p, size_t n)
{
	(void)n;
	return (long)strlen(p);
}

enum fd_verdict fdpolicy_verdict(enum fd_class class)
{
	return class == FD_PIPE ? FD_SHELL : FD_FORCE;
}

static unsigned full, bad;
void report_full(long error, uint32_t stack)
{
	assert_true(error == EMFILE && stack);
	full++;
}

bool report_pending;

void report_flush(void)
{
}

void report_bad_close(int fd, struct record_closing what, bool failed)
{
	(void)fd;
	(void)what;
	(void)failed;
	bad++;
}

static struct record got(int fd)
{
	struct record r;

	record_get(fd, &r);
	return r;
}

static void life_test(void **state)
{
	char longer[200];

	(void)state;
	assert_int_equal(got(100).state, RECORD_NONE);
	record_made(100, FD_OPEN, false, &FD_PATH(-100, "/etc/x", 5));
	assert_int_equal(got(100).state, RECORD_OPEN);
	assert_string_equal(got(100).text, "/etc/x");
	assert_true(got(100).stack && got(100).tid == sys_gettid() && got(100).args.b == 5);
	assert_int_equal(got(100).verdict, FD_FORCE);
	record_flag(100, false);
	assert_int_equal(got(100).flags, RECORD_MEANT);
	record_flag(100, true);
	assert_int_equal(got(100).flags, RECORD_ASKED);
	record_owner(100, RECORD_STREAM);
	(void)record_closing(100);
	assert_int_equal(bad, 1);
	assert_int_equal(got(100).state, RECORD_CLOSED);
	assert_true(got(100).closed_stack);
	assert_false(record_closing(100).known);
	record_onto(3, 100, 0);
	assert_int_equal(got(100).flags, RECORD_MEANT);
	record_onto(3, 100, O_CLOEXEC);
	assert_int_equal(got(100).flags, RECORD_ASKED);
	memset(longer, 'y', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	longer[sizeof longer - 2] = 'z';
	record_made(101, FD_PIPE, true, &FD_NAME(longer));
	assert_int_equal(strlen(got(101).text), RECORD_TEXT);
	assert_true(got(101).text[0] == '.' && got(101).text[RECORD_TEXT - 1] == 'z');
	record_closed_range(3, ~0u);
	assert_int_equal(record_next(0), -1);
	assert_int_equal(record_open_count(), 0);
	assert_int_equal(record_made(-EMFILE, FD_OPEN, false, &FD_NOTHING), -EMFILE);
	assert_int_equal(full, 1);
	record_made(-ENOENT, FD_OPEN, false, &FD_NOTHING);
	assert_int_equal(full, 1);
}

static void many_test(void **state)
{
	(void)state;
	for (int fd = 3; fd < 1000000; fd++)
		record_made(fd, FD_OPEN, false, &FD_NOTHING);
	assert_int_equal(record_open_count(), 999997);
	assert_int_equal(record_next(999999), 999999);
	assert_int_equal(record_next(1000000), -1);
	(void)record_closing(500000);
	assert_int_equal(record_next(500000), 500001);
	record_closed_range(0, ~0u);
	assert_int_equal(record_open_count(), 0);
	assert_int_equal(got(1 << 30).state, RECORD_NONE);
	record_made(1 << 30, FD_OPEN, false, &FD_NOTHING); /* beyond the table: no harm */
	(void)record_closing(-1);
}

static void fork_test(void **state)
{
	int status = 0;

	(void)state;
	record_made(10, FD_OPEN, false, &FD_NOTHING);
	if (fork() == 0) {
		bool right = record_fork_missed();

		record_forked();
		right &= !record_fork_missed() && got(10).flags & RECORD_FORKED;
		record_made(11, FD_OPEN, false, &FD_NOTHING);
		right &= !(got(11).flags & RECORD_FORKED);
		_exit(!right);
	}
	wait(&status);
	assert_int_equal(status, 0);
	assert_false(got(10).flags & RECORD_FORKED);
	(void)record_closing(10);
}

__attribute__((unused)) static void vfork_test(void **state)
{
	volatile bool right = false;
	pid_t pid;

	(void)state;
	record_made(10, FD_OPEN, false, &FD_NOTHING);
	record_made(12, FD_OPEN, false, &FD_NOTHING);
	record_vfork_begin();
	pid = vfork();
	if (pid == 0) {
		right = !record_mine();
		(void)record_closing(10);
		record_onto(1, 11, 0);
		right &= record_child_has_changed(10) && record_child_has_changed(11) &&
			 !record_child_has_changed(12);
		_exit(0);
	}
	record_vfork_end();
	record_child_gone(pid);
	assert_true(right);
	assert_int_equal(got(10).state, RECORD_OPEN);
	assert_int_not_equal(got(11).state, RECORD_OPEN);
	assert_false(record_child_has_changed(10));
	(void)record_closing(10);
	(void)record_closing(12);
	wait(NULL);
}

enum { THREADS = 32, PER = 64, ROUNDS = 20000 };

/* Each thread has numbers of its own, interleaved with the others', and beside them all open and
 * close the same few. */
static void *thread_run(void *arg)
{
	const int me = (int)(intptr_t)arg;
	unsigned seed = (unsigned)me * 7919u + 1;
	bool open[PER] = {false};

	base = (frame)0x100000 * (unsigned)(me + 1);
	for (int i = 0; i < ROUNDS; i++) {
		const int k = rand_r(&seed) % PER, fd = 100 + k * THREADS + me;

		if (open[k])
			(void)record_closing(fd);
		else
			record_made(fd, FD_OPEN, false, &FD_NUMBER(me));
		open[k] = !open[k];
		if (i % 16 == 0) {
			struct record r;

			record_made(50 + k % 8, FD_OPEN, false, &FD_PATH(me, me % 2 ? "/odd" : "/even", 0));
			record_get(50 + (k + 1) % 8, &r);
			if (r.state == RECORD_OPEN && r.args.tell == FD_TELL_PATH)
				assert_string_equal(r.text, r.args.a % 2 ? "/odd" : "/even");
		}
	}
	for (int k = 0; k < PER; k++) {
		const struct record r = got(100 + k * THREADS + me);

		assert_int_equal(r.state == RECORD_OPEN, open[k]);
		if (open[k]) {
			assert_int_equal(r.args.a, me);
			assert_true(stack_at(r.stack)->at[0] == base);
		}
	}
	return NULL;
}

static void threads_test(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	for (intptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, thread_run, (void *)i), 0);
	for (int i = 0; i < 50; i++) { /* a forker beside them: its copy can be read */
		if (fork() == 0) {
			struct record r;

			for (int fd = record_next(0); fd >= 0; fd = record_next(fd + 1))
				record_get(fd, &r);
			_exit(0);
		}
		wait(NULL);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	record_closed_range(3, ~0u);
}

static void stacks_test(void **state)
{
	frame at[3] = {1, 2, 3};
	uint32_t one = stack_intern(at, 3, 0, 0), other, text;

	(void)state;
	assert_true(one && one == stack_intern(at, 3, 0, 0));
	at[2] = 4;
	other = stack_intern(at, 3, 0, 0);
	assert_true(other && other != one);
	assert_true(stack_intern(at, 2, 0, 0) != other && stack_intern(at, 3, 0, 7) != other);
	assert_int_equal(stack_at(other)->at[2], 4);
	assert_null(stack_at(STACK_NONE));
	text = stack_text("a.py", 4);
	assert_true(text && text == stack_text("a.py", 4) && text != stack_text("a.pyc", 5));
	assert_string_equal(stack_text_at(text), "a.py");
	for (frame i = 0; i < STACKS_MAX + 10; i++) { /* a full table says so */
		at[0] = 1000 + i;
		other = stack_intern(at, 3, 0, 0);
	}
	assert_int_equal(other, STACK_NONE);
	at[0] = 1, at[2] = 3;
	assert_int_equal(stack_intern(at, 3, 0, 0), one);
	assert_true(stack_count() < STACKS_MAX);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		{"a record's life", life_test, NULL, NULL, NULL},
		{"a million numbers", many_test, NULL, NULL, NULL},
		{"a fork has its parent's records", fork_test, NULL, NULL, NULL},
#ifndef __SANITIZE_THREAD__ /* which makes a fork of vfork */
		{"a vfork child changes none", vfork_test, NULL, NULL, NULL},
#endif
		{"32 threads", threads_test, NULL, NULL, NULL},
		{"stacks are kept once", stacks_test, NULL, NULL, NULL},
	};

	now_config.pid = getpid();
	if (record_start(getpid()) < 0)
		return 1;
	return _cmocka_run_group_tests("record", t, ROWS(t), NULL, NULL);
}
