/* SPDX-License-Identifier: ISC
 *
 * passwd(5), group(5), shadow(5) and gshadow(5) text -> an index by id and by name -> struct passwd,
 * group, spwd or sgrp.  Pure: text in, value or -errno out; the caller owns the memory.  What is a line,
 * what is skipped and when a buffer is too small are those of glibc's `files` backend, to the byte. */
#ifndef JAIL_NAMES_H
#define JAIL_NAMES_H

#include <stdint.h>
#include <sys/types.h>
#include "mem.h"

enum names_kind { NAMES_PASSWD, NAMES_GROUP, NAMES_SHADOW, NAMES_GSHADOW, NAMES_KINDS };

enum {
	NAMES_TEXT_MAX = 1 << 28, /* so that an offset fits 28 bits, and every size below 32 */
};

/* glibc's <gshadow.h>, which musl has not */
struct names_sgrp {
	char *sg_namp, *sg_passwd, **sg_adm, **sg_mem;
};

/* A line that can be read as an entry. */
struct names_line {
	uint32_t at : 28;    /* in the text */
	uint32_t listed : 1; /* getpwent(3) shows it */
	uint32_t keyed : 1;  /* getpwnam(3) and getpwuid(3) may find it */
	uint32_t members : 1;
	uint32_t before;     /* the buffer that a reader needs for the lines in front of this one */
};

/* A cache line of an open hash table: keys, and the offsets of their lines plus one; 0: free.  They
 * are filled from the first on. */
struct names_bucket {
	uint32_t key[8] __attribute__((aligned(64)));
	uint32_t at[8];
};

struct names {
	enum names_kind kind;
	const char *text;
	uint32_t bytes;                      /* of it */
	uint32_t lines, mask;
	uint32_t room;                       /* the buffer that a reader needs to see the file's end */
	struct names_bucket *by_name, *by_id;
	struct names_line *line;             /* in file order */
};

/* Bytes of memory that names_build needs for these n bytes of text, and *ret_lines, which it wants. */
size_t names_size(const char *text, size_t n, uint32_t *ret_lines);

/* Fills *ret from n <= NAMES_TEXT_MAX bytes of text and names_size() bytes of memory that is zero;
 * both belong to *ret from now on.  Cannot fail: what is no entry is skipped. */
void names_build(struct names *ret, enum names_kind kind, const char *text, size_t n, uint32_t lines,
	void *memory);

/* The first entry at or after *at that getpwent(3) shows, and *at is its number; NULL: the end. */
const struct names_line *names_next(const struct names *t, uint32_t *at);

/* The buffer that a reader needs for what it skips between that entry (or the end) and the one shown
 * before. */
size_t names_skipped(const struct names *t, uint32_t at);

/* The entry as a struct passwd, group, spwd or names_sgrp in *ret, its strings in buf.  0 or -ERANGE. */
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
