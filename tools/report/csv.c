/* SPDX-License-Identifier: ISC
 *
 * --csv: one line for each group (RFC 4180, with a heading), times in UTC. */
#include "show.h"
#include <stdio.h>
#include <time.h>

static void cell(struct text *t, const char *raw)
{
	if (t->n > 0 && t->at[t->n - 1] != '\n')
		text_add(t, ",");
	text_csv(t, raw ? raw : "");
	if ((!raw || !*raw) && (t->n == 0 || t->at[t->n - 1] == '\n'))
		text_add(t, "\"\"");
}

static void cell_number(struct text *t, long long n)
{
	char s[32];

	snprintf(s, sizeof(s), "%lld", n);
	text_add(t, ",");
	text_add(t, s);
}

static void cell_time(struct text *t, int64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	char s[64] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	cell(t, s);
}

static void cell_tally(struct text *t, const struct tally *tally)
{
	struct text all = {0};

	for (unsigned i = 0; i < tally->n; i++)
		text_format(&all, "%s%s", i ? "; " : "", tally->at[i].name);
	cell(t, all.at);
	text_free(&all);
}

/* The hash, or the address, of each call site of the line. */
static void cell_sites(struct text *t, const struct group *g, bool address)
{
	struct text all = {0};

	for (size_t i = 0; i < (g->parts_n ? g->parts_n : 1); i++) {
		const struct site *site = g->parts_n ? g->parts[i].site : g->site;
		const struct spot *s = site_spot(site);

		if (i > 0)
			text_add(&all, "; ");
		if (!address)
			text_add(&all, site->hash);
		else if (s)
			text_format(&all, "0x%llx", (unsigned long long)s->offset);
	}
	cell(t, all.at);
	text_free(&all);
}

void show_csv(struct text *t, const struct model *m, const struct show *show)
{
	static const char *const diffs[] = {"", "new", "grown", "same", "gone"};

	text_add(t, "kind,count,descriptors,site,call,function,file,line,module,offset,why,what,"
		    "into,from,hosts,"
		    "first,last,diff,suppressed\n");
	for (size_t i = 0; i < m->n; i++) {
		const struct group *g = m->all[i];
		const struct spot *s = site_spot(g->site);
		const struct line *l = site_line(g->site);
		const char *file = NULL;
		unsigned line = 0;

		if (!g->suppressed && !show_wanted(show, g))
			continue;
		show_source(g->site, &file, &line);
		cell(t, kind_names[g->kind]);
		cell_number(t, (long long)g->count);
		cell_number(t, (long long)group_descriptors(g));
		cell_sites(t, g, false);
		cell(t, g->site->call);
		cell(t, l ? l->function : NULL);
		cell(t, file);
		if (line)
			cell_number(t, line);
		else
			cell(t, NULL);
		cell(t, s ? s->module->shown : NULL);
		cell_sites(t, g, true);
		cell(t, g->why);
		cell_tally(t, &g->whats);
		cell_tally(t, &g->targets);
		cell_tally(t, g->heirs.n ? &g->heirs : &g->programs);
		cell_tally(t, &g->hosts);
		cell_time(t, g->first);
		cell_time(t, g->last);
		cell(t, diffs[g->diff]);
		cell(t, g->suppressed);
		text_add(t, "\n");
	}
}
