/* SPDX-License-Identifier: ISC
 *
 * A small program of every trade for a root of musl: its name or first argument says which.  Each
 * prints what the libc tells it, so that the kernel's chroot and jailrun can be compared. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int cat(char **names)
{
	char line[512];
	int bad = 0;

	for (; *names; names++) {
		FILE *f = fopen(*names, "r");

		if (!f) {
			printf("%s: %s\n", *names, strerror(errno));
			bad = 1;
			continue;
		}
		while (fgets(line, sizeof line, f))
			fputs(line, stdout);
		fclose(f);
	}
	return bad;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int ls(char **names)
{
	for (; *names; names++) {
		struct dirent **list;
		int n = scandir(*names, &list, NULL, by_name);

		if (n < 0)
			printf("%s: %s\n", *names, strerror(errno));
		for (int i = 0; i < n; i++) {
			char path[4096], target[4096];
			struct stat st;
			ssize_t len;

			snprintf(path, sizeof path, "%s/%s", *names, list[i]->d_name);
			len = readlink(path, target, sizeof target - 1);
			target[len < 0 ? 0 : len] = '\0';
			if (lstat(path, &st) == 0)
				printf("%06o %s %s\n", (unsigned)st.st_mode, list[i]->d_name, target);
		}
	}
	return 0;
}

static int self(char **argv)
{
	char exe[4096], cwd[4096], name[17] = "";
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	struct passwd *pw = getpwuid(getuid());
	struct group *gr = getgrgid(getgid());

	exe[n < 0 ? 0 : n] = '\0';
	prctl(PR_GET_NAME, name);
	printf("argv[0] %s, exe %s, name %s, invoked as %s, execfn %s, cwd %s, user %s, group %s\n",
		argv[0], exe, name, program_invocation_name, (char *)getauxval(AT_EXECFN),
		getcwd(cwd, sizeof cwd) ? cwd : strerror(errno), pw ? pw->pw_name : "?",
		gr ? gr->gr_name : "?");
	return 0;
}

static int maps(void)
{
	char line[4500];
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof line, f)) {
		const char *path = strchr(line, '/');

		if (path)
			fputs(path, stdout);
	}
	return 0;
}

static int globs(char **patterns)
{
	for (; *patterns; patterns++) {
		glob_t g;
		int r = glob(*patterns, 0, NULL, &g);

		printf("%s: %d", *patterns, r);
		for (size_t i = 0; r == 0 && i < g.gl_pathc; i++)
			printf(" %s", g.gl_pathv[i]);
		putchar('\n');
	}
	return 0;
}

static int work(char **argv)
{
	char tmp[] = "tmp.XXXXXX", real[4096];
	int fd;

	if (chdir(argv[0]) != 0 || mkdir("made", 0750) != 0 || symlink("/etc/motd", "made/abs") != 0 ||
		symlink("../..", "made/up") != 0 || rename("made/up", "made/moved") != 0 ||
		(fd = mkstemp(tmp)) < 0 || write(fd, "x\n", 2) != 2 || link(tmp, "hard") != 0 ||
		unlink(tmp) != 0 || chmod("hard", 0640) != 0 || mkfifo("fifo", 0600) != 0) {
		perror("work");
		return 1;
	}
	printf("%s\n", realpath("made/abs", real) ? real : strerror(errno));
	printf("%s\n", realpath("made/moved", real) ? real : strerror(errno));
	return 0;
}

static int run(char **argv)
{
	pid_t pid;
	int st = 0, e;

	fflush(stdout);
	e = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (e) {
		printf("%s: %s\n", argv[0], strerror(e));
		return 1;
	}
	waitpid(pid, &st, 0);
	printf("status %d\n", WEXITSTATUS(st));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "self";
	void *h;

	if (!strcmp(what, "cat"))
		return cat(argv + 2);
	if (!strcmp(what, "ls"))
		return ls(argv + 2);
	if (!strcmp(what, "maps"))
		return maps();
	if (!strcmp(what, "glob"))
		return globs(argv + 2);
	if (!strcmp(what, "work"))
		return work(argv + 2);
	if (!strcmp(what, "run"))
		return run(argv + 2);
	if (!strcmp(what, "exec")) {
		execvp(argv[2], argv + 2);
		printf("%s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	if (!strcmp(what, "system")) {
		fflush(stdout);
		return WEXITSTATUS(system(argv[2]));
	}
	if (!strcmp(what, "env")) {
		for (char **e = environ; *e; e++)
			puts(*e);
		return 0;
	}
	if (!strcmp(what, "clean")) { /* exec with no environment at all */
		char *none[] = {NULL};

		execve(argv[2], argv + 2, none);
		return 1;
	}
	if (!strcmp(what, "dlopen")) {
		h = dlopen(argv[2], RTLD_NOW);
		printf("%s\n", h ? ((const char *(*)(void))dlsym(h, "plugin"))() : "cannot be loaded");
		return 0;
	}
	return self(argv);
}
