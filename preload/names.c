/* SPDX-License-Identifier: ISC
 *
 * How a passwd(5), group(5), shadow(5) or gshadow(5) line is read.  Each rule here was measured against
 * glibc's `files` backend (2.31, 2.36, 2.41) in a chroot; musl reads the same files the same way,
 * but for white space and comments.  One thing is not copied: of a line with white space in front and
 * a NUL, or the file's end, in place of its newline, glibc 2.36 reads the last characters twice (its
 * nss_readline.c moves the text to the front without the NUL).  The index keeps where a line is and what it is found by; the
 * line is read again, into the caller's buffer, when somebody asks for it, so that a large table
 * costs its text, 8 bytes a line, and 32 to 64 bytes a line of hash tables.
 *
 * A lookup among a million is a matter of cache misses: one for the bucket, which holds the whole key,
 * one for the text.  What lies between is written so that a processor which guesses branches guesses
 * right, and goes on to the next lookup meanwhile. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include "names.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a word is its lowest");

/* A line with its white space, NUL and newline. */
struct extent {
	const char *at;     /* behind white space in front */
	uint32_t len;       /* of what is read, up to a NUL or newline */
	uint32_t raw, eol;  /* bytes on the reader's way: of the whole line, up to its end */
};

/* A line's fields: strings as offsets into the line, then numbers. */
struct record {
	struct {
		uint32_t at, len;
	} text[5];
	unsigned long number[7];
	uint32_t adm, adm_end; /* offsets of gshadow's administrators, */
	uint32_t list;         /* and of the members, which end with the line */
	bool bare;             /* "+" or "-name" alone: nss_compat's "all the rest", no fields */
};

struct scan {
	const char *start, *at, *end;
	const char *limit; /* so far may be read, at least */
};

enum { WORD = sizeof(uint64_t) };

static const uint64_t ones = UINT64_MAX / 255;

static uint64_t load(const char *p)
{
	uint64_t w;

	__builtin_memcpy(&w, p, sizeof w);
	return w;
}

/* The high bit of each byte that is zero, right for the lowest of them. */
static uint64_t zeroes(uint64_t w)
{
	return (w - ones) & ~w & ones << 7;
}

/* The first c from p on, or end; limit: see struct scan. */
static inline const char *find(const char *p, const char *end, const char *limit, char c)
{
	const uint64_t all = (unsigned char)c * ones;

	for (; p < end; p += WORD) {
		uint64_t m;

		if (limit - p < WORD) {
			while (p < end && *p != c)
				p++;
			return p;
		}
		m = zeroes(load(p) ^ all);
		if (m) {
			p += __builtin_ctzll(m) / 8;
			break;
		}
	}
	return p < end ? p : end;
}

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
	const char *from = s->at;

	s->at = find(from, s->end, s->limit, ':');
	ret->text[i].at = (uint32_t)(from - s->start);
	ret->text[i].len = (uint32_t)(s->at - from);
	s->at += s->at < s->end;
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
	const char *was = s->at, *p = was;
	unsigned long v = 0;

	/* as nearly all are: a few digits and a colon */
	while (p < s->end && p - was < 9 && *p >= '0' && *p <= '9')
		v = 10 * v + (unsigned long)(*p++ - '0');
	if (p > was && p < s->end && *p == ':') {
		ret->number[i] = v;
		s->at = p + 1;
		return true;
	}
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

static void scan_gshadow(struct scan *s, struct record *ret)
{
	scan_text(s, ret, 1);
	ret->adm = (uint32_t)(s->at - s->start);
	s->at = find(s->at, s->end, s->limit, ':');
	ret->adm_end = (uint32_t)(s->at - s->start);
	s->at += s->at < s->end;
	ret->list = (uint32_t)(s->at - s->start);
}

/* What is in front of the first field that every line can do without: the text that follows it in
 * passwd, or the members of a group, are not looked at. */
static bool scan_line(enum names_kind kind, const struct extent *line, const char *limit,
	struct record *ret, struct scan *s)
{
	int need = line->len && is_compat(*line->at) ? MAY : MUST;

	*s = (struct scan){line->at, line->at, line->at + line->len, limit};
	ret->bare = false;
	scan_text(s, ret, 0);
	if (s->at == s->end && need == MAY) {
		ret->bare = true;
		ret->list = ret->adm = ret->adm_end = line->len;
		for (unsigned i = 0; i < 3; i++)
			ret->number[i] = 0;
		for (unsigned i = 3; i < 7; i++) /* where shadow(5) has "not set" */
			ret->number[i] = -1UL;
		return true;
	}
	if (kind == NAMES_SHADOW)
		return scan_shadow(s, ret);
	if (kind == NAMES_GSHADOW) {
		scan_gshadow(s, ret);
		return true;
	}
	scan_text(s, ret, 1);
	if (!scan_number(s, ret, 0, need, 0))
		return false;
	if (kind == NAMES_PASSWD && !scan_number(s, ret, 1, need, 0))
		return false;
	ret->list = (uint32_t)(s->at - s->start);
	return true;
}

/* And the rest of a passwd line. */
static void scan_rest(struct scan *s, struct record *ret)
{
	scan_text(s, ret, 2);
	scan_text(s, ret, 3);
	ret->text[4].at = (uint32_t)(s->at - s->start); /* the shell may contain colons */
	ret->text[4].len = (uint32_t)(s->end - s->at);
}

/* The next of a group's members, from *at on: they are separated by commas, white space goes with
 * the name that it follows, and an empty one is none.  NULL: no more. */
static const char *member(const char **at, const char *end, const char *limit, size_t *len)
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
		*at = find(name, end, limit, ',');
		*len = (size_t)(*at - name);
		if (*len)
			return name;
	}
	return NULL;
}

static size_t count_members(const char *at, const char *end, const char *limit)
{
	size_t n = 0, len;

	while (member(&at, end, limit, &len))
		n++;
	return n;
}

/* What the reader needs for any line: all of it, a NUL, and a byte by which it knows that the line was
 * whole. */
static size_t plain_room(const struct extent *line)
{
	return (size_t)line->raw + 2;
}

/* Where it puts the aligned vector of a group's members in a buffer at buf, as far as its alignment
 * goes. */
static size_t list_offset(const struct extent *line, uintptr_t buf)
{
	return ((buf + line->eol + 7) & ~(uintptr_t)7) - buf;
}

/* The line that begins at text + at. */
static struct extent extent_at(const char *text, size_t n, size_t at)
{
	const char *p = text + at, *limit = text + n, *end = limit, *nul = limit;
	struct extent ret;

	for (; limit - p >= WORD; p += WORD) {
		const uint64_t w = load(p), m = zeroes(w ^ '\n' * ones) | zeroes(w);

		if (m) {
			p += __builtin_ctzll(m) / 8;
			break;
		}
	}
	while (p < limit && *p && *p != '\n')
		p++;
	nul = p; /* a line with a NUL ends there for all but the reader's buffer */
	end = p < limit && !*p ? find(p, limit, limit, '\n') : p;
	end += end < limit;
	ret.raw = (uint32_t)(end - text - at);
	ret.eol = (uint32_t)(nul - text - at) + (nul == limit || !*nul ? 1 : 2);
	p = text + at;
	while (p < nul && is_space(*p))
		p++;
	ret.at = p;
	ret.len = (uint32_t)(nul - p);
	return ret;
}

/* -- the index ---------------------------------------------------------------------------- */

/* The bucket of an id.  Four neighbours share it: who asks for one uid often asks for the next.
 * The golden ratio's multiples lie evenly, so ids without gaps do not meet in a bucket. */
static uint32_t id_bucket(const struct names *t, uint32_t id)
{
	return (uint32_t)((uint64_t)((id >> 2) * 0x9e3779b1u) * (t->mask + 1ull) >> 32);
}

static uint64_t mix(uint64_t h, uint64_t w)
{
	h = (h ^ w) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

/* A name's key; the same for the same bytes, however they lie.  Not 0, which free slots have. */
static uint32_t hash_name(const char *name, size_t n)
{
	uint64_t h = n, w = 0;
	size_t i = 0;

	for (; n - i >= WORD; i += WORD)
		h = mix(h, load(name + i));
	for (; i < n; i++)
		w = w << 8 | (unsigned char)name[i];
	h = mix(h, w);
	return (uint32_t)(h ^ h >> 32) | 1;
}

/* A bit for each of the bucket's keys that is this one: all of them at once, and no branch. */
static unsigned bucket_has(const struct names_bucket *b, uint32_t key)
{
	typedef int32_t four __attribute__((vector_size(16), may_alias));
	const four *keys = (const four *)b->key, all = {(int)key, (int)key, (int)key, (int)key};
	const four bits = {1, 2, 4, 8};
	const four m = ((keys[0] == all) & bits) | ((keys[1] == all) & (bits << 4));

	return (unsigned)(m[0] | m[1] | m[2] | m[3]);
}

/* Is this the name of the entry in the line that begins at `at`?  It is what stands before the first
 * colon, which all but gshadow must have. */
static bool same_name(const struct names *t, uint32_t at, const char *name, size_t n)
{
	const char *p = t->text + at, *limit = t->text + t->bytes;
	struct extent line;

	if (t->kind == NAMES_GSHADOW) {
		line = extent_at(t->text, t->bytes, at);
		p = find(line.at, line.at + line.len, limit, ':');
		return (size_t)(p - line.at) == n && memcmp(line.at, name, n) == 0;
	}
	while (is_space(*p))
		p++;
	return (size_t)(limit - p) > n && memcmp(p, name, n) == 0 && p[n] == ':' &&
	       find(name, name + n, name + n, ':') == name + n;
}

/* Where the first line with this name (or this id, where name is NULL) begins, plus one; 0: there is
 * none, and *ret_free is its slot. */
static inline uint32_t look_up(const struct names *t, uint32_t id, const char *name, size_t n, uint32_t key,
	uint32_t **ret_free)
{
	struct names_bucket *table = name ? t->by_name : t->by_id, *b;
	uint32_t i = name ? key >> 1 & t->mask : id_bucket(t, id);

	for (;; i = (i + 1) & t->mask) {
		b = &table[i];
		for (unsigned has = bucket_has(b, key); has; has &= has - 1) {
			const uint32_t at = b->at[__builtin_ctz(has)];

			if (!at || !name || same_name(t, at - 1, name, n)) {
				if (at)
					return at;
				break; /* id 0 is like a free slot's key, and those come last */
			}
		}
		if (LIKELY(!b->at[ROWS(b->at) - 1]))
			break;
	}
	if (ret_free) {
		unsigned k = 0;

		while (b->at[k])
			k++;
		b->key[k] = key;
		*ret_free = &b->at[k];
	}
	return 0;
}

static uint32_t count_lines(const char *text, size_t n)
{
	const uint64_t low = 0x00ff00ff00ff00ff, sevens = 0x7f * ones;
	uint32_t lines = 1;
	size_t i = 0;

	while (n - i >= WORD) {
		uint64_t sum = 0; /* of each byte: at most 255 */

		for (unsigned k = 0; k < 255 && n - i >= WORD; k++, i += WORD) {
			const uint64_t w = load(text + i) ^ '\n' * ones;

			sum += ~(((w & sevens) + sevens) | w | sevens) >> 7;
		}
		lines += (uint32_t)((((sum & low) + (sum >> 8 & low)) * 0x0001000100010001) >> 48);
	}
	for (; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static uint32_t buckets(uint32_t lines) /* a power of two; at most half of their slots are taken */
{
	uint32_t n = 1;

	while (4 * n < lines)
		n *= 2;
	return n;
}

size_t names_size(const char *text, size_t n, uint32_t *ret_lines)
{
	const uint32_t lines = count_lines(text, n);

	*ret_lines = lines;
	return _Alignof(struct names_bucket) + 2 * (size_t)buckets(lines) * sizeof(struct names_bucket) +
	       lines * sizeof(struct names_line);
}

/* Entries that are read but not in the tables yet: meanwhile their buckets come from memory. */
struct batch {
	struct {
		const char *name;
		uint32_t name_len, key, id, at;
	} of[32];
	unsigned n;
};

static void batch_insert(struct names *t, struct batch *batch)
{
	uint32_t *slot = NULL; /* which look_up() sets where it finds nothing */

	for (unsigned i = 0; i < batch->n; i++) { /* in their order: the first one of a name wins */
		const uint32_t at = batch->of[i].at + 1, id = batch->of[i].id;

		if (!look_up(t, 0, batch->of[i].name, batch->of[i].name_len, batch->of[i].key, &slot))
			*slot = at;
		if (t->kind <= NAMES_GROUP && !look_up(t, id, NULL, 0, id, &slot))
			*slot = at;
	}
	batch->n = 0;
}

static void batch_add(struct names *t, struct batch *batch, uint32_t at, const char *line,
	const struct record *r)
{
	const char *name = line + r->text[0].at;
	const uint32_t key = hash_name(name, r->text[0].len), id = (uint32_t)r->number[0];
	const unsigned i = batch->n++;

	batch->of[i].name = name;
	batch->of[i].name_len = r->text[0].len;
	batch->of[i].key = key;
	batch->of[i].id = id;
	batch->of[i].at = at;
	__builtin_prefetch(&t->by_name[key >> 1 & t->mask], 1);
	if (t->kind <= NAMES_GROUP)
		__builtin_prefetch(&t->by_id[id_bucket(t, id)], 1);
	if (batch->n == ROWS(batch->of))
		batch_insert(t, batch);
}

/* Can the line be read as an entry?  Comments: nobody finds them, yet initgroups(3) of glibc and musl
 * alike counts the members of a group line that somebody turned into one. */
static bool read_entry(const struct names *t, const struct extent *line, struct record *ret)
{
	struct scan s;

	return line->len && (*line->at != '#' || t->kind == NAMES_GROUP) &&
	       scan_line(t->kind, line, t->text + t->bytes, ret, &s);
}

static bool has_list(enum names_kind kind)
{
	return kind == NAMES_GROUP || kind == NAMES_GSHADOW;
}

/* What the reader needs for this entry alone, in a buffer at buf.  A vector has a NULL, and room for
 * one pointer more than it stores; gshadow's administrators, in front of it, end in a NULL. */
static size_t line_room(const struct names *t, const struct extent *line, const struct record *r,
	uintptr_t buf, bool *ret_members)
{
	const char *limit = t->text + t->bytes, *end = line->at + line->len;
	const size_t plain = plain_room(line);
	size_t members, list;

	*ret_members = false;
	if (!has_list(t->kind))
		return plain;
	members = count_members(line->at + r->list, end, limit);
	*ret_members = members > 0;
	if (*line->at == '#') /* skipped by the reader */
		return plain;
	list = list_offset(line, buf) + (members + 2) * sizeof(char *);
	if (t->kind == NAMES_GSHADOW && !r->bare)
		list += (1 + count_members(line->at + r->adm, line->at + r->adm_end, limit)) *
			sizeof(char *);
	return list > plain ? list : plain;
}

void names_build(struct names *ret, enum names_kind kind, const char *text, size_t n, uint32_t lines,
	void *memory)
{
	const uint32_t count = buckets(lines);
	const uintptr_t align = _Alignof(struct names_bucket);
	struct names t = {.kind = kind, .text = text, .bytes = (uint32_t)n, .mask = count - 1, .room = 3};
	struct batch batch;

	batch.n = 0;
	t.by_name = (struct names_bucket *)(((uintptr_t)memory + align - 1) & ~(align - 1));
	t.by_id = t.by_name + count;
	t.line = (struct names_line *)(t.by_id + count);
	for (size_t at = 0, next; at < n; at = next) {
		const struct extent line = extent_at(text, n, at);
		size_t room = plain_room(&line);
		struct names_line *to;
		struct record r;
		bool members;

		next = at + line.raw;
		if (read_entry(&t, &line, &r)) {
			room = line_room(&t, &line, &r, 0, &members);
			to = &t.line[t.lines++];
			*to = (struct names_line){
				.at = at & (NAMES_TEXT_MAX - 1), .before = t.room, .members = members};
			to->listed = *line.at != '#';
			to->keyed = to->listed && !is_compat(*line.at);
			if (to->keyed)
				batch_add(&t, &batch, (uint32_t)at, line.at, &r);
		}
		if (room > t.room)
			t.room = (uint32_t)room;
	}
	batch_insert(&t, &batch);
	*ret = t;
}

const struct names_line *names_next(const struct names *t, uint32_t *at)
{
	for (; *at < t->lines; ++*at)
		if (t->line[*at].listed)
			return &t->line[*at];
	return NULL;
}

size_t names_skipped(const struct names *t, uint32_t at)
{
	const size_t end = at < t->lines ? t->line[at].at : t->bytes;
	size_t most = 0, from = 0;
	struct extent line;

	while (at > 0 && !t->line[at - 1].listed)
		at--;
	if (at > 0)
		from = t->line[at - 1].at + extent_at(t->text, t->bytes, t->line[at - 1].at).raw;
	for (; from < end; from += line.raw) {
		line = extent_at(t->text, t->bytes, from);
		if (plain_room(&line) > most)
			most = plain_room(&line);
	}
	return most;
}

/* -- answers ------------------------------------------------------------------------------ */

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

/* The vector of the members in [at, end) of the line in buf, from *list on; *list is then behind it.
 * NULL: buf_end does not leave a NULL and `more` pointers. */
static char **fill_list(char *at, char *end, char ***list, const char *buf_end, ptrdiff_t more)
{
	char **first = *list, **to = first;
	const char *next = at, *name;
	size_t len;

	for (;; to++) {
		if (buf_end - (char *)to < (more + 1) * (ptrdiff_t)sizeof *to)
			return NULL;
		name = member(&next, end, end, &len);
		if (!name)
			break;
		*to = at + (name - at);
		if (next < end)
			next++; /* the comma that becomes the NUL */
		(*to)[len] = '\0';
	}
	*to = NULL;
	*list = to + 1;
	return first;
}

static int fill_group(struct group *ret, const struct record *r, char *const text[5], char *buf,
	const struct extent *line, const char *buf_end)
{
	char **list = (char **)(buf + list_offset(line, (uintptr_t)buf));

	list = fill_list(buf + r->list, buf + line->len, &list, buf_end, 1);
	if (!list)
		return -ERANGE;
	ret->gr_name = text[0];
	ret->gr_passwd = text[1];
	ret->gr_gid = (gid_t)r->number[0];
	ret->gr_mem = list;
	return 0;
}

static int fill_gshadow(struct names_sgrp *ret, const struct record *r, char *const text[5], char *buf,
	const struct extent *line, const char *buf_end)
{
	char **list = (char **)(buf + list_offset(line, (uintptr_t)buf)), **adm = NULL;

	if (!r->bare) {
		adm = fill_list(buf + r->adm, buf + r->adm_end, &list, buf_end, 0);
		if (!adm)
			return -ERANGE;
	}
	list = fill_list(buf + r->list, buf + line->len, &list, buf_end, 1);
	if (!list)
		return -ERANGE;
	buf[r->adm_end] = '\0';
	ret->sg_namp = text[0];
	ret->sg_passwd = text[1];
	ret->sg_adm = adm;
	ret->sg_mem = list;
	return 0;
}

/* The entry of the line that begins at text + at. */
static int fill(const struct names *t, uint32_t at, void *ret, char *buf, size_t n)
{
	const struct extent line = extent_at(t->text, t->bytes, at);
	struct record r;
	struct scan s;
	char *text[5] = {NULL};
	unsigned fields = 2;
	int result = 0;

	if (n < plain_room(&line))
		return -ERANGE;
	if (!scan_line(t->kind, &line, t->text + t->bytes, &r, &s))
		return -EINVAL; /* cannot be: the index has lines that were read once */
	if (t->kind == NAMES_PASSWD && !r.bare) {
		scan_rest(&s, &r);
		fields = 5;
	}
	memcpy(buf, line.at, line.len);
	buf[line.len] = '\0';
	if (r.bare)
		fields = 1;
	for (unsigned i = 0; i < fields; i++)
		text[i] = buf + r.text[i].at;
	if (t->kind == NAMES_PASSWD)
		fill_passwd(ret, &r, text);
	else if (t->kind == NAMES_GROUP)
		result = fill_group(ret, &r, text, buf, &line, buf + n);
	else if (t->kind == NAMES_SHADOW)
		fill_shadow(ret, &r, text);
	else
		result = fill_gshadow(ret, &r, text, buf, &line, buf + n);
	/* Last: the colons become the strings' ends. */
	for (unsigned i = 0; i < fields; i++)
		text[i][r.text[i].len] = '\0';
	return result;
}

int names_fill(const struct names *t, const struct names_line *line, void *ret, char *buf, size_t n)
{
	return fill(t, line->at, ret, buf, n);
}

/* The entry whose line begins at `at`. */
static const struct names_line *line_at(const struct names *t, uint32_t at)
{
	const struct names_line *low = t->line;

	for (uint32_t n = t->lines; n > 1;) {
		const uint32_t half = n / 2;

		if (low[half].at <= at)
			low += half;
		n -= half;
	}
	return low;
}

/* What a reader needs for the lines in front of `end`, in a buffer at buf. */
static size_t room_before(const struct names *t, uint32_t end, uintptr_t buf)
{
	size_t most = 3, room;

	for (uint32_t at = 0; at < end;) {
		const struct extent line = extent_at(t->text, t->bytes, at);
		struct record r;
		bool members;

		room = read_entry(t, &line, &r) ? line_room(t, &line, &r, buf, &members)
						: plain_room(&line);
		if (room > most)
			most = room;
		at += line.raw;
	}
	return most;
}

/* glibc reads line by line into the caller's buffer: a long line on the way to the entry (at: its
 * offset plus one) is ERANGE too, and so is one anywhere when there is no such entry (0). */
static NOINLINE bool too_small(const struct names *t, uint32_t at, const char *buf, size_t n)
{
	size_t need = at ? line_at(t, at - 1)->before : t->room;

	/* a buffer that is not aligned may need up to seven bytes more, or less */
	if (has_list(t->kind) && (uintptr_t)buf & 7 && n + 7 >= need && n < need + 7)
		need = room_before(t, at ? at - 1 : t->bytes, (uintptr_t)buf);
	return n < need;
}

int names_find(const struct names *t, const char *name, uint32_t id, void *ret, char *buf, size_t n)
{
	const size_t len = name ? strlen(name) : 0;
	const uint32_t at = look_up(t, id, name, len, name ? hash_name(name, len) : id, NULL);
	int r;

	/* who asks for one after the other finds the next ones here already */
	if (!name)
		__builtin_prefetch(&t->by_id[id_bucket(t, id + 4)]);
	if (at)
		__builtin_prefetch(t->text + at + 256);

	if (UNLIKELY(n < t->room + 7ull) && too_small(t, at, buf, n))
		return -ERANGE;
	if (!at)
		return 0;
	r = fill(t, at - 1, ret, buf, n);
	return r < 0 ? r : 1;
}

size_t names_groups(const struct names *t, const char *user, gid_t gid, gid_t *out, size_t n)
{
	const char *limit = t->text + t->bytes, *at, *name;
	size_t found = 0, want = strlen(user), len;
	struct record r;
	struct scan s;

	for (const struct names_line *l = t->line; l < t->line + t->lines; l++) {
		struct extent line;

		if (!l->members)
			continue;
		line = extent_at(t->text, t->bytes, l->at);
		if (!scan_line(t->kind, &line, limit, &r, &s) || (gid_t)r.number[0] == gid)
			continue;
		at = line.at + r.list;
		while ((name = member(&at, s.end, limit, &len))) {
			if (len != want || memcmp(name, user, len) != 0)
				continue;
			if (found < n)
				out[found] = (gid_t)r.number[0];
			found++;
			break;
		}
	}
	return found;
}

/* -- what is wrong with a line ------------------------------------------------------------- */

/* What a person would have to mend. */
static const char *wrong(enum names_kind kind, const char *text, uint32_t len)
{
	static const unsigned least[NAMES_KINDS] = {4, 3, 5, 1};
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
	const struct names t = {.kind = kind, .text = text, .bytes = (uint32_t)n};

	while (*at < n) {
		const struct extent l = extent_at(text, n, *at);
		struct record r;

		*at += l.raw;
		++*line;
		if (l.at + l.len < text + n && !l.at[l.len])
			return "it has a NUL byte, and is read up to there";
		if (l.len && *l.at != '#' && !is_compat(*l.at) && !read_entry(&t, &l, &r))
			return wrong(kind, l.at, l.len);
	}
	return NULL;
}
