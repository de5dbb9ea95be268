/* SPDX-License-Identifier: ISC
 *
 * Rows for the memory of clean names: what is known after what was learned, and that two names have one key only when
 * they are the same name from the same directory.  The clock is the test's: each call is told the time. */
#include "../../preload/path/clean.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SEED = 7, WORD = 3 << 16, NAMES = 1000000 };

/* Eight bytes that a name can have, and the constant that mix() joins the second number with. */
#define FACTOR "\x93\xfd\x59\x66\xb8\xfe\xe8\xd6"

static const uint64_t start = (uint64_t)1 << 40; /* a time long after the machine's start */
static struct clean_memory memory;

static int fresh(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof memory);
	return 0;
}

static uint64_t dice(void)
{
	static uint64_t s = 88172645463325252u;

	s ^= s << 13;
	s ^= s >> 7;
	return s ^= s << 17;
}

/* The key of the whole of path. */
static uint64_t key_of(uint64_t seed, const char *path)
{
	struct clean_trail t;

	clean_trail(&t, seed, path);
	assert_int_not_equal(t.n, 0);
	return t.key[t.n - 1];
}

/* -- the table ------------------------------------------------------------------------------- */

static void nothing_is_known_at_first(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_false(clean_known(&memory, i ? dice() : 0, WORD, i % 2 ? start : (uint64_t)i));
}

static void known_until_the_span_ends(void **state)
{
	const uint64_t key = key_of(SEED, "usr/lib");

	(void)state;
	clean_learn(&memory, key, WORD, start);
	assert_true(clean_known(&memory, key, WORD, start));
	assert_true(clean_known(&memory, key, WORD, start + clean_span() - 1));
	assert_false(clean_known(&memory, key, WORD, start + clean_span()));
	assert_false(clean_known(&memory, key, WORD, UINT64_MAX));
	/* another processor's clock may be behind: nothing is known before it was learned */
	assert_false(clean_known(&memory, key, WORD, start - 1));
	assert_false(clean_known(&memory, key, WORD, 0));
	clean_learn(&memory, key, WORD, start + clean_span());
	assert_true(clean_known(&memory, key, WORD, start + clean_span()));
}

static void another_word_forgets(void **state)
{
	const uint64_t key = key_of(SEED, "usr/lib");
	uint64_t word = WORD;

	(void)state;
	clean_learn(&memory, key, word, start);
	for (int i = 0; i < 1000; i++) {
		clean_begin(&word);
		assert_false(clean_known(&memory, key, word, start));
		clean_end(&word);
		assert_false(clean_known(&memory, key, word, start));
	}
	assert_true(clean_known(&memory, key, WORD, start));
}

static void another_key_takes_the_entry(void **state)
{
	const uint64_t key = key_of(SEED, "usr"), other = key ^ 0x100, elsewhere = key ^ (uint64_t)1 << 40;

	(void)state;
	assert_int_equal(slot_of(key), slot_of(other));
	assert_int_not_equal(slot_of(key), slot_of(elsewhere));
	clean_learn(&memory, key, WORD, start);
	assert_false(clean_known(&memory, other, WORD, start));
	clean_learn(&memory, elsewhere, WORD, start);
	assert_true(clean_known(&memory, key, WORD, start));
	clean_learn(&memory, other, WORD, start);
	assert_false(clean_known(&memory, key, WORD, start));
	assert_true(clean_known(&memory, other, WORD, start));
	assert_true(clean_known(&memory, elsewhere, WORD, start));
}

/* Two threads write one entry at once: each half can be the other one's. */
static void torn_entries_are_unknown(void **state)
{
	const struct { uint64_t key, word, when; } a = {key_of(SEED, "usr"), WORD, start}, others[] = {
		{a.key ^ 0x100, WORD, start + 1},                /* another name */
		{a.key, WORD + CLEAN_BUSY + 1, start + 1},       /* the same name after a change */
		{a.key, WORD, start + 1},                        /* the same one, later */
		{a.key ^ CLEAN_LEAVES, WORD, start + 1},         /* something else of the same name */
	};

	(void)state;
	for (size_t i = 0; i < ROWS(others); i++) {
		struct clean_entry *e = &memory.entry[slot_of(a.key)], first;

		assert_int_equal(slot_of(a.key), slot_of(others[i].key));
		clean_learn(&memory, a.key, a.word, a.when);
		first = *e;
		clean_learn(&memory, others[i].key, others[i].word, others[i].when);
		for (int half = 0; half < 2; half++) {
			struct clean_entry second = *e, torn = second;

			if (half)
				torn.check = first.check;
			else
				torn.when = first.when;
			*e = torn;
			assert_false(clean_known(&memory, a.key, a.word, start + 2));
			assert_false(clean_known(&memory, others[i].key, others[i].word, start + 2));
			*e = second;
		}
		assert_true(clean_known(&memory, others[i].key, others[i].word, start + 2));
	}
}

static void asked_is_true_the_second_time(void **state)
{
	const uint64_t key = key_of(SEED, "usr/lib");

	(void)state;
	assert_false(clean_asked(&memory, key, WORD, start));
	assert_false(clean_known(&memory, key, WORD, start));
	assert_true(clean_asked(&memory, key, WORD, start));
	assert_true(clean_asked(&memory, key, WORD, start + clean_span() - 1));
	assert_false(clean_asked(&memory, key, WORD, start + clean_span()));
	assert_false(clean_asked(&memory, key, WORD + CLEAN_BUSY + 1, start + clean_span()));
	clean_learn(&memory, key, WORD, start);
	assert_false(clean_asked(&memory, key, WORD, start));
}

static void other_things_of_a_name_are_apart(void **state)
{
	const uint64_t key = key_of(SEED, "usr/lib");

	(void)state;
	clean_learn(&memory, key ^ CLEAN_LEAVES, WORD, start);
	assert_false(clean_known(&memory, key, WORD, start));
	assert_false(clean_known(&memory, key ^ CLEAN_ASKED, WORD, start));
	assert_int_equal(slot_of(key), slot_of(key ^ CLEAN_ASKED));
	assert_int_equal(slot_of(key), slot_of(key ^ CLEAN_LEAVES));
}

static void span_is_at_most_ten_milliseconds(void **state)
{
	uint64_t fastest = (uint64_t)800 * 1000; /* ticks in a millisecond at 0.8 GHz, the slowest clock in clean.h */

	(void)state;
#if defined(__aarch64__)
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(fastest));
	fastest /= 1000;
#endif
	assert_true(clean_span() > 0);
	assert_true(clean_span() <= CLEAN_MS * fastest);
	assert_true(clean_now() <= clean_now());
}

/* -- trails ---------------------------------------------------------------------------------- */

static const struct trail_row { const char *why, *path; unsigned n; unsigned short end[4]; } trail_rows[] = {
	{"an empty path has no components", "",            0, {0}         },
	{"slashes alone are none",          "///",         0, {0}         },
	{"one component",                   "usr",         1, {3}         },
	{"three components",                "usr/lib/x",   3, {3, 7, 9}   },
	{"repeated slashes between",        "usr///lib//x", 3, {3, 9, 12} },
	{"slashes at the end",              "usr/lib//",   2, {3, 7}      },
	{"slashes at the start",            "//usr/lib",   2, {5, 9}      },
	{"dots are names like others",      "./..",        2, {1, 4}      },
};

static void splits(void **state)
{
	const struct trail_row *row = *state;
	struct clean_trail t;

	clean_trail(&t, SEED, row->path);
	assert_int_equal(t.n, row->n);
	for (unsigned i = 0; i < t.n; i++)
		assert_int_equal(t.end[i], row->end[i]);
}

static void slashes_make_no_other_key(void **state)
{
	static const char *const same[] = {"usr/lib/x", "usr//lib/x", "/usr/lib///x", "usr/lib/x/", "///usr///lib///x///"};

	(void)state;
	for (size_t i = 1; i < ROWS(same); i++)
		assert_true(key_of(SEED, same[i]) == key_of(SEED, same[0]));
}

static void depth_is_limited(void **state)
{
	char path[2 * CLEAN_DEPTH + 8] = "";
	struct clean_trail t;

	(void)state;
	for (unsigned i = 1; i <= CLEAN_DEPTH; i++) {
		strcat(path, "a/");
		clean_trail(&t, SEED, path);
		assert_int_equal(t.n, i);
		assert_int_equal(t.end[i - 1], 2 * i - 1);
	}
	strcat(path, "/a");
	clean_trail(&t, SEED, path);
	assert_int_equal(t.n, 0);
}

/* What is learned of a directory serves for all below it. */
static void prefixes_have_the_shorter_paths_keys(void **state)
{
	const char *path = "usr/share/a-long-name-of-a-directory/12345678/x/0123456789abcdef/y";
	struct clean_trail whole, part;
	char text[100];

	(void)state;
	clean_trail(&whole, SEED, path);
	assert_int_equal(whole.n, 7);
	for (unsigned i = 0; i < whole.n; i++) {
		snprintf(text, sizeof text, "%.*s", (int)whole.end[i], path);
		clean_trail(&part, SEED, text);
		assert_int_equal(part.n, i + 1);
		assert_memory_equal(part.key, whole.key, part.n * sizeof *part.key);
		assert_memory_equal(part.end, whole.end, part.n * sizeof *part.end);
	}
}

static const struct pair { const char *why, *a, *b; } pairs[] = {
	{"components end elsewhere",              "ab/c",               "a/bc"             },
	{"components end elsewhere, 8 bytes",     "abcdefgh/i",         "abcdefg/hi"       },
	{"one component or two",                  "abcdefgh/ijk",       "abcdefghijk"      },
	{"the order counts",                      "a/b",                "b/a"              },
	{"the order of eight bytes counts",       "aaaaaaaabbbbbbbb",   "bbbbbbbbaaaaaaaa" },
	{"a name twice",                          "a",                  "a/a"              },
	{"a name and one that goes on",           "abcdefgh",           "abcdefghi"        },
	{"letters of either case",                "usr",                "Usr"              },
	{"the last byte of eight",                "abcdefgh",           "abcdefgx"         },
	{"the last byte of nine",                 "abcdefghi",          "abcdefghx"        },
	{"bytes above 127",                       "\x80",               "\xff"             },
	{"backwards",                             "abcdefg",            "gfedcba"          },
	{"the first directory, before a factor",  "a/" FACTOR,          "b/" FACTOR        },
	{"the first directory, before two",       "a/" FACTOR FACTOR,   "b/" FACTOR FACTOR },
	{"a name that begins with a factor",      "a/" FACTOR "x",      "b/" FACTOR "x"    },
	{"the bytes before a factor",             "12345678" FACTOR,    "abcdefgh" FACTOR  },
	{"what follows a factor",                 FACTOR "/a",          FACTOR "/b"        },
	{"a directory two above a factor",        "a/c/" FACTOR "/d",   "b/c/" FACTOR "/d" },
};

static void differs(void **state)
{
	const struct pair *p = *state;

	for (uint64_t seed = 0; seed < 1000; seed++)
		assert_true(key_of(seed, p->a) != key_of(seed, p->b));
}

static void longest_names_and_paths(void **state)
{
	static char path[4096], other[4096];
	struct clean_trail t, u;

	(void)state;
	memset(path, 'x', 4095); /* one component: longer than any file's, and still not the end of us */
	clean_trail(&t, SEED, path);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.end[0], 4095);
	for (size_t i = 255; i < 4095; i += 256) /* 15 names of 255 bytes and one of 255 */
		path[i] = '/';
	clean_trail(&t, SEED, path);
	assert_int_equal(t.n, 16);
	for (unsigned i = 0; i < t.n; i++)
		assert_int_equal(t.end[i], 256 * i + 255);
	for (size_t i = 0; i < 4095; i++) { /* each byte counts, from its component on */
		if (path[i] == '/')
			continue;
		memcpy(other, path, sizeof path);
		other[i] = 'y';
		clean_trail(&u, SEED, other);
		assert_int_equal(u.n, 16);
		for (unsigned c = 0; c < 16; c++)
			assert_int_equal(u.key[c] == t.key[c], c < i / 256);
	}
	memset(path, '/', 4094);
	path[4094] = 'x';
	clean_trail(&t, SEED, path);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.end[0], 4095);
	assert_true(t.key[0] == key_of(SEED, "x"));
}

/* -- a million --------------------------------------------------------------------------------- */

static int order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void all_differ(uint64_t *key)
{
	qsort(key, NAMES, sizeof *key, order);
	for (size_t i = 1; i < NAMES; i++)
		assert_true(key[i - 1] != key[i]);
	free(key);
}

/* Each has its number in it, in hexadecimal, so that no two are the same. */
static void a_million_names(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	uint64_t *key = malloc(NAMES * sizeof *key);
	char name[64];

	(void)state;
	assert_non_null(key);
	for (unsigned i = 0; i < NAMES; i++) {
		unsigned long bits = dice();
		size_t n = 0, want = bits % 30;

		for (bits >>= 5; n < want; n++, bits = bits >> 6 ? bits >> 6 : dice())
			name[n] = n && bits % 13 == 0 ? '/' : letters[bits % 64];
		snprintf(name + n, sizeof name - n, ".%x", i);
		key[i] = key_of(SEED, name);
	}
	all_differ(key);
}

static void a_million_names_with_little_between(void **state)
{
	uint64_t *key = malloc(NAMES * sizeof *key);
	char name[64];

	(void)state;
	assert_non_null(key);
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof name, i % 2 ? "file%u" : "d%u/f", i / 2);
		key[i] = key_of(SEED, name);
	}
	all_differ(key);
}

static void a_million_seeds(void **state)
{
	uint64_t *key = malloc(NAMES * sizeof *key);

	(void)state;
	assert_non_null(key);
	for (unsigned i = 0; i < NAMES; i++)
		key[i] = clean_seed(i % 1000, (unsigned)(i / 1000 - 200)); /* AT_FDCWD is among them */
	all_differ(key);
	assert_true(clean_seed(1, 2) != clean_seed(2, 1));
	assert_true(clean_seed(1, 2) == clean_seed(1, 2));
}

/* The constants of mix() are numbers like others. */
static void seeds_of_the_factors(void **state)
{
	static const uint64_t number[] = {0, 1, 0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u, 0x2545f4914f6cdd1du, UINT64_MAX};
	uint64_t seed[ROWS(number) * ROWS(number)];

	(void)state;
	for (size_t i = 0; i < ROWS(seed); i++) {
		seed[i] = clean_seed(number[i / ROWS(number)], number[i % ROWS(number)]);
		for (size_t j = 0; j < i; j++)
			assert_true(seed[i] != seed[j]);
	}
}

static void seeds_make_other_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(pairs); i++)
		for (uint64_t seed = 0; seed < 1000; seed++)
			assert_true(key_of(clean_seed(seed, 1), pairs[i].a) != key_of(clean_seed(seed, 2), pairs[i].a));
}

/* -- words ------------------------------------------------------------------------------------- */

static void words_count_changes(void **state)
{
	uint64_t word = 0;

	(void)state;
	assert_true(clean_quiet(clean_read(&word)));
	clean_begin(&word);
	assert_false(clean_quiet(clean_read(&word)));
	clean_begin(&word); /* another one */
	clean_end(&word);
	assert_false(clean_quiet(clean_read(&word)));
	clean_end(&word);
	assert_true(clean_quiet(clean_read(&word)));
	assert_true(clean_read(&word) == 2 * ((uint64_t)CLEAN_BUSY + 1));
}

static void many_may_change_at_once(void **state)
{
	uint64_t word = 0, quiet[3];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CLEAN_BUSY; i++) {
			clean_begin(&word);
			assert_false(clean_quiet(word));
		}
		for (int i = 0; i < CLEAN_BUSY; i++) {
			assert_false(clean_quiet(word));
			clean_end(&word);
		}
		assert_true(clean_quiet(word));
		quiet[round] = word;
		for (int i = 0; i < round; i++)
			assert_true(quiet[i] != word);
	}
}

int main(void)
{
	enum { TRAILS = ROWS(trail_rows), PAIRS = ROWS(pairs) };
	const struct CMUnitTest alone[] = {
		cmocka_unit_test_setup(nothing_is_known_at_first, fresh),
		cmocka_unit_test_setup(known_until_the_span_ends, fresh),
		cmocka_unit_test_setup(another_word_forgets, fresh),
		cmocka_unit_test_setup(another_key_takes_the_entry, fresh),
		cmocka_unit_test_setup(torn_entries_are_unknown, fresh),
		cmocka_unit_test_setup(asked_is_true_the_second_time, fresh),
		cmocka_unit_test_setup(other_things_of_a_name_are_apart, fresh),
		cmocka_unit_test(span_is_at_most_ten_milliseconds),
		cmocka_unit_test(slashes_make_no_other_key),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(prefixes_have_the_shorter_paths_keys),
		cmocka_unit_test(longest_names_and_paths),
		cmocka_unit_test(a_million_names),
		cmocka_unit_test(a_million_names_with_little_between),
		cmocka_unit_test(a_million_seeds),
		cmocka_unit_test(seeds_of_the_factors),
		cmocka_unit_test(seeds_make_other_keys),
		cmocka_unit_test(words_count_changes),
		cmocka_unit_test(many_may_change_at_once),
	};
	struct CMUnitTest t[ROWS(alone) + TRAILS + PAIRS];
	size_t n = 0;

	for (size_t i = 0; i < ROWS(alone); i++)
		t[n++] = alone[i];
	for (size_t i = 0; i < TRAILS; i++)
		t[n++] = (struct CMUnitTest){trail_rows[i].why, splits, NULL, NULL, (void *)&trail_rows[i]};
	for (size_t i = 0; i < PAIRS; i++)
		t[n++] = (struct CMUnitTest){pairs[i].why, differs, NULL, NULL, (void *)&pairs[i]};
	return _cmocka_run_group_tests("clean", t, n, NULL, NULL);
}
