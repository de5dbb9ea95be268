/* SPDX-License-Identifier: ISC
 *
 * Prints the event of a leak that this program's own code made, as libjail would: its file, build
 * id and the address of the call, in the function that the test looks for.  Arguments: the path
 * that the event is to name, a build id (-: its own; =: none). */
#define _GNU_SOURCE
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uintptr_t base;
static char id[65];

static int own(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const char *at = (const char *)(base + p->p_vaddr), *end = at + p->p_memsz;

		while (p->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end) {
			const ElfW(Nhdr) *n = (const void *)at;
			const unsigned char *desc =
				(const unsigned char *)at + sizeof(*n) + (n->n_namesz + 3) / 4 * 4;

			if (n->n_type == NT_GNU_BUILD_ID)
				for (unsigned k = 0; k < n->n_descsz && k < 20; k++)
					sprintf(id + 2 * k, "%02x", desc[k]);
			at = (const char *)desc + (n->n_descsz + 3) / 4 * 4;
		}
	}
	return 1;
}

static __attribute__((noinline)) uintptr_t leak_here(void)
{
	return (uintptr_t)__builtin_return_address(0) - 1;
}

__attribute__((noinline)) uintptr_t open_the_log(void)
{
	uintptr_t at = leak_here(); /* the line */

	__asm__ volatile("" : "+r"(at));
	return at;
}

int main(int argc, char **argv)
{
	uintptr_t at = open_the_log();
	char host[256] = "";

	if (argc < 3)
		return 1;
	dl_iterate_phdr(own, NULL);
	gethostname(host, sizeof(host) - 1);
	printf("{\"v\":1,\"ev\":\"exec-leak\",\"t\":%ld.5,\"host\":\"%s\",\"run\":\"00\",\"pid\":7,"
	       "\"prog\":\"site\","
	       "\"exec\":1,\"target\":\"/bin/"
	       "sh\",\"count\":1,\"class\":\"open\",\"fds\":[{\"fd\":5,\"what\":\"/etc/hosts\"}],"
	       "\"site\":\"abc%s\",\"call\":\"open\",\"modules\":[{\"path\":\"%s\",\"id\":\"%s\"}],"
	       "\"stack\":[[0,\"0x%lx\"]],\"blame\":0}\n",
		(long)time(NULL) + 5, host, argc > 3 ? argv[3] : "", argv[1],
		strcmp(argv[2], "-") == 0   ? id
		: strcmp(argv[2], "=") == 0 ? ""
					    : argv[2],
		(unsigned long)(at - base));
	return 0;
}
