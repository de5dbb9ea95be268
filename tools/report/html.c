/* SPDX-License-Identifier: ISC
 *
 * --html: one page that needs nothing else: no script, no font, no picture from anywhere.  The
 * timeline is one row for each call site with a scale of its own, so that nothing is told by colour
 * alone and a site with three descriptors can be seen beside one with thousands. */
#include "show.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	ROWS = 10,
	WIDTH = 960,
	LEFT = 2,
	ROW = 74,      /* label, plot, space */
	PLOT_TOP = 24, /* within the row */
	PLOT = 36,
	AXIS = 34,
	TICKS = 5,
	LABEL_CHARS = 88,
	NARROW_CHARS = 38,
	NAME_CHARS = 120,
	LIST_ITEMS = 6,
	TABLE_ROWS = 1000, /* what a browser shows without a pause */
};

static const char style[] =
	":root{--bg:#fff;--fg:#1b1f24;--soft:#59636e;--line:#d1d9e0;--card:#f6f8fa;--leak:#b3261e;"
	"--full:#8250df;--never:#9a6700;--bad:#0969da;--tint:.16}\n"
	"@media "
	"(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9198a1;--line:#30363d;"
	"--card:#151b23;--leak:#ff8a80;--full:#c297ff;--never:#e3b341;--bad:#79c0ff;--tint:.24}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:1.5rem;max-width:75rem;overflow-wrap:anywhere;"
	"background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}\n"
	"h2{font-size:1.15rem;margin:2rem 0 .5rem}\n"
	"h2 small{font-weight:normal;color:var(--soft);font-size:.9rem}\n"
	"p{margin:.25rem 0}.soft,figcaption{color:var(--soft);font-size:.9rem}\n"
	"figure{margin:1.5rem 0 0;padding:1rem;background:var(--card);border:1px solid "
	"var(--line);border-radius:6px}\n"
	".wide{overflow-x:auto}\n"
	"svg{display:block;width:100%}svg svg{overflow:visible}\n"
	"svg text{fill:var(--fg);font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\n"
	"svg .soft{fill:var(--soft);font-size:12px}svg .count{font-weight:bold}\n"
	"svg .grid{stroke:var(--line);stroke-width:1}\n"
	"svg .area{fill-opacity:var(--tint);stroke-width:2;stroke-linejoin:round}\n"
	".leak{--c:var(--leak)}.holder,.emfile,.snapshot{--c:var(--full)}.never-closed{--c:var(--"
	"never)}"
	".bad-close,.kept,.inherited{--c:var(--bad)}\n"
	"svg .area{fill:var(--c);stroke:var(--c);vector-effect:non-scaling-stroke}\n"
	"svg .narrow{display:none}\n"
	"table{border-collapse:collapse;width:100%;table-layout:fixed}\n"
	"th{text-align:left;font-size:.85rem;color:var(--soft);font-weight:600}\n"
	"th,td{padding:.5rem .75rem .5rem 0;border-bottom:1px solid "
	"var(--line);vertical-align:top}\n"
	".n{width:9rem}.when{width:11rem}td.n b{font-size:1.15rem;color:var(--c)}\n"
	".site{width:40%}code,.mono{font:.875rem "
	"ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
	"overflow-wrap:anywhere}\n"
	"td.site>code{font-weight:bold}\n"
	"dl{margin:0;display:grid;grid-template-columns:max-content 1fr;gap:0 .75rem}\n"
	"dt{color:var(--soft);font-size:.85rem}dd{margin:0;overflow-wrap:anywhere;font-size:.9rem}"
	"\n"
	"details{margin:.25rem 0 0}summary{cursor:pointer;color:var(--soft);font-size:.85rem}\n"
	"ol{margin:.25rem 0;padding-left:2rem}li{overflow-wrap:anywhere}\n"
	".tag{display:inline-block;border:1px solid "
	"var(--c);color:var(--c);border-radius:1em;padding:0 .5em;"
	"font-size:.8rem}\n"
	"@media (max-width:48rem){body{padding:.75rem}figure{padding:.5rem}svg text{font-size:12px}"
	"svg .narrow{display:inline}svg .broad{display:none}svg .count{transform:translateY(23px)}"
	"thead{display:none}tr,td{display:block}"
	"td,td.n,td.when,td.site{width:auto;border:0;padding:.15rem 0}"
	"tr{border-bottom:1px solid var(--line);padding:.5rem 0}}\n";

static void put_site_name(struct text *t, const struct site *s)
{
	struct text raw = {0};

	show_site(&raw, s);
	text_html(t, raw.at);
	text_free(&raw);
}

/* "call in name", of C++ what a phone has room for. */
static void put_call(struct text *t, const struct site *s)
{
	struct text raw = {0};

	show_call_fit(&raw, s, NAME_CHARS);
	text_html(t, raw.at);
	text_free(&raw);
}

static void put_times(struct text *t, int64_t a, int64_t b)
{
	struct text raw = {0};

	text_times(&raw, a, b);
	text_html(t, raw.at);
	text_free(&raw);
}

/* -- timeline -------------------------------------------------------------------------------- */

static const char *kind_word(const struct group *g)
{
	switch (g->kind) {
	case KIND_LEAK:
		return g->leaked ? "leaked" : "stopped";
	case KIND_HOLDER:
	case KIND_SNAPSHOT:
		return "open";
	case KIND_NEVER:
		return "never closed";
	default:
		return "times";
	}
}

static bool drawn(const struct show *show, const struct group *g)
{
	return g->line && show_wanted(show, g) && g->diff != DIFF_GONE &&
	       !(show->diff && g->diff == DIFF_SAME) &&
	       (g->kind == KIND_LEAK || g->kind == KIND_HOLDER || g->kind == KIND_NEVER ||
		       g->kind == KIND_SNAPSHOT);
}

static double total(const struct timeline *l)
{
	double n = 0;

	for (int i = 0; i < TIMELINE; i++)
		n += (double)l->n[i];
	return n > 0 ? n : 1;
}

/* The number so far, rising in steps: the line, and below it the area. */
static void put_area(struct text *t, const struct group *g, int64_t begin, int64_t span, int top)
{
	const struct timeline *l = g->line;
	double all = total(l), sum = 0, scale = (double)(WIDTH - 2 * LEFT) / (double)span;
	int bottom = PLOT;

	/* as wide as the page: what stretches is the plot, not its letters */
	text_format(t,
		"<svg x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"preserveAspectRatio=\"none\">",
		top, PLOT, WIDTH, PLOT);
	text_format(t, "<path class=\"area\" d=\"M%d %d", LEFT, bottom);
	for (int i = 0; i < TIMELINE; i++) {
		double x;

		if (!l->n[i])
			continue;
		x = LEFT + (double)(((l->base + i) << l->shift) - begin) * scale;
		sum += (double)l->n[i];
		text_format(
			t, "H%.1fV%.1f", x < LEFT ? (double)LEFT : x, bottom - sum / all * PLOT);
	}
	text_format(t, "H%dV%dZ\"/></svg>\n", WIDTH - LEFT, bottom);
}

static void put_axis(struct text *t, int64_t begin, int64_t span, int top)
{
	const char *format = span < 86400LL * 1000000 ? "%H:%M:%S" : "%m-%d %H:%M";

	text_format(t, "<line class=\"grid\" x1=\"0\" y1=\"%d\" x2=\"100%%\" y2=\"%d\"/>\n", top,
		top);
	for (int i = 0; i < TICKS; i++) {
		int x = 100 * i / (TICKS - 1);
		time_t at = (time_t)((begin + span / (TICKS - 1) * i) / 1000000);
		char s[64] = "";
		struct tm tm;

		if (localtime_r(&at, &tm))
			strftime(s, sizeof(s), format, &tm);
		text_format(t,
			"<g%s><line class=\"grid\" x1=\"%d%%\" y1=\"%d\" x2=\"%d%%\" y2=\"%d\"/>"
			"<text class=\"soft\" x=\"%d%%\" y=\"%d\" text-anchor=\"%s\">%s</text></g>\n",
			i % 2 ? " class=\"broad\"" : "", x, top, x, top + 6, x, top + 22,
			i == 0           ? "start"
			: i == TICKS - 1 ? "end"
					 : "middle",
			s);
	}
}

/* The name of a row, for pages of one width or the other. */
static void put_label(struct text *t, const struct group *g, unsigned number, int top,
	const char *class, size_t chars)
{
	struct text name = {0}, cut = {0};

	show_call_fit(&name, g->site, chars);
	text_middle(&cut, name.at, chars);
	text_format(t, "<text class=\"%s\" x=\"%d\" y=\"%d\">%u. ", class, LEFT, top + 16, number);
	text_html(t, cut.at);
	text_add(t, "</text>");
	text_free(&name);
	text_free(&cut);
}

static void put_row(struct text *t, const struct group *g, unsigned number, int64_t begin,
	int64_t span, int top)
{
	struct text count = {0};

	text_format(&count, "%lu %s", g->count, kind_word(g));
	text_format(t, "<g class=\"%s\"><title>", kind_names[g->kind]);
	if (g->site->call) {
		text_html(t, g->site->call);
		text_add(t, " in ");
	}
	put_site_name(t, g->site);
	text_format(t, ": %s</title>\n", count.at);
	put_area(t, g, begin, span, top + PLOT_TOP);
	put_label(t, g, number, top, "broad", LABEL_CHARS);
	put_label(t, g, number, top, "narrow", NARROW_CHARS);
	text_format(t,
		"<text class=\"count\" x=\"100%%\" dx=\"-%d\" y=\"%d\" "
		"text-anchor=\"end\">%s</text></g>\n",
		2 * LEFT, top + 16, count.at);
	text_free(&count);
}

static void put_timeline(struct text *t, const struct model *m, const struct show *show)
{
	int64_t begin = INT64_MAX, end = INT64_MIN, span;
	const struct group *rows[ROWS];
	struct text when = {0};
	unsigned n = 0, left = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct group *g = m->all[i];

		if (!drawn(show, g))
			continue;
		if (n == ROWS) {
			left++;
			continue;
		}
		rows[n++] = g;
		for (int k = 0; k < TIMELINE; k++)
			if (g->line->n[k]) {
				int64_t at = (g->line->base + k) << g->line->shift;

				begin = at < begin ? at : begin;
				end = at > end ? at : end;
			}
	}
	if (n == 0)
		return;
	if (m->last > end)
		end = m->last;
	span = end - begin;
	if (span < 4000000) /* so that the ticks differ */
		span = 4000000;
	text_times(&when, begin, begin + span);
	text_format(t,
		"<figure><svg height=\"%d\" role=\"img\" "
		"aria-labelledby=\"tt td\" "
		"xmlns=\"http://www.w3.org/2000/svg\">\n"
		"<title id=\"tt\">Descriptors by call site over time</title>\n"
		"<desc id=\"td\">%u call sites, one row each, from %s. A row rises from nothing to "
		"its call site's "
		"number, which stands at its right. The tables below have the same "
		"numbers.</desc>\n",
		(int)n * ROW + AXIS, n, when.at);
	for (unsigned i = 0; i < n; i++)
		put_row(t, rows[i], i + 1, begin, span, (int)i * ROW);
	put_axis(t, begin, span, (int)n * ROW);
	text_add(t, "</svg>\n<figcaption>Descriptors by call site over time, summed up: "
		    "leaks by the time of the "
		    "exec, others by when they were made (evenly "
		    "between the oldest and the newest where the events name only some). Each row "
		    "has its own scale; its end is the number on "
		    "the right.");
	if (left)
		text_format(t, " %u more call site%s in the tables.", left,
			left == 1 ? " is" : "s are");
	text_add(t, "</figcaption></figure>\n");
	text_free(&when);
}

/* -- tables ---------------------------------------------------------------------------------- */

static void put_list(struct text *t, const char *name, const struct tally *tally)
{
	if (tally->n == 0)
		return;
	text_format(t, "<dt>%s</dt><dd>", name);
	for (unsigned i = 0; i < tally->n && i < LIST_ITEMS; i++) {
		text_add(t, i ? ", " : "");
		text_html(t, tally->at[i].name);
		if (tally->n > 1)
			text_format(t, " (%lu)", tally->at[i].n);
	}
	if (tally->n > LIST_ITEMS)
		text_format(t, ", %u%s more", tally->n - LIST_ITEMS, tally->others ? "+" : "");
	text_add(t, "</dd>");
}

static void put_other(struct text *t, const char *name, const struct site *s)
{
	if (!s)
		return;
	text_format(t, "<dt>%s</dt><dd class=\"mono\">", name);
	put_call(t, s);
	text_add(t, "</dd>");
}

static void put_stack(struct text *t, const struct site *s, const char *name)
{
	if (s->n == 0)
		return;
	text_format(t, "<details><summary>%s</summary><ol class=\"mono\">", name);
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < (s->at[i]->n ? s->at[i]->n : 1); k++) {
			struct text raw = {0};

			show_frame_fit(&raw, s->at[i], k, NAME_CHARS);
			text_add(t, "<li>");
			text_html(t, raw.at);
			text_add(t, i == s->blame && k == 0
					    ? " <span class=\"tag\">blamed</span></li>"
					    : "</li>");
			text_free(&raw);
		}
	text_add(t, "</ol></details>");
}

/* Of each call site of the line. */
static void put_stacks(struct text *t, const struct group *g)
{
	enum { MOST = 8 };

	if (g->parts_n == 0)
		put_stack(t, g->site, "stack");
	for (size_t i = 0; i < g->parts_n && i < MOST; i++) {
		char name[64];

		snprintf(name, sizeof(name), "stack %zu of %zu: %lu", i + 1, g->parts_n,
			g->parts[i].count);
		put_stack(t, g->parts[i].site, name);
	}
}

static void put_group(struct text *t, const struct group *g)
{
	static const char *const diffs[] = {NULL, "new", "grown", NULL, "gone"};
	unsigned long n = g->kind == KIND_LEAK ? group_descriptors(g) : g->count;

	text_format(t, "<tr class=\"%s\"><td class=\"n\"><b>%lu</b>", kind_names[g->kind],
		g->diff == DIFF_GONE ? 0 : n);
	if (g->kind == KIND_LEAK && g->count > n)
		text_format(t, "<br><span class=\"soft\">%lu times</span>", g->count);
	if (g->stopped)
		text_format(t, "<br><span class=\"tag\">%s</span>",
			g->leaked ? "partly stopped" : "stopped");
	if (g->limit >= 0)
		text_format(t, "<br><span class=\"soft\">limit %ld</span>", g->limit);
	if (diffs[g->diff])
		text_format(t,
			"<br><span class=\"tag\">%s</span> <span class=\"soft\">before: %lu</span>",
			diffs[g->diff], g->before);
	text_add(t, "</td><td class=\"site\"><code title=\"");
	put_site_name(t, g->site);
	text_add(t, "\">");
	put_call(t, g->site);
	text_add(t, "</code>");
	if (site_spot(g->site)) {
		text_add(t, "<br><span class=\"soft\">");
		text_html(t, site_spot(g->site)->module->shown);
		text_add(t, "</span>");
	}
	put_stacks(t, g);
	text_add(t, "</td><td><dl>");
	if (*g->why) {
		text_add(t, "<dt>why</dt><dd>");
		text_html(t, g->why);
		text_add(t, "</dd>");
	}
	put_list(t, g->kind == KIND_BAD_CLOSE ? "number" : "what", &g->whats);
	put_list(t, "into", &g->targets);
	put_list(t, "by", &g->heirs);
	if (site_via(g->site)) {
		struct text raw = {0};

		show_frame_fit(&raw, site_via(g->site), 0, NAME_CHARS);
		text_add(t, "<dt>via</dt><dd class=\"mono\">");
		text_html(t, raw.at);
		text_add(t, ", by a tail call</dd>");
		text_free(&raw);
	}
	put_other(t, "closed", g->closed);
	put_other(t, "made", g->made);
	put_list(t, "from", &g->programs);
	put_list(t, "host", &g->hosts);
	text_add(t, "</dl></td><td class=\"when\">");
	put_times(t, g->first, g->last);
	text_add(t, "</td></tr>\n");
}

static void put_table(struct text *t, const struct model *m, const struct show *show,
	enum kind kind, const char *name, const char *what)
{
	unsigned long any = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct group *g = m->all[i];

		if (g->kind != kind || !show_wanted(show, g) ||
			(show->diff && g->diff == DIFF_SAME))
			continue;
		if (!any)
			text_format(t,
				"<section><h2>%s <small>%s</small></h2><div "
				"class=\"wide\"><table><thead><tr>"
				"<th scope=\"col\" class=\"n\">Number</th><th scope=\"col\" "
				"class=\"site\">Call site</th><th "
				"scope=\"col\">What</th>"
				"<th scope=\"col\" class=\"when\">When</th></tr></thead><tbody>\n",
				name, what);
		if (any++ < TABLE_ROWS)
			put_group(t, g);
	}
	if (any)
		text_add(t, "</tbody></table></div>");
	if (any > TABLE_ROWS)
		text_format(t, "<p class=\"soft\">%lu more call sites: --csv and --json have them all</p>",
			any - TABLE_ROWS);
	if (any)
		text_add(t, "</section>\n");
}

static void put_note(void *arg, const struct module *module)
{
	struct text *t = arg;

	text_add(t, "<p class=\"soft\"><code>");
	text_html(t, module->path);
	text_add(t, "</code> ");
	text_html(t, module->note);
	text_add(t, "</p>\n");
}

static void put_processes(struct text *t, const struct model *m)
{
	struct text notes[2] = {0};

	show_processes(&notes[0], &notes[1], m);
	for (int i = 0; i < 2; i++) {
		if (notes[i].n) {
			text_add(t, "<p class=\"soft\">");
			text_html(t, notes[i].at);
			text_add(t, "</p>\n");
		}
		text_free(&notes[i]);
	}
}

void show_html(struct text *t, const struct model *m, const struct show *show)
{
	struct text summary = {0};
	unsigned long hosts = distinct_count(&m->every_host);

	show_summary(&summary, m, show);
	text_add(t, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src "
		    "'unsafe-inline'\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>jailreport: ");
	text_html(t, summary.at);
	text_add(t, "</title>\n<style>\n");
	text_add(t, style);
	text_add(t, "</style></head><body>\n<main><h1>");
	text_html(t, summary.at);
	text_add(t, "</h1>\n<p class=\"soft\">");
	show_count(t, m->processes, "process", "processes");
	if (hosts > 1) {
		text_format(t, " on %lu hosts", hosts);
	} else if (m->hosts.n) {
		text_add(t, " on ");
		text_html(t, m->hosts.at[0].name);
	}
	if (m->events) {
		text_add(t, ", ");
		put_times(t, m->first, m->last);
	}
	text_add(t, "</p>\n");
	put_timeline(t, m, show);
	put_table(t, m, show, KIND_LEAK, "Leaks", "into programs that nobody meant to have them");
	put_table(t, m, show, KIND_EMFILE, "Table full", "calls that failed");
	put_table(t, m, show, KIND_HOLDER, "Held", "by the full table, the most at once");
	put_table(t, m, show, KIND_NEVER, "Never closed", "still open when the process ended");
	put_table(t, m, show, KIND_BAD_CLOSE, "Bad closes", "");
	put_table(t, m, show, KIND_KEPT, "Kept", "across exec, for a reason");
	put_table(t, m, show, KIND_INHERITED, "Inherited", "open when a program started");
	put_table(t, m, show, KIND_SNAPSHOT, "Open", "in snapshots, the most at once");
	show_notes(m, show, put_note, t);
	put_processes(t, m);
	for (unsigned long i = 0; i < m->malformed && i < MALFORMED; i++) {
		text_add(t, "<p class=\"soft\">malformed: <code>");
		text_html(t, m->malformed_at[i]);
		text_add(t, "</code></p>\n");
	}
	text_add(t, "</main></body></html>\n");
	text_free(&summary);
}
