/* SPDX-License-Identifier: ISC
 *
 * What became of the processes: a start without an exit is a process that still runs, or one that a
 * signal has ended, which /proc tells apart; an exec without a start is a program that libjail was
 * not loaded into, for which the program's file may say why. */
#include "process.h"
#include "elf.h"
#include "show.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES_MAX = 65536 /* at once: later ones are not followed */ };

struct process {
	long pid;
	char *program, *target; /* target: it has executed that, and has not said more since, */
	char *why;              /* since it is not watched for this reason; NULL: not said */
	int64_t t;
	bool here, inherits; /* target has inherited what it would tell of at once */
};

static void process_free(struct process *p)
{
	if (p) {
		free(p->program);
		free(p->target);
		free(p->why);
		free(p);
	}
}

static void set_text(char **at, const char *text)
{
	free(*at);
	*at = text ? memory_text(text) : NULL;
}

/* Makes room in the place of processes that have ended. */
static void clean(struct model *m)
{
	struct table live = {0};

	for (size_t i = 0; i < m->alive.room; i++)
		if (m->alive.at[i].key && m->alive.at[i].value)
			*table_put(&live, m->alive.at[i].key, m->alive.at[i].size) = m->alive.at[i].value;
	table_free(&m->alive);
	m->alive = live;
	m->alive_full = live.n > PROCESSES_MAX / 2;
}

static struct process **process_put(struct model *m, const struct json *e, const struct fact *f)
{
	struct text key = {0};
	const char *run = json_text(e, "run");
	struct process **at;

	text_format(&key, "%s%c%s%c%ld", f->host, 0, run ? run : "", 0, f->pid);
	at = (struct process **)table_put(&m->alive, key.at, key.n);
	text_free(&key);
	return at;
}

static void add_unwatched(struct model *m, const char *target, const char *why)
{
	static const char *const words[][2] = {
		{"static",    "is statically linked"                                      },
		{"go",        "is made with Go, which makes system calls by itself"       },
		{"setid",     "is set-user-ID or set-group-ID"                            },
		{"arch",      "is for another architecture"                               },
		{"sanitizer", "has a sanitizer that does not start behind another library"},
	};
	struct text name = {0};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i][0], why) == 0)
			why = words[i][1];
	text_format(&name, "%s %s", target, why);
	tally_add(&m->unwatched, name.at, 1);
	text_free(&name);
}

/* libjail's own word, which needs no end of the events. */
static void unwatched_event(struct model *m, const struct json *e, struct process *p)
{
	const char *target = json_text(e, "target"), *why = json_text(e, "why");

	if (!target || !why)
		return;
	if (json_number(e, "exec", 0) == 0) { /* the program itself says so */
		add_unwatched(m, target, why);
		return;
	}
	set_text(&p->target, target);
	set_text(&p->why, why);
}

void process_event(struct model *m, const struct json *e, const char *ev, const struct fact *f)
{
	const char *target = json_text(e, "target");
	struct process **at, *p;
	bool starts = strcmp(ev, "start") == 0, exits = strcmp(ev, "exit") == 0;

	if (!starts && !exits && !target)
		return;
	if (m->alive.n >= PROCESSES_MAX && !m->alive_full)
		clean(m);
	if (m->alive_full)
		return;
	at = process_put(m, e, f);
	p = *at;
	/* It has ended, and another has its number, or it has executed one that is watched. */
	if (p && p->why && (starts || exits))
		add_unwatched(m, p->target, p->why);
	if (exits) {
		process_free(p);
		*at = NULL;
		return;
	}
	if (!p)
		p = *at = memory(sizeof(*p));
	p->pid = f->pid;
	p->t = f->t;
	p->here = f->here;
	set_text(&p->program, f->from);
	if (strcmp(ev, "unwatched") == 0) {
		unwatched_event(m, e, p);
		return;
	}
	set_text(&p->target, starts ? NULL : target);
	if (starts)
		set_text(&p->why, NULL);
	p->inherits = !starts && (p->inherits || strcmp(ev, "stopped") != 0);
}

/* -- the end --------------------------------------------------------------------------------- */

/* Does this process still run under libjail, and did it start before its event? */
static bool runs(const struct process *p)
{
	char path[64], line[1024], state = 0;
	unsigned long long started = 0;
	struct timespec now, up;
	bool loaded = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", p->pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fgets(line, sizeof(line), f) && strrchr(line, ')'))
		sscanf(strrchr(line, ')'),
			") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			&state, &started);
	fclose(f);
	if (state == 0 || strchr("ZXx", state))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	if (now.tv_sec - up.tv_sec + (int64_t)started / sysconf(_SC_CLK_TCK) > p->t / 1000000 + 2)
		return false; /* another has its number */
	snprintf(path, sizeof(path), "/proc/%ld/maps", p->pid);
	f = fopen(path, "re");
	while (f && !loaded && fgets(line, sizeof(line), f))
		loaded = strstr(line, "/libjail.so") != NULL;
	if (f)
		fclose(f);
	return loaded;
}

/* Why a program that was executed said nothing: NULL when that cannot be seen. */
static const char *why_silent(const struct model *m, const struct process *p)
{
	struct text path = {0};
	const char *why = NULL;
	struct stat st;

	for (unsigned i = 0; p->here && i <= m->roots.n && !why; i++) { /* a root's, or the host's */
		struct elf *e;

		text_free(&path);
		if (i < m->roots.n)
			text_add(&path, m->roots.at[i].name);
		text_add(&path, p->target);
		e = elf_open(path.at);
		if (e && elf_static(e))
			why = "static";
		else if (e && stat(path.at, &st) == 0 && st.st_mode & (S_ISUID | S_ISGID))
			why = "setid";
		elf_close(e);
	}
	text_free(&path);
	return why;
}

void process_forget(struct model *m)
{
	for (size_t i = 0; i < m->alive.room; i++)
		if (m->alive.at[i].key)
			process_free(m->alive.at[i].value);
	table_free(&m->alive);
}

void process_end(struct model *m)
{
	for (size_t i = 0; i < m->alive.room; i++) {
		const struct process *p = m->alive.at[i].key ? m->alive.at[i].value : NULL;
		const char *why = p && p->why ? p->why : p && p->target ? why_silent(m, p) : NULL;
		struct text name = {0};

		if (!p)
			continue;
		if (p->target && (why || p->inherits)) {
			add_unwatched(m, p->target, why ? why : "sent no events");
		} else if (!p->target && p->here && runs(p)) {
			text_format(&name, "%s (%ld)", p->program, p->pid);
			tally_add(&m->running, name.at, 1);
		}
		text_free(&name);
	}
	process_forget(m);
	tally_sort(&m->unwatched);
	tally_sort(&m->running);
}
