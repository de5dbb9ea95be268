/* SPDX-License-Identifier: ISC
 *
 * Which words of an interpreter's memory say where it is.  Those of CPython 3.9 to 3.12 are what its
 * internal headers say (pystate.h, pycore_frame.h, code.h); later ones tell debuggers
 * themselves (pycore_debug_offsets.h).  Perl's are those of the threaded builds that distributions make
 * (intrpvar.h, cop.h), bash's those of the variables that it exports for its loadable builtins
 * (variables.h, hashlib.h, array.h).  A thread's own frames stand still while it is in a call.
 * All is looked up afresh each time: an interpreter may be closed and another opened.
 *
 * The innermost line is not always the one to tell: a user did not write subprocess.py.  So go outward
 * to the first file that is not the interpreter's own library. */
#include "script.h"
#include "sys/peek.h"
#include "wrap.h"

enum { DEPTH = 100, NAME = sizeof((struct script *)0)->file };

static const void *global(const char *name)
{
	return (const void *)(uintptr_t)real_global(name);
}

/* The pages that have been seen to be there in this call.  A thread's own frames stand still while it is in a call, and
 * with them what they lead to; what an earlier call has seen may be gone. */
struct look {
	unsigned n;
	uintptr_t pages[16];
};

static bool page_there(struct look *k, uintptr_t page)
{
	const unsigned most = k->n < ROWS(k->pages) ? k->n : ROWS(k->pages);

	for (unsigned i = 0; i < most; i++)
		if (k->pages[i] == page)
			return true;
	if (!peek_page(page))
		return false;
	k->pages[k->n++ % ROWS(k->pages)] = page;
	return true;
}

static bool there(struct look *k, const void *p, size_t n)
{
	const uintptr_t at = (uintptr_t)p, last = at + (n ? n - 1 : 0);

	for (uintptr_t page = at & -(uintptr_t)PEEK_PAGE; at <= last && page <= last; page += PEEK_PAGE)
		if (!page_there(k, page))
			return false;
	return at <= last;
}

/* The length of the string at p, less than n, or -1. */
static long there_strlen(struct look *k, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((i == 0 || ((uintptr_t)(p + i) & (PEEK_PAGE - 1)) == 0) && !there(k, p + i, 1))
			return -1;
		if (!p[i])
			return (long)i;
	}
	return -1;
}

/* The word at an address, 0 when it cannot be read. */
static uintptr_t word(struct look *k, uintptr_t at)
{
	return at && !(at & 7) && there(k, (const void *)at, 8) ? *(const uintptr_t *)at : 0;
}

static uint32_t half(struct look *k, uintptr_t at)
{
	return at && !(at & 3) && there(k, (const void *)at, 4) ? *(const uint32_t *)at : 0;
}

static const char *text_after(const char *s, const char *what)
{
	for (; (s = mem_find(s, *what)); s++) {
		const char *rest = mem_after(s, what);

		if (rest)
			return rest;
	}
	return NULL;
}

/* A file's name to ret, of a long one the end. */
static bool name_copy(char *ret, const char *name, size_t n)
{
	if (n == 0)
		return false;
	if (n >= NAME) {
		name += n - (NAME - 1);
		n = NAME - 1;
		for (; n && (*name & 0xc0) == 0x80; name++) /* not in the middle of a character */
			n--;
	}
	memcpy(ret, name, n);
	ret[n] = '\0';
	return true;
}

/* How well a file answers a user who asks where. */
enum rank {
	RANK_NONE,
	RANK_LIBRARY, /* the interpreter's */
	RANK_TEXT,    /* code that was given as a string, which a file further out did */
	RANK_USER,
};

/* -- CPython --------------------------------------------------------------------------------- */

/* Where one build keeps what is asked for, in bytes from the start of each object. */
struct python {
	unsigned version; /* 0x030b */
	unsigned thread_frame, cframe_frame;
	unsigned frame_previous, frame_code, frame_instr, frame_owner;
	unsigned code_file, code_table, code_first, code_start;
	unsigned object_type, type_name;
	unsigned bytes_size, bytes_data;
	unsigned text_state, text_length, text_ascii;
};
enum { NO_CFRAME = INT_MAX };

/* In the order of struct python. */
static const struct python pythons[] = {
	{0x0309, 24, NO_CFRAME, 24, 32, 104, 0,  104, 120, 40, 48,  8, 24, 16, 32, 32, 16, 48},
	{0x030a, 24, NO_CFRAME, 24, 32, 96,  0,  104, 120, 40, 48,  8, 24, 16, 32, 32, 16, 48},
	{0x030b, 56, 8,         48, 32, 56,  69, 112, 136, 72, 184, 8, 24, 16, 32, 32, 16, 48},
	{0x030c, 56, 0,         8,  0,  56,  70, 112, 136, 68, 192, 8, 24, 16, 32, 32, 16, 40},
};

/* Which words of _Py_DebugOffsets, counted from 0, say these. */
static bool python_tells(struct look *k, struct python *p)
{
	static const unsigned char at_13[] = {23, 29, 30, 31, 33, 35, 38, 39, 43, 45, 47, 65, 66, 68, 69, 70};
	static const unsigned char at_14[] = {
		26, 32, 33, 34, 36, 40, 43, 44, 48, 51, 53, 75, 76, 78, 79, 80};
	const unsigned char *at = p->version == 0x030e ? at_14 : at_13;
	unsigned *const to[] = {&p->thread_frame, &p->frame_previous, &p->frame_code, &p->frame_instr,
		&p->frame_owner, &p->code_file, &p->code_table, &p->code_first, &p->code_start, &p->object_type,
		&p->type_name, &p->bytes_size, &p->bytes_data, &p->text_state, &p->text_length, &p->text_ascii};
	const uint64_t *told = global("_PyRuntime");

	/* told[2]: a build without the global lock, whose threads have copies of the code */
	if (!told || !there(k, told, 81 * sizeof *told) || memcmp(told, "xdebugpy", 8) != 0 ||
		told[1] >> 16 != p->version || told[2])
		return false;
	for (size_t i = 0; i < ROWS(to); i++) {
		if (told[at[i]] >= 4096)
			return false;
		*to[i] = (unsigned)told[at[i]];
	}
	p->cframe_frame = NO_CFRAME;
	return true;
}

/* Which version it is.  Before 3.11 no variable says so, but the file has its name, mostly; to find that
 * no object at all has a symbol takes microseconds. */
static bool python_of(struct look *k, unsigned module, struct python *ret)
{
	const char *name = mem_base(module ? module_at(module)->path : ""), *rest = mem_after(name, "lib");
	const unsigned long *hex;

	*ret = (struct python){0};
	rest = mem_after(rest ? rest : name, "python3.");
	if (rest && rest[0] == '9' && !(rest[1] >= '0' && rest[1] <= '9'))
		ret->version = 0x0309;
	else if (rest && mem_after(rest, "10"))
		ret->version = 0x030a;
	else if ((hex = global("Py_Version")))
		ret->version = there(k, hex, sizeof *hex) ? (unsigned)(*hex >> 16) : 0;
	else if (global("Py_Is")) /* new in 3.10 */
		ret->version = 0x030a;
	else if (global("PyModule_AddType")) /* new in 3.9 */
		ret->version = 0x0309;
	for (size_t i = 0; i < ROWS(pythons); i++)
		if (ret->version == pythons[i].version) {
			*ret = pythons[i];
			return true;
		}
	return (ret->version == 0x030d || ret->version == 0x030e) && python_tells(k, ret);
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

/* The line of the instruction `unit` two-byte units into the code, 0: none.  Each version has its own
 * table: Objects/lnotab_notes.txt, and Objects/locations.md (InternalDocs/code_objects.md) from 3.11 on. */
static unsigned python_line(struct look *k, const struct python *p, uintptr_t code, size_t unit)
{
	const uintptr_t table = word(k, code + p->code_table);
	const size_t size = table ? word(k, table + p->bytes_size) : 0;
	const unsigned char *at = (const unsigned char *)(table + p->bytes_data), *end;
	int64_t line = (int)half(k, code + p->code_first); /* rubbish does not overflow it */
	size_t covered = 0;

	if (!table || size > 1 << 22 || (size && !there(k, at, size)))
		return 0;
	end = at + size;
	if (p->version == 0x0309) {
		for (; end - at >= 2; at += 2) {
			covered += at[0];
			if (covered > unit * 2)
				break;
			line += (signed char)at[1];
		}
		return line > 0 ? (unsigned)line : 0;
	}
	if (p->version == 0x030a) {
		for (; end - at >= 2; at += 2) {
			const int delta = (signed char)at[1];

			covered += at[0];
			line += delta == -128 ? 0 : delta;
			if (covered > unit * 2)
				return delta == -128 || line < 0 ? 0 : (unsigned)line;
		}
		return 0;
	}
	while (at < end) {
		const unsigned char first = *at++;
		const unsigned form = first >> 3 & 15;

		if (form >= 10 && form <= 12)
			line += (int)form - 10;
		if (form == 13 || form == 14) {
			const unsigned delta = varint(&at, end);

			line += delta & 1 ? -(int64_t)(delta >> 1) : (int64_t)(delta >> 1);
		}
		covered += (first & 7u) + 1;
		if (unit < covered)
			return form == 15 || line < 0 ? 0 : (unsigned)line;
		while (at < end && !(*at & 0x80)) /* columns */
			at++;
	}
	return 0;
}

/* How far the frame is in its code, in two-byte units; false when it cannot be anywhere in it. */
static bool python_unit(struct look *k, const struct python *p, uintptr_t frame, uintptr_t code, size_t *ret)
{
	const uintptr_t start = code + p->code_start;
	uintptr_t at;
	size_t units;

	if (p->version < 0x030b) { /* f_lasti, before the first instruction -1; in bytes, from 3.10 on in units */
		const int last = (int)half(k, frame + p->frame_instr);

		units = word(k, word(k, code + p->code_start) + p->bytes_size) / 2;
		*ret = last < 0 ? 0 : (size_t)last / (p->version == 0x0309 ? 2 : 1);
		return last >= -1 && *ret < units;
	}
	units = word(k, code + p->bytes_size);
	at = word(k, frame + p->frame_instr);
	if (at == start - 2)
		at = start;
	*ret = (at - start) / 2;
	return at >= start && *ret < units;
}

/* The text of a str object, as UTF-8. */
static bool python_text(struct look *k, const struct python *p, uintptr_t str, char *ret)
{
	const unsigned state = half(k, str + p->text_state), kind = state >> 2 & 7;
	const size_t length = word(k, str + p->text_length);
	char text[4 * NAME], *to = text;
	uintptr_t at = str + p->text_ascii;

	if (!str || !(state & 32) || length == 0 || length > PATH_MAX) /* not compact: made by old means */
		return false;
	if (state & 64) /* ASCII */
		return there(k, (const void *)at, length) && name_copy(ret, (const char *)at, length);
	at += p->version < 0x030c ? 24 : 16; /* struct PyCompactUnicodeObject */
	if ((kind != 1 && kind != 2 && kind != 4) || !there(k, (const void *)at, length * kind))
		return false;
	for (size_t i = length > NAME ? length - NAME : 0; i < length; i++) {
		const uint32_t c = kind == 1   ? ((const uint8_t *)at)[i]
				   : kind == 2 ? ((const uint16_t *)at)[i]
					       : ((const uint32_t *)at)[i];

		if (c < 0x80) {
			*to++ = (char)c;
		} else if (c >= 0xdc80 && c <= 0xdcff) { /* a byte that is no UTF-8: PEP 383 */
			*to++ = (char)(c & 0xff);
		} else if (c < 0x800) {
			*to++ = (char)(0xc0 | c >> 6);
			*to++ = (char)(0x80 | (c & 63));
		} else if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
			*to++ = (char)(0x80 | (c >> 6 & 63));
			*to++ = (char)(0x80 | (c & 63));
		} else {
			*to++ = (char)(0xf0 | (c >> 18 & 7));
			*to++ = (char)(0x80 | (c >> 12 & 63));
			*to++ = (char)(0x80 | (c >> 6 & 63));
			*to++ = (char)(0x80 | (c & 63));
		}
	}
	return name_copy(ret, text, (size_t)(to - text));
}

static enum rank python_rank(const char *file)
{
	const char *rest = text_after(file, "/lib/python3.");

	rest = rest ? rest : text_after(file, "/lib64/python3.");
	if (mem_after(file, "<frozen "))
		return RANK_LIBRARY;
	if (mem_equal(file, "<string>")) /* exec(), eval(), python3 -c */
		return RANK_TEXT;
	return rest && !text_after(rest, "/site-packages/") && !text_after(rest, "/dist-packages/")
		       ? RANK_LIBRARY
		       : RANK_USER;
}

/* Is it a code object?  A frame may be the interpreter's own mark between two of its C functions. */
static bool python_is_code(struct look *k, const struct python *p, uintptr_t object)
{
	const uintptr_t type = object ? word(k, object + p->object_type) : 0;
	const char *name = type ? (const char *)word(k, type + p->type_name) : NULL;

	return name && there_strlen(k, name, 8) == 4 && memcmp(name, "code", 4) == 0;
}

static unsigned python_owner(struct look *k, const struct python *p, uintptr_t frame)
{
	const unsigned char *owner = (const unsigned char *)frame + p->frame_owner;

	return p->version >= 0x030c && there(k, owner, 1) ? *owner : 0;
}

static bool line_of_python(struct look *k, unsigned module, struct script *ret)
{
	uintptr_t (*state)(void) = (uintptr_t(*)(void))real_global("PyGILState_GetThisThreadState");
	enum rank best = RANK_NONE;
	uintptr_t frame, code, file = 0, last;
	struct python p;
	size_t unit;

	if (!state || !python_of(k, module, &p))
		return false;
	frame = state(); /* a thread-specific value, and no more, in all these versions: Python/pystate.c */
	frame = frame ? word(k, frame + p.thread_frame) : 0;
	if (p.cframe_frame != NO_CFRAME && frame)
		frame = word(k, frame + p.cframe_frame);
	for (unsigned depth = 0; frame && depth < DEPTH && best < RANK_USER;
		depth++, frame = word(k, frame + p.frame_previous)) {
		struct script at;
		enum rank rank;

		code = word(k, frame + p.frame_code) & ~(uintptr_t)3; /* a reference's own bits: pycore_stackref.h */
		if (!python_is_code(k, &p, code) || python_owner(k, &p, frame) >= 3) /* 3: by C, and its code a mark */
			continue;
		last = file;
		file = word(k, code + p.code_file);
		if (file == last && best != RANK_NONE) /* as the one before: no better */
			continue;
		if (!python_text(k, &p, file, at.file))
			continue;
		rank = python_rank(at.file);
		if (rank <= best || !python_unit(k, &p, frame, code, &unit) ||
			(at.line = python_line(k, &p, code, unit)) == 0)
			continue;
		*ret = at;
		best = rank;
	}
	return best != RANK_NONE;
}

/* -- Perl, with threads ---------------------------------------------------------------------- */

enum {
	COP_LINE = 36,
	COP_FILE = 48,
	STACK_CONTEXTS = 8, /* of a PERL_SI: si_cxstack, si_prev, si_cxix */
	STACK_PREVIOUS = 16,
	STACK_TOP = 32,
	CONTEXT = 104, /* sizeof(PERL_CONTEXT) */
	CONTEXT_COP = 16,
	CXT_SUB = 9, /* sub, format and eval are 9 to 11 */
	CXT_EVAL = 11,
};

static enum rank perl_rank(const char *file)
{
	if (mem_after(file, "(eval "))
		return RANK_TEXT;
	/* Debian's, whose /usr/local is the site's, and upstream's, which has site_perl beside it */
	return (text_after(file, "/perl/5.") && !mem_after(file, "/usr/local/")) ||
			       text_after(file, "/perl-base/") || text_after(file, "/lib/perl5/5.")
		       ? RANK_LIBRARY
		       : RANK_USER;
}

/* The line of a control op (struct cop), if it is a better one. */
static enum rank perl_line(struct look *k, uintptr_t cop, enum rank best, struct script *ret)
{
	const char *file = cop ? (const char *)word(k, cop + COP_FILE) : NULL;
	const unsigned line = file ? half(k, cop + COP_LINE) : 0;
	const long n = line ? there_strlen(k, file, PATH_MAX) : 0;
	struct script at = {.line = line};
	enum rank rank;

	if (n <= 0 || !name_copy(at.file, file, (size_t)n))
		return best;
	rank = perl_rank(at.file);
	if (rank <= best)
		return best;
	*ret = at;
	return rank;
}

static bool line_of_perl(struct look *k, struct script *ret)
{
	/* Every even version has been looked at; an odd one is a developer's */
	static const struct { unsigned char version; unsigned short cop, stack; } perls[] = {
		{32, 224, 240}, {34, 208, 224}, {36, 208, 224}, {38, 208, 224}, {40, 208, 224}, {42, 208, 224},
	};
	const unsigned char *version = global("PL_version");
	const unsigned *key = global("PL_thr_key");
	uintptr_t (*get)(unsigned) = LIBC(pthread_getspecific, uintptr_t, (unsigned));
	uintptr_t perl, stack, contexts;
	enum rank best;
	size_t i = 0;

	if (!version || !key || !get || !there(k, version, 1) || !there(k, key, sizeof *key))
		return false;
	while (i < ROWS(perls) && perls[i].version != *version)
		i++;
	perl = i < ROWS(perls) ? get(*key) : 0;
	if (!perl)
		return false;
	best = perl_line(k, word(k, perl + perls[i].cop), RANK_NONE, ret);
	if (best == RANK_NONE)
		return false;
	stack = word(k, perl + perls[i].stack);
	for (unsigned depth = 0; stack && depth < DEPTH && best < RANK_USER;
		depth++, stack = word(k, stack + STACK_PREVIOUS)) {
		int top = (int)half(k, stack + STACK_TOP);

		contexts = word(k, stack + STACK_CONTEXTS);
		for (; contexts && top >= 0 && depth < DEPTH && best < RANK_USER; top--, depth++) {
			const uintptr_t context = contexts + (unsigned)top * (uintptr_t)CONTEXT;
			const unsigned type = half(k, context) & 15;

			if (type >= CXT_SUB && type <= CXT_EVAL)
				best = perl_line(k, word(k, context + CONTEXT_COP), best, ret);
		}
	}
	return true;
}

/* -- bash ------------------------------------------------------------------------------------ */

enum {
	CONTEXT_TABLE = 32,                    /* VAR_CONTEXT.table */
	TABLE_BUCKETS = 0, TABLE_SIZE = 8,     /* HASH_TABLE */
	BUCKET_NEXT = 0, BUCKET_KEY = 8, BUCKET_DATA = 16,
	VARIABLE_VALUE = 8, VARIABLE_FLAGS = 40, VARIABLE_ARRAY = 4, /* att_array */
	ARRAY_HEAD = 16, ARRAY_HEAD_OLD = 24,  /* before 5.1 a type came first */
	ELEMENT_INDEX = 0, ELEMENT_VALUE = 8, ELEMENT_NEXT = 16,
};

/* ${BASH_SOURCE[0]}: a script reads others by "source", whose lines count from 1 as well. */
static const char *bash_source(struct look *k)
{
	static const char name[] = "BASH_SOURCE";
	const uintptr_t *globals = global("global_variables");
	const uintptr_t table = globals ? word(k, word(k, (uintptr_t)globals) + CONTEXT_TABLE) : 0,
			buckets = word(k, table + TABLE_BUCKETS);
	const uint32_t size = table ? half(k, table + TABLE_SIZE) : 0;
	uintptr_t at, array, head, element;
	uint32_t h = 2166136261u; /* hashlib.c, hash_string: FNV-1 */

	if (!buckets || !size || size & (size - 1))
		return NULL;
	for (const char *s = name; *s; s++)
		h = h * 16777619u ^ (unsigned char)*s;
	at = word(k, buckets + (h & (size - 1)) * sizeof(uintptr_t));
	for (unsigned i = 0; at && i < DEPTH; i++, at = word(k, at + BUCKET_NEXT)) {
		const char *key = (const char *)word(k, at + BUCKET_KEY);

		if (!key || there_strlen(k, key, sizeof name) != sizeof name - 1 || !mem_equal(key, name))
			continue;
		at = word(k, at + BUCKET_DATA);
		if (!at || !(half(k, at + VARIABLE_FLAGS) & VARIABLE_ARRAY))
			return NULL;
		array = word(k, at + VARIABLE_VALUE);
		head = word(k, array + ARRAY_HEAD);
		if (!there(k, (const void *)head, 32))
			head = word(k, array + ARRAY_HEAD_OLD);
		element = word(k, head + ELEMENT_NEXT);
		return element && word(k, element + ELEMENT_INDEX) == 0
			       ? (const char *)word(k, element + ELEMENT_VALUE)
			       : NULL;
	}
	return NULL;
}

static bool line_of_bash(struct look *k, struct script *ret)
{
	const int *line = global("line_number");
	char *const *vars = global("dollar_vars");
	const char *file = bash_source(k);
	long n = file ? there_strlen(k, file, PATH_MAX) : 0;

	if (n <= 0 && vars && there(k, vars, sizeof *vars)) { /* bash -c, or from its input */
		file = vars[0];
		n = file ? there_strlen(k, file, PATH_MAX) : 0;
	}
	if (n <= 0 || !line || !there(k, line, sizeof *line) || *line <= 0)
		return false;
	ret->line = (unsigned)*line;
	return name_copy(ret->file, file, (size_t)n);
}

/* -- any ------------------------------------------------------------------------------------- */

bool script_line(enum module_kind kind, unsigned module, struct script *ret)
{
	struct look look = {.n = 0};

	switch (kind) {
	case MODULE_PYTHON:
		return line_of_python(&look, module, ret);
	case MODULE_PERL:
		return line_of_perl(&look, ret);
	case MODULE_BASH:
		return line_of_bash(&look, ret);
	default:
		return false;
	}
}
