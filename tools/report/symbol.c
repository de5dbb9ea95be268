/* SPDX-License-Identifier: ISC
 *
 * Which file has a module's symbols, and what addr2line(1) of binutils or elfutils says of it.  No
 * shell: the file is an argument, the addresses go through a pipe.  Without the tool, or where it
 * knows nothing, the symbol table is read here. */
#include "symbol.h"
#include "elf.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { TOOL_SECONDS = 30, ANSWER_MAX = 1 << 28, LINES_MAX = 32 };

/* The variable, else the first there is. */
static const char *tool(void)
{
	static const char *const names[] = {"addr2line", "eu-addr2line"};
	static char *found;
	const char *path = getenv("PATH");
	const char *set = getenv("JAILREPORT_ADDR2LINE");

	if (set)
		return *set ? set : NULL; /* set and empty: none */
	if (found)
		return *found ? found : NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
			size_t n = strcspn(p, ":");
			struct text full = {0};

			text_put(&full, p, n);
			text_format(&full, "/%s", names[i]);
			if (*p == '/' && access(full.at, X_OK) == 0)
				return found = full.at;
			text_free(&full);
			p += n + (p[n] == ':');
		}
	found = "";
	return NULL;
}

static bool pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC) != 0)
		return false;
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return false;
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	return true;
}

/* Feeds in to the process and takes what it says until it is done, or too slow. */
static void talk(int to, int from, const struct text *in, struct text *out)
{
	time_t end = time(NULL) + TOOL_SECONDS;
	size_t sent = 0;

	while (time(NULL) < end && out->n < ANSWER_MAX) {
		struct pollfd p[2] = {{from, POLLIN, 0}, {to, POLLOUT, 0}};
		char buffer[65536];
		ssize_t n;

		if (poll(p, to >= 0 ? 2 : 1, 1000) < 0 && errno != EINTR)
			break;
		if (to >= 0 && p[1].revents) {
			n = write(to, in->at + sent, in->n - sent);
			if (n > 0)
				sent += (size_t)n;
			if ((n < 0 && errno != EAGAIN && errno != EINTR) || sent == in->n) {
				close(to);
				to = -1;
			}
		}
		if (p[0].revents) {
			n = read(from, buffer, sizeof(buffer));
			if (n == 0 || (n < 0 && errno != EINTR))
				break;
			if (n > 0)
				text_put(out, buffer, (size_t)n);
		}
	}
	if (to >= 0)
		close(to);
	close(from);
}

/* addr2line -e file, asked for each address of in: its answer. */
static bool run(const char *program, const char *file, const struct text *in, struct text *out)
{
	char *argv[] = {(char *)program, "-f", "-C", "-i", "-a", "-e", (char *)file, NULL};
	int to[2], from[2], status = -1;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;

	if (!pipes(to, from))
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, to[0], 0);
	posix_spawn_file_actions_adddup2(&actions, from[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	sigaddset(&none, SIGPIPE); /* ignored here */
	posix_spawnattr_setsigdefault(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	if (posix_spawnp(&pid, program, &actions, &attr, argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	close(to[0]);
	close(from[1]);
	if (pid < 0) {
		close(to[1]);
		close(from[0]);
		return false;
	}
	talk(to[1], from[0], in, out);
	kill(pid, SIGKILL); /* it is at its end, or hangs */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return out->n > 0;
}

/* -- answers --------------------------------------------------------------------------------- */

static char *next_line(char **at)
{
	char *line = *at, *end;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	if (end) {
		*end = 0;
		*at = end + 1;
	} else {
		*at = line + strlen(line);
	}
	return line;
}

/* "/src/./a.c" is "/src/a.c", "/src/b/../a.c" too: the compiler's directory and the name it was
 * given. */
static void tidy(char *path)
{
	char *out = path, *p = path;

	if (*path != '/')
		return;
	while (*p) {
		size_t n = strcspn(++p, "/"); /* p was at a slash */

		if (n == 2 && memcmp(p, "..", 2) == 0) {
			while (out > path && *--out != '/')
				;
		} else if (n > 0 && !(n == 1 && *p == '.')) {
			*out++ = '/';
			memmove(out, p, n);
			out += n;
		}
		p += n;
	}
	*out = 0;
}

/* "file:12", "file:12:5" (elfutils), "file:12 (discriminator 3)", "file:?", "??:0" */
static void line_of(struct line *l, char *where)
{
	char *colon, *end;
	unsigned long n;

	end = strstr(where, " (");
	if (end)
		*end = 0;
	colon = strrchr(where, ':');
	if (!colon || where[0] == '?')
		return;
	n = strtoul(colon + 1, &end, 10);
	*colon = 0;
	colon = strrchr(where, ':');
	if (colon && colon[1] && colon[1 + strspn(colon + 1, "0123456789")] == 0) {
		n = strtoul(colon + 1, NULL, 10);
		*colon = 0;
	}
	if (!*where || n == 0 || n > 100000000)
		return;
	tidy(where);
	l->file = memory_text(where);
	l->line = (unsigned)n;
}

/* What a system header has that was inlined into the program (std::ifstream::open) is no more to blame
 * than the library behind it: the line that called it is. */
static bool of_system(const struct line *l)
{
	return l->file && (strncmp(l->file, "/usr/include/", 13) == 0 || strstr(l->file, "/include/c++/"));
}

static void skip_system(struct spot *s)
{
	size_t n = 0;

	while (n < s->n && of_system(&s->lines[n]))
		n++;
	if (n == 0 || n == s->n || !s->lines[n].file)
		return;
	for (size_t i = 0; i < n; i++) {
		free(s->lines[i].function);
		free(s->lines[i].file);
	}
	s->n -= n;
	memmove(s->lines, s->lines + n, s->n * sizeof(*s->lines));
}

static void answers(struct spot **spots, size_t n, char *text)
{
	char *line = next_line(&text);
	size_t i = 0;

	while (line && i < n) {
		struct spot *s = spots[i++];

		if (line[0] != '0' || line[1] != 'x')
			return; /* no answer that we know */
		while ((line = next_line(&text)) && !(line[0] == '0' && line[1] == 'x')) {
			char *function = line, *where = next_line(&text);
			struct line l = {0};

			if (!where)
				return;
			char *inlined = strstr(function, " inlined at "); /* elfutils */
			if (inlined)
				*inlined = 0;
			line_of(&l, where);
			if (function[0] && function[0] != '?')
				l.function = memory_text(function);
			if ((l.function || l.file) && s->n < LINES_MAX) {
				s->lines = memory_more(s->lines, s->n + 1, sizeof(*s->lines));
				s->lines[s->n++] = l;
			} else {
				free(l.function);
				free(l.file);
			}
		}
		skip_system(s);
	}
}

/* -- files ----------------------------------------------------------------------------------- */

static bool safe_id(const char *id)
{
	size_t n = strspn(id, "0123456789abcdef");

	return n >= 8 && id[n] == 0;
}

/* Is this the file with that build id?  Events have its first 20 bytes. */
static bool same_id(const struct elf *e, const char *id)
{
	return *id && strncmp(elf_id(e), id, strlen(id)) == 0 &&
	       (strlen(id) >= 40 || !elf_id(e)[strlen(id)]);
}

static char *debug_file(const char *root, const char *id)
{
	struct text path = {0};
	struct elf *e;

	text_add(&path, root);
	text_format(&path, "/usr/lib/debug/.build-id/%.2s/%s.debug", id, id + 2);
	e = elf_open(path.at);
	if (e && same_id(e, id)) {
		elf_close(e);
		return path.at;
	}
	elf_close(e);
	text_free(&path);
	return NULL;
}

static char *separate(const struct model *m, const struct module *module)
{
	char *found;

	if (!safe_id(module->id))
		return NULL;
	found = debug_file("", module->id);
	for (unsigned i = 0; i < m->roots.n && !found; i++) {
		const char *root = m->roots.at[i].name;
		size_t n = strlen(root);

		if (strncmp(module->path, root, n) == 0 && module->path[n] == '/')
			found = debug_file(root, module->id);
	}
	return found;
}

/* The module's own file, when it is the one that the events mean; else why not. */
static struct elf *own(struct module *module)
{
	struct elf *e;
	struct stat st;
	struct text note = {0};

	if (!*module->id && !module->here)
		return NULL; /* another machine's, and nothing tells whether ours is the same */
	e = elf_open(module->path);
	if (!e)
		return NULL;
	if (*module->id && !same_id(e, module->id)) {
		text_format(&note, "is another build here (%.8s, in the events %.8s): no symbols",
			*elf_id(e) ? elf_id(e) : "no build id", module->id);
	} else if (!*module->id && stat(module->path, &st) == 0 &&
		   (int64_t)st.st_mtime > module->last / 1000000) {
		text_add(&note, "has no build id and is newer than the events: no symbols");
	}
	if (note.at) {
		module->note = note.at;
		elf_close(e);
		return NULL;
	}
	return e;
}

static bool has_function(const struct spot *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->lines[i].function)
			return true;
	return false;
}

/* What the tool did not know, and what it guessed: without debuginfo it names the last exported
 * function before the address, however far, where a static one may be meant. */
static void nearest(struct elf *e, struct elf *d, struct spot *s)
{
	const char *name;
	uint64_t plus;

	for (size_t i = 0; i < s->n; i++)
		if (s->lines[i].file && has_function(s))
			return;
	if (!(e && elf_function(e, s->offset, &name, &plus)) &&
		!(d && elf_function(d, s->offset, &name, &plus))) {
		if (s->n > 0 && !s->lines[0].file)
			s->n = 0;
		return;
	}
	if (s->n == 0) {
		s->lines = memory_more(s->lines, 1, sizeof(*s->lines));
		s->lines[0] = (struct line){0};
		s->n = 1;
	}
	if (!s->lines[0].function)
		s->lines[0].function = memory_text(name);
	if (!s->lines[0].file)
		s->lines[0].plus = plus;
}

static int by_offset(const void *a, const void *b)
{
	const struct spot *x = *(struct spot *const *)a, *y = *(struct spot *const *)b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The functions that calls in this module name, where no frame of them is on the stack. */
static void tail_calls(struct model *m, struct module *module, const struct elf *e)
{
	uint64_t target;

	for (struct spot *s = module->spots; s; s = s->next) /* new ones are put in front */
		if (s->innermost && !s->via && elf_calls(e, s->offset, &target))
			s->via = model_spot(m, module->path, module->id, target);
}

static void symbol_module(struct model *m, struct module *module)
{
	char *debug = separate(m, module);
	struct elf *e = own(module), *d = debug ? elf_open(debug) : NULL;
	const char *file = debug ? debug : e ? module->path : NULL, *program = tool();
	struct spot **spots;
	struct text in = {0}, out = {0};
	size_t n = 0;

	module->found = file != NULL;
	if (!file)
		return;
	if (e)
		tail_calls(m, module, e);
	spots = memory(module->n * sizeof(struct spot *));
	for (struct spot *s = module->spots; s; s = s->next)
		if (s->n == 0)
			spots[n++] = s;
	qsort(spots, n, sizeof(*spots), by_offset);
	for (size_t i = 0; i < n; i++)
		text_format(&in, "0x%llx\n", (unsigned long long)spots[i]->offset);
	if (n > 0 && program && run(program, file, &in, &out))
		answers(spots, n, out.at);
	for (size_t i = 0; i < n; i++)
		nearest(e, d, spots[i]);
	if (debug) { /* the right symbols were found all the same */
		free(module->note);
		module->note = NULL;
	}
	free(spots);
	text_free(&in);
	text_free(&out);
	elf_close(e);
	elf_close(d);
	free(debug);
}

void symbol_all(struct model *m)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, was;

	sigaction(SIGPIPE, &ignore, &was); /* a tool that ends early */
	for (size_t i = 0; i < m->modules.room; i++) {
		struct module *module = m->modules.at[i].key ? m->modules.at[i].value : NULL;

		if (module && !module->none && module->n > 0)
			symbol_module(m, module);
	}
	sigaction(SIGPIPE, &was, NULL);
}
