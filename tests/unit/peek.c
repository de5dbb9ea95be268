/* SPDX-License-Identifier: ISC
 *
 * Memory that may not be there, by process_vm_readv(2) and, where a filter refuses that, page by page.
 *
 * links: sys/peek.o */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <errno.h>
#include <cmocka.h>
#include "../../preload/sys/peek.h"

/* Four pages: there, there, not readable, not mapped. */
static uintptr_t area;

static int setup(void **state)
{
	char *m = mmap(NULL, 4 * PEEK_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	memset(m, 'x', 2 * PEEK_PAGE);
	mprotect(m + 2 * PEEK_PAGE, PEEK_PAGE, PROT_NONE);
	munmap(m + 3 * PEEK_PAGE, PEEK_PAGE);
	area = (uintptr_t)m;
	return 0;
}

static int refuse(void **state)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog p = {sizeof f / sizeof *f, f};

	(void)state;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p);
}

static const struct row {
	const char *why;
	long at;
	size_t n, want;
} rows[] = {
	{"a few bytes",                    100,                8,             8        },
	{"across two pages",               PEEK_PAGE - 4,      8,             8        },
	{"the end of what is there",       2 * PEEK_PAGE - 8,  8,             8        },
	{"over the end",                   2 * PEEK_PAGE - 5,  8,             5        },
	{"pages, over the end",            4,                  4 * PEEK_PAGE, 2 * PEEK_PAGE - 4},
	{"what may not be read",           2 * PEEK_PAGE,      8,             0        },
	{"what is not mapped",             3 * PEEK_PAGE + 9,  8,             0        },
	{"nothing",                        0,                  0,             0        },
};

static void copies(void **state)
{
	const struct row *row = *state;
	static char to[4 * PEEK_PAGE];

	memset(to, 0, sizeof to);
	assert_int_equal(peek_some(to, area + (uintptr_t)row->at, row->n), row->want);
	for (size_t i = 0; i < row->want; i++)
		assert_int_equal(to[i], 'x');
	assert_int_equal(to[row->want], 0);
}

static void nowhere(void **state)
{
	char to[64];

	(void)state;
	assert_int_equal(peek_some(to, 0, 8), 0);
	assert_int_equal(peek_some(to, UINTPTR_MAX - 3, 8), 0);
	assert_int_equal(peek_some(to, UINTPTR_MAX - 4095, 8), 0);
	assert_false(peek_page(0));
	assert_true(peek_page(area));
	assert_false(peek_page(area + 2 * PEEK_PAGE));
	assert_false(peek_page(area + 3 * PEEK_PAGE));
}

int main(void)
{
	enum { ROWS = sizeof rows / sizeof *rows };
	struct CMUnitTest t[ROWS + 1];
	int r;

	for (int i = 0; i < ROWS; i++)
		t[i] = (struct CMUnitTest){rows[i].why, copies, NULL, NULL, (void *)(uintptr_t)&rows[i]};
	t[ROWS] = (struct CMUnitTest){"addresses that are none", nowhere, NULL, NULL, NULL};
	r = _cmocka_run_group_tests("peek", t, ROWS + 1, setup, NULL);
	if (refuse(NULL))
		return r;
	return r + _cmocka_run_group_tests("peek, refused", t, ROWS + 1, setup, NULL);
}
