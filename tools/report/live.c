/* SPDX-License-Identifier: ISC
 *
 * How to ask: libjail.so is mapped (/proc/N/maps), its events go to the file that LIBJAIL_REPORT
 * names in /proc/N/environ, its start event there names the signal, and the process catches it
 * (SigCgt in /proc/N/status): a signal that is not caught would kill it. */
#include "live.h"
#include "read.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 2000, STEP_MS = 10, PROC_MAX = 1 << 24, LINE_MOST = 65536 };

/* The whole of a file below /proc/pid; false and errno when it cannot be read. */
static bool proc(long pid, const char *name, struct text *ret)
{
	char path[64], buffer[16384];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0 && ret->n < PROC_MAX)
		text_put(ret, buffer, (size_t)n);
	text_put(ret, "", 0);
	close(fd);
	return n >= 0;
}

static bool fail(struct text *error, long pid, const char *what)
{
	text_format(error, "process %ld %s", pid, what);
	return false;
}

static long status_number(const char *status, const char *name, int base, unsigned long long *ret)
{
	const char *at = strstr(status, name);

	if (!at)
		return false;
	*ret = strtoull(at + strlen(name), NULL, base);
	return true;
}

/* The file that its events go to. */
static bool events_file(long pid, struct text *ret, struct text *error)
{
	static const char name[] = "LIBJAIL_REPORT=";
	struct text environ = {0};
	const char *value = NULL;
	struct stat st;

	if (!proc(pid, "environ", &environ)) {
		text_format(error, "process %ld: its environment cannot be read: %s", pid,
			strerror(errno));
		return false;
	}
	for (size_t i = 0; i < environ.n; i += strlen(environ.at + i) + 1)
		if (strncmp(environ.at + i, name, strlen(name)) == 0)
			value = environ.at + i + strlen(name);
	if (!value || !*value) {
		fail(error, pid, "keeps no records: it was not started with --report");
	} else if (strncmp(value, "unix:", 5) == 0) {
		fail(error, pid, "sends its events to a socket: whoever listens there has them");
	} else if (strncmp(value, "fd:", 3) == 0) {
		text_format(ret, "/proc/%ld/fd/%ld", pid, strtol(value + 3, NULL, 10));
	} else if (*value == '/') {
		text_add(ret, value);
		if (stat(ret->at, &st) != 0) { /* seen from another mount namespace */
			text_free(ret);
			text_format(ret, "/proc/%ld/root%s", pid, value);
		}
	} else {
		text_format(ret, "/proc/%ld/cwd/%s", pid, value);
	}
	text_free(&environ);
	return error->n == 0;
}

/* Calls each line of f from here to its present end that ends in a newline; the offset behind the
 * last. */
typedef bool each_line(void *arg, char *line, size_t n);
static bool lines(FILE *f, off_t *at, each_line *each, void *arg)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	bool more = true;

	if (fseeko(f, *at, SEEK_SET) != 0)
		return true;
	while (more && (n = getline(&line, &room, f)) > 0 && line[n - 1] == '\n') {
		*at += n;
		line[n - 1] = 0;
		if (n <= LINE_MOST)
			more = each(arg, line, (size_t)n - 1);
	}
	clearerr(f);
	free(line);
	return more;
}

struct starts {
	struct json_doc doc;
	struct table signals; /* pid -> signal + 1 */
};

static bool note_start(void *arg, char *line, size_t n)
{
	struct starts *s = arg;
	const char *ev;
	long long pid, signal;

	if (!memmem(line, n, "\"start\"", 7) || !json_parse(&s->doc, line, n))
		return true;
	ev = json_text(s->doc.at, "ev");
	pid = json_number(s->doc.at, "pid", 0);
	if (!ev || strcmp(ev, "start") != 0)
		return true;
	signal = json_number(s->doc.at, "snapshot", 0);
	*table_put(&s->signals, &pid, sizeof(pid)) =
		(void *)(uintptr_t)(signal > 0 && signal <= 64 ? signal + 1 : 1);
	return true;
}

/* What the process's start event says; a child of fork has none and is as its parent. */
static int signal_of(struct starts *s, long pid)
{
	for (int i = 0; i < 64 && pid > 1; i++) {
		long long key = pid;
		uintptr_t found = (uintptr_t)table_get(&s->signals, &key, sizeof(key));
		struct text status = {0};
		unsigned long long parent = 0;

		if (found)
			return (int)found - 1;
		if (proc(pid, "status", &status) && status.at)
			status_number(status.at, "\nPPid:", 10, &parent);
		text_free(&status);
		pid = (long)parent;
	}
	return -1;
}

struct snapshot {
	struct model *m;
	const char *file;
	struct json_doc doc;
	struct text copy;
	long long table, groups, have;
	unsigned long line;
};

static bool note_snapshot(void *arg, char *line, size_t n)
{
	struct snapshot *s = arg;
	const char *ev, *why;
	long long table;

	s->line++;
	s->copy.n = 0;
	text_put(&s->copy, line, n);
	if (!json_parse(&s->doc, s->copy.at, n) || json_number(s->doc.at, "pid", 0) != s->m->pid)
		return true;
	ev = json_text(s->doc.at, "ev");
	why = json_text(s->doc.at, "why");
	table = json_number(s->doc.at, "table", 0);
	if (ev && strcmp(ev, "snapshot") == 0 && s->table < 0) {
		s->table = table;
		s->groups = json_number(s->doc.at, "groups", 0);
	} else if (ev && strcmp(ev, "table") == 0 && why && strcmp(why, "snapshot") == 0) {
		s->have++;
	} else {
		return true;
	}
	read_line(s->m, s->file, s->line, line, n, true);
	return s->table < 0 || s->have < s->groups;
}

static bool send_to(long pid, int fd, int signal)
{
	if (fd >= 0)
		return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
	return kill((pid_t)pid, signal) == 0;
}

/* The signal of a process that has told of none: that of libjail(7), where it was given no other. */
static int usual_signal(long pid)
{
	enum { USUAL = 63 };
	struct text environ = {0};
	int signal = proc(pid, "environ", &environ) ? USUAL : -1;

	for (size_t i = 0; i < environ.n; i += strlen(environ.at + i) + 1)
		if (strncmp(environ.at + i, "LIBJAIL_SNAPSHOT=", 17) == 0)
			signal = -1;
	text_free(&environ);
	return signal;
}

/* All that must be so before a signal is sent: the signal, or 0. */
static int may_ask(long pid, struct starts *s, bool own_file, struct text *error)
{
	struct text status = {0};
	unsigned long long caught = 0;
	int signal = signal_of(s, pid);

	/* it is announced when it makes its first descriptor: libjail(7) */
	if (signal < 0 && own_file)
		signal = usual_signal(pid);
	if (signal < 0) {
		fail(error, pid, "has no start event in its event file");
	} else if (signal == 0) {
		fail(error, pid, "was started without a snapshot signal (--snapshot=SIGNAL)");
	} else if (!proc(pid, "status", &status) ||
		   !status_number(status.at, "\nSigCgt:", 16, &caught)) {
		fail(error, pid, "has ended");
	} else if (!(caught >> (signal - 1) & 1)) {
		text_format(error, "process %ld does not catch signal %d (any more): not sent", pid,
			signal);
	}
	text_free(&status);
	return error->n ? 0 : signal;
}

bool live_snapshot(struct model *m, long pid, const char *file, struct text *error)
{
	struct text maps = {0}, found = {0};
	struct starts starts = {0};
	struct snapshot want = {.m = m, .table = -1};
	struct timespec step = {0, STEP_MS * 1000000L};
	int signal, fd = -1, tries;
	off_t at = 0;
	FILE *f;

	m->pid = pid;
#ifdef SYS_pidfd_open
	fd = (int)syscall(
		SYS_pidfd_open, (pid_t)pid, 0); /* no other can take its number meanwhile */
#endif
	if (!proc(pid, "maps", &maps)) {
		if (errno == ENOENT || errno == ESRCH)
			fail(error, pid, "does not exist");
		else
			text_format(error, "process %ld: %s", pid, strerror(errno));
	} else if (!strstr(maps.at, "/libjail.so")) {
		fail(error, pid, "does not run under libjail");
	} else if (!file && events_file(pid, &found, error)) {
		file = found.at;
	}
	text_free(&maps);
	f = error->n == 0 ? fopen(file, "re") : NULL;
	if (error->n == 0 && !f)
		text_format(error, "%s: %s", file, strerror(errno));
	signal = 0;
	if (f) {
		struct stat st;

		if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
			text_format(error,
				"%s: not a regular file: its events cannot be read again", file);
		else
			lines(f, &at, note_start, &starts);
	}
	if (error->n == 0)
		signal = may_ask(pid, &starts, file == found.at, error);
	if (signal && !send_to(pid, fd, signal))
		text_format(error, "process %ld: %s", pid, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (error->n == 0) {
		want.file = file;
		for (tries = WAIT_MS / STEP_MS; tries > 0 && lines(f, &at, note_snapshot, &want);
			tries--)
			nanosleep(&step, NULL);
		if (want.table < 0)
			fail(error, pid, "did not answer within 2 seconds");
		else if (want.have < want.groups)
			fprintf(stderr,
				"jailreport: process %ld sent %lld of %lld groups within 2 "
				"seconds\n",
				pid, want.have, want.groups);
	}
	if (f)
		fclose(f);
	free(starts.doc.at);
	table_free(&starts.signals);
	free(want.doc.at);
	text_free(&want.copy);
	text_free(&found);
	return error->n == 0;
}
