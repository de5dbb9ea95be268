/* SPDX-License-Identifier: ISC
 *
 * jailrun --report shows the report by itself, so somebody has to stay while the program runs.  This
 * file knows when the events are complete (the program and everything that came from it has ended),
 * which signals are meant for the program, and that the file of events is removed whatever happens. */
#include "watch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The signals that a user sends to a program; SIGCHLD is ours. */
static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static sigset_t signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++)
		sigaddset(&set, passed_on[i]);
	sigaddset(&set, SIGCHLD);
	return set;
}

/* Waits until we have ended, and removes the file if we could not (SIGKILL).  In a session of its own,
 * so that a signal to the process group does not end it with us. */
static void keep_clean(const char *file, int end)
{
	sigset_t all;
	char word;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	if (chdir("/") == 0 && read(end, &word, 1) == 0)
		unlink(file);
	_exit(0);
}

/* The keeper is a child without SIGCHLD (clone(2), exit signal 0): waitpid(2) does not count it among
 * the processes that came from the program. */
static int keeper_start(struct watch *w)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	w->keeper = (int)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (w->keeper == 0) {
		close(ends[1]);
		keep_clean(w->file, ends[0]);
	}
	close(ends[0]);
	w->alive = ends[1];
	return w->keeper < 0 ? -errno : 0;
}

int watch_start(struct watch *w)
{
	const sigset_t set = signals();
	const char *dir = getenv("TMPDIR");
	char *real;
	int fd, r;

	*w = (struct watch){.alive = -1};
	sigprocmask(SIG_BLOCK, &set, &w->mask);
	/* while it is ignored, no process leaves a status (waitpid(2)) */
	w->unknown = signal(SIGCHLD, SIG_DFL) == SIG_IGN;
	/* the program may change its directory, and its processes open the file by its name */
	real = realpath(dir && *dir ? dir : "/tmp", NULL);
	if (!real)
		return -errno;
	r = snprintf(w->file, sizeof w->file, "%s/jailrun-events.XXXXXX", real);
	free(real);
	if (r < 0 || (size_t)r >= sizeof w->file)
		return -ENAMETOOLONG;
	fd = mkostemp(w->file, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		w->file[0] = 0;
		return r;
	}
	close(fd);
	r = keeper_start(w);
	if (r < 0)
		watch_end(w, false);
	return r;
}

/* Reads the parent of process `pid` and its name from /proc/PID/stat.  False: there is no such process, or
 * only its exit status is left of it. */
static bool process(long pid, long *ret_parent, char *ret_name, size_t size)
{
	char path[64], line[512], *name, *end;
	FILE *f;
	bool is;

	snprintf(path, sizeof path, "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	is = fgets(line, sizeof line, f) != NULL;
	fclose(f);
	name = is ? strchr(line, '(') : NULL;
	end = name ? strrchr(line, ')') : NULL; /* the name may hold anything */
	if (!end || end[1] != ' ' || end[2] == 'Z')
		return false;
	*end = 0;
	snprintf(ret_name, size, "%s", name + 1);
	*ret_parent = strtol(end + 4, NULL, 10);
	return true;
}

/* Did pid come from us?  Processes whose parent has ended are our children (PR_SET_CHILD_SUBREAPER). */
static bool ours(const struct watch *w, long pid)
{
	char name[64];
	long parent = pid;

	for (int depth = 0; parent > 1 && depth < 4096; depth++) {
		pid = parent;
		if (pid == w->keeper || !process(pid, &parent, name, sizeof name))
			return false;
		if (parent == getpid())
			return true;
	}
	return false;
}

/* Counts the processes that still run, and names the first of them. */
static void count_left(struct watch *w)
{
	enum { NAMED = 5 };
	DIR *d = opendir("/proc");
	struct text names = {0};
	struct dirent *e;
	char name[64];
	long pid, parent;

	while (d && (e = readdir(d))) {
		pid = strtol(e->d_name, NULL, 10);
		if (pid <= 0 || !ours(w, pid) || !process(pid, &parent, name, sizeof name) || w->left++ >= NAMED)
			continue;
		text_add(&names, names.n ? ", " : "");
		text_plain(&names, name);
		text_format(&names, " %ld", pid);
	}
	if (d)
		closedir(d);
	text_format(&w->who, "%u process%s (%s%s)", w->left, w->left == 1 ? "" : "es", names.n ? names.at : "",
		w->left > NAMED ? ", ..." : "");
	text_free(&names);
}

/* In the child: the program, with the signals as they were for us. */
static void run(const struct watch *w, const char *preload, char **argv)
{
	if (w->unknown)
		signal(SIGCHLD, SIG_IGN);
	if (setenv("LD_PRELOAD", preload, 1) == 0 && setenv("LIBJAIL_REPORT", w->file, 1) == 0) {
		sigprocmask(SIG_SETMASK, &w->mask, NULL);
		execv(argv[0], argv);
	}
	fprintf(stderr, "jailrun: %s: %s\n", argv[0], strerror(errno));
	_exit(125);
}

static struct timespec now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t;
}

/* The time from now to `end`, not less than 0. */
static struct timespec until(struct timespec end)
{
	const struct timespec t = now();
	struct timespec left = {end.tv_sec - t.tv_sec, end.tv_nsec - t.tv_nsec};

	if (left.tv_nsec < 0) {
		left.tv_sec--;
		left.tv_nsec += 1000000000;
	}
	return left.tv_sec < 0 ? (struct timespec){0} : left;
}

/* Takes the statuses of those that have ended.  False: nobody is left. */
static bool reap(struct watch *w, pid_t program, bool *running)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == program) {
			w->status = status;
			*running = false;
		}
	return pid == 0;
}

int watch_run(struct watch *w, const char *preload, char **argv, long grace)
{
	const sigset_t set = signals();
	struct timespec end = {0}, left;
	siginfo_t info;
	bool running = true, ended = false;
	pid_t program;
	int sig;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	program = fork();
	if (program < 0)
		return -errno;
	if (program == 0)
		run(w, preload, argv);
	while (reap(w, program, &running)) {
		if (!running && !ended) {
			ended = true;
			end = now();
			end.tv_sec += grace;
		}
		left = until(end);
		sig = sigtimedwait(&set, &info, running ? NULL : &left);
		if (sig < 0 && errno == EINTR)
			continue;
		if (sig < 0 || (sig != SIGCHLD && !running)) {
			count_left(w);
			break;
		}
		/* the terminal sends its signals to all processes of the foreground, and so to the program */
		if (sig != SIGCHLD && info.si_code != SI_KERNEL)
			kill(program, sig);
	}
	return 0;
}

void watch_end(struct watch *w, bool keep)
{
	if (w->file[0] && !keep)
		unlink(w->file);
	if (w->alive >= 0) {
		(void)!write(w->alive, "", 1);
		close(w->alive);
		waitpid(w->keeper, NULL, __WCLONE);
	}
	text_free(&w->who);
}

void watch_exit(const struct watch *w)
{
	const struct rlimit none = {0, 0};
	sigset_t set;

	if (WIFSIGNALED(w->status)) {
		/* its core, not ours */
		setrlimit(RLIMIT_CORE, &none);
		signal(WTERMSIG(w->status), SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, WTERMSIG(w->status));
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		raise(WTERMSIG(w->status));
	}
	exit(WIFEXITED(w->status) ? WEXITSTATUS(w->status) : 128 + WTERMSIG(w->status));
}
