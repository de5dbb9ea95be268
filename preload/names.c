/* SPDX-License-Identifier: ISC
 *
 * How a passwd(5), group(5) or shadow(5) line is read.  Each rule here was measured against
 * glibc's `files` backend (2.31, 2.36, 2.41) in a chroot; musl reads the same files the same way,
 * but for white space and comments.  The index keeps where a line is and what it is found by; the
 * line is read again, into the caller's buffer, when somebody asks for it, so that a large table
 * costs its text and 36 bytes a line. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include "names.h"

/* A line's fields: strings as offsets into the line, then numbers. */
struct record {
	struct {
		uint32_t at, len;
	} text[5];
	unsigned long number[7];
	uint32_t list;   /* offset of the members */
	bool bare;       /* "+" or "-name" alone: nss_compat's "all the rest", no fields */
};

struct scan {
	const char *start, *at, *end;
};

static bool is_space(char c) /* isspace(3) in the C locale */
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_compat(char c)
{
	return c == '+' || c == '-';
}

static void scan_text(struct scan *s, struct record *ret, unsigned i)
{
	ret->text[i].at = (uint32_t)(s->at - s->start);
	while (s->at < s->end && *s->at != ':')
		s->at++;
	ret->text[i].len = (uint32_t)(s->at - s->start) - ret->text[i].at;
	if (s->at < s->end)
		s->at++;
}

/* strtoul(3) in base ten, on text without a NUL; at stays where there is no number */
static unsigned long scan_strtoul(struct scan *s)
{
	const char *p = s->at;
	bool minus = false, over = false, any = false;
	unsigned long v = 0;

	while (p < s->end && is_space(*p))
		p++;
	if (p < s->end && is_compat(*p))
		minus = *p++ == '-';
	for (; p < s->end && *p >= '0' && *p <= '9'; p++) {
		any = true;
		over |= __builtin_mul_overflow(v, 10UL, &v);
		over |= __builtin_add_overflow(v, (unsigned long)(*p - '0'), &v);
	}
	if (any)
		s->at = p;
	return over ? -1UL : minus ? -v : v;
}

enum { MUST, MAY }; /* must a number be there, or may the field be empty? */

/* The number up to the next colon.  What is not a number to its end, or does not fit 32 bits
 * ("-1" as well), spoils the line. */
static bool scan_number(
	struct scan *s, struct record *ret, unsigned i, int need, unsigned long absent)
{
	const char *was = s->at;
	unsigned long v;

	if (need == MAY && s->at == s->end)
		return false;
	v = scan_strtoul(s);
	if (s->at == was) {
		if (need == MUST)
			return false;
		v = absent;
	} else if (v > UINT32_MAX) {
		return false;
	}
	ret->number[i] = v;
	if (s->at == s->end)
		return true;
	return *s->at++ == ':';
}

static bool scan_shadow(struct scan *s, struct record *ret)
{
	scan_text(s, ret, 1);
	for (unsigned i = 0; i < 3; i++)
		if (!scan_number(s, ret, i, MAY, -1UL))
			return false;
	while (s->at < s->end && is_space(*s->at))
		s->at++;
	for (unsigned i = 3; i < 7; i++)
		ret->number[i] = -1UL;
	if (s->at == s->end) /* the old form of five fields */
		return true;
	for (unsigned i = 3; i < 6; i++)
		if (!scan_number(s, ret, i, MAY, -1UL))
			return false;
	if (s->at == s->end)
		return true;
	/* the last field may not end in a colon */
	return scan_number(s, ret, 6, MAY, -1UL) && s->at[-1] != ':';
}

static bool scan_line(enum names_kind kind, const char *line, uint32_t len, struct record *ret)
{
	struct scan s = {line, line, line + len};
	int need = len && is_compat(*line) ? MAY : MUST;

	memset(ret, 0, sizeof *ret);
	scan_text(&s, ret, 0);
	if (s.at == s.end && need == MAY) {
		ret->bare = true;
		ret->list = len;
		for (unsigned i = 3; i < 7; i++) /* where shadow(5) has "not set" */
			ret->number[i] = -1UL;
		return true;
	}
	if (kind == NAMES_SHADOW)
		return scan_shadow(&s, ret);
	scan_text(&s, ret, 1);
	if (!scan_number(&s, ret, 0, need, 0))
		return false;
	if (kind == NAMES_PASSWD) {
		if (!scan_number(&s, ret, 1, need, 0))
			return false;
		scan_text(&s, ret, 2);
		scan_text(&s, ret, 3);
		ret->text[4].at = (uint32_t)(s.at - line); /* the shell may contain colons */
		ret->text[4].len = (uint32_t)(s.end - s.at);
	}
	ret->list = (uint32_t)(s.at - line);
	return true;
}

/* The next of a group's members, from *at on: they are separated by commas, white space goes with
 * the name that it follows, and an empty one is none.  NULL: no more. */
static const char *member(const char **at, const char *end, size_t *len)
{
	const char *name;

	while (*at < end) {
		if (**at == ',') {
			++*at;
			continue;
		}
		while (*at < end && is_space(**at))
			++*at;
		name = *at;
		while (*at < end && **at != ',')
			++*at;
		*len = (size_t)(*at - name);
		if (*len)
			return name;
	}
	return NULL;
}

/* What the reader needs for this line alone: the line with its newline, a NUL, and a byte by
 * which it knows that the line was whole; for a group then an aligned vector of its members, a
 * NULL, and room for one more than it stores.  buf: where, as far as its alignment goes. */
static size_t line_room(enum names_kind kind, const struct names_line *line, uintptr_t buf)
{
	size_t plain = (size_t)line->raw + 2, list;

	if (plain < 3)
		plain = 3;
	if (kind != NAMES_GROUP)
		return plain;
	list = ((buf + line->eol + 7) & ~(uintptr_t)7) - buf +
	       ((size_t)line->members + 2) * sizeof(char *);
	return list > plain ? list : plain;
}

static uint32_t hash_id(uint32_t id)
{
	id *= 0x9e3779b1u; /* 2^32 / golden ratio: neighbours spread */
	return id ^ id >> 15;
}

static uint32_t hash_name(const char *name, size_t n)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return h ^ h >> 15;
}

static bool same_name(
	const struct names *t, const struct names_line *line, const char *name, size_t n)
{
	return line->name_len == n && memcmp(t->text + line->at, name, n) == 0;
}

/* The slot that holds name (or id, where name is NULL), or the free one where it belongs. */
static uint32_t *slot_of(const struct names *t, const char *name, size_t n, uint32_t id)
{
	uint32_t *table = name ? t->by_name : t->by_id;
	uint32_t i = (name ? hash_name(name, n) : hash_id(id)) & t->mask;

	for (; table[i]; i = (i + 1) & t->mask) {
		const struct names_line *line = &t->line[table[i] - 1];

		if (name ? same_name(t, line, name, n) : line->id == id)
			break;
	}
	return &table[i];
}

static uint32_t count_lines(const char *text, size_t n)
{
	uint32_t lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static uint32_t table_slots(uint32_t lines) /* a power of two, at most half of them taken */
{
	uint32_t slots = 8;

	while (slots < 2 * lines)
		slots *= 2;
	return slots;
}

size_t names_size(const char *text, size_t n)
{
	size_t lines = count_lines(text, n);

	return lines * sizeof(struct names_line) +
	       2 * (size_t)table_slots((uint32_t)lines) * sizeof(uint32_t);
}

/* Where the line at `at` ends (behind its newline); *line gets its extent.  A line with a NUL
 * ends there for all but the reader's buffer. */
static size_t line_extent(const char *text, size_t n, size_t at, struct names_line *line)
{
	size_t next = at, nul;

	while (next < n && text[next++] != '\n')
		;
	for (nul = at; nul < next && text[nul]; nul++)
		;
	line->raw = (uint32_t)(next - at);
	line->eol = (uint32_t)(nul - at) + 1;
	while (at < nul && is_space(text[at]))
		at++;
	if (nul > at && text[nul - 1] == '\n')
		nul--;
	line->at = (uint32_t)at;
	line->len = (uint32_t)(nul - at);
	return next;
}

/* Reads the line at *line as an entry. */
static bool line_read(const struct names *t, struct names_line *line)
{
	const char *text = t->text + line->at, *at;
	struct record r;
	size_t len;

	/* Comments: nobody finds them, yet initgroups(3) of glibc and musl alike counts the
	 * members of a group line that somebody turned into one. */
	if (line->len == 0 || (*text == '#' && t->kind != NAMES_GROUP))
		return false;
	if (!scan_line(t->kind, text, line->len, &r))
		return false;
	line->name_len = r.text[0].len;
	line->id = (uint32_t)r.number[0];
	line->flags = *text == '#'      ? 0 :
		      is_compat(*text) ? NAMES_LISTED :
					 NAMES_LISTED | NAMES_KEYED;
	line->members = 0;
	if (t->kind == NAMES_GROUP)
		for (at = text + r.list; member(&at, text + line->len, &len);)
			line->members++;
	return true;
}

void names_build(struct names *ret, enum names_kind kind, const char *text, size_t n, void *memory)
{
	uint32_t lines = count_lines(text, n), slots = table_slots(lines);
	struct names t = {.kind = kind, .text = text, .line = memory, .mask = slots - 1, .room = 3};

	t.by_name = (uint32_t *)(t.line + lines);
	t.by_id = t.by_name + slots;
	for (size_t at = 0; at < n;) {
		struct names_line line;
		size_t room;
		uint32_t *slot;
		bool entry;

		at = line_extent(text, n, at, &line);
		entry = line_read(&t, &line);
		line.before = t.room;
		room = entry && line.flags ? line_room(kind, &line, 0) : (size_t)line.raw + 2;
		if (room > t.room)
			t.room = (uint32_t)room;
		if (!entry)
			continue;
		t.line[t.lines++] = line;
		if (!(line.flags & NAMES_KEYED))
			continue;
		slot = slot_of(&t, text + line.at, line.name_len, 0);
		if (!*slot) /* the first one of a name wins */
			*slot = t.lines;
		slot = slot_of(&t, NULL, 0, line.id);
		if (!*slot)
			*slot = t.lines;
	}
	*ret = t;
}

const struct names_line *names_by_name(const struct names *t, const char *name)
{
	uint32_t i = *slot_of(t, name, strlen(name), 0);

	return i ? &t->line[i - 1] : NULL;
}

const struct names_line *names_by_id(const struct names *t, uint32_t id)
{
	uint32_t i = *slot_of(t, NULL, 0, id);

	return i ? &t->line[i - 1] : NULL;
}

const struct names_line *names_next(const struct names *t, uint32_t *at)
{
	for (; *at < t->lines; ++*at)
		if (t->line[*at].flags & NAMES_LISTED)
			return &t->line[*at];
	return NULL;
}

static void fill_passwd(struct passwd *ret, const struct record *r, char *const text[5])
{
	ret->pw_name = text[0];
	ret->pw_passwd = text[1];
	ret->pw_uid = (uid_t)r->number[0];
	ret->pw_gid = (gid_t)r->number[1];
	ret->pw_gecos = text[2];
	ret->pw_dir = text[3];
	ret->pw_shell = text[4];
}

static void fill_shadow(struct spwd *ret, const struct record *r, char *const text[5])
{
	ret->sp_namp = text[0];
	ret->sp_pwdp = text[1];
	ret->sp_lstchg = (int)r->number[0]; /* 32 bits with a sign: 4294967295 is -1 */
	ret->sp_min = (int)r->number[1];
	ret->sp_max = (int)r->number[2];
	ret->sp_warn = (int)r->number[3];
	ret->sp_inact = (int)r->number[4];
	ret->sp_expire = (int)r->number[5];
	ret->sp_flag = r->number[6];
}

static void fill_group(struct group *ret, const struct record *r, char *const text[5], char *buf,
	const struct names_line *line)
{
	const char *at = buf + r->list, *name;
	char **list = (char **)(((uintptr_t)buf + line->eol + 7) & ~(uintptr_t)7);
	size_t len;

	ret->gr_name = text[0];
	ret->gr_passwd = text[1];
	ret->gr_gid = (gid_t)r->number[0];
	ret->gr_mem = list;
	while ((name = member(&at, buf + line->len, &len))) {
		*list++ = buf + (name - buf);
		buf[name - buf + (ptrdiff_t)len] = '\0';
		if (at < buf + line->len)
			at++; /* the comma that has become the NUL */
	}
	*list = NULL;
}

int names_fill(const struct names *t, const struct names_line *line, void *ret, char *buf, size_t n)
{
	struct record r;
	char *text[5] = {NULL};

	if (n < line_room(t->kind, line, (uintptr_t)buf))
		return -ERANGE;
	memcpy(buf, t->text + line->at, line->len);
	buf[line->len] = '\0';
	if (!scan_line(t->kind, buf, line->len, &r))
		return -EINVAL; /* cannot be: the index has lines that were read once */
	for (unsigned i = 0; i < (r.bare ? 1 : ROWS(text)); i++)
		text[i] = buf + r.text[i].at;
	if (t->kind == NAMES_GROUP)
		fill_group(ret, &r, text, buf, line);
	else if (t->kind == NAMES_PASSWD)
		fill_passwd(ret, &r, text);
	else
		fill_shadow(ret, &r, text);
	/* Last: the colons become the strings' ends.  A kind that has fewer strings ends its
	 * name once more. */
	for (unsigned i = 0; i < ROWS(text); i++)
		if (text[i] && (i == 0 || r.text[i].at))
			text[i][r.text[i].len] = '\0';
	return 0;
}

int names_find(const struct names *t, const char *name, uint32_t id, void *ret, char *buf, size_t n)
{
	const struct names_line *line = name ? names_by_name(t, name) : names_by_id(t, id);
	int r;

	/* glibc reads line by line into the caller's buffer: a long line on the way to the entry
	 * is ERANGE too, and so is one anywhere when there is no such entry. */
	if (n < (line ? line->before : t->room))
		return -ERANGE;
	if (!line)
		return 0;
	r = names_fill(t, line, ret, buf, n);
	return r < 0 ? r : 1;
}

size_t names_groups(const struct names *t, const char *user, gid_t gid, gid_t *out, size_t n)
{
	size_t found = 0, want = strlen(user), len;
	const char *at, *end, *name;
	struct record r;

	for (const struct names_line *line = t->line; line < t->line + t->lines; line++) {
		if (!line->members || line->id == gid)
			continue;
		end = t->text + line->at + line->len;
		if (!scan_line(t->kind, t->text + line->at, line->len, &r))
			continue;
		at = t->text + line->at + r.list;
		while ((name = member(&at, end, &len))) {
			if (len != want || memcmp(name, user, len) != 0)
				continue;
			if (found < n)
				out[found] = line->id;
			found++;
			break;
		}
	}
	return found;
}

/* What a person would have to mend. */
static const char *wrong(enum names_kind kind, const char *text, uint32_t len)
{
	static const unsigned least[NAMES_KINDS] = {4, 3, 5};
	unsigned fields = 1;

	for (uint32_t i = 0; i < len; i++)
		fields += text[i] == ':';
	if (fields < least[kind])
		return "too few fields";
	return kind == NAMES_PASSWD ? "its uid or gid is not a number from 0 to 4294967295"
	       : kind == NAMES_GROUP ? "its gid is not a number from 0 to 4294967295"
				     : "one of its dates is not a number";
}

const char *names_wrong(enum names_kind kind, const char *text, size_t n, size_t *at, uint32_t *line)
{
	struct names t = {.kind = kind, .text = text};

	while (*at < n) {
		struct names_line l;
		const size_t next = line_extent(text, n, *at, &l);

		*at = next;
		++*line;
		if (l.eol - 1 < l.raw - (text[next - 1] == '\n'))
			return "it has a NUL byte, and is read up to there";
		if (l.len && text[l.at] != '#' && !is_compat(text[l.at]) && !line_read(&t, &l))
			return wrong(kind, text + l.at, l.len);
	}
	return NULL;
}
