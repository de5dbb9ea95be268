/* SPDX-License-Identifier: ISC
 *
 * Names for addresses: function, file and line, from the module's own file or its separate
 * debuginfo, when its build id is the one of the events. */
#ifndef REPORT_SYMBOL_H
#define REPORT_SYMBOL_H

#include "model.h"

/* Names all addresses of the model: one run of addr2line for each module. */
void symbol_all(struct model *);

#endif
