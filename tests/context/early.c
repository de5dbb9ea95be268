/* SPDX-License-Identifier: ISC
 *
 * Another library in the same process, whose constructor makes calls that libjail has wrapped: before
 * or after libjail's own constructor, as the loader has it.  -DINITFIRST: linked with -z initfirst.
 * What it saw is kept for the program, early_main.c, to print. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME2(lib, what) lib##_##what
#define NAME1(lib, what) NAME2(lib, what)
#define NAME(what) NAME1(LIB, what)
#define TEXT2(lib) #lib
#define TEXT(lib) TEXT2(lib)

char NAME(saw)[400];

__attribute__((constructor)) static void early(void)
{
	char text[64] = "", link[64] = "", cwd[200];
	int fd = open("/which", O_RDONLY);
	ssize_t n;
	struct stat st;
	struct passwd *pw;
	DIR *d;
	pid_t pid;

	if (fd >= 0) {
		n = read(fd, text, sizeof text - 1);
		text[n > 0 ? n - 1 : 0] = '\0';
		close(fd);
	}
	n = readlink("/link", link, sizeof link - 1);
	link[n > 0 ? n : 0] = '\0';
	pw = getpwuid(getuid());
	d = opendir("/which.d");
	snprintf(NAME(saw), sizeof NAME(saw), "%s: which %s fd %d stat %d link %s user %s cwd %s dir %s",
		TEXT(LIB), text, fd, stat("/which", &st) < 0 ? -errno : 0, link,
		pw ? pw->pw_name : "-", getcwd(cwd, sizeof cwd) ? cwd : "-", d ? "yes" : "no");
	if (d)
		closedir(d);
	/* a child in the middle of the loader's work */
	if (getenv("EARLY_EXEC")) {
		pid = fork();
		if (pid == 0) {
			unsetenv("EARLY_EXEC");
			execl("/bin/cat", "cat", "/which", (char *)NULL);
			_exit(1);
		}
	}
}
