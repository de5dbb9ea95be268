/* SPDX-License-Identifier: ISC
 *
 * wordexp(3) in a root.  glibc expands words by itself, with the host's files, the host's shell for
 * commands, and NSS for ~user; so all of it is here, and like glibc's (posix/wordexp.c) to the oddest
 * answer: an empty value between quotes that begins a word is WRDE_NOSPACE, what an expansion gave is
 * a pattern only where the word has a pattern's character besides, and so on.  musl leaves it to the
 * shell, which is the guest's then. */
#include <fnmatch.h>
#include "process.h"
#include "../config.h"
#include "../env.h"
#include "../source.h"
#include "../state.h"
#include "../sys.h"

/* -- text that grows --------------------------------------------------------------------------- */

/* at NULL: no word has begun, which is not the same as an empty one.  Bytes do not count the NUL. */
struct text {
	char *at;
	size_t n, room;
};

/* WRDE_NOSPACE when there is no word afterwards: nothing added to nothing, too. */
static int text_add(struct text *t, const char *s, size_t n)
{
	if (t->n + n > t->room) {
		const size_t room = t->room + (n > 50 ? 2 * n : 100);
		char *more = HEAP(realloc, void *, (void *, size_t))(t->at, room + 1);

		if (!more)
			return WRDE_NOSPACE;
		t->at = more;
		t->room = room;
	}
	if (!t->at)
		return WRDE_NOSPACE;
	memcpy(t->at + t->n, s, n);
	t->n += n;
	t->at[t->n] = '\0';
	return 0;
}

static int text_char(struct text *t, char c)
{
	return text_add(t, &c, 1);
}

static int text_string(struct text *t, const char *s)
{
	return text_add(t, s, strlen(s));
}

static int text_number(struct text *t, unsigned long n)
{
	char digits[24];
	struct str s = {digits, digits + sizeof digits};

	str_num(&s, n);
	return text_string(t, digits);
}

static void text_free(struct text *t)
{
	HEAP(free, void, (void *))(t->at);
	*t = (struct text){0};
}

/* The word t, which is none afterwards, to the end of the list. */
static int list_add(wordexp_t *we, struct text *t)
{
	const size_t at = we->we_offs + we->we_wordc;
	char *word = t->at ? t->at : HEAP(calloc, void *, (size_t, size_t))(1, 1);
	char **v = word ? HEAP(realloc, void *, (void *, size_t))(we->we_wordv, (at + 2) * sizeof *v) : NULL;

	if (!v) {
		if (word != t->at)
			HEAP(free, void, (void *))(word);
		return WRDE_NOSPACE;
	}
	v[at] = word;
	v[at + 1] = NULL;
	we->we_wordv = v;
	we->we_wordc++;
	*t = (struct text){0};
	return 0;
}

static void list_free(wordexp_t *we)
{
	if (!we->we_wordv)
		return;
	for (size_t i = we->we_offs; we->we_wordv[i]; i++)
		HEAP(free, void, (void *))(we->we_wordv[i]);
	HEAP(free, void, (void *))(we->we_wordv);
	we->we_wordv = NULL;
}

/* -- the parts of a word ----------------------------------------------------------------------- */

/* in is the text that is read, at where: each function begins at the first character that is its own,
 * or right behind the one that told, and leaves `at` on the last that it has used.  list: where words go
 * that are complete; NULL: nothing is split here. */
struct input {
	const char *in;
	size_t at;
	int flags;
	const char *ifs;
	char white[4]; /* what of ifs is white space */
};

static bool is_in(const char *set, char c)
{
	return c && mem_find(set, c);
}

static bool is_ifs(const struct input *x, char c)
{
	return is_in(x->ifs, c);
}

static bool is_white(const struct input *x, char c)
{
	return is_in(x->white, c);
}

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int dollar(struct input *x, struct text *t, wordexp_t *list, bool quoted);
static int backtick(struct input *x, struct text *t, wordexp_t *list);

static int backslash(struct input *x, struct text *t, bool quoted)
{
	const char c = x->in[++x->at];

	if (!c) {
		x->at--;
		return WRDE_SYNTAX;
	}
	if (c == '\n')
		return 0;
	if (quoted && !is_in("$`\"\\", c) && text_char(t, '\\'))
		return WRDE_NOSPACE;
	return text_char(t, c);
}

/* At a tilde; wordc words are complete. */
static int tilde(struct input *x, struct text *t, size_t wordc)
{
	const char *user = x->in + x->at + 1;
	const char last = t->n ? t->at[t->n - 1] : '\0';
	char home[PATH_MAX], name[256];
	size_t n = 0;
	long r;

	if (t->n && (wordc || !(last == '=' || (last == ':' && is_in(t->at, '=')))))
		return text_char(t, '~');
	for (; user[n] && !is_in(":/ \t", user[n]); n++)
		if (user[n] == '\\')
			return text_char(t, '~');
	if (!n) {
		const char *env = env_get(config_environ(), "HOME");

		if (env)
			return text_string(t, env);
		r = source_home(NULL, (uid_t)sys_call(SYS_getuid), home, sizeof home);
		return r > 0 && r <= (long)sizeof home ? text_string(t, home) : text_char(t, '~');
	}
	x->at += n;
	r = -ENOENT;
	if (n < sizeof name) { /* a longer one is nobody's */
		memcpy(name, user, n);
		name[n] = '\0';
		r = source_home(name, 0, home, sizeof home);
	}
	if (r > 0 && r <= (long)sizeof home)
		return text_string(t, home);
	return text_char(t, '~') || text_add(t, user, n) ? WRDE_NOSPACE : 0;
}

/* What one word, or a field of it, matches. */
static int matches(struct input *x, const char *pattern, struct text *t, wordexp_t *list)
{
	glob_t g;
	int r = 0;

	memset(&g, 0, sizeof g);
	if (jail_glob(pattern, GLOB_NOCHECK, NULL, &g) != 0)
		return WRDE_NOSPACE;
	if (*x->ifs)
		text_free(t);
	for (size_t i = 0; i < g.gl_pathc && r == 0; i++) {
		if (!*x->ifs) { /* no words to split: one for all */
			r = i ? text_char(t, ' ') : 0;
			r = r ? r : text_string(t, g.gl_pathv[i]);
			continue;
		}
		r = *g.gl_pathv[i] ? text_string(t, g.gl_pathv[i]) : 0;
		r = r ? r : list_add(list, t);
	}
	LIBC(globfree, void, (glob_t *))(&g);
	return r;
}

/* At one of *?[ outside of quotes: the rest of the word is a pattern, in which quotes protect nothing
 * but $ and the end of the word. */
static int pattern(struct input *x, struct text *t, wordexp_t *list)
{
	wordexp_t fields = {0};
	char quote = '\0';
	int r = 0;

	for (; x->in[x->at] && !is_ifs(x, x->in[x->at]) && r == 0; x->at++) {
		const char c = x->in[x->at];

		if ((c == '\'' || c == '"') && (!quote || quote == c))
			quote = quote ? '\0' : c;
		else if (c == '$' && quote != '\'')
			r = dollar(x, t, &fields, quote == '"');
		else if (c == '\\')
			r = backslash(x, t, quote);
		else
			r = text_char(t, c);
	}
	x->at--;
	if (r == 0)
		r = list_add(&fields, t);
	for (size_t i = 0; r == 0 && i < fields.we_wordc; i++)
		r = matches(x, fields.we_wordv[i], t, list);
	list_free(&fields);
	return r;
}

static int single_quotes(struct input *x, struct text *t)
{
	for (; x->in[x->at] != '\''; x->at++)
		if (!x->in[x->at] || text_char(t, x->in[x->at]))
			return x->in[x->at] ? WRDE_NOSPACE : WRDE_SYNTAX;
	return 0;
}

static int double_quotes(struct input *x, struct text *t, wordexp_t *list)
{
	int r = 0;

	for (; x->in[x->at] != '"' && r == 0; x->at++)
		switch (x->in[x->at]) {
		case '\0':
			return WRDE_SYNTAX;
		case '$':
			r = dollar(x, t, list, true);
			break;
		case '`':
			x->at++;
			r = backtick(x, t, NULL);
			break;
		case '\\':
			r = backslash(x, t, true);
			break;
		default:
			r = text_char(t, x->in[x->at]);
		}
	return r;
}

/* -- arithmetic: + - * / ( ) and numbers -------------------------------------------------------- */

static int sum(char *e, long *ret);

static int number(char **e, long *ret)
{
	long (*parse)(const char *, char **, int) = LIBC(strtol, long, (const char *, char **, int));
	char *p = *e;

	while (is_space(*p))
		p++;
	if (*p == '(') { /* to the first that closes */
		p++;
		while (**e && **e != ')')
			++*e;
		if (!**e || !parse)
			return WRDE_SYNTAX;
		*(*e)++ = '\0';
		return sum(p, ret);
	}
	*ret = parse ? parse(p, e, 0) : 0;
	return *e == p ? WRDE_SYNTAX : 0;
}

static int product(char **e, long *ret)
{
	long by;

	if (number(e, ret))
		return WRDE_SYNTAX;
	for (;;) {
		char op;

		while (is_space(**e))
			++*e;
		op = **e;
		if (op != '*' && op != '/')
			return 0;
		++*e;
		if (number(e, &by) || (op == '/' && (!by || (by == -1 && *ret == LONG_MIN))))
			return WRDE_SYNTAX;
		*ret = op == '*' ? (long)((unsigned long)*ret * (unsigned long)by) : *ret / by;
	}
}

static int sum(char *e, long *ret)
{
	long more;

	if (product(&e, ret))
		return WRDE_SYNTAX;
	for (;;) {
		char op;

		while (is_space(*e))
			e++;
		op = *e;
		if (op != '+' && op != '-')
			return 0; /* and what follows is not looked at */
		e++;
		if (product(&e, &more))
			return WRDE_SYNTAX;
		*ret = (long)(op == '+' ? (unsigned long)*ret + (unsigned long)more
					: (unsigned long)*ret - (unsigned long)more);
	}
}

static int arithmetic_end(struct text *e, struct text *t, bool bracket)
{
	long n = 0;
	int r = e->at && *e->at ? sum(e->at, &n) : 0;

	text_free(e);
	if (r)
		return r;
	if (bracket || n >= 0) /* glibc prints what stands in brackets as unsigned */
		return text_number(t, (unsigned long)n);
	return text_char(t, '-') || text_number(t, 0 - (unsigned long)n) ? WRDE_NOSPACE : 0;
}

/* Behind "$((" or "$[". */
static int arithmetic(struct input *x, struct text *t, bool bracket)
{
	struct text e = {0};
	int depth = 1, r = 0;

	for (; x->in[x->at] && r == 0; x->at++) {
		const char c = x->in[x->at];

		if (c == '$') {
			r = dollar(x, &e, NULL, true);
		} else if (c == '`') {
			x->at++;
			r = backtick(x, &e, NULL);
		} else if (c == '\\') {
			r = backslash(x, &e, true);
		} else if (c == ')' && --depth == 0) {
			r = bracket || x->in[x->at + 1] != ')' ? WRDE_SYNTAX : 0;
			if (r)
				break;
			x->at++;
			return arithmetic_end(&e, t, false);
		} else if (c == ']') {
			if (bracket && depth == 1)
				return arithmetic_end(&e, t, true);
			r = WRDE_SYNTAX;
		} else if (is_in("\n;{}", c)) {
			r = WRDE_BADCHAR;
		} else {
			depth += c == '(';
			r = text_char(&e, c);
		}
	}
	text_free(&e);
	return r ? r : WRDE_SYNTAX;
}

/* -- commands ------------------------------------------------------------------------------------ */

/* Runs the guest's shell: its status, or -1 when there is none.  ret: what it printed. */
static int shell(char *const argv[], bool quiet, struct text *ret)
{
	char *const *env = config_environ();
	struct {
		size_t used, room;
		struct spawn_action at[2];
	} actions = {0, 2, {{.what = SPAWN_DUP2, .to = 1},
		{.what = SPAWN_OPEN, .fd = 2, .path = (char[]){"/dev/null"}, .flags = O_WRONLY}}};
	size_t n = 0, k = 0;
	int fds[2] = {-1, -1}, status = 0;
	bool lost = false;
	char **without;
	long pid = -ENOMEM, r;

	_Static_assert(offsetof(struct spawn_list, at) == 2 * sizeof(size_t), "a list's head");
	if (sys_call(SYS_pipe2, fds, O_CLOEXEC) < 0)
		return -1;
	while (env && env[n])
		n++;
	without = HEAP(malloc, void *, (size_t))((n + 1) * sizeof *without);
	actions.at[0].fd = fds[1];
	actions.used = quiet ? 2 : 1;
	if (without) {
		for (size_t i = 0; i < n; i++) /* it does not split for us */
			if (config()->musl || !mem_after(env[i], "IFS="))
				without[k++] = env[i];
		without[k] = NULL;
		pid = spawn_run(&(const struct spawn){.file = "/bin/sh", .argv = argv, .envp = without,
			.actions = (const struct spawn_list *)&actions});
		HEAP(free, void, (void *))(without);
	}
	sys_close(fds[1]);
	while (pid > 0 && ret) {
		char buf[1024];

		r = sys_read(fds[0], buf, sizeof buf);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			break;
		lost = lost || text_add(ret, buf, (size_t)r);
	}
	sys_close(fds[0]);
	while (pid > 0 && sys_call(SYS_wait4, pid, &status, 0, NULL) == -EINTR)
		;
	return pid > 0 && !lost ? status : -1;
}

/* What a command printed, without the newlines at its end, to t: in fields, where there is a list. */
static int command_fields(struct input *x, const struct text *got, struct text *t, wordexp_t *list)
{
	enum { BEFORE, FIELD, BEHIND, NEWLINES } state = BEFORE;
	size_t newlines = list ? 0 : got->n; /* at most so many are of this command */
	int r = 0;

	if (!list)
		r = got->n ? text_add(t, got->at, got->n) : 0;
	for (size_t i = 0; list && i < got->n && r == 0; i++) {
		const char c = got->at[i];
		bool ends = false;

		if (!is_ifs(x, c)) {
			if (state == NEWLINES)
				r = list_add(list, t);
			state = FIELD;
			newlines = c == '\n' ? newlines + 1 : 0;
			r = r ? r : text_char(t, c);
		} else if (!is_white(x, c)) {
			ends = state != BEHIND;
			state = BEFORE;
		} else if (c == '\n') {
			state = state == FIELD ? NEWLINES : state;
		} else if (state == FIELD || state == NEWLINES) {
			state = BEHIND;
			ends = true;
		}
		if (ends) {
			r = list_add(list, t);
			newlines = 0;
		}
	}
	while (r == 0 && newlines-- && t->n && t->at[t->n - 1] == '\n')
		t->at[--t->n] = '\0';
	if (r == 0 && !t->n)
		text_free(t);
	return r;
}

static int command(struct input *x, const char *script, struct text *t, wordexp_t *list)
{
	char name[] = "/bin/sh", run[] = "-c", check[] = "-nc";
	char *argv[] = {name, run, (char *)(uintptr_t)script, NULL};
	struct text got = {0};
	int r, status;

	if (x->flags & WRDE_NOCMD)
		return WRDE_CMDSUB;
	if (!script || !*script)
		return 0;
	status = shell(argv, !(x->flags & WRDE_SHOWERR), &got);
	r = status < 0 ? WRDE_NOSPACE : command_fields(x, &got, t, list);
	text_free(&got);
	if (r == 0 && status) { /* was it the script's syntax? */
		argv[1] = check;
		status = shell(argv, true, NULL);
		r = status < 0 ? WRDE_NOSPACE : status ? WRDE_SYNTAX : 0;
	}
	return r;
}

/* Behind "$(". */
static int parentheses(struct input *x, struct text *t, wordexp_t *list)
{
	struct text script = {0};
	char quote = '\0';
	int depth = 1, r = 0;

	for (; x->in[x->at] && r == 0; x->at++) {
		const char c = x->in[x->at];

		if ((c == '\'' || c == '"') && (!quote || quote == c))
			quote = quote ? '\0' : c;
		else if (c == '(' && !quote)
			depth++;
		else if (c == ')' && !quote && --depth == 0) {
			r = script.at ? command(x, script.at, t, list) : 0;
			text_free(&script);
			return r;
		}
		r = text_char(&script, c);
	}
	text_free(&script);
	return r ? r : WRDE_SYNTAX;
}

/* Behind "`". */
static int backtick(struct input *x, struct text *t, wordexp_t *list)
{
	struct text script = {0};
	bool single = false;
	int r = 0;

	for (; x->in[x->at] && r == 0; x->at++) {
		const char c = x->in[x->at];

		if (c == '`') {
			r = command(x, script.at, t, list);
			text_free(&script);
			return r;
		}
		single ^= c == '\'';
		r = c == '\\' ? backslash(x, &script, single) : text_char(&script, c);
	}
	text_free(&script);
	return r ? r : WRDE_SYNTAX;
}

/* -- parameters ------------------------------------------------------------------------------------ */

struct parameter {
	struct text name, word; /* the word behind the action, not yet expanded */
	char action;            /* one of -=?+, # or % for the shortest, L or R for the longest match */
	bool brace, colon, hash, special;
};

/* The program's arguments, which $1 and the like are here. */
static char **program_args(size_t *ret_n)
{
	static char *none[] = {NULL};
	char ***argv = (char ***)(uintptr_t)LIBC(_dl_argv, void, (void));
	char **args = argv && *argv ? *argv : none;

	for (*ret_n = 0; args[*ret_n]; ++*ret_n)
		;
	return args;
}

/* The word between an action and the brace that closes. */
static int parameter_word(struct input *x, struct text *word)
{
	char quote = '\0';
	int depth = 0, r = 0;

	for (; x->in[x->at] && r == 0; x->at++) {
		char c = x->in[x->at];

		if (c == '{' && !quote) {
			depth++;
		} else if (c == '}' && !quote) {
			if (depth-- == 0)
				return 0;
		} else if (c == '\\' && !quote) {
			c = x->in[++x->at];
			if (!c)
				return WRDE_SYNTAX;
			r = text_char(word, '\\');
		} else if ((c == '\'' || c == '"') && (!quote || quote == c)) {
			quote = quote ? '\0' : c;
		}
		r = r ? r : text_char(word, c);
	}
	x->at--;
	return r ? r : x->in[x->at] == '}' ? 0 : WRDE_SYNTAX; /* "${X:-{a}" is content with the one brace */
}

/* Behind "$".  *ret_lone: there is no parameter, the dollar is one. */
static int parameter_read(struct input *x, struct parameter *p, bool *ret_lone)
{
	const size_t start = x->at;
	int r = 0;

	p->brace = x->in[x->at] == '{';
	x->at += p->brace;
	*ret_lone = false;
	if (x->in[x->at] == '#') {
		p->hash = true;
		if (!p->brace)
			return 0;
		x->at++;
	}
	if (is_name(x->in[x->at], true)) {
		for (; is_name(x->in[x->at], false) && r == 0; x->at++)
			r = text_char(&p->name, x->in[x->at]);
	} else if (is_digit(x->in[x->at])) {
		p->special = true;
		if (!p->brace)
			return text_char(&p->name, x->in[x->at]);
		for (; is_digit(x->in[x->at]) && r == 0; x->at++)
			r = text_char(&p->name, x->in[x->at]);
	} else if (x->in[x->at] && is_in("*@$", x->in[x->at])) {
		p->special = true;
		r = text_char(&p->name, x->in[x->at++]);
	} else if (p->brace) {
		return WRDE_SYNTAX;
	}
	if (r)
		return r;
	if (!p->brace) {
		x->at--; /* what ended it is read again */
		*ret_lone = !p->name.at;
		if (*ret_lone)
			x->at = start - 1;
		return 0;
	}
	p->action = x->in[x->at];
	switch (p->action) {
	case '}':
		p->action = '\0';
		return 0;
	case '#':
	case '%':
		if (x->in[x->at + 1] == p->action) {
			p->action = p->action == '#' ? 'L' : 'R';
			x->at++;
		}
		break;
	case ':':
		p->colon = true;
		p->action = x->in[++x->at];
		break;
	}
	if (!p->action || !is_in(p->colon ? "-=?+" : "-=?+#%LR", p->action))
		return WRDE_SYNTAX;
	x->at++;
	return parameter_word(x, &p->word);
}

/* The word behind an action, expanded in place: quotes become backslashes, for it may be a pattern. */
static int parameter_expand(struct input *x, struct text *word)
{
	struct text out = {0};
	struct input y = *x;
	char quote = '\0';
	int r = 0;

	y.in = word->at ? word->at : "";
	for (y.at = 0; y.in[y.at] && r == 0; y.at++) {
		const char c = y.in[y.at];

		if ((c == '\'' || c == '"') && (!quote || quote == c)) {
			quote = quote ? '\0' : c;
		} else if (c == '$') {
			r = dollar(&y, &out, NULL, true);
		} else if (c == '~' && !quote && !out.n) {
			r = tilde(&y, &out, 0);
		} else {
			if (c == '\\' || (quote && (c == '*' || c == '?')))
				r = text_char(&out, '\\');
			y.at += c == '\\';
			r = r ? r : text_char(&out, y.in[y.at]);
		}
	}
	text_free(word);
	*word = out;
	return r;
}

/* value without the shortest or longest part, at the left or the right, that the pattern matches. */
static int parameter_cut(struct text *value, const char *pattern, char how)
{
	int (*match)(const char *, const char *, int) = LIBC(fnmatch, int, (const char *, const char *, int));
	const bool left = how == '#' || how == 'L', up = how == '#' || how == 'R';

	for (size_t k = 0; match && value->at && pattern && *pattern && k <= value->n; k++) {
		const size_t at = up ? k : value->n - k;
		const char c = value->at[at];
		int r;

		if (left)
			value->at[at] = '\0';
		r = match(pattern, left ? value->at : value->at + at, 0);
		value->at[at] = c;
		if (r == FNM_NOMATCH)
			continue;
		if (left)
			memmove(value->at, value->at + at, value->n - at + 1);
		value->n = left ? value->n - at : at;
		value->at[value->n] = '\0';
		break;
	}
	return 0;
}

/* A value to t, in fields. */
static int parameter_split(struct input *x, const char *value, struct text *t, wordexp_t *list)
{
	const char *p = value;
	bool separated = false;
	int r;

	do {
		const char *end;

		if (p != value) {
			r = list_add(list, t);
			if (r)
				return r;
		}
		while (is_white(x, *p))
			p++;
		if (!separated && !*p)
			break;
		for (end = p; *end && !is_ifs(x, *end); end++)
			;
		r = text_add(t, p, (size_t)(end - p));
		if (r && end != p)
			return r;
		for (p = end; is_white(x, *p); p++)
			;
		separated = is_ifs(x, *p);
		p += separated;
	} while (separated || *p);
	return 0;
}

/* What the parameter is, before any action: value->at NULL when it is not set.  The words of "$@" but
 * the last go to the list at once. */
static int parameter_value(struct parameter *p, struct text *value, struct text *t, wordexp_t *list, bool quoted)
{
	size_t argc;
	char **argv = program_args(&argc);
	const char *name = p->name.at, *found = NULL;
	int r = 0;

	if (!name) { /* $# */
		p->hash = false;
		return text_number(value, argc ? argc - 1 : 0);
	}
	if (is_digit(*name)) {
		size_t n = 0;

		for (; is_digit(*name) && n < 1000000; name++)
			n = 10 * n + (size_t)(*name - '0');
		found = n < argc ? argv[n] : NULL;
	} else if (p->special && *name == '$') {
		return text_number(value, (unsigned long)sys_getpid());
	} else if (p->special && (*name == '*' || !quoted)) {
		r = text_add(value, " ", 1);
		if (r)
			return r;
		value->at[value->n = 0] = '\0';
		for (size_t i = 1; i < argc && r == 0; i++) {
			r = i > 1 ? text_char(value, ' ') : 0;
			r = r ? r : text_string(value, argv[i]);
		}
		return r;
	} else if (p->special) { /* "$@" */
		for (size_t i = 1; i + 1 < argc && r == 0; i++) {
			r = *argv[i] || i == 1 ? text_string(t, argv[i]) : 0;
			r = r ? r : list ? list_add(list, t) : WRDE_NOSPACE;
		}
		if (r || argc < 2)
			return r;
		found = argv[argc - 1];
	} else {
		found = env_get(config_environ(), name);
	}
	if (!found)
		return 0;
	if (*found)
		return text_string(value, found);
	r = text_char(value, ' '); /* an empty one is a value, too */
	if (r == 0)
		value->at[value->n = 0] = '\0';
	return r;
}

/* The action: WRDE_..., 0, or -1 when nothing is to be substituted. */
static int parameter_act(struct input *x, struct parameter *p, struct text *value)
{
	int (*set)(const char *, const char *, int) = LIBC(setenv, int, (const char *, const char *, int));
	const bool null = !value->at || !*value->at, lacks = !value->at || (null && p->colon);
	int r = 0;

	if (is_in("#L%R", p->action) || (p->action == '+' ? !lacks : lacks))
		r = parameter_expand(x, &p->word);
	if (r)
		return r;
	switch (p->action) {
	case '?':
		if (!null)
			return 0;
		if (lacks) {
			struct text say = {0};

			if (!text_string(&say, p->name.at) && !text_string(&say, ": ") &&
				!text_string(&say, p->word.at ? p->word.at : "parameter null or not set") &&
				!text_char(&say, '\n'))
				sys_write(2, say.at, say.n);
			text_free(&say);
		}
		return -1;
	case '+':
		if (lacks)
			return -1;
		break;
	case '-':
	case '=':
		if (!null)
			return 0;
		if (!lacks)
			return -1;
		break;
	default:
		return parameter_cut(value, p->word.at, p->action);
	}
	text_free(value);
	*value = p->word;
	p->word = (struct text){0};
	if (p->action == '=' && set)
		set(p->name.at, value->at ? value->at : "", 1);
	return 0;
}

/* Behind "$". */
static int parameter(struct input *x, struct text *t, wordexp_t *list, bool quoted)
{
	struct parameter p = {.action = '\0'};
	struct text value = {0};
	bool lone;
	int r = parameter_read(x, &p, &lone);

	if (r == 0 && lone)
		r = text_char(t, '$');
	else if (r == 0) {
		const bool args = p.special && (*p.name.at == '*' || *p.name.at == '@');
		size_t argc;

		if (args && p.hash) { /* ${#@} */
			(void)program_args(&argc);
			r = text_number(t, argc ? argc - 1 : 0);
			goto out;
		}
		r = parameter_value(&p, &value, t, list, quoted);
		if (r == 0 && args && *p.name.at == '@' && quoted && (program_args(&argc), argc < 2))
			goto out;
		if (r == 0 && !value.at && x->flags & WRDE_UNDEF)
			r = WRDE_BADVAL;
		if (r == 0 && p.action)
			r = parameter_act(x, &p, &value);
		if (r == 0 && p.hash)
			r = text_number(t, value.n);
		else if (r == 0 && value.at)
			r = quoted || !list ? text_add(t, value.at, value.n) : parameter_split(x, value.at, t, list);
	}
out:
	text_free(&p.name);
	text_free(&p.word);
	text_free(&value);
	return r < 0 ? 0 : r;
}

/* At "$". */
static int dollar(struct input *x, struct text *t, wordexp_t *list, bool quoted)
{
	const char *in = x->in + x->at;

	switch (in[1]) {
	case '"':
	case '\'':
	case '\0':
		return text_char(t, '$');
	case '(':
		if (in[2] == '(') { /* $((1+3)), or $((echo);(ls)) */
			const char *c = in + 3;

			for (int depth = 0; *c && (depth || *c != ')'); c++)
				depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
			if (*c && c[1] == ')') {
				x->at += 3;
				return arithmetic(x, t, false);
			}
		}
		x->at += 2;
		return parentheses(x, t, quoted ? NULL : list);
	case '[':
		x->at += 2;
		return arithmetic(x, t, true);
	default:
		x->at++;
		return parameter(x, t, list, quoted);
	}
}

/* -- the whole ------------------------------------------------------------------------------------- */

static void separators(struct input *x)
{
	size_t n = 0;

	x->ifs = env_get(config_environ(), "IFS");
	if (!x->ifs)
		x->ifs = " \t\n";
	for (const char *c = " \t\n"; *c; c++)
		if (is_in(x->ifs, *c))
			x->white[n++] = *c;
	x->white[n] = '\0';
}

static int expand(struct input *x, wordexp_t *we)
{
	struct text t = {0};
	int r = 0;

	for (x->at = 0; x->in[x->at] && r == 0; x->at++) {
		const char c = x->in[x->at];

		switch (c) {
		case '\\':
			r = backslash(x, &t, false);
			break;
		case '$':
			r = dollar(x, &t, we, false);
			break;
		case '`':
			x->at++;
			r = backtick(x, &t, we);
			break;
		case '"':
		case '\'':
			x->at++;
			r = c == '"' ? double_quotes(x, &t, we) : single_quotes(x, &t);
			if (r == 0 && !t.n)
				r = list_add(we, &t);
			break;
		case '~':
			r = tilde(x, &t, we->we_wordc);
			break;
		case '*':
		case '[':
		case '?':
			r = pattern(x, &t, we);
			break;
		case ' ':
		case '\t':
			if (t.at)
				r = list_add(we, &t);
			break;
		default:
			r = is_in("\n|&;<>(){}", c) ? WRDE_BADCHAR : text_char(&t, c);
		}
	}
	if (r == 0 && t.at)
		r = list_add(we, &t);
	text_free(&t);
	return r;
}

static int words_glibc(const char *words, wordexp_t *we, int flags)
{
	struct input x = {.in = words, .flags = flags};
	wordexp_t old = *we;
	int r;

	if (flags & WRDE_REUSE) {
		list_free(we);
		we->we_wordc = 0;
		old.we_wordv = NULL;
	}
	if (!(flags & WRDE_APPEND)) {
		we->we_wordc = 0;
		if (!(flags & WRDE_DOOFFS))
			we->we_offs = 0;
		we->we_wordv = HEAP(calloc, void *, (size_t, size_t))(1 + we->we_offs, sizeof(char *));
	}
	r = !we->we_wordv && !(flags & WRDE_APPEND) ? WRDE_NOSPACE : 0;
	if (r == 0) {
		separators(&x);
		r = expand(&x, we);
	}
	if (r && r != WRDE_NOSPACE) {
		if (!(flags & WRDE_APPEND))
			list_free(we);
		*we = old;
	}
	return r;
}

/* WRDE_NOCMD of musl (src/misc/wordexp.c), which looks at nothing without it. */
static int words_no_command(const char *s)
{
	bool single = false, quoted = false;
	size_t parens = 0;

	for (; *s; s++)
		switch (*s) {
		case '\\':
			if (!single && !*++s)
				return WRDE_SYNTAX;
			break;
		case '\'':
			single ^= !quoted;
			break;
		case '"':
			quoted ^= !single;
			break;
		case '(':
			if (parens) {
				parens++;
				break;
			}
			/* fallthrough */
		case ')':
			if (parens) {
				parens--;
				break;
			}
			/* fallthrough */
		case '\n':
		case '|':
		case '&':
		case ';':
		case '<':
		case '>':
		case '{':
		case '}':
			if (!single && !quoted && !parens)
				return WRDE_BADCHAR;
			break;
		case '$':
			if (single || s[1] != '(')
				break;
			if (s[2] != '(')
				return WRDE_CMDSUB;
			s += 2;
			parens += 2;
			break;
		case '`':
			if (!single)
				return WRDE_CMDSUB;
			break;
		}
	return 0;
}

/* musl has the shell print all words, with a NUL behind each and one in front, and takes what has come. */
static int words_musl(const char *words, wordexp_t *we, int flags)
{
	char *const argv[] = {(char[]){"sh"}, (char[]){"-c"},
		(char[]){"eval \"printf %s\\\\\\\\0 x $1 $2\""}, (char[]){"sh"}, (char *)(uintptr_t)words,
		flags & WRDE_SHOWERR ? (char[]){""} : (char[]){"2>/dev/null"}, NULL};
	struct text got = {0}, word = {0};
	int r = flags & WRDE_NOCMD ? words_no_command(words) : 0;

	if (flags & WRDE_REUSE)
		LIBC(wordfree, void, (wordexp_t *))(we);
	if (r)
		return r;
	if (!(flags & WRDE_APPEND)) {
		we->we_wordc = 0;
		we->we_wordv = NULL;
		if (!(flags & WRDE_DOOFFS))
			we->we_offs = 0;
	}
	if (shell(argv, false, &got) < 0)
		r = WRDE_NOSPACE;
	else if (!got.at)
		r = WRDE_SYNTAX;
	if (r == 0 && !we->we_wordv) {
		we->we_wordv = HEAP(calloc, void *, (size_t, size_t))(we->we_offs + 1, sizeof(char *));
		r = we->we_wordv ? 0 : WRDE_NOSPACE;
	}
	if (r == 0)
		for (const char *w = got.at + strlen(got.at) + 1; w < got.at + got.n && r == 0; w += strlen(w) + 1) {
			r = *w ? text_string(&word, w) : 0;
			r = r ? r : list_add(we, &word);
		}
	text_free(&got);
	return r;
}

int jail_wordexp(const char *words, wordexp_t *we, int flags)
{
	if (!state_view()) /* libc's own finds the same files */
		return REAL(wordexp)(words, we, flags);
	return config()->musl ? words_musl(words, we, flags) : words_glibc(words, we, flags);
}
