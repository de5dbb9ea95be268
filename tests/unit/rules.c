/* SPDX-License-Identifier: ISC
 *
 * Rows for the rules file: what it may say, what is wrong with what it says and in which line, and what
 * the rules decide.
 *
 * links: rules.o mem.o sys/newer.o sys/lock.o sys/wiped.o
 */
#include "../../preload/config.h"
#include "../../preload/rules.h"
#include "../../preload/unwind.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <errno.h>
#include <cmocka.h>

/* The caller is libmine.so, behind a frame of a runtime library. */
size_t unwind_stack(frame *out, size_t n)
{
	assert_true(n >= 3);
	for (uint64_t i = 0; i < 3; i++)
		out[i] = (i + 1) << 48;
	return 3;
}

const struct module *module_at(unsigned m)
{
	static const struct module modules[] = {{0}, {.kind = MODULE_SELF, .path = "/libjail.so"},
		{.kind = MODULE_RUNTIME, .path = "/lib/libc.so.6"},
		{.kind = MODULE_PROGRAM, .path = "/opt/libmine.so"}};

	return &modules[m];
}

void config_say(const char *const *parts)
{
	(void)parts;
}

static const struct parse_row {
	const char *why, *text;
	unsigned line; /* 0: it is right */
	size_t rules;
} parses[] = {
	{"nothing",                      "",                                               0, 0},
	{"comments and blank lines",     "# a\n\n   # b\n\t\n",                            0, 0},
	{"one rule",                     "leave open",                                     0, 1},
	{"all there is",                 "force open,pipe program=a* # why\nleave all module=libx.so\nleave dup target=/bin/x\n", 0, 3},
	{"CRLF",                         "leave open\r\nforce all\r\n",                    0, 2},
	{"an unknown word",              "leave open\nallow pipe\n",                       2, 0},
	{"no classes",                   "leave\n",                                        1, 0},
	{"an unknown class",             "\n\nleave open,fifo\n",                          3, 0},
	{"an empty class",               "leave open,,pipe\n",                             1, 0},
	{"an unknown key",               "leave open user=x\n",                            1, 0},
	{"a key without a value",        "leave open program=\n",                          1, 0},
	{"a key given twice",            "leave open program=a program=b\n",               1, 0},
	{"blanks around",                "  leave \t open,pipe   program=a\t",            0, 1},
	{"a comment behind the classes", "leave all # everything",                         0, 1},
	{"a # within a pattern",         "leave all program=a#b",                          0, 1},
	{"a class with a blank behind",  "leave open, pipe\n",                             1, 0},
	{"the last line has no newline", "leave open\nleave",                              2, 0},
	{"a word in capitals",           "Leave open\n",                                   1, 0},
	{"a class twice",                "leave open,open\n",                              0, 1},
	{"module and target",            "leave open module=a target=b\n",                 1, 0},
};

static void parse_test(void **state)
{
	static struct rules rules;
	const struct parse_row *row = *state;
	const char *what = NULL;
	unsigned line = 0;
	int r = rules_parse(row->text, strlen(row->text), &rules, &line, &what);

	assert_int_equal(r, row->line ? -EINVAL : 0);
	if (row->line) {
		assert_int_equal(line, row->line);
		assert_non_null(what);
	} else {
		assert_int_equal(rules.n, row->rules);
	}
}

static void odd_bytes_test(void **state)
{
	static struct rules rules;
	static char text[2000];
	const char *what;
	unsigned line;

	(void)state;
	memcpy(text, "leave all\n", 10);
	assert_int_equal(rules_parse(text, 12, &rules, &line, &what), -EINVAL);
	assert_int_equal(line, 2);
	assert_string_equal(what, "a NUL byte");
	memset(text, '#', sizeof text);
	text[1024] = '\n';
	assert_int_equal(rules_parse(text, 1025, &rules, &line, &what), 0);
	text[1024] = '#';
	assert_int_equal(rules_parse(text, sizeof text, &rules, &line, &what), -EINVAL);
	assert_string_equal(what, "longer than 1024 bytes");
}

static void many_test(void **state)
{
	static struct rules rules;
	static char text[(RULES_MAX + 1) * 10 + 1];
	const char *what;
	unsigned line;

	(void)state;
	for (size_t i = 0; i <= RULES_MAX; i++)
		memcpy(text + i * 10, "leave all\n", 11);
	assert_int_equal(rules_parse(text, RULES_MAX * 10, &rules, &line, &what), 0);
	assert_int_equal(rules.n, RULES_MAX);
	assert_int_equal(rules_parse(text, sizeof text - 1, &rules, &line, &what), -EINVAL);
	assert_int_equal(line, RULES_MAX + 1);
	assert_string_equal(what, "more than 256 rules");
}

static const char rules_text[] = "leave pipe program=make*\n"
				 "force pipe\n"
				 "leave open,socket program=sh?\n"
				 "leave event,memory target=helper\n"
				 "leave dup target=/usr/bin/exact\n"
				 "leave pty module=libother.so\n"
				 "leave accept module=libmine*\n"
				 "leave event program=python3*\n"
				 "leave memory program=run.py\n"
				 "force stream program=setup target=x\n"
				 "leave pair target=/usr/lib/*\n";

static const struct verdict_row {
	const char *why;
	enum fd_class class;
	const char *program, *target;
	enum fd_verdict want;
	const char *file; /* NULL: as the program */
} verdicts[] = {
	{"the first rule that matches",    FD_PIPE,    "make-4", NULL,             FD_RULE      },
	{"the next one for another",       FD_PIPE,    "cc",     NULL,             FD_FORCE     },
	{"? is one character",             FD_SOCKET,  "shx",    NULL,             FD_RULE      },
	{"and no fewer",                   FD_SOCKET,  "sh",     NULL,             FD_RULES_NONE},
	{"no rule for the class",          FD_EVENT,   "make",   NULL,             FD_RULES_NONE},
	{"a target, by its base name",     FD_EVENT,   "x",      "/opt/helper",    FD_RULE      },
	{"a target, by its path",          FD_DUP,     "x",      "/usr/bin/exact", FD_RULE      },
	{"the same name elsewhere",        FD_DUP,     "x",      "/opt/exact",     FD_RULES_NONE},
	{"at exec other rules are silent", FD_PIPE,    "make",   "/bin/sh",        FD_RULES_NONE},
	{"the calling module",             FD_ACCEPT,  "x",      NULL,             FD_RULE      },
	{"another module",                 FD_PTY,     "x",      NULL,             FD_RULES_NONE},
	{"a target never has the module",  FD_ACCEPT,  "x",      "/libmine.so",    FD_RULES_NONE},
	{"the calling module counts once", FD_RECV,    "x",      NULL,             FD_RULES_NONE},
	{"a script, by its interpreter",   FD_EVENT,   "run.py", NULL,             FD_RULE,      "python3.11"},
	{"a script, by its own name",      FD_MEMORY,  "run.py", NULL,             FD_RULE,      "python3.11"},
	{"a target, for one program",      FD_STREAM,  "setup",  "/bin/x",         FD_FORCE     },
	{"a target, for another program",  FD_STREAM,  "x",      "/bin/x",         FD_RULES_NONE},
	{"a path with a pattern",          FD_PAIR,    "x",      "/usr/lib/a/b",   FD_RULE      },
};

static void verdict_test(void **state)
{
	static struct rules rules;
	const struct verdict_row *row = *state;
	const char *what;
	unsigned line;

	assert_int_equal(rules_parse(rules_text, sizeof rules_text - 1, &rules, &line, &what), 0);
	assert_int_equal(rules_verdict(&rules, row->class, row->program,
				 row->file ? row->file : row->program, row->target), row->want);
	assert_int_equal(rules_ask_module(&rules, row->class), row->class == FD_PTY || row->class == FD_ACCEPT);
}

static void match_test(void **state)
{
	(void)state;
	assert_true(rules_match("*", "") && rules_match("a*c", "abbc") && rules_match("*.so*", "x.so.1"));
	assert_true(rules_match("*ab", "aab") && rules_match("a**", "a"));
	assert_false(rules_match("", "a") || rules_match("a?", "a") || rules_match("a*b", "abc"));
}

int main(void)
{
	struct CMUnitTest t[ROWS(parses) + ROWS(verdicts) + 3];
	size_t n = 0;

	for (size_t i = 0; i < ROWS(parses); i++)
		t[n++] = (struct CMUnitTest){parses[i].why, parse_test, NULL, NULL, (void *)&parses[i]};
	for (size_t i = 0; i < ROWS(verdicts); i++)
		t[n++] = (struct CMUnitTest){verdicts[i].why, verdict_test, NULL, NULL, (void *)&verdicts[i]};
	t[n++] = (struct CMUnitTest){"NUL bytes and long lines", odd_bytes_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"as many rules as there may be", many_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"patterns", match_test, NULL, NULL, NULL};
	return _cmocka_run_group_tests("rules", t, n, NULL, NULL);
}
