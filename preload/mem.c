/* SPDX-License-Identifier: ISC
 *
 * The C standard's memory functions, for a library that has no libc of its own: gcc and clang
 * emit calls to these four whatever the flags (gcc manual, "Standards"). */
#include "mem.h"
#include "sys.h"
#include "sys/lock.h"
#include <errno.h>
#include <linux/kcmp.h>
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

/* So many threads of the process nofile_pid want the limit lifted now; and what it is then put back to. */
static unsigned nofile_lifts;
static int nofile_pid;
static struct rlimit nofile_was;
BESIDE bool sys_nofile_used;

static struct rlimit nofile_up(const struct rlimit *was)
{
	struct rlimit up = *was;

	up.rlim_cur = was->rlim_max - was->rlim_cur > 64 ? was->rlim_cur + 64 : was->rlim_max;
	return up;
}

static int nofile_limit(const struct rlimit *new, struct rlimit *ret_old)
{
	return (int)sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, new, ret_old);
}

/* What the program has set meanwhile stays. */
static void nofile_back(const struct rlimit *was)
{
	struct rlimit now;

	if (nofile_limit(NULL, &now) == 0 && now.rlim_cur == nofile_up(was).rlim_cur) {
		now.rlim_cur = was->rlim_cur;
		nofile_limit(&now, NULL);
	}
}

/* Are the numbers those of the calling process?  A vfork child's are its parent's; a child of fork(2) has copies, which
 * become its own.  The caller has the lock. */
static bool nofile_mine(void)
{
	const int pid = sys_getpid();
	long r;

	if (LIKELY(pid == nofile_pid))
		return true;
	r = !nofile_pid ? -ESRCH : sys_filtered ? -EPERM : sys_call(SYS_kcmp, pid, nofile_pid, KCMP_VM, 0, 0);
	if (r <= 0 && r != -ESRCH)
		return false;
	if (nofile_lifts)
		sys_nofile_settle();
	nofile_lifts = 0;
	nofile_pid = pid;
	return true;
}

static int nofile_lift(struct rlimit *ret_was, bool mine)
{
	struct rlimit now, up;

	if (nofile_limit(NULL, &now) < 0)
		return -EMFILE;
	if (nofile_lifts && now.rlim_cur == nofile_up(&nofile_was).rlim_cur) { /* another thread has */
		*ret_was = nofile_was;
		nofile_lifts += mine;
		return 0;
	}
	if (now.rlim_cur >= now.rlim_max)
		return -EMFILE;
	*ret_was = now;
	up = nofile_up(&now);
	if (mine) {
		nofile_was = now;
		nofile_lifts = 1;
		__atomic_store_n(&sys_nofile_used, true, __ATOMIC_RELEASE); /* first, for who forks now */
	}
	return nofile_limit(&up, NULL);
}

int sys_nofile_lift(struct rlimit *ret_was)
{
	const uint64_t mask = lock_take(LOCK_NOFILE);
	const int r = nofile_lift(ret_was, nofile_mine());

	lock_give(LOCK_NOFILE, mask);
	return r;
}

void sys_nofile_restore(const struct rlimit *was)
{
	const uint64_t mask = lock_take(LOCK_NOFILE);
	const bool counted = nofile_mine() && nofile_lifts;

	if (!counted || nofile_lifts == 1)
		nofile_back(was);
	nofile_lifts -= counted;
	lock_give(LOCK_NOFILE, mask);
}

/* A limit that is as high as it may be is not ours for sure. */
void sys_nofile_settle(void)
{
	const struct rlimit was = nofile_was;

	if (nofile_lifts || nofile_up(&was).rlim_cur < was.rlim_max)
		nofile_back(&was);
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
	} arena __attribute__((aligned(4096))); /* so are its first uses */
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
