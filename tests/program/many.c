/* SPDX-License-Identifier: ISC
 *
 * many WHAT N: makes N of something below /w, looks at each while doing so, and says "done N".  Run by many.sh
 * in a root, which counts what that costs. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad;

static void check(int ok, const char *what)
{
	if (!ok && !bad++)
		perror(what);
}

/* Each symlink is made, read and followed, and something else is looked at. */
static void symlinks(int n)
{
	char path[100], text[20];
	struct stat st;

	for (int i = 0; i < n; i++) {
		sprintf(path, "/w/links/%d", i);
		check(symlink("../a/b/file", path) == 0, "symlink");
		check(lstat(path, &st) == 0 && S_ISLNK(st.st_mode), "lstat");
		check(stat(path, &st) == 0 && S_ISREG(st.st_mode), "stat");
		check(readlink(path, text, sizeof text) == 11, "readlink");
		check(access("/w/a/b/file", F_OK) == 0, "access");
	}
}

/* As tar, rsync and dpkg write: another name first; a directory for each fifty. */
static void files(int n)
{
	char dir[50], path[100], new[110];
	struct stat st;

	for (int i = 0; i < n; i++) {
		int fd;

		sprintf(dir, "/w/tree/%d", i / 50);
		if (i % 50 == 0)
			check(mkdir(dir, 0755) == 0, "mkdir");
		sprintf(path, "%s/%d", dir, i);
		sprintf(new, "%s.new", path);
		check(lstat(path, &st) != 0, "lstat of none");
		fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		check(fd >= 0 && close(fd) == 0, "open");
		check(chmod(new, 0600) == 0, "chmod");
		check(rename(new, path) == 0, "rename");
		check(stat(path, &st) == 0, "stat");
	}
}

/* Looks at the whole tree, by absolute names and by the names in a directory, then removes it. */
static void walk(int n)
{
	char dir[50], path[320];
	struct dirent *e;
	struct stat st;
	int seen = 0;

	files(n);
	for (int i = 0; i * 50 < n; i++) {
		DIR *d;

		sprintf(dir, "/w/tree/%d", i);
		d = opendir(dir);
		check(d != NULL, "opendir");
		while (d && (e = readdir(d))) {
			if (e->d_name[0] == '.')
				continue;
			sprintf(path, "%s/%s", dir, e->d_name);
			check(lstat(path, &st) == 0 && fstatat(dirfd(d), e->d_name, &st, 0) == 0, "lstat");
			check(unlink(path) == 0, "unlink");
			seen++;
		}
		if (d)
			closedir(d);
		check(rmdir(dir) == 0, "rmdir");
	}
	check(seen == n, "all were seen");
}

/* Directories in directories, each moved once: what lies below has a new name. */
static void moves(int n)
{
	char path[100], to[100];
	struct stat st;

	for (int i = 0; i < n; i++) {
		sprintf(path, "/w/tree/%d", i);
		sprintf(to, "/w/moved/%d", i);
		check(mkdir(path, 0755) == 0, "mkdir");
		check(lstat(path, &st) == 0, "lstat");
		check(rename(path, to) == 0, "rename");
		check(lstat(path, &st) != 0 && lstat(to, &st) == 0, "lstat of both");
		check(access("/w/a/b/file", F_OK) == 0, "access");
	}
}

static void *renames(void *none)
{
	for (;;) {
		rename("/w/a/one", "/w/a/two");
		rename("/w/a/two", "/w/a/one");
	}
	return none;
}

/* So many children die in the middle of a rename: killed, or because another thread of theirs ends them.  Then the
 * file is looked at a thousand times, after a line on stderr. */
static void killed(int n)
{
	struct stat st;

	check(close(creat("/w/a/one", 0644)) == 0, "creat");
	for (int i = 0; i < n; i++) {
		pthread_t thread;
		pid_t pid = fork();

		if (pid == 0) {
			if (i % 2)
				renames(NULL);
			pthread_create(&thread, NULL, renames, NULL);
			usleep(3000);
			_exit(0);
		}
		if (i % 2) {
			usleep(3000);
			kill(pid, SIGKILL);
		}
		check(waitpid(pid, NULL, 0) == pid, "waitpid");
	}
	check(write(2, "now\n", 4) == 4, "write");
	for (int i = 0; i < 1000; i++)
		check(stat("/w/a/b/file", &st) == 0, "stat");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(int);
	} all[] = {{"symlinks", symlinks}, {"files", files}, {"walk", walk}, {"moves", moves}, {"killed", killed}};

	for (size_t i = 0; argc == 3 && i < sizeof all / sizeof *all; i++)
		if (strcmp(argv[1], all[i].name) == 0) {
			all[i].run(atoi(argv[2]));
			if (!bad)
				printf("done %d\n", atoi(argv[2]));
			return bad != 0;
		}
	return 2;
}
