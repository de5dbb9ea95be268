/* SPDX-License-Identifier: ISC
 *
 * A plugin that leaks when it is asked to, and with -DCONSTRUCTOR a library that leaks when it is
 * loaded. */
#include <fcntl.h>
#include <unistd.h>

#ifdef FIXED
#define FLAGS (O_RDONLY | O_CLOEXEC)
#else
#define FLAGS O_RDONLY
#endif

static volatile int sink;

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void early(void)
{
	sink = open("/etc/passwd", FLAGS); /* LEAK constructor */
}
#else
int plugin_leak(void);
int plugin_leak(void)
{
	sink = open("/etc/passwd", FLAGS); /* LEAK plugin */
	return sink;
}
#endif
