/* SPDX-License-Identifier: ISC
 *
 * Lines to events.  An exec is reported before it happens, and a later exec-failed takes that back:
 * so the events of the last execs wait, WAITING of them, and count when another program starts in
 * their process, when newer ones push them out, or at the end. */
#include "read.h"
#include "document.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_READ = 65536, /* the schema says 4096 */
	DOCUMENT_MAX = 1 << 28,
	WAITING = 4096,        /* a power of two */
};

struct waiting {
	struct json_doc doc;
	char *line;
	size_t room;
	uint64_t process; /* host, run, pid; 0: nothing waits here */
	long long exec;
	unsigned older; /* the process's one before, + 1; 0: none */
};

static struct waiting ring[WAITING];
static unsigned ring_at;
static struct table ring_last; /* process -> the last that waits, + 1 */

static void count_event(struct model *m, struct waiting *w)
{
	const char *wrong;

	w->process = 0;
	model_event(m, w->doc.at, &wrong);
}

static uint64_t process_of(const struct json *e)
{
	const char *host = json_text(e, "host"), *run = json_text(e, "run");
	uint64_t part[3] = {host ? text_hash(host, strlen(host)) : 0,
		run ? text_hash(run, strlen(run)) : 0, (uint64_t)json_number(e, "pid", 0)};

	return text_hash(part, sizeof(part)) | 1;
}

/* All that waits for a process, or for one exec of it: it happened, or not. */
static void settle(struct model *m, uint64_t process, long long exec, bool happened)
{
	uintptr_t at = (uintptr_t)table_get(&ring_last, &process, sizeof(process));

	/* An exec that fails was the last, or nearly. */
	for (int steps = exec ? 256 : WAITING; at > 0 && steps > 0; steps--) {
		struct waiting *w = &ring[at - 1];

		if (w->process != process)
			break; /* pushed out, and so is all before it */
		at = w->older;
		if (exec != 0 && w->exec != exec)
			continue;
		if (happened)
			count_event(m, w);
		else
			w->process = 0;
	}
}

static void wait_for(uint64_t process, long long exec)
{
	struct waiting *w = &ring[ring_at];
	void **last;

	if (ring_last.n > 4 * WAITING) { /* mostly of processes that wait no more */
		table_free(&ring_last);
		for (unsigned i = 0; i < WAITING; i++) {
			unsigned k = (ring_at + 1 + i) & (WAITING - 1);

			if (ring[k].process)
				*table_put(&ring_last, &ring[k].process, sizeof(process)) =
					(void *)(uintptr_t)(k + 1);
		}
	}
	last = table_put(&ring_last, &process, sizeof(process));
	w->process = process;
	w->exec = exec;
	w->older = (unsigned)(uintptr_t)*last;
	*last = (void *)(uintptr_t)(ring_at + 1);
	ring_at = (ring_at + 1) & (WAITING - 1);
}

void read_line(
	struct model *m, const char *file, unsigned long number, char *line, size_t n, bool whole)
{
	struct waiting *w = &ring[ring_at];
	const char *ev, *wrong = NULL;
	const struct json *e;

	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	if (n == 0 && whole)
		return;
	m->lines++;
	if (n > LINE_MAX_READ) {
		model_malformed(m, file, number, "longer than any event");
		return;
	}
	if (w->process)
		count_event(m, w);
	if (w->room < n + 1) {
		w->room = n + 1 < 1024 ? 1024 : n + 1;
		w->line = memory_more(w->line, w->room, 1);
	}
	memcpy(w->line, line, n);
	w->line[n] = 0;
	if (!json_parse(&w->doc, w->line, n)) {
		model_malformed(m, file, number, w->doc.wrong);
		return;
	}
	e = w->doc.at;
	ev = json_text(e, "ev");
	if (ev &&
		(strcmp(ev, "exec-leak") == 0 || strcmp(ev, "stopped") == 0 ||
			strcmp(ev, "exec-kept") == 0 || strcmp(ev, "unwatched") == 0) &&
		json_number(e, "exec", 0) != 0) {
		if (!model_looks(e, &wrong))
			model_malformed(m, file, number, wrong);
		else
			wait_for(process_of(e), json_number(e, "exec", 0));
		return;
	}
	if (ev && strcmp(ev, "exec-failed") == 0) {
		m->failed_execs++;
		settle(m, process_of(e), json_number(e, "exec", -1), false);
	} else if (ev && strcmp(ev, "start") == 0) {
		settle(m, process_of(e), 0, true);
	}
	if (!model_event(m, e, &wrong))
		model_malformed(m, file, number, wrong);
}

/* -- files ----------------------------------------------------------------------------------- */

/* One input: events, a line each, and documents of --json among them. */
struct input {
	struct model *m;
	const char *name;
	unsigned long number; /* of the line */
	enum {
		EVENTS,
		SKIPPING, /* the rest of a line that is too long */
		DOCUMENT, /* to the end of its line */
		INDENTED, /* the whole input: another tool wrote it over several lines */
	} in;
	struct text document;
	unsigned long document_line;
};

static const char document_name[] = "\"jailreport\"";

/* What is left of a line behind blanks; NULL when nothing is. */
static const char *behind_blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r", *at))
		at++;
	return at < end ? at : NULL;
}

static bool names_document(const char *at, const char *end)
{
	const size_t n = sizeof(document_name) - 1;

	at = behind_blanks(at, end);
	return at && (size_t)(end - at) >= n && memcmp(at, document_name, n) == 0;
}

static void document_end(struct input *in)
{
	if (in->document.n > 0)
		document_read(in->m, in->name, in->document_line, &in->document);
	text_free(&in->document);
	in->in = EVENTS;
}

/* A line, or (ends is false) a part of one that is too long for an event or has no end. */
static void take(struct input *in, char *at, size_t n, bool ends)
{
	char brace[] = "{";

	if (in->in == INDENTED && in->number == 2 && !names_document(at, at + n)) {
		text_free(&in->document);
		in->in = EVENTS;
		read_line(in->m, in->name, 1, brace, 1, true);
	}
	if (in->in == EVENTS && n > 0 && *at == '{') {
		if (names_document(at + 1, at + n))
			in->in = DOCUMENT;
		else if (in->number == 1 && ends && !behind_blanks(at + 1, at + n))
			in->in = INDENTED;
		in->document_line = in->number;
	}
	switch (in->in) {
	case EVENTS:
		read_line(in->m, in->name, in->number, at, n, ends || n > LINE_MAX_READ);
		if (!ends)
			in->in = SKIPPING;
		break;
	case SKIPPING:
		if (ends)
			in->in = EVENTS;
		break;
	case DOCUMENT:
	case INDENTED:
		text_put(&in->document, at, in->document.n + n <= DOCUMENT_MAX ? n : 0);
		if (ends && in->in == DOCUMENT)
			document_end(in);
	}
	in->number += ends;
}

bool read_file(struct model *m, const char *file)
{
	static char buffer[1 << 18];
	bool standard = strcmp(file, "-") == 0;
	int fd = standard ? 0 : open(file, O_RDONLY | O_CLOEXEC);
	struct input in = {.m = m, .name = standard ? "stdin" : file, .number = 1};
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, buffer + have, sizeof(buffer) - have)) != 0) {
		char *at = buffer, *end, *stop;

		if (n < 0) {
			int error = errno;

			if (error == EINTR)
				continue;
			if (!standard)
				close(fd);
			text_free(&in.document);
			errno = error;
			return false;
		}
		end = buffer + have + n;
		while ((stop = memchr(at, '\n', (size_t)(end - at)))) {
			take(&in, at, (size_t)(stop - at), true);
			at = stop + 1;
		}
		have = (size_t)(end - at);
		if (have > LINE_MAX_READ) {
			take(&in, at, have, false);
			have = 0;
		}
		memmove(buffer, at, have);
	}
	if (have > 0)
		take(&in, buffer, have, false);
	document_end(&in);
	if (!standard)
		close(fd);
	return true;
}

void read_end(struct model *m)
{
	for (unsigned i = 0; i < WAITING; i++) {
		struct waiting *w = &ring[(ring_at + i) & (WAITING - 1)];

		if (w->process)
			count_event(m, w);
		free(w->line);
		free(w->doc.at);
		*w = (struct waiting){0};
	}
	table_free(&ring_last);
}
