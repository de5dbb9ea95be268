/* SPDX-License-Identifier: ISC
 *
 * A script's first line, to the byte as fs/binfmt_script.c reads it. */
#include "exec.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first byte from c to last, which belongs to them, that is no blank; NULL: none. */
static char *next_word(char *c, const char *last)
{
	for (; c <= last; c++)
		if (!blank(*c))
			return c;
	return NULL;
}

/* The first one that ends a word: a blank or a NUL. */
static char *next_end(char *c, const char *last)
{
	for (; c <= last; c++)
		if (blank(*c) || !*c)
			return c;
	return NULL;
}

long script_split(char *head, char **ret_interp, char **ret_arg)
{
	char *const last = head + EXEC_HEAD - 1;
	char *end = NULL, *name, *sep, *arg = NULL;

	for (char *c = head; c <= last && *c && !end; c++)
		if (*c == '\n')
			end = c;
	if (!end) {
		name = next_word(head + 2, last);
		if (!name || !next_end(name, last))
			return -ENOEXEC; /* nothing but blanks, or the interpreter's name is cut off */
		end = last;
	}
	while (blank(end[-1]))
		end--;
	name = next_word(head + 2, end);
	if (!name || name == end)
		return -ENOEXEC;
	sep = next_end(name, end);
	if (sep && *sep)
		arg = next_word(sep, end); /* without a newline it may be the NUL behind a blank: an empty argument */
	*end = '\0';
	if (arg)
		*sep = '\0';
	*ret_interp = name;
	*ret_arg = arg;
	return *name ? 0 : -EACCES; /* "" is looked up, and is the working directory */
}
