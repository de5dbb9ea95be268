/* SPDX-License-Identifier: ISC
 *
 * A preload that says on stderr which line of a script calls: "open FILE:LINE" for the names that
 * begin with /probe (and do not exist), and likewise for sockets and pipes.  Linked with
 * script.c, and like libjail.so without a libc, so that one file serves every root. */
#include "../../preload/script.h"
#include "../../preload/state.h"
#include "../../preload/wrap.h"

/* Which file the interpreter is, is not told here: its symbols have to be enough. */
const struct module *module_at(unsigned m)
{
	static const struct module none = {.path = ""};

	(void)m;
	return &none;
}

/* Nor is there any other name space. */
struct state_told libjail_audit_told;

static long told(const char *call, long r)
{
	char text[512];
	struct str s = {text, text + sizeof text};
	static const char *const has[] = {"PyGILState_GetThisThreadState", "PL_thr_key", "dollar_vars"};
	static const enum module_kind kinds[] = {MODULE_PYTHON, MODULE_PERL, MODULE_BASH};
	enum module_kind kind = MODULE_PROGRAM;
	struct script at;

	for (size_t i = 0; i < ROWS(has) && kind == MODULE_PROGRAM; i++)
		if (real_global(has[i]))
			kind = kinds[i];
	str_puts(&s, call);
	str_puts(&s, " ");
	if (script_line(kind, 0, &at)) {
		str_puts(&s, at.file);
		str_puts(&s, ":");
		str_num(&s, at.line);
	} else {
		str_puts(&s, "unknown");
	}
	str_puts(&s, "\n");
	if (s.at)
		sys_call(SYS_write, 2, text, s.at - text);
#ifdef ROUNDS /* how long it takes */
	struct timespec t[2];

	sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, &t[0]);
	for (int i = 0; i < ROUNDS; i++)
		script_line(kind, 0, &at);
	sys_call(SYS_clock_gettime, CLOCK_MONOTONIC, &t[1]);
	s = (struct str){text, text + sizeof text};
	str_puts(&s, "ns ");
	str_num(&s, (unsigned long)((t[1].tv_sec - t[0].tv_sec) * 1000000000 + t[1].tv_nsec - t[0].tv_nsec) / ROUNDS);
	str_puts(&s, "\n");
	sys_call(SYS_write, 2, text, s.at - text);
#endif
	return edge(r);
}

static long opened(int dir, const char *path, int flags, mode_t mode)
{
	const bool ours = path && mem_after(path, "/probe");
	const long r = sys_call(SYS_openat, dir, path, flags, mode);

	return ours ? told("open", r) : edge(r);
}

#define OPEN(name)                                                                                 \
	EXPORT int probe_##name(const char *path, int flags, mode_t mode) __asm__(#name);          \
	int probe_##name(const char *path, int flags, mode_t mode)                                 \
	{                                                                                          \
		return (int)opened(AT_FDCWD, path, flags, mode);                                   \
	}
OPEN(open)
OPEN(open64)
#define OPENAT(name)                                                                               \
	EXPORT int probe_##name(int dir, const char *path, int flags, mode_t mode) __asm__(#name); \
	int probe_##name(int dir, const char *path, int flags, mode_t mode)                        \
	{                                                                                          \
		return (int)opened(dir, path, flags, mode);                                        \
	}
OPENAT(openat)
OPENAT(openat64)

EXPORT int probe_socket(int family, int type, int protocol) __asm__("socket");
int probe_socket(int family, int type, int protocol)
{
	return (int)told("socket", sys_call(SYS_socket, family, type, protocol));
}

EXPORT int probe_pipe(int fd[2]) __asm__("pipe");
int probe_pipe(int fd[2])
{
	return (int)told("pipe", sys_call(SYS_pipe2, fd, 0));
}

EXPORT int probe_pipe2(int fd[2], int flags) __asm__("pipe2");
int probe_pipe2(int fd[2], int flags)
{
	return (int)told("pipe", sys_call(SYS_pipe2, fd, flags));
}
