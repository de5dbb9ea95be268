/* SPDX-License-Identifier: ISC
 *
 * The C standard's memory functions, for a library that has no libc of its own: gcc and clang
 * emit calls to these four whatever the flags (gcc manual, "Standards"). */
#include "mem.h"
#include "sys.h"
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

/* Words wherever they lie, and whatever is in them. */
typedef uint16_t word2 __attribute__((may_alias, aligned(1)));
typedef uint32_t word4 __attribute__((may_alias, aligned(1)));
typedef uint64_t word8 __attribute__((may_alias, aligned(1)));
typedef unsigned char word16 __attribute__((vector_size(16), may_alias, aligned(1)));

/* n bytes from the first to the last, two of each size overlapping where n is none of theirs.  Each is
 * read before one of its bytes is written over by a copy to a lower address. */
static inline void copy_up(char *to, const char *from, size_t n)
{
	size_t i = 0;

	if (n >= 16) {
		const word16 last = *(const word16 *)(from + n - 16);

#ifdef __x86_64__
		if (n >= 1024 && (size_t)(from - to) >= 64) {
			char *t = to;
			size_t left = n;

			__asm__ volatile("rep movsb" : "+D"(t), "+S"(from), "+c"(left) : : "memory");
			return;
		}
#endif
		for (; i + 16 < n; i += 16)
			*(word16 *)(to + i) = *(const word16 *)(from + i);
		*(word16 *)(to + n - 16) = last;
	} else if (n >= 8) {
		const word8 first = *(const word8 *)from, last = *(const word8 *)(from + n - 8);

		*(word8 *)to = first;
		*(word8 *)(to + n - 8) = last;
	} else if (n >= 4) {
		const word4 first = *(const word4 *)from, last = *(const word4 *)(from + n - 4);

		*(word4 *)to = first;
		*(word4 *)(to + n - 4) = last;
	} else if (n >= 2) {
		const word2 first = *(const word2 *)from, last = *(const word2 *)(from + n - 2);

		*(word2 *)to = first;
		*(word2 *)(to + n - 2) = last;
	} else if (n) {
		*to = *from;
	}
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	copy_up(to, from, n);
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (n < 16 || t <= f || t >= f + n) {
		copy_up(t, f, n); /* the short ones are read whole before they are written */
	} else {
		const word16 first = *(const word16 *)f;

		for (; n > 16; n -= 16)
			*(word16 *)(t + n - 16) = *(const word16 *)(f + n - 16);
		*(word16 *)t = first;
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	const uint64_t all = (unsigned char)c * (UINT64_MAX / 255);
	char *t = to;

#ifdef __x86_64__
	if (n >= 1024) {
		__asm__ volatile("rep stosb" : "+D"(t), "+c"(n) : "a"(c) : "memory");
		return to;
	}
#endif
	if (n < 8) {
		while (n--)
			*t++ = (char)c;
		return to;
	}
	for (size_t i = 0; i + 8 < n; i += 8)
		*(word8 *)(t + i) = all;
	*(word8 *)(t + n - 8) = all;
	return to;
}

static inline bool page_has(const void *p, size_t n)
{
	return ((uintptr_t)p & 4095) <= 4096 - n;
}

/* Reads a word only where it ends in the page that it begins in: a caller may compare with a text that
 * differs, or ends, before n. */
int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	while (n >= 8) {
		if (LIKELY(page_has(x, 8) && page_has(y, 8))) {
			if (*(const word8 *)x != *(const word8 *)y)
				break;
			n -= 8, x += 8, y += 8;
		} else {
			if (*x != *y)
				break;
			n--, x++, y++;
		}
	}
	for (; n--; x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

/* Whole words, aligned so that none reaches into a page that the string has not: a sanitizer sees a
 * read behind the end. */
__attribute__((no_sanitize("address"))) size_t strlen(const char *s)
{
	const uint64_t ones = UINT64_MAX / 255;
	const char *e = s;

	for (; (uintptr_t)e & 7; e++)
		if (!*e)
			return (size_t)(e - s);
	for (;; e += 8) {
		const uint64_t w = *(const word8 *)e;

		if ((w - ones) & ~w & (ones << 7))
			break;
	}
	while (*e)
		e++;
	return (size_t)(e - s);
}

void *sys_pages(size_t n)
{
	long p = sys_call(
		SYS_mmap, 0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p < 0 && p > -4096 ? NULL : (void *)p;
}

int sys_nofile_lift(struct rlimit *ret_was)
{
	struct rlimit lim;

	if (sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &lim) < 0 || lim.rlim_cur >= lim.rlim_max)
		return -EMFILE;
	*ret_was = lim;
	lim.rlim_cur = lim.rlim_cur + 64 < lim.rlim_max ? lim.rlim_cur + 64 : lim.rlim_max;
	return sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, &lim, 0) < 0 ? -EMFILE : 0;
}

void sys_nofile_restore(const struct rlimit *was)
{
	sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, was, 0);
}

int sys_openat_own(int dir, const char *path, int flags)
{
	struct rlimit was;
	int r = sys_openat(dir, path, flags, 0);

	if (UNLIKELY(r == -EMFILE) && sys_nofile_lift(&was) == 0) {
		r = sys_openat(dir, path, flags, 0);
		sys_nofile_restore(&was);
	}
	return r;
}

int sys_dup_beyond(int fd)
{
	struct rlimit was;
	int to = sys_nofile_lift(&was);

	if (to < 0)
		return to;
	to = sys_fcntl(fd, F_DUPFD_CLOEXEC, (long)was.rlim_cur);
	sys_nofile_restore(&was);
	return to;
}

/* Strings that never die share one small arena; what does not fit gets pages of its own. */
char *mem_keep(const char *text, size_t n)
{
	static struct { /* one object: a page less to touch */
		size_t used;
		char text[16384 - 16] __attribute__((aligned(16)));
	} arena;
	size_t at = n < sizeof arena.text / 4
			    ? __atomic_fetch_add(&arena.used, (n + 16) & ~(size_t)15, __ATOMIC_RELAXED)
			    : sizeof arena.text;
	char *to = at + n + 1 <= sizeof arena.text ? arena.text + at : sys_pages(n + 1);

	if (to) {
		memcpy(to, text, n);
		to[n] = '\0';
	}
	return to;
}
