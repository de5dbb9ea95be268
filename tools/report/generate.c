/* SPDX-License-Identifier: ISC
 *
 * --gen-suppressions: blocks that hold of the same finding tomorrow, after the program or the system
 * was updated, and where other symbols are installed than here. */
#include "show.h"
#include "suppress.h"
#include <stdlib.h>
#include <string.h>

enum { GENERATED = 4 /* functions in a block */ };

static void put_condition(struct text *t, const char *name, const char *pattern)
{
	text_format(t, "   %s", name);
	text_plain(t, pattern);
	text_add(t, "\n");
}

/* A pattern for what a descriptor is, without what the next run has otherwise: numbers, the letters
 * of mkstemp(3), the addresses of sockets but for those of files. */
static void put_lasting(struct text *t, const char *what, const char *call)
{
	const char *address = strncmp(what, "socket:[", 8) == 0 ? what + 8 + strcspn(what + 8, " ]") : NULL,
		   *base = show_base(what);
	bool temporary = call && (strncmp(call, "mk", 2) == 0 || strncmp(call, "tmp", 3) == 0);

	if (strcmp(what, "pipe") == 0) {
		text_add(t, "pipe:*");
	} else if (address && *address && address[1] != '/' && address[1] != '@') {
		text_put(t, what, (size_t)(address - what));
		text_add(t, "*");
	} else if (temporary && *what == '/') {
		text_put(t, what, (size_t)(base - what));
		text_add(t, "*");
	} else {
		for (size_t digits; *what; what += digits ? digits : 1) {
			digits = strspn(what, "0123456789");
			text_put(t, digits ? "*" : what, 1);
		}
	}
}

void suppress_what(struct text *t, const struct group *g)
{
	const char *call = g->site->call;

	if (g->kind == KIND_BAD_CLOSE || g->whats.n == 0) /* of a bad close it is the number */
		return;
	put_lasting(t, g->whats.at[0].name, call);
	for (unsigned i = 1; i < g->whats.n; i++) {
		struct text one = {0};

		put_lasting(&one, g->whats.at[i].name, call);
		text_common(t, one.at);
		text_free(&one);
	}
	if (g->whats.others && t->at[t->n - 1] != '*')
		text_add(t, "*");
}

/* The program that it went into, where it is one. */
static const char *one_target(const struct group *g)
{
	for (unsigned i = 1; i < g->targets.n; i++)
		if (strcmp(show_base(g->targets.at[i].name), show_base(g->targets.at[0].name)) != 0)
			return NULL;
	return g->targets.n > 0 && !g->targets.others ? show_base(g->targets.at[0].name) : NULL;
}

/* Is this code that an update of the system changes, with the frames that it has? */
static bool of_libc(const struct spot *s)
{
	const char *base = s ? show_base(s->module->shown) : "";

	return strncmp(base, "libc.", 5) == 0 || strncmp(base, "libc-", 5) == 0 ||
	       strncmp(base, "libpthread", 10) == 0 || strncmp(base, "ld-", 3) == 0;
}

/* The functions from the frame that is blamed to main, as far as each has a line. */
static void put_functions(struct text *t, const struct logical *l, size_t n)
{
	for (size_t k = 0; k < n && k < GENERATED; k++) {
		const char *function = l[k].line ? l[k].line->function : NULL;

		if (!function || !l[k].line->file || (k > 0 && of_libc(l[k].spot)))
			break;
		put_condition(t, "fun:", function);
		if (strcmp(function, "main") == 0)
			break;
	}
}

/* A block in the making: its first lines, the module or script, and in between what the descriptors
 * are, "" where they have nothing in common. */
struct block {
	struct text name, first, functions, what, to, last;
	struct block *next;
};

static void block_free(struct block *b)
{
	text_free(&b->name);
	text_free(&b->first);
	text_free(&b->functions);
	text_free(&b->what);
	text_free(&b->to);
	text_free(&b->last);
	free(b);
}

/* What holds of the same call where other symbols are there, and in the next build: functions where
 * lines are known; else the module and what the descriptors are.  A line of a script has no
 * function. */
static struct block *block_make(const struct group *g, const struct site *site)
{
	struct logical l[LOGICAL_MAX];
	size_t at, n = logical_frames(site, l, &at);
	const struct line *line = n > 0 ? l[at].line : NULL;
	struct block *b = memory(sizeof(*b));
	const char *to = one_target(g);

	text_format(&b->name, "%s: ", kind_names[g->kind]);
	show_site(&b->name, site);
	put_condition(&b->first, "", kind_names[g->kind]);
	if (site->call)
		put_condition(&b->first, "call:", site->call);
	if (g->kind == KIND_BAD_CLOSE)
		put_condition(&b->first, "why:", g->why);
	if (line && line->file && line->function)
		put_functions(&b->functions, l + at, n - at);
	suppress_what(&b->what, g);
	if (to)
		text_add(&b->to, to);
	if (n > 0 && l[at].script) {
		put_condition(&b->last, "src:", show_base(l[at].script));
	} else if (line && !line->file && line->function) {
		put_condition(&b->last, "...", ""); /* what was inlined into it has names elsewhere */
		put_condition(&b->last, "fun:", line->function);
		put_condition(&b->last, SUPPRESS_BLIND, "");
	}
	if (n > 0 && l[at].spot)
		put_condition(&b->last, "obj:", show_base(l[at].spot->module->shown));
	return b;
}

static void put_block(struct text *t, const struct block *b)
{
	text_add(t, "{\n");
	put_condition(t, "", b->name.at);
	text_add(t, b->first.at);
	if (b->functions.n) {
		text_add(t, b->functions.at);
		put_condition(t, SUPPRESS_BLIND, "");
	}
	if (b->what.n && strcmp(b->what.at, "*") != 0)
		put_condition(t, "what:", b->what.at);
	if (b->to.n)
		put_condition(t, "to:", b->to.at);
	if (b->last.n)
		text_add(t, b->last.at);
	text_add(t, "}\n");
}

/* Two call sites that are told apart by nothing that holds in the next build have one block. */
static void block_merge(struct block *to, const struct block *from)
{
	if (to->what.n && from->what.n)
		text_common(&to->what, from->what.at);
	else
		text_free(&to->what);
	if (!to->to.n || !from->to.n || strcmp(to->to.at, from->to.at) != 0)
		text_free(&to->to);
}

void suppress_generate(const struct model *m, struct text *t)
{
	struct block *all = NULL, **end = &all;
	struct table seen = {0};

	for (size_t i = 0; i < m->n; i++) {
		const struct group *g = m->all[i];

		if (g->suppressed || (g->kind != KIND_LEAK && g->kind != KIND_EMFILE &&
					     g->kind != KIND_NEVER && g->kind != KIND_BAD_CLOSE))
			continue;
		for (size_t k = 0; k < (g->parts_n ? g->parts_n : 1); k++) {
			struct block *b = block_make(g, g->parts_n ? g->parts[k].site : g->site);
			struct text key = {0};
			void **at;

			text_format(&key, "%s%s%s%s%s", b->first.at, b->functions.n ? b->functions.at : "",
				b->last.n ? b->last.at : "",
				b->what.n && !b->functions.n ? b->what.at : "",
				b->to.n && !b->functions.n ? b->to.at : "");
			at = table_put(&seen, key.at, key.n);
			text_free(&key);
			if (*at) {
				block_merge(*at, b);
				block_free(b);
			} else if (!b->functions.n && !b->last.n && !b->what.n && !g->site->call) {
				block_free(b); /* it would match all of the kind */
			} else {
				*at = *end = b;
				end = &b->next;
			}
		}
	}
	for (struct block *b = all, *next; b; b = next) {
		next = b->next;
		put_block(t, b);
		block_free(b);
	}
	table_free(&seen);
}
