/* SPDX-License-Identifier: ISC
 *
 * Suppression files: blocks of a name, a kind, questions about the event (call: what: to: from:
 * host: why:) and frames (fun: obj: src: ...).  The questions about events are answered when an
 * event is read, the frames when they have names: groups are kept apart by the answers in between.
 */
#include "suppress.h"
#include "show.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ask { ASK_CALL, ASK_WHAT, ASK_TO, ASK_FROM, ASK_HOST, ASK_WHY, ASKS };
static const char *const ask_names[ASKS] = {"call:", "what:", "to:", "from:", "host:", "why:"};

enum pattern_part { PART_FUN, PART_OBJ, PART_SRC, PART_ANY };
static const char *const part_names[] = {"fun:", "obj:", "src:", "..."};

enum { FRAMES_MAX = 64 };

struct suppression {
	char *name, *file;
	unsigned line;
	int kind; /* -1: any */
	char *ask[ASKS];
	struct frame_pattern {
		enum pattern_part part;
		char *pattern;
	} frames[FRAMES_MAX];
	size_t n;
	unsigned long used;
	/* What the block says behind `without symbols:', for stacks of which not all frames that the
	 * first part names have a line: the next in the array.  It has the first part's conditions, too. */
	bool blind;
};

struct suppressions {
	struct suppression *at;
	size_t n;
	bool whats, stacks;
	struct table sets; /* bits -> number + 1 */
	unsigned char **bits;
	size_t sets_n;
};

/* -- reading --------------------------------------------------------------------------------- */

static char *trim(char *line)
{
	size_t n;

	line += strspn(line, " \t");
	n = strlen(line);
	while (n > 0 && strchr(" \t\r\n", line[n - 1]))
		line[--n] = 0;
	return line;
}

static bool kind_of(const char *word, int *ret)
{
	if (strncmp(word, "kind:", 5) == 0)
		word = trim((char *)word + 5);
	*ret = -1;
	if (strcmp(word, "*") == 0)
		return true;
	for (int k = 0; k < KINDS; k++)
		if (k != KIND_HOLDER && strcmp(word, kind_names[k]) == 0) {
			*ret = k;
			return true;
		}
	return false;
}

static struct suppression *suppression_new(struct suppressions *all)
{
	all->at = memory_more(all->at, all->n + 1, sizeof(*all->at));
	all->at[all->n] = (struct suppression){.kind = -1};
	return &all->at[all->n++];
}

/* Begins the part of a block that is for stacks without symbols. */
static const char *blind_part(struct suppressions *all)
{
	struct suppression *s = suppression_new(all), *first = s - 1;

	if (first->blind) {
		all->n--;
		return "said twice";
	}
	if (first->n == 0) {
		all->n--;
		return "the frames with symbols come first";
	}
	*s = *first;
	s->n = 0;
	s->blind = true;
	return NULL;
}

/* A line within a block, the last: what is wrong with it, or NULL. */
static const char *condition(struct suppressions *all, char *line)
{
	struct suppression *s = &all->at[all->n - 1];

	if (strcmp(line, SUPPRESS_BLIND) == 0)
		return blind_part(all);
	for (int i = 0; i < ASKS; i++) {
		size_t n = strlen(ask_names[i]);

		if (strncmp(line, ask_names[i], n) != 0)
			continue;
		if (s->ask[i])
			return "asked twice";
		s->ask[i] = memory_text(trim(line + n));
		if (i == ASK_WHAT)
			all->whats = true;
		return *s->ask[i] ? NULL : "no pattern";
	}
	for (size_t i = 0; i < sizeof(part_names) / sizeof(*part_names); i++) {
		size_t n = strlen(part_names[i]);

		if (strncmp(line, part_names[i], n) != 0)
			continue;
		if (s->n == FRAMES_MAX)
			return "too many frames";
		line = trim(line + n);
		if (i == PART_ANY ? *line != 0 : *line == 0)
			return i == PART_ANY ? "... stands alone" : "no pattern";
		s->frames[s->n++] = (struct frame_pattern){(enum pattern_part)i, memory_text(line)};
		if (s->n > 1)
			all->stacks = true;
		return NULL;
	}
	return "neither call: what: to: from: host: why: fun: obj: src: ... without symbols: nor }";
}

bool suppress_read(struct suppressions **ret, const char *file, struct text *ret_error)
{
	struct suppressions *all = *ret ? *ret : memory(sizeof(*all));
	enum { OUTSIDE, NAME, KIND, INSIDE } state = OUTSIDE;
	struct suppression *s = NULL;
	const char *wrong = NULL;
	unsigned number = 0;
	char *line = NULL;
	size_t room = 0;
	FILE *f = fopen(file, "re");

	if (!f) {
		text_format(ret_error, "--suppress %s: cannot be read: %s", file, strerror(errno));
		if (!*ret)
			free(all);
		return false;
	}
	*ret = all;
	errno = 0;
	while (!wrong && getline(&line, &room, f) >= 0) {
		char *at = trim(line);

		number++;
		if (!*at || *at == '#')
			continue;
		if (strcmp(at, "}") == 0 && state != INSIDE) {
			wrong = state == OUTSIDE ? "} without {"
				: state == NAME  ? "no name"
						 : "no kind";
		} else if (state == OUTSIDE) {
			if (strcmp(at, "{") != 0) {
				wrong = "{ expected";
				break;
			}
			s = suppression_new(all);
			s->line = number;
			s->file = memory_text(file);
			state = NAME;
		} else if (state == NAME) {
			s->name = memory_text(at);
			state = KIND;
		} else if (state == KIND) {
			if (!kind_of(at, &s->kind))
				wrong = "not a kind (leak, emfile, never-closed, bad-close, kept, "
					"inherited, snapshot or *)";
			state = INSIDE;
		} else if (strcmp(at, "}") == 0) {
			state = OUTSIDE;
		} else {
			wrong = condition(all, at);
		}
	}
	if (!wrong && errno) {
		text_format(ret_error, "--suppress %s: cannot be read: %s", file, strerror(errno));
	} else if (wrong) {
		text_format(ret_error, "%s:%u: %s", file, number, wrong);
	} else if (state != OUTSIDE) {
		text_format(
			ret_error, "%s:%u: the block that begins here has no end", file, s->line);
	}
	free(line);
	fclose(f);
	return ret_error->n == 0;
}

bool suppress_whats(const struct suppressions *s)
{
	return s->whats;
}

bool suppress_stacks(const struct suppressions *s)
{
	return s->stacks;
}

/* -- events ---------------------------------------------------------------------------------- */

/* A pattern without a slash is for the base name. */
static bool path_match(const char *pattern, const char *path)
{
	return text_match(pattern, path) ||
	       (!strchr(pattern, '/') && text_match(pattern, show_base(path)));
}

static bool kind_match(const struct suppression *s, enum kind kind)
{
	return s->kind < 0 || s->kind == (int)(kind == KIND_HOLDER ? KIND_EMFILE : kind);
}

unsigned suppress_set(struct suppressions *all, const struct fact *f)
{
	const char *facts[ASKS] = {f->call, f->what, f->to, f->from, f->host, f->why};
	size_t n = (all->n + 7) / 8;
	unsigned char *bits = memory(n);
	void **at;

	for (size_t i = 0; i < all->n; i++) {
		bool yes = kind_match(&all->at[i], f->kind);

		for (int k = 0; k < ASKS && yes; k++)
			if (all->at[i].ask[k] && (facts[k] || k != ASK_WHAT || !all->at[i].blind))
				yes = facts[k] && path_match(all->at[i].ask[k], facts[k]);
		if (yes)
			bits[i / 8] |= (unsigned char)(1U << (i % 8));
	}
	at = table_put(&all->sets, bits, n);
	if (!*at) {
		all->bits = memory_more(all->bits, all->sets_n + 1, sizeof(*all->bits));
		all->bits[all->sets_n++] = bits;
		*at = (void *)(uintptr_t)all->sets_n;
	} else {
		free(bits);
	}
	return (unsigned)((uintptr_t)*at - 1);
}

/* -- frames ---------------------------------------------------------------------------------- */

static bool source_match(const char *pattern, const char *file, unsigned line)
{
	struct text with = {0};
	bool yes;

	text_format(&with, "%s:%u", file, line);
	yes = path_match(pattern, file) || path_match(pattern, with.at) ||
	      path_match(pattern, show_path(file)) || path_match(pattern, show_path(with.at));
	text_free(&with);
	return yes;
}

static bool frame_match(const struct frame_pattern *p, const struct logical *l)
{
	struct text with = {0};
	bool yes = false;

	switch (p->part) {
	case PART_ANY:
		break;
	case PART_FUN:
		yes = l->line && l->line->function && text_match(p->pattern, l->line->function);
		break;
	case PART_SRC:
		if (l->script)
			yes = source_match(p->pattern, l->script, l->script_line);
		else
			yes = l->line && l->line->file &&
			      source_match(p->pattern, l->line->file, l->line->line);
		break;
	case PART_OBJ:
		if (!l->spot)
			break;
		text_format(&with, "%s+0x%llx", l->spot->module->shown,
			(unsigned long long)l->spot->offset);
		yes = path_match(p->pattern, l->spot->module->shown) ||
		      path_match(p->pattern, l->spot->module->path) ||
		      path_match(p->pattern, with.at);
		text_free(&with);
		break;
	}
	return yes;
}

/* As with text_match, `...' being the star, but that the outer frames need not be named. */
static bool frames_match(const struct suppression *s, const struct logical *l, size_t n)
{
	size_t p = 0, at = 0, star = SIZE_MAX, from = 0;

	while (p < s->n) {
		if (s->frames[p].part == PART_ANY) {
			star = ++p;
			from = at;
		} else if (at < n && frame_match(&s->frames[p], &l[at])) {
			p++;
			at++;
		} else if (star != SIZE_MAX && from < n) {
			p = star;
			at = ++from;
		} else {
			return false;
		}
	}
	return true;
}

size_t logical_frames(const struct site *site, struct logical *l, size_t *ret_blame)
{
	size_t n = 0;

	*ret_blame = 0;
	if (site->script)
		l[n++] = (struct logical){.script = site->script, .script_line = site->script_line};
	for (size_t i = 0; i < site->n; i++) {
		const struct spot *s = site->at[i];

		if (i == site->blame && !site->script)
			*ret_blame = n;
		if (s->n == 0 && n < LOGICAL_MAX)
			l[n++] = (struct logical){.spot = s};
		for (size_t k = 0; k < s->n && n < LOGICAL_MAX; k++)
			l[n++] = (struct logical){.spot = s, .line = &s->lines[k]};
	}
	return n;
}

/* Are the lines of the first so many frames known?  Where they are not, inlined functions are not
 * known either, nor static ones of a stripped program. */
static bool has_lines(const struct logical *l, size_t n, size_t first)
{
	for (size_t i = 0; i < n && i < first; i++)
		if (!l[i].script && !(l[i].line && l[i].line->file))
			return false;
	return true;
}

/* The first pattern may mean the frame that is blamed, the innermost, or that behind a script's
 * line. */
static bool site_match(const struct suppression *s, const struct site *site)
{
	struct logical l[LOGICAL_MAX];
	size_t blame, n = logical_frames(site, l, &blame);

	if (s->blind && has_lines(l + blame, n - blame, s[-1].n))
		return false;
	return s->n == 0 || frames_match(s, l, n) ||
	       (blame > 0 && frames_match(s, l + blame, n - blame)) ||
	       (site->script && frames_match(s, l + 1, n - 1));
}

/* Who held the descriptors is only asked where a call failed. */
static void suppress_holders(struct model *m)
{
	const char *name = NULL;

	for (size_t i = 0; i < m->n; i++)
		if (m->all[i]->kind == KIND_EMFILE) {
			name = m->all[i]->suppressed;
			if (!name)
				return;
		}
	for (size_t i = 0; i < m->n && name; i++)
		if (m->all[i]->kind == KIND_HOLDER && !m->all[i]->suppressed)
			m->all[i]->suppressed = name;
}

void suppress_apply(struct model *m)
{
	struct suppressions *all = m->suppress;

	if (!all)
		return;
	for (size_t i = 0; i < m->n; i++) {
		struct group *g = m->all[i];

		for (size_t k = 0; k < all->n && g->set < all->sets_n; k++) {
			struct suppression *s = &all->at[k];

			if (!(all->bits[g->set][k / 8] >> (k % 8) & 1) || !site_match(s, g->site))
				continue;
			s->used += g->count;
			if (!g->suppressed)
				g->suppressed = s->name;
			break;
		}
	}
	suppress_holders(m);
}

void suppress_unused(const struct suppressions *all, struct text *t)
{
	for (size_t i = 0; all && i < all->n; i++) {
		bool parts = i + 1 < all->n && all->at[i + 1].blind;

		if (!all->at[i].blind && !all->at[i].used && !(parts && all->at[i + 1].used)) {
			text_format(t, "%s:%u: never used: ", all->at[i].file, all->at[i].line);
			text_plain(t, all->at[i].name);
			text_add(t, "\n");
		}
	}
}
