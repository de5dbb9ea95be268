/* SPDX-License-Identifier: ISC
 *
 * A library of tests/context/audit.sh: -DFN names the one function that it exports, which opens
 * another library from here, so that this object's search path counts. */
#include <dlfcn.h>

void *FN(const char *name);

void *FN(const char *name)
{
	return dlopen(name, RTLD_NOW);
}
