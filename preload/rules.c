/* SPDX-License-Identifier: ISC
 *
 * The language of the rules file:
 *
 *   # a comment
 *   leave open,pipe program=nginx*
 *   leave all module=libhdf5*
 *   force socket target=/usr/bin/helper
 *
 * one rule a line, the first that matches decides. */
#include "rules.h"
#include "config.h"
#include "sys.h"
#include "unwind.h"
#include <errno.h>

const char rules_class_names[FD_CLASSES][8] = {[FD_OPEN] = "open", [FD_PIPE] = "pipe", [FD_DUP] = "dup",
	[FD_SOCKET] = "socket", [FD_PAIR] = "pair", [FD_ACCEPT] = "accept", [FD_RECV] = "recv",
	[FD_EVENT] = "event", [FD_MEMORY] = "memory", [FD_PTY] = "pty", [FD_STREAM] = "stream"};

/* A stretch of the text. */
struct word {
	const char *at;
	size_t n;
};

static bool word_is(struct word w, const char *text)
{
	return w.n == strlen(text) && memcmp(w.at, text, w.n) == 0;
}

bool rules_classes(const char *text, size_t n, unsigned *ret)
{
	const char *end = text + n;
	unsigned bits = 0;

	for (;;) {
		struct word w = {text, 0};
		size_t i;

		while (text + w.n < end && text[w.n] != ',')
			w.n++;
		for (i = 0; i < FD_CLASSES && !word_is(w, rules_class_names[i]); i++)
			;
		if (i < FD_CLASSES)
			bits |= 1u << i;
		else if (word_is(w, "all"))
			bits = ~0u;
		else
			return false;
		text += w.n;
		if (text == end)
			break;
		text++;
	}
	*ret = bits;
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct word word_next(struct word *line)
{
	struct word w;

	while (line->n && blank(*line->at))
		line->at++, line->n--;
	w = (struct word){line->at, 0};
	while (line->n && !blank(*line->at))
		line->at++, line->n--, w.n++;
	return w;
}

/* One line; NULL, or what is wrong with it. */
static const char *parse_line(struct word line, struct rule *rule)
{
	static const char program[] = "program=", module[] = "module=", target[] = "target=";
	struct word w = word_next(&line);
	const char **to;
	size_t name;

	*rule = (struct rule){0};
	if (word_is(w, "leave"))
		rule->leave = true;
	else if (!word_is(w, "force"))
		return "a rule begins with leave or force";
	w = word_next(&line);
	if (!w.n)
		return "the classes are missing: " RULES_CLASSES;
	if (!rules_classes(w.at, w.n, &rule->classes))
		return "no such class: it is " RULES_CLASSES;
	for (w = word_next(&line); w.n && *w.at != '#'; w = word_next(&line)) {
		if (w.n >= sizeof program - 1 && memcmp(w.at, program, sizeof program - 1) == 0) {
			to = &rule->program;
			name = sizeof program - 1;
		} else if (w.n >= sizeof module - 1 && memcmp(w.at, module, sizeof module - 1) == 0) {
			to = &rule->module;
			name = sizeof module - 1;
		} else if (w.n >= sizeof target - 1 && memcmp(w.at, target, sizeof target - 1) == 0) {
			to = &rule->target;
			name = sizeof target - 1;
		} else {
			return "not known: use program=PATTERN, module=PATTERN or target=PATTERN";
		}
		if (w.n == name)
			return "the pattern is missing behind =";
		if (*to)
			return "given twice in one rule";
		*to = mem_keep(w.at + name, w.n - name);
		if (!*to)
			return "out of memory";
	}
	if (rule->module && rule->target)
		return "module= counts when a descriptor is made, target= at exec: not in one rule";
	return NULL;
}

int rules_parse(const char *text, size_t n, struct rules *ret, unsigned *ret_line, const char **ret_what)
{
	const char *end = text + n;

	ret->n = 0;
	for (*ret_line = 1; text < end; ++*ret_line) {
		struct word line = {text, 0}, rest;

		*ret_what = NULL;
		for (; text < end && *text != '\n'; text++, line.n++)
			if (!*text)
				*ret_what = "a NUL byte";
		text += text < end;
		rest = line;
		if (line.n > 1024)
			*ret_what = "longer than 1024 bytes";
		if (!*ret_what) {
			const struct word w = word_next(&rest);

			if (!w.n || *w.at == '#')
				continue;
			*ret_what = ret->n < RULES_MAX ? parse_line(line, &ret->at[ret->n])
						       : "more than 256 rules";
		}
		if (*ret_what)
			return -EINVAL;
		ret->n++;
	}
	return 0;
}

int rules_load(const char *path, const struct rules **ret)
{
	enum { SIZE = 1 << 18 };
	struct rules *rules = sys_pages(sizeof *rules);
	char *text = sys_pages(SIZE);
	const char *why = NULL;
	unsigned line = 0;
	ssize_t n = 0, have = 0;
	int fd, r = -ENOMEM;

	*ret = NULL;
	if (!rules || !text)
		return r;
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	r = fd < 0 ? fd : 0;
	while (r == 0 && have < SIZE && (n = sys_read(fd, text + have, (size_t)(SIZE - have))) > 0)
		have += n;
	if (fd >= 0)
		sys_close(fd);
	if (r == 0 && n < 0)
		r = (int)n;
	if (r < 0) {
		SAY("rules ", path, ": ",
			r == -ENOENT   ? "no such file"
			: r == -EACCES ? "permission denied"
			: r == -EISDIR ? "a directory"
				       : "cannot be read");
	} else if (have == SIZE) {
		r = -EFBIG;
		SAY("rules ", path, ": larger than 256 KiB");
	} else {
		r = rules_parse(text, (size_t)have, rules, &line, &why);
		if (r < 0) {
			char number[16];
			struct str s = {number, number + sizeof number};

			str_num(&s, line);
			SAY(path, ":", number, ": ", why);
		} else if (rules->n) {
			*ret = rules;
		}
	}
	sys_call(SYS_munmap, text, SIZE);
	return r;
}

bool rules_match(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	for (; *name; name++, pattern++) {
		if (*pattern == '*') {
			star = pattern;
			from = name--;
		} else if (*pattern != '?' && *pattern != *name) {
			if (!star)
				return false;
			pattern = star;
			name = from++;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* The base name of the module that makes the descriptor. */
static const char *calling_module(void)
{
	frame at[UNWIND_FRAMES];
	const size_t n = unwind_stack(at, UNWIND_FRAMES);

	for (size_t i = 1; i < n; i++) {
		const unsigned m = frame_module(at[i]);

		if (m && module_at(m)->kind != MODULE_RUNTIME && module_at(m)->kind != MODULE_SELF)
			return mem_base(module_at(m)->path);
	}
	return "";
}

bool rules_ask_module(const struct rules *rules, enum fd_class class)
{
	for (size_t i = 0; i < rules->n; i++)
		if (rules->at[i].module && rules->at[i].classes >> class & 1)
			return true;
	return false;
}

enum fd_verdict rules_verdict(const struct rules *rules, enum fd_class class, const char *program,
	const char *file, const char *target)
{
	const char *module = NULL;

	for (size_t i = 0; i < rules->n; i++) {
		const struct rule *r = &rules->at[i];

		if (!(r->classes >> class & 1) || !r->target != !target)
			continue;
		if (r->program && !rules_match(r->program, program) && !rules_match(r->program, file))
			continue;
		if (target && !rules_match(r->target, mem_find(r->target, '/') ? target : mem_base(target)))
			continue;
		if (r->module && !rules_match(r->module, module ? module : (module = calling_module())))
			continue;
		return r->leave ? FD_RULE : FD_FORCE;
	}
	return FD_RULES_NONE;
}
