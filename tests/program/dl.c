/* SPDX-License-Identifier: ISC
 *
 * What a program learns of its loader; dl.sh runs this under the kernel's chroot and under libjail.
 * Each argument is a step, and prints a line or more:
 *   open:NAME lazy:NAME noload:NAME   dlopen(3); the error, or what dladdr(3) and dlinfo(3) say of it
 *   apart:NAME with:NAME              dlmopen(3), in a name space of its own, or in the program's
 *   sym:NAME vsym:NAME                dlsym(3), dlvsym(3) in what was opened last
 *   via:NAME                          the object that was opened last opens NAME
 *   addr:NAME                         dladdr(3) of a function of the program's scope
 *   cd:DIR close list links serinfo main mode bad trace */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <execinfo.h>
#endif

static void *last;

/* Ours is not the guest's. */
static int other(const char *name)
{
	return strstr(name, "libjail") == NULL;
}

static void error(const char *what)
{
	const char *text = dlerror();

	printf("%s: %s\n", what, text ? text : "no error");
	if (dlerror())
		printf("%s: and another\n", what);
}

static void tell(void *h)
{
	struct link_map *map = NULL;
	char origin[4096] = "";
	Dl_info info;

	if (dlinfo(h, RTLD_DI_LINKMAP, &map) != 0 || !map) {
		error("link_map");
		return;
	}
	printf("\tl_name %s\n", map->l_name);
	if (dladdr(map->l_ld, &info))
		printf("\tdladdr %s, base %d\n", info.dli_fname, (uintptr_t)info.dli_fbase >= map->l_addr);
	else
		error("dladdr");
#ifdef __GLIBC__
	if (!*map->l_name)
		return; /* of the program glibc 2.31 knows none, and crashes */
	if (dlinfo(h, RTLD_DI_ORIGIN, origin) == 0)
		printf("\torigin %s\n", origin);
	else
		error("origin");
#endif
	(void)origin;
}

static void open_it(const char *how, const char *name, void *(*open)(const char *, int), int mode)
{
	void *h = open(name, mode);

	printf("%s %.80s\n", how, name ? name : "NULL");
	if (!h) {
		error("\terror");
		return;
	}
	printf("\t%s\n", h == last ? "the same" : "another");
	last = h;
	tell(h);
}

#ifdef __GLIBC__
static void *apart(const char *name, int mode)
{
	return dlmopen(LM_ID_NEWLM, name, mode);
}

static void *with(const char *name, int mode)
{
	return dlmopen(LM_ID_BASE, name, mode);
}
#endif

static int list_one(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	if (other(info->dlpi_name))
		printf("\t%d %s, %d headers\n", (*(int *)data)++, info->dlpi_name, info->dlpi_phnum);
	return 0;
}

static void links(void)
{
	struct link_map *map;
	void *h = dlopen(NULL, RTLD_NOW);

	if (h && dlinfo(h, RTLD_DI_LINKMAP, &map) == 0)
		for (; map; map = map->l_next)
			if (other(map->l_name))
				printf("\t%s\n", map->l_name);
}

static void serinfo(void)
{
#ifdef __GLIBC__
	Dl_serinfo size, *all;

	if (!last || dlinfo(last, RTLD_DI_SERINFOSIZE, &size) != 0 || !(all = malloc(size.dls_size))) {
		error("serinfo");
		return;
	}
	dlinfo(last, RTLD_DI_SERINFOSIZE, all);
	if (dlinfo(last, RTLD_DI_SERINFO, all) != 0)
		error("serinfo");
	for (unsigned i = 0; i < all->dls_cnt; i++)
		printf("\t%s %x\n", all->dls_serpath[i].dls_name, all->dls_serpath[i].dls_flags);
	free(all);
#endif
}

static void address(const char *name)
{
	void *at = dlsym(RTLD_DEFAULT, name);
	Dl_info info;

	if (!at)
		error(name);
	else if (!dladdr(at, &info))
		printf("\tnone\n");
	else
		printf("\t%s %s %d\n", info.dli_fname, info.dli_sname, info.dli_saddr == at);
}

static void backtrace_it(void)
{
#ifdef __GLIBC__
	void *at[] = {(void *)list_one, dlsym(RTLD_DEFAULT, "strtol"), last ? dlsym(last, "via") : NULL};
	char **lines = backtrace_symbols(at, 3);

	for (int i = 0; lines && i < 3; i++)
		printf("\t%.*s\n", (int)strcspn(lines[i], "["), lines[i]);
	free(lines);
#endif
}

static void bad(void)
{
	static int nothing[64];
	Dl_info info;

	printf("\tdladdr %d %d\n", dladdr(NULL, &info), dladdr(&info, &info));
	printf("\tdlinfo %d\n", dlinfo(last, 4242, &info));
	error("\terror");
	printf("\tmode %d\n", dlopen("libc.so.6", 0) != NULL);
	error("\terror");
#ifndef __GLIBC__
	printf("\thandle %d %.22s\n", dlsym(nothing, "x") != NULL, dlerror());
	printf("\tdlclose %d %.22s\n", dlclose(nothing), dlerror());
#endif
	(void)nothing;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		char *word = argv[i], *name = strchr(word, ':');

		if (name)
			*name++ = '\0';
		else
			name = word + strlen(word);
		if (!strcmp(word, "open"))
			open_it(word, name, dlopen, RTLD_NOW);
		else if (!strcmp(word, "lazy"))
			open_it(word, name, dlopen, RTLD_LAZY | RTLD_GLOBAL);
		else if (!strcmp(word, "noload"))
			open_it(word, name, dlopen, RTLD_NOW | RTLD_NOLOAD);
		else if (!strcmp(word, "main"))
			open_it(word, NULL, dlopen, RTLD_NOW);
		else if (!strcmp(word, "via")) {
			void *(*via)(const char *, int);

			*(void **)&via = last ? dlsym(last, "via") : NULL;
			if (via)
				open_it(word, name, via, RTLD_NOW);
			else
				error(word);
		} else if (!strcmp(word, "sym")) {
			printf("%s %s %d\n", word, name, dlsym(last ? last : RTLD_DEFAULT, name) != NULL);
			error("\terror");
#ifdef __GLIBC__
		} else if (!strcmp(word, "apart")) {
			open_it(word, name, apart, RTLD_NOW);
		} else if (!strcmp(word, "with")) {
			open_it(word, name, with, RTLD_NOW);
		} else if (!strcmp(word, "vsym")) {
			printf("%s %s %d\n", word, name, dlvsym(last ? last : RTLD_DEFAULT, name, "NONE_1.0") != NULL);
			error("\terror");
#endif
		} else if (!strcmp(word, "close")) {
			printf("%s %d\n", word, last ? dlclose(last) : -1);
			last = NULL;
		} else if (!strcmp(word, "cd")) {
			printf("%s %s %d\n", word, name, chdir(name));
		} else {
			int n = 0;

			printf("%s %s\n", word, name);
			if (!strcmp(word, "list"))
				dl_iterate_phdr(list_one, &n);
			else if (!strcmp(word, "links"))
				links();
			else if (!strcmp(word, "serinfo"))
				serinfo();
			else if (!strcmp(word, "addr"))
				address(name);
			else if (!strcmp(word, "trace"))
				backtrace_it();
			else if (!strcmp(word, "bad"))
				bad();
		}
	}
	return 0;
}
