/* SPDX-License-Identifier: ISC
 *
 * What a call site is called, and what it all sums up to. */
#include "show.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *show_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

const char *show_path(const char *path)
{
	static char *here;
	size_t n;

	if (!here) {
		here = getcwd(NULL, 0);
		if (!here)
			here = memory_text("");
	}
	n = strlen(here);
	return n > 1 && strncmp(path, here, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1
										     : path;
}

void show_count(struct text *t, unsigned long n, const char *one, const char *many)
{
	text_format(t, "%lu %s", n, n == 1 ? one : many);
}

void show_frame(struct text *t, const struct spot *s, size_t i)
{
	const struct line *l = i < s->n ? &s->lines[i] : NULL;
	const char *module = s->module->shown;

	if (l && l->file) {
		if (l->function)
			text_format(t, "%s (%s:%u)", l->function, show_path(l->file), l->line);
		else
			text_format(t, "%s:%u", show_path(l->file), l->line);
	} else if (l && l->function) {
		text_add(t, l->function);
		if (l->plus)
			text_format(t, "+0x%llx", (unsigned long long)l->plus);
		text_format(t, " (%s)", show_base(module));
	} else {
		text_format(t, "%s+0x%llx", module, (unsigned long long)s->offset);
	}
}

void show_site(struct text *t, const struct site *s)
{
	if (s->script && s->script_line)
		text_format(t, "%s:%u", show_path(s->script), s->script_line);
	else if (s->script)
		text_add(t, show_path(s->script));
	else if (s->n > 0)
		show_frame(t, site_spot(s), 0);
	else if (*s->hash)
		text_format(t, "call site %s", s->hash);
	else
		text_add(t, "unknown caller");
}

static void short_name(struct text *t, const char *name)
{
	static const char operator[] = "operator", anonymous[] = "(anonymous namespace)";
	int depth = 0;

	for (const char *p = name; *p; p++) {
		if (depth == 0 && strncmp(p, operator, sizeof(operator) - 1) == 0) {
			size_t n = sizeof(operator) - 1;

			n += strncmp(p + n, "()", 2) == 0 ? 2 : strspn(p + n, "<>=-+*/!&|^~%,[]");
			text_put(t, p, n);
			p += n - 1;
		} else if (depth == 0 && strncmp(p, anonymous, sizeof(anonymous) - 1) == 0) {
			text_add(t, anonymous);
			p += sizeof(anonymous) - 2;
		} else if (*p == '<' || *p == '(') {
			if (depth++ == 0)
				text_format(t, p[1] == ')' ? "%c" : "%c...", *p);
		} else if ((*p == '>' || *p == ')') && depth > 0) {
			if (--depth == 0)
				text_put(t, p, 1);
		} else if (depth == 0) {
			text_put(t, p, 1);
		}
	}
}

/* Behind the last "::" of a name without brackets: the function's own. */
static const char *own_name(const char *name)
{
	const char *own = name;

	for (const char *p = name; *p; p++)
		if (strncmp(p, "::", 2) == 0 && p[2])
			own = p + 2;
	return own;
}

void show_frame_fit(struct text *t, const struct spot *s, size_t i, size_t width)
{
	const struct line *l = i < s->n ? &s->lines[i] : NULL;
	struct text full = {0}, name = {0};

	show_frame(&full, s, i);
	if (l && l->function)
		short_name(&name, l->function);
	for (int step = 0; step < 2 && name.at && text_width(full.at) > width; step++) {
		struct line line = {name.at, l->file, l->line, l->plus};
		struct spot spot = *s;

		if (step == 1) {
			line.function = (char *)own_name(name.at);
			line.file = l->file ? (char *)show_base(l->file) : NULL;
		}
		spot.lines = &line;
		spot.n = 1;
		text_free(&full);
		show_frame(&full, &spot, 0);
	}
	text_add(t, full.at);
	text_free(&full);
	text_free(&name);
}

void show_call_fit(struct text *t, const struct site *s, size_t width)
{
	struct text call = {0};

	if (s->call)
		text_format(&call, "%s in ", s->call);
	if (call.at)
		text_add(t, call.at);
	if (s->script || s->n == 0)
		show_site(t, s);
	else
		show_frame_fit(t, site_spot(s), 0, width > call.n ? width - call.n : 0);
	text_free(&call);
}

bool show_source(const struct site *s, const char **ret_file, unsigned *ret_line)
{
	const struct line *l = site_line(s);

	if (s->script) {
		*ret_file = s->script;
		*ret_line = s->script_line;
	} else if (l && l->file) {
		*ret_file = l->file;
		*ret_line = l->line;
	} else {
		return false;
	}
	return true;
}

bool show_wanted(const struct show *show, const struct group *g)
{
	if (g->suppressed)
		return false;
	switch (g->kind) {
	case KIND_KEPT:
		return show->kept;
	case KIND_INHERITED:
		return show->inherited;
	case KIND_SNAPSHOT:
		return show->tables;
	default:
		return true;
	}
}

struct sums show_sums(const struct model *m, const struct show *show)
{
	struct sums s = {0};

	for (size_t i = 0; i < m->n; i++) {
		const struct group *g = m->all[i];

		if (g->suppressed) {
			s.suppressed++;
			continue;
		}
		s.diff[g->diff]++;
		if (g->diff == DIFF_GONE)
			continue;
		s.groups[g->kind]++;
		s.count[g->kind] += g->kind == KIND_LEAK ? group_descriptors(g) : g->count;
		s.stopped += g->stopped;
		s.leaked += g->leaked;
		if (show->diff && g->diff != DIFF_NEW && g->diff != DIFF_GROWN)
			continue;
		if (show->hit[g->kind])
			s.bad = true;
	}
	return s;
}

static int by_path(const void *a, const void *b)
{
	const struct module *x = *(struct module *const *)a, *y = *(struct module *const *)b;
	int order = strcmp(x->path, y->path);

	order = order ? order : strcmp(x->id, y->id);
	return order ? order : x < y ? -1 : x > y;
}

void show_notes(const struct model *m, const struct show *show, show_note *each, void *arg)
{
	struct module **all = memory((m->modules.n + m->n + 1) * sizeof(struct module *));
	size_t n = 0;

	for (size_t i = 0; show->verbose && i < m->modules.room; i++)
		if (m->modules.at[i].key)
			all[n++] = m->modules.at[i].value;
	/* Of a diff, the modules of what is gone are the other model's. */
	for (size_t i = 0; i < m->n; i++) {
		const struct spot *s = site_spot(m->all[i]->site);

		if (s && !m->all[i]->site->script && show_wanted(show, m->all[i]))
			all[n++] = s->module;
	}
	qsort(all, n, sizeof(*all), by_path);
	for (size_t i = 0; i < n; i++)
		if (all[i]->note && (i == 0 || all[i] != all[i - 1]))
			each(arg, all[i]);
	free(all);
}

static void put_names(struct text *t, const struct tally *names)
{
	for (unsigned i = 0; i < names->n; i++) {
		text_format(t, "%s%s", i ? ", " : "", names->at[i].name);
		if (names->at[i].n > 1)
			text_format(t, " (%lu times)", names->at[i].n);
	}
	text_add(t, names->others ? ", and more" : "");
}

void show_processes(struct text *unwatched, struct text *running, const struct model *m)
{
	if (m->unwatched.n) {
		show_count(unwatched, m->unwatched.n, "program was", "programs were");
		text_add(unwatched, " not watched: ");
		put_names(unwatched, &m->unwatched);
	}
	if (m->running.n) {
		show_count(running, m->running.n, "process still runs: ", "processes still run: ");
		put_names(running, &m->running);
		text_format(running, "; what %s from now on is not in this report",
			m->running.n == 1 ? "it does" : "they do");
	}
}

static void summary_processes(struct text *t, const struct model *m)
{
	if (m->unwatched.n) {
		text_add(t, "; ");
		show_count(t, m->unwatched.n, "program", "programs");
		text_format(t, "%s not watched", m->unwatched.others ? " and more" : "");
	}
	if (m->running.n) {
		text_add(t, "; ");
		show_count(t, m->running.n, "process", "processes");
		text_format(t, "%s still running", m->running.others ? " and more" : "");
	}
}

/* For whoever reads nothing else. */
void show_summary(struct text *t, const struct model *m, const struct show *show)
{
	struct sums s = show_sums(m, show);
	unsigned long leaks = s.groups[KIND_LEAK];

	if (show->diff) {
		text_format(t,
			"%lu new, %lu grown, %lu as before, %lu gone. Now: ", s.diff[DIFF_NEW],
			s.diff[DIFF_GROWN], s.diff[DIFF_SAME], s.diff[DIFF_GONE]);
	}
	if (m->pid) {
		show_count(t, s.count[KIND_SNAPSHOT], "descriptor", "descriptors");
		text_add(t, " open from ");
		show_count(t, s.groups[KIND_SNAPSHOT], "call site", "call sites");
	} else if (leaks) {
		show_count(t, s.count[KIND_LEAK], "descriptor ", "descriptors ");
		text_add(t, s.leaked && s.stopped ? "leaked or stopped"
			    : s.stopped           ? "stopped"
						  : "leaked");
		text_add(t, " from ");
		show_count(t, leaks, "call site", "call sites");
	} else {
		text_add(t, m->events == 0   ? "nothing was recorded"
			    : m->running.n || show->left ? "no leaks so far"
					   : "no leaks");
	}
	if (s.groups[KIND_EMFILE]) {
		text_add(t, "; ");
		show_count(t, s.count[KIND_EMFILE], "call", "calls");
		text_add(t, " failed for a full table");
	}
	if (s.groups[KIND_NEVER]) {
		text_add(t, "; ");
		text_format(t, "%lu never closed", s.count[KIND_NEVER]);
	}
	if (s.groups[KIND_BAD_CLOSE]) {
		text_add(t, "; ");
		show_count(t, s.count[KIND_BAD_CLOSE], "bad close", "bad closes");
	}
	summary_processes(t, m);
	if (show->hints) {
		if (m->kept && !show->kept)
			text_format(t, "; %lu kept for a reason%s", m->kept, show->once ? "" : " (--kept)");
		if (m->inherited && !show->inherited)
			text_format(t, "; %lu inherited%s", m->inherited, show->once ? "" : " (--inherited)");
		if (m->snapshots && !show->tables)
			text_format(t, "; %lu snapshot%s%s", m->snapshots, m->snapshots == 1 ? "" : "s",
				show->once ? "" : " (--tables)");
	}
	if (s.suppressed) {
		text_add(t, "; ");
		show_count(t, s.suppressed, "group", "groups");
		text_add(t, " suppressed");
	}
	if (m->malformed) {
		text_format(t, "; %lu of ", m->malformed);
		show_count(t, m->lines, "line", "lines");
		text_add(t, " malformed");
	}
}
