/* SPDX-License-Identifier: ISC
 *
 * Growing text, escaping for each place it may end up in, and a table of values by keys. */
#include "text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static void *enough(void *p)
{
	if (p)
		return p;
	fputs("jailreport: out of memory\n", stderr);
	exit(2);
}

void *memory(size_t n)
{
	return enough(calloc(1, n ? n : 1));
}

void *memory_more(void *at, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		return enough(NULL);
	return enough(realloc(at, n ? n : 1));
}

char *memory_text(const char *text)
{
	return enough(strdup(text));
}

static void text_room(struct text *t, size_t n)
{
	size_t room = t->room ? t->room : 64;

	if (n >= SIZE_MAX / 2 - t->n)
		enough(NULL);
	while (room < t->n + n + 1)
		room *= 2;
	if (room != t->room) {
		t->at = memory_more(t->at, room, 1);
		t->room = room;
	}
}

void text_put(struct text *t, const char *s, size_t n)
{
	text_room(t, n);
	memcpy(t->at + t->n, s, n);
	t->n += n;
	t->at[t->n] = 0;
}

void text_add(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

void text_fill(struct text *t, char c, size_t n)
{
	text_room(t, n);
	memset(t->at + t->n, c, n);
	t->n += n;
	t->at[t->n] = 0;
}

void text_format(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n <= 0)
		return;
	text_room(t, (size_t)n);
	va_start(args, format);
	vsnprintf(t->at + t->n, (size_t)n + 1, format, args);
	va_end(args);
	t->n += (size_t)n;
}

void text_free(struct text *t)
{
	free(t->at);
	*t = (struct text){0};
}

/* -- escaping -------------------------------------------------------------------------------- */

/* How long the UTF-8 character at s is, 0 when it is none; what it is. */
static size_t character(const unsigned char *s, unsigned *ret)
{
	static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;
	unsigned c = n < 2 ? s[0] : s[0] & (0x7fU >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) /* also the NUL at the end */
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n > 1 && (c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff))
		return 0;
	*ret = c;
	return n;
}

/* Would it do something to whoever shows it?  C0, C1, and Unicode's invisible and turning ones. */
static bool acts(unsigned c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       c == 0x61c || (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

void text_plain(struct text *t, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		unsigned c = 0;
		size_t n = character(p, &c);

		if (n && !acts(c)) {
			text_put(t, (const char *)p, n);
			p += n;
			continue;
		}
		for (n = n ? n : 1; n > 0; n--)
			text_format(t, "\\x%02x", *p++);
	}
}

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* p, so many characters further. */
static char *behind(char *p, size_t n)
{
	for (; n > 0; n--)
		do
			p++;
		while ((*p & 0xc0) == 0x80);
	return p;
}

void text_short(struct text *t, const char *s, size_t width, bool end)
{
	struct text plain = {0};
	size_t n, keep = width > 3 ? width - 3 : 0;
	char *p;

	text_plain(&plain, s);
	p = plain.at;
	if (!p)
		return;
	n = text_width(p);
	if (n <= width) {
		text_add(t, p);
	} else if (end) {
		text_add(t, "...");
		text_add(t, behind(p, n - keep));
	} else {
		text_put(t, p, (size_t)(behind(p, keep) - p));
		text_add(t, "...");
	}
	text_free(&plain);
}

void text_middle(struct text *t, const char *s, size_t width)
{
	struct text plain = {0};
	size_t n, head;

	text_plain(&plain, s);
	n = plain.at ? text_width(plain.at) : 0;
	if (n <= width || width < 8) {
		text_add(t, plain.at ? plain.at : "");
	} else {
		head = (width - 3) * 3 / 5;
		text_put(t, plain.at, (size_t)(behind(plain.at, head) - plain.at));
		text_add(t, "...");
		text_add(t, behind(plain.at, n - (width - 3 - head)));
	}
	text_free(&plain);
}

void text_html(struct text *t, const char *s)
{
	struct text plain = {0};

	text_plain(&plain, s);
	for (const char *p = plain.at; p && *p; p++)
		switch (*p) {
		case '&':
			text_add(t, "&amp;");
			break;
		case '<':
			text_add(t, "&lt;");
			break;
		case '>':
			text_add(t, "&gt;");
			break;
		case '"':
			text_add(t, "&quot;");
			break;
		case '\'':
			text_add(t, "&#39;");
			break;
		default:
			text_put(t, p, 1);
		}
	text_free(&plain);
}

void text_json(struct text *t, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	if (!s) {
		text_add(t, "null");
		return;
	}
	text_add(t, "\"");
	while (*p) {
		unsigned c = 0;
		size_t n = character(p, &c);

		if (n == 0)
			text_add(t, "\\ufffd");
		else if (c == '"' || c == '\\')
			text_format(t, "\\%c", (char)c);
		else if (acts(c) && c < 0x10000)
			text_format(t, "\\u%04x", c);
		else
			text_put(t, (const char *)p, n);
		p += n ? n : 1;
	}
	text_add(t, "\"");
}

void text_csv(struct text *t, const char *s)
{
	struct text plain = {0};

	text_plain(&plain, s);
	s = plain.at ? plain.at : "";
	if (*s && strchr("=+-@", *s)) { /* a spreadsheet would compute it */
		text_add(t, "\"'");
	} else if (strpbrk(s, ",\"; ")) {
		text_add(t, "\"");
	} else {
		text_add(t, s);
		text_free(&plain);
		return;
	}
	for (; *s; s++) {
		if (*s == '"')
			text_add(t, "\"");
		text_put(t, s, 1);
	}
	text_add(t, "\"");
	text_free(&plain);
}

/* RFC 3986: unreserved characters and the slash stay. */
void text_uri(struct text *t, const char *path)
{
	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9') || strchr("-._~/", *p))
			text_put(t, (const char *)p, 1);
		else
			text_format(t, "%%%02X", *p);
}

/* -- keys ------------------------------------------------------------------------------------ */

/* FNV-1a and a good stir. */
static uint64_t hash_from(uint64_t h, const void *key, size_t size)
{
	const unsigned char *p = key;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93;
	return h ^ h >> 32;
}

uint64_t text_hash(const void *key, size_t size)
{
	static uint64_t start;

	if (!start) {
		if (getrandom(&start, sizeof(start), GRND_NONBLOCK) != sizeof(start))
			start = (uint64_t)(uintptr_t)&start;
		start |= 1;
	}
	return hash_from(start, key, size);
}

uint64_t text_mark(const void *key, size_t size)
{
	return hash_from(0xcbf29ce484222325, key, size);
}

static struct entry *table_slot(const struct table *t, const void *key, size_t size, uint64_t hash)
{
	for (size_t i = (size_t)hash;; i++) {
		struct entry *e = &t->at[i & (t->room - 1)];

		if (!e->key ||
			(e->hash == hash && e->size == size && memcmp(e->key, key, size) == 0))
			return e;
	}
}

static void table_grow(struct table *t)
{
	struct table more = {.n = t->n, .room = t->room ? t->room * 2 : 64};

	more.at = memory(more.room * sizeof(*more.at));
	for (size_t i = 0; i < t->room; i++)
		if (t->at[i].key)
			*table_slot(&more, t->at[i].key, t->at[i].size, t->at[i].hash) = t->at[i];
	free(t->at);
	*t = more;
}

void **table_put(struct table *t, const void *key, size_t size)
{
	uint64_t hash = text_hash(key, size);
	struct entry *e;

	if (t->n * 2 >= t->room)
		table_grow(t);
	e = table_slot(t, key, size, hash);
	if (!e->key) {
		e->key = memory(size);
		memcpy(e->key, key, size);
		e->size = size;
		e->hash = hash;
		t->n++;
	}
	return &e->value;
}

void *table_get(const struct table *t, const void *key, size_t size)
{
	return t->room ? table_slot(t, key, size, text_hash(key, size))->value : NULL;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->room; i++)
		free(t->at[i].key);
	free(t->at);
	*t = (struct table){0};
}

/* -- patterns and times ------------------------------------------------------------------------ */

bool text_match(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text)
		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (*pattern == '?' || (*pattern && *pattern == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

/* Keeps what two patterns have in common at both ends, with a star for the rest. */
void text_common(struct text *a, const char *b)
{
	size_t n = strlen(b), head = 0, tail = 0;

	while (head < a->n && head < n && a->at[head] == b[head])
		head++;
	if (head == n && head == a->n)
		return;
	while (tail < a->n - head && tail < n - head && a->at[a->n - 1 - tail] == b[n - 1 - tail])
		tail++;
	struct text both = {0};

	text_put(&both, a->at, head);
	if (head == 0 || a->at[head - 1] != '*')
		text_add(&both, "*");
	if (tail > 0 && a->at[a->n - tail] == '*' && both.at[both.n - 1] == '*')
		tail--;
	text_put(&both, a->at + a->n - tail, tail);
	text_free(a);
	*a = both;
}

static void time_format(struct text *t, int64_t us, const char *format)
{
	char s[64];
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	if (localtime_r(&seconds, &tm) && strftime(s, sizeof(s), format, &tm) > 0)
		text_add(t, s);
	else
		text_add(t, "?");
}

void text_time(struct text *t, int64_t us)
{
	time_format(t, us, "%Y-%m-%d %H:%M:%S");
}

void text_times(struct text *t, int64_t a, int64_t b)
{
	struct text one = {0}, two = {0};

	text_time(&one, a);
	text_time(&two, b);
	text_add(t, one.at);
	if (strcmp(one.at, two.at) != 0) {
		text_add(t, " .. ");
		text_add(t, one.n > 10 && two.n > 11 && memcmp(one.at, two.at, 11) == 0
				    ? two.at + 11
				    : two.at);
	}
	text_free(&one);
	text_free(&two);
}
