/* SPDX-License-Identifier: ISC
 *
 * Cancelled threads (pthreads(7)): cancel DIR prints a row for each call that may wait: a thread that waits in it is
 * cancelled, and what the call held is given back: descriptors, pages, the limit of descriptors.  Then
 * what a cancellation that is pending does to calls that need not wait, which the kernel's libc
 * answers without libjail.  DIR is an empty directory. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 10, STORM = 300, PATIENCE = 20 /* seconds until a row is given up */ };

static char fifo[100], far[100], name[100];
static int row_no, failures, fd = -1, other[2] = {-1, -1}, saved_dir;
static struct sockaddr_un peer = {.sun_family = AF_UNIX};
static FILE *stream;

static void row(bool good, const char *kind, const char *what, const char *why)
{
	printf("%sok %d - %s: %s%s%s\n", good ? "" : "not ", ++row_no, kind, what, *why ? ", " : "", why);
	fflush(stdout);
	failures += !good;
}

/* -- what is left behind ---------------------------------------------------------------------- */

struct left {
	long vm; /* kB */
	int fds, holders;
	struct rlimit limit;
};

static struct left look(void)
{
	struct left l = {0};
	char text[300];
	struct dirent *e;
	FILE *f = fopen("/proc/self/statm", "re");
	DIR *d = opendir("/proc/self/fd");

	if (!f || fscanf(f, "%ld", &l.vm) != 1 || !d)
		_exit(99);
	fclose(f);
	l.vm *= 4;
	while ((e = readdir(d))) {
		l.fds++;
		snprintf(text, sizeof text, "/proc/self/fdinfo/%s", e->d_name);
		f = fopen(text, "re");
		while (f && fgets(text, sizeof text, f))
			l.holders += strncmp(text, "flags:", 6) == 0 && strtol(text + 6, NULL, 8) & O_PATH;
		if (f)
			fclose(f);
	}
	closedir(d);
	getrlimit(RLIMIT_NOFILE, &l.limit);
	return l;
}

/* What must not differ; a word for it, or "". */
static const char *differs(const struct left *a, const struct left *b, bool all)
{
	if (all && a->fds != b->fds)
		return "descriptors are left";
	if (a->holders != b->holders)
		return "O_PATH descriptors are left";
	if (a->limit.rlim_cur != b->limit.rlim_cur)
		return "the limit of descriptors has changed";
	if (b->vm - a->vm > 1024)
		return "pages are left";
	return "";
}

/* -- calls that wait -------------------------------------------------------------------------- */

static void w_open(void) { fd = open(fifo, O_RDONLY); }
static void w_openat(void) { fd = openat(saved_dir, "fifo", O_WRONLY); }
static void w_far(void) { fd = open(far, O_RDONLY); }
static void w_creat(void) { fd = creat(fifo, 0600); }
__attribute__((unused)) static void w_fopen(void) { stream = fopen(fifo, "r"); }
static void w_freopen(void) { stream = freopen(fifo, "r", stream); }
static void w_accept(void) { fd = accept(fd, NULL, NULL); }
static void w_accept4(void)
{
	struct sockaddr_un from;
	socklen_t n = sizeof from;

	fd = accept4(fd, (void *)&from, &n, SOCK_CLOEXEC);
}
static void w_connect(void) { connect(other[0], (void *)&peer, sizeof peer); }
static void w_sendto(void) { sendto(other[0], "x", 1, 0, (void *)&peer, sizeof peer); }
static void w_send(void) { send(other[0], "x", 1, 0); }
static struct msghdr message(bool named)
{
	static char text[8];
	static struct iovec iov = {text, sizeof text};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (named) {
		m.msg_name = &peer;
		m.msg_namelen = sizeof peer;
	}
	return m;
}
static void w_sendmsg(void)
{
	struct msghdr m = message(true);

	sendmsg(other[0], &m, 0);
}
static void w_sendmmsg(void)
{
	struct mmsghdr m = {.msg_hdr = message(true)};

	sendmmsg(other[0], &m, 1, 0);
}
static void w_recvfrom(void)
{
	struct sockaddr_un from;
	socklen_t n = sizeof from;
	char text[8];

	recvfrom(fd, text, sizeof text, 0, (void *)&from, &n);
}
static void w_recv(void)
{
	char text[8];

	recv(fd, text, sizeof text, 0);
}
static void w_recvmsg(void)
{
	struct sockaddr_un from;
	struct msghdr m = message(false);

	m.msg_name = &from;
	m.msg_namelen = sizeof from;
	recvmsg(fd, &m, 0);
}
static struct mmsghdr several[2];
static void w_recvmmsg(void)
{
	recvmmsg(fd, several, 2, 0, NULL);
}
static void w_lock(void)
{
	struct flock all = {.l_type = F_WRLCK};

	fcntl(fd, F_SETLKW, &all);
}
__attribute__((unused)) static void w_lock_ofd(void)
{
	struct flock all = {.l_type = F_WRLCK};

	fcntl(fd, F_OFD_SETLKW, &all);
}

/* -- what they wait for ----------------------------------------------------------------------- */

static void named_socket(int type)
{
	snprintf(peer.sun_path, sizeof peer.sun_path, "%s", name);
	unlink(name);
	fd = socket(AF_UNIX, type, 0);
	if (bind(fd, (void *)&peer, sizeof peer) != 0)
		_exit(98);
}

static void p_none(void) {}
__attribute__((unused)) static void p_stream(void) { stream = fopen("/dev/null", "r"); }
static void p_listen(void)
{
	named_socket(SOCK_STREAM);
	listen(fd, 0);
}
static void p_backlog(void)
{
	p_listen();
	while ((other[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0 &&
		connect(other[1], (void *)&peer, sizeof peer) == 0)
		;
	other[0] = socket(AF_UNIX, SOCK_STREAM, 0);
}
static void p_full(void)
{
	named_socket(SOCK_DGRAM);
	other[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
	while (sendto(other[0], "x", 1, MSG_DONTWAIT, (void *)&peer, sizeof peer) == 1)
		;
}
static void p_pair(void)
{
	socketpair(AF_UNIX, SOCK_DGRAM, 0, other);
	while (send(other[0], "x", 1, MSG_DONTWAIT) == 1)
		;
}
static void p_empty(void) { named_socket(SOCK_DGRAM); }
static void p_empty_several(void)
{
	named_socket(SOCK_DGRAM);
	several[0].msg_hdr = several[1].msg_hdr = message(true);
}
static void p_locked(void)
{
	struct flock all = {.l_type = F_WRLCK};
	char c = 0;

	unlink(name);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	pipe(other);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(other[0]);
		fcntl(fd, F_SETLK, &all);
		if (write(other[1], &c, 1) == 1)
			pause();
		_exit(0);
	}
	close(other[1]);
	(void)!read(other[0], &c, 1);
}
__attribute__((unused)) static void p_locked_ofd(void)
{
	struct flock all = {.l_type = F_WRLCK};

	unlink(name);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	other[0] = open(name, O_RDWR);
	fcntl(other[0], F_OFD_SETLK, &all);
}

static const struct wait {
	const char *what;
	void (*prepare)(void), (*call)(void);
	bool leaves; /* without libjail as well: what the call had of the program's */
} waits[] = {
	{"open of a FIFO", p_none, w_open, false},
	{"openat of a FIFO", p_none, w_openat, false},
	{"open of a FIFO behind symlinks", p_none, w_far, false},
	{"creat of a FIFO", p_none, w_creat, false},
#ifdef __GLIBC__ /* musl's are no cancellation points */
	{"fopen of a FIFO", p_none, w_fopen, false},
	{"freopen of a FIFO", p_stream, w_freopen, true},
#endif
	{"accept", p_listen, w_accept, false},
	{"accept4", p_listen, w_accept4, false},
	{"connect", p_backlog, w_connect, false},
	{"sendto", p_full, w_sendto, false},
	{"send", p_pair, w_send, false},
	{"sendmsg", p_full, w_sendmsg, false},
	{"sendmmsg", p_full, w_sendmmsg, false},
	{"recvfrom", p_empty, w_recvfrom, false},
	{"recv", p_empty, w_recv, false},
	{"recvmsg", p_empty, w_recvmsg, false},
	{"recvmmsg", p_empty_several, w_recvmmsg, false},
	{"fcntl, F_SETLKW", p_locked, w_lock, false},
#ifdef __GLIBC__
	{"fcntl, F_OFD_SETLKW", p_locked_ofd, w_lock_ofd, false},
#endif
};

static volatile int tid;

static void *waiter(void *arg)
{
	const struct wait *w = arg;

	__atomic_store_n(&tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	w->call();
	return NULL;
}

/* Until that thread sleeps, for two looks in a row. */
static void sleeps(void)
{
	char path[64], text[256], *end;
	int seen = 0, in, n;

	while (!__atomic_load_n(&tid, __ATOMIC_ACQUIRE))
		usleep(100);
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	while (seen < 2) {
		usleep(500);
		in = open(path, O_RDONLY);
		n = (int)read(in, text, sizeof text - 1);
		close(in);
		text[n > 0 ? n : 0] = '\0';
		end = strrchr(text, ')');
		seen = end && end[2] == 'S' ? seen + 1 : 0;
	}
}

static const char *cancelled(const struct wait *w)
{
	struct left before = {0}, after;
	void *result;
	pthread_t t;

	w->prepare();
	for (int i = 0; i < ROUNDS; i++) {
		if (i == 2)
			before = look(); /* libc has loaded and mapped what it needs */
		if (w->call == w_freopen)
			stream = fopen("/dev/null", "r");
		tid = 0;
		pthread_create(&t, NULL, waiter, (void *)w);
		sleeps();
		pthread_cancel(t);
		pthread_join(t, &result);
		if (result != PTHREAD_CANCELED)
			return "the call returned";
	}
	for (size_t i = 0; i < 2; i++)
		if (several[i].msg_hdr.msg_iov && several[i].msg_hdr.msg_name != &peer)
			return "a message points into a stack that is gone";
	after = look();
	return differs(&before, &after, !w->leaves);
}

/* -- in a process of its own ------------------------------------------------------------------- */

static void in_child(const char *kind, const char *what, const char *(*test)(const void *), const void *arg)
{
	int status, out[2];
	char why[200];
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	pipe(out);
	pid = fork();
	if (pid == 0) {
		const char *text;

		alarm(PATIENCE);
		close(out[0]);
		text = test(arg);
		(void)!write(out[1], text, strlen(text));
		_exit(*text != '\0');
	}
	close(out[1]);
	waitpid(pid, &status, 0);
	n = read(out[0], why, sizeof why - 1);
	why[n > 0 ? n : 0] = '\0';
	close(out[0]);
	row(status == 0, kind, what, status == 0 || *why ? why : "it was not cancelled");
}

static const char *test_wait(const void *arg)
{
	return cancelled(arg);
}

/* A thread that may not be cancelled gets what it waits for. */
static void *disabled(void *arg)
{
	char c = 0;
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	__atomic_store_n(&tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	if (recv(other[1], &c, 1, 0) == 1 && c == 'y')
		*(int *)arg = 1;
	return NULL;
}

static const char *test_disabled(const void *arg)
{
	pthread_t t;
	int got = 0;
	void *result;

	(void)arg;
	socketpair(AF_UNIX, SOCK_DGRAM, 0, other);
	pthread_create(&t, NULL, disabled, &got);
	sleeps();
	pthread_cancel(t);
	usleep(2000);
	send(other[0], "y", 1, 0);
	pthread_join(t, &result);
	return got && result == NULL ? "" : "it was cancelled all the same";
}

/* -- at any moment ----------------------------------------------------------------------------- */

/* Opens and closes; it is never cancelled in close, so that no descriptor of its own is left by that. */
static void *opener(void *arg)
{
	int in, old;

	for (;;) {
		in = open(arg, O_RDONLY);
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
		if (in >= 0)
			close(in);
		pthread_setcancelstate(old, &old);
	}
	return NULL;
}

static void storm(const char *path, int rounds)
{
	pthread_t t;

	for (int i = 0; i < rounds; i++) {
		pthread_create(&t, NULL, opener, (void *)path);
		usleep((useconds_t)(rand() % 300));
		pthread_cancel(t);
		pthread_join(t, NULL);
	}
}

static int lost(const struct left *before, const struct left *after)
{
	return after->fds - before->fds;
}

static const char *test_storm(const void *arg)
{
	const char *never_lost = getenv("CANCEL_EXACT");
	static char why[100];
	struct left before, after;
	char *text;

	storm(arg, 20);
	before = look();
	storm(arg, STORM);
	after = look();
	text = (char *)differs(&before, &after, false);
	if (*text)
		return text;
	printf("# %s: %d descriptors of %d are lost\n", (const char *)arg, lost(&before, &after), STORM);
	fflush(stdout);
	if (never_lost && *never_lost && lost(&before, &after)) {
		snprintf(why, sizeof why, "%d of %d descriptors are lost", lost(&before, &after), STORM);
		return why;
	}
	return "";
}

/* One number is free, and the walk to the file needs more: the limit is lifted meanwhile. */
static const char *test_limit(const void *arg)
{
	struct left before, after;
	struct rlimit low;

	storm(arg, 20);
	before = look();
	getrlimit(RLIMIT_NOFILE, &low);
	low.rlim_cur = (rlim_t)(fd = dup(0)) + 1;
	close(fd);
	setrlimit(RLIMIT_NOFILE, &low);
	for (int i = 0; i < 300; i++) { /* a lost descriptor would take the free number */
		storm(arg, 1);
		close(fd);
	}
	getrlimit(RLIMIT_NOFILE, &after.limit);
	if (after.limit.rlim_cur != low.rlim_cur)
		return "the limit stays lifted";
	setrlimit(RLIMIT_NOFILE, &before.limit);
	after = look();
	return differs(&before, &after, false);
}

/* -- pending ----------------------------------------------------------------------------------- */

static void q_open(void) { open("/dev/null", O_RDONLY); }
static void q_open_dir(void) { open("/", O_RDONLY | O_DIRECTORY); }
static void q_open_path(void) { open("/", O_PATH); }
static void q_open_none(void) { open("/missing/missing", O_RDONLY); }
static void q_openat(void) { openat(saved_dir, "missing", O_RDONLY); }
static void q_fopen(void) { fopen("/dev/null", "r"); }
static void q_close(void) { close(fd); }
static void q_recv(void) { recv(fd, name, 0, MSG_DONTWAIT); }
static void q_recvmsg(void)
{
	struct msghdr m = {0};

	recvmsg(fd, &m, MSG_DONTWAIT);
}
static void q_send(void) { send(fd, "x", 1, MSG_DONTWAIT); }
static void q_sendto(void) { sendto(fd, "x", 1, MSG_DONTWAIT, (void *)&peer, sizeof peer); }
static void q_connect(void) { connect(fd, (void *)&peer, sizeof peer); }
static void q_accept(void) { accept(fd, NULL, NULL); }
static void q_lock(void)
{
	struct flock l = {.l_type = F_RDLCK};

	fcntl(fd, F_SETLKW, &l);
}
/* no cancellation points */
static void q_getfl(void) { fcntl(fd, F_GETFL); }
static void q_dup(void) { dup(fd); }
static void q_stat(void)
{
	struct stat st;

	stat("/", &st);
}
static void q_socket(void) { socket(AF_UNIX, SOCK_STREAM, 0); }
static void q_mkdir(void) { mkdir("/", 0700); }
static void q_by_number(void) { syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0); }

static const struct pend {
	const char *what;
	void (*call)(void);
} pends[] = {
	{"open", q_open}, {"open, O_DIRECTORY", q_open_dir}, {"open, O_PATH", q_open_path},
	{"open of what is not there", q_open_none}, {"openat", q_openat}, {"fopen", q_fopen},
	{"close", q_close}, {"recv", q_recv}, {"recvmsg", q_recvmsg}, {"send", q_send}, {"sendto", q_sendto},
	{"connect", q_connect}, {"accept", q_accept}, {"fcntl, F_SETLKW", q_lock}, {"fcntl, F_GETFL", q_getfl},
	{"dup", q_dup}, {"stat", q_stat}, {"socket", q_socket}, {"mkdir", q_mkdir}, {"syscall(2)", q_by_number},
};

static void *pending(void *arg)
{
	const struct pend *p = arg;
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	p->call();
	return NULL;
}

int main(int argc, char **argv)
{
	char *text;

	if (argc != 2)
		return 2;
	snprintf(fifo, sizeof fifo, "%s/fifo", argv[1]);
	snprintf(far, sizeof far, "%s/link/../far", argv[1]);
	snprintf(name, sizeof name, "%s/name", argv[1]);
	saved_dir = open(argv[1], O_PATH | O_DIRECTORY);
	mkfifo(fifo, 0600);
	mkdirat(saved_dir, "dir", 0700);
	symlinkat("dir", saved_dir, "link");
	if (symlinkat(fifo, saved_dir, "far") != 0)
		return 3;
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		in_child("cancelled", waits[i].what, test_wait, &waits[i]);
	in_child("disabled", "recv", test_disabled, NULL);
	unlinkat(saved_dir, "far", 0);
	text = "/etc/passwd";
	in_child("at any moment", text, test_storm, text);
	if (symlinkat(text, saved_dir, "far") == 0)
		in_child("at any moment", "a symlink", test_storm, far);
	in_child("at any moment", "the table is full", test_limit, far);
	for (size_t i = 0; i < sizeof pends / sizeof *pends; i++) {
		void *result;
		pthread_t t;

		fd = open("/dev/null", O_RDWR);
		pthread_create(&t, NULL, pending, (void *)&pends[i]);
		pthread_join(t, &result);
		printf("pending %s: %s, %s\n", pends[i].what, result == PTHREAD_CANCELED ? "cancelled" : "not",
			fcntl(fd, F_GETFD) >= 0 ? "the descriptor is there" : "the descriptor is gone");
		close(fd);
	}
	printf("1..%d\n", row_no);
	return failures != 0;
}
