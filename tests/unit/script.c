/* SPDX-License-Identifier: ISC
 *
 * Interpreters that are none: their variables are there, and lead into memory full of rubbish, of
 * pointers in circles, and of pages that cannot be read, or into a Python of two frames that is right
 * at first and then hurt.  script_line may say what it likes, but not crash, hang or write beyond its answer.  What it says of real ones is in tests/program/script.sh.
 *
 * links: place.o path/page.o mem.o sys/peek.o sys/lock.o sys/wiped.o sys/newer.o */
#include "../../preload/wrap.h"
static real_fn *fake(const char *name);
#define real_global fake
#include "../../preload/script.c"
#undef real_global
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

enum { WORDS = 2048, ROUNDS = 5000 };

static uint64_t *arena; /* and behind it a page that is not there */
static unsigned long hex;
static uint64_t told[81];
static unsigned char perl_version;
static int number = 7;
static char *variables[10];
static uint64_t seed = 1;
static const struct { uint64_t head[3]; const char *name; } type = {{0}, "code"};

static uint64_t dice(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Every fourth word can be the start of an object, whose type comes next. */
static uintptr_t anywhere(void)
{
	return (uintptr_t)&arena[dice() % WORDS & (dice() % 4 ? ~(size_t)3 : ~(size_t)0)];
}

static uintptr_t thread; /* where that of Python is, or 0: anywhere */

static uintptr_t thread_state(void)
{
	return thread ? thread : anywhere();
}

static uintptr_t specific(unsigned key)
{
	(void)key;
	return anywhere();
}

const struct module *module_at(unsigned m)
{
	static const struct module none = {.path = ""};

	(void)m;
	return &none;
}

static real_fn *fake(const char *name)
{
	static uint64_t *globals;
	const struct { const char *name; void *what; } has[] = {
		{"Py_Version", hex ? &hex : NULL},
		{"Py_Is", &number},
		{"_PyRuntime", told},
		{"PyGILState_GetThisThreadState", (void *)(uintptr_t)thread_state},
		{"pthread_getspecific", (void *)(uintptr_t)specific},
		{"PL_version", &perl_version},
		{"PL_thr_key", &number},
		{"line_number", &number},
		{"dollar_vars", variables},
		{"global_variables", &globals},
	};

	globals = arena + dice() % WORDS;
	for (size_t i = 0; i < ROWS(has); i++)
		if (strcmp(has[i].name, name) == 0)
			return (real_fn *)(uintptr_t)has[i].what;
	return NULL;
}

real_fn *real_find(const char *name)
{
	return fake(name);
}

static void rubbish(void)
{
	for (size_t i = 0; i < WORDS; i++)
		switch (dice() % 3 == 0 ? dice() % 7 : i % 4 == 0 ? 2 + dice() % 4 : i % 4 == 1 ? 7 : i % 4 == 2 ? 1 : 4) {
		case 0:
			arena[i] = dice();
			break;
		case 1:
			arena[i] = dice() % 600;
			break;
		case 2: /* a short ASCII string's state, for one */
			memcpy(&arena[i], dice() % 4 ? "\x64\0\0\0\0\0\0" : "\x2c\x64\x64\x64\0\0\0", 8);
			break;
		case 6:
			memcpy(&arena[i], dice() & 1 ? "(eval 1" : "<frozen ", 8);
			break;
		case 5: /* not far: an instruction in the code */
			arena[i] = (uintptr_t)&arena[i] + (dice() % 512 & ~(uint64_t)1);
			break;
		case 7:
			arena[i] = (uintptr_t)&type;
			break;
		case 3: /* the end of what can be read */
			arena[i] = (uintptr_t)&arena[WORDS] - dice() % 64;
			break;
		default:
			arena[i] = anywhere();
		}
	variables[0] = (char *)anywhere();
	for (size_t i = 3; i < ROWS(told); i++)
		told[i] = dice() % 50 ? dice() % 128 & ~7u : dice();
}

static void word_set(uintptr_t at, size_t offset, uint64_t value)
{
	memcpy((void *)(at + offset), &value, sizeof value);
}

static void text_set(uintptr_t at, const struct python *p, const char *text)
{
	word_set(at, p->text_length, strlen(text));
	word_set(at, p->text_state, 1 << 2 | 32 | 64);
	strcpy((char *)at + p->text_ascii, text);
}

/* A Python as it should be, in line 42 of user.py, which has called line 41 of a library. */
static void healthy(unsigned version)
{
	static const unsigned char words[2][16] = { /* of _Py_DebugOffsets, in the order of struct python */
		{23, 29, 30, 31, 33, 35, 38, 39, 43, 45, 47, 65, 66, 68, 69, 70},
		{26, 32, 33, 34, 36, 40, 43, 44, 48, 51, 53, 75, 76, 78, 79, 80}};
	static const char table[3][8] = {{4, 1, 4, 1, 4, 1}, {4, 0, 4, 1, 4, 1}, "\xd1\x01\xd9\x01\xd9\x01"};
	struct python p = pythons[3];
	const unsigned *offsets = &p.frame_previous;

	for (size_t i = 0; i < ROWS(pythons); i++)
		if (pythons[i].version == version)
			p = pythons[i];
	memset(arena, 0, WORDS * sizeof *arena);
	memset(told, 0, sizeof told);
	memcpy(told, "xdebugpy", 8);
	told[1] = hex;
	if (version >= 0x030d) {
		p.cframe_frame = NO_CFRAME;
		told[words[version == 0x030e][0]] = p.thread_frame;
		for (size_t i = 1; i < 16; i++)
			told[words[version == 0x030e][i]] = offsets[i - 1];
	}
	thread = (uintptr_t)&arena[0];
	word_set(thread, p.thread_frame, (uintptr_t)&arena[p.cframe_frame == NO_CFRAME ? 40 : 20]);
	word_set((uintptr_t)&arena[20], p.cframe_frame == NO_CFRAME ? 0 : p.cframe_frame, (uintptr_t)&arena[40]);
	for (size_t i = 0; i < 2; i++) {
		const uintptr_t frame = (uintptr_t)&arena[40 + 20 * i], code = (uintptr_t)&arena[100 + 60 * i],
				name = (uintptr_t)&arena[300 + 30 * i], lines = (uintptr_t)&arena[400],
				bytes = (uintptr_t)&arena[420];

		word_set(frame, p.frame_previous, i ? 0 : (uintptr_t)&arena[60]);
		word_set(frame, p.frame_code, code);
		word_set(code, p.object_type, (uintptr_t)&type);
		word_set(code, p.code_file, name);
		word_set(code, p.code_table, lines);
		memcpy((char *)code + p.code_first, &(int){40}, sizeof(int));
		word_set(lines, p.bytes_size, 6);
		memcpy((char *)lines + p.bytes_data, table[version == 0x0309 ? 0 : version == 0x030a ? 1 : 2], 8);
		if (version >= 0x030b) {
			word_set(code, p.bytes_size, 6);
			word_set(frame, p.frame_instr, code + p.code_start + 4 + 4 * i);
		} else {
			word_set(code, p.code_start, bytes);
			word_set(bytes, p.bytes_size, 12);
			memcpy((char *)frame + p.frame_instr,
				&(int){(int)(version == 0x0309 ? 4 + 4 * i : 2 + 2 * i)}, sizeof(int));
		}
		text_set(name, &p, i ? "user.py" : "/usr/lib/python3.99/socket.py");
	}
}

static void hurt(void)
{
	for (unsigned n = 1 + dice() % 3; n; n--) {
		const size_t i = dice() % 440;
		uint64_t *at = dice() % 16 ? &arena[i] : &told[3 + i % 78];

		switch (dice() % 4) {
		case 0:
			*at = dice();
			break;
		case 1:
			*at = (uintptr_t)&arena[WORDS] - dice() % 64;
			break;
		case 2:
			*at += dice() % 3 - 1;
			break;
		default:
			*at = anywhere();
		}
	}
}

static const struct row {
	const char *why;
	enum module_kind kind;
	unsigned version;
} rows[] = {
	{"Python 3.10 without a version", MODULE_PYTHON, 0},
	{"Python 3.9",                    MODULE_PYTHON, 0x0309},
	{"Python 3.10",                   MODULE_PYTHON, 0x030a},
	{"Python 3.11",                   MODULE_PYTHON, 0x030b},
	{"Python 3.12",                   MODULE_PYTHON, 0x030c},
	{"Python 3.13",                   MODULE_PYTHON, 0x030d},
	{"Python 3.14",                   MODULE_PYTHON, 0x030e},
	{"Python 3.15, not known",        MODULE_PYTHON, 0x030f},
	{"Perl 5.32",                     MODULE_PERL,   32    },
	{"Perl 5.36",                     MODULE_PERL,   36    },
	{"Perl 5.44, not known",          MODULE_PERL,   44    },
	{"bash",                          MODULE_BASH,   0     },
	{"a program",                     MODULE_PROGRAM, 0    },
};

static void survives(void **state)
{
	const struct row *r = *state;
	const unsigned python = r->kind != MODULE_PYTHON ? 0 : r->version ? r->version : 0x030a;
	unsigned said = 0;
	struct {
		struct script at;
		char after[64];
	} ret;

	hex = (unsigned long)r->version << 16;
	memcpy(told, "xdebugpy", 8);
	told[1] = hex;
	told[2] = 0;
	perl_version = (unsigned char)r->version;
	if (python && python < 0x030f) {
		healthy(python);
		assert_true(script_line(r->kind, 1, &ret.at));
		assert_string_equal(ret.at.file, "user.py");
		assert_int_equal(ret.at.line, 42);
	}
	for (int i = 0; i < ROUNDS; i++) {
		thread = 0;
		if (i % 2 == 0 && python) {
			healthy(python);
			hurt();
		} else if (i % 32 < 2 || python) {
			rubbish();
		}
		memset(&ret, 0x5a, sizeof ret);
		if (!script_line(r->kind, 1, &ret.at))
			continue;
		said++;
		assert_true(ret.at.line > 0);
		assert_true(strnlen(ret.at.file, sizeof ret.at.file) < sizeof ret.at.file);
		for (size_t k = 0; k < sizeof ret.after; k++)
			assert_int_equal(ret.after[k], 0x5a);
	}
	printf("# %s: %u answers\n", r->why, said);
	if (strstr(r->why, "not known") || r->kind == MODULE_PROGRAM)
		assert_int_equal(said, 0);
}

int main(void)
{
	struct CMUnitTest t[ROWS(rows)];
	const size_t size = WORDS * sizeof *arena;

	arena = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || mprotect((char *)arena + size, 4096, PROT_NONE) != 0)
		return 1;
	for (size_t i = 0; i < ROWS(rows); i++)
		t[i] = (struct CMUnitTest){rows[i].why, survives, NULL, NULL, (void *)(uintptr_t)&rows[i]};
	return _cmocka_run_group_tests("script_line", t, ROWS(rows), NULL, NULL);
}
