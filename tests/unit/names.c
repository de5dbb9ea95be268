/* SPDX-License-Identifier: ISC
 *
 * links: names.o
 *
 * What a passwd, group, shadow or gshadow line means, row by row.  Every answer here is what glibc 2.36 and
 * 2.41 gave for the same file in a chroot. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <shadow.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../../preload/names.h"

struct row {
	const char *why;
	enum names_kind kind;
	const char *text, *name; /* name NULL: by id */
	uint32_t id;
	const char *want;        /* the entry, its fields between bars; NULL: not found */
};

#define P NAMES_PASSWD
#define G NAMES_GROUP
#define S NAMES_SHADOW
#define Q NAMES_GSHADOW
#define NONE NULL

static const struct row rows[] = {
	{"passwd by name",                   P, "a:x:1:2:g:/d:/s\n",           "a",   0,  "a|x|1|2|g|/d|/s"},
	{"passwd by id",                     P, "a:x:1:2:g:/d:/s\n",           NULL,  1,  "a|x|1|2|g|/d|/s"},
	{"no such name",                     P, "a:x:1:2:g:/d:/s\n",           "b",   0,  NONE},
	{"no such id",                       P, "a:x:1:2:g:/d:/s\n",           NULL,  2,  NONE},
	{"empty file",                       P, "",                            "a",   0,  NONE},
	{"no newline at the end",            P, "a:x:1:2:g:/d:/s",             "a",   0,  "a|x|1|2|g|/d|/s"},
	{"empty fields",                     P, "a::1:2:::\n",                 "a",   0,  "a||1|2|||"},
	{"gid is the last field",            P, "a:x:1:2\n",                   "a",   0,  "a|x|1|2|||"},
	{"no gid",                           P, "a:x:1\n",                     "a",   0,  NONE},
	{"empty gid",                        P, "a:x:1::g:/:/\n",              "a",   0,  NONE},
	{"name alone",                       P, "a\n",                         "a",   0,  NONE},
	{"empty name",                       P, ":x:1:2:g:/:/\n",              "",    0,  "|x|1|2|g|/|/"},
	{"shell with colons",                P, "a:x:1:2:g:/:s:t:u\n",         "a",   0,  "a|x|1|2|g|/|s:t:u"},
	{"shell with a carriage return",     P, "a:x:1:2:g:/:s\r\n",           "a",   0,  "a|x|1|2|g|/|s\r"},
	{"first of a name",                  P, "a:x:1:1:::\na:x:2:2:::\n",    "a",   0,  "a|x|1|1|||"},
	{"second of a name, by id",          P, "a:x:1:1:::\na:x:2:2:::\n",    NULL,  2,  "a|x|2|2|||"},
	{"first of an id",                   P, "a:x:1:1:::\nb:x:1:2:::\n",    NULL,  1,  "a|x|1|1|||"},
	{"comment",                          P, "#a:x:1:1:::\n",               "#a",  0,  NONE},
	{"comment after white space",        P, " \t#a:x:1:1:::\n",            NULL,  1,  NONE},
	{"blank lines",                      P, "\n  \n\t\na:x:1:1:::\n",      "a",   0,  "a|x|1|1|||"},
	{"white space in front",             P, " \ta:x:1:1:::\n",             "a",   0,  "a|x|1|1|||"},
	{"white space inside",               P, "a b:x:1:1:::\n",              "a b", 0,  "a b|x|1|1|||"},
	{"+ is no entry",                    P, "+\na:x:1:1:::\n",             "+",   0,  NONE},
	{"+name is no entry",                P, "+a:x:1:1:::\n",               NULL,  1,  NONE},
	{"-name is no entry",                P, "-a:x:1:1:::\n",               "-a",  0,  NONE},
	{"a line after +",                   P, "+::::::\na:x:1:1:::\n",       "a",   0,  "a|x|1|1|||"},
	{"largest id",                       P, "a:x:4294967295:1:::\n",       NULL,  -1u, "a|x|4294967295|1|||"},
	{"id of 33 bits",                    P, "a:x:4294967296:1:::\n",       "a",   0,  NONE},
	{"id of 70 bits",                    P, "a:x:1180591620717411303425:1:::\n", "a", 0, NONE},
	{"negative id",                      P, "a:x:-1:1:::\n",               "a",   0,  NONE},
	{"id with a plus",                   P, "a:x:+5:1:::\n",               NULL,  5,  "a|x|5|1|||"},
	{"id after white space",             P, "a:x: \t5:1:::\n",             NULL,  5,  "a|x|5|1|||"},
	{"id before white space",            P, "a:x:5 :1:::\n",               "a",   0,  NONE},
	{"decimal with leading zeroes",      P, "a:x:0012:1:::\n",             "a",   0,  "a|x|12|1|||"},
	{"hexadecimal",                      P, "a:x:0x5:1:::\n",              "a",   0,  NONE},
	{"sign alone",                       P, "a:x:+:1:::\n",                "a",   0,  NONE},
	{"a name with a colon",              P, "a:x:1:1:::\n",                "a:x", 0,  NONE},
	{"a name's beginning",               P, "abc:x:1:1:::\n",              "ab",  0,  NONE},
	{"group",                            G, "g:x:7:a,b\n",                 "g",   0,  "g|x|7|<a><b>"},
	{"group by id, no newline",          G, "g:x:7:a,b",                   NULL,  7,  "g|x|7|<a><b>"},
	{"no members",                       G, "g:x:7:\n",                    "g",   0,  "g|x|7|"},
	{"no members field",                 G, "g:x:7\n",                     "g",   0,  "g|x|7|"},
	{"no gid field",                     G, "g:x\n",                       "g",   0,  NONE},
	{"empty members are none",           G, "g:x:7:,a,,b,\n",              "g",   0,  "g|x|7|<a><b>"},
	{"white space before a member",      G, "g:x:7: a, b ,\tc\n",          "g",   0,  "g|x|7|<a><b ><c>"},
	{"a colon in a member",              G, "g:x:7:a:b,c\n",               "g",   0,  "g|x|7|<a:b><c>"},
	{"group comment",                    G, "#g:x:7:a\n",                  "#g",  0,  NONE},
	{"+ in group",                       G, "+\n+:::\ng:x:7:\n",           "g",   0,  "g|x|7|"},
	{"shadow",                           S, "a:p:1:2:3:4:5:6:7\n",         "a",   0,  "a|p|1|2|3|4|5|6|7"},
	{"shadow, all empty",                S, "a:!:::::::\n",                "a",   0,  "a|!|-1|-1|-1|-1|-1|-1|18446744073709551615"},
	{"shadow, old form",                 S, "a:p:1:2:3\n",                 "a",   0,  "a|p|1|2|3|-1|-1|-1|18446744073709551615"},
	{"shadow, old form, blanks",         S, "a:p:1:2:3:  \n",              "a",   0,  "a|p|1|2|3|-1|-1|-1|18446744073709551615"},
	{"shadow, short",                    S, "a:p:1\n",                     "a",   0,  NONE},
	{"shadow, too long",                 S, "a:p:1:2:3:4:5:6:7:8\n",       "a",   0,  NONE},
	{"shadow, colon at the end",         S, "a:p:1:2:3:4:5:6:7:\n",        "a",   0,  NONE},
	{"shadow, a blank at the end",       S, "a:p:4294967295:::::: \n",     "a",   0,  NONE},
	{"gshadow",                          Q, "a:!:x,y:m,n\n",               "a",   0,  "a|!|<x><y>|<m><n>"},
	{"gshadow, no members",              Q, "a:!:x:\n",                    "a",   0,  "a|!|<x>|"},
	{"gshadow, no administrators field", Q, "a:!\n",                       "a",   0,  "a|!||"},
	{"gshadow, name alone",              Q, "a\n",                         "a",   0,  "a|||"},
	{"gshadow, more fields",             Q, "a:p: x, y ,z: m ,n:more:f",   "a",   0,  "a|p|<x><y ><z>|<m ><n:more:f>"},
	{"gshadow, empty members",           Q, "a:p:,,:, ,,\n",               "a",   0,  "a|p||"},
	{"gshadow, +name is no entry",       Q, "+a:p:x:m\n",                  "+a",  0,  NONE},
	{"gshadow, comment",                 Q, "#a:p:x:m\n",                  "#a",  0,  NONE},
	{"gshadow, first of a name",         Q, "a:1:x:\na:2:y:\n",            "a",   0,  "a|1|<x>|"},
	{"shadow, largest day",              S, "a:p:4294967294::::::\n",      "a",   0,  "a|p|-2|-1|-1|-1|-1|-1|18446744073709551615"},
};

static void *memory; /* of the last table */

static void build(struct names *t, enum names_kind kind, const char *text, size_t n)
{
	uint32_t lines;
	const size_t room = names_size(text, n, &lines);

	free(memory);
	memory = calloc(1, room);
	assert_non_null(memory);
	names_build(t, kind, text, n, lines, memory);
}

union entry {
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	struct names_sgrp sg;
};

static const char *shown(const char *s)
{
	return s ? s : "(null)";
}

static void show(enum names_kind kind, const union entry *e, char *out, size_t n)
{
	if (kind == P)
		snprintf(out, n, "%s|%s|%u|%u|%s|%s|%s", e->pw.pw_name, shown(e->pw.pw_passwd),
			e->pw.pw_uid, e->pw.pw_gid, shown(e->pw.pw_gecos), shown(e->pw.pw_dir),
			shown(e->pw.pw_shell));
	else if (kind == S)
		snprintf(out, n, "%s|%s|%ld|%ld|%ld|%ld|%ld|%ld|%lu", e->sp.sp_namp,
			shown(e->sp.sp_pwdp), e->sp.sp_lstchg, e->sp.sp_min, e->sp.sp_max,
			e->sp.sp_warn, e->sp.sp_inact, e->sp.sp_expire, e->sp.sp_flag);
	else if (kind == Q) {
		int at = snprintf(out, n, "%s|%s|", e->sg.sg_namp, shown(e->sg.sg_passwd));

		for (char **m = e->sg.sg_adm; m && *m; m++)
			at += snprintf(out + at, n - (size_t)at, "<%s>", *m);
		at += snprintf(out + at, n - (size_t)at, "|");
		for (char **m = e->sg.sg_mem; *m; m++)
			at += snprintf(out + at, n - (size_t)at, "<%s>", *m);
	} else {
		int at = snprintf(out, n, "%s|%s|%u|", e->gr.gr_name, shown(e->gr.gr_passwd),
			e->gr.gr_gid);

		for (char **m = e->gr.gr_mem; *m; m++)
			at += snprintf(out + at, n - (size_t)at, "<%s>", *m);
	}
}

static void finds(void **state)
{
	const struct row *row = *state;
	char buf[512], got[512];
	union entry e;
	struct names t;

	build(&t, row->kind, row->text, strlen(row->text));
	if (names_find(&t, row->name, row->id, &e, buf, sizeof buf)) {
		show(row->kind, &e, got, sizeof got);
		assert_non_null(row->want);
		assert_string_equal(got, row->want);
	} else {
		assert_null(row->want);
	}
}

/* The smallest buffer that is not ERANGE. */
static const struct room {
	const char *why;
	enum names_kind kind;
	const char *text, *name;
	size_t off, want;
} rooms[] = {
	{"room: the line, a NUL, one byte",       P, "root:x:0:0:root:/root:/bin/bash\n",  "root", 0, 34},
	{"room: no newline",                      P, "last:x:29:29:last:/:/bin/last",      "last", 0, 31},
	{"room: a long comment on the way",       P, "# comment comment\na:x:1:1:::\n",    "a",    0, 20},
	{"room: a longer line behind",            P, "a:x:1:1:::\n# comment comment\n",    "a",    0, 13},
	{"room: not found is the longest line",   P, "a:x:1:1:::\n# comment comment\n",    "b",    0, 20},
	{"room: not found in an empty file",      P, "",                                   "b",    0, 3 },
	{"room: group's vector is aligned",       G, "root:x:0:\n",                        "root", 0, 32},
	{"room: group, buffer at 5",              G, "root:x:0:\n",                        "root", 5, 27},
	{"room: group, buffer at 6",              G, "root:x:0:\n",                        "root", 6, 34},
	{"room: group with members",              G, "last:x:29:al,bob",                   "last", 0, 56},
	{"room: gshadow",                         Q, "a:!:adm1,adm2:m1,m2\n",              "a",    0, 80},
	{"room: gshadow, buffer at 3",            Q, "a:!:adm1,adm2:m1,m2\n",              "a",    3, 77},
	{"room: gshadow, buffer at 4",            Q, "a:!:adm1,adm2:m1,m2\n",              "a",    4, 84},
	{"room: gshadow, name alone",             Q, "h\n",                                "h",    0, 32},
	{"room: gshadow, a longer entry in front", Q, "a:!:adm1,adm2:m1,m2\nb:*::\n",      "b",    0, 80},
	{"room: that one, buffer at 1",           Q, "a:!:adm1,adm2:m1,m2\nb:*::\n",      "b",    1, 79},
	{"room: that one, buffer at 4",           Q, "a:!:adm1,adm2:m1,m2\nb:*::\n",      "b",    4, 84},
	{"room: that one, not found",             Q, "a:!:adm1,adm2:m1,m2\nb:*::\n",      "c",    4, 84},
	{"room: group, a longer one in front",    G, "last:x:29:al,bob\nroot:x:0:\n",      "root", 7, 57},
	{"room: gshadow, a comma at the end",     Q, "o:!:  ,  :  ,\n",                    "o",    0, 40},
	{"room: gshadow, a NIS line in front",    Q, "+\nb\n",                             "b",    0, 32},
	{"room: white space counts",              G, "   spc:x:15:al\n",                   "spc",  0, 40},
};

static void needs(void **state)
{
	const struct room *row = *state;
	char buf[128] __attribute__((aligned(16)));
	union entry e;
	struct names t;
	size_t n = 0;

	build(&t, row->kind, row->text, strlen(row->text));
	while (names_find(&t, row->name, 0, &e, buf + row->off, n) == -ERANGE)
		n++;
	assert_int_equal(n, row->want);
}

static void nul_in_a_line(void **state)
{
	static const char text[] = "a:x:1:1:g\0h:/:/\nb:x:2:2:::\n";
	char buf[128], got[128];
	union entry e;
	struct names t;

	(void)state;
	build(&t, P, text, sizeof text - 1);
	assert_int_equal(names_find(&t, "a", 0, &e, buf, sizeof buf), 1);
	show(P, &e, got, sizeof got);
	assert_string_equal(got, "a|x|1|1|g||");
	assert_int_equal(names_find(&t, NULL, 2, &e, buf, sizeof buf), 1);
}

static void lists_in_file_order(void **state)
{
	static const char text[] = "b:x:2:2:::\n#c\nbad\n+nis\n-n:x::3:::\na:x:1:1:::\nb:x:2:2:::\n";
	static const char *const want[] = {"b|x|2|2|||", "+nis|(null)|0|0|(null)|(null)|(null)",
		"-n|x|0|3|||", "a|x|1|1|||", "b|x|2|2|||"};
	const struct names_line *line;
	char buf[128], got[128];
	union entry e;
	struct names t;
	uint32_t at = 0;
	size_t i = 0;

	(void)state;
	build(&t, P, text, sizeof text - 1);
	for (; (line = names_next(&t, &at)); at++, i++) {
		assert_true(i < ROWS(want));
		assert_int_equal(names_fill(&t, line, &e, buf, sizeof buf), 0);
		show(P, &e, got, sizeof got);
		assert_string_equal(got, want[i]);
	}
	assert_int_equal(i, ROWS(want));
}

static void groups_of_a_user(void **state)
{
	static const char text[] = "a:x:1:bob,al\n#c:x:2:bob\nd:x:3:bob,bob\ne:x:4:bo,bobby, bob\n"
				   "f:x:1:bob\nbad:x:y:bob\ng:x:5:al";
	gid_t got[8] = {0};
	struct names t;

	(void)state;
	build(&t, G, text, sizeof text - 1);
	/* a comment counts and a gid may come twice: measured, glibc and musl */
	assert_int_equal(names_groups(&t, "bob", 9, got, 8), 5);
	assert_memory_equal(got, ((gid_t[]){1, 2, 3, 4, 1}), 5 * sizeof *got);
	assert_int_equal(names_groups(&t, "bob", 1, got, 8), 3);
	assert_memory_equal(got, ((gid_t[]){2, 3, 4}), 3 * sizeof *got);
	got[1] = 77;
	assert_int_equal(names_groups(&t, "bob", 9, got, 1), 5);
	assert_int_equal(got[1], 77);
	assert_int_equal(names_groups(&t, "nobody", 9, got, 8), 0);
	assert_int_equal(names_groups(&t, "", 9, NULL, 0), 0);
}

/* A million users; each tenth has the name of the one before, and each seventh its uid. */
static void large_table(void **state)
{
	enum { N = 1000000 };
	char *text = malloc(N * 48), *at = text, name[24], buf[128];
	struct names t;
	union entry e;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < N; i++)
		at += sprintf(at, "user%u:x:%u:%u::/:/\n", i - (i % 10 == 9), (i - (i % 7 == 6)) * 3, i);
	build(&t, P, text, (size_t)(at - text));
	assert_int_equal(t.lines, N);
	for (unsigned i = 0; i < N; i += 1 + i % 3) {
		const unsigned first = i - (i % 10 == 9), of_id = i - (i % 7 == 6);

		sprintf(name, "user%u", first);
		if (names_find(&t, name, 0, &e, buf, sizeof buf) != 1 || e.pw.pw_gid != first)
			fail_msg("%s", name);
		if (names_find(&t, NULL, of_id * 3, &e, buf, sizeof buf) != 1 || e.pw.pw_gid != of_id)
			fail_msg("uid %u", of_id * 3);
		sprintf(name, "user%u", i * 10 + 9);
		if (names_find(&t, name, 0, &e, buf, sizeof buf) != 0)
			fail_msg("%s is there", name);
		if (names_find(&t, NULL, i * 3 + 1, &e, buf, sizeof buf) != 0)
			fail_msg("uid %u is there", i * 3 + 1);
	}
	free(text);
}

/* Groups of a hundred thousand members, of none, and of one, in turn. */
static void large_groups(void **state)
{
	enum { GROUPS = 30, MEMBERS = 100000, ROOM = 16 * MEMBERS };
	char *text = malloc(GROUPS * (size_t)ROOM), *at = text, *buf = malloc(ROOM), name[24];
	gid_t got[GROUPS];
	struct group gr;
	struct names t;

	(void)state;
	assert_non_null(text);
	assert_non_null(buf);
	for (unsigned g = 0; g < GROUPS; g++) {
		at += sprintf(at, "g%u:x:%u:%s", g, 1000 + g, g % 3 == 2 ? "u7" : "");
		for (unsigned m = 0; g % 3 == 0 && m < MEMBERS; m++)
			at += sprintf(at, "%su%u", m ? "," : "", m + g);
		*at++ = '\n';
	}
	build(&t, G, text, (size_t)(at - text));
	for (unsigned g = 0; g < GROUPS; g++) {
		char **m;

		assert_int_equal(names_find(&t, NULL, 1000 + g, &gr, buf, ROOM), 1);
		assert_int_equal(gr.gr_gid, 1000 + g);
		for (m = gr.gr_mem; *m; m++) {
			sprintf(name, "u%u", g % 3 == 2 ? 7 : (unsigned)(m - gr.gr_mem) + g);
			if (strcmp(*m, name) != 0)
				fail_msg("member %s of g%u is %s", name, g, *m);
		}
		assert_int_equal(m - gr.gr_mem, g % 3 == 0 ? MEMBERS : g % 3 == 2);
	}
	assert_int_equal(names_find(&t, NULL, 999, &gr, buf, ROOM), 0);
	assert_int_equal(names_find(&t, NULL, 1001, &gr, buf, ROOM / 8), -ERANGE);
	assert_int_equal(names_groups(&t, "u7", 0, got, GROUPS), 3 + GROUPS / 3);
	assert_int_equal(names_groups(&t, "u99999", 1000, got, GROUPS), GROUPS / 3 - 1);
	assert_int_equal(got[0], 1003);
	free(buf);
	free(text);
}

int main(void)
{
	struct CMUnitTest t[ROWS(rows) + ROWS(rooms) + 5];
	size_t n = 0;

	for (size_t i = 0; i < ROWS(rows); i++)
		t[n++] = (struct CMUnitTest){rows[i].why, finds, NULL, NULL, (void *)&rows[i]};
	for (size_t i = 0; i < ROWS(rooms); i++)
		t[n++] = (struct CMUnitTest){rooms[i].why, needs, NULL, NULL, (void *)&rooms[i]};
	t[n++] = (struct CMUnitTest){"a NUL in a line", nul_in_a_line, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"all lines, in file order", lists_in_file_order, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"groups of a user", groups_of_a_user, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"a million users", large_table, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"groups of a hundred thousand", large_groups, NULL, NULL, NULL};
	return _cmocka_run_group_tests("names", t, n, NULL, NULL);
}
