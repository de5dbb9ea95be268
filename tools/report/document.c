/* SPDX-License-Identifier: ISC
 *
 * --json: the whole report as one document with all names resolved, on one line; and such a
 * document read again, so that --diff can compare with a release whose files are long gone. */
#include "document.h"
#include "show.h"
#include "suppress.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- writing --------------------------------------------------------------------------------- */

static void put_name(struct text *t, const char *name)
{
	if (t->at[t->n - 1] != '{' && t->at[t->n - 1] != '[')
		text_add(t, ",");
	if (name) {
		text_json(t, name);
		text_add(t, ":");
	}
}

static void put_string(struct text *t, const char *name, const char *value)
{
	put_name(t, name);
	text_json(t, value);
}

static void put_number(struct text *t, const char *name, unsigned long n)
{
	put_name(t, name);
	text_format(t, "%lu", n);
}

static void put_time(struct text *t, const char *name, int64_t us)
{
	put_name(t, name);
	text_format(t, "%lld.%06d", (long long)(us / 1000000), (int)(us % 1000000));
}

static void put_tally(struct text *t, const char *name, const struct tally *tally)
{
	if (tally->n == 0)
		return;
	put_name(t, name);
	text_add(t, "[");
	for (unsigned i = 0; i < tally->n; i++) {
		put_name(t, NULL);
		text_add(t, "{");
		put_string(t, "name", tally->at[i].name);
		put_number(t, "count", tally->at[i].n);
		text_add(t, "}");
	}
	text_add(t, "]");
	if (tally->others) {
		struct text more = {0};

		text_format(&more, "%s_more", name);
		put_number(t, more.at, tally->others);
		text_free(&more);
	}
}

/* The hashes that a number of different things is counted by: reports are added up by them. */
static void put_distinct(struct text *t, const char *name, const struct distinct *d)
{
	if (d->n == 0)
		return;
	put_name(t, name);
	text_add(t, "[");
	for (unsigned i = 0; i < d->n; i++) {
		put_name(t, NULL);
		text_format(t, "\"%llx\"", (unsigned long long)d->at[i]);
	}
	text_add(t, "]");
}

static void put_frame(struct text *t, const char *name, const struct spot *s, const struct line *l)
{
	put_name(t, name);
	text_add(t, "{");
	put_string(t, "module", s->module->shown);
	if (*s->module->id)
		put_string(t, "id", s->module->id);
	put_name(t, "offset");
	text_format(t, "\"0x%llx\"", (unsigned long long)s->offset);
	if (l && l->function)
		put_string(t, "function", l->function);
	if (l && l->file) {
		put_string(t, "file", l->file);
		put_number(t, "line", l->line);
	} else if (l && l->plus) {
		put_number(t, "plus", l->plus);
	}
	text_add(t, "}");
}

/* The members of an object that tells of a site. */
static void put_site(struct text *t, const struct site *s)
{
	struct text name = {0};

	show_site(&name, s);
	put_string(t, "site", *s->hash ? s->hash : NULL);
	put_string(t, "name", name.at);
	text_free(&name);
	if (s->call)
		put_string(t, "call", s->call);
	if (s->script) {
		put_name(t, "script");
		text_add(t, "{");
		put_string(t, "file", s->script);
		put_number(t, "line", s->script_line);
		text_add(t, "}");
	}
	if (s->n == 0)
		return;
	if (site_via(s)) /* it ended in the call, and left no frame */
		put_frame(t, "tail_call", site_via(s), site_via(s)->n ? &site_via(s)->lines[0] : NULL);
	/* "inlined": the function is part of the next one's code, at the same address */
	put_name(t, "stack");
	text_add(t, "[");
	for (size_t i = 0; i < s->n; i++) {
		const struct spot *spot = s->at[i];

		if (spot->n == 0)
			put_frame(t, NULL, spot, NULL);
		for (size_t k = 0; k < spot->n; k++) {
			put_frame(t, NULL, spot, &spot->lines[k]);
			t->n--; /* the brace */
			if (i == s->blame && k == 0)
				text_add(t, ",\"blamed\":true");
			if (k + 1 < spot->n)
				text_add(t, ",\"inlined\":true");
			text_add(t, "}");
		}
		if (spot->n == 0 && i == s->blame) {
			t->n--;
			text_add(t, ",\"blamed\":true}");
		}
	}
	text_add(t, "]");
}

static void put_other(struct text *t, const char *name, const struct site *s)
{
	if (!s)
		return;
	put_name(t, name);
	text_add(t, "{");
	put_site(t, s);
	text_add(t, "}");
}

/* Each call site of a line that has several. */
static void put_parts(struct text *t, const struct group *g)
{
	if (g->parts_n < 2)
		return;
	put_name(t, "sites");
	text_add(t, "[");
	for (size_t i = 0; i < g->parts_n; i++) {
		put_name(t, NULL);
		text_add(t, "{");
		put_site(t, g->parts[i].site);
		put_number(t, "count", g->parts[i].count);
		put_other(t, "made", g->parts[i].made);
		put_other(t, "closed", g->parts[i].closed);
		text_add(t, "}");
	}
	text_add(t, "]");
}

static void put_group(struct text *t, const struct group *g)
{
	static const char *const diffs[] = {NULL, "new", "grown", "same", "gone"};

	put_name(t, NULL);
	text_add(t, "{");
	put_string(t, "kind", kind_names[g->kind]);
	put_site(t, g->site);
	if (*g->why)
		put_string(t, "why", g->why);
	put_number(t, "count", g->count);
	put_number(t, "descriptors", group_descriptors(g));
	put_number(t, "events", g->events);
	if (g->kind == KIND_LEAK) {
		put_number(t, "leaked", g->leaked);
		put_number(t, "stopped", g->stopped);
	}
	if (g->kind == KIND_EMFILE) {
		put_number(t, "missed", g->missed);
		if (g->limit >= 0)
			put_number(t, "limit", (unsigned long)g->limit);
		if (g->open >= 0)
			put_number(t, "open", (unsigned long)g->open);
	}
	put_time(t, "first", g->first);
	put_time(t, "last", g->last);
	put_tally(t, "class", &g->classes);
	put_tally(t, g->kind == KIND_BAD_CLOSE ? "numbers" : "what", &g->whats);
	put_tally(t, "into", &g->targets);
	put_tally(t, "from", &g->programs);
	put_tally(t, "hosts", &g->hosts);
	put_tally(t, "by", &g->heirs);
	if (g->chain)
		put_string(t, "chain", g->chain);
	put_other(t, "made", g->made);
	put_other(t, "closed", g->closed);
	put_parts(t, g);
	if (g->line) {
		int last = TIMELINE - 1;

		while (last > 0 && !g->line->n[last])
			last--;
		put_name(t, "timeline");
		text_add(t, "{");
		put_time(t, "start", g->line->base << g->line->shift);
		put_time(t, "step", (int64_t)1 << g->line->shift);
		put_name(t, "counts");
		text_add(t, "[");
		for (int i = 0; i <= last; i++)
			put_number(t, NULL, g->line->n[i]);
		text_add(t, "]}");
	}
	if (g->diff != DIFF_NONE) {
		put_string(t, "diff", diffs[g->diff]);
		put_number(t, "before", g->before);
	}
	if (g->suppressed)
		put_string(t, "suppressed", g->suppressed);
	text_add(t, "}");
}

static void put_note(void *arg, const struct module *module)
{
	struct text *t = arg;

	put_name(t, NULL);
	text_add(t, "{");
	put_string(t, "module", module->path);
	put_string(t, "note", module->note);
	text_add(t, "}");
}

void show_json(struct text *t, const struct model *m, const struct show *show)
{
	struct text summary = {0};

	text_add(t, "{\"jailreport\":1");
	put_string(t, "version", LIBJAIL_VERSION);
	show_summary(&summary, m, show);
	put_string(t, "summary", summary.at);
	text_free(&summary);
	put_name(t, "failed");
	text_add(t, show_sums(m, show).bad ? "true" : "false");
	put_number(t, "lines", m->lines);
	put_number(t, "events", m->events);
	put_number(t, "processes", m->processes);
	put_number(t, "runs", distinct_count(&m->every_run));
	put_distinct(t, "run_ids", &m->every_run);
	put_number(t, "hosts", distinct_count(&m->every_host));
	put_distinct(t, "host_ids", &m->every_host);
	put_tally(t, "host_names", &m->hosts);
	put_tally(t, "running", &m->running);
	put_tally(t, "unwatched", &m->unwatched);
	put_number(t, "made", m->made);
	put_number(t, "exits", m->exits);
	put_number(t, "snapshots", m->snapshots);
	put_number(t, "unknown_events", m->unknown);
	put_number(t, "failed_execs", m->failed_execs);
	put_time(t, "first", m->first);
	put_time(t, "last", m->last);
	put_name(t, "malformed");
	text_format(t, "{\"lines\":%lu", m->malformed);
	put_name(t, "first");
	text_add(t, "[");
	for (unsigned long i = 0; i < m->malformed && i < MALFORMED; i++)
		put_string(t, NULL, m->malformed_at[i]);
	text_add(t, "]}");
	put_name(t, "notes");
	text_add(t, "[");
	show_notes(m, show, put_note, t);
	text_add(t, "]");
	put_name(t, "groups");
	text_add(t, "[");
	for (size_t i = 0; i < m->n; i++)
		put_group(t, m->all[i]);
	text_add(t, "]}\n");
}

/* -- reading --------------------------------------------------------------------------------- */

static unsigned long whole(const struct json *o, const char *name)
{
	long long n = json_number(o, name, 0);

	return n > 0 ? (unsigned long)n : 0;
}

/* The address that a frame names. */
static struct spot *get_spot(struct model *m, const struct json *frame)
{
	const char *module = json_text(frame, "module"), *id = json_text(frame, "id"),
		   *offset = json_text(frame, "offset");

	return model_spot(m, module && *module ? module : "?", id ? id : "",
		offset ? strtoull(offset, NULL, 16) : 0);
}

/* Adds the function that a frame names to those of its address. */
static void get_line(struct spot *spot, const struct json *frame)
{
	const char *function = json_text(frame, "function"), *path = json_text(frame, "file");

	if (!function && !path)
		return;
	spot->lines = memory_more(spot->lines, spot->n + 1, sizeof(*spot->lines));
	spot->lines[spot->n++] = (struct line){function ? memory_text(function) : NULL,
		path ? memory_text(path) : NULL, (unsigned)whole(frame, "line"), whole(frame, "plus")};
}

static struct site *get_site(struct model *m, const struct json *o)
{
	struct site *s;
	const struct json *stack = json_get(o, "stack"), *script = json_get(o, "script"),
			  *tail = json_get(o, "tail_call");
	const char *hash = json_text(o, "site"), *call = json_text(o, "call"),
		   *file = json_text(script, "file");
	struct spot *spot = NULL;
	bool inlined = false;

	if (!o || o->type != JSON_OBJECT)
		return NULL;
	s = model_site(m, hash, call);
	if (s->n > 0 || s->script)
		return s;
	if (call && !s->call)
		s->call = memory_text(call);
	if (file) {
		s->script = memory_text(file);
		s->script_line = (unsigned)whole(script, "line");
	}
	for (const struct json *c = stack && stack->type == JSON_ARRAY ? json_first(stack) : NULL;
		c; c = json_next(stack, c)) {
		if (!inlined) {
			if (s->n == SITE_FRAMES)
				break;
			spot = get_spot(m, c);
			if (json_get(c, "blamed"))
				s->blame = s->n;
			s->at[s->n++] = spot;
			if (spot->n > 0) /* another stack went here */
				spot = NULL;
		}
		inlined = json_get(c, "inlined") != NULL;
		if (spot)
			get_line(spot, c);
	}
	if (s->n > 0 && tail && !s->at[0]->via) {
		s->at[0]->via = get_spot(m, tail);
		if (s->at[0]->via->n == 0)
			get_line(s->at[0]->via, tail);
	}
	return s;
}

/* The tally of that name in an object. */
static void get_tally(struct tally *t, const struct json *o, const char *name)
{
	const struct json *list = json_get(o, name);
	struct text more = {0};

	text_format(&more, "%s_more", name);
	t->others += whole(o, more.at);
	text_free(&more);
	for (const struct json *c = list && list->type == JSON_ARRAY ? json_first(list) : NULL; c;
		c = json_next(list, c))
		tally_add(t, json_text(c, "name"), whole(c, "count"));
}

static void get_distinct(struct distinct *d, const struct json *list)
{
	for (const struct json *c = list && list->type == JSON_ARRAY ? json_first(list) : NULL; c;
		c = json_next(list, c))
		if (c->type == JSON_STRING)
			distinct_add(d, strtoull(c->text, NULL, 16));
}

static void get_timeline(struct timeline **line, const struct json *o)
{
	const struct json *counts = json_get(o, "counts");
	int64_t at = json_time(o, "start"), step = json_time(o, "step");

	if (!counts || counts->type != JSON_ARRAY || at == 0 || step == 0)
		return;
	timeline_begin(line, at, step);
	for (const struct json *c = json_first(counts); c; c = json_next(counts, c), at += step) {
		long long n = json_whole(c, 0);

		if (at < 0 || at > (int64_t)4000000000 * 1000000)
			return;
		if (n > 0 && n <= 1000000000)
			timeline_add(line, at, (unsigned long)n);
	}
}

static void get_group(struct model *m, const struct json *o)
{
	const char *kind = json_text(o, "kind"), *why = json_text(o, "why"),
		   *suppressed = json_text(o, "suppressed");
	const char *diff = json_text(o, "diff"), *chain = json_text(o, "chain");
	const struct json *sites = json_get(o, "sites");
	struct site *site = get_site(m, o);
	struct group *g;
	int k = 0;

	while (k < KINDS && (!kind || strcmp(kind, kind_names[k]) != 0))
		k++;
	if (k == KINDS || !site || (diff && strcmp(diff, "gone") == 0))
		return;
	g = model_group(m, (enum kind)k, site, why ? why : "", get_site(m, json_get(o, "made")),
		get_site(m, json_get(o, "closed")));
	g->count = whole(o, "count");
	g->descriptors = whole(o, "descriptors");
	g->events = whole(o, "events");
	g->leaked = whole(o, "leaked");
	g->stopped = whole(o, "stopped");
	g->missed = whole(o, "missed");
	g->limit = (long)json_number(o, "limit", -1);
	g->open = (long)json_number(o, "open", -1);
	g->first = json_time(o, "first");
	g->last = json_time(o, "last");
	get_tally(&g->whats, o, k == KIND_BAD_CLOSE ? "numbers" : "what");
	get_tally(&g->targets, o, "into");
	get_tally(&g->programs, o, "from");
	get_tally(&g->hosts, o, "hosts");
	get_tally(&g->heirs, o, "by");
	get_tally(&g->classes, o, "class");
	get_timeline(&g->line, json_get(o, "timeline"));
	for (const struct json *c = sites && sites->type == JSON_ARRAY ? json_first(sites) : NULL; c;
		c = json_next(sites, c)) {
		struct part p = {get_site(m, c), get_site(m, json_get(c, "made")),
			get_site(m, json_get(c, "closed")), whole(c, "count")};

		if (p.site)
			group_part(g, p);
	}
	if (chain)
		g->chain = memory_text(chain);
	if (k == KIND_KEPT)
		m->kept += g->count;
	if (k == KIND_INHERITED)
		m->inherited += g->count;
	if (suppressed)
		g->suppressed = memory_text(suppressed);
	if (m->suppress) { /* as far as the sums tell */
		struct fact f = {.kind = g->kind, .call = site->call, .why = why};

		f.what = g->whats.n ? g->whats.at[0].name : NULL;
		f.to = g->targets.n ? g->targets.at[0].name : NULL;
		f.from = g->programs.n ? g->programs.at[0].name : NULL;
		f.host = g->hosts.n ? g->hosts.at[0].name : NULL;
		g->set = suppress_set(m->suppress, &f);
	}
}

/* What is told of all groups together; of a second document it adds up. */
static void get_head(struct model *m, const struct json *o)
{
	const struct json *malformed = json_get(o, "malformed"), *at = json_get(malformed, "first");
	int64_t first = json_time(o, "first"), last = json_time(o, "last");
	unsigned long events = whole(o, "events"), left = whole(malformed, "lines");

	if (events && (m->events == 0 || first < m->first))
		m->first = first;
	if (last > m->last)
		m->last = last;
	m->events += events;
	m->processes += whole(o, "processes");
	m->lines += whole(o, "lines");
	m->made += whole(o, "made");
	m->exits += whole(o, "exits");
	m->snapshots += whole(o, "snapshots");
	m->unknown += whole(o, "unknown_events");
	m->failed_execs += whole(o, "failed_execs");
	get_distinct(&m->every_run, json_get(o, "run_ids"));
	get_distinct(&m->every_host, json_get(o, "host_ids"));
	get_tally(&m->hosts, o, "host_names");
	get_tally(&m->running, o, "running");
	get_tally(&m->unwatched, o, "unwatched");
	for (const struct json *c = at && at->type == JSON_ARRAY ? json_first(at) : NULL; c && left;
		c = json_next(at, c)) {
		if (c->type == JSON_STRING && m->malformed < MALFORMED)
			m->malformed_at[m->malformed++] = memory_text(c->text);
		left--;
	}
	m->malformed += left;
}

void document_read(struct model *m, const char *file, unsigned long line, struct text *all)
{
	struct json_doc doc = {0};
	const struct json *groups, *runs, *run;

	if (!json_parse(&doc, all->at, all->n)) {
		m->lines++;
		model_malformed(m, file, line, doc.wrong);
		free(doc.at);
		return;
	}
	runs = json_get(doc.at, "run_ids");
	run = json_first(runs);
	if (m->last_run && run && json_next(runs, run)) {
		m->lines++;
		model_malformed(m, file, line, "the sum of several runs: --last needs their events");
	} else if (model_run(m, run && run->type == JSON_STRING ? strtoull(run->text, NULL, 16) : 0,
			   json_time(doc.at, "first"))) {
		get_head(m, doc.at);
		groups = json_get(doc.at, "groups");
		for (const struct json *c =
				groups && groups->type == JSON_ARRAY ? json_first(groups) : NULL;
			c; c = json_next(groups, c))
			get_group(m, c);
	}
	free(doc.at);
}
