/* SPDX-License-Identifier: ISC
 *
 * Memory that goes away under a report: objects that are unloaded, code that a child of fork(2) does not have,
 * arguments that are written over.  As a plug-in (-DPLUGIN) it makes a descriptor, and keeps it or not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef PLUGIN
#ifdef BIG
__attribute__((used)) static const char pad[1 << 20] = {1};
__attribute__((used)) static char data[256 << 10] = {1};
#endif
int work(int keep)
{
	int fd = PLUGIN ? socket(AF_UNIX, PLUGIN == 1 ? SOCK_STREAM : SOCK_DGRAM, 0) : open("/dev/null", O_RDONLY);

	if (!keep)
		close(fd);
	return fd;
}
#else

static const char *dir;

static void *loaded(const char *name)
{
	char path[4096];
	void *h;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	h = dlopen(path, RTLD_NOW);
	if (!h) {
		puts(dlerror());
		exit(2);
	}
	return h;
}

static int called(void *h, int keep)
{
	int (*work)(int) = (int (*)(int))dlsym(h, "work");

	return work(keep);
}

/* A large plug-in goes, small ones come in its place, at other addresses within. */
static int plugins(void)
{
	char name[32];
	void *big;
	int i;

	for (i = 0; i < 30; i++) { /* the holes are taken */
		snprintf(name, sizeof name, "small%d.so", i);
		loaded(name);
	}
	big = loaded("big.so");
	called(big, 0);
	dlclose(big);
	for (; i < 36; i++) {
		snprintf(name, sizeof name, "small%d.so", i);
		called(loaded(name), 0);
	}
	return 0;
}

/* One goes, another of the same shape comes to its place and leaks. */
static int replaced(const char *first, const char *second)
{
	void *h = loaded(first);

	called(h, 0);
	dlclose(h);
	called(loaded(second), 1);
	return 0;
}

static volatile int stop;

static void *busy(void *arg)
{
	while (!stop)
		close(open("/dev/null", O_RDONLY));
	return arg;
}

/* Threads make descriptors while another loads and unloads what it has called. */
static int racing(void)
{
	pthread_t t[3];
	void *h;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, busy, NULL);
	for (int i = 0; i < 300; i++) {
		h = loaded(i % 2 ? "liba.so" : "big.so");
		called(h, 0);
		dlclose(h);
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	return 0;
}

static void makes(void)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) == 0) {
		close(p[0]);
		close(p[1]);
	}
}

static int forks(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		makes();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}

/* Two functions made at run time on a page that a child does not have, as V8's are. */
static int unshared(void)
{
#if defined(__x86_64__)
	/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
#else
	static const unsigned int code[] = {0xa9bf7bfd, 0x910003fd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0};
#endif
	char *m = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(m, code, sizeof code);
	memcpy(m + 64, code, sizeof code);
	__builtin___clear_cache(m, m + 4096);
	madvise(m, 4096, MADV_DONTFORK);
	((void (*)(void *))m)((void *)makes);		/* the page is seen in the parent */
	return ((int (*)(void *))(m + 64))((void *)forks); /* another address on it, in the child */
}

static ucontext_t here, there;

static void on_own_stack(void)
{
	for (int i = 0; i < 3; i++)
		makes();
	called(loaded("liba.so"), 1);
}

/* A stack of the program's own with nothing behind it, and one more that goes away and comes back. */
static int context(void)
{
	const size_t size = 65536;

	for (int i = 0; i < 2; i++) {
		char *m = mmap(0, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		munmap(m + size, 4096);
		getcontext(&there);
		there.uc_stack.ss_sp = m;
		there.uc_stack.ss_size = size;
		there.uc_link = &here;
		makecontext(&there, on_own_stack, 0);
		swapcontext(&here, &there);
		munmap(m, size);
	}
	return 0;
}

/* setproctitle(3)'s way */
static int overwritten(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		memset(argv[i], 'z', strlen(argv[i]));
	if (fork() == 0) {
		socket(AF_UNIX, SOCK_STREAM, 0);
		execl("/bin/true", "true", (char *)NULL);
	}
	wait(NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	dir = argc > 1 ? strdup(argv[1]) : ".";
	if (strcmp(what, "plugins") == 0)
		return plugins();
	if (strcmp(what, "replaced") == 0)
		return replaced(argv[3], argv[4]);
	if (strcmp(what, "racing") == 0)
		return racing();
	if (strcmp(what, "unshared") == 0)
		return unshared();
	if (strcmp(what, "context") == 0)
		return context();
	if (strcmp(what, "overwritten") == 0)
		return overwritten(argc, argv);
	return 2;
}
#endif
