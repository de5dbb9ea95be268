/* SPDX-License-Identifier: ISC
 *
 * Text in the making, and how what a stranger wrote is put into it: a terminal's, a page's, a JSON
 * document's and a table's own characters mean nothing there.  Memory that runs out ends
 * the program, so that nobody else needs to ask. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *at; /* ends with a NUL that n does not count; NULL while empty */
	size_t n, room;
};

void *memory(size_t n); /* zeroed */
void *memory_more(void *at, size_t count, size_t size);
char *memory_text(const char *text);

void text_put(struct text *, const char *s, size_t n);
void text_add(struct text *, const char *s);
void text_format(struct text *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_fill(struct text *, char c, size_t n);
void text_free(struct text *);

/* For a terminal: controls, characters that turn the direction of writing and bytes that are no
 * UTF-8 as \xNN.  text_short: at most width columns, its beginning or its end, with "..." for the
 * rest.  text_middle: both its ends, of the beginning more: what is called, and the line of it. */
void text_plain(struct text *, const char *s);
void text_short(struct text *, const char *s, size_t width, bool end);
void text_middle(struct text *, const char *s, size_t width);
size_t text_width(const char *s); /* columns of what is already plain */

void text_html(struct text *, const char *s); /* also for attributes in double quotes */
void text_json(struct text *, const char *s); /* with its quotes; NULL: null */
void text_csv(struct text *, const char *s);  /* quoted where it must be; no formula */
void text_uri(struct text *, const char *path);

/* -- keys ------------------------------------------------------------------------------------ */

/* Values by a key of bytes, which is copied. */
struct table {
	struct entry *at;
	size_t n, room;
};
struct entry {
	uint64_t hash;
	void *key, *value;
	size_t size;
};
/* Where the key's value is, NULL in it at first. */
void **table_put(struct table *, const void *key, size_t size);
void *table_get(const struct table *, const void *key, size_t size);
void table_free(struct table *);
/* From a start that whoever wrote the events cannot know; and one that is the same in every run. */
uint64_t text_hash(const void *key, size_t size);
uint64_t text_mark(const void *key, size_t size);

/* -- patterns and times ------------------------------------------------------------------------ */

/* Does text match a pattern of *, ? and literal characters? */
bool text_match(const char *pattern, const char *text);
/* Makes of a pattern, in place, one that matches what another matches, too. */
void text_common(struct text *pattern, const char *other);

/* Microseconds since 1970 as local time, "2026-11-24 01:02:03". */
void text_time(struct text *, int64_t us);
/* From a to b, the date once where it is the same. */
void text_times(struct text *, int64_t a, int64_t b);

#endif
