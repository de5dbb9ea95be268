/* SPDX-License-Identifier: ISC
 *
 * Which finding of one release is which of the next: a call site keeps its hash only while its file
 * is not built anew, so after the hash what a programmer would go by is compared, the nearest
 * first. */
#include "diff.h"
#include "show.h"
#include <string.h>

enum pass { PASS_HASH, PASS_LINE, PASS_FILE, PASS_MODULE, PASS_OFFSET, PASSES };

static bool compared(const struct group *g)
{
	return g->kind == KIND_LEAK || g->kind == KIND_EMFILE || g->kind == KIND_NEVER ||
	       g->kind == KIND_BAD_CLOSE;
}

static unsigned long size_of(const struct group *g)
{
	return g->kind == KIND_LEAK ? group_descriptors(g) : g->count;
}

/* What must be the same in this pass; empty when the group has nothing to go by. */
static void key_of(struct text *key, const struct group *g, enum pass pass)
{
	const struct site *s = g->site;
	const struct line *l = site_line(s);
	const struct spot *spot = site_spot(s);
	const char *file = s->script ? s->script
			   : l       ? l->file
				     : NULL,
		   *function = l ? l->function : NULL;
	unsigned line = s->script ? s->script_line : l ? l->line : 0;
	const char *call = s->call ? s->call : "";

	text_format(key, "%d %s ", g->kind, g->why);
	switch (pass) {
	case PASS_HASH:
		if (*s->hash) {
			text_add(key, s->hash);
			return;
		}
		if (s->n == 0) { /* the unknown caller is the same one everywhere */
			text_format(key, "? %s", call);
			return;
		}
		break;
	case PASS_LINE:
	case PASS_FILE:
		if (!file)
			break;
		text_format(key, "%s %s %s", call, s->script || !function ? "" : function,
			show_base(file));
		if (pass == PASS_LINE)
			text_format(key, ":%u", line);
		return;
	case PASS_MODULE:
		if (!function || s->script)
			break;
		text_format(key, "%s %s %s", call, show_base(spot->module->path), function);
		return;
	case PASS_OFFSET:
		if (!spot || function || s->script)
			break;
		text_format(key, "%s %s 0x%llx", call, show_base(spot->module->path),
			(unsigned long long)spot->offset);
		return;
	case PASSES:
		break;
	}
	text_free(key);
}

/* Pairs what no pass before has, one to one, in order of size. */
static void pair(struct model *now, struct model *before, enum pass pass)
{
	struct table old = {0};

	for (size_t i = before->n; i-- > 0;) { /* the largest ends up first in its chain */
		struct group *g = before->all[i];
		struct text key = {0};
		void **at;

		if (!compared(g) || g->suppressed || g->diff != DIFF_NONE)
			continue;
		key_of(&key, g, pass);
		if (!key.at)
			continue;
		at = table_put(&old, key.at, key.n);
		g->next = *at;
		*at = g;
		text_free(&key);
	}
	for (size_t i = 0; i < now->n; i++) {
		struct group *g = now->all[i], *was;
		struct text key = {0};
		void **at;

		if (!compared(g) || g->suppressed || g->diff != DIFF_NONE)
			continue;
		key_of(&key, g, pass);
		if (!key.at)
			continue;
		at = table_put(&old, key.at, key.n);
		text_free(&key);
		was = *at;
		if (!was)
			continue;
		*at = was->next;
		was->diff = DIFF_SAME;
		g->before = size_of(was);
		g->diff = size_of(g) > g->before ? DIFF_GROWN : DIFF_SAME;
	}
	table_free(&old);
}

void diff_apply(struct model *now, struct model *before)
{
	for (enum pass pass = 0; pass < PASSES; pass++)
		pair(now, before, pass);
	for (size_t i = 0; i < now->n; i++)
		if (compared(now->all[i]) && !now->all[i]->suppressed &&
			now->all[i]->diff == DIFF_NONE)
			now->all[i]->diff = DIFF_NEW;
	for (size_t i = 0; i < before->n; i++) {
		struct group *g = before->all[i];

		if (!compared(g) || g->suppressed || g->diff != DIFF_NONE)
			continue;
		g->diff = DIFF_GONE;
		g->before = size_of(g);
		model_add(now, g);
	}
}
