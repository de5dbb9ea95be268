/* SPDX-License-Identifier: ISC
 *
 * libFuzzer target for preload/names.c: whatever the text, its answers are those of a naive reader,
 * which goes from line to line with the C library's functions, as glibc's does.  The first byte of the
 * input chooses the kind of file, the second the alignment of the buffers. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../preload/names.h"

enum { WORK = 8192 }; /* entries looked up one by one, times lines that the naive reader goes through */

/* What the naive reader makes of a line. */
struct entry {
	char *line;                 /* its memory */
	char *text[5];              /* name, password, gecos, home, shell */
	unsigned long number[7];
	char **list[2];             /* members; administrators */
	size_t members[2];
	size_t raw, eol;
	bool nul, empty, nis, comment, read, keyed;
};

static struct entry *entries;
static size_t count;

#define CHECK(x) ((x) ? (void)0 : wrong_at(__LINE__, #x))

static void wrong_at(int line, const char *what)
{
	fprintf(stderr, "tests/fuzz/names.c:%d: not so: %s\n", line, what);
	abort();
}

static char *field(char **at)
{
	char *from = *at, *colon = strchr(from, ':');

	*at = colon ? colon + 1 : from + strlen(from);
	if (colon)
		*colon = '\0';
	return from;
}

static bool number(char **at, bool may, unsigned long absent, unsigned long *ret)
{
	char *end;

	if (may && !**at)
		return false;
	*ret = strtoul(*at, &end, 10);
	if (end == *at) {
		if (!may)
			return false;
		*ret = absent;
	} else if (*ret > UINT32_MAX) {
		return false;
	}
	*at = end;
	if (**at == '\0')
		return true;
	return *(*at)++ == ':';
}

static void members(struct entry *e, int which, char *at)
{
	size_t n = 0, len = strlen(at);
	char *copy = strdup(at), *save, *m;

	e->list[which] = calloc(len + 1, sizeof(char *));
	/* glibc skips white space first, so a comma after it ends an empty name */
	for (m = strtok_r(copy, ",", &save); m; m = strtok_r(NULL, ",", &save)) {
		while (isspace((unsigned char)*m))
			m++;
		if (*m)
			e->list[which][n++] = strdup(m);
	}
	e->members[which] = n;
	free(copy);
}

static bool parse(struct entry *e, enum names_kind kind, char *at)
{
	const bool may = *at == '+' || *at == '-';

	if (kind == NAMES_SHADOW)
		for (int i = 3; i < 7; i++)
			e->number[i] = -1UL;
	e->text[0] = field(&at);
	if (!*at && may)
		goto lists; /* alone */
	e->text[1] = field(&at);
	switch (kind) {
	case NAMES_SHADOW:
		for (int i = 0; i < 3; i++)
			if (!number(&at, true, -1UL, &e->number[i]))
				return false;
		while (isspace((unsigned char)*at))
			at++;
		if (!*at)
			return true;
		for (int i = 3; i < 6; i++)
			if (!number(&at, true, -1UL, &e->number[i]))
				return false;
		return !*at || (number(&at, true, -1UL, &e->number[6]) && at[-1] != ':');
	case NAMES_GSHADOW:
		members(e, 1, field(&at));
		break;
	case NAMES_GROUP:
		if (!number(&at, may, 0, &e->number[0]))
			return false;
		break;
	default:
		if (!number(&at, may, 0, &e->number[0]) || !number(&at, may, 0, &e->number[1]))
			return false;
		e->text[2] = field(&at);
		e->text[3] = field(&at);
		e->text[4] = at;
		return true;
	}
lists:
	if (kind == NAMES_GROUP || kind == NAMES_GSHADOW)
		members(e, 0, at);
	return true;
}

static void read_all(enum names_kind kind, const char *text, size_t n)
{
	count = 1;
	for (size_t i = 0; i < n; i++)
		count += text[i] == '\n';
	entries = calloc(count, sizeof *entries);
	count = 0;
	for (size_t at = 0, end; at < n; at = end) {
		struct entry *e = &entries[count++];
		char *p;

		for (end = at; end < n && text[end] != '\n';)
			end++;
		end += end < n;
		e->raw = end - at;
		e->line = calloc(1, e->raw + 1);
		memcpy(e->line, text + at, e->raw);
		e->eol = strlen(e->line) + 1;
		e->nul = strlen(e->line) < e->raw;
		p = strchr(e->line, '\n');
		if (p)
			*p = '\0';
		for (p = e->line; isspace((unsigned char)*p);)
			p++;
		e->empty = !*p;
		e->comment = *p == '#';
		e->nis = *p == '+' || *p == '-';
		/* initgroups(3) looks at a group's comments */
		e->read = !e->empty && (!e->comment || kind == NAMES_GROUP) && parse(e, kind, p);
		e->keyed = e->read && !e->nis && !e->comment;
	}
}

static void free_all(void)
{
	for (size_t i = 0; i < count; i++) {
		for (int k = 0; k < 2; k++) {
			for (size_t m = 0; m < entries[i].members[k]; m++)
				free(entries[i].list[k][m]);
			free(entries[i].list[k]);
		}
		free(entries[i].line);
	}
	free(entries);
}

/* -- rooms -------------------------------------------------------------------------------- */

static size_t room_of(enum names_kind kind, const struct entry *e, uintptr_t buf)
{
	size_t plain = e->raw + 2, list;

	if ((kind != NAMES_GROUP && kind != NAMES_GSHADOW) || !e->read || e->comment)
		return plain;
	list = ((buf + e->eol + 7) & ~(uintptr_t)7) - buf + 8 * (e->members[0] + 2);
	if (e->list[1])
		list += 8 * (e->members[1] + 1);
	return list > plain ? list : plain;
}

static size_t room_up_to(enum names_kind kind, size_t end, uintptr_t buf)
{
	size_t most = 3, room;

	for (size_t i = 0; i < end; i++) {
		room = room_of(kind, &entries[i], buf);
		if (room > most)
			most = room;
	}
	return most;
}

/* -- comparing ---------------------------------------------------------------------------- */

static const char *buf_at;
static size_t buf_n;

static void same(const char *got, const char *want)
{
	CHECK(!got == !want);
	if (!got)
		return;
	CHECK(got >= buf_at && got + strlen(got) < buf_at + buf_n);
	CHECK(strcmp(got, want) == 0);
}

static void same_list(char *const *got, const struct entry *e, int which)
{
	size_t i = 0;

	CHECK(!got == !e->list[which]);
	if (!got)
		return;
	CHECK(((uintptr_t)got & 7) == 0);
	for (; got[i]; i++) {
		CHECK((const char *)&got[i + 1] < buf_at + buf_n && i < e->members[which]);
		same(got[i], e->list[which][i]);
	}
	CHECK(i == e->members[which]);
}

union any {
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	struct names_sgrp sg;
};

static void compare(enum names_kind kind, const union any *got, const struct entry *e)
{
	switch (kind) {
	case NAMES_PASSWD:
		same(got->pw.pw_name, e->text[0]);
		same(got->pw.pw_passwd, e->text[1]);
		same(got->pw.pw_gecos, e->text[2]);
		same(got->pw.pw_dir, e->text[3]);
		same(got->pw.pw_shell, e->text[4]);
		CHECK(got->pw.pw_uid == (uint32_t)e->number[0] && got->pw.pw_gid == (uint32_t)e->number[1]);
		break;
	case NAMES_GROUP:
		same(got->gr.gr_name, e->text[0]);
		same(got->gr.gr_passwd, e->text[1]);
		CHECK(got->gr.gr_gid == (uint32_t)e->number[0]);
		same_list(got->gr.gr_mem, e, 0);
		break;
	case NAMES_SHADOW:
		same(got->sp.sp_namp, e->text[0]);
		same(got->sp.sp_pwdp, e->text[1]);
		CHECK(got->sp.sp_lstchg == (int)e->number[0] && got->sp.sp_min == (int)e->number[1] &&
			got->sp.sp_max == (int)e->number[2] && got->sp.sp_warn == (int)e->number[3] &&
			got->sp.sp_inact == (int)e->number[4] && got->sp.sp_expire == (int)e->number[5] &&
			got->sp.sp_flag == e->number[6]);
		break;
	default:
		same(got->sg.sg_namp, e->text[0]);
		same(got->sg.sg_passwd, e->text[1]);
		same_list(got->sg.sg_adm, e, 1);
		same_list(got->sg.sg_mem, e, 0);
	}
}

/* -- properties --------------------------------------------------------------------------- */

/* The first entry with this name or id; its number, or count. */
static size_t first_of(const char *name, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].keyed && (name ? strcmp(entries[i].text[0], name) == 0
					      : (uint32_t)entries[i].number[0] == id))
			return i;
	return count;
}

/* A lookup in the smallest buffer, and in those that are too small; off: from a multiple of 8. */
static void look_up(const struct names *t, const char *name, uint32_t id, size_t off)
{
	const size_t want = first_of(name, id);
	size_t need = room_up_to(t->kind, want, off);
	char *mem, *buf;
	union any got;

	if (want < count && room_of(t->kind, &entries[want], off) > need)
		need = room_of(t->kind, &entries[want], off);
	for (size_t n = need > 9 ? need - 9 : 0; n < need + 2; n += n + 1 == need ? 1 : 1 + n % 3) {
		mem = malloc(off + n + 1);
		buf = mem + off;
		buf[n] = 0x55;
		buf_at = buf;
		buf_n = n;
		const int r = names_find(t, name, id, &got, buf, n);
		CHECK(r == (n < need ? -ERANGE : want < count));
		if (r == 1)
			compare(t->kind, &got, &entries[want]);
		CHECK(buf[n] == 0x55);
		free(mem);
	}
}

static void in_order(const struct names *t)
{
	const size_t room = room_up_to(t->kind, count, 0) + 8;
	char *buf = malloc(room);
	uint32_t at = 0;
	size_t i = 0, skipped = 0;
	union any got;

	buf_at = buf;
	buf_n = room;
	for (;; at++) {
		const struct names_line *line = names_next(t, &at);

		for (skipped = 0; i < count && (!entries[i].read || entries[i].comment); i++)
			if (entries[i].raw + 2 > skipped)
				skipped = entries[i].raw + 2;
		CHECK(names_skipped(t, at) == skipped);
		CHECK(!line == (i == count));
		if (!line)
			break;
		CHECK(names_fill(t, line, &got, buf, room_of(t->kind, &entries[i], 0) - 1) == -ERANGE);
		CHECK(names_fill(t, line, &got, buf, room) == 0);
		compare(t->kind, &got, &entries[i++]);
	}
	free(buf);
}

static void groups_of(const struct names *t, const char *user, gid_t gid)
{
	gid_t got[8], want[8];
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &entries[i];
		size_t m = 0;

		while (e->read && m < e->members[0] && strcmp(e->list[0][m], user) != 0)
			m++;
		if (!e->read || m == e->members[0] || (gid_t)e->number[0] == gid)
			continue;
		if (n < 8)
			want[n] = (gid_t)e->number[0];
		n++;
	}
	CHECK(names_groups(t, user, gid, got, 8) == n);
	CHECK(memcmp(got, want, (n < 8 ? n : 8) * sizeof *got) == 0);
}

static void reports(enum names_kind kind, const char *text, size_t n)
{
	uint32_t line = 0;
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &entries[i];

		if (e->nul || (!e->empty && !e->comment && !e->nis && !e->read)) {
			CHECK(names_wrong(kind, text, n, &at, &line) != NULL);
			CHECK(line == i + 1);
		}
	}
	CHECK(names_wrong(kind, text, n, &at, &line) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const enum names_kind kind = size ? data[0] % NAMES_KINDS : NAMES_PASSWD;
	const size_t off = size > 1 ? data[1] % 8 : 0, n = size > 2 ? size - 2 : 0;
	char *text = malloc(n ? n : 1), *other;
	struct names t;
	uint32_t lines;
	size_t room, done = 0;
	void *memory;

	if (n)
		memcpy(text, data + 2, n);
	room = names_size(text, n, &lines);
	memory = calloc(1, room);
	names_build(&t, kind, text, n, lines, memory);
	read_all(kind, text, n);
	in_order(&t);
	reports(kind, text, n);
	for (size_t i = 0; i < count && done * (count + n / 64) < WORK; i++) {
		const struct entry *e = &entries[i];

		if (!e->read)
			continue;
		done++;
		look_up(&t, e->text[0], 0, off);
		other = calloc(1, strlen(e->text[0]) + 3);
		strcpy(other, e->text[0]);
		strcat(other, ":x");
		look_up(&t, other, 0, off);
		strcpy(other, e->text[0] + (*e->text[0] != '\0'));
		look_up(&t, other, 0, off);
		free(other);
		if (kind <= NAMES_GROUP) {
			look_up(&t, NULL, (uint32_t)e->number[0], off);
			look_up(&t, NULL, (uint32_t)e->number[0] + 1, 0);
		}
		if (kind == NAMES_GROUP)
			for (size_t m = 0; m < e->members[0] && m < 4; m++)
				groups_of(&t, e->list[0][m], m ? (gid_t)e->number[0] : (gid_t)-1);
	}
	look_up(&t, "nobody there", 0, off);
	if (kind <= NAMES_GROUP)
		look_up(&t, NULL, 0, off);
	free_all();
	free(memory);
	free(text);
	return 0;
}
