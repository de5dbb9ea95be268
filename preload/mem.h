/* SPDX-License-Identifier: ISC
 *
 * The handful of string functions that libjail needs, its own: the audit module lives in a name
 * space without a libc, and a preload must not depend on which libc it meets.  Semantics are the
 * C standard's; all are async-signal-safe. */
#ifndef JAIL_MEM_H
#define JAIL_MEM_H

#include <stddef.h>
#include <stdbool.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define MUST_CHECK __attribute__((warn_unused_result))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE __attribute__((always_inline))
/* For small variables that a process writes at its start: beside those that its loader has written,
 * where they cost no page of their own (1.7 us on a virtual machine).  There is one page for all of them
 * (page.ld), and it is nearly full. */
#define BESIDE __attribute__((section(".data")))
/* For large ones of which little is used, in a file that has small ones: behind those. */
#define APART __attribute__((section(".bss.apart")))
#define ROWS(a) (sizeof(a) / sizeof *(a))

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* A copy of n bytes and a NUL that lives as long as the process, aligned to 16, or NULL.  No lock. */
char *mem_keep(const char *text, size_t n);

static inline bool mem_equal(const char *a, const char *b) /* two strings, neither NULL */
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Does s start with prefix?  Returns what follows it, or NULL. */
static inline const char *mem_after(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return NULL;
	return s;
}

/* What follows the directory dir ("" is /) in the absolute path: "" or "/...", or NULL. */
static inline const char *mem_below(const char *path, const char *dir)
{
	const char *rest = mem_after(path, dir);

	return rest && (!*rest || *rest == '/') ? rest : NULL;
}

/* The first c in s, or NULL; c is not NUL. */
static inline const char *mem_find(const char *s, char c)
{
	for (; *s; s++)
		if (*s == c)
			return s;
	return NULL;
}

/* What follows the last slash of s (s itself when there is none). */
static inline const char *mem_base(const char *s)
{
	const char *base = s;

	for (; *s; s++)
		if (*s == '/')
			base = s + 1;
	return base;
}

/* Bounded text: append freely, check once.  at becomes NULL on overflow, and stays NULL. */
struct str {
	char *at, *end;
};

static inline void str_put(struct str *s, const char *text, size_t n)
{
	if (!s->at)
		return;
	if (n >= (size_t)(s->end - s->at)) {
		s->at = NULL;
		return;
	}
	memcpy(s->at, text, n);
	s->at += n;
	*s->at = '\0';
}

static inline void str_puts(struct str *s, const char *text)
{
	str_put(s, text, strlen(text));
}

/* n in decimal */
static inline void str_num(struct str *s, unsigned long n)
{
	char digits[24], *d = digits + sizeof digits;

	do
		*--d = (char)('0' + n % 10);
	while (n /= 10);
	str_put(s, d, (size_t)(digits + sizeof digits - d));
}

#endif
