/* SPDX-License-Identifier: ISC
 *
 * An object that a program opens with RTLD_DEEPBIND, or in a name space of its own, does what plug-ins
 * do with files; deep.sh runs this under the kernel's chroot and under libjail.  Three objects from
 * one source, as -D says: the program, the plug-in, and a library that the plug-in needs:
 *   deep deep|lazy|plain|apart [again]   open the plug-in in this way, and call it
 *   deep apart often                     open it 40 times, and close it
 *   deep apart root                      change the root, now here and now there
 *   deep apart later                     when there is a line to read */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(LIBRARY)

/* What libjail has as well: the plug-in is linked with this one, in front of libc. */
int creat(const char *path, mode_t mode)
{
	(void)mode;
	return printf("the library's creat: %s\n", path);
}

const char *both(void)
{
	return "the library's";
}

#elif defined(PLUGIN)

const char *both(void);
char *l64a(long n);
const char *own(void);
void plugin(void);
int plugin_root(const char *dir, const char *file);

/* The addresses are data, as in the tables of sqlite(3) and of glib. */
static int (*const open_at)(const char *, int, ...) = open;
static int (*const access_at)(const char *, int) = access;

const char *own(void)
{
	return "the plug-in's";
}

static void cat(const char *how, int fd)
{
	char text[256];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n < 0)
		printf("%s: %s\n", how, strerror(errno));
	else
		printf("%s: %.*s", how, (int)n, text);
	if (fd >= 0)
		close(fd);
}

__attribute__((constructor)) static void start(void)
{
	cat("constructor", open("/etc/hostname", O_RDONLY));
}

static void run(const char *how, pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	printf("%s: %d\n", how, status);
}

/* Files, by every way to a function. */
static void files(void)
{
	int (*by_name)(const char *, int, ...);
	void *(*no_plt)(const char *) = (void *(*)(const char *))opendir;
	char path[PATH_MAX], *line = NULL;
	size_t room = 0;
	struct stat st;
	FILE *f;
	DIR *d;
	int r;

	cat("open", open("/opt/only/file", O_RDONLY));
	cat("open of a link", open("/opt/t/abs", O_RDONLY));
	cat("open, from a table", open_at("/opt/only/file", O_RDONLY));
	*(void **)&by_name = dlsym(RTLD_DEFAULT, "open");
	cat("open, by dlsym", by_name("/opt/only/file", O_RDONLY));
	printf("access: %d %d\n", access_at("/opt/only/file", R_OK), access_at("/opt/nope", R_OK));
	r = stat("/opt/t/abs", &st);
	printf("stat: %d %ld\n", r, (long)st.st_size);
	r = stat("/opt/nope", &st);
	printf("stat: %d %s\n", r, strerror(errno));
	printf("realpath: %s\n", realpath("/opt/t/abs", path));
	f = fopen("/etc/hostname", "r");
	if (f && getline(&line, &room, f) > 0)
		printf("fopen: %s", line);
	if (f)
		fclose(f);
	free(line);
	d = no_plt("/opt/only");
	for (struct dirent *e; d && (e = readdir(d));)
		if (*e->d_name != '.')
			printf("opendir: %s\n", e->d_name);
	if (d)
		closedir(d);
	r = chdir("/opt/t/link");
	printf("chdir: %d %s\n", r, getcwd(path, sizeof path));
	line = getcwd(NULL, 0);
	printf("getcwd: %s\n", line);
	free(line);
	r = mkdir("/home/jailer/work/made", 0755);
	printf("mkdir, symlink: %d %d\n", r, symlink("/etc/hostname", "/home/jailer/work/sym"));
}

static void others(void)
{
	char *const argv[] = {"cat", "/opt/only/file", NULL};
	struct passwd *pw = getpwuid(4242);
	char line[256] = "";
	FILE *f;
	pid_t pid;

	printf("getpwuid: %s\n", pw ? pw->pw_name : "none");
	pw = getpwnam("jailer");
	printf("getpwnam: %s\n", pw ? pw->pw_dir : "none");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execv("/bin/cat", argv);
		_exit(127);
	}
	run("execv", pid);
	pid = vfork();
	if (pid == 0) {
		execvp("cat", argv);
		_exit(127);
	}
	run("vfork, execvp", pid);
	printf("system: %d\n", system("cat /opt/t/abs"));
	f = popen("cat /etc/hostname", "r");
	if (f && fgets(line, sizeof line, f))
		printf("popen: %s", line);
	if (f)
		pclose(f);
}

void plugin(void)
{
	void *h;

	printf("own: %s, both: %s, l64a: %s\n", own(), both(), l64a(1));
	creat("/opt/nope", 0);
	files();
	others();
	h = dlopen("libmore.so", RTLD_NOW); /* along this object's RUNPATH */
	printf("dlopen: %s\n", h ? "found" : dlerror());
	h = dlopen("libnone.so", RTLD_NOW);
	printf("dlopen: %s\n", h ? "found" : dlerror());
	fflush(stdout);
}

int plugin_root(const char *dir, const char *file)
{
	int r = dir ? chroot(dir) : 0;

	cat(file, open(file, O_RDONLY));
	fflush(stdout);
	return r;
}

#else

/* What the plug-in, the library and libc have as well. */
const char *own(void)
{
	return "the program's";
}

const char *both(void)
{
	return "the program's";
}

char *l64a(long n)
{
	(void)n;
	return "the program's";
}

static int often(void)
{
	int n = 0;

	for (; n < 40; n++) {
		void *h = dlmopen(LM_ID_NEWLM, "/opt/deep/libfirst.so", RTLD_NOW);

		if (!h || dlclose(h) != 0)
			return printf("%d: %s\n", n, dlerror());
	}
	return printf("%d times\n", n);
}

static int roots(int (*plugin_root)(const char *, const char *), void *h)
{
	struct stat st;
	int r;

	plugin_root("/opt", "/only/file");
	r = stat("/only/file", &st);
	printf("there, then here: %d\n", r);
	r = chroot("/only");
	printf("here: %d\n", r);
	plugin_root(NULL, "/file");
	r = dlclose(h);
	printf("dlclose: %d\n", r);
	r = stat("/file", &st);
	printf("after that: %d\n", r);
	h = dlmopen(LM_ID_NEWLM, "/nope.so", RTLD_NOW);
	return printf("%s\n", dlerror());
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "", *what = argc > 2 ? argv[2] : "";
	int mode = strcmp(how, "lazy") == 0 ? RTLD_LAZY | RTLD_GLOBAL : RTLD_NOW;
	void (*plugin)(void);
	int (*by_handle)(const char *, int), (*root)(const char *, const char *);
	void *h;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(what, "often") == 0)
		return often() < 0;
	if (strcmp(how, "plain") != 0)
		mode |= RTLD_DEEPBIND;
	if (strcmp(what, "later") == 0)
		getchar();
	h = strcmp(how, "apart") == 0 ? dlmopen(LM_ID_NEWLM, "/opt/deep/libplugin.so", mode)
				      : dlopen("/opt/deep/libplugin.so", mode);
	if (!h) {
		printf("%s\n", dlerror());
		return 1;
	}
	*(void **)&root = dlsym(h, "plugin_root");
	if (strcmp(what, "root") == 0)
		return roots(root, h) < 0;
	*(void **)&plugin = dlsym(h, "plugin");
	plugin();
	*(void **)&by_handle = dlsym(h, "access");
	printf("access, by the handle: %d\n", by_handle("/opt/only/file", R_OK));
	printf("the same: %d\n", dlsym(h, "access") == dlsym(RTLD_DEFAULT, "access"));
	if (strcmp(what, "again") == 0) {
		printf("dlclose: %d\n", dlclose(h));
		printf("again: %d\n", dlopen("/opt/deep/libplugin.so", mode) != NULL);
	}
	h = dlopen("/opt/deep/libneeds.so", mode);
	printf("missing: %d %s\n", h != NULL, dlerror());
	printf("after that: %d\n", dlopen("/opt/deep/libmore.so", mode) != NULL);
	return 0;
}

#endif
