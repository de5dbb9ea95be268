/* SPDX-License-Identifier: ISC
 *
 * What children see of what their parent's threads are in the middle of: locks ROW [ARGUMENT...], a row each for
 * locks.sh.
 *
 *   storm LIB N    N children of fork(2), while a thread makes the reporter look at the loader's list again and again; each
 *                  child opens LIB and leaves a descriptor that LIB has made
 *   system FIFO    a vfork child calls system(3) while a thread is in it
 *   syslog         a vfork child calls syslog(3) before its parent does, whose descriptors stay its own */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *library;
static volatile int stop;

/* call(path, flags, open), as a just-in-time compiler may have made it: in no object that the loader knows. */
static const unsigned char code[] = {
#if defined(__x86_64__)
	0x48, 0x83, 0xec, 0x08, 0x31, 0xc0, 0xff, 0xd2, 0x48, 0x83, 0xc4, 0x08, 0xc3
#elif defined(__aarch64__)
	0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91, 0x40, 0x00, 0x3f, 0xd6, 0xfd, 0x7b, 0xc1, 0xa8, 0xc0, 0x03,
	0x5f, 0xd6
#endif
};

static void *opens(void *arg)
{
	enum { SIZE = 1 << 20, STEP = 32 };
	int (*call)(const char *, int, int (*)(const char *, int, ...));
	char *area = mmap(NULL, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int at = 0; at < SIZE; at += STEP) /* each is new to the reporter */
		memcpy(area + at, code, sizeof code);
	__builtin___clear_cache(area, area + SIZE);
	for (int at = 0; !stop; at = (at + STEP) % SIZE) {
		const void *p = area + at;

		memcpy(&call, &p, sizeof call);
		close(call("/dev/null", O_RDONLY | O_CLOEXEC, open));
	}
	return arg;
}

static int leaks(void)
{
	void *l = dlopen(library, RTLD_NOW);
	int (*make)(void) = l ? (int (*)(void))dlsym(l, "make") : NULL;

	return make && make() >= 0 ? 0 : 1;
}

static int storm(int n)
{
	pthread_t t;
	int status, bad = 0;

	pthread_create(&t, NULL, opens, NULL);
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			alarm(20);
			exit(leaks());
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			bad++;
	}
	stop = 1;
	pthread_join(t, NULL);
	printf("%d of %d children failed\n", bad, n);
	return bad != 0;
}

static void *in_system(void *command)
{
	return (void *)(long)system(command);
}

static int ignores(int sig)
{
	struct sigaction now;

	sigaction(sig, NULL, &now);
	return now.sa_handler == SIG_IGN;
}

static int systems(const char *fifo)
{
	char command[200];
	pthread_t t;
	pid_t pid;
	int status;

	signal(SIGINT, SIG_DFL);
	snprintf(command, sizeof command, "cat <%s", fifo);
	pthread_create(&t, NULL, in_system, command);
	while (!ignores(SIGINT))
		usleep(100);
	pid = vfork();
	if (pid == 0)
		_exit(system("exit 3") >> 8);
	waitpid(pid, &status, 0);
	printf("the child's: %d\n", WEXITSTATUS(status));
	printf("while the thread waits: SIGINT is %s\n", ignores(SIGINT) ? "ignored" : "not ignored");
	close(open(fifo, O_WRONLY));
	pthread_join(t, NULL);
	printf("at the end: SIGINT is %s\n", ignores(SIGINT) ? "ignored" : "not ignored");
	return 0;
}

static int logs(void)
{
	pid_t pid = vfork();
	struct stat st;
	int fd, status;

	if (pid == 0) {
		syslog(LOG_INFO, "from the child");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	fd = open("/dev/null", O_RDONLY);
	syslog(LOG_INFO, "from the parent");
	printf("the parent's file is %s\n", fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) ? "open" : "closed");
	pid = vfork();
	if (pid == 0) {
		closelog();
		syslog(LOG_INFO, "once more from a child");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	syslog(LOG_INFO, "once more from the parent");
	return status != 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "storm") == 0) {
		library = argv[2];
		return storm(atoi(argv[3]));
	}
	if (argc == 3 && strcmp(argv[1], "system") == 0)
		return systems(argv[2]);
	if (argc == 2 && strcmp(argv[1], "syslog") == 0)
		return logs();
	return 2;
}
