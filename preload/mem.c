/* SPDX-License-Identifier: ISC
 *
 * The C standard's memory functions, for a library that has no libc of its own: gcc and clang
 * emit calls to these four whatever the flags (gcc manual, "Standards"). */
#include "mem.h"
#include "sys.h"
#include <errno.h>
#include <sys/mman.h>

/* Whatever lies there, wherever it lies: both machines read and write words at any address. */
typedef unsigned long word __attribute__((may_alias, aligned(1)));

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;

	for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word))
		*(word *)(void *)t = *(const word *)(const void *)f;
	while (n--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int c, size_t n)
{
	const word w = (unsigned char)c * (~(word)0 / 255);
	char *t = to;

	for (; n >= sizeof w; n -= sizeof w, t += sizeof w)
		*(word *)(void *)t = w;
	while (n--)
		*t++ = (char)c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n--; x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	const char *e = s;

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

/* Strings that never die share a small arena, which suffices for most configurations and is where a
 * process has written already, and a larger one; what does not fit gets pages of its own. */
BESIDE static struct {
	size_t used;
	char text[1024 - 16] __attribute__((aligned(16)));
} small;
static struct {
	size_t used;
	char text[16384 - 16] __attribute__((aligned(16)));
} large;

static char *room(size_t *used, char *text, size_t size, size_t n)
{
	const size_t want = (n + 16) & ~(size_t)15; /* n and a NUL, aligned */
	size_t at = __atomic_load_n(used, __ATOMIC_RELAXED);

	do
		if (want > size / 4 || at + want > size)
			return NULL;
	while (!__atomic_compare_exchange_n(used, &at, at + want, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return text + at;
}

char *mem_keep(const char *text, size_t n)
{
	char *to = room(&small.used, small.text, sizeof small.text, n);

	if (!to)
		to = room(&large.used, large.text, sizeof large.text, n);
	if (!to)
		to = sys_pages(n + 1);
	if (to) {
		memcpy(to, text, n);
		to[n] = '\0';
	}
	return to;
}
