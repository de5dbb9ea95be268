/* SPDX-License-Identifier: ISC
 *
 * links: mem.o sys/newer.o sys/lock.o sys/wiped.o
 *
 * The memory functions, which copy and compare by the word, against loops of bytes: every length and
 * alignment up to some words, every overlap, and texts that end at the end of a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "../../preload/mem.h"

enum { SIZE = 4096, MOST = 70 };

/* what the compiler does not know, it does not replace */
static void *(*volatile copy)(void *restrict, const void *restrict, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile set)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;
static size_t (*volatile length)(const char *) = strlen;

static unsigned char got[SIZE], want[SIZE];

static void fill(void)
{
	for (int i = 0; i < SIZE; i++)
		got[i] = want[i] = (unsigned char)(i * 7 + (i >> 8));
}

static void same(const char *what, size_t to, size_t from, size_t n)
{
	for (size_t i = 0; i < SIZE; i++)
		if (got[i] != want[i])
			fail_msg("%s(%zu, %zu, %zu): byte %zu", what, to, from, n, i);
}

static void naive(size_t to, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		want[to < from ? to + i : to + n - 1 - i] = want[to < from ? from + i : from + n - 1 - i];
}

static void moves(void **state)
{
	static const size_t large[] = {1023, 1024, 1100, 1500};

	(void)state;
	for (size_t n = 0; n < MOST + ROWS(large); n++)
		for (size_t to = 0; to < 48; to++)
			for (size_t from = 0; from < 48; from += n < MOST ? 1 : 5) {
				const size_t len = n < MOST ? n : large[n - MOST];

				fill();
				assert_ptr_equal(move(got + to, got + from, len), got + to);
				naive(to, from, len);
				same("memmove", to, from, len);
			}
}

static void copies_and_sets(void **state)
{
	(void)state;
	for (size_t n = 0; n < 1200; n += n < MOST ? 1 : 61)
		for (size_t to = 0; to < 17; to++) {
			fill();
			assert_ptr_equal(copy(got + to, got + 2001 + to / 2, n), got + to);
			naive(to, 2001 + to / 2, n);
			same("memcpy", to, 2001 + to / 2, n);
			fill();
			assert_ptr_equal(set(got + to, 0x1c3, n), got + to);
			for (size_t i = 0; i < n; i++)
				want[to + i] = 0xc3;
			same("memset", to, 0, n);
		}
}

static void compares(void **state)
{
	(void)state;
	for (size_t n = 0; n < 40; n++)
		for (size_t at = 0; at < 9; at++) {
			fill();
			for (size_t i = 0; i < n; i++)
				got[at + i] = got[100 + i];
			assert_int_equal(compare(got + at, got + 100, n), 0);
			for (size_t i = 0; i < n; i++) {
				const unsigned char was = got[at + i];

				got[at + i] = (unsigned char)(was + 0x80);
				assert_int_equal(compare(got + at, got + 100, n), was >= 0x80 ? -1 : 1);
				assert_int_equal(compare(got + 100, got + at, n), was >= 0x80 ? 1 : -1);
				assert_int_equal(compare(got + at, got + 100, i), 0);
				got[at + i] = was;
			}
		}
}

static void page_end(void **state)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *end;

	(void)state;
	assert_true(page != MAP_FAILED && mprotect(page + 4096, 4096, PROT_NONE) == 0);
	end = page + 4096;
	for (size_t i = 0; i < 4096; i++)
		page[i] = 'x';
	end[-1] = '\0';
	for (size_t n = 0; n < 40; n++) {
		assert_int_equal(length(end - 1 - n), n);
		/* a longer text to compare with: the NUL is where they differ */
		assert_int_equal(compare(end - 1 - n, page, 64), -1);
		assert_int_equal(compare(page, end - 1 - n, 64), 1);
	}
	munmap(page, 8192);
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(copies_and_sets),
		cmocka_unit_test(compares),
		cmocka_unit_test(page_end),
	};

	return cmocka_run_group_tests_name("mem", t, NULL, NULL);
}
