/* SPDX-License-Identifier: ISC
 *
 * Puts libjail's variables back into an envp.  Pure: reads the envp it is given and the config. */
#ifndef JAIL_ENV_H
#define JAIL_ENV_H

#include "mem.h"

/* The value of name in envp (NULL envp: none), or NULL. */
const char *env_get(char *const envp[], const char *name);

/* Is this entry one of ours (LIBJAIL_...)? */
bool env_ours(const char *entry);

#endif
