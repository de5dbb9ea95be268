/* SPDX-License-Identifier: ISC
 *
 * What mounts.sh runs in the kernel's chroot and under jailrun, as root, to compare what they print.  In
 * the directory that is the argument, in a mount name space of its own.
 *
 *   mounts source     mount(2) of many sources and types, and what mountinfo says then
 *   mounts umount     umount2(2) of many names, with all flags but MNT_EXPIRE, of mounts of many kinds
 *   mounts space      unshare(2) and clone(2) with CLONE_NEWNS, and mounts thereafter
 *   mounts quota      quotactl(2), which has a second path; q is a file system that can have quotas, $QUOTA its device
 *   mounts binds      umount2(2) of what binds show: /work, /proc and /dev */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS(a) (sizeof(a) / sizeof *(a))
#define DO(call) did(call)

static char top[4096], deep[4200], sym[4200];

static long did(long r)
{
	printf(" %d", r < 0 ? errno : 0);
	fflush(stdout);
	return r;
}

static void put(const char *name, const char *text)
{
	const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0)
		exit(1);
}

static void look(const char *path)
{
	char name[16][256];
	struct dirent *e;
	struct statfs fs;
	size_t n = 0;
	DIR *d = opendir(path);

	printf(" [");
	if (statfs(path, &fs) == 0)
		printf("%lx", (unsigned long)fs.f_type);
	while (d && n < ROWS(name) && (e = readdir(d)))
		if (e->d_name[0] != '.')
			strcpy(name[n++], e->d_name);
	qsort(name, n, sizeof *name, (int (*)(const void *, const void *))strcmp);
	for (size_t i = 0; i < n; i++)
		printf(" %s", name[i]);
	printf("]");
	if (d)
		closedir(d);
}

static void show_last(void) /* what is in mountinfo behind the name of the mount, of the newest */
{
	char line[8192], last[8192] = "";
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof line, f))
		strcpy(last, line);
	if (f)
		fclose(f);
	if (strstr(last, " - "))
		printf(" %.*s", (int)strcspn(strstr(last, " - "), "\n"), strstr(last, " - "));
}

static void sources(void)
{
	static const char *const targets[] = {"m", deep, "nope", "f"};
	static const char *const types[] = {"ext4", "squashfs", "ext4.sub", "tmpfs", "proc", "sysfs", "nosuch", "", NULL};
	const char *const names[] = {"f", sym, "abs", "dang", "dangdev", "nope", "/nope", "/etc/hostname", "blk", "d", "d/chr",
		"none", "", "/", "/dev/null", "f/x", NULL};

	for (size_t i = 0; i < ROWS(names); i++)
		for (size_t k = 0; k < ROWS(types); k++)
			for (size_t l = 0; l < ROWS(targets); l++) {
				printf("mount %zu %s on %zu:", i, types[k] ? types[k] : "NULL", l);
				if (DO(mount(names[i], targets[l], types[k], MS_RDONLY, NULL)) == 0) {
					if (names[i] != sym)
						show_last();
					DO(umount(targets[l]));
				}
				printf("\n");
			}
}

/* Mounts of one kind; a descriptor that holds it, or -1. */
static int make(int kind)
{
	int fd = -1;

	switch (kind) {
	case 0: DO(mount("x", "m", "tmpfs", 0, "mode=755")); break;
	case 1: DO(mount("d", "m", NULL, MS_BIND, NULL)); break;
	case 2: /* one on top of the other, and a file */
		DO(mount("f", "mf", NULL, MS_BIND, NULL));
		DO(mount("x", deep, "tmpfs", 0, NULL));
		DO(mount("d", "lm", NULL, MS_BIND, NULL));
		break;
	case 3: /* busy */
		DO(mount("x", "m", "tmpfs", 0, NULL));
		fd = open("m", O_RDONLY | O_CLOEXEC);
		break;
	case 4:
		DO(mount("x", "alm", "tmpfs", 0, NULL));
		DO(chdir("m"));
		break;
	case 5: /* one in the other */
		DO(mount("x", "m", "tmpfs", 0, NULL));
		DO(mkdir("m/sub", 0755));
		DO(mount("y", "lm/sub", "tmpfs", 0, NULL));
		break;
	default: break;
	}
	return fd;
}

static void umounts(void)
{
	static const int flags[] = {0, MNT_DETACH, UMOUNT_NOFOLLOW, MNT_DETACH | UMOUNT_NOFOLLOW, MNT_FORCE, 1 << 20};
	const char *const names[] = {"m", deep, "m/", "m/.", "m/../m", "lm", "lm/", "alm", "/proc/self/cwd/m", "d/up/m", "mf",
		".", "nope", "f/x", ""};

	for (size_t i = 0; i < ROWS(names); i++)
		for (size_t k = 0; k < ROWS(flags); k++)
			for (int kind = 0; kind < 6; kind++) {
				printf("umount %zu flags %x kind %d:", i, (unsigned)flags[k], kind);
				const int fd = make(kind);

				DO(umount2(names[i], flags[k]));
				DO(umount2(names[i], flags[k]));
				look(deep);
				look("m");
				if (fd >= 0)
					close(fd);
				if (chdir(top) < 0)
					exit(1);
				for (int n = 0; n < 4; n++) {
					umount2("m/sub", MNT_DETACH);
					umount2("m", MNT_DETACH);
					umount2("mf", MNT_DETACH);
				}
				look("m");
				printf("\n");
			}
}

static int inner(void *text)
{
	DO(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL));
	DO(mount("x", "alm", "tmpfs", 0, NULL));
	DO(mkdir("m/only", 0755));
	look("m");
	look(deep);
	DO(umount(deep));
	look(deep);
	DO(mount("x", deep, "tmpfs", 0, NULL));
	DO(mkdir("m/left", 0755));
	look(deep);
	printf(" %s", (const char *)text);
	fflush(stdout);
	return 7;
}

static void ended(pid_t pid)
{
	int status = -1;

	if (pid > 0)
		waitpid(pid, &status, 0);
	printf(" status %x", (unsigned)status);
	look(deep);
	look("m");
	printf("\n");
}

static void spaces(void)
{
	static _Alignas(16) char stack[1 << 16];
	static const int flags[] = {SIGCHLD, CLONE_VM | CLONE_VFORK | SIGCHLD, CLONE_NEWPID | SIGCHLD, CLONE_NEWUTS | SIGCHLD};
	uint64_t args[8] = {CLONE_NEWNS, [4] = SIGCHLD};
	pid_t pid;

	for (size_t i = 0; i < ROWS(flags); i++) {
		printf("clone %zu:", i);
		fflush(stdout);
		ended(clone(inner, stack + sizeof stack, CLONE_NEWNS | flags[i], "arg"));
	}
	for (int i = 0; i < 3; i++) {
		printf("by number %d:", i);
		fflush(stdout);
		pid = i == 0 ? (pid_t)syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL)
		    : i == 1 ? (pid_t)syscall(SYS_clone3, args, sizeof args)
			     : fork();
		if (pid == 0) {
			if (i == 2)
				DO(syscall(SYS_unshare, CLONE_NEWNS));
			_exit(inner("number"));
		}
		ended(pid);
	}
	printf("executed:");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		DO(unshare(CLONE_NEWNS));
		DO(mount("x", deep, "tmpfs", 0, NULL));
		DO(mkdir("m/ex", 0755));
		execl("/proc/self/exe", "mounts", "inner", top, (char *)NULL);
		_exit(1);
	}
	ended(pid);
}

static void quotas(void)
{
	const char *const names[] = {"f", sym, "dang", "nope", "/nope", "/etc/hostname", "blk", "d", "d/chr", "", "/", "f/x",
		"q/lost+found", "/work/q", getenv("QUOTA"), NULL};

	for (size_t i = 0; i < ROWS(names); i++) {
		printf("quota %zu:", i);
		for (size_t k = 0; k < ROWS(names); k++) {
			DO(quotactl(QCMD(Q_QUOTAON, USRQUOTA), names[i], 2, (char *)names[k]));
			DO(quotactl(QCMD(Q_QUOTAON, 99), names[i], 2, (char *)names[k]));
		}
		DO(quotactl(QCMD(Q_SYNC, USRQUOTA), names[i], 0, NULL));
		DO(swapoff(names[i]));
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3 || chdir(argv[2]) < 0 || !getcwd(top, sizeof top))
		return 1;
	snprintf(deep, sizeof deep, "%s/m", top);
	snprintf(sym, sizeof sym, "%s/f", top);
	if (strcmp(what, "inner") == 0) {
		look(deep);
		return inner("inner");
	}
	if (strcmp(what, "binds") == 0) {
		DO(umount("/work"));
		DO(umount2("work/.", MNT_DETACH));
		DO(umount2("/proc/", MNT_DETACH));
		DO(umount2("/dev", UMOUNT_NOFOLLOW));
		printf("\n");
		return 0;
	}
	if (mkdir("d", 0755) < 0 || mkdir("m", 0755) < 0 || symlink("..", "d/up") < 0 || symlink("m", "lm") < 0 ||
		symlink(deep, "alm") < 0 || symlink(sym, "abs") < 0 || symlink("nope", "dang") < 0 ||
		symlink("/dev/nosuch", "dangdev") < 0 || mknod("blk", S_IFBLK | 0600, makedev(240, 99)) < 0 ||
		mknod("d/chr", S_IFCHR | 0600, makedev(1, 3)) < 0)
		return 1;
	put("f", "");
	put("mf", "");
	put("d/in", "");
	if (strcmp(what, "source") == 0)
		sources();
	else if (strcmp(what, "umount") == 0)
		umounts();
	else if (strcmp(what, "space") == 0)
		spaces();
	else if (strcmp(what, "quota") == 0)
		quotas();
	else
		return 1;
	return 0;
}
