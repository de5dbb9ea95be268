/* SPDX-License-Identifier: ISC
 *
 * The program of tests/context/audit.sh: does what its arguments say, then prints the objects that
 * the loader has, in its order and by its names.
 *   NAME          dlopen(3) it, print the error if there is one
 *   new:NAME      dlmopen(3) it into a name space of its own, print what that has
 *   via:FN:NAME   call the function FN of a loaded library, which opens NAME
 *   closeall      close every descriptor above 2
 *   fds           print the numbers of the open descriptors from 400 on, where libjail has its own
 *   maps          print the files that are mapped executable instead of the objects */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void show_name(const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

	if (*base && strncmp(base, "ld-", 3) != 0 && strncmp(base, "libc.", 5) != 0 &&
		strncmp(base, "libdl.", 6) != 0 && strncmp(base, "linux-vdso.", 11) != 0)
		printf("%s\n", name);
}

static int show(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	show_name(info->dlpi_name);
	return 0;
}

static void open_new(const char *name)
{
	void *handle = dlmopen(LM_ID_NEWLM, name, RTLD_NOW);
	struct link_map *map;

	if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
		printf("error: %s\n", dlerror());
		return;
	}
	for (; map; map = map->l_next)
		show_name(map->l_name);
}

static void maps(void)
{
	char line[8192];
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof line, f))
		if (strstr(line, " r-xp ") && strchr(line, '/'))
			fputs(strchr(line, '/'), stdout);
	if (f)
		fclose(f);
}

static void open_it(void *(*open)(const char *), const char *name)
{
	if (!open || !open(name))
		printf("error: %s\n", open ? dlerror() : "no such function");
}

static void *open_here(const char *name)
{
	return dlopen(name, RTLD_NOW);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *a = argv[i], *colon;

		if (strcmp(a, "closeall") == 0) {
			for (int fd = 3; fd < 4096; fd++)
				close(fd);
		} else if (strcmp(a, "fds") == 0) {
			for (int fd = 400; fd < 4096; fd++)
				if (fcntl(fd, F_GETFD) >= 0)
					printf("descriptor %d\n", fd);
		} else if (strcmp(a, "maps") == 0) {
			maps();
			return 0;
		} else if (strncmp(a, "new:", 4) == 0) {
			open_new(a + 4);
		} else if (strncmp(a, "via:", 4) == 0 && (colon = strchr(a + 4, ':'))) {
			void *(*open)(const char *);

			*colon = '\0';
			*(void **)&open = dlsym(RTLD_DEFAULT, a + 4); /* dlsym(3), NOTES */
			open_it(open, colon + 1);
		} else {
			open_it(open_here, a);
		}
	}
	dl_iterate_phdr(show, NULL);
	return 0;
}
