/* SPDX-License-Identifier: ISC
 *
 * --sarif: SARIF 2.1.0 (OASIS), which code hosts show beside the line. */
#include "show.h"
#include "suppress.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct rule {
	enum kind kind;
	const char *id, *name, *level, *what, *help;
} rules[] = {
	{KIND_LEAK, "descriptor-leak", "DescriptorLeak", "error",
		"A descriptor is inherited by a program that nobody meant to have it.",
		"Open it close-on-exec: O_CLOEXEC, SOCK_CLOEXEC, pipe2, accept4, fopen mode "
		"\\\"e\\\"."},
	{KIND_EMFILE, "descriptor-table-full", "DescriptorTableFull", "error",
		"A call failed because no descriptor was free (EMFILE, ENFILE).",
		"See which call sites held the descriptors, and where those should have been "
		"closed."},
	{KIND_NEVER, "descriptor-never-closed", "DescriptorNeverClosed", "warning",
		"A descriptor was still open when its process ended.",
		"Close it when it is no longer needed."},
	{KIND_BAD_CLOSE, "bad-close", "BadClose", "warning",
		"A descriptor was closed that was not open, or that belongs to a stream or "
		"directory.",
		"Close each descriptor once, by its owner: it may be another thread's by then."},
};
enum { RULES = sizeof(rules) / sizeof(*rules) };

static void put_uri(struct text *t, const char *file)
{
	const char *path = show_path(file);
	struct text uri = {0};

	text_add(t, "\"artifactLocation\":{\"uri\":");
	if (*path == '/')
		text_add(&uri, "file://");
	text_uri(&uri, path);
	text_json(t, uri.at);
	if (*path != '/')
		text_add(t, ",\"uriBaseId\":\"SRCROOT\"");
	text_add(t, "}");
	text_free(&uri);
}

/* A location: the line, else the address in the module. */
static void put_location(struct text *t, const struct spot *s, const struct line *l,
	const char *script, unsigned script_line)
{
	text_add(t, "{\"physicalLocation\":{");
	if (script) {
		put_uri(t, script);
		text_format(t, ",\"region\":{\"startLine\":%u}", script_line ? script_line : 1);
	} else if (l && l->file) {
		put_uri(t, l->file);
		text_format(t, ",\"region\":{\"startLine\":%u}", l->line);
	} else {
		put_uri(t, s ? s->module->shown : "unknown");
		if (s && s->offset < 1ULL << 53)
			text_format(t, ",\"address\":{\"relativeAddress\":%llu}",
				(unsigned long long)s->offset);
	}
	text_add(t, "}");
	if (!script && l && l->function) {
		text_add(t, ",\"logicalLocations\":[{\"fullyQualifiedName\":");
		text_json(t, l->function);
		text_add(t, ",\"kind\":\"function\"}]");
	}
	text_add(t, "}");
}

static void put_message(struct text *t, const struct group *g, const struct rule *rule)
{
	struct text raw = {0}, name = {0};

	show_site(&name, g->site);
	show_count(&raw, g->kind == KIND_LEAK ? group_descriptors(g) : g->count,
		g->kind == KIND_BAD_CLOSE || g->kind == KIND_EMFILE ? "time" : "descriptor",
		g->kind == KIND_BAD_CLOSE || g->kind == KIND_EMFILE ? "times" : "descriptors");
	text_format(&raw, " from %s%s%s", g->site->call ? g->site->call : "",
		g->site->call ? " in " : "", name.at);
	if (g->whats.n > 0)
		text_format(&raw, ": %s%s", g->whats.at[0].name, g->whats.n > 1 ? ", ..." : "");
	if (g->targets.n > 0)
		text_format(&raw, " %s %s%s", g->leaked ? "into" : "stopped before",
			g->targets.at[0].name, g->targets.n > 1 ? ", ..." : "");
	if (*g->why)
		text_format(&raw, " (%s)", g->why);
	text_format(&raw, ". %s", rule->what);
	text_add(t, "\"message\":{\"text\":");
	text_json(t, raw.at);
	text_add(t, "}");
	text_free(&raw);
	text_free(&name);
}

static void put_frames(struct text *t, const struct site *s)
{
	bool first = true;

	text_add(t, "{\"frames\":[");
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < (s->at[i]->n ? s->at[i]->n : 1); k++) {
			text_add(t, first ? "{\"location\":" : ",{\"location\":");
			first = false;
			put_location(
				t, s->at[i], k < s->at[i]->n ? &s->at[i]->lines[k] : NULL, NULL, 0);
			text_add(t, ",\"module\":");
			text_json(t, s->at[i]->module->shown);
			text_add(t, "}");
		}
	text_add(t, "]}");
}

/* Of each call site of the line. */
static void put_stacks(struct text *t, const struct group *g)
{
	bool any = false;

	for (size_t i = 0; i < (g->parts_n ? g->parts_n : 1); i++) {
		const struct site *s = g->parts_n ? g->parts[i].site : g->site;

		if (s->n == 0)
			continue;
		text_add(t, any ? "," : ",\"stacks\":[");
		put_frames(t, s);
		any = true;
	}
	if (any)
		text_add(t, "]");
}

/* -- fingerprints ---------------------------------------------------------------------------- */

/* What names a finding in the next build, too: no number of a line, no address, no build id. */
struct print {
	const struct group *group;
	uint64_t hash;
	unsigned same; /* so many before it have the same hash */
};

/* The text of a line without its blanks; nothing where the file cannot be read. */
static void put_source(struct text *t, const char *file, unsigned number)
{
	enum { SOURCE_MAX = 1 << 24 };
	/* O_NONBLOCK: what an event names may be a FIFO or a device */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat st;
	char *line = NULL;
	size_t room = 0;

	if (!f) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= SOURCE_MAX) {
		while (number > 0 && getline(&line, &room, f) >= 0)
			number--;
		for (const char *p = line; p && *p && number == 0; p++)
			if (!strchr(" \t\r\n", *p))
				text_put(t, p, 1);
	}
	free(line);
	fclose(f);
}

static uint64_t print_of(const struct group *g)
{
	const struct line *l = site_line(g->site);
	const struct spot *spot = site_spot(g->site);
	struct text key = {0};
	const char *file;
	unsigned number;
	uint64_t hash;

	text_format(&key, "%s%c%s%c", g->kind == KIND_BAD_CLOSE ? g->why : "", 0,
		g->site->call ? g->site->call : "", 0);
	if (!g->site->script && l && l->function)
		text_add(&key, l->function);
	text_put(&key, "", 1);
	if (show_source(g->site, &file, &number)) {
		text_format(&key, "%s%c", show_base(file), 0);
		put_source(&key, file, number);
	} else {
		text_format(&key, "%s%c", spot ? show_base(spot->module->shown) : "", 0);
		if (!l || !l->function) /* then what it is tells more than nothing */
			suppress_what(&key, g);
	}
	hash = text_mark(key.at, key.n);
	text_free(&key);
	return hash;
}

/* Where findings have the same print, the order of their lines tells them apart. */
static int by_print(const void *a, const void *b)
{
	const struct print *x = a, *y = b;
	const struct spot *s = site_spot(x->group->site), *o = site_spot(y->group->site);
	const char *file = "", *other = "";
	unsigned line = 0, before = 0;

	if (x->group->kind != y->group->kind)
		return x->group->kind < y->group->kind ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	show_source(x->group->site, &file, &line);
	show_source(y->group->site, &other, &before);
	if (strcmp(file, other) != 0)
		return strcmp(file, other);
	if (line != before)
		return line < before ? -1 : 1;
	if (s && o && s->offset != o->offset)
		return s->offset < o->offset ? -1 : 1;
	return strcmp(x->group->why, y->group->why);
}

static int by_group(const void *a, const void *b)
{
	const struct print *x = a, *y = b;

	return x->group < y->group ? -1 : x->group > y->group;
}

/* The prints of all groups, in order of their addresses. */
static struct print *prints_make(const struct model *m)
{
	struct print *all = memory((m->n + 1) * sizeof(*all));

	for (size_t i = 0; i < m->n; i++)
		all[i] = (struct print){m->all[i], print_of(m->all[i]), 0};
	qsort(all, m->n, sizeof(*all), by_print);
	for (size_t i = 1; i < m->n; i++)
		if (all[i].hash == all[i - 1].hash && all[i].group->kind == all[i - 1].group->kind)
			all[i].same = all[i - 1].same + 1;
	qsort(all, m->n, sizeof(*all), by_group);
	return all;
}

static void put_result(
	struct text *t, const struct group *g, size_t rule, const struct print *prints, size_t n)
{
	const struct print key = {.group = g}, *print = bsearch(&key, prints, n, sizeof(*prints), by_group);

	text_format(t, "{\"ruleId\":\"%s\",\"ruleIndex\":%zu,\"level\":\"%s\",", rules[rule].id,
		rule, g->kind == KIND_LEAK && !g->leaked ? "warning" : rules[rule].level);
	put_message(t, g, &rules[rule]);
	text_add(t, ",\"locations\":[");
	put_location(
		t, site_spot(g->site), site_line(g->site), g->site->script, g->site->script_line);
	text_add(t, "]");
	put_stacks(t, g);
	text_format(t, ",\"occurrenceCount\":%lu", g->count ? g->count : 1);
	text_format(t, ",\"partialFingerprints\":{\"callSite/v2\":\"%016llx:%u\"}",
		(unsigned long long)print->hash, print->same + 1);
	if (g->diff != DIFF_NONE)
		text_format(t, ",\"baselineState\":\"%s\"",
			g->diff == DIFF_NEW    ? "new"
			: g->diff == DIFF_GONE ? "absent"
			: g->diff == DIFF_SAME ? "unchanged"
					       : "updated");
	if (g->suppressed) {
		text_add(t, ",\"suppressions\":[{\"kind\":\"external\",\"justification\":");
		text_json(t, g->suppressed);
		text_add(t, "}]");
	}
	text_add(t, "}");
}

void show_sarif(struct text *t, const struct model *m, const struct show *show)
{
	struct print *prints = prints_make(m);
	bool first = true;

	(void)show;
	text_add(t, "{\"$schema\":\"https://json.schemastore.org/"
		    "sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"
		    "\"tool\":{\"driver\":{\"name\":\"jailreport\",\"version\":\"" LIBJAIL_VERSION
		    "\",\"rules\":[");
	for (size_t i = 0; i < RULES; i++)
		text_format(t,
			"%s{\"id\":\"%s\",\"name\":\"%s\",\"shortDescription\":{\"text\":\"%s\"},"
			"\"help\":{\"text\":\"%s\"},\"defaultConfiguration\":{\"level\":\"%s\"}}",
			i ? "," : "", rules[i].id, rules[i].name, rules[i].what, rules[i].help,
			rules[i].level);
	text_add(t, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < RULES; k++)
			if (rules[k].kind == m->all[i]->kind) {
				text_add(t, first ? "" : ",");
				first = false;
				put_result(t, m->all[i], k, prints, m->n);
			}
	text_add(t, "]}]}\n");
	free(prints);
}
