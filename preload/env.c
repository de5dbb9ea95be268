/* SPDX-License-Identifier: ISC
 *
 * What an envp holds, without a libc's getenv: the program may have replaced environ. */
#include "env.h"

const char *env_get(char *const envp[], const char *name)
{
	const char *v;

	if (envp)
		for (; *envp; envp++)
			if ((v = mem_after(*envp, name)) && *v == '=')
				return v + 1;
	return NULL;
}

bool env_ours(const char *entry)
{
	return mem_after(entry, "LIBJAIL_") != NULL;
}
