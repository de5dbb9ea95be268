/* SPDX-License-Identifier: ISC
 *
 * The default output: one screen that a tired person understands. */
#include "show.h"
#include <stdlib.h>
#include <string.h>

struct screen {
	struct text *t;
	const struct show *show;
};

enum { STACK_WORST = 6, INDENT = 4, LABEL = 6 };

static void paint(struct screen *s, const char *code)
{
	if (s->show->colour)
		text_format(s->t, "\033[%sm", code);
}

/* One line that is no longer than the screen is wide: of a longer one the middle is left out. */
static void put_line(struct screen *s, size_t indent, const char *raw)
{
	text_fill(s->t, ' ', indent);
	text_middle(s->t, raw, s->show->width - indent);
	text_add(s->t, "\n");
}

/* Words of plain text over as many lines as they need. */
static void put_words(struct screen *s, size_t indent, const char *raw)
{
	struct text plain = {0};
	size_t column = 0;

	text_plain(&plain, raw);
	for (char *p = plain.at; p && *p;) {
		size_t n = strcspn(p, " "), width;
		char keep = p[n];

		p[n] = 0;
		width = text_width(p);
		if (column > 0 && column + 1 + width > s->show->width) {
			text_add(s->t, "\n");
			column = 0;
		}
		if (column == 0)
			text_fill(s->t, ' ', column = indent);
		else
			text_add(s->t, " "), column++;
		text_add(s->t, p);
		column += width;
		p[n] = keep;
		p += n;
		while (*p == ' ')
			p++;
	}
	text_add(s->t, "\n");
	text_free(&plain);
}

static void label(struct screen *s, const char *name)
{
	text_fill(s->t, ' ', INDENT);
	paint(s, "2");
	text_add(s->t, name);
	paint(s, "0");
	text_fill(s->t, ' ', LABEL > strlen(name) ? LABEL - strlen(name) : 1);
}

/* Names with their numbers, as many as fit into the line's rest. */
static void tally_text(struct text *t, const struct tally *tally, size_t width)
{
	size_t used = 0, more = tally->others ? 1 : 0, left;

	for (unsigned i = 0; i < tally->n; i++) {
		struct text item = {0};
		bool last = i + 1 == tally->n && !more;

		left = width > used ? width - used : 0;
		text_plain(&item, tally->at[i].name);
		if (!item.at)
			text_add(&item, "\"\"");
		if (tally->n > 1 || tally->others)
			text_format(&item, " (%lu)", tally->at[i].n);
		if (i > 0 && text_width(item.at) + 2 + (last ? 0 : 12) > left) {
			text_format(t, ", %u%s more", tally->n - i, tally->others ? "+" : "");
			text_free(&item);
			return;
		}
		if (i > 0)
			text_add(t, ", ");
		if (text_width(item.at) > left) { /* the first alone is too long */
			struct text cut = {0};

			text_short(&cut, item.at, left > 12 && !last ? left - 12 : left, true);
			text_add(t, cut.at);
			used += text_width(cut.at);
			text_free(&cut);
		} else {
			text_add(t, item.at);
			used += text_width(item.at) + (i > 0 ? 2 : 0);
		}
		text_free(&item);
	}
	if (more)
		text_add(t, ", more");
}

static void put_tally(struct screen *s, const char *name, const struct tally *tally)
{
	if (tally->n == 0)
		return;
	label(s, name);
	tally_text(s->t, tally, s->show->width - INDENT - LABEL);
	text_add(s->t, "\n");
}

/* Who, where, when: on one line where it fits. */
static void put_from(struct screen *s, const struct model *m, const struct group *g)
{
	struct text who = {0}, when = {0};
	const size_t width = s->show->width - INDENT - LABEL;

	text_times(&when, g->first, g->last);
	tally_text(&who, &g->programs, width);
	if (distinct_count(&m->every_host) > 1) {
		text_add(&who, " on ");
		tally_text(&who, &g->hosts, width > 40 ? width - 40 : 10);
	}
	label(s, "from");
	text_add(s->t, who.at ? who.at : "?");
	if (text_width(who.at ? who.at : "?") + 2 + text_width(when.at) <= width) {
		text_add(s->t, ", ");
	} else {
		text_add(s->t, "\n");
		label(s, "when");
	}
	text_add(s->t, when.at);
	text_add(s->t, "\n");
	text_free(&who);
	text_free(&when);
}

/* A frame behind its label, the brackets of C++ left out where it is too long. */
static void put_frame(struct screen *s, const struct spot *spot, size_t i)
{
	const size_t width = s->show->width - INDENT - LABEL;
	struct text raw = {0};

	show_frame_fit(&raw, spot, i, width);
	text_middle(s->t, raw.at, width);
	text_add(s->t, "\n");
	text_free(&raw);
}

static void put_stack(struct screen *s, const char *name, const struct site *site, size_t most)
{
	size_t shown = 0;

	if (site->script && !s->show->verbose)
		return; /* the interpreter's own functions say nothing of the script */
	for (size_t i = site->blame; i < site->n && shown < most; i++) {
		const struct spot *spot = site->at[i];

		for (size_t k = 0; k < (spot->n ? spot->n : 1) && shown < most; k++) {
			const char *function = k < spot->n ? spot->lines[k].function : NULL;

			if (shown++ == 0)
				label(s, name);
			else
				text_fill(s->t, ' ', INDENT + LABEL);
			put_frame(s, spot, k);
			if (function && strcmp(function, "main") == 0 && !s->show->verbose)
				return; /* what called it is the same in every program */
		}
	}
}

/* The function that ended in the call, where that left no frame of it. */
static void put_via(struct screen *s, const struct group *g)
{
	static const char how[] = ", by a tail call, which leaves no frame";
	const struct spot *via = site_via(g->site);
	size_t width = s->show->width - INDENT - LABEL - (sizeof(how) - 1);
	struct text raw = {0};

	if (!via)
		return;
	label(s, "via");
	show_frame_fit(&raw, via, 0, width);
	text_middle(s->t, raw.at, width);
	text_add(s->t, how);
	text_add(s->t, "\n");
	text_free(&raw);
}

/* The function whose code the blamed one was inlined into: else two calls of it look like one. */
static void put_inlined(struct screen *s, const struct group *g)
{
	const struct spot *spot = site_spot(g->site);

	if (!spot || spot->n < 2 || g->site->script)
		return;
	for (size_t i = 0; i < g->parts_n; i++) { /* or functions: then none is to be named */
		const struct spot *other = site_spot(g->parts[i].site);

		if (!other || other->n < 2 || !other->lines[1].function ||
			!spot->lines[1].function ||
			strcmp(other->lines[1].function, spot->lines[1].function) != 0)
			return;
	}
	label(s, "in");
	put_frame(s, spot, 1);
}

/* With --verbose: where the line is, when its code is at several addresses. */
static void put_parts(struct screen *s, const struct group *g)
{
	enum { MOST = 8 };

	if (!s->show->verbose || g->parts_n < 2)
		return;
	for (size_t i = 0; i < g->parts_n && i < MOST; i++) {
		const struct site *site = g->parts[i].site;
		const struct spot *spot = site_spot(site);
		struct text raw = {0};

		text_format(&raw, "%lu from ", g->parts[i].count);
		if (spot)
			text_format(&raw, "%s+0x%llx", spot->module->shown,
				(unsigned long long)spot->offset);
		if (i == 0)
			label(s, "code");
		else
			text_fill(s->t, ' ', INDENT + LABEL);
		text_short(s->t, raw.at, s->show->width - INDENT - LABEL, false);
		text_add(s->t, "\n");
		text_free(&raw);
	}
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Which module, where the same line of another is listed, too: two builds, or a header's function. */
static void put_module(struct screen *s, const struct model *m, const struct group *g)
{
	const struct line *l = site_line(g->site);
	const struct module *module = l ? site_spot(g->site)->module : NULL;
	struct text raw = {0};
	bool twice = false;

	if (!l || g->site->script)
		return;
	for (size_t i = 0; i < m->n && !twice; i++) {
		const struct group *other = m->all[i];
		const struct line *o = site_line(other->site);

		twice = other->kind == g->kind && o && show_wanted(s->show, other) &&
			site_spot(other->site)->module != module && o->line == l->line &&
			same_text(o->file, l->file) && same_text(o->function, l->function) &&
			same_text(other->site->call, g->site->call);
	}
	if (!twice)
		return;
	text_add(&raw, module->shown);
	if (*module->id)
		text_format(&raw, " (build %.8s)", module->id);
	label(s, "file");
	text_short(s->t, raw.at, s->show->width - INDENT - LABEL, true);
	text_add(s->t, "\n");
	text_free(&raw);
}

static void heading(struct screen *s, const char *word, const char *rest)
{
	text_add(s->t, "\n");
	paint(s, "1");
	text_add(s->t, word);
	paint(s, "0");
	if (*rest) {
		text_add(s->t, "  ");
		text_add(s->t, rest);
	}
	text_add(s->t, "\n");
}

/* "12 descriptors, 40 times, open: function (file:line)" */
static void title(struct screen *s, unsigned number, const struct group *g, const char *count)
{
	struct text raw = {0}, plain = {0}, head = {0};
	static const char *const words[KINDS] = {
		[KIND_LEAK] = "leak: ",
		[KIND_EMFILE] = "table full: ",
		[KIND_NEVER] = "never closed: ",
		[KIND_BAD_CLOSE] = "bad close: ",
	};

	text_format(&raw, "%2u. %s%s", number,
		g->diff != DIFF_NONE && words[g->kind] ? words[g->kind] : "", count);
	text_plain(&head, raw.at);
	text_free(&raw);
	paint(s, "1");
	text_add(s->t, head.at);
	paint(s, "0");
	if (!*g->site->hash && g->site->n == 0 && g->classes.n == 1 &&
		strcmp(g->classes.at[0].name, "inherited") == 0)
		text_format(&raw, "%s%sinherited, it is not known from whom", g->site->call ? g->site->call : "",
			g->site->call ? " in " : "");
	else
		show_call_fit(&raw, g->site, s->show->width - INDENT);
	text_plain(&plain, raw.at);
	if (text_width(head.at) + 2 + text_width(plain.at) > s->show->width) {
		text_add(s->t, "\n");
		put_line(s, INDENT, raw.at);
	} else {
		text_add(s->t, "  ");
		text_add(s->t, plain.at);
		text_add(s->t, "\n");
	}
	text_free(&raw);
	text_free(&plain);
	text_free(&head);
}

static void more(struct screen *s, unsigned long n)
{
	struct text t = {0};

	if (n == 0)
		return;
	show_count(&t, n, "more call site", "more call sites");
	if (!s->show->once)
		text_add(&t, " (--all)");
	put_line(s, INDENT, t.at);
	text_free(&t);
}

/* One descriptor, and no more of the call site in any process: such as the epoll of a main loop, which
 * the end of the process closes. */
static bool steady(const struct screen *s, const struct group *g)
{
	return g->kind == KIND_NEVER && g->parts_n == 0 && g->count == g->events && s->show->top &&
	       !s->show->verbose && !s->show->hit[KIND_NEVER];
}

typedef void put_group(
	struct screen *, const struct model *, const struct group *, unsigned number);

/* The groups of a kind (KINDS: of any), the worst first; the heading only where there are any.  Returns how
 * many were shown. */
static unsigned section(struct screen *s, const struct model *m, unsigned kind, unsigned diff,
	const char *word, const char *rest, put_group *put)
{
	unsigned shown = 0;
	unsigned long left = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct group *g = m->all[i];

		if ((kind != KINDS && g->kind != kind) || g->diff != diff ||
			!show_wanted(s->show, g) || (diff == DIFF_NONE && steady(s, g)))
			continue;
		if (shown == 0 && word)
			heading(s, word, rest);
		if (s->show->top && shown >= s->show->top)
			left++;
		else {
			put(s, m, g, ++shown);
			put_via(s, g);
			put_module(s, m, g);
			put_parts(s, g);
		}
	}
	more(s, left);
	return shown;
}

static void was(struct text *t, const struct group *g)
{
	if (g->diff == DIFF_GROWN)
		text_format(t, " (before: %lu)", g->before);
}

/* The programs that found it open, other than those it leaked into directly. */
static void put_passed_on(struct screen *s, const struct model *m, const struct group *g)
{
	struct tally others = {0};
	struct text names = {0};

	for (size_t i = 0; i < m->n; i++) {
		const struct group *in = m->all[i];

		if (in->kind != KIND_INHERITED || !*g->site->hash ||
			(in->site->head->same != g->site->head->same &&
				strcmp(in->site->hash, g->site->hash) != 0))
			continue;
		for (unsigned k = 0; k < in->heirs.n; k++) {
			bool direct = false;

			for (unsigned t = 0; t < g->targets.n && !direct; t++)
				direct = strcmp(show_base(g->targets.at[t].name),
						 in->heirs.at[k].name) == 0;
			if (!direct)
				tally_add(&others, in->heirs.at[k].name, in->heirs.at[k].n);
		}
	}
	if (others.n == 0)
		return;
	text_fill(s->t, ' ', INDENT);
	text_add(s->t, "passed on to ");
	tally_text(&names, &others, s->show->width - INDENT - strlen("passed on to "));
	text_add(s->t, names.at);
	text_add(s->t, "\n");
	text_free(&names);
	tally_free(&others);
}

static void put_leak(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};
	unsigned long n = group_descriptors(g);

	show_count(&count, n, "descriptor", "descriptors");
	if (g->count > n)
		text_format(&count, ", %lu times", g->count);
	was(&count, g);
	if (g->stopped && g->leaked)
		text_format(&count, ", %lu stopped,", g->stopped);
	title(s, number, g, count.at);
	put_tally(s, "what", &g->whats);
	put_tally(s, "into", &g->targets);
	put_from(s, m, g);
	put_passed_on(s, m, g);
	if (number > 1 && !s->show->verbose) {
		put_inlined(s, g);
	} else {
		put_stack(s, "stack", g->site, s->show->verbose ? 64 : STACK_WORST);
		if (g->chain && s->show->verbose) {
			label(s, "chain");
			text_short(s->t, g->chain, s->show->width - INDENT - LABEL, false);
			text_add(s->t, "\n");
		}
	}
	text_free(&count);
}

static void put_full(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};

	text_format(&count, "%s ", g->why);
	show_count(&count, g->count, "time", "times");
	if (g->limit >= 0)
		text_format(&count, ", limit %ld", g->limit);
	was(&count, g);
	title(s, number, g, count.at);
	put_from(s, m, g);
	text_free(&count);
}

static void put_holder(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};

	text_format(&count, "%lu open", g->count);
	was(&count, g);
	title(s, number, g, count.at);
	put_tally(s, "what", &g->whats);
	if (g->kind == KIND_SNAPSHOT)
		put_from(s, m, g);
	if (number == 1 || s->show->verbose)
		put_stack(s, "stack", g->site, s->show->verbose ? 64 : 4);
	else
		put_inlined(s, g);
	text_free(&count);
}

static void put_never(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};

	text_format(&count, "%lu open", g->count);
	was(&count, g);
	title(s, number, g, count.at);
	put_tally(s, "what", &g->whats);
	put_from(s, m, g);
	if (s->show->verbose)
		put_stack(s, "stack", g->site, 64);
	else
		put_inlined(s, g);
	text_free(&count);
}

static const char *bad_close_text(const char *why)
{
	static const char *const texts[][2] = {
		{"not-open",  "of what is not open"      },
		{"double",    "of what was closed before"},
		{"stream",    "of a FILE's descriptor"   },
		{"directory", "of a DIR's descriptor"    },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(texts[i][0], why) == 0)
			return texts[i][1];
	return why;
}

static void put_other(struct screen *s, const char *name, const struct site *site)
{
	const size_t width = s->show->width - INDENT - LABEL;
	struct text raw = {0};

	if (!site)
		return;
	label(s, name);
	show_call_fit(&raw, site, width);
	text_middle(s->t, raw.at, width);
	text_add(s->t, "\n");
	text_free(&raw);
}

static void put_bad_close(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};

	show_count(&count, g->count, "close ", "closes ");
	text_add(&count, bad_close_text(g->why));
	was(&count, g);
	title(s, number, g, count.at);
	put_other(s, "first", g->closed);
	put_other(s, "made", g->made);
	put_from(s, m, g);
	text_free(&count);
}

static void put_kept(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};

	show_count(&count, group_descriptors(g), "descriptor", "descriptors");
	text_format(&count, ", why: %s", g->why);
	title(s, number, g, count.at);
	put_tally(s, "what", &g->whats);
	put_tally(s, "into", &g->targets);
	put_from(s, m, g);
	text_free(&count);
}

static void put_inherited(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};

	show_count(&count, g->count, "time", "times");
	title(s, number, g, count.at);
	put_tally(s, "what", &g->whats);
	put_tally(s, "by", &g->heirs);
	(void)m;
	text_free(&count);
}

static void head(struct screen *s, const struct model *m)
{
	struct text raw = {0};
	unsigned long hosts = distinct_count(&m->every_host);

	text_add(&raw, "jailreport: ");
	if (m->pid)
		text_format(&raw, "process %ld", m->pid);
	else
		show_count(&raw, m->processes, "process", "processes");
	if (hosts > 1)
		text_format(&raw, " on %lu hosts", hosts);
	else if (hosts == 1)
		text_format(&raw, " on %s", m->hosts.n ? m->hosts.at[0].name : "?");
	if (distinct_count(&m->every_run) > 1)
		text_format(&raw, ", %lu runs (--last shows one)", distinct_count(&m->every_run));
	if (m->events) {
		text_add(&raw, ", ");
		text_times(&raw, m->first, m->last);
	}
	if (m->made) {
		text_add(&raw, ", ");
		show_count(&raw, m->made, "descriptor made", "descriptors made");
	}
	put_words(s, 0, raw.at);
	text_free(&raw);
	if (m->events == 0 && m->malformed == 0 && !m->pid)
		put_words(s, 0,
			s->show->watched ? "note: no events at all: is the program dynamically linked, and not "
					   "set-user-ID? One that makes no descriptor and is ended by a signal "
					   "says nothing, either."
					 : "note: no events at all: was the program run by jailrun --report, is it "
					   "dynamically linked, and not set-user-ID? One that makes no descriptor "
					   "and is ended by a signal says nothing, either.");
}

static void put_note(void *arg, const struct module *module)
{
	struct text raw = {0};

	text_format(&raw, "note: %s %s", module->path, module->note);
	put_words(arg, 0, raw.at);
	text_free(&raw);
}

static void put_processes(struct screen *s, const struct model *m)
{
	struct text notes[2] = {0};

	show_processes(&notes[0], &notes[1], m);
	for (int i = 0; i < 2; i++) {
		struct text line = {0};

		if (notes[i].n && !(i == 1 && s->show->watched)) {
			text_format(&line, "note: %s", notes[i].at);
			put_words(s, 0, line.at);
		}
		text_free(&line);
		text_free(&notes[i]);
	}
}

static void put_any(struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	switch (g->kind) {
	case KIND_LEAK:
		put_leak(s, m, g, number);
		break;
	case KIND_EMFILE:
		put_full(s, m, g, number);
		break;
	case KIND_NEVER:
		put_never(s, m, g, number);
		break;
	default:
		put_bad_close(s, m, g, number);
	}
}

static void put_gone(
	struct screen *s, const struct model *m, const struct group *g, unsigned number)
{
	struct text count = {0};

	(void)m;
	text_format(&count, "%lu", g->before);
	title(s, number, g, count.at);
	text_free(&count);
}

static void changes(struct screen *s, const struct model *m)
{
	section(s, m, KINDS, DIFF_NEW, "NEW", "", put_any);
	section(s, m, KINDS, DIFF_GROWN, "GROWN", "", put_any);
	section(s, m, KINDS, DIFF_GONE, "GONE", "", put_gone);
}

/* All of these in one line. */
static void put_steady(struct screen *s, const struct model *m, bool alone)
{
	static const char head[] = "one a process: ";
	const size_t width = s->show->width - INDENT;
	unsigned long n = 0, shown = 0;
	struct text line = {0};

	for (size_t i = 0; i < m->n; i++)
		n += m->all[i]->diff == DIFF_NONE && show_wanted(s->show, m->all[i]) && steady(s, m->all[i]);
	if (n == 0)
		return;
	if (alone)
		heading(s, "NEVER CLOSED", "still open when the process ended");
	text_add(&line, head);
	for (size_t i = 0; i < m->n; i++) {
		const size_t used = text_width(line.at) + (shown ? 2 : 0), rest = n - shown > 1 ? 18 : 0;
		struct text raw = {0}, name = {0};

		if (m->all[i]->diff != DIFF_NONE || !show_wanted(s->show, m->all[i]) || !steady(s, m->all[i]))
			continue;
		show_call_fit(&raw, m->all[i]->site, width - used > rest ? width - used - rest : 0);
		text_plain(&name, raw.at);
		if (shown == 0 || used + text_width(name.at) + rest <= width) {
			text_add(&line, shown++ ? ", " : "");
			text_middle(&line, name.at, width - used - rest);
		} else {
			i = m->n - 1;
		}
		text_free(&raw);
		text_free(&name);
	}
	if (shown < n)
		text_format(&line, ", %lu more%s", n - shown, s->show->once ? "" : " (--all)");
	put_line(s, INDENT, line.at);
	text_free(&line);
}

static void findings(struct screen *s, const struct model *m, const struct sums *sums)
{
	bool stopped = sums->stopped && !sums->leaked, never_alone;

	section(s, m, KIND_LEAK, DIFF_NONE, stopped ? "STOPPED" : "LEAKED",
		stopped ? "at exec: nobody had asked for them to be inherited"
			: "into programs that nobody meant to have them",
		put_leak);
	section(s, m, KIND_EMFILE, DIFF_NONE, "TABLE FULL", "calls that failed", put_full);
	section(s, m, KIND_HOLDER, DIFF_NONE, "HELD", "by the full table, the most at once",
		put_holder);
	never_alone = section(s, m, KIND_NEVER, DIFF_NONE, "NEVER CLOSED", "still open when the process ended",
		put_never) == 0;
	put_steady(s, m, never_alone);
	section(s, m, KIND_BAD_CLOSE, DIFF_NONE, "BAD CLOSES", "", put_bad_close);
	section(s, m, KIND_KEPT, DIFF_NONE, "KEPT", "across exec, for a reason", put_kept);
	section(s, m, KIND_INHERITED, DIFF_NONE, "INHERITED", "open when a program started",
		put_inherited);
	section(s, m, KIND_SNAPSHOT, DIFF_NONE, "OPEN", "in snapshots, the most at once",
		put_holder);
}

void show_screen(struct text *t, const struct model *m, const struct show *show)
{
	struct show hints = *show;
	struct screen s = {t, &hints};
	struct sums sums = show_sums(m, show);
	struct text raw = {0};

	head(&s, m);
	if (show->diff)
		changes(&s, m);
	else
		findings(&s, m, &sums);
	text_add(t, "\n");
	show_notes(m, show, put_note, &s);
	put_processes(&s, m);
	for (unsigned long i = 0; i < m->malformed && i < MALFORMED; i++) {
		text_format(&raw, "malformed: %s", m->malformed_at[i]);
		put_words(&s, 0, raw.at);
		text_free(&raw);
	}
	hints.hints = true;
	show_summary(&raw, m, &hints);
	paint(&s, sums.bad ? "1;31" : "1");
	put_words(&s, 0, raw.at);
	paint(&s, "0");
	text_free(&raw);
}
