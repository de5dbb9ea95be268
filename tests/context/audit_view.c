/* SPDX-License-Identifier: ISC
 *
 * A library of tests/context/audit.sh that stands for libjail.so after a chroot(2): its view of the
 * directory VIEW is under the name that the audit module looks for. */
#include "place.h"

__attribute__((visibility("default"))) const struct view *libjail_audit_view;

__attribute__((constructor)) static void start(int argc, char **argv, char **envp)
{
	static struct view v;
	const char *host;

	(void)argc;
	(void)argv;
	for (; envp && *envp; envp++)
		if ((host = mem_after(*envp, "VIEW=")) && view_open(&v, host, 500) == 0)
			libjail_audit_view = &v;
}
