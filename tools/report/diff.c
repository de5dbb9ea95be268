/* SPDX-License-Identifier: ISC
 *
 * Which finding of one release is which of the next: a call site keeps its hash only while its file
 * is not built anew, so after the hash what a programmer would go by is compared, the nearest
 * first. */
#include "diff.h"
#include "show.h"
#include <stdlib.h>
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

/* What must be the same in this pass of a call site of the group; empty when there is nothing to go
 * by. */
static void key_of(struct text *key, const struct group *g, const struct site *s, enum pass pass)
{
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

/* The groups of one key, the largest first. */
struct old {
	struct group *group;
	struct old *next;
};

static const struct site *site_at(const struct group *g, size_t i)
{
	return g->parts_n ? g->parts[i].site : g->site;
}

static struct group *find(const struct table *old, const struct group *g, enum pass pass)
{
	struct group *was = NULL;

	for (size_t i = 0; i < (g->parts_n ? g->parts_n : 1) && !was; i++) {
		struct text key = {0};

		key_of(&key, g, site_at(g, i), pass);
		for (const struct old *o = key.at ? table_get(old, key.at, key.n) : NULL; o && !was;
			o = o->next)
			if (o->group->diff == DIFF_NONE)
				was = o->group;
		text_free(&key);
	}
	return was;
}

static void old_free(struct table *old)
{
	for (size_t i = 0; i < old->room; i++)
		for (struct old *o = old->at[i].key ? old->at[i].value : NULL, *next; o; o = next) {
			next = o->next;
			free(o);
		}
	table_free(old);
}

/* Pairs what no pass before has, one to one, in order of size. */
static void pair(struct model *now, struct model *before, enum pass pass)
{
	struct table old = {0};

	for (size_t i = before->n; i-- > 0;) { /* the largest ends up first in its chain */
		struct group *g = before->all[i];

		if (!compared(g) || g->suppressed || g->diff != DIFF_NONE)
			continue;
		for (size_t k = 0; k < (g->parts_n ? g->parts_n : 1); k++) {
			struct text key = {0};
			struct old *o;
			void **at;

			key_of(&key, g, site_at(g, k), pass);
			if (!key.at)
				continue;
			o = memory(sizeof(*o));
			at = table_put(&old, key.at, key.n);
			*o = (struct old){g, *at};
			*at = o;
			text_free(&key);
		}
	}
	for (size_t i = 0; i < now->n; i++) {
		struct group *g = now->all[i], *was;

		if (!compared(g) || g->suppressed || g->diff != DIFF_NONE)
			continue;
		was = find(&old, g, pass);
		if (!was)
			continue;
		was->diff = DIFF_SAME;
		g->before = size_of(was);
		g->diff = size_of(g) > g->before ? DIFF_GROWN : DIFF_SAME;
	}
	old_free(&old);
}

static bool has_build(const struct model *m, const char *id)
{
	for (size_t i = 0; i < m->modules.room; i++)
		if (m->modules.at[i].key && strcmp(((struct module *)m->modules.at[i].value)->id, id) == 0)
			return true;
	return false;
}

/* A finding that has no name, since its build is not here, where the other side has another build: the
 * same call is at another address there. */
static void note_build(const struct group *g, const struct model *other)
{
	const struct line *l = site_line(g->site);
	struct module *module = g->site->n > 0 ? site_spot(g->site)->module : NULL;
	struct text note = {0};

	if (!module || module->none || module->found || g->site->script || (l && l->function) ||
		(*module->id && has_build(other, module->id)))
		return;
	if (module->note && strstr(module->note, "compared"))
		return;
	if (module->note)
		text_add(&note, module->note);
	else
		text_format(&note, "is gone (build %.8s): no symbols", *module->id ? module->id : "unknown");
	text_add(&note, ", so it is compared by address");
	free(module->note);
	module->note = note.at;
}

void diff_apply(struct model *now, struct model *before)
{
	for (enum pass pass = 0; pass < PASSES; pass++)
		pair(now, before, pass);
	for (int side = 0; side < 2; side++) {
		const struct model *m = side ? now : before;

		for (size_t i = 0; i < m->n; i++)
			if (compared(m->all[i]) && !m->all[i]->suppressed)
				note_build(m->all[i], side ? before : now);
	}
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
