/* SPDX-License-Identifier: ISC
 *
 * wordexp(3) in a root.  glibc expands in its own memory, with the host's files and names, and musl
 * with the host's shell; here the guest's shell does it, which is what the function promises to
 * behave like.  What this file adds is the part that POSIX takes away from the shell: characters
 * that may not stand unquoted, and WRDE_NOCMD.  musl adds none of it without WRDE_NOCMD, and knows no
 * WRDE_UNDEF (src/misc/wordexp.c). */
#include "process.h"
#include "../config.h"
#include "../env.h"
#include "../state.h"
#include "../sys.h"

enum { WORDS_DEPTH = 100 }; /* of constructs within each other */

/* The closing character of the construct that s begins in, or -WRDE_...: quotes and substitutions
 * are skipped whole, for nothing in them is seen by our caller.  What they hold is the shell's to
 * judge. */
static long words_close(const char *text, size_t from, char close, int flags, int depth)
{
	long r;

	if (depth > WORDS_DEPTH)
		return -WRDE_NOSPACE;
	for (size_t i = from;; i++) {
		const char c = text[i];
		char inner = 0;
		size_t skip = 1;

		if (!c)
			return -WRDE_SYNTAX;
		if (c == close)
			return (long)i;
		if (close == '\'')
			continue;
		if (c == '\\') {
			if (!text[++i])
				return -WRDE_SYNTAX;
		} else if (c == '`') {
			inner = c;
		} else if (c == '$' && (text[i + 1] == '(' || text[i + 1] == '{')) {
			inner = text[i + 1] == '(' ? ')' : '}';
			skip = 2;
		} else if (c == '"' || (c == '\'' && close != '"')) {
			inner = c;
		} else if (c == '(' && close == ')') {
			inner = ')';
		}
		if (!inner)
			continue;
		r = words_close(text, i + skip, inner, flags, depth + 1);
		if (r >= 0 && flags & WRDE_NOCMD &&
			(inner == '`' || (skip == 2 && inner == ')' && text[i + 2] != '(')))
			r = -WRDE_CMDSUB;
		if (r < 0)
			return r;
		i = (size_t)r;
	}
}

/* The words as arguments of a shell command, to out; 0 or WRDE_...  A # that begins a word is a
 * comment to the shell, but not to wordexp. */
static int words_script(struct str *out, const char *words, int flags)
{
	for (size_t i = 0; words[i]; i++) {
		const char c = words[i];
		long end = (long)i;

		if (mem_find("\n|&;<>(){}", c))
			return WRDE_BADCHAR;
		if (c == '#' && (i == 0 || words[i - 1] == ' ' || words[i - 1] == '\t'))
			str_puts(out, "\\");
		if (c == '\\')
			end = words[i + 1] ? end + 1 : -WRDE_SYNTAX;
		else if (c == '\'' || c == '"' || c == '`')
			end = words_close(words, i + 1, c, flags, 0);
		else if (c == '$' && words[i + 1] == '(')
			end = words_close(words, i + 2, ')', flags, 0);
		else if (c == '$' && words[i + 1] == '{')
			end = words_close(words, i + 2, '}', flags, 0);
		if (end >= 0 && flags & WRDE_NOCMD &&
			(c == '`' || (c == '$' && words[i + 1] == '(' && words[i + 2] != '(')))
			return WRDE_CMDSUB;
		if (end < 0)
			return (int)-end;
		str_put(out, words + i, (size_t)end + 1 - i);
		i = (size_t)end;
	}
	return out->at ? 0 : WRDE_NOSPACE;
}

/* All that comes through fd, allocated; NULL without memory. */
static char *words_read(int fd, size_t *ret_n)
{
	size_t room = 4096, n = 0;
	char *buf = HEAP(malloc, void *, (size_t))(room), *more;
	long r;

	while (buf) {
		r = sys_read(fd, buf + n, room - n);
		if (r == -EINTR)
			continue;
		if (r <= 0)
			break;
		n += (size_t)r;
		if (n < room)
			continue;
		room *= 2;
		more = HEAP(realloc, void *, (void *, size_t))(buf, room);
		if (!more)
			HEAP(free, void, (void *))(buf);
		buf = more;
	}
	*ret_n = n;
	return buf;
}

/* Has the guest's shell print the words, each with a NUL: 0 or WRDE_..., the text in *ret. */
static int words_run(const char *script, int flags, char **ret, size_t *ret_n)
{
	const char *ifs = env_get(config_environ(), "IFS");
	char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)script, (char[]){"sh"},
		(char *)ifs, NULL};
	struct {
		size_t used, room;
		struct spawn_action at[2];
	} actions = {1, 2, {{.what = SPAWN_DUP2, .to = 1},
		{.what = SPAWN_OPEN, .fd = 2, .path = (char[]){"/dev/null"}, .flags = O_WRONLY}}};
	int fds[2], status = 0;
	long pid;

	_Static_assert(offsetof(struct spawn_list, at) == 2 * sizeof(size_t), "a list's head");
	if (sys_call(SYS_pipe2, fds, O_CLOEXEC) < 0)
		return WRDE_NOSPACE;
	actions.at[0].fd = fds[1];
	if (!(flags & WRDE_SHOWERR))
		actions.used = 2;
	pid = spawn_run(&(const struct spawn){.file = "/bin/sh", .argv = argv,
		.envp = config_environ(), .actions = (const struct spawn_list *)&actions});
	sys_close(fds[1]);
	*ret = pid > 0 ? words_read(fds[0], ret_n) : NULL;
	sys_close(fds[0]);
	while (pid > 0 && sys_call(SYS_wait4, pid, &status, 0, NULL) == -EINTR)
		;
	if (!*ret)
		return WRDE_NOSPACE;
	/* The scan found nothing wrong: a shell that printed nothing has met a variable that it
	 * may not expand, or a syntax that only it knows. */
	if (status == 0 && *ret_n)
		return 0;
	HEAP(free, void, (void *))(*ret);
	return flags & WRDE_UNDEF ? WRDE_BADVAL : WRDE_SYNTAX;
}

/* The n bytes of NUL-terminated words at text, the first of which is ours, to the end of *we. */
static int words_add(wordexp_t *we, const char *text, size_t n, int flags)
{
	void *(*alloc)(size_t) = HEAP(malloc, void *, (size_t));
	const size_t offs = flags & (WRDE_DOOFFS | WRDE_APPEND) ? we->we_offs : 0;
	const size_t have = flags & WRDE_APPEND ? we->we_wordc : 0;
	size_t words = 0, at, len;
	char **v;

	for (size_t i = 0; i < n; i++)
		words += !text[i];
	v = alloc((offs + have + words) * sizeof *v); /* ours leaves room for the NULL */
	if (!v)
		return WRDE_NOSPACE;
	for (size_t i = 0; i < offs; i++)
		v[i] = NULL;
	for (size_t i = 0; i < have; i++)
		v[offs + i] = we->we_wordv[offs + i];
	at = offs + have;
	for (const char *w = text + strlen(text) + 1; w < text + n; w += len) {
		len = strlen(w) + 1;
		v[at] = alloc(len);
		if (!v[at]) {
			while (at-- > offs + have)
				HEAP(free, void, (void *))(v[at]);
			HEAP(free, void, (void *))(v);
			return WRDE_NOSPACE;
		}
		memcpy(v[at++], w, len);
	}
	v[at] = NULL;
	if (have || flags & WRDE_APPEND)
		HEAP(free, void, (void *))(we->we_wordv);
	*we = (wordexp_t){.we_wordc = at - offs, .we_wordv = v, .we_offs = offs};
	return 0;
}

int jail_wordexp(const char *words, wordexp_t *we, int flags)
{
	size_t n = 0, room;
	struct str s;
	char *script, *text;
	int r;

	if (!state_view()) /* libc's own finds the same files */
		return REAL(wordexp)(words, we, flags);
	if (flags & WRDE_REUSE) {
		LIBC(wordfree, void, (wordexp_t *))(we);
		we->we_wordc = 0; /* glibc leaves the number */
	}
	room = 2 * strlen(words) + 100;
	script = HEAP(malloc, void *, (size_t))(room);
	if (!script)
		return WRDE_NOSPACE;
	s = (struct str){script, script + room};
	if (config()->musl)
		flags &= ~WRDE_UNDEF;
	if (flags & WRDE_UNDEF)
		str_puts(&s, "set -u; ");
	if (env_get(config_environ(), "IFS"))
		str_puts(&s, "IFS=$1; shift; ");
	str_puts(&s, "printf '%s\\0' x ");
	if (config()->musl && !(flags & WRDE_NOCMD)) {
		str_puts(&s, words);
		r = s.at ? 0 : WRDE_NOSPACE;
	} else {
		r = words_script(&s, words, flags);
	}
	if (r == 0)
		r = words_run(script, flags, &text, &n);
	if (r == 0) {
		r = n && !text[n - 1] ? words_add(we, text, n, flags) : WRDE_SYNTAX;
		HEAP(free, void, (void *))(text);
	}
	HEAP(free, void, (void *))(script);
	return r;
}
