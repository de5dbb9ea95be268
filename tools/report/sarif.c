/* SPDX-License-Identifier: ISC
 *
 * --sarif: SARIF 2.1.0 (OASIS), which code hosts show beside the line. */
#include "show.h"
#include <string.h>

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

/* The same whichever call site of the line leaked the most. */
static const char *fingerprint(const struct group *g)
{
	const char *least = g->site->hash;

	for (size_t i = 0; i < g->parts_n; i++)
		if (strcmp(g->parts[i].site->hash, least) < 0)
			least = g->parts[i].site->hash;
	return least;
}

static void put_result(struct text *t, const struct group *g, size_t rule)
{
	text_format(t, "{\"ruleId\":\"%s\",\"ruleIndex\":%zu,\"level\":\"%s\",", rules[rule].id,
		rule, g->kind == KIND_LEAK && !g->leaked ? "warning" : rules[rule].level);
	put_message(t, g, &rules[rule]);
	text_add(t, ",\"locations\":[");
	put_location(
		t, site_spot(g->site), site_line(g->site), g->site->script, g->site->script_line);
	text_add(t, "]");
	put_stacks(t, g);
	text_format(t, ",\"occurrenceCount\":%lu", g->count ? g->count : 1);
	if (*fingerprint(g))
		text_format(
			t, ",\"partialFingerprints\":{\"callSite/v1\":\"%s\"}", fingerprint(g));
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
				put_result(t, m->all[i], k);
			}
	text_add(t, "]}]}\n");
}
