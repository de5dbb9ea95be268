/* SPDX-License-Identifier: ISC
 *
 * What a program gets from calls that its libc makes by newer system calls, where there are any; a line for each.
 * older.sh compares: the same kernel, with and without libjail. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static void tell(const char *what, long r)
{
	printf("%s = %ld %s\n", what, r, errno ? strerror(errno) : "");
	errno = 0;
}
#define TELL(call) (errno = 0, tell(#call, (long)(call)))

static int is_open(int fd)
{
	int r = fcntl(fd, F_GETFD) >= 0;

	errno = 0;
	return r;
}

/* in a child, which has nothing left to lose */
static void closing(void)
{
	int high = fcntl(1, F_DUPFD, 900), low = fcntl(1, F_DUPFD, 20);

	closefrom(25);
	printf("closefrom: %d %d\n", is_open(low), is_open(high));
	printf("still in the root: %d\n", access("/etc/hostname", F_OK));
}

static void spawning(char *self)
{
	char *argv[] = {self, "open", "20", "30", NULL}, *envp[] = {NULL};
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int r;

	dup2(1, 20);
	dup2(1, 30);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addclosefrom_np(&fa, 25);
	fflush(stdout);
	r = posix_spawn(&pid, self, &fa, NULL, argv, envp);
	printf("posix_spawn = %d\n", r);
	if (r == 0)
		waitpid(pid, NULL, 0);
	close(20);
	close(30);
}

static void access_all(void)
{
	static const char *const names[] = {"/etc/hostname", "/etc", "/etc/sub/../secret", "/etc/link", "/none", ""};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		for (int mode = 0; mode < 8; mode++) {
			printf("%s %d: ", names[i], mode);
			TELL(access(names[i], mode));
			TELL(eaccess(names[i], mode));
			TELL(faccessat(AT_FDCWD, names[i], mode, 0));
			TELL(faccessat(AT_FDCWD, names[i], mode, AT_EACCESS));
			TELL(faccessat(AT_FDCWD, names[i], mode, AT_SYMLINK_NOFOLLOW));
			TELL(faccessat(AT_FDCWD, names[i], mode, AT_EMPTY_PATH));
			TELL(syscall(SYS_faccessat2, AT_FDCWD, names[i], mode, AT_EACCESS));
			TELL(syscall(SYS_faccessat2, AT_FDCWD, names[i], mode, 0));
		}
}

static void changing(void)
{
	char long_how[5000] = "";
	struct stat st = {0};

	TELL(close(open("/work/f", O_CREAT | O_RDWR, 0644)));
	TELL(symlink("f", "/work/l"));
	TELL(chmod("/work/l", 0600));
	TELL(fchmodat(AT_FDCWD, "/work/f", 0640, AT_SYMLINK_NOFOLLOW));
	TELL(fchmodat(AT_FDCWD, "/work/l", 0640, AT_SYMLINK_NOFOLLOW));
	TELL(syscall(SYS_fchmodat2, AT_FDCWD, "/work/f", 0644, 0));
	TELL(syscall(SYS_fchmodat2, AT_FDCWD, "/none", 0644, AT_SYMLINK_NOFOLLOW));
	TELL(utimensat(AT_FDCWD, "/work/l", NULL, 0));
	TELL(utimensat(AT_FDCWD, "/work/l", NULL, AT_SYMLINK_NOFOLLOW));
	TELL(utimensat(AT_FDCWD, "/work/f", NULL, AT_EMPTY_PATH));
	TELL(utimensat(AT_FDCWD, "/none", NULL, AT_EMPTY_PATH));
	TELL(lsetxattr("/work/l", "user.x", "1", 1, 0));
	TELL(setxattr("/work/l", "user.x", "1", 1, 0));
	TELL(getxattr("/work/f", "user.x", long_how, 1));
	TELL(removexattr("/work/f", "user.x"));
	TELL(syscall(SYS_openat2, AT_FDCWD, "/work/f", long_how, 24));
	TELL(syscall(SYS_openat2, AT_FDCWD, "/work/f", long_how, 23));
	TELL(syscall(SYS_openat2, AT_FDCWD, "/none", long_how, 24));
	TELL(syscall(SYS_clone3, long_how, 1));
	TELL(stat("/work/f", &st));
	printf("mode %o\n", (unsigned)st.st_mode);
	TELL(unlink("/work/l"));
	TELL(unlink("/work/f"));
	TELL(execl("/etc/hostname", "x", NULL));
	TELL(execl("/none", "x", NULL));
	TELL(chdir("/etc/locked"));
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc > 2 && strcmp(argv[1], "open") == 0) {
		for (int i = 2; i < argc; i++)
			printf("%s: %d\n", argv[i], is_open(atoi(argv[i])));
		return 0;
	}
	/* UID GID: root, who is somebody else for a while */
	if (argc == 3 && (setegid((gid_t)atoi(argv[2])) < 0 || seteuid((uid_t)atoi(argv[1])) < 0))
		return 77;
	access_all();
	changing();
	if (!getenv("NO_SPAWN"))
		spawning(argv[0]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		closing();
		return 0;
	}
	waitpid(pid, NULL, 0);
	TELL(access("/etc/hostname", R_OK));
	return 0;
}
