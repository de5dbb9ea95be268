/* SPDX-License-Identifier: ISC
 *
 * The grammar of RFC 8259, strictly, but that bytes in strings need not be UTF-8: a file's name is
 * not either. */
#include "json.h"
#include "text.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 32 };

struct reader {
	struct json_doc *doc;
	char *at, *end;
	int depth;
};

static bool value(struct reader *r, const char *name);

static bool wrong(struct reader *r, const char *what)
{
	if (!r->doc->wrong)
		r->doc->wrong = r->at >= r->end ? "truncated" : what;
	return false;
}

static void blank(struct reader *r)
{
	while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')
		r->at++;
}

static int hex4(const char *p, const char *end)
{
	int n = 0;

	for (int i = 0; i < 4; i++) {
		char c = p + i < end ? p[i] : 0;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		n = n << 4 | digit;
	}
	return n;
}

static char *utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* \uXXXX at r->at, which is behind the u.  A half of a pair alone, and NUL, are U+FFFD. */
static bool unicode(struct reader *r, char **out)
{
	int c = hex4(r->at, r->end), low;

	if (c < 0)
		return wrong(r, "bad \\u escape");
	r->at += 4;
	if (c >= 0xd800 && c < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' &&
		r->at[1] == 'u' && (low = hex4(r->at + 2, r->end)) >= 0xdc00 && low < 0xe000) {
		r->at += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	if (c == 0 || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	*out = utf8(*out, (unsigned)c);
	return true;
}

static bool string(struct reader *r, const char **ret)
{
	char *out = r->at + 1;

	*ret = out;
	for (r->at++; *r->at != '"';) {
		if (r->at >= r->end || (unsigned char)*r->at < 0x20)
			return wrong(r, "control character in a string");
		if (*r->at != '\\') {
			*out++ = *r->at++;
			continue;
		}
		switch (r->at[1]) {
		case '"':
		case '\\':
		case '/':
			*out++ = r->at[1];
			break;
		case 'b':
			*out++ = '\b';
			break;
		case 'f':
			*out++ = '\f';
			break;
		case 'n':
			*out++ = '\n';
			break;
		case 'r':
			*out++ = '\r';
			break;
		case 't':
			*out++ = '\t';
			break;
		case 'u':
			r->at += 2;
			if (!unicode(r, &out))
				return false;
			continue;
		default:
			r->at++;
			return wrong(r, "bad escape");
		}
		r->at += 2;
	}
	r->at++;
	*out = 0; /* the closing quote's place, or before it */
	return true;
}

static struct json *node(struct reader *r, enum json_type type, const char *name)
{
	struct json_doc *doc = r->doc;
	struct json *n;

	if (doc->n == doc->room) {
		doc->room = doc->room ? doc->room * 2 : 128;
		doc->at = memory_more(doc->at, doc->room, sizeof(*doc->at));
	}
	n = &doc->at[doc->n++];
	*n = (struct json){.type = type, .nodes = 1, .name = name};
	return n;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool number(struct reader *r, const char *name)
{
	char *from = r->at, *p = from, *stop;
	double n;

	p += *p == '-';
	if (!is_digit(*p))
		return wrong(r, "not a value");
	if (*p++ != '0')
		while (is_digit(*p))
			p++;
	if (*p == '.') {
		if (!is_digit(*++p))
			return wrong(r, "bad number");
		while (is_digit(*p))
			p++;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		if (!is_digit(*p))
			return wrong(r, "bad number");
		while (is_digit(*p))
			p++;
	}
	/* Nearly all are short and whole: strtod is for the others. */
	if (p - from < 16 && *from != '-' && !memchr(from, '.', (size_t)(p - from)) &&
		!memchr(from, 'e', (size_t)(p - from)) && !memchr(from, 'E', (size_t)(p - from))) {
		int64_t whole = 0;

		for (char *d = from; d < p; d++)
			whole = whole * 10 + (*d - '0');
		n = (double)whole;
	} else {
		n = strtod(from, &stop);
	}
	r->at = p;
	node(r, JSON_NUMBER, name)->number = n;
	return true;
}

static bool word(struct reader *r, const char *text, enum json_type type, const char *name)
{
	size_t n = strlen(text), left = (size_t)(r->end - r->at);

	if (left < n && memcmp(r->at, text, left) == 0)
		r->at = r->end;
	else if (left >= n && memcmp(r->at, text, n) == 0) {
		r->at += n;
		node(r, type, name);
		return true;
	}
	return wrong(r, "not a value");
}

static bool container(struct reader *r, const char *name)
{
	bool object = *r->at == '{';
	char closing = object ? '}' : ']';
	size_t self = r->doc->n;
	unsigned children = 0;

	if (++r->depth > DEPTH)
		return wrong(r, "nested too deep");
	node(r, object ? JSON_OBJECT : JSON_ARRAY, name);
	r->at++;
	blank(r);
	while (*r->at != closing) {
		const char *key = NULL;

		if (children > 0) {
			if (*r->at != ',')
				return wrong(r, "no comma");
			r->at++;
			blank(r);
		}
		if (object) {
			if (*r->at != '"')
				return wrong(r, "no name");
			if (!string(r, &key))
				return false;
			blank(r);
			if (*r->at != ':')
				return wrong(r, "no colon");
			r->at++;
			blank(r);
		}
		if (!value(r, key))
			return false;
		blank(r);
		children++;
	}
	r->at++;
	r->depth--;
	r->doc->at[self].children = children;
	r->doc->at[self].nodes = (unsigned)(r->doc->n - self);
	return true;
}

static bool value(struct reader *r, const char *name)
{
	const char *text;

	switch (*r->at) {
	case '{':
	case '[':
		return container(r, name);
	case '"':
		if (!string(r, &text))
			return false;
		node(r, JSON_STRING, name)->text = text;
		return true;
	case 't':
		return word(r, "true", JSON_TRUE, name);
	case 'f':
		return word(r, "false", JSON_FALSE, name);
	case 'n':
		return word(r, "null", JSON_NULL, name);
	default:
		return number(r, name);
	}
}

bool json_parse(struct json_doc *doc, char *text, size_t n)
{
	struct reader r = {.doc = doc, .at = text, .end = text + n};

	doc->n = 0;
	doc->wrong = NULL;
	blank(&r);
	if (!value(&r, NULL))
		return false;
	blank(&r);
	return r.at == r.end ? true : wrong(&r, "more than one value");
}

const struct json *json_first(const struct json *c)
{
	return c && c->type >= JSON_ARRAY && c->children > 0 ? c + 1 : NULL;
}

const struct json *json_next(const struct json *c, const struct json *child)
{
	const struct json *next = child + child->nodes;

	return next < c + c->nodes ? next : NULL;
}

const struct json *json_get(const struct json *object, const char *name)
{
	if (object && object->type == JSON_OBJECT)
		for (const struct json *c = json_first(object); c; c = json_next(object, c))
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

const char *json_text(const struct json *object, const char *name)
{
	const struct json *c = json_get(object, name);

	return c && c->type == JSON_STRING ? c->text : NULL;
}

long long json_whole(const struct json *c, long long otherwise)
{
	/* 2^62: what is cast below fits whatever was written */
	if (!c || c->type != JSON_NUMBER || !(c->number > -0x1p62 && c->number < 0x1p62))
		return otherwise;
	return (long long)c->number;
}

long long json_number(const struct json *object, const char *name, long long otherwise)
{
	return json_whole(json_get(object, name), otherwise);
}
