/* SPDX-License-Identifier: ISC
 *
 * Which words of an interpreter's memory say where it is.  bash keeps the number of the line that it
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

bool script_line(enum module_kind kind, unsigned module, struct script *ret)
{
	(void)module;
	return kind == MODULE_BASH && line_of_bash(ret);
}
