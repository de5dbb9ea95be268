/* SPDX-License-Identifier: ISC
 *
 * Reading JSON (RFC 8259) in place: strings are unescaped where they stand, values are nodes in one
 * array, a container's children right behind it. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	enum json_type type;
	unsigned nodes;    /* itself and all below it */
	unsigned children; /* of an array or object */
	const char *name;  /* in an object */
	union {
		const char *text; /* never NULL, ends with a NUL; a NUL within is U+FFFD */
		double number;
	};
};

struct json_doc {
	struct json *at; /* at[0] is the whole */
	size_t n, room;
	const char *wrong; /* what is wrong, static */
};

/* Parses text, n bytes and a NUL behind them, all of which must stay; the nodes' memory is used
 * again. */
bool json_parse(struct json_doc *, char *text, size_t n);

/* For what is not there NULL, and every function takes that NULL and answers as for an empty one.
 */
const struct json *json_get(const struct json *object, const char *name);
const struct json *json_first(const struct json *container);
const struct json *json_next(const struct json *container, const struct json *child);
const char *json_text(const struct json *object, const char *name); /* or NULL */
long long json_number(const struct json *object, const char *name, long long otherwise);
long long json_whole(const struct json *number, long long otherwise);

#endif
