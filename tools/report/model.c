/* SPDX-License-Identifier: ISC
 *
 * Events in, groups out: what each field of the schema (libjail.7) adds to which group. */
#include "model.h"
#include "suppress.h"
#include "process.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

const char *const kind_names[KINDS] = {
	[KIND_LEAK] = "leak",
	[KIND_EMFILE] = "emfile",
	[KIND_HOLDER] = "holder",
	[KIND_NEVER] = "never-closed",
	[KIND_BAD_CLOSE] = "bad-close",
	[KIND_KEPT] = "kept",
	[KIND_INHERITED] = "inherited",
	[KIND_SNAPSHOT] = "snapshot",
};

enum {
	MANY = 1000000000, /* no count is larger: a hostile one must not wrap a sum of many */
	NAME_MAX_SHOWN = 4096,
};

/* -- bounded sums ---------------------------------------------------------------------------- */

void tally_add(struct tally *t, const char *name, unsigned long n)
{
	if (!name || n == 0)
		return;
	for (unsigned i = 0; i < t->n; i++)
		if (strcmp(t->at[i].name, name) == 0) {
			t->at[i].n += n;
			if (i > 0 && t->at[i].n > t->at[i - 1].n) {
				struct counted swap = t->at[i];

				t->at[i] = t->at[i - 1];
				t->at[i - 1] = swap;
			}
			return;
		}
	if (t->n == TALLY) {
		t->others += n;
		return;
	}
	if ((t->n & (t->n - 1)) == 0) /* room for 1, 2, 4 ... */
		t->at = memory_more(t->at, t->n ? t->n * 2 : 1, sizeof(*t->at));
	t->at[t->n++] = (struct counted){memory_text(name), n};
}

void tally_free(struct tally *t)
{
	for (unsigned i = 0; i < t->n; i++)
		free(t->at[i].name);
	free(t->at);
	*t = (struct tally){0};
}

static int more_often(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->name, y->name);
}

void tally_sort(struct tally *t)
{
	if (t->n > 1)
		qsort(t->at, t->n, sizeof(*t->at), more_often);
}

static void tally_merge(struct tally *to, struct tally *from)
{
	for (unsigned i = 0; i < from->n; i++)
		tally_add(to, from->at[i].name, from->at[i].n);
	to->others += from->others;
}

void distinct_add(struct distinct *d, uint64_t hash)
{
	unsigned i, most = 0;

	if (d->n == DISTINCT && hash >= d->most)
		return;
	for (i = 0; i < d->n; i++) {
		if (d->at[i] == hash)
			return;
		if (d->at[i] > d->at[most])
			most = i;
	}
	if (d->n < DISTINCT) {
		if (d->n == d->room) {
			d->room = d->room ? d->room * 2 : 4;
			d->at = memory_more(d->at, d->room, sizeof(*d->at));
		}
		most = d->n++;
	}
	d->at[most] = hash;
	if (d->n == DISTINCT) {
		d->most = 0;
		for (i = 0; i < DISTINCT; i++)
			if (d->at[i] > d->most)
				d->most = d->at[i];
	}
}

unsigned long distinct_count(const struct distinct *d)
{
	double n;

	if (d->n < DISTINCT)
		return d->n;
	n = (DISTINCT - 1) * 0x1p64 / ((double)d->most + 1);
	return n < (double)MANY * MANY ? (unsigned long)n : (unsigned long)MANY * MANY;
}

static void distinct_merge(struct distinct *to, const struct distinct *from)
{
	for (unsigned i = 0; i < from->n; i++)
		distinct_add(to, from->at[i]);
}

void timeline_add(struct timeline **at, int64_t us, unsigned long n)
{
	struct timeline *t = *at;
	int64_t now, low, high;

	if (!t) {
		t = *at = memory(sizeof(*t));
		t->shift = 17; /* an eighth of a second */
		t->base = us >> t->shift;
	}
	for (;;) {
		now = us >> t->shift;
		low = now < t->base ? now : t->base;
		high = t->base;
		for (int i = 0; i < TIMELINE; i++)
			if (t->n[i])
				high = t->base + i;
		if (now > high)
			high = now;
		if (high - low < TIMELINE)
			break;
		struct timeline half = {.shift = t->shift + 1, .base = t->base >> 1};

		for (int i = 0; i < TIMELINE; i++)
			half.n[((t->base + i) >> 1) - half.base] += t->n[i];
		*t = half;
	}
	if (low < t->base) {
		int move = (int)(t->base - low);

		memmove(t->n + move, t->n, sizeof(t->n[0]) * (size_t)(TIMELINE - move));
		memset(t->n, 0, sizeof(t->n[0]) * (size_t)move);
		t->base = low;
	}
	t->n[now - t->base] += n;
}

void timeline_begin(struct timeline **at, int64_t us, int64_t step)
{
	int shift = 0;

	while (shift < 62 && (int64_t)1 << shift < step)
		shift++;
	*at = memory(sizeof(**at));
	(*at)->shift = shift;
	(*at)->base = us >> shift;
}

void timeline_merge(struct timeline **to, const struct timeline *from)
{
	if (from)
		for (int i = 0; i < TIMELINE; i++)
			if (from->n[i])
				timeline_add(to, (from->base + i) << from->shift, from->n[i]);
}

unsigned long group_descriptors(const struct group *g)
{
	unsigned long n = g->descriptors ? g->descriptors : distinct_count(&g->fds);

	/* Not every descriptor of a long list is named. */
	return n > 0 && n < g->count ? n : g->count;
}

/* -- call sites ------------------------------------------------------------------------------ */

const struct spot *site_spot(const struct site *s)
{
	return s->n > 0 ? s->at[s->blame] : NULL;
}

const struct spot *site_via(const struct site *s)
{
	return s->n > 0 && s->blame == 0 && !s->script ? s->at[0]->via : NULL;
}

const struct line *site_line(const struct site *s)
{
	const struct spot *spot = site_spot(s);

	return spot && spot->n > 0 ? &spot->lines[0] : NULL;
}

static struct module *module_put(struct model *m, const char *path, const char *id)
{
	struct text key = {0};
	struct module *module;
	void **at;

	text_put(&key, path, strlen(path) + 1);
	text_put(&key, id, strlen(id) + 1);
	at = table_put(&m->modules, key.at, key.n);
	text_free(&key);
	if (!*at) {
		module = *at = memory(sizeof(*module));
		module->path = memory_text(path);
		module->id = memory_text(id);
		module->shown = module->path;
		module->none = *path != '/';
	}
	return *at;
}

static struct spot *spot_put(struct model *m, struct module *module, uint64_t offset)
{
	struct {
		struct module *module;
		uint64_t offset;
	} key;
	void **at;

	memset(&key, 0, sizeof(key));
	key.module = module;
	key.offset = offset;
	at = table_put(&m->spots, &key, sizeof(key));
	if (!*at) {
		struct spot *s = *at = memory(sizeof(*s));

		s->module = module;
		s->offset = offset;
		s->next = module->spots;
		module->spots = s;
		module->n++;
	}
	return *at;
}

static bool is_hash(const char *s)
{
	size_t n = s ? strspn(s, "0123456789abcdef") : 0;

	return n > 0 && n <= 16 && s[n] == 0;
}

static const struct json *element(const struct json *array, long long i)
{
	const struct json *c;

	if (!array || array->type != JSON_ARRAY || i < 0)
		return NULL;
	for (c = json_first(array); c && i > 0; i--)
		c = json_next(array, c);
	return c;
}

/* A frame of a stack, [module index, "0xoffset"]; NULL when it is none. */
static struct spot *frame(
	struct model *m, const struct json *pair, const struct json *modules, bool here, int64_t t)
{
	const struct json *number = element(pair, 0), *offset = element(pair, 1), *of;
	struct module *module;
	const char *path, *id;
	uint64_t at;

	if (!offset || offset->type != JSON_STRING)
		return NULL;
	at = strtoull(offset->text, NULL, 16);
	of = element(modules, json_whole(number, -1));
	path = json_text(of, "path");
	id = json_text(of, "id");
	module = module_put(m, path && *path ? path : "?", id ? id : "");
	module->here |= here;
	if (t > module->last)
		module->last = t;
	return spot_put(m, module, at);
}

/* What the source says: glibc's headers make __open_2 of open. */
static const char *call_name(char *out, size_t size, const char *call)
{
	size_t n = call ? strlen(call) : 0;

	if (n < 5 || n >= size || memcmp(call, "__", 2) != 0)
		return call;
	n -= strcmp(call + n - 2, "_2") == 0 ? 2 : n > 6 && strcmp(call + n - 4, "_chk") == 0 ? 4 : 0;
	if (call[n] == 0)
		return call;
	snprintf(out, size, "%.*s", (int)n - 2, call + 2);
	return out;
}

static void site_fill(struct model *m, struct site *s, const struct json *e, bool here, int64_t t)
{
	const struct json *stack = json_get(e, "stack"), *modules = json_get(e, "modules"),
			  *script = json_get(e, "script");
	char name[64];
	const char *call = call_name(name, sizeof(name), json_text(e, "call")),
		   *file = json_text(script, "file");
	long long blame = json_number(e, "blame", 0), line = json_number(script, "line", 0);

	if (!s->call && call)
		s->call = memory_text(call);
	if (!s->script && file) {
		s->script = memory_text(file);
		s->script_line = line > 0 && line < MANY ? (unsigned)line : 0;
	}
	if (s->n == 0 && stack && stack->type == JSON_ARRAY) {
		for (const struct json *c = json_first(stack); c && s->n < SITE_FRAMES;
			c = json_next(stack, c)) {
			struct spot *spot = frame(m, c, modules, here, t);

			if (!spot)
				break;
			s->at[s->n++] = spot;
			s->at[0]->innermost = true;
		}
		s->blame = blame >= 0 && (size_t)blame < s->n ? (size_t)blame : 0;
	}
}

/* Without a hash it is one site for each call: nobody knows who. */
static struct site *site_put(struct model *m, const char *hash, const char *raw_call)
{
	char name[64];
	const char *call = call_name(name, sizeof(name), raw_call);
	struct text key = {0};
	struct site *s;
	void **at;

	if (is_hash(hash)) {
		text_add(&key, hash);
	} else {
		hash = "";
		text_add(&key, "?");
		text_add(&key, call ? call : "");
	}
	at = table_put(&m->sites, key.at, key.n);
	text_free(&key);
	if (!*at) {
		s = *at = memory(sizeof(*s));
		memcpy(s->hash, hash, strlen(hash) + 1);
		s->head = s->same = s;
	}
	/* A line of a script may have several calls, and who inherits knows only the place. */
	for (s = *at; *hash && call && s->call && strcmp(s->call, call) != 0; s = s->also)
		if (!s->also) {
			struct site *more = memory(sizeof(*more));

			memcpy(more->hash, s->hash, sizeof(more->hash));
			more->call = memory_text(call);
			more->head = more->same = more;
			s->also = more;
		}
	return s;
}

static uint64_t way_of(const struct json *e)
{
	const struct json *stack = json_get(e, "stack"), *modules = json_get(e, "modules");
	uint64_t way = 1;

	for (const struct json *c = json_first(stack); c; c = json_next(stack, c)) {
		const struct json *offset = element(c, 1);
		const char *path =
			json_text(element(modules, json_whole(element(c, 0), -1)), "path");
		uint64_t part[3] = {way, path ? text_hash(path, strlen(path)) : 0, 0};

		if (offset && offset->type == JSON_STRING)
			part[2] = strtoull(offset->text, NULL, 16);
		way = text_hash(part, sizeof(part)) | 1;
	}
	return way;
}

/* The site that an object tells of: an event, or a part of one.  here: is it of this machine? */
static struct site *site_of(struct model *m, const struct json *e, bool here, int64_t t)
{
	struct site *s = site_put(m, json_text(e, "site"), json_text(e, "call"));
	uint64_t way;

	if (!m->suppress || !suppress_stacks(m->suppress)) {
		if (s->n == 0 || !s->call)
			site_fill(m, s, e, here, t);
		return s;
	}
	way = way_of(e);
	while (s->way != way && s->n > 0 && s->next)
		s = s->next;
	if (s->n > 0 && s->way != way) {
		struct site *more = memory(sizeof(*more));

		memcpy(more->hash, s->hash, sizeof(more->hash));
		more->head = s->head;
		s->next = more;
		s = more;
	}
	s->way = way;
	site_fill(m, s, e, here, t);
	return s;
}

/* -- groups ---------------------------------------------------------------------------------- */

void model_add(struct model *m, struct group *g)
{
	if (m->n == m->room) {
		m->room = m->room ? m->room * 2 : 64;
		m->all = memory_more(m->all, m->room, sizeof(*m->all));
	}
	m->all[m->n++] = g;
}

static struct group *group_new(struct model *m, enum kind kind, struct site *site, const char *why,
	struct site *made, struct site *closed, unsigned set)
{
	struct group *g = memory(sizeof(*g));

	g->kind = kind;
	g->site = site;
	g->made = made;
	g->closed = closed;
	g->set = set;
	g->why = memory_text(why);
	g->limit = g->open = -1;
	model_add(m, g);
	return g;
}

static struct group *group_put(struct model *m, enum kind kind, struct site *site, const char *why,
	struct site *made, struct site *closed, unsigned set)
{
	struct {
		struct site *site, *made, *closed;
		enum kind kind;
		unsigned set;
		char why[32];
	} key;
	void **at;

	memset(&key, 0, sizeof(key));
	key.kind = kind;
	key.site = site;
	key.made = made;
	key.closed = closed;
	key.set = set;
	strncat(key.why, why, sizeof(key.why) - 1);
	at = table_put(&m->groups, &key, sizeof(key));
	if (!*at)
		*at = group_new(m, kind, site, key.why, made, closed, set);
	return *at;
}

/* What every event of a group adds; once for each event. */
static void group_seen(struct model *m, struct group *g, const struct fact *f)
{
	if (g->serial == m->serial)
		return;
	g->serial = m->serial;
	if (g->events++ == 0 || f->t < g->first)
		g->first = f->t;
	if (f->t > g->last)
		g->last = f->t;
	tally_add(&g->programs, f->from, 1);
	tally_add(&g->hosts, f->host, 1);
}

/* The kernel's numbers of pipes and sockets make each different and say nothing. */
static void what_kind(char *out, size_t size, const char *what)
{
	const char *number = strstr(what, ":["), *last = strrchr(what, ' ');
	size_t digits = last ? strspn(last + 1, "0123456789") : 0;

	if (strncmp(what, "socket:[", 8) == 0 && digits && strcmp(last + 1 + digits, "]") == 0)
		snprintf(out, size, "%.*s]", (int)(last - what), what); /* of no address */
	else if (number && number[2 + strspn(number + 2, "0123456789")] == ']' && number[2] != ']')
		snprintf(out, size, "%.*s", (int)(number - what), what);
	else
		snprintf(out, size, "%s", what);
}

static const char *fd_what(const struct json *fd)
{
	const char *what = json_text(fd, "what");

	if (!what || !*what)
		what = json_text(fd, "args");
	return what && *what ? what : NULL;
}

static int64_t microseconds(const struct json *number)
{
	double t = number && number->type == JSON_NUMBER ? number->number : 0;

	return t > 0 && t < 4e9 ? (int64_t)(t * 1e6 + 0.5) : 0;
}

static unsigned long count_of(const struct json *e, unsigned long least)
{
	long long n = json_number(e, "count", 0);

	return n < (long long)least ? least : n > MANY ? MANY : (unsigned long)n;
}

/* An event's descriptors on their way to the groups. */
struct adding {
	struct model *m;
	enum kind kind;
	struct site *site;
	const char *why, *class;
	struct fact *f;
	bool stopped, each, table;
	struct group *g;           /* where the last one went */
	struct group *touched[16]; /* of a table */
	unsigned n;
};

/* The group that n more descriptors, of which f->what is known, belong to. */
static struct group *adding_to(struct adding *a, unsigned long n)
{
	struct group *g = a->g;

	if (!g || a->each) {
		g = group_put(a->m, a->kind, a->site, a->why, NULL, NULL,
			a->m->suppress ? suppress_set(a->m->suppress, a->f) : 0);
		a->g = g;
		if (g->serial != a->m->serial) {
			if (a->kind == KIND_LEAK || a->kind == KIND_KEPT)
				tally_add(&g->targets, a->f->to, 1);
			if (a->table && a->n < sizeof(a->touched) / sizeof(*a->touched)) {
				a->touched[a->n++] = g;
				g->now = 0;
			}
			group_seen(a->m, g, a->f);
		}
	}
	tally_add(&g->classes, a->class, n);
	if (a->table)
		g->now += n;
	else
		g->count += n;
	if (a->kind == KIND_LEAK)
		*(a->stopped ? &g->stopped : &g->leaked) += n;
	return g;
}

/* n descriptors that the event does not name: it tells of a table's when the first and last were
 * made. */
static void add_rest(struct adding *a, const struct json *e, unsigned long n)
{
	enum { STEPS = 16 };
	int64_t oldest = json_time(e, "oldest"), newest = json_time(e, "newest");
	struct group *g = adding_to(a, n);
	struct timeline **line = a->table ? &g->line_now : &g->line;

	if (!a->table || oldest == 0 || newest <= oldest || n < STEPS) {
		timeline_add(line, a->table && newest ? newest : a->f->t, n);
		return;
	}
	for (int i = 0; i < STEPS; i++)
		timeline_add(line, oldest + (newest - oldest) / (STEPS - 1) * i,
			n / STEPS + ((unsigned long)i < n % STEPS));
}

static void full_put(struct full *fullest, uint64_t table, unsigned long n)
{
	struct full *least = fullest;

	for (int i = 0; i < FULLEST; i++) {
		if (fullest[i].table == table) {
			least = &fullest[i];
			break;
		}
		if (fullest[i].n < least->n)
			least = &fullest[i];
	}
	if (n > least->n)
		*least = (struct full){table, n};
}

/* Which table an event tells of: two events of one may go to one group in the end. */
static uint64_t table_of(const struct json *e, const struct fact *f, uint64_t host)
{
	const char *run = json_text(e, "run");
	uint64_t part[4] = {host, run ? text_hash(run, strlen(run)) : 0, (uint64_t)f->pid,
		(uint64_t)json_number(e, "table", 0)};

	return text_hash(part, sizeof(part)) | 1;
}

/* The descriptors of an event, each to the group that it belongs to. */
static void add_fds(struct model *m, enum kind kind, struct site *site, const char *why,
	struct fact *f, const struct json *e, bool stopped)
{
	const struct json *fds = json_get(e, "fds");
	unsigned long listed = fds && fds->type == JSON_ARRAY ? fds->children : 0;
	unsigned long count = count_of(e, listed > 0 ? listed : 1);
	struct adding a = {.m = m,
		.kind = kind,
		.site = site,
		.why = why,
		.class = json_text(e, "class"),
		.f = f,
		.stopped = stopped,
		.each = m->suppress && suppress_whats(m->suppress),
		.table = kind == KIND_HOLDER || kind == KIND_SNAPSHOT};
	uint64_t host = text_mark(f->host, strlen(f->host));
	char what[NAME_MAX_SHOWN];

	f->kind = kind;
	f->why = why;
	for (const struct json *fd = listed ? json_first(fds) : NULL; fd; fd = json_next(fds, fd)) {
		int64_t made = microseconds(json_get(fd, "t"));
		int64_t key[4] = {
			(int64_t)host, made, json_number(fd, "fd", -1), made ? 0 : f->pid};
		struct group *g;

		f->what = fd_what(fd);
		g = adding_to(&a, 1);
		if (f->what) {
			what_kind(what, sizeof(what), f->what);
			tally_add(&g->whats, what, 1);
		}
		distinct_add(&g->fds, text_mark(key, sizeof(key)));
		timeline_add(a.table ? &g->line_now : &g->line,
			kind == KIND_LEAK || made == 0 ? f->t : made, 1);
	}
	f->what = NULL;
	if (count > listed)
		add_rest(&a, e, count - listed);
	for (unsigned i = 0; i < a.n; i++) {
		struct group *g = a.touched[i];
		struct timeline *was = g->line;

		full_put(g->fullest, table_of(e, f, host), g->now);
		if (g->now > g->count) {
			g->count = g->now;
			g->line = g->line_now;
			g->line_now = was;
		}
		free(g->line_now);
		g->line_now = NULL;
	}
}

/* -- events ---------------------------------------------------------------------------------- */

static char *chain_text(const struct json *chain)
{
	struct text t = {0};

	if (!chain || chain->type != JSON_ARRAY)
		return NULL;
	for (const struct json *c = json_first(chain); c; c = json_next(chain, c)) {
		const char *program = json_text(c, "prog");

		text_format(&t, "%s%s(%lld)", t.n ? " < " : "", program ? program : "?",
			json_number(c, "pid", 0));
	}
	return t.at;
}

static void exec_event(struct model *m, const struct json *e, struct fact *f, const char *ev)
{
	struct site *site = site_of(m, e, f->here, f->t);
	size_t groups = m->n;
	const char *why = json_text(e, "why");

	f->call = site->call;
	f->to = json_text(e, "target");
	if (strcmp(ev, "exec-kept") == 0) {
		m->kept += count_of(e, 1);
		add_fds(m, KIND_KEPT, site, why ? why : "?", f, e, false);
		return;
	}
	add_fds(m, KIND_LEAK, site, "", f, e, strcmp(ev, "stopped") == 0);
	for (; groups < m->n; groups++)
		m->all[groups]->chain = chain_text(json_get(e, "chain"));
}

static void start_event(struct model *m, const struct json *e, struct fact *f)
{
	const char *root = json_text(e, "root");
	struct text at = {0};

	(void)f;
	m->processes++;
	if (!root || *root != '/')
		return;
	text_add(&at, root);
	while (at.n > 0 && at.at[at.n - 1] == '/')
		at.at[--at.n] = 0;
	if (at.n > 0)
		tally_add(&m->roots, at.at, 1);
	text_free(&at);
}

static void inherited_event(struct model *m, const struct json *e, struct fact *f)
{
	const struct json *fds = json_get(e, "fds");

	if (!fds || fds->type != JSON_ARRAY)
		return;
	f->kind = KIND_INHERITED;
	for (const struct json *fd = json_first(fds); fd; fd = json_next(fds, fd)) {
		struct site *site = site_put(m, json_text(fd, "site"), NULL);
		char what[NAME_MAX_SHOWN];
		struct group *g;

		f->what = fd_what(fd);
		f->call = site->call;
		g = group_put(m, KIND_INHERITED, site, "", NULL, NULL,
			m->suppress ? suppress_set(m->suppress, f) : 0);
		group_seen(m, g, f);
		g->count++;
		m->inherited++;
		tally_add(&g->heirs, f->from, 1);
		if (f->what) {
			what_kind(what, sizeof(what), f->what);
			tally_add(&g->whats, what, 1);
		}
		timeline_add(&g->line, f->t, 1);
	}
}

static void emfile_event(struct model *m, const struct json *e, struct fact *f)
{
	struct site *site = site_of(m, e, f->here, f->t);
	const char *error = json_text(e, "error");
	long long missed = json_number(e, "missed", 0), limit = json_number(e, "limit", -1),
		  open = json_number(e, "open", -1);
	struct group *g;

	f->kind = KIND_EMFILE;
	f->why = error;
	f->call = site->call;
	g = group_put(m, KIND_EMFILE, site, error ? error : "EMFILE", NULL, NULL,
		m->suppress ? suppress_set(m->suppress, f) : 0);
	group_seen(m, g, f);
	g->missed += missed > 0 ? (missed < MANY ? (unsigned long)missed : MANY) : 0;
	g->count += 1 + (missed > 0 ? (missed < MANY ? (unsigned long)missed : MANY) : 0);
	if (limit > g->limit)
		g->limit = (long)limit;
	if (open > g->open)
		g->open = (long)open;
	timeline_add(&g->line, f->t, 1);
}

static void bad_close_event(struct model *m, const struct json *e, struct fact *f)
{
	const struct json *closer = json_get(e, "closer"), *made = json_get(e, "made"),
			  *closed = json_get(e, "closed");
	struct site *site = site_of(m, closer, f->here, f->t);
	const char *why = json_text(e, "kind");
	char number[32];
	struct group *g;

	f->kind = KIND_BAD_CLOSE;
	f->why = why;
	f->call = site->call;
	snprintf(number, sizeof(number), "%lld", json_number(e, "fd", -1));
	g = group_put(m, KIND_BAD_CLOSE, site, why ? why : "?",
		made && made->type == JSON_OBJECT ? site_of(m, made, f->here, f->t) : NULL,
		closed && closed->type == JSON_OBJECT ? site_of(m, closed, f->here, f->t) : NULL,
		m->suppress ? suppress_set(m->suppress, f) : 0);
	group_seen(m, g, f);
	g->count++;
	tally_add(&g->whats, number, 1);
	timeline_add(&g->line, f->t, 1);
}

struct site *model_site(struct model *m, const char *hash, const char *call)
{
	return site_put(m, hash, call);
}

struct spot *model_spot(struct model *m, const char *path, const char *id, uint64_t offset)
{
	return spot_put(m, module_put(m, path, id), offset);
}

struct group *model_group(struct model *m, enum kind kind, struct site *site, const char *why,
	struct site *made, struct site *closed)
{
	return group_new(m, kind, site, why, made, closed, 0);
}

int64_t json_time(const struct json *object, const char *name)
{
	return microseconds(json_get(object, name));
}

static void group_free(struct group *g)
{
	struct tally *tallies[] = {&g->targets, &g->programs, &g->hosts, &g->whats, &g->classes, &g->heirs};

	for (size_t i = 0; i < sizeof(tallies) / sizeof(*tallies); i++)
		tally_free(tallies[i]);
	free(g->fds.at);
	free(g->line);
	free(g->parts);
	free(g->chain);
	free(g->why);
	free(g);
}

/* All that was counted; the call sites and modules are kept: most runs have the same. */
static void model_forget(struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		group_free(m->all[i]);
	m->n = 0;
	table_free(&m->groups);
	process_forget(m);
	tally_free(&m->roots);
	tally_free(&m->hosts);
	tally_free(&m->running);
	tally_free(&m->unwatched);
	free(m->every_run.at);
	free(m->every_host.at);
	m->every_run = m->every_host = (struct distinct){0};
	m->events = m->unknown = m->failed_execs = 0;
	m->processes = m->exits = m->made = m->kept = m->inherited = m->snapshots = 0;
	m->first = m->last = 0;
}

bool model_run(struct model *m, uint64_t mark, int64_t t)
{
	void **seen;

	if (!m->last_run || (m->events && mark == m->run))
		return true;
	seen = table_put(&m->runs, &mark, sizeof(mark));
	if (*seen || (m->events && t < m->run_first))
		return false;
	*seen = m;
	model_forget(m);
	m->run = mark;
	m->run_first = t;
	return true;
}

bool model_looks(const struct json *e, const char **wrong)
{
	if (e->type != JSON_OBJECT || !json_text(e, "ev"))
		*wrong = "not an event";
	else if (json_number(e, "v", -1) != 1)
		*wrong = "not of schema version 1";
	else if (microseconds(json_get(e, "t")) == 0 || json_number(e, "pid", 0) <= 0)
		*wrong = "an event without time or process";
	else
		return true;
	return false;
}

bool model_event(struct model *m, const struct json *e, const char **wrong)
{
	const char *ev = json_text(e, "ev"), *host = json_text(e, "host"),
		   *run = json_text(e, "run"), *program = json_text(e, "prog");
	struct fact f = {.host = host ? host : "?",
		.from = program ? program : "?",
		.t = microseconds(json_get(e, "t")),
		.pid = (long)json_number(e, "pid", 0)};
	bool snapshot;

	if (!model_looks(e, wrong))
		return false;
	if (m->pid && m->pid != f.pid)
		return true;
	if (!model_run(m, run ? text_mark(run, strlen(run)) : 0, f.t))
		return true;
	f.here = !host || strcmp(host, m->host) == 0;
	m->serial++;
	if (m->events++ == 0 || f.t < m->first)
		m->first = f.t;
	if (f.t > m->last)
		m->last = f.t;
	distinct_add(&m->every_host, text_mark(f.host, strlen(f.host)));
	if (run)
		distinct_add(&m->every_run, text_mark(run, strlen(run)));
	tally_add(&m->hosts, f.host, 1);
	process_event(m, e, ev, &f);
	if (strcmp(ev, "exec-leak") == 0 || strcmp(ev, "stopped") == 0 ||
		strcmp(ev, "exec-kept") == 0) {
		exec_event(m, e, &f, ev);
	} else if (strcmp(ev, "start") == 0) {
		start_event(m, e, &f);
	} else if (strcmp(ev, "exit") == 0) {
		long long made = json_number(e, "made", 0);

		m->exits++;
		m->made += made > 0 && made < MANY ? (unsigned long)made : 0;
	} else if (strcmp(ev, "inherited") == 0) {
		inherited_event(m, e, &f);
	} else if (strcmp(ev, "never-closed") == 0) {
		struct site *site = site_of(m, e, f.here, f.t);

		f.call = site->call;
		add_fds(m, KIND_NEVER, site, "", &f, e, false);
	} else if (strcmp(ev, "emfile") == 0) {
		emfile_event(m, e, &f);
	} else if (strcmp(ev, "table") == 0) {
		struct site *site = site_of(m, e, f.here, f.t);
		const char *why = json_text(e, "why");

		snapshot = why && strcmp(why, "snapshot") == 0;
		f.call = site->call;
		add_fds(m, snapshot ? KIND_SNAPSHOT : KIND_HOLDER, site, "", &f, e, false);
	} else if (strcmp(ev, "snapshot") == 0) {
		m->snapshots++;
	} else if (strcmp(ev, "bad-close") == 0) {
		bad_close_event(m, e, &f);
	} else if (strcmp(ev, "exec-failed") != 0 && strcmp(ev, "unwatched") != 0) {
		m->unknown++;
	}
	return true;
}

void model_malformed(struct model *m, const char *file, unsigned long line, const char *why)
{
	struct text t = {0};

	if (m->malformed++ >= MALFORMED)
		return;
	text_format(&t, "%s:%lu: %s", file, line, why);
	m->malformed_at[m->malformed - 1] = t.at;
}

struct model *model_new(void)
{
	static struct utsname name;
	struct model *m = memory(sizeof(*m));

	uname(&name);
	m->host = name.nodename;
	return m;
}

/* -- the end --------------------------------------------------------------------------------- */

static const char *in_root(const struct model *m, const char *path)
{
	const char *best = path;

	for (unsigned i = 0; i < m->roots.n; i++) {
		const char *root = m->roots.at[i].name;
		size_t n = strlen(root);

		if (strncmp(path, root, n) == 0 && path[n] == '/' && path + n > best)
			best = path + n;
	}
	return best;
}

static int by_worst(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (strcmp(x->site->hash, y->site->hash) != 0)
		return strcmp(x->site->hash, y->site->hash);
	return strcmp(x->why, y->why);
}

void model_end(struct model *m)
{
	for (size_t i = 0; i < m->modules.room; i++)
		if (m->modules.at[i].key) {
			struct module *module = m->modules.at[i].value;

			module->shown = in_root(m, module->path);
		}
	tally_sort(&m->hosts);
	/* What is only known by its hash (inherited) may have been told in full since. */
	for (size_t i = 0; i < m->n; i++) {
		struct group *g = m->all[i];
		struct tally *sort[] = {
			&g->targets, &g->programs, &g->hosts, &g->whats, &g->classes, &g->heirs};

		for (size_t k = 0; k < sizeof(sort) / sizeof(*sort); k++)
			tally_sort(sort[k]);
	}
	if (m->n > 1)
		qsort(m->all, m->n, sizeof(*m->all), by_worst);
}

void group_part(struct group *g, struct part p)
{
	for (size_t i = 0; i < g->parts_n; i++) {
		struct part *at = &g->parts[i];

		if (at->site == p.site && at->made == p.made && at->closed == p.closed) {
			at->count += p.count;
			return;
		}
	}
	if ((g->parts_n & (g->parts_n - 1)) == 0)
		g->parts = memory_more(
			g->parts, g->parts_n ? g->parts_n * 2 : 1, sizeof(*g->parts));
	g->parts[g->parts_n++] = p;
}

static struct site *head_of(struct site *s)
{
	return s ? s->head : NULL;
}

static struct part whole(const struct group *g)
{
	return (struct part){head_of(g->site), head_of(g->made), head_of(g->closed), g->count};
}

static void parts_merge(struct group *to, const struct group *from)
{
	struct part a = whole(to), b = whole(from);

	if (to->parts_n == 0 && from->parts_n == 0 && a.site == b.site && a.made == b.made &&
		a.closed == b.closed)
		return;
	if (to->parts_n == 0)
		group_part(to, a);
	if (from->parts_n == 0)
		group_part(to, b);
	for (size_t i = 0; i < from->parts_n; i++)
		group_part(to, from->parts[i]);
}

/* The most that both together had in one table. */
static unsigned long full_merge(struct group *to, const struct group *from)
{
	struct full sums[FULLEST] = {0};
	unsigned long most = to->count > from->count ? to->count : from->count;

	for (int side = 0; side < 2; side++) {
		const struct full *a = side ? from->fullest : to->fullest,
				  *b = side ? to->fullest : from->fullest;

		for (int i = 0; i < FULLEST && a[i].table; i++) {
			unsigned long n = a[i].n;

			for (int k = 0; k < FULLEST; k++)
				if (b[k].table == a[i].table)
					n += b[k].n;
			full_put(sums, a[i].table, n);
			most = n > most ? n : most;
		}
	}
	memcpy(to->fullest, sums, sizeof(sums));
	return most;
}

static void group_merge(struct group *to, struct group *from)
{
	bool table = to->kind == KIND_HOLDER || to->kind == KIND_SNAPSHOT;

	parts_merge(to, from);
	if (to->descriptors || from->descriptors)
		to->descriptors = group_descriptors(to) + group_descriptors(from);
	if (table) {
		unsigned long n = full_merge(to, from);

		if (n > to->count && n > from->count) {
			timeline_merge(&to->line, from->line);
		} else if (from->count > to->count) {
			to->line = from->line;
		}
		to->count = n;
	} else {
		to->count += from->count;
		timeline_merge(&to->line, from->line);
	}
	to->leaked += from->leaked;
	to->stopped += from->stopped;
	to->events += from->events;
	to->missed += from->missed;
	to->limit = to->limit > from->limit ? to->limit : from->limit;
	to->open = to->open > from->open ? to->open : from->open;
	to->first = to->first < from->first ? to->first : from->first;
	to->last = to->last > from->last ? to->last : from->last;
	tally_merge(&to->targets, &from->targets);
	tally_merge(&to->programs, &from->programs);
	tally_merge(&to->hosts, &from->hosts);
	tally_merge(&to->whats, &from->whats);
	tally_merge(&to->classes, &from->classes);
	tally_merge(&to->heirs, &from->heirs);
	distinct_merge(&to->fds, &from->fds);
	if (!to->chain)
		to->chain = from->chain;
}

/* What two addresses of one line have in common; empty where the line is not known. */
static void line_key(struct text *key, const struct site *s)
{
	const struct line *l = site_line(s);
	const struct module *module = s->n > 0 ? site_spot(s)->module : NULL;
	const char *call = s->call ? s->call : "";

	if (s->script && s->script_line) {
		text_format(key, "%s%c%s%c%u", call, 0, s->script, 0, s->script_line);
	} else if (!s->script && l && l->function && l->file && l->line) {
		text_format(key, "%s%c%s%c%s%c%s%c%u", call, 0,
			*module->id ? module->id : module->path, 0, l->function, 0, l->file, 0,
			l->line);
	}
}

static void sites_unite(struct model *m)
{
	struct table lines = {0};

	for (size_t i = 0; i < m->sites.room; i++) {
		struct site *s = m->sites.at[i].key ? m->sites.at[i].value : NULL;

		for (; s; s = s->also) {
			struct text key = {0};
			void **at;

			line_key(&key, s);
			if (key.n) {
				at = table_put(&lines, key.at, key.n);
				if (!*at)
					*at = s;
				s->same = *at;
			}
			text_free(&key);
		}
	}
	table_free(&lines);
}

void model_merge(struct model *m)
{
	struct table seen = {0};
	size_t n = 0;

	sites_unite(m);
	for (size_t i = 0; i < m->n; i++) {
		struct group *g = m->all[i];
		struct {
			struct site *site, *made, *closed;
			enum kind kind;
			bool suppressed;
			char why[32];
		} key;
		void **at;

		memset(&key, 0, sizeof(key));
		key.site = g->site->head->same;
		key.made = g->made ? g->made->head->same : NULL;
		key.closed = g->closed ? g->closed->head->same : NULL;
		key.kind = g->kind;
		key.suppressed = g->suppressed != NULL;
		strncat(key.why, g->why, sizeof(key.why) - 1);
		at = table_put(&seen, &key, sizeof(key));
		if (*at) {
			group_merge(*at, g);
		} else {
			*at = g;
			m->all[n++] = g;
		}
	}
	m->n = n;
	table_free(&seen);
	model_end(m);
}
