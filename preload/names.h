/* SPDX-License-Identifier: ISC
 *
 * passwd(5), group(5) and shadow(5) text -> an index by id and by name -> struct passwd, group or
 * spwd.  Pure: text in, value or -errno out; the caller owns the memory.  What is a line, what is
 * skipped and when a buffer is too small are those of glibc's `files` backend, to the byte. */
#ifndef JAIL_NAMES_H
#define JAIL_NAMES_H

#include <stdint.h>
#include <sys/types.h>
#include "mem.h"

enum names_kind { NAMES_PASSWD, NAMES_GROUP, NAMES_SHADOW, NAMES_KINDS };

enum {
	NAMES_LISTED = 1, /* getpwent(3) shows it */
	NAMES_KEYED = 2,  /* getpwnam(3) and getpwuid(3) may find it */
	NAMES_TEXT_MAX = 1 << 28, /* so that every offset and size below fits 32 bits */
};

/* A line that can be read as an entry. */
struct names_line {
	uint32_t at, len;  /* in the text, without white space in front and newline */
	uint32_t name_len;
	uint32_t id;       /* uid or gid */
	uint32_t members;
	uint32_t raw, eol; /* bytes on the reader's way: of the whole line, up to its end */
	uint32_t before;   /* the buffer that a reader needs for the lines in front of this one */
	uint32_t flags;
};

struct names {
	enum names_kind kind;
	const char *text;
	struct names_line *line;     /* in file order */
	uint32_t *by_name, *by_id;   /* open hash tables: an index into line plus one, 0: free */
	uint32_t lines, mask;
	uint32_t room;               /* the buffer that a reader needs to see the file's end */
};

/* Bytes of memory that names_build needs for these n bytes of text. */
size_t names_size(const char *text, size_t n);

/* Fills *ret from n <= NAMES_TEXT_MAX bytes of text and names_size() bytes of memory that is zero
 * and aligned for a pointer; both belong to *ret from now on.  Cannot fail: what is no entry is
 * skipped. */
void names_build(struct names *ret, enum names_kind kind, const char *text, size_t n, void *memory);

/* The first entry that has this name, or this id; NULL: none. */
const struct names_line *names_by_name(const struct names *t, const char *name);
const struct names_line *names_by_id(const struct names *t, uint32_t id);

/* The first entry at or after *at that getpwent(3) shows, and *at is its number; NULL: the end. */
const struct names_line *names_next(const struct names *t, uint32_t *at);

/* The entry as a struct passwd, group or spwd in *ret, its strings in buf.  0 or -ERANGE. */
int names_fill(const struct names *t, const struct names_line *line, void *ret, char *buf, size_t n)
	MUST_CHECK;

/* What getpwnam_r(3) answers: 1 and *ret, 0 (not there) or -ERANGE.  name NULL: by id. */
int names_find(const struct names *t, const char *name, uint32_t id, void *ret, char *buf, size_t n)
	MUST_CHECK;

/* The groups that list user as a member, without gid itself, at most n of them to out; how many
 * there are. */
size_t names_groups(const struct names *t, const char *user, gid_t gid, gid_t *out, size_t n);

/* Why the next line from *at on is no entry, though it is neither empty nor a comment, nor one of NIS
 * ("+", "-"); *at is then behind it, and *line its number, counted from 1.  Both begin as 0.  NULL:
 * all others are fine. */
const char *names_wrong(enum names_kind kind, const char *text, size_t n, size_t *at, uint32_t *line);

#endif
