/* SPDX-License-Identifier: ISC
 *
 * The environment of the next program: what is ours in it is put back however the caller's was edited,
 * and what the next libjail has to know goes along as notes. */
#include "exec.h"
#include "../../carry.h"
#include "../../config.h"
#include "../../env.h"
#include "../../report.h"
#include "../../source.h"

/* The text written since at is an entry of the environment; what does not fit stays not fitting. */
static void env_done(struct made *m, char *at)
{
	if (m->s.at && ++m->s.at == m->s.end)
		m->s.at = NULL;
	if (m->s.at)
		m->envp[m->n++] = at;
}

static void env_put(struct made *m, const char *name, const char *value)
{
	char *at = m->s.at;

	if (!value || !at)
		return;
	str_puts(&m->s, name);
	str_puts(&m->s, "=");
	str_puts(&m->s, value);
	env_done(m, at);
}

bool env_unlistable(const char *path)
{
	return mem_find(path, ' ') || mem_find(path, ':') || mem_find(path, '\n') ||
	       mem_find(path, '\t') || mem_find(path, '$');
}

/* list without our own entry; NULL when nothing is left.  out has room for list. */
static const char *without_ours(const char *list, const char *ours, char *out, size_t n)
{
	struct str s = {out, out + n};
	const char *e;

	*out = '\0';
	for (; list && *list; list = *e ? e + 1 : e) {
		for (e = list; *e && *e != ':' && *e != ' '; e++)
			;
		if (e == list || (ours && strlen(ours) == (size_t)(e - list) &&
					 memcmp(ours, list, (size_t)(e - list)) == 0))
			continue;
		if (s.at != out)
			str_puts(&s, ":");
		str_put(&s, list, (size_t)(e - list));
	}
	return s.at && *out ? out : NULL;
}

static void put_escaped(struct str *s, const char *path)
{
	for (; *path; path++) {
		if (*path == '\n') {
			str_puts(s, "\\n");
			continue;
		}
		if (*path == ',' || *path == ':' || *path == '\\')
			str_puts(s, "\\");
		str_put(s, path, 1);
	}
}

void env_put_prefixed(struct str *s, const char *start, const char *prefix, const char *list)
{
	const char *e;

	for (; list && *list; list = *e ? e + 1 : e) {
		for (e = list; *e && *e != ':' && *e != ' ' && *e != '\n'; e++)
			;
		if (e == list)
			continue;
		if (s->at != start)
			str_puts(s, ":");
		if (*list == '/')
			str_puts(s, prefix);
		str_put(s, list, (size_t)(e - list));
	}
}

size_t env_room_prefixed(const char *prefix, const char *list)
{
	size_t n = 2, len = list ? strlen(list) : 0;

	for (size_t i = 0; i < len; i++)
		n += list[i] == ':' || list[i] == ' ' || list[i] == '\n';
	return len + n * (strlen(prefix) + 1) + 1;
}

size_t env_room(const struct exec_call *c)
{
	const struct config *f = config();
	const struct view *v = c->view;
	size_t room = 4 * c->ours + c->longest + 2 * PATH_MAX + 4096 + 3 * CARRY_NOTE;

#define X(name, field, what) room += sizeof(name) + 2 + (f->field ? strlen(f->field) : 0);
	CONFIG_VARS(X)
	CONFIG_NOTES(X)
#undef X
	room += 2 * (strlen(f->lib) + strlen(f->audit));
	if (!v)
		return room;
	room += v->host_len + env_room_prefixed(v->host, env_get(c->envp, "LD_PRELOAD"));
	for (size_t i = 0; i < v->nbinds; i++)
		room += 2 * (v->binds[i].host_len + v->binds[i].guest_len) + 4 +
			(size_t)(v->binds[i].nhidden + 8) * 21;
	return room;
}

void env_make(struct made *m, const struct view *v, char *const envp[], const struct extra *x)
{
	const struct config *c = config();
	const char *preload = env_get(envp, "LD_PRELOAD"), *audit = env_get(envp, "LD_AUDIT");
	const size_t plen = preload ? strlen(preload) + 1 : 1;
	const char *carry = c->note_carry;
	char found[CARRY_NOTE], *at;
	bool traced;

	if ((size_t)(m->s.end - m->s.at) <= plen) {
		m->s.at = NULL;
		return;
	}
	/* the list without our own entry lies in front of all else */
	preload = without_ours(preload, c->note_lib, m->s.at, plen);
	m->s.at += plen;
	if (v && preload && !carry && (!c->root || c->note_launch)) { /* a program of the host enters a root */
		carry_find(preload, found);
		carry = found;
	}
	/* ldd(1): the program does not run, and is to be listed as it is without us */
	traced = v && !x->musl && env_get(envp, "LD_TRACE_LOADED_OBJECTS");
	for (; envp && *envp; envp++)
		if (!env_ours(*envp) && !mem_after(*envp, "LD_PRELOAD=") &&
			!(v && mem_after(*envp, "LD_AUDIT=")))
			m->envp[m->n++] = *envp;

	at = m->s.at;
	if (!x->lib) { /* came by /etc/ld.so.preload */
		env_put(m, "LD_PRELOAD", preload);
		goto settings;
	}
	str_puts(&m->s, "LD_PRELOAD=");
	if (preload && v && (x->musl || (carry && *carry)))
		m->error = carry_put(&m->s, v, preload, carry, x->interp, x->musl, carry == found);
	else if (preload)
		str_puts(&m->s, preload);
	if (preload && !traced)
		str_puts(&m->s, ":");
	if (!traced)
		str_puts(&m->s, x->lib);
	env_done(m, at);
settings:
#define X(name, field, what)                                                               \
	if (!mem_equal(name, "LIBJAIL_ROOT") && !mem_equal(name, "LIBJAIL_BIND") &&        \
		!mem_equal(name, "LIBJAIL_LIB"))                                           \
		env_put(m, name, c->field);
	CONFIG_VARS(X)
#undef X
	if (x->lib != c->note_lib || c->lib_word)
		env_put(m, "LIBJAIL_LIB", c->lib);
	if (x->trace)
		m->envp[m->n++] = x->trace;
	env_put(m, "LIBJAIL_0_FD", x->fds);
	if (UNLIKELY(source_fd >= 0)) {
		at = m->s.at;
		str_puts(&m->s, "LIBJAIL_0_NAMES=");
		str_num(&m->s, (unsigned)source_fd);
		env_done(m, at);
	}
	if (!v) {
		env_put(m, "LIBJAIL_BIND", c->bind);
		m->envp[m->n] = NULL;
		return;
	}

	if (!x->musl) {
		at = m->s.at;
		str_puts(&m->s, "LD_AUDIT=");
		if (audit) {
			str_puts(&m->s, audit);
			str_puts(&m->s, ":");
		}
		str_puts(&m->s, x->audit);
		env_done(m, at);
	}
	env_put(m, "LIBJAIL_ROOT", v->host_len ? v->host : "/");
	at = m->s.at;
	str_puts(&m->s, "LIBJAIL_BIND=none");
	for (size_t i = 0; i < v->nbinds; i++) {
		str_puts(&m->s, ",");
		put_escaped(&m->s, v->binds[i].host);
		str_puts(&m->s, ":");
		put_escaped(&m->s, v->binds[i].guest);
	}
	env_done(m, at);
	m->envp[m->n] = NULL;
	if (x->eager && !env_get(m->envp, "LD_BIND_NOW")) {
		env_put(m, "LD_BIND_NOW", "1");
		env_put(m, "LIBJAIL_0_LAZY", "1");
	}
	at = m->s.at;
	str_puts(&m->s, "LIBJAIL_0_VIEW=");
	view_note_put(v, &m->s);
	env_done(m, at);
	env_put(m, "LIBJAIL_0_ARGV0", x->argv0);
	if (x->by_fd) {
		at = m->s.at;
		str_puts(&m->s, "LIBJAIL_0_FN=");
		str_puts(&m->s, x->fn);
		str_puts(&m->s, "/");
		env_done(m, at);
	} else {
		env_put(m, "LIBJAIL_0_FN", x->fn);
	}
	env_put(m, "LIBJAIL_0_EXE", x->exe);
	env_put(m, "LIBJAIL_0_LIB", x->lib);
	env_put(m, "LIBJAIL_0_PRELOAD", preload);
	env_put(m, "LIBJAIL_0_CARRY", carry && *carry ? carry : NULL);
	env_put(m, "LIBJAIL_0_AUDIT", audit);
	m->envp[m->n] = NULL;
}

bool env_complete(char *const envp[])
{
	const struct config *c = config();
	const char *list = env_get(envp, "LD_PRELOAD"), *e, *value;
	bool found = false;

	if (report_noted || report_launching() || source_fd >= 0)
		return false; /* the next program is to know the run, and whose descriptors it inherits */
	if (!c->note_lib)
		return true; /* came by /etc/ld.so.preload: nobody can take it away */
	for (; list && *list && !found; list = *e ? e + 1 : e) {
		for (e = list; *e && *e != ':' && *e != ' '; e++)
			;
		found = strlen(c->note_lib) == (size_t)(e - list) &&
			memcmp(c->note_lib, list, (size_t)(e - list)) == 0;
	}
	if (!found)
		return false;
#define X(name, field, what)                                                             \
	value = env_get(envp, name);                                                     \
	if ((c->field != NULL) != (value != NULL) || (value && !mem_equal(value, c->field))) \
		return false;
	CONFIG_VARS(X)
#undef X
	return true;
}
