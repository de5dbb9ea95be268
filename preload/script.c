/* SPDX-License-Identifier: ISC
 *
 * Which words of an interpreter's memory say where it is.  Those of CPython 3.11 are what its headers say
 * (Include/cpython/pystate.h, internal/pycore_frame.h, cpython/code.h; the table of lines:
 * Objects/locations.md); a thread's own frames stand still while it is in a call.  Those
 * of Perl 5.36 likewise.  bash keeps the number of the line that it
 * executes, and the script's name, in variables that it exports for its loadable builtins. */
#include "script.h"
#include "place.h"
#include "wrap.h"

static bool line_of_bash(struct script *ret)
{
	const int *line = (const int *)(uintptr_t)real_global("line_number");
	char *const *vars = (char *const *)(uintptr_t)real_global("dollar_vars");
	long n;

	if (!line || !vars || !place_readable(line, sizeof *line) || !place_readable(vars, sizeof *vars))
		return false;
	n = place_strlen(vars[0], sizeof ret->file);
	if (n <= 0 || *line <= 0)
		return false;
	memcpy(ret->file, vars[0], (size_t)n + 1);
	ret->line = (unsigned)*line;
	return true;
}

/* -- CPython 3.11 ---------------------------------------------------------------------------- */

enum {
	TSTATE_CFRAME = 56,
	CFRAME_FRAME = 8,
	FRAME_CODE = 32,
	FRAME_PREVIOUS = 48,
	FRAME_INSTR = 56,
	CODE_FIRSTLINE = 72,
	CODE_FILENAME = 112,
	CODE_LINETABLE = 136,
	CODE_CODE = 184,
	VAR_SIZE = 16,
	BYTES_DATA = 32,
	STR_STATE = 32, /* kind, compact and ASCII, in bits 2 to 6 */
	STR_ASCII = 48, /* the text of a compact ASCII string */
};

static uintptr_t word(uintptr_t at)
{
	return at && !(at & 7) && place_readable((const void *)at, 8) ? *(const uintptr_t *)at : 0;
}

/* A number of six bits a byte, the lowest first. */
static unsigned varint(const unsigned char **at, const unsigned char *end)
{
	unsigned v = 0, shift = 0;

	while (*at < end) {
		const unsigned char b = *(*at)++;

		v |= (unsigned)(b & 63) << shift;
		shift += 6;
		if (!(b & 64) || shift > 24)
			break;
	}
	return v;
}

/* The line of the instruction that is `unit` code units into the code, by its table. */
static unsigned line_at(uintptr_t code, size_t unit)
{
	const uintptr_t table = word(code + CODE_LINETABLE), size = table ? word(table + VAR_SIZE) : 0;
	const unsigned char *at = (const unsigned char *)table + BYTES_DATA, *end = at + size;
	int line = *(const int *)(code + CODE_FIRSTLINE);
	size_t covered = 0;

	if (!size || size > 1 << 20 || !place_readable(at, size))
		return 0;
	while (at < end) {
		const unsigned char first = *at++;
		const unsigned form = first >> 3 & 15;
		unsigned delta = 0;

		if (form >= 10 && form <= 12)
			line += (int)form - 10;
		if (form == 13 || form == 14) {
			delta = varint(&at, end);
			line += delta & 1 ? -(int)(delta >> 1) : (int)(delta >> 1);
		}
		covered += (first & 7u) + 1;
		if (unit < covered)
			return form == 15 || line < 0 ? 0 : (unsigned)line;
		while (at < end && !(*at & 0x80)) /* columns */
			at++;
	}
	return 0;
}

static const char *text_after(const char *s, const char *word)
{
	for (; *s; s++) {
		const char *rest = mem_after(s, word);

		if (rest)
			return rest;
	}
	return NULL;
}

/* The interpreter's own library: what a user's line called. */
static bool is_library(const char *file)
{
	const char *rest = text_after(file, "/lib/python3.");

	return *file == '<' ||
	       (rest && !text_after(rest, "/site-packages/") && !text_after(rest, "/dist-packages/"));
}

static bool line_of_python(struct script *ret)
{
	const unsigned long *version = (const unsigned long *)(uintptr_t)real_global("Py_Version");
	uintptr_t (*state)(void) = LIBC(PyGILState_GetThisThreadState, uintptr_t, (void));
	uintptr_t thread, frame;
	bool found = false;

	if (!version || !place_readable(version, sizeof *version) || *version >> 16 != 0x030b)
		return false;
	if (!state) /* in the program itself, which is before us */
		state = (uintptr_t(*)(void))real_global("PyGILState_GetThisThreadState");
	thread = state ? state() : 0; /* a thread-specific value, and no more */
	frame = thread ? word(word(thread + TSTATE_CFRAME) + CFRAME_FRAME) : 0;
	for (unsigned depth = 0; frame && depth < 40; depth++, frame = word(frame + FRAME_PREVIOUS)) {
		const uintptr_t code = word(frame + FRAME_CODE), name = code ? word(code + CODE_FILENAME) : 0,
				instr = word(frame + FRAME_INSTR), length = name ? word(name + VAR_SIZE) : 0;
		const char *file = (const char *)name + STR_ASCII;
		unsigned line;

		if (!length || length > 4096 || (word(name + STR_STATE) >> 5 & 3) != 3 ||
			!place_readable(file, length + 1) || instr + 2 < code + CODE_CODE)
			continue;
		line = line_at(code, instr < code + CODE_CODE ? 0 : (instr - code - CODE_CODE) / 2);
		if (!line || (found && is_library(file)))
			continue;
		if (length >= sizeof ret->file)
			file += length - (sizeof ret->file - 1);
		memcpy(ret->file, file, strlen(file) + 1);
		ret->line = line;
		found = true;
		if (!is_library(file))
			break; /* else the innermost is better than nothing */
	}
	return found;
}

/* -- Perl 5.36, with threads, as Debian builds it ---------------------------------------------- */

enum { PERL_VERSION = 36, PERL_CURCOP = 208, COP_LINE = 36, COP_FILE = 48 }; /* intrpvar.h, cop.h */

static bool line_of_perl(struct script *ret)
{
	const char *version = (const char *)(uintptr_t)real_global("PL_version");
	const unsigned *key = (const unsigned *)(uintptr_t)real_global("PL_thr_key");
	uintptr_t (*get)(unsigned) = LIBC(pthread_getspecific, uintptr_t, (unsigned));
	uintptr_t perl, cop;
	const char *file;
	long n;

	if (!version || !key || !get || !place_readable(version, 1) || *version != PERL_VERSION)
		return false;
	perl = get(*key);
	cop = perl ? word(perl + PERL_CURCOP) : 0;
	file = cop ? (const char *)word(cop + COP_FILE) : NULL;
	n = file ? place_strlen(file, PATH_MAX) : -1;
	if (n <= 0 || !place_readable((const void *)(cop + COP_LINE), sizeof ret->line))
		return false;
	if (n >= (long)sizeof ret->file)
		file += n - (long)(sizeof ret->file - 1);
	memcpy(ret->file, file, strlen(file) + 1);
	ret->line = *(const unsigned *)(cop + COP_LINE);
	return ret->line != 0;
}

bool script_line(enum module_kind kind, unsigned module, struct script *ret)
{
	(void)module;
	switch (kind) {
	case MODULE_PYTHON:
		return line_of_python(ret);
	case MODULE_PERL:
		return line_of_perl(ret);
	case MODULE_BASH:
		return line_of_bash(ret);
	default:
		return false;
	}
}
